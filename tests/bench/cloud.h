/*
 * cloud: the agents of many hosts in one process. Each has the daemon's own pace
 * (agent/daemon/pace.h) and sends the requests of its cycles one after the other; who
 * answers them, and when, is the caller's. Times are microseconds since the begin, in
 * which the clocks of all hosts begin, too: they were started by one power cut.
 *
 * The order of calls: cloud_next() gives the host that is due; it sends a request, and
 * cloud_answered() or cloud_failed() say how that ended.
 */
#ifndef TESTS_BENCH_CLOUD_H
#define TESTS_BENCH_CLOUD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECOND UINT64_C(1000000)
#define NEVER UINT64_MAX

/* Requests of a host with eight GPUs, counted with tests/bench/agent's relay: of an
 * idle cycle; of the first cycle where Placement has the GPUs, and where it has only
 * the root; of the cycle that finds a new driver. The last two are two cycles of the
 * agent's, of which the second reads again what the first has written: in one they are
 * sent sooner. */
enum {
    IDLE_REQUESTS = 1,
    START_REQUESTS = 28,
    NEW_REQUESTS = 57,
    CHANGE_REQUESTS = 45
};

struct cloud_host {
    uint32_t share;
    unsigned failures; /* cycles in a row */
    unsigned sent;     /* requests of this cycle that were answered */
    bool anew;         /* Placement has not all of its GPUs */
    bool known;        /* it has had its first good cycle */
    bool changed;      /* the next cycle writes everything anew */
    uint64_t due;      /* NEVER: it waits for an answer */
    size_t place;      /* in the queue */
};

struct cloud {
    struct cloud_host *hosts;
    struct cloud_host **queue; /* a heap: the first is due first */
    size_t count, known, changed, failing;
    unsigned interval; /* seconds */
    uint64_t random;
};

/* Hosts that are due at a moment of their own within the first `within`; 0: all at
 * once. */
void cloud_init(struct cloud *cloud, size_t hosts, unsigned interval, uint64_t within);
void cloud_clear(struct cloud *cloud);
/* They have had their first cycle already, and go on at their own moments. */
void cloud_run_already(struct cloud *cloud);
/* A new driver on every host, found by the next cycle of each. */
void cloud_change(struct cloud *cloud);

/* The present cycle has read whether Placement has all of the host's GPUs. */
void cloud_found(struct cloud *cloud, struct cloud_host *host, bool all);

/* The host that is due first. */
struct cloud_host *cloud_next(const struct cloud *cloud);
void cloud_put_off(struct cloud *cloud, struct cloud_host *host, uint64_t due);
/* How many requests its present cycle has in all. */
unsigned cloud_requests(const struct cloud_host *host);
/* The request was answered at `now`: the next one of the cycle is due at once, or the
 * next cycle in its time. */
void cloud_answered(struct cloud *cloud, struct cloud_host *host, uint64_t now);
/* It failed, and with it the cycle. `retry_after` in seconds; 0: nothing was said. */
void cloud_failed(struct cloud *cloud, struct cloud_host *host, uint64_t now,
                  unsigned retry_after);
/* Placement refused a write. The daemon looks anew at its next regular cycle: that is
 * no failure to its pace. */
void cloud_refused(struct cloud *cloud, struct cloud_host *host, uint64_t now);
/* A number that is evenly distributed over 32 bits, and the same in each run. */
uint32_t cloud_chance(struct cloud *cloud);

#endif
