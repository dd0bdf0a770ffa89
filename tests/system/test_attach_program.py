"""vgpu-agent-libvirt, with the test as its daemon and as its libvirt."""
import json
import os
import pathlib
import re
import socket
import subprocess
import uuid

from support import libvirt
from support.attach_program import AttachProgram, wanted
from support.case import SystemTest
from support.hostdev import mdev_xml, pci_xml
from support.libvirt import ATTACH, CONFIG, DETACH, LIVE, FakeLibvirt
from support.process import BUILD, program, run, wait_for

LOOK_UP, XML, OPEN, LIST = "virDomainLookupByUUIDString", "virDomainGetXMLDesc", "virConnectOpen", "virConnectListAllDomains"
CARD = "0000:41:00.4"
WORKERS = 8
IN_CONFIGURATION = "Requested operation is not valid: device is already in the domain configuration"


def new():
    return str(uuid.uuid4())


class ProgramTest(SystemTest):
    def setUp(self):
        super().setUp()
        if not (BUILD / "vgpu-agent-libvirt").exists():
            self.skipTest("built with LIBVIRT=no")
        self.libvirt = FakeLibvirt(self.subdirectory("libvirt"))
        self.addCleanup(self.libvirt.stop)
        self.server, self.device = new(), new()

    def start(self, *options):
        self.program = AttachProgram(self.subdirectory("program"), self.libvirt.environment(), *options)
        self.addCleanup(self.end, self.program)
        return self.program

    def start_connected(self, *options):
        self.start(*options).wait_all()

    def attached(self, *addresses):
        """What a guest has that runs with these devices, and will have at its next start."""
        def fits(guest):
            return guest["live"] == sorted(addresses) and guest["configured"] == sorted(addresses)
        return fits

    def wait_attached(self, server, *addresses):
        self.program.wait_guest(server, self.attached(*addresses))
        return self.program.wait_state(server, "attached")

    def call_under_way(self, name, server=None):
        def look():
            return any(call.ended is None for call in self.libvirt.calls_of(name, server))
        wait_for(look, f"{name} under way")


