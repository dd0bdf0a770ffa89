"""All that a host's agent can change, seen at once and put back: what the tests compare
that disturb a run at one point after the other."""
import json
import shutil
import uuid

from .fleet import GUIDE_TYPES, FleetTest, child_name
from .host import load_description
from .process import wait_for


A, B, C = "0000:84:00.0", "0000:85:00.0", "0000:86:00.0"


def small_host():
    """Three GPUs of Nova's guide with three types each: quick to look at."""
    description = load_description("nova-guide")
    for model in description["models"].values():
        model["types"] = model["types"][:3]
    description["cards"] = description["cards"][:3]
    return description


def comparable(journal):
    """When a device was released is different in every run, and the order does not
    matter. A trait or class whose maker is not certain, since a reply was lost, is not
    noted as the agent's."""
    for device in journal["devices"]:
        if device.get("released_at"):
            device["released_at"] = 1
    for listed in ("devices", "providers"):
        journal[listed].sort(key=lambda entry: entry["uuid"])
    for changing in ("checksum", "boot", "booted_at", "made_traits", "made_classes",
                     "seen", "doubted_since", "replaced_at"):
        journal.pop(changing, None)
    return journal


def differences(found, expected, where=""):
    """Lines that say what is not the same in two structures as of JSON."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return [line for key in sorted({**found, **expected})
                for line in differences(found.get(key), expected.get(key),
                                        f"{where}/{key}")]
    if isinstance(found, list) and isinstance(expected, list) and \
            len(found) == len(expected):
        return [line for i, pair in enumerate(zip(found, expected))
                for line in differences(*pair, f"{where}/{i}")]
    return [] if found == expected else [f"{where}: {found}, not {expected}"]


class WorldTest(FleetTest):
    """`self.look()` gives what there is, `self.put_back()` makes it so again."""

    def build_world(self, host=None, types=GUIDE_TYPES, **options):
        self.state_directory = self.subdirectory("state")
        self.build(host or small_host(), types,
                   state_file=self.state_directory / "state.json", **options)

    def look(self):
        return {"providers": self.look_at_providers(), "traits": self.custom_traits(),
                "allocations": self.look_at_allocations(), "mdevs": self.host.mdevs(),
                "files": self.look_at_files()}

    def look_at_providers(self):
        """What the server has in our tree; of a server of our own, all."""
        if self.placement.is_own:
            found = self.placement.get("/resource_providers")["resource_providers"]
        else:
            root = self.placement.provider(self.root_name)
            found = self.placement.tree(root["uuid"]).values() if root else []
        return sorted((self.look_at_provider(p) for p in found),
                      key=lambda provider: provider["name"])

    def look_at_provider(self, provider):
        uuid = provider["uuid"]
        aggregates = self.placement.get(f"/resource_providers/{uuid}/aggregates")
        return {"name": provider["name"], "uuid": uuid,
                "parent": provider["parent_provider_uuid"],
                "inventories": self.placement.inventories(uuid),
                "traits": sorted(self.placement.traits(uuid)),
                "aggregates": sorted(aggregates["aggregates"])}

    def custom_traits(self):
        if not self.placement.is_own:
            return []
        return sorted(self.placement.get("/traits?name=startswith:CUSTOM_")["traits"])

    def look_at_allocations(self):
        """{consumer: {provider: {class: amount}}}"""
        found = {}
        for provider in self.look_at_uuids():
            allocations = self.placement.get(
                f"/resource_providers/{provider}/allocations")["allocations"]
            for consumer, allocation in allocations.items():
                found.setdefault(consumer, {})[provider] = allocation["resources"]
        return found

    def look_at_uuids(self):
        root = self.placement.provider(self.root_name)
        if not root:
            return []
        return [p["uuid"] for p in self.placement.tree(root["uuid"]).values()]

    def look_at_files(self):
        """The state's files, and what the journal says. Whether a daemon has left its
        list of problems, how guests stand, or what came of a reload, is no matter."""
        journal = self.options["state_file"]
        found = dict.fromkeys(file.name for file in self.state_directory.iterdir()
                              if file.name not in (f"{journal.name}.problems", f"{journal.name}.guests",
                                                   f"{journal.name}.reload"))
        if journal.name in found:
            found[journal.name] = comparable(json.loads(journal.read_text()))
        return found

    # Back again.

    def keep(self):
        """What put_back() needs."""
        kept = self.look()
        kept["bytes"] = {file.name: file.read_bytes()
                         for file in self.state_directory.iterdir()}
        return kept

    def put_back(self, kept):
        self.host.control("clear")
        self.wait_for_kernel()
        there = self.look_at_allocations()
        if there != kept["allocations"]:
            for consumer in there:
                self.placement.deallocate(consumer)
        self.put_back_providers(kept["providers"])
        for trait in set(self.custom_traits()) - set(kept["traits"]):
            self.placement.expect(204, "DELETE", f"/traits/{trait}")
        if there != kept["allocations"]:
            for consumer, allocation in kept["allocations"].items():
                self.placement.allocate(consumer, allocation)
        self.put_back_mdevs(kept["mdevs"])
        shutil.rmtree(self.state_directory)
        self.state_directory.mkdir()
        for name, data in kept["bytes"].items():
            (self.state_directory / name).write_bytes(data)
        self.host.control("forget")

    def put_back_providers(self, kept):
        there = {p["uuid"]: p for p in self.look_at_providers()}
        # Children first, whose names are longer: a provider with children is not deleted.
        gone = [p for p in there.values() if p["uuid"] not in [k["uuid"] for k in kept]]
        for provider in sorted(gone, key=lambda p: -len(p["name"])):
            self.placement.expect(204, "DELETE", f"/resource_providers/{provider['uuid']}")
        for provider in sorted(kept, key=lambda p: len(p["name"])):
            uuid, now = provider["uuid"], there.get(provider["uuid"])
            if not now:
                self.placement.create_provider(provider["name"], uuid, provider["parent"])
                now = {"inventories": {}, "traits": []}
            if now["inventories"] != provider["inventories"]:
                self.placement.set_inventories(uuid, provider["inventories"])
            if now["traits"] != provider["traits"]:
                for trait in provider["traits"]:  # `prune` may have deleted it
                    if trait.startswith("CUSTOM_"):
                        self.placement.expect((201, 204), "PUT", f"/traits/{trait}")
                self.placement.set_traits(uuid, provider["traits"])

    def put_back_mdevs(self, kept):
        there = self.host.mdevs()
        for uuid in there:
            if there[uuid] != kept.get(uuid):
                self.assertEqual(self.host.remove(uuid), "OK")
        for uuid, (parent, type_id) in kept.items():
            if there.get(uuid) != (parent, type_id):
                self.assertEqual(self.host.create(parent, type_id, uuid), "OK")

    # To the end.

    standing = ""  # what is said of what stays as it is

    def settle(self):
        """Synchronises until there is nothing to do."""
        for _ in range(6):
            self.wait_for_kernel()
            done = self.agent.try_to("sync")
            self.assertIn(done.returncode, (0, 1), done)
            if done.stdout == "nothing to do\n":
                self.assertEqual((done.returncode, done.stderr),
                                 (1, self.standing) if self.standing else (0, ""))
                return
        self.fail(f"the sixth sync still has something to do:\n{done.stdout}{done.stderr}")

    def wait_for_kernel(self):
        wait_for(lambda: all(s["result"] != "pending" for s in self.host.stores()),
                 "what the kernel is at")


def consumer(name):
    """The same in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


