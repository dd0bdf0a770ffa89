/*
 * bench_cloud_requests: the requests of many hosts' agents, in their own time, sent to a
 * server on loopback that tests/bench/load.py has filled (node0, node1, ... with eight
 * GPUs each). Each host has a connection that it keeps, from an address of its own.
 *
 *     bench_cloud_requests PORT HOSTS start|run SECONDS
 *
 * start: all begin in one moment, until each has had its first cycle, but SECONDS at
 * most; run: all have begun long ago, for so many seconds. Prints one line of numbers:
 * seconds, requests, the most in one second, milliseconds of half of the requests, of 99
 * in a hundred and of the slowest, failed requests, hosts without a good cycle yet.
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

#include "lib/clock.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"
#include "tests/bench/cloud.h"

#define GPUS 8
#define TIMEOUT (30 * SECOND)
#define LONGEST 3600 /* seconds */

/* uuid.NAMESPACE_URL of Python's. */
static const char space[] = "6ba7b811-9dad-11d1-80b4-00c04fd430c8";

struct client {
    int fd; /* -1: none */
    bool waiting, connected, kept;
    uint64_t sent;
    size_t head_size, left; /* of the reply: the head so far, then bytes of the body */
    bool in_body, closes;
    int status;
    char head[1024];
};

struct load {
    struct cloud cloud;
    struct client *clients;
    int epoll_fd, port;
    uint64_t begun;
    unsigned per_second[LONGEST];
    float *milliseconds;
    size_t answered, room, failed;
};

static uint64_t now_of(const struct load *load)
{
    return (uint64_t)clock_monotonic_ns() / 1000 - load->begun;
}

static size_t index_of(const struct load *load, const struct cloud_host *host)
{
    return (size_t)(host - load->cloud.hosts);
}

/* ---- what is asked ---- */

static void identifier(size_t node, int gpu, char out[UUID_TEXT_SIZE])
{
    char name[64];
    if (gpu < 0)
        snprintf(name, sizeof name, "bench/node%zu", node);
    else
        snprintf(name, sizeof name, "bench/node%zu_pci_0000_%02x_00_0", node,
                 0x84 + (unsigned)gpu);
    uuid5_text(space, name, out);
}

/* As the agent asks: who the root is, its tree, and the parts of each provider; where it
 * knows them, the tree alone. */
static void path_of(const struct cloud_host *host, size_t node, char *out, size_t size)
{
    static const char *const parts[] = {"inventories", "traits", "allocations"};
    int step = host->known ? 2 : (int)host->sent;
    char uuid[UUID_TEXT_SIZE];
    if (step >= 3 && step < 3 + 3 * GPUS)
        identifier(node, (step - 3) / 3, uuid);
    else
        identifier(node, -1, uuid);
    if (step == 0)
        snprintf(out, size, "/");
    else if (step == 1)
        snprintf(out, size, "/resource_providers?name=node%zu", node);
    else if (step == 2)
        snprintf(out, size, "/resource_providers?in_tree=%s", uuid);
    else if (step < 3 + 3 * GPUS)
        snprintf(out, size, "/resource_providers/%s/%s", uuid, parts[(step - 3) % 3]);
    else
        snprintf(out, size, "/resource_providers/%s/inventories", uuid);
}

/* ---- the connection ---- */

static void hang_up(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    client->connected = client->kept = false;
}

static void fail(struct load *load, struct cloud_host *host)
{
    struct client *client = &load->clients[index_of(load, host)];
    load->failed++;
    client->waiting = false;
    hang_up(client);
    cloud_failed(&load->cloud, host, now_of(load), 0);
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
    char path[160], text[512];
    path_of(host, node, path, sizeof path);
    int size = snprintf(text, sizeof text,
                        "GET %s HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: admin\r\n"
                        "Accept: application/json\r\n"
                        "OpenStack-API-Version: placement 1.39\r\n\r\n",
                        path);
    return send(load->clients[node].fd, text, (size_t)size, MSG_NOSIGNAL) == size;
}

/* A kept connection may have been closed by the server meanwhile: once more, then. */
static void ask(struct load *load, struct cloud_host *host)
{
    size_t node = index_of(load, host);
    struct client *client = &load->clients[node];
    client->waiting = true;
    client->head_size = 0;
    client->in_body = client->closes = false;
    client->sent = now_of(load);
    cloud_put_off(&load->cloud, host, client->sent + TIMEOUT);
    if (client->connected && transmit(load, host))
        return;
    hang_up(client);
    client->fd = connect_from(load, node);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
                                .data.ptr = host};
    if (client->fd < 0)
        fail(load, host);
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

