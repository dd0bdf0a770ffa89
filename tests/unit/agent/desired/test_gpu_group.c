#include "agent/desired/gpu_group.h"

#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

#define CARDS 5 /* 0000:01:00.0 and so on, each with room for four devices */

/* The cards by their numbers: which groups have them, how many devices they have. */
struct world {
    const char *breadth, *depth; /* the cards of [group_wide] and [group_deep] */
    const char *devices;         /* by card, how many it has; "": none */
    const char *order;           /* the first cards in the order, of those with room */
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

static void check(const struct world *world)
{
    _cleanup_(host_freep) struct host *host = make_host(world);
    _cleanup_(config_freep) struct config *config = xcalloc(1, sizeof *config);
    add_group(config, "wide", world->breadth, ALLOCATE_BREADTH_FIRST);
    add_group(config, "deep", world->depth, ALLOCATE_DEPTH_FIRST);
    const struct gpu *gpus[CARDS];
    size_t count = 0;
    for (size_t i = 0; i < host->gpu_count; i++)
        if (host->gpus[i].parents[0].types[0].available > 0)
            gpus[count++] = &host->gpus[i];
    gpu_group_sort(config, "GRID nvidia-35", gpus, count);
    char order[CARDS + 1] = "";
    for (size_t i = 0; i < count && i < strlen(world->order); i++)
        order[i] = gpus[i]->name[strlen("0000:0")];
    assert_string_equal(order, world->order);
}

static void the_order(void **state)
{
    (void)state;
    static const struct world worlds[] = {
        /* Without a group: most room first. */
        {.devices = "", .order = "12345"},
        {.devices = "0130", .order = "14523"},
        {.devices = "44434", .order = "4"},
        {.devices = "44444", .order = ""},
        {.breadth = "12345", .devices = "1", .order = "23451"},
        {.breadth = "12345", .devices = "22122", .order = "31245"},
        {.depth = "12345", .devices = "11211", .order = "31245"},
        {.depth = "12345", .devices = "14211", .order = "3145"},
        /* The groups in the order of the files, then the others. */
        {.breadth = "45", .devices = "00010", .order = "54123"},
        {.breadth = "45", .devices = "00044", .order = "123"},
        {.breadth = "45", .depth = "23", .devices = "10100", .order = "45321"},
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
        const char first[] = {(char)('1' + made % CARDS), 0};
        check(&(struct world){.breadth = "12345", .devices = devices, .order = first});
        devices[made % CARDS]++;
    }
    stpcpy(devices, "00000");
    for (int made = 0; made < 4 * CARDS; made++) {
        const char first[] = {(char)('1' + made / 4), 0};
        check(&(struct world){.depth = "12345", .devices = devices, .order = first});
        devices[made / 4]++;
    }
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
        cmocka_unit_test(the_order),
        cmocka_unit_test(separate_falls_back_to_compact),
        cmocka_unit_test(a_group_is_named_by_cards_or_their_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
