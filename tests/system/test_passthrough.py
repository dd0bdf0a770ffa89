"""Cards that go to guests whole: all functions of a card are bound to vfio-pci while a consumer
has it, and none when that fails; afterwards they are the host's again."""
import json
import os
import re

from support import wait_for
from support.crash import CHILD, CrashPoint
from support.fleet import FleetTest, child_name, device_uuid, new_uuid
from support.host import load_description
from support.whole_cards import bound_cards

CARD, WITH_USB, CONSOLE, SHARED, BRIDGED = (f"0000:{bus}:00.0" for bus in
                                            ("01", "02", "03", "05", "06"))
VGPU = "0000:84:00.0"
NATIVE = {"0000:01:00.0": "nvidia", "0000:01:00.1": "snd_hda_intel",
          "0000:02:00.0": "nvidia", "0000:02:00.1": "snd_hda_intel", "0000:02:00.2": "xhci_hcd"}
LATE = 3600  # seconds: a released device stays


class WholeCards(FleetTest):
    addresses = (CARD, WITH_USB, BRIDGED)
    more = {}

    def setUp(self):
        super().setUp()
        self.build("passthrough", {"devices": {"passthrough_addresses": list(self.addresses),
                                               **self.more}})

    def allocate(self, address, units=1, consumer=None):
        consumer = consumer or new_uuid()
        self.placement.allocate(consumer, {self.child(address): {"PGPU": units}})
        self.addCleanup(self.forget, consumer)
        return consumer

    def inventory(self, address):
        return self.placement.inventories(self.child(address))["PGPU"]

    def driver(self, function):
        try:
            return os.path.basename(os.readlink(self.host.function(function) / "driver"))
        except FileNotFoundError:
            return None

    def override(self, function):
        return (self.host.function(function) / "driver_override").read_text().strip()

    def drivers(self, *cards):
        return {f: self.driver(f) for f in NATIVE if f.rsplit(".", 1)[0] in
                {c.rsplit(".", 1)[0] for c in cards}}

    def assert_native(self, *cards):
        for function, driver in self.drivers(*cards).items():
            self.assertEqual((driver, self.override(function)), (NATIVE[function], "(null)"),
                             function)

    def assert_taken(self, *cards):
        self.assertEqual(set(self.drivers(*cards).values()), {"vfio-pci"})

    def writes(self):
        """(file, value, result) of each store, the file without the bus's folders."""
        return [("/".join(s["path"].split("/")[-2:]), s["value"], s["result"])
                for s in self.host.stores()]


class Report(WholeCards):
    addresses = (CARD, WITH_USB, CONSOLE, SHARED, BRIDGED)

    def test_one_of_each_card_that_can_be_given_away(self):
        said = self.agent.try_to("sync")
        self.assertEqual(said.returncode, 1)
        self.assertEqual({name for name, p in self.tree().items() if name and
                          self.placement.inventories(p["uuid"])},
                         {child_name(card) for card in (CARD, WITH_USB, BRIDGED)})
        inventory = self.inventory(CARD)
        self.assertEqual((inventory["total"], inventory["max_unit"], inventory["reserved"]),
                         (1, 1, 0))
        self.assertEqual(self.placement.traits(self.child(CARD)),
                         {"CUSTOM_PASSTHROUGH", "CUSTOM_PCI_10DE_2206", "CUSTOM_OWNER_VGPU_AGENT"})
        self.assertEqual(self.host.stores(), [])
        status = " ".join(self.agent.try_to("status").stdout.split())
        self.assertIn("its IOMMU group has other devices in it, which a guest would get as well: "
                      "0000:04:00.0", status)
        self.assertIn("the host's console is on it (boot_vga)", status)

    def test_the_console_with_the_option(self):
        self.agent.configure({"agent": self.options, "devices": {
            "passthrough_addresses": CONSOLE, "passthrough_console": "true"}})
        self.sync()
        server = self.allocate(CONSOLE)
        self.sync()
        self.assertEqual(self.row(server)["state"], "ready")
        self.assertEqual(self.driver(CONSOLE), "vfio-pci")

    def test_check_config(self):
        said = self.agent.run("check-config", status=1)
        self.assertIn(f"devices.passthrough_addresses: the GPU {SHARED}: its IOMMU group has other "
                      "devices in it", said)
        self.assertIn(f"devices.passthrough_addresses: the GPU {CONSOLE}: the host's console is on it",
                      said)
        self.agent.configure({"agent": self.options, "devices": {
            "passthrough_addresses": [CARD, "0000:01:00.1"]}})
        self.assertIn("the GPU 0000:01:00.1: it is a further function of the card 0000:01:00.0",
                      self.agent.run("check-config", status=1))

    def test_a_virtual_function_is_no_card(self):
        """Its configuration space has all ones where a card's maker stands, as that of a card that fell off the bus."""
        host = self.start_host(load_description("all-kinds"))
        function = "0000:41:00.4"
        agent = self.make_agent(host, self.placement, {
            "agent": {**self.options, "root_provider_name": self.placement.name("function")},
            "devices": {"passthrough_addresses": function}})
        self.assertIn(f"devices.passthrough_addresses: the GPU {function}: it is a virtual function, and no card",
                      agent.run("check-config", status=1))

    def test_an_address_that_is_the_networks_now(self):
        """A card was added, and the bus has other numbers: neither is the host's network unbound, nor given away."""
        description = load_description("passthrough")
        for card in description["cards"]:
            if card["model"] == "NIC":
                card.pop("group")
        host = self.start_host(description)
        agent = self.make_agent(host, self.placement, {
            "agent": {**self.options, "root_provider_name": self.placement.name("renumbered")},
            "devices": {"passthrough_addresses": "0000:04:00.0"}})
        text = "it is no GPU (class 0x020000): have the addresses of the bus changed?"
        for _ in range(2):
            agent.try_to("sync")
            self.assertIn(text, " ".join(agent.try_to("status").stdout.split()))
            self.assertEqual(host.stores(), [])
            root = self.placement.provider(self.placement.name("renumbered"))["uuid"]
            self.assertEqual([self.placement.inventories(p["uuid"]) for p in self.placement.tree(root).values()
                              if self.placement.inventories(p["uuid"])], [])
            # The same, bound for somebody's network.
            (host.function("0000:04:00.0") / "driver_override").write_text("vfio-pci")
            host.control("unbind 0000:04:00.0")
            host.control("bind 0000:04:00.0")
            host.control("forget")

    def test_no_iommu_and_no_module(self):
        for flag, text in (("iommu", "the IOMMU is off"), ("vfio_pci", "modprobe vfio-pci")):
            host = self.start_host({**load_description("passthrough"), flag: False})
            agent = self.make_agent(host, self.placement, {
                "agent": {**self.options, "root_provider_name": self.placement.name(flag)},
                "devices": {"passthrough_addresses": CARD}})
            self.assertIn(text, agent.run("check-config", status=1))


