#include "agent/tree/ours.h"

#include "tests/unit/test.h"

#define ROOT "aaaaaaaa-0000-4000-8000-000000000001"
#define CHILD "bbbbbbbb-0000-4000-8000-000000000084"

static bool is_ours(const char *uuid, const char *name, enum agent_mode mode)
{
    struct provider root = {.name = (char[]){"host"}}, child = {.name = (char *)name};
    uuid_text_copy(root.uuid, ROOT);
    uuid_text_copy(child.uuid, uuid);
    return provider_is_ours(&child, &root, mode);
}

static void by_a_name_that_a_gpu_has(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool owner, nova_pci; /* whether it is ours in these modes */
    } cases[] = {
        {"host_pci_0000_84_00_0", true, true},
        {"host_mtty_mtty", true, true},
        {"host_0000:84:00.0", false, true},
        {"host_0000:C4:00.0", false, true},
        {"host_0000:c4:00.0", false, false},
        {"host_0000:84", false, false},
        {"an old name: of ours", false, false},
        {"host:Open vSwitch agent:br0", false, false},
        {"host_", false, false},
        {"hostpci_0000_84_00_0", false, false},
        {"other_pci_0000_84_00_0", false, false},
        {"other_0000:84:00.0", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (is_ours(CHILD, cases[i].name, MODE_OWNER) != cases[i].owner ||
            is_ours(CHILD, cases[i].name, MODE_NOVA_PCI) != cases[i].nova_pci)
            fail_msg("%s", cases[i].name);
}

static void by_the_uuid_that_the_agent_gives(void **state)
{
    (void)state;
    static const char name[] = "an old name: of ours";
    char computed[UUID_TEXT_SIZE];
    uuid5_text(ROOT, name, computed);
    assert_true(is_ours(computed, name, MODE_OWNER));
    assert_false(is_ours(computed, "another name: of ours", MODE_OWNER));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_a_name_that_a_gpu_has),
        cmocka_unit_test(by_the_uuid_that_the_agent_gives),
    };
    return cmocka_run_group_tests_name("ours", tests, NULL, NULL);
}
