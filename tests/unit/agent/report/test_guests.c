#include "agent/report/guests_file.h"
#include "agent/state/attach_left.h"

#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

#define CONSUMER "00000000-0000-4000-8000-0000000000c1"
#define MIGRATION "00000000-0000-4000-8000-0000000000c2"
#define A "00000000-0000-4000-8000-00000000000a"
#define B "00000000-0000-4000-8000-00000000000b"
#define C "00000000-0000-4000-8000-00000000000c" /* nobody's */

static void add_allocation(struct plan *plan, const char *consumer,
                           enum allocation_state state, int64_t amount,
                           const char *device)
{
    struct allocation_status *status =
        array_add(plan->allocations, plan->allocation_count);
    uuid_parse_text(consumer, status->consumer);
    status->provider_name = xstrdup("gpu");
    status->state = state;
    status->amount = amount;
    if (device)
        strlist_add(&status->devices, device);
}

/* A consumer with two devices, and a migration, on a host with a third device. */
static void note_plan_of(struct guests *guests, enum agent_mode mode)
{
    struct device devices[] = {{.address = A}, {.address = B}, {.address = C}};
    struct parent parent = {
        .name = (char[]){"p"}, .devices = devices, .device_count = 3};
    struct gpu gpu = {.name = (char[]){"p"}, .parents = &parent, .parent_count = 1};
    struct host host = {.gpus = &gpu, .gpu_count = 1};
    struct config config = {.agent.mode = mode};
    struct plan *plan = xcalloc(1, sizeof *plan);
    struct cycle cycle = {.config = &config, .journal = journal_new(), .host = &host};
    array_add(cycle.rounds, cycle.round_count)->plan = plan;
    add_allocation(plan, CONSUMER, ALLOCATION_READY, 1, A);
    add_allocation(plan, CONSUMER, ALLOCATION_PENDING, 1, B);
    add_allocation(plan, MIGRATION, ALLOCATION_MIGRATING, 1, NULL);
    guests_note_plan(guests, &cycle);
    journal_free((struct journal *)cycle.journal);
    cycle.host = NULL;
    cycle_clear(&cycle);
}

static void note_plan(struct guests *guests)
{
    note_plan_of(guests, MODE_OWNER);
}

static void add(struct strlist *list, const char *letters)
{
    static const char *const addresses[] = {A, B, C};
    for (; *letters; letters++)
        strlist_add(list, addresses[*letters - 'a']);
}

/* The guest as libvirt has it, and what follows. */
static const struct {
    const char *what;
    bool exists, running;
    const char *live, *configured; /* letters of the devices */
    bool sees_running, sees_defined;
    enum guest_state word; /* of the program; ABSENT: none */
    const char *state;
    bool lacks;
} cases[] = {
    {"no domain", false, false, "", "", true, true, GUEST_ABSENT, "absent", false},
    {"no domain can be seen", false, false, "", "", false, false, GUEST_ABSENT,
     "unknown", false},
    {"nor those that run", true, false, "", "ab", false, true, GUEST_ABSENT, "unknown",
     false},
    {"nor those that do not", false, false, "", "", true, false, GUEST_ABSENT,
     "unknown", false},
    {"one that runs can be seen", true, true, "ab", "", true, false, GUEST_ABSENT,
     "attached", false},
    {"configured", true, false, "", "ab", true, true, GUEST_ABSENT, "configured",
     false},
    {"half configured", true, false, "", "a", true, true, GUEST_ABSENT, "misses",
     false},
    {"attached", true, true, "ab", "ab", true, true, GUEST_ABSENT, "attached", false},
    {"one of two", true, true, "a", "a", true, true, GUEST_ABSENT, "misses", true},
    {"at its next start", true, true, "", "ab", true, true, GUEST_ABSENT,
     "at_next_start", true},
    {"no port", true, true, "", "ab", true, true, GUEST_WAITS_FOR_PORT,
     "waits_for_port", true},
    {"refused", true, true, "", "", true, true, GUEST_FAILED, "failed", true},
    {"refused, and there all the same", true, true, "ab", "", true, true, GUEST_FAILED,
     "attached", false},
    {"refused, and gone", false, false, "", "", true, true, GUEST_FAILED, "absent",
     false},
};

static void how_a_guest_stands(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_guests_ struct guests guests = {0};
        _cleanup_domains_ struct domains domains = {0};
        struct guest_word word = {CONSUMER, cases[i].word, NULL};
        note_plan(&guests);
        assert_int_equal(guests.count, 1);
        assert_int_equal(guests.rows[0].units, 2);
        if (cases[i].exists) {
            struct domain *domain = domains_add(&domains, CONSUMER);
            domain->running = cases[i].running;
            add(&domain->live, cases[i].live);
            add(&domain->configured, cases[i].configured);
        }
        const struct guests_sight sight = {
            .domains = &domains,
            .sees_running = cases[i].sees_running,
            .sees_defined = cases[i].sees_defined,
            .words = &word,
            .word_count = cases[i].word != GUEST_ABSENT,
            .now = 100,
            .time = 7,
        };
        guests_note_domains(&guests, &sight);
        const struct guest_row *row = guests_find(&guests, CONSUMER);
        if (strcmp(guest_row_state(row), cases[i].state) != 0 ||
            (row->lacking_since == 100) != cases[i].lacks || row->since != 7)
            fail_msg("%s: %s since %lld", cases[i].what, guest_row_state(row),
                     (long long)row->lacking_since);
    }
}

