/*
 * folder: reads folders and links, relative to a directory descriptor, where what they
 * show can vanish meanwhile: sysfs, /proc. Stateless.
 */
#ifndef LIB_FOLDER_H
#define LIB_FOLDER_H

#include <dirent.h>
#include <stdbool.h>

#include "lib/cleanup.h"

static inline void folder_close(DIR *directory)
{
    closedir(directory);
}
DEFINE_CLEANUP(DIR *, folder_close)
#define _cleanup_folder_ _cleanup_(folder_closep)

/* The errnos which say that a device was removed before or during the read. */
bool errno_is_gone(int errnum);

/* A descriptor of a folder (O_PATH), through links. -1 with errno. */
int folder_open(int dirfd, const char *path);

/* A folder to be listed. NULL with errno. */
DIR *folder_open_list(int dirfd, const char *path);

/* The next name that does not start with a dot. NULL at the end, and when the folder
 * was removed meanwhile: then *errnum is 0. Where the listing failed, *errnum says
 * why. */
const char *folder_next(DIR *directory, int *errnum);

/* The last component of the link's target; NULL with errno when there is no such link.
 * The caller frees. */
char *folder_link_name(int dirfd, const char *path);

/* The link's target as it is written; NULL with errno. The caller frees. */
char *folder_link(int dirfd, const char *path);

#endif
