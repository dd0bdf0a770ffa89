"""vgpu-agent sync and the commands around it: what they do, say, and end with."""
import os
import re
import uuid
import xml.etree.ElementTree

from support.case import SystemTest
from support.process import wait_for
from support.relay import CUT, Relay

ROOT = "virtlab606.example"
GPU_84, GPU_85 = "0000:84:00.0", "0000:85:00.0"
ROUNDS = 4


def child(gpu):
    return f"{ROOT}_pci_{gpu.replace(':', '_').replace('.', '_')}"


class CycleTest(SystemTest):
    """The host of Nova's guide with two GPUs in use, behind a relay."""

    def setUp(self):
        super().setUp()
        self.host = self.start_host("nova-guide")
        self.placement = self.start_placement()
        self.root = self.unique_root()
        self.relay = Relay(self.placement)
        self.addCleanup(self.relay.stop)
        self.configuration = {
            "agent": {"compute_id_file": self.root_file(), "release_grace": 0},
            "devices": {"enabled_mdev_types": ["nvidia-35"]},
            "mdev_nvidia-35": {"device_addresses": [GPU_84, GPU_85]}}
        self.agent = self.make_agent(self.host, self.relay, self.configuration)

    def unique_root(self):
        """One name can be one provider only, and the server may be shared."""
        root = str(uuid.uuid4())
        self.name = f"{root[:8]}.{ROOT}"
        self.placement.create_provider(self.name, root)
        return root

    def root_file(self):
        file = self.directory / "compute_id"
        file.write_text(self.root + "\n")
        return file

    def child_uuid(self, gpu):
        return self.placement.provider(child(gpu).replace(ROOT, self.name))["uuid"]

    def allocate(self, gpu, count=1):
        consumer = str(uuid.uuid4())
        self.placement.allocate(consumer, {self.child_uuid(gpu): {"VGPU": count}})
        return consumer


class TestOutage(CycleTest):
    def attempts(self, count):
        before = len(self.relay.requests)
        wait_for(lambda: len(self.relay.requests) >= before + count, f"{count} attempts", 60)

    def start_with_short_cycles(self):
        self.configuration["agent"]["sync_interval"] = 1
        self.agent.configure(self.configuration)
        self.agent.start()

    def of_the_tree(self, requests):
        return [request for request in requests if "in_tree=" in request.path]

    def test_the_return_costs_what_an_idle_cycle_does(self):
        """All hosts of a cloud come back in the same minute; then a part is compared, since the database may be another one."""
        self.start_with_short_cycles()
        wait_for(lambda: len(self.of_the_tree(self.relay.requests[-6:])) >= 4, "idle cycles")
        self.relay.rule = lambda request: CUT
        self.attempts(3)
        self.relay.rule = lambda request: None
        back = len(self.relay.requests)
        self.attempts(4)
        requests = [request for request in self.relay.requests[back:] if request.status]
        self.assertEqual([len(self.of_the_tree([request])) for request in requests[:3]], [1, 0, 1], requests)
        self.assertRegex(requests[1].path, "/(inventories|traits|allocations)$")

    def test_a_first_look_gets_further_each_time(self):
        """A Placement under the load of all hosts' start answers some of the requests, and fails others."""
        self.agent.run("sync")
        details = r"/resource_providers/[^/]*/(inventories|traits|allocations)$"
        failed = []

        def rule(request):
            if failed or not re.search(details, request.path) or len(asked()) != 5:
                return None
            failed.append(request)
            return 503, [], b""

        def asked():
            return [request.path for request in self.relay.requests[begun:] if re.search(details, request.path)]

        begun = len(self.relay.requests)
        self.relay.rule = rule
        self.start_with_short_cycles()
        wait_for(lambda: len(asked()) >= 8, "the rest")
        self.assertEqual(len(failed), 1)
        # Three of the first GPU and two of the second, of which the last failed; then all three of the second.
        first = asked()[:3]
        self.assertEqual([path for path in asked()[:8] if path in first], first)
        self.assertEqual(asked()[5:7], asked()[3:5])


