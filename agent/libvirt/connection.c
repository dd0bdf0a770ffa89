#include "agent/libvirt/connection.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include "agent/libvirt/events.h"
#include "agent/libvirt/failure.h"
#include "agent/libvirt/hypervisor.h"
#include "lib/clock.h"
#include "lib/xalloc.h"

/* Milliseconds. */
#define FIRST_PAUSE 1000
#define LONGEST_PAUSE 30000
#define SLOW 5000 /* so long libvirt may take to answer before that is said */

enum phase {
    OPENING, /* the thread opens */
    UP,
    CLOSING, /* the thread closes what was lost */
    WAITING, /* until `next` */
};

struct early_event {
    char domain[UUID_TEXT_SIZE];
    enum occasion occasion;
};

struct connection {
    const char *uri;
    int wake;
    struct connection_user user;
    struct events_user events;

    /* The main thread's. */
    enum phase phase;
    int64_t next, pause;
    bool said_slow;
    struct early_event *early; /* events of a connection that is not up yet */
    size_t early_count;

    /* The thread's, while it is at work. */
    int ids[EVENT_KINDS];

    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t work;
    bool at_work;             /* the thread is to do, or does, what `phase` says */
    bool done;                /* it has done that: the results are there */
    virConnectPtr connection; /* events of any other are old */
    struct strlist domains;
    struct error error; /* code NONE: it was opened */
    int lost;           /* what the close callback was given; -1: nothing */
};

/* ---- the thread ---- */

static void tell_main(struct connection *connection)
{
    (void)eventfd_write(connection->wake, 1);
}

/* libvirt's: from any thread. */
static void on_close(virConnectPtr closed, int reason, void *data)
{
    struct connection *connection = data;
    pthread_mutex_lock(&connection->lock);
    if (connection->connection == closed)
        connection->lost = reason;
    pthread_mutex_unlock(&connection->lock);
    tell_main(connection);
}

static void set_connection(struct connection *connection, virConnectPtr opened)
{
    pthread_mutex_lock(&connection->lock);
    connection->connection = opened;
    connection->lost = -1;
    pthread_mutex_unlock(&connection->lock);
}

static int watch_it(struct connection *connection, virConnectPtr opened,
                    struct error *err)
{
    if (virConnectRegisterCloseCallback(opened, on_close, connection, NULL) == 0 &&
        events_register(opened, &connection->events, connection->ids) == 0)
        return 0;
    (void)libvirt_failure(virGetLastError(), false, NULL, err);
    return error_prefix(err, "cannot watch %s", connection->uri);
}

/* Registers before it lists: whatever happens afterwards is seen. */
static int open_and_list(struct connection *connection, struct strlist *domains,
                         struct error *err)
{
    enum hypervisor_failure failure;
    virConnectPtr opened = libvirt_open(connection->uri, err);
    if (!opened)
        return -1;
    for (size_t i = 0; i < EVENT_KINDS; i++)
        connection->ids[i] = -1;
    set_connection(connection, opened);
    if (watch_it(connection, opened, err) != 0)
        return -1;
    if (libvirt_list(opened, domains, &failure, err) != 0)
        return error_prefix(err, "cannot list the domains of %s", connection->uri);
    return 0;
}

static void close_it(struct connection *connection)
{
    pthread_mutex_lock(&connection->lock);
    virConnectPtr opened = connection->connection;
    connection->connection = NULL;
    pthread_mutex_unlock(&connection->lock);
    if (!opened)
        return;
    events_unregister(opened, connection->ids);
    (void)virConnectUnregisterCloseCallback(opened, on_close);
    (void)virConnectClose(opened);
}

static void do_phase(struct connection *connection, enum phase phase)
{
    struct strlist domains = {0};
    struct error error = {0};
    if (phase == OPENING && open_and_list(connection, &domains, &error) != 0) {
        close_it(connection);
        strlist_clear(&domains);
    }
    if (phase == CLOSING)
        close_it(connection);
    pthread_mutex_lock(&connection->lock);
    strlist_clear(&connection->domains);
    connection->domains = domains;
    connection->error = error;
    connection->at_work = false;
    connection->done = true;
    pthread_mutex_unlock(&connection->lock);
    tell_main(connection);
}

static void *work(void *data)
{
    struct connection *connection = data;
    for (;;) {
        pthread_mutex_lock(&connection->lock);
        while (!connection->at_work)
            pthread_cond_wait(&connection->work, &connection->lock);
        enum phase phase = connection->phase;
        pthread_mutex_unlock(&connection->lock);
        do_phase(connection, phase);
    }
    return NULL;
}

/* ---- the main thread ---- */

static void keep_early(struct connection *connection, const char *domain,
                       enum occasion occasion)
{
    struct early_event *event = array_add(connection->early, connection->early_count);
    uuid_text_copy(event->domain, domain);
    event->occasion = occasion;
}

