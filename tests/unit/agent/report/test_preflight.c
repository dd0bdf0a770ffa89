/* preflight: the rules as a table, each line one observation changed on a host that is
 * well; and the reader on a folder tree. */
#include "agent/report/preflight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/report/preflight_look.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

#define CARD "0000:84:00.0"
#define NVIDIA 0x10de
#define STATE_FILE \
    (char[])       \
    {              \
        "/x/y"     \
    }

static struct host *make_host(void)
{
    struct host *host = xcalloc(1, sizeof *host);
    struct gpu *gpu = host_add_gpu(host, CARD);
    gpu->is_pci = true;
    gpu->vendor = NVIDIA;
    gpu->driver = xstrdup("nvidia");
    struct parent *parent = gpu_add_parent(gpu, "mdev", CARD);
    *array_add(parent->types, parent->type_count) =
        (struct device_type){.id = xstrdup("nvidia-35"), .available = 1};
    return host;
}

/* A host on which nothing is missing and nothing is unseen. */
static struct preflight_seen make_seen(const struct config *config,
                                       const struct host *host)
{
    struct preflight_seen seen = {.config = config,
                                  .host = host,
                                  .command_line = xstrdup("quiet intel_iommu=on"),
                                  .iommu_units = 2,
                                  .grouped_gpus = 1,
                                  .vfio = PRESENT,
                                  .vfio_type1 = PRESENT,
                                  .vfio_node = PRESENT,
                                  .vfio_node_mode = xstrdup("0666"),
                                  .lockdown = xstrdup("none"),
                                  .mdevctl = PRESENT,
                                  .user = xstrdup("vgpu-agent"),
                                  .files = 1,
                                  .libvirt = {.looked = true, .wanted = true}};
    *array_add(seen.vendors, seen.vendor_count) = (struct preflight_vendor){
        .vendor = vendor_find(NVIDIA), .rival = ABSENT, .daemons = {PRESENT, PRESENT}};
    return seen;
}

static void set_text(char **member, const char *text)
{
    free(*member);
    *member = xstrdup(text);
}

struct change {
    struct host *host;
    struct config *config;
    struct preflight_seen *seen;
};

static void no_types(const struct change *on)
{
    struct parent *parent = &on->host->gpus[0].parents[0];
    free(parent->types[0].id);
    parent->type_count = 0;
}

static void no_gpu(const struct change *on)
{
    on->host->gpus[0].vendor = 0x1a03;
    no_types(on);
}

static void unreadable(const struct change *on)
{
    on->host->gpus[0].health = GPU_UNREADABLE;
    set_text(&on->host->gpus[0].health_reason, "it hangs");
}

static void no_driver(const struct change *on)
{
    no_types(on);
    set_text(&on->host->gpus[0].driver, NULL);
}

static void rival_bound(const struct change *on)
{
    no_types(on);
    set_text(&on->host->gpus[0].driver, "nouveau");
}

static void no_functions(const struct change *on)
{
    on->host->gpus[0].vf_total = 16;
}

/* The agent enables them, with the first device. */
static void functions_of_xe(const struct change *on)
{
    on->host->gpus[0].vf_total = 7;
    on->seen->vfio_pci = PRESENT;
    (void)snprintf(on->host->gpus[0].parents[0].backend, BACKEND_NAME_SIZE, "xe_vf");
}

static void configure(const struct change *on, const char *address)
{
    struct mdev_type_config *type =
        array_add(on->config->types, on->config->type_count);
    *type = (struct mdev_type_config){.type = xstrdup("nvidia-35")};
    strlist_add(&type->device_addresses, address);
}

/* Another card has what the files want. */
static void no_types_unconfigured(const struct change *on)
{
    no_types(on);
    struct gpu *gpu = host_add_gpu(on->host, "0000:85:00.0");
    gpu->is_pci = true;
    configure(on, "0000:85:00.0");
}

static void no_types_configured(const struct change *on)
{
    no_types(on);
    configure(on, CARD);
}

static void functions_named(const struct change *on)
{
    no_functions(on);
    configure(on, "0000:84:00.4");
}

static void ungrouped(const struct change *on)
{
    on->seen->grouped_gpus = 0;
    on->host->gpus[0].vf_total = on->host->gpus[0].vf_enabled = 16;
}

static void no_iommu(const struct change *on)
{
    ungrouped(on);
    on->seen->iommu_units = 0;
}

static void iommu_unseen(const struct change *on)
{
    ungrouped(on);
    on->seen->iommu_units = -1;
}

static void iommu_not_needed(const struct change *on)
{
    on->seen->grouped_gpus = 0;
    on->seen->iommu_units = 0;
}

