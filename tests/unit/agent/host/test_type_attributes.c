#include "tests/unit/test.h"

#include <string.h>

#include "agent/host/type_attributes.h"

static const struct {
    const char *description;
    struct type_attributes expected;
} cases[] = {
    {NULL, {0}},
    {"", {0}},
    {"\n\n,,", {0}},
    /* NVIDIA */
    {"num_heads=4, frl_config=60, framebuffer=2048M, max_resolution=7680x4320, "
     "max_instance=12",
     {4, 60, 2048, 7680, 4320, 12}},
    {"num_heads=1,frl_config=45,framebuffer=512M,max_resolution=1280x1024,"
     "max_instance=16\n",
     {1, 45, 512, 1280, 1024, 16}},
    {"framebuffer=48G", {.framebuffer_mib = 49152}},
    /* Intel GVT-g */
    {"low_gm_size: 128MB\nhigh_gm_size: 512MB\nfence: 4\nresolution: 1920x1200\n"
     "weight: 4\n",
     {.framebuffer_mib = 640, .max_width = 1920, .max_height = 1200}},
    /* What is not understood is not said. */
    {"num_heads=many, max_instance=", {0}},
    {"num_heads, max_instance=3", {.max_instance = 3}},
    {"xnum_heads=4, num_headsx=4, heads=4", {0}},
    {"max_resolution=7680, max_instance=2", {.max_instance = 2}},
    {"max_resolution=7680x, max_instance=2", {.max_instance = 2}},
    {"max_resolution=x4320", {0}},
    {"framebuffer=2048", {0}},
    {"framebuffer=2048K", {0}},
    {"framebuffer=4194304G", {0}},
    {"max_instance=-1", {0}},
    {"max_instance=4294967295", {.max_instance = 4294967295}},
    {"max_instance=4294967296", {0}},
    {"max_instance=99999999999999999999999999999999", {0}},
    {"max_instance = 5 , num_heads\t=\t2", {.max_instance = 5, .num_heads = 2}},
    {"max_instance=1, max_instance=2", {.max_instance = 2}},
    {"=, :, x=,=4,max_instance=7", {.max_instance = 7}},
};

static bool is_same(const struct type_attributes *a, const struct type_attributes *b)
{
    return a->num_heads == b->num_heads && a->frl_config == b->frl_config &&
           a->framebuffer_mib == b->framebuffer_mib && a->max_width == b->max_width &&
           a->max_height == b->max_height && a->max_instance == b->max_instance &&
           a->beside_others == b->beside_others;
}

static void understands_two_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct type_attributes got = type_attributes_parse(cases[i].description);
        if (!is_same(&got, &cases[i].expected))
            fail_msg("\"%s\": heads %u frl %u framebuffer %u %ux%u instances %u",
                     cases[i].description, got.num_heads, got.frl_config,
                     got.framebuffer_mib, got.max_width, got.max_height,
                     got.max_instance);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(understands_two_forms)};
    return cmocka_run_group_tests_name("type_attributes", tests, NULL, NULL);
}
