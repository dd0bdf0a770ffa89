/* The client and the worker are replaced by functions of the same names: a small world
 * that counts operations and can fail the Nth. */
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

/* ---- tests ---- */

/* A name is ours only when our own request has made it. */
static void test_names_that_were_there_are_not_ours(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = xcalloc(1, sizeof *plan);
    add_step(plan, STEP_CREATE_TRAIT, NULL, NULL)->name = xstrdup("CUSTOM_OURS");
    add_step(plan, STEP_CREATE_CLASS, NULL, NULL)->name = xstrdup("CUSTOM_CLASS");
    _cleanup_run_ struct run run = {0};
    world.names_exist = true;
    execute(&run, plan);
    assert_int_equal(run.journal->made_traits.count, 0);
    assert_int_equal(run.journal->made_classes.count, 0);
    execution_free(run.execution);
    world.names_exist = false;
    execute(&run, plan);
    assert_true(strlist_contains(&run.journal->made_traits, "CUSTOM_OURS"));
    assert_true(strlist_contains(&run.journal->made_classes, "CUSTOM_CLASS"));
    /* Somebody else was first to make the trait anew. A class is asked for with each
     * inventory. */
    execution_free(run.execution);
    world.names_exist = true;
    execute(&run, plan);
    assert_int_equal(run.journal->made_traits.count, 0);
    assert_true(strlist_contains(&run.journal->made_classes, "CUSTOM_CLASS"));
}

static void test_all_in_order(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = make_plan();
    _cleanup_run_ struct run run = {0};
    execute(&run, plan);
    assert_int_equal(run.execution->outcomes[STEP_DONE], OPERATIONS);
    assert_false(run.execution->look_again);
    assert_false(run.unsaved);
    expect_on_disk("\"made_traits\":[\"CUSTOM_OURS\"]");
    assert_string_equal(world.operations.items[0], "trait CUSTOM_OURS");
    static const char *const of_gpu_1[] = {
        "provider " GPU_1 " below " ROOT, "inventory 1 at 0",           "traits 1 at 1",
        "create nvidia-35 on " GPU_1,     "remove nvidia-35 on " GPU_1,
    };
    size_t seen = 0;
    for (size_t i = 0; i < world.operations.count && seen < 5; i++)
        seen += strcmp(world.operations.items[i], of_gpu_1[seen]) == 0;
    assert_int_equal(seen, 5);
    /* Both devices were made and removed again. */
    assert_int_equal(run.journal->device_count, 0);
    assert_int_equal(run.journal->provider_count, 2);
}

/* A device that libvirt may just be giving to a guest is not touched; all else is
 * done. */
static void test_what_a_guest_may_get_is_left(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = make_plan();
    _cleanup_run_ struct run run = {0};
    world.holds = DEVICE_1;
    execute(&run, plan);
    assert_int_equal(run.execution->outcomes[STEP_DONE], OPERATIONS - 1);
    assert_int_equal(run.execution->outcomes[STEP_FAILED], 1);
    const struct step_result *result = &run.execution->results[FIRST_OF_GPU_2 - 1];
    assert_int_equal(result->code, ERROR_BUSY);
    assert_non_null(strstr(result->reason, "may just be given to a guest"));
    assert_false(strlist_contains(&world.operations, "remove nvidia-35 on " GPU_1));
    assert_true(strlist_contains(&world.operations, "remove nvidia-35 on " GPU_2));
    assert_non_null(journal_find_device(run.journal, DEVICE_1));
}

#define FUNCTION "0000:41:00.4"
#define OTHER_CONSUMER "00000000-0000-0000-0000-0000000000cc"

/* All are noted for CONSUMER: the first at the address of a function, which is lost; the
 * others are to be another consumer's. */
static void note_all(struct journal *journal, const struct plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        struct journal_device entry = plan->steps[i].device; /* borrows */
        uuid_parse_text(CONSUMER, entry.consumer);
        journal_put_device(journal, &entry);
    }
}

static struct plan *make_plan_of_notes(void)
{
    struct plan *plan = xcalloc(1, sizeof *plan);
    add_device_step(plan, STEP_FORGET_DEVICE, GPU_1, PROVIDER_1, DEVICE_1);
    strcpy(plan->steps[0].device.address, FUNCTION);
    /* An idle one that somebody had prepared, which the consumer was given. */
    plan->steps[0].device.adopted = true;
    add_device_step(plan, STEP_TAKE_DEVICE, GPU_2, PROVIDER_2, DEVICE_2);
    uuid_parse_text(OTHER_CONSUMER, plan->steps[1].device.consumer);
    add_device_step(plan, STEP_CREATE_DEVICE, GPU_2, PROVIDER_2, DEVICE_3);
    uuid_parse_text(OTHER_CONSUMER, plan->steps[2].device.consumer);
    return plan;
}

