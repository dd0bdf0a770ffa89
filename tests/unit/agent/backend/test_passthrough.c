#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend/passthrough.h"
#include "agent/backend/passthrough_scan.h"
#include "agent/backend/scan.h"
#include "agent/backend/whole_card.h"
#include "agent/host/host.h"
#include "config/config.h"
#include "lib/folder.h"
#include "lib/xalloc.h"
#include "tests/unit/agent/host/simhost.h"
#include "tests/unit/tree.h"

#define CARD "0000:01:00.0"
#define SOUND "0000:01:00.1"
#define USB "0000:01:00.2"
#define CONSUMER "00000000-0000-4000-8000-0000000000c1"
#define STRANGER "00000000-0000-4000-8000-0000000000c9"
#define UUID "4b20d080-1b54-4048-85b3-a6a62d165c01"

#define MODEL(name, pci_class, driver)                                \
    "\"" name "\": {\"vendor\": \"0x10de\", \"device\": \"0x2206\", " \
    "\"class\": \"" pci_class "\", \"driver\": \"" driver             \
    "\", \"interface\": \"none\", \"types\": []}"
#define AT(model, address, more)                                              \
    "{\"model\": \"" model "\", \"path\": \"pci0000:00/0000:00:01.0/" address \
    "\"" more "}"
#define IN_GROUP(address) ", \"group\": \"" address "\""
/* A card with sound and USB; `more` follows its cards, `top` is for the whole host. */
#define HOST(top, card, more)                                                                                     \
    "{" top                                                                                                       \
    "\"models\": {" MODEL("GPU", "0x030000", "nvidia") ", " MODEL("HDA", "0x040300", "snd_hda_intel") ", " MODEL( \
        "XHCI", "0x0c0330",                                                                                       \
        "xhci_hcd") "}, \"cards\": [" AT("GPU", CARD,                                                             \
                                         card) ", " AT("HDA", SOUND,                                              \
                                                       IN_GROUP(                                                  \
                                                           CARD)) ", " AT("XHCI", USB,                            \
                                                                          IN_GROUP(                               \
                                                                              CARD))                              \
        more "]}"

static const char *const functions[] = {CARD, SOUND, USB};
static const char *const natives[] = {"nvidia", "snd_hda_intel", "xhci_hcd"};

struct rig {
    struct simhost *host;
    char *tree; /* stands for "/", where guests are looked for */
    struct device_place place;
};

static struct rig rig_of(const char *description)
{
    struct rig rig = {simhost_start(description), tree_new(), {0}};
    tree_proc(rig.tree);
    tree_folder(rig.tree, USE_DEFINED);
    tree_folder(rig.tree, USE_RUNNING);
    rig.place = (struct device_place){
        rig.host->root,
        {.root = rig.tree, .defined = USE_DEFINED, .running = USE_RUNNING}};
    return rig;
}

static struct rig rig_new(void)
{
    return rig_of(HOST("", "", ""));
}

static void rig_clear(struct rig *rig)
{
    simhost_stop(rig->host);
    tree_free(rig->tree);
}
#define _cleanup_rig_ _cleanup_(rig_clear)

static struct host *look(const struct rig *rig, const char *card, bool console)
{
    char *addresses[] = {(char *)card};
    struct mdev_type_config type = {
        .type = (char *)PASSTHROUGH_TYPE,
        .device_addresses = {.items = addresses, .count = 1},
    };
    struct config config = {.types = &type, .type_count = 1};
    config.passthrough.console = console;
    config.agent.host_root = rig->tree;
    struct host *host = NULL;
    struct error err = {0};
    assert_ok(host_scan_configured(rig->host->root, &config, NULL, NULL, &host, &err),
              &err);
    return host;
}

