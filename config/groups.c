#include "config/groups.h"

#include <stdlib.h>
#include <string.h>

#include "config/agent_options.h"
#include "config/device_address.h"
#include "lib/xalloc.h"

#define PREFIX "group_"
/* The longest name whose trait is not cut: CUSTOM_GPU_GROUP_ and the name have 255
 * characters. */
#define MAX_NAME 238

bool groups_has_section(const char *name)
{
    return strncasecmp(name, PREFIX, strlen(PREFIX)) == 0;
}

static bool is_name(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length <= MAX_NAME &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789_-") == length;
}

/* Traits have only upper case and '_', so that two names could be one trait. */
static bool is_same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (strncasecmp(a, b, 1) != 0 && !(strchr("-_", *a) && strchr("-_", *b)))
            return false;
    return *a == *b;
}

static const struct group_config *group_of(const struct config *config,
                                           const char *address)
{
    for (size_t i = 0; i < config->group_count; i++)
        if (strlist_contains(&config->groups[i].device_addresses, address))
            return &config->groups[i];
    return NULL;
}

static void add_address(const struct config *config, struct group_config *group,
                        const struct ini_entry *entry, const char *written,
                        struct config_problems *problems)
{
    _cleanup_free_ char *address = device_address_normalise(written);
    const struct group_config *other = address ? group_of(config, address) : NULL;
    if (!address)
        config_error(problems, &entry->place,
                     "%s.device_addresses: incorrect device address: %s; expected the "
                     "address of a GPU as `vgpu-agent gpus --wide` shows it",
                     entry->section, written);
    else if (other)
        config_error(problems, &entry->place,
                     "%s.device_addresses: %s is also in group_%s.device_addresses; "
                     "expected in one group",
                     entry->section, address, other->name);
    else if (!strlist_add_unique(&group->device_addresses, address))
        config_error(problems, &entry->place,
                     "%s.device_addresses: %s is twice in the list; expected once",
                     entry->section, address);
}

static void read_group(struct config *config, const struct ini *ini,
                       const struct ini_section *section,
                       struct config_problems *problems)
{
    const char *const sections[] = {section->name, NULL};
    struct group_config group = {.name = xstrdup(section->name + strlen(PREFIX))};
    options_apply(&group_options, ini, sections, &group, problems);
    options_warn_repeated(&group_options, ini, sections, problems);
    options_warn_unknown(&group_options, "group_*", ini, section->name,
                         agent_options_place, problems);
    const struct ini_entry *entry =
        options_entry(&group_options, ini, "group_*", "device_addresses", sections);
    _cleanup_strlist_ struct strlist written = group.device_addresses;
    group.device_addresses = (struct strlist){0};
    for (size_t i = 0; i < written.count; i++)
        add_address(config, &group, entry, written.items[i], problems);
    if (entry)
        group.addresses_place = config_place_copy(&entry->place);
    bool refused = entry && config_has_error_of(problems, entry->section, entry->name);
    if (!written.count && !refused)
        config_error(problems, entry ? &entry->place : &section->place,
                     "%s.device_addresses: not set; expected the addresses of the "
                     "group's GPUs",
                     section->name);
    *array_add(config->groups, config->group_count) = group;
}

/* The same section can stand in several files. */
static const struct group_config *group_called(const struct config *config,
                                               const char *name)
{
    for (size_t i = 0; i < config->group_count; i++)
        if (is_same_name(config->groups[i].name, name))
            return &config->groups[i];
    return NULL;
}

void groups_apply(struct config *config, const struct ini *ini,
                  struct config_problems *problems)
{
    for (size_t i = 0; i < ini->section_count; i++) {
        const struct ini_section *section = &ini->sections[i];
        if (!groups_has_section(section->name))
            continue;
        const char *name = section->name + strlen(PREFIX);
        const struct group_config *there = group_called(config, name);
        if (!is_name(name))
            config_error(problems, &section->place,
                         "[%s]: this cannot be the name of a group; expected "
                         "[group_<name>] with letters, digits, '-' and '_', %d at most",
                         section->name, MAX_NAME);
        else if (!there)
            read_group(config, ini, section, problems);
        else if (strcasecmp(there->name, name) != 0)
            config_error(problems, &section->place,
                         "[%s]: [group_%s] has the same trait; expected a name that "
                         "differs in more than '-' and '_'",
                         section->name, there->name);
    }
}

void groups_clear(struct config *config)
{
    for (size_t i = 0; i < config->group_count; i++) {
        options_clear(&group_options, &config->groups[i]);
        config_place_clear(&config->groups[i].addresses_place);
        free(config->groups[i].name);
    }
    free(config->groups);
    config->groups = NULL;
    config->group_count = 0;
}
