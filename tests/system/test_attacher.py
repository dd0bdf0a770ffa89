"""Guests and their devices: what the daemon tells vgpu-agent-libvirt, which a test plays, and
what it makes of the answers."""
import json
import os
import pathlib
import signal
import threading
import time
import uuid

from support.played_attacher import Attacher, guest, programs_with_stand_in
from support.attach_case import GPU, MINUTE, AttachCase
from support.fleet import child_name
from support.opened import opened
from support.process import preloaded, wait_for
from support.relay import CUT, Relay


class AttacherTest(AttachCase):
    simulated, gpu, unit = "nova-guide", GPU, "VGPU"

    def setUp(self):
        super().setUp()
        self.host = self.start_host(self.simulated)
        self.placement = self.start_placement()
        self.relay = Relay(self.placement)
        self.addCleanup(self.relay.stop)
        self.attacher = Attacher(self.directory)
        self.make_root()
        self.make_attaching_agent(self.relay, libvirt_uri=self.attacher.uri)
        self.addCleanup(self.end, self.attacher)
        self.agent.program = programs_with_stand_in(self.subdirectory("bin"))
        self.agent.environment = preloaded("clock_step", CLOCK_STEP=str(self.steps))

    @property
    def provider(self):
        return self.placement.provider(f"{self.name}_{child_name(self.gpu)}")["uuid"]

    def allocate(self, count=1):
        consumer = str(uuid.uuid4())
        self.placement.allocate(consumer, {self.provider: {self.unit: count}})
        return consumer

    def start(self):
        self.agent.start()
        self.attacher.wait()
        self.attacher.connect()
        self.wait_for_cycle()

    def wait_for_cycle(self):
        wait_for(self.written, "the first cycle")

    def ask(self, consumer, count=1):
        self.attacher.say(ask=consumer)
        return self.attacher.wait_for_devices(consumer, count)

    def problems(self):
        return json.loads(self.agent.try_to("--format", "json", "status").stdout)["problems"]


class TestWholeCards(AttacherTest):
    """All functions of a card go in together, and none is given back while libvirt may have one."""
    simulated, gpu, unit = "passthrough", "0000:01:00.0", "PGPU"
    sections = {"devices": {"passthrough_addresses": "0000:01:00.0"}}
    FUNCTIONS = ["0000:01:00.0", "0000:01:00.1"]

    def test_all_functions(self):
        self.start()
        consumer = self.allocate()
        self.assertEqual(self.ask(consumer, 2), self.FUNCTIONS)
        entry = self.attacher.entry(consumer)
        self.assertTrue(entry["whole"])
        for number, device in enumerate(entry["devices"]):
            self.assertIn("managed='no'", device["xml"])
            self.assertIn(f"function='0x{number}'", device["xml"])
        self.assertEqual(self.attacher.tables[-1]["ours"], self.FUNCTIONS)


class TestFunctions(AttacherTest):
    """The address of a virtual function is used again, by a device of another consumer."""
    simulated, gpu = "vendor-vfio", "0000:41:00.0"
    sections = {"devices": {"enabled_mdev_types": "NVIDIA L40S-8Q"}}

    def test_a_lost_one_is_nobody_elses_while_libvirt_may_have_it(self):
        """Its type has ended, and its consumer has gone, while libvirt works on its attach. The next one
        would get its place, and its name."""
        self.start()
        first = self.allocate()
        function, = self.ask(first)
        self.attacher.busy = [function]
        self.placement.deallocate(first)
        self.assertEqual(self.host.set_type(function, "0"), "OK")
        wait_for(lambda: self.cycle() or first not in self.attacher.wanted(), "a table without it")
        second = self.allocate()
        wait_for(lambda: self.cycle() or second in self.attacher.wanted(), "an entry for the next one")
        self.assertNotIn(function, self.attacher.wanted().get(second, []))
        self.assertIn("may just be given to a guest", " ".join(self.problems()))
        self.attacher.busy = []
        self.attacher.answer()
        self.cycle()
        self.assertEqual(self.attacher.wait_for_devices(second), [function])


