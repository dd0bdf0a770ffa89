"""After a reboot the same devices are there under the same uuids before guests start:
`vgpu-agent restore`, which asks nobody but the host."""
import os
import random
import time

from support import wait_for
from support.fleet import FleetTest, new_uuid
from support.power import Power
from support.process import Process
from support.vendor_vfio import VendorVfio
from support.whole_cards import WholeCards
from support.xe import Xe
from support.watched import WatchedDaemon, children, has_ended

A, B, C = "0000:84:00.0", "0000:85:00.0", "0000:86:00.0"
CARD, VF = "0000:41:00.0", "0000:41:00.5"
INTEL = "0000:00:02.0"
NOTHING = "no device is to be put back\n"


class RebootTest(FleetTest):
    def cut_off(self, **agent):
        """From now on there is no Placement, not even in the files."""
        options = {**self.options, **agent}
        self.agent.placement = None
        self.agent.configure({"agent": options, **self.types})

    def restore(self, *words, status=0):
        done = self.agent.try_to("restore", *words)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def reboot(self):
        self.host.reboot()
        self.assertEqual(self.host.mdevs(), {})
        for file in (self.agent.host_root / "run/libvirt/qemu").iterdir():
            file.unlink()


class Owner(RebootTest):
    def setUp(self):
        super().setUp()
        self.build_guide()

    def test_all_devices_are_back(self):
        self.agent.run("sync")
        self.allocate(A, 2), self.allocate(A), self.allocate(C)
        self.agent.run("sync")
        before = self.host.mdevs()
        self.assertEqual(len(before), 4)
        journal = self.agent.state_file.read_bytes()
        self.cut_off()
        self.reboot()
        self.assertIn("create device", self.restore().stdout)
        self.assertEqual(self.host.mdevs(), before)
        # Again: nothing is even tried, and the state file stays as it was.
        stores = self.host.stores()
        self.assertEqual(self.restore().stdout, NOTHING)
        self.assertEqual(self.host.stores(), stores)
        self.assertEqual(self.agent.state_file.read_bytes(), journal)
        # With Placement there again, there is nothing left to do.
        self.agent.placement = self.placement
        self.agent.configure({"agent": self.options, **self.types})
        self.agent.run("sync")
        self.assertEqual(self.host.stores(), stores)
        self.assertEqual(self.host.mdevs(), before)

    def test_a_first_boot(self):
        self.cut_off()
        self.assertEqual(self.restore().stdout, NOTHING)
        self.assertEqual(self.host.stores(), [])

    def test_released_devices_stay_away_unless_a_guest_names_them(self):
        self.agent.configure({"agent": {**self.options, "release_grace": 3600},
                              **self.types})
        self.agent.run("sync")
        servers = [self.allocate(A) for _ in range(3)]
        self.agent.run("sync")
        device = {s: self.devices_of(A, s).pop() for s in servers}
        for server in servers[1:]:
            self.placement.allocate(server, {}, 1)
        self.agent.run("sync")
        self.agent.define_domain(servers[2], [device[servers[2]]])
        self.cut_off()
        self.reboot()
        self.restore()
        self.assertEqual(set(self.host.mdevs()), {device[servers[0]], device[servers[2]]})

    def test_a_state_file_that_is_lost(self):
        """Only a domain tells of the device then, not of which GPU it was: that is said, until Placement does."""
        self.agent.run("sync")
        server = self.allocate(A)
        self.agent.run("sync")
        before = self.host.mdevs()
        (device,) = before
        self.agent.define_domain(server, [device])
        self.agent.state_file.unlink()
        self.cut_off()
        self.reboot()
        done = self.restore(status=1)
        self.assertEqual(done.stdout, "no device could be put back\n")
        self.assertIn(f"the domain {server} names the device {device}, which is not there, and neither the state file",
                      done.stderr)
        self.assertEqual(self.host.mdevs(), {})
        self.agent.placement = self.placement
        self.agent.configure({"agent": self.options, **self.types})
        self.agent.run("sync")
        self.assertEqual(self.host.mdevs(), before)
        self.assertEqual(self.restore().stdout, NOTHING)

    def test_a_gpu_that_is_not_there(self):
        self.agent.run("sync")
        self.allocate(A), self.allocate(B)
        self.agent.run("sync")
        before = self.host.mdevs()
        lost = next(u for u, (parent, _) in before.items() if parent == A)
        self.cut_off()
        self.reboot()
        self.host.control(f"unplug {A}")
        done = self.restore(status=1)
        self.assertIn(f"{A}: the device {lost}", done.stderr)
        self.assertIn("the GPU is not there", done.stderr)
        # One GPU's trouble is its own.
        self.assertEqual(set(self.host.mdevs()), set(before) - {lost})
        begin = time.monotonic()
        self.restore("--wait", "1", status=1)
        self.assertGreater(time.monotonic() - begin, 0.9)
        self.host.control("rescan")
        self.restore()
        self.assertEqual(self.host.mdevs(), before)

    def test_a_driver_that_fails_at_first(self):
        self.agent.run("sync")
        self.allocate(A)
        self.agent.run("sync")
        before = self.host.mdevs()
        self.cut_off()
        self.reboot()
        self.host.control(f"fail create EIO on {A}")
        self.assertIn("create device", self.restore(status=1).stderr)
        self.host.control(f"fail create EIO on {A}")
        self.restore("--wait", "20")
        self.assertEqual(self.host.mdevs(), before)

    def test_a_uuid_that_somebody_has_taken(self):
        self.agent.run("sync")
        self.allocate(A)
        self.agent.run("sync")
        (device,) = self.host.mdevs()
        self.cut_off()
        self.reboot()
        self.assertEqual(self.host.create(B, "nvidia-36", device), "OK")
        # Somebody was faster. It is not where it was, but the guest will start.
        self.restore()
        self.assertEqual(self.host.mdevs(), {device: (B, "nvidia-36")})

    def test_a_damaged_state_file(self):
        self.agent.run("sync")
        self.allocate(A)
        self.agent.run("sync")
        before = self.host.mdevs()
        text = self.agent.state_file.read_text()
        self.agent.state_file.write_text(text.replace("nvidia-35", "nvidia-36"))
        self.cut_off()
        self.reboot()
        done = self.restore(status=1)
        self.assertIn("is damaged", done.stderr)
        self.assertEqual(self.host.mdevs(), {})
        # Placement remembers.
        self.agent.placement = self.placement
        self.agent.configure({"agent": self.options, **self.types})
        self.agent.run("sync")
        self.assertEqual(self.host.mdevs(), before)

    def test_bad_arguments(self):
        usage, range_ = "restore [--wait SECONDS]", "expected seconds, 0 to 86400"
        for words, said in ((["--wait"], usage), (["--wait", "soon"], range_), (["--wait", "-1"], range_),
                            (["--wait", "1x"], range_), (["--now"], "there is no option --now"),
                            (["now"], usage), (["--wait", "1", "now"], usage)):
            self.assertIn(said, self.restore(*words, status=64).stderr)


