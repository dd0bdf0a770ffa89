#include "tests/unit/placement/server/candidates/reference_candidates.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

struct place { /* a slot: a group, and for that without a suffix one class */
    const struct group *group;
    int class; /* -1: all */
};

struct trial {
    const struct world *world;
    const struct spec *spec;
    struct place places[MAX_SLOTS];
    size_t place_count;
    const struct resource_provider *anchor, *chosen[MAX_SLOTS];
    struct strlist *found;
};

static unsigned traits_of(const struct world *world,
                          const struct resource_provider *provider)
{
    unsigned bits = 0;
    for (int i = 0; i < TRAITS; i++)
        for (size_t j = 0; j < provider->trait_count; j++)
            if (provider->traits[j] == world->traits[i])
                bits |= 1U << i;
    return bits;
}

static unsigned aggregates_of(const struct world *world,
                              const struct resource_provider *provider)
{
    unsigned bits = 0;
    for (int i = 0; i < AGGREGATES; i++)
        for (size_t j = 0; j < provider->aggregate_count; j++)
            if (provider->aggregates[j] == world->aggregates[i])
                bits |= 1U << i;
    return bits;
}

static bool meets(const struct any any[2], unsigned bits)
{
    return (!any[0].bits || any[0].bits & bits) && (!any[1].bits || any[1].bits & bits);
}

static bool shares_with(const struct world *world,
                        const struct resource_provider *provider,
                        const struct resource_provider *anchor)
{
    if (!(traits_of(world, provider) & (1U << (TRAITS - 1))))
        return false;
    for (size_t i = 0; i < world->provider_count; i++)
        if (world->providers[i]->root == anchor &&
            aggregates_of(world, world->providers[i]) & aggregates_of(world, provider))
            return true;
    return false;
}

static bool membership_holds(const struct trial *trial, const struct group *group,
                             const struct resource_provider *provider)
{
    unsigned own = aggregates_of(trial->world, provider);
    unsigned roots = aggregates_of(trial->world, trial->anchor);
    if (*group->suffix)
        return meets(group->member_of, own) && !(group->not_member_of & own);
    bool by_root = provider->root == trial->anchor && meets(group->member_of, roots);
    return (meets(group->member_of, own) || by_root) &&
           !(group->not_member_of & (own | roots));
}

static bool tree_holds(const struct trial *trial, const struct group *group,
                       const struct resource_provider *provider)
{
    if (!group->in_tree)
        return true;
    if (!*group->suffix)
        return trial->anchor == group->in_tree->root && provider->root == trial->anchor;
    bool resourceless = true;
    for (int i = 0; i < CLASSES; i++)
        resourceless &= group->amounts[i] == 0;
    return resourceless || provider->root == group->in_tree->root;
}

static bool fits(const struct trial *trial, const struct place *place,
                 const struct resource_provider *provider)
{
    for (int i = 0; i < CLASSES; i++) {
        int64_t amount = place->group->amounts[i];
        if (amount == 0 || (place->class >= 0 && place->class != i))
            continue;
        const struct provider_inventory *inventory =
            provider_inventory_of(provider, trial->world->classes[i]);
        if (!inventory || amount < inventory->limits.min_unit ||
            amount > inventory->limits.max_unit ||
            amount % inventory->limits.step_size != 0 ||
            (double)(inventory->used + amount) > inventory_capacity(&inventory->limits))
            return false;
    }
    return true;
}

static bool may_take(const struct trial *trial, const struct place *place,
                     const struct resource_provider *provider)
{
    unsigned traits = traits_of(trial->world, provider);
    if (provider->root != trial->anchor &&
        !shares_with(trial->world, provider, trial->anchor))
        return false;
    if (*place->group->suffix && !meets(place->group->required, traits))
        return false;
    return random_group_asks(place->group) && !(place->group->forbidden & traits) &&
           fits(trial, place, provider) && tree_holds(trial, place->group, provider) &&
           membership_holds(trial, place->group, provider);
}

static int64_t total_asked(const struct trial *trial,
                           const struct resource_provider *provider, int class)
{
    int64_t sum = 0;
    for (size_t i = 0; i < trial->place_count; i++)
        if (trial->chosen[i] == provider &&
            (trial->places[i].class < 0 || trial->places[i].class == class))
            sum += trial->places[i].group->amounts[class];
    return sum;
}