/* By the state file alone, too, no device goes to another consumer, nor does the name or
 * the address of one, that a guest may just be getting. */
static void test_what_a_guest_may_get_stays_noted(void **state)
{
    static const char *const held[] = {FUNCTION, DEVICE_2, DEVICE_3};
    for (size_t i = 0; i < 3; i++) {
        _cleanup_plan_ struct plan *plan = make_plan_of_notes();
        _cleanup_run_ struct run run = {.journal = journal_new()};
        note_all(run.journal, plan);
        world.holds = held[i];
        world.taken_back = 3;
        execute(&run, plan);
        for (size_t j = 0; j < 3; j++)
            assert_int_equal(run.execution->results[j].outcome,
                             i == j ? STEP_FAILED : STEP_DONE);
        assert_int_equal(run.execution->results[i].code, ERROR_BUSY);
        assert_int_equal(journal_find_device(run.journal, DEVICE_1) != NULL, i == 0);
        assert_string_equal(journal_find_device(run.journal, DEVICE_2)->consumer,
                            i == 1 ? CONSUMER : OTHER_CONSUMER);
        assert_string_equal(journal_find_device(run.journal, DEVICE_3)->consumer,
                            i == 2 ? CONSUMER : OTHER_CONSUMER);
        tear_down(state);
        set_up(state);
    }
}

static bool is_of_gpu_1(size_t step)
{
    return step >= FIRST_OF_GPU_1 && step < FIRST_OF_GPU_2;
}

/* Whichever operation fails: the steps before it are done, the later steps of its GPU
 * are skipped unless it was a step on a single device, and the other GPU has all of its
 * steps done. */
static void test_nth_fails(void **state)
{
    for (unsigned n = 1; n <= OPERATIONS; n++) {
        _cleanup_plan_ struct plan *plan = make_plan();
        _cleanup_run_ struct run run = {0};
        world.fail_at = n;
        world.fail_with = n % 2 ? ERROR_CONFLICT : ERROR_IO;
        execute(&run, plan);
        size_t failed = 0;
        while (failed < OPERATIONS &&
               run.execution->results[failed].outcome != STEP_FAILED)
            failed++;
        assert_in_range(failed, 0, OPERATIONS - 1);
        assert_int_equal(run.execution->results[failed].code, world.fail_with);
        for (size_t i = 0; i < OPERATIONS; i++) {
            bool left_out = failed > 0 && i > failed &&
                            is_of_gpu_1(i) == is_of_gpu_1(failed) &&
                            !plan->steps[failed].device.uuid[0];
            assert_int_equal(run.execution->results[i].outcome,
                             i == failed ? STEP_FAILED
                             : left_out  ? STEP_SKIPPED
                                         : STEP_DONE);
        }
        assert_int_equal(run.execution->look_again, n % 2);
        tear_down(state);
        set_up(state);
    }
}

static void test_root_first(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = make_plan();
    plan->steps[0].kind = STEP_CREATE_ROOT;
    plan->steps[0].provider_name = xstrdup("root");
    _cleanup_run_ struct run run = {0};
    world.fail_at = 1;
    world.fail_with = ERROR_FORBIDDEN;
    execute(&run, plan);
    assert_int_equal(run.execution->outcomes[STEP_FAILED], 1);
    assert_int_equal(run.execution->outcomes[STEP_SKIPPED], OPERATIONS - 1);
    assert_int_equal(world.operations.count, 1);
}

static void test_kernel_does_not_answer(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = make_plan();
    _cleanup_run_ struct run run = {0};
    world.held = DEVICE_1;
    execute(&run, plan);
    const struct step_result *results = run.execution->results;
    assert_int_equal(results[FIRST_OF_GPU_1 + 3].outcome, STEP_UNDER_WAY);
    assert_int_equal(results[FIRST_OF_GPU_1 + 4].outcome, STEP_SKIPPED);
    assert_int_equal(run.execution->outcomes[STEP_DONE], OPERATIONS - 2);
    /* The journal has the device as the agent's all the same. */
    assert_non_null(journal_find_device(run.journal, DEVICE_1));
}

/* A device that somebody else made and that a reboot removed is to be made again. When
 * its maker makes it first, it stays the maker's. */
