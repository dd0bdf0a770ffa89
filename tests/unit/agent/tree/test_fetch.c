#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "agent/tree/root_identity.h"
#include "lib/xalloc.h"
#include "tests/unit/agent/tree/fetch_rig.h"

/* ---- the tree ---- */

static void reads_all_at_first(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    const struct observed *observed = rig.observed;
    assert_true(observed->root_found);
    assert_string_equal(observed->root_uuid, ROOT);
    assert_string_equal(observed->root_name, "host");
    assert_int_equal(observed->provider_count, 3);
    assert_string_equal(observed->providers[0].provider.uuid, ROOT);
    assert_false(observed->providers[0].detailed);
    assert_ptr_equal(observed_by_name(observed, "host_pci_0000_84_00_0"),
                     &observed->providers[1]);
    assert_ptr_equal(observed_by_uuid(observed, CHILD_85), &observed->providers[2]);
    assert_null(observed_by_uuid(observed, OTHER_ROOT));
    assert_null(observed_by_name(observed, "x"));
    assert_int_equal(rig_total_of(&rig, CHILD_84), 16);
    assert_int_equal(rig_total_of(&rig, CHILD_85), 8);
    assert_int_equal(observed->providers[2].provider.generation, 5);
}

static void idle_is_one_request(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    for (size_t i = 0; i < 3; i++) {
        answer_rows(&rig, row_root(1), row_84(4), row_85(5));
        assert_ok(rig_fetch(&rig), &rig.err);
        assert_requests(&rig, BELOW);
        assert_int_equal(rig_total_of(&rig, CHILD_84), 16);
        assert_int_equal(rig_total_of(&rig, CHILD_85), 8);
    }
}

static void root_alone_may_move(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    answer_rows(&rig, row_root(200), row_84(4), row_85(5));
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BELOW);
    assert_int_equal(rig.observed->providers[0].provider.generation, 200);
}

static void reads_again_only_what_moved(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    answer_rows(&rig, row_root(1), row_84(4), row_85(6));
    answer_details(&rig, 12, 6);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BELOW "\n" DETAILS_85);
    assert_int_equal(rig_total_of(&rig, CHILD_84), 16);
    assert_int_equal(rig_total_of(&rig, CHILD_85), 12);
}

static void children_come_and_go(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    answer_rows(&rig, row_root(1), row_85(5));
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BELOW);
    assert_int_equal(rig.observed->provider_count, 2);
    assert_int_equal(rig_total_of(&rig, CHILD_85), 8);
    answer_rows(&rig, row_root(1), row_84(0), row_85(5));
    answer_details(&rig, 3, 0);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BELOW "\n" DETAILS_84);
    assert_int_equal(rig_total_of(&rig, CHILD_84), 3);
}

/* Deleted between the list and its details. */
static void child_may_vanish_midway(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    answer_rows(&rig, row_root(1), row_84(9), row_85(5));
    answer_inventories(&rig, 16, 9);
    peer_reply(rig.peer, 404, NULL, "{\"errors\": [{\"status\": 404}]}");
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_int_equal(rig.observed->provider_count, 2);
    assert_null(observed_by_uuid(rig.observed, CHILD_84));
    assert_int_equal(rig_total_of(&rig, CHILD_85), 8);
}

static void parts_must_be_of_one_generation(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    answer_rows(&rig, row_root(1), row_84(5), row_85(5));
    answer_inventories(&rig, 16, 5);
    answer_traits(&rig, 6);
    answer_allocations(&rig, 1, 6);
    answer_inventories(&rig, 15, 6);
    answer_traits(&rig, 6);
    answer_allocations(&rig, 2, 7);
    answer_details(&rig, 14, 7);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BELOW "\n" DETAILS_84 "\n" DETAILS_84 "\n" DETAILS_84);
    assert_int_equal(rig_total_of(&rig, CHILD_84), 14);
    assert_int_equal(rig.observed->providers[1].provider.generation, 7);
    /* And what was read is what is compared. */
    answer_rows(&rig, row_root(1), row_84(7), row_85(5));
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BELOW);
}

