"""A host in a busy cloud: allocations, guests, other people's devices and operators' edits
come and go, as a seeded generator has it."""
import json
import os
import random
import signal
import time
import uuid

from .fleet import FleetTest, device_uuid
from .host import load_description
from .removals import Removals
from .watched import WatchedDaemon

SRIOV, INTEL = "0000:41:00.0", "0000:00:02.0"
VIRTUAL_FUNCTIONS = 4
# Few of each, so that a look is quick and there is a shortage now and then.
TYPES = {"0000:84:00.0": "nvidia-40", "10000:01:00.0": "nvidia-42",
         SRIOV: "nvidia-564", INTEL: "i915-GVTg_V5_4"}
# What the whole card gives of its type.
MOST = {"0000:84:00.0": 4, "10000:01:00.0": 2, SRIOV: 3, INTEL: 5}
OTHER_TYPES = {"0000:84:00.0": "nvidia-42", "10000:01:00.0": "nvidia-40",
               SRIOV: "nvidia-566", INTEL: "i915-GVTg_V5_8"}
MOST_UNITS = 4  # of an allocation
REFUSED_OR_NOT = (204, 400, 409)


def busy_host():
    """Cards of each way to share."""
    description = load_description("mixed")
    wanted = {*TYPES.values(), *OTHER_TYPES.values()}
    for model in description["models"].values():
        model["types"] = [t for t in model["types"] if t["id"] in wanted]
    description["cards"] = [card for card in description["cards"]
                            if os.path.basename(card["path"]) in TYPES]
    for card in description["cards"]:
        if "numvfs" in card:
            card["numvfs"] = VIRTUAL_FUNCTIONS
    return description


