#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "config/agent_options.h"
#include "config/devices.h"
#include "config/groups.h"
#include "config/ini_files.h"
#include "config/placement_check.h"
#include "config/vf_types.h"
#include "lib/nearest.h"
#include "lib/xalloc.h"

/* Every section of these forms is checked. */
static bool is_formed(const char *name)
{
    return devices_has_section(name) || vf_types_has_section(name) ||
           groups_has_section(name);
}

/* The section of ours that `name` was probably meant to be; NULL: it is used as it is,
 * or belongs to another program. The caller frees. */
static char *section_meant(const struct config *config, const char *name)
{
    _cleanup_strlist_ struct strlist ours = {0}, near = {0};
    strlist_add(&ours, "agent");
    strlist_add(&ours, "devices");
    strlist_add(&ours, "placement");
    for (size_t i = 0; i < config->type_count; i++) {
        const char *type = config->types[i].type;
        if (strcasecmp(name, type) == 0)
            return xasprintf("mdev_%s", type);
        strlist_add_take(&ours, xasprintf("mdev_%s", type));
        strlist_add_take(&ours, xasprintf("vf_type_%s", type));
    }
    if (strcasecmp(name, "vgpu-agent") == 0 || strcasecmp(name, "vgpu_agent") == 0)
        return xstrdup("agent");
    if (is_formed(name))
        return NULL;
    const char *group = strncasecmp(name, "group", 5) == 0 ? strpbrk(name, "_-") : NULL;
    if (group && group[1]) /* [groups_render], [group-render] */
        return xasprintf("group_%s", group + 1);
    nearest_names(name, (const char *const *)ours.items, ours.count, &near);
    return near.count && strcasecmp(near.items[0], name) != 0 ? xstrdup(near.items[0])
                                                              : NULL;
}

static bool is_types_section(const char *name)
{
    return strcasecmp(name, "devices") == 0 || is_formed(name);
}

/* Options below a misspelt header are not used. Without [devices] no type is enabled.
 * Without [mdev_<type>] a type becomes the default for all GPUs, which is worse. */
static void check_spelling(const struct config *config, const struct ini *ini,
                           struct config_problems *problems)
{
    for (size_t i = 0; i < ini->section_count; i++) {
        const struct ini_section *section = &ini->sections[i];
        _cleanup_free_ char *meant = section_meant(config, section->name);
        if (meant)
            (is_types_section(meant) ? config_error : config_warning)(
                problems, &section->place, "[%s]: not used; did you mean [%s]?",
                section->name, meant);
    }
}

/* Whether the option is in [agent] only. Such an option in [DEFAULT] is a mistake;
 * others may be meant for another program. */
static bool is_agents_alone(const char *name)
{
    static const char *const general[] = {"mode", "listen", "log_level", "libvirt"};
    for (size_t i = 0; i < sizeof general / sizeof *general; i++)
        if (strcmp(name, general[i]) == 0)
            return false;
    const char *place = agent_options_place(name);
    return place && strcmp(place, "agent") == 0;
}

/* The section in which the option must be; NULL: it is there, it is another program's
 * option, or the check of its own section's options says it. */
static const char *place_meant(const struct ini_entry *entry)
{
    static const char *const of_devices[] = {"enabled_mdev_types",
                                             "enabled_vgpu_types"};
    for (size_t i = 0; i < sizeof of_devices / sizeof *of_devices; i++)
        if (strcmp(entry->name, of_devices[i]) == 0)
            return strcasecmp(entry->section, "devices") == 0 ? NULL : "devices";
    if (strcmp(entry->name, "device_addresses") == 0)
        return is_formed(entry->section) ? NULL : "mdev_<type>";
    /* [placement] is often the last section of a file, to whose end a line was added. */
    if (strcasecmp(entry->section, "placement") == 0)
        return agent_options_place(entry->name);
    return strcasecmp(entry->section, "DEFAULT") == 0 && is_agents_alone(entry->name)
               ? "agent"
               : NULL;
}

