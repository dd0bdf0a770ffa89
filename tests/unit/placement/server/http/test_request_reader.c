/* placement/server/http/request_reader: the memory of all bodies together. */
#include "placement/server/http/request_reader.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

#define KIB 1024

static const struct incoming_limits limits = {64 * KIB, 4 * KIB};

static void begin(struct incoming *incoming, struct bodies *bodies)
{
    *incoming = (struct incoming){0};
    incoming_begin(incoming, &limits, bodies, "/");
    incoming_header(incoming, "Host", "localhost");
    incoming_headers_end(incoming, "HTTP/1.1");
    assert_int_equal(incoming->refused, 0);
}

static void add(struct incoming *incoming, size_t kib)
{
    static char block[KIB];
    memset(block, ' ', sizeof block);
    while (kib--)
        incoming_body(incoming, block, sizeof block);
}

/* The largest that is not whole goes, until there is room. */
static void test_the_largest_is_given_up(void **state)
{
    struct bodies bodies = {.max = 64 * KIB};
    struct incoming whole, large, middle, small;
    (void)state;
    begin(&whole, &bodies);
    begin(&large, &bodies);
    begin(&middle, &bodies);
    begin(&small, &bodies);
    add(&whole, 7);
    incoming_end(&whole);
    add(&large, 31);
    add(&middle, 15);
    add(&small, 7);
    assert_int_equal(bodies.used, 64 * KIB);
    add(&small, 4);
    assert_int_equal(large.refused, 503);
    assert_int_equal(whole.refused + middle.refused + small.refused, 0);
    assert_int_equal(bodies.used, 40 * KIB);
    assert_int_equal(small.request.body_length, 11 * KIB);
    assert_int_equal(whole.request.body_length, 7 * KIB);
    /* What is refused keeps nothing, and takes no more. */
    add(&large, 3);
    assert_int_equal(large.request.body_length, 0);
    incoming_clear(&whole);
    incoming_clear(&large);
    incoming_clear(&middle);
    incoming_clear(&small);
    assert_int_equal(bodies.used, 0);
    assert_null(bodies.first);
}

/* When all others are smaller, or whole, it is the one that wants more. */
static void test_who_wants_most_gets_nothing(void **state)
{
    struct bodies bodies = {.max = 24 * KIB};
    struct incoming small, large;
    (void)state;
    begin(&small, &bodies);
    begin(&large, &bodies);
    add(&small, 3);
    add(&large, 40);
    assert_int_equal(large.refused, 503);
    assert_int_equal(small.refused, 0);
    assert_int_equal(bodies.used, 4 * KIB);
    incoming_clear(&small);
    incoming_clear(&large);
}

static void test_one_alone_has_its_limit(void **state)
{
    struct bodies bodies = {.max = 1 << 20};
    struct incoming one;
    (void)state;
    begin(&one, &bodies);
    add(&one, 64);
    assert_int_equal(one.refused, 0);
    assert_int_equal(one.request.body_length, 64 * KIB);
    assert_int_equal(bodies.used, 64 * KIB + 1);
    add(&one, 1);
    assert_int_equal(one.refused, 413);
    assert_int_equal(bodies.used, 0);
    incoming_clear(&one);
}

static void test_a_length_that_is_no_number(void **state)
{
    (void)state;
    struct bodies bodies = {.max = 64 * KIB};
    struct incoming incoming = {0};
    incoming_begin(&incoming, &limits, &bodies, "/");
    incoming_has_bad_length(&incoming);
    incoming_header(&incoming, "Host", "localhost");
    incoming_header(&incoming, "Content-Length", "0");
    incoming_header(&incoming, "Content-Length", "99999999x");
    incoming_headers_end(&incoming, "HTTP/1.1");
    assert_int_equal(incoming.refused, 0);
    assert_false(incoming_has_body(&incoming));
    assert_string_equal(incoming.request.content_length, "99999999x");
    incoming_clear(&incoming);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_largest_is_given_up),
        cmocka_unit_test(test_who_wants_most_gets_nothing),
        cmocka_unit_test(test_one_alone_has_its_limit),
        cmocka_unit_test(test_a_length_that_is_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
