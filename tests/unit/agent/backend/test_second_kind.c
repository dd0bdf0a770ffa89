/* A kind of device that there is not, beside mdev, all the way through the agent: what it
 * needs is in this file. Its devices are virtual functions with PCI addresses; the host
 * knows no uuid of them; and an address is used again. It comes in two sorts: one whose
 * parent is the function itself, so that the address is known beforehand, and one where
 * the card chooses the function, so that only create() learns it. */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/act/plan_execute.h"
#include "agent/backend/backends.h"
#include "agent/backend/mdev.h"
#include "agent/backend/scan.h"
#include "agent/host/codec.h"
#include "agent/plan/journal_notes.h"
#include "agent/plan/plan.h"
#include "agent/report/consumer_devices.h"
#include "lib/files.h"
#include "lib/xalloc.h"
#include "tests/unit/tree.h"

#define CARD "0000:41:00.0"
#define VF_1 "0000:41:00.1"
#define VF_2 "0000:41:00.2"
#define VF_3 "0000:41:00.3"
#define TYPE "1147"
#define OTHER_TYPE "1148"
#define ROOT "00000000-0000-4000-8000-0000000000a0"
#define CONSUMER_1 "00000000-0000-4000-8000-0000000000c1"
#define CONSUMER_2 "00000000-0000-4000-8000-0000000000c2"
#define STRANGER "00000000-0000-4000-8000-0000000000c9"
#define MDEV_CARD "0000:84:00.0"
#define MDEV "4b20d080-1b54-4048-85b3-a6a62d165c01"
#define PATIENCE 10000 /* milliseconds; never waited out when all is well */

/* ---- the kind: a function's file says of which type it is, "0" of none ---- */

static bool chooses; /* the card chooses the function */

static const char *const functions[] = {VF_1, VF_2, VF_3};
#define FUNCTIONS (sizeof functions / sizeof *functions)

static int open_functions(const char *sysfs_root)
{
    char *path = xasprintf("%s/fake", sysfs_root);
    int fd = open(path, O_PATH | O_CLOEXEC);
    free(path);
    return fd;
}

/* NULL: of none. */
static char *type_of(int folder, const char *function)
{
    char *type = NULL;
    if (attribute_read_at(folder, function, &type, NULL) != 0 || strcmp(type, "0") != 0)
        return type;
    free(type);
    return NULL;
}

static void add_function(struct gpu *gpu, int folder, const char *function)
{
    struct parent *parent = gpu_add_parent(gpu, "fake_vf", chooses ? CARD : function);
    char *taken = type_of(folder, function);
    if (taken) {
        struct device *device = parent_add_device(parent, function);
        device->type_id = taken;
    }
    for (size_t i = 0; i < 2 && parent->type_count < 2; i++) {
        struct device_type *type = array_add(parent->types, parent->type_count);
        type->id = xstrdup(i ? OTHER_TYPE : TYPE);
        type->name = xstrdup(i ? "FAKE L40S-2Q" : "FAKE L40S-1Q");
    }
    for (size_t i = 0; i < parent->type_count; i++)
        parent->types[i].available += !taken;
}

static int fake_scan(const struct scan *scan, int root, struct error *err)
{
    (void)err;
    int folder = openat(root, "fake", O_PATH | O_CLOEXEC);
    if (folder < 0)
        return 0;
    struct gpu *gpu = host_add_gpu(scan->host, CARD);
    gpu->driver = xstrdup("fake");
    for (size_t i = 0; i < FUNCTIONS; i++)
        add_function(gpu, folder, functions[i]);
    close(folder);
    return 0;
}

static void fake_address(const char *parent, const char *uuid,
                         char out[DEVICE_ADDRESS_SIZE])
{
    (void)uuid;
    stpcpy(out, chooses ? "" : parent);
}

