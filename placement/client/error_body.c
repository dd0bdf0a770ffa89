#include "placement/client/error_body.h"

#include <ctype.h>
#include <string.h>

#include "lib/json_read.h"

/* Copies up to `length` bytes: runs of blanks and control characters become one space,
 * and what does not fit is marked. A cut never leaves half a UTF-8 character. */
static void copy_line(char *out, size_t size, const char *text, size_t length)
{
    size_t used = 0;
    bool blank = false;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (isspace(c) || iscntrl(c)) {
            blank = used > 0;
            continue;
        }
        if (used + 2 >= size) {
            used = size - 4;
            while (used && ((unsigned char)out[used] & 0xc0) == 0x80)
                used--;
            memcpy(out + used, "...", 4);
            return;
        }
        if (blank)
            out[used++] = ' ';
        blank = false;
        out[used++] = (char)c;
    }
    out[used] = 0;
}

static void copy_member(char *out, size_t size, struct json_object *json,
                        const char *name)
{
    const char *text;
    if (json_get_string(json, name, &text, NULL) == 0)
        copy_line(out, size, text, strlen(text));
}

/* Placement's detail begins with the standard sentence on its status; what is worth
 * reading is the paragraph after it, and the schema that may follow is not. */
static void copy_detail(struct error_body *out, const char *detail)
{
    const char *second = strstr(detail, "\n\n");
    if (second && second[2 + strspn(second + 2, " \n")])
        detail = second + 2 + strspn(second + 2, " \n");
    const char *end = strstr(detail, "\n\n");
    copy_line(out->text, sizeof out->text, detail,
              end ? (size_t)(end - detail) : strlen(detail));
}

static void read_placement(struct error_body *out, struct json_object *errors)
{
    struct json_object *first = json_object_array_get_idx(errors, 0);
    const char *detail;
    if (json_get_string(first, "detail", &detail, NULL) == 0)
        copy_detail(out, detail);
    if (!out->text[0])
        copy_member(out->text, sizeof out->text, first, "title");
    copy_member(out->code, sizeof out->code, first, "code");
    copy_member(out->request_id, sizeof out->request_id, first, "request_id");
}

static void read_keystone(struct error_body *out, struct json_object *error)
{
    copy_member(out->text, sizeof out->text, error, "message");
    if (!out->text[0])
        copy_member(out->text, sizeof out->text, error, "title");
}

/* In an encoding that needs no guess. */
static bool is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isprint((unsigned char)text[i]) && !isspace((unsigned char)text[i]))
            return false;
    return true;
}

/* A proxy's page: its title. Other text: as it is. */
static void read_text(struct error_body *out, const char *body, size_t length)
{
    const char *title = strcasestr(body, "<title>");
    const char *end = title ? strcasestr(title, "</title>") : NULL;
    if (end) {
        body = title + strlen("<title>");
        length = (size_t)(end - body);
    } else if (memchr(body, '<', length))
        return;
    if (is_plain(body, length))
        copy_line(out->text, sizeof out->text, body, length);
}

struct error_body error_body_parse(const char *body, size_t length)
{
    struct error_body out = {0};
    _cleanup_json_ struct json_object *json = NULL;
    if (json_parse(body, length, &json, NULL) == 0) {
        struct json_object *member;
        if (json_get_array(json, "errors", &member, NULL) == 0 &&
            json_object_array_length(member) > 0)
            read_placement(&out, member);
        else if (json_get_object(json, "error", &member, NULL) == 0)
            read_keystone(&out, member);
    } else
        read_text(&out, body, length);
    return out;
}
