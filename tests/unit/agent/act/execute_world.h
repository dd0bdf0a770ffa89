/*
 * execute_world: what plan_execute() acts on in its tests. Functions with the names of
 * those of the client and the worker count operations, and can fail the Nth. Each program
 * has its own: in the archive of the tests they would be every other test's, too.
 */
#ifndef TESTS_UNIT_EXECUTE_WORLD_H
#define TESTS_UNIT_EXECUTE_WORLD_H

#include "agent/act/plan_execute.h"

#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

#define PROVIDER_1 "00000000-0000-0000-0000-000000000001"
#define PROVIDER_2 "00000000-0000-0000-0000-000000000002"
#define DEVICE_1 "00000000-0000-0000-0000-0000000000d1"
#define DEVICE_2 "00000000-0000-0000-0000-0000000000d2"
#define DEVICE_3 "00000000-0000-0000-0000-0000000000d3"
#define ROOT "00000000-0000-0000-0000-00000000000f"
#define CONSUMER "00000000-0000-0000-0000-00000000000c"

static struct {
    char folder[32];
    char *journal_path;
    struct strlist operations; /* in the order in which they came */
    unsigned fail_at;          /* the Nth operation fails; 0: none */
    enum error_code fail_with;
    const char *holds;    /* the device that may be given to a guest now; NULL: nobody
                             gives devices to guests */
    size_t taken_back;    /* how many are asked for; 0: two */
    const char *held;     /* the device whose operation never ends */
    bool names_exist;     /* each trait and class is there already */
    const char *existing; /* the device that exists already when it is to be made */
    struct device_done done[8];
    size_t done_count;
    unsigned stop_after;  /* interrupted after so many operations; 0: never */
    int64_t allocated;    /* units that CONSUMER has on every provider */
    bool expects_adopted; /* before a device operation, the journal on disk must say
                             adopted */
} world;

/* ---- the world ---- */

/* What an operation makes must be on disk before the operation. */
static void expect_on_disk(const char *text)
{
    _cleanup_fclose_ FILE *file = fopen(world.journal_path, "re");
    assert_non_null(file);
    char content[16384] = "";
    assert_true(fread(content, 1, sizeof content - 1, file) > 0);
    if (!strstr(content, text))
        fail_msg("%s is not in the journal on disk", text);
}