class NamedOnly(RebootTest):
    """The state file is lost, and the host restarted: guests' configurations alone tell of their devices' uuids."""

    def setUp(self):
        super().setUp()
        self.build_guide()

    def serve(self):
        """A guest that is off, with a device that was made for a consumer before it; both."""
        self.agent.configure({"agent": {**self.options, "release_grace": 3600}, **self.types})
        self.agent.run("sync")
        gone = self.allocate(A)
        self.agent.run("sync")
        self.placement.deallocate(gone)
        self.agent.run("sync")
        server = self.allocate(A)
        self.agent.run("sync")
        (device,) = self.host.mdevs()
        self.assertNotIn(device, self.devices_of(A, server))
        self.agent.define_domain(server, [device])
        return server, device

    def test_a_device_of_another_name(self):
        """What a guest names is made again under that uuid, though it is none that is computed, and though somebody's
        idle device could be had: the guest would not start without it."""
        server, device = self.serve()
        self.agent.state_file.unlink()
        self.reboot()
        idle = new_uuid()
        self.assertEqual(self.host.create(A, "nvidia-35", idle), "OK")
        other = self.allocate(A)
        self.restore(status=1)
        self.agent.run("sync")
        self.assertEqual((self.row(server)["mdevs"], self.row(other)["mdevs"]), ([device], [idle]))
        self.assertEqual(set(self.host.mdevs()), {device, idle})
        self.assertIn(device, self.agent.run("xml", server))
        self.assertEqual(self.agent.run("plan", status=0), "nothing to do\n")

    def test_what_may_have_been_elsewhere_is_not_made_here(self):
        """It has units on two GPUs, and nothing says of which the device was: both get new ones."""
        server, device = self.serve()
        self.placement.allocate(server, {self.child(A): {"VGPU": 1}, self.child(B): {"VGPU": 1}}, 1)
        self.agent.state_file.unlink()
        self.reboot()
        self.agent.run("sync")
        self.assertEqual(set(self.host.mdevs()), self.devices_of(A, server) | self.devices_of(B, server))
        self.assertNotIn(device, self.host.mdevs())


