"""The main job on virtual functions that stores make virtual GPUs (NVIDIA's vendor-specific
VFIO): reported by the card's memory, given and taken back, and never another's."""
import os

from support import wait_for
from support.fleet import FleetTest, child_name, device_uuid, new_uuid
from support.host import load_description
from support.udev import give_to_group, writable_by_group

CARD, OTHER = "0000:41:00.0", "0000:42:00.0"
CARDS = [f"0000:{bus}:00.0" for bus in ("41", "42", "43", "44", "c1", "c2", "c3", "c4")]
LATE = 3600  # seconds: a released device stays


def functions(card):
    """The first eight virtual functions."""
    bus = card.rsplit(":", 1)[0]
    return [f"{bus}:{n // 8:02x}.{n % 8}" for n in range(4, 12)]


class L40S(FleetTest):
    """Eight L40S, 32 functions each."""
    configured = "NVIDIA L40S-8Q"

    def setUp(self):
        super().setUp()
        self.build("vendor-vfio", {"devices": {"enabled_mdev_types": self.configured}},
                   release_grace=0)

    def writes(self):
        """(function, value, result) of each write of a type."""
        return [(s["path"].split("/")[-3], s["value"], s["result"])
                for s in self.host.stores() if s["path"].endswith("current_vgpu_type")]


class Report(L40S):
    def test_a_card_is_what_its_memory_holds(self):
        self.sync()
        self.assertEqual(self.totals(), {child_name(card): 6 for card in CARDS})
        traits = self.placement.traits(self.child(CARD))
        self.assertLessEqual({"CUSTOM_NVIDIA_1152", "CUSTOM_NVIDIA_L40S_8Q",
                              "CUSTOM_OWNER_VGPU_AGENT"}, traits)
        self.assertEqual(self.host.stores(), [])
        self.assertTrue(self.agent.is_idle())

    def test_by_any_name(self):
        for name, total in (("1152", 6), ("nvidia-1152", 6), ("nvidia-1147", 32),
                            ("1156", 1)):
            self.agent.configure({"agent": self.options,
                                  "devices": {"enabled_mdev_types": name}})
            self.sync()
            self.assertEqual(set(self.totals().values()), {total}, name)
            self.assertEqual(self.agent.run("check-config").splitlines()[-1], "ok; 1 warning", name)  # libvirt's socket is not there

    def test_types(self):
        rows = self.agent.json("types", CARD)
        self.assertEqual([r["type"] for r in rows][:2], ["nvidia-1147", "nvidia-1148"])
        self.assertEqual(len(rows), 29)
        (row,) = [r for r in rows if r["type"] == "nvidia-1152"]
        self.assertEqual((row["name"], row["max_instance"], row["framebuffer"]),
                         ("NVIDIA L40S-8Q", 6, "8192M"))

    def test_a_full_card_is_still_one_of_its_type(self):
        """Its functions name no type any more, and each command is a new process."""
        self.sync()
        for card in CARDS:
            for function in functions(card)[:6]:
                self.assertEqual(self.host.set_type(function, "1152"), "OK")
        self.assertTrue(self.agent.is_idle())
        self.sync()
        self.assertEqual(self.totals(), {child_name(card): 6 for card in CARDS})
        for command in (("gpus",), ("types",), ("plan",)):
            self.assertEqual(self.agent.try_to(*command).returncode, 0, command)
        self.assertEqual(self.agent.run("check-config").splitlines()[-1], "ok; 1 warning")  # libvirt's socket is not there
        (row,) = [r for r in self.agent.json("types", CARD) if r["type"] == "nvidia-1152"]
        self.assertEqual((row["name"], row["available_instances"], row["max_instance"]),
                         ("NVIDIA L40S-8Q", 0, 6))

    def test_a_lost_state_file_makes_no_error_of_the_files(self):
        """What full cards do not list any more may be theirs: the files are taken as before."""
        self.sync()
        for card in CARDS:
            for function in functions(card)[:6]:
                self.assertEqual(self.host.set_type(function, "1152"), "OK")
        self.agent.state_file.unlink()
        said = " ".join(self.agent.run("check-config").split())
        self.assertIn("warning: devices.enabled_mdev_types: no GPU of this host lists NVIDIA "
                      "L40S-8Q now; one with devices lists only what fits beside these", said)
        for function in functions(CARD)[:6]:
            self.assertEqual(self.host.set_type(function, "0"), "OK")
        self.assertEqual(self.agent.run("check-config").splitlines()[-1], "ok; 1 warning")  # libvirt's socket is not there

    def test_less_is_reported_where_the_names_are_not_known(self):
        """A card that was full before the agent came: only what can be seen is true."""
        self.assertEqual(self.host.set_type(functions(CARD)[0], "1152"), "OK")
        for card in CARDS[1:]:
            self.host.control(f"unplug {card}")
        self.sync()
        # One that exists, and one that the other functions list.
        self.assertEqual(self.totals(), {child_name(CARD): 2})
        self.host.control("rescan")
        for card in CARDS[1:]:
            self.host.control(f"numvfs {card} 32")
        self.sync()
        self.assertEqual(self.totals(), {child_name(card): 6 for card in CARDS})

    def test_unreadable_functions(self):
        self.sync()
        self.host.control(f"unreadable */{functions(CARD)[2]}/nvidia/current_vgpu_type")
        self.sync(status=1)
        total, reserved = self.vgpus(CARD)
        self.assertEqual(reserved, total)
        self.host.control("show")
        self.sync()
        self.assertEqual(self.vgpus(CARD)[1], 0)


