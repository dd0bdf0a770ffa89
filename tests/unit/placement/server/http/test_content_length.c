#include "placement/server/http/content_length.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

#define BEGIN "HTTP/1.1\0\0Host: a\r\n"

/* In memory of exactly that size, so that a sanitizer sees who reads beyond it. */
static enum content_length look(const char *head, size_t size, char *number)
{
    char *copy = xcalloc(size ? size : 1, 1);
    memcpy(copy, head, size);
    enum content_length is = content_length_look(copy, size, number);
    free(copy);
    return is;
}

static bool is_bad(const char *head, size_t size)
{
    char number[CONTENT_LENGTH_SIZE];
    return look(head, size, number) == CONTENT_LENGTH_BAD;
}

#define IS_BAD(text) is_bad(text, sizeof(text))
#define LOOK(text, number) look(text, sizeof(text), number)

static void what_is_no_number_is_bad(void **state)
{
    (void)state;
    assert_true(IS_BAD(BEGIN "Content-Length: abc\r\n\r\n"));
    assert_true(IS_BAD(BEGIN "content-LENGTH:hi ho silver\r\n\r\n"));
    assert_true(IS_BAD(BEGIN "Content-Length: 5abc\r\n\r\n"));
    assert_true(IS_BAD(BEGIN "Content-Length: 5 5\r\n\r\n"));
    assert_true(IS_BAD(BEGIN "Content-Length: -5\r\n\r\n"));
    assert_true(IS_BAD(BEGIN "Content-Length: +5\r\n\r\n"));
    assert_true(IS_BAD(BEGIN "Content-Length: \r\n\r\n"));
    assert_true(IS_BAD(BEGIN "Content-Length: 5\r\nContent-Length: x\r\n\r\n"));
    assert_true(IS_BAD(BEGIN "Content-Length: abc\nHo"));
}

static void blanks_behind_it_are_none_of_it(void **state)
{
    (void)state;
    char number[CONTENT_LENGTH_SIZE];
    assert_int_equal(LOOK(BEGIN "Content-Length: 17 \r\n\r\n", number),
                     CONTENT_LENGTH_PADDED);
    assert_string_equal(number, "17");
    assert_int_equal(LOOK(BEGIN "Content-Length: 0017\t \nHost: a\n\n", number),
                     CONTENT_LENGTH_PADDED);
    assert_string_equal(number, "17");
    /* The library takes the first one. */
    assert_int_equal(
        LOOK(BEGIN "Content-Length: 5\r\nContent-Length: 6 \r\n\r\n", number),
        CONTENT_LENGTH_PADDED);
    assert_string_equal(number, "5");
    assert_int_equal(LOOK(BEGIN "Content-Length: 17\r \r\n\r\n", number),
                     CONTENT_LENGTH_BAD);
}

static void what_has_no_64_bits_is_told(void **state)
{
    (void)state;
    char number[CONTENT_LENGTH_SIZE];
    assert_int_equal(LOOK(BEGIN "Content-Length: 18446744073709551615\r\n\r\n", number),
                     CONTENT_LENGTH_CLEAR);
    assert_int_equal(LOOK(BEGIN "Content-Length: 18446744073709551616\r\n\r\n", number),
                     CONTENT_LENGTH_HUGE);
    assert_int_equal(
        LOOK(BEGIN "Content-Length: 99999999999999999999999 \r\n\r\n", number),
        CONTENT_LENGTH_HUGE);
    assert_int_equal(
        LOOK(BEGIN "Content-Length: 0000000000000000000000005\r\n\r\n", number),
        CONTENT_LENGTH_CLEAR);
    assert_int_equal(
        LOOK(BEGIN "Content-Length: 99999999999999999999999x\r\n\r\n", number),
        CONTENT_LENGTH_BAD);
}

static void what_is_one_is_not(void **state)
{
    (void)state;
    assert_false(IS_BAD(BEGIN "Content-Length: 5\r\n\r\n"));
    assert_false(IS_BAD(BEGIN "Content-Length:\t 0012 \r\n\r\nabc"));
    assert_false(IS_BAD(BEGIN "X-Content-Length: abc\r\n\r\n"));
    assert_false(IS_BAD(BEGIN "Content-Length-X: abc\r\n\r\n"));
    assert_false(IS_BAD(BEGIN "\r\n"));
}

/* What has not come, or is not of the head. */
static void no_more_is_read_than_there_is(void **state)
{
    (void)state;
    assert_false(IS_BAD(BEGIN "Content-Length: abc"));
    assert_false(IS_BAD(BEGIN "\r\nContent-Length: abc\r\n"));
    assert_false(IS_BAD(BEGIN "\nContent-Length: abc\r\n"));
    assert_false(IS_BAD("HTTP/1.1"));
    assert_false(IS_BAD("HTTP/1.1\0\0\0\0"));
    assert_false(IS_BAD(BEGIN "Host: b\0Content-Length: abc\r\n"));
    for (size_t size = 0; size < sizeof(BEGIN "Content-Length: abc\r\n") - 1; size++)
        assert_false(is_bad(BEGIN "Content-Length: abc\r\n", size));
}

static void a_page_is_readable_to_its_end(void **state)
{
    (void)state;
    char *page = aligned_alloc(4096, 4096);
    assert_int_equal(content_length_readable(page), 4096);
    assert_int_equal(content_length_readable(page + 4000), 96);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_number_is_bad),
        cmocka_unit_test(blanks_behind_it_are_none_of_it),
        cmocka_unit_test(what_has_no_64_bits_is_told),
        cmocka_unit_test(what_is_one_is_not),
        cmocka_unit_test(no_more_is_read_than_there_is),
        cmocka_unit_test(a_page_is_readable_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
