#include "agent/act/plan_execute.h"

#include <string.h>

#include "agent/act/placement_step.h"
#include "agent/plan/steps/journal_notes.h"
#include "lib/xalloc.h"

#define SLICE 100 /* milliseconds */

/* The steps of one GPU (or of none), which are carried out one after the other. */
struct lane {
    const char *gpu;
    size_t *steps; /* indexes into the plan */
    size_t count, next;
    bool waiting; /* steps[next] is with the worker */
};

/* The generation of a provider after this execution's own writes. */
struct written {
    const char *provider;
    int64_t generation;
};

struct run {
    const struct executor *with;
    const struct plan *plan;
    struct execution *out;
    struct lane *lanes; /* first the lane of the steps that belong to no GPU */
    size_t lane_count;
    struct written *written;
    size_t written_count;
    struct strlist held; /* addresses of devices that may be given to a guest now */
    bool *noted;         /* for each step: its intention is new in the journal */
    size_t waiting;      /* the number of lanes that wait for the worker */
    bool stopped;
};

/* ---- results ---- */

static void set_result(struct run *run, size_t step, enum step_outcome outcome,
                       enum error_code code, const char *reason)
{
    struct step_result *result = &run->out->results[step];
    result->outcome = outcome;
    result->code = code;
    result->reason = xstrdup(reason);
    run->out->outcomes[outcome]++;
}

/* Skips all later steps of the lane. */
static void end_lane(struct run *run, struct lane *lane, const char *reason)
{
    while (++lane->next < lane->count)
        set_result(run, lane->steps[lane->next], STEP_SKIPPED, ERROR_NONE, reason);
}

/* True when the failure shows that the plan was made for a state that has changed
 * since. */
static bool asks_for_another_look(enum error_code code)
{
    return code == ERROR_CONFLICT || code == ERROR_EXISTS || code == ERROR_NOT_FOUND;
}

static void note_done(struct run *run, const struct step *step,
                      const struct device_done *done, bool made)
{
    bool existed = done ? done->existed : !made;
    if (plan_note_done(run->with->journal, step, existed, done ? done->address : NULL))
        *run->with->journal_unsaved = true;
}

/* Finishes the lane's current step. `done` is the worker's result; NULL: the worker did
 * not carry out the step. `made`: Placement has made a trait or a class for it. */
static void finish_step(struct run *run, struct lane *lane,
                        const struct device_done *done, bool made,
                        const struct error *err)
{
    size_t index = lane->steps[lane->next];
    const struct step *step = &run->plan->steps[index];
    if (!err) {
        set_result(run, index, STEP_DONE, ERROR_NONE, NULL);
        note_done(run, step, done, made);
        lane->next++;
        return;
    }
    set_result(run, index, STEP_FAILED, err->code, err->text);
    /* What an earlier plan intended, its own child may have made since. */
    if (step->kind == STEP_CREATE_DEVICE && err->code == ERROR_EXISTS &&
        run->noted[index] && plan_note_taken(run->with->journal, step->device.uuid))
        *run->with->journal_unsaved = true;
    /* When a device cannot be handed over, its consumer is left without one. Another
     * look may find or make another device for it. */
    if (asks_for_another_look(err->code) || step->kind == STEP_HAND_OVER_DEVICE)
        run->out->look_again = true;
    if (step_rules(step->kind)->stands_alone)
        lane->next++;
    else
        end_lane(run, lane, "an earlier step failed");
}

/* ---- steps ---- */

static int64_t *generation_of(struct run *run, const struct step *step)
{
    for (size_t i = 0; i < run->written_count; i++)
        if (strcmp(run->written[i].provider, step->provider) == 0)
            return &run->written[i].generation;
    struct written *written = array_add(run->written, run->written_count);
    written->provider = step->provider;
    written->generation = step->generation;
    return &written->generation;
}

static bool stopped(struct run *run)
{
    if (!run->stopped && run->with->interrupted)
        run->stopped = run->with->interrupted(run->with->data);
    return run->stopped;
}

/* Whether it is the address of a place, where another consumer's device can be made once
 * nothing is noted there. The other addresses are the device's own uuid. */
static bool is_used_again(const struct journal_device *device)
{
    return *device->address && strcmp(device->address, device->uuid) != 0;
}

/* The device that changes hands, or goes, by the step, or whose address is free for
 * another one by it; NULL: none. What is made again can be for another consumer than
 * before, too (agent/plan/world/migration.h). */
