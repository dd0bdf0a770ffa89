"""A host in owner mode whose guests get their devices through libvirt, and what Nova does to its servers there. Each
step gives None when it cannot be done now."""
import os
import signal
import time

from support.files import replace
from support.hostdev import mdev_xml
from support.libvirt import BOOTED, Refused
from support.process import program, wait_for
from support.relay import Relay
from support.watched import children_called

from .attach_libvirt import WatchedLibvirt
from .rig import SHORT, Rig, now
from .world import World
from .wrong import Wrong

PORTS = 8
UNSHELVES = 1.1  # seconds that Nova takes at least, see agent/daemon/lives.h


class AttachRig(Rig):
    def build(self):
        super().build()
        self.libvirt = WatchedLibvirt(self.folder("libvirt"), self.agent.host_root, self.host)
        self.ending.callback(self.libvirt.stop)
        self.relay = Relay(self.placement)
        self.ending.callback(self.relay.stop)
        # Processes are ended in the order in which the last thing made ends first.
        self.ending.callback(self.end_daemon)
        self.agent.placement = self.relay
        self.steps, self.ahead = self.directory / "steps", 0
        self.step_clock(0)
        environment = self.libvirt.environment(CLOCK_STEP=str(self.steps))
        environment["LD_PRELOAD"] += " " + program("tests/system/clock_step.so")
        self.agent.environment = environment

    def step_clock(self, seconds):
        self.ahead += seconds
        replace(self.steps, f"{self.ahead} {self.ahead}\n")

    def attacher(self):
        """The pid of the daemon's vgpu-agent-libvirt, or None."""
        return next(iter(children_called(self.daemon.pid, "vgpu-agent-libvirt")), None) if self.daemon else None


class Guest:
    """`stage`: gone, shelved, down (Nova has undefined it, and will define it again), off, active, suspended, resized
    (on this host), out (on another)."""

    def __init__(self, name, uuid):
        self.name, self.uuid, self.stage = name, uuid, "gone"
        self.migration, self.migrations = None, 0
        self.before = {}  # a resize: what it had
        self.kept = []  # devices that its next domain has
        self.ports, self.restored = PORTS, False
        self.shelved_at = self.migrated_at = 0.0


class AttachWorld(World):
    def __init__(self, seed, grace, interval):
        self.guests, self.blocks = {}, []
        super().__init__(seed, "owner", grace, interval, False)

    @staticmethod
    def make_rig(seed, _mode):
        return AttachRig(seed, "attach")

    @property
    def played(self):
        return self.rig.libvirt

    def guest(self, name):
        if name not in self.guests:
            self.guests[name] = Guest(name, self.rig.uuid(name))
        return self.guests[name]

    def fetch(self, name, *stages):
        guest = self.guests.get(name)
        return guest if guest and guest.stage in stages else None

    # ---- parts of what Nova does ----

    def define(self, guest):
        self.played.define(guest.uuid, devices=[mdev_xml(device) for device in guest.kept], ports=guest.ports)
        guest.stage = "off"

    def boot(self, guest, wait=0):
        time.sleep(wait / 1000)  # what Nova does between the two calls
        try:
            self.played.begin_start(guest.uuid)
        except Refused as refused:
            raise Wrong("start", f"{guest.name} does not start: {refused}") from None
        self.played.end_start(guest.uuid, BOOTED)
        guest.stage, guest.restored = "active", False

    def take_down(self, guest, keeps):
        domain = self.played.domains[guest.uuid]
        guest.kept = list(domain.live or domain.configured) if keeps else []
        self.end_domain(guest)
        guest.stage = "down"

    def end_domain(self, guest):
        domain = self.played.domains.get(guest.uuid)
        if domain and domain.runs():
            self.played.stop_domain(guest.uuid)
        if domain:
            self.played.undefine(guest.uuid)

    def new_migration(self, guest):
        guest.migrations += 1
        guest.migrated_at = now()
        guest.migration = self.rig.uuid(f"{guest.name} {guest.migrations}")
        self.instance_of[guest.migration] = guest.uuid
        return guest.migration


def units(wants):
    """"m1i2" as {card: units}."""
    return {SHORT[card]: int(count) for card, count in zip(wants[::2], wants[1::2])}


# ---- steps of Nova's ----

def create(world, name, wants, ports, wait):
    """`wait`: milliseconds from the definition to the start; None: another step starts it."""
    guest = world.guest(name)
    if guest.stage not in ("gone", "shelved") or not world.put(guest.uuid, units(wants)):
        return None
    if guest.stage == "shelved":
        time.sleep(max(0.0, guest.shelved_at + UNSHELVES - now()))
    guest.kept, guest.ports = [], ports
    world.define(guest)
    if wait is not None:
        world.boot(guest, wait)
    return "ok"


def stop(world, name):
    guest = world.fetch(name, "active")
    if not guest:
        return None
    world.played.stop_domain(guest.uuid)
    guest.stage = "off"
    return "ok"


def start(world, name):
    guest = world.fetch(name, "off")
    if not guest:
        return None
    world.boot(guest)
    return "ok"


def hard_reboot(world, name, wait):
    """Nova's start of a server as well."""
    guest = world.fetch(name, "active", "off")
    if not guest:
        return None
    world.take_down(guest, True)
    world.define(guest)
    world.boot(guest, wait)
    return "ok"


def rebuild(world, name, wait):
    guest = world.fetch(name, "active", "off")
    if not guest:
        return None
    world.take_down(guest, False)
    world.define(guest)
    world.boot(guest, wait)
    return "ok"


