#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/sim/sim.h"

#define A "11111111-2222-3333-4444-555555555555"
#define B "11111111-2222-3333-4444-666666666666"

/* Two cards, two types of 2 and 1 instances; the driver counts. */
static const char two_cards[] =
    "{\"models\": {\"m\": {\"vendor\": \"0x10de\", \"device\": \"0x13bd\", "
    "\"driver\": \"nvidia\", \"types\": ["
    "{\"id\": \"nvidia-1\", \"name\": \"GRID X-1Q\", \"instances\": 2},"
    "{\"id\": \"nvidia-2\", \"instances\": 1}]}},"
    "\"cards\": [{\"model\": \"m\", \"path\": \"pci0000:00/0000:{x}:00.0\", "
    "\"first\": 1, \"count\": 2}]}";

#define CARD "devices/pci0000:00/0000:01:00.0"
#define OTHER "devices/pci0000:00/0000:02:00.0"
#define TYPE_1 CARD "/mdev_supported_types/nvidia-1"
#define TYPE_2 CARD "/mdev_supported_types/nvidia-2"

static struct sim *new_sim(const char *host)
{
    struct error err = {0};
    struct description *description = NULL;
    assert_ok(description_parse(host, strlen(host), &description, &err), &err);
    return sim_new_take(description);
}

static int store(struct sim *sim, const char *path, const char *data)
{
    struct node *node = node_find(sim->root, path);
    if (!node)
        return -ENOENT;
    node_ref(node);
    int rc = sim_store(sim, node, data, strlen(data));
    node_unref(node);
    return rc;
}

static void assert_shows(struct sim *sim, const char *path, const char *expected)
{
    struct node *node = node_find(sim->root, path);
    if (!node)
        fail_msg("%s: there is none", path);
    char *text = NULL;
    size_t length;
    assert_int_equal(sim_show(sim, node, &text, &length), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void create_answers_as_the_kernel(void **state)
{
    (void)state;
    static const struct {
        const char *path, *data;
        int rc;
    } cases[] = {
        {TYPE_1 "/create", "", -EINVAL},
        {TYPE_1 "/create", "11111111-2222-3333-4444-55555555555", -EINVAL},
        {TYPE_1 "/create", A "\n\n", -EINVAL},
        {TYPE_1 "/create", "1111111g-2222-3333-4444-555555555555", -EINVAL},
        {TYPE_1 "/create", "111111112-222-3333-4444-555555555555", -EINVAL},
        {TYPE_1 "/create", "{1111111-2222-3333-4444-555555555555", -EINVAL},
        {TYPE_1 "/create", A "\n", 0},
        {TYPE_1 "/create", A, -EEXIST},
        /* Whatever the type or parent, and before exhaustion. */
        {TYPE_2 "/create", A, -EEXIST},
        {OTHER "/mdev_supported_types/nvidia-1/create", A, -EEXIST},
        /* One type a card. */
        {TYPE_2 "/create", B, -ENOSPC},
        {OTHER "/mdev_supported_types/nvidia-2/create", B "x", 0},
        {TYPE_1 "/create", B, -EEXIST},
        {TYPE_1 "/create", "AAAAAAAA-2222-3333-4444-55555555555F", 0},
        {TYPE_1 "/create", "bbbbbbbb-2222-3333-4444-555555555555", -ENOSPC},
        {TYPE_1 "/create", "bbbbbbbb", -EINVAL},
    };
    struct sim *sim = new_sim(two_cards);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int rc = store(sim, cases[i].path, cases[i].data);
        if (rc != cases[i].rc)
            fail_msg("%zu: %s < '%s': %d", i, cases[i].path, cases[i].data, rc);
    }
    assert_non_null(node_find(sim->root, CARD "/aaaaaaaa-2222-3333-4444-55555555555f"));
    assert_shows(sim, TYPE_1 "/available_instances", "0\n");
    assert_shows(sim, TYPE_2 "/available_instances", "0\n");
    sim_free(sim);
}

static void remove_answers_as_the_kernel(void **state)
{
    (void)state;
    struct sim *sim = new_sim(two_cards);
    assert_int_equal(store(sim, TYPE_1 "/create", A), 0);
    struct node *remove = node_ref(node_find(sim->root, CARD "/" A "/remove"));
    static const struct {
        const char *data;
        int rc;
    } cases[] = {{"", 0},         {"0", 0},        {"0\n", 0},      {"x", -EINVAL},
                 {"-1", -EINVAL}, {" 1", -EINVAL}, {"1 ", -EINVAL}, {"1x", -EINVAL},
                 {"1\n", 0},      {"1", -ENODEV}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int rc = sim_store(sim, remove, cases[i].data, strlen(cases[i].data));
        if (rc != cases[i].rc)
            fail_msg("'%s': %d", cases[i].data, rc);
    }
    assert_int_equal(store(sim, CARD "/" A "/remove", "1"), -ENOENT);
    assert_null(node_find(sim->root, "bus/mdev/devices/" A));
    assert_shows(sim, TYPE_1 "/available_instances", "2\n");
    assert_shows(sim, TYPE_2 "/available_instances", "1\n");
    assert_int_equal(store(sim, TYPE_2 "/create", A), 0);
    node_unref(remove);
    sim_free(sim);
}

static void files_are_where_the_kernel_has_them(void **state)
{
    (void)state;
    struct sim *sim = new_sim(two_cards);
    assert_int_equal(store(sim, TYPE_1 "/create", A), 0);
    static const struct {
        const char *link, *text;
    } links[] = {
        {"class/mdev_bus/0000:01:00.0", "../../" CARD},
        {"bus/mdev/devices/" A, "../../../" CARD "/" A},
        {"bus/pci/devices/0000:01:00.0", "../../../" CARD},
        {"bus/pci/drivers/nvidia/0000:01:00.0", "../../../../" CARD},
        {CARD "/driver", "../../../bus/pci/drivers/nvidia"},
        {CARD "/subsystem", "../../../bus/pci"},
        {CARD "/" A "/mdev_type", "../mdev_supported_types/nvidia-1"},
        {TYPE_1 "/devices/" A, "../../../" A},
        {CARD "/" A "/iommu_group", "../../../../kernel/iommu_groups/2"},
        {"kernel/iommu_groups/2/devices/" A, "../../../../" CARD "/" A},
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        struct node *link = node_find(sim->root, links[i].link);
        if (!link)
            fail_msg("%s: there is none", links[i].link);
        _cleanup_free_ char *text = node_link_text(link);
        assert_string_equal(text, links[i].text);
    }
    assert_shows(sim, TYPE_1 "/name", "GRID X-1Q\n");
    assert_null(node_find(sim->root, TYPE_2 "/name"));
    assert_shows(sim, TYPE_1 "/device_api", "vfio-pci\n");
    assert_shows(sim, CARD "/vendor", "0x10de\n");
    assert_shows(sim, CARD "/numa_node", "-1\n");
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_answers_as_the_kernel),
        cmocka_unit_test(remove_answers_as_the_kernel),
        cmocka_unit_test(files_are_where_the_kernel_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
