#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "agent/act/device_worker.h"
#include "agent/backend/mdev.h"
#include "agent/backend/scan.h"
#include "agent/host/sysfs.h"
#include "lib/files.h"
#include "lib/xalloc.h"
#include "tests/unit/agent/host/simhost.h"
#include "tests/unit/tree.h"

#define LONG 20000 /* milliseconds; never waited out when all is well */
#define CARD "0000:84:00.0"
#define OTHER "0000:85:00.0"
#define UUID(n) "4b20d080-1b54-4048-85b3-a6a62d165c0" n
#define CREATE(card, type) \
    "class/mdev_bus/" card "/mdev_supported_types/" type "/create"

static const char description[] =
    "{\"models\": {\"M10\": {\"vendor\": \"0x10de\", \"device\": \"0x13bd\","
    " \"driver\": \"nvidia\", \"exhausted\": \"ENOSPC\", \"types\": ["
    " {\"id\": \"nvidia-35\", \"name\": \"GRID M10-0B\", \"instances\": 2},"
    " {\"id\": \"nvidia-36\", \"name\": \"GRID M10-0Q\", \"instances\": 2}]}},"
    " \"cards\": [{\"model\": \"M10\", \"path\": \"pci0000:80/" CARD "\"},"
    " {\"model\": \"M10\", \"path\": \"pci0000:80/" OTHER "\"}]}";

/* The simulated sysfs, and a root with nothing but a first process. */
struct fixture {
    struct simhost *host;
    char *root;
    struct device_place place;
};

static struct fixture set_up(void)
{
    struct fixture fixture = {.host = simhost_start(description)};
    fixture.root = tree_new();
    tree_proc(fixture.root);
    tree_folder(fixture.root, USE_DEFINED);
    tree_folder(fixture.root, USE_RUNNING);
    fixture.place = (struct device_place){
        fixture.host->root, {fixture.root, USE_DEFINED, USE_RUNNING, false}};
    return fixture;
}

static void tear_down(struct fixture *fixture)
{
    simhost_stop(fixture->host);
    tree_free(fixture->root);
}

static struct device_spec spec(const char *parent, const char *type, const char *uuid)
{
    return (struct device_spec){.uuid = uuid,
                                .address = uuid,
                                .gpu = parent,
                                .parent = parent,
                                .type_id = type};
}

static int create(const struct fixture *fixture, const char *parent, const char *type,
                  const char *uuid, struct error *err)
{
    *err = (struct error){0};
    const struct device_spec device = spec(parent, type, uuid);
    char address[DEVICE_ADDRESS_SIZE];
    bool existed;
    return backend_mdev.create(&fixture->place, &device, address, &existed, err);
}

static int destroy(const struct fixture *fixture, const char *parent, const char *uuid,
                   struct error *err)
{
    *err = (struct error){0};
    const struct device_spec device = spec(parent, NULL, uuid);
    return backend_mdev.remove(&fixture->place, &device, err);
}

/* Is the device complete? */
static bool is_there(const struct fixture *fixture, const char *uuid)
{
    _cleanup_(host_freep) struct host *host = NULL;
    struct error err = {0};
    assert_ok(host_scan(fixture->host->root, NULL, &host, &err), &err);
    const struct device *mdev = host_device(host, uuid, NULL, NULL);
    return mdev && !mdev->in_transition;
}

static size_t count_removes(const struct fixture *fixture)
{
    _cleanup_free_ char *stores = simhost_stores(fixture->host);
    size_t count = 0;
    for (const char *p = stores; (p = strstr(p, "/remove\"")); p++)
        count++;
    return count;
}

/* ---- create and remove, and both again ---- */

static void makes_and_removes_and_may_be_asked_twice(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err;
    for (int i = 0; i < 2; i++) {
        assert_ok(create(&fixture, CARD, "nvidia-35", UUID("1"), &err), &err);
        assert_true(is_there(&fixture, UUID("1")));
    }
    for (int i = 0; i < 2; i++) {
        assert_ok(destroy(&fixture, CARD, UUID("1"), &err), &err);
        assert_false(is_there(&fixture, UUID("1")));
    }
    assert_int_equal(count_removes(&fixture), 1);
    tear_down(&fixture);
}

