#include "agent/report/preflight.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "lib/xalloc.h"

/* `found` and `remedy` become the item's. */
static struct preflight_item *add(struct preflight *out, const char *check,
                                  enum preflight_state state, char *found, char *remedy)
{
    struct preflight_item *item = array_add(out->items, out->count);
    *item = (struct preflight_item){
        .check = check, .state = state, .found = found, .remedy = remedy};
    return item;
}

/* The same, for what check-config says as well. */
static void add_told(struct preflight *out, const char *check,
                     enum preflight_state state, char *found, char *remedy)
{
    add(out, check, state, found, remedy)->of_configuration = true;
}

/* ---- the cards ---- */

static bool offers_any(const struct host *host)
{
    for (size_t i = 0; i < host->gpu_count; i++)
        if (gpu_offers_types(&host->gpus[i]))
            return true;
    return false;
}

/* A card that can be expected to be cut: it offers types, or is of a known maker. */
static bool counts(const struct gpu *gpu)
{
    return gpu_offers_types(gpu) || vendor_find(gpu->vendor);
}

static void judge_gpus(const struct preflight_seen *seen, struct preflight *out)
{
    const struct host *host = seen->host;
    size_t count = 0;
    for (size_t i = 0; i < host->gpu_count; i++) {
        const struct gpu *gpu = &host->gpus[i];
        count += counts(gpu);
        if (gpu->health != GPU_OK)
            add(out, "gpu",
                gpu->health == GPU_UNREADABLE ? PREFLIGHT_UNKNOWN : PREFLIGHT_MISSING,
                xasprintf("%s is %s: %s", gpu->name, gpu_health_name(gpu->health),
                          gpu->health_reason),
                gpu_remedy(gpu));
    }
    if (count)
        add(out, "gpu", PREFLIGHT_OK,
            xasprintf("%zu GPU%s", count, count == 1 ? "" : "s"), NULL);
    else
        add(out, "gpu", PREFLIGHT_MISSING,
            xstrdup("this host has no GPU of a maker whose GPUs can be cut"),
            xstrdup("does `lspci` show the card?"));
}

/* Adds one item for the cards on which `fault` gives a text, named in it; else an item
 * of `well`, which becomes the item's. */
static void add_cards(const struct preflight_seen *seen, struct preflight *out,
                      const char *check, char *(*fault)(const struct gpu *gpu),
                      char *well)
{
    _cleanup_free_ char *spare = well, *first = NULL, *remedy = NULL;
    _cleanup_strlist_ struct strlist names = {0};
    for (size_t i = 0; i < seen->host->gpu_count; i++) {
        const struct gpu *gpu = &seen->host->gpus[i];
        _cleanup_free_ char *text = gpu->health == GPU_OK ? fault(gpu) : NULL;
        if (!text)
            continue;
        strlist_add(&names, gpu->name);
        if (first)
            continue;
        first = steal(text);
        remedy = gpu_remedy(gpu);
    }
    _cleanup_free_ char *listed = strlist_join(&names, ", ");
    if (first)
        add(out, check, PREFLIGHT_MISSING, xasprintf("%s: %s", listed, first),
            steal(remedy));
    else if (spare)
        add(out, check, PREFLIGHT_OK, steal(spare), NULL);
}

static char *lacks_driver(const struct gpu *gpu)
{
    const struct vendor *vendor = vendor_find(gpu->vendor);
    if (!vendor || gpu_offers_types(gpu))
        return NULL;
    if (!gpu->driver)
        return xstrdup("no driver is bound to it");
    if (strcmp(gpu->driver, vendor->driver) == 0)
        return NULL;
    return xasprintf("the driver %s is bound to it, and not %s's for hosts (%s)",
                     gpu->driver, vendor->name, vendor->driver);
}

