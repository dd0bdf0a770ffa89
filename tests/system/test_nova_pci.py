"""Mode nova-pci: the agent cuts cards whose virtual functions nova-compute gives to guests by its own [pci]."""
import json

from support.fleet import FleetTest, new_uuid
from support.host import load_description
from support.hostdev import pci_xml
from support.process import wait_for

CARD, OTHER = "0000:41:00.0", "0000:42:00.0"
# Of a card, the first functions in the order of the bus.
FIRST = [f"0000:41:00.{number}" for number in (4, 5, 6, 7)] + [f"0000:41:01.{number}" for number in range(8)]
MANAGED = "COMPUTE_MANAGED_PCI_DEVICE"


class NovaPciTest(FleetTest):
    relayed = True

    def build_cards(self, types, **options):
        """Two L40S; Nova's root provider is there."""
        description = load_description("vendor-vfio")
        description["cards"] = [{**description["cards"][0], "count": 2}]
        self.root_uuid = new_uuid()
        self.build(description, types, root="compute1.example", create_root="false", mode="nova-pci", **options)
        self.placement.create_provider(self.root_name, self.root_uuid)

    def kinds(self, count=4, type_id="nvidia-1147", **more):
        return {"devices": {"enabled_mdev_types": [type_id]},
                f"mdev_{type_id}": {"device_addresses": CARD, **({"max_instances": count} if count else {}), **more}}

    def configure(self, types, nova=None):
        """New files: the agent's own options, and what stands in nova.conf."""
        self.agent.configure({"agent": self.options, **types})
        self.agent.file.write_text(self.agent.file.read_text() + (nova or ""))

    # What nova-compute does.

    def nova_config(self):
        return json.loads(self.agent.run("--format", "json", "nova-config"))

    def nova_reports(self, spec=None):
        """As nova-compute does after a restart with what the agent prints: a provider for each card."""
        cards = {}
        for entry in spec or self.nova_config()["pci"]["device_spec"]:
            cards.setdefault(entry["address"].rpartition(":")[0] + ":00.0", []).append(entry)
        for card, entries in cards.items():
            name = f"{self.root_name}_{card.upper()}"
            provider = self.placement.provider(name) or self.placement.create_provider(name, new_uuid(), self.root_uuid)
            self.assertEqual(len({(entry["resource_class"], entry["traits"]) for entry in entries}), 1)
            traits = set(entries[0]["traits"].split(","))
            for trait in traits:
                self.placement.expect((201, 204), "PUT", f"/traits/{trait}")
            self.placement.expect((201, 204), "PUT", f"/resource_classes/{entries[0]['resource_class']}")
            if entries[0].get("live_migratable") == "yes":
                traits.add("HW_PCI_LIVE_MIGRATABLE")
            self.placement.set_inventories(provider["uuid"], {
                entries[0]["resource_class"]: {"total": len(entries), "max_unit": len(entries)}})
            self.placement.set_traits(provider["uuid"], traits | {MANAGED, "OWNER_NOVA"})

    def provider(self, card=CARD):
        return self.placement.provider(f"{self.root_name}_{card.upper()}")["uuid"]

    def allocate_one(self, resource_class="CUSTOM_NVIDIA_1147"):
        consumer = new_uuid()
        self.placement.allocate(consumer, {self.provider(): {resource_class: 1}})
        self.addCleanup(self.forget, consumer)
        return consumer

    def define(self, uuid, address, running=False):
        """A domain with this function; gives its file."""
        file = self.agent.define_domain(uuid, [], running=running)
        file.write_text(file.read_text().replace("<devices>", f"<devices>{pci_xml(address)}"))
        return file

    def sync(self):
        self.sync_until_idle(5)

    def cut(self, count=4, number="1147"):
        return dict.fromkeys(FIRST[:count], number)

    def problems(self):
        return json.loads(self.agent.try_to("--format", "json", "plan").stdout)["problems"]

    def service(self, card=CARD):
        return next(row for row in self.agent.json("gpus") if row["gpu"] == card)


