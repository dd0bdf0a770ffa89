#include "tests/unit/test.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/backend/scan.h"
#include "agent/host/capacity.h"
#include "lib/xalloc.h"
#include "tests/unit/tree.h"

#define PCI "devices/pci0000:80/0000:80:02.0/"
#define A PCI "0000:83:00.0/0000:84:00.0"
#define PF PCI "0000:41:00.0"
#define VF(n) PCI "0000:41:00." n
#define UUID(n) "4b20d080-1b54-4048-85b3-a6a62d165c0" n
#define DESCRIPTION                                                             \
    "num_heads=4, frl_config=60, framebuffer=1024M, max_resolution=5120x2880, " \
    "max_instance=16"

static const struct tree_type one_type[] = {
    {"nvidia-35", "GRID V100DX-1Q\n", DESCRIPTION "\n", 16}};
static const struct tree_type vf_type[] = {
    {"nvidia-557", "NVIDIA A40-1Q\n", "max_instance=2\n", 1}};

/* ---- the host as text, which says all of it ---- */

static void print_mdev(FILE *out, const struct device *mdev, const char *indent)
{
    fprintf(out, "%s%s", indent, mdev->uuid);
    if (mdev->type_id)
        fprintf(out, " %s", mdev->type_id);
    for (size_t i = 0; i < mdev->nodes.count; i++)
        fprintf(out, " %s", mdev->nodes.items[i]);
    fputs(mdev->in_transition ? " in transition\n" : "\n", out);
}

static void print_parent(FILE *out, const struct parent *parent)
{
    fprintf(out, "  %s %s\n", parent->name, parent->path);
    for (size_t i = 0; i < parent->type_count; i++) {
        const struct device_type *type = &parent->types[i];
        fprintf(out, "    %s (%s) %s %d of %u\n", type->id,
                type->name ? type->name : "-",
                type->device_api ? type->device_api : "-", type->available,
                type->attributes.max_instance);
    }
    for (size_t i = 0; i < parent->device_count; i++)
        print_mdev(out, &parent->devices[i], "    ");
}

static void print_gpu(FILE *out, const struct gpu *gpu)
{
    fprintf(out, "%s %s", gpu->name, gpu->node_name);
    if (gpu->is_pci)
        fprintf(out, " %04x:%04x", gpu->vendor, gpu->device);
    if (gpu->driver)
        fprintf(out, " %s", gpu->driver);
    if (gpu->numa_node >= 0)
        fprintf(out, " node %d", gpu->numa_node);
    if (gpu->vf_total)
        fprintf(out, " %u of %u VFs", gpu->vf_enabled, gpu->vf_total);
    fprintf(out, " %s", gpu_health_name(gpu->health));
    fprintf(out, gpu->health_reason ? ": %s\n" : "\n", gpu->health_reason);
    for (size_t i = 0; i < gpu->parent_count; i++)
        print_parent(out, &gpu->parents[i]);
}

static char *text_of(const struct host *host)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    for (size_t i = 0; i < host->gpu_count; i++)
        print_gpu(out, &host->gpus[i]);
    for (size_t i = 0; i < host->stray_count; i++)
        print_mdev(out, &host->strays[i], "stray ");
    fclose(out);
    return text;
}

/* ---- one tree a case ---- */

static void an_empty_root(const char *tree)
{
    (void)tree;
}

static void one_card(const char *tree)
{
    static const struct tree_type types[] = {
        {"nvidia-35", "GRID V100DX-1Q\n", DESCRIPTION "\n", 14},
        {"nvidia-9", NULL, NULL, 0},
        {"nvidia-100", "GRID V100DX-32Q\n", NULL, 0},
    };
    tree_parent(tree, A, types, 3);
    tree_mdev(tree, A, UUID("2"), "nvidia-35", "12");
    tree_mdev(tree, A, UUID("1"), "nvidia-35", NULL);
    tree_folder(tree, A "/" UUID("2") "/vfio-dev/vfio3");
}

