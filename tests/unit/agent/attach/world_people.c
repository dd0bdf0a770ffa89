/* What Nova, operators and the daemon do in a random world. */
#include <string.h>

#include "tests/unit/agent/attach/devices.h"
#include "tests/unit/agent/attach/watcher_world.h"

int world_roll(struct world *world, int sides)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return (int)(world->random % (uint64_t)sides);
}

static struct fake_domain *domain_of(struct world *world, size_t number)
{
    return &world->fake.domains[number];
}

/* ---- domains ---- */

static void new_run(struct world *world, size_t number)
{
    struct world_domain *domain = &world->domains[number];
    domain->restored_at = -1;
    domain->detached = false;
    domain_of(world, number)->ports = world_roll(world, 4);
}

/* A new XML: of mediated devices Nova may have kept those of the old one. */
static void define(struct world *world, size_t number)
{
    struct fake_domain *domain = domain_of(world, number);
    if (domain->exists && domain->guest.running)
        return;
    if (!domain->exists || world_roll(world, 2))
        strlist_clear(&domain->guest.configured);
    domain->exists = domain->guest.persistent = true;
    world_add_event(world, number, OCCASION_DEFINED);
}

static void start(struct world *world, size_t number)
{
    struct fake_domain *domain = domain_of(world, number);
    if (!domain->exists || domain->guest.running)
        return;
    new_run(world, number);
    fake_start(domain);
    world_add_event(world, number, OCCASION_STARTED);
}

static void start_transient(struct world *world, size_t number)
{
    struct fake_domain *domain = domain_of(world, number);
    if (domain->exists)
        return;
    new_run(world, number);
    domain->exists = domain->guest.running = true;
    strlist_clear(&domain->guest.live);
    world_add_event(world, number, OCCASION_STARTED);
}

/* What was saved has no device. */
static void restore(struct world *world, size_t number)
{
    struct fake_domain *domain = domain_of(world, number);
    if (!domain->exists || domain->guest.running)
        return;
    new_run(world, number);
    domain->guest.running = true;
    strlist_clear(&domain->guest.live);
    world_add_event(world, number, OCCASION_RESTORED);
}

static void stop(struct world *world, size_t number)
{
    struct fake_domain *domain = domain_of(world, number);
    if (!domain->exists || !domain->guest.running)
        return;
    fake_stop(domain);
    world->domains[number].restored_at = -1;
    world_add_event(world, number, OCCASION_STOPPED);
}

static void undefine(struct world *world, size_t number)
{
    struct fake_domain *domain = domain_of(world, number);
    if (!domain->exists || !domain->guest.persistent)
        return;
    fake_undefine(domain);
    world_add_event(world, number, OCCASION_STOPPED);
}

static void detach(struct world *world, size_t number)
{
    struct fake_domain *domain = domain_of(world, number);
    if (!domain->exists || !domain->guest.running || domain->guest.live.count == 0)
        return;
    strlist_clear(&domain->guest.live);
    world->domains[number].detached = true;
    world_add_event(world, number, OCCASION_CHANGED);
}

/* ---- the daemon ---- */

void world_give_table(struct world *world)
{
    struct wanted_table table = {.serial = ++world->serial};
    char address[DEVICE_ADDRESS_SIZE];
    for (int i = 0; i < WORLD_DEVICES; i++) {
        char letter[] = {(char)(i < 4 ? 'a' + i : 'p' + i - 4), 0};
        strlist_add(&table.ours, device_address(*letter, address));
        if (world->given[i] == NOBODY)
            continue;
        size_t number = (size_t)world->given[i];
        struct wanted *wanted =
            wanted_table_add(&table, world->fake.domains[number].guest.uuid);
        wanted->whole = world->whole[number];
        wanted->heals = world->heals[number];
        add_wanted(wanted, letter);
    }
    wanted_table_sort(&table);
    watcher_take_table(world->watcher, &table, world->now);
    world_take_news(world, NOBODY);
    world_look_at_holding(world);
}

/* Gives a device to a guest, or takes it back. */
static void change_table(struct world *world)
{
    int device = world_roll(world, WORLD_DEVICES);
    if (world->given[device] != NOBODY)
        world->given[device] = NOBODY;
    else if (world->allowed[device] == NOBODY)
        world->given[device] = world->allowed[device] =
            world_roll(world, WORLD_DOMAINS);
    size_t number = (size_t)world_roll(world, WORLD_DOMAINS);
    world->whole[number] = world_roll(world, 3) > 0;
    world->heals[number] = world_roll(world, 8) == 0;
    world_give_table(world);
}

void world_act(struct world *world)
{
    static void (*const acts[])(struct world *, size_t) = {
        define, define, start, start, start_transient, restore, stop, undefine, detach};
    int many = (int)(sizeof acts / sizeof *acts);
    int act = world_roll(world, many + 4);
    if (act < many)
        acts[act](world, (size_t)world_roll(world, WORLD_DOMAINS));
    else
        change_table(world);
}