class TestConflicts(CycleTest):
    def meddle(self, times):
        """Before so many of the agent's inventories arrive, somebody sets a trait."""
        self.placement.expect((201, 204), "PUT", "/traits/CUSTOM_MEDDLED")
        left = {"times": times}

        def rule(request):
            if (request.method == "PUT" and request.path.endswith("/inventories")
                    and left["times"] > 0):
                left["times"] -= 1
                provider = request.path.split("/")[2]
                traits = self.placement.traits(provider)
                # Set or taken away: either moves the generation.
                self.placement.set_traits(provider, traits ^ {"CUSTOM_MEDDLED"})
        self.relay.rule = rule

    def conflicts(self):
        return [r for r in self.relay.requests if r.status == 409]

    def test_are_mended_at_once(self):
        self.meddle(2)
        self.agent.run("sync")
        self.assertEqual(len(self.conflicts()), 2)
        for gpu in (GPU_84, GPU_85):
            self.assertEqual(
                self.placement.inventories(self.child_uuid(gpu))["VGPU"]["total"], 16)
            # What the other one set is still there.
            self.assertIn("CUSTOM_MEDDLED", self.placement.traits(self.child_uuid(gpu)))
        self.assertEqual(self.agent.run("sync"), "nothing to do\n")

    def test_without_end_are_given_up(self):
        self.meddle(1000)
        done = self.agent.try_to("sync")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("409", done.stderr)
        self.assertEqual(len(self.conflicts()), 2 * ROUNDS)


class TestExitStatus(CycleTest):
    def test_of_plan(self):
        self.assertGreater(len(self.agent.json("plan", status=2)["steps"]), 0)
        self.agent.run("sync")
        self.assertTrue(self.agent.is_idle())
        self.allocate(GPU_84)
        (step,) = self.agent.json("plan", status=2)["steps"]
        self.assertEqual(step["step"], "create_device")
        # It only looked.
        self.assertEqual(self.host.stores(), [])

    def test_when_placement_cannot_be_had(self):
        self.relay.rule = lambda request: (503, [], b"")
        for command in ("sync", "plan", "allocations", "tree"):
            self.agent.run(command, status=os.EX_UNAVAILABLE)
        self.relay.rule = lambda request: (401, [], b'{"error": {"code": 401, '
                                           b'"message": "who?", "title": "Unauthorized"}}')
        refused = self.agent.try_to("sync")
        self.assertEqual(refused.returncode, os.EX_NOPERM, refused.stderr)

    def test_of_an_allocation_that_cannot_be_met(self):
        self.agent.run("sync")
        unlucky, lucky = self.allocate(GPU_84), self.allocate(GPU_85)
        # An operator's device of another type takes the whole GPU.
        self.assertEqual(self.host.create(GPU_84, "nvidia-36", str(uuid.uuid4())), "OK")
        done = self.agent.try_to("sync")
        self.assertEqual(done.returncode, 1)
        self.assertIn(unlucky, done.stderr)
        states = {a["consumer"]: a["state"] for a in self.agent.json("allocations")}
        self.assertEqual(states, {unlucky: "failed", lucky: "ready"})
        self.assertEqual(self.agent.try_to("status").returncode, 1)

    def test_of_wrong_words(self):
        for words, meant in ((["alocations"], "allocations"), (["xml"], "CONSUMER"),
                             (["plan", "more"], "plan"), (["--format", "xml", "plan"],
                                                          "json")):
            done = self.agent.try_to(*words)
            self.assertEqual(done.returncode, os.EX_USAGE, words)
            self.assertIn(meant, done.stderr)

    def test_of_misspelt_options(self):
        for words, meant in ((["gpus", "--fromat", "json"], "did you mean --format?"),
                             (["--formt=json", "gpus"], "did you mean --format?"),
                             (["gpus", "-x"], "no option -x"), (["gpus", "--format"], "needs a value"),
                             (["gpus", "--help=x"], "takes no value"), (["status", "--wait", "3"], "no option --wait")):
            done = self.agent.try_to(*words)
            self.assertEqual(done.returncode, os.EX_USAGE, words)
            self.assertIn(meant, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)

    def test_options_stand_anywhere(self):
        before = self.agent.try_to("--format", "json", "gpus").stdout
        self.assertTrue(before.startswith("["))
        for words in (["gpus", "--format", "json"], ["gpus", "-f", "json"], ["-fjson", "gpus"]):
            self.assertEqual(self.agent.try_to(*words).stdout, before)

    def test_help_of_one_command(self):
        self.assertIn("restore [--wait SECONDS]", self.agent.try_to("help", "restore").stdout)
        for words in (["restore", "--help"], ["restore", "-h"], ["-h", "restore"]):
            self.assertEqual(self.agent.try_to(*words).stdout, self.agent.try_to("help", "restore").stdout)
        self.assertNotIn("auth_url", self.agent.try_to("--help").stdout)
        nothing = self.agent.try_to()
        self.assertEqual((nothing.returncode, nothing.stdout), (os.EX_USAGE, ""))
        # Three of them are the commands' names.
        self.assertLess(nothing.stderr.count("\n"), 6)


