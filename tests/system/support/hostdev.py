"""The <hostdev> elements by which guests have their devices."""
import xml.etree.ElementTree as ElementTree


def mdev_xml(uuid):
    """The element that gives a guest a mediated device."""
    return ("<hostdev mode='subsystem' type='mdev' model='vfio-pci' display='off'><source>"
            f"<address uuid='{uuid}'/></source></hostdev>")


def slot_of(address):
    """What an element has of a PCI address but its domain."""
    _, bus, rest = address.split(":")
    slot, function = rest.split(".")
    return f"bus='0x{bus}' slot='0x{slot}' function='0x{function}'"


def pci_xml(address):
    """The same for a PCI device, "0000:41:00.0"."""
    return ("<hostdev mode='subsystem' type='pci' managed='no'><source>"
            f"<address domain='0x{address.split(':')[0]}' {slot_of(address)}/></source></hostdev>")


def hostdev_xml(device):
    """Of an mdev by its uuid, of a PCI function by its address."""
    return pci_xml(device) if "." in device else mdev_xml(device)


def address_of(xml):
    """Of the device that a <hostdev> names, as the agent spells it."""
    address = ElementTree.fromstring(xml).find("source/address")
    if address.get("uuid"):
        return address.get("uuid")
    domain, bus, slot, function = (int(address.get(name), 16) for name in ("domain", "bus", "slot", "function"))
    return f"{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"
