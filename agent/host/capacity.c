#include "agent/host/capacity.h"

#include <limits.h>
#include <string.h>

#include "lib/xalloc.h"

unsigned gpu_device_count(const struct gpu *gpu, const char *type_id)
{
    unsigned count = 0;
    for (size_t i = 0; type_id && i < gpu->parent_count; i++) {
        const struct parent *parent = &gpu->parents[i];
        for (size_t j = 0; j < parent->device_count; j++) {
            const struct device *device = &parent->devices[j];
            count += !device->in_transition && device->type_id &&
                     strcmp(device->type_id, type_id) == 0;
        }
    }
    return count;
}

unsigned gpu_offering_count(const struct gpu *gpu, const char *type_id)
{
    unsigned count = 0;
    for (size_t i = 0; i < gpu->parent_count; i++) {
        const struct device_type *type = parent_type(&gpu->parents[i], type_id);
        count += type && type->available > 0;
    }
    return count;
}

/* Saturates: implausible numbers of a driver must not wrap around. */
static unsigned add(unsigned a, unsigned b)
{
    return a > INT_MAX - b ? INT_MAX : a + b;
}

static unsigned at_most(unsigned number, unsigned cap)
{
    return cap && number > cap ? cap : number;
}

/* max_instance of the type, from the first parent that gives it: it is the same on all
 * parents, but a parent that was removed during the scan may lack it. */
static unsigned max_instance(const struct gpu *gpu, const char *type_id)
{
    unsigned max = 0;
    for (size_t i = 0; i < gpu->parent_count && !max; i++) {
        const struct device_type *type = parent_type(&gpu->parents[i], type_id);
        max = type ? type->attributes.max_instance : 0;
    }
    return max;
}

unsigned gpu_capacity_without(const struct gpu *gpu, const char *type_id,
                              unsigned instances)
{
    if (!type_id)
        return 0;
    unsigned offers = 0;
    for (size_t i = 0; i < gpu->parent_count; i++) {
        const struct device_type *offered = parent_type(&gpu->parents[i], type_id);
        if (offered && offered->available > 0)
            offers = add(offers, (unsigned)offered->available);
    }
    offers = offers > instances ? offers - instances : 0;
    return at_most(add(gpu_device_count(gpu, type_id), offers),
                   max_instance(gpu, type_id));
}

unsigned gpu_capacity(const struct gpu *gpu, const char *type_id)
{
    return gpu_capacity_without(gpu, type_id, 0);
}

int64_t gpu_limit_below(const struct gpu *gpu, const struct gpu *view,
                        const char *type_id)
{
    unsigned max = type_id ? max_instance(gpu, type_id) : 0;
    unsigned elsewhere =
        gpu_device_count(gpu, type_id) - gpu_device_count(view, type_id);
    return max ? (int64_t)max - elsewhere : INT64_MAX;
}

/* Takes one device of another type from the part that is left; false: it is not known
 * how much that is. */
static bool take(const struct gpu *gpu, const char *type_id, const char *other,
                 double *left)
{
    if (!other || strcmp(other, type_id) == 0)
        return true;
    unsigned most = max_instance(gpu, other);
    if (most)
        *left -= 1.0 / most;
    return most;
}

static bool is_beside_others(const struct gpu *gpu, const char *type_id)
{
    for (size_t i = 0; i < gpu->parent_count; i++) {
        const struct device_type *type = parent_type(&gpu->parents[i], type_id);
        if (type && type->attributes.beside_others)
            return true;
    }
    return false;
}

int64_t gpu_limit_beside(const struct gpu *gpu, const char *type_id,
                         const struct strlist *moving)
{
    unsigned max = type_id && gpu->parent_count > 1 ? max_instance(gpu, type_id) : 0;
    double left = 1.0;
    bool known = max > 0;
    for (size_t i = 0; i < gpu->parent_count; i++)
        for (size_t j = 0; known && j < gpu->parents[i].device_count; j++)
            known = take(gpu, type_id, gpu->parents[i].devices[j].type_id, &left);
    for (size_t i = 0; known && moving && i < moving->count; i++)
        known = take(gpu, type_id, moving->items[i], &left);
    if (!known || is_beside_others(gpu, type_id))
        return INT64_MAX;
    /* What sums of fractions lose is far less than a part of 65536. */
    return left > 0 ? (int64_t)(left * max + 1e-6) : 0;
}