class TheCut(NovaPciTest):
    def test_a_card_is_cut_as_the_file_says(self):
        self.build_cards(self.kinds())
        self.sync()
        self.assertEqual(self.host.vgpus(), self.cut())
        self.nova_reports()
        self.assertEqual(self.agent.run("plan"), "nothing to do\n")
        self.assertEqual(self.service()["service"], "active")
        self.assertEqual((self.service()["total"], self.service()["devices"]), (4, 4))

    def test_without_a_number_a_card_gets_as_many_as_it_takes(self):
        self.build_cards(self.kinds(count=None, type_id="NVIDIA L40S-12Q"))
        self.sync()
        self.assertEqual(self.host.vgpus(), self.cut(number="1153"))
        self.assertEqual(self.problems(), [p for p in self.problems() if "does not report" in p])

    def test_functions_can_be_named_one_by_one(self):
        types = self.kinds()
        types["mdev_nvidia-1147"]["device_addresses"] = [FIRST[2], FIRST[9], FIRST[1]]
        self.build_cards(types)
        self.sync()
        self.assertEqual(self.host.vgpus(), dict.fromkeys([FIRST[1], FIRST[2], FIRST[9]], "1147"))

    def test_nothing_is_written_to_novas_providers(self):
        self.build_cards(self.kinds())
        self.sync()
        self.nova_reports()
        self.placement.set_traits(self.provider(), {MANAGED, "OWNER_NOVA"})
        self.sync()
        self.configure(self.kinds(2, type_id="nvidia-1148"))
        self.sync()
        self.assertEqual({request.method for request in self.relay.requests}, {"GET"})
        self.assertEqual(self.placement.traits(self.provider()), {MANAGED, "OWNER_NOVA"})

    def test_what_others_cut_is_left_alone(self):
        self.build_cards(self.kinds(count=2))
        self.host.set_type(FIRST[3], "1147")
        self.sync()
        self.assertEqual(self.host.vgpus(), {FIRST[0]: "1147", FIRST[3]: "1147"})
        self.configure(self.kinds(count=2, type_id="nvidia-1148"))
        self.sync()
        self.assertEqual(self.host.vgpus(), {FIRST[3]: "1147"})
        self.assertIn(f"{FIRST[3]} has the type nvidia-1147, which the agent did not set", self.service()["note"])

    def test_cards_with_mdevs_are_for_other_modes(self):
        self.root_uuid = new_uuid()
        self.build("nova-guide", {"devices": {"enabled_mdev_types": ["nvidia-35"]}, "mdev_nvidia-35": {}},
                   root="compute1.example", create_root="false", mode="nova-pci")
        self.placement.create_provider(self.root_name, self.root_uuid)
        self.sync()
        self.assertEqual(self.host.mdevs(), {})
        self.assertIn("it offers mediated devices, which Nova's [pci] cannot give to guests", " ".join(self.problems()))