class Hanging(L40S):
    def test_a_card_that_does_not_answer_is_sick_and_still_configured(self):
        self.sync()
        self.host.control(f"hang */{functions(CARD)[0]}/nvidia/current_vgpu_type")
        said = self.agent.try_to("sync")
        self.assertIn("its driver hangs", said.stderr)
        self.assertNotIn("no type is configured", said.stderr)
        total, reserved = self.vgpus(CARD)
        self.assertEqual(reserved, total)
        self.assertEqual(self.vgpus(OTHER)[1], 0)
        self.host.control("show")
        wait_for(lambda: self.agent.try_to("sync").returncode == 0, "all to be well")
        self.assertEqual(self.totals(), {child_name(card): 6 for card in CARDS})


class Devices(L40S):
    def setUp(self):
        super().setUp()
        self.sync()

    def test_a_function_gets_the_type_and_gives_it_back(self):
        server = self.allocate(CARD)
        self.sync()
        function = functions(CARD)[0]
        self.assertEqual(self.host.vgpus(), {function: "1152"})
        self.assertEqual((self.row(server)["state"], self.row(server)["mdevs"]),
                         ("ready", [function]))
        (shown,) = self.agent.json("xml", server)
        self.assertEqual(shown["uuid"], device_uuid(self.child(CARD), server, 0))
        self.assertEqual(self.agent.run("xml", server), """\
<hostdev mode='subsystem' type='pci' managed='no'>
  <source>
    <address domain='0x0000' bus='0x41' slot='0x00' function='0x4'/>
  </source>
</hostdev>
""")
        self.assertIn(f"vfio-pci,host={function}", self.agent.run("qemu-args", server))
        self.assertEqual(self.totals()[child_name(CARD)], 6)
        self.placement.deallocate(server)
        self.settle()
        self.assertEqual(self.host.vgpus(), {})
        self.assertEqual(self.writes(), [(function, "1152", "OK"), (function, "0", "OK")])

    def test_filled_to_the_last(self):
        servers = [self.allocate(CARD, 2) for _ in range(3)]
        self.settle()
        self.assertEqual(self.host.vgpus(), dict.fromkeys(functions(CARD)[:6], "1152"))
        self.assertEqual({self.row(s)["state"] for s in servers}, {"ready"})
        self.assertEqual(self.totals()[child_name(CARD)], 6)
        for server in servers:
            self.placement.deallocate(server)
        self.settle()
        self.assertEqual(self.host.vgpus(), {})

    def test_a_driver_that_refuses(self):
        for error in ("EIO", "ENOMEM", "EBUSY"):
            self.host.control(f"fail create {error} on {CARD}")
            server = self.allocate(CARD)
            self.sync(status=1)
            self.assertEqual(self.host.vgpus(), {}, error)
            self.settle()
            self.assertEqual(list(self.host.vgpus().values()), ["1152"])
            self.placement.deallocate(server)
            self.settle()
            self.assertEqual(self.host.vgpus(), {})

    def test_a_guest_that_has_just_ended(self):
        """The driver needs a moment, and is asked again."""
        server = self.allocate(CARD)
        self.sync()
        self.host.control("fail remove EBUSY")
        self.placement.deallocate(server)
        self.settle()
        self.assertEqual([w[1:] for w in self.writes()],
                         [("1152", "OK"), ("0", "EBUSY"), ("0", "OK")])
        self.assertEqual(self.host.vgpus(), {})

    def test_what_is_held_is_not_written(self):
        server = self.allocate(CARD)
        self.sync()
        (function,) = self.host.vgpus()
        group = os.path.basename(os.readlink(self.host.function(function) / "iommu_group"))
        (cdev,) = os.listdir(self.host.function(function) / "vfio-dev")
        self.placement.deallocate(server)
        for number, node in enumerate((group, f"devices/{cdev}")):
            self.agent.hold_group(300 + number, node)
            for _ in range(2):
                self.agent.try_to("sync")
            self.assertEqual(self.host.vgpus(), {function: "1152"}, node)
            (self.agent.host_root / f"proc/{300 + number}/fd/7").unlink()
        file = self.agent.define_domain(server, [function])
        self.agent.try_to("sync")
        self.assertEqual(self.host.vgpus(), {function: "1152"})
        file.unlink()
        self.settle()
        self.assertEqual(self.writes(), [(function, "1152", "OK"), (function, "0", "OK")])

    def test_parameters_do_not_reach_the_next_consumer(self):
        self.agent.configure({"agent": {**self.options, "release_grace": LATE},
                              **self.types})
        server = self.allocate(CARD)
        self.sync()
        (function,) = self.host.vgpus()
        parameters = self.host.function(function) / "nvidia/vgpu_params"
        parameters.write_text("frame_rate_limiter=0\n")
        self.placement.deallocate(server)
        self.sync()
        other = self.allocate(CARD)
        self.sync()
        self.assertEqual(self.row(other)["state"], "ready")
        self.assertEqual(self.host.vgpus(), {function: "1152"})
        self.assertEqual(parameters.read_text(), "\n")

    def test_drain(self):
        server = self.allocate(CARD)
        self.sync()
        self.agent.try_to("drain", CARD)
        self.agent.try_to("sync")
        self.assertEqual(self.vgpus(CARD), (6, 5))
        self.assertEqual(len(self.host.vgpus()), 1)
        self.placement.deallocate(server)
        self.agent.try_to("sync")
        self.agent.try_to("sync")
        self.assertEqual(self.host.vgpus(), {})
        self.agent.try_to("undrain", CARD)
        self.settle()
        self.assertEqual(self.vgpus(CARD)[1], 0)


