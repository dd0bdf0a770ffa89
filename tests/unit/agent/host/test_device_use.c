#include "tests/unit/test.h"

#include <string.h>
#include <unistd.h>

#include "agent/host/device_use.h"
#include "agent/host/domain_xml.h"
#include "lib/xalloc.h"
#include "tests/unit/tree.h"

#define MDEV_1 "4b20d080-1b54-4048-85b3-a6a62d165c01"
#define MDEV_2 "4b20d080-1b54-4048-85b3-a6a62d165c02"
#define DOMAIN "0e2f5e2e-7e2d-4d0a-9f0a-1b1b7c7a1c01"
#define OTHER "0e2f5e2e-7e2d-4d0a-9f0a-1b1b7c7a1c02"

#define HOSTDEV(uuid)                                                             \
    "<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci'>"        \
    "<source><address uuid='" uuid "'/></source><alias name='hostdev0'/><address" \
    " type='pci' domain='0x0000' bus='0x00' slot='0x05' function='0x0'/></hostdev>"
#define PCI_HOSTDEV(bus, function)                                                   \
    "<hostdev mode='subsystem' type='pci' managed='no'><driver name='vfio'/>"        \
    "<source><address domain='0x0000' bus='" bus "' slot='0x00' function='" function \
    "'/></source><address type='pci' domain='0x0000' bus='0x00'"                     \
    " slot='0x06' function='0x0'/></hostdev>"
#define DOMAIN_XML(uuid, devices)                                               \
    "<domain type='kvm'>\n  <name>instance-1</name>\n  <uuid>" uuid "</uuid>\n" \
    "  <metadata><nova:project xmlns:nova='x' uuid='" OTHER "'/></metadata>\n"  \
    "  <devices>" devices "</devices></domain>\n"

/* ---- domain_xml ---- */

/* Where a tenant's text can stand: a name, a description, metadata. */
#define TENANT(uuid)                                                         \
    "<name>" uuid "</name><title>" uuid "</title><description>" uuid         \
    "</description><metadata><nova:instance xmlns:nova='x'><nova:name>" uuid \
    "</nova:name><domain><uuid>" uuid                                        \
    "</uuid><devices>" HOSTDEV(uuid) "</devices></domain></nova:instance></metadata>"

