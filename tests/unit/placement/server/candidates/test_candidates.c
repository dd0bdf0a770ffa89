#include "tests/unit/test.h"

#include <json-c/linkhash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/json_read.h"
#include "lib/xalloc.h"
#include "placement/server/candidates/candidates.h"
#include "placement/server/candidates/request.h"
#include "placement/server/route.h"
#include "placement/server/store/store.h"

/* ---- small graphs ---- */

static struct resource_provider *add_provider(struct store *store, const char *name,
                                              struct resource_provider *parent)
{
    char uuid[UUID_TEXT_SIZE];
    int64_t id = (int64_t)store->graph.providers.count + 1;
    snprintf(uuid, sizeof uuid, "00000000-0000-0000-0000-%012u", (unsigned)id);
    return graph_add_provider(&store->graph, id, uuid, name, parent);
}

static struct resource_class *the_class(struct store *store, const char *name)
{
    struct resource_class *class = graph_class(&store->graph, name);
    int64_t id = (int64_t)store->graph.class_count;
    return class ? class : graph_add_class(&store->graph, id, name, 0);
}

static struct trait *the_trait(struct store *store, const char *name)
{
    struct trait *trait = graph_trait(&store->graph, name);
    int64_t id = (int64_t)store->graph.trait_count + 1;
    return trait ? trait : graph_add_trait(&store->graph, id, name, 0);
}

static struct provider_inventory *give(struct store *store,
                                       struct resource_provider *provider,
                                       const char *class, int64_t total)
{
    struct inventory limits = {.total = total,
                               .min_unit = 1,
                               .max_unit = total,
                               .step_size = 1,
                               .allocation_ratio = 1};
    return graph_add_inventory(provider, the_class(store, class), &limits, 0);
}

static void mark(struct store *store, struct resource_provider *provider,
                 const char *name)
{
    struct trait *trait = the_trait(store, name);
    graph_set_traits(provider, &trait, 1);
}

/* Compute nodes with VCPU on the root and VGPU on `gpus` children: even ones have
 * the trait CUSTOM_35, odd ones CUSTOM_36. */
static void make_providers(struct store *store, int providers, int gpus)
{
    *store = (struct store){0};
    store->graph.sharing = the_trait(store, "MISC_SHARES_VIA_AGGREGATE");
    for (int i = 0; i < providers; i++) {
        _cleanup_free_ char *name = xasprintf("node-%d", i);
        struct resource_provider *root = add_provider(store, name, NULL);
        give(store, root, "VCPU", 8);
        for (int k = 0; k < gpus; k++) {
            _cleanup_free_ char *child = xasprintf("node-%d-gpu-%d", i, k);
            struct resource_provider *gpu = add_provider(store, child, root);
            give(store, gpu, "VGPU", 4);
            mark(store, gpu, k % 2 ? "CUSTOM_36" : "CUSTOM_35");
        }
    }
}

/* ---- asking ---- */

static int ask(struct store *store, int microversion, const char *query,
               struct reply *reply)
{
    struct budget budget;
    struct request request = {
        .method = "GET", .microversion = microversion, .now = 1, .budget = &budget};
    struct error err = {0};
    budget_begin(&budget, BUDGET_WORK, 0, 0, NULL);
    assert_ok(query_parse(query, &request.query, &err), &err);
    int rc = allocation_candidates_list(store, &request, reply);
    query_clear(&request.query);
    return rc;
}

static struct json_object *ask_ok(struct store *store, int microversion,
                                  const char *query)
{
    struct reply reply = {0};
    struct error err = {0};
    struct json_object *doc;
    if (ask(store, microversion, query, &reply) != 0)
        fail_msg("%s: %d %s", query, reply.status, reply.detail);
    size_t length;
    _cleanup_free_ char *text = json_writer_take(&reply.body, &length);
    assert_ok(json_parse(text, length, &doc, &err), &err);
    assert_int_equal(reply.timed, microversion >= 15);
    reply_clear(&reply);
    return doc;
}

