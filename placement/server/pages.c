#include "placement/server/pages.h"

#include <string.h>

#include "lib/page.h"
#include "lib/xalloc.h"
#include "placement/server/status.h"

#ifndef PAGES
#define PAGES "."
#endif
PAGE_EMBED(placementd_page, PAGES "/placementd");

static void add_headers(struct reply *reply, const char *policy)
{
    for (const struct page_header *h = page_headers; h->name; h++)
        reply_header(reply, h->name, h->value);
    reply_header(reply, "Cache-Control", "no-store");
    reply_header(reply, PAGE_POLICY, policy);
}

static void answer_page(struct reply *reply)
{
    buffer_add_text(&reply->body.out, placementd_page);
    reply->content_type = "text/html; charset=utf-8";
    reply->status = 200;
}

void pages_answer(const struct metrics *metrics, const struct store *store,
                  const struct request *request, struct reply *reply)
{
    bool is_page = strcmp(request->path, "/") == 0;
    add_headers(reply, is_page ? placementd_page_policy : PAGE_NO_POLICY);
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
        reply_problem(reply, 405, NULL, "only GET and HEAD");
        reply->allow = xstrdup("GET, HEAD");
    } else if (is_page) {
        answer_page(reply);
    } else if (strcmp(request->path, "/status.json") == 0) {
        status_answer(store, request, reply);
    } else if (strcmp(request->path, "/metrics") == 0) {
        metrics_answer(metrics, store, reply);
    } else {
        reply_problem(reply, 404, NULL,
                      "only /, /status.json and /metrics are here; the API has an "
                      "address of its own");
    }
    if (reply->status >= 400 && reply->body.out.length == 0)
        reply_finish_problem(reply, request);
}
