#include "lib/table.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_write.h"
#include "lib/xalloc.h"

struct cell {
    char *text; /* as people see it */
    char *json; /* as programs see it */
};

struct table {
    const char *const *columns;
    size_t width; /* number of columns */
    struct cell *cells;
    size_t count;
};

struct table *table_new(const char *const *columns)
{
    struct table *table = xcalloc(1, sizeof *table);
    table->columns = columns;
    while (columns[table->width])
        table->width++;
    return table;
}

void table_free(struct table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++) {
        free(table->cells[i].text);
        free(table->cells[i].json);
    }
    free(table->cells);
    free(table);
}

static void add_take(struct table *table, char *text, struct json_writer *w)
{
    struct cell *cell = array_add(table->cells, table->count);
    cell->text = text;
    cell->json = json_writer_take(w, NULL);
}

void table_none(struct table *table)
{
    struct json_writer w = {0};
    json_write_null(&w);
    add_take(table, xstrdup("-"), &w);
}

void table_string(struct table *table, const char *text)
{
    if (!text) {
        table_none(table);
        return;
    }
    struct json_writer w = {0};
    json_write_string(&w, text);
    add_take(table, xstrdup(text), &w);
}

void table_format(struct table *table, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int rc = vasprintf(&text, format, args);
    va_end(args);
    if (rc < 0)
        abort();
    struct json_writer w = {0};
    json_write_string(&w, text);
    add_take(table, text, &w);
}

void table_int(struct table *table, int64_t number)
{
    struct json_writer w = {0};
    json_write_int(&w, number);
    add_take(table, xasprintf("%lld", (long long)number), &w);
}

void table_list(struct table *table, const struct strlist *list)
{
    struct json_writer w = {0};
    json_write_strings(&w, list);
    add_take(table, list->count ? strlist_join(list, ", ") : xstrdup("-"), &w);
}

static void print_json(const struct table *table, FILE *out)
{
    fputs("[", out);
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->width;
        if (column == 0)
            fputs(i ? ",\n {" : "\n {", out);
        fprintf(out, "%s\"%s\": %s", column ? ", " : "", table->columns[column],
                table->cells[i].json);
        if (column == table->width - 1)
            fputs("}", out);
    }
    fputs(table->count ? "\n]\n" : "]\n", out);
}

/* Columns on a terminal: bytes that continue a UTF-8 character take no room. */
static size_t columns_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void print_cell(const char *text, size_t width, bool last, FILE *out)
{
    fputs(text, out);
    if (!last)
        fprintf(out, "%*s", (int)(width - columns_of(text) + 2), "");
}

static void print_title(const char *key, size_t width, bool last, FILE *out)
{
    _cleanup_free_ char *title = xstrdup(key);
    for (char *p = title; *p; p++)
        *p = (char)(*p == '_' ? ' ' : toupper((unsigned char)*p));
    print_cell(title, width, last, out);
}

static void print_text(const struct table *table, FILE *out)
{
    _cleanup_free_ size_t *widths = xcalloc(table->width, sizeof *widths);
    for (size_t c = 0; c < table->width; c++)
        widths[c] = columns_of(table->columns[c]);
    for (size_t i = 0; i < table->count; i++) {
        size_t n = columns_of(table->cells[i].text);
        if (n > widths[i % table->width])
            widths[i % table->width] = n;
    }
    for (size_t c = 0; c < table->width; c++)
        print_title(table->columns[c], widths[c], c == table->width - 1, out);
    fputc('\n', out);
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->width;
        bool last = column == table->width - 1;
        print_cell(table->cells[i].text, widths[column], last, out);
        if (last)
            fputc('\n', out);
    }
}

int table_print(const struct table *table, enum output_format format, FILE *out)
{
    assert(table->count % table->width == 0);
    if (format == FORMAT_JSON)
        print_json(table, out);
    else
        print_text(table, out);
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
