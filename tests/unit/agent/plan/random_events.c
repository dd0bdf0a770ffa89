#include "tests/unit/agent/plan/random_events.h"

#include <stdio.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/agent/plan/random_servers.h"

/* Nova creates a child: it has the same name as the agent's would have, and another
 * uuid. */
static void nova_reports(struct chance *c)
{
    struct model *m = &c->model;
    if (m->mode != MODE_NOVA || m->provider_count >= 8)
        return;
    const struct model_gpu *gpu = &m->gpus[chance_roll(c, m->gpu_count)];
    char name[MODEL_TEXT];
    snprintf(name, sizeof name, "host_pci_0000_%s_00_%d", gpu->name,
             gpu->vfs ? 1 + chance_roll(c, gpu->vfs) : 0);
    if (model_provider_named(m, name))
        return;
    struct model_provider *p = &m->providers[m->provider_count++];
    *p = (struct model_provider){.inventory_count = 1};
    stpcpy(p->name, name);
    chance_uuid("nova", ++c->nova_children, p->uuid);
    stpcpy(p->inventories[0].resource_class, "VGPU");
    p->inventories[0].inventory = (struct inventory){3, 0, 1, 3, 1, 1.0};
    if (chance_roll(c, 2))
        model_add_trait(p, "OWNER_NOVA");
}

static struct model_provider *any_provider(struct chance *c)
{
    struct model *m = &c->model;
    return m->provider_count ? &m->providers[chance_roll(c, m->provider_count)] : NULL;
}

static struct model_device *any_device(struct chance *c)
{
    struct model *m = &c->model;
    return m->device_count ? &m->devices[chance_roll(c, m->device_count)] : NULL;
}

static struct foreign *foreign_of(struct chance *c, const char *provider)
{
    for (int i = 0; i < c->foreign_count; i++)
        if (strcmp(c->foreign[i].provider, provider) == 0)
            return &c->foreign[i];
    struct foreign *foreign = &c->foreign[c->foreign_count++];
    *foreign = (struct foreign){.reserved = -1};
    uuid_text_copy(foreign->provider, provider);
    return foreign;
}

static const char *main_class(const struct model_provider *p)
{
    for (int i = 0; i < p->inventory_count; i++)
        if (strcmp(p->inventories[i].resource_class, "CUSTOM_ELSE") != 0)
            return p->inventories[i].resource_class;
    return NULL;
}

/* A guest starts with a device that the journal has for it, or with a foreign one. */
static void start_guest(struct chance *c)
{
    struct model_device *device = any_device(c);
    if (!device || model_is_used(&c->model, device) || device->in_transition)
        return;
    const struct journal_device *entry =
        journal_find_device(c->model.journal, device->uuid);
    char uuid[UUID_TEXT_SIZE];
    chance_uuid("guest", chance_roll(c, 4), uuid);
    model_add_domain(&c->model, entry ? entry->consumer : uuid, device->uuid,
                     chance_roll(c, 2));
}

static void stop_guest(struct chance *c)
{
    struct model *m = &c->model;
    if (m->domain_count)
        model_drop_domain(m, m->domains[chance_roll(c, m->domain_count)].device);
}

static void hold_device(struct chance *c)
{
    struct model_device *device = any_device(c);
    if (device)
        device->group_open = !device->group_open;
}

/* An operator sets a parameter on a device for the consumer that has it. */
static void set_parameters(struct chance *c)
{
    struct model_device *device = any_device(c);
    const struct journal_device *entry =
        device ? journal_find_device(c->model.journal, device->uuid) : NULL;
    if (entry)
        MODEL_SET(device->parameters, entry->consumer);
}

static void refuse_clearing(struct chance *c)
{
    struct model_device *device = any_device(c);
    if (device)
        device->uncleared = !device->uncleared;
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
    chance_uuid("foreign", chance_roll(c, 1000), uuid);
    int gpu = chance_roll(c, m->gpu_count);
    int vfs = m->gpus[gpu].vfs;
    model_add_device(m, uuid, gpu, vfs ? chance_roll(c, vfs) : -1, chance_roll(c, 2));
}

static void lose_device(struct chance *c)
{
    struct model_device *device = any_device(c);
    if (device && chance_roll(c, 3))
        model_remove_device(&c->model, device->uuid);
    else if (chance_roll(c, 4) == 0)
        c->model.device_count = 0;
}

