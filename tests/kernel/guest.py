#!/usr/bin/env python3
"""Inside the guest: the agent and placementd on a real kernel's mediated devices. tests/kernel/run starts it.

Two cards are parents themselves (0000:00:04.0 and 0000:00:05.0), one has SR-IOV (0000:01:00.0, four virtual functions).
Each carries four devices of one type at a time. One more (0000:00:1e.0) has two functions in one IOMMU group and can only
be given away whole.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time
import unittest
import urllib.request
import uuid

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from support import SystemTest, process, wait_for  # noqa: E402
from support.fleet import device_uuid  # noqa: E402
from support.host import Host, store  # noqa: E402
from support.watched import name_and_state  # noqa: E402

process.PATIENCE, process.PAUSE = 60.0, 0.1  # an emulated processor
CARD, OTHER, SRIOV = "0000:00:04.0", "0000:00:05.0", "0000:01:00.0"
PARAMETERS = pathlib.Path("/sys/module/vgpu_sample/parameters")
ROOT = "guest.example"


def name_of(address):
    return "_pci_" + address.replace(":", "_").replace(".", "_")


def parameter(name, value):
    (PARAMETERS / name).write_text(str(value))


def virtual_functions(count):
    store(f"/sys/bus/pci/devices/{SRIOV}/sriov_numvfs", str(count))


def hang(address, how, file):
    """The reads of this file on a card, 1: until a signal, 2: whatever comes."""
    parameter("hang_slot", int(address[8:10], 16))
    parameter("hang_description", int(file == "description"))
    parameter("hang", how)


class Holder:
    """A process that has a device open through VFIO, as a virtual machine has."""

    def __init__(self, device):
        group = os.path.basename(os.readlink(f"/sys/bus/mdev/devices/{device}/iommu_group"))
        self.popen = subprocess.Popen([os.environ["HOLD"], group, device], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.popen.stdout.readline() != "held\n":
            raise AssertionError("vfio-hold could not open the device")

    def stop(self):
        self.popen.stdin.close()
        self.popen.stdout.close()
        return self.popen.wait()


class KernelTest(SystemTest):
    types = {"devices": {"enabled_mdev_types": ["nvidia-35"]}}

    def setUp(self):
        super().setUp()
        self.addCleanup(self.empty_host)
        self.host = Host("/sys")
        self.placement = self.start_placement()
        self.agent = self.make_agent(None, self.placement, self.configuration())

    def configuration(self):
        return {"agent": {"create_root": "true", "root_provider_name": ROOT, "sync_interval": 1, "release_grace": 0, "host_root": "/", "libvirt": "false"},
                **self.types}

    def empty_host(self):
        parameter("create_delay_ms", 0)
        parameter("create_errno", 0)
        parameter("hang", 0)
        for device in self.host.mdevs():
            self.host.remove(device)
        virtual_functions(0)

    def provider(self, address):
        return self.placement.provider(ROOT + name_of(address))["uuid"]

    def allocate(self, address, units=1):
        consumer = str(uuid.uuid4())
        self.placement.allocate(consumer, {self.provider(address): {"VGPU": units}})
        return consumer

    def totals(self):
        root = self.placement.provider(ROOT)["uuid"]
        return {name.removeprefix(ROOT + "_pci_"): self.placement.inventories(provider["uuid"]).get("VGPU", {}).get("total", 0)
                for name, provider in self.placement.tree(root).items() if name != ROOT}

    def states(self):
        return {row["consumer"]: row["state"] for row in self.agent.json("allocations")}

    def on(self, address):
        """The devices of one card, its virtual functions included."""
        return {device for device, (parent, _) in self.host.mdevs().items() if parent.rsplit(".", 1)[0] == address.rsplit(".", 1)[0]}


class Cards(KernelTest):
    def test_inventory(self):
        self.agent.run("sync")
        self.assertEqual(self.totals(), {"0000_00_04_0": 4, "0000_00_05_0": 4})
        self.agent.run("plan", status=0)

    def test_create_to_exhaustion_and_release(self):
        self.agent.run("sync")
        consumers = [self.allocate(CARD), self.allocate(CARD, 3)]
        self.agent.run("sync")
        self.assertEqual(len(self.on(CARD)), 4)
        self.assertEqual(self.host.available(CARD, "nvidia-35"), 0)
        self.assertEqual(self.totals()["0000_00_04_0"], 4)
        for consumer in consumers:
            self.placement.deallocate(consumer)
        self.agent.run("sync")
        self.agent.run("sync")
        self.assertEqual(self.on(CARD), set())

    def test_one_type_at_a_time(self):
        self.assertEqual(self.host.create(CARD, "nvidia-36", str(uuid.uuid4())), "OK")
        # What somebody else made leaves no room: it is done what can be, and said.
        self.assertIn("leave no room", self.agent.try_to("sync").stderr)
        self.assertEqual(self.totals()["0000_00_04_0"], 0)
        self.assertEqual(self.totals()["0000_00_05_0"], 4)
        self.assertEqual(len(self.on(CARD)), 1)

    def test_an_error_of_the_driver_is_said_and_heals(self):
        self.agent.run("sync")
        consumer = self.allocate(CARD)
        parameter("create_errno", 5)
        done = self.agent.try_to("sync")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Input/output error", done.stdout + done.stderr)
        parameter("create_errno", 0)
        self.agent.run("sync")
        self.assertEqual(self.states()[consumer], "ready")

    def test_a_slow_create_holds_up_nobody_else(self):
        self.agent.run("sync")
        self.agent.start()
        parameter("create_delay_ms", 4000)
        slow = self.allocate(CARD)
        wait_for(lambda: self.states()[slow] == "pending" and os.listdir("/sys/bus/mdev/devices"), "the slow create")
        parameter("create_delay_ms", 0)
        begin = time.monotonic()
        quick = self.allocate(OTHER)
        wait_for(lambda: self.states()[quick] == "ready", "the other card's device")
        self.assertLess(time.monotonic() - begin, 60)
        wait_for(lambda: self.states()[slow] == "ready", "the slow device")
        self.assertEqual(len(self.host.mdevs()), 2)

    def test_a_device_in_use_stays(self):
        self.agent.run("sync")
        consumer = self.allocate(CARD)
        self.agent.run("sync")
        device, = self.on(CARD)
        holder = Holder(device)
        self.assertEqual(self.states()[consumer], "in use")
        self.placement.deallocate(consumer)
        self.agent.run("sync")
        self.agent.run("sync")
        self.assertEqual(self.on(CARD), {device})
        holder.stop()
        self.agent.run("sync")
        self.assertEqual(self.on(CARD), set())

    def test_a_remove_that_blocks_blocks_nobody(self):
        self.agent.run("sync")
        first = self.allocate(CARD)
        self.agent.run("sync")
        device, = self.on(CARD)
        holder = Holder(device)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            blocked = pool.submit(self.host.remove, device)  # somebody else, by hand
            wait_for(lambda: device not in self.host.mdevs(), "the remove to begin")
            others = [self.allocate(OTHER), self.allocate(CARD)]
            self.agent.try_to("sync")
            self.agent.try_to("sync")
            self.assertEqual(len(self.on(OTHER)), 1)
            self.assertFalse(blocked.done())
            holder.stop()
            self.assertEqual(blocked.result(60), "OK")
        self.agent.run("sync")
        self.assertEqual({self.states()[c] for c in [first, *others]}, {"ready"})

    def test_a_card_that_goes_and_comes_back(self):
        self.agent.run("sync")
        consumer = self.allocate(CARD)
        self.agent.run("sync")
        before = self.on(CARD)
        store(f"/sys/bus/pci/devices/{CARD}/remove", "1")
        self.addCleanup(store, "/sys/bus/pci/rescan", "1")
        self.agent.try_to("sync")
        vgpu = self.placement.inventories(self.provider(CARD))["VGPU"]
        self.assertEqual(vgpu["reserved"], vgpu["total"])
        self.assertEqual(self.totals()["0000_00_05_0"], 4)
        store("/sys/bus/pci/rescan", "1")
        wait_for(lambda: self.host.parent(CARD).exists(), "the card")
        self.agent.run("sync")
        self.assertEqual(self.on(CARD), before)
        self.assertEqual(self.states()[consumer], "ready")
        self.assertEqual(self.placement.inventories(self.provider(CARD))["VGPU"]["reserved"], 0)

    def test_killed_and_started_again(self):
        self.agent.run("sync")
        consumers = [self.allocate(CARD) for _ in range(3)]
        self.agent.start()
        wait_for(lambda: len(self.on(CARD)) == 3, "the devices")
        before = self.host.mdevs()
        self.agent.daemon.kill()
        self.agent.start()
        wait_for(self.agent.is_idle, "a cycle")
        self.assertEqual(self.host.mdevs(), before)
        self.assertEqual({self.states()[c] for c in consumers}, {"ready"})

    def test_sixteen_creates_at_once(self):
        """Of one uuid the kernel makes one; of sixteen, as many as there is room for."""
        same = str(uuid.uuid4())
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            results = list(pool.map(lambda _: self.host.create(CARD, "nvidia-35", same), range(16)))
            others = list(pool.map(lambda _: self.host.create(OTHER, "nvidia-35", str(uuid.uuid4())), range(16)))
        self.assertEqual(sorted(results), ["EEXIST"] * 15 + ["OK"])
        self.assertEqual((len(others), others.count("OK")), (16, 4), others)

    def test_sixteen_agents_at_once(self):
        """Each with a state of its own, which the lock is for: all make the same devices, and nobody more."""
        self.agent.run("sync")
        consumers = {self.allocate(address): self.provider(address) for address in (CARD, OTHER) for _ in range(4)}
        agents = []
        for number in range(16):
            configuration = self.configuration()
            configuration["agent"]["state_file"] = str(self.subdirectory(f"agent{number}") / "state.json")
            agents.append(self.make_agent(None, self.placement, configuration))
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda agent: agent.try_to("sync"), agents))
        self.assertEqual(set(self.host.mdevs()), {device_uuid(provider, consumer, 0) for consumer, provider in consumers.items()})
        for agent in agents[:2]:
            agent.run("sync")
        self.assertEqual(set(self.states().values()), {"ready"})


class VirtualFunctions(KernelTest):
    def setUp(self):
        super().setUp()
        virtual_functions(4)

    def test_one_child_for_the_card(self):
        self.agent.run("sync")
        self.assertEqual(self.totals()["0000_01_00_0"], 4)

    def test_each_function_carries_one(self):
        self.agent.run("sync")
        self.allocate(SRIOV, 3)
        self.agent.run("sync")
        parents = [parent for parent, _ in self.host.mdevs().values()]
        self.assertEqual(len(set(parents)), 3)
        self.assertNotIn(SRIOV, parents)
        self.assertEqual(self.totals()["0000_01_00_0"], 4)

    def test_functions_made_again_under_the_agent(self):
        self.agent.run("sync")
        consumer = self.allocate(SRIOV, 2)
        self.agent.run("sync")
        before = set(self.host.mdevs())
        virtual_functions(0)
        self.assertEqual(self.host.mdevs(), {})
        self.agent.try_to("sync")
        virtual_functions(4)
        self.agent.run("sync")
        self.assertEqual(set(self.host.mdevs()), before)
        self.assertEqual(self.states()[consumer], "ready")


class Hanging(KernelTest):
    """The reading of a file of one card does not come back."""

    def configuration(self):
        given = super().configuration()
        given["agent"] |= {"listen": 0}
        return given

    def start(self):
        """Of the daemons that wrote into one log the last one's port."""
        starts = self.agent.daemon.output().count(" starts") if self.agent.daemon else 0
        daemon = self.agent.start()
        ports = wait_for(lambda: len(ports := re.findall(r"serves http.*:(\d+)/metrics", daemon.output())) > starts and ports, "its port")
        self.port = ports[-1]

    def serve(self, address):
        consumer = self.allocate(address)
        wait_for(lambda: self.states().get(consumer) == "ready", "the device")
        return consumer

    def vgpus(self, address):
        inventory = self.placement.inventories(self.provider(address))["VGPU"]
        return inventory["total"], inventory["reserved"]

    def hang(self, address, how, file):
        hang(address, how, file)
        wait_for(lambda: self.vgpus(address) == (4, 4), "the card to be held back")
        self.reason = f"its driver hangs: {file} does not answer"

    def readers(self):
        """By pid, the state that the kernel has each process in that reads sysfs for an agent."""
        found = {}
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            name, state = name_and_state(folder.name) or (None, None)
            if name == "vgpu-reader" and state != "Z":
                found[int(folder.name)] = state
        return found

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as page:
            return page.read().decode()

    def healths(self, **words):
        return {row["gpu"]: row["health"] for row in self.agent.json("status", **words)["gpus"]}

    def check_said(self, sick, well):
        status = self.agent.json("status", status=1)
        (problem,) = status["problems"]
        self.assertTrue(problem.startswith(f"{sick}: unreadable: {self.reason}"), problem)
        self.assertEqual({row["gpu"]: row["health"] for row in status["gpus"]}, {sick: "unreadable", well: "ok"})
        wait_for(lambda: re.search(rf'gpu_health{{gpu="{sick}",[^}}]*health="unreadable"}} 1\n', self.metrics()), "the alert")

    def check_command(self, *words, status=0):
        """Soon over, and it says what hangs."""
        began = time.monotonic()
        self.assertIn(self.reason, self.agent.run(*words, status=status))
        self.assertLess(time.monotonic() - began, 30)

    def forget(self):
        """What a daemon has noted, so that the next one to look sends a reader of its own."""
        notes = self.agent.state_file.with_name("state.json.hung")
        noted = notes.read_text()
        notes.unlink()
        return lambda: notes.write_text(noted)

    def test_whatever_comes(self):
        self.agent.run("sync")
        self.start()
        mine = self.serve(CARD)
        before = self.on(CARD)
        self.hang(CARD, 2, "available_instances")
        others = [self.serve(OTHER)]
        self.check_said(CARD, OTHER)
        # Killed, and started again; between, commands send nobody after the one that is stuck, if they know of it.
        self.agent.daemon.kill()
        for words, status in (["status"], 1), (["gpus"], 0), (["plan"], 1):
            self.check_command(*words, status=status)
        self.assertEqual(list(self.readers().values()), ["D"])
        remember = self.forget()
        self.check_command("gpus")
        self.assertEqual(list(self.readers().values()), ["D"] * 2)
        remember()
        self.start()
        others += [self.serve(OTHER)]
        self.check_said(CARD, OTHER)
        self.assertEqual(len(self.readers()), 3)
        # The driver lets go.
        parameter("hang", 0)
        wait_for(lambda: self.vgpus(CARD) == (4, 0), "the card to be back")
        wait_for(lambda: self.agent.try_to("status").returncode == 0, "all is well")
        self.assertEqual(self.on(CARD), before)
        self.assertEqual(self.states(), dict.fromkeys([mine, *others], "ready"))
        wait_for(lambda: len(self.readers()) == 1, "the readers to end")
        self.assertFalse(list(self.agent.state_file.parent.glob("*.hung")))

    def test_until_a_signal(self):
        """What does not differ from card to card is read on the first one only."""
        first, second = (name for name in os.listdir("/sys/class/mdev_bus") if name in (CARD, OTHER))
        self.agent.run("sync")
        self.start()
        self.hang(first, 1, "description")
        self.serve(second)
        self.check_said(first, second)
        # The next one, and a command, find out for themselves, and leave nobody behind.
        self.agent.daemon.kill()
        stuck = self.readers()
        self.assertEqual(list(stuck.values()), ["S"])
        self.forget()
        self.check_command("status", status=1)
        self.start()
        wait_for(lambda: len(self.readers()) == 3, "a reader beside two that are stuck")
        self.assertEqual(self.agent.stop(), 0)
        wait_for(lambda: self.readers() == stuck, "the readers to end")


