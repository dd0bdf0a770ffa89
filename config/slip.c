#include "config/slip.h"

#include <ctype.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"

/* Whether `#` or `;` is at the start or after white space. */
static bool has_comment(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((*p == '#' || *p == ';') && (p == text || isspace((unsigned char)p[-1])))
            return true;
    return false;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

static const char *find(const struct ini_entry *entry, bool is_list, const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || (entry->quoted && !is_list))
        return NULL;
    if (has_comment(text))
        return "a comment stands on a line of its own, with # in the first column";
    if (strchr(text, '\n'))
        return is_list ? "an indented line continues the list above it; is a comma "
                         "missing?"
                       : "an indented line continues the value above it; start options "
                         "in the first column";
    if (is_quote(text[0]) || is_quote(text[length - 1]))
        return is_list ? "quotes stand in pairs around the whole list, not around an "
                         "item"
                       : "a quote that is not closed; expected quotes around the whole "
                         "value, or none";
    return NULL;
}

const char *slip_find(const struct ini_entry *entry, const struct option_spec *option,
                      const char *value, char **item)
{
    if (option->type != OPTION_LIST)
        return find(entry, false, value);
    _cleanup_strlist_ struct strlist items = strlist_split(value, ',');
    for (size_t i = 0; i < items.count; i++) {
        const char *slip = find(entry, true, items.items[i]);
        if (slip) {
            *item = xstrdup(items.items[i]);
            return slip;
        }
    }
    return NULL;
}
