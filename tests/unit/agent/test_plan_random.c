/* Random worlds with fixed seeds: whatever happens between the looks, some things never
 * do, and some always hold once the world has settled. More of them, by hand:
 * PLAN_WORLDS=1-40000 (the seeds), PLAN_MODE=owner or nova (in place of a random one).
 */
#include "tests/unit/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/plan_journal.h"
#include "agent/plan_text.h"
#include "lib/xalloc.h"
#include "tests/unit/agent/plan_model.h"

#define WORLDS 2500
#define ROUNDS 14
#define CONSUMERS 8

/* What others have put onto a provider; never changed by the agent. */
struct foreign {
    char provider[UUID_TEXT_SIZE];
    bool trait, class; /* CUSTOM_FOREIGN, CUSTOM_ELSE */
    int64_t reserved;  /* -1: he set neither this nor the ratio, or they are lost */
    double ratio;
};

struct chance {
    struct model model;
    unsigned short state[3];
    unsigned seed;
    int round;
    struct foreign foreign[10];
    int foreign_count;
    int nova_children; /* that there ever were */
};

static int roll(struct chance *c, int sides)
{
    return (int)((unsigned long)(unsigned)jrand48(c->state) % (unsigned)sides);
}

static void uuid_of(const char *kind, int number, char out[UUID_TEXT_SIZE])
{
    char name[32];
    snprintf(name, sizeof name, "%s%d", kind, number);
    uuid5_text("6ba7b810-9dad-11d1-80b4-00c04fd430c8", name, out);
}

static void wrong(const struct chance *c, const char *what)
{
    _cleanup_free_ char *dump = model_dump(&c->model);
    fprintf(stderr, "%s\n", dump);
    fail_msg("seed %u, round %d: %s", c->seed, c->round, what);
}

/* ---- a host ---- */

static void make_gpu(struct chance *c)
{
    struct model *m = &c->model;
    struct model_gpu *gpu = &m->gpus[m->gpu_count];
    *gpu = (struct model_gpu){.mixed = roll(c, 3) == 0};
    snprintf(gpu->name, sizeof gpu->name, "%02d", 84 + m->gpu_count++);
    if (roll(c, 2))
        gpu->vfs = 2 + roll(c, 4);
    gpu->type_count = 2;
    for (int i = 0; i < gpu->type_count; i++) {
        snprintf(gpu->types[i].id, sizeof gpu->types[i].id, "nvidia-%d", 35 + i);
        snprintf(gpu->types[i].name, sizeof gpu->types[i].name, "GRID T-%d", 35 + i);
        gpu->types[i].capacity = 1 + roll(c, 4);
    }
}

static void configure(struct chance *c)
{
    struct model *m = &c->model;
    memset(m->types, 0, sizeof m->types);
    m->type_count = 0;
    for (int i = 0; i < 2; i++) {
        if (roll(c, 4) == 0)
            continue;
        struct model_config_type *type = &m->types[m->type_count++];
        snprintf(type->type, sizeof type->type, "nvidia-%d", 35 + i);
        stpcpy(type->mdev_class, roll(c, 6) ? "VGPU" : "CUSTOM_FAST");
        type->max_instances = roll(c, 4) ? 0 : 2;
        if (roll(c, 3) == 0)
            stpcpy(type->traits[type->trait_count++], "CUSTOM_SITE");
        /* At most one type is the default. */
        if (i == 1 || m->type_count > 1) {
            _cleanup_free_ char *address =
                xasprintf("0000:%s:00.0", m->gpus[roll(c, m->gpu_count)].name);
            stpcpy(type->addresses[type->address_count++], address);
        }
    }
}

/* ---- what others do ---- */

/* Nova's children have names of ours, and uuids of Nova's. */
static void nova_reports(struct chance *c)
{
    struct model *m = &c->model;
    if (m->mode != MODE_NOVA || m->provider_count >= 8)
        return;
    const struct model_gpu *gpu = &m->gpus[roll(c, m->gpu_count)];
    char name[MODEL_TEXT];
    snprintf(name, sizeof name, "host_pci_0000_%s_00_%d", gpu->name,
             gpu->vfs ? 1 + roll(c, gpu->vfs) : 0);
    if (model_provider_named(m, name))
        return;
    struct model_provider *p = &m->providers[m->provider_count++];
    *p = (struct model_provider){.inventory_count = 1};
    stpcpy(p->name, name);
    uuid_of("nova", ++c->nova_children, p->uuid);
    stpcpy(p->inventories[0].resource_class, "VGPU");
    p->inventories[0].inventory = (struct inventory){3, 0, 1, 3, 1, 1.0};
    if (roll(c, 2))
        model_add_trait(p, "OWNER_NOVA");
}

