/*
 * control: how a test steers the simulated host and sees what was written to it. Two
 * files in the mount, outside of what sysfs has:
 *
 * .mdevsim/control takes one command a write, EINVAL for what it does not understand,
 * ENOENT for a device or card that is not there:
 *
 *     fail create ERRNO [nth N | every] [on DEVICE]   the driver refuses
 *     fail remove ERRNO [...]                         as old kernels did; nothing changes
 *     fail parameters ERRNO [...]                     a write to vgpu_params
 *     delay create|unlink|remove|parameters MS [...]  takes so many milliseconds
 *     block create|unlink|remove|parameters [...]     stops there until `unblock`
 *     unblock                                         all that is stopped goes on
 *     clear                                           drops all these rules; unblocks
 *     hold UUID [NAME] / unhold UUID                  a process (the guest NAME) has the
 *                                                     device open: its removal waits.
 *                                                     Also by the address of a virtual
 *                                                     function that has a type: stores
 *                                                     are refused; or of a function that
 *                                                     is bound to vfio-pci
 *     lose CARD / restore CARD                        it falls off the bus, comes back
 *     unplug CARD / rescan                            PCI remove; finds what is unplugged
 *     unbind DEVICE / bind DEVICE                     the vendor's driver
 *     numvfs CARD N                                   as sriov-manage does
 *     unreadable PATTERN                              reading such a file gives EIO
 *     hide PATTERN                                    such a file is not there
 *     hang PATTERN                                    reading such a file waits
 *     show                                            ends unreadable, hide and hang
 *     forget                                          empties the list of stores
 *
 * Without nth or every a rule is for the next operation; nth counts from now on; DEVICE
 * is a card or a parent (VF). Patterns are those of fnmatch(3), on the path without the
 * leading slash, `*` matching slashes too.
 *
 * .mdevsim/stores lists the stores in order, one JSON object a line: {"path": ...,
 * "value": ..., "result": "OK"}; result is an errno's name, or "pending" while it
 * waits. Commands are not listed.
 */
#ifndef TESTS_SIM_CONTROL_H
#define TESTS_SIM_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/strlist.h"
#include "tests/sim/node.h"

struct sim;

struct store {
    char *path, *value;
    int result; /* 0 or a negative errno; positive while it waits */
};

struct control {
    struct node *directory;
    struct strlist unreadable, hidden, hanging;
    struct store *stores;
    size_t store_count;
    size_t forgotten; /* stores that are not listed any more */
};

/* Adds the two files. With the lock held, as all here. */
void control_init(struct sim *sim);
void control_clear(struct control *control);

bool control_hides(const struct control *control, const struct node *node);
bool control_makes_unreadable(const struct control *control, const struct node *node);
bool control_makes_hang(const struct control *control, const struct node *node);

/* Notes a store that begins, and how it ended; the number is begin's. */
size_t control_store_begin(struct control *control, const struct node *node,
                           const char *data, size_t length);
void control_store_end(struct control *control, size_t number, int result);

#endif
