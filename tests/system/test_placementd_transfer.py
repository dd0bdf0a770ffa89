"""placementd --export and --import: all that one Placement has is brought to another, over
the public API, or to a file; can be broken off and run again; and says what differs."""
import json

from support import wait_for
from support.case import SystemTest
from support.fleet import FleetTest
from support.placement import own_placement
from support.relay import CUT, LOSE
from support.transfer import Cloud, everything, transfer

HOSTS, GPUS, CONSUMERS = 6, 3, 60


class TransferTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.place = self.subdirectory("from")
        self.database = self.place / "placement.sqlite"
        self.source = self.begin(self.place)

    def begin(self, directory):
        placement = own_placement(directory)
        self.addCleanup(self.end, placement)
        return placement

    def other(self):
        return self.begin(self.subdirectory("to"))

    def fill(self, placement, odd=True):
        return Cloud(placement, HOSTS, GPUS, CONSUMERS, odd)

    def succeed(self, *words, database=None):
        done = transfer(database or self.database, *words)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("no difference: ", done.stdout)
        return done

    def test_to_another_placement(self):
        """While a server uses the database, with progress, in an order that works."""
        cloud, there = self.fill(self.source), self.other()
        for traits in ([], ["CUSTOM_NVIDIA_35", "CUSTOM_OWNER_VGPU_AGENT"]):
            self.source.set_traits(cloud.gpus[0], traits)
        done = self.succeed("--export", there.url)
        self.assertEqual(everything(there), everything(self.source))
        providers = HOSTS * (1 + GPUS) + 8
        self.assertIn(f"{there.url}: providers written: {providers} of {providers}",
                      done.stderr)
        self.assertIn(f"no difference: providers {providers}, consumers {CONSUMERS + 3}\n",
                      done.stdout)
        self.assertIn("other generations, which each Placement counts itself: providers 1, "
                      "consumers 0\n", done.stdout)
        self.assertEqual(there.provider("drained")["parent_provider_uuid"], cloud.hosts[0])

    def test_once_more_it_writes_nothing(self):
        self.fill(self.source)
        there = self.start_relay(self.other())
        self.succeed("--export", there.url)
        there.requests.clear()
        done = self.succeed("--export", there.url)
        self.assertEqual({r.method for r in there.requests}, {"GET"})
        self.assertIn("written: classes 0, traits 0, providers 0, sets of inventories, "
                      "traits and aggregates 0, consumers 0; deleted: 0\n", done.stdout)

    def test_broken_off_anywhere_and_run_again(self):
        """A write that is lost, or whose answer is, at every eighth of them."""
        Cloud(self.source, 2, 2, 10)
        there = self.other()
        relay = self.start_relay(there)
        stops = 0

        def rule(request):
            self.writes += request.method != "GET"
            if self.writes < 8 or request.method == "GET":
                return None
            return CUT if stops % 2 else LOSE
        relay.rule = rule
        while True:
            self.writes = 0
            done = transfer(self.database, "--export", relay.url)
            if done.returncode == 0:
                break
            # libcurl tries once more what a kept connection has lost.
            self.assertIn(self.writes, (8, 9), done.stdout + done.stderr)
            stops += 1
        self.assertGreater(stops, 5)
        self.assertIn("no difference: ", done.stdout)
        self.assertEqual(everything(there), everything(self.source))

    def test_what_has_changed_since(self):
        """The second run brings what came since the first, also where it needs the room
        that others leave."""
        cloud, there = self.fill(self.source), self.other()
        self.succeed("--export", there.url)
        api, gpu = self.source, cloud.gpus[0]
        full = cloud.add_provider("full", {"VGPU": {"total": 2}})
        one, two = cloud.allocate({full: {"VGPU": 1}}), cloud.allocate({full: {"VGPU": 1}})
        self.succeed("--export", there.url)
        for consumer, amounts in ((one, {gpu: {"VGPU": 1}}), (two, {full: {"VGPU": 2}})):
            api.allocate(consumer, amounts, 1)
        api.set_inventories(cloud.gpus[1], {"VGPU": {"total": 3, "reserved": 3}})
        api.set_traits(gpu, ["CUSTOM_NOBODYS"])
        api.expect(200, "PUT", f"/resource_providers/{full}",
                   {"name": "full no more", "parent_provider_uuid": cloud.hosts[1]})
        api.expect(201, "PUT", "/traits/CUSTOM_LATER")
        self.succeed("--export", there.url)
        self.assertEqual(everything(there), everything(self.source))

    def test_what_has_gone_since(self):
        """Is told; and deleted where that is wanted. What others have there is left."""
        cloud, there = self.fill(self.source), self.other()
        gone = cloud.add_provider("gone", {"VGPU": {"total": 2}}, parent=cloud.hosts[0])
        below = cloud.add_provider("below", {"VGPU": {"total": 2}}, parent=gone)
        servers = [cloud.allocate({below: {"VGPU": 1}}),
                   cloud.allocate({cloud.gpus[0]: {"VGPU": 2}})]
        self.succeed("--export", there.url)
        theirs = there.create_provider("theirs", "5a5a5a5a-0000-4000-8000-00000000000a")
        there.set_inventories(theirs["uuid"], {"VGPU": {"total": 4}})
        others = ["5a5a5a5a-0000-4000-8000-00000000000b",
                  "5a5a5a5a-0000-4000-8000-00000000000c"]
        there.allocate(others[0], {theirs["uuid"]: {"VGPU": 1}})
        there.allocate(others[1], {theirs["uuid"]: {"VGPU": 1},
                                   cloud.gpus[0]: {"VGPU": 1}})
        for server in servers:
            self.source.deallocate(server)
        # The name of a card that was swapped.
        for who in (below, gone):
            self.source.expect(204, "DELETE", f"/resource_providers/{who}")
        cloud.add_provider("gone", parent=cloud.hosts[0])
        done = transfer(self.database, "--export", there.url)
        self.assertEqual(done.returncode, 1)
        for text in (*(f"consumer {server}: only there" for server in servers),
                     f"provider gone ({gone}): only there", "duplicate_name"):
            self.assertIn(text, done.stdout)
        done = transfer(self.database, "--delete", "--export", there.url)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("; deleted: 4\ndifferences: 3\n", done.stdout)
        left = everything(there)
        del left["providers"][theirs["uuid"]]
        for who in others:
            del left["consumers"][who]
        self.assertEqual(left, everything(self.source))

    def test_it_says_what_differs(self):
        """What only the other side has is left, and told; what it refuses, too."""
        cloud, there = self.fill(self.source, odd=False), self.other()
        theirs = there.create_provider("theirs\x1b[2J", "5a5a5a5a-0000-4000-8000-00000000000a")
        there.create_provider("host1.example", "5a5a5a5a-0000-4000-8000-00000000000b")
        there.set_inventories(theirs["uuid"], {"VGPU": {"total": 4}})
        there.allocate("5a5a5a5a-0000-4000-8000-00000000000c",
                       {theirs["uuid"]: {"VGPU": 1}})
        done = transfer(self.database, "--export", there.url)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stdout, r"refused: [0-9]+\n")
        for text in ("provider host1.example: POST ", "duplicate_name",
                     f"provider host1.example ({cloud.hosts[1]}): missing there\n",
                     "provider host1.example (5a5a5a5a-0000-4000-8000-00000000000b): only "
                     "there\n", f"provider theirs?[2J ({theirs['uuid']}): only there\n",
                     "consumer 5a5a5a5a-0000-4000-8000-00000000000c: only there\n"):
            self.assertIn(text, done.stdout)
        self.assertEqual(there.inventories(theirs["uuid"])["VGPU"]["total"], 4)
        self.assertEqual(there.inventories(cloud.gpus[0])["VGPU"]["total"], 16)

    def test_to_a_file_and_from_it(self):
        self.fill(self.source)
        file = self.directory / "all.json"
        done = transfer(self.database, "--export", str(file))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        document = json.loads(file.read_text())
        self.assertEqual((document["format"], document["version"]), ("placement-export", 1))
        place = self.subdirectory("to")
        self.succeed("--import", str(file), database=place / "placement.sqlite")
        self.assertEqual(everything(self.begin(place)), everything(self.source))

    def test_from_another_placement(self):
        self.fill(self.source)
        place = self.subdirectory("to")
        for _ in range(2):
            self.succeed("--import", self.source.url, database=place / "placement.sqlite")
        self.assertEqual(everything(self.begin(place)), everything(self.source))

    def test_files_that_are_none(self):
        file = self.directory / "wrong.json"
        whole = {"format": "placement-export", "version": 1, "resource_classes": [],
                 "traits": [], "resource_providers": [], "consumers": []}
        orphan = {"uuid": "5a5a5a5a-0000-4000-8000-00000000000a", "name": "a",
                  "generation": 1, "resource_provider_generation": 1,
                  "root_provider_uuid": "5a5a5a5a-0000-4000-8000-00000000000b",
                  "parent_provider_uuid": "5a5a5a5a-0000-4000-8000-00000000000b",
                  "inventories": {}, "traits": [], "aggregates": []}
        itself = {**orphan, "parent_provider_uuid": orphan["uuid"]}
        for text, said in (
                ("[]", "expected an object with 'format'"), ("{", "wrong.json"),
                (json.dumps({**whole, "format": "x"}), "is not placement-export"),
                (json.dumps({**whole, "version": 2}), "newer placementd"),
                (json.dumps({**whole, "consumers": [{}]}), "consumers[0]: uuid"),
                (json.dumps({**whole, "resource_providers": [orphan, orphan]}), "twice"),
                (json.dumps({**whole, "resource_providers": [orphan]}), "is not there"),
                (json.dumps({**whole, "resource_providers": [itself]}),
                 "its own ancestor")):
            with self.subTest(text):
                file.write_text(text)
                done = transfer(self.directory / "new.sqlite", "--import", str(file))
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(said, done.stderr)

    def test_what_cannot_be(self):
        there = self.other()
        file = self.directory / "file"
        file.write_text("")
        for words, options, status, said in (
                (("--import", there.url), {}, 75, "placement.sqlite"),
                (("--export", there.url), {"auth_type": ""}, 1,
                 "transfer: auth_type is not set"),
                (("--export", "http://127.0.0.1:1"), {}, 69, "127.0.0.1:1"),
                (("--export", "ftp://somewhere"), {}, 1, "transfer.endpoint_override: not a URL"),
                (("--export", str(file / "x")), {}, 74, "Not a directory"),
                (("--export", there.url, "--backup", "x"), {}, 64, "only one of"),
                (("--delete",), {}, 64, "--delete is for")):
            with self.subTest(words):
                done = transfer(self.database, *words, **options)
                self.assertEqual(done.returncode, status, done.stdout + done.stderr)
                self.assertIn(said, done.stderr)


