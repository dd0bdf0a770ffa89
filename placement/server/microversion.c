#include "placement/server/microversion.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"

static const char service[] = "placement";
#define BLANKS " \t"

static char *strip(char *text)
{
    text += strspn(text, BLANKS);
    size_t length = strlen(text);
    while (length > 0 && strchr(BLANKS, text[length - 1]))
        text[--length] = 0;
    return text;
}

/* The version in the last part of the header that is for us; it points into `header`,
 * which is cut. NULL when there is none. */
static char *wanted_version(char *header)
{
    char *found = NULL, *part;
    while ((part = strsep(&header, ","))) {
        part = strip(part);
        size_t length = strcspn(part, BLANKS);
        if (length == sizeof service - 1 && strncasecmp(part, service, length) == 0 &&
            part[length])
            found = strip(part + length);
    }
    return found;
}

/* What Python's int() takes: digits, a sign, blanks around. False when it is none;
 * large numbers are all the same. */
static bool number(const char *text, size_t length, int *out)
{
    while (length > 0 && isspace((unsigned char)*text))
        text++, length--;
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    bool negative = length > 0 && *text == '-';
    if (length > 0 && (*text == '-' || *text == '+'))
        text++, length--;
    int value = 0;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        if (value < 100000)
            value = value * 10 + (text[i] - '0');
    }
    *out = negative ? -value : value;
    return length > 0;
}

static int parse(const char *version, int *out, struct reply *reply)
{
    if (strcmp(version, "latest") == 0) {
        *out = MICROVERSION_MAX;
        return 0;
    }
    const char *dot = strchr(version, '.');
    int major, minor;
    if (!dot || !number(version, (size_t)(dot - version), &major) ||
        !number(dot + 1, strlen(dot + 1), &minor))
        return reply_problem(reply, 400, NULL,
                             "Invalid microversion: invalid version string: %s; "
                             "expected two numbers with a dot between",
                             version);
    if (major != 1 || minor < 0 || minor > MICROVERSION_MAX)
        return reply_problem(reply, 406, NULL,
                             "Invalid microversion: Unacceptable version header: %s",
                             version);
    *out = minor;
    return 0;
}

int microversion_parse(const char *header, int *out, struct reply *reply)
{
    _cleanup_free_ char *copy = xstrdup(header ? header : "");
    const char *version = wanted_version(copy);
    if (!version) {
        *out = 0;
        return 0;
    }
    return parse(version, out, reply);
}
