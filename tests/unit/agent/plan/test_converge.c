/*
 * Whichever operation fails in whichever way, the agent reaches the state that an
 * undisturbed run reaches. The client and the worker are replaced by functions of the
 * same names on a small world of two GPUs and a Placement; planning, executing and the
 * journal are the real ones. The whole story (start from nothing, allocations,
 * releases) runs once undisturbed, and then again for each operation and each kind of
 * failure.
 */
#include <fcntl.h>
#include <string.h>

#include "agent/act/plan_execute.h"
#include "agent/plan/planner.h"
#include "agent/plan/steps/text.h"
#include "agent/state/journal_write.h"
#include "lib/files.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"

#define ROOT "00000000-0000-0000-0000-00000000000f"
#define ROOT_NAME "host.example"
#define CONSUMER_1 "00000000-0000-0000-0000-0000000000c1"
#define CONSUMER_2 "00000000-0000-0000-0000-0000000000c2"
#define FOREIGN "00000000-0000-0000-0000-0000000000ff"
#define TYPE "nvidia-35"
#define INSTANCES 4
#define GRACE 60

enum disturbance {
    NOTHING,
    REFUSED,    /* the operation fails and has no effect */
    CONFLICT,   /* as REFUSED, with the error CONFLICT */
    REPLY_LOST, /* the operation has its effect, but the caller gets an error */
    KILLED,     /* the operation has its effect, and the agent is killed */
    DISTURBANCES,
};

struct world_provider {
    struct provider provider;
    struct class_inventory *inventories;
    size_t inventory_count;
    struct strlist traits;
};

struct world_allocation {
    const char *gpu, *consumer;
    int64_t amount;
};

static struct {
    struct world_provider *providers; /* the root is the first */
    size_t provider_count;
    struct strlist traits; /* the traits that Placement knows */
    struct mdev_place {
        char uuid[UUID_TEXT_SIZE];
        char *parent;
    } * devices;
    size_t device_count;
    struct world_allocation allocations[4];
    size_t allocation_count;

    char folder[32];
    char *journal_path;
    unsigned operations, disturb_at;
    enum disturbance disturbance;
    bool killed, gone_when_back; /* all allocations are gone when a killed agent starts
                                    again */
    char *journal_when_killed;   /* the file's text when the agent was killed; NULL:
                                    there was no file */
    struct device_done done[16];
    size_t done_count;
} world;

static const char *const gpus[] = {"0000:84:00.0", "0000:85:00.0"};
#define GPUS 2

/* ---- the world's rules ---- */

static void remember_journal(void)
{
    struct error err;
    if (file_read_at(AT_FDCWD, world.journal_path, 1 << 20, &world.journal_when_killed,
                     NULL, &err) != 0)
        world.journal_when_killed = NULL;
}

/* Counts an operation. True when it is to have its effect; *rc gets the result for the
 * caller. */
static bool happens(int *rc, struct error *err)
{
    *rc = 0;
    assert_false(world.killed);
    if (++world.operations != world.disturb_at)
        return true;
    switch (world.disturbance) {
    case REFUSED:
        *rc = error_set(err, ERROR_IO, "refused");
        return false;
    case CONFLICT:
        *rc = error_set(err, ERROR_CONFLICT, "somebody was faster");
        return false;
    case REPLY_LOST:
        *rc = error_set(err, ERROR_UNREACHABLE, "connection reset");
        return true;
    case KILLED:
        remember_journal();
        world.killed = true;
        return true;
    default:
        return true;
    }
}

static struct world_provider *find_provider(const char *uuid)
{
    for (size_t i = 0; i < world.provider_count; i++)
        if (strcmp(world.providers[i].provider.uuid, uuid) == 0)
            return &world.providers[i];
    return NULL;
}

static void add_provider(const char *uuid, const char *name, const char *parent)
{
    struct provider *provider =
        &array_add(world.providers, world.provider_count)->provider;
    uuid_parse_text(uuid, provider->uuid);
    uuid_parse_text(ROOT, provider->root);
    if (parent)
        uuid_parse_text(parent, provider->parent);
    provider->name = xstrdup(name);
}

