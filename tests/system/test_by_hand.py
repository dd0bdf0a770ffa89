"""Devices that an operator makes and removes one by one, as on a host of KVM without a cloud and beside one: they are no
consumer's, no capacity of Placement's, and come back after a reboot."""
import json
import os

from support import wait_for
from support.crash import CHILD
from support.fleet import FleetTest, child_name, new_uuid
from support.vendor_vfio import VendorVfio
from support.world import consumer
from test_crash import CrashTest

A, B, C, D = "0000:84:00.0", "0000:85:00.0", "0000:86:00.0", "0000:87:00.0"


class ByHandTest(FleetTest):
    """On Nova's guide's host: A and B are for nvidia-35, C for nvidia-36, D for nothing."""
    by_daemon = False

    def setUp(self):
        super().setUp()
        self.build_guide()
        self.agent.run("sync")
        if self.by_daemon:
            self.agent.start()
            self.agent.daemon.wait_for_output(" starts")

    def settle(self):
        """What the daemon does by itself."""
        if not self.by_daemon:
            self.agent.run("sync")

    def create(self, *words, type_id="nvidia-35"):
        return self.agent.run("create", "--type", type_id, *words).strip()

    def refused(self, *words, status=os.EX_TEMPFAIL):
        """Why, which is one line; before it may stand that the daemon lets it wait."""
        done = self.agent.try_to(*words)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        said = [line for line in done.stderr.splitlines() if not line.endswith("; waiting for it, for 30 seconds at most")]
        self.assertEqual(len(said), 1, done.stderr)
        return said[0]

    def row(self, device):
        return {row["device"]: row for row in self.agent.json("devices")}.get(device)

    def no_orders(self):
        files = [file.name for file in self.agent.state_file.parent.iterdir()
                 if ".order." in file.name or ".answer." in file.name]
        self.assertEqual(files, [])

    def wait_for_total(self, address, total):
        wait_for(lambda: self.totals().get(child_name(address)) == total, f"{total} of {address}")


