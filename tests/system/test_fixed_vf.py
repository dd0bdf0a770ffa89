"""The main job on virtual functions that are units as they are: reported, given and taken
back without a single write to the host, and never another's."""
import os

from support.crash import PROGRAM, CrashPoint
from support.fleet import FleetTest, child_name, new_uuid
from support.host import load_description

CARD, OTHER = "0000:63:00.0", "0000:64:00.0"
TYPE = "v620-vf"
LATE = 3600  # seconds: a released device stays
FUNCTIONS = [f"0000:63:{n // 8:02x}.{n % 8}" for n in range(16, 28)]


class V620(FleetTest):
    """Two cards with twelve functions each."""

    def setUp(self):
        super().setUp()
        self.build("fixed-vf", {
            "devices": {"enabled_mdev_types": TYPE},
            f"mdev_{TYPE}": {"device_addresses": [CARD, OTHER]},
            f"vf_type_{TYPE}": {"fixed": "true"}})
        self.agent.run("sync")

    def tearDown(self):
        self.assertEqual(self.host.stores(), [], "nothing is ever written")
        super().tearDown()

    def functions_of(self, consumer):
        return self.row(consumer)["mdevs"]


class Report(V620):
    def test_as_many_as_there_are_functions(self):
        self.assertEqual(self.totals(), {child_name(CARD): 12, child_name(OTHER): 12})
        self.assertLessEqual({"CUSTOM_V620_VF", "CUSTOM_OWNER_VGPU_AGENT"},
                             self.placement.traits(self.child(CARD)))
        self.assertTrue(self.agent.is_idle())
        self.assertEqual(self.agent.run("check-config").splitlines()[-1], "ok; 1 warning")  # libvirt's socket is not there


class ByHand(V620):
    def test_none_is_made_and_any_can_be_given(self):
        for where in ((), ("--gpu", CARD)):
            done = self.agent.try_to("create", "--type", TYPE, *where)
            self.assertEqual((done.returncode != 0, done.stdout), (True, ""))
            self.assertEqual(done.stderr, f"vgpu-agent: devices of the type '{TYPE}' are there already, and none is made: give a guest one "
                             "that is idle in `vgpu-agent devices` (`vgpu-agent xml ADDRESS`), and it is not offered as long as the guest "
                             "has it\n")
        self.assertEqual({row["state"] for row in self.agent.json("devices")}, {"idle"})
        self.assertIn("bus='0x63' slot='0x02' function='0x3'", self.agent.run("xml", FUNCTIONS[3]))
        guest = new_uuid()
        file = self.agent.define_domain(guest, [FUNCTIONS[3]])
        self.settle()
        self.assertEqual(self.totals(), {child_name(CARD): 11, child_name(OTHER): 12})
        file.unlink()
        self.settle()
        self.assertEqual(self.totals(), {child_name(CARD): 12, child_name(OTHER): 12})


