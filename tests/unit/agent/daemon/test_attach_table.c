#include "agent/daemon/attach_table.h"

#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

#define ONE "00000000-0000-4000-8000-0000000000c1"
#define TWO "00000000-0000-4000-8000-0000000000c2"
#define OTHER "00000000-0000-4000-8000-0000000000c3"
#define A "00000000-0000-4000-8000-00000000000a"
#define B "00000000-0000-4000-8000-00000000000b"
#define C "00000000-0000-4000-8000-00000000000c"
#define CARD "0000:84:00.0"

static const struct config config = {.agent.mode = MODE_OWNER};

struct scene {
    struct cycle cycle;
    struct journal *journal;
    struct domains view;
    struct strlist withheld;
    struct wanted_table table;
};

static void add_device(struct host *host, const char *uuid)
{
    struct parent *parent = gpu_add_parent(host_add_gpu(host, CARD), "mdev", CARD);
    struct device *device = parent_add_device(parent, uuid);
    uuid_parse_text(uuid, device->uuid);
    device->type_id = xstrdup("nvidia-35");
}

static void note(struct scene *scene, const char *uuid, const char *consumer,
                 bool adopted)
{
    struct journal_device device = {.adopted = adopted};
    uuid_parse_text(uuid, device.uuid);
    uuid_parse_text(uuid, device.address);
    uuid_parse_text(consumer, device.consumer);
    stpcpy(device.backend, "mdev");
    journal_put_device(scene->journal, &device);
}

static void allocate(struct scene *scene, const char *consumer,
                     enum allocation_state state, int64_t amount, const char *first,
                     const char *second)
{
    struct plan *plan = scene->cycle.rounds[0].plan;
    struct allocation_status *status =
        array_add(plan->allocations, plan->allocation_count);
    uuid_parse_text(consumer, status->consumer);
    status->provider_name = xstrdup("gpu");
    status->state = state;
    status->amount = amount;
    if (first)
        strlist_add(&status->devices, first);
    if (second)
        strlist_add(&status->devices, second);
}

/* A host with the device A, which the state file has as ONE's. */
static struct scene scene_new(void)
{
    struct scene scene = {.journal = journal_new()};
    scene.cycle = (struct cycle){.config = &config,
                                 .journal = scene.journal,
                                 .host = xcalloc(1, sizeof(struct host))};
    array_add(scene.cycle.rounds, scene.cycle.round_count)->plan =
        xcalloc(1, sizeof(struct plan));
    add_device(scene.cycle.host, A);
    note(&scene, A, ONE, false);
    return scene;
}

static void scene_clear(struct scene *scene)
{
    cycle_clear(&scene->cycle);
    journal_free(scene->journal);
    domains_clear(&scene->view);
    strlist_clear(&scene->withheld);
    wanted_table_clear(&scene->table);
}
#define _cleanup_scene_ _cleanup_(scene_clear)

static void make(struct scene *scene)
{
    wanted_table_clear(&scene->table);
    attach_table_make(&scene->cycle, &scene->view, &scene->withheld, &scene->table);
}

/* The consumer's devices by their last letters, in capitals where the entry is whole; "-":
 * no entry. */
static void expect(const struct scene *scene, const char *consumer, const char *devices)
{
    const struct wanted *wanted = wanted_find(&scene->table, consumer);
    char text[8] = "-";
    if (wanted)
        *text = 0;
    for (size_t i = 0; wanted && i < wanted->count; i++) {
        char letter = wanted->devices[i].address[35];
        text[i] = (char)(wanted->whole ? letter - 'a' + 'A' : letter);
        text[i + 1] = 0;
        assert_non_null(strstr(wanted->devices[i].xml, wanted->devices[i].address));
    }
    assert_string_equal(text, devices);
}

static void has_what_is_there_and_noted(void **state)
{
    (void)state;
    _cleanup_scene_ struct scene scene = scene_new();
    allocate(&scene, ONE, ALLOCATION_READY, 1, A, NULL);
    allocate(&scene, OTHER, ALLOCATION_RELEASING, 0, A, NULL);
    make(&scene);
    expect(&scene, ONE, "A");
    expect(&scene, OTHER, "-");
    assert_int_equal(scene.table.ours.count, 1);
    /* The second one is not there yet, then it is another's, then all is well. */
    allocate(&scene, ONE, ALLOCATION_PENDING, 1, B, NULL);
    make(&scene);
    expect(&scene, ONE, "a");
    note(&scene, B, TWO, true);
    add_device(scene.cycle.host, B);
    make(&scene);
    expect(&scene, ONE, "a");
    assert_int_equal(scene.table.ours.count, 1); /* B was adopted */
    note(&scene, B, ONE, false);
    make(&scene);
    expect(&scene, ONE, "AB");
    assert_int_equal(scene.table.ours.count, 2);
}

