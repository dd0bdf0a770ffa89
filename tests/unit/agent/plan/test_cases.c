/*
 * Each case of the files in tests/unit/agent/plan/cases, or of the files that the
 * command line names, is a test.
 */
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/agent/plan/plan_script.h"
#include "tests/unit/test.h"

#define ALL_FILES "tests/unit/agent/plan/cases/*.txt"

struct found_case {
    const struct script_file *file;
    const struct script_block *block;
};

static struct script_file **files;
static size_t file_count;
static struct found_case *cases;
static size_t case_count;

static void run_case(void **state)
{
    const struct found_case *found = *state;
    plan_case_run(found->file, found->block);
}

static int read_file(const char *path)
{
    struct error err;
    struct script_file *file;
    if (script_file_read(path, &file, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    *array_add(files, file_count) = file;
    for (size_t i = 0; i < file->block_count; i++)
        if (file->blocks[i].is_case)
            *array_add(cases, case_count) =
                (struct found_case){.file = file, .block = &file->blocks[i]};
    return 0;
}

static int read_all(int count, char **paths)
{
    for (int i = 0; i < count; i++)
        if (read_file(paths[i]) != 0)
            return -1;
    return 0;
}

static int read_every_file(void)
{
    glob_t found = {0};
    int rc = glob(ALL_FILES, 0, NULL, &found);
    if (rc == 0)
        rc = read_all((int)found.gl_pathc, found.gl_pathv);
    else
        fprintf(stderr, "there is no " ALL_FILES " below the current folder\n");
    globfree(&found);
    return rc;
}

/* The name of a test, for instance "released: a clock that goes back a little". */
static char *test_name(const struct found_case *found)
{
    const char *slash = strrchr(found->file->path, '/');
    const char *file = slash ? slash + 1 : found->file->path;
    return xasprintf("%.*s: %s", (int)strcspn(file, "."), file, found->block->name);
}

static int run_cases(void)
{
    struct CMUnitTest *tests = xcalloc(case_count, sizeof *tests);
    for (size_t i = 0; i < case_count; i++)
        tests[i] = (struct CMUnitTest){.name = test_name(&cases[i]),
                                       .test_func = run_case,
                                       .initial_state = &cases[i]};
    /* cmocka_run_group_tests() only takes an array whose length is known at compile
     * time. */
    int failed = _cmocka_run_group_tests("plan_cases", tests, case_count, NULL, NULL);
    for (size_t i = 0; i < case_count; i++)
        free((char *)tests[i].name);
    free(tests);
    return failed;
}

int main(int argc, char **argv)
{
    int rc = argc > 1 ? read_all(argc - 1, argv + 1) : read_every_file();
    if (rc == 0)
        rc = run_cases();
    for (size_t i = 0; i < file_count; i++)
        script_file_free(files[i]);
    free(files);
    free(cases);
    /* The number of failed tests as an exit code would be 0 again at 256. */
    return rc == 0 ? 0 : 1;
}
