"""Another kind of device in the place of mdevs: virtual functions that get a share of their
card, as with Intel's xe. A host of the same cards and types, seen in the same words, so that
tests that were written for mdevs run for both."""
from .host import SimulatedHost, load_description, store
from .hostdev import slot_of

MIB = 1 << 20
FUNCTIONS, OFFSET = 16, 4
MEMORY = 16384  # MiB


def functions_of(card, count=FUNCTIONS, offset=OFFSET):
    """The addresses of the functions that a card can have, in the order of the bus."""
    bus = card.rsplit(":", 1)[0]
    return [f"{bus}:{n // 8:02x}.{n % 8}" for n in range(offset, offset + count)]


class XeHost(SimulatedHost):
    """A device is named by its function's address, which is its parent as well."""

    def __init__(self, description, directory):
        self.shares, self.cards = {}, []
        for model in description["models"].values():
            for number, kind in enumerate(model.pop("types")):
                # Two types with as many instances differ in the time that they get.
                self.shares[kind["id"]] = (MEMORY // kind["instances"], number + 1)
            model.update({"interface": "xe", "driver": "xe", "vram": MEMORY, "types": [],
                          "sriov": {"total": FUNCTIONS, "offset": OFFSET}})
        for card in description["cards"]:
            first = card.get("first", 0)
            for number in range(first, first + card.get("count", 1)):
                self.cards.append(card["path"].rsplit("/", 1)[1].replace("{x}", f"{number:02x}"))
        super().__init__({**description, "mdev": False}, directory)

    def sections(self, configuration):
        """The configuration with the types' shares."""
        enabled = configuration.get("devices", {}).get("enabled_mdev_types", [])
        names = [n.strip() for n in enabled.split(",")] if isinstance(enabled, str) else enabled
        return {**configuration,
                **{f"vf_type_{name}": {"vram_quota": f"{self.shares[name][0]}M",
                                       "exec_quantum_ms": self.shares[name][1]}
                   for name in names if name in self.shares}}

    def profile(self, function):
        """The folder with a function's values."""
        for card in self.cards:
            if function in functions_of(card):
                number = functions_of(card).index(function) + 1
                return self.function(card) / f"sriov_admin/vf{number}/profile"
        raise KeyError(function)

    def quota(self, function):
        """In MiB."""
        try:
            return int((self.profile(function) / "vram_quota").read_text()) // MIB
        except FileNotFoundError:
            return 0

    def type_of(self, function):
        share = (self.quota(function), int((self.profile(function) / "exec_quantum_ms").read_text()))
        return next((name for name, s in self.shares.items() if s == share), None)

    def mdevs(self):
        return {f: (f, self.type_of(f)) for card in self.cards for f in functions_of(card)
                if self.quota(f) and self.function(f).exists()}

    def device(self, name):
        return self.function(name)

    def enable(self, card):
        folder = self.function(card)
        if (folder / "sriov_numvfs").read_text().strip() == "0":
            return store(folder / "sriov_numvfs", str(FUNCTIONS))
        return "OK"

    def create(self, parent, type_id, uuid):
        """By hand, on a card's first free function or on that function."""
        card = parent if parent in self.cards else \
            next(c for c in self.cards if parent in functions_of(c))
        function = parent if parent != card else \
            next(f for f in functions_of(card) if not self.quota(f))
        memory, quantum = self.shares[type_id]
        store(self.profile(function) / "exec_quantum_ms", str(quantum))
        result = store(self.profile(function) / "vram_quota", str(memory * MIB))
        return self.enable(card) if result == "OK" else result

    def remove(self, uuid):
        return store(self.profile(uuid) / "vram_quota", "0")

    def available(self, parent, type_id):
        """What the memory of a card has left."""
        left = MEMORY - sum(self.quota(f) for f in functions_of(parent))
        return left // self.shares[type_id][0]


class Xe:
    """Before a FleetTest: its hosts are of this kind."""

    def make_host(self, description, directory):
        if isinstance(description, str):
            description = load_description(description)
        return XeHost(description, directory)

    def make_agent(self, host, placement, configuration):
        agent = super().make_agent(host, placement, host.sections(configuration))
        configure = agent.configure
        agent.configure = lambda sections: configure(host.sections(sections))
        return agent

    def device_changes(self):
        """A share is there with its memory, which is written last: what comes before it may
        be written twice, and to clear a device twice is as good as once. The functions are
        enabled once, and stay so."""
        return sorted({s for s in super().device_changes() if s[0] == "vram_quota"})

    def named(self, device):
        return slot_of(device)

    def devices_of(self, address, consumer, units=1):
        return self.devices_in_state_file(address, consumer, units)