static void reads_domains(void **state)
{
    (void)state;
    static const struct {
        const char *text, *uuid, *addresses, *problem; /* NULL: none */
    } cases[] = {
        {DOMAIN_XML(DOMAIN, HOSTDEV(MDEV_1)), DOMAIN, MDEV_1, NULL},
        {"<domstatus state='running' pid='7'><taint flag='x'/>" DOMAIN_XML(
             DOMAIN, HOSTDEV(MDEV_1) HOSTDEV(MDEV_2)) "</domstatus>",
         DOMAIN, MDEV_1 " " MDEV_2, NULL},
        /* Upper case, double quotes, entities, another order. */
        {"<?xml version=\"1.0\"?><!-- " MDEV_2 " --><domain><uuid>\n " DOMAIN
         "\n</uuid><devices><hostdev\n model=\"vfio-pci\" type=\"mdev\"><source>"
         "<address uuid=\"4B20D080-1B54-4048-85B3-&#x41;6A62D165C01\"/></source>"
         "</hostdev></devices></domain>",
         DOMAIN, MDEV_1, NULL},
        /* A PCI device's own address, not the one that the guest sees. */
        {DOMAIN_XML(DOMAIN, HOSTDEV(MDEV_1) PCI_HOSTDEV("0x41", "0x4")), DOMAIN,
         MDEV_1 " 0000:41:00.4", NULL},
        {DOMAIN_XML(DOMAIN, PCI_HOSTDEV("0x141", "0x4")), DOMAIN, "", NULL},
        {DOMAIN_XML(DOMAIN, PCI_HOSTDEV("0x41", "")), DOMAIN, "", NULL},
        {"<domain><devices>" PCI_HOSTDEV("0x41", "0x4") "</devices></domain>", "",
         "0000:41:00.4", "line 1: a domain without a <uuid> names a PCI device"},
        /* Not a hostdev of that type, or said in another way. */
        {DOMAIN_XML(DOMAIN, "<hostdev type='pci'><source><address uuid='" MDEV_1
                            "'/></source></hostdev>"),
         DOMAIN, "", NULL},
        {DOMAIN_XML(DOMAIN,
                    "<arg value='vfio-pci,sysfsdev=/sys/bus/mdev/devices/" MDEV_1
                    ",x=y'/>"),
         DOMAIN, "", NULL},
        {DOMAIN_XML(DOMAIN, "<a>say " MDEV_1 "</a>"), DOMAIN, "", NULL},
        /* What a tenant can write, beside what libvirt writes. */
        {"<domain>" TENANT(MDEV_2) "<uuid>" DOMAIN "</uuid><devices>" HOSTDEV(
             MDEV_1) "</devices></domain>",
         DOMAIN, MDEV_1, NULL},
        {"<domstatus><job>" TENANT(MDEV_2) "</job><domain>" TENANT(MDEV_2) //
         "<uuid>" DOMAIN "</uuid></domain></domstatus>",
         DOMAIN, "", NULL},
        /* A uuid below another element is not the domain's. */
        {"<domain><sysinfo><uuid>" OTHER "</uuid></sysinfo><uuid>" DOMAIN
         "</uuid></domain>",
         DOMAIN, "", NULL},
        {"<domain/>", "", "", NULL},
        {"<network><uuid>" OTHER "</uuid></network>", "", "", NULL},
        /* Whose, or which, is not known. */
        {"<domain><devices>" HOSTDEV(MDEV_1) "</devices></domain>", "", MDEV_1,
         "line 1: a domain without a <uuid> names a mediated device"},
        {"<domain><uuid>" DOMAIN "x</uuid></domain>", "", "",
         "line 1: the domain's <uuid> is none"},
        {"<domain><uuid>" DOMAIN "</uuid>\n<uuid>" OTHER "</uuid></domain>", DOMAIN, "",
         "line 2: the domain has a second <uuid>"},
        {DOMAIN_XML(DOMAIN, HOSTDEV("{" MDEV_1 "}") HOSTDEV(MDEV_2)), DOMAIN, MDEV_2,
         "line 5: a <hostdev> of a mediated device has no uuid"},
        {DOMAIN_XML(DOMAIN, "<hostdev type='mdev'/>"), DOMAIN, "",
         "line 5: a <hostdev> of a mediated device has no uuid"},
        /* What was found before the damage is kept. */
        {"<domain><uuid>" DOMAIN "</uuid><devices>" HOSTDEV(MDEV_1), DOMAIN, MDEV_1,
         "line 1: no element found"},
        {"", "", "", "line 1: no element found"},
        {"not xml", "", "", "line 1: syntax error"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct domain_xml domain;
        struct error err = {0};
        int rc = domain_xml_parse(cases[i].text, strlen(cases[i].text), &domain, &err);
        char *addresses = strlist_join(&domain.addresses, " ");
        const char *problem = cases[i].problem ? cases[i].problem : "";
        if (rc != (cases[i].problem ? -1 : 0) || strcmp(err.text, problem) != 0 ||
            strcmp(domain.uuid, cases[i].uuid) != 0 ||
            strcmp(addresses, cases[i].addresses) != 0)
            fail_msg("case %zu: %d \"%s\" domain %s has %s", i, rc, err.text,
                     domain.uuid, addresses);
        free(addresses);
        domain_xml_clear(&domain);
    }
}

/* ---- device_use ---- */

static char group_12[] = "/dev/vfio/12", vfio3[] = "/dev/vfio/devices/vfio3",
            group_1[] = "/dev/vfio/1";
static char *first_nodes[] = {group_12, vfio3}, *second_nodes[] = {group_1};
static struct device devices[] = {
    {.address = MDEV_1, .nodes = {first_nodes, 2}},
    {.address = MDEV_2, .nodes = {second_nodes, 1}},
};
static struct parent parent = {.devices = devices, .device_count = 2};
static struct gpu gpu = {.parents = &parent, .parent_count = 1};
static const struct host host = {.gpus = &gpu, .gpu_count = 1};

/* What each case adds to a /proc with one process. */
#define MAX_ENTRIES 4
#define PLACES(tree) (&(const struct use_places){tree, USE_DEFINED, USE_RUNNING, false})
struct use_case {
    const char *what;
    struct tree_entry entries[MAX_ENTRIES];
    bool unknown;
    struct used_device first,
        second; /* expected of MDEV_1, MDEV_2; address "" for none */
    const char *note;
};

static const struct use_case cases[] = {
    {"nobody", {{NULL}}, false, {""}, {""}, NULL},
    {"a defined domain",
     {{"etc/libvirt/qemu/a.xml", DOMAIN_XML(DOMAIN, HOSTDEV(MDEV_1))}},
     false,
     {MDEV_1, DOMAIN},
     {""},
     NULL},
    {"a running domain that is defined without it, and another defined one",
     {{"etc/libvirt/qemu/a.xml", DOMAIN_XML(OTHER, HOSTDEV(MDEV_1))},
      {"run/libvirt/qemu/b.xml",
       "<domstatus>" DOMAIN_XML(DOMAIN, HOSTDEV(MDEV_1)) "</domstatus>"},
      {"etc/libvirt/qemu/b.xml", DOMAIN_XML(DOMAIN, "")}},
     false,
     {MDEV_1, DOMAIN, true},
     {""},
     NULL},
    {"files that are no domains",
     {{"etc/libvirt/qemu/networks/a.xml", HOSTDEV(MDEV_1)},
      {"etc/libvirt/qemu/a.xml.new", HOSTDEV(MDEV_1)},
      {"run/libvirt/qemu/a.pid", "7"}},
     false,
     {""},
     {""},
     NULL},
    {"in what is not libvirt's own: the arguments for QEMU, a tenant's text",
     {{"etc/libvirt/qemu/a.xml", DOMAIN_XML(DOMAIN, "<arg v='=/x/" MDEV_2 "'/>")},
      {"etc/libvirt/qemu/b.xml", "<domain>" TENANT(MDEV_1) "</domain>"}},
     false,
     {""},
     {""},
     NULL},
    {"a device that is not said",
     {{"etc/libvirt/qemu/a.xml", DOMAIN_XML(DOMAIN, HOSTDEV("?"))}},
     true,
     {""},
     {""},
     "/etc/libvirt/qemu/a.xml: line 5: a <hostdev> of a mediated device has no uuid"},
    {"damaged XML",
     {{"etc/libvirt/qemu/a.xml", "<domain><devices>" HOSTDEV(MDEV_1)}},
     true,
     {MDEV_1, ""},
     {""},
     "/etc/libvirt/qemu/a.xml: line 1: no element found"},
    {"XML that is a folder",
     {{"etc/libvirt/qemu/a.xml/x", ""}},
     true,
     {""},
     {""},
     "/etc/libvirt/qemu: a.xml: not a regular file"},
    {"a link to nowhere",
     {{"etc/libvirt/qemu/a.xml", NULL, "/nowhere/at/all"}},
     true,
     {""},
     {""},
     "/etc/libvirt/qemu: a.xml: No such file or directory"},
    {"mdevctl",
     {{"etc/mdevctl.d/0000:84:00.0/" MDEV_2, "{}"},
      {"etc/mdevctl.d/scripts.d/README", ""},
      {"etc/mdevctl.d/notes", ""}},
     false,
     {""},
     {MDEV_2, "", false, false, 0, true},
     NULL},
    {"a group that is open, and not the one that starts with its digits",
     {{"proc/77/fd/9", NULL, "/dev/vfio/12"},
      {"proc/77/fd/8", NULL, "/dev/vfio/vfio"},
      {"proc/self/fd/9", NULL, "/dev/vfio/1"}},
     false,
     {MDEV_1, "", false, true, 77},
     {""},
     NULL},
    {"a group that is open below another root, its node gone",
     {{"proc/77/fd/9", NULL, "/srv/guest/dev/vfio/1 (deleted)"}},
     false,
     {""},
     {MDEV_2, "", false, true, 77},
     NULL},
    {"a device that is open",
     {{"proc/77/fd/9", NULL, "/dev/vfio/devices/vfio3"}},
     false,
     {MDEV_1, "", false, true, 77},
     {""},
     NULL},
    {"a device whose group was closed: it may be any",
     {{"proc/77/fd/9", NULL, "anon_inode:[vfio-device]"}},
     false,
     {MDEV_1, "", false, true, 77},
     {MDEV_2, "", false, true, 77},
     NULL},
    {"a process whose first thread has ended",
     {{"proc/77/fd", NULL, NULL},
      {"proc/77/task/77/fd", NULL, NULL},
      {"proc/77/task/78/fd/9", NULL, "/dev/vfio/12"}},
     false,
     {MDEV_1, "", false, true, 77},
     {""},
     NULL},
    {"a container without the host's processes",
     {{"proc/1/ns/pid", NULL, "pid:[4026532768]"},
      {"proc/77/fd/9", NULL, "/dev/vfio/12"}},
     true,
     {MDEV_1, "", false, true, 77},
     {""},
     "/proc shows only the processes of a container (pid:[4026532768]): it needs the "
     "host's (docker and kolla: pid_mode host; Kubernetes: hostPID)"},
    {"a container with a libvirt folder of its own",
     {{"proc/1/root", NULL, "/proc"},
      {"etc/libvirt/qemu/a.xml", DOMAIN_XML(DOMAIN, HOSTDEV(MDEV_1))}},
     true,
     {MDEV_1, DOMAIN},
     {""},
     "/run/libvirt/qemu is only a container's own: it needs the host's folder, or the "
     "volume that libvirt's container has there"},
    {"a container whose libvirt folders are mounted",
     {{"proc/1/root", NULL, "/proc"},
      {"etc/libvirt/qemu", NULL, "/proc/self/fdinfo"},
      {"run/libvirt/qemu", NULL, "/proc/self/fdinfo"},
      {"etc/mdevctl.d", NULL, "/proc/self/ns"}},
     false,
     {""},
     {""},
     NULL},
    {"a guest with a device of its own",
     {{"proc/77/fd/9", NULL, "anon_inode:[vfio-device]"},
      {"proc/77/fd/8", NULL, "/dev/vfio/40"}},
     false,
     {""},
     {""},
     NULL},
};

static void expect_used(const struct use_case *c, const struct device_use *use,
                        const struct used_device *wanted, const char *uuid)
{
    const struct used_device *used = device_use_find(use, uuid);
    if (!used != !*wanted->address)
        fail_msg("%s: %s is %s", c->what, uuid, used ? "used" : "not used");
    if (used &&
        (strcmp(used->domain, wanted->domain) != 0 ||
         used->running != wanted->running || used->group_open != wanted->group_open ||
         used->holder != wanted->holder || used->defined != wanted->defined))
        fail_msg("%s: %s: domain \"%s\" running %d open %d by %d defined %d", c->what,
                 uuid, used->domain, used->running, used->group_open, used->holder,
                 used->defined);
}

/* Libvirt's folders, where the tree has none instead. */
static char *with_libvirt(char *tree)
{
    tree_folder(tree, USE_DEFINED);
    tree_folder(tree, USE_RUNNING);
    return tree;
}

static char *tree_of(const struct use_case *c)
{
    char *tree = tree_new();
    tree_proc(tree);
    tree_link(tree, "proc/1/fd/0", "/dev/null");
    size_t count = 0;
    while (count < MAX_ENTRIES && c->entries[count].path)
        count++;
    tree_fill(tree, c->entries, count);
    return with_libvirt(tree);
}

static void sees_who_uses_devices(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct use_case *c = &cases[i];
        char *tree = tree_of(c), *note = NULL;
        struct device_use *use = device_use_scan(PLACES(tree), &host, &note);
        if (use->unknown != c->unknown ||
            strcmp(note ? note : "", c->note ? c->note : "") != 0)
            fail_msg("%s: unknown %d, %s", c->what, use->unknown, note);
        expect_used(c, use, &c->first, MDEV_1);
        expect_used(c, use, &c->second, MDEV_2);
        /* The last look before a removal says the same. */
        struct error err = {0};
        int rc = device_check_unused(PLACES(tree), &devices[0], &err);
        if (rc != (*c->first.address || c->unknown ? -1 : 0) ||
            (rc && err.code != ERROR_BUSY))
            fail_msg("%s: %d %s", c->what, rc, err.text);
        device_use_free(use);
        free(note);
        tree_free(tree);
    }
}

