/* table and text_wrap: what people see of the same data as programs. */
#include "lib/table.h"

#include <string.h>

#include "lib/text_wrap.h"
#include "tests/unit/test.h"

static const struct table_column columns[] = {
    {.key = "gpu"},
    {.key = "provider", .place = COLUMN_WIDE},
    {.key = "class", .place = COLUMN_ROOM},
    {.key = "units", .place = COLUMN_ROOM},
    {.key = "mdevs", .title = "devices"},
    {.key = "reason", .place = COLUMN_BELOW},
    {.key = NULL},
};

static struct table *make(const char *class, const char *reason)
{
    struct table *table = table_new(columns);
    _cleanup_strlist_ struct strlist mdevs = {0};
    strlist_add(&mdevs, "a");
    strlist_add(&mdevs, "b");
    table_string(table, "0000:84:00.0");
    table_brief(table, "84:00.0");
    table_string(table, "h_pci_0000_84_00_0");
    table_string(table, class);
    table_none(table);
    table_list(table, &mdevs);
    table_brief(table, "2");
    table_string(table, reason);
    return table;
}

static void expect(struct table *table, enum output_format format, const char *expected)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_int_equal(table_print(table, format, out), 0);
    fclose(out);
    table_free(table);
    assert_string_equal(text, expected);
    free(text);
}

static void the_usual_one_is_brief(void **state)
{
    (void)state;
    expect(make("VGPU", "because"), FORMAT_TABLE,
           "GPU      CLASS  UNITS  DEVICES\n"
           "84:00.0  VGPU   -      2\n"
           "  because\n");
    expect(make("VGPU", NULL), FORMAT_TABLE,
           "GPU      CLASS  UNITS  DEVICES\n"
           "84:00.0  VGPU   -      2\n");
}

static void wide_and_json_have_all(void **state)
{
    (void)state;
    expect(make("VGPU", NULL), FORMAT_WIDE,
           "GPU           PROVIDER            CLASS  UNITS  DEVICES  REASON\n"
           "0000:84:00.0  h_pci_0000_84_00_0  VGPU   -      a, b     -\n");
    expect(make("VGPU", "because"), FORMAT_JSON,
           "[\n {\"gpu\": \"0000:84:00.0\", \"provider\": \"h_pci_0000_84_00_0\", "
           "\"class\": \"VGPU\", \"units\": null, \"mdevs\": [\"a\",\"b\"], "
           "\"reason\": \"because\"}\n]\n");
}

static void what_has_no_room_goes_from_the_end(void **state)
{
    (void)state;
    /* 7 + 2 + 55 + 2 + 5 + 2 + 7 are 80. */
    char class[57];
    memset(class, 'C', 56);
    class[55] = 0;
    _cleanup_free_ char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    struct table *table = make(class, NULL);
    assert_int_equal(table_print(table, FORMAT_TABLE, out), 0);
    table_free(table);
    fflush(out);
    assert_non_null(strstr(text, "UNITS  DEVICES\n"));
    class[55] = 'C';
    class[56] = 0;
    rewind(out);
    table = make(class, NULL);
    assert_int_equal(table_print(table, FORMAT_TABLE, out), 0);
    table_free(table);
    fclose(out);
    assert_null(strstr(text, "UNITS"));
    assert_non_null(strstr(text, "CLASS"));
}

static char *print_styled(size_t width, enum output_format format)
{
    const struct style style = {.on = true, .width = width};
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    struct table *table = make("VGPU", "a reason that is long");
    table_tone(table, TONE_BAD); /* of the reason, which has lines of its own */
    assert_int_equal(table_print_styled(table, format, &style, out), 0);
    table_free(table);
    fclose(out);
    return text;
}

