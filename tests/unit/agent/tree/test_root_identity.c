#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/tree/root_identity.h"
#include "lib/xalloc.h"

#define ONE "aaaaaaaa-0000-4000-8000-000000000001"
#define TWO "aaaaaaaa-0000-4000-8000-000000000002"

/* A host's root with Nova's two places, and a third file. */
struct folder {
    char path[64];
    char *files[3];
};

static const char *const folders[] = {"etc", "etc/nova", "var", "var/lib",
                                      "var/lib/nova"};
#define FOLDER_COUNT (sizeof folders / sizeof *folders)

static int folder_open(void **state)
{
    static const char *const names[] = {"etc/nova/compute_id",
                                        "var/lib/nova/compute_id", "other"};
    struct folder *folder = xcalloc(1, sizeof *folder);
    snprintf(folder->path, sizeof folder->path, "/tmp/root_identity.XXXXXX");
    if (!mkdtemp(folder->path))
        return -1;
    for (size_t i = 0; i < FOLDER_COUNT; i++) {
        _cleanup_free_ char *path = xasprintf("%s/%s", folder->path, folders[i]);
        if (mkdir(path, 0700) != 0)
            return -1;
    }
    for (size_t i = 0; i < 3; i++)
        folder->files[i] = xasprintf("%s/%s", folder->path, names[i]);
    *state = folder;
    return 0;
}

static int folder_close(void **state)
{
    struct folder *folder = *state;
    for (size_t i = 0; i < 3; i++) {
        unlink(folder->files[i]);
        free(folder->files[i]);
    }
    for (size_t i = FOLDER_COUNT; i-- > 0;) {
        _cleanup_free_ char *path = xasprintf("%s/%s", folder->path, folders[i]);
        rmdir(path);
    }
    int rc = rmdir(folder->path);
    free(folder);
    return rc;
}

static void write_file(const char *path, const char *text)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void takes_the_first_that_says(void **state)
{
    struct folder *folder = *state;
    char *named = folder->files[2];
    /* What the files hold (NULL: not there) and what the configuration says. */
    const struct {
        const char *first, *second, *third;
        char *file, *name;
        const char *uuid, *found_name; /* NULL: none */
        enum error_code code;
        const char *text;
    } cases[] = {
        {ONE "\n", NULL, NULL, NULL, NULL, ONE, NULL},
        {NULL, " \t" ONE " \n\n", NULL, NULL, NULL, ONE, NULL},
        {ONE, "AAAAAAAA-0000-4000-8000-000000000001", NULL, NULL, NULL, ONE, NULL},
        {ONE, TWO, NULL, NULL, NULL, .code = ERROR_INVALID,
         .text = "hold different uuids"},
        {"nothing", ONE, NULL, NULL, NULL, .code = ERROR_INVALID,
         .text = "expected a uuid"},
        {"", NULL, NULL, NULL, NULL, .code = ERROR_INVALID, .text = "expected a uuid"},
        {ONE, TWO, NULL, NULL, (char *)"host.example", "", "host.example"},
        {ONE, NULL, TWO, named, NULL, TWO, NULL},
        {ONE, NULL, TWO, named, (char *)"host.example", TWO, "host.example"},
        {ONE, NULL, NULL, named, NULL, .code = ERROR_NOT_FOUND,
         .text = "agent.compute_id_file: "},
        {ONE, NULL, "x", named, NULL, .code = ERROR_INVALID, .text = "expected a uuid"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *texts[] = {cases[i].first, cases[i].second, cases[i].third};
        for (size_t f = 0; f < 3; f++) {
            unlink(folder->files[f]);
            if (texts[f])
                write_file(folder->files[f], texts[f]);
        }
        const struct config config = {.agent = {.compute_id_file = cases[i].file,
                                                .root_provider_name = cases[i].name,
                                                .host_root = folder->path}};
        struct root_identity identity = {0};
        struct error err = {0};
        int rc = root_identity_find(&config, &identity, &err);
        assert_int_equal(rc, cases[i].code ? -1 : 0);
        assert_int_equal(err.code, cases[i].code);
        if (rc != 0) {
            assert_non_null(strstr(err.text, cases[i].text));
            continue;
        }
        assert_string_equal(identity.uuid, cases[i].uuid);
        if (cases[i].found_name)
            assert_string_equal(identity.name, cases[i].found_name);
        else
            assert_null(identity.name);
        root_identity_clear(&identity);
    }
}

static void falls_back_to_the_host_name(void **state)
{
    const struct folder *folder = *state;
    const struct config config = {.agent = {.host_root = (char *)folder->path}};
    struct root_identity identity = {0};
    struct error err = {0};
    assert_ok(root_identity_find(&config, &identity, &err), &err);
    assert_string_equal(identity.uuid, "");
    _cleanup_free_ char *name = root_identity_host_name();
    assert_string_not_equal(name, "");
    assert_string_equal(identity.name, name);
    root_identity_clear(&identity);
}

static void computed_uuid_is_a_function_of_the_name(void **state)
{
    (void)state;
    char uuid[UUID_TEXT_SIZE];
    /* Python: uuid.uuid5(uuid.NAMESPACE_DNS, "python.org") */
    root_identity_computed_uuid("python.org", uuid);
    assert_string_equal(uuid, "886313e1-3b8a-5372-9b90-0c9aee199e5d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_the_first_that_says, folder_open,
                                        folder_close),
        cmocka_unit_test_setup_teardown(falls_back_to_the_host_name, folder_open,
                                        folder_close),
        cmocka_unit_test(computed_uuid_is_a_function_of_the_name),
    };
    return cmocka_run_group_tests_name("root_identity", tests, NULL, NULL);
}
