/*
 * style: how a view looks on the terminal that it is printed to: in colour, with bars
 * for what is used of what there is, as wide as the terminal. Anywhere else, and where
 * NO_COLOR is set (https://no-color.org) or TERM is "dumb", all of it is plain text of
 * TABLE_WIDTH columns, so that a pipe or a file gets the same bytes everywhere.
 * Stateless.
 */
#ifndef LIB_STYLE_H
#define LIB_STYLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct style {
    bool on;      /* false: plain text */
    size_t width; /* columns */
};

enum tone { TONE_PLAIN, TONE_GOOD, TONE_WARNING, TONE_BAD, TONE_TITLE, TONE_FAINT };

/* What suits the stream now: the window of a terminal can change. */
struct style style_of(FILE *out);
/* Of a text for a program or a file. */
struct style style_plain(void);
/* Whether the stream is a terminal that escape sequences can be sent to, coloured or
 * not. */
bool style_is_terminal(FILE *out);

/* Begins and ends a text in that tone: nothing in the plain style, or for TONE_PLAIN. */
void style_begin(const struct style *style, enum tone tone, FILE *out);
void style_end(const struct style *style, enum tone tone, FILE *out);
/* Writes the text in that tone. Its control characters become '?'. */
void style_put(const struct style *style, enum tone tone, const char *text, FILE *out);

/* A bar for `used` and `reserved` of `total`, "[###==.....]", as what follows a number;
 * "" in the plain style, and where there is nothing to be used. What is not 0 shows,
 * and what is not all does not fill it. The caller frees. */
char *style_bar(const struct style *style, int64_t used, int64_t reserved,
                int64_t total);

#endif
