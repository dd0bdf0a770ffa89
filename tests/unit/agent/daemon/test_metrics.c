/* What monitoring is told: gpu_status, metrics, daemon_pages. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

#include "agent/daemon/pages.h"
#include "lib/xalloc.h"

#define ROOT "00000000-0000-4000-8000-000000000001"
#define C1 "00000000-0000-4000-8000-0000000000c1"
#define C2 "00000000-0000-4000-8000-0000000000c2"
#define P84 "00000000-0000-4000-8000-000000000084"
#define P85 "00000000-0000-4000-8000-000000000085"

/* A cycle that saw two GPUs, one of them retired. Everything is on the stack or
 * constant, but what the plan's own functions free. */
struct sight {
    struct gpu gpu;
    struct host host;
    struct mdev_type_config type;
    struct desired_provider desired;
    struct desired_tree tree;
    struct class_inventory inventories[2];
    struct provider_allocation allocations[2];
    struct observed_provider providers[2];
    struct observed observed;
    struct retired_provider retired;
    struct allocation_status statuses[3];
    struct step step;
    struct step_result result;
    struct execution execution;
    struct provider_service services[2];
    struct plan plan;
    struct cycle_round round;
    struct cycle cycle;
};

static char *text(const char *constant)
{
    return (char *)constant;
}

static void set_provider(struct observed_provider *provider, const char *uuid,
                         const char *name, struct class_inventory *inventory,
                         int64_t total)
{
    uuid_text_copy(provider->provider.uuid, uuid);
    provider->provider.name = text(name);
    inventory->resource_class = text("VGPU");
    inventory->inventory = (struct inventory){.total = total, .reserved = 1};
    provider->inventories = inventory;
    provider->inventory_count = 1;
}

static void set_status(struct allocation_status *status, const char *consumer,
                       enum allocation_state state)
{
    uuid_text_copy(status->consumer, consumer);
    uuid_text_copy(status->provider, P84);
    status->resource_class = text("VGPU");
    status->state = state;
}

static void make_sight(struct sight *s)
{
    *s = (struct sight){.gpu = {.name = text("0000:84:00.0")}};
    s->host = (struct host){.gpus = &s->gpu, .gpu_count = 1};
    s->desired = (struct desired_provider){.name = text("host_pci_0000_84_00_0"),
                                           .gpu = &s->gpu,
                                           .gpu_name = text("0000:84:00.0"),
                                           .type_config = &s->type,
                                           .type_id = text("nvidia-35"),
                                           .type_name = text("odd \"\\\n name"),
                                           .resource_class = text("VGPU")};
    uuid_text_copy(s->desired.uuid, P84);
    s->tree = (struct desired_tree){.providers = &s->desired, .provider_count = 1};
    set_provider(&s->providers[0], P84, "host_pci_0000_84_00_0", &s->inventories[0],
                 16);
    set_provider(&s->providers[1], P85, "host_pci_0000_85_00_0", &s->inventories[1], 4);
    s->allocations[0] =
        (struct provider_allocation){.resource_class = text("VGPU"), .amount = 2};
    s->allocations[1] =
        (struct provider_allocation){.resource_class = text("OTHER"), .amount = 7};
    s->providers[0].allocations = s->allocations;
    s->providers[0].allocation_count = 2;
    s->observed = (struct observed){.providers = s->providers, .provider_count = 2};
    s->retired = (struct retired_provider){.name = text("host_pci_0000_85_00_0"),
                                           .gpu = text("0000:85:00.0"),
                                           .resource_class = text("VGPU")};
    uuid_text_copy(s->retired.uuid, P85);
    set_status(&s->statuses[0], C1, ALLOCATION_READY);
    set_status(&s->statuses[1], C2, ALLOCATION_PENDING);
    s->services[0] = (struct provider_service){.service = GPU_ACTIVE};
    uuid_text_copy(s->services[0].provider, P84);
    s->services[1] = (struct provider_service){
        .service = GPU_RETIRED, .reason = text("prune it"), .wrong = true};
    uuid_text_copy(s->services[1].provider, P85);
    s->plan = (struct plan){.services = s->services,
                            .service_count = 2,
                            .retired = &s->retired,
                            .retired_count = 1,
                            .allocations = s->statuses,
                            .allocation_count = 2};
    s->round = (struct cycle_round){.plan = &s->plan};
    s->cycle = (struct cycle){.host = &s->host,
                              .observed = &s->observed,
                              .desired = &s->tree,
                              .rounds = &s->round,
                              .round_count = 1};
}