/* A guest that has one function of a card has the card. */
static void a_function_stands_for_its_card(void **state)
{
    (void)state;
    static char audio[] = "0000:41:00.1";
    static char *functions[] = {audio};
    struct device card = {.address = "0000:41:00.0", .functions = {functions, 1}};
    char *tree = tree_new(), *note = NULL;
    tree_proc(tree);
    tree_write(tree, "etc/libvirt/qemu/a.xml",
               DOMAIN_XML(DOMAIN, PCI_HOSTDEV("0x41", "0x1")));
    tree_folder(tree, USE_RUNNING);
    const struct host one = {.strays = &card, .stray_count = 1};
    struct device_use *use = device_use_scan(PLACES(tree), &one, &note);
    assert_false(use->unknown);
    assert_string_equal(device_use_find(use, card.address)->domain, DOMAIN);
    struct error err = {0};
    assert_int_equal(device_check_unused(PLACES(tree), &card, &err), -1);
    assert_string_equal(err.text, "in use: the defined domain " DOMAIN " names it");
    device_use_free(use);
    free(note);
    tree_free(tree);
}

/* A look at the names alone is no look at the processes. */
static void places_have_users_as_well(void **state)
{
    (void)state;
    char *tree = tree_new(), *note = NULL;
    tree_proc(tree);
    tree_write(tree, "etc/libvirt/qemu/a.xml",
               DOMAIN_XML(DOMAIN, PCI_HOSTDEV("0x41", "0x1")));
    tree_folder(tree, USE_RUNNING);
    tree_link(tree, "proc/300/fd/4", "/dev/vfio/12");
    struct host *places = xcalloc(1, sizeof *places);
    struct gpu *found = host_add_gpu(places, "0000:41:00.0");
    struct parent *below = gpu_add_parent(found, "k", found->name);
    assert_false(host_has_places(places));
    struct device *card = parent_add_place(below, found->name);
    strlist_add(&card->functions, "0000:41:00.1");
    strlist_add(&card->nodes, "/dev/vfio/12");
    assert_true(host_has_places(places));
    for (int names = 0; names < 2; names++) {
        struct device_use *use = names ? device_use_scan_names(PLACES(tree), places)
                                       : device_use_scan(PLACES(tree), places, &note);
        assert_false(use->unknown);
        const struct used_device *used = device_use_find(use, "0000:41:00.0");
        assert_string_equal(used->domain, DOMAIN);
        assert_int_equal(used->holder, names ? 0 : 300);
        assert_int_equal(used_device_is_only(used, DOMAIN), names);
        assert_false(used_device_is_only(used, OTHER));
        _cleanup_free_ char *who = used_device_who(used);
        assert_string_equal(who, names ? "the defined domain " DOMAIN " names it"
                                       : "process 300 has it open");
        device_use_free(use);
    }
    host_free(places);
    free(note);
    tree_free(tree);
}