class Daemon(WholeCards):
    relayed = True

    def test_an_idle_cycle_is_one_request(self):
        self.sync()
        self.allocate(CARD)
        self.agent.start()
        wait_for(lambda: self.driver("0000:01:00.1") == "vfio-pci", "the card")
        self.agent.settle()
        tree = f"/resource_providers?in_tree={self.root()}"

        def idle():
            others = [r.path != tree for r in self.relay.requests[-5:]]
            return len(others) == 5 and not any(map(all, zip(others, others[1:])))
        wait_for(idle, "five idle cycles")


class Configured(WholeCards):
    def said_of(self, **sections):
        self.agent.configure({"agent": self.options, **sections})
        return self.agent.run("check-config", status=1)

    def test_a_card_is_for_one_thing(self):
        said = self.said_of(
            devices={"enabled_mdev_types": "nvidia-35", "passthrough_addresses": [CARD, VGPU]},
            **{"mdev_nvidia-35": {"device_addresses": VGPU}})
        self.assertIn(f"devices.passthrough_addresses: duplicate types for PCI ID {VGPU}: it is also "
                      "in mdev_nvidia-35.device_addresses; expected under one type", said)
        self.assertEqual(said.count("duplicate"), 1)

    def test_addresses(self):
        self.assertIn("devices.passthrough_addresses: incorrect device address: mtty; expected a PCI "
                      "address as 0000:84:00.0",
                      self.said_of(devices={"passthrough_addresses": "mtty"}))
        self.assertIn("did you mean 0000:01:00.0?",
                      self.said_of(devices={"passthrough_addresses": "01:00.0"}))
        self.assertIn("it is twice in the list", self.said_of(
            devices={"passthrough_addresses": [CARD, CARD]}))

    def test_the_name_is_no_type(self):
        self.assertIn("expected them in devices.passthrough_addresses",
                      self.said_of(devices={"enabled_mdev_types": "passthrough"}))

    def test_other_modes(self):
        self.options = {**self.options, "mode": "nova", "create_root": "false"}
        self.assertIn("devices.passthrough_addresses: agent.mode is nova, where nova-compute gives "
                      "whole cards to guests", self.said_of(devices={"passthrough_addresses": CARD}))


    def test_one_time_use_in_another_mode(self):
        self.agent.configure({"agent": {**self.options, "mode": "nova", "create_root": "false"},
                              "devices": {"enabled_mdev_types": "nvidia-35"},
                              "mdev_nvidia-35": {"device_addresses": VGPU, "one_time_use": "true"}})
        self.assertIn("mdev_nvidia-35.one_time_use: not used, since agent.mode is nova",
                      self.agent.try_to("check-config").stdout)


