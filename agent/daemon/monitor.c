#include "agent/daemon/monitor.h"

#include <poll.h>
#include <string.h>
#include <time.h>

#include "agent/daemon/pages.h"
#include "agent/report/cycle_problems.h"
#include "agent/report/problems_file.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/xalloc.h"

struct monitor {
    const struct config *config;  /* borrowed */
    const struct agent *agent;    /* borrowed */
    struct problem_list problems; /* the problems after the last cycle */
    struct problem_list guests;   /* those of them that concern guests */
    /* Why the last cycle could not look; code NONE: it could. */
    struct error failure;
    unsigned failures; /* cycles in a row that could not look */
    struct problems_file report;
    bool report_failed;
    struct metrics metrics;
    struct overview overview;
    const struct guests_report *guests_report; /* borrowed; NULL: not looked at yet */
    int64_t begin;              /* when the daemon started, in milliseconds */
    int64_t last_end;           /* when the last cycle ended; 0: none has */
    struct status_server *http; /* NULL: nothing is served */
    char *http_address;         /* [agent] listen when `http` was made */
    /* Why nothing is served although [agent] listen is set; NULL: there is no such
     * problem. */
    char *http_problem;
    bool files_changed; /* the files have changed since they were read */
    /* Why the daemon keeps the old configuration after a reload; NULL: it does not. */
    char *reload_problem;
};

struct monitor *monitor_new(void)
{
    struct monitor *monitor = xcalloc(1, sizeof *monitor);
    monitor->begin = clock_monotonic_ms();
    return monitor;
}

static void close_http(struct monitor *monitor)
{
    status_server_free(monitor->http);
    free(monitor->http_address);
    free(monitor->http_problem);
    monitor->http = NULL;
    monitor->http_address = monitor->http_problem = NULL;
}

void monitor_free(struct monitor *monitor)
{
    if (!monitor)
        return;
    close_http(monitor);
    free(monitor->reload_problem);
    problems_clear(&monitor->problems);
    problems_clear(&monitor->guests);
    problems_file_clear(&monitor->report);
    metrics_clear(&monitor->metrics);
    overview_clear(&monitor->overview);
    free(monitor);
}

/* ---- the pages ---- */

static void make_page(void *data, const char *path, struct http_page *page)
{
    const struct monitor *monitor = data;
    const struct daemon_state state = {
        .metrics = &monitor->metrics,
        .extra = {.mode = monitor->config->agent.mode,
                  .requests = agent_requests(monitor->agent),
                  .token_expires_at = agent_token_expires_at(monitor->agent),
                  .reload_failed = monitor->reload_problem != NULL,
                  .monotonic = clock_monotonic_ms()},
        .begin = monitor->begin,
        .last_end = monitor->last_end,
        .sync_interval = monitor->config->agent.sync_interval,
        .failure = &monitor->failure,
        .time = time(NULL),
        .overview = &monitor->overview,
        .guests = monitor->guests_report,
        .problems = &monitor->problems,
    };
    pages_make(&state, path, page);
}

void monitor_follow(struct monitor *monitor, const struct config *config,
                    const struct agent *agent)
{
    const char *wanted = config->agent.listen;
    monitor->config = config;
    monitor->agent = agent;
    if (monitor->http && wanted && strcmp(monitor->http_address, wanted) == 0)
        return;
    close_http(monitor);
    if (!wanted)
        return;
    struct error err;
    const struct http_pages pages = {make_page, monitor};
    if (status_server_new(wanted, &pages, &monitor->http, &err) != 0) {
        monitor->http_problem =
            xasprintf("nothing is served to monitoring: %s", err.text);
        return;
    }
    monitor->http_address = xstrdup(wanted);
    log_info("agent", "serves http://%s/metrics", status_server_address(monitor->http));
}

void monitor_run(const struct monitor *monitor)
{
    status_server_run(monitor->http);
}

static void on_request(void *data)
{
    monitor_run(data);
}

struct watch monitor_watch(const struct monitor *monitor)
{
    return (struct watch){status_server_fd(monitor->http), POLLIN,
                          status_server_timeout(monitor->http), on_request,
                          (void *)monitor};
}

/* ---- reporting after a cycle ---- */

/* Logs a cycle that could not look, once for each kind of error in a row. */
static void note_failure(struct monitor *monitor, const struct error *err)
{
    if (monitor->failure.code != err->code)
        log_error("agent", "devices stay as they are: %s", err->text);
    monitor->failure = *err;
    monitor->failures++;
    _cleanup_free_ char *state = xasprintf("STATUS=%s", err->text);
    notify_news(state);
}

static void note_success(struct monitor *monitor)
{
    if (monitor->failure.code != ERROR_NONE)
        log_info("agent", "all can be seen again, after %u attempts",
                 monitor->failures + 1);
    monitor->failure = (struct error){0};
    monitor->failures = 0;
    const struct problem_list *standing = &monitor->problems;
    _cleanup_free_ char *state =
        standing->count == 0 ? xstrdup("STATUS=all is well")
                             : xasprintf("STATUS=%zu not well, the first: %s",
                                         standing->count, standing->items[0].text);
    notify_news(state);
}

