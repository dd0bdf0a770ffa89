#include "tests/unit/agent/plan/random_checks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/plan/steps/journal_notes.h"
#include "agent/plan/steps/text.h"
#include "lib/xalloc.h"
#include "tests/unit/agent/plan/plan_model_execute.h"
#include "tests/unit/agent/plan/plan_model_look.h"
#include "tests/unit/test.h"

void chance_forget_foreign(struct chance *c)
{
    for (int i = c->foreign_count; i-- > 0;)
        if (!model_provider(&c->model, c->foreign[i].provider))
            c->foreign[i] = c->foreign[--c->foreign_count];
}

void chance_check_foreign(struct chance *c)
{
    for (int i = 0; i < c->foreign_count; i++) {
        const struct foreign *f = &c->foreign[i];
        struct model_provider *p = model_provider(&c->model, f->provider);
        if (f->trait && !model_has_trait(p, "CUSTOM_FOREIGN"))
            chance_wrong(c, "a foreign trait is gone");
        const struct model_inventory *other = model_inventory(p, "CUSTOM_ELSE");
        static const struct inventory was = {7, 1, 2, 5, 3, 1.25};
        if (f->class && (!other || memcmp(&other->inventory, &was, sizeof was) != 0))
            chance_wrong(c, "a foreign inventory is changed");
        const struct model_inventory *ours = model_inventory(p, "VGPU");
        if (!ours || f->reserved < 0)
            continue;
        const struct inventory *now = &ours->inventory;
        if (now->allocation_ratio != f->ratio)
            chance_wrong(c, "an operator's allocation_ratio is changed");
        if (now->reserved != now->total && now->reserved != f->reserved &&
            !c->model.old_server &&
            !(c->model.drain_reserve == DRAIN_UNUSED && chance_is_held_back(c, p)))
            chance_wrong(c, "an operator's reserved is changed");
        if (now->reserved != f->reserved && !chance_is_held_back(c, p))
            chance_wrong(c, "an operator's reserved is forgotten");
    }
}

void chance_check_journal(struct chance *c)
{
    const struct journal *journal = c->model.journal;
    for (size_t i = 0; i < journal->device_count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct journal_device *a = &journal->devices[i];
            const struct journal_device *b = &journal->devices[j];
            if (!a->released_at && !b->released_at &&
                strcmp(a->provider, b->provider) == 0 &&
                strcmp(a->consumer, b->consumer) == 0 &&
                strcmp(a->resource_class, b->resource_class) == 0 &&
                a->index == b->index)
                chance_wrong(c, "two devices for one unit");
        }
}

/* The number of further devices of the type that the card takes. */
static int64_t room_on(const struct model *m, int gpu, int type)
{
    const struct model_gpu *card = &m->gpus[gpu];
    int64_t room = 0, left = model_available(m, gpu, -1, type);
    for (int vf = card->vfs ? 0 : -1; vf < card->vfs; vf++)
        room += model_available(m, gpu, vf, type);
    return room < left ? room : left;
}

static int64_t allocated_on(const struct model_provider *p, const char *class)
{
    int64_t sum = 0;
    for (int i = 0; i < p->allocation_count; i++)
        if (strcmp(p->allocations[i].resource_class, class) == 0)
            sum += p->allocations[i].amount;
    return sum;
}

static bool is_allocated(const struct model *m, const struct journal_device *d,
                         const char *consumer)
{
    const struct model_provider *p = model_provider((struct model *)m, d->provider);
    for (int i = 0; p && i < p->allocation_count; i++)
        if (strcmp(p->allocations[i].consumer, consumer) == 0 &&
            strcmp(p->allocations[i].resource_class, d->resource_class) == 0)
            return true;
    return false;
}

/* True when the journal notes the device for an allocation that still exists, or as one
 * that stands for such an allocation. */
static bool is_wanted(const struct model *m, const struct journal_device *d)
{
    return !d->released_at &&
           (is_allocated(m, d, d->consumer) || is_allocated(m, d, d->migration));
}

/* The units of allocations on the provider that have a device, also one in
 * transition. */
static int64_t count_met(const struct model *m, const struct model_provider *p,
                         const char *class)
{
    int64_t met = 0;
    for (size_t i = 0; i < m->journal->device_count; i++) {
        const struct journal_device *d = &m->journal->devices[i];
        met += strcmp(d->provider, p->uuid) == 0 &&
               strcmp(d->resource_class, class) == 0 && is_wanted(m, d) &&
               model_device((struct model *)m, d->uuid);
    }
    return met;
}