class TestTables(AttacherTest):
    def test_a_question_is_answered_at_once(self):
        """The allocation was written after the last cycle; the next would be in an hour."""
        self.start()
        consumer = self.allocate()
        devices = self.ask(consumer)
        self.assertEqual(devices, sorted(self.host.mdevs()))
        entry = self.attacher.entry(consumer)
        self.assertTrue(entry["whole"])
        self.assertFalse(entry["heals"])
        self.assertIn(f"<address uuid='{devices[0]}'/>", entry["devices"][0]["xml"])
        self.assertEqual(self.attacher.tables[-1]["ours"], devices)

    def test_a_new_guest_has_its_devices_after_one_request(self):
        """Its start is some milliseconds away: nothing else comes before. What the host looks like is known from the
        last cycle, and so is the rest of Placement."""
        self.start()
        self.cycle()
        self.agent.settle()
        consumer = self.allocate(2)
        self.relay.requests.clear()
        self.relay.rule = lambda request: None if request.path == f"/allocations/{consumer}" else CUT
        self.host.control("hang */available_instances")
        devices = self.ask(consumer, 2)
        self.host.control("show")
        self.relay.rule = lambda request: None
        self.assertEqual(devices, sorted(self.host.mdevs()))
        self.assertTrue(self.attacher.entry(consumer)["whole"])
        # The cycle that follows finds all as it is to be.
        wait_for(lambda: any("in_tree" in request.path for request in self.relay.requests), "the next cycle")
        self.agent.settle()
        self.assertEqual(self.attacher.wanted()[consumer], devices)
        self.assertEqual(self.row(consumer)["state"], "ready")

    def test_a_new_guest_waits_for_no_look_at_all_processes(self):
        """Beside another consumer's device: that takes longer than Nova leaves on a host of some hundred processes. Where a
        step depends on it, the child that does the step looks itself."""
        self.start()
        self.ask(self.allocate())
        self.cycle()
        self.agent.settle()
        consumer = self.allocate()
        with opened(self.agent.host_root / "proc") as times:
            self.ask(consumer)
            self.assertEqual(times(), 0)
            self.cycle()
            self.assertGreater(times(), 0)

    def test_a_device_that_a_process_has_is_not_handed_over_to_it(self):
        """No domain names it. The child that is to clear it sees the process."""
        self.start()
        held = self.make_device()
        self.agent.hold_group(4711, (self.host.device(held) / "iommu_group").resolve().name)
        self.cycle()
        self.agent.settle()
        consumer = self.allocate()
        self.assertNotEqual(self.ask(consumer), [held])
        self.assertEqual(len(self.host.mdevs()), 2)
        self.agent.daemon.wait_for_output("process 4711 has it open")

    def doubt(self, consumer, number, life=0):
        """Waits for the answer; the table that was the last one then."""
        self.attacher.say(doubt={"consumer": consumer, "number": number, "life": life})
        wait_for(lambda: number in {sure["number"] for sure in self.attacher.sure}, "the answer to a doubt")
        return self.attacher.wanted()

    def lasts(self, consumer, number, life):
        """For how many milliseconds the answer counts."""
        self.doubt(consumer, number, life)
        return [sure["lasts"] for sure in self.attacher.sure if sure["number"] == number][0]

    def test_a_doubt_costs_one_request_where_nothing_has_changed(self):
        self.start()
        consumer = self.allocate()
        self.relay.requests.clear()
        devices = self.ask(consumer)
        wait_for(lambda: any("in_tree" in request.path for request in self.relay.requests), "the cycle that follows")
        self.agent.settle()
        self.relay.requests.clear()
        self.relay.rule = lambda request: None if request.path == f"/allocations/{consumer}" else CUT
        self.assertEqual(self.doubt(consumer, 1), {consumer: devices})
        self.assertEqual([request.path for request in self.relay.requests], [f"/allocations/{consumer}"])

    def test_a_doubt_is_answered_after_the_table_that_is_true(self):
        """A resize: what the server had is the migration's, or gone, which raises no generation."""
        self.start()
        consumer = self.allocate()
        self.ask(consumer)
        self.cycle()
        self.placement.deallocate(consumer)
        self.assertEqual(self.doubt(consumer, 1), {})
        self.placement.allocate(consumer, {self.provider: {"VGPU": 2}})
        self.assertEqual(len(self.doubt(consumer, 2)[consumer]), 2)

    def start_guest(self):
        self.start()
        consumer = self.allocate()
        self.ask(consumer)
        self.attacher.say(guest=guest(consumer, True, life=3))
        self.wait_for_guest(consumer, "misses")
        self.cycle()
        return consumer

    def test_how_long_an_answer_counts_while_the_guest_is_stopped(self):
        consumer = self.start_guest()
        self.assertEqual(self.lasts(consumer, 1, 3), 1000)
        self.assertEqual(self.lasts(consumer, 2, 4), 0)
        self.placement.allocate(consumer, {self.provider: {"VGPU": 2}}, generation=1)
        self.assertEqual(self.lasts(consumer, 3, 3), 60000)
        self.assertEqual(len(self.attacher.wanted()[consumer]), 2)

    def test_it_does_not_count_where_a_revert_may_come(self):
        consumer = self.start_guest()
        self.allocate()  # of a consumer that has no domain
        self.attacher.say(guest=guest(consumer, True, life=4))
        self.cycle()
        self.assertEqual(self.lasts(consumer, 1, 4), 0)
        self.attacher.end_program()
        self.attacher.wait(2)
        self.assertEqual(self.lasts(consumer, 2, 3), 0)

    def test_one_request_answers_what_was_asked_before_it(self):
        """The stop, its end, and the definition of a guest, while Placement was at work."""
        first, second = self.start_guest(), self.allocate()
        self.ask(second)
        self.cycle()
        self.agent.settle()
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.relay.requests.clear()
        self.relay.rule = lambda request: (request.path != f"/allocations/{first}" or gate.wait(20)) and None
        self.attacher.say(doubt={"consumer": first, "number": 1, "life": 3})
        wait_for(lambda: self.relay.requests, "the request")
        for number, life in ((2, 3), (3, 3), (4, 0)):
            self.attacher.say(doubt={"consumer": second, "number": number, "life": life})
        self.attacher.say(state={"consumer": second, "state": "failed", "reason": "heard", "age": 0, "took": -1})
        self.agent.daemon.wait_for_output("a guest has not got its device")
        gate.set()
        wait_for(lambda: len(self.attacher.sure) == 3, "the answers")
        # Of the two about the stop the program waits for the last only.
        self.assertEqual({sure["number"] for sure in self.attacher.sure}, {1, 3, 4})
        self.assertEqual([request.path for request in self.relay.requests],
                         [f"/allocations/{consumer}" for consumer in (first, second)])

    def test_a_deleted_server_holds_up_nobody(self):
        """The cycle that sees it comes soon, but a guest that is defined goes before. That nothing of
        its counts any more is said at once."""
        departed = self.start_guest()
        self.agent.settle()
        self.placement.deallocate(departed)
        consumer = self.allocate()
        self.relay.requests.clear()
        self.attacher.say(doubt={"consumer": departed, "number": 1, "life": 3})
        self.ask(consumer)
        paths = [request.path for request in self.relay.requests]
        self.assertEqual(paths[:2], [f"/allocations/{departed}", f"/allocations/{consumer}"])
        self.assertEqual([(sure["number"], sure["lasts"]) for sure in self.attacher.sure], [(1, 0)])
        wait_for(lambda: departed not in self.attacher.wanted(), "the next table")

    def test_a_write_that_fails_in_each_cycle(self):
        """What is asked is answered by what was read."""
        consumer = self.start_guest()
        self.agent.settle()
        self.placement.set_traits(self.provider, [])
        self.relay.rule = lambda request: (403, [], b"") if request.method in ("PUT", "POST") else None
        self.placement.deallocate(consumer)
        self.doubt(consumer, 1)
        self.assertNotIn(consumer, self.attacher.wanted())

    def test_a_question_of_a_program_that_has_died_is_nobodys(self):
        """Its answer is not taken for that of a question of the next program."""
        self.start()
        first, second = self.allocate(), self.allocate()
        self.ask(first)
        self.ask(second)
        self.cycle()
        self.agent.settle()
        self.placement.deallocate(second)
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.relay.requests.clear()
        self.relay.rule = lambda request: (request.path != f"/allocations/{first}" or gate.wait(20)) and None
        self.attacher.say(doubt={"consumer": first, "number": 1, "life": 0})
        wait_for(lambda: self.relay.requests, "the request")
        self.attacher.end_program()
        self.attacher.wait(2)
        self.attacher.say(doubt={"consumer": second, "number": 1, "life": 0})
        self.attacher.say(state={"consumer": second, "state": "failed", "reason": "heard", "age": 0, "took": -1})
        self.agent.daemon.wait_for_output("a guest has not got its device")
        gate.set()
        wait_for(lambda: self.attacher.sure, "the answer")
        self.assertEqual([sure["consumer"] for sure in self.attacher.sure], [second])
        self.assertNotIn(second, self.attacher.wanted())

    def test_a_full_card_gives_no_guest_what_is_anothers(self):
        """The last cycle has seen room that is not there any more."""
        self.start()
        self.cycle()
        for _ in range(16):
            self.host.create(GPU, "nvidia-35", str(uuid.uuid4()))
        consumer = self.allocate()
        self.attacher.say(ask=consumer)
        wait_for(lambda: self.row(consumer)["state"] == "failed", "the allocation to fail")
        self.assertFalse(self.attacher.wanted().get(consumer))

    def test_a_guest_without_gpu_costs_one_request(self):
        self.start()
        self.cycle()
        self.relay.requests.clear()
        stranger, consumer = str(uuid.uuid4()), self.allocate()
        self.attacher.say(ask=stranger)
        self.ask(consumer)
        paths = [request.path for request in self.relay.requests]
        self.assertEqual(paths[:2], [f"/allocations/{stranger}", f"/allocations/{consumer}"])

    def test_questions_at_once_are_answered_by_one_cycle(self):
        self.start()
        consumers = [self.allocate() for _ in range(3)]
        self.relay.requests.clear()
        for consumer in consumers:
            self.attacher.say(ask=consumer)
        for consumer in consumers:
            self.attacher.wait_for_devices(consumer)
        trees = [request for request in self.relay.requests if "in_tree" in request.path]
        self.assertLessEqual(len(trees), 2)

    def test_questions_outlive_an_outage(self):
        self.start()
        consumer = self.allocate()
        self.relay.rule = lambda request: CUT
        self.attacher.say(ask=consumer)
        self.agent.daemon.wait_for_output("devices stay as they are")
        self.relay.rule = lambda request: None
        self.attacher.wait_for_devices(consumer)


