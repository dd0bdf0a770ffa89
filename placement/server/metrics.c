#include "placement/server/metrics.h"

#include <inttypes.h>
#include <string.h>

static const char *const methods[METRICS_METHODS] = {"GET", "PUT", "POST", "DELETE",
                                                     "other"};

void metrics_count(struct metrics *metrics, const struct request *request,
                   const struct reply *reply)
{
    size_t method = 0;
    while (method < METRICS_METHODS - 1 &&
           strcmp(methods[method], request->method) != 0)
        method++;
    if (reply->status > 0 && reply->status < METRICS_STATUSES)
        metrics->requests[method][reply->status]++;
}

static void write_requests(struct buffer *out, const struct metrics *metrics)
{
    buffer_add_text(out, "# HELP placementd_requests_total Requests answered.\n"
                         "# TYPE placementd_requests_total counter\n");
    for (size_t method = 0; method < METRICS_METHODS; method++)
        for (int status = 0; status < METRICS_STATUSES; status++)
            if (metrics->requests[method][status] > 0)
                buffer_format(
                    out,
                    "placementd_requests_total{method=\"%s\",status=\"%d\"} %" PRIu64
                    "\n",
                    methods[method], status, metrics->requests[method][status]);
}

static void write_one(struct buffer *out, const char *name, const char *type,
                      const char *help, double value)
{
    buffer_format(
        out, "# HELP placementd_%s %s\n# TYPE placementd_%s %s\nplacementd_%s %.17g\n",
        name, help, name, type, name, value);
}

static void write_all(struct buffer *out, const struct metrics *metrics,
                      const struct store *store)
{
    const struct graph *graph = &store->graph;
    write_requests(out, metrics);
    write_one(out, "commits_total", "counter",
              "Batches of changes that were made durable.", (double)metrics->commits);
    write_one(out, "failed_commits_total", "counter",
              "Batches of changes that the disk did not take.",
              (double)metrics->failed_commits);
    write_one(out, "commit_seconds_total", "counter", "Time that commits took.",
              metrics->commit_seconds);
    write_one(out, "database_writable", "gauge",
              "0 while changes are refused with 503: the disk does not take them, or "
              "the file was deleted or replaced.",
              store_is_writable(store));
    write_one(out, "database_log_bytes", "gauge",
              "Size of the write-ahead log. It grows as long as another program reads "
              "the database without end.",
              (double)database_log_size(store->database));
    write_one(out, "providers", "gauge", "Resource providers.",
              (double)graph->providers.count);
    write_one(out, "trees", "gauge", "Resource providers without a parent.",
              (double)graph->roots.count);
    write_one(out, "consumers", "gauge", "Consumers.", (double)graph->consumers.count);
    write_one(out, "traits", "gauge", "Traits, the standard ones included.",
              (double)graph->trait_count);
    write_one(out, "resource_classes", "gauge",
              "Resource classes, the standard ones included.",
              (double)graph->class_count);
}

void metrics_answer(const struct metrics *metrics, const struct store *store,
                    struct reply *reply)
{
    write_all(&reply->body.out, metrics, store);
    reply->status = 200;
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
}
