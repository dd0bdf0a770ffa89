/* listen_address: forms, and who can reach them. */
#include "config/listen_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/test.h"

static void good_ones(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *port;
        bool loopback;
    } cases[] = {
        {"8778", "127.0.0.1", "8778", true},
        {"0", "127.0.0.1", "0", true},
        {"127.0.0.1:0", "127.0.0.1", "0", true},
        {"127.1.2.3:65535", "127.1.2.3", "65535", true},
        {"localhost:80", "127.0.0.1", "80", true},
        {"0.0.0.0:80", "0.0.0.0", "80", false},
        {"192.0.2.1:80", "192.0.2.1", "80", false},
        {"[::1]:80", "::1", "80", true},
        {"[::]:80", "::", "80", false},
        {"[2001:db8::1]:80", "2001:db8::1", "80", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct listen_address address;
        struct error err;
        char host[64], port[16];
        assert_ok(listen_address_parse(cases[i].text, &address, &err), &err);
        assert_int_equal(getnameinfo((const struct sockaddr *)&address.address,
                                     address.length, host, sizeof host, port,
                                     sizeof port, NI_NUMERICHOST | NI_NUMERICSERV),
                         0);
        assert_string_equal(host, cases[i].host);
        assert_string_equal(port, cases[i].port);
        assert_int_equal(listen_address_is_loopback(&address), cases[i].loopback);
    }
}

static void bad_ones(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        ":80",
        "*:80",
        "80:",
        "host.example:80",
        "1.2.3:80x",
        "::1:80",
        "[::1]",
        "[::1:80",
        "::1]:80",
        "[]:80",
        "1.2.3.4",
        "+80",
        "-1",
        "127.0.0.1:65536",
        "127.0.0.1:99999",
        "127.0.0.1:000080",
        "127.0.0.1: 80",
        " 80",
        "256.0.0.1:80",
        "[1.2.3.4]x:80",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        if (listen_address_parse(cases[i], NULL, &err) == 0)
            fail_msg("'%s' was taken", cases[i]);
        assert_non_null(strstr(err.text, cases[i]));
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(bad_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
