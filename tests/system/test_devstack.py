"""The DevStack plugin, phase by phase: with DevStack's own functions where DEVSTACK_SOURCE names a copy of them, and with
stand-ins. The files that it writes start the real daemon."""
import json
import pathlib
import re
import subprocess
import unittest

from support.case import SystemTest
from support.devstack import SOURCE, Node
from support.host import fuse_missing
from support.keystone import Keystone
from support.placement import Placement
from support.process import BUILD, TOP, Process, program, run, wait_for

ROOT_UUID = "7b0f4c53-6bd5-4a0d-9e7c-51b1a5b3a111"
ALL = ("stack pre-install", "stack install", "stack post-config", "stack extra", "stack test-config")


class PluginTest(SystemTest):
    source = None

    def setUp(self):
        super().setUp()
        if self.__class__.__name__.endswith("OfDevStack"):
            if not SOURCE:
                self.skipTest("DEVSTACK_SOURCE names no copy of openstack/devstack")
            self.source = SOURCE

    def start_node(self, **more):
        node = Node(self.subdirectory("node"), self.source, **more)
        self.addCleanup(self.end, node)
        return node


class Written:
    """What stands in the files after post-config."""

    def test_names_with_blanks(self):
        node = self.start_node()
        node.localrc = ('VGPU_AGENT_TYPES=("GRID V100DX-1Q = 0000:84:00.0,0000:85:00.0; max_instances=4; traits=CUSTOM_GOLD"\n'
                        '  "nvidia-36")\nVGPU_AGENT_MAX_INSTANCES=8\n')
        node.run("stack pre-install", "stack post-config", "stack post-config")
        options = node.options(node.conf)
        self.assertEqual(options["devices"]["enabled_mdev_types"], "GRID V100DX-1Q, nvidia-36")
        self.assertEqual(dict(options["mdev_GRID V100DX-1Q"]), {
            "mdev_class": "VGPU", "device_addresses": "0000:84:00.0,0000:85:00.0", "max_instances": "4",
            "traits": "CUSTOM_GOLD"})
        self.assertEqual(dict(options["mdev_nvidia-36"]), {"mdev_class": "VGPU", "max_instances": "8"})
        self.assertEqual(options["agent"]["mode"], "owner")
        self.assertNotIn("devices", node.options(node.nova_conf))
        self.assertEqual(node.conf.stat().st_mode & 0o777, 0o600)

    def test_nova_mode_gives_types_to_nova(self):
        node = self.start_node(VIRT_DRIVER="libvirt", VGPU_AGENT_MODE="nova", VGPU_AGENT_TRAITS="CUSTOM_GOLD")
        node.localrc = 'VGPU_AGENT_TYPES=("nvidia-35=0000:84:00.0")\n'
        node.run("stack pre-install", "stack post-config", "stack post-config")
        self.assertNotIn("devices", node.options(node.conf))
        options = node.options(node.nova_conf)
        self.assertEqual(options["devices"]["enabled_mdev_types"], "nvidia-35")
        self.assertEqual(dict(options["mdev_nvidia-35"]), {
            "device_addresses": "0000:84:00.0", "mdev_class": "VGPU", "traits": "CUSTOM_GOLD"})

    def test_the_agent_takes_what_is_written(self):
        for mode in ("owner", "nova", "nova-pci"):
            with self.subTest(mode):
                node = self.start_node(VIRT_DRIVER="libvirt", VGPU_AGENT_MODE=mode)
                node.localrc = 'VGPU_AGENT_TYPES=("nvidia-35=0000:84:00.0; max_instances=4")\n'
                node.run("stack pre-install", "stack post-config")
                node.nova_cpu_conf.write_text(node.nova_conf.read_text())
                done = run([program("vgpu-agent"), "--config-file", str(node.nova_cpu_conf), "--config-file",
                            str(node.conf), "--sysfs-root", str(node.directory), "check-config"])
                # The host has no such GPU; everything else must be right.
                wrong = [line for line in (done.stdout + done.stderr).splitlines()
                         if re.search(r"\.conf:[0-9]+", line) and "0000:84" not in line and "offers" not in line]
                self.assertEqual(wrong, [])

    def test_whether_guests_are_given_their_devices(self):
        for variables, attach in (({"VIRT_DRIVER": "libvirt"}, "libvirt"), ({}, "none"),
                                  ({"VIRT_DRIVER": "libvirt", "VGPU_AGENT_MODE": "nova"}, "none"),
                                  ({"VIRT_DRIVER": "libvirt", "VGPU_AGENT_MODE": "nova", "VGPU_AGENT_ATTACH": "libvirt"}, "libvirt"),
                                  ({"VIRT_DRIVER": "libvirt", "VGPU_AGENT_SIMULATE": "True"}, "none")):
            with self.subTest(variables):
                node = self.start_node(**variables)
                node.run("stack install", "stack post-config")
                self.assertEqual(node.options(node.conf)["agent"]["attach"], attach)
                has_program = (BUILD / "vgpu-agent-libvirt").exists()
                self.assertEqual(node.installed("libexec/vgpu-agent/vgpu-agent-libvirt"), has_program and attach == "libvirt")
                for line in node.asked("make "):
                    self.assertIn(f"LIBVIRT={'yes' if attach == 'libvirt' else 'no'}", line)

    def test_mistakes_are_told_at_once(self):
        for localrc, words in (("VGPU_AGENT_MODE=both", "owner, nova or nova-pci"),
                               ("VGPU_AGENT_MODE=nova", "not of VIRT_DRIVER=fake"),
                               ("VGPU_AGENT_ATTACH=yes", "libvirt or none"),
                               ('VGPU_AGENT_TYPES="nvidia-35, nvidia-36"', "one type an entry"),
                               ('VGPU_AGENT_TYPES=("=0000:84:00.0")', "one type an entry"),
                               ('VGPU_AGENT_ADDRESSES="nvidia-35=0000:84:00.0"', "stand in VGPU_AGENT_TYPES"),
                               ('VIRT_DRIVER=libvirt VGPU_AGENT_MODE=nova VGPU_AGENT_TYPES=("GRID V100DX-1Q")', "types by their ids")):
            with self.subTest(localrc):
                node = self.start_node()
                node.localrc = localrc + "\n"
                done = node.try_to("stack pre-install", "stack install")
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(words, done.stdout + done.stderr)
                self.assertEqual(node.asked("make"), [])

    def test_a_controller_has_user_and_flavor_alone(self):
        node = self.start_node(services="keystone,n-api", VGPU_AGENT_TRAITS="CUSTOM_GOLD,CUSTOM_QUIET")
        node.run(*ALL, *ALL, "unstack", "clean")
        self.assertTrue(node.asked("user create vgpu-agent"))
        self.assertEqual(len(node.asked("flavor create")), 1)
        for asked in ("resources:VGPU=1", "trait:CUSTOM_GOLD=required", "trait:CUSTOM_QUIET=required"):
            self.assertIn(f"--property={asked}", node.asked("flavor set")[-1])
        self.assertEqual(node.asked("make"), [])
        self.assertFalse(node.conf.exists())

    def test_nothing_where_it_is_disabled(self):
        node = self.start_node()
        node.localrc = "is_service_enabled() { return 1; }\n"
        node.run(*ALL, "unstack", "clean")
        self.assertEqual(node.log.read_text(), "")


