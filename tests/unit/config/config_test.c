#include "tests/unit/config/config_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

char *make_folder(void)
{
    const char *where = getenv("TMPDIR");
    char *folder = xasprintf("%s/config-test-XXXXXX", where ? where : "/tmp");
    assert_non_null(mkdtemp(folder));
    return folder;
}

void remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(dir), entry->d_name,
                     entry->d_type == DT_DIR ? AT_REMOVEDIR : 0);
    closedir(dir);
    assert_int_equal(rmdir(folder), 0);
}

char *write_file(const char *folder, const char *name, const char *text, size_t length)
{
    char *path = xasprintf("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    return path;
}

/* "FOLDER/a.conf:1: ..." as "a.conf:1: ..." */
static void add_line(struct strlist *lines, const struct config_problem *problem,
                     const char *folder)
{
    char *text = config_problem_text(problem);
    size_t length = strlen(folder) + 1;
    bool starts = strncmp(text, folder, length - 1) == 0;
    strlist_add(lines, starts ? text + length : text);
    free(text);
}

int load(const char *text, size_t length, struct config **out, struct strlist *problems)
{
    _cleanup_free_ char *folder = make_folder();
    _cleanup_strlist_ struct strlist files = {0}, dirs = {0};
    strlist_add_take(&files, write_file(folder, "a.conf", text, length));
    struct config_problems found = {0};
    int rc = config_load(&files, &dirs, out, &found);
    config_problems_sort(&found);
    for (size_t i = 0; i < found.count; i++)
        add_line(problems, &found.items[i], folder);
    assert_int_equal(rc, config_has_errors(&found) ? -1 : 0);
    config_problems_clear(&found);
    remove_folder(folder);
    return rc;
}

struct config *load_text(const char *text)
{
    assert_problems(text, strlen(text), (const char *const[]){NULL});
    struct config *config = NULL;
    struct strlist problems = {0};
    assert_int_equal(load(text, strlen(text), &config, &problems), 0);
    strlist_clear(&problems);
    return config;
}

void assert_problems(const char *text, size_t length, const char *const *lines)
{
    struct strlist expected = {0}, found = {0};
    for (; *lines; lines++)
        strlist_add(&expected, *lines);
    struct config *config = NULL;
    (void)load(text, length, &config, &found);
    config_free(config);
    char *want = strlist_join(&expected, "\n"), *have = strlist_join(&found, "\n");
    if (strcmp(want, have) != 0) { /* too long for cmocka's own messages */
        fprintf(stderr, "for: %.300s\nwant: %s\nhave: %s\n", text, want, have);
        fail();
    }
    free(want);
    free(have);
    strlist_clear(&expected);
    strlist_clear(&found);
}
