"""Scripts: made step by step from a seed, written down with all that a step was told, so
that any part of one can be run again."""
import random
import sys
import time

from . import attach, kinds, nova, trouble
from . import step as step_of
from .guests import ENEMIES
from .rest import audit, nothing_left
from .world import World
from .wrong import Wrong

HOW_MANY = 9  # servers at a time, about
# What comes how often; the stages in which a server must be, where it is a server's.
SERVERS = {
    "claim": (12, ()), "define": (16, ("new", "active", "same", "in")),
    "start": (14, ("active", "same", "in", "orphan")), "stop": (3, ("active",)),
    "delete": (6, ("new", "active")), "fail_spawn": (2, ("new",)),
    "hard_reboot": (1, ("active",)), "rebuild": (1.5, ("active",)),
    "shelve": (1.5, ("active",)), "resize_out": (5, ("active",)),
    "resize_same": (3, ("active",)), "resize_in": (2, ()), "confirm": (4, ("out", "same", "in")),
    "revert": (5, ("out", "same", "in")), "live_out": (2.5, ("active",)),
    "live_end": (4, ("live",)), "evacuate_in": (1, ()), "evacuate_out": (0.7, ("active",)),
    "source_is_back": (1, ("new", "active")), "lose_allocation": (1, ("active",)),
    "heal_allocations": (1, ("orphan",)), "reap": (2, ("orphan", "evacuated")),
    "define_plain": (1, ()), "ask": (5, ("new", "active", "out", "same", "in", "live")),
    # A server and its migration, and another in the same moment.
    "claim_while": (4, ("active",)),
}
OTHERS = {
    "audit": 12, "freeze": 1.5, "thaw": 3, "kill": 2.5, "end": 0.4, "begin": 4, "reboot": 1,
    "unplug": 0.4, "lose": 0.4, "mend_cards": 2, "make_foreign": 1.5, "end_foreign": 1.5,
    "hold": 0.7, "let_go": 1.2, "reload": 1, "drain": 0.4, "undrain": 1.5,
    "placement_dies": 0.5, "lose_state_file": 0.1, "report": 2,
}
WITHOUT_EFFECT_IN_NOVA_MODE = {"rebuild", "ask", "drain", "undrain", "lose_state_file",
                               "hold"}


def function(op):
    return audit if op == "audit" else getattr(nova, op, None) or getattr(trouble, op)


class Maker:
    """Chooses the next steps for a world."""

    without = frozenset()  # kinds of steps that are not wanted

    def __init__(self, seed, mode):
        self.rng, self.mode = random.Random(f"{seed} {mode}"), mode
        self.count = self.strangers = 0
        self.cards = "mai" if mode == "owner" else "mni"
        rng = self.rng
        self.grace = rng.choice((1, 2, 2))
        self.interval = rng.choice((3600, 3600, 1))
        self.create_root = mode == "owner" and rng.random() < 0.3

    def world(self, seed):
        return World(seed, self.mode, self.grace, self.interval, self.create_root)

    def wants(self):
        cards = self.rng.sample(self.cards, 2 if self.rng.random() < 0.08 else 1)
        return "".join(f"{card}{self.rng.choice((1, 1, 1, 1, 2, 3))}" for card in cards)

    def enemy(self):
        if self.rng.random() < 0.7:
            return None
        return [self.rng.randrange(len(ENEMIES)), self.rng.randrange(100)]

    def new_name(self):
        self.count += 1
        return f"s{self.count}"

    def next(self, world):
        """Some steps: [operation, its arguments, what is waited for after it]."""
        table = {**{op: weight for op, (weight, _) in SERVERS.items()}, **OTHERS}
        left_out = self.without | (WITHOUT_EFFECT_IN_NOVA_MODE if world.mode == "nova" else set())
        table = {op: weight for op, weight in table.items() if op not in left_out}
        while True:
            (op,) = self.rng.choices(list(table), list(table.values()))
            stages = SERVERS.get(op, (0, None))[1]
            name = None
            if stages is not None:
                name = self.server(world, op, stages)
                if not name:
                    continue
            steps = self.steps(world, op, name)
            if steps:
                return steps

    def server(self, world, op, stages):
        if not stages:
            alive = sum(s.stage not in ("gone",) for s in world.servers.values())
            if alive >= HOW_MANY:
                return None
            known = [s.name for s in world.servers.values()
                     if s.stage in ("gone", "shelved") and not s.domain]
            if known and self.rng.random() < 0.25:
                return self.rng.choice(known[-4:])
            return self.new_name()
        fitting = [s.name for s in world.servers.values() if s.stage in stages]
        return self.rng.choice(fitting) if fitting else None

    def pause(self):
        """none: at once the next; poke: while a cycle runs; cycle: after one."""
        return self.rng.choices(("none", "poke", "cycle"), (5, 1.5, 3.5))[0]

    def steps(self, world, op, name):
        rng, card = self.rng, self.rng.choice(self.cards)
        if op == "claim_while":  # two changes that the agent sees at once
            first = rng.choice(("resize_out", "live_out", "delete", "resize_same"))
            steps = [self.steps(world, first, name)[0],
                     *self.steps(world, "claim", self.new_name())]
            rng.shuffle(steps)
            steps[0][2] = "none"
            return steps
        vain = {"begin": world.rig.daemon, "thaw": not world.rig.frozen,
                "mend_cards": not world.lost, "undrain": not world.drained}
        if vain.get(op):
            return None
        arguments = {
            "claim": lambda: [name, self.wants()], "resize_in": lambda: [name, self.wants()],
            "define": lambda: [name, self.enemy()],
            "define_plain": lambda: [name, [rng.randrange(len(ENEMIES)), rng.randrange(100)]],
            "delete": lambda: [name, rng.random() < 0.7, rng.random() < 0.15],
            "fail_spawn": lambda: [name, self.wants() if rng.random() < 0.5 else ""],
            "resize_out": lambda: [name, rng.random() < 0.7],
            "resize_same": lambda: [name, self.wants()],
            "revert": lambda: [name, rng.random() < 0.6],
            "live_end": lambda: [name, rng.random() < 0.5],
            "evacuate_in": lambda: [name, self.wants()],
            "ask": lambda: [name, rng.choice(("xml", "qemu-args")), rng.random() < 0.4],
            "kill": lambda: [rng.choice((0, rng.randint(1, 40)))], "reboot": lambda: [rng.randrange(3)],
            "unplug": lambda: [card], "lose": lambda: [card], "drain": lambda: [card],
            "make_foreign": lambda: [self.stranger(), card, rng.choice(
                ("named", "running", "held", "mdevctl", "idle")), rng.random() < 0.15],
            "end_foreign": lambda: [rng.randint(1, max(self.strangers, 1))],
            "hold": lambda: [rng.randrange(100)],
            "reload": lambda: [rng.choice(("same", "same", "bad", "good", "cap", "uncap",
                                           "uncap")), card],
        }
        given = arguments[op]() if op in arguments else [name] if name else []
        steps = [[op, given, "none" if op == "audit" else self.pause()]]
        if op == "reload" and given[0] == "bad":
            steps += [["audit", [], "none"], ["reload", ["good", card], "cycle"]]
        return steps

    def stranger(self):
        self.strangers += 1
        return self.strangers