/* What a device's folder has besides, and what must not be taken for a device. */
static void other_things_in_the_folder(const char *tree)
{
    tree_parent(tree, A, one_type, 1);
    tree_write(tree, A "/resource0", "");
    tree_folder(tree, A "/power");
    tree_folder(tree, A "/drm/card0");
    tree_folder(tree, A "/4b20d080-1b54-4048-85b3");
    tree_folder(tree, A "/4b20d080-1b54-4048-85b3-a6a62d165c01.x");
    tree_write(tree, A "/mdev_supported_types/README", "");
    tree_write(tree, "class/mdev_bus/.hidden", "");
}

static void no_pci_at_all(const char *tree)
{
    static const struct tree_type mtty[] = {{"mtty-2", "Dual port serial\n", NULL, 12}};
    static const struct tree_type ccw[] = {{"vfio_ccw-io", "I/O\n", NULL, 1}};
    static const struct tree_type ap[] = {{"vfio_ap-passthrough", NULL, NULL, 65}};
    tree_parent(tree, "devices/virtual/mtty/mtty", mtty, 1);
    tree_link(tree, "devices/virtual/mtty/mtty/subsystem", "../../../../class/mtty");
    tree_parent(tree, "devices/css0/0.0.26ab", ccw, 1);
    tree_link(tree, "devices/css0/0.0.26ab/subsystem", "../../../bus/css");
    tree_link(tree, "devices/css0/0.0.26ab/driver",
              "../../../bus/css/drivers/vfio_ccw");
    tree_parent(tree, "devices/vfio_ap/matrix", ap, 1);
    tree_link(tree, "devices/vfio_ap/matrix/subsystem", "../../../bus/matrix");
}

static void order_of_the_bus(const char *tree)
{
    static const char *const names[] = {"0000:b2:00.0", "0000:3d:00.0",  "0000:1a:00.0",
                                        "0000:10:00.0", "10000:01:00.0", "0000:3d:00.1",
                                        "0001:00:00.0", "mtty"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = xasprintf("devices/x/%s", names[i]);
        tree_parent(tree, path, NULL, 0);
        free(path);
    }
}

static void virtual_functions(const char *tree)
{
    tree_virtual_function(tree, PF, VF("6"), vf_type, 1);
    tree_virtual_function(tree, PF, VF("4"), vf_type, 1);
    tree_virtual_function(tree, PF, VF("5"), vf_type, 1);
    tree_write(tree, VF("6") "/mdev_supported_types/nvidia-557/available_instances",
               "0\n");
    tree_mdev(tree, VF("6"), UUID("1"), "nvidia-557", "7");
    /* One that is no parent (another driver has it) does not show up by itself. */
    tree_card(tree, VF("7"), "0x030200\n");
    tree_link(tree, VF("7") "/physfn", "../0000:41:00.0");
}

static void cards_without_types(const char *tree)
{
    tree_card(tree, PCI "0000:02:00.0", "0x030000\n"); /* VGA */
    tree_card(tree, PCI "0000:03:00.0", "0x030200\n"); /* VFs not enabled */
    tree_write(tree, PCI "0000:03:00.0/sriov_totalvfs", "16\n");
    tree_write(tree, PCI "0000:03:00.0/sriov_numvfs", "0\n");
    tree_card(tree, PCI "0000:04:00.0", "0x038000\n"); /* unbound */
    tree_remove(tree, PCI "0000:04:00.0/driver");
    tree_card(tree, PCI "0000:05:00.0", "0x020000\n"); /* a network card */
    tree_card(tree, PCI "0000:06:00.0", "0x040300\n"); /* a GPU's sound */
}

static void devices_in_transition(const char *tree)
{
    tree_parent(tree, A, one_type, 1);
    tree_mdev(tree, A, UUID("1"), "nvidia-35", "1");
    tree_remove(tree, A "/" UUID("1") "/mdev_type");
    /* A removal that waits for its holder: only the parent's folder still has it. */
    tree_mdev(tree, A, UUID("2"), "nvidia-35", "2");
    tree_remove(tree, A "/" UUID("2") "/mdev_type");
    tree_remove(tree, A "/" UUID("2") "/iommu_group");
    tree_remove(tree, "bus/mdev/devices/" UUID("2"));
    /* Listed, but gone; listed, but below something that is no parent. */
    tree_link(tree, "bus/mdev/devices/" UUID("4"), "../../../" A "/" UUID("4"));
    tree_mdev(tree, "devices/x/0000:99:00.0", UUID("3"), "nvidia-35", NULL);
}

