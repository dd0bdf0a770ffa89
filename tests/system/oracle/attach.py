"""Scripts for the judge of guests and their devices: Nova's actions, libvirt's and the agent's faults, and cycles, in
any order. Mode "attach" of `run`."""
import random
import time

from support.hostdev import address_of

from . import attach_world as steps_of
from .attach_rules import audit, nothing_left
from .attach_world import PORTS, AttachWorld

HOW_MANY = 6  # servers at a time, about
ATTACH, XML, LOOK_UP = "virDomainAttachDeviceFlags", "virDomainGetXMLDesc", "virDomainLookupByUUIDString"
LIST, OPEN = "virConnectListAllDomains", "virConnectOpen"
TIMED_OUT = [68, "Timed out during operation: cannot acquire state change lock"]
SERVERS = {
    "create": (14, ()), "stop": (5, ("active",)), "start": (9, ("off",)), "hard_reboot": (6, ("active", "off")),
    "rebuild": (5, ("active", "off")), "take_down": (4, ("active", "off")), "put_up": (9, ("down",)),
    "shelve": (3, ("active", "off")), "delete": (4, ("active", "off", "down", "suspended")),
    "suspend": (3, ("active",)), "resume": (6, ("suspended",)), "resize": (6, ("active", "off")),
    "resize_out": (3, ("active", "off")), "confirm": (5, ("resized", "out")), "revert": (7, ("resized", "out")),
}
OTHERS = {
    "audit": 9, "libvirt_hangs": 3, "libvirt_goes_on": 6, "libvirt_dies": 2, "libvirt_is_back": 6, "attacher_dies": 3,
    "agent_dies": 3, "agent_begins": 7, "block": 4, "open_blocks": 6, "refuse": 3, "placement_is_slow": 2,
    "placement_fails": 1, "placement_is_well": 5, "freeze": 1, "thaw": 4,
}


class Maker:
    without = frozenset()  # kinds of steps that are not wanted
    plant = None  # of PLANTS

    def __init__(self, seed, mode):
        self.rng, self.count = random.Random(f"{seed} {mode}"), 0
        self.grace, self.interval = self.rng.choice((0, 0, 2)), self.rng.choice((3600, 3600, 1))

    def world(self, seed):
        made = AttachWorld(seed, self.grace, self.interval)
        if self.plant:
            self.plant(made)
        return made

    def wants(self):
        cards = self.rng.sample("mai", 2 if self.rng.random() < 0.15 else 1)
        return "".join(f"{card}{self.rng.choice((1, 1, 1, 2))}" for card in cards)

    def wait(self):
        """Milliseconds, see doc/operating.rst."""
        return self.rng.choice((0, 0, 2, 4, 25, 50, 200))

    def server(self, world, stages):
        if not stages:
            known = [guest for guest in world.guests.values() if guest.stage in ("gone", "shelved")]
            if len(world.guests) - len(known) >= HOW_MANY:
                return None
            if known and self.rng.random() < 0.4:
                return self.rng.choice(known).name
            self.count += 1
            return f"s{self.count}"
        fitting = [guest.name for guest in world.guests.values() if guest.stage in stages]
        return self.rng.choice(fitting) if fitting else None

    def next(self, world):
        rng = self.rng
        table = {**{op: weight for op, (weight, _) in SERVERS.items()}, **OTHERS}
        table = {op: weight for op, weight in table.items() if op not in self.without}
        while True:
            (op,) = rng.choices(list(table), list(table.values()))
            name = None
            if op in SERVERS:
                name = self.server(world, SERVERS[op][1])
                if not name:
                    continue
            arguments = {
                "create": lambda: [name, self.wants(), rng.choice((PORTS, PORTS, 1, 0)),
                                   rng.choice((self.wait(), self.wait(), None))],
                "take_down": lambda: [name, rng.random() < 0.6],
                "suspend": lambda: [name, rng.random() < 0.5],
                "resize": lambda: [name, self.wants(), rng.choice((300, 1000)), self.wait()],
                "revert": lambda: [name, rng.choice((50, 300)), self.wait()],
                "libvirt_goes_on": lambda: [rng.random() < 0.3],
                "block": lambda: [rng.choice((ATTACH, ATTACH, XML, LOOK_UP, LIST)), None],
                "refuse": lambda: [rng.choice((ATTACH, ATTACH, XML, LIST, OPEN)), *TIMED_OUT, rng.choice((1, 2))],
                "placement_is_slow": lambda: [rng.choice((0.05, 0.2))],
                "placement_fails": lambda: [rng.choice((500, 503))],
            }
            for waiting in ("hard_reboot", "rebuild", "put_up", "resume"):
                arguments[waiting] = lambda: [name, self.wait()]
            given = arguments[op]() if op in arguments else [name] if name else []
            if op == "block" and given[0] not in (LIST,) and world.guests and rng.random() < 0.6:
                given[1] = rng.choice(sorted(world.guests))
            pause = "none" if op == "audit" else rng.choices(("none", "moment", "poke", "cycle"), (5, 2, 1.5, 2))[0]
            return [[op, given, pause]]


def attach_lost(world):
    """libvirt says that it has done what it has not."""
    world.played.spoils = lambda uuid, xml: None


def attach_swapped(world):
    """A guest gets what another one has."""
    def swap(uuid, xml):
        others = [device for domain in world.played.domains.values() if domain.uuid != uuid
                  for device in domain.configured.values()]
        return others[0] if others else xml
    world.played.spoils = swap


def device_removed(world):
    """From under a guest that is to have it."""
    removed = world.host.remove
    world.played.spoils = lambda uuid, xml: (removed(address_of(xml)), xml)[1]


# Faults, of which the judge must find each by one of these rules.
PLANTS = ((attach_lost, {"live", "configured", "word"}), (attach_swapped, {"two"}),
          (device_removed, {"removed", "absent", "start"}))


def find_planted(seeds, length, run_world):
    """Whether each is found, in one of the worlds."""
    found = 0
    for plant, rules in PLANTS:
        Maker.plant = staticmethod(plant)
        rule = None
        for seed in seeds:
            wrong = run_world(seed, "attach", length).wrong
            if wrong and wrong.rule in rules:
                rule = wrong.rule
                break
        found += rule is not None
        print(f"{plant.__name__}: {plant.__doc__} [{rule or 'NOT FOUND'}]", flush=True)
    return 0 if found == len(PLANTS) else 1


def function(op):
    return audit if op == "audit" else getattr(steps_of, op)


def freeze(world):
    if world.rig.frozen or not world.rig.daemon:
        return None
    world.rig.freeze()
    return "ok"


def thaw(world):
    if not world.rig.frozen:
        return None
    world.rig.thaw()
    return "ok"


def run_step(world, step):
    op, arguments, pause = step
    act = {"freeze": freeze, "thaw": thaw}.get(op) or function(op)
    did = act(world, *arguments) is not None or op == "audit"
    world.played.complain()
    if not did:
        return False
    world.story.append(f"{op} {' '.join(map(str, arguments))} ({pause})")
    if pause == "moment":
        time.sleep(0.02)  # the next step comes while the agent is at work on this one
    elif pause == "poke":
        world.rig.poke()
    elif pause == "cycle" and world.rig.daemon:
        world.rig.cycle()
    world.played.complain()
    return True


def finish(world):
    """Everything is deleted."""
    audit(world)
    for guest in world.guests.values():
        world.end_domain(guest)
        for consumer in world.family(guest.uuid):
            world.drop(consumer)
        guest.stage = "gone"
    nothing_left(world)
