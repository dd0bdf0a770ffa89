/* ini: text in; "section|name|value|line" and the exact problems out. */
#include "config/ini_files.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/user.h"
#include "lib/xalloc.h"
#include "tests/unit/config/config_test.h"
#include "tests/unit/test.h"

/* Everything that came of it, a line each: entries, then problems. */
static char *dump(const struct ini *ini, const struct config_problems *problems)
{
    struct strlist lines = {0};
    for (size_t i = 0; i < ini->entry_count; i++) {
        const struct ini_entry *e = &ini->entries[i];
        strlist_add_take(&lines, xasprintf("%s|%s|%s|%u", e->section, e->name, e->value,
                                           e->place.line));
    }
    for (size_t i = 0; i < problems->count; i++)
        strlist_add_take(&lines, config_problem_text(&problems->items[i]));
    char *text = strlist_join(&lines, "\n");
    strlist_clear(&lines);
    return text;
}

static void check(const char *text, size_t length, const char *expected)
{
    struct ini ini = {0};
    struct config_problems problems = {0};
    ini_read_text(&ini, "f", text, length, &problems);
    char *found = dump(&ini, &problems);
    if (strcmp(found, expected) != 0)
        fail_msg("for: %s\nwant:\n%s\nhave:\n%s", text, expected, found);
    free(found);
    ini_clear(&ini);
    config_problems_clear(&problems);
}

#define NO_OPTION                                                                     \
    "neither a [section], nor an option = value, nor a comment (# or ; in the first " \
    "column)"
#define BAD_HEADER                                                                   \
    "a section header must be [name] and nothing else; what follows is not read up " \
    "to "                                                                            \
    "the next header"
#define NO_CONTINUATION                                                          \
    "an indented line continues the option before it, and there is none; start " \
    "options "                                                                   \
    "in the first column"

