#include "agent/state/instance_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/xalloc.h"

/* ---- the holder ---- */

/* Reads "<pid> <command>\n". When the pid is not the lock holder's, the text is from
 * an earlier holder: the present one has taken the lock, but has not written its own
 * yet. */
static void read_command(int fd, struct instance_holder *holder)
{
    char text[64], *end;
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    if (length <= 0)
        return;
    text[length] = 0;
    long pid = strtol(text, &end, 10);
    char *newline = strchr(end, '\n');
    struct stat st;
    if (pid == (long)holder->pid && *end == ' ' && newline) {
        *newline = 0;
        holder->since = fstat(fd, &st) == 0 ? st.st_mtime : 0;
        stpncpy(holder->command, end + 1, sizeof holder->command - 1);
    }
}

static int find_holder(int fd, const char *path, struct instance_holder *out,
                       struct error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_GETLK, &lock) != 0)
        return error_set_errno(err, errno, "%s", path);
    *out = (struct instance_holder){.pid = lock.l_type == F_UNLCK ? 0 : lock.l_pid};
    if (out->pid)
        read_command(fd, out);
    return 0;
}

int instance_lock_holder(const char *state_file, struct instance_holder *out,
                         struct error *err)
{
    _cleanup_free_ char *path = xasprintf("%s.lock", state_file);
    _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        *out = (struct instance_holder){0};
        return 0;
    }
    if (fd < 0)
        return error_set_errno(err, errno, "%s", path);
    return find_holder(fd, path, out, err);
}

/* ---- taking the lock ---- */

/* The error for a lock that is held. The holder may end before it is looked up: then 0,
 * and the caller tries again. */
static int say_who_holds_it(int fd, const char *path, struct error *err)
{
    struct instance_holder holder;
    if (find_holder(fd, path, &holder, err) != 0)
        return -1;
    if (holder.pid == 0)
        return 0;
    if (strcmp(holder.command, INSTANCE_DAEMON) == 0)
        return error_set(err, ERROR_BUSY, "the daemon is at work (pid %ld holds %s)",
                         (long)holder.pid, path);
    return error_set(err, ERROR_BUSY,
                     "another vgpu-agent%s%s is at work (pid %ld holds "
                     "%s)",
                     *holder.command ? " " : "", holder.command, (long)holder.pid,
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

static int check_file(int fd, struct error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return error_set_errno(err, errno, "fstat");
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
        return error_set(err, ERROR_INVALID, "it must be a plain file with one name");
    return 0;
}

/* Opens the file, or makes it. A file with a second link is refused: the write could go
 * to a file that is not ours. */
static int open_file(const char *path, struct error *err)
{
    const char *name;
    if (file_check_folder(path, err) != 0)
        return error_prefix(err, "%s", path);
    _cleanup_close_ int folder = file_open_folder(path, &name, err);
    if (folder < 0)
        return -1;
    int fd =
        openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool made = fd >= 0;
    if (!made && errno == EEXIST)
        fd = openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_set_errno(err, errno, "%s", path);
    if ((made && file_give_to_owner(folder, fd, err) != 0) ||
        check_file(fd, err) != 0) {
        close(fd);
        return error_prefix(err, "%s", path);
    }
    return fd;
}

/* A full disk does no harm: existing text is overwritten in place, and in a new file
 * only the name of the holder's command is missing. */
static void write_command(int fd, const char *command)
{
    _cleanup_free_ char *text = xasprintf("%ld %s\n", (long)getpid(), command);
    ssize_t length = pwrite(fd, text, strlen(text), 0);
    (void)!ftruncate(fd, length > 0 ? length : 0);
}

int instance_lock_take(const char *state_file, const char *command, int *out,
                       struct error *err)
{
    _cleanup_free_ char *path = xasprintf("%s.lock", state_file);
    int fd = open_file(path, err);
    if (fd < 0)
        return -1;
    if (lock_file(fd, path, err) != 0) {
        close(fd);
        return -1;
    }
    write_command(fd, command);
    *out = fd;
    return 0;
}

/* ---- signals ---- */

static int find_daemon(const char *state_file, struct instance_holder *holder,
                       struct error *err)
{
    if (instance_lock_holder(state_file, holder, err) != 0)
        return -1;
    if (holder->pid == 0 || strcmp(holder->command, INSTANCE_DAEMON) != 0)
        return error_set(err, ERROR_NOT_FOUND,
                         "the daemon does not run (nobody holds %s.lock)", state_file);
    return 0;
}

/* The holder is looked up a second time after the descriptor was opened. That makes
 * sure that the descriptor is the daemon's, and not that of a process which has got the
 * same pid since. */
int instance_signal_daemon(const char *state_file, int signal, pid_t *pid,
                           struct error *err)
{
    struct instance_holder holder, again;
    if (find_daemon(state_file, &holder, err) != 0)
        return -1;
    _cleanup_close_ int fd = pidfd_open(holder.pid, 0);
    if (fd < 0 && errno != ESRCH)
        return error_set_errno(err, errno, "the daemon, pid %ld", (long)holder.pid);
    if (find_daemon(state_file, &again, err) != 0)
        return -1;
    if (fd < 0 || again.pid != holder.pid)
        return error_set(err, ERROR_BUSY, "the daemon is just being started anew");
    if (pidfd_send_signal(fd, signal, NULL, 0) != 0)
        return error_set_errno(err, errno, "the daemon, pid %ld", (long)holder.pid);
    if (pid)
        *pid = holder.pid;
    return 0;
}
