#include "placement/server/access_log.h"

#include <stdio.h>

#include "lib/log.h"

void access_log_write(const struct request *request, const struct reply *reply)
{
    char version[16] = "-";
    if (request->microversion >= 0)
        snprintf(version, sizeof version, "1.%d", request->microversion);
    log_info("api", "%s \"%s %.1000s\" status=%d len=%zu microversion=%s request=%s",
             request->client, request->method, request->raw_target, reply->status,
             reply->sent_bytes, version, request->id);
}
