"""`vgpu-agent preflight`: what a host lacks for virtual GPUs, and that `check-config` says the same."""
import os
import pwd

from support import SystemTest
from support.host import load_description

MANAGER, STARTER = "nvidia-vgpu-mgr", "nvidia-vgpud"


class Preflight(SystemTest):
    def look(self, description, mode="owner", **agent):
        """Starts the host; its sysfs has the simulated folders, and as much of the kernel's own as a test adds."""
        self.host = self.start_host(description)
        self.sysfs = self.subdirectory("sysfs")
        for folder in self.host.root.iterdir():
            if folder.name != "kernel":
                (self.sysfs / folder.name).symlink_to(folder)
        self.agent = self.make_agent(self.host, None, {
            "agent": {"sysfs_root": self.sysfs, "mode": mode, **agent},
            "placement": {"auth_type": "noauth", "endpoint": "http://127.0.0.1:8778"}})
        self.root = self.agent.host_root
        return self.agent

    def add(self, path, content=""):
        """A file; a folder where the path ends in a slash."""
        file = (self.root if path.startswith(("proc/", "dev/", "usr/", "run/")) else self.sysfs) / path
        (file if path.endswith("/") else file.parent).mkdir(parents=True, exist_ok=True)
        if not path.endswith("/"):
            file.write_text(content)

    def add_process(self, pid, name):
        self.add(f"proc/{pid}/comm", name + "\n")

    def make_well(self):
        """What the distribution and the maker's installer leave behind."""
        for module in ("vfio", "vfio_iommu_type1", "nvidia"):
            self.add(f"module/{module}/")
        self.add("kernel/security/lockdown", "[none] integrity confidentiality\n")
        self.add("dev/vfio/vfio")
        self.add("usr/sbin/mdevctl")
        self.add("usr/bin/")
        self.add("proc/cmdline", "root=/dev/sda1 intel_iommu=on\n")
        self.add_process(1, "systemd")
        self.add_process(700, STARTER)
        self.add_process(701, MANAGER)
        self.add("proc/driver/nvidia/capabilities/gpu0/mig/gi1/ci0/access")
        self.add("proc/driver/nvidia/capabilities/gpu0/mig/gi2/ci0/access")

    def rows(self, status):
        return {row["check"]: row for row in self.agent.json("preflight", status=status)}

    def states(self, status):
        return {check: row["state"] for check, row in self.rows(status).items()}

    def warnings(self):
        done = self.agent.try_to("check-config")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return [line.removeprefix("warning: ") for line in done.stdout.splitlines() if line.startswith("warning: ")]

    def test_a_host_that_has_all(self):
        self.look("nova-guide", attach="none")
        self.make_well()
        rows = self.rows(0)
        self.assertEqual({check: row for check, row in rows.items() if row["state"] != "ok"}, {})
        self.assertRegex(rows["iommu"]["found"], r"^\d+ GPUs are in IOMMU groups$")
        self.assertEqual(rows["kind"]["found"], "the cards offer mediated devices")
        self.assertEqual(rows["MIG"]["found"], "2 instances exist")
        self.assertEqual(rows["lockdown"]["found"], "none")
        # Each in its line, and the way that a person reads it.
        lines = self.agent.run("preflight").splitlines()
        self.assertIn("ok       vfio: loaded", lines)
        self.assertLessEqual(max(map(len, lines)), 80)

    def test_what_cannot_be_seen_is_unknown(self):
        """A sysfs without the kernel's own folders, and a root directory without programs or processes."""
        self.look("nova-guide", mode="nova")
        states = self.states(0)
        for check in ("vfio", "vfio_iommu_type1", "/dev/vfio/vfio", "lockdown", "nouveau", MANAGER, "MIG",
                      "mdevctl"):
            self.assertEqual(states[check], "unknown", check)
        self.assertEqual(states[STARTER], "ok")  # its work is seen: the cards name types

    def test_a_root_directory_of_another_host_is_not_looked_at(self):
        """The root directory of this machine beside a simulated sysfs."""
        self.look("nova-guide", host_root="/", attach="none")
        states = self.states(0)
        for check in (MANAGER, "mdevctl", "/dev/vfio/vfio"):
            self.assertEqual(states[check], "ok" if check == "mdevctl" else "unknown", check)

    def test_a_host_without_an_iommu(self):
        self.look({**load_description("vendor-vfio"), "iommu": False}, attach="none")
        self.make_well()
        row = self.rows(1)["iommu"]
        self.assertEqual((row["state"], row["found"]), ("missing", "the kernel has found no IOMMU"))
        self.assertIn("intel_iommu=on", row["remedy"])
        self.assertIn(f"iommu: {row['found']}; {row['remedy']}", self.warnings())
        self.add("proc/cmdline", "root=/dev/sda1 intel_iommu=off\n")
        self.assertEqual(self.rows(1)["iommu"]["found"], "the kernel's command line turns it off: intel_iommu=off")

    def test_mediated_devices_of_a_whole_card_need_no_iommu(self):
        self.look({**load_description("nova-guide"), "iommu": False}, attach="none")
        self.add("proc/cmdline", "iommu=off\n")
        self.assertEqual(self.rows(0)["iommu"]["state"], "ok")

    def test_vendor_vfio(self):
        self.look("vendor-vfio", attach="none")
        self.make_well()
        rows = self.rows(0)
        self.assertEqual(rows["kind"]["found"], "the cards offer types of virtual functions")
        self.assertEqual(rows["virtual functions"]["found"], "256 of 256 are enabled")

    def test_two_kinds(self):
        self.look("two-kinds", attach="none")
        self.make_well()
        rows = self.rows(1)
        self.assertEqual((rows["kind"]["state"], rows["kind"]["found"]),
                         ("ok", "the cards offer types of virtual functions, mediated devices (mixed)"))
        row = rows["virtual functions"]
        self.assertEqual((row["state"], row["found"], row["remedy"]),
                         ("missing", "0000:43:00.0: none of its 16 virtual functions is enabled",
                          "`sriov-manage -e 0000:43:00.0` enables NVIDIA's"))

    def test_no_gpu(self):
        self.look({"models": {}, "cards": []}, attach="none")
        row = self.rows(1)["gpu"]
        self.assertEqual((row["state"], row["remedy"]), ("missing", "does `lspci` show the card?"))

    def test_the_kernels_own_driver_has_the_card(self):
        description = load_description("nova-guide")
        for model in description["models"].values():
            model.update(driver="nouveau", types=[])
        self.look(description, attach="none")
        self.make_well()
        rows = self.rows(1)
        self.assertEqual(rows["nouveau"]["state"], "missing")
        self.assertIn("the driver nouveau is bound to it", rows["driver"]["found"])
        self.assertEqual(rows[STARTER]["state"], "ok")  # it runs

    def test_daemons_that_do_not_run(self):
        self.look("nova-guide", attach="none")
        self.make_well()
        for pid in (700, 701):
            self.add_process(pid, "sleep")
        rows = self.rows(1)
        self.assertEqual((rows[STARTER]["state"], rows[STARTER]["found"]), ("ok", "has ended, and it has named the types"))
        self.assertEqual((rows[MANAGER]["state"], rows[MANAGER]["found"]), ("missing", "it does not run"))
        self.assertIn(f"{MANAGER}: {rows[MANAGER]['found']}; {rows[MANAGER]['remedy']}", self.warnings())
        # A container's processes are not the host's.
        link = self.root / "proc/1/ns/pid"
        link.unlink()
        link.symlink_to("pid:[4026532000]")
        self.assertEqual(self.states(0)[MANAGER], "unknown")

    def test_nova_compute_calls_mdevctl(self):
        self.look("nova-guide", mode="nova", attach="none")
        self.make_well()
        (self.root / "usr/sbin/mdevctl").unlink()
        row = self.rows(1)["mdevctl"]
        self.assertEqual(row["state"], "missing")
        self.assertIn(f"mdevctl: {row['found']}; {row['remedy']}", self.warnings())

    def test_the_service_user_may_not_write(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give the state folder to another user")
        self.look("nova-guide", attach="none")
        nobody = pwd.getpwnam("nobody")
        self.assertEqual(self.states(0)["rights"], "ok")
        os.chown(self.agent.directory, nobody.pw_uid, nobody.pw_gid)
        row = self.rows(1)["rights"]
        self.assertEqual(row["state"], "missing")
        self.assertRegex(row["found"], r"^nobody may not write \d+ of the \d+ files in sysfs .*/create$")

    def test_whole_cards_need_vfio_pci_and_root(self):
        self.look({**load_description("passthrough"), "vfio_pci": False}, attach="none")
        self.make_well()
        self.assertNotIn("vfio-pci", self.rows(1))
        self.agent.configure({"agent": {"sysfs_root": self.sysfs, "attach": "none"},
                              "devices": {"passthrough_addresses": "0000:01:00.0"},
                              "placement": {"auth_type": "noauth", "endpoint": "http://127.0.0.1:8778"}})
        self.assertEqual(self.rows(1)["vfio-pci"]["found"], "the module is not loaded")
        self.add("proc/sys/kernel/osrelease", "6.12.0-test\n")
        lists = self.root / "lib/modules/6.12.0-test"
        lists.mkdir(parents=True)
        (lists / "modules.dep").write_text("kernel/drivers/vfio/vfio.ko.xz:\n")
        (lists / "modules.builtin").write_text("kernel/drivers/base/x.ko\n")
        row = self.rows(1)["vfio-pci"]
        self.assertEqual((row["state"], row["found"]), ("missing", "the running kernel has no such module"))
        (lists / "modules.dep").write_text("kernel/drivers/vfio/pci/vfio-pci.ko.xz: kernel/drivers/vfio/vfio.ko.xz\n")
        row = self.rows(1)["vfio-pci"]
        self.assertEqual((row["found"], row["remedy"]),
                         ("the module is not loaded", "`modprobe vfio-pci`, and its name in /etc/modules-load.d"))

    def test_the_rights_for_whole_cards(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give the state folder to another user")
        self.look("passthrough", attach="none")
        self.make_well()
        self.agent.configure({"agent": {"sysfs_root": self.sysfs, "attach": "none"},
                              "devices": {"passthrough_addresses": "0000:01:00.0"},
                              "placement": {"auth_type": "noauth", "endpoint": "http://127.0.0.1:8778"}})
        # What the cards lack that the files do not name is nobody's business.
        rows = self.rows(0)
        self.assertEqual((rows["vfio-pci"]["state"], rows["rights"]["state"]), ("ok", "ok"))
        nobody = pwd.getpwnam("nobody")
        os.chown(self.agent.directory, nobody.pw_uid, nobody.pw_gid)
        row = self.rows(1)["rights"]
        self.assertRegex(row["found"], r"^nobody may not write (\d+) of the \1 files .*/driver_override$")
        self.assertIn("both units get the drop-in whole-cards.conf", row["remedy"])

    def test_libvirt_without_its_socket(self):
        self.look("nova-guide")
        row = self.rows(1)["libvirt"]
        self.assertIn(f"libvirt: {row['found']}; {row['remedy']}", self.warnings(), "where the files say nothing of it")
        self.look("nova-guide", attach="libvirt")
        row = self.rows(1)["libvirt"]
        self.assertEqual(row["state"], "missing")
        self.assertIn(f"libvirt: {row['found']}; {row['remedy']}", self.warnings())
        self.add("run/libvirt/libvirt-sock")
        self.assertEqual(self.states(0)["libvirt"], "ok")
