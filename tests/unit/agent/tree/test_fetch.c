#include "tests/unit/test.h"

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

/* Deleted between the list and its details, or not on that server of the database yet:
 * the next list tells. */
static void child_may_vanish_midway(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    answer_rows(&rig, row_root(1), row_84(9), row_85(5));
    answer_inventories(&rig, 16, 9);
    answer_404(&rig);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_int_equal(rig.observed->provider_count, 3);
    assert_false(observed_by_uuid(rig.observed, CHILD_84)->detailed);
    assert_int_equal(observed_by_uuid(rig.observed, CHILD_84)->inventory_count, 0);
    assert_int_equal(rig_total_of(&rig, CHILD_85), 8);
    answer_rows(&rig, row_root(1), row_84(9), row_85(5));
    answer_details(&rig, 16, 9);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_int_equal(rig_total_of(&rig, CHILD_84), 16);
    answer_rows(&rig, row_root(1), row_84(10), row_85(5));
    answer_404(&rig);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_false(observed_by_uuid(rig.observed, CHILD_84)->detailed);
    answer_rows(&rig, row_root(1), row_85(5));
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_null(observed_by_uuid(rig.observed, CHILD_84));
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

static void others_are_only_listed(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_open(&rig);
    answer_rows(&rig, row_root(1));
    answer_rows(&rig, row_root(1), {CHILD_84, "host:Open vSwitch agent:br0", ROOT, 1});
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_false(rig.observed->providers[1].detailed);
    assert_int_equal(peer_request_count(rig.peer), 3);
}

/* Whichever request fails: what was known stays, and the next fetch succeeds. It does
 * not read again what the failed one has read to its end. */
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
        bool has_84 = failing > 3;
        rig.seen = peer_request_count(rig.peer);
        answer_rows(&rig, row_root(1), row_84(6), row_85(7));
        if (!has_84)
            answer_details(&rig, 2, 6);
        answer_details(&rig, 3, 7);
        assert_ok(rig_fetch(&rig), &rig.err);
        assert_requests(&rig, has_84 ? BELOW "\n" DETAILS_85
                                     : BELOW "\n" DETAILS_84 "\n" DETAILS_85);
        assert_int_equal(rig_total_of(&rig, CHILD_84), 2);
        assert_int_equal(rig_total_of(&rig, CHILD_85), 3);
    }
}

/* A Placement that answers only so many requests at a time: each attempt gets further. */
static void first_tree_is_read_piece_by_piece(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_open(&rig);
    answer_rows(&rig, row_root(1));
    answer_rows(&rig, row_root(1), row_84(4), row_85(5));
    answer_details(&rig, 16, 4);
    peer_reply(rig.peer, 503, NULL, "");
    assert_int_equal(rig_fetch(&rig), -1);
    assert_requests(&rig,
                    BY_NAME "\n" BELOW "\n" DETAILS_84 "\n/" CHILD_85 "/inventories");
    /* 84 has another generation now: it is read anew. */
    answer_rows(&rig, row_root(1));
    answer_rows(&rig, row_root(1), row_84(5), row_85(5));
    answer_details(&rig, 12, 5);
    peer_reply(rig.peer, 503, NULL, "");
    assert_int_equal(rig_fetch(&rig), -1);
    rig.seen = peer_request_count(rig.peer);
    answer_rows(&rig, row_root(1));
    answer_rows(&rig, row_root(1), row_84(5), row_85(5));
    answer_details(&rig, 8, 5);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BY_NAME "\n" BELOW "\n" DETAILS_85);
    assert_int_equal(rig_total_of(&rig, CHILD_84), 12);
    assert_int_equal(rig_total_of(&rig, CHILD_85), 8);
}

/* All hosts come back from an outage at about the same time: each with one request,
 * and then compares, since the database may be another one. */
static void after_an_outage_the_cache_is_compared(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    const struct observed *observed;
    rig_with_tree(&rig);
    peer_reply(rig.peer, 503, NULL, "");
    assert_int_equal(rig_fetch(&rig), -1);
    placement_fetch_doubt(rig.fetch);
    rig.seen = peer_request_count(rig.peer);
    struct consumer_allocation item = {.resource_class = (char *)"VGPU", .amount = 1};
    uuid_text_copy(item.provider, CHILD_84);
    struct consumer_allocations have = {.items = &item, .count = 1};
    uuid_text_copy(have.consumer, ROOT);
    assert_null(placement_fetch_add_consumer(rig.fetch, &have));
    assert_false(placement_fetch_knows(rig.fetch, &have));
    assert_ok(placement_fetch_one(rig.fetch, &observed, &rig.err), &rig.err);
    assert_null(observed);
    assert_requests(&rig, "");
    answer_rows(&rig, row_root(1), row_84(4), row_85(5));
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BELOW);
    answer_inventories(&rig, 12, 4); /* of the same generation: another database */
    assert_ok(placement_fetch_one(rig.fetch, &observed, &rig.err), &rig.err);
    assert_null(observed);
    assert_requests(&rig, "/" CHILD_84 "/inventories");
    answer_rows(&rig, row_root(1));
    answer_rows(&rig, row_root(1), row_84(4), row_85(5));
    answer_details(&rig, 12, 4);
    answer_details(&rig, 8, 5);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_int_equal(rig_total_of(&rig, CHILD_84), 12);
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
        assert_int_equal(rig.journal->replaced_at, 0);
    }
    answer_list(&rig, NULL, 0);
    answer_list(&rig, NULL, 0);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BELOW "\n" BY_NAME);
    assert_false(rig.observed->root_found);
    assert_int_equal(rig.journal->replaced_at, rig.now);
}

