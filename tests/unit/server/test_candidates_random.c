/*
 * Random small graphs and random requests: what the handler answers against a reference
 * that tries every provider in every slot at every anchor, and checks each rule by its
 * definition.
 */
#include "tests/unit/test.h"

#include <json-c/linkhash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_read.h"
#include "lib/strlist.h"
#include "lib/xalloc.h"
#include "placement/server/route.h"
#include "placement/server/store.h"

#define MAX_NODES 7
#define CLASSES 3
#define TRAITS 4 /* the last one is that of sharing providers */
#define AGGREGATES 3
#define MAX_GROUPS 3
#define MAX_SLOTS 4

/* ---- chance ---- */

static uint64_t chance_state;

static unsigned below(unsigned limit)
{
    chance_state =
        chance_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(chance_state >> 33) % limit;
}

static bool one_in(unsigned n)
{
    return below(n) == 0;
}

/* ---- a random graph ---- */

struct world {
    struct store store;
    struct node *nodes[MAX_NODES];
    size_t node_count;
    struct resource_class *classes[CLASSES];
    struct trait *traits[TRAITS];
    struct aggregate *aggregates[AGGREGATES];
};

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

static void furnish(struct world *world, struct node *node, unsigned sharing_one_in)
{
    for (int i = 0; i < CLASSES; i++) {
        if (one_in(3))
            continue;
        static const double ratios[] = {1.0, 1.0, 0.5, 1.5};
        struct inventory limits = {.total = 1 + below(6), .min_unit = 1 + one_in(4)};
        limits.reserved = one_in(3) ? below((unsigned)limits.total) : 0;
        limits.max_unit = one_in(3) ? 1 + below(4) : 6;
        limits.step_size = one_in(5) ? 2 : 1;
        limits.allocation_ratio = ratios[below(4)];
        struct stock *stock = graph_add_stock(node, world->classes[i], &limits, 0);
        stock->used = one_in(3) ? below(3) : 0;
    }
    struct trait *traits[TRAITS];
    size_t trait_count = 0;
    for (int i = 0; i < TRAITS; i++)
        if (i == TRAITS - 1 ? one_in(sharing_one_in) : one_in(2))
            traits[trait_count++] = world->traits[i];
    graph_set_traits(node, traits, trait_count);
    struct aggregate *aggregates[AGGREGATES];
    size_t aggregate_count = 0;
    for (int i = 0; i < AGGREGATES; i++)
        if (one_in(3))
            aggregates[aggregate_count++] = world->aggregates[i];
    graph_set_aggregates(node, aggregates, aggregate_count);
}

static void make_world(struct world *world)
{
    *world = (struct world){0};
    make_names(world);
    world->node_count = 1 + below(MAX_NODES);
    unsigned root_one_in = 1 + below(4), sharing_one_in = one_in(3) ? 1000000 : 3;
    for (size_t i = 0; i < world->node_count; i++) {
        char uuid[UUID_TEXT_SIZE];
        snprintf(uuid, sizeof uuid, "00000000-0000-0000-0000-%012u", (unsigned)i);
        struct node *parent =
            i == 0 || one_in(root_one_in) ? NULL : world->nodes[below((unsigned)i)];
        world->nodes[i] =
            graph_add_node(&world->store.graph, (int64_t)i + 1, uuid, uuid, parent);
        furnish(world, world->nodes[i], sharing_one_in);
    }
}

/* ---- a random request ---- */

struct any {
    unsigned bits; /* of traits or aggregates; 0: not asked */
};

struct group {
    const char *suffix;
    int64_t amounts[CLASSES]; /* 0: not asked */
    struct any required[2], member_of[2];
    unsigned forbidden, not_member_of;
    struct node *in_tree;
};

struct spec {
    int microversion;
    struct group groups[MAX_GROUPS];
    size_t group_count;
    bool isolate;
    unsigned root_required, root_forbidden;
    bool same_subtree; /* of all groups with a suffix */
};

static size_t slots_of(const struct group *group)
{
    size_t classes = 0;
    for (int i = 0; i < CLASSES; i++)
        classes += group->amounts[i] > 0;
    return *group->suffix ? 1 : classes;
}

static bool asks_something(const struct group *group)
{
    for (int i = 0; i < CLASSES; i++)
        if (group->amounts[i] > 0)
            return true;
    return group->required[0].bits || group->required[1].bits ||
           group->member_of[0].bits || group->member_of[1].bits;
}

static void make_any(struct any any[2], unsigned choices, bool many)
{
    for (int i = 0; i < 2; i++) {
        if (!one_in(4))
            continue;
        any[i].bits = 1U << below(choices);
        if (many && one_in(2))
            any[i].bits |= 1U << below(choices);
    }
}

