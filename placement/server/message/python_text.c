#include "placement/server/message/python_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"

/* The letter that follows '\' in the escape of `c`; 0 when it has none. */
static char escape_letter(unsigned char c, char quote)
{
    switch (c) {
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\\':
        return '\\';
    default:
        return c == (unsigned char)quote ? quote : 0;
    }
}

#define BLANKS " \t\n\r\f\v"

/* Whether it is one of the characters of Latin-1's upper half that cannot be printed.
 */
static bool is_control(const unsigned char *text)
{
    return text[0] == 0xc2 && ((text[1] >= 0x80 && text[1] <= 0xa0) || text[1] == 0xad);
}

char *python_repr(const char *text)
{
    return python_repr_cut(text, strlen(text));
}

/* Other characters beyond ASCII stay as they are: nearly all of them are printable. */
char *python_repr_cut(const char *text, size_t most)
{
    char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';
    const char *end = text + strnlen(text, most);
    while ((*end & 0xc0) == 0x80)
        end++; /* the cut must not leave part of a UTF-8 character */
    /* Room for the quotes, and for "\x01" as the longest form of a byte. */
    char *out = xcalloc((size_t)(end - text) + 1, 4);
    char *at = out;
    *at++ = quote;
    for (; text < end; text++) {
        unsigned char c = (unsigned char)*text;
        char letter = escape_letter(c, quote);
        if (letter) {
            *at++ = '\\';
            *at++ = letter;
        } else if (c < ' ' || c == 0x7f) {
            at += snprintf(at, 5, "\\x%02x", c);
        } else if (is_control((const unsigned char *)text)) {
            at += snprintf(at, 5, "\\x%02x", (unsigned char)*++text);
        } else {
            *at++ = (char)c;
        }
    }
    *at++ = quote;
    return out;
}

char *python_repr_list(const struct strlist *list)
{
    _cleanup_strlist_ struct strlist items = {0};
    for (size_t i = 0; i < list->count; i++)
        strlist_add_take(&items, python_repr(list->items[i]));
    _cleanup_free_ char *inner = strlist_join(&items, ", ");
    return xasprintf("[%s]", inner);
}

bool python_int(const char *text, int64_t *out)
{
    const char *at = text + strspn(text, BLANKS);
    bool negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    int64_t number = 0;
    bool digit_before = false;
    for (; isdigit((unsigned char)*at) || (*at == '_' && digit_before); at++) {
        digit_before = *at != '_';
        if (digit_before && (__builtin_mul_overflow(number, 10, &number) ||
                             __builtin_add_overflow(number, *at - '0', &number)))
            number = INT64_MAX;
    }
    if (!digit_before || at[strspn(at, BLANKS)] != '\0')
        return false;
    *out = negative ? -number : number;
    return true;
}