static size_t candidate_count(struct json_object *doc)
{
    return json_object_array_length(json_member(doc, "allocation_requests"));
}

static size_t summary_count(struct json_object *doc)
{
    return (size_t)json_object_object_length(json_member(doc, "provider_summaries"));
}

static void counts_of_both(struct store *store, int microversion, const char *query,
                           size_t candidates, size_t summaries)
{
    _cleanup_json_ struct json_object *doc = ask_ok(store, microversion, query);
    if (candidate_count(doc) != candidates || summary_count(doc) != summaries)
        fail_msg("1.%d %s: %zu candidates, %zu summaries", microversion, query,
                 candidate_count(doc), summary_count(doc));
}

static void answers_as_each_microversion_wants(void **state)
{
    (void)state;
    struct store store;
    make_providers(&store, 1, 1);
    graph_provider_by_name(&store.graph, "node-0-gpu-0")->inventories.items[0]->used =
        3;
    static const char root[] = "00000000-0000-0000-0000-000000000001";
    static const char gpu[] = "00000000-0000-0000-0000-000000000002";
    static const struct {
        int microversion;
        const char *query, *text;
    } cases[] = {
        {10, "resources=VGPU:1",
         "{\"allocation_requests\":[{\"allocations\":[{\"resource_provider\":{\"uuid\":"
         "\"G\"},\"resources\":{\"VGPU\":1}}]}],\"provider_summaries\":{\"G\":{"
         "\"resources\":{\"VGPU\":{\"capacity\":4,\"used\":3}}}}}"},
        {12, "resources=VGPU:1",
         "{\"allocation_requests\":[{\"allocations\":{\"G\":{\"resources\":{\"VGPU\":1}"
         "}}}"
         "],\"provider_summaries\":{\"G\":{\"resources\":{\"VGPU\":{\"capacity\":4,"
         "\"used\":3}}}}}"},
        {17, "resources=VGPU:1",
         "{\"allocation_requests\":[{\"allocations\":{\"G\":{\"resources\":{\"VGPU\":1}"
         "}}}"
         "],\"provider_summaries\":{\"G\":{\"resources\":{\"VGPU\":{\"capacity\":4,"
         "\"used\":3}},\"traits\":[\"CUSTOM_35\"]}}}"},
        {39, "resources_A=VGPU:1&resources=VCPU:2",
         "{\"allocation_requests\":[{\"allocations\":{\"G\":{\"resources\":{\"VGPU\":1}"
         "},"
         "\"R\":{\"resources\":{\"VCPU\":2}}},\"mappings\":{\"_A\":[\"G\"],\"\":[\"R\"]"
         "}}"
         "],\"provider_summaries\":{\"R\":{\"resources\":{\"VCPU\":{\"capacity\":8,"
         "\"used\":0}},\"traits\":[],\"parent_provider_uuid\":null,\"root_provider_"
         "uuid\":"
         "\"R\"},\"G\":{\"resources\":{\"VGPU\":{\"capacity\":4,\"used\":3}},"
         "\"traits\":["
         "\"CUSTOM_35\"],\"parent_provider_uuid\":\"R\",\"root_provider_uuid\":\"R\"}}"
         "}"},
        {39, "resources=VGPU:2",
         "{\"allocation_requests\":[],\"provider_summaries\":{}}"},
        {39, "resources=VGPU:99999999999999999999",
         "{\"allocation_requests\":[],\"provider_summaries\":{}}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply = {0};
        assert_int_equal(ask(&store, cases[i].microversion, cases[i].query, &reply), 0);
        _cleanup_free_ char *text = json_writer_take(&reply.body, NULL);
        char *at;
        while ((at = strstr(text, root)) || (at = strstr(text, gpu))) {
            *at = strncmp(at, root, sizeof root - 1) == 0 ? 'R' : 'G';
            memmove(at + 1, at + sizeof root - 1, strlen(at + sizeof root - 1) + 1);
        }
        assert_string_equal(text, cases[i].text);
    }
    graph_clear(&store.graph);
}

static void shows_whole_trees_since_1_29(void **state)
{
    (void)state;
    struct store store;
    make_providers(&store, 3, 4);
    counts_of_both(&store, 39, "resources=VGPU:1", 12, 15);
    counts_of_both(&store, 39, "resources=VGPU:1&required=CUSTOM_35", 6, 15);
    counts_of_both(&store, 39, "resources=VGPU:1&required=CUSTOM_35&limit=2", 2, 5);
    counts_of_both(&store, 39, "resources=VGPU:1,VCPU:1", 12, 15);
    /* Before, what takes from two providers of a tree is left out, and so are summaries
     * of providers that no candidate takes from, whether the limit has cut it off or
     * not. */
    counts_of_both(&store, 28, "resources=VGPU:1", 12, 12);
    counts_of_both(&store, 28, "resources=VGPU:1&required=CUSTOM_35&limit=1", 1, 2);
    counts_of_both(&store, 28, "resources=VGPU:1,VCPU:1", 0, 0);
    graph_clear(&store.graph);
}

static void adds_up_what_groups_take(void **state)
{
    (void)state;
    struct store store;
    make_providers(&store, 1, 2);
    counts_of_both(&store, 39, "resources1=VGPU:2&resources2=VGPU:2&group_policy=none",
                   4, 3);
    counts_of_both(&store, 39,
                   "resources1=VGPU:2&resources2=VGPU:2&group_policy=isolate", 2, 3);
    counts_of_both(&store, 39, "resources1=VGPU:2&resources2=VGPU:3&group_policy=none",
                   2, 3);
    counts_of_both(&store, 39,
                   "resources1=VGPU:3&resources2=VGPU:3&resources3=VGPU:3&"
                   "group_policy=none",
                   0, 0);
    _cleanup_json_ struct json_object *doc =
        ask_ok(&store, 39, "resources=VCPU:1&resources1=VCPU:2");
    assert_non_null(strstr(json_object_to_json_string(doc), "\"VCPU\": 3"));
    graph_clear(&store.graph);
}

/* The candidates' providers, by the last letter of their names: those of one candidate
 * together. */
static void gpus_in_order(struct store *store, const char *query, char *out)
{
    _cleanup_json_ struct json_object *doc = ask_ok(store, 39, query);
    struct json_object *list = json_member(doc, "allocation_requests");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        if (i > 0)
            *out++ = ' ';
        struct json_object *allocations =
            json_member(json_object_array_get_idx(list, i), "allocations");
        json_object_object_foreach (allocations, uuid, unused) {
            const char *name = graph_provider(&store->graph, uuid)->name;
            (void)unused;
            *out++ = name[strlen(name) - 1];
        }
    }
    *out = '\0';
}

