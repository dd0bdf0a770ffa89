/* Consumers of one tree stand apart. */
#include "tests/unit/test.h"

#include <stdio.h>

#include "lib/xalloc.h"
#include "placement/transfer/spread.h"

static void add_provider(struct snapshot *snapshot, unsigned number, unsigned root)
{
    struct snapshot_provider *provider = xcalloc(1, sizeof *provider);
    snprintf(provider->is.uuid, UUID_TEXT_SIZE, "%08x", number);
    snprintf(provider->is.root, UUID_TEXT_SIZE, "%08x", root);
    provider->is.name = xstrdup(provider->is.uuid);
    assert_int_equal(snapshot_add_provider_take(snapshot, provider, NULL), 0);
}

static void add_consumer(struct snapshot *snapshot, unsigned number, unsigned of)
{
    struct snapshot_consumer *consumer = xcalloc(1, sizeof *consumer);
    snprintf(consumer->uuid, UUID_TEXT_SIZE, "%08x", number);
    struct snapshot_allocation *allocation =
        array_add(consumer->allocations, consumer->count);
    snprintf(allocation->provider, UUID_TEXT_SIZE, "%08x", of);
    assert_int_equal(snapshot_add_consumer_take(snapshot, consumer, NULL), 0);
}

static void one_of_each_tree_at_a_time(void **state)
{
    (void)state;
    static const unsigned of[] = {1, 2, 1, 3, 2, 2, 9};
    static const size_t expected[] = {6, 0, 3, 1, 2, 4, 5};
    _cleanup_snapshot_ struct snapshot snapshot = {0};
    add_provider(&snapshot, 1, 1);
    add_provider(&snapshot, 2, 1); /* a child: the same tree */
    add_provider(&snapshot, 3, 3);
    for (unsigned i = 0; i < 7; i++)
        add_consumer(&snapshot, i, of[i]);
    _cleanup_free_ size_t *order = spread_consumers(&snapshot);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(order[i], expected[i]);
}

static void nobody(void **state)
{
    (void)state;
    const struct snapshot snapshot = {0};
    free(spread_consumers(&snapshot));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_each_tree_at_a_time),
        cmocka_unit_test(nobody),
    };
    return cmocka_run_group_tests_name("spread", tests, NULL, NULL);
}
