/* One guest's job before a libvirt that fails, and whose guests change, at each call. */
#include "agent/attach/settle.h"

#include <string.h>

#include "tests/unit/agent/attach/devices.h"
#include "tests/unit/agent/attach/fake_libvirt.h"
#include "tests/unit/test.h"

struct scene {
    const char *what;
    const char *how, *live, *configured;
    int ports;
    const char *wanted, *ours;
    enum occasion occasion;
    const char *calls; /* where nothing fails */
    enum guest_state state;
};

static const struct scene scenes[] = {
    {"cold plug", "off", "", "", 1, "ab", "ab", OCCASION_DEFINED, "look a b look ",
     GUEST_CONFIGURED},
    {"cold plug of PCI devices", "off", "", "", 0, "pq", "pq", OCCASION_DEFINED,
     "look p q look ", GUEST_CONFIGURED},
    {"resize to another type", "off", "", "a", 1, "b", "ab", OCCASION_DEFINED,
     "look -a b look ", GUEST_CONFIGURED},
    {"all is there", "run", "a", "a", 1, "a", "a", OCCASION_STARTED, "look ",
     GUEST_ATTACHED},
    {"hot plug", "run", "", "", 1, "a", "a", OCCASION_STARTED, "look a* look ",
     GUEST_ATTACHED},
    {"the race was lost", "run", "", "a", 1, "a", "a", OCCASION_STARTED,
     "look a! look ", GUEST_ATTACHED},
    {"two devices, one port", "run", "", "", 1, "ab", "ab", OCCASION_STARTED,
     "look a* b* look b look ", GUEST_WAITS_FOR_PORT},
    {"two devices, one in the configuration, no port", "run", "", "a", 0, "ab", "ab",
     OCCASION_STARTED, "look a! look b look ", GUEST_WAITS_FOR_PORT},
    {"transient", "transient", "", "", 2, "ap", "ap", OCCASION_STARTED,
     "look p! a! look ", GUEST_ATTACHED},
    {"transient without a port", "transient", "", "", 0, "a", "a", OCCASION_STARTED,
     "look a! look ", GUEST_WAITS_FOR_PORT},
    {"live only", "run", "a", "", 0, "a", "a", OCCASION_LOOK, "look a look ",
     GUEST_ATTACHED},
    {"only a look", "run", "", "", 1, "a", "a", OCCASION_CHANGED, "look ",
     GUEST_MISSES},
    {"left until the next start", "run", "", "a", 1, "a", "a", OCCASION_LOOK, "look ",
     GUEST_AT_NEXT_START},
    {"restored, after the grace", "run", "", "a", 1, "a", "a", OCCASION_RESTORED,
     "look a! look ", GUEST_ATTACHED},
};
#define SCENES (sizeof scenes / sizeof *scenes)

static void set_up_scene(const struct scene *scene, struct fake_libvirt *fake,
                         struct settle_job *job)
{
    *fake = (struct fake_libvirt){.fail_at = -1, .change_at = -1};
    fake_add(fake, make_guest(SERVER(1), scene->how, scene->live, scene->configured),
             scene->ports);
    *job = (struct settle_job){.occasion = scene->occasion,
                               .ours = device_list(scene->ours)};
    uuid_text_copy(job->domain, SERVER(1));
    uuid_text_copy(job->wanted.consumer, SERVER(1));
    job->wanted.whole = true;
    add_wanted(&job->wanted, scene->wanted);
}

static void run(struct fake_libvirt *fake, const struct settle_job *job,
                struct settle_result *result)
{
    buffer_clear(&fake->log);
    settle(&fake_hypervisor, fake, job, result);
    buffer_add_char(&fake->log, 0);
}

/* What holds of each result, whatever happened. */
static void check_result(const struct fake_libvirt *fake,
                         const struct settle_result *result, const char *what)
{
    if (result->gone || result->unreachable || !*result->guest.uuid)
        assert_true(guest_equal(&result->guest, &(struct guest){0}));
    else if (!guest_equal(&result->guest, &fake->domains[0].guest))
        fail_msg("%s: the last look is older than a change of the job's own", what);
    bool failed = result->state == GUEST_FAILED;
    if (failed != (result->reason.code != ERROR_NONE))
        fail_msg("%s: state %d with the reason '%s'", what, (int)result->state,
                 result->reason.text);
    if (result->uncertain.count && !result->unreachable)
        fail_msg("%s: uncertain, and the connection stands", what);
    assert_true(fake->calls < 40);
}

static void goes_right_where_nothing_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCENES; i++) {
        struct fake_libvirt fake;
        _cleanup_settle_job_ struct settle_job job;
        _cleanup_settle_result_ struct settle_result result;
        set_up_scene(&scenes[i], &fake, &job);
        run(&fake, &job, &result);
        if (strcmp(fake.log.text, scenes[i].calls) != 0)
            fail_msg("%s: %s", scenes[i].what, fake.log.text);
        check_result(&fake, &result, scenes[i].what);
        if (result.state != scenes[i].state)
            fail_msg("%s: state %d", scenes[i].what, (int)result.state);
        fake_clear(&fake);
    }
}

