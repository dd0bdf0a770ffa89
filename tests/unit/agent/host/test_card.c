#include "agent/host/card.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/host/sysfs.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

#define CARD "0000:41:00.0"
#define FUNCTION "0000:41:00.4"
#define BUS "devices/pci0000:40/"

/* How often the driver of the card would have been asked for this file. */
struct watch {
    const char *file;
    int asked;
    bool allowed;
};

static bool may_read(void *data, const char *gpu, const char *file)
{
    struct watch *watch = data;
    assert_string_equal(gpu, CARD);
    watch->asked += strcmp(file, watch->file) == 0;
    return watch->allowed;
}

static struct gpu *find_card(const struct scan *scan, const char *tree,
                             const char *function)
{
    char *path = xasprintf("%s/" BUS "%s", tree, function);
    _cleanup_close_ int folder = folder_open(AT_FDCWD, path);
    free(path);
    return card_of_function(scan, folder, function);
}

static void a_function_has_the_card_of_its_physical_one(void **state)
{
    (void)state;
    char *tree = tree_new();
    tree_virtual_function(tree, BUS CARD, BUS FUNCTION, NULL, 0);
    struct watch watch = {.file = "vendor", .allowed = true};
    _cleanup_(host_freep) struct host *host = xcalloc(1, sizeof *host);
    const struct scan_watch watched = {may_read, &watch};
    const struct scan scan = {host, &watched};
    assert_string_equal(find_card(&scan, tree, FUNCTION)->name, CARD);
    assert_int_equal(host->gpus[0].vendor, 0x10de);
    assert_string_equal(host->gpus[0].driver, "nvidia");
    /* The second function finds it read. */
    assert_ptr_equal(find_card(&scan, tree, FUNCTION), &host->gpus[0]);
    assert_int_equal(host->gpu_count, 1);
    assert_int_equal(watch.asked, 1);
    tree_free(tree);
}

/* The name and the links of a card are the kernel's; its files ask the driver. */
static void a_card_whose_driver_hangs_is_not_asked(void **state)
{
    (void)state;
    char *tree = tree_new();
    tree_parent(tree, BUS CARD, NULL, 0);
    struct watch watch = {.file = "vendor"};
    _cleanup_(host_freep) struct host *host = xcalloc(1, sizeof *host);
    const struct scan_watch watched = {may_read, &watch};
    const struct scan scan = {host, &watched};
    struct gpu *gpu = find_card(&scan, tree, CARD);
    assert_int_equal(watch.asked, 1);
    assert_int_equal(gpu->vendor, 0);
    assert_string_equal(gpu->driver, "nvidia");
    assert_null(card_read_text(&scan, gpu, AT_FDCWD, "x", "name"));
    assert_int_equal(gpu->health, GPU_OK);
    tree_free(tree);
}

/* A 0 would be taken for functions that are to be enabled. */
static void functions_that_cannot_be_counted_are_not_none(void **state)
{
    (void)state;
    static const char *const files[] = {"sriov_totalvfs", "sriov_numvfs"};
    for (size_t i = 0; i < 2; i++) {
        char *tree = tree_new();
        tree_parent(tree, BUS CARD, NULL, 0);
        _cleanup_free_ char *path = xasprintf(BUS CARD "/%s", files[i]);
        tree_folder(tree, path);
        _cleanup_(host_freep) struct host *host = xcalloc(1, sizeof *host);
        const struct scan scan = {host, NULL};
        struct gpu *gpu = find_card(&scan, tree, CARD);
        assert_int_equal(gpu->health, GPU_UNREADABLE);
        assert_non_null(strstr(gpu->health_reason, files[i]));
        tree_free(tree);
    }
}

static void of_several_reasons_the_first_by_name_stays(void **state)
{
    (void)state;
    _cleanup_(host_freep) struct host *host = xcalloc(1, sizeof *host);
    struct gpu *gpu = host_add_gpu(host, CARD);
    card_set_unreadable(gpu, "%s", "b");
    card_set_unreadable(gpu, "%s", "c");
    assert_string_equal(gpu->health_reason, "b");
    card_set_unreadable(gpu, "%s", "a");
    assert_string_equal(gpu->health_reason, "a");
    assert_int_equal(gpu->health, GPU_UNREADABLE);
    /* What is lost cannot be read either, which is not the reason. */
    gpu->health = GPU_LOST;
    card_set_unreadable(gpu, "%s", "0");
    assert_int_equal(gpu->health, GPU_LOST);
    assert_string_equal(gpu->health_reason, "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_has_the_card_of_its_physical_one),
        cmocka_unit_test(a_card_whose_driver_hangs_is_not_asked),
        cmocka_unit_test(functions_that_cannot_be_counted_are_not_none),
        cmocka_unit_test(of_several_reasons_the_first_by_name_stays),
    };
    return cmocka_run_group_tests_name("card", tests, NULL, NULL);
}
