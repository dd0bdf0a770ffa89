#include "agent/instance_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"

static int say_who_holds_it(int fd, const char *path, struct error *err)
{
    char pid[16] = "";
    ssize_t length = pread(fd, pid, sizeof pid - 1, 0);
    pid[length > 0 ? length : 0] = 0;
    pid[strspn(pid, "0123456789")] = 0;
    return error_set(err, ERROR_BUSY, "another vgpu-agent is at work (pid %s holds %s)",
                     *pid ? pid : "unknown", path);
}

static int write_pid(int fd, const char *path, struct error *err)
{
    char pid[16];
    int length = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)length, 0) != length)
        return error_set_errno(err, errno, "%s", path);
    return 0;
}

int instance_lock_take(const char *state_file, int *out, struct error *err)
{
    _cleanup_free_ char *path = xasprintf("%s.lock", state_file);
    _cleanup_close_ int fd =
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set_errno(err, errno, "%s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? say_who_holds_it(fd, path, err)
                                    : error_set_errno(err, errno, "%s", path);
    if (write_pid(fd, path, err) != 0)
        return -1;
    *out = fd;
    fd = -1;
    return 0;
}
