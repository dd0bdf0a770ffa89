#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

#include "agent/plan/steps/text.h"
#include "lib/xalloc.h"

#define UUID_A "11111111-1111-5111-8111-111111111111"
#define UUID_B "22222222-2222-5222-8222-222222222222"

static struct step *add(struct plan *plan, enum step_kind kind)
{
    struct step *step = array_add(plan->steps, plan->step_count);
    step->kind = kind;
    return step;
}

static void concern(struct step *step)
{
    step->gpu = xstrdup("0000:84:00.0");
    uuid_text_copy(step->provider, UUID_A);
    step->provider_name = xstrdup("h_pci_0000_84_00_0");
}

static struct plan *example(void)
{
    struct plan *plan = xcalloc(1, sizeof *plan);
    add(plan, STEP_CREATE_TRAIT)->name = xstrdup("CUSTOM_A");
    struct step *step = add(plan, STEP_SET_INVENTORY);
    concern(step);
    struct class_inventory *item = array_add(step->inventories, step->inventory_count);
    item->resource_class = xstrdup("VGPU");
    item->inventory = (struct inventory){16, 2, 1, 16, 1, 1.0};
    step = add(plan, STEP_SET_TRAITS);
    concern(step);
    strlist_add(&step->traits, "CUSTOM_A");
    strlist_add(&step->traits, "CUSTOM_B");
    step = add(plan, STEP_CREATE_DEVICE);
    concern(step);
    uuid_text_copy(step->device.uuid, UUID_B);
    uuid_text_copy(step->device.consumer, UUID_A);
    step->device.resource_class = xstrdup("VGPU");
    step->device.parent = xstrdup("0000:84:00.0");
    step->device.type_id = xstrdup("nvidia-35");
    step->reason = xstrdup("because");
    add(plan, STEP_END_REBUILD);
    strlist_add(&plan->problems, "0000:85:00.0: lost");
    return plan;
}

static char *print(const struct plan *plan, enum output_format format)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_int_equal(plan_print(plan, &plan->problems, format, out), 0);
    fclose(out);
    return text;
}

