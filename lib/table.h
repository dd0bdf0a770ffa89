/*
 * table: what commands print. Rows of named cells, written as an aligned text table for
 * people or as a JSON array of objects for programs: the same data in both. A column's
 * title is shown in capitals in the text; its key is the JSON member. Cells are added
 * in the order of the columns. Not thread safe.
 */
#ifndef LIB_TABLE_H
#define LIB_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "lib/cleanup.h"
#include "lib/strlist.h"

enum output_format { FORMAT_TABLE, FORMAT_JSON };

struct table;

/* `columns` are the JSON keys, NULL at the end; a text title is the key in capitals
 * with '_' as ' '. */
struct table *table_new(const char *const *columns);
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

/* Writes all rows. 0, or -1 when the stream failed. */
int table_print(const struct table *table, enum output_format format, FILE *out);

#endif
