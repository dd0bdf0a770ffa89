"""Guests get their devices: the daemon and vgpu-agent-libvirt as they are installed, on a
simulated host, before a libvirt that a test plays (support/libvirt.py)."""
import os
import signal
import threading
import time
import uuid

from support.attach_case import MINUTE, AttachCase
from support.hostdev import mdev_xml
from support.libvirt import ATTACH, FakeLibvirt
from support.placement import own_placement
from support.process import BUILD, program, wait_for
from support.relay import Relay
from support.watched import children_called

XML = "virDomainGetXMLDesc"
AT_ONCE = 5.0  # seconds; a busy machine. The next cycle would be in an hour


class AttachTest(AttachCase):
    def setUp(self):
        super().setUp()
        if not (BUILD / "vgpu-agent-libvirt").exists():
            self.skipTest("built with LIBVIRT=no")
        self.host = self.start_host("nova-guide")
        self.placement = self.start_placement()
        self.make_root()
        self.make_attaching_agent(self.way_to_placement())
        self.libvirt = FakeLibvirt(self.subdirectory("libvirt"), self.agent.host_root)
        self.addCleanup(self.libvirt.stop)
        environment = self.libvirt.environment(CLOCK_STEP=str(self.steps))
        environment["LD_PRELOAD"] += " " + program("tests/system/clock_step.so")
        self.agent.environment = environment

    def way_to_placement(self):
        return self.placement

    @property
    def provider(self):
        return self.placement.provider(f"{self.name}_pci_0000_84_00_0")["uuid"]

    def allocate(self, consumer=None):
        consumer = consumer or str(uuid.uuid4())
        self.placement.allocate(consumer, {self.provider: {"VGPU": 1}})
        return consumer

    def move(self, server, migration, units, old, generation):
        """What Nova does in one request: `units` for the server, `old` for the migration, which has that generation."""
        consumers = {consumer: {"allocations": {self.provider: {"resources": {"VGPU": count}}} if count else {},
                                "project_id": "p", "user_id": "u", "consumer_generation": number, "consumer_type": kind}
                     for consumer, count, number, kind in ((migration, old, generation, "MIGRATION"),
                                                           (server, units, (generation or 0) + 1, "INSTANCE"))}
        self.placement.expect(204, "POST", "/allocations", consumers)

    def start(self):
        """And waits until it knows all domains."""
        before = self.written()
        self.agent.start()
        wait_for(lambda: self.written() != before, "the first cycle")
        self.wait_connected()

    def wait_connected(self):
        wait_for(lambda: self.libvirt.event_sockets, "a connection for events")

    def depart(self, consumer):
        """Deletes the allocation; the daemon sees that. A deletion raises no generation, so that
        not each look would show it."""
        self.placement.deallocate(consumer)
        self.placement.expect((201, 204), "PUT", "/traits/CUSTOM_MOVED")
        self.placement.set_traits(self.provider, self.placement.traits(self.provider) | {"CUSTOM_MOVED"})
        self.cycle()
        self.agent.daemon.wait_for_output("mark released")

    def configured(self, server):
        return sorted(self.libvirt.domains[server].configured)

    def live(self, server):
        return sorted(self.libvirt.domains[server].live)

    def wait_configured(self, server, patience=None):
        wait_for(lambda: self.configured(server), f"a device for {server}", patience)
        return self.configured(server)

    def program_pid(self):
        """The pid of the daemon's vgpu-agent-libvirt."""
        return next(iter(children_called(self.agent.daemon.pid, "vgpu-agent-libvirt")), None)

    def under_way(self, server):
        wait_for(lambda: any(call.ended is None for call in self.libvirt.calls_of(ATTACH, server)),
                 "an attach under way")


