/*
 * mdev_device: one mediated device's life, from the store into `create` to the end of
 * its removal. See mdev.h; with the simulator's lock held.
 */
#ifndef TESTS_SIM_MDEV_DEVICE_H
#define TESTS_SIM_MDEV_DEVICE_H

#include "tests/sim/mdev.h"

/* What a store of `data` into a type's `create` does. 0 or a negative errno. */
int mdev_create(struct parent_type *type, const char *data, size_t length);
/* Takes the device away whatever its state, as an unregistered parent does. */
void mdev_destroy(struct mdev *mdev);
/* What `available_instances` says. */
unsigned parent_type_available(const struct parent_type *type);

#endif
