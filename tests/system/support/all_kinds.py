"""A host with a card of each kind (tests/hosts/all-kinds.json), and what configures them all."""
HOST = "all-kinds"
CARDS = {  # type: its card
    "nvidia-35": "0000:84:00.0", "i915-GVTg_V5_4": "0000:00:02.0", "i915-GVTg_V5_8": "0000:00:02.0",
    "1150": "0000:41:00.0", "699": "0000:42:00.0", "b60-8g": "0000:03:00.0",
    "v620-vf": "0000:63:00.0", "passthrough": "0000:01:00.0"}


def sections():
    types = [t for t in CARDS if t != "passthrough"]
    found = {"devices": {"enabled_mdev_types": types, "passthrough_addresses": CARDS["passthrough"]},
             "vf_type_b60-8g": {"vram_quota": "8G"}, "vf_type_v620-vf": {"fixed": "true"}}
    for name in types:
        found[f"mdev_{name}"] = {"device_addresses": CARDS[name]}
        if name.startswith("i915"):
            found[f"mdev_{name}"]["allow_mixed"] = "true"
    return found


def provider_name(root, name):
    """Of the provider that has the type's units."""
    card = f"{root}_pci_{CARDS[name].replace(':', '_').replace('.', '_')}"
    return f"{card}_{name}" if name.startswith("i915") else card


def resource(name):
    return "PGPU" if name == "passthrough" else "VGPU"