static enum error_code create(const struct rig *rig, bool *existed, struct error *err)
{
    static const struct device_spec spec = {.uuid = UUID,
                                            .address = CARD,
                                            .gpu = CARD,
                                            .parent = CARD,
                                            .type_id = PASSTHROUGH_TYPE,
                                            .consumer = CONSUMER};
    char address[DEVICE_ADDRESS_SIZE];
    *err = (struct error){0};
    if (backend_passthrough.create(&rig->place, &spec, address, existed, err) != 0)
        return err->code;
    assert_string_equal(address, CARD);
    return ERROR_NONE;
}

static enum error_code give_back(const struct rig *rig, struct error *err)
{
    static const struct device_spec spec = {
        .uuid = UUID, .address = CARD, .gpu = CARD, .parent = CARD};
    *err = (struct error){0};
    return backend_passthrough.remove(&rig->place, &spec, err) == 0 ? ERROR_NONE
                                                                    : err->code;
}

static struct whole_card read_card(const struct rig *rig)
{
    struct whole_card card;
    struct error err = {0};
    _cleanup_free_ char *path = xasprintf("%s/bus/pci", rig->host->root);
    _cleanup_close_ int bus = folder_open(-1, path);
    assert_ok(whole_card_read(bus, CARD, &card, &err), &err);
    return card;
}

static void assert_native(const struct rig *rig)
{
    _cleanup_whole_card_ struct whole_card card = read_card(rig);
    assert_int_equal(card.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(card.parts[i].address, functions[i]);
        assert_string_equal(card.parts[i].driver, natives[i]);
        assert_null(card.parts[i].driver_override);
    }
}

static bool is_bound(const struct rig *rig)
{
    _cleanup_whole_card_ struct whole_card card = read_card(rig);
    return whole_card_is_bound(&card);
}

static void name_in_domain(const struct rig *rig, const char *domain, char function)
{
    _cleanup_free_ char *path = xasprintf(USE_DEFINED "/%s.xml", domain);
    _cleanup_free_ char *xml = xasprintf(
        "<domain><uuid>%s</uuid><devices><hostdev type='pci'><source><address "
        "domain='0x0000' bus='0x01' slot='0x00' function='0x%c'/></source></hostdev>"
        "</devices></domain>",
        domain, function);
    tree_write(rig->tree, path, xml);
}

/* ---- the scan ---- */

static void a_card_is_parent_and_device(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig = rig_new();
    struct host *host = look(&rig, CARD, false);
    const struct parent *parent;
    assert_non_null(host_parent(host, CARD, &parent));
    assert_string_equal(parent->backend, PASSTHROUGH_NAME);
    assert_string_equal(parent->path, "devices/pci0000:00/0000:00:01.0/" CARD);
    assert_string_equal(parent->types[0].name, "PCI 10de:2206");
    assert_int_equal(parent->types[0].available, 1);
    assert_int_equal(parent->device_count, 0);
    assert_true(backend_is_address(host, CARD));
    host_free(host);
    bool existed = true;
    struct error err;
    assert_int_equal(create(&rig, &existed, &err), ERROR_NONE);
    assert_false(existed);
    host = look(&rig, CARD, false);
    const struct device *device = host_device(host, CARD, NULL, &parent);
    assert_string_equal(device->type_id, PASSTHROUGH_TYPE);
    assert_int_equal(parent->types[0].available, 0);
    assert_int_equal(device->functions.count, 2);
    assert_string_equal(device->functions.items[0], SOUND);
    assert_string_equal(device->functions.items[1], USB);
    assert_int_equal(device->nodes.count, 4); /* one group, and a node each */
    host_free(host);
    /* Nothing is configured: it is a card like any other. */
    assert_ok(host_scan(rig.host->root, NULL, &host, &err), &err);
    assert_null(host_device(host, CARD, NULL, NULL));
    host_free(host);
}

