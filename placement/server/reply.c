#include "placement/server/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "placement/server/accept.h"
#include "placement/server/microversion.h"

/* What the statuses are called, and the sentence that goes before the detail. */
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
     "your "
     "browser does not understand how to supply the credentials required."},
    {403, "Forbidden", "Access was denied to this resource."},
    {404, "Not Found", "The resource could not be found."},
    {405, "Method Not Allowed", "The method is not allowed for this resource."},
    {406, "Not Acceptable",
     "The resource could not be generated that was acceptable to your browser."},
    {409, "Conflict", "There was a conflict when trying to complete your request."},
    {413, "Request Entity Too Large",
     "The body of your request was too large for this server."},
    {414, "Request-URI Too Long", "The request URI was too long for this server."},
    {415, "Unsupported Media Type",
     "The request media type is not supported by this server."},
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
    reply->timed = request_at_least(request, 15);
    reply->last_modified = when > 0 ? when : request->now;
}

static void write_problem(struct reply *reply, const struct request *request)
{
    const struct status *status = status_of(reply->status);
    _cleanup_free_ char *detail =
        xasprintf("%s\n\n %s  ", status->explanation, reply->detail);
    struct json_writer *w = &reply->body;
    json_write_begin_object(w);
    json_write_key(w, "errors");
    json_write_begin_array(w);
    json_write_begin_object(w);
    json_write_int_member(w, "status", reply->status);
    json_write_string_member(w, "title", status->title);
    json_write_string_member(w, "detail", detail);
    if (request->microversion >= 23)
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

/* 401 is made before the API begins, and so in another shape. */
static void write_unauthorized(struct reply *reply)
{
    struct json_writer *w = &reply->body;
    json_write_begin_object(w);
    json_write_string_member(w, "message", status_of(401)->explanation);
    json_write_string_member(w, "code", "401 Unauthorized");
    json_write_string_member(w, "title", status_of(401)->title);
    json_write_end_object(w);
}

/* What stands for a character in HTML, NULL for itself. */
static const char *html_entity(char c)
{
    return c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : NULL;
}

static void write_text(struct reply *reply, bool html)
{
    const struct status *status = status_of(reply->status);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        abort();
    if (html)
        fprintf(out,
                "<html>\n <head>\n  <title>%d %s</title>\n </head>\n <body>\n"
                "  <h1>%d %s</h1>\n  %s<br /><br />\n",
                reply->status, status->title, reply->status, status->title,
                status->explanation);
    else
        fprintf(out, "%d %s\n\n%s\n\n ", reply->status, status->title,
                status->explanation);
    for (const char *p = reply->detail; *p; p++) {
        const char *entity = html ? html_entity(*p) : NULL;
        if (entity)
            fputs(entity, out);
        else
            fputc(*p, out);
    }
    fputs(html ? "\n </body>\n</html>\n" : "\n", out);
    fclose(out);
    reply->content_type =
        html ? "text/html; charset=UTF-8" : "text/plain; charset=UTF-8";
    reply->body = (struct json_writer){.text = text, .length = length, .room = length};
}

void reply_finish_problem(struct reply *reply, const struct request *request)
{
    static const char *const offers[] = {"text/html", "application/json", NULL};
    json_writer_clear(&reply->body);
    const char *type = accept_best(request->accept, offers);
    if (!type || strcmp(type, "application/json") != 0)
        write_text(reply, type != NULL);
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
