/*
 * bench_cloud_requests: the requests of many hosts' agents, in their own time, sent to
 * a server on loopback that has their roots (tests/bench/load.py: node0, node1, ...).
 * Each host has eight GPUs and a connection that it keeps, from an address of its own.
 *
 *     bench_cloud_requests PORT HOSTS start|wave|run INTERVAL SECONDS
 *
 * start: all begin in one moment; who has GPUs that the server has not reports them;
 * until each has had a good cycle, but SECONDS at most. wave: all have begun long ago,
 * and now have a new driver, until each has told it. run: all have begun long ago, for
 * so many seconds. INTERVAL is [agent] sync_interval.
 *
 * Prints one line of numbers: seconds, requests, the most in one second, milliseconds
 * of half of the requests, of 99 in a hundred and of the slowest, failed requests,
 * refused ones (another status than 503, or a write), hosts without a good cycle at the
 * end, and the second after which no host had failed.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/buffer.h"
#include "lib/clock.h"
#include "lib/xalloc.h"
#include "tests/bench/cloud_script.h"

/* The agent's own: placement/client/http.c. */
#define TIMEOUT (30 * SECOND)
#define CONNECT_TIMEOUT (10 * SECOND)
#define LONGEST 3600 /* seconds */

struct client {
    int fd; /* -1: none */
    bool waiting, connected, kept;
    uint64_t sent;
    size_t head_size, left; /* of the reply: the head so far, then bytes of the body */
    bool in_body, closes;
    int status;
    unsigned retry_after; /* seconds */
    char head[1024];
    struct buffer body; /* where the script reads it */
    struct script script;
};

struct load {
    struct cloud cloud;
    struct client *clients;
    int epoll_fd, port;
    bool until_all;
    uint64_t begun;
    unsigned per_second[LONGEST];
    float *milliseconds;
    size_t answered, room, failed, refused;
    uint64_t well_at; /* when the last host that had failed was well again */
};

static uint64_t now_of(const struct load *load)
{
    return (uint64_t)clock_monotonic_ns() / 1000 - load->begun;
}

static size_t index_of(const struct load *load, const struct cloud_host *host)
{
    return (size_t)(host - load->cloud.hosts);
}

/* ---- the connection ---- */

static void hang_up(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    client->connected = client->kept = false;
}

static void fail(struct load *load, struct cloud_host *host, unsigned retry_after)
{
    struct client *client = &load->clients[index_of(load, host)];
    bool writes = script_writes(host);
    load->failed++;
    client->waiting = false;
    hang_up(client);
    if (writes)
        cloud_refused(&load->cloud, host, now_of(load));
    else
        cloud_failed(&load->cloud, host, now_of(load), retry_after);
}

static int connect_from(const struct load *load, size_t node)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)load->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(0x7f010001u + (uint32_t)node)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        err(1, "socket");
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0)
        err(1, "bind");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool transmit(struct load *load, struct cloud_host *host)
{
    size_t node = index_of(load, host);
    char text[1024];
    size_t size =
        script_request(&load->clients[node].script, host, node, text, sizeof text);
    return send(load->clients[node].fd, text, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* A kept connection may have been closed by the server meanwhile: once more, then. */
static void ask(struct load *load, struct cloud_host *host)
{
    size_t node = index_of(load, host);
    struct client *client = &load->clients[node];
    script_advance(&client->script, host);
    client->waiting = true;
    client->head_size = 0;
    client->body.length = 0;
    client->in_body = client->closes = false;
    client->sent = now_of(load);
    cloud_put_off(&load->cloud, host, client->sent + TIMEOUT);
    if (client->connected && transmit(load, host))
        return;
    cloud_put_off(&load->cloud, host, client->sent + CONNECT_TIMEOUT);
    hang_up(client);
    client->fd = connect_from(load, node);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
                                .data.ptr = host};
    if (client->fd < 0)
        fail(load, host, 0);
    else if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, client->fd, &event) != 0)
        err(1, "epoll_ctl");
}

