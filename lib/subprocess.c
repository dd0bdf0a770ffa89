#include "lib/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"

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

/* Our end, and the child's. */
static int make_ends(int *ours, int *theirs, struct error *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return error_set_errno(err, errno, "cannot start a child");
    *ours = ends[0];
    *theirs = ends[1];
    return 0;
}

int subprocess_start(struct subprocess *child, const char *name,
                     void (*work)(const void *data, int socket), const void *data,
                     struct error *err)
{
    _cleanup_close_ int ours = -1, theirs = -1;
    if (make_ends(&ours, &theirs, err) != 0)
        return -1;
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

/* 0 or an errno. Memory can be lacking for each of them. */
static int describe_descriptors(posix_spawn_file_actions_t *actions, int theirs)
{
    int rc = posix_spawn_file_actions_adddup2(actions, theirs, CHILD_SOCKET);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(actions, CHILD_SOCKET + 1);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null",
                                              O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null",
                                              O_WRONLY, 0);
    return rc;
}

static int describe_signals(posix_spawnattr_t *attributes, bool own_group)
{
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                (own_group ? POSIX_SPAWN_SETPGROUP : 0);
    int rc = posix_spawnattr_setsigdefault(attributes, &all);
    if (rc == 0)
        rc = posix_spawnattr_setsigmask(attributes, &none);
    return rc == 0 ? posix_spawnattr_setflags(attributes, (short)flags) : rc;
}

/* glibc makes the child without a copy of our memory, runs no code of ours in it, and
 * hands on why the program could not be executed. */
int subprocess_spawn(pid_t *pid, char *const argv[],
                     const posix_spawn_file_actions_t *actions, bool own_group)
{
    posix_spawnattr_t attributes;
    int rc = posix_spawnattr_init(&attributes);
    if (rc != 0)
        return rc;
    rc = describe_signals(&attributes, own_group);
    if (rc == 0)
        rc = posix_spawn(pid, argv[0], actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    return rc;
}

static int spawn(pid_t *pid, char *const argv[], int theirs)
{
    posix_spawn_file_actions_t actions;
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc != 0)
        return rc;
    rc = describe_descriptors(&actions, theirs);
    if (rc == 0)
        rc = subprocess_spawn(pid, argv, &actions, false);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

int subprocess_exec(struct subprocess *child, char *const argv[], struct error *err)
{
    _cleanup_close_ int ours = -1, theirs = -1;
    pid_t pid;
    if (make_ends(&ours, &theirs, err) != 0)
        return -1;
    int rc = spawn(&pid, argv, theirs);
    if (rc != 0)
        return error_set_errno(err, rc, "cannot run %s", argv[0]);
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
