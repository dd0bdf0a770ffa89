#include "agent/command/ask_daemon.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include "agent/report/problems_file.h"
#include "agent/state/instance_lock.h"
#include "lib/clock.h"
#include "lib/xalloc.h"

#define PATIENCE 30     /* seconds */
#define SAID_AFTER 2000 /* milliseconds */
#define MOST_SAID 3     /* of the daemon's problems */
/* The first pause between two looks; each further one is twice as long. */
#define FIRST_PAUSE_NS 50000000L
#define LAST_PAUSE_NS 800000000L

int64_t command_ask_time(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return INT64_C(1000000000) * now.tv_sec + now.tv_nsec;
}

int command_wake_daemon(struct command_session *session, struct error *err)
{
    session->asked_at = command_ask_time();
    return instance_signal_daemon(session->config->agent.state_file, SIGUSR1, NULL,
                                  err);
}

/* What the daemon has said after a cycle that ended since the waiting began: then it is
 * not busy, but could not do it. NULL: it has ended none, or says nothing. */
static char *what_it_says(const struct patience *patience, const char *state_file,
                          pid_t daemon)
{
    _cleanup_problem_list_ struct problem_list said = {0};
    _cleanup_strlist_ struct strlist texts = {0};
    char digest[UUID_TEXT_SIZE];
    int64_t cycle_end;
    char *full = state_folder_full(state_file);
    if (full || !problems_file_is_newer(state_file, patience->since) ||
        problems_file_read(state_file, daemon, &said, &cycle_end, digest, NULL) != 0)
        return full;
    for (size_t i = 0; i < said.count && i < MOST_SAID; i++)
        strlist_add(&texts, said.items[i].text);
    return texts.count ? strlist_join(&texts, "; ") : NULL;
}

char *command_why_not_done(const struct patience *patience, const char *state_file)
{
    pid_t daemon;
    return instance_signal_daemon(state_file, 0, &daemon, NULL) == 0
               ? what_it_says(patience, state_file, daemon)
               : NULL;
}

static void say(struct patience *patience, const char *state_file, pid_t daemon)
{
    _cleanup_free_ char *why = what_it_says(patience, state_file, daemon);
    _cleanup_free_ char *text =
        why ? xasprintf("the daemon (pid %ld) could not do it yet: %s; waiting for it, "
                        "for %d seconds at most",
                        (long)daemon, why, PATIENCE)
            : xasprintf("the daemon (pid %ld) is still at work on something else; "
                        "waiting for it, for %d seconds at most",
                        (long)daemon, PATIENCE);
    patience->said = true;
    command_say(text);
}

static int give_up(const struct patience *patience, const char *state_file,
                   pid_t daemon, struct error *err)
{
    _cleanup_free_ char *why = what_it_says(patience, state_file, daemon);
    return why ? error_set(err, ERROR_TIMEOUT,
                           "the daemon has not done it in %d seconds: %s", PATIENCE,
                           why)
               : error_set(err, ERROR_TIMEOUT,
                           "the daemon has not done it in %d seconds; `vgpu-agent "
                           "status` says what is not well",
                           PATIENCE);
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
        *patience = (struct patience){.end = now + PATIENCE * 1000,
                                      .since = patience->since,
                                      .pause = FIRST_PAUSE_NS};
    if (now >= patience->end)
        return give_up(patience, state_file, daemon, err);
    if (!patience->said && now >= patience->end - PATIENCE * 1000 + SAID_AFTER)
        say(patience, state_file, daemon);
    (void)nanosleep(&(struct timespec){.tv_nsec = patience->pause}, NULL);
    patience->pause *= patience->pause < LAST_PAUSE_NS ? 2 : 1;
    return 0;
}

int command_wait_until(struct command_session *session,
                       bool (*done)(const struct command_session *session, void *data),
                       void *data, struct error *err)
{
    struct patience patience = {.since = session->asked_at};
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

char *command_ask(struct command_session *session,
                  bool (*done)(const struct command_session *session, void *data),
                  void *data)
{
    struct error err, ignored;
    if (command_wake_daemon(session, &err) == 0 &&
        command_wait_until(session, done, data, &err) == 0)
        return NULL;
    if (err.code != ERROR_NOT_FOUND)
        return xstrdup(err.text);
    /* No daemon is needed where all is as it is to be. */
    cycle_clear(&session->cycle);
    if (cycle_look(session->agent, agent_now(session->agent), true, &session->cycle,
                   &ignored) == 0 &&
        done(session, data))
        return NULL;
    return xstrdup("the daemon does not run; it, or `vgpu-agent sync`, will do it");
}

/* ---- GPUs' inventories ---- */

static bool is_outstanding(const struct step *step, const struct strlist *gpus)
{
    return (step->kind == STEP_SET_INVENTORY || step->kind == STEP_CREATE_PROVIDER ||
            step->kind == STEP_DELETE_PROVIDER) &&
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
    return command_ask(session, is_carried_out, gpus);
}
