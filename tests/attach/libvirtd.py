"""libvirtd in the rig's kernel, with its guests: QEMU without KVM."""
import os
import pathlib
import re
import signal

import libvirt
import libvirt_qemu

from support.process import Process, wait_for

# Debian's package libvirt-daemon-system has them, which would start the daemon on this machine.
USERS = {"/etc/passwd": ["libvirt-qemu:x:64055:64055::/:/bin/false"],
         "/etc/group": ["libvirt-qemu:x:64055:", "libvirt:x:64056:", "kvm:x:64057:"]}
FILES = {
    "/etc/libvirt/qemu.conf": 'user = "root"\ngroup = "root"\nsecurity_driver = "none"\ncgroup_controllers = []\nnamespaces = []\n'
                              'stdio_handler = "file"\nremember_owner = 0\n',
    "/etc/libvirt/libvirtd.conf": 'unix_sock_group = "root"\nauth_unix_rw = "none"\nauth_unix_ro = "none"\n',
}
FOLDERS = ["/var/log/libvirt/qemu", "/var/lib/libvirt/qemu", "/var/cache/libvirt/qemu", "/run/lock"]
MODULES = pathlib.Path("/usr/lib/x86_64-linux-gnu/libvirt/connection-driver")
SOCKET = pathlib.Path("/run/libvirt/libvirt-sock")
# The function that tests/kernel/module makes of a mediated device, in the monitor's words.
GPU = "10de:13f2"


def install(directory):
    """What the package for a whole host would set up; gives libvirtd's environment. It has the driver for QEMU only: the others look
    for a firewall and for udev."""
    for file, lines in USERS.items():
        there = pathlib.Path(file).read_text().splitlines()
        names = {line.split(":")[0] for line in there}
        pathlib.Path(file).write_text("\n".join(there + [line for line in lines if line.split(":")[0] not in names]) + "\n")
    for folder in FOLDERS:
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    for file, text in FILES.items():
        pathlib.Path(file).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(file).write_text(text)
    drivers = directory / "drivers"
    drivers.mkdir()
    (drivers / "libvirt_driver_qemu.so").symlink_to(MODULES / "libvirt_driver_qemu.so")
    return {**os.environ, "LIBVIRT_DRIVER_DIR": str(drivers)}


class Libvirtd:
    def __init__(self, directory):
        self.directory, self.environment = directory, install(directory)
        libvirt.registerErrorHandler(lambda *_: None, None)
        self.start()

    def start(self):
        self.process = Process(["libvirtd", "--config", "/etc/libvirt/libvirtd.conf", "--pid-file", str(self.directory / "libvirtd.pid")],
                               self.directory / "libvirtd.log", env=self.environment)
        self.connection = wait_for(self.try_to_connect, "libvirtd to answer")

    def try_to_connect(self):
        try:
            return libvirt.open("qemu:///system")
        except libvirt.libvirtError:
            if not self.process.runs():
                raise
            return None

    def kill(self):
        """As a crash: guests go on."""
        self.process.kill()

    def freeze(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def stop(self):
        self.thaw()
        return self.process.stop()

    def domain(self, uuid):
        """None: there is none."""
        try:
            return self.connection.lookupByUUIDString(uuid)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise
            return None

    # What a guest has: devices by their addresses.

    def live(self, uuid):
        domain = self.domain(uuid)
        return devices(domain.XMLDesc()) if domain and domain.isActive() else []

    def configured(self, uuid):
        domain = self.domain(uuid)
        return devices(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)) if domain and domain.isPersistent() else []

    def functions(self, uuid):
        """The PCI functions of a running guest, as QEMU shows them to it: ["8086:1237", ...]."""
        answer = libvirt_qemu.qemuMonitorCommand(self.domain(uuid), "info pci", libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP)
        return re.findall(r": PCI device ([0-9a-f]{4}:[0-9a-f]{4})", answer)

    def gpus(self, uuid):
        return self.functions(uuid).count(GPU)

    def pid(self, uuid):
        return int(pathlib.Path(f"/run/libvirt/qemu/{self.domain(uuid).name()}.pid").read_text())

    def end_guests(self):
        for domain in self.connection.listAllDomains():
            end_domain(domain)


def end_domain(domain):
    """It is gone, whatever it was."""
    persistent = domain.isPersistent()
    if domain.isActive():
        domain.destroy()
    if persistent:
        domain.undefine()


def devices(xml):
    """The addresses that a domain's hostdevs name, sorted: uuids of mediated devices, and "0000:00:07.0"."""
    found = []
    for source in re.findall(r"<hostdev.*?<source[^>]*>(.*?)</source>", xml, re.S):
        uuid = re.search(r"uuid='([^']+)'", source)
        numbers = dict(re.findall(r"(domain|bus|slot|function)='0x([0-9a-f]+)'", source))
        found.append(uuid[1] if uuid else
                     "{:04x}:{:02x}:{:02x}.{:x}".format(*(int(numbers[name], 16) for name in ("domain", "bus", "slot", "function"))))
    return sorted(found)
