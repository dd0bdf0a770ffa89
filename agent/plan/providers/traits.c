#include "agent/plan/providers/traits.h"

#include <string.h>

#include "agent/desired/type_traits.h"

static const struct strlist none;

static const struct strlist *observed_traits(const struct managed *managed)
{
    return managed->observed ? &managed->observed->traits : &none;
}

/* True when the trait exists or can be created. Only traits with the prefix CUSTOM_ can
 * be created. */
static bool is_available(const struct world *world, const char *trait)
{
    return strncmp(trait, "CUSTOM_", strlen("CUSTOM_")) == 0 ||
           strlist_contains(&world->in->observed->known_traits, trait);
}

static struct strlist wanted_traits(const struct world *world,
                                    const struct managed *managed)
{
    struct strlist wanted = {0};
    for (size_t i = 0; managed->desired && i < managed->desired->traits.count; i++)
        if (is_available(world, managed->desired->traits.items[i]))
            strlist_add(&wanted, managed->desired->traits.items[i]);
    return wanted;
}

/* True when an observed trait is the agent's. A provider that has the agent's mark and
 * no journal entry was the agent's before the journal was lost: then the traits that
 * the agent would set count as its own again, so that a trait of a former type does not
 * stay for ever. */
static bool is_ours(const struct managed *managed, const struct strlist *wanted,
                    const char *trait)
{
    if (managed->noted)
        return strlist_contains(&managed->noted->traits, trait);
    return strlist_contains(observed_traits(managed), TRAIT_OWNER_AGENT) &&
           strlist_contains(wanted, trait);
}

/* True when the traits that are set stay as they are: a sick GPU does not show its
 * type, and a retired provider has none. The provider of a card with several types
 * keeps what it had for as long as something is allocated there: the traits say of
 * which type that is. In nova mode the latter does not apply, since
 * nova-compute goes on offering a child that has no type any more. */
static bool is_frozen(const struct world *world, const struct managed *managed)
{
    if (managed->desired && managed->desired->is_card && managed->observed &&
        managed->observed->allocation_count)
        return true;
    return managed->desired ? managed->desired->sick != NULL : world->owner;
}

struct traits_decision traits_decide(const struct world *world,
                                     const struct managed *managed)
{
    struct traits_decision decision = {0};
    const struct strlist *observed = observed_traits(managed);
    if (is_frozen(world, managed)) {
        decision.all = strlist_copy(observed);
        if (managed->noted)
            decision.own = strlist_copy(&managed->noted->traits);
        return decision;
    }
    _cleanup_strlist_ struct strlist wanted = wanted_traits(world, managed);
    for (size_t i = 0; i < observed->count; i++) {
        const char *trait = observed->items[i];
        bool keep =
            strlist_contains(&wanted, trait) || !is_ours(managed, &wanted, trait);
        if (keep)
            strlist_add(&decision.all, trait);
        decision.changed |= !keep;
    }
    for (size_t i = 0; i < wanted.count; i++) {
        const char *trait = wanted.items[i];
        bool added = strlist_add_unique(&decision.all, trait);
        decision.changed |= added;
        if (added || is_ours(managed, &wanted, trait))
            strlist_add(&decision.own, trait);
    }
    strlist_sort(&decision.all);
    strlist_sort(&decision.own);
    return decision;
}

void traits_decision_clear(struct traits_decision *decision)
{
    strlist_clear(&decision->all);
    strlist_clear(&decision->own);
    strlist_clear(&decision->found);
}