/* The cycle wrote the first GPU's inventory, or failed to. */
static void write_inventory(struct sight *s, struct class_inventory *inventory,
                            enum step_outcome outcome)
{
    s->step = (struct step){.kind = STEP_SET_INVENTORY,
                            .provider = P84,
                            .provider_name = text("host_pci_0000_84_00_0"),
                            .inventories = inventory,
                            .inventory_count = 1};
    s->result = (struct step_result){.outcome = outcome, .code = ERROR_CONFLICT};
    s->execution = (struct execution){.results = &s->result, .count = 1};
    s->plan.steps = &s->step;
    s->plan.step_count = 1;
    s->round.execution = &s->execution;
}

static void gpus_are_listed(void **state)
{
    (void)state;
    struct sight s;
    struct gpu_status_list list;
    make_sight(&s);
    gpu_status_make(&s.cycle, &list);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0].gpu, "0000:84:00.0");
    assert_int_equal(list.items[0].total, 16);
    assert_int_equal(list.items[0].used, 2);
    assert_int_equal(list.items[0].reserved, 1);
    assert_int_equal(list.items[0].service, GPU_ACTIVE);
    assert_int_equal(list.items[0].health, GPU_OK);
    assert_string_equal(list.items[1].gpu, "0000:85:00.0");
    assert_string_equal(list.items[1].resource_class, "VGPU");
    assert_int_equal(list.items[1].total, 4);
    assert_int_equal(list.items[1].service, GPU_RETIRED);
    assert_string_equal(list.items[1].reason, "prune it");
    assert_int_equal(list.items[1].health, GPU_GONE);
    gpu_status_clear(&list);

    s.gpu.health = GPU_LOST;
    s.services[0].service = GPU_DRAINED;
    gpu_status_make(&s.cycle, &list);
    assert_int_equal(list.items[0].service, GPU_DRAINED);
    assert_int_equal(list.items[0].health, GPU_LOST);
    gpu_status_clear(&list);
}

/* What was not read is not told as 0, nor as active. */
static void without_placement(void **state)
{
    (void)state;
    struct sight s;
    struct gpu_status_list list;
    make_sight(&s);
    s.cycle.observed = NULL;
    s.gpu.health = GPU_LOST;
    gpu_status_make(&s.cycle, &list);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.items[0].type_id, "nvidia-35");
    assert_int_equal(list.items[0].health, GPU_LOST);
    assert_false(list.items[0].known);
    gpu_status_clear(&list);
}

/* The functions of one card, each with a provider: their sums, and what is not well. */
static void cards_are_joined(void **state)
{
    (void)state;
    struct gpu_status_list list = {0};
    static const struct gpu_status functions[] = {
        {.known = true, .total = 1, .used = 1, .devices = 1},
        {.known = true, .total = 1, .service = GPU_TAKEN, .wrong = true},
        {.known = true, .service = GPU_UNUSED},
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        struct gpu_status *item = array_add(list.items, list.count);
        *item = functions[i];
        item->card = xstrdup("0000:41:00.0");
        item->reason = i == 1 ? xstrdup("full") : NULL;
    }
    array_add(list.items, list.count)->card = xstrdup("0000:84:00.0");
    gpu_status_join_cards(&list);
    assert_int_equal(list.count, 2);
    const struct gpu_status *card = &list.items[0];
    assert_int_equal(card->total, 2);
    assert_int_equal(card->used, 1);
    assert_int_equal(card->devices, 1);
    assert_int_equal(card->service, GPU_TAKEN);
    assert_string_equal(card->reason, "full");
    assert_true(card->wrong);
    assert_string_equal(list.items[1].card, "0000:84:00.0");
    gpu_status_clear(&list);
}

