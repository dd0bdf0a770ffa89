#include "agent/backend/program_run.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/host/sysfs.h"
#include "lib/clock.h"
#include "lib/subprocess.h"

#define SLICE 100 /* milliseconds */

static int describe(posix_spawn_file_actions_t *actions, int output)
{
    int rc = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null",
                                              O_RDONLY, 0);
    for (int fd = STDOUT_FILENO; rc == 0 && fd <= STDERR_FILENO; fd++)
        rc = posix_spawn_file_actions_adddup2(actions, output, fd);
    return rc == 0
               ? posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1)
               : rc;
}

/* In a group of its own, so that all of a script can be ended. */
static int spawn(struct program_run *run, char *const argv[], int output)
{
    posix_spawn_file_actions_t actions;
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc != 0)
        return rc;
    rc = describe(&actions, output);
    if (rc == 0)
        rc = subprocess_spawn(&run->pid, argv, &actions, true);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* What does not fit is read and dropped, so that the program does not wait for us. */
static void read_output(struct program_run *run)
{
    char bytes[1024];
    struct pollfd fd = {.fd = run->output, .events = POLLIN};
    if (poll(&fd, 1, SLICE) != 1)
        return;
    ssize_t n = read(run->output, bytes, sizeof bytes);
    if (n <= 0) {
        /* All that wrote to it have ended, or closed it. */
        (void)poll(NULL, 0, SLICE);
        return;
    }
    size_t room = sizeof run->text - 1 - run->length;
    size_t kept = (size_t)n < room ? (size_t)n : room;
    memcpy(run->text + run->length, bytes, kept);
    run->length += kept;
}

/* A program that does not even end by SIGKILL, since the driver holds it in the kernel,
 * is left behind. */
static void wait_for_end(struct program_run *run, int64_t deadline)
{
    while (!run->ended && clock_monotonic_ms() < deadline) {
        read_output(run);
        run->ended = waitpid(run->pid, NULL, WNOHANG) != 0;
    }
    if (!run->ended)
        (void)kill(-run->pid, SIGKILL);
    else
        read_output(run);
}

int program_run(struct program_run *run, char *const argv[], int64_t deadline,
                struct error *err)
{
    int ends[2];
    /* It would be ended at once, and in the middle of its work. */
    if (clock_monotonic_ms() >= deadline)
        return error_set(err, ERROR_TIMEOUT,
                         "%s: not begun, since those before it have taken all the time",
                         argv[0]);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set_errno(err, errno, "cannot run %s", argv[0]);
    run->output = ends[0];
    int rc = spawn(run, argv, ends[1]);
    close(ends[1]);
    if (rc == 0)
        wait_for_end(run, deadline);
    close(ends[0]);
    return rc == 0 ? 0 : error_set_errno(err, rc, "cannot run %s", argv[0]);
}

const char *program_last_line(struct program_run *run)
{
    char *text = run->text;
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = 0;
    const char *line = strrchr(text, '\n');
    return sysfs_printable(line ? (char *)line + 1 : text);
}