static void says_whether_the_device_was_there_before(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    const struct device_spec device = spec(CARD, "nvidia-35", UUID("1"));
    for (int i = 0; i < 2; i++) {
        struct error err = {0};
        char address[DEVICE_ADDRESS_SIZE] = "";
        bool existed;
        assert_ok(backend_mdev.create(&fixture.place, &device, address, &existed, &err),
                  &err);
        assert_int_equal(existed, i == 1);
        assert_string_equal(address, UUID("1"));
    }
    tear_down(&fixture);
}

/* With UUID 1 there as a nvidia-35 of CARD, and what `control` says. */
static const struct {
    const char *what, *control, *parent, *type, *uuid;
    enum error_code code;
    const char *text;
} create_cases[] = {
    {"another type", NULL, CARD, "nvidia-36", UUID("1"), ERROR_EXISTS,
     "mdev " UUID("1") " exists already on " CARD
                       ", but is a nvidia-35 instead of a nvidia-36"},
    {"another card", NULL, OTHER, "nvidia-35", UUID("1"), ERROR_EXISTS,
     "mdev " UUID("1") " exists already, on " CARD},
    {"the card carries another type", NULL, CARD, "nvidia-36", UUID("2"),
     ERROR_EXHAUSTED, "no instance of nvidia-36 is left on " CARD},
    {"no such type", NULL, CARD, "nvidia-99", UUID("2"), ERROR_NOT_FOUND,
     CARD " does not offer nvidia-99 (any more)"},
    {"no such card", NULL, "0000:99:00.0", "nvidia-35", UUID("2"), ERROR_NOT_FOUND,
     "mdev parent 0000:99:00.0: No such file or directory"},
    {"the core counts", "fail create EUSERS", OTHER, "nvidia-35", UUID("2"),
     ERROR_EXHAUSTED, "no instance of nvidia-35 is left on " OTHER},
    {"the driver fails", "fail create EIO", OTHER, "nvidia-35", UUID("2"), ERROR_IO,
     "making a nvidia-35 on " OTHER ": Input/output error"},
    {"the driver is out of memory", "fail create ENOMEM", OTHER, "nvidia-35", UUID("2"),
     ERROR_IO, "making a nvidia-35 on " OTHER ": Cannot allocate memory"},
    {"the driver is busy", "fail create EBUSY", OTHER, "nvidia-35", UUID("2"),
     ERROR_BUSY, "making a nvidia-35 on " OTHER ": Device or resource busy"},
    {"the driver timed out", "fail create ETIMEDOUT", OTHER, "nvidia-35", UUID("2"),
     ERROR_IO, "making a nvidia-35 on " OTHER ": Connection timed out"},
    {"the card has gone", "unplug " OTHER, OTHER, "nvidia-35", UUID("2"),
     ERROR_NOT_FOUND, "mdev parent " OTHER ": No such file or directory"},
};

static void says_why_it_cannot_create(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof create_cases / sizeof *create_cases; i++) {
        struct fixture fixture = set_up();
        struct error err;
        assert_ok(create(&fixture, CARD, "nvidia-35", UUID("1"), &err), &err);
        if (create_cases[i].control)
            simhost_control(fixture.host, create_cases[i].control);
        int rc = create(&fixture, create_cases[i].parent, create_cases[i].type,
                        create_cases[i].uuid, &err);
        if (rc != -1 || err.code != create_cases[i].code ||
            strcmp(err.text, create_cases[i].text) != 0)
            fail_msg("%s: %d %s: %s", create_cases[i].what, rc,
                     error_code_name(err.code), err.text);
        assert_true(is_there(&fixture, UUID("1")));
        tear_down(&fixture);
    }
}

/* ---- who must not lose a device ---- */

static const struct {
    const char *what;
    struct tree_entry entry;
    const char *text;
} use_cases[] = {
    {"a running guest",
     {"run/libvirt/qemu/a.xml",
      "<domstatus><domain><uuid>" UUID(
          "9") "</uuid><devices><hostdev type='mdev'>"
               "<source><address uuid='" UUID(
                   "1") "'/></source></hostdev></devices></domain>"
                        "</domstatus>"},
     "in use: the running domain " UUID("9") " names it"},
    {"a definition",
     {"etc/mdevctl.d/" CARD "/" UUID("1"), "{}"},
     "in use: mdevctl defines it"},
    {"what cannot be read",
     {"etc/libvirt/qemu/a.xml", "<domain>"},
     "it is not known whether a guest holds it: /etc/libvirt/qemu/a.xml: line 1: no "
     "element found"},
};

