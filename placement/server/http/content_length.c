#include "placement/server/http/content_length.h"

#include <inttypes.h>
#include <stdio.h>
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

/* The library takes digits alone, with blanks before them. */
static enum content_length look_at(const char *value, const char *end, uint64_t *number)
{
    bool padded = false, huge = false;
    while (value < end && is_blank(*value))
        value++;
    end -= end > value && end[-1] == '\r';
    for (; end > value && is_blank(end[-1]); end--)
        padded = true;
    if (value == end)
        return CONTENT_LENGTH_BAD;
    *number = 0;
    for (const char *at = value; at < end; at++) {
        if (*at < '0' || *at > '9')
            return CONTENT_LENGTH_BAD;
        huge |= __builtin_mul_overflow(*number, 10u, number) ||
                __builtin_add_overflow(*number, (uint64_t)(*at - '0'), number);
    }
    return huge     ? CONTENT_LENGTH_HUGE
           : padded ? CONTENT_LENGTH_PADDED
                    : CONTENT_LENGTH_CLEAR;
}

static bool has_length(const char *line, const char *end, const char **value)
{
    static const char name[] = "content-length:";
    const size_t length = sizeof name - 1;
    *value = line + length;
    return (size_t)(end - line) > length && strncasecmp(line, name, length) == 0;
}

enum content_length content_length_look(const char *head, size_t size,
                                        char number[static CONTENT_LENGTH_SIZE])
{
    enum content_length worst = CONTENT_LENGTH_CLEAR;
    const char *limit = head + size, *value;
    const char *line = memchr(head, 0, size);
    bool first = true;
    while (line && line < limit && *line == 0)
        line++;
    while (line && line < limit) {
        const char *end = memchr(line, '\n', strnlen(line, (size_t)(limit - line)));
        if (!end || *line == '\r' || *line == '\n')
            break;
        if (has_length(line, end, &value)) {
            uint64_t bytes = 0;
            enum content_length is = look_at(value, end, &bytes);
            worst = is > worst ? is : worst;
            if (first)
                snprintf(number, CONTENT_LENGTH_SIZE, "%" PRIu64, bytes);
            first = false;
        }
        line = end + 1;
    }
    return worst;
}
