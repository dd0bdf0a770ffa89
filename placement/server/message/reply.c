#include "placement/server/message/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/utf8.h"
#include "lib/xalloc.h"
#include "placement/server/message/accept.h"
#include "placement/server/message/microversion.h"

/* The titles of the statuses, and the sentence before the detail. The words are
 * upstream's; "%s" quotes the request. */
static const struct status {
    int status;
    const char *title, *explanation;
} statuses[] = {
    {400, "Bad Request",
     "The server could not comply with the request since it is either malformed or "
     "otherwise incorrect."},
    {401, "Unauthorized",
     "This server could not verify that you are authorized to access the document you "
     "requested. Either you supplied the wrong credentials (e.g., bad password), or "
     "your browser does not understand how to supply the credentials required."},
    {403, "Forbidden", "Access was denied to this resource."},
    {404, "Not Found", "The resource could not be found."},
    {405, "Method Not Allowed", "The method %s is not allowed for this resource. "},
    {406, "Not Acceptable",
     "The resource could not be generated that was acceptable to your browser "
     "(content of type %s. "},
    {409, "Conflict", "There was a conflict when trying to complete your request."},
    {413, "Request Entity Too Large",
     "The body of your request was too large for this server."},
    {414, "Request-URI Too Long", "The request URI was too long for this server."},
    {415, "Unsupported Media Type",
     "The request media type %s is not supported by this server. "},
    {431, "Request Header Fields Too Large",
     "The headers of your request are too large."},
    {503, "Service Unavailable",
     "The server is currently unavailable. Please try again at a later time."},
    {500, "Internal Server Error",
     "The server has either erred or is incapable of performing the requested "
     "operation."},
};

static const struct status *status_of(int number)
{
    size_t i = 0;
    while (i < sizeof statuses / sizeof *statuses - 1 && statuses[i].status != number)
        i++;
    return &statuses[i];
}

int reply_problem(struct reply *reply, int status, const char *code, const char *format,
                  ...)
{
    json_writer_clear(&reply->body);
    free(reply->detail);
    free(reply->location);
    reply->location = NULL;
    reply->timed = false;
    va_list args;
    va_start(args, format);
    if (vasprintf(&reply->detail, format, args) < 0)
        abort();
    va_end(args);
    reply->status = status;
    reply->code = code;
    return -1;
}

void reply_last_modified(struct reply *reply, const struct request *request,
                         int64_t when)
{
    reply->timed = request_at_least(request, MICROVERSION_LAST_MODIFIED);
    reply->last_modified = when > 0 ? when : request->now;
}

/* What the sentence of that status quotes; NULL when it quotes nothing. */
static const char *quoted(int status, const struct request *request)
{
    const char *type = request->content_type;
    switch (status) {
    case 405:
        return request->method;
    case 406:
        return accept_asked(request->accept);
    case 415:
        return type && *type ? type : "None";
    default:
        return NULL;
    }
}

static char *explain(int status, const struct request *request)
{
    const char *sentence = status_of(status)->explanation;
    const char *quote = quoted(status, request), *at = strstr(sentence, "%s");
    if (!quote || !at)
        return xstrdup(sentence);
    _cleanup_free_ char *valid = utf8_made_valid(quote);
    return xasprintf("%.*s%s%s", (int)(at - sentence), sentence, valid, at + 2);
}

/* Upstream makes its texts as HTML first, and then takes out what looks like a tag. */
static void drop_tags(char *text)
{
    char *out = text;
    while (*text) {
        char *end = *text == '<' ? strchr(text, '>') : NULL;
        if (end)
            text = end + 1;
        else if (*text++ != '\r')
            *out++ = text[-1] == '\n' ? ' ' : text[-1];
    }
    *out = 0;
}

