/* Views of Placement that are older than what was seen (agent/tree/seen.h). */
#include "tests/unit/test.h"

#include <string.h>

#include "agent/state/boot_clock.h"
#include "tests/unit/agent/tree/fetch_rig.h"

/* ---- one process ---- */

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
    assert_int_equal(rig.journal->replaced_at, rig.now);
    answer_rows(&rig, row_root(1), row_84(3), row_85(5));
    assert_ok(rig_fetch(&rig), &rig.err);
}

/* ---- and another ---- */

/* The state file has a device that stands for what answer_details() shows. */
static void add_device(struct rig *rig, const char *provider)
{
    struct journal_device device = {.uuid = OTHER_ROOT,
                                    .resource_class = (char *)"VGPU",
                                    .gpu = (char *)"0000:84:00.0",
                                    .parent = (char *)"0000:84:00.0",
                                    .type_id = (char *)"nvidia-35"};
    uuid_text_copy(device.provider, provider);
    uuid_text_copy(device.consumer, OTHER_ROOT);
    journal_put_device(rig->journal, &device);
    journal_put_root(rig->journal, ROOT, "host");
}

/* 84 as it is made anew, 85 as it was. */
static void answer_made_anew(struct rig *rig)
{
    answer_rows(rig, row_root(1));
    answer_rows(rig, row_root(1), row_84(0), row_85(5));
    peer_ok(rig->peer, "{\"inventories\": {}, \"resource_provider_generation\": 0}");
    answer_traits(rig, 0);
    peer_ok(rig->peer, "{\"allocations\": {}, \"resource_provider_generation\": 0}");
    answer_details(rig, 8, 5);
}

static void an_older_view_is_known_after_a_restart(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    assert_true(placement_fetch_take_news(rig.fetch));
    add_device(&rig, CHILD_84);
    for (int i = 0; i < 3; i++, rig.now += 25) {
        rig_restart(&rig);
        answer_made_anew(&rig);
        assert_int_equal(rig_fetch(&rig), -1);
        assert_int_equal(rig.err.code, ERROR_CONFLICT);
        assert_int_equal(placement_fetch_take_news(rig.fetch), i == 0);
        assert_int_equal(rig.journal->doubted_since, 1000);
    }
    rig_restart(&rig);
    answer_made_anew(&rig);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_true(placement_fetch_take_news(rig.fetch));
    assert_int_equal(rig.journal->replaced_at, rig.now);
    assert_int_equal(rig.journal->doubted_since, 0);
}

static void expect_unreachable(struct rig *rig)
{
    peer_reply(rig->peer, 503, NULL, "");
    assert_int_equal(rig_fetch(rig), -1);
    assert_int_equal(rig->err.code, ERROR_UNREACHABLE);
    rig->seen = peer_request_count(rig->peer);
}

/* The patience is over, but Placement answers only a part of the requests: the next
 * attempt goes on, and what an earlier view showed is no part of it. */
static void an_accepted_view_is_read_piece_by_piece(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    answer_rows(&rig, row_root(1), row_84(5), row_85(6));
    answer_details(&rig, 1, 5);
    expect_unreachable(&rig);
    answer_rows(&rig, row_root(0), row_84(5), row_85(5));
    assert_int_equal(rig_fetch(&rig), -1);
    assert_int_equal(rig.err.code, ERROR_CONFLICT);
    rig.now += 60;
    answer_rows(&rig, row_root(0), row_84(5), row_85(5));
    answer_details(&rig, 12, 5);
    expect_unreachable(&rig);
    assert_int_equal(rig.journal->replaced_at, 0);
    assert_int_equal(rig.journal->doubted_since, rig.now - 60);
    rig.now += 10;
    answer_rows(&rig, row_root(0));
    answer_rows(&rig, row_root(0), row_84(5), row_85(5));
    answer_details(&rig, 6, 5);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BY_NAME "\n" BELOW "\n" DETAILS_85);
    assert_int_equal(rig_total_of(&rig, CHILD_84), 12);
    assert_int_equal(rig_total_of(&rig, CHILD_85), 6);
    assert_int_equal(rig.journal->replaced_at, rig.now);
    assert_int_equal(rig.journal->doubted_since, 0);
}