static int fake_create(const struct device_place *place,
                       const struct device_spec *device,
                       char address[DEVICE_ADDRESS_SIZE], bool *existed,
                       struct error *err)
{
    int folder = open_functions(place->sysfs_root);
    *existed = false;
    *address = 0;
    for (size_t i = 0; i < FUNCTIONS && !*address; i++) {
        char *taken = type_of(folder, functions[i]);
        if (!taken && (chooses || strcmp(functions[i], device->parent) == 0)) {
            char *path = xasprintf("fake/%s", functions[i]);
            tree_write(place->sysfs_root, path, device->type_id);
            free(path);
            stpcpy(address, functions[i]);
        }
        free(taken);
    }
    close(folder);
    return *address ? 0 : error_set(err, ERROR_EXHAUSTED, "no function is free");
}

static int fake_remove(const struct device_place *place,
                       const struct device_spec *device, struct error *err)
{
    struct device alone = {0};
    stpcpy(alone.address, device->address);
    int folder = open_functions(place->sysfs_root);
    char *type = type_of(folder, device->address);
    close(folder);
    /* Somebody else's by now. */
    bool gone = !type || strcmp(type, device->type_id) != 0;
    free(type);
    if (gone)
        return 0;
    if (device_check_unused(&place->use, &alone, err) != 0)
        return -1;
    char *path = xasprintf("fake/%s", device->address);
    tree_write(place->sysfs_root, path, "0");
    free(path);
    return 0;
}

/* It keeps nothing for a consumer. */
static int fake_clear(const struct device_place *place,
                      const struct device_spec *device, struct error *err)
{
    (void)place;
    (void)device;
    (void)err;
    return 0;
}

static char *fake_xml(const struct device *device, const struct device_type *type)
{
    return xasprintf("<hostdev pci='%s' name='%s'/>", device->address, type->name);
}

static char *fake_device(const struct device *device, const struct device_type *type)
{
    (void)type;
    return xasprintf("vfio-pci,host=%s", device->address);
}

static char *fake_word(const struct gpu *gpu)
{
    return gpu->driver && strcmp(gpu->driver, "fake") == 0 ? xstrdup("fake") : NULL;
}

static const struct backend fake = {
    .name = "fake_vf",
    .noun = "VF",
    .offers = "virtual functions",
    .scan = fake_scan,
    .address = fake_address,
    .guest_xml = fake_xml,
    .qemu_device = fake_device,
    .obstacle = fake_word,
    .remedy = fake_word,
    .create = fake_create,
    .remove = fake_remove,
    .clear = fake_clear,
};

const struct backend *const backends[] = {&fake, &backend_mdev, NULL};

/* ---- a host, a Placement and an agent ---- */

struct rig {
    char *tree; /* sysfs, and what stands for "/" */
    char *journal_path;
    struct device_place place;
    struct device_worker *worker;
    struct journal *journal;
    bool journal_unsaved;
    struct strlist late;
    char *addresses[1], *class;
    struct mdev_type_config type;
    struct config config;
    const char *consumer; /* who has an allocation; NULL: nobody */
    bool unreachable;
};

static void set_function(const struct rig *rig, const char *function, const char *type)
{
    char *path = xasprintf("fake/%s", function);
    tree_write(rig->tree, path, type);
    free(path);
}

static char *function_type(const struct rig *rig, const char *function)
{
    int folder = open_functions(rig->tree);
    char *type = type_of(folder, function);
    close(folder);
    return type;
}

static void set_up(struct rig *rig, bool card_chooses)
{
    chooses = card_chooses;
    *rig = (struct rig){.tree = tree_new(), .journal = journal_new()};
    rig->journal_path = xasprintf("%s/state.json", rig->tree);
    tree_proc(rig->tree);
    tree_folder(rig->tree, USE_DEFINED);
    tree_folder(rig->tree, USE_RUNNING);
    set_function(rig, VF_1, "0");
    set_function(rig, VF_2, "0");
    set_function(rig, VF_3, "0");
    static const struct tree_type types[] = {{"nvidia-35", "GRID T4-1Q\n", "\n", 16}};
    tree_parent(rig->tree, "devices/pci0000:80/" MDEV_CARD, types, 1);
    tree_mdev(rig->tree, "devices/pci0000:80/" MDEV_CARD, MDEV, "nvidia-35", "12");
    rig->place =
        (struct device_place){rig->tree, {rig->tree, USE_DEFINED, USE_RUNNING, false}};
    rig->worker = device_worker_new(&rig->place);
    rig->addresses[0] = (char *)CARD;
    rig->type = (struct mdev_type_config){.type = (char *)TYPE,
                                          .device_addresses = {rig->addresses, 1},
                                          .mdev_class = (char *)"VGPU"};
    rig->config.types = &rig->type;
    rig->config.type_count = 1;
}