class Hand(ByHandTest):
    def test_made_and_removed(self):
        device = self.create("--gpu", A)
        self.assertIn(device, self.host.mdevs())
        row = self.row(device)
        self.assertEqual((row["owner"], row["state"], row["gpu"], row["type"], row["consumer"]),
                         ("by hand", "idle", A, "nvidia-35", None))
        self.assertIn(self.named(device), self.agent.run("xml", device))
        self.no_orders()
        self.settle()
        self.wait_for_total(A, 15)
        self.assertEqual(self.agent.run("remove", device), f"{device} is removed\n")
        self.assertEqual(self.host.mdevs(), {})
        self.settle()
        self.wait_for_total(A, 16)
        self.no_orders()

    def test_by_name_and_uuid(self):
        uuid = new_uuid()
        device = self.create("--gpu", D.removeprefix("0000:"), "--uuid", uuid.upper(), type_id="GRID M10-0B")
        made = self.agent.json("devices")
        self.assertEqual([(r["device"], r["gpu"], r["type"]) for r in made], [(device, D, "nvidia-35")])
        # It is known by its uuid as well, where the host has none.
        self.agent.run("remove", uuid)
        self.assertEqual(self.host.mdevs(), {})

    def test_the_gpu_with_most_room(self):
        """Not one that is configured for another type; with a tie, the first."""
        self.host.create(A, "nvidia-35", new_uuid())
        gpus = [self.row(self.create())["gpu"] for _ in range(3)]
        self.assertEqual(gpus, [B, D, A])

    def test_what_is_wrong_with_a_uuid(self):
        for text, said in (("4b20d08-1b54-4048-85b3-a6a62d165c01", "its part 1 has 7 digits, and should have 8"),
                           ("4b20d08", "its part 1 has 7 digits, and should have 8"),
                           ("4b20d080-1b54-4048-85b3", "it has 4 of its 5 parts"),
                           ("4b20d080-1b54-4048-85b3-a6a62d165c0", "its part 5 has 11 digits"),
                           ("4b20d080-1b54-4048-85b3-a6a62d165c01-", "there is something after its fifth part"),
                           ("4b20d08g-1b54-4048-85b3-a6a62d165c01", "'g' is no hexadecimal digit")):
            for words in (["create", "--type", "nvidia-35", "--uuid", text], ["remove", text]):
                self.assertIn(f"{text} is no uuid: {said}", self.refused(*words, status=1))
        self.assertEqual(self.host.stores(), [])

    def test_what_cannot_be_made(self):
        device = self.create("--gpu", A)
        for words, said in ((["--type", "nvidia-99"], "no GPU of this host offers the type 'nvidia-99'"),
                            (["--type", "nvidia-35", "--gpu", "0000:99:00.0"], "no GPU 0000:99:00.0 on this host")):
            self.assertIn(said, self.refused("create", *words, status=1))
        self.assertIn("no instance of the type 'nvidia-36' is left on 0000:84:00.0",
                      self.refused("create", "--type", "nvidia-36", "--gpu", A))
        self.assertIn("expected --type", self.refused("create", status=os.EX_USAGE))
        self.assertEqual(set(self.host.mdevs()), {device})
        self.no_orders()

    def test_a_driver_that_refuses(self):
        """Nothing is made later, when nobody expects it."""
        self.host.control(f"fail create EIO on {A}")
        self.assertIn("Input/output error", self.refused("create", "--type", "nvidia-35", "--gpu", A, status=os.EX_IOERR))
        self.settle()
        self.settle()
        self.assertEqual(self.host.mdevs(), {})
        self.assertEqual([s["result"] for s in self.host.stores()], ["EIO"])
        self.no_orders()

    def test_no_consumer_gets_it(self):
        """Neither while others can be made, nor when the card is full."""
        device = self.create("--gpu", A)
        self.settle()
        self.wait_for_total(A, 15)
        server = self.allocate(A, 15)
        self.settle()
        wait_for(lambda: len(self.host.mdevs()) == 16, "its devices")
        self.assertEqual(self.row(device)["owner"], "by hand")
        self.assertNotIn(device, self.devices_of(A, server, 15))
        self.placement.deallocate(server)
        self.settle()
        self.settle()
        wait_for(lambda: set(self.host.mdevs()) == {device}, "their removal")

    def test_what_is_allocated_comes_first(self):
        self.allocate(A, 16)
        self.settle()
        wait_for(lambda: len(self.host.mdevs()) == 16, "its devices")
        self.assertIn("no instance of the type", self.refused("create", "--type", "nvidia-35", "--gpu", A))

    def test_a_reboot(self):
        device = self.create("--gpu", A)
        other = self.create("--gpu", D, type_id="nvidia-36")
        before = self.host.mdevs()
        if self.by_daemon:
            self.agent.stop()
        for name in (device, other):
            self.host.remove(name)
        self.agent.run("restore")
        self.assertEqual(self.host.mdevs(), before)
        self.agent.run("sync")
        self.assertEqual(self.agent.json("plan")["steps"], [])
        self.assertEqual({row["owner"] for row in self.agent.json("devices")}, {"by hand"})

    def test_a_guest_that_has_it(self):
        """libvirt's or a process': it stays, and it comes back under it."""
        device, server = self.create("--gpu", A), new_uuid()
        self.agent.define_domain(server, [device])
        self.assertIn(f"it is in use: the libvirt domain {server} names it", self.refused("remove", device))
        self.assertIn("it is in use", self.refused("remove", "--force", device))
        self.settle()
        if self.by_daemon:
            self.agent.stop()
        before = self.host.mdevs()
        self.host.remove(device)
        self.agent.run("restore")
        self.assertEqual(self.host.mdevs(), before)
        row = self.row(device)
        self.assertEqual((row["owner"], row["state"], row["consumer"]), ("by hand", "defined", server))

    def test_one_that_somebody_else_made(self):
        self.host.create(D, "nvidia-35", new_uuid())
        (device,) = self.host.mdevs()
        self.assertEqual(self.row(device)["owner"], "foreign")
        self.agent.run("remove", device)
        self.assertEqual(self.host.mdevs(), {})

    def test_one_with_an_allocation(self):
        server = self.allocate(A)
        self.settle()
        wait_for(self.host.mdevs, "its device")
        wait_for(lambda: [r["state"] for r in self.agent.json("allocations")] == ["ready"], "it to be noted")
        (device,) = self.host.mdevs()
        said = self.refused("remove", device)
        self.assertIn(f"consumer {server} has it by an allocation on", said)
        self.assertIn("with --force it is removed, and made again in the next cycle", said)
        self.assertEqual([s["result"] for s in self.host.stores()], ["OK"])
        self.agent.run("remove", "--force", device)
        # The daemon has made it again at once.
        wait_for(lambda: len([s for s in self.host.stores() if s["result"] == "OK"]) == 2 + self.by_daemon, "all stores")
        self.settle()
        self.assertEqual(set(self.host.mdevs()), {device})

    def test_what_is_not_there(self):
        self.assertIn("there is no device", self.refused("remove", new_uuid(), status=1))
        device = self.create("--gpu", A)
        if self.by_daemon:
            self.agent.stop()
        self.host.remove(device)
        if device != A:
            # The state file has it: it is not put back any more.
            uuid = next(iter(self.journal_by_hand()))
            self.agent.run("remove", uuid)
            self.agent.run("restore")
            self.assertEqual(self.host.mdevs(), {})

    def journal_by_hand(self):
        return [entry["uuid"] for entry in json.loads(self.agent.state_file.read_text()).get("by_hand", [])]


