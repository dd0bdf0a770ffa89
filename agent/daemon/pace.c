#include "agent/daemon/pace.h"

#include <stdlib.h>
#include <string.h>

#include "agent/daemon/backoff.h"
#include "lib/uuid.h"

#define LONGEST_RETRY_AFTER 3600u /* seconds */

/* Of vgpu-agent; it has no meaning beyond this file. */
static const char space[] = "6f0d3b5e-5c0f-4c58-9d57-0b1d4f3a6a2e";

uint32_t pace_share(const char *host)
{
    char hash[UUID_TEXT_SIZE];
    uuid5_text(space, host, hash);
    hash[8] = 0; /* the first 32 bits */
    return (uint32_t)strtoul(hash, NULL, 16);
}

static uint64_t until_own_moment(const struct pace *pace, uint64_t now)
{
    uint64_t interval = (pace->interval ? pace->interval : 1) * UINT64_C(1000);
    uint64_t moment = interval * pace->share >> 32;
    uint64_t delay = interval - (now + interval - moment) % interval;
    return delay < interval / 10 ? delay + interval : delay;
}

uint64_t pace_delay(const struct pace *pace, uint64_t now, uint32_t chance)
{
    if (pace->failures == 0)
        return until_own_moment(pace, now);
    uint64_t delay = backoff_delay(pace->interval, pace->failures, chance);
    unsigned seconds = pace->retry_after < LONGEST_RETRY_AFTER ? pace->retry_after
                                                               : LONGEST_RETRY_AFTER;
    /* Whoever was told the same does not come back in the same moment. */
    uint64_t asked =
        seconds * UINT64_C(1000) + seconds * UINT64_C(500) * chance / UINT32_MAX;
    return delay > asked ? delay : asked;
}
