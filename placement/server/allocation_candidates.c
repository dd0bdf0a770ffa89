/* GET /allocation_candidates: reads the request, has candidates made, writes them. */
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "placement/server/candidates.h"
#include "placement/server/candidates_request.h"
#include "placement/server/node_set.h"
#include "placement/server/route.h"
#include "placement/server/store.h"

/* The candidates of a request: a row of providers each, by slot. */
struct rows {
    const struct node **nodes;
    size_t width, count, room;
    bool gave_up; /* there may be more */
};

static void rows_clear(struct rows *rows)
{
    free(rows->nodes);
}


static const struct node **row_at(const struct rows *rows, size_t i)
{
    return rows->nodes + i * rows->width;
}

static void rows_add(struct rows *rows, const struct node *const *nodes)
{
    if (rows->count == rows->room) {
        rows->room = rows->room ? 2 * rows->room : 16;
        rows->nodes =
            xreallocarray(rows->nodes, rows->room * rows->width, sizeof *rows->nodes);
    }
    memcpy(row_at(rows, rows->count++), nodes, rows->width * sizeof *nodes);
}

/* ---- which candidates ---- */

static int64_t smaller_limit(int64_t one, int64_t other)
{
    if (one <= 0)
        return other > 0 ? other : INT64_MAX;
    return other > 0 && other < one ? other : one;
}

/* The first `limit` candidates; and while `beyond` is not NULL, the providers of all.
 */
static void collect(const struct candidates_plan *plan, bool breadth_first,
                    int64_t limit, struct node_set *beyond, int64_t beyond_limit,
                    struct rows *out)
{
    _cleanup_(candidates_freep) struct candidates *candidates =
        candidates_new(plan, breadth_first);
    const struct node *const *nodes;
    int64_t end = beyond ? beyond_limit : limit;
    out->width = plan->slot_count;
    for (int64_t i = 0; i < end && (nodes = candidates_next(candidates)); i++) {
        if (i < limit)
            rows_add(out, nodes);
        for (size_t j = 0; beyond && j < plan->slot_count; j++)
            node_set_add(beyond, nodes[j]);
    }
    out->gave_up = candidates_gave_up(candidates);
}

static void swap_rows(struct rows *rows, size_t one, size_t other)
{
    for (size_t i = 0; i < rows->width; i++) {
        const struct node *node = row_at(rows, one)[i];
        row_at(rows, one)[i] = row_at(rows, other)[i];
        row_at(rows, other)[i] = node;
    }
}

/* Leaves a random sample of at most `limit`, in random order. */
static void sample(struct rows *rows, int64_t limit)
{
    size_t kept = (uint64_t)limit < rows->count ? (size_t)limit : rows->count;
    for (size_t i = 0; i < kept; i++)
        swap_rows(rows, i, i + arc4random_uniform((uint32_t)(rows->count - i)));
    rows->count = kept;
}

/* ---- allocation_requests ---- */

static bool is_first_use(const struct candidates_plan *plan,
                         const struct node *const *row, size_t slot)
{
    for (size_t i = 0; i < slot; i++)
        if (row[i] == row[slot] && plan->slots[i].amount_count > 0)
            return false;
    return plan->slots[slot].amount_count > 0;
}

static int64_t asked_in_slot(const struct slot *slot,
                             const struct resource_class *class)
{
    for (size_t i = 0; i < slot->amount_count; i++)
        if (slot->amounts[i].class == class)
            return slot->amounts[i].amount;
    return 0;
}

/* What all slots together ask of the class on that slot's provider; 0 when an earlier
 * slot has it in its sum. */
static int64_t sum_of_class(const struct candidates_plan *plan,
                            const struct node *const *row, size_t slot,
                            const struct wanted_amount *amount)
{
    if (!amount->repeated)
        return amount->amount;
    int64_t sum = 0;
    for (size_t i = 0; i < plan->slot_count; i++) {
        int64_t asked =
            row[i] == row[slot] ? asked_in_slot(&plan->slots[i], amount->class) : 0;
        if (asked > 0 && i < slot)
            return 0;
        sum += asked;
    }
    return sum;
}