class TestActions(AttachTest):
    """Nova's."""

    def test_a_guest_is_cold_plugged(self):
        """Its allocation was written a moment ago: the daemon has not seen it."""
        self.start()
        server = self.allocate()
        self.libvirt.define(server)
        device, = self.wait_configured(server, AT_ONCE)
        self.assertEqual([device], sorted(self.host.mdevs()))
        self.libvirt.start(server)
        self.assertEqual(self.live(server), [device])
        row = self.wait_for_guest(server, "attached")
        self.assertEqual((row["state"], row["mdevs"]), ("in use", [device]))
        self.assertEqual(self.agent.json("status")["guests"]["attached"], 1)
        self.libvirt.stop_domain(server)
        self.wait_for_guest(server, "configured")
        self.libvirt.start(server)
        self.wait_for_guest(server, "attached")
        self.assertEqual(len(self.libvirt.attaches(server)), 1)

    def test_what_came_too_late_is_plugged_in(self):
        self.start()
        server = self.allocate()
        with self.libvirt.changed:
            self.libvirt.define(server)
            self.libvirt.start(server)
        wait_for(lambda: self.live(server) and self.configured(server), "a device live and configured")
        self.wait_for_guest(server, "attached")

    def test_without_a_free_port_it_comes_with_the_next_start(self):
        self.start()
        server = str(uuid.uuid4())
        self.libvirt.define(server, ports=0)
        self.libvirt.start(server)
        self.allocate(server)
        self.cycle()
        self.wait_configured(server)
        row = self.wait_for_guest(server, "waits_for_port")
        self.assertEqual(self.live(server), [])
        self.step_clock(MINUTE)
        self.agent.daemon.wait_for_output("runs for more than a minute without")
        self.assertIn(row["guest"], self.agent.json("status", status=1)["problems"][0])
        self.libvirt.stop_domain(server)
        self.libvirt.start(server)
        self.wait_for_guest(server, "attached")
        self.assertEqual(self.agent.json("status")["problems"], [])

    def resize(self, server):
        """On the same host: the old allocation is the migration's, the guest's new domain has no
        device. The migration's uuid."""
        migration = str(uuid.uuid4())
        self.move(server, migration, 1, 1, None)
        self.libvirt.stop_domain(server)
        self.libvirt.undefine(server)
        self.libvirt.define(server)
        return migration

    def start_server(self):
        server = self.allocate()
        self.libvirt.define(server)
        device, = self.wait_configured(server)
        self.libvirt.start(server)
        self.wait_for_guest(server, "attached")
        return server, device

    def test_resize_and_revert(self):
        self.start()
        server, device = self.start_server()
        migration = self.resize(server)
        self.assertEqual(self.wait_configured(server, AT_ONCE), [device])
        self.libvirt.start(server)
        self.cycle()
        # The server has its old allocation again.
        self.libvirt.stop_domain(server)
        self.libvirt.undefine(server)
        self.placement.deallocate(migration)
        self.libvirt.define(server)
        self.assertEqual(self.wait_configured(server, AT_ONCE), [device])
        self.libvirt.start(server)
        self.wait_for_guest(server, "attached")
        self.assertEqual(self.live(server), [device])

    def test_a_guest_that_grows(self):
        """The table has something for it already, from before its resize."""
        self.start()
        server, device = self.start_server()
        self.libvirt.stop_domain(server)
        self.placement.allocate(server, {self.provider: {"VGPU": 2}}, generation=1)
        self.libvirt.define(server)
        wait_for(lambda: device in self.configured(server), "the device that it has", AT_ONCE)
        self.libvirt.start(server)
        wait_for(lambda: len(self.live(server)) == 2, "two devices", AT_ONCE)
        self.assertEqual(self.live(server), sorted(self.host.mdevs()))
        self.wait_for_guest(server, "attached")

    def test_a_resize_to_no_gpu_while_shut_off(self):
        """Nova neither destroys nor undefines it, and would keep the device that it finds."""
        self.start()
        server, device = self.start_server()
        self.libvirt.stop_domain(server)
        self.wait_for_guest(server, "configured")
        self.depart(server)
        wait_for(lambda: self.configured(server) == [], "a configuration without the device", AT_ONCE)
        self.libvirt.define(server)
        self.libvirt.start(server)
        for _ in range(2):
            self.cycle()
        self.assertEqual((self.live(server), self.host.mdevs()), ([], {}))

    def test_delete(self):
        self.start()
        server, device = self.start_server()
        self.libvirt.stop_domain(server)
        self.libvirt.undefine(server)
        self.depart(server)
        for _ in range(2):
            self.cycle()
        self.assertEqual(self.host.mdevs(), {})


    def expect_stranger(self, domain, device):
        """Not before a minute, and not once it has stopped."""
        self.assertEqual(self.agent.json("status")["problems"], [])
        self.step_clock(MINUTE)
        self.cycle()
        self.assertEqual(self.agent.json("status", status=1)["problems"], [
            f"the guest {domain} runs for more than a minute with {device}, and nothing is allocated to it; nobody else "
            "gets that before the guest stops"])
        self.libvirt.stop_domain(domain)
        self.libvirt.undefine(domain)
        wait_for(lambda: self.agent.try_to("status").returncode == 0, "the end of the problem")

    def test_a_guest_whose_whole_allocation_was_deleted_is_told(self):
        """As on a host that comes back after its servers were evacuated."""
        self.start()
        server, device = self.start_server()
        self.depart(server)
        self.expect_stranger(server, device)
        self.cycle()
        self.assertEqual(self.host.mdevs(), {})

    def test_a_copy_of_a_guest_is_told(self):
        """It was started first, so that the server gets another device."""
        self.start()
        server, copy = self.allocate(), str(uuid.uuid4())
        self.libvirt.define(server)
        device, = self.wait_configured(server)
        self.libvirt.define(copy, devices=[mdev_xml(device)])
        self.libvirt.start(copy)
        self.cycle()
        wait_for(lambda: self.configured(server) not in ([], [device]), "another device")
        self.expect_stranger(copy, device)

    def test_a_guest_that_moves_away_is_no_stranger(self):
        """Its allocation is the migration's, for as long as that takes."""
        self.start()
        server, _ = self.start_server()
        self.move(server, str(uuid.uuid4()), 0, 1, None)
        for _ in range(2):
            self.cycle()
        self.step_clock(MINUTE)
        self.cycle()
        self.assertEqual(self.agent.json("status")["problems"], [])

    def test_a_guest_with_a_device_made_by_hand_is_none(self):
        self.start()
        device = self.agent.run("create", "--type", "nvidia-35").strip()
        guest = str(uuid.uuid4())
        self.libvirt.define(guest, devices=[mdev_xml(device)])
        self.libvirt.start(guest)
        self.cycle()
        self.step_clock(MINUTE)
        self.cycle()
        self.assertEqual(self.agent.json("status")["problems"], [])


