/* placement/server/http/head: what stands between the headers that libmicrohttpd tells. */
#include "placement/server/http/head.h"

#include <string.h>

#include "tests/unit/test.h"

/* Where a text stands in `head`. */
static const char *find(const char *head, size_t size, const char *text)
{
    return memmem(head, size, text, strlen(text) + 1);
}

/* Takes the headers A and B, whose values are "v" and "w". */
static bool is_unclear(const char *text, size_t size)
{
    struct head head;
    head_begin(&head, text, text + size);
    head_take(&head, find(text, size, "A"), find(text, size, "v"));
    head_take(&head, find(text, size, "B"), find(text, size, "w"));
    return head_is_unclear(&head);
}

#define IS_UNCLEAR(text) is_unclear(text, sizeof(text) - 1)

static void lines_that_end_are_clear(void **state)
{
    (void)state;
    assert_false(IS_UNCLEAR("HTTP/1.1\0\0A\0"
                            "v\0\0B\0 w\0\0\0\0"));
    assert_false(IS_UNCLEAR("HTTP/1.1\0A\0"
                            "v\0B\0 \tw\0\0"));
    /* As libmicrohttpd 1.0 leaves them. */
    assert_false(IS_UNCLEAR("HTTP/1.1\0\nA\0"
                            "v\0  \r\nB\0"
                            "w\0\n\r\n"));
}

static void text_behind_a_nul_is_not(void **state)
{
    (void)state;
    assert_true(IS_UNCLEAR("HTTP/1.1\0\0A\0"
                           "v\0x\0\0B\0 w\0\0\0\0"));
    assert_true(IS_UNCLEAR("HTTP/1.1\0\0A\0"
                           "v\0\0\0B\0 w\0\0\0\0"));
    assert_true(IS_UNCLEAR("HTTP/1.1\0\0A\0"
                           "v\0\0B\0 w\0x\0\0\0\0"));
    assert_true(IS_UNCLEAR("HTTP/1.1\0\0A\0"
                           "v\0\0B\0 w\0\0\0\0\0"));
}

/* libmicrohttpd has put such a name together elsewhere. */
static void a_name_from_elsewhere_is_not(void **state)
{
    (void)state;
    static const char text[] = "HTTP/1.1\0\0A\0"
                               "v\0\0 B\0\0\0";
    const char *value = find(text, sizeof text - 1, "v");
    struct head head;
    head_begin(&head, text, text + sizeof text - 1);
    head_take(&head, "AB", value);
    assert_true(head_is_unclear(&head));
    /* Nor a line that no header was told of. */
    head_begin(&head, text, text + sizeof text - 1);
    head_take(&head, find(text, sizeof text - 1, "A"), value);
    assert_true(head_is_unclear(&head));
}

#define HAS_NUL(text) head_has_nul(text, sizeof(text) - 1)

static void a_nul_is_seen_in_lines_as_they_came(void **state)
{
    (void)state;
    assert_true(HAS_NUL("HTTP/1.1\0A: v\0\nB: w\n\n"));
    assert_true(HAS_NUL("HTTP/1.1\0\0A: v\r\nB: w\0\r\n\r\n"));
    assert_true(HAS_NUL("HTTP/1.1\0\0A: v\0\0x\r\n"));
    assert_false(HAS_NUL("HTTP/1.1\0\0A: v\r\nB: w\r\n\r\n"));
    assert_false(HAS_NUL("HTTP/1.1\0A: v\nB: w\n\n"));
    /* What follows the head, and what has not come, is no NUL of it. */
    assert_false(HAS_NUL("HTTP/1.1\0\0A: v\r\n\r\n\0x\n"));
    assert_false(HAS_NUL("HTTP/1.1\0A: v\n\nx\0\n"));
    assert_false(HAS_NUL("HTTP/1.1\0\0A: v\r\nB\0\0\0\0"));
    assert_false(HAS_NUL("HTTP/1.1\0\0\0\0"));
    assert_false(HAS_NUL("HTTP/1.1\0\0\r\n\0\n"));
    assert_false(HAS_NUL("HTTP/1.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_end_are_clear),
        cmocka_unit_test(text_behind_a_nul_is_not),
        cmocka_unit_test(a_name_from_elsewhere_is_not),
        cmocka_unit_test(a_nul_is_seen_in_lines_as_they_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