static void cards_that_cannot_go(void **state)
{
    (void)state;
    static const struct {
        const char *description, *card;
        bool console;
        const char *reason; /* NULL: it can */
    } cases[] = {
        {HOST("", "", ", " AT("GPU", "0000:02:00.0", IN_GROUP(CARD))), CARD, false,
         "other devices in it, which a guest would get as well: 0000:02:00.0"},
        {HOST("", IN_GROUP("0000:00:01.0"), ""), CARD, false, NULL},
        {HOST("\"iommu\": false, ", "", ""), CARD, false, "the IOMMU is off"},
        {HOST("\"vfio_pci\": false, ", "", ""), CARD, false, "modprobe vfio-pci"},
        {HOST("", ", \"console\": true", ""), CARD, false,
         "the host's console is on it"},
        {HOST("", ", \"console\": true", ""), CARD, true, NULL},
        {HOST("", "", ""), SOUND, false, "a further function of the card " CARD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_rig_ struct rig rig = rig_of(cases[i].description);
        struct host *host = look(&rig, cases[i].card, cases[i].console);
        const struct gpu *gpu = host_gpu(host, cases[i].card);
        assert_int_equal(gpu->health, cases[i].reason ? GPU_UNUSABLE : GPU_OK);
        assert_int_equal(gpu_offers_types(gpu), !cases[i].reason);
        if (cases[i].reason && !strstr(gpu->health_reason, cases[i].reason))
            fail_msg("%zu: %s", i, gpu->health_reason);
        host_free(host);
    }
}

/* ---- changes ---- */

static void all_functions_go_and_come_back(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig = rig_new();
    bool existed;
    struct error err;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(create(&rig, &existed, &err), ERROR_NONE);
        assert_true(is_bound(&rig));
        for (int j = 0; j < 2; j++) {
            assert_int_equal(give_back(&rig, &err), ERROR_NONE);
            assert_native(&rig);
        }
    }
    simhost_control(rig.host, "unplug " CARD);
    assert_int_equal(give_back(&rig, &err), ERROR_NONE);
    assert_int_equal(create(&rig, &existed, &err), ERROR_NOT_FOUND);
}

/* Whichever of the functions vfio-pci does not take. */
static void one_that_fails_undoes_all(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig = rig_new();
    for (size_t i = 0; i < 3; i++) {
        bool existed;
        struct error err;
        _cleanup_free_ char *fault =
            xasprintf("fail create EINVAL on %s", functions[i]);
        simhost_control(rig.host, fault);
        assert_int_equal(create(&rig, &existed, &err), ERROR_IO);
        _cleanup_free_ char *text = xasprintf(
            "vfio-pci did not take %s, which has no driver now", functions[i]);
        assert_non_null(strstr(err.text, text));
        assert_native(&rig);
    }
}

static void what_a_stranger_has_is_not_taken(void **state)
{
    (void)state;
    for (char function = '0'; function <= '2'; function++) {
        _cleanup_rig_ struct rig rig = rig_new();
        bool existed;
        struct error err;
        name_in_domain(&rig, STRANGER, function);
        assert_int_equal(create(&rig, &existed, &err), ERROR_BUSY);
        assert_native(&rig);
    }
    _cleanup_rig_ struct rig rig =
        rig_of(HOST("", "", ", " AT("GPU", "0000:02:00.0", IN_GROUP(CARD))));
    bool existed;
    struct error err;
    assert_int_equal(create(&rig, &existed, &err), ERROR_FORBIDDEN);
    assert_non_null(strstr(err.text, "0000:02:00.0"));
    assert_native(&rig);
}

/* Whoever bound it, it is its consumer's only where that one's domain names it. */
static void one_that_is_bound_already(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig = rig_new();
    bool existed;
    struct error err;
    assert_int_equal(create(&rig, &existed, &err), ERROR_NONE);
    assert_int_equal(create(&rig, &existed, &err), ERROR_EXISTS);
    assert_true(existed);
    name_in_domain(&rig, CONSUMER, '0');
    assert_int_equal(create(&rig, &existed, &err), ERROR_NONE);
    assert_true(existed);
    name_in_domain(&rig, STRANGER, '1');
    assert_int_equal(create(&rig, &existed, &err), ERROR_EXISTS);
}

