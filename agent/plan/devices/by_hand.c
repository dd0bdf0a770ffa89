#include "agent/plan/devices/by_hand.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/plan/devices/by_hand_place.h"
#include "agent/plan/devices/fit.h"
#include "agent/plan/devices/order_device.h"
#include "agent/plan/world/want_type.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

static struct order_result *add_result(struct world *world, const struct order *order,
                                       enum order_state state, char *reason)
{
    struct plan *plan = world->plan;
    if (state == ORDER_WAITS)
        strlist_add_take(
            &plan->problems,
            xasprintf("the order for the device %s waits: %s", order->device, reason));
    struct order_result *result = array_add(plan->orders, plan->order_count);
    result->device = xstrdup(order->device);
    result->state = state;
    result->reason = reason;
    return result;
}

static struct fit *fit_of(const struct world *world, const struct group *group)
{
    return &world->hand_fits[group - world->groups];
}

static const struct journal_device *like_of(const struct hand *hand)
{
    return hand->entry ? hand->entry : &hand->made;
}

/* ---- one device to be made ---- */

/* Where all is decided in one group: its card, or in nova mode one parent of it. */
static void decide_in(struct world *world, struct hand *hand, struct group *group)
{
    if (group->hands_off) {
        hand->refusal = xstrdup("its provider is nova-compute's, and nothing is made "
                                "there in owner mode");
        return;
    }
    struct gpu place = by_hand_place(world, group);
    const struct device_type *type =
        hand->order ? gpu_resolve_type(group->gpu, hand->order->type)
                    : entry_type(&place, hand->entry);
    if (!type) {
        hand->refusal = hand->order
                            ? xasprintf("%s does not offer the type '%s'",
                                        group->gpu->name, hand->order->type)
                            : xstrdup("the GPU does not offer its type any more");
        return;
    }
    struct fit *fit = fit_of(world, group);
    char *objection = fit_objection(fit, type, NULL);
    if (objection) {
        hand->refusal = xasprintf("%s: %s", group->gpu->name, objection);
        free(objection);
        return;
    }
    /* In nova mode the allocation that has no device may be that of this one's guest. */
    fit->shortage = hand->entry && !world->owner ? NULL : by_hand_waits(world, group);
    if (!fit->shortage && fit_add(fit, &place, type, like_of(hand), NULL)) {
        hand->group = group;
        return;
    }
    if (fit->shortage)
        hand->waits = xstrdup(fit->shortage);
    else
        hand->refusal = xasprintf("no instance of the type '%s' is left on %s",
                                  type->id, group->gpu->name);
}

static void forget_reasons(struct hand *hand)
{
    free(hand->refusal);
    free(hand->waits);
    hand->refusal = hand->waits = NULL;
}

/* The first group of the card that takes it; the reason of the last one where none
 * does. */
static void decide_on(struct world *world, struct hand *hand, const struct gpu *gpu)
{
    forget_reasons(hand);
    hand->refusal = by_hand_obstacle(gpu);
    if (hand->refusal)
        return;
    for (size_t i = 0; i < world->group_count && !hand->group; i++) {
        struct group *group = &world->groups[i];
        if (group->gpu != gpu)
            continue;
        forget_reasons(hand);
        decide_in(world, hand, group);
    }
}

/* ---- devices that were made by hand, and are not there ---- */

static void decide_lost(struct world *world, struct hand *hand)
{
    const struct gpu *gpu = host_gpu(world->in->host, hand->entry->gpu);
    if (world->in->config->agent.mode == MODE_NOVA_PCI)
        hand->refusal =
            xstrdup("in mode nova-pci the configuration decides which types "
                    "virtual functions have");
    else if (!gpu)
        hand->refusal = xstrdup("the GPU is not there");
    else
        decide_on(world, hand, gpu);
}

/* ---- orders ---- */

/* Nobody knows what is allocated on the cards that the agent reports. Files without
 * [placement] are those of a host without a cloud, where types stand that no driver
 * names; unless this host was in Placement before. */
static bool is_blind(const struct world *world)
{
    const struct config *config = world->in->config;
    const struct journal *journal = world->in->journal;
    bool cloud =
        config->placement.auth_type || *journal->root || journal->provider_count;
    return !world->in->observed && config->type_count > 0 && cloud;
}

static bool is_permanent_on(const struct gpu *gpu, const char *type)
{
    const struct device_type *asked = gpu_resolve_type(gpu, type);
    for (size_t i = 0; asked && i < gpu->parent_count; i++)
        if (parent_type(&gpu->parents[i], asked->id) &&
            backend_is_permanent(gpu->parents[i].backend))
            return true;
    return false;
}

/* Whether the type is of a kind whose devices are there already. */
static bool is_permanent(const struct world *world, const struct order *order)
{
    const struct host *host = world->in->host;
    for (size_t i = 0; i < host->gpu_count; i++)
        if ((!order->gpu || strcmp(order->gpu, host->gpus[i].name) == 0) &&
            is_permanent_on(&host->gpus[i], order->type))
            return true;
    return false;
}

