#include "agent/libvirt/workers.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include "agent/libvirt/hypervisor.h"
#include "lib/xalloc.h"

enum stage { FREE, GIVEN, DONE };

struct worker {
    struct workers *workers;
    struct libvirt_link link; /* the thread's */
    enum stage stage;
    /* How often the thread was told to open its connection, and how many of these times
     * are over. While they differ it may wait for libvirt without end. */
    uint64_t connects, connected;
    struct settle_job job;
    struct settle_result result;
};

struct workers {
    int wake;
    pthread_mutex_t lock; /* for the stages, `connects` and `connected` */
    pthread_cond_t given;
    struct worker worker[WORKERS];
};

/* With the lock. */
static bool is_connecting(const struct worker *worker)
{
    return worker->connects != worker->connected;
}

/* ---- the threads ---- */

/* True: for a job; false: the connection is to be opened for the time `connects`. */
static bool wait_for_job(struct worker *worker, uint64_t *connects)
{
    struct workers *workers = worker->workers;
    pthread_mutex_lock(&workers->lock);
    while (worker->stage != GIVEN && !is_connecting(worker))
        pthread_cond_wait(&workers->given, &workers->lock);
    bool given = worker->stage == GIVEN;
    *connects = worker->connects;
    pthread_mutex_unlock(&workers->lock);
    return given;
}

/* Where that fails, the next job says so. */
static void connect_link(struct worker *worker, uint64_t connects)
{
    struct workers *workers = worker->workers;
    (void)libvirt_link_open(&worker->link, NULL);
    pthread_mutex_lock(&workers->lock);
    worker->connected = connects;
    pthread_mutex_unlock(&workers->lock);
    (void)eventfd_write(workers->wake, 1);
}

static void *work(void *data)
{
    struct worker *worker = data;
    struct workers *workers = worker->workers;
    for (;;) {
        uint64_t connects;
        if (!wait_for_job(worker, &connects)) {
            connect_link(worker, connects);
            continue;
        }
        settle(&libvirt_hypervisor, &worker->link, &worker->job, &worker->result);
        pthread_mutex_lock(&workers->lock);
        worker->stage = DONE;
        pthread_mutex_unlock(&workers->lock);
        (void)eventfd_write(workers->wake, 1);
    }
    return NULL;
}

/* ---- the main thread ---- */

static void set_stage(struct worker *worker, enum stage stage)
{
    struct workers *workers = worker->workers;
    pthread_mutex_lock(&workers->lock);
    worker->stage = stage;
    pthread_cond_broadcast(&workers->given);
    pthread_mutex_unlock(&workers->lock);
}

void workers_connect(struct workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    for (size_t i = 0; i < WORKERS; i++)
        workers->worker[i].connects++;
    pthread_cond_broadcast(&workers->given);
    pthread_mutex_unlock(&workers->lock);
}

/* All with the lock, as find() calls them. */
static bool is_free(const struct worker *worker)
{
    return worker->stage == FREE && !is_connecting(worker);
}

static bool is_at_work(const struct worker *worker)
{
    return worker->stage == GIVEN || is_connecting(worker);
}

static bool is_done(const struct worker *worker)
{
    return worker->stage == DONE;
}

/* The first one that is so; WORKERS: none is. */
static size_t find(struct workers *workers, bool (*is_so)(const struct worker *worker))
{
    size_t i = 0;
    pthread_mutex_lock(&workers->lock);
    while (i < WORKERS && !is_so(&workers->worker[i]))
        i++;
    pthread_mutex_unlock(&workers->lock);
    return i;
}

bool workers_have_room(struct workers *workers)
{
    return find(workers, is_free) < WORKERS;
}

bool workers_are_idle(struct workers *workers)
{
    return find(workers, is_at_work) == WORKERS;
}

void workers_give(struct workers *workers, struct settle_job *job)
{
    struct worker *worker = &workers->worker[find(workers, is_free)];
    worker->job = *job;
    worker->result = (struct settle_result){0};
    set_stage(worker, GIVEN);
}

bool workers_take(struct workers *workers, char domain[UUID_TEXT_SIZE],
                  struct settle_result *result)
{
    size_t i = find(workers, is_done);
    if (i == WORKERS)
        return false;
    struct worker *worker = &workers->worker[i];
    uuid_text_copy(domain, worker->job.domain);
    *result = worker->result;
    settle_job_clear(&worker->job);
    set_stage(worker, FREE);
    return true;
}

static int start(struct worker *worker, struct error *err)
{
    pthread_t thread;
    int rc = pthread_create(&thread, NULL, work, worker);
    if (rc != 0)
        return error_set_errno(err, rc, "cannot start a thread");
    (void)pthread_detach(thread);
    (void)pthread_setname_np(thread, "worker");
    return 0;
}

int workers_new(const char *uri, int wake, struct workers **out, struct error *err)
{
    struct workers *workers = xcalloc(1, sizeof *workers);
    workers->wake = wake;
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->given, NULL);
    *out = workers;
    for (size_t i = 0; i < WORKERS; i++) {
        workers->worker[i] = (struct worker){.workers = workers, .link.uri = uri};
        if (start(&workers->worker[i], err) != 0)
            return -1;
    }
    return 0;
}
