#include "agent/state/journal_index.h"

#include <string.h>

#include "tests/unit/test.h"

#define UUID "11111111-1111-4111-8111-111111111111"
#define OTHER_UUID "22222222-2222-4222-8222-222222222222"
#define VF "0000:41:00.4"

static void note(struct journal *journal, const char *uuid, const char *backend,
                 const char *address)
{
    struct journal_device entry = {.type_id = (char *)"1147",
                                   .type_name = (char *)"L40S-1Q"};
    uuid_text_copy(entry.uuid, uuid);
    stpcpy(entry.backend, backend);
    stpcpy(entry.address, address);
    journal_put_device(journal, &entry);
}

static struct device device_at(const char *backend, const char *address,
                               const char *type_id)
{
    struct device device = {.type_id = (char *)type_id};
    stpcpy(device.backend, backend);
    stpcpy(device.address, address);
    return device;
}

/* Whether the device is the entry with that uuid (NULL: is none), which is seen then. */
static void assert_sees(struct journal_index *index, const struct device *device,
                        const struct parent *parent, const char *uuid)
{
    const struct journal_device *entry = journal_index_see(index, device, parent);
    assert_int_equal(entry != NULL, uuid != NULL);
    if (uuid)
        assert_string_equal(entry->uuid, uuid);
    bool seen = false;
    for (size_t i = 0; i < index->count; i++)
        seen |= index->seen[i];
    assert_int_equal(seen, uuid != NULL);
}

static void by_its_place(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = journal_new();
    note(journal, OTHER_UUID, "mdev", OTHER_UUID);
    note(journal, UUID, "vf", VF);
    struct journal_index index = journal_index_make(journal);
    const struct device elsewhere = device_at("vf", "0000:41:00.5", "1147");
    const struct device here = device_at("vf", VF, "1147");
    assert_sees(&index, &elsewhere, NULL, NULL);
    assert_sees(&index, &here, NULL, UUID);
    assert_null(journal_index_other_kind(&index, &here));
    journal_index_clear(&index);
}

static void by_its_uuid_until_its_address_is_known(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = journal_new();
    note(journal, UUID, "vf", "");
    struct journal_index index = journal_index_make(journal);
    struct device device = device_at("vf", VF, "1147");
    assert_sees(&index, &device, NULL, NULL);
    stpcpy(device.uuid, UUID);
    assert_sees(&index, &device, NULL, UUID);
    journal_index_clear(&index);
}

/* A type that has another id by now still has its name. */
static void an_address_that_was_used_again_is_not_the_entrys(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = journal_new();
    note(journal, UUID, "vf", VF);
    struct device_type types[] = {
        {.id = (char *)"1200", .name = (char *)"L40S-1Q"},
        {.id = (char *)"1148", .name = (char *)"L40S-2Q"},
    };
    const struct parent parent = {.types = types, .type_count = 2};
    struct journal_index index = journal_index_make(journal);
    struct device device = device_at("vf", VF, "1148");
    assert_sees(&index, &device, &parent, NULL);
    device.type_id = (char *)"1200";
    assert_sees(&index, &device, &parent, UUID);
    journal_index_clear(&index);
}

static void another_kind_at_the_same_address(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = journal_new();
    note(journal, UUID, "vf", VF);
    struct journal_index index = journal_index_make(journal);
    const struct device device = device_at("fixed", VF, "1147");
    assert_sees(&index, &device, NULL, NULL);
    assert_string_equal(journal_index_other_kind(&index, &device)->uuid, UUID);
    journal_index_clear(&index);
    struct journal_device released = *journal_find_device(journal, UUID);
    released.released_at = 7;
    journal_put_device(journal, &released);
    index = journal_index_make(journal);
    assert_null(journal_index_other_kind(&index, &device));
    journal_index_clear(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_its_place),
        cmocka_unit_test(by_its_uuid_until_its_address_is_known),
        cmocka_unit_test(an_address_that_was_used_again_is_not_the_entrys),
        cmocka_unit_test(another_kind_at_the_same_address),
    };
    return cmocka_run_group_tests_name("journal_index", tests, NULL, NULL);
}