static struct model_provider *any_provider(struct chance *c)
{
    struct model *m = &c->model;
    return m->provider_count ? &m->providers[roll(c, m->provider_count)] : NULL;
}

static struct model_device *any_device(struct chance *c)
{
    struct model *m = &c->model;
    return m->device_count ? &m->devices[roll(c, m->device_count)] : NULL;
}

static struct foreign *foreign_of(struct chance *c, const char *provider)
{
    for (int i = 0; i < c->foreign_count; i++)
        if (strcmp(c->foreign[i].provider, provider) == 0)
            return &c->foreign[i];
    struct foreign *foreign = &c->foreign[c->foreign_count++];
    *foreign = (struct foreign){.reserved = -1};
    stpcpy(foreign->provider, provider);
    return foreign;
}

static const char *main_class(const struct model_provider *p)
{
    for (int i = 0; i < p->inventory_count; i++)
        if (strcmp(p->inventories[i].resource_class, "CUSTOM_ELSE") != 0)
            return p->inventories[i].resource_class;
    return NULL;
}

static void allocate(struct chance *c)
{
    struct model_provider *p = any_provider(c);
    const char *class = p ? main_class(p) : NULL;
    if (!class || p->allocation_count >= 30)
        return;
    const struct inventory *i = &model_inventory(p, class)->inventory;
    int64_t used = 0, amount = 1 + roll(c, 2);
    char consumer[UUID_TEXT_SIZE];
    uuid_of("consumer", roll(c, CONSUMERS), consumer);
    for (int j = 0; j < p->allocation_count; j++) {
        if (strcmp(p->allocations[j].resource_class, class) == 0)
            used += p->allocations[j].amount;
        if (strcmp(p->allocations[j].consumer, consumer) == 0)
            return;
    }
    if (used + amount > (i->total - i->reserved) * i->allocation_ratio)
        return;
    struct model_allocation *a = &p->allocations[p->allocation_count++];
    stpcpy(a->consumer, consumer);
    stpcpy(a->resource_class, class);
    a->amount = amount;
    p->generation++;
}

static void deallocate(struct chance *c)
{
    struct model_provider *p = any_provider(c);
    if (!p || !p->allocation_count)
        return;
    p->allocations[roll(c, p->allocation_count)] =
        p->allocations[p->allocation_count - 1];
    p->allocation_count--;
    p->generation++;
}

/* A migration: all allocations of a consumer are another's. */
static void rename_consumer(struct chance *c)
{
    char from[UUID_TEXT_SIZE], to[UUID_TEXT_SIZE];
    uuid_of("consumer", roll(c, CONSUMERS), from);
    uuid_of("consumer", CONSUMERS + roll(c, 3), to);
    struct model *m = &c->model;
    bool back = roll(c, 2);
    for (int i = 0; i < m->provider_count; i++)
        for (int j = 0; j < m->providers[i].allocation_count; j++)
            if (strcmp(m->providers[i].allocations[j].consumer, back ? from : to) == 0)
                return;
    for (int i = 0; i < m->provider_count; i++)
        for (int j = 0; j < m->providers[i].allocation_count; j++)
            if (strcmp(m->providers[i].allocations[j].consumer, back ? to : from) ==
                0) {
                stpcpy(m->providers[i].allocations[j].consumer, back ? from : to);
                m->providers[i].generation++;
            }
}

/* A guest takes a device that the journal has for it, or some foreign one. */
static void start_guest(struct chance *c)
{
    struct model_device *device = any_device(c);
    if (!device || model_is_used(&c->model, device) || device->in_transition)
        return;
    const struct journal_device *entry =
        journal_find_device(c->model.journal, device->uuid);
    char uuid[UUID_TEXT_SIZE];
    uuid_of("guest", roll(c, 4), uuid);
    model_add_domain(&c->model, entry ? entry->consumer : uuid, device->uuid,
                     roll(c, 2));
}

static void stop_guest(struct chance *c)
{
    struct model *m = &c->model;
    if (m->domain_count)
        model_drop_domain(m, m->domains[roll(c, m->domain_count)].device);
}

