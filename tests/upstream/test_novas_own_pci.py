"""Mode nova-pci beside Nova's own classes: PciDevTracker, its parser of [pci] device_spec, and PCI in Placement.

Cuts, changes of mind, guests and reboots are random with a fixed seed. What `nova-config` prints is Nova's file; each function
that Nova's tracker then takes has the type, the class and the traits that the agent's file says.

Debian's Nova 26 has PCI in Placement, and takes `managed` and `live_migratable` for tags that it does not know, so that these
are looked at as they come out of its parser. It cannot read aliases with a resource class (2023.1): these are compared with what
Nova's documentation says of them.
"""
import json
import pathlib
import random
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from support.fleet import FleetTest, new_uuid  # noqa: E402
from support.host import load_description  # noqa: E402
from support.placement import own_placement, running_placement  # noqa: E402
from support.process import die_with_parent  # noqa: E402

PYTHON = "/usr/bin/python3"  # Debian's modules are not in another one's path
NOVA = pathlib.Path("/usr/lib/python3/dist-packages/nova/compute/pci_placement_translator.py")
DRIVER = pathlib.Path(__file__).resolve().parent / "novas_pci.py"
CARDS = ("0000:41:00.0", "0000:42:00.0")
FUNCTIONS = 8
# By number: the type's name, and how many of it a card takes.
TYPES = {"1147": ("NVIDIA L40S-1Q", 8), "1152": ("NVIDIA L40S-8Q", 6), "1153": ("NVIDIA L40S-12Q", 4), "1156": ("NVIDIA L40S-48Q", 1)}
MANAGED = "COMPUTE_MANAGED_PCI_DEVICE"


def trait(text):
    return "CUSTOM_" + text.upper().replace(" ", "_").replace("-", "_")


def functions_of(card):
    bus = card.rpartition(":")[0]
    return [f"{bus}:{(4 + number) // 8:02x}.{(4 + number) % 8}" for number in range(FUNCTIONS)]


def card_of(function):
    return function.rpartition(":")[0] + ":00.0"


