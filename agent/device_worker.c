#include "agent/device_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/sysfs.h"
#include "lib/xalloc.h"

/* More than this many stuck children say that something else is wrong. */
#define MAX_UNDER_WAY 128

/* One child. */
struct job {
    enum device_operation operation;
    char uuid[UUID_TEXT_SIZE];
    char *parent;
    char *card; /* whose devices share a driver's lock: the parent, or its PF */
    pid_t pid;
    int pipe; /* gives one struct error */
};

struct device_worker {
    const struct backend *backend;
    char *sysfs_root, *root;
    struct job *jobs;
    size_t job_count;
    int epoll; /* over the jobs' pipes */
};

struct device_worker *device_worker_new(const struct backend *backend,
                                        const char *sysfs_root, const char *root)
{
    struct device_worker *worker = xcalloc(1, sizeof *worker);
    worker->backend = backend;
    worker->sysfs_root = xstrdup(sysfs_root);
    worker->root = xstrdup(root);
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (worker->epoll < 0)
        abort();
    return worker;
}

/* Taken from the epoll by hand: closing does not do it while a child that was forked
 * meanwhile has not closed its copy. */
static void clear_job(struct device_worker *worker, struct job *job)
{
    (void)epoll_ctl(worker->epoll, EPOLL_CTL_DEL, job->pipe, NULL);
    close(job->pipe);
    free(job->parent);
    free(job->card);
}

void device_worker_free(struct device_worker *worker)
{
    if (!worker)
        return;
    for (size_t i = 0; i < worker->job_count; i++)
        clear_job(worker, &worker->jobs[i]);
    free(worker->jobs);
    close(worker->epoll);
    free(worker->sysfs_root);
    free(worker->root);
    free(worker);
}

/* ---- the child ---- */

#define CHILD_OUT 3

/* It must hold on to nothing of the agent's: not to its lock, its sockets, the pipe
 * that somebody reads its standard error from. What it has to say goes through `out`,
 * which becomes CHILD_OUT. The standard descriptors stay taken, lest a library's
 * message end in a sysfs file. */
static int leave_agent(int out)
{
    (void)prctl(PR_SET_NAME, "vgpu-device");
    out = fcntl(out, F_DUPFD, CHILD_OUT + 1);
    int null = open("/dev/null", O_RDWR);
    if (out < 0 || null < 0)
        return -1;
    for (int fd = 0; fd < CHILD_OUT; fd++)
        if (null != fd && dup2(null, fd) < 0)
            return -1;
    if (dup2(out, CHILD_OUT) < 0)
        return -1;
    closefrom(CHILD_OUT + 1);
    return 0;
}

static void run_job(const struct device_worker *worker, const struct job *job,
                    const struct device_spec *device, int out)
    __attribute__((noreturn));
static void run_job(const struct device_worker *worker, const struct job *job,
                    const struct device_spec *device, int out)
{
    if (leave_agent(out) != 0)
        _exit(1);
    const struct device_place place = {worker->sysfs_root, worker->root};
    struct error err = {0};
    int rc = job->operation == DEVICE_CREATE
                 ? worker->backend->create(&place, device, &err)
                 : worker->backend->remove(&place, device, &err);
    if (rc == 0)
        err = (struct error){0};
    /* When nobody listens any more there is nobody to tell. */
    ssize_t written = write(CHILD_OUT, &err, sizeof err);
    _exit(written == (ssize_t)sizeof err ? 0 : 1);
}

/* Signals are blocked before the fork, so that none finds the child unprepared. */
static pid_t fork_job(const struct device_worker *worker, const struct job *job,
                      const struct device_spec *device, int out)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        run_job(worker, job, device, out);
    int errnum = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = errnum;
    return pid;
}

/* ---- starting ---- */

static char *card_of(const struct device_worker *worker, const char *parent)
{
    _cleanup_close_ int root = sysfs_open_folder(AT_FDCWD, worker->sysfs_root);
    _cleanup_close_ int parents =
        root < 0 ? -1 : sysfs_open_folder(root, "class/mdev_bus");
    _cleanup_close_ int folder = parents < 0 ? -1 : sysfs_open_folder(parents, parent);
    char *pf = folder < 0 ? NULL : sysfs_link_name(folder, "physfn");
    return pf ? pf : xstrdup(parent);
}