class Devices(WholeCards):
    def setUp(self):
        super().setUp()
        self.sync()

    def test_all_functions_go_and_come_back(self):
        server = self.allocate(WITH_USB)
        self.sync()
        self.assert_taken(WITH_USB)
        self.assert_native(CARD)
        self.assertEqual((self.row(server)["state"], self.row(server)["mdevs"]),
                         ("ready", [WITH_USB]))
        self.assertEqual(self.writes()[:3], [
            ("0000:02:00.0/driver_override", "vfio-pci", "OK"),
            ("nvidia/unbind", WITH_USB, "OK"), ("pci/drivers_probe", WITH_USB, "OK")])
        self.assertEqual(self.inventory(WITH_USB)["total"], 1)
        self.placement.deallocate(server)
        self.settle()
        self.assert_native(WITH_USB)
        self.assertEqual(self.inventory(WITH_USB)["reserved"], 0)

    def test_a_guest_gets_all_functions(self):
        server = self.allocate(WITH_USB)
        self.sync()
        said = self.agent.run("xml", server)
        self.assertEqual(re.findall(r"bus='0x02' slot='0x00' function='0x(\d)'", said), ["0", "1", "2"])
        self.assertEqual(said.count("<hostdev mode='subsystem' type='pci' managed='no'>"), 3)
        self.assertEqual(self.agent.run("qemu-args", server).split(), [
            "-uuid", server, "-device", "vfio-pci,host=0000:02:00.0", "-device", "vfio-pci,host=0000:02:00.1",
            "-device", "vfio-pci,host=0000:02:00.2"])
        self.assertEqual({r["uuid"] for r in self.agent.json("xml", server)},
                         {device_uuid(self.child(WITH_USB), server, 0, "PGPU")})

    def test_a_group_with_its_bridge(self):
        server = self.allocate(BRIDGED)
        self.sync()
        self.assertEqual((self.row(server)["state"], self.driver(BRIDGED)), ("ready", "vfio-pci"))
        self.assertEqual(self.driver("0000:00:01.5"), "pcieport")

    def test_half_is_undone(self):
        """vfio-pci does not take one of the functions, whichever."""
        for function in ("0000:02:00.0", "0000:02:00.1", "0000:02:00.2"):
            self.host.control(f"fail create EINVAL every on {function}")
            server = self.allocate(WITH_USB)
            said = self.agent.run("sync", status=1)
            self.assert_native(WITH_USB)
            self.assertIn(f"vfio-pci did not take {function}, which has no driver now",
                          " ".join((said + self.agent.try_to("status").stdout).split()))
            self.host.control("clear")
            self.settle()
            self.assert_taken(WITH_USB)
            self.placement.deallocate(server)
            self.settle()
            self.assert_native(WITH_USB)

    def test_what_an_operator_set_is_there_again(self):
        """An override, and a function without a driver."""
        self.host.control("unbind 0000:02:00.2")
        (self.host.function("0000:02:00.1") / "driver_override").write_text("snd_hda_intel\n")
        self.host.control("fail create EIO every on 0000:02:00.2")
        self.allocate(WITH_USB)
        self.sync(status=1)
        self.assertEqual(self.drivers(WITH_USB), {"0000:02:00.0": "nvidia", "0000:02:00.2": None,
                                                  "0000:02:00.1": "snd_hda_intel"})
        self.assertEqual([self.override(f"0000:02:00.{n}") for n in range(3)],
                         ["(null)", "snd_hda_intel", "(null)"])

    def keep_off(self, *functions):
        """As driverctl does: the host's own drivers are not to have them."""
        for function in functions:
            (self.host.function(function) / "driver_override").write_text("pci-stub\n")
            self.host.control(f"unbind {function}")

    def overrides(self):
        return [self.override(f"0000:02:00.{n}") for n in range(3)]

    def test_an_override_is_there_again_when_the_card_is_given_back(self):
        """Also where the agent was killed at any store of the two, and another one ends it."""
        self.keep_off("0000:02:00.1", "0000:02:00.2")
        before = self.drivers(WITH_USB)
        self.assertEqual(before, {"0000:02:00.0": "nvidia", "0000:02:00.1": None, "0000:02:00.2": None})
        crash = CrashPoint(self.directory)
        killed = number = 1
        while killed:
            killed = 0
            server = self.allocate(WITH_USB)
            for allocates in (True, False):
                if not allocates:
                    self.placement.deallocate(server)
                    self.sync()  # it is marked as released
                killed += crash.strike(self.agent, "sync", CHILD, number)
                with self.subTest(f"{crash}, allocates: {allocates}"):
                    self.settle()
                    if allocates:
                        self.assert_taken(WITH_USB)
            self.assertEqual((self.drivers(WITH_USB), self.overrides()), (before, ["(null)", "pci-stub", "pci-stub"]), crash)
            number += 2
        self.assertGreater(number, 9)

    def test_an_override_of_before_a_reboot_is_none_of_now(self):
        self.keep_off("0000:02:00.1")
        server = self.allocate(WITH_USB)
        self.sync()
        self.host.reboot()
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        self.assert_taken(WITH_USB)
        self.placement.deallocate(server)
        self.settle()
        self.assert_native(WITH_USB)

    def test_a_driver_that_does_not_let_go(self):
        server = self.allocate(CARD)
        self.sync()
        self.host.control("fail remove EBUSY")
        self.placement.deallocate(server)
        self.sync()
        self.sync(status=1)
        self.assert_taken(CARD)
        self.settle()
        self.assert_native(CARD)

    def test_what_is_held_stays(self):
        server = self.allocate(CARD)
        self.sync()
        sound = "0000:01:00.1"
        group = os.path.basename(os.readlink(self.host.function(CARD) / "iommu_group"))
        (cdev,) = os.listdir(self.host.function(sound) / "vfio-dev")
        self.placement.deallocate(server)
        for number, node in enumerate((group, f"devices/{cdev}")):
            self.agent.hold_group(300 + number, node)
            for _ in range(2):
                self.agent.try_to("sync")
            self.assert_taken(CARD)
            (self.agent.host_root / f"proc/{300 + number}/fd/7").unlink()
        # A guest that has the sound alone has the card.
        file = self.agent.define_domain(server, [sound])
        self.agent.try_to("sync")
        self.assert_taken(CARD)
        file.unlink()
        self.settle()
        self.assert_native(CARD)

    def test_drain(self):
        server = self.allocate(CARD)
        self.sync()
        self.agent.try_to("drain", CARD)
        self.agent.try_to("sync")
        self.assertEqual(self.row(server)["state"], "ready")
        self.placement.deallocate(server)
        self.agent.try_to("sync")
        self.agent.try_to("sync")
        self.assert_native(CARD)
        self.assertEqual(self.inventory(CARD)["reserved"], 1)
        self.agent.try_to("undrain", CARD)
        self.settle()
        self.assertEqual(self.inventory(CARD)["reserved"], 0)

    def test_a_card_is_not_configured_any_more(self):
        """Its guest keeps it; after that it is the host's again."""
        server = self.allocate(CARD)
        self.sync()
        file = self.agent.define_domain(server, [CARD])
        self.agent.configure({"agent": self.options,
                              "devices": {"passthrough_addresses": WITH_USB}})
        self.agent.try_to("sync")
        self.assert_taken(CARD)
        self.placement.deallocate(server)
        self.agent.try_to("sync")
        self.assert_taken(CARD)
        file.unlink()
        self.agent.try_to("sync")
        self.agent.try_to("sync")
        self.assert_native(CARD)

    def test_the_last_card_is_not_configured_any_more_and_the_state_file_is_lost(self):
        """By its mark the provider is the agent's, and so is its PGPU: it is held back."""
        self.sync()
        self.agent.configure({"agent": self.options, "devices": {}})
        self.agent.state_file.unlink()
        self.agent.try_to("sync")
        inventory = self.inventory(CARD)
        self.assertEqual((inventory["total"], inventory["reserved"]), (1, 1))

    def test_reload(self):
        """A daemon gets another card by its configuration."""
        self.agent.configure({"agent": self.options, "devices": {"passthrough_addresses": CARD}})
        self.agent.start()
        self.agent.settle()
        self.agent.configure({"agent": self.options, "devices": {
            "passthrough_addresses": [CARD, CONSOLE], "passthrough_console": "true"}})
        self.agent.run("reload")
        wait_for(lambda: child_name(CONSOLE) in self.tree(), "the other card")
        self.assertEqual(self.agent.stop(), 0)


