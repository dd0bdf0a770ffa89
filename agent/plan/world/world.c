#include "agent/plan/world/world.h"

#include <string.h>

#include "agent/plan/world/managed.h"
#include "agent/state/journal_index.h"
#include "lib/xalloc.h"

/* The indexes beyond an allocation's amount that are tried for a computed uuid: an
 * index is skipped only where its uuid is another's already. */
#define SPARE_INDEXES 4
#define MAX_INDEXES 1024

/* ---- groups ---- */

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct group *)a)->key, ((const struct group *)b)->key);
}

static struct group *find_group(const struct world *world, const char *key)
{
    struct group wanted = {.key = key};
    return key && world->group_count
               ? bsearch(&wanted, world->groups, world->group_count,
                         sizeof *world->groups, compare_keys)
               : NULL;
}

static void add_key(struct world *world, const char *key)
{
    if (key)
        array_add(world->groups, world->group_count)->key = key;
}

static const char *managed_key(const struct world *world, const struct managed *managed)
{
    if (world->by_card)
        return managed->gpu;
    const struct desired_provider *desired = managed->desired;
    return desired && desired->view.parent_count ? desired->view.parents[0].name : NULL;
}

static const char *entry_key(const struct world *world,
                             const struct journal_device *entry)
{
    return world->by_card ? entry->gpu : entry->parent;
}

static const char *present_key(const struct world *world, const struct present *present)
{
    if (present->parent)
        return world->by_card ? present->gpu->name : present->parent->name;
    const struct journal_device *entry =
        present->entry ? present->entry : present->hand;
    return entry ? entry_key(world, entry) : NULL;
}

/* An order may be for any device of the host, and on any card. */
static void add_all_keys(struct world *world)
{
    const struct host *host = world->in->host;
    for (size_t i = 0; i < host->gpu_count; i++) {
        if (world->by_card)
            add_key(world, host->gpus[i].name);
        for (size_t j = 0; !world->by_card && j < host->gpus[i].parent_count; j++)
            add_key(world, host->gpus[i].parents[j].name);
    }
}

static void make_groups(struct world *world)
{
    const struct journal *journal = world->in->journal;
    for (size_t i = 0; i < world->managed_count; i++)
        add_key(world, managed_key(world, &world->managed[i]));
    for (size_t i = 0; i < journal->device_count; i++)
        add_key(world, entry_key(world, &journal->devices[i]));
    if (world->in->orders && world->in->orders->count)
        add_all_keys(world);
    if (!world->group_count)
        return;
    qsort(world->groups, world->group_count, sizeof *world->groups, compare_keys);
    size_t kept = 1;
    for (size_t i = 1; i < world->group_count; i++)
        if (compare_keys(&world->groups[kept - 1], &world->groups[i]) != 0)
            world->groups[kept++] = world->groups[i];
    world->group_count = kept;
    for (size_t i = 0; i < kept; i++) {
        struct group *group = &world->groups[i];
        group->gpu = world->by_card ? host_gpu(world->in->host, group->key)
                                    : host_parent(world->in->host, group->key, NULL);
        group->read = world->in->observed && world->in->observed->root_found;
    }
}

static void join_managed(struct world *world)
{
    for (size_t i = 0; i < world->managed_count; i++) {
        struct managed *managed = &world->managed[i];
        struct group *group = find_group(world, managed_key(world, managed));
        managed->group = group;
        if (!group)
            continue;
        group->hands_off |= managed->hands_off;
        group->read &= managed->read;
        group->unread |= managed->observed && !managed->read;
        group->has_managed = true;
        if (!managed->desired)
            continue;
        struct managed **last = &group->configured;
        while (*last)
            last = &(*last)->next;
        *last = managed;
        group->several |= managed->desired->is_card;
        group->exclusive |= managed->desired->card_name && !managed->desired->mixed;
    }
}

/* ---- present and lost devices ---- */