/* ---- which providers are read ---- */

/* The name is somebody else's by now: the uuid tells. */
static void a_renamed_provider_is_read(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    const struct row renamed = {CHILD_84, "stolen", ROOT, 4};
    answer_rows(&rig, row_root(1), row_85(5), renamed);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BELOW);
    assert_false(observed_by_uuid(rig.observed, CHILD_84)->detailed);
    _cleanup_strlist_ struct strlist ours = {0};
    strlist_add(&ours, CHILD_84);
    strlist_add(&ours, ROOT);
    assert_true(placement_fetch_expect(rig.fetch, &ours));
    answer_rows(&rig, row_root(1), row_85(5), renamed);
    answer_details(&rig, 16, 4);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BELOW "\n" DETAILS_84);
    assert_int_equal(rig_total_of(&rig, CHILD_84), 16);
    /* From then on nothing is read twice. */
    assert_false(placement_fetch_expect(rig.fetch, &ours));
    answer_rows(&rig, row_root(1), row_85(5), renamed);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BELOW);
    assert_false(observed_by_uuid(rig.observed, ROOT)->detailed);
}

static void one_that_is_not_found_is_asked_for_once_a_cycle(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    _cleanup_strlist_ struct strlist ours = {0};
    strlist_add(&ours, CHILD_84);
    assert_false(placement_fetch_expect(rig.fetch, &ours));
    answer_rows(&rig, row_root(1), row_84(5), row_85(5));
    answer_404(&rig);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_false(observed_by_uuid(rig.observed, CHILD_84)->detailed);
    assert_false(placement_fetch_expect(rig.fetch, &ours));
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

/* Another database may answer after a failure. Not in the first moment of its return,
 * when all hosts come. */
static void after_an_outage_the_rest_is_asked_again(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    _cleanup_strlist_ struct strlist classes = strlist_split("VGPU", ' ');
    peer_ok(rig.peer, "{\"traits\": []}");
    ask(&rig, "CUSTOM_C");
    answer_inventories(&rig, 4, 1);
    assert_ok(placement_fetch_root(rig.fetch, &classes, &rig.err), &rig.err);
    assert_true(strlist_contains(&rig.observed->root_classes, "VGPU"));
    placement_fetch_doubt(rig.fetch);
    rig.seen = peer_request_count(rig.peer);
    for (int i = 0; i < 3; i++) {
        answer_rows(&rig, row_root(1), row_84(4), row_85(5));
        if (i == 1) {
            peer_ok(rig.peer, "{\"traits\": [\"CUSTOM_C\"]}");
            peer_ok(rig.peer,
                    "{\"inventories\": {}, \"resource_provider_generation\": 1}");
        }
        assert_ok(rig_fetch(&rig), &rig.err);
        ask(&rig, "CUSTOM_C");
        assert_ok(placement_fetch_root(rig.fetch, &classes, &rig.err), &rig.err);
        assert_requests(&rig, i == 1 ? BELOW "\nGET /traits?name=in:CUSTOM_C\n/" ROOT
                                             "/inventories"
                                     : BELOW);
        assert_int_equal(rig.observed->root_classes.count, i == 0);
    }
    assert_known(&rig, "CUSTOM_C");
}

/* ---- one consumer ---- */

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
        cmocka_unit_test(others_are_only_listed),
        cmocka_unit_test(failure_leaves_the_cache),
        cmocka_unit_test(first_tree_is_read_piece_by_piece),
        cmocka_unit_test(after_an_outage_the_cache_is_compared),
        cmocka_unit_test(forgets_when_told),
        cmocka_unit_test(no_root_of_that_name),
        cmocka_unit_test(root_made_anew_is_found),
        cmocka_unit_test(root_vanished),
        cmocka_unit_test(a_renamed_provider_is_read),
        cmocka_unit_test(one_that_is_not_found_is_asked_for_once_a_cycle),
        cmocka_unit_test(details_are_as_new_as_the_tree),
        cmocka_unit_test(root_must_be_a_root),
        cmocka_unit_test(traits_are_asked_for_once),
        cmocka_unit_test(failed_question_is_asked_again),
        cmocka_unit_test(after_an_outage_the_rest_is_asked_again),
        cmocka_unit_test(a_new_consumer_is_added_without_a_request),
    };
    return cmocka_run_group_tests_name("placement_fetch", tests, NULL, NULL);
}
