"""As test_foreign, and everything goes wrong meanwhile: the kernel and Placement fail, the
agent is killed, cards go and come, the host reboots, and the operator changes his mind."""
import os
import re

from support.relay import CUT, LOSE
from test_foreign import ACTIONS, World

EXHAUSTIVE = "EXHAUSTIVE" in os.environ
SEEDS = range(100, 124) if EXHAUSTIVE else (101, 108)
STEPS = 40 if EXHAUSTIVE else 10
ERRNOS = ("EIO", "ENOMEM", "EBUSY", "ETIMEDOUT", "ENOSPC", "EAGAIN", "EINVAL", "ENODEV")
REFUSALS = (CUT, LOSE, (503, [], b""), (500, [("Content-Type", "text/html")], b"<html>"),
            (409, [("Content-Type", "application/json")],
             b'{"errors": [{"code": "placement.concurrent_update", "detail": "no"}]}'))


class Troubled(World):
    relayed = True

    def build_troubled(self, seed):
        self.build_random(seed)
        self.drained, self.away = set(), set()
        self.configured = {card for section, options in self.types.items()
                           if section != "devices"
                           for card in options["device_addresses"]}
        self.cards = sorted(card for card in self.models if ":" in card)
        if not self.cards:
            self.skipTest("no PCI card among the cards")

    # What is expected of the agent's children now.

    def child_of(self, card):
        """By the end of its name: what is not PCI has its subsystem before it."""
        end = re.sub("[^0-9a-z]", "_", f"_{card}")
        return next((p["uuid"] for name, p in self.tree().items() if name.endswith(end)
                     and not name.startswith("numa")), None)

    def held_back(self):
        """Children nobody new may come to."""
        cards = self.drained | self.away | (set(self.models) - self.configured)
        return {self.child_of(card) for card in cards}

    def used_of(self, child):
        return sum(held["resources"].get("VGPU", 0) for held in self.placement.get(
            f"/resource_providers/{child}/allocations")["allocations"].values())

    def is_changing(self, child):
        """Devices of another type than the configured one are on its card."""
        (card,) = [card for card in self.models if self.child_of(card) == child]
        wanted = {section[len("mdev_"):] for section, options in self.types.items()
                  if card in options.get("device_addresses", ())}
        found = {type_id for parent, type_id in self.host.mdevs().values()
                 if card in (parent, self.card_of(parent))}
        return bool(found - wanted)

    def card_of(self, parent):
        link = self.host.parent(parent) / "physfn"
        return link.readlink().name if link.exists() else parent

    def check_values(self, child, inventory):
        if inventory and child in self.held_back():
            free = inventory["total"] - inventory["reserved"]
            # What is allocated on a drained card is not reserved, so that it can be emptied.
            self.assertIn(free, (0, self.used_of(child)) if child in map(self.child_of, self.drained) else (0,))
        elif inventory and inventory["reserved"] == inventory["total"] and \
                self.is_changing(child):
            pass  # where some of them are allocated, nobody new is let in
        elif self.values.get(child, {}) is not None:
            super().check_values(child, inventory)

    def forget_values(self):
        """The journal knew what an operator had set where it is overruled."""
        for child in self.children():
            if child in self.held_back() or \
                    "VGPU" not in self.placement.inventories(child):
                self.values[child] = None

    def lose_journal(self):
        self.forget_values()
        super().lose_journal()

    def set_operators_values(self):
        """Not where he could not tell his own value from the agent's."""
        held = self.held_back()
        allowed = [child for child in self.children() if child not in held]
        if allowed:
            self.set_values(self.rng.choice(allowed))

    # What goes wrong in a cycle.

    def sync(self, what, statuses=range(0, 79)):
        with self.nothing_foreign_changes(what):
            done = self.agent.try_to("sync")
            self.assertIn(done.returncode, statuses, (what, done))

    def kernel_fails(self):
        operation = self.rng.choice(("create", "remove"))
        self.host.control(f"fail {operation} {self.rng.choice(ERRNOS)} "
                          f"{self.rng.choice(('every', 'nth 1', 'nth 2'))}")
        self.sync("the kernel fails")
        self.host.control("clear")

    def kernel_is_slow(self):
        for moment in ("create", "unlink", "remove"):
            self.host.control(f"delay {moment} 30 every")
        self.sync("the kernel is slow")
        self.host.control("clear")
        self.wait_for_kernel()

    def on_request(self, verdict_of):
        number, seen = self.rng.randint(1, 8), []

        def rule(request):
            seen.append(request)
            return verdict_of(request) if len(seen) == number else None
        self.relay.rule = rule

    def placement_fails(self):
        verdict = self.rng.choice(REFUSALS)
        self.on_request(lambda request: verdict)
        self.sync("Placement fails")
        self.relay.rule = lambda request: None

    def placement_is_away(self):
        self.relay.rule = lambda request: CUT
        self.sync("Placement is away")
        self.relay.rule = lambda request: None

    def agent_is_killed(self):
        def kill(request):
            if self.rng.random() < 0.5:
                request.pass_on()
            self.agent.daemon.kill()
            return CUT
        self.on_request(kill)
        with self.nothing_foreign_changes("the agent is killed"):
            self.agent.start("sync").popen.wait()
            self.agent.daemon = None
            self.relay.rule = lambda request: None
            self.wait_for_kernel()

    # What happens to the host.

    def a_card(self):
        """Of those that can be pulled out."""
        return self.rng.choice(self.cards)

    def card_goes(self):
        """Its devices go with it; other people's, too."""
        card = self.a_card()
        if card not in self.away:
            self.host.control(f"unplug {card}")
            self.away.add(card)
            self.mdevs = {d: w for d, w in self.mdevs.items() if d in self.host.mdevs()}

    def cards_come(self):
        self.host.control("rescan")
        for card in self.away:
            if self.models[card].get("sriov"):
                self.host.control(f"numvfs {card} 8")
        self.away.clear()

    def host_reboots(self):
        self.cards_come()
        self.host.reboot()
        self.mdevs, self.seen = {}, 0
        for file in (self.agent.host_root / "run/libvirt/qemu").iterdir():
            file.unlink()
        for link in self.open_groups():
            link.unlink()
        with self.nothing_foreign_changes("restore"):
            self.assertIn(self.agent.try_to("restore").returncode, (0, 1))

    # The operator.

    def command(self, *words):
        with self.nothing_foreign_changes(words):
            done = self.agent.try_to(*words)
            self.assertIn(done.returncode, (0, 1), done)

    def drain(self):
        card = self.a_card()
        if card not in self.away:
            self.command("drain", card)
            self.drained.add(card)

    def undrain(self):
        for card in sorted(self.drained):
            self.command("undrain", card)
        self.drained.clear()

    def change_types(self):
        self.types = self.random_types()
        self.configured = {card for section, options in self.types.items()
                           if section != "devices"
                           for card in options["device_addresses"]}
        self.agent.configure({"agent": self.options, **self.types})

    def prune(self):
        """What was on a child that is deleted goes with it, as he asked; none with an
        allocation does."""
        used = {self.live[server] for server in self.live}
        before = {name: seen for name, seen in self.foreign().items()}
        children = set(self.children())
        protected, in_use = self.protected(), self.in_use()
        done = self.agent.try_to("prune")
        self.assertIn(done.returncode, (0, 1), done)
        gone = children - set(self.children())
        self.assertEqual(gone & used, set())
        self.check_stores(protected, in_use)
        before, after = self.without_cleared(before), self.without_cleared(self.foreign())
        for child in gone:
            del before[f"on {child}"]
            for kept in (self.traits, self.inventories, self.values, self.aggregates):
                kept.pop(child, None)
        self.assertEqual(after, before)


