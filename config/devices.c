#include "config/devices.h"

#include <stdlib.h>
#include <string.h>

#include "config/agent_options.h"
#include "config/device_address.h"
#include "lib/xalloc.h"

/* The names that a type's section can have, the current one first. */
struct section_names {
    char *current, *old;
};

static void section_names_clear(struct section_names *names)
{
    free(names->current);
    free(names->old);
}

static struct mdev_type_config *find_type(const struct config *config, const char *type)
{
    for (size_t i = 0; i < config->type_count; i++)
        if (strcasecmp(config->types[i].type, type) == 0)
            return &config->types[i];
    return NULL;
}

static void type_clear(struct mdev_type_config *type)
{
    options_clear(&mdev_options, type);
    free(type->type);
    config_place_clear(&type->place);
    config_place_clear(&type->addresses_place);
}

/* Where `address` is named already: the type, else NULL. */
static const struct mdev_type_config *owner_of(const struct config *config,
                                               const char *address)
{
    for (size_t i = 0; i < config->type_count; i++)
        if (strlist_contains(&config->types[i].device_addresses, address))
            return &config->types[i];
    return NULL;
}

/* `section` is the one that they are written in. */
static void normalise_addresses(const struct config *config,
                                struct mdev_type_config *type, const char *section,
                                struct config_problems *problems)
{
    _cleanup_strlist_ struct strlist written = type->device_addresses;
    type->device_addresses = (struct strlist){0};
    for (size_t i = 0; i < written.count; i++) {
        _cleanup_free_ char *address = device_address_normalise(written.items[i]);
        const struct mdev_type_config *other =
            address ? owner_of(config, address) : NULL;
        if (!address)
            config_error(problems, &type->addresses_place,
                         "%s.device_addresses: incorrect device address: %s; "
                         "expected a PCI address as 0000:84:00.0, or the name of a "
                         "device that is not PCI",
                         section, written.items[i]);
        else if (other)
            config_error(problems, &type->addresses_place,
                         "%s.device_addresses: duplicate types for PCI ID %s: it "
                         "is also in mdev_%s.device_addresses; expected under one type",
                         section, address, other->type);
        else if (!strlist_add_unique(&type->device_addresses, address))
            config_error(problems, &type->addresses_place,
                         "%s.device_addresses: duplicate types for PCI ID %s: it "
                         "is twice in the list; expected once",
                         section, address);
    }
}

/* Without addresses it is the default type, of which there is one at most: as Nova
 * does, the later one is dropped. */
static bool is_second_default(const struct config *config,
                              const struct mdev_type_config *type,
                              struct config_problems *problems)
{
    if (type->addresses_place.file)
        return false;
    for (size_t i = 0; i < config->type_count; i++)
        if (!config->types[i].addresses_place.file) {
            config_warning(
                problems, &type->place,
                "mdev_%s.device_addresses: not set, and %s is the default "
                "type already, so %s is not used; expected addresses for all "
                "types but one",
                type->type, config->types[i].type, type->type);
            return true;
        }
    return false;
}

static struct mdev_type_config read_type(const struct config *config, const char *name,
                                         const struct ini *ini,
                                         const struct config_place *place,
                                         struct config_problems *problems)
{
    struct mdev_type_config type = {
        .type = xstrdup(name),
        .place = config_place_copy(place),
    };
    _cleanup_(section_names_clear) struct section_names names = {
        xasprintf("mdev_%s", name), xasprintf("vgpu_%s", name)};
    const char *const sections[] = {names.current, names.old, NULL};
    options_apply(&mdev_options, ini, sections, &type, problems);
    options_warn_unknown(&mdev_options, "mdev_*", ini, names.current, problems);
    options_warn_unknown(&mdev_options, "mdev_*", ini, names.old, problems);
    const struct ini_entry *addresses =
        options_entry(&mdev_options, ini, "mdev_*", "device_addresses", sections);
    if (addresses && type.device_addresses.count) {
        type.addresses_place = config_place_copy(&addresses->place);
        normalise_addresses(config, &type, addresses->section, problems);
    }
    return type;
}

static void add_type(struct config *config, const char *name, const struct ini *ini,
                     const struct config_place *place, struct config_problems *problems)
{
    if (find_type(config, name)) {
        config_warning(problems, place,
                       "devices.enabled_mdev_types: %s is named twice; expected once",
                       name);
        return;
    }
    if (strchr(name, '/') || strlen(name) > 255 || name[0] == '.') {
        config_error(problems, place,
                     "devices.enabled_mdev_types: '%.255s' cannot be a type; expected "
                     "an id such as nvidia-35 or a name such as GRID V100DX-1Q",
                     name);
        return;
    }
    struct mdev_type_config type = read_type(config, name, ini, place, problems);
    if (is_second_default(config, &type, problems))
        type_clear(&type);
    else
        *array_add(config->types, config->type_count) = type;
}

static void check_section(const struct config *config,
                          const struct ini_section *section,
                          struct config_problems *problems)
{
    if (strncasecmp(section->name, "mdev_", 5) != 0 &&
        strncasecmp(section->name, "vgpu_", 5) != 0)
        return;
    const struct strlist *enabled = &config->enabled_mdev_types;
    for (size_t i = 0; i < enabled->count; i++)
        if (strcasecmp(enabled->items[i], section->name + 5) == 0)
            return;
    _cleanup_free_ char *names = strlist_join(enabled, ", ");
    config_error(problems, &section->place,
                 "%s: a section for a type that is not enabled; expected a type of "
                 "devices.enabled_mdev_types (%s)",
                 section->name, enabled->count ? names : "which is not set");
}

void devices_apply(struct config *config, const struct ini *ini,
                   struct config_problems *problems)
{
    const struct ini_entry *enabled =
        options_entry(&agent_options, ini, "devices", "enabled_mdev_types", NULL);
    for (size_t i = 0; enabled && i < config->enabled_mdev_types.count; i++)
        add_type(config, config->enabled_mdev_types.items[i], ini, &enabled->place,
                 problems);
    for (size_t i = 0; i < ini->section_count; i++)
        check_section(config, &ini->sections[i], problems);
}

void devices_clear(struct config *config)
{
    for (size_t i = 0; i < config->type_count; i++)
        type_clear(&config->types[i]);
    free(config->types);
    config->types = NULL;
    config->type_count = 0;
}