def run_step(world, step):
    return step_of.run_step(world, step, function(step[0]))


def finish(world):
    """Everything is deleted, as Nova and its operators do."""
    trouble.thaw(world)
    trouble.mend_cards(world)
    trouble.reload(world, "uncap", "m")
    trouble.begin(world)
    world.rig.cycle()
    trouble.undrain(world)
    nova.delete_all(world)
    trouble.let_go(world)
    for device in list(world.foreign):
        trouble.forget_foreign(world, device)
        world.remove_by_hand(device)
    nothing_left(world)


class Outcome:
    def __init__(self, wrong, steps, story, log, seconds):
        self.wrong, self.steps, self.story, self.log = wrong, steps, story, log
        self.seconds = seconds


def run_world(seed, mode, length, steps=None):
    """Makes `length` steps, or does `steps`."""
    kind = {"attach": attach, "kinds": kinds}.get(mode, sys.modules[__name__])
    begin, maker, done, world, wrong = time.monotonic(), kind.Maker(seed, mode), [], None, None
    try:
        world = maker.world(seed)
        if steps is None:
            while len(done) < length:
                for step in maker.next(world):
                    done.append(step)
                    kind.run_step(world, step)
        else:
            for step in steps:
                done.append(step)
                kind.run_step(world, step)
        world.story.append("everything is deleted")
        done.append(["finish", [], "none"])
        kind.finish(world)
        world.rig.end_daemon()
    except Wrong as error:
        wrong = error
    except (AssertionError, OSError, KeyError, TypeError, ValueError) as error:
        # The judge's own fault, or a program's that does not do what it must.
        wrong = Wrong("trouble", f"{type(error).__name__}: {error}")
        wrong.__cause__ = error
    finally:
        log = world.rig.log() if world and wrong else ""
        if world:
            try:
                world.close()
            except (Wrong, AssertionError, OSError) as error:
                wrong = wrong or Wrong("end", str(error))
    return Outcome(wrong, done, world.story if world else [], log, time.monotonic() - begin)


def replay(seed, mode, steps):
    steps = [step for step in steps if step[0] != "finish"]
    return run_world(seed, mode, 0, steps)


def shrink(seed, mode, outcome, seconds, tell):
    """The shortest script that still breaks the same rule, found in so much time."""
    end = time.monotonic() + seconds
    best = outcome

    def fails(steps):
        nonlocal best
        if not steps or time.monotonic() > end:
            return False
        again = replay(seed, mode, steps)
        if again.wrong and again.wrong.rule == outcome.wrong.rule and (
                len(again.steps) <= len(best.steps)):
            best = again
            return True
        return False

    def candidates():
        steps = best.steps
        for name in sorted({s[1][0] for s in steps if s[1] and str(s[1][0]).startswith("s")}):
            yield [s for s in best.steps if not (s[1] and s[1][0] == name)]
        for op in sorted({s[0] for s in steps} - {"audit", "claim", "finish"}):
            yield [s for s in best.steps if s[0] != op]
        size = max(len(best.steps) // 3, 1)
        while size:
            at = 0
            while at < len(best.steps):
                before = len(best.steps)
                yield best.steps[:at] + best.steps[at + size:]
                if len(best.steps) == before:
                    at += size
            size //= 2

    if not fails(list(outcome.steps)):
        tell("    it did not come again: it is a matter of moments; here is all of it")
        return best
    changed = True
    while changed and time.monotonic() < end:
        count = len(best.steps)
        for steps in candidates():
            if len(steps) < len(best.steps):
                fails(steps)
            if time.monotonic() > end:
                break
        changed = len(best.steps) < count
    return best
