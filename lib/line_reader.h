/*
 * line_reader: the lines that a peer sends over a socket, as they become whole. Plain
 * data; all zero but `max` is a reader that has nothing yet. Never waits. Not thread
 * safe.
 */
#ifndef LIB_LINE_READER_H
#define LIB_LINE_READER_H

#include "lib/buffer.h"
#include "lib/error.h"

struct line_reader {
    size_t max; /* bytes of the longest line that is taken, without its line feed */
    struct buffer text;
    size_t taken;    /* bytes of `text` that were given */
    size_t searched; /* bytes of `text` that have no line feed behind `taken` */
    bool ended;      /* the peer will send nothing more */
};

/* Reads until there is a whole line, or for now nothing more. PROTOCOL: a line is too
 * long; IO. */
int line_reader_fill(struct line_reader *reader, int socket, struct error *err);
/* The next whole line, without its line feed and not terminated; NULL: there is none
 * yet. Valid until the next fill. What follows the last line feed is no line, also when
 * the peer has ended. */
const char *line_reader_next(struct line_reader *reader, size_t *length);
void line_reader_clear(struct line_reader *reader);
#define _cleanup_line_reader_ _cleanup_(line_reader_clear)

#endif
