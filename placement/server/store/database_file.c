#include "placement/server/store/database_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/files.h"
#include "lib/xalloc.h"

#define MODE 0640

struct database_file {
    char *path, *log_path;
    int fd; /* holds the lock; SQLite has descriptors of its own */
    struct stat status, log_status;
    bool log_known;
};

int database_file_make(const char *path, const void *image, size_t length,
                       struct error *err)
{
    const char *name;
    _cleanup_close_ int folder = file_open_folder(path, &name, err);
    if (folder < 0)
        return -1;
    /* Two servers may start at the same time: one creates the file, the other finds it.
     */
    if (flock(folder, LOCK_EX) != 0)
        return error_set_errno(err, errno, "flock");
    if (faccessat(folder, name, F_OK, 0) == 0)
        return 0;
    return file_replace_at(folder, name, image, length, MODE, err);
}

int database_file_open(const char *path, struct database_file **out, struct error *err)
{
    _cleanup_(database_file_freep) struct database_file *file =
        xcalloc(1, sizeof *file);
    file->path = xstrdup(path);
    file->log_path = xasprintf("%s-wal", path);
    file->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0 || fstat(file->fd, &file->status) != 0)
        return error_set_errno(err, errno, "open");
    if (flock(file->fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? error_set(err, ERROR_BUSY, "another placementd is using it")
                   : error_set_errno(err, errno, "flock");
    *out = steal(file);
    return 0;
}

void database_file_free(struct database_file *file)
{
    if (!file)
        return;
    cleanup_close(&file->fd);
    free(file->path);
    free(file->log_path);
    free(file);
}

int database_file_know_log(struct database_file *file, struct error *err)
{
    if (stat(file->log_path, &file->log_status) != 0)
        return error_set_errno(err, errno, "%s", file->log_path);
    file->log_known = true;
    return 0;
}

/* Checks that the path still leads to the file of `known`, and updates its size there.
 */
static int check(const char *path, struct stat *known, struct error *err)
{
    struct stat now;
    if (stat(path, &now) != 0)
        return error_set(err, ERROR_IO,
                         "%s was deleted or moved while it was in use (%s); put it "
                         "back, or stop placementd and start it on a backup",
                         path, strerrordesc_np(errno));
    if (now.st_dev != known->st_dev || now.st_ino != known->st_ino)
        return error_set(err, ERROR_IO,
                         "%s was replaced while it was in use; restart placementd to "
                         "use the new file",
                         path);
    *known = now;
    return 0;
}

int database_file_check(struct database_file *file, struct error *err)
{
    if (check(file->path, &file->status, err) != 0)
        return -1;
    return file->log_known ? check(file->log_path, &file->log_status, err) : 0;
}

int64_t database_file_log_size(const struct database_file *file)
{
    return file->log_known ? file->log_status.st_size : 0;
}
