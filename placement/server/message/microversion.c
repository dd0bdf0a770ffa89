#include "placement/server/message/microversion.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "placement/server/message/python_text.h"

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

/* The version in the last element of the header that is for placement, as a pointer
 * into `header`, which is modified. NULL when there is none. */
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

/* Reads the two numbers of "1.39". Numbers too large for int64_t become the largest. */
static bool read_numbers(const char *version, int64_t *major, int64_t *minor)
{
    const char *dot = strchr(version, '.');
    if (!dot)
        return false;
    _cleanup_free_ char *before = xstrndup(version, (size_t)(dot - version));
    return python_int(before, major) && python_int(dot + 1, minor);
}

static int parse(const char *version, int *out, struct reply *reply)
{
    if (strcmp(version, "latest") == 0) {
        *out = MICROVERSION_MAX;
        return 0;
    }
    int64_t major, minor;
    if (!read_numbers(version, &major, &minor))
        return reply_problem(reply, 400, NULL,
                             "Invalid microversion: invalid version string: %s; "
                             "expected two numbers with a dot between",
                             version);
    if (major != 1 || minor < 0 || minor > MICROVERSION_MAX)
        return reply_problem(reply, 406, NULL,
                             "Invalid microversion: Unacceptable version header: %s",
                             version);
    *out = (int)minor;
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