static void on_event(void *data, virConnectPtr from, const char *domain,
                     enum occasion occasion)
{
    struct connection *connection = data;
    pthread_mutex_lock(&connection->lock);
    bool current = connection->connection == from;
    pthread_mutex_unlock(&connection->lock);
    if (!current)
        return;
    if (connection->phase == UP)
        connection->user.event(connection->user.data, domain, occasion);
    else if (connection->phase == OPENING)
        keep_early(connection, domain, occasion);
}

static void start_work(struct connection *connection, enum phase phase, int64_t now)
{
    pthread_mutex_lock(&connection->lock);
    connection->phase = phase;
    connection->at_work = true;
    connection->done = false;
    pthread_cond_signal(&connection->work);
    pthread_mutex_unlock(&connection->lock);
    connection->said_slow = false;
    connection->next = now + SLOW;
    connection->early_count = 0;
}

static void say_down(struct connection *connection, const struct error *reason)
{
    connection->user.down(connection->user.data, reason);
}

static void say_lost(struct connection *connection, int reason)
{
    static const char *const reasons[] = {
        [VIR_CONNECT_CLOSE_REASON_ERROR] = "the connection failed",
        [VIR_CONNECT_CLOSE_REASON_EOF] = "it has ended, or closed the connection",
        [VIR_CONNECT_CLOSE_REASON_KEEPALIVE] = "it does not answer any more",
        [VIR_CONNECT_CLOSE_REASON_CLIENT] = "the connection was closed here",
    };
    struct error error;
    bool known = reason >= 0 && (size_t)reason < sizeof reasons / sizeof *reasons;
    (void)error_set(&error, ERROR_UNREACHABLE, "libvirt (%s): %s", connection->uri,
                    known ? reasons[reason] : "the connection was lost");
    say_down(connection, &error);
}

static void begin_to_wait(struct connection *connection, int64_t now)
{
    connection->phase = WAITING;
    connection->next = now + connection->pause;
    connection->pause *= 2;
    if (connection->pause > LONGEST_PAUSE)
        connection->pause = LONGEST_PAUSE;
}

static void come_up(struct connection *connection)
{
    pthread_mutex_lock(&connection->lock);
    struct strlist domains = connection->domains;
    connection->domains = (struct strlist){0};
    pthread_mutex_unlock(&connection->lock);
    connection->phase = UP;
    connection->pause = FIRST_PAUSE;
    connection->user.up(connection->user.data, &domains);
    strlist_clear(&domains);
    for (size_t i = 0; i < connection->early_count; i++)
        connection->user.event(connection->user.data, connection->early[i].domain,
                               connection->early[i].occasion);
    connection->early_count = 0;
}

static void end_work(struct connection *connection, const struct error *error,
                     int64_t now)
{
    if (connection->phase == CLOSING) {
        begin_to_wait(connection, now);
    } else if (error->code != ERROR_NONE) {
        say_down(connection, error);
        begin_to_wait(connection, now);
    } else {
        come_up(connection);
    }
}

static void say_slow(struct connection *connection)
{
    struct error error;
    (void)error_set(&error, ERROR_TIMEOUT,
                    "libvirt (%s) accepts the connection and does not answer",
                    connection->uri);
    connection->said_slow = true;
    say_down(connection, &error);
}

void connection_turn(struct connection *connection, int64_t now)
{
    pthread_mutex_lock(&connection->lock);
    bool at_work = connection->at_work, done = connection->done;
    int lost = connection->lost;
    struct error error = connection->error;
    connection->done = false;
    pthread_mutex_unlock(&connection->lock);
    if (done)
        end_work(connection, &error, now);
    if (connection->phase == UP && lost >= 0) {
        say_lost(connection, lost);
        start_work(connection, CLOSING, now);
    } else if (connection->phase == WAITING && now >= connection->next) {
        start_work(connection, OPENING, now);
    } else if (connection->phase == OPENING && at_work && !connection->said_slow &&
               now >= connection->next) {
        say_slow(connection);
    }
}

int64_t connection_wake_at(const struct connection *connection)
{
    bool slow = connection->phase == OPENING && !connection->said_slow;
    return connection->phase == WAITING || slow ? connection->next : -1;
}

bool connection_is_busy(const struct connection *connection)
{
    return connection->phase == OPENING || connection->phase == CLOSING;
}

int connection_new(const char *uri, int wake, const struct connection_user *user,
                   struct connection **out, struct error *err)
{
    struct connection *connection = xcalloc(1, sizeof *connection);
    *connection = (struct connection){
        .uri = uri, .wake = wake, .user = *user, .pause = FIRST_PAUSE, .lost = -1};
    connection->events = (struct events_user){on_event, connection};
    pthread_mutex_init(&connection->lock, NULL);
    pthread_cond_init(&connection->work, NULL);
    pthread_t thread;
    int rc = pthread_create(&thread, NULL, work, connection);
    if (rc != 0) {
        free(connection);
        return error_set_errno(err, rc, "cannot start a thread");
    }
    (void)pthread_detach(thread);
    (void)pthread_setname_np(thread, "connection");
    start_work(connection, OPENING, clock_monotonic_ms());
    *out = connection;
    return 0;
}
