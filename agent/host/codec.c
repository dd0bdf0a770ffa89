#include "agent/host/codec.h"

#include <string.h>

#include "lib/xalloc.h"

/* The state of packing or unpacking. One function for each struct passes through its
 * members and works in both directions. */
struct passage {
    bool unpacking;
    char *packed;            /* packing: the bytes so far */
    size_t room;             /* packing: the allocated size */
    const char *bytes;       /* unpacking: the input */
    size_t length, position; /* unpacking: its size, and how much is done */
    bool broken;
};

static void pack(struct passage *p, const void *data, size_t size)
{
    if (p->room - p->length < size) {
        p->room = (p->length + size) * 2;
        p->packed = xreallocarray(p->packed, p->room, 1);
    }
    memcpy(p->packed + p->length, data, size);
    p->length += size;
}

static void unpack(struct passage *p, void *data, size_t size)
{
    p->broken |= p->length - p->position < size;
    if (p->broken)
        return;
    memcpy(data, p->bytes + p->position, size);
    p->position += size;
}

static void pass(struct passage *p, void *data, size_t size)
{
    if (p->unpacking)
        unpack(p, data, size);
    else if (size)
        pack(p, data, size);
}

#define PASS(p, member) pass((p), &(member), sizeof(member))

/* A text is its size with the terminating NUL, then its bytes. The size of NULL is
 * 0. */
static void pass_text(struct passage *p, char **text)
{
    size_t size = *text ? strlen(*text) + 1 : 0;
    PASS(p, size);
    if (!p->unpacking) {
        pass(p, *text, size);
        return;
    }
    p->broken |= size > p->length - p->position;
    if (p->broken || size == 0)
        return;
    *text = xcalloc(size, 1);
    unpack(p, *text, size);
    (*text)[size - 1] = 0;
}

/* Checks a count from the input: an element takes at least one byte, so that there
 * cannot be more elements than remaining bytes. */
static size_t pass_count(struct passage *p, size_t count)
{
    PASS(p, count);
    p->broken |= p->unpacking && count > p->length - p->position;
    return p->broken ? 0 : count;
}

/* Arrays grow as array_add() grows them, since the receiver of the host may add to
 * it. */
#define PASS_ARRAY(p, array, count, pass_one)                                      \
    do {                                                                           \
        size_t count_ = pass_count((p), (count));                                  \
        for (size_t i_ = 0; i_ < count_; i_++)                                     \
            pass_one((p),                                                          \
                     (p)->unpacking ? array_add((array), (count)) : &(array)[i_]); \
    } while (0)

static void pass_type(struct passage *p, struct device_type *type)
{
    pass_text(p, &type->id);
    pass_text(p, &type->name);
    pass_text(p, &type->description);
    pass_text(p, &type->device_api);
    PASS(p, type->available);
    PASS(p, type->attributes);
}

static void pass_device(struct passage *p, struct device *device)
{
    PASS(p, device->backend);
    PASS(p, device->address);
    PASS(p, device->uuid);
    pass_text(p, &device->type_id);
    PASS_ARRAY(p, device->nodes.items, device->nodes.count, pass_text);
    PASS_ARRAY(p, device->functions.items, device->functions.count, pass_text);
    pass_text(p, &device->former);
    PASS(p, device->in_transition);
}

static void pass_parent(struct passage *p, struct parent *parent)
{
    PASS(p, parent->backend);
    pass_text(p, &parent->name);
    pass_text(p, &parent->path);
    PASS_ARRAY(p, parent->types, parent->type_count, pass_type);
    PASS_ARRAY(p, parent->devices, parent->device_count, pass_device);
    PASS_ARRAY(p, parent->places, parent->place_count, pass_device);
}

static void pass_gpu(struct passage *p, struct gpu *gpu)
{
    pass_text(p, &gpu->name);
    pass_text(p, &gpu->node_name);
    PASS(p, gpu->is_pci);
    PASS(p, gpu->vendor);
    PASS(p, gpu->device);
    pass_text(p, &gpu->driver);
    PASS(p, gpu->numa_node);
    PASS(p, gpu->vf_total);
    PASS(p, gpu->vf_enabled);
    PASS(p, gpu->partitions);
    PASS(p, gpu->health);
    pass_text(p, &gpu->health_reason);
    PASS_ARRAY(p, gpu->parents, gpu->parent_count, pass_parent);
}

static void pass_host(struct passage *p, struct host *host)
{
    PASS_ARRAY(p, host->gpus, host->gpu_count, pass_gpu);
    PASS_ARRAY(p, host->strays, host->stray_count, pass_device);
}

char *host_pack(const struct host *host, size_t *length)
{
    struct passage p = {0};
    pass_host(&p, (struct host *)host);
    *length = p.length;
    return p.packed;
}

int host_unpack(const char *bytes, size_t length, struct host **out, struct error *err)
{
    struct passage p = {.unpacking = true, .bytes = bytes, .length = length};
    _cleanup_(host_freep) struct host *host = xcalloc(1, sizeof *host);
    pass_host(&p, host);
    if (p.broken || p.position != length)
        return error_set(err, ERROR_INVALID, "%zu bytes are not a whole host", length);
    *out = steal(host);
    return 0;
}
