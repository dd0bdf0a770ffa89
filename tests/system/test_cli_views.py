"""What commands show where not all can be seen, and in every format."""
import json
import os

from support import wait_for
from support.fleet import FleetTest, device_uuid

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


class SickCards(FleetTest):
    def test_what_they_could_still_make(self):
        self.build_guide()
        self.host.control(f"lose {A}")
        left = {(row["gpu"], row["type"]): row["available_instances"] for row in self.agent.json("types")}
        self.assertEqual([left[gpu, "nvidia-35"] for gpu in (A, B)], [None, 16])
        text = self.agent.run("types")
        self.assertIn("4 GPUs: 84:00.0 (lost), 85:00.0, 86:00.0, 87:00.0\n", text)
        self.assertRegex(text, r"(?m)^nvidia-35 +GRID M10-0B +48 +16 ")
        self.assertRegex(self.agent.run("types", "84:00.0"), r"(?m)^nvidia-35 +GRID M10-0B +- +16 ")

    def test_those_without_types_are_named(self):
        self.build_guide()
        self.host.control("unbind 0000:87:00.0")
        self.host.control(f"unreadable */{B}/*/available_instances")
        text = self.agent.run("types")
        self.assertIn("2 GPUs: 84:00.0, 86:00.0\n", text)
        self.assertRegex(" ".join(text.split()), rf"{B} is unreadable: \S+/available_instances: Input/output error")
        self.assertTrue(text.endswith("\n\nwithout types, as `vgpu-agent gpus` says why: 87:00.0\n"), text)
        self.assertEqual(" ".join(self.agent.run("types", "87:00.0").split()),
                         "0000:87:00.0 offers no types: no driver is bound to it: bind the vendor's driver to it")

    def test_a_host_without_cards(self):
        host = self.start_host({"models": {}, "cards": []})
        agent = self.make_agent(host, None, {})
        self.assertEqual((agent.json("gpus"), agent.json("types")), ([], []))
        for command in ("gpus", "types"):
            said = " ".join(agent.run(command).split())
            self.assertRegex(said, r"^no GPU is on this host: \S+ has neither a display-class PCI device nor one "
                                   r"with mdev_supported_types .* is the vendor's driver for hosts of virtual "
                                   r"GPUs loaded\?$")

    def test_nothing_is_enabled(self):
        agent = self.make_agent(self.start_host("nova-guide"), None, {})
        self.assertIn("no type is enabled, so that no virtual GPU is made of 0000:84:00.0,\n", agent.run("gpus"))


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
        self.assertEqual("\n".join(r["xml"] for r in rows).split(),
                         self.agent.run("xml", server).removeprefix("<devices>").removesuffix("</devices>\n").split())
        rows = self.agent.json("qemu-args", server)
        self.assertEqual([(r["uuid"], r["device_api"]) for r in rows], [(d, "vfio-pci") for d in devices])
        # Those of all devices, one after the other, are what is printed for people.
        arguments = [a for r in rows for a in r["arguments"]]
        self.assertEqual(arguments, ["-uuid", server] + [
            a for d in devices for a in ("-device", f"vfio-pci,sysfsdev=/sys/bus/mdev/devices/{d}")])
        self.assertEqual(self.agent.run("qemu-args", server).split(), arguments)

    def test_in_nova_mode_nobody_waits_for_the_agent(self):
        server = self.allocate(A)
        self.agent.configure({"agent": {**self.options, "mode": "nova", "create_root": "false"}, **self.types})
        done = self.agent.try_to("xml", server)
        self.assertEqual((done.returncode, done.stdout), (os.EX_TEMPFAIL, ""))
        self.assertRegex(done.stderr, "its devices are not all there yet: nova-compute makes its device\n$")

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


class Reasons(FleetTest):
    def setUp(self):
        super().setUp()
        self.build_guide(release_grace=3600)
        self.agent.run("sync")

    def test_of_each_change_and_of_what_waits(self):
        server, gone = self.allocate(A, 3), self.allocate(C, 6)
        rows = {row["consumer"]: row for row in self.agent.json("allocations")}
        # What is not there is not named.
        self.assertEqual([(rows[s]["state"], rows[s]["mdevs"], rows[s]["reason"]) for s in (server, gone)],
                         [("pending", [], "3 devices are to be made for it"),
                          ("pending", [], "6 devices are to be made for it")])
        plan = self.agent.json("plan", status=2)
        self.assertEqual({step["reason"] for step in plan["steps"]},
                         {"3 of VGPU are allocated, with 0 devices", "6 of VGPU are allocated, with 0 devices"})
        self.assertEqual(plan["problems"], [])
        self.agent.run("sync")
        self.placement.deallocate(gone)
        text = self.agent.run("plan", status=2)
        self.assertEqual(text.count(f"  nvidia-36 for consumer {gone}: its allocation is\n"
                                    "  gone, and release_grace (3600 s) begins\n"), 6, text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80, text)
        self.agent.run("sync")
        # Its devices are one row, and one of the sums.
        (row,) = [row for row in self.agent.json("allocations") if row["consumer"] == gone]
        self.assertEqual((row["state"], row["units"], len(row["mdevs"]), row["reason"]),
                         ("releasing", 0, 6, "the grace period runs"))
        self.assertRegex(self.agent.run("status", status=1), r"(?m)^allocations +1 ready, 1 releasing$")
        self.assertEqual(self.agent.json("status", status=1)["allocations"]["releasing"], 1)

    def test_that_making_it_fails(self):
        self.agent.start()
        self.host.control(f"fail create EIO every on {A}")
        server = self.allocate(A)
        wait_for(lambda: self.agent.json("allocations")[0]["reason"] ==
                 "1 device is to be made for it; on this GPU the daemon failed: making a nvidia-35 on "
                 f"{A}: Input/output error", "what the daemon says")
        self.host.control("clear")
        wait_for(lambda: self.states() == {server: ["ready"]}, "the device")

    def test_that_an_operator_changed_it(self):
        self.placement.set_inventories(self.child(A), {"VGPU": {"total": 3}})
        text = self.agent.run("plan", status=2)
        self.assertRegex(text, r"(?m)^set inventory  84:00.0  VGPU total=16 reserved=0\n  VGPU total 3 -> 16")
