"""The cards of the judge of kinds: how each kind is cut by hand, and what is to be seen of it
in sysfs. Nothing here knows what the agent does; facts are those of mdevsim(1).

A device is called as a guest's definition calls it: by its uuid, or by its PCI address."""
import collections
import os
import uuid

from support.host import store

MIB = 1 << 20
SRIOV = {"offset": 1, "stride": 1, "by_hand": False}


def kind_of_function(path):
    """"0000:41:00.5" of what stands in or below a function's folder."""
    return next((part for part in reversed(path.split("/")) if part.count(":") == 2), None)


class Cards:
    """Two equal cards. `types`: all that they offer, the first is what both have at first;
    `together`: the option by which a card has several of them, or None."""
    cards = ("0000:41:00.0", "0000:42:00.0")
    types, together = (), None
    resource = "VGPU"
    has_parameters = one_time_use = False

    def __init__(self, rng):
        self.rng = rng
        self.own = collections.Counter()  # (path, value) of what was written by hand

    # ---- before and after the host's start ----

    def model(self):
        raise NotImplementedError

    def more_of_card(self):
        return {}

    def description(self):
        return {"models": {"GPU": self.model()}, "mdev": False,
                "cards": [{"model": "GPU", "path": f"pci0000:40/{card}", **self.more_of_card()}
                          for card in self.cards]}

    def begin(self, host, host_root):
        self.host, self.host_root = host, host_root

    def came_back(self):
        """After a reboot, or when cards were found again."""

    def agent_options(self):
        return {}

    def sections(self, types_of):
        """Of the configuration, for {card: its types}."""
        cards_of = {t: [c for c in self.cards if t in types_of[c]] for t in self.types}
        enabled = [t for t in self.types if cards_of[t]]
        found = {"devices": {"enabled_mdev_types": enabled}}
        for type_id in enabled:
            found[f"mdev_{type_id}"] = {"device_addresses": cards_of[type_id], **self.options()}
        return found

    def options(self):
        options = {self.together: "true"} if self.together else {}
        return {**options, **({"one_time_use": "true"} if self.one_time_use else {})}

    # ---- what is there ----

    def devices(self):
        """device: (card, type)"""
        raise NotImplementedError

    def functions(self, device):
        """What a guest that has the device has open."""
        return [device]

    def device_of(self, address):
        return address

    def folder(self, function):
        return self.host.function(function)

    def is_there(self, card):
        return self.host.function(card).exists()

    def parameters(self, device):
        """The text, or None."""
        if not self.has_parameters:
            return None
        try:
            return (self.folder(device) / "nvidia/vgpu_params").read_text().strip()
        except OSError:
            return None

    def remains(self):
        """What is half of a device."""
        return []

    def written(self, path, value):
        """(what, device) of one write: make, end, set (its parameters) or touch, which is
        all else that changes what a guest has."""
        raise NotImplementedError

    # ---- by hand ----

    def write(self, path, value):
        name = os.path.relpath(os.path.realpath(path), os.path.realpath(self.host.root))
        self.own[name, value] += 1
        return store(path, value)

    def make(self, card, type_id):
        """A device, or None."""
        raise NotImplementedError

    def end(self, device):
        """Whether it is gone."""
        raise NotImplementedError

    def grants(self, card, type_id, most=8):
        """How many more of a type the driver makes: they are made and ended again."""
        made = []
        while len(made) < most:
            device = self.make(card, type_id)
            if not device:
                break
            made.append(device)
        for device in made:
            if not self.end(device):
                raise AssertionError(f"{device}: cannot be taken away again")
        return len(made)

    def hold(self, device):
        return all(self.host.try_to(f"hold {f} guest") == "OK" for f in self.functions(device))

    def unhold(self, device):
        for function in self.functions(device):
            self.host.try_to(f"unhold {function}")

    def unplug(self, card):
        self.host.control(f"unplug {card}")


class Mdevs(Cards):
    """A Tesla M10's GPUs, which take one type at a time."""
    types, has_parameters = ("nvidia-40", "nvidia-42"), True
    sizes = (4, 2)

    def __init__(self, rng):
        super().__init__(rng)
        self.one_time_use = not self.together and rng.random() < 0.3

    def model(self):
        return {"vendor": "0x10de", "device": "0x13bd", "class": "0x030000", "driver": "nvidia",
                "types": [{"id": t, "name": f"GRID M10-{8 // n}A", "instances": n,
                           "description": f"framebuffer={8192 // n}M, max_instance={n}"}
                          for t, n in zip(self.types, self.sizes)]}

    def description(self):
        return {**super().description(), "mdev": True}

    def devices(self):
        return self.host.mdevs()

    def folder(self, device):
        return self.host.device(device)

    def written(self, path, value):
        name = path.rsplit("/", 2)
        if name[2] == "create":
            return "make", value.strip().lower()
        if name[2] == "remove":
            return "end", path.split("/")[-2]
        return ("set", path.split("/")[-3]) if name[2] == "vgpu_params" else None

    def made_of(self, path, _value):
        """(card, type) of one that is made."""
        return path.split("/")[-4], path.split("/")[-2]

    def make(self, card, type_id):
        if not self.is_there(card):
            return None
        device = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        made = self.write(self.host.type(card, type_id) / "create", device) == "OK"
        return device if made else None

    def end(self, device):
        return self.write(self.host.root / "bus/mdev/devices" / device / "remove", "1") == "OK"