static void no_vfio(const struct change *on)
{
    on->seen->vfio = ABSENT;
}

/* A card that goes to guests whole, before its driver is there. */
static void whole_card(const struct change *on)
{
    gpu_add_parent(&on->host->gpus[0], "passthrough", "0000:84:00.1");
    on->seen->vfio_pci = ABSENT;
    on->seen->vfio_pci_module = PRESENT;
}

static void whole_card_bound(const struct change *on)
{
    whole_card(on);
    on->seen->vfio_pci = PRESENT;
}

static void whole_card_unseen(const struct change *on)
{
    whole_card(on);
    on->seen->vfio_pci = UNSEEN;
}

static void whole_card_refused(const struct change *on)
{
    whole_card_bound(on);
    on->seen->refused = 1;
    set_text(&on->seen->refused_file, "bus/pci/drivers_probe");
    on->seen->right = "root's";
}

static void functions_for_libvirt(const struct change *on)
{
    gpu_add_parent(&on->host->gpus[0], "fixed_vf", "0000:84:00.1");
    on->seen->vfio_pci = ABSENT;
    on->seen->vfio_pci_module = PRESENT;
}

static void functions_without_a_module(const struct change *on)
{
    functions_for_libvirt(on);
    on->seen->vfio_pci_module = ABSENT;
}

static void functions_and_modules_unseen(const struct change *on)
{
    functions_for_libvirt(on);
    on->seen->vfio_pci_module = UNSEEN;
}

static void modules_unseen(const struct change *on)
{
    on->seen->vfio_type1 = UNSEEN;
}

static void no_node(const struct change *on)
{
    on->seen->vfio_node = ABSENT;
}

static void locked_down(const struct change *on)
{
    set_text(&on->seen->lockdown, "integrity");
}

static void locked_out(const struct change *on)
{
    locked_down(on);
    no_driver(on);
}

static void lockdown_unseen(const struct change *on)
{
    set_text(&on->seen->lockdown, NULL);
}

static void rival_loaded(const struct change *on)
{
    on->seen->vendors[0].rival = PRESENT;
}

static void rival_unseen(const struct change *on)
{
    on->seen->vendors[0].rival = UNSEEN;
}

static void starter_ended(const struct change *on)
{
    on->seen->vendors[0].daemons[0] = ABSENT;
}

static void starter_never_ran(const struct change *on)
{
    starter_ended(on);
    no_types(on);
}

static void no_manager(const struct change *on)
{
    on->seen->vendors[0].daemons[1] = ABSENT;
}

static void manager_unseen(const struct change *on)
{
    on->seen->vendors[0].daemons[1] = UNSEEN;
}

static void partitions_unseen(const struct change *on)
{
    on->seen->vendors[0].partitions = -1;
}

static void refused(const struct change *on)
{
    on->seen->refused = 1;
    set_text(&on->seen->refused_file, "devices/x/create");
}

static void rights_unseen(const struct change *on)
{
    set_text(&on->seen->unseen_file, "devices/x/create");
}

static void user_unseen(const struct change *on)
{
    set_text(&on->seen->user, NULL);
}

static void no_mdevctl(const struct change *on)
{
    on->seen->mdevctl = ABSENT;
}

static void no_mdevctl_for_nova(const struct change *on)
{
    no_mdevctl(on);
    on->config->agent.mode = MODE_NOVA;
}

static void mdevctl_unseen_for_nova(const struct change *on)
{
    no_mdevctl_for_nova(on);
    on->seen->mdevctl = UNSEEN;
}

static void no_socket(const struct change *on)
{
    set_text(&on->seen->libvirt.obstacle, "no socket");
}

static void no_libvirt(const struct change *on)
{
    no_socket(on);
    on->seen->libvirt.wanted = false;
}

static void nothing(const struct change *on)
{
    (void)on;
}

#define CHECK_NONE ""