class TestDepartures(AttacherTest):
    """Nova deletes a server's allocation some seconds after its domain, and that raises no generation."""
    options = {"sync_interval": 1}

    def looks(self):
        """For each cycle since the list of requests was cleared: whether it read the tree, and how many requests it sent."""
        cycles = []
        for request in list(self.relay.requests):
            if request.method != "GET":
                continue
            if "in_tree" in request.path:
                cycles.append([True, 1])
            elif cycles:
                cycles[-1][1] += 1
        return cycles

    def start_with_guest(self):
        self.start()
        consumer = self.allocate()
        self.ask(consumer)
        self.attacher.say(guest=guest(consumer))
        self.agent.settle()
        return consumer

    def wait_for_half_look(self):
        """So that the next three cycles would read no allocations."""
        self.relay.requests.clear()
        wait_for(lambda: self.relay.requests and self.relay.requests[-1].path.endswith("/allocations"), "a half look")
        self.relay.requests.clear()

    def test_a_deleted_server_is_seen_in_the_next_cycle(self):
        consumer = self.start_with_guest()
        self.wait_for_half_look()
        self.attacher.say(gone=consumer)
        self.placement.deallocate(consumer)
        wait_for(lambda: consumer not in self.attacher.wanted(), "a table without it")
        self.assertLessEqual(len(self.looks()), 2)

    def test_one_that_went_while_nobody_looked_is_seen_as_well(self):
        consumer = self.start_with_guest()
        self.attacher.end_program()
        self.attacher.wait(2)
        wait_for(lambda: consumer in (self.attacher.wanted() or {}), "the table again")
        self.wait_for_half_look()
        self.placement.deallocate(consumer)
        self.attacher.connect()
        wait_for(lambda: consumer not in self.attacher.wanted(), "a table without it")
        self.assertLessEqual(len(self.looks()), 2)

    def test_it_is_not_waited_for_without_end(self):
        """Its allocation stands: a rebuild, or a move."""
        consumer = self.start_with_guest()
        self.wait_for_half_look()
        self.attacher.say(gone=consumer)
        wait_for(lambda: any(count == 2 for _, count in self.looks()), "a second request")
        self.step_clock(121)
        self.wait_for_half_look()
        wait_for(lambda: len(self.looks()) >= 3, "three cycles")
        self.assertEqual([count for _, count in self.looks()[:2]], [1, 1])

    def test_one_that_is_back_is_not_waited_for(self):
        consumer = self.start_with_guest()
        self.wait_for_half_look()
        self.attacher.say(gone=consumer)
        wait_for(lambda: any(count == 2 for _, count in self.looks()), "a second request")
        self.attacher.say(guest=guest(consumer))
        self.wait_for_half_look()
        wait_for(lambda: len(self.looks()) >= 3, "three cycles")
        self.assertEqual([count for _, count in self.looks()[:2]], [1, 1])