static void gives_up_on_what_never_rests(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    answer_rows(&rig, row_root(1), row_84(10), row_85(5));
    for (int i = 0; i < 5; i++) {
        answer_inventories(&rig, 16, 10 + i);
        answer_traits(&rig, 10 + i);
        answer_allocations(&rig, 1, 11 + i);
    }
    assert_int_equal(rig_fetch(&rig), -1);
    assert_int_equal(rig.err.code, ERROR_CONFLICT);
    assert_string_equal(rig.err.text, "provider host_pci_0000_84_00_0 changed, or was "
                                      "older than the tree, each of the 5 times that "
                                      "it was read");
}

/* Which children are the agent's matter, and which not. */
static void reads_ours_in_detail(void **state)
{
    (void)state;
    char computed[UUID_TEXT_SIZE];
    uuid5_text(ROOT, "an old name: of ours", computed);
    const struct {
        const char *uuid, *name;
        bool detailed;
    } cases[] = {
        {CHILD_84, "host_pci_0000_84_00_0", true},
        {CHILD_84, "host_mtty_mtty", true},
        {computed, "an old name: of ours", true},
        {CHILD_84, "an old name: of ours", false},
        {CHILD_84, "host_0000:84:00.0", false},
        {CHILD_84, "host:Open vSwitch agent:br0", false},
        {CHILD_84, "host_", false},
        {CHILD_84, "hostpci_0000_84_00_0", false},
        {CHILD_84, "other_pci_0000_84_00_0", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_rig_ struct rig rig;
        rig_open(&rig);
        answer_rows(&rig, row_root(1));
        answer_rows(&rig, row_root(1), {cases[i].uuid, cases[i].name, ROOT, 1});
        if (cases[i].detailed)
            answer_details(&rig, 1, 1);
        assert_ok(rig_fetch(&rig), &rig.err);
        assert_int_equal(rig.observed->providers[1].detailed, cases[i].detailed);
        assert_int_equal(peer_request_count(rig.peer), cases[i].detailed ? 6 : 3);
    }
}

/* Whichever request fails: what was known stays, and the next fetch succeeds. */
static void failure_leaves_the_cache(void **state)
{
    (void)state;
    for (int failing = 0; failing < 7; failing++) {
        _cleanup_rig_ struct rig rig;
        rig_with_tree(&rig);
        const struct observed *before = rig.observed;
        for (int i = 0; i < failing; i++) {
            int generation = i <= 3 ? 6 : 7;
            if (i == 0)
                answer_rows(&rig, row_root(1), row_84(6), row_85(7));
            else if (i % 3 == 1)
                answer_inventories(&rig, 2, generation);
            else if (i % 3 == 2)
                answer_traits(&rig, generation);
            else
                answer_allocations(&rig, 1, generation);
        }
        peer_reply(rig.peer, 503, NULL, "");
        assert_int_equal(rig_fetch(&rig), -1);
        assert_int_equal(rig.err.code, ERROR_UNREACHABLE);
        assert_ptr_equal(rig.observed, before);
        assert_int_equal(rig_total_of(&rig, CHILD_84), 16);
        assert_int_equal(rig_total_of(&rig, CHILD_85), 8);
        answer_rows(&rig, row_root(1), row_84(6), row_85(7));
        answer_details(&rig, 2, 6);
        answer_details(&rig, 3, 7);
        assert_ok(rig_fetch(&rig), &rig.err);
        assert_int_equal(rig_total_of(&rig, CHILD_84), 2);
        assert_int_equal(rig_total_of(&rig, CHILD_85), 3);
    }
}

static void forgets_when_told(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    placement_fetch_forget(rig.fetch);
    answer_rows(&rig, row_root(1));
    answer_rows(&rig, row_root(1), row_84(4));
    answer_details(&rig, 16, 4);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BY_NAME "\n" BELOW "\n" DETAILS_84);
}

/* ---- the root ---- */

