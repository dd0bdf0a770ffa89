/* device_list: whose a device is and how it stands, as a table. */
#include "agent/report/device_list.h"

#include <stdlib.h>
#include <string.h>

#include "lib/text_copy.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"

#define CARD "0000:84:00.0"
#define DEVICE "d0000000-0000-4000-8000-000000000001"
#define DOMAIN "a0000000-0000-4000-8000-000000000001"
#define CONSUMER "c0000000-0000-4000-8000-000000000001"

/* What the state file has of the device. */
enum entry { NO_FILE, LOST_FILE, NO_ENTRY, MADE, RELEASED, ADOPTED };

static const struct {
    enum agent_mode mode;
    enum entry entry;
    const char *type; /* NULL: in transition */
    bool running, shut, open, defined, unknown;
    enum device_owner owner;
    enum device_state state;
    const char *consumer;
} cases[] = {
    {MODE_OWNER, NO_ENTRY, "nvidia-35", .owner = OWNER_FOREIGN, .state = DEVICE_IDLE},
    {MODE_OWNER, NO_ENTRY, "nvidia-35", .defined = true, .owner = OWNER_MDEVCTL,
     .state = DEVICE_IDLE},
    {MODE_OWNER, NO_ENTRY, "nvidia-35", .open = true, .owner = OWNER_FOREIGN,
     .state = DEVICE_IN_USE},
    {MODE_OWNER, MADE, "nvidia-35", .owner = OWNER_AGENT, .state = DEVICE_ASSIGNED,
     .consumer = CONSUMER},
    {MODE_OWNER, MADE, "nvidia-35", .defined = true, .owner = OWNER_AGENT,
     .state = DEVICE_ASSIGNED, .consumer = CONSUMER},
    /* Who has it counts, and not for whom it was made. */
    {MODE_OWNER, MADE, "nvidia-35", .running = true, .owner = OWNER_AGENT,
     .state = DEVICE_IN_USE, .consumer = DOMAIN},
    {MODE_OWNER, RELEASED, "nvidia-35", .owner = OWNER_AGENT, .state = DEVICE_RELEASING,
     .consumer = CONSUMER},
    {MODE_OWNER, RELEASED, "nvidia-35", .shut = true, .owner = OWNER_AGENT,
     .state = DEVICE_DEFINED, .consumer = DOMAIN},
    {MODE_OWNER, ADOPTED, "nvidia-35", .owner = OWNER_FOREIGN, .state = DEVICE_ASSIGNED,
     .consumer = CONSUMER},
    {MODE_OWNER, MADE, NULL, .owner = OWNER_AGENT, .state = DEVICE_IN_TRANSITION,
     .consumer = CONSUMER},
    /* What could not be seen is not idle, and not foreign. */
    {MODE_OWNER, NO_ENTRY, "nvidia-35", .unknown = true, .owner = OWNER_FOREIGN,
     .state = DEVICE_UNKNOWN},
    {MODE_OWNER, NO_FILE, "nvidia-35", .owner = OWNER_UNKNOWN, .state = DEVICE_UNKNOWN},
    {MODE_OWNER, LOST_FILE, "nvidia-35", .owner = OWNER_UNKNOWN, .state = DEVICE_IDLE},
    {MODE_NOVA, NO_ENTRY, "nvidia-35", .owner = OWNER_NOVA, .state = DEVICE_IDLE},
    {MODE_NOVA, ADOPTED, "nvidia-35", .shut = true, .owner = OWNER_NOVA,
     .state = DEVICE_DEFINED, .consumer = DOMAIN},
    {MODE_NOVA, NO_ENTRY, "nvidia-36", .owner = OWNER_FOREIGN, .state = DEVICE_IDLE},
};

static void add_type(struct parent *parent, const char *id)
{
    *array_add(parent->types, parent->type_count) =
        (struct device_type){.id = xstrdup(id)};
}

static struct host *make_host(const char *type)
{
    struct host *host = xcalloc(1, sizeof *host);
    struct parent *parent = gpu_add_parent(host_add_gpu(host, CARD), "mdev", CARD);
    add_type(parent, "nvidia-35");
    add_type(parent, "nvidia-36");
    struct device *device = parent_add_device(parent, DEVICE);
    text_copy_array(device->backend, "mdev");
    device->type_id = xstrdup(type);
    device->in_transition = !type;
    return host;
}

static struct journal *make_journal(enum entry entry)
{
    if (entry == NO_FILE)
        return NULL;
    struct journal *journal = journal_new();
    journal->rebuilding = entry == LOST_FILE;
    if (entry < MADE)
        return journal;
    struct journal_device device = {.uuid = DEVICE,
                                    .backend = "mdev",
                                    .address = DEVICE,
                                    .consumer = CONSUMER,
                                    .resource_class = (char[]){"VGPU"},
                                    .gpu = (char[]){CARD},
                                    .parent = (char[]){CARD},
                                    .type_id = (char[]){"nvidia-35"},
                                    .adopted = entry == ADOPTED,
                                    .released_at = entry == RELEASED ? 100 : 0};
    journal_put_device(journal, &device);
    return journal;
}

static void each_case(void **state)
{
    (void)state;
    struct mdev_type_config type = {.type = (char[]){"nvidia-35"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config = {
            .agent = {.mode = cases[i].mode}, .types = &type, .type_count = 1};
        struct host *host = make_host(cases[i].type);
        struct journal *journal = make_journal(cases[i].entry);
        bool named = cases[i].running || cases[i].shut;
        struct used_device used = {.address = DEVICE,
                                   .domain = "",
                                   .running = cases[i].running,
                                   .group_open = cases[i].open,
                                   .defined = cases[i].defined};
        text_copy_array(used.domain, named ? DOMAIN : "");
        const struct device_use use = {
            .unknown = cases[i].unknown, .devices = &used, .count = 1};
        struct domains domains = {0};
        domains_add(&domains, DOMAIN)->name = xstrdup("instance-00000001");
        const struct device_sight sight = {&config, host, &use, &domains, journal};
        struct device_row *rows;
        size_t count;
        device_list_make(&sight, &rows, &count);
        assert_int_equal(count, 1);
        if (rows[0].owner != cases[i].owner || rows[0].state != cases[i].state)
            fail_msg("case %zu: %s, %s", i, device_owner_name(rows[0].owner),
                     device_state_name(rows[0].state));
        if (cases[i].consumer)
            assert_string_equal(rows[0].consumer, cases[i].consumer);
        else
            assert_null(rows[0].consumer);
        if (named)
            assert_string_equal(rows[0].guest, "instance-00000001");
        else
            assert_null(rows[0].guest);
        free(rows);
        domains_clear(&domains);
        journal_free(journal);
        host_free(host);
    }
}

/* A device whose parent is gone is listed as well. */
static void strays_are_listed(void **state)
{
    (void)state;
    struct config config = {.agent = {.mode = MODE_OWNER}};
    struct host *host = xcalloc(1, sizeof *host);
    struct device device = {.backend = "mdev", .address = DEVICE, .uuid = DEVICE};
    host_mark_in_transition(host, &device, NULL);
    const struct device_use use = {0};
    const struct domains domains = {0};
    const struct device_sight sight = {&config, host, &use, &domains, NULL};
    struct device_row *rows;
    size_t count;
    device_list_make(&sight, &rows, &count);
    assert_int_equal(count, 1);
    assert_null(rows[0].gpu);
    assert_int_equal(rows[0].state, DEVICE_IN_TRANSITION);
    free(rows);
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case),
        cmocka_unit_test(strays_are_listed),
    };
    return cmocka_run_group_tests_name("device_list", tests, NULL, NULL);
}
