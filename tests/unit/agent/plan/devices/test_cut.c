/* How a card is cut in mode nova-pci, as a table: one letter for each virtual function.
 * A and B are types; a card takes six of A or four of B, and one type at a time. */
#include "agent/plan/devices/cut.h"

#include <stdio.h>
#include <string.h>

#include "agent/backend/nvidia_vfio_scan.h"
#include "agent/plan/planner.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"

#define ROOT "11111111-1111-4111-8111-111111111111"
#define CARD_PROVIDER "22222222-2222-4222-8222-222222222222"
#define GUEST "33333333-3333-4333-8333-333333333333"
#define CARD "0000:c1:00.0"
#define FUNCTIONS 8

static const char *const ids[] = {"nvidia-1147", "nvidia-1153"};
static const char *const names[] = {"NVIDIA L40S-1Q", "NVIDIA L40S-12Q"};
static const int most[] = {6, 4};

struct cut_case {
    const char *title;
    /* '.': no type; A, B; '~': being changed */
    const char *host;
    /* '.': none; A, B: the agent gave it; a, b: noted, but for a consumer (owner mode) */
    const char *journal;
    /* '.': nobody; d: a domain names it; p: a process has it open; NULL: nobody at all */
    const char *use;
    /* the configured type and how many of it, as many as fit without a number; "": none */
    const char *wanted;
    /* '=': nothing is done; A, B: gets it; '-': loses its type; x: its entry is dropped;
     * c: its entry gets another class, or is nobody's from now on */
    const char *expected;
    const char *waits; /* a part of what is said; NULL: it waits for nothing */
    bool allocated, blind, unknown, rebuilding, keeps, sick;
    bool old_class;
};