class Units(V620):
    def test_given_and_taken_back(self):
        server = self.allocate(CARD, 2)
        self.settle()
        self.assertEqual((self.row(server)["state"], self.functions_of(server)),
                         ("ready", FUNCTIONS[:2]))
        self.assertEqual([line[2:] for line in self.agent.run("xml", server).splitlines()[1:5]], [
            "<hostdev mode='subsystem' type='pci' managed='yes'>",
            "  <source>",
            "    <address domain='0x0000' bus='0x63' slot='0x02' function='0x0'/>",
            "  </source>"])
        self.placement.deallocate(server)
        self.settle()
        self.assertNotIn(server, self.states())
        self.assertEqual(self.totals()[child_name(CARD)], 12)

    def test_the_type_can_be_disabled_when_nobody_has_one(self):
        """The functions stay: what counts is who has them."""
        def resident():
            (row,) = self.agent.json("gpus", CARD)
            return row["resident"]
        server, guest = self.allocate(CARD, 2), new_uuid()
        self.settle()
        file = self.agent.define_domain(guest, [FUNCTIONS[5]])
        self.assertEqual(resident(), 3)
        self.assertIn(f"'{TYPE}' is resident on {CARD}: 3 devices, 2 units allocated", self.agent.try_to("disable", TYPE, CARD).stderr)
        self.placement.deallocate(server)
        self.settle()
        self.assertEqual(resident(), 1)
        self.assertIn("1 device, 0 units", self.agent.try_to("disable", TYPE, CARD).stderr)
        file.unlink()
        self.assertEqual(resident(), 0)
        self.agent.try_to("disable", TYPE, CARD)
        self.settle()
        (row,) = self.agent.json("gpus", CARD)
        self.assertEqual((row["enabled"], row["service"]), ("disabled", "disabled"))

    def test_filled_to_the_last(self):
        servers = [self.allocate(CARD, 4) for _ in range(3)]
        self.settle()
        self.assertEqual(sorted(f for s in servers for f in self.functions_of(s)), FUNCTIONS)
        self.assertEqual(self.totals()[child_name(CARD)], 12)
        for server in servers:
            self.placement.deallocate(server)
        self.settle()

    def test_one_that_somebody_else_takes(self):
        servers = [self.allocate(OTHER, 12), self.allocate(CARD, 11)]
        self.settle()
        self.agent.define_domain(new_uuid(), [FUNCTIONS[11]])
        self.agent.run("sync")
        self.assertEqual(self.totals()[child_name(CARD)], 11)
        for server in servers:
            self.placement.deallocate(server)
        self.agent.run("sync")

    def test_the_next_consumer(self):
        first = self.allocate(CARD)
        self.settle()
        self.agent.configure({"agent": {**self.options, "release_grace": LATE}, **self.types})
        self.placement.deallocate(first)
        self.agent.run("sync")
        second = self.allocate(CARD, 12)
        self.settle()
        self.assertEqual(self.row(second)["state"], "ready")
        self.assertEqual(sorted(self.functions_of(second)), FUNCTIONS)
        self.placement.deallocate(second)

    def test_a_change_of_mind(self):
        """Gone before it was given, and there again."""
        server = self.allocate(CARD)
        self.placement.deallocate(server)
        self.settle()
        self.allocate(CARD, consumer=server)
        self.settle()
        self.assertEqual(self.functions_of(server), FUNCTIONS[:1])
        self.placement.deallocate(server)
        self.allocate(OTHER, consumer=server)
        self.settle()
        self.assertTrue(self.functions_of(server)[0].startswith("0000:64"))
        self.placement.deallocate(server)

    def test_drain(self):
        server = self.allocate(CARD)
        self.settle()
        self.agent.try_to("drain", CARD)
        self.agent.try_to("sync")
        self.assertEqual(self.vgpus(CARD), (12, 11))
        self.placement.deallocate(server)
        self.agent.try_to("sync")
        self.agent.try_to("undrain", CARD)
        self.settle()
        self.assertEqual(self.vgpus(CARD)[1], 0)


class ByHand(V620):
    """A function is a part of its card: `remove` only takes it from who has it."""

    def test_one_that_nobody_has(self):
        for words in ([], ["--force"]):
            refused = self.agent.try_to("remove", *words, FUNCTIONS[0])
            self.assertEqual((refused.returncode, refused.stdout), (os.EX_TEMPFAIL, ""))
            self.assertIn("no consumer has it, and it is a part of its card, which cannot be removed", refused.stderr)

    def test_one_with_an_allocation(self):
        server = self.allocate(CARD)
        self.settle()
        (device,) = self.functions_of(server)
        self.assertIn(f"consumer {server} has it", self.agent.try_to("remove", device).stderr)
        self.assertEqual(self.agent.run("remove", "--force", device),
                         f"{device} is released: the function stays, and can be given away again\n")
        self.settle()
        self.assertEqual(self.agent.json("remove", "--force", self.functions_of(server)[0]),
                         [{"device": device, "result": "released"}])
        self.placement.deallocate(server)
        self.settle()
        self.assertEqual(self.totals()[child_name(CARD)], 12)


class Foreign(V620):
    """What a domain names or a process holds is given to nobody, and is no capacity."""

    def is_left_alone(self, total):
        self.agent.run("sync")
        self.assertEqual(self.totals()[child_name(CARD)], total)
        server = self.allocate(CARD, total)
        self.settle()
        self.assertEqual(self.row(server)["state"], "ready")
        self.assertEqual(sorted(self.functions_of(server)), FUNCTIONS[12 - total:])
        self.placement.deallocate(server)
        self.agent.run("sync")

    def test_another_guests(self):
        for function in FUNCTIONS[:2]:
            self.agent.define_domain(new_uuid(), [function])
        self.is_left_alone(10)

    def test_held_by_a_process(self):
        group = (self.host.function(FUNCTIONS[0]) / "iommu_group").readlink().name
        self.agent.hold_group(300, group)
        self.is_left_alone(11)

    def test_who_has_them_cannot_be_seen(self):
        """Nothing that could be another's is given away."""
        folder = self.agent.host_root / "etc/libvirt/qemu"
        folder.rename(folder.with_name("gone"))
        folder.symlink_to("/proc/1/nothing")
        self.agent.try_to("sync")
        self.assertNotIn(child_name(CARD), self.totals())
        folder.unlink()
        folder.with_name("gone").rename(folder)
        self.settle()
        self.assertEqual(self.totals()[child_name(CARD)], 12)

    def test_a_guest_outlives_its_allocation(self):
        server = self.allocate(CARD)
        self.settle()
        file = self.agent.define_domain(server, FUNCTIONS[:1])
        self.placement.deallocate(server)
        self.settle()
        other = self.allocate(CARD)
        self.settle()
        self.assertEqual(self.functions_of(other), [FUNCTIONS[1]])
        self.assertEqual(self.totals()[child_name(CARD)], 11)
        file.unlink()
        self.settle()
        self.assertEqual(self.totals()[child_name(CARD)], 12)
        self.placement.deallocate(other)

    def test_the_state_file_is_lost(self):
        mine, others = self.allocate(CARD), self.allocate(CARD)
        self.settle()
        had = {server: self.functions_of(server)[0] for server in (mine, others)}
        self.agent.define_domain(mine, [had[mine]])
        self.agent.define_domain(new_uuid(), [had[others]])
        self.agent.state_file.write_text("lost")
        for _ in range(3):
            self.agent.try_to("sync")
        self.assertEqual(self.functions_of(mine), [had[mine]])
        self.assertEqual(self.row(others)["state"], "ready")
        self.assertNotIn(had[others], self.functions_of(others))
        for server in (mine, others):
            self.placement.deallocate(server)


