#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/backend/before_cut.h"
#include "agent/backend/mdev_scan.h"
#include "agent/backend/nvidia_mig.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/xalloc.h"
#include "tests/unit/tree.h"

#define CARD "0000:41:00.0"
#define INFORMATION "proc/driver/nvidia/gpus/" CARD "/information"
#define INSTANCES "proc/driver/nvidia/capabilities/gpu3/mig/"
#define TYPE "A100-1-5C"
#define ENOUGH 60000 /* milliseconds; never waited out when all is well */

static int open_tree(const char *tree)
{
    int fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void instances_are_those_of_the_card(void **state)
{
    (void)state;
    char *tree = tree_new();
    int root = open_tree(tree);
    assert_int_equal(nvidia_mig_count(root, CARD), -1);
    tree_write(tree, INFORMATION,
               "Model: \t A100\nDevice Minor: \t 3\nGPU Excluded:\t No\n");
    assert_int_equal(nvidia_mig_count(root, CARD), 0);
    tree_write(tree, INSTANCES "config", "");
    tree_write(tree, INSTANCES "gi1/access", "");
    tree_write(tree, INSTANCES "gi9/access", "");
    tree_write(tree, "proc/driver/nvidia/capabilities/gpu0/mig/gi1/access", "");
    assert_int_equal(nvidia_mig_count(root, CARD), 2);
    tree_remove(tree, INFORMATION);
    tree_write(tree, INFORMATION, "Model: \t A100\nDevice Minor: \t x\n");
    assert_int_equal(nvidia_mig_count(root, CARD), -1);
    close(root);
    tree_free(tree);
}

static void types_are_known_by_their_names(void **state)
{
    (void)state;
    static const char *const of_mig[] = {"A100-1-5C", "NVIDIA A100-1-5CME",
                                         "GRID A100-7-40C", "DC-4-96Q"};
    static const char *const others[] = {"",          "A100-40C", "NVIDIA L40S-8Q",
                                         "nvidia-35", "M10-0B",   "A100-1-C"};
    for (size_t i = 0; i < sizeof of_mig / sizeof *of_mig; i++)
        assert_true(nvidia_mig_is_type(of_mig[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(nvidia_mig_is_type(others[i]));
    assert_false(nvidia_mig_is_type(NULL));
}

/* ---- how many of a type ---- */

static void add_type(struct parent *parent, const char *id, const char *name,
                     int available)
{
    struct device_type *type = array_add(parent->types, parent->type_count);
    type->id = xstrdup(id);
    type->name = xstrdup(name);
    type->available = available;
    type->attributes.max_instance = 7;
}

/* Four functions, of which the first `taken` have a device of the type "a". */
static struct host *new_host(unsigned taken, int partitions)
{
    static const char *const functions[] = {"0000:41:00.4", "0000:41:00.5",
                                            "0000:41:00.6", "0000:41:00.7"};
    struct host *host = xcalloc(1, sizeof *host);
    struct gpu *gpu = host_add_gpu(host, CARD);
    gpu->partitions = partitions;
    for (size_t i = 0; i < 4; i++) {
        struct parent *parent = gpu_add_parent(gpu, MDEV_NAME, functions[i]);
        add_type(parent, "a", "GRID " TYPE, i >= taken);
        add_type(parent, "b", "GRID A100-1-5CME", 0);
        if (i < taken)
            parent_add_device(parent, functions[i])->type_id = xstrdup("a");
    }
    return host;
}

static void types_are_counted_by_the_instances(void **state)
{
    (void)state;
    static const struct {
        unsigned taken;
        int partitions;
        unsigned room, most;
    } cases[] = {
        {0, 3, 3, 3}, {1, 3, 2, 3}, {3, 3, 1, 4}, {0, -1, 1, 7}, {0, 0, 1, 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct host *host = new_host(cases[i].taken, cases[i].partitions);
        struct gpu *gpu = &host->gpus[0];
        assert_int_equal(nvidia_mig_room(gpu, &gpu->parents[3].types[0]),
                         cases[i].room);
        nvidia_mig_limit(host);
        assert_int_equal(gpu->parents[3].types[0].attributes.max_instance,
                         cases[i].most);
        host_free(host);
    }
}

/* Which instances are of which shape cannot be seen. */
static void of_several_shapes_only_the_next_one_is_certain(void **state)
{
    (void)state;
    struct host *host = new_host(0, 3);
    struct parent *parent = &host->gpus[0].parents[3];
    parent->types[1].available = 1;
    assert_int_equal(nvidia_mig_room(&host->gpus[0], &parent->types[0]), 1);
    assert_int_equal(nvidia_mig_room(&host->gpus[0], &parent->types[1]), 1);
    parent->types[1].available = 0;
    assert_int_equal(nvidia_mig_room(&host->gpus[0], &parent->types[1]), 0);
    host_free(host);
}

/* ---- cutting ---- */

static void which_cards_are_cut(void **state)
{
    (void)state;
    char driver[] = "nvidia", other[] = "gim";
    struct gpu gpu = {.driver = driver};
    assert_true(before_cut_is_for(&gpu, TYPE));
    assert_false(before_cut_is_for(&gpu, "A100-40C"));
    gpu.partitions = 1;
    assert_false(before_cut_is_for(&gpu, TYPE));
    gpu.partitions = -1;
    assert_false(before_cut_is_for(&gpu, TYPE));
    gpu.partitions = 0;
    gpu.health = GPU_LOST;
    assert_false(before_cut_is_for(&gpu, TYPE));
    gpu.health = GPU_OK;
    gpu.driver = other;
    assert_false(before_cut_is_for(&gpu, TYPE));
    struct host *host = new_host(1, 0);
    host->gpus[0].driver = xstrdup("nvidia");
    assert_false(before_cut_is_for(&host->gpus[0], TYPE));
    host_free(host);
}

static int cut(const char *tree, const char *script, int patience, struct error *err)
{
    _cleanup_free_ char *program = xasprintf("%s/program", tree);
    _cleanup_free_ char *text =
        xasprintf("#!/bin/sh\ncd %s && echo \"$*\" >calls\n%s\n", tree, script);
    const struct device_place place = {tree, {.root = tree}};
    tree_remove(tree, "program");
    tree_write(tree, "program", text);
    assert_int_equal(chmod(program, 0700), 0);
    *err = (struct error){0};
    return before_cut_run(program, &place, CARD, TYPE, clock_monotonic_ms() + patience,
                          err);
}

static void instances_are_counted(void **state)
{
    (void)state;
    struct error err;
    char *tree = tree_new();
    tree_write(tree, "calls", "");
    tree_write(tree, "program", "");
    tree_write(tree, INFORMATION, "Device Minor: 3\n");
    assert_int_equal(cut(tree, "echo no such luck >&2; exit 0", ENOUGH, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_non_null(strstr(err.text, "no GPU instance: no such luck"));
    assert_int_equal(cut(tree, "sleep 100", 300, &err), -1);
    assert_int_equal(err.code, ERROR_TIMEOUT);
    assert_ok(cut(tree, "mkdir -p " INSTANCES "gi7; exit 1", ENOUGH, &err), &err);
    _cleanup_free_ char *calls = tree_read(tree, "calls");
    assert_string_equal(calls, CARD " " TYPE "\n");
    tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instances_are_those_of_the_card),
        cmocka_unit_test(types_are_known_by_their_names),
        cmocka_unit_test(types_are_counted_by_the_instances),
        cmocka_unit_test(of_several_shapes_only_the_next_one_is_certain),
        cmocka_unit_test(which_cards_are_cut),
        cmocka_unit_test(instances_are_counted),
    };
    return cmocka_run_group_tests_name("nvidia_mig", tests, NULL, NULL);
}
