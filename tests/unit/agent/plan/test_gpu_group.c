#include "agent/plan/gpu_group.h"

#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

#define CARDS 5 /* 0000:01:00.0 and so on, each with room for four devices */

/* The cards by their numbers: which groups have them, what is configured for them, how
 * many devices they have. */
struct world {
    const char *breadth, *depth; /* the cards of [group_wide] and [group_deep] */
    const char *other;           /* the cards that another type is configured for */
    const char *drained, *lost;
    const char *devices; /* by card, how many it has; "": none */
    const char *group;   /* that is asked for; NULL: none */
    const char *chosen;  /* the card; otherwise a part of the message */
};

static char *address_of(char card)
{
    return xasprintf("0000:0%c:00.0", card);
}

static void add_addresses(struct strlist *list, const char *cards)
{
    for (const char *p = cards ? cards : ""; *p; p++)
        strlist_add_take(list, address_of(*p));
}

static void add_type(struct parent *parent, const char *id, int available)
{
    struct device_type *type = array_add(parent->types, parent->type_count);
    type->id = xstrdup(id);
    type->name = xasprintf("GRID %s", id);
    type->available = available;
}

static struct host *make_host(const struct world *world)
{
    struct host *host = xcalloc(1, sizeof *host);
    for (int i = 0; i < CARDS; i++) {
        _cleanup_free_ char *address = address_of((char)('1' + i));
        int count = i < (int)strlen(world->devices) ? world->devices[i] - '0' : 0;
        struct gpu *gpu = host_add_gpu(host, address);
        struct parent *parent = gpu_add_parent(gpu, "mdev", address);
        add_type(parent, "nvidia-35", 4 - count);
        add_type(parent, "nvidia-36", count ? 0 : 2);
        for (int j = 0; j < count; j++) {
            _cleanup_free_ char *name = xasprintf("%d-%d", i, j);
            parent_add_device(parent, name)->type_id = xstrdup("nvidia-35");
        }
        if (world->lost && strchr(world->lost, '1' + i))
            gpu->health = GPU_LOST;
    }
    return host;
}

static void add_group(struct config *config, const char *name, const char *cards,
                      enum group_allocation allocation)
{
    if (!cards)
        return;
    struct group_config *group = array_add(config->groups, config->group_count);
    group->name = xstrdup(name);
    group->allocation = allocation;
    add_addresses(&group->device_addresses, cards);
}

static struct config *make_config(const struct world *world)
{
    struct config *config = xcalloc(1, sizeof *config);
    struct mdev_type_config *type = array_add(config->types, config->type_count);
    type->type = xstrdup("nvidia-36");
    type->mdev_class = xstrdup("VGPU");
    strlist_add(&type->device_addresses, "0000:99:00.0");
    add_addresses(&type->device_addresses, world->other);
    add_group(config, "wide", world->breadth, ALLOCATE_BREADTH_FIRST);
    add_group(config, "deep", world->depth, ALLOCATE_DEPTH_FIRST);
    return config;
}

static void check(const struct world *world)
{
    _cleanup_(host_freep) struct host *host = make_host(world);
    _cleanup_(config_freep) struct config *config = make_config(world);
    _cleanup_strlist_ struct strlist drained = {0};
    add_addresses(&drained, world->drained);
    const struct gpu_group_question question = {.config = config,
                                                .host = host,
                                                .drained = &drained,
                                                .type = "GRID nvidia-35",
                                                .group = world->group};
    const struct gpu *gpu = NULL;
    struct error err = {0};
    int rc = gpu_group_choose(&question, &gpu, &err);
    _cleanup_free_ char *expected = address_of(world->chosen[0]);
    if (strlen(world->chosen) == 1) {
        if (rc != 0 || strcmp(gpu->name, expected) != 0)
            fail_msg("%s: got %s, not %s", world->devices, rc ? err.text : gpu->name,
                     expected);
        return;
    }
    assert_int_equal(rc, -1);
    if (!strstr(err.text, world->chosen))
        fail_msg("got %s, not %s", err.text, world->chosen);
}

