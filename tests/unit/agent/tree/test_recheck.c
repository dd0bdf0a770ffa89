/* What the generations of a cached tree do not show, by way of placement_fetch_one(). */
#include "agent/tree/recheck.h"

#include "lib/xalloc.h"
#include "tests/unit/agent/tree/fetch_rig.h"
#include "tests/unit/test.h"

/* Whether one request was enough to know that nothing has changed. */
static bool is_current(struct rig *rig)
{
    const struct observed *observed = NULL;
    assert_ok(placement_fetch_one(rig->fetch, &observed, &rig->err), &rig->err);
    assert_true(!observed || observed == rig->observed);
    return observed != NULL;
}

static void allocations_are_asked_for_in_turn(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    answer_allocations(&rig, 1, 4);
    assert_true(is_current(&rig));
    assert_requests(&rig, "/" CHILD_84 "/allocations");
    answer_allocations(&rig, 1, 5);
    assert_true(is_current(&rig));
    assert_requests(&rig, "/" CHILD_85 "/allocations");
    /* After each turn one part of one of them, in turn as well. */
    static const char *const compared[] = {
        CHILD_84 "/inventories", CHILD_84 "/traits", CHILD_84 "/allocations",
        CHILD_85 "/inventories", CHILD_85 "/traits", CHILD_85 "/allocations"};
    for (size_t i = 0; i < 7; i++) {
        const char *part = compared[i % 6];
        int generation = i % 6 < 3 ? 4 : 5;
        if (i % 3 == 0)
            answer_inventories(&rig, i % 6 < 3 ? 16 : 8, generation);
        else if (i % 3 == 1)
            answer_traits(&rig, generation);
        else
            answer_allocations(&rig, 1, generation);
        assert_true(is_current(&rig));
        _cleanup_free_ char *request = xasprintf("/%s", part);
        assert_requests(&rig, request);
        answer_allocations(&rig, 1, 4);
        assert_true(is_current(&rig));
        answer_allocations(&rig, 1, 5);
        assert_true(is_current(&rig));
        assert_requests(&rig, "/" CHILD_84 "/allocations\n/" CHILD_85 "/allocations");
    }
}

/* Whichever part it is: at the same generation it was another database's. */
static void other_contents_at_the_same_generation(void **state)
{
    (void)state;
    for (int part = 0; part < 3; part++) {
        _cleanup_rig_ struct rig rig;
        rig_with_tree(&rig);
        for (int i = 0; i <= part; i++) {
            answer_allocations(&rig, 1, 4);
            answer_allocations(&rig, 1, 5);
            if (i == 0)
                answer_inventories(&rig, i < part ? 16 : 15, 4);
            else if (i == 1 && i < part)
                answer_traits(&rig, 4);
            else if (i == 1)
                peer_ok(rig.peer,
                        "{\"traits\": [], \"resource_provider_generation\": 4}");
            else
                answer_allocations(&rig, 2, 4);
            assert_true(is_current(&rig));
            assert_true(is_current(&rig));
            assert_int_equal(is_current(&rig), i < part);
        }
        answer_rows(&rig, row_root(1));
        answer_rows(&rig, row_root(1), row_84(4), row_85(5));
        answer_details(&rig, 14, 4);
        answer_details(&rig, 7, 5);
        assert_ok(rig_fetch(&rig), &rig.err);
        assert_int_equal(rig_total_of(&rig, CHILD_84), 14);
        assert_int_equal(rig_total_of(&rig, CHILD_85), 7);
    }
}

static void deleted_allocation_is_missed(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    peer_ok(rig.peer, "{\"allocations\": {}, \"resource_provider_generation\": 4}");
    assert_false(is_current(&rig));
    assert_int_equal(observed_by_uuid(rig.observed, CHILD_84)->allocation_count, 0);
    /* Where there are none, none can have been deleted. */
    for (unsigned i = 0; i < 2; i++) {
        answer_allocations(&rig, 1, 5);
        assert_true(is_current(&rig));
        if (i == 0)
            answer_inventories(&rig, 16, 4);
        assert_true(i > 0 || is_current(&rig));
    }
    assert_requests(&rig,
                    "/" CHILD_84 "/allocations\n/" CHILD_85 "/allocations\n/" CHILD_84
                    "/inventories\n/" CHILD_85 "/allocations");
}

static void allocations_of_another_generation(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    answer_allocations(&rig, 3, 6);
    assert_false(is_current(&rig));
    /* They belong to what is not read yet. */
    assert_int_equal(observed_by_uuid(rig.observed, CHILD_84)->allocations[0].amount,
                     1);
}

static void allocations_of_what_has_gone(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    answer_404(&rig);
    assert_false(is_current(&rig));
}

static void allocations_that_cannot_be_read(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    const struct observed *observed;
    peer_reply(rig.peer, 503, NULL, "");
    assert_int_equal(placement_fetch_one(rig.fetch, &observed, &rig.err), -1);
    assert_int_equal(rig.err.code, ERROR_UNREACHABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_asked_for_in_turn),
        cmocka_unit_test(other_contents_at_the_same_generation),
        cmocka_unit_test(deleted_allocation_is_missed),
        cmocka_unit_test(allocations_of_another_generation),
        cmocka_unit_test(allocations_of_what_has_gone),
        cmocka_unit_test(allocations_that_cannot_be_read),
    };
    return cmocka_run_group_tests_name("recheck", tests, NULL, NULL);
}
