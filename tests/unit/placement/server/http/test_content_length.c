#include "placement/server/http/content_length.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

#define BEGIN "HTTP/1.1\0\0Host: a\r\n"

/* In memory of exactly that size, so that a sanitizer sees who reads beyond it. */
static bool is_bad(const char *head, size_t size)
{
    char *copy = xcalloc(size ? size : 1, 1);
    memcpy(copy, head, size);
    bool bad = content_length_is_bad(copy, size);
    free(copy);
    return bad;
}

#define IS_BAD(text) is_bad(text, sizeof(text))

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
        cmocka_unit_test(what_is_one_is_not),
        cmocka_unit_test(no_more_is_read_than_there_is),
        cmocka_unit_test(a_page_is_readable_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
