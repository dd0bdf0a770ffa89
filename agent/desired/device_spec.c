#include "agent/desired/device_spec.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "agent/desired/type_traits.h"
#include "lib/json_read.h"
#include "lib/pci_address.h"
#include "lib/xalloc.h"

/* domain, bus, slot, function */
#define PARTS 4

struct device_spec {
    const struct config_place *place; /* borrowed from the configuration */
    char *parts[PARTS]; /* NULL: any. As sysfs writes them, or regular expressions */
    bool expressions;
    char *vendor; /* NULL: any */
    char *resource_class;
    struct strlist traits;
    bool managed, live_migratable, has_network;
};

static const struct part {
    const char *name;
    unsigned most;
    int width;
} parts[PARTS] = {
    {"domain", 0xffff, 4}, {"bus", 0xff, 2}, {"slot", 0x1f, 2}, {"function", 7, 1}};

/* ---- reading an entry ---- */

static int refuse(struct error *err, const char *what, const char *value)
{
    return error_set(err, ERROR_INVALID, "%s: nova-compute refuses '%.64s'", what,
                     value);
}

/* One part of a glob, in the form that sysfs has. */
static int read_part(const char *text, const struct part *part, char **out,
                     struct error *err)
{
    char *end;
    if (!*text || strcmp(text, "*") == 0)
        return 0;
    unsigned long value = strtoul(text, &end, 16);
    if (*end || value > part->most)
        return refuse(err, "address", text);
    *out = xasprintf("%0*lx", part->width, value);
    return 0;
}

/* "[[[domain:]bus:]slot][.function]" */
static int read_glob(const char *text, struct device_spec *spec, struct error *err)
{
    _cleanup_strlist_ struct strlist sides = strlist_split(text, '.');
    _cleanup_strlist_ struct strlist fields = strlist_split(sides.items[0], ':');
    if (sides.count > 2 || fields.count > PARTS - 1)
        return refuse(err, "address", text);
    if (sides.count == 2 &&
        read_part(sides.items[1], &parts[PARTS - 1], &spec->parts[PARTS - 1], err) != 0)
        return -1;
    size_t first = PARTS - 1 - fields.count;
    for (size_t i = 0; i < fields.count; i++)
        if (read_part(fields.items[i], &parts[first + i], &spec->parts[first + i],
                      err) != 0)
            return -1;
    return 0;
}

static int check_expression(const char *text, struct error *err)
{
    regex_t expression;
    if (regcomp(&expression, text, REG_EXTENDED | REG_NOSUB) != 0)
        return refuse(err, "address", text);
    regfree(&expression);
    return 0;
}

static int read_expressions(struct json_object *address, struct device_spec *spec,
                            struct error *err)
{
    spec->expressions = true;
    for (size_t i = 0; i < PARTS; i++) {
        const char *text;
        if (json_get_string_or_null(address, parts[i].name, &text, err) != 0)
            return error_prefix(err, "address");
        if (!text)
            continue;
        spec->parts[i] = xasprintf("^(%s)", text);
        if (check_expression(spec->parts[i], err) != 0)
            return -1;
    }
    return 0;
}

static int read_address(struct json_object *json, struct device_spec *spec,
                        struct error *err)
{
    struct json_object *address = json_member(json, "address");
    if (!address)
        return 0;
    if (json_object_is_type(address, json_type_string))
        return read_glob(json_object_get_string(address), spec, err);
    if (json_object_is_type(address, json_type_object))
        return read_expressions(address, spec, err);
    return error_set(err, ERROR_INVALID, "address: expected a text or an object");
}

/* Placement's form of a class or trait. */
static char *normalise(const char *text)
{
    _cleanup_free_ char *upper = xstrdup(text);
    for (char *p = upper; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    bool standard = strcmp(upper, "VGPU") == 0 || strcmp(upper, "PGPU") == 0 ||
                    strncmp(upper, "HW_", 3) == 0 || strncmp(upper, "COMPUTE_", 8) == 0;
    return standard || strncmp(upper, "CUSTOM_", 7) == 0 ? steal(upper)
                                                         : trait_custom(upper);
}

static int read_switch(struct json_object *json, const char *name, bool *out,
                       struct error *err)
{
    static const char *const words[] = {"0", "no",  "n", "false", "f", "off",
                                        "1", "yes", "y", "true",  "t", "on"};
    const char *text;
    if (json_get_string_or_null(json, name, &text, err) != 0)
        return -1;
    if (!text)
        return 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(words[i], text) == 0) {
            *out = i >= sizeof words / sizeof *words / 2;
            return 0;
        }
    return refuse(err, name, text);
}

