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

/* Escapes, as in a URL (%22), what could end a field of the line or confuse a terminal.
 * At most `most` bytes of the text. The caller frees. */
static char *quoted(const char *text, size_t most)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t length = strnlen(text, most);
    char *whole = xcalloc(3 * length + 1, 1), *out = whole;
    for (const char *at = text; at < text + length; at++) {
        unsigned char c = (unsigned char)*at;
        if (c > ' ' && c < 0x7f && c != '"' && c != '\\') {
            *out++ = *at;
            continue;
        }
        *out++ = '%';
        *out++ = digits[c >> 4];
        *out++ = digits[c & 15];
    }
    return whole;
}

void access_log_write(const struct request *request, const struct reply *reply)
{
    char version[16] = "-";
    if (request->microversion >= 0)
        snprintf(version, sizeof version, "1.%d", request->microversion);
    _cleanup_free_ char *global = global_id(request);
    _cleanup_free_ char *method = quoted(request->method, 32);
    _cleanup_free_ char *target = quoted(request->raw_target, 1000);
    log_info("api", "%s \"%s %s\" status=%d len=%zu microversion=%s request=%s%s",
             request->client, method, target, reply->status, reply->sent_bytes, version,
             request->id, global);
}
