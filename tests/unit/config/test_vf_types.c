/* [vf_type_*]: what a type of virtual functions is. */
#include "config/vf_types.h"

#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/config/config_test.h"
#include "tests/unit/test.h"

#define ENABLED "[devices]\nenabled_mdev_types = V620, nvidia-35\n"
#define CARDS "[mdev_V620]\ndevice_addresses = 0000:63:00.0\n"

static void a_fixed_type(void **state)
{
    (void)state;
    struct config *config = load_text(ENABLED CARDS "[vf_type_v620]\nfixed = true\n");
    assert_true(config->types[0].vf.fixed);
    assert_int_equal(config->types[0].vf.place.line, 5);
    assert_false(config->types[1].vf.fixed);
    assert_null(config->types[1].vf.place.file);
    config_free(config);
}

static void a_type_with_a_share(void **state)
{
    (void)state;
    static const struct {
        const char *written;
        unsigned mib;
    } quotas[] = {{"8G", 8192}, {"8192M", 8192}, {"2048K", 2}, {"3145728", 3}};
    for (size_t i = 0; i < sizeof quotas / sizeof *quotas; i++) {
        _cleanup_free_ char *text =
            xasprintf(ENABLED CARDS "[vf_type_V620]\nvram_quota = %s\n"
                                    "exec_quantum_ms = 20\nsched_priority = low\n",
                      quotas[i].written);
        struct config *config = load_text(text);
        assert_int_equal(config->types[0].vf.vram_mib, quotas[i].mib);
        assert_int_equal(config->types[0].vf.exec_quantum_ms, 20);
        assert_int_equal(config->types[0].vf.preempt_timeout_us, 0);
        assert_string_equal(config->types[0].vf.sched_priority, "low");
        config_free(config);
    }
}

static void another_section_is_another_configuration(void **state)
{
    (void)state;
    struct config *a = load_text(ENABLED CARDS);
    struct config *b = load_text(ENABLED CARDS "[vf_type_V620]\nfixed = true\n");
    assert_string_not_equal(a->digest, b->digest);
    config_free(a);
    config_free(b);
}

static void bad_input(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *problems[3];
    } cases[] = {
        {ENABLED CARDS "[vf_type_V620]\n",
         {"a.conf:5: vf_type_V620: does not say what the type is; expected fixed = "
          "true, or a vram_quota"}},
        {ENABLED CARDS "[vf_type_V620]\nfixed = true\nvram_quota = 8G\n",
         {"a.conf:5: vf_type_V620.fixed: true, so that nothing is written, but values "
          "for its functions are set as well; expected one of the two"}},
        {ENABLED CARDS "[vf_type_V620]\nvram_quota = 1025K\n",
         {"a.conf:5: vf_type_V620.vram_quota: expected whole megabytes, 1 to "
          "16777216, got 1025K"}},
        {ENABLED CARDS "[vf_type_V620]\nvram_quota = 0\n",
         {"a.conf:5: vf_type_V620.vram_quota: expected whole megabytes, 1 to "
          "16777216, got 0"}},
        {ENABLED CARDS "[vf_type_V620]\nvram_quota = 999999999999999G\n",
         {"a.conf:5: vf_type_V620.vram_quota: expected whole megabytes, 1 to "
          "16777216, got 999999999999999G"}},
        {ENABLED CARDS "[vf_type_V620]\nvram_quota = 4294967296M\n",
         {"a.conf:5: vf_type_V620.vram_quota: expected whole megabytes, 1 to "
          "16777216, got 4294967296M"}},
        {ENABLED CARDS "[vf_type_V620]\nvram_quota = 8T\n",
         {"a.conf:6: vf_type_V620.vram_quota: '8T' is not accepted; expected a number "
          "of "
          "bytes, with K, M or G behind it"}},
        {ENABLED CARDS "[vf_type_V620]\nvram_quota = 8G\n"
                       "[vf_type_nvidia-35]\nvram_quota = 8192M\n",
         {"a.conf:7: vf_type_nvidia-35: has the values of vf_type_V620, so that nobody "
          "could tell their devices apart; expected others"}},
        {ENABLED CARDS "[vf_type_V630]\nfixed = true\n",
         {"a.conf:5: vf_type_V630: a section for a type that is not enabled; expected "
          "a type of devices.enabled_mdev_types"}},
        {ENABLED "[mdev_nvidia-35]\ndevice_addresses = 0000:64:00.0\n"
                 "[vf_type_V620]\nfixed = true\n",
         {"a.conf:5: vf_type_V620.fixed: true, but mdev_V620.device_addresses does not "
          "say which cards' functions are meant; expected the addresses of the "
          "cards"}},
        {ENABLED CARDS "[vf_type_V620]\nfixed = true\nfixedd = true\n",
         {"a.conf:7: vf_type_V620.fixedd: unknown option; did you mean fixed?"}},
        {ENABLED CARDS "[vf_tpye_V620]\nfixed = true\n",
         {"a.conf:5: [vf_tpye_V620]: not used; did you mean [vf_type_V620]?"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_problems(cases[i].text, strlen(cases[i].text), cases[i].problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fixed_type),
        cmocka_unit_test(a_type_with_a_share),
        cmocka_unit_test(another_section_is_another_configuration),
        cmocka_unit_test(bad_input),
    };
    return cmocka_run_group_tests_name("vf_types", tests, NULL, NULL);
}
