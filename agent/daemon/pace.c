#include "agent/daemon/pace.h"

#include <stdlib.h>
#include <string.h>

#include "agent/daemon/backoff.h"
#include "lib/uuid.h"

#define LONGEST_RETRY_AFTER 3600u      /* seconds */
#define LONGEST_PERIOD UINT64_C(60000) /* milliseconds, where the interval is shorter */
#define MOST_DOUBLINGS 32u

/* Of vgpu-agent; it has no meaning beyond this file. */
static const char space[] = "6f0d3b5e-5c0f-4c58-9d57-0b1d4f3a6a2e";

uint32_t pace_share(const char *host)
{
    char hash[UUID_TEXT_SIZE];
    uuid5_text(space, host, hash);
    hash[8] = 0; /* the first 32 bits */
    return (uint32_t)strtoul(hash, NULL, 16);
}

static uint64_t until_own_moment(uint64_t period, uint32_t share, uint64_t now)
{
    uint64_t moment = period * share >> 32;
    uint64_t delay = period - (now + period - moment) % period;
    return delay < period / 10 ? delay + period : delay;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* After failures. Who tried again sooner than after an interval would meet all who have
 * failed shortly before and those whose turn it is: a herd, when the server is back. */
static uint64_t longer_period(uint64_t interval, unsigned failures)
{
    uint64_t longest = interval > LONGEST_PERIOD ? interval : LONGEST_PERIOD;
    return least(least(interval, LONGEST_PERIOD) << least(failures - 1, MOST_DOUBLINGS),
                 longest);
}

static uint64_t until_next_attempt(const struct pace *pace, uint64_t now)
{
    uint64_t interval = (pace->interval ? pace->interval : 1) * UINT64_C(1000);
    uint64_t period =
        pace->failures == 0 ? interval : longer_period(interval, pace->failures);
    /* The hosts that fail together have moments of the interval that are near each
     * other. So that they spread again, those of another period are others. */
    uint32_t share =
        period == interval ? pace->share : pace->share * UINT32_C(2654435761);
    return until_own_moment(period, share, now);
}

/* Whoever was told the same does not come back in the same moment. */
static uint64_t asked_for(const struct pace *pace, uint32_t chance)
{
    uint64_t seconds = least(pace->retry_after, LONGEST_RETRY_AFTER);
    return seconds * UINT64_C(1000) + seconds * UINT64_C(500) * chance / UINT32_MAX;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

uint64_t pace_delay(const struct pace *pace, uint64_t now, uint32_t chance)
{
    uint64_t delay = until_next_attempt(pace, now);
    return pace->failures == 0 ? delay : most(delay, asked_for(pace, chance));
}

uint64_t pace_least(const struct pace *pace, uint32_t chance)
{
    if (pace->failures == 0)
        return 0;
    return most(backoff_delay(pace->interval, pace->failures, chance),
                asked_for(pace, chance));
}