class Moved(FleetTest):
    """A card that gave mdevs until the files were changed: to take its driver would end them."""

    def setUp(self):
        super().setUp()
        self.build("passthrough", {"devices": {"enabled_mdev_types": "nvidia-35"},
                                   "mdev_nvidia-35": {"device_addresses": VGPU}})
        self.agent.run("sync")

    def move(self):
        self.agent.configure({"agent": self.options, "devices": {"passthrough_addresses": VGPU}})
        self.host.control("forget")

    def unbinds(self):
        return [s for s in self.host.stores() if s["path"].endswith(("unbind", "driver_override", "drivers_probe"))]

    def settle(self):
        for _ in range(4):
            self.agent.try_to("sync")
        self.assertTrue(self.agent.is_idle())

    def inventory(self):
        return self.placement.inventories(self.child(VGPU))

    def test_it_goes_whole_when_the_last_one_has_gone(self):
        server = self.allocate(VGPU, 2)
        self.agent.run("sync")
        before = self.host.mdevs()
        self.move()
        self.settle()
        (gpu,) = [row for row in self.agent.json("gpus") if row["gpu"] == VGPU]
        self.assertEqual((gpu["service"], gpu["devices"]), ("changing", 2))
        self.assertIn("devices of its former type are still on it (2); 'passthrough' can be made when the last of them has gone",
                      gpu["note"])
        self.assertEqual((self.host.mdevs(), self.unbinds()), (before, []))
        self.assertEqual({name: i["total"] - i["reserved"] for name, i in self.inventory().items()}, {"VGPU": 0})
        self.assertEqual({row["gpu"] for row in self.agent.json("devices")}, {VGPU})
        self.placement.deallocate(server)
        self.settle()
        self.assertEqual((self.host.mdevs(), set(self.inventory())), ({}, {"PGPU"}))
        whole = new_uuid()
        self.placement.allocate(whole, {self.child(VGPU): {"PGPU": 1}})
        self.settle()
        self.assertEqual(set(bound_cards(self.host)), {VGPU})
        self.placement.deallocate(whole)
        self.settle()

    def told(self):
        """By the commands that look at the host alone."""
        return ([row["type"] for row in self.agent.json("types", VGPU)],
                [row for row in self.agent.try_to("check-config").stdout.splitlines() if VGPU in row],
                [row for row in self.agent.try_to("preflight").stdout.splitlines() if VGPU in row])

    def test_after_a_reboot(self):
        """The host shows no device then: the state file tells who has some."""
        server = self.allocate(VGPU, 2)
        self.agent.run("sync")
        before = self.host.mdevs()
        self.move()
        self.settle()
        seen = self.told()
        self.host.reboot()
        self.assertEqual(self.host.mdevs(), {})
        self.assertEqual(self.told(), seen)
        self.assertIn("nvidia-35", seen[0])
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        self.assertEqual(set(self.host.mdevs()), set(before))
        self.host.reboot()
        self.settle()
        self.assertEqual((set(self.host.mdevs()), self.unbinds()), (set(before), []))
        self.placement.deallocate(server)
        self.settle()
        self.assertEqual((self.host.mdevs(), set(self.inventory())), ({}, {"PGPU"}))

    def test_somebody_elses(self):
        self.move()
        self.settle()
        whole = new_uuid()
        self.placement.allocate(whole, {self.child(VGPU): {"PGPU": 1}})
        self.addCleanup(self.forget, whole)
        self.host.create(VGPU, "nvidia-35", new_uuid())
        before = self.host.mdevs()
        self.settle()
        (row,) = [r for r in self.agent.json("allocations") if r["consumer"] == whole]
        self.assertNotIn(row["state"], ("ready", "in use"))
        self.assertEqual((self.host.mdevs(), self.unbinds()), (before, []))
        self.host.remove(*before)
        self.settle()
        self.assertEqual(set(bound_cards(self.host)), {VGPU})

    def test_an_agent_that_is_killed(self):
        server = self.allocate(VGPU)
        self.agent.run("sync")
        self.move()
        self.host.control("block remove every")
        self.placement.deallocate(server)
        daemon = self.agent.start()
        wait_for(lambda: [s for s in self.host.stores() if s["path"].endswith("/remove")], "the removal")
        daemon.kill()
        self.agent.daemon = None
        self.agent.try_to("sync")
        self.assertEqual(self.unbinds(), [])
        self.assertNotIn("PGPU", self.inventory())
        self.host.control("unblock")
        wait_for(lambda: not self.host.mdevs(), "its end")
        self.settle()
        self.assertEqual(set(self.inventory()), {"PGPU"})


