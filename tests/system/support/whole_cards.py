"""The kind of device that is a whole card."""
import os


def bound_cards(host):
    """card: (card, "passthrough") of those whose functions are all bound to vfio-pci."""
    found = {}
    for folder in (host.root / "bus/pci/devices").iterdir():
        card = folder.name.rsplit(".", 1)[0] + ".0"
        try:
            driver = os.path.basename(os.readlink(folder / "driver"))
        except FileNotFoundError:
            driver = None
        found[card] = found.get(card, True) and driver == "vfio-pci"
    return {card: (card, "passthrough") for card, whole in found.items() if whole}
