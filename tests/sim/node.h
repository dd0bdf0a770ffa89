/*
 * node: the tree below a sysfs mount, as the kernel's kernfs has it: directories,
 * attributes (files that call a driver when they are read or written) and relative
 * links. It knows nothing of devices.
 *
 * A node lives until it is taken out of the tree and nobody refers to it any more;
 * taken out, it is `removed`: its attribute's context may be gone and must not be
 * called (an open file of it answers ENODEV, as in the kernel). No locks here: the
 * simulator's one lock covers every call.
 */
#ifndef TESTS_SIM_NODE_H
#define TESTS_SIM_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum node_kind { NODE_DIRECTORY, NODE_ATTRIBUTE, NODE_LINK };

/* Both return 0 or a negative errno, as in the kernel. `data` is what one write(2)
 * brought, at most a page, not terminated. A store may wait; a show may not. */
struct attribute {
    mode_t mode;
    int (*show)(void *context, FILE *out);
    int (*store)(void *context, const char *data, size_t length);
};

struct node {
    char *name;
    struct node *parent; /* NULL for the root */
    enum node_kind kind;
    uint64_t number;      /* st_ino: never used twice */
    uint64_t last_number; /* in the root: the highest number given */
    mode_t mode;          /* permission bits */
    uid_t uid; /* whoever mounts is root to the simulated host, unless it is changed */
    gid_t gid;
    unsigned references;
    bool removed;
    struct node **children; /* by hash of their names: sysfs lists in no useful order */
    size_t child_count;
    const struct attribute *attribute;
    void *context;
    char *text;          /* what a constant attribute says */
    struct node *target; /* where a link points */
    void *inode;         /* the mount's own; see mount.c */
};

struct node *node_new_root(void);
/* Takes a node with all below it out of the tree and drops the tree's reference. NULL
 * is fine. */
void node_remove(struct node *node);
struct node *node_ref(struct node *node);
void node_unref(struct node *node);

/* The directory `path` below `parent`, made with all its parents where it is missing.
 */
struct node *node_directory(struct node *parent, const char *path);
struct node *node_attribute(struct node *parent, const char *name,
                            const struct attribute *attribute, void *context);
/* A read-only file that always says the same. */
struct node *node_text(struct node *parent, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct node *node_link(struct node *parent, const char *name, struct node *target);

struct node *node_child(const struct node *parent, const char *name);
/* By path without following links; NULL when there is none. */
struct node *node_find(struct node *root, const char *path);
/* "devices/pci0000:80/...": from the root, without a leading slash. The caller frees.
 */
char *node_path(const struct node *node);
/* "../../devices/...": a link's text. The caller frees. */
char *node_link_text(const struct node *link);

#endif
