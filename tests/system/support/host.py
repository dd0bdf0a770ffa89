"""GPU hosts: a simulated one is mdevsim on a mount point of its own."""
import errno
import json
import os
import pathlib
import subprocess

from .process import Process, program, run

MOUNTS = pathlib.Path("/proc/self/mounts")
UNMOUNT = ["umount", "--lazy"] if os.geteuid() == 0 else ["fusermount3", "-u", "-z"]
HOSTS = pathlib.Path(__file__).resolve().parents[2] / "hosts"


def load_description(name):
    """A file of tests/hosts, to be changed and given to SimulatedHost."""
    return json.loads((HOSTS / f"{name}.json").read_text())


def fuse_missing():
    """Why there can be no mount, or None."""
    return run([program("mdevsim"), "--can-mount"]).stdout.strip() or None


def store(path, data):
    """One write(2), as sysfs wants it. Gives "OK" or the errno's name."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError as error:
        return errno.errorcode[error.errno]
    try:
        os.write(fd, data.encode())
    except OSError as error:
        return errno.errorcode[error.errno]
    finally:
        os.close(fd)
    return "OK"


class Host:
    """What a test sees and does below `root`: mdevsim's mount, or a kernel's own /sys."""

    def __init__(self, root):
        self.root = pathlib.Path(root)

    def parent(self, name):
        return self.root / "class/mdev_bus" / name

    def type(self, parent, type_id):
        return self.parent(parent) / "mdev_supported_types" / type_id

    def create(self, parent, type_id, uuid):
        """As an operator does by hand."""
        return store(self.type(parent, type_id) / "create", uuid)

    def remove(self, uuid):
        return store(self.root / "bus/mdev/devices" / uuid / "remove", "1")

    def available(self, parent, type_id):
        return int((self.type(parent, type_id) / "available_instances").read_text())

    def mdevs(self):
        """uuid: (parent, type) of the devices that are complete."""
        found = {}
        for link in (self.root / "bus/mdev/devices").iterdir():
            try:
                target = os.readlink(link)
                type_id = os.path.basename(os.readlink(link / "mdev_type"))
            except FileNotFoundError:
                continue
            found[link.name] = (pathlib.PurePath(target).parent.name, type_id)
        return found

    def device(self, name):
        """A device's folder."""
        return self.root / "bus/mdev/devices" / name

    def function(self, address):
        """A PCI function's folder."""
        return self.root / "bus/pci/devices" / address

    def current_type(self, function):
        """The type of a virtual function that a store makes a virtual GPU; "0": none."""
        return (self.function(function) / "nvidia/current_vgpu_type").read_text().strip()

    def set_type(self, function, type_id):
        """As an operator does by hand."""
        return store(self.function(function) / "nvidia/current_vgpu_type", type_id)

    def vgpus(self):
        """function: type of those that have one."""
        found = {}
        for file in self.root.glob("bus/pci/devices/*/nvidia/current_vgpu_type"):
            type_id = file.read_text().strip()
            if type_id != "0":
                found[file.parent.parent.name] = type_id
        return found


class SimulatedHost(Host):
    """`description` is the name of a file in tests/hosts, or a dict of that shape."""

    def __init__(self, description, directory):
        super().__init__(pathlib.Path(directory) / "sys")
        self.root.mkdir()
        if isinstance(description, dict):
            file = pathlib.Path(directory) / "host.json"
            file.write_text(json.dumps(description))
        else:
            file = HOSTS / f"{description}.json"
        self.directory, self.file, self.boots = pathlib.Path(directory), file, 0
        self.boot()

    def boot(self):
        self.process = Process([program("mdevsim"), "--host", str(self.file),
                                str(self.root)],
                               self.directory / f"mdevsim{self.boots or ''}.log")
        self.process.wait_for_output("mounted")
        self.boots += 1

    def reboot(self):
        """All devices are lost, and virtual functions are as at first."""
        if self.stop() != 0:
            raise AssertionError(f"mdevsim: {self.process.output()}")
        self.boot()

    def reboot_with(self, description):
        """A dict: other cards, or another driver. The file of tests/hosts stays."""
        self.file = self.directory / "host.json"
        self.file.write_text(json.dumps(description))
        self.reboot()

    def stop(self):
        try:
            return self.process.stop()
        finally:
            # One that crashed or was killed could not do it.
            if f" {self.root} " in MOUNTS.read_text():
                subprocess.run([*UNMOUNT, self.root], check=True)

    def try_to(self, command):
        """Gives "OK" or the errno's name."""
        return store(self.root / ".mdevsim/control", command)

    def control(self, command):
        result = self.try_to(command)
        if result != "OK":
            raise AssertionError(f"{command}: {result}")

    def stores(self):
        """What was written below the mount, in order: path, value, result."""
        text = (self.root / ".mdevsim/stores").read_text()
        return [json.loads(line) for line in text.splitlines()]
