/* config_load: whole files in, a struct config or the exact problems out. */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/config/config_test.h"
#include "tests/unit/test.h"

static void defaults_are_filled_in(void **state)
{
    (void)state;
    _cleanup_(config_freep) struct config *config = load_text("");
    assert_int_equal(config->agent.mode, MODE_OWNER);
    assert_int_equal(config->agent.sync_interval, 10);
    assert_int_equal(config->agent.release_grace, 300);
    assert_string_equal(config->agent.state_file, "/var/lib/vgpu-agent/state.json");
    assert_string_equal(config->agent.sysfs_root, "/sys");
    assert_string_equal(config->agent.host_root, "/");
    assert_true(config->agent.libvirt);
    assert_null(config->agent.libvirt_config_dir);
    assert_null(config->agent.libvirt_run_dir);
    assert_int_equal(config->agent.log_level, LOG_LEVEL_INFO);
    assert_null(config->agent.listen);
    assert_null(config->agent.attach);
    assert_string_equal(config->agent.libvirt_uri, "qemu:///system");
    assert_null(config->placement.auth_type);
    assert_int_equal(config->placement.valid_interfaces.count, 2);
    assert_int_equal(config->type_count, 0);
}

static void the_host_of_novas_guide(void **state)
{
    (void)state;
    _cleanup_(config_freep) struct config *config =
        load_text("[devices]\n"
                  "enabled_mdev_types = nvidia-35, nvidia-36\n"
                  "[mdev_nvidia-35]\n"
                  "device_addresses = 0000:84:00.0,0000:85:00.0\n"
                  "[mdev_nvidia-36]\n"
                  "device_addresses = 0000:86:00.0\n");
    assert_int_equal(config->type_count, 2);
    assert_string_equal(config->types[0].type, "nvidia-35");
    assert_int_equal(config->types[0].place.line, 2);
    assert_int_equal(config->types[0].device_addresses.count, 2);
    assert_string_equal(config->types[0].device_addresses.items[1], "0000:85:00.0");
    assert_int_equal(config->types[0].addresses_place.line, 4);
    assert_string_equal(config->types[0].mdev_class, "VGPU");
    assert_int_equal(config->types[0].max_instances, 0);
    assert_string_equal(config->types[1].device_addresses.items[0], "0000:86:00.0");
}

/* A compute node's file as deployments write it, with much that is not ours. */
static const char nova_conf[] =
    "[DEFAULT]\n"
    "# Managed by configuration management; edits are lost.\n"
    "my_ip = 10.20.0.31\n"
    "state_path = /var/lib/nova\n"
    "log_dir=/var/log/nova\n"
    "transport_url = "
    "rabbit://openstack:s3cr3t,:@10.20.0.11:5672,openstack:x@10.20.0.12\n"
    "enabled_apis = osapi_compute,metadata\n"
    "ram_allocation_ratio = 1.0\n"
    "\n"
    "[api]\n"
    "auth_strategy = keystone\n"
    "[api_database]\n"
    "connection = mysql+pymysql://nova:pa%20ss@10.20.0.10/nova_api?charset=utf8\n"
    "[cinder]\n"
    "catalog_info = volumev3::internalURL\n"
    "os_region_name = RegionOne\n"
    "[compute]\n"
    "max_concurrent_disk_ops = 4\n"
    "cpu_shared_set = 0-3,24-27\n"
    "[glance]\n"
    "api_servers = http://controller:9292\n"
    "[libvirt]\n"
    "virt_type = kvm\n"
    "cpu_mode = custom\n"
    "cpu_models = Cascadelake-Server,\n"
    "    Skylake-Server\n"
    "live_migration_uri = qemu+ssh://nova@%s/system?keyfile=/var/lib/nova/.ssh/id\n"
    "[neutron]\n"
    "metadata_proxy_shared_secret = \"a # b ; c\"\n"
    "service_metadata_proxy = true\n"
    "[oslo_concurrency]\n"
    "lock_path = $state_path/tmp\n"
    "[pci]\n"
    "device_spec = { \"vendor_id\":\"15b3\", \"product_id\":\"101e\",\n"
    "                \"physical_network\": \"phys1\" }\n"
    "alias = { \"vendor_id\":\"8086\", \"product_id\":\"37c8\", \"name\":\"qat\" }\n"
    "alias = { \"vendor_id\":\"10de\", \"product_id\":\"1db6\", \"name\":\"v100\" }\n"
    "[workarounds]\n"
    "enable_numa_live_migration=True\n"
    "[a_section_of_some_vendor_with_a_name_of_more_than_49_characters]\n"
    "driver: x\n"
    "[devices]\n"
    "enabled_mdev_types = nvidia-194,\n"
    "\tnvidia-195\n"
    "[mdev_nvidia-194]\n"
    "device_addresses = 0000:1A:00.0, 0000:1B:00.0, 0000:3d:00.0,\n"
    "                   0000:3e:00.0\n"
    "max_instances = 16\n"
    "[mdev_nvidia-195]\n"
    "device_addresses = 0000:88:00.0,0000:89:00.0\n"
    "mdev_class = CUSTOM_VGPU_BIG\n"
    "[placement]\n"
    "region_name = RegionOne\n"
    "project_domain_name = Default\n"
    "project_name = service\n"
    "auth_type = password\n"
    "user_domain_name = Default\n"
    "auth_url = http://controller:5000/v3\n"
    "username = placement\n"
    "password = 'pla: ce=ment'\n"
    "cafile = $state_path/ca.pem\n"
    "randomize_allocation_candidates = true\n"
    "[vnc]\n"
    "server_listen = 0.0.0.0\n"
    "server_proxyclient_address = $my_ip\n";

