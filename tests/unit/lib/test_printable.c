/* printable: no text from outside is a command to a terminal. */
#include "lib/printable.h"

#include <stdlib.h>

#include "tests/unit/test.h"

static void expect(const char *text, const char *expected)
{
    char *shown = printable_copy(text);
    assert_string_equal(shown, expected);
    free(shown);
}

static void what_is_shown_stays(void **state)
{
    (void)state;
    expect("", "");
    expect("cmp1.example_pci_0000_84_00_0", "cmp1.example_pci_0000_84_00_0");
    expect("Grün \xe4\xb8\xad \xf0\x9f\x96\xa5 \xc2\xa0",
           "Grün \xe4\xb8\xad \xf0\x9f\x96\xa5 \xc2\xa0");
    assert_null(printable_copy(NULL));
}

static void controls_are_question_marks(void **state)
{
    (void)state;
    expect("a\033[2Jb\x7f\n\t", "a?[2Jb???");
    /* U+009B, as xterm takes it for ESC [, and U+0080 and U+009F at the ends. */
    expect("\xc2\x9b"
           "31m\xc2\x80\xc2\x9f",
           "?31m??");
}

static void no_name_looks_like_another(void **state)
{
    (void)state;
    expect("gpu\u202e4_00_0\u202c", "gpu?4_00_0?");
    expect("\u061c\u200e\u200f\u2028\u2029\u202a\u2066\u2069x", "????????x");
    /* Their neighbours, a part of one, and a name that is written from right to left. */
    expect("\u2027\u202f\u2065\u206a", "\u2027\u202f\u2065\u206a");
    expect("a\xe2\x80", "a??");
    expect("שלום", "שלום");
}

static void what_is_no_utf8_is_not_sent(void **state)
{
    (void)state;
    /* The byte of an 8-bit terminal, also behind a whole character. */
    expect("\x9b"
           "31m",
           "?31m");
    expect("\xc3\xbc\x9b"
           "31m",
           "\xc3\xbc?31m");
    expect("\xc3", "?");
    expect("\xe4\xb8", "??");
    expect("\xff\xfe", "??");
}

static void the_length_is_kept_to(void **state)
{
    (void)state;
    char text[] = "\xc3\xbc\x1b\xc3\xbc";
    assert_int_equal(printable_make(text, 4), 4);
    assert_memory_equal(text, "\xc3\xbc??", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_shown_stays),
        cmocka_unit_test(controls_are_question_marks),
        cmocka_unit_test(no_name_looks_like_another),
        cmocka_unit_test(what_is_no_utf8_is_not_sent),
        cmocka_unit_test(the_length_is_kept_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
