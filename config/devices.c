#include "config/devices.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "config/agent_options.h"
#include "config/device_address.h"
#include "config/vf_types.h"
#include "lib/pci_address.h"
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
    vf_type_clear(&type->vf);
    free(type->type);
    free(type->addresses_option);
    config_place_clear(&type->place);
    config_place_clear(&type->addresses_place);
    config_place_clear(&type->max_place);
    config_place_clear(&type->class_place);
    config_place_clear(&type->max_unit_place);
    config_place_clear(&type->empty_place);
}

/* An address in device_addresses of a type. Claims are in a search tree, since one line
 * can have tens of thousands of addresses. */
struct claim {
    char *address;
    size_t type, last; /* the indexes of the first type and the last one that have it */
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

/* Claims the address for the type. Gives the claim that stands, which is new where it
 * had been free (*again is false). */
static struct claim *claim(void **claims, const char *address, size_t type, bool *again)
{
    struct claim *wanted = xcalloc(1, sizeof *wanted);
    *wanted = (struct claim){xstrdup(address), type, type};
    struct claim **found = tsearch(wanted, claims, compare_claims);
    if (!found)
        abort(); /* out of memory */
    *again = *found != wanted;
    struct claim *standing = *found;
    if (*again)
        claim_free(wanted);
    return standing;
}

/* The state of reading the types, except for each type's name. */
struct reading {
    struct config *config;
    const struct ini *ini;
    struct config_problems *problems;
    const struct config_place *place; /* of enabled_mdev_types */
    void *claims;
};

/* `pci`: only PCI devices are accepted. */
static char *what_is_expected(const char *written, bool pci)
{
    char meant[PCI_ADDRESS_SIZE];
    if (pci_address_guess(written, meant))
        return xasprintf("did you mean %s?", meant);
    if (device_address_is_logical(written))
        return xstrdup("a logical name means another GPU once a card is added or taken "
                       "out; expected the PCI address that `vgpu-agent gpus` shows "
                       "beside it");
    return xasprintf("expected a PCI address as 0000:84:00.0%s",
                     pci ? "" : ", or the name of a device that is not PCI");
}

static void refuse_address(struct reading *r, const struct config_place *place,
                           const char *option, const char *written, bool pci)
{
    _cleanup_free_ char *hint = what_is_expected(written, pci);
    config_error(r->problems, place, "%s: incorrect device address: %s; %s", option,
                 written, hint);
}

bool mdev_type_shares(const struct mdev_type_config *type)
{
    return type->several_types || type->allow_mixed;
}

/* `option` is the one in which the address is written, as messages name it. */
static void add_address(struct reading *r, struct mdev_type_config *type,
                        const char *option, const char *written)
{
    const struct config_place *place = &type->addresses_place;
    bool pci = strcmp(type->type, PASSTHROUGH_TYPE) == 0;
    _cleanup_free_ char *address = device_address_normalise(written);
    if (!address || (pci && !pci_address_parse(address, NULL))) {
        refuse_address(r, place, option, written, pci);
        return;
    }
    bool again;
    size_t index = r->config->type_count;
    struct claim *standing = claim(&r->claims, address, index, &again);
    bool twice = again && standing->last == index;
    if (!again || (!twice && mdev_type_shares(type) &&
                   mdev_type_shares(&r->config->types[standing->type])))
        strlist_add(&type->device_addresses, address);
    else if (twice)
        config_error(
            r->problems, place,
            "%s: duplicate types for PCI ID %s: it is twice in the list; expected once",
            option, address);
    else
        config_error(r->problems, place,
                     "%s: duplicate types for PCI ID %s: it is also in %s; expected "
                     "under one type, or several_types = true in both sections",
                     option, address,
                     r->config->types[standing->type].addresses_option);
    standing->last = index;
}

/* Whether the type has no addresses, while a type before it has none either. A type
 * without addresses is the default, and there is only one: like Nova, we drop the later
 * one, unless both are for the same GPUs (several_types). */
static bool is_second_default(struct reading *r, const struct mdev_type_config *type)
{
    if (type->addresses_place.file)
        return false;
    const struct config *config = r->config;
    for (size_t i = 0; i < config->type_count; i++)
        if (!config->types[i].addresses_place.file) {
            if (mdev_type_shares(type) && mdev_type_shares(&config->types[i]))
                continue;
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
    /* A type whose addresses were all refused has addresses: it is not the default
     * type. */
    bool refused =
        entry && config_has_error_of(r->problems, entry->section, entry->name);
    if (entry && !written.count && !refused)
        type->empty_place = config_place_copy(&entry->place);
    if (!entry || (!written.count && !refused))
        return;
    type->addresses_place = config_place_copy(&entry->place);
    _cleanup_free_ char *option = xasprintf("%s.device_addresses", entry->section);
    for (size_t i = 0; i < written.count; i++)
        add_address(r, type, option, written.items[i]);
}

/* Nova has one type for a GPU, and its providers are its own. */
static void check_several(struct reading *r, const struct mdev_type_config *type,
                          const char *const *sections)
{
    static const char *const options[] = {"several_types", "allow_mixed"};
    for (size_t i = 0; mdev_type_shares(type) && i < sizeof options / sizeof *options;
         i++) {
        const struct ini_entry *entry =
            options_entry(&mdev_options, r->ini, "mdev_*", options[i], sections);
        if (entry && r->config->agent.mode != MODE_OWNER)
            config_error(r->problems, &entry->place,
                         "mdev_%s.%s: not in %s mode: nova-compute keeps one type for "
                         "each GPU; expected mode = owner, or no such line",
                         type->type, options[i],
                         agent_mode_name(r->config->agent.mode));
    }
}

static bool has_addresses(const char *value)
{
    _cleanup_strlist_ struct strlist items = strlist_split(value, ',');
    char address[PCI_ADDRESS_SIZE];
    return items.count && (pci_address_normalise(items.items[0], address) ||
                           pci_address_guess(items.items[0], address));
}

/* A misspelt device_addresses is an error, since the type would become the default for
 * all GPUs. */
static void check_unknown(struct reading *r, const struct section_names *names)
{
    static const struct option_table *const tables[] = {&mdev_options, NULL};
    for (size_t i = 0; i < r->ini->entry_count; i++) {
        const struct ini_entry *entry = &r->ini->entries[i];
        if ((strcasecmp(entry->section, names->current) != 0 &&
             strcasecmp(entry->section, names->old) != 0) ||
            options_of_entry(&mdev_options, "mdev_*", entry))
            continue;
        _cleanup_free_ char *near = options_nearest(tables, "mdev_*", entry->name);
        const char *place = agent_options_place(entry->name);
        if (!near && has_addresses(entry->value))
            near = xstrdup("device_addresses");
        options_say_unknown(entry, place, near, place || near, r->problems);
    }
}

/* Only in mode owner the agent says what is reserved. What was used of a card with
 * several types has room for units of another size, or of a type that does not care. */
static void check_one_time_use(struct reading *r, const struct mdev_type_config *type,
                               const char *const *sections)
{
    const struct ini_entry *entry =
        options_entry(&mdev_options, r->ini, "mdev_*", "one_time_use", sections);
    if (entry && type->one_time_use && mdev_type_shares(type))
        config_error(
            r->problems, &entry->place,
            "%s.one_time_use: true, and %s as well: another of the card's types "
            "could get what was used; expected one of the two",
            entry->section, type->allow_mixed ? "allow_mixed" : "several_types");
    if (entry && type->one_time_use && r->config->agent.mode != MODE_OWNER)
        config_warning(r->problems, &entry->place,
                       "%s.one_time_use: not used, since agent.mode is %s; expected "
                       "agent.mode = owner",
                       entry->section, agent_mode_name(r->config->agent.mode));
}

static struct mdev_type_config read_type(struct reading *r, const char *name)
{
    struct mdev_type_config type = {
        .type = xstrdup(name),
        .addresses_option = xasprintf("mdev_%s.device_addresses", name),
        .place = config_place_copy(r->place),
    };
    _cleanup_(section_names_clear) struct section_names names = {
        xasprintf("mdev_%s", name), xasprintf("vgpu_%s", name)};
    const char *const sections[] = {names.current, names.old, NULL};
    options_apply(&mdev_options, r->ini, sections, &type, r->problems);
    options_warn_repeated(&mdev_options, r->ini, sections, r->problems);
    check_unknown(r, &names);
    const struct ini_entry *max =
        options_entry(&mdev_options, r->ini, "mdev_*", "max_instances", sections);
    if (max)
        type.max_place = config_place_copy(&max->place);
    const struct ini_entry *max_unit =
        options_entry(&mdev_options, r->ini, "mdev_*", "max_unit", sections);
    if (max_unit)
        type.max_unit_place = config_place_copy(&max_unit->place);
    const struct ini_entry *class =
        options_entry(&mdev_options, r->ini, "mdev_*", "mdev_class", sections);
    type.class_set = class != NULL;
    if (class)
        type.class_place = config_place_copy(&class->place);
    check_one_time_use(r, &type, sections);
    check_several(r, &type, sections);
    read_addresses(
        r, &type,
        options_entry(&mdev_options, r->ini, "mdev_*", "device_addresses", sections));
    return type;
}

/* A name with blanks, "GRID V100DX-1Q", is one type. When each word looks like an id,
 * the line is a list of ids that lacks its commas. */
static bool is_list_of_ids(const char *name)
{
    _cleanup_strlist_ struct strlist words = strlist_split(name, ' ');
    for (size_t i = 0; i < words.count; i++)
        if (*words.items[i] && !strchr(words.items[i], '-'))
            return false;
    return words.count > 1;
}

static bool is_type(const char *name)
{
    return !strpbrk(name, "/;[]") && !is_list_of_ids(name) && name[0] != '.' &&
           strlen(name) <= 255;
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
        config_error(
            r->problems, r->place,
            "devices.enabled_mdev_types: '%.255s' cannot be a type; expected "
            "ids such as nvidia-35 or names such as GRID V100DX-1Q, with commas "
            "between them",
            name);
        return;
    }
    if (strcasecmp(name, PASSTHROUGH_TYPE) == 0) {
        config_error(
            r->problems, r->place,
            "devices.enabled_mdev_types: %s: cards that go to guests whole are "
            "no such type; expected them in devices.passthrough_addresses",
            name);
        return;
    }
    struct mdev_type_config type = read_type(r, name);
    if (is_second_default(r, &type)) {
        type_clear(&type);
        return;
    }
    if (type.empty_place.file)
        config_warning(r->problems, &type.empty_place,
                       "mdev_%s.device_addresses: empty, so that %s is for every GPU "
                       "that no type names; expected addresses, or no such line",
                       name, name);
    *array_add(config->types, config->type_count) = type;
}

/* ---- whole cards ---- */

static void add_passthrough(struct reading *r)
{
    struct config *config = r->config;
    const struct ini_entry *entry =
        options_entry(&agent_options, r->ini, "devices", "passthrough_addresses", NULL);
    if (!entry || !config->passthrough.addresses.count)
        return;
    if (config->agent.mode != MODE_OWNER) {
        config_error(r->problems, &entry->place,
                     "devices.passthrough_addresses: agent.mode is %s, where "
                     "nova-compute gives whole cards to guests by its own [pci]; "
                     "expected agent.mode = owner",
                     agent_mode_name(config->agent.mode));
        return;
    }
    struct mdev_type_config type = {
        .type = xstrdup(PASSTHROUGH_TYPE),
        .addresses_option = xstrdup("devices.passthrough_addresses"),
        .place = config_place_copy(&entry->place),
        .addresses_place = config_place_copy(&entry->place),
        .mdev_class = xstrdup("PGPU"),
        .one_time_use = config->passthrough.one_time_use,
    };
    for (size_t i = 0; i < config->passthrough.addresses.count; i++)
        add_address(r, &type, type.addresses_option,
                    config->passthrough.addresses.items[i]);
    if (type.device_addresses.count)
        *array_add(config->types, config->type_count) = type;
    else
        type_clear(&type);
}

bool devices_has_section(const char *name)
{
    if (strcasecmp(name, "vgpu_agent") == 0) /* then it is [agent], misspelt */
        return false;
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

/* Whether types are named, and a problem tells already why they are not used. Then the
 * sections of these types are not reported as well. */
static bool is_misnamed(const struct ini *ini, const struct ini_entry *enabled,
                        const struct config_problems *problems)
{
    if (enabled)
        return config_has_error_of(problems, enabled->section, enabled->name);
    if (ini->incomplete) /* the types may be in what could not be read */
        return true;
    for (size_t i = 0; i < ini->entry_count; i++)
        if (strncmp(ini->entries[i].name, "enabled_mdev", 12) == 0 ||
            strncmp(ini->entries[i].name, "enabled_vgpu", 12) == 0)
            return true;
    return false;
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
    add_passthrough(&r);
    tdestroy(r.claims, claim_free);
    if (is_misnamed(ini, enabled, problems))
        return;
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