/* After the fault another job of the same occasion ends as if there had been none, but
 * for what it may no longer try. */
static void run_again(const struct scene *scene, struct fake_libvirt *fake,
                      struct settle_job *job, const struct settle_result *before)
{
    struct settle_result result;
    fake->fail_at = fake->change_at = -1;
    fake->calls = 0;
    job->no_port = before->no_port;
    run(fake, job, &result);
    check_result(fake, &result, scene->what);
    if (!before->no_port && result.state != scene->state)
        fail_msg("%s: ends in state %d: %s", scene->what, (int)result.state,
                 result.reason.text);
    settle_result_clear(&result);
}

/* Whether what the job said of that failure is right. */
static void check_failure(const struct scene *scene, enum hypervisor_failure failure,
                          bool in_look, const struct settle_result *result)
{
    const char *what = scene->what;
    if (failure == HYPERVISOR_UNREACHABLE) {
        if (!result->unreachable || (in_look && result->uncertain.count))
            fail_msg("%s: unreachable was not said", what);
    } else if (failure == HYPERVISOR_NO_DOMAIN) {
        if (!result->gone)
            fail_msg("%s: gone was not said", what);
    } else if (in_look && result->state != GUEST_FAILED)
        fail_msg("%s: a look has failed in silence", what);
    else if (in_look && *result->guest.uuid)
        fail_msg("%s: a guest that could not be looked at is reported", what);
}

static bool is_look(const struct fake_libvirt *fake, int number)
{
    const char *call = fake->log.text;
    for (int i = 0; i < number; i++)
        call = strchr(call, ' ') + 1;
    return strncmp(call, "look", 4) == 0;
}

static void each_call_fails_in_each_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCENES; i++)
        for (int at = 0; at < 5; at++)
            for (int failure = 0; failure <= HYPERVISOR_UNREACHABLE; failure++)
                for (int after = 0; after < 2; after++) {
                    struct fake_libvirt fake;
                    _cleanup_settle_job_ struct settle_job job;
                    _cleanup_settle_result_ struct settle_result result;
                    set_up_scene(&scenes[i], &fake, &job);
                    fake.fail_at = at;
                    fake.failure = (enum hypervisor_failure)failure;
                    fake.after_effect = after;
                    run(&fake, &job, &result);
                    check_result(&fake, &result, scenes[i].what);
                    if (fake.has_failed)
                        check_failure(&scenes[i], fake.failure, is_look(&fake, at),
                                      &result);
                    run_again(&scenes[i], &fake, &job, &result);
                    fake_clear(&fake);
                }
}

/* A refused device does not keep the others out. */
static void a_refusal_stops_no_other_device(void **state)
{
    (void)state;
    struct fake_libvirt fake;
    _cleanup_settle_job_ struct settle_job job;
    _cleanup_settle_result_ struct settle_result result;
    set_up_scene(&scenes[0], &fake, &job);
    fake.fail_at = 1;
    fake.failure = HYPERVISOR_ELSEWHERE;
    run(&fake, &job, &result);
    assert_string_equal(fake.log.text, "look a b look ");
    assert_int_equal(result.state, GUEST_FAILED);
    char address[DEVICE_ADDRESS_SIZE], expected[200];
    snprintf(expected, sizeof expected, "%s: attach to the configuration: made to fail",
             device_address('a', address));
    assert_string_equal(result.reason.text, expected);
    assert_int_equal(result.guest.configured.count, 1);
    fake_clear(&fake);
}

/* Its start takes long: nothing was refused. */
static void a_busy_guest_is_told_apart(void **state)
{
    (void)state;
    static const enum hypervisor_failure failures[] = {HYPERVISOR_BUSY,
                                                       HYPERVISOR_REFUSED};
    for (size_t i = 0; i < 2; i++) {
        struct fake_libvirt fake;
        _cleanup_settle_job_ struct settle_job job;
        _cleanup_settle_result_ struct settle_result result;
        set_up_scene(&scenes[0], &fake, &job);
        fake.fail_at = 1;
        fake.failure = failures[i];
        run(&fake, &job, &result);
        assert_int_equal(result.busy, failures[i] == HYPERVISOR_BUSY);
        assert_int_equal(result.state, GUEST_FAILED);
        fake_clear(&fake);
    }
}

/* The reply was lost: what was asked may still come to pass. */
static void an_attach_without_a_reply_is_uncertain(void **state)
{
    (void)state;
    char address[DEVICE_ADDRESS_SIZE];
    for (int at = 1; at < 3; at++) {
        struct fake_libvirt fake;
        _cleanup_settle_job_ struct settle_job job;
        _cleanup_settle_result_ struct settle_result result;
        set_up_scene(&scenes[2], &fake, &job);
        fake.fail_at = at; /* 1: the removal, 2: the attach */
        fake.failure = HYPERVISOR_UNREACHABLE;
        run(&fake, &job, &result);
        assert_int_equal(result.uncertain.count, at == 2);
        if (at == 2)
            assert_string_equal(result.uncertain.items[0],
                                device_address('b', address));
        fake_clear(&fake);
    }
}

