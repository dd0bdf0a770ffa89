#include "agent/command/ask_daemon.h"

#include <signal.h>
#include <time.h>

#include "agent/state/instance_lock.h"
#include "lib/clock.h"

#define PATIENCE 30 /* seconds */
/* From one look to the next, doubling. */
#define FIRST_PAUSE_NS 50000000L
#define LAST_PAUSE_NS 800000000L

int command_wake_daemon(const struct command_session *session, struct error *err)
{
    return instance_signal_daemon(session->config->agent.state_file, SIGUSR1, NULL,
                                  err);
}

int command_wait_until(struct command_session *session,
                       bool (*done)(const struct command_session *session, void *data),
                       void *data, struct error *err)
{
    int64_t end = clock_monotonic_ms() + PATIENCE * 1000;
    for (long pause = FIRST_PAUSE_NS;; pause *= pause < LAST_PAUSE_NS ? 2 : 1) {
        cycle_clear(&session->cycle);
        if (cycle_look(session->agent, agent_now(session->agent), true, &session->cycle,
                       err) != 0)
            return -1;
        if (done(session, data))
            return 0;
        /* Once it has ended there is nobody to wait for. */
        if (instance_signal_daemon(session->config->agent.state_file, 0, NULL, err) !=
            0)
            return -1;
        if (clock_monotonic_ms() >= end)
            return error_set(err, ERROR_TIMEOUT,
                             "the daemon has not done it in %d seconds; `vgpu-agent "
                             "status` says what is not well",
                             PATIENCE);
        (void)nanosleep(&(struct timespec){.tv_nsec = pause}, NULL);
    }
}