static void the_gpu_that_is_taken(void **state)
{
    (void)state;
    static const struct world worlds[] = {
        /* Without a group: where the most devices are, as long as there is room. */
        {.devices = "", .chosen = "1"},
        {.devices = "0130", .chosen = "3"},
        {.devices = "0140", .chosen = "2"},
        {.devices = "44444", .chosen = "no GPU takes a further device of the type"},
        /* Breadth first: an empty card, then the one with the fewest. */
        {.breadth = "12345", .devices = "1", .chosen = "2"},
        {.breadth = "12345", .devices = "11101", .chosen = "4"},
        {.breadth = "12345", .devices = "22122", .chosen = "3"},
        {.breadth = "12345", .devices = "44434", .chosen = "4"},
        {.depth = "12345", .devices = "11211", .chosen = "3"},
        {.depth = "12345", .devices = "14211", .chosen = "3"},
        /* A group's own cards; the others when it is full. */
        {.breadth = "45", .devices = "00010", .chosen = "5"},
        {.breadth = "45", .devices = "00044", .chosen = "1"},
        {.breadth = "45", .depth = "23", .devices = "00144", .chosen = "3"},
        {.breadth = "45",
         .depth = "23",
         .devices = "31100",
         .group = "deep",
         .chosen = "2"},
        {.breadth = "45",
         .depth = "23",
         .devices = "31100",
         .group = "WIDE",
         .chosen = "4"},
        {.depth = "23",
         .devices = "044",
         .group = "deep",
         .chosen = "no GPU of the group deep takes a further device"},
        {.depth = "23",
         .devices = "",
         .group = "nobody",
         .chosen = "no group nobody is configured; there are deep"},
        {.devices = "", .group = "nobody", .chosen = "no group nobody is configured"},
        /* What cannot be taken. */
        {.devices = "12", .other = "2", .chosen = "1"},
        {.devices = "12", .drained = "2", .chosen = "1"},
        {.devices = "12", .lost = "2", .chosen = "1"},
    };
    for (size_t i = 0; i < sizeof worlds / sizeof *worlds; i++)
        check(&worlds[i]);
}

/* oVirt's "separate" takes a card for each virtual GPU, and goes on with the cards that
 * have some when none is empty; "compact" fills a card before the next. */
static void separate_falls_back_to_compact(void **state)
{
    (void)state;
    char devices[CARDS + 1] = "00000";
    for (int made = 0; made < 4 * CARDS; made++) {
        const char chosen[] = {(char)('1' + made % CARDS), 0};
        check(
            &(struct world){.breadth = "12345", .devices = devices, .chosen = chosen});
        devices[made % CARDS]++;
    }
    stpcpy(devices, "00000");
    for (int made = 0; made < 4 * CARDS; made++) {
        const char chosen[] = {(char)('1' + made / 4), 0};
        check(&(struct world){.depth = "12345", .devices = devices, .chosen = chosen});
        devices[made / 4]++;
    }
    check(&(struct world){.breadth = "12345", .devices = devices, .chosen = "no GPU"});
}

static void a_group_is_named_by_cards_or_their_functions(void **state)
{
    (void)state;
    _cleanup_(config_freep) struct config *config = xcalloc(1, sizeof *config);
    add_group(config, "wide-1", "1", ALLOCATE_BREADTH_FIRST);
    _cleanup_(host_freep) struct host *host = xcalloc(1, sizeof *host);
    struct gpu *gpu = host_add_gpu(host, "0000:01:00.0");
    assert_ptr_equal(gpu_group_of(config, gpu), &config->groups[0]);
    gpu = host_add_gpu(host, "0000:02:00.0");
    assert_null(gpu_group_of(config, gpu));
    gpu_add_parent(gpu, "mdev", "0000:01:00.0");
    assert_ptr_equal(gpu_group_of(config, gpu), &config->groups[0]);
    _cleanup_free_ char *trait = gpu_group_trait(&config->groups[0]);
    assert_string_equal(trait, "CUSTOM_GPU_GROUP_WIDE_1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gpu_that_is_taken),
        cmocka_unit_test(separate_falls_back_to_compact),
        cmocka_unit_test(a_group_is_named_by_cards_or_their_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
