#include "placement/server/handlers/handlers.h"

#include <stdlib.h>

struct resource_provider *handler_provider(struct store *store,
                                           const struct request *request,
                                           struct reply *reply)
{
    struct resource_provider *provider =
        graph_provider(&store->graph, request->path_items[0]);
    if (!provider)
        reply_problem(reply, 404, NULL, "No resource provider with uuid %s found",
                      request->path_items[0]);
    return provider;
}

struct resource_provider *handler_provider_quoted(struct store *store,
                                                  const struct request *request,
                                                  const char *between,
                                                  struct reply *reply)
{
    const char *uuid = request->path_items[0];
    struct resource_provider *provider = graph_provider(&store->graph, uuid);
    if (!provider)
        reply_problem(reply, 404, NULL,
                      "No resource provider with uuid %s found%sNo resource provider "
                      "with uuid %s found",
                      uuid, between, uuid);
    return provider;
}

int handler_no_content(struct reply *reply)
{
    reply->status = 204;
    return 0;
}

int handler_failed(struct reply *reply, const struct error *err)
{
    return reply_problem(reply, 503, NULL, "%s", err->text);
}

bool handler_works(const struct request *request, uint64_t steps, struct reply *reply)
{
    /* The dispatcher reports a full reply. */
    if (reply->body.out.full)
        return false;
    if (budget_pass_written(request->budget, reply->body.out.length) &&
        budget_spend(request->budget, steps))
        return true;
    reply_problem(reply, 503, NULL,
                  "The request takes more work than %s; ask for less at once.",
                  request->budget->work < BUDGET_WORK
                      ? "others like it have left in these seconds"
                      : "one request may");
    return false;
}

void handler_sort_unique(void *pointers, size_t *count,
                         int (*compare)(const void *a, const void *b))
{
    void **items = pointers;
    size_t kept = 0;
    if (*count > 0)
        qsort(items, *count, sizeof *items, compare);
    for (size_t i = 0; i < *count; i++)
        if (kept == 0 || items[i] != items[kept - 1])
            items[kept++] = items[i];
    *count = kept;
}