static void the_dialect(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {"\n\n# x\n; y\n", ""},
        {"[s]\na = 1", "s|a|1|2"},
        {"[s]\r\na = 1\r\n", "s|a|1|2"},
        {"[s]\na=1\nb:2\n", "s|a|1|2\ns|b|2|3"},
        {"[s]\na = b=c:d\n0000:41:00.0 = v\n", "s|a|b=c:d|2\ns|0000|41:00.0 = v|3"},
        {"[s]\na b\t= c\n", "s|a b|c|2"},
        {"[s]\na =\nb =   \n", "s|a||2\ns|b||3"},
        /* comments only in the first column */
        {"[s]\na = x # y ; z\n", "s|a|x # y ; z|2"},
        {"[s]\na = x\n  # y\n", "s|a|x\n# y|2"},
        {"[s]\n#a = x\n;b = y\n", ""},
        /* continuation */
        {"[s]\na = 1,\n   2,\n\t3\nb = 4\n", "s|a|1,\n2,\n3|2\ns|b|4|5"},
        {"[s]\na =\n  1\n", "s|a|\n1|2"},
        {"[s]\na = 1\n  [t]\n  b = 2\n", "s|a|1\n[t]\nb = 2|2"},
        {"[s]\na = 1\n\n  2\n", "s|a|1|2\nf:4: " NO_CONTINUATION},
        {"[s]\na = 1\n# x\n  2\n", "s|a|1|2\nf:4: " NO_CONTINUATION},
        {"[s]\n  a = 1\n", "f:2: " NO_CONTINUATION},
        {"[s]\na = 1\n   \nb = 2\n", "s|a|1|2\ns|b|2|4"},
        /* quotes */
        {"[s]\na = \"x y\"\nb = 'z'\n", "s|a|x y|2\ns|b|z|3"},
        {"[s]\na = \"x'\nb = x\"\nc = \"\nd = \"\"\n",
         "s|a|\"x'|2\ns|b|x\"|3\ns|c||4\ns|d||5"},
        {"[s]\na = \" x \"\n", "s|a| x |2"},
        {"[s]\na = \"x\"\n  \"y\"\n", "s|a|x\n\"y\"|2"},
        /* sections */
        {"[s]\na=1\n[t]\nb=2\n[s]\nc=3\n", "s|a|1|2\nt|b|2|4\ns|c|3|6"},
        {"[ s ]\na=1\n", " s |a|1|2"},
        {"[a]b]\nc=1\n", "a]b|c|1|2"},
        {"[s]  \na=1\n", "s|a|1|2"},
        {"[0123456789012345678901234567890123456789012345678901234567890]\na=1\n",
         "0123456789012345678901234567890123456789012345678901234567890|a|1|2"},
        /* what cannot be read: said once each, the rest is kept */
        {"a = 1\n[s]\nb = 2\n", "s|b|2|3\nf:1: an option before the first [section]"},
        {"[s]\nword\na = 1\n", "s|a|1|3\nf:2: " NO_OPTION},
        {"[s]\n= v\n: w\na = 1\n",
         "s|a|1|4\nf:2: no name before the '='; expected option = value\n"
         "f:3: no name before the ':'; expected option = value"},
        {"[s]\nword\n  more\na = 1\n", "s|a|1|4\nf:2: " NO_OPTION},
        {"[s] # x\na = 1\n  2\n[t]\nb = 3\n", "t|b|3|5\nf:1: " BAD_HEADER},
        {"[s\na = 1\n", "f:1: " BAD_HEADER},
        {"[]\na = 1\n", "f:1: " BAD_HEADER},
        {"[", "f:1: " BAD_HEADER},
        {"[s]\na = 1\n[\xff]\nb = 2\n[t]\nc = 3\n",
         "s|a|1|2\nt|c|3|6\nf:3: invalid UTF-8; expected text in UTF-8"},
        {"[s]\na = 1\rb = 2\n",
         "f:2: a carriage return inside the line; end lines with a newline"},
        /* not ASCII */
        {"[s]\na = \xc3\xa9\n", "s|a|\xc3\xa9|2"},
        {"[s]\na = \xff\nb = 1\n",
         "s|b|1|3\nf:2: invalid UTF-8; expected text in UTF-8"},
        {"[s]\n# \xe9t\xe9\n", "f:2: invalid UTF-8; expected text in UTF-8"},
        {"[s]\na = \xed\xa0\x80\n", "f:2: invalid UTF-8; expected text in UTF-8"},
        {"\xef\xbb\xbf[s]\na = 1\n", "s|a|1|2\nf:1: warning: starts with a byte order "
                                     "mark, which OpenStack's services do not accept"},
        {"[s]\n\xef\xbb\xbf"
         "a = 1\n",
         "s|\xef\xbb\xbf"
         "a|1|2"},
        {"[s]\n\fa = 1\n", "s|a|1|2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].text, strlen(cases[i].text), cases[i].expected);
}

static void nul_is_refused(void **state)
{
    (void)state;
    static const char text[] = "[s]\na = 1\0b = 2\n\0\nc = 3\n";
    check(
        text, sizeof text - 1,
        "f:2: a NUL byte, so that this is no text, and the rest is not read; expected "
        "text in UTF-8");
}

/* "[s]\nA = xxx...\nb = 1\n" with `count` x. */
static char *long_line(size_t count, size_t *length)
{
    char *text = NULL;
    FILE *file = open_memstream(&text, length);
    fputs("[s]\nA = ", file);
    while (count--)
        fputc('x', file);
    fputs("\nb = 1\n", file);
    fclose(file);
    return text;
}

static void long_lines_are_whole_or_refused(void **state)
{
    (void)state;
    static const size_t counts[] = {190,
                                    191,
                                    192,
                                    193,
                                    194,
                                    195,
                                    196,
                                    200,
                                    396,
                                    397,
                                    65536,
                                    200000,
                                    4000,
                                    51195,
                                    204800,
                                    819190,
                                    INI_LINE_MAX - 4};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        size_t length;
        char *text = long_line(counts[i], &length);
        struct ini ini = {0};
        struct config_problems problems = {0};
        ini_read_text(&ini, "f", text, length, &problems);
        assert_int_equal(problems.count, 0);
        assert_int_equal(ini.entry_count, 2);
        assert_int_equal(strlen(ini.entries[0].value), counts[i]);
        assert_int_equal(strspn(ini.entries[0].value, "x"), counts[i]);
        assert_string_equal(ini.entries[1].name, "b");
        assert_int_equal(ini.entries[1].place.line, 3);
        free(text);
        ini_clear(&ini);
        config_problems_clear(&problems);
    }
    size_t length;
    char *text = long_line(INI_LINE_MAX - 3, &length);
    check(text, length,
          "s|b|1|3\nf:2: a line of 1048574 bytes; at most 1048573 are read");
    free(text);
    text = long_line(2000000, &length);
    check(text, length,
          "s|b|1|3\nf:2: a line of 2000004 bytes; at most 1048573 are read");
    free(text);
}