class ChangesOfMind(NovaPciTest):
    def setUp(self):
        super().setUp()
        self.build_cards(self.kinds())
        self.sync()
        self.nova_reports()

    def test_free_functions_change_their_type_in_one_go(self):
        self.configure(self.kinds(3, type_id="nvidia-1148"))
        self.agent.try_to("sync")
        self.assertEqual(self.host.vgpus(), self.cut(3, "1148"))

    def test_an_allocation_on_the_card_keeps_all_of_it(self):
        consumer = self.allocate_one()
        for types in (self.kinds(2), self.kinds(4, type_id="nvidia-1148"), {"devices": {}}):
            self.configure(types)
            self.sync()
            self.assertEqual(self.host.vgpus(), self.cut())
            self.assertIn("something is allocated on its card", self.agent.run("--wide", "plan", status=1) if not types["devices"]
                          else self.service()["note"])
        self.configure(self.kinds(2, type_id="nvidia-1148"))
        self.assertEqual(self.service()["service"], "changing")
        self.assertEqual({entry["resource_class"] for entry in self.nova_config()["pci"]["device_spec"]}, {"CUSTOM_NVIDIA_1147"})
        self.placement.deallocate(consumer)
        self.sync()
        self.assertEqual(self.host.vgpus(), self.cut(2, "1148"))

    def test_more_functions_are_cut_beside_an_allocation(self):
        self.allocate_one()
        self.configure(self.kinds(6))
        self.sync()
        self.assertEqual(self.host.vgpus(), self.cut(6))

    def test_what_a_guest_has_stays_and_the_rest_is_carried_out(self):
        guest = new_uuid()
        domain = self.define(guest, FIRST[3])
        self.configure(self.kinds(2))
        self.sync()
        # From the last one on, as far as they are free.
        self.assertEqual(self.host.vgpus(), dict.fromkeys([FIRST[0], FIRST[3]], "1147"))
        self.configure(self.kinds(2, type_id="nvidia-1148"))
        self.sync()
        self.assertEqual(self.host.vgpus(), {FIRST[3]: "1147"})
        self.assertIn(f"{FIRST[3]} keeps the type nvidia-1147: the domain {guest} has it", self.service()["note"])
        self.assertEqual([entry["address"] for entry in self.nova_config()["pci"]["device_spec"]], [FIRST[3]])
        domain.unlink()
        self.sync()
        self.assertEqual(self.host.vgpus(), self.cut(2, "1148"))

    def test_unknown_use_changes_nothing(self):
        folder = self.agent.host_root / "etc/libvirt/qemu"
        folder.rename(folder.with_name("elsewhere"))
        self.configure(self.kinds(2))
        self.sync()
        self.assertEqual(self.host.vgpus(), self.cut())
        self.assertIn("it is not known who uses it", self.service()["note"])
        folder.with_name("elsewhere").rename(folder)
        self.sync()
        self.assertEqual(self.host.vgpus(), self.cut(2))

    def test_without_placement_nothing_is_taken_away(self):
        self.relay.rule = lambda _request: 503
        self.configure(self.kinds(2, type_id="nvidia-1148"))
        self.agent.try_to("sync")
        self.assertEqual(self.host.vgpus(), self.cut())

    def test_an_allocation_that_comes_between_plan_and_write_keeps_the_type(self):
        """The provider is asked once more right before a type is taken away."""
        self.configure(self.kinds(2))
        seen = []

        def rule(request):
            if request.path.endswith("/allocations") and self.provider() in request.path:
                seen.append(request.path)
                if len(seen) == 2:
                    self.allocate_one()
        self.relay.rule = rule
        self.agent.try_to("sync")
        self.relay.rule = lambda _request: None
        self.assertGreaterEqual(len(seen), 2)
        self.assertEqual(self.host.vgpus(), self.cut())

    def test_a_card_that_is_not_configured_any_more_is_given_back(self):
        self.configure({"devices": {}})
        self.sync()
        self.assertEqual(self.host.vgpus(), {})
        self.assertEqual(json.loads(self.agent.state_file.read_text())["devices"], [])


class TheDaemon(NovaPciTest):
    def test_its_days(self):
        self.build_cards(self.kinds())
        self.agent.start()
        wait_for(lambda: self.host.vgpus() == self.cut(), "the cut")
        self.nova_reports()
        wait_for(lambda: self.agent.try_to("status").returncode == 0, "all is well")
        # What nova.conf says is nothing that it has to read again.
        text = self.agent.run("nova-config")
        self.configure(self.kinds(), text)
        self.assertEqual(json.loads(self.agent.run("--format", "json", "status"))["problems"], [])
        self.assertIn("mode         nova-pci: nova-compute keeps the GPUs' providers\n", self.agent.run("status"))
        self.configure(self.kinds(2, type_id="nvidia-1148"), text)
        self.agent.run("reload")
        wait_for(lambda: self.host.vgpus() == self.cut(2, "1148"), "the other cut")
        consumer = self.allocate_one()
        self.configure(self.kinds(3, type_id="nvidia-1150"), text)
        self.agent.run("reload")
        wait_for(lambda: self.service()["service"] == "changing", "what waits")
        self.assertEqual(self.host.vgpus(), self.cut(2, "1148"))
        self.placement.deallocate(consumer)
        wait_for(lambda: self.host.vgpus() == self.cut(3, "1150"), "the third cut")

    def test_idle_cycles_cost_little(self):
        self.build_cards(self.kinds())
        self.agent.start()
        wait_for(lambda: self.host.vgpus() == self.cut(), "the cut")
        self.nova_reports()
        self.relay.requests.clear()

        def cycles():
            return sum("in_tree" in request.path for request in self.relay.requests)
        wait_for(lambda: cycles() > 8, "some cycles")
        # The tree; of the card, whenever its turn comes, one of its parts; what has changed at first.
        self.assertLess(len(self.relay.requests), 2 * cycles() + 6)