static void judge_driver(const struct preflight_seen *seen, struct preflight *out)
{
    _cleanup_strlist_ struct strlist drivers = {0};
    for (size_t i = 0; i < seen->host->gpu_count; i++) {
        const struct gpu *gpu = &seen->host->gpus[i];
        if (gpu->health == GPU_OK && counts(gpu) && gpu->driver)
            strlist_add_unique(&drivers, gpu->driver);
    }
    _cleanup_free_ char *listed = strlist_join(&drivers, ", ");
    add_cards(seen, out, "driver", lacks_driver,
              drivers.count ? xasprintf("bound to the cards: %s", listed) : NULL);
}

static char *lacks_functions(const struct gpu *gpu)
{
    return counts(gpu) && gpu->vf_total && !gpu->vf_enabled
               ? xasprintf("none of its %u virtual functions is enabled", gpu->vf_total)
               : NULL;
}

static void judge_functions(const struct preflight_seen *seen, struct preflight *out)
{
    unsigned enabled = 0, total = 0;
    for (size_t i = 0; i < seen->host->gpu_count; i++)
        if (counts(&seen->host->gpus[i])) {
            enabled += seen->host->gpus[i].vf_enabled;
            total += seen->host->gpus[i].vf_total;
        }
    add_cards(seen, out, "virtual functions", lacks_functions,
              enabled ? xasprintf("%u of %u are enabled", enabled, total) : NULL);
}

/* What its parents offer is the kind; a card with several counts for each. */
static struct strlist kinds_of(const struct host *host)
{
    struct strlist kinds = {0};
    for (size_t i = 0; i < host->gpu_count; i++)
        for (size_t j = 0; j < host->gpus[i].parent_count; j++)
            if (gpu_offers_types(&host->gpus[i]))
                strlist_add_unique(&kinds,
                                   backend_offers(host->gpus[i].parents[j].backend));
    return kinds;
}

/* Without its driver or its functions a card can offer nothing: that is said already. */
static char *offers_nothing(const struct gpu *gpu)
{
    _cleanup_free_ char *driver = lacks_driver(gpu), *functions = lacks_functions(gpu);
    return counts(gpu) && !driver && !functions ? gpu_obstacle(gpu) : NULL;
}

static void judge_kinds(const struct preflight_seen *seen, struct preflight *out)
{
    _cleanup_strlist_ struct strlist kinds = kinds_of(seen->host);
    _cleanup_free_ char *listed = strlist_join(&kinds, ", ");
    add_cards(seen, out, "kind", offers_nothing,
              kinds.count ? xasprintf("the cards offer %s%s", listed,
                                      kinds.count > 1 ? " (mixed)" : "")
                          : NULL);
}

/* ---- the kernel ---- */

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

static void judge_iommu(const struct preflight_seen *seen, struct preflight *out)
{
    static const char check[] = "iommu";
    const char *off = word_against_iommu(seen->command_line);
    if (seen->grouped_gpus)
        add_told(out, check, PREFLIGHT_OK,
                 xasprintf("%zu GPU%s in IOMMU groups", seen->grouped_gpus,
                           seen->grouped_gpus == 1 ? " is" : "s are"),
                 NULL);
    else if (off)
        add_told(out, check, needs_iommu(seen->host) ? PREFLIGHT_MISSING : PREFLIGHT_OK,
                 xasprintf("the kernel's command line turns it off: %s", off),
                 xasprintf("take %s away where virtual functions or whole cards are "
                           "given to guests",
                           off));
    else if (seen->iommu_units < 0)
        add_told(out, check, PREFLIGHT_UNKNOWN,
                 xstrdup("sysfs shows no class/iommu, and no GPU in an IOMMU group"),
                 xstrdup("`dmesg | grep -i iommu` says whether the kernel has found "
                         "one"));
    else if (seen->iommu_units)
        add_told(out, check, needs_iommu(seen->host) ? PREFLIGHT_MISSING : PREFLIGHT_OK,
                 xstrdup("the kernel has an IOMMU, but no GPU is in an IOMMU group"),
                 xstrdup("the lines of the IOMMU in `dmesg` say more"));
    else
        add_told(out, check, needs_iommu(seen->host) ? PREFLIGHT_MISSING : PREFLIGHT_OK,
                 xstrdup("the kernel has found no IOMMU"),
                 xstrdup("virtual functions and whole cards need it: VT-d or AMD-Vi in "
                         "the firmware, and intel_iommu=on on the kernel's command "
                         "line"));
}