static void long_values_over_many_lines(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    fputs("[s]\na_name_of_more_than_forty_nine_characters_is_cut_by_inih =\n", file);
    for (int i = 0; i < 100000; i++)
        fprintf(file, "  item%d,\n", i);
    fclose(file);
    struct ini ini = {0};
    struct config_problems problems = {0};
    ini_read_text(&ini, "f", text, length, &problems);
    assert_int_equal(problems.count, 0);
    assert_int_equal(ini.entry_count, 1);
    assert_string_equal(ini.entries[0].name,
                        "a_name_of_more_than_forty_nine_characters_is_cut_by_inih");
    struct strlist items = strlist_split(ini.entries[0].value, ',');
    assert_int_equal(items.count, 100001);
    assert_string_equal(items.items[99999], "item99999");
    strlist_clear(&items);
    free(text);
    ini_clear(&ini);
    config_problems_clear(&problems);
}

static void no_configuration_at_all(void **state)
{
    (void)state;
    char text[4000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 4 == 3 ? '\n' : 'x';
    struct ini ini = {0};
    struct config_problems problems = {0};
    ini_read_text(&ini, "f", text, sizeof text, &problems);
    assert_int_equal(problems.count, 50);
    assert_string_equal(problems.items[0].text, NO_OPTION);
    assert_string_equal(problems.items[49].text,
                        "too many lines that cannot be read: is this a configuration "
                        "file? The rest of them is not listed");
    ini_clear(&ini);
    config_problems_clear(&problems);
}

/* Any bytes at all: each line is an entry, part of one, blank, comment, header or a
 * problem; never a crash (the sanitizers look on), and no line number out of range. */
static void any_bytes(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "[",  "]",  "[s]\n", "a",       "=", ":", "\n",   " ", "#",  "\"",
        "\t", "\r", "\xff",  "b = c\n", ",", ";", "\xc3", "$", "\f", "  d\n"};
    srandom(7);
    for (int round = 0; round < 5000; round++) {
        char text[400] = "";
        size_t length = 0;
        for (long n = random() % 40; n > 0; n--) {
            const char *piece =
                pieces[(size_t)random() % (sizeof pieces / sizeof *pieces)];
            memcpy(text + length, piece, strlen(piece));
            length += strlen(piece);
            if (random() % 50 == 0)
                text[length++] = 0;
        }
        struct ini ini = {0};
        struct config_problems problems = {0};
        ini_read_text(&ini, "f", text, length, &problems);
        unsigned lines = 1;
        for (size_t i = 0; i < length; i++)
            lines += text[i] == '\n';
        assert_in_range(ini.entry_count + ini.section_count + problems.count, 0, lines);
        for (size_t i = 0; i < ini.entry_count; i++) {
            assert_in_range(ini.entries[i].place.line, 1, lines);
            assert_true(*ini.entries[i].name != 0);
            assert_non_null(ini.entries[i].value);
        }
        for (size_t i = 0; i < problems.count; i++)
            assert_in_range(problems.items[i].place.line, 1, lines);
        ini_clear(&ini);
        config_problems_clear(&problems);
    }
}