/* A required set that is all forbidden is refused: that is another test's matter. */
static void drop_conflicts(struct group *group)
{
    for (int i = 0; i < 2; i++)
        if ((group->required[i].bits & ~group->forbidden) == 0)
            group->required[i].bits = 0;
}

static void make_group(const struct world *world, const struct spec *spec,
                       struct group *group)
{
    bool resourceless = spec->same_subtree && *group->suffix && one_in(4);
    for (int i = 0; i < CLASSES && !resourceless; i++)
        group->amounts[i] = one_in(2) ? 1 + below(3) : 0;
    if (slots_of(group) == 0 || (*group->suffix && !resourceless))
        if (!resourceless)
            group->amounts[below(CLASSES)] = 1 + below(3);
    int version = spec->microversion;
    if (version >= 17)
        make_any(group->required, TRAITS - 1, version >= 39);
    if (version >= 22 && one_in(5))
        group->forbidden = 1U << below(TRAITS - 1);
    if (version >= 24)
        make_any(group->member_of, AGGREGATES, true);
    if (version >= 32 && one_in(6))
        group->not_member_of = 1U << below(AGGREGATES);
    if (version >= 31 && one_in(6))
        group->in_tree = world->nodes[below((unsigned)world->node_count)];
    drop_conflicts(group);
    if (resourceless && !asks_something(group) && !group->forbidden)
        group->required[0].bits = 1; /* else there is nothing to write down */
}

static struct spec make_spec(const struct world *world)
{
    static const int versions[] = {39, 39, 39, 39, 36, 35, 33, 29, 28, 25, 17, 10};
    static const char *const suffixes[] = {"", "1", "2"};
    struct spec spec = {.microversion = versions[below(12)]};
    spec.isolate = one_in(2);
    spec.same_subtree = spec.microversion >= 36 && one_in(3);
    if (spec.microversion >= 35 && one_in(5))
        spec.root_required = 1U << below(TRAITS - 1);
    if (spec.microversion >= 35 && one_in(8))
        spec.root_forbidden = 1U << below(TRAITS - 1);
    spec.root_forbidden &= ~spec.root_required;
    size_t slots = 0, most = spec.microversion >= 25 ? MAX_GROUPS : 1;
    for (size_t i = 0; i < most; i++) {
        if (most > 1 && one_in(3) && !(i == most - 1 && spec.group_count == 0))
            continue;
        struct group *group = &spec.groups[spec.group_count];
        *group = (struct group){.suffix = suffixes[i]};
        make_group(world, &spec, group);
        if (slots + slots_of(group) > MAX_SLOTS)
            continue;
        slots += slots_of(group);
        spec.group_count++;
    }
    return spec;
}

/* ---- as a query string ---- */

static void add_set(FILE *out, const char *name, const char *suffix, unsigned bits,
                    const char *(*spell)(const struct world *, int),
                    const struct world *world)
{
    const char *separator = (bits & (bits - 1)) != 0 ? "in:" : "";
    fprintf(out, "&%s%s=", name, suffix);
    for (int i = 0; i < 8; i++)
        if (bits & (1U << i)) {
            fprintf(out, "%s%s", separator, spell(world, i));
            separator = ",";
        }
}

static const char *trait_name(const struct world *world, int i)
{
    return world->traits[i]->name;
}

static const char *aggregate_uuid(const struct world *world, int i)
{
    return world->aggregates[i]->uuid;
}

/* Before 1.39 `required` counts once: all names in one value. */
static void add_required(FILE *out, const struct world *world, const struct spec *spec,
                         const struct group *group)
{
    if (spec->microversion >= 39) {
        for (int i = 0; i < 2; i++)
            if (group->required[i].bits)
                add_set(out, "required", group->suffix, group->required[i].bits,
                        trait_name, world);
        if (group->forbidden)
            fprintf(out, "&required%s=!%s", group->suffix,
                    trait_name(world, __builtin_ctz(group->forbidden)));
        return;
    }
    const char *separator = "";
    if (!group->required[0].bits && !group->required[1].bits && !group->forbidden)
        return;
    fprintf(out, "&required%s=", group->suffix);
    for (int i = 0; i < 2; i++)
        if (group->required[i].bits) {
            fprintf(out, "%s%s", separator,
                    trait_name(world, __builtin_ctz(group->required[i].bits)));
            separator = ",";
        }
    if (group->forbidden)
        fprintf(out, "%s!%s", separator,
                trait_name(world, __builtin_ctz(group->forbidden)));
}

