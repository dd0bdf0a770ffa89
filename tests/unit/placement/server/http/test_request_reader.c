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
    incoming_header(&incoming, "Content-Length", "99999999x");
    incoming_headers_end(&incoming, "HTTP/1.1");
    assert_int_equal(incoming.refused, 0);
    assert_false(incoming_has_body(&incoming));
    assert_string_equal(incoming.request.content_length, "99999999x");
    incoming_clear(&incoming);
}

/* Takes these headers, then NULL; the text of the refusal, NULL when there is none. */
static const char *problem_of(struct incoming *incoming, const char *const *lines)
{
    static struct bodies bodies = {.max = 64 * KIB};
    *incoming = (struct incoming){0};
    incoming_begin(incoming, &limits, &bodies, "/");
    incoming_header(incoming, "Host", "localhost");
    for (; *lines; lines += 2)
        incoming_header(incoming, lines[0], lines[1]);
    incoming_headers_end(incoming, "HTTP/1.1");
    assert_int_equal(incoming->refused, incoming->problem ? 400 : 0);
    return incoming->problem;
}

static void test_headers_that_stand_twice(void **state)
{
    (void)state;
    static const char *const once[] = {"X-Auth-Token",
                                       "Content-Type",
                                       "Content-Length",
                                       "Host",
                                       "Expect",
                                       "Origin",
                                       "X-Roles",
                                       "X-Project-Id",
                                       "X-Domain-Id",
                                       "OpenStack-System-Scope",
                                       "Access-Control-Request-Method"};
    struct incoming incoming;
    for (size_t i = 0; i < sizeof once / sizeof *once; i++) {
        const char *const lines[] = {once[i], "1", once[i], "2", NULL};
        assert_non_null(problem_of(&incoming, lines));
        incoming_clear(&incoming);
    }
    const char *const same[] = {"Content-Length", "5", "content-length", "5 ", NULL};
    assert_null(problem_of(&incoming, same));
    assert_true(incoming_has_body(&incoming));
    incoming_clear(&incoming);
    const char *const twins[] = {"X-Auth-Token", "a", "x-auth-token", "a", NULL};
    assert_string_equal(problem_of(&incoming, twins),
                        "there are two headers X-Auth-Token");
    incoming_clear(&incoming);
    const char *const lists[] = {"OpenStack-API-Version",
                                 "compute 2.1 ",
                                 "openstack-api-version",
                                 "placement 1.9\t",
                                 "Accept",
                                 "text/html",
                                 "OpenStack-API-Version",
                                 "x 1",
                                 "Accept",
                                 "application/json",
                                 NULL};
    assert_null(problem_of(&incoming, lists));
    assert_string_equal(incoming.request.api_version, "compute 2.1,placement 1.9,x 1");
    assert_string_equal(incoming.request.accept, "text/html,application/json");
    incoming_clear(&incoming);
}

static void test_no_path_is_the_root(void **state)
{
    (void)state;
    struct bodies bodies = {.max = 64 * KIB};
    struct incoming incoming = {0};
    incoming_begin(&incoming, &limits, &bodies, "?x");
    assert_string_equal(incoming.request.path, "/");
    assert_string_equal(incoming.request.raw_target, "?x");
    incoming_clear(&incoming);
}

static void test_blanks_at_the_end_of_a_value(void **state)
{
    (void)state;
    struct incoming incoming;
    const char *const lines[] = {
        "X-Auth-Token", "a b \t", "Content-Type", " ", "Content-Length", "17 ", NULL};
    assert_null(problem_of(&incoming, lines));
    assert_string_equal(incoming.request.token, "a b");
    assert_string_equal(incoming.request.content_type, "");
    assert_string_equal(incoming.request.content_length, "17");
    incoming_clear(&incoming);
    const char *const bare[] = {"X-Other", "a\rb", NULL};
    assert_non_null(problem_of(&incoming, bare));
    incoming_clear(&incoming);
}

static void test_a_blank_behind_chunked_is_told(void **state)
{
    static const struct {
        const char *value, *problem;
    } cases[] = {
        {"chunked", NULL},
        {"Chunked ", "there is a blank at the end of the Transfer-Encoding"},
        {"chunked \t", "there is a blank at the end of the Transfer-Encoding"},
        {"chunked, gzip", "the only Transfer-Encoding that is taken is chunked"},
        {"chunked2 ", "the only Transfer-Encoding that is taken is chunked"},
        {"", "the only Transfer-Encoding that is taken is chunked"},
    };
    struct bodies bodies = {.max = KIB};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct incoming incoming = {0};
        incoming_begin(&incoming, &limits, &bodies, "/");
        incoming_header(&incoming, "Transfer-Encoding", cases[i].value);
        assert_int_equal(incoming.refused, cases[i].problem ? 400 : 0);
        if (cases[i].problem)
            assert_string_equal(incoming.problem, cases[i].problem);
        incoming_clear(&incoming);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_largest_is_given_up),
        cmocka_unit_test(test_who_wants_most_gets_nothing),
        cmocka_unit_test(test_one_alone_has_its_limit),
        cmocka_unit_test(test_a_length_that_is_no_number),
        cmocka_unit_test(test_headers_that_stand_twice),
        cmocka_unit_test(test_no_path_is_the_root),
        cmocka_unit_test(test_blanks_at_the_end_of_a_value),
        cmocka_unit_test(test_a_blank_behind_chunked_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
