"""A reply with 2xx means: it is on disk. placementd is killed, or its machine loses power,
at random moments under a load of writers; after each restart everything acknowledged is
there, nothing is there half, and `placementd --check` finds no fault."""
import http.client
import json
import os
import random
import resource
import subprocess
import threading
import time
import uuid

from support.case import SystemTest
from support.placement import own_placement
from support.power import Power
from support.process import program, run

WRITERS = 3
CONSUMERS = 8  # of each writer, so that reading all back stays quick
KILLS = int(os.environ.get("KILLS", 50))  # of each test

# Fields: consumers {uuid: {provider: {class: amount}}}, total of the own inventory.
EMPTY = {"consumers": {}, "total": 1000}


class Writer:
    """One client with providers of its own: it knows what must be there."""

    def __init__(self, number, chance):
        self.chance = chance
        self.name = f"writer{number}"
        self.providers = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(2)]
        self.state = json.loads(json.dumps(EMPTY))
        self.pending = None    # what is true if the unanswered request was done
        self.acknowledged = 0
        self.stop = False
        self.failure = None

    def connect(self, url):
        host, port = url.split("//")[1].split(":")
        self.connection = http.client.HTTPConnection(host, int(port), timeout=20)

    def ask(self, method, path, body=None):
        headers = {"X-Auth-Token": "admin", "OpenStack-API-Version": "placement 1.39"}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None

    def must(self, method, path, body=None):
        status, answer = self.ask(method, path, body)
        if status >= 300:
            raise AssertionError(f"{method} {path} {body}: {status} {answer}")
        return answer

    # ---- what it writes

    def generation(self, provider):
        return self.must("GET", f"/resource_providers/{provider}")["generation"]

    def set_total(self, total):
        provider = self.providers[0]
        return ("PUT", f"/resource_providers/{provider}/inventories", {
            "resource_provider_generation": self.generation(provider),
            "inventories": {"VCPU": {"total": total}, "DISK_GB": {"total": total}}})

    def allocation(self, consumer, wanted):
        known = self.must("GET", f"/allocations/{consumer}")
        return {"allocations": {provider: {"resources": classes}
                                for provider, classes in wanted.items()},
                "project_id": self.name, "user_id": self.name, "consumer_type": "TEST",
                "consumer_generation": known.get("consumer_generation")}

    def some(self):
        """An amount of every class of both providers: four rows, or none."""
        return {provider: {"VCPU": self.chance.randint(1, 5),
                           "DISK_GB": self.chance.randint(1, 5)}
                for provider in self.providers}

    def next_request(self):
        """(method, path, body) and the state that it makes."""
        after = json.loads(json.dumps(self.state))
        consumers = after["consumers"]
        choice = self.chance.random()
        if choice < 0.1:
            after["total"] = self.chance.randint(500, 2000)
            return self.set_total(after["total"]), after
        if consumers and (choice < 0.3 or len(consumers) >= CONSUMERS):
            gone = self.chance.choice(sorted(consumers))
            del consumers[gone]
            return ("DELETE", f"/allocations/{gone}", None), after
        if consumers and choice < 0.5:
            # One gives all it has to a new one, in one request.
            old, new = self.chance.choice(sorted(consumers)), str(uuid.uuid4())
            consumers[new] = consumers.pop(old)
            return ("POST", "/allocations", {
                old: self.allocation(old, {}),
                new: self.allocation(new, consumers[new])}), after
        consumer = (self.chance.choice(sorted(consumers)) if consumers and choice < 0.6
                    else str(uuid.uuid4()))
        consumers[consumer] = self.some()
        return ("PUT", f"/allocations/{consumer}",
                self.allocation(consumer, consumers[consumer])), after

    def write(self):
        """Until the server is gone."""
        try:
            while not self.stop:
                request, after = self.next_request()
                self.pending = after
                status, answer = self.ask(*request)
                if status >= 300:
                    raise AssertionError(f"{request}: {status} {answer}")
                self.state, self.pending = after, None
                self.acknowledged += 1
        except (OSError, http.client.HTTPException):
            pass
        except Exception as failure:  # for the test's own thread
            self.failure = failure

    # ---- what it reads back

    def found(self, consumers):
        state = {"consumers": {}}
        for consumer in consumers:
            answer = self.must("GET", f"/allocations/{consumer}")["allocations"]
            if answer:
                state["consumers"][consumer] = {provider: one["resources"]
                                                for provider, one in answer.items()}
        inventories = self.must(
            "GET", f"/resource_providers/{self.providers[0]}/inventories")["inventories"]
        state["total"] = inventories["VCPU"]["total"]
        return state

    def check(self, case):
        """Both states are possible while a request was not answered; no third one is."""
        possible = [self.state] + ([self.pending] if self.pending else [])
        consumers = set().union(*(state["consumers"] for state in possible))
        found = self.found(consumers)
        case.assertIn(found, possible)
        self.state, self.pending = found, None
        for provider in self.providers:
            usages = self.must("GET", f"/resource_providers/{provider}/usages")["usages"]
            for name, used in usages.items():
                case.assertEqual(used, sum(wanted[provider][name]
                                           for wanted in found["consumers"].values()))


