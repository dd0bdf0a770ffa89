/* vgpu-agent status: whether all is well, and what is not, on one screen. */
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "agent/command/session.h"
#include "agent/command/view.h"
#include "agent/plan/steps/text.h"
#include "agent/report/cycle_problems.h"
#include "agent/report/gpu_status.h"
#include "agent/report/guests_file.h"
#include "agent/report/problems_file.h"
#include "agent/report/status_json.h"
#include "agent/state/instance_lock.h"
#include "lib/duration.h"
#include "lib/json_write.h"
#include "lib/pci_address.h"
#include "lib/printable.h"
#include "lib/text_wrap.h"
#include "lib/xalloc.h"

struct status {
    const struct cycle *cycle;
    int64_t now;                   /* seconds since the epoch */
    unsigned sync_interval;        /* seconds */
    struct instance_holder holder; /* the process that may change things */
    /* the end of the daemon's last cycle; 0: none has ended */
    int64_t cycle_end;
    /* the files have changed since the daemon read them */
    bool files_changed;
    /* why the state file cannot be written (full disk); NULL: it can */
    char *no_space;
    /* the problems that the daemon reports */
    struct problem_list said;
    /* how the guests stand, as the daemon sees it; `guests_known`: it has said so */
    struct guests_report guests;
    bool guests_known;
    struct error placement;                    /* code NONE: Placement answers */
    size_t allocations[ALLOCATION_FAILED + 1]; /* by state */
    struct gpu_status_list gpus;
    struct problem_list problems;
};

/* ---- collecting ---- */

static pid_t daemon_of(const struct status *status)
{
    return strcmp(status->holder.command, INSTANCE_DAEMON) == 0 ? status->holder.pid
                                                                : 0;
}

/* The number of steps that the daemon is about to carry out, or could not. */
static size_t change_count(const struct status *status)
{
    return cycle_plan(status->cycle)->step_count;
}

/* Whether Placement was read and has the root provider that the state file belongs to.
 * Otherwise it is not known which consumer has which device, and what is to be done. */
static bool is_known(const struct status *status)
{
    return status->cycle->observed && !cycle_plan(status->cycle)->other_root;
}

/* Seconds since the end of the daemon's last cycle, or since its start when no cycle
 * has ended. */
static int64_t silence(const struct status *status)
{
    int64_t last = status->cycle_end ? status->cycle_end : status->holder.since;
    return last && status->now > last ? status->now - last : 0;
}

static void add_daemons_problems(struct status *status)
{
    int64_t most = daemon_overdue_after(status->sync_interval);
    _cleanup_free_ char *long_ago = duration_text(silence(status));
    if (daemon_of(status) == 0)
        problems_add(&status->problems, NULL, "the daemon does not run");
    else if (silence(status) > most)
        problems_add_take(
            &status->problems, NULL,
            xasprintf("the daemon hangs: it has ended no cycle for %s", long_ago));
}

static void add_problems(struct status *status, const struct command_session *session)
{
    add_daemons_problems(status);
    if (session->faulty)
        problems_add(
            &status->problems, NULL,
            daemon_of(status) == 0
                ? "the files have errors (`vgpu-agent check-config` lists them); the "
                  "daemon does not start with them"
                : "the files have errors (`vgpu-agent check-config` lists them); the "
                  "daemon goes on with the options that it read before, which may be "
                  "others than what is shown here");
    else if (status->files_changed)
        problems_add(&status->problems, NULL, DAEMON_FILES_CHANGED);
    if (status->no_space)
        problems_add(&status->problems, NULL, status->no_space);
    if (session->note)
        problems_add(&status->problems, NULL, session->note);
    if (status->placement.code != ERROR_NONE &&
        !command_session_has_said(session, &status->placement))
        problems_add(&status->problems, NULL, status->placement.text);
    cycle_problems(status->cycle, &status->problems);
    gpu_status_add_problems(&status->gpus, &status->problems);
    const struct problem_list *lists[] = {&status->said, &status->guests.problems};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (size_t j = 0; j < lists[i]->count; j++)
            problems_add(&status->problems, NULL, lists[i]->items[j].text);
}

/* ---- for people ---- */

static void print_placement(const struct status *status, bool wide)
{
    const struct observed *observed = status->cycle->observed;
    _cleanup_free_ char *root = printable_copy(observed ? observed->root_name : NULL);
    if (!observed)
        printf("Placement    cannot be read\n");
    else if (observed->root_found && wide)
        printf("Placement    %s (%s)\n", root, observed->root_uuid);
    else if (observed->root_found)
        printf("Placement    %s\n", root);
    else
        printf("Placement    has no provider for this host yet (%s)\n", root);
}

/* Who keeps the providers, where it is not the agent. */
static void print_mode(const struct config *config)
{
    if (config->agent.mode != MODE_OWNER)
        printf("mode         %s: nova-compute keeps the GPUs' providers\n",
               agent_mode_name(config->agent.mode));
}

