#include "tests/unit/agent/plan/random_servers.h"

#include <string.h>

/* ---- allocations ---- */

static struct model_provider *any_provider(struct chance *c)
{
    struct model *m = &c->model;
    return m->provider_count ? &m->providers[chance_roll(c, m->provider_count)] : NULL;
}

static const char *gpu_class(const struct model_provider *p)
{
    for (int i = 0; i < p->inventory_count; i++)
        if (strcmp(p->inventories[i].resource_class, "CUSTOM_ELSE") != 0)
            return p->inventories[i].resource_class;
    return NULL;
}

static bool has_allocation(const struct model *m, const char *consumer)
{
    for (int i = 0; i < m->provider_count; i++)
        for (int j = 0; j < m->providers[i].allocation_count; j++)
            if (strcmp(m->providers[i].allocations[j].consumer, consumer) == 0)
                return true;
    return false;
}

static void allocate(struct model_provider *p, const char *consumer, int64_t amount)
{
    const char *class = p ? gpu_class(p) : NULL;
    if (!class || p->allocation_count >= 30)
        return;
    const struct inventory *i = &model_inventory(p, class)->inventory;
    int64_t used = 0;
    for (int j = 0; j < p->allocation_count; j++) {
        if (strcmp(p->allocations[j].resource_class, class) == 0)
            used += p->allocations[j].amount;
        if (strcmp(p->allocations[j].consumer, consumer) == 0)
            return;
    }
    if (used + amount > (i->total - i->reserved) * i->allocation_ratio)
        return;
    struct model_allocation *a = &p->allocations[p->allocation_count++];
    uuid_text_copy(a->consumer, consumer);
    stpcpy(a->resource_class, class);
    a->amount = amount;
    p->generation++;
}

static void spawn_on(struct chance *c, struct model_provider *p, int64_t amount)
{
    char consumer[UUID_TEXT_SIZE];
    chance_uuid("consumer", chance_roll(c, CONSUMERS), consumer);
    allocate(p, consumer, amount);
}

void chance_spawn(struct chance *c)
{
    spawn_on(c, any_provider(c), 1 + chance_roll(c, 2));
}

void chance_delete(struct chance *c)
{
    struct model_provider *p = any_provider(c);
    if (!p || !p->allocation_count)
        return;
    p->allocations[chance_roll(c, p->allocation_count)] =
        p->allocations[p->allocation_count - 1];
    p->allocation_count--;
    p->generation++;
}

static void drop_allocations(struct model *m, const char *consumer)
{
    for (int i = 0; i < m->provider_count; i++)
        for (int j = m->providers[i].allocation_count; j-- > 0;)
            if (strcmp(m->providers[i].allocations[j].consumer, consumer) == 0)
                m->providers[i].allocations[j] =
                    m->providers[i].allocations[--m->providers[i].allocation_count];
}

/* ---- migrations ---- */

/* Moves all allocations to another consumer. False: the other one has allocations
 * already. */
static bool rename_consumer(struct model *m, const char *from, const char *to)
{
    if (has_allocation(m, to))
        return false;
    for (int i = 0; i < m->provider_count; i++)
        for (int j = 0; j < m->providers[i].allocation_count; j++)
            if (strcmp(m->providers[i].allocations[j].consumer, from) == 0) {
                uuid_text_copy(m->providers[i].allocations[j].consumer, to);
                m->providers[i].generation++;
            }
    return true;
}

static void any_migration(struct chance *c, char out[UUID_TEXT_SIZE])
{
    chance_uuid("consumer", CONSUMERS + chance_roll(c, MIGRATIONS), out);
}

void chance_rename(struct chance *c)
{
    char server[UUID_TEXT_SIZE], migration[UUID_TEXT_SIZE];
    chance_uuid("consumer", chance_roll(c, CONSUMERS), server);
    any_migration(c, migration);
    if (chance_roll(c, 2))
        (void)rename_consumer(&c->model, migration, server);
    else
        (void)rename_consumer(&c->model, server, migration);
}