static void tear_down(struct rig *rig)
{
    device_worker_free(rig->worker);
    journal_free(rig->journal);
    strlist_clear(&rig->late);
    free(rig->journal_path);
    tree_free(rig->tree);
}

#define HOSTDEV(function)                                                          \
    "<hostdev type='pci'><source><address domain='0x0000' bus='0x41' slot='0x00' " \
    "function='0x" function "'/></source></hostdev>"

static void write_domain_naming(const struct rig *rig, const char *domain,
                                const char *function)
{
    char *path = xasprintf("etc/libvirt/qemu/%s.xml", domain);
    char *xml = xasprintf(
        "<domain><uuid>%s</uuid><devices>" HOSTDEV("%c") "</devices></domain>", domain,
        function[11]);
    tree_write(rig->tree, path, xml);
    free(xml);
    free(path);
}

static struct observed *observe(const struct rig *rig, const struct desired_tree *tree)
{
    struct observed *observed = xcalloc(1, sizeof *observed);
    observed->root_found = true;
    stpcpy(observed->root_uuid, ROOT);
    observed->root_name = xstrdup("host");
    struct observed_provider *root =
        array_add(observed->providers, observed->provider_count);
    stpcpy(root->provider.uuid, ROOT);
    root->provider.name = xstrdup("host");
    struct observed_provider *child =
        array_add(observed->providers, observed->provider_count);
    stpcpy(child->provider.uuid, tree->providers[0].uuid);
    child->provider.name = xstrdup(tree->providers[0].name);
    child->detailed = true;
    if (!rig->consumer)
        return observed;
    struct provider_allocation *allocation =
        array_add(child->allocations, child->allocation_count);
    stpcpy(allocation->consumer, rig->consumer);
    allocation->resource_class = xstrdup("VGPU");
    allocation->amount = 1;
    return observed;
}

/* What one cycle sees and decides. */
struct sight {
    struct host *host;
    struct device_use *use;
    struct desired_tree *desired;
    struct observed *observed;
    struct plan *plan;
};

/* The reader's child sends the host through a pipe. */
static struct host *through_a_pipe(struct host *host)
{
    size_t length;
    char *packed = host_pack(host, &length);
    struct error err = {0};
    struct host *back = NULL;
    assert_ok(host_unpack(packed, length, &back, &err), &err);
    host_free(host);
    free(packed);
    return back;
}

static struct sight look(const struct rig *rig)
{
    struct sight sight = {0};
    struct error err = {0};
    char *note = NULL;
    assert_ok(host_scan(rig->tree, NULL, &sight.host, &err), &err);
    sight.host = through_a_pipe(sight.host);
    device_worker_mark(rig->worker, sight.host);
    sight.use = device_use_scan(&rig->place.use, sight.host, &note);
    assert_null(note);
    sight.desired = desired_tree_make(&rig->config, sight.host, ROOT, "host");
    sight.observed = observe(rig, sight.desired);
    const struct plan_input input = {
        .config = &rig->config,
        .host = sight.host,
        .desired = rig->unreachable ? NULL : sight.desired,
        .observed = rig->unreachable ? NULL : sight.observed,
        .journal = rig->journal,
        .use = sight.use,
        .now = 1000,
    };
    sight.plan = plan_make(&input);
    return sight;
}

static void clear(struct sight *sight)
{
    plan_free(sight->plan);
    observed_free(sight->observed);
    desired_tree_free(sight->desired);
    device_use_free(sight->use);
    host_free(sight->host);
}

/* The next agent starts with what the file says. */
static void restart(struct rig *rig)
{
    char *note = NULL;
    struct error err = {0};
    journal_free(rig->journal);
    assert_ok(journal_load(rig->journal_path, "", 1, &rig->journal, &note, &err), &err);
    assert_null(note);
}