static void print_allocations(const struct status *status)
{
    _cleanup_strlist_ struct strlist parts = {0};
    for (int i = 0; i <= ALLOCATION_FAILED; i++)
        if (status->allocations[i] > 0)
            strlist_add_take(
                &parts, xasprintf("%zu %s", status->allocations[i],
                                  allocation_state_name((enum allocation_state)i)));
    _cleanup_free_ char *text = strlist_join(&parts, ", ");
    printf("allocations  %s\n", !is_known(status) ? "not known"
                                : parts.count     ? text
                                                  : "none");
}

static void print_guests(const struct status *status)
{
    const struct guests *guests = &status->guests.guests;
    _cleanup_strlist_ struct strlist parts = {0};
    for (enum guest_state state = GUEST_ABSENT; state <= GUEST_FAILED; state++)
        if (guests_count(guests, &state)) {
            char *part = xasprintf("%zu %s", guests_count(guests, &state),
                                   guest_state_name(state));
            for (char *p = part; *p; p++)
                *p = *p == '_' ? ' ' : *p;
            strlist_add_take(&parts, part);
        }
    if (guests_count(guests, NULL))
        strlist_add_take(&parts, xasprintf("%zu unknown", guests_count(guests, NULL)));
    _cleanup_free_ char *text = strlist_join(&parts, ", ");
    printf("guests       %s\n", !status->guests_known ? "not known"
                                : parts.count         ? text
                                                      : "none");
}

static void add_gpu(struct table *table, const struct style *style,
                    const struct gpu_status *gpu)
{
    table_string(table, gpu->gpu);
    table_brief(table, pci_address_brief(gpu->gpu));
    table_string(table, gpu->provider_name);
    table_string(table, gpu->type_id);
    table_string(table, gpu->resource_class);
    view_add_state(table, gpu);
    view_add_numbers(table, style, gpu, gpu->known);
    /* A reason that is a problem is printed among the problems. */
    table_string(table, gpu->wrong ? NULL : gpu->reason);
}

static void print_gpus(const struct status *status,
                       const struct command_context *context)
{
    static const struct table_column columns[] = {
        {.key = "gpu"},      {.key = "provider", .place = COLUMN_WIDE},
        {.key = "type"},     {.key = "class", .place = COLUMN_ROOM},
        {.key = "service"},  {.key = "health"},
        {.key = "total"},    {.key = "used"},
        {.key = "reserved"}, {.key = "note", .place = COLUMN_BELOW},
        {.key = NULL},
    };
    _cleanup_(table_freep) struct table *table = table_new(columns);
    size_t shown = 0;
    for (size_t i = 0; i < status->gpus.count; i++) {
        if (!status_json_shows(&status->gpus.items[i]))
            continue;
        add_gpu(table, &context->style, &status->gpus.items[i]);
        shown++;
    }
    if (shown > 0)
        table_print_styled(table, context->format, &context->style, stdout);
}

static void print_daemon(const struct status *status)
{
    const struct instance_holder *holder = &status->holder;
    _cleanup_free_ char *long_ago = duration_text(silence(status));
    if (daemon_of(status) && status->cycle_end)
        printf("daemon       runs (pid %ld), its last cycle ended %s ago\n",
               (long)holder->pid, long_ago);
    else if (daemon_of(status))
        printf("daemon       runs (pid %ld), %s\n", (long)holder->pid,
               status->no_space ? "and cannot write down how it stands"
                                : "its first cycle is under way");
    else if (holder->pid)
        printf("daemon       does not run; vgpu-agent %s does (pid %ld)\n",
               holder->command, (long)holder->pid);
    else
        printf("daemon       does not run\n");
}

static void print_problems(const struct status *status, const struct style *style)
{
    if (status->problems.count)
        style_put(style, TONE_BAD, "not well:", stdout);
    else if (daemon_of(status) && !status->cycle_end)
        style_put(style, TONE_PLAIN,
                  "nothing is known to be wrong; the daemon has not said yet", stdout);
    else
        style_put(style, TONE_GOOD, "all is well", stdout);
    putchar('\n');
    for (size_t i = 0; i < status->problems.count; i++) {
        _cleanup_free_ char *text = printable_copy(status->problems.items[i].text);
        if (style->on)
            text_wrap(text, 2, style->width, stdout);
        else
            printf("  %s\n", text); /* one line a problem, for grep(1) */
    }
}

static void print_text(const struct status *status,
                       const struct command_context *context)
{
    print_mode(status->cycle->config);
    print_placement(status, context->format == FORMAT_WIDE);
    print_allocations(status);
    print_guests(status);
    if (!is_known(status))
        puts("changes      not known");
    else if (change_count(status))
        printf("changes      %zu to be made%s\n", change_count(status),
               status->files_changed ? " once the daemon has read the files"
                                     : " (vgpu-agent plan shows them)");
    print_gpus(status, context);
    print_problems(status, &context->style);
}

/* ---- for programs ---- */