/* ---- the reply ---- */

static void note(struct load *load, uint64_t took)
{
    if (load->answered == load->room) {
        load->room = load->room ? 2 * load->room : 65536;
        load->milliseconds =
            xreallocarray(load->milliseconds, load->room, sizeof *load->milliseconds);
    }
    load->milliseconds[load->answered++] = (float)took / 1000;
}

static void refuse(struct load *load, struct cloud_host *host)
{
    load->refused++;
    load->clients[index_of(load, host)].waiting = false;
    if (script_writes(host))
        cloud_refused(&load->cloud, host, now_of(load));
    else
        cloud_failed(&load->cloud, host, now_of(load), 0);
}

static void finish(struct load *load, struct cloud_host *host)
{
    size_t node = index_of(load, host);
    struct client *client = &load->clients[node];
    uint64_t now = now_of(load);
    if (client->status == 503) {
        fail(load, host, client->retry_after);
        return;
    }
    note(load, now - client->sent);
    client->kept = true;
    if (client->closes)
        hang_up(client);
    if (client->status >= 300) {
        refuse(load, host);
        return;
    }
    _cleanup_free_ char *body = buffer_take(&client->body, NULL);
    if (!script_take(&client->script, &load->cloud, host, body))
        errx(1, "node%zu, request %u: %.200s", node, host->sent, body);
    client->waiting = false;
    cloud_answered(&load->cloud, host, now);
}

static size_t number_of(const struct client *client, const char *header)
{
    const char *found = strcasestr(client->head, header);
    return found ? strtoul(found + strlen(header), NULL, 10) : 0;
}

static void read_head(struct client *client)
{
    client->status = (int)strtol(client->head + sizeof "HTTP/1.1", NULL, 10);
    client->closes = strcasestr(client->head, "\r\nConnection: close") != NULL;
    client->retry_after = (unsigned)number_of(client, "\r\nRetry-After:");
    client->left = number_of(client, "\r\nContent-Length:");
    client->in_body = true;
}

static bool take_body(struct client *client, bool reads, const char *data, size_t size)
{
    size_t part = size < client->left ? size : client->left;
    if (reads)
        buffer_add(&client->body, data, part);
    client->left -= part;
    return client->left == 0;
}

/* True when the reply is whole. `reads`: its body is kept. */
static bool take(struct client *client, bool reads, const char *data, size_t size)
{
    if (client->in_body)
        return take_body(client, reads, data, size);
    size_t room = sizeof client->head - 1 - client->head_size;
    size_t part = size < room ? size : room, before = client->head_size;
    memcpy(client->head + before, data, part);
    client->head_size += part;
    client->head[client->head_size] = 0;
    const char *end = strstr(client->head, "\r\n\r\n");
    if (!end)
        return false;
    size_t head = (size_t)(end + 4 - client->head) - before;
    read_head(client);
    return take_body(client, reads, data + head, size - head);
}

static void receive(struct load *load, struct cloud_host *host)
{
    static char data[65536];
    struct client *client = &load->clients[index_of(load, host)];
    bool reads = script_reads(host);
    ssize_t got;
    while ((got = recv(client->fd, data, sizeof data, 0)) > 0)
        if (client->waiting && take(client, reads, data, (size_t)got)) {
            finish(load, host);
            return;
        }
    if (got < 0 && errno == EAGAIN)
        return;
    bool again = client->waiting && client->kept && client->head_size == 0;
    hang_up(client);
    if (again)
        ask(load, host);
    else if (client->waiting)
        fail(load, host, 0);
}

