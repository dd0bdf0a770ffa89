/* options: a small table of every kind; what files and the command line make of it. */
#include "config/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/config/config_test.h"
#include "tests/unit/test.h"

enum colour { RED, GREEN };

struct values {
    char *text, *path, *url, *address, *secret, *word, *dashed;
    enum colour colour;
    bool flag;
    int number;
    unsigned count, seconds;
    double ratio;
    struct strlist list, colours;
};

#define T(kind, name, help, ...) \
    OPTION(kind, struct values, "s", #name, name, help, ##__VA_ARGS__)
#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct option_spec specs[] = {
    T(STRING, text, "A text.", .old_names = NAMES("old_text", "DEFAULT.older_text")),
    T(PATH, path, "A path.", .default_value = "/default"),
    T(URL, url, "A URL."),
    T(ADDRESS, address, "An address."),
    T(STRING, secret, "A secret.", .secret = true, .pattern = "^[a-z$]+$",
      .accepted = "small letters"),
    T(STRING, word, "A word.", .pattern = "^[a-z]+$", .accepted = "small letters",
      .maximum = 3),
    T(STRING, dashed, "With hyphens.", .hyphens = true,
      .old_names = NAMES("old_dashed")),
    T(CHOICE, colour, "A colour.", .choices = NAMES("red", "green"),
      .default_value = "green"),
    T(BOOL, flag, "A flag.", .default_value = "true"),
    T(INT, number, "A number.", .default_value = "-5"),
    T(UNSIGNED, count, "A count.", .minimum = 1, .maximum = 9, .default_value = "2"),
    T(SECONDS, seconds, "A time.", .maximum = 60, .default_value = "30"),
    T(NUMBER, ratio, "A ratio.", .minimum = 0.5, .maximum = 2, .default_value = "1"),
    T(LIST, list, "A list."),
    T(LIST, colours, "Colours.", .choices = NAMES("red", "green"),
      .default_value = "red, green"),
};
static const struct option_section sections[] = {{.name = "s", .ours = true}};
static const struct option_table table = {sections, 1, specs, OPTION_COUNT(specs)};

static const char *place_of(const char *name)
{
    return strcmp(name, "elsewhere") == 0 ? "t" : NULL;
}

/* Loads the texts as files f0, f1, ... and gives the problems, a line each. */
static char *apply_all(struct values *values, const char *const *texts, bool repeated)
{
    struct ini ini = {0};
    struct config_problems problems = {0};
    for (size_t i = 0; texts[i]; i++) {
        char name[] = {'f', (char)('0' + i), 0};
        ini_read_text(&ini, name, texts[i], strlen(texts[i]), &problems);
    }
    options_apply(&table, &ini, NULL, values, &problems);
    if (repeated)
        options_warn_repeated(&table, &ini, NULL, &problems);
    options_warn_unknown(&table, "s", &ini, "s", place_of, &problems);
    struct strlist lines = {0};
    for (size_t i = 0; i < problems.count; i++)
        strlist_add_take(&lines, config_problem_text(&problems.items[i]));
    char *text = strlist_join(&lines, "\n");
    strlist_clear(&lines);
    config_problems_clear(&problems);
    ini_clear(&ini);
    return text;
}

static char *apply(struct values *values, const char *const *texts)
{
    return apply_all(values, texts, false);
}

static char *apply_one(struct values *values, const char *text)
{
    return apply(values, (const char *const[]){text, NULL});
}

static void assert_list(const struct strlist *list, const char *expected)
{
    char *joined = strlist_join(list, "|");
    assert_string_equal(joined, expected);
    free(joined);
}

static void defaults(void **state)
{
    (void)state;
    struct values v = {0};
    char *problems = apply_one(&v, "");
    assert_string_equal(problems, "");
    assert_null(v.text);
    assert_string_equal(v.path, "/default");
    assert_int_equal(v.colour, GREEN);
    assert_true(v.flag);
    assert_int_equal(v.number, -5);
    assert_int_equal(v.count, 2);
    assert_int_equal(v.seconds, 30);
    assert_true(v.ratio == 1.0);
    assert_list(&v.list, "");
    assert_list(&v.colours, "red|green");
    options_clear(&table, &v);
    assert_null(v.path);
    free(problems);
}