static void use_gpus(struct store *store, int node, const char *used)
{
    for (int i = 0; used[i]; i++) {
        _cleanup_free_ char *name = xasprintf("node-%d-gpu-%d", node, i);
        struct provider_inventory *inventory =
            provider_inventory_of(graph_provider_by_name(&store->graph, name),
                                  graph_class(&store->graph, "VGPU"));
        inventory->used = used[i] - '0';
    }
}

/* What is used of the GPUs of one or two nodes, which have four units each. */
static void fills_gpus_in_the_order_that_is_set(void **state)
{
    static const struct {
        enum allocation_order order;
        bool by_turns; /* one candidate of each node in turn */
        const char *used[2], *query, *expected;
    } cases[] = {
        {ORDER_UPSTREAM, false, {"1302"}, "resources=VGPU:1", "0 1 2 3"},
        {ORDER_BREADTH_FIRST, false, {"1302"}, "resources=VGPU:1", "2 0 3 1"},
        {ORDER_DEPTH_FIRST, false, {"1302"}, "resources=VGPU:1", "1 3 0 2"},
        /* One that is full, or in which the amount does not fit, is no candidate. */
        {ORDER_DEPTH_FIRST, false, {"1402"}, "resources=VGPU:1", "3 0 2"},
        {ORDER_DEPTH_FIRST, false, {"1302"}, "resources=VGPU:2", "3 0 2"},
        /* Equal ones are in upstream's order. */
        {ORDER_BREADTH_FIRST, false, {"0000"}, "resources=VGPU:1", "0 1 2 3"},
        {ORDER_DEPTH_FIRST, false, {"1101"}, "resources=VGPU:1", "0 1 3 2"},
        {ORDER_BREADTH_FIRST, false, {"1302"}, "resources=VGPU:1&limit=1", "2"},
        {ORDER_DEPTH_FIRST, false, {"1302"}, "resources=VGPU:1&limit=1", "1"},
        /* Within a node only; nodes are Nova's choice. */
        {ORDER_DEPTH_FIRST, false, {"01", "23"}, "resources=VGPU:1", "1 0 1 0"},
        {ORDER_DEPTH_FIRST, true, {"01", "32"}, "resources=VGPU:1", "1 0 0 1"},
        {ORDER_BREADTH_FIRST,
         false,
         {"2100"},
         "resources1=VGPU:1&resources2=VGPU:1&group_policy=isolate&"
         "required1=CUSTOM_35&required2=CUSTOM_36",
         "23 21 03 01"},
        /* A group that asks for nothing but a trait, and the root's own class. */
        {ORDER_DEPTH_FIRST,
         false,
         {"12"},
         "resources=VCPU:1&resources_A=VGPU:1&required_B=CUSTOM_36&"
         "same_subtree=_A,_B&group_policy=none",
         "01"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct store store;
        char gpus[64];
        make_providers(&store, cases[i].used[1] ? 2 : 1, (int)strlen(cases[i].used[0]));
        store.options.allocation_order = cases[i].order;
        store.options.breadth_first = cases[i].by_turns;
        for (int node = 0; node < 2 && cases[i].used[node]; node++)
            use_gpus(&store, node, cases[i].used[node]);
        gpus_in_order(&store, cases[i].query, gpus);
        if (strcmp(gpus, cases[i].expected) != 0)
            fail_msg("case %zu: %s, not %s", i, gpus, cases[i].expected);
        graph_clear(&store.graph);
    }
}

/* The roots of the candidates, by the number in their names. */
static void roots_in_order(struct store *store, const char *query, char *out)
{
    _cleanup_json_ struct json_object *doc = ask_ok(store, 39, query);
    struct json_object *list = json_member(doc, "allocation_requests");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *allocations =
            json_member(json_object_array_get_idx(list, i), "allocations");
        json_object_object_foreach (allocations, uuid, unused) {
            (void)unused;
            *out++ = graph_provider(&store->graph, uuid)->root->name[5];
        }
    }
    *out = '\0';
}