static void cannot_tell_without_all_processes(void **state)
{
    (void)state;
    static const struct {
        struct tree_entry entry;
        const char *note;
    } hidden[] = {
        {{"etc/x", ""}, "/proc does not show all processes"},
        {{"proc/77/fd/0", NULL, "/dev/null"}, "/proc does not show all processes"},
    };
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        char *tree = tree_new(), *note = NULL;
        tree_fill(tree, &hidden[i].entry, 1);
        struct device_use *use = device_use_scan(PLACES(tree), &host, &note);
        assert_true(use->unknown);
        assert_string_equal(note, hidden[i].note);
        struct error err = {0};
        assert_int_equal(device_check_unused(PLACES(tree), &devices[0], &err), -1);
        assert_int_equal(err.code, ERROR_BUSY);
        device_use_free(use);
        free(note);
        tree_free(tree);
    }
    struct device_use *use = device_use_scan(PLACES("/nowhere/at/all"), &host, NULL);
    assert_true(use->unknown);
    device_use_free(use);
}

static void an_absent_folder_of_libvirts_says_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *folder; /* that is there; NULL: none is */
        const char *defined, *running;
        bool before_libvirt;
        const char *note; /* NULL: it is known */
    } absent[] = {
        {USE_RUNNING, USE_DEFINED, USE_RUNNING, false,
         "/etc/libvirt/qemu is not there: libvirt has it elsewhere ([agent] "
         "libvirt_config_dir), or is not on this host ([agent] libvirt = false)"},
        {USE_DEFINED, USE_DEFINED, USE_RUNNING, false,
         "/run/libvirt/qemu is not there: libvirt has not run since the boot, libvirt "
         "has it elsewhere ([agent] libvirt_run_dir), or is not on this host ([agent] "
         "libvirt = false)"},
        {USE_DEFINED, USE_DEFINED, USE_RUNNING, true, NULL},
        {USE_RUNNING, USE_DEFINED, USE_RUNNING, true, "/etc/libvirt/qemu is not there"},
        {USE_RUNNING, "/nowhere/at/all", USE_RUNNING, false,
         "/nowhere/at/all is not there"},
        {NULL, NULL, NULL, false, NULL},
    };
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        char *tree = tree_new(), *note = NULL;
        tree_proc(tree);
        if (absent[i].folder)
            tree_folder(tree, absent[i].folder);
        const struct use_places places = {tree, absent[i].defined, absent[i].running,
                                          absent[i].before_libvirt};
        struct device_use *use = device_use_scan(&places, &host, &note);
        if (use->unknown != !!absent[i].note || !note != !absent[i].note ||
            (note && !strstr(note, absent[i].note)))
            fail_msg("case %zu: unknown %d, %s", i, use->unknown, note);
        struct error err = {0};
        assert_int_equal(device_check_unused(&places, &devices[0], &err),
                         absent[i].note ? -1 : 0);
        device_use_free(use);
        free(note);
        tree_free(tree);
    }
}