static void no_root_of_that_name(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_open(&rig);
    char computed[UUID_TEXT_SIZE];
    root_identity_computed_uuid("host", computed);
    for (int i = 0; i < 2; i++) {
        answer_list(&rig, NULL, 0);
        assert_ok(rig_fetch(&rig), &rig.err);
        assert_requests(&rig, BY_NAME);
        assert_false(rig.observed->root_found);
        assert_int_equal(rig.observed->provider_count, 0);
        assert_string_equal(rig.observed->root_name, "host");
        assert_string_equal(rig.observed->root_uuid, computed);
    }
    answer_rows(&rig, row_root(0));
    answer_rows(&rig, row_root(0));
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_true(rig.observed->root_found);
}

/* Not at once: it may be a replica that lags. */
static void root_made_anew_is_found(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    answer_list(&rig, NULL, 0);
    answer_rows(&rig, {OTHER_ROOT, "host", NULL, 0});
    answer_rows(&rig, {OTHER_ROOT, "host", NULL, 0});
    assert_int_equal(rig_fetch(&rig), -1);
    assert_int_equal(rig.err.code, ERROR_CONFLICT);
    assert_requests(&rig, BELOW "\n" BY_NAME "\n?in_tree=" OTHER_ROOT);
    rig.now += 60;
    answer_list(&rig, NULL, 0);
    answer_rows(&rig, {OTHER_ROOT, "host", NULL, 0});
    answer_rows(&rig, {OTHER_ROOT, "host", NULL, 0});
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BELOW "\n" BY_NAME "\n?in_tree=" OTHER_ROOT);
    assert_true(rig.observed->root_found);
    assert_string_equal(rig.observed->root_uuid, OTHER_ROOT);
    assert_int_equal(rig.observed->provider_count, 1);
}

static void root_vanished(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    for (int i = 0; i < 2; i++, rig.now += 59) {
        answer_list(&rig, NULL, 0);
        answer_list(&rig, NULL, 0);
        assert_int_equal(rig_fetch(&rig), -1);
        assert_int_equal(rig.err.code, ERROR_CONFLICT);
        assert_requests(&rig, BELOW "\n" BY_NAME);
        assert_int_equal(placement_fetch_replaced_at(rig.fetch), 0);
    }
    answer_list(&rig, NULL, 0);
    answer_list(&rig, NULL, 0);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BELOW "\n" BY_NAME);
    assert_false(rig.observed->root_found);
    assert_int_equal(placement_fetch_replaced_at(rig.fetch), rig.now);
}

/* ---- older views ---- */

static void expect_older(struct rig *rig, const char *why)
{
    const struct observed *before = rig->observed;
    assert_int_equal(rig_fetch(rig), -1);
    assert_int_equal(rig->err.code, ERROR_CONFLICT);
    if (!strstr(rig->err.text, why))
        fail_msg("%s", rig->err.text);
    assert_ptr_equal(rig->observed, before);
    assert_requests(rig, BELOW);
}

static void an_older_view_changes_nothing(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    answer_rows(&rig, row_root(1), row_84(3), row_85(5));
    expect_older(&rig, "host_pci_0000_84_00_0 is at generation 3 and was at 4");
    answer_rows(&rig, row_root(0), row_84(4), row_85(5));
    expect_older(&rig, "host is at generation 0 and was at 1");
    answer_rows(&rig, row_root(1));
    expect_older(&rig, "all 2 providers of the host's have gone");
    /* What the agent itself wrote counts as well. */
    answer_rows(&rig, row_root(1), row_84(4), row_85(5));
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BELOW);
    placement_fetch_wrote(rig.fetch, CHILD_85, 6);
    answer_rows(&rig, row_root(1), row_84(4), row_85(5));
    expect_older(&rig, "host_pci_0000_85_00_0 is at generation 5 and was at 6");
    /* And what it made anew begins at 0. */
    placement_fetch_remade(rig.fetch, CHILD_85);
    answer_rows(&rig, row_root(1), row_84(4), row_85(5));
    assert_ok(rig_fetch(&rig), &rig.err);
}

