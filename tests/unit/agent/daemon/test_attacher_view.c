#include "agent/daemon/attacher_view.h"

#include <string.h>

#include "tests/unit/test.h"

#define ONE "00000000-0000-4000-8000-0000000000c1"
#define TWO "00000000-0000-4000-8000-0000000000c2"

static void hear(struct attacher_view *view, const char *line)
{
    _cleanup_message_ struct message message;
    struct error err = {0};
    if (message_decode(line, strlen(line), &message, &err) != 0)
        fail_msg("%s: %s", line, err.text);
    attacher_view_take(view, &message);
}

#define UP "{\"connection\": {\"up\": true, \"reason\": null}}"
#define DOWN "{\"connection\": {\"up\": false, \"reason\": \"gone\"}}"
#define ALL "{\"all\": true}"
#define FAILED(uuid)                                                   \
    "{\"state\": {\"consumer\": \"" uuid "\", \"state\": \"failed\", " \
    "\"reason\": \"no\", \"age\": 5, \"took\": -1}}"
#define GUEST(uuid, live)                                                       \
    "{\"guest\": {\"uuid\": \"" uuid "\", \"name\": \"i\", \"running\": true, " \
    "\"persistent\": true, \"live\": [" live "], \"configured\": [], \"life\": 1}}"

static void domains_are_complete_once_all_were_looked_at(void **state)
{
    (void)state;
    _cleanup_(attacher_view_clear) struct attacher_view view = {0};
    hear(&view, UP);
    hear(&view, GUEST(ONE, "\"mdev\""));
    assert_false(view.domains.complete);
    hear(&view, ALL);
    assert_true(view.up && view.domains.complete);
    const struct domain *domain = domains_find(&view.domains, ONE);
    assert_true(domain->running && strlist_contains(&domain->live, "mdev"));
    hear(&view, GUEST(ONE, ""));
    assert_int_equal(domains_find(&view.domains, ONE)->live.count, 0);
    hear(&view, "{\"gone\": \"" ONE "\"}");
    assert_null(domains_find(&view.domains, ONE));
}

/* What a domain was seen to have stays held while libvirt cannot be asked. */
static void what_was_known_stays_until_it_is_looked_at_again(void **state)
{
    (void)state;
    _cleanup_(attacher_view_clear) struct attacher_view view = {0};
    hear(&view, UP);
    hear(&view, GUEST(ONE, "\"mdev\""));
    hear(&view, GUEST(TWO, ""));
    hear(&view, ALL);
    hear(&view, DOWN);
    assert_false(view.up || view.domains.complete);
    assert_string_equal(view.reason, "gone");
    assert_non_null(domains_find(&view.domains, ONE));
    attacher_view_lost(&view, NULL);
    hear(&view, UP);
    hear(&view, GUEST(TWO, ""));
    assert_non_null(domains_find(&view.domains, ONE));
    hear(&view, ALL);
    assert_null(domains_find(&view.domains, ONE));
    assert_non_null(domains_find(&view.domains, TWO));
}

static void the_last_word_on_a_guest_counts(void **state)
{
    (void)state;
    _cleanup_(attacher_view_clear) struct attacher_view view = {0};
    hear(&view, FAILED(ONE));
    assert_string_equal(attacher_view_word(&view, ONE)->reason, "no");
    hear(&view, "{\"state\": {\"consumer\": \"" ONE "\", \"state\": \"attached\", "
                "\"reason\": null, \"age\": 0, \"took\": -1}}");
    assert_int_equal(attacher_view_word(&view, ONE)->state, GUEST_ATTACHED);
    assert_null(attacher_view_word(&view, ONE)->reason);
    assert_null(attacher_view_word(&view, TWO));
    attacher_view_lost(&view, "it has ended");
    assert_null(attacher_view_word(&view, ONE));
}

static void nothing_is_kept_of_consumers_that_have_departed(void **state)
{
    (void)state;
    _cleanup_(attacher_view_clear) struct attacher_view view = {0};
    _cleanup_wanted_table_ struct wanted_table table = {0};
    (void)wanted_table_add(&table, TWO);
    hear(&view, FAILED(ONE));
    hear(&view, FAILED(TWO));
    attacher_view_keep(&view, &table);
    assert_null(attacher_view_word(&view, ONE));
    assert_string_equal(attacher_view_word(&view, TWO)->reason, "no");
    assert_int_equal(view.word_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains_are_complete_once_all_were_looked_at),
        cmocka_unit_test(what_was_known_stays_until_it_is_looked_at_again),
        cmocka_unit_test(the_last_word_on_a_guest_counts),
        cmocka_unit_test(nothing_is_kept_of_consumers_that_have_departed),
    };
    return cmocka_run_group_tests_name("attacher_view", tests, NULL, NULL);
}
