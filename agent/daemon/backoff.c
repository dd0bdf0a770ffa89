#include "agent/daemon/backoff.h"

#define LONGEST UINT64_C(60000) /* milliseconds */
#define MOST_DOUBLINGS 17u

uint64_t backoff_delay(unsigned interval, unsigned failures, uint32_t chance)
{
    uint64_t calm = interval * UINT64_C(1000);
    uint64_t longest = calm > LONGEST ? calm : LONGEST;
    unsigned doublings = failures < MOST_DOUBLINGS ? failures - 1 : MOST_DOUBLINGS - 1;
    uint64_t delay = UINT64_C(1000) << doublings;
    if (delay > longest)
        delay = longest;
    return delay - (delay / 2) * chance / UINT32_MAX;
}
