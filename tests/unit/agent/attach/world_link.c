/* The events of a random world, and the connection that they come over. */
#include <string.h>

#include "tests/unit/agent/attach/watcher_world.h"
#include "tests/unit/test.h"

void world_add_event(struct world *world, size_t domain, enum occasion occasion)
{
    if (world->link == LINK_DOWN)
        return;
    assert_true(world->event_count < WORLD_QUEUE);
    world->events[world->event_count].domain = domain;
    world->events[world->event_count++].occasion = occasion;
}

static bool has_entry(const struct world *world, size_t number)
{
    for (int i = 0; i < WORLD_DEVICES; i++)
        if (world->given[i] == (int)number)
            return true;
    return false;
}

/* Whether this definition is one of a guest that is off for all that the watcher can have
 * seen, and was known before. */
static bool is_defined_again(const struct world *world, size_t number,
                             enum occasion occasion)
{
    const struct world_domain *domain = &world->domains[number];
    bool later = false;
    for (size_t i = 0; i < world->event_count; i++)
        later |= world->events[i].domain == number;
    return occasion == OCCASION_DEFINED && domain->known && !domain->started &&
           !later && !world->fake.domains[number].guest.running && world->serial > 0;
}

static void note_event(struct world_domain *domain, enum occasion occasion)
{
    if (occasion == OCCASION_STOPPED)
        domain->known = domain->started = false;
    else if (occasion_acts(occasion)) {
        domain->known = true;
        domain->started |= occasion != OCCASION_DEFINED;
    }
}

void world_give_event(struct world *world)
{
    if (world->event_count == 0)
        return;
    size_t number = world->events[0].domain;
    enum occasion occasion = world->events[0].occasion;
    world->event_count--;
    memmove(&world->events[0], &world->events[1],
            world->event_count * sizeof world->events[0]);
    /* Until there is a newer start, the run that was restored is Nova's. */
    bool starts = occasion == OCCASION_STARTED || occasion == OCCASION_RESTORED;
    bool newer = false;
    for (size_t i = 0; i < world->event_count; i++)
        newer |= world->events[i].domain == number &&
                 (world->events[i].occasion == OCCASION_STARTED ||
                  world->events[i].occasion == OCCASION_RESTORED);
    if (starts && !newer && world->fake.domains[number].guest.running)
        world->domains[number].restored_at =
            occasion == OCCASION_RESTORED ? world->now : -1;
    world->domains[number].restored = ++world->moment;
    bool again = is_defined_again(world, number, occasion);
    uint64_t asked = world->domains[number].doubt;
    note_event(&world->domains[number], occasion);
    watcher_event(world->watcher, world->fake.domains[number].guest.uuid, occasion,
                  world->now);
    bool asks = occasion_acts(occasion) && world->serial > 0 &&
                !has_entry(world, number) && world->domains[number].doubt == 0;
    world_take_news(world, asks ? (int)number : NOBODY);
    if (again && world->domains[number].doubt == asked)
        fail_msg("domain %zu was defined again, and nobody was asked", number + 1);
}

void world_lose_link(struct world *world)
{
    world->link = LINK_DOWN;
    world->event_count = 0;
    world->told_all = false;
    world->late.until = -1;
    for (int i = 0; i < WORLD_DOMAINS; i++)
        world->domains[i].restored_at = -1;
    for (int i = 0; i < WORLD_DOMAINS; i++)
        world->domains[i].known = world->domains[i].started = false;
    watcher_disconnected(world->watcher);
    world_take_news(world, NOBODY);
    world_look_at_holding(world);
}

void world_move_link(struct world *world)
{
    enum hypervisor_failure failure;
    if (world->link == LINK_DOWN)
        world->link = LINK_REGISTERED;
    else if (world->link == LINK_REGISTERED) {
        strlist_clear(&world->listed);
        (void)fake_hypervisor.list(&world->fake, &world->listed, &failure, NULL);
        world->link = LINK_LISTED;
    } else if (world->link == LINK_LISTED) {
        world->link = LINK_UP;
        watcher_connected(world->watcher, &world->listed, world->now);
        for (int i = 0; i < WORLD_DOMAINS; i++)
            world->domains[i].known |=
                world->fake.domains[i].exists &&
                strlist_contains(&world->listed, world->fake.domains[i].guest.uuid);
        world_take_news(world, NOBODY);
    }
}
