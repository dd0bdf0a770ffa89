#include "agent/attach/lingering.h"

#include <stdlib.h>

#include "lib/text_copy.h"
#include "lib/xalloc.h"

void lingering_add(struct lingering *lingering, const char *consumer,
                   const char *address)
{
    struct lingering_device *device = array_add(lingering->devices, lingering->count);
    uuid_text_copy(device->consumer, consumer);
    text_copy_array(device->address, address);
    device->until = -1;
}

void lingering_begin(struct lingering *lingering, int64_t now)
{
    for (size_t i = 0; i < lingering->count; i++)
        if (lingering->devices[i].until < 0)
            lingering->devices[i].until = now + LINGERING_TIME;
}

void lingering_hold(struct lingering *lingering)
{
    for (size_t i = 0; i < lingering->count; i++)
        lingering->devices[i].until = -1;
}

void lingering_expire(struct lingering *lingering, int64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < lingering->count; i++) {
        const struct lingering_device *device = &lingering->devices[i];
        if (device->until < 0 || device->until > now)
            lingering->devices[kept++] = *device;
    }
    lingering->count = kept;
}

int64_t lingering_next(const struct lingering *lingering)
{
    int64_t next = -1;
    for (size_t i = 0; i < lingering->count; i++) {
        int64_t until = lingering->devices[i].until;
        if (until >= 0 && (next < 0 || until < next))
            next = until;
    }
    return next;
}

void lingering_clear(struct lingering *lingering)
{
    free(lingering->devices);
    *lingering = (struct lingering){0};
}
