#include "config/devices.h"

#include <search.h>
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

/* An address that a type has taken. They stand in a search tree, since a line can have
 * tens of thousands of them. */
struct claim {
    char *address;
    size_t type; /* index */
};

static int compare_claims(const void *left, const void *right)
{
    const struct claim *a = left, *b = right;
    return strcmp(a->address, b->address);
}

static void claim_free(void *claim)
{
    free(((struct claim *)claim)->address);
    free(claim);
}

/* The type that has the address; it is `type` when it was free. *again: and it was not
 * free before. */
static size_t claim(void **claims, const char *address, size_t type, bool *again)
{
    struct claim *wanted = xcalloc(1, sizeof *wanted);
    *wanted = (struct claim){xstrdup(address), type};
    struct claim **found = tsearch(wanted, claims, compare_claims);
    if (!found)
        abort(); /* out of memory */
    *again = *found != wanted;
    size_t owner = (*found)->type;
    if (*again)
        claim_free(wanted);
    return owner;
}

/* What reading the types needs, beside each type's own name. */
struct reading {
    struct config *config;
    const struct ini *ini;
    struct config_problems *problems;
    const struct config_place *place; /* of enabled_mdev_types */
    void *claims;
};

/* `section` is the one that the address is written in. */
static void add_address(struct reading *r, struct mdev_type_config *type,
                        const char *section, const char *written)
{
    const struct config_place *place = &type->addresses_place;
    _cleanup_free_ char *address = device_address_normalise(written);
    if (!address) {
        config_error(
            r->problems, place,
            "%s.device_addresses: incorrect device address: %s; expected a PCI "
            "address as 0000:84:00.0, or the name of a device that is not PCI",
            section, written);
        return;
    }
    bool again;
    size_t owner = claim(&r->claims, address, r->config->type_count, &again);
    if (!again)
        strlist_add(&type->device_addresses, address);
    else if (owner == r->config->type_count)
        config_error(
            r->problems, place,
            "%s.device_addresses: duplicate types for PCI ID %s: it is twice in "
            "the list; expected once",
            section, address);
    else
        config_error(
            r->problems, place,
            "%s.device_addresses: duplicate types for PCI ID %s: it is also in "
            "mdev_%s.device_addresses; expected under one type",
            section, address, r->config->types[owner].type);
}

/* Without addresses it is the default type, of which there is one at most: as Nova
 * does, the later one is dropped. */
static bool is_second_default(struct reading *r, const struct mdev_type_config *type)
{
    if (type->addresses_place.file)
        return false;
    const struct config *config = r->config;
    for (size_t i = 0; i < config->type_count; i++)
        if (!config->types[i].addresses_place.file) {
            config_warning(
                r->problems, r->place,
                "mdev_%s.device_addresses: not set, and %s is the default "
                "type already, so %s is not used; expected addresses for all "
                "types but one",
                type->type, config->types[i].type, type->type);
            return true;
        }
    return false;
}

static void read_addresses(struct reading *r, struct mdev_type_config *type,
                           const struct ini_entry *entry)
{
    _cleanup_strlist_ struct strlist written = type->device_addresses;
    type->device_addresses = (struct strlist){0};
    if (!entry || !written.count)
        return;
    type->addresses_place = config_place_copy(&entry->place);
    for (size_t i = 0; i < written.count; i++)
        add_address(r, type, entry->section, written.items[i]);
}

static struct mdev_type_config read_type(struct reading *r, const char *name)
{
    struct mdev_type_config type = {
        .type = xstrdup(name),
        .place = config_place_copy(r->place),
    };
    _cleanup_(section_names_clear) struct section_names names = {
        xasprintf("mdev_%s", name), xasprintf("vgpu_%s", name)};
    const char *const sections[] = {names.current, names.old, NULL};
    options_apply(&mdev_options, r->ini, sections, &type, r->problems);
    options_warn_unknown(&mdev_options, "mdev_*", r->ini, names.current, r->problems);
    options_warn_unknown(&mdev_options, "mdev_*", r->ini, names.old, r->problems);
    read_addresses(
        r, &type,
        options_entry(&mdev_options, r->ini, "mdev_*", "device_addresses", sections));
    return type;
}

static bool is_type(const char *name)
{
    return !strchr(name, '/') && name[0] != '.' && strlen(name) <= 255;
}

static void add_type(struct reading *r, const char *name)
{
    struct config *config = r->config;
    if (find_type(config, name)) {
        config_warning(r->problems, r->place,
                       "devices.enabled_mdev_types: %s is named twice; expected once",
                       name);
        return;
    }
    if (!is_type(name)) {
        config_error(r->problems, r->place,
                     "devices.enabled_mdev_types: '%.255s' cannot be a type; expected "
                     "an id such as nvidia-35 or a name such as GRID V100DX-1Q",
                     name);
        return;
    }
    struct mdev_type_config type = read_type(r, name);
    if (is_second_default(r, &type))
        type_clear(&type);
    else
        *array_add(config->types, config->type_count) = type;
}

bool devices_has_section(const char *name)
{
    return strncasecmp(name, "mdev_", 5) == 0 || strncasecmp(name, "vgpu_", 5) == 0;
}

static void check_section(const struct config *config,
                          const struct ini_section *section,
                          struct config_problems *problems)
{
    if (!devices_has_section(section->name))
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
    struct reading r = {.config = config, .ini = ini, .problems = problems};
    r.place = enabled ? &enabled->place : NULL;
    for (size_t i = 0; i < config->enabled_mdev_types.count; i++)
        add_type(&r, config->enabled_mdev_types.items[i]);
    tdestroy(r.claims, claim_free);
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