static void what_has_just_gone(const char *tree)
{
    tree_parent(tree, A, one_type, 1);
    tree_link(tree, A "/mdev_supported_types/nvidia-36", "gone");
    tree_folder(tree, A "/mdev_supported_types/nvidia-37");
    tree_link(tree, "class/mdev_bus/0000:85:00.0", "../../" PCI "0000:85:00.0");
    tree_link(tree, "bus/pci/devices/0000:86:00.0", "../../../" PCI "0000:86:00.0");
    tree_folder(tree, PCI "0000:87:00.0");
    tree_link(tree, "class/mdev_bus/0000:87:00.0", "../../" PCI "0000:87:00.0");
}

static void fell_off_the_bus(const char *tree)
{
    tree_parent(tree, A, one_type, 1);
    tree_write(tree, A "/config", "\xff\xff\xff\xff");
    tree_write(tree, A "/power/runtime_status", "active\n");
}

/* Its config space is not looked at: that would wake it up. */
static void asleep(const char *tree)
{
    tree_parent(tree, A, one_type, 1);
    tree_write(tree, A "/config", "\xff\xff\xff\xff");
    tree_write(tree, A "/power/runtime_status", "suspended\n");
}

static void nonsense_in_numbers(const char *tree)
{
    static const struct tree_type types[] = {
        {"nvidia-1", NULL, NULL, -3},
        {"nvidia-2", NULL, NULL, 0},
        {"nvidia-3", NULL, NULL, 7},
    };
    tree_parent(tree, A, types, 3);
    tree_write(tree, A "/mdev_supported_types/nvidia-2/available_instances", "many\n");
    tree_write(tree, A "/vendor", "huh\n");
    tree_write(tree, A "/numa_node", "-1\n");
}

/* Folders in place of files read as EISDIR, for root as well. */
static void unreadable_available(const char *tree)
{
    tree_parent(tree, A, one_type, 1);
    tree_remove(tree, A "/mdev_supported_types/nvidia-35/available_instances");
    tree_folder(tree, A "/mdev_supported_types/nvidia-35/available_instances");
}

static void unreadable_description(const char *tree)
{
    tree_parent(tree, A, one_type, 1);
    tree_remove(tree, A "/mdev_supported_types/nvidia-35/description");
    tree_folder(tree, A "/mdev_supported_types/nvidia-35/description");
}

static void unreadable_types(const char *tree)
{
    tree_parent(tree, A, one_type, 1);
    tree_remove(tree, A "/mdev_supported_types");
    tree_write(tree, A "/mdev_supported_types", "");
}

static void unreadable_config(const char *tree)
{
    tree_parent(tree, A, one_type, 1);
    tree_remove(tree, A "/config");
    tree_folder(tree, A "/config");
}

static void a_parent_that_is_a_file(const char *tree)
{
    tree_write(tree, "class/mdev_bus/0000:84:00.0", "");
}

static void a_parent_that_is_a_folder(const char *tree)
{
    tree_write(tree,
               "class/mdev_bus/0000:84:00.0/mdev_supported_types/t-1/"
               "available_instances",
               "3");
}

static void texts_with_anything_in_them(const char *tree)
{
    static const struct tree_type types[] = {{"nvidia-35", "GRID \xff\x01\x1b[31m\n",
                                              "num_heads=4\xc3\xa9, max_instance=7",
                                              7}};
    tree_parent(tree, A, types, 1);
}

static void names_that_name_nothing(const char *tree)
{
    static const struct tree_type types[] = {
        {"x-1", "\n", "\n", 1}, {"x-2", "  \n", NULL, 1}, {"x-3", "--\n", NULL, 1}};
    tree_parent(tree, A, types, 3);
}

