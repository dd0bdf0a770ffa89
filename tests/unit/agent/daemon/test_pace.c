#include "agent/daemon/pace.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/test.h"

#define HOSTS 10000
#define INTERVAL 10u /* seconds */

static uint64_t next(uint32_t share, uint64_t now)
{
    const struct pace pace = {.interval = INTERVAL, .share = share};
    return now + pace_delay(&pace, now, 0);
}

static void cycles_begin_at_the_hosts_own_moment(void **state)
{
    (void)state;
    uint32_t share = pace_share("compute1.example");
    assert_int_equal(share, pace_share("compute1.example"));
    uint64_t moment = INTERVAL * UINT64_C(1000) * share >> 32;
    uint64_t now = 1234567;
    for (unsigned i = 0; i < 100; i++) {
        uint64_t then = next(share, now);
        assert_int_equal(then % (INTERVAL * 1000), moment);
        /* A cycle takes its time, or something else starts one. */
        now = then + i * 97;
        assert_in_range(next(share, now) - now, INTERVAL * 100, INTERVAL * 1100);
    }
}

/* No tenth of the interval has more than its part, and some: what was started in one
 * moment is spread over the whole interval one cycle later. */
static void ten_thousand_hosts_are_spread(void **state)
{
    (void)state;
    unsigned in_tenth[10] = {0};
    for (unsigned i = 0; i < HOSTS; i++) {
        char name[32];
        snprintf(name, sizeof name, "compute%u.example", i);
        in_tenth[next(pace_share(name), 1000000) % 10000 / 1000]++;
    }
    for (unsigned i = 0; i < 10; i++)
        assert_in_range(in_tenth[i], HOSTS / 10 * 8 / 10, HOSTS / 10 * 12 / 10);
}

static void failures_and_what_the_server_asks(void **state)
{
    (void)state;
    static const struct {
        unsigned interval, failures, retry_after;
        uint64_t least, most;
    } cases[] = {
        {10, 1, 0, 1000, 11000},
        {10, 2, 0, 2000, 22000},
        {10, 3, 0, 4000, 44000},
        {10, 4, 0, 6000, 66000},
        {10, 4000000000u, 0, 6000, 66000},
        {1, 1, 0, 100, 1100},
        {60, 1, 0, 6000, 66000},
        {3600, 1, 0, 6000, 66000},
        {3600, 2, 0, 12000, 132000},
        {3600, 9, 0, 360000, 3960000},
        {10, 1, 30, 30000, 45000},
        {10, 7, 5, 6000, 66000}, /* its own pause is longer */
        {10, 1, 4000000000u, 3600000, 5400000},
        /* A server that answers again has nothing more to ask. */
        {10, 0, 30, 1000, 11000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint64_t chance = 0; chance <= UINT32_MAX; chance += UINT32_MAX / 7) {
            const struct pace pace = {.interval = cases[i].interval,
                                      .share = (uint32_t)(UINT32_MAX - chance),
                                      .failures = cases[i].failures,
                                      .retry_after = cases[i].retry_after};
            assert_in_range(pace_delay(&pace, 77777, (uint32_t)chance), cases[i].least,
                            cases[i].most);
        }
}

static void who_waits_asks_sooner(void **state)
{
    (void)state;
    struct pace pace = {.interval = 3600};
    assert_int_equal(pace_least(&pace, 7), 0);
    pace.failures = 1;
    assert_int_equal(pace_least(&pace, 0), 1000);
    assert_int_equal(pace_least(&pace, UINT32_MAX), 500);
    pace.failures = 3;
    assert_int_equal(pace_least(&pace, 0), 4000);
    pace.retry_after = 20;
    assert_int_equal(pace_least(&pace, 0), 20000);
    pace.failures = 0; /* the server answers again */
    assert_int_equal(pace_least(&pace, 0), 0);
}

/* Placement is away for a second, or for longer than an interval: those whose cycles
 * have failed in one second, whose moments are near each other, are spread over the
 * whole period. */
static void who_failed_together_is_spread(void **state)
{
    (void)state;
    for (unsigned failures = 1; failures <= 4; failures++) {
        const uint64_t period = failures < 4 ? 10000u << (failures - 1) : 60000;
        unsigned in_tenth[10] = {0}, hosts = 0;
        for (unsigned i = 0; i < 10 * HOSTS; i++) {
            char name[32];
            snprintf(name, sizeof name, "compute%u.example", i);
            struct pace pace = {
                .interval = INTERVAL, .share = pace_share(name), .failures = failures};
            uint64_t own = INTERVAL * UINT64_C(1000) * pace.share >> 32;
            if (own >= 1000)
                continue;
            hosts++;
            in_tenth[(own + pace_delay(&pace, 100000 + own, 0)) % period * 10 /
                     period]++;
        }
        for (unsigned i = 0; failures > 1 && i < 10; i++)
            assert_in_range(in_tenth[i], hosts / 10 * 8 / 10, hosts / 10 * 12 / 10);
        /* One interval later each has its own second again. */
        if (failures == 1)
            assert_int_equal(in_tenth[0], hosts);
    }
}

static void no_interval_is_a_second(void **state)
{
    (void)state;
    const struct pace pace = {0};
    assert_in_range(pace_delay(&pace, 0, 0), 1, 1100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cycles_begin_at_the_hosts_own_moment),
        cmocka_unit_test(ten_thousand_hosts_are_spread),
        cmocka_unit_test(failures_and_what_the_server_asks),
        cmocka_unit_test(who_waits_asks_sooner),
        cmocka_unit_test(who_failed_together_is_spread),
        cmocka_unit_test(no_interval_is_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