static void has_what_the_cycle_has_made(void **state)
{
    (void)state;
    _cleanup_scene_ struct scene scene = scene_new();
    allocate(&scene, ONE, ALLOCATION_PENDING, 2, A, C);
    note(&scene, C, ONE, false);
    make(&scene);
    expect(&scene, ONE, "a");
    scene.cycle.made = xcalloc(1, sizeof *scene.cycle.made);
    add_device(scene.cycle.made, C);
    make(&scene);
    expect(&scene, ONE, "AC");
}

/* A card goes to a guest with all its functions, which are taken out again with it. */
static void a_card_has_a_row_for_each_function(void **state)
{
    (void)state;
    static const char card[] = "0000:85:00.0", sound[] = "0000:85:00.1";
    _cleanup_scene_ struct scene scene = scene_new();
    struct parent *parent =
        gpu_add_parent(host_add_gpu(scene.cycle.host, card), "passthrough", card);
    struct device *device = parent_add_device(parent, card);
    strlist_add(&device->functions, sound);
    struct journal_device entry = {0};
    uuid_parse_text(C, entry.uuid);
    uuid_parse_text(TWO, entry.consumer);
    stpcpy(entry.address, card);
    stpcpy(entry.backend, "passthrough");
    journal_put_device(scene.journal, &entry);
    allocate(&scene, TWO, ALLOCATION_READY, 1, C, NULL);
    make(&scene);
    const struct wanted *wanted = wanted_find(&scene.table, TWO);
    assert_true(wanted->whole);
    assert_int_equal(wanted->count, 2);
    assert_string_equal(wanted->devices[0].address, card);
    assert_string_equal(wanted->devices[1].address, sound);
    assert_non_null(strstr(wanted->devices[1].xml, "function='0x1'"));
    assert_true(strlist_contains(&scene.table.ours, sound));
    /* Another's guest has the sound alone. */
    strlist_add(&domains_add(&scene.view, OTHER)->live, sound);
    make(&scene);
    assert_int_equal(wanted_find(&scene.table, TWO)->count, 0);
}

static void a_migration_has_no_guest(void **state)
{
    (void)state;
    _cleanup_scene_ struct scene scene = scene_new();
    allocate(&scene, ONE, ALLOCATION_MIGRATING, 1, A, NULL);
    make(&scene);
    assert_int_equal(scene.table.count, 0);
}

static void leaves_out_what_another_domain_names(void **state)
{
    (void)state;
    _cleanup_scene_ struct scene scene = scene_new();
    allocate(&scene, ONE, ALLOCATION_READY, 1, A, NULL);
    strlist_add(&domains_add(&scene.view, ONE)->configured, A);
    make(&scene);
    expect(&scene, ONE, "A");
    strlist_add(&domains_add(&scene.view, OTHER)->configured, A);
    make(&scene);
    expect(&scene, ONE, "");
}

static void remembers_what_a_look_at_all_users_showed(void **state)
{
    (void)state;
    _cleanup_scene_ struct scene scene = scene_new();
    allocate(&scene, ONE, ALLOCATION_READY, 1, A, NULL);
    scene.cycle.use = xcalloc(1, sizeof *scene.cycle.use);
    struct used_device *used =
        array_add(scene.cycle.use->devices, scene.cycle.use->count);
    uuid_parse_text(A, used->address);
    strlist_add(&used->domains, OTHER);
    make(&scene);
    expect(&scene, ONE, "");
    device_use_free(scene.cycle.use);
    scene.cycle.use = NULL;
    make(&scene);
    expect(&scene, ONE, "");
    scene.cycle.use = xcalloc(1, sizeof *scene.cycle.use);
    make(&scene);
    expect(&scene, ONE, "A");
}

#define PROVIDER "00000000-0000-4000-8000-0000000000f1"

static struct observed *observed_new(void)
{
    struct observed *observed = xcalloc(1, sizeof *observed);
    struct observed_provider *provider =
        array_add(observed->providers, observed->provider_count);
    uuid_parse_text(PROVIDER, provider->provider.uuid);
    provider->detailed = true;
    return observed;
}

static void note_on_provider(struct scene *scene, const char *uuid,
                             const char *consumer, bool adopted)
{
    struct journal_device device = {.adopted = adopted};
    uuid_parse_text(uuid, device.uuid);
    uuid_parse_text(uuid, device.address);
    uuid_parse_text(consumer, device.consumer);
    uuid_parse_text(PROVIDER, device.provider);
    stpcpy(device.backend, "mdev");
    journal_put_device(scene->journal, &device);
}

/* A resize or revert to a flavor without a GPU: what the domain is still configured with
 * is to go. Not where it is not known that there is no allocation. */