static void goes_depth_or_breadth_first(void **state)
{
    (void)state;
    struct store store;
    char roots[64];
    make_providers(&store, 3, 2);
    give(&store,
         add_provider(&store, "node-0-more",
                      graph_provider_by_name(&store.graph, "node-0")),
         "VGPU", 4);
    roots_in_order(&store, "resources=VGPU:1", roots);
    assert_string_equal(roots, "0001122");
    roots_in_order(&store, "resources=VGPU:1&limit=4", roots);
    assert_string_equal(roots, "0001");
    store.options.breadth_first = true;
    roots_in_order(&store, "resources=VGPU:1", roots);
    assert_string_equal(roots, "0120120");
    roots_in_order(&store, "resources=VGPU:1&limit=4", roots);
    assert_string_equal(roots, "0120");
    store.options.max_allocation_candidates = 2;
    roots_in_order(&store, "resources=VGPU:1&limit=4", roots);
    assert_string_equal(roots, "01");
    roots_in_order(&store, "resources=VGPU:1", roots);
    assert_string_equal(roots, "01");
    graph_clear(&store.graph);
}

/* Each candidate has its turn within a few hundred samples of one of seven. */
static void samples_at_random(void **state)
{
    (void)state;
    struct store store;
    make_providers(&store, 4, 1);
    store.options.randomize_allocation_candidates = true;
    unsigned seen = 0;
    for (int i = 0; i < 400 && seen != 15; i++) {
        char roots[8];
        roots_in_order(&store, "resources=VGPU:1&limit=1", roots);
        assert_int_equal(strlen(roots), 1);
        seen |= 1U << (roots[0] - '0');
    }
    assert_int_equal(seen, 15);
    counts_of_both(&store, 39, "resources=VGPU:1", 4, 8);
    graph_clear(&store.graph);
}

