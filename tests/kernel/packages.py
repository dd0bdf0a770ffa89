#!/usr/bin/env python3
"""Inside the guest, under its systemd: Debian's packages, from a former version to the purge, and as README's first hour has them, on a
real kernel's devices. tests/kernel/run --packages starts it."""
import grp
import json
import os
import pathlib
import pwd
import re
import shutil
import sys
import time
import unittest
import uuid

from guest import CARD, name_of  # puts the tests' modules into the path
from support.host import Host
from support.placement import Placement
from support.process import run, wait_for
from units import CONFIGURATION, OPERATION, ROOT, command, property_of, run_and_end

FOLDER = pathlib.Path(os.environ.get("PACKAGES", "."))  # has `former` and `new`
PACKAGES = ("vgpu-agent", "vgpu-agent-libvirt", "placementd")
DAEMONS = ("vgpu-agent", "placementd")
STATE = pathlib.Path("/var/lib/vgpu-agent/state.json")
DATABASE = pathlib.Path("/var/lib/placementd/placement.db")


def dpkg(*words):
    """What it prints; a question about a file would fail, for nobody answers. Others' triggers (the index of all manual pages) take
    minutes on an emulated processor."""
    done = run(["dpkg", "--force-unsafe-io", "--no-triggers", *words], timeout=300)
    if done.returncode:
        raise AssertionError(f"dpkg {words[0]}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def version_of(package):
    return command(f"dpkg-query -W -f=${{Version}} {package}")


def install(which):
    return dpkg("--install", *(str(file) for name in PACKAGES for file in (FOLDER / which).glob(f"{name}_*.deb")))


def states(unit):
    return property_of(unit, "ActiveState"), property_of(unit, "UnitFileState")


def well():
    return property_of("vgpu-agent", "StatusText") == "all is well"


def contents(*files):
    return {name: (pathlib.Path(name).read_bytes(), pathlib.Path(name).stat()[:6]) for name in files}


def write_configuration():
    """As an operator edits files that are there, whose modes and groups stay."""
    for file, text in CONFIGURATION.items():
        with open(file, "w", opener=lambda name, flags: os.open(name, flags, 0o640)) as out:
            out.write(text)


def forget_others_files():
    """dpkg reads the list of each package's files whenever it does anything, which is minutes here where they are a thousand."""
    folder, made = pathlib.Path("/var/lib/dpkg"), pathlib.Path("/run/dpkg")
    for name in ("info", "updates", "parts", "triggers"):
        (made / name).mkdir(parents=True)
    shutil.copy(folder / "status", made)
    for name in ("diversions", "statoverride"):
        (made / name).touch()
    (made / "info/format").write_text("1\n")
    for file in folder.glob("info/*.list"):
        (made / "info" / file.name).touch()
    command(f"mount --bind {made} {folder}")


def setUpModule():
    forget_others_files()
    # What keeps packages from starting anything, and documents from being unpacked, where a container was made of this system.
    for file in ("/usr/sbin/policy-rc.d", *pathlib.Path("/etc/dpkg/dpkg.cfg.d").glob("*")):
        pathlib.Path(file).unlink(missing_ok=True)
    command("systemctl start systemd-udevd")
    command("groupadd --system --force libvirt")  # where nova-compute is, libvirt's package has made it


class Packages(unittest.TestCase):
    def setUp(self):
        self.host = Host("/sys")
        self.placement = Placement("http://127.0.0.1:8778")

    def allocate(self):
        consumer = str(uuid.uuid4())
        provider = wait_for(lambda: self.placement.provider(ROOT + name_of(CARD)), "the provider")["uuid"]
        wait_for(lambda: self.placement.inventories(provider).get("VGPU", {}).get("total", 0) >= 2, "its inventory")
        self.placement.allocate(consumer, {provider: {"VGPU": 1}})
        return consumer

    def told(self, step, *words):
        """The steps are long, and each begins where the one before has ended."""
        begin = time.monotonic()
        step(*words)
        print(f"# {step.__name__}: {time.monotonic() - begin:.0f} s", flush=True)

    def test_1_from_a_former_version_to_the_purge(self):
        self.told(self.install_former)
        self.told(self.configure_and_start)
        consumers = [self.allocate() for _ in range(2)]
        devices = wait_for(lambda: len(found := self.host.mdevs()) == 2 and found, "their devices")
        wait_for(lambda: all(device in STATE.read_text() for device in devices), "the state file")
        wait_for(well, "all is well")
        self.told(self.upgrade, devices)
        self.told(self.go_on, consumers)
        left = self.host.mdevs()
        shipped = [name for package in PACKAGES for name in command(f"dpkg-query --listfiles {package}").splitlines()]
        self.assertIn("/usr/sbin/vgpu-agent", shipped)
        self.told(self.remove, left)
        self.told(self.purge, left, shipped)
        for device in left:
            self.assertEqual(self.host.remove(device), "OK")

    def install_former(self):
        install("former")
        for daemon in DAEMONS:
            self.assertEqual(states(daemon), ("inactive", "disabled"), "nothing is started before it is configured")

    def configure_and_start(self):
        write_configuration()
        command("systemctl enable placementd vgpu-agent")
        command("systemctl start vgpu-agent-restore")  # as at a boot
        command("systemctl start placementd vgpu-agent")

    def upgrade(self, devices):
        former, before = version_of("vgpu-agent"), contents(*CONFIGURATION)
        pids = {daemon: property_of(daemon, "MainPID") for daemon in DAEMONS}
        restored = property_of("vgpu-agent-restore", "ExecMainStartTimestampMonotonic")
        said = install("new")
        self.assertNotRegex(said, r"(?i)configuration file|conffile")
        self.assertNotEqual(version_of("vgpu-agent"), former)
        self.assertEqual(contents(*CONFIGURATION), before, "the files are kept")
        for daemon in DAEMONS:
            self.assertEqual(states(daemon), ("active", "enabled"), daemon)
            self.assertNotEqual(property_of(daemon, "MainPID"), pids[daemon], f"{daemon} is the new one")
            self.assertEqual(os.readlink(f"/proc/{property_of(daemon, 'MainPID')}/exe"), f"/usr/sbin/{daemon}")
        self.assertEqual(states("vgpu-agent-restore"), ("active", "enabled"))
        self.assertEqual(property_of("vgpu-agent-restore", "ExecMainStartTimestampMonotonic"), restored, "it is for the boot alone")
        self.assertEqual(self.host.mdevs(), devices, "no device is touched")

    def go_on(self, consumers):
        """The database has the allocations, the state file whose the devices are: only what it lists is ever removed."""
        for consumer in consumers:
            self.assertEqual(len(self.placement.get(f"/allocations/{consumer}")["allocations"]), 1)
        wait_for(well, "all is well")
        self.assertEqual({row["consumer"]: row["state"] for row in json.loads(command("vgpu-agent --format json allocations"))},
                         {consumer: "ready" for consumer in consumers})
        self.placement.allocate(consumers[0], {}, 1)
        wait_for(lambda: len(self.host.mdevs()) == 1, "the release")
        wait_for(well, "all is well")

    def remove(self, devices):
        before = contents(*CONFIGURATION)
        dpkg("--remove", *PACKAGES)
        for daemon in DAEMONS:
            self.assertEqual(run(["pidof", daemon]).stdout, "", f"{daemon} is stopped")
            self.assertFalse(pathlib.Path(f"/usr/sbin/{daemon}").exists())
        for unit in (*DAEMONS, "vgpu-agent-restore"):
            self.assertEqual((property_of(unit, "LoadState"), property_of(unit, "ActiveState")), ("not-found", "inactive"), unit)
        self.assertEqual(contents(*CONFIGURATION), before, "the files remain")
        for file in (STATE, DATABASE):
            self.assertTrue(file.exists(), f"{file} remains")
        self.assertEqual(self.host.mdevs(), devices, "devices remain")

    def purge(self, devices, shipped):
        """The users stay, as Debian's packages have it: what they own in a backup must not become the next user's."""
        dpkg("--purge", *PACKAGES)
        folders = "/etc /run/systemd /var/lib/systemd"
        left = [*command(f"find {folders} -xdev ( -name *vgpu-agent* -o -name *placementd* )").splitlines(),
                *(name for name in (*shipped, STATE.parent, DATABASE.parent, "/var/log/placementd")
                  if re.search("vgpu-agent|placementd", str(name)) and pathlib.Path(name).exists())]
        self.assertEqual(left, [], "nothing else is left")
        for user in DAEMONS:
            pwd.getpwnam(user)
        self.assertEqual(self.host.mdevs(), devices, "devices remain")
        self.assertEqual(command("systemctl --failed --plain --no-legend"), "")

    def test_2_readmes_first_hour(self):
        """After the installation and with the files that it shows, its commands alone, word by word, to "all is well"."""
        self.told(install, "new")
        write_configuration()
        for line in sorted(OPERATION, key=lambda line: "placementd" not in line):
            said = command(line, status=2 if line == "vgpu-agent plan" else 0)
        wait_for(lambda: "all is well" in command("vgpu-agent status"), f"all to be well after: {said}")
        self.assertEqual(states("vgpu-agent-restore")[1], "enabled")
        self.assertIn(str(grp.getgrnam("libvirt").gr_gid), re.search(
            r"(?m)^Groups:\s(.*)$", pathlib.Path(f"/proc/{property_of('vgpu-agent', 'MainPID')}/status").read_text())[1].split(), "the drop-in")
        self.allocate()
        wait_for(self.host.mdevs, "a device")


if __name__ == "__main__":
    run_and_end(sys.modules[__name__])
