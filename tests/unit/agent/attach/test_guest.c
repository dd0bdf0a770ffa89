#include "agent/attach/guest.h"

#include <string.h>

#include "agent/host/domain_xml.h"
#include "tests/unit/test.h"

#define SERVER "11111111-0000-4000-8000-000000000000"
#define OTHER "22222222-0000-4000-8000-000000000000"
#define MDEV_1 "aaaaaaaa-0000-4000-8000-000000000001"
#define MDEV_2 "aaaaaaaa-0000-4000-8000-000000000002"
#define MDEV(uuid)                                                \
    "<hostdev mode='subsystem' type='mdev' model='vfio-pci'>"     \
    "<source><address uuid='" uuid "'/></source>"                 \
    "<alias name='hostdev0'/><address type='pci' domain='0x0000'" \
    " bus='0x00' slot='0x05' function='0x0'/></hostdev>"
#define PCI(bus)                                                          \
    "<hostdev mode='subsystem' type='pci' managed='no'><source>"          \
    "<address domain='0x0000' bus='" bus "' slot='0x00' function='0x0'/>" \
    "</source></hostdev>"
#define DOMAIN(uuid, devices)                                             \
    "<domain type='kvm' id='4'><name>instance-0000002a</name><uuid>" uuid \
    "</uuid><metadata><name>not this</name></metadata><devices>" devices  \
    "</devices></domain>"

static void assert_list(const struct strlist *list, const char *expected)
{
    _cleanup_free_ char *text = strlist_join(list, " ");
    assert_string_equal(text, expected);
}

static void takes_both_documents(void **state)
{
    (void)state;
    struct error err;
    _cleanup_guest_ struct guest guest;
    assert_ok(guest_parse(DOMAIN(SERVER, MDEV(MDEV_2) PCI("0x41") MDEV(MDEV_1)),
                          DOMAIN(SERVER, PCI("0x41")), &guest, &err),
              &err);
    assert_string_equal(guest.uuid, SERVER);
    assert_string_equal(guest.name, "instance-0000002a");
    assert_true(guest.running && guest.persistent);
    assert_list(&guest.live, "0000:41:00.0 " MDEV_1 " " MDEV_2);
    assert_list(&guest.configured, "0000:41:00.0");
    _cleanup_guest_ struct guest copy = guest_copy(&guest);
    assert_true(guest_equal(&guest, &copy));
    copy.running = false;
    assert_false(guest_equal(&guest, &copy));
    copy.running = true;
    strlist_add(&copy.configured, MDEV_1);
    assert_false(guest_equal(&guest, &copy));
}

static void takes_a_transient_domain_and_one_that_is_shut_off(void **state)
{
    (void)state;
    struct error err;
    _cleanup_guest_ struct guest transient, off;
    assert_ok(guest_parse(DOMAIN(SERVER, MDEV(MDEV_1)), NULL, &transient, &err), &err);
    assert_true(transient.running && !transient.persistent);
    assert_list(&transient.live, MDEV_1);
    assert_list(&transient.configured, "");
    assert_ok(guest_parse(NULL, DOMAIN(SERVER, MDEV(MDEV_1)), &off, &err), &err);
    assert_true(!off.running && off.persistent);
    assert_list(&off.live, "");
    assert_list(&off.configured, MDEV_1);
}

static void refuses_what_libvirt_would_not_write(void **state)
{
    (void)state;
    static const struct {
        const char *live, *configured, *error;
    } cases[] = {
        {NULL, NULL, "a domain without any XML"},
        {"<domain>", NULL, "the live XML: line 1: no element found"},
        {NULL, "<domain>", "the configured XML: line 1: no element found"},
        {DOMAIN(SERVER, ""), DOMAIN(OTHER, ""),
         "the live XML is that of " SERVER ", the configured one that of " OTHER},
        {NULL, "<domain><name>x</name></domain>",
         "the configured XML: the domain has no <uuid>"},
        {NULL, "<domain><uuid>" SERVER "</uuid></domain>",
         "the configured XML: the domain has no <name>"},
        {DOMAIN(SERVER, MDEV("?")), NULL,
         "the live XML: line 1: a <hostdev> of a mediated device has no uuid"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        struct guest guest;
        assert_int_equal(guest_parse(cases[i].live, cases[i].configured, &guest, &err),
                         -1);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_string_equal(err.text, cases[i].error);
        static const struct guest none;
        assert_memory_equal(&guest, &none, sizeof guest);
    }
}

/* What is taken out of a configuration must be found there. */
static void names_a_device_as_the_parser_reads_it(void **state)
{
    (void)state;
    static const char *const addresses[] = {MDEV_1, "0000:41:00.0", "0000:ff:1f.7",
                                            "10000:01:00.1", "12345678:01:0a.2"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        _cleanup_free_ char *xml = guest_device_xml(addresses[i]);
        assert_non_null(xml);
        char text[1024];
        snprintf(text, sizeof text,
                 "<domain><uuid>" SERVER "</uuid><devices>%s</devices></domain>", xml);
        _cleanup_domain_xml_ struct domain_xml domain;
        struct error err;
        assert_ok(domain_xml_parse(text, strlen(text), &domain, &err), &err);
        assert_list(&domain.addresses, addresses[i]);
    }
    assert_null(guest_device_xml("7"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_both_documents),
        cmocka_unit_test(takes_a_transient_domain_and_one_that_is_shut_off),
        cmocka_unit_test(refuses_what_libvirt_would_not_write),
        cmocka_unit_test(names_a_device_as_the_parser_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
