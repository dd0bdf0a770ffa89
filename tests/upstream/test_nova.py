"""The agent beside Nova on one tree, in both modes, on placementd and on OpenStack's Placement.

Nova is its own ResourceTracker, SchedulerReportClient, ProviderTree and libvirt driver (nova_host.py). Rounds are random with a
fixed seed, and what one side does also comes between two requests of the other.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from support.fleet import FleetTest, child_name, new_uuid  # noqa: E402
from support.host import HOSTS  # noqa: E402
from support.placement import own_placement, running_placement  # noqa: E402
from support.process import die_with_parent, wait_for  # noqa: E402

PYTHON = "/usr/bin/python3"  # Debian's modules are not in another one's path
NOVA = pathlib.Path("/usr/lib/python3/dist-packages/nova/compute/resource_tracker.py")
DRIVER = pathlib.Path(__file__).resolve().parent / "nova_host.py"
ROUNDS = 100
DAEMON_ROUNDS = 30
MARK = "CUSTOM_OWNER_VGPU_AGENT"
# What Nova and the agent are both told of a host with two GPUs of an M10, and an A40 of which two virtual functions are used.
TYPES = {
    "devices": {"enabled_mdev_types": ["nvidia-35", "nvidia-36", "nvidia-561"]},
    "mdev_nvidia-35": {"device_addresses": ["0000:84:00.0"]},
    "mdev_nvidia-36": {"device_addresses": ["0000:85:00.0"]},
    "mdev_nvidia-561": {"device_addresses": ["0000:41:00.4", "0000:41:00.5"]},
}
# By address: the trait of its type, and how many of it there are.
IN_NOVA_MODE = {"0000:84:00.0": ("CUSTOM_NVIDIA_35", 16), "0000:85:00.0": ("CUSTOM_NVIDIA_36", 16),
                "0000:41:00.4": ("CUSTOM_NVIDIA_561", 1), "0000:41:00.5": ("CUSTOM_NVIDIA_561", 1)}
IN_OWNER_MODE = {"0000:84:00.0": ("CUSTOM_NVIDIA_35", 16), "0000:85:00.0": ("CUSTOM_NVIDIA_36", 16),
                 "0000:41:00.0": ("CUSTOM_NVIDIA_561", 2)}


def host_of(vfs):
    """Two GPUs of an M10 and an A40."""
    guide, sriov = (json.loads((HOSTS / f"{name}.json").read_text()) for name in ("nova-guide", "sriov"))
    return {"models": {**guide["models"], **sriov["models"]},
            "cards": [*guide["cards"][:2], {**sriov["cards"][0], "numvfs": vfs}]}


class NovaError(Exception):
    """What went wrong, and what Nova wrote about it."""

    def lost_a_race(self):
        """OpenStack's Placement answers 500, not 409, to one of two PUTs of a provider's traits that overlap: Nova then
        gives up until its next cycle. Nothing that one writer does can spare the other this."""
        return "Got 500" in str(self) and "Another thread concurrently updated the resource provider" in str(self)


class Nova:
    """nova_host.py, and a guest's domain for each that it boots."""

    def __init__(self, directory, host, root_name, root_uuid, url, types):
        self.file = directory / "nova.conf"
        self.arguments = [PYTHON, "-I", "-W", "ignore", str(DRIVER), "--config-file", str(self.file), "--sysfs", str(host.root),
                          "--root", root_name, "--uuid", root_uuid]
        self.log = directory / "nova.log"
        self.url = url
        self.process = None
        self.lost_races = 0
        self.start(types)

    def start(self, types):
        """nova-compute with these [devices] and [mdev_*]."""
        self.stop()
        sections = {"DEFAULT": {"host": "compute1"},
                    "placement": {"auth_type": "admin_token", "endpoint": self.url, "token": "admin"}, **types}
        self.file.write_text("".join(
            f"[{section}]\n" + "".join(f"{option} = {','.join(value) if isinstance(value, list) else value}\n"
                                       for option, value in options.items())
            for section, options in sections.items()))
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                                            preexec_fn=die_with_parent)
        self.answer()

    def answer(self, said=0):
        """`said` is where in the log this began."""
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "nova_host.py ended"}
        if "error" in answer:
            raise NovaError(f"{answer['error']}\n{self.log.read_bytes()[said:].decode(errors='replace')}")
        return answer["result"]

    def __getattr__(self, verb):
        def ask(*arguments):
            said = self.log.stat().st_size
            self.process.stdin.write(json.dumps([verb, *arguments]) + "\n")
            self.process.stdin.flush()
            return self.answer(said)
        return ask

    def cycle(self):
        try:
            self.run_cycle()
        except NovaError as error:
            if not error.lost_a_race():
                raise
            self.lost_races += 1
            self.run_cycle()

    def stop(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait(20)
            self.process.stdout.close()
            self.process = None
        return 0


class BesideNova(FleetTest):
    """Each test runs on both servers; subclasses say on which."""

    def place(self):
        raise NotImplementedError

    def start_placement(self):
        return self.place()

    def setUp(self):
        super().setUp()
        if not NOVA.exists():
            self.skipTest(f"{NOVA} is not there: package python3-nova")
        self.random = random.Random(20261120)
        self.consumers = {}  # consumer: (provider's address, units)
        self.guests = {}  # consumer: (uuid of the guest, file of its domain)
        self.nova_traits = {}  # address: what Nova has set there
        self.vcpus = None  # what Nova has last set on the root
        self.warm = 0  # of Nova's cycles, those that knew the tree already

    def build_beside(self, mode, nova_types, vfs=8):
        """The host with nova-compute, which has not run yet, and the agent; each has a relay of its own to Placement."""
        self.mode = mode
        self.expected = IN_NOVA_MODE if mode == "nova" else IN_OWNER_MODE
        self.relayed = True
        self.root_uuid = new_uuid()
        self.build(host_of(vfs), TYPES, root="compute1.example", create_root="false", mode=mode)
        self.nova_relay = self.start_relay(self.placement)
        self.nova = Nova(self.subdirectory("nova"), self.host, self.root_name, self.root_uuid, self.nova_relay.url, nova_types)
        self.addCleanup(self.end, self.nova)
        self.addCleanup(self.forget_all)

    def forget_all(self):
        for consumer in self.consumers:
            self.forget(consumer)

    # What is seen.

    def name(self, address):
        return f"{self.root_name}_{child_name(address)}"

    def child_or_none(self, address):
        return self.placement.tree(self.root_uuid).get(self.name(address))

    def writes(self):
        """What the agent's requests other than GET were."""
        return [request for request in self.relay.requests if request.method != "GET"]

    def check_writes(self):
        """What the agent must never do, in all that it has done."""
        root = f"/resource_providers/{self.root_uuid}"
        children = {f"/resource_providers/{provider['uuid']}/traits"
                    for provider in self.placement.tree(self.root_uuid).values() if provider["uuid"] != self.root_uuid}
        for request in self.writes():
            self.assertFalse(request.path.startswith((root, "/allocations")), request)
            if self.mode == "nova":
                self.assertEqual(request.method, "PUT", request)
                self.assertTrue(request.path in children or request.path.startswith("/traits/"), request)

    def check_child(self, address):
        trait, total = self.expected[address]
        provider = self.child_or_none(address)["uuid"]
        traits = self.placement.traits(provider)
        self.assertLessEqual({trait} | self.nova_traits.get(address, set()), traits, address)
        types = {"CUSTOM_NVIDIA_35", "CUSTOM_NVIDIA_36", "CUSTOM_NVIDIA_561"}
        self.assertEqual(traits & types, {trait})
        self.assertEqual(MARK in traits, self.mode == "owner")
        inventory = self.placement.inventories(provider)["VGPU"]
        self.assertEqual((inventory["total"], inventory["reserved"], inventory["max_unit"]), (total, 0, total), address)

    def check_root(self):
        """What Nova has last written there."""
        inventories = self.placement.inventories(self.root_uuid)
        self.assertEqual(set(inventories), {"VCPU", "MEMORY_MB", "DISK_GB"})
        self.assertEqual(inventories["VCPU"]["total"], self.vcpus)
        self.assertFalse({trait for trait in self.placement.traits(self.root_uuid) if "VGPU_AGENT" in trait or "NVIDIA" in trait})

    def check_allocations(self):
        """Nobody's allocation is lost, nobody has two."""
        found = {}
        for address in self.expected:
            provider = self.child_or_none(address)["uuid"]
            allocations = self.placement.get(f"/resource_providers/{provider}/allocations")["allocations"]
            found |= {consumer: (address, allocation["resources"]["VGPU"]) for consumer, allocation in allocations.items()}
        self.assertEqual(found, self.consumers)

    # What happens.

    def agent_syncs(self, status=0):
        generation = self.placement.tree(self.root_uuid)[self.root_name]["generation"]
        self.agent.run("sync", status=status)
        self.assertEqual(self.placement.tree(self.root_uuid)[self.root_name]["generation"], generation)

    def nova_cycles(self):
        before = len(self.nova_relay.requests)
        self.nova.cycle()
        self.warm += not any("in_tree" in request.path for request in self.nova_relay.requests[before:])

    def nova_reads_again(self):
        self.nova.expire()
        self.nova.cycle()

    def nova_restarts(self):
        self.nova.restart()
        self.nova.cycle()

    def nova_changes_the_root(self):
        self.vcpus = self.random.randint(1, 64)
        self.nova.vcpus(self.vcpus)
        self.nova_cycles()

    def nova_sets_traits(self, address=None):
        """Those of its driver, OWNER_NOVA among them where it is Nova's child, and those of an operator's provider.yaml."""
        address = address or self.random.choice(list(self.expected))
        own = [f"CUSTOM_NOVA_{self.random.randint(1, 99)}"] + (["OWNER_NOVA"] if self.mode == "nova" else [])
        operators = [f"CUSTOM_SITE_{self.random.randint(1, 99)}"]
        self.nova.driver_traits(self.name(address), own)
        self.nova.provider_config(self.name(address), operators, [])
        if not self.nova.knows(self.name(address)):
            self.nova.expire()
        self.nova_cycles()
        self.nova_traits.setdefault(address, set()).update(own, operators)

    def scheduler_claims(self):
        address = self.random.choice(list(self.expected))
        consumer, units = new_uuid(), self.random.randint(1, 2)
        if not self.nova.claim(consumer, self.child_or_none(address)["uuid"], {"VGPU": units}):
            return
        self.consumers[consumer] = (address, units)
        if self.mode == "nova":
            devices = self.nova.boot(consumer)
            self.assertEqual(len(devices), units)
            self.guests[consumer] = consumer, self.agent.define_domain(consumer, devices)

    def server_is_deleted(self):
        if not self.consumers:
            return
        consumer = self.random.choice(list(self.consumers))
        guest, domain = self.guests.pop(consumer, (consumer, None))
        self.assertTrue(self.nova.delete(consumer, guest))
        del self.consumers[consumer]
        if domain:
            domain.unlink()

    def server_migrates(self):
        """Its allocation is the migration's from now on; the guest is still here."""
        if not self.consumers:
            return
        consumer, migration = self.random.choice(list(self.consumers)), new_uuid()
        self.assertTrue(self.nova.migrate(consumer, migration))
        self.consumers[migration] = self.consumers.pop(consumer)
        if consumer in self.guests:
            self.guests[migration] = self.guests.pop(consumer)

    EVENTS = (nova_cycles, nova_reads_again, nova_restarts, nova_changes_the_root, nova_sets_traits, scheduler_claims,
              scheduler_claims, server_is_deleted, server_migrates)

    def strip(self, address):
        """Somebody takes a trait of the agent's away by hand: the agent has something to write."""
        path = f"/resource_providers/{self.child_or_none(address)['uuid']}/traits"

        def strip():
            found = self.placement.get(path)
            found["traits"] = sorted(set(found["traits"]) - {self.expected[address][0]})
            return self.placement.request("PUT", path, found).status == 200
        wait_for(strip, "no other writer")

    def something(self):
        """(a child, what Nova is about to do, most often with it)"""
        address = self.random.choice(list(self.expected))
        event = self.random.choice((lambda: self.nova_sets_traits(address), lambda: self.random.choice(self.EVENTS)(self)))
        return address, event

    def between(self, relay, event):
        """Runs `event` once: before one of the next requests, or before the next that writes."""
        left = self.random.choice((None, self.random.randrange(20)))

        def rule(request):
            nonlocal event, left
            now = request.method != "GET" if left is None else left == 0
            if left is not None:
                left -= 1
            if now and event:
                run, event = event, None
                run()
        relay.rule = rule

    def sync_with_nova_in_between(self):
        address, event = self.something()
        failed = []

        def run():
            try:
                event()
            except Exception as error:  # pylint: disable=broad-except # in the relay's thread
                failed.append(error)
        self.strip(address)
        self.between(self.relay, run)
        done = self.agent.try_to("sync")
        self.relay.rule = lambda _: None
        self.assertEqual(failed, [])
        self.assertIn(done.returncode, (0, 1), done.stderr)

    def nova_with_sync_in_between(self):
        address, event = self.something()
        self.strip(address)
        self.between(self.nova_relay, lambda: self.agent.try_to("sync"))
        event()
        self.nova_relay.rule = lambda _: None

    def conflicts(self, relay):
        return sum(request.status == 409 for request in relay.requests)

    def rounds(self):
        kinds = [BesideNova.agent_syncs, BesideNova.agent_syncs, *self.EVENTS]
        kinds += [BesideNova.sync_with_nova_in_between, BesideNova.nova_with_sync_in_between] * 4
        for number in range(ROUNDS):
            kind = self.random.choice(kinds)
            with self.subTest(round=number, kind=kind.__name__):
                kind(self)

    def settle(self):
        for _ in range(4):
            if self.agent.try_to("sync").returncode == 0 and self.agent.is_idle():
                return
        self.fail(self.agent.try_to("sync").stderr + self.agent.try_to("plan").stdout)

    def check_end(self):
        self.nova_reads_again()
        self.settle()
        for address in self.expected:
            self.check_child(address)
        self.check_allocations()
        self.check_writes()
        self.check_root()
        print(f"{ROUNDS} rounds, {self.warm} of Nova's cycles with a warm cache; conflicts:", self.conflicts(self.relay),
              "of the agent,", self.conflicts(self.nova_relay), "of Nova")
        # Else nothing was shown.
        self.assertGreater(self.warm, ROUNDS / 10)
        self.assertGreater(self.conflicts(self.relay), 0)
        self.assertGreater(self.conflicts(self.nova_relay), 0)

    def reboot(self):
        """The kernel forgets all devices; those that a domain names are back before nova-compute starts, with nobody asked."""
        named = "".join(domain.read_text() for _, domain in self.guests.values())
        before = {mdev: place for mdev, place in self.host.mdevs().items() if mdev in named}
        for mdev in self.host.mdevs():
            self.assertEqual(self.host.remove(mdev), "OK")
        requests = len(self.relay.requests)
        self.agent.run("restore")
        self.assertEqual(self.host.mdevs(), before)
        self.assertGreater(len(before), 0)
        self.assertEqual(len(self.relay.requests), requests)
        self.nova_restarts()
        self.agent_syncs()

    def first_cycles(self):
        """The agent waits for the root."""
        done = self.agent.try_to("sync")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("is not in Placement: nova-compute", done.stdout + done.stderr)
        self.assertEqual(self.writes(), [])
        self.nova.cycle()

    def problems(self):
        return self.agent.json("status", status=1)["problems"]

    def assert_said(self, text):
        self.assertTrue(any(text in problem for problem in self.problems()), (text, self.problems()))

    def own_traits(self):
        """What the agent's state file has for its own, by provider."""
        state = json.loads(self.agent.state_file.read_text())
        return {entry["name"].removeprefix(self.root_name + "_"): set(entry["traits"]) for entry in state["providers"]}

    # The tests.

    def test_owner_mode(self):
        self.build_beside("owner", {})
        self.first_cycles()
        self.agent_syncs()
        self.rounds()
        self.check_end()
        devices = sum(units for _, units in self.consumers.values())
        self.assertEqual(len(self.host.mdevs()), devices)

    def test_nova_mode(self):
        self.build_beside("nova", TYPES)
        self.first_cycles()
        self.agent_syncs()
        for address in self.expected:
            self.nova_sets_traits(address)
        self.rounds()
        for traits in self.nova_traits.values():
            self.assertIn("OWNER_NOVA", traits)
        self.check_end()
        self.reboot()

    def beside_the_daemon(self, mode, nova_types):
        """Nobody waits for anybody, and the daemon is killed now and then."""
        self.build_beside(mode, nova_types)
        self.nova.cycle()
        self.agent.run("sync")
        daemon = self.agent.start()
        for number in range(DAEMON_ROUNDS):
            if number % 10 == 9:
                daemon.kill()
                daemon = self.agent.start()
            address, event = self.something()
            if number % 2:
                self.strip(address)
            with self.subTest(round=number):
                event()
        self.nova_reads_again()
        self.agent.settle()
        for address in self.expected:
            self.check_child(address)
        self.check_allocations()
        self.check_writes()
        print(f"{DAEMON_ROUNDS} rounds; conflicts:", self.conflicts(self.relay), "of the agent,",
              self.conflicts(self.nova_relay), "of Nova; Nova's races lost:", self.nova.lost_races)

    def test_the_daemon_in_owner_mode(self):
        self.beside_the_daemon("owner", {})

    def test_the_daemon_in_nova_mode(self):
        self.beside_the_daemon("nova", TYPES)

    def test_children_that_come_late_and_change(self):
        """nova-compute learns of types one after the other; then one is changed, and one dropped, in the file of both."""
        self.build_beside("nova", only(TYPES, "nvidia-35", "nvidia-36"))
        late = self.name("0000:41:00.4")
        self.agent.run("check-config")
        self.first_cycles()
        self.agent.run("sync", status=1)
        self.assert_said(f"{late}: nova-compute has not made it yet")
        self.agent.run("plan", status=1)
        self.nova.start(TYPES)
        self.nova.cycle()
        self.assertIn("set traits", self.agent.run("plan", status=2))
        self.agent_syncs()
        self.agent.run("plan")
        for address in self.expected:
            self.check_child(address)

        self.nova_sets_traits("0000:85:00.0")
        changed = {**{section.replace("nvidia-36", "nvidia-38"): options for section, options in TYPES.items()},
                   "devices": {"enabled_mdev_types": ["nvidia-35", "nvidia-38", "nvidia-561"]}}
        self.agent.configure({"agent": self.options, **changed})
        self.agent.run("sync", status=1)
        self.assert_said("nova-compute reports 16 of VGPU, the host offers 8")
        self.nova.start(changed)
        self.nova.cycle()
        self.agent_syncs()
        provider = self.child_or_none("0000:85:00.0")["uuid"]
        traits = self.placement.traits(provider)
        self.assertLessEqual({"CUSTOM_NVIDIA_38"} | self.nova_traits["0000:85:00.0"], traits)
        self.assertFalse({"CUSTOM_NVIDIA_36", "CUSTOM_GRID_M10_0Q", MARK} & traits)
        self.assertEqual(self.own_traits()["pci_0000_85_00_0"], traits - self.nova_traits["0000:85:00.0"])

        dropped = only(changed, "nvidia-35", "nvidia-561")
        self.agent.configure({"agent": self.options, **dropped})
        self.nova.start(dropped)
        self.nova.cycle()
        for _ in range(2):
            self.agent.run("sync", status=1)
        self.assertEqual(self.placement.traits(provider), self.nova_traits["0000:85:00.0"])
        self.assertNotIn("pci_0000_85_00_0", self.own_traits())
        self.assert_said(f"{self.name('0000:85:00.0')}: nova-compute reports it, but no type is configured for its GPU")
        self.check_writes()

    def test_a_card_with_fewer_devices_than_virtual_functions(self):
        """An A40 takes two of nvidia-565; nova-compute goes on reporting every virtual function that it once saw free."""
        types = {"devices": {"enabled_mdev_types": ["nvidia-565"]}}
        self.build_beside("nova", types, vfs=4)
        self.agent.configure({"agent": self.options, **types})
        self.nova.cycle()
        self.agent_syncs(status=1)
        self.assert_said("0000:41:00.0: nova-compute reports more virtual functions of it than it takes devices")
        functions = [f"0000:41:00.{function}" for function in range(4, 8)]
        for address in functions[:2]:
            consumer = new_uuid()
            self.nova.claim(consumer, self.child_or_none(address)["uuid"], {"VGPU": 1})
            self.consumers[consumer] = address, 1
            # While the guest is being built nothing else is wrong.
            self.agent.run("sync", status=1)
            self.assertEqual(self.states()[consumer], ["pending"])
            self.agent.define_domain(consumer, self.nova.boot(consumer), running=True)
        self.nova.cycle()
        self.agent.run("sync", status=1)
        self.assertEqual([self.states()[consumer] for consumer in self.consumers], [["in use"]] * 2)
        self.assert_said("0000:41:00.0: nova-compute reports more virtual functions of it than it takes devices")
        self.assertEqual(sum("more virtual functions" in problem for problem in self.problems()), 1)
        self.check_writes()
        # A nova-compute that starts now sees only the two.
        for address in functions[2:]:
            self.placement.expect(204, "DELETE", f"/resource_providers/{self.child_or_none(address)['uuid']}")
        self.nova.restart()
        self.nova.cycle()
        self.agent_syncs()

    def test_owner_mode_leaves_what_is_novas(self):
        """Both were given the types: the child that says so is left alone."""
        self.build_beside("owner", only(TYPES, "nvidia-35"))
        name = self.name("0000:84:00.0")
        self.nova.driver_traits(name, ["OWNER_NOVA"])
        self.nova.cycle()
        before = self.placement.tree(self.root_uuid)[name]
        self.agent.run("sync", status=1)
        self.assert_said("0000:84:00.0: it carries OWNER_NOVA")
        self.assertEqual(self.placement.tree(self.root_uuid)[name], before)
        self.assertFalse([request for request in self.writes() if before["uuid"] in request.path])
        self.check_writes()


def only(types, *names):
    """The options of these types alone."""
    return {"devices": {"enabled_mdev_types": list(names)},
            **{f"mdev_{name}": types[f"mdev_{name}"] for name in names}}


class OnPlacementd(BesideNova):
    def place(self):
        placement = own_placement(self.subdirectory("placement"))
        self.addCleanup(self.end, placement)
        return placement


class OnOpenStack(BesideNova):
    def place(self):
        placement = running_placement()
        if placement is None:
            self.skipTest("PLACEMENT_URL names no running OpenStack Placement")
        return placement


def load_tests(loader, *_):
    """Not those of the base."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in (OnPlacementd, OnOpenStack))


if __name__ == "__main__":
    unittest.main()
