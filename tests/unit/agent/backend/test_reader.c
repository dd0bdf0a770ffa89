#include "lib/clock.h"
#include "tests/unit/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend/reader.h"
#include "agent/backend/scan.h"
#include "agent/host/codec.h"
#include "lib/xalloc.h"
#include "tests/unit/agent/host/simhost.h"
#include "tests/unit/tree.h"

#define PATIENCE 500 /* milliseconds */
#define LONG 20000   /* milliseconds; never waited out when all is well */
#define A "0000:84:00.0"
#define B "0000:85:00.0"
#define C "0000:86:00.0"
#define UUID(n) "4b20d080-1b54-4048-85b3-a6a62d165c0" n
#define CREATE(card, type) \
    "class/mdev_bus/" card "/mdev_supported_types/" type "/create"

static const char description[] =
    "{\"models\": {\"M10\": {\"vendor\": \"0x10de\", \"device\": \"0x13bd\","
    " \"driver\": \"nvidia\", \"types\": ["
    " {\"id\": \"nvidia-35\", \"name\": \"GRID M10-0B\", \"instances\": 2,"
    "  \"description\": \"num_heads=2, max_instance=16\"},"
    " {\"id\": \"nvidia-36\", \"name\": \"GRID M10-0Q\", \"instances\": 2}]}},"
    " \"cards\": [{\"model\": \"M10\", \"path\": \"pci0000:80/" A "\"},"
    " {\"model\": \"M10\", \"path\": \"pci0000:80/" B "\"},"
    " {\"model\": \"M10\", \"path\": \"pci0000:80/" C "\"}]}";

struct fixture {
    struct simhost *host;
    struct host_reader *reader;
};

/* With a device on A and one on B. */
static struct fixture set_up(void)
{
    struct fixture f = {.host = simhost_start(description)};
    assert_int_equal(simhost_store(f.host, CREATE(A, "nvidia-35"), UUID("1")), 0);
    assert_int_equal(simhost_store(f.host, CREATE(B, "nvidia-36"), UUID("2")), 0);
    f.reader = host_reader_new(f.host->root);
    host_reader_set_patience(f.reader, PATIENCE);
    return f;
}

static void tear_down(struct fixture *f)
{
    host_reader_free(f->reader);
    simhost_stop(f->host);
}

static struct host *look(const struct fixture *f)
{
    struct host *host = NULL;
    struct error err = {0};
    assert_ok(host_reader_look(f->reader, &host, &err), &err);
    return host;
}

/* Whether the process is a child that reads, and not at its end. */
static bool is_reader(int pid)
{
    char path[64], name[32] = "", state = 'Z';
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    bool read = fscanf(file, "%*d (%31[^)]) %c", name, &state) == 2;
    fclose(file);
    return read && strcmp(name, "vgpu-reader") == 0 && state != 'Z';
}

static int count_readers(int *last)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    int count = 0;
    for (int pid; fscanf(file, "%d", &pid) == 1;)
        if (is_reader(pid)) {
            count++;
            *last = pid;
        }
    fclose(file);
    return count;
}

/* Those that were left need a moment to end. */
static int expect_readers(int count)
{
    int last = 0, found;
    int64_t end = clock_monotonic_ms() + LONG;
    while ((found = count_readers(&last)) != count && clock_monotonic_ms() < end)
        continue;
    assert_int_equal(found, count);
    return last;
}

static void expect_same(const struct host *a, const struct host *b)
{
    size_t a_length, b_length;
    _cleanup_free_ char *a_bytes = host_pack(a, &a_length);
    _cleanup_free_ char *b_bytes = host_pack(b, &b_length);
    assert_int_equal(a_length, b_length);
    assert_memory_equal(a_bytes, b_bytes, a_length);
}

static struct host *scan(const struct fixture *f)
{
    struct host *host = NULL;
    struct error err = {0};
    assert_ok(host_scan(f->host->root, NULL, &host, &err), &err);
    return host;
}

/* ---- tests ---- */