static const struct cut_case cases[] = {
    {"the first functions are cut", "........", "........", NULL, "A3", "AAA====="},
    {"without a number as many as fit", "........", "........", NULL, "B", "BBBB===="},
    {"no more than fit", "........", "........", NULL, "B7", "BBBB===="},
    {"nothing is left to do", "AAA.....", "AAA.....", NULL, "A3", "========"},
    {"more are cut after those that are", "A.A.....", "A.A.....", NULL, "A4",
     "=A=A===="},
    {"more are cut beside an allocation", "A.......", "A.......", NULL, "A2",
     "=A======", .allocated = true},
    {"a function that a process has open is passed over", "........", "........",
     "p.......", "A2", "=AA====="},
    {"one that a domain names comes first", "........", "........", "....d...", "A2",
     "A===A==="},
    {"one that is noted for a consumer is passed over", "........", "a.......", NULL,
     "A1", "=A======", .allocated = true},
    {"what owner mode left, and nobody has, is the cut's", "A.......", "a.......", NULL,
     "A2", "cA======"},
    {"what owner mode left, and a guest has, is the guest's", "A.......", "a.......",
     "d.......", "A2", "=A======"},
    {"what owner mode left, and an allocation names, stays", "A.......", "a.......",
     NULL, "A2", "=A======", .allocated = true},
    {"what owner mode left, and a reboot took, is forgotten", "........", "a.......",
     NULL, "A2", "xAA====="},
    {"one in transition makes the others wait", "~.......", "........", NULL, "A2",
     "========", "in transition"},
    {"what others cut counts, and stays", "..A.....", "........", NULL, "A2",
     "A======="},
    {"what others cut otherwise is said", "B.......", "........", NULL, "A2",
     "========", "which the agent did not set"},
    {"nobody knows who uses them", "........", "........", NULL, "A2",
     "========", "not known who uses", .unknown = true},
    {"a sick card is left alone", "A.......", "A.......", NULL, "B2",
     "========", .sick = true},

    {"fewer: from the last one on", "AAAA....", "AAAA....", NULL, "A2", "==--===="},
    {"fewer: as far as they are free", "AAAA....", "AAAA....", "..dp....", "A1",
     "--======", "the domain"},
    {"fewer: not what others cut", "AAAA....", "A.A.....", NULL, "A1",
     "-=-=====", "which the agent did not set"},
    {"another type: all that is free at once", "AAA.....", "AAA.....", NULL, "B2",
     "---====="},
    {"another type: not beside a guest", "AAA.....", "AAA.....", ".d......", "B2",
     "-=-=====", "the domain " GUEST " has it"},
    {"another type: not beside an allocation", "AAA.....", "AAA.....", NULL, "B2",
     "========", "something is allocated", .allocated = true},
    {"another type: not without Placement", "AAA.....", "AAA.....", NULL, "B2",
     "========", "allocated on its card is not known", .blind = true},
    {"another type: not where use is unknown", "AAA.....", "AAA.....", NULL, "B2",
     "========", "not known who uses", .unknown = true},
    {"another type: not before the state file is whole", "AAA.....", "AAA.....", NULL,
     "B2", "========", "state file", .rebuilding = true},
    {"another type: not after a Placement that forgot", "AAA.....", "AAA.....", NULL,
     "B2", "========", "lost allocations", .keeps = true},
    {"no type any more", "AAA.....", "AAA.....", NULL, "", "---====="},
    {"no type any more, but a guest", "AAA.....", "AAA.....", "d.......", "",
     "=--=====", "the domain"},
    {"no type any more, and others' stays", "AAA.....", "A.A.....", NULL, "",
     "-=-====="},
    {"somebody else has changed it", "B.......", "A.......", NULL, "", "x======="},

    {"a reboot: the same functions", "........", ".A.A....", NULL, "A2", "=A=A===="},
    {"a reboot: without Placement as well", "........", ".A.A....", NULL, "A2",
     "=A=A====", .blind = true},
    {"a reboot: where use is unknown as well", "........", ".A.A....", NULL, "A2",
     "=A=A====", .unknown = true},
    {"a reboot: what was cut, and what is to be", "........", ".A......", NULL, "A3",
     "AAA====="},
    {"a reboot and another type: nobody needs the old one", "........", "AA......",
     NULL, "B2", "BB======"},
    {"a reboot and another type: without Placement the old one", "........", "AA......",
     NULL, "B2", "AA======", .blind = true},
    {"a reboot and another type: a guest needs the old one", "........", "AA......",
     ".d......", "B2", "xA======"},
    {"a reboot and another type: an allocation needs it", "........", "AA......", NULL,
     "B2", "AA======", .allocated = true},
    {"a reboot and fewer: nobody needs the rest", "........", "AAAA....", NULL, "A2",
     "AAxx===="},
    {"a reboot and no type: nobody needs it", "........", "AA......", NULL, "",
     "xx======"},
    {"a reboot and no type: without Placement the old one", "........", "AA......",
     NULL, "", "AA======", .blind = true},

    {"another class", "AA......", "AA......", NULL, "A2",
     "cc======", .old_class = true},
    {"another class: not beside an allocation", "AA......", "AA......", NULL, "A2",
     "========", "its resource class stays CUSTOM_OLD", .allocated = true,
     .old_class = true},
};

/* ---- the input ---- */

static void function_name(size_t i, char out[DEVICE_ADDRESS_SIZE])
{
    snprintf(out, DEVICE_ADDRESS_SIZE, "0000:c1:00.%zu", i + 1);
}

static int index_of(char letter)
{
    return letter == 'A' || letter == 'a' ? 0 : letter == 'B' || letter == 'b' ? 1 : -1;
}

static int available(const char *host, size_t function, int type)
{
    int count = 0;
    for (size_t i = 0; i < FUNCTIONS; i++) {
        if (index_of(host[i]) == !type)
            return 0;
        count += index_of(host[i]) == type;
    }
    return host[function] == '.' && count < most[type];
}