/* True when the device is not in transition and can be given to any new consumer. */
static bool is_to_be_had(const struct model *m, const struct model_device *device)
{
    const struct journal_device *d = journal_find_device(m->journal, device->uuid);
    return !device->in_transition && !(d && is_wanted(m, d)) && !m->use_unknown &&
           !model_is_used(m, device);
}

static int64_t count_to_be_had(const struct model *m, int gpu, int type)
{
    int64_t count = 0;
    for (int i = 0; i < m->device_count; i++)
        count += m->devices[i].gpu == gpu && m->devices[i].type == type &&
                 is_to_be_had(m, &m->devices[i]);
    return count;
}

static int64_t most_of(const struct model *m, const struct model_provider *p,
                       const struct model_inventory *item, int gpu)
{
    bool mixed;
    bool several = model_count_types(m, gpu, &mixed) > 1;
    int type = several ? model_type_of_provider(m, gpu, p) : model_configured(m, gpu);
    int64_t most = count_met(m, p, item->resource_class);
    if (type >= 0 && !(several && !mixed && model_has_others(m, gpu, type)))
        most += count_to_be_had(m, gpu, type) + room_on(m, gpu, type);
    double ratio = fmax(item->inventory.allocation_ratio, 1.0);
    int64_t used = (int64_t)ceil((double)allocated_on(p, item->resource_class) / ratio);
    return used > most ? used : most;
}

/* True when a new consumer could get a part of the inventory. */
static bool offers(const struct model_provider *p, const struct model_inventory *item)
{
    double left = (double)(item->inventory.total - item->inventory.reserved) *
                  item->inventory.allocation_ratio;
    return left > (double)allocated_on(p, item->resource_class);
}

/* A drained GPU keeps as many units as are allocated, by an allocation_ratio above 1 in
 * whole units: what is left of the last one can be had. */
static bool keeps_what_is_used(const struct model *m, const struct model_provider *p,
                               const struct model_inventory *item, int gpu)
{
    double ratio = fmax(item->inventory.allocation_ratio, 1.0);
    return m->gpus[gpu].drained && m->drain_reserve == DRAIN_UNUSED &&
           (double)(item->inventory.total - item->inventory.reserved) <=
               ceil((double)allocated_on(p, item->resource_class) / ratio);
}

/* True when somebody's device on a card that types share is in transition: how much of
 * the card it takes cannot be known until its type is seen. */
static bool has_unknown(const struct model *m, int gpu)
{
    for (int i = 0; i < m->device_count; i++)
        if (m->devices[i].gpu == gpu && m->devices[i].in_transition &&
            m->gpus[gpu].shared && !journal_find_device(m->journal, m->devices[i].uuid))
            return true;
    return false;
}

/* Checks that a provider reports at most the devices that meet allocations, those that
 * can be given away, and those that the kernel would still make; or as much as is
 * allocated. */
static void check_capacity(struct chance *c, const struct model_provider *p)
{
    const struct model *m = &c->model;
    char name[3] = {0};
    if (m->mode != MODE_OWNER || model_has_trait(p, "OWNER_NOVA") || p->undetailed ||
        sscanf(p->name, "host_pci_0000_%2s", name) != 1)
        return;
    int gpu = model_gpu(m, name);
    if (has_unknown(m, gpu))
        return;
    const struct journal_provider *noted = journal_find_provider(m->journal, p->uuid);
    for (int i = 0; noted && i < p->inventory_count; i++) {
        const struct model_inventory *item = &p->inventories[i];
        if (journal_find_inventory(noted, item->resource_class) && offers(p, item) &&
            !keeps_what_is_used(m, p, item, gpu) &&
            item->inventory.total > most_of(m, p, item, gpu))
            chance_wrong(c, "more is reported than there is");
    }
}

/* Checks that no consumer has a device with parameters that were set for another. In nova
 * mode nova-compute gives devices to guests, and the agent clears none. */
static void check_parameters(struct chance *c)
{
    const struct model *m = &c->model;
    if (m->mode != MODE_OWNER)
        return;
    for (size_t i = 0; i < m->journal->device_count; i++) {
        const struct journal_device *d = &m->journal->devices[i];
        const struct model_device *device = model_device(&c->model, d->uuid);
        if (device && device->parameters[0] &&
            strcmp(device->parameters, d->consumer) != 0)
            chance_wrong(c, "a consumer's device has another's parameters");
    }
}

void chance_check_capacities(struct chance *c)
{
    for (int i = 0; i < c->model.provider_count && !c->model.unreachable; i++)
        check_capacity(c, &c->model.providers[i]);
}

/* Checks that the refusal "no instance of the type 'nvidia-35' is left on this GPU" is
 * true. */
