"""What `placementd --export` and `--import` carry: a cloud to be carried, all that a
Placement has as a second judge sees it, by the API alone, and an agent that changes over."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import random
import threading
import urllib.parse
import uuid

from . import wait_for
from .fleet import FleetTest
from .placement import MICROVERSION
from .process import program, run

DEFAULTS = {"reserved": 0, "min_unit": 1, "step_size": 1, "allocation_ratio": 1.0}
TYPES = ["INSTANCE", "MIGRATION", None]  # None: unknown, as before there were types


def stock(total, **more):
    return {"total": total, "max_unit": total, **DEFAULTS, **more}


class Connection:
    """One kept connection, for thousands of requests."""

    def __init__(self, placement):
        self.placement = placement
        self.url = urllib.parse.urlsplit(placement.url)
        self.connection = None

    def ask(self, method, path, body=None, microversion=MICROVERSION):
        headers = {"X-Auth-Token": self.placement.token, "Accept": "application/json",
                   "OpenStack-API-Version": f"placement {microversion}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        self.connection = self.connection or http.client.HTTPConnection(
            self.url.hostname, self.url.port, timeout=120)
        self.connection.request(method, self.url.path + path, body, headers)
        reply = self.connection.getresponse()
        text = reply.read()
        if reply.status > 299:
            raise AssertionError(f"{method} {path} {body}: {reply.status} {text}")
        return json.loads(text) if text else None


class Cloud:
    """Hosts with GPUs and consumers, the same for the same seed; with `odd` also what no
    order of writing alone can carry. `hosts` and `gpus` are lists of uuids."""

    def __init__(self, placement, hosts, gpus, consumers, odd=True):
        self.api, self.random = Connection(placement), random.Random(hosts * gpus)
        self.hosts, self.gpus = [], []
        self.aggregates = [self.uuid() for _ in range(3)]
        for name in ("CUSTOM_RACK", "CUSTOM_UNUSED"):
            self.api.ask("PUT", f"/resource_classes/{name}")
        for name in ("CUSTOM_NVIDIA_35", "CUSTOM_OWNER_VGPU_AGENT", "CUSTOM_NOBODYS"):
            self.api.ask("PUT", f"/traits/{name}")
        for number in range(hosts):
            self.add_host(number, gpus)
        for number in range(consumers):
            self.add_consumer(number)
        if odd:
            self.add_odd()

    def uuid(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def add_provider(self, name, inventories=None, traits=(), aggregates=(), parent=None):
        who = self.uuid()
        body = {"name": name, "uuid": who}
        if parent:
            body["parent_provider_uuid"] = parent
        self.api.ask("POST", "/resource_providers", body)
        generation = 0
        for part, value in (("inventories", inventories), ("traits", traits),
                            ("aggregates", aggregates)):
            if value:
                generation = self.api.ask(
                    "PUT", f"/resource_providers/{who}/{part}",
                    {"resource_provider_generation": generation,
                     part: value})["resource_provider_generation"]
        return who

    def add_host(self, number, gpus):
        host = self.add_provider(
            f"host{number}.example", {"VCPU": stock(64, allocation_ratio=16.0),
                                      "MEMORY_MB": stock(262144, reserved=512)},
            ["COMPUTE_NODE"], [self.aggregates[number % len(self.aggregates)]])
        self.hosts.append(host)
        for gpu in range(gpus):
            self.gpus.append(self.add_provider(
                f"host{number}.example_pci_0000_{gpu + 0x41:02x}_00_0",
                {"VGPU": stock(16)}, ["CUSTOM_NVIDIA_35", "CUSTOM_OWNER_VGPU_AGENT"],
                parent=host))

    def allocate(self, resources, kind="INSTANCE", who=None):
        who = who or self.uuid()
        body = {"allocations": {provider: {"resources": wanted}
                                for provider, wanted in resources.items()},
                "project_id": f"project {self.random.randrange(20)}",
                "user_id": f"user {self.random.randrange(20)}",
                "consumer_generation": None}
        if kind:
            body["consumer_type"] = kind
        self.api.ask("PUT", f"/allocations/{who}", body, "1.39" if kind else "1.37")
        return who

    def add_consumer(self, number):
        gpu = number % len(self.gpus)
        host = gpu // (len(self.gpus) // len(self.hosts))
        self.allocate({self.hosts[host]: {"VCPU": 2, "MEMORY_MB": 4096},
                       self.gpus[gpu]: {"VGPU": 1}}, TYPES[number % len(TYPES)])

    def set_inventories(self, who, inventories):
        generation = self.api.ask("GET", f"/resource_providers/{who}")["generation"]
        self.api.ask("PUT", f"/resource_providers/{who}/inventories", {
            "resource_provider_generation": generation, "inventories": inventories})

    def add_odd(self):
        """A drained GPU with guests, bounds that came after the guests, ratios that leave
        nothing, a class without units, a deep tree, a shared disk,
        consumers whose uuids are written unusually, names that must be quoted."""
        drained = self.add_provider("drained", {"VGPU": stock(4), "CUSTOM_RACK": stock(2)},
                                    parent=self.hosts[0])
        self.allocate({drained: {"VGPU": 2}})
        self.set_inventories(drained, {"VGPU": stock(4, reserved=4), "CUSTOM_RACK": stock(2)})
        narrowed = self.add_provider('narrowed "& <b> größer/%41?#',
                                     {"VGPU": stock(8), "CUSTOM_RACK": stock(5)})
        self.allocate({narrowed: {"VGPU": 3, "CUSTOM_RACK": 1}}, "MIGRATION")
        self.allocate({narrowed: {"VGPU": 3}}, None)
        self.set_inventories(narrowed, {
            "VGPU": stock(4, step_size=2, max_unit=2),
            "CUSTOM_RACK": stock(5, allocation_ratio=0)})
        below = self.hosts[0]
        for level in range(5):
            below = self.add_provider(f"level {level}", parent=below)
        # POST knows a consumer by its spelling; PUT takes it for the one in lower case.
        for who in (self.uuid().upper(), "-" * 36):
            self.api.ask("POST", "/allocations", {who: {
                "allocations": {drained: {"resources": {"CUSTOM_RACK": 1}}},
                "project_id": "p", "user_id": "u", "consumer_generation": None,
                "consumer_type": "INSTANCE"}})
        self.add_provider("shared disk", {"DISK_GB": stock(1000, allocation_ratio=1.5),
                                           "VGPU": stock(1, allocation_ratio=-0.5)},
                          ["MISC_SHARES_VIA_AGGREGATE"], self.aggregates)


class Judge:
    """Asks a Placement for many things, four at a time."""

    def __init__(self, placement):
        self.placement, self.own, self.all = placement, threading.local(), []

    def get(self, path):
        if not hasattr(self.own, "connection"):
            self.own.connection = Connection(self.placement)
            self.all.append(self.own.connection)
        return self.own.connection.ask("GET", path)

    def close(self):
        for connection in self.all:
            connection.connection.close()

    def provider(self, provider):
        path = f"/resource_providers/{provider['uuid']}"
        return {
            **{name: provider[name] for name in
               ("name", "root_provider_uuid", "parent_provider_uuid")},
            "inventories": self.get(f"{path}/inventories")["inventories"],
            "traits": set(self.get(f"{path}/traits")["traits"]),
            "aggregates": set(self.get(f"{path}/aggregates")["aggregates"])}

    def users(self, provider):
        return list(self.get(f"/resource_providers/{provider['uuid']}/allocations")["allocations"])

    def consumer(self, who):
        consumer = self.get(f"/allocations/{who}")
        del consumer["consumer_generation"]
        for held in consumer["allocations"].values():
            del held["generation"]
        return consumer


def everything(placement):
    """{"classes", "traits", "providers": {uuid: ...}, "consumers": {uuid: ...}} without
    generations; of classes and traits only an operator's own."""
    def custom(names):
        return {name for name in names if name.startswith("CUSTOM_")}
    with contextlib.closing(Judge(placement)) as judge, \
            concurrent.futures.ThreadPoolExecutor(4) as pool:
        providers = judge.get("/resource_providers")["resource_providers"]
        details = pool.map(judge.provider, providers)
        users = sorted({who for some in pool.map(judge.users, providers) for who in some})
        return {
            "classes": custom(item["name"] for item in
                              judge.get("/resource_classes")["resource_classes"]),
            "traits": custom(judge.get("/traits")["traits"]),
            "providers": {provider["uuid"]: detail
                          for provider, detail in zip(providers, details)},
            "consumers": dict(zip(users, pool.map(judge.consumer, users)))}


