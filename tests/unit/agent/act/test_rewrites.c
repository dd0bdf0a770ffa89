#include "tests/unit/test.h"

#include <string.h>

#include "agent/act/rewrites.h"

#define A "11111111-1111-5111-8111-111111111111"
#define B "22222222-2222-5222-8222-222222222222"

/* Writes an inventory of `total` units once; returns the number of lines that are
 * reported then. */
static size_t write_once(struct rewrites *rewrites, const char *provider, int64_t total,
                         enum step_outcome outcome, int64_t now)
{
    struct class_inventory inventory = {.resource_class = (char *)"VGPU",
                                        .inventory = {.total = total}};
    struct step step = {.kind = STEP_SET_INVENTORY,
                        .provider_name = (char *)"host_a",
                        .inventories = &inventory,
                        .inventory_count = 1};
    uuid_text_copy(step.provider, provider);
    struct step_result result = {.outcome = outcome};
    const struct plan plan = {.steps = &step, .step_count = 1};
    const struct execution execution = {.results = &result, .count = 1};
    rewrites_note(rewrites, &plan, &execution, now);
    _cleanup_strlist_ struct strlist complaints = {0};
    rewrites_report(rewrites, now, &complaints);
    for (size_t i = 0; i < complaints.count; i++)
        assert_non_null(strstr(complaints.items[i], "host_a: "));
    return complaints.count;
}

static void tells_of_what_is_written_again_and_again(void **state)
{
    (void)state;
    struct rewrites rewrites = {0};
    assert_int_equal(write_once(&rewrites, A, 16, STEP_DONE, 10), 0);
    assert_int_equal(write_once(&rewrites, A, 16, STEP_DONE, 20), 0);
    assert_int_equal(write_once(&rewrites, B, 16, STEP_DONE, 20), 0);
    assert_int_equal(write_once(&rewrites, A, 16, STEP_FAILED, 30), 0);
    assert_int_equal(write_once(&rewrites, A, 16, STEP_DONE, 30), 1);
    assert_int_equal(write_once(&rewrites, B, 16, STEP_DONE, 30), 1);
    assert_int_equal(write_once(&rewrites, B, 16, STEP_DONE, 40), 2);
    /* The report ends some time after the last write. */
    assert_int_equal(write_once(&rewrites, A, 16, STEP_FAILED, 629), 2);
    assert_int_equal(write_once(&rewrites, A, 16, STEP_FAILED, 639), 1);
    assert_int_equal(write_once(&rewrites, A, 16, STEP_DONE, 640), 0);
    rewrites_clear(&rewrites);
}

/* An operator who drains and undrains, or guests that come and go, lead to different
 * writes. */
static void changes_are_no_rewrites(void **state)
{
    (void)state;
    struct rewrites rewrites = {0};
    for (int i = 0; i < 10; i++)
        assert_int_equal(write_once(&rewrites, A, 15 + i % 2, STEP_DONE, i), 0);
    rewrites_clear(&rewrites);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_of_what_is_written_again_and_again),
        cmocka_unit_test(changes_are_no_rewrites),
    };
    return cmocka_run_group_tests_name("rewrites", tests, NULL, NULL);
}
