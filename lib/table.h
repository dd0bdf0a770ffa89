/*
 * table: what commands print. Rows of named cells, written as an aligned text table for
 * people or as a JSON array of objects for programs. JSON has all of it, and so has the
 * wide table; the usual one is made to fit TABLE_WIDTH, or on a terminal the style's
 * width: each column says what becomes of it there. A column's title is shown in
 * capitals in the text; its key is the JSON member. Cells are added in the order of the
 * columns. In text, control characters become '?'. Not thread safe.
 */
#ifndef LIB_TABLE_H
#define LIB_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "lib/cleanup.h"
#include "lib/strlist.h"
#include "lib/style.h"

enum output_format { FORMAT_TABLE, FORMAT_WIDE, FORMAT_JSON };

/* Columns that a table has room in where it is not on a terminal (lib/style.h), unless it
 * is wide. */
#define TABLE_WIDTH 80

/* Where a column is in the usual table. */
enum column_place {
    COLUMN_ALWAYS,
    COLUMN_ROOM, /* where there is room for it: the last one of these goes first */
    COLUMN_BELOW, /* on lines of its own below the row, where there is something to say */
    COLUMN_WIDE, /* in the wide table only */
};

struct table_column {
    const char *key; /* NULL at the end of a list */
    enum column_place place;
    const char *title; /* NULL: the key in capitals with '_' as ' ' */
};

struct table;

/* `columns` is borrowed. */
struct table *table_new(const struct table_column *columns);
void table_free(struct table *table);
DEFINE_CLEANUP(struct table *, table_free)

/* Each adds one cell. A NULL string is "-" in text and null in JSON. */
void table_string(struct table *table, const char *text);
void table_format(struct table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void table_int(struct table *table, int64_t number);
/* ", " between items in text; an array in JSON. */
void table_list(struct table *table, const struct strlist *list);
/* "-" and null. */
void table_none(struct table *table);
/* What the usual table shows of the cell that was added last; NULL: the same. */
void table_brief(struct table *table, const char *text);

/* How that cell looks in a style that is on: its tone, */
void table_tone(struct table *table, enum tone tone);
/* and what stands behind its text where there is room for it, such as a bar; "": nothing.
 */
void table_bar(struct table *table, const char *bar);

/* Writes all rows, as plain text. 0, or -1 when the stream failed. */
int table_print(const struct table *table, enum output_format format, FILE *out);
/* The same in a style. JSON has none. */
int table_print_styled(const struct table *table, enum output_format format,
                       const struct style *style, FILE *out);

#endif