class TestConsumer(CycleTest):
    def test_devices_of_a_guest(self):
        self.agent.run("sync")
        consumer, other = self.allocate(GPU_84, 2), self.allocate(GPU_85)
        early = self.agent.try_to("xml", consumer)
        self.assertEqual(early.returncode, os.EX_TEMPFAIL, early.stderr)
        self.agent.run("sync")
        devices = sorted(u for u, (parent, _) in self.host.mdevs().items()
                         if parent == GPU_84)
        self.assertEqual(len(devices), 2)

        elements = xml.etree.ElementTree.fromstring(self.agent.run("xml", consumer.upper()))
        self.assertEqual(elements.tag, "devices")
        self.assertEqual([e.find("source/address").get("uuid") for e in elements], devices)
        for element in elements:
            self.assertEqual(element.attrib, {"mode": "subsystem", "type": "mdev", "managed": "no",
                                              "model": "vfio-pci", "display": "off"})
        self.assertEqual(
            self.agent.run("qemu-args", consumer).splitlines(),
            [f"-uuid {consumer}"] + [f"-device vfio-pci,sysfsdev=/sys/bus/mdev/devices/{d}" for d in devices])

        nobody = self.agent.try_to("qemu-args", str(uuid.uuid4()))
        self.assertEqual(nobody.returncode, 1)
        self.assertIn(consumer, nobody.stderr)
        self.assertIn(other, nobody.stderr)
        self.assertEqual(self.agent.try_to("xml", "server1").returncode, 1)


class TestTree(CycleTest):
    def test_all_of_it(self):
        numa = str(uuid.uuid4())
        self.placement.create_provider(f"{self.name}.numa", numa, self.root)
        self.agent.run("sync")
        self.allocate(GPU_84, 3)
        by_name = {p["name"]: p for p in self.agent.json("tree")}
        self.assertEqual(len(by_name), 4)
        gpu = by_name[child(GPU_84).replace(ROOT, self.name)]
        self.assertEqual(gpu["inventories"]["VGPU"],
                         {"total": 16, "used": 3, "reserved": 0})
        self.assertEqual(gpu["parent"], self.root)
        self.assertIn("CUSTOM_NVIDIA_35", gpu["traits"])
        self.assertIsNone(by_name[self.name]["parent"])
        # Children below their parents.
        lines = self.agent.run("tree").splitlines()
        self.assertTrue(lines[0].startswith(self.name))
        self.assertTrue(all(line.startswith("  ") for line in lines[1:]))
        self.assertTrue(any("VGPU: total 16, used 3, reserved 0" in line for line in lines))
