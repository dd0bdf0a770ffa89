/* The dialect against oslo.config itself, where it is installed: random files, and both
 * must refuse the same ones and find the same values in the others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/ini_files.h"
#include "lib/json_read.h"
#include "lib/xalloc.h"
#include "tests/unit/config/config_test.h"
#include "tests/unit/test.h"

#define PYTHON "/usr/bin/python3"
#define FILES 1000

static const char *const lines[] = {
    "[g]",
    "[S]",
    "[ s ]",
    "[a]b]",
    "[]",
    "[a",
    "] = 1",
    "a = 1",
    "b: 2",
    "a b=1",
    "n=a=b:c",
    "n:a=b",
    "k=",
    "z",
    "  c",
    "\td",
    "  # x",
    "  [t]",
    "# c",
    "; c",
    "#",
    "",
    "   ",
    "a = \"q\"",
    "a = \"",
    "a = \"x'",
    "a='x'  ",
    "  \"y\"",
    "k = 'v",
    "a = x ;y",
    "a=#x",
    "==",
    ": x",
    "\xc3\xa9=\xc3\xbc",
    "\"k\"=1",
    "a=b\\",
    "a = $b",
    "\fq = 1",
    "x = y\f",
    " \f",
    "0000:41:00.0",
};

static char *random_file(size_t *length)
{
    char *text = NULL;
    FILE *file = open_memstream(&text, length);
    if (random() % 4)
        fputs("[s]\n", file);
    for (long n = random() % 12; n > 0; n--)
        fprintf(file, "%s%s", lines[(size_t)random() % (sizeof lines / sizeof *lines)],
                random() % 8 ? "\n" : "\r\n");
    fclose(file);
    return text;
}

static bool same_entry(struct json_object *theirs, const struct ini_entry *ours)
{
    const char *const parts[] = {ours->section, ours->name, ours->value};
    for (size_t i = 0; i < 3; i++)
        if (strcmp(json_object_get_string(json_object_array_get_idx(theirs, i)),
                   parts[i]) != 0)
            return false;
    return true;
}

static bool same(struct json_object *theirs, const struct ini *ini,
                 const struct config_problems *problems)
{
    if (!theirs)
        return problems->count > 0;
    if (problems->count > 0 || json_object_array_length(theirs) != ini->entry_count)
        return false;
    for (size_t i = 0; i < ini->entry_count; i++)
        if (!same_entry(json_object_array_get_idx(theirs, i), &ini->entries[i]))
            return false;
    return true;
}

/* Reads the file and compares with the line that oslo.config's parser gave for it. True
 * when both took it. */
static bool compare(const char *path, const char *line)
{
    struct json_object *theirs = NULL;
    struct ini ini = {0};
    struct config_problems problems = {0};
    struct error err;
    assert_ok(json_parse(line, strlen(line), &theirs, &err), &err);
    ini_read_file(&ini, path, &problems);
    if (!same(theirs, &ini, &problems)) {
        fprintf(stderr, "%s: oslo.config: %s", path, line);
        for (size_t i = 0; i < ini.entry_count; i++)
            fprintf(stderr, "ours: %s|%s|%s\n", ini.entries[i].section,
                    ini.entries[i].name, ini.entries[i].value);
        fail();
    }
    json_object_put(theirs);
    config_problems_clear(&problems);
    ini_clear(&ini);
    return theirs != NULL;
}

static void both_read_the_same(void **state)
{
    (void)state;
    if (system(PYTHON " -c 'import oslo_config' 2>/dev/null") != 0)
        skip_because("python3-oslo.config is not installed");
    char *folder = make_folder();
    char *list = xasprintf("%s/list", folder);
    FILE *names = fopen(list, "w");
    srandom(3);
    for (int i = 0; i < FILES; i++) {
        char name[20];
        snprintf(name, sizeof name, "%d", i);
        size_t length;
        char *text = random_file(&length);
        char *path = write_file(folder, name, text, length);
        fprintf(names, "%s\n", path);
        free(text), free(path);
    }
    fclose(names);
    char *command = xasprintf(PYTHON " tests/unit/config/oslo_dump.py <%s 2>&1", list);
    FILE *dump = popen(command, "r");
    char *line = NULL;
    size_t room = 0, taken = 0;
    for (int i = 0; i < FILES; i++) {
        char *path = xasprintf("%s/%d", folder, i);
        assert_true(getline(&line, &room, dump) > 0);
        taken += compare(path, line);
        free(path);
    }
    assert_int_equal(pclose(dump), 0);
    assert_in_range(taken, FILES / 10, FILES * 9 / 10); /* both ways are tried */
    remove_folder(folder);
    free(folder), free(list), free(command), free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_read_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
