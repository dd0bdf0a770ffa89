#include "lib/json_write.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void before_value(struct json_writer *w)
{
    if (w->need_comma)
        buffer_add_char(&w->out, ',');
    w->need_comma = true;
}

static void begin(struct json_writer *w, char c)
{
    before_value(w);
    buffer_add_char(&w->out, c);
    w->need_comma = false;
    w->depth++;
}

static void end(struct json_writer *w, char c)
{
    assert(w->depth > 0);
    w->depth--;
    buffer_add_char(&w->out, c);
    w->need_comma = true;
}

void json_write_begin_object(struct json_writer *w)
{
    begin(w, '{');
}

void json_write_end_object(struct json_writer *w)
{
    end(w, '}');
}

void json_write_begin_array(struct json_writer *w)
{
    begin(w, '[');
}

void json_write_end_array(struct json_writer *w)
{
    end(w, ']');
}

static void add_escaped(struct json_writer *w, unsigned char c)
{
    static const char letters[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
        ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    if (c < sizeof letters && letters[c]) {
        char pair[2] = {'\\', letters[c]};
        buffer_add(&w->out, pair, 2);
    } else {
        char code[8];
        int length = snprintf(code, sizeof code, "\\u%04x", c);
        buffer_add(&w->out, code, (size_t)length);
    }
}

/* U+0080 to U+009F in UTF-8: control characters, of which some begin what a terminal
 * takes for a command. */
static bool is_second_control(const unsigned char *text)
{
    return text[0] == 0xc2 && text[1] >= 0x80 && text[1] < 0xa0;
}

/* How many of the first `length` characters need no escape. Eight at a time: what is
 * below 0x20, above 0x7e, '"' or '\\' leaves the top bit of its byte set, and is then
 * looked at closely. The text ends with a NUL. */
static size_t plain_length(const char *text, size_t length)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    size_t at = 0;
    for (; length - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text + at, sizeof word);
        uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';
        uint64_t found = ((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
                         ((slash - ones) & ~slash) | word | (word + ones);
        if (found & tops)
            break;
    }
    const unsigned char *bytes = (const unsigned char *)text;
    while (at < length && bytes[at] >= 0x20 && bytes[at] != '"' && bytes[at] != '\\' &&
           bytes[at] != 0x7f && !is_second_control(bytes + at))
        at++;
    return at;
}

static void add_quoted(struct json_writer *w, const char *text)
{
    size_t length = strlen(text), plain = plain_length(text, length);
    if (!buffer_takes(&w->out, plain + 2))
        return;
    /* Nearly every string needs no escape, and is written whole by this. */
    char *out = buffer_reserve(&w->out, plain + 2);
    *out = '"';
    memcpy(out + 1, text, plain);
    w->out.length += plain + 1;
    for (text += plain, length -= plain; length > 0; text += plain, length -= plain) {
        size_t size = is_second_control((const unsigned char *)text) ? 2 : 1;
        add_escaped(w, (unsigned char)text[size - 1]);
        text += size;
        length -= size;
        plain = plain_length(text, length);
        buffer_add(&w->out, text, plain);
    }
    buffer_add_char(&w->out, '"');
}

void json_write_key(struct json_writer *w, const char *name)
{
    before_value(w);
    add_quoted(w, name);
    buffer_add_char(&w->out, ':');
    w->need_comma = false;
}

void json_write_string(struct json_writer *w, const char *text)
{
    if (!text) {
        json_write_null(w);
        return;
    }
    before_value(w);
    add_quoted(w, text);
}

void json_write_int(struct json_writer *w, int64_t number)
{
    before_value(w);
    char digits[24], *p = digits + sizeof digits;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do
        *--p = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0)
        *--p = '-';
    buffer_add(&w->out, p, (size_t)(digits + sizeof digits - p));
}

void json_write_double(struct json_writer *w, double number)
{
    if (!isfinite(number)) {
        json_write_null(w);
        return;
    }
    before_value(w);
    char text[40];
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(text, sizeof text - 2, "%.*g", precision, number);
        if (strtod(text, NULL) == number)
            break;
    }
    if (!strpbrk(text, ".e"))
        strncat(text, ".0", sizeof text - strlen(text) - 1);
    buffer_add(&w->out, text, strlen(text));
}

void json_write_bool(struct json_writer *w, bool value)
{
    before_value(w);
    buffer_add(&w->out, value ? "true" : "false", value ? 4 : 5);
}

void json_write_null(struct json_writer *w)
{
    before_value(w);
    buffer_add(&w->out, "null", 4);
}

void json_write_strings(struct json_writer *w, const struct strlist *list)
{
    json_write_begin_array(w);
    for (size_t i = 0; i < list->count; i++)
        json_write_string(w, list->items[i]);
    json_write_end_array(w);
}

void json_write_string_member(struct json_writer *w, const char *name, const char *text)
{
    json_write_key(w, name);
    json_write_string(w, text);
}

void json_write_int_member(struct json_writer *w, const char *name, int64_t number)
{
    json_write_key(w, name);
    json_write_int(w, number);
}

void json_write_known_int_member(struct json_writer *w, const char *name, bool known,
                                 int64_t number)
{
    json_write_key(w, name);
    if (known)
        json_write_int(w, number);
    else
        json_write_null(w);
}

void json_write_bool_member(struct json_writer *w, const char *name, bool value)
{
    json_write_key(w, name);
    json_write_bool(w, value);
}

char *json_writer_take(struct json_writer *w, size_t *length)
{
    assert(w->depth == 0);
    w->need_comma = false;
    return buffer_take(&w->out, length);
}

void json_writer_clear(struct json_writer *w)
{
    buffer_clear(&w->out);
    *w = (struct json_writer){0};
}