static const struct journal_device *taken_away(const struct run *run,
                                               const struct step *step)
{
    const struct journal_device *device = &step->device, *noted;
    switch (step->kind) {
    case STEP_REMOVE_DEVICE:
    case STEP_HAND_OVER_DEVICE:
        return device;
    case STEP_FORGET_DEVICE:
        return is_used_again(device) && !device->by_hand ? device : NULL;
    case STEP_TAKE_DEVICE:
    case STEP_CREATE_DEVICE:
        noted = journal_find_device(run->with->journal, device->uuid);
        return noted && strcmp(noted->consumer, device->consumer) != 0 ? noted : NULL;
    default:
        return NULL;
    }
}

/* Before the intentions are noted, since some devices change hands then. */
static void take_back(struct run *run)
{
    _cleanup_strlist_ struct strlist addresses = {0};
    for (size_t i = 0; i < run->plan->step_count; i++) {
        const struct step *step = &run->plan->steps[i];
        const struct journal_device *device = taken_away(run, step);
        if (!device)
            continue;
        strlist_add(&addresses, device->address);
        for (size_t j = 0; j < step->functions.count; j++)
            strlist_add(&addresses, step->functions.items[j]);
    }
    if (run->with->take_back && addresses.count)
        run->with->take_back(run->with->attacher, &addresses, &run->held);
}

static bool is_held(const struct run *run, const struct step *step)
{
    const struct journal_device *device =
        run->held.count ? taken_away(run, step) : NULL;
    bool held = device && strlist_contains(&run->held, device->address);
    for (size_t i = 0; device && i < step->functions.count; i++)
        held |= strlist_contains(&run->held, step->functions.items[i]);
    return held;
}

static int check_not_held(const struct run *run, const struct step *step,
                          struct error *err)
{
    if (!is_held(run, step))
        return 0;
    return error_set(err, ERROR_BUSY,
                     "device %s may just be given to a guest: libvirt may have been "
                     "asked to, and it is not known yet what came of it",
                     step->device.uuid);
}

/* Whether the step may be carried out now. Removals can wait for a long time behind
 * each other. When the consumer has an allocation again, its removal is skipped; when
 * Placement cannot be asked, all later steps of the lane are skipped as well. */
static bool may_start(struct run *run, struct lane *lane, const struct step *step)
{
    struct error err;
    if (step->kind != STEP_REMOVE_DEVICE || !step->provider[0])
        return true;
    if (placement_step_is_due(run->with->client, step, &err) == 0)
        return !stopped(run);
    size_t index = lane->steps[lane->next];
    if (err.code == ERROR_CONFLICT) {
        set_result(run, index, STEP_SKIPPED, ERROR_NONE, err.text);
        run->out->look_again = true;
        lane->next++;
        return false;
    }
    set_result(run, index, STEP_FAILED, err.code, err.text);
    end_lane(run, lane, "whether its allocation stands again could not be asked");
    return false;
}

static enum device_operation operation_of(const struct step *step)
{
    return step->kind == STEP_CREATE_DEVICE    ? DEVICE_CREATE
           : step->kind == STEP_REMOVE_DEVICE  ? DEVICE_REMOVE
           : step->kind == STEP_SET_PARAMETERS ? DEVICE_SET_PARAMETERS
                                               : DEVICE_CLEAR;
}

static int hand_to_worker(struct device_worker *worker, const struct step *step,
                          struct error *err)
{
    const struct journal_device *entry = &step->device;
    const struct backend *backend = backend_find(entry->backend);
    if (!backend)
        return error_set(err, ERROR_UNSUPPORTED,
                         "device %s is of the kind '%s', which this program does not "
                         "know",
                         entry->uuid, entry->backend);
    const struct device_spec device = {
        .uuid = entry->uuid,
        .address = entry->address,
        .gpu = entry->gpu,
        .parent = entry->parent,
        .type_id = entry->type_id,
        .type_name = entry->type_name,
        .consumer = step->holder[0] ? step->holder : entry->consumer,
        .parameters = step->parameters,
        .former = entry->former,
    };
    return device_worker_start(worker, operation_of(step), backend, &device, err);
}

static void start_device(struct run *run, struct lane *lane, const struct step *step)
{
    struct error err;
    if (check_not_held(run, step, &err) != 0) {
        finish_step(run, lane, NULL, false, &err);
        return;
    }
    if (!may_start(run, lane, step))
        return;
    if (hand_to_worker(run->with->worker, step, &err) != 0) {
        finish_step(run, lane, NULL, false, &err);
        return;
    }
    lane->waiting = true;
    run->waiting++;
}

