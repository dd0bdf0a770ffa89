#include "agent/instance_lock.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"

static int holder_of(int fd, const char *path, pid_t *out, struct error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_GETLK, &lock) != 0)
        return error_set_errno(err, errno, "%s", path);
    *out = lock.l_type == F_UNLCK ? 0 : lock.l_pid;
    return 0;
}

/* Its holder may end between the two calls: 0 then, and it is worth another try. */
static int say_who_holds_it(int fd, const char *path, struct error *err)
{
    pid_t pid;
    if (holder_of(fd, path, &pid, err) != 0)
        return -1;
    if (pid == 0)
        return 0;
    return error_set(err, ERROR_BUSY,
                     "another vgpu-agent is at work (pid %ld holds %s)", (long)pid,
                     path);
}

static int lock_file(int fd, const char *path, struct error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    while (fcntl(fd, F_SETLK, &lock) != 0) {
        if (errno != EAGAIN && errno != EACCES)
            return error_set_errno(err, errno, "%s", path);
        if (say_who_holds_it(fd, path, err) != 0)
            return -1;
    }
    return 0;
}

int instance_lock_take(const char *state_file, int *out, struct error *err)
{
    _cleanup_free_ char *path = xasprintf("%s.lock", state_file);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set_errno(err, errno, "%s", path);
    if (lock_file(fd, path, err) != 0) {
        close(fd);
        return -1;
    }
    *out = fd;
    return 0;
}

int instance_lock_holder(const char *state_file, pid_t *out, struct error *err)
{
    _cleanup_free_ char *path = xasprintf("%s.lock", state_file);
    _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        *out = 0;
        return 0;
    }
    if (fd < 0)
        return error_set_errno(err, errno, "%s", path);
    return holder_of(fd, path, out, err);
}
