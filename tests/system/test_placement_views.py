"""What a Placement may show that is not how things are: more than fits, half of it, nothing
for a long time, what was true a while ago, and nothing of what was there."""
import pathlib
import re
import shutil
import signal

from support import wait_for
from support.answers import raw
from support.files import replace
from support.fleet import GUIDE_TYPES, FleetTest, child_name, new_uuid
from support.placement import own_placement, start_placement
from support.process import TOP, preloaded, sanitized
from support.relay import STALL

A, B, C = "0000:84:00.0", "0000:85:00.0", "0000:86:00.0"


class Memory(FleetTest):
    """The unit's MemoryMax holds for whatever is sent."""
    relayed = True

    def peak(self):
        """What the daemon has needed at most so far, in bytes."""
        status = pathlib.Path(f"/proc/{self.agent.daemon.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) << 10

    def wake(self):
        self.agent.daemon.popen.send_signal(signal.SIGUSR1)

    def answers(self):
        """How often it has asked for the tree."""
        return sum("in_tree" in r.path for r in self.relay.requests)

    def test_no_reply_takes_what_the_unit_may_not_have(self):
        unit = (TOP / "etc/systemd/vgpu-agent.service").read_text()
        bound = int(re.search(r"(?m)^MemoryMax=(\d+)M$", unit)[1]) << 20
        self.build_guide()
        self.agent.run("sync")
        members = ",".join(f'"{n:x}":{n}' for n in range(63_000))
        names = ",".join(f'"{n:064}"' for n in range(60_000))
        link = '{"rel":"x","href":"%s"}'
        replies = {
            "objects": "[" + ",".join(["{}"] * 15_999) + "]",
            "objects in objects": "[" + ",".join(['{"a":[1,2]}'] * 15_900) + "]",
            "members": "{" + members + "}",
            "strings": "[" + names[:4_000_000].rpartition(",")[0] + "]",
            "one string": '"' + "x" * 4_100_000 + '"',
            "links": "[" + ",".join([link % ("y" * 230)] * 15_000) + "]",
            "one more": "[" + ",".join(["{}"] * 16_001) + "]",
            "much more": "[" + "1," * 550_000 + "1]",
        }
        self.agent.start()
        wait_for(self.answers, "the first cycle")
        for what, body in replies.items():
            self.relay.requests.clear()
            self.relay.rule = lambda request, body=body.encode(): \
                raw(body) if "in_tree" in request.path else None
            # Where a second one begins, the first one's has been taken.
            wait_for(lambda: self.answers() > 1 or self.wake(), what, patience=30)
            if not sanitized("vgpu-agent"):
                self.assertLess(self.peak(), bound, what)


class Watched(FleetTest):
    """The daemon, all of whose requests are seen, and whose clocks can be set."""
    relayed = True

    def build_watched(self, **options):
        self.build("nova-guide", {**GUIDE_TYPES, "placement": {"timeout": 1}}, **options)
        self.steps = self.directory / "steps"
        self.step(0, 0)
        self.agent.environment = preloaded("clock_step", CLOCK_STEP=self.steps)
        self.start()
        self.settle()

    def start(self):
        log = self.agent.directory / "daemon.log"
        starts = log.read_text().count(" starts") if log.exists() else 0
        self.agent.start()
        # Before that it does not know what to do with a signal.
        wait_for(lambda: log.read_text().count(" starts") > starts, "the daemon")

    def step(self, day, boot):
        """Sets the time of day and CLOCK_BOOTTIME so many seconds ahead."""
        replace(self.steps, f"{day} {boot}\n")

    def settle(self):
        self.agent.settle()
        wait_for(lambda: self.agent.try_to("status").returncode == 0, "all is well")

    def some_cycles(self, count=3):
        """One less has come to its end since: where another begins, one has ended."""
        for _ in range(count):
            before = len(self.relay.requests)
            self.agent.daemon.popen.send_signal(signal.SIGUSR1)
            wait_for(lambda seen=before: len(self.relay.requests) > seen, "a cycle")

    def with_device(self, gpu, server=None):
        server = self.allocate(gpu, consumer=server)
        (device,) = self.devices_of(gpu, server)
        wait_for(lambda: device in self.host.mdevs(), f"the device on {gpu}")
        return server, device


class Departures(Watched):
    def test_they_are_seen_on_a_busy_host(self):
        """Where in every cycle something has changed and is to be done, a DELETE, which
        raises no generation, is seen within as many cycles as there are GPUs, and one."""
        self.build_watched(release_grace=0)
        visitors, looks = [], []

        def another_visitor(request):
            if "in_tree" in request.path:
                looks.append(request)
                if visitors:
                    self.placement.deallocate(visitors[-1])
                visitors.append(self.allocate(C))
        devices = {}
        for gpu in (A, B):
            devices.update([self.with_device(gpu)])
        self.relay.rule = another_visitor
        for server, device in devices.items():
            wait_for(lambda: len(visitors) > 2, "a busy host")
            self.placement.deallocate(server)
            looks.clear()
            wait_for(lambda gone=device: gone not in self.host.mdevs(), "the departure")
            # Each cycle looks twice: when it finds that there is something to do, again.
            self.assertLessEqual(len(looks), 2 * (3 + 1) + 1)


class OlderViews(Watched):
    """A read replica that lags."""

    def record(self, seen):
        def rule(request):
            if request.method != "GET":
                return None
            answer = request.pass_on()
            seen[request.path] = answer
            return answer
        return rule

    def test_one_that_comes_and_goes_changes_nothing(self):
        self.build_watched(release_grace=0)
        old, server = {}, self.with_device(B)[0]
        self.relay.rule = self.record(old)
        wait_for(lambda: any("in_tree" in path for path in old), "a look")
        # What the agent reads anew when it comes to need it.
        for child in (self.child(gpu) for gpu in (A, B, C)):
            for part in ("inventories", "traits", "allocations"):
                path = f"/resource_providers/{child}/{part}"
                answer = self.placement.request("GET", path)
                old[path] = (answer.status, answer.headers.items(), answer.body.encode())
        self.relay.rule = lambda request: None
        late, device = self.with_device(A)
        before = self.host.mdevs()
        writes = len([r for r in self.relay.requests if r.method != "GET"])
        self.relay.rule = lambda request: old.get(request.path)
        self.agent.daemon.wait_for_output("Placement shows less than it has shown before")
        self.some_cycles(4)
        self.assertEqual(self.host.mdevs(), before)
        self.assertEqual(len([r for r in self.relay.requests if r.method != "GET"]), writes)
        self.relay.rule = lambda request: None
        another = self.with_device(A)[1]
        self.assertEqual(set(self.host.mdevs()), {*before, another})
        self.settle()
        self.assertEqual({state for server in (server, late)
                          for state in self.states()[server]}, {"ready"})
        self.assertIn(device, self.host.mdevs())

    def test_half_of_an_answer_and_then_silence(self):
        """Of a provider that is read in three requests; and nothing is held up by it."""
        self.build_watched(release_grace=0)
        first = self.with_device(B)[1]
        before = self.host.mdevs()
        for silent in ("inventories", "traits", "allocations"):
            self.relay.rule = lambda request, silent=silent: \
                STALL if request.path.endswith(silent) else None
            server = self.allocate(A)
            self.agent.daemon.wait_for_output(f"/{silent}: ")
            self.some_cycles()
            self.assertEqual(self.host.mdevs(), before)
            self.relay.rule = lambda request: None
            (device,) = self.devices_of(A, server)
            wait_for(lambda made=device: made in self.host.mdevs(), "the device", 30)
            self.assertIn(first, self.host.mdevs())
            before = self.host.mdevs()
        self.relay.rule = lambda request: STALL
        self.some_cycles(2)
        self.assertEqual(self.host.mdevs(), before)
        self.assertEqual(self.agent.stop(), 0)


class AnotherDatabase(Watched):
    def setUp(self):
        super().setUp()
        self.build_watched(release_grace=2)
        if not self.placement.is_own:
            self.skipTest("a shared Placement is not emptied")

    def replace(self):
        """The same address, another server with an empty database."""
        self.placement = own_placement(self.subdirectory(f"placement-{new_uuid()}"))
        self.addCleanup(self.end, self.placement)
        self.relay.placement = self.placement

    def begin_again(self, how):
        if how == "reload":
            self.replace()
            self.agent.run("reload")
            return
        if how == "stopped":
            self.assertEqual(self.agent.stop(), 0)
        else:
            self.agent.daemon.kill()
        self.replace()
        self.start()

    def has_doubts(self):
        return "Placement shows less than it has shown before (" in self.agent.try_to("status").stdout

    def check_kept(self, device):
        """The minute of doubt, which nothing cuts short, and the hour after it."""
        wait_for(self.has_doubts, "the doubts", 30)
        self.some_cycles(4)
        self.agent.run("reload")
        self.some_cycles(4)
        self.assertTrue(self.has_doubts())
        self.assertIsNone(self.placement.provider(self.root_name))
        self.assertIn(device, self.host.mdevs())
        self.boot += 61
        self.step(0, self.boot)
        self.agent.daemon.popen.send_signal(signal.SIGUSR1)
        wait_for(lambda: self.placement.provider(self.root_name) and len(self.totals()) == 3,
                 "the providers", 30)
        self.boot += 600
        self.step(0, self.boot)
        self.some_cycles()
        self.agent.daemon.kill()
        self.start()
        self.some_cycles(4)
        self.assertIn(device, self.host.mdevs())
        self.assertIn("are kept for an hour", self.agent.run("status", status=1))

    def test_an_empty_one_that_is_found_after_a_restart(self):
        """What was seen is in the state file, however the daemon came to look again."""
        server, device = self.with_device(A)
        self.boot = 0
        for how in ("stopped", "killed", "reload"):
            with self.subTest(how):
                self.begin_again(how)
                self.check_kept(device)
                self.allocate(A, consumer=server)
                self.settle_after_the_hour()
        self.assertEqual(self.states()[server], ["ready"])
        self.assertEqual(set(self.host.mdevs()), {device})

    def settle_after_the_hour(self):
        self.boot += 3600
        self.step(0, self.boot)
        self.some_cycles()
        self.settle()

    def test_an_empty_one_that_sync_finds(self):
        server, device = self.with_device(A)
        self.settle()
        self.assertEqual(self.agent.stop(), 0)
        self.replace()
        for _ in range(4):
            self.assertIn("the root provider", self.agent.try_to("sync").stderr)
        self.assertIsNone(self.placement.provider(self.root_name))
        self.step(0, 61)
        self.agent.try_to("sync")
        self.step(0, 600)
        for _ in range(3):
            self.assertIn("are kept for an hour", self.agent.try_to("sync").stderr)
        self.assertEqual(len(self.totals()), 3)
        self.assertEqual(set(self.host.mdevs()), {device})
        # Where there is no device to lose, nobody has to wait.
        self.step(0, 600 + 3600)
        for _ in range(3):
            self.agent.try_to("sync")
            self.step(0, 600 + 3600 + 60)
        self.assertEqual(self.host.mdevs(), {})
        self.replace()
        self.agent.run("sync")
        self.agent.run("sync")
        self.assertEqual(len(self.totals()), 3)
        self.assertNotIn(server, self.states())

    def test_an_empty_one_does_not_mean_that_all_servers_were_deleted(self):
        healed, device = self.with_device(A)
        held, device_held = self.with_device(B)
        self.agent.define_domain(held, [device_held])
        lost, device_lost = self.with_device(C)
        before = self.host.mdevs()
        self.replace()
        self.agent.daemon.wait_for_output("the root provider")
        self.some_cycles()
        self.assertIsNone(self.placement.provider(self.root_name))
        self.assertEqual(self.host.mdevs(), before)
        # It stays so. The GPUs are reported again; the devices stay, and that is said.
        self.step(0, 61)
        self.agent.daemon.popen.send_signal(signal.SIGUSR1)
        wait_for(lambda: self.placement.provider(self.root_name) and len(self.totals()) == 3,
                 "the providers", 30)
        self.step(0, 120)
        self.some_cycles()
        self.assertEqual(self.host.mdevs(), before)
        self.assertIn("nova-manage placement heal_allocations", self.agent.run("status", status=1))
        self.allocate(A, consumer=healed)
        self.some_cycles()
        self.step(0, 61 + 3600 + 60)
        self.agent.daemon.popen.send_signal(signal.SIGUSR1)
        wait_for(lambda: device_lost not in self.host.mdevs(), "the removal", 30)
        self.assertEqual(set(self.host.mdevs()), {device, device_held})

    def test_an_older_one_at_the_same_generations(self):
        """Restored while the agent could not ask: what it remembers is of another."""
        file = next(self.directory.glob("placement-*/placement.sqlite"))
        self.assertEqual(self.placement.stop(), 0)
        backup = self.subdirectory("restored")
        shutil.copy(file, backup)
        self.follow(file)
        self.with_device(A)
        self.settle()
        # The same number of changes, and other ones.
        self.assertEqual(self.placement.stop(), 0)
        self.some_cycles()
        self.follow(backup / file.name, relay=False)
        server = self.allocate(A)
        self.relay.placement = self.placement
        self.agent.daemon.wait_for_output(f"consumer={server}", 30)
        self.settle()
        self.assertEqual(self.states()[server], ["ready"])
        self.assertEqual(len(self.host.mdevs()), 1)

    def follow(self, file, relay=True):
        """A server with a copy of this database."""
        folder = self.subdirectory("placement")
        shutil.copy(file, folder)
        self.placement = start_placement(folder, "--auth", "noauth2")
        self.addCleanup(self.placement.stop)
        if relay:
            self.relay.placement = self.placement


class Renamed(FleetTest):
    """The agent's provider is known by its uuid, whatever somebody calls it."""

    def rename(self, provider, name):
        self.placement.expect(200, "PUT", f"/resource_providers/{provider}",
                              {"name": name, "parent_provider_uuid": self.root()})

    def check_served(self, name):
        done = self.agent.try_to("sync")
        server = new_uuid()
        self.placement.allocate(server, {self.provider: {"VGPU": 1}})
        done = self.agent.try_to("sync")
        self.assertIn(f"{B}: somebody has renamed its provider to {name}", done.stderr)
        self.assertIn(f"set --name {self.name} {self.provider}`", done.stderr)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.states()[server], ["ready"])
        self.assertIn("address uuid", self.agent.run("xml", server))
        (row,) = [r for r in self.agent.json("gpus") if r["gpu"] == B]
        self.assertEqual((row["total"], row["used"]), (16, len(self.host.mdevs())))

    def test_its_allocations_are_served(self):
        self.build_guide(release_grace=0)
        self.agent.run("sync")
        self.provider, self.name = self.child(B), f"{self.root_name}_{child_name(B)}"
        self.placement.allocate(first := new_uuid(), {self.provider: {"VGPU": 1}})
        self.agent.run("sync")
        (device,) = self.host.mdevs()
        self.rename(self.provider, "stolen")
        self.check_served("stolen")
        # The state file need not know it.
        self.agent.state_file.unlink()
        self.check_served("stolen")
        self.assertEqual(self.states()[first], ["ready"])
        self.assertIn(device, self.host.mdevs())
        # Nor need it be configured any more.
        self.agent.configure({"agent": self.options, **GUIDE_TYPES, "mdev_nvidia-35": {"device_addresses": [A]}})
        self.agent.try_to("sync")
        self.assertEqual(len(self.host.mdevs()), 3)
        self.assertEqual(self.placement.inventories(self.provider)["VGPU"]["reserved"], 16)
        self.agent.configure({"agent": self.options, **GUIDE_TYPES})
        self.rename(self.provider, self.name)
        self.agent.try_to("sync")
        self.agent.run("sync")
        self.assertEqual(len(self.host.mdevs()), 3)


class Clocks(Watched):
    def test_a_step_of_the_time_of_day_ends_no_grace_period(self):
        self.build_watched(release_grace=300)
        server, device = self.with_device(A)
        self.placement.deallocate(server)
        wait_for(lambda: self.states().get(server) == ["releasing"], "the release", 30)
        for day in (86400, -86400, 10 * 86400):
            self.step(day, 0)
            self.some_cycles()
            self.assertIn(device, self.host.mdevs())
            self.assertEqual(self.agent.stop(), 0)
            self.start()
            self.some_cycles()
            self.assertIn(device, self.host.mdevs())
        self.step(-86400, 301)
        self.agent.daemon.popen.send_signal(signal.SIGUSR1)
        wait_for(lambda: device not in self.host.mdevs(), "the end of the grace period")
