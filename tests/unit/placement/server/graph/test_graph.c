/* Changing the graph: what deep trees and unusual names must not cost. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/xalloc.h"
#include "placement/server/graph/graph.h"

#define LENGTH 30000

/* A chain, each below the one before it. */
static void make_chain(struct graph *graph)
{
    for (int i = 1; i <= LENGTH; i++) {
        char uuid[UUID_TEXT_SIZE], name[32];
        snprintf(uuid, sizeof uuid, "00000000-0000-0000-0000-%012d", i);
        snprintf(name, sizeof name, "chain%d", i);
        graph_add_provider(graph, i, uuid, name,
                           i > 1 ? graph->providers.items[i - 2] : NULL);
    }
}

static double processor_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Each looked up its way to the one that moves: a second for this chain, minutes for
 * one of a request's size. */
static void moves_deep_trees(void **state)
{
    (void)state;
    struct graph graph = {0};
    make_chain(&graph);
    struct resource_provider *middle = graph.providers.items[LENGTH / 2];
    struct resource_provider *top = graph.providers.items[0], **below;
    double begun = processor_seconds();
    for (int i = 0; i < 10; i++) {
        assert_int_equal(graph_list_below(middle, &below), LENGTH / 2 - 1);
        assert_ptr_equal(below[0], graph.providers.items[LENGTH / 2 + 1]);
        free(below);
        graph_move_provider(&graph, middle, NULL);
        assert_int_equal(graph.roots.count, 2);
        assert_int_equal(middle->tree.count, LENGTH / 2);
        assert_int_equal(top->tree.count, LENGTH / 2);
        assert_ptr_equal(graph.providers.items[LENGTH - 1]->root, middle);
        graph_move_provider(&graph, middle, graph.providers.items[LENGTH / 2 - 1]);
        assert_int_equal(top->tree.count, LENGTH);
        assert_int_equal(graph.roots.count, 1);
        assert_ptr_equal(graph.providers.items[LENGTH - 1]->root, top);
    }
    assert_true(processor_seconds() - begun < 3);
    graph_clear(&graph);
}

/* Shorter than the usual form, and nothing is read beyond its end. */
static void takes_short_spellings_of_aggregates(void **state)
{
    (void)state;
    struct graph graph = {0};
    _cleanup_free_ char *digits = xstrdup("14a5c8a35a994e8f88be00d85fcb1c17");
    graph_add_aggregate(&graph, 1, digits);
    assert_non_null(graph_aggregate(&graph, digits));
    assert_string_equal(graph_aggregate(&graph, digits)->uuid, digits);
    graph_clear(&graph);
}

static void finds_inventories_and_aggregates_by_id(void **state)
{
    (void)state;
    struct graph graph = {0};
    struct resource_provider *provider = graph_add_provider(
        &graph, 1, "00000000-0000-0000-0000-000000000001", "provider", NULL);
    const struct inventory limits = {.total = 1, .allocation_ratio = 1};
    struct resource_class *classes[9];
    struct aggregate *aggregates[9], *odd[4];
    for (int i = 0; i < 9; i++) {
        char name[UUID_TEXT_SIZE];
        snprintf(name, sizeof name, "00000000-0000-0000-0000-00000000000%d", i);
        classes[i] = graph_add_class(&graph, i, name, 0);
        aggregates[i] = graph_add_aggregate(&graph, i, name);
        if (i % 2)
            odd[i / 2] = aggregates[i];
    }
    graph_set_aggregates(provider, odd, 4);
    for (int i = 8; i >= 0; i--)
        if (i % 2)
            graph_add_inventory(provider, classes[i], &limits, 0);
    for (int i = 0; i < 9; i++) {
        assert_int_equal(provider_inventory_of(provider, classes[i]) != NULL, i % 2);
        assert_int_equal(provider_in_aggregate(provider, aggregates[i]), i % 2);
    }
    graph_clear(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_deep_trees),
        cmocka_unit_test(takes_short_spellings_of_aggregates),
        cmocka_unit_test(finds_inventories_and_aggregates_by_id),
    };
    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
