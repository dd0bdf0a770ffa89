#include "agent/act/device_worker.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/subprocess.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

/* The limit of operations under way: more stuck children mean that something else is
 * wrong. */
#define MAX_UNDER_WAY 128

/* An operation that a child carries out. */
struct job {
    enum device_operation operation;
    const struct backend *backend;
    char uuid[UUID_TEXT_SIZE], address[DEVICE_ADDRESS_SIZE];
    char *parent;
    char *card;              /* the card whose devices share a lock in the driver */
    struct subprocess child; /* writes one struct answer */
};

struct device_worker {
    char *sysfs_root, *root, *defined, *running;
    struct device_place place; /* borrows the strings above */
    struct job *jobs;
    size_t job_count;
    int epoll; /* watches the jobs' sockets */
};

struct device_worker *device_worker_new(const struct device_place *place)
{
    struct device_worker *worker = xcalloc(1, sizeof *worker);
    worker->place = *place;
    worker->place.sysfs_root = worker->sysfs_root = xstrdup(place->sysfs_root);
    worker->place.use.root = worker->root = xstrdup(place->use.root);
    worker->place.use.defined = worker->defined = xstrdup(place->use.defined);
    worker->place.use.running = worker->running = xstrdup(place->use.running);
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (worker->epoll < 0)
        abort();
    return worker;
}

/* Removes the socket from the epoll explicitly: closing does not remove it while a
 * child that was forked meanwhile has not closed its copy. */
static void clear_job(struct device_worker *worker, struct job *job)
{
    (void)epoll_ctl(worker->epoll, EPOLL_CTL_DEL, job->child.socket, NULL);
    close(job->child.socket);
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
    free(worker->defined);
    free(worker->running);
    free(worker);
}

void device_worker_set_view(struct device_worker *worker, const struct domains *view)
{
    worker->place.use.view = view;
}

/* ---- the child ---- */

struct task {
    const struct device_worker *worker;
    enum device_operation operation;
    const struct backend *backend;
    const struct device_spec *device;
};

struct answer {
    struct error error; /* code NONE: success */
    char address[DEVICE_ADDRESS_SIZE];
    bool existed;
};

static int set_parameters(const struct backend *backend,
                          const struct device_place *place,
                          const struct device_spec *device, struct error *err)
{
    if (backend->set_parameters)
        return backend->set_parameters(place, device, err);
    return error_set(err, ERROR_UNSUPPORTED,
                     "%s %s: devices of this kind have no "
                     "parameters",
                     backend->noun, device->address);
}

static void carry_out(const void *data, int socket)
{
    const struct task *task = data;
    const struct backend *backend = task->backend;
    const struct device_place *place = &task->worker->place;
    struct answer answer = {0};
    int rc = -1;
    switch (task->operation) {
    case DEVICE_CREATE:
        rc = backend->create(place, task->device, answer.address, &answer.existed,
                             &answer.error);
        break;
    case DEVICE_REMOVE:
        rc = backend->remove(place, task->device, &answer.error);
        break;
    case DEVICE_CLEAR:
        rc = backend->clear(place, task->device, &answer.error);
        break;
    case DEVICE_SET_PARAMETERS:
        rc = set_parameters(backend, place, task->device, &answer.error);
        break;
    }
    if (rc == 0)
        answer.error = (struct error){0};
    /* When this fails the agent has ended, and there is nobody to report the failure
     * to. */
    if (write(socket, &answer, sizeof answer) != (ssize_t)sizeof answer)
        _exit(1);
}

/* ---- starting ---- */

/* The name to show: the address if it is known. */
static const char *name_of(const char *address, const char *uuid)
{
    return *address ? address : uuid;
}

static const char *const operations[] = {
    [DEVICE_CREATE] = "creation",
    [DEVICE_REMOVE] = "removal",
    [DEVICE_CLEAR] = "clearing",
    [DEVICE_SET_PARAMETERS] = "change of the parameters",
};

/* BUSY when an operation on the device or a create on its card is under way. Other
 * operations block only their own device. */