class AtDefined(ProgramTest):
    """Before Nova starts the guest: a cold plug."""

    def test_the_configuration_gets_all_devices(self):
        self.start_connected()
        other = new()
        self.program.want(wanted(self.server, self.device, other))
        self.libvirt.define(self.server)
        self.program.wait_state(self.server, "configured")
        guest = self.program.wait_guest(self.server, lambda guest: len(guest["configured"]) == 2)
        self.assertEqual((guest["running"], guest["persistent"], guest["live"]), (False, True, []))
        self.assertEqual(sorted(self.libvirt.attaches(self.server)), sorted([(self.device, CONFIG), (other, CONFIG)]))
        # The guest starts with them, and nothing is left to be done.
        self.libvirt.start(self.server)
        self.wait_attached(self.server, self.device, other)
        self.assertEqual(len(self.libvirt.attaches(self.server)), 2)

    def test_few_questions_before_the_attach(self):
        """Each is a round trip, and Nova leaves 4 ms at a revert: lookup, XML, attach."""
        self.start_connected()
        self.program.want()  # a first table would be doubtful
        self.program.want(wanted(self.server, self.device))
        self.libvirt.define(self.server)
        self.program.wait_state(self.server, "configured")
        names = [call.name for call in self.libvirt.calls if call.is_about(self.server)]
        self.assertEqual(names[:3], [LOOK_UP, XML, ATTACH])

    def test_a_lost_race_is_made_up_for_at_started(self):
        """The configuration's attach waits for the start that has begun."""
        self.start_connected()
        self.program.want(wanted(self.server, self.device))
        rule = self.libvirt.block(XML, self.server)
        self.libvirt.define(self.server)
        self.call_under_way(XML)
        rule_attach = self.libvirt.block(ATTACH, self.server)
        rule.open()
        self.call_under_way(ATTACH)
        self.libvirt.begin_start(self.server)
        rule_attach.open()
        self.libvirt.end_start(self.server)
        self.wait_attached(self.server, self.device)
        self.assertEqual(self.libvirt.attaches(self.server)[0], (self.device, CONFIG))
        self.assertEqual(self.libvirt.attaches(self.server)[-1], (self.device, LIVE))

    def test_a_start_at_once_as_at_a_revert(self):
        self.start_connected()
        servers = {new(): new() for _ in range(20)}
        self.program.want(*(wanted(server, device) for server, device in servers.items()))
        for server in servers:
            self.libvirt.define(server)
            self.libvirt.start(server)
        for server, device in servers.items():
            self.wait_attached(server, device)

    def test_a_wrong_device_of_ours_is_replaced(self):
        """A resize; a consumer that was renamed. What is not ours stays."""
        self.start_connected()
        old, foreign = new(), new()
        self.program.want(wanted(self.server, self.device), ours=[old])
        self.libvirt.define(self.server, devices=[mdev_xml(old), mdev_xml(foreign)])
        self.program.wait_state(self.server, "configured")
        self.program.wait_guest(self.server, lambda guest: guest["configured"] == sorted([self.device, foreign]))
        self.assertEqual(len(self.libvirt.calls_of(DETACH, self.server)), 1)

    def test_somebody_else_takes_it_out_first(self):
        self.start_connected()
        old = new()
        self.program.want(wanted(self.server, self.device), ours=[old])
        rule = self.libvirt.block(DETACH)
        self.libvirt.define(self.server, devices=[mdev_xml(old)])
        self.call_under_way(DETACH)
        self.libvirt.define(self.server)
        rule.open()
        self.assertIsNone(self.program.wait_state(self.server, "configured")["reason"])

    def test_it_is_there_already(self):
        """Somebody else was quicker: that is success."""
        self.start_connected()
        self.program.want(wanted(self.server, self.device))
        rule = self.libvirt.block(ATTACH)
        self.libvirt.define(self.server)
        self.call_under_way(ATTACH)
        self.libvirt.define(self.server, devices=[mdev_xml(self.device)])
        rule.open()
        self.assertIsNone(self.program.wait_state(self.server, "configured")["reason"])
        self.assertIn(IN_CONFIGURATION, str(self.libvirt.calls_of(ATTACH)[0].refused))
        self.assertNotIn("failed", {state["state"] for state in self.program.all_of("state")})

    def test_a_card_comes_back_at_each_definition(self):
        """Nova takes only mediated devices over from the old XML: at a hard reboot a PCI device is gone."""
        self.start_connected()
        self.program.want(wanted(self.server, CARD, xml=pci_xml))
        for i in range(3):
            self.libvirt.define(self.server)
            wait_for(lambda: len(self.libvirt.attaches(self.server)) > i, "the next attach")
            self.program.wait_state(self.server, "configured")
            self.libvirt.start(self.server)
            self.wait_attached(self.server, CARD)
            self.libvirt.stop_domain(self.server)
            self.program.wait_guest(self.server, lambda guest: not guest["running"])
        self.assertEqual(self.libvirt.attaches(self.server), [(CARD, CONFIG)] * 3)