static void hold_device(struct chance *c)
{
    struct model_device *device = any_device(c);
    if (device)
        device->group_open = !device->group_open;
}

static void define_device(struct chance *c)
{
    struct model_device *device = any_device(c);
    if (device && !device->made_by_agent)
        device->defined = !device->defined;
}

static void make_foreign_device(struct chance *c)
{
    struct model *m = &c->model;
    char uuid[UUID_TEXT_SIZE];
    uuid_of("foreign", roll(c, 1000), uuid);
    int gpu = roll(c, m->gpu_count);
    int vfs = m->gpus[gpu].vfs;
    model_add_device(m, uuid, gpu, vfs ? roll(c, vfs) : -1, roll(c, 2));
}

static void lose_device(struct chance *c)
{
    struct model_device *device = any_device(c);
    if (device && roll(c, 3))
        model_remove_device(&c->model, device->uuid);
    else if (roll(c, 4) == 0)
        c->model.device_count = 0;
}

static void shake_device(struct chance *c)
{
    struct model_device *device = any_device(c);
    if (!device)
        return;
    device->in_transition = !device->in_transition;
    device->stray = device->in_transition && roll(c, 2);
    device->uncounted = device->in_transition && roll(c, 2);
    device->leaving = device->in_transition && device->made_by_agent &&
                      !device->uncounted && roll(c, 2);
}

static void add_foreign_trait(struct chance *c)
{
    struct model_provider *p = any_provider(c);
    if (!p)
        return;
    model_add_trait(p, "CUSTOM_FOREIGN");
    foreign_of(c, p->uuid)->trait = true;
    p->generation++;
}

static void drop_our_trait(struct chance *c)
{
    struct model_provider *p = any_provider(c);
    if (!p || !p->trait_count)
        return;
    char trait[MODEL_TEXT];
    stpcpy(trait, p->traits[roll(c, p->trait_count)]);
    if (strcmp(trait, "CUSTOM_FOREIGN") != 0)
        model_drop_trait(p, trait);
    p->generation++;
}

static void add_foreign_class(struct chance *c)
{
    struct model_provider *p = any_provider(c);
    if (!p || model_inventory(p, "CUSTOM_ELSE"))
        return;
    struct model_inventory *i = &p->inventories[p->inventory_count++];
    stpcpy(i->resource_class, "CUSTOM_ELSE");
    i->inventory = (struct inventory){7, 1, 2, 5, 3, 1.25};
    foreign_of(c, p->uuid)->class = true;
    p->generation++;
}

static bool is_held_back(struct chance *c, const struct model_provider *p)
{
    const struct journal_provider *entry =
        journal_find_provider(c->model.journal, p->uuid);
    for (size_t i = 0; entry && i < entry->inventory_count; i++)
        if (entry->inventories[i].overruled)
            return true;
    return false;
}

static void operate(struct chance *c)
{
    struct model_provider *p = any_provider(c);
    const char *class = p ? main_class(p) : NULL;
    if (!class || strcmp(class, "VGPU") != 0 || is_held_back(c, p))
        return;
    struct inventory *i = &model_inventory(p, class)->inventory;
    /* Reserving all would look like what the agent itself does to a sick GPU. */
    if (i->total < 2)
        return;
    i->reserved = roll(c, (int)i->total);
    i->allocation_ratio = roll(c, 2) ? 1.0 : 2.0;
    i->max_unit = 1 + roll(c, 3);
    foreign_of(c, p->uuid)->reserved = i->reserved;
    foreign_of(c, p->uuid)->ratio = i->allocation_ratio;
    p->generation++;
}

static void change_health(struct chance *c)
{
    struct model_gpu *gpu = &c->model.gpus[roll(c, c->model.gpu_count)];
    gpu->health =
        gpu->health == GPU_OK ? (roll(c, 2) ? GPU_LOST : GPU_UNREADABLE) : GPU_OK;
    /* A driver that hangs tells nothing. */
    gpu->nameless = gpu->unreadable_count = gpu->health == GPU_UNREADABLE && roll(c, 2);
}

/* What Placement has of a child cannot be read for a while. */
static void hide_provider(struct chance *c)
{
    struct model_provider *p = any_provider(c);
    if (p)
        p->undetailed = !p->undetailed;
}

static void prune(struct chance *c)
{
    c->model.prune = !c->model.prune;
}

