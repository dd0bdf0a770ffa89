#include "tests/bench/cloud.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/daemon/pace.h"
#include "lib/xalloc.h"

/* ---- the queue ---- */

static void put(struct cloud *cloud, struct cloud_host *host, size_t place)
{
    cloud->queue[place] = host;
    host->place = place;
}

void cloud_put_off(struct cloud *cloud, struct cloud_host *host, uint64_t due)
{
    size_t at = host->place, below;
    host->due = due;
    while (at > 0 && cloud->queue[(at - 1) / 2]->due > due) {
        put(cloud, cloud->queue[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    while ((below = 2 * at + 1) < cloud->count) {
        if (below + 1 < cloud->count &&
            cloud->queue[below + 1]->due < cloud->queue[below]->due)
            below++;
        if (cloud->queue[below]->due >= due)
            break;
        put(cloud, cloud->queue[below], at);
        at = below;
    }
    put(cloud, host, at);
}

struct cloud_host *cloud_next(const struct cloud *cloud)
{
    return cloud->queue[0];
}

/* ---- hosts ---- */

/* splitmix64 */
uint32_t cloud_chance(struct cloud *cloud)
{
    uint64_t z = cloud->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(z >> 32 ^ z >> 1);
}

void cloud_init(struct cloud *cloud, size_t hosts, unsigned interval, uint64_t within)
{
    *cloud = (struct cloud){.hosts = xcalloc(hosts, sizeof *cloud->hosts),
                            .queue = xcalloc(hosts, sizeof(struct cloud_host *)),
                            .interval = interval};
    for (size_t i = 0; i < hosts; i++) {
        char name[48];
        snprintf(name, sizeof name, "compute%zu.example", i);
        cloud->hosts[i].share = pace_share(name);
        put(cloud, &cloud->hosts[i], i);
        cloud->count++;
        cloud_put_off(cloud, &cloud->hosts[i], within * cloud_chance(cloud) >> 32);
    }
}

void cloud_clear(struct cloud *cloud)
{
    free(cloud->hosts);
    free(cloud->queue);
    *cloud = (struct cloud){0};
}

static void rest(struct cloud *cloud, struct cloud_host *host, uint64_t now,
                 unsigned retry_after)
{
    const struct pace pace = {.interval = cloud->interval,
                              .share = host->share,
                              .failures = host->failures,
                              .retry_after = retry_after};
    host->sent = 0;
    cloud_put_off(cloud, host,
                  now + 1000 * pace_delay(&pace, now / 1000, cloud_chance(cloud)));
}

void cloud_run_already(struct cloud *cloud)
{
    cloud->known = cloud->count;
    for (size_t i = 0; i < cloud->count; i++) {
        cloud->hosts[i].known = true;
        rest(cloud, &cloud->hosts[i], 0, 0);
    }
}

void cloud_change(struct cloud *cloud)
{
    cloud->changed = cloud->count;
    for (size_t i = 0; i < cloud->count; i++)
        cloud->hosts[i].changed = true;
}

void cloud_found(struct cloud *cloud, struct cloud_host *host, bool all)
{
    host->anew = !all;
    cloud->known -= host->known && !all;
    host->known &= all;
}

unsigned cloud_requests(const struct cloud_host *host)
{
    if (!host->known)
        return host->anew ? NEW_REQUESTS : START_REQUESTS;
    return host->changed ? CHANGE_REQUESTS : IDLE_REQUESTS;
}

void cloud_answered(struct cloud *cloud, struct cloud_host *host, uint64_t now)
{
    if (++host->sent < cloud_requests(host)) {
        cloud_put_off(cloud, host, now);
        return;
    }
    cloud->known += !host->known;
    cloud->changed -= host->changed;
    cloud->failing -= host->failures > 0;
    host->known = true;
    host->anew = host->changed = false;
    host->failures = 0;
    rest(cloud, host, now, 0);
}

void cloud_failed(struct cloud *cloud, struct cloud_host *host, uint64_t now,
                  unsigned retry_after)
{
    cloud->failing += host->failures == 0;
    host->failures++;
    rest(cloud, host, now, retry_after);
}

void cloud_refused(struct cloud *cloud, struct cloud_host *host, uint64_t now)
{
    cloud->failing -= host->failures > 0;
    host->failures = 0;
    rest(cloud, host, now, 0);
}