static struct host *make_host(const struct cut_case *c)
{
    struct host *host = xcalloc(1, sizeof *host);
    struct gpu *gpu = host_add_gpu(host, CARD);
    gpu->vf_total = gpu->vf_enabled = FUNCTIONS;
    gpu->driver = xstrdup("nvidia");
    gpu->health = c->sick ? GPU_LOST : GPU_OK;
    gpu->health_reason = c->sick ? xstrdup("it is gone") : NULL;
    for (size_t i = 0; i < FUNCTIONS; i++) {
        char name[DEVICE_ADDRESS_SIZE];
        function_name(i, name);
        struct parent *parent = gpu_add_parent(gpu, NVIDIA_VFIO_NAME, name);
        for (int t = 0; t < 2; t++) {
            struct device_type *type = array_add(parent->types, parent->type_count);
            type->id = xstrdup(ids[t]);
            type->name = xstrdup(names[t]);
            type->attributes.max_instance = (unsigned)most[t];
            type->available = available(c->host, i, t);
        }
        if (c->host[i] == '.')
            continue;
        struct device *device = parent_add_device(parent, name);
        device->in_transition = c->host[i] == '~';
        device->type_id =
            device->in_transition ? NULL : xstrdup(ids[index_of(c->host[i])]);
    }
    return host;
}

static struct journal *make_journal(const struct cut_case *c)
{
    struct journal *journal = journal_new();
    journal->rebuilding = c->rebuilding;
    for (size_t i = 0; i < FUNCTIONS; i++) {
        char name[DEVICE_ADDRESS_SIZE];
        function_name(i, name);
        struct parent parent = {.backend = NVIDIA_VFIO_NAME, .name = name};
        int type = index_of(c->journal[i]);
        if (type < 0)
            continue;
        bool owners = c->journal[i] >= 'a';
        char class[32] = "CUSTOM_OLD";
        if (!c->old_class)
            snprintf(class, sizeof class, "CUSTOM_NVIDIA_%s",
                     strchr(ids[type], '-') + 1);
        struct journal_device entry = {.resource_class = class,
                                       .gpu = (char *)CARD,
                                       .parent = name,
                                       .type_id = (char *)ids[type],
                                       .type_name = (char *)names[type]};
        text_copy_array(entry.backend, NVIDIA_VFIO_NAME);
        text_copy_array(entry.address, name);
        uuid_text_copy(entry.provider, ROOT);
        uuid_text_copy(entry.consumer, owners ? GUEST : CUT_CONSUMER);
        cut_uuid(&parent, entry.uuid);
        journal_put_device(journal, &entry);
    }
    return journal;
}

static struct device_use *make_use(const struct cut_case *c)
{
    struct device_use *use = xcalloc(1, sizeof *use);
    use->unknown = c->unknown;
    for (size_t i = 0; c->use && i < FUNCTIONS; i++) {
        if (c->use[i] == '.')
            continue;
        struct used_device *used = array_add(use->devices, use->count);
        function_name(i, used->address);
        used->group_open = c->use[i] == 'p';
        if (c->use[i] == 'd')
            uuid_text_copy(used->domain, GUEST);
    }
    return use;
}

static void add_provider(struct observed *observed, const char *uuid, const char *name,
                         const char *parent)
{
    struct observed_provider *item =
        array_add(observed->providers, observed->provider_count);
    uuid_text_copy(item->provider.uuid, uuid);
    item->provider.name = xstrdup(name);
    uuid_text_copy(item->provider.parent, parent);
    item->detailed = *parent != 0;
}

static struct observed *make_observed(const struct cut_case *c)
{
    struct observed *observed = xcalloc(1, sizeof *observed);
    observed->root_found = true;
    uuid_text_copy(observed->root_uuid, ROOT);
    observed->root_name = xstrdup("host");
    add_provider(observed, ROOT, "host", "");
    add_provider(observed, CARD_PROVIDER, "host_0000:C1:00.0", ROOT);
    struct observed_provider *card = &observed->providers[1];
    if (c->allocated) {
        struct provider_allocation *allocation =
            array_add(card->allocations, card->allocation_count);
        uuid_text_copy(allocation->consumer, GUEST);
        allocation->resource_class =
            xstrdup(c->old_class ? "CUSTOM_OLD" : "CUSTOM_NVIDIA_1147");
        allocation->amount = 1;
    }
    return observed;
}