static void a_number_with_anything_in_it(const char *tree)
{
    tree_parent(tree, A, one_type, 1);
    tree_write(tree, A "/mdev_supported_types/nvidia-35/available_instances",
               "\xb7\x1b[2J\nall is well 1234567890123456789012345678901234567890");
}

/* The same id on another model, and the same id under another name. */
static void types_that_only_look_the_same(const char *tree)
{
    static const struct tree_type first[] = {{"x-1", "One\n", "max_instance=1\n", 1}},
                                  renamed[] = {{"x-1", "Uno\n", "max_instance=2\n", 2}},
                                  other[] = {{"x-1", "One\n", "max_instance=3\n", 3}};
    tree_parent(tree, PCI "0000:01:00.0", first, 1);
    tree_parent(tree, PCI "0000:02:00.0", renamed, 1);
    tree_parent(tree, PCI "0000:03:00.0", other, 1);
    tree_write(tree, PCI "0000:03:00.0/device", "0x1111\n");
}

#define A_LINE "0000:84:00.0 pci_0000_84_00_0 10de:1db6 nvidia node 1 "
#define A_PARENT "  0000:84:00.0 " A "\n"
#define TYPE_35 "    nvidia-35 (GRID V100DX-1Q) vfio-pci 16 of 16\n"

