#include "lib/clock.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/sim/simulated.h"

#define UUID(n) "11111111-2222-3333-4444-55555555555" #n
#define DEVICE(n) "devices/pci0000:00/0000:0" #n ":00.0"
#define TYPE(n) DEVICE(n) "/mdev_supported_types/nvidia-1"

static const char host[] =
    "{\"models\": {\"m\": {\"vendor\": \"0x10de\", \"device\": \"0x13bd\", "
    "\"driver\": \"nvidia\", \"types\": [{\"id\": \"nvidia-1\", \"instances\": 9}]}},"
    "\"cards\": [{\"model\": \"m\", \"path\": \"pci0000:00/0000:{x}:00.0\", "
    "\"first\": 1, \"count\": 2}]}";

static void refuses_what_it_does_not_understand(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        int rc;
    } cases[] = {
        {"", -EINVAL},
        {"dance", -EINVAL},
        {"fail", -EINVAL},
        {"fail create", -EINVAL},
        {"fail create EWHAT", -EINVAL},
        {"fail dance EIO", -EINVAL},
        {"fail unlink EIO", -EINVAL},
        {"fail create EIO nth", -EINVAL},
        {"fail create EIO nth 0", -EINVAL},
        {"fail create EIO nth x", -EINVAL},
        {"fail create EIO on", -EINVAL},
        {"fail create EIO on 0000:09:00.0", -ENOENT},
        {"fail create EIO on 0000:01:00.0 every", -EINVAL},
        {"delay create soon", -EINVAL},
        {"delay create -1", -EINVAL},
        {"block", -EINVAL},
        {"block create now", -EINVAL},
        {"unblock all", -EINVAL},
        {"hold " UUID(1), -ENOENT},
        {"unhold " UUID(1), -ENOENT},
        {"lose 0000:09:00.0", -ENOENT},
        {"unplug 0000:09:00.0", -ENOENT},
        {"unbind", -EINVAL},
        {"bind 0000:01:00.0", -ENODEV},
        {"numvfs 0000:01:00.0 1", -ERANGE},
        {"numvfs 0000:01:00.0 x", -EINVAL},
        {"a b c d e f g h i j k", -EINVAL},
    };
    struct sim *sim = simulated_host(host);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int rc = simulated_store(sim, ".mdevsim/control", cases[i].command);
        if (rc != cases[i].rc)
            fail_msg("%s: %d", cases[i].command, rc);
    }
    assert_int_equal(sim->faults.count, 0);
    assert_shows(sim, ".mdevsim/stores", "");
    sim_free(sim);
}

static void rules_bite_when_they_should(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(host);
    simulated_control(sim, "fail create EBUSY nth 2 on 0000:01:00.0\n");
    simulated_control(sim, "fail create EIO every on 0000:02:00.0");
    assert_int_equal(simulated_store(sim, TYPE(2) "/create", UUID(1)), -EIO);
    assert_int_equal(simulated_store(sim, TYPE(2) "/create", UUID(1)), -EIO);
    assert_int_equal(simulated_store(sim, TYPE(1) "/create", UUID(1)), 0);
    assert_int_equal(simulated_store(sim, TYPE(1) "/create", UUID(2)), -EBUSY);
    assert_int_equal(simulated_store(sim, TYPE(1) "/create", UUID(2)), 0);
    simulated_control(sim, "clear");
    assert_int_equal(simulated_store(sim, TYPE(2) "/create", UUID(3)), 0);
    assert_shows(sim, TYPE(1) "/available_instances", "7\n");

    /* As kernels before the core's remove could not fail: nothing has changed. */
    simulated_control(sim, "fail remove EBUSY");
    assert_int_equal(simulated_store(sim, DEVICE(1) "/" UUID(1) "/remove", "1"),
                     -EBUSY);
    assert_there(sim, DEVICE(1) "/" UUID(1) "/mdev_type", true);
    assert_int_equal(simulated_store(sim, DEVICE(1) "/" UUID(1) "/remove", "1"), 0);
    sim_free(sim);
}

static void delays_take_their_time(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(host);
    simulated_control(sim, "delay create 20");
    int64_t begin = clock_monotonic_ns();
    assert_int_equal(simulated_store(sim, TYPE(1) "/create", UUID(1)), 0);
    assert_true(clock_monotonic_ns() - begin >= 20000000);
    sim_free(sim);
}

