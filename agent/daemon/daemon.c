#include "agent/daemon/daemon.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "agent/daemon/departures.h"
#include "agent/daemon/guest_watch.h"
#include "agent/daemon/monitor.h"
#include "agent/daemon/pace.h"
#include "agent/daemon/questions.h"
#include "agent/daemon/watch.h"
#include "agent/plan/steps/text.h"
#include "agent/report/reload_file.h"
#include "agent/state/attach_left.h"
#include "agent/state/instance_lock.h"
#include "agent/state/orders.h"
#include "agent/state/requests.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/xalloc.h"

/* Milliseconds. AFTER_SERVING: after the devices of a guest that was about to start, until
 * a cycle does all else; further guests may be on their way. */
#define LEAST_PAUSE 1000
#define AFTER_SERVING 1000

struct daemon {
    const struct settings *settings;
    struct config *config;
    struct agent *agent;
    int signals; /* signalfd */
    bool stop, reload, wake;
    /* On the monotonic clock, in milliseconds; soonest_cycle is for guests that wait;
     * next_sign_of_life 0: systemd wants none. */
    uint64_t next_cycle, soonest_cycle, next_sign_of_life;
    uint32_t share;    /* the host's moment of the interval: pace.h */
    unsigned failures; /* cycles in a row that failed */
    struct monitor *monitor;
    struct attacher *attacher;
    struct guest_watch guests;
    size_t overdue; /* guests that had waited for too long when a cycle was last run */
    struct questions questions;
    struct departures departures;
    bool heals; /* a guest is to be healed by a cycle */
};

/* ---- time, signals and signs of life ---- */

static uint64_t now_ms(void)
{
    return (uint64_t)clock_monotonic_ms();
}

static int open_signals(struct error *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return error_set_errno(err, errno, "sigprocmask");
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd >= 0 ? fd : error_set_errno(err, errno, "signalfd");
}

