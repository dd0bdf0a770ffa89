#include "config/ini.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buffer.h"
#include "lib/utf8.h"
#include "lib/xalloc.h"

/* Limits the problems for a file that is no configuration, which has one in each
 * line. */
#define SYNTAX_PROBLEMS_MAX 50

/* What an indented line continues. */
enum value_state {
    VALUE_NONE,    /* nothing, after a blank line, a comment or a header */
    VALUE_OPEN,    /* the value of the last entry */
    VALUE_REFUSED, /* an option that was refused */
};

/* Whether inih gets the line. */
enum verdict { LINE_PASS, LINE_HIDE };

struct reader {
    struct ini *ini;
    struct config_problems *problems;
    struct config_place place; /* of the line that inih is reading */
    const char *next, *end;    /* the rest of the text */
    const char *line;          /* the rest of the line for inih */
    size_t line_left;
    bool line_open;
    const char *section;  /* borrowed from ini->sections; NULL before the first */
    bool section_refused; /* its header could not be read: its options are dropped */
    enum value_state state;
    bool continues; /* the present line continues the value of the line before */
    /* The value of the last entry may still grow; it is in `value`. */
    bool value_open;
    struct buffer value;
    unsigned syntax_problems;
};

static enum verdict __attribute__((format(printf, 2, 3)))
refuse(struct reader *r, const char *format, ...)
{
    r->state = VALUE_REFUSED;
    r->ini->incomplete = true;
    r->syntax_problems++;
    if (r->syntax_problems == SYNTAX_PROBLEMS_MAX)
        config_error(r->problems, &r->place,
                     "too many lines that cannot be read: is this a configuration "
                     "file? The rest of them is not listed");
    if (r->syntax_problems < SYNTAX_PROBLEMS_MAX) {
        va_list arguments;
        va_start(arguments, format);
        _cleanup_free_ char *text = xvasprintf(format, arguments);
        va_end(arguments);
        config_error(r->problems, &r->place, "%s", text);
    }
    return LINE_HIDE;
}

/* ---- the gate: classifies lines as oslo.config does ---- */

static enum verdict refuse_section(struct reader *r)
{
    r->section = NULL;
    r->section_refused = true;
    return LINE_HIDE;
}

static enum verdict gate_header(struct reader *r, const char *line, size_t length)
{
    if (line[length - 1] != ']' || length <= 2) {
        refuse(r, "a section header must be [name] and nothing else; what follows is "
                  "not read up to the next header");
        return refuse_section(r);
    }
    struct ini_section *section = array_add(r->ini->sections, r->ini->section_count);
    section->name = xstrndup(line + 1, length - 2);
    section->place = r->place;
    r->section = section->name;
    r->section_refused = false;
    r->state = VALUE_NONE;
    return LINE_PASS;
}

static enum verdict gate_option(struct reader *r, const char *line, size_t length)
{
    r->state = VALUE_REFUSED;
    if (r->section_refused)
        return LINE_HIDE;
    const char *equal = memchr(line, '=', length), *colon = memchr(line, ':', length);
    if (!equal && !colon)
        return refuse(r, "neither a [section], nor an option = value, nor a comment "
                         "(# or ; in the first column)");
    if (line[0] == '=' || line[0] == ':')
        return refuse(r, "no name before the '%c'; expected option = value", line[0]);
    if (!r->section)
        return refuse(r, "an option before the first [section]");
    r->state = VALUE_OPEN;
    return LINE_PASS;
}

static enum verdict gate_continuation(struct reader *r)
{
    if (r->state == VALUE_REFUSED || r->section_refused)
        return LINE_HIDE;
    if (r->state == VALUE_NONE)
        return refuse(r, "an indented line continues the option before it, and there "
                         "is none; start options in the first column");
    r->continues = true;
    return LINE_PASS;
}

/* Whether inih can process the line. */
static enum verdict gate_text(struct reader *r, const char *line, size_t length)
{
    if (length > INI_LINE_MAX)
        return refuse(r, "a line of %zu bytes; at most %zu are read", length,
                      INI_LINE_MAX);
    if (memchr(line, 0, length)) {
        r->next = r->end;
        return refuse(r, "a NUL byte, so that this is no text, and the rest is not "
                         "read; expected text in UTF-8");
    }
    if (memchr(line, '\r', length))
        return refuse(r, "a carriage return inside the line; end lines with a newline");
    if (utf8_valid_length(line, length) != length)
        return refuse(r, "invalid UTF-8; expected text in UTF-8");
    return LINE_PASS;
}

/* `line` has no white space at its end. */
static enum verdict gate(struct reader *r, const char *line, size_t length)
{
    r->continues = false;
    if (gate_text(r, line, length) == LINE_HIDE)
        return line[0] == '[' ? refuse_section(r) : LINE_HIDE;
    if (length == 0 || line[0] == '#' || line[0] == ';') {
        r->state = VALUE_NONE;
        return LINE_HIDE;
    }
    if (line[0] == ' ' || line[0] == '\t')
        return gate_continuation(r);
    if (line[0] == '[')
        return gate_header(r, line, length);
    while (isspace((unsigned char)*line)) /* a form feed is no indentation */
        line++, length--;
    return gate_option(r, line, length);
}

/* ---- inih's two callbacks ---- */