static const struct {
    const char *what;
    void (*make)(const char *tree);
    const char *expected;
} cases[] = {
    {"an empty root", an_empty_root, ""},
    {"one card", one_card,
     A_LINE
     "ok\n" A_PARENT "    nvidia-9 (-) vfio-pci 0 of 0\n"
     "    nvidia-35 (GRID V100DX-1Q) vfio-pci 14 of 16\n"
     "    nvidia-100 (GRID V100DX-32Q) vfio-pci 0 of 0\n"
     "    " UUID("1") " nvidia-35\n"
                      "    " UUID(
                          "2") " nvidia-35 /dev/vfio/12 /dev/vfio/devices/vfio3\n"},
    {"names that name nothing", names_that_name_nothing,
     A_LINE "ok\n" A_PARENT "    x-1 (-) vfio-pci 1 of 0\n"
            "    x-2 (-) vfio-pci 1 of 0\n"
            "    x-3 (-) vfio-pci 1 of 0\n"},
    {"a number with anything in it", a_number_with_anything_in_it,
     A_LINE "unreadable: mdev_supported_types/nvidia-35/available_instances: "
            "\"??[2J\" is not a number\n" A_PARENT
            "    nvidia-35 (GRID V100DX-1Q) vfio-pci -1 of 16\n"},
    {"other things", other_things_in_the_folder, A_LINE "ok\n" A_PARENT TYPE_35},
    {"no PCI", no_pci_at_all,
     "0.0.26ab css_0_0_26ab vfio_ccw ok\n  0.0.26ab devices/css0/0.0.26ab\n"
     "    vfio_ccw-io (I/O) vfio-pci 1 of 0\n"
     "matrix ap_matrix ok\n  matrix devices/vfio_ap/matrix\n"
     "    vfio_ap-passthrough (-) vfio-pci 65 of 0\n"
     "mtty mtty_mtty ok\n  mtty devices/virtual/mtty/mtty\n"
     "    mtty-2 (Dual port serial) vfio-pci 12 of 0\n"},
    {"VFs", virtual_functions,
     "0000:41:00.0 pci_0000_41_00_0 10de:1db6 nvidia node 1 32 of 32 VFs ok\n"
     "  0000:41:00.4 " VF(
         "4") "\n"
              "    nvidia-557 (NVIDIA A40-1Q) vfio-pci 1 of 2\n"
              "  0000:41:00.5 " VF(
                  "5") "\n"
                       "    nvidia-557 (NVIDIA A40-1Q) vfio-pci 1 of 2\n"
                       "  0000:41:00.6 " VF(
                           "6") "\n"
                                "    nvidia-557 (NVIDIA A40-1Q) vfio-pci 0 of 2\n"
                                "    " UUID("1") " nvidia-557 /dev/vfio/7\n"},
    {"cards without types", cards_without_types,
     "0000:02:00.0 pci_0000_02_00_0 10de:1db6 nvidia node 1 ok\n"
     "0000:03:00.0 pci_0000_03_00_0 10de:1db6 nvidia node 1 0 of 16 VFs ok\n"
     "0000:04:00.0 pci_0000_04_00_0 10de:1db6 node 1 ok\n"},
    {"transition", devices_in_transition,
     A_LINE "ok\n" A_PARENT TYPE_35 "    " UUID(
         "1") " /dev/vfio/1 in transition\n"
              "    " UUID("2") " in transition\n"
                               "stray " UUID("3") " in transition\n"
                                                  "stray " UUID(
                                                      "4") " in transition\n"},
    {"gone", what_has_just_gone,
     A_LINE "ok\n" A_PARENT TYPE_35 "0000:87:00.0 pci_0000_87_00_0 0000:0000 ok\n"
            "  0000:87:00.0 " PCI "0000:87:00.0\n"},
    {"lost", fell_off_the_bus,
     A_LINE
     "lost: fell off the bus: its config space reads 0xffffffff\n" A_PARENT TYPE_35},
    {"asleep", asleep, A_LINE "ok\n" A_PARENT TYPE_35},
    {"numbers", nonsense_in_numbers,
     "0000:84:00.0 pci_0000_84_00_0 0000:1db6 nvidia unreadable: mdev_supported_types/"
     "nvidia-1/available_instances: -3 makes no sense\n" A_PARENT
     "    nvidia-1 (-) vfio-pci -1 of 0\n"
     "    nvidia-2 (-) vfio-pci -1 of 0\n"
     "    nvidia-3 (-) vfio-pci 7 of 0\n"},
    {"available_instances", unreadable_available,
     A_LINE "unreadable: mdev_supported_types/nvidia-35/available_instances: Is a "
            "directory\n" A_PARENT
            "    nvidia-35 (GRID V100DX-1Q) vfio-pci -1 of 16\n"},
    {"description", unreadable_description,
     A_LINE "unreadable: nvidia-35/description: Is a directory\n" A_PARENT
            "    nvidia-35 (GRID V100DX-1Q) vfio-pci 16 of 0\n"},
    {"types", unreadable_types,
     A_LINE "unreadable: mdev_supported_types: Not a directory\n" A_PARENT},
    {"config", unreadable_config,
     A_LINE "unreadable: config: Is a directory\n" A_PARENT TYPE_35},
    {"a file for a parent", a_parent_that_is_a_file,
     "0000:84:00.0 pci_0000_84_00_0 0000:0000 unreadable: class/mdev_bus/0000:84:00.0: "
     "Not a directory\n  0000:84:00.0 class/mdev_bus/0000:84:00.0\n"},
    {"a folder for a parent", a_parent_that_is_a_folder,
     "0000:84:00.0 pci_0000_84_00_0 0000:0000 ok\n"
     "  0000:84:00.0 class/mdev_bus/0000:84:00.0\n    t-1 (-) - 3 of 0\n"},
    {"texts", texts_with_anything_in_them,
     A_LINE "ok\n" A_PARENT "    nvidia-35 (GRID ???[31m) vfio-pci 7 of 7\n"},
    {"types that look the same", types_that_only_look_the_same,
     "0000:01:00.0 pci_0000_01_00_0 10de:1db6 nvidia node 1 ok\n"
     "  0000:01:00.0 " PCI "0000:01:00.0\n    x-1 (One) vfio-pci 1 of 1\n"
     "0000:02:00.0 pci_0000_02_00_0 10de:1db6 nvidia node 1 ok\n"
     "  0000:02:00.0 " PCI "0000:02:00.0\n    x-1 (Uno) vfio-pci 2 of 2\n"
     "0000:03:00.0 pci_0000_03_00_0 10de:1111 nvidia node 1 ok\n"
     "  0000:03:00.0 " PCI "0000:03:00.0\n    x-1 (One) vfio-pci 3 of 3\n"},
};

