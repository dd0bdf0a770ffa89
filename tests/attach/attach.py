#!/usr/bin/env python3
"""Inside the rig's kernel: vgpu-agent, vgpu-agent-libvirt and placementd give guests of a real libvirtd their devices.
tests/kernel/run --attach starts it.

The agent looks at Placement by itself once an hour only: what comes sooner comes because libvirt told of a guest, or since a test
asked for a cycle. One guest with Linux inside runs beside all tests, for which nothing may change; where its own test does not run,
it has no Linux.
"""
import os
import pathlib
import re
import signal
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "system"), str(TESTS / "kernel")]
from guest import CARD, OTHER, ROOT, SRIOV, name_of, run_tests, virtual_functions  # noqa: E402
from support.agent import Agent  # noqa: E402
from support.fleet import device_uuid, new_uuid  # noqa: E402
from support.host import Host, store  # noqa: E402
from support.placement import own_placement  # noqa: E402
from support.process import TOP, wait_for  # noqa: E402
from support.watched import children, has_ended, name_and_state  # noqa: E402
from libvirtd import GPU, Libvirtd, end_domain  # noqa: E402
from compute import Nova  # noqa: E402
from program import Program, give_to_vfio  # noqa: E402

PROGRAM = "vgpu-agent-libvirt"[:15]  # as the kernel has it
CONFIGURATION = {
    "agent": {"create_root": "true", "root_provider_name": ROOT, "sync_interval": 3600, "release_grace": 0, "host_root": "/"},
    "devices": {"enabled_mdev_types": ["nvidia-35"]}}


class World:
    """The compute host: all that is started once."""

    def __init__(self, boots_linux):
        pathlib.Path("/proc/sys/kernel/hostname").write_text("guest")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="attach-"))
        self.host = Host("/sys")
        self.libvirtd = Libvirtd(self.folder("libvirtd"))
        self.placement = own_placement(self.folder("placement"))
        self.agent = Agent(self.folder("agent"), None, self.placement, CONFIGURATION)
        self.agent.run("sync")
        self.providers = {address: self.placement.provider(ROOT + name_of(address))["uuid"] for address in (CARD, OTHER)}
        self.nova = Nova(self.libvirtd, TOP / "build/kernel")
        self.later = set()  # devices that go after a minute, beside other tests
        self.agent.start()
        wait_for(self.program, "vgpu-agent-libvirt")
        self.linux = Linux(self, boots_linux)

    def folder(self, name):
        folder = self.directory / name
        folder.mkdir()
        return folder

    def program(self):
        """The pid of the daemon's vgpu-agent-libvirt; None: there is none."""
        pids = [pid for pid in children(self.agent.daemon.pid) if (name_and_state(pid) or [""])[0] == PROGRAM]
        return int(pids[0]) if pids else None

    def lost(self):
        """What the daemon has said of libvirt's connection."""
        return [line for line in self.agent.daemon.output().splitlines() if "libvirt is not connected" in line]

    def cycle(self):
        self.agent.daemon.popen.send_signal(signal.SIGUSR1)

    def allocate(self, consumer, units=1, address=CARD):
        self.placement.allocate(consumer, {self.providers[address]: {"VGPU": units}})

    def devices_of(self, consumer, units=1, address=CARD):
        return sorted(device_uuid(self.providers[address], consumer, index) for index in range(units))

    def stop(self):
        """How each ended."""
        self.libvirtd.end_guests()
        return [thing.stop() for thing in (self.agent, self.placement, self.libvirtd)]


class Linux:
    """The guest that lists its PCI functions on its console."""

    def __init__(self, world, boots):
        self.uuid, self.console, self.units = new_uuid(), world.directory / "console", 1
        world.allocate(self.uuid, address=OTHER)
        world.nova.create(self.uuid, console=self.console if boots else None)
        self.pid = world.libvirtd.pid(self.uuid)

    def functions(self):
        """None: it has not booted yet."""
        lists = re.findall(r"^PCI (.*?)\r?$", self.console.read_text(errors="replace"), re.M)
        return lists[-1].split() if lists else None


def setUpModule():
    global world
    named = sys.argv[1:]
    world = World(boots_linux=not named or any(word in LinuxGuest.__name__ for word in named))