class MovedFunctions(FleetTest):
    """The same of virtual functions with types. They are not disabled by the agent."""
    CARD = "0000:41:00.0"

    def test_with_types_and_without(self):
        self.build("vendor-vfio", {"devices": {"enabled_mdev_types": "1152"},
                                   "mdev_1152": {"device_addresses": self.CARD}})
        self.agent.run("sync")
        server = self.allocate(self.CARD)
        self.agent.run("sync")
        self.agent.configure({"agent": self.options, "devices": {"passthrough_addresses": self.CARD}})
        self.host.control("forget")
        for _ in range(3):
            self.agent.try_to("sync")
        (gpu,) = [row for row in self.agent.json("gpus") if row["gpu"] == self.CARD]
        self.assertEqual((gpu["service"], gpu["devices"]), ("changing", 1))
        self.assertEqual(self.host.stores(), [])
        self.placement.deallocate(server)
        for _ in range(4):
            self.agent.try_to("sync")
        self.assertEqual([(s["path"].rsplit("/", 1)[1], s["value"]) for s in self.host.stores()],
                         [("current_vgpu_type", "0")])
        (gpu,) = [row for row in self.agent.json("gpus") if row["gpu"] == self.CARD]
        self.assertIn("32 of its virtual functions are enabled", gpu["note"])
        self.assertEqual(self.placement.inventories(self.child(self.CARD)), {})