int placement_create_trait(struct placement_client *client, const char *name,
                           bool *made, struct error *err)
{
    (void)client;
    int rc;
    *made = false;
    if (happens(&rc, err))
        *made = strlist_add_unique(&world.traits, name);
    strlist_sort(&world.traits);
    return rc;
}

int placement_create_class(struct placement_client *client, const char *name,
                           bool *made, struct error *err)
{
    (void)client, (void)name, (void)made;
    return error_set(err, ERROR_INVALID, "no class was asked for");
}

int placement_create_provider(struct placement_client *client, const char *uuid,
                              const char *name, const char *parent, struct error *err)
{
    (void)client;
    int rc;
    if (find_provider(uuid))
        return error_set(err, ERROR_EXISTS, "%s exists", name);
    if (happens(&rc, err))
        add_provider(uuid, name, parent);
    return rc;
}

int placement_delete_provider(struct placement_client *client, const char *uuid,
                              struct error *err)
{
    (void)client;
    return error_set(err, ERROR_INVALID, "%s: nothing is ever deleted here", uuid);
}

static struct class_inventory *copy_inventories(const struct class_inventory *items,
                                                size_t count)
{
    struct class_inventory *copy = xcalloc(count, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i] = items[i];
        copy[i].resource_class = xstrdup(items[i].resource_class);
    }
    return copy;
}

/* The provider, if it exists and has the generation; else NULL and an error. */
static struct world_provider *for_write(const char *uuid, int64_t generation,
                                        struct error *err)
{
    struct world_provider *found = find_provider(uuid);
    if (!found)
        (void)error_set(err, ERROR_NOT_FOUND, "no provider %s", uuid);
    else if (found->provider.generation != generation)
        (void)error_set(err, ERROR_CONFLICT, "another generation");
    else
        return found;
    return NULL;
}

int placement_put_inventories(struct placement_client *client, const char *uuid,
                              const struct class_inventory *items, size_t count,
                              int64_t *generation, struct error *err)
{
    (void)client;
    int rc;
    struct world_provider *found = for_write(uuid, *generation, err);
    if (!found)
        return -1;
    if (!happens(&rc, err))
        return rc;
    class_inventories_free(found->inventories, found->inventory_count);
    found->inventories = copy_inventories(items, count);
    found->inventory_count = count;
    *generation = ++found->provider.generation;
    return rc;
}

int placement_put_provider_traits(struct placement_client *client, const char *uuid,
                                  const struct strlist *traits, int64_t *generation,
                                  struct error *err)
{
    (void)client;
    int rc;
    struct world_provider *found = for_write(uuid, *generation, err);
    if (!found)
        return -1;
    for (size_t i = 0; i < traits->count; i++)
        if (!strlist_contains(&world.traits, traits->items[i]))
            return error_set(err, ERROR_INVALID, "no trait %s", traits->items[i]);
    if (!happens(&rc, err))
        return rc;
    strlist_clear(&found->traits);
    found->traits = strlist_copy(traits);
    *generation = ++found->provider.generation;
    return rc;
}

static size_t find_device(const char *uuid)
{
    size_t i = 0;
    while (i < world.device_count && strcmp(world.devices[i].uuid, uuid) != 0)
        i++;
    return i;
}

static void change_device(enum device_operation kind, const char *parent,
                          const char *uuid)
{
    size_t i = find_device(uuid);
    if (kind == DEVICE_CREATE && i == world.device_count) {
        struct mdev_place *device = array_add(world.devices, world.device_count);
        uuid_parse_text(uuid, device->uuid);
        device->parent = xstrdup(parent);
    } else if (kind == DEVICE_REMOVE && i < world.device_count) {
        assert_string_not_equal(uuid, FOREIGN);
        free(world.devices[i].parent);
        world.devices[i] = world.devices[--world.device_count];
    }
}

int device_worker_start(struct device_worker *worker, enum device_operation kind,
                        const struct backend *backend, const struct device_spec *device,
                        struct error *err)
{
    (void)worker, (void)err;
    int rc;
    assert_string_equal(backend->name, "mdev");
    assert_string_equal(device->type_id, TYPE);
    struct device_done *done = &world.done[world.done_count++];
    *done = (struct device_done){.operation = kind};
    uuid_parse_text(device->uuid, done->uuid);
    if (happens(&rc, &done->error))
        change_device(kind, device->parent, device->uuid);
    return 0;
}