static void what_was_written_counts(void **state)
{
    (void)state;
    struct class_inventory written = {.resource_class = text("VGPU"),
                                      .inventory = {.total = 8, .reserved = 8}};
    static const struct {
        enum step_outcome outcome;
        enum gpu_service service;
        int64_t total, reserved;
    } cases[] = {{STEP_DONE, GPU_ACTIVE, 8, 8},
                 {STEP_FAILED, GPU_WAITING, 16, 1},
                 {STEP_SKIPPED, GPU_WAITING, 16, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sight s;
        struct gpu_status_list list;
        make_sight(&s);
        s.services[0].service = GPU_WAITING;
        write_inventory(&s, &written, cases[i].outcome);
        gpu_status_make(&s.cycle, &list);
        assert_int_equal(list.items[0].total, cases[i].total);
        assert_int_equal(list.items[0].reserved, cases[i].reserved);
        assert_int_equal(list.items[0].service, cases[i].service);
        assert_int_equal(list.items[0].used, 2);
        gpu_status_clear(&list);
    }
}

static void assert_told(const struct metrics *metrics, int64_t monotonic,
                        const char *line)
{
    const struct metrics_extra extra = {
        .requests = 12, .token_expires_at = 1700000000, .monotonic = monotonic};
    _cleanup_free_ char *all = metrics_text(metrics, &extra);
    _cleanup_free_ char *whole = xasprintf("\n%s\n", line);
    if (!strstr(all, whole))
        fail_msg("no line %s in\n%s", line, all);
}

static void lines_are_told(void **state)
{
    (void)state;
    struct sight s;
    struct metrics metrics = {0};
    make_sight(&s);
    const struct metrics_clock clock = {
        .now = 1600000000, .monotonic = 5000, .cycle_took = 1250};
    metrics_note_cycle(&metrics, &s.cycle, NULL, 3, &clock);
    static const char *const lines[] = {
        "vgpu_agent_gpu_info{gpu=\"0000:84:00.0\",provider=\"host_pci_0000_84_00_0\","
        "type=\"nvidia-35\",type_name=\"odd \\\"\\\\\\n "
        "name\",resource_class=\"VGPU\"} "
        "1",
        "vgpu_agent_gpu_info{gpu=\"0000:85:00.0\",provider=\"host_pci_0000_85_00_0\","
        "type=\"\",type_name=\"\",resource_class=\"VGPU\"} 1",
        "vgpu_agent_gpu_capacity{gpu=\"0000:84:00.0\","
        "provider=\"host_pci_0000_84_00_0\",resource_class=\"VGPU\"} 16",
        "vgpu_agent_gpu_used{gpu=\"0000:84:00.0\","
        "provider=\"host_pci_0000_84_00_0\",resource_class=\"VGPU\"} 2",
        "vgpu_agent_gpu_health{gpu=\"0000:85:00.0\","
        "provider=\"host_pci_0000_85_00_0\",health=\"gone\"} 1",
        "vgpu_agent_gpu_service{gpu=\"0000:85:00.0\","
        "provider=\"host_pci_0000_85_00_0\",service=\"active\"} 0",
        "vgpu_agent_allocations{state=\"ready\"} 1",
        "vgpu_agent_allocations{state=\"pending\"} 1",
        "vgpu_agent_allocations{state=\"in use\"} 0",
        "vgpu_agent_cycle_seconds_sum 1.250",
        "vgpu_agent_cycle_seconds_count 1",
        "vgpu_agent_last_success_timestamp_seconds 1600000000",
        "vgpu_agent_problems 3",
        "vgpu_agent_placement_up 1",
        "vgpu_agent_requests_total 12",
        "vgpu_agent_token_expiry_timestamp_seconds 1700000000",
        "vgpu_agent_errors_total{kind=\"conflict\"} 0",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_told(&metrics, 5000, lines[i]);
    metrics_clear(&metrics);
}

static void waiting_is_counted_from_its_begin(void **state)
{
    (void)state;
    struct sight s;
    struct metrics metrics = {0};
    make_sight(&s);
    struct metrics_clock clock = {.monotonic = 1000};
    metrics_note_cycle(&metrics, &s.cycle, NULL, 0, &clock);
    assert_told(&metrics, 1500, "vgpu_agent_oldest_pending_seconds 0.500");
    /* Pending or failed, it is the same one that waits. */
    s.statuses[1].state = ALLOCATION_FAILED;
    clock.monotonic = 4000;
    metrics_note_cycle(&metrics, &s.cycle, NULL, 0, &clock);
    assert_told(&metrics, 4000, "vgpu_agent_oldest_pending_seconds 3.000");
    /* A younger one changes nothing; while nobody can look, time goes on. */
    set_status(&s.statuses[2], C1, ALLOCATION_PENDING);
    s.plan.allocation_count = 3;
    metrics_note_cycle(&metrics, &s.cycle, NULL, 0, &clock);
    struct error err;
    (void)error_set(&err, ERROR_UNREACHABLE, "away");
    metrics_note_cycle(&metrics, &s.cycle, &err, 0, &clock);
    assert_told(&metrics, 9000, "vgpu_agent_oldest_pending_seconds 8.000");
    s.statuses[1].state = ALLOCATION_READY;
    metrics_note_cycle(&metrics, &s.cycle, NULL, 0, &clock);
    assert_told(&metrics, 9000, "vgpu_agent_oldest_pending_seconds 5.000");
    s.plan.allocation_count = 2;
    metrics_note_cycle(&metrics, &s.cycle, NULL, 0, &clock);
    assert_told(&metrics, 9000, "vgpu_agent_oldest_pending_seconds 0.000");
    metrics_clear(&metrics);
}

/* It makes devices when it starts guests: what has none for long, gets none. */
static void what_nova_compute_does_not_make_is_told(void **state)
{
    (void)state;
    struct sight s;
    struct metrics metrics = {0};
    make_sight(&s);
    s.statuses[1].at_nova = true;
    metrics_note_cycle(&metrics, &s.cycle, NULL, 0,
                       &(struct metrics_clock){.now = 1, .monotonic = 5000});
    _cleanup_problem_list_ struct problem_list found = {0};
    metrics_overdue(&metrics, 604999, &found);
    assert_int_equal(found.count, 0);
    metrics_overdue(&metrics, 605000, &found);
    assert_int_equal(found.count, 1);
    assert_non_null(strstr(found.items[0].text, C2));
    metrics_clear(&metrics);
}

static void errors_are_counted_by_kind(void **state)
{
    (void)state;
    struct sight s;
    struct metrics metrics = {0};
    struct class_inventory written = {.resource_class = text("VGPU")};
    struct metrics_clock clock = {.now = 1600000000};
    make_sight(&s);
    metrics_note_cycle(&metrics, &s.cycle, NULL, 0, &clock);
    write_inventory(&s, &written, STEP_FAILED);
    s.cycle.observed = NULL; /* what was known has been thrown away */
    clock.now = 1600000010;
    metrics_note_cycle(&metrics, &s.cycle, NULL, 1, &clock);
    assert_told(&metrics, 0, "vgpu_agent_errors_total{kind=\"conflict\"} 1");
    assert_told(&metrics, 0,
                "vgpu_agent_gpu_capacity{gpu=\"0000:84:00.0\","
                "provider=\"host_pci_0000_84_00_0\",resource_class=\"VGPU\"} 16");
    struct error err;
    (void)error_set(&err, ERROR_UNREACHABLE, "away");
    clock.now = 1600000020;
    metrics_note_cycle(&metrics, &s.cycle, &err, 1, &clock);
    assert_told(&metrics, 0, "vgpu_agent_errors_total{kind=\"unreachable\"} 1");
    assert_told(&metrics, 0, "vgpu_agent_placement_up 0");
    assert_told(&metrics, 0, "vgpu_agent_last_success_timestamp_seconds 1600000010");
    assert_told(&metrics, 0, "vgpu_agent_allocations{state=\"pending\"} 1");
    metrics_clear(&metrics);
}

/* The health under the same labels; what only Placement knows is left out. */
static void the_host_is_told_while_placement_is_away(void **state)
{
    (void)state;
    struct sight s;
    struct metrics metrics = {0};
    const struct metrics_clock clock = {.now = 1600000000};
    struct error err;
    make_sight(&s);
    metrics_note_cycle(&metrics, &s.cycle, NULL, 0, &clock);
    (void)error_set(&err, ERROR_UNREACHABLE, "away");
    s.cycle.observed = NULL;
    s.gpu.health = GPU_LOST;
    metrics_note_cycle(&metrics, &s.cycle, &err, 1, &clock);
    assert_told(&metrics, 0,
                "vgpu_agent_gpu_health{gpu=\"0000:84:00.0\","
                "provider=\"host_pci_0000_84_00_0\",health=\"lost\"} 1");
    const struct metrics_extra extra = {0};
    _cleanup_free_ char *all = metrics_text(&metrics, &extra);
    static const char *const unknown[] = {
        "\nvgpu_agent_gpu_capacity{", "\nvgpu_agent_gpu_used{",
        "\nvgpu_agent_gpu_reserved{", "\nvgpu_agent_gpu_service{"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_null(strstr(all, unknown[i]));
    metrics_clear(&metrics);
}

static void a_host_that_cannot_be_seen_says_nothing_of_placement(void **state)
{
    (void)state;
    struct sight s;
    struct metrics metrics = {0};
    const struct metrics_clock clock = {.now = 1600000000};
    struct cycle blind = {0};
    struct error err;
    make_sight(&s);
    metrics_note_cycle(&metrics, &s.cycle, NULL, 0, &clock);
    (void)error_set(&err, ERROR_TIMEOUT, "/sys does not answer");
    metrics_note_cycle(&metrics, &blind, &err, 1, &clock);
    assert_told(&metrics, 0, "vgpu_agent_errors_total{kind=\"timeout\"} 1");
    assert_told(&metrics, 0, "vgpu_agent_placement_up 1");
    metrics_clear(&metrics);
}

static void guests_are_told(void **state)
{
    (void)state;
    const struct metrics metrics = {.guests = {.known = true,
                                               .states = {[GUEST_ATTACHED] = 3},
                                               .unknown = 2,
                                               .overdue = 1,
                                               .attaches = true,
                                               .refused = 7,
                                               .configured = 2,
                                               .configured_ms = 9}};
    assert_told(&metrics, 0, "vgpu_agent_guests{state=\"attached\"} 3");
    assert_told(&metrics, 0, "vgpu_agent_guests{state=\"waits_for_port\"} 0");
    assert_told(&metrics, 0, "vgpu_agent_guests{state=\"unknown\"} 2");
    assert_told(&metrics, 0, "vgpu_agent_guests_without_devices 1");
    assert_told(&metrics, 0, "vgpu_agent_attach_up 1");
    assert_told(&metrics, 0, "vgpu_agent_attach_failures_total 7");
    assert_told(&metrics, 0, "vgpu_agent_definition_to_configured_seconds_sum 0.009");
    assert_told(&metrics, 0, "vgpu_agent_definition_to_configured_seconds_count 2");
}

static void nothing_yet(void **state)
{
    (void)state;
    const struct metrics metrics = {0};
    const struct metrics_extra extra = {0};
    _cleanup_free_ char *all = metrics_text(&metrics, &extra);
    assert_non_null(strstr(all, "vgpu_agent_build_info{version=\"" VERSION
                                "\",mode=\"owner\"} 1\n"));
    assert_null(strstr(all, "token_expiry"));
    assert_null(strstr(all, "gpu=\""));
    /* What nobody has looked at yet is not 0. */
    static const char *const unknown[] = {
        "\nvgpu_agent_allocations",        "\nvgpu_agent_oldest_pending_seconds",
        "\nvgpu_agent_placement_up",       "\nvgpu_agent_problems",
        "\nvgpu_agent_last_cycle_seconds", "\nvgpu_agent_guests"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_null(strstr(all, unknown[i]));
}

static void under_another_root_nothing_is_known(void **state)
{
    (void)state;
    struct sight s;
    struct metrics metrics = {0};
    const struct metrics_extra extra = {0};
    make_sight(&s);
    s.plan.other_root = true;
    s.plan.allocation_count = s.plan.service_count = s.plan.retired_count = 0;
    metrics_note_cycle(&metrics, &s.cycle, NULL, 1, &(struct metrics_clock){.now = 1});
    _cleanup_free_ char *all = metrics_text(&metrics, &extra);
    static const char *const unknown[] = {"\nvgpu_agent_allocations",
                                          "\nvgpu_agent_gpu_capacity{",
                                          "\nvgpu_agent_gpu_service{"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_null(strstr(all, unknown[i]));
    assert_non_null(strstr(all, "\nvgpu_agent_gpu_health{gpu=\"0000:84:00.0\""));
    metrics_clear(&metrics);
}

static void pages(void **state)
{
    (void)state;
    const struct metrics metrics = {0};
    const struct overview overview = {0};
    const struct problem_list problems = {0};
    struct error away, none = {0};
    (void)error_set(&away, ERROR_UNREACHABLE, "Placement is away");
    const struct {
        const char *path;
        int64_t last_end, now;
        const struct error *failure;
        unsigned status; /* 0: no page */
        const char *text;
    } cases[] = {
        {"/healthz", 0, 331000, &none, 200, "ok\n"},
        {"/healthz", 0, 332000, &none, 503, "the first cycle began 5 minutes ago\n"},
        {"/healthz", 1000, 330000, &none, 200, "ok\n"},
        {"/healthz", 1000, 332000, &none, 503, "the last cycle ended 5 minutes ago\n"},
        {"/healthz", 1000, 2000, &away, 200, "ok\n"},
        {"/readyz", 0, 1000, &none, 503, "the first cycle is not over\n"},
        {"/readyz", 1000, 2000, &none, 200, "ok\n"},
        {"/readyz", 1000, 2000, &away, 503, "Placement is away\n"},
        {"/metrics", 1000, 2000, &none, 200, NULL},
        {"/metrics/", 1000, 2000, &none, 0, NULL},
        {"/status.json", 1000, 2000, &away, 200, NULL},
        {"/", 1000, 2000, &none, 200, NULL},
        {"/index.html", 1000, 2000, &none, 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct daemon_state daemon = {.metrics = &metrics,
                                            .extra = {.monotonic = cases[i].now},
                                            .begin = 1000,
                                            .last_end = cases[i].last_end,
                                            .sync_interval = 10,
                                            .failure = cases[i].failure,
                                            .overview = &overview,
                                            .problems = &problems};
        struct http_page page = {0};
        pages_make(&daemon, cases[i].path, &page);
        assert_int_equal(page.status, cases[i].status);
        assert_true(!page.text == !cases[i].status);
        if (cases[i].text)
            assert_string_equal(page.text, cases[i].text);
        free(page.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpus_are_listed),
        cmocka_unit_test(without_placement),
        cmocka_unit_test(cards_are_joined),
        cmocka_unit_test(what_was_written_counts),
        cmocka_unit_test(lines_are_told),
        cmocka_unit_test(waiting_is_counted_from_its_begin),
        cmocka_unit_test(what_nova_compute_does_not_make_is_told),
        cmocka_unit_test(errors_are_counted_by_kind),
        cmocka_unit_test(the_host_is_told_while_placement_is_away),
        cmocka_unit_test(a_host_that_cannot_be_seen_says_nothing_of_placement),
        cmocka_unit_test(guests_are_told),
        cmocka_unit_test(nothing_yet),
        cmocka_unit_test(under_another_root_nothing_is_known),
        cmocka_unit_test(pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