static void libvirts_folders_may_be_elsewhere(void **state)
{
    (void)state;
    char *tree = tree_new(), *volume = tree_new(), *note = NULL;
    tree_proc(tree);
    tree_folder(tree, USE_RUNNING);
    tree_write(volume, "a.xml", DOMAIN_XML(DOMAIN, HOSTDEV(MDEV_1)));
    const struct use_places places = {tree, volume, USE_RUNNING, false};
    struct device_use *use = device_use_scan(&places, &host, NULL);
    assert_false(use->unknown);
    assert_string_equal(device_use_find(use, MDEV_1)->domain, DOMAIN);
    device_use_free(use);
    tree_write(volume, "a.xml", "");
    use = device_use_scan(&places, &host, &note);
    assert_true(use->unknown);
    char *wanted = xasprintf("%s/a.xml: line 1: no element found", volume);
    assert_string_equal(note, wanted);
    free(wanted);
    free(note);
    device_use_free(use);
    tree_free(volume);
    tree_free(tree);
}

static void a_domain_may_name_what_was_lost(void **state)
{
    (void)state;
    static const struct host empty = {0};
    char *tree = with_libvirt(tree_new());
    tree_proc(tree);
    tree_write(tree, "etc/libvirt/qemu/a.xml", DOMAIN_XML(DOMAIN, HOSTDEV(MDEV_1)));
    struct device_use *use = device_use_scan(PLACES(tree), &empty, NULL);
    assert_false(use->unknown);
    assert_int_equal(use->count, 1);
    assert_string_equal(use->devices[0].address, MDEV_1);
    assert_string_equal(use->devices[0].domain, DOMAIN);
    device_use_free(use);
    tree_free(tree);
}

