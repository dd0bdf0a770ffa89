/* config_host: configuration against a host, exact lines. */
#include "agent/command/check_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/config/config_test.h"
#include "tests/unit/test.h"

static void add_type(struct parent *parent, const char *id, const char *name)
{
    *array_add(parent->types, parent->type_count) =
        (struct device_type){.id = xstrdup(id), .name = xstrdup(name), .available = 1};
}

/* 84 and 85: nvidia-35 and -36; 86: one card with functions 86:00.4 and 86:00.5,
 * nvidia-600; mtty. */
static struct host *make_host(void)
{
    struct host *host = xcalloc(1, sizeof *host);
    static const char *const cards[] = {"0000:84:00.0", "0000:85:00.0"};
    for (size_t i = 0; i < 2; i++) {
        struct parent *parent =
            gpu_add_parent(host_add_gpu(host, cards[i]), "mdev", cards[i]);
        add_type(parent, "nvidia-35", "GRID V100-1Q");
        add_type(parent, "nvidia-36", "GRID V100-2Q");
    }
    struct gpu *card = host_add_gpu(host, "0000:86:00.0");
    add_type(gpu_add_parent(card, "mdev", "0000:86:00.4"), "nvidia-600",
             "NVIDIA A40-1Q");
    add_type(gpu_add_parent(card, "mdev", "0000:86:00.5"), "nvidia-600",
             "NVIDIA A40-1Q");
    add_type(gpu_add_parent(host_add_gpu(host, "mtty"), "mdev", "mtty"), "mtty-2",
             NULL);
    host_sort(host);
    return host;
}

#define OFFERED                                                                        \
    "nvidia-35 (GRID V100-1Q), nvidia-36 (GRID V100-2Q), nvidia-600 (NVIDIA A40-1Q), " \
    "mtty-2"

/* The problems, a line each; the caller's. */
static char *check(const char *text, const struct host *host)
{
    struct config_problems problems = {0};
    struct strlist lines = {0};
    struct config *config = load_text(text);
    check_host_types(config, host, &problems);
    for (size_t i = 0; i < problems.count; i++)
        strlist_add_take(&lines, xasprintf("%u%s %s", problems.items[i].place.line,
                                           problems.items[i].warning ? " warning" : "",
                                           problems.items[i].text));
    char *joined = strlist_join(&lines, "\n");
    strlist_clear(&lines);
    config_problems_clear(&problems);
    config_free(config);
    return joined;
}