static void take_signals(struct daemon *daemon)
{
    struct signalfd_siginfo info;
    while (read(daemon->signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo == SIGHUP)
            daemon->reload = true;
        else if (info.ssi_signo == SIGUSR1)
            daemon->wake = true;
        else
            daemon->stop = true;
}

static void show_life(struct daemon *daemon)
{
    if (daemon->next_sign_of_life == 0 || now_ms() < daemon->next_sign_of_life)
        return;
    notify_news("WATCHDOG=1");
    daemon->next_sign_of_life = now_ms() + notify_watchdog_interval() / 1000;
}

/* Called during cycles and requests: handles signals, the watchdog and the status
 * server. */
static bool interrupted(void *data)
{
    struct daemon *daemon = data;
    take_signals(daemon);
    show_life(daemon);
    monitor_run(daemon->monitor);
    attacher_run(daemon->attacher);
    return daemon->stop;
}

/* ---- guests and their devices ---- */

/* Starts or ends the attaching, as the configuration and the host want. */
static void follow_attacher(struct daemon *daemon)
{
    const char *reason;
    attacher_follow(daemon->attacher, daemon->config);
    bool on = attacher_is_on(daemon->attacher, &reason);
    agent_set_view(daemon->agent,
                   on ? &attacher_view(daemon->attacher)->domains : NULL);
}

static void on_attacher_start(void *data)
{
    struct daemon *daemon = data;
    guest_watch_begin(&daemon->guests, daemon->config->agent.state_file);
}

/* In nova mode a guest that has waited for too long is healed by a cycle, which sees
 * what devices are idle. */
static bool is_to_be_healed(struct daemon *daemon)
{
    const char *reason;
    bool more = daemon->guests.overdue > daemon->overdue;
    daemon->overdue = daemon->guests.overdue;
    return more && daemon->config->agent.mode == MODE_NOVA &&
           attacher_is_on(daemon->attacher, &reason);
}

static void look_at_guests(struct daemon *daemon)
{
    struct guest_watch *guests = &daemon->guests;
    guest_watch_look(guests, daemon->config, daemon->attacher);
    const struct metrics_guests numbers = guest_watch_numbers(guests, daemon->attacher);
    monitor_note_guests(daemon->monitor, &guests->report, &numbers);
    daemon->heals |= is_to_be_healed(daemon);
}

static void on_guests(void *data)
{
    look_at_guests(data);
}

/* The devices first: a guest may be about to start. */
static void tell_attacher(struct daemon *daemon, const struct cycle *cycle)
{
    guests_note_plan(&daemon->guests.report.guests, cycle);
    attacher_note_cycle(daemon->attacher, cycle, &daemon->guests.report.guests);
    guests_note_healed(&daemon->guests.report.guests, attacher_table(daemon->attacher));
}

/* ---- cycles ---- */

static void log_step(const struct step *step)
{
    const char *kind = step_kind_name(step->kind);
    const struct journal_device *device = &step->device;
    if (device->uuid[0]) {
        log_info("agent", "%s pci=%s parent=%s type=%s uuid=%s consumer=%s", kind,
                 step->gpu, device->parent, device->type_id, device->uuid,
                 device->consumer);
        return;
    }
    _cleanup_free_ char *what = step_text(step);
    if (step->provider_name)
        log_info("agent", "%s: %s pci=%s provider=%s", kind, what,
                 step->gpu ? step->gpu : "none", step->provider_name);
    else
        log_info("agent", "%s: %s", kind, what);
}

/* The step's consumer gets another device, so that no problem remains after the cycle:
 * without this line nothing would tell of the failure. */
static void log_not_cleared(const struct step *step, const struct step_result *result)
{
    log_warning("agent", "%s: %s pci=%s uuid=%s consumer=%s",
                step_kind_name(step->kind), result->reason, step->gpu,
                step->device.uuid, step->device.consumer);
}

static void log_steps(const struct cycle *cycle)
{
    for (size_t i = 0; i < cycle->round_count; i++) {
        const struct cycle_round *round = &cycle->rounds[i];
        for (size_t j = 0; round->execution && j < round->execution->count; j++)
            if (round->execution->results[j].outcome == STEP_DONE)
                log_step(&round->plan->steps[j]);
            else if (round->execution->results[j].outcome == STEP_FAILED &&
                     round->plan->steps[j].kind == STEP_HAND_OVER_DEVICE)
                log_not_cleared(&round->plan->steps[j], &round->execution->results[j]);
    }
}

/* Sets the time of the next cycle: after the pause, or when a grace period ends, if
 * that is sooner. */
static void schedule(struct daemon *daemon, const struct cycle *cycle, int64_t now)
{
    uint32_t chance;
    if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != (ssize_t)sizeof chance)
        chance = UINT32_MAX / 2;
    const struct pace pace = {.interval = daemon->config->agent.sync_interval,
                              .share = daemon->share,
                              .failures = daemon->failures,
                              .retry_after = agent_retry_after(daemon->agent)};
    uint64_t delay = pace_delay(&pace, now_ms(), chance);
    int64_t wake_at = cycle->round_count > 0 ? cycle_plan(cycle)->wake_at : 0;
    /* A grace period that has ended already would mean now; but there is always a
     * pause. */
    uint64_t until_wake =
        wake_at > now ? (uint64_t)(wake_at - now) * 1000 : LEAST_PAUSE;
    if (daemon->failures == 0 && wake_at > 0 && until_wake < delay)
        delay = until_wake;
    daemon->next_cycle = now_ms() + delay;
    daemon->soonest_cycle = now_ms() + pace_least(&pace, chance);
}

static void end_prune_requests(struct daemon *daemon)
{
    struct error err;
    const struct strlist *requests = agent_prune(daemon->agent);
    for (size_t i = 0; i < requests->count; i++)
        if (requests_withdraw(daemon->config->agent.state_file, REQUEST_PRUNE,
                              requests->items[i], NULL, &err) != 0)
            log_error("agent", "%s", err.text);
}

/* In nova mode nova-compute's devices stay. */
static void look_for_departures(struct daemon *daemon)
{
    int64_t now = clock_boot_seconds();
    _cleanup_strlist_ struct strlist gone = attacher_take_gone(daemon->attacher);
    for (size_t i = 0; i < gone.count && daemon->config->agent.mode == MODE_OWNER; i++)
        departures_add(&daemon->departures, gone.items[i], now);
    departures_begin_cycle(&daemon->departures,
                           &attacher_view(daemon->attacher)->domains, daemon->agent,
                           now);
}

