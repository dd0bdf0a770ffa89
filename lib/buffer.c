#include "lib/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/xalloc.h"

#define FIRST_ROOM 256

char *buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->room - buffer->length < more) {
        size_t room = buffer->room ? buffer->room : FIRST_ROOM;
        while (room - buffer->length < more)
            room *= 2;
        buffer->text = xreallocarray(buffer->text, room, 1);
        buffer->room = room;
    }
    return buffer->text + buffer->length;
}

bool buffer_look_at_bounds(struct buffer *buffer, size_t length)
{
    if (buffer->max && length > buffer->max)
        buffer->full = true;
    if (buffer->grant && length > buffer->granted && !buffer->full) {
        buffer->granted = buffer->grant(buffer->grantor, length);
        buffer->full = length > buffer->granted;
    }
    buffer->sure = buffer->max ? buffer->max : SIZE_MAX;
    if (buffer->grant && buffer->granted < buffer->sure)
        buffer->sure = buffer->granted;
    if (buffer->full)
        buffer->sure = 0;
    return !buffer->full;
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *text = xvasprintf(format, arguments);
    va_end(arguments);
    buffer_add_text(buffer, text);
}

char *buffer_take(struct buffer *buffer, size_t *length)
{
    *buffer_reserve(buffer, 1) = 0;
    char *text = buffer->text;
    if (length)
        *length = buffer->length;
    *buffer = (struct buffer){0};
    return text;
}

void buffer_clear(struct buffer *buffer)
{
    free(buffer->text);
    *buffer = (struct buffer){0};
}
