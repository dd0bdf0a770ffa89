#include "placement/server/http/request_id.h"

#include <string.h>
#include <sys/random.h>
#include <uuid/uuid.h>

static void fill(struct request_ids *ids)
{
    size_t filled = 0;
    while (filled < sizeof ids->bytes) {
        ssize_t got = getrandom(ids->bytes + filled, sizeof ids->bytes - filled, 0);
        filled += got > 0 ? (size_t)got : 0;
    }
    ids->left = sizeof ids->bytes;
}

void request_id_next(struct request_ids *ids, char out[REQUEST_ID_SIZE])
{
    static const char prefix[] = "req-";
    if (ids->left < sizeof(uuid_t))
        fill(ids);
    ids->left -= sizeof(uuid_t);
    unsigned char *id = ids->bytes + ids->left;
    /* Version 4, as of RFC 4122. */
    id[6] = (unsigned char)((id[6] & 0x0f) | 0x40);
    id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);
    uuid_unparse_lower(id, mempcpy(out, prefix, sizeof prefix - 1));
}