def transfer_arguments(database, *words, **options):
    """The command line and the environment of `placementd WORDS...` on that database;
    `options` are those of [transfer]."""
    options = {"auth_type": "noauth", **options}
    return [program("placementd"), "--database", str(database), *words], {
        **os.environ, **{f"OS_TRANSFER__{name.upper()}": value
                         for name, value in options.items()}}


def transfer(database, *words, timeout=60, **options):
    """Runs it to the end; the CompletedProcess."""
    arguments, environment = transfer_arguments(database, *words, **options)
    return run(arguments, timeout, env=environment)


class ChangeOverTest(FleetTest):
    """An agent with devices goes from one Placement to another by one line of its file."""

    def begin_with_devices(self):
        """A host whose agent has made its providers and devices, and is stopped."""
        self.build_guide()
        self.agent.start()
        wait_for(lambda: self.placement.provider(self.root_name) and
                 len(self.totals()) == 3, "the providers")
        servers = [self.allocate("0000:84:00.0", 2), self.allocate("0000:86:00.0")]
        wait_for(lambda: len(self.host.mdevs()) == 3, "the devices")
        held = sorted(self.host.mdevs())[0]
        self.agent.define_domain(servers[0], [held])
        self.agent.settle()
        self.assertEqual(self.agent.stop(), 0)

    def change_over(self, there):
        """No device is touched, and nothing is written there."""
        relay = self.start_relay(there)
        devices, stores, before = self.host.mdevs(), self.host.stores(), self.tree()
        old = self.agent.file.read_text()
        old_url = self.placement.url
        self.assertEqual(old.count(old_url), 1)
        self.agent.file.write_text(old.replace(old_url, relay.url))
        self.placement = there
        standing = self.tree()
        self.assertEqual({name: provider["uuid"] for name, provider in standing.items()},
                         {name: provider["uuid"] for name, provider in before.items()})
        self.agent.start()
        wait_for(lambda: self.agent.try_to("allocations").returncode == 0, "a cycle")
        wait_for(lambda: len(relay.requests) > 20, "some cycles")
        self.agent.settle()
        self.assertEqual((self.host.mdevs(), self.host.stores()), (devices, stores))
        self.assertEqual({r.method for r in relay.requests}, {"GET"})
        self.assertEqual(self.tree(), standing)  # with the generations
        self.agent.run("status")
        # So it is where the daemon only reads its files again: the way back.
        self.agent.file.write_text(old)
        self.agent.run("reload")
        self.agent.settle()
        wait_for(lambda: self.agent.try_to("status").returncode == 0, "all is well")
        self.assertEqual((self.host.mdevs(), self.host.stores()), (devices, stores))
        self.agent.file.write_text(old.replace(old_url, relay.url))
        self.agent.run("reload")
        # And it works on: the next guest gets its device.
        self.allocate("0000:85:00.0")
        wait_for(lambda: len(self.host.mdevs()) == 4, "the new device")