class Reboots(NovaPciTest):
    def restore(self, status=0):
        self.relay.rule = lambda _request: 503
        self.agent.run("restore", status=status)
        self.relay.rule = lambda _request: None

    def test_the_same_cut_is_back_without_placement(self):
        self.build_cards(self.kinds())
        self.sync()
        self.nova_reports()
        self.allocate_one()
        self.define(new_uuid(), FIRST[1])
        before = self.nova_config()
        self.host.reboot()
        self.restore()
        self.assertEqual(self.host.vgpus(), self.cut())
        self.assertEqual(self.agent.run("plan"), "nothing to do\n")
        self.assertEqual(self.nova_config(), before)

    def test_a_guest_gets_the_type_that_it_had_although_the_file_says_another(self):
        self.build_cards(self.kinds())
        self.sync()
        self.nova_reports()
        consumer = self.allocate_one()
        domain = self.define(consumer, FIRST[1])
        self.host.reboot()
        self.configure(self.kinds(2, type_id="nvidia-1148"))
        self.agent.try_to("restore")
        self.assertEqual(self.host.vgpus(), self.cut())
        self.sync()
        self.assertEqual(self.host.vgpus(), self.cut())
        domain.unlink()
        self.placement.deallocate(consumer)
        self.sync()
        self.assertEqual(self.host.vgpus(), self.cut(2, "1148"))

    def test_without_a_state_file_the_file_decides(self):
        self.build_cards(self.kinds())
        self.sync()
        self.define(new_uuid(), FIRST[6])
        self.host.reboot()
        self.agent.state_file.unlink()
        self.restore()
        # The function that a domain names comes first.
        self.assertEqual(self.host.vgpus(), dict.fromkeys([*FIRST[:3], FIRST[6]], "1147"))

    def test_restore_waits_for_functions_that_come_late(self):
        self.build_cards(self.kinds())
        self.sync()
        self.host.reboot()
        self.host.control(f"numvfs {CARD} 0")
        self.restore(status=1)
        self.agent.start("restore", "--wait", "60")
        self.host.control(f"numvfs {CARD} 32")
        wait_for(lambda: not self.agent.daemon.runs(), "the end of restore")
        self.assertEqual(self.host.vgpus(), self.cut())


class OtherModes(NovaPciTest):
    """A host changes its mode once it is empty; what is left over is said, and nothing is lost."""

    def become(self, mode):
        self.options["mode"] = mode
        self.configure(self.kinds(3))

    def test_from_owner_mode(self):
        self.build_cards(self.kinds(3))
        self.become("owner")
        self.sync()
        child = self.placement.provider(f"{self.root_name}_pci_0000_41_00_0")
        consumer = new_uuid()
        self.placement.allocate(consumer, {child["uuid"]: {"VGPU": 1}})
        self.sync()
        self.assertEqual(self.host.vgpus(), self.cut(1))
        self.become("nova-pci")
        self.sync()
        # What was made for a consumer stays its own, and counts.
        self.assertEqual(self.host.vgpus(), self.cut(3))
        self.assertIn("left over from owner mode", " ".join(self.problems()))
        self.placement.deallocate(consumer)
        self.sync()
        self.agent.run("prune")
        self.assertNotIn(f"{self.root_name}_pci_0000_41_00_0", self.placement.tree(self.root_uuid))
        self.configure(self.kinds(2, type_id="nvidia-1148"))
        self.sync()
        self.assertEqual(self.host.vgpus(), self.cut(2, "1148"))

    def test_to_owner_mode(self):
        self.build_cards(self.kinds(3))
        self.sync()
        self.assertEqual(self.host.vgpus(), self.cut(3))
        domain = self.define(new_uuid(), FIRST[1])
        self.become("owner")
        self.sync()
        self.assertEqual(self.host.vgpus(), {FIRST[1]: "1147"})
        domain.unlink()
        self.sync()
        self.assertEqual(self.host.vgpus(), {})


