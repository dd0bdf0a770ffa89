#include "lib/table.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_write.h"
#include "lib/printable.h"
#include "lib/text_wrap.h"
#include "lib/xalloc.h"

/* Of the lines below a row. */
#define INDENT 2
#define NOTHING "-"

struct cell {
    char *text;  /* as people see it */
    char *brief; /* the same in the usual table; NULL: `text` */
    char *json;  /* as programs see it */
    char *bar;   /* behind the text, in style; NULL: nothing */
    enum tone tone;
};

struct table {
    const struct table_column *columns;
    size_t width; /* number of columns */
    struct cell *cells;
    size_t count;
};

struct table *table_new(const struct table_column *columns)
{
    struct table *table = xcalloc(1, sizeof *table);
    table->columns = columns;
    while (columns[table->width].key)
        table->width++;
    return table;
}

void table_free(struct table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++) {
        free(table->cells[i].text);
        free(table->cells[i].brief);
        free(table->cells[i].json);
        free(table->cells[i].bar);
    }
    free(table->cells);
    free(table);
}

static void add_take(struct table *table, char *text, struct json_writer *w)
{
    struct cell *cell = array_add(table->cells, table->count);
    cell->text = text;
    cell->text[printable_make(text, strlen(text))] = '\0';
    cell->json = json_writer_take(w, NULL);
}

void table_none(struct table *table)
{
    struct json_writer w = {0};
    json_write_null(&w);
    add_take(table, xstrdup(NOTHING), &w);
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
    add_take(table, list->count ? strlist_join(list, ", ") : xstrdup(NOTHING), &w);
}

void table_brief(struct table *table, const char *text)
{
    struct cell *cell = &table->cells[table->count - 1];
    free(cell->brief);
    cell->brief = printable_copy(text);
}

void table_tone(struct table *table, enum tone tone)
{
    table->cells[table->count - 1].tone = tone;
}

void table_bar(struct table *table, const char *bar)
{
    struct cell *cell = &table->cells[table->count - 1];
    free(cell->bar);
    cell->bar = *bar ? xstrdup(bar) : NULL;
}

static void print_json(const struct table *table, FILE *out)
{
    fputs("[", out);
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->width;
        if (column == 0)
            fputs(i ? ",\n {" : "\n {", out);
        fprintf(out, "%s\"%s\": %s", column ? ", " : "", table->columns[column].key,
                table->cells[i].json);
        if (column == table->width - 1)
            fputs("}", out);
    }
    fputs(table->count ? "\n]\n" : "]\n", out);
}

/* ---- for people ---- */

/* How the columns stand in the text. */
struct layout {
    const struct style *style;
    bool wide;
    bool bars;   /* there is room for them */
    bool *shown; /* in the row */
    size_t *widths;
};

static const char *text_of(const struct cell *cell, bool wide)
{
    return cell->brief && !wide ? cell->brief : cell->text;
}

/* The bar of the cell, "" where none is shown. */
static const char *bar_of(const struct cell *cell, const struct layout *layout)
{
    return cell->bar && layout->bars ? cell->bar : "";
}

/* Columns that the cell takes, with the bar and the blank before it. */
static size_t cell_columns(const struct cell *cell, const struct layout *layout)
{
    size_t bar = text_columns(bar_of(cell, layout));
    return text_columns(text_of(cell, layout->wide)) + (bar ? bar + 1 : 0);
}

/* Bars stand at the right edge of their column, one below the other. */
static void print_cell(const struct cell *cell, const struct layout *layout,
                       size_t width, bool last, FILE *out)
{
    const char *bar = bar_of(cell, layout);
    int pad = (int)(width - cell_columns(cell, layout));
    style_begin(layout->style, cell->tone, out);
    fputs(text_of(cell, layout->wide), out);
    if (*bar)
        fprintf(out, " %*s%s", pad, "", bar);
    style_end(layout->style, cell->tone, out);
    if (!last)
        fprintf(out, "%*s", (*bar ? 0 : pad) + 2, "");
}

/* The caller frees. */
static char *title_of(const struct table_column *column)
{
    char *title = xstrdup(column->title ? column->title : column->key);
    for (char *p = title; *p; p++)
        *p = (char)(*p == '_' ? ' ' : toupper((unsigned char)*p));
    return title;
}

