"""The kind of device that is a whole card. A host of such cards, each with sound, seen in the
words of tests that were written for mdevs, so that these run for it as well."""
import json
import os

from .fleet import child_name, new_uuid
from .host import SimulatedHost, store
from .hostdev import slot_of

DRIVERS = {"0": "nvidia", "1": "snd_hda_intel"}
MODELS = {
    "GPU": {"vendor": "0x10de", "device": "0x2206", "class": "0x030000", "driver": DRIVERS["0"],
            "interface": "none", "types": []},
    "HDA": {"vendor": "0x10de", "device": "0x1aef", "class": "0x040300", "driver": DRIVERS["1"],
            "interface": "none", "types": []}}
OURS, TYPE = "vfio-pci", "passthrough"


def driver_of(folder):
    try:
        return os.path.basename(os.readlink(folder / "driver"))
    except FileNotFoundError:
        return None


def bound_cards(host):
    """card: (card, "passthrough") of those whose functions are all bound to vfio-pci."""
    found = {}
    for folder in (host.root / "bus/pci/devices").iterdir():
        card = folder.name.rsplit(".", 1)[0] + ".0"
        found[card] = found.get(card, True) and driver_of(folder) == OURS
    return {card: (card, TYPE) for card, whole in found.items() if whole}


def as_whole_cards(addresses):
    cards = []
    for address in addresses:
        path = f"pci0000:80/{address}"
        cards += [{"model": "GPU", "path": path},
                  {"model": "HDA", "path": path[:-1] + "1", "group": address}]
    return {"mdev": False, "models": MODELS, "cards": cards}


class WholeCardHost(SimulatedHost):
    """A device is named by its card's address, which is its parent as well."""

    def mdevs(self):
        return bound_cards(self)

    def device(self, name):
        return self.function(name)

    def functions(self, card):
        return [card, card[:-1] + "1"]

    def leave_native(self, card):
        """Whatever it is now."""
        for function in self.functions(card):
            folder = self.function(function)
            if driver_of(folder) == OURS:
                store(folder / "driver/unbind", function)
            store(folder / "driver_override", "\n")
            store(self.root / "bus/pci/drivers_probe", function)

    def create(self, parent, type_id, uuid):
        """By hand."""
        for function in self.functions(parent):
            folder = self.function(function)
            if driver_of(folder) == OURS:
                continue
            store(folder / "driver_override", OURS)
            if driver_of(folder):
                store(folder / "driver/unbind", function)
            store(self.root / "bus/pci/drivers_probe", function)
        return "OK" if parent in self.mdevs() else "EIO"

    def remove(self, uuid):
        self.leave_native(uuid)
        return "OK" if uuid not in self.mdevs() else "EIO"

    def drivers(self):
        """All that is bound, and every override, of each function."""
        return {folder.name: (driver_of(folder), (folder / "driver_override").read_text().strip())
                for folder in (self.root / "bus/pci/devices").iterdir()}


class WholeCards:
    """Before a FleetTest: its hosts are of this kind, with one unit a card."""
    cards = ()

    def make_host(self, description, directory):
        return WholeCardHost(as_whole_cards(self.cards), directory)

    def totals(self):
        found = {}
        for name, provider in self.tree().items():
            inventory = self.placement.inventories(provider["uuid"])
            if inventory:
                found[name] = inventory["PGPU"]["total"]
        return found

    def allocate(self, address, units=1, consumer=None):
        consumer = consumer or new_uuid()
        self.placement.allocate(consumer, {self.child(address): {"PGPU": 1}})
        self.addCleanup(self.forget, consumer)
        return consumer

    def named(self, device):
        return slot_of(device)

    def devices_of(self, address, consumer, units=1):
        """As the state file has them: the address is the card's."""
        file = self.options.get("state_file", self.agent.state_file)
        journal = json.loads(file.read_text())
        return {d["address"] for d in journal["devices"]
                if d["consumer"] == consumer and d["gpu"] == address}

    # For tests that see all at once and put it back (support/world.py).

    def look(self):
        return {**super().look(), "drivers": self.host.drivers()}

    def put_back_mdevs(self, kept):
        for card in self.cards:
            if card in kept:
                self.assertEqual(self.host.create(card, TYPE, None), "OK")
            else:
                self.host.leave_native(card)

    def device_changes(self):
        """Which stores there were: each may be repeated."""
        return sorted({(s["path"], s["value"]) for s in self.host.stores()
                       if s["result"] == "OK"})

    def child_names(self):
        return {child_name(card) for card in self.cards}
