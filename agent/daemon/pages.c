#include "agent/daemon/pages.h"

#include <string.h>

#include "agent/report/problems_file.h"
#include "lib/duration.h"
#include "lib/page.h"
#include "lib/xalloc.h"

#ifndef PAGES
#define PAGES "."
#endif
PAGE_EMBED(agent_page, PAGES "/agent");

/* Milliseconds since the last cycle ended, or since the start. */
static int64_t silence(const struct daemon_state *state)
{
    return state->extra.monotonic - (state->last_end ? state->last_end : state->begin);
}

static bool is_overdue(const struct daemon_state *state)
{
    return silence(state) > 1000 * daemon_overdue_after(state->sync_interval);
}

static void make_health(const struct daemon_state *state, struct http_page *page)
{
    _cleanup_free_ char *ago = duration_text(silence(state) / 1000);
    bool overdue = is_overdue(state);
    page->status = overdue ? 503 : 200;
    page->text =
        overdue
            ? xasprintf("the %s %s ago\n",
                        state->last_end ? "last cycle ended" : "first cycle began", ago)
            : xstrdup("ok\n");
}

static void make_readiness(const struct daemon_state *state, struct http_page *page)
{
    bool ready = state->last_end > 0 && state->failure->code == ERROR_NONE;
    page->status = ready ? 200 : 503;
    if (ready)
        page->text = xstrdup("ok\n");
    else if (state->last_end == 0)
        page->text = xstrdup("the first cycle is not over\n");
    else
        page->text = xasprintf("%s\n", state->failure->text);
}

static void make_status(const struct daemon_state *state, struct http_page *page)
{
    const struct metrics *metrics = state->metrics;
    bool failed = state->failure->code != ERROR_NONE;
    const struct status_feed feed = {
        .mode = state->extra.mode,
        .time = state->time,
        .cycle_end = state->last_end ? state->time - silence(state) / 1000 : 0,
        .seen = metrics->last_success,
        .overdue = is_overdue(state),
        .failure = failed ? state->failure->text : NULL,
        .gpus = &metrics->gpus,
        .counts_known = metrics->allocations_known,
        .counts = metrics->allocations,
        .overview = state->overview,
        .guests = state->guests,
        .problems = state->problems,
    };
    page->status = 200;
    page->type = "application/json";
    page->text = status_feed_text(&feed);
}

static void make_page(struct http_page *page)
{
    page->status = 200;
    page->type = "text/html; charset=utf-8";
    page->policy = agent_page_policy;
    page->text = xstrdup(agent_page);
}

void pages_make(const struct daemon_state *state, const char *path,
                struct http_page *page)
{
    if (strcmp(path, "/") == 0) {
        make_page(page);
    } else if (strcmp(path, "/status.json") == 0) {
        make_status(state, page);
    } else if (strcmp(path, "/metrics") == 0) {
        page->status = 200;
        page->type = "text/plain; version=0.0.4; charset=utf-8";
        page->text = metrics_text(state->metrics, &state->extra);
    } else if (strcmp(path, "/healthz") == 0) {
        make_health(state, page);
    } else if (strcmp(path, "/readyz") == 0) {
        make_readiness(state, page);
    }
}