static void fill_type(const struct cut_case *c, struct mdev_type_config *type)
{
    *type = (struct mdev_type_config){
        .type = (char *)ids[index_of(*c->wanted)],
        .mdev_class = (char *)"VGPU",
        .max_instances = c->wanted[1] ? (unsigned)(c->wanted[1] - '0') : 0};
    strlist_add(&type->device_addresses, CARD);
}

/* ---- the plan ---- */

static char letter_of(const struct step *step)
{
    switch (step->kind) {
    case STEP_CREATE_DEVICE:
        return strcmp(step->device.type_id, ids[0]) == 0 ? 'A' : 'B';
    case STEP_REMOVE_DEVICE:
        assert_string_equal(step->provider, CARD_PROVIDER);
        return '-';
    case STEP_FORGET_DEVICE:
        return 'x';
    case STEP_TAKE_DEVICE:
        return 'c';
    default:
        return '?';
    }
}

static void compare(const struct cut_case *c, const struct plan *plan)
{
    char done[FUNCTIONS + 1] = "========";
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct step *step = &plan->steps[i];
        if (step->kind == STEP_END_REBUILD)
            continue;
        assert_string_equal(step->device.consumer,
                            c->journal[0] == 'a' && step->kind == STEP_FORGET_DEVICE
                                ? GUEST
                                : CUT_CONSUMER);
        size_t function = (size_t)(step->device.parent[strlen(CARD) - 1] - '1');
        assert_int_equal(done[function], '=');
        done[function] = letter_of(step);
    }
    if (strcmp(done, c->expected) != 0)
        fail_msg("%s: have %s, want %s", c->title, done, c->expected);
    const char *waits = plan->card_count ? plan->cards[0].waits : NULL;
    if (!waits != !c->waits || (waits && !strstr(waits, c->waits)))
        fail_msg("%s: it waits for: %s", c->title, waits ? waits : "nothing");
}

static bool has_lost(const struct cut_case *c)
{
    for (size_t i = 0; i < FUNCTIONS; i++)
        if (c->host[i] == '.' ? index_of(c->journal[i]) >= 0 : c->journal[i] >= 'a')
            return true;
    return false;
}

static void run_case(const struct cut_case *c)
{
    struct mdev_type_config type = {0};
    struct config config = {.agent.mode = MODE_NOVA_PCI};
    if (*c->wanted) {
        fill_type(c, &type);
        config.types = &type;
        config.type_count = 1;
    }
    _cleanup_(host_freep) struct host *host = make_host(c);
    _cleanup_(journal_freep) struct journal *journal = make_journal(c);
    _cleanup_(device_use_freep) struct device_use *use = make_use(c);
    _cleanup_(observed_freep) struct observed *observed = make_observed(c);
    _cleanup_(desired_tree_freep) struct desired_tree *desired =
        desired_tree_make(&config, host, ROOT, "host");
    struct plan_input input = {.config = &config,
                               .host = host,
                               .desired = c->blind ? NULL : desired,
                               .observed = c->blind ? NULL : observed,
                               .journal = journal,
                               .use = use,
                               .keep_until = c->keeps ? 200 : 0,
                               .now = 100};
    _cleanup_(plan_freep) struct plan *plan = plan_make(&input);
    assert_false(plan->needs_use);
    compare(c, plan);
    /* Where something may change it asks who uses the functions, and only there. */
    input.use = NULL;
    _cleanup_(plan_freep) struct plan *first = plan_make(&input);
    bool idle = strspn(c->expected, "=cx") == FUNCTIONS && !has_lost(c) && !c->waits &&
                !c->allocated;
    if (first->needs_use == idle)
        fail_msg("%s: it %s who uses the functions", c->title,
                 idle ? "asks" : "does not ask");
    strlist_clear(&type.device_addresses);
}

static void each_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_case(&cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_case)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