static void look(struct guests *guests, const struct domains *domains, int64_t now)
{
    const struct guests_sight sight = {domains, true,          true, NULL,
                                       0,       "nobody does", now,  1000 + now};
    guests_note_domains(guests, &sight);
}

static void a_minute_without_is_told(void **state)
{
    (void)state;
    _cleanup_guests_ struct guests guests = {0};
    _cleanup_domains_ struct domains domains = {0};
    _cleanup_problem_list_ struct problem_list problems = {0};
    note_plan(&guests);
    struct domain *domain = domains_add(&domains, CONSUMER);
    domain->running = true;
    look(&guests, &domains, 10);
    assert_int_equal(guests_problems(&guests, 10, &problems), 10 + GUESTS_PATIENCE);
    /* Another cycle, and another way to lack it: the minute goes on. */
    note_plan(&guests);
    add(&domain->configured, "ab");
    look(&guests, &domains, 60);
    assert_int_equal(guests.rows[0].since, 1060);
    assert_int_equal(guests_problems(&guests, 69, &problems), 10 + GUESTS_PATIENCE);
    assert_int_equal(problems.count, 0);
    assert_int_equal(guests_problems(&guests, 70, &problems), -1);
    assert_string_equal(problems.items[0].text,
                        "the guest of consumer " CONSUMER
                        " runs for more than a minute without what is allocated to it "
                        "(at_next_start): its configuration has it, so that its next "
                        "start gives it");
    problems_clear(&problems);
    add(&domain->live, "ab");
    look(&guests, &domains, 80);
    assert_int_equal(guests_problems(&guests, 1000, &problems), -1);
    assert_int_equal(problems.count, 0);
    /* It begins anew. */
    strlist_clear(&domain->live);
    strlist_clear(&domain->configured);
    look(&guests, &domains, 90);
    assert_int_equal(guests_problems(&guests, 100, &problems), 90 + GUESTS_PATIENCE);
    assert_string_equal(guests.rows[0].reason, "nobody does");
}

/* As after a resize that came between. */
static void a_minute_with_too_much_is_told(void **state)
{
    (void)state;
    _cleanup_guests_ struct guests guests = {0};
    _cleanup_domains_ struct domains domains = {0};
    _cleanup_problem_list_ struct problem_list problems = {0};
    note_plan(&guests);
    struct domain *domain = domains_add(&domains, CONSUMER);
    domain->running = true;
    add(&domain->live, "abc");
    strlist_add(&domain->live, "0000:05:00.0"); /* its network card */
    look(&guests, &domains, 10);
    assert_string_equal(guest_row_state(&guests.rows[0]), "attached");
    assert_int_equal(guests_problems(&guests, 10, &problems), 10 + GUESTS_PATIENCE);
    note_plan(&guests);
    look(&guests, &domains, 60);
    assert_int_equal(guests_problems(&guests, 69, &problems), 10 + GUESTS_PATIENCE);
    assert_int_equal(problems.count, 0);
    assert_int_equal(guests_problems(&guests, 70, &problems), -1);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].text,
                        "the guest of consumer " CONSUMER
                        " runs for more than a minute with " C
                        ", which is not allocated to it; nobody else gets that before "
                        "the guest stops");
    problems_clear(&problems);
    domain->running = false;
    look(&guests, &domains, 80);
    assert_int_equal(guests_problems(&guests, 1000, &problems), -1);
    assert_int_equal(problems.count, 0);
    /* Which devices a guest has is nova-compute's matter. */
    note_plan_of(&guests, MODE_NOVA);
    domain->running = true;
    look(&guests, &domains, 90);
    assert_int_equal(guests_problems(&guests, 1000, &problems), -1);
}

#define PROVIDER "00000000-0000-4000-8000-0000000000d1"
#define STRANGER "00000000-0000-4000-8000-0000000000c3"

/* Whose device C is, and what is known of its provider. */
static const struct {
    const char *what;
    bool read, consumer; /* the provider was; the domain's uuid has something of it */
    const char *migration;
    bool adopted, by_hand;
    enum agent_mode mode;
    bool told;
} strangers[] = {
    {"the agent's, and nothing is allocated", true, false, "", false, false, MODE_OWNER,
     true},
    {"its provider was not read", false, false, "", false, false, MODE_OWNER, false},
    {"it is a consumer of what the agent leaves alone", true, true, "", false, false,
     MODE_OWNER, false},
    {"it stands for a migration", true, false, MIGRATION, false, false, MODE_OWNER,
     false},
    {"somebody else made it", true, false, "", true, false, MODE_OWNER, false},
    {"made by hand", true, false, "", false, true, MODE_OWNER, false},
    {"nova-compute's matter", true, false, "", false, false, MODE_NOVA, false},
};

