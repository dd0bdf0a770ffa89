#include "config/substitute.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "lib/buffer.h"
#include "lib/xalloc.h"

/* Bounds on the nesting and the number of substitutions, which could otherwise grow
 * exponentially. */
#define DEPTH_MAX 8
#define LOOKUPS_MAX 1000

struct substitution {
    const struct option_table *table;
    const struct ini *ini;
    struct buffer out;
    unsigned lookups;
};

static int expand(struct substitution *s, const char *section, const char *value,
                  unsigned depth, struct error *err);

static const char *lookup(const struct substitution *s, const char *section,
                          const char *name)
{
    for (size_t i = s->ini->entry_count; i-- > 0;) {
        const struct ini_entry *entry = &s->ini->entries[i];
        if (strcasecmp(entry->section, section) == 0 && strcmp(entry->name, name) == 0)
            return entry->value;
    }
    for (size_t i = 0; i < s->table->option_count; i++) {
        const struct option_spec *option = &s->table->options[i];
        if (strcasecmp(option->section, section) == 0 &&
            strcmp(option->name, name) == 0)
            return option->default_value;
    }
    return NULL;
}

/* Appends the value of the option `name`, which is "name" or "section.name". */
static int expand_name(struct substitution *s, const char *section, char *name,
                       unsigned depth, struct error *err)
{
    const char *value = NULL;
    char *dot = strchr(name, '.');
    if (dot) {
        *dot = 0;
        section = name;
        name = dot + 1;
    }
    value = lookup(s, section, name);
    if (!value && !dot)
        value = lookup(s, section = "DEFAULT", name);
    if (!value)
        return error_set(err, ERROR_INVALID,
                         "refers with '$' to an option that no file sets; write '$$' "
                         "for a dollar sign");
    if (depth == DEPTH_MAX || ++s->lookups > LOOKUPS_MAX)
        return error_set(err, ERROR_INVALID,
                         "refers with '$' to itself, or to too many options");
    return expand(s, section, value, depth + 1, err);
}

static size_t name_length(const char *text)
{
    size_t length = 0;
    if (isalpha((unsigned char)text[0]) || text[0] == '_')
        while (isalnum((unsigned char)text[length]) || text[length] == '_' ||
               text[length] == '.')
            length++;
    return length;
}

/* Appends what the '$' at *at stands for, and moves *at behind it. */
static int expand_dollar(struct substitution *s, const char *section, const char **at,
                         unsigned depth, struct error *err)
{
    const char *text = *at + 1;
    bool braced = *text == '{';
    size_t length = name_length(text + braced);
    if (length == 0 || (braced && text[1 + length] != '}')) {
        buffer_add_char(&s->out, '$');
        *at += *text == '$' ? 2 : 1;
        return 0;
    }
    *at = text + length + (braced ? 2 : 0);
    _cleanup_free_ char *name = xstrndup(text + braced, length);
    return expand_name(s, section, name, depth, err);
}

static int expand(struct substitution *s, const char *section, const char *value,
                  unsigned depth, struct error *err)
{
    while (*value) {
        if (s->out.length > INI_LINE_MAX)
            return error_set(err, ERROR_INVALID, "longer than %zu bytes with its '$'",
                             INI_LINE_MAX);
        if (value[0] == '\\' && value[1] == '$') {
            buffer_add_char(&s->out, '$');
            value += 2;
        } else if (value[0] == '$') {
            if (expand_dollar(s, section, &value, depth, err) != 0)
                return -1;
        } else {
            buffer_add_char(&s->out, *value++);
        }
    }
    return 0;
}

int substitute(const struct option_table *table, const struct ini *ini,
               const struct ini_entry *entry, char **out, struct error *err)
{
    if (!strchr(entry->value, '$')) {
        *out = xstrdup(entry->value);
        return 0;
    }
    struct substitution s = {.table = table, .ini = ini};
    if (expand(&s, entry->section, entry->value, 0, err) != 0) {
        buffer_clear(&s.out);
        return -1;
    }
    *out = buffer_take(&s.out, NULL);
    return 0;
}