static void good_values(void **state)
{
    (void)state;
    struct values v = {0};
    char *problems = apply_one(
        &v, "[S]\ntext = x y\npath = /a b\nurl = HTTPS://h:1/p\naddress = [::1]:80\n"
            "secret = abc\nword = abc\ndashed = d\ncolour = red\nflag = OFF\n"
            "number = -2147483648\ncount = 9\nseconds = 0\nratio = 0.5\n"
            "list = a,, b b ,c,\ncolours =\n");
    assert_string_equal(problems, "");
    assert_string_equal(v.text, "x y");
    assert_string_equal(v.path, "/a b");
    assert_string_equal(v.url, "HTTPS://h:1/p");
    assert_string_equal(v.address, "[::1]:80");
    assert_int_equal(v.colour, RED);
    assert_false(v.flag);
    assert_int_equal(v.number, INT32_MIN);
    assert_int_equal(v.count, 9);
    assert_int_equal(v.seconds, 0);
    assert_true(v.ratio == 0.5);
    assert_list(&v.list, "a|b b|c");
    assert_list(&v.colours, "red|green"); /* empty: not set */
    options_clear(&table, &v);
    free(problems);
}

static void bad_values(void **state)
{
    (void)state;
    static const struct {
        const char *line, *problem;
    } cases[] = {
        {"path = a/b", "s.path: 'a/b' is not accepted; expected an absolute path"},
        {"url = ftp://h",
         "s.url: 'ftp://h' is not accepted; expected http://HOST[:PORT][/PATH] or "
         "https://..., without user, query or %(name)s"},
        {"url = http://",
         "s.url: 'http://' is not accepted; expected http://HOST[:PORT][/PATH] or "
         "https://..., without user, query or %(name)s"},
        {"url = http:///p",
         "s.url: 'http:///p' is not accepted; expected http://HOST[:PORT][/PATH] or "
         "https://..., without user, query or %(name)s"},
        {"url = http://a b",
         "s.url: 'http://a b' is not accepted; expected http://HOST[:PORT][/PATH] or "
         "https://..., without user, query or %(name)s"},
        {"address = host:80",
         "s.address: 'host:80' is not accepted; expected HOST:PORT, "
         "[IPv6]:PORT or PORT"},
        {"secret = SECRET", "s.secret: not accepted; expected small letters"},
        {"secret = abc$nosuch", "s.secret: refers with '$' to an option that no file "
                                "sets; write '$$' for a dollar sign"},
        {"word = abcd", "s.word: 'abcd' is not accepted; expected small letters"},
        {"word = aB", "s.word: 'aB' is not accepted; expected small letters"},
        {"colour = Red", "s.colour: 'Red' is not accepted; expected one of red, green"},
        {"flag = 2", "s.flag: '2' is not accepted; expected true or false"},
        {"number = 1x", "s.number: '1x' is not accepted; expected an integer"},
        {"number = 2147483648",
         "s.number: '2147483648' is not accepted; expected an integer"},
        {"number = 99999999999999999999",
         "s.number: '99999999999999999999' is not accepted; expected an integer"},
        {"number = 0x10", "s.number: '0x10' is not accepted; expected an integer"},
        {"count = 0", "s.count: '0' is not accepted; expected an integer from 1 to 9"},
        {"count = 10",
         "s.count: '10' is not accepted; expected an integer from 1 to 9"},
        {"count = -1",
         "s.count: '-1' is not accepted; expected an integer from 1 to 9"},
        {"count = 1.5",
         "s.count: '1.5' is not accepted; expected an integer from 1 to 9"},
        {"seconds = 1m",
         "s.seconds: '1m' is not accepted; expected a number of seconds from 0 to 60"},
        {"seconds = 61",
         "s.seconds: '61' is not accepted; expected a number of seconds from 0 to 60"},
        {"ratio = nan",
         "s.ratio: 'nan' is not accepted; expected a number from 0.5 to 2"},
        {"ratio = 0.4",
         "s.ratio: '0.4' is not accepted; expected a number from 0.5 to 2"},
        {"colours = red, blue",
         "s.colours: 'blue' is not accepted; expected a list of red, green"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct values v = {0};
        char *text = xasprintf("[s]\n%s\n", cases[i].line);
        char *expected = xasprintf("f0:2: %s", cases[i].problem);
        char *problems = apply_one(&v, text);
        assert_string_equal(problems, expected);
        /* What is refused leaves the default. */
        assert_string_equal(v.path, "/default");
        assert_int_equal(v.count, 2);
        assert_list(&v.colours, "red|green");
        options_clear(&table, &v);
        free(text), free(expected), free(problems);
    }
}

static void which_line_wins(void **state)
{
    (void)state;
    static const struct {
        const char *files[4];
        const char *text, *dashed;
    } cases[] = {
        {{"[s]\ntext = 1\ntext = 2\n"}, "2", NULL},
        {{"[s]\ntext = 1\n[t]\n[S]\ntext = 2\n"}, "2", NULL},
        {{"[s]\ntext = 1\n", "[s]\ntext = 2\n"}, "2", NULL},
        {{"[s]\ntext = 1\n", "[s]\nold_text = 2\n"}, "2", NULL},
        {{"[s]\ntext = 1\nold_text = 2\n"}, "1", NULL},
        {{"[s]\nold_text = 2\n[DEFAULT]\nolder_text = 3\n"}, "2", NULL},
        {{"[default]\nolder_text = 3\n"}, "3", NULL},
        {{"[DEFAULT]\nold_text = 3\n"}, NULL, NULL},
        {{"[s]\ntext = 1\n", "[s]\ntext =\n"}, NULL, NULL},
        {{"[s]\ndashed = 1\n"}, NULL, "1"},
        {{"[s]\nold-dashed = 1\n"}, NULL, "1"},
        {{"[s]\nold_dashed = 1\ndashed = 2\nold-dashed = 3\n"}, NULL, "2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct values v = {0};
        char *problems = apply(&v, cases[i].files);
        assert_string_equal(problems, "");
        if (cases[i].text)
            assert_string_equal(v.text, cases[i].text);
        else
            assert_null(v.text);
        if (cases[i].dashed)
            assert_string_equal(v.dashed, cases[i].dashed);
        options_clear(&table, &v);
        free(problems);
    }
}

static void dollars(void **state)
{
    (void)state;
    static const char circle[] = "refers with '$' to itself, or to too many options";
    static const char unset[] = "refers with '$' to an option that no file sets; write "
                                "'$$' for a dollar sign";
    static const struct {
        const char *value, *expected, *problem;
    } cases[] = {
        {"a$$b", "a$b", NULL},
        {"a\\$b", "a$b", NULL},
        {"a$", "a$", NULL},
        {"a$5", "a$5", NULL},
        {"${", "${", NULL},
        {"${word", "${word", NULL},
        {"$word.x", NULL, unset},
        {"<$word>", "<abc>", NULL},
        {"<${word}d>", "<abcd>", NULL},
        {"${t.other}", "1abc", NULL},
        {"$dir/x", "/var/x", NULL},
        {"$path", "/default", NULL},
        {"$$$word", "$abc", NULL},
        {"$nosuch", NULL, unset},
        {"${t.nosuch}", NULL, unset},
        {"$text", NULL, circle},
        {"${t.bomb}", NULL, circle},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct values v = {0};
        char *text = xasprintf("[DEFAULT]\ndir = /var\n[t]\nother = 1${s.word}\n"
                               "b1 = $b0$b0$b0$b0$b0$b0\nb2 = $b1$b1$b1$b1$b1$b1\n"
                               "b3 = $b2$b2$b2$b2$b2$b2\nbomb = $b3$b3$b3$b3$b3$b3\n"
                               "b0 = xxxxxxxx\n[s]\nword = abc\ntext = %s\n",
                               cases[i].value);
        char *problems = apply_one(&v, text);
        if (cases[i].problem) {
            char *expected = xasprintf("f0:12: s.text: %s", cases[i].problem);
            assert_string_equal(problems, expected);
            assert_null(v.text);
            free(expected);
        } else {
            assert_string_equal(problems, "");
            assert_string_equal(v.text, cases[i].expected);
        }
        options_clear(&table, &v);
        free(text), free(problems);
    }
}

static void unknown_names(void **state)
{
    (void)state;
    struct values v = {0};
    char *problems = apply_one(
        &v, "[s]\ncolor = red\nText = x\nzzzzzz = 1\nold_dashed = 1\n"
            "old-dashed = 1\nno-hyphens-here = 1\nelsewhere = 1\n[t]\nwhatever = 1\n");
    assert_string_equal(problems,
                        "f0:2: warning: s.color: unknown option; did you mean colour?\n"
                        "f0:3: warning: s.Text: unknown option; did you mean text?\n"
                        "f0:4: warning: s.zzzzzz: unknown option, not used\n"
                        "f0:7: warning: s.no-hyphens-here: unknown option, not used\n"
                        "f0:8: s.elsewhere: not used; it belongs into [t]");
    options_clear(&table, &v);
    free(problems);
}

static void the_command_line_goes_first(void **state)
{
    (void)state;
    struct values v = {0};
    struct error err;
    char *problems = apply_one(&v, "[s]\ncount = 3\n");
    assert_ok(options_override(&table, &v, "s", "count", "4", "--count", &err), &err);
    assert_int_equal(v.count, 4);
    assert_int_equal(options_override(&table, &v, "s", "count", "x", "--count", &err),
                     -1);
    assert_string_equal(
        err.text, "--count: 'x' is not accepted; expected an integer from 1 to 9");
    assert_int_equal(v.count, 4);
    assert_int_equal(options_override(&table, &v, "s", "none", "x", "--none", &err),
                     -1);
    assert_string_equal(err.text, "--none: no option s.none");
    options_clear(&table, &v);
    free(problems);
}

#define COMMENT "a comment stands on a line of its own, with # in the first column"
#define INDENTED \
    "an indented line continues the value above it; start options in the first column"
#define UNCLOSED \
    "a quote that is not closed; expected quotes around the whole value, or none"

/* What another dialect of INI would have taken for something else. */
static void slips_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problem; /* NULL: none */
    } cases[] = {
        {"path = /a # b", "f0:2: s.path: '/a # b' is not accepted: " COMMENT},
        {"path = /a\t; b", "f0:2: s.path: '/a?; b' is not accepted: " COMMENT},
        {"path = /a#b", NULL},
        {"path = \"/a # b\"", NULL},
        {"path = /a\n  flag = no",
         "f0:2: s.path: '/a?flag = no' is not accepted: " INDENTED},
        {"path = /a'", "f0:2: s.path: '/a'' is not accepted: " UNCLOSED},
        {"path = \"/a", "f0:2: s.path: '\"/a' is not accepted; expected an absolute "
                        "path; " UNCLOSED},
        {"flag = no # yes",
         "f0:2: s.flag: 'no # yes' is not accepted; expected true or "
         "false; " COMMENT},
        {"count = # none", "f0:2: s.count: '# none' is not accepted; expected an "
                           "integer from 1 to 9; " COMMENT},
        {"list = a, b # c", "f0:2: s.list: 'b # c' is not accepted: " COMMENT},
        {"list = a,\n  # c\n  b", "f0:2: s.list: '# c?b' is not accepted: " COMMENT},
        {"list = a,\n  b", NULL},
        {"list = 'a', 'b'", "f0:2: s.list: 'a'' is not accepted: quotes stand in pairs "
                            "around the whole list, not around an item"},
        /* names and secrets may be so */
        {"text = a # b",
         "f0:2: warning: s.text: 'a # b' is taken as it stands: " COMMENT},
        {"text = 'a", "f0:2: warning: s.text: ''a' is taken as it stands: " UNCLOSED},
        {"text = 'a # b'", NULL},
        {"secret = a # b",
         "f0:2: s.secret: not accepted; expected small letters; " COMMENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct values values = {0};
        _cleanup_free_ char *text = xasprintf("[s]\n%s\n", cases[i].text);
        _cleanup_free_ char *problems = apply_one(&values, text);
        assert_string_equal(problems, cases[i].problem ? cases[i].problem : "");
        if (strstr(problems, "not accepted:") && values.path)
            assert_string_equal(values.path, "/default");
        options_clear(&table, &values);
    }
}

static void repeated_options_are_told(void **state)
{
    (void)state;
    struct values values = {0};
    _cleanup_free_ char *problems =
        apply_all(&values,
                  (const char *const[]){"[s]\ncount = 3\nold_text = a\ncount = 4\n"
                                        "[S]\ncount = 5\ntext = b\n",
                                        "[s]\ncount = 6\nold-dashed = x\n", NULL},
                  true);
    assert_string_equal(
        problems, "f0:3: warning: s.old_text: not used: line 7 has S.text, which "
                  "is the same option\n"
                  "f0:2: warning: s.count: not used: line 6 sets it again, and the "
                  "last one counts\n"
                  "f0:4: warning: s.count: not used: line 6 sets it again, and the "
                  "last one counts");
    assert_int_equal(values.count, 6);
    assert_string_equal(values.text, "b");
    options_clear(&table, &values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(good_values),
        cmocka_unit_test(bad_values),
        cmocka_unit_test(which_line_wins),
        cmocka_unit_test(dollars),
        cmocka_unit_test(unknown_names),
        cmocka_unit_test(slips_are_told),
        cmocka_unit_test(repeated_options_are_told),
        cmocka_unit_test(the_command_line_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
