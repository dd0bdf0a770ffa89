#include "agent/daemon/pages.h"

#include <string.h>

#include "agent/report/problems_file.h"
#include "lib/duration.h"
#include "lib/xalloc.h"

static void make_health(const struct daemon_state *state, struct http_page *page)
{
    int64_t last = state->last_end ? state->last_end : state->begin;
    int64_t since = state->extra.monotonic - last;
    _cleanup_free_ char *ago = duration_text(since / 1000);
    bool overdue = since > 1000 * daemon_overdue_after(state->sync_interval);
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

void pages_make(const struct daemon_state *state, const char *path,
                struct http_page *page)
{
    if (strcmp(path, "/metrics") == 0) {
        page->status = 200;
        page->type = "text/plain; version=0.0.4; charset=utf-8";
        page->text = metrics_text(state->metrics, &state->extra);
    } else if (strcmp(path, "/healthz") == 0) {
        make_health(state, page);
    } else if (strcmp(path, "/readyz") == 0) {
        make_readiness(state, page);
    }
}