static void add_group(FILE *out, const struct world *world, const struct spec *spec,
                      const struct group *group)
{
    const char *separator = "";
    for (int i = 0; i < CLASSES; i++)
        if (group->amounts[i] > 0) {
            if (!*separator)
                fprintf(out, "&resources%s=", group->suffix);
            fprintf(out, "%s%s:%d", separator, world->classes[i]->name,
                    (int)group->amounts[i]);
            separator = ",";
        }
    add_required(out, world, spec, group);
    for (int i = 0; i < 2; i++)
        if (group->member_of[i].bits)
            add_set(out, "member_of", group->suffix, group->member_of[i].bits,
                    aggregate_uuid, world);
    if (group->not_member_of)
        fprintf(out, "&member_of%s=!%s", group->suffix,
                aggregate_uuid(world, __builtin_ctz(group->not_member_of)));
    if (group->in_tree)
        fprintf(out, "&in_tree%s=%s", group->suffix, group->in_tree->uuid);
}

static char *make_query(const struct world *world, const struct spec *spec)
{
    char *text = NULL;
    const char *separator = "&same_subtree=";
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    for (size_t i = 0; i < spec->group_count; i++)
        add_group(out, world, spec, &spec->groups[i]);
    if (spec->microversion >= 25)
        fprintf(out, "&group_policy=%s", spec->isolate ? "isolate" : "none");
    for (size_t i = 0; spec->same_subtree && i < spec->group_count; i++)
        if (*spec->groups[i].suffix) {
            fprintf(out, "%s%s", separator, spec->groups[i].suffix);
            separator = ",";
        }
    if (spec->root_required || spec->root_forbidden)
        fprintf(out, "&root_required=%s%s%s",
                spec->root_required
                    ? trait_name(world, __builtin_ctz(spec->root_required))
                    : "",
                spec->root_required && spec->root_forbidden ? "," : "",
                spec->root_forbidden ? "!" : "");
    if (spec->root_forbidden)
        fputs(trait_name(world, __builtin_ctz(spec->root_forbidden)), out);
    fclose(out);
    return text;
}

/* ---- the reference ---- */

struct place { /* a slot: a group, and for that without a suffix one class */
    const struct group *group;
    int class; /* -1: all */
};

struct trial {
    const struct world *world;
    const struct spec *spec;
    struct place places[MAX_SLOTS];
    size_t place_count;
    const struct node *anchor, *chosen[MAX_SLOTS];
    struct strlist *found;
};

static unsigned traits_of(const struct world *world, const struct node *node)
{
    unsigned bits = 0;
    for (int i = 0; i < TRAITS; i++)
        for (size_t j = 0; j < node->trait_count; j++)
            if (node->traits[j] == world->traits[i])
                bits |= 1U << i;
    return bits;
}

static unsigned aggregates_of(const struct world *world, const struct node *node)
{
    unsigned bits = 0;
    for (int i = 0; i < AGGREGATES; i++)
        for (size_t j = 0; j < node->aggregate_count; j++)
            if (node->aggregates[j] == world->aggregates[i])
                bits |= 1U << i;
    return bits;
}

static bool meets(const struct any any[2], unsigned bits)
{
    return (!any[0].bits || any[0].bits & bits) && (!any[1].bits || any[1].bits & bits);
}

static bool shares_with(const struct world *world, const struct node *node,
                        const struct node *anchor)
{
    if (!(traits_of(world, node) & (1U << (TRAITS - 1))))
        return false;
    for (size_t i = 0; i < world->node_count; i++)
        if (world->nodes[i]->root == anchor &&
            aggregates_of(world, world->nodes[i]) & aggregates_of(world, node))
            return true;
    return false;
}

static bool membership_holds(const struct trial *trial, const struct group *group,
                             const struct node *node)
{
    unsigned own = aggregates_of(trial->world, node);
    unsigned roots = aggregates_of(trial->world, trial->anchor);
    if (*group->suffix)
        return meets(group->member_of, own) && !(group->not_member_of & own);
    bool by_root = node->root == trial->anchor && meets(group->member_of, roots);
    return (meets(group->member_of, own) || by_root) &&
           !(group->not_member_of & (own | roots));
}

static bool tree_holds(const struct trial *trial, const struct group *group,
                       const struct node *node)
{
    if (!group->in_tree)
        return true;
    if (!*group->suffix)
        return trial->anchor == group->in_tree->root && node->root == trial->anchor;
    bool resourceless = true;
    for (int i = 0; i < CLASSES; i++)
        resourceless &= group->amounts[i] == 0;
    return resourceless || node->root == group->in_tree->root;
}