/* Notes, and carries out all steps of the kind; how many there were. Of Placement there
 * is only what observe() says. */
static size_t carry_out(struct rig *rig, struct plan *plan, enum step_kind kind)
{
    for (size_t i = 0; i < plan->step_count; i++)
        if (step_rules(plan->steps[i].kind)->doer == DONE_BY_JOURNAL &&
            plan_note_intention(rig->journal, &plan->steps[i]))
            rig->journal_unsaved = true;
    plan_keep_only(plan, kind);
    for (size_t i = 0; i < plan->step_count; i++)
        plan->steps[i].provider[0] = 0; /* its allocations are not asked for again */
    const struct executor executor = {
        .worker = rig->worker,
        .journal = rig->journal,
        .journal_path = rig->journal_path,
        .journal_unsaved = &rig->journal_unsaved,
        .late = &rig->late,
        .patience = PATIENCE,
    };
    struct execution *execution = plan_execute(&executor, plan);
    size_t done = execution->outcomes[STEP_DONE];
    assert_int_equal(done, plan->step_count);
    execution_free(execution);
    restart(rig);
    return done;
}

static size_t cycle(struct rig *rig, enum step_kind kind)
{
    struct sight sight = look(rig);
    size_t done = carry_out(rig, sight.plan, kind);
    clear(&sight);
    return done;
}

static size_t count_steps(const struct plan *plan, enum step_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->step_count; i++)
        count += plan->steps[i].kind == kind;
    return count;
}

static const struct allocation_status *status_of(const struct plan *plan,
                                                 const char *consumer)
{
    for (size_t i = 0; i < plan->allocation_count; i++)
        if (strcmp(plan->allocations[i].consumer, consumer) == 0)
            return &plan->allocations[i];
    fail_msg("%s has no allocation", consumer);
    return NULL;
}

static void expect_function(const struct rig *rig, const char *function,
                            const char *expected)
{
    char *type = function_type(rig, function);
    assert_string_equal(type ? type : "0", expected);
    free(type);
}

static void expect_entry(const struct rig *rig, const char *consumer,
                         const char *address)
{
    assert_int_equal(rig->journal->device_count, 1);
    const struct journal_device *entry = &rig->journal->devices[0];
    assert_string_equal(entry->backend, "fake_vf");
    assert_string_equal(entry->address, address);
    assert_string_equal(entry->consumer, consumer);
    assert_true(uuid_parse_text(entry->uuid, (char[UUID_TEXT_SIZE]){0}));
}

/* ---- tests, each for both sorts ---- */

#define FOR_BOTH(rig)                                            \
    for (int sort_ = 0; sort_ < 2 && (set_up(rig, sort_), true); \
         tear_down(rig), sort_++)

static void is_seen_beside_the_other_kind(void **state)
{
    (void)state;
    struct rig rig;
    FOR_BOTH(&rig)
    {
        set_function(&rig, VF_2, TYPE);
        struct sight sight = look(&rig);
        assert_int_equal(sight.host->gpu_count, 2);
        const struct parent *parent;
        const struct device *device = host_device(sight.host, VF_2, NULL, &parent);
        assert_string_equal(device->backend, "fake_vf");
        assert_string_equal(device->uuid, "");
        assert_string_equal(parent->name, chooses ? CARD : VF_2);
        device = host_device(sight.host, MDEV, NULL, &parent);
        assert_string_equal(device->backend, "mdev");
        assert_string_equal(parent->backend, "mdev");
        clear(&sight);
    }
}

