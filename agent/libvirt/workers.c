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
    bool connects; /* the thread is to open its connection */
    struct settle_job job;
    struct settle_result result;
};

struct workers {
    int wake;
    pthread_mutex_t lock; /* for the stages and `connects` */
    pthread_cond_t given;
    struct worker worker[WORKERS];
};

/* ---- the threads ---- */

/* True: for a job; false: the connection is to be opened. */
static bool wait_for_job(struct worker *worker)
{
    struct workers *workers = worker->workers;
    pthread_mutex_lock(&workers->lock);
    while (worker->stage != GIVEN && !worker->connects)
        pthread_cond_wait(&workers->given, &workers->lock);
    bool given = worker->stage == GIVEN;
    worker->connects = false;
    pthread_mutex_unlock(&workers->lock);
    return given;
}

static void *work(void *data)
{
    struct worker *worker = data;
    struct workers *workers = worker->workers;
    for (;;) {
        if (!wait_for_job(worker)) {
            /* Where that fails, the next job says so. */
            (void)libvirt_link_open(&worker->link, NULL);
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

static enum stage stage_of(const struct worker *worker)
{
    struct workers *workers = worker->workers;
    pthread_mutex_lock(&workers->lock);
    enum stage stage = worker->stage;
    pthread_mutex_unlock(&workers->lock);
    return stage;
}

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
        workers->worker[i].connects = true;
    pthread_cond_broadcast(&workers->given);
    pthread_mutex_unlock(&workers->lock);
}

static size_t find(const struct workers *workers, enum stage stage)
{
    size_t i = 0;
    while (i < WORKERS && stage_of(&workers->worker[i]) != stage)
        i++;
    return i;
}

bool workers_have_room(const struct workers *workers)
{
    return find(workers, FREE) < WORKERS;
}

bool workers_are_idle(const struct workers *workers)
{
    return find(workers, GIVEN) == WORKERS;
}

void workers_give(struct workers *workers, struct settle_job *job)
{
    struct worker *worker = &workers->worker[find(workers, FREE)];
    worker->job = *job;
    worker->result = (struct settle_result){0};
    set_stage(worker, GIVEN);
}

bool workers_take(struct workers *workers, char domain[UUID_TEXT_SIZE],
                  struct settle_result *result)
{
    size_t i = find(workers, DONE);
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