class MdevsOneAtATime(Mdevs):
    together = "several_types"


class Gvtg(Mdevs):
    """Intel's GVT-g, whose types share a card."""
    types, together, has_parameters = ("i915-GVTg_V5_4", "i915-GVTg_V5_8", "i915-GVTg_V5_2"), "allow_mixed", False
    shares = ((128, 512, 5), (64, 384, 7), (256, 1024, 2))

    def model(self):
        return {"vendor": "0x8086", "device": "0x5912", "class": "0x030000", "driver": "i915",
                "sharing": "mixed", "gvtg": {"low": 896, "high": 2688, "fence": 28},
                "types": [{"id": t, "instances": n, "description":
                           f"low_gm_size: {low}MB\nhigh_gm_size: {high}MB\nfence: 4\n"}
                          for t, (low, high, n) in zip(self.types, self.shares)]}


class WholeCards(Cards):
    """A card and its sound, which go together."""
    cards, types, resource = ("0000:41:00.0", "0000:42:00.0", "0000:43:00.0"), ("passthrough",), "PGPU"
    native = {"0": "nvidia", "1": "snd_hda_intel"}

    def __init__(self, rng):
        super().__init__(rng)
        self.one_time_use = rng.random() < 0.5

    def description(self):
        models, cards = {}, []
        for number, ids in (("0", ("0x2206", "0x030000")), ("1", ("0x1aef", "0x040300"))):
            models[number] = {"vendor": "0x10de", "device": ids[0], "class": ids[1],
                              "driver": self.native[number], "interface": "none", "types": []}
        for card in self.cards:
            cards += [{"model": "0", "path": f"pci0000:40/{card}"},
                      {"model": "1", "path": f"pci0000:40/{card[:-1]}1", "group": card}]
        return {"mdev": False, "models": models, "cards": cards}

    def sections(self, types_of):
        cards = [card for card in self.cards if types_of[card]]
        return {"devices": {"passthrough_addresses": cards,
                            "passthrough_one_time_use": str(self.one_time_use).lower()}}

    def functions(self, device):
        return [device, device[:-1] + "1"]

    def device_of(self, address):
        return address[:-1] + "0"

    def state(self, function):
        """(driver, override)"""
        folder = self.host.function(function)
        try:
            driver = os.path.basename(os.readlink(folder / "driver"))
        except FileNotFoundError:
            driver = None
        try:
            return driver, (folder / "driver_override").read_text().strip()
        except FileNotFoundError:
            return None, None

    def devices(self):
        return {card: (card, self.types[0]) for card in self.cards
                if all(self.state(f)[0] == "vfio-pci" for f in self.functions(card))}

    def remains(self):
        whole = self.devices()
        return [f for card in self.cards for f in self.functions(card)
                if card not in whole and self.host.function(f).exists()
                and self.state(f) != (self.native[f[-1]], "(null)")]

    def written(self, path, value):
        name = path.rsplit("/", 1)[1]
        function = kind_of_function(path) if name == "driver_override" else value.strip()
        if name not in ("driver_override", "bind", "unbind", "drivers_probe"):
            return None
        # The override is written before anything is made, and goes when all is over.
        if name == "driver_override" and value.strip() == "vfio-pci":
            return "make", self.device_of(function)
        ends = name == "unbind" and path.split("/")[-2] == "vfio-pci"
        return ("end" if ends else "touch"), self.device_of(function)

    def made_of(self, path, _value):
        return self.device_of(kind_of_function(path)), self.types[0]

    def make(self, card, type_id):
        if card in self.devices() or not self.is_there(card):
            return None
        for function in self.functions(card):
            folder = self.host.function(function)
            self.write(folder / "driver_override", "vfio-pci")
            if (folder / "driver").exists():
                self.write(folder / "driver/unbind", function)
            self.write(self.host.root / "bus/pci/drivers_probe", function)
        return card if card in self.devices() else None

    def end(self, device):
        for function in self.functions(device):
            folder = self.host.function(function)
            if (folder / "driver").exists():
                self.write(folder / "driver/unbind", function)
            self.write(folder / "driver_override", "\n")
            self.write(self.host.root / "bus/pci/drivers_probe", function)
        return device not in self.devices()

    def unplug(self, card):
        for function in self.functions(card):
            self.host.control(f"unplug {function}")