static void is_made_noted_given_to_the_guest_and_released(void **state)
{
    (void)state;
    struct rig rig;
    FOR_BOTH(&rig)
    {
        rig.consumer = CONSUMER_1;
        struct sight sight = look(&rig);
        assert_int_equal(count_steps(sight.plan, STEP_CREATE_DEVICE), 1);
        assert_int_equal(status_of(sight.plan, CONSUMER_1)->state, ALLOCATION_PENDING);
        carry_out(&rig, sight.plan, STEP_CREATE_DEVICE);
        clear(&sight);
        expect_function(&rig, VF_1, TYPE);
        expect_entry(&rig, CONSUMER_1, VF_1);

        sight = look(&rig);
        const struct allocation_status *status = status_of(sight.plan, CONSUMER_1);
        assert_int_equal(status->state, ALLOCATION_READY);
        assert_int_equal(count_steps(sight.plan, STEP_CREATE_DEVICE), 0);
        assert_int_equal(status->devices.count, 1);
        assert_string_equal(status->devices.items[0], rig.journal->devices[0].uuid);
        struct cycle_round round = {.plan = sight.plan};
        const struct cycle cycle_seen = {.config = &rig.config,
                                         .host = sight.host,
                                         .journal = rig.journal,
                                         .use = sight.use,
                                         .rounds = &round,
                                         .round_count = 1};
        struct consumer_device *devices = NULL;
        size_t count;
        struct error err = {0};
        assert_ok(consumer_devices(&cycle_seen, CONSUMER_1, &devices, &count, &err),
                  &err);
        const struct backend *backend = backend_find(devices[0].device->backend);
        char *xml = backend->guest_xml(devices[0].device, devices[0].type);
        assert_string_equal(xml, "<hostdev pci='" VF_1 "' name='FAKE L40S-1Q'/>");
        free(xml);
        free(devices);
        clear(&sight);

        /* Its guest is defined with it, and the allocation goes: it stays. */
        write_domain_naming(&rig, CONSUMER_1, VF_1);
        rig.consumer = NULL;
        assert_int_equal(cycle(&rig, STEP_REMOVE_DEVICE), 0);
        sight = look(&rig);
        assert_int_equal(count_steps(sight.plan, STEP_REMOVE_DEVICE), 0);
        assert_string_equal(status_of(sight.plan, CONSUMER_1)->reason,
                            "a libvirt domain names it");
        clear(&sight);
        tree_remove(rig.tree, "etc/libvirt/qemu/" CONSUMER_1 ".xml");
        assert_int_equal(cycle(&rig, STEP_REMOVE_DEVICE), 1);
        expect_function(&rig, VF_1, "0");
        assert_int_equal(rig.journal->device_count, 0);
    }
}

static void a_late_release_does_not_take_the_next_owners(void **state)
{
    (void)state;
    struct rig rig;
    FOR_BOTH(&rig)
    {
        rig.consumer = CONSUMER_1;
        assert_int_equal(cycle(&rig, STEP_CREATE_DEVICE), 1);
        rig.consumer = NULL;
        assert_int_equal(cycle(&rig, STEP_REMOVE_DEVICE), 0); /* the grace period */
        struct sight sight = look(&rig);
        assert_int_equal(count_steps(sight.plan, STEP_REMOVE_DEVICE), 1);
        set_function(&rig, VF_1, OTHER_TYPE);
        carry_out(&rig, sight.plan, STEP_REMOVE_DEVICE);
        clear(&sight);
        expect_function(&rig, VF_1, OTHER_TYPE);
        assert_int_equal(rig.journal->device_count, 0);
    }
}

static void what_others_made_or_were_promised_is_left_alone(void **state)
{
    (void)state;
    struct rig rig;
    /* A function without a type that another's definition names is none for us. */
    set_up(&rig, false);
    write_domain_naming(&rig, STRANGER, VF_1);
    rig.consumer = CONSUMER_1;
    assert_int_equal(cycle(&rig, STEP_CREATE_DEVICE), 1);
    expect_function(&rig, VF_1, "0");
    expect_entry(&rig, CONSUMER_1, VF_2);
    tear_down(&rig);
    FOR_BOTH(&rig)
    {
        set_function(&rig, VF_1, TYPE);
        write_domain_naming(&rig, STRANGER, VF_1);
        rig.consumer = CONSUMER_1;
        assert_int_equal(cycle(&rig, STEP_CREATE_DEVICE), 1);
        expect_entry(&rig, CONSUMER_1, VF_2);
        rig.consumer = NULL;
        assert_int_equal(cycle(&rig, STEP_REMOVE_DEVICE), 0);
        assert_int_equal(cycle(&rig, STEP_REMOVE_DEVICE), 1);
        expect_function(&rig, VF_1, TYPE);
        expect_function(&rig, VF_2, "0");
    }
}