/* A replica that catches up now and then starts the patience anew; one that stays
 * behind is the truth in the end, and nothing of what was before is kept. */
static void an_older_view_that_stays_is_believed(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    for (int i = 0; i < 3; i++, rig.now += 59) {
        answer_rows(&rig, row_root(1), row_84(3), row_85(5));
        assert_int_equal(rig_fetch(&rig), -1);
        answer_rows(&rig, row_root(1), row_84(4), row_85(5));
        assert_ok(rig_fetch(&rig), &rig.err);
    }
    answer_rows(&rig, row_root(1), row_84(3), row_85(5));
    assert_int_equal(rig_fetch(&rig), -1);
    rig.now += 60;
    answer_rows(&rig, row_root(1), row_84(3), row_85(5));
    answer_details(&rig, 12, 3);
    answer_details(&rig, 6, 5);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_int_equal(rig_total_of(&rig, CHILD_84), 12);
    assert_int_equal(rig_total_of(&rig, CHILD_85), 6);
    assert_int_equal(placement_fetch_replaced_at(rig.fetch), rig.now);
    answer_rows(&rig, row_root(1), row_84(3), row_85(5));
    assert_ok(rig_fetch(&rig), &rig.err);
}

/* The tree from the primary, its details from a replica. */
static void details_are_as_new_as_the_tree(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    answer_rows(&rig, row_root(1), row_84(6), row_85(5));
    answer_details(&rig, 16, 5);
    answer_details(&rig, 14, 6);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_int_equal(rig_total_of(&rig, CHILD_84), 14);
}

static void root_must_be_a_root(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_open(&rig);
    answer_rows(&rig, {CHILD_84, "host", ROOT, 0});
    answer_rows(&rig, row_root(0), {CHILD_84, "host", ROOT, 0});
    assert_int_equal(rig_fetch(&rig), -1);
    assert_int_equal(rig.err.code, ERROR_INVALID);
    assert_string_equal(rig.err.text, "provider host (" CHILD_84
                                      ") is to be this host's root, but is a child");
}

/* ---- traits ---- */

static void ask(struct rig *rig, const char *names)
{
    _cleanup_strlist_ struct strlist list = strlist_split(names, ' ');
    assert_ok(placement_fetch_traits(rig->fetch, &list, &rig->err), &rig->err);
}

static void assert_known(const struct rig *rig, const char *expected)
{
    _cleanup_free_ char *known = strlist_join(&rig->observed->known_traits, " ");
    assert_string_equal(known, expected);
}

static void traits_are_asked_for_once(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    /* What a provider has needs no question. */
    ask(&rig, "CUSTOM_A");
    assert_requests(&rig, "");
    peer_ok(rig.peer, "{\"traits\": [\"HW_GPU_B\"]}");
    ask(&rig, "CUSTOM_A CUSTOM_C HW_GPU_B CUSTOM_C");
    assert_requests(&rig, "GET /traits?name=in:CUSTOM_C,HW_GPU_B");
    assert_known(&rig, "CUSTOM_A HW_GPU_B");
    ask(&rig, "CUSTOM_A CUSTOM_C HW_GPU_B");
    assert_requests(&rig, "");
    answer_rows(&rig, row_root(2), row_84(4), row_85(5));
    assert_ok(rig_fetch(&rig), &rig.err);
    ask(&rig, "CUSTOM_A CUSTOM_C HW_GPU_B");
    assert_requests(&rig, BELOW);
    assert_known(&rig, "CUSTOM_A HW_GPU_B");
    /* Something changed: what was missing may be there now. */
    answer_rows(&rig, row_root(2), row_84(5), row_85(5));
    answer_details(&rig, 16, 5);
    peer_ok(rig.peer, "{\"traits\": [\"CUSTOM_C\"]}");
    assert_ok(rig_fetch(&rig), &rig.err);
    ask(&rig, "CUSTOM_A CUSTOM_C HW_GPU_B");
    assert_requests(&rig, BELOW "\n" DETAILS_84 "\nGET /traits?name=in:CUSTOM_C");
    assert_known(&rig, "CUSTOM_A CUSTOM_C HW_GPU_B");
}

