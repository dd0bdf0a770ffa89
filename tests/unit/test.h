/*
 * test: what every unit test includes: cmocka with the headers that it wants first.
 * cmocka's asserts longjmp past cleanup attributes, so a failing test may leak; a
 * passing one must not.
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

/* cmocka.h wants these before it, hence the two blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* assert_return_code() says nothing of why; this prints the error. */
#define assert_ok(call, err)                        \
    do {                                            \
        if ((call) != 0)                            \
            fail_msg("%s: %s", #call, (err)->text); \
    } while (0)

/* cmocka's skip() says nothing of why; tests/tap shows this reason. */
#define skip_because(...)                      \
    do {                                       \
        print_message("# skip: " __VA_ARGS__); \
        print_message("\n");                   \
        skip();                                \
    } while (0)

#endif
