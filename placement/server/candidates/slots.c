#include "placement/server/candidates/slots.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/xalloc.h"
#include "placement/server/candidates/match.h"

/* ---- names ---- */

static int find_trait(const struct graph *graph, const char *name,
                      struct trait_list *out, char **problem)
{
    const struct trait *trait = graph_trait(graph, name);
    if (!trait) {
        *problem = xasprintf("No such trait(s): %s.", name);
        return -1;
    }
    *array_add(out->items, out->count) = trait;
    return 0;
}

static int find_traits(const struct graph *graph, const struct strlist *names,
                       struct trait_list *out, char **problem)
{
    for (size_t i = 0; i < names->count; i++)
        if (find_trait(graph, names->items[i], out, problem) != 0)
            return -1;
    return 0;
}

void candidates_find_aggregates(const struct graph *graph, const struct strlist *uuids,
                                struct aggregate_list *out)
{
    for (size_t i = 0; i < uuids->count; i++) {
        const struct aggregate *aggregate = graph_aggregate(graph, uuids->items[i]);
        if (aggregate)
            *array_add(out->items, out->count) = aggregate;
    }
}

static int find_classes(const struct graph *graph, const struct filters *filters,
                        struct wanted *out, char **problem)
{
    for (size_t i = 0; i < filters->amount_count; i++) {
        const char *name = filters->amounts[i].class_name;
        const struct resource_class *class = graph_class(graph, name);
        if (!class) {
            *problem =
                xasprintf("Invalid resource class in resources parameter: No such "
                          "resource class %s.",
                          name);
            return -1;
        }
        *array_add(out->amounts, out->amount_count) = (struct wanted_amount){
            .class = class, .amount = filters->amounts[i].amount};
    }
    return 0;
}

static int find_required(const struct graph *graph, const struct filters *filters,
                         struct wanted *out, char **problem)
{
    for (size_t i = 0; i < filters->required.count; i++)
        if (find_traits(graph, &filters->required.sets[i],
                        array_add(out->required, out->required_count), problem) != 0)
            return -1;
    return find_traits(graph, &filters->forbidden, &out->forbidden, problem);
}

/* The order is upstream's: of a group with two faults the first is reported. */
static enum plan_result resolve_group(const struct graph *graph,
                                      const struct candidates_group *group,
                                      struct budget *budget, struct wanted *out,
                                      char **problem)
{
    const struct filters *filters = &group->filters;
    out->suffix = group->suffix;
    out->one_provider = group->suffix[0] != '\0';
    if (find_classes(graph, filters, out, problem) != 0)
        return PLAN_UNKNOWN_NAME;
    for (size_t i = 0; i < filters->member_of.count; i++)
        candidates_find_aggregates(graph, &filters->member_of.sets[i],
                                   array_add(out->member_of, out->member_of_count));
    if (out->member_of_count > 0 && !candidates_has_member(out, budget))
        return PLAN_EMPTY;
    candidates_find_aggregates(graph, &filters->not_member_of, &out->not_member_of);
    if (find_required(graph, filters, out, problem) != 0)
        return PLAN_UNKNOWN_NAME;
    if (filters->in_tree) {
        const struct resource_provider *provider =
            graph_provider(graph, filters->in_tree);
        if (!provider)
            return PLAN_EMPTY;
        out->tree = provider->root;
    }
    return PLAN_MADE;
}

/* ---- slots ---- */

static size_t times_asked(const struct candidates_plan *plan,
                          const struct resource_class *class)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->wanted_count; i++)
        for (size_t j = 0; j < plan->wanted[i].amount_count; j++)
            count += plan->wanted[i].amounts[j].class == class;
    return count;
}

static void mark_repeated(struct candidates_plan *plan)
{
    for (size_t i = 0; i < plan->wanted_count; i++)
        for (size_t j = 0; j < plan->wanted[i].amount_count; j++) {
            struct wanted_amount *amount = &plan->wanted[i].amounts[j];
            amount->repeated = times_asked(plan, amount->class) > 1;
        }
}

static uint64_t cost_of(const struct wanted *wanted)
{
    uint64_t cost = 1 + wanted->amount_count + wanted->forbidden.count +
                    wanted->not_member_of.count;
    for (size_t i = 0; i < wanted->required_count; i++)
        cost += wanted->required[i].count;
    for (size_t i = 0; i < wanted->member_of_count; i++)
        cost += wanted->member_of[i].count;
    return cost;
}

static uint64_t group_bit(const struct candidates_plan *plan,
                          const struct wanted *wanted)
{
    static_assert(CANDIDATES_MAX_GROUPS <= 64, "there is a bit for each group");
    return wanted->one_provider ? UINT64_C(1) << (wanted - plan->wanted) : 0;
}

