#include "agent/state/requests.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

static char *folder, *state_file;

static int set_up(void **state)
{
    (void)state;
    char name[] = "/tmp/orders-XXXXXX";
    if (!mkdtemp(name))
        return -1;
    folder = xstrdup(name);
    state_file = xasprintf("%s/state.json", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    int rc = rmdir(folder);
    free(folder);
    free(state_file);
    return rc;
}

static void assert_standing(enum request order, const char *expected)
{
    struct error err;
    _cleanup_strlist_ struct strlist standing = {0};
    assert_ok(requests_read(state_file, order, &standing, &err), &err);
    _cleanup_free_ char *text = strlist_join(&standing, " ");
    assert_string_equal(text, expected);
}

static void stand_until_withdrawn(void **state)
{
    (void)state;
    struct error err;
    bool changed;
    assert_standing(REQUEST_DRAINED, "");
    assert_ok(requests_give(state_file, REQUEST_DRAINED, "mtty", &changed, &err), &err);
    assert_true(changed);
    assert_ok(
        requests_give(state_file, REQUEST_DRAINED, "0000:84:00.0", &changed, &err),
        &err);
    assert_ok(
        requests_give(state_file, REQUEST_DRAINED, "0000:84:00.0", &changed, &err),
        &err);
    assert_false(changed);
    assert_standing(REQUEST_DRAINED, "0000:84:00.0 mtty");
    assert_standing(REQUEST_PRUNE, "");
    assert_ok(requests_withdraw(state_file, REQUEST_DRAINED, "mtty", &changed, &err),
              &err);
    assert_true(changed);
    assert_ok(requests_withdraw(state_file, REQUEST_DRAINED, "mtty", &changed, &err),
              &err);
    assert_false(changed);
    assert_standing(REQUEST_DRAINED, "0000:84:00.0");
    assert_ok(requests_give(state_file, REQUEST_PRUNE, "a", NULL, &err), &err);
    assert_ok(requests_give(state_file, REQUEST_PRUNE, "b", NULL, &err), &err);
    assert_ok(requests_withdraw_all(state_file, REQUEST_PRUNE, &err), &err);
    assert_standing(REQUEST_PRUNE, "");
    assert_standing(REQUEST_DRAINED, "0000:84:00.0");
    assert_ok(requests_withdraw_all(state_file, REQUEST_DRAINED, &err), &err);
}

static void all_kinds_are_read_at_once(void **state)
{
    (void)state;
    struct error err;
    for (int kind = 0; kind < REQUEST_KINDS; kind++) {
        const char *const about[] = {"mtty", "0000:84:00.0", "order.clean.x"};
        for (int i = 0; i <= kind % 3; i++)
            assert_ok(
                requests_give(state_file, (enum request)kind, about[i], NULL, &err),
                &err);
    }
    _cleanup_requests_ struct requests all;
    assert_ok(requests_read_all(state_file, &all, &err), &err);
    for (int kind = 0; kind < REQUEST_KINDS; kind++) {
        static const char *const expected[] = {"mtty", "0000:84:00.0 mtty",
                                               "0000:84:00.0 mtty order.clean.x"};
        _cleanup_free_ char *text = strlist_join(&all.about[kind], " ");
        assert_string_equal(text, expected[kind % 3]);
        assert_ok(requests_withdraw_all(state_file, (enum request)kind, &err), &err);
    }
}

/* Other files beside it are nobody's orders. */
static void only_its_own_files_count(void **state)
{
    (void)state;
    static const char *const others[] = {
        "state.json",          "state.json.lock",         "state.json.drained",
        "state.json.drained.", "other.json.drained.mtty", "drained.mtty"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        _cleanup_free_ char *path = xasprintf("%s/%s", folder, others[i]);
        int fd = creat(path, 0600);
        assert_true(fd >= 0 && close(fd) == 0);
        assert_standing(REQUEST_DRAINED, "");
        assert_int_equal(unlink(path), 0);
    }
}

static void names_that_are_none(void **state)
{
    (void)state;
    static const char *const names[] = {"", "../x", "a/b", "/"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct error err;
        assert_int_equal(
            requests_give(state_file, REQUEST_DRAINED, names[i], NULL, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void a_folder_that_is_not_there(void **state)
{
    (void)state;
    struct error err;
    _cleanup_strlist_ struct strlist standing = {0};
    _cleanup_free_ char *path = xasprintf("%s/none/state.json", folder);
    assert_ok(requests_read(path, REQUEST_DRAINED, &standing, &err), &err);
    assert_int_equal(standing.count, 0);
    assert_int_equal(requests_give(path, REQUEST_DRAINED, "mtty", NULL, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    /* What is known stays when the folder cannot be read. */
    strlist_add(&standing, "mtty");
    _cleanup_free_ char *wrong = xasprintf("%s/file/state.json", folder);
    _cleanup_free_ char *file = xasprintf("%s/file", folder);
    int fd = creat(file, 0600);
    assert_true(fd >= 0 && close(fd) == 0);
    assert_int_equal(requests_read(wrong, REQUEST_DRAINED, &standing, &err), -1);
    assert_int_equal(standing.count, 1);
    assert_int_equal(unlink(file), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stand_until_withdrawn),
        cmocka_unit_test(all_kinds_are_read_at_once),
        cmocka_unit_test(only_its_own_files_count),
        cmocka_unit_test(names_that_are_none),
        cmocka_unit_test(a_folder_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