class Cloud(FleetTest):
    """`self.live` is what Placement has confirmed: {consumer: {card: units}}."""
    relayed = True

    def build_cloud(self, seed, valgrind):
        self.rng = random.Random(seed)
        self.live, self.guests, self.foreign = {}, {}, {}
        self.asked_for = set()  # the uuids that consumers' devices can have
        self.faults = {}  # what is wrong now: name: what ends it
        self.history = []
        sections = {f"mdev_{type_id}": {"device_addresses": [card]}
                    for card, type_id in TYPES.items()}
        self.build(busy_host(), {"devices": {"enabled_mdev_types": [*TYPES.values()]},
                                 **sections}, listen="0", sync_interval=5)
        self.agent.configure({"agent": self.options, **self.types,
                              "placement": {"timeout": 1}})
        self.agent.wrapper = self.valgrind = valgrind
        self.removals = Removals(self.host)
        self.cards = {parent.name: self.physical(parent)
                      for parent in (self.host.root / "class/mdev_bus").iterdir()}
        self.cycles_before = 0  # of daemons that are no more
        self.start_daemon()
        self.run_cycle()
        self.providers = {card: self.child(card) for card in TYPES}
        self.traits = {card: self.placement.traits(provider)
                       for card, provider in {**self.providers, "": self.root()}.items()}

    @staticmethod
    def physical(parent):
        link = parent / "physfn"
        return link.readlink().name if link.exists() else parent.name

    def new_uuid(self):
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def any_of(self, things):
        return self.rng.choice(sorted(things)) if things else None

    def any_card(self):
        return self.rng.choice(list(TYPES))

    def any_parent(self, card):
        return self.any_of([p for p, c in self.cards.items() if c == card])

    def cycles(self):
        return self.cycles_before + self.daemon.cycles

    def do(self, action):
        begin = time.monotonic()
        action(self)
        self.history.append((self.cycles(), action.__name__,
                             round(time.monotonic() - begin, 3)))

    def choose(self, actions):
        (action,) = self.rng.choices(list(actions), list(actions.values()))
        self.do(action)

    def start_daemon(self):
        self.daemon = WatchedDaemon(self.agent)

    def run_cycle(self):
        self.daemon.run_cycle()
        self.removals.cycle_ends()

    # ---- the cloud ----

    def put_allocation(self, consumer, wanted):
        """Placement may refuse: all is taken, the card is sick or has no provider."""
        if any(self.allocated(card) > 2 * MOST[card] for card in wanted):
            return  # overcommitted enough
        generation = self.placement.get(f"/allocations/{consumer}").get(
            "consumer_generation") if consumer in self.live else None
        answer = self.placement.request("PUT", f"/allocations/{consumer}",
                                        self.allocation(wanted, generation))
        self.assertIn(answer.status, REFUSED_OR_NOT, answer.body)
        if answer.status == 204:
            self.note(consumer, wanted)

    def allocation(self, wanted, generation):
        return {"allocations": {self.providers[card]: {"resources": {"VGPU": units}}
                                for card, units in wanted.items()},
                "project_id": "p", "user_id": "u", "consumer_generation": generation,
                "consumer_type": "INSTANCE"}

    def allocated(self, card):
        return sum(wanted.get(card, 0) for wanted in self.live.values())

    def note(self, consumer, wanted):
        self.removals.changes(consumer)
        if not wanted:
            self.live.pop(consumer, None)
            return
        self.live[consumer] = dict(wanted)
        # An index moves on where a uuid is another's already.
        self.asked_for |= {device_uuid(self.providers[card], consumer, index)
                           for card in wanted for index in range(2 * MOST_UNITS)}

    def any_wish(self):
        return {self.any_card(): self.rng.choice((1, 1, 1, 2, 2, 3, MOST_UNITS))}

    def allocate_some(self):
        self.put_allocation(self.new_uuid(), self.any_wish())

    def allocate_on_two(self):
        self.put_allocation(self.new_uuid(), {**self.any_wish(), **self.any_wish()})

    def change_amount(self):
        consumer = self.any_of(self.live)
        if consumer:
            (card, *_) = self.live[consumer]
            self.put_allocation(consumer, {card: self.rng.randint(1, MOST_UNITS)})

    def move(self):
        consumer = self.any_of(self.live)
        if consumer:
            self.put_allocation(consumer, self.any_wish())

    def rename(self):
        """As Nova does when a migration begins."""
        consumer, other = self.any_of(self.live), self.new_uuid()
        if not consumer:
            return
        wanted = self.live[consumer]
        generation = self.placement.get(
            f"/allocations/{consumer}")["consumer_generation"]
        answer = self.placement.request("POST", "/allocations", {
            consumer: self.allocation({}, generation),
            other: self.allocation(wanted, None)})
        # A sick card takes nobody new, not even under another name.
        self.assertIn(answer.status, REFUSED_OR_NOT, answer.body)
        if answer.status == 204:
            self.note(other, wanted)
            self.note(consumer, {})

    def release(self):
        consumer = self.any_of(self.live)
        if not consumer:
            return
        if self.rng.random() < 0.8:
            self.end_guest(consumer)
        if self.rng.random() < 0.5:
            self.placement.deallocate(consumer)
            self.note(consumer, {})
        else:
            self.put_allocation(consumer, {})

    def release_and_ask_again(self):
        consumer = self.any_of(self.live)
        if consumer:
            wanted = self.live[consumer]
            self.placement.deallocate(consumer)
            self.note(consumer, {})
            self.put_allocation(consumer, wanted)

    # ---- guests ----

    def start_guest(self):
        """With those of its consumer's devices that are there."""
        consumer = self.any_of(self.live)
        if not consumer or consumer in self.guests:
            return
        there = self.host.mdevs()
        mine = [device["uuid"] for device in self.journal()["devices"]
                if device["uuid"] in there and device["consumer"] == consumer
                and device["gpu"] in self.live[consumer]]
        if mine:
            self.guests[consumer] = self.agent.define_domain(
                consumer, mine, running=self.rng.random() < 0.7)
            self.removals.guest_begins(consumer, mine)

    def journal(self):
        return json.loads(self.agent.state_file.read_text())

    def end_guest(self, consumer=None):
        consumer = consumer or self.any_of(self.guests)
        if consumer in self.guests:
            self.removals.guest_ends(consumer)
            self.guests.pop(consumer).unlink()

    def open_group(self):
        """Some process has a device; here, as /proc tells of it."""
        device, pid = self.any_of(self.host.mdevs()), self.rng.randint(100, 30000)
        link = self.host.root / "bus/mdev/devices" / str(device) / "iommu_group"
        if link.is_symlink() and not (self.agent.host_root / f"proc/{pid}").exists():
            self.agent.hold_group(pid, link.readlink().name)

    def close_groups(self):
        for link in self.agent.host_root.glob("proc/*/fd/[0-9]*"):
            link.unlink()

    # ---- other people ----

    def make_foreign(self):
        if "kernel" in self.faults:
            return  # they would have to wait as well
        card = self.any_card()
        types = TYPES if self.rng.random() < 0.7 else OTHER_TYPES
        parent, device = self.any_parent(card), self.new_uuid()
        self.foreign[device] = (parent, types[card])
        if self.rng.random() < 0.7:
            self.agent.define_domain(device, [device], running=True)
        else:  # it is nobody's: the agent puts it to use, and makes it again if it is lost
            self.asked_for.add(device)
        if self.host.create(parent, types[card], device) != "OK":
            self.forget_foreign(device)

    def end_foreign(self):
        """Its owner takes it away, even if the agent has put it to use."""
        device = self.any_of(self.foreign)
        if not device or "kernel" in self.faults or f"held {device}" in self.faults:
            return
        self.removals.others[device] += 1
        if self.host.remove(device) == "OK":
            self.forget_foreign(device)

    def forget_foreign(self, device):
        del self.foreign[device]
        file = self.agent.host_root / f"run/libvirt/qemu/d-{device[:8]}.xml"
        file.unlink(missing_ok=True)

    def lose_foreign(self, card):
        """Nobody makes those again."""
        for device, (parent, _) in list(self.foreign.items()):
            if card in (None, self.cards[parent]):
                self.forget_foreign(device)

    # ---- operators ----

    def put_for_some(self, what, change):
        """Somebody edits a provider's inventory or traits, if it has any just now."""
        path = f"/resource_providers/{self.providers[self.any_card()]}/{what}"
        answer = self.placement.request("GET", path)
        if answer.status == 200 and answer.json()[what]:
            body = answer.json()
            change(body[what])
            self.placement.request("PUT", path, body)

    def edit_inventory(self):
        def change(inventories):
            inventory = inventories["VGPU"]
            out_of_service = inventory["reserved"] == inventory["total"]
            inventory["total"] = max(inventory["total"] + self.rng.choice((-1, 1)), 1)
            inventory["max_unit"] = inventory["total"]
            inventory["reserved"] = inventory["total"] if out_of_service else 0
        self.put_for_some("inventories", change)

    def overcommit(self):
        """More can be allocated than there is: some are not to be met."""
        ratio = self.rng.choice((1.0, 1.5))
        self.put_for_some("inventories",
                          lambda inventories: inventories["VGPU"].update(allocation_ratio=ratio))

    def take_traits(self):
        self.put_for_some("traits", list.clear)

    def delete_provider(self):
        self.placement.request(
            "DELETE", f"/resource_providers/{self.providers[self.any_card()]}")

    def drain(self):
        card = self.any_card()
        self.agent.try_to("drain", card)
        self.faults["drained"] = self.undrain

    def undrain(self):
        for card in TYPES:
            self.agent.try_to("undrain", card)

    def reload(self):
        self.daemon.process.popen.send_signal(signal.SIGHUP)


CLOUD = {
    Cloud.allocate_some: 16, Cloud.allocate_on_two: 1, Cloud.change_amount: 3,
    Cloud.move: 2, Cloud.rename: 2, Cloud.release: 6, Cloud.release_and_ask_again: 1,
    Cloud.start_guest: 4, Cloud.end_guest: 1, Cloud.open_group: 0.5,
    Cloud.close_groups: 0.5, Cloud.make_foreign: 0.6, Cloud.end_foreign: 0.6,
    Cloud.edit_inventory: 0.4, Cloud.take_traits: 0.4, Cloud.delete_provider: 0.4,
    Cloud.overcommit: 0.4, Cloud.reload: 0.3, Cloud.drain: 0.1,
}