/* Why the device of that uuid is not made; NULL: nothing is known against it. */
static char *objection(const struct world *world, const struct order *order)
{
    const struct journal_device *entry =
        journal_find_device(world->in->journal, order->device);
    if (entry && !entry->by_hand)
        return xasprintf("%s is the uuid of consumer %s's device on %s", order->device,
                         entry->consumer, entry->gpu);
    if (!entry && host_device(world->in->host, order->device, NULL, NULL))
        return xasprintf("there is a device %s already, and somebody else made it",
                         order->device);
    if (world->in->config->agent.mode == MODE_NOVA_PCI)
        return xstrdup("in mode nova-pci the configuration decides which types virtual "
                       "functions have");
    if (is_permanent(world, order))
        return xasprintf(
            "devices of the type '%s' are there already, and none is made: "
            "give a guest one that is idle in `vgpu-agent devices` "
            "(`vgpu-agent xml ADDRESS`), and it is not offered as long as "
            "the guest has it",
            order->type);
    return NULL;
}

static void decide_order(struct world *world, struct hand *hand)
{
    const struct order *order = hand->order;
    hand->refusal = objection(world, order);
    if (hand->refusal)
        return;
    if (is_blind(world)) {
        hand->waits =
            xstrdup("Placement cannot be read, and so it is not known what is "
                    "allocated on this host's GPUs");
        return;
    }
    if (order->gpu) {
        const struct gpu *gpu = host_gpu(world->in->host, order->gpu);
        if (gpu)
            decide_on(world, hand, gpu);
        else
            hand->refusal = xasprintf("the GPU %s is not on this host", order->gpu);
        return;
    }
    struct strlist gpus = by_hand_choices(world, order->type);
    for (size_t i = 0; i < gpus.count && !hand->group; i++)
        decide_on(world, hand, host_gpu(world->in->host, gpus.items[i]));
    if (!gpus.count)
        hand->refusal = xasprintf("no GPU of this host that is free for the type '%s' "
                                  "has an instance of it left; --gpu names one that is "
                                  "configured for another type",
                                  order->type);
    strlist_clear(&gpus);
}

static const struct order *find_order(const struct world *world, enum order_kind kind,
                                      const char *uuid)
{
    const struct order_list *orders = world->in->orders;
    for (size_t i = 0; orders && i < orders->count; i++)
        if (orders->orders[i].kind == kind &&
            strcmp(orders->orders[i].device, uuid) == 0)
            return &orders->orders[i];
    return NULL;
}

static const struct order *order_for(const struct world *world, const char *uuid)
{
    return find_order(world, ORDER_CREATE, uuid);
}

static bool is_about(const struct world *world, const char *uuid)
{
    for (size_t i = 0; i < world->hand_count; i++)
        if (strcmp(like_of(&world->hands[i])->uuid, uuid) == 0)
            return true;
    return false;
}

static bool is_there(const struct world *world, const char *uuid)
{
    for (size_t i = 0; i < world->present_count; i++)
        if (world->present[i].hand && strcmp(world->present[i].hand->uuid, uuid) == 0)
            return true;
    return false;
}

static void add_order(struct world *world, const struct order *order)
{
    char uuid[UUID_TEXT_SIZE];
    if (order->kind != ORDER_CREATE || !uuid_parse_text(order->device, uuid) ||
        is_about(world, uuid) || is_there(world, uuid))
        return;
    struct hand *hand = array_add(world->hands, world->hand_count);
    hand->order = order;
    hand->made.by_hand = true;
    hand->made.parameters = order->parameters;
    uuid_text_copy(hand->made.uuid, uuid);
}

/* An order whose device the state file has, but which was not made: the attempt ended
 * early, and is made again as it was ordered. */
static void take_orders(struct world *world)
{
    const struct order_list *orders = world->in->orders;
    for (size_t i = 0; i < world->hand_count; i++)
        world->hands[i].order = order_for(world, world->hands[i].entry->uuid);
    for (size_t i = 0; orders && i < orders->count; i++)
        add_order(world, &orders->orders[i]);
}

void by_hand_decide(struct world *world)
{
    take_orders(world);
    /* A function's address may be in the configuration of a guest. */
    if (world->hand_count && !world->in->use)
        world->needs_use = true;
    world->hand_fits = xcalloc(world->group_count, sizeof *world->hand_fits);
    for (size_t i = 0; i < world->group_count; i++)
        world->hand_fits[i] = (struct fit){.world = world, .group = &world->groups[i]};
    for (size_t i = 0; i < world->hand_count; i++)
        if (world->hands[i].order)
            decide_order(world, &world->hands[i]);
        else if (!find_order(world, ORDER_REMOVE, like_of(&world->hands[i])->uuid))
            decide_lost(world, &world->hands[i]);
}

/* ---- the inventory ---- */