static void check_refusal(struct chance *c, const struct allocation_status *a)
{
    int type;
    if (sscanf(a->reason, "no instance of the type 'nvidia-%d'", &type) != 1)
        return;
    char name[3] = {a->gpu[5], a->gpu[6], 0};
    int gpu = model_gpu(&c->model, name);
    bool mixed;
    if (model_count_types(&c->model, gpu, &mixed) > 1 && !mixed &&
        model_has_others(&c->model, gpu, type - 35))
        return;
    if (room_on(&c->model, gpu, type - 35) >= a->amount - (int64_t)a->devices.count)
        chance_wrong(c, "an allocation is refused although there is room");
}

/* Counts the existing devices that are noted as the allocation's. */
static int64_t count_noted(struct chance *c, const struct allocation_status *a)
{
    int64_t count = 0;
    for (size_t i = 0; i < c->model.journal->device_count; i++) {
        const struct journal_device *d = &c->model.journal->devices[i];
        count += !d->released_at && strcmp(d->provider, a->provider) == 0 &&
                 strcmp(d->consumer, a->consumer) == 0 &&
                 strcmp(d->resource_class, a->resource_class) == 0 &&
                 model_device(&c->model, d->uuid) &&
                 !model_is_anothers(&c->model, d->uuid, d->consumer);
    }
    return count;
}

static void check_whose(struct chance *c, const struct allocation_status *a)
{
    for (size_t i = 0; i < a->devices.count && a->state != ALLOCATION_RELEASING; i++)
        if (model_is_anothers(&c->model, a->devices.items[i], a->consumer))
            chance_wrong(c, "an allocation has what another's guest has");
    if (a->state == ALLOCATION_MIGRATING && model_is_server(&c->model, a->consumer))
        chance_wrong(c, "a server is taken for a migration");
}

static void check_allocation(struct chance *c, const struct allocation_status *a)
{
    if (a->state != ALLOCATION_RELEASING && c->model.mode == MODE_OWNER &&
        count_noted(c, a) > a->amount)
        chance_wrong(c, "an allocation has more devices than units");
    for (size_t i = 0; i < a->devices.count; i++)
        if (!model_device(&c->model, a->devices.items[i]))
            chance_wrong(c, "a device that serves an allocation does not exist");
    switch (a->state) {
    case ALLOCATION_READY:
    case ALLOCATION_IN_USE:
        if ((int64_t)a->devices.count != a->amount)
            chance_wrong(c, "an allocation is said to be met and is not");
        break;
    case ALLOCATION_PENDING:
    case ALLOCATION_FAILED:
    case ALLOCATION_MIGRATING:
        if (!a->reason)
            chance_wrong(c, "an allocation is not met, and nobody says why");
        check_refusal(c, a);
        break;
    case ALLOCATION_RELEASING:
        break;
    }
}

static bool is_answered(const struct plan *plan, const struct model_provider *p,
                        const struct model_allocation *wanted)
{
    for (size_t i = 0; i < plan->allocation_count; i++)
        if (strcmp(plan->allocations[i].provider, p->uuid) == 0 &&
            strcmp(plan->allocations[i].consumer, wanted->consumer) == 0 &&
            strcmp(plan->allocations[i].resource_class, wanted->resource_class) == 0)
            return true;
    return false;
}

/* True when the journal has a device as one consumer's that another consumer's guest
 * has. The agent only sees that in one of its full looks, which no plan asks for. */
static bool has_intruder(const struct model *m)
{
    for (size_t i = 0; i < m->journal->device_count; i++) {
        const struct journal_device *d = &m->journal->devices[i];
        if (model_is_anothers(m, d->uuid, d->consumer))
            return true;
    }
    return false;
}

void chance_settle(struct model *model)
{
    model_settle(model);
    if (!has_intruder(model))
        return;
    model_settle_seeing(model);
    model_settle(model);
}

/* Asks for the devices of servers that were taken for migrations because another server
 * went when they came: then they have to get devices. */
static bool ask_for_servers(struct chance *c)
{
    struct model *m = &c->model;
    int before = m->server_count;
    _cleanup_(plan_freep) struct plan *plan = model_plan(m);
    for (size_t i = 0; i < plan->allocation_count; i++) {
        const struct allocation_status *a = &plan->allocations[i];
        if (a->state != ALLOCATION_MIGRATING || chance_is_migration(a->consumer) ||
            model_is_server(m, a->consumer))
            continue;
        if (m->server_count == MODEL_LENGTH(m->servers))
            chance_wrong(c, "too many servers");
        uuid_text_copy(m->servers[m->server_count++], a->consumer);
    }
    return m->server_count > before;
}