TROUBLES = {
    Troubled.kernel_fails: 2, Troubled.kernel_is_slow: 1, Troubled.placement_fails: 2,
    Troubled.placement_is_away: 0.5, Troubled.agent_is_killed: 2, Troubled.card_goes: 1,
    Troubled.cards_come: 1, Troubled.host_reboots: 0.5, Troubled.drain: 1,
    Troubled.undrain: 1, Troubled.change_types: 1.5, Troubled.prune: 1,
}
EVERYTHING = {getattr(Troubled, action.__name__): weight
              for action, weight in ACTIONS.items()} | TROUBLES


class ForeignTrouble(Troubled):
    def go_through(self, seed):
        self.build_troubled(seed)
        for _ in range(self.rng.randint(0, 6)):
            self.make_mdev()
        self.sync("the first")
        for number in range(STEPS):
            actions = self.rng.choices(list(EVERYTHING), EVERYTHING.values(),
                                       k=self.rng.randint(1, 4))
            names = [action.__name__ for action in actions]
            for action in actions:
                if self.children():
                    action(self)
            self.sync(f"{number}: {names}", (0, 1))
            self.cycle(f"{number}, again: {names}")
        self.undrain()
        self.cards_come()
        self.end_all()


for a_seed in SEEDS:
    setattr(ForeignTrouble, f"test_seed_{a_seed}",
            lambda self, seed=a_seed: self.go_through(seed))