class PowerCut(RebootTest):
    """The host loses power at random moments while the daemon makes and removes devices. A guest that had its device has it
    again before Placement can be asked, whatever of the agent's files has reached the disk."""
    ROUNDS = int(os.environ.get("KILLS", 20))

    def setUp(self):
        super().setUp()
        self.build_guide(listen=0)
        self.agent.run("sync")
        self.chance = random.Random(20)
        self.servers = {}  # server: GPU
        self.power = Power(self.directory / "disk", self.agent.directory, self.agent.state_file.name)
        self.agent.environment = self.power.environment

    def boot(self):
        gpu = self.chance.choice((A, B, C))
        if list(self.servers.values()).count(gpu) < 6:  # it has room for 8 or more
            self.servers[self.allocate(gpu)] = gpu

    def delete(self):
        if self.servers:
            server = self.chance.choice(sorted(self.servers))
            self.placement.deallocate(server)
            del self.servers[server]

    def lose_power(self, daemon):
        """What the host had of devices then."""
        workers = children(daemon.pid)
        daemon.kill()
        self.agent.daemon = None
        wait_for(lambda: all(has_ended(pid) for pid in workers), "the end of its children")
        before = self.host.mdevs()
        self.power.cut(self.chance)
        self.reboot()
        return before

    def test_whatever_is_on_disk(self):
        for number in range(self.ROUNDS):
            with self.subTest(round=number):
                daemon = WatchedDaemon(self.agent)
                # Of both at once the agent would take one for a migration.
                happens = self.chance.choice((self.boot, self.delete) if len(self.servers) > 4 else (self.boot,))
                for _ in range(self.chance.randint(1, 3)):
                    happens()
                daemon.poke()
                time.sleep(self.chance.uniform(0, 0.1))  # the moment is what is random here
                before = self.lose_power(daemon)
                wanted = {device: gpu for server, gpu in self.servers.items() for device in self.devices_of(gpu, server)}
                self.restore()
                back = self.host.mdevs()
                for device in set(before) & set(wanted):
                    self.assertEqual(back.get(device), before[device], device)
                wait_for(lambda: self.agent.run("sync") == "nothing to do\n", "the end of the plans")
                self.assertEqual({device: parent for device, (parent, _) in self.host.mdevs().items()}, wanted)


class VirtualFunctions(RebootTest):
    def test_they_are_enabled_late(self):
        self.build("sriov", {
            "devices": {"enabled_mdev_types": ["nvidia-558"]},
            "mdev_nvidia-558": {"device_addresses": [CARD]}})
        self.agent.run("sync")
        self.allocate(CARD, 3)
        self.agent.run("sync")
        before = self.host.mdevs()
        self.assertEqual(len(before), 3)
        self.cut_off()
        self.reboot()
        self.host.control(f"numvfs {CARD} 0")
        done = self.restore(status=1)
        self.assertIn("virtual functions are not enabled yet", done.stderr)
        self.assertEqual(self.host.stores(), [])
        waiting = Process(self.agent.arguments("restore", "--wait", "60"),
                          self.directory / "waiting.log")
        self.addCleanup(waiting.kill)
        waiting.wait_for_output("not enabled yet")
        self.host.control(f"numvfs {CARD} 32")
        self.assertEqual(waiting.popen.wait(30), 0, waiting.output())
        self.assertEqual(self.host.mdevs(), before)


