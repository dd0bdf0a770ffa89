#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend/nvidia_vfio.h"
#include "agent/backend/nvidia_vfio_files.h"
#include "agent/backend/nvidia_vfio_scan.h"
#include "agent/backend/scan.h"
#include "agent/backend/vgpu_params.h"
#include "agent/host/capacity.h"
#include "agent/state/known_types.h"
#include "lib/xalloc.h"
#include "tests/unit/tree.h"

#define BUS "devices/pci0000:40/"
#define PF "0000:41:00.0"
#define VF_1 "0000:41:00.4"
#define VF_2 "0000:41:00.5"
#define VF_3 "0000:41:00.6"
#define LIST                                                                      \
    "ID    : vGPU Name\n1147  : NVIDIA L40S-1Q\n1152  : NVIDIA L40S-8Q\n1156  : " \
    "NVIDIA L40S-48Q\n"
#define ONLY_8Q "ID    : vGPU Name\n1152  : NVIDIA L40S-8Q\n"
#define FULL "ID    : vGPU Name\n"
#define CONSUMER "00000000-0000-4000-8000-0000000000c1"
#define STRANGER "00000000-0000-4000-8000-0000000000c9"
#define UUID "4b20d080-1b54-4048-85b3-a6a62d165c01"

/* ---- a tree that stands for the host ---- */

static void set_function(const char *tree, const char *function, const char *current,
                         const char *creatable)
{
    _cleanup_free_ char *type = xasprintf(BUS "%s/" VGPU_CURRENT, function);
    _cleanup_free_ char *list = xasprintf(BUS "%s/" VGPU_CREATABLE, function);
    tree_write(tree, type, current);
    tree_write(tree, list, creatable);
}

static char *new_host(void)
{
    static const char *const functions[] = {VF_1, VF_2, VF_3};
    char *tree = tree_new();
    tree_proc(tree);
    tree_folder(tree, USE_DEFINED);
    tree_folder(tree, USE_RUNNING);
    tree_card(tree, BUS PF, "0x030200\n");
    tree_write(tree, BUS PF "/sriov_totalvfs", "32\n");
    tree_write(tree, BUS PF "/sriov_numvfs", "3\n");
    tree_functions(tree, BUS PF, functions, 3, "0x030200\n");
    for (size_t i = 0; i < 3; i++) {
        _cleanup_free_ char *node =
            xasprintf(BUS "%s/vfio-dev/vfio%zu", functions[i], i);
        tree_folder(tree, node);
        set_function(tree, functions[i], "0\n", LIST);
    }
    return tree;
}

static struct host *scan(const char *tree)
{
    struct host *host = NULL;
    struct error err = {0};
    assert_ok(host_scan(tree, NULL, &host, &err), &err);
    return host;
}

static void name_in_domain(const char *tree, const char *domain, const char *function)
{
    _cleanup_free_ char *path = xasprintf(USE_DEFINED "/%s.xml", domain);
    _cleanup_free_ char *xml = xasprintf(
        "<domain><uuid>%s</uuid><devices><hostdev type='pci'><source><address "
        "domain='0x0000' bus='0x41' slot='0x00' function='0x%c'/></source></hostdev>"
        "</devices></domain>",
        domain, function[11]);
    tree_write(tree, path, xml);
}

static void open_node(const char *tree, const char *node)
{
    tree_link(tree, "proc/42/fd/7", node);
}

static void assert_current(const char *tree, const char *function, const char *expected)
{
    _cleanup_free_ char *path = xasprintf(BUS "%s/" VGPU_CURRENT, function);
    _cleanup_free_ char *text = tree_read(tree, path);
    text[strcspn(text, "\n")] = 0;
    assert_string_equal(text, expected);
}

/* ---- the scan ---- */

