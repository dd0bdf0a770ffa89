#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend/xe_vf.h"
#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "tests/unit/tree.h"

#define PF "0000:03:00.0"
#define VF "0000:03:00.1"
#define CARD "bus/pci/devices/" PF "/"
#define PROFILE CARD "sriov_admin/vf1/profile/"
#define UUID "4b20d080-1b54-4048-85b3-a6a62d165c01"
#define CONSUMER "00000000-0000-4000-8000-0000000000c1"
#define SHARE "8589934592\n"

static const struct device_spec spec = {.uuid = UUID,
                                        .address = VF,
                                        .gpu = PF,
                                        .parent = VF,
                                        .type_id = "b60-8g",
                                        .type_name = "xe-8192M-20ms-0us",
                                        .consumer = CONSUMER};

/* The card's functions are enabled. */
static char *new_card(const char *quota, const char *quantum)
{
    char *tree = tree_new();
    tree_proc(tree);
    tree_folder(tree, USE_DEFINED);
    tree_folder(tree, USE_RUNNING);
    tree_write(tree, CARD "sriov_totalvfs", "7\n");
    tree_write(tree, CARD "sriov_numvfs", "7\n");
    tree_link(tree, CARD "virtfn0", "../" VF);
    tree_folder(tree, "bus/pci/devices/" VF);
    tree_write(tree, PROFILE "vram_quota", quota);
    tree_write(tree, PROFILE "exec_quantum_ms", quantum);
    tree_write(tree, PROFILE "preempt_timeout_us", "0\n");
    return tree;
}

static struct device_place place_of(const char *tree)
{
    return (struct device_place){
        tree, {.root = tree, .defined = USE_DEFINED, .running = USE_RUNNING}};
}

static enum error_code create(const struct device_place *place, struct error *err)
{
    char address[DEVICE_ADDRESS_SIZE];
    bool existed;
    *err = (struct error){0};
    return backend_xe_vf.create(place, &spec, address, &existed, err) == 0 ? ERROR_NONE
                                                                           : err->code;
}

static void assert_file(const char *tree, const char *path, const char *expected)
{
    _cleanup_free_ char *text = tree_read(tree, path);
    assert_string_equal(text, expected);
}

/* Functions that cannot be counted are not taken for functions that are to be enabled,
 * nor a share for one that was prepared before they were. */
static void functions_that_cannot_be_counted(void **state)
{
    (void)state;
    static const char *const quotas[] = {"0\n", SHARE};
    for (size_t i = 0; i < 2; i++) {
        char *tree = new_card(quotas[i], "20\n");
        struct device_place place = place_of(tree);
        struct error err;
        tree_remove(tree, CARD "sriov_numvfs");
        tree_folder(tree, CARD "sriov_numvfs");
        assert_int_not_equal(create(&place, &err), ERROR_NONE);
        if (!strstr(err.text, "whether its virtual functions are enabled"))
            fail_msg("%s", err.text);
        tree_free(tree);
    }
}

/* The next one may have given the function to another consumer. */
static void nothing_is_written_for_an_agent_that_has_ended(void **state)
{
    (void)state;
    char *tree = new_card("0\n", "7\n");
    struct device_place place = place_of(tree);
    struct error err;
    place.agent = getpid();
    assert_int_equal(create(&place, &err), ERROR_BUSY);
    assert_non_null(strstr(err.text, "the agent that asked has ended"));
    assert_file(tree, PROFILE "vram_quota", "0\n");
    assert_file(tree, PROFILE "exec_quantum_ms", "7\n");
    tree_write(tree, PROFILE "vram_quota", SHARE);
    tree_write(tree, PROFILE "exec_quantum_ms", "20\n");
    assert_int_equal(backend_xe_vf.remove(&place, &spec, &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    assert_int_equal(backend_xe_vf.clear(&place, &spec, &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    assert_file(tree, PROFILE "vram_quota", SHARE);
    tree_free(tree);
}

/* What has another share by now is not the device that is to be handed over. */
static void another_share_is_not_cleared(void **state)
{
    (void)state;
    char *tree = new_card("4294967296\n", "20\n");
    struct device_place place = place_of(tree);
    struct error err = {0};
    assert_int_equal(backend_xe_vf.clear(&place, &spec, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_file(tree, PROFILE "vram_quota", "4294967296\n");
    tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_that_cannot_be_counted),
        cmocka_unit_test(nothing_is_written_for_an_agent_that_has_ended),
        cmocka_unit_test(another_share_is_not_cleared),
    };
    return cmocka_run_group_tests_name("backend_xe_vf", tests, NULL, NULL);
}