static void sees_what_a_scan_sees(void **state)
{
    (void)state;
    struct fixture f = set_up();
    for (int i = 0; i < 3; i++) {
        _cleanup_(host_freep) struct host *seen = look(&f), *there = scan(&f);
        expect_same(seen, there);
        assert_string_equal(host_gpu(seen, A)->parents[0].devices[0].uuid, UUID("1"));
    }
    expect_readers(1);
    tear_down(&f);
}

/* A child has the configuration that it was started with. */
static void another_configuration_needs_another_child(void **state)
{
    (void)state;
    struct fixture f = set_up();
    const struct config config = {.digest = UUID("3")};
    host_free(look(&f));
    int first = expect_readers(1);
    host_reader_set_config(f.reader, &config);
    host_free(look(&f));
    int second = expect_readers(1);
    assert_int_not_equal(first, second);
    tear_down(&f);
}

static const char *const hanging_files[] = {
    "*/" A "/*/available_instances",
    "*/" A "/config",
};

static void a_card_that_does_not_answer_holds_up_no_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hanging_files / sizeof *hanging_files; i++) {
        struct fixture f = set_up();
        _cleanup_free_ char *command = xasprintf("hang %s", hanging_files[i]);
        simhost_control(f.host, command);
        for (int round = 0; round < 4; round++) {
            int64_t begin = clock_monotonic_ms();
            _cleanup_(host_freep) struct host *host = look(&f);
            int64_t took = clock_monotonic_ms() - begin;
            if (round == 0 ? took < PATIENCE : took >= PATIENCE)
                fail_msg("%s: look %d took %ld ms", hanging_files[i], round,
                         (long)took);
            const struct gpu *a = host_gpu(host, A), *b = host_gpu(host, B);
            assert_int_equal(a->health, GPU_UNREADABLE);
            assert_non_null(strstr(a->health_reason, "its driver hangs: "));
            assert_non_null(
                strstr(a->health_reason, strrchr(hanging_files[i], '/') + 1));
            assert_int_equal(b->health, GPU_OK);
            assert_int_equal(gpu_type(b, "nvidia-36")->available, 1);
            assert_int_equal(host_gpu(host, C)->health, GPU_OK);
            /* What holds no driver up is seen. */
            const struct gpu *on;
            const struct device *mdev = host_device(host, UUID("1"), &on, NULL);
            assert_ptr_equal(on, a);
            assert_false(mdev->in_transition);
            assert_string_equal(mdev->type_id, "nvidia-35");
            assert_int_equal(host->stray_count, 0);
            assert_int_equal(a->parents[0].type_count, 2);
            /* The one that is stuck, the one that works. */
            expect_readers(2);
        }
        tear_down(&f);
    }
}

/* The driver lets go, and its child needs a moment to end. */
static struct host *look_until_well(const struct fixture *f)
{
    for (;;) {
        struct host *host = look(f);
        if (host_gpu(host, A)->health == GPU_OK && host_gpu(host, B)->health == GPU_OK)
            return host;
        host_free(host);
    }
}

static void all_is_well_when_it_answers_again(void **state)
{
    (void)state;
    struct fixture f = set_up();
    for (int i = 0; i < 2; i++) {
        simhost_control(f.host, "hang */" A "/*/available_instances");
        simhost_control(f.host, "hang */" B "/config");
        host_free(look(&f));
        _cleanup_(host_freep) struct host *sick = look(&f);
        assert_int_equal(host_gpu(sick, A)->health, GPU_UNREADABLE);
        assert_int_equal(host_gpu(sick, B)->health, GPU_UNREADABLE);
        assert_int_equal(host_gpu(sick, C)->health, GPU_OK);
        simhost_control(f.host, "show");
        _cleanup_(host_freep) struct host *well = look_until_well(&f);
        _cleanup_(host_freep) struct host *there = scan(&f);
        expect_same(well, there);
    }
    expect_readers(1);
    tear_down(&f);
}

