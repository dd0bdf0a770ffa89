#include "tests/unit/peer.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "lib/strlist.h"
#include "lib/xalloc.h"

#define MOST_CONNECTIONS 8

struct answer {
    char *bytes;  /* NULL: silence */
    size_t flood; /* bytes of body that follow */
    bool close;
};

struct connection {
    int fd; /* -1: free */
    char *text;
    size_t length;
};

struct peer {
    int listener, stop;
    char url[64];
    pthread_t thread;
    struct connection connections[MOST_CONNECTIONS]; /* the thread's */
    pthread_mutex_t lock;                            /* guards what follows */
    struct answer *answers;
    size_t answer_count, answered;
    struct strlist requests;
    size_t accepted;
};

/* ---- the thread ---- */

static void hang_up(struct connection *connection)
{
    close(connection->fd);
    free(connection->text);
    *connection = (struct connection){.fd = -1};
}

static bool send_all(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool send_flood(int fd, size_t length)
{
    char block[65536];
    memset(block, 'x', sizeof block);
    for (size_t part; length; length -= part) {
        part = length < sizeof block ? length : sizeof block;
        if (!send_all(fd, block, part))
            return false;
    }
    return true;
}

/* Records the request and takes the answer that is next. */
static struct answer next_answer(struct peer *peer, const char *request, size_t length)
{
    struct answer answer = {.bytes = NULL};
    pthread_mutex_lock(&peer->lock);
    strlist_add_take(&peer->requests, xstrndup(request, length));
    if (peer->answered < peer->answer_count) {
        struct answer *next = &peer->answers[peer->answered++];
        answer = *next;
        next->bytes = NULL;
    } else
        answer.bytes =
            xstrdup("HTTP/1.1 599 Not Scripted\r\nContent-Length: 0\r\n\r\n");
    pthread_mutex_unlock(&peer->lock);
    return answer;
}

static void answer_request(struct peer *peer, struct connection *connection,
                           size_t length)
{
    struct answer answer = next_answer(peer, connection->text, length);
    memmove(connection->text, connection->text + length, connection->length - length);
    connection->length -= length;
    bool keep = true;
    if (answer.bytes)
        keep = send_all(connection->fd, answer.bytes, strlen(answer.bytes)) &&
               send_flood(connection->fd, answer.flood) && !answer.close;
    free(answer.bytes);
    if (!keep)
        hang_up(connection);
}

/* The length of the first whole request, 0 while it is not all there. */
static size_t whole_request(const struct connection *connection)
{
    const char *end = memmem(connection->text, connection->length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t head = (size_t)(end + 4 - connection->text), body = 0;
    _cleanup_free_ char *text = xstrndup(connection->text, head);
    const char *announced = strcasestr(text, "\r\nContent-Length:");
    if (announced)
        body = strtoul(announced + strlen("\r\nContent-Length:"), NULL, 10);
    return connection->length - head >= body ? head + body : 0;
}

static void receive(struct peer *peer, struct connection *connection)
{
    char block[4096];
    ssize_t got = recv(connection->fd, block, sizeof block, 0);
    if (got <= 0) {
        hang_up(connection);
        return;
    }
    connection->text =
        xreallocarray(connection->text, connection->length + (size_t)got, 1);
    memcpy(connection->text + connection->length, block, (size_t)got);
    connection->length += (size_t)got;
    size_t length = whole_request(connection);
    if (length)
        answer_request(peer, connection, length);
}

static void accept_one(struct peer *peer)
{
    int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    pthread_mutex_lock(&peer->lock);
    peer->accepted++;
    pthread_mutex_unlock(&peer->lock);
    for (size_t i = 0; i < MOST_CONNECTIONS; i++)
        if (peer->connections[i].fd < 0) {
            peer->connections[i].fd = fd;
            return;
        }
    close(fd);
}

static void *serve(void *context)
{
    struct peer *peer = context;
    for (;;) {
        struct pollfd polls[2 + MOST_CONNECTIONS] = {
            {.fd = peer->stop, .events = POLLIN},
            {.fd = peer->listener, .events = POLLIN},
        };
        for (size_t i = 0; i < MOST_CONNECTIONS; i++)
            polls[2 + i] =
                (struct pollfd){.fd = peer->connections[i].fd, .events = POLLIN};
        if (poll(polls, 2 + MOST_CONNECTIONS, -1) < 0)
            continue;
        if (polls[0].revents)
            return NULL;
        for (size_t i = 0; i < MOST_CONNECTIONS; i++)
            if (polls[2 + i].revents)
                receive(peer, &peer->connections[i]);
        if (polls[1].revents)
            accept_one(peer);
    }
}

/* ---- the test's side ---- */

struct peer *peer_new(void)
{
    struct peer *peer = xcalloc(1, sizeof *peer);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    for (size_t i = 0; i < MOST_CONNECTIONS; i++)
        peer->connections[i].fd = -1;
    pthread_mutex_init(&peer->lock, NULL);
    peer->stop = eventfd(0, EFD_CLOEXEC);
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(peer->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(peer->listener, 16) != 0 ||
        getsockname(peer->listener, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&peer->thread, NULL, serve, peer) != 0)
        abort();
    snprintf(peer->url, sizeof peer->url, "http://127.0.0.1:%u",
             (unsigned)ntohs(address.sin_port));
    return peer;
}

void peer_free(struct peer *peer)
{
    if (!peer)
        return;
    eventfd_write(peer->stop, 1);
    pthread_join(peer->thread, NULL);
    for (size_t i = 0; i < MOST_CONNECTIONS; i++)
        if (peer->connections[i].fd >= 0)
            hang_up(&peer->connections[i]);
    peer_clear(peer);
    free(peer->answers);
    strlist_clear(&peer->requests);
    close(peer->listener);
    close(peer->stop);
    pthread_mutex_destroy(&peer->lock);
    free(peer);
}

const char *peer_url(const struct peer *peer)
{
    return peer->url;
}

static void queue(struct peer *peer, struct answer answer)
{
    pthread_mutex_lock(&peer->lock);
    *array_add(peer->answers, peer->answer_count) = answer;
    pthread_mutex_unlock(&peer->lock);
}

void peer_reply(struct peer *peer, unsigned status, const char *headers,
                const char *body)
{
    queue(peer,
          (struct answer){.bytes = xasprintf("HTTP/1.1 %u Scripted\r\nContent-Type: "
                                             "application/json\r\nContent-Length: "
                                             "%zu\r\n%s\r\n%s",
                                             status, strlen(body),
                                             headers ? headers : "", body)});
}

void peer_ok(struct peer *peer, const char *body)
{
    peer_reply(peer, 200, NULL, body);
}

void peer_raw(struct peer *peer, const char *bytes)
{
    queue(peer, (struct answer){.bytes = xstrdup(bytes), .close = true});
}

void peer_flood(struct peer *peer, size_t length, bool announced)
{
    char *head =
        announced ? xasprintf("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", length)
                  : xstrdup("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    queue(peer, (struct answer){.bytes = head, .flood = length, .close = true});
}

void peer_silence(struct peer *peer)
{
    queue(peer, (struct answer){.bytes = NULL});
}

void peer_clear(struct peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    for (size_t i = peer->answered; i < peer->answer_count; i++)
        free(peer->answers[i].bytes);
    peer->answered = peer->answer_count;
    pthread_mutex_unlock(&peer->lock);
}

size_t peer_request_count(struct peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    size_t count = peer->requests.count;
    pthread_mutex_unlock(&peer->lock);
    return count;
}

const char *peer_request(struct peer *peer, size_t index)
{
    pthread_mutex_lock(&peer->lock);
    const char *text = index < peer->requests.count ? peer->requests.items[index] : "";
    pthread_mutex_unlock(&peer->lock);
    return text;
}

char *peer_request_line(struct peer *peer, size_t index)
{
    const char *text = peer_request(peer, index), *end = strstr(text, " HTTP/1.");
    return xstrndup(text, end ? (size_t)(end - text) : 0);
}

size_t peer_connection_count(struct peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    size_t count = peer->accepted;
    pthread_mutex_unlock(&peer->lock);
    return count;
}