static void who_has_nothing_any_more_has_an_empty_entry(void **state)
{
    (void)state;
    _cleanup_scene_ struct scene scene = scene_new();
    _cleanup_(observed_freep) struct observed *observed = observed_new();
    note_on_provider(&scene, A, ONE, false);
    note_on_provider(&scene, B, TWO, true);
    strlist_add(&domains_add(&scene.view, ONE)->configured, A);
    strlist_add(&domains_add(&scene.view, TWO)->configured, B);
    strlist_add(&domains_add(&scene.view, OTHER)->configured, A);
    make(&scene); /* Placement was not read */
    assert_int_equal(scene.table.count, 0);
    scene.cycle.observed = observed;
    make(&scene);
    expect(&scene, ONE, "");
    assert_true(wanted_find(&scene.table, ONE)->whole);
    assert_true(wanted_is_nothing(wanted_find(&scene.table, ONE)));
    assert_int_equal(scene.table.count, 1); /* B was adopted, and A not OTHER's */

    scene.cycle.may_lack = true;
    make(&scene);
    assert_int_equal(scene.table.count, 0);
    scene.cycle.may_lack = false;
    observed->providers[0].detailed = false;
    make(&scene);
    assert_int_equal(scene.table.count, 0);
    observed->providers[0].detailed = true;
    observed->providers[0].provider.uuid[0] = 'f';
    make(&scene);
    assert_int_equal(scene.table.count, 0);
}

/* Neither has one whose allocation has no device yet, or is taken for a migration's. */
static void an_allocation_without_a_device_is_not_nothing(void **state)
{
    (void)state;
    static const enum allocation_state states[] = {ALLOCATION_MIGRATING,
                                                   ALLOCATION_PENDING};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        _cleanup_scene_ struct scene scene = scene_new();
        _cleanup_(observed_freep) struct observed *observed = observed_new();
        note_on_provider(&scene, A, ONE, false);
        strlist_add(&domains_add(&scene.view, ONE)->configured, A);
        scene.cycle.observed = observed;
        allocate(&scene, ONE, states[i], 1, NULL, NULL);
        make(&scene);
        assert_true(!wanted_find(&scene.table, ONE) ||
                    !wanted_find(&scene.table, ONE)->whole);
    }
    /* Of a class that is not the agent's, on the provider itself. */
    _cleanup_scene_ struct scene scene = scene_new();
    _cleanup_(observed_freep) struct observed *observed = observed_new();
    note_on_provider(&scene, A, ONE, false);
    strlist_add(&domains_add(&scene.view, ONE)->configured, A);
    scene.cycle.observed = observed;
    struct provider_allocation *allocation = array_add(
        observed->providers[0].allocations, observed->providers[0].allocation_count);
    uuid_parse_text(ONE, allocation->consumer);
    make(&scene);
    assert_int_equal(scene.table.count, 0);
}

static void in_nova_mode_it_is_empty(void **state)
{
    (void)state;
    static const struct config nova = {.agent.mode = MODE_NOVA};
    _cleanup_scene_ struct scene scene = scene_new();
    allocate(&scene, ONE, ALLOCATION_READY, 1, A, NULL);
    scene.cycle.config = &nova;
    make(&scene);
    assert_int_equal(scene.table.count + scene.table.ours.count, 0);
}

static void drops_what_is_taken_back(void **state)
{
    (void)state;
    _cleanup_scene_ struct scene scene = scene_new();
    _cleanup_strlist_ struct strlist gone = {0};
    allocate(&scene, ONE, ALLOCATION_READY, 2, A, B);
    note(&scene, B, ONE, false);
    add_device(scene.cycle.host, B);
    make(&scene);
    expect(&scene, ONE, "AB");
    strlist_add(&gone, A);
    strlist_add(&gone, C);
    assert_true(attach_table_drop(&scene.table, &gone));
    expect(&scene, ONE, "b");
    assert_false(attach_table_drop(&scene.table, &gone));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_what_is_there_and_noted),
        cmocka_unit_test(has_what_the_cycle_has_made),
        cmocka_unit_test(a_card_has_a_row_for_each_function),
        cmocka_unit_test(a_migration_has_no_guest),
        cmocka_unit_test(leaves_out_what_another_domain_names),
        cmocka_unit_test(remembers_what_a_look_at_all_users_showed),
        cmocka_unit_test(who_has_nothing_any_more_has_an_empty_entry),
        cmocka_unit_test(an_allocation_without_a_device_is_not_nothing),
        cmocka_unit_test(in_nova_mode_it_is_empty),
        cmocka_unit_test(drops_what_is_taken_back),
    };
    return cmocka_run_group_tests_name("attach_table", tests, NULL, NULL);
}
