#include "lib/line_reader.h"

#include <errno.h>
#include <sys/socket.h>

#define CHUNK ((size_t)64 * 1024)

static void drop_what_was_given(struct line_reader *reader)
{
    if (reader->taken == 0)
        return;
    reader->text.length -= reader->taken;
    memmove(reader->text.text, reader->text.text + reader->taken, reader->text.length);
    reader->searched -= reader->taken;
    reader->taken = 0;
}

/* Moves `searched` to the next line feed or to the end. True when there is one. */
static bool find_line_feed(struct line_reader *reader)
{
    if (reader->searched == reader->text.length)
        return false;
    const char *from = reader->text.text + reader->searched;
    const char *found = memchr(from, '\n', reader->text.length - reader->searched);
    reader->searched =
        found ? (size_t)(found - reader->text.text) : reader->text.length;
    return found;
}

static int check_length(const struct line_reader *reader, struct error *err)
{
    if (reader->searched - reader->taken <= reader->max)
        return 0;
    return error_set(err, ERROR_PROTOCOL, "a line of more than %zu bytes", reader->max);
}

int line_reader_fill(struct line_reader *reader, int socket, struct error *err)
{
    drop_what_was_given(reader);
    while (!reader->ended && !find_line_feed(reader)) {
        if (check_length(reader, err) != 0)
            return -1;
        char *end = buffer_reserve(&reader->text, CHUNK);
        ssize_t got = recv(socket, end, CHUNK, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return 0;
        /* ECONNRESET: it has ended without reading all that it was sent. */
        if (got < 0 && errno != ECONNRESET)
            return error_set_errno(err, errno, "cannot read");
        if (got > 0)
            reader->text.length += (size_t)got;
        else
            reader->ended = true;
    }
    return check_length(reader, err);
}

const char *line_reader_next(struct line_reader *reader, size_t *length)
{
    if (!find_line_feed(reader))
        return NULL;
    const char *line = reader->text.text + reader->taken;
    *length = reader->searched - reader->taken;
    reader->taken = ++reader->searched;
    return line;
}

void line_reader_clear(struct line_reader *reader)
{
    buffer_clear(&reader->text);
    reader->taken = reader->searched = 0;
}
