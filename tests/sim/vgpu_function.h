/*
 * vgpu_function: a virtual function that a store makes a virtual GPU: NVIDIA's
 * vendor-specific VFIO (driver 17 and later on Linux 6.8 and later), as the driver's
 * documents and those who use it describe it. Below the function's folder `nvidia/`:
 *
 *     creatable_vgpu_types   "ID    : vGPU Name", then "1147  : NVIDIA L40S-1Q": what
 *                            this function could be made now. The list shrinks as the
 *                            card fills; of a full card only the first line is left,
 *                            and of a function with a type nothing
 *     current_vgpu_type      "0", or the id of its type. Takes an id to make it one,
 *                            and 0 to end that
 *     vgpu_params            as an mdev's; gone with the type
 *     gpu_instance_id, placement_id
 *
 * A store into current_vgpu_type is refused with EBUSY while a process has the function
 * open, ENODEV for an id that the card's model does not have, EINVAL when the function
 * has a type (what the driver says to the same one again is not known; here it is not
 * liked) or the rest of its card another, ENOSPC when the card is full. With the
 * simulator's lock held.
 */
#ifndef TESTS_SIM_VGPU_FUNCTION_H
#define TESTS_SIM_VGPU_FUNCTION_H

#include <stdbool.h>

#include "tests/sim/mdev.h"
#include "tests/sim/node.h"

struct vgpu_function {
    struct sim *sim;
    struct card *card;
    const char *name;
    struct node *folder, *vfio; /* NULL while no driver is bound */
    int type;                   /* index into the model's types; -1: none */
    unsigned held;              /* open VFIO descriptors */
    bool changing;              /* a store is under way */
    char *parameters;
};

/* `name` is borrowed: the function's. */
struct vgpu_function *vgpu_function_new(struct card *card, const char *name);
void vgpu_function_free(struct vgpu_function *function);
/* Adds the driver's files to the function's directory `node`. */
void vgpu_function_register(struct vgpu_function *function, struct node *node);
/* The type ends with it. Waits for stores under way and for holders. */
void vgpu_function_unregister(struct vgpu_function *function);

#endif