static void functions_are_the_parents(void **state)
{
    (void)state;
    char *tree = new_host();
    set_function(tree, VF_1, "1152\n", "");
    set_function(tree, VF_2, "0\n", ONLY_8Q);
    set_function(tree, VF_3, "0\n", ONLY_8Q);
    struct host *host = scan(tree);
    const struct gpu *gpu = host_gpu(host, PF);
    assert_int_equal(gpu->parent_count, 3);
    const struct parent *parent;
    const struct device *device = host_device(host, VF_1, NULL, &parent);
    assert_string_equal(device->backend, "nvidia_vfio");
    assert_string_equal(device->uuid, "");
    assert_string_equal(device->type_id, "nvidia-1152");
    assert_string_equal(device->nodes.items[0], "/dev/vfio/70");
    assert_string_equal(device->nodes.items[1], "/dev/vfio/devices/vfio0");
    assert_string_equal(parent->name, VF_1);
    assert_string_equal(parent->path, BUS VF_1);
    assert_int_equal(parent_type(parent, "nvidia-1152")->available, 0);
    assert_string_equal(parent_type(parent, "nvidia-1152")->name, "NVIDIA L40S-8Q");
    /* As far as this look knows, the card has 8 GB; and another one is listed. */
    assert_int_equal(gpu_capacity(gpu, "nvidia-1152"), 2);
    assert_true(backend_is_address(host, VF_2));
    assert_false(backend_is_address(host, PF));
    host_free(host);
    tree_free(tree);
}

static void capacity_is_the_memorys(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        unsigned capacity, most;
    } cases[] = {
        /* by the functions, by the memory */
        {"nvidia-1147", 3, 48},
        {"nvidia-1152", 3, 6},
        {"nvidia-1156", 1, 1},
    };
    char *tree = new_host();
    struct host *host = scan(tree);
    const struct gpu *gpu = host_gpu(host, PF);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(gpu_capacity(gpu, cases[i].id), cases[i].capacity);
        assert_int_equal(gpu_type(gpu, cases[i].id)->attributes.max_instance,
                         cases[i].most);
    }
    assert_ptr_equal(gpu_resolve_type(gpu, "1152"), gpu_type(gpu, "nvidia-1152"));
    assert_ptr_equal(gpu_resolve_type(gpu, "NVIDIA L40S-8Q"),
                     gpu_type(gpu, "nvidia-1152"));
    assert_null(gpu_resolve_type(gpu, "152"));
    host_free(host);
    tree_free(tree);
}

