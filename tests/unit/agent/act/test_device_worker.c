#include "tests/unit/test.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/act/device_worker.h"
#include "agent/host/sysfs.h"
#include "lib/xalloc.h"
#include "tests/unit/tree.h"

#define LONG 10000 /* milliseconds; the test never waits that long unless it fails */
#define UUID(n) "00000000-0000-4000-8000-0000000000" n

/* ---- a backend that does what the type says ---- */

/* Blocks, as the kernel does, until the test opens the other end of the pipe. */
static void wait_for_release(const struct device_place *place, const char *uuid)
{
    char *path = xasprintf("%s/%s", place->use.root, uuid);
    int fd = open(path, O_RDONLY);
    free(path);
    if (fd >= 0)
        close(fd);
}

static int count_descriptors(void)
{
    int count = 0, errnum;
    DIR *fds = folder_open_list(AT_FDCWD, "/proc/self/fd");
    while (folder_next(fds, &errnum))
        count++;
    closedir(fds);
    return count - 1; /* less the descriptor that lists the folder */
}

static int fake(const struct device_place *place, const struct device_spec *device,
                struct error *err)
{
    if (strcmp(device->type_id, "blocks") == 0)
        wait_for_release(place, device->uuid);
    else if (strcmp(device->type_id, "fails") == 0)
        return error_set_errno(err, EUSERS, "no more of %s", device->type_id);
    else if (strcmp(device->type_id, "dies") == 0)
        raise(SIGKILL);
    else if (strcmp(device->type_id, "counts") == 0)
        return error_set(err, ERROR_INVALID, "%d", count_descriptors());
    return 0;
}

static int fake_create(const struct device_place *place,
                       const struct device_spec *device,
                       char address[DEVICE_ADDRESS_SIZE], bool *existed,
                       struct error *err)
{
    stpcpy(address, "fake:7");
    *existed = strcmp(device->type_id, "existed") == 0;
    return fake(place, device, err);
}

static const struct backend backend = {
    .name = "fake",
    .noun = "mdev",
    .create = fake_create,
    .remove = fake,
    .clear = fake,
};

static struct device_worker *new_worker(const char *tree)
{
    const struct device_place place = {tree, {.root = tree}};
    return device_worker_new(&place);
}

/* The card of a virtual function is its function 0. */
static int start(struct device_worker *worker, enum device_operation operation,
                 const char *parent, const char *type_id, const char *uuid,
                 struct error *err)
{
    char card[] = "0000:00:00.0";
    memcpy(card, parent, sizeof card - 2);
    const struct device_spec device = {
        .uuid = uuid,
        .address = uuid,
        .gpu = card,
        .parent = parent,
        .type_id = type_id,
    };
    return device_worker_start(worker, operation, &backend, &device, err);
}

static void make_blocking(const char *tree, const char *uuid)
{
    char *path = xasprintf("%s/%s", tree, uuid);
    if (mkfifo(path, 0600) != 0)
        err(1, "%s", path);
    free(path);
}

static void release(const char *tree, const char *uuid)
{
    char *path = xasprintf("%s/%s", tree, uuid);
    int fd = open(path, O_WRONLY);
    if (fd < 0)
        err(1, "%s", path);
    close(fd);
    free(path);
}

static struct device_worker *start_worker(char **tree)
{
    *tree = tree_new();
    tree_parent(*tree, "devices/pci0000:00/0000:84:00.0", NULL, 0);
    tree_parent(*tree, "devices/pci0000:00/0000:85:00.0", NULL, 0);
    tree_virtual_function(*tree, "devices/pci0000:00/0000:41:00.0",
                          "devices/pci0000:00/0000:41:00.4", NULL, 0);
    tree_virtual_function(*tree, "devices/pci0000:00/0000:41:00.0",
                          "devices/pci0000:00/0000:41:00.5", NULL, 0);
    return new_worker(*tree);
}

/* ---- tests ---- */

static void gives_back_what_the_backend_said(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        enum error_code code;
        int errnum;
        const char *text;
    } cases[] = {
        {"works", ERROR_NONE, 0, ""},
        {"existed", ERROR_NONE, 0, ""},
        {"fails", ERROR_EXHAUSTED, EUSERS, "no more of fails: Too many users"},
        {"dies", ERROR_IO, 0,
         "mdev " UUID("01") ": the child that worked on it ended early (signal 9)"},
    };
    char *tree;
    struct device_worker *worker = start_worker(&tree);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        struct device_done done;
        assert_ok(start(worker, DEVICE_CREATE, "0000:84:00.0", cases[i].type,
                        UUID("01"), &err),
                  &err);
        assert_true(device_worker_take(worker, LONG, &done));
        assert_int_equal(done.operation, DEVICE_CREATE);
        assert_string_equal(done.uuid, UUID("01"));
        assert_int_equal(done.existed, strcmp(cases[i].type, "existed") == 0);
        assert_int_equal(done.error.code, cases[i].code);
        assert_int_equal(done.error.errnum, cases[i].errnum);
        assert_string_equal(done.error.text, cases[i].text);
    }
    device_worker_free(worker);
    tree_free(tree);
}

