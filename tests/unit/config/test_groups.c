#include <string.h>

#include "tests/unit/config/config_test.h"
#include "tests/unit/test.h"

#define ONE "[group_render]\ndevice_addresses = 0000:84:00.0\n"

static void groups_in_the_order_of_the_files(void **state)
{
    (void)state;
    _cleanup_(config_freep) struct config *config =
        load_text("[group_render]\n"
                  "device_addresses = 0000:85:00.0, 00000000:84:00.0\n"
                  "allocation = breadth-first\n"
                  "[group_ci-2]\n"
                  "device_addresses = 0000:86:00.0\n"
                  "[group_render]\n");
    assert_int_equal(config->group_count, 2);
    const struct group_config *group = config->groups;
    assert_string_equal(group[0].name, "render");
    assert_int_equal(group[0].allocation, ALLOCATE_BREADTH_FIRST);
    assert_int_equal(group[0].device_addresses.count, 2);
    assert_string_equal(group[0].device_addresses.items[1], "0000:84:00.0");
    assert_string_equal(group[1].name, "ci-2");
    assert_int_equal(group[1].allocation, ALLOCATE_DEPTH_FIRST);
}

static void problems_say_what_is_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problems[3];
    } cases[] = {
        {ONE "[group_ci]\ndevice_addresses = 0000:84:00.0\n",
         {"a.conf:4: group_ci.device_addresses: 0000:84:00.0 is also in "
          "group_render.device_addresses; expected in one group"}},
        {"[group_ci]\ndevice_addresses = 0000:84:00.0, 0000:84:00.0\n",
         {"a.conf:2: group_ci.device_addresses: 0000:84:00.0 is twice in the list; "
          "expected once"}},
        {"[group_ci]\ndevice_addresses = gpupci1\n",
         {"a.conf:2: group_ci.device_addresses: incorrect device address: gpupci1; "
          "expected the address of a GPU as `vgpu-agent gpus --wide` shows it"}},
        {"[group_ci]\nallocation = depth-first\n",
         {"a.conf:1: group_ci.device_addresses: not set; expected the addresses of the "
          "group's GPUs"}},
        {"[group_ci]\ndevice_addresses =\n",
         {"a.conf:2: group_ci.device_addresses: not set; expected the addresses of the "
          "group's GPUs"}},
        {ONE "allocation = sideways\n",
         {"a.conf:3: group_render.allocation: 'sideways' is not accepted; expected one "
          "of breadth-first, depth-first"}},
        {ONE "allocations = depth-first\n",
         {"a.conf:3: warning: group_render.allocations: unknown option; did you mean "
          "allocation?"}},
        {"[group_a b]\ndevice_addresses = 0000:84:00.0\n",
         {"a.conf:1: [group_a b]: this cannot be the name of a group; expected "
          "[group_<name>] with letters, digits, '-' and '_', 238 at most"}},
        {"[group_]\ndevice_addresses = 0000:84:00.0\n",
         {"a.conf:1: [group_]: this cannot be the name of a group; expected "
          "[group_<name>] with letters, digits, '-' and '_', 238 at most"}},
        {"[group_a-1]\ndevice_addresses = 0000:84:00.0\n"
         "[group_A_1]\ndevice_addresses = 0000:85:00.0\n",
         {"a.conf:3: [group_A_1]: [group_a-1] has the same trait; expected a name that "
          "differs in more than '-' and '_'"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_problems(cases[i].text, strlen(cases[i].text), cases[i].problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_in_the_order_of_the_files),
        cmocka_unit_test(problems_say_what_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
