/*
 * sysfs: helpers for reading sysfs that lib/files does not have: folders, links,
 * numbers, and which errnos mean that a device has gone. All paths are relative to a
 * directory descriptor. Stateless.
 */
#ifndef AGENT_HOST_SYSFS_H
#define AGENT_HOST_SYSFS_H

#include <dirent.h>
#include <stdbool.h>

#include "lib/cleanup.h"
#include "lib/error.h"

static inline void directory_close(DIR *directory)
{
    closedir(directory);
}
DEFINE_CLEANUP(DIR *, directory_close)
#define _cleanup_directory_ _cleanup_(directory_closep)

/* The errnos which say that a device was removed before or during the read. */
bool sysfs_gone(int errnum);

/* A descriptor of a folder (O_PATH), through links. -1 with errno. */
int sysfs_open_folder(int dirfd, const char *path);

/* A folder to be listed. NULL with errno. */
DIR *sysfs_open_list(int dirfd, const char *path);

/* The next name that does not start with a dot. NULL at the end, and when the folder
 * was removed meanwhile: then *errnum is 0. Where the listing failed, *errnum says
 * why. */
const char *sysfs_next(DIR *directory, int *errnum);

/* The last component of the link's target; NULL with errno when there is no such link.
 * The caller frees. */
char *sysfs_link_name(int dirfd, const char *path);

/* The link's target as it is written; NULL with errno. The caller frees. */
char *sysfs_link(int dirfd, const char *path);

/* Replaces all but printable ASCII by '?', in place: drivers write ASCII, and anything
 * else would break what is printed and sent. Line feeds stay, since descriptions have
 * them. `text` may be NULL. */
char *sysfs_printable(char *text);

/* Reads a file that holds one decimal or 0x-hexadecimal number, which may be negative.
 * INVALID when it holds anything else. When the file has gone, sysfs_gone(err->errnum)
 * is true. */
int sysfs_number(int dirfd, const char *path, long *out, struct error *err);

#endif