class NovaTest(RebootTest):
    """Nova makes devices with uuids of its own; the agent has only seen them."""

    def build_beside_nova(self, host, type_id, *gpus):
        self.build(host, {"devices": {"enabled_mdev_types": [type_id]}}, create_root="false", mode="nova")
        self.root_uuid = new_uuid()
        self.placement.create_provider(self.root_name, self.root_uuid)
        for gpu in gpus:
            name = f"{self.root_name}_pci_{gpu.replace(':', '_').replace('.', '_')}"
            uuid = new_uuid()
            self.placement.create_provider(name, uuid, self.root_uuid)
            inventory = {"total": 16, "reserved": 0, "min_unit": 1, "max_unit": 16,
                         "step_size": 1, "allocation_ratio": 1.0}
            self.placement.set_inventories(uuid, {"VGPU": inventory})

    def boot_server(self, gpu, type_id="nvidia-35"):
        """A guest with a device, as nova-compute makes them; both uuids."""
        server, device = self.allocate(gpu), new_uuid()
        self.assertEqual(self.host.create(gpu, type_id, device), "OK")
        self.agent.define_domain(server, [device])
        self.agent.define_domain(server, [device], running=True)
        return server, device


class NovaOfTwoTypes(NovaTest):
    """On a GPU whose driver lets types stand beside each other."""

    def test_one_restore_makes_all_devices(self):
        self.build_beside_nova("intel-gvtg", "i915-GVTg_V5_4", INTEL)
        for type_id in ("i915-GVTg_V5_4", "i915-GVTg_V5_8", "i915-GVTg_V5_4"):
            self.boot_server(INTEL, type_id)
        self.agent.try_to("sync")
        before = self.host.mdevs()
        self.assertEqual(len(before), 3)
        self.cut_off()
        self.reboot()
        self.restore()
        self.assertEqual(self.host.mdevs(), before)
        self.assertEqual(self.restore().stdout, NOTHING)