static void finish(struct load *load, struct cloud_host *host)
{
    struct client *client = &load->clients[index_of(load, host)];
    uint64_t now = now_of(load);
    if (client->status == 503) {
        fail(load, host);
        return;
    }
    if (client->status != 200)
        errx(1, "node%zu, request %u: %d", index_of(load, host), host->sent,
             client->status);
    note(load, now - client->sent);
    client->waiting = false;
    client->kept = true;
    if (client->closes)
        hang_up(client);
    cloud_answered(&load->cloud, host, now);
}

static void read_head(struct client *client, size_t body)
{
    const char *length = strcasestr(client->head, "\r\nContent-Length:");
    client->status = (int)strtol(client->head + sizeof "HTTP/1.1", NULL, 10);
    client->closes = strcasestr(client->head, "\r\nConnection: close") != NULL;
    size_t whole = length ? strtoul(length + sizeof "\r\nContent-Length", NULL, 10) : 0;
    client->left = whole > body ? whole - body : 0;
    client->in_body = true;
}

/* True when the reply is whole. */
static bool take(struct client *client, const char *data, size_t size)
{
    if (client->in_body) {
        client->left -= size < client->left ? size : client->left;
        return client->left == 0;
    }
    size_t room = sizeof client->head - 1 - client->head_size;
    size_t part = size < room ? size : room;
    memcpy(client->head + client->head_size, data, part);
    client->head_size += part;
    client->head[client->head_size] = 0;
    const char *end = strstr(client->head, "\r\n\r\n");
    if (!end)
        return false;
    read_head(client,
              client->head_size - (size_t)(end + 4 - client->head) + size - part);
    return client->left == 0;
}

static void receive(struct load *load, struct cloud_host *host)
{
    static char data[65536];
    struct client *client = &load->clients[index_of(load, host)];
    ssize_t got;
    while ((got = recv(client->fd, data, sizeof data, 0)) > 0)
        if (client->waiting && take(client, data, (size_t)got)) {
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
        fail(load, host);
}

static void on_event(struct load *load, struct cloud_host *host, unsigned events)
{
    struct client *client = &load->clients[index_of(load, host)];
    if (!client->connected && (events & EPOLLOUT) &&
        !(events & (EPOLLERR | EPOLLHUP))) {
        client->connected = true;
        load->per_second[now_of(load) / SECOND]++;
        if (!transmit(load, host))
            fail(load, host);
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
            fail(load, host);
            continue;
        }
        if (client->connected)
            load->per_second[now_of(load) / SECOND]++;
        ask(load, host);
    }
}

static void run(struct load *load, bool start, uint64_t end)
{
    struct epoll_event events[512];
    while (now_of(load) < end && (!start || load->cloud.known < load->cloud.count)) {
        begin_due(load);
        uint64_t due = cloud_next(&load->cloud)->due, now = now_of(load);
        int wait = due > now ? (int)((due - now) / 1000) + 1 : 0;
        int count = epoll_wait(load->epoll_fd, events, 512, wait < 100 ? wait : 100);
        for (int i = 0; i < count; i++)
            on_event(load, events[i].data.ptr, events[i].events);
    }
}

static int compare(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

static void print(struct load *load)
{
    unsigned most = 0;
    size_t count = load->answered;
    float none = 0, *times = count ? load->milliseconds : &none;
    for (size_t i = 0; i < LONGEST; i++)
        most = load->per_second[i] > most ? load->per_second[i] : most;
    qsort(times, count, sizeof *times, compare);
    printf("%.2f %zu %u %.2f %.2f %.2f %zu %zu\n", (double)now_of(load) / SECOND, count,
           most, times[count / 2], times[count - count / 100 - (count > 0)],
           times[count - (count > 0)], load->failed,
           load->cloud.count - load->cloud.known);
}

int main(int argc, char **argv)
{
    struct rlimit files;
    if (argc != 5)
        errx(2, "usage: %s PORT HOSTS start|run SECONDS", argv[0]);
    bool start = strcmp(argv[3], "start") == 0;
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
    cloud_init(&load->cloud, hosts, 10, 0);
    if (!start)
        cloud_run_already(&load->cloud);
    load->begun = (uint64_t)clock_monotonic_ns() / 1000;
    run(load, start, strtoul(argv[4], NULL, 10) * SECOND);
    print(load);
    for (size_t i = 0; i < hosts; i++)
        hang_up(&load->clients[i]);
    close(load->epoll_fd);
    cloud_clear(&load->cloud);
    free(load->clients);
    free(load->milliseconds);
    free(load);
    return 0;
}
