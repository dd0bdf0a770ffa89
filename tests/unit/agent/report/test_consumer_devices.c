#include "agent/report/consumer_devices.h"

#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

#define READY "00000000-0000-0000-0000-0000000000c1"
#define TWICE "00000000-0000-0000-0000-0000000000c2"
#define PENDING "00000000-0000-0000-0000-0000000000c3"
#define FAILED "00000000-0000-0000-0000-0000000000c4"
#define GOING "00000000-0000-0000-0000-0000000000c5"
#define GONE_DEVICE "00000000-0000-0000-0000-0000000000c6"
#define MOVING "00000000-0000-0000-0000-0000000000c8"
#define UNNOTED "00000000-0000-0000-0000-0000000000c9"
#define ROBBED "00000000-0000-0000-0000-0000000000ca"
#define HELD "00000000-0000-0000-0000-0000000000cb"
#define OFF "00000000-0000-0000-0000-0000000000cc"
#define NOBODY "00000000-0000-0000-0000-0000000000c7"
#define DEVICE_1 "00000000-0000-0000-0000-0000000000d1"
#define DEVICE_2 "00000000-0000-0000-0000-0000000000d2"
#define DEVICE_3 "00000000-0000-0000-0000-0000000000d3"
#define DEVICE_4 "00000000-0000-0000-0000-0000000000d5"
#define DEVICE_5 "00000000-0000-0000-0000-0000000000d6"
#define DEVICE_6 "00000000-0000-0000-0000-0000000000d7"
#define DEVICE_7 "00000000-0000-0000-0000-0000000000d8"
#define NO_DEVICE "00000000-0000-0000-0000-0000000000d4"

static const struct {
    const char *consumer;
    enum allocation_state state;
    const char *reason, *device;
} allocations[] = {
    {READY, ALLOCATION_READY, NULL, DEVICE_1},
    {TWICE, ALLOCATION_IN_USE, NULL, DEVICE_3},
    {TWICE, ALLOCATION_READY, NULL, DEVICE_2},
    {PENDING, ALLOCATION_PENDING, NULL, NO_DEVICE},
    {FAILED, ALLOCATION_FAILED, "no instance is left", NO_DEVICE},
    {GOING, ALLOCATION_RELEASING, "grace period", DEVICE_1},
    {UNNOTED, ALLOCATION_READY, NULL, DEVICE_4},
    {ROBBED, ALLOCATION_READY, NULL, DEVICE_5},
    {HELD, ALLOCATION_READY, NULL, DEVICE_6},
    {OFF, ALLOCATION_READY, NULL, DEVICE_7},
    {MOVING, ALLOCATION_MIGRATING, "a migration of", NULL},
    {GONE_DEVICE, ALLOCATION_READY, NULL, NO_DEVICE},
};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void add_allocation(struct plan *plan, size_t i)
{
    struct allocation_status *status =
        array_add(plan->allocations, plan->allocation_count);
    uuid_parse_text(allocations[i].consumer, status->consumer);
    status->provider_name = xstrdup("gpu");
    status->state = allocations[i].state;
    status->reason = xstrdup(allocations[i].reason);
    if (allocations[i].device)
        strlist_add(&status->devices, allocations[i].device);
}

static void add_devices(struct host *host)
{
    static const char *const devices[] = {DEVICE_1, DEVICE_2, DEVICE_3, DEVICE_4,
                                          DEVICE_5, DEVICE_6, DEVICE_7};
    struct parent *parent =
        gpu_add_parent(host_add_gpu(host, "0000:84:00.0"), "mdev", "0000:84:00.0");
    struct device_type *type = array_add(parent->types, parent->type_count);
    type->id = xstrdup("nvidia-35");
    type->device_api = xstrdup("vfio-pci");
    for (size_t i = 0; i < COUNT(devices); i++) {
        struct device *mdev = parent_add_device(parent, devices[i]);
        uuid_parse_text(devices[i], mdev->uuid);
        mdev->type_id = xstrdup("nvidia-35");
    }
}

