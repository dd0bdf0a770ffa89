#include "agent/daemon/backoff.h"

#include "tests/unit/test.h"

static void test_delays(void **state)
{
    (void)state;
    static const struct {
        unsigned interval, failures;
        uint64_t least, most;
    } cases[] = {
        {0, 1, 500, 1000},         {10, 1, 500, 1000},
        {10, 2, 1000, 2000},       {10, 6, 16000, 32000},
        {10, 7, 30000, 60000},     {10, 4000000000u, 30000, 60000},
        {300, 20, 150000, 300000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned interval = cases[i].interval, failures = cases[i].failures;
        uint64_t a = backoff_delay(interval, failures, 0);
        uint64_t b = backoff_delay(interval, failures, UINT32_MAX);
        assert_int_equal(a < b ? a : b, cases[i].least);
        assert_int_equal(a < b ? b : a, cases[i].most);
        assert_in_range(backoff_delay(interval, failures, UINT32_MAX / 3),
                        cases[i].least, cases[i].most);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_delays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
