#include "agent/daemon/lives.h"

#include <string.h>

#include "tests/unit/test.h"

#define SERVER "00000000-0000-4000-8000-0000000000c1"
#define MIGRATION "00000000-0000-4000-8000-0000000000c2"
#define GPU "00000000-0000-4000-8000-00000000000a"
#define OTHER_GPU "00000000-0000-4000-8000-00000000000b"

static char vgpu[] = "VGPU";

struct scene {
    struct lives lives;
    struct domains view;
    struct strlist providers;
    struct provider_allocation allocations[2][2];
    struct observed_provider seen[2];
    struct observed observed;
};

static void set_up(struct scene *scene)
{
    *scene = (struct scene){.view.complete = true};
    (void)domains_add(&scene->view, SERVER);
    strlist_add(&scene->providers, GPU);
    strlist_add(&scene->providers, OTHER_GPU);
    uuid_text_copy(scene->seen[0].provider.uuid, GPU);
    uuid_text_copy(scene->seen[1].provider.uuid, OTHER_GPU);
    for (int i = 0; i < 2; i++)
        scene->seen[i].allocations = scene->allocations[i];
    scene->observed = (struct observed){.providers = scene->seen, .provider_count = 2};
}

static void tear_down(struct scene *scene)
{
    lives_clear(&scene->lives);
    domains_clear(&scene->view);
    strlist_clear(&scene->providers);
}

static void allocate(struct scene *scene, int gpu, const char *consumer)
{
    struct observed_provider *provider = &scene->seen[gpu];
    struct provider_allocation *allocation =
        &provider->allocations[provider->allocation_count++];
    *allocation = (struct provider_allocation){.resource_class = vgpu, .amount = 1};
    uuid_text_copy(allocation->consumer, consumer);
}

static void look(struct scene *scene)
{
    lives_begin_cycle(&scene->lives);
    lives_end_cycle(&scene->lives, &scene->observed, &scene->providers, &scene->view);
}

/* An answer that the server has its device on that GPU; none where it is NULL. */
static int64_t count(struct scene *scene, uint64_t life, const char *gpu)
{
    struct consumer_allocation item = {.resource_class = vgpu, .amount = 1};
    struct consumer_allocations have = {.items = &item, .count = gpu != NULL};
    if (gpu)
        uuid_text_copy(item.provider, gpu);
    _cleanup_strlist_ struct strlist list = lives_allocations(&have, &scene->providers);
    return lives_count(&scene->lives, SERVER, life, &list);
}

static void a_guest_that_was_alone_is_rebuilt_or_resized(void **state)
{
    (void)state;
    struct scene scene;
    set_up(&scene);
    allocate(&scene, 0, SERVER);
    lives_note(&scene.lives, SERVER, 3);
    look(&scene);
    lives_note(&scene.lives, SERVER, 0);
    assert_int_equal(count(&scene, 3, GPU), LIVES_ALONE);
    assert_int_equal(count(&scene, 3, OTHER_GPU), LIVES_CHANGED);
    assert_int_equal(count(&scene, 3, NULL), LIVES_CHANGED);
    /* It has begun another life, of which nothing is known. */
    assert_int_equal(count(&scene, 4, OTHER_GPU), 0);
    assert_int_equal(count(&scene, 0, OTHER_GPU), 0);
    tear_down(&scene);
}

/* Until its allocations change, a revert may still come. */
static void a_guest_with_a_migration_is_reverted(void **state)
{
    (void)state;
    struct scene scene;
    set_up(&scene);
    allocate(&scene, 0, MIGRATION);
    allocate(&scene, 1, SERVER);
    lives_note(&scene.lives, SERVER, 3);
    look(&scene);
    lives_note(&scene.lives, SERVER, 0);
    assert_int_equal(count(&scene, 3, OTHER_GPU), 0);
    assert_int_equal(count(&scene, 3, OTHER_GPU), 0);
    assert_int_equal(count(&scene, 3, GPU), LIVES_CHANGED);
    tear_down(&scene);
}

/* The first answer may have come after the allocations. */
static void what_was_never_seen_otherwise_has_not_changed(void **state)
{
    (void)state;
    struct scene scene;
    set_up(&scene);
    allocate(&scene, 0, MIGRATION);
    allocate(&scene, 1, SERVER);
    lives_note(&scene.lives, SERVER, 3);
    look(&scene);
    assert_int_equal(count(&scene, 3, GPU), 0);
    tear_down(&scene);
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
        struct scene scene;
        set_up(&scene);
        allocate(&scene, 0, SERVER);
        scene.view.complete = rows[i].complete;
        lives_note(&scene.lives, SERVER, rows[i].before);
        lives_begin_cycle(&scene.lives);
        lives_note(&scene.lives, SERVER, rows[i].during);
        lives_end_cycle(&scene.lives, &scene.observed, &scene.providers, &scene.view);
        if (count(&scene, 3, GPU) != rows[i].counts)
            fail_msg("%s", rows[i].what);
        tear_down(&scene);
    }
}

/* A resize on this host: the allocation came while it ran, and a cycle has seen that. */
static void a_migration_that_comes_later_does_not_count(void **state)
{
    (void)state;
    struct scene scene;
    set_up(&scene);
    allocate(&scene, 0, SERVER);
    lives_note(&scene.lives, SERVER, 3);
    look(&scene);
    uuid_text_copy(scene.seen[0].allocations[0].consumer, MIGRATION);
    allocate(&scene, 1, SERVER);
    look(&scene);
    assert_int_equal(count(&scene, 3, OTHER_GPU), LIVES_CHANGED);
    tear_down(&scene);
}

static void what_is_gone_is_forgotten(void **state)
{
    (void)state;
    struct scene scene;
    set_up(&scene);
    allocate(&scene, 0, SERVER);
    lives_note(&scene.lives, SERVER, 3);
    look(&scene);
    domains_remove(&scene.view, SERVER);
    look(&scene);
    assert_int_equal(scene.lives.count, 1);
    scene.seen[0].allocation_count = 0;
    look(&scene);
    assert_int_equal(scene.lives.count, 0);
    tear_down(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_that_was_alone_is_rebuilt_or_resized),
        cmocka_unit_test(a_guest_with_a_migration_is_reverted),
        cmocka_unit_test(what_was_never_seen_otherwise_has_not_changed),
        cmocka_unit_test(it_is_alone_only_where_that_was_seen),
        cmocka_unit_test(a_migration_that_comes_later_does_not_count),
        cmocka_unit_test(what_is_gone_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
