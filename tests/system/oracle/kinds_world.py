"""A host in owner mode whose cards are of one kind, and what is true of it. A place is where
Placement has units: (card, "") is the card's own provider, (card, type) the one below it that
a card with several types has for each of them."""
import collections
import os
import re

from support.host import SimulatedHost

from .guests import Libvirt
from .kinds_functions import KINDS
from .kinds_rules import look_at_stores
from .rig import Rig
from .world import INVENTORY, OPERATORS_CLASS, OPERATORS_TRAIT, World

PCI_HOSTDEV = re.compile(r"<address domain='0x(\w+)' bus='0x(\w+)' slot='0x(\w+)' function='0x(\w+)'/>")
MDEV_HOSTDEV = re.compile(r"<address uuid='([0-9a-f-]+)'/>")


def addresses_of(text):
    """Of all <hostdev> elements, as the agent spells them."""
    return MDEV_HOSTDEV.findall(text) + [f"{d}:{b}:{s}.{f}" for d, b, s, f in PCI_HOSTDEV.findall(text)]


class KindsLibvirt(Libvirt):
    """Guests that have whole cards have all functions of them."""

    def __init__(self, rig, by_number):
        super().__init__(rig)
        self.by_number = by_number  # QEMU opens vfioN where there is one

    def hold(self, device, name):
        return self.rig.kind.hold(device)

    def release(self, device):
        self.rig.kind.unhold(device)

    def nodes(self, device):
        """What is open of it, below /dev/vfio."""
        for function in self.rig.kind.functions(device):
            folder = self.rig.kind.folder(function)
            numbered = list((folder / "vfio-dev").iterdir()) if (folder / "vfio-dev").exists() else []
            if self.by_number and numbered:
                yield f"devices/{numbered[0].name}"
            else:
                yield os.path.basename(os.readlink(folder / "iommu_group"))


class KindsRig(Rig):
    def __init__(self, seed, kind):
        self.kind = kind
        super().__init__(seed, "kinds")

    def make_host(self):
        self.cards, self.card_of = self.kind.cards, {}
        self.host = SimulatedHost(self.kind.description(), self.folder("host"))


