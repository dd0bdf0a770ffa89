/*
 * fake_libvirt: a library to be preloaded (LD_PRELOAD) into vgpu-agent-libvirt: those
 * functions of libvirt that it calls, answered by the test (support/libvirt.py) that
 * listens at the socket FAKE_LIBVIRT. So the test has the domains, chooses what fails,
 * how long a call takes and when an event comes, and sees each call. libvirt's own
 * event loop is used.
 *
 * Each connection of the program is one to the test: a call is a frame of fields, its
 * answer one that begins with "ok" or with "error", code, domain, message. Events come
 * over a second connection. A frame is its length in four bytes and fields that end
 * with a NUL.
 *
 * Threads: as with libvirt, any.
 */
#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIELDS 8
#define CALLBACKS 8

struct _virConnect {
    int socket;
    bool broken;
    pthread_mutex_t lock; /* one call at a time */
};

struct _virDomain {
    virConnectPtr connection;
    char uuid[VIR_UUID_STRING_BUFLEN], *name;
    int id;
};

struct frame {
    char *text;
    uint32_t length;
    const char *fields[FIELDS]; /* the first ones */
    size_t count;
};

/* ---- errors ---- */

static __thread virError last_error;
static __thread char last_message[1024];

static void set_error(int code, int domain, const char *message)
{
    (void)snprintf(last_message, sizeof last_message, "%s", message);
    last_error = (virError){.code = code,
                            .domain = domain,
                            .level = VIR_ERR_ERROR,
                            .message = last_message};
}

virErrorPtr virGetLastError(void)
{
    return last_error.code == VIR_ERR_OK ? NULL : &last_error;
}

virErrorPtr virSaveLastError(void)
{
    virErrorPtr copy = calloc(1, sizeof *copy);
    if (!copy)
        abort();
    *copy = last_error;
    copy->message = last_error.message ? strdup(last_error.message) : NULL;
    return copy;
}

void virFreeError(virErrorPtr error)
{
    if (error)
        free(error->message);
    free(error);
}

/* ---- frames ---- */

