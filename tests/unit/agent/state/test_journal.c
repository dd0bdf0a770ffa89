#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/state/journal.h"
#include "agent/state/journal_codec.h"
#include "lib/files.h"
#include "lib/xalloc.h"

#define UUID_A "11111111-1111-5111-8111-111111111111"
#define UUID_B "22222222-2222-5222-8222-222222222222"
#define UUID_C "33333333-3333-4333-8333-333333333333"

static struct journal_device device(const char *uuid, char *type_name)
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

static struct journal *example(void)
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
    struct journal_device one = device(UUID_A, (char *)"GRID V100DX-1Q");
    struct journal_device other = device(UUID_C, NULL);
    other.adopted = true;
    uuid_text_copy(other.migration, UUID_B);
    journal_put_device(journal, &one);
    other.parameters = (char *)"frame_rate_limiter=0";
    other.parameters_due = true;
    journal_put_device(journal, &other);
    struct journal_device hand = device(UUID_B, (char *)"GRID V100DX-1Q");
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
    return journal;
}

static void assert_journal_equal(const struct journal *a, const struct journal *b)
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
}

static void reads_what_it_wrote(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = example();
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

static void entries_are_put_and_dropped(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = example();
    struct journal_device one = device(UUID_A, (char *)"GRID V100DX-1Q");
    assert_false(journal_put_device(journal, &one));
    one.released_at = 0;
    assert_true(journal_put_device(journal, &one));
    assert_int_equal(journal->device_count, 3);
    assert_int_equal(journal_find_device(journal, UUID_A)->released_at, 0);
    assert_true(journal_drop_device(journal, UUID_A));
    assert_false(journal_drop_device(journal, UUID_A));
    assert_null(journal_find_device(journal, UUID_A));
    assert_non_null(journal_find_device(journal, UUID_C));
    struct journal_provider provider =
        journal_provider_copy(journal_find_provider(journal, UUID_B));
    assert_false(journal_put_provider(journal, &provider));
    strlist_add(&provider.traits, "CUSTOM_X");
    assert_true(journal_put_provider(journal, &provider));
    journal_provider_clear(&provider);
    assert_int_equal(journal->provider_count, 1);
    assert_true(journal_drop_provider(journal, UUID_B));
    assert_false(journal_drop_provider(journal, UUID_B));
}

static void used_units_are_counted_until_they_are_cleaned(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = journal_new();
    journal_spend(journal, "0000:84:00.0", 1);
    journal_spend(journal, "0000:85:00.0", 1);
    journal_spend(journal, "0000:84:00.0", 2);
    size_t length;
    _cleanup_free_ char *text = journal_write(journal, &length);
    _cleanup_(journal_freep) struct journal *read = NULL;
    struct error err = {0};
    assert_ok(journal_read(text, length, &read, &err), &err);
    assert_int_equal(journal_spent_of(read, "0000:84:00.0"), 3);
    assert_int_equal(journal_spent_of(read, "0000:86:00.0"), 0);
    assert_true(journal_clean(read, "0000:84:00.0"));
    assert_false(journal_clean(read, "0000:84:00.0"));
    assert_int_equal(journal_spent_of(read, "0000:84:00.0"), 0);
    assert_int_equal(journal_spent_of(read, "0000:85:00.0"), 1);
}

static void every_truncation_is_seen(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = example();
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
    _cleanup_(journal_freep) struct journal *journal = example();
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

/* ---- the file ---- */

struct folder {
    char name[64];
    char *path; /* of the state file in it */
};

static int folder_make(void **state)
{
    struct folder *folder = xcalloc(1, sizeof *folder);
    stpcpy(folder->name, "/tmp/test_journal.XXXXXX");
    if (!mkdtemp(folder->name))
        return -1;
    folder->path = xasprintf("%s/state.json", folder->name);
    *state = folder;
    return 0;
}

static int folder_remove(void **state)
{
    struct folder *folder = *state;
    static const char *const names[] = {"", ".damaged-7", ".damaged-8", ".other-host-7",
                                        ".new"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        _cleanup_free_ char *path = xasprintf("%s%s", folder->path, names[i]);
        unlink(path);
    }
    int rc = rmdir(folder->name);
    free(folder->path);
    free(folder);
    return rc;
}

static void write_file(const char *path, const char *data, size_t length)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, data, length), (ssize_t)length);
}

static struct journal *load(const char *path, int64_t now, char **note)
{
    struct error err = {0};
    struct journal *journal = NULL;
    assert_ok(journal_load(path, "", now, &journal, note, &err), &err);
    return journal;
}

