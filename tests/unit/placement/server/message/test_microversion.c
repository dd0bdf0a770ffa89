#include "tests/unit/test.h"

#include <string.h>

#include "placement/server/message/microversion.h"

/* status 0: it is taken, as 1.`minor`. */
static void reads_the_header(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int status, minor;
    } cases[] = {
        {NULL, 0, 0},
        {"", 0, 0},
        {"placement 1.0", 0, 0},
        {"placement 1.39", 0, 39},
        {"placement latest", 0, 39},
        {"Placement 1.7", 0, 7},
        {"placement   1.07 ", 0, 7},
        {"compute 2.1", 0, 0},
        {"compute 2.1, placement 1.3", 0, 3},
        {"placement 1.3,compute 2.1", 0, 3},
        {"placement 1.3,placement 1.4", 0, 4},
        {"placements 1.3", 0, 0},
        {"placement", 0, 0},
        {"placement 1.40", 406, 0},
        {"placement 2.0", 406, 0},
        {"placement 0.9", 406, 0},
        {"placement 1.99999999999999999999", 406, 0},
        {"placement pony", 400, 0},
        {"placement 1", 400, 0},
        {"placement 1.2.3", 400, 0},
        {"placement 1.-2", 406, 0},
        {"placement .5", 400, 0},
        {"placement LATEST", 400, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply = {0};
        int minor = -1;
        int rc = microversion_parse(cases[i].header, &minor, &reply);
        if ((rc != 0) != (cases[i].status != 0) || reply.status != cases[i].status ||
            (rc == 0 && minor != cases[i].minor))
            fail_msg("'%s': status %d, 1.%d", cases[i].header, reply.status, minor);
        reply_clear(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_the_header)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
