"""Libvirt's side: domains as files, and the processes of those that run. What is named and
what is held is known here from the writing, not from the reading."""
import os
import re
import shutil
from xml.sax.saxutils import escape

from support.files import replace

MDEV = ("<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci'>"
        "<source><address uuid='{}'/></source></hostdev>")
PRINTED = re.compile(r"<hostdev\b.*?</hostdev>", re.S)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Where a tenant's text, or a tool's, comes into a domain's XML; {} is what it says.
ENEMIES = (
    "<metadata><nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'>"
    "<nova:name>{}</nova:name></nova:instance></metadata>",
    "<description>{}</description>",
    "<title>mdev_{}</title>",
    "<metadata><t:note xmlns:t='urn:tool'><hostdev type='mdev'><source>"
    "<address uuid='{}'/></source></hostdev></t:note></metadata>",
    "<!-- <hostdev mode='subsystem' type='mdev'><source><address uuid='{}'/></source>"
    "</hostdev> -->",
    "<sysinfo type='smbios'><system><entry name='serial'>{}</entry></system></sysinfo>",
    "<metadata><nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'>"
    "<nova:name>&lt;hostdev type='mdev'&gt;&lt;source&gt;&lt;address uuid='{}'/&gt;"
    "&lt;/source&gt;&lt;/hostdev&gt;</nova:name></nova:instance></metadata>",
)


class Domain:
    """Of the server (or stranger) `uuid`; `devices` in the order of its hostdevs."""

    def __init__(self, uuid, name, devices, text="", hostdevs=None):
        self.uuid, self.name, self.devices, self.text = uuid, name, list(devices), text
        self.hostdevs = hostdevs or "".join(MDEV.format(d) for d in devices)
        self.pid = None  # of its process

    def xml(self):
        return (f"<domain type='kvm'>\n  <name>{escape(self.name)}</name>\n"
                f"  <uuid>{self.uuid}</uuid>\n  {self.text}\n  <memory unit='KiB'>65536"
                "</memory>\n  <devices>\n<disk type='file' device='disk'>"
                "<target dev='vda' bus='virtio'/></disk>\n"
                f"{self.hostdevs}\n  </devices>\n</domain>\n")


class Libvirt:
    def __init__(self, rig):
        self.rig, self.root = rig, rig.agent.host_root
        self.defined = self.root / "etc/libvirt/qemu"
        self.running = self.root / "run/libvirt/qemu"
        self.domains = {}  # name: Domain
        self.kept = {}  # device: the uuids of the domains that have named it since the last audit
        self.processes = {}  # pid: devices, of processes that are no domain's
        self.next_pid = 1000
        networks = self.defined / "networks"
        networks.mkdir(exist_ok=True)
        (networks / "default.xml").write_text(
            "<network><name>default</name><uuid>9a05da11-e96b-47f3-8253-a3a482e445f5"
            "</uuid></network>\n")

    def define(self, domain):
        old = self.domains.get(domain.name)
        if old:
            domain.pid = old.pid
        self.domains[domain.name] = domain
        self.keep_only(domain.uuid, domain.devices)
        replace(self.defined / f"{domain.name}.xml", domain.xml())

    def undefine(self, domain):
        self.stop(domain)
        self.keep_only(domain.uuid, ())
        (self.defined / f"{domain.name}.xml").unlink()
        del self.domains[domain.name]

    def keep_only(self, uuid, devices):
        for device, uuids in self.kept.items():
            if device not in devices:
                uuids.discard(uuid)

    def start(self, domain):
        """Gives the devices that are not there; then it does not start."""
        missing = [d for d in domain.devices if not self.hold(d, domain.name)]
        if missing:
            for device in domain.devices:
                if device not in missing:
                    self.release(device)
            return missing
        domain.pid = self.process(domain.devices, domain.uuid)
        replace(self.running / f"{domain.name}.xml",
                f"<domstatus state='running' reason='booted' pid='{domain.pid}'>\n"
                f"{domain.xml()}</domstatus>\n")
        return []

    def stop(self, domain):
        if domain.pid:
            (self.running / f"{domain.name}.xml").unlink()
            for device in domain.devices:
                self.release(device)
            self.end_process(domain.pid)
            domain.pid = None

    # ---- processes ----

    def hold(self, device, name):
        return self.rig.host.try_to(f"hold {device} {name}") == "OK"

    def release(self, device):
        self.rig.host.try_to(f"unhold {device}")

    def nodes(self, device):
        """What is open of it, below /dev/vfio."""
        yield os.path.basename(os.readlink(
            self.rig.host.root / "bus/mdev/devices" / device / "iommu_group"))

    def process(self, devices, uuid):
        """One that has these open, as /proc shows it."""
        self.next_pid += 7
        pid = self.next_pid
        folder = self.root / f"proc/{pid}"
        nodes = [node for device in devices for node in self.nodes(device)]
        for place in (folder / "fd", folder / f"task/{pid}/fd", folder / f"task/{pid + 1}/fd"):
            place.mkdir(parents=True)
            for number, node in enumerate(nodes):
                (place / str(20 + number)).symlink_to(f"/dev/vfio/{node}")
        (folder / "cmdline").write_text(f"/usr/bin/qemu-system-x86_64\0-uuid\0{uuid}\0")
        return pid

    def end_process(self, pid):
        shutil.rmtree(self.root / f"proc/{pid}")

    def hold_alone(self, device):
        """A process that libvirt knows nothing of."""
        if self.hold(device, "tool"):
            self.processes[self.process([device], "none")] = device

    def let_go(self, pid):
        self.release(self.processes.pop(pid))
        self.end_process(pid)

    def lose_power(self):
        """The definitions stay."""
        for domain in self.domains.values():
            if domain.pid:
                (self.running / f"{domain.name}.xml").unlink()
                self.end_process(domain.pid)
                domain.pid = None
        for pid in list(self.processes):
            self.end_process(pid)
        self.processes.clear()

    # ---- what is in use ----

    def names(self):
        """device: the uuids of the domains that name it."""
        found = {}
        for domain in self.domains.values():
            for device in domain.devices:
                found.setdefault(device, set()).add(domain.uuid)
        return found

    def holders(self):
        """device: the uuids of those that have it open."""
        found = {}
        for domain in self.domains.values():
            for device in domain.devices if domain.pid else ():
                found.setdefault(device, set()).add(domain.uuid)
        for device in self.processes.values():
            found.setdefault(device, set()).add("a process")
        return found
