/*
 * buffer: a text, or any bytes, that grows at its end. Plain data; all zero is the
 * empty buffer. With `max` or `grant` set it is bounded: what no longer fits is
 * dropped, as is all that comes after it, and `full` says so; the writer need not check
 * each addition. Memory aborts. Not thread safe.
 */
#ifndef LIB_BUFFER_H
#define LIB_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "lib/cleanup.h"

struct buffer {
    char *text; /* `length` bytes; not NUL-terminated until buffer_take() */
    size_t length, room;
    /* The bounds are set before anything is written. */
    size_t max; /* bytes; 0: no bound */
    /* Asked before there are more than `granted` bytes: how many there may be now, fewer
     * than `length` where there is no room for so many. NULL: `max` alone bounds it. */
    size_t (*grant)(void *grantor, size_t length);
    void *grantor;
    size_t granted;
    size_t sure; /* up to so many bytes no bound has to be looked at */
    bool full;
};

/* Makes room for `more` bytes, also beyond `max`, and gives the place behind the text.
 * What is written there counts once `length` is raised. */
char *buffer_reserve(struct buffer *buffer, size_t more);

/* Whether `length` bytes may be in the buffer, by its bounds; sets `sure` and `full`. */
bool buffer_look_at_bounds(struct buffer *buffer, size_t length);

/* Whether `more` bytes are still taken; false for ever after the first refusal. One
 * comparison for most of what is written: large replies took 9 % longer with two. */
static inline bool buffer_takes(struct buffer *buffer, size_t more)
{
    size_t length = buffer->length + more;
    return length <= buffer->sure ||
           (!buffer->full && buffer_look_at_bounds(buffer, length));
}

/* Inline, as large replies are written with a call for each comma. */
static inline void buffer_add(struct buffer *buffer, const void *bytes, size_t length)
{
    if (length == 0 || !buffer_takes(buffer, length))
        return;
    char *end = buffer->room - buffer->length < length ? buffer_reserve(buffer, length)
                                                       : buffer->text + buffer->length;
    memcpy(end, bytes, length);
    buffer->length += length;
}

static inline void buffer_add_char(struct buffer *buffer, char c)
{
    buffer_add(buffer, &c, 1);
}

static inline void buffer_add_text(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, text, strlen(text));
}

void buffer_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Gives the text, NUL-terminated, to the caller (free()) and leaves the buffer empty,
 * without a bound. `length` may be NULL. */
char *buffer_take(struct buffer *buffer, size_t *length);

/* Frees the text and leaves the buffer empty, without a bound. */
void buffer_clear(struct buffer *buffer);
#define _cleanup_buffer_ _cleanup_(buffer_clear)

#endif
