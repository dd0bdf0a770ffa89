/* config_load: whole files in, a struct config or the exact problems out. */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/config/config_test.h"
#include "tests/unit/test.h"

static void defaults_are_filled_in(void **state)
{
    (void)state;
    _cleanup_(config_freep) struct config *config = load_text("");
    assert_int_equal(config->agent.mode, MODE_OWNER);
    assert_int_equal(config->agent.sync_interval, 10);
    assert_int_equal(config->agent.release_grace, 300);
    assert_string_equal(config->agent.state_file, "/var/lib/vgpu-agent/state.json");
    assert_string_equal(config->agent.sysfs_root, "/sys");
    assert_string_equal(config->agent.host_root, "/");
    assert_int_equal(config->agent.log_level, LOG_LEVEL_INFO);
    assert_null(config->agent.listen);
    assert_null(config->placement.auth_type);
    assert_int_equal(config->placement.valid_interfaces.count, 2);
    assert_int_equal(config->type_count, 0);
}

static void the_host_of_novas_guide(void **state)
{
    (void)state;
    _cleanup_(config_freep) struct config *config =
        load_text("[devices]\n"
                  "enabled_mdev_types = nvidia-35, nvidia-36\n"
                  "[mdev_nvidia-35]\n"
                  "device_addresses = 0000:84:00.0,0000:85:00.0\n"
                  "[mdev_nvidia-36]\n"
                  "device_addresses = 0000:86:00.0\n");
    assert_int_equal(config->type_count, 2);
    assert_string_equal(config->types[0].type, "nvidia-35");
    assert_int_equal(config->types[0].place.line, 2);
    assert_int_equal(config->types[0].device_addresses.count, 2);
    assert_string_equal(config->types[0].device_addresses.items[1], "0000:85:00.0");
    assert_int_equal(config->types[0].addresses_place.line, 4);
    assert_string_equal(config->types[0].mdev_class, "VGPU");
    assert_int_equal(config->types[0].max_instances, 0);
    assert_string_equal(config->types[1].device_addresses.items[0], "0000:86:00.0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(the_host_of_novas_guide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
