"""The parameters that NVIDIA's driver takes of each device (vgpu_params): those of the type's configuration are on each
device before a consumer has it, and none of another consumer's are."""
import os

from support import wait_for
from support.crash import CHILD
from support.fleet import FleetTest
from support.vendor_vfio import VendorVfio
from support.world import GUIDE_TYPES
from test_crash import CrashTest

A, B = "0000:84:00.0", "0000:85:00.0"
CONFIGURED = "frame_rate_limiter=0, disable_vnc=1"
LONG = 3600  # seconds: a released device waits for the next consumer
TYPES = {**GUIDE_TYPES, "mdev_nvidia-35": {**GUIDE_TYPES["mdev_nvidia-35"], "vgpu_params": CONFIGURED}}


class ParametersTest(FleetTest):
    def setUp(self):
        super().setUp()
        self.build("nova-guide", TYPES, release_grace=LONG)
        self.agent.run("sync")

    def parameters(self, device):
        return self.host.device(device) / "nvidia/vgpu_params"

    def shown(self):
        return {device: self.parameters(device).read_text().rstrip("\n") for device in self.host.mdevs()}

    def has(self, address=A, **how):
        server = self.allocate(address, **how)
        self.agent.run("sync")
        return server

    def device_of(self, server):
        (row,) = [r for r in self.agent.json("allocations") if r["consumer"] == server]
        self.assertEqual(row["state"], "ready", row)
        (device,) = row["mdevs"]
        return device


class Configured(ParametersTest):
    def test_each_device_of_the_type_gets_them(self):
        self.has(units=3)
        self.has("0000:86:00.0")
        types = {device: kind for device, (_, kind) in self.host.mdevs().items()}
        self.assertEqual({(types[d], text) for d, text in self.shown().items()},
                         {("nvidia-35", CONFIGURED), ("nvidia-36", "")})
        self.assertTrue(self.agent.is_idle())

    def test_the_next_consumer_gets_its_own(self):
        """What the first one's guest had set beside them is not there any more."""
        first = self.has()
        device = self.device_of(first)
        self.parameters(device).write_text("console=1, frame_rate_limiter=1\n")
        self.placement.deallocate(first)
        self.agent.run("sync")
        second = self.has()
        self.assertEqual((self.device_of(second), self.shown()), (device, {device: CONFIGURED}))

    def test_a_device_that_does_not_take_them_is_removed_again(self):
        self.host.control(f"fail parameters EINVAL every on {A}")
        server = self.allocate(A)
        done = self.agent.try_to("sync")
        self.assertEqual(done.returncode, 1)
        self.assertIn("changing the parameters of", done.stderr)
        self.assertEqual(self.host.mdevs(), {})
        self.host.control("clear")
        self.agent.run("sync")
        self.assertEqual(self.shown(), {self.device_of(server): CONFIGURED})

    def test_a_reboot(self):
        self.has(units=2)
        before = self.shown()
        for device in before:
            self.host.remove(device)
        self.agent.run("restore")
        self.assertEqual(self.shown(), before)

    def test_existing_devices_keep_theirs(self):
        self.has()
        self.agent.configure({"agent": self.options, **GUIDE_TYPES})
        self.agent.run("sync")
        self.assertEqual(set(self.shown().values()), {CONFIGURED})
        self.has()
        self.assertEqual(sorted(self.shown().values()), ["", CONFIGURED])

    def test_what_is_no_parameter_is_refused(self):
        for text in ("frame_rate_limiter", "a=1 b=2", "a=1,", "a=$(x)", "a=" + "1" * 600):
            self.agent.configure({"agent": self.options, **TYPES,
                                  "mdev_nvidia-35": {**TYPES["mdev_nvidia-35"], "vgpu_params": text}})
            done = self.agent.try_to("check-config")
            self.assertEqual(done.returncode, 1, text)
            self.assertRegex(done.stdout + done.stderr, "vgpu_params: .*expected KEY=VALUE")