static void (*const changes[])(struct fake_domain *) = {fake_start, fake_stop,
                                                        fake_undefine, fake_use_ports};

/* Whatever happens to the guest between two calls, the job ends, and says how the guest
 * is. */
static void the_guest_changes_before_each_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCENES; i++)
        for (int at = 0; at < 6; at++)
            for (size_t c = 0; c < sizeof changes / sizeof *changes; c++) {
                struct fake_libvirt fake;
                _cleanup_settle_job_ struct settle_job job;
                _cleanup_settle_result_ struct settle_result result;
                set_up_scene(&scenes[i], &fake, &job);
                fake.change_at = at;
                fake.change = changes[c];
                run(&fake, &job, &result);
                check_result(&fake, &result, scenes[i].what);
                assert_int_equal(result.gone, !fake.domains[0].exists);
                fake_clear(&fake);
            }
}

/* The configuration's attach waited for a whole start. How the guest was started tells
 * its event, so that the job leaves it there. */
static void waits_through_a_start(void **state)
{
    (void)state;
    struct fake_libvirt fake;
    _cleanup_settle_job_ struct settle_job job;
    struct settle_result result;
    set_up_scene(&scenes[0], &fake, &job);
    fake.change_at = 1;
    fake.change = fake_start;
    run(&fake, &job, &result);
    assert_string_equal(fake.log.text, "look a b look ");
    assert_int_equal(result.state, GUEST_AT_NEXT_START);
    settle_result_clear(&result);

    fake.domains[0].ports = 2;
    job.occasion = OCCASION_STARTED;
    run(&fake, &job, &result);
    assert_string_equal(fake.log.text, "look a! b! look ");
    assert_int_equal(result.state, GUEST_ATTACHED);
    settle_result_clear(&result);
    fake_clear(&fake);
}

/* The guest is stopped before each hot plug, and started before each cold plug. */
static void turn(struct fake_domain *domain)
{
    if (domain->guest.running)
        fake_stop(domain);
    else
        fake_start(domain);
}

static void a_guest_that_stops_is_given_its_devices_cold(void **state)
{
    (void)state;
    struct fake_libvirt fake;
    _cleanup_settle_job_ struct settle_job job;
    _cleanup_settle_result_ struct settle_result result;
    set_up_scene(&scenes[4], &fake, &job);
    fake.change_at = 1;
    fake.change = turn;
    run(&fake, &job, &result);
    assert_string_equal(fake.log.text, "look a* look a look ");
    assert_int_equal(result.state, GUEST_CONFIGURED);
    fake_clear(&fake);
}

/* libvirt says yes (or "there"), and the XML never has the device. */
static int say_so(void *connection, const char *domain,
                  const struct attach_action *action, enum hypervisor_failure *failure,
                  struct error *err)
{
    (void)domain;
    (void)action;
    struct fake_libvirt *fake = connection;
    fake->calls++;
    if (fake->failure != HYPERVISOR_THERE)
        return 0;
    *failure = fake->failure;
    return error_set(err, ERROR_EXISTS, "it is there");
}

static void what_is_never_seen_is_a_failure_and_ends(void **state)
{
    (void)state;
    struct hypervisor liar = fake_hypervisor;
    liar.act = say_so;
    for (int there = 0; there < 2; there++) {
        struct fake_libvirt fake;
        _cleanup_settle_job_ struct settle_job job;
        _cleanup_settle_result_ struct settle_result result;
        set_up_scene(&scenes[1], &fake, &job);
        fake.failure = there ? HYPERVISOR_THERE : HYPERVISOR_REFUSED;
        settle(&liar, &fake, &job, &result);
        assert_int_equal(result.state, GUEST_FAILED);
        assert_non_null(strstr(result.reason.text,
                               there ? "it is there" : "lacks its devices after 4"));
        assert_int_equal(fake.calls, SETTLE_ROUNDS * 3 + 1);
        fake_clear(&fake);
    }
}

static void without_an_entry_it_only_looks(void **state)
{
    (void)state;
    struct fake_libvirt fake;
    _cleanup_settle_job_ struct settle_job job;
    _cleanup_settle_result_ struct settle_result result;
    set_up_scene(&scenes[2], &fake, &job);
    wanted_clear(&job.wanted);
    run(&fake, &job, &result);
    assert_string_equal(fake.log.text, "look ");
    assert_int_equal(result.state, GUEST_CONFIGURED);
    fake_clear(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_right_where_nothing_fails),
        cmocka_unit_test(each_call_fails_in_each_way),
        cmocka_unit_test(a_refusal_stops_no_other_device),
        cmocka_unit_test(a_busy_guest_is_told_apart),
        cmocka_unit_test(an_attach_without_a_reply_is_uncertain),
        cmocka_unit_test(the_guest_changes_before_each_call),
        cmocka_unit_test(waits_through_a_start),
        cmocka_unit_test(a_guest_that_stops_is_given_its_devices_cold),
        cmocka_unit_test(what_is_never_seen_is_a_failure_and_ends),
        cmocka_unit_test(without_an_entry_it_only_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
