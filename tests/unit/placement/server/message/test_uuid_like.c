#include "placement/server/message/uuid_like.h"

#include "tests/unit/test.h"

static void takes_uuids_in_all_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"6f0c1f52-62c4-4d0c-9a5e-1f2b7a3c9d10", true},
        {"6F0C1F52-62C4-4D0C-9A5E-1F2B7A3C9D10", true},
        {"6f0c1f5262c44d0c9a5e1f2b7a3c9d10", true},
        {"{6f0c1f52-62c4-4d0c-9a5e-1f2b7a3c9d10}", true},
        {"urn:uuid:6f0c1f52-62c4-4d0c-9a5e-1f2b7a3c9d10", true},
        {"6f0c1f52-62c4-4d0c-9a5e-1f2b7a3c9d1", false},
        {"6f0c1f52-62c4-4d0c-9a5e-1f2b7a3c9d100", false},
        {"6f0c1f52-62c4-4d0c-9a5e-1f2b7a3c9d1g", false},
        {"", false},
        {"------------------------------------", false},
        {"6f0c1f5262c44d0c9a5e1f2b7a3c9d106f0c1f5262c44d0c9a5e1f2b7a3c9d106f0c1f52",
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char uuid[UUID_TEXT_SIZE] = "";
        if (uuid_like(cases[i].text, uuid) != cases[i].good)
            fail_msg("'%s'", cases[i].text);
        if (cases[i].good)
            assert_string_equal(uuid, "6f0c1f52-62c4-4d0c-9a5e-1f2b7a3c9d10");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_uuids_in_all_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