static void saves_and_loads(void **state)
{
    struct folder *folder = *state;
    struct error err = {0};
    _cleanup_(journal_freep) struct journal *journal = example();
    assert_ok(journal_save(journal, folder->path, &err), &err);
    struct stat st;
    assert_int_equal(stat(folder->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    char *note = NULL;
    _cleanup_(journal_freep) struct journal *back = load(folder->path, 7, &note);
    assert_null(note);
    assert_journal_equal(journal, back);
}

static void a_missing_file_is_a_first_start(void **state)
{
    struct folder *folder = *state;
    char *note = NULL;
    _cleanup_(journal_freep) struct journal *journal = load(folder->path, 7, &note);
    assert_null(note);
    assert_false(journal->rebuilding);
    assert_int_equal(journal->device_count + journal->provider_count, 0);
}

static void a_damaged_file_is_kept_and_rebuilding_survives(void **state)
{
    struct folder *folder = *state;
    static const char nul[] = "{\"version\":1\0}";
    const struct {
        const char *data;
        size_t length;
        const char *why;
    } cases[] = {
        {"", 0, "not JSON"},
        {nul, sizeof nul - 1, "NUL"},
        {"[]\n", 3, "expected an object"},
        {"\xff\xfe", 2, "not JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file(folder->path, cases[i].data, cases[i].length);
        _cleanup_free_ char *note = NULL, *aside = NULL, *kept = NULL, *again = NULL;
        _cleanup_(journal_freep) struct journal *journal = load(folder->path, 7, &note);
        assert_true(journal->rebuilding);
        assert_non_null(strstr(note, cases[i].why));
        aside = xasprintf("%s.damaged-7", folder->path);
        assert_non_null(strstr(note, aside));
        size_t length;
        struct error err = {0};
        assert_ok(file_read_at(AT_FDCWD, aside, 1000, &kept, &length, &err), &err);
        assert_int_equal(length, cases[i].length);
        assert_memory_equal(kept, cases[i].data, length);
        /* A crash right now must not look like a first start. */
        _cleanup_(journal_freep) struct journal *next = load(folder->path, 8, &again);
        assert_null(again);
        assert_true(next->rebuilding);
        unlink(aside);
    }
}

static void another_machines_file_is_kept_and_not_followed(void **state)
{
    struct folder *folder = *state;
    struct error err = {0};
    _cleanup_(journal_freep) struct journal *journal = example();
    assert_ok(journal_save(journal, folder->path, &err), &err);
    /* Whose it is was not known, or is not known now. */
    static const char *const machines[] = {"", UUID_A, UUID_A, ""};
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        char *note = NULL;
        _cleanup_(journal_freep) struct journal *same = NULL;
        assert_ok(journal_load(folder->path, machines[i], 7, &same, &note, &err), &err);
        assert_null(note);
        assert_int_equal(same->device_count, 3);
        assert_string_equal(same->machine, i ? UUID_A : "");
        assert_ok(journal_save(same, folder->path, &err), &err);
    }
    _cleanup_free_ char *looked = NULL, *note = NULL, *again = NULL;
    _cleanup_(journal_freep) struct journal *seen = NULL, *other = NULL, *next = NULL;
    assert_ok(journal_look(folder->path, UUID_B, &seen, &looked, &err), &err);
    assert_non_null(strstr(looked, "is another host's"));
    assert_true(seen->rebuilding && seen->device_count == 0);
    assert_ok(journal_load(folder->path, UUID_B, 7, &other, &note, &err), &err);
    assert_non_null(strstr(note, ".other-host-7"));
    assert_true(other->rebuilding && other->device_count == 0);
    assert_ok(journal_load(folder->path, UUID_B, 8, &next, &again, &err), &err);
    assert_null(again);
    assert_true(next->rebuilding);
    assert_string_equal(next->machine, UUID_B);
}

static void what_cannot_be_used_is_an_error(void **state)
{
    struct folder *folder = *state;
    struct error err = {0};
    struct journal *journal = NULL;
    char *note = NULL;
    assert_int_equal(journal_load(folder->name, "", 7, &journal, &note, &err), -1);
    assert_non_null(strstr(err.text, "not a regular file"));
    _cleanup_(journal_freep) struct journal *empty = journal_new();
    assert_int_equal(journal_save(empty, "/nonexistent/dir/state.json", &err), -1);
    assert_non_null(strstr(err.text, "/nonexistent/dir/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(entries_are_put_and_dropped),
        cmocka_unit_test(used_units_are_counted_until_they_are_cleaned),
        cmocka_unit_test(every_truncation_is_seen),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(wrong_content_is_named),
        cmocka_unit_test(reads_the_version_before_and_writes_its_own),
        cmocka_unit_test_setup_teardown(saves_and_loads, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(a_missing_file_is_a_first_start, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_kept_and_rebuilding_survives,
                                        folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(another_machines_file_is_kept_and_not_followed,
                                        folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(what_cannot_be_used_is_an_error, folder_make,
                                        folder_remove),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