static void others_send_nobody_after_it(void **state)
{
    (void)state;
    struct fixture f = set_up();
    char *folder = tree_new();
    _cleanup_free_ char *state_file = xasprintf("%s/state", folder);
    host_reader_set_notes(f.reader, state_file, true);
    simhost_control(f.host, "hang */" A "/config");
    host_free(look(&f));
    expect_readers(2);
    /* Beside it, and after its end. */
    for (int i = 0; i < 2; i++) {
        struct host *host = NULL;
        struct error err = {0};
        int64_t begin = clock_monotonic_ms();
        assert_ok(host_look(f.host->root, NULL, NULL, state_file, &host, &err), &err);
        assert_true(clock_monotonic_ms() - begin < 3000);
        assert_int_equal(host_gpu(host, A)->health, GPU_UNREADABLE);
        assert_int_equal(host_gpu(host, B)->health, GPU_OK);
        host_free(host);
        host_reader_free(f.reader);
        f.reader = host_reader_new(f.host->root);
        host_reader_set_notes(f.reader, state_file, true);
        host_free(look(&f));
        expect_readers(2);
    }
    simhost_control(f.host, "show");
    host_free(look_until_well(&f));
    _cleanup_free_ char *notes = xasprintf("%s.hung", state_file);
    assert_int_equal(access(notes, F_OK), -1);
    tear_down(&f);
    tree_free(folder);
}

static void a_child_that_is_killed_is_replaced(void **state)
{
    (void)state;
    struct fixture f = set_up();
    struct host *host = NULL;
    struct error err = {0};
    host_free(look(&f));
    assert_int_equal(kill(expect_readers(1), SIGKILL), 0);
    assert_int_equal(host_reader_look(f.reader, &host, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_null(host);
    host_free(look(&f));
    tear_down(&f);
}

static bool yes(void *data)
{
    ++*(int *)data;
    return true;
}

static void a_look_can_be_ended(void **state)
{
    (void)state;
    struct fixture f = set_up();
    struct host *host = NULL;
    struct error err = {0};
    int asked = 0;
    simhost_control(f.host, "hang */" A "/config");
    host_reader_set_interrupt(f.reader, yes, &asked);
    assert_int_equal(host_reader_look(f.reader, &host, &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    assert_int_equal(asked, 1);
    simhost_control(f.host, "show");
    tear_down(&f);
}

static void says_why_nothing_can_be_seen(void **state)
{
    (void)state;
    struct host *host = NULL;
    struct error err = {0}, same = {0};
    assert_int_equal(host_look("/nowhere/at/all", NULL, NULL, NULL, &host, &err), -1);
    assert_int_equal(host_scan("/nowhere/at/all", NULL, &host, &same), -1);
    assert_memory_equal(&err, &same, sizeof err);
    assert_null(host);
}

static void a_part_of_a_host_is_none(void **state)
{
    (void)state;
    struct fixture f = set_up();
    _cleanup_(host_freep) struct host *host = scan(&f);
    size_t length;
    _cleanup_free_ char *bytes = host_pack(host, &length);
    struct host *part = NULL;
    for (size_t i = 0; i < length; i++) {
        /* At its very end, so that a sanitizer sees who reads on. */
        _cleanup_free_ char *cut = xcalloc(i + 1, 1);
        memcpy(cut + 1, bytes, i);
        assert_int_equal(host_unpack(cut + 1, i, &part, NULL), -1);
    }
    assert_null(part);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sees_what_a_scan_sees),
        cmocka_unit_test(another_configuration_needs_another_child),
        cmocka_unit_test(a_card_that_does_not_answer_holds_up_no_other),
        cmocka_unit_test(all_is_well_when_it_answers_again),
        cmocka_unit_test(others_send_nobody_after_it),
        cmocka_unit_test(a_child_that_is_killed_is_replaced),
        cmocka_unit_test(a_look_can_be_ended),
        cmocka_unit_test(says_why_nothing_can_be_seen),
        cmocka_unit_test(a_part_of_a_host_is_none),
    };
    return cmocka_run_group_tests_name("host_reader", tests, NULL, NULL);
}
