#include "lib/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/user.h"
#include "lib/xalloc.h"

int file_read_at(int dirfd, const char *path, size_t max, char **out, size_t *length,
                 struct error *err)
{
    _cleanup_close_ int fd =
        openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return error_set_errno(err, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERROR_INVALID, "%s: not a regular file", path);

    size_t used = 0, room = st.st_size > 0 && (size_t)st.st_size < max
                                ? (size_t)st.st_size
                                : 4096;
    _cleanup_free_ char *text = xcalloc(room + 1, 1);
    for (;;) {
        ssize_t n = read(fd, text + used, room - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set_errno(err, errno, "%s", path);
        used += (size_t)n;
        if (used > max)
            return error_set(err, ERROR_INVALID, "%s: larger than %zu bytes", path,
                             max);
        if (n == 0)
            break;
        if (used == room)
            text = xreallocarray(text, (room *= 2) + 1, 1);
    }
    text[used] = 0;
    *out = steal(text);
    if (length)
        *length = used;
    return 0;
}

/* The kernel gives a whole attribute, at most a page, to the first read(2). */
int attribute_read_at(int dirfd, const char *path, char **out, struct error *err)
{
    char text[ATTRIBUTE_MAX + 1];
    _cleanup_close_ int fd =
        openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (length < 0)
        return error_set_errno(err, errno, "%s", path);
    if (length > ATTRIBUTE_MAX)
        return error_set(err, ERROR_INVALID, "%s: larger than %d bytes", path,
                         ATTRIBUTE_MAX);
    if (length && text[length - 1] == '\n')
        length--;
    *out = xstrndup(text, (size_t)length);
    return 0;
}

int attribute_store_at(int dirfd, const char *path, const char *text, struct error *err)
{
    _cleanup_close_ int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_set_errno(err, errno, "%s", path);
    size_t length = strlen(text);
    ssize_t n = write(fd, text, length);
    if (n < 0)
        return error_set_errno(err, errno, "%s", path);
    if ((size_t)n != length)
        return error_set(err, ERROR_IO, "%s: the kernel took %zd of %zu bytes", path, n,
                         length);
    return 0;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return xstrdup(".");
    return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

int file_check_folder(const char *path, struct error *err)
{
    _cleanup_free_ char *folder = folder_of(path), *user = user_name(geteuid());
    struct stat st;
    if (stat(folder, &st) != 0 && errno == ENOENT)
        return error_set(err, ERROR_NOT_FOUND,
                         "the folder %s is not there; it must be made, and belong to "
                         "the user %s",
                         folder, user);
    if (stat(folder, &st) != 0)
        return error_set_errno(err, errno, "%s", folder);
    if (!S_ISDIR(st.st_mode))
        return error_set(err, ERROR_INVALID, "%s is not a folder", folder);
    if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0 && errno == EACCES) {
        _cleanup_free_ char *owner = user_name(st.st_uid);
        return error_set(err, ERROR_FORBIDDEN,
                         "the user %s may not write in the folder %s, which belongs to "
                         "%s",
                         user, folder, owner);
    }
    return 0;
}

int file_open_folder(const char *path, const char **name, struct error *err)
{
    const char *slash = strrchr(path, '/');
    _cleanup_free_ char *folder =
        slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "%s", folder);
    *name = slash ? slash + 1 : path;
    return fd;
}

static int write_all(int fd, const char *data, size_t length)
{
    while (length) {
        ssize_t n = write(fd, data, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        length -= (size_t)n;
    }
    return 0;
}

int file_give_to_owner(int dirfd, int fd, struct error *err)
{
    struct stat folder;
    if (geteuid() != 0)
        return 0;
    if (fstatat(dirfd, ".", &folder, 0) != 0 ||
        (folder.st_uid != 0 && fchown(fd, folder.st_uid, folder.st_gid) != 0))
        return error_set_errno(err, errno, "cannot give a file to its folder's owner");
    return 0;
}

static int replace(int dirfd, const char *name, const char *data, size_t length,
                   mode_t mode, bool synced, struct error *err)
{
    _cleanup_free_ char *temporary = xasprintf("%s.new", name);
    (void)unlinkat(dirfd, temporary, 0);
    _cleanup_close_ int fd = openat(
        dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return error_set_errno(err, errno, "%s", temporary);
    if (file_give_to_owner(dirfd, fd, err) != 0) {
        (void)unlinkat(dirfd, temporary, 0);
        return error_prefix(err, "%s", name);
    }
    if (write_all(fd, data, length) != 0 || (synced && fsync(fd) != 0) ||
        renameat(dirfd, temporary, dirfd, name) != 0) {
        int saved = errno;
        (void)unlinkat(dirfd, temporary, 0);
        return error_set_errno(err, saved, "%s", name);
    }
    return 0;
}

int file_replace_lightly_at(int dirfd, const char *name, const char *data,
                            size_t length, mode_t mode, struct error *err)
{
    return replace(dirfd, name, data, length, mode, false, err);
}

int file_replace_at(int dirfd, const char *name, const char *data, size_t length,
                    mode_t mode, struct error *err)
{
    if (replace(dirfd, name, data, length, mode, true, err) != 0)
        return -1;
    _cleanup_close_ int directory =
        openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || fsync(directory) != 0)
        return error_set_errno(err, errno, "the directory of %s", name);
    return 0;
}

/* ---- telling files apart ---- */

struct file_stamp file_stamp_of(const struct stat *st)
{
    return (struct file_stamp){st->st_dev, st->st_ino, st->st_size, st->st_mtim,
                               st->st_ctim};
}

struct file_stamp file_stamp_at(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? file_stamp_of(&st) : (struct file_stamp){0};
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           is_same_time(a->modified, b->modified) &&
           is_same_time(a->changed, b->changed);
}