static void one_cycle(struct daemon *daemon)
{
    struct cycle cycle = {0};
    struct error err;
    int64_t now = agent_now(daemon->agent);
    uint64_t began = now_ms();
    /* Somebody has just changed something, and waits. */
    if (daemon->wake) {
        agent_look_wholly(daemon->agent);
        agent_look_closely(daemon->agent);
    }
    daemon->wake = daemon->heals = false;
    monitor_follow(daemon->monitor, daemon->config, daemon->agent);
    follow_attacher(daemon);
    attacher_begin_cycle(daemon->attacher);
    questions_begin_cycle(&daemon->questions, daemon->attacher, daemon->agent);
    look_for_departures(daemon);
    int rc = cycle_run(daemon->agent, now, &cycle, &err);
    bool told = rc == 0 && !cycle_plan(&cycle)->other_root;
    if (told) {
        tell_attacher(daemon, &cycle);
        attacher_end_cycle(daemon->attacher, &cycle);
    }
    questions_end_cycle(&daemon->questions, daemon->attacher, told, cycle.observed);
    if (rc == 0)
        departures_end_cycle(&daemon->departures, cycle.observed);
    log_steps(&cycle);
    if (rc == 0)
        end_prune_requests(daemon);
    daemon->failures = rc == 0 ? 0 : daemon->failures + 1;
    monitor_note_files(daemon->monitor,
                       settings_differ(daemon->settings, daemon->config));
    look_at_guests(daemon);
    if (rc == 0 || !daemon->stop)
        monitor_note_cycle(daemon->monitor, &cycle, rc == 0 ? NULL : &err,
                           now_ms() - began);
    schedule(daemon, &cycle, now);
    /* Another root is an operator's matter: no cycle at once would answer more. */
    if (rc == 0 && !told)
        daemon->soonest_cycle = daemon->next_cycle;
    cycle_end(daemon->agent, &cycle);
}

/* ---- questions ---- */

/* Not at once: further guests may be on their way. */
static void cycle_soon(void *data)
{
    struct daemon *daemon = data;
    if (daemon->failures == 0 && daemon->next_cycle > now_ms() + AFTER_SERVING)
        daemon->next_cycle = now_ms() + AFTER_SERVING;
}

/* A guest is about to start: the program is told of its devices before anything else is
 * done, also before the state file says that they are made. */
static bool serve(void *data, const struct consumer_allocations *have)
{
    struct daemon *daemon = data;
    struct cycle cycle = {0};
    struct error err;
    bool served = cycle_serve(daemon->agent, agent_now(daemon->agent), have, &cycle);
    if (served)
        tell_attacher(daemon, &cycle);
    if (agent_save_journal(daemon->agent, &err) != 0)
        log_error("agent", "%s", err.text);
    log_steps(&cycle);
    cycle_end(daemon->agent, &cycle);
    if (served)
        cycle_soon(daemon);
    return served;
}

/* While cycles fail, the pauses between them grow, whatever is asked, but less than
 * where nobody waits. */
static void answer_questions(struct daemon *daemon)
{
    const struct questions_user user = {serve, cycle_soon, daemon};
    if (questions_answer(&daemon->questions, daemon->attacher, daemon->agent,
                         daemon->config->agent.mode, &user) &&
        daemon->next_cycle > daemon->soonest_cycle)
        daemon->next_cycle = daemon->soonest_cycle;
}

/* ---- reload ---- */

static int take_files(struct daemon *daemon, struct error *err)
{
    struct config *config = NULL;
    if (settings_load_full(daemon->settings, &config) != 0)
        return error_set(
            err, ERROR_INVALID,
            "the files have errors, which `vgpu-agent check-config` lists");
    if (agent_reconfigure(daemon->agent, config, err) != 0) {
        config_free(config);
        return -1;
    }
    monitor_note_reload(daemon->monitor, NULL);
    monitor_follow(daemon->monitor, config, daemon->agent);
    attacher_follow(daemon->attacher, config);
    config_free(daemon->config);
    daemon->config = config;
    log_info("agent", "reload: done");
    return 0;
}

static void reload(struct daemon *daemon)
{
    daemon->reload = false;
    notify_state("RELOADING=1");
    struct error refusal = {0}, err;
    int64_t begun = reload_clock();
    int rc = take_files(daemon, &refusal);
    if (rc != 0)
        monitor_note_reload(daemon->monitor, refusal.text);
    if (reload_answer_write(daemon->config->agent.state_file, begun,
                            rc == 0 ? NULL : refusal.text, &err) != 0)
        log_error("agent", "%s", err.text);
    notify_state("READY=1");
}

/* ---- the loop ---- */

static int until(uint64_t time)
{
    uint64_t now = now_ms();
    if (time <= now)
        return 0;
    return time - now < INT_MAX ? (int)(time - now) : INT_MAX;
}