static void an_unchanged_nova_conf(void **state)
{
    (void)state;
    _cleanup_(config_freep) struct config *config = load_text(nova_conf);
    assert_int_equal(config->type_count, 2);
    const struct mdev_type_config *t = config->types;
    assert_string_equal(t[0].type, "nvidia-194");
    assert_int_equal(t[0].device_addresses.count, 4);
    assert_string_equal(t[0].device_addresses.items[0], "0000:1a:00.0");
    assert_string_equal(t[0].device_addresses.items[3], "0000:3e:00.0");
    assert_int_equal(t[0].max_instances, 16);
    assert_string_equal(t[1].mdev_class, "CUSTOM_VGPU_BIG");
    const struct placement_config *p = &config->placement;
    assert_string_equal(p->auth_url, "http://controller:5000/v3");
    assert_string_equal(p->password, "pla: ce=ment");
    assert_string_equal(p->cafile, "/var/lib/nova/ca.pem");
    assert_string_equal(p->region_name, "RegionOne");
    assert_string_equal(p->service_type, "placement");
    /* All is there but that file. */
    _cleanup_problems_ struct config_problems problems = {0};
    config_check_placement(config, &problems);
    assert_int_equal(problems.count, 1);
    assert_string_equal(
        problems.items[0].text,
        "placement.cafile: /var/lib/nova/ca.pem: No such file or directory");
}

static void add_file(struct strlist *files, const char *folder, const char *name,
                     const char *text)
{
    strlist_add_take(files, write_file(folder, name, text, strlen(text)));
}

static void later_files_win_and_folders_come_last(void **state)
{
    (void)state;
    char *folder = make_folder(), *other = make_folder();
    struct strlist files = {0}, dirs = {0}, unused = {0};
    add_file(&files, folder, "nova.conf", nova_conf);
    add_file(&files, folder, "mine.conf",
             "[agent]\nmode = nova\nsync_interval = 5\n"
             "[mdev_nvidia-194]\nmax_instances = 8\ntraits = CUSTOM_A\n");
    add_file(&unused, other, "20.conf", "[agent]\nsync_interval = 7\n");
    add_file(&unused, other, "10.conf", "[agent]\nsync_interval = 6\nlisten = 9190\n");
    strlist_add(&dirs, other);
    struct config *config = NULL;
    struct config_problems problems = {0};
    assert_int_equal(config_load(&files, &dirs, &config, &problems), 0);
    assert_int_equal(problems.count, 0);
    assert_int_equal(config->agent.mode, MODE_NOVA);
    assert_int_equal(config->agent.sync_interval, 7);
    assert_string_equal(config->agent.listen, "9190");
    assert_int_equal(config->types[0].max_instances, 8);
    assert_int_equal(config->types[0].device_addresses.count, 4);
    assert_string_equal(config->types[0].place.file, files.items[0]);
    config_free(config);
    remove_folder(folder);
    remove_folder(other);
    strlist_clear(&files), strlist_clear(&dirs), strlist_clear(&unused);
    free(folder), free(other);
}