static int dial(void)
{
    const char *path = getenv("FAKE_LIBVIRT");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path ? path : "");
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool send_all(int fd, const void *data, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        data = (const char *)data + sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool send_frame(int fd, const char *const *fields)
{
    uint32_t length = 0;
    for (size_t i = 0; fields[i]; i++)
        length += (uint32_t)strlen(fields[i]) + 1;
    bool sent = send_all(fd, &length, sizeof length);
    for (size_t i = 0; fields[i] && sent; i++)
        sent = send_all(fd, fields[i], strlen(fields[i]) + 1);
    return sent;
}

static bool receive_frame(int fd, struct frame *frame)
{
    *frame = (struct frame){0};
    if (recv(fd, &frame->length, sizeof frame->length, MSG_WAITALL) !=
        sizeof frame->length)
        return false;
    frame->text = calloc(1, frame->length + 1);
    if (!frame->text ||
        recv(fd, frame->text, frame->length, MSG_WAITALL) != (ssize_t)frame->length) {
        free(frame->text);
        return false;
    }
    for (size_t at = 0; at < frame->length && frame->count < FIELDS;
         at += strlen(frame->text + at) + 1)
        frame->fields[frame->count++] = frame->text + at;
    return true;
}

/* True: the answer is "ok", and frame->text is to be freed. */
static bool call(virConnectPtr connection, const char *const *fields,
                 struct frame *frame)
{
    pthread_mutex_lock(&connection->lock);
    bool answered = !connection->broken && send_frame(connection->socket, fields) &&
                    receive_frame(connection->socket, frame);
    connection->broken |= !answered;
    pthread_mutex_unlock(&connection->lock);
    if (!answered) {
        set_error(VIR_ERR_INTERNAL_ERROR, VIR_FROM_RPC,
                  "internal error: client socket is closed");
        return false;
    }
    if (strcmp(frame->fields[0], "ok") == 0)
        return true;
    set_error(atoi(frame->fields[1]), atoi(frame->fields[2]), frame->fields[3]);
    free(frame->text);
    return false;
}

#define FIELDS_OF(...) ((const char *const[]){__func__, __VA_ARGS__, NULL})

/* A call whose answer is a number. */
static int call_number(virConnectPtr connection, const char *const *fields)
{
    struct frame frame;
    if (!call(connection, fields, &frame))
        return -1;
    int number = frame.count > 1 ? atoi(frame.fields[1]) : 0;
    free(frame.text);
    return number;
}

/* ---- connections ---- */

virConnectPtr virConnectOpen(const char *uri)
{
    struct frame frame;
    virConnectPtr connection = calloc(1, sizeof *connection);
    if (!connection)
        abort();
    pthread_mutex_init(&connection->lock, NULL);
    connection->socket = dial();
    if (connection->socket < 0) {
        set_error(VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC,
                  "Failed to connect socket to '/var/run/libvirt/libvirt-sock': "
                  "Connection refused");
    } else if (call(connection, FIELDS_OF(uri), &frame)) {
        free(frame.text);
        return connection;
    }
    if (connection->socket >= 0)
        close(connection->socket);
    free(connection);
    return NULL;
}

int virConnectClose(virConnectPtr connection)
{
    close(connection->socket);
    pthread_mutex_destroy(&connection->lock);
    free(connection);
    return 0;
}

int virConnectSetKeepAlive(virConnectPtr connection, int interval, unsigned int count)
{
    char seconds[16], times[16];
    (void)snprintf(seconds, sizeof seconds, "%d", interval);
    (void)snprintf(times, sizeof times, "%u", count);
    return call_number(connection, FIELDS_OF(seconds, times));
}

/* libvirt's event loop sees the end of an idle connection, too. */
int virConnectIsAlive(virConnectPtr connection)
{
    char byte;
    last_error = (virError){0};
    return !connection->broken &&
           recv(connection->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
}

/* ---- events: of one connection at a time ---- */

struct callback {
    int kind;
    virConnectDomainEventGenericCallback function;
    void *data;
};

static pthread_mutex_t events_lock = PTHREAD_MUTEX_INITIALIZER; /* for what follows */
static virConnectPtr events_of;
static int events_socket = -1, events_watch = -1;
static struct callback callbacks[CALLBACKS];
static virConnectCloseFunc on_close;
static void *on_close_data;

/* libvirt's own, which the program is linked with and others that are preloaded are
 * not. */
static int add_handle(int fd, virEventHandleCallback callback)
{
    __typeof__(&virEventAddHandle) add;
    *(void **)&add = dlsym(RTLD_DEFAULT, "virEventAddHandle");
    return add ? add(fd, VIR_EVENT_HANDLE_READABLE, callback, NULL, NULL) : -1;
}

static void remove_handle(int watch)
{
    __typeof__(&virEventRemoveHandle) remove;
    *(void **)&remove = dlsym(RTLD_DEFAULT, "virEventRemoveHandle");
    if (remove)
        (void)remove(watch);
}

static void stop_events(void)
{
    if (events_watch >= 0)
        remove_handle(events_watch);
    if (events_socket >= 0)
        close(events_socket);
    events_watch = events_socket = -1;
}

static void tell_closed(int reason)
{
    pthread_mutex_lock(&events_lock);
    stop_events();
    virConnectCloseFunc function = on_close;
    virConnectPtr connection = events_of;
    void *data = on_close_data;
    pthread_mutex_unlock(&events_lock);
    if (function)
        function(connection, reason, data);
}

static void tell_event(const struct frame *frame)
{
    int kind = atoi(frame->fields[1]);
    struct _virDomain domain = {.connection = events_of, .id = -1};
    domain.name = (char *)frame->fields[3];
    (void)snprintf(domain.uuid, sizeof domain.uuid, "%s", frame->fields[2]);
    for (size_t i = 0; i < CALLBACKS; i++) {
        pthread_mutex_lock(&events_lock);
        struct callback callback = callbacks[i];
        pthread_mutex_unlock(&events_lock);
        if (!callback.function || callback.kind != kind)
            continue;
        virConnectDomainEventCallback lifecycle;
        virConnectDomainEventDeviceAddedCallback device;
        *(void **)&lifecycle = *(void **)&device = (void *)callback.function;
        if (kind == VIR_DOMAIN_EVENT_ID_LIFECYCLE)
            (void)lifecycle(events_of, &domain, atoi(frame->fields[4]),
                            atoi(frame->fields[5]), callback.data);
        else
            device(events_of, &domain, frame->fields[4], callback.data);
    }
}

static void on_events(int watch, int fd, int events, void *data)
{
    struct frame frame;
    (void)watch, (void)events, (void)data;
    if (!receive_frame(fd, &frame)) {
        tell_closed(VIR_CONNECT_CLOSE_REASON_EOF);
        return;
    }
    if (strcmp(frame.fields[0], "close") == 0)
        tell_closed(atoi(frame.fields[1]));
    else
        tell_event(&frame);
    free(frame.text);
}

int virConnectRegisterCloseCallback(virConnectPtr connection,
                                    virConnectCloseFunc function, void *data,
                                    virFreeCallback free_data)
{
    (void)free_data;
    pthread_mutex_lock(&events_lock);
    on_close = function;
    on_close_data = data;
    events_of = connection;
    pthread_mutex_unlock(&events_lock);
    return 0;
}

int virConnectUnregisterCloseCallback(virConnectPtr connection,
                                      virConnectCloseFunc function)
{
    (void)connection, (void)function;
    pthread_mutex_lock(&events_lock);
    on_close = NULL;
    stop_events();
    pthread_mutex_unlock(&events_lock);
    return 0;
}

/* Has the lock. */
static bool start_events(virConnectPtr connection)
{
    if (events_socket >= 0)
        return true;
    struct frame frame;
    struct _virConnect other = {.socket = dial()};
    pthread_mutex_init(&other.lock, NULL);
    if (other.socket < 0 ||
        !call(&other, (const char *const[]){"events", NULL}, &frame))
        return false;
    free(frame.text);
    events_socket = other.socket;
    events_watch = add_handle(other.socket, on_events);
    events_of = connection;
    return events_watch >= 0;
}

int virConnectDomainEventRegisterAny(virConnectPtr connection, virDomainPtr domain,
                                     int kind,
                                     virConnectDomainEventGenericCallback function,
                                     void *data, virFreeCallback free_data)
{
    (void)domain, (void)free_data;
    char number[16];
    (void)snprintf(number, sizeof number, "%d", kind);
    if (call_number(connection, FIELDS_OF(number)) != 0)
        return -1;
    int id = -1;
    pthread_mutex_lock(&events_lock);
    for (int i = 0; i < CALLBACKS && id < 0; i++)
        if (!callbacks[i].function)
            id = i;
    if (id >= 0 && start_events(connection))
        callbacks[id] = (struct callback){kind, function, data};
    else
        id = -1;
    pthread_mutex_unlock(&events_lock);
    return id;
}

int virConnectDomainEventDeregisterAny(virConnectPtr connection, int id)
{
    (void)connection;
    pthread_mutex_lock(&events_lock);
    callbacks[id] = (struct callback){0};
    pthread_mutex_unlock(&events_lock);
    return 0;
}

/* ---- domains ---- */

/* Fields: uuid, name, id. */
static virDomainPtr new_domain(virConnectPtr connection, const char *const *fields)
{
    virDomainPtr domain = calloc(1, sizeof *domain);
    if (!domain)
        abort();
    domain->connection = connection;
    (void)snprintf(domain->uuid, sizeof domain->uuid, "%s", fields[0]);
    domain->name = strdup(fields[1]);
    domain->id = atoi(fields[2]);
    return domain;
}

int virDomainFree(virDomainPtr domain)
{
    free(domain->name);
    free(domain);
    return 0;
}

virDomainPtr virDomainLookupByUUIDString(virConnectPtr connection, const char *uuid)
{
    struct frame frame;
    if (!call(connection, FIELDS_OF(uuid), &frame))
        return NULL;
    virDomainPtr domain = new_domain(connection, frame.fields + 1);
    free(frame.text);
    return domain;
}

/* All in one field, "uuid uuid". */
int virConnectListAllDomains(virConnectPtr connection, virDomainPtr **domains,
                             unsigned int flags)
{
    struct frame frame;
    char number[16], *rest = NULL;
    (void)snprintf(number, sizeof number, "%u", flags);
    if (!call(connection, FIELDS_OF(number), &frame))
        return -1;
    int count = 0;
    virDomainPtr *all = calloc(frame.length + 1, sizeof(virDomainPtr));
    if (!all)
        abort();
    for (char *uuid = strtok_r((char *)frame.fields[1], " ", &rest); uuid;
         uuid = strtok_r(NULL, " ", &rest))
        all[count++] = new_domain(connection, (const char *const[]){uuid, "", "-1"});
    free(frame.text);
    *domains = all;
    return count;
}

const char *virDomainGetName(virDomainPtr domain)
{
    return domain->name;
}

unsigned int virDomainGetID(virDomainPtr domain)
{
    return (unsigned)domain->id;
}

int virDomainGetUUIDString(virDomainPtr domain, char *text)
{
    memcpy(text, domain->uuid, VIR_UUID_STRING_BUFLEN);
    return 0;
}

char *virDomainGetXMLDesc(virDomainPtr domain, unsigned int flags)
{
    struct frame frame;
    char number[16];
    (void)snprintf(number, sizeof number, "%u", flags);
    if (!call(domain->connection, FIELDS_OF(domain->uuid, number), &frame))
        return NULL;
    char *xml = strdup(frame.fields[1]);
    free(frame.text);
    return xml;
}

int virDomainIsPersistent(virDomainPtr domain)
{
    return call_number(domain->connection, FIELDS_OF(domain->uuid));
}

int virDomainAttachDeviceFlags(virDomainPtr domain, const char *xml, unsigned int flags)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%u", flags);
    return call_number(domain->connection, FIELDS_OF(domain->uuid, xml, number));
}

int virDomainDetachDeviceFlags(virDomainPtr domain, const char *xml, unsigned int flags)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%u", flags);
    return call_number(domain->connection, FIELDS_OF(domain->uuid, xml, number));
}