static void never_removes_what_is_in_use(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err;
    assert_ok(create(&fixture, CARD, "nvidia-35", UUID("1"), &err), &err);
    for (size_t i = 0; i < sizeof use_cases / sizeof *use_cases; i++) {
        tree_fill(fixture.root, &use_cases[i].entry, 1);
        assert_int_equal(destroy(&fixture, CARD, UUID("1"), &err), -1);
        if (err.code != ERROR_BUSY || !strstr(err.text, use_cases[i].text))
            fail_msg("%s: %s", use_cases[i].what, err.text);
        tree_remove(fixture.root, use_cases[i].entry.path);
    }
    assert_int_equal(count_removes(&fixture), 0);
    assert_true(is_there(&fixture, UUID("1")));
    assert_ok(destroy(&fixture, CARD, UUID("1"), &err), &err);
    tear_down(&fixture);
}

static void never_removes_what_a_process_has_open(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err;
    assert_ok(create(&fixture, CARD, "nvidia-35", UUID("1"), &err), &err);
    _cleanup_(host_freep) struct host *host = NULL;
    assert_ok(host_scan(fixture.host->root, NULL, &host, &err), &err);
    const struct device *mdev = host_device(host, UUID("1"), NULL, NULL);
    assert_int_equal(mdev->nodes.count, 1);
    tree_link(fixture.root, "proc/4711/fd/5", mdev->nodes.items[0]);
    assert_int_equal(destroy(&fixture, CARD, UUID("1"), &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    assert_string_equal(
        err.text, "mdev " UUID("1") " on " CARD ": in use: process 4711 has it open");
    assert_int_equal(count_removes(&fixture), 0);
    tear_down(&fixture);
}

/* A device of our uuid on a card that we did not put it on is not ours. */
static void does_not_remove_from_another_card(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err;
    assert_ok(create(&fixture, CARD, "nvidia-35", UUID("1"), &err), &err);
    assert_ok(destroy(&fixture, OTHER, UUID("1"), &err), &err);
    assert_ok(destroy(&fixture, "0000:99:00.0", UUID("1"), &err), &err);
    assert_true(is_there(&fixture, UUID("1")));
    tear_down(&fixture);
}

/* ENODEV: its parent is about to go, and it with it, but has not yet. */
static void what_is_still_there_is_not_removed(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err;
    assert_ok(create(&fixture, CARD, "nvidia-35", UUID("1"), &err), &err);
    simhost_control(fixture.host, "fail remove ENODEV");
    assert_int_equal(destroy(&fixture, CARD, UUID("1"), &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    assert_true(is_there(&fixture, UUID("1")));
    assert_ok(destroy(&fixture, CARD, UUID("1"), &err), &err);
    assert_false(is_there(&fixture, UUID("1")));
    tear_down(&fixture);
}

/* ---- clear ---- */

static int clear(const struct fixture *fixture, const char *uuid, struct error *err)
{
    *err = (struct error){0};
    const struct device_spec device = spec(CARD, NULL, uuid);
    return backend_mdev.clear(&fixture->place, &device, err);
}

#define PARAMETERS "class/mdev_bus/" CARD "/" UUID("1") "/nvidia/vgpu_params"

static void expect_parameters(const struct fixture *fixture, const char *expected)
{
    _cleanup_close_ int root = folder_open(AT_FDCWD, fixture->host->root);
    _cleanup_free_ char *text = NULL;
    struct error err = {0};
    assert_ok(attribute_read_at(root, PARAMETERS, &text, &err), &err);
    assert_string_equal(text, expected);
}

static void clears_what_a_consumer_has_set(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err;
    assert_ok(create(&fixture, CARD, "nvidia-35", UUID("1"), &err), &err);
    assert_int_equal(simhost_store(fixture.host, PARAMETERS, "frl=0, console=1\n"), 0);
    for (int i = 0; i < 2; i++) {
        assert_ok(clear(&fixture, UUID("1"), &err), &err);
        expect_parameters(&fixture, "");
    }
    tear_down(&fixture);
}

/* With UUID 1 there, and what `control` says. */
static const struct {
    const char *control, *uuid;
    enum error_code code;
    const char *text;
} clear_cases[] = {
    {"hold " UUID("1"), UUID("1"), ERROR_BUSY, "as if a guest had it"},
    {"fail parameters EBUSY", UUID("1"), ERROR_BUSY, "as if a guest had it"},
    {"fail parameters EIO", UUID("1"), ERROR_IO,
     "changing the parameters of mdev " UUID("1") ": Input/output error"},
    {"clear", UUID("2"), ERROR_NOT_FOUND, "mdev " UUID("2")},
};

static void says_why_it_cannot_clear(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof clear_cases / sizeof *clear_cases; i++) {
        struct fixture fixture = set_up();
        struct error err;
        assert_ok(create(&fixture, CARD, "nvidia-35", UUID("1"), &err), &err);
        assert_int_equal(simhost_store(fixture.host, PARAMETERS, "frl=0\n"), 0);
        simhost_control(fixture.host, clear_cases[i].control);
        assert_int_equal(clear(&fixture, clear_cases[i].uuid, &err), -1);
        if (err.code != clear_cases[i].code || !strstr(err.text, clear_cases[i].text))
            fail_msg("%s: %s: %s", clear_cases[i].control, error_code_name(err.code),
                     err.text);
        expect_parameters(&fixture, "frl=0");
        tear_down(&fixture);
    }
}

static void never_clears_what_is_in_use(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err;
    assert_ok(create(&fixture, CARD, "nvidia-35", UUID("1"), &err), &err);
    assert_int_equal(simhost_store(fixture.host, PARAMETERS, "frl=0\n"), 0);
    for (size_t i = 0; i < sizeof use_cases / sizeof *use_cases; i++) {
        tree_fill(fixture.root, &use_cases[i].entry, 1);
        assert_int_equal(clear(&fixture, UUID("1"), &err), -1);
        if (err.code != ERROR_BUSY || !strstr(err.text, use_cases[i].text))
            fail_msg("%s: %s", use_cases[i].what, err.text);
        expect_parameters(&fixture, "frl=0");
        tree_remove(fixture.root, use_cases[i].entry.path);
    }
    tear_down(&fixture);
}

static void a_driver_without_parameters_has_none_to_clear(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err;
    assert_ok(create(&fixture, CARD, "nvidia-35", UUID("1"), &err), &err);
    simhost_control(fixture.host, "hide *vgpu_params");
    assert_ok(clear(&fixture, UUID("1"), &err), &err);
    _cleanup_free_ char *stores = simhost_stores(fixture.host);
    assert_null(strstr(stores, "vgpu_params"));
    tear_down(&fixture);
}

/* ---- parameters ---- */

static int create_with(const struct fixture *fixture, const char *parameters,
                       struct error *err)
{
    *err = (struct error){0};
    struct device_spec device = spec(CARD, "nvidia-35", UUID("1"));
    device.parameters = parameters;
    char address[DEVICE_ADDRESS_SIZE];
    bool existed;
    return backend_mdev.create(&fixture->place, &device, address, &existed, err);
}

static void writes_the_parameters_of_what_it_makes(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err;
    assert_ok(create_with(&fixture, "frl=0, console=1", &err), &err);
    expect_parameters(&fixture, "frl=0, console=1");
    /* Also where a crash came between the two writes. */
    assert_int_equal(simhost_store(fixture.host, PARAMETERS, " "), 0);
    assert_ok(create_with(&fixture, "frl=0, console=1", &err), &err);
    expect_parameters(&fixture, "frl=0, console=1");
    tear_down(&fixture);
}

static void removes_again_what_takes_no_parameters(void **state)
{
    (void)state;
    static const struct {
        const char *control;
        enum error_code code;
        const char *text;
        bool stays;
    } cases[] = {
        {"fail parameters EINVAL", ERROR_INVALID, "Invalid argument", false},
        {"fail parameters EPERM", ERROR_BUSY, "as if a guest had it", false},
        {"hide *vgpu_params", ERROR_UNSUPPORTED, "its driver has no nvidia/", false},
        {"fail remove EIO", ERROR_IO, "could not be removed again", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture fixture = set_up();
        struct error err;
        simhost_control(fixture.host, cases[i].control);
        if (cases[i].stays)
            simhost_control(fixture.host, "fail parameters EIO");
        assert_int_equal(create_with(&fixture, "frl=0", &err), -1);
        if (err.code != cases[i].code || !strstr(err.text, cases[i].text))
            fail_msg("%s: %s: %s", cases[i].control, error_code_name(err.code),
                     err.text);
        assert_int_equal(is_there(&fixture, UUID("1")), cases[i].stays);
        tear_down(&fixture);
    }
}

static void leaves_what_was_there_before(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err;
    assert_ok(create(&fixture, CARD, "nvidia-35", UUID("1"), &err), &err);
    simhost_control(fixture.host, "fail parameters EIO");
    assert_int_equal(create_with(&fixture, "frl=0", &err), -1);
    assert_true(is_there(&fixture, UUID("1")));
    tear_down(&fixture);
}

static void hands_over_with_the_new_parameters(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err = {0};
    assert_ok(create_with(&fixture, "frl=0, console=1", &err), &err);
    struct device_spec device = spec(CARD, NULL, UUID("1"));
    device.parameters = "ecc=0";
    assert_ok(backend_mdev.clear(&fixture.place, &device, &err), &err);
    expect_parameters(&fixture, "ecc=0");
    tear_down(&fixture);
}

static int set_parameters(const struct fixture *fixture, const char *parameters,
                          struct error *err)
{
    struct device_spec device = spec(CARD, NULL, UUID("1"));
    device.parameters = parameters;
    return backend_mdev.set_parameters(&fixture->place, &device, err);
}

/* What a guest is to be started with, which its domain names already. */
static void sets_those_of_a_device_that_no_guest_has_yet(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err = {0};
    assert_ok(create(&fixture, CARD, "nvidia-35", UUID("1"), &err), &err);
    tree_write(fixture.root, USE_DEFINED "/a.xml",
               "<domain><uuid>" UUID("9") "</uuid><devices><hostdev type='mdev'>"
                                          "<source><address uuid='" UUID(
                                              "1") "'/></source></hostdev></devices>"
                                                   "</domain>");
    tree_write(fixture.root, "etc/mdevctl.d/" CARD "/" UUID("1"), "{}");
    assert_int_equal(clear(&fixture, UUID("1"), &err), -1);
    assert_ok(set_parameters(&fixture, "frl=0", &err), &err);
    expect_parameters(&fixture, "frl=0");
    simhost_control(fixture.host, "hold " UUID("1"));
    assert_int_equal(set_parameters(&fixture, NULL, &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    expect_parameters(&fixture, "frl=0");
    tear_down(&fixture);
}

/* The driver would take them here, as one may: who has the device is looked at
 * first. */
static void sets_none_of_a_device_that_a_guest_may_have(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err = {0};
    assert_ok(create(&fixture, CARD, "nvidia-35", UUID("1"), &err), &err);
    _cleanup_(host_freep) struct host *host = NULL;
    assert_ok(host_scan(fixture.host->root, NULL, &host, &err), &err);
    const struct device *mdev = host_device(host, UUID("1"), NULL, NULL);
    static const size_t cases[] = {0, 2}; /* a running guest, what cannot be read */
    for (size_t i = 0; i < 2; i++) {
        tree_fill(fixture.root, &use_cases[cases[i]].entry, 1);
        assert_int_equal(set_parameters(&fixture, "frl=0", &err), -1);
        assert_int_equal(err.code, ERROR_BUSY);
        assert_non_null(strstr(err.text, use_cases[cases[i]].text));
        tree_remove(fixture.root, use_cases[cases[i]].entry.path);
    }
    tree_link(fixture.root, "proc/4711/fd/5", mdev->nodes.items[0]);
    assert_int_equal(set_parameters(&fixture, "frl=0", &err), -1);
    assert_non_null(strstr(err.text, "process 4711 has it open"));
    expect_parameters(&fixture, "");
    tear_down(&fixture);
}

/* ---- slow and stuck operations ---- */

static int start(struct device_worker *worker, enum device_operation operation,
                 const char *type, const char *uuid, struct error *err)
{
    const struct device_spec device = spec(CARD, type, uuid);
    return device_worker_start(worker, operation, &backend_mdev, &device, err);
}

/* A removal that waits for its holder: found in transition, waited for, and never
 * written a second time. */
static void a_blocked_removal_holds_up_only_its_device(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err;
    struct device_done done;
    assert_ok(create(&fixture, CARD, "nvidia-35", UUID("1"), &err), &err);
    /* /proc does not show this holder: it came between the look and the write. */
    simhost_control(fixture.host, "hold " UUID("1"));
    struct device_worker *worker = device_worker_new(&fixture.place);
    assert_ok(start(worker, DEVICE_REMOVE, NULL, UUID("1"), &err), &err);
    while (is_there(&fixture, UUID("1")))
        assert_false(device_worker_take(worker, 10, &done));
    /* Not by us, and not by an agent that was started anew. */
    assert_int_equal(start(worker, DEVICE_REMOVE, NULL, UUID("1"), &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    assert_int_equal(destroy(&fixture, CARD, UUID("1"), &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    assert_int_equal(create(&fixture, CARD, "nvidia-35", UUID("1"), &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    assert_int_equal(count_removes(&fixture), 1);
    /* The card's other instance can be had meanwhile. */
    assert_ok(start(worker, DEVICE_CREATE, "nvidia-35", UUID("2"), &err), &err);
    assert_true(device_worker_take(worker, LONG, &done));
    assert_string_equal(done.uuid, UUID("2"));
    assert_int_equal(done.error.code, ERROR_NONE);
    simhost_control(fixture.host, "unhold " UUID("1"));
    assert_true(device_worker_take(worker, LONG, &done));
    assert_string_equal(done.uuid, UUID("1"));
    assert_int_equal(done.error.code, ERROR_NONE);
    device_worker_free(worker);
    tear_down(&fixture);
}

/* While a create has not returned its device is not touched. */
static void a_slow_create_is_not_removed(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err;
    struct device_done done;
    simhost_control(fixture.host, "block create every");
    struct device_worker *worker = device_worker_new(&fixture.place);
    assert_ok(start(worker, DEVICE_CREATE, "nvidia-35", UUID("1"), &err), &err);
    /* Until the simulator has the store. */
    for (bool pending = false; !pending;) {
        _cleanup_free_ char *stores = simhost_stores(fixture.host);
        pending = strstr(stores, "pending") != NULL;
    }
    assert_int_equal(destroy(&fixture, CARD, UUID("1"), &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    assert_int_equal(count_removes(&fixture), 0);
    simhost_control(fixture.host, "clear");
    assert_true(device_worker_take(worker, LONG, &done));
    assert_int_equal(done.error.code, ERROR_NONE);
    assert_true(is_there(&fixture, UUID("1")));
    device_worker_free(worker);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_and_removes_and_may_be_asked_twice),
        cmocka_unit_test(says_whether_the_device_was_there_before),
        cmocka_unit_test(says_why_it_cannot_create),
        cmocka_unit_test(never_removes_what_is_in_use),
        cmocka_unit_test(never_removes_what_a_process_has_open),
        cmocka_unit_test(does_not_remove_from_another_card),
        cmocka_unit_test(what_is_still_there_is_not_removed),
        cmocka_unit_test(clears_what_a_consumer_has_set),
        cmocka_unit_test(says_why_it_cannot_clear),
        cmocka_unit_test(never_clears_what_is_in_use),
        cmocka_unit_test(a_driver_without_parameters_has_none_to_clear),
        cmocka_unit_test(writes_the_parameters_of_what_it_makes),
        cmocka_unit_test(removes_again_what_takes_no_parameters),
        cmocka_unit_test(leaves_what_was_there_before),
        cmocka_unit_test(hands_over_with_the_new_parameters),
        cmocka_unit_test(sets_those_of_a_device_that_no_guest_has_yet),
        cmocka_unit_test(sets_none_of_a_device_that_a_guest_may_have),
        cmocka_unit_test(a_blocked_removal_holds_up_only_its_device),
        cmocka_unit_test(a_slow_create_is_not_removed),
    };
    return cmocka_run_group_tests_name("backend_mdev", tests, NULL, NULL);
}
