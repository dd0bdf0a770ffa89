#include "lib/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define CHILD_SOCKET 3

/* The subprocess must keep nothing of its parent open: not the lock file, the sockets,
 * nor the pipe that somebody reads standard error from. Its own socket becomes
 * CHILD_SOCKET. The standard descriptors are redirected to /dev/null rather than
 * closed: a file opened later could get the number 2, and a library's message would be
 * written into sysfs. */
static int leave_agent(const char *name, int socket)
{
    (void)prctl(PR_SET_NAME, name);
    socket = fcntl(socket, F_DUPFD, CHILD_SOCKET + 1);
    int null = open("/dev/null", O_RDWR);
    if (socket < 0 || null < 0)
        return -1;
    for (int fd = 0; fd < CHILD_SOCKET; fd++)
        if (null != fd && dup2(null, fd) < 0)
            return -1;
    if (dup2(socket, CHILD_SOCKET) < 0)
        return -1;
    closefrom(CHILD_SOCKET + 1);
    return 0;
}

/* Signals are blocked before the fork, as the subprocess must never act on one. */
static pid_t fork_with_signals_blocked(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        return 0;
    int errnum = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = errnum;
    return pid;
}

int subprocess_start(struct subprocess *child, const char *name,
                     void (*work)(const void *data, int socket), const void *data,
                     struct error *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return error_set_errno(err, errno, "cannot start a child");
    _cleanup_close_ int ours = ends[0], theirs = ends[1];
    pid_t pid = fork_with_signals_blocked();
    if (pid < 0)
        return error_set_errno(err, errno, "cannot start a child");
    if (pid == 0) {
        if (leave_agent(name, theirs) != 0)
            _exit(1);
        work(data, CHILD_SOCKET);
        _exit(0);
    }
    *child = (struct subprocess){pid, ours};
    ours = -1;
    return 0;
}

int subprocess_wait(const struct subprocess *child)
{
    int status = 0;
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
