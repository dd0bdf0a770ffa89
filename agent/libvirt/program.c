#include "agent/libvirt/program.h"

#include <errno.h>
#include <limits.h>
#include <sys/eventfd.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "agent/attach/message.h"
#include "agent/attach/watcher.h"
#include "agent/libvirt/connection.h"
#include "agent/libvirt/outbox.h"
#include "agent/libvirt/workers.h"
#include "lib/clock.h"
#include "lib/line_reader.h"
#include "lib/log.h"
#include "lib/xalloc.h"

/* A table of ten thousand devices is 5 MB. */
#define LINE_MAX_BYTES ((size_t)32 * 1024 * 1024)

struct program {
    int socket, wake;
    int socket_watch, timer;
    struct line_reader reader;
    struct outbox *outbox;
    struct watcher *watcher;
    struct workers *workers;
    struct connection *connection;
    /* What the daemon was last told. */
    uint64_t told_serial;
    struct strlist told_busy;
    bool ended, failed;
    struct error error; /* where it failed */
};

static void fail(struct program *program, const struct error *error)
{
    if (!program->failed)
        program->error = *error;
    program->ended = program->failed = true;
}

/* A daemon that has gone is the usual end, whether it is met by reading or writing. */
static void end_or_fail(struct program *program, const struct error *error)
{
    if (error->errnum == EPIPE || error->errnum == ECONNRESET)
        program->ended = true;
    else
        fail(program, error);
}

/* ---- to the daemon ---- */

static void send_message(struct program *program, const struct message *message)
{
    _cleanup_free_ char *line = message_encode(message);
    outbox_send(program->outbox, line);
}

static void send_connection(struct program *program, bool up, const char *reason)
{
    _cleanup_message_ struct message message = {.kind = MESSAGE_CONNECTION, .up = up};
    message.reason = reason ? xstrdup(reason) : NULL;
    send_message(program, &message);
}

static void send_news(struct program *program, const struct watcher_news *news,
                      int64_t now)
{
    static const enum message_kind kinds[] = {
        [NEWS_ASK] = MESSAGE_ASK,           [NEWS_DOUBT] = MESSAGE_DOUBT,
        [NEWS_EARLY_DOUBT] = MESSAGE_DOUBT, [NEWS_GUEST] = MESSAGE_GUEST,
        [NEWS_GONE] = MESSAGE_GONE,         [NEWS_STATE] = MESSAGE_STATE,
        [NEWS_ALL] = MESSAGE_ALL,
    };
    /* All of it is borrowed. */
    struct message message = {.kind = kinds[news->kind],
                              .state = news->state,
                              .number = news->number,
                              .life = news->life};
    uuid_text_copy(message.domain, news->domain);
    if (news->kind == NEWS_GUEST)
        message.guest = *news->guest;
    if (news->kind == NEWS_STATE) {
        message.reason = (char *)news->reason;
        message.age = now - news->since;
        message.took = news->took;
    }
    send_message(program, &message);
}

/* After the news: what a device has been attached to is known before it is said that no
 * call is under way that could attach it. */
static void send_holding(struct program *program)
{
    _cleanup_message_ struct message message = {.kind = MESSAGE_HOLDING};
    watcher_holding(program->watcher, &message.serial, &message.addresses);
    if (message.serial == program->told_serial &&
        strlist_equal(&message.addresses, &program->told_busy))
        return;
    send_message(program, &message);
    strlist_clear(&program->told_busy);
    program->told_serial = message.serial;
    program->told_busy = strlist_copy(&message.addresses);
}

/* ---- from the daemon ---- */

static void take_line(struct program *program, const char *line, size_t length)
{
    _cleanup_message_ struct message message = {0};
    struct error err;
    if (message_decode(line, length, &message, &err) != 0) {
        (void)error_prefix(&err, "what the daemon sends makes no sense");
        fail(program, &err);
    } else if (message.kind == MESSAGE_WANTED) {
        watcher_take_table(program->watcher, &message.table, clock_monotonic_ms());
    } else if (message.kind == MESSAGE_SURE) {
        watcher_sure(program->watcher, message.domain, message.number, message.lasts,
                     clock_monotonic_ms());
    } else {
        (void)error_set(&err, ERROR_PROTOCOL,
                        "what the daemon sends makes no sense: only `wanted` and "
                        "`sure` go this way");
        fail(program, &err);
    }
}

static void on_socket(int watch, int fd, int events, void *data)
{
    struct program *program = data;
    struct error err;
    const char *line;
    size_t length;
    (void)watch;
    /* Room to write alone is for the next flush. */
    if ((events & ~VIR_EVENT_HANDLE_WRITABLE) == 0)
        return;
    if (line_reader_fill(&program->reader, fd, &err) != 0) {
        (void)error_prefix(&err, "the daemon's socket");
        fail(program, &err);
        return;
    }
    while (!program->ended &&
           (line = line_reader_next(&program->reader, &length)) != NULL)
        take_line(program, line, length);
    program->ended |= program->reader.ended;
}

/* ---- from libvirt ---- */