static void an_older_first_view_is_read_piece_by_piece(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    rig_restart(&rig);
    answer_rows(&rig, row_root(1));
    answer_rows(&rig, row_root(1), row_84(2), row_85(2));
    answer_details(&rig, 16, 2);
    expect_unreachable(&rig);
    answer_rows(&rig, row_root(1));
    answer_rows(&rig, row_root(1), row_84(2), row_85(2));
    answer_details(&rig, 8, 2);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_requests(&rig, BY_NAME "\n" BELOW "\n" DETAILS_85);
}

static void a_refused_view_is_read_once(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    add_device(&rig, CHILD_84);
    rig_restart(&rig);
    answer_made_anew(&rig);
    for (int i = 0; i < 3; i++, rig.now += 30) {
        if (i) {
            answer_rows(&rig, row_root(1));
            answer_rows(&rig, row_root(1), row_84(0), row_85(5));
        }
        assert_int_equal(rig_fetch(&rig), i < 2 ? -1 : 0);
        if (i)
            assert_requests(&rig, BY_NAME "\n" BELOW);
        rig.seen = peer_request_count(rig.peer);
    }
    assert_int_equal(rig.journal->replaced_at, rig.now - 30);
    assert_int_equal(rig_total_of(&rig, CHILD_85), 8);
}

/* As after `placementd --export`: the other one counts its generations itself. */
static void another_placement_that_has_all_is_believed_at_once(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    add_device(&rig, CHILD_84);
    rig_restart(&rig);
    answer_rows(&rig, row_root(1));
    answer_rows(&rig, row_root(1), row_84(2), row_85(2));
    answer_details(&rig, 16, 2);
    answer_details(&rig, 8, 2);
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_int_equal(rig.journal->replaced_at, 0);
    /* From then on it is this one that must not forget. */
    answer_rows(&rig, row_root(1), row_84(1), row_85(2));
    assert_int_equal(rig_fetch(&rig), -1);
    assert_int_equal(rig.err.code, ERROR_CONFLICT);
}

static void a_provider_with_devices_does_not_go_alone(void **state)
{
    (void)state;
    for (int devices = 0; devices < 2; devices++)
        for (int restarts = 0; restarts < 2; restarts++) {
            _cleanup_rig_ struct rig rig;
            rig_with_tree(&rig);
            if (devices)
                add_device(&rig, CHILD_84);
            if (restarts) {
                rig_restart(&rig);
                answer_rows(&rig, row_root(7));
            }
            answer_rows(&rig, row_root(7), row_85(5));
            if (restarts)
                answer_details(&rig, 8, 5);
            assert_int_equal(rig_fetch(&rig), -devices);
            if (devices)
                assert_non_null(strstr(rig.err.text, CHILD_84 " has gone with its "
                                                              "allocations"));
        }
}

/* Listed by one server of the database, and not there by another. */
static void one_that_is_not_found_was_seen_all_the_same(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    add_device(&rig, CHILD_84);
    assert_true(placement_fetch_take_news(rig.fetch));
    for (int i = 5; i < 8; i++) {
        answer_rows(&rig, row_root(1), row_84(i), row_85(5));
        answer_404(&rig);
        assert_ok(rig_fetch(&rig), &rig.err);
        assert_false(placement_fetch_take_news(rig.fetch));
    }
    answer_rows(&rig, row_root(1), row_85(5));
    assert_int_equal(rig_fetch(&rig), -1);
    assert_int_equal(rig.err.code, ERROR_CONFLICT);
    assert_non_null(strstr(rig.err.text, CHILD_84 " has gone with its allocations"));
    /* An older view without it is accepted once. */
    rig.now += 60;
    for (int i = 0; i < 2; i++) {
        answer_rows(&rig, row_root(1), row_84(3), row_85(5));
        answer_404(&rig);
        if (i == 0)
            answer_details(&rig, 8, 5);
        assert_ok(rig_fetch(&rig), &rig.err);
    }
}