static const struct {
    void (*change)(const struct change *on);
    const char *check; /* the first item of that name; "": every item is ok */
    enum preflight_state state;
    const char *found; /* how its text begins */
    bool told;         /* check-config says it as well */
} cases[] = {
    {nothing, CHECK_NONE, PREFLIGHT_OK, "", false},
    {no_gpu, "gpu", PREFLIGHT_MISSING, "this host has no GPU", false},
    {unreadable, "gpu", PREFLIGHT_UNKNOWN, CARD " is unreadable: it hangs", false},
    {no_driver, "driver", PREFLIGHT_MISSING, CARD ": no driver is bound", false},
    {rival_bound, "driver", PREFLIGHT_MISSING, CARD ": the driver nouveau is", false},
    {rival_bound, "nouveau", PREFLIGHT_MISSING, "it is bound to " CARD, true},
    {no_functions, "virtual functions", PREFLIGHT_MISSING,
     CARD ": none of its 16 virtual functions", false},
    {functions_of_xe, CHECK_NONE, PREFLIGHT_OK, "", false},
    {functions_named, "virtual functions", PREFLIGHT_MISSING,
     CARD ": none of its 16 virtual functions", false},
    {no_types, "kind", PREFLIGHT_MISSING, CARD ": its driver has not named", false},
    {no_types_configured, "kind", PREFLIGHT_MISSING, CARD ": its driver has not named",
     false},
    {no_types_unconfigured, CHECK_NONE, PREFLIGHT_OK, "", false},
    {ungrouped, "iommu", PREFLIGHT_MISSING, "the kernel has an IOMMU, but", true},
    {no_iommu, "iommu", PREFLIGHT_MISSING, "the kernel has found no IOMMU", true},
    {iommu_unseen, "iommu", PREFLIGHT_UNKNOWN, "sysfs shows no class/iommu", true},
    {iommu_not_needed, CHECK_NONE, PREFLIGHT_OK, "", true},
    {no_vfio, "vfio", PREFLIGHT_MISSING, "the module is not loaded", true},
    {modules_unseen, "vfio_iommu_type1", PREFLIGHT_UNKNOWN, "the kernel's modules",
     true},
    {no_node, "/dev/vfio/vfio", PREFLIGHT_MISSING, "it is not there", true},
    {whole_card, "vfio-pci", PREFLIGHT_MISSING, "the module is not loaded", true},
    {whole_card_bound, "vfio-pci", PREFLIGHT_OK, "loaded", true},
    {whole_card_unseen, "vfio-pci", PREFLIGHT_UNKNOWN, "the drivers of the PCI", true},
    {whole_card_refused, "rights", PREFLIGHT_MISSING, "vgpu-agent may not write", true},
    {functions_for_libvirt, "vfio-pci", PREFLIGHT_OK, "not loaded; libvirt", true},
    {functions_without_a_module, "vfio-pci", PREFLIGHT_MISSING,
     "the running kernel has no such module", true},
    {functions_and_modules_unseen, "vfio-pci", PREFLIGHT_UNKNOWN, "not loaded, and",
     true},
    {locked_down, CHECK_NONE, PREFLIGHT_OK, "", true},
    {locked_out, "lockdown", PREFLIGHT_MISSING, "the kernel is locked down", true},
    {lockdown_unseen, "lockdown", PREFLIGHT_UNKNOWN, "sysfs shows no", true},
    {rival_loaded, "nouveau", PREFLIGHT_MISSING, "the module is loaded", true},
    {rival_unseen, "nouveau", PREFLIGHT_UNKNOWN, "bound to no GPU", true},
    {starter_ended, CHECK_NONE, PREFLIGHT_OK, "", true},
    {starter_never_ran, "nvidia-vgpud", PREFLIGHT_MISSING, "it does not run", true},
    {no_manager, "nvidia-vgpu-mgr", PREFLIGHT_MISSING, "it does not run", true},
    {manager_unseen, "nvidia-vgpu-mgr", PREFLIGHT_UNKNOWN, "the host's processes",
     true},
    {partitions_unseen, "MIG", PREFLIGHT_UNKNOWN, "NVIDIA's driver shows", false},
    {refused, "rights", PREFLIGHT_MISSING,
     "vgpu-agent may not write 1 of the 1 files in sysfs", true},
    {rights_unseen, "rights", PREFLIGHT_UNKNOWN, "devices/x/create cannot", true},
    {user_unseen, "rights", PREFLIGHT_UNKNOWN, "the folder of", true},
    {no_mdevctl, CHECK_NONE, PREFLIGHT_OK, "", true},
    {no_mdevctl_for_nova, "mdevctl", PREFLIGHT_MISSING, "it is not installed", true},
    {mdevctl_unseen_for_nova, "mdevctl", PREFLIGHT_UNKNOWN, "the host's programs",
     true},
    {no_socket, "libvirt", PREFLIGHT_MISSING, "guests do not get their devices: no",
     true},
    {no_libvirt, CHECK_NONE, PREFLIGHT_OK, "", false},
};

static const struct preflight_item *find(const struct preflight *preflight,
                                         const char *check)
{
    for (size_t i = 0; i < preflight->count; i++)
        if (strcmp(preflight->items[i].check, check) == 0)
            return &preflight->items[i];
    fail_msg("there is no item %s", check);
    return NULL;
}