class KindsWorld(World):
    def __init__(self, seed, kind, rng, grace, interval):
        self.kind, self.rng = KINDS[kind](rng), rng
        cards = self.kind.cards
        self.types_of = {card: [self.kind.types[0]] for card in cards}  # that the files name
        if self.kind.together:
            self.types_of[cards[0]] = list(self.kind.types)
        self.enabled, self.disabled = set(), set()  # (card, type), at run time
        self.first_types = {card: list(types) for card, types in self.types_of.items()}
        self.had = {card: set(types) for card, types in self.types_of.items()}  # types so far
        self.places = {}  # place: the provider's uuid, as Placement has it
        self.refused = False  # the driver refuses something
        self.departed = False  # an allocation has ended since the last audit
        self.parameters, self.by_hand = {}, set()  # device: (who set them, text); devices
        self.numbered, self.held_before = {}, {}  # number: a foreign device; see kinds_rules.py
        self.users, self.unclean = {}, set()  # one_time_use: card: who had it; cards
        # The same of types: (consumer, card, type): units; (card, type): units that were used.
        self.having, self.spent = {}, collections.Counter()
        self.dropped = collections.defaultdict(set)  # device: whose since its memory was taken
        super().__init__(seed, "owner", grace, interval, False)

    def make_rig(self, seed, _mode):
        return KindsRig(seed, self.kind)

    def look_at_stores(self):
        look_at_stores(self)
        self.used_up()

    def build(self, create_root):
        self.kind.begin(self.host, self.agent.host_root)
        self.libvirt = KindsLibvirt(self.rig, self.rng.random() < 0.5)
        uuid = self.rig.uuid
        self.root = uuid("root")
        self.placement.create_provider(self.rig.root_name, self.root)
        self.other_root, self.other = uuid("other root"), uuid("other")
        name = f"{self.other_root[:8]}.example"
        self.placement.create_provider(name, self.other_root)
        self.placement.create_provider(f"{name}_pci_0000_84_00_0", self.other, self.other_root)
        self.placement.set_inventories(self.other, {"VGPU": {"total": 1000}})
        self.placement.expect((201, 204), "PUT", f"/traits/{OPERATORS_TRAIT}")
        self.placement.expect((201, 204), "PUT", f"/resource_classes/{OPERATORS_CLASS}")
        self.configure()
        if self.kind.agent_options():
            self.rig.ask("restore")
        self.rig.start_daemon()
        self.rig.cycle(), self.rig.cycle()
        self.look_at_tree()
        self.children = {card: self.places[card, ""] for card in self.cards}
        self.furnish()

    def furnish(self):
        """What others have in the tree; it must stay as it is."""
        self.strange = {"stranger": self.rig.uuid("strange provider")}
        child = self.strange["stranger"]
        self.placement.create_provider(f"{self.rig.root_name}_pci_0000_99_00_0", child, self.root)
        self.placement.set_inventories(child, {"VGPU": {**INVENTORY, "total": 3}})
        self.others_before = self.others()

    def configure(self):
        sections = self.kind.sections(self.types_of)
        if self.cap and f"mdev_{self.cap[0]}" in sections:
            sections[f"mdev_{self.cap[0]}"]["max_instances"] = self.cap[1]
        self.agent.configure({"agent": {**self.options, **self.kind.agent_options()},
                              "placement": {"timeout": 5}, **sections})

    # ---- places ----

    def look_at_tree(self):
        """All providers below the root, by name; those of the cards become places."""
        tree = self.placement.tree(self.root)
        self.places = {}
        for card in self.cards:
            name = self.child_name(card)
            for found, provider in tree.items():
                if found == name or found.startswith(f"{name}_"):
                    self.places[card, found[len(name) + 1:]] = provider["uuid"]
        return tree

    def place_named(self, name):
        for card in self.cards:
            own = self.child_name(card)
            if name == own or name.startswith(f"{own}_"):
                return card, name[len(own) + 1:]
        return None

    @staticmethod
    def card_at(place):
        return place[0]

    def provider(self, place):
        return self.other if place == "other" else self.places[place]

    def types_at(self, card):
        """That new consumers can have."""
        types = [*self.types_of[card], *(t for c, t in self.enabled if c == card)]
        return [t for t in dict.fromkeys(types) if (card, t) not in self.disabled]

    def type_of_suffix(self, suffix):
        """A provider is called as the type was enabled: by the files' name or by the driver's."""
        return next((t for t in self.kind.types if suffix in (t, f"nvidia-{t}")), suffix)

    def type_at(self, place):
        """Of a place; that of a card's own is the only one, or the former one of guests."""
        card, suffix = place
        types = self.types_at(card)
        return self.type_of_suffix(suffix) or (types[0] if len(types) == 1 else None)

    def where(self, card, type_id):
        """Which place has the type, as its inventory says; None: no place has any."""
        self.look_at_tree()
        for place in sorted(self.places, reverse=True):
            if place[0] == card and self.type_at(place) == type_id and (
                    self.kind.resource in self.placement.inventories(self.places[place])):
                return place
        return None

    def body(self, consumer, wanted):
        found = super().body(consumer, wanted)
        for place, units in wanted.items():
            if place != "other":
                found["allocations"][self.provider(place)]["resources"] = {self.kind.resource: units}
        return found

    def note(self, consumer, wanted):
        before = self.allocations.get(consumer, {})
        self.departed |= any(wanted.get(place, 0) < units for place, units in before.items())
        super().note(consumer, wanted)

    def used_up(self):
        """one_time_use: cards whose consumer has left since the last look, and units of types."""
        for (consumer, card, type_id), units in list(self.having.items()):
            if not any(place[0] == card for c in self.family(consumer)
                       for place in self.allocations.get(c, ()) if place != "other"):
                self.spent[card, type_id] += units
                del self.having[consumer, card, type_id]
        for card, consumer in list(self.users.items()):
            if not any(place[0] == card for c in self.family(consumer)
                       for place in self.allocations.get(c, ()) if place != "other"):
                self.unclean.add(card)
                del self.users[card]

    # ---- the host ----

    def devices_in(self, text):
        """Each once, though a whole card has several elements."""
        return list(dict.fromkeys(self.kind.device_of(a) for a in addresses_of(text)))

    def devices(self):
        return self.kind.devices()

    def stores(self):
        """The agent's since the last call: (what, device, path, value, result)."""
        for store in self.host.stores()[self.seen_stores:]:
            if store["result"] == "pending":
                return
            self.seen_stores += 1
            path, value = store["path"], store["value"]
            if self.kind.own[path, value]:
                self.kind.own[path, value] -= 1
                continue
            found = self.kind.written(path, value)
            if found:
                yield *found, path, value, store["result"]

    def forget_stores(self):
        self.host.control("forget")
        self.seen_stores = 0
        self.kind.own.clear()

    def make_by_hand(self, card, type_id, _device=None):
        return self.kind.make(card, type_id)

    def remove_by_hand(self, device):
        return self.kind.end(device)