static void test_a_foreign_device_that_its_maker_puts_back(void **state)
{
    for (int faster = 0; faster < 2; faster++) {
        _cleanup_plan_ struct plan *plan = xcalloc(1, sizeof *plan);
        add_device_step(plan, STEP_CREATE_DEVICE, GPU_1, PROVIDER_1, DEVICE_1);
        _cleanup_run_ struct run run = {.journal = journal_new(), .unsaved = true};
        struct journal_device entry = journal_device_copy(&plan->steps[0].device);
        entry.adopted = true;
        journal_put_device(run.journal, &entry);
        journal_device_clear(&entry);
        world.existing = faster ? DEVICE_1 : NULL;
        world.expects_adopted = true;
        execute(&run, plan);
        assert_int_equal(run.execution->outcomes[STEP_DONE], 1);
        assert_int_equal(journal_find_device(run.journal, DEVICE_1)->adopted, faster);
        expect_on_disk(faster ? "\"adopted\":true" : "\"adopted\":false");
        tear_down(state);
        set_up(state);
    }
}

static void test_late_result_asks_for_another_look(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = make_plan();
    _cleanup_run_ struct run run = {0};
    struct device_done *done = &world.done[world.done_count++];
    uuid_parse_text(CONSUMER, done->uuid);
    error_set_(&done->error, ERROR_IO, "no luck");
    execute(&run, plan);
    assert_int_equal(run.execution->outcomes[STEP_DONE], OPERATIONS);
    assert_true(run.execution->look_again);
    assert_int_equal(run.late.count, 1);
    assert_non_null(strstr(run.late.items[0], "no luck"));
}

static void test_no_journal_no_acts(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = make_plan();
    _cleanup_run_ struct run run = {0};
    char *path = world.journal_path;
    world.journal_path = xasprintf("%s/none/state.json", world.folder);
    execute(&run, plan);
    assert_int_equal(world.operations.count, 0);
    assert_int_equal(run.execution->outcomes[STEP_FAILED], OPERATIONS);
    assert_true(run.unsaved);
    free(world.journal_path);
    world.journal_path = path;
}