def tearDownModule():
    ended = world.stop()
    if ended != [0, 0, 0]:
        raise AssertionError(f"agent, placementd and libvirtd ended with {ended}")


class AttachTest(unittest.TestCase):
    def setUp(self):
        self.directory = world.directory  # its logs are shown where a test fails
        self.nova, self.libvirtd, self.consumers = world.nova, world.libvirtd, []
        self.addCleanup(self.clean_up)

    def clean_up(self):
        for domain in self.libvirtd.connection.listAllDomains():
            if domain.UUIDString() != world.linux.uuid:
                end_domain(domain)
        for consumer in self.consumers:
            world.placement.request("DELETE", f"/allocations/{consumer}")
        self.wait_for_removal()
        # Whatever happened, it was no business of this one's.
        linux = world.linux
        self.assertEqual(self.libvirtd.pid(linux.uuid), linux.pid)
        self.assertEqual(self.libvirtd.live(linux.uuid), world.devices_of(linux.uuid, linux.units, OTHER))

    def wait_for_removal(self):
        wait_for(lambda: world.cycle() or not self.mdevs(), "the devices to go")

    def mdevs(self):
        """But for the Linux guest's, and what earlier tests have left."""
        return set(world.host.mdevs()) - set(world.devices_of(world.linux.uuid, world.linux.units, OTHER)) - world.later

    def server(self, units=1, address=CARD):
        """A new one's uuid, as the scheduler leaves it: with an allocation."""
        consumer = new_uuid()
        world.allocate(consumer, units, address)
        self.consumers.append(consumer)
        return consumer

    def give(self, consumer, units=1, address=CARD):
        """To one that has a domain already. A cycle may look at departures only: the agent is made to look until it has seen it."""
        world.allocate(consumer, units, address)
        self.consumers.append(consumer)
        devices = set(world.devices_of(consumer, units, address))
        wait_for(lambda: world.cycle() or devices <= self.mdevs(), "the devices to be made")

    def wait_for_configured(self, consumer, units=1, address=CARD):
        devices = world.devices_of(consumer, units, address)
        wait_for(lambda: self.libvirtd.configured(consumer) == devices, "the devices in the configuration")

    def wait_for_attached(self, consumer, units=1, address=CARD):
        """Live, in the configuration, before the guest's own eyes, and nothing besides."""
        devices = world.devices_of(consumer, units, address)
        wait_for(lambda: self.libvirtd.live(consumer) == devices, "the devices in the guest")
        self.wait_for_configured(consumer, units, address)
        self.wait_for_gpus(consumer, units)

    def wait_for_said(self, consumer, state):
        """In the agent's own words."""
        wait_for(lambda: self.row(consumer).get("guest") == state, f"the agent to say that the guest is {state}")

    def row(self, consumer):
        """Of `vgpu-agent allocations`."""
        return {row["consumer"]: row for row in world.agent.json("allocations")}.get(consumer, {})

    def wait_for_gpus(self, consumer, units=1):
        """Behind a port of q35 they are seen once the firmware has counted the buses."""
        wait_for(lambda: self.libvirtd.gpus(consumer) == units, "the guest to see its GPUs")


class Actions(AttachTest):
    """What Nova does with a server that has its device."""

    def create(self, **words):
        server = self.server()
        self.nova.create(server, **words)
        self.wait_for_attached(server)
        return server

    def test_rebuild_gives_the_same_device_again(self):
        server = self.create()
        self.nova.rebuild(server)
        self.wait_for_attached(server)

    def test_revert_of_a_resize_leaves_no_time_and_has_it_all_the_same(self):
        server = self.create()
        self.nova.rebuild(server, between=0)
        self.wait_for_attached(server)

    def test_hard_reboot_keeps_it(self):
        server = self.create()
        self.nova.reboot_hard(server)
        self.wait_for_attached(server)

    def test_stopped_and_started(self):
        server = self.create()
        self.nova.stop(server)
        self.wait_for_configured(server)
        self.nova.start(self.libvirtd.domain(server))
        self.wait_for_attached(server)

    def test_a_device_without_an_allocation_stays_as_long_as_the_guest_runs(self):
        """Then it goes out of the configuration, where Nova would keep it for good."""
        server = self.create()
        world.placement.deallocate(server)
        wait_for(lambda: world.cycle() or world.agent.is_idle(), "the agent to have nothing more to do")
        self.assertEqual(self.mdevs(), set(world.devices_of(server)))
        self.assertEqual(self.libvirtd.live(server), world.devices_of(server))
        self.nova.stop(server)
        wait_for(lambda: world.cycle() or not self.libvirtd.configured(server), "a configuration without the device")
        self.nova.delete(server)
        self.wait_for_removal()


