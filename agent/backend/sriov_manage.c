#include "agent/backend/sriov_manage.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/host/sysfs.h"
#include "lib/clock.h"
#include "lib/files.h"
#include "lib/subprocess.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

#define LOCKED "Cannot obtain unbindLock"
#define SLICE 100    /* milliseconds */
#define PAUSE 1000   /* milliseconds, between two runs */
#define OUTPUT 16384 /* bytes of the program's output that are kept */
#define NAMED_MAX 8  /* holders that a message names */

bool sriov_manage_is_for(const struct gpu *gpu)
{
    return gpu->health == GPU_OK && gpu->vf_total && !gpu->vf_enabled &&
           !gpu->parent_count && gpu->driver && strcmp(gpu->driver, "nvidia") == 0;
}

/* ---- the program ---- */

struct program_run {
    pid_t pid;
    int output;
    char text[OUTPUT]; /* the beginning of what it wrote */
    size_t length;
    bool ended;
};

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

static int run_program(struct program_run *run, const char *program, const char *card,
                       int64_t deadline, struct error *err)
{
    char *const argv[] = {(char *)program, (char *)"-e", (char *)card, NULL};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set_errno(err, errno, "cannot run %s", program);
    run->output = ends[0];
    int rc = spawn(run, argv, ends[1]);
    close(ends[1]);
    if (rc == 0)
        wait_for_end(run, deadline);
    close(ends[0]);
    return rc == 0 ? 0 : error_set_errno(err, rc, "cannot run %s", program);
}

/* ---- who has the driver open ---- */

static bool has_driver_open(int proc, const char *pid)
{
    char path[64];
    snprintf(path, sizeof path, "%.20s/fd", pid);
    _cleanup_folder_ DIR *fds = folder_open_list(proc, path);
    int errnum;
    const char *fd;
    while (fds && (fd = folder_next(fds, &errnum))) {
        _cleanup_free_ char *target = folder_link(dirfd(fds), fd);
        if (target && strncmp(target, "/dev/nvidia", 11) == 0)
            return true;
    }
    return false;
}

static char *describe_process(int proc, const char *pid)
{
    char path[64];
    _cleanup_free_ char *name = NULL;
    snprintf(path, sizeof path, "%.20s/comm", pid);
    if (attribute_read_at(proc, path, &name, NULL) != 0)
        return xstrdup(pid);
    return xasprintf("%s (%s)", pid, sysfs_printable(name));
}

/* As far as it can be seen. */
static char *list_holders(const struct device_place *place)
{
    _cleanup_strlist_ struct strlist holders = {0};
    _cleanup_close_ int root = folder_open(AT_FDCWD, place->use.root);
    _cleanup_folder_ DIR *proc = root < 0 ? NULL : folder_open_list(root, "proc");
    int errnum;
    const char *pid;
    while (proc && holders.count < NAMED_MAX && (pid = folder_next(proc, &errnum)))
        if (isdigit((unsigned char)*pid) && has_driver_open(dirfd(proc), pid))
            strlist_add_take(&holders, describe_process(dirfd(proc), pid));
    return holders.count ? strlist_join(&holders, ", ") : NULL;
}

static int explain_lock(const char *program, const struct device_place *place,
                        const char *card, struct error *err)
{
    _cleanup_free_ char *holders = list_holders(place);
    return error_set(err, ERROR_TIMEOUT,
                     "%s -e %s: \"" LOCKED "\": a process has the driver's management "
                     "interface open; /dev/nvidia* is open in %s",
                     program, card, holders ? holders : "no process that can be seen");
}

/* ---- the card ---- */

static long count_functions(const struct device_place *place, const char *card)
{
    long count = 0;
    _cleanup_close_ int root = folder_open(AT_FDCWD, place->sysfs_root);
    _cleanup_close_ int cards = root < 0 ? -1 : folder_open(root, "bus/pci/devices");
    _cleanup_close_ int folder = cards < 0 ? -1 : folder_open(cards, card);
    return folder >= 0 && sysfs_number(folder, "sriov_numvfs", &count, NULL) == 0
               ? count
               : 0;
}

/* The last line that has something in it. */
static const char *last_line(char *text)
{
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = 0;
    const char *line = strrchr(text, '\n');
    return sysfs_printable(line ? (char *)line + 1 : text);
}

static int explain_none(const char *program, const char *card, struct program_run *run,
                        struct error *err)
{
    const char *said = last_line(run->text);
    if (!run->ended)
        return error_set(err, ERROR_TIMEOUT,
                         "%s -e %s did not end in time, and no virtual function is "
                         "enabled",
                         program, card);
    return error_set(err, ERROR_IO,
                     "%s -e %s has ended, and no virtual function is enabled%s%.200s",
                     program, card, *said ? ": " : "", said);
}

static void pause_before_next(int64_t deadline)
{
    int64_t left = deadline - clock_monotonic_ms();
    (void)poll(NULL, 0, left < 0 ? 0 : left < PAUSE ? (int)left : PAUSE);
}

int sriov_manage_enable(const char *program, const struct device_place *place,
                        const char *card, int64_t deadline, struct error *err)
{
    for (;;) {
        _cleanup_free_ struct program_run *run = xcalloc(1, sizeof *run);
        if (run_program(run, program, card, deadline, err) != 0)
            return -1;
        if (count_functions(place, card) > 0)
            return 0;
        bool locked = strstr(run->text, LOCKED) != NULL;
        if (!locked)
            return explain_none(program, card, run, err);
        if (clock_monotonic_ms() + PAUSE >= deadline)
            return explain_lock(program, place, card, err);
        pause_before_next(deadline);
    }
}
