/* What the text of a journal is, and what is no journal. */
#include "agent/state/journal_read.h"

#include <string.h>

#include "agent/state/journal_seal.h"
#include "agent/state/journal_write.h"
#include "lib/xalloc.h"
#include "tests/unit/agent/state/journal_example.h"
#include "tests/unit/test.h"

static void reads_what_it_wrote(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = journal_example();
    for (int rebuilding = 0; rebuilding < 2; rebuilding++) {
        journal->rebuilding = rebuilding;
        if (rebuilding) {
            uuid_text_copy(journal->machine, UUID_B);
            assert_true(journal_put_root(journal, UUID_A, "host.example"));
            assert_false(journal_put_root(journal, UUID_A, "host.example"));
        }
        size_t length;
        _cleanup_free_ char *text = journal_write(journal, &length);
        struct error err = {0};
        _cleanup_(journal_freep) struct journal *back = NULL;
        assert_ok(journal_read(text, length, &back, &err), &err);
        assert_journal_equal(journal, back);
    }
}

static void every_truncation_is_seen(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = journal_example();
    size_t length;
    _cleanup_free_ char *text = journal_write(journal, &length);
    for (size_t cut = 0; cut < length; cut++) {
        struct error err = {0};
        struct journal *back = NULL;
        if (journal_read(text, cut, &back, &err) == 0)
            fail_msg("%zu of %zu bytes were taken for whole", cut, length);
        assert_null(back);
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void every_flipped_bit_is_seen(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = journal_example();
    size_t length;
    _cleanup_free_ char *text = journal_write(journal, &length);
    for (size_t bit = 0; bit < 8 * length; bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        struct error err = {0};
        struct journal *back = NULL;
        if (journal_read(text, length, &back, &err) == 0)
            fail_msg("bit %zu of byte %zu was not seen", bit % 8, bit / 8);
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
}

/* A document with a right checksum, so that what is wrong in it is what is seen. */
static char *sealed(const char *body)
{
    char sum[UUID_TEXT_SIZE];
    uuid5_text(JOURNAL_CHECKSUM_SPACE, body, sum);
    return xasprintf("%s,\"checksum\":\"%s\"}\n", body, sum);
}

#define HEAD "{\"version\":2,\"rebuilding\":false,"
#define OLD_HEAD "{\"version\":1,\"rebuilding\":false,"
#define PROVIDER(uuid, traits, reserved, ratio)                              \
    "{\"uuid\":\"" uuid "\",\"name\":\"n\",\"gpu\":\"g\",\"traits\":" traits \
    ",\"inventories\":[{\"resource_class\":\"VGPU\",\"overruled\":false,"    \
    "\"operators_reserved\":" reserved ",\"operators_ratio\":" ratio "}]}"
#define PLACED_DEVICE(uuid, backend, address, index, gpu, released)             \
    "{\"uuid\":\"" uuid "\",\"backend\":\"" backend "\",\"address\":\"" address \
    "\"," DEVICE_REST(index, gpu, released)
#define DEVICE(uuid, index, gpu, released) \
    PLACED_DEVICE(uuid, "mdev", uuid, index, gpu, released)
#define OLD_DEVICE(uuid) "{\"uuid\":\"" uuid "\"," DEVICE_REST("0", "\"g\"", "0")
#define SEEN(uuid) "{\"uuid\":\"" uuid "\",\"generation\":1}"
#define DEVICE_REST(index, gpu, released)                                       \
    "\"provider\":\"" UUID_B "\",\"consumer\":\"" UUID_C                        \
    "\",\"resource_class\":\"VGPU\",\"index\":" index ",\"gpu\":" gpu           \
    ",\"parent\":\"p\",\"type_id\":\"t\",\"type_name\":null,\"adopted\":false," \
    "\"released_"                                                               \
    "at\":" released "}"

static void wrong_content_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *body, *text; /* NULL: it is right */
    } cases[] = {
        {HEAD "\"providers\":[],\"devices\":[]", NULL},
        {HEAD "\"providers\":[" PROVIDER(
             UUID_A, "[\"T\"]", "0", "1.0") "],\"devices\":[" DEVICE(UUID_A, "0",
                                                                     "\"g\"", "0") "]",
         NULL},
        {"{\"version\":3,\"rebuilding\":false",
         "a newer vgpu-agent wrote it (version 3; this one reads 2): install that one"},
        {"{\"version\":0,\"rebuilding\":false", "version 0; this program reads 2"},
        {OLD_HEAD "\"providers\":[],\"devices\":[" OLD_DEVICE(UUID_A) "]", NULL},
        {HEAD "\"providers\":[],\"devices\":[" OLD_DEVICE(UUID_A) "]",
         "devices[0]: backend: missing, expected a string"},
        {HEAD "\"providers\":[],\"devices\":[" PLACED_DEVICE(
             UUID_A, "seventeen letters", "x", "0", "\"g\"", "0") "]",
         "devices[0]: backend: longer than 15 characters"},
        {HEAD "\"providers\":[],\"devices\":[" PLACED_DEVICE(
             UUID_A, "vf", "0000:41:00.4", "0", "\"g\"",
             "0") "," PLACED_DEVICE(UUID_C, "vf", "0000:41:00.4", "1", "\"g\"",
                                    "0") "]",
         "devices[1]: 0000:41:00.4 is there twice"},
        /* The same address of another kind, and addresses that are not known yet. */
        {HEAD "\"providers\":[],\"devices\":[" PLACED_DEVICE(
             UUID_A, "vf", "0000:41:00.4", "0", "\"g\"",
             "0") "," PLACED_DEVICE(UUID_C, "card", "0000:41:00.4", "1", "\"g\"",
                                    "0") "]",
         NULL},
        {HEAD "\"providers\":[],\"devices\":[" PLACED_DEVICE(
             UUID_A, "vf", "", "0", "\"g\"",
             "0") "," PLACED_DEVICE(UUID_C, "vf", "", "1", "\"g\"", "0") "]",
         NULL},
        {"{\"rebuilding\":false", "version: missing, expected an integer"},
        {"{\"version\":\"1\"", "version: expected an integer, got a string"},
        {"{\"version\":1,\"rebuilding\":0",
         "rebuilding: expected a boolean, got an integer"},
        {HEAD "\"providers\":{},\"devices\":[]",
         "providers: expected an array, got an object"},
        {HEAD "\"providers\":[]", "devices: missing, expected an array"},
        {HEAD "\"providers\":[7],\"devices\":[]",
         "providers[0]: expected an object with 'uuid', got an integer"},
        {HEAD "\"providers\":[" PROVIDER("x", "[]", "0", "1.0") "],\"devices\":[]",
         "providers[0]: uuid: 'x' is no uuid"},
        {HEAD
         "\"providers\":[" PROVIDER(UUID_A, "\"T\"", "0", "1.0") "],\"devices\":[]",
         "providers[0]: traits: expected an array, got a string"},
        {HEAD "\"providers\":[" PROVIDER(UUID_A, "[1]", "0", "1.0") "],\"devices\":[]",
         "providers[0]: traits: expected strings, got an integer"},
        {HEAD "\"providers\":[" PROVIDER(UUID_A, "[]", "-1", "1.0") "],\"devices\":[]",
         "providers[0]: inventories[0]: operators_reserved: out of range"},
        {HEAD "\"providers\":[" PROVIDER(UUID_A, "[]", "0", "true") "],\"devices\":[]",
         "providers[0]: inventories[0]: operators_ratio: expected a number, got a "
         "boolean"},
        {HEAD "\"providers\":[" PROVIDER(UUID_A, "[]", "0", "1.0") "," PROVIDER(
             UUID_A, "[]", "0", "1.0") "],\"devices\":[]",
         "providers[1]: " UUID_A " is there twice"},
        {HEAD "\"providers\":[],\"devices\":[" DEVICE(
             UUID_A, "0", "\"g\"", "0") "," DEVICE(UUID_A, "1", "\"g\"", "0") "]",
         "devices[1]: " UUID_A " is there twice"},
        {HEAD "\"providers\":[],\"devices\":[" DEVICE(UUID_A, "-1", "\"g\"", "0") "]",
         "devices[0]: index: out of range"},
        {HEAD "\"providers\":[],\"devices\":[" DEVICE(UUID_A, "99999999999", "\"g\"",
                                                      "0") "]",
         "devices[0]: index: out of range"},
        {HEAD "\"providers\":[],\"devices\":[" DEVICE(UUID_A, "0", "null", "0") "]",
         "devices[0]: gpu: missing, expected a string"},
        {HEAD "\"providers\":[],\"devices\":[" DEVICE(UUID_A, "0", "\"g\"", "-5") "]",
         "devices[0]: released_at: out of range"},
        {HEAD "\"providers\":[],\"devices\":[" DEVICE(UUID_A, "0", "\"g\"", "1.5") "]",
         "devices[0]: released_at: expected an integer, got a number"},
        {HEAD
         "\"providers\":[],\"devices\":[],\"seen\":[" SEEN(UUID_A) "," SEEN(UUID_B) "]",
         NULL},
        {HEAD
         "\"providers\":[],\"devices\":[],\"seen\":[" SEEN(UUID_A) "," SEEN(UUID_A) "]",
         "seen[1]: " UUID_A " is there twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *text = sealed(cases[i].body);
        struct error err = {0};
        _cleanup_(journal_freep) struct journal *back = NULL;
        int rc = journal_read(text, strlen(text), &back, &err);
        assert_string_equal(err.text, cases[i].text ? cases[i].text : "");
        assert_int_equal(rc, cases[i].text ? -1 : 0);
    }
}

/* Of the time when each device was an mdev. */
static void reads_the_version_before_and_writes_its_own(void **state)
{
    (void)state;
    _cleanup_free_ char *old =
        sealed(OLD_HEAD "\"providers\":[],\"devices\":[" OLD_DEVICE(UUID_A) "]");
    struct error err = {0};
    _cleanup_(journal_freep) struct journal *journal = NULL;
    assert_ok(journal_read(old, strlen(old), &journal, &err), &err);
    assert_int_equal(journal->device_count, 1);
    assert_string_equal(journal->devices[0].backend, "mdev");
    assert_string_equal(journal->devices[0].address, UUID_A);
    assert_ptr_equal(journal_find_device_at(journal, "mdev", UUID_A),
                     &journal->devices[0]);
    assert_null(journal_find_device_at(journal, "vf", UUID_A));
    /* A program that reads version 1 refuses every greater number by name. */
    _cleanup_free_ char *text = journal_write(journal, NULL);
    assert_int_equal(strncmp(text, "{\"version\":2,", 13), 0);
    _cleanup_(journal_freep) struct journal *back = NULL;
    assert_ok(journal_read(text, strlen(text), &back, &err), &err);
    assert_journal_equal(journal, back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(every_truncation_is_seen),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(wrong_content_is_named),
        cmocka_unit_test(reads_the_version_before_and_writes_its_own),
    };
    return cmocka_run_group_tests_name("journal_read", tests, NULL, NULL);
}