class ColdPlug(AttachTest):
    def test_pc(self):
        server = self.server()
        domain = self.nova.define(server)
        self.wait_for_configured(server)
        self.wait_for_said(server, "configured")
        self.nova.start(domain)
        self.wait_for_attached(server)
        self.wait_for_said(server, "attached")

    def test_q35(self):
        server = self.server()
        domain = self.nova.define(server, machine="q35")
        self.wait_for_configured(server)
        self.nova.start(domain)
        self.wait_for_attached(server)

    def test_three_devices_on_q35(self):
        server = self.server(3)
        domain = self.nova.define(server, machine="q35")
        self.wait_for_configured(server, 3)
        self.nova.start(domain)
        self.wait_for_attached(server, 3)

    def test_two_servers_at_once_get_one_each(self):
        servers = [self.server(), self.server()]
        domains = [self.nova.define(server) for server in servers]
        for server in servers:
            self.wait_for_configured(server)
        for domain in domains:
            self.nova.start(domain)
        for server in servers:
            self.wait_for_attached(server)

    def test_no_time_between_definition_and_start(self):
        """The race may be lost: then it is plugged in while the guest boots."""
        server = self.server()
        self.nova.create(server, between=0)
        self.wait_for_attached(server)


class Failures(AttachTest):
    def create(self, address=CARD):
        server = self.server(address=address)
        self.nova.create(server)
        self.wait_for_attached(server, address=address)
        return server

    def test_libvirtd_is_killed(self):
        old = self.create()
        pid = self.libvirtd.pid(old)
        self.libvirtd.kill()
        self.libvirtd.start()
        self.create()
        self.assertEqual(self.libvirtd.pid(old), pid)
        self.wait_for_attached(old)

    def test_libvirtd_hangs_for_longer_than_the_keepalive(self):
        """Devices are made meanwhile."""
        old = self.create()
        said = len(world.lost())
        self.libvirtd.freeze()
        self.addCleanup(self.libvirtd.thaw)
        wait_for(lambda: len(world.lost()) > said, "the program to know it")
        new = new_uuid()
        self.give(new)
        self.libvirtd.thaw()
        self.nova.create(new)
        self.wait_for_attached(new)
        self.wait_for_attached(old)

    def test_the_program_is_killed(self):
        old, pid = self.create(OTHER), world.program()
        os.kill(pid, signal.SIGKILL)
        # What libvirt does for it is not known before a minute: TheAgentKilled sees that the devices have gone by then. Until
        # then they are on the card that the other tests do not need.
        self.wait_for_removal = lambda: world.later.update(self.mdevs())
        wait_for(lambda: world.program() not in (None, pid), "the next one")
        self.create(OTHER)
        self.wait_for_attached(old, address=OTHER)

    def test_somebody_removes_a_device_that_is_configured(self):
        server = self.server()
        domain = self.nova.define(server)
        self.wait_for_configured(server)
        (device,) = world.devices_of(server)
        self.assertEqual(world.host.remove(device), "OK")
        wait_for(lambda: world.cycle() or device in self.mdevs(), "it to be made again")
        self.nova.start(domain)
        self.wait_for_attached(server)