/* Puts the next line of the text into line/line_left; an empty line where inih must not
 * see it. */
static bool next_line(struct reader *r)
{
    if (r->next >= r->end)
        return false;
    r->line = r->next;
    const char *newline = memchr(r->line, '\n', (size_t)(r->end - r->line));
    r->next = newline ? newline + 1 : r->end;
    r->place.line++;

    size_t length = (size_t)((newline ? newline : r->end) - r->line);
    while (length && isspace((unsigned char)r->line[length - 1]))
        length--;
    if (gate(r, r->line, length) == LINE_HIDE)
        length = 0;
    while (length && !r->continues && isspace((unsigned char)*r->line))
        r->line++, length--;
    r->line_left = length;
    r->line_open = true;
    return true;
}

/* As fgets(): at most `room` - 1 bytes, up to the end of the line. */
static char *give_line(char *buffer, int room, void *user)
{
    struct reader *r = user;
    if (!r->line_open && !next_line(r))
        return NULL;
    size_t count = (size_t)room - 1;
    if (count > r->line_left)
        count = r->line_left;
    memcpy(buffer, r->line, count);
    r->line += count;
    r->line_left -= count;
    if (r->line_left == 0 && count + 1 < (size_t)room) {
        buffer[count++] = '\n';
        r->line_open = false;
    }
    buffer[count] = 0;
    return buffer;
}

static void finish_value(struct reader *r)
{
    if (r->value_open)
        r->ini->entries[r->ini->entry_count - 1].value = buffer_take(&r->value, NULL);
    r->value_open = false;
}

/* Removes the quotes, which oslo.config does only in the first line of each option.
 * True: there were some. */
static bool put_unquoted(struct buffer *out, const char *value)
{
    size_t length = strlen(value);
    bool quoted =
        length && (*value == '"' || *value == '\'') && value[length - 1] == *value;
    if (quoted) {
        value++;
        length = length > 1 ? length - 2 : 0;
    }
    buffer_add(out, value, length);
    return quoted;
}

static int take_value(void *user, const char *section, const char *name,
                      const char *value)
{
    (void)section; /* inih cuts it at 49 characters: r->section has all of it */
    struct reader *r = user;
    if (r->continues) {
        buffer_add_char(&r->value, '\n');
        buffer_add_text(&r->value, value);
        return 1;
    }
    finish_value(r);
    struct ini_entry *entry = array_add(r->ini->entries, r->ini->entry_count);
    entry->section = xstrdup(r->section);
    entry->name = xstrdup(name);
    entry->file = r->ini->files.count - 1;
    entry->place = r->place;
    r->value_open = true;
    entry->quoted = put_unquoted(&r->value, value);
    entry->unclosed = strcmp(value, "\"") == 0 || strcmp(value, "'") == 0;
    return 1;
}

/* ---- running inih ---- */

static void set_up_inih(void)
{
    ini_use_stack = false;
    ini_allow_realloc = true;
    ini_max_line = (int)INI_LINE_MAX + 3;
    ini_stop_on_first_error = false;
    ini_allow_inline_comments = false;
    ini_allow_multiline = true;
    ini_allow_no_value = false;
    ini_allow_bom = false;
    static char none[] = "";
    ini_start_comment_prefixes = none; /* an indented '#' belongs to the value */
}

void ini_read_text(struct ini *ini, const char *name, const char *text, size_t length,
                   struct config_problems *problems)
{
    strlist_add(&ini->files, name);
    struct reader r = {
        .ini = ini,
        .problems = problems,
        .place.file = ini->files.items[ini->files.count - 1],
        .next = text,
        .end = text + length,
    };
    static const char bom[] = "\xef\xbb\xbf", utf16_le[] = "\xff\xfe",
                      utf16_be[] = "\xfe\xff";
    if (length >= 2 &&
        (memcmp(text, utf16_le, 2) == 0 || memcmp(text, utf16_be, 2) == 0)) {
        r.place.line = 1;
        ini->incomplete = true;
        config_error(problems, &r.place,
                     "UTF-16, as editors of Windows write it; "
                     "expected text in UTF-8");
        return;
    }
    if (length >= 3 && memcmp(text, bom, 3) == 0) {
        r.next += 3;
        r.place.line = 1;
        config_warning(problems, &r.place,
                       "starts with a byte order mark, which OpenStack's services do "
                       "not accept");
        r.place.line = 0;
    }
    set_up_inih();
    int rc = ini_parse_stream(give_line, &r, take_value, &r);
    finish_value(&r);
    if (rc == -2)
        abort(); /* out of memory */
    if (rc != 0) {
        r.place.line = (unsigned)rc;
        ini->incomplete = true;
        config_error(problems, &r.place, "cannot be read as option = value");
    }
}

/* Overwrites the values before it frees them, since some are secrets. */
void ini_clear(struct ini *ini)
{
    for (size_t i = 0; i < ini->entry_count; i++) {
        free(ini->entries[i].section);
        free(ini->entries[i].name);
        explicit_bzero(ini->entries[i].value, strlen(ini->entries[i].value));
        free(ini->entries[i].value);
    }
    for (size_t i = 0; i < ini->section_count; i++)
        free(ini->sections[i].name);
    free(ini->entries);
    free(ini->sections);
    strlist_clear(&ini->files);
    *ini = (struct ini){0};
}