class TestTakingBack(AttacherTest):
    def depart(self, consumer):
        """Deletes the allocation; the daemon sees that, and tries to remove the device. A
        deletion raises no generation, so that not each look would show it."""
        self.placement.deallocate(consumer)
        self.placement.expect((201, 204), "PUT", "/traits/CUSTOM_MOVED")
        self.placement.set_traits(self.provider, self.placement.traits(self.provider) | {"CUSTOM_MOVED"})
        self.cycle()
        self.agent.daemon.wait_for_output("mark released")

    def is_there(self, device):
        return (self.host.root / "bus/mdev/devices" / device).exists()

    def assert_stays(self, device):
        for _ in range(2):
            self.assertTrue(self.is_there(device))
            self.cycle()

    def assert_absent(self, device):
        for _ in range(2):
            self.assertFalse(self.is_there(device))
            self.cycle()
            self.assertFalse(any(device in devices for devices in self.attacher.wanted().values()))

    def assert_goes(self, device):
        """With the cycle after the program's answer."""
        def goes():
            self.cycle()
            return not self.is_there(device)
        wait_for(goes, "the removal")

    def test_a_device_goes_once_nobody_can_get_it(self):
        self.start()
        consumer = self.allocate()
        device, = self.ask(consumer)
        self.attacher.answers = False
        self.depart(consumer)
        self.assert_stays(device)
        self.assertIn("may just be given to a guest", " ".join(self.problems()))
        self.attacher.busy = [device]
        self.attacher.answer()
        self.assert_stays(device)
        self.attacher.busy = []
        self.attacher.answer()
        self.assert_goes(device)
        self.assertNotIn(consumer, self.attacher.wanted())

    def test_what_a_dead_program_left_to_libvirt_is_waited_for(self):
        self.start()
        consumer = self.allocate()
        device, = self.ask(consumer)
        self.attacher.end_program()
        self.attacher.wait(2)
        wait_for(lambda: consumer in self.attacher.wanted(), "the table again")
        self.depart(consumer)
        self.assert_stays(device)
        self.attacher.connect()
        self.assert_stays(device)
        self.step_clock(MINUTE)
        self.assert_goes(device)

    def test_a_program_that_does_not_answer_is_ended(self):
        """Told after half a minute, whatever else it is sent; and what it may have left to libvirt is waited for."""
        self.start()
        self.attacher.answers = False
        first = self.allocate()
        device, = self.ask(first)
        self.step_clock(31)
        self.ask(self.allocate())
        self.cycle()
        self.assertIn("vgpu-agent-libvirt does not answer", " ".join(self.problems()))
        self.assertEqual(self.attacher.connections, 1)
        self.step_clock(MINUTE)
        self.cycle()
        self.agent.daemon.wait_for_output("vgpu-agent-libvirt does not answer")
        self.attacher.answers = True
        self.attacher.wait(2)
        wait_for(lambda: first in (self.attacher.wanted() or {}), "the table again")
        self.depart(first)
        self.assert_stays(device)

    def test_the_daemon_is_killed_while_libvirt_works(self):
        self.start()
        consumer = self.allocate()
        device, = self.ask(consumer)
        self.agent.daemon.kill()
        self.agent.start()
        self.attacher.wait(2)
        self.assertEqual(self.attacher.wait_for_devices(consumer), [device])
        self.depart(consumer)
        self.attacher.connect()
        self.assert_stays(device)
        self.step_clock(MINUTE)
        self.assert_goes(device)

    def test_the_daemon_is_killed_and_commands_act(self):
        """They can ask no program: the rule is the new daemon's."""
        self.start()
        consumer = self.allocate()
        device, = self.ask(consumer)
        self.agent.daemon.kill()
        self.agent.daemon = None
        self.placement.deallocate(consumer)
        wait_for(lambda: "may just be given to a guest" in self.agent.try_to("sync").stdout, "the refusal")
        self.assertIn("may just be given to a guest", self.agent.try_to("remove", device).stderr)
        self.assertTrue(self.is_there(device))
        self.step_clock(4 * MINUTE)
        self.agent.try_to("sync")
        self.assertTrue(self.is_there(device))
        self.step_clock(5 * MINUTE)
        self.agent.try_to("sync")
        self.assertFalse(self.is_there(device))

    def test_it_is_noted_before_the_program_starts(self):
        """So also before the first table, and whatever the first cycle waits for."""
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.relay.rule = lambda request: gate.wait(20) and None
        self.agent.start()
        self.attacher.wait()
        noted = json.loads(pathlib.Path(f"{self.agent.state_file}.guests").read_text())
        self.assertTrue(noted["may_be_left"])
        self.assertEqual(self.attacher.tables, [])

    def turn_off(self):
        """By the files."""
        self.options = {"attach": "none"}
        self.agent.configure(self.configuration())
        self.agent.run("reload")
        wait_for(lambda: not json.loads(self.agent.try_to("--format", "json", "status").stdout)["attach"]["on"], "nobody to attach")

    def test_what_libvirt_still_does_outlives_attach_none_and_a_restart(self):
        self.start()
        consumer = self.allocate()
        device, = self.ask(consumer)
        self.turn_off()
        self.assertEqual(self.agent.stop(), 0)
        before = self.written()
        self.agent.start()
        wait_for(lambda: self.written() != before, "the first cycle")
        self.depart(consumer)
        self.assert_stays(device)
        self.step_clock(5 * MINUTE)
        self.assert_goes(device)

    def test_what_is_made_again_for_another_consumer_waits_as_well(self):
        """The server has gone, and its device with it; the next consumer is taken for its migration, and would get
        a device of the same name."""
        self.start()
        first = self.allocate()
        device, = self.ask(first)
        self.attacher.busy = [device]
        self.placement.deallocate(first)
        self.host.remove(device)
        second = self.allocate()
        wait_for(lambda: self.cycle() or second in self.attacher.wanted(), "an entry for the next one")
        self.assert_absent(device)
        self.attacher.busy = []
        self.attacher.answer()
        self.cycle()
        self.attacher.wait_for_devices(second)

    def test_what_libvirt_says_holds_a_device(self):
        """No file of libvirt's names it."""
        self.start()
        consumer = self.allocate()
        device, = self.ask(consumer)
        self.attacher.say(guest=guest(consumer, configured=[device]))
        self.depart(consumer)
        self.assert_stays(device)
        self.attacher.say(gone=consumer)
        self.assert_goes(device)