static void what_is_used_is_not_given_back(void **state)
{
    (void)state;
    static const char *const nodes[] = {"/dev/vfio/1", "/dev/vfio/devices/vfio2"};
    _cleanup_rig_ struct rig rig = rig_new();
    bool existed;
    struct error err;
    assert_int_equal(create(&rig, &existed, &err), ERROR_NONE);
    for (size_t i = 0; i < 2; i++) {
        tree_link(rig.tree, "proc/42/fd/7", nodes[i]);
        assert_int_equal(give_back(&rig, &err), ERROR_BUSY);
        tree_remove(rig.tree, "proc/42/fd/7");
    }
    name_in_domain(&rig, CONSUMER, '2');
    assert_int_equal(give_back(&rig, &err), ERROR_BUSY);
    assert_true(is_bound(&rig));
    tree_remove(rig.tree, USE_DEFINED "/" CONSUMER ".xml");
    assert_int_equal(give_back(&rig, &err), ERROR_NONE);
    assert_native(&rig);
}

/* After each store of both, as a crash leaves it: another run of either ends well. */
static void halves(void **state)
{
    (void)state;
    for (unsigned half = 0; half < 8; half++) {
        _cleanup_rig_ struct rig rig = rig_new();
        bool existed;
        struct error err;
        for (int run = 0; run < 2; run++) {
            for (size_t i = 0; i < 3; i++) {
                if (!(half & 1U << i))
                    continue;
                _cleanup_free_ char *unbind = xasprintf("unbind %s", functions[i]);
                simhost_control(rig.host, unbind);
            }
            if (run == 0) {
                assert_int_equal(create(&rig, &existed, &err), ERROR_NONE);
                assert_true(is_bound(&rig));
            }
        }
        assert_int_equal(give_back(&rig, &err), ERROR_NONE);
        assert_native(&rig);
    }
}

/* After a reboot the address can be another card's, that somebody else bound. */
static void another_model_is_not_given_back(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig = rig_new();
    struct device_spec spec = {.uuid = UUID,
                               .address = CARD,
                               .gpu = CARD,
                               .parent = CARD,
                               .type_name = "PCI 10de:26b9"};
    bool existed;
    struct error err;
    assert_int_equal(create(&rig, &existed, &err), ERROR_NONE);
    assert_ok(backend_passthrough.remove(&rig.place, &spec, &err), &err);
    assert_true(is_bound(&rig));
    spec.type_name = "PCI 10de:2206";
    assert_ok(backend_passthrough.remove(&rig.place, &spec, &err), &err);
    assert_native(&rig);
}

/* What was made or opened since the host was looked at: the first unbind would end the
 * one, and wait for the other. */
static void what_the_host_still_uses_is_not_unbound(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig = rig_of(
        "{\"models\": {\"GPU\": {\"vendor\": \"0x10de\", \"device\": \"0x13bd\", "
        "\"driver\": \"nvidia\", \"types\": [{\"id\": \"nvidia-35\", \"instances\": "
        "4}]}}, \"cards\": [" AT("GPU", CARD, ", \"nodes\": [\"drm/card0\"]") "]}");
    bool existed;
    struct error err;
    assert_int_equal(simhost_store(rig.host,
                                   "class/mdev_bus/" CARD
                                   "/mdev_supported_types/nvidia-35/create",
                                   UUID),
                     0);
    assert_int_equal(create(&rig, &existed, &err), ERROR_FORBIDDEN);
    assert_non_null(strstr(err.text, "it still has mediated devices, which would end "
                                     "with its driver: " UUID));
    assert_int_equal(simhost_store(rig.host, "bus/mdev/devices/" UUID "/remove", "1"),
                     0);
    tree_link(rig.tree, "proc/300/fd/4", "/dev/dri/card0");
    assert_int_equal(create(&rig, &existed, &err), ERROR_BUSY);
    assert_non_null(strstr(err.text, "process 300 has /dev/dri/card0 open"));
    tree_remove(rig.tree, "proc/300");
    assert_int_equal(create(&rig, &existed, &err), ERROR_NONE);
    assert_true(is_bound(&rig));
}