static void stopping_lets_all_go(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(host);
    assert_int_equal(simulated_store(sim, TYPE(1) "/create", UUID(1)), 0);
    simulated_control(sim, "hold " UUID(1));
    simulated_control(sim, "block create every");
    simulated_control(sim, "delay create 600000 on 0000:02:00.0");
    struct background_store stores[] = {{sim, DEVICE(1) "/" UUID(1) "/remove", "1"},
                                        {sim, TYPE(1) "/create", UUID(2)},
                                        {sim, TYPE(2) "/create", UUID(3)}};
    for (size_t i = 0; i < 3; i++)
        background_begin(&stores[i]);
    await_node(sim, "bus/mdev/devices/" UUID(1), false);
    await_node(sim, "bus/mdev/devices/" UUID(2), true);
    await_node(sim, "bus/mdev/devices/" UUID(3), true);
    sim_stop(sim);
    for (size_t i = 0; i < 3; i++)
        background_end(&stores[i]);
    sim_free(sim);
}

static void stores_are_listed(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(host);
    assert_int_equal(simulated_store(sim, TYPE(1) "/create", "\x01\"" UUID(1)),
                     -EINVAL);
    struct background_store create = {sim, TYPE(1) "/create", UUID(1)};
    simulated_control(sim, "block create");
    background_begin(&create);
    await_node(sim, "bus/mdev/devices/" UUID(1), true);
    assert_shows(sim, ".mdevsim/stores",
                 "{\"path\":\"" TYPE(1) "/create\",\"value\":\"?\\\"" UUID(
                     1) "\",\"result\":\"EINVAL\"}\n"
                        "{\"path\":\"" TYPE(1) "/create\",\"value\":\"" UUID(
                            1) "\",\"result\":\"pending\"}\n");
    /* One that is forgotten while it waits does not come back. */
    simulated_control(sim, "forget");
    simulated_control(sim, "unblock");
    assert_int_equal(background_end(&create), 0);
    assert_shows(sim, ".mdevsim/stores", "");
    assert_int_equal(simulated_store(sim, DEVICE(1) "/" UUID(1) "/remove", "1\n"), 0);
    assert_shows(sim, ".mdevsim/stores",
                 "{\"path\":\"" DEVICE(1) "/" UUID(
                     1) "/remove\",\"value\":\"1\\n\",\"result\":\"OK\"}\n");
    sim_free(sim);
}

static void guest_parameters(void **state)
{
    (void)state;
#define PARAMETERS DEVICE(1) "/" UUID(1) "/nvidia/vgpu_params"
    struct sim *sim = simulated_host(host);
    assert_int_equal(simulated_store(sim, TYPE(1) "/create", UUID(1)), 0);
    assert_int_equal(simulated_store(sim, PARAMETERS, "a=1, b=2\n"), 0);
    assert_shows(sim, PARAMETERS, "a=1, b=2\n");
    assert_int_equal(simulated_store(sim, PARAMETERS, "nonsense"), -EINVAL);
    simulated_control(sim, "hold " UUID(1) " instance-1");
    assert_shows(sim, DEVICE(1) "/" UUID(1) "/nvidia/vm_name", "instance-1\n");
    assert_int_equal(simulated_store(sim, PARAMETERS, " "), -EPERM);
    simulated_control(sim, "unhold " UUID(1));
    assert_int_equal(simulated_store(sim, PARAMETERS, " "), 0);
    assert_shows(sim, PARAMETERS, "\n");
    simulated_control(sim, "fail parameters EBUSY");
    assert_int_equal(simulated_store(sim, PARAMETERS, "a=1"), -EBUSY);
    assert_shows(sim, PARAMETERS, "\n");
    simulated_control(sim, "delay parameters 1");
    assert_int_equal(simulated_store(sim, PARAMETERS, "a=1"), 0);
    assert_shows(sim, PARAMETERS, "a=1\n");
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_it_does_not_understand),
        cmocka_unit_test(rules_bite_when_they_should),
        cmocka_unit_test(delays_take_their_time),
        cmocka_unit_test(stopping_lets_all_go),
        cmocka_unit_test(stores_are_listed),
        cmocka_unit_test(guest_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
