#include "placement/server/message/accept.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One media range of the header, with its quality. */
struct range {
    const char *type;
    size_t length;       /* "text/html" */
    bool has_parameters; /* then it matches no offer, as offers have none */
    double quality;
};

static void skip_blanks(const char **at)
{
    *at += strspn(*at, " \t");
}

static bool is_token_character(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool skip_token(const char **at)
{
    const char *begin = *at;
    while (is_token_character(**at))
        ++*at;
    return *at > begin;
}

/* Skips "=" and a token or a quoted string. False when there is none. */
static bool skip_value(const char **at)
{
    if (*(*at)++ != '=')
        return false;
    if (**at != '"')
        return skip_token(at);
    for (++*at; **at && **at != '"'; ++*at)
        if (**at == '\\' && (*at)[1])
            ++*at;
    return *(*at)++ == '"';
}

/* Reads the quality, from 0 to 1 with at most three decimals. */
static bool read_quality(const char **at, double *out)
{
    char *end;
    const char *begin = ++*at; /* behind the "=" */
    if (begin[-1] != '=' || (*begin != '0' && *begin != '1'))
        return false;
    size_t length = 1;
    if (begin[1] == '.')
        length += 1 + strspn(begin + 2, "0123456789");
    *out = strtod(begin, &end);
    *at = begin + length;
    return length <= 5 && end <= *at && *out <= 1;
}

/* Reads what follows the type: parameters of the type, then "q=", then extensions,
 * which do not matter. */
static bool read_parameters(const char **at, struct range *range)
{
    for (bool weighed = false;;) {
        const char *before = *at;
        skip_blanks(at);
        if (**at != ';') {
            *at = before;
            return true;
        }
        ++*at;
        skip_blanks(at);
        const char *name = *at;
        if (!skip_token(at))
            return false;
        if (!weighed && *at == name + 1 && tolower((unsigned char)*name) == 'q') {
            weighed = true;
            if (!read_quality(at, &range->quality))
                return false;
        } else {
            range->has_parameters |= !weighed;
            if ((!weighed || **at == '=') && !skip_value(at))
                return false;
        }
    }
}

static bool read_range(const char **at, struct range *range)
{
    *range = (struct range){.type = *at, .quality = 1};
    if (!skip_token(at) || *(*at)++ != '/' || !skip_token(at))
        return false;
    range->length = (size_t)(*at - range->type);
    return read_parameters(at, range);
}

/* How closely the range matches an offer: 0: not at all, 1: it matches everything, 2:
 * the main type, 3: exactly. */
static int closeness(const struct range *range, const char *offer)
{
    size_t length = range->length;
    if (range->has_parameters)
        return 0;
    if (length == 3 && strncmp(range->type, "*/*", 3) == 0)
        return 1;
    if (strncmp(range->type + length - 2, "/*", 2) == 0)
        return strncasecmp(range->type, offer, length - 1) == 0 ? 2 : 0;
    return strlen(offer) == length && strncasecmp(range->type, offer, length) == 0 ? 3
                                                                                   : 0;
}

/* The quality that the header gives to an offer: that of its closest range. -1 when the
 * header is not understood. */
static double quality_of(const char *accept, const char *offer)
{
    double best = 0;
    int closest = 0;
    for (const char *at = accept;;) {
        struct range range;
        skip_blanks(&at);
        if (*at && *at != ',') {
            if (!read_range(&at, &range))
                return -1;
            int close = closeness(&range, offer);
            if (close > closest) {
                closest = close;
                best = range.quality;
            }
            skip_blanks(&at);
        }
        if (!*at)
            return best;
        if (*at++ != ',')
            return -1;
    }
}

const char *accept_asked(const char *accept)
{
    bool anything = !accept || !*accept || strcmp(accept, "*/*") == 0;
    return anything ? "application/json" : accept;
}

const char *accept_best(const char *accept, const char *const *offers)
{
    accept = accept_asked(accept);
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