static void a_terminal_gets_colour_and_its_own_width(void **state)
{
    (void)state;
    _cleanup_free_ char *wide = print_styled(40, FORMAT_TABLE);
    assert_string_equal(wide, "\033[1mGPU\033[0m      \033[1mCLASS\033[0m  "
                              "\033[1mUNITS\033[0m  \033[1mDEVICES\033[0m\n"
                              "84:00.0  VGPU   -      2\n  a reason that is long\n");
    _cleanup_free_ char *narrow = print_styled(17, FORMAT_TABLE);
    assert_string_equal(narrow, "\033[1mGPU\033[0m      \033[1mDEVICES\033[0m\n"
                                "84:00.0  2\n  a reason that\n  is long\n");
    _cleanup_free_ char *json = print_styled(17, FORMAT_JSON);
    assert_null(strchr(json, '\033'));
}

static const struct table_column bars[] = {{.key = "gpu"},
                                           {.key = "used"},
                                           {.key = "class", .place = COLUMN_ROOM},
                                           {.key = NULL}};

static char *print_bars(bool on, size_t width)
{
    const struct style style = {.on = on, .width = width};
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    struct table *table = table_new(bars);
    for (int i = 0; i < 2; i++) {
        table_string(table, i ? "b" : "a");
        table_int(table, i ? 10 : 5);
        table_bar(table, i ? "[##]" : "[#.]");
        table_string(table, "VGPU");
    }
    assert_int_equal(table_print_styled(table, FORMAT_TABLE, &style, out), 0);
    table_free(table);
    fclose(out);
    return text;
}

static void bars_stand_one_below_the_other_and_go_last(void **state)
{
    (void)state;
    _cleanup_free_ char *all = print_bars(true, 40);
    assert_non_null(strstr(all, "\na    5  [#.]  VGPU\nb    10 [##]  VGPU\n"));
    _cleanup_free_ char *less = print_bars(true, 17);
    assert_non_null(strstr(less, "\na    5  [#.]\nb    10 [##]\n"));
    _cleanup_free_ char *least = print_bars(true, 11);
    assert_non_null(strstr(least, "\na    5\nb    10\n"));
    _cleanup_free_ char *plain = print_bars(false, 80);
    assert_string_equal(plain, "GPU  USED  CLASS\na    5     VGPU\nb    10    VGPU\n");
}

static void names_are_no_commands_to_the_terminal(void **state)
{
    (void)state;
    expect(make("V\033[2JG", "be\033cause"), FORMAT_TABLE,
           "GPU      CLASS   UNITS  DEVICES\n"
           "84:00.0  V?[2JG  -      2\n"
           "  be?cause\n");
}

static void lines_end_in_time_and_words_stay_whole(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    text_wrap("one two  three \xc3\xa4\xc3\xa4\xc3\xa4 a-word-that-is-too-long end", 2,
              10, out);
    text_wrap("", 2, 10, out);
    text_wrap("say `x -d y`: `a long one` `b`", 0, 10, out);
    text_wrap_labelled("ab", "c d e f g h", 4, 10, out);
    text_wrap_labelled("long", "c", 4, 10, out);
    fclose(out);
    assert_string_equal(
        text, "  one two\n  three\n  \xc3\xa4\xc3\xa4\xc3\xa4\n"
              "  a-word-that-is-too-long\n  end\nsay\n`x -d y`:\n`a long\none` `b`\n"
              "ab  c d e\n    f g h\nlong\n    c\n");
    free(text);
}

static void characters_are_not_cut(void **state)
{
    (void)state;
    assert_int_equal(text_character("a"), 1);
    assert_int_equal(text_character("\xc3\xa4"
                                    "a"),
                     2);
    assert_int_equal(text_character("\xe2\x86\x92"), 3);
    assert_int_equal(text_character(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_one_is_brief),
        cmocka_unit_test(wide_and_json_have_all),
        cmocka_unit_test(what_has_no_room_goes_from_the_end),
        cmocka_unit_test(a_terminal_gets_colour_and_its_own_width),
        cmocka_unit_test(bars_stand_one_below_the_other_and_go_last),
        cmocka_unit_test(names_are_no_commands_to_the_terminal),
        cmocka_unit_test(lines_end_in_time_and_words_stay_whole),
        cmocka_unit_test(characters_are_not_cut),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