static bool fits(const struct trial *trial, const struct place *place,
                 const struct node *node)
{
    for (int i = 0; i < CLASSES; i++) {
        int64_t amount = place->group->amounts[i];
        if (amount == 0 || (place->class >= 0 && place->class != i))
            continue;
        const struct stock *stock = node_stock(node, trial->world->classes[i]);
        if (!stock || amount < stock->limits.min_unit ||
            amount > stock->limits.max_unit || amount % stock->limits.step_size != 0 ||
            (double)(stock->used + amount) > stock_capacity(stock))
            return false;
    }
    return true;
}

static bool may_take(const struct trial *trial, const struct place *place,
                     const struct node *node)
{
    unsigned traits = traits_of(trial->world, node);
    if (node->root != trial->anchor && !shares_with(trial->world, node, trial->anchor))
        return false;
    if (*place->group->suffix && !meets(place->group->required, traits))
        return false;
    return asks_something(place->group) && !(place->group->forbidden & traits) &&
           fits(trial, place, node) && tree_holds(trial, place->group, node) &&
           membership_holds(trial, place->group, node);
}

static int64_t total_asked(const struct trial *trial, const struct node *node,
                           int class)
{
    int64_t sum = 0;
    for (size_t i = 0; i < trial->place_count; i++)
        if (trial->chosen[i] == node &&
            (trial->places[i].class < 0 || trial->places[i].class == class))
            sum += trial->places[i].group->amounts[class];
    return sum;
}

static bool sums_hold(const struct trial *trial)
{
    for (size_t i = 0; i < trial->place_count; i++)
        for (int class = 0; class < CLASSES; class ++) {
            const struct node *node = trial->chosen[i];
            int64_t sum = total_asked(trial, node, class);
            const struct stock *stock = node_stock(node, trial->world->classes[class]);
            if (sum > 0 && (sum > stock->limits.max_unit ||
                            (double)(stock->used + sum) > stock_capacity(stock)))
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
            const struct node *up = trial->chosen[j];
            while (up && up != trial->chosen[i])
                up = up->parent;
            above_all &= up || !*trial->places[j].group->suffix;
        }
        if (above_all)
            return true;
    }
    return !any;
}