class TestSlowPlacement(AttachTest):
    """Nova starts a guest some milliseconds after it has defined it, and Placement says nothing of a consumer until
    much later. What was asked before counts where nothing can have changed since, and else the guest waits."""

    def way_to_placement(self):
        self.relay, self.gate = Relay(self.placement), threading.Event()
        self.gate.set()
        self.addCleanup(self.relay.stop)
        self.addCleanup(self.gate.set)
        self.relay.rule = self.hold
        return self.relay

    def hold(self, request):
        if request.path.startswith("/allocations/"):
            self.gate.wait(60)

    def wait_asked(self, server, times=1):
        """So many questions that came from now on have been answered."""
        begin = time.monotonic()
        wait_for(lambda: sum(request.path == f"/allocations/{server}" and request.when > begin and request.status == 200
                             for request in list(self.relay.requests)) >= times, "Placement's answer")

    def wait_cycle(self, action):
        before = self.written()
        action()
        wait_for(lambda: self.written() != before, "the end of a cycle")

    def start_alone(self):
        """A guest that a cycle has seen run."""
        self.start()
        server = self.allocate()
        self.libvirt.define(server)
        device, = self.wait_configured(server)
        self.libvirt.start(server)
        self.wait_for_guest(server, "attached")
        self.cycle()
        return server, device

    def take_down(self, server):
        """The first answer after it may be that to the stop."""
        self.libvirt.stop_domain(server)
        self.libvirt.undefine(server)
        self.wait_asked(server, 2)

    def resize(self, server):
        """From one device to two, on the same host: the server's two, and the migration's one."""
        migration = str(uuid.uuid4())
        self.move(server, migration, 2, 1, None)
        self.wait_cycle(lambda: self.libvirt.stop_domain(server))
        wait_for(lambda: len(self.host.mdevs()) == 3, "three devices")
        return migration

    def test_rebuild_is_cold(self):
        server, device = self.start_alone()
        self.take_down(server)
        self.gate.clear()
        self.libvirt.define(server)
        self.assertEqual(self.wait_configured(server), [device])
        self.libvirt.start(server)
        self.assertEqual(self.live(server), [device])

    def test_resize_is_cold(self):
        server, _ = self.start_alone()
        self.resize(server)
        self.gate.clear()
        self.libvirt.define(server)
        wait_for(lambda: len(self.configured(server)) == 2, "two devices")
        self.libvirt.start(server)
        self.assertEqual(len(self.live(server)), 2)

    def start_resized(self):
        server, device = self.start_alone()
        migration = self.resize(server)
        self.libvirt.define(server)
        wait_for(lambda: len(self.configured(server)) == 2, "two devices")
        self.libvirt.start(server)
        self.wait_for_guest(server, "attached")
        self.cycle()
        return server, migration

    def define_and_start_before_the_answer(self, server):
        """It starts without a device, and gets the one that the answer says while it runs."""
        before = len(self.libvirt.attaches(server))
        looks = len(self.libvirt.calls_of(XML, server))
        self.libvirt.define(server)
        wait_for(lambda: len(self.libvirt.calls_of(XML, server)) > looks, "a look at it")
        self.libvirt.start(server)
        self.assertEqual(self.live(server), [])
        self.gate.set()
        wait_for(lambda: self.live(server), "its device")
        self.wait_for_guest(server, "attached")
        self.assertEqual((len(self.live(server)), len(self.libvirt.attaches(server)) - before), (1, 1))

    def test_a_revert_waits_for_the_answer(self):
        """What was asked before its allocation came says nothing."""
        server, migration = self.start_resized()
        self.take_down(server)
        self.gate.clear()
        self.move(server, migration, 1, 0, 1)
        self.define_and_start_before_the_answer(server)

    def test_a_revert_is_cold_once_its_allocation_was_seen(self):
        server, migration = self.start_resized()
        self.take_down(server)
        self.wait_cycle(lambda: self.move(server, migration, 1, 0, 1))
        self.wait_asked(server, 2)
        self.gate.clear()
        self.libvirt.define(server)
        self.wait_configured(server)
        self.libvirt.start(server)
        self.assertEqual(len(self.live(server)), 1)

    def test_a_confirmed_resize_is_as_if_it_had_never_been(self):
        server, migration = self.start_resized()
        self.placement.deallocate(migration)
        self.cycle()
        devices = self.live(server)
        self.take_down(server)
        self.gate.clear()
        self.libvirt.define(server)
        wait_for(lambda: self.configured(server) == devices, "its devices")

    def test_unshelve_gives_what_it_has_then(self):
        server, device = self.start_alone()
        self.take_down(server)
        self.placement.deallocate(server)
        wait_for(lambda: device not in self.host.mdevs(), "the device to be removed")
        self.placement.allocate(server, {self.provider: {"VGPU": 2}})
        self.libvirt.define(server)
        wait_for(lambda: len(self.configured(server)) == 2, "two devices", AT_ONCE)

    def test_a_new_program_doubts_its_first_table(self):
        """Two devices, of which one went while no program ran."""
        self.start()
        server = str(uuid.uuid4())
        self.placement.allocate(server, {self.provider: {"VGPU": 2}})
        self.libvirt.define(server)
        wait_for(lambda: len(self.configured(server)) == 2, "two devices")
        self.gate.clear()
        os.kill(self.program_pid(), signal.SIGKILL)
        self.libvirt.undefine(server)
        self.placement.allocate(server, {self.provider: {"VGPU": 1}}, generation=1)
        self.define_and_start_before_the_answer(server)