static void add_module(struct preflight *out, const char *module, enum sight sight)
{
    if (sight == PRESENT)
        add_told(out, module, PREFLIGHT_OK, xstrdup("loaded"), NULL);
    else if (sight == ABSENT)
        add_told(
            out, module, PREFLIGHT_MISSING, xstrdup("the module is not loaded"),
            xasprintf("`modprobe %s`, and its name in /etc/modules-load.d", module));
    else
        add_told(out, module, PREFLIGHT_UNKNOWN,
                 xstrdup("the kernel's modules cannot be seen"),
                 xasprintf("`lsmod` must have %s", module));
}

static void judge_vfio(const struct preflight_seen *seen, struct preflight *out)
{
    add_module(out, "vfio", seen->vfio);
    add_module(out, "vfio_iommu_type1", seen->vfio_type1);
    if (seen->vfio_node == PRESENT)
        add(out, "/dev/vfio/vfio", PREFLIGHT_OK,
            xasprintf("there, mode %s; libvirt gives the groups beside it to QEMU",
                      seen->vfio_node_mode),
            NULL);
    else if (seen->vfio_node == ABSENT)
        add(out, "/dev/vfio/vfio", PREFLIGHT_MISSING, xstrdup("it is not there"),
            xstrdup("the module vfio makes it"));
    else
        add(out, "/dev/vfio/vfio", PREFLIGHT_UNKNOWN,
            xstrdup("the host's /dev cannot be seen"), NULL);
}

/* Libvirt loads the module for its guests; before the agent binds a card it must be
 * there. */
static void judge_vfio_pci(const struct preflight_seen *seen, struct preflight *out)
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
        add_told(out, check, PREFLIGHT_OK, xstrdup("loaded"), NULL);
    else if (seen->vfio_pci == UNSEEN)
        add_told(out, check, PREFLIGHT_UNKNOWN,
                 xstrdup("the drivers of the PCI bus cannot be seen"), NULL);
    else if (seen->vfio_pci_module == ABSENT)
        add_told(out, check, PREFLIGHT_MISSING,
                 xstrdup("the running kernel has no such module"),
                 xstrdup("virtual functions and whole cards need it: install the "
                         "package of the kernel's further modules, or a kernel with "
                         "CONFIG_VFIO_PCI"));
    else if (agents)
        add_module(out, check, ABSENT);
    else if (seen->vfio_pci_module == PRESENT)
        add_told(out, check, PREFLIGHT_OK,
                 xstrdup("not loaded; libvirt loads it for the first guest"), NULL);
    else
        add_told(out, check, PREFLIGHT_UNKNOWN,
                 xstrdup("not loaded, and the kernel's modules cannot be seen"),
                 xstrdup("`modinfo vfio-pci` must find it"));
}

static void judge_lockdown(const struct preflight_seen *seen, struct preflight *out)
{
    static const char check[] = "lockdown";
    size_t undriven = 0;
    for (size_t i = 0; i < seen->host->gpu_count; i++)
        undriven += vendor_find(seen->host->gpus[i].vendor) &&
                    !gpu_offers_types(&seen->host->gpus[i]) &&
                    !seen->host->gpus[i].driver;
    if (!seen->lockdown)
        add_told(out, check, PREFLIGHT_UNKNOWN,
                 xstrdup("sysfs shows no kernel/security/lockdown"), NULL);
    else if (strcmp(seen->lockdown, "none") == 0)
        add_told(out, check, PREFLIGHT_OK, xstrdup("none"), NULL);
    else if (undriven)
        add_told(
            out, check, PREFLIGHT_MISSING,
            xasprintf("the kernel is locked down (%s), and loads no module that is "
                      "not signed; a GPU has no driver",
                      seen->lockdown),
            xstrdup("sign the vendor's module with a key that the firmware has "
                    "(mokutil), or turn Secure Boot off"));
    else
        add_told(out, check, PREFLIGHT_OK,
                 xasprintf("%s, and the drivers are loaded", seen->lockdown), NULL);
}