static void shared_disk_is_one_candidate(void **state)
{
    (void)state;
    struct store store;
    make_providers(&store, 3, 0);
    struct resource_provider *disk = add_provider(&store, "disk", NULL);
    give(&store, disk, "DISK_GB", 100);
    mark(&store, disk, "MISC_SHARES_VIA_AGGREGATE");
    struct aggregate *aggregate =
        graph_add_aggregate(&store.graph, 1, "14a5c8a3-5a99-4e8f-88be-00d85fcb1c17");
    for (size_t i = 0; i < 4; i++)
        if (i != 1)
            graph_set_aggregates(store.graph.providers.items[i], &aggregate, 1);
    /* Three trees can use it, which is the same allocation. */
    counts_of_both(&store, 39, "resources=DISK_GB:1", 1, 1);
    counts_of_both(&store, 39, "resources=DISK_GB:1,VCPU:1", 2, 3);
    counts_of_both(&store, 39, "resources1=DISK_GB:1&resources=VCPU:1", 2, 3);
    counts_of_both(&store, 39,
                   "resources=DISK_GB:1,VCPU:1&in_tree="
                   "00000000-0000-0000-0000-000000000001",
                   0, 0);
    graph_clear(&store.graph);
}

/* A name that does not exist is told only if the groups before it can be served. */
/* Whichever group has the provider above all: the first, one between, or the last. */
static void one_above_all_in_any_order(void **state)
{
    (void)state;
    struct store store;
    make_providers(&store, 2, 2);
    static const char *const queries[] = {
        "resources_A=VCPU:1&resources_B=VGPU:4&resources_C=VGPU:4",
        "resources_A=VGPU:4&resources_B=VCPU:1&resources_C=VGPU:4",
        "resources_A=VGPU:4&resources_B=VGPU:4&resources_C=VCPU:1",
    };
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        _cleanup_free_ char *query =
            xasprintf("%s&same_subtree=_A,_B,_C&group_policy=isolate", queries[i]);
        _cleanup_json_ struct json_object *doc = ask_ok(&store, 36, query);
        assert_int_equal(candidate_count(doc), 4);
    }
    /* Two children have nobody above them among those asked for. */
    _cleanup_json_ struct json_object *none =
        ask_ok(&store, 36,
               "resources_A=VGPU:4&resources_B=VGPU:4&resources=VCPU:1"
               "&same_subtree=_A,_B&group_policy=isolate");
    assert_int_equal(candidate_count(none), 0);
    graph_clear(&store.graph);
}