class WhileItRuns(ProgramTest):
    def test_a_device_that_comes_late_is_plugged_in(self):
        self.start_connected()
        self.libvirt.define(self.server)
        self.libvirt.start(self.server)
        self.program.wait_guest(self.server, lambda guest: guest["running"])
        self.program.want(wanted(self.server, self.device))
        self.wait_attached(self.server, self.device)
        self.assertEqual(self.libvirt.attaches(self.server), [(self.device, LIVE | CONFIG)])

    def test_whose_uuid_has_no_entry_is_asked_for_at_once(self):
        self.start_connected()
        self.program.want()
        self.libvirt.define(self.server)
        self.program.wait_message("ask", "ask", lambda domain: domain == self.server)
        self.program.want(wanted(self.server, self.device))
        self.program.wait_state(self.server, "configured")
        self.assertEqual(self.libvirt.attaches(self.server), [(self.device, CONFIG)])

    def test_no_port_is_free(self):
        """q35: with LIVE and CONFIG neither half is applied. It has the device at its next start."""
        self.start_connected()
        self.libvirt.define(self.server, ports=0)
        self.libvirt.start(self.server)
        self.program.want(wanted(self.server, self.device))
        self.program.wait_state(self.server, "waits_for_port")
        self.program.wait_guest(self.server, lambda guest: guest["configured"] == [self.device] and not guest["live"])
        self.assertEqual(self.libvirt.attaches(self.server), [(self.device, LIVE | CONFIG), (self.device, CONFIG)])
        self.libvirt.stop_domain(self.server)
        self.libvirt.start(self.server)
        self.wait_attached(self.server, self.device)

    def test_three_devices_and_one_port(self):
        self.start_connected()
        devices = [new() for _ in range(3)]
        self.libvirt.define(self.server, ports=1)
        self.libvirt.start(self.server)
        self.program.want(wanted(self.server, *devices))
        self.program.wait_state(self.server, "waits_for_port")
        guest = self.program.wait_guest(self.server, lambda guest: guest["configured"] == sorted(devices))
        self.assertEqual(len(guest["live"]), 1)

    def test_a_transient_guest_has_it_live_only(self):
        self.start_connected()
        self.program.want(wanted(self.server, self.device))
        self.libvirt.create_transient(self.server)
        guest = self.program.wait_guest(self.server, lambda guest: guest["live"] == [self.device])
        self.assertEqual((guest["persistent"], guest["configured"]), (False, []))
        self.program.wait_state(self.server, "attached")
        self.assertEqual(self.libvirt.attaches(self.server), [(self.device, LIVE)])

    def test_another_guest_has_it(self):
        self.start_connected()
        thief = new()
        self.libvirt.define(thief, devices=[mdev_xml(self.device)])
        self.libvirt.start(thief)
        self.program.want(wanted(self.server, self.device))
        self.libvirt.define(self.server)
        self.libvirt.start(self.server)
        state = self.program.wait_state(self.server, "failed")
        self.assertIn(f"is in use by driver QEMU, domain instance-{thief[:8]}", state["reason"])

    def test_the_host_does_not_have_it_yet(self):
        self.libvirt.missing.add(self.device)
        self.start_connected()
        self.libvirt.define(self.server)
        self.libvirt.start(self.server)
        self.program.want(wanted(self.server, self.device))
        self.assertIn("not found", self.program.wait_state(self.server, "failed")["reason"])
        self.libvirt.missing.clear()
        self.wait_attached(self.server, self.device)

    def test_it_is_put_off_after_a_resume(self):
        """Nova attaches what its suspend has detached, and fails where that is there already."""
        self.start_connected()
        self.libvirt.define(self.server, devices=[mdev_xml(self.device)])
        self.libvirt.start(self.server)
        self.program.want(wanted(self.server, self.device))
        self.wait_attached(self.server, self.device)
        self.libvirt.plug_out(self.server, self.device)
        self.libvirt.stop_domain(self.server)
        self.program.wait_guest(self.server, lambda guest: not guest["running"])
        before = len(self.libvirt.calls_of(ATTACH))
        self.libvirt.start(self.server, libvirt.RESTORED)
        # Somebody else's whole life in the meantime.
        self.a_guest_of_another_consumer()
        self.assertEqual(len(self.libvirt.attaches(self.server)), before)

    def a_guest_of_another_consumer(self):
        server, device = new(), new()
        self.program.want(wanted(self.server, self.device), wanted(server, device))
        self.libvirt.define(server)
        self.program.wait_state(server, "configured")

    def test_it_stops_under_the_call(self):
        """The device is in the configuration, which is what a guest that does not run can have."""
        self.start_connected()
        self.libvirt.define(self.server)
        self.libvirt.start(self.server)
        rule = self.libvirt.block(ATTACH)
        self.program.want(wanted(self.server, self.device))
        self.call_under_way(ATTACH)
        self.libvirt.stop_domain(self.server)
        rule.open()
        self.assertIsNone(self.program.wait_state(self.server, "configured")["reason"])

    def test_it_stops_under_the_look(self):
        """Without flags libvirt then gives the configuration, which must not pass for what the guest has."""
        self.start_connected()
        self.libvirt.define(self.server)
        self.libvirt.start(self.server)
        self.program.wait_guest(self.server, lambda guest: guest["running"])
        self.libvirt.domains[self.server].configured[self.device] = mdev_xml(self.device)
        rule = self.libvirt.block(XML, self.server)
        self.libvirt.tell_device(self.libvirt.domains[self.server], libvirt.DEVICE_REMOVAL_FAILED, "hostdev0")
        self.call_under_way(XML)
        self.libvirt.stop_domain(self.server)
        rule.open()
        self.program.wait_guest(self.server, lambda guest: not guest["running"])
        told = [guest for guest in self.program.all_of("guest") if guest["uuid"] == self.server]
        self.assertFalse([guest for guest in told if guest["live"]], told)

    def test_a_guest_that_goes_is_told(self):
        self.start_connected()
        self.program.want(wanted(self.server, self.device))
        self.libvirt.define(self.server)
        self.libvirt.start(self.server)
        self.wait_attached(self.server, self.device)
        self.libvirt.undefine(self.server)
        self.program.wait_guest(self.server, lambda guest: not guest["persistent"])
        self.libvirt.stop_domain(self.server)
        self.program.wait_message("gone", "gone", lambda domain: domain == self.server)
        self.program.wait_state(self.server, "absent")