/* Checks whether UUID 01 on 0000:84:00.0, and nothing else, is marked as in
 * transition. */
static void expect_in_transition(const struct device_worker *worker, bool expected)
{
    struct host *host = xcalloc(1, sizeof *host);
    gpu_add_parent(host_add_gpu(host, "0000:84:00.0"), "mdev", "0000:84:00.0");
    device_worker_mark(worker, host);
    const struct parent *parent = &host->gpus[0].parents[0];
    assert_int_equal(parent->device_count, expected);
    assert_int_equal(host->stray_count, 0);
    if (expected) {
        assert_string_equal(parent->devices[0].uuid, UUID("01"));
        assert_true(parent->devices[0].in_transition);
    }
    host_free(host);
}

static void a_blocked_operation_holds_up_no_other_card(void **state)
{
    (void)state;
    char *tree;
    struct device_worker *worker = start_worker(&tree);
    struct error err = {0};
    struct device_done done;
    make_blocking(tree, UUID("01"));
    assert_ok(start(worker, DEVICE_CREATE, "0000:84:00.0", "blocks", UUID("01"), &err),
              &err);
    assert_false(device_worker_take(worker, 0, &done));
    assert_ok(start(worker, DEVICE_CREATE, "0000:85:00.0", "works", UUID("02"), &err),
              &err);
    assert_true(device_worker_take(worker, LONG, &done));
    assert_string_equal(done.uuid, UUID("02"));
    expect_in_transition(worker, true);
    release(tree, UUID("01"));
    assert_true(device_worker_take(worker, LONG, &done));
    assert_string_equal(done.uuid, UUID("01"));
    assert_int_equal(done.error.code, ERROR_NONE);
    assert_false(device_worker_take(worker, 0, &done));
    expect_in_transition(worker, false);
    device_worker_free(worker);
    tree_free(tree);
}

/* Which operations may start while `first` is under way with UUID 01 on
 * 0000:41:00.4. */