static void on_event(struct load *load, struct cloud_host *host, unsigned events)
{
    struct client *client = &load->clients[index_of(load, host)];
    if (!client->connected && (events & EPOLLOUT) &&
        !(events & (EPOLLERR | EPOLLHUP))) {
        client->connected = true;
        cloud_put_off(&load->cloud, host, client->sent + TIMEOUT);
        load->per_second[now_of(load) / SECOND]++;
        if (!transmit(load, host))
            fail(load, host, 0);
    }
    if (client->fd >= 0 && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
        receive(load, host);
}

/* ---- the run ---- */

static void begin_due(struct load *load)
{
    struct cloud_host *host;
    while ((host = cloud_next(&load->cloud))->due <= now_of(load)) {
        struct client *client = &load->clients[index_of(load, host)];
        if (client->waiting) {
            fail(load, host, 0);
            continue;
        }
        if (client->connected)
            load->per_second[now_of(load) / SECOND]++;
        ask(load, host);
    }
}

static bool is_done(const struct load *load)
{
    const struct cloud *cloud = &load->cloud;
    return load->until_all && cloud->known == cloud->count && !cloud->changed;
}

static void run(struct load *load, uint64_t end)
{
    struct epoll_event events[512];
    while (now_of(load) < end && !is_done(load)) {
        bool failing = load->cloud.failing > 0;
        begin_due(load);
        uint64_t due = cloud_next(&load->cloud)->due, now = now_of(load);
        int wait = due > now ? (int)((due - now) / 1000) + 1 : 0;
        int count = epoll_wait(load->epoll_fd, events, 512, wait < 100 ? wait : 100);
        for (int i = 0; i < count; i++)
            on_event(load, events[i].data.ptr, events[i].events);
        if (failing && !load->cloud.failing)
            load->well_at = now_of(load);
    }
}

static int compare(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

static size_t behind(const struct cloud *cloud)
{
    size_t count = 0;
    for (size_t i = 0; i < cloud->count; i++)
        count += !cloud->hosts[i].known || cloud->hosts[i].changed ||
                 cloud->hosts[i].failures;
    return count;
}

static void print(struct load *load)
{
    unsigned most = 0;
    size_t count = load->answered;
    float none = 0, *times = count ? load->milliseconds : &none;
    for (size_t i = 0; i < LONGEST; i++)
        most = load->per_second[i] > most ? load->per_second[i] : most;
    qsort(times, count, sizeof *times, compare);
    printf("%.2f %zu %u %.2f %.2f %.2f %zu %zu %zu %.2f\n",
           (double)now_of(load) / SECOND, count, most, times[count / 2],
           times[count - count / 100 - (count > 0)], times[count - (count > 0)],
           load->failed, load->refused, behind(&load->cloud),
           (double)load->well_at / SECOND);
}

static void prepare(struct load *load, const char *phase)
{
    load->until_all = strcmp(phase, "run") != 0;
    if (strcmp(phase, "start") != 0)
        cloud_run_already(&load->cloud);
    if (strcmp(phase, "wave") == 0)
        cloud_change(&load->cloud);
}

int main(int argc, char **argv)
{
    struct rlimit files;
    if (argc != 6)
        errx(2, "usage: %s PORT HOSTS start|wave|run INTERVAL SECONDS", argv[0]);
    size_t hosts = strtoul(argv[2], NULL, 10);
    struct load *load = xcalloc(1, sizeof *load);
    load->port = (int)strtol(argv[1], NULL, 10);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    load->clients = xcalloc(hosts, sizeof *load->clients);
    for (size_t i = 0; i < hosts; i++)
        load->clients[i].fd = -1;
    cloud_init(&load->cloud, hosts, (unsigned)strtoul(argv[4], NULL, 10), 0);
    prepare(load, argv[3]);
    load->begun = (uint64_t)clock_monotonic_ns() / 1000;
    run(load, strtoul(argv[5], NULL, 10) * SECOND);
    print(load);
    for (size_t i = 0; i < hosts; i++) {
        hang_up(&load->clients[i]);
        buffer_clear(&load->clients[i].body);
    }
    close(load->epoll_fd);
    cloud_clear(&load->cloud);
    free(load->clients);
    free(load->milliseconds);
    free(load);
    return 0;
}