class Nova(NovaTest):
    def setUp(self):
        super().setUp()
        self.build_beside_nova("nova-guide", "nvidia-35", A, B)

    def test_what_domains_name_is_back(self):
        kept, deleted = self.boot_server(A), self.boot_server(B)
        idle = new_uuid()
        self.assertEqual(self.host.create(A, "nvidia-35", idle), "OK")
        self.agent.try_to("sync")
        (self.agent.host_root / f"etc/libvirt/qemu/d-{deleted[0][:8]}.xml").unlink()
        self.cut_off()
        self.reboot()
        self.restore()
        self.assertEqual(self.host.mdevs(), {kept[1]: (A, "nvidia-35")})
        self.assertEqual(self.restore().stdout, NOTHING)

    def use_two_types(self):
        self.types = {"devices": {"enabled_mdev_types": ["nvidia-35", "nvidia-36"]},
                      "mdev_nvidia-35": {"device_addresses": [A]}, "mdev_nvidia-36": {"device_addresses": [B]}}
        self.agent.configure({"agent": self.options, **self.types})

    def assert_left(self, server, devices, reason):
        """Nothing is made, and that is said everywhere."""
        for words in (["sync"], ["restore"]):
            done = self.agent.try_to(*words)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            for device in devices:
                self.assertIn(f"the domain {server} names the device {device}, which is not there, and ", done.stderr)
            if words == ["sync"]:
                self.assertIn(reason, done.stderr)
        self.assertIn(reason, self.agent.try_to("status").stdout)
        self.assertEqual(self.host.mdevs(), {})

    def test_two_gpus_and_no_state_file(self):
        """A server with a device on each of two GPUs: which was which, nobody knows any more."""
        self.use_two_types()
        server, devices = new_uuid(), [new_uuid(), new_uuid()]
        self.placement.allocate(server, {self.child(A): {"VGPU": 1}, self.child(B): {"VGPU": 1}})
        self.agent.define_domain(server, devices)
        self.assert_left(server, devices, "of which of its allocations it was, and this is not guessed")
        # An operator who knows makes one; then there is no doubt about the other.
        self.assertEqual(self.host.create(B, "nvidia-36", devices[0]), "OK")
        self.agent.try_to("sync")
        self.assertEqual(self.host.mdevs(), {devices[0]: (B, "nvidia-36"), devices[1]: (A, "nvidia-35")})

    def test_a_resize_on_the_same_host_and_no_state_file(self):
        """The server's own allocation is where it will be, its migration's where its device was."""
        self.use_two_types()
        server, migration, device = new_uuid(), new_uuid(), new_uuid()
        self.placement.allocate(migration, {self.child(A): {"VGPU": 1}})
        self.placement.allocate(server, {self.child(B): {"VGPU": 1}})
        self.agent.define_domain(server, [device])
        self.assert_left(server, [device], f"the consumer {migration} there can be a migration of the server")
        # It is reverted.
        self.placement.deallocate(migration)
        self.placement.allocate(server, {self.child(A): {"VGPU": 1}}, 1)
        self.agent.try_to("sync")
        self.assertEqual(self.host.mdevs(), {device: (A, "nvidia-35")})

    def test_domains_that_cannot_be_seen(self):
        server, device = self.boot_server(A)
        self.agent.try_to("sync")
        defined = self.agent.host_root / "etc/libvirt/qemu"
        away = defined.rename(self.agent.host_root / "away")
        journal = self.agent.state_file.read_bytes()
        self.assertIn("/etc/libvirt/qemu is not there", self.agent.try_to("sync").stderr)
        self.assertEqual(self.agent.state_file.read_bytes(), journal)
        self.cut_off()
        self.reboot()
        done = self.restore(status=1)
        self.assertIn("which devices guests wait for is not known: /etc/libvirt/qemu is not there", done.stderr)
        self.assertIn(f"the device {device} of {server} cannot be put back: it is not known", done.stderr)
        self.assertEqual(self.host.mdevs(), {})
        self.assertEqual(self.agent.state_file.read_bytes(), journal)
        away.rename(defined)
        # Nor has libvirt made its folder below /run yet.
        (self.agent.host_root / "run/libvirt/qemu").rmdir()
        self.restore()
        self.assertEqual(self.host.mdevs(), {device: (A, "nvidia-35")})

    def test_what_the_agent_has_never_seen(self):
        """The agent was installed after the guests were made, and then came a reboot."""
        server, device = self.boot_server(B)
        self.cut_off()
        self.reboot()
        done = self.restore(status=1)
        self.assertIn(f"the domain {server} names the device {device}", done.stderr)
        self.assertEqual(self.host.mdevs(), {})
        # The allocation says where it was.
        self.agent.placement = self.placement
        self.agent.configure({"agent": self.options, **self.types})
        self.agent.try_to("sync")
        self.assertEqual(self.host.mdevs(), {device: (B, "nvidia-35")})
        # And from now on it is known.
        self.cut_off()
        self.reboot()
        self.restore()
        self.assertEqual(self.host.mdevs(), {device: (B, "nvidia-35")})

    def test_the_daemon_does_it_before_it_is_ready(self):
        server, device = self.boot_server(A)
        self.agent.try_to("sync")
        self.reboot()
        self.agent.configure({"agent": self.options, **self.types, "placement": {
            "auth_type": "none", "endpoint_override": "http://127.0.0.1:1"}})
        self.agent.start()
        wait_for(lambda: self.host.mdevs() == {device: (A, "nvidia-35")}, "the device")


class VfioOwner(VendorVfio, Owner):
    """On virtual functions that stores make virtual GPUs: the same functions again."""
    # There is no uuid that somebody else could take.
    test_a_uuid_that_somebody_has_taken = None
    # A card that is back has no functions yet: test_nvidia_vfio.Reboot.
    test_a_gpu_that_is_not_there = None


class WholeOwner(WholeCards, Owner):
    """On cards that go to guests whole, one unit each."""
    cards = (A, B, C)
    test_all_devices_are_back = test_released_devices_stay_away_unless_a_guest_names_them = None
    test_a_uuid_that_somebody_has_taken = test_a_damaged_state_file = None
    test_a_gpu_that_is_not_there = None

    def build_guide(self):
        self.build(None, {"devices": {"passthrough_addresses": list(self.cards)}})


class XeOwner(Xe, Owner):
    """On virtual functions that get a share of their card: the same functions again."""
    # There is no uuid that somebody else could take.
    test_a_uuid_that_somebody_has_taken = None
    # A card that is back has no functions yet: test_xe.Reboot.
    test_a_gpu_that_is_not_there = None
