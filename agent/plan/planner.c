#include "agent/plan/planner.h"

#include <string.h>

#include "agent/plan/devices/by_hand.h"
#include "agent/plan/devices/create.h"
#include "agent/plan/devices/nova_notes.h"
#include "agent/plan/devices/parameters.h"
#include "agent/plan/devices/release.h"
#include "agent/plan/devices/restore.h"
#include "agent/plan/providers/nova_pci.h"
#include "agent/plan/providers/nova_provider.h"
#include "agent/plan/providers/provider.h"
#include "agent/plan/providers/root_claim.h"
#include "agent/plan/world/match.h"
#include "agent/plan/world/nova_match.h"
#include "agent/plan/world/world.h"
#include "lib/xalloc.h"

static bool is_pci(const struct world *world)
{
    return world->in->config->agent.mode == MODE_NOVA_PCI;
}

/* ---- devices ---- */

static void match_all(struct world *world)
{
    for (size_t i = 0; i < world->group_count; i++) {
        struct group *group = &world->groups[i];
        if (group->hands_off)
            continue;
        if (world->owner)
            match_devices(world, group);
        else
            match_nova_devices(world, group);
    }
}

/* In mode nova-pci functions get their types for nobody, so that here only the states
 * of the allocations are found out. */
static void plan_allocations(struct world *world)
{
    for (size_t i = 0; i < world->group_count; i++)
        create_devices(world, &world->groups[i]);
}

static void plan_devices(struct world *world)
{
    for (size_t i = 0; i < world->group_count; i++) {
        struct group *group = &world->groups[i];
        if (group->hands_off)
            continue;
        if (world->owner)
            take_devices(world, group);
        else
            note_nova_devices(world, group);
        create_devices(world, group);
        if (world->owner)
            release_devices(world, group);
        else
            restore_devices(world, group);
    }
    if (!world->owner)
        report_unknown_devices(world);
}

/* ---- providers ---- */

static void plan_root(struct world *world)
{
    const struct observed *observed = world->in->observed;
    if (observed->root_found)
        return;
    if (!world_creates_root(world)) {
        strlist_add_take(&world->plan->problems,
                         xasprintf("the root provider %s is not in Placement: %s",
                                   observed->root_name,
                                   world->owner
                                       ? "nova-compute makes it, or [agent] create_root"
                                       : "nova-compute has not made it yet"));
        return;
    }
    struct step *step = world_add_step(world, STEP_CREATE_ROOT, NULL);
    uuid_text_copy(step->provider, observed->root_uuid);
    step->provider_name = xstrdup(observed->root_name);
    step->reason =
        xstrdup("Placement does not have it, and [agent] create_root is set");
}

/* Reports inventories of the root provider itself: the agent never writes to the root,
 * so an operator must delete them. */
static void report_root(struct world *world)
{
    const struct observed *observed = world->in->observed;
    for (size_t i = 0; i < observed->root_classes.count; i++)
        strlist_add_take(
            &world->plan->problems,
            xasprintf(
                "the root provider %s has inventory of %s itself, so that capacity "
                "is counted twice: `openstack resource provider inventory delete "
                "--resource-class %s %s` once nothing of it is allocated",
                observed->root_name, observed->root_classes.items[i],
                observed->root_classes.items[i], observed->root_uuid));
}

static void plan_providers(struct world *world)
{
    /* What the providers of a card's former types have goes before the card's own gets
     * it back: in between, and after a crash there, it would be counted twice. */
    for (size_t i = 0; i < world->managed_count; i++)
        if (world->managed[i].left)
            plan_provider(world, &world->managed[i]);
    for (size_t i = 0; i < world->managed_count; i++)
        if (!world->owner)
            plan_nova_provider(world, &world->managed[i]);
        else if (!world->managed[i].left)
            plan_provider(world, &world->managed[i]);
    if (world->owner)
        report_strangers(world);
    else
        report_unconfigured(world);
    if (world->in->observed->root_found)
        forget_providers(world);
}

/* ---- drained GPUs ---- */

static bool is_known_gpu(const struct world *world, const char *name)
{
    if (host_gpu(world->in->host, name))
        return true;
    for (size_t i = 0; i < world->managed_count; i++)
        if (strcmp(world->managed[i].gpu, name) == 0)
            return true;
    return false;
}

static void check_drained(struct world *world)
{
    const struct strlist *drained = world->in->drained;
    for (size_t i = 0; drained && i < drained->count; i++)
        if (!world->owner)
            strlist_add_take(
                &world->plan->problems,
                xasprintf("%s is drained, without effect: in %s mode the inventory is "
                          "nova-compute's",
                          drained->items[i],
                          agent_mode_name(world->in->config->agent.mode)));
        else if (!is_known_gpu(world, drained->items[i]))
            strlist_add_take(
                &world->plan->problems,
                xasprintf("%s is drained, but is not on this host: undrain "
                          "it if it is gone for good",
                          drained->items[i]));
}

/* ---- the journal ---- */

static bool takes_devices(const struct plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].kind == STEP_TAKE_DEVICE ||
            plan->steps[i].kind == STEP_HAND_OVER_DEVICE)
            return true;
    return false;
}

/* True when everything that could show a lost device was read, so that the rebuild of
 * the state file can end. */