static void ask_placement(struct run *run, struct lane *lane, const struct step *step)
{
    struct error err;
    int64_t *generation = generation_of(run, step);
    bool made;
    int rc = placement_step(run->with->client, step, run->with->root_uuid, generation,
                            &made, &err);
    run->out->results[lane->steps[lane->next]].generation = *generation;
    finish_step(run, lane, NULL, made, rc == 0 ? NULL : &err);
}

/* Carries out or starts the lane's next step. False when it has none to start. */
static bool advance(struct run *run, struct lane *lane)
{
    if (lane->waiting || lane->next >= lane->count)
        return false;
    if (stopped(run))
        return false;
    const struct step *step = &run->plan->steps[lane->steps[lane->next]];
    if (step_rules(step->kind)->doer == DONE_BY_WORKER)
        start_device(run, lane, step);
    else
        ask_placement(run, lane, step);
    return true;
}

/* ---- results of the worker ---- */

bool late_result_note(struct strlist *late, struct journal *journal,
                      const struct device_done *done)
{
    if (done->error.code == ERROR_NONE)
        return plan_note_late(journal, done->uuid, done->address);
    strlist_add_take(late,
                     xasprintf("device %s, at last: %s", done->uuid, done->error.text));
    return done->operation == DEVICE_CREATE && done->error.code == ERROR_EXISTS &&
           plan_note_taken(journal, done->uuid);
}

static struct lane *lane_waiting_for(struct run *run, const char *uuid)
{
    for (size_t i = 0; i < run->lane_count; i++) {
        struct lane *lane = &run->lanes[i];
        if (lane->waiting &&
            strcmp(run->plan->steps[lane->steps[lane->next]].device.uuid, uuid) == 0)
            return lane;
    }
    return NULL;
}

/* Takes one result of the worker, waiting for at most `timeout` milliseconds. */
static bool take_result(struct run *run, unsigned timeout)
{
    struct device_done done;
    if (!device_worker_take(run->with->worker, timeout, &done))
        return false;
    struct lane *lane = lane_waiting_for(run, done.uuid);
    /* An earlier cycle started this operation. The next look at the host shows its
     * effect. */
    if (!lane) {
        if (late_result_note(run->with->late, run->with->journal, &done))
            *run->with->journal_unsaved = true;
        run->out->look_again = true;
        return true;
    }
    lane->waiting = false;
    run->waiting--;
    finish_step(run, lane, &done, false,
                done.error.code == ERROR_NONE ? NULL : &done.error);
    return true;
}

/* ---- the execution ---- */

static struct lane *lane_of(struct run *run, const char *gpu)
{
    for (size_t i = 0; i < run->lane_count; i++) {
        const char *other = run->lanes[i].gpu;
        if (gpu ? other && strcmp(gpu, other) == 0 : !other)
            return &run->lanes[i];
    }
    struct lane *lane = array_add(run->lanes, run->lane_count);
    lane->gpu = gpu;
    return lane;
}

/* The result of a step that is done by the change of the journal alone. */
static void set_noted(struct run *run, size_t step)
{
    struct error err;
    if (check_not_held(run, &run->plan->steps[step], &err) == 0)
        set_result(run, step, STEP_DONE, ERROR_NONE, NULL);
    else
        set_result(run, step, STEP_FAILED, err.code, err.text);
}

/* Puts every step that is not done by the change of the journal alone into the lane of
 * its GPU. */
static void make_lanes(struct run *run)
{
    lane_of(run, NULL);
    for (size_t i = 0; i < run->plan->step_count; i++) {
        if (step_rules(run->plan->steps[i].kind)->doer == DONE_BY_JOURNAL) {
            set_noted(run, i);
            continue;
        }
        struct lane *lane = lane_of(run, run->plan->steps[i].gpu);
        *array_add(lane->steps, lane->count) = i;
    }
}

static void skip_all(struct run *run, const char *reason)
{
    for (size_t i = 0; i < run->lane_count; i++)
        for (struct lane *lane = &run->lanes[i]; lane->next < lane->count; lane->next++)
            set_result(run, lane->steps[lane->next], STEP_SKIPPED, ERROR_NONE, reason);
}

static void fail_all(struct run *run, const struct error *err)
{
    for (size_t i = 0; i < run->plan->step_count; i++)
        set_result(run, i, STEP_FAILED, err->code, err->text);
}

/* Notes all intentions of the plan in the journal, and saves it. What changes hands by
 * that alone stays noted as it is while it may be given to a guest. */