static void assert_open(const struct rig *rig, const char *reason)
{
    struct host *host = look(rig, CARD, false);
    const struct gpu *gpu = host_gpu(host, CARD);
    if (!reason) {
        assert_int_equal(gpu->health, GPU_OK);
        assert_int_equal(gpu->parents[0].types[0].available, 1);
    } else {
        assert_int_equal(gpu->health, GPU_UNUSABLE);
        assert_non_null(strstr(gpu->health_reason, reason));
        assert_int_equal(gpu->parents[0].types[0].available, 0);
        _cleanup_free_ char *remedy = gpu_remedy(gpu);
        assert_non_null(strstr(remedy, "once no process of the host has it open"));
    }
    host_free(host);
}

static void a_card_that_the_host_has_open_cannot_go(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig = rig_of(HOST("", ", \"nodes\": [\"drm/card0\"]", ""));
    assert_open(&rig, NULL);
    tree_link(rig.tree, "proc/300/fd/4", "/dev/dri/card0");
    tree_write(rig.tree, "proc/300/comm", "Xorg\n");
    assert_open(&rig, "process 300 (Xorg) has /dev/dri/card0 open");
    /* Who is seen is named, also where not all are. */
    tree_remove(rig.tree, "proc/1/ns");
    assert_open(&rig, "process 300 (Xorg) has /dev/dri/card0 open");
    tree_remove(rig.tree, "proc/300");
    assert_open(&rig, "it is not known whether a process has /dev/dri/card0 open: "
                      "/proc does not show all processes");
    tree_remove(rig.tree, "proc");
    assert_open(&rig, "it is not known whether a process has /dev/dri/card0 open: "
                      "/proc: No such file or directory");
    /* Whose it is already has no node of a driver's. */
    tree_proc(rig.tree);
    bool existed;
    struct error err;
    assert_int_equal(create(&rig, &existed, &err), ERROR_NONE);
    tree_remove(rig.tree, "proc");
    struct host *host = look(&rig, CARD, false);
    assert_int_equal(host_gpu(host, CARD)->health, GPU_OK);
    host_free(host);
}

/* The next one may have given the card to another consumer. */
static void nothing_is_written_for_an_agent_that_has_ended(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig = rig_new();
    bool existed;
    struct error err;
    rig.place.agent = getpid();
    assert_int_equal(create(&rig, &existed, &err), ERROR_BUSY);
    assert_non_null(strstr(err.text, "the agent that asked has ended"));
    assert_native(&rig);
    rig.place.agent = getppid();
    assert_int_equal(create(&rig, &existed, &err), ERROR_NONE);
    rig.place.agent = getpid();
    assert_int_equal(give_back(&rig, &err), ERROR_BUSY);
    assert_true(is_bound(&rig));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_is_parent_and_device),
        cmocka_unit_test(cards_that_cannot_go),
        cmocka_unit_test(all_functions_go_and_come_back),
        cmocka_unit_test(one_that_fails_undoes_all),
        cmocka_unit_test(what_a_stranger_has_is_not_taken),
        cmocka_unit_test(one_that_is_bound_already),
        cmocka_unit_test(what_is_used_is_not_given_back),
        cmocka_unit_test(halves),
        cmocka_unit_test(another_model_is_not_given_back),
        cmocka_unit_test(what_the_host_still_uses_is_not_unbound),
        cmocka_unit_test(a_card_that_the_host_has_open_cannot_go),
        cmocka_unit_test(nothing_is_written_for_an_agent_that_has_ended),
    };
    return cmocka_run_group_tests_name("backend_passthrough", tests, NULL, NULL);
}