/* A removal holds up its own device only: the kernel goes on with the others. */
static int check_free(const struct device_worker *worker, const char *card,
                      const char *uuid, struct error *err)
{
    for (size_t i = 0; i < worker->job_count; i++) {
        const struct job *job = &worker->jobs[i];
        if (strcmp(job->uuid, uuid) == 0)
            return error_set(err, ERROR_BUSY,
                             "the %s of this device is still under way",
                             job->operation == DEVICE_CREATE ? "creation" : "removal");
        if (job->operation == DEVICE_CREATE && strcmp(job->card, card) == 0)
            return error_set(err, ERROR_BUSY,
                             "the creation of mdev %s on %s is still under way",
                             job->uuid, card);
    }
    if (worker->job_count >= MAX_UNDER_WAY)
        return error_set(err, ERROR_BUSY, "%d operations are under way already",
                         MAX_UNDER_WAY);
    return 0;
}

/* Everything but the child's own end of the pipe goes into the job. */
static int start_child(struct device_worker *worker, struct job *job,
                       const struct device_spec *device, struct error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set_errno(err, errno, "cannot start a child");
    _cleanup_close_ int in = ends[0], out = ends[1];
    job->pid = fork_job(worker, job, device, out);
    if (job->pid < 0)
        return error_set_errno(err, errno, "cannot start a child");
    /* ENOMEM at worst; and a result that is never seen would be worse than none. */
    struct epoll_event event = {.events = EPOLLIN, .data.fd = in};
    if (epoll_ctl(worker->epoll, EPOLL_CTL_ADD, in, &event) != 0)
        abort();
    job->pipe = in;
    in = -1;
    return 0;
}

int device_worker_start(struct device_worker *worker, enum device_operation operation,
                        const char *parent, const char *type_id, const char *uuid,
                        struct error *err)
{
    struct job job = {.operation = operation, .card = card_of(worker, parent)};
    memcpy(job.uuid, uuid, sizeof job.uuid);
    const struct device_spec device = {uuid, parent, type_id};
    if (check_free(worker, job.card, uuid, err) != 0 ||
        start_child(worker, &job, &device, err) != 0) {
        free(job.card);
        return error_prefix(err, "mdev %s on %s", uuid, parent);
    }
    job.parent = xstrdup(parent);
    *array_add(worker->jobs, worker->job_count) = job;
    return 0;
}

/* ---- ending ---- */

/* A child that ends without a word was killed. */
static void read_result(const struct job *job, struct device_done *out)
{
    ssize_t n;
    do {
        n = read(job->pipe, &out->error, sizeof out->error);
    } while (n < 0 && errno == EINTR);
    int status = 0;
    while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (n != (ssize_t)sizeof out->error)
        (void)error_set(&out->error, ERROR_IO,
                        "mdev %s: the child that worked on it ended early (signal %d)",
                        job->uuid, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static struct job *job_of_pipe(struct device_worker *worker, int fd)
{
    for (size_t i = 0; i < worker->job_count; i++)
        if (worker->jobs[i].pipe == fd)
            return &worker->jobs[i];
    return NULL;
}

bool device_worker_take(struct device_worker *worker, unsigned timeout,
                        struct device_done *out)
{
    struct epoll_event event;
    /* A signal ends the wait early: the caller looks why. */
    if (!worker->job_count || epoll_wait(worker->epoll, &event, 1, (int)timeout) != 1)
        return false;
    struct job *job = job_of_pipe(worker, event.data.fd);
    *out = (struct device_done){.operation = job->operation};
    memcpy(out->uuid, job->uuid, sizeof out->uuid);
    read_result(job, out);
    clear_job(worker, job);
    *job = worker->jobs[--worker->job_count];
    return true;
}

int device_worker_fd(const struct device_worker *worker)
{
    return worker->epoll;
}

void device_worker_mark(const struct device_worker *worker, struct host *host)
{
    for (size_t i = 0; i < worker->job_count; i++)
        host_mark_in_transition(host, worker->jobs[i].uuid, worker->jobs[i].parent);
}