/* Which file nova-compute reads shows in what else stands there; some distributions
 * name the driver in a file of its own. */
static void types_in_files_of_nova_compute(void **state)
{
    (void)state;
    static const char driver[] = "[DEFAULT]\ncompute_driver = libvirt.LibvirtDriver\n";
    static const char types[] = "[devices]\nenabled_mdev_types = nvidia-35\n";
    static const struct {
        const char *novas, *ours;
        int errors;
    } cases[] = {
        {"[libvirt]\nvirt_type = kvm\n[devices]\nenabled_mdev_types = nvidia-35\n",
         "[agent]\nmode = owner\n", 1},
        {"[libvirt]\nvirt_type = kvm\n[devices]\nenabled_vgpu_types = nvidia-35\n",
         types, 1},
        {"[libvirt]\nvirt_type = kvm\n[devices]\nenabled_mdev_types =\n", types, 0},
        {"[libvirt]\nvirt_type = kvm\n", types, 0},
        {"[libvirt]\nvirt_type = kvm\n[devices]\nenabled_mdev_types = nvidia-35\n",
         "[agent]\nmode = nova\n", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *folder = make_folder();
        struct strlist files = {0};
        _cleanup_problems_ struct config_problems problems = {0};
        add_file(&files, folder, "nova-compute.conf", driver);
        add_file(&files, folder, "nova.conf", cases[i].novas);
        add_file(&files, folder, "mine.conf", cases[i].ours);
        config_free(config_read(&files, &(struct strlist){0}, &problems));
        assert_int_equal(problems.count, cases[i].errors);
        if (cases[i].errors)
            assert_string_equal(problems.items[0].place.file, files.items[1]);
        remove_folder(folder);
        strlist_clear(&files);
        free(folder);
    }
}

/* As with oslo.config, values of all files count, under old names, too; the last of a
 * value that is no list. Elsewhere than in mode nova-pci these options are Nova's
 * alone. */
static void the_options_of_novas_pci(void **state)
{
    (void)state;
    static const char nova[] = "[pci]\n"
                               "device_spec = {\"address\": \"0000:41:00.4\",\n"
                               "   \"managed\": \"no\"}\n"
                               "passthrough_whitelist = [{\"address\": \":42:\"}]\n"
                               "alias = {\"name\": \"a\"}\n"
                               "report_in_placement = true\n";
    static const char ours[] = "[agent]\nmode = nova-pci\n"
                               "[pci]\ndevice_spec = {}\n"
                               "[filter_scheduler]\npci_in_placement = no\n"
                               "[devices]\nenabled_mdev_types = A-1Q, B-2Q\n"
                               "[mdev_A-1Q]\ndevice_addresses = 0000:41:00.0\n"
                               "live_migratable = yes\n"
                               "[mdev_B-2Q]\nmdev_class = CUSTOM_B\n";
    for (int pci = 1; pci >= 0; pci--) {
        char *folder = make_folder();
        struct strlist files = {0};
        _cleanup_problems_ struct config_problems problems = {0};
        add_file(&files, folder, "nova.conf", nova);
        add_file(&files, folder, "mine.conf", ours);
        if (!pci)
            add_file(&files, folder, "other.conf", "[agent]\nmode = nova\n");
        _cleanup_(config_freep) struct config *config =
            config_read(&files, &(struct strlist){0}, &problems);
        assert_int_equal(problems.count, 0);
        const struct nova_pci_config *read = &config->nova_pci;
        assert_int_equal(read->spec_count, pci ? 3 : 0);
        assert_int_equal(read->alias_count, pci ? 1 : 0);
        if (pci) {
            assert_string_equal(read->specs[1].text, "[{\"address\": \":42:\"}]");
            assert_int_equal(read->specs[1].place.line, 4);
            assert_string_equal(read->specs[2].place.file, files.items[1]);
            assert_true(read->report_in_placement);
            assert_true(read->scheduler_known && !read->pci_in_placement);
            assert_true(config->types[0].live_migratable);
            assert_false(config->types[0].class_set);
            assert_true(config->types[1].class_set);
            assert_int_equal(config->types[1].class_place.line, 13);
        }
        remove_folder(folder);
        strlist_clear(&files);
        free(folder);
    }
}

static void every_problem_at_once(void **state)
{
    (void)state;
    static const char text[] = "word\n"
                               "[agent]\n"
                               "mode = both\n"
                               "sync_interval = 0\n"
                               "release_grace = 5 minutes\n"
                               "state_file = state.json\n"
                               "listen = all:80\n"
                               "log-level = debug\n"
                               "[ devices ]\n"
                               "enabled_mdev_types = nvidia-35\n"
                               "[placement]\n"
                               "endpoint_override = localhost:8778\n"
                               "[mdev_nvidia-35]\n"
                               "max_instances = 0\n";
    static const char *const problems[] = {
        "a.conf:1: neither a [section], nor an option = value, nor a comment (# or ; "
        "in "
        "the first column)",
        "a.conf:3: agent.mode: 'both' is not accepted; expected one of owner, nova, "
        "nova-pci",
        "a.conf:4: agent.sync_interval: '0' is not accepted; expected a number of "
        "seconds "
        "from 1 to 86400",
        "a.conf:5: agent.release_grace: '5 minutes' is not accepted; expected a number "
        "of "
        "seconds from 0 to 604800",
        "a.conf:6: agent.state_file: 'state.json' is not accepted; expected an "
        "absolute "
        "path",
        "a.conf:7: agent.listen: 'all:80' is not accepted; expected HOST:PORT, "
        "[IPv6]:PORT "
        "or PORT",
        "a.conf:8: warning: agent.log-level: unknown option; did you mean log_level?",
        "a.conf:9: [ devices ]: not used; did you mean [devices]?",
        "a.conf:12: placement.endpoint_override: 'localhost:8778' is not accepted; "
        "expected http://HOST[:PORT][/PATH] or https://..., without user, query or "
        "%(name)s",
        NULL,
    };
    assert_problems(text, strlen(text), problems);
}

static void options_that_do_not_fit_together(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"[agent]\nmode = nova\ncreate_root = true\n",
         "a.conf:3: agent.create_root: true, but agent.mode is nova, where "
         "nova-compute "
         "makes the root; expected false"},
        {"[DEFAULT]\ncompute_driver = libvirt.LibvirtDriver\n"
         "[devices]\nenabled_mdev_types = nvidia-35\n[agent]\nmode = owner\n",
         "a.conf:4: devices.enabled_mdev_types: nova-compute reads this, too, and "
         "would "
         "keep the same GPUs, while agent.mode is owner; expected agent.mode = nova, "
         "or "
         "the types in a file of the agent's own"},
        {"[DEFAULT]\ncompute_driver = libvirt.LibvirtDriver\n"
         "[agent]\ncreate_root = true\n",
         "a.conf:4: agent.create_root: true, but these are files of a host with "
         "nova-compute ([DEFAULT] compute_driver), which makes the root and could "
         "never "
         "register beside another; expected false"},
        {"[agent]\nlibvirt = false\nmode = nova\n",
         "a.conf:2: agent.libvirt: false, but agent.mode is nova, where libvirt's "
         "domains say which devices are to be put back; expected true"},
        {"[agent]\nlibvirt = false\nmode = nova-pci\n",
         "a.conf:2: agent.libvirt: false, but agent.mode is nova-pci, where libvirt's "
         "domains say which devices guests have; expected true"},
        {"[DEFAULT]\ncompute_driver = libvirt.LibvirtDriver\n"
         "[devices]\nenabled_mdev_types = nvidia-35\n[agent]\nmode = nova-pci\n",
         "a.conf:4: devices.enabled_mdev_types: nova-compute reads this, too, and "
         "would look for mediated devices, while agent.mode is nova-pci; expected the "
         "types in a file of the agent's own"},
        {"[agent]\nlibvirt = false\nattach = libvirt\n",
         "a.conf:3: agent.attach: libvirt, but agent.libvirt is false: there is no "
         "libvirt on this host; expected attach = none, or libvirt = true"},
        {"[agent]\nattach = always\n", "a.conf:2: agent.attach: 'always' is not "
                                       "accepted; expected one of libvirt, none"},
        {"[devices]\nenabled_mdev_types = nvidia-35\n[agent]\nmode = nova-pci\n"
         "[mdev_nvidia-35]\nmdev_class = VGPU\n",
         "a.conf:6: warning: mdev_nvidia-35.mdev_class: VGPU, so that a flavor with "
         "resources:VGPU=1 is sent to this host, where Nova gives it nothing; expected "
         "a class of its own in mode nova-pci"},
        {"[agents]\nmode = nova\n",
         "a.conf:1: warning: [agents]: not used; did you mean [agent]?"},
        {"[devices]\nenabled_mdev_types = nvidia-35\n[ mdev_nvidia-35 ]\n",
         "a.conf:3: [ mdev_nvidia-35 ]: not used; did you mean "
         "[mdev_nvidia-35]?"},
        {"[devices]\nenabled_mdev_types = nvidia-35\n[mdev-nvidia-35]\n",
         "a.conf:3: [mdev-nvidia-35]: not used; did you mean "
         "[mdev_nvidia-35]?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_problems(cases[i].text, strlen(cases[i].text),
                        (const char *const[]){cases[i].problem, NULL});
}