class Open(WholeCards):
    """A process of the host has a node of the card's driver open: the first unbind would wait for it, or worse. So Placement does
    not offer the card; that create() refuses it as well is tests/unit/agent/backend/test_passthrough.c's."""
    # The node of a container's own /dev has no /dev in its name.
    NODES = (("/dev/dri/card1", "/dev/dri/card1"), ("/dri/renderD128", "/dev/dri/renderD128"),
             ("/dev/snd/pcmC0D3p", "/dev/snd/pcmC0D3p"), ("/dev/nvidia3", "/dev/nvidia3"),
             ("/dev/i2c-3", "/dev/i2c-3"), ("/dev/i2c-9", "/dev/i2c-9"), ("/dev/drm_dp_aux0", "/dev/drm_dp_aux0"))

    def setUp(self):
        super().setUp()
        self.sync()
        self.host.control("forget")

    def hold(self, node, name="Xorg"):
        folder = self.agent.host_root / "proc/300/fd"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "7").unlink(missing_ok=True)
        (folder / "7").symlink_to(node)
        (folder.parent / "comm").write_text(f"{name}\n")

    def number(self, card, minor):
        folder = self.agent.host_root / f"proc/driver/nvidia/gpus/{card}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "information").write_text(f"Model: \t\t NVIDIA\nDevice Minor: \t {minor}\n")

    def number_all(self):
        for minor, card in enumerate((WITH_USB, BRIDGED, SHARED, CARD)):
            self.number(card, minor)

    def units(self, card):
        inventory = self.inventory(card)
        return inventory["total"], inventory["reserved"]

    def gpu(self, card):
        (row,) = [row for row in self.agent.json("gpus") if row["gpu"] == card]
        return row

    def test_it_is_not_offered_until_it_is_let_go(self):
        self.number_all()
        for node, named in self.NODES:
            self.hold(node)
            said = self.agent.try_to("sync")
            self.assertEqual(said.returncode, 1)
            self.assertIn(f"{CARD}: unusable: process 300 (Xorg) has {named} open: it is offered once no process", said.stderr)
            self.assertEqual(self.units(CARD), (1, 1), node)
            self.assertTrue(self.agent.is_idle())
            self.assertEqual((self.units(WITH_USB), self.units(BRIDGED)), ((1, 0), (1, 0)), node)
        for command in ("status", "preflight"):
            self.assertIn("process 300 (Xorg) has /dev/drm_dp_aux0 open", " ".join(self.agent.try_to(command).stdout.split()), command)
        row = self.gpu(CARD)
        self.assertEqual((row["health"], row["service"]), ("unusable", "sick"))
        self.assertIn("process 300 (Xorg) has /dev/drm_dp_aux0 open", row["note"])
        self.hold("/dev/null")
        self.sync()
        self.assertEqual(self.units(CARD), (1, 0))
        self.assertEqual(self.gpu(CARD)["service"], "active")
        self.assertEqual(self.host.stores(), [])

    def test_a_daemon_sees_it_open_and_closed(self):
        self.number_all()
        self.agent.configure({"agent": {**self.options, "sync_interval": 1},
                              "devices": {"passthrough_addresses": list(self.addresses)}})
        self.hold("/dev/nvidia3", "nvidia-persiste")
        self.agent.start()
        wait_for(lambda: self.units(CARD) == (1, 1), "the card held back")
        self.hold("/dev/null")
        wait_for(lambda: self.units(CARD) == (1, 0), "the card offered again")
        self.assertEqual(self.agent.stop(), 0)

    def test_one_that_was_never_offered(self):
        self.hold("/dev/dri/card1")
        self.root_name = "other.example"
        self.agent.configure({"agent": {**self.options, "state_file": self.agent.directory / "other.json",
                                        "root_provider_name": self.root_name},
                              "devices": {"passthrough_addresses": CARD}})
        self.assertEqual(self.agent.try_to("sync").returncode, 1)
        self.assertNotIn(child_name(CARD), self.tree())
        self.hold("/dev/null")
        self.sync()
        self.assertEqual(self.units(CARD), (1, 0))

    def test_a_consumer_that_has_it_waits(self):
        self.number_all()
        server = self.allocate(CARD)
        self.hold("/dev/dri/card1")
        self.assertEqual(self.agent.try_to("sync").returncode, 1)
        row = self.row(server)
        self.assertEqual((row["state"], row["reason"]), ("failed", "the GPU is not well: unusable: process 300 (Xorg) has /dev/dri/card1 open"))
        self.assert_native(CARD)
        self.assertEqual(self.host.stores(), [])
        self.hold("/dev/null")
        self.settle()
        self.assertEqual(self.row(server)["state"], "ready")
        self.assert_taken(CARD)
        # A guest has it now: its nodes are gone, and nobody is looked for.
        self.hold("/dev/dri/card1")
        self.sync()
        self.assertEqual(self.units(CARD), (1, 0))

    def test_another_cards_node(self):
        self.number_all()
        server = self.allocate(CARD)
        for node in ("/dev/dri/card11", "/dev/nvidia30"):
            self.hold(node)
            self.sync()
        self.assertEqual(self.row(server)["state"], "ready")

    def test_whose_node_it_is_cannot_be_seen(self):
        for node in ("/dev/nvidia7", "/nvidia7"):  # the other where /dev is a mount of a container's
            self.hold(node, "nvidia-persiste")
            said = self.agent.try_to("sync").stderr
            for card in self.addresses:
                self.assertIn(f"{card}: unusable: process 300 (nvidia-persiste) has /dev/nvidia* open", said)
                self.assertEqual(self.units(card), (1, 1))
            self.hold("/dev/null")
            self.sync()

    def test_who_has_it_cannot_be_seen(self):
        self.number_all()
        (self.agent.host_root / "proc/1/ns/pid").unlink()
        said = self.agent.try_to("sync").stderr
        for card in self.addresses:
            self.assertIn(f"{card}: unusable: it is not known whether a process has /dev/", said)
            self.assertEqual(self.units(card), (1, 1))
        self.assertIn("open: /proc does not show all processes", said)
        (self.agent.host_root / "proc/1/ns/pid").symlink_to("pid:[4026531836]")
        self.sync()
        self.assertEqual({self.units(card) for card in self.addresses}, {(1, 0)})


