"""Functions and cards that somebody else has before a device is made of them, a guest by its definition or a process: they are not
offered, who has them is named, and others are given in their place."""
import os
import shutil

from support import wait_for
from support.fleet import FleetTest, new_uuid
from support.host import store
from support.watched import WatchedDaemon
from support.xe import functions_of

WHOLE, XE, VFIO = "0000:01:00.0", "0000:03:00.0", "0000:41:00.0"
FUNCTIONS = {XE: functions_of(XE, 7, 1), VFIO: functions_of(VFIO, 32)}
HOSTS = {
    WHOLE: ("passthrough", {"devices": {"passthrough_addresses": WHOLE}}),
    XE: ("xe", {"devices": {"enabled_mdev_types": "b60"}, "mdev_b60": {"device_addresses": XE}, "vf_type_b60": {"vram_quota": "3G"}}),
    VFIO: ("vendor-vfio", {"devices": {"enabled_mdev_types": "nvidia-1147"}, "mdev_nvidia-1147": {"device_addresses": VFIO}})}
SOUND = "0000:01:00.1"


class Places(FleetTest):
    def begin(self, card, **options):
        self.card = card
        self.resource = "PGPU" if card == WHOLE else "VGPU"
        host, configuration = HOSTS[card]
        self.build(host, configuration, **options)

    def units(self):
        inventory = self.placement.inventories(self.child(self.card)).get(self.resource)
        return inventory["total"] - inventory["reserved"] if inventory else 0

    def claim(self):
        consumer = new_uuid()
        self.placement.allocate(consumer, {self.child(self.card): {self.resource: 1}})
        self.addCleanup(self.forget, consumer)
        return consumer

    def gpu(self):
        (row,) = [row for row in self.agent.json("gpus") if row["gpu"] == self.card]
        return row

    def hold(self, pid, function):
        self.agent.hold_group(pid, os.path.basename(os.readlink(self.host.function(function) / "iommu_group")))

    def let_go(self, *pids):
        for pid in pids:
            shutil.rmtree(self.agent.host_root / f"proc/{pid}")

    def has(self, consumer):
        """The addresses of its devices."""
        return self.devices_in_state_file(self.card, consumer)


class NamedByGuests(Places):
    def test_a_card_of_which_a_guest_has_one_function(self):
        """The card is on its drivers, and the guest may not even run."""
        self.begin(WHOLE)
        self.sync()
        self.agent.start()
        wait_for(lambda: self.units() == 1, "the card offered")
        for running in (False, True):
            for function in (WHOLE, SOUND):
                guest = new_uuid()
                file = self.agent.define_domain(guest, [function], running=running)
                wait_for(lambda: self.units() == 0, "the card held back")
                row = self.gpu()
                self.assertEqual(row["service"], "taken")
                self.assertIn(f"{WHOLE}: the {'running' if running else 'defined'} domain {guest} names it", row["note"])
                self.assertIn(guest, self.agent.try_to("status").stdout)
                file.unlink()
                wait_for(lambda: self.units() == 1, "the card offered again")
        self.assertEqual(self.host.stores(), [])

    def test_functions(self):
        for card, free in ((XE, 1), (VFIO, 2)):
            with self.subTest(card):
                self.begin(card)
                guests = {f: new_uuid() for f in FUNCTIONS[card][:-free]}
                for function, guest in guests.items():
                    self.agent.define_domain(guest, [function])
                self.sync()
                self.assertEqual(self.units(), free)
                row = self.gpu()
                self.assertEqual((row["service"], row["total"]), ("active", free))
                self.assertIn(f"{FUNCTIONS[card][0]}: the defined domain {guests[FUNCTIONS[card][0]]} names it", row["note"])
                servers = [self.claim() for _ in range(free)]
                self.settle()
                self.assertEqual({address for server in servers for address in self.has(server)}, set(FUNCTIONS[card][-free:]))
                self.assertEqual(self.units(), free)

    def test_the_failure_names_the_guest(self):
        """It came between the allocation and the device."""
        self.begin(WHOLE)
        self.sync()
        server, guest = self.claim(), new_uuid()
        self.agent.define_domain(guest, [SOUND])
        self.sync(status=1)
        row = self.row(server)
        self.assertEqual(row["state"], "failed")
        self.assertIn(f"the defined domain {guest} names it", row["reason"])
        self.assertEqual(self.host.stores(), [])

    def test_a_consumers_own_guest(self):
        """After a reboot without the state file: the guest gets the function that it names, and no unit is held back for it."""
        for card, capacity in ((XE, 7), (VFIO, 32)):
            with self.subTest(card):
                self.begin(card)
                self.sync()
                server = self.claim()
                self.agent.define_domain(server, [FUNCTIONS[card][4]])
                totals = set()
                for _ in range(2):
                    self.sync()
                    totals.add(self.units())
                self.assertEqual((self.has(server), totals), ({FUNCTIONS[card][4]}, {capacity}))
                self.host.reboot()
                self.agent.state_file.unlink()
                for _ in range(2):
                    self.sync()
                    totals.add(self.units())
                self.assertEqual((self.row(server)["state"], totals), ("ready", {capacity}))
                self.assertEqual(self.has(server), {FUNCTIONS[card][4]})

    def test_a_consumers_own_guest_that_names_one_more(self):
        """What its consumer was not given is taken from the beginning."""
        for card, capacity in ((XE, 7), (VFIO, 32)):
            with self.subTest(card):
                self.begin(card)
                self.sync()
                server = self.claim()
                self.agent.define_domain(server, FUNCTIONS[card][4:6])
                (planned,) = [s for s in self.agent.json("plan", status=2)["steps"] if s["step"] == "set_inventory"]
                self.assertEqual(planned["inventories"]["VGPU"]["total"], capacity - 1)
                self.assertIn(f"({FUNCTIONS[card][4]}: ", self.gpu()["note"])
                for _ in range(2):
                    self.sync()
                    self.assertEqual((self.has(server), self.units()), ({FUNCTIONS[card][5]}, capacity - 1))