static void reads_what_is_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *tree = tree_new();
        cases[i].make(tree);
        struct host *host = NULL;
        struct error err = {0};
        if (host_scan(tree, NULL, &host, &err) != 0)
            fail_msg("%s: %s", cases[i].what, err.text);
        char *text = text_of(host);
        if (strcmp(text, cases[i].expected) != 0)
            fail_msg("%s:\n%s-- instead of:\n%s--", cases[i].what, text,
                     cases[i].expected);
        free(text);
        host_free(host);
        tree_free(tree);
    }
}

static void is_in_the_order_of_the_bus(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "0000:10:00.0", "0000:1a:00.0", "0000:3d:00.0",  "0000:3d:00.1",
        "0000:b2:00.0", "0001:00:00.0", "10000:01:00.0", "mtty"};
    char *tree = tree_new();
    order_of_the_bus(tree);
    _cleanup_(host_freep) struct host *host = NULL;
    struct error err = {0};
    assert_ok(host_scan(tree, NULL, &host, &err), &err);
    assert_int_equal(host->gpu_count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < host->gpu_count; i++)
        assert_string_equal(host->gpus[i].name, expected[i]);
    tree_free(tree);
}

static void fails_where_nothing_is_known(void **state)
{
    (void)state;
    static const char *const lists[] = {"class/mdev_bus", "bus/pci/devices",
                                        "bus/mdev/devices"};
    struct host *host = NULL;
    struct error err = {0};
    assert_int_equal(host_scan("/nowhere/at/all", NULL, &host, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char *tree = tree_new();
        tree_write(tree, lists[i], "a file");
        assert_int_equal(host_scan(tree, NULL, &host, &err), -1);
        char *expected = xasprintf("%s: %s: Not a directory", tree, lists[i]);
        assert_string_equal(err.text, expected);
        free(expected);
        tree_free(tree);
    }
    assert_null(host);
}

/* Root may read everything, so a child becomes somebody else first. */
static void without_permission(const char *tree, const char *path, const char *expected)
{
    char *full = xasprintf("%s/%s", tree, path);
    if (chmod(tree, 0755) != 0 || chmod(full, 0) != 0)
        err(1, "%s", full);
    pid_t child = fork();
    if (child == 0) {
        struct host *host = NULL;
        struct error err = {0};
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
            _exit(3);
        int rc = host_scan(tree, NULL, &host, &err);
        char *text = rc == 0 ? text_of(host) : xstrdup(err.text);
        bool found = strstr(text, expected) != NULL;
        if (!found)
            fprintf(stderr, "%s: %s\n", path, text);
        free(text);
        host_free(host);
        _exit(found ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (chmod(full, 0755) != 0)
        err(1, "%s", full);
    free(full);
    assert_int_equal(status, 0);
}

static void says_what_it_may_not_read(void **state)
{
    (void)state;
    char *tree = tree_new();
    tree_parent(tree, A, one_type, 1);
    tree_parent(tree, PCI "0000:85:00.0", one_type, 1);
    without_permission(tree, A "/mdev_supported_types",
                       "unreadable: mdev_supported_types: Permission denied");
    without_permission(tree, A "/mdev_supported_types/nvidia-35/available_instances",
                       "unreadable: mdev_supported_types/nvidia-35/"
                       "available_instances: Permission denied");
    without_permission(tree, A "/config", "unreadable: config: Permission denied");
    without_permission(tree, A, "0000:84:00.0 pci_0000_84_00_0 0000:0000 unreadable: ");
    /* The other card is none the worse. */
    without_permission(tree, A,
                       "0000:85:00.0 pci_0000_85_00_0 10de:1db6 nvidia node 1 ok\n");
    without_permission(tree, "class/mdev_bus", "class/mdev_bus: Permission denied");
    tree_free(tree);
}

/* ---- while things come and go ---- */

static pid_t start(void (*run)(const char *tree), const char *tree)
{
    pid_t child = fork();
    if (child == 0) {
        /* A failing test must not leave it behind. */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        run(tree);
    }
    return child;
}

static void stop(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* Takes away and brings back, for ever: a card, a device and a type. */
static void stir(const char *tree) __attribute__((noreturn));
static void stir(const char *tree)
{
    for (;;) {
        tree_mdev(tree, A, UUID("1"), "nvidia-35", "1");
        tree_remove(tree, "class/mdev_bus/0000:85:00.0");
        tree_remove(tree, A "/" UUID("1") "/mdev_type");
        tree_remove(tree, PCI "0000:85:00.0");
        tree_remove(tree, "bus/mdev/devices/" UUID("1"));
        tree_remove(tree, A "/" UUID("1"));
        tree_parent(tree, PCI "0000:85:00.0", one_type, 1);
        tree_remove(tree, A "/mdev_supported_types/nvidia-36");
        tree_write(tree, A "/mdev_supported_types/nvidia-36/available_instances", "5");
    }
}

static void things_that_come_and_go_are_no_error(void **state)
{
    (void)state;
    char *tree = tree_new();
    tree_parent(tree, A, one_type, 1);
    tree_folder(tree, PCI "0000:85:00.0");
    pid_t child = start(stir, tree);
    for (int i = 0; i < 200; i++) {
        _cleanup_(host_freep) struct host *host = NULL;
        struct error err = {0};
        assert_ok(host_scan(tree, NULL, &host, &err), &err);
        const struct gpu *gpu = host_gpu(host, "0000:84:00.0");
        assert_non_null(gpu);
        if (gpu->health != GPU_OK)
            fail_msg("%s", gpu->health_reason);
        assert_non_null(gpu_type(gpu, "nvidia-35"));
        assert_true(gpu->parents[0].device_count <= 1);
    }
    stop(child);
    tree_free(tree);
}

#define AVAILABLE A "/mdev_supported_types/nvidia-35/available_instances"

/* Makes and removes devices as the kernel does: an instance is taken before the device
 * shows and given back after it went; no uuid comes twice. */
static void make_and_remove(const char *tree) __attribute__((noreturn));
static void make_and_remove(const char *tree)
{
    for (unsigned i = 0;; i++) {
        char uuid[UUID_TEXT_SIZE], *device, *link;
        snprintf(uuid, sizeof uuid, "00000000-0000-4000-8000-%012u", i);
        device = xasprintf(A "/%s", uuid);
        link = xasprintf("bus/mdev/devices/%s", uuid);
        tree_write(tree, AVAILABLE, "2\n");
        tree_mdev(tree, A, uuid, "nvidia-35", NULL);
        tree_remove(tree, link);
        tree_remove(tree, device);
        tree_write(tree, AVAILABLE, "3\n");
        free(link);
        free(device);
    }
}

static void never_shows_more_than_there_is(void **state)
{
    (void)state;
    char *tree = tree_new();
    /* Many types, so that much happens between the first look and the last. */
    for (int i = 0; i < 100; i++) {
        char id[16];
        snprintf(id, sizeof id, "nvidia-%d", i);
        const struct tree_type type = {id, NULL, NULL, 3};
        tree_parent(tree, A, &type, 1);
    }
    pid_t child = start(make_and_remove, tree);
    unsigned most = 0;
    for (int i = 0; i < 150; i++) {
        _cleanup_(host_freep) struct host *host = NULL;
        struct error err = {0};
        assert_ok(host_scan(tree, NULL, &host, &err), &err);
        unsigned capacity = gpu_capacity(&host->gpus[0], "nvidia-35");
        most = capacity > most ? capacity : most;
    }
    stop(child);
    assert_int_equal(most, 3);
    tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_there),
        cmocka_unit_test(is_in_the_order_of_the_bus),
        cmocka_unit_test(fails_where_nothing_is_known),
        cmocka_unit_test(says_what_it_may_not_read),
        cmocka_unit_test(things_that_come_and_go_are_no_error),
        cmocka_unit_test(never_shows_more_than_there_is),
    };
    return cmocka_run_group_tests_name("host_scan", tests, NULL, NULL);
}