class HandOfDaemon(Hand):
    by_daemon = True


class HandOfVfio(VendorVfio, Hand):
    pass


class HandOfVfioDaemon(VendorVfio, Hand):
    by_daemon = True


class Crash(CrashTest):
    """Killed at any call: there is the device that was ordered, once, and it is known as what it is."""

    def look_at_files(self):
        """An answer that nobody has taken is no matter."""
        return {name: content for name, content in super().look_at_files().items() if ".answer." not in name}

    def begin_create(self):
        self.begin_allocations()
        self.settle()
        self.command = ("create", "--type", "nvidia-35", "--gpu", A, "--uuid", consumer("hand"))

    def begin_remove(self):
        self.begin_create()
        self.agent.run(*self.command)
        self.settle()
        self.command = ("remove", consumer("hand"))

    def begin_lost(self):
        """After a reboot, with the devices of allocations."""
        self.begin_remove()
        self.lose_devices()

    def test_create(self):
        self.crash_everywhere("create", self.end_by_sync)

    def test_create_by_the_daemon(self):
        self.crash_everywhere("create", self.end_by_daemon)

    def test_create_child(self):
        self.crash_everywhere("create", self.end_by_sync, scope=CHILD)

    def test_remove(self):
        self.crash_everywhere("remove", self.end_by_sync)

    def test_remove_by_the_daemon(self):
        self.crash_everywhere("remove", self.end_by_daemon)

    def test_remove_child(self):
        self.crash_everywhere("remove", self.end_by_sync, scope=CHILD)

    def test_reboot(self):
        self.crash_everywhere("lost", self.end_by_sync)


class CrashOfVfio(VendorVfio, Crash):
    pass


