#include "tests/unit/test.h"

#include <limits.h>

#include "agent/host/capacity.h"
#include "lib/xalloc.h"

#define MAX_PARENTS 4

/* One parent: how many devices of type T it has, of another type, in transition; what
 * it says of T. NOT_OFFERED: it has no such type. */
#define NOT_OFFERED (-2)
struct parent_case {
    int devices, others, moving, available;
};

static const struct {
    const char *what;
    unsigned max_instance;
    size_t parent_count;
    struct parent_case parents[MAX_PARENTS];
    unsigned devices, capacity;
} cases[] = {
    {"an empty card", 16, 1, {{0, 0, 0, 16}}, 0, 16},
    {"devices and room", 16, 1, {{5, 0, 0, 11}}, 5, 16},
    {"full", 16, 1, {{16, 0, 0, 0}}, 16, 16},
    {"another type is on it", 16, 1, {{0, 2, 0, 0}}, 0, 0},
    {"mixed types", 0, 1, {{1, 2, 0, 3}}, 1, 4},
    {"a device in transition is not counted", 16, 1, {{4, 0, 1, 11}}, 4, 15},
    {"unreadable: what exists", 16, 1, {{4, 0, 0, -1}}, 4, 4},
    {"no max_instance", 0, 1, {{3, 0, 0, 24}}, 3, 27},
    {"a driver that says too much", 16, 1, {{3, 0, 0, 16}}, 3, 16},
    {"VFs, empty",
     2,
     4,
     {{0, 0, 0, 1}, {0, 0, 0, 1}, {0, 0, 0, 1}, {0, 0, 0, 1}},
     0,
     2},
    {"VFs, half", 2, 4, {{1, 0, 0, 0}, {0, 0, 0, 1}, {0, 0, 0, 1}, {0, 0, 0, 1}}, 1, 2},
    {"VFs, full", 2, 4, {{1, 0, 0, 0}, {0, 0, 0, 0}, {1, 0, 0, 0}, {0, 0, 0, 0}}, 2, 2},
    {"VFs, one unreadable", 4, 3, {{0, 0, 0, 1}, {0, 0, 0, -1}, {0, 0, 0, 1}}, 0, 2},
    {"VFs, the first does not offer it",
     4,
     2,
     {{0, 0, 0, NOT_OFFERED}, {0, 0, 0, 1}},
     0,
     1},
    {"not offered", 16, 1, {{0, 0, 0, NOT_OFFERED}}, 0, 0},
    {"no parents", 16, 0, {{0}}, 0, 0},
    {"sums that do not fit",
     0,
     3,
     {{1, 0, 0, INT_MAX}, {0, 0, 0, INT_MAX}, {0, 0, 0, INT_MAX}},
     1,
     INT_MAX},
};

static void add_devices(struct parent *parent, int count, const char *type,
                        bool in_transition)
{
    for (int i = 0; i < count; i++) {
        struct device *mdev = parent_add_device(parent, "");
        mdev->type_id = xstrdup(type);
        mdev->in_transition = in_transition;
    }
}

static void add_parent(struct gpu *gpu, const struct parent_case *c,
                       unsigned max_instance, size_t number)
{
    char *name = xasprintf("0000:41:00.%zu", number);
    struct parent *parent = gpu_add_parent(gpu, "mdev", name);
    free(name);
    add_devices(parent, c->devices, "T", false);
    add_devices(parent, c->others, "U", false);
    add_devices(parent, c->moving, "T", true);
    if (c->available == NOT_OFFERED)
        return;
    struct device_type *type = array_add(parent->types, parent->type_count);
    type->id = xstrdup("T");
    type->available = c->available;
    type->attributes.max_instance = max_instance;
}

static void counts_and_caps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct host *host = xcalloc(1, sizeof *host);
        struct gpu *gpu = host_add_gpu(host, "0000:41:00.0");
        unsigned offering = 0;
        for (size_t j = 0; j < cases[i].parent_count; j++) {
            add_parent(gpu, &cases[i].parents[j], cases[i].max_instance, j);
            offering += cases[i].parents[j].available > 0;
        }
        assert_int_equal(gpu_offering_count(gpu, "T"), offering);
        unsigned devices = gpu_device_count(gpu, "T");
        unsigned capacity = gpu_capacity(gpu, "T");
        if (devices != cases[i].devices || capacity != cases[i].capacity)
            fail_msg("%s: %u devices, capacity %u", cases[i].what, devices, capacity);
        assert_int_equal(gpu_device_count(gpu, NULL), 0);
        assert_int_equal(gpu_capacity(gpu, NULL), 0);
        host_free(host);
    }
}

/* What cannot be had is taken off what the driver offers, before the card's limit. */
static void counts_without_some(void **state)
{
    (void)state;
    struct host *host = xcalloc(1, sizeof *host);
    struct gpu *gpu = host_add_gpu(host, "0000:41:00.0");
    for (size_t i = 0; i < 8; i++)
        add_parent(gpu, &(struct parent_case){.available = i > 1, .devices = i < 2}, 4,
                   i);
    static const unsigned expected[][2] = {{0, 4}, {4, 4}, {5, 3}, {6, 2}, {9, 2}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_int_equal(gpu_capacity_without(gpu, "T", expected[i][0]),
                         expected[i][1]);
    assert_int_equal(gpu_capacity_without(gpu, NULL, 0), 0);
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_and_caps),
                                       cmocka_unit_test(counts_without_some)};
    return cmocka_run_group_tests_name("capacity", tests, NULL, NULL);
}