/* Its uuid is nowhere on the host: the domain says whose it is. */
static void is_found_again_without_a_journal(void **state)
{
    (void)state;
    struct rig rig;
    FOR_BOTH(&rig)
    {
        set_function(&rig, VF_2, TYPE);
        write_domain_naming(&rig, CONSUMER_1, VF_2);
        rig.consumer = CONSUMER_1;
        assert_int_equal(cycle(&rig, STEP_CREATE_DEVICE), 0);
        expect_entry(&rig, CONSUMER_1, VF_2);
        assert_true(rig.journal->devices[0].adopted);
        char uuid[UUID_TEXT_SIZE];
        stpcpy(uuid, rig.journal->devices[0].uuid);
        struct sight sight = look(&rig);
        assert_int_equal(status_of(sight.plan, CONSUMER_1)->state, ALLOCATION_READY);
        assert_string_equal(status_of(sight.plan, CONSUMER_1)->devices.items[0], uuid);
        clear(&sight);
    }
}

/* A uuid that was computed for one consumer, and whose device is another's by now, is not
 * given to a second device. */
static void two_devices_do_not_get_one_uuid(void **state)
{
    (void)state;
    struct rig rig;
    FOR_BOTH(&rig)
    {
        rig.consumer = CONSUMER_1;
        assert_int_equal(cycle(&rig, STEP_CREATE_DEVICE), 1);
        rig.consumer = CONSUMER_2; /* gets what nobody names */
        assert_int_equal(cycle(&rig, STEP_HAND_OVER_DEVICE), 1);
        expect_entry(&rig, CONSUMER_2, VF_1);
        /* The first consumer's guest comes with a function of its own. */
        write_domain_naming(&rig, CONSUMER_2, VF_1);
        set_function(&rig, VF_2, TYPE);
        write_domain_naming(&rig, CONSUMER_1, VF_2);
        rig.consumer = CONSUMER_1;
        assert_int_equal(cycle(&rig, STEP_CREATE_DEVICE), 0);
        assert_int_equal(rig.journal->device_count, 2);
        assert_string_equal(
            journal_find_device_at(rig.journal, "fake_vf", VF_1)->consumer, CONSUMER_2);
        assert_string_equal(
            journal_find_device_at(rig.journal, "fake_vf", VF_2)->consumer, CONSUMER_1);
    }
}

/* In nova mode the agent notes what nova-compute has made. */
static void what_nova_made_is_noted_under_uuids_of_its_own(void **state)
{
    (void)state;
    struct rig rig;
    set_up(&rig, true);
    rig.config.agent.mode = MODE_NOVA;
    rig.consumer = CONSUMER_1;
    set_function(&rig, VF_1, TYPE);
    write_domain_naming(&rig, CONSUMER_1, VF_1);
    assert_int_equal(cycle(&rig, STEP_CREATE_DEVICE), 0);
    expect_entry(&rig, CONSUMER_1, VF_1);
    /* Another guest has it by now, and the uuid that was computed for the first. */
    tree_remove(rig.tree, "etc/libvirt/qemu/" CONSUMER_1 ".xml");
    write_domain_naming(&rig, CONSUMER_2, VF_1);
    assert_int_equal(cycle(&rig, STEP_CREATE_DEVICE), 0);
    expect_entry(&rig, CONSUMER_2, VF_1);
    set_function(&rig, VF_2, TYPE);
    set_function(&rig, VF_3, TYPE);
    tree_write(rig.tree, "etc/libvirt/qemu/" CONSUMER_1 ".xml",
               "<domain><uuid>" CONSUMER_1 "</uuid><devices>" //
               HOSTDEV("2") HOSTDEV("3") "</devices></domain>");
    assert_int_equal(cycle(&rig, STEP_CREATE_DEVICE), 0);
    assert_int_equal(rig.journal->device_count, 3);
    for (size_t i = 0; i < FUNCTIONS; i++)
        assert_string_equal(
            journal_find_device_at(rig.journal, "fake_vf", functions[i])->consumer,
            i == 0 ? CONSUMER_2 : CONSUMER_1);
    tear_down(&rig);
}

