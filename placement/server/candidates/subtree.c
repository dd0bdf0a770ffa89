/* same_subtree: the providers of certain slots must be one of them and providers below
 * that one. Checked step by step while the slots are filled. */
#include <stdlib.h>

#include "lib/xalloc.h"
#include "placement/server/candidates/search.h"

/* ---- which groups a provider may serve at this anchor ---- */

static int compare_offers(const void *a, const void *b)
{
    const struct offer *one = a, *other = b;
    return (one->provider > other->provider) - (one->provider < other->provider);
}

void candidates_subtree_begin(struct candidates_search *search)
{
    const struct candidates_plan *plan = search->plan;
    size_t count = 0, kept = 0;
    if (plan->same_subtree_count == 0)
        return;
    for (size_t i = 0; i < plan->slot_count; i++)
        count += plan->slots[i].group ? search->choices[i].count : 0;
    free(search->offers);
    struct offer *offers = search->offers = xcalloc(count, sizeof *offers);
    count = 0;
    for (size_t i = 0; i < plan->slot_count; i++)
        for (size_t j = 0; plan->slots[i].group && j < search->choices[i].count; j++)
            offers[count++] = (struct offer){search->choices[i].items[j].provider,
                                             plan->slots[i].group};
    qsort(offers, count, sizeof *offers, compare_offers);
    for (size_t i = 0; i < count; i++)
        if (kept > 0 && offers[kept - 1].provider == offers[i].provider)
            offers[kept - 1].groups |= offers[i].groups;
        else
            offers[kept++] = offers[i];
    search->offer_count = kept;
}

static uint64_t groups_of(const struct candidates_search *search,
                          const struct resource_provider *provider)
{
    const struct offer key = {.provider = provider};
    const struct offer *found =
        bsearch(&key, search->offers, search->offer_count, sizeof key, compare_offers);
    return found ? found->groups : 0;
}

/* ---- the provider above all ---- */

/* How many levels the provider is below its root. */
static size_t level_of(const struct candidates_search *search,
                       const struct resource_provider *provider)
{
    size_t level = 0;
    for (; provider->parent; provider = provider->parent)
        level++;
    budget_spend(search->plan->budget, 1 + level);
    return level;
}

/* The lowest common ancestor of two providers, where each is an ancestor of itself;
 * NULL when they are in different trees. */
static const struct resource_provider *
lowest_above(const struct candidates_search *search,
             const struct resource_provider *one, const struct resource_provider *other)
{
    size_t one_level = level_of(search, one), other_level = level_of(search, other);
    for (; one_level > other_level; one_level--)
        one = one->parent;
    for (; other_level > one_level; other_level--)
        other = other->parent;
    while (one != other) {
        one = one->parent;
        other = other->parent;
    }
    return one;
}

static bool can_be_chosen(const struct candidates_search *search,
                          const struct resource_provider *provider, uint64_t groups)
{
    for (; provider && budget_spend(search->plan->budget, 1);
         provider = provider->parent)
        if (groups_of(search, provider) & groups)
            return true;
    return false;
}

static bool fill_one(struct candidates_search *search, size_t depth, size_t subtree)
{
    const struct candidates_plan *plan = search->plan;
    const struct resource_provider *provider = search->providers[depth];
    uint64_t groups = plan->same_subtrees[subtree];
    struct common *common = &search->common[depth * plan->same_subtree_count + subtree];
    struct common before =
        depth > 0 ? common[-(ptrdiff_t)plan->same_subtree_count] : (struct common){0};
    *common = before;
    if (!(groups & plan->slots[depth].group))
        return true;
    common->top = before.top ? lowest_above(search, before.top, provider) : provider;
    common->chosen =
        common->top == provider || (common->top == before.top && before.chosen);
    return common->chosen ||
           can_be_chosen(search, common->top, groups & search->groups_from[depth + 1]);
}

bool candidates_subtree_fill(struct candidates_search *search, size_t depth)
{
    for (size_t i = 0; i < search->plan->same_subtree_count; i++)
        if (!fill_one(search, depth, i))
            return false;
    return true;
}
