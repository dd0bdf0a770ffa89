#include "agent/daemon/lives.h"

#include <string.h>

#include "tests/unit/test.h"

#define SERVER "00000000-0000-4000-8000-0000000000c1"
#define MIGRATION "00000000-0000-4000-8000-0000000000c2"
#define GPU "00000000-0000-4000-8000-00000000000a"
#define OTHER_GPU "00000000-0000-4000-8000-00000000000b"

static char vgpu[] = "VGPU";

static struct {
    struct lives lives;
    struct domains view;
    struct strlist providers;
    struct provider_allocation allocations[2][2];
    struct observed_provider seen[2];
    struct observed observed;
} scene;

static int set_up(void **state)
{
    (void)state;
    scene.view.complete = true;
    (void)domains_add(&scene.view, SERVER);
    strlist_add(&scene.providers, GPU);
    strlist_add(&scene.providers, OTHER_GPU);
    uuid_text_copy(scene.seen[0].provider.uuid, GPU);
    uuid_text_copy(scene.seen[1].provider.uuid, OTHER_GPU);
    for (int i = 0; i < 2; i++)
        scene.seen[i].allocations = scene.allocations[i];
    scene.observed = (struct observed){.providers = scene.seen, .provider_count = 2};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lives_clear(&scene.lives);
    domains_clear(&scene.view);
    strlist_clear(&scene.providers);
    memset(&scene, 0, sizeof scene);
    return 0;
}

static void allocate(int gpu, const char *consumer)
{
    struct observed_provider *provider = &scene.seen[gpu];
    struct provider_allocation *allocation =
        &provider->allocations[provider->allocation_count++];
    *allocation = (struct provider_allocation){.resource_class = vgpu, .amount = 1};
    uuid_text_copy(allocation->consumer, consumer);
}

static void look(void)
{
    lives_begin_cycle(&scene.lives);
    lives_end_cycle(&scene.lives, &scene.observed, &scene.providers, &scene.view);
}

/* In life 3. */
static void look_while_it_runs(void)
{
    lives_note(&scene.lives, SERVER, 3);
    look();
}

/* An answer that the server has its device on that GPU; none where it is NULL. */
static int64_t count(uint64_t life, const char *gpu)
{
    struct consumer_allocation item = {.resource_class = vgpu, .amount = 1};
    struct consumer_allocations have = {.items = &item, .count = gpu != NULL};
    if (gpu)
        uuid_text_copy(item.provider, gpu);
    _cleanup_strlist_ struct strlist list = lives_allocations(&have, &scene.providers);
    return lives_count(&scene.lives, SERVER, life, &list);
}

static void a_guest_that_was_alone_is_rebuilt_or_resized(void **state)
{
    (void)state;
    allocate(0, SERVER);
    look_while_it_runs();
    lives_note(&scene.lives, SERVER, 0);
    assert_int_equal(count(3, GPU), LIVES_ALONE);
    assert_int_equal(count(3, OTHER_GPU), LIVES_CHANGED);
    assert_int_equal(count(3, NULL), LIVES_CHANGED);
    /* It has begun another life, of which nothing is known. */
    assert_int_equal(count(4, OTHER_GPU), 0);
    assert_int_equal(count(0, OTHER_GPU), 0);
}

/* Until its allocations change, a revert may still come. */
static void a_guest_with_a_migration_is_reverted(void **state)
{
    (void)state;
    allocate(0, MIGRATION);
    allocate(1, SERVER);
    look_while_it_runs();
    lives_note(&scene.lives, SERVER, 0);
    assert_int_equal(count(3, OTHER_GPU), 0);
    assert_int_equal(count(3, OTHER_GPU), 0);
    assert_int_equal(count(3, GPU), LIVES_CHANGED);
}

/* The first answer may have come after the allocations. */
static void what_was_never_seen_otherwise_has_not_changed(void **state)
{
    (void)state;
    allocate(0, MIGRATION);
    allocate(1, SERVER);
    look_while_it_runs();
    assert_int_equal(count(3, GPU), 0);
}

static void it_is_alone_only_where_that_was_seen(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint64_t before, during; /* the lives that it runs in; 0: it does not */
        bool complete;
        int64_t counts; /* after life 3 */
    } rows[] = {
        {"it ran during the whole look", 3, 3, true, LIVES_ALONE},
        {"it started meanwhile", 0, 3, true, 0},
        {"it stopped meanwhile", 3, 0, true, 0},
        {"another life has begun meanwhile", 2, 3, true, 0},
        {"not all domains are known", 3, 3, false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(set_up(state), 0);
        allocate(0, SERVER);
        scene.view.complete = rows[i].complete;
        lives_note(&scene.lives, SERVER, rows[i].before);
        lives_begin_cycle(&scene.lives);
        lives_note(&scene.lives, SERVER, rows[i].during);
        lives_end_cycle(&scene.lives, &scene.observed, &scene.providers, &scene.view);
        if (count(3, GPU) != rows[i].counts)
            fail_msg("%s", rows[i].what);
        assert_int_equal(tear_down(state), 0);
    }
}

/* A resize on this host: the allocation came while it ran, and a cycle has seen that. */
static void a_migration_that_comes_later_does_not_count(void **state)
{
    (void)state;
    allocate(0, SERVER);
    look_while_it_runs();
    uuid_text_copy(scene.seen[0].allocations[0].consumer, MIGRATION);
    allocate(1, SERVER);
    look();
    assert_int_equal(count(3, OTHER_GPU), LIVES_CHANGED);
}

static void what_is_gone_is_forgotten(void **state)
{
    (void)state;
    allocate(0, SERVER);
    look_while_it_runs();
    domains_remove(&scene.view, SERVER);
    look();
    assert_int_equal(scene.lives.count, 1);
    scene.seen[0].allocation_count = 0;
    look();
    assert_int_equal(scene.lives.count, 0);
}

#define in_a_scene(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_scene(a_guest_that_was_alone_is_rebuilt_or_resized),
        in_a_scene(a_guest_with_a_migration_is_reverted),
        in_a_scene(what_was_never_seen_otherwise_has_not_changed),
        cmocka_unit_test(it_is_alone_only_where_that_was_seen),
        in_a_scene(a_migration_that_comes_later_does_not_count),
        in_a_scene(what_is_gone_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