class AllOfTheCard(FleetTest):
    """What is made by hand leaves nothing to be offered: that is as the operator wants it."""

    def test_nothing_is_wrong(self):
        for host, card, type_id, configuration in (
                ("vendor-vfio", "0000:41:00.0", "nvidia-1156", {"devices": {"enabled_mdev_types": "nvidia-1156"}}),
                ("passthrough", "0000:01:00.0", "passthrough", {"devices": {"passthrough_addresses": "0000:01:00.0"}})):
            with self.subTest(type_id):
                self.build(host, configuration)
                self.sync()
                device = self.agent.run("create", "--type", type_id, "--gpu", card).strip()
                for user in (None, new_uuid()):
                    if user:
                        self.agent.define_domain(user, [device])
                    self.sync()
                    self.assertEqual(self.agent.json("plan")["problems"], [])
                    (row,) = [r for r in self.agent.json("gpus") if r["gpu"] == card]
                    self.assertEqual((row["service"], row["devices"]), ("taken", 1))
                    self.assertIn(f"devices that were made by hand have the room, 1 of the type '{type_id}' ({device}): "
                                  "it is offered again when they are removed", row["note"])
                    self.assertEqual(self.placement.inventories(self.child(card)), {})
                self.agent.undefine_domains()
                self.agent.run("remove", device)
                self.sync()
                (row,) = [r for r in self.agent.json("gpus") if r["gpu"] == card]
                self.assertEqual((row["service"], row["total"]), ("active", 1))


class WithoutCloud(FleetTest):
    """Bare KVM: no type is configured, there is no Placement, and no daemon runs."""

    def setUp(self):
        super().setUp()
        self.host = self.start_host("nova-guide")
        self.agent = self.make_agent(self.host, None, {"agent": {"libvirt": "true"}})

    def test_a_life(self):
        device = self.agent.run("create", "--type", "GRID M10-0B").strip()
        before = self.host.mdevs()
        self.assertEqual(before, {device: (A, "nvidia-35")})
        self.assertIn(f"<address uuid='{device}'/>", self.agent.run("xml", device))
        self.assertEqual(self.agent.run("qemu-args", device).split(),
                         ["-uuid", device, "-device", f"vfio-pci,sysfsdev=/sys/bus/mdev/devices/{device}"])
        # What only Placement needs is not missed.
        self.assertEqual([self.agent.try_to(word, device).stderr for word in ("xml", "qemu-args")], ["", ""])
        self.agent.define_domain(new_uuid(), [device])
        self.host.remove(device)
        self.assertIn("is not there now", self.agent.try_to("xml", device).stderr)
        self.agent.run("restore")
        self.assertEqual(self.host.mdevs(), before)
        self.assertEqual(self.agent.try_to("remove", device).returncode, os.EX_TEMPFAIL)
        self.agent.undefine_domains()
        self.agent.run("remove", device)
        self.agent.run("restore")
        self.assertEqual(self.host.mdevs(), {})


    def test_who_uses_it_cannot_be_seen(self):
        """Then it may be in use, and where to look is said."""
        device = self.agent.run("create", "--type", "nvidia-35").strip()
        (self.agent.host_root / "etc/libvirt/qemu").rename(self.agent.host_root / "etc/libvirt/elsewhere")
        for words in (("remove", device), ("remove", "--force", device), ("params", device, "console=1")):
            done = self.agent.try_to(*words)
            self.assertEqual(done.returncode, os.EX_TEMPFAIL, done.stderr)
            self.assertIn("who uses devices cannot all be seen (`vgpu-agent devices` says why)", done.stderr)
            self.assertNotIn("it is in use", done.stderr)
        self.assertIn("etc/libvirt/qemu is not there", self.agent.try_to("devices").stderr)
        self.assertEqual(list(self.host.mdevs()), [device])


