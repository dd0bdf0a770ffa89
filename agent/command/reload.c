/* vgpu-agent reload: makes the daemon read its files again, and waits for the
 * result. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "agent/command/ask_daemon.h"
#include "agent/command/check_config.h"
#include "agent/report/reload_file.h"
#include "agent/state/instance_lock.h"
#include "lib/json_write.h"
#include "lib/xalloc.h"

struct outcome {
    pid_t pid;     /* the daemon's; 0: no daemon got the signal */
    char *problem; /* why it keeps the old configuration; NULL: it does not */
    int status;
};

static int print_json(const struct outcome *outcome)
{
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_known_int_member(&w, "daemon_pid", outcome->pid != 0, outcome->pid);
    json_write_bool_member(&w, "taken", !outcome->problem);
    json_write_string_member(&w, "problem", outcome->problem);
    json_write_end_object(&w);
    _cleanup_free_ char *text = json_writer_take(&w, NULL);
    return puts(text);
}

static int print_text(const struct outcome *outcome)
{
    if (outcome->problem && outcome->pid)
        return printf("the daemon (pid %ld) goes on with what it had: %s\n",
                      (long)outcome->pid, outcome->problem);
    if (outcome->problem)
        return printf("the daemon was not told: %s\n", outcome->problem);
    return printf("the daemon (pid %ld) has read its files and goes by them\n",
                  (long)outcome->pid);
}

static void give_up(struct outcome *outcome, const struct patience *patience,
                    const char *state_file, const struct error *err)
{
    outcome->status = error_exit_status(err->code);
    if (err->code == ERROR_TIMEOUT) {
        _cleanup_free_ char *why = command_why_not_done(patience, state_file);
        outcome->problem =
            why ? xasprintf("it has not said that it has read the files: %s", why)
                : xstrdup("it is still at work on something else, and reads the files "
                          "when that is done");
    } else {
        outcome->pid = 0;
        (void)command_fail(err);
    }
}

/* True when another daemon runs than the one that was told: it has read the files at its
 * start. */
static bool is_started_anew(const char *state_file, struct outcome *outcome)
{
    pid_t now;
    if (instance_signal_daemon(state_file, 0, &now, NULL) != 0 || now == outcome->pid)
        return false;
    outcome->pid = now;
    return true;
}

/* Waits until the daemon has read the files or refused them. */
static void ask(const char *state_file, struct outcome *outcome, struct error *err)
{
    struct patience patience = {.since = command_ask_time()};
    int64_t since = reload_clock();
    if (instance_signal_daemon(state_file, SIGHUP, &outcome->pid, err) != 0) {
        outcome->status = command_fail(err);
        return;
    }
    while (!reload_answer_read(state_file, outcome->pid, since, &outcome->problem) &&
           !is_started_anew(state_file, outcome))
        if (command_wait_a_moment(&patience, state_file, err) != 0) {
            give_up(outcome, &patience, state_file, err);
            return;
        }
    outcome->status = outcome->problem ? EXIT_FAILURE : EX_OK;
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    _cleanup_problems_ struct config_problems problems = {0};
    _cleanup_(config_freep) struct config *config =
        check_config_problems(context, &problems);
    settings_log_problems(&problems);
    struct outcome outcome = {0};
    struct error err;
    if (config_has_errors(&problems)) {
        outcome.problem = xstrdup("the files have errors; it goes on with what it had");
        outcome.status = EX_CONFIG;
    } else {
        ask(config->agent.state_file, &outcome, &err);
    }
    if (outcome.pid || outcome.problem) {
        int printed = context->format == FORMAT_JSON ? print_json(&outcome)
                                                     : print_text(&outcome);
        if (printed < 0 || fflush(stdout) != 0)
            outcome.status = EX_IOERR;
    }
    free(outcome.problem);
    return outcome.status;
}

const struct command command_reload = {
    .name = "reload",
    .summary = "the daemon reads its files again; waits until it has",
    .run = run,
};
