"""One host in a cloud: what is true of it, and what is to be seen. The steps that change it
are in nova.py and trouble.py, the rules in rules.py."""
import collections
import re

from .guests import UUID, Libvirt
from .rig import TYPES, Rig, now
from .rules import look_at_stores

PROJECT, USER = "5a5a5a5a-0000-4000-8000-000000000001", "5a5a5a5a-0000-4000-8000-000000000002"
OPERATORS_TRAIT, OPERATORS_CLASS = "CUSTOM_RACK_7", "CUSTOM_LICENSES"
OWNER_TRAIT = "CUSTOM_OWNER_VGPU_AGENT"
INVENTORY = {"reserved": 0, "min_unit": 1, "step_size": 1, "allocation_ratio": 1.0}


class Server:
    """`stage`: new, active, out, same, in, live, evacuated, orphan, shelved or gone.
    `domain` is libvirt's, or None."""

    def __init__(self, name, uuid):
        self.name, self.uuid, self.migration = name, uuid, None
        self.stage, self.domain, self.migrations = "gone", None, 0
        self.before = {}  # a resize: what it had


class World:
    def __init__(self, seed, mode, grace, interval, create_root):
        self.rig = self.make_rig(seed, mode)
        self.mode, self.cards, self.grace = mode, self.rig.cards, grace
        self.host, self.placement, self.agent = (
            self.rig.host, self.rig.placement, self.rig.agent)
        self.libvirt = Libvirt(self.rig)
        self.servers = {}  # name: Server
        self.allocations = {}  # consumer: {card, or "other": units}, as Placement took it
        self.instance_of = {}  # a migration's uuid: its server's
        self.foreign = {}  # device: how: named, held, mdevctl or idle
        self.strangers = {}  # device: the domain that names it
        self.reappeared = set()  # foreign ones that the agent made again: whose are they now
        self.lost, self.drained, self.cap = {}, set(), None  # card: how; cards; (card, most)
        self.bad_files = self.forgetful = False  # the state file was lost once
        self.printed = {}  # device: the consumer that it was printed for, while it has it
        self.assigned = {}  # device: (consumer, card) as `allocations` said at rest
        self.ended = {}  # device: when the allocation ended that it was for
        self.former = {}  # device: the consumer that had it until its allocation ended
        self.left_over = {}  # device: a LeftOver
        self.own_stores = collections.Counter()
        self.seen_stores = 0
        self.story = []
        self.in_use, self.made = {}, 0
        self.touched = set()  # consumers, since the last audit
        self.known, self.held_at_rest = {}, set()  # devices
        self.options = {"release_grace": grace, "sync_interval": interval, "listen": "0",
                        "root_provider_name": self.rig.root_name, "mode": mode}
        if create_root:
            self.options["create_root"] = "true"
        try:
            self.build(create_root)
        except BaseException:
            self.rig.close()
            raise

    make_rig = staticmethod(Rig)
    look_at_stores = look_at_stores

    def build(self, create_root):
        uuid = self.rig.uuid
        self.root = None if create_root else uuid("root")
        self.other_root, self.other = uuid("other root"), uuid("other")
        if self.root:
            self.placement.create_provider(self.rig.root_name, self.root)
            self.placement.set_inventories(self.root, {"VCPU": {"total": 64}})
            self.placement.set_traits(self.root, ["COMPUTE_NODE", "COMPUTE_TRUSTED_CERTS"])
        name = f"{uuid('other')[:8]}.example"
        self.placement.create_provider(name, self.other_root)
        self.placement.create_provider(f"{name}_pci_0000_84_00_0", self.other, self.other_root)
        self.placement.set_inventories(self.other, {"VGPU": {"total": 1000}})
        for custom in (OPERATORS_TRAIT,):
            self.placement.expect((201, 204), "PUT", f"/traits/{custom}")
        self.placement.expect((201, 204), "PUT", f"/resource_classes/{OPERATORS_CLASS}")
        self.configure()
        if self.mode == "nova":
            self.children = {card: uuid(card) for card in self.cards}
            for card, child in self.children.items():
                self.placement.create_provider(self.child_name(card), child, self.root)
            self.nova_reports()
        self.rig.start_daemon()
        self.rig.cycle(), self.rig.cycle()
        if create_root:
            self.root = self.placement.provider(self.rig.root_name)["uuid"]
        if self.mode == "owner":
            tree = self.placement.tree(self.root)
            self.children = {card: tree[self.child_name(card)]["uuid"] for card in self.cards}
        self.furnish()

    def furnish(self):
        """What others have in the tree; it must stay as it is."""
        self.strange = {"stranger": self.rig.uuid("strange provider")}
        child = self.strange["stranger"]
        self.placement.create_provider(f"{self.rig.root_name}_pci_0000_99_00_0", child,
                                       self.root)
        self.placement.set_inventories(child, {"VGPU": {"total": 3}})
        self.placement.set_traits(child, ["OWNER_NOVA", OPERATORS_TRAIT])
        first = self.children[self.cards[0]]
        self.placement.set_traits(first, self.placement.traits(first) | {OPERATORS_TRAIT})
        if self.mode == "owner":
            self.placement.set_inventories(
                first, {**self.placement.inventories(first), OPERATORS_CLASS: {"total": 5}})
        self.others_before = self.others()

    def others(self):
        """Everything in Placement that is not the agent's."""
        return {provider: (self.placement.inventories(provider),
                           self.placement.traits(provider))
                for provider in (self.root, self.other_root, self.other,
                                 *self.strange.values())}

    def child_name(self, card):
        return f"{self.rig.root_name}_pci_{card.replace(':', '_').replace('.', '_')}"

    def configure(self):
        sections = {f"mdev_{type_id}": {"device_addresses": []} for type_id in
                    sorted({TYPES[card] for card in self.cards})}
        for card in self.cards:
            sections[f"mdev_{TYPES[card]}"]["device_addresses"].append(card)
        if self.cap:
            sections[f"mdev_{TYPES[self.cap[0]]}"]["max_instances"] = self.cap[1]
        self.agent.configure({"agent": self.options, "placement": {"timeout": 5}, "devices": {
            "enabled_mdev_types": sorted({TYPES[card] for card in self.cards})}, **sections})

    def close(self):
        self.rig.close()

    # ---- allocations ----

    def body(self, consumer, wanted):
        known = self.placement.get(f"/allocations/{consumer}")
        return {"allocations": {self.provider(card): {"resources": {"VGPU": units}}
                                for card, units in wanted.items()},
                "project_id": PROJECT, "user_id": USER, "consumer_type": "INSTANCE",
                "consumer_generation": known.get("consumer_generation")}

    def provider(self, card):
        return self.other if card == "other" else self.children[card]

    def note(self, consumer, wanted):
        before = self.allocations.get(consumer, {})
        self.touched.add(consumer)
        if wanted:
            self.allocations[consumer] = dict(wanted)
        else:
            self.allocations.pop(consumer, None)
        for devices in (self.assigned, self.printed):
            for device, (owner, card) in list(devices.items()):
                if owner == consumer and wanted.get(card, 0) < before.get(card, 0):
                    self.ended.setdefault(device, now())
                    self.former[device] = owner
                    del devices[device]

    def put(self, consumer, wanted):
        """Whether Placement took it."""
        answer = self.placement.request("PUT", f"/allocations/{consumer}",
                                        self.body(consumer, wanted))
        return self.took(answer, {consumer: wanted})

    def post(self, wanted):
        """{consumer: wanted}, all or none."""
        answer = self.placement.request("POST", "/allocations", {
            consumer: self.body(consumer, some) for consumer, some in wanted.items()})
        return self.took(answer, wanted)

    def took(self, answer, wanted):
        if answer.status != 204:
            if answer.status not in (400, 409):
                raise AssertionError(f"{answer.status}: {answer.body}")
            return False
        for consumer, some in wanted.items():
            self.note(consumer, some)
        return True

    def drop(self, consumer, by_delete=True):
        if by_delete:
            self.placement.request("DELETE", f"/allocations/{consumer}")
            self.note(consumer, {})
        else:
            self.put(consumer, {})

    def family(self, consumer):
        """The server's and its migrations' uuids."""
        owner = self.instance_of.get(consumer, consumer)
        return {owner, *(m for m, o in self.instance_of.items() if o == owner)}

    def stands(self, consumer, card):
        """Whether the server has anything on that card, under any of its names."""
        return any(card in self.allocations.get(c, ()) for c in self.family(consumer))

    def here(self, consumer):
        return {card: units for card, units in self.allocations.get(consumer, {}).items()
                if card != "other"}

    @staticmethod
    def card_at(place):
        """Of what an allocation is on: a card's own provider is all that it has."""
        return place

    # ---- the host ----

    @staticmethod
    def devices_in(text):
        """Those that a command has printed."""
        return UUID.findall(re.sub(r"-uuid \S+", "", text))  # that one is the guest's

    def devices(self):
        """device: (card, type)."""
        return {device: (self.rig.card_of[parent], type_id)
                for device, (parent, type_id) in self.host.mdevs().items()}

    def make_by_hand(self, card, type_id, device):
        """On the first parent that takes it."""
        for parent in sorted(p for p, c in self.rig.card_of.items() if c == card):
            if not self.host.parent(parent).exists():
                continue
            self.own_stores["create", device] += 1
            if self.host.create(parent, type_id, device) == "OK":
                self.known[device] = card, type_id
                return True
        return False

    def remove_by_hand(self, device):
        self.own_stores["remove", device] += 1
        return self.host.remove(device) == "OK"

    def stores(self):
        """Those of the agent since the last call: (what, device, parent, type, result)."""
        for store in self.host.stores()[self.seen_stores:]:
            parts = store["path"].strip("/").split("/")
            what = parts[-1]
            if what == "create":
                if store["result"] == "pending":
                    return
                device, parent, type_id = store["value"].strip().lower(), parts[-4], parts[-2]
            elif what == "remove" and store["value"].strip() == "1":
                device, parent, type_id = parts[-2], None, None
            else:
                what = None
            self.seen_stores += 1
            if what and self.own_stores[what, device]:
                self.own_stores[what, device] -= 1
            elif what:
                yield what, device, parent, type_id, store["result"]

    def forget_stores(self):
        self.host.control("forget")
        self.seen_stores = 0
        self.own_stores.clear()

    # ---- nova-compute, in nova mode ----

    def nova_reports(self):
        """Its update of Placement: inventories are what the host offers."""
        devices = self.devices()
        for card, child in self.children.items():
            count = sum(place == (card, TYPES[card]) for place in devices.values())
            parents = [p for p, c in self.rig.card_of.items() if c == card]
            offered = count + sum(self.host.available(p, TYPES[card]) for p in parents
                                  if self.host.parent(p).exists())
            wanted = ({"VGPU": {**INVENTORY, "total": offered, "max_unit": offered}}
                      if offered else {})
            if self.placement.inventories(child) != wanted:
                body = {"resource_provider_generation": self.placement.get(
                    f"/resource_providers/{child}")["generation"], "inventories": wanted}
                self.placement.expect((200, 409), "PUT",
                                      f"/resource_providers/{child}/inventories", body)

    def nova_takes(self, card, taken):
        """A device for a new guest: one that no guest names, else a new one."""
        named = {*self.libvirt.names(), *taken}
        for device, place in sorted(self.devices().items()):
            if place == (card, TYPES[card]) and device not in named and (
                    device not in self.foreign):
                return device
        self.made += 1
        device = self.rig.uuid(f"mdev {self.made}")
        return device if self.make_by_hand(card, TYPES[card], device) else None