class TestEmptiedPlacement(AttachTest):
    def way_to_placement(self):
        if not self.placement.is_own:
            self.skipTest("a shared Placement is not emptied")
        self.relay = Relay(self.placement)
        self.addCleanup(self.relay.stop)
        return self.relay

    def test_a_guest_that_is_off_keeps_its_device(self):
        """For the hour in which the allocations may be put back."""
        self.start()
        server = self.allocate()
        self.libvirt.define(server)
        device, = self.wait_configured(server)
        self.wait_for_guest(server, "configured")
        self.placement = own_placement(self.subdirectory("placement"))
        self.addCleanup(self.end, self.placement)
        self.relay.placement = self.placement
        self.cycle()
        self.agent.daemon.wait_for_output("Placement shows less than it has shown before")
        self.step_clock(MINUTE)
        self.cycle()
        if not self.placement.provider(self.name):
            self.placement.create_provider(self.name, self.root)
        for _ in range(3):
            self.cycle()
        self.assertEqual(self.row(server)["state"], "releasing")
        self.assertIn("its database was restored", self.agent.run("status", status=1))
        self.assertEqual((self.configured(server), len(self.host.mdevs())), ([device], 1))
        self.step_clock(MINUTE + 3600 + MINUTE)
        for _ in range(2):
            self.cycle()
        wait_for(lambda: self.configured(server) == [], "a configuration without the device")


