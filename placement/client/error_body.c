#include "placement/client/error_body.h"

#include <ctype.h>
#include <string.h>

#include "lib/json_read.h"
#include "lib/xalloc.h"

/* The length of a text that is processed; what comes after it would not be shown
 * anyway. */
#define MOST_LOOKED_AT (16u << 10)

/* Copies up to `length` bytes. Each run of blanks and control characters becomes one
 * space. A text that does not fit is cut and marked; the cut never leaves half a UTF-8
 * character. */
static void collapse(char *out, size_t size, const char *text)
{
    size_t used = 0;
    bool blank = false;
    for (size_t i = 0; text[i]; i++) {
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

/* Secrets are hidden before blanks are collapsed, since a secret may contain blanks. */
static void copy_line(char *out, size_t size, const char *text, size_t length,
                      const struct auth *auth)
{
    _cleanup_free_ char *shown =
        xstrndup(text, length < MOST_LOOKED_AT ? length : MOST_LOOKED_AT);
    if (auth)
        auth_redact(auth, shown);
    collapse(out, size, shown);
}

static void copy_member(char *out, size_t size, struct json_object *json,
                        const char *name, const struct auth *auth)
{
    const char *text;
    if (json_get_string(json, name, &text, NULL) == 0)
        copy_line(out, size, text, strlen(text), auth);
}

/* Placement's detail begins with the standard sentence on its status. Only the
 * paragraph after it is useful; a schema may follow, which is left out. */
static void copy_detail(struct error_body *out, const char *detail,
                        const struct auth *auth)
{
    const char *second = strstr(detail, "\n\n");
    if (second && second[2 + strspn(second + 2, " \n")])
        detail = second + 2 + strspn(second + 2, " \n");
    const char *end = strstr(detail, "\n\n");
    copy_line(out->text, sizeof out->text, detail,
              end ? (size_t)(end - detail) : strlen(detail), auth);
}

static void read_placement(struct error_body *out, struct json_object *errors,
                           const struct auth *auth)
{
    struct json_object *first = json_object_array_get_idx(errors, 0);
    const char *detail;
    if (json_get_string(first, "detail", &detail, NULL) == 0)
        copy_detail(out, detail, auth);
    if (!out->text[0])
        copy_member(out->text, sizeof out->text, first, "title", auth);
    copy_member(out->code, sizeof out->code, first, "code", NULL);
    copy_member(out->request_id, sizeof out->request_id, first, "request_id", NULL);
}

static void read_keystone(struct error_body *out, struct json_object *error,
                          const struct auth *auth)
{
    copy_member(out->text, sizeof out->text, error, "message", auth);
    if (!out->text[0])
        copy_member(out->text, sizeof out->text, error, "title", auth);
}

/* Whether the text is ASCII, so that its encoding need not be guessed. */
static bool is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isprint((unsigned char)text[i]) && !isspace((unsigned char)text[i]))
            return false;
    return true;
}

/* Takes the title of an HTML page, which comes from a proxy; takes other text as it
 * is. */
static void read_text(struct error_body *out, const char *body, size_t length,
                      const struct auth *auth)
{
    const char *title = strcasestr(body, "<title>");
    const char *end = title ? strcasestr(title, "</title>") : NULL;
    if (end) {
        body = title + strlen("<title>");
        length = (size_t)(end - body);
    } else if (memchr(body, '<', length))
        return;
    if (is_plain(body, length))
        copy_line(out->text, sizeof out->text, body, length, auth);
}

struct error_body error_body_parse(const char *body, size_t length,
                                   const struct auth *auth)
{
    struct error_body out = {0};
    _cleanup_json_ struct json_object *json = NULL;
    if (json_parse_within(body, length, &http_reply_bounds, &json, NULL) == 0) {
        struct json_object *member;
        if (json_get_array(json, "errors", &member, NULL) == 0 &&
            json_object_array_length(member) > 0) {
            out.from_placement = true;
            read_placement(&out, member, auth);
        } else if (json_get_object(json, "error", &member, NULL) == 0)
            read_keystone(&out, member, auth);
    } else
        read_text(&out, body, length, auth);
    return out;
}