static int read_tags(struct json_object *json, struct device_spec *spec,
                     struct error *err)
{
    const char *class, *traits, *vendor, *network;
    spec->managed = true;
    if (json_get_string_or_null(json, "resource_class", &class, err) != 0 ||
        json_get_string_or_null(json, "traits", &traits, err) != 0 ||
        json_get_string_or_null(json, "vendor_id", &vendor, err) != 0 ||
        json_get_string_or_null(json, "physical_network", &network, err) != 0 ||
        read_switch(json, "managed", &spec->managed, err) != 0 ||
        read_switch(json, "live_migratable", &spec->live_migratable, err) != 0)
        return -1;
    spec->has_network = network != NULL;
    spec->resource_class = class && *class ? normalise(class) : NULL;
    spec->vendor = vendor && strcmp(vendor, "*") != 0 ? xstrdup(vendor) : NULL;
    _cleanup_strlist_ struct strlist items = strlist_split(traits ? traits : "", ',');
    for (size_t i = 0; i < items.count; i++) {
        _cleanup_free_ char *trait = normalise(items.items[i]);
        if (*items.items[i])
            strlist_add_unique(&spec->traits, trait);
    }
    strlist_sort(&spec->traits);
    return 0;
}

static void clear(struct device_spec *spec)
{
    for (size_t i = 0; i < PARTS; i++)
        free(spec->parts[i]);
    free(spec->vendor);
    free(spec->resource_class);
    strlist_clear(&spec->traits);
}

static int read_spec(struct json_object *json, const struct config_place *place,
                     struct device_specs *out, struct error *err)
{
    struct device_spec spec = {.place = place};
    if (!json_object_is_type(json, json_type_object))
        return error_set(err, ERROR_INVALID, "expected an object, got %s",
                         json_kind(json));
    if (json_member(json, "devname"))
        return error_set(err, ERROR_INVALID,
                         "devname: nova-compute refuses it beside report_in_placement; "
                         "expected address");
    if (read_address(json, &spec, err) != 0 || read_tags(json, &spec, err) != 0) {
        clear(&spec);
        return -1;
    }
    *array_add(out->items, out->count) = spec;
    return 0;
}

static int read_value(const struct nova_pci_value *value, struct device_specs *out,
                      struct error *err)
{
    _cleanup_json_ struct json_object *json = NULL;
    if (json_parse(value->text, strlen(value->text), &json, err) != 0)
        return -1;
    if (!json_object_is_type(json, json_type_array))
        return read_spec(json, &value->place, out, err);
    for (size_t i = 0; i < json_object_array_length(json); i++)
        if (read_spec(json_object_array_get_idx(json, i), &value->place, out, err) != 0)
            return -1;
    return 0;
}

void device_specs_read(const struct nova_pci_config *config, struct device_specs *out,
                       struct config_problems *problems)
{
    for (size_t i = 0; i < config->spec_count; i++) {
        struct error err;
        if (read_value(&config->specs[i], out, &err) != 0)
            config_error(problems, &config->specs[i].place, "pci.device_spec: %s",
                         err.text);
    }
}

void device_specs_clear(struct device_specs *specs)
{
    for (size_t i = 0; i < specs->count; i++)
        clear(&specs->items[i]);
    free(specs->items);
    *specs = (struct device_specs){0};
}

/* ---- matching ---- */

static bool part_matches(const struct device_spec *spec, size_t i, const char *value)
{
    if (!spec->parts[i])
        return true;
    if (!spec->expressions)
        return strcmp(spec->parts[i], value) == 0;
    regex_t expression;
    if (regcomp(&expression, spec->parts[i], REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool matches = regexec(&expression, value, 0, NULL, 0) == 0;
    regfree(&expression);
    return matches;
}

static bool matches_address(const struct device_spec *spec, const char *address)
{
    _cleanup_free_ char *text = xstrdup(address);
    char *domain = text, *bus = strchr(text, ':');
    char *slot = bus ? strchr(bus + 1, ':') : NULL;
    char *function = slot ? strchr(slot, '.') : NULL;
    if (!function)
        return false;
    *bus++ = *slot++ = *function++ = 0;
    const char *const values[PARTS] = {domain, bus, slot, function};
    for (size_t i = 0; i < PARTS; i++)
        if (!part_matches(spec, i, values[i]))
            return false;
    return true;
}

static bool is_exact(const struct device_spec *spec)
{
    for (size_t i = 0; i < PARTS; i++)
        if (!spec->parts[i])
            return false;
    return !spec->expressions;
}

static bool matches_vendor(const struct device_spec *spec, const struct gpu *gpu)
{
    return !spec->vendor || !gpu->vendor ||
           strtoul(spec->vendor, NULL, 16) == gpu->vendor;
}

bool device_specs_find(const struct device_specs *specs, const struct gpu *gpu,
                       const char *address, struct device_tags *out)
{
    for (size_t i = 0; i < specs->count; i++) {
        const struct device_spec *spec = &specs->items[i];
        bool of_card =
            is_exact(spec) && gpu->vf_total > 0 && matches_address(spec, gpu->name);
        if (!matches_vendor(spec, gpu) || (!of_card && !matches_address(spec, address)))
            continue;
        *out = (struct device_tags){
            .place = spec->place,
            .resource_class = spec->resource_class,
            .traits = &spec->traits,
            .managed = spec->managed,
            .live_migratable = spec->live_migratable,
            .has_network = spec->has_network,
        };
        return true;
    }
    return false;
}