static void on_up(void *data, const struct strlist *domains)
{
    struct program *program = data;
    log_info("libvirt", "connected; domains=%zu", domains->count);
    send_connection(program, true, NULL);
    workers_connect(program->workers);
    watcher_connected(program->watcher, domains, clock_monotonic_ms());
}

static void on_down(void *data, const struct error *reason)
{
    struct program *program = data;
    log_warning("libvirt", "no connection: %s", reason->text);
    watcher_disconnected(program->watcher);
    send_connection(program, false, reason->text);
}

static void on_event(void *data, const char *domain, enum occasion occasion)
{
    struct program *program = data;
    watcher_event(program->watcher, domain, occasion, clock_monotonic_ms());
}

/* ---- the loop ---- */

static void on_wake(int watch, int fd, int events, void *data)
{
    eventfd_t count;
    (void)watch, (void)events, (void)data;
    (void)eventfd_read(fd, &count);
}

static void on_timer(int timer, void *data)
{
    (void)timer, (void)data;
}

static void take_results(struct program *program, int64_t now)
{
    char domain[UUID_TEXT_SIZE];
    struct settle_result result;
    while (workers_take(program->workers, domain, &result)) {
        if (result.busy)
            log_info("libvirt", "a guest is busy, and is tried again consumer=%s: %s",
                     domain, result.reason.text);
        watcher_done(program->watcher, domain, &result, now);
    }
}

static void give_jobs(struct program *program, int64_t now)
{
    struct settle_job job;
    while (workers_have_room(program->workers) &&
           watcher_next_job(program->watcher, now, &job))
        workers_give(program->workers, &job);
}

/* Until the next turn in milliseconds, as libvirt's loop has it; -1: no end. */
static int time_left(const struct program *program, int64_t now)
{
    int64_t ends[] = {
        connection_wake_at(program->connection),
        /* Where nobody is free, the end of a job is to be waited for. */
        workers_have_room(program->workers) ? watcher_wake_at(program->watcher) : -1,
        watcher_news_at(program->watcher),
    };
    int64_t left = -1;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends[i] >= 0 && (left < 0 || ends[i] - now < left))
            left = ends[i] > now ? ends[i] - now : 1;
    return left > INT_MAX ? INT_MAX : (int)left;
}

static void flush(struct program *program)
{
    struct error err;
    if (outbox_flush(program->outbox, &err) != 0)
        end_or_fail(program, &err);
    virEventUpdateHandle(
        program->socket_watch,
        VIR_EVENT_HANDLE_READABLE |
            (outbox_has_rest(program->outbox) ? VIR_EVENT_HANDLE_WRITABLE : 0));
}

static void take_turn(struct program *program)
{
    struct watcher_news news;
    take_results(program, clock_monotonic_ms());
    connection_turn(program->connection, clock_monotonic_ms());
    /* Not before: a state that is told may have begun during the turn. */
    int64_t now = clock_monotonic_ms();
    give_jobs(program, now);
    while (watcher_next_news(program->watcher, now, &news))
        send_news(program, &news, now);
    send_holding(program);
    flush(program);
    virEventUpdateTimeout(program->timer, time_left(program, clock_monotonic_ms()));
}

static int last_error(struct error *err)
{
    return error_set(err, ERROR_IO, "libvirt's event loop: %s",
                     virGetLastErrorMessage());
}

static int join_loop(struct program *program, struct error *err)
{
    program->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (program->wake < 0)
        return error_set_errno(err, errno, "eventfd");
    if (virEventRegisterDefaultImpl() != 0)
        return last_error(err);
    program->timer = virEventAddTimeout(-1, on_timer, program, NULL);
    program->socket_watch = virEventAddHandle(
        program->socket, VIR_EVENT_HANDLE_READABLE, on_socket, program, NULL);
    int wake = virEventAddHandle(program->wake, VIR_EVENT_HANDLE_READABLE, on_wake,
                                 program, NULL);
    return program->timer < 0 || program->socket_watch < 0 || wake < 0 ? last_error(err)
                                                                       : 0;
}

/* libvirt writes each error to standard error unless it is told not to. */
static void say_nothing(void *data, virErrorPtr error)
{
    (void)data, (void)error;
}

static int start(struct program *program, const char *uri, struct error *err)
{
    struct connection_user user = {on_up, on_down, on_event, program};
    virSetErrorFunc(NULL, say_nothing);
    program->reader.max = LINE_MAX_BYTES;
    program->watcher = watcher_new();
    if (join_loop(program, err) != 0)
        return -1;
    program->outbox = outbox_new(program->socket, program->wake);
    if (workers_new(uri, program->wake, &program->workers, err) != 0)
        return -1;
    return connection_new(uri, program->wake, &user, &program->connection, err);
}

int program_run(const char *uri, int socket, bool *hangs, struct error *err)
{
    /* Its threads use it as long as the process lives. */
    static struct program program;
    program = (struct program){.socket = socket};
    *hangs = true;
    if (start(&program, uri, err) != 0)
        return -1;
    while (!program.ended) {
        take_turn(&program);
        if (virEventRunDefaultImpl() != 0)
            return last_error(err);
    }
    *hangs =
        connection_is_busy(program.connection) || !workers_are_idle(program.workers);
    if (program.failed)
        *err = program.error;
    return program.failed ? -1 : 0;
}