class Reboot(V620):
    def test_the_same_functions(self):
        server = self.allocate(CARD, 2)
        self.settle()
        before = self.functions_of(server)
        self.host.reboot()
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        self.settle()
        self.assertEqual((self.row(server)["state"], self.functions_of(server)),
                         ("ready", before))
        self.placement.deallocate(server)

    def test_functions_that_come_late(self):
        server = self.allocate(CARD)
        self.settle()
        before = self.functions_of(server)
        self.host.control(f"numvfs {CARD} 0")
        done = self.agent.try_to("restore")
        self.assertEqual(done.returncode, 1)
        self.assertIn("its virtual functions are not enabled", done.stderr)
        self.agent.try_to("sync")
        self.assertEqual(self.row(server)["state"], "failed")
        self.host.control(f"numvfs {CARD} 12")
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        self.settle()
        self.assertEqual((self.row(server)["state"], self.functions_of(server)),
                         ("ready", before))
        self.placement.deallocate(server)


class Crash(V620):
    """Killed at each call that changes something, while a unit is given and taken back."""

    def test_at_every_step(self):
        crash = CrashPoint(self.directory)
        for number in range(1, 100):
            server = self.allocate(CARD, 2)
            killed = crash.strike(self.agent, "sync", PROGRAM, number)
            self.agent.run("sync")
            self.agent.run("sync")
            self.assertTrue(self.agent.is_idle())
            self.assertEqual((self.row(server)["state"], len(set(self.functions_of(server)))),
                             ("ready", 2), number)
            self.placement.deallocate(server)
            killed |= crash.strike(self.agent, "sync", PROGRAM, number)
            self.settle()
            self.assertEqual(self.states(), {})
            self.assertEqual(self.totals()[child_name(CARD)], 12)
            if not killed:
                return
        self.fail("it never came to an end")


class Configuration(V620):
    def check(self, **sections):
        self.agent.configure({"agent": self.options,
                              "devices": {"enabled_mdev_types": TYPE}, **sections})
        return self.agent.run("check-config", status=1)

    def test_cards_must_be_named(self):
        self.assertIn(f"vf_type_{TYPE}.fixed: true, but mdev_{TYPE}.device_addresses does not say",
                      self.check(**{f"vf_type_{TYPE}": {"fixed": "true"}}))

    def test_what_the_type_is_must_be_said(self):
        self.assertIn(f"vf_type_{TYPE}: does not say what the type is",
                      self.check(**{f"vf_type_{TYPE}": {"fixed": "false"}}))

    def test_a_section_without_its_type(self):
        self.assertIn("vf_type_other: a section for a type that is not enabled",
                      self.check(vf_type_other={"fixed": "true"}))

    def test_a_type_of_a_drivers(self):
        agent = self.make_agent(self.start_host(load_description("nova-guide")), self.placement, {
            "agent": self.options, "devices": {"enabled_mdev_types": "nvidia-35"},
            "mdev_nvidia-35": {"device_addresses": "0000:84:00.0"}, "vf_type_nvidia-35": {"fixed": "true"}})
        self.assertIn("vf_type_nvidia-35.fixed: not used: the GPU 0000:84:00.0 offers mediated devices, and of them this type",
                      agent.run("check-config"))

    def test_a_misspelt_option(self):
        self.assertIn("fixd", self.check(**{f"vf_type_{TYPE}": {"fixd": "true"}}))
