"""The other kind of device in the place of mdevs: virtual functions that stores make
virtual GPUs. A host of the same cards and types, seen in the same words, so that tests
that were written for mdevs run for both."""
import json

from .host import SimulatedHost, load_description
from .hostdev import slot_of

PREFIX = "nvidia-"
FUNCTIONS = 16
WHOLE_CARD = {"id": "45", "name": "GRID M10-8Q", "instances": 1}


def as_vendor_vfio(description):
    """The same cards with virtual functions, and no mdevs."""
    for model in description["models"].values():
        model.update({"interface": "vendor-vfio", "class": "0x030200",
                      "sriov": {"total": FUNCTIONS, "by_hand": False}})
        for kind in model["types"]:
            kind["id"] = kind["id"].removeprefix(PREFIX)
        # The largest type tells how much memory a card has.
        if all(kind["instances"] > 1 for kind in model["types"]):
            model["types"] = [*model["types"], WHOLE_CARD]
    for card in description["cards"]:
        card["numvfs"] = FUNCTIONS
    return {**description, "mdev": False}


class VfioHost(SimulatedHost):
    """A device is named by its function's address, which is its parent as well."""

    def mdevs(self):
        return {function: (function, PREFIX + number)
                for function, number in self.vgpus().items()}

    def device(self, name):
        return self.function(name)

    def functions(self, card):
        """Of a card, in the order of the bus."""
        return [self.function(card).joinpath(f"virtfn{n}").readlink().name
                for n in range(FUNCTIONS)]

    def create(self, parent, type_id, uuid):
        """By hand, on a card's first free function or on that function."""
        functions = [parent] if (self.function(parent) / "physfn").exists() else \
            [f for f in self.functions(parent) if self.current_type(f) == "0"]
        return self.set_type(functions[0], type_id.removeprefix(PREFIX))

    def remove(self, uuid):
        return self.set_type(uuid, "0")

    def available(self, parent, type_id):
        """What the memory of a card has left."""
        description = json.loads(self.file.read_text())
        (card,) = [c for c in description["cards"] if c["path"].endswith(f"/{parent}")]
        (kind,) = [t for t in description["models"][card["model"]]["types"]
                   if PREFIX + t["id"] == type_id]
        vgpus = self.vgpus()
        used = [PREFIX + vgpus[f] for f in self.functions(parent) if f in vgpus]
        return kind["instances"] - len(used) if set(used) <= {type_id} else 0


class VendorVfio:
    """Before a FleetTest: its hosts are of this kind."""

    def make_host(self, description, directory):
        if isinstance(description, str):
            description = load_description(description)
        return VfioHost(as_vendor_vfio(description), directory)

    def named(self, device):
        return slot_of(device)

    def devices_of(self, address, consumer, units=1):
        return self.devices_in_state_file(address, consumer, units)