void chance_check_settled(struct chance *c)
{
    if (c->model.mode == MODE_OWNER && ask_for_servers(c))
        chance_settle(&c->model);
    _cleanup_(plan_freep) struct plan *plan = model_plan(&c->model);
    assert_int_equal(plan->step_count, 0);
    /* Knowing who uses the devices must not change the plan either. */
    _cleanup_(plan_freep) struct plan *seeing = model_plan_seeing(&c->model);
    if (seeing->step_count)
        chance_wrong(c, "a look at who uses the devices changes the plan");
    for (size_t i = 0; i < seeing->allocation_count; i++)
        check_whose(c, &seeing->allocations[i]);
    if (c->model.unreachable)
        return;
    _cleanup_strlist_ struct strlist serving = {0};
    for (size_t i = 0; i < plan->allocation_count; i++) {
        check_allocation(c, &plan->allocations[i]);
        for (size_t j = 0; j < plan->allocations[i].devices.count; j++)
            if (!strlist_add_unique(&serving, plan->allocations[i].devices.items[j]))
                chance_wrong(c, "one device serves two allocations");
    }
    for (int i = 0; i < c->model.provider_count; i++) {
        const struct model_provider *p = &c->model.providers[i];
        const struct journal_provider *noted =
            journal_find_provider(c->model.journal, p->uuid);
        for (int j = 0; noted && !p->undetailed && j < p->allocation_count; j++)
            if (journal_find_inventory(noted, p->allocations[j].resource_class) &&
                !is_answered(plan, p, &p->allocations[j]))
                chance_wrong(c, "an allocation is overlooked");
    }
    check_parameters(c);
    chance_check_capacities(c);
}

/* True when the device's uuid is the one computed for its consumer. */
static bool is_computed_for(const struct model *m, const struct journal_device *d)
{
    for (int i = 0; i < m->provider_count; i++)
        for (int index = 0; index < 8; index++) {
            char uuid[UUID_TEXT_SIZE];
            _cleanup_free_ char *name =
                xasprintf("%s:%s:%d", d->consumer, d->resource_class, index);
            uuid5_text(m->providers[i].uuid, name, uuid);
            if (strcmp(uuid, d->uuid) == 0)
                return true;
        }
    return false;
}

static bool is_taken_away(struct model *m, const struct journal_device *d)
{
    const struct journal_device *old = journal_find_device(m->journal, d->uuid);
    const struct model_device *device = model_device(m, d->uuid);
    if (old && strcmp(old->consumer, d->consumer) == 0)
        return false;
    if (model_domain_of(m, d->uuid))
        return model_is_anothers(m, d->uuid, d->consumer);
    return device && device->group_open && (old || !is_computed_for(m, d));
}

void chance_check_owners(struct chance *c, const struct plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct step *step = &plan->steps[i];
        if ((step->kind == STEP_TAKE_DEVICE || step->kind == STEP_CREATE_DEVICE ||
             step->kind == STEP_HAND_OVER_DEVICE) &&
            is_taken_away(&c->model, &step->device))
            chance_wrong(c, "a consumer is given what another's guest has");
    }
}

void chance_check_nova_steps(struct chance *c, const struct plan *plan)
{
    for (size_t i = 0; i < plan->step_count && c->model.mode == MODE_NOVA; i++) {
        enum step_kind kind = plan->steps[i].kind;
        if (step_rules(plan->steps[i].kind)->doer != DONE_BY_JOURNAL &&
            kind != STEP_CREATE_TRAIT && kind != STEP_SET_TRAITS &&
            kind != STEP_CREATE_DEVICE)
            chance_wrong(c, step_kind_name(kind));
        if (kind == STEP_CREATE_DEVICE &&
            !model_domain_of(&c->model, plan->steps[i].device.uuid))
            chance_wrong(c, "a device is put back that no domain names");
    }
}

void chance_check_root_steps(struct chance *c, const struct plan *plan)
{
    const struct model *m = &c->model;
    /* A root that is missing under its own name need not be another root. */
    if (m->unreachable || m->root_missing || !*m->journal->root ||
        strcmp(m->journal->root, m->root_uuid) == 0)
        return;
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct journal_device *entry =
            journal_find_device(m->journal, plan->steps[i].device.uuid);
        if (plan->steps[i].kind != STEP_CREATE_DEVICE || !entry)
            chance_wrong(c, "something is done for another root");
    }
    if (plan->problems.count == 0)
        chance_wrong(c, "another root is passed over in silence");
}