static void add_present(struct world *world, struct journal_index *index,
                        const struct device *device, const struct gpu *gpu,
                        const struct parent *parent)
{
    struct present present = {.device = device, .gpu = gpu, .parent = parent};
    const struct journal_device *entry = journal_index_see(index, device, parent);
    if (entry && entry->by_hand)
        present.hand = entry;
    else
        present.entry = entry;
    if (!entry)
        present.other_kind = journal_index_other_kind(index, device);
    present.group = find_group(world, present_key(world, &present));
    for (size_t i = 0; !present.group && !parent && i < world->group_count; i++) {
        world->groups[i].strays++;
        world->groups[i].leaving_strays += device->leaving;
    }
    if (!present.group)
        return;
    if (world->in->use)
        present.use = device_use_find(world->in->use, device->address);
    present.group->in_transit |= device->in_transition;
    *array_add(world->present, world->present_count) = present;
}

static void gather_devices(struct world *world)
{
    const struct host *host = world->in->host;
    struct journal_index index = journal_index_make(world->in->journal);
    for (size_t i = 0; i < host->gpu_count; i++) {
        const struct gpu *gpu = &host->gpus[i];
        for (size_t j = 0; j < gpu->parent_count; j++)
            for (size_t k = 0; k < gpu->parents[j].device_count; k++)
                add_present(world, &index, &gpu->parents[j].devices[k], gpu,
                            &gpu->parents[j]);
    }
    for (size_t i = 0; i < host->stray_count; i++)
        add_present(world, &index, &host->strays[i], NULL, NULL);
    for (size_t i = 0; i < index.count; i++) {
        if (index.seen[i])
            continue;
        if (index.entries[i]->by_hand) {
            array_add(world->hands, world->hand_count)->entry = index.entries[i];
            continue;
        }
        struct lost *lost = array_add(world->lost, world->lost_count);
        lost->entry = index.entries[i];
        lost->group = find_group(world, entry_key(world, lost->entry));
        if (world->in->use)
            lost->use = device_use_find(world->in->use, lost->entry->address);
    }
    journal_index_clear(&index);
}

static void gather_wants(struct world *world)
{
    for (size_t i = 0; i < world->managed_count; i++) {
        struct managed *managed = &world->managed[i];
        if (!managed->observed || !managed->read || managed->hands_off ||
            !managed->group)
            continue;
        for (size_t j = 0; j < managed->observed->allocation_count; j++) {
            const struct provider_allocation *allocation =
                &managed->observed->allocations[j];
            if (!managed_has_class(world, managed, allocation->resource_class))
                continue;
            struct want *want = array_add(world->wants, world->want_count);
            want->managed = managed;
            want->group = managed->group;
            want->allocation = allocation;
        }
    }
}

/* ---- sorted by group, so that each group has its part of the arrays ---- */

static int compare_groups(const struct group *a, const struct group *b)
{
    return (a > b) - (a < b);
}