/* Whose the state file says that they are. */
static struct journal *make_journal(void)
{
    static const char *const noted[][2] = {
        {DEVICE_1, READY},  {DEVICE_2, TWICE}, {DEVICE_3, TWICE}, {DEVICE_4, READY},
        {DEVICE_5, ROBBED}, {DEVICE_6, HELD},  {DEVICE_7, OFF}};
    struct journal *journal = journal_new();
    for (size_t i = 0; i < COUNT(noted); i++) {
        struct journal_device device = {0};
        uuid_parse_text(noted[i][0], device.uuid);
        uuid_parse_text(noted[i][1], device.consumer);
        journal_put_device(journal, &device);
    }
    return journal;
}

static struct used_device *add_use(struct device_use *use, const char *device)
{
    struct used_device *used = array_add(use->devices, use->count);
    uuid_parse_text(device, used->address);
    return used;
}

static struct device_use *make_use(void)
{
    struct device_use *use = xcalloc(1, sizeof *use);
    struct used_device *own = add_use(use, DEVICE_1);
    strlist_add(&own->domains, READY);
    own->group_open = own->running = true;
    struct used_device *robbed = add_use(use, DEVICE_5);
    strlist_add(&robbed->domains, ROBBED);
    strlist_add(&robbed->domains, READY);
    struct used_device *held = add_use(use, DEVICE_6);
    held->group_open = true;
    held->holder = 77;
    struct used_device *off = add_use(use, DEVICE_7);
    strlist_add(&off->domains, OFF);
    off->group_open = true;
    off->holder = 78;
    return use;
}

static const struct config config = {.agent.mode = MODE_OWNER};

static struct cycle make_cycle(void)
{
    struct cycle cycle = {.host = xcalloc(1, sizeof *cycle.host),
                          .config = &config,
                          .use = make_use(),
                          .journal = make_journal()};
    add_devices(cycle.host);
    struct plan *plan = xcalloc(1, sizeof *plan);
    array_add(cycle.rounds, cycle.round_count)->plan = plan;
    for (size_t i = 0; i < COUNT(allocations); i++)
        add_allocation(plan, i);
    return cycle;
}

/* The agent's, in real life. */
static void drop_cycle(struct cycle *cycle)
{
    journal_free((struct journal *)cycle->journal);
    cycle_clear(cycle);
}

static void test_found(void **state)
{
    (void)state;
    static const struct {
        const char *consumer, *first, *second;
    } cases[] = {{READY, DEVICE_1, NULL}, {TWICE, DEVICE_2, DEVICE_3}};
    _cleanup_(drop_cycle) struct cycle cycle = make_cycle();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err;
        _cleanup_free_ struct consumer_device *devices = NULL;
        size_t count;
        assert_ok(consumer_devices(&cycle, cases[i].consumer, &devices, &count, &err),
                  &err);
        assert_int_equal(count, cases[i].second ? 2 : 1);
        assert_string_equal(devices[0].device->address, cases[i].first);
        assert_string_equal(devices[0].type->device_api, "vfio-pci");
        if (cases[i].second)
            assert_string_equal(devices[1].device->address, cases[i].second);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *consumer;
        enum error_code code;
        const char *says;
    } cases[] = {
        {PENDING, ERROR_BUSY, "not all there yet"},
        {FAILED, ERROR_EXHAUSTED, "no instance is left"},
        {GONE_DEVICE, ERROR_BUSY, NO_DEVICE},
        {MOVING, ERROR_BUSY, "a migration of"},
        {UNNOTED, ERROR_BUSY, "the state file does not say so yet"},
        {ROBBED, ERROR_BUSY, "the domain " READY " names it"},
        {HELD, ERROR_BUSY, "process 77 has it open"},
        {OFF, ERROR_BUSY, "process 78 has it open, and no domain that runs"},
        {GOING, ERROR_NOT_FOUND, READY},
        {NOBODY, ERROR_NOT_FOUND, READY ", " TWICE},
    };
    _cleanup_(drop_cycle) struct cycle cycle = make_cycle();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err;
        struct consumer_device *devices = NULL;
        size_t count;
        assert_int_equal(
            consumer_devices(&cycle, cases[i].consumer, &devices, &count, &err), -1);
        assert_int_equal(err.code, cases[i].code);
        assert_non_null(strstr(err.text, cases[i].says));
        assert_null(devices);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
