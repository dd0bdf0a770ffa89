#include "agent/host/type_attributes.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* One "key=value" or "key: value"; not NUL-terminated. */
struct item {
    const char *key, *value;
    size_t key_length, value_length;
};

static bool is_key(const struct item *item, const char *key)
{
    return item->key_length == strlen(key) &&
           memcmp(item->key, key, item->key_length) == 0;
}

/* The number at the start of [*p, end); 0 when there is none or it does not fit. */
static unsigned take_number(const char **p, const char *end)
{
    unsigned long number = 0;
    for (; *p < end && isdigit((unsigned char)**p); (*p)++)
        if (number <= UINT_MAX)
            number = number * 10 + (unsigned long)(**p - '0');
    return number <= UINT_MAX ? (unsigned)number : 0;
}

static unsigned number_of(const struct item *item)
{
    const char *p = item->value;
    return take_number(&p, item->value + item->value_length);
}

/* The size "2048M", "128MB" or "48G" in MiB; 0 when the unit is not known. */
static unsigned mebibytes_of(const struct item *item)
{
    const char *p = item->value, *end = item->value + item->value_length;
    unsigned number = take_number(&p, end);
    if (p == end || (*p != 'M' && *p != 'G'))
        return 0;
    if (*p == 'G')
        number = number > UINT_MAX / 1024 ? 0 : number * 1024;
    return number;
}

static void set_resolution(const struct item *item, struct type_attributes *attributes)
{
    const char *p = item->value, *end = item->value + item->value_length;
    unsigned width = take_number(&p, end);
    if (p == end || *p++ != 'x')
        return;
    unsigned height = take_number(&p, end);
    if (!width || !height)
        return;
    attributes->max_width = width;
    attributes->max_height = height;
}

static void apply(const struct item *item, struct type_attributes *attributes)
{
    if (is_key(item, "num_heads"))
        attributes->num_heads = number_of(item);
    else if (is_key(item, "frl_config"))
        attributes->frl_config = number_of(item);
    else if (is_key(item, "max_instance"))
        attributes->max_instance = number_of(item);
    else if (is_key(item, "framebuffer"))
        attributes->framebuffer_mib = mebibytes_of(item);
    else if (is_key(item, "low_gm_size") || is_key(item, "high_gm_size"))
        attributes->framebuffer_mib += mebibytes_of(item);
    else if (is_key(item, "max_resolution") || is_key(item, "resolution"))
        set_resolution(item, attributes);
}

struct type_attributes type_attributes_parse(const char *description)
{
    struct type_attributes attributes = {0};
    for (const char *p = description; p && *p; p += *p != 0) {
        p += strspn(p, " \t\n,");
        const char *end = p + strcspn(p, ",\n");
        const char *sign = p + strcspn(p, "=:,\n");
        if (sign < end) {
            const char *value = sign + 1 + strspn(sign + 1, " \t");
            while (sign > p && isblank((unsigned char)sign[-1]))
                sign--;
            struct item item = {p, value, (size_t)(sign - p),
                                value < end ? (size_t)(end - value) : 0};
            apply(&item, &attributes);
        }
        p = end;
    }
    return attributes;
}