class TestGuests(AttacherTest):
    def test_how_a_guest_stands_is_shown(self):
        self.start()
        consumer = self.allocate()
        device, = self.ask(consumer)
        self.wait_for_guest(consumer, "absent")
        self.attacher.say(guest=guest(consumer, configured=[device]))
        self.wait_for_guest(consumer, "configured")
        self.attacher.say(guest=guest(consumer, True, [device], [device]))
        row = self.wait_for_guest(consumer, "attached")
        self.assertLess(abs(row["guest_since"] - time.time()), 60)
        status = self.agent.json("status")
        self.assertEqual(status["guests"]["attached"], 1)
        self.assertEqual(status["attach"], {"on": True, "reason": None})
        self.attacher.say(guest=guest(consumer, True))
        self.attacher.say(state={"consumer": consumer, "state": "failed",
                                 "reason": "internal error: no", "age": 0, "took": -1})
        self.assertEqual(self.wait_for_guest(consumer, "failed")["guest_reason"], "internal error: no")
        self.assertIn("guest: failed: internal error: no", self.agent.run("allocations"))
        self.attacher.end_program()
        self.wait_for_guest(consumer, "absent")

    def test_a_guest_that_runs_without_is_told(self):
        self.start()
        consumer = self.allocate()
        self.ask(consumer)
        self.attacher.say(guest=guest(consumer, True))
        self.wait_for_guest(consumer, "misses")
        self.assertEqual(self.problems(), [])
        self.step_clock(MINUTE)
        self.agent.daemon.wait_for_output("runs for more than a minute without")
        self.assertIn(consumer, self.problems()[0])
        self.attacher.say(gone=consumer)
        self.agent.daemon.wait_for_output("over: the guest of consumer")


