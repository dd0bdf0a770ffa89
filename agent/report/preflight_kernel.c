/* The rules about the kernel: its IOMMU, VFIO and lockdown. */
#include "agent/report/preflight_rules.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "lib/xalloc.h"

/* The word of the command line that turns the IOMMU off; NULL: none does. */
static const char *word_against_iommu(const char *command_line)
{
    static const char *const words[] = {"intel_iommu=off", "amd_iommu=off",
                                        "iommu=off"};
    for (size_t i = 0; command_line && i < sizeof words / sizeof *words; i++) {
        _cleanup_strlist_ struct strlist given = strlist_split(command_line, ' ');
        if (strlist_contains(&given, words[i]))
            return words[i];
    }
    return NULL;
}

/* Mediated devices of a whole card need no IOMMU; functions of a card, and whole cards,
 * do. */
static bool needs_iommu(const struct host *host)
{
    for (size_t i = 0; i < host->gpu_count; i++)
        if (host->gpus[i].is_pci &&
            (host->gpus[i].vf_total || !gpu_offers_types(&host->gpus[i])))
            return true;
    return host->gpu_count == 0;
}

void preflight_judge_iommu(const struct preflight_seen *seen, struct preflight *out)
{
    static const char check[] = "iommu";
    const char *off = word_against_iommu(seen->command_line);
    if (seen->grouped_gpus)
        preflight_add_told(out, check, PREFLIGHT_OK,
                           xasprintf("%zu GPU%s in IOMMU groups", seen->grouped_gpus,
                                     seen->grouped_gpus == 1 ? " is" : "s are"),
                           NULL);
    else if (off)
        preflight_add_told(
            out, check, needs_iommu(seen->host) ? PREFLIGHT_MISSING : PREFLIGHT_OK,
            xasprintf("the kernel's command line turns it off: %s", off),
            xasprintf("take %s away where virtual functions or whole cards are "
                      "given to guests",
                      off));
    else if (seen->iommu_units < 0)
        preflight_add_told(
            out, check, PREFLIGHT_UNKNOWN,
            xstrdup("sysfs shows no class/iommu, and no GPU in an IOMMU group"),
            xstrdup("`dmesg | grep -i iommu` says whether the kernel has found "
                    "one"));
    else if (seen->iommu_units)
        preflight_add_told(
            out, check, needs_iommu(seen->host) ? PREFLIGHT_MISSING : PREFLIGHT_OK,
            xstrdup("the kernel has an IOMMU, but no GPU is in an IOMMU group"),
            xstrdup("the lines of the IOMMU in `dmesg` say more"));
    else
        preflight_add_told(
            out, check, needs_iommu(seen->host) ? PREFLIGHT_MISSING : PREFLIGHT_OK,
            xstrdup("the kernel has found no IOMMU"),
            xstrdup("virtual functions and whole cards need it: VT-d or AMD-Vi in "
                    "the firmware, and intel_iommu=on on the kernel's command "
                    "line"));
}

static void add_module(struct preflight *out, const char *module, enum sight sight)
{
    if (sight == PRESENT)
        preflight_add_told(out, module, PREFLIGHT_OK, xstrdup("loaded"), NULL);
    else if (sight == ABSENT)
        preflight_add_told(
            out, module, PREFLIGHT_MISSING, xstrdup("the module is not loaded"),
            xasprintf("`modprobe %s`, and its name in /etc/modules-load.d", module));
    else
        preflight_add_told(out, module, PREFLIGHT_UNKNOWN,
                           xstrdup("the kernel's modules cannot be seen"),
                           xasprintf("`lsmod` must have %s", module));
}

void preflight_judge_vfio(const struct preflight_seen *seen, struct preflight *out)
{
    add_module(out, "vfio", seen->vfio);
    add_module(out, "vfio_iommu_type1", seen->vfio_type1);
    if (seen->vfio_node == PRESENT)
        preflight_add(
            out, "/dev/vfio/vfio", PREFLIGHT_OK,
            xasprintf("there, mode %s; libvirt gives the groups beside it to QEMU",
                      seen->vfio_node_mode),
            NULL);
    else if (seen->vfio_node == ABSENT)
        preflight_add_told(out, "/dev/vfio/vfio", PREFLIGHT_MISSING,
                           xstrdup("it is not there"),
                           xstrdup("the module vfio makes it"));
    else
        preflight_add(out, "/dev/vfio/vfio", PREFLIGHT_UNKNOWN,
                      xstrdup("the host's /dev cannot be seen"), NULL);
}

/* Libvirt loads the module for its guests; before the agent binds a card it must be
 * there. */
void preflight_judge_vfio_pci(const struct preflight_seen *seen, struct preflight *out)
{
    static const char check[] = "vfio-pci";
    bool agents = false, libvirts = false;
    for (size_t i = 0; i < seen->host->gpu_count; i++)
        for (size_t j = 0; j < seen->host->gpus[i].parent_count; j++) {
            const struct backend *backend =
                backend_find(seen->host->gpus[i].parents[j].backend);
            agents |= backend && backend->bound_by_agent;
            libvirts |= backend && backend->bound_by_libvirt;
        }
    if (!agents && !libvirts)
        return;
    if (seen->vfio_pci == PRESENT)
        preflight_add_told(out, check, PREFLIGHT_OK, xstrdup("loaded"), NULL);
    else if (seen->vfio_pci == UNSEEN)
        preflight_add_told(out, check, PREFLIGHT_UNKNOWN,
                           xstrdup("the drivers of the PCI bus cannot be seen"), NULL);
    else if (seen->vfio_pci_module == ABSENT)
        preflight_add_told(
            out, check, PREFLIGHT_MISSING,
            xstrdup("the running kernel has no such module"),
            xstrdup("virtual functions and whole cards need it: install the "
                    "package of the kernel's further modules, or a kernel with "
                    "CONFIG_VFIO_PCI"));
    else if (agents)
        add_module(out, check, ABSENT);
    else if (seen->vfio_pci_module == PRESENT)
        preflight_add_told(out, check, PREFLIGHT_OK,
                           xstrdup("not loaded; libvirt loads it for the first guest"),
                           NULL);
    else
        preflight_add_told(
            out, check, PREFLIGHT_UNKNOWN,
            xstrdup("not loaded, and the kernel's modules cannot be seen"),
            xstrdup("`modinfo vfio-pci` must find it"));
}

void preflight_judge_lockdown(const struct preflight_seen *seen, struct preflight *out)
{
    static const char check[] = "lockdown";
    size_t undriven = 0;
    for (size_t i = 0; i < seen->host->gpu_count; i++)
        undriven += vendor_find(seen->host->gpus[i].vendor) &&
                    !gpu_offers_types(&seen->host->gpus[i]) &&
                    !seen->host->gpus[i].driver;
    if (!seen->lockdown)
        preflight_add_told(out, check, PREFLIGHT_UNKNOWN,
                           xstrdup("sysfs shows no kernel/security/lockdown"), NULL);
    else if (strcmp(seen->lockdown, "none") == 0)
        preflight_add_told(out, check, PREFLIGHT_OK, xstrdup("none"), NULL);
    else if (undriven)
        preflight_add_told(
            out, check, PREFLIGHT_MISSING,
            xasprintf("the kernel is locked down (%s), and loads no module that is "
                      "not signed; a GPU has no driver",
                      seen->lockdown),
            xstrdup("sign the vendor's module with a key that the firmware has "
                    "(mokutil), or turn Secure Boot off"));
    else
        preflight_add_told(out, check, PREFLIGHT_OK,
                           xasprintf("%s, and the drivers are loaded", seen->lockdown),
                           NULL);
}
