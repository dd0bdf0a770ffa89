"""What is not the agent's stays as it is: random hosts, with other people's devices,
definitions, guests, providers and values, through random allocations and releases."""
import contextlib
import json
import os
import pathlib
import random
import uuid

from support.host import load_description, store
from support.world import WorldTest, differences

EXHAUSTIVE = "EXHAUSTIVE" in os.environ
SEEDS = range(24) if EXHAUSTIVE else (11, 12, 17)
STEPS = 40 if EXHAUSTIVE else 12
OPERATORS_CLASS = "CUSTOM_OPERATORS"


def random_host(rng):
    """Some cards of each kind, with few types each."""
    description = load_description("mixed")
    for model in description["models"].values():
        model["types"] = rng.sample(model["types"], min(3, len(model["types"])))
    description["cards"] = rng.sample(description["cards"], rng.randint(2, 4))
    return description


class World(WorldTest):
    """What the test knows of what is not the agent's, and what it may not touch."""

    def build_random(self, seed):
        self.rng = random.Random(seed)
        description = random_host(self.rng)
        self.models = {os.path.basename(card["path"]):
                       description["models"][card["model"]]
                       for card in description["cards"]}
        self.build_world(description, self.random_types())
        self.root_uuid = self.new_uuid()
        self.placement.create_provider(self.root_name, self.root_uuid)
        self.make_other_host()
        self.mdevs = {}  # other people's: uuid: (parent, type)
        self.live = {}  # consumer: provider
        self.traits, self.inventories, self.values = {}, {}, {}  # by provider
        self.aggregates = {}
        self.seen = 0  # stores that were looked at
        self.cleared = set()  # devices of others that a consumer got

    def new_uuid(self):
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def random_types(self):
        """Most cards have a type, some are nobody's business."""
        types = {}
        for card, model in self.models.items():
            if self.rng.random() < 0.8:
                type_id = self.rng.choice(model["types"])["id"]
                types.setdefault(type_id, []).append(card)
        return {"devices": {"enabled_mdev_types": sorted(types)},
                **{f"mdev_{type_id}": {"device_addresses": cards}
                   for type_id, cards in types.items()}}

    def children(self):
        """The agent's providers."""
        return [p["uuid"] for p in self.placement.tree(self.root_uuid).values()
                if "CUSTOM_OWNER_VGPU_AGENT" in self.placement.traits(p["uuid"])]

    def parents(self):
        """(parent, types) of all that can have devices."""
        return [(path.name, [t.name for t in (path / "mdev_supported_types").iterdir()])
                for path in sorted((self.host.root / "class/mdev_bus").iterdir())]

    # Other people at work.

    def make_mdev(self):
        parent, types = self.rng.choice(self.parents())
        type_id, device = self.rng.choice(sorted(types)), self.new_uuid()
        if self.host.create(parent, type_id, device) == "OK":
            self.mdevs[device] = (parent, type_id)
            parameters = self.host.root / f"bus/mdev/devices/{device}/nvidia/vgpu_params"
            if parameters.exists():
                self.assertEqual(store(parameters, f"owner={device[:8]}\n"), "OK")
        self.seen = len(self.host.stores())

    def any_device(self):
        return self.rng.choice(sorted(self.host.mdevs()) or [self.new_uuid()])

    def define_in_mdevctl(self):
        parent, _ = self.rng.choice(self.parents())
        folder = self.agent.host_root / "etc/mdevctl.d" / parent
        folder.mkdir(exist_ok=True)
        (folder / self.any_device()).write_text('{"start": "manual"}')

    def undefine_in_mdevctl(self):
        files = sorted((self.agent.host_root / "etc/mdevctl.d").glob("*/*"))
        if files:
            self.rng.choice(files).unlink()

    def define_guest(self):
        consumers = sorted(self.live)
        guest = self.rng.choice(consumers) if consumers and self.rng.random() < 0.7 \
            else self.new_uuid()
        self.agent.define_domain(guest, {self.any_device() for _ in range(2)},
                                 running=self.rng.random() < 0.5)

    def undefine_guest(self):
        files = sorted(self.agent.host_root.glob("*/libvirt/qemu/*.xml"))
        if files:
            self.rng.choice(files).unlink()

    def open_group(self):
        link = self.host.root / "bus/mdev/devices" / self.any_device() / "iommu_group"
        pid = self.rng.randint(100, 30000)
        if link.is_symlink() and not (self.agent.host_root / f"proc/{pid}").exists():
            self.agent.hold_group(pid, os.path.basename(os.readlink(link)))

    def close_group(self):
        links = self.open_groups()
        if links:
            self.rng.choice(links).unlink()

    def open_groups(self):
        # Only a pattern finds links that lead nowhere.
        return sorted(self.agent.host_root.glob("proc/*/fd/[0-9]*"))

    # Operators at work on the agent's providers.

    def set_operators_traits(self):
        provider = self.rng.choice(self.children())
        before = self.traits.get(provider, set())
        self.traits[provider] = {f"CUSTOM_OPERATOR_{i}" for i in range(4)
                                 if self.rng.random() < 0.5}
        for trait in self.traits[provider]:
            self.placement.expect((201, 204), "PUT", f"/traits/{trait}")
        self.placement.set_traits(
            provider, self.placement.traits(provider) - before | self.traits[provider])

    def set_operators_inventory(self):
        provider = self.rng.choice(self.children())
        self.placement.expect((201, 204), "PUT", f"/resource_classes/{OPERATORS_CLASS}")
        mine = {"total": self.rng.randint(1, 9), "reserved": 1, "min_unit": 1,
                "max_unit": 2, "step_size": 1, "allocation_ratio": 1.5}
        self.inventories[provider] = mine
        self.placement.set_inventories(
            provider, {**self.placement.inventories(provider), OPERATORS_CLASS: mine})

    def set_operators_values(self):
        self.set_values(self.rng.choice(self.children()))

    def set_values(self, provider):
        inventories = self.placement.inventories(provider)
        if "VGPU" not in inventories:
            return
        values = {"reserved": self.rng.choice((0, 0, 1, 2)),
                  "allocation_ratio": self.rng.choice((1.0, 1.0, 0.5))}
        if values["reserved"] > inventories["VGPU"]["total"]:
            return
        inventories["VGPU"].update(values)
        self.placement.set_inventories(provider, inventories)
        self.values[provider] = values

    def set_operators_aggregates(self):
        provider = self.rng.choice(
            [p["uuid"] for p in self.placement.tree(self.root_uuid).values()])
        generation = self.placement.get(f"/resource_providers/{provider}")["generation"]
        self.aggregates[provider] = sorted(self.new_uuid() for _ in range(2))
        self.placement.expect(200, "PUT", f"/resource_providers/{provider}/aggregates", {
            "aggregates": self.aggregates[provider],
            "resource_provider_generation": generation})

    def make_provider(self):
        """Below the root, with all that one can have."""
        provider = self.new_uuid()
        self.placement.create_provider(f"numa-{provider}", provider, self.root_uuid)
        self.placement.set_inventories(provider, {"VCPU": {"total": 8}, "VGPU": {"total": 2}})
        self.placement.set_traits(provider, {"HW_NUMA_ROOT"})
        self.placement.allocate(self.new_uuid(), {provider: {"VCPU": 1, "VGPU": 1}})

    def make_other_host(self):
        """A tree of its own, whose agent is elsewhere."""
        root, child = self.new_uuid(), self.new_uuid()
        self.placement.create_provider("other.example", root)
        self.placement.create_provider(f"{self.root_name}_elsewhere", child, root)
        self.placement.expect((201, 204), "PUT", "/traits/CUSTOM_OWNER_VGPU_AGENT")
        self.placement.set_traits(child, {"CUSTOM_OWNER_VGPU_AGENT"})
        self.placement.set_inventories(child, {"VGPU": {"total": 4}})
        self.placement.allocate(self.new_uuid(), {child: {"VGPU": 2}})

    # The cloud at work.

    def allocate_some(self):
        provider, server = self.rng.choice(self.children()), self.new_uuid()
        answer = self.placement.request("PUT", f"/allocations/{server}", {
            "allocations": {provider: {"resources": {"VGPU": self.rng.randint(1, 3)}}},
            "project_id": "p", "user_id": "u", "consumer_generation": None,
            "consumer_type": "INSTANCE"})
        if answer.status == 204:
            self.live[server] = provider

    def release_one(self):
        if self.live:
            server = self.rng.choice(sorted(self.live))
            self.placement.deallocate(server)
            del self.live[server]

    def lose_journal(self):
        file = self.options["state_file"]
        if self.rng.random() < 0.5:
            file.write_text('{"version": 1, "rebui')
        else:
            file.unlink()

    # What must be so.

    def foreign(self):
        """All that is not the agent's, in full; generations tell of writes, too."""
        ours = set(self.children())
        providers = self.placement.get("/resource_providers")["resource_providers"]
        found = {f"provider {p['name']}": (p, self.look_at_provider(p),
                                           self.allocations_of(p["uuid"]))
                 for p in providers if p["uuid"] not in ours}
        for child in ours:
            inventories = self.placement.inventories(child)
            found[f"on {child}"] = {
                "traits": sorted(t for t in self.placement.traits(child)
                                 if t.startswith("CUSTOM_OPERATOR_")),
                "inventory": inventories.get(OPERATORS_CLASS),
                "aggregates": self.look_at_provider({
                    "name": "", "uuid": child, "parent_provider_uuid": ""})["aggregates"]}
        found["files"] = {str(file): self.look_at_file(file)
                          for folder in ("etc", "run")
                          for file in (self.agent.host_root / folder).rglob("*")}
        found["mdevs"] = {device: (where, self.look_at_mdev(device))
                          for device, where in self.host.mdevs().items()
                          if device in self.mdevs}
        return found

    @staticmethod
    def look_at_file(file):
        seen = file.stat()
        return (seen.st_mode, seen.st_uid, seen.st_mtime_ns,
                file.read_bytes() if file.is_file() else None)

    def look_at_mdev(self, device):
        """All that its folder says, and who may write there."""
        found = {}
        folder = self.host.root / "bus/mdev/devices" / device
        for base, _, files in os.walk(folder):
            for name in files:
                file = pathlib.Path(base) / name
                mode = file.lstat().st_mode
                found[str(file.relative_to(folder))] = (
                    mode, file.read_text() if mode & 0o444 and not file.is_symlink()
                    else None)
        return found

    def without_cleared(self, found):
        """The parameters of a device that a consumer got are not its maker's any more."""
        for device, (_, files) in found["mdevs"].items():
            if device in self.cleared:
                files.pop("nvidia/vgpu_params", None)
        return found

    def allocations_of(self, provider):
        return self.placement.get(
            f"/resource_providers/{provider}/allocations")["allocations"]

    def expected_on_children(self):
        for child in self.children():
            seen = self.look_at_provider({"name": "", "uuid": child,
                                          "parent_provider_uuid": ""})
            self.assertEqual({t for t in seen["traits"] if "OPERATOR_" in t},
                             self.traits.get(child, set()))
            self.assertEqual(seen["inventories"].get(OPERATORS_CLASS),
                             self.inventories.get(child))
            self.assertEqual(seen["aggregates"], self.aggregates.get(child, []))
            self.check_values(child, seen["inventories"].get("VGPU"))

    def check_values(self, child, inventory):
        values = self.values.get(child, {"reserved": 0, "allocation_ratio": 1.0})
        if inventory:
            name = self.placement.get(f"/resource_providers/{child}")["name"]
            self.assertEqual(inventory["allocation_ratio"], values["allocation_ratio"],
                             name)
            self.assertEqual(inventory["reserved"],
                             min(values["reserved"], inventory["total"]), name)

    def protected(self):
        """Devices that must not be written `remove`."""
        return set(self.mdevs) | self.in_use()

    def in_use(self):
        """Devices that somebody has: nothing of them may be written."""
        found = set()
        for file in self.agent.host_root.glob("*/libvirt/qemu/*.xml"):
            found |= {d for d in self.host.mdevs() if d in file.read_text()}
        found |= {f.name for f in self.agent.host_root.glob("etc/mdevctl.d/*/*")}
        groups = {os.path.basename(os.readlink(link))
                  for link in self.open_groups()}
        for device in self.host.mdevs():
            group = self.host.root / "bus/mdev/devices" / device / "iommu_group"
            if os.path.basename(os.readlink(group)) in groups:
                found.add(device)
        return found

    def check_stores(self, protected, in_use):
        """What nobody has is cleared when a consumer gets it, and only then."""
        stores = self.host.stores()[self.seen:]
        self.seen += len(stores)
        for store in stores:
            parts = store["path"].split("/")
            if parts[-1] == "vgpu_params":
                self.assertEqual(store["value"], " ")
                self.assertNotIn(parts[-3], in_use, store)
                self.cleared.add(parts[-3])
                continue
            self.assertIn(parts[-1], ("create", "remove"), store)
            self.assertEqual(len(store["value"].strip()), 36 if parts[-1] == "create" else 1)
            if parts[-1] == "remove":
                self.assertNotIn(parts[-2], protected, store)

    def check_allocations(self):
        """Each is met, or it is said why not."""
        devices, rows = self.host.mdevs(), self.agent.json("allocations")
        taken = [d for row in rows for d in row["mdevs"]]
        self.assertEqual(len(taken), len(set(taken)), rows)
        for server in self.live:
            # What its guest is configured with beyond its allocation is a row of its own.
            mine = [row for row in rows if row["consumer"] == server and row["state"] != "releasing"]
            self.assertEqual(len(mine), 1, (server, rows))
            if mine[0]["state"] in ("ready", "in use"):
                self.assertEqual(len(mine[0]["mdevs"]), mine[0]["units"], mine)
                self.assertLessEqual(set(mine[0]["mdevs"]), set(devices))
            else:
                self.assertTrue(mine[0]["reason"], mine)

    # A cycle, and the end.

    def cycle(self, what):
        """One sync, and nothing of others' has changed."""
        with self.nothing_foreign_changes(what):
            done = self.agent.try_to("sync")
            self.assertIn(done.returncode, (0, 1), (what, done))
        self.expected_on_children()
        self.check_allocations()

    @contextlib.contextmanager
    def nothing_foreign_changes(self, what):
        before, protected, in_use = self.foreign(), self.protected(), self.in_use()
        yield
        self.check_stores(protected, in_use)
        before, after = self.without_cleared(before), self.without_cleared(self.foreign())
        # The first sync makes the agent's own providers.
        changed = differences(json_like(after), json_like({k: after[k] for k in after
                                                           if k not in before} | before))
        self.assertEqual(changed, [], what)

    def end_all(self):
        """When all have gone, so have the agent's devices, and only they."""
        for server in sorted(self.live):
            self.placement.deallocate(server)
        self.live.clear()
        for pattern in ("*/libvirt/qemu/*.xml", "etc/mdevctl.d/*/*", "proc/*/fd/*"):
            for file in self.agent.host_root.glob(pattern):
                file.unlink()
        for _ in range(4):
            self.cycle("the end")
        # One that was lost is made anew when there is something to write.
        if self.options["state_file"].exists():
            journal = json.loads(self.options["state_file"].read_text())
            self.assertEqual(journal["devices"], [])
        for device, where in self.mdevs.items():
            self.assertEqual(self.host.mdevs().get(device), where)


ACTIONS = {
    World.allocate_some: 8, World.release_one: 5, World.make_mdev: 2,
    World.define_in_mdevctl: 1, World.undefine_in_mdevctl: 1, World.define_guest: 3,
    World.undefine_guest: 3, World.open_group: 2, World.close_group: 2,
    World.set_operators_traits: 1, World.set_operators_inventory: 1,
    World.set_operators_values: 1, World.set_operators_aggregates: 1,
    World.make_provider: 1, World.lose_journal: 0.3,
}


class Foreign(World):
    def go_through(self, seed):
        self.build_random(seed)
        for _ in range(self.rng.randint(0, 6)):
            self.make_mdev()
        self.cycle("the first")
        if not self.children():
            return
        for number in range(STEPS):
            actions = self.rng.choices(list(ACTIONS), ACTIONS.values(),
                                       k=self.rng.randint(1, 4))
            for action in actions:
                action(self)
            self.cycle(f"{number}: {[action.__name__ for action in actions]}")
        self.end_all()


def json_like(value):
    if isinstance(value, dict):
        return {key: json_like(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_like(item) for item in value]
    return value


for a_seed in SEEDS:
    setattr(Foreign, f"test_seed_{a_seed}", lambda self, seed=a_seed: self.go_through(seed))