/* Without Placement, as `restore` does it, and at the address that the guest knows. */
static void a_reboot_gives_it_back(void **state)
{
    (void)state;
    struct rig rig;
    FOR_BOTH(&rig)
    {
        set_function(&rig, VF_1, OTHER_TYPE);
        rig.consumer = CONSUMER_1;
        assert_int_equal(cycle(&rig, STEP_CREATE_DEVICE), 1);
        expect_entry(&rig, CONSUMER_1, VF_2);
        set_function(&rig, VF_2, "0");
        if (!chooses)
            set_function(&rig, VF_1, "0");
        rig.unreachable = true;
        assert_int_equal(cycle(&rig, STEP_CREATE_DEVICE), 1);
        expect_function(&rig, VF_2, TYPE);
        expect_entry(&rig, CONSUMER_1, VF_2);
    }
}

/* The kernel answered after the plan was over: where the device is, is not lost. */
static void a_late_answer_is_noted(void **state)
{
    (void)state;
    struct rig rig;
    set_up(&rig, true);
    rig.consumer = CONSUMER_1;
    struct sight sight = look(&rig);
    for (size_t i = 0; i < sight.plan->step_count; i++)
        plan_note_intention(rig.journal, &sight.plan->steps[i]);
    clear(&sight);
    const struct journal_device *entry = &rig.journal->devices[0];
    assert_string_equal(entry->address, "");
    const struct device_spec device = {.uuid = entry->uuid,
                                       .address = "",
                                       .gpu = CARD,
                                       .parent = CARD,
                                       .type_id = TYPE,
                                       .consumer = CONSUMER_1};
    struct error err = {0};
    struct device_done done;
    assert_ok(device_worker_start(rig.worker, DEVICE_CREATE, &fake, &device, &err),
              &err);
    /* Meanwhile it is neither lost nor to be made again. */
    sight = look(&rig);
    assert_int_equal(count_steps(sight.plan, STEP_CREATE_DEVICE), 0);
    clear(&sight);
    assert_true(device_worker_take(rig.worker, PATIENCE, &done));
    assert_true(late_result_note(&rig.late, rig.journal, &done));
    assert_int_equal(rig.late.count, 0);
    expect_entry(&rig, CONSUMER_1, VF_1);
    sight = look(&rig);
    assert_int_equal(status_of(sight.plan, CONSUMER_1)->state, ALLOCATION_READY);
    clear(&sight);
    tear_down(&rig);
}

static void says_what_is_wrong_with_its_own_cards(void **state)
{
    (void)state;
    struct host *host = xcalloc(1, sizeof *host);
    struct gpu *gpu = host_add_gpu(host, CARD);
    gpu->driver = xstrdup("fake");
    char *remedy = gpu_remedy(gpu);
    assert_string_equal(remedy, "fake");
    free(remedy);
    free(gpu->driver);
    gpu->driver = xstrdup("other");
    char *obstacle = gpu_obstacle(gpu);
    assert_string_equal(obstacle, "its driver other offers no mediated devices");
    free(obstacle);
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_seen_beside_the_other_kind),
        cmocka_unit_test(is_made_noted_given_to_the_guest_and_released),
        cmocka_unit_test(a_late_release_does_not_take_the_next_owners),
        cmocka_unit_test(what_others_made_or_were_promised_is_left_alone),
        cmocka_unit_test(is_found_again_without_a_journal),
        cmocka_unit_test(two_devices_do_not_get_one_uuid),
        cmocka_unit_test(what_nova_made_is_noted_under_uuids_of_its_own),
        cmocka_unit_test(a_reboot_gives_it_back),
        cmocka_unit_test(a_late_answer_is_noted),
        cmocka_unit_test(says_what_is_wrong_with_its_own_cards),
    };
    return cmocka_run_group_tests_name("second_kind", tests, NULL, NULL);
}