static void tells_of_names_as_upstream_does(void **state)
{
    (void)state;
    struct store store;
    make_providers(&store, 2, 1);
    static const struct {
        const char *query, *problem;
    } cases[] = {
        {"resources=NOPE:1", "Invalid resource class in resources parameter: No such "
                             "resource class NOPE."},
        {"resources=VGPU:1&required=NOPE", "No such trait(s): NOPE."},
        {"resources=VGPU:1&resources1=NOPE:1",
         "Invalid resource class in resources "
         "parameter: No such resource class NOPE."},
        {"resources=VGPU:5&resources1=NOPE:1", NULL},
        {"resources=VGPU:5&required=NOPE", "No such trait(s): NOPE."},
        {"resources=VGPU:1&required=NOPE&member_of=14a5c8a3-5a99-4e8f-88be-"
         "00d85fcb1c17",
         NULL},
        {"resources=VGPU:1&root_required=NOPE", "No such trait(s): NOPE."},
        {"resources=NOPE:1&root_required=CUSTOM_35", NULL},
        {"resources=NOPE:1&root_required=!CUSTOM_35",
         "Invalid resource class in resources parameter: No such resource class NOPE."},
        {"resources=VGPU:1&in_tree=00000000-0000-0000-0000-0000000000ff", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply = {0};
        if ((ask(&store, 39, cases[i].query, &reply) != 0) !=
            (cases[i].problem != NULL))
            fail_msg("%s: %d", cases[i].query, reply.status);
        if (cases[i].problem) {
            assert_string_equal(reply.detail, cases[i].problem);
            assert_int_equal(reply.status, 400);
        }
        reply_clear(&reply);
    }
    graph_clear(&store.graph);
}

static void wide_trees_cost_what_is_asked(void **state)
{
    (void)state;
    struct store store;
    make_providers(&store, 1, 64);
    static const char groups[] =
        "resources1=VGPU:1&resources2=VGPU:1&resources3=VGPU:1&resources4=VGPU:1";
    static const char *const policies[] = {"none", "isolate"};
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (int i = 0; i < 2; i++) {
        _cleanup_free_ char *query =
            xasprintf("%s&group_policy=%s&limit=10", groups, policies[i]);
        counts_of_both(&store, 39, query, 10, 65);
        store.options.breadth_first = true;
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    /* Sixteen million combinations would take minutes. */
    assert_true(after.tv_sec - before.tv_sec < 2);
    graph_clear(&store.graph);
}

/* A tree of 300 and three groups make 26 million candidates: no reply holds them. */
static void replies_are_bounded(void **state)
{
    (void)state;
    struct store store;
    make_providers(&store, 1, 300);
    store.options.max_allocation_candidates = 5000;
    counts_of_both(&store, 39,
                   "resources1=VGPU:1&resources2=VGPU:1&resources3=VGPU:1&"
                   "group_policy=isolate",
                   5000, 301);
    graph_clear(&store.graph);
}

/* Seven groups that want a GPU of their own where there are six: seen at once. Groups
 * that want three of four units each, in ways that no look ahead sees: given up at
 * last. */
static void hopeless_requests_end(void **state)
{
    (void)state;
    struct store store;
    make_providers(&store, 50, 6);
    char query[1024] = "group_policy=isolate";
    for (int i = 1; i <= 7; i++)
        snprintf(query + strlen(query), sizeof query - strlen(query),
                 "&resources%d=VGPU:1", i);
    counts_of_both(&store, 39, query, 0, 0);
    graph_clear(&store.graph);

    make_providers(&store, 1, 30);
    for (size_t i = 0; i < store.graph.providers.count; i++)
        if (i < 10)
            store.graph.providers.items[i]->inventories.items[0]->used = 1;
    snprintf(query, sizeof query, "group_policy=none");
    for (int i = 1; i <= 30; i++)
        snprintf(query + strlen(query), sizeof query - strlen(query),
                 "&resources%d=VGPU:3", i);
    snprintf(query + strlen(query), sizeof query - strlen(query),
             "&resources31=VGPU:2");
    struct reply reply = {0};
    assert_int_equal(ask(&store, 39, query, &reply), -1);
    assert_int_equal(reply.status, 503);
    reply_clear(&reply);
    graph_clear(&store.graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_each_microversion_wants),
        cmocka_unit_test(shows_whole_trees_since_1_29),
        cmocka_unit_test(adds_up_what_groups_take),
        cmocka_unit_test(goes_depth_or_breadth_first),
        cmocka_unit_test(fills_gpus_in_the_order_that_is_set),
        cmocka_unit_test(samples_at_random),
        cmocka_unit_test(shared_disk_is_one_candidate),
        cmocka_unit_test(one_above_all_in_any_order),
        cmocka_unit_test(tells_of_names_as_upstream_does),
        cmocka_unit_test(wide_trees_cost_what_is_asked),
        cmocka_unit_test(replies_are_bounded),
        cmocka_unit_test(hopeless_requests_end),
    };
    return cmocka_run_group_tests_name("candidates", tests, NULL, NULL);
}
