#include "tests/unit/test.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "placement/client/error_body.h"

/* Bodies as the servers send them. */
static void finds_what_matters(void **state)
{
    (void)state;
    static const struct {
        const char *body, *text, *code, *request_id;
    } cases[] = {
        {"{\"errors\": [{\"status\": 409, \"title\": \"Conflict\", \"detail\": \"There "
         "was a conflict when trying to complete your request.\\n\\n resource provider "
         "generation conflict  \", \"code\": \"placement.concurrent_update\", "
         "\"request_id\": \"req-f5b7bfe1\"}]}",
         "resource provider generation conflict", "placement.concurrent_update",
         "req-f5b7bfe1"},
        {"{\"errors\": [{\"status\": 400, \"title\": \"Bad Request\", \"detail\": "
         "\"The "
         "server could not comply.\\n\\n JSON does not validate: 'name' is required\\n"
         "\\nFailed validating 'required' in schema:\\n {'a': 1}  \"}]}",
         "JSON does not validate: 'name' is required", "", ""},
        {"{\"errors\": [{\"title\": \"Not Found\", \"detail\": \"only this.\\n\\n   "
         "\"}]}",
         "only this.", "", ""},
        {"{\"errors\": [{\"title\": \"Forbidden\", \"detail\": 3}]}", "Forbidden", "",
         ""},
        {"{\"error\": {\"code\": 401, \"message\": \"The request you have made "
         "requires "
         "authentication.\", \"title\": \"Unauthorized\"}}",
         "The request you have made requires authentication.", "", ""},
        {"{\"error\": {\"code\": \"503\", \"message\": \"The Keystone service is "
         "temporarily unavailable.\", \"title\": \"Service Unavailable\"}}",
         "The Keystone service is temporarily unavailable.", "", ""},
        {"{\"error\": {\"title\": \"Unauthorized\"}}", "Unauthorized", "", ""},
        {"<html><head>\n<TITLE>503 Service\n Unavailable</TITLE></head><body>x</body>",
         "503 Service Unavailable", "", ""},
        {"<html><body>no title</body>", "", "", ""},
        {"<title>caf\xe9</title>", "", "", ""},
        {"upstream connect\r\nerror", "upstream connect error", "", ""},
        {"\x1b[31mred", "", "", ""},
        {"", "", "", ""},
        {"{}", "", "", ""},
        {"[1]", "", "", ""},
        {"{\"errors\": []}", "", "", ""},
        {"{\"errors\": [7]}", "", "", ""},
        {"{\"error\": \"text\"}", "", "", ""},
        {"{\"error\": {\"message\": \"a\\u001b[31m\\tb\\u0007\"}}", "a [31m b", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error_body got =
            error_body_parse(cases[i].body, strlen(cases[i].body), NULL);
        assert_string_equal(got.text, cases[i].text);
        assert_string_equal(got.code, cases[i].code);
        assert_string_equal(got.request_id, cases[i].request_id);
    }
}

/* Kilobytes of text become one line, cut between characters: for each length of what
 * comes before a two-byte character. */
static void cuts_what_is_long(void **state)
{
    (void)state;
    for (size_t before = 0; before < 4; before++) {
        char message[2000 + 4] = "";
        memset(message, 'a', before);
        for (size_t i = before; i < 2000; i += 2) {
            message[i] = '\xc3';
            message[i + 1] = '\xa9';
        }
        _cleanup_free_ char *body =
            xasprintf("{\"error\": {\"message\": \"%s\"}}", message);
        struct error_body got = error_body_parse(body, strlen(body), NULL);
        size_t length = strlen(got.text);
        assert_in_range(length, sizeof got.text - 6, sizeof got.text - 1);
        assert_string_equal(got.text + length - 3, "...");
        assert_int_equal((length - 3 - before) % 2, 0);
        assert_memory_equal(got.text, message, length - 3);
    }
}

/* 183 characters, as a Fernet token has, none of them twice in the same order. */
static void make_token(char out[184])
{
    for (unsigned i = 0; i < 183; i++)
        out[i] = i % 3 ? (char)('A' + i % 26) : (char)('a' + i / 8);
    out[183] = 0;
}

/* The longest part of the secret that stands in the text. */
static size_t shown_of(const char *text, const char *secret)
{
    size_t longest = 0;
    for (const char *p = text; *p; p++)
        for (const char *q = secret; *q; q++)
            for (size_t n = 0; p[n] && p[n] == q[n]; n++)
                longest = n + 1 > longest ? n + 1 : longest;
    return longest;
}

/* Wherever the secret stands before the cut, and wherever the server itself cut it. */
static void shows_no_part_of_a_secret(void **state)
{
    (void)state;
    char token[184];
    make_token(token);
    const struct placement_config options = {.auth_type = (char *)"admin_token",
                                             .token = token,
                                             .password = (char *)"my  pass"};
    _cleanup_(auth_freep) struct auth *auth = NULL;
    struct error err;
    assert_ok(auth_new(&options, NULL, &auth, &err), &err);
    for (int before = 0; before < 420; before++) {
        _cleanup_free_ char *text =
            xasprintf("%*s%s, %s; %.60s... ...%s", before, "+", token, options.password,
                      token, token + 100);
        _cleanup_free_ char *spread = xasprintf("no %s", text);
        for (char *p = spread; *p; p++)
            *p = *p == ' ' && p[1] == ' ' && p < spread + before ? '-' : *p;
        _cleanup_free_ char *body =
            xasprintf("{\"errors\": [{\"detail\": \"%s\"}]}", spread);
        struct error_body got = error_body_parse(body, strlen(body), auth);
        assert_in_range(shown_of(got.text, token), 0, 7);
        assert_null(strstr(got.text, "my pa"));
        got = error_body_parse(spread, strlen(spread), auth);
        assert_in_range(shown_of(got.text, token), 0, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_matters),
        cmocka_unit_test(cuts_what_is_long),
        cmocka_unit_test(shows_no_part_of_a_secret),
    };
    return cmocka_run_group_tests_name("error_body", tests, NULL, NULL);
}
