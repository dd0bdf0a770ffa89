"""Whether all is as it must be once a storm is over, found by looking at the host and at
Placement; what the agent says of itself is only believed where that agrees."""
import math

from .cloud import MOST, TYPES
from .fleet import child_name
from .process import wait_for
from .storm import Storm
from .watched import children, descriptors, memory, running

TRIES = 20  # cycles until nothing is left to do


class JudgedStorm(Storm):
    def come_to_rest(self):
        self.mend_all()
        for _ in range(TRIES):
            self.run_cycle()
            self.run_cycle()
            wait_for(lambda: all(s["result"] != "pending" for s in self.host.stores()),
                     "what the kernel is at")
            if self.agent.is_idle():
                break
        else:
            plan = self.agent.try_to("plan")
            self.fail(f"it does not come to rest:\n{plan.stdout}{plan.stderr}")
        self.removals.begin_anew()
        self.host.control("forget")

    def judge(self):
        self.rows = [row for row in self.agent.json("allocations") if row["units"]]
        self.devices = self.host.mdevs()
        self.check_placement()
        self.check_foreign()
        self.check_rows()
        self.check_leftovers()
        for card in TYPES:
            self.check_inventory(card)
        self.check_reports()
        self.removals.promise(self.given)

    # ---- Placement ----

    def check_placement(self):
        tree = self.tree()
        self.assertEqual(set(tree), {"", *map(child_name, TYPES)})
        root = tree[""]["uuid"]
        self.assertEqual(self.placement.traits(root), self.traits[""])
        self.assertEqual(self.placement.inventories(root), {})
        found = {}
        for card in TYPES:
            provider = tree[child_name(card)]["uuid"]
            self.assertEqual(provider, self.providers[card])
            self.assertEqual(self.placement.traits(provider), self.traits[card])
            for consumer, held in self.placement.get(
                    f"/resource_providers/{provider}/allocations")["allocations"].items():
                found.setdefault(consumer, {})[card] = held["resources"]["VGPU"]
        self.assertEqual(found, self.live)

    def check_inventory(self, card):
        inventory = self.placement.inventories(self.providers[card]).get("VGPU")
        expected = self.total(card, inventory["allocation_ratio"] if inventory else 1.0)
        if not expected:
            self.assertIsNone(inventory, card)
            return
        found = {key: inventory and inventory[key]
                 for key in ("total", "reserved", "min_unit", "max_unit", "step_size")}
        self.assertEqual(found, {"total": expected, "reserved": 0, "min_unit": 1,
                                 "max_unit": expected, "step_size": 1}, card)

    def total(self, card, ratio):
        """What the host offers, but for what others hold, and room for all that is allocated."""
        taken = [device for device in self.of_type(card)
                 if device not in self.given and self.is_held(device)]
        offered = len(self.of_type(card)) + self.room(card)
        return max(offered - len(taken), math.ceil(self.allocated(card) / max(ratio, 1.0)))

    # ---- the host ----

    def of_type(self, card):
        return [device for device, (_, type_id) in self.devices.items()
                if self.card_of(device) == card and type_id == TYPES[card]]

    def card_of(self, device):
        return self.cards[self.devices[device][0]]

    def room(self, card):
        """Each virtual function shows one until the card is full."""
        shown = sum(self.host.available(parent, TYPES[card])
                    for parent, owner in self.cards.items() if owner == card)
        return min(shown, MOST[card] - len(self.of_type(card)))

    def is_held(self, device):
        """All groups are closed, and mdevctl has none: so it is a guest that has it."""
        return any(device in file.read_text()
                   for file in self.agent.host_root.glob("*/libvirt/qemu/*.xml"))

    def check_foreign(self):
        for device, place in self.foreign.items():
            self.assertEqual(self.devices.get(device), place, f"foreign device {device}")

    # ---- each allocation ----

    def check_rows(self):
        self.given = {}
        self.short = []
        seen = {(row["consumer"], row["provider"]): row["units"] for row in self.rows}
        self.assertEqual(len(seen), len(self.rows), self.rows)
        self.assertEqual(seen, {
            (consumer, f"{self.root_name}_{child_name(card)}"): units
            for consumer, wanted in self.live.items() for card, units in wanted.items()})
        for row in self.rows:
            self.check_devices(row)
        for row in self.rows:
            if row["state"] not in ("ready", "in use"):
                self.check_shortage(row)
        for consumer, file in self.guests.items():
            self.check_guest(consumer, file.read_text())

    def check_guest(self, consumer, domain):
        """Nobody else is given what it has. (Where its allocation has gone, a consumer that
        came in the same moment is taken for its migration.)"""
        for device, owner in self.given.items():
            if device in domain and self.card_of(device) in self.live[consumer]:
                self.assertEqual(owner, consumer, device)

    def card_of_row(self, row):
        return next(card for card in TYPES if row["provider"].endswith(child_name(card)))

    def check_devices(self, row):
        card = self.card_of_row(row)
        for device in row["mdevs"]:
            self.assertNotIn(device, self.given, row)
            self.given[device] = row["consumer"]
            self.assertIn(device, self.of_type(card), row)
            self.assertIn(device, self.asked_for, row)
        if row["state"] in ("ready", "in use"):
            self.assertEqual((len(row["mdevs"]), row["reason"]), (row["units"], None), row)

    def check_shortage(self, row):
        """Only where there is no room for all of it."""
        card = self.card_of_row(row)
        self.assertEqual(row["state"], "failed", row)
        self.assertIn(f"no instance of the type '{TYPES[card]}' is left", row["reason"])
        idle = [d for d in self.of_type(card)
                if d not in self.given and not self.is_held(d)]
        missing = row["units"] - len(row["mdevs"])
        self.assertLess(self.room(card) + len(idle), missing, row)
        self.short.append(row)

    def check_leftovers(self):
        """Nothing is there that nobody asked for, or that its guest has let go."""
        for device in set(self.devices) - set(self.given) - set(self.foreign):
            self.assertIn(device, self.asked_for)
            self.assertTrue(self.is_held(device), f"{device} was forgotten")
        self.assertEqual({file.name for file in self.agent.state_file.parent.glob("state.json*")}
                         - {"state.json.reload", "state.json.guests"}, {f"state.json{end}" for end in ("", ".lock", ".problems")})
        known = {device["uuid"]: device["gpu"] for device in self.journal()["devices"]}
        # What is not there is meant for somebody who waits on that card.
        self.assertLessEqual({known[device] for device in set(known) - set(self.devices)},
                             {self.card_of_row(row) for row in self.short})
        self.assertLessEqual(set(self.given), set(known))

    # ---- the processes ----

    def measure(self):
        """{process: (descriptors, KiB)}"""
        pids = {"agent": self.daemon.pid, "its child": self.only_child(),
                "placementd": self.placement.process.pid}
        return {name: (len(descriptors(pid)), memory(pid)) for name, pid in pids.items()}

    def only_child(self):
        """That looks at the host. All others, those of earlier daemons too, have done their
        work, and go when the daemon sees it."""
        def look():
            self.run_cycle()
            pids = children(self.daemon.pid)
            left = running(str(self.agent.file)) - {str(self.daemon.pid), *pids}
            return pids if len(pids) == 1 and not left else None
        return wait_for(look, "the end of the daemon's children")[0]
