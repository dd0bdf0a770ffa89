#include "placement/server/candidates/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "placement/server/candidates/parameters.h"
#include "placement/server/message/python_text.h"

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
    if (filters_read_traits(query_first(query, "root_required"), true, false,
                            &out->root_required, &out->root_forbidden, reply) != 0)
        return -1;
    strlist_sort_unique(&out->root_forbidden);
    _cleanup_strlist_ struct strlist conflicts = {0};
    for (size_t i = 0; i < out->root_required.count; i++) {
        const char *trait = out->root_required.sets[i].items[0];
        if (strlist_sorted_contains(&out->root_forbidden, trait))
            strlist_add(&conflicts, trait);
    }
    strlist_sort_unique(&conflicts);
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
        *set = strlist_split(query->items[i].value, ',');
        strlist_sort_unique(set);
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

/* Whether the query has the same parameter before index `at`: all parameters of one
 * name are read together at the first of them. */
static bool came_before(const struct query *query, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(query->items[i].name, query->items[at].name) == 0)
            return true;
    return false;
}

static int read_groups(const struct request *request, struct candidates_request *out,
                       struct reply *reply)
{
    const struct query *query = &request->query;
    int microversion = request->microversion, rc;
    for (size_t i = 0; i < query->count; i++) {
        const char *suffix, *value = query->items[i].value;
        enum group_parameter parameter =
            candidates_group_parameter(query->items[i].name, microversion, &suffix);
        struct candidates_group *group;
        if (parameter == NO_GROUP_PARAMETER)
            continue;
        if (ensure_group(out, suffix, &group, reply) != 0)
            return -1;
        struct filters *filters = &group->filters;
        if ((parameter == REQUIRED || parameter == MEMBER_OF) && came_before(query, i))
            rc = 0;
        else if (parameter == RESOURCES)
            rc = filters_read_resources(filters, value, reply);
        else if (parameter == REQUIRED)
            rc = filters_read_required(filters, query, suffix, microversion, reply);
        else if (parameter == MEMBER_OF)
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

/* Before 1.36 each group must ask for resources; refuses other parameters without them.
 */
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
        if (strlist_sorted_contains(&request->same_subtrees[i], suffix))
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
                strlist_add(&unknown, request->same_subtrees[i].items[j]);
    strlist_sort_unique(&unknown);
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
        if (!strlist_sorted_contains(forbidden, any->items[i]))
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
    if (candidates_parameters_check(request, reply) != 0 ||
        read_whole(query, out, reply) != 0 || read_groups(request, out, reply) != 0)
        return -1;
    int rc = request_at_least(request, MICROVERSION_SAME_SUBTREE)
                 ? check_resourceless(out, reply)
                 : check_orphans(out, reply);
    if (rc != 0)
        return -1;
    if (request_at_least(request, MICROVERSION_FORBIDDEN_TRAITS) &&
        check_conflicts(out, reply) != 0)
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
    filters_clear_any_of(&request->root_required);
    strlist_clear(&request->root_forbidden);
    for (size_t i = 0; i < request->same_subtree_count; i++)
        strlist_clear(&request->same_subtrees[i]);
    free(request->same_subtrees);
    *request = (struct candidates_request){0};
}
