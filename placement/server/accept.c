#include "placement/server/accept.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"

static char *strip(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t", text[length - 1]))
        text[--length] = 0;
    return text;
}

/* How closely "type/subtype" of the header matches an offer: 0 not at all, 1 for
 * anything, 2 for the main type, 3 for itself. */
static int closeness(const char *range, const char *offer)
{
    if (strcmp(range, "*/*") == 0)
        return 1;
    const char *slash = strchr(range, '/');
    size_t main_length = (size_t)(slash - range) + 1;
    if (strcmp(slash, "/*") == 0)
        return strncasecmp(range, offer, main_length) == 0 ? 2 : 0;
    return strcasecmp(range, offer) == 0 ? 3 : 0;
}

/* Reads one element; cuts `text`. False when it is no media range. */
static bool read_range(char *text, char **range, double *quality)
{
    char *rest = text;
    *range = strip(strsep(&rest, ";"));
    *quality = 1;
    const char *slash = strchr(*range, '/');
    if (!slash || slash == *range || !slash[1] || strpbrk(*range, " \t"))
        return false;
    char *parameter;
    while ((parameter = strsep(&rest, ";"))) {
        parameter = strip(parameter);
        if (strncasecmp(parameter, "q=", 2) != 0)
            continue;
        char *end;
        *quality = strtod(parameter + 2, &end);
        if (*end || !isdigit((unsigned char)parameter[2]) || *quality > 1)
            return false;
    }
    return true;
}

/* The quality that the header gives to an offer: that of its closest range. -1 when the
 * header is not understood. */
static double quality_of(const char *accept, const char *offer)
{
    _cleanup_free_ char *copy = xstrdup(accept);
    char *rest = copy, *part, *range;
    double best = 0, quality;
    int closest = 0;
    while ((part = strsep(&rest, ","))) {
        part = strip(part);
        if (!*part)
            continue;
        if (!read_range(part, &range, &quality))
            return -1;
        int close = closeness(range, offer);
        if (close > closest) {
            closest = close;
            best = quality;
        }
    }
    return best;
}

const char *accept_best(const char *accept, const char *const *offers)
{
    if (!accept || !*accept || strcmp(accept, "*/*") == 0)
        accept = "application/json";
    const char *best = NULL;
    double most = 0;
    for (; *offers; offers++) {
        double quality = quality_of(accept, *offers);
        if (quality < 0)
            return *offers;
        if (quality > most) {
            most = quality;
            best = *offers;
        }
    }
    return best;
}