static void shake_device(struct chance *c)
{
    struct model_device *device = any_device(c);
    if (!device)
        return;
    device->in_transition = !device->in_transition;
    device->stray = device->in_transition && chance_roll(c, 2);
    device->uncounted = device->in_transition && chance_roll(c, 2);
    device->leaving = device->in_transition && device->made_by_agent &&
                      !device->uncounted && chance_roll(c, 2);
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
    stpcpy(trait, p->traits[chance_roll(c, p->trait_count)]);
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

static void operate(struct chance *c)
{
    struct model_provider *p = any_provider(c);
    const char *class = p ? main_class(p) : NULL;
    if (!class || strcmp(class, "VGPU") != 0 || chance_is_held_back(c, p))
        return;
    struct inventory *i = &model_inventory(p, class)->inventory;
    /* A `reserved` of the whole total would look like what the agent itself does to a
     * sick GPU. */
    if (i->total < 2)
        return;
    i->reserved = chance_roll(c, (int)i->total);
    i->allocation_ratio = chance_roll(c, 2) ? 1.0 : 2.0;
    i->max_unit = 1 + chance_roll(c, 3);
    foreign_of(c, p->uuid)->reserved = i->reserved;
    foreign_of(c, p->uuid)->ratio = i->allocation_ratio;
    p->generation++;
}

static void change_health(struct chance *c)
{
    struct model_gpu *gpu = &c->model.gpus[chance_roll(c, c->model.gpu_count)];
    gpu->health = gpu->health == GPU_OK
                      ? (chance_roll(c, 2) ? GPU_LOST : GPU_UNREADABLE)
                      : GPU_OK;
    /* A driver that hangs gives no names and no counts. */
    gpu->nameless = gpu->unreadable_count =
        gpu->health == GPU_UNREADABLE && chance_roll(c, 2);
}

/* For a while Placement's data of a child cannot be read. */
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

/* The provider tree is gone, with all allocations on it. It comes back with the same
 * root or, when Nova was set up again, with another one. */
static void lose_tree(struct chance *c)
{
    struct model *m = &c->model;
    m->root_missing = !m->root_missing;
    m->provider_count = 0;
    c->foreign_count = 0;
    if (chance_roll(c, 2))
        chance_uuid("root", c->round, m->root_uuid);
}

static void adopt_root(struct chance *c)
{
    journal_put_root(c->model.journal, c->model.root_uuid, c->model.root_name);
}

static void unplug(struct chance *c)
{
    struct model *m = &c->model;
    int gpu = chance_roll(c, m->gpu_count);
    m->gpus[gpu].absent = !m->gpus[gpu].absent;
    for (int i = m->device_count; i-- > 0 && m->gpus[gpu].absent;)
        if (m->devices[i].gpu == gpu)
            model_remove_device(m, m->devices[i].uuid);
}

static void drain(struct chance *c)
{
    c->model.gpus[chance_roll(c, c->model.gpu_count)].drained = chance_roll(c, 2);
}

/* The journal is lost, and with it the values of an operator that the agent had
 * overruled. From now on the values that are seen count. */
static void lose_journal(struct chance *c)
{
    struct model *m = &c->model;
    journal_free(m->journal);
    m->journal = journal_new();
    m->journal->rebuilding = chance_roll(c, 2);
    for (int i = 0; i < c->foreign_count; i++)
        c->foreign[i].reserved = -1;
}

static void pass_time(struct chance *c)
{
    c->model.now += chance_roll(c, 5) ? chance_roll(c, 100) : -chance_roll(c, 1000);
}

static void delete_provider(struct chance *c)
{
    struct model_provider *p = any_provider(c);
    if (!p || p->allocation_count)
        return;
    for (int i = 0; i < c->model.provider_count; i++)
        if (strcmp(c->model.providers[i].parent, p->uuid) == 0)
            return;
    for (int i = 0; i < c->foreign_count; i++)
        if (strcmp(c->foreign[i].provider, p->uuid) == 0)
            c->foreign[i] = c->foreign[--c->foreign_count];
    *p = c->model.providers[--c->model.provider_count];
}

/* An operator enables or disables a type of a card at run time. */
static void choose_type(struct chance *c)
{
    struct model *m = &c->model;
    const struct model_gpu *gpu = &m->gpus[chance_roll(c, m->gpu_count)];
    char line[MODEL_TEXT];
    snprintf(line, sizeof line, "0000:%s:00.0 %s", gpu->name,
             gpu->types[chance_roll(c, gpu->type_count)].id);
    int at = 0;
    while (at < m->choice_count && strcmp(m->choices[at].line, line) != 0)
        at++;
    if (at < m->choice_count && chance_roll(c, 2)) {
        m->choices[at] = m->choices[--m->choice_count];
        return;
    }
    if (at == MODEL_LENGTH(m->choices))
        return;
    m->choice_count += at == m->choice_count;
    MODEL_SET(m->choices[at].line, line);
    m->choices[at].disabled = chance_roll(c, 2);
}

static void cut_off(struct chance *c)
{
    c->model.unreachable = !c->model.unreachable;
}

static void blind_use(struct chance *c)
{
    c->model.use_unknown = !c->model.use_unknown;
}

typedef void event(struct chance *c); /* a function that changes the world */

static const struct {
    event *happen;
    int weight;
} events[] = {
    {chance_spawn, 12},
    {chance_delete, 5},
    {chance_rename, 4},
    {chance_migrate_beside_spawn, 3},
    {chance_resize_here, 2},
    {chance_orphan, 2},
    {chance_reboot, 1},
    {chance_name_another, 1},
    {chance_define_bare, 1},
    {chance_ask, 1},
    {start_guest, 5},
    {stop_guest, 4},
    {hold_device, 2},
    {set_parameters, 3},
    {refuse_clearing, 1},
    {define_device, 1},
    {lose_device, 2},
    {make_foreign_device, 2},
    {shake_device, 2},
    {operate, 2},
    {add_foreign_trait, 1},
    {drop_our_trait, 1},
    {chance_configure, 2},
    {add_foreign_class, 1},
    {change_health, 2},
    {unplug, 1},
    {drain, 1},
    {choose_type, 1},
    {lose_journal, 1},
    {pass_time, 6},
    {delete_provider, 1},
    {nova_reports, 2},
    {cut_off, 1},
    {blind_use, 1},
    {hide_provider, 1},
    {prune, 1},
    {lose_tree, 1},
    {adopt_root, 3},
};

static event *any_event(struct chance *c)
{
    int sum = 0;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        sum += events[i].weight;
    int at = chance_roll(c, sum);
    size_t i = 0;
    while (at >= events[i].weight)
        at -= events[i++].weight;
    return events[i].happen;
}

void chance_event(struct chance *c)
{
    any_event(c)(c);
}

void chance_event_meanwhile(struct chance *c)
{
    event *happen;
    do {
        happen = any_event(c);
    } while (happen == lose_journal);
    happen(c);
}
