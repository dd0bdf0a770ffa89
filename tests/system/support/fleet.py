"""The hosts of the main job, with their configuration, ready to be synchronised."""
import json
import pathlib
import uuid

from .case import SystemTest

GUIDE_TYPES = {
    "devices": {"enabled_mdev_types": ["nvidia-35", "nvidia-36"]},
    "mdev_nvidia-35": {"device_addresses": ["0000:84:00.0", "0000:85:00.0"]},
    "mdev_nvidia-36": {"device_addresses": ["0000:86:00.0"]},
}


def child_name(address):
    """As libvirt calls the device: pci_0000_84_00_0."""
    return "pci_" + address.replace(":", "_").replace(".", "_")


def device_uuid(provider, consumer, index, resource_class="VGPU"):
    """The uuid that the agent gives to a consumer's device."""
    return str(uuid.uuid5(uuid.UUID(provider), f"{consumer}:{resource_class}:{index}"))


def new_uuid():
    return str(uuid.uuid4())


class FleetTest(SystemTest):
    """One host, its agent, and a Placement, by relay where `relayed`."""
    relayed = False

    def build(self, host, types, root="virtlab606.example", **options):
        self.host = self.start_host(host)
        self.placement = self.start_placement()
        self.relay = self.start_relay(self.placement) if self.relayed else None
        self.root_name = self.placement.name(root)
        self.types = types
        self.options = {"create_root": "true", "root_provider_name": self.root_name,
                        "release_grace": 0, "sync_interval": 1, **options}
        self.agent = self.make_agent(self.host, self.relay or self.placement,
                                     {"agent": self.options, **types})

    def build_guide(self, **options):
        """The host of Nova's guide."""
        self.build("nova-guide", GUIDE_TYPES, **options)

    def root(self):
        return self.placement.provider(self.root_name)["uuid"]

    def tree(self):
        """{"": root, "pci_0000_84_00_0": child, ...}"""
        prefix = len(self.root_name) + 1
        return {name[prefix:]: provider
                for name, provider in self.placement.tree(self.root()).items()}

    def child(self, address):
        """The uuid of a GPU's provider."""
        return self.tree()[child_name(address)]["uuid"]

    def totals(self):
        """{GPU's name: VGPU total}, of the children that have inventory. A daemon may delete one meanwhile."""
        found = {}
        for name, provider in self.tree().items():
            answer = self.placement.expect((200, 404), "GET", f"/resource_providers/{provider['uuid']}/inventories")
            inventory = answer.status == 200 and answer.json()["inventories"]
            if inventory:
                found[name] = inventory["VGPU"]["total"]
        return found

    def vgpus(self, address):
        """(total, reserved) of a GPU's VGPU inventory; None: it has none."""
        inventory = self.placement.inventories(self.child(address)).get("VGPU")
        return inventory and (inventory["total"], inventory["reserved"])

    def allocate(self, address, units=1, consumer=None):
        """A new consumer of so many devices of one GPU; its uuid."""
        consumer = consumer or new_uuid()
        self.placement.allocate(consumer, {self.child(address): {"VGPU": units}})
        self.addCleanup(self.forget, consumer)
        return consumer

    def rename(self, server, other):
        """As Nova does when a migration begins: one request moves the allocation."""
        mine = self.placement.get(f"/allocations/{server}")
        body = {"project_id": mine["project_id"], "user_id": mine["user_id"],
                "consumer_type": "INSTANCE"}
        self.placement.expect(204, "POST", "/allocations", {
            server: {**body, "allocations": {},
                     "consumer_generation": mine["consumer_generation"]},
            other: {**body, "consumer_generation": None, "allocations": {
                provider: {"resources": held["resources"]}
                for provider, held in mine["allocations"].items()}}})

    def forget(self, consumer):
        """A shared server keeps nothing of a test."""
        if not self.placement.is_own:
            self.placement.request("DELETE", f"/allocations/{consumer}")

    def devices_of(self, address, consumer, units=1):
        provider = self.child(address)
        return {device_uuid(provider, consumer, index) for index in range(units)}

    def devices_in_state_file(self, address, consumer, units=1):
        """Where the address is the host's choice."""
        file = self.options.get("state_file", self.agent.state_file)
        journal = json.loads(pathlib.Path(file).read_text())
        found = {d["address"] for d in journal["devices"]
                 if d["consumer"] == consumer and d["gpu"] == address}
        self.assertEqual(len(found), units)
        return found

    def named(self, device):
        """What a guest's XML has of a device."""
        return device

    def sync(self, status=0):
        return self.agent.run("sync", status=status)

    def sync_until_idle(self, most):
        """Whatever is not well: until nothing is left to do, which so many runs bring about."""
        for _ in range(most):
            self.agent.try_to("sync")
            if self.agent.is_idle():
                return
        self.fail(self.agent.run("plan", status=2))

    def settle(self):
        """As often as may be needed; nothing is left to do then."""
        for _ in range(3):
            self.sync()
        self.assertTrue(self.agent.is_idle())

    def row(self, consumer):
        """The only one of it that `allocations` has."""
        (row,) = [r for r in self.agent.json("allocations") if r["consumer"] == consumer]
        return row

    def states(self):
        """{consumer: [state, ...]}"""
        found = {}
        for row in self.agent.json("allocations"):
            found.setdefault(row["consumer"], []).append(row["state"])
        return found