static bool sums_hold(const struct trial *trial)
{
    for (size_t i = 0; i < trial->place_count; i++)
        for (int class = 0; class < CLASSES; class ++) {
            const struct resource_provider *provider = trial->chosen[i];
            int64_t sum = total_asked(trial, provider, class);
            const struct provider_inventory *inventory =
                provider_inventory_of(provider, trial->world->classes[class]);
            if (sum > 0 && (sum > inventory->limits.max_unit ||
                            (double)(inventory->used + sum) >
                                inventory_capacity(&inventory->limits)))
                return false;
        }
    return true;
}

static bool groups_hold(const struct trial *trial)
{
    unsigned collected = 0;
    const struct group *together = NULL;
    for (size_t i = 0; i < trial->place_count; i++) {
        bool granular = *trial->places[i].group->suffix;
        if (!granular) {
            together = trial->places[i].group;
            collected |= traits_of(trial->world, trial->chosen[i]);
        }
        for (size_t j = 0; j < i; j++) {
            bool same = trial->chosen[i] == trial->chosen[j];
            if (same && granular && *trial->places[j].group->suffix &&
                trial->spec->isolate)
                return false;
            if (!same && trial->chosen[i]->root == trial->chosen[j]->root &&
                trial->spec->microversion < 29)
                return false;
        }
    }
    return !together || meets(together->required, collected);
}

static bool subtree_holds(const struct trial *trial)
{
    bool any = false;
    for (size_t i = 0; trial->spec->same_subtree && i < trial->place_count; i++) {
        if (!*trial->places[i].group->suffix)
            continue;
        bool above_all = true;
        any = true;
        for (size_t j = 0; j < trial->place_count; j++) {
            const struct resource_provider *up = trial->chosen[j];
            while (up && up != trial->chosen[i])
                up = up->parent;
            above_all &= up || !*trial->places[j].group->suffix;
        }
        if (above_all)
            return true;
    }
    return !any;
}

/* A candidate as text: "provider:class=sum ..." and "suffix>provider ...", each
 * sorted. */
static char *describe(const struct trial *trial)
{
    _cleanup_strlist_ struct strlist words = {0};
    for (size_t i = 0; i < trial->world->provider_count; i++)
        for (int class = 0; class < CLASSES; class ++) {
            const struct resource_provider *provider = trial->world->providers[i];
            int64_t sum = total_asked(trial, provider, class);
            if (sum > 0)
                strlist_add_take(&words, xasprintf("%s:%s=%d", provider->uuid,
                                                   trial->world->classes[class]->name,
                                                   (int)sum));
        }
    for (size_t i = 0; i < trial->place_count; i++) {
        _cleanup_free_ char *word =
            xasprintf("%s>%s", trial->places[i].group->suffix, trial->chosen[i]->uuid);
        strlist_add_unique(&words, word);
    }
    strlist_sort(&words);
    return strlist_join(&words, " ");
}

static void try_places(struct trial *trial, size_t depth)
{
    if (depth == trial->place_count) {
        if (!sums_hold(trial) || !groups_hold(trial) || !subtree_holds(trial))
            return;
        _cleanup_free_ char *text = describe(trial);
        strlist_add_unique(trial->found, text);
        return;
    }
    for (size_t i = 0; i < trial->world->provider_count; i++) {
        trial->chosen[depth] = trial->world->providers[i];
        if (may_take(trial, &trial->places[depth], trial->chosen[depth]))
            try_places(trial, depth + 1);
    }
}

struct strlist reference_candidates(const struct world *world, const struct spec *spec)
{
    struct strlist found = {0};
    struct trial trial = {.world = world, .spec = spec, .found = &found};
    for (size_t i = 0; i < spec->group_count; i++) {
        const struct group *group = &spec->groups[i];
        if (*group->suffix)
            trial.places[trial.place_count++] = (struct place){group, -1};
        for (int class = 0; !*group->suffix && class < CLASSES; class ++)
            if (group->amounts[class] > 0)
                trial.places[trial.place_count++] = (struct place){group, class};
    }
    for (size_t i = 0; i < world->provider_count; i++) {
        trial.anchor = world->providers[i];
        unsigned traits = traits_of(world, trial.anchor);
        if (!trial.anchor->parent && (spec->root_required & ~traits) == 0 &&
            !(spec->root_forbidden & traits))
            try_places(&trial, 0);
    }
    strlist_sort(&found);
    return found;
}
