#include "agent/daemon/guest_watch.h"

#include <fcntl.h>
#include <time.h>

#include "agent/host/device_use.h"
#include "lib/clock.h"
#include "lib/folder.h"
#include "lib/log.h"
#include "lib/xalloc.h"

/* Milliseconds. LOOK_AGAIN: while nobody tells that a guest lacks something. */
#define LOOK_AGAIN 10000
#define SOON 100

static void look_at_files(struct guest_watch *watch, const struct config *config,
                          struct domains *seen, struct guests_sight *sight)
{
    struct use_places places = use_places_of(config);
    struct domains_unseen unseen;
    _cleanup_close_ int root = folder_open(AT_FDCWD, places.root);
    places.files = &watch->files;
    domains_read(root, &places, seen, &unseen);
    sight->domains = seen;
    /* Without libvirt there is no domain to tell how a guest stands. */
    sight->sees_running = places.running && unseen.running.code == ERROR_NONE;
    sight->sees_defined = places.defined && unseen.defined.code == ERROR_NONE;
}

static void look(struct guest_watch *watch, const struct config *config,
                 const struct attacher *attacher)
{
    const struct attacher_view *view = attacher_view(attacher);
    _cleanup_domains_ struct domains seen = {0};
    const char *reason;
    bool attaches = attacher_is_on(attacher, &reason);
    struct guests_sight sight = {
        .words = view->words,
        .word_count = view->word_count,
        .nobody = reason,
        .now = clock_boot_seconds(),
        .time = time(NULL),
    };
    if (view->domains.complete) {
        sight.domains = &view->domains;
        sight.sees_running = sight.sees_defined = true;
    } else {
        look_at_files(watch, config, &seen, &sight);
    }
    guests_note_domains(&watch->report.guests, &sight);
    watch->report.attaches = attaches;
    watch->report.may_be_left = attacher_may_be_left(attacher);
    free(watch->report.reason);
    watch->report.reason = xstrdup(reason);
}

static void write_file(struct guest_watch *watch, const char *state_file)
{
    struct error err;
    int rc = guests_file_write(&watch->file, state_file, &watch->report, &err);
    if (rc != 0 && !watch->file_failed)
        log_error("agent", "%s", err.text);
    watch->file_failed = rc != 0;
}

/* Where that cannot be noted, no change of the state file can be either, so that no device
 * is removed or handed over: the program is of more use than the note. */
void guest_watch_begin(struct guest_watch *watch, const char *state_file)
{
    watch->report.attaches = watch->report.may_be_left = true;
    free(steal(watch->report.reason));
    write_file(watch, state_file);
}

/* All have their devices, and libvirt tells when that changes. */
static bool is_settled(const struct guests *guests, const struct attacher *attacher)
{
    if (guests->count && !attacher_view(attacher)->domains.complete)
        return false;
    for (size_t i = 0; i < guests->count; i++)
        if (!guests->rows[i].known || guests->rows[i].state != GUEST_ATTACHED)
            return false;
    return true;
}

static void plan_next_look(struct guest_watch *watch, const struct attacher *attacher,
                           int64_t due, int64_t now)
{
    int64_t pause = LOOK_AGAIN;
    if (due >= 0 && (due - now) * 1000 < pause)
        pause = due > now ? (due - now) * 1000 : 1000;
    watch->next_look =
        is_settled(&watch->report.guests, attacher) ? -1 : clock_monotonic_ms() + pause;
}

void guest_watch_look(struct guest_watch *watch, const struct config *config,
                      const struct attacher *attacher)
{
    const struct guests *guests = &watch->report.guests;
    struct problem_list *problems = &watch->report.problems;
    int64_t now = clock_boot_seconds();
    look(watch, config, attacher);
    problems_clear(problems);
    attacher_problems(attacher, problems);
    plan_next_look(watch, attacher, guests_problems(guests, now, problems), now);
    watch->overdue = 0;
    for (size_t i = 0; i < guests->count; i++)
        watch->overdue += guest_is_overdue(&guests->rows[i], now);
    write_file(watch, config->agent.state_file);
}

void guest_watch_soon(struct guest_watch *watch)
{
    int64_t soon = clock_monotonic_ms() + SOON;
    if (watch->next_look < 0 || watch->next_look > soon)
        watch->next_look = soon;
}

struct metrics_guests guest_watch_numbers(const struct guest_watch *watch,
                                          const struct attacher *attacher)
{
    const struct guests *guests = &watch->report.guests;
    const struct attach_times times = attacher_times(attacher);
    const char *reason;
    struct metrics_guests numbers = {
        .known = true,
        .overdue = watch->overdue,
        .attaches = attacher_is_on(attacher, &reason) &&
                    attacher_view(attacher)->domains.complete,
        .refused = times.refusals,
        .configured = times.configured,
        .configured_ms = times.configured_ms,
    };
    for (size_t i = 0; i < guests->count; i++)
        if (guests->rows[i].known)
            numbers.states[guests->rows[i].state]++;
        else
            numbers.unknown++;
    return numbers;
}

void guest_watch_end(struct guest_watch *watch, const char *state_file)
{
    guests_file_remove(&watch->file, state_file);
}

void guest_watch_clear(struct guest_watch *watch)
{
    guests_report_clear(&watch->report);
    domain_files_clear(&watch->files);
    free(watch->file.text);
    *watch = (struct guest_watch){0};
}
