#include "lib/text_wrap.h"

#include <stdbool.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/printable.h"
#include "lib/xalloc.h"

static bool continues_character(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

size_t text_columns(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += !continues_character(*text);
    return n;
}

size_t text_character(const char *text)
{
    size_t n = *text ? 1 : 0;
    while (n && continues_character(text[n]))
        n++;
    return n;
}

/* Up to the next space; a command in back quotes is one, where a line has room for it,
 * so that it can be copied. */
static size_t word_length(const char *text, size_t room)
{
    size_t length = strcspn(text, " ");
    const char *quote = memchr(text, '`', length);
    const char *end = quote ? strchr(quote + 1, '`') : NULL;
    if (!end || end < text + length)
        return length;
    size_t whole = (size_t)(end - text) + strcspn(end, " ");
    return whole <= room ? whole : length;
}

/* `used`: columns of the first line that are taken. */
static void wrap(const char *text, size_t indent, size_t width, size_t used, FILE *out)
{
    bool begun = false; /* the line has a word */
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        size_t length = word_length(text, width - indent);
        _cleanup_free_ char *word = xstrndup(text, length);
        word[printable_make(word, length)] = '\0';
        size_t columns = text_columns(word);
        if (begun && used + 1 + columns > width) {
            fputc('\n', out);
            used = 0;
            begun = false;
        }
        size_t gap = begun ? 1 : indent - used;
        fprintf(out, "%*s%s", (int)gap, "", word);
        used += gap + columns;
        begun = true;
        text += length;
    }
    if (begun)
        fputc('\n', out);
}

void text_wrap(const char *text, size_t indent, size_t width, FILE *out)
{
    wrap(text, indent, width, 0, out);
}

void text_wrap_labelled(const char *label, const char *text, size_t indent,
                        size_t width, FILE *out)
{
    size_t columns = text_columns(label);
    bool fits = columns < indent;
    fprintf(out, fits ? "%s" : "%s\n", label);
    wrap(text, indent, width, fits ? columns : 0, out);
}