static void on_signal(void *data)
{
    take_signals(data);
}

static void on_sign_of_life(void *data)
{
    show_life(data);
}

/* A device operation that outlived its cycle has ended: start a cycle now. */
static void on_operation(void *data)
{
    struct daemon *daemon = data;
    daemon->next_cycle = 0;
}

static void wait_for_something(struct daemon *daemon)
{
    const struct watch watches[] = {
        {daemon->signals, POLLIN, -1, on_signal, daemon},
        {-1, 0, daemon->next_sign_of_life ? until(daemon->next_sign_of_life) : -1,
         on_sign_of_life, daemon},
        {agent_fd(daemon->agent), POLLIN, -1, on_operation, daemon},
        monitor_watch(daemon->monitor),
        attacher_watch(daemon->attacher),
        {-1, 0,
         daemon->guests.next_look >= 0 ? until((uint64_t)daemon->guests.next_look) : -1,
         on_guests, daemon},
        {-1, 0, until(daemon->next_cycle), NULL, NULL},
    };
    watches_wait(watches, sizeof watches / sizeof *watches);
}

static void loop(struct daemon *daemon)
{
    while (!daemon->stop) {
        if (daemon->reload) {
            reload(daemon);
            daemon->next_cycle = 0;
        }
        answer_questions(daemon);
        if (attacher_has_news(daemon->attacher))
            guest_watch_soon(&daemon->guests);
        if (daemon->wake || daemon->heals || now_ms() >= daemon->next_cycle)
            one_cycle(daemon);
        else
            wait_for_something(daemon);
    }
}

/* Without a name the host's moment is that of the empty name. */
static uint32_t share_of_host(void)
{
    char name[HOST_NAME_MAX + 1] = "";
    (void)gethostname(name, sizeof name - 1);
    return pace_share(name);
}

static int start(struct daemon *daemon, struct error *err)
{
    daemon->share = share_of_host();
    if ((daemon->signals = open_signals(err)) < 0)
        return -1;
    _cleanup_free_ char *note = NULL;
    if (agent_new(daemon->config, AGENT_ACTS, INSTANCE_DAEMON, time(NULL),
                  &daemon->agent, &note, err) != 0)
        return -1;
    if (note)
        log_error("agent", "%s", note);
    agent_set_interrupt(daemon->agent, interrupted, daemon);
    agent_heed_prune(daemon->agent);
    /* The commands that sent these requests to an earlier daemon do not wait any
     * more. */
    const char *state_file = daemon->config->agent.state_file;
    reload_answer_forget(state_file);
    order_answers_forget(state_file);
    if (requests_withdraw_all(state_file, REQUEST_PRUNE, err) != 0 ||
        requests_withdraw_all(state_file, REQUEST_ADOPT_ROOT, err) != 0)
        return -1;
    const struct attacher_user user = {on_attacher_start, daemon};
    daemon->attacher =
        attacher_new(&user, attach_left_until(state_file, clock_boot_seconds()));
    agent_set_attacher(daemon->agent, attacher_take_back, daemon->attacher);
    if (notify_watchdog_interval() > 0)
        daemon->next_sign_of_life = now_ms();
    return 0;
}

static int run(struct daemon *daemon, struct error *err)
{
    if (settings_load_full(daemon->settings, &daemon->config) != 0)
        return EX_CONFIG;
    if (start(daemon, err) != 0)
        return -1;
    log_info("agent", "vgpu-agent " VERSION " starts");
    /* nova-compute is started after READY=1, so the first cycle comes before: it makes
     * the devices again that a reboot removed. */
    one_cycle(daemon);
    notify_state("READY=1");
    loop(daemon);
    notify_state("STOPPING=1");
    if (attacher_end(daemon->attacher))
        guest_watch_end(&daemon->guests, daemon->config->agent.state_file);
    log_info("agent", "vgpu-agent ends");
    return EX_OK;
}

int daemon_run(const struct settings *settings, struct error *err)
{
    struct daemon daemon = {
        .settings = settings, .signals = -1, .monitor = monitor_new()};
    int status = run(&daemon, err);
    monitor_free(daemon.monitor);
    agent_free(daemon.agent);
    attacher_free(daemon.attacher);
    guest_watch_clear(&daemon.guests);
    departures_clear(&daemon.departures);
    config_free(daemon.config);
    cleanup_close(&daemon.signals);
    return status;
}