static void check_case(size_t number, const struct preflight *preflight)
{
    if (!*cases[number].check) {
        for (size_t i = 0; i < preflight->count; i++)
            if (preflight->items[i].state != PREFLIGHT_OK)
                fail_msg("case %zu: %s: %s", number, preflight->items[i].check,
                         preflight->items[i].found);
        assert_false(preflight_is_missing(preflight));
        return;
    }
    const struct preflight_item *item = find(preflight, cases[number].check);
    size_t length = strlen(cases[number].found);
    if (item->state != cases[number].state ||
        strncmp(item->found, cases[number].found, length) != 0)
        fail_msg("case %zu: %s is %s: %s", number, item->check,
                 preflight_state_name(item->state), item->found);
    assert_int_equal(item->of_configuration, cases[number].told);
}

static void each_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config = {
            .agent = {.mode = MODE_OWNER, .state_file = STATE_FILE}};
        struct host *host = make_host();
        struct preflight_seen seen = make_seen(&config, host);
        cases[i].change(&(struct change){host, &config, &seen});
        struct preflight preflight = preflight_judge(&seen);
        check_case(i, &preflight);
        preflight_clear(&preflight);
        preflight_seen_clear(&seen);
        host_free(host);
        for (size_t j = 0; j < config.type_count; j++) {
            free(config.types[j].type);
            strlist_clear(&config.types[j].device_addresses);
        }
        free(config.types);
    }
}

/* Nothing was looked at: nothing is well but what needs no look. */
static void what_nobody_has_seen_is_not_well(void **state)
{
    (void)state;
    struct config config = {.agent = {.mode = MODE_NOVA, .state_file = STATE_FILE}};
    struct host *host = make_host();
    host->gpus[0].vf_total = host->gpus[0].vf_enabled = 1;
    struct preflight_seen seen = {
        .config = &config, .host = host, .iommu_units = -1, .files = 1};
    *array_add(seen.vendors, seen.vendor_count) =
        (struct preflight_vendor){.vendor = vendor_find(NVIDIA), .partitions = -1};
    struct preflight preflight = preflight_judge(&seen);
    static const char *const unseen[] = {
        "iommu",    "vfio",    "vfio_iommu_type1", "/dev/vfio/vfio",
        "lockdown", "nouveau", "nvidia-vgpu-mgr",  "MIG",
        "rights",   "mdevctl", "libvirt"};
    for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++)
        assert_int_equal(find(&preflight, unseen[i])->state, PREFLIGHT_UNKNOWN);
    assert_false(preflight_is_missing(&preflight));
    preflight_clear(&preflight);
    preflight_seen_clear(&seen);
    host_free(host);
}

/* The reader tells a folder that lacks something from a folder that is not there. */
static void absent_and_unseen(void **state)
{
    (void)state;
    char *tree = tree_new();
    struct host *host = make_host();
    struct config config = {.agent = {.host_root = tree, .state_file = STATE_FILE}};
    struct preflight_seen seen;
    preflight_look(&config, tree, host, &seen);
    assert_int_equal(seen.vfio, UNSEEN);
    assert_int_equal(seen.mdevctl, UNSEEN);
    assert_int_equal(seen.iommu_units, -1);
    assert_int_equal(seen.vendors[0].partitions, -1);
    preflight_seen_clear(&seen);

    tree_folder(tree, "module");
    tree_folder(tree, "class/iommu");
    tree_folder(tree, "usr/bin");
    tree_folder(tree, "proc/driver/nvidia/capabilities/mig");
    preflight_look(&config, tree, host, &seen);
    assert_int_equal(seen.vfio, ABSENT);
    assert_int_equal(seen.mdevctl, UNSEEN); /* it may be in usr/sbin */
    assert_int_equal(seen.iommu_units, 0);
    assert_int_equal(seen.vendors[0].partitions, 0);
    preflight_seen_clear(&seen);

    /* Built in, without parameters. */
    tree_folder(tree, "class/vfio");
    tree_write(tree, "kernel/security/lockdown", "none [integrity] confidentiality\n");
    tree_folder(tree, "proc/driver/nvidia/capabilities/gpu3/mig/gi1");
    preflight_look(&config, tree, host, &seen);
    assert_int_equal(seen.vfio, PRESENT);
    assert_string_equal(seen.lockdown, "integrity");
    assert_int_equal(seen.vendors[0].partitions, 1);
    preflight_seen_clear(&seen);
    host_free(host);
    tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule),
        cmocka_unit_test(what_nobody_has_seen_is_not_well),
        cmocka_unit_test(absent_and_unseen),
    };
    return cmocka_run_group_tests_name("preflight", tests, NULL, NULL);
}
