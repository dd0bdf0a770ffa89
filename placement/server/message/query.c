#include "placement/server/message/query.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"
#include "lib/xalloc.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes the next byte, with %XX, and moves *at behind it. */
static char next_byte(const char **at)
{
    const char *in = *at;
    if (*in != '%' || hex_value(in[1]) < 0 || hex_value(in[2]) < 0) {
        *at = in + 1;
        return *in;
    }
    *at = in + 3;
    return (char)(hex_value(in[1]) * 16 + hex_value(in[2]));
}

/* Decodes %XX, and '+', in place; false when the result holds NUL or is not UTF-8. */
static bool decode(char *text)
{
    char *out = text;
    for (const char *in = text; *in;) {
        bool blank = *in == '+';
        char c = next_byte(&in);
        *out++ = blank ? ' ' : c;
    }
    *out = 0;
    size_t length = (size_t)(out - text);
    return strlen(text) == length && utf8_valid_length(text, length) == length;
}

char *query_decode_path(const char *path)
{
    char *decoded = xcalloc(strlen(path) + 1, 2), *out = decoded;
    while (*path) {
        unsigned char c = (unsigned char)next_byte(&path);
        if (c == 0) {
            free(decoded);
            return NULL;
        }
        if (c >= 0x80)
            *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
    }
    return decoded;
}

int query_parse(const char *text, struct query *out, struct error *err)
{
    struct query query = {.storage = xstrdup(text ? text : "")};
    char *rest = query.storage, *part;
    while ((part = strsep(&rest, "&;"))) {
        if (!*part)
            continue;
        if (query.count == QUERY_MAX_ITEMS) {
            query_clear(&query);
            return error_set(err, ERROR_INVALID, "more than %d parameters",
                             QUERY_MAX_ITEMS);
        }
        char *value = strchr(part, '=');
        if (value)
            *value++ = 0;
        if (!decode(part) || (value && !decode(value))) {
            query_clear(&query);
            return error_set(err, ERROR_INVALID, "'utf-8' codec can't decode them");
        }
        *array_add(query.items, query.count) =
            (struct query_item){part, value ? value : ""};
    }
    *out = query;
    return 0;
}

void query_clear(struct query *query)
{
    free(query->items);
    free(query->storage);
    *query = (struct query){0};
}

const char *query_last(const struct query *query, const char *name)
{
    for (size_t i = query->count; i-- > 0;)
        if (strcmp(query->items[i].name, name) == 0)
            return query->items[i].value;
    return NULL;
}

size_t query_count(const struct query *query, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < query->count; i++)
        count += strcmp(query->items[i].name, name) == 0;
    return count;
}