static int operation(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int operation(struct error *err, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    strlist_add(&world.operations, text);
    if (world.operations.count == world.fail_at)
        return error_set(err, world.fail_with, "%s: refused", text);
    return 0;
}

int placement_create_trait(struct placement_client *client, const char *name,
                           bool *made, struct error *err)
{
    (void)client;
    *made = !world.names_exist;
    return operation(err, "trait %s", name);
}

int placement_create_class(struct placement_client *client, const char *name,
                           bool *made, struct error *err)
{
    (void)client;
    *made = !world.names_exist;
    return operation(err, "class %s", name);
}

int placement_create_provider(struct placement_client *client, const char *uuid,
                              const char *name, const char *parent, struct error *err)
{
    (void)client, (void)uuid;
    return operation(err, "provider %s below %s", name, parent ? parent : "nothing");
}

int placement_delete_provider(struct placement_client *client, const char *uuid,
                              struct error *err)
{
    (void)client;
    return operation(err, "delete %s", uuid);
}

int placement_put_inventories(struct placement_client *client, const char *uuid,
                              const struct class_inventory *items, size_t count,
                              int64_t *generation, struct error *err)
{
    (void)client, (void)items, (void)count;
    if (operation(err, "inventory %c at %d", uuid[35], (int)*generation) != 0)
        return -1;
    ++*generation;
    return 0;
}

int placement_put_provider_traits(struct placement_client *client, const char *uuid,
                                  const struct strlist *traits, int64_t *generation,
                                  struct error *err)
{
    (void)client, (void)traits;
    expect_on_disk("CUSTOM_OURS");
    if (operation(err, "traits %c at %d", uuid[35], (int)*generation) != 0)
        return -1;
    ++*generation;
    return 0;
}

int placement_get_provider_allocations(struct placement_client *client,
                                       const char *uuid,
                                       struct provider_allocation **out, size_t *count,
                                       int64_t *generation, struct error *err)
{
    (void)client;
    if (operation(err, "allocations %c", uuid[35]) != 0)
        return -1;
    *out = NULL;
    *count = *generation = 0;
    struct provider_allocation *item = array_add(*out, *count);
    uuid_parse_text(CONSUMER, item->consumer);
    item->resource_class = xstrdup("VGPU");
    item->amount = world.allocated;
    return 0;
}

int device_worker_start(struct device_worker *worker, enum device_operation kind,
                        const struct backend *backend, const struct device_spec *device,
                        struct error *err)
{
    (void)worker, (void)err;
    const char *uuid = device->uuid;
    assert_string_equal(backend->name, "mdev");
    expect_on_disk(uuid);
    /* After a power cut at this point nobody would know who made the device. */
    if (world.expects_adopted)
        expect_on_disk("\"adopted\":true");
    struct device_done done = {.operation = kind};
    uuid_parse_text(uuid, done.uuid);
    done.existed =
        kind == DEVICE_CREATE && world.existing && strcmp(world.existing, uuid) == 0;
    static const char *const names[] = {[DEVICE_CREATE] = "create",
                                        [DEVICE_REMOVE] = "remove",
                                        [DEVICE_CLEAR] = "clear"};
    operation(&done.error, "%s %s on %s", names[kind], device->type_id, device->parent);
    if (!world.held || strcmp(world.held, uuid) != 0)
        world.done[world.done_count++] = done;
    return 0;
}

bool device_worker_take(struct device_worker *worker, unsigned timeout,
                        struct device_done *out)
{
    (void)worker, (void)timeout;
    if (world.done_count == 0)
        return false;
    *out = world.done[0];
    memmove(&world.done[0], &world.done[1], --world.done_count * sizeof *world.done);
    return true;
}

static bool interrupted(void *data)
{
    (void)data;
    return world.stop_after > 0 && world.operations.count >= world.stop_after;
}

/* All devices that the plan takes away are asked for at once, before anything is done. */
static void take_back(void *attacher, const struct strlist *addresses,
                      struct strlist *held)
{
    (void)attacher;
    assert_int_equal(world.operations.count, 0);
    assert_int_equal(addresses->count, world.taken_back ? world.taken_back : 2);
    if (strlist_contains(addresses, world.holds))
        strlist_add(held, world.holds);
}

/* ---- the plan: all steps for two new GPUs ---- */

static struct step *add_step(struct plan *plan, enum step_kind kind, const char *gpu,
                             const char *provider)
{
    struct step *step = array_add(plan->steps, plan->step_count);
    step->kind = kind;
    step->gpu = xstrdup(gpu);
    step->generation = -1;
    if (provider) {
        uuid_parse_text(provider, step->provider);
        step->provider_name = xstrdup(gpu);
        uuid_parse_text(provider, step->entry.uuid);
        step->entry.name = xstrdup(gpu);
        step->entry.gpu = xstrdup(gpu);
        strlist_add(&step->entry.traits, "CUSTOM_OURS");
    }
    return step;
}

static void add_device_step(struct plan *plan, enum step_kind kind, const char *gpu,
                            const char *provider, const char *uuid)
{
    struct journal_device *device = &add_step(plan, kind, gpu, NULL)->device;
    uuid_parse_text(uuid, device->uuid);
    stpcpy(device->backend, "mdev");
    uuid_parse_text(uuid, device->address);
    uuid_parse_text(provider, device->provider);
    uuid_parse_text(CONSUMER, device->consumer);
    device->resource_class = xstrdup("VGPU");
    device->gpu = xstrdup(gpu);
    device->parent = xstrdup(gpu);
    device->type_id = xstrdup("nvidia-35");
}

static void add_gpu(struct plan *plan, const char *gpu, const char *provider,
                    const char *device)
{
    add_step(plan, STEP_CREATE_PROVIDER, gpu, provider);
    add_step(plan, STEP_SET_INVENTORY, gpu, provider);
    add_step(plan, STEP_SET_TRAITS, gpu, provider);
    add_device_step(plan, STEP_CREATE_DEVICE, gpu, provider, device);
    add_device_step(plan, STEP_REMOVE_DEVICE, gpu, provider, device);
}

#define GPU_1 "0000:84:00.0"
#define GPU_2 "0000:85:00.0"
#define OPERATIONS 11
#define FIRST_OF_GPU_1 1 /* FIRST_OF_GPU_1 and FIRST_OF_GPU_2 are indexes of steps */
#define FIRST_OF_GPU_2 6

static struct plan *make_plan(void)
{
    struct plan *plan = xcalloc(1, sizeof *plan);
    add_step(plan, STEP_CREATE_TRAIT, NULL, NULL)->name = xstrdup("CUSTOM_OURS");
    add_gpu(plan, GPU_1, PROVIDER_1, DEVICE_1);
    add_gpu(plan, GPU_2, PROVIDER_2, DEVICE_2);
    return plan;
}

static void drop_plan(struct plan **plan)
{
    for (size_t i = 0; i < (*plan)->step_count; i++)
        step_clear(&(*plan)->steps[i]);
    free((*plan)->steps);
    free(*plan);
}
#define _cleanup_plan_ _cleanup_(drop_plan)

/* ---- one execution ---- */

struct run {
    struct journal *journal;
    bool unsaved;
    struct strlist late;
    struct execution *execution;
};

static void run_clear(struct run *run)
{
    journal_free(run->journal);
    strlist_clear(&run->late);
    execution_free(run->execution);
}
#define _cleanup_run_ _cleanup_(run_clear)

static void execute(struct run *run, const struct plan *plan)
{
    if (!run->journal)
        run->journal = journal_new();
    const struct executor executor = {
        .root_uuid = ROOT,
        .journal = run->journal,
        .journal_path = world.journal_path,
        .journal_unsaved = &run->unsaved,
        .late = &run->late,
        .patience = 50,
        .take_back = world.holds ? take_back : NULL,
        .interrupted = interrupted,
    };
    run->execution = plan_execute(&executor, plan);
    assert_int_equal(run->execution->count, plan->step_count);
}

static int set_up(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    strcpy(world.folder, "/tmp/plan-execute-XXXXXX");
    if (!mkdtemp(world.folder))
        return -1;
    world.journal_path = xasprintf("%s/state.json", world.folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(world.journal_path);
    rmdir(world.folder);
    free(world.journal_path);
    strlist_clear(&world.operations);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

#endif