class WhatNovaIsTold(NovaPciTest):
    def setUp(self):
        super().setUp()
        self.build_cards(self.kinds(2, live_migratable="true", traits="CUSTOM_GOLD"))
        self.sync()
        self.nova_reports()

    def take_over(self, change=lambda text: text):
        """What the agent prints is in nova.conf, but for a change."""
        text = self.agent.run("nova-config")
        self.configure(self.kinds(2, live_migratable="true", traits="CUSTOM_GOLD"), change(text))
        done = self.agent.try_to("check-config")
        return done.returncode, [line for line in done.stdout.splitlines()[:-1] if not line.startswith("read ")]

    def test_all_tell_the_same(self):
        self.assertEqual(self.take_over(), (0, []))
        # Once more: what stands in nova.conf changes nothing of it.
        self.assertEqual(self.take_over(lambda text: ""), self.take_over(lambda text: ""))

    def test_the_entries(self):
        told = self.nova_config()
        self.assertEqual(told["filter_scheduler"], {"pci_in_placement": True})
        self.assertIs(told["pci"]["report_in_placement"], True)
        self.assertEqual(told["pci"]["device_spec"], [
            {"address": address, "managed": "no", "live_migratable": "yes", "resource_class": "CUSTOM_NVIDIA_1147",
             "traits": "CUSTOM_GOLD,CUSTOM_NVIDIA_1147,CUSTOM_NVIDIA_L40S_1Q"} for address in FIRST[:2]])
        self.assertEqual(told["pci"]["alias"], [
            {"name": "nvidia-1147", "device_type": "type-VF", "resource_class": "CUSTOM_NVIDIA_1147",
             "traits": "CUSTOM_NVIDIA_L40S_1Q", "live_migratable": "yes"}])

    def test_each_difference_of_nova_conf_is_a_line(self):
        def without(word):
            return lambda text: "\n".join(line for line in text.splitlines() if word not in line)

        def instead(old, new):
            return lambda text: text.replace(old, new)
        cases = (
            (without(f'"address":"{FIRST[1]}"'), f"does not name {FIRST[1]}, which has the type nvidia-1147"),
            (instead("[filter", 'device_spec = {"address": "0000:41:00.7", "managed": "no"}\n[filter'),
             f"names {FIRST[3]} of {CARD}, without a type"),
            (instead(f'"address":"{FIRST[0]}","managed":"no"', f'"address":"{FIRST[0]}"'), 'managed is not "no"'),
            (instead("CUSTOM_NVIDIA_1147\",\"traits\"", "nvidia\",\"traits\""), "resource_class is CUSTOM_NVIDIA, not CUSTOM_NVIDIA_1147"),
            (instead("CUSTOM_GOLD,", ""), "traits lack CUSTOM_GOLD"),
            (instead('"live_migratable":"yes","res', '"live_migratable":"no","res'), 'live_migratable is "no"'),
            (instead("report_in_placement = true", ""), "report_in_placement: not set"),
            (without("alias"), "alias: none asks for CUSTOM_NVIDIA_1147"),
            (instead("pci_in_placement = true", "pci_in_placement = false"), "pci_in_placement: false"),
            (instead("[pci]", '[pci]\ndevice_spec = {"address": "0000:41:00.0"}'), f"names the card {CARD} itself"),
            (instead("[pci]", '[pci]\ndevice_spec = {"address": "0000:41:00.99"}'), "nova-compute refuses '99'"),
            (instead("[pci]", '[pci]\ndevice_spec = {"devname": "eth0"}'), "devname"),
            (instead("[pci]", '[pci]\ndevice_spec = {"managed": "perhaps"}'), "managed: nova-compute refuses 'perhaps'"),
            (instead("[pci]", "[pci]\ndevice_spec = {"), "device_spec: "),
        )
        for change, said in cases:
            with self.subTest(said):
                status, lines = self.take_over(change)
                self.assertEqual(status, 0 if said.startswith(("alias", "pci_in")) else 1)
                self.assertTrue([line for line in lines if said in line], lines)

    def test_what_nova_writes_otherwise_counts_as_well(self):
        """Globs, expressions and lists; classes and traits that Nova normalises."""
        tags = ('"managed": "false", "live_migratable": "TRUE", "resource_class": "nvidia-1147", '
                '"traits": "gold, custom_nvidia_1147,CUSTOM_NVIDIA_L40S_1Q"')
        for address in ('"*:41:00.[45]"', '{"bus": "41", "slot": "00", "function": "[45]"}'):
            with self.subTest(address):
                status, lines = self.take_over(lambda text, address=address: (
                    "[pci]\nreport_in_placement = 1\nalias = " + text.split("\nalias = ")[1].splitlines()[0]
                    + f"\ndevice_spec = [{{\"address\": {address},\n  {tags}}}]\n"))
                if address[1] == "*":  # a glob has no sets
                    self.assertIn("nova-compute refuses '[45]'", lines[0])
                else:
                    self.assertEqual((status, lines), (0, []))

    def test_placement_is_compared(self):
        provider = self.provider()
        told = self.placement.traits(provider)
        self.placement.set_traits(provider, told - {"CUSTOM_GOLD"})
        status, lines = self.take_over()
        self.assertEqual((status, len(lines)), (1, 1))
        self.assertIn(f"{CARD}: its provider lacks the trait CUSTOM_GOLD: put what `vgpu-agent nova-config` prints", lines[0])
        self.placement.expect((201, 204), "PUT", "/traits/CUSTOM_NVIDIA_L40S_2Q")
        self.placement.set_traits(provider, told | {"CUSTOM_NVIDIA_L40S_2Q"})
        self.assertIn("its provider has the trait CUSTOM_NVIDIA_L40S_2Q, and its functions have the type", self.take_over()[1][0])
        self.placement.set_traits(provider, told - {"HW_PCI_LIVE_MIGRATABLE"})
        self.assertIn("lacks HW_PCI_LIVE_MIGRATABLE", self.take_over()[1][0])
        self.placement.set_traits(provider, told)
        self.placement.set_inventories(provider, {"CUSTOM_NVIDIA_1147": {"total": 3}})
        self.assertIn("nova-compute reports 3 of CUSTOM_NVIDIA_1147, and 2 functions have the type", self.take_over()[1][0])
        self.placement.set_inventories(provider, {"VGPU": {"total": 2}})
        self.assertIn("nova-compute reports it as VGPU, not as CUSTOM_NVIDIA_1147", self.take_over()[1][0])
        self.relay.rule = lambda _request: 503
        status, lines = self.take_over()
        self.assertEqual((status, len(lines)), (0, 1))
        self.assertIn("Placement could not be asked", lines[0])

    def test_a_class_changes_once_nothing_is_allocated(self):
        """nova-compute could not change it before; an alias has one entry, that of a card that is as configured."""
        consumer = self.allocate_one()
        types = self.kinds(2, live_migratable="true", mdev_class="CUSTOM_NEW")
        types["mdev_nvidia-1147"]["device_addresses"] = [CARD, OTHER]
        self.configure(types)
        self.sync()
        told = self.nova_config()["pci"]
        self.assertEqual({(entry["address"][:7], entry["resource_class"]) for entry in told["device_spec"]},
                         {("0000:41", "CUSTOM_NVIDIA_1147"), ("0000:42", "CUSTOM_NEW")})
        self.assertEqual([alias["resource_class"] for alias in told["alias"]], ["CUSTOM_NEW"])
        self.assertIn("its resource class stays CUSTOM_NVIDIA_1147", self.service()["note"])
        self.assertEqual(self.states(), {consumer: ["pending"]})
        self.placement.deallocate(consumer)
        self.sync()
        self.assertEqual({entry["resource_class"] for entry in self.nova_config()["pci"]["device_spec"]}, {"CUSTOM_NEW"})
        # Without Placement the state file tells it.
        self.relay.rule = lambda _request: 503
        self.assertEqual({entry["resource_class"] for entry in self.nova_config()["pci"]["device_spec"]}, {"CUSTOM_NEW"})

    def test_without_a_card_there_is_nothing_for_nova_conf(self):
        """What is wrong is said in its place: nova-compute has not made the host's provider yet."""
        self.build_cards(self.kinds(2))
        self.options["root_provider_name"] = "not-there-yet"
        self.configure(self.kinds(2))
        done = self.agent.try_to("nova-config")
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertIn("the root provider not-there-yet is not in Placement: nova-compute has not made it yet", done.stderr)
        self.assertTrue(done.stderr.endswith("no card is known that has something for nova.conf\n"), done.stderr)

    def test_only_in_its_mode(self):
        self.options["mode"] = "owner"
        self.configure(self.kinds(2))
        done = self.agent.try_to("nova-config")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("[agent] mode is owner", done.stderr)

    def test_who_has_a_function(self):
        consumer = self.allocate_one()
        self.assertEqual(self.states(), {consumer: ["pending"]})
        self.define(consumer, FIRST[1], running=True)
        self.assertEqual(self.states(), {consumer: ["in use"]})
