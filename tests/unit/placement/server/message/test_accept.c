/* Which type a client gets, as webob decides it. */
#include "placement/server/message/accept.h"

#include <string.h>

#include "tests/unit/test.h"

#define HTML "text/html"
#define JSON "application/json"

static void chooses_what_is_wanted_most(void **state)
{
    (void)state;
    static const char *const offers[] = {HTML, JSON, NULL};
    static const struct {
        const char *accept, *best; /* NULL: none */
    } cases[] = {
        {NULL, JSON},
        {"", JSON},
        {"*/*", JSON},
        {JSON, JSON},
        {"APPLICATION/JSON", JSON},
        {"application/*", JSON},
        {"text/html, application/json", HTML},
        {"application/json;q=0.1, text/html;q=0.9", HTML},
        {"text/html;q=0.5,application/json", JSON},
        {"*/*;q=0.1, application/json", JSON},
        {"application/json;q=0", NULL},
        {"application/json;Q=0", NULL},
        {"application/xml", NULL},
        {"*/json", NULL},
        {",", NULL},
        {"application/json,", JSON},
        {"application/json ; q=0.5 , text/html ; q=0.6", HTML},
        /* Parameters of its own make it another type; those after q do not. */
        {"application/json;version=1", NULL},
        {"text/html;level=\"a,b\\\"c\", application/json", JSON},
        {"application/json; q=0.5;x=1", JSON},
        {"application/json; q=0.5;x", JSON},
        /* What is not understood gets the first offer. */
        {"garbage", HTML},
        {"application/json, garbage", HTML},
        {"app lication/json", HTML},
        {"application/json;", HTML},
        {"application/json;version", HTML},
        {"text/html;level=\"a", HTML},
        {"application/json;q=", HTML},
        {"application/json;q=.5", HTML},
        {"application/json;q=2", HTML},
        {"application/json;q=1.1", HTML},
        {"application/json;q=1.0001", HTML},
        {"application/json;q=\"0.5\"", HTML},
        {"application/json;q=1.", JSON},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *best = accept_best(cases[i].accept, offers);
        if (!best != !cases[i].best || (best && strcmp(best, cases[i].best) != 0))
            fail_msg("%s: %s", cases[i].accept, best ? best : "none");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_what_is_wanted_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