static void failed_question_is_asked_again(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    _cleanup_strlist_ struct strlist list = strlist_split("CUSTOM_C", ' ');
    peer_reply(rig.peer, 503, NULL, "");
    assert_int_equal(placement_fetch_traits(rig.fetch, &list, &rig.err), -1);
    peer_ok(rig.peer, "{\"traits\": [\"CUSTOM_C\"]}");
    ask(&rig, "CUSTOM_C");
    assert_known(&rig, "CUSTOM_C");
}

/* ---- allocations ---- */

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
    peer_reply(rig.peer, 404, NULL, "{\"errors\": [{\"status\": 404}]}");
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

#define NEW_ONE "cccccccc-0000-4000-8000-000000000001"

/* The next look reads its provider anyhow, whose generation has moved. */
static void a_new_consumer_is_added_without_a_request(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    struct consumer_allocation items[] = {
        {.provider = ROOT, .resource_class = (char[]){"VCPU"}, .amount = 2},
        {.provider = CHILD_84, .resource_class = (char[]){"VGPU"}, .amount = 1},
        {.provider = OTHER_ROOT, .resource_class = (char[]){"DISK_GB"}, .amount = 5},
    };
    struct consumer_allocations have = {
        .consumer = NEW_ONE, .items = items, .count = 3};
    const struct observed *observed = placement_fetch_add_consumer(rig.fetch, &have);
    assert_true(observed == rig.observed);
    assert_true(observed_has_consumer(observed, NEW_ONE));
    assert_int_equal(observed_by_uuid(observed, CHILD_84)->allocation_count, 2);
    assert_int_equal(observed_by_uuid(observed, ROOT)->allocation_count, 0);
    assert_requests(&rig, "");
    /* What is known of a consumer cannot be added to. */
    assert_null(placement_fetch_add_consumer(rig.fetch, &have));
    answer_rows(&rig, row_root(1), row_84(5), row_85(5));
    answer_details(&rig, 16, 5);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BELOW "\n" DETAILS_84);
    assert_false(observed_has_consumer(rig.observed, NEW_ONE));
    placement_fetch_forget(rig.fetch);
    assert_null(placement_fetch_add_consumer(rig.fetch, &have));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_at_first),
        cmocka_unit_test(idle_is_one_request),
        cmocka_unit_test(root_alone_may_move),
        cmocka_unit_test(reads_again_only_what_moved),
        cmocka_unit_test(children_come_and_go),
        cmocka_unit_test(child_may_vanish_midway),
        cmocka_unit_test(parts_must_be_of_one_generation),
        cmocka_unit_test(gives_up_on_what_never_rests),
        cmocka_unit_test(reads_ours_in_detail),
        cmocka_unit_test(failure_leaves_the_cache),
        cmocka_unit_test(forgets_when_told),
        cmocka_unit_test(no_root_of_that_name),
        cmocka_unit_test(root_made_anew_is_found),
        cmocka_unit_test(root_vanished),
        cmocka_unit_test(an_older_view_changes_nothing),
        cmocka_unit_test(an_older_view_that_stays_is_believed),
        cmocka_unit_test(details_are_as_new_as_the_tree),
        cmocka_unit_test(other_contents_at_the_same_generation),
        cmocka_unit_test(root_must_be_a_root),
        cmocka_unit_test(traits_are_asked_for_once),
        cmocka_unit_test(failed_question_is_asked_again),
        cmocka_unit_test(allocations_are_asked_for_in_turn),
        cmocka_unit_test(deleted_allocation_is_missed),
        cmocka_unit_test(allocations_of_another_generation),
        cmocka_unit_test(allocations_of_what_has_gone),
        cmocka_unit_test(allocations_that_cannot_be_read),
        cmocka_unit_test(a_new_consumer_is_added_without_a_request),
    };
    return cmocka_run_group_tests_name("placement_fetch", tests, NULL, NULL);
}
