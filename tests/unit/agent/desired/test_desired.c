#include "tests/unit/test.h"

#include <string.h>

#include "agent/desired/desired.h"
#include "lib/xalloc.h"

#define ROOT "66666666-6666-4666-8666-666666666666"

static void add_type(struct parent *parent, const char *id, int available)
{
    struct device_type *type = array_add(parent->types, parent->type_count);
    type->id = xstrdup(id);
    type->available = available;
}

/* A card with two VFs, one without, one without a driver, and one that is not PCI. */
static struct host *example_host(void)
{
    struct host *host = xcalloc(1, sizeof *host);
    struct gpu *gpu = host_add_gpu(host, "0000:41:00.0");
    gpu->driver = xstrdup("nvidia");
    add_type(gpu_add_parent(gpu, "mdev", "0000:41:00.4"), "nvidia-700", 1);
    add_type(gpu_add_parent(gpu, "mdev", "0000:41:00.5"), "nvidia-700", 1);
    gpu = host_add_gpu(host, "0000:84:00.0");
    gpu->driver = xstrdup("nvidia");
    add_type(gpu_add_parent(gpu, "mdev", "0000:84:00.0"), "nvidia-35", 16);
    gpu = host_add_gpu(host, "0000:85:00.0");
    gpu = host_add_gpu(host, "mtty");
    gpu->driver = xstrdup("mtty");
    add_type(gpu_add_parent(gpu, "mdev", "mtty"), "mtty-2", 24);
    return host;
}

static struct mdev_type_config *configure(struct config *config, const char *name,
                                          const char *address)
{
    struct mdev_type_config *type = array_add(config->types, config->type_count);
    type->type = xstrdup(name);
    type->mdev_class = xstrdup("VGPU");
    if (address)
        strlist_add(&type->device_addresses, address);
    return type;
}

static const struct desired_provider *find(const struct desired_tree *tree,
                                           const char *name)
{
    for (size_t i = 0; i < tree->provider_count; i++)
        if (strcmp(tree->providers[i].name, name) == 0)
            return &tree->providers[i];
    return NULL;
}

static void identities_are_computed(void **state)
{
    (void)state;
    _cleanup_(host_freep) struct host *host = example_host();
    _cleanup_(config_freep) struct config *config = xcalloc(1, sizeof *config);
    configure(config, "nvidia-35", "0000:84:00.0");
    configure(config, "mtty-2", "mtty");
    _cleanup_(desired_tree_freep) struct desired_tree *tree =
        desired_tree_make(config, host, ROOT, "virtlab606.example");
    assert_int_equal(tree->provider_count, 2);
    const struct desired_provider *p =
        find(tree, "virtlab606.example_pci_0000_84_00_0");
    assert_non_null(p);
    /* Python: uuid.uuid5(uuid.UUID(ROOT), name) */
    assert_string_equal(p->uuid, "d80e798f-51ce-5ddf-a3d4-798eca0786b5");
    assert_int_equal(p->capacity, 16);
    assert_string_equal(p->resource_class, "VGPU");
    assert_null(p->sick);
    p = find(tree, "virtlab606.example_mtty_mtty");
    assert_non_null(p);
    assert_int_equal(p->capacity, 24);
    assert_string_equal(p->traits.items[0], "CUSTOM_MTTY_2");
    assert_int_equal(tree->problems.count, 0);
}

static void nova_mode_has_a_provider_for_each_parent(void **state)
{
    (void)state;
    _cleanup_(host_freep) struct host *host = example_host();
    _cleanup_(config_freep) struct config *config = xcalloc(1, sizeof *config);
    config->agent.mode = MODE_NOVA;
    configure(config, "nvidia-700", NULL);
    configure(config, "mtty-2", "mtty");
    _cleanup_(desired_tree_freep) struct desired_tree *tree =
        desired_tree_make(config, host, ROOT, "h");
    assert_int_equal(tree->provider_count, 3);
    const struct desired_provider *p = find(tree, "h_pci_0000_41_00_5");
    assert_non_null(p);
    assert_string_equal(p->gpu_name, "0000:41:00.0");
    assert_int_equal(p->view.parent_count, 1);
    assert_string_equal(p->view.parents[0].name, "0000:41:00.5");
    assert_int_equal(p->capacity, 1);
    assert_false(strlist_contains(&p->traits, "CUSTOM_OWNER_VGPU_AGENT"));
    assert_non_null(find(tree, "h_mtty_mtty"));
}

