/* When an inventory must stand wider for a while, so that its allocations can be made. */
#include "placement/transfer/room.h"

#include "lib/xalloc.h"
#include "tests/unit/placement/transfer/small.h"
#include "tests/unit/test.h"

/* Total, reserved and step of P; what A and B are to have, and have there now: 0: nothing.
 */
struct world {
    int64_t total, reserved, step, a, b, a_there, b_there;
    int64_t wide; /* the total that it must have meanwhile */
};

static void add_consumers(struct snapshot *snapshot, int64_t a, int64_t b)
{
    if (a)
        small_consumer(snapshot, A, a);
    if (b)
        small_consumer(snapshot, B, b);
}

static void check(const struct world *world, size_t number)
{
    _cleanup_snapshot_ struct snapshot mine = {0}, there = {0};
    struct room room = {0};
    _cleanup_(inventory_set_clear) struct inventory_set set = {0};
    const struct snapshot_provider *provider =
        small_provider(&mine, "p", world->total, world->reserved, world->step);
    const struct snapshot_provider *old =
        small_provider(&there, "p", world->a_there || world->b_there ? 8 : 0, 0, 1);
    add_consumers(&mine, world->a, world->b);
    add_consumers(&there, world->a_there, world->b_there);
    room_count(&room, &mine, &there, true);
    room_make(&room, provider, old, &set);
    if (set.count != 1 || set.items[0].inventory.total != world->wide)
        fail_msg("world %zu: %zu sets, total %lld", number, set.count,
                 set.count ? (long long)set.items[0].inventory.total : -1);
    assert_int_equal(room.made.count, world->wide != world->total);
    room_clear(&room);
}

static void makes_room_where_it_is_needed(void **state)
{
    static const int64_t all = PLACEMENT_MAX_AMOUNT;
    const struct world worlds[] = {
        {4, 0, 1, 2, 2, 0, 0, 4},   /* it fits */
        {4, 4, 1, 2, 0, 0, 0, all}, /* it is drained */
        {4, 1, 1, 2, 2, 0, 0, all}, /* a part of it is reserved */
        {4, 0, 2, 1, 0, 0, 0, all}, /* the step came later */
        {2, 0, 1, 3, 0, 0, 0, all}, /* so did the largest unit */
        {4, 4, 1, 2, 0, 2, 0, 4},   /* it is there already */
        {4, 4, 1, 0, 0, 2, 0, 4},   /* only the other side has a consumer */
        {4, 0, 1, 1, 3, 3, 1, all}, /* one makes room before the other has given it */
        {4, 0, 1, 1, 2, 2, 1, 4},   /* which is not needed here */
        {4, 0, 1, 2, 0, 0, 3, all}, /* what the other side alone has takes room */
    };
    (void)state;
    for (size_t i = 0; i < sizeof worlds / sizeof *worlds; i++)
        check(&worlds[i], i);
}

/* A third of 3 is 1, and of what OpenStack's on MariaDB keeps of a third it is less. */
static void makes_room_for_ratios_that_are_rounded(void **state)
{
    const struct {
        double ratio;
        size_t made;
    } ratios[] = {{1.0 / 3, 1}, {2.0 / 3, 0}, {0.5, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++) {
        _cleanup_snapshot_ struct snapshot mine = {0}, there = {0};
        struct room room = {0};
        _cleanup_(inventory_set_clear) struct inventory_set set = {0};
        struct snapshot_provider *provider = small_provider(&mine, "p", 3, 0, 1);
        provider->inventories[0].inventory.allocation_ratio = ratios[i].ratio;
        small_consumer(&mine, A, 1);
        room_count(&room, &mine, &there, true);
        room_make(&room, provider, small_provider(&there, "p", 0, 0, 1), &set);
        assert_int_equal(room.made.count, ratios[i].made);
        room_clear(&room);
    }
}

static void keeps_classes_in_use_there(void **state)
{
    _cleanup_snapshot_ struct snapshot mine = {0}, there = {0};
    struct room room = {0};
    _cleanup_(inventory_set_clear) struct inventory_set set = {0};
    (void)state;
    const struct snapshot_provider *provider = small_provider(&mine, "p", 0, 0, 1);
    const struct snapshot_provider *old = small_provider(&there, "p", 8, 2, 1);
    room_count(&room, &mine, &there, true);
    room_make(&room, provider, old, &set);
    assert_true(inventory_set_equal(&set, old->inventories, old->inventory_count));
    assert_int_equal(room.made.count, 1);
    room_clear(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_room_where_it_is_needed),
        cmocka_unit_test(makes_room_for_ratios_that_are_rounded),
        cmocka_unit_test(keeps_classes_in_use_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