static void prints_a_table(void **state)
{
    (void)state;
    _cleanup_(plan_freep) struct plan *plan = example();
    _cleanup_free_ char *text = print(plan, FORMAT_TABLE);
    static const char *const lines[] = {
        "STEP           GPU      WHAT\n",
        "create trait   -        CUSTOM_A\n",
        "set inventory  84:00.0  VGPU total=16 reserved=2\n",
        "set traits     84:00.0  2 traits\n",
        "create device  84:00.0  " UUID_B "\n"
        "  nvidia-35 for consumer " UUID_A ": because\n",
        "end rebuild    -        the state file is complete again\n",
        "\nnot well:\n  0000:85:00.0: lost\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(text, lines[i]))
            fail_msg("no \"%s\" in\n%s", lines[i], text);
}

static void long_names_are_shown_by_their_end(void **state)
{
    (void)state;
    struct plan *plan = xcalloc(1, sizeof *plan);
    struct step *step = add(plan, STEP_CREATE_PROVIDER);
    concern(step);
    free(step->provider_name);
    step->provider_name =
        xstrdup("compute-17.rack-3.row-b.dc1.example.com_pci_0000_84_00_0");
    step->reason = xstrdup("because");
    _cleanup_(plan_freep) struct plan *freed = plan;
    _cleanup_free_ char *text = print(plan, FORMAT_TABLE);
    _cleanup_free_ char *wide = print(plan, FORMAT_WIDE);
    assert_string_equal(text, "STEP             GPU      WHAT\n"
                              "create provider  84:00.0  "
                              "...ow-b.dc1.example.com_pci_0000_84_00_0\n"
                              "  because\n");
    assert_non_null(strstr(wide, " compute-17.rack-3.row-b.dc1.example.com_pci_"));
}

static void wide_has_full_names(void **state)
{
    (void)state;
    _cleanup_(plan_freep) struct plan *plan = example();
    _cleanup_free_ char *text = print(plan, FORMAT_WIDE);
    static const char *const lines[] = {
        "create trait   -             -                   CUSTOM_A ",
        "set inventory  0000:84:00.0  h_pci_0000_84_00_0  "
        "VGPU total=16 reserved=2 allocation_ratio=1 ",
        "set traits     0000:84:00.0  h_pci_0000_84_00_0  CUSTOM_A CUSTOM_B ",
        "create device  0000:84:00.0  h_pci_0000_84_00_0  " UUID_B
        " nvidia-35 on 0000:84:00.0 for " UUID_A "  because\n",
        "end rebuild    -             -                   the state file is complete ",
        "\nnot well:\n  0000:85:00.0: lost\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(text, lines[i]))
            fail_msg("no \"%s\" in\n%s", lines[i], text);
}

static void prints_json(void **state)
{
    (void)state;
    _cleanup_(plan_freep) struct plan *plan = example();
    _cleanup_free_ char *text = print(plan, FORMAT_JSON);
    assert_string_equal(
        text,
        "{\"steps\":["
        "{\"step\":\"create_trait\",\"gpu\":null,\"provider\":null,"
        "\"provider_name\":null,\"name\":\"CUSTOM_A\",\"reason\":null},"
        "{\"step\":\"set_inventory\",\"gpu\":\"0000:84:00.0\",\"provider\":\"" UUID_A
        "\",\"provider_name\":\"h_pci_0000_84_00_0\",\"inventories\":{\"VGPU\":{"
        "\"total\":16,\"reserved\":2,\"min_unit\":1,\"max_unit\":16,\"step_size\":1,"
        "\"allocation_ratio\":1.0}},\"reason\":null},"
        "{\"step\":\"set_traits\",\"gpu\":\"0000:84:00.0\",\"provider\":\"" UUID_A
        "\",\"provider_name\":\"h_pci_0000_84_00_0\",\"traits\":[\"CUSTOM_A\","
        "\"CUSTOM_B\"],\"reason\":null},"
        "{\"step\":\"create_device\",\"gpu\":\"0000:84:00.0\",\"provider\":\"" UUID_A
        "\",\"provider_name\":\"h_pci_0000_84_00_0\",\"device\":{\"uuid\":\"" UUID_B
        "\",\"consumer\":\"" UUID_A
        "\",\"resource_class\":\"VGPU\",\"parent\":\"0000:84:00.0\",\"type_id\":"
        "\"nvidia-35\",\"type_name\":null},\"reason\":\"because\"},"
        "{\"step\":\"end_rebuild\",\"gpu\":null,\"provider\":null,"
        "\"provider_name\":null,\"reason\":null}],"
        "\"problems\":[\"0000:85:00.0: lost\"]}\n");
}

static void an_empty_plan_says_so(void **state)
{
    (void)state;
    struct plan plan = {0};
    _cleanup_free_ char *text = print(&plan, FORMAT_TABLE);
    _cleanup_free_ char *json = print(&plan, FORMAT_JSON);
    assert_string_equal(text, "nothing to do\n");
    assert_string_equal(json, "{\"steps\":[],\"problems\":[]}\n");
}

static void without_steps_it_does_not_say_that_all_is_done(void **state)
{
    (void)state;
    struct plan plan = {0};
    strlist_add(&plan.problems, "0000:85:00.0: lost");
    _cleanup_free_ char *text = print(&plan, FORMAT_TABLE);
    assert_string_equal(text, "no step would help; not well:\n  0000:85:00.0: lost\n");
    strlist_clear(&plan.problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_a_table),
        cmocka_unit_test(long_names_are_shown_by_their_end),
        cmocka_unit_test(wide_has_full_names),
        cmocka_unit_test(prints_json),
        cmocka_unit_test(an_empty_plan_says_so),
        cmocka_unit_test(without_steps_it_does_not_say_that_all_is_done),
    };
    return cmocka_run_group_tests_name("plan_text", tests, NULL, NULL);
}
