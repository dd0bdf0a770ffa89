#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend/xe_files.h"
#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "tests/unit/tree.h"

#define PF "0000:03:00.0"
#define CARD "bus/pci/devices/" PF "/"
#define PROFILE CARD "sriov_admin/vf1/profile/"

/* Nobody else has it done. */
static const struct device_place nobody = {0};

static void a_name_tells_the_whole_profile(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct xe_profile profile;
    } cases[] = {
        {"xe-8192M-20ms-5000us", {8192, 20, 5000, ""}},
        {"xe-1M-0ms-0us", {1, 0, 0, ""}},
        {"xe-4096M-0ms-0us-normal", {4096, 0, 0, "normal"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xe_profile parsed;
        _cleanup_free_ char *name = xe_profile_name(&cases[i].profile);
        assert_string_equal(name, cases[i].name);
        assert_true(xe_profile_parse(name, &parsed));
        assert_memory_equal(&parsed, &cases[i].profile, sizeof parsed);
    }
    static const char *const others[] = {"",
                                         "xe",
                                         "xe-8192M",
                                         "xe-8192M-20ms-5000us-",
                                         "xe-8192M-20ms-5000usx",
                                         "NVIDIA L40S-8Q",
                                         "xe-8192M-20ms-5000us-highest"};
    struct xe_profile untouched;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(xe_profile_parse(others[i], &untouched));
    assert_false(xe_profile_parse(NULL, &untouched));
}

/* The driver rounds up to its pages. */
static void what_was_rounded_up_is_the_same(void **state)
{
    (void)state;
    const struct xe_profile wanted = {8191, 20, 0, "low"};
    const struct {
        struct xe_profile found;
        bool same;
    } cases[] = {
        {{8191, 20, 0, ""}, true},  {{8192, 20, 0, ""}, true},
        {{8198, 20, 0, ""}, true},  {{8199, 20, 0, ""}, false},
        {{8190, 20, 0, ""}, false}, {{8192, 21, 0, ""}, false},
        {{8192, 20, 1, ""}, false}, {{0, 20, 0, ""}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(xe_profile_matches(&wanted, &cases[i].found), cases[i].same);
    const struct xe_profile none = {0};
    assert_false(xe_profile_matches(&none, &none));
}

static char *new_card(void)
{
    char *tree = tree_new();
    tree_write(tree, CARD "sriov_offset", "2\n");
    tree_write(tree, CARD "sriov_stride", "3\n");
    tree_write(tree, PROFILE "vram_quota", "0\n");
    tree_write(tree, PROFILE "exec_quantum_ms", "0\n");
    tree_write(tree, PROFILE "preempt_timeout_us", "0\n");
    tree_write(tree, PROFILE "sched_priority", "[low] normal\n");
    return tree;
}

static int open_in(const char *tree, const char *path)
{
    _cleanup_free_ char *whole = xasprintf("%s/%s", tree, path);
    int fd = open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void addresses_are_known_before_the_functions_are(void **state)
{
    (void)state;
    char *tree = new_card(), name[PCI_ADDRESS_SIZE];
    int card = open_in(tree, CARD);
    assert_true(xe_function_name(card, PF, 1, name));
    assert_string_equal(name, "0000:03:00.2");
    assert_true(xe_function_name(card, PF, 3, name));
    assert_string_equal(name, "0000:03:01.0");
    assert_true(xe_function_name(card, PF, 100, name));
    assert_string_equal(name, "0000:04:05.3");
    /* What is there is right. */
    tree_link(tree, CARD "virtfn0", "../0000:03:00.7");
    assert_true(xe_function_name(card, PF, 1, name));
    assert_string_equal(name, "0000:03:00.7");
    assert_false(xe_function_name(card, "mtty", 2, name));
    close(card);
    tree_free(tree);
}

static void the_memory_is_that_of_all_tiles(void **state)
{
    (void)state;
    char *tree = new_card();
    int cards = open_in(tree, "bus/pci/devices");
    assert_int_equal(xe_card_memory(cards, PF), 0);
    tree_write(tree, "fs/cgroup/dmem.capacity",
               "drm/0000:04:00.0/vram0 17095983104\ndrm/" PF "/stolen 1048576\ndrm/" PF
               "/vram0 8589934592\ndrm/" PF "/vram1 4294967296\n");
    assert_int_equal(xe_card_memory(cards, PF), 12288);
    close(cards);
    tree_free(tree);
}

static void a_share_is_written_and_taken(void **state)
{
    (void)state;
    char *tree = new_card();
    int card = open_in(tree, CARD), admin = xe_open_admin(card, 1);
    const struct xe_profile wanted = {8192, 20, 5000, "low"};
    struct xe_profile found;
    struct error err = {0};
    assert_true(admin >= 0);
    assert_int_equal(xe_open_admin(card, 2), -1);
    assert_ok(xe_write_profile(&nobody, admin, "x", &wanted, &err), &err);
    assert_ok(xe_read_profile(admin, &found, &err), &err);
    assert_true(xe_profile_matches(&wanted, &found));
    /* One store is no whole file here. */
    assert_ok(xe_clear_profile(&nobody, admin, "x", &err), &err);
    _cleanup_free_ char *quota = tree_read(tree, PROFILE "vram_quota");
    assert_int_equal(quota[0], '0');
    tree_write(tree, PROFILE "vram_quota", "0\n");
    const struct xe_profile other = {8192, 20, 5000, "normal"};
    assert_int_equal(xe_write_profile(&nobody, admin, "x", &other, &err), -1);
    assert_int_equal(err.code, ERROR_FORBIDDEN);
    assert_non_null(strstr(err.text, "sriov_admin/.bulk_profile/sched_priority"));
    tree_write(tree, PROFILE "vram_quota", "-1\n");
    assert_int_equal(xe_read_profile(admin, &found, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    close(admin), close(card);
    tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_tells_the_whole_profile),
        cmocka_unit_test(what_was_rounded_up_is_the_same),
        cmocka_unit_test(addresses_are_known_before_the_functions_are),
        cmocka_unit_test(the_memory_is_that_of_all_tiles),
        cmocka_unit_test(a_share_is_written_and_taken),
    };
    return cmocka_run_group_tests_name("xe_files", tests, NULL, NULL);
}
