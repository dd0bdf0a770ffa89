"""Scripts for the judge of kinds: every way of cutting a card, of one kind a world. Mode
"kinds" of `run`; the kind follows from the seed, so that ten seeds have all."""
import random

from . import kinds_steps as steps_of
from . import nova, trouble
from . import step as step_of
from .kinds_functions import KINDS
from .kinds_rest import audit, nothing_left
from .kinds_world import KindsWorld

HOW_MANY = 6  # servers at a time, about
LENGTH = 20  # of a script
SERVERS = {
    "claim": (15, ()), "promise": (8, ()), "define": (14, ("new", "active")), "start": (12, ("active", "orphan")),
    "stop": (4, ("active",)), "delete": (9, ("new", "active")), "reap": (3, ("orphan",)),
    "hard_reboot": (1, ("active",)), "resize_out": (3, ("active",)), "confirm": (3, ("out",)),
    "revert": (4, ("out",)), "live_out": (1.5, ("active",)), "live_end": (3, ("live",)),
    "lose_allocation": (1, ("active",)), "heal_allocations": (1.5, ("orphan",)),
    "ask": (3, ("new", "active", "out")), "set_parameters": (5, ("active",)),
    # One goes, and another comes in the same moment: it gets what the first one had.
    "replace": (6, ("new", "active")),
}
OTHERS = {
    "audit": 14, "freeze": 1, "thaw": 3, "kill": 5, "end": 0.6, "begin": 4, "reboot": 2.5,
    "unplug": 1, "mend_cards": 3, "refuse": 3, "relent": 4, "make_foreign": 5, "end_foreign": 3,
    "hold": 2, "let_go": 3, "reload": 4, "enable": 3, "disable": 2, "drain": 1, "undrain": 3,
    "clean": 3, "placement_dies": 0.7, "lose_state_file": 0.6,
}


def kind_of(seed):
    """A seed's number; what follows it is a salt."""
    return list(KINDS)[(int(str(seed).split(".", maxsplit=1)[0]) - 1) % len(KINDS)]


class Maker:
    without = frozenset()  # kinds of steps that are not wanted

    def __init__(self, seed, mode):
        self.kind, self.rng = kind_of(seed), random.Random(f"{seed} {mode}")
        self.count = self.strangers = 0
        self.grace, self.interval = self.rng.choice((1, 2)), self.rng.choice((3600, 3600, 1))

    def world(self, seed):
        rng = random.Random(f"{seed} cards")
        return KindsWorld(seed, self.kind, rng, self.grace, self.interval)

    def wants(self):
        several = self.rng.random() < 0.1
        return [[card, self.rng.randrange(3), self.rng.choice((1, 1, 1, 2))]
                for card in self.rng.sample(range(3), 2 if several else 1)]

    def server(self, world, op, stages):
        if not SERVERS[op][1]:
            alive = sum(s.stage != "gone" for s in world.servers.values())
            if alive >= HOW_MANY:
                return None
            gone = [s.name for s in world.servers.values() if s.stage == "gone" and not s.domain]
            if gone and self.rng.random() < 0.25:
                return self.rng.choice(gone)
            self.count += 1
            return f"s{self.count}"
        fitting = [s.name for s in world.servers.values() if s.stage in stages]
        return self.rng.choice(fitting) if fitting else None

    def next(self, world):
        table = {**{op: weight for op, (weight, _) in SERVERS.items()}, **OTHERS}
        table = {op: weight for op, weight in table.items() if op not in self.without}
        vain = {"begin": world.rig.daemon, "thaw": not world.rig.frozen, "relent": not world.refused,
                "mend_cards": not world.lost, "undrain": not world.drained,
                "let_go": not world.libvirt.processes, "end_foreign": not world.foreign,
                "clean": not world.kind.one_time_use, "enable": len(world.kind.types) < 2,
                "disable": len(world.kind.types) < 2,
                "set_parameters": not world.kind.has_parameters}
        while True:
            (op,) = self.rng.choices(list(table), list(table.values()))
            name = self.server(world, op, SERVERS[op][1]) if op in SERVERS else None
            if not vain.get(op) and (name or op not in SERVERS):
                break
        if op == "replace":
            return self.replace(world, name)
        pause = "none" if op in ("audit", "promise") else self.rng.choices(
            ("none", "poke", "cycle"), (4, 2, 4))[0]
        return [[op, self.arguments(op, name), pause]]

    def replace(self, world, name):
        self.count += 1
        wants = []
        for place, units in world.here(world.servers[name].uuid).items():
            types = world.types_at(place[0])
            if world.type_at(place) in types:
                wants.append([world.cards.index(place[0]), types.index(world.type_at(place)), units])
        before = [["define", [name], "none"], ["stop", [name], "none"],
                  ["set_parameters", [name, self.rng.random() < 0.5], "none"]]
        return [*(before if world.kind.has_parameters else ()),
                ["delete", [name, True, False], "none"],
                ["claim", [f"s{self.count}", wants or self.wants()], "cycle"]]

    def arguments(self, op, name):
        rng = self.rng
        card, type_id = rng.randrange(3), rng.randrange(3)
        if op == "make_foreign":
            self.strangers += 1
        return {
            "claim": lambda: [name, self.wants()], "promise": lambda: [name, self.wants()],
            "delete": lambda: [name, rng.random() < 0.7, rng.random() < 0.2],
            "resize_out": lambda: [name, rng.random() < 0.7],
            "revert": lambda: [name, rng.random() < 0.6],
            "live_end": lambda: [name, rng.random() < 0.5],
            "ask": lambda: [name, "xml", rng.random() < 0.3],
            "set_parameters": lambda: [name, rng.random() < 0.5],
            "kill": lambda: [rng.choice((0, rng.randint(1, 60))), rng.choice((0, 0, 20, 60))],
            "unplug": lambda: [card], "drain": lambda: [card], "clean": lambda: [card],
            "enable": lambda: [card, type_id], "disable": lambda: [card, type_id],
            "refuse": lambda: [rng.choice(("create", "create", "remove", "parameters")),
                               rng.choice(("EIO", "EBUSY", "ENOSPC", "EINVAL")), rng.choice((0, 1, 2))],
            "make_foreign": lambda: [self.strangers, card, type_id, rng.choice(("named", "held", "idle"))],
            "end_foreign": lambda: [rng.randint(1, max(self.strangers, 1))],
            "hold": lambda: [rng.randrange(100)],
            "reload": lambda: [rng.choice(("same", "cap", "uncap", "uncap", "retype", "retype",
                                           "unconfigure", "as_first", "as_first")), card],
        }.get(op, lambda: [name] if name else [])()


def function(op):
    return audit if op == "audit" else getattr(steps_of, op)


def run_step(world, step):
    return step_of.run_step(world, step, function(step[0]))


def finish(world):
    """Everything is deleted, as Nova and its operators do."""
    trouble.thaw(world)
    steps_of.mend_cards(world)
    steps_of.relent(world)
    world.cap = None
    trouble.begin(world)
    steps_of.reload(world, "as_first", 0)
    world.rig.cycle()
    steps_of.undrain(world)
    audit(world)
    nova.delete_all(world)
    trouble.let_go(world)
    for number in list(world.numbered):
        steps_of.end_foreign(world, number)
    nothing_left(world)
