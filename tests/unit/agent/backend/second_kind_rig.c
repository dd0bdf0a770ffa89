#include "tests/unit/agent/backend/second_kind_rig.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/act/plan_execute.h"
#include "agent/backend/scan.h"
#include "agent/host/codec.h"
#include "agent/plan/planner.h"
#include "agent/plan/steps/journal_notes.h"
#include "lib/files.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

#define ROOT "00000000-0000-4000-8000-0000000000a0"
#define MDEV_CARD "0000:84:00.0"

void rig_set_function(const struct rig *rig, const char *function, const char *type)
{
    char *path = xasprintf("fake/%s", function);
    tree_write(rig->tree, path, type);
    free(path);
}

static char *function_type(const struct rig *rig, const char *function)
{
    int folder = fake_kind_open(rig->tree);
    char *type = fake_kind_type_of(folder, function);
    close(folder);
    return type;
}

void rig_set_up(struct rig *rig, bool card_chooses)
{
    fake_kind_chooses = card_chooses;
    *rig = (struct rig){.tree = tree_new(), .journal = journal_new()};
    rig->journal_path = xasprintf("%s/state.json", rig->tree);
    tree_proc(rig->tree);
    tree_folder(rig->tree, USE_DEFINED);
    tree_folder(rig->tree, USE_RUNNING);
    rig_set_function(rig, VF_1, "0");
    rig_set_function(rig, VF_2, "0");
    rig_set_function(rig, VF_3, "0");
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

void rig_tear_down(struct rig *rig)
{
    device_worker_free(rig->worker);
    journal_free(rig->journal);
    strlist_clear(&rig->late);
    free(rig->journal_path);
    tree_free(rig->tree);
}

void rig_write_domain_naming(const struct rig *rig, const char *domain,
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

struct sight rig_look(const struct rig *rig)
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

void sight_clear(struct sight *sight)
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
size_t rig_carry_out(struct rig *rig, struct plan *plan, enum step_kind kind)
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

size_t rig_cycle(struct rig *rig, enum step_kind kind)
{
    struct sight sight = rig_look(rig);
    size_t done = rig_carry_out(rig, sight.plan, kind);
    sight_clear(&sight);
    return done;
}

size_t plan_count_steps(const struct plan *plan, enum step_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->step_count; i++)
        count += plan->steps[i].kind == kind;
    return count;
}

const struct allocation_status *plan_status_of(const struct plan *plan,
                                               const char *consumer)
{
    for (size_t i = 0; i < plan->allocation_count; i++)
        if (strcmp(plan->allocations[i].consumer, consumer) == 0)
            return &plan->allocations[i];
    fail_msg("%s has no allocation", consumer);
    return NULL;
}

void expect_function(const struct rig *rig, const char *function, const char *expected)
{
    char *type = function_type(rig, function);
    assert_string_equal(type ? type : "0", expected);
    free(type);
}

void expect_entry(const struct rig *rig, const char *consumer, const char *address)
{
    assert_int_equal(rig->journal->device_count, 1);
    const struct journal_device *entry = &rig->journal->devices[0];
    assert_string_equal(entry->backend, "fake_vf");
    assert_string_equal(entry->address, address);
    assert_string_equal(entry->consumer, consumer);
    assert_true(uuid_parse_text(entry->uuid, (char[UUID_TEXT_SIZE]){0}));
}