/* Of each domain that names a device one has to know: it is nobody else's. */
static void tells_of_all_domains(void **state)
{
    (void)state;
    static const struct tree_entry entries[] = {
        {"etc/libvirt/qemu/a.xml", DOMAIN_XML(OTHER, HOSTDEV(MDEV_1))},
        {"etc/libvirt/qemu/b.xml", DOMAIN_XML(MDEV_2, "")},
        {"run/libvirt/qemu/c.xml", DOMAIN_XML(DOMAIN, HOSTDEV(MDEV_1))}};
    char *tree = tree_new();
    tree_fill(tree, entries, sizeof entries / sizeof *entries);
    struct device_use *use = device_use_scan(PLACES(tree), &host, NULL);
    const struct used_device *used = device_use_find(use, MDEV_1);
    assert_string_equal(used->domain, DOMAIN);
    assert_int_equal(used->domains.count, 2);
    assert_true(strlist_contains(&used->domains, OTHER));
    assert_int_equal(use->domains.count, 3);
    assert_true(strlist_contains(&use->domains, MDEV_2));
    device_use_free(use);
    tree_free(tree);
}

/* What libvirt has said of its domains, beside its files. */
static struct domains view_of(bool complete)
{
    struct domains view = {.complete = complete};
    struct domain *guest = domains_add(&view, DOMAIN);
    guest->running = true;
    strlist_add(&guest->live, MDEV_1);
    strlist_add(&domains_add(&view, OTHER)->configured, MDEV_2);
    return view;
}

