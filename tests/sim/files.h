/*
 * files: what FUSE asks of the simulated host's files: libfuse's low-level operations
 * on the node tree. The session's user data is the struct files. A file that can be
 * written has an inode for each look-up, see mount.h. Called from libfuse's threads.
 */
#ifndef TESTS_SIM_FILES_H
#define TESTS_SIM_FILES_H

#include <fuse_lowlevel.h>
#include <sys/queue.h>

struct sim;

struct files {
    struct sim *sim;
    void (*ready)(void *context); /* the first request has come */
    void *context;
    LIST_HEAD(inode_list, inode) inodes;    /* all that the kernel may still name */
    LIST_HEAD(handle_list, handle) handles; /* all that are open */
};

extern const struct fuse_lowlevel_ops file_operations;

/* Closes and forgets everything: an unmounted kernel does so without a word. */
void files_clear(struct files *files);

#endif