static void write_problem(struct reply *reply, const struct request *request)
{
    const struct status *status = status_of(reply->status);
    _cleanup_free_ char *sentence = explain(reply->status, request);
    drop_tags(sentence);
    drop_tags(reply->detail);
    _cleanup_free_ char *detail = xasprintf("%s\n\n %s%s", sentence, reply->detail,
                                            quoted(reply->status, request) ? "" : "  ");
    struct json_writer *w = &reply->body;
    json_write_begin_object(w);
    json_write_key(w, "errors");
    json_write_begin_array(w);
    json_write_begin_object(w);
    json_write_int_member(w, "status", reply->status);
    json_write_string_member(w, "title", status->title);
    json_write_string_member(w, "detail", detail);
    if (request->microversion >= MICROVERSION_ERROR_CODE)
        json_write_string_member(w, "code", reply->code ? reply->code : CODE_UNDEFINED);
    json_write_string_member(w, "request_id", request->id);
    if (reply->status == 406 && request->microversion < 0) {
        _cleanup_free_ char *max = xasprintf("1.%d", MICROVERSION_MAX);
        json_write_string_member(w, "max_version", max);
        json_write_string_member(w, "min_version", "1.0");
    }
    json_write_end_object(w);
    json_write_end_array(w);
    json_write_end_object(w);
}

/* Upstream's 401 is made by the authentication in front of the API, and has another
 * form. */
static void write_unauthorized(struct reply *reply)
{
    struct json_writer *w = &reply->body;
    json_write_begin_object(w);
    _cleanup_free_ char *message =
        xasprintf("%s<br /><br />\n%s\n\n", status_of(401)->explanation, reply->detail);
    json_write_string_member(w, "message", message);
    json_write_string_member(w, "code", "401 Unauthorized");
    json_write_string_member(w, "title", status_of(401)->title);
    json_write_end_object(w);
}

/* The entity that stands for a character in HTML; NULL for the character itself. */
static const char *html_entity(char c)
{
    switch (c) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#x27;";
    default:
        return NULL;
    }
}

static void write_html(struct buffer *out, const char *text)
{
    for (; *text; text++) {
        const char *entity = html_entity(*text);
        if (entity)
            buffer_add_text(out, entity);
        else
            buffer_add_char(out, *text);
    }
}

static void write_text(struct reply *reply, const struct request *request, bool html)
{
    const struct status *status = status_of(reply->status);
    _cleanup_free_ char *sentence = explain(reply->status, request);
    struct buffer *out = &reply->body.out;
    if (html) {
        buffer_format(out,
                      "<html>\n <head>\n  <title>%d %s</title>\n </head>\n <body>\n"
                      "  <h1>%d %s</h1>\n  ",
                      reply->status, status->title, reply->status, status->title);
        write_html(out, sentence);
        buffer_add_text(out, "<br /><br />\n");
        write_html(out, reply->detail);
        buffer_add_text(out, "\n\n\n </body>\n</html>");
    } else {
        drop_tags(sentence);
        drop_tags(reply->detail);
        buffer_format(out, "%d %s\n\n%s\n\n %s  ", reply->status, status->title,
                      sentence, reply->detail);
    }
    reply->content_type =
        html ? "text/html; charset=UTF-8" : "text/plain; charset=UTF-8";
}

void reply_finish_problem(struct reply *reply, const struct request *request)
{
    static const char *const offers[] = {"text/html", "application/json", NULL};
    json_writer_clear(&reply->body);
    /* The detail may quote what the client sent, which may be any bytes. */
    char *detail = utf8_made_valid(reply->detail);
    free(reply->detail);
    reply->detail = detail;
    const char *type = accept_best(request->accept, offers);
    if (!type || strcmp(type, "application/json") != 0)
        write_text(reply, request, type != NULL);
    else if (reply->status == 401)
        write_unauthorized(reply);
    else
        write_problem(reply, request);
}

void reply_header(struct reply *reply, const char *name, const char *value)
{
    *array_add(reply->headers, reply->header_count) =
        (struct reply_header){name, xstrdup(value)};
}

void reply_clear(struct reply *reply)
{
    json_writer_clear(&reply->body);
    free(reply->location);
    free(reply->detail);
    free(reply->allow);
    for (size_t i = 0; i < reply->header_count; i++)
        free(reply->headers[i].value);
    free(reply->headers);
    *reply = (struct reply){0};
}