class SameFunctionAgain(L40S):
    """The next owner of a function is not disturbed by the end of the former one."""

    def setUp(self):
        super().setUp()
        self.sync()
        self.server = self.allocate(CARD)
        self.sync()
        (self.function,) = self.host.vgpus()
        self.placement.deallocate(self.server)

    def pass_on(self, number):
        self.assertEqual(self.host.set_type(self.function, "0"), "OK")
        self.assertEqual(self.host.set_type(self.function, number), "OK")
        self.host.control("forget")

    def test_of_another_type(self):
        self.pass_on("1147")
        for _ in range(3):
            self.agent.try_to("sync")
        self.assertEqual(self.host.vgpus(), {self.function: "1147"})
        self.assertEqual(self.writes(), [])

    def test_of_the_same_type_and_another_guest(self):
        self.pass_on("1152")
        self.agent.define_domain(new_uuid(), [self.function])
        for _ in range(3):
            self.agent.try_to("sync")
        self.assertEqual(self.host.vgpus(), {self.function: "1152"})
        self.assertEqual(self.writes(), [])

    def test_of_the_agents_own(self):
        """One goes and one comes: the function is the new one's, whatever is tried."""
        other = self.allocate(CARD)
        self.settle()
        self.assertEqual(self.row(other)["state"], "ready")
        self.assertEqual(list(self.host.vgpus().values()), ["1152"])
        self.settle()
        self.assertEqual(list(self.host.vgpus().values()), ["1152"])


