"""What commands show where not all can be seen, and in every format."""
import json
import os

from support import wait_for
from support.fleet import FleetTest, device_uuid, new_uuid

A, B, C = "0000:84:00.0", "0000:85:00.0", "0000:86:00.0"


class NotKnown(FleetTest):
    relayed = True

    def setUp(self):
        super().setUp()
        self.build_guide()
        self.agent.run("sync")
        self.server = self.allocate(A)
        self.agent.run("sync")

    def assert_not_known(self, status, text):
        self.assertEqual((status["changes"], set(status["allocations"].values())), (None, {None}))
        self.assertEqual([(r["service"], r["total"], r["used"], r["reserved"]) for r in status["gpus"]],
                         [(None,) * 4] * 3)
        self.assertRegex(text, r"(?m)^allocations +not known$")
        self.assertRegex(text, r"(?m)^changes +not known$")
        self.assertRegex(text, r"(?m)^84:00.0 +nvidia-35 .* ok +- +- +-$")

    def test_is_null_where_placement_cannot_be_read(self):
        self.relay.rule = lambda request: (503, [], b"away")
        self.assert_not_known(self.agent.json("status", status=1), self.agent.run("status", status=1))
        self.assertIsNone(self.agent.json("drain", B, status=1)["used"])
        self.assertIsNone(self.agent.json("status", status=1)["daemon_silent_seconds"])

    def test_is_null_under_another_root(self):
        short = self.root_name.partition(".")[0]
        self.agent.configure({"agent": {**self.options, "root_provider_name": short}, **self.types})
        self.assert_not_known(self.agent.json("status", status=1), self.agent.run("status", status=1))
        # Neither does anybody say that nobody has anything, or that something is done.
        for words in (["allocations"], ["xml", self.server], ["qemu-args", self.server], ["prune"]):
            done = self.agent.try_to(*words)
            self.assertEqual((done.returncode, done.stdout), (1, ""), words)
            self.assertIn("adopt-root", done.stderr)
        drained = self.agent.json("drain", A, status=1)
        self.assertEqual((drained["done"], drained["used"]), (False, None))
        self.assertIn("adopt-root", drained["pending"])

    def test_devices_of_a_card_whose_files_cannot_be_read(self):
        self.host.control(f"unreadable */{A}/*/available_instances")
        rows = {row["gpu"]: row["devices"] for row in self.agent.json("gpus")}
        self.assertEqual((rows[A], rows[B]), (None, 0))


class Formats(FleetTest):
    def setUp(self):
        super().setUp()
        self.build_guide()
        self.agent.run("sync")

    def test_a_guests_devices_as_json(self):
        server = self.allocate(A, 2)
        self.agent.run("sync")
        devices = sorted(device_uuid(self.child(A), server, index) for index in range(2))
        rows = self.agent.json("xml", server)
        self.assertEqual([(r["uuid"], r["device_api"]) for r in rows], [(d, "vfio-pci") for d in devices])
        self.assertEqual("".join(r["xml"] + "\n" for r in rows), self.agent.run("xml", server))
        self.assertEqual(self.agent.json("qemu-args", server), [
            {"uuid": d, "device_api": "vfio-pci",
             "arguments": ["-device", f"vfio-pci,sysfsdev=/sys/bus/mdev/devices/{d}"]} for d in devices])

    def test_wide_before_and_after_the_command(self):
        server = self.allocate(A)
        self.agent.run("sync")
        (device,) = self.host.mdevs()
        usual = self.agent.run("allocations")
        self.assertNotIn(device, usual)
        self.assertIn(f"{server}  84:00.0  VGPU   1      1        ready\n", usual)
        for words in (["-w", "allocations"], ["allocations", "--wide"], ["allocations", "-w", "-f", "table"]):
            wide = self.agent.run(*words)
            self.assertIn(device, wide)
            self.assertIn(f"{self.root_name}_pci_0000_84_00_0", wide)
        for words in (["-w", "-f", "json", "allocations"], ["-f", "json", "allocations", "-w"]):
            self.assertEqual(json.loads(self.agent.run(*words))[0]["mdevs"], [device])
        done = self.agent.try_to("allocations", "--wide=yes")
        self.assertEqual((done.returncode, done.stdout), (os.EX_USAGE, ""))
