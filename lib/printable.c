#include "lib/printable.h"

#include <stdbool.h>
#include <string.h>

#include "lib/utf8.h"
#include "lib/xalloc.h"

/* Unicode's Bidi_Control characters, and its ends of lines and paragraphs. */
static const char *const directions[] = {
    "\u061c", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202b",
    "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"};

/* How many bytes it has; 0: it is none. */
static size_t direction_length(const char *text, size_t left)
{
    for (size_t i = 0; i < sizeof directions / sizeof *directions; i++) {
        size_t length = strlen(directions[i]);
        if (length <= left && memcmp(text, directions[i], length) == 0)
            return length;
    }
    return 0;
}

/* How many bytes the character at `text` has, of at most `left`; 0: what is there is a
 * control character, or none. */
static size_t shown_length(const char *text, size_t left)
{
    unsigned char first = (unsigned char)*text;
    if (first < 0x80)
        return first >= ' ' && first != 0x7f;
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    bool second_row = first == 0xc2 && left > 1 && (unsigned char)text[1] < 0xa0;
    return length <= left && !second_row && direction_length(text, left) == 0 &&
                   utf8_valid_length(text, length) == length
               ? length
               : 0;
}

/* How many bytes one '?' stands for. */
static size_t hidden_length(const char *text, size_t left)
{
    size_t direction = direction_length(text, left);
    if (direction)
        return direction;
    return (unsigned char)*text >= 0x80 && left > 1 && utf8_valid_length(text, 2) == 2
               ? 2
               : 1;
}

size_t printable_make(char *text, size_t length)
{
    size_t kept = 0;
    for (size_t at = 0; at < length;) {
        size_t shown = shown_length(text + at, length - at);
        if (shown) {
            memmove(text + kept, text + at, shown);
            kept += shown;
            at += shown;
        } else {
            at += hidden_length(text + at, length - at);
            text[kept++] = '?';
        }
    }
    return kept;
}

char *printable_copy(const char *text)
{
    char *copy = text ? xstrdup(text) : NULL;
    if (copy)
        copy[printable_make(copy, strlen(copy))] = '\0';
    return copy;
}