def take_down(world, name, keeps):
    guest = world.fetch(name, "active", "off")
    if not guest:
        return None
    world.take_down(guest, keeps)
    return "ok"


def put_up(world, name, wait):
    guest = world.fetch(name, "down")
    if not guest:
        return None
    world.define(guest)
    world.boot(guest, wait)
    return "ok"


def shelve(world, name):
    guest = world.fetch(name, "active", "off")
    if not guest:
        return None
    world.end_domain(guest)
    world.drop(guest.uuid)
    guest.stage, guest.shelved_at = "shelved", now()
    return "ok"


def delete(world, name):
    guest = world.fetch(name, "active", "off", "down", "suspended")
    if not guest:
        return None
    world.end_domain(guest)
    world.drop(guest.uuid)
    guest.stage = "gone"
    return "ok"


def suspend(world, name, keeps):
    guest = world.fetch(name, "active")
    if not guest:
        return None
    world.played.detach_live(guest.uuid, keeps)
    world.played.stop_domain(guest.uuid)
    guest.stage = "suspended"
    return "ok"


def resume(world, name, wait):
    """Nova attaches again what the configuration has."""
    guest = world.fetch(name, "suspended")
    if not guest:
        return None
    devices = list(world.played.domains[guest.uuid].configured.values())
    world.played.restore(guest.uuid)
    time.sleep(wait / 1000)
    for xml in devices:
        world.played.attach_back(guest.uuid, xml)
    guest.stage, guest.restored = "active", True
    return "ok"


def resize(world, name, wants, disks, wait):
    """On the same host. `disks`: milliseconds between the old domain and the new one."""
    guest = world.fetch(name, "active", "off")
    if not guest:
        return None
    before = world.here(guest.uuid)
    if not world.post({world.new_migration(guest): before, guest.uuid: units(wants)}):
        guest.migration = None
        return None
    guest.before = before
    world.take_down(guest, False)
    time.sleep(disks / 1000)
    world.define(guest)
    world.boot(guest, wait)
    guest.stage = "resized"
    return "ok"


def resize_out(world, name):
    """To another host; the domain stays, shut off."""
    guest = world.fetch(name, "active", "off")
    if not guest:
        return None
    before = world.here(guest.uuid)
    if not world.post({world.new_migration(guest): before, guest.uuid: {"other": 1}}):
        guest.migration = None
        return None
    guest.before = before
    if guest.stage == "active":
        world.played.stop_domain(guest.uuid)
    guest.stage = "out"
    return "ok"


def confirm(world, name):
    guest = world.fetch(name, "resized", "out")
    if not guest:
        return None
    if guest.stage == "out":
        world.end_domain(guest)
        world.drop(guest.uuid)
    world.drop(guest.migration)
    guest.stage = "gone" if guest.stage == "out" else "active"
    return "ok"


def revert(world, name, message, wait):
    """`message`: milliseconds from the allocation to the new domain."""
    guest = world.fetch(name, "resized", "out")
    if not guest:
        return None
    world.take_down(guest, False)
    if not world.post({guest.migration: {}, guest.uuid: guest.before}):
        raise AssertionError(f"{name}: Placement does not take the revert")
    time.sleep(message / 1000)
    world.define(guest)
    world.boot(guest, wait)
    return "ok"


# ---- faults ----

def libvirt_hangs(world):
    if world.played.hangs or not world.played.listener:
        return None
    world.played.hang()
    return "ok"


def libvirt_goes_on(world, keepalive):
    if not world.played.hangs:
        return None
    if keepalive:
        world.played.keepalive_ends()
    world.played.go_on()
    return "ok"


def libvirt_dies(world):
    if not world.played.listener:
        return None
    world.played.hangs = False
    world.played.kill_server()
    return "ok"


def libvirt_is_back(world):
    if world.played.listener:
        return None
    world.played.start_server()
    return "ok"


def attacher_dies(world):
    pid = world.rig.attacher()
    if not pid:
        return None
    os.kill(pid, signal.SIGKILL)
    return "ok"


def agent_dies(world):
    if not world.rig.daemon:
        return None
    world.rig.thaw()
    world.rig.kill_daemon()
    world.rig.agent.daemon = None
    return "ok"


def agent_begins(world):
    if world.rig.daemon:
        return None
    world.rig.start_daemon()
    return "ok"


def block(world, call, name):
    """These calls wait, about one server or any."""
    guest = world.guests.get(name)
    if name and not guest:
        return None
    world.blocks.append(world.played.block(call, guest and guest.uuid))
    return "ok"


def refuse(world, call, code, message, times):
    world.played.refuse(call, code, message, times=times)
    return "ok"


def open_blocks(world):
    if not world.blocks:
        return None
    for rule in world.blocks:
        rule.open()
    world.blocks.clear()
    return "ok"


def placement_is_slow(world, seconds):
    def rule(_):
        time.sleep(seconds)
    world.rig.relay.rule = rule
    return "ok"


def placement_fails(world, status):
    world.rig.relay.rule = lambda _: (status, [], b"")
    return "ok"


def placement_is_well(world):
    world.rig.relay.rule = lambda _: None
    return "ok"


def call_off_faults(world):
    """Everything is well again, and the next audit says whether it is."""
    open_blocks(world)
    for rule in world.played.rules:
        rule.open()
    world.played.rules.clear()
    libvirt_goes_on(world, False)
    libvirt_is_back(world)
    placement_is_well(world)
    agent_begins(world)


def wait_connected(world):
    wait_for(lambda: world.played.event_sockets, "the agent's connection to libvirt")