class WholeCard(KernelTest):
    WHOLE, FUNCTIONS = "0000:00:1e.0", ("0000:00:1e.0", "0000:00:1e.1")
    types = {"devices": {"passthrough_addresses": WHOLE}}

    def setUp(self):
        super().setUp()
        self.addCleanup(self.give_back)
        self.agent.run("sync")
        self.consumer = str(uuid.uuid4())
        self.placement.allocate(self.consumer, {self.provider(self.WHOLE): {"PGPU": 1}})
        self.agent.run("sync")

    def give_back(self):
        for function in self.FUNCTIONS:
            store(f"/sys/bus/pci/devices/{function}/driver/unbind", function)
            store(f"/sys/bus/pci/devices/{function}/driver_override", "\n")
            store("/sys/bus/pci/drivers_probe", function)

    def drivers(self):
        """[(driver, override), ...]"""
        found = []
        for function in self.FUNCTIONS:
            folder = pathlib.Path("/sys/bus/pci/devices") / function
            driver = os.path.basename(os.readlink(folder / "driver")) if (folder / "driver").exists() else None
            found.append((driver, (folder / "driver_override").read_text().strip()))
        return found

    def assert_taken(self):
        self.assertEqual(self.drivers(), [("vfio-pci", "vfio-pci")] * 2)

    def test_both_functions_go_and_come_back(self):
        self.assert_taken()
        self.assertEqual(self.states(), {self.consumer: "ready"})
        inventory = self.placement.inventories(self.provider(self.WHOLE))["PGPU"]
        self.assertEqual((inventory["total"], inventory["reserved"]), (1, 0))
        # A guest opens both through their one group.
        groups = {os.readlink(f"/sys/bus/pci/devices/{f}/iommu_group") for f in self.FUNCTIONS}
        self.assertEqual(len(groups), 1)
        popen = subprocess.Popen([os.environ["HOLD"], os.path.basename(groups.pop()), self.FUNCTIONS[1]],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.assertEqual(popen.stdout.readline(), "held\n")
        self.placement.deallocate(self.consumer)
        for _ in range(3):
            self.agent.try_to("sync")
        self.assert_taken()
        popen.stdin.close()
        popen.stdout.close()
        popen.wait()
        for _ in range(2):
            self.agent.run("sync")
        self.assertEqual(self.drivers(), [("nvidia", "(null)")] * 2)
        self.agent.run("plan", status=0)

    def test_a_half_is_completed_or_taken_back(self):
        for override in ("vfio-pci", "\n"):
            store("/sys/bus/pci/drivers/vfio-pci/unbind", self.FUNCTIONS[0])
            store(f"/sys/bus/pci/devices/{self.FUNCTIONS[0]}/driver_override", override)
            self.agent.run("sync")
            self.assert_taken()
        self.placement.deallocate(self.consumer)
        store("/sys/bus/pci/drivers/vfio-pci/unbind", self.FUNCTIONS[0])
        store(f"/sys/bus/pci/devices/{self.FUNCTIONS[0]}/driver_override", "\n")
        self.agent.run("sync")
        self.assertEqual(self.drivers(), [("nvidia", "(null)")] * 2)
        self.agent.run("plan", status=0)


class Result(unittest.TextTestResult):
    """Shows what the programs said, while it is still there, and how long each test took."""

    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        self.stream.write(f"{time.monotonic() - self.began:.0f} s, ")
        super().addSuccess(test)

    def __init__(self, *words, **more):
        super().__init__(*words, **more)
        self.reasons = []

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.show(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self.show(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.note(subtest, err)

    def note(self, test, err):
        self.reasons.append(f"{test.id()}: {err[0].__name__}: {err[1]}".splitlines()[0][:200])

    def show(self, test, err):
        self.note(test, err)
        self.stream.writeln(self._exc_info_to_string(sys.exc_info(), test) if sys.exc_info()[0] else "")
        for log in sorted(getattr(test, "directory", pathlib.Path()).glob("*/*.log")):
            self.stream.writeln(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}")


def run_tests(module, words=(), before_the_end=lambda: None):
    """The exit status. What failed is told once more at the end, a line each, since a log is often cut to that; what
    `before_the_end` prints of a failure comes before it."""
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{word}*" for word in words] or None
    suite = loader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite)
    bad = len({test for test, _ in result.failures + result.errors})
    if bad:
        before_the_end()
    print("".join(f"FAILED {reason}\n" for reason in result.reasons[:25]), end="")
    print(f"{result.testsRun - bad - len(result.skipped)} passed, {bad} failed, {len(result.skipped)} skipped", flush=True)
    return 1 if bad or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(run_tests(sys.modules[__name__], sys.argv[1:]))
