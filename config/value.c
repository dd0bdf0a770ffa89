#include "config/value.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "config/listen_address.h"
#include "lib/xalloc.h"

static void *field(const struct option_spec *option, void *values)
{
    return (char *)values + option->offset;
}

static bool has_range(const struct option_spec *option)
{
    return option->minimum != 0 || option->maximum != 0;
}

static char *join_choices(const struct option_spec *option)
{
    struct strlist names = {0};
    for (const char *const *choice = option->choices; *choice; choice++)
        strlist_add(&names, *choice);
    char *text = strlist_join(&names, ", ");
    strlist_clear(&names);
    return text;
}

static char *with_range(const struct option_spec *option, const char *kind)
{
    if (!has_range(option))
        return xstrdup(kind);
    if (option->maximum >= INT_MAX)
        return xasprintf("%s of at least %g", kind, option->minimum);
    return xasprintf("%s from %.10g to %.10g", kind, option->minimum, option->maximum);
}

char *value_accepted(const struct option_spec *option)
{
    if (option->choices) {
        _cleanup_free_ char *names = join_choices(option);
        return xasprintf("%s %s", option->type == OPTION_LIST ? "a list of" : "one of",
                         names);
    }
    if (option->accepted)
        return xstrdup(option->accepted);
    switch (option->type) {
    case OPTION_PATH:
        return xstrdup("an absolute path");
    case OPTION_URL:
        return xstrdup("http://HOST[:PORT][/PATH] or https://..., without user, "
                       "query or %(name)s");
    case OPTION_ADDRESS:
        return xstrdup("HOST:PORT, [IPv6]:PORT or PORT");
    case OPTION_BOOL:
        return xstrdup("true or false");
    case OPTION_INT:
    case OPTION_UNSIGNED:
        return with_range(option, "an integer");
    case OPTION_SECONDS:
        return with_range(option, "a number of seconds");
    case OPTION_NUMBER:
        return with_range(option, "a number");
    case OPTION_LIST:
        return xstrdup("a list separated by commas");
    case OPTION_STRING:
    case OPTION_CHOICE:
        break;
    }
    return xstrdup("text");
}

static int refuse(const struct option_spec *option, const char *text, struct error *err)
{
    _cleanup_free_ char *accepted = value_accepted(option);
    /* The part of a URL before the @ may hold a password. */
    if (option->secret || (option->type == OPTION_URL && strchr(text, '@')))
        return error_set(err, ERROR_INVALID, "not accepted; expected %s", accepted);
    return error_set(err, ERROR_INVALID, "'%.200s' is not accepted; expected %s", text,
                     accepted);
}

static bool choice_index(const struct option_spec *option, const char *text,
                         unsigned *out)
{
    for (unsigned i = 0; option->choices[i]; i++)
        if (strcmp(option->choices[i], text) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static bool in_range(const struct option_spec *option, double number)
{
    return !has_range(option) ||
           (number >= option->minimum && number <= option->maximum);
}

/* Parses a decimal number as oslo.config does; the field is an int or an unsigned. */
static bool parse_whole(const struct option_spec *option, const char *text, void *to)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno || end == text || *end || !in_range(option, (double)number))
        return false;
    bool is_signed = option->type == OPTION_INT;
    if (is_signed ? number < INT_MIN || number > INT_MAX
                  : number < 0 || number > (long)UINT_MAX)
        return false;
    if (is_signed)
        *(int *)to = (int)number;
    else
        *(unsigned *)to = (unsigned)number;
    return true;
}

static bool parse_number(const struct option_spec *option, const char *text, double *to)
{
    char *end;
    errno = 0;
    double number = strtod(text, &end);
    if (errno || end == text || *end || !isfinite(number) || !in_range(option, number))
        return false;
    *to = number;
    return true;
}

static bool parse_bool(const char *text, bool *out)
{
    static const char *const words[] = {"false", "0", "off", "no",
                                        "true",  "1", "on",  "yes"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(words[i], text) == 0) {
            *out = i >= 4;
            return true;
        }
    return false;
}

static bool is_url(const char *text)
{
    const char *host = strncasecmp(text, "http://", 7) == 0    ? text + 7
                       : strncasecmp(text, "https://", 8) == 0 ? text + 8
                                                               : "";
    return *host && !strchr("/:", *host) && !strpbrk(text, "@?# \t\r\n") &&
           !strstr(text, "%(");
}

static bool matches_pattern(const char *pattern, const char *text)
{
    regex_t compiled;
    if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool matches = regexec(&compiled, text, 0, NULL, 0) == 0;
    regfree(&compiled);
    return matches;
}

/* Checks that hold for a text and for each item of a list. */
static bool text_accepted(const struct option_spec *option, const char *text)
{
    unsigned ignored;
    return (!option->choices || choice_index(option, text, &ignored)) &&
           (!option->pattern || matches_pattern(option->pattern, text)) &&
           (option->maximum == 0 || (double)strlen(text) <= option->maximum);
}

static bool string_accepted(const struct option_spec *option, const char *text)
{
    if (!text_accepted(option, text))
        return false;
    switch (option->type) {
    case OPTION_PATH:
        return text[0] == '/';
    case OPTION_URL:
        return is_url(text);
    case OPTION_ADDRESS:
        return listen_address_parse(text, NULL, NULL) == 0;
    default:
        return true;
    }
}

/* Parses a list. *refused gets the first item that is not accepted; the caller frees
 * it. */
static bool parse_list(const struct option_spec *option, const char *text,
                       struct strlist *to, char **refused)
{
    _cleanup_strlist_ struct strlist items = strlist_split(text, ','), kept = {0};
    for (size_t i = 0; i < items.count; i++) {
        if (*items.items[i] && !text_accepted(option, items.items[i])) {
            *refused = xstrdup(items.items[i]);
            return false;
        }
        if (*items.items[i])
            strlist_add(&kept, items.items[i]);
    }
    strlist_clear(to);
    *to = kept;
    kept = (struct strlist){0};
    return true;
}

static bool parse(const struct option_spec *option, const char *text, void *to,
                  char **refused)
{
    switch (option->type) {
    case OPTION_CHOICE:
        return choice_index(option, text, to);
    case OPTION_BOOL:
        return parse_bool(text, to);
    case OPTION_INT:
    case OPTION_UNSIGNED:
    case OPTION_SECONDS:
        return parse_whole(option, text, to);
    case OPTION_NUMBER:
        return parse_number(option, text, to);
    case OPTION_LIST:
        return parse_list(option, text, to, refused);
    case OPTION_STRING:
    case OPTION_PATH:
    case OPTION_URL:
    case OPTION_ADDRESS:
        break;
    }
    if (!string_accepted(option, text))
        return false;
    char **string = to;
    free(*string);
    *string = xstrdup(text);
    return true;
}

int value_set(const struct option_spec *option, const char *text, void *values,
              struct error *err)
{
    _cleanup_free_ char *refused = NULL;
    if (!parse(option, text, field(option, values), &refused))
        return refuse(option, refused ? refused : text, err);
    return 0;
}

void value_clear(const struct option_spec *option, void *values)
{
    switch (option->type) {
    case OPTION_STRING:
    case OPTION_PATH:
    case OPTION_URL:
    case OPTION_ADDRESS: {
        char **string = field(option, values);
        if (*string && option->secret)
            explicit_bzero(*string, strlen(*string));
        free(*string);
        *string = NULL;
        break;
    }
    case OPTION_LIST:
        strlist_clear(field(option, values));
        break;
    default: /* numbers hold no memory */
        break;
    }
}