/* ---- the maker's software ---- */

static void judge_rival(const struct preflight_seen *seen,
                        const struct preflight_vendor *maker, struct preflight *out)
{
    const char *rival = maker->vendor->rival;
    const struct gpu *has = NULL;
    for (size_t i = 0; i < seen->host->gpu_count; i++)
        if (seen->host->gpus[i].driver &&
            strcmp(seen->host->gpus[i].driver, rival) == 0)
            has = &seen->host->gpus[i];
    if (has || maker->rival == PRESENT)
        add_told(out, rival, PREFLIGHT_MISSING,
                 has ? xasprintf("it is bound to %s", has->name)
                     : xstrdup("the module is loaded, and can take a card"),
                 xasprintf("`blacklist %s` in /etc/modprobe.d, a new initramfs, and a "
                           "reboot",
                           rival));
    else if (maker->rival == ABSENT)
        add_told(out, rival, PREFLIGHT_OK, xstrdup("not loaded"), NULL);
    else
        add_told(
            out, rival, PREFLIGHT_UNKNOWN,
            xstrdup("bound to no GPU; whether the module is loaded cannot be seen"),
            NULL);
}

static void judge_daemon(const struct preflight_seen *seen,
                         const struct vendor_daemon *daemon, enum sight sight,
                         struct preflight *out)
{
    bool done = daemon->may_end && offers_any(seen->host);
    if (sight == PRESENT)
        add_told(out, daemon->name, PREFLIGHT_OK, xstrdup("runs"), NULL);
    else if (done)
        add_told(out, daemon->name, PREFLIGHT_OK,
                 xasprintf("%s, and it has named the types",
                           sight == ABSENT ? "has ended" : "cannot be seen"),
                 NULL);
    else if (sight == ABSENT)
        add_told(out, daemon->name, PREFLIGHT_MISSING, xstrdup("it does not run"),
                 xasprintf("`systemctl enable --now %s`; its lines in the journal say "
                           "more",
                           daemon->name));
    else
        add_told(out, daemon->name, PREFLIGHT_UNKNOWN,
                 xstrdup("the host's processes cannot all be seen"),
                 xasprintf("`systemctl status %s`", daemon->name));
}

static void judge_partitions(const struct preflight_vendor *maker,
                             struct preflight *out)
{
    const char *name = maker->vendor->partition;
    if (maker->partitions < 0)
        add(out, name, PREFLIGHT_UNKNOWN,
            xasprintf("%s's driver shows no instances of it below /proc",
                      maker->vendor->name),
            NULL);
    else
        add(out, name, PREFLIGHT_OK,
            maker->partitions ? xasprintf("%d instances exist", maker->partitions)
                              : xstrdup("no instances exist"),
            NULL);
}

static void judge_vendors(const struct preflight_seen *seen, struct preflight *out)
{
    for (size_t i = 0; i < seen->vendor_count; i++) {
        const struct preflight_vendor *maker = &seen->vendors[i];
        if (maker->vendor->rival)
            judge_rival(seen, maker, out);
        for (size_t j = 0; j < VENDOR_MOST_DAEMONS; j++)
            if (maker->vendor->daemons[j].name)
                judge_daemon(seen, &maker->vendor->daemons[j], maker->daemons[j], out);
        if (maker->vendor->partition)
            judge_partitions(maker, out);
    }
}

/* ---- what the agent and its neighbours need ---- */