static void note_stranger(struct guests *guests, size_t at)
{
    struct host host = {0};
    struct config config = {.agent.mode = strangers[at].mode};
    struct provider_allocation allocation = {.consumer = STRANGER};
    struct observed_provider provider = {
        .detailed = strangers[at].read,
        .allocations = &allocation,
        .allocation_count = strangers[at].consumer,
    };
    uuid_parse_text(PROVIDER, provider.provider.uuid);
    struct observed observed = {.providers = &provider, .provider_count = 1};
    struct journal_device device = {.address = C,
                                    .uuid = C,
                                    .provider = PROVIDER,
                                    .consumer = CONSUMER,
                                    .adopted = strangers[at].adopted,
                                    .by_hand = strangers[at].by_hand};
    uuid_text_copy(device.migration, strangers[at].migration);
    struct cycle cycle = {.config = &config,
                          .journal = journal_new(),
                          .host = &host,
                          .observed = &observed};
    array_add(cycle.rounds, cycle.round_count)->plan = xcalloc(1, sizeof(struct plan));
    journal_put_device((struct journal *)cycle.journal, &device);
    guests_note_plan(guests, &cycle);
    journal_free((struct journal *)cycle.journal);
    cycle.host = NULL;
    cycle.observed = NULL;
    cycle_clear(&cycle);
}

/* As a server's whose whole allocation was deleted, or a copy of its definition. */
static void a_minute_without_any_allocation_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        _cleanup_guests_ struct guests guests = {0};
        _cleanup_domains_ struct domains domains = {0};
        _cleanup_problem_list_ struct problem_list problems = {0};
        struct domain *domain = domains_add(&domains, STRANGER);
        domain->running = true;
        add(&domain->live, "c");
        note_stranger(&guests, i);
        look(&guests, &domains, 10);
        int64_t due = strangers[i].told ? 10 + GUESTS_PATIENCE : -1;
        if (guests_problems(&guests, 10, &problems) != due)
            fail_msg("%s: due at another time", strangers[i].what);
        note_stranger(&guests, i);
        look(&guests, &domains, 60);
        (void)guests_problems(&guests, 70, &problems);
        if (problems.count != strangers[i].told)
            fail_msg("%s: %zu problems", strangers[i].what, problems.count);
        if (problems.count)
            assert_string_equal(
                problems.items[0].text,
                "the guest " STRANGER " runs for more than a minute with " C
                ", and nothing is allocated to it; nobody else gets that "
                "before the guest stops");
        problems_clear(&problems);
        domain->running = false;
        look(&guests, &domains, 80);
        assert_int_equal(guests_problems(&guests, 1000, &problems), -1);
        assert_int_equal(guests.count + guests.stranger_count + problems.count, 0);
    }
}

static void commands_read_what_the_daemon_has_noted(void **state)
{
    (void)state;
    char *folder = tree_new(), *path = xasprintf("%s/state.json", folder);
    _cleanup_guests_report_ struct guests_report report = {.attaches = true,
                                                           .may_be_left = true},
                                                 read = {0}, again = {0};
    struct guests_file file = {0};
    struct domains domains = {0};
    struct error err = {0};
    assert_int_equal(attach_left_until(path, 100), 0);
    note_plan(&report.guests);
    look(&report.guests, &domains, 10);
    problems_add(&report.problems, "guest", "not\nwell \"at all\"");
    assert_int_equal(guests_file_write(&file, path, &report, &err), 0);
    assert_int_equal(guests_file_read(path, getpid(), &read, &err), 0);
    assert_true(read.attaches);
    assert_null(read.reason);
    assert_string_equal(guest_row_state(guests_find(&read.guests, CONSUMER)), "absent");
    assert_int_equal(read.guests.rows[0].since, 1010);
    assert_string_equal(read.problems.items[0].text, "not\nwell \"at all\"");
    assert_int_equal(guests_file_read(path, 1, &read, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    /* The first process that finds it left begins the time, and it is over once. */
    assert_int_equal(attach_left_until(path, 100), 100 + ATTACH_LEFT_TIME);
    assert_int_equal(attach_left_until(path, 99 + ATTACH_LEFT_TIME),
                     100 + ATTACH_LEFT_TIME);
    assert_int_equal(attach_left_until(path, 100 + ATTACH_LEFT_TIME), 0);
    assert_int_equal(guests_file_read(path, getpid(), &again, &err), 0);
    guests_file_remove(&file, path);
    assert_int_equal(attach_left_until(path, 100), 0);
    /* Of a daemon that attached nothing. */
    report.attaches = report.may_be_left = false;
    assert_int_equal(guests_file_write(&file, path, &report, &err), 0);
    assert_int_equal(attach_left_until(path, 100), 0);
    guests_file_remove(&file, path);
    free(path);
    tree_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_a_guest_stands),
        cmocka_unit_test(a_minute_without_is_told),
        cmocka_unit_test(a_minute_with_too_much_is_told),
        cmocka_unit_test(a_minute_without_any_allocation_is_told),
        cmocka_unit_test(commands_read_what_the_daemon_has_noted),
    };
    return cmocka_run_group_tests_name("guests", tests, NULL, NULL);
}