/* A journal entry whose consumer has an allocation; NULL: none was found at random. */
static const struct journal_device *any_served(struct chance *c)
{
    const struct journal *journal = c->model.journal;
    if (!journal->device_count)
        return NULL;
    const struct journal_device *d =
        &journal->devices[chance_roll(c, (int)journal->device_count)];
    return d->released_at || chance_is_migration(d->consumer) ||
                   !has_allocation(&c->model, d->consumer)
               ? NULL
               : d;
}

static bool has_room_for_domain(const struct model *m)
{
    return m->domain_count < MODEL_LENGTH(m->domains) - 1;
}

static void give_guest(struct chance *c, const struct journal_device *d, bool running)
{
    const struct model_device *device = model_device(&c->model, d->uuid);
    if (device && !device->in_transition && !model_is_used(&c->model, device) &&
        has_room_for_domain(&c->model))
        model_add_domain(&c->model, d->consumer, d->uuid, running);
}

void chance_migrate_beside_spawn(struct chance *c)
{
    const struct journal_device *d = any_served(c);
    char migration[UUID_TEXT_SIZE];
    any_migration(c, migration);
    if (!d)
        return;
    if (chance_roll(c, 4))
        give_guest(c, d, chance_roll(c, 2));
    struct model_provider *p = model_provider(&c->model, d->provider);
    if (rename_consumer(&c->model, d->consumer, migration))
        spawn_on(c, p, 1 + (chance_roll(c, 4) == 0));
}

void chance_resize_here(struct chance *c)
{
    const struct journal_device *d = any_served(c);
    char migration[UUID_TEXT_SIZE], consumer[UUID_TEXT_SIZE];
    any_migration(c, migration);
    if (!d)
        return;
    give_guest(c, d, false);
    uuid_text_copy(consumer, d->consumer);
    struct model_provider *p = model_provider(&c->model, d->provider);
    if (rename_consumer(&c->model, consumer, migration) && chance_roll(c, 2))
        allocate(p, consumer, 1 + chance_roll(c, 2));
}

void chance_orphan(struct chance *c)
{
    const struct journal_device *d = any_served(c);
    if (!d)
        return;
    give_guest(c, d, true);
    struct model_provider *p = model_provider(&c->model, d->provider);
    drop_allocations(&c->model, d->consumer);
    if (chance_roll(c, 2))
        spawn_on(c, p, 1);
}

/* ---- the host ---- */

void chance_reboot(struct chance *c)
{
    c->model.device_count = 0;
    for (int i = 0; i < c->model.domain_count; i++)
        c->model.domains[i].running = false;
}

void chance_name_another(struct chance *c)
{
    struct model *m = &c->model;
    if (!m->journal->device_count || !has_room_for_domain(m))
        return;
    const struct journal_device *d =
        &m->journal->devices[chance_roll(c, (int)m->journal->device_count)];
    char uuid[UUID_TEXT_SIZE];
    chance_uuid("consumer", chance_roll(c, CONSUMERS), uuid);
    bool runs =
        model_device(m, d->uuid) && !model_domain_of(m, d->uuid) && chance_roll(c, 2);
    model_add_another_domain(m, uuid, d->uuid, runs);
}

void chance_define_bare(struct chance *c)
{
    char uuid[UUID_TEXT_SIZE];
    chance_uuid("consumer", chance_roll(c, CONSUMERS), uuid);
    if (has_room_for_domain(&c->model))
        model_add_another_domain(&c->model, uuid, "", false);
}

void chance_ask(struct chance *c)
{
    struct model *m = &c->model;
    char uuid[UUID_TEXT_SIZE];
    chance_uuid("consumer", chance_roll(c, CONSUMERS), uuid);
    for (int i = m->server_count; i-- > 0;)
        if (!has_allocation(m, m->servers[i]))
            memmove(m->servers[i], m->servers[--m->server_count], UUID_TEXT_SIZE);
    if (has_allocation(m, uuid) && !model_is_server(m, uuid))
        uuid_text_copy(m->servers[m->server_count++], uuid);
}
