/*
 * files: reads and writes small files whole, below a directory descriptor. For sysfs,
 * whose files all have st_size 4096 and where one write(2) is one store, for the state
 * file and for configuration. Stateless.
 */
#ifndef LIB_FILES_H
#define LIB_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/error.h"

/* Reads all of `path` (relative to `dirfd`, or AT_FDCWD) until end of file; at most
 * `max` bytes, else ERROR_INVALID. *out is NUL-terminated and the caller's; `length`
 * may be NULL. Directories and other non-files give ERROR_INVALID. */
int file_read_at(int dirfd, const char *path, size_t max, char **out, size_t *length,
                 struct error *err);

/* A sysfs attribute: one value, its trailing newline taken off. At most ATTRIBUTE_MAX
 * bytes, which the kernel gives at one read(2). */
#define ATTRIBUTE_MAX 4096
int attribute_read_at(int dirfd, const char *path, char **out, struct error *err);

/* A sysfs store: open for writing only, exactly one write(2), close. A short write is
 * an error and is never continued, since the kernel would take the rest as a second
 * store. The errno of the driver is in err->errnum. */
int attribute_store_at(int dirfd, const char *path, const char *text,
                       struct error *err);

/* Can we make files in the folder of `path`? Else the text names the folder and the user
 * that needs it. */
int file_check_folder(const char *path, struct error *err);

/* Opens the folder that `path` is in; *name points to the last component of `path`.
 * Gives the descriptor, which the caller closes, or -1. */
int file_open_folder(const char *path, const char **name, struct error *err);

/* Gives the file `fd`, which this process has just made in `dirfd`, to the owner of
 * that folder when this process is root: a command that root runs must not lock the
 * service's user out of its own state. No effect for other users. */
int file_give_to_owner(int dirfd, int fd, struct error *err);

/* Replaces `name` in `dirfd` so that a crash leaves the old or the new content:
 * temporary file, fsync, rename, fsync of the directory. The file belongs to the
 * folder's owner, as above. */
int file_replace_at(int dirfd, const char *name, const char *data, size_t length,
                    mode_t mode, struct error *err);

/* The same for what has its meaning in this boot only: nothing waits for the disk. Who reads
 * the file has the old or the new content; after a power cut it may be in pieces. */
int file_replace_lightly_at(int dirfd, const char *name, const char *data,
                            size_t length, mode_t mode, struct error *err);

/* What tells a file from the one that takes its place, and from itself once it is
 * written. All 0: no file is seen. */
struct file_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};

struct file_stamp file_stamp_of(const struct stat *st);
struct file_stamp file_stamp_at(const char *path);
bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b);

#endif
