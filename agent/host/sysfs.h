/*
 * sysfs: what reading it takes beyond lib/files: folders, links, numbers, and the sense
 * of "it has gone". Everything is relative to a directory descriptor. Stateless.
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

/* The errnos that say that a device was taken away before or while we looked. */
bool sysfs_gone(int errnum);

/* A descriptor to stand on (O_PATH), through links. -1 with errno. */
int sysfs_open_folder(int dirfd, const char *path);

/* To be listed. NULL with errno. */
DIR *sysfs_open_list(int dirfd, const char *path);

/* The next name that does not start with a dot; NULL at the end, and when the folder
 * vanishes under us. *errnum is 0 then, or why the listing broke off. */
const char *sysfs_next(DIR *directory, int *errnum);

/* The last component of where the link points; NULL with errno when there is no such
 * link. The caller frees. */
char *sysfs_link_name(int dirfd, const char *path);

/* The link's target as it is written; NULL with errno. The caller frees. */
char *sysfs_link(int dirfd, const char *path);

/* Drivers write ASCII; anything else would break what is printed and sent, and becomes
 * '?'. Line feeds stay: they belong to descriptions. `text` may be NULL. */
char *sysfs_printable(char *text);

/* A decimal or 0x-hexadecimal number and nothing else; negative ones as well.
 * ERROR_INVALID when it is none; when it has gone, err->errnum is as sysfs_gone()
 * wants it. */
int sysfs_number(int dirfd, const char *path, long *out, struct error *err);

#endif
