/*
 * sysfs: helpers for the texts and numbers in the files of sysfs. All paths are relative
 * to a directory descriptor. Stateless.
 */
#ifndef AGENT_HOST_SYSFS_H
#define AGENT_HOST_SYSFS_H

#include "lib/error.h"
#include "lib/folder.h"

/* Replaces all but printable ASCII by '?', in place: drivers write ASCII, and anything
 * else would break what is printed and sent. Line feeds stay, since descriptions have
 * them. `text` may be NULL. */
char *sysfs_printable(char *text);

/* Reads a file that holds one decimal or 0x-hexadecimal number, which may be negative.
 * INVALID when it holds anything else. When the file has gone, errno_is_gone(err->errnum)
 * is true. */
int sysfs_number(int dirfd, const char *path, long *out, struct error *err);

#endif