class Exchanged(L40S):
    def test_devices_shows_it_as_anothers(self):
        """Somebody has given the function of a consumer another type."""
        self.sync()
        server = self.allocate(CARD)
        self.sync()
        (function,) = self.host.vgpus()
        (row,) = self.agent.json("devices")
        self.assertEqual((row["owner"], row["state"], row["consumer"]), ("agent", "assigned", server))
        for number in ("0", "1150"):
            self.assertEqual(self.host.set_type(function, number), "OK")
        (row,) = self.agent.json("devices")
        self.assertEqual((row["device"], row["type"]), (function, "nvidia-1150"))
        self.assertEqual((row["owner"], row["state"], row["consumer"]), ("foreign", "idle", None))
        self.assertNotIn(server, self.agent.run("qemu-args", function))


class Unread(L40S):
    def test_what_cannot_be_read_is_not_none(self):
        self.sync()
        self.allocate(CARD)
        self.sync()
        (function,) = self.host.vgpus()
        for fault in ("unreadable", "hang"):
            with self.subTest(fault):
                self.host.control(f"{fault} *{function}*current_vgpu_type")
                rows = self.agent.json("devices", status=1)
                self.assertEqual([(row["device"], row["gpu"], row["owner"], row["state"]) for row in rows],
                                 [(None, CARD, "unknown", "unknown")])
                said = self.agent.try_to("devices")
                self.assertNotIn("there are no devices", said.stdout)
                self.assertIn(f"which devices the GPU {CARD} has is not known: it is unreadable: ", said.stderr)
                removal = self.agent.try_to("remove", function)
                self.assertEqual(removal.returncode, os.EX_UNAVAILABLE)
                self.assertIn(f"whether there is a device {function} cannot be seen: which devices the GPU {CARD} has", removal.stderr)
                self.host.control("show")
                (row,) = self.agent.json("devices")
                self.assertEqual((row["device"], row["owner"]), (function, "agent"))


class Foreign(L40S):
    def setUp(self):
        super().setUp()
        self.sync()

    def test_another_guests_function_is_left_alone(self):
        first, second = functions(CARD)[:2]
        self.assertEqual(self.host.set_type(first, "1152"), "OK")
        # The second has no type yet, and will be somebody's.
        for function in (first, second):
            self.agent.define_domain(new_uuid(), [function])
        self.host.control("forget")
        server = self.allocate(CARD)
        self.agent.try_to("sync")
        self.assertEqual(self.writes(), [(functions(CARD)[2], "1152", "OK")])
        self.assertEqual(self.row(server)["state"], "ready")
        self.placement.deallocate(server)
        for _ in range(3):
            self.agent.try_to("sync")
        self.assertEqual(self.host.vgpus(), {first: "1152"})

    def test_another_type_on_the_card(self):
        self.assertEqual(self.host.set_type(functions(CARD)[0], "1147"), "OK")
        self.agent.try_to("sync")
        self.assertNotIn(child_name(CARD), self.totals())
        self.assertEqual(self.totals()[child_name(OTHER)], 6)
        self.assertEqual(self.host.set_type(functions(CARD)[0], "0"), "OK")
        self.settle()
        self.assertEqual(self.totals()[child_name(CARD)], 6)

    def test_the_state_file_is_lost(self):
        mine, others = self.allocate(CARD), self.allocate(CARD)
        self.settle()
        had = {}
        for server in (mine, others):
            xml = self.agent.run("xml", server)
            had[server] = next(f for f in functions(CARD)
                               if f"slot='0x00' function='0x{f[-1]}'" in xml)
        self.agent.define_domain(mine, [had[mine]])
        self.agent.define_domain(new_uuid(), [had[others]])
        self.agent.state_file.write_text("lost")
        self.host.control("forget")
        for _ in range(3):
            self.agent.try_to("sync")
        self.assertEqual(self.row(mine)["state"], "ready")
        xml = self.agent.run("xml", mine)
        self.assertIn(f"function='0x{had[mine][-1]}'", xml)
        # The other's guest has nothing of the agent's any more, and gets its own.
        self.assertEqual(self.row(others)["state"], "ready")
        self.assertNotIn(f"function='0x{had[others][-1]}'", self.agent.run("xml", others))
        for server in (mine, others):
            self.placement.deallocate(server)
        for _ in range(3):
            self.agent.try_to("sync")
        self.assertLessEqual({had[mine], had[others]}, set(self.host.vgpus()))