class Nova:
    """novas_pci.py, with what the agent prints in its nova.conf."""

    def __init__(self, directory, root_name, root_uuid, url):
        self.file = directory / "nova.conf"
        self.log = directory / "nova.log"
        self.url = url
        self.write("")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [PYTHON, "-I", "-W", "ignore", str(DRIVER), "--config-file", str(self.file), "--root", root_name, "--uuid",
                 root_uuid], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, preexec_fn=die_with_parent)
        self.answer()

    def write(self, printed):
        self.file.write_text("[DEFAULT]\nhost = compute1\n[placement]\nauth_type = admin_token\ntoken = admin\n"
                             f"endpoint = {self.url}\n{printed}")

    def answer(self):
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "novas_pci.py ended"}
        if "error" in answer:
            raise AssertionError(f"{answer['error']}\n{self.log.read_text(errors='replace')[-3000:]}")
        return answer["result"]

    def __getattr__(self, verb):
        def ask(*arguments):
            self.process.stdin.write(json.dumps([verb, *arguments]) + "\n")
            self.process.stdin.flush()
            return self.answer()
        return ask

    def stop(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()
        return 0


class BesideNovasPci(FleetTest):
    """Each test runs on both servers; subclasses say on which."""

    def place(self):
        raise NotImplementedError

    def start_placement(self):
        return self.place()

    def setUp(self):
        super().setUp()
        if not NOVA.exists():
            self.skipTest(f"{NOVA} is not there: package python3-nova")
        self.guests = {}  # consumer: (function, its type then, file of its domain, resource class)
        self.wanted = {}  # card: (number, how many, whether by name, more options)
        description = load_description("vendor-vfio")
        description["models"]["L40S"]["sriov"]["total"] = FUNCTIONS
        description["cards"] = [{**description["cards"][0], "count": len(CARDS), "numvfs": FUNCTIONS}]
        self.root_uuid = new_uuid()
        self.build(description, {}, root="compute1.example", create_root="false", mode="nova-pci")
        self.nova = Nova(self.subdirectory("nova"), self.root_name, self.root_uuid, self.placement.url)
        self.addCleanup(self.end, self.nova)
        self.addCleanup(self.delete_all)
        self.nova.start([])
        self.nova.run_cycle()

    def delete_all(self):
        for consumer in list(self.guests):
            self.placement.request("DELETE", f"/allocations/{consumer}")

    # What happens.

    def change_the_file(self):
        """A type for each card; each type with a section of its own."""
        for card in CARDS:
            if card in self.wanted and self.random.random() < 0.5:
                continue
            number = self.random.choice(list(TYPES))
            same = [self.wanted[other] for other in self.wanted if other != card and self.wanted[other][0] == number]
            self.wanted[card] = same[0] if same else (
                number, self.random.choice((None, *range(1, FUNCTIONS + 1))), self.random.random() < 0.5,
                {"live_migratable": self.random.choice(("true", "false")),
                 **({"traits": "CUSTOM_GOLD"} if self.random.random() < 0.3 else {}),
                 **({"mdev_class": f"CUSTOM_OF_{number}"} if self.random.random() < 0.3 else {})})
        if self.random.random() < 0.15:
            del self.wanted[self.random.choice(list(self.wanted))]
        sections = {}
        for card, (number, count, by_name, more) in sorted(self.wanted.items()):
            written = TYPES[number][0] if by_name else f"nvidia-{number}"
            section = sections.setdefault(f"mdev_{written}", {"device_addresses": [], **more})
            section["device_addresses"].append(card)
            if count:
                section["max_instances"] = count
        self.agent.configure({"agent": self.options, "devices": {"enabled_mdev_types": [name[5:] for name in sections]}, **sections})

    def boot_a_guest(self):
        taken = self.nova.taken()
        free = sorted(set(taken) - {function for function, *_ in self.guests.values()})
        if not free:
            return
        function, consumer = self.random.choice(free), new_uuid()
        provider = self.provider(card_of(function))
        self.assertTrue(self.nova.claim(consumer, provider["uuid"], {taken[function]["resource_class"]: 1}))
        self.nova.assign(consumer, function)
        domain = self.agent.define_domain(consumer, [])
        address = dict(zip(("domain", "bus", "slot", "function"), function.replace(".", ":").split(":")))
        domain.write_text(domain.read_text().replace("<devices>", (
            "<devices><hostdev mode='subsystem' type='pci' managed='no'><source><address "
            + " ".join(f"{part}='0x{value}'" for part, value in address.items()) + "/></source></hostdev>")))
        self.guests[consumer] = function, self.host.current_type(function), domain, taken[function]["resource_class"]

    def delete_a_guest(self):
        if not self.guests:
            return
        consumer = self.random.choice(list(self.guests))
        self.guests.pop(consumer)[2].unlink()
        self.assertTrue(self.nova.delete(consumer))

    def reboot(self):
        """The types are gone; they are back before nova-compute and guests start."""
        before = self.host.vgpus()
        self.host.reboot()
        self.assertEqual(self.host.vgpus(), {})
        self.agent.try_to("restore")
        after = self.host.vgpus()
        self.assertEqual({function: after.get(function) for function in before}, before)
        self.reboots += 1

    def sync(self):
        for _ in range(4):
            self.agent.try_to("sync")
            if self.agent.is_idle():
                return
        self.fail(self.agent.try_to("plan").stdout)

    def novas_part(self):
        """Of no card at all there is none, and that is said."""
        if self.wanted or self.host.vgpus():
            return self.agent.run("nova-config")
        done = self.agent.try_to("nova-config")
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        return ""

    def nova_starts(self):
        self.nova.write(self.novas_part())
        self.nova.start([[function, parent] for card in CARDS
                         for function, parent in [(card, None), *((vf, card) for vf in functions_of(card))]])
        self.nova.run_cycle()

    # What must be.

    def provider(self, card):
        return self.placement.tree(self.root_uuid).get(f"{self.root_name}_{card.upper()}")

    def check_guests(self):
        for function, number, *_ in self.guests.values():
            self.assertEqual(self.host.current_type(function), number)

    def check_card(self, card, taken):
        """What the file says, unless guests of another type are there still."""
        numbers = {self.host.current_type(function) for function in taken}
        provider = self.provider(card)
        wanted = self.wanted.get(card)
        held = {number for function, number, *_ in self.guests.values() if card_of(function) == card}
        classes = {resource_class for function, *_, resource_class in self.guests.values() if card_of(function) == card}
        self.assertLessEqual(len(numbers), 1, "one type a card")
        if held:
            self.assertEqual(numbers, held)
            self.kept += not wanted or wanted[0] not in held
        if not held and not wanted:
            self.assertEqual((taken, provider), ({}, None))
        if wanted and (not held or wanted[0] in held):
            number, count, by_name, more = wanted
            most = min(count or FUNCTIONS, TYPES[number][1])
            self.assertEqual(numbers, {number})
            if not held:
                self.assertEqual(list(taken), functions_of(card)[:most])
            self.assertGreaterEqual(len(taken), most)
            name = TYPES[number][0] if by_name else f"nvidia-{number}"
            traits = {trait(TYPES[number][0]), trait(f"nvidia-{number}"), *more.get("traits", "").split()}
            for tags in taken.values():
                self.assertEqual({tags["resource_class"]}, classes or {more.get("mdev_class", trait(name))})
                self.assertEqual(set(tags["traits"].split(",")), traits)
                self.assertEqual(tags["managed"], "no")
                self.assertEqual(tags.get("live_migratable") == "yes", more["live_migratable"] == "true")
            self.checked += len(taken)
            self.assertEqual(self.placement.traits(provider["uuid"]), traits | {MANAGED})
        if taken:
            inventories = self.placement.inventories(provider["uuid"])
            self.assertEqual({name: found["total"] for name, found in inventories.items()},
                             {next(iter(taken.values()))["resource_class"]: len(taken)})

    def check(self):
        taken = self.nova.taken()
        self.check_guests()
        self.assertEqual(set(taken), set(self.host.vgpus()))
        for card in CARDS:
            self.check_card(card, {function: taken[function] for function in functions_of(card) if function in taken})

    def rounds(self, count, seed):
        self.random = random.Random(seed)
        self.kept = self.checked = self.reboots = 0
        for number in range(count):
            with self.subTest(number, wanted=self.wanted):
                for event in self.random.choices((self.change_the_file, self.boot_a_guest, self.delete_a_guest, self.reboot),
                                                 (4, 3, 2, 1), k=2):
                    event()
                self.sync()
                self.nova_starts()
                self.check()
        print(f"# {self.checked} functions with what the file says, {self.kept} cards kept for guests, {self.reboots} reboots")
        self.assertGreater(min(self.checked, self.kept, self.reboots), 0)

    def random_address(self):
        """As operators write them, right and wrong."""
        choice = self.random.choice

        def part(words, absent=("", "*")):
            return choice((*words, *absent))
        glob = ":".join((part(("0000", "0", "0001")), part(("41", "42", "*")), part(("00", "01", "0", "1f"))))
        return choice((
            lambda: choice(functions_of(choice(CARDS))), lambda: choice(CARDS),
            lambda: f"{glob}.{part(('0', '4', '5', '7'))}", lambda: choice(("*:41:*.*", "41:00.4", ":42:", "00.5", ".6", "", "*")),
            lambda: {name: choice(words) for name, words in (
                ("domain", (".*", "0000", "1.*")), ("bus", ("41", "4[12]", "4", ".*2")), ("slot", ("00", "0[01]", "01")),
                ("function", ("[4-6]", "7", "[0-3]", ".*", "4|5"))) if self.random.random() < 0.8},
            lambda: choice(("0000:41:00.8", "0000:41:20.0", "0:0000:41:00.4", "gg:00.1", "0000:41:00.4.5", "41:0x.1"))))()

    def named_by_agent(self, typed):
        """From check-config's lines; None: it refuses the file as nova-compute does."""
        lines = [row["text"] for row in json.loads(self.agent.try_to("--format", "json", "check-config").stdout)]
        if any("nova-compute refuses" in line for line in lines):
            return None
        named = set(typed)
        for line in lines:
            if "device_spec: does not name " in line:
                named -= set(line.split("does not name ")[1].split(", which ")[0].split(", "))
            elif "device_spec: names the card " in line:
                named.add(line.split("names the card ")[1].split()[0])
            elif "device_spec: names " in line:
                named |= set(line.split("device_spec: names ")[1].split(" of 0000:")[0].split(", "))
        return named

    def device_spec_is_read_alike(self, count):
        self.random = random.Random(6)
        types = {"devices": {"enabled_mdev_types": ["nvidia-1153"]}, "mdev_nvidia-1153": {"device_addresses": list(CARDS), "max_instances": 2}}
        self.agent.configure({"agent": self.options, **types})
        self.sync()
        typed = self.host.vgpus()
        devices = [[function, parent] for card in CARDS
                   for function, parent in [(card, None), *((vf, card) for vf in functions_of(card))]]
        refused = some = 0
        for number in range(count):
            specs = [{"address": self.random_address(), **({"vendor_id": "10de"} if self.random.random() < 0.3 else {})}
                     for _ in range(self.random.randint(1, 2))]
            with self.subTest(number, specs=specs):
                written = "[pci]\nreport_in_placement = true\n" + "".join(f"device_spec = {json.dumps(spec)}\n" for spec in specs)
                self.agent.configure({"agent": self.options, **types})
                self.agent.file.write_text(self.agent.file.read_text() + "\n" + written)
                self.nova.write(written)
                self.nova.forget()
                try:
                    self.nova.start(devices)
                    taken = set(self.nova.taken())
                except AssertionError as error:
                    self.assertIn("PciConfigInvalidSpec", str(error).replace("PciDeviceWrongAddressFormat", "PciConfigInvalidSpec"))
                    taken = None
                refused += taken is None
                some += bool(taken) and len(taken) < len(devices)
                self.assertEqual(self.named_by_agent(typed), taken)
        self.assertGreater(min(refused, some), count / 10)

    def foreign_traits_do_not_last(self):
        """Why the agent leaves traits to device_spec: this is Nova's doing, and no wish of the agent's."""
        self.wanted = {CARDS[0]: ("1153", 2, False, {"live_migratable": "false"})}
        self.agent.configure({"agent": self.options, "devices": {"enabled_mdev_types": ["nvidia-1153"]},
                              "mdev_nvidia-1153": {"device_addresses": CARDS[0], "max_instances": 2}})
        self.sync()
        self.nova_starts()
        provider = self.provider(CARDS[0])["uuid"]
        before = self.placement.traits(provider)
        self.placement.expect((201, 204), "PUT", "/traits/CUSTOM_FOREIGN")
        self.placement.set_traits(provider, before | {"CUSTOM_FOREIGN"})
        self.nova.expire()
        self.nova.run_cycle()
        self.assertEqual(self.placement.traits(provider), before)


class OnPlacementd(BesideNovasPci):
    def place(self):
        placement = own_placement(self.subdirectory("placement"))
        self.addCleanup(self.end, placement)
        return placement

    def test_50_cuts_changes_of_mind_and_reboots(self):
        self.rounds(50, 1)

    def test_50_more(self):
        self.rounds(50, 2)

    def test_another_50(self):
        self.rounds(50, 3)

    def test_yet_another_50(self):
        self.rounds(50, 4)

    def test_device_spec_is_read_as_nova_reads_it(self):
        self.device_spec_is_read_alike(120)

    def test_others_traits_on_novas_providers_do_not_last(self):
        self.foreign_traits_do_not_last()


class OnOpenStacksPlacement(BesideNovasPci):
    def place(self):
        placement = running_placement()
        if not placement:
            self.skipTest("PLACEMENT_URL names no running OpenStack Placement")
        return placement

    def test_cuts_changes_of_mind_and_reboots(self):
        self.rounds(30, 5)

    def test_others_traits_on_novas_providers_do_not_last(self):
        self.foreign_traits_do_not_last()


def load_tests(loader, *_):
    """Not those of the base."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in (OnPlacementd, OnOpenStacksPlacement))


if __name__ == "__main__":
    unittest.main()