class TestSlowDisk(AttacherTest):
    """A disk that takes three seconds for each fsync()."""
    SYNC = 3.0

    def test_how_guests_stand_is_noted_without_waiting_for_it(self):
        """The next guest may be about to start."""
        self.start()
        consumer = self.allocate()
        device, = self.ask(consumer)
        self.agent.settle()
        self.assertEqual(self.agent.stop(), 0)
        self.agent.environment = preloaded("slow_sync", SLOW_SYNC_MS=str(int(1000 * self.SYNC)))
        self.agent.start()
        self.attacher.wait(2)
        self.attacher.connect()
        self.attacher.wait_for_devices(consumer)
        self.agent.settle()
        self.attacher.say(guest=guest(consumer, configured=[device]))
        self.wait_for_guest(consumer, "configured")
        began = time.monotonic()
        for number, configured in ((1, []), (2, [device]), (3, [])):
            self.attacher.say(guest=guest(consumer, configured=configured))
            self.wait_for_guest(consumer, "configured" if configured else "misses")
            self.attacher.say(doubt={"consumer": consumer, "number": number, "life": 0})
            wait_for(lambda: number in {sure["number"] for sure in self.attacher.sure}, "the answer to a doubt")
        self.assertLess(time.monotonic() - began, 2 * self.SYNC)