/* Sorts devices by their entries' owners, those without an entry last. */
static int compare_entry_owners(const struct journal_device *a,
                                const struct journal_device *b)
{
    if (!a || !b)
        return (a == NULL) - (b == NULL);
    int order = strcmp(a->consumer, b->consumer);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

static int compare_present(const void *a, const void *b)
{
    const struct present *x = a, *y = b;
    int order = compare_groups(x->group, y->group);
    if (!order)
        order = compare_entry_owners(x->entry, y->entry);
    return order ? order : strcmp(x->device->address, y->device->address);
}

static int compare_lost(const void *a, const void *b)
{
    const struct lost *x = a, *y = b;
    int order = compare_groups(x->group, y->group);
    if (!order)
        order = compare_entry_owners(x->entry, y->entry);
    return order ? order : strcmp(x->entry->uuid, y->entry->uuid);
}

static int compare_wants(const void *a, const void *b)
{
    const struct want *x = a, *y = b;
    int order = compare_groups(x->group, y->group);
    if (!order)
        order = strcmp(x->allocation->consumer, y->allocation->consumer);
    if (!order)
        order = strcmp(x->allocation->resource_class, y->allocation->resource_class);
    return order ? order : strcmp(x->managed->uuid, y->managed->uuid);
}

static void sort(void *items, size_t count, size_t size,
                 int (*compare)(const void *, const void *))
{
    if (count)
        qsort(items, count, size, compare);
}

static void divide(struct world *world)
{
    sort(world->present, world->present_count, sizeof *world->present, compare_present);
    sort(world->lost, world->lost_count, sizeof *world->lost, compare_lost);
    sort(world->wants, world->want_count, sizeof *world->wants, compare_wants);
    for (size_t i = world->present_count; i-- > 0;) {
        world->present[i].group->present = &world->present[i];
        world->present[i].group->present_count++;
    }
    for (size_t i = world->lost_count; i-- > 0;) {
        world->lost[i].group->lost = &world->lost[i];
        world->lost[i].group->lost_count++;
    }
    for (size_t i = world->want_count; i-- > 0;) {
        world->wants[i].group->wants = &world->wants[i];
        world->wants[i].group->want_count++;
    }
}

struct world *world_make(const struct plan_input *in, struct plan *plan)
{
    struct world *world = xcalloc(1, sizeof *world);
    world->in = in;
    world->plan = plan;
    world->owner = in->config->agent.mode == MODE_OWNER;
    world->by_card = in->config->agent.mode != MODE_NOVA;
    managed_find(world);
    make_groups(world);
    join_managed(world);
    gather_devices(world);
    gather_wants(world);
    divide(world);
    return world;
}

void world_free(struct world *world)
{
    if (!world)
        return;
    for (size_t i = 0; i < world->want_count; i++) {
        strlist_clear(&world->wants[i].devices);
        strlist_clear(&world->wants[i].named);
        free(world->wants[i].reason);
    }
    free(world->managed);
    free(world->groups);
    free(world->wants);
    free(world->present);
    free(world->lost);
    for (size_t i = 0; i < world->hand_count; i++) {
        free(world->hands[i].refusal);
        free(world->hands[i].waits);
    }
    free(world->hands);
    free(world);
}

/* ---- questions ---- */

bool world_creates_root(const struct world *world)
{
    return world->owner && world->in->config->agent.create_root &&
           world->in->observed && !world->in->observed->root_found;
}

bool present_is_of(const struct present *present, const struct managed *managed)
{
    if (!managed->desired || !managed->desired->type_id || !present->parent ||
        !present->device->type_id ||
        strcmp(present->device->type_id, managed->desired->type_id) != 0)
        return false;
    const struct gpu *view = &managed->desired->view;
    for (size_t i = 0; i < view->parent_count; i++)
        if (strcmp(view->parents[i].name, present->parent->name) == 0)
            return true;
    return false;
}

bool present_is_configured(const struct present *present)
{
    for (const struct managed *m = present->group->configured; m; m = m->next)
        if (present_is_of(present, m))
            return true;
    return false;
}

bool present_is_foreign(const struct present *present)
{
    return !present->entry || present->entry->adopted;
}

bool present_is_overdue(const struct world *world, const struct present *present)
{
    int64_t released_at = present->entry ? present->entry->released_at : 0;
    return released_at && released_at <= world->in->now &&
           world->in->now - released_at >= world->in->config->agent.release_grace;
}

bool present_is_out_of_sight(const struct world *world, const struct present *present)
{
    if (!present->entry || !world->in->observed)
        return false;
    for (size_t i = 0; i < world->managed_count; i++)
        if (strcmp(world->managed[i].uuid, present->entry->provider) == 0)
            return world->managed[i].observed && !world->managed[i].read;
    return !observed_by_uuid(world->in->observed, present->entry->provider);
}

const char *present_domain(const struct present *present)
{
    return present->use && present->use->domain[0] ? present->use->domain : NULL;
}

bool present_is_used(const struct world *world, const struct present *present)
{
    return present->use || present->other_kind ||
           (world->in->use && world->in->use->unknown);
}

int64_t want_missing(const struct want *want)
{
    return want->allocation->amount - want->met;
}

int64_t want_unnamed(const struct want *want)
{
    return want_missing(want) - (int64_t)want->named.count;
}

bool entry_is_for(const struct journal_device *entry, const struct want *want)
{
    return strcmp(entry->consumer, want->allocation->consumer) == 0 &&
           strcmp(entry->resource_class, want->allocation->resource_class) == 0;
}

static bool is_noted(const struct journal_device *entry, const struct want *want,
                     unsigned index)
{
    return entry && entry->index == index && entry_is_for(entry, want) &&
           strcmp(entry->provider, want->managed->uuid) == 0;
}

/* True when the journal notes this index for a device of the want's consumer that does
 * not meet the want, or no longer does, and will keep that note. */
static bool notes_index(const struct want *want, unsigned index)
{
    const struct group *group = want->group;
    for (size_t i = 0; i < group->present_count; i++)
        if (!group->present[i].want && is_noted(group->present[i].entry, want, index))
            return true;
    for (size_t i = 0; i < group->lost_count; i++)
        if (is_noted(group->lost[i].entry, want, index))
            return true;
    return false;
}

bool want_has_index(const struct want *want, unsigned index)
{
    const struct group *group = want->group;
    for (size_t i = 0; i < group->present_count; i++)
        if (group->present[i].want == want && group->present[i].numbered &&
            group->present[i].index == index)
            return true;
    for (size_t i = 0; i < group->lost_count; i++)
        if (group->lost[i].want == want && group->lost[i].numbered &&
            group->lost[i].index == index)
            return true;
    return false;
}

unsigned want_free_index(const struct want *want, unsigned from)
{
    while (want_has_index(want, from) || notes_index(want, from))
        from++;
    return from;
}

void computed_uuid(const char *provider, const char *consumer,
                   const char *resource_class, unsigned index, char out[UUID_TEXT_SIZE])
{
    _cleanup_free_ char *name = xasprintf("%s:%s:%u", consumer, resource_class, index);
    uuid5_text(provider, name, out);
}

unsigned want_index_end(const struct want *want)
{
    int64_t amount = want->allocation->amount;
    return (amount > MAX_INDEXES ? MAX_INDEXES : (unsigned)amount) + SPARE_INDEXES;
}

void want_computed_uuid(const struct want *want, unsigned index,
                        char out[UUID_TEXT_SIZE])
{
    computed_uuid(want->managed->uuid, want->allocation->consumer,
                  want->allocation->resource_class, index, out);
}

int64_t group_in_transit(const struct group *group, const char *parent, bool uncounted)
{
    int64_t count = (int64_t)(group->strays - (uncounted ? group->leaving_strays : 0));
    for (size_t i = 0; i < group->present_count; i++) {
        const struct present *present = &group->present[i];
        count +=
            present->device->in_transition &&
            !(uncounted && present->device->leaving) &&
            (!present->parent || !parent || strcmp(present->parent->name, parent) == 0);
    }
    return count;
}

void present_identity(const struct present *present, char out[UUID_TEXT_SIZE])
{
    if (present->entry)
        uuid_text_copy(out, present->entry->uuid);
    else if (*present->device->uuid || !present->want || present->stays)
        uuid_text_copy(out, present->device->uuid);
    else
        want_computed_uuid(present->want, present->index, out);
}

bool present_is_settled(const struct present *present)
{
    return !present->device->in_transition && present->parent &&
           present->device->type_id;
}

struct step *world_add_step(struct world *world, enum step_kind kind,
                            const struct managed *managed)
{
    struct step *step = array_add(world->plan->steps, world->plan->step_count);
    step->kind = kind;
    step->generation = -1;
    if (managed) {
        step->gpu = xstrdup(managed->gpu);
        uuid_text_copy(step->provider, managed->uuid);
        step->provider_name = xstrdup(managed->name);
        if (managed->observed)
            step->generation = managed->observed->provider.generation;
    }
    return step;
}
