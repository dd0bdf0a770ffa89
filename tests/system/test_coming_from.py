"""doc/coming-from.rst: each command in it does its work, and each option in it exists."""
import re

from support.fleet import FleetTest
from support.host import load_description
from support.process import TOP, program, run, wait_for

A = "0000:84:00.0"
TEXT = (TOP / "doc/coming-from.rst").read_text()
# The right column of the tables, whose cells can break a command into two lines.
RIGHT = " ".join(line[59:].strip() for line in TEXT.splitlines() if line[57:59] == "  ")
COMMANDS = sorted(set(re.findall(r"``vgpu-agent ([^`]+)``", RIGHT)))
# What else than 0 a command may end with on a host that is well.
OTHER_STATUS = {"preflight": (0, 1)}  # a simulated host lacks a real one's modules


class ComingFrom(FleetTest):
    def test_the_commands(self):
        self.build_guide()
        self.agent.start()
        wait_for(lambda: " starts" in self.agent.daemon.output(), "the daemon")
        self.agent.settle()
        server = self.allocate(A)
        self.agent.run("reload")
        wait_for(self.host.mdevs, "the device")
        tried = set()
        for words in COMMANDS:
            words = words.replace("SERVER", server).split()
            verb = [word for word in words if not word.startswith("-")][0]
            if verb in ("help", "nova-config", "restore", "create") or {"DEVICE", "TYPE"} & set(words):  # the next tests
                continue
            tried.add(verb)
            done = self.agent.try_to(*words)
            self.assertIn(done.returncode, OTHER_STATUS.get(verb, (0,)), f"{words}\n{done.stdout}{done.stderr}")
            self.assertTrue(done.stdout, words)
        self.assertLessEqual({"allocations", "check-config", "devices", "drain", "gpus", "plan", "preflight", "prune",
                              "qemu-args", "reload", "tree", "types", "undrain", "xml"}, tried)
        self.assertEqual(list(self.agent.state_file.parent.glob("*.drained.*")), [])

    def test_restore(self):
        self.build_guide()
        self.agent.run("sync")
        self.allocate(A)
        self.agent.run("sync")
        devices = self.host.mdevs()
        self.host.reboot()
        self.assertEqual(self.host.mdevs(), {})
        self.agent.run("restore")
        self.assertEqual(self.host.mdevs(), devices)

    def test_by_hand(self):
        self.build_guide()
        self.agent.run("sync")
        device = self.agent.run("create", "--type", "nvidia-35").strip()
        self.assertIn("<hostdev", self.agent.run("xml", device))
        self.agent.run("remove", device)
        self.assertEqual(self.host.mdevs(), {})

    def test_types_at_run_time(self):
        self.build("nova-guide", {"devices": {"enabled_mdev_types": "nvidia-35"},
                                  "mdev_nvidia-35": {"device_addresses": [A]}})
        self.agent.start()
        self.agent.settle()
        self.agent.run("enable", "nvidia-41", A)
        self.agent.run("disable", "nvidia-41", A)

    def test_nova_config(self):
        description = load_description("vendor-vfio")
        self.build(description, {"devices": {"enabled_mdev_types": "nvidia-1147"},
                                 "mdev_nvidia-1147": {"device_addresses": "0000:41:00.0"}},
                   create_root="false", mode="nova-pci")
        self.placement.create_provider(self.root_name, "6f3a5c7e-8f2b-4d62-9b0d-0f6b8f6f1d11")
        self.assertIn("device_spec", self.agent.run("nova-config"))

    def test_what_is_named_exists(self):
        help_text = run([program("vgpu-agent"), "--help"]).stdout
        self.assertGreater(len(COMMANDS), 20)
        for verb in {words.replace("--wide ", "").split()[0] for words in COMMANDS}:
            self.assertRegex(help_text, rf"(?m)^  {verb}\b")
        for option in ("enabled_mdev_types", "device_addresses", "allocation", "passthrough_addresses", "vgpu_params", "max_unit", "traits"):
            self.assertIn(option, TEXT)
            self.assertIn(option, help_text)