/* Random lines of what may stand in a file: it loads or says why; the sanitizers look
 * on for the rest. */
static void any_lines(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "[agent]",
        "[devices]",
        "[mdev_nvidia-35]",
        "[vgpu_nvidia-36]",
        "[placement]",
        "[ agent ]",
        "enabled_mdev_types = nvidia-35, nvidia-36, x",
        "enabled_vgpu_types = nvidia-36,",
        "device_addresses = 0000:84:00.0, 0000:85:00.0",
        "device_addresses = 0000:84:00.0, bad:",
        "  , 0000:86:00.0",
        "max_instances = 0",
        "max_instances = 3",
        "mdev_class = CUSTOM_X",
        "traits = CUSTOM_A,,CUSTOM_B",
        "mode = nova",
        "mode = $auth_type",
        "auth_type = none",
        "auth-url = http://h/$mode",
        "token = $token",
        "sync_interval = 1e9",
        "",
        "# x",
        "x",
    };
    srandom(11);
    for (int round = 0; round < 300; round++) {
        char *text = NULL;
        size_t length;
        FILE *file = open_memstream(&text, &length);
        for (long n = random() % 20; n > 0; n--)
            fprintf(file, "%s\n",
                    lines[(size_t)random() % (sizeof lines / sizeof *lines)]);
        fclose(file);
        struct config *config = NULL;
        struct strlist problems = {0};
        int rc = load(text, length, &config, &problems);
        assert_true((rc == 0) == (config != NULL));
        assert_true(rc == 0 || problems.count > 0);
        strlist_clear(&problems);
        config_free(config);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(the_host_of_novas_guide),
        cmocka_unit_test(an_unchanged_nova_conf),
        cmocka_unit_test(later_files_win_and_folders_come_last),
        cmocka_unit_test(types_in_files_of_nova_compute),
        cmocka_unit_test(the_options_of_novas_pci),
        cmocka_unit_test(every_problem_at_once),
        cmocka_unit_test(options_that_do_not_fit_together),
        cmocka_unit_test(any_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