/* The tree is gone, with all that was allocated on it. It comes back with the same root
 * or, when Nova was set up anew, with another one. */
static void lose_tree(struct chance *c)
{
    struct model *m = &c->model;
    m->root_missing = !m->root_missing;
    m->provider_count = 0;
    c->foreign_count = 0;
    if (roll(c, 2))
        uuid_of("root", c->round, m->root_uuid);
}

static void unplug(struct chance *c)
{
    struct model *m = &c->model;
    int gpu = roll(c, m->gpu_count);
    m->gpus[gpu].absent = !m->gpus[gpu].absent;
    for (int i = m->device_count; i-- > 0 && m->gpus[gpu].absent;)
        if (m->devices[i].gpu == gpu)
            model_remove_device(m, m->devices[i].uuid);
}

static void drain(struct chance *c)
{
    c->model.gpus[roll(c, c->model.gpu_count)].drained = roll(c, 2);
}

/* What an operator had set while the agent overruled it is lost with the journal; so
 * what is seen now counts. */
static void lose_journal(struct chance *c)
{
    struct model *m = &c->model;
    journal_free(m->journal);
    m->journal = journal_new();
    m->journal->rebuilding = roll(c, 2);
    for (int i = 0; i < c->foreign_count; i++)
        c->foreign[i].reserved = -1;
}

static void pass_time(struct chance *c)
{
    c->model.now += roll(c, 5) ? roll(c, 100) : -roll(c, 1000);
}

static void delete_provider(struct chance *c)
{
    struct model_provider *p = any_provider(c);
    if (!p || p->allocation_count)
        return;
    for (int i = 0; i < c->foreign_count; i++)
        if (strcmp(c->foreign[i].provider, p->uuid) == 0)
            c->foreign[i] = c->foreign[--c->foreign_count];
    *p = c->model.providers[--c->model.provider_count];
}

static void cut_off(struct chance *c)
{
    c->model.unreachable = !c->model.unreachable;
}

static void blind_use(struct chance *c)
{
    c->model.use_unknown = !c->model.use_unknown;
}

typedef void event(struct chance *c); /* a function that something happens in */

static const struct {
    event *happen;
    int weight;
} events[] = {
    {allocate, 12},      {deallocate, 5},  {rename_consumer, 4},
    {start_guest, 5},    {stop_guest, 4},  {hold_device, 2},
    {define_device, 1},  {lose_device, 2}, {make_foreign_device, 2},
    {shake_device, 2},   {operate, 2},     {add_foreign_trait, 1},
    {drop_our_trait, 1}, {configure, 2},   {add_foreign_class, 1},
    {change_health, 2},  {unplug, 1},      {drain, 1},
    {lose_journal, 1},   {pass_time, 6},   {delete_provider, 1},
    {nova_reports, 2},   {cut_off, 1},     {blind_use, 1},
    {hide_provider, 1},  {prune, 1},       {lose_tree, 1},
};

static event *any_event(struct chance *c)
{
    int sum = 0;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        sum += events[i].weight;
    int at = roll(c, sum);
    size_t i = 0;
    while (at >= events[i].weight)
        at -= events[i++].weight;
    return events[i].happen;
}

static void something_happens(struct chance *c)
{
    any_event(c)(c);
}

/* Between a look and what is done about it: the journal is in memory then. */
static void something_happens_meanwhile(struct chance *c)
{
    event *happen;
    do {
        happen = any_event(c);
    } while (happen == lose_journal);
    happen(c);
}

/* ---- what must hold ---- */

/* What was on a provider that has gone is gone. */
static void forget_foreign(struct chance *c)
{
    for (int i = c->foreign_count; i-- > 0;)
        if (!model_provider(&c->model, c->foreign[i].provider))
            c->foreign[i] = c->foreign[--c->foreign_count];
}

static void check_foreign(struct chance *c)
{
    for (int i = 0; i < c->foreign_count; i++) {
        const struct foreign *f = &c->foreign[i];
        struct model_provider *p = model_provider(&c->model, f->provider);
        if (f->trait && !model_has_trait(p, "CUSTOM_FOREIGN"))
            wrong(c, "a foreign trait is gone");
        const struct model_inventory *other = model_inventory(p, "CUSTOM_ELSE");
        static const struct inventory was = {7, 1, 2, 5, 3, 1.25};
        if (f->class && (!other || memcmp(&other->inventory, &was, sizeof was) != 0))
            wrong(c, "a foreign inventory is changed");
        const struct model_inventory *ours = model_inventory(p, "VGPU");
        if (!ours || f->reserved < 0)
            continue;
        const struct inventory *now = &ours->inventory;
        if (now->allocation_ratio != f->ratio)
            wrong(c, "an operator's allocation_ratio is changed");
        if (now->reserved != now->total && now->reserved != f->reserved)
            wrong(c, "an operator's reserved is changed");
        if (now->reserved != f->reserved && !is_held_back(c, p))
            wrong(c, "an operator's reserved is forgotten");
    }
}