class Running:
    """All phases, with simulated GPUs, before a placementd that asks a Keystone."""

    def setUp(self):
        super().setUp()
        missing = fuse_missing()
        if missing:
            self.skipTest(missing)
        self.keystone = Keystone()
        self.addCleanup(self.keystone.stop)
        self.keystone.users = {"admin": (["admin"], 3600), **{f"own-{i}": (["admin"], 3600) for i in range(100)}}
        folder = self.subdirectory("placement")
        (folder / "placementd.conf").write_text(self.keystone.configuration())
        process = Process([program("placementd"), "--listen", "127.0.0.1:0", "--database", str(folder / "db"),
                           "--config-file", str(folder / "placementd.conf")], folder / "placementd.log")
        self.addCleanup(self.end, process)
        address = re.search(r"127\.0\.0\.1:[0-9]+", process.wait_for_output("listening on 127.0.0.1:")).group()
        self.placement = Placement(f"http://{address}", "admin")
        self.placement.create_provider("compute1", ROOT_UUID)

    def start_node(self, **more):
        return super().start_node(services="keystone,n-api,n-cpu", placement=self.placement.url, VGPU_AGENT_SIMULATE="True",
                                  KEYSTONE_SERVICE_URI=self.keystone.url, **more)

    def children(self):
        return [p for p in self.placement.get(f"/resource_providers?in_tree={ROOT_UUID}")["resource_providers"]
                if p["uuid"] != ROOT_UUID]

    def test_every_phase_and_again(self):
        node = self.start_node(VGPU_AGENT_TRAITS="CUSTOM_GOLD", VGPU_AGENT_MAX_INSTANCES="3")
        for _ in range(2):
            node.run(*ALL)
            self.assertTrue(node.systemd.runs("devstack@vgpu-agent.service"))
            self.assertEqual(len(self.children()), 3)
            for child in self.children():
                path = f"/resource_providers/{child['uuid']}"
                self.assertEqual(self.placement.get(f"{path}/inventories")["inventories"]["VGPU"]["total"], 3)
                self.assertIn("CUSTOM_GOLD", self.placement.get(f"{path}/traits")["traits"])
        node.run("unstack", "unstack")
        self.assertEqual(node.systemd.running, {})
        self.assertEqual(node.systemd.enabled, set())
        node.run("stack extra", "clean", "clean")
        self.assertFalse(node.conf.parent.exists())
        self.assertFalse((node.directory / "vgpu-agent").exists())
        self.assertFalse(node.installed("sbin/vgpu-agent"))

    def test_a_server_of_the_flavor_gets_its_device(self):
        node = self.start_node(VGPU_AGENT_TRAITS="CUSTOM_GOLD", VGPU_AGENT_SYNC_INTERVAL="1")
        node.run(*ALL)
        asked = dict(re.findall(r"--property=(\w+:\w+)=(\w+)", node.asked("flavor set")[-1]))
        self.assertEqual(asked, {"resources:VGPU": "1", "trait:CUSTOM_GOLD": "required"})
        found = self.placement.get("/allocation_candidates?resources=VGPU:1&required=CUSTOM_GOLD")["allocation_requests"]
        consumer = "3f6a5a64-4a0c-4a39-9a77-1f3f5b1d0001"
        self.placement.expect(204, "PUT", f"/allocations/{consumer}", {
            "allocations": found[0]["allocations"], "project_id": "p", "user_id": "u", "consumer_generation": None,
            "consumer_type": "INSTANCE"})
        devices = pathlib.Path(node.directory / "vgpu-agent/sysfs/bus/mdev/devices")
        wait_for(lambda: devices.exists() and len(list(devices.iterdir())) == 1, "the server's device")

    def test_nova_pci_tells_nova_of_the_cut(self):
        node = self.start_node(VIRT_DRIVER="libvirt", VGPU_AGENT_MODE="nova-pci")
        (node.directory / "nova").mkdir()
        (node.directory / "nova/compute_id").write_text(ROOT_UUID)
        node.localrc = 'VGPU_AGENT_TYPES=("NVIDIA L40S-12Q=0000:41:00.0; max_instances=2")\n'
        before_config = ("stack pre-install", "stack install", "stack post-config", "stack extra")
        node.run(*before_config)
        node.run("stack extra")
        specs = [json.loads(line.partition(" = ")[2]) for line in node.nova_cpu_conf.read_text().splitlines()
                 if line.startswith("device_spec = ")]
        self.assertEqual(len(specs), 2)
        for file in (node.nova_conf, node.nova_cpu_conf):
            aliases = [line for line in file.read_text().splitlines() if line.startswith("alias = ")]
            self.assertEqual(len(aliases), 1, file)
        name = json.loads(aliases[0].partition(" = ")[2])["name"]
        self.assertIn(f"--property=pci_passthrough:alias={name}:1", node.asked("flavor set")[-1])
        self.assertIn(["restart", "devstack@n-cpu.service"], node.systemd.asked)


class WrittenWithStandIns(Written, PluginTest):
    pass


class WrittenWithFunctionsOfDevStack(Written, PluginTest):
    pass


class RunningWithStandIns(Running, PluginTest):
    pass


class RunningWithFunctionsOfDevStack(Running, PluginTest):
    pass


class Packages(SystemTest):
    def test_all_that_the_build_needs(self):
        """files/ has what `make` would miss."""
        asked = subprocess.run(["make", "-s", "-C", str(TOP), "--eval=needs:;@echo $(NEEDS_build)", "needs", "LIBVIRT=yes"],
                               capture_output=True, text=True, check=True)
        needs = [need.split(":") for need in asked.stdout.split()]
        for folder, column in (("debs", 2), ("rpms", 3)):
            text = (TOP / "devstack/files" / folder / "vgpu-agent").read_text()
            packages = {line.partition("#")[0].strip() for line in text.splitlines()}
            self.assertEqual(packages, {need[column] for need in needs} | {"make"}, folder)


if __name__ == "__main__":
    unittest.main()
