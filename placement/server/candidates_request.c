#include "placement/server/candidates_request.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "placement/server/python_text.h"

/* ---- which parameters there are, by microversion ---- */

static const char *const group_prefixes[] = {"in_tree", "member_of", "required",
                                             "resources"};
static const int group_prefix_since[] = {31, 21, 17, 10};
#define PREFIX_COUNT (sizeof group_prefixes / sizeof *group_prefixes)
enum { IN_TREE, MEMBER_OF, REQUIRED, RESOURCES };

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

/* The prefix's number and the suffix of a group's parameter; -1 when it is none. */
static int group_parameter(const char *name, int microversion, const char **suffix)
{
    for (size_t i = 0; i < PREFIX_COUNT; i++) {
        size_t length = strlen(group_prefixes[i]);
        if (microversion >= group_prefix_since[i] &&
            strncmp(name, group_prefixes[i], length) == 0 &&
            is_suffix(name + length, microversion)) {
            *suffix = name + length;
            return (int)i;
        }
    }
    return -1;
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
        if (microversion >= group_prefix_since[i])
            strlist_add_take(&patterns, xasprintf("'^%s(%s)?$'", group_prefixes[i],
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
        if (group_parameter(name, microversion, &suffix) < 0 &&
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

/* ---- what applies to the whole request ---- */

static const char *query_first(const struct query *query, const char *name)
{
    for (size_t i = 0; i < query->count; i++)
        if (strcmp(query->items[i].name, name) == 0)
            return query->items[i].value;
    return NULL;
}

static int64_t read_limit(const char *text)
{
    errno = 0;
    long long limit = text ? strtoll(text, NULL, 10) : 0;
    return errno == ERANGE ? INT64_MAX : limit;
}

static int read_root_required(const struct query *query, struct candidates_request *out,
                              struct reply *reply)
{
    size_t count = query_count(query, "root_required");
    if (count == 0)
        return 0;
    if (count > 1)
        return reply_problem(reply, 400, CODE_QUERY_DUPLICATE_KEY,
                             "Query parameter 'root_required' may be specified only "
                             "once.");
    if (traits_value_read(query_first(query, "root_required"), true, false,
                          &out->root_required, &out->root_forbidden, reply) != 0)
        return -1;
    _cleanup_strlist_ struct strlist conflicts = {0};
    for (size_t i = 0; i < out->root_required.count; i++) {
        const char *trait = out->root_required.sets[i].items[0];
        if (strlist_contains(&out->root_forbidden, trait))
            strlist_add_unique(&conflicts, trait);
    }
    if (conflicts.count == 0)
        return 0;
    _cleanup_free_ char *names = strlist_join(&conflicts, ", ");
    return reply_problem(reply, 400, CODE_QUERY_BAD_VALUE,
                         "Conflicting required and forbidden traits found in "
                         "root_required: %s",
                         names);
}

static int read_same_subtrees(const struct query *query, struct candidates_request *out,
                              struct reply *reply)
{
    for (size_t i = 0; i < query->count; i++) {
        if (strcmp(query->items[i].name, "same_subtree") != 0)
            continue;
        struct strlist *set = array_add(out->same_subtrees, out->same_subtree_count);
        _cleanup_strlist_ struct strlist items =
            strlist_split(query->items[i].value, ',');
        for (size_t j = 0; j < items.count; j++)
            strlist_add_unique(set, items.items[j]);
        if (set->count == 0 || strlist_contains(set, ""))
            return reply_problem(reply, 400, CODE_QUERY_BAD_VALUE,
                                 "Empty string (unsuffixed group) can not be specified "
                                 "in `same_subtree` ");
    }
    return 0;
}

static int read_whole(const struct query *query, struct candidates_request *out,
                      struct reply *reply)
{
    const char *policy = query_first(query, "group_policy");
    out->limit = read_limit(query_first(query, "limit"));
    out->isolate = policy && strcmp(policy, "isolate") == 0;
    if (read_root_required(query, out, reply) != 0)
        return -1;
    return read_same_subtrees(query, out, reply);
}

/* ---- the groups ---- */

static struct candidates_group *find_group(const struct candidates_request *request,
                                           const char *suffix)
{
    for (size_t i = 0; i < request->group_count; i++)
        if (strcmp(request->groups[i].suffix, suffix) == 0)
            return &request->groups[i];
    return NULL;
}

static int ensure_group(struct candidates_request *request, const char *suffix,
                        struct candidates_group **out, struct reply *reply)
{
    *out = find_group(request, suffix);
    if (*out)
        return 0;
    if (request->group_count == CANDIDATES_MAX_GROUPS)
        return reply_problem(reply, 400, CODE_QUERY_BAD_VALUE,
                             "There may be at most %d request groups.",
                             CANDIDATES_MAX_GROUPS);
    *out = array_add(request->groups, request->group_count);
    (*out)->suffix = xstrdup(suffix);
    return 0;
}

static int read_groups(const struct request *request, struct candidates_request *out,
                       struct reply *reply)
{
    const struct query *query = &request->query;
    int microversion = request->microversion, rc;
    for (size_t i = 0; i < query->count; i++) {
        const char *suffix, *value = query->items[i].value;
        int prefix = group_parameter(query->items[i].name, microversion, &suffix);
        struct candidates_group *group;
        if (prefix < 0)
            continue;
        if (ensure_group(out, suffix, &group, reply) != 0)
            return -1;
        struct filters *filters = &group->filters;
        if (prefix == RESOURCES)
            rc = filters_read_resources(filters, value, reply);
        else if (prefix == REQUIRED)
            rc = filters_read_required(filters, query, suffix, microversion, reply);
        else if (prefix == MEMBER_OF)
            rc = filters_read_member_of(filters, query, suffix, microversion, reply);
        else
            rc = filters_read_in_tree(filters, value, reply);
        if (rc != 0)
            return -1;
    }
    return 0;
}

static bool asks_membership(const struct filters *filters)
{
    return filters->member_of.count > 0 || filters->not_member_of.count > 0;
}

/* Before 1.36 each group must ask for resources. */
static int check_orphans(const struct candidates_request *request, struct reply *reply)
{
    _cleanup_strlist_ struct strlist traits = {0}, members = {0};
    bool all = true;
    for (size_t i = 0; i < request->group_count; i++) {
        const struct candidates_group *group = &request->groups[i];
        if (group->filters.amount_count > 0)
            continue;
        all = false;
        if (group->filters.required.count > 0)
            strlist_add_take(&traits, xasprintf("required%s", group->suffix));
        if (asks_membership(&group->filters))
            strlist_add_take(&members, xasprintf("member_of%s", group->suffix));
    }
    _cleanup_free_ char *orphans =
        strlist_join(traits.count > 0 ? &traits : &members, ", ");
    if (traits.count > 0)
        return reply_problem(
            reply, 400, NULL,
            "All traits parameters must be associated with resources.  "
            "Found the following orphaned traits keys: %s",
            orphans);
    if (members.count > 0)
        return reply_problem(
            reply, 400, NULL,
            "All member_of parameters must be associated with "
            "resources. Found the following orphaned member_of keys: %s",
            orphans);
    if (!all)
        return reply_problem(reply, 400, NULL,
                             "All request groups must specify resources.");
    if (request->group_count == 0)
        return reply_problem(reply, 400, NULL,
                             "At least one request group (`resources` or "
                             "`resources{$S}`) is required.");
    return 0;
}

static bool is_in_subtrees(const struct candidates_request *request, const char *suffix)
{
    for (size_t i = 0; i < request->same_subtree_count; i++)
        if (strlist_contains(&request->same_subtrees[i], suffix))
            return true;
    return false;
}

static int check_subtree_suffixes(const struct candidates_request *request,
                                  struct reply *reply)
{
    _cleanup_strlist_ struct strlist unknown = {0}, known = {0};
    for (size_t i = 0; i < request->same_subtree_count; i++)
        for (size_t j = 0; j < request->same_subtrees[i].count; j++)
            if (!find_group(request, request->same_subtrees[i].items[j]))
                strlist_add_unique(&unknown, request->same_subtrees[i].items[j]);
    if (unknown.count == 0)
        return 0;
    for (size_t i = 0; i < request->group_count; i++)
        strlist_add(&known, request->groups[i].suffix);
    _cleanup_free_ char *bad = python_repr_list(&unknown);
    _cleanup_free_ char *real = python_repr_list(&known);
    return reply_problem(reply, 400, CODE_QUERY_BAD_VALUE,
                         "Real suffixes should be specified in `same_subtree`: %s not "
                         "found in %s.",
                         bad, real);
}

/* Since 1.36 a group of `same_subtree` may ask for no resources. */
static int check_resourceless(const struct candidates_request *request,
                              struct reply *reply)
{
    _cleanup_strlist_ struct strlist bad = {0};
    size_t without = 0;
    for (size_t i = 0; i < request->group_count; i++) {
        if (request->groups[i].filters.amount_count > 0)
            continue;
        without++;
        if (!is_in_subtrees(request, request->groups[i].suffix))
            strlist_add(&bad, request->groups[i].suffix);
    }
    if (without == request->group_count)
        return reply_problem(reply, 400, CODE_QUERY_MISSING_VALUE,
                             "There must be at least one resources or resources[$S] "
                             "parameter.");
    if (bad.count > 0) {
        _cleanup_free_ char *suffixes = python_repr_list(&bad);
        return reply_problem(
            reply, 400, CODE_QUERY_BAD_VALUE,
            "Resourceless suffixed group request should be specified in "
            "`same_subtree` query param: bad group(s) - %s.",
            suffixes);
    }
    return check_subtree_suffixes(request, reply);
}

static bool all_forbidden(const struct strlist *any, const struct strlist *forbidden)
{
    for (size_t i = 0; i < any->count; i++)
        if (!strlist_contains(forbidden, any->items[i]))
            return false;
    return true;
}

static int check_conflicts(const struct candidates_request *request,
                           struct reply *reply)
{
    _cleanup_strlist_ struct strlist conflicts = {0};
    for (size_t i = 0; i < request->group_count; i++) {
        const struct filters *filters = &request->groups[i].filters;
        for (size_t j = 0; j < filters->required.count; j++) {
            struct strlist *any = &filters->required.sets[j];
            if (!all_forbidden(any, &filters->forbidden))
                continue;
            strlist_sort(any);
            _cleanup_free_ char *names = strlist_join(any, ", ");
            strlist_add_take(&conflicts, xasprintf("required%s: (%s)",
                                                   request->groups[i].suffix, names));
        }
    }
    if (conflicts.count == 0)
        return 0;
    strlist_sort(&conflicts);
    _cleanup_free_ char *keys = strlist_join(&conflicts, ", ");
    return reply_problem(reply, 400, NULL,
                         "Conflicting required and forbidden traits found in the "
                         "following traits keys: %s",
                         keys);
}

static int check_group_policy(const struct candidates_request *request,
                              const struct query *query, struct reply *reply)
{
    const char *policy = query_first(query, "group_policy");
    size_t suffixed = 0;
    for (size_t i = 0; i < request->group_count; i++)
        suffixed += request->groups[i].suffix[0] != '\0';
    if (suffixed <= 1 || (policy && *policy != '\0'))
        return 0;
    return reply_problem(
        reply, 400, NULL,
        "The \"group_policy\" parameter is required when specifying more "
        "than one \"resources{N}\" parameter.");
}

static int check_sizes(const struct candidates_request *request, struct reply *reply)
{
    size_t amounts = 0;
    for (size_t i = 0; i < request->group_count; i++)
        amounts += request->groups[i].filters.amount_count;
    if (amounts <= CANDIDATES_MAX_AMOUNTS)
        return 0;
    return reply_problem(reply, 400, CODE_QUERY_BAD_VALUE,
                         "There may be at most %d resources in a request.",
                         CANDIDATES_MAX_AMOUNTS);
}

static int read_all(const struct request *request, struct candidates_request *out,
                    struct reply *reply)
{
    const struct query *query = &request->query;
    if (request->query_problem)
        return reply_problem(reply, 400, NULL, "Invalid query string parameters: %s",
                             request->query_problem);
    if (check_names(query, request->microversion, reply) != 0 ||
        check_values(query, reply) != 0 || read_whole(query, out, reply) != 0 ||
        read_groups(request, out, reply) != 0)
        return -1;
    int rc = request_at_least(request, 36) ? check_resourceless(out, reply)
                                           : check_orphans(out, reply);
    if (rc != 0)
        return -1;
    if (request_at_least(request, 22) && check_conflicts(out, reply) != 0)
        return -1;
    if (check_group_policy(out, query, reply) != 0)
        return -1;
    return check_sizes(out, reply);
}

int candidates_request_read(const struct request *request,
                            struct candidates_request *out, struct reply *reply)
{
    struct candidates_request read = {0};
    if (read_all(request, &read, reply) != 0) {
        candidates_request_clear(&read);
        return -1;
    }
    *out = read;
    return 0;
}

void candidates_request_clear(struct candidates_request *request)
{
    for (size_t i = 0; i < request->group_count; i++) {
        free(request->groups[i].suffix);
        filters_clear(&request->groups[i].filters);
    }
    free(request->groups);
    any_of_clear(&request->root_required);
    strlist_clear(&request->root_forbidden);
    for (size_t i = 0; i < request->same_subtree_count; i++)
        strlist_clear(&request->same_subtrees[i]);
    free(request->same_subtrees);
    *request = (struct candidates_request){0};
}
