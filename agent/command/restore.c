/* vgpu-agent restore: makes the devices again that a reboot removed, before guests
 * start. It reads only the host and the state file: Placement may not be reachable
 * yet. */
#include <errno.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "agent/command/session.h"
#include "agent/report/cycle_problems.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define PATIENCE 60000 /* milliseconds, for the driver's creates */
#define PAUSE_NS 250000000L
#define MAX_WAIT 86400

/* The value of --wait; 0 without it. */
static int take_wait(const char *text, int64_t *wait)
{
    char *end;
    errno = 0;
    *wait = text ? strtol(text, &end, 10) : 0;
    if (!text || (!errno && end != text && !*end && *wait >= 0 && *wait <= MAX_WAIT))
        return EX_OK;
    _cleanup_free_ char *told =
        xasprintf("restore --wait %s: expected seconds, 0 to %d", text, MAX_WAIT);
    command_say(told);
    return EX_USAGE;
}

/* Makes one attempt. `missing` gets the devices that are still missing, with the
 * reasons. */
static int attempt(struct command_session *session, struct problem_list *missing,
                   struct error *err)
{
    strlist_clear(&session->cycle.late);
    if (cycle_run(session->agent, agent_now(session->agent), &session->cycle, err) != 0)
        return -1;
    struct problem_list now = {0};
    cycle_problems(&session->cycle, &now);
    if (now.count == 0 && !cycle_settled(&session->cycle))
        problems_add(&now, NULL, "the kernel is still at work");
    problems_update(missing, &now);
    return 0;
}

/* Repeats the attempt for as long as --wait allows, since cards appear late: their
 * drivers load, a service enables their virtual functions. */
static int restore(struct command_session *session, int64_t wait, bool *all,
                   struct error *err)
{
    _cleanup_problem_list_ struct problem_list missing = {0};
    for (int64_t end = clock_monotonic_ms() + wait * 1000;;) {
        if (attempt(session, &missing, err) != 0)
            return -1;
        *all = missing.count == 0;
        if (*all || clock_monotonic_ms() >= end)
            return 0;
        (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
}

/* *whole: the state file could be read, so that all devices to restore are known. */
static int open_session(struct command_session *session,
                        const struct command_context *context, bool *whole)
{
    struct error err;
    _cleanup_free_ char *note = NULL;
    if (settings_load(&context->settings, &session->config) != 0)
        return EX_CONFIG;
    if (agent_new(session->config, AGENT_RESTORES, context->command, time(NULL),
                  &session->agent, &note, &err) != 0)
        return command_fail(&err);
    if (note)
        log_error("agent", "%s", note);
    *whole = !note;
    agent_set_patience(session->agent, PATIENCE);
    return EX_OK;
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    int64_t wait;
    int status = take_wait(context->values[0], &wait);
    if (status != EX_OK)
        return status;
    _cleanup_session_ struct command_session session = {0};
    bool whole = false, all = false;
    if ((status = open_session(&session, context, &whole)) != EX_OK)
        return status;
    struct error err;
    if (restore(&session, wait, &all, &err) != 0)
        return command_fail(&err);
    const char *nothing = !whole ? "which devices are to be put back is not known"
                          : all  ? "no device is to be put back"
                                 : "no device could be put back";
    if (command_print_done(&session.cycle, nothing, context->format) != 0)
        return EX_IOERR;
    return whole && all ? EX_OK : EXIT_FAILURE;
}

static const struct command_option options[] = {
    {"wait", "SECONDS", "how long to wait for cards that come late, 0 to 86400"},
    {NULL, NULL, NULL},
};

const struct command command_restore = {
    .name = "restore",
    .options = options,
    .summary = "puts back devices that a reboot took; needs no Placement",
    .run = run,
};
