#include "placement/server/query.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The length of the UTF-8 sequence at `p`, 0 when it is none: no overlong forms, no
 * surrogates, nothing above U+10FFFF. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    static const struct {
        unsigned char first, last, low, high; /* of the first byte; of the second */
        size_t length;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t length = forms[i].length;
        if (*p < forms[i].first || *p > forms[i].last)
            continue;
        if (length > left ||
            (length > 1 && (p[1] < forms[i].low || p[1] > forms[i].high)))
            return 0;
        for (size_t k = 2; k < length; k++)
            if (p[k] < 0x80 || p[k] > 0xbf)
                return 0;
        return length;
    }
    return 0;
}

bool utf8_is_valid(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text;
    while (length > 0) {
        size_t step = utf8_sequence(p, length);
        if (step == 0)
            return false;
        p += step;
        length -= step;
    }
    return true;
}

/* The next byte, %XX decoded. */
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
    return strlen(text) == length && utf8_is_valid(text, length);
}

char *path_decode(const char *path)
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

/* Takes `prefix` away wherever it stands, as upstream does. */
static void drop(char *text, const char *word)
{
    char *found;
    while ((found = strstr(text, word)))
        memmove(found, found + strlen(word), strlen(found + strlen(word)) + 1);
}

bool uuid_like(const char *text, char out[UUID_TEXT_SIZE])
{
    char digits[64];
    if (strlen(text) >= sizeof digits)
        return false;
    strncpy(digits, text, sizeof digits);
    drop(digits, "urn:");
    drop(digits, "uuid:");
    char *start = digits + strspn(digits, "{}");
    char *end = start + strlen(start);
    while (end > start && (end[-1] == '{' || end[-1] == '}'))
        *--end = 0;
    drop(start, "-");
    if (strlen(start) != 32 || strspn(start, "0123456789abcdefABCDEF") != 32)
        return false;
    if (!out)
        return true;
    for (size_t i = 0, at = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            out[at++] = '-';
        out[at++] = (char)tolower((unsigned char)start[i]);
    }
    out[UUID_TEXT_SIZE - 1] = 0;
    return true;
}