static void framebuffers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned size;
    } cases[] = {
        {"NVIDIA L40S-48Q", 49152},
        {"NVIDIA RTX Pro 6000 Blackwell DC-48C", 49152},
        {"NVIDIA RTX6000-Ada-2B", 2048},
        {"GRID M10-0B", 512},
        {"GRID A100-1-5C", 0},
        {"GRID A100-1-5CME", 0},
        {"NVIDIA RTX Pro 6000 Blackwell DC-1-24Q", 0},
        {"GRID A100D-80C", 81920},
        {"NVIDIA L40S", 0},
        {"NVIDIA L40S-", 0},
        {"NVIDIA L40S-48", 0},
        {"NVIDIA L40S-Q", 0},
        {"NVIDIA L40S-4q", 0},
        {"NVIDIA L40S-99999Q", 0},
        {"-1Q", 1024},
        {"", 0},
        {NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (nvidia_vfio_framebuffer(cases[i].name) != cases[i].size)
            fail_msg("%s: %u", cases[i].name, nvidia_vfio_framebuffer(cases[i].name));
}

static void names_are_remembered(void **state)
{
    (void)state;
    char *tree = new_host();
    struct journal *journal = journal_new();
    struct host *host = scan(tree);
    assert_true(known_types_note(journal, host));
    assert_false(known_types_note(journal, host));
    assert_int_equal(journal->type_count, 3);
    host_free(host);
    for (unsigned i = 0; i < 3; i++)
        set_function(tree, (const char *[]){VF_1, VF_2, VF_3}[i], "1152\n", FULL);
    host = scan(tree);
    assert_null(gpu_type(host_gpu(host, PF), "nvidia-1152")->name);
    assert_null(gpu_type(host_gpu(host, PF), "nvidia-1156"));
    assert_false(known_types_note(journal, host));
    known_types_put(journal, host);
    const struct device_type *type = gpu_type(host_gpu(host, PF), "nvidia-1152");
    assert_string_equal(type->name, "NVIDIA L40S-8Q");
    assert_int_equal(type->attributes.max_instance, 6);
    assert_int_equal(gpu_capacity(host_gpu(host, PF), "nvidia-1152"), 3);
    assert_int_equal(gpu_capacity(host_gpu(host, PF), "nvidia-1156"), 0);
    /* Another driver calls another type so: nothing of the former one is believed. */
    host_free(host);
    set_function(tree, VF_1, "0\n", "1152 : NVIDIA L40S-2Q\n");
    host = scan(tree);
    assert_true(known_types_note(journal, host));
    assert_int_equal(journal->type_count, 1);
    host_free(host);
    /* Or the same type by another number: the name is only one type's. */
    set_function(tree, VF_1, "0\n", "2152 : NVIDIA L40S-2Q\n");
    host = scan(tree);
    assert_true(known_types_note(journal, host));
    assert_false(known_types_note(journal, host));
    assert_int_equal(journal->type_count, 1);
    assert_string_equal(journal->types[0].id, "nvidia-2152");
    host_free(host);
    journal_free(journal);
    tree_free(tree);
}

static void what_cannot_be_read_makes_the_card_unreadable(void **state)
{
    (void)state;
    static const char *const contents[] = {"", "none\n"};
    for (size_t i = 0; i < 2; i++) {
        char *tree = new_host();
        set_function(tree, VF_2, contents[i], LIST);
        struct host *host = scan(tree);
        assert_int_equal(host_gpu(host, PF)->health, GPU_UNREADABLE);
        host_free(host);
        tree_free(tree);
    }
}

static void functions_that_offer_mdevs_are_another_kinds(void **state)
{
    (void)state;
    char *tree = new_host();
    tree_folder(tree, BUS VF_1 "/mdev_supported_types");
    struct host *host = scan(tree);
    assert_int_equal(host_gpu(host, PF)->parent_count, 2);
    host_free(host);
    tree_folder(tree, BUS PF "/mdev_supported_types");
    host = scan(tree);
    assert_int_equal(host_gpu(host, PF)->parent_count, 0);
    host_free(host);
    tree_free(tree);
}

static void cards_that_offer_nothing(void **state)
{
    (void)state;
    struct host *host = xcalloc(1, sizeof *host);
    struct gpu *gpu = host_add_gpu(host, PF);
    gpu->driver = xstrdup("nvidia");
    gpu->vf_total = 32;
    assert_null(backend_nvidia_vfio.obstacle(gpu));
    gpu->vf_enabled = 32;
    _cleanup_free_ char *obstacle = gpu_obstacle(gpu), *remedy = gpu_remedy(gpu);
    assert_non_null(strstr(obstacle, "types of its 32 virtual functions"));
    assert_non_null(strstr(remedy, "nvidia-vgpu-vfio"));
    gpu_add_parent(gpu, NVIDIA_VFIO_NAME, VF_1);
    _cleanup_free_ char *empty = gpu_obstacle(gpu);
    assert_string_equal(empty, "its virtual functions list no types (yet)");
    host_free(host);
}

/* ---- changes ---- */

static const struct device_spec spec = {.uuid = UUID,
                                        .address = VF_1,
                                        .gpu = PF,
                                        .parent = VF_1,
                                        .type_id = "nvidia-1152",
                                        .consumer = CONSUMER};

static struct device_place place_of(const char *tree)
{
    return (struct device_place){tree, {tree, USE_DEFINED, USE_RUNNING, false}};
}

static enum error_code create(const char *tree, bool *existed)
{
    struct device_place place = place_of(tree);
    char address[DEVICE_ADDRESS_SIZE];
    struct error err = {0};
    if (backend_nvidia_vfio.create(&place, &spec, address, existed, &err) != 0)
        return err.code;
    assert_string_equal(address, VF_1);
    return ERROR_NONE;
}

static enum error_code end(const char *tree)
{
    struct device_place place = place_of(tree);
    struct error err = {0};
    return backend_nvidia_vfio.remove(&place, &spec, &err) == 0 ? ERROR_NONE : err.code;
}

static void is_made_and_ended(void **state)
{
    (void)state;
    char *tree = new_host();
    bool existed = true;
    assert_int_equal(create(tree, &existed), ERROR_NONE);
    assert_false(existed);
    assert_current(tree, VF_1, "1152");
    assert_int_equal(end(tree), ERROR_NONE);
    /* A plain file keeps what was not written over. */
    assert_current(tree, VF_1, "0152");
    set_function(tree, VF_1, "0\n", LIST);
    assert_int_equal(end(tree), ERROR_NONE);
    assert_current(tree, VF_1, "0");
    tree_remove(tree, BUS VF_1);
    assert_int_equal(end(tree), ERROR_NONE);
    assert_int_equal(create(tree, &existed), ERROR_NOT_FOUND);
    tree_free(tree);
}

static void a_function_with_a_type_is_anothers(void **state)
{
    (void)state;
    char *tree = new_host();
    bool existed;
    set_function(tree, VF_1, "1147\n", "");
    assert_int_equal(create(tree, &existed), ERROR_EXISTS);
    assert_int_equal(end(tree), ERROR_NONE);
    assert_current(tree, VF_1, "1147");
    set_function(tree, VF_1, "1152\n", "");
    assert_int_equal(create(tree, &existed), ERROR_EXISTS);
    /* Unless its consumer's guest was promised this function. */
    name_in_domain(tree, CONSUMER, VF_1);
    assert_int_equal(create(tree, &existed), ERROR_NONE);
    assert_true(existed);
    name_in_domain(tree, STRANGER, VF_1);
    assert_int_equal(create(tree, &existed), ERROR_EXISTS);
    tree_free(tree);
}

static void nothing_is_written_that_somebody_has(void **state)
{
    (void)state;
    static const char *const nodes[] = {"/dev/vfio/70", "/dev/vfio/devices/vfio0"};
    for (size_t i = 0; i < 4; i++) {
        char *tree = new_host();
        bool existed;
        if (i < 2)
            open_node(tree, nodes[i]);
        else if (i == 2)
            name_in_domain(tree, STRANGER, VF_1);
        else
            tree_remove(tree, USE_DEFINED);
        assert_int_equal(create(tree, &existed), ERROR_BUSY);
        assert_current(tree, VF_1, "0");
        set_function(tree, VF_1, "1152\n", "");
        assert_int_equal(end(tree), ERROR_BUSY);
        assert_current(tree, VF_1, "1152");
        tree_free(tree);
    }
}

static void a_guests_own_function_is_made_again_and_not_ended(void **state)
{
    (void)state;
    char *tree = new_host();
    bool existed;
    name_in_domain(tree, CONSUMER, VF_1);
    assert_int_equal(create(tree, &existed), ERROR_NONE);
    assert_current(tree, VF_1, "1152");
    assert_int_equal(end(tree), ERROR_BUSY);
    assert_current(tree, VF_1, "1152");
    tree_free(tree);
}

static void a_card_that_is_not_in_sriov_mode_is_not_written(void **state)
{
    (void)state;
    char *tree = new_host();
    bool existed;
    tree_folder(tree, BUS VF_3 "/mdev_supported_types");
    assert_int_equal(create(tree, &existed), ERROR_FORBIDDEN);
    assert_current(tree, VF_1, "0");
    set_function(tree, VF_1, "1152\n", "");
    assert_int_equal(end(tree), ERROR_FORBIDDEN);
    assert_current(tree, VF_1, "1152");
    tree_free(tree);
}

static void parameters_are_cleared(void **state)
{
    (void)state;
    char *tree = new_host();
    struct device_place place = place_of(tree);
    struct error err = {0};
    /* It may have become somebody else's. */
    assert_int_equal(backend_nvidia_vfio.clear(&place, &spec, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    set_function(tree, VF_1, "1152\n", "");
    assert_ok(backend_nvidia_vfio.clear(&place, &spec, &err), &err);
    tree_write(tree, BUS VF_1 "/" VGPU_PARAMETERS, "a");
    assert_ok(backend_nvidia_vfio.clear(&place, &spec, &err), &err);
    _cleanup_free_ char *text = tree_read(tree, BUS VF_1 "/" VGPU_PARAMETERS);
    assert_string_equal(text, " ");
    open_node(tree, "/dev/vfio/70");
    assert_int_equal(backend_nvidia_vfio.clear(&place, &spec, &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    tree_free(tree);
}

/* The next one may have given the function to another consumer. */
static void nothing_is_written_for_an_agent_that_has_ended(void **state)
{
    (void)state;
    char *tree = new_host(), address[DEVICE_ADDRESS_SIZE];
    struct device_place place = place_of(tree);
    struct device_spec device = spec;
    struct error err = {0};
    bool existed;
    place.agent = getpid();
    assert_int_equal(
        backend_nvidia_vfio.create(&place, &device, address, &existed, &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    assert_current(tree, VF_1, "0");
    set_function(tree, VF_1, "1152\n", "");
    tree_write(tree, BUS VF_1 "/" VGPU_PARAMETERS, "a=1");
    device.parameters = "a=2";
    assert_int_equal(backend_nvidia_vfio.clear(&place, &device, &err), -1);
    assert_int_equal(backend_nvidia_vfio.set_parameters(&place, &device, &err), -1);
    assert_int_equal(backend_nvidia_vfio.remove(&place, &device, &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    assert_current(tree, VF_1, "1152");
    _cleanup_free_ char *text = tree_read(tree, BUS VF_1 "/" VGPU_PARAMETERS);
    assert_string_equal(text, "a=1");
    tree_free(tree);
}

static void parameters_are_set_before_a_guest_has_it(void **state)
{
    (void)state;
    char *tree = new_host();
    struct device_place place = place_of(tree);
    struct device_spec device = spec;
    struct error err = {0};
    device.parameters = "a=1";
    set_function(tree, VF_1, "1152\n", "");
    tree_write(tree, BUS VF_1 "/" VGPU_PARAMETERS, "");
    name_in_domain(tree, STRANGER, VF_1);
    assert_ok(backend_nvidia_vfio.set_parameters(&place, &device, &err), &err);
    device.parameters = "a=2";
    open_node(tree, "/dev/vfio/70");
    assert_int_equal(backend_nvidia_vfio.set_parameters(&place, &device, &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    _cleanup_free_ char *text = tree_read(tree, BUS VF_1 "/" VGPU_PARAMETERS);
    assert_string_equal(text, "a=1");
    tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_written_for_an_agent_that_has_ended),
        cmocka_unit_test(parameters_are_set_before_a_guest_has_it),
        cmocka_unit_test(functions_are_the_parents),
        cmocka_unit_test(capacity_is_the_memorys),
        cmocka_unit_test(framebuffers),
        cmocka_unit_test(names_are_remembered),
        cmocka_unit_test(what_cannot_be_read_makes_the_card_unreadable),
        cmocka_unit_test(functions_that_offer_mdevs_are_another_kinds),
        cmocka_unit_test(cards_that_offer_nothing),
        cmocka_unit_test(is_made_and_ended),
        cmocka_unit_test(a_function_with_a_type_is_anothers),
        cmocka_unit_test(nothing_is_written_that_somebody_has),
        cmocka_unit_test(a_guests_own_function_is_made_again_and_not_ended),
        cmocka_unit_test(a_card_that_is_not_in_sriov_mode_is_not_written),
        cmocka_unit_test(parameters_are_cleared),
    };
    return cmocka_run_group_tests_name("nvidia_vfio", tests, NULL, NULL);
}