NOVA = {"mode": "nova", "create_root": "false"}


class CaseTest(WorldTest):
    """A case is what leads to its beginning; its end is what the agent then makes of it
    when nobody disturbs it: by the case's command, and then by cycles."""
    sections = GUIDE_TYPES
    world_options = {"nova": NOVA, "nova_another_type": NOVA, "nova_reboot": NOVA}
    command = ("sync",)

    def reconfigure(self, sections):
        self.agent.configure({"agent": self.options, **sections})

    def begin_first(self):
        """Nothing is known of the host."""

    def begin_allocations(self):
        self.settle()
        self.allocate(A, 2, consumer("a"))
        self.allocate(B, 1, consumer("b"))

    def begin_release(self):
        self.begin_allocations()
        self.settle()
        self.placement.deallocate(consumer("a"))

    def begin_release_in_use(self):
        """A guest goes on with what it had."""
        self.begin_allocations()
        self.settle()
        self.agent.define_domain(consumer("a"), self.devices_of(A, consumer("a"), 2))
        self.placement.deallocate(consumer("a"))

    def begin_removal(self):
        """The grace period is over."""
        self.begin_release()
        self.agent.run("sync")

    def begin_move(self):
        """One goes, another comes."""
        self.begin_release()
        self.allocate(A, 1, consumer("c"))

    def begin_another_type(self):
        self.settle()
        self.reconfigure(ANOTHER_TYPE)

    def begin_another_type_in_use(self):
        """Nothing is destroyed, and nothing new is offered."""
        self.begin_allocations()
        self.settle()
        self.reconfigure(ANOTHER_TYPE)

    def begin_several_types(self):
        """One type becomes several; what is allocated stays, and one more comes."""
        self.begin_allocations()
        self.settle()
        self.reconfigure(SEVERAL_TYPES)
        self.allocate(A, 1, consumer("c"))

    def begin_retirement(self):
        """The last of its type is taken out of the files."""
        self.settle()
        self.allocate(C, 1, consumer("c"))
        self.settle()
        self.reconfigure(WITHOUT_C)
        self.standing = (f"vgpu-agent: {C}: no type is configured for it any more: held back "
                         "until it is pruned (`vgpu-agent prune`) or configured again\n")

    def begin_prune(self):
        self.settle()
        self.reconfigure(WITHOUT_C)
        self.agent.try_to("sync")
        self.command = ("prune",)

    def begin_drain(self):
        self.begin_allocations()
        self.settle()
        self.command = ("drain", A)

    def begin_undrain(self):
        self.begin_drain()
        self.finish()
        self.command = ("undrain", A)

    def begin_reboot(self):
        self.begin_allocations()
        self.settle()
        self.lose_devices()

    def lose_devices(self):
        for device in self.host.mdevs():
            self.assertEqual(self.host.remove(device), "OK")
        self.command = ("restore",)

    def begin_nova(self):
        """Nova has made the providers; the traits are missing."""
        root = consumer("root")
        self.placement.create_provider(self.root_name, root)
        for card in (A, B, C):
            child = consumer(card)
            self.placement.create_provider(f"{self.root_name}_{child_name(card)}", child,
                                           root)
            self.placement.set_inventories(child, {"VGPU": {"total": 16, "max_unit": 16}})

    def begin_nova_another_type(self):
        self.begin_nova()
        self.settle()
        self.reconfigure(ANOTHER_TYPE)

    def begin_nova_reboot(self):
        """A guest's device, which Nova has made."""
        self.begin_nova()
        self.settle()
        server, device = self.allocate(A, 1, consumer("a")), consumer("device")
        self.assertEqual(self.host.create(A, "nvidia-35", device), "OK")
        self.agent.define_domain(server, [device])
        self.settle()
        self.lose_devices()

    def prepare(self, case):
        """The case's beginning and end as self.before and self.after."""
        self.build_world(types=self.sections, **self.world_options.get(case, {}))
        getattr(self, f"begin_{case}")()
        self.before = self.keep()
        self.put_back(self.before)
        self.finish()
        self.after = self.look()
        self.changes = self.device_changes()

    def finish(self):
        """The command, if it is not done by cycles alone, and then cycles to the end."""
        if self.command != CaseTest.command:
            self.agent.try_to(*self.command)
        self.settle()

    def device_changes(self):
        """The stores that changed something, in any order; to clear a device twice is as
        good as once."""
        stores = [(s["path"].rsplit("/", 1)[1], s["path"], s["value"])
                  for s in self.host.stores() if s["result"] == "OK"]
        return sorted([s for s in stores if s[0] != "vgpu_params"] +
                      list({s for s in stores if s[0] == "vgpu_params"}))

    def check_end(self):
        self.assertEqual(differences(self.look(), self.after), [])
        self.assertEqual(self.device_changes(), self.changes)


ANOTHER_TYPE = {**GUIDE_TYPES, "mdev_nvidia-35": {"device_addresses": [A]},
                "mdev_nvidia-36": {"device_addresses": [B, C]}}
SEVERAL_TYPES = {"devices": {"enabled_mdev_types": ["nvidia-35", "nvidia-36"]},
                 "mdev_nvidia-35": {"device_addresses": [A, B], "several_types": "true"},
                 "mdev_nvidia-36": {"device_addresses": [A, C], "several_types": "true"}}
WITHOUT_C = {"devices": {"enabled_mdev_types": ["nvidia-35"]},
             "mdev_nvidia-35": {"device_addresses": [A, B]}}
