/* GET /allocation_candidates: reads the request, has candidates made, writes them. */
#include <stdlib.h>

#include "lib/cleanup.h"
#include "placement/server/candidates/candidates.h"
#include "placement/server/candidates/provider_set.h"
#include "placement/server/candidates/request.h"
#include "placement/server/candidates/write.h"
#include "placement/server/handlers/handlers.h"
#include "placement/server/store/store.h"

/* ---- which candidates ---- */

/* The smaller of two limits, where 0 or less means no limit. */
static int64_t smaller_limit(int64_t one, int64_t other)
{
    if (one <= 0)
        return other > 0 ? other : INT64_MAX;
    return other > 0 && other < one ? other : one;
}

/* Collects the first `limit` candidates into `rows` and, unless `beyond` is NULL, the
 * providers of the first `beyond_limit` candidates into that set. There are fewer when
 * the budget is spent before. */
static void collect(const struct candidates_plan *plan, bool breadth_first,
                    int64_t limit, struct provider_set *beyond, int64_t beyond_limit,
                    struct candidate_rows *out)
{
    _cleanup_(candidates_freep) struct candidates *candidates =
        candidates_new(plan, breadth_first);
    const struct resource_provider *const *providers;
    int64_t end = beyond ? beyond_limit : limit;
    out->width = plan->slot_count;
    for (int64_t i = 0; i < end && (providers = candidates_next(candidates)); i++) {
        if (i < limit) {
            if (!budget_take_memory(plan->budget, out->width * sizeof *providers))
                break;
            candidate_rows_add(out, providers);
        }
        for (size_t j = 0; beyond && j < plan->slot_count; j++)
            provider_set_add(beyond, providers[j]);
    }
}

static void swap_rows(struct candidate_rows *rows, size_t one, size_t other)
{
    for (size_t i = 0; i < rows->width; i++) {
        const struct resource_provider *provider = candidate_row(rows, one)[i];
        candidate_row(rows, one)[i] = candidate_row(rows, other)[i];
        candidate_row(rows, other)[i] = provider;
    }
}

/* Reduces `rows` to a random sample of at most `limit`, in random order. */
static void sample(struct candidate_rows *rows, int64_t limit)
{
    size_t kept = (uint64_t)limit < rows->count ? (size_t)limit : rows->count;
    for (size_t i = 0; i < kept; i++)
        swap_rows(rows, i, i + arc4random_uniform((uint32_t)(rows->count - i)));
    rows->count = kept;
}

/* ---- the handler ---- */

static int give_up(const struct budget *budget, struct reply *reply)
{
    return reply_problem(reply, 503, NULL,
                         "No allocation candidate was found in the time that %s; "
                         "ask for less at once.",
                         budget->work < BUDGET_WORK
                             ? "others like it have left in these seconds"
                             : "one request may take");
}

/* Before 1.29 nested trees are hidden: summaries are only of providers that some
 * candidate uses, be it one that the limit cut off. */
static int answer(const struct store *store, const struct request *request,
                  const struct candidates_plan *plan, int64_t limit,
                  struct reply *reply)
{
    const struct store_options *options = &store->options;
    int64_t most = smaller_limit(CANDIDATES_MAX, options->max_allocation_candidates);
    bool hides_trees = plan->one_per_tree;
    bool random = options->randomize_allocation_candidates;
    struct provider_set used = {0};
    _cleanup_(candidate_rows_clear) struct candidate_rows rows = {0};
    limit = smaller_limit(limit, most);
    collect(plan, options->breadth_first, random ? most : limit,
            hides_trees ? &used : NULL, most, &rows);
    if (plan->budget->end != BUDGET_LEFT && rows.count == 0) {
        provider_set_clear(&used);
        return give_up(request->budget, reply);
    }
    if (random)
        sample(&rows, limit);
    candidates_write(&reply->body, plan, &rows, hides_trees ? &used : NULL,
                     request->microversion);
    provider_set_clear(&used);
    return 0;
}

/* Whether there is a candidate for the group alone, without the other groups and
 * without isolation or same_subtree. */
static bool can_be_served(const struct graph *graph,
                          const struct candidates_request *request, size_t group,
                          int microversion, struct budget *budget)
{
    struct candidates_request alone = *request;
    alone.groups = &request->groups[group];
    alone.group_count = 1;
    alone.same_subtree_count = 0;
    size_t unused;
    _cleanup_free_ char *problem = NULL;
    _cleanup_(candidates_plan_clear) struct candidates_plan plan;
    if (candidates_plan_make(graph, &alone, microversion, budget, &plan, &unused,
                             &problem) != PLAN_MADE)
        return false;
    plan.one_per_tree = false;
    _cleanup_(candidates_freep) struct candidates *candidates =
        candidates_new(&plan, false);
    return candidates_next(candidates) != NULL;
}

/* Upstream looks at the groups one by one and replies with no candidates at the first
 * group that nothing can serve. An unknown name is therefore an error only when all
 * groups before it can be served. */
static bool gets_to_group(const struct graph *graph,
                          const struct candidates_request *request, size_t group,
                          int microversion, struct budget *budget)
{
    for (size_t i = 0; i < group; i++)
        if (!can_be_served(graph, request, i, microversion, budget))
            return false;
    return true;
}

int allocation_candidates_list(struct store *store, const struct request *request,
                               struct reply *reply)
{
    _cleanup_(candidates_request_clear) struct candidates_request asked = {0};
    if (candidates_request_read(request, &asked, reply) != 0)
        return -1;
    size_t group;
    _cleanup_free_ char *problem = NULL;
    _cleanup_(candidates_plan_clear) struct candidates_plan plan;
    enum plan_result result =
        candidates_plan_make(&store->graph, &asked, request->microversion,
                             request->budget, &plan, &group, &problem);
    plan.order = store->options.allocation_order;
    reply_last_modified(reply, request, 0);
    if (result == PLAN_MADE)
        return answer(store, request, &plan, asked.limit, reply);
    if (result == PLAN_UNKNOWN_NAME &&
        gets_to_group(&store->graph, &asked, group, request->microversion,
                      request->budget))
        return reply_problem(reply, 400, NULL, "%s", problem);
    if (request->budget->end != BUDGET_LEFT)
        return give_up(request->budget, reply);
    candidates_write(&reply->body, &plan, &(struct candidate_rows){0}, NULL,
                     request->microversion);
    return 0;
}
