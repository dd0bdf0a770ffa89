#include "lib/utf8.h"

#include <string.h>

#include "lib/xalloc.h"

/* The length of the UTF-8 sequence at `p`; 0 when there is none. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    static const struct {
        /* bounds of the first byte, and of the second */
        unsigned char first, last, low, high;
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

size_t utf8_valid_length(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t valid = 0;
    while (valid < length) {
        size_t step = utf8_sequence(p + valid, length - valid);
        if (step == 0)
            break;
        valid += step;
    }
    return valid;
}

char *utf8_made_valid(const char *text)
{
    size_t length = strlen(text);
    const unsigned char *p = (const unsigned char *)text;
    char *valid = xcalloc(2 * length + 1, 1), *out = valid;
    while (*p) {
        size_t left = length - (size_t)((const char *)p - text);
        size_t step = utf8_sequence(p, left);
        if (step > 0) {
            out = mempcpy(out, p, step);
        } else {
            *out++ = (char)(0xc0 | *p >> 6);
            *out++ = (char)(0x80 | (*p & 0x3f));
            step = 1;
        }
        p += step;
    }
    return valid;
}