class Others(WholeCards):
    """Cards that somebody else bound."""

    def setUp(self):
        super().setUp()
        self.sync()

    def bind(self, *functions):
        for function in functions:
            (self.host.function(function) / "driver_override").write_text("vfio-pci")
            self.host.control(f"unbind {function}")
            self.host.control(f"bind {function}")

    def test_an_idle_one_is_used_and_stays_bound(self):
        self.bind(CARD, "0000:01:00.1")
        self.host.control("forget")
        self.sync()
        self.assertEqual(self.inventory(CARD)["total"], 1)
        server = self.allocate(CARD)
        self.sync()
        self.assertEqual(self.row(server)["state"], "ready")
        self.placement.deallocate(server)
        self.settle()
        self.assert_taken(CARD)
        self.assertEqual(self.host.stores(), [])

    def test_one_that_a_guest_has_is_no_capacity(self):
        self.bind(CARD, "0000:01:00.1")
        self.agent.define_domain(new_uuid(), [CARD])
        self.assertIn("devices without an allocation are in use", self.agent.try_to("sync").stderr)
        self.assertEqual(self.placement.inventories(self.child(CARD)), {})

    def test_one_that_is_bound_by_half_is_completed(self):
        self.bind(CARD)
        self.sync()
        server = self.allocate(CARD)
        self.sync()
        self.assertEqual(self.row(server)["state"], "ready")
        self.assert_taken(CARD)
        self.placement.deallocate(server)
        self.settle()
        self.assert_native(CARD)


class Halves(WholeCards):
    """What a crash leaves in the middle is completed, or taken back."""

    def setUp(self):
        super().setUp()
        self.sync()
        self.server = self.allocate(WITH_USB)
        self.sync()
        self.assert_taken(WITH_USB)

    def break_up(self, override):
        """As after the first stores of a removal."""
        self.host.control("unbind 0000:02:00.0")
        if not override:
            (self.host.function("0000:02:00.0") / "driver_override").write_text("\n")

    def test_for_its_consumer(self):
        for override in (True, False):
            self.break_up(override)
            self.settle()
            self.assert_taken(WITH_USB)
            self.assertEqual(self.row(self.server)["state"], "ready")

    def test_without_a_consumer(self):
        self.placement.deallocate(self.server)
        self.break_up(False)
        self.settle()
        self.assert_native(WITH_USB)
        journal = json.loads(self.agent.state_file.read_text())
        self.assertEqual(journal["devices"], [])

    def test_the_last_function_between_two_stores(self):
        self.placement.deallocate(self.server)
        for function in ("0000:02:00.0", "0000:02:00.1", "0000:02:00.2"):
            self.host.control(f"unbind {function}")
            (self.host.function(function) / "driver_override").write_text("\n")
        for function in ("0000:02:00.0", "0000:02:00.1"):
            self.host.control(f"bind {function}")
        self.settle()
        self.assert_native(WITH_USB)


class Reboot(WholeCards):
    def test_the_same_cards_again(self):
        self.sync()
        servers = [self.allocate(card) for card in (CARD, WITH_USB)]
        self.settle()
        before = bound_cards(self.host)
        self.assertEqual(len(before), 2)
        self.host.reboot()
        self.assertEqual(bound_cards(self.host), {})
        self.agent.define_domain(servers[0], [CARD, "0000:01:00.1"])
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        self.assertEqual(bound_cards(self.host), before)
        stores = self.host.stores()
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        self.assertEqual(self.host.stores(), stores)