static bool has_seen_all(const struct world *world)
{
    const struct host *host = world->in->host;
    if (!world->in->observed->root_found || host->stray_count)
        return false;
    for (size_t i = 0; i < host->gpu_count; i++)
        if (host->gpus[i].health == GPU_UNREADABLE)
            return false;
    for (size_t i = 0; i < world->group_count; i++)
        if (world->groups[i].in_transit || !world->groups[i].read)
            return false;
    return true;
}

static void end_rebuild(struct world *world)
{
    if (world->in->journal->rebuilding && has_seen_all(world) &&
        !takes_devices(world->plan))
        world_add_step(world, STEP_END_REBUILD, NULL)->reason =
            xstrdup("all GPUs and providers have been looked at");
}

/* ---- the result ---- */

/* Moves the steps that others need to the front. */
static void globals_first(struct plan *plan)
{
    struct step *sorted = xcalloc(plan->step_count, sizeof *sorted);
    size_t count = 0;
    for (size_t i = 0; i < plan->step_count; i++)
        if (step_rules(plan->steps[i].kind)->shared)
            sorted[count++] = plan->steps[i];
    for (size_t i = 0; i < plan->step_count; i++)
        if (!step_rules(plan->steps[i].kind)->shared)
            sorted[count++] = plan->steps[i];
    free(plan->steps);
    plan->steps = sorted;
}

static void add_allocations(struct world *world)
{
    for (size_t i = 0; i < world->want_count; i++) {
        struct want *want = &world->wants[i];
        struct allocation_status *status =
            array_add(world->plan->allocations, world->plan->allocation_count);
        uuid_text_copy(status->consumer, want->allocation->consumer);
        uuid_text_copy(status->provider, want->managed->uuid);
        status->provider_name = xstrdup(want->managed->name);
        status->gpu = xstrdup(want->managed->gpu);
        status->resource_class = xstrdup(want->allocation->resource_class);
        status->amount = want->allocation->amount;
        status->devices = want->devices;
        want->devices = (struct strlist){0};
        status->state = want->state;
        status->reason = steal(want->reason);
        status->planned = want->planned;
        status->at_nova = want->at_nova;
    }
}

static int compare_allocations(const void *a, const void *b)
{
    const struct allocation_status *x = a, *y = b;
    int order = strcmp(x->provider_name ? x->provider_name : "",
                       y->provider_name ? y->provider_name : "");
    if (!order)
        order = (x->state == ALLOCATION_RELEASING) - (y->state == ALLOCATION_RELEASING);
    if (!order)
        order = strcmp(x->consumer, y->consumer);
    if (!order)
        order = strcmp(x->resource_class, y->resource_class);
    if (!order && x->devices.count && y->devices.count)
        order = strcmp(x->devices.items[0], y->devices.items[0]);
    return order;
}

/* Plans only what can be done without Placement: making lost devices again. */
static void plan_blind(struct world *world)
{
    by_hand_decide(world);
    if (is_pci(world)) {
        plan_nova_pci_blind(world);
        by_hand_plan(world);
        return;
    }
    for (size_t i = 0; i < world->group_count; i++)
        restore_devices(world, &world->groups[i]);
    report_unknown_devices(world);
    by_hand_plan(world);
}

static void plan_all(struct world *world)
{
    struct plan *plan = world->plan;
    for (size_t i = 0; i < world->in->desired->problems.count; i++)
        strlist_add(&plan->problems, world->in->desired->problems.items[i]);
    plan_root(world);
    report_root(world);
    match_all(world);
    by_hand_decide(world);
    if (is_pci(world)) {
        plan_nova_pci(world);
        plan_allocations(world);
        if (world->in->observed->root_found)
            forget_providers(world);
    } else {
        plan_providers(world);
        plan_devices(world);
    }
    by_hand_plan(world);
    check_drained(world);
    end_rebuild(world);
    globals_first(plan);
    add_allocations(world);
    if (plan->allocation_count)
        qsort(plan->allocations, plan->allocation_count, sizeof *plan->allocations,
              compare_allocations);
}

static void plan_in_world(struct world *world)
{
    if (world->in->observed)
        plan_all(world);
    else
        plan_blind(world);
    plan_parameters(world);
    if (world->needs_use) {
        plan_clear(world->plan);
        world->plan->needs_use = true;
    }
}

/* A plan input without what was read from Placement, because that belongs to another
 * root. */
static struct plan_input without_placement(const struct plan_input *input)
{
    struct plan_input blind = *input;
    blind.observed = NULL;
    blind.desired = NULL;
    return blind;
}

struct plan *plan_make(const struct plan_input *input)
{
    struct plan *plan = xcalloc(1, sizeof *plan);
    bool other_root = root_is_another(input);
    const struct plan_input in = other_root ? without_placement(input) : *input;
    _cleanup_(world_freep) struct world *world = world_make(&in, plan);
    plan_in_world(world);
    plan->other_root = other_root;
    if (other_root && !plan->needs_use)
        strlist_add_take(&plan->problems, root_problem(input));
    else if (in.observed && in.observed->root_found) {
        uuid_text_copy(plan->root, in.observed->root_uuid);
        plan->root_name = xstrdup(in.observed->root_name);
    }
    return plan;
}