static void what_else_may_start_meanwhile(void **state)
{
    (void)state;
    static const struct {
        enum device_operation first, second;
        const char *parent, *uuid;
        enum error_code code;
    } cases[] = {
        {DEVICE_CREATE, DEVICE_CREATE, "0000:41:00.4", UUID("01"), ERROR_BUSY},
        {DEVICE_CREATE, DEVICE_REMOVE, "0000:41:00.4", UUID("01"), ERROR_BUSY},
        {DEVICE_CREATE, DEVICE_CREATE, "0000:41:00.4", UUID("02"), ERROR_BUSY},
        {DEVICE_CREATE, DEVICE_REMOVE, "0000:41:00.5", UUID("02"), ERROR_BUSY},
        {DEVICE_CREATE, DEVICE_CREATE, "0000:84:00.0", UUID("02"), ERROR_NONE},
        {DEVICE_REMOVE, DEVICE_CREATE, "0000:41:00.4", UUID("01"), ERROR_BUSY},
        {DEVICE_REMOVE, DEVICE_REMOVE, "0000:84:00.0", UUID("01"), ERROR_BUSY},
        {DEVICE_REMOVE, DEVICE_CREATE, "0000:41:00.4", UUID("02"), ERROR_NONE},
        {DEVICE_REMOVE, DEVICE_REMOVE, "0000:41:00.5", UUID("02"), ERROR_NONE},
        {DEVICE_CREATE, DEVICE_CLEAR, "0000:41:00.5", UUID("02"), ERROR_BUSY},
        {DEVICE_CLEAR, DEVICE_REMOVE, "0000:41:00.4", UUID("01"), ERROR_BUSY},
        {DEVICE_CLEAR, DEVICE_CREATE, "0000:41:00.4", UUID("02"), ERROR_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *tree;
        struct device_worker *worker = start_worker(&tree);
        struct error err = {0};
        struct device_done done;
        make_blocking(tree, UUID("01"));
        assert_ok(
            start(worker, cases[i].first, "0000:41:00.4", "blocks", UUID("01"), &err),
            &err);
        int rc = start(worker, cases[i].second, cases[i].parent, "works", cases[i].uuid,
                       &err);
        if (rc != (cases[i].code ? -1 : 0) || err.code != cases[i].code)
            fail_msg("case %zu: %d %s", i, rc, err.text);
        if (rc == 0)
            assert_true(device_worker_take(worker, LONG, &done));
        release(tree, UUID("01"));
        assert_true(device_worker_take(worker, LONG, &done));
        device_worker_free(worker);
        tree_free(tree);
    }
}

static void a_child_has_nothing_of_the_agents(void **state)
{
    (void)state;
    char *tree;
    struct device_worker *worker = start_worker(&tree);
    struct error err = {0};
    struct device_done done;
    assert_ok(start(worker, DEVICE_REMOVE, "0000:84:00.0", "counts", UUID("01"), &err),
              &err);
    assert_true(device_worker_take(worker, LONG, &done));
    assert_string_equal(done.error.text, "4"); /* three for /dev/null, and the child's
                                                  pipe */
    device_worker_free(worker);
    tree_free(tree);
}

/* When an agent that holds a lock and has a stuck child is killed, the lock must be
 * free at once. */
static void a_stuck_child_does_not_keep_the_lock(void **state)
{
    (void)state;
    char *tree = tree_new();
    make_blocking(tree, UUID("01"));
    tree_write(tree, "lock", "");
    char *path = xasprintf("%s/lock", tree);
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t agent = fork();
    if (agent == 0) {
        int lock = open(path, O_RDWR);
        struct device_worker *worker = new_worker(tree);
        if (flock(lock, LOCK_EX) != 0 ||
            start(worker, DEVICE_REMOVE, "0000:84:00.0", "blocks", UUID("01"), NULL) !=
                0 ||
            write(ready[1], "x", 1) != 1)
            _exit(1);
        pause();
        _exit(1);
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(kill(agent, SIGKILL), 0);
    int status;
    assert_int_equal(waitpid(agent, &status, 0), agent);
    assert_true(WIFSIGNALED(status));
    int lock = open(path, O_RDWR);
    assert_true(lock >= 0);
    /* The child closes its copies of the descriptors first, but may not have come so
     * far yet. */
    assert_int_equal(flock(lock, LOCK_EX), 0);
    release(tree, UUID("01"));
    close(lock);
    close(ready[0]);
    close(ready[1]);
    free(path);
    tree_free(tree);
}

static void freeing_waits_for_nobody(void **state)
{
    (void)state;
    char *tree;
    struct device_worker *worker = start_worker(&tree);
    struct error err = {0};
    make_blocking(tree, UUID("01"));
    assert_ok(start(worker, DEVICE_REMOVE, "0000:84:00.0", "blocks", UUID("01"), &err),
              &err);
    device_worker_free(worker);
    release(tree, UUID("01"));
    int status;
    assert_true(wait(&status) > 0);
    /* The child ends although nobody reads its result any more. */
    assert_true(WIFEXITED(status));
    tree_free(tree);
}

static void refuses_more_than_it_can_oversee(void **state)
{
    (void)state;
    char *tree;
    struct device_worker *worker = start_worker(&tree);
    struct error err = {0};
    unsigned started = 0;
    char uuid[UUID_TEXT_SIZE] = UUID("00");
    do {
        snprintf(uuid, sizeof uuid, "00000000-0000-4000-8000-%012u", started);
        make_blocking(tree, uuid);
    } while (start(worker, DEVICE_REMOVE, "0000:84:00.0", "blocks", uuid, &err) == 0 &&
             ++started < 1000);
    assert_int_equal(started, 128);
    assert_int_equal(err.code, ERROR_BUSY);
    struct device_done done;
    for (unsigned i = 0; i < started; i++) {
        snprintf(uuid, sizeof uuid, "00000000-0000-4000-8000-%012u", i);
        release(tree, uuid);
    }
    for (unsigned i = 0; i < started; i++)
        assert_true(device_worker_take(worker, LONG, &done));
    device_worker_free(worker);
    tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_the_backend_said),
        cmocka_unit_test(a_blocked_operation_holds_up_no_other_card),
        cmocka_unit_test(what_else_may_start_meanwhile),
        cmocka_unit_test(a_child_has_nothing_of_the_agents),
        cmocka_unit_test(a_stuck_child_does_not_keep_the_lock),
        cmocka_unit_test(freeing_waits_for_nobody),
        cmocka_unit_test(refuses_more_than_it_can_oversee),
    };
    return cmocka_run_group_tests_name("device_worker", tests, NULL, NULL);
}