bool device_worker_take(struct device_worker *worker, unsigned timeout,
                        struct device_done *out)
{
    (void)worker, (void)timeout;
    if (world.done_count == 0)
        return false;
    *out = world.done[--world.done_count];
    return true;
}

static bool interrupted(void *data)
{
    (void)data;
    return world.killed;
}

/* ---- what the agent sees of the world ---- */

static struct host *see_host(void)
{
    struct host *host = xcalloc(1, sizeof *host);
    for (size_t g = 0; g < GPUS; g++) {
        struct gpu *gpu = host_add_gpu(host, gpus[g]);
        struct parent *parent = gpu_add_parent(gpu, "mdev", gpus[g]);
        struct device_type *type = array_add(parent->types, parent->type_count);
        type->id = xstrdup(TYPE);
        type->name = xstrdup("GRID T4-4Q");
        type->available = INSTANCES;
        for (size_t i = 0; i < world.device_count; i++) {
            if (strcmp(world.devices[i].parent, gpus[g]) != 0)
                continue;
            struct device *mdev = parent_add_device(parent, world.devices[i].uuid);
            uuid_parse_text(world.devices[i].uuid, mdev->uuid);
            mdev->type_id = xstrdup(TYPE);
            type->available--;
        }
    }
    host_sort(host);
    return host;
}

static bool is_on(const struct provider *provider, const char *gpu)
{
    _cleanup_free_ char *node = node_device_name("pci", gpu);
    return strstr(provider->name, node);
}

static struct provider_allocation *see_allocations(const struct provider *provider,
                                                   size_t *count)
{
    struct provider_allocation *list = NULL;
    *count = 0;
    for (size_t i = 0; i < world.allocation_count; i++) {
        if (!is_on(provider, world.allocations[i].gpu))
            continue;
        struct provider_allocation *allocation = array_add(list, *count);
        uuid_parse_text(world.allocations[i].consumer, allocation->consumer);
        allocation->resource_class = xstrdup("VGPU");
        allocation->amount = world.allocations[i].amount;
    }
    return list;
}

int placement_get_provider_allocations(struct placement_client *client,
                                       const char *uuid,
                                       struct provider_allocation **out, size_t *count,
                                       int64_t *generation, struct error *err)
{
    (void)client;
    int rc;
    const struct world_provider *found = find_provider(uuid);
    if (!found)
        return error_set(err, ERROR_NOT_FOUND, "no provider %s", uuid);
    (void)happens(&rc, err);
    if (rc != 0)
        return rc;
    *out = see_allocations(&found->provider, count);
    *generation = found->provider.generation;
    return 0;
}

static void see_provider(const struct world_provider *from,
                         struct observed_provider *to)
{
    to->provider = from->provider;
    to->provider.name = xstrdup(from->provider.name);
    to->detailed = from->provider.parent[0] != 0;
    to->inventories = copy_inventories(from->inventories, from->inventory_count);
    to->inventory_count = from->inventory_count;
    to->traits = strlist_copy(&from->traits);
    to->allocations = see_allocations(&from->provider, &to->allocation_count);
}

static struct observed *see_placement(void)
{
    struct observed *observed = xcalloc(1, sizeof *observed);
    observed->root_found = true;
    uuid_parse_text(ROOT, observed->root_uuid);
    observed->root_name = xstrdup(ROOT_NAME);
    for (size_t i = 0; i < world.provider_count; i++)
        see_provider(&world.providers[i],
                     array_add(observed->providers, observed->provider_count));
    observed->known_traits = strlist_copy(&world.traits);
    return observed;
}

/* ---- the agent ---- */

static struct mdev_type_config type_config;
static struct config config;