class Workers(ProgramTest):
    def test_one_that_waits_holds_up_no_other(self):
        """Eight more guests, each of which is served while the ninth's call waits."""
        self.start_connected()
        servers = {new(): new() for _ in range(WORKERS)}
        entries = [wanted(server, device) for server, device in servers.items()]
        self.program.want(wanted(self.server, self.device), *entries)
        rule = self.libvirt.block(ATTACH, self.server)
        self.libvirt.define(self.server)
        self.call_under_way(ATTACH, self.server)
        for server in servers:
            self.libvirt.define(server)
        for server in servers:
            self.program.wait_state(server, "configured")
        self.call_under_way(ATTACH, self.server)
        rule.open()
        self.program.wait_state(self.server, "configured")

    def test_more_wait_than_there_are_workers(self):
        self.start_connected()
        servers = {new(): new() for _ in range(3 * WORKERS)}
        self.program.want(*(wanted(server, device) for server, device in servers.items()))
        rule = self.libvirt.block(ATTACH)
        for server in servers:
            self.libvirt.define(server)
        wait_for(lambda: len(self.libvirt.calls_of(ATTACH)) == WORKERS, "as many calls as workers")
        # Each over a connection of its own, none over that of the events.
        connections = {call.connection for call in self.libvirt.calls_of(ATTACH)}
        self.assertEqual(len(connections), WORKERS)
        self.assertNotIn(self.libvirt.calls_of(LIST)[0].connection, connections)
        rule.open()
        for server in servers:
            self.program.wait_state(server, "configured")
        for server in servers:
            self.assertEqual(len(self.libvirt.attaches(server)), 1)

    def test_a_connection_that_does_not_open_holds_up_nobody(self):
        """libvirtd lets clients wait that are more than its max_clients; those that it has let in are served."""
        rule = self.libvirt.block(OPEN, passing=2)
        self.start_connected()
        servers = {new(): new() for _ in range(3)}
        self.program.want(*(wanted(server, device) for server, device in servers.items()))
        for server in servers:
            self.libvirt.define(server)
        for server in servers:
            self.program.wait_state(server, "configured")
        self.assertEqual(len([call for call in self.libvirt.calls_of(OPEN) if call.ended]), 2)
        rule.open()
        wait_for(lambda: len(self.libvirt.calls_of(libvirt.KEEPALIVE)) == 1 + WORKERS, "all connections")

    def test_one_call_of_a_guest_at_a_time(self):
        self.start_connected()
        self.program.want(wanted(self.server, self.device))
        rule = self.libvirt.block(ATTACH, self.server)
        domain = self.libvirt.define(self.server)
        self.call_under_way(ATTACH, self.server)
        for _ in range(20):
            self.libvirt.tell(domain, libvirt.DEFINED, 1)
        self.a_word_is_answered()
        self.assertEqual(len([call for call in self.libvirt.calls if call.is_about(self.server) and call.ended is None]), 1)
        rule.open()
        self.program.wait_state(self.server, "configured")
        self.assertEqual(self.libvirt.attaches(self.server), [(self.device, CONFIG)])

    def a_word_is_answered(self):
        """So all events before it were taken."""
        other = new()
        self.libvirt.define(other)
        self.program.wait_guest(other, lambda guest: True)

    def test_every_connection_is_kept_alive(self):
        self.start_connected()
        kept = wait_for(lambda: len(calls := self.libvirt.calls_of(libvirt.KEEPALIVE)) == 1 + WORKERS and calls,
                        "keepalive of all connections")
        self.assertEqual({call.connection for call in kept}, {call.connection for call in self.libvirt.calls_of(OPEN)})
        self.assertEqual({tuple(call.arguments) for call in kept}, {("5", "3")})

    def test_connections_are_open_before_the_first_guest(self):
        """At its create Nova leaves 23 ms, and to open a connection takes 10 to 20."""
        self.start_connected()
        wait_for(lambda: len(self.libvirt.calls_of(libvirt.KEEPALIVE)) == 1 + WORKERS, "all connections")
        self.program.want(wanted(self.server, self.device))
        self.libvirt.define(self.server)
        self.program.wait_state(self.server, "configured")
        self.assertEqual(len(self.libvirt.calls_of(OPEN)), 1 + WORKERS)

    def test_a_thousand_events(self):
        """Of all kinds, of guests with and without a device."""
        self.start_connected()
        servers = {new(): new() for _ in range(20)}
        domains = [self.libvirt.define(server) for server in servers]
        self.program.want(*(wanted(server, device) for server, device in servers.items()))
        for i in range(1000):
            domain = domains[i % len(domains)]
            if i % 2:
                self.libvirt.tell(domain, i % 7, 0)
            else:
                self.libvirt.tell_device(domain, (libvirt.DEVICE_ADDED, libvirt.DEVICE_REMOVED)[i // 2 % 2], "hostdev0")
        for domain in domains:  # one that was stopped last gets nothing before it is defined again
            self.libvirt.tell(domain, libvirt.DEFINED, 1)
        last = self.libvirt.define(new())
        self.program.wait_guest(last.uuid, lambda guest: True)
        for server, device in servers.items():
            self.program.wait_state(server, "configured")
            self.assertEqual(self.libvirt.attaches(server), [(device, CONFIG)])

    def test_many_guests_at_the_start(self):
        servers = {new(): new() for _ in range(300)}
        for server, device in servers.items():
            self.libvirt.define(server, devices=[mdev_xml(device)])
        self.start_connected()
        self.assertEqual({guest["uuid"] for guest in self.program.all_of("guest")}, set(servers))
        self.assertEqual(self.libvirt.calls_of(ATTACH), [])


class LifeOfLibvirt(ProgramTest):
    def a_guest_with_its_device(self):
        self.program.want(wanted(self.server, self.device))
        self.libvirt.define(self.server)
        self.libvirt.start(self.server)
        self.wait_attached(self.server, self.device)

    def all_workers_have_a_connection(self):
        rule = self.libvirt.block(XML)
        others = [self.libvirt.define(new()) for _ in range(WORKERS)]
        wait_for(lambda: sum(call.ended is None for call in self.libvirt.calls_of(XML)) == WORKERS, "all at work")
        rule.open()
        for other in others:
            self.program.wait_guest(other.uuid, lambda guest: True)

    def test_it_is_not_there_yet(self):
        self.libvirt.kill_server()
        self.start()
        said = self.program.wait_connection(False) and self.program.all_of("connection")[0]
        self.assertIn("cannot connect to qemu:///system", said["reason"])
        self.program.want(wanted(self.server, self.device))
        self.libvirt.define(self.server)
        self.libvirt.start_server()
        self.program.wait_connection(True)
        self.program.wait_state(self.server, "configured")

    def test_it_is_killed(self):
        """Guests survive. What happened in the meantime is seen when it is back."""
        self.start_connected()
        self.a_guest_with_its_device()
        gone, late, device = new(), new(), new()
        self.libvirt.define(gone)
        self.program.wait_guest(gone, lambda guest: True)
        self.libvirt.kill_server()
        self.program.wait_connection(False)
        self.libvirt.undefine(gone)
        self.libvirt.define(late)
        self.program.want(wanted(self.server, self.device), wanted(late, device))
        self.libvirt.start_server()
        self.program.wait_all(2)
        self.program.wait_state(late, "configured")
        self.assertIsNone(self.program.guest(gone))
        self.assertEqual(len(self.libvirt.attaches(self.server)), 1)

    def test_it_is_killed_under_a_call(self):
        self.start_connected()
        self.program.want(wanted(self.server, self.device))
        rule = self.libvirt.block(ATTACH)
        self.libvirt.define(self.server)
        self.call_under_way(ATTACH)
        self.libvirt.kill_server()
        self.program.wait_connection(False)
        rule.open()
        self.libvirt.start_server()
        self.program.wait_state(self.server, "configured")
        self.assertEqual(list(self.libvirt.domains[self.server].configured), [self.device])

    def test_it_hangs(self):
        """Then only workers do: the daemon is answered, and once keepalive has ended the calls it is told."""
        self.start_connected()
        self.a_guest_with_its_device()
        self.all_workers_have_a_connection()
        self.libvirt.hang()
        other, device = new(), new()
        self.libvirt.define(other)
        serial = self.program.want(wanted(self.server, self.device), wanted(other, device))
        self.program.wait_holding(serial)
        self.call_under_way(LOOK_UP, other)
        self.libvirt.keepalive_ends()
        self.program.wait_connection(False)
        self.assertIn("does not answer", self.program.all_of("connection")[-1]["reason"])
        self.libvirt.go_on()
        self.program.wait_connection(True, 2)
        self.program.wait_state(other, "configured")

    def test_it_hangs_while_it_is_connected_to(self):
        """Nothing ends such a call but libvirtd's end. It is said, and the daemon is answered."""
        self.libvirt.hang()
        self.start()
        self.program.wait_holding(self.program.want(wanted(self.server, self.device)))
        self.program.wait_message("connection", "no answer", lambda said: "does not answer" in (said["reason"] or ""))
        self.libvirt.go_on()
        self.program.wait_connection(True)

    def test_what_it_was_asked_before_it_hung_is_done_later(self):
        """So the device is not given to anybody else until that is seen."""
        self.start_connected()
        serial = self.program.want(wanted(self.server, self.device))
        rule = self.libvirt.block(ATTACH)
        self.libvirt.define(self.server)
        self.call_under_way(ATTACH)
        self.libvirt.hang()
        self.libvirt.keepalive_ends()
        self.program.wait_connection(False)
        serial = self.program.want(ours=[self.device])
        self.program.wait_holding(serial, busy=[self.device])
        rule.open()
        self.libvirt.go_on()
        self.program.wait_all(2)
        self.program.wait_guest(self.server, lambda guest: guest["configured"] == [self.device])

    def test_no_event_is_lost_between_list_and_connection(self):
        self.libvirt.meanwhile[LIST] = lambda: self.libvirt.define(self.server)
        self.start()
        self.program.want(wanted(self.server, self.device))
        self.program.wait_state(self.server, "configured")

    def test_the_list_fails(self):
        self.libvirt.refuse(LIST, libvirt.INTERNAL_ERROR, "internal error: not today")
        self.start()
        self.program.wait_connection(False)
        self.assertIn("cannot list the domains of qemu:///system: libvirt: internal error: not today",
                      self.program.all_of("connection")[0]["reason"])
        self.program.wait_all()

    def test_a_worker_finds_no_connection(self):
        """libvirtd takes no more clients, though the events come."""
        rule = self.libvirt.refuse(OPEN, libvirt.INTERNAL_ERROR, "internal error: too many active clients",
                                   times=None, passing=1)
        self.start_connected()
        wait_for(lambda: rule.met >= WORKERS, "the workers' attempts")
        self.program.want(wanted(self.server, self.device))
        self.libvirt.define(self.server)
        wait_for(lambda: rule.met >= WORKERS + 2, "another attempt")
        self.assertEqual(len(self.program.all_of("connection")), 1)
        rule.open()
        self.program.wait_state(self.server, "configured")

    def test_the_uri_is_the_daemons(self):
        self.start_connected("--uri", "qemu+unix:///system?socket=/kolla/libvirt-sock")
        self.assertEqual(self.libvirt.calls_of(OPEN)[0].arguments, ["qemu+unix:///system?socket=/kolla/libvirt-sock"])


class TheDaemon(ProgramTest):
    def test_a_device_is_taken_back(self):
        """While a call may attach it, it is busy; what became of it is told before it is not."""
        self.start_connected()
        self.program.want(wanted(self.server, self.device))
        rule = self.libvirt.block(ATTACH)
        self.libvirt.define(self.server)
        self.call_under_way(ATTACH)
        serial = self.program.want(ours=[self.device])
        self.program.wait_holding(serial, busy=[self.device])
        rule.open()
        self.program.wait_holding(serial)
        kinds = [next(iter(message.items())) for message in self.program.messages]
        named = next(i for i, (kind, value) in enumerate(kinds)
                     if kind == "guest" and self.device in value["configured"])
        free = next(i for i, (kind, value) in enumerate(kinds)
                    if kind == "holding" and value == {"serial": serial, "busy": []})
        self.assertLess(named, free)

    def test_a_new_table_is_acknowledged_without_libvirt(self):
        self.libvirt.kill_server()
        self.start()
        for _ in range(3):
            self.program.wait_holding(self.program.want(wanted(self.server, self.device)))

    def test_it_ends_with_its_socket(self):
        self.start_connected()
        self.program.close()
        self.assertEqual(self.program.wait_end(), 0)
        self.assertNotIn("error", self.program.output())

    def test_it_ends_though_libvirt_hangs(self):
        self.start_connected()
        self.program.want(wanted(self.server, self.device))
        self.libvirt.block(ATTACH)
        self.libvirt.define(self.server)
        self.call_under_way(ATTACH)
        self.program.close()
        self.assertEqual(self.program.wait_end(), 0)

    def test_it_ends_before_it_is_connected(self):
        self.libvirt.hang()
        self.start()
        self.call_under_way(OPEN)
        self.program.close()
        self.assertEqual(self.program.wait_end(), 0)

    def test_garbage_ends_it_with_one_line(self):
        device = {"address": self.device, "xml": 3}
        for garbage in (b"\x16\x03\x01\x02\x00\n", b"[]\n", b"{}\n", b'{"wanted": 3}\n', b'{"all": true}\n',
                        b'{"wanted": {"serial": 1, "consumers": [], "ours": []}, "all": true}\n',
                        json.dumps({"wanted": {"serial": 1, "ours": [], "consumers": [
                            {"consumer": self.server, "whole": True, "heals": False, "devices": [device]}]}}).encode() + b"\n"):
            with self.subTest(garbage=garbage):
                one = AttachProgram(self.subdirectory("program"), self.libvirt.environment())
                one.wait_all()
                one.send(garbage)
                self.assertNotEqual(one.wait_end(), 0)
                errors = [line for line in one.output().splitlines() if "error" in line]
                self.assertEqual(len(errors), 1, one.output())
                self.assertIn("what the daemon sends makes no sense", errors[0])

    def test_half_a_line_is_no_line(self):
        self.start_connected()
        self.program.send(b'{"wanted": {"serial": 7')
        self.program.close()
        self.assertEqual(self.program.wait_end(), 0)

    def test_a_daemon_that_reads_nothing_holds_up_nobody(self):
        """What it does not read is kept for it."""
        ours, theirs = socket.socketpair()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.addCleanup(ours.close)
        for i in range(100):
            self.libvirt.define(new(), devices=[mdev_xml(new())])
        self.libvirt.define(self.server)
        tables = [{"wanted": {"serial": 1, "consumers": [], "ours": []}},  # a first table is doubtful
                  {"wanted": {"serial": 2, "consumers": [wanted(self.server, self.device)], "ours": [self.device]}}]
        log = self.subdirectory("program") / "program.log"
        with open(log, "ab") as output, theirs:
            process = subprocess.Popen([program("vgpu-agent-libvirt")], stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=output, env=self.libvirt.environment(),
                                       preexec_fn=lambda: os.dup2(theirs.fileno(), 3), pass_fds=[3])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_for(lambda: len(self.libvirt.calls_of(XML)) > 100, "every guest looked at")
        ours.sendall(b"".join(json.dumps(table).encode() + b"\n" for table in tables))
        wait_for(lambda: self.libvirt.calls_of(ATTACH), "the attach")
        with ours.makefile() as lines:
            for line in lines:
                if '"state":"configured"' in line:
                    break


class TheProgram(ProgramTest):
    def test_without_a_socket_it_says_so(self):
        done = run([program("vgpu-agent-libvirt")], env=self.libvirt.environment())
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("descriptor 3 is no socket: vgpu-agent starts this program", done.stderr)

    def test_a_wrong_command_line(self):
        for words in (["--url", "x"], ["word"], ["--log-level", "loud"]):
            self.assertEqual(run([program("vgpu-agent-libvirt"), *words]).returncode, 64, words)
        self.assertIn("--uri URI", run([program("vgpu-agent-libvirt"), "--help"]).stdout)

    def test_it_has_no_capabilities(self):
        self.start_connected()
        status = pathlib.Path(f"/proc/{self.program.popen.pid}/status").read_text()
        for kind in ("Inh", "Prm", "Eff", "Amb"):
            self.assertRegex(status, rf"Cap{kind}:\s0+\n")

    def test_only_this_program_is_linked_with_libvirt(self):
        for name, links in (("vgpu-agent", False), ("vgpu-agent-libvirt", True)):
            done = run(["ldd", program(name)])
            self.assertEqual(bool(re.search(r"\blibvirt\.so", done.stdout)), links, name)
