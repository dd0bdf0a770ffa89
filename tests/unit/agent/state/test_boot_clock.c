#include "tests/unit/test.h"

#include <string.h>

#include "agent/state/boot_clock.h"
#include "agent/state/journal_read.h"
#include "agent/state/journal_write.h"

#define BOOT "11111111-1111-4111-8111-111111111111"
#define OTHER_BOOT "22222222-2222-4222-8222-222222222222"
#define DEVICE "33333333-3333-5333-8333-333333333333"

static struct journal *with_device(int64_t released_at)
{
    struct journal *journal = journal_new();
    const struct journal_device device = {.uuid = DEVICE,
                                          .provider = DEVICE,
                                          .consumer = DEVICE,
                                          .resource_class = (char *)"VGPU",
                                          .gpu = (char *)"a",
                                          .parent = (char *)"a",
                                          .type_id = (char *)"b",
                                          .released_at = released_at};
    journal_put_device(journal, &device);
    return journal;
}

static struct journal *read_again(struct journal *journal)
{
    size_t length;
    char *text = journal_write(journal, &length);
    struct journal *read;
    struct error err;
    assert_ok(journal_read(text, length, &read, &err), &err);
    free(text);
    journal_free(journal);
    return read;
}

/* Whatever the time of day says, also to the processes that come after. */
static void counts_only_what_passes(void **state)
{
    (void)state;
    struct journal *journal = with_device(0);
    struct boot_time now = {BOOT, 1000, 1700001000};
    assert_false(boot_clock_follow(journal, &now));
    assert_int_equal(boot_clock_time(journal, 1000), 1700001000);
    journal->devices[0].released_at = boot_clock_time(journal, 1010);
    static const int64_t steps[] = {86400, -86400, -1700000000};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        journal = read_again(journal);
        now = (struct boot_time){BOOT, 1020, 1700001020 + steps[i]};
        assert_false(boot_clock_follow(journal, &now));
        assert_int_equal(journal->devices[0].released_at, 1700001010);
        assert_int_equal(boot_clock_time(journal, 1020), 1700001020);
    }
    journal_free(journal);
}

/* Also where it is not known which boot it was, or which it is. */
static void begins_again_after_another_boot(void **state)
{
    (void)state;
    static const char *const boots[][2] = {
        {BOOT, OTHER_BOOT}, {"", BOOT}, {BOOT, ""}, {"", ""}};
    for (size_t i = 0; i < sizeof boots / sizeof *boots; i++)
        for (int released = 0; released < 2; released++) {
            struct journal *journal = with_device(released ? 1700000000 : 0);
            uuid_text_copy(journal->boot, boots[i][0]);
            journal->booted_at = 1600000000;
            journal = read_again(journal);
            struct boot_time now = {"", 50, 1800000000};
            uuid_text_copy(now.boot, boots[i][1]);
            assert_int_equal(boot_clock_follow(journal, &now), released);
            assert_int_equal(journal->devices[0].released_at,
                             released ? 1800000000 : 0);
            assert_int_equal(boot_clock_time(journal, 60), 1800000010);
            assert_string_equal(journal->boot, boots[i][1]);
            /* So does the time that a doubted Placement has. */
            uuid_text_copy(journal->boot, BOOT);
            journal->doubted_since = 1600000000;
            journal->replaced_at = 1600000060;
            now = (struct boot_time){OTHER_BOOT, 50, 1800000001};
            assert_true(boot_clock_follow(journal, &now));
            assert_int_equal(journal->doubted_since, 1800000001);
            assert_int_equal(journal->replaced_at, 1800000001);
            journal_free(journal);
        }
}

static void the_kernel_tells_which_boot_it_is(void **state)
{
    (void)state;
    struct boot_time a = boot_time_now(), b = boot_time_now();
    assert_int_equal(strlen(a.boot), UUID_TEXT_SIZE - 1);
    assert_string_equal(a.boot, b.boot);
    assert_in_range(b.uptime - a.uptime, 0, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_only_what_passes),
        cmocka_unit_test(begins_again_after_another_boot),
        cmocka_unit_test(the_kernel_tells_which_boot_it_is),
    };
    return cmocka_run_group_tests_name("boot_clock", tests, NULL, NULL);
}