static void write_resources(struct json_writer *w, const struct candidates_plan *plan,
                            const struct node *const *row, size_t first)
{
    json_write_key(w, "resources");
    json_write_begin_object(w);
    for (size_t i = first; i < plan->slot_count; i++) {
        const struct slot *slot = &plan->slots[i];
        for (size_t j = 0; row[i] == row[first] && j < slot->amount_count; j++) {
            int64_t sum = sum_of_class(plan, row, i, &slot->amounts[j]);
            if (sum > 0)
                json_write_int_member(w, slot->amounts[j].class->name, sum);
        }
    }
    json_write_end_object(w);
}

/* Since 1.12: an object by provider. */
static void write_allocations(struct json_writer *w, const struct candidates_plan *plan,
                              const struct node *const *row)
{
    json_write_key(w, "allocations");
    json_write_begin_object(w);
    for (size_t i = 0; i < plan->slot_count; i++) {
        if (!is_first_use(plan, row, i))
            continue;
        json_write_key(w, row[i]->uuid);
        json_write_begin_object(w);
        write_resources(w, plan, row, i);
        json_write_end_object(w);
    }
    json_write_end_object(w);
}

static void write_allocations_list(struct json_writer *w,
                                   const struct candidates_plan *plan,
                                   const struct node *const *row)
{
    json_write_key(w, "allocations");
    json_write_begin_array(w);
    for (size_t i = 0; i < plan->slot_count; i++) {
        if (!is_first_use(plan, row, i))
            continue;
        json_write_begin_object(w);
        json_write_key(w, "resource_provider");
        json_write_begin_object(w);
        json_write_string_member(w, "uuid", row[i]->uuid);
        json_write_end_object(w);
        write_resources(w, plan, row, i);
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

static bool is_first_of_group(const struct candidates_plan *plan,
                              const struct node *const *row, size_t slot)
{
    for (size_t i = 0; i < slot; i++)
        if (plan->slots[i].wanted == plan->slots[slot].wanted && row[i] == row[slot])
            return false;
    return true;
}

static void write_mappings(struct json_writer *w, const struct candidates_plan *plan,
                           const struct node *const *row)
{
    json_write_key(w, "mappings");
    json_write_begin_object(w);
    for (size_t i = 0; i < plan->slot_count;) {
        const struct wanted *wanted = plan->slots[i].wanted;
        json_write_key(w, wanted->suffix);
        json_write_begin_array(w);
        for (; i < plan->slot_count && plan->slots[i].wanted == wanted; i++)
            if (is_first_of_group(plan, row, i))
                json_write_string(w, row[i]->uuid);
        json_write_end_array(w);
    }
    json_write_end_object(w);
}

static void write_requests(struct json_writer *w, const struct candidates_plan *plan,
                           const struct rows *rows, int microversion)
{
    json_write_key(w, "allocation_requests");
    json_write_begin_array(w);
    for (size_t i = 0; i < rows->count; i++) {
        const struct node *const *row = row_at(rows, i);
        json_write_begin_object(w);
        if (microversion >= 12)
            write_allocations(w, plan, row);
        else
            write_allocations_list(w, plan, row);
        if (microversion >= 34)
            write_mappings(w, plan, row);
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

/* ---- provider_summaries ---- */

static bool is_asked(const struct candidates_plan *plan,
                     const struct resource_class *class)
{
    for (size_t i = 0; i < plan->slot_count; i++)
        if (asked_in_slot(&plan->slots[i], class) > 0)
            return true;
    return false;
}

static void write_summary(struct json_writer *w, const struct candidates_plan *plan,
                          const struct node *node, int microversion)
{
    json_write_key(w, node->uuid);
    json_write_begin_object(w);
    json_write_key(w, "resources");
    json_write_begin_object(w);
    for (size_t i = 0; i < node->stocks.count; i++) {
        const struct stock *stock = node->stocks.items[i];
        if (microversion < 27 && !is_asked(plan, stock->class))
            continue;
        json_write_key(w, stock->class->name);
        json_write_begin_object(w);
        json_write_int_member(w, "capacity", (int64_t)stock_capacity(stock));
        json_write_int_member(w, "used", stock->used);
        json_write_end_object(w);
    }
    json_write_end_object(w);
    if (microversion >= 17) {
        json_write_key(w, "traits");
        json_write_begin_array(w);
        for (size_t i = 0; i < node->trait_count; i++)
            json_write_string(w, node->traits[i]->name);
        json_write_end_array(w);
    }
    if (microversion >= 29) {
        json_write_string_member(w, "parent_provider_uuid",
                                 node->parent ? node->parent->uuid : NULL);
        json_write_string_member(w, "root_provider_uuid", node->root->uuid);
    }
    json_write_end_object(w);
}

/* Of each tree that a candidate takes something from, all providers; `only`, where it
 * is given, those of them. */
static void write_summaries(struct json_writer *w, const struct candidates_plan *plan,
                            const struct rows *rows, const struct node_set *only,
                            int microversion)
{
    struct node_set roots = {0};
    json_write_key(w, "provider_summaries");
    json_write_begin_object(w);
    for (size_t i = 0; i < rows->count * rows->width; i++) {
        const struct node *root = rows->nodes[i]->root;
        if (plan->slots[i % rows->width].amount_count == 0 ||
            !node_set_add(&roots, root))
            continue;
        for (size_t j = 0; j < root->tree.count; j++)
            if (!only || node_set_contains(only, root->tree.items[j]))
                write_summary(w, plan, root->tree.items[j], microversion);
    }
    json_write_end_object(w);
    node_set_clear(&roots);
}

/* ---- the handler ---- */

/* Before 1.29 nested trees are hidden: summaries are only of providers that some
 * candidate uses, be it one that the limit cut off. */
static int answer(const struct store *store, const struct request *request,
                  const struct candidates_plan *plan, int64_t limit,
                  struct reply *reply)
{
    const struct store_options *options = &store->options;
    int64_t most = smaller_limit(0, options->max_allocation_candidates);
    bool hides_trees = plan->one_per_tree,
         random = options->randomize_allocation_candidates;
    struct node_set used = {0};
    _cleanup_(rows_clear) struct rows rows = {0};
    limit = smaller_limit(limit, most);
    collect(plan, options->breadth_first, random ? most : limit,
            hides_trees ? &used : NULL, most, &rows);
    if (rows.count == 0 && rows.gave_up) {
        node_set_clear(&used);
        return reply_problem(reply, 503, NULL,
                             "No allocation candidate was found in %d tries; ask for "
                             "less in one request.",
                             CANDIDATES_MAX_STEPS);
    }
    if (random)
        sample(&rows, limit);
    json_write_begin_object(&reply->body);
    write_requests(&reply->body, plan, &rows, request->microversion);
    write_summaries(&reply->body, plan, &rows, hides_trees ? &used : NULL,
                    request->microversion);
    json_write_end_object(&reply->body);
    node_set_clear(&used);
    return 0;
}

static void answer_empty(struct reply *reply)
{
    json_write_begin_object(&reply->body);
    json_write_key(&reply->body, "allocation_requests");
    json_write_begin_array(&reply->body);
    json_write_end_array(&reply->body);
    json_write_key(&reply->body, "provider_summaries");
    json_write_begin_object(&reply->body);
    json_write_end_object(&reply->body);
    json_write_end_object(&reply->body);
}

/* The group alone, without the other groups and what binds them together. */
static bool can_be_served(const struct graph *graph,
                          const struct candidates_request *request, size_t group,
                          int microversion)
{
    struct candidates_request alone = *request;
    alone.groups = &request->groups[group];
    alone.group_count = 1;
    alone.same_subtree_count = 0;
    size_t unused;
    _cleanup_free_ char *problem = NULL;
    _cleanup_(candidates_plan_clear) struct candidates_plan plan;
    if (candidates_plan_make(graph, &alone, microversion, &plan, &unused, &problem) !=
        PLAN_MADE)
        return false;
    plan.one_per_tree = false;
    _cleanup_(candidates_freep) struct candidates *candidates =
        candidates_new(&plan, false);
    return candidates_next(candidates) != NULL;
}

/* Upstream takes the groups one by one and ends, with no candidates, at the first that
 * nobody can serve. So a name that does not exist is told only if it gets that far. */
static bool gets_to_group(const struct graph *graph,
                          const struct candidates_request *request, size_t group,
                          int microversion)
{
    for (size_t i = 0; i < group; i++)
        if (!can_be_served(graph, request, i, microversion))
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
    enum plan_result result = candidates_plan_make(
        &store->graph, &asked, request->microversion, &plan, &group, &problem);
    reply_last_modified(reply, request, 0);
    if (result == PLAN_MADE)
        return answer(store, request, &plan, asked.limit, reply);
    if (result == PLAN_UNKNOWN_NAME &&
        gets_to_group(&store->graph, &asked, group, request->microversion))
        return reply_problem(reply, 400, NULL, "%s", problem);
    answer_empty(reply);
    return 0;
}