static void add_slots(struct candidates_plan *plan, const struct wanted *wanted)
{
    size_t slots = wanted->one_provider ? 1 : wanted->amount_count;
    for (size_t i = 0; i < slots; i++)
        *array_add(plan->slots, plan->slot_count) = (struct slot){
            .wanted = wanted,
            .amounts = wanted->amounts ? wanted->amounts + i : NULL,
            .amount_count = wanted->one_provider ? wanted->amount_count : 1,
            .group = group_bit(plan, wanted),
        };
}

static void add_same_subtree(struct candidates_plan *plan,
                             const struct strlist *suffixes)
{
    uint64_t groups = 0;
    for (size_t i = 0; i < plan->wanted_count; i++)
        if (strlist_sorted_contains(suffixes, plan->wanted[i].suffix))
            groups |= group_bit(plan, &plan->wanted[i]);
    for (size_t i = 0; i < plan->same_subtree_count; i++)
        if (plan->same_subtrees[i] == groups)
            return;
    *array_add(plan->same_subtrees, plan->same_subtree_count) = groups;
}

static bool some_root_is_taken(const struct candidates_plan *plan)
{
    if (plan->root_required.count + plan->root_forbidden.count == 0)
        return true;
    const struct provider_list *providers =
        plan->root_required.count > 0 ? &plan->root_required.items[0]->providers
                                      : &plan->graph->roots;
    for (size_t i = 0; i < providers->count; i++)
        if (!providers->items[i]->parent &&
            candidates_plan_takes_root(plan, providers->items[i]))
            return true;
    return false;
}

static enum plan_result resolve_root(const struct candidates_request *request,
                                     struct candidates_plan *plan, char **problem)
{
    for (size_t i = 0; i < request->root_required.count; i++)
        if (find_traits(plan->graph, &request->root_required.sets[i],
                        &plan->root_required, problem) != 0)
            return PLAN_UNKNOWN_NAME;
    if (find_traits(plan->graph, &request->root_forbidden, &plan->root_forbidden,
                    problem) != 0)
        return PLAN_UNKNOWN_NAME;
    return some_root_is_taken(plan) ? PLAN_MADE : PLAN_EMPTY;
}

enum plan_result candidates_plan_make(const struct graph *graph,
                                      const struct candidates_request *request,
                                      int microversion, struct budget *budget,
                                      struct candidates_plan *out, size_t *group,
                                      char **problem)
{
    *out = (struct candidates_plan){
        .graph = graph,
        .budget = budget,
        .wanted = xcalloc(request->group_count, sizeof *out->wanted),
        .isolate = request->isolate,
        .one_per_tree = microversion < MICROVERSION_NESTED_CANDIDATES &&
                        graph->providers.count > graph->roots.count,
    };
    *group = 0;
    enum plan_result result = resolve_root(request, out, problem);
    for (size_t i = 0; result == PLAN_MADE && i < request->group_count; i++) {
        *group = i;
        result = resolve_group(graph, &request->groups[i], budget,
                               &out->wanted[out->wanted_count++], problem);
    }
    if (result != PLAN_MADE)
        return result;
    mark_repeated(out);
    for (size_t i = 0; i < out->wanted_count; i++) {
        out->wanted[i].cost = cost_of(&out->wanted[i]);
        add_slots(out, &out->wanted[i]);
    }
    for (size_t i = 0; i < request->same_subtree_count; i++)
        add_same_subtree(out, &request->same_subtrees[i]);
    return PLAN_MADE;
}

bool candidates_plan_takes_root(const struct candidates_plan *plan,
                                const struct resource_provider *root)
{
    size_t traits = plan->root_required.count + plan->root_forbidden.count;
    if (!budget_spend(plan->budget, 1 + traits))
        return false;
    for (size_t i = 0; i < plan->root_required.count; i++)
        if (!provider_has_trait(root, plan->root_required.items[i]))
            return false;
    return !candidates_has_any_trait(root, &plan->root_forbidden);
}

void candidates_wanted_clear(struct wanted *wanted)
{
    for (size_t i = 0; i < wanted->required_count; i++)
        free(wanted->required[i].items);
    for (size_t i = 0; i < wanted->member_of_count; i++)
        free(wanted->member_of[i].items);
    free(wanted->required);
    free(wanted->member_of);
    free(wanted->amounts);
    free(wanted->forbidden.items);
    free(wanted->not_member_of.items);
}

void candidates_plan_clear(struct candidates_plan *plan)
{
    for (size_t i = 0; i < plan->wanted_count; i++)
        candidates_wanted_clear(&plan->wanted[i]);
    free(plan->same_subtrees);
    free(plan->wanted);
    free(plan->slots);
    free(plan->root_required.items);
    free(plan->root_forbidden.items);
    *plan = (struct candidates_plan){0};
}
