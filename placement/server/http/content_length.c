#include "placement/server/http/content_length.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define PAGE 4096u /* at most the size of the machine's pages */

size_t content_length_readable(const char *at)
{
    return PAGE - (uintptr_t)at % PAGE;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The library takes digits alone, with blanks around them. */
static bool is_number(const char *value, const char *end)
{
    while (value < end && is_blank(*value))
        value++;
    while (end > value && (is_blank(end[-1]) || end[-1] == '\r'))
        end--;
    for (const char *at = value; at < end; at++)
        if (*at < '0' || *at > '9')
            return false;
    return value < end;
}

static bool line_is_bad(const char *line, const char *end)
{
    static const char name[] = "content-length:";
    const size_t length = sizeof name - 1;
    return (size_t)(end - line) > length && strncasecmp(line, name, length) == 0 &&
           !is_number(line + length, end);
}

bool content_length_is_bad(const char *head, size_t size)
{
    const char *limit = head + size;
    const char *line = memchr(head, 0, size);
    while (line && line < limit && *line == 0)
        line++;
    while (line && line < limit) {
        const char *end = memchr(line, '\n', strnlen(line, (size_t)(limit - line)));
        if (!end || *line == '\r' || *line == '\n')
            return false;
        if (line_is_bad(line, end))
            return true;
        line = end + 1;
    }
    return false;
}