class KilledTest(SystemTest):
    environment = None  # of the server

    def after_kill(self, chance):
        """What becomes of the server's files."""

    def start_server(self):
        self.server = own_placement(self.folder, env=self.environment)
        self.addCleanup(self.server.process.stop)
        for writer in self.writers:
            writer.connect(self.server.url)

    def round(self, chance):
        threads = [threading.Thread(target=writer.write) for writer in self.writers]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.002, 0.08))  # the moment is what is random here
        self.server.process.kill()
        for thread in threads:
            thread.join()
        for writer in self.writers:
            if writer.failure:
                raise writer.failure
        self.after_kill(chance)
        database = self.folder / "placement.sqlite"
        checked = run([program("placementd"), "--check", str(database)])
        self.assertEqual(checked.returncode, 0, checked.stderr)
        (self.folder / "placementd.log").unlink()
        self.start_server()
        for writer in self.writers:
            writer.check(self)

    def prepare(self):
        self.folder = self.subdirectory("server")

    def kill_many_times(self, seed):
        chance = random.Random(seed)
        self.prepare()
        self.writers = [Writer(i, random.Random(f"{seed}/{i}")) for i in range(WRITERS)]
        self.start_server()
        for writer in self.writers:
            for i, provider in enumerate(writer.providers):
                writer.must("POST", "/resource_providers",
                            {"name": f"{writer.name}-{i}", "uuid": provider})
                writer.must("PUT", f"/resource_providers/{provider}/inventories", {
                    "resource_provider_generation": 0,
                    "inventories": {"VCPU": {"total": 1000}, "DISK_GB": {"total": 1000}}})
        for _ in range(KILLS):
            self.round(chance)
        # Else the kills have hit nothing.
        for writer in self.writers:
            self.assertGreater(writer.acknowledged, KILLS / 10)


class Killed(KilledTest):
    def test_kill_1(self):
        self.kill_many_times(1)

    def test_kill_2(self):
        self.kill_many_times(2)

    def test_kill_3(self):
        self.kill_many_times(3)

    def test_kill_4(self):
        self.kill_many_times(4)


class PowerCut(KilledTest):
    def prepare(self):
        super().prepare()
        self.power = Power(self.directory / "disk", self.folder, "placement.sqlite")
        self.environment = self.power.environment

    def after_kill(self, chance):
        self.power.cut(chance)

    def test_power_1(self):
        self.kill_many_times(5)

    def test_power_2(self):
        self.kill_many_times(6)


class FullDisk(SystemTest):
    def limit(self, size):
        """The largest file that the server may write: for it, a disk that is full."""
        resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE,
                         (size, resource.RLIM_INFINITY))

    def start(self):
        self.folder = self.subdirectory("server")
        self.server = own_placement(self.folder)
        self.addCleanup(self.server.process.stop)

    def test_it_goes_on_when_there_is_room(self):
        self.start()
        names = [str(uuid.uuid4()) for _ in range(60)]
        written, refused = [], 0
        for number, name in enumerate(names):
            self.limit(1 if number % 3 == 2 else resource.RLIM_INFINITY)
            response = self.server.request("POST", "/resource_providers",
                                           {"name": name, "uuid": name})
            if number % 3 == 2:
                self.assertEqual(response.status, 503, response.body)
                refused += 1
            else:
                self.assertEqual(response.status, 200, response.body)
                written.append(name)
            # Reads never stop.
            found = self.server.get("/resource_providers")["resource_providers"]
            self.assertEqual([provider["name"] for provider in found], written)
        self.assertEqual(refused, 20)
        self.limit(resource.RLIM_INFINITY)
        self.server.process.kill()
        self.start_again()
        found = self.server.get("/resource_providers")["resource_providers"]
        self.assertEqual([provider["name"] for provider in found], written)

    def start_again(self):
        (self.folder / "placementd.log").unlink()
        self.server = own_placement(self.folder)
        self.addCleanup(self.end, self.server)


class Files(SystemTest):
    def start_in(self, folder):
        server = own_placement(folder)
        self.addCleanup(self.end, server)
        return server

    def refused(self, *arguments):
        ended = run([program("placementd"), "--listen", "127.0.0.1:0",
                     "--auth", "noauth2", *arguments])
        self.assertNotEqual(ended.returncode, 0)
        self.assertEqual(len(ended.stderr.splitlines()), 1, ended.stderr)
        return ended.stderr

    def test_one_server_for_one_file(self):
        folder = self.subdirectory("server")
        self.start_in(folder)
        self.assertIn("another placementd is using it",
                      self.refused("--database", str(folder / "placement.sqlite")))

    def test_a_file_that_is_none_of_ours(self):
        stranger = self.subdirectory("server") / "file"
        stranger.write_bytes(os.urandom(10000))
        self.assertIn(str(stranger), self.refused("--database", str(stranger)))
        self.assertIn("none/such", self.refused("--database", "/none/such"))

    def test_backup_while_it_runs(self):
        folder = self.subdirectory("server")
        server = self.start_in(folder)
        server.create_provider("a", str(uuid.uuid4()))
        copy = folder / "copy" / "placement.sqlite"
        copy.parent.mkdir()
        made = run([program("placementd"), "--database", str(folder / "placement.sqlite"),
                    "--backup", str(copy)])
        self.assertEqual(made.returncode, 0, made.stderr)
        server.create_provider("b", str(uuid.uuid4()))
        other = self.start_in(copy.parent)
        self.assertEqual([provider["name"] for provider in
                          other.get("/resource_providers")["resource_providers"]], ["a"])

    def test_noauth_stays_at_home(self):
        database = str(self.subdirectory("server") / "db")
        self.assertIn("--insecure-noauth-anywhere", run(
            [program("placementd"), "--listen", "0.0.0.0:0", "--auth", "noauth2",
             "--database", database]).stderr)
        server = subprocess.Popen(
            [program("placementd"), "--listen", "0.0.0.0:0", "--auth", "noauth2",
             "--database", database, "--insecure-noauth-anywhere"],
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(server.stderr.close)
        self.assertIn("listening on 0.0.0.0:", server.stderr.readline())
        server.terminate()
        self.assertEqual(server.wait(20), 0)
