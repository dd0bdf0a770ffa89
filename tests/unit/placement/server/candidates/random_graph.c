#include "tests/unit/placement/server/candidates/random_graph.h"

#include <stdio.h>

#include "lib/xalloc.h"

/* ---- chance ---- */

static uint64_t chance_state;

void random_seed(uint64_t seed)
{
    chance_state = seed;
}

unsigned random_below(unsigned limit)
{
    chance_state =
        chance_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(chance_state >> 33) % limit;
}

bool random_one_in(unsigned n)
{
    return random_below(n) == 0;
}

/* ---- the graph ---- */

static void make_names(struct world *world)
{
    static const char *const traits[TRAITS] = {"CUSTOM_T0", "CUSTOM_T1", "CUSTOM_T2",
                                               "MISC_SHARES_VIA_AGGREGATE"};
    struct graph *graph = &world->store.graph;
    for (int i = 0; i < CLASSES; i++) {
        char name[] = {'C', (char)('0' + i), 0};
        world->classes[i] = graph_add_class(graph, i, name, 0);
    }
    for (int i = 0; i < TRAITS; i++)
        world->traits[i] = graph_add_trait(graph, i + 1, traits[i], 0);
    graph->sharing = world->traits[TRAITS - 1];
    for (int i = 0; i < AGGREGATES; i++) {
        char uuid[UUID_TEXT_SIZE];
        snprintf(uuid, sizeof uuid, "aaaaaaaa-0000-0000-0000-%012u", (unsigned)i);
        world->aggregates[i] = graph_add_aggregate(graph, i + 1, uuid);
    }
}

static void furnish(struct world *world, struct resource_provider *provider,
                    unsigned sharing_one_in)
{
    for (int i = 0; i < CLASSES; i++) {
        if (random_one_in(3))
            continue;
        static const double ratios[] = {1.0, 1.0, 0.5, 1.5};
        struct inventory limits = {.total = 1 + random_below(6),
                                   .min_unit = 1 + random_one_in(4)};
        limits.reserved = random_one_in(3) ? random_below((unsigned)limits.total) : 0;
        limits.max_unit = random_one_in(3) ? 1 + random_below(4) : 6;
        limits.step_size = random_one_in(5) ? 2 : 1;
        limits.allocation_ratio = ratios[random_below(4)];
        struct provider_inventory *inventory =
            graph_add_inventory(provider, world->classes[i], &limits, 0);
        inventory->used = random_one_in(3) ? random_below(3) : 0;
    }
    struct trait *traits[TRAITS];
    size_t trait_count = 0;
    for (int i = 0; i < TRAITS; i++)
        if (i == TRAITS - 1 ? random_one_in(sharing_one_in) : random_one_in(2))
            traits[trait_count++] = world->traits[i];
    graph_set_traits(provider, traits, trait_count);
    struct aggregate *aggregates[AGGREGATES];
    size_t aggregate_count = 0;
    for (int i = 0; i < AGGREGATES; i++)
        if (random_one_in(3))
            aggregates[aggregate_count++] = world->aggregates[i];
    graph_set_aggregates(provider, aggregates, aggregate_count);
}

void random_graph_make(struct world *world)
{
    *world = (struct world){0};
    make_names(world);
    world->provider_count = 1 + random_below(MAX_NODES);
    unsigned root_one_in = 1 + random_below(4),
             sharing_one_in = random_one_in(3) ? 1000000 : 3;
    for (size_t i = 0; i < world->provider_count; i++) {
        char uuid[UUID_TEXT_SIZE];
        snprintf(uuid, sizeof uuid, "00000000-0000-0000-0000-%012u", (unsigned)i);
        struct resource_provider *parent =
            i == 0 || random_one_in(root_one_in)
                ? NULL
                : world->providers[random_below((unsigned)i)];
        world->providers[i] =
            graph_add_provider(&world->store.graph, (int64_t)i + 1, uuid, uuid, parent);
        furnish(world, world->providers[i], sharing_one_in);
    }
}