static size_t total_width(const struct table *table, const struct layout *layout)
{
    size_t total = 0;
    for (size_t c = 0; c < table->width; c++)
        if (layout->shown[c])
            total += layout->widths[c] + (total ? 2 : 0);
    return total;
}

static void drop_last(const struct table *table, struct layout *layout)
{
    for (size_t c = table->width; c-- > 0;)
        if (layout->shown[c] && table->columns[c].place == COLUMN_ROOM) {
            layout->shown[c] = false;
            return;
        }
}

static size_t count_droppable(const struct table *table)
{
    size_t count = 0;
    for (size_t c = 0; c < table->width; c++)
        count += table->columns[c].place == COLUMN_ROOM;
    return count;
}

static void measure(const struct table *table, struct layout *layout)
{
    for (size_t c = 0; c < table->width; c++) {
        enum column_place place = table->columns[c].place;
        layout->shown[c] =
            layout->wide || place == COLUMN_ALWAYS || place == COLUMN_ROOM;
        _cleanup_free_ char *title = title_of(&table->columns[c]);
        layout->widths[c] = text_columns(title);
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t n = cell_columns(&table->cells[i], layout);
        if (n > layout->widths[i % table->width])
            layout->widths[i % table->width] = n;
    }
}

/* Where there is too little room, columns go first, then the bars: whoever has little
 * room wants to see how full the cards are. */
static void make_layout(const struct table *table, struct layout *layout)
{
    size_t room = layout->style->width;
    layout->bars = layout->style->on && !layout->wide;
    measure(table, layout);
    size_t droppable = layout->wide ? 0 : count_droppable(table);
    for (; droppable && total_width(table, layout) > room; droppable--)
        drop_last(table, layout);
    if (!layout->bars || total_width(table, layout) <= room)
        return;
    layout->bars = false;
    measure(table, layout);
    droppable = count_droppable(table);
    for (; droppable && total_width(table, layout) > room; droppable--)
        drop_last(table, layout);
}

static size_t last_shown(const struct table *table, const struct layout *layout)
{
    size_t last = table->width - 1;
    while (last > 0 && !layout->shown[last])
        last--;
    return last;
}

static void print_titles(const struct table *table, const struct layout *layout,
                         FILE *out)
{
    size_t last = last_shown(table, layout);
    for (size_t c = 0; c <= last; c++)
        if (layout->shown[c]) {
            _cleanup_free_ char *title = title_of(&table->columns[c]);
            const struct cell cell = {.text = title, .tone = TONE_TITLE};
            print_cell(&cell, layout, layout->widths[c], c == last, out);
        }
    fputc('\n', out);
}

static void print_row(const struct table *table, const struct layout *layout,
                      const struct cell *row, FILE *out)
{
    size_t last = last_shown(table, layout);
    for (size_t c = 0; c <= last; c++)
        if (layout->shown[c])
            print_cell(&row[c], layout, layout->widths[c], c == last, out);
    fputc('\n', out);
    for (size_t c = 0; c < table->width && !layout->wide; c++)
        if (table->columns[c].place == COLUMN_BELOW &&
            strcmp(text_of(&row[c], false), NOTHING) != 0)
            text_wrap(text_of(&row[c], false), INDENT, layout->style->width, out);
}

static void print_text(const struct table *table, bool wide, const struct style *style,
                       FILE *out)
{
    _cleanup_free_ bool *shown = xcalloc(table->width, sizeof *shown);
    _cleanup_free_ size_t *widths = xcalloc(table->width, sizeof *widths);
    struct layout layout = {
        .style = style, .wide = wide, .shown = shown, .widths = widths};
    make_layout(table, &layout);
    print_titles(table, &layout, out);
    for (size_t i = 0; i < table->count; i += table->width)
        print_row(table, &layout, &table->cells[i], out);
}

int table_print_styled(const struct table *table, enum output_format format,
                       const struct style *style, FILE *out)
{
    assert(table->count % table->width == 0);
    if (format == FORMAT_JSON)
        print_json(table, out);
    else
        print_text(table, format == FORMAT_WIDE, style, out);
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

int table_print(const struct table *table, enum output_format format, FILE *out)
{
    const struct style plain = style_plain();
    return table_print_styled(table, format, &plain, out);
}