/* Reports options that only we have, in a wrong section. In another program's
 * section that is a warning; in ours it is an error, since the option would have had
 * an effect. */
static void check_misplaced(const struct config *config, const struct ini *ini,
                            struct config_problems *problems)
{
    for (size_t i = 0; i < ini->entry_count; i++) {
        const struct ini_entry *entry = &ini->entries[i];
        const char *place = place_meant(entry);
        if (!place)
            continue;
        _cleanup_free_ char *meant = section_meant(config, entry->section);
        bool ours = strcasecmp(entry->section, "agent") == 0 ||
                    strcasecmp(entry->section, "devices") == 0;
        if (!meant) /* else check_spelling() reports the header */
            options_say_unknown(entry, place, NULL, ours, problems);
    }
}

/* `near_is_error`: a misspelt option is an error. Options in a wrong section are left
 * to check_misplaced(). */
static void check_unknown(const struct ini *ini, const char *section,
                          bool near_is_error, struct config_problems *problems)
{
    static const struct option_table *const tables[] = {&agent_options, NULL};
    for (size_t i = 0; i < ini->entry_count; i++) {
        const struct ini_entry *entry = &ini->entries[i];
        if (strcasecmp(entry->section, section) != 0 || place_meant(entry) ||
            options_of_entry(&agent_options, section, entry))
            continue;
        _cleanup_free_ char *near = options_nearest(tables, section, entry->name);
        const char *place = agent_options_place(entry->name);
        options_say_unknown(entry, place, near, place || (near && near_is_error),
                            problems);
    }
}

/* ---- nova-compute on the same host ---- */

static bool is_entry(const struct ini_entry *entry, const char *section,
                     const char *name)
{
    return strcasecmp(entry->section, section) == 0 && strcmp(entry->name, name) == 0;
}

/* A file of nova-compute's names its hypervisor. */
static bool is_beside_nova(const struct ini *ini)
{
    for (size_t i = 0; i < ini->entry_count; i++)
        if (is_entry(&ini->entries[i], "DEFAULT", "compute_driver"))
            return true;
    return false;
}

static bool is_our_section(const char *name)
{
    return strcasecmp(name, "placement") == 0 || is_types_section(name);
}

static bool is_used_section(const struct config *config, const char *name)
{
    const char *auth = config->placement.auth_section;
    bool pci = config->agent.mode == MODE_NOVA_PCI;
    return strcasecmp(name, "agent") == 0 || is_our_section(name) ||
           (auth && strcasecmp(name, auth) == 0) || (pci && nova_pci_has_section(name));
}

/* Whether this is a file of nova-compute's: it names the hypervisor, or has sections of
 * other programs and no [agent]. */
static bool is_novas_file(const struct ini *ini, size_t file)
{
    bool has_ours = false, has_others = false;
    for (size_t i = 0; i < ini->entry_count; i++) {
        const struct ini_entry *entry = &ini->entries[i];
        if (entry->file != file)
            continue;
        if (is_entry(entry, "DEFAULT", "compute_driver"))
            return true;
        if (strcasecmp(entry->section, "agent") == 0)
            has_ours = true;
        else
            has_others |= !is_our_section(entry->section);
    }
    return has_others && !has_ours;
}

/* nova-compute and the agent would both make devices on the same GPUs, whichever file
 * decides for the agent. */
static void check_beside_nova(const struct config *config, const struct ini *ini,
                              struct config_problems *problems)
{
    if (config->agent.mode == MODE_NOVA || !is_beside_nova(ini))
        return;
    bool pci = config->agent.mode == MODE_NOVA_PCI;
    for (size_t i = 0; i < ini->entry_count; i++) {
        const struct ini_entry *entry = &ini->entries[i];
        bool types = is_entry(entry, "devices", "enabled_mdev_types") ||
                     is_entry(entry, "devices", "enabled_vgpu_types");
        if (types && entry->value[0] && is_novas_file(ini, entry->file))
            config_error(
                problems, &entry->place,
                "devices.%s: nova-compute reads this, too, and would %s, while "
                "agent.mode is %s; expected %sthe types in a file of the "
                "agent's own",
                entry->name, pci ? "look for mediated devices" : "keep the same GPUs",
                agent_mode_name(config->agent.mode),
                pci ? "" : "agent.mode = nova, or ");
    }
    const struct ini_entry *create_root =
        options_entry(&agent_options, ini, "agent", "create_root", NULL);
    if (!pci && create_root && config->agent.create_root)
        config_error(
            problems, &create_root->place,
            "agent.create_root: true, but these are files of a host with "
            "nova-compute ([DEFAULT] compute_driver), which makes the root and "
            "could never register beside another; expected false");
}