class TestNobodyAttaches(AttacherTest):
    options = {"attach": "none"}

    def test_a_guest_that_runs_without_is_told(self):
        """By libvirt's files, and between two cycles."""
        self.agent.start()
        wait_for(lambda: self.agent.daemon.output().count("set inventory"), "its inventory")
        consumer = self.allocate()
        os.kill(self.agent.daemon.pid, signal.SIGUSR1)
        wait_for(lambda: self.agent.json("allocations") and
                 self.agent.json("allocations")[0]["state"] == "ready", "its device")
        self.wait_for_guest(consumer, "absent")
        self.agent.define_domain(consumer, [], running=True)
        row = self.wait_for_guest(consumer, "misses")
        self.assertEqual(row["guest_reason"], "[agent] attach is none")
        self.step_clock(MINUTE)
        self.agent.daemon.wait_for_output("runs for more than a minute without")
        self.assertEqual(self.attacher.connections, 0)

    def test_what_cannot_be_seen_is_unknown(self):
        (self.agent.host_root / "run/libvirt/qemu").rmdir()
        self.agent.start()
        self.wait_for_cycle()
        consumer = self.allocate()
        self.cycle()
        self.assertEqual(self.row(consumer)["guest"], "unknown")
        self.assertEqual(self.agent.json("status", status=1)["guests"]["unknown"], 1)