class HeldByProcesses(Places):
    def test_most_functions(self):
        self.begin(VFIO)
        for number, function in enumerate(FUNCTIONS[VFIO][:30]):
            self.hold(5000 + number, function)
        self.sync()
        self.assertEqual(self.units(), 2)
        self.assertIn(f"{FUNCTIONS[VFIO][0]}: process 5000 has it open", self.gpu()["note"])
        servers = [self.claim() for _ in range(2)]
        self.settle()
        self.assertEqual({self.row(server)["state"] for server in servers}, {"ready"})
        self.let_go(5000)
        self.sync()
        self.assertEqual(self.units(), 3)

    def test_a_card_that_is_half_bound(self):
        self.begin(WHOLE)
        folder = self.host.function(SOUND)
        for file, value in ((folder / "driver_override", "vfio-pci"), (folder / "driver/unbind", SOUND),
                            (self.host.root / "bus/pci/drivers_probe", SOUND)):
            self.assertEqual(store(file, value), "OK")
        self.hold(4242, SOUND)
        said = self.agent.try_to("sync")
        self.assertEqual(said.returncode, 1)
        self.assertIn(f"{WHOLE}: process 4242 has it open", said.stderr)
        self.assertEqual(self.gpu()["service"], "taken")
        self.let_go(4242)
        self.sync()
        self.assertEqual(self.units(), 1)

    def test_another_function_is_given(self):
        """Without the state file's help, and by hand as well."""
        self.begin(VFIO)
        self.sync()
        first, second, third, *_ = FUNCTIONS[VFIO]
        self.hold(5000, first)
        server = self.claim()
        self.sync()
        self.assertEqual((self.row(server)["state"], self.has(server)), ("ready", {second}))
        made = self.agent.run("create", "--type", "nvidia-1147", "--gpu", VFIO)
        self.assertEqual(made.strip(), third)
        self.assertEqual([s["value"] for s in self.host.stores()], ["1147", "1147"])

    def test_it_is_held_back_until_it_is_let_go(self):
        """Also between the looks at all processes: the refusal of one creation is not forgotten in the next cycle."""
        self.begin(VFIO, listen="0")
        self.sync()
        daemon = WatchedDaemon(self.agent)
        self.assertEqual(self.units(), 32)
        self.hold(5000, FUNCTIONS[VFIO][0])
        self.claim()
        wait_for(lambda: self.units() == 31, "one held back")
        seen = daemon.count()
        wait_for(lambda: daemon.count() >= seen + 3, "three cycles")
        self.assertEqual(self.units(), 31)
        self.let_go(5000)
        wait_for(lambda: self.units() == 32, "all offered again")
        self.assertEqual(self.agent.stop(), 0)

    def test_the_failure_names_the_process(self):
        self.begin(VFIO)
        self.sync()
        for number, function in enumerate(FUNCTIONS[VFIO]):
            self.hold(5000 + number, function)
        server = self.claim()
        self.sync(status=1)
        row = self.row(server)
        self.assertEqual(row["state"], "failed")
        self.assertIn("process 5000 has it open", row["reason"])
        self.assertEqual(self.host.stores(), [])

    def test_who_has_them_cannot_be_seen(self):
        self.begin(VFIO)
        (self.agent.host_root / "proc/1/ns/pid").unlink()
        self.agent.try_to("sync")
        self.assertEqual(self.units(), 0)
        self.assertIn("who has it cannot be seen", self.gpu()["note"])
        (self.agent.host_root / "proc/1/ns/pid").symlink_to("pid:[4026531836]")
        self.sync()
        self.assertEqual(self.units(), 32)