class Owners(WholeCards):
    """Whatever comes together, no guest gets another guest's card, nor is it taken away."""

    def setUp(self):
        super().setUp()
        self.agent.configure({"agent": {**self.options, "release_grace": LATE}, **self.types})
        self.sync()
        self.server = self.allocate(CARD)
        self.sync()

    def test_the_next_consumer_gets_it_as_it_is(self):
        self.placement.deallocate(self.server)
        self.sync()
        self.host.control("forget")
        other = self.allocate(CARD)
        (step,) = [s for s in self.agent.json("plan", status=2)["steps"] if s["device"]]
        self.assertEqual((step["step"], step["device"]["consumer"]), ("hand_over_device", other))
        self.sync()
        self.assertEqual((self.row(other)["state"], self.row(other)["mdevs"]), ("ready", [CARD]))
        self.assertEqual(self.host.stores(), [])

    def test_the_former_guest_still_has_it(self):
        """It has only its sound left, and is nobody else's."""
        self.agent.define_domain(self.server, ["0000:01:00.1"], running=True)
        self.placement.deallocate(self.server)
        self.agent.try_to("sync")
        self.assertEqual(self.placement.inventories(self.child(CARD)), {})
        self.assert_taken(CARD)

    def test_a_process_has_it(self):
        group = os.path.basename(os.readlink(self.host.function(CARD) / "iommu_group"))
        self.placement.deallocate(self.server)
        self.sync()
        other = self.allocate(CARD)
        self.agent.hold_group(77, group)
        self.agent.try_to("sync")
        self.assertNotEqual(self.row(other)["state"], "ready")
        self.assertEqual(self.agent.try_to("xml", other).stdout, "")

    def test_a_change_of_mind(self):
        """The allocation is back before the card has gone."""
        self.placement.deallocate(self.server)
        self.sync()
        self.host.control("forget")
        self.allocate(CARD, consumer=self.server)
        self.settle()
        self.assertEqual(self.row(self.server)["state"], "ready")
        self.assertEqual(self.host.stores(), [])

    def test_a_migration_keeps_it(self):
        self.agent.define_domain(self.server, [CARD, "0000:01:00.1"], running=True)
        migration = new_uuid()
        self.rename(self.server, migration)
        self.agent.try_to("sync")
        self.assertEqual(self.row(migration)["state"], "migrating")
        self.rename(migration, self.server)
        self.agent.try_to("sync")
        self.assertEqual(self.row(self.server)["state"], "in use")
        self.assert_taken(CARD)

    def test_another_domain_names_a_new_one(self):
        """It is not taken from the host for a guest that another's definition keeps from it."""
        other = self.allocate(WITH_USB)
        self.agent.define_domain(new_uuid(), [WITH_USB])
        self.agent.try_to("sync")
        self.assertEqual(self.drivers(WITH_USB), {f: d for f, d in NATIVE.items() if "02:" in f})
        self.assertNotEqual(self.row(other)["state"], "ready")

    def test_devices_and_gpus_show_it(self):
        (row,) = self.agent.json("devices")
        self.assertEqual((row["device"], row["gpu"], row["type"]), (CARD, CARD, "passthrough"))
        (row,) = [r for r in self.agent.json("gpus") if r["gpu"] == CARD]
        self.assertEqual((row["type"], row["used"]), ("passthrough", 1))


class OneTimeUse(WholeCards):
    """A card that a consumer has had is given to nobody else before it is cleaned."""
    more = {"passthrough_one_time_use": "true"}

    def setUp(self):
        super().setUp()
        self.sync()

    def service(self):
        (row,) = [r for r in self.agent.json("gpus") if r["gpu"] == CARD]
        return row["service"]

    def use(self):
        server = self.allocate(CARD)
        self.settle()
        self.assertEqual((self.row(server)["state"], self.inventory(CARD)["reserved"]), ("ready", 1))
        self.assertEqual(self.service(), "active")
        self.placement.deallocate(server)

    def test_until_it_is_cleaned(self):
        self.use()
        self.settle()
        self.assert_native(CARD)
        self.assertEqual((self.inventory(CARD)["reserved"], self.service()), (1, "unclean"))
        self.assertIn(f"1 of its units were used and stay reserved (one_time_use): `vgpu-agent clean {CARD}` "
                      "offers them again", " ".join(self.agent.try_to("gpus").stdout.split()))
        self.assertEqual(self.inventory(WITH_USB)["reserved"], 0)
        # A new process, and a reboot.
        self.host.reboot()
        self.settle()
        self.assertEqual(self.inventory(CARD)["reserved"], 1)
        done = self.agent.try_to("clean", "01:00.0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("`vgpu-agent sync`, will do it", done.stdout)
        self.settle()
        self.assertEqual((self.inventory(CARD)["reserved"], self.service()), (0, "active"))
        self.assertIn("nothing of 0000:01:00.0 waits", self.agent.run("clean", CARD))
        self.use()
        self.settle()
        self.assertEqual(self.inventory(CARD)["reserved"], 1)

    def test_there_is_no_moment_between(self):
        """Reserved while it is allocated, and while its device waits for the grace period."""
        self.agent.configure({"agent": {**self.options, "release_grace": LATE}, **self.types})
        self.use()
        self.assertEqual(self.inventory(CARD)["reserved"], 1)
        self.sync()
        self.assertEqual((self.inventory(CARD)["reserved"], self.service()), (1, "unclean"))
        # What is not over cannot be cleaned.
        self.assertIn("once its device has gone", self.agent.run("clean", CARD))

    def test_the_daemon_is_asked(self):
        self.use()
        self.settle()
        self.agent.start()
        wait_for(lambda: " starts" in self.agent.daemon.output(), "the daemon")
        self.assertEqual(json.loads(self.agent.run("--format", "json", "clean", CARD)),
                         {"gpu": CARD, "units": 1, "done": True, "pending": None})
        wait_for(lambda: self.inventory(CARD)["reserved"] == 0, "the unit")

    def test_a_request_that_cannot_be_withdrawn(self):
        self.use()
        self.settle()
        request = f"{self.agent.state_file}.clean.{CARD}"
        os.mkdir(request)
        self.assertIn("that GPUs were cleaned cannot be noted: ", self.agent.try_to("sync").stderr)
        os.rmdir(request)
        self.settle()
        self.assertEqual(self.service(), "active")