static void write_lists(struct json_writer *w, const struct status *status)
{
    json_write_key(w, "gpus");
    json_write_begin_array(w);
    for (size_t i = 0; i < status->gpus.count; i++)
        if (status_json_shows(&status->gpus.items[i])) {
            json_write_begin_object(w);
            status_json_gpu(w, &status->gpus.items[i]);
            json_write_end_object(w);
        }
    json_write_end_array(w);
    status_json_allocations(w, is_known(status), status->allocations);
    status_json_guests(w, status->guests_known ? &status->guests : NULL);
    json_write_key(w, "problems");
    json_write_begin_array(w);
    for (size_t i = 0; i < status->problems.count; i++)
        json_write_string(w, status->problems.items[i].text);
    json_write_end_array(w);
}

static void print_json(const struct status *status)
{
    const struct observed *observed = status->cycle->observed;
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_bool_member(&w, "well", status->problems.count == 0);
    json_write_string_member(&w, "mode",
                             agent_mode_name(status->cycle->config->agent.mode));
    json_write_int_member(&w, "daemon_pid", daemon_of(status));
    json_write_known_int_member(&w, "daemon_silent_seconds", daemon_of(status) != 0,
                                silence(status));
    json_write_string_member(
        &w, "root", observed && observed->root_found ? observed->root_uuid : NULL);
    json_write_known_int_member(&w, "changes", is_known(status),
                                (int64_t)change_count(status));
    write_lists(&w, status);
    json_write_end_object(&w);
    _cleanup_free_ char *text = json_writer_take(&w, NULL);
    puts(text);
}

/* ---- the command ---- */

static void count_allocations(struct status *status)
{
    const struct plan *plan = cycle_plan(status->cycle);
    for (size_t i = 0; i < plan->allocation_count; i++)
        status->allocations[plan->allocations[i].state]++;
}

static int show(const struct status *status, const struct command_context *context)
{
    if (context->format == FORMAT_JSON)
        print_json(status);
    else
        print_text(status, context);
    if (fflush(stdout) != 0)
        return EX_IOERR;
    return status->problems.count == 0 ? EX_OK : 1;
}

/* Whether the daemon reports that it has refused the files at a reload: then that is
 * the problem to show, and not that they have changed. */
static bool refused_files(const struct status *status)
{
    for (size_t i = 0; i < status->said.count; i++)
        if (strncmp(status->said.items[i].text, "reload: ", 8) == 0)
            return true;
    return false;
}

static int look_at_daemon(const struct config *config, struct status *status,
                          struct error *err)
{
    const char *state_file = config->agent.state_file;
    char digest[UUID_TEXT_SIZE];
    status->sync_interval = config->agent.sync_interval;
    status->no_space = state_folder_full(state_file);
    if (instance_lock_holder(state_file, &status->holder, err) != 0)
        return -1;
    if (daemon_of(status) == 0)
        return 0;
    if (problems_file_read(state_file, daemon_of(status), &status->said,
                           &status->cycle_end, digest, err) != 0)
        return -1;
    /* Before its first cycle ends, the daemon has noted no guest. */
    status->guests_known =
        status->cycle_end &&
        guests_file_read(state_file, daemon_of(status), &status->guests, NULL) == 0;
    status->files_changed =
        digest[0] && strcmp(digest, config->digest) != 0 && !refused_files(status);
    return 0;
}

/* Where only Placement cannot be read, the rest is shown, with the error. */
static int look(struct command_session *session, struct status *status,
                struct error *err)
{
    if (cycle_look(session->agent, agent_now(session->agent), true, &session->cycle,
                   &status->placement) != 0 &&
        session->cycle.round_count == 0) {
        *err = status->placement;
        return -1;
    }
    gpu_status_make(status->cycle, &status->gpus);
    count_allocations(status);
    add_problems(status, session);
    return 0;
}

/* Prints the state of the daemon first, since a look at a host with a hanging driver
 * may take long. */
static int look_and_show(struct command_session *session, struct status *status,
                         const struct command_context *context, int *result,
                         struct error *err)
{
    if (look_at_daemon(session->config, status, err) != 0)
        return -1;
    if (context->format != FORMAT_JSON) {
        print_daemon(status);
        (void)fflush(stdout);
    }
    if (look(session, status, err) != 0)
        return -1;
    *result = show(status, context);
    return 0;
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    _cleanup_session_ struct command_session session = {.lenient = true};
    int result = command_session_open(&session, context, AGENT_LOOKS);
    if (result != EX_OK)
        return result;
    struct status status = {.cycle = &session.cycle, .now = time(NULL)};
    struct error err;
    if (look_and_show(&session, &status, context, &result, &err) != 0)
        result = command_fail(&err);
    problems_clear(&status.said);
    guests_report_clear(&status.guests);
    gpu_status_clear(&status.gpus);
    free(status.no_space);
    problems_clear(&status.problems);
    return result;
}

const struct command command_status = {
    .name = "status",
    .summary = "is all well, and what is not; exit status 1 when something is not",
    .run = run,
};