class TestTrouble(AttachTest):
    def test_libvirt_hangs(self):
        """Nothing of the daemon's waits for it."""
        self.start()
        first = self.allocate()
        self.libvirt.define(first)
        self.wait_configured(first)
        self.libvirt.hang()
        second = self.allocate()
        self.libvirt.define(second)
        for _ in range(3):
            began = time.monotonic()
            self.cycle()
            self.assertLess(time.monotonic() - began, AT_ONCE)
        self.assertEqual(len(self.host.mdevs()), 2)
        self.libvirt.go_on()
        self.wait_configured(second)
        self.wait_for_guest(second, "configured")

    def test_libvirt_is_killed(self):
        """What is defined meanwhile is found when it is back."""
        self.start()
        first = self.allocate()
        self.libvirt.define(first)
        device = self.wait_configured(first)
        self.libvirt.start(first)
        self.libvirt.kill_server()
        self.agent.daemon.wait_for_output("libvirt is not connected")
        second = self.allocate()
        self.libvirt.define(second)
        self.cycle()
        self.libvirt.start_server()
        self.wait_configured(second)
        self.assertEqual(self.live(first), device)
        self.wait_for_guest(second, "configured")

    def test_the_agent_is_killed_while_libvirt_attaches(self):
        """Nothing is lost, nothing doubled."""
        self.start()
        server = self.allocate()
        rule = self.libvirt.block(ATTACH)
        self.libvirt.define(server)
        self.under_way(server)
        self.agent.daemon.kill()
        device, = self.host.mdevs()
        self.agent.start()
        wait_for(lambda: "libvirt is connected" in self.agent.daemon.output()
                 .rpartition("vgpu-agent 0.1.0 starts")[2], "the new program's connection")
        rule.open()
        self.assertEqual(self.wait_configured(server), [device])
        self.wait_for_guest(server, "configured")
        self.libvirt.start(server)
        self.wait_for_guest(server, "attached")
        self.assertEqual(self.live(server), [device])
        self.assertEqual(list(self.host.mdevs()), [device])

    def test_the_program_is_killed(self):
        self.start()
        first = self.allocate()
        self.libvirt.define(first)
        self.wait_configured(first)
        old = self.program_pid()
        os.kill(old, signal.SIGKILL)
        second = self.allocate()
        self.libvirt.define(second)
        self.wait_configured(second)
        self.assertNotEqual(self.program_pid(), old)
        self.wait_for_guest(first, "configured")

    def test_no_device_goes_while_a_guest_may_get_it(self):
        self.start()
        server = self.allocate()
        rule = self.libvirt.block(ATTACH)
        self.libvirt.define(server)
        self.under_way(server)
        device, = self.host.mdevs()
        self.depart(server)
        other = self.allocate()
        self.cycle()
        self.assertIn(device, self.host.mdevs())
        self.assertNotEqual(self.row(other)["mdevs"], [device])
        rule.open()
        self.wait_configured(server)
        # The domain names it now: it is that domain's.
        self.cycle()
        self.assertIn(device, self.host.mdevs())
        self.libvirt.undefine(server)
        wait_for(lambda: self.cycle() or device not in self.host.mdevs(), "the device to be removed")

    def test_libvirt_comes_later(self):
        self.libvirt.kill_server()
        self.agent.start()
        self.agent.daemon.wait_for_output("libvirt's socket is not there")
        wait_for(self.written, "the first cycle")
        self.assertEqual(self.agent.json("status")["attach"]["on"], False)
        self.libvirt.start_server()
        self.cycle()
        self.wait_connected()
        server = self.allocate()
        self.libvirt.define(server)
        self.wait_configured(server)


class TestAsked(AttachTest):
    options = {"attach": "libvirt"}

    def test_what_cannot_be_is_a_problem(self):
        self.libvirt.kill_server()
        self.agent.start()
        wait_for(self.written, "the first cycle")
        status = self.agent.json("status", status=1)
        self.assertIn("[agent] attach is libvirt, but guests do not get their devices: libvirt's socket is not there",
                      status["problems"][0])


class TestBesideNova(AttachTest):
    mode = "nova"
    options = {"attach": "libvirt"}

    def setUp(self):
        super().setUp()
        self.nova_makes_child()

    def test_a_guest_that_nova_left_without_is_healed(self):
        self.start()
        server, other = self.allocate(), str(uuid.uuid4())
        taken, idle = self.make_device(), self.make_device()
        self.libvirt.define(other, devices=[mdev_xml(taken)])
        self.libvirt.define(server)
        self.libvirt.start(server)
        self.cycle()
        self.wait_for_guest(server, "misses")
        self.assertEqual(self.live(server), [])
        self.step_clock(MINUTE)
        wait_for(lambda: self.live(server) == [idle], "the idle device")
        self.assertEqual(self.configured(server), [idle])
        self.wait_for_guest(server, "attached")
        self.assertEqual(len(self.libvirt.attaches(server)), 1)

    def test_novas_own_devices_are_left_alone(self):
        self.start()
        server = self.allocate()
        device = self.make_device()
        self.make_device()
        self.libvirt.define(server, devices=[mdev_xml(device)])
        self.libvirt.start(server)
        self.cycle()
        self.wait_for_guest(server, "attached")
        self.step_clock(MINUTE)
        self.cycle()
        self.assertEqual(self.libvirt.attaches(server), [])
