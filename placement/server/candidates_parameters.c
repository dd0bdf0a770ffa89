#include "placement/server/candidates_parameters.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "placement/server/python_text.h"

/* ---- which parameters there are, by microversion ---- */

/* By enum group_parameter; also in upstream's order of naming them. */
static const struct {
    const char *name;
    int since;
} prefixes[] = {
    {"in_tree", 31}, {"member_of", 21}, {"required", 17}, {"resources", 10}};
#define PREFIX_COUNT (sizeof prefixes / sizeof *prefixes)

static const struct {
    const char *name;
    int since;
} single_parameters[] = {
    {"limit", 16}, {"group_policy", 25}, {"root_required", 35}, {"same_subtree", 36}};
#define SINGLE_COUNT (sizeof single_parameters / sizeof *single_parameters)

static const char *suffix_pattern(int microversion)
{
    return microversion >= 33 ? "[a-zA-Z0-9_-]{1,64}" : "[1-9][0-9]*";
}

static bool is_suffix(const char *text, int microversion)
{
    size_t length = strlen(text);
    if (length == 0)
        return true;
    if (microversion < 25)
        return false;
    if (microversion < 33)
        return *text != '0' && strspn(text, "0123456789") == length;
    return length <= 64 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == length;
}

enum group_parameter candidates_group_parameter(const char *name, int microversion,
                                                const char **suffix)
{
    for (size_t i = 0; i < PREFIX_COUNT; i++) {
        size_t length = strlen(prefixes[i].name);
        if (microversion >= prefixes[i].since &&
            strncmp(name, prefixes[i].name, length) == 0 &&
            is_suffix(name + length, microversion)) {
            *suffix = name + length;
            return (enum group_parameter)i;
        }
    }
    return NO_GROUP_PARAMETER;
}

static bool is_single_parameter(const char *name, int microversion)
{
    for (size_t i = 0; i < SINGLE_COUNT; i++)
        if (strcmp(name, single_parameters[i].name) == 0)
            return microversion >= single_parameters[i].since;
    return false;
}

/* ---- the checks that upstream's JSON schema makes ---- */

static int refuse_unknown(struct strlist *unknown, int microversion,
                          struct reply *reply)
{
    strlist_sort(unknown);
    _cleanup_strlist_ struct strlist reprs = {0};
    for (size_t i = 0; i < unknown->count; i++)
        strlist_add_take(&reprs, python_repr(unknown->items[i]));
    _cleanup_free_ char *names = strlist_join(&reprs, ", ");
    bool one = unknown->count == 1;
    if (microversion < 25)
        return reply_problem(
            reply, 400, NULL,
            "Invalid query string parameters: Additional properties are "
            "not allowed (%s %s unexpected)",
            names, one ? "was" : "were");
    _cleanup_strlist_ struct strlist patterns = {0};
    for (size_t i = 0; i < PREFIX_COUNT; i++)
        if (microversion >= prefixes[i].since)
            strlist_add_take(&patterns, xasprintf("'^%s(%s)?$'", prefixes[i].name,
                                                  suffix_pattern(microversion)));
    _cleanup_free_ char *all = strlist_join(&patterns, ", ");
    return reply_problem(reply, 400, NULL,
                         "Invalid query string parameters: %s %s not match any of the "
                         "regexes: %s",
                         names, one ? "does" : "do", all);
}

static int check_names(const struct query *query, int microversion, struct reply *reply)
{
    if (microversion < 25 && query_count(query, "resources") == 0)
        return reply_problem(
            reply, 400, NULL,
            "Invalid query string parameters: 'resources' is a required "
            "property");
    _cleanup_strlist_ struct strlist unknown = {0};
    for (size_t i = 0; i < query->count; i++) {
        const char *name = query->items[i].name, *suffix;
        if (candidates_group_parameter(name, microversion, &suffix) ==
                NO_GROUP_PARAMETER &&
            !is_single_parameter(name, microversion))
            strlist_add_unique(&unknown, name);
    }
    return unknown.count > 0 ? refuse_unknown(&unknown, microversion, reply) : 0;
}

/* ^[1-9][0-9]*$ */
static bool is_limit(const char *text)
{
    return *text >= '1' && *text <= '9' && text[strspn(text, "0123456789")] == '\0';
}

static int check_values(const struct query *query, struct reply *reply)
{
    for (size_t i = 0; i < query->count; i++) {
        const char *name = query->items[i].name, *value = query->items[i].value;
        if (strcmp(name, "limit") != 0 || is_limit(value))
            continue;
        _cleanup_free_ char *repr = python_repr(value);
        return reply_problem(reply, 400, NULL,
                             "Invalid query string parameters: %s does not match "
                             "'^[1-9][0-9]*$'",
                             repr);
    }
    const char *policy = query_last(query, "group_policy");
    if (policy && strcmp(policy, "none") != 0 && strcmp(policy, "isolate") != 0) {
        _cleanup_free_ char *repr = python_repr(policy);
        return reply_problem(
            reply, 400, NULL,
            "Invalid query string parameters: %s is not one of ['none', "
            "'isolate']",
            repr);
    }
    return 0;
}

int candidates_parameters_check(const struct query *query, int microversion,
                                struct reply *reply)
{
    if (check_names(query, microversion, reply) != 0)
        return -1;
    return check_values(query, reply);
}