static int write_ahead(struct run *run, struct error *err)
{
    const struct executor *with = run->with;
    if (plan_note_root(with->journal, run->plan))
        *with->journal_unsaved = true;
    for (size_t i = 0; i < run->plan->step_count; i++) {
        const struct step *step = &run->plan->steps[i];
        run->noted[i] = !is_held(run, step) && plan_note_intention(with->journal, step);
        if (run->noted[i])
            *with->journal_unsaved = true;
    }
    if (!*with->journal_unsaved)
        return 0;
    if (journal_save(with->journal, with->journal_path, err) != 0)
        return error_prefix(err, "nothing is done, since the state file could not be "
                                 "written");
    *with->journal_unsaved = false;
    return 0;
}

static bool root_failed(const struct run *run)
{
    for (size_t i = 0; i < run->plan->step_count; i++)
        if (run->plan->steps[i].kind == STEP_CREATE_ROOT &&
            run->out->results[i].outcome == STEP_FAILED)
            return true;
    return false;
}

/* Marks the operations that the kernel has not answered as under way. A remove can wait
 * for a guest without end, and after an unfinished clearing the next plan does without
 * that device: in both cases the GPU's other steps are worth another plan at once. */
static void leave_under_way(struct run *run)
{
    for (size_t i = 0; i < run->lane_count; i++) {
        struct lane *lane = &run->lanes[i];
        if (!lane->waiting)
            continue;
        size_t index = lane->steps[lane->next];
        set_result(run, index, STEP_UNDER_WAY, ERROR_NONE,
                   "the kernel has not answered yet");
        enum step_kind kind = run->plan->steps[index].kind;
        if (kind == STEP_HAND_OVER_DEVICE ||
            (kind == STEP_REMOVE_DEVICE && lane->next + 1 < lane->count))
            run->out->look_again = true;
        end_lane(run, lane, "an earlier step is still under way");
    }
}

/* Waits for a result of the worker in short slices, so that a signal is seen. False
 * when the patience is over. */
static bool wait_for_result(struct run *run)
{
    for (unsigned waited = 0; waited < run->with->patience; waited += SLICE) {
        if (take_result(run, SLICE))
            return true;
        if (stopped(run))
            return false;
    }
    return false;
}

static void run_lanes(struct run *run)
{
    while (!run->stopped) {
        bool moved = false;
        for (size_t i = 1; i < run->lane_count && !run->stopped; i++)
            moved |= advance(run, &run->lanes[i]);
        while (run->waiting > 0 && take_result(run, 0))
            moved = true;
        if (!moved && (run->waiting == 0 || !wait_for_result(run)))
            break;
    }
    leave_under_way(run);
    skip_all(run, "stopped");
}

static void run_plan(struct run *run)
{
    struct error err;
    take_back(run);
    if (write_ahead(run, &err) != 0) {
        fail_all(run, &err);
        run->out->unsaved = xstrdup(err.text);
        return;
    }
    make_lanes(run);
    while (advance(run, &run->lanes[0]))
        ;
    if (root_failed(run))
        skip_all(run, "the root provider could not be made");
    else
        run_lanes(run);
    if (!*run->with->journal_unsaved || run->with->saves_later)
        return;
    if (journal_save(run->with->journal, run->with->journal_path, &err) == 0)
        *run->with->journal_unsaved = false;
    else
        run->out->unsaved =
            xasprintf("what was done could not be noted in the state "
                      "file, and is noted before anything else is done: "
                      "%s",
                      err.text);
}

struct execution *plan_execute(const struct executor *executor, const struct plan *plan)
{
    struct execution *out = xcalloc(1, sizeof *out);
    out->results = xcalloc(plan->step_count, sizeof *out->results);
    out->count = plan->step_count;
    struct run run = {.with = executor, .plan = plan, .out = out};
    run.noted = xcalloc(plan->step_count, sizeof *run.noted);
    run_plan(&run);
    for (size_t i = 0; i < run.lane_count; i++)
        free(run.lanes[i].steps);
    free(run.lanes);
    free(run.written);
    strlist_clear(&run.held);
    free(run.noted);
    return out;
}

void execution_free(struct execution *execution)
{
    if (!execution)
        return;
    for (size_t i = 0; i < execution->count; i++)
        free(execution->results[i].reason);
    free(execution->results);
    free(execution->unsaved);
    free(execution);
}

const char *step_outcome_name(enum step_outcome outcome)
{
    static const char *const names[] = {
        [STEP_SKIPPED] = "skipped",
        [STEP_DONE] = "done",
        [STEP_FAILED] = "failed",
        [STEP_UNDER_WAY] = "under way",
    };
    return names[outcome];
}
