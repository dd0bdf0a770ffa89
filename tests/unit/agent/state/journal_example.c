#include "tests/unit/agent/state/journal_example.h"

#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

struct journal_device journal_example_device(const char *uuid, char *type_name)
{
    struct journal_device d = {
        .provider = UUID_B,
        .consumer = UUID_C,
        .resource_class = (char *)"VGPU",
        .index = 3,
        .gpu = (char *)"0000:84:00.0",
        .parent = (char *)"0000:84:00.4",
        .type_id = (char *)"nvidia-35",
        .type_name = type_name,
        .released_at = 1700000000,
    };
    uuid_text_copy(d.uuid, uuid);
    stpcpy(d.backend, "mdev");
    stpcpy(d.address, uuid);
    return d;
}

struct journal *journal_example(void)
{
    struct journal *journal = journal_new();
    char *traits[] = {(char *)"CUSTOM_NVIDIA_35", (char *)"CUSTOM_OWNER_VGPU_AGENT"};
    struct journal_inventory inventories[] = {
        {.resource_class = (char *)"CUSTOM_X", .operators_ratio = 1.0},
        {.resource_class = (char *)"VGPU",
         .overruled = true,
         .follows_use = true,
         .operators_reserved = 2,
         .operators_ratio = 0.1,
         .operators_max_unit = 4,
         .files_max_unit = 1},
    };
    struct journal_provider provider = {
        .uuid = UUID_B,
        .name = (char *)"host \"q\" \xc3\xa9_pci_0000_84_00_0",
        .gpu = (char *)"0000:84:00.0",
        .traits = {traits, 2},
        .inventories = inventories,
        .inventory_count = 2,
    };
    journal_put_provider(journal, &provider);
    struct journal_device one =
        journal_example_device(UUID_A, (char *)"GRID V100DX-1Q");
    struct journal_device other = journal_example_device(UUID_C, NULL);
    other.adopted = true;
    uuid_text_copy(other.migration, UUID_B);
    journal_put_device(journal, &one);
    other.parameters = (char *)"frame_rate_limiter=0";
    other.parameters_due = true;
    other.former = (char *)"0000:84:00.1=pci-stub";
    journal_put_device(journal, &other);
    struct journal_device hand =
        journal_example_device(UUID_B, (char *)"GRID V100DX-1Q");
    hand.by_hand = true;
    hand.provider[0] = hand.consumer[0] = 0;
    hand.resource_class = NULL;
    hand.index = 0;
    hand.released_at = 0;
    journal_put_device(journal, &hand);
    struct journal_type *type = array_add(journal->types, journal->type_count);
    stpcpy(type->backend, "nvidia_vfio");
    stpcpy(type->model, "10de:26b9");
    type->id = xstrdup("nvidia-1147");
    type->name = xstrdup("NVIDIA L40S-1Q");
    strlist_add(&journal->made_traits, "CUSTOM_NVIDIA_35");
    strlist_add(&journal->made_classes, "CUSTOM_X");
    *array_add(journal->seen, journal->seen_count) = (struct journal_seen){
        .uuid = UUID_A, .generation = 1234567890123, .root = true};
    *array_add(journal->seen, journal->seen_count) =
        (struct journal_seen){.uuid = UUID_B};
    journal->doubted_since = 1700000000;
    journal->replaced_at = 1700000060;
    return journal;
}

void assert_journal_equal(const struct journal *a, const struct journal *b)
{
    assert_string_equal(a->machine, b->machine);
    assert_string_equal(a->root, b->root);
    assert_string_equal(a->root_name ? a->root_name : "",
                        b->root_name ? b->root_name : "");
    assert_int_equal(a->rebuilding, b->rebuilding);
    assert_int_equal(a->provider_count, b->provider_count);
    for (size_t i = 0; i < a->provider_count; i++)
        assert_true(journal_provider_equal(&a->providers[i], &b->providers[i]));
    assert_int_equal(a->device_count, b->device_count);
    for (size_t i = 0; i < a->device_count; i++)
        assert_true(journal_device_equal(&a->devices[i], &b->devices[i]));
    assert_int_equal(a->type_count, b->type_count);
    for (size_t i = 0; i < a->type_count; i++) {
        const struct journal_type *x = &a->types[i];
        const struct journal_type *y =
            journal_find_type(b, x->backend, x->model, x->id);
        assert_non_null(y);
        assert_string_equal(x->name, y->name);
    }
    assert_true(strlist_equal(&a->made_traits, &b->made_traits));
    assert_true(strlist_equal(&a->made_classes, &b->made_classes));
    assert_int_equal(a->seen_count, b->seen_count);
    for (size_t i = 0; i < a->seen_count; i++) {
        assert_string_equal(a->seen[i].uuid, b->seen[i].uuid);
        assert_int_equal(a->seen[i].generation, b->seen[i].generation);
        assert_int_equal(a->seen[i].root, b->seen[i].root);
    }
    assert_int_equal(a->doubted_since, b->doubted_since);
    assert_int_equal(a->replaced_at, b->replaced_at);
}