static void test_stops_between_steps(void **state)
{
    for (unsigned n = 1; n < OPERATIONS; n++) {
        _cleanup_plan_ struct plan *plan = make_plan();
        _cleanup_run_ struct run run = {0};
        world.stop_after = n;
        execute(&run, plan);
        assert_int_equal(world.operations.count, n);
        assert_int_equal(run.execution->outcomes[STEP_FAILED], 0);
        assert_true(run.execution->outcomes[STEP_DONE] <= n);
        assert_true(run.execution->outcomes[STEP_SKIPPED] >= OPERATIONS - 1 - n);
        tear_down(state);
        set_up(state);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static struct plan *plan_of_removals(int64_t units)
{
    struct plan *plan = xcalloc(1, sizeof *plan);
    add_device_step(plan, STEP_REMOVE_DEVICE, GPU_1, PROVIDER_1, DEVICE_1);
    add_device_step(plan, STEP_REMOVE_DEVICE, GPU_1, PROVIDER_1, DEVICE_2);
    for (size_t i = 0; i < plan->step_count; i++) {
        uuid_parse_text(PROVIDER_1, plan->steps[i].provider);
        plan->steps[i].units = units;
    }
    return plan;
}

static struct journal *journal_of(const struct plan *plan)
{
    struct journal *journal = journal_new();
    for (size_t i = 0; i < plan->step_count; i++)
        journal_put_device(journal, &plan->steps[i].device);
    return journal;
}

/* Between the plan and a removal the consumer got an allocation again. */
static void test_4_an_allocation_that_stands_again(void **state)
{
    static const struct {
        int64_t decided, now;
        size_t removed;
    } cases[] = {{0, 0, 2}, {0, 1, 0}, {1, 1, 2}, {1, 2, 0}, {2, 1, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_plan_ struct plan *plan = plan_of_removals(cases[i].decided);
        _cleanup_run_ struct run run = {.journal = journal_of(plan), .unsaved = true};
        world.allocated = cases[i].now;
        execute(&run, plan);
        assert_int_equal(run.execution->outcomes[STEP_DONE], cases[i].removed);
        assert_int_equal(run.execution->outcomes[STEP_SKIPPED], 2 - cases[i].removed);
        assert_int_equal(run.execution->look_again, cases[i].removed == 0);
        if (cases[i].removed == 0)
            assert_non_null(strstr(run.execution->results[0].reason, CONSUMER));
        assert_string_equal(world.operations.items[0], "allocations 1");
        tear_down(state);
        set_up(state);
    }
}

static void test_4_placement_does_not_answer(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = plan_of_removals(0);
    _cleanup_run_ struct run run = {.journal = journal_of(plan), .unsaved = true};
    world.fail_at = 1;
    world.fail_with = ERROR_UNREACHABLE;
    execute(&run, plan);
    assert_int_equal(world.operations.count, 1);
    assert_int_equal(run.execution->outcomes[STEP_FAILED], 1);
    assert_int_equal(run.execution->outcomes[STEP_SKIPPED], 1);
}

static void test_4_the_provider_has_gone(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = plan_of_removals(0);
    _cleanup_run_ struct run run = {.journal = journal_of(plan), .unsaved = true};
    world.fail_at = 1;
    world.fail_with = ERROR_NOT_FOUND;
    execute(&run, plan);
    assert_int_equal(run.execution->results[0].outcome, STEP_SKIPPED);
    assert_int_equal(run.execution->results[1].outcome, STEP_DONE);
    assert_true(run.execution->look_again);
}

/* ---- handing over ---- */

#define NEXT "00000000-0000-0000-0000-00000000000e"

/* DEVICE_1 and DEVICE_2 are CONSUMER's; DEVICE_1 is to be handed to NEXT. */
static struct plan *plan_of_handing_over(struct run *run)
{
    struct plan *plan = xcalloc(1, sizeof *plan);
    add_device_step(plan, STEP_HAND_OVER_DEVICE, GPU_1, PROVIDER_1, DEVICE_1);
    add_device_step(plan, STEP_CREATE_DEVICE, GPU_1, PROVIDER_1, DEVICE_2);
    run->journal = journal_of(plan);
    run->unsaved = true;
    uuid_parse_text(NEXT, plan->steps[0].device.consumer);
    return plan;
}

static const char *owner_of(const struct run *run, const char *uuid)
{
    return journal_find_device(run->journal, uuid)->consumer;
}

static void test_a_device_is_noted_as_the_next_ones_once_it_is_cleared(void **state)
{
    (void)state;
    _cleanup_run_ struct run run = {0};
    _cleanup_plan_ struct plan *plan = plan_of_handing_over(&run);
    execute(&run, plan);
    assert_string_equal(world.operations.items[0], "clear nvidia-35 on " GPU_1);
    assert_int_equal(run.execution->outcomes[STEP_DONE], 2);
    assert_string_equal(owner_of(&run, DEVICE_1), NEXT);
    expect_on_disk(NEXT);
}

static void test_a_device_that_is_not_cleared_stays_whose_it_was(void **state)
{
    (void)state;
    _cleanup_run_ struct run run = {0};
    _cleanup_plan_ struct plan *plan = plan_of_handing_over(&run);
    world.fail_at = 1;
    world.fail_with = ERROR_BUSY;
    execute(&run, plan);
    assert_int_equal(run.execution->results[0].outcome, STEP_FAILED);
    assert_string_equal(owner_of(&run, DEVICE_1), CONSUMER);
    /* The operations on other devices go on, and the next plan finds another device. */
    assert_int_equal(run.execution->results[1].outcome, STEP_DONE);
    assert_true(run.execution->look_again);
}

/* Interrupted before the driver has answered, as by a crash: the state file still has
 * the device as the former consumer's, so that the next plan clears it again. */
static void test_a_clearing_without_an_answer_changes_nothing(void **state)
{
    (void)state;
    _cleanup_run_ struct run run = {0};
    _cleanup_plan_ struct plan *plan = plan_of_handing_over(&run);
    world.held = DEVICE_1;
    execute(&run, plan);
    assert_int_equal(run.execution->results[0].outcome, STEP_UNDER_WAY);
    assert_true(run.execution->look_again);
    _cleanup_(journal_freep) struct journal *disk = NULL;
    _cleanup_free_ char *note = NULL;
    struct error err = {0};
    assert_ok(journal_look(world.journal_path, "", &disk, &note, &err), &err);
    assert_string_equal(journal_find_device(disk, DEVICE_1)->consumer, CONSUMER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_in_order),
        TEST(test_names_that_were_there_are_not_ours),
        TEST(test_what_a_guest_may_get_is_left),
        TEST(test_what_a_guest_may_get_stays_noted),
        TEST(test_nth_fails),
        TEST(test_root_first),
        TEST(test_kernel_does_not_answer),
        TEST(test_a_foreign_device_that_its_maker_puts_back),
        TEST(test_late_result_asks_for_another_look),
        TEST(test_no_journal_no_acts),
        TEST(test_stops_between_steps),
        TEST(test_4_an_allocation_that_stands_again),
        TEST(test_4_placement_does_not_answer),
        TEST(test_4_the_provider_has_gone),
        TEST(test_a_device_is_noted_as_the_next_ones_once_it_is_cleared),
        TEST(test_a_device_that_is_not_cleared_stays_whose_it_was),
        TEST(test_a_clearing_without_an_answer_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