static void a_gpu_that_offers_nothing_is_sick_if_it_is_named(void **state)
{
    (void)state;
    _cleanup_(host_freep) struct host *host = example_host();
    _cleanup_(config_freep) struct config *config = xcalloc(1, sizeof *config);
    configure(config, "nvidia-35", "0000:85:00.0");
    _cleanup_(desired_tree_freep) struct desired_tree *tree =
        desired_tree_make(config, host, ROOT, "h");
    assert_int_equal(tree->provider_count, 1);
    assert_string_equal(tree->providers[0].sick, "no driver is bound to it");
    assert_int_equal(tree->providers[0].capacity, 0);
}

static void what_other_functions_carry_is_not_there(void **state)
{
    (void)state;
    _cleanup_(host_freep) struct host *host = example_host();
    struct gpu *gpu = (struct gpu *)host_gpu(host, "0000:41:00.0");
    add_type(gpu_add_parent(gpu, "mdev", "0000:41:00.6"), "nvidia-700", 0);
    for (size_t i = 0; i < gpu->parent_count; i++)
        gpu->parents[i].types[0].attributes.max_instance = 2;
    parent_add_device(&gpu->parents[2], "")->type_id = xstrdup("nvidia-700");
    _cleanup_(config_freep) struct config *config = xcalloc(1, sizeof *config);
    struct mdev_type_config *type = configure(config, "nvidia-700", "0000:41:00.4");
    strlist_add(&type->device_addresses, "0000:41:00.5");
    for (int mode = MODE_OWNER; mode <= MODE_NOVA; mode++) {
        config->agent.mode = mode;
        _cleanup_(desired_tree_freep) struct desired_tree *tree =
            desired_tree_make(config, host, ROOT, "h");
        assert_int_equal(tree->providers[0].capacity, 1);
        assert_int_equal(tree->provider_count, mode == MODE_OWNER ? 1 : 2);
    }
}

static void a_gpu_whose_driver_names_no_types_is_sick(void **state)
{
    (void)state;
    _cleanup_(host_freep) struct host *host = example_host();
    _cleanup_(config_freep) struct config *config = xcalloc(1, sizeof *config);
    configure(config, "nvidia-35", "0000:85:00.0");
    gpu_add_parent((struct gpu *)host_gpu(host, "0000:85:00.0"), "mdev",
                   "0000:85:00.0");
    _cleanup_(desired_tree_freep) struct desired_tree *tree =
        desired_tree_make(config, host, ROOT, "h");
    assert_int_equal(tree->provider_count, 1);
    assert_string_equal(tree->providers[0].sick,
                        "its driver has not named any types (yet)");
    assert_int_equal(tree->problems.count, 0);
}

/* A card whose virtual functions are not enabled yet keeps its configured provider, and
 * is not retired. */
static void a_card_waits_for_its_functions(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        unsigned enabled;
        bool waits;
    } cases[] = {
        {"0000:85:00.4", 0, true},  {"0000:85:02.3", 0, true},
        {"0000:85:00.4", 4, false}, {"0000:86:00.4", 0, false},
        {"0000:84:00.0", 0, false}, {"mtty", 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_(host_freep) struct host *host = example_host();
        struct gpu *gpu = (struct gpu *)host_gpu(host, "0000:85:00.0");
        gpu->driver = xstrdup("nvidia");
        gpu->vf_total = 16;
        gpu->vf_enabled = cases[i].enabled;
        _cleanup_(config_freep) struct config *config = xcalloc(1, sizeof *config);
        configure(config, "nvidia-35", cases[i].address);
        _cleanup_(desired_tree_freep) struct desired_tree *tree =
            desired_tree_make(config, host, ROOT, "h");
        const struct desired_provider *p = find(tree, "h_pci_0000_85_00_0");
        assert_int_equal(p != NULL, cases[i].waits);
        if (p)
            assert_string_equal(p->sick, "none of its 16 virtual functions is enabled");
    }
}

/* GPUs that offer types are unused, and the configuration does not say that this is
 * intended. */