class Reboot(L40S):
    def begin(self):
        self.sync()
        self.servers = [self.allocate(CARD) for _ in range(2)] + [self.allocate(OTHER)]
        self.settle()
        self.before = self.host.vgpus()
        self.assertEqual(len(self.before), 3)
        # So that the first functions are not the ones.
        self.placement.deallocate(self.servers.pop(0))
        self.settle()
        self.before = self.host.vgpus()
        self.agent.placement = None
        self.agent.configure({"agent": self.options, **self.types})
        self.host.reboot()
        self.assertEqual(self.host.vgpus(), {})

    def test_the_same_functions_get_the_same_types(self):
        self.begin()
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        self.assertEqual(self.host.vgpus(), self.before)
        stores = self.host.stores()
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        self.assertEqual(self.host.stores(), stores)

    def test_a_guest_waits_for_its_own_function(self):
        self.begin()
        function = next(f for f in self.before if f.startswith("0000:41"))
        self.agent.define_domain(self.servers[0], [function])
        # Before libvirt's first start of this boot.
        (self.agent.host_root / "run/libvirt/qemu").rmdir()
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        self.assertEqual(self.host.vgpus(), self.before)

    def test_somebody_was_faster(self):
        self.begin()
        function = next(f for f in self.before if f.startswith("0000:41"))
        self.agent.define_domain(self.servers[0], [function])
        self.assertEqual(self.host.set_type(function, "1147"), "OK")
        done = self.agent.try_to("restore")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot be put back", done.stderr)
        self.assertEqual(self.host.current_type(function), "1147")

    def test_functions_that_are_enabled_late(self):
        self.begin()
        self.host.control(f"numvfs {CARD} 0")
        done = self.agent.try_to("restore")
        self.assertEqual(done.returncode, 1)
        self.assertIn("its virtual functions are not enabled", done.stderr)
        self.host.control(f"numvfs {CARD} 32")
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        self.assertEqual(self.host.vgpus(), self.before)


class Upgrade(L40S):
    """Another driver after a reboot, which calls the same types by other numbers: names are what stays."""

    def setUp(self):
        super().setUp()
        self.sync()
        self.servers = [self.allocate(CARD, 6), self.allocate(OTHER, 2)]
        self.settle()
        self.before = self.host.vgpus()

    def reboot_with(self, added):
        """Each number is so much higher."""
        description = load_description("vendor-vfio")
        for kind in description["models"]["L40S"]["types"]:
            kind["id"] = str(int(kind["id"]) + added)
        self.host.reboot_with(description)

    def test_the_same_types_are_back(self):
        """Whether the old numbers are other types' now, or nobody's."""
        for added in (5, 1000):
            with self.subTest(added):
                self.reboot_with(added)
                number = str(1152 + added)
                self.assertEqual(self.agent.try_to("restore").returncode, 0)
                self.assertEqual(self.host.vgpus(), dict.fromkeys(self.before, number))
                self.settle()
                self.assertEqual({s for states in self.states().values() for s in states}, {"ready"})
                self.assertEqual(self.totals(), {child_name(card): 6 for card in CARDS})
                traits = self.placement.traits(self.child(CARD))
                self.assertIn(f"CUSTOM_NVIDIA_{number}", traits)
                self.assertNotIn("CUSTOM_NVIDIA_1152", traits)
                self.assertEqual([r["type"] for r in self.agent.json("types", OTHER) if r["name"] == "NVIDIA L40S-8Q"],
                                 [f"nvidia-{number}"])


