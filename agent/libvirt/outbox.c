#include "agent/libvirt/outbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "lib/buffer.h"
#include "lib/xalloc.h"

/* All that a host of thousands of guests can say is some megabytes. */
#define REST_MAX ((size_t)64 * 1024 * 1024)

struct outbox {
    int socket, wake;
    pthread_mutex_t lock;
    struct buffer rest;
    int errnum; /* why nothing can be written any more; 0 */
};

struct outbox *outbox_new(int socket, int wake)
{
    struct outbox *outbox = xcalloc(1, sizeof *outbox);
    outbox->socket = socket;
    outbox->wake = wake;
    pthread_mutex_init(&outbox->lock, NULL);
    return outbox;
}

void outbox_free(struct outbox *outbox)
{
    if (!outbox)
        return;
    pthread_mutex_destroy(&outbox->lock);
    buffer_clear(&outbox->rest);
    free(outbox);
}

/* All below have the lock. */

static void fail(struct outbox *outbox, int errnum)
{
    outbox->errnum = errnum;
    buffer_clear(&outbox->rest);
}

static void write_rest(struct outbox *outbox)
{
    size_t done = 0;
    while (done < outbox->rest.length && outbox->errnum == 0) {
        ssize_t sent = send(outbox->socket, outbox->rest.text + done,
                            outbox->rest.length - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (sent < 0)
            fail(outbox, errno);
        else
            done += (size_t)sent;
    }
    if (outbox->errnum == 0 && done > 0) {
        outbox->rest.length -= done;
        memmove(outbox->rest.text, outbox->rest.text + done, outbox->rest.length);
    }
}

static void add(struct outbox *outbox, const char *line)
{
    if (outbox->errnum != 0)
        return;
    buffer_add_text(&outbox->rest, line);
    write_rest(outbox);
    if (outbox->rest.length > REST_MAX)
        fail(outbox, ENOBUFS);
    if (outbox->rest.length > 0 || outbox->errnum != 0)
        (void)eventfd_write(outbox->wake, 1);
}

void outbox_send(struct outbox *outbox, const char *line)
{
    pthread_mutex_lock(&outbox->lock);
    add(outbox, line);
    pthread_mutex_unlock(&outbox->lock);
}

bool outbox_has_rest(struct outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    bool has = outbox->rest.length > 0;
    pthread_mutex_unlock(&outbox->lock);
    return has;
}

int outbox_flush(struct outbox *outbox, struct error *err)
{
    pthread_mutex_lock(&outbox->lock);
    write_rest(outbox);
    int errnum = outbox->errnum;
    pthread_mutex_unlock(&outbox->lock);
    return errnum != 0 ? error_set_errno(err, errnum, "cannot write to the daemon") : 0;
}
