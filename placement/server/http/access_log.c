#include "placement/server/http/access_log.h"

#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"

/* " global=req-...", as Nova gives it to all that it asks in one request of its own;
 * empty when there is none in the form that OpenStack takes. */
static char *global_id(const struct request *request)
{
    char uuid[UUID_TEXT_SIZE];
    const char *id = request->global_id;
    if (!id || strncmp(id, "req-", 4) != 0 || !uuid_parse_text(id + 4, uuid))
        return xstrdup("");
    return xasprintf(" global=req-%s", uuid);
}

void access_log_write(const struct request *request, const struct reply *reply)
{
    char version[16] = "-";
    if (request->microversion >= 0)
        snprintf(version, sizeof version, "1.%d", request->microversion);
    _cleanup_free_ char *global = global_id(request);
    log_info("api", "%s \"%s %.1000s\" status=%d len=%zu microversion=%s request=%s%s",
             request->client, request->method, request->raw_target, reply->status,
             reply->sent_bytes, version, request->id, global);
}
