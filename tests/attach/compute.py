"""What nova-compute does with a server's domain, call for call: it writes the domain anew for each action and starts it after a while.
Devices in the old XML are kept where Nova keeps them (hard reboot, start), and dropped where it drops them."""
import re
import time

import libvirt

from libvirtd import end_domain

# Between the definition and the start, seconds: at native speed 4 (revert) to 50 ms, here ten times as much.
WHILE = 0.5


class Nova:
    """`linux`: folder of the kernel and the first file system of guests that are more than firmware."""

    def __init__(self, libvirtd, linux):
        self.libvirtd, self.linux, self.count = libvirtd, linux, 0

    def xml(self, uuid, machine="pc", console=None):
        self.count += 1
        system = f"<kernel>{self.linux}/vmlinux</kernel><initrd>{self.linux}/server.cpio</initrd>" \
                 "<cmdline>console=ttyS0 quiet panic=-1 mitigations=off nokaslr apparmor=0 audit=0</cmdline>" if console else ""
        serial = f"<serial type='file'><source path='{console}'/></serial>" if console else ""
        return f"""<domain type='qemu'><name>instance-{self.count:08x}</name><uuid>{uuid}</uuid>
            <memory unit='MiB'>{128 if console else 16}</memory><vcpu>1</vcpu>
            <os><type arch='x86_64' machine='{machine}'>hvm</type>{system}</os>
            <features><acpi/></features><devices><emulator>/usr/bin/qemu-system-x86_64</emulator>{serial}
            <controller type='usb' model='none'/><memballoon model='none'/></devices></domain>"""

    def define(self, uuid, **words):
        return self.libvirtd.connection.defineXML(self.xml(uuid, **words))

    def start(self, domain, paused=False):
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED if paused else 0)
        return domain

    def create(self, uuid, between=WHILE, paused=False, **words):
        domain = self.define(uuid, **words)
        time.sleep(between)
        return self.start(domain, paused)

    def create_transient(self, uuid):
        return self.libvirtd.connection.createXML(self.xml(uuid))

    def rebuild(self, uuid, between=WHILE, **words):
        """Resize and unshelve do the same; revert does it with next to nothing between."""
        self.delete(uuid)
        return self.create(uuid, between, **words)

    def reboot_hard(self, uuid):
        """The mediated devices of the old XML are in the new one."""
        domain = self.libvirtd.domain(uuid)
        kept = re.findall(r"<hostdev[^>]*type='mdev'.*?</hostdev>", domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), re.S)
        kept = [re.sub(r"\s*<address type=.*?/>|\s*<alias .*?/>", "", hostdev) for hostdev in kept]
        self.delete(uuid)
        domain = self.libvirtd.connection.defineXML(self.xml(uuid).replace("</devices>", "".join(kept) + "</devices>"))
        return self.start(domain)

    def stop(self, uuid):
        self.libvirtd.domain(uuid).destroy()

    def delete(self, uuid):
        end_domain(self.libvirtd.domain(uuid))