static void add_all(struct problem_list *to, const struct problem_list *from)
{
    for (size_t i = 0; i < from->count; i++)
        problems_add(to, from->items[i].about, from->items[i].text);
}

static bool is_about_guests(const struct problem *problem)
{
    return strncmp(problem->about, "guest ", 6) == 0 ||
           strcmp(problem->about, "attach") == 0;
}

/* All but those of guests, which are found anew each time. */
static void add_others(struct problem_list *to, const struct problem_list *from)
{
    for (size_t i = 0; i < from->count; i++)
        if (!is_about_guests(&from->items[i]))
            problems_add(to, from->items[i].about, from->items[i].text);
}

static void add_of_cycle(struct problem_list *to, const struct cycle *cycle)
{
    _cleanup_gpus_ struct gpu_status_list gpus = {0};
    if (cycle->round_count == 0)
        return;
    cycle_problems(cycle, to);
    gpu_status_make(cycle, &gpus);
    gpu_status_add_problems(&gpus, to);
}

/* When Placement was not read, its earlier problems are kept. */
static void note_problems(struct monitor *monitor, const struct cycle *cycle, bool seen)
{
    struct problem_list now = {0};
    add_of_cycle(&now, cycle);
    if (!seen)
        add_others(&now, &monitor->problems);
    metrics_overdue(&monitor->metrics, clock_monotonic_ms(), &now);
    char *full = state_folder_full(monitor->config->agent.state_file);
    if (full)
        problems_add_take(&now, NULL, full);
    add_all(&now, &monitor->guests);
    if (monitor->http_problem)
        problems_add(&now, "listen", monitor->http_problem);
    if (monitor->reload_problem)
        problems_add(&now, "reload", monitor->reload_problem);
    else if (monitor->files_changed)
        problems_add(&now, NULL, DAEMON_FILES_CHANGED);
    problems_update(&monitor->problems, &now);
}

static void write_report(struct monitor *monitor)
{
    _cleanup_problem_list_ struct problem_list all = {0};
    if (monitor->failure.code != ERROR_NONE)
        problems_add(&all, NULL, monitor->failure.text);
    /* Those of guests change between cycles, and are in a file of their own
     * (agent/report/guests_file.h). */
    add_others(&all, &monitor->problems);
    uuid_text_copy(monitor->report.digest, monitor->config->digest);
    struct error err;
    int rc = problems_file_write(&monitor->report, monitor->config->agent.state_file,
                                 &all, &err);
    if (rc != 0 && !monitor->report_failed)
        log_error("agent", "%s", err.text);
    monitor->report_failed = rc != 0;
}

/* As `status` and the page count them. */
static size_t count_problems(const struct monitor *monitor)
{
    return monitor->problems.count + (monitor->failure.code != ERROR_NONE);
}

static bool is_equal(const struct problem_list *a, const struct problem_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i].text, b->items[i].text) != 0)
            return false;
    return true;
}

void monitor_note_guests(struct monitor *monitor, const struct guests_report *report,
                         const struct metrics_guests *guests)
{
    const struct problem_list *problems = &report->problems;
    monitor->guests_report = report;
    monitor->metrics.guests = *guests;
    if (is_equal(problems, &monitor->guests))
        return;
    problems_clear(&monitor->guests);
    add_all(&monitor->guests, problems);
    struct problem_list now = {0};
    add_others(&now, &monitor->problems);
    add_all(&now, &monitor->guests);
    problems_update(&monitor->problems, &now);
    monitor->metrics.problems = count_problems(monitor);
}

void monitor_note_files(struct monitor *monitor, bool changed)
{
    monitor->files_changed = changed;
}

void monitor_note_reload(struct monitor *monitor, const char *problem)
{
    free(monitor->reload_problem);
    monitor->reload_problem = NULL;
    if (!problem)
        return;
    monitor->reload_problem =
        xasprintf("reload: the old configuration stays: %s", problem);
    /* Logged at each reload; adding it here keeps problems_update() from logging it
     * again. */
    log_error("agent", "%s", monitor->reload_problem);
    problems_add(&monitor->problems, "reload", monitor->reload_problem);
}

void monitor_note_cycle(struct monitor *monitor, const struct cycle *cycle,
                        const struct error *failure, uint64_t took)
{
    note_problems(monitor, cycle, !failure);
    if (failure)
        note_failure(monitor, failure);
    else
        note_success(monitor);
    write_report(monitor);
    monitor->last_end = clock_monotonic_ms();
    const struct metrics_clock clock = {
        .now = time(NULL), .monotonic = monitor->last_end, .cycle_took = took};
    metrics_note_cycle(&monitor->metrics, cycle, failure, count_problems(monitor),
                       &clock);
    if (!failure)
        overview_note_cycle(&monitor->overview, cycle);
}