static void nothing_enabled_is_a_problem_where_gpus_could_be_cut(void **state)
{
    (void)state;
    _cleanup_(host_freep) struct host *host = example_host();
    _cleanup_(host_freep) struct host *bare = xcalloc(1, sizeof *bare);
    host_add_gpu(bare, "0000:0b:00.0");
    _cleanup_(config_freep) struct config *config = xcalloc(1, sizeof *config);
    _cleanup_(desired_tree_freep) struct desired_tree *tree =
        desired_tree_make(config, host, ROOT, "h");
    assert_int_equal(tree->problems.count, 1);
    assert_non_null(strstr(tree->problems.items[0], "no type is enabled"));
    assert_non_null(strstr(tree->problems.items[0], "0000:84:00.0"));
    assert_null(strstr(tree->problems.items[0], "0000:85:00.0"));
    assert_null(desired_nothing_enabled(config, bare));
    configure(config, "nvidia-35", NULL);
    assert_null(desired_nothing_enabled(config, host));
}

static void only_the_first_default_counts(void **state)
{
    (void)state;
    _cleanup_(host_freep) struct host *host = example_host();
    _cleanup_(config_freep) struct config *config = xcalloc(1, sizeof *config);
    configure(config, "nvidia-35", NULL);
    configure(config, "nvidia-700", NULL);
    _cleanup_(desired_tree_freep) struct desired_tree *tree =
        desired_tree_make(config, host, ROOT, "h");
    assert_int_equal(tree->provider_count, 1);
    assert_non_null(find(tree, "h_pci_0000_84_00_0"));
}

static void a_name_too_long_for_placement_is_a_problem(void **state)
{
    (void)state;
    _cleanup_(host_freep) struct host *host = example_host();
    _cleanup_(config_freep) struct config *config = xcalloc(1, sizeof *config);
    configure(config, "nvidia-35", NULL);
    char root[201] = {0};
    memset(root, 'r', 200 - strlen("_pci_0000_84_00_0"));
    _cleanup_(desired_tree_freep) struct desired_tree *fits =
        desired_tree_make(config, host, ROOT, root);
    assert_int_equal(fits->provider_count, 1);
    assert_int_equal(strlen(fits->providers[0].name), 200);
    root[strlen(root)] = 'r';
    _cleanup_(desired_tree_freep) struct desired_tree *tree =
        desired_tree_make(config, host, ROOT, root);
    assert_int_equal(tree->provider_count, 0);
    assert_int_equal(tree->problems.count, 1);
    assert_non_null(strstr(tree->problems.items[0], "is longer than the 200"));
}

static void traits_of_all_are_asked_about_once(void **state)
{
    (void)state;
    _cleanup_(host_freep) struct host *host = example_host();
    _cleanup_(config_freep) struct config *config = xcalloc(1, sizeof *config);
    strlist_add(&configure(config, "nvidia-35", NULL)->traits, "CUSTOM_SITE");
    strlist_add(&configure(config, "mtty-2", "mtty")->traits, "CUSTOM_SITE");
    _cleanup_(desired_tree_freep) struct desired_tree *tree =
        desired_tree_make(config, host, ROOT, "h");
    _cleanup_strlist_ struct strlist traits = desired_traits(tree);
    _cleanup_free_ char *all = strlist_join(&traits, " ");
    assert_string_equal(all, "CUSTOM_MTTY_2 CUSTOM_NVIDIA_35 CUSTOM_OWNER_VGPU_AGENT "
                             "CUSTOM_SITE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identities_are_computed),
        cmocka_unit_test(nova_mode_has_a_provider_for_each_parent),
        cmocka_unit_test(a_gpu_that_offers_nothing_is_sick_if_it_is_named),
        cmocka_unit_test(what_other_functions_carry_is_not_there),
        cmocka_unit_test(a_gpu_whose_driver_names_no_types_is_sick),
        cmocka_unit_test(a_card_waits_for_its_functions),
        cmocka_unit_test(nothing_enabled_is_a_problem_where_gpus_could_be_cut),
        cmocka_unit_test(only_the_first_default_counts),
        cmocka_unit_test(a_name_too_long_for_placement_is_a_problem),
        cmocka_unit_test(traits_of_all_are_asked_about_once),
    };
    return cmocka_run_group_tests_name("desired", tests, NULL, NULL);
}