static void check_together(const struct config *config, const struct ini *ini,
                           struct config_problems *problems)
{
    const struct ini_entry *create_root =
        options_entry(&agent_options, ini, "agent", "create_root", NULL);
    const char *mode = agent_mode_name(config->agent.mode);
    if (config->agent.mode == MODE_OWNER)
        return;
    if (create_root && config->agent.create_root)
        config_error(problems, &create_root->place,
                     "agent.create_root: true, but agent.mode is %s, where "
                     "nova-compute makes the root; expected false",
                     mode);
    const struct ini_entry *libvirt =
        options_entry(&agent_options, ini, "agent", "libvirt", NULL);
    if (libvirt && !config->agent.libvirt)
        config_error(problems, &libvirt->place,
                     "agent.libvirt: false, but agent.mode is %s, where libvirt's "
                     "domains say which devices %s; expected true",
                     mode,
                     config->agent.mode == MODE_NOVA ? "are to be put back"
                                                     : "guests have");
}

/* Guests are given devices through libvirt only where there is one. */
static void check_attach(const struct config *config, const struct ini *ini,
                         struct config_problems *problems)
{
    const struct ini_entry *attach =
        options_entry(&agent_options, ini, "agent", "attach", NULL);
    if (attach && config->agent.attach && !config->agent.libvirt &&
        strcmp(config->agent.attach, "libvirt") == 0)
        config_error(problems, &attach->place,
                     "agent.attach: libvirt, but agent.libvirt is false: there is no "
                     "libvirt on this host; expected attach = none, or libvirt = true");
}

/* A flavor that asks for VGPU gets a mediated device, which such a host has none of. */
static void check_classes(const struct config *config, struct config_problems *problems)
{
    for (size_t i = 0; i < config->type_count; i++) {
        const struct mdev_type_config *type = &config->types[i];
        if (type->class_set && strcmp(type->mdev_class, "VGPU") == 0)
            config_warning(problems, &type->class_place,
                           "mdev_%s.mdev_class: VGPU, so that a flavor with "
                           "resources:VGPU=1 is sent to this host, where Nova gives it "
                           "nothing; expected a class of its own in mode nova-pci",
                           type->type);
    }
}

static void check_max_units(const struct config *config,
                            struct config_problems *problems)
{
    for (size_t i = 0; i < config->type_count; i++)
        if (config->types[i].max_unit && config->agent.mode != MODE_OWNER)
            config_warning(
                problems, &config->types[i].max_unit_place,
                "mdev_%s.max_unit: %u, without effect while agent.mode is %s, "
                "where nova-compute keeps the inventory; expected no such "
                "line",
                config->types[i].type, config->types[i].max_unit,
                agent_mode_name(config->agent.mode));
}

const char *agent_mode_name(enum agent_mode mode)
{
    static const char *const names[] = {
        [MODE_OWNER] = "owner",
        [MODE_NOVA] = "nova",
        [MODE_NOVA_PCI] = "nova-pci",
    };
    return names[mode];
}

const char *group_allocation_name(enum group_allocation allocation)
{
    return allocation == ALLOCATE_BREADTH_FIRST ? "breadth-first" : "depth-first";
}

/* ---- the digest of the options ---- */

#define NO_SPACE "00000000-0000-0000-0000-000000000000"

/* Secrets can have several names. */
static bool is_secret(const struct ini_entry *entry)
{
    return strcasestr(entry->name, "password") || strcasestr(entry->name, "token") ||
           strcasestr(entry->name, "secret");
}

