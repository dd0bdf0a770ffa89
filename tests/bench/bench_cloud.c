/*
 * bench_cloud: ten thousand hosts before one Placement, in simulation: how many requests
 * reach it in each second. Its hosts have the agent's own pace, and it is a queue: it
 * answers so many requests a second, is down, or answers 503 with Retry-After. A request
 * that has not been answered after half a minute has failed, and is answered all the
 * same.
 *
 * Each row is a case: the requests a second in the mean, that is, what all hosts together
 * have to send, over one interval; the most in one second; and when the last host was
 * through. The exit status is 1 with --check where the peak is more than twice the mean.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/bench/cloud.h"

#define HOSTS 10000
#define INTERVAL 10u /* seconds, as by default */
#define RUN 900u     /* seconds */
#define TIMEOUT (30 * SECOND)
#define ROUND_TRIP 500u /* microseconds, of a request that nobody waits before */
#define ENOUGH 20000u   /* requests a second: more than ever come, but at the start */

enum event { NOTHING, START, DOWN, BUSY, NEW_DRIVER };

struct trial {
    const char *what;
    enum event event;
    unsigned begin, end; /* seconds; of START: within how many the hosts come */
    unsigned retry_after, capacity, interval;
};

static const struct trial trials[] = {
    {"every host's cycle in its turn", NOTHING, 0, 0, 0, ENOUGH, INTERVAL},
    {"down for 2 s, and back", DOWN, 100, 102, 0, ENOUGH, INTERVAL},
    {"down for 5 s, and back", DOWN, 100, 105, 0, ENOUGH, INTERVAL},
    {"down for 10 s, and back", DOWN, 100, 110, 0, ENOUGH, INTERVAL},
    {"down for 20 s, and back", DOWN, 100, 120, 0, ENOUGH, INTERVAL},
    {"down for a minute, and back", DOWN, 100, 160, 0, ENOUGH, INTERVAL},
    {"down for 10 minutes, and back", DOWN, 100, 700, 0, ENOUGH, INTERVAL},
    {"503 for a minute", BUSY, 100, 160, 0, ENOUGH, INTERVAL},
    {"503, Retry-After: 5, for a minute", BUSY, 100, 160, 5, ENOUGH, INTERVAL},
    {"503, Retry-After: 120, for 5 min", BUSY, 100, 400, 120, ENOUGH, INTERVAL},
    {"a new driver on all in one moment", NEW_DRIVER, 100, 100, 0, ENOUGH, INTERVAL},
    {"interval 60 s: down for 5 s", DOWN, 100, 105, 0, ENOUGH, 60},
    {"interval 60 s: down for 20 s", DOWN, 100, 120, 0, ENOUGH, 60},
    {"interval 60 s: down for 40 s", DOWN, 100, 140, 0, ENOUGH, 60},
    {"interval 60 s: down for 60 s", DOWN, 100, 160, 0, ENOUGH, 60},
    {"start of all in one moment", START, 0, 0, 0, ENOUGH, INTERVAL},
    {"start of all within a minute", START, 0, 60, 0, ENOUGH, INTERVAL},
    {"the same, 2000 requests/s at most", START, 0, 60, 0, 2000, INTERVAL},
    {"the same, 500/s, interval 60 s", START, 0, 60, 0, 500, 60},
    {"down 10 minutes, 500/s, 60 s", DOWN, 100, 700, 0, 500, 60},
};

struct simulation {
    const struct trial *trial;
    struct cloud cloud;
    uint64_t idle_at; /* from when on the server has nothing to do */
    unsigned per_second[RUN];
    size_t failed;
    uint64_t through; /* when the last host was */
};

static bool happens(const struct simulation *s, enum event event, uint64_t now)
{
    return s->trial->event == event && now >= s->trial->begin * SECOND &&
           now < s->trial->end * SECOND;
}

/* Whether all have had a cycle since what has happened. */
static bool all_are_through(const struct simulation *s, uint64_t now)
{
    const struct cloud *cloud = &s->cloud;
    return now >= s->trial->end * SECOND && cloud->known == cloud->count &&
           !cloud->changed && !cloud->failing;
}

static void fail(struct simulation *s, struct cloud_host *host, uint64_t now,
                 unsigned retry_after)
{
    s->failed++;
    cloud_failed(&s->cloud, host, now, retry_after);
}

static void send_request(struct simulation *s, struct cloud_host *host)
{
    uint64_t now = host->due;
    if (happens(s, DOWN, now)) {
        fail(s, host, now + ROUND_TRIP, 0);
        return;
    }
    s->per_second[now / SECOND]++;
    if (happens(s, BUSY, now)) {
        fail(s, host, now + ROUND_TRIP, s->trial->retry_after);
        return;
    }
    uint64_t begin = s->idle_at > now ? s->idle_at : now;
    s->idle_at = begin + SECOND / s->trial->capacity;
    if (s->idle_at > now + TIMEOUT)
        fail(s, host, now + TIMEOUT, 0);
    else
        cloud_answered(&s->cloud, host, s->idle_at + ROUND_TRIP);
}

static void run(struct simulation *s)
{
    const struct trial *trial = s->trial;
    bool changed = trial->event != NEW_DRIVER;
    uint64_t look = trial->end * SECOND;
    cloud_init(&s->cloud, HOSTS, trial->interval,
               trial->event == START ? trial->end * SECOND : 0);
    if (trial->event != START)
        cloud_run_already(&s->cloud);
    for (;;) {
        struct cloud_host *host = cloud_next(&s->cloud);
        if (host->due >= RUN * SECOND)
            break;
        if (!changed && host->due >= trial->begin * SECOND) {
            cloud_change(&s->cloud);
            changed = true;
        }
        if (!s->through && host->due >= look) {
            if (all_are_through(s, host->due))
                s->through = host->due;
            look = host->due + SECOND / 10;
        }
        send_request(s, host);
    }
}

/* What has to be sent within the interval after what has happened. */
static unsigned requests_of(enum event event)
{
    return event == START        ? START_REQUESTS
           : event == NEW_DRIVER ? CHANGE_REQUESTS
                                 : IDLE_REQUESTS;
}

static bool print(const struct simulation *s)
{
    const struct trial *trial = s->trial;
    unsigned most = 0, when = 0;
    for (unsigned i = 0; i < RUN; i++)
        if (s->per_second[i] > most && (trial->event != BUSY || i >= trial->end)) {
            most = s->per_second[i];
            when = i;
        }
    double mean = (double)HOSTS * requests_of(trial->event) / trial->interval;
    bool missed = most > 2 * mean;
    printf("%-36s %9.0f %9u %8.2fx %7u %9zu ", trial->what, mean, most, most / mean,
           when, s->failed);
    if (trial->event == NOTHING)
        printf("%9s", "");
    else if (s->through)
        printf("%9.1f", (double)s->through / SECOND - trial->end);
    else
        printf("%9s", "never");
    puts(missed ? "  MISSED" : "");
    return !missed;
}

int main(int argc, char **argv)
{
    bool check = argc == 2 && strcmp(argv[1], "--check") == 0, good = true;
    if (argc > 1 && !check)
        errx(2, "usage: %s [--check]", argv[0]);
    printf("%u hosts, a cycle every %u s  mean a s  most a s    ratio  at s   failed  "
           "through s\n",
           HOSTS, INTERVAL);
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        struct simulation *s = xcalloc(1, sizeof *s);
        s->trial = &trials[i];
        run(s);
        good &= print(s);
        cloud_clear(&s->cloud);
        free(s);
    }
    return check && !good;
}
