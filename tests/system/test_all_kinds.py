"""A host with a card of each kind: they do not cost a request more than one, and none is in another's way."""
import os

from support.all_kinds import CARDS, HOST, provider_name, resource, sections
from support.crash import CHILD, PROGRAM, CrashPoint
from support.fleet import FleetTest, new_uuid
from support.pages import wait_for_cycles

STRIDE = 1 if "EXHAUSTIVE" in os.environ else 47
XE, SOUND = CARDS["b60-8g"], "0000:01:00.1"


class KindsTest(FleetTest):
    def setUp(self):
        super().setUp()
        self.build(HOST, sections(), listen="0", sync_interval=1)
        # The A100's instances, as its driver shows them.
        driver = self.agent.host_root / "proc/driver/nvidia"
        (driver / "gpus/0000:42:00.0").mkdir(parents=True)
        (driver / "gpus/0000:42:00.0/information").write_text("Device Minor: \t 0\n")
        for number in (1, 2, 3):
            (driver / f"capabilities/gpu0/mig/gi{number}").mkdir(parents=True)
        self.agent.run("sync")

    def allocate_one_of_each(self):
        """{type: consumer}"""
        tree = self.placement.tree(self.root())
        consumers = {name: new_uuid() for name in CARDS}
        for name, consumer in consumers.items():
            provider = tree[provider_name(self.root_name, name)]["uuid"]
            self.placement.allocate(consumer, {provider: {resource(name): 1}})
            self.addCleanup(self.forget, consumer)
        return consumers


class AllKinds(KindsTest):
    def test_an_idle_cycle_is_one_request(self):
        consumers = set(self.allocate_one_of_each().values())
        self.agent.start()
        address = self.agent.address()
        self.agent.settle()
        self.assertEqual(self.states(), {consumer: ["ready"] for consumer in consumers})
        # A cycle that was under way, and then ten: the turn through all providers.
        cycles, _ = wait_for_cycles(address, 0)
        first = wait_for_cycles(address, cycles + 2)
        last = wait_for_cycles(address, first[0] + 10)
        self.assertEqual(last[1] - first[1], last[0] - first[0])


class Together(KindsTest):
    """One device of each kind, made, kept and given back beside the others."""

    def look(self):
        """All that drivers have made, as sysfs shows it."""
        functions = self.host.root / "bus/pci/devices"
        shares = [tuple((self.host.function(XE) / f"sriov_admin/vf{n}/profile/{name}").read_text().strip()
                        for name in ("vram_quota", "exec_quantum_ms", "preempt_timeout_us")) for n in range(1, 8)]
        whole = {name: (os.path.basename(os.readlink(functions / name / "driver")),
                        (functions / name / "driver_override").read_text().strip())
                 for name in (CARDS["passthrough"], SOUND)}
        return {"mdevs": self.host.mdevs(), "vgpus": self.host.vgpus(), "shares": shares, "whole": whole}

    def devices(self):
        """{consumer: [device]}"""
        return {row["consumer"]: row["mdevs"] for row in self.agent.json("allocations") if row["units"]}

    def settle(self):
        """Whatever a killed child has left; the types of GVT-g are made in two rounds."""
        self.sync_until_idle(6)

    def begin(self):
        """Nothing was ever made; then all of it."""
        self.settle()
        self.empty = self.look()
        self.consumers = self.allocate_one_of_each()
        self.settle()
        self.assertEqual(self.states(), {consumer: ["ready"] for consumer in self.consumers.values()})
        self.full = self.look(), self.devices()

    def start_guests(self):
        for consumer, (device,) in self.full[1].items():
            self.agent.define_domain(consumer, [device, SOUND] if device == CARDS["passthrough"] else [device])

    def test_each_goes_alone(self):
        self.begin()
        left = dict(self.full[1])
        for consumer in self.consumers.values():
            self.placement.deallocate(consumer)
            self.settle()
            del left[consumer]
            self.assertEqual(self.devices(), left)
        self.assertEqual(self.look(), self.empty)

    def test_a_reboot(self):
        self.begin()
        self.start_guests()
        self.host.reboot()
        done = self.agent.try_to("restore")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual((self.look(), self.devices()), self.full)

    def test_a_state_file_that_is_lost(self):
        """Before a reboot or not: what the guests name is theirs again."""
        for reboots in (False, True):
            self.begin()
            self.start_guests()
            self.agent.state_file.unlink()
            self.host.control("forget")
            if reboots:
                self.host.reboot()
            self.settle()
            self.assertEqual((self.look(), self.devices()), self.full)
            if not reboots:
                self.assertEqual([s for s in self.host.stores() if not s["path"].endswith("vgpu_params")], [])
            self.agent.undefine_domains()
            for consumer in self.consumers.values():
                self.placement.deallocate(consumer)
            self.settle()

    def killed(self, begin, command, scope, expect):
        """At one call after the other; the next run ends as an undisturbed one."""
        crash, number = CrashPoint(self.directory), 1
        while True:
            for when in ("before", "after"):
                begin()
                if not crash.strike(self.agent, command, scope, number, when):
                    self.assertGreater(number, 1)
                    return
                with self.subTest(str(crash)):
                    if command == "restore":
                        self.agent.run("restore")
                        self.assertEqual(self.look(), expect())
                    self.settle()
                    self.assertEqual(self.look(), expect())
            number += STRIDE

    def release(self):
        self.begin()
        for consumer in self.consumers.values():
            self.placement.deallocate(consumer)
        self.sync()  # they are marked as released

    def test_killed_while_all_are_removed(self):
        self.killed(self.release, "sync", PROGRAM, lambda: self.empty)

    def test_a_child_killed_while_all_are_removed(self):
        self.killed(self.release, "sync", CHILD, lambda: self.empty)

    def test_killed_while_all_are_put_back(self):
        self.begin()
        self.killed(self.host.reboot, "restore", PROGRAM, lambda: self.full[0])

    def test_a_child_killed_while_all_are_put_back(self):
        self.begin()
        self.killed(self.host.reboot, "restore", CHILD, lambda: self.full[0])