class TestHealing(AttacherTest):
    """In nova mode: after `resize` and `revert` on the same host, nova-compute starts the guest
    without the device that its allocation stands for."""
    mode = "nova"
    options = {"attach": "libvirt"}

    def setUp(self):
        super().setUp()
        self.nova_makes_child()
        self.start()

    def lose(self, consumer):
        """The guest runs, and a minute later it still has no device."""
        self.agent.define_domain(consumer, [], running=True)
        self.attacher.say(guest=guest(consumer, True))
        self.cycle()
        self.assertEqual(self.attacher.wanted(), {})
        self.step_clock(MINUTE)

    def test_a_guest_gets_an_idle_device(self):
        consumer, other = self.allocate(), str(uuid.uuid4())
        taken, idle = sorted([self.make_device(), self.make_device()])
        self.agent.define_domain(other, [taken])
        self.lose(consumer)
        self.assertEqual(self.attacher.wait_for_devices(consumer), [idle])
        entry = self.attacher.entry(consumer)
        self.assertTrue(entry["heals"])
        self.agent.define_domain(consumer, [idle], running=True)
        self.attacher.say(guest=guest(consumer, True, [idle], [idle]))
        self.cycle()
        wait_for(lambda: self.attacher.wanted() == {}, "a table without the guest")
        wait_for(lambda: self.row(consumer)["guest"] == "attached", "a guest that has it")

    def test_each_guest_gets_another_one(self):
        consumers = [self.allocate() for _ in range(3)]
        devices = {self.make_device() for _ in range(2)}
        for consumer in consumers[1:]:
            self.agent.define_domain(consumer, [], running=True)
            self.attacher.say(guest=guest(consumer, True))
        self.lose(consumers[0])
        wait_for(lambda: len(self.attacher.wanted()) == 2, "two guests to be healed")
        given = [device for devices in self.attacher.wanted().values() for device in devices]
        self.assertEqual(set(given), devices)
        self.cycle()
        self.assertEqual(sorted(given), sorted(
            device for devices in self.attacher.wanted().values() for device in devices))

    def test_a_device_that_only_libvirt_knows_of_is_not_idle(self):
        consumer, other = self.allocate(), str(uuid.uuid4())
        device = self.make_device()
        self.attacher.say(guest=guest(other, configured=[device]))
        self.lose(consumer)
        self.agent.daemon.wait_for_output("runs for more than a minute without")
        self.cycle()
        self.assertEqual(self.attacher.wanted(), {})


class TestNovasOwnPci(AttacherTest):
    """In mode nova-pci nova-compute gives guests their functions, and the agent none, also where it is told to attach."""
    simulated, gpu, mode = "vendor-vfio", "0000:41:00.0", "nova-pci"
    options = {"attach": "libvirt"}
    sections = {"devices": {"enabled_mdev_types": "nvidia-1147"},
                "mdev_nvidia-1147": {"device_addresses": "0000:41:00.4", "mdev_class": "CUSTOM_L40S_1Q"}}

    def test_a_question_costs_nothing(self):
        self.start()
        self.agent.settle()
        self.relay.requests.clear()
        self.attacher.say(ask=str(uuid.uuid4()))
        self.attacher.say(doubt={"consumer": str(uuid.uuid4()), "number": 1, "life": 0})
        wait_for(lambda: self.attacher.sure, "the answer")
        self.assertEqual([request.path for request in self.relay.requests], [])
        self.assertEqual(self.attacher.wanted(), {})
