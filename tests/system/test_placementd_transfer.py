"""placementd --export and --import: all that one Placement has is brought to another, over
the public API, or to a file; can be broken off and run again; and says what differs."""
import itertools
import json
import os
import threading
import uuid

from support.case import SystemTest
from support.placement import own_placement
from support.process import TOP
from support.relay import CUT, LOSE
from support.transfer import ChangeOverTest, Cloud, everything, transfer

HOSTS, GPUS, CONSUMERS = 6, 3, 60


def failure(detail, status=500, code="placement.undefined_code"):
    """As a Relay's rule gives it."""
    body = {"errors": [{"status": status, "detail": detail, "code": code}]}
    return status, [("Content-Type", "application/json")], json.dumps(body).encode()


MET = failure("in the same moment", 409, "placement.concurrent_update")


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

    def succeed(self, *words, database=None, **options):
        done = transfer(database or self.database, *words, **options)
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
        self.assertIn(f"no difference: providers {providers}, consumers {CONSUMERS + 5}\n",
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

    def test_what_has_not_changed_is_read_once(self):
        """Not again to be compared. What has, also by others meanwhile, is."""
        cloud, there = self.fill(self.source), self.other()
        self.succeed("--export", there.url)
        relay, gpu, other = self.start_relay(there), *cloud.gpus[:2]
        self.source.set_traits(gpu, ["CUSTOM_NOBODYS"])

        def rule(request):
            if request.method == "PUT":
                there.set_inventories(other, {"VGPU": {"total": 16, "reserved": 1}})
        relay.rule = rule
        done = transfer(self.database, "--export", relay.url)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("differences: 1\n", done.stdout)
        for part in ("inventories", "aggregates"):
            read = [request.path.split("/")[2] for request in relay.requests if
                    request.method == "GET" and request.path.endswith(part)]
            self.assertEqual(len(read), len(cloud.hosts) * (GPUS + 1) + 8 + 2)
            self.assertEqual(set(read[-2:]), {gpu, other})
        left = {who for who in everything(there)["consumers"]}
        asked = [request.path.split("/")[2] for request in relay.requests if
                 request.path.startswith("/allocations/")]
        self.assertEqual(set(asked), left)
        self.assertLess(len(asked), 1.5 * len(left))

    def test_several_requests_are_under_way_at_once(self):
        """Four, or as many as told."""
        self.fill(self.source)
        there = self.start_relay(self.other())
        self.succeed("--export", there.url)
        for words, at_once in (((), 4), (("--connections", "1"), 1)):
            together = threading.Barrier(at_once)  # of 32 providers

            def rule(request, together=together):
                if request.path.endswith("/inventories"):
                    together.wait(60)
            there.rule = rule
            self.succeed("--export", there.url, *words)

    def test_classes_are_made_one_after_the_other(self):
        """OpenStack's Placement loses one of two that are made in the same moment, and
        says 204."""
        for number in range(6):
            self.source.expect(201, "PUT", f"/resource_classes/CUSTOM_{number}")
        relay, under_way = self.start_relay(self.other()), threading.Semaphore(1)

        def rule(request):
            if request.method != "PUT":
                return None
            self.assertTrue(under_way.acquire(blocking=False))
            answer = request.pass_on()
            under_way.release()
            return answer
        relay.rule = rule
        self.succeed("--export", relay.url)

    def test_what_meets_another_write_is_sent_again(self):
        """409 placement.concurrent_update is no refusal."""
        self.fill(self.source)
        there, met = self.other(), set()
        relay = self.start_relay(there)
        def rule(request):
            if request.method in ("GET", "DELETE") or (request.method, request.path) in met:
                return None
            met.add((request.method, request.path))
            return MET
        relay.rule = rule
        done = self.succeed("--export", relay.url)
        self.assertNotIn("refused", done.stdout)
        self.assertGreater(len(met), CONSUMERS)
        self.assertEqual(everything(there), everything(self.source))

    def test_a_placement_that_is_busy_is_left_alone(self):
        """Retry-After holds for all connections: here, of all traits; each time."""
        self.fill(self.source)
        there = self.other()
        relay, refused = self.start_relay(there), []

        def rule(request):
            if not request.path.startswith("/traits/") or len(refused) == 5:
                return None
            refused.append(request)
            return 503, [("Retry-After", "2")], b""
        relay.rule = rule
        self.succeed("--export", relay.url)
        # Up to three at once; then one alone after each pause.
        for one in refused[-2:]:
            after = [r for r in relay.requests if r.when > one.when]
            self.assertGreater(after[0].when - one.when, 1.9)
        self.assertEqual(everything(there), everything(self.source))

    def test_a_write_whose_answer_is_lost_was_taken(self):
        """It is sent again, and meets what it has done itself. Once for each write."""
        cloud, there, lost = self.fill(self.source), self.other(), set()
        relay = self.start_relay(there)

        def rule(request):
            what = (request.method, request.path, request.body)
            if request.method == "GET" or what in lost:
                return None
            lost.add(what)
            return LOSE
        relay.rule = rule
        done = self.succeed("--export", relay.url, connect_retries="2",
                            connect_retry_delay="0.01")
        self.assertNotIn("refused", done.stdout)
        self.assertNotIn("left out", done.stdout)
        self.assertIn(f"consumers {CONSUMERS + 5}; deleted: 0\n", done.stdout)
        self.assertEqual(everything(there), everything(self.source))
        gone = there.create_provider("gone", "5a5a5a5a-0000-4000-8000-00000000000a",
                                     cloud.hosts[0])["uuid"]
        there.set_inventories(gone, {"VGPU": {"total": 4}})
        there.allocate("5a5a5a5a-0000-4000-8000-00000000000b", {gone: {"VGPU": 1}})
        done = self.succeed("--delete", "--export", relay.url, connect_retries="2",
                            connect_retry_delay="0.01")
        self.assertNotIn("refused", done.stdout)
        self.assertIn("; deleted: 2\n", done.stdout)
        self.assertEqual(everything(there), everything(self.source))

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
            # What was under way at once with it is lost as well, and libcurl tries once
            # more what a kept connection has lost.
            self.assertIn(self.writes, range(8, 16), done.stdout + done.stderr)
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

    def test_what_the_other_side_fails_on_is_refused(self):
        """500 to one write: the rest goes on. What needs that provider is not sent."""
        cloud, there = self.fill(self.source, odd=False), self.other()
        relay, host = self.start_relay(there), cloud.hosts[0]
        below = cloud.add_provider("below", parent=cloud.gpus[0])
        alone = cloud.allocate({cloud.hosts[1]: {"VCPU": 1}})
        met = []

        def rule(request):
            if (request.method == "POST" and json.loads(request.body)["uuid"] == host or
                    request.path == "/resource_classes/CUSTOM_UNUSED"):
                return failure("Incorrect string value")
            if request.method == "PUT" and request.path == f"/allocations/{alone}":
                met.append(request)  # after the second time it is sent alone
                return MET if len(met) < 3 else failure("Incorrect string value")
            return None
        relay.rule = rule
        done = transfer(self.database, "--export", relay.url)
        self.assertEqual(done.returncode, 1, done.stderr)
        consumers = [who for who, has in everything(self.source)["consumers"].items()
                     if host in has["allocations"]]
        for text in (
                "refused: 3\n", "  class CUSTOM_UNUSED: PUT ",
                "  class CUSTOM_UNUSED: missing there\n",
                f"  provider host0.example: POST {relay.url}/resource_providers: HTTP 500: "
                "Incorrect string value",
                f"  allocations of consumer {alone}: PUT {relay.url}/allocations/{alone}: "
                "HTTP 500: Incorrect string value",
                f"left out, as their providers are not there: {GPUS + 1 + len(consumers)}\n",
                f"  provider host0.example_pci_0000_41_00_0 ({cloud.gpus[0]}): below provider "
                f"host0.example ({host})\n",
                f"  provider below ({below}): below provider host0.example_pci_0000_41_00_0 "
                f"({cloud.gpus[0]})\n",
                *(f"  consumer {who}: on provider host0.example" for who in consumers),
                f"  provider host0.example ({host}): missing there\n"):
            self.assertIn(text, done.stdout)
        wanted = everything(self.source)
        wanted["classes"].remove("CUSTOM_UNUSED")
        for who in (host, below, *cloud.gpus[:GPUS]):
            del wanted["providers"][who]
        for who in (alone, *consumers):
            del wanted["consumers"][who]
        self.assertEqual(everything(there), wanted)
        self.assertFalse([r for r in relay.requests if cloud.gpus[0].encode() in r.body])
        relay.rule = lambda request: None
        self.succeed("--export", relay.url)

    def test_a_side_that_fails_on_everything_is_left_alone(self):
        """After some answers of 500 in a row. 502 and 503 end it at once."""
        self.fill(self.source)
        there = self.other()
        relay = self.start_relay(there)
        for answer, least, most, said in (
                (failure("no"), 50, 58, "50 writes in a row were answered with 500: "
                                        "traits of provider "),
                ((502, [], b""), 1, 5, "placementd: class CUSTOM_"),
                ((503, [], b""), 1, 5, "placementd: class CUSTOM_")):
            with self.subTest(answer):
                relay.requests.clear()
                relay.rule = lambda request, answer=answer: (
                    answer if request.method == "PUT" else None)
                done = transfer(self.database, "--export", relay.url, status_code_retries="0")
                self.assertEqual(done.returncode, 69, done.stdout + done.stderr)
                self.assertIn(said, done.stderr)
                writes = [r for r in relay.requests if r.method == "PUT"]
                self.assertTrue(least <= len(writes) <= most, len(writes))

    def test_providers_that_are_deleted_while_they_are_read(self):
        """Are left out and named, whatever of them was read before."""
        self.fill(self.source)
        there = self.other()
        for part, (words, api) in itertools.product(
                ("inventories", "aggregates", "allocations"),
                (("--export", there), ("--import", self.source))):
            with self.subTest((part, words)):
                parent, child = str(uuid.uuid4()), str(uuid.uuid4())
                api.create_provider(f"gone {part} {words}", parent)
                # No inventory: nobody asks who has something of the child.
                api.create_provider(f"below {part} {words}", child, parent)
                api.set_inventories(parent, {"VGPU": {"total": 1}})
                relay = self.start_relay(api)

                def rule(request, api=api, part=part, parent=parent, child=child):
                    if request.path == f"/resource_providers/{parent}/{part}":
                        for who in (child, parent):
                            api.request("DELETE", f"/resource_providers/{who}")
                relay.rule = rule
                new = self.subdirectory(f"{part}{words}") / "placement.sqlite"
                done = self.succeed(words, relay.url,
                                    database=new if words == "--import" else None)
                for text in (f"{relay.url}: deleted or moved by others while it was read, and "
                             "left out: providers 2\n", f"  gone {part} {words} ({parent})\n",
                             f"  below {part} {words} ({child})\n"):
                    self.assertIn(text, done.stdout)

    def test_a_trait_that_is_deleted_while_it_is_read(self):
        """Nobody has it then. One that is refused and is there ends it."""
        cloud, relay, name = self.fill(self.source), self.start_relay(self.source), "CUSTOM_GONE"
        self.source.expect(201, "PUT", f"/traits/{name}")
        self.source.set_traits(cloud.gpus[0], [name])
        relay.rule = lambda request: (
            failure("not that one", 400) if request.path == f"/resource_providers?required={name}" else None)
        new = self.subdirectory("new") / "placement.sqlite"
        done = transfer(new, "--import", relay.url)
        self.assertEqual(done.returncode, 1)
        self.assertIn("HTTP 400: not that one", done.stderr)

        def rule(request):
            if request.path == f"/resource_providers?required={name}":
                self.source.set_traits(cloud.gpus[0], [])
                self.source.expect(204, "DELETE", f"/traits/{name}")
        relay.rule = rule
        self.succeed("--import", relay.url, database=new)
        self.assertNotIn(name, everything(self.begin(new.parent))["traits"])

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

    def test_no_other_file_is_replaced(self):
        """Not the database, for which an export was mistaken, and no device: as root the
        export would stand in the place of /dev/stdout."""
        empty, text, short, pipe, link = (self.directory / name for name in (
            "empty", "text", "short", "pipe", "link"))
        empty.touch()
        text.write_text("a letter")
        short.write_text("{")
        os.mkfifo(pipe)
        link.symlink_to(empty)
        for file in (self.database, text, short, pipe, link):
            with self.subTest(file):
                before = os.lstat(file)
                done = transfer(self.database, "--export", str(file))
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(f"{file}: exists already, and is no ", done.stderr)
                self.assertEqual(os.lstat(file).st_ino, before.st_ino)
        for _ in range(2):  # the second is written over the first
            self.source.request("PUT", f"/traits/CUSTOM_{uuid.uuid4().hex.upper()}")
            done = transfer(self.database, "--export", str(empty))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertLessEqual(
                set(self.source.get("/traits?name=startswith:CUSTOM")["traits"]),
                set(json.loads(empty.read_text())["traits"]))

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
                (json.dumps({**whole, "version": 0}), "there is no version 0 of such files"),
                (json.dumps({**whole, "version": -1}), "there is no version -1 of such files"),
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

    def test_an_import_that_fails_makes_no_database(self):
        """A server would take it for a Placement that has nothing."""
        broken, folder = self.directory / "broken.json", self.subdirectory("new")
        broken.write_text('{"format": "placement-export", "version": 1}')
        self.fill(self.source)
        relay = self.start_relay(self.source)
        relay.rule = lambda request: (
            (503, [], b"") if request.path.startswith("/allocations/") else None)
        for source, said in (
                (folder / "none.json", "none.json: No such file"), (folder, "not a regular file"),
                (broken, "broken.json: "), ("http://127.0.0.1:1", "127.0.0.1:1"),
                (relay.url, "503")):
            with self.subTest(source):
                done = transfer(folder / "placement.sqlite", "--import", str(source),
                                status_code_retries="0")
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(said, done.stderr)
                self.assertEqual(list(folder.iterdir()), [])
        done = transfer(folder / "not there" / "placement.sqlite", "--import", relay.url)
        self.assertIn("not there is not there; it must be made", done.stderr)
        self.assertNotIn("read:", done.stderr)
        relay.rule = lambda request: None
        self.succeed("--import", relay.url, database=folder / "placement.sqlite")

    def test_what_cannot_be(self):
        there = self.other()
        file, newer = self.directory / "file", self.directory / "newer.json"
        file.write_text("")
        newer.write_text('{"format": "placement-export", "version": 2}')
        manual = (TOP / "etc/man/placementd.8").read_text()
        documented = manual.partition(".SH EXIT STATUS")[2].partition(".SH EXAMPLES")[0]
        for words, options, status, said in (
                (("--import", there.url), {}, 75, "placement.sqlite"),
                (("--export", there.url), {"auth_type": ""}, 1,
                 "transfer: auth_type is not set"),
                (("--export", "http://127.0.0.1:1"), {}, 69, "127.0.0.1:1"),
                (("--import", str(newer)), {"database": self.directory / "new.sqlite"}, 76,
                 "newer.json: version: 2 was written by a newer placementd"),
                (("--export", "ftp://somewhere"), {}, 1, "placementd: --export: not a URL: "),
                (("--export", "http://"), {}, 1, "placementd: --export: not a URL: "),
                (("--import", "http://user:hidden@there"), {}, 1,
                 "placementd: --import: not that kind of URL: "),
                (("--export", str(file / "x")), {}, 1, "file is not a folder"),
                (("--export", "/nonexist/x.json"), {}, 1, "the folder /nonexist is not there"),
                (("--export", str(self.directory)), {}, 74, "Is a directory"),
                (("--export", ""), {}, 64, "--export needs a value that is not empty"),
                (("--import=",), {}, 64, "--import needs a value that is not empty"),
                (("--backup", ""), {}, 64, "--backup needs a value that is not empty"),
                (("--check", ""), {}, 64, "--check needs a value that is not empty"),
                (("--check", "file:x"), {}, 64, "'file:x' is no file to SQLite; ./file:x is"),
                (("--backup", ":memory:"), {}, 64, "':memory:' is no file to SQLite"),
                (("--export", "x"), {"database": ":memory:"}, 64,
                 "--database: ':memory:' is no file to SQLite"),
                (("--export", "x"), {"database": ""}, 64,
                 "--database needs a value that is not empty"),
                (("--export", there.url, "--backup", "x"), {}, 64, "only one of"),
                (("--export", there.url, "--connections", "0"), {}, 64, "expected 1 to 64"),
                (("--export", there.url, "--connections", "4x"), {}, 64, "expected 1 to 64"),
                (("--connections", "2"), {}, 64, "--connections is for"),
                (("--delete",), {}, 64, "--delete is for")):
            with self.subTest(words):
                done = transfer(options.pop("database", self.database), *words, **options)
                self.assertEqual(done.returncode, status, done.stdout + done.stderr)
                self.assertIn(said, done.stderr)
                self.assertNotIn("read:", done.stderr)
                self.assertNotIn("hidden", done.stderr)
                self.assertRegex(documented, rf"\b{status}\b")


class ChangeOver(ChangeOverTest):
    def test_agents_go_to_the_other_placement_by_one_line(self):
        self.begin_with_devices()
        if not self.placement.is_own:
            self.skipTest("for placementd's own database")
        there = own_placement(self.subdirectory("there"))
        self.addCleanup(self.end, there)
        (database,) = self.directory.glob("placement-*/placement.sqlite")
        done = transfer(database, "--export", there.url)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(everything(there), everything(self.placement))
        self.change_over(there)