class OneDevice(ParametersTest):
    """`vgpu-agent params`"""
    by_daemon = False

    def setUp(self):
        super().setUp()
        if self.by_daemon:
            self.agent.start()
            self.agent.daemon.wait_for_output(" starts")

    def has(self, address=A):
        server = self.allocate(address)
        if not self.by_daemon:
            self.agent.run("sync")
        wait_for(lambda: server in {r["consumer"] for r in self.agent.json("allocations") if r["state"] == "ready"}, "it")
        return server

    def set(self, device, text):
        self.assertEqual(self.agent.run("params", device, text).rstrip("\n"), text)
        self.assertEqual(self.agent.run("params", device).rstrip("\n"), text)

    def test_shown_set_and_cleared(self):
        device = self.device_of(self.has())
        self.assertEqual(self.agent.json("params", device), {"device": device, "parameters": CONFIGURED})
        for text in ("a=1", "console=1, a=2", ""):
            self.set(device, text)
        self.assertEqual([f.name for f in self.agent.state_file.parent.iterdir() if ".answer." in f.name], [])

    def test_they_come_back_with_the_device(self):
        """Not those of its type, and none where they were cleared."""
        devices = [self.device_of(self.has()) for _ in range(3)]
        self.set(devices[0], "console=1")
        self.set(devices[1], "")
        before = self.shown()
        self.assertEqual(sorted(before.values()), ["", "console=1", CONFIGURED])
        if self.by_daemon:
            self.agent.stop()
        for device in devices:
            self.host.remove(device)
        self.agent.run("restore")
        self.assertEqual(self.shown(), before)

    def test_they_end_with_the_consumer(self):
        server = self.has()
        device = self.device_of(server)
        self.set(device, "console=1")
        self.placement.deallocate(server)
        if not self.by_daemon:
            self.agent.run("sync")
        other = self.has()
        self.assertEqual((self.device_of(other), self.shown()), (device, {device: CONFIGURED}))

    def test_by_hand(self):
        device = self.agent.run("create", "--type", "nvidia-35", "--gpu", A).strip()
        self.assertEqual(self.shown(), {device: CONFIGURED})
        self.set(device, "console=1")
        if self.by_daemon:
            self.agent.stop()
        before = self.host.mdevs()
        self.host.remove(device)
        self.agent.run("restore")
        self.assertEqual((self.host.mdevs(), self.shown()), (before, {device: "console=1"}))

    def test_one_of_somebody_elses(self):
        self.host.create(A, "nvidia-35", "6f2e1d4c-0000-4000-8000-000000000001")
        (device,) = self.host.mdevs()
        self.set(device, "console=1")
        self.assertEqual([r["owner"] for r in self.agent.json("devices")], ["foreign"])

    def test_what_a_guest_is_to_start_with(self):
        """Its domain names the device; once it runs, the driver takes nothing."""
        server = self.has()
        device = self.device_of(server)
        self.agent.define_domain(server, [device])
        self.set(device, "console=1")
        self.agent.define_domain(server, [device], running=True)
        done = self.agent.try_to("params", device, "console=0")
        self.assertEqual(done.returncode, os.EX_TEMPFAIL)
        self.assertIn("a guest has it, and the driver takes parameters only before it starts", done.stderr)
        self.assertEqual(self.shown(), {device: "console=1"})

    def test_who_has_the_device_cannot_be_seen(self):
        """A definition that cannot be read may be of a guest that runs: the driver is not even asked."""
        server = self.has()
        device = self.device_of(server)
        self.agent.define_domain(server, [device])
        (self.agent.host_root / "etc/libvirt/qemu/damaged.xml").write_text("<domain>")
        before = self.host.stores()
        done = self.agent.try_to("params", device, "console=1")
        self.assertEqual(done.returncode, os.EX_TEMPFAIL)
        self.assertIn("it is not known whether a guest holds it", done.stderr)
        self.assertEqual(self.host.stores(), before)

    def test_what_is_none(self):
        device = self.device_of(self.has())
        for text in ("console", "a=1 b=2", "a=1;"):
            done = self.agent.try_to("params", device, text)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("is no list of parameters; expected KEY=VALUE", done.stderr)
        self.host.control(f"fail parameters EINVAL every on {A}")
        done = self.agent.try_to("params", device, "console=1")
        self.assertIn("changing the parameters of", done.stderr)
        self.host.control("clear")
        self.host.control("hide *vgpu_params")
        self.assertIn("its driver has no nvidia/vgpu_params", self.agent.try_to("params", device).stderr)


class OneDeviceOfDaemon(OneDevice):
    by_daemon = True


class OneDeviceOfVfio(VendorVfio, OneDevice):
    pass


class ConfiguredOfVfio(VendorVfio, Configured):
    pass


class Crash(CrashTest):
    """Killed at any call, also between the two writes that make a device."""
    sections = TYPES

    def look(self):
        return {**super().look(), "parameters": {
            device: (self.host.device(device) / "nvidia/vgpu_params").read_text()
            for device in self.host.mdevs()}}

    def put_back_mdevs(self, kept):
        """Of the agent's own devices only what it wrote itself is to be found at the end."""
        for device in self.host.mdevs():
            self.assertEqual(self.host.remove(device), "OK")
        super().put_back_mdevs(kept)

    def device_changes(self):
        """To clear a device that was just made changes nothing."""
        return [s for s in super().device_changes() if (s[0], s[2].strip()) != ("vgpu_params", "")]

    def test_program(self):
        self.crash_everywhere("allocations", self.end_by_sync)

    def test_daemon(self):
        self.crash_everywhere("allocations", self.end_by_daemon)

    def test_child(self):
        self.crash_everywhere("allocations", self.end_by_sync, scope=CHILD)

    def test_child_after_a_reboot(self):
        self.crash_everywhere("reboot", self.end_by_sync, scope=CHILD)


class CrashOfVfio(VendorVfio, Crash):
    pass


class BetweenTheWrites(ParametersTest):
    def test_they_are_written_before_the_consumer_has_the_device(self):
        self.host.control(f"block parameters every on {A}")
        server = self.allocate(A)
        daemon = self.agent.start()
        wait_for(lambda: [s for s in self.host.stores() if s["path"].endswith("vgpu_params")], "the second write")
        daemon.kill()
        self.agent.daemon = None
        self.host.control("fail parameters EIO every")
        self.host.control("unblock")
        wait_for(lambda: all(s["result"] != "pending" for s in self.host.stores()), "what the child does")
        (row,) = [r for r in self.agent.json("allocations") if r["consumer"] == server]
        self.assertEqual(row["state"], "pending", row)
        self.host.control("clear")
        self.agent.run("sync")
        self.assertEqual(self.shown(), {self.device_of(server): CONFIGURED})