class HotPlug(AttachTest):
    def test_a_running_guest(self):
        server = new_uuid()
        self.nova.create(server, between=0)
        self.give(server)
        self.wait_for_attached(server)

    def test_a_paused_guest(self):
        server = new_uuid()
        self.nova.create(server, between=0, paused=True)
        self.give(server)
        self.wait_for_attached(server)

    def test_no_port_is_free(self):
        """The device is there at the next start."""
        server = new_uuid()
        domain = self.nova.create(server, between=0, machine="q35")
        self.give(server, 3)
        self.wait_for_configured(server, 3)
        self.wait_for_said(server, "waits_for_port")
        self.assertLess(self.libvirtd.gpus(server), 3)
        self.nova.stop(server)
        self.nova.start(domain)
        self.wait_for_attached(server, 3)

    def test_a_transient_domain(self):
        """It has no configuration."""
        server = self.server()
        self.nova.create_transient(server)
        wait_for(lambda: self.libvirtd.live(server) == world.devices_of(server), "the device in the guest")
        self.wait_for_gpus(server)


class LinuxGuest(AttachTest):
    def test_it_lists_its_devices(self):
        """One that it has booted with, and one that is plugged in."""
        linux = world.linux
        wait_for(linux.functions, "Linux", 240)
        self.assertEqual(linux.functions().count(GPU), 1)
        world.placement.allocate(linux.uuid, {world.providers[OTHER]: {"VGPU": 2}}, generation=1)
        linux.units = 2
        wait_for(lambda: world.cycle() or len(self.libvirtd.live(linux.uuid)) == 2, "its second device")
        self.wait_for_attached(linux.uuid, 2, OTHER)
        wait_for(lambda: linux.functions().count(GPU) == 2, "Linux to see it")


class TheAgentKilled(AttachTest):
    def setUp(self):
        super().setUp()
        wait_for(lambda: world.cycle() or not world.later & set(world.host.mdevs()), "what the killed program has left to go", 90)

    def wait_for_removal(self):
        """It would take a minute: what libvirt does for a daemon that has died is not known before."""

    def test_between_making_a_device_and_attaching_it(self):
        server = new_uuid()
        self.nova.create(server, between=0)
        program = world.program()
        os.kill(program, signal.SIGSTOP)
        self.give(server)
        world.agent.daemon.kill()
        os.kill(program, signal.SIGKILL)
        wait_for(lambda: has_ended(program), "its end")
        self.assertEqual(self.libvirtd.live(server), [])
        world.agent.start()
        self.wait_for_attached(server)
        self.assertEqual(self.mdevs(), set(world.devices_of(server)))


class WholeFunctions(AttachTest):
    """PCI devices of the host: the program alone, with a table of the test's."""
    CARD, VF = "0000:00:07.0", "0000:01:00.1"
    SEEN = {CARD: "1234:11e8", VF: "1b36:0010"}

    @classmethod
    def setUpClass(cls):
        world.agent.stop()
        store(f"/sys/bus/pci/devices/{SRIOV}/sriov_drivers_autoprobe", "0")
        virtual_functions(1)
        for address in cls.SEEN:
            give_to_vfio(address)
        cls.program = Program(world.folder("program"))

    @classmethod
    def tearDownClass(cls):
        cls.program.stop()
        virtual_functions(0)

    def wait_for_removal(self):
        """There is no agent, and there are no devices of its own."""

    def wait_for_attached(self, server, *addresses):
        wait_for(lambda: self.libvirtd.live(server) == sorted(addresses), "the devices in the guest")
        wait_for(lambda: self.libvirtd.configured(server) == sorted(addresses), "the devices in the configuration")
        functions = self.libvirtd.functions(server)
        self.assertEqual([functions.count(self.SEEN[address]) for address in addresses], [1] * len(addresses))

    def test_a_card_and_a_virtual_function_come_back_at_each_hard_reboot(self):
        """Nova keeps mediated devices only."""
        server = new_uuid()
        self.program.want({server: [self.CARD, self.VF]})
        domain = self.nova.define(server)
        wait_for(lambda: len(self.libvirtd.configured(server)) == 2, "the devices in the configuration")
        self.nova.start(domain)
        self.wait_for_attached(server, self.CARD, self.VF)
        for _ in range(2):
            self.nova.reboot_hard(server)
            self.wait_for_attached(server, self.CARD, self.VF)

    def test_a_card_is_plugged_into_a_running_guest(self):
        server = new_uuid()
        self.nova.create(server, between=0)
        self.program.want({server: [self.CARD]})
        self.wait_for_attached(server, self.CARD)


if __name__ == "__main__":
    sys.exit(run_tests(sys.modules[__name__], sys.argv[1:]))