static bool is_in_view(const struct managed *managed, const char *parent)
{
    const struct gpu *view = &managed->desired->view;
    for (size_t i = 0; i < view->parent_count; i++)
        if (strcmp(view->parents[i].name, parent) == 0)
            return true;
    return false;
}

int64_t by_hand_units(const struct world *world, const struct managed *managed)
{
    const char *type_id = managed->desired->type_id;
    int64_t count = 0;
    for (size_t i = 0; type_id && i < world->hand_count; i++) {
        const struct hand *hand = &world->hands[i];
        count += hand->entry && !hand->group &&
                 is_in_view(managed, hand->entry->parent) &&
                 strcmp(hand->entry->type_id, type_id) == 0;
    }
    const struct fit *fit = managed->group ? fit_of(world, managed->group) : NULL;
    for (size_t i = 0; type_id && fit && i < fit->count; i++) {
        const struct journal_device *device = &fit->fitted[i].device;
        count += is_in_view(managed, device->parent) &&
                 strcmp(device->type_id, type_id) == 0;
    }
    return count;
}

bool by_hand_makes_other_type(const struct world *world, const struct managed *managed)
{
    const struct fit *fit = managed->group ? fit_of(world, managed->group) : NULL;
    const char *type_id = managed->desired->type_id;
    return fit && fit->count && type_id &&
           strcmp(fit->fitted[0].device.type_id, type_id) != 0;
}

/* ---- the steps ---- */

static bool makes_others(const struct plan *plan, const char *gpu)
{
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].kind == STEP_CREATE_DEVICE && plan->steps[i].gpu &&
            strcmp(plan->steps[i].gpu, gpu) == 0)
            return true;
    return false;
}

/* A domain that names the device is no obstacle to putting it back. */
static void complete(const struct world *world, struct step *step)
{
    const struct used_device *use =
        world->in->use ? device_use_find(world->in->use, step->device.address) : NULL;
    if (use)
        uuid_text_copy(step->holder, use->domain);
    step->ordered = order_for(world, step->device.uuid) != NULL;
}

/* What is made for allocations comes first, and the rest in the next plan. */
static void make_all(struct world *world, const struct group *group)
{
    struct fit *fit = fit_of(world, group);
    if (!fit->count)
        return;
    if (makes_others(world->plan, group->gpu->name)) {
        fit_cut(fit, 0);
        world->plan->goes_on = true;
    }
    size_t first = world->plan->step_count;
    fit_emit(fit);
    for (size_t i = first; i < world->plan->step_count; i++)
        complete(world, &world->plan->steps[i]);
}

static bool is_made(const struct plan *plan, const struct hand *hand)
{
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].kind == STEP_CREATE_DEVICE &&
            strcmp(plan->steps[i].device.uuid, like_of(hand)->uuid) == 0)
            return true;
    return false;
}

static void report(struct world *world, struct hand *hand)
{
    if (hand->order) {
        enum order_state state = hand->refusal                ? ORDER_REFUSED
                                 : is_made(world->plan, hand) ? ORDER_PLANNED
                                                              : ORDER_WAITS;
        if (state == ORDER_WAITS && !hand->waits)
            hand->waits = xstrdup("devices of allocations on this GPU are made first");
        add_result(world, hand->order, state,
                   hand->refusal ? steal(hand->refusal) : steal(hand->waits));
    } else if (hand->refusal || hand->waits) {
        const struct journal_device *entry = hand->entry;
        strlist_add_take(&world->plan->problems,
                         xasprintf("%s: the device %s, which was made by hand, cannot "
                                   "be put back: %s",
                                   entry->gpu, entry->uuid,
                                   hand->refusal ? hand->refusal : hand->waits));
    }
}

static void judge_other_order(struct world *world, const struct order *order)
{
    char *reason = NULL;
    enum order_state state;
    if (order->kind == ORDER_CREATE && is_there(world, order->device))
        state = ORDER_MET;
    else if (order->kind == ORDER_REMOVE)
        state = order_removal(world, order, &reason);
    else if (order->kind == ORDER_PARAMETERS)
        state = order_parameters(world, order, &reason);
    else
        return;
    add_result(world, order, state, reason);
}

static bool is_judged(const struct plan *plan, const char *device)
{
    for (size_t i = 0; i < plan->order_count; i++)
        if (strcmp(plan->orders[i].device, device) == 0)
            return true;
    return false;
}

void by_hand_plan(struct world *world)
{
    const struct order_list *orders = world->in->orders;
    for (size_t i = 0; i < world->group_count; i++)
        make_all(world, &world->groups[i]);
    for (size_t i = 0; i < world->hand_count; i++)
        report(world, &world->hands[i]);
    for (size_t i = 0; orders && i < orders->count; i++) {
        judge_other_order(world, &orders->orders[i]);
        if (!is_judged(world->plan, orders->orders[i].device))
            add_result(world, &orders->orders[i], ORDER_REFUSED,
                       xstrdup("its uuid is none"));
    }
    free(steal(world->hand_fits)); /* make_all() has emptied each of them */
}
