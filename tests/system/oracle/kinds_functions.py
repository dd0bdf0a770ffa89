"""The cards of the judge of kinds whose virtual functions are the devices; and all kinds."""
import stat

from .kinds_cards import MIB, SRIOV, Cards, Gvtg, Mdevs, MdevsOneAtATime, WholeCards, kind_of_function


class Functions(Cards):
    """Cards whose virtual functions are the devices."""
    count = 6

    def functions_of(self, card):
        bus = card.rsplit(":", 1)[0]
        return [f"{bus}:00.{n}" for n in range(1, self.count + 1)]

    def card_of(self, function):
        return function[:-1] + "0"

    def more_of_card(self):
        return {"numvfs": self.count}

    def came_back(self):
        for card in self.cards:
            if self.is_there(card) and not self.host.function(self.functions_of(card)[0]).exists():
                self.host.control(f"numvfs {card} {self.count}")


class VendorVfio(Functions):
    """NVIDIA's: a store gives a function its type. The largest says what the card has."""
    types, has_parameters = ("1150", "1154", "1156"), True
    sharing = "one-type"

    def __init__(self, rng):
        super().__init__(rng)
        self.one_time_use = not self.together and rng.random() < 0.3

    def model(self):
        return {"vendor": "0x10de", "device": "0x26b9", "class": "0x030200", "driver": "nvidia",
                "interface": "vendor-vfio", "sharing": self.sharing,
                "sriov": {**SRIOV, "total": self.count},
                "types": [{"id": t, "name": f"NVIDIA L40S-{48 // n}Q", "instances": n}
                          for t, n in zip(self.types, (4, 2, 1))]}

    def devices(self):
        return {function: (self.card_of(function), type_id)
                for function, type_id in self.host.vgpus().items()}

    def written(self, path, value):
        what = {"current_vgpu_type": "end" if value.strip() == "0" else "make",
                "vgpu_params": "set"}.get(path.rsplit("/", 1)[1])
        return (what, kind_of_function(path)) if what else None

    def made_of(self, path, value):
        return self.card_of(kind_of_function(path)), value.strip()

    def make(self, card, type_id):
        for function in self.functions_of(card) if self.is_there(card) else ():
            if self.host.function(function).exists() and self.host.current_type(function) == "0":
                file = self.host.function(function) / "nvidia/current_vgpu_type"
                return function if self.write(file, type_id) == "OK" else None
        return None

    def end(self, device):
        return self.write(self.host.function(device) / "nvidia/current_vgpu_type", "0") == "OK"


class VendorVfioOneAtATime(VendorVfio):
    together = "several_types"


class VendorVfioMixed(VendorVfio):
    together, sharing = "allow_mixed", "mixed"


class Mig(VendorVfio):
    """Cards that a program of the operator's cuts first; nothing is there after a boot."""
    types, cards = ("699",), VendorVfio.cards[:1]

    def __init__(self, rng):
        super().__init__(rng)
        self.one_time_use = False

    def model(self):
        return {**super().model(), "device": "0x20b5",
                "types": [{"id": "699", "name": "NVIDIA A100-1-5C", "instances": 3}]}

    def more_of_card(self):
        return {"numvfs": 0}

    def begin(self, host, host_root):
        super().begin(host, host_root)
        self.programs = {"before_cut": host_root / "cut", "sriov_manage": host_root / "manage"}
        (card,) = self.cards
        driver = host_root / "proc/driver/nvidia"
        self.instances = driver / "capabilities/gpu0/mig"
        (driver / f"gpus/{card}").mkdir(parents=True)
        (driver / f"gpus/{card}/information").write_text("Device Minor: \t 0\n")
        self.program("before_cut", f"mkdir -p {self.instances}/gi1 {self.instances}/gi2 {self.instances}/gi3")
        self.program("sriov_manage", f"printf 'numvfs {card} {self.count}' >{host.root}/.mdevsim/control")

    def sections(self, types_of):
        """By the name, which says that it is for instances before the driver lists it."""
        (name,) = (t["name"] for t in self.model()["types"])
        return {"devices": {"enabled_mdev_types": [name]},
                f"mdev_{name}": {"device_addresses": self.cards}}

    def program(self, option, line):
        file = self.programs[option]
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def agent_options(self):
        return self.programs

    def came_back(self):
        """Instances end with the driver."""
        for instance in self.instances.glob("gi*"):
            instance.rmdir()

    def grants(self, card, type_id, most=8):
        """Not more than there are instances; what is not cut yet can be."""
        cut = self.is_there(card) and self.host.function(self.functions_of(card)[0]).exists()
        return super().grants(card, type_id, most) if cut else 3