class MixedSizes(FleetTest):
    """A driver that lets types of several sizes share a card."""

    def test_what_others_leave(self):
        description = load_description("vendor-vfio")
        description["models"]["L40S"]["sharing"] = "mixed"
        description["cards"] = description["cards"][:1]
        description["cards"][0]["count"] = 1
        self.build(description, {"devices": {"enabled_mdev_types": "1152"}})
        self.agent.run("sync")
        self.assertEqual(self.totals(), {child_name(CARD): 6})
        for number, total in (("1154", 4), ("1147", 3)):
            function = functions(CARD)[total]
            self.assertEqual(self.host.set_type(function, number), "OK")
            self.agent.try_to("sync")
            self.assertEqual(self.totals(), {child_name(CARD): total})
        server = self.allocate(CARD, 3)
        for _ in range(2):
            self.agent.try_to("sync")
        self.assertEqual(sorted(self.host.vgpus().values()),
                         ["1147", "1152", "1152", "1152", "1154"])
        self.assertIn(server, self.states())
        self.assertEqual(self.totals(), {child_name(CARD): 3})


class TwoKinds(FleetTest):
    """A Tesla M10's GPU and L40S on one host, in one tree."""
    MDEV, VFIO, NOT_IN_MODE, OFF = (f"0000:{bus}:00.0" for bus in ("84", "41", "42", "43"))

    def setUp(self):
        super().setUp()
        self.build("two-kinds", {
            "devices": {"enabled_mdev_types": ["nvidia-35", "nvidia-1152"]},
            "mdev_nvidia-35": {"device_addresses": self.MDEV},
            "mdev_nvidia-1152": {"device_addresses": [self.VFIO, self.NOT_IN_MODE]}})
        self.agent.run("sync")

    def test_one_tree(self):
        self.assertEqual(self.totals()[child_name(self.MDEV)], 16)
        self.assertEqual(self.totals()[child_name(self.VFIO)], 6)
        servers = [self.allocate(card) for card in (self.MDEV, self.VFIO)]
        self.agent.run("sync")
        self.assertEqual(len(self.host.mdevs()), 1)
        self.assertEqual(list(self.host.vgpus().values()), ["1152"])
        self.assertIn("type='mdev'", self.agent.run("xml", servers[0]))
        self.assertIn("type='pci'", self.agent.run("xml", servers[1]))

    def test_a_card_that_is_not_in_sriov_mode_is_not_written(self):
        """Its functions have the files, but they are parents of mdevs."""
        server = self.allocate(self.NOT_IN_MODE)
        self.agent.run("sync")
        (device,) = self.host.mdevs()
        self.assertIn(f"<address uuid='{device}'/>", self.agent.run("xml", server))
        self.placement.deallocate(server)
        self.agent.run("sync")
        self.agent.run("sync")
        self.assertEqual(self.host.mdevs(), {})
        self.assertFalse([s for s in self.host.stores()
                          if s["path"].endswith("current_vgpu_type")])

    def test_functions_that_are_not_enabled(self):
        (row,) = [r for r in self.agent.json("gpus") if r["gpu"] == self.OFF]
        self.assertEqual((row["health"], row["types"]), ("ok", []))
        self.agent.configure({"agent": self.options,
                              "devices": {"enabled_mdev_types": "nvidia-1152"},
                              "mdev_nvidia-1152": {"device_addresses": self.OFF}})
        done = self.agent.try_to("sync")
        self.assertIn("none of its 16 virtual functions is enabled", done.stdout + done.stderr)
        self.assertNotIn("driver loaded", done.stdout + done.stderr)