static int check_free(const struct device_worker *worker,
                      const struct device_spec *device, struct error *err)
{
    for (size_t i = 0; i < worker->job_count; i++) {
        const struct job *job = &worker->jobs[i];
        if (strcmp(job->uuid, device->uuid) == 0 ||
            (*job->address && strcmp(job->address, device->address) == 0))
            return error_set(err, ERROR_BUSY,
                             "the %s of this device is still under way",
                             operations[job->operation]);
        if (job->operation == DEVICE_CREATE && strcmp(job->card, device->gpu) == 0)
            return error_set(
                err, ERROR_BUSY, "the creation of %s %s on %s is still under way",
                job->backend->noun, name_of(job->address, job->uuid), device->gpu);
    }
    if (worker->job_count >= MAX_UNDER_WAY)
        return error_set(err, ERROR_BUSY, "%d operations are under way already",
                         MAX_UNDER_WAY);
    return 0;
}

static struct job job_make(enum device_operation operation,
                           const struct backend *backend,
                           const struct device_spec *device)
{
    struct job job = {.operation = operation, .backend = backend};
    uuid_text_copy(job.uuid, device->uuid);
    text_copy_array(job.address, device->address);
    job.parent = xstrdup(device->parent);
    job.card = xstrdup(device->gpu);
    return job;
}

int device_worker_start(struct device_worker *worker, enum device_operation operation,
                        const struct backend *backend, const struct device_spec *device,
                        struct error *err)
{
    struct subprocess child;
    worker->place.agent = getpid();
    const struct task task = {worker, operation, backend, device};
    if (check_free(worker, device, err) != 0 ||
        subprocess_start(&child, "vgpu-device", carry_out, &task, err) != 0)
        return error_prefix(err, "%s %s on %s", backend->noun,
                            name_of(device->address, device->uuid), device->parent);
    /* This fails with ENOMEM at worst. Without it the result would never be seen, which
     * would be worse than an abort. */
    struct epoll_event event = {.events = EPOLLIN, .data.fd = child.socket};
    if (epoll_ctl(worker->epoll, EPOLL_CTL_ADD, child.socket, &event) != 0)
        abort();
    struct job *job = array_add(worker->jobs, worker->job_count);
    *job = job_make(operation, backend, device);
    job->child = child;
    return 0;
}

/* ---- ending ---- */

/* Reads the child's result. A child that ends without writing one was killed. */
static void read_result(const struct job *job, struct device_done *out)
{
    struct answer answer = {0};
    ssize_t n;
    do {
        n = read(job->child.socket, &answer, sizeof answer);
    } while (n < 0 && errno == EINTR);
    int signal = subprocess_wait(&job->child);
    out->error = answer.error;
    out->existed = answer.existed;
    memcpy(out->address, answer.address, sizeof out->address);
    if (n != (ssize_t)sizeof answer)
        (void)error_set(&out->error, ERROR_IO,
                        "%s %s: the child that worked on it ended early (signal %d)",
                        job->backend->noun, name_of(job->address, job->uuid), signal);
}

static struct job *job_of_socket(struct device_worker *worker, int fd)
{
    for (size_t i = 0; i < worker->job_count; i++)
        if (worker->jobs[i].child.socket == fd)
            return &worker->jobs[i];
    return NULL;
}

bool device_worker_take(struct device_worker *worker, unsigned timeout,
                        struct device_done *out)
{
    struct epoll_event event;
    /* A signal ends the wait early, and the caller checks for it. */
    if (!worker->job_count || epoll_wait(worker->epoll, &event, 1, (int)timeout) != 1)
        return false;
    struct job *job = job_of_socket(worker, event.data.fd);
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
    for (size_t i = 0; i < worker->job_count; i++) {
        const struct job *job = &worker->jobs[i];
        struct device device = {.leaving = job->operation != DEVICE_CREATE};
        text_copy_array(device.backend, job->backend->name);
        memcpy(device.address, job->address, sizeof device.address);
        memcpy(device.uuid, job->uuid, sizeof device.uuid);
        host_mark_in_transition(host, &device, job->parent);
    }
}