static void make_digest(struct config *config, const struct ini *ini)
{
    _cleanup_strlist_ struct strlist lines = {0};
    for (size_t i = 0; i < ini->entry_count; i++) {
        const struct ini_entry *entry = &ini->entries[i];
        /* The daemon does not go by Nova's [pci]: only check-config reads it. */
        if (is_used_section(config, entry->section) && !is_secret(entry) &&
            !nova_pci_has_section(entry->section))
            strlist_add_take(&lines, xasprintf("[%s] %s = %s", entry->section,
                                               entry->name, entry->value));
    }
    _cleanup_free_ char *text = strlist_join(&lines, "\n");
    uuid5_text(NO_SPACE, text, config->digest);
}

/* ---- the files that were read ---- */

static bool has_placement(const struct config *config, const struct ini *ini)
{
    for (size_t i = 0; i < ini->section_count; i++) {
        const char *name = ini->sections[i].name;
        _cleanup_free_ char *meant = section_meant(config, name);
        if (strcasecmp(meant ? meant : name, "placement") == 0)
            return true;
    }
    return false;
}

static void list_sources(struct config *config, const struct ini *ini)
{
    for (size_t i = 0; i < ini->files.count; i++) {
        _cleanup_strlist_ struct strlist used = {0};
        for (size_t j = 0; j < ini->section_count; j++) {
            const struct ini_section *section = &ini->sections[j];
            if (section->place.file == ini->files.items[i] &&
                is_used_section(config, section->name)) {
                _cleanup_free_ char *name = xasprintf("[%s]", section->name);
                strlist_add_unique(&used, name);
            }
        }
        _cleanup_free_ char *names = strlist_join(&used, ", ");
        strlist_add_take(&config->sources,
                         xasprintf("%s: %s", ini->files.items[i],
                                   used.count ? names : "nothing that is used"));
    }
}

struct config *config_from_ini(const struct ini *ini, struct config_problems *problems)
{
    struct config *config = xcalloc(1, sizeof *config);
    config->incomplete = ini->incomplete;
    options_apply(&agent_options, ini, NULL, config, problems);
    placement_config_apply(&config->placement, ini, "placement", problems);
    placement_config_warn(&config->placement, ini, problems);
    devices_apply(config, ini, problems);
    vf_types_apply(config, ini, problems);
    groups_apply(config, ini, problems);
    if (config->agent.mode == MODE_NOVA_PCI) {
        nova_pci_apply(&config->nova_pci, ini);
        check_classes(config, problems);
    }
    options_warn_repeated(&agent_options, ini, NULL, problems);
    check_misplaced(config, ini, problems);
    check_unknown(ini, "agent", false, problems);
    check_unknown(ini, "devices", true, problems);
    check_spelling(config, ini, problems);
    check_together(config, ini, problems);
    check_attach(config, ini, problems);
    check_max_units(config, problems);
    check_beside_nova(config, ini, problems);
    make_digest(config, ini);
    list_sources(config, ini);
    config->has_placement = has_placement(config, ini);
    return config;
}

struct config *config_read(const struct strlist *files, const struct strlist *dirs,
                           struct config_problems *problems)
{
    _cleanup_ini_ struct ini ini = {0};
    ini_read_all(&ini, files, dirs, problems);
    return config_from_ini(&ini, problems);
}

int config_load(const struct strlist *files, const struct strlist *dirs,
                struct config **out, struct config_problems *problems)
{
    _cleanup_(config_freep) struct config *config = config_read(files, dirs, problems);
    if (config_has_errors(problems))
        return -1;
    *out = steal(config);
    return 0;
}

void config_check_placement(const struct config *config,
                            struct config_problems *problems)
{
    placement_check(&config->placement, problems);
}

void config_free(struct config *config)
{
    if (!config)
        return;
    strlist_clear(&config->sources);
    groups_clear(config);
    devices_clear(config);
    nova_pci_clear(&config->nova_pci);
    placement_config_clear(&config->placement);
    options_clear(&agent_options, config);
    free(config);
}