static struct plan *make_plan(const struct host *host, const struct journal *journal,
                              const struct desired_tree *desired,
                              const struct observed *observed, int64_t now)
{
    struct used_device foreign = {.address = FOREIGN, .defined = true};
    const struct device_use use = {.devices = &foreign, .count = 1};
    struct plan_input input = {.config = &config,
                               .host = host,
                               .desired = desired,
                               .observed = observed,
                               .journal = journal,
                               .now = now};
    struct plan *plan = plan_make(&input);
    if (!plan->needs_use)
        return plan;
    plan_free(plan);
    input.use = &use;
    return plan_make(&input);
}

/* One cycle of an agent with `journal`. False when there was nothing to do. */
static bool one_cycle(struct journal *journal, int64_t now)
{
    _cleanup_(host_freep) struct host *host = see_host();
    _cleanup_(observed_freep) struct observed *observed = see_placement();
    _cleanup_(desired_tree_freep) struct desired_tree *desired =
        desired_tree_make(&config, host, ROOT, ROOT_NAME);
    _cleanup_(plan_freep) struct plan *plan =
        make_plan(host, journal, desired, observed, now);
    bool unsaved = false;
    _cleanup_strlist_ struct strlist late = {0};
    const struct executor executor = {
        .root_uuid = ROOT,
        .journal = journal,
        .journal_path = world.journal_path,
        .journal_unsaved = &unsaved,
        .late = &late,
        .patience = 100,
        .interrupted = interrupted,
    };
    _cleanup_(execution_freep) struct execution *execution =
        plan_execute(&executor, plan);
    return plan->step_count > 0;
}

/* Starts a new agent after a kill, with the file as it was at that moment. */
static void rise_again(struct journal **journal)
{
    struct error err;
    unlink(world.journal_path);
    if (world.journal_when_killed)
        assert_ok(file_replace_at(AT_FDCWD, world.journal_path,
                                  world.journal_when_killed,
                                  strlen(world.journal_when_killed), 0600, &err),
                  &err);
    free(steal(world.journal_when_killed));
    world.killed = false;
    world.done_count = 0;
    if (world.gone_when_back)
        world.allocation_count = 0;
    journal_free(*journal);
    _cleanup_free_ char *note = NULL;
    assert_ok(journal_load(world.journal_path, "", 1, journal, &note, &err), &err);
    assert_null(note);
}

/* Runs cycles until there is nothing to do. */
static void settle(struct journal **journal, int64_t now)
{
    for (int cycles = 0; cycles < 8; cycles++) {
        bool busy = one_cycle(*journal, now);
        if (world.killed)
            rise_again(journal);
        else if (!busy)
            return;
    }
    fail_msg("no end after operation %u was disturbed in way %d", world.disturb_at,
             world.disturbance);
}

/* ---- the story and its disturbances ---- */

static void allocate(const char *gpu, const char *consumer, int64_t amount)
{
    world.allocations[world.allocation_count++] =
        (struct world_allocation){gpu, consumer, amount};
}