static void files_that_cannot_be_read(void **state)
{
    (void)state;
    char *folder = make_folder();
    char *big = xcalloc(1, INI_FILE_MAX + 1);
    memset(big, '\n', INI_FILE_MAX + 1);
    char *large = write_file(folder, "large", big, INI_FILE_MAX + 1);
    char *most = write_file(folder, "most", big, INI_FILE_MAX);
    char *missing = xasprintf("%s/missing", folder);
    char *pipe = xasprintf("%s/pipe", folder);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    char *loop = xasprintf("%s/loop", folder);
    assert_int_equal(symlink("loop", loop), 0);
    struct {
        const char *path, *expected;
    } cases[] = {
        {folder, "not a regular file; a folder is read with --config-dir"},
        {missing, "No such file or directory"},
        {large, "larger than 4194304 bytes"},
        {most, NULL},
        {pipe, "not a regular file"},
        {loop, "Too many levels of symbolic links"},
        {"/proc/self/mem", "Input/output error"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ini ini = {0};
        struct config_problems problems = {0};
        ini_read_file(&ini, cases[i].path, &problems);
        assert_int_equal(problems.count, cases[i].expected ? 1 : 0);
        if (cases[i].expected) {
            char *expected = xasprintf("%s: %s", cases[i].path, cases[i].expected);
            assert_string_equal(problems.items[0].text, expected);
            free(expected);
        }
        ini_clear(&ini);
        config_problems_clear(&problems);
    }
    remove_folder(folder);
    free(folder), free(big), free(large), free(most), free(missing), free(pipe),
        free(loop);
}

static void unreadable_file(void **state)
{
    (void)state;
    char *folder = make_folder();
    char *path = write_file(folder, "a.conf", "[s]\n", 4);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    bool root = geteuid() == 0; /* who may read everything */
    if (root)
        assert_int_equal(seteuid(65534), 0);
    struct ini ini = {0};
    struct config_problems problems = {0};
    ini_read_file(&ini, path, &problems);
    if (root)
        assert_int_equal(seteuid(0), 0);
    char *user = root ? user_name(65534) : user_name(geteuid());
    char *owner = user_name(geteuid());
    char *expected = xasprintf(
        "%s: Permission denied; the user %s may not read it, which belongs to "
        "%s (mode 0000)",
        path, user, owner);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].text, expected);
    ini_clear(&ini);
    config_problems_clear(&problems);
    remove_folder(folder);
    free(folder), free(path), free(expected), free(user), free(owner);
}

static void folders_by_name_and_only_conf(void **state)
{
    (void)state;
    char *folder = make_folder();
    static const char *const names[] = {"20.conf", "10.conf", "30.conf~", ".a.conf",
                                        "b.conf.bak"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *text = xasprintf("[s]\nfrom = %s\n", names[i]);
        free(write_file(folder, names[i], text, strlen(text)));
        free(text);
    }
    struct ini ini = {0};
    struct config_problems problems = {0};
    struct strlist files = {0}, dirs = {0};
    strlist_add(&dirs, folder);
    strlist_add(&dirs, "/nonexistent");
    ini_read_all(&ini, &files, &dirs, &problems);
    assert_int_equal(ini.entry_count, 2);
    assert_string_equal(ini.entries[0].value, "10.conf");
    assert_string_equal(ini.entries[1].value, "20.conf");
    assert_int_equal(ini.entries[1].file, 1);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].text,
                        "/nonexistent: No such file or directory");
    strlist_clear(&dirs);
    ini_clear(&ini);
    config_problems_clear(&problems);
    remove_folder(folder);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dialect),
        cmocka_unit_test(nul_is_refused),
        cmocka_unit_test(long_lines_are_whole_or_refused),
        cmocka_unit_test(long_values_over_many_lines),
        cmocka_unit_test(no_configuration_at_all),
        cmocka_unit_test(any_bytes),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(unreadable_file),
        cmocka_unit_test(folders_by_name_and_only_conf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