/* A candidate as text: "node:class=sum ..." and "suffix>node ...", each sorted. */
static char *describe(const struct trial *trial)
{
    _cleanup_strlist_ struct strlist words = {0};
    for (size_t i = 0; i < trial->world->node_count; i++)
        for (int class = 0; class < CLASSES; class ++) {
            const struct node *node = trial->world->nodes[i];
            int64_t sum = total_asked(trial, node, class);
            if (sum > 0)
                strlist_add_take(&words, xasprintf("%s:%s=%d", node->uuid,
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
    for (size_t i = 0; i < trial->world->node_count; i++) {
        trial->chosen[depth] = trial->world->nodes[i];
        if (may_take(trial, &trial->places[depth], trial->chosen[depth]))
            try_places(trial, depth + 1);
    }
}

static struct strlist reference(const struct world *world, const struct spec *spec)
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
    for (size_t i = 0; i < world->node_count; i++) {
        trial.anchor = world->nodes[i];
        unsigned traits = traits_of(world, trial.anchor);
        if (!trial.anchor->parent && (spec->root_required & ~traits) == 0 &&
            !(spec->root_forbidden & traits))
            try_places(&trial, 0);
    }
    strlist_sort(&found);
    return found;
}

/* ---- what the handler says, in the same words ---- */

static void read_resources(struct strlist *words, const char *uuid,
                           struct json_object *resources)
{
    json_object_object_foreach (resources, class, amount)
        strlist_add_take(words, xasprintf("%s:%s=%d", uuid, class,
                                          (int)json_object_get_int64(amount)));
}

static char *read_candidate(struct json_object *candidate, const struct spec *spec)
{
    _cleanup_strlist_ struct strlist words = {0};
    struct json_object *allocations = json_member(candidate, "allocations");
    if (spec->microversion < 12) {
        for (size_t i = 0; i < json_object_array_length(allocations); i++) {
            struct json_object *item = json_object_array_get_idx(allocations, i);
            struct json_object *provider = json_member(item, "resource_provider");
            read_resources(&words,
                           json_object_get_string(json_member(provider, "uuid")),
                           json_member(item, "resources"));
        }
    } else {
        json_object_object_foreach (allocations, uuid, item)
            read_resources(&words, uuid, json_member(item, "resources"));
    }
    struct json_object *mappings = json_member(candidate, "mappings");
    if (mappings) {
        json_object_object_foreach (mappings, suffix, uuids)
            for (size_t i = 0; i < json_object_array_length(uuids); i++)
                strlist_add_take(&words,
                                 xasprintf("%s>%s", suffix,
                                           json_object_get_string(
                                               json_object_array_get_idx(uuids, i))));
    }
    strlist_sort(&words);
    return strlist_join(&words, " ");
}

/* Below 1.34 mappings are not shown. */
static void forget_mappings(struct strlist *candidates)
{
    for (size_t i = 0; i < candidates->count; i++) {
        _cleanup_strlist_ struct strlist words =
            strlist_split(candidates->items[i], ' ');
        struct strlist kept = {0};
        for (size_t j = 0; j < words.count; j++)
            if (!strchr(words.items[j], '>'))
                strlist_add(&kept, words.items[j]);
        free(candidates->items[i]);
        candidates->items[i] = strlist_join(&kept, " ");
        strlist_clear(&kept);
    }
    strlist_sort(candidates);
}

/* Each provider of a candidate is in the summaries. */
static void check_summaries(struct json_object *doc, const struct strlist *candidates)
{
    struct json_object *summaries = json_member(doc, "provider_summaries");
    for (size_t i = 0; i < candidates->count; i++) {
        char uuid[UUID_TEXT_SIZE] = "";
        if (strchr(candidates->items[i], ':'))
            strncat(uuid, candidates->items[i], UUID_TEXT_SIZE - 1);
        if (!strchr(uuid, '>'))
            assert_non_null(json_member(summaries, uuid));
    }
}

static struct strlist answer(struct world *world, const struct spec *spec,
                             const char *query)
{
    struct request request = {.method = "GET", .microversion = spec->microversion};
    struct reply reply = {0};
    struct error err = {0};
    assert_ok(query_parse(query, &request.query, &err), &err);
    if (allocation_candidates_list(&world->store, &request, &reply) != 0)
        fail_msg("1.%d %s: %d %s", spec->microversion, query, reply.status,
                 reply.detail);
    size_t length;
    _cleanup_free_ char *text = json_writer_take(&reply.body, &length);
    _cleanup_json_ struct json_object *doc = NULL;
    assert_ok(json_parse(text, length, &doc, &err), &err);
    struct json_object *list = json_member(doc, "allocation_requests");
    struct strlist found = {0};
    for (size_t i = 0; i < json_object_array_length(list); i++)
        strlist_add_take(&found,
                         read_candidate(json_object_array_get_idx(list, i), spec));
    strlist_sort(&found);
    check_summaries(doc, &found);
    query_clear(&request.query);
    reply_clear(&reply);
    return found;
}

static void check_one(uint64_t seed, size_t *found_some)
{
    struct world world;
    chance_state = seed;
    make_world(&world);
    for (int i = 0; i < 20; i++) {
        struct spec spec = make_spec(&world);
        _cleanup_free_ char *query = make_query(&world, &spec);
        world.store.options.breadth_first = one_in(2);
        if (spec.group_count == 0 || !strstr(query, "resources"))
            continue;
        _cleanup_strlist_ struct strlist expected = reference(&world, &spec);
        _cleanup_strlist_ struct strlist got = answer(&world, &spec, query);
        if (spec.microversion < 34)
            forget_mappings(&expected);
        if (!strlist_equal(&expected, &got)) {
            _cleanup_free_ char *want = strlist_join(&expected, "\n  ");
            _cleanup_free_ char *have = strlist_join(&got, "\n  ");
            fail_msg("seed %llu: 1.%d %s\nexpected:\n  %s\ngot:\n  %s",
                     (unsigned long long)seed, spec.microversion, query, want, have);
        }
        *found_some += expected.count > 0;

        /* The first of them are what a limit gives. */
        if (spec.microversion >= 16 && expected.count > 1) {
            _cleanup_free_ char *limited = xasprintf("%s&limit=1", query);
            _cleanup_strlist_ struct strlist one = answer(&world, &spec, limited);
            assert_int_equal(one.count, 1);
            assert_true(strlist_contains(&expected, one.items[0]));
        }
    }
    graph_clear(&world.store.graph);
}

static void equals_the_reference(void **state)
{
    (void)state;
    size_t found_some = 0;
    const char *count = getenv("CANDIDATES_WORLDS");
    uint64_t worlds = count ? strtoull(count, NULL, 10) : 1500;
    for (uint64_t seed = 1; seed <= worlds; seed++)
        check_one(seed, &found_some);
    assert_true(found_some > worlds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_the_reference)};
    return cmocka_run_group_tests_name("candidates, random", tests, NULL, NULL);
}
