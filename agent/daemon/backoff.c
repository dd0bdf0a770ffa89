#include "agent/daemon/backoff.h"

#define LONGEST UINT64_C(60000) /* milliseconds */
#define MOST_DOUBLINGS 16u

uint64_t backoff_delay(unsigned interval, unsigned failures, uint32_t chance)
{
    uint64_t calm = (interval ? interval : 1) * UINT64_C(1000);
    if (failures == 0)
        return calm - calm / 10 + (calm / 5) * chance / UINT32_MAX;
    uint64_t longest = calm > LONGEST ? calm : LONGEST;
    unsigned doublings = failures - 1 < MOST_DOUBLINGS ? failures - 1 : MOST_DOUBLINGS;
    uint64_t delay = UINT64_C(1000) << doublings;
    if (delay > longest)
        delay = longest;
    return delay - (delay / 2) * chance / UINT32_MAX;
}
