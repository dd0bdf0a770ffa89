/* Random worlds with fixed seeds. To run others by hand: ATTACH_WORLDS=1-40000. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/attach/watched.h"
#include "tests/unit/agent/attach/devices.h"
#include "tests/unit/agent/attach/watcher_world.h"
#include "tests/unit/test.h"

#define WORLDS 1500
#define STEPS 150

/* Of a running guest: what may keep a device out until its next start. */
static bool may_lack(const struct world *world, size_t number)
{
    return world->domains[number].detached || world->fake.domains[number].ports == 0;
}

static void check_device(const struct world *world, size_t number, int device)
{
    const struct guest *guest = &world->fake.domains[number].guest;
    char address[DEVICE_ADDRESS_SIZE];
    device_address((char)(device < 4 ? 'a' + device : 'p' + device - 4), address);
    bool configured = strlist_contains(&guest->configured, address);
    bool live = strlist_contains(&guest->live, address);
    bool wanted = world->given[device] == (int)number;
    if (wanted && guest->persistent && !configured)
        fail_msg("domain %zu lacks device %d in its configuration", number + 1, device);
    if (wanted && guest->running && !live && !may_lack(world, number))
        fail_msg("domain %zu runs without device %d", number + 1, device);
    if (!wanted && configured && !guest->running && world->whole[number])
        fail_msg("domain %zu is configured with device %d", number + 1, device);
}

static bool is_wanted(const struct world *world, size_t number)
{
    bool wanted = false;
    for (int i = 0; i < WORLD_DEVICES; i++)
        wanted |= world->given[i] == (int)number;
    return wanted;
}

static void check_state(const struct world *world, size_t number)
{
    const struct world_domain *domain = &world->domains[number];
    _cleanup_wanted_ struct wanted wanted = {.whole = world->whole[number]};
    for (int i = 0; i < WORLD_DEVICES; i++) {
        char letter[] = {(char)(i < 4 ? 'a' + i : 'p' + i - 4), 0};
        if (world->given[i] == (int)number)
            add_wanted(&wanted, letter);
    }
    enum guest_state with = GUEST_ABSENT, without = GUEST_ABSENT;
    if (world->fake.domains[number].exists) {
        const struct guest *guest = &world->fake.domains[number].guest;
        with = attach_state(guest, &wanted, true);
        without = attach_state(guest, &wanted, false);
    }
    if (!domain->has_state || (domain->state != with && domain->state != without))
        fail_msg("domain %zu is told to be in state %d, and is in %d", number + 1,
                 domain->has_state ? (int)domain->state : -1, (int)without);
}

void world_check_settled(struct world *world)
{
    if (!world->told_all)
        fail_msg("not every domain was looked at");
    for (size_t i = 0; i < WORLD_DOMAINS; i++) {
        const struct fake_domain *domain = &world->fake.domains[i];
        if (world->domains[i].told != domain->exists)
            fail_msg("domain %zu is told to be %s", i + 1,
                     domain->exists ? "gone" : "there");
        if (domain->exists && !guest_equal(&world->domains[i].guest, &domain->guest))
            fail_msg("domain %zu is not as it was told", i + 1);
        if (!is_wanted(world, i))
            continue;
        check_state(world, i);
        for (int d = 0; domain->exists && !world->heals[i] && d < WORLD_DEVICES; d++)
            check_device(world, i, d);
    }
}

static void live(unsigned seed)
{
    struct world world;
    world_make(&world, seed);
    for (int life = 0; life < 3; life++) {
        world.calm = false;
        for (int i = 0; i < STEPS; i++)
            world_step(&world);
        world_settle(&world);
        world_check_settled(&world);
    }
    world_clear(&world);
}

static void random_worlds(void **state)
{
    (void)state;
    unsigned first = 1, last = WORLDS;
    const char *asked = getenv("ATTACH_WORLDS");
    if (asked && sscanf(asked, "%u-%u", &first, &last) != 2)
        fail_msg("ATTACH_WORLDS: expected FIRST-LAST");
    for (unsigned seed = first; seed <= last; seed++) {
        /* What fails says where. */
        _cleanup_free_ char *name = NULL;
        if (asked && asprintf(&name, "seed %u\n", seed) > 0)
            fputs(name, stderr);
        live(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_worlds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
