/* vgpu-agent restore: puts the devices back that a reboot took, before guests start.
 * Asks nobody but the host: Placement may be far away, or not there yet. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "agent/command/session.h"
#include "agent/report/cycle_problems.h"
#include "lib/log.h"

#define PATIENCE 60000 /* milliseconds: how long a driver may take over its creates */
#define PAUSE_NS 250000000L
#define MAX_WAIT 86400

static int usage_error(const char *text)
{
    fprintf(stderr,
            "vgpu-agent: restore%s; usage: vgpu-agent [OPTION]... restore "
            "[--wait SECONDS]\n",
            text);
    return EX_USAGE;
}

static int take_arguments(int argc, char **argv, int64_t *wait)
{
    static const struct option options[] = {
        {"wait", required_argument, NULL, 'w'},
        {NULL, 0, NULL, 0},
    };
    opterr = 0;
    optind = 0; /* getopt starts anew */
    for (int option; (option = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
        if (option != 'w')
            return usage_error(": unknown option, or --wait without a number");
        char *end;
        errno = 0;
        long seconds = strtol(optarg, &end, 10);
        if (errno || end == optarg || *end || seconds < 0 || seconds > MAX_WAIT)
            return usage_error(" --wait: expected seconds, 0 to 86400");
        *wait = seconds;
    }
    return optind == argc ? EX_OK : usage_error(" takes no argument");
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One attempt; what is still missing, and why, is in `missing`. */
static int attempt(struct command_session *session, struct notices *missing,
                   struct error *err)
{
    strlist_clear(&session->cycle.late);
    if (cycle_run(session->agent, time(NULL), &session->cycle, err) != 0)
        return -1;
    struct notices now = {0};
    cycle_problems(&session->cycle, &now);
    if (now.count == 0 && !cycle_settled(&session->cycle))
        notices_add(&now, NULL, "the kernel is still at work");
    notices_update(missing, &now);
    return 0;
}

/* Cards come late: their drivers load, virtual functions are enabled by a service. */
static int restore(struct command_session *session, int64_t wait, bool *all,
                   struct error *err)
{
    _cleanup_notices_ struct notices missing = {0};
    for (int64_t end = now_ms() + wait * 1000;;) {
        if (attempt(session, &missing, err) != 0)
            return -1;
        *all = missing.count == 0;
        if (*all || now_ms() >= end)
            return 0;
        (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
}

/* *whole: the state file could be read, and so all that was made is known. */
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
    int64_t wait = 0;
    int status = take_arguments(argc, argv, &wait);
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

const struct command command_restore = {
    .name = "restore",
    .arguments = "[--wait SECONDS]",
    .summary = "puts back devices that a reboot took; needs no Placement",
    .run = run,
};