static void begin(void)
{
    memset(&world, 0, sizeof world);
    strcpy(world.folder, "/tmp/converge-XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    world.journal_path = xasprintf("%s/state.json", world.folder);
    add_provider(ROOT, ROOT_NAME, NULL);
    change_device(DEVICE_CREATE, gpus[1], FOREIGN);
}

static void end(void)
{
    for (size_t i = 0; i < world.provider_count; i++) {
        struct world_provider *provider = &world.providers[i];
        provider_clear(&provider->provider);
        class_inventories_free(provider->inventories, provider->inventory_count);
        strlist_clear(&provider->traits);
    }
    free(world.providers);
    for (size_t i = 0; i < world.device_count; i++)
        free(world.devices[i].parent);
    free(world.devices);
    strlist_clear(&world.traits);
    unlink(world.journal_path);
    rmdir(world.folder);
    free(world.journal_path);
}

/* The whole world without generations, as one text. */
static char *describe(void)
{
    _cleanup_strlist_ struct strlist lines = {0};
    for (size_t i = 0; i < world.provider_count; i++) {
        const struct world_provider *provider = &world.providers[i];
        _cleanup_free_ char *traits = strlist_join(&provider->traits, " ");
        _cleanup_strlist_ struct strlist inventories = {0};
        for (size_t j = 0; j < provider->inventory_count; j++)
            strlist_add_take(
                &inventories,
                xasprintf("%s=%d-%d", provider->inventories[j].resource_class,
                          (int)provider->inventories[j].inventory.total,
                          (int)provider->inventories[j].inventory.reserved));
        _cleanup_free_ char *classes = strlist_join(&inventories, " ");
        strlist_add_take(&lines,
                         xasprintf("%s %s %s | %s | %s", provider->provider.uuid,
                                   provider->provider.name, provider->provider.parent,
                                   classes, traits));
    }
    for (size_t i = 0; i < world.device_count; i++)
        strlist_add_take(&lines, xasprintf("%s on %s", world.devices[i].uuid,
                                           world.devices[i].parent));
    strlist_sort(&lines);
    return strlist_join(&lines, "\n");
}

/* Runs the whole story with one disturbance. Returns the final world and journal as
 * text; `operations` gets the number of operations. */
static char *tell(enum disturbance disturbance, unsigned at, unsigned *operations)
{
    begin();
    world.disturbance = disturbance;
    world.disturb_at = at;
    struct journal *journal = journal_new();
    settle(&journal, 1000);
    allocate(gpus[0], CONSUMER_1, 1);
    allocate(gpus[0], CONSUMER_2, 2);
    allocate(gpus[1], CONSUMER_1, 1);
    settle(&journal, 2000);
    assert_int_equal(world.device_count, 5);
    /* One consumer's allocation is deleted, and the grace period passes. */
    world.allocations[1] = world.allocations[2];
    world.allocation_count = 2;
    settle(&journal, 3000);
    settle(&journal, 3000 + GRACE + 1);
    assert_int_equal(world.device_count, 3);
    *operations = world.operations;
    /* A name whose maker is not certain, since a reply was lost, is not the agent's. */
    strlist_clear(&journal->made_traits);
    _cleanup_free_ char *things = describe(), *noted = journal_write(journal, NULL);
    journal_free(journal);
    end();
    return xasprintf("%s\n%s", things, noted);
}

static void test_every_operation_every_way(void **state)
{
    (void)state;
    unsigned undisturbed, operations;
    _cleanup_free_ char *expected = tell(NOTHING, 0, &undisturbed);
    /* 2 traits, 2 x (provider, inventory, traits), 4 devices made, 2 removed */
    assert_in_range(undisturbed, 14, 20);
    for (int way = REFUSED; way < DISTURBANCES; way++)
        for (unsigned at = 1; at <= undisturbed; at++) {
            _cleanup_free_ char *reached = tell((enum disturbance)way, at, &operations);
            if (strcmp(reached, expected) != 0)
                fail_msg("operation %u in way %d ends in\n%s\ninstead of\n%s", at, way,
                         reached, expected);
        }
}

/* The agent is killed at an operation, and nobody wants the devices any more when it
 * starts again: it must not take the devices that it had just made for somebody
 * else's. */
static void test_nothing_is_left_behind(void **state)
{
    (void)state;
    for (unsigned at = 1;; at++) {
        begin();
        world.disturbance = KILLED;
        world.disturb_at = at;
        world.gone_when_back = true;
        struct journal *journal = journal_new();
        settle(&journal, 1000);
        allocate(gpus[0], CONSUMER_1, 2);
        allocate(gpus[1], CONSUMER_2, 1);
        settle(&journal, 2000);
        bool was_killed = world.operations >= at;
        world.allocation_count = 0;
        settle(&journal, 3000);
        settle(&journal, 3000 + GRACE + 1);
        assert_int_equal(world.device_count, 1);
        assert_string_equal(world.devices[0].uuid, FOREIGN);
        assert_int_equal(journal->device_count, 0);
        journal_free(journal);
        end();
        if (!was_killed)
            return;
    }
}

static int set_up(void **state)
{
    (void)state;
    type_config =
        (struct mdev_type_config){.type = (char *)TYPE, .mdev_class = (char *)"VGPU"};
    config.agent.mode = MODE_OWNER;
    config.agent.release_grace = GRACE;
    config.types = &type_config;
    config.type_count = 1;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_operation_every_way),
        cmocka_unit_test(test_nothing_is_left_behind),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
