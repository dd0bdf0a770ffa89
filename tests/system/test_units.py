"""The systemd units: well-formed, in the right order, with few rights."""
import pathlib
import re
import shutil
import tempfile
import unittest

from support.process import BUILD, TOP, run

AGENT = ("vgpu-agent.service", "vgpu-agent-restore.service")
# Runs the vendor's own program, which needs root, and takes nothing from anybody.
VENDORS = "vgpu-agent-sriov@.service"
MOST_EXPOSED = 3.0  # of systemd-analyze's 10


class Units(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="vgpu-test-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.units = []
        for source in (TOP / "etc/systemd").glob("*.service"):
            text = source.read_text().replace("@sbindir@", str(BUILD))
            unit = self.directory / source.name
            unit.write_text(text.replace("@sysconfdir@", "/etc"))
            self.units.append(unit)
        self.own = [unit for unit in self.units if unit.name != VENDORS]

    def analyze(self, *words):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze")
        return run(["systemd-analyze", *map(str, words)])

    def words(self, unit, key):
        found = []
        for line in (self.directory / unit).read_text().splitlines():
            if line.startswith(f"{key}="):
                found += line.split("=", 1)[1].split()
        return found

    def test_systemd_understands_them(self):
        done = self.analyze("verify", "--man=no", *self.units)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_devices_come_back_in_each_of_readmes_ways(self):
        """The unit is enabled with the daemon's, and by itself where a way of README's goes without the daemon."""
        self.assertEqual(self.words("vgpu-agent.service", "Also"), ["vgpu-agent-restore.service"])
        ways = re.split(r"\n(?=Beside Nova\n|Without Nova\n|Without any cloud, |Layout\n)", (TOP / "README.rst").read_text())[1:-1]
        self.assertEqual(len(ways), 3)
        for way in (ways[0], ways[2]):
            self.assertRegex(way, r"(?m)^    # systemctl enable (--now vgpu-agent|vgpu-agent-restore)$")

    def test_few_rights(self):
        for unit in self.own:
            done = self.analyze("security", "--offline=yes", unit)
            exposure = re.search(r"exposure level for \S+ ([0-9.]+)", done.stdout)
            self.assertTrue(exposure, done.stdout + done.stderr)
            self.assertLess(float(exposure[1]), MOST_EXPOSED, unit.name)

    def test_bounds(self):
        """What a hostile client could make of them ends with the service."""
        for unit in self.own:
            self.assertTrue(self.words(unit.name, "MemoryMax"), unit.name)
            self.assertEqual(self.words(unit.name, "RemoveIPC"), ["yes"], unit.name)
            filters = self.words(unit.name, "SystemCallFilter")
            self.assertEqual(filters, ["@system-service", "~@privileged", "@resources"])
            if self.words(unit.name, "Type") == ["notify"]:
                self.assertTrue(self.words(unit.name, "WatchdogSec"), unit.name)

    def test_only_the_drop_in_gives_libvirts_socket(self):
        for unit in self.units:
            self.assertEqual(self.words(unit.name, "SupplementaryGroups"), [], unit.name)
        drop_in = self.directory / "vgpu-agent.service.d/libvirt.conf"
        drop_in.parent.mkdir()
        shutil.copy(TOP / "etc/systemd/vgpu-agent.service.d/libvirt.conf", drop_in)
        self.assertEqual(self.words("vgpu-agent.service.d/libvirt.conf", "SupplementaryGroups"), ["libvirt"])
        # It can only take away, which @privileged does not know.
        self.assertEqual(self.words("vgpu-agent.service.d/libvirt.conf", "SystemCallFilter"), ["capset"])
        done = self.analyze("verify", "--man=no", self.directory / "vgpu-agent.service")
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_the_drop_in_for_whole_cards(self):
        """Both units run as root then, and keep every other limit."""
        source = TOP / "etc/systemd/vgpu-agent.service.d/whole-cards.conf"
        for unit in AGENT:
            drop_in = self.directory / f"{unit}.d" / source.name
            drop_in.parent.mkdir()
            shutil.copy(source, drop_in)
            self.assertEqual(self.words(f"{unit}.d/{source.name}", "User"), ["root"])
            done = self.analyze("verify", "--man=no", self.directory / unit)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
            # Root's own files need none, sysfs is not read-only, and no filter is in the way of a write.
            self.assertEqual(self.words(unit, "ProtectKernelTunables"), [])
        keys = {line.partition("=")[0] for line in source.read_text().splitlines() if "=" in line and line[0] != "#"}
        self.assertEqual(keys, {"User", "Group"})

    def test_libvirts_socket_can_be_reached(self):
        """It is one of the file system, which may be read-only; nothing hides /run."""
        self.assertIn("AF_UNIX", self.words("vgpu-agent.service", "RestrictAddressFamilies"))
        for key in ("InaccessiblePaths", "TemporaryFileSystem", "RootDirectory"):
            self.assertEqual(self.words("vgpu-agent.service", key), [], key)

    def test_devices_are_back_before_guests_start(self):
        guests = {"libvirt-guests.service", "nova-compute.service"}
        vendor = {"nvidia-vgpud.service", "nvidia-vgpu-mgr.service", "nvidia-sriov.service"}
        for unit in AGENT:
            self.assertLessEqual(guests, set(self.words(unit, "Before")), unit)
            self.assertLessEqual(vendor, set(self.words(unit, "After")), unit)
        # libvirt starts guests by itself as soon as it is there.
        self.assertLessEqual({"libvirtd.service", "virtqemud.service", AGENT[0]},
                             set(self.words(AGENT[1], "Before")))
        self.assertIn(AGENT[1], self.words(AGENT[0], "After"))
        # It waits for nobody's network.
        self.assertNotIn("network-online.target", self.words(AGENT[1], "After"))

    def test_functions_come_between_the_driver_and_the_devices(self):
        self.assertLessEqual({"nvidia-vgpud.service", "nvidia-vgpu-mgr.service"},
                             set(self.words(VENDORS, "After")))
        self.assertLessEqual({*AGENT, "libvirtd.service", "virtqemud.service", "nova-compute.service"},
                             set(self.words(VENDORS, "Before")))
        # Its exit status is not believed.
        self.assertEqual(self.words(VENDORS, "ExecStart"), ["-/usr/lib/nvidia/sriov-manage", "-e", "%i"])

    def test_the_users_are_made(self):
        users = "".join(file.read_text() for file in (TOP / "etc/sysusers.d").iterdir())
        for unit in self.own:
            (user,) = self.words(unit.name, "User")
            self.assertRegex(users, rf"(?m)^u {user} ")

    def test_commands_can_be_used_before_the_first_start(self):
        """Installation makes the folders that StateDirectory would, and leaves one that is there as it is: root's, where the agent
        runs as root."""
        made = "".join(file.read_text() for file in (TOP / "etc/tmpfiles.d").iterdir())
        found = 0
        for unit in self.own:
            (user,) = self.words(unit.name, "User")
            for folder in self.words(unit.name, "StateDirectory"):
                found += 1
                self.assertRegex(made, rf"(?m)^d /var/lib/{folder} :0700 :{user} :{user} -$")
        self.assertGreater(found, 1)
