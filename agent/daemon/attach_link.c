#include "agent/daemon/attach_link.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/xalloc.h"

/* The largest line is the table. A host has some hundreds of guests, and one has some
 * devices with an element of 200 bytes each. */
#define MAX_WAITING (16 << 20)

/* A program that was killed ends at once, unless the kernel holds it: nobody waits. */
static void reap(struct attach_link *link)
{
    for (size_t i = link->left_count; i-- > 0;)
        if (waitpid(link->left[i], NULL, WNOHANG) != 0)
            link->left[i] = link->left[--link->left_count];
}

void attach_link_stop(struct attach_link *link)
{
    if (!link->runs)
        return;
    close(link->child.socket);
    (void)kill(link->child.pid, SIGKILL);
    *array_add(link->left, link->left_count) = link->child.pid;
    line_reader_clear(&link->in);
    buffer_clear(&link->out);
    link->written = 0;
    link->runs = false;
    reap(link);
}

int attach_link_start(struct attach_link *link, const char *program, const char *uri,
                      enum log_level level, struct error *err)
{
    static char uri_option[] = "--uri", level_option[] = "--log-level";
    char *argv[] = {(char *)program,
                    uri_option,
                    (char *)uri,
                    level_option,
                    (char *)log_level_name(level),
                    NULL};
    reap(link);
    if (subprocess_exec(&link->child, argv, err) != 0)
        return -1;
    link->in = (struct line_reader){.max = MAX_WAITING};
    link->runs = true;
    return 0;
}

void attach_link_send(struct attach_link *link, const struct message *message)
{
    _cleanup_free_ char *line = message_encode(message);
    buffer_add_text(&link->out, line);
}

static int write_out(struct attach_link *link, struct error *err)
{
    while (link->written < link->out.length) {
        ssize_t n = send(link->child.socket, link->out.text + link->written,
                         link->out.length - link->written, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return error_set_errno(err, errno, "cannot be written to");
        if (n < 0 && link->out.length - link->written > MAX_WAITING)
            return error_set(err, ERROR_TIMEOUT, "does not read what it is told");
        if (n < 0)
            return 0;
        link->written += (size_t)n;
    }
    buffer_clear(&link->out);
    link->written = 0;
    return 0;
}

static int take_lines(struct attach_link *link,
                      void (*take)(void *data, struct message *message), void *data,
                      struct error *err)
{
    const char *line;
    size_t length;
    while ((line = line_reader_next(&link->in, &length))) {
        _cleanup_message_ struct message message = {0};
        if (message_decode(line, length, &message, err) != 0)
            return error_prefix(err, "says what makes no sense");
        take(data, &message);
    }
    return 0;
}

/* Takes what has come, until there is nothing more for now. */
static int read_in(struct attach_link *link,
                   void (*take)(void *data, struct message *message), void *data,
                   struct error *err)
{
    size_t before;
    do {
        if (line_reader_fill(&link->in, link->child.socket, err) != 0)
            return -1;
        before = link->in.taken;
        if (take_lines(link, take, data, err) != 0)
            return -1;
    } while (link->in.taken != before);
    return link->in.ended ? error_set(err, ERROR_UNREACHABLE, "has ended") : 0;
}

int attach_link_run(struct attach_link *link,
                    void (*take)(void *data, struct message *message), void *data,
                    struct error *err)
{
    reap(link);
    if (!link->runs)
        return 0;
    struct error unwritten;
    /* What it has said before its end is read, too. */
    int rc = write_out(link, &unwritten);
    if (read_in(link, take, data, err) == 0) {
        if (rc == 0)
            return 0;
        if (err)
            *err = unwritten;
    }
    attach_link_stop(link);
    return -1;
}

int attach_link_fd(const struct attach_link *link)
{
    return link->runs ? link->child.socket : -1;
}

short attach_link_events(const struct attach_link *link)
{
    return (short)(!link->runs ? 0 : link->out.length ? POLLIN | POLLOUT : POLLIN);
}

void attach_link_clear(struct attach_link *link)
{
    attach_link_stop(link);
    free(link->left);
    *link = (struct attach_link){0};
}