/* No device serves two, and no unit has two. */
static void check_journal(struct chance *c)
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
                wrong(c, "two devices for one unit");
        }
}

/* How many more of the type the card takes. */
static int64_t room_on(const struct model *m, int gpu, int type)
{
    const struct model_gpu *card = &m->gpus[gpu];
    int64_t room = 0, left = card->types[type].capacity;
    for (int vf = card->vfs ? 0 : -1; vf < card->vfs; vf++)
        room += model_available(m, gpu, vf, type);
    for (int i = 0; i < m->device_count; i++)
        left -= m->devices[i].gpu == gpu && m->devices[i].type == type;
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

/* The journal has it as one of an allocation that still is. */
static bool is_wanted(const struct model *m, const struct journal_device *d)
{
    const struct model_provider *p = model_provider((struct model *)m, d->provider);
    for (int i = 0; p && !d->released_at && i < p->allocation_count; i++)
        if (strcmp(p->allocations[i].consumer, d->consumer) == 0 &&
            strcmp(p->allocations[i].resource_class, d->resource_class) == 0)
            return true;
    return false;
}

/* Units of allocations on the provider that have a device, be it in transition. */
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

/* A settled device that can be given to whoever comes. One that was just released is
 * thought to be let go of soon. */
static bool is_to_be_had(const struct model *m, const struct model_device *device)
{
    const struct journal_device *d = journal_find_device(m->journal, device->uuid);
    bool just_released = d && !d->adopted &&
                         !(d->released_at && d->released_at <= m->now &&
                           m->now - d->released_at >= m->grace);
    return !device->in_transition && !(d && is_wanted(m, d)) &&
           (just_released || !(m->use_unknown || model_is_used(m, device)));
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
    int type = model_configured(m, gpu);
    int64_t most = count_met(m, p, item->resource_class);
    if (type >= 0)
        most += count_to_be_had(m, gpu, type) + room_on(m, gpu, type);
    double ratio = fmax(item->inventory.allocation_ratio, 1.0);
    int64_t used = (int64_t)ceil((double)allocated_on(p, item->resource_class) / ratio);
    return used > most ? used : most;
}

/* What is reported is at most what meets allocations, what can be had, and what the
 * kernel would still make; or as much as is allocated. */
static void check_capacity(struct chance *c, const struct model_provider *p)
{
    const struct model *m = &c->model;
    char name[3] = {0};
    if (m->mode != MODE_OWNER || (model_has_trait(p, "OWNER_NOVA") && !m->take_over) ||
        p->undetailed || sscanf(p->name, "host_pci_0000_%2s", name) != 1)
        return;
    int gpu = model_gpu(m, name);
    const struct journal_provider *noted = journal_find_provider(m->journal, p->uuid);
    for (int i = 0; noted && i < p->inventory_count; i++) {
        const struct model_inventory *item = &p->inventories[i];
        if (journal_find_inventory(noted, item->resource_class) &&
            item->inventory.reserved < item->inventory.total &&
            item->inventory.total > most_of(m, p, item, gpu))
            wrong(c, "more is reported than there is");
    }
}

static void check_capacities(struct chance *c)
{
    for (int i = 0; i < c->model.provider_count && !c->model.unreachable; i++)
        check_capacity(c, &c->model.providers[i]);
}

/* "no instance of the type 'nvidia-35' is left on this GPU" has to be true. */
static void check_refusal(struct chance *c, const struct allocation_status *a)
{
    int type;
    if (sscanf(a->reason, "no instance of the type 'nvidia-%d'", &type) != 1)
        return;
    char name[3] = {a->gpu[5], a->gpu[6], 0};
    if (room_on(&c->model, model_gpu(&c->model, name), type - 35) >=
        a->amount - (int64_t)a->mdevs.count)
        wrong(c, "an allocation is refused although there is room");
}

/* Devices that are noted as the allocation's, and exist. */
static int64_t count_noted(struct chance *c, const struct allocation_status *a)
{
    int64_t count = 0;
    for (size_t i = 0; i < c->model.journal->device_count; i++) {
        const struct journal_device *d = &c->model.journal->devices[i];
        count += !d->released_at && strcmp(d->provider, a->provider) == 0 &&
                 strcmp(d->consumer, a->consumer) == 0 &&
                 strcmp(d->resource_class, a->resource_class) == 0 &&
                 model_device(&c->model, d->uuid);
    }
    return count;
}

static void check_allocation(struct chance *c, const struct allocation_status *a)
{
    if (a->state != ALLOCATION_RELEASING && c->model.mode == MODE_OWNER &&
        count_noted(c, a) > a->amount)
        wrong(c, "an allocation has more devices than units");
    for (size_t i = 0; i < a->mdevs.count; i++)
        if (!model_device(&c->model, a->mdevs.items[i]))
            wrong(c, "a device that serves an allocation does not exist");
    switch (a->state) {
    case ALLOCATION_READY:
    case ALLOCATION_IN_USE:
        if ((int64_t)a->mdevs.count != a->amount)
            wrong(c, "an allocation is said to be met and is not");
        break;
    case ALLOCATION_PENDING:
    case ALLOCATION_FAILED:
        if (!a->reason)
            wrong(c, "an allocation is not met, and nobody says why");
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

/* Of a world that has settled. */
static void check_settled(struct chance *c)
{
    _cleanup_(plan_freep) struct plan *plan = model_plan(&c->model);
    assert_int_equal(plan->step_count, 0);
    /* Nor does it make a difference to be told who uses the devices. */
    _cleanup_(plan_freep) struct plan *seeing = model_plan_seeing(&c->model);
    if (seeing->step_count)
        wrong(c, "a look at who uses the devices changes the plan");
    if (c->model.unreachable)
        return;
    _cleanup_strlist_ struct strlist serving = {0};
    for (size_t i = 0; i < plan->allocation_count; i++) {
        check_allocation(c, &plan->allocations[i]);
        for (size_t j = 0; j < plan->allocations[i].mdevs.count; j++)
            if (!strlist_add_unique(&serving, plan->allocations[i].mdevs.items[j]))
                wrong(c, "one device serves two allocations");
    }
    for (int i = 0; i < c->model.provider_count; i++) {
        const struct model_provider *p = &c->model.providers[i];
        const struct journal_provider *noted =
            journal_find_provider(c->model.journal, p->uuid);
        for (int j = 0; noted && !p->undetailed && j < p->allocation_count; j++)
            if (journal_find_inventory(noted, p->allocations[j].resource_class) &&
                !is_answered(plan, p, &p->allocations[j]))
                wrong(c, "an allocation is overlooked");
    }
    check_capacities(c);
}

/* ---- the tests ---- */

struct seeds {
    unsigned first, last;
};

static struct seeds seeds_for(unsigned count)
{
    struct seeds seeds = {1, count};
    const char *asked = getenv("PLAN_WORLDS");
    if (asked && sscanf(asked, "%u-%u", &seeds.first, &seeds.last) != 2)
        fail_msg("PLAN_WORLDS: expected FIRST-LAST");
    return seeds;
}

static void make_world(struct chance *c, unsigned seed)
{
    *c = (struct chance){
        .seed = seed,
        .state = {(unsigned short)seed, (unsigned short)(seed >> 16), 0x330e}};
    for (int i = 0; i < 8; i++)
        (void)jrand48(c->state);
    model_init(&c->model);
    for (int i = 1 + roll(c, 3); i > 0; i--)
        make_gpu(c);
    c->model.mode = roll(c, 5) ? MODE_OWNER : MODE_NOVA;
    const char *mode = getenv("PLAN_MODE");
    if (mode)
        c->model.mode = strcmp(mode, "nova") == 0 ? MODE_NOVA : MODE_OWNER;
    configure(c);
    c->model.create_root = roll(c, 2);
    c->model.take_over = roll(c, 8) == 0;
    stpcpy(c->model.known_traits[c->model.known_trait_count++], "CUSTOM_FOREIGN");
    stpcpy(c->model.known_traits[c->model.known_trait_count++], "OWNER_NOVA");
}

/* In nova mode Nova is the one who makes, reports and removes. */
static void check_nova_steps(struct chance *c, const struct plan *plan)
{
    for (size_t i = 0; i < plan->step_count && c->model.mode == MODE_NOVA; i++) {
        enum step_kind kind = plan->steps[i].kind;
        if (!step_is_note(&plan->steps[i]) && kind != STEP_CREATE_TRAIT &&
            kind != STEP_SET_TRAITS && kind != STEP_CREATE_DEVICE)
            wrong(c, step_kind_name(kind));
        if (kind == STEP_CREATE_DEVICE &&
            !model_domain_of(&c->model, plan->steps[i].device.uuid))
            wrong(c, "a device is put back that no domain names");
    }
}

static void live(unsigned seed)
{
    struct chance c;
    make_world(&c, seed);
    for (c.round = 0; c.round < ROUNDS; c.round++) {
        for (int i = roll(&c, 4); i >= 0; i--)
            something_happens(&c);
        /* Sometimes the agent is interrupted. */
        _cleanup_(plan_freep) struct plan *plan = model_plan(&c.model);
        check_nova_steps(&c, plan);
        size_t steps = (size_t)roll(&c, (int)plan->step_count + 1);
        bool late = roll(&c, 3) == 0;
        if (late)
            something_happens_meanwhile(&c);
        if (late)
            model_execute_late(&c.model, plan, steps);
        else
            model_execute(&c.model, plan, steps);
        forget_foreign(&c);
        check_journal(&c);
        if (!late && steps == plan->step_count)
            check_capacities(&c);
        if (roll(&c, 2))
            continue;
        model_settle(&c.model);
        forget_foreign(&c);
        check_settled(&c);
        check_foreign(&c);
        check_journal(&c);
    }
    model_clear(&c.model);
}

static void random_worlds_keep_the_rules(void **state)
{
    (void)state;
    const struct seeds seeds = seeds_for(WORLDS);
    for (unsigned seed = seeds.first; seed <= seeds.last; seed++)
        live(seed);
}

/* Which of a card's virtual functions has a device is no matter: they are alike, and
 * who comes first to one that another has lost can depend on the moment. */
static char *settled_dump(struct model *model)
{
    model_settle(model);
    for (int i = 0; i < model->device_count; i++)
        model->devices[i].vf = -1;
    for (size_t i = 0; i < model->journal->device_count; i++)
        *model->journal->devices[i].parent = 0;
    return model_dump(model);
}

static void crash_everywhere(struct chance *c)
{
    _cleanup_(plan_freep) struct plan *plan = model_plan(&c->model);
    struct model undisturbed;
    model_copy(&undisturbed, &c->model);
    _cleanup_free_ char *expected = settled_dump(&undisturbed);
    for (size_t count = 0; count <= plan->step_count; count++)
        for (int dies = 0; dies < 2; dies++) {
            struct model crashed;
            model_copy(&crashed, &c->model);
            if (dies)
                model_execute_and_die(&crashed, plan, count);
            else
                model_execute(&crashed, plan, count);
            _cleanup_free_ char *got = settled_dump(&crashed);
            if (strcmp(got, expected) != 0) {
                _cleanup_free_ char *before = model_dump(&c->model);
                fprintf(stderr, "---- before\n%s\n---- plan\n", before);
                plan_print(plan, FORMAT_TABLE, stderr);
                fprintf(stderr, "---- expected\n%s\n---- got\n%s\n", expected, got);
                fail_msg("seed %u, round %d: another end after step %zu", c->seed,
                         c->round, count);
            }
            model_clear(&crashed);
        }
    model_clear(&undisturbed);
}

static void a_crash_after_any_step_ends_in_the_same_state(void **state)
{
    (void)state;
    const struct seeds seeds = seeds_for(WORLDS / 10);
    for (unsigned seed = seeds.first; seed <= seeds.last; seed++) {
        struct chance c;
        make_world(&c, 77000 + seed);
        for (c.round = 0; c.round < ROUNDS; c.round++) {
            for (int i = roll(&c, 6); i >= 0; i--)
                something_happens(&c);
            crash_everywhere(&c);
            if (roll(&c, 3))
                model_settle(&c.model);
        }
        model_clear(&c.model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_worlds_keep_the_rules),
        cmocka_unit_test(a_crash_after_any_step_ends_in_the_same_state),
    };
    return cmocka_run_group_tests_name("plan_random", tests, NULL, NULL);
}