class AnotherModel(FleetTest):
    """A section that was written for one model of card, and another that stands there."""

    def test_nothing_is_made_on_it(self):
        self.build("two-kinds", {
            "devices": {"enabled_mdev_types": ["nvidia-1152", "nvidia-35"]},
            "mdev_nvidia-1152": {"device_addresses": TwoKinds.VFIO, "device_id": "10DE:26B9"},
            "mdev_nvidia-35": {"device_addresses": TwoKinds.MDEV, "device_id": "10de:26b9"}})
        self.agent.run("sync", status=1)
        self.assertEqual(self.totals().get(child_name(TwoKinds.VFIO)), 6)
        self.assertNotIn(child_name(TwoKinds.MDEV), self.totals())
        text = "it is another model, 10de:13bd: [mdev_nvidia-35] is for device_id = 10de:26b9"
        self.assertIn(text, " ".join(self.agent.try_to("status").stdout.split()))
        self.assertIn("mdev_nvidia-35.device_id: the GPU 0000:84:00.0 is a 10de:13bd; expected "
                      "10de:26b9", self.agent.run("check-config", status=1))

    def test_nor_made_again_or_by_hand(self):
        """The card was changed for another while the host was off."""
        card = TwoKinds.MDEV
        for named in ({"device_addresses": card}, {}):
            with self.subTest(named):
                description = load_description("two-kinds")
                self.build(description, {"devices": {"enabled_mdev_types": "nvidia-35"},
                                         "mdev_nvidia-35": {"device_id": "10de:13bd", **named}})
                self.sync()
                server = self.allocate(card)
                self.sync()
                self.assertEqual(self.row(server)["state"], "ready")
                for model in description["models"].values():
                    if model["device"] == "0x13bd":
                        model["device"] = "0x13be"
                self.host.reboot_with(description)
                text = "it is another model, 10de:13be: [mdev_nvidia-35] is for device_id = 10de:13bd"
                for words in (("restore",), ("create", "--type", "nvidia-35", "--gpu", card)):
                    done = self.agent.try_to(*words)
                    self.assertNotEqual(done.returncode, 0, words)
                    self.assertIn(text, done.stdout + done.stderr)
                self.assertNotEqual(self.agent.try_to("create", "--type", "nvidia-35").returncode, 0)
                self.agent.try_to("sync")
                row = self.row(server)
                self.assertEqual(row["state"], "failed")
                self.assertIn(text, row["reason"])
                self.assertEqual(self.host.mdevs(), {})
                status = " ".join(self.agent.try_to("status").stdout.split())
                self.assertNotIn("vendor's services", status)

    def test_a_default_type_passes_by(self):
        self.build("two-kinds", {"devices": {"enabled_mdev_types": ["nvidia-1152"]},
                                 "mdev_nvidia-1152": {"device_id": "10de:13bd"}})
        self.agent.try_to("sync")
        self.assertEqual(self.totals(), {})


