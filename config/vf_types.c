#include "config/vf_types.h"

#include <stdlib.h>
#include <string.h>

#include "config/agent_options.h"
#include "lib/xalloc.h"

#define PREFIX "vf_type_"

bool vf_types_has_section(const char *name)
{
    return strncasecmp(name, PREFIX, strlen(PREFIX)) == 0;
}

void vf_type_clear(struct vf_type_config *vf)
{
    options_clear(&vf_type_options, vf);
    config_place_clear(&vf->place);
}

#define MIB_MAX ((uint64_t)1 << 24) /* 16 TB; so nothing that follows overflows */

/* The driver gives memory in pages of megabytes. 0: no number of them. */
static uint64_t mebibytes(const char *text)
{
    char *unit;
    uint64_t number = strtoull(text, &unit, 10), mebibytes = number;
    uint64_t in_one = *unit == 'K' ? 1 << 10 : 1 << 20;
    if (*unit == 'G')
        mebibytes = number > MIB_MAX ? number : number << 10;
    else if (*unit != 'M')
        mebibytes = number % in_one ? 0 : number / in_one;
    return mebibytes > MIB_MAX ? 0 : mebibytes;
}

static struct mdev_type_config *type_of(const struct config *config,
                                        const char *section)
{
    for (size_t i = 0; i < config->type_count; i++)
        if (strcasecmp(config->types[i].type, section + strlen(PREFIX)) == 0)
            return &config->types[i];
    return NULL;
}

/* What is misspelt here would make another type of it. */
static void check_unknown(const struct ini *ini, const char *section,
                          struct config_problems *problems)
{
    static const struct option_table *const tables[] = {&vf_type_options, NULL};
    for (size_t i = 0; i < ini->entry_count; i++) {
        const struct ini_entry *entry = &ini->entries[i];
        if (strcasecmp(entry->section, section) != 0 ||
            options_of_entry(&vf_type_options, "vf_type_*", entry))
            continue;
        _cleanup_free_ char *near = options_nearest(tables, "vf_type_*", entry->name);
        options_say_unknown(entry, agent_options_place(entry->name), near, true,
                            problems);
    }
}

/* Functions of network cards must not become virtual GPUs because nothing says whose
 * they are. */
static void check_cards(const struct mdev_type_config *type,
                        struct config_problems *problems)
{
    if (type->vf.fixed && !type->addresses_place.file)
        config_error(problems, &type->vf.place,
                     PREFIX "%s.fixed: true, but mdev_%s.device_addresses does not say "
                            "which cards' functions are meant; expected the addresses "
                            "of the cards",
                     type->type, type->type);
}

static bool is_same(const struct vf_type_config *a, const struct vf_type_config *b)
{
    return a->vram_mib && a->vram_mib == b->vram_mib &&
           a->exec_quantum_ms == b->exec_quantum_ms &&
           a->preempt_timeout_us == b->preempt_timeout_us;
}

/* A device is known by its values alone. */
static void check_values(const struct config *config,
                         const struct mdev_type_config *type,
                         struct config_problems *problems)
{
    for (size_t i = 0; i < config->type_count; i++)
        if (&config->types[i] != type && is_same(&config->types[i].vf, &type->vf))
            config_error(problems, &type->vf.place,
                         PREFIX "%s: has the values of " PREFIX
                                "%s, so that nobody could tell their devices apart; "
                                "expected others",
                         type->type, config->types[i].type);
}

static void check_kind(const struct mdev_type_config *type,
                       struct config_problems *problems)
{
    const struct vf_type_config *vf = &type->vf;
    if (vf->fixed && type->one_time_use)
        config_error(problems, &vf->place,
                     PREFIX
                     "%s.fixed: true, and mdev_%s.one_time_use as well: which of "
                     "its functions were used is not kept; expected one of the "
                     "two",
                     type->type, type->type);
    if (vf->fixed && (vf->vram_quota || vf->exec_quantum_ms || vf->preempt_timeout_us ||
                      vf->sched_priority))
        config_error(problems, &vf->place,
                     PREFIX
                     "%s.fixed: true, so that nothing is written, but values for "
                     "its functions are set as well; expected one of the two",
                     type->type);
    else if (!vf->fixed && !vf->vram_quota)
        config_error(problems, &vf->place,
                     PREFIX "%s: does not say what the type is; expected fixed = true, "
                            "or a vram_quota",
                     type->type);
    else if (!vf->fixed && !vf->vram_mib)
        config_error(problems, &vf->place,
                     PREFIX "%s.vram_quota: expected whole megabytes, 1 to 16777216, "
                            "got %s",
                     type->type, vf->vram_quota);
}

static void read_section(struct config *config, const struct ini *ini,
                         const struct ini_section *section,
                         struct config_problems *problems)
{
    struct mdev_type_config *type = type_of(config, section->name);
    if (!type) {
        config_error(problems, &section->place,
                     "%s: a section for a type that is not enabled; expected a type of "
                     "devices.enabled_mdev_types",
                     section->name);
        return;
    }
    if (type->vf.place.file) /* it stands in another file as well */
        return;
    const char *const sections[] = {section->name, NULL};
    options_apply(&vf_type_options, ini, sections, &type->vf, problems);
    options_warn_repeated(&vf_type_options, ini, sections, problems);
    check_unknown(ini, section->name, problems);
    type->vf.place = config_place_copy(&section->place);
    type->vf.vram_mib = type->vf.vram_quota ? mebibytes(type->vf.vram_quota) : 0;
    if (!config_has_error_of(problems, section->name, "vram_quota"))
        check_kind(type, problems);
    check_cards(type, problems);
    check_values(config, type, problems);
}

void vf_types_apply(struct config *config, const struct ini *ini,
                    struct config_problems *problems)
{
    for (size_t i = 0; i < ini->section_count; i++)
        if (vf_types_has_section(ini->sections[i].name))
            read_section(config, ini, &ini->sections[i], problems);
}