static void what_does_not_fit(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problems;
    } cases[] = {
        {"", "0 warning devices.enabled_mdev_types: no type is enabled, so that no "
             "virtual GPU is made of 0000:84:00.0, 0000:85:00.0, 0000:86:00.0, mtty: "
             "name types in [devices] enabled_mdev_types (`vgpu-agent types` lists "
             "them)"},
        {"[devices]\nenabled_mdev_types = nvidia-35, GRID V100-2Q, mtty-2\n"
         "[mdev_nvidia-35]\ndevice_addresses = 0000:84:00.0\n"
         "[mdev_GRID V100-2Q]\ndevice_addresses = 0000:85:00.0\n"
         "[mdev_mtty-2]\ndevice_addresses = mtty_mtty\n",
         ""},
        {"[devices]\nenabled_mdev_types = nvidia-600\n"
         "[mdev_nvidia-600]\ndevice_addresses = 0000:86:00.4, 0000:86:00.5\n",
         ""},
        {"[devices]\nenabled_mdev_types = nvidia-53\n",
         "2 devices.enabled_mdev_types: no GPU of this host offers nvidia-53, did you "
         "mean nvidia-35 (GRID V100-1Q); expected one of " OFFERED},
        {"[devices]\nenabled_mdev_types = nvidia-99\n",
         "2 devices.enabled_mdev_types: no GPU of this host offers nvidia-99; "
         "expected one of " OFFERED},
        {"[devices]\nenabled_mdev_types = V100-2Q\n",
         "2 devices.enabled_mdev_types: no GPU of this host offers V100-2Q, did you "
         "mean nvidia-36 (GRID V100-2Q); expected one of " OFFERED},
        {"[devices]\nenabled_mdev_types = i915-GVTg_V5_4\n",
         "2 devices.enabled_mdev_types: no GPU of this host offers i915-GVTg_V5_4; "
         "expected one of " OFFERED},
        {"[devices]\nenabled_mdev_types = nvidia-35\n"
         "[mdev_nvidia-35]\ndevice_addresses = 0000:84:00.0, 0000:99:00.0\n",
         "4 warning mdev_nvidia-35.device_addresses: there is no GPU 0000:99:00.0 on "
         "this "
         "host; it has 0000:84:00.0, 0000:85:00.0, 0000:86:00.0, mtty"},
        {"[devices]\nenabled_mdev_types = nvidia-35\n"
         "[mdev_nvidia-35]\ndevice_addresses = 0000:86:00.0\n",
         "4 mdev_nvidia-35.device_addresses: the GPU 0000:86:00.0 does not offer "
         "nvidia-35; expected a GPU that does (this one has nvidia-600 (NVIDIA "
         "A40-1Q))"},
        {"[devices]\nenabled_mdev_types = nvidia-600, NVIDIA A40-1Q\n"
         "[mdev_nvidia-600]\ndevice_addresses = 0000:86:00.4\n"
         "[mdev_NVIDIA A40-1Q]\ndevice_addresses = 0000:86:00.5\n",
         "6 mdev_NVIDIA A40-1Q.device_addresses: 0000:86:00.5 is the same GPU as "
         "0000:86:00.4 of mdev_nvidia-600.device_addresses; expected one type for each "
         "GPU"},
        {"[agent]\nmode = nova\n[devices]\nenabled_mdev_types = nvidia-600\n"
         "[mdev_nvidia-600]\ndevice_addresses = 0000:86:00.0\n",
         "6 mdev_nvidia-600.device_addresses: 0000:86:00.0 makes its devices below its "
         "virtual functions, which nova-compute wants named; expected some of "
         "0000:86:00.4, 0000:86:00.5 in mode nova"},
        {"[agent]\nmode = nova\n[devices]\nenabled_mdev_types = GRID V100-1Q\n",
         "4 devices.enabled_mdev_types: GRID V100-1Q is a name, which nova-compute "
         "does "
         "not know; expected nvidia-35 in mode nova"},
    };
    struct host *host = make_host();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *problems = check(cases[i].text, host);
        assert_string_equal(problems, cases[i].problems);
        free(problems);
    }
    host_free(host);
}

static void a_sick_gpu_is_not_judged(void **state)
{
    (void)state;
    static const char text[] = "[devices]\nenabled_mdev_types = nvidia-474\n"
                               "[mdev_nvidia-474]\ndevice_addresses = 0000:85:00.0\n";
    struct host *host = make_host();
    host->gpus[1].health = GPU_UNREADABLE;
    char *problems = check(text, host);
    assert_string_equal(problems, "");
    free(problems);
    host_free(host);
}

static void virtual_functions_are_not_enabled(void **state)
{
    (void)state;
    struct host *host = make_host();
    struct gpu *card = host_add_gpu(host, "0000:87:00.0");
    card->vf_total = 16;
    char *problems = check("[devices]\nenabled_mdev_types = nvidia-600\n"
                           "[mdev_nvidia-600]\n"
                           "device_addresses = 0000:86:00.0, 0000:87:00.0\n",
                           host);
    assert_string_equal(
        problems, "4 mdev_nvidia-600.device_addresses: the GPU 0000:87:00.0 offers "
                  "no types; are its virtual functions enabled (the vendor's "
                  "sriov-manage)?");
    free(problems);
    host_free(host);
}

static void an_empty_host(void **state)
{
    (void)state;
    struct host *host = xcalloc(1, sizeof *host);
    char *problems = check("[devices]\nenabled_mdev_types = nvidia-35\n"
                           "[mdev_nvidia-35]\ndevice_addresses = 0000:84:00.0\n",
                           host);
    assert_string_equal(
        problems, "2 devices.enabled_mdev_types: no GPU of this host offers "
                  "nvidia-35, nor any other type; is the vendor's driver loaded?\n"
                  "4 warning mdev_nvidia-35.device_addresses: there is no GPU "
                  "0000:84:00.0 on this host; it has none");
    free(problems);
    host_add_gpu(host, "0000:85:00.0")->vf_total = 16;
    problems = check("[devices]\nenabled_mdev_types = nvidia-35\n", host);
    assert_string_equal(
        problems, "2 devices.enabled_mdev_types: no GPU of this host offers nvidia-35, "
                  "nor any other type; are its virtual functions enabled (the vendor's "
                  "sriov-manage)?");
    free(problems);
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit),
        cmocka_unit_test(a_sick_gpu_is_not_judged),
        cmocka_unit_test(virtual_functions_are_not_enabled),
        cmocka_unit_test(an_empty_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