class Xe(Functions):
    """Intel's: a function with a share of the memory is a device. Functions are off at first."""
    types, shares = ("b60-8g", "b60-4g"), ((8192, 20), (4096, 0))
    memory = 24480  # MiB

    def __init__(self, rng):
        super().__init__(rng)
        self.together = "allow_mixed" if rng.random() < 0.4 else None
        self.one_time_use = not self.together and rng.random() < 0.5

    def model(self):
        return {"vendor": "0x8086", "device": "0xe211", "class": "0x030000", "driver": "xe",
                "interface": "xe", "vram": self.memory, "types": [],
                "sriov": {**SRIOV, "total": self.count, "by_hand": True}}

    def more_of_card(self):
        return {}

    def came_back(self):
        pass

    def sections(self, types_of):
        shares = {f"vf_type_{t}": {"vram_quota": f"{quota}M", "exec_quantum_ms": quantum}
                  for t, (quota, quantum) in zip(self.types, self.shares)}
        found = super().sections(types_of)
        return {**found, **{name: share for name, share in shares.items()
                            if name.removeprefix("vf_type_") in found["devices"]["enabled_mdev_types"]}}

    def profile(self, function):
        return self.host.function(self.card_of(function)) / f"sriov_admin/vf{function[-1]}/profile"

    def share(self, function):
        try:
            return (int((self.profile(function) / "vram_quota").read_text()) // MIB,
                    int((self.profile(function) / "exec_quantum_ms").read_text()))
        except OSError:
            return 0, 0

    def devices(self):
        types = dict(zip(self.shares, self.types))
        return {function: (card, types.get(share, str(share))) for card in self.cards
                for function in self.functions_of(card) for share in (self.share(function),) if share[0]}

    def written(self, path, value):
        parts = path.split("/")
        if "profile" not in parts:
            return None
        device = f"{kind_of_function(path)[:-1]}{parts[parts.index('profile') - 1].removeprefix('vf')}"
        if parts[-1] != "vram_quota":
            return "touch", device
        return ("end" if value.strip() == "0" else "make"), device

    def made_of(self, path, value):
        quota = int(value) // MIB
        return kind_of_function(path), dict(zip((q for q, _ in self.shares), self.types)).get(quota)

    def make(self, card, type_id):
        quota, quantum = self.shares[self.types.index(type_id)]
        for function in self.functions_of(card) if self.is_there(card) else ():
            # A share by hand is for one that is enabled.
            if self.host.function(function).exists() and self.share(function)[0] == 0:
                profile = self.profile(function)
                self.write(profile / "exec_quantum_ms", str(quantum))
                made = self.write(profile / "vram_quota", str(quota * MIB)) == "OK"
                if not made:
                    self.write(profile / "exec_quantum_ms", "0")
                return function if made else None
        return None

    def end(self, device):
        done = self.write(self.profile(device) / "vram_quota", "0") == "OK"
        self.write(self.profile(device) / "exec_quantum_ms", "0")
        return done

    def grants(self, card, type_id, most=8):
        """Counted where no function is enabled: the first can only be made with the others."""
        if self.host.function(self.functions_of(card)[0]).exists():
            return super().grants(card, type_id, most)
        return min(self.count, self.memory // self.shares[self.types.index(type_id)][0], most)


class Fixed(Functions):
    """Each function is a unit as it is, and nothing is ever written."""
    types, count = ("v620-vf",), 4

    def model(self):
        return {"vendor": "0x1002", "device": "0x73a1", "class": "0x038000", "driver": "gim",
                "interface": "fixed", "types": [], "sriov": {**SRIOV, "total": self.count}}

    def sections(self, types_of):
        found = super().sections(types_of)
        return {**found, "vf_type_v620-vf": {"fixed": "true"}}

    def devices(self):
        return {function: (card, self.types[0]) for card in self.cards if self.is_there(card)
                for function in self.functions_of(card) if self.host.function(function).exists()}

    def written(self, path, _value):
        return "touch", kind_of_function(path)

    def make(self, card, type_id):
        """They are all there."""
        return None

    def end(self, device):
        return True

    def hold(self, device):
        return self.host.function(device).exists()

    def unhold(self, device):
        pass


KINDS = {"mdev": Mdevs, "mdev-several": MdevsOneAtATime, "gvtg": Gvtg, "vendor-vfio": VendorVfio,
         "vendor-vfio-several": VendorVfioOneAtATime, "vendor-vfio-mixed": VendorVfioMixed,
         "xe": Xe, "fixed": Fixed, "whole": WholeCards, "mig": Mig}