static void what_libvirt_says_counts_beside_its_files(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct tree_entry entry;
        bool complete;
        const char *note;  /* NULL: it is known */
        const char *first; /* the domain that has MDEV_1 */
    } views[] = {
        {"files without devices",
         {USE_DEFINED "/x.xml", "<domain/>"},
         false,
         NULL,
         DOMAIN},
        {"a file of another domain",
         {USE_DEFINED "/a.xml", DOMAIN_XML(OTHER, HOSTDEV(MDEV_1))},
         true,
         NULL,
         OTHER},
        {"no files, all seen", {"etc/x", ""}, true, NULL, DOMAIN},
        {"no files, not all seen", {"etc/x", ""}, false, "is not there", DOMAIN},
        {"a damaged file, all seen",
         {USE_DEFINED "/a.xml", "<domain>"},
         true,
         "a.xml: line 1",
         DOMAIN},
    };
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        char *tree = tree_new(), *note = NULL;
        tree_proc(tree);
        tree_fill(tree, &views[i].entry, 1);
        if (views[i].entry.path[4] == 'l')
            tree_folder(tree, USE_RUNNING);
        _cleanup_domains_ struct domains view = view_of(views[i].complete);
        const struct use_places places = {tree, USE_DEFINED, USE_RUNNING,
                                          .view = &view};
        struct device_use *use = device_use_scan(&places, &host, &note);
        if (use->unknown != !!views[i].note || !note != !views[i].note ||
            (note && !strstr(note, views[i].note)))
            fail_msg("%s: unknown %d, %s", views[i].what, use->unknown, note);
        const struct used_device *used = device_use_find(use, MDEV_1);
        assert_string_equal(used->domain, views[i].first);
        assert_true(strlist_contains(&used->domains, DOMAIN));
        assert_string_equal(device_use_find(use, MDEV_2)->domain, OTHER);
        struct error err = {0};
        assert_int_equal(device_check_unused(&places, &devices[0], &err), -1);
        assert_int_equal(err.code, ERROR_BUSY);
        device_use_free(use);
        free(note);
        tree_free(tree);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_domains),
        cmocka_unit_test(sees_who_uses_devices),
        cmocka_unit_test(a_function_stands_for_its_card),
        cmocka_unit_test(places_have_users_as_well),
        cmocka_unit_test(cannot_tell_without_all_processes),
        cmocka_unit_test(an_absent_folder_of_libvirts_says_nothing),
        cmocka_unit_test(libvirts_folders_may_be_elsewhere),
        cmocka_unit_test(a_domain_may_name_what_was_lost),
        cmocka_unit_test(tells_of_all_domains),
        cmocka_unit_test(what_libvirt_says_counts_beside_its_files),
    };
    return cmocka_run_group_tests_name("device_use", tests, NULL, NULL);
}