class TypesWithoutCloud(FleetTest):
    """Kinds of which only the files have types: whole cards, as Rocks' gpupt gives them, and shares of Intel's xe."""
    KINDS = {"passthrough": ("passthrough", "0000:01:00.0", {"devices": {"passthrough_addresses": "0000:01:00.0"}}),
             "b60": ("xe", "0000:03:00.1", {"devices": {"enabled_mdev_types": "b60"}, "mdev_b60": {"device_addresses": "0000:03:00.0"},
                                            "vf_type_b60": {"vram_quota": "8G"}})}

    def begin(self, type_id):
        host, self.device, self.configuration = self.KINDS[type_id]
        self.host = self.start_host(host)
        self.agent = self.make_agent(self.host, None, self.configuration)

    def there(self):
        return {row["device"]: (row["owner"], row["state"]) for row in self.agent.json("devices")}

    def test_a_life(self):
        for type_id in self.KINDS:
            with self.subTest(type_id):
                self.begin(type_id)
                device = self.agent.run("create", "--type", type_id, "--gpu", "gpupci1").strip()
                self.assertEqual((device, self.there()), (self.device, {device: ("by hand", "idle")}))
                self.assertIn("<hostdev mode='subsystem' type='pci'", self.agent.run("xml", device))
                self.agent.define_domain(new_uuid(), [device])
                self.host.reboot()
                self.assertEqual(self.there(), {})
                self.agent.run("restore")
                self.assertEqual(self.there(), {device: ("by hand", "defined")})
                self.assertEqual(self.agent.try_to("remove", device).returncode, os.EX_TEMPFAIL)
                self.agent.undefine_domains()
                self.agent.run("remove", device)
                self.assertEqual(self.there(), {})

    def test_a_host_that_was_in_a_cloud(self):
        """Files that lack [placement] now, as where nova.conf was not named, tell nothing of what is allocated."""
        self.begin("passthrough")
        self.build("passthrough", self.configuration)
        self.sync()
        self.agent.placement = None
        self.agent.configure({"agent": self.options, **self.configuration})
        done = self.agent.try_to("create", "--type", "passthrough", "--gpu", "gpupci1")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Placement cannot be read", done.stderr)
        self.assertEqual(self.host.stores(), [])


class WhenPlacementIsAway(ByHandTest):
    relayed = True

    def test_nobody_knows_what_is_allocated(self):
        self.relay.rule = lambda request: (503, b"")
        done = self.agent.try_to("create", "--type", "nvidia-35", "--gpu", A)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Placement cannot be read", done.stderr)
        self.assertEqual(self.host.mdevs(), {})
        # An order that stands, as after a crash of the daemon, is no matter of a boot.
        order = self.agent.state_file.with_name(f"{self.agent.state_file.name}.order.{new_uuid()}")
        order.write_text(json.dumps({"kind": "create", "type": "nvidia-35", "gpu": A, "parameters": None, "force": False}))
        self.agent.run("restore")
        self.assertEqual(self.host.mdevs(), {})
        self.assertIn("Placement cannot be read", self.agent.try_to("sync").stderr)
        self.relay.rule = lambda request: None
        self.agent.run("sync")
        self.assertEqual(list(self.host.mdevs()), [order.name.rsplit(".", 1)[1]])
        self.create("--gpu", A)


class InNovaMode(FleetTest):
    def test_nova_may_hand_it_out(self):
        self.build_guide(mode="nova", create_root="false")
        root, child = new_uuid(), new_uuid()
        self.placement.create_provider(self.root_name, root)
        self.placement.create_provider(f"{self.root_name}_{child_name(A)}", child, root)
        self.placement.set_inventories(child, {"VGPU": {"total": 16, "max_unit": 16}})
        self.agent.try_to("sync")
        done = self.agent.try_to("create", "--type", "nvidia-35", "--gpu", A)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("also one that was made by hand", done.stderr)
        device = done.stdout.strip()
        self.agent.try_to("sync")
        self.assertEqual(self.totals(), {child_name(A): 16})
        # Once a server of Nova's has it, it is still put back as what it is.
        server = self.allocate(A)
        self.agent.define_domain(server, [device])
        self.agent.try_to("sync")
        (row,) = self.agent.json("devices")
        self.assertEqual((row["owner"], row["consumer"]), ("by hand", server))
        self.host.remove(device)
        self.agent.run("restore")
        self.assertEqual(set(self.host.mdevs()), {device})
