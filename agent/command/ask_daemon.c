#include "agent/command/ask_daemon.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include "agent/state/instance_lock.h"
#include "lib/clock.h"
#include "lib/xalloc.h"

#define PATIENCE 30     /* seconds */
#define SAID_AFTER 2000 /* milliseconds */
/* The first pause between two looks; each further one is twice as long. */
#define FIRST_PAUSE_NS 50000000L
#define LAST_PAUSE_NS 800000000L

int command_wake_daemon(const struct command_session *session, struct error *err)
{
    return instance_signal_daemon(session->config->agent.state_file, SIGUSR1, NULL,
                                  err);
}

static void say(struct patience *patience, pid_t daemon)
{
    _cleanup_free_ char *text = xasprintf(
        "the daemon (pid %ld) is still at work on something else; waiting for "
        "it, for %d seconds at most",
        (long)daemon, PATIENCE);
    patience->said = true;
    command_say(text);
}

int command_wait_a_moment(struct patience *patience, const char *state_file,
                          struct error *err)
{
    pid_t daemon;
    /* When the daemon has ended, waiting is of no use. */
    if (instance_signal_daemon(state_file, 0, &daemon, err) != 0)
        return -1;
    int64_t now = clock_monotonic_ms();
    if (!patience->end)
        *patience = (struct patience){now + PATIENCE * 1000, FIRST_PAUSE_NS, false};
    if (now >= patience->end)
        return error_set(err, ERROR_TIMEOUT,
                         "the daemon has not done it in %d seconds; `vgpu-agent "
                         "status` says what is not well",
                         PATIENCE);
    if (!patience->said && now >= patience->end - PATIENCE * 1000 + SAID_AFTER)
        say(patience, daemon);
    (void)nanosleep(&(struct timespec){.tv_nsec = patience->pause}, NULL);
    patience->pause *= patience->pause < LAST_PAUSE_NS ? 2 : 1;
    return 0;
}

int command_wait_until(struct command_session *session,
                       bool (*done)(const struct command_session *session, void *data),
                       void *data, struct error *err)
{
    struct patience patience = {0};
    for (;;) {
        cycle_clear(&session->cycle);
        if (cycle_look(session->agent, agent_now(session->agent), true, &session->cycle,
                       err) != 0)
            return -1;
        if (done(session, data))
            return 0;
        if (command_wait_a_moment(&patience, session->config->agent.state_file, err) !=
            0)
            return -1;
    }
}

/* ---- GPUs' inventories ---- */

static bool is_outstanding(const struct step *step, const struct strlist *gpus)
{
    return (step->kind == STEP_SET_INVENTORY || step->kind == STEP_CREATE_PROVIDER) &&
           step->gpu && strlist_contains(gpus, step->gpu);
}

static bool is_carried_out(const struct command_session *session, void *data)
{
    const struct strlist *gpus = data;
    const struct plan *plan = cycle_plan(&session->cycle);
    for (size_t i = 0; i < plan->step_count; i++)
        if (is_outstanding(&plan->steps[i], gpus))
            return false;
    return true;
}

char *command_wait_for_gpus(struct command_session *session, struct strlist *gpus)
{
    struct error err;
    if (session->cycle.observed && command_check_root(&session->cycle, &err) != 0)
        return xstrdup(err.text);
    if (command_wake_daemon(session, &err) == 0 &&
        command_wait_until(session, is_carried_out, gpus, &err) == 0)
        return NULL;
    return err.code == ERROR_NOT_FOUND
               ? xstrdup(
                     "the daemon does not run; it, or `vgpu-agent sync`, will do it")
               : xstrdup(err.text);
}