class ChangeOver(FleetTest):
    def test_agents_go_to_the_other_placement_by_one_line(self):
        """No device is touched, and nothing is written there."""
        self.build_guide()
        if not self.placement.is_own:
            self.skipTest("for placementd's own database")
        self.agent.start()
        wait_for(lambda: self.placement.provider(self.root_name) and
                 len(self.totals()) == 3, "the providers")
        servers = [self.allocate("0000:84:00.0", 2), self.allocate("0000:86:00.0")]
        wait_for(lambda: len(self.host.mdevs()) == 3, "the devices")
        held = sorted(self.host.mdevs())[0]
        self.agent.define_domain(servers[0], [held])
        self.agent.settle()
        self.assertEqual(self.agent.stop(), 0)
        devices, stores = self.host.mdevs(), self.host.stores()
        there = own_placement(self.subdirectory("there"))
        self.addCleanup(self.end, there)
        relay = self.start_relay(there)
        (database,) = self.directory.glob("placement-*/placement.sqlite")
        done = transfer(database, "--export", there.url)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        before = everything(there)
        old = self.agent.file.read_text()
        self.assertEqual(old.count(self.placement.url), 1)
        self.agent.file.write_text(old.replace(self.placement.url, relay.url))
        self.agent.start()
        wait_for(lambda: self.agent.try_to("allocations").returncode == 0, "a cycle")
        wait_for(lambda: len(relay.requests) > 20, "some cycles")
        self.agent.settle()
        self.assertEqual((self.host.mdevs(), self.host.stores()), (devices, stores))
        self.assertEqual({r.method for r in relay.requests}, {"GET"})
        self.assertEqual(everything(there), before)
        # And it works on: the next guest gets its device.
        self.placement = there
        self.allocate("0000:85:00.0")
        wait_for(lambda: len(self.host.mdevs()) == 4, "the new device")