static void judge_rights(const struct preflight_seen *seen, struct preflight *out)
{
    static const char check[] = "rights";
    if (!seen->files)
        return; /* there is nothing to be written */
    if (!seen->user)
        add_told(out, check, PREFLIGHT_UNKNOWN,
                 xasprintf("the folder of %s, whose owner the service runs as, cannot "
                           "be seen",
                           seen->config->agent.state_file),
                 NULL);
    else if (seen->refused)
        add_told(out, check, PREFLIGHT_MISSING,
                 xasprintf("%s may not write %zu of the %zu files in sysfs that make "
                           "devices, such as %s",
                           seen->user, seen->refused, seen->files, seen->refused_file),
                 xstrdup(seen->right ? seen->right
                                     : "the agent's udev rule gives the right: "
                                       "`udevadm control --reload`, `udevadm "
                                       "trigger`"));
    else if (seen->unseen_file)
        add_told(out, check, PREFLIGHT_UNKNOWN,
                 xasprintf("%s cannot be looked at", seen->unseen_file), NULL);
    else
        add_told(out, check, PREFLIGHT_OK,
                 xasprintf("%s may write the %zu files in sysfs that make devices",
                           seen->user, seen->files),
                 NULL);
}

static void judge_mdevctl(const struct preflight_seen *seen, struct preflight *out)
{
    static const char check[] = "mdevctl";
    if (seen->mdevctl == PRESENT)
        add_told(out, check, PREFLIGHT_OK, xstrdup("installed"), NULL);
    else if (seen->config->agent.mode != MODE_NOVA)
        add_told(out, check, PREFLIGHT_OK,
                 xasprintf("not needed in mode %s",
                           agent_mode_name(seen->config->agent.mode)),
                 NULL);
    else if (seen->mdevctl == ABSENT)
        add_told(out, check, PREFLIGHT_MISSING, xstrdup("it is not installed"),
                 xstrdup("install it: nova-compute 2024.2 and later makes its devices "
                         "through libvirt, which calls it"));
    else
        add_told(out, check, PREFLIGHT_UNKNOWN,
                 xstrdup("the host's programs cannot be seen"), NULL);
}

static void judge_libvirt(const struct preflight_seen *seen, struct preflight *out)
{
    static const char check[] = "libvirt";
    const char *obstacle = seen->libvirt.obstacle;
    if (!seen->libvirt.looked)
        add(out, check, PREFLIGHT_UNKNOWN, xstrdup("nobody has looked for its socket"),
            NULL);
    else if (!obstacle)
        add(out, check, PREFLIGHT_OK,
            xstrdup("its socket is there, and vgpu-agent-libvirt is installed"), NULL);
    else if (!seen->libvirt.wanted)
        add(out, check, PREFLIGHT_OK, xasprintf("not used: %s", obstacle), NULL);
    else
        add(out, check, PREFLIGHT_MISSING,
            xasprintf("guests do not get their devices: %s", obstacle),
            xstrdup("doc/operating.rst has what attaching needs; [agent] attach = none "
                    "where `vgpu-agent xml` is used instead"))
            ->of_configuration = seen->libvirt.demanded;
}

static void (*const rules[])(const struct preflight_seen *seen,
                             struct preflight *out) = {
    judge_gpus,    judge_driver, judge_functions, judge_kinds,
    judge_iommu,   judge_vfio,   judge_vfio_pci,  judge_lockdown,
    judge_vendors, judge_rights, judge_mdevctl,   judge_libvirt,
};

struct preflight preflight_judge(const struct preflight_seen *seen)
{
    struct preflight out = {0};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        rules[i](seen, &out);
    return out;
}

bool preflight_is_missing(const struct preflight *preflight)
{
    for (size_t i = 0; i < preflight->count; i++)
        if (preflight->items[i].state == PREFLIGHT_MISSING)
            return true;
    return false;
}

const char *preflight_state_name(enum preflight_state state)
{
    static const char *const names[] = {"ok", "missing", "unknown"};
    return names[state];
}

void preflight_clear(struct preflight *preflight)
{
    for (size_t i = 0; i < preflight->count; i++) {
        free(preflight->items[i].found);
        free(preflight->items[i].remedy);
    }
    free(preflight->items);
    *preflight = (struct preflight){0};
}

void preflight_seen_clear(struct preflight_seen *seen)
{
    free(seen->command_line);
    free(seen->vfio_node_mode);
    free(seen->lockdown);
    free(seen->vendors);
    free(seen->user);
    free(seen->refused_file);
    free(seen->unseen_file);
    free(seen->libvirt.obstacle);
    *seen = (struct preflight_seen){0};
}