class SriovManage(FleetTest):
    """The vendor's program enables the functions of the cards that need them."""
    CARD = "0000:43:00.0"  # without functions after a boot

    def setUp(self):
        super().setUp()
        self.program = self.directory / "sriov-manage"
        self.write_program("")
        self.build("two-kinds", {"devices": {"enabled_mdev_types": "nvidia-1152"},
                                 "mdev_nvidia-1152": {"device_addresses": self.CARD}},
                   sriov_manage=self.program)

    def write_program(self, script):
        self.program.write_text(f"#!/bin/sh\necho \"$*\" >>{self.directory}/calls\n{script}\n")
        self.program.chmod(0o755)

    def calls(self):
        file = self.directory / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def enables(self, after=""):
        self.write_program(f"{after}\nprintf 'numvfs {self.CARD} 16' >"
                           f"{self.host.root}/.mdevsim/control\nexit 3")

    def test_functions_that_are_off_are_no_error_of_the_files(self):
        """The agent itself enables them."""
        for bus in ("41", "42"):
            self.host.control(f"unplug 0000:{bus}:00.0")
        said = " ".join(self.agent.run("check-config").split())
        self.assertIn("warning: devices.enabled_mdev_types: no GPU of this host lists nvidia-1152 now",
                      said)
        self.agent.configure({"agent": {**self.options, "sriov_manage": ""}, **self.types})
        self.assertIn("no GPU of this host offers nvidia-1152",
                      self.agent.run("check-config", status=1))

    def test_never_on_a_card_of_another_model(self):
        """Neither where its section is for another one, nor where the default type's is."""
        self.enables()
        for section in ({"device_addresses": self.CARD, "device_id": "10de:13bd"}, {"device_id": "10de:13bd"}):
            self.agent.configure({"agent": self.options, "devices": {"enabled_mdev_types": "nvidia-1152"},
                                  "mdev_nvidia-1152": section})
            for command in ("restore", "sync"):
                self.agent.try_to(command)
            self.assertEqual(self.calls(), [], section)
        # Nor for the devices that a card of the right model had there.
        self.agent.configure({"agent": self.options, **self.types})
        self.agent.run("restore")
        self.agent.run("sync")
        self.allocate(self.CARD)
        self.agent.run("sync")
        self.host.reboot()
        self.agent.configure({"agent": self.options, "devices": {"enabled_mdev_types": "nvidia-1152"},
                              "mdev_nvidia-1152": {"device_id": "10de:13bd"}})
        self.assertEqual(self.agent.try_to("restore").returncode, 1)
        self.assertEqual(self.calls(), [f"-e {self.CARD}"])

    def test_for_a_type_that_is_enabled_at_run_time(self):
        """The files do not name the card, and after a reboot nobody has a device there."""
        other = "0000:41:00.0"
        self.agent.configure({"agent": self.options, "devices": {"enabled_mdev_types": "nvidia-1152"},
                              "mdev_nvidia-1152": {"device_addresses": other}})
        self.agent.run("restore")
        self.host.control(f"numvfs {self.CARD} 16")
        self.agent.run("sync")
        self.agent.try_to("enable", "nvidia-1152", self.CARD)
        self.agent.run("sync")
        before = self.totals()
        self.assertEqual(before, {child_name(card): 6 for card in (self.CARD, other)})
        self.assertEqual(self.calls(), [])
        self.enables()
        self.host.reboot()
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        self.assertEqual(self.calls(), [f"-e {self.CARD}"])
        self.agent.run("sync")
        self.assertEqual(self.totals(), before)

    def is_reported(self):
        return bool(self.placement.provider(self.root_name)) and \
            self.totals() == {child_name(self.CARD): 6}

    def test_at_the_first_need(self):
        """A daemon goes on meanwhile, and tries it once."""
        self.enables()
        self.agent.start()
        wait_for(self.is_reported, "the types")
        self.assertEqual(self.calls(), [f"-e {self.CARD}"])
        self.assertEqual(self.agent.stop(), 0)

    def test_by_restore(self):
        self.enables()
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        self.agent.run("sync")
        self.allocate(self.CARD)
        self.agent.run("sync")
        before = self.host.vgpus()
        self.assertEqual(len(before), 1)
        self.host.reboot()
        self.enables(after='[ "$(wc -l <' + f'{self.directory}/calls)" = 3 ] || '
                           '{ echo Cannot obtain unbindLock; exit 1; }')
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        self.assertEqual(self.host.vgpus(), before)
        self.assertEqual(self.calls(), [f"-e {self.CARD}"] * 3)

    def test_it_did_nothing(self):
        self.write_program("echo no such luck; exit 0")
        done = self.agent.try_to("restore")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.CARD}: its virtual functions could not be enabled: {self.program} -e "
                      f"{self.CARD} has ended, and no virtual function is enabled: no such luck",
                      done.stderr)
        self.assertEqual(self.calls(), [f"-e {self.CARD}"])


class Rule(L40S):
    """udev gives the agent's group the two files that it writes, and no other."""
    GROUP = 61235

    def test_the_group_may_write_what_the_agent_writes(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give files to a group")
        function = functions(CARD)[0]
        done = give_to_group(self.host, 'TEST=="nvidia/current_vgpu_type"', function, self.GROUP)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.args)
        self.assertEqual(writable_by_group(self.host.function(function) / "nvidia", self.GROUP),
                         {"current_vgpu_type", "vgpu_params"})


class NovaMode(FleetTest):
    """nova-compute makes no such devices: nothing is said of 256 providers that never come."""

    def test_there_is_nothing_to_do(self):
        self.build("vendor-vfio", {"devices": {"enabled_mdev_types": "nvidia-1152"}}, mode="nova",
                   create_root="false")
        self.placement.create_provider(self.root_name, new_uuid())
        self.assertEqual(self.agent.json("plan")["steps"], [])
        said = self.agent.try_to("check-config").stdout
        self.assertIn("nvidia-1152 is for the GPU 0000:41:00.0, which offers types of virtual "
                      "functions: nova-compute makes none by [devices]; expected mode owner or nova-pci", said)
        self.assertNotIn("get this type", said)