/* What a state file of an older version tells: the providers that it names. */
static void providers_of_an_older_state_file_were_seen(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_open(&rig);
    struct journal_provider provider = {.name = (char *)"host_pci_0000_84_00_0",
                                        .gpu = (char *)"0000:84:00.0"};
    uuid5_text(ROOT, provider.name, provider.uuid);
    add_device(&rig, provider.uuid);
    journal_put_provider(rig.journal, &provider);
    rig_restart(&rig);
    answer_rows(&rig, row_root(3));
    answer_rows(&rig, row_root(3));
    assert_int_equal(rig_fetch(&rig), -1);
    assert_int_equal(rig.err.code, ERROR_CONFLICT);
    /* Below another root they are not looked for: an operator is asked. Nor was the other
     * one seen: it may have been adopted before it is made. */
    journal_put_root(rig.journal, OTHER_ROOT, "other");
    rig_restart(&rig);
    answer_rows(&rig, row_root(3));
    answer_rows(&rig, row_root(3));
    assert_ok(rig_fetch(&rig), &rig.err);
    assert_int_equal(rig.journal->seen_count, 0);
}

/* As long as there is no root, nobody can put back what was lost. */
static void the_hour_begins_with_the_root(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    add_device(&rig, CHILD_84);
    for (int i = 0; i < 5; i++, rig.now += 60) {
        rig_restart(&rig);
        answer_list(&rig, NULL, 0);
        assert_int_equal(rig_fetch(&rig), i == 0 ? -1 : 0);
        answer_list(&rig, NULL, 0);
        if (i)
            assert_ok(rig_fetch(&rig), &rig.err);
        else
            assert_int_equal(rig_fetch(&rig), -1);
        assert_int_equal(rig.journal->replaced_at, i == 0 ? 0 : rig.now);
    }
}

/* A boot months later must not begin it again. */
static void the_hour_ends_for_good(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_with_tree(&rig);
    const int64_t replaced = rig.now;
    rig.journal->replaced_at = replaced;
    assert_true(placement_fetch_take_news(rig.fetch));
    static const int64_t ages[] = {0, 3599, 3600, 86400};
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
        rig.now = replaced + ages[i];
        answer_rows(&rig, row_root(1), row_84(4), row_85(5));
        assert_ok(rig_fetch(&rig), &rig.err);
        assert_int_equal(rig.journal->replaced_at, ages[i] < 3600 ? replaced : 0);
        assert_int_equal(placement_fetch_take_news(rig.fetch), ages[i] == 3600);
    }
    rig.journal->boot[0] = 0;
    struct boot_time boot = {OTHER_ROOT, 50, rig.now};
    assert_false(boot_clock_follow(rig.journal, &boot));
    assert_int_equal(rig.journal->replaced_at, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_older_view_changes_nothing),
        cmocka_unit_test(an_older_view_that_stays_is_believed),
        cmocka_unit_test(an_older_view_is_known_after_a_restart),
        cmocka_unit_test(an_accepted_view_is_read_piece_by_piece),
        cmocka_unit_test(an_older_first_view_is_read_piece_by_piece),
        cmocka_unit_test(a_refused_view_is_read_once),
        cmocka_unit_test(another_placement_that_has_all_is_believed_at_once),
        cmocka_unit_test(a_provider_with_devices_does_not_go_alone),
        cmocka_unit_test(one_that_is_not_found_was_seen_all_the_same),
        cmocka_unit_test(providers_of_an_older_state_file_were_seen),
        cmocka_unit_test(the_hour_begins_with_the_root),
        cmocka_unit_test(the_hour_ends_for_good),
    };
    return cmocka_run_group_tests_name("placement_fetch, older views", tests, NULL,
                                       NULL);
}
