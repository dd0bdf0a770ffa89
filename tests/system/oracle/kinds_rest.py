"""The rules of the judge of kinds at rest: when `plan` has nothing left to do.

  given, given-twice, own   a device is one consumer's, and nobody else names or holds it
  too-many, type            each unit has one device of the right type on the right card
  unmet, offered, hidden    in kinds_capacity.py
  promised                  what is offered at the end of the first cycle after a claim
  unclean                   a unit that was used is nobody else's before it is cleaned
  parameters, passed-on     what one consumer has set or left does not reach the next
  listed, status, others    `devices` and `status` tell the truth; what others made stays
  left, rest                no device stands without an allocation; quiet in the end
"""
import collections
import json

from .kinds_capacity import is_configured, is_plain, judge_capacity, stand_still
from .kinds_cards import WholeCards
from .kinds_functions import Fixed, VendorVfio, Xe
from .patience import CYCLES, LeftOver, settle, wait_for_what_is_due
from .seen import Host, read
from .wrong import Wrong


class View(Host):
    def __init__(self, world):
        super().__init__(world)
        self.rows = read(world, "allocations")
        self.listed = collections.defaultdict(list)  # (consumer, place): devices
        self.migrating, self.short = set(), {}
        for row in self.rows:
            place = world.place_named(row["provider"])
            if not place or not row["units"] or place not in world.allocations.get(row["consumer"], ()):
                continue
            key = row["consumer"], place
            self.listed[key] += row["mdevs"] or []
            if row["state"] == "migrating":
                self.migrating.add(key)
                self.listed[key] += self.standing(world, row, place)

    def standing(self, world, row, place):
        """A server that is migrated keeps its devices; they stand for the migration's units."""
        server = world.instance_of.get(row["consumer"])
        own = row["mdevs"] or []
        named = [d for d, users in self.named.items() if server in users and d not in own
                 and self.devices.get(d, [None])[0] == place[0]]
        return named[:max(row["units"] - len(own), 0)]


def look(world):
    """A server that came in the moment in which another lost its allocation can be taken for
    its migration, until somebody asks for its devices."""
    settle(world)
    view = View(world)
    mistaken = {consumer for consumer, _ in view.migrating} - set(world.instance_of)
    if mistaken:
        for consumer in mistaken:
            world.rig.ask("xml", consumer)
        settle(world)
        view = View(world)
        mistaken &= {consumer for consumer, _ in view.migrating}
        if mistaken:
            raise Wrong("given", f"{sorted(mistaken)} are servers, and are taken for migrations "
                        f"even after `xml`: {view.rows}")
    return view


def audit(world):
    calm(world)
    view = wait_for_what_is_due(world, judge_now)
    judge_parameters(world, view)
    judge_leaks(world, view)
    judge_others(world)
    judge_devices(world, view)
    judge_status(world, view)
    remember(world, view)
    return None


def calm(world):
    world.rig.thaw()
    if world.refused:
        world.host.control("clear")
        world.refused = False
    world.look_at_tree()


def remember(world, view):
    world.touched.clear()
    world.departed = False
    world.assigned = {}
    for (consumer, place), listed in view.listed.items():
        for device in listed:
            if device in view.devices and (consumer, place) not in view.short:
                world.assigned[device] = consumer, place
                world.ended.pop(device, None)
                world.dropped[device].add(consumer)
                if world.kind.one_time_use and (consumer, place) not in view.migrating:
                    world.users[place[0]] = consumer
    if world.kind.one_time_use:
        world.having = dict(collections.Counter(
            (consumer, *view.devices[device]) for (consumer, place), listed in view.listed.items()
            if (consumer, place) not in view.migrating for device in listed if device in view.devices))
    world.libvirt.kept, world.held_at_rest = world.libvirt.names(), set(view.held)


def judge_now(world):
    """What is seen, and what of it has not come yet; raises what must never be."""
    view = look(world)
    world.look_at_tree()
    judge_given(world, view)
    judge_met(world, view)
    return view, judge_capacity(world, view, stand_still(world, view))


# ---- who has what ----

def judge_given(world, view):
    seen = {}
    for (consumer, place), listed in view.listed.items():
        owner = world.instance_of.get(consumer, consumer)
        for device in listed:
            users = view.users(device) - {owner}
            if device not in world.held_at_rest or world.assigned.get(device, (None,))[0] in world.family(owner):
                users.discard("a process")  # which came later
            if users:
                raise Wrong("given", f"{consumer} is given {device} at {place}, which "
                            f"{sorted(users)} names or holds")
            if world.foreign.get(device, "idle") != "idle":
                raise Wrong("given", f"{consumer} is given {device}, which somebody else has "
                            f"({world.foreign[device]})")
            if device in seen:
                raise Wrong("given-twice", f"{device} is given to {seen[device]} and to {consumer}")
            seen[device] = consumer
            judge_clean(world, view, consumer, place, device)
    for domain in world.libvirt.domains.values():
        judge_own(world, view, domain, seen)


def judge_clean(world, view, consumer, place, device):
    before = world.dropped[device] - world.family(consumer)
    if isinstance(world.kind, Xe) and before and device in view.devices:
        raise Wrong("passed-on", f"{consumer} is given {device} with the memory that "
                    f"{sorted(before)} had")
    if world.kind.one_time_use and place[0] in world.unclean and world.kind.resource == "PGPU":
        raise Wrong("unclean", f"{consumer} is given {device}, which was used and not cleaned")


def judge_own(world, view, domain, seen):
    """What a guest has is its own as long as it has an allocation there."""
    for device in domain.devices:
        card = view.devices.get(device, [None])[0]
        units = sum(n for place, n in world.here(domain.uuid).items() if place[0] == card)
        mine = [d for d in domain.devices if view.devices.get(d, [None])[0] == card
                and d not in world.foreign]
        if device in mine and card not in world.lost and len(mine) <= units and (
                seen.get(device) not in world.family(domain.uuid)):
            raise Wrong("own", f"the guest {domain.uuid} has {device} and {units} allocated on "
                        f"{card}, but `allocations` gives the device to {seen.get(device)}")


def good_types(world, place):
    """Those that units of the place can be of."""
    return {world.type_of_suffix(place[1])} if place[1] else world.had[place[0]]


def judge_met(world, view):
    for consumer in world.allocations:
        for place, units in world.here(consumer).items():
            listed = view.listed[consumer, place]
            if len(listed) > units:
                raise Wrong("too-many", f"{consumer} has {units} at {place} and is given {listed}")
            if place[0] in world.lost or (consumer, place) in view.migrating:
                continue
            good = [d for d in listed if d in view.devices and view.devices[d][0] == place[0]
                    and view.devices[d][1] in good_types(world, place)]
            if len(good) < len([d for d in listed if d in view.devices]):
                raise Wrong("type", f"{consumer} has {units} at {place} and is given "
                            f"{[(d, view.devices.get(d)) for d in listed]}")
            if len(good) < units:
                view.short[consumer, place] = units - len(good)


def judge_promise(world):
    """At the end of the first cycle after claims, before another one has begun."""
    world.look_at_stores()
    world.look_at_tree()
    view = View(world)
    still = stand_still(world, view)
    for key, free in still.offered.items():
        room = still.makeable.get(key, 0) + still.usable[key] - still.used[key]
        if free > max(room, 0):
            raise Wrong("promised", f"a cycle has ended, and {free} of {key} are offered; "
                        f"{still.makeable.get(key)} are made by the driver, {still.usable[key]} are "
                        f"there and not another's, {still.used[key]} are allocated")


# ---- what one leaves to the next ----

def judge_parameters(world, view):
    for (consumer, _), listed in view.listed.items():
        for device in listed:
            text = world.kind.parameters(device)
            setter, set_text = world.parameters.get(device, (None, None))
            if text and setter and setter not in world.family(consumer) and set_text in text:
                raise Wrong("parameters", f"{consumer} is given {device} with {text!r}, which "
                            f"{setter} has set")
            if setter == consumer and text is not None and set_text not in text and (
                    device not in world.reappeared) and not world.forgetful:
                raise Wrong("parameters", f"{device} is still {consumer}'s, and has {text!r}; it "
                            f"has set {set_text!r}")
            if setter and setter not in world.family(consumer):
                del world.parameters[device]
    for device in set(world.parameters) - set(view.devices):
        del world.parameters[device]


# ---- what is left, what others have, what is told ----

def judge_leaks(world, view):
    given = {d for listed in view.listed.values() for d in listed}
    unused = set() if isinstance(world.kind, Fixed) else {
        d for d, (card, _) in view.devices.items() if d not in given and d not in view.named
        and d not in view.held and d not in world.foreign and d not in world.reappeared
        and card not in world.lost}
    unused |= {f"half: {f}" for f in world.kind.remains()
               if world.kind.device_of(f) not in world.lost and world.kind.device_of(f) not in world.foreign}
    world.left_over = {d: world.left_over.get(d) or LeftOver(world) for d in unused}
    for device, left_over in world.left_over.items():
        if left_over.is_late(world):
            raise Wrong("left", f"{device} {view.devices.get(device)} has been nobody's for longer "
                        f"than the grace period of {world.grace}:\n{view.rows}")
    for device, kind in world.foreign.items():
        if device not in view.devices:
            raise Wrong("foreign-removed", f"{device} was made by hand ({kind}) and is not there")


def judge_others(world):
    after = world.others()
    for provider, before in world.others_before.items():
        if after[provider] != before:
            raise Wrong("others", f"the provider {provider} is not the agent's; it was "
                        f"{before}, and is {after[provider]}")
    names = set(world.look_at_tree())
    known = {world.rig.root_name, f"{world.rig.root_name}_pci_0000_99_00_0"}
    strange = {n for n in names - known if not world.place_named(n)}
    if strange or not known <= names:
        raise Wrong("others", f"the tree has {sorted(names)}")
    for (card, suffix), provider in world.places.items():
        type_id = world.type_of_suffix(suffix)
        if type_id and type_id not in world.had[card]:
            raise Wrong("others", f"{card} has a provider for {type_id}, which it never had")
        if not type_id and card not in world.lost and len(world.types_at(card)) == 1 and (
                card, world.types_at(card)[0]) not in world.places:
            judge_trait(world, provider, world.types_at(card)[0])


def agents_name(world, type_id):
    return f"nvidia-{type_id}" if isinstance(world.kind, VendorVfio) else type_id


def judge_trait(world, provider, type_id):
    traits = world.placement.traits(provider)
    name = agents_name(world, type_id).upper()
    trait = "CUSTOM_" + "".join(c if c.isalnum() else "_" for c in name)
    if trait not in traits:
        raise Wrong("others", f"the provider {provider} has {sorted(traits)}, without {trait}")


def judge_devices(world, view):
    """The command lists what sysfs has, and calls nobody's device the agent's."""
    before = world.devices()
    rows = {row["device"]: row for row in read(world, "devices")}
    devices = world.devices()
    if isinstance(world.kind, (Fixed, WholeCards)):  # nothing on the host says what they are for
        before, devices = ({d: place for d, place in some.items() if world.types_of[place[0]]}
                           for some in (before, devices))
    if set(rows) - set(before) - set(devices) or set(before) & set(devices) - set(rows):
        raise Wrong("listed", f"`devices` has {sorted(rows)}; there are {sorted(devices)}")
    for device in set(rows) & set(devices):
        (card, type_id), row = devices[device], rows[device]
        # One that the files do not describe any more is called by its values.
        known = type_id in world.kind.types and (not isinstance(world.kind, Xe) or any(
            type_id in types for types in world.types_of.values()))
        if row["gpu"] != card or known and row["type"] != agents_name(world, type_id):
            raise Wrong("listed", f"`devices` has {row}; it is {card}, {type_id}")
        if device in world.foreign and row["owner"] == "agent":
            raise Wrong("listed", f"`devices` has {row}; it was made by hand")
        if view.held.get(device) and row["state"] != "in use":
            raise Wrong("listed", f"`devices` has {row}; {view.held[device]} has it open")


def judge_status(world, view):
    done = world.rig.ask("status")
    short = sum(view.short.values())
    if done.returncode not in (0, 1):
        raise Wrong("status", f"exit status {done.returncode}: {done.stderr}")
    if done.returncode == 0 and (short or world.lost):
        raise Wrong("status", f"all is well, it says; {short} units have no device, lost: "
                    f"{world.lost}:\n{done.stdout}{json.dumps(view.rows)}")
    well = all(is_configured(world, place) for place in world.places) and all(
        is_plain(world, view, (card, t)) for card in world.cards for t in world.types_at(card)[:1])
    if done.returncode == 1 and world.rig.daemon and well:
        for _ in range(CYCLES):
            world.rig.cycle()
            done = world.rig.ask("status")
            if done.returncode == 0:
                return
        raise Wrong("status", f"something is not well, it says; everything is:\n{done.stdout}")


# ---- at the end ----

def nothing_left(world):
    """All servers are gone, and what was made by hand: so is what the agent made."""
    left_over = LeftOver(world)
    while True:
        world.rig.cycle()
        world.look_at_stores()
        rows = read(world, "allocations")
        devices = {} if isinstance(world.kind, Fixed) else {
            d: place for d, place in world.devices().items()
            if d not in world.reappeared and d not in world.foreign}
        if not devices and not rows and not world.kind.remains():
            break
        if left_over.is_late(world):
            raise Wrong("left", f"after everything was deleted there are still {devices} "
                        f"{world.kind.remains()}; `allocations` has {rows}")
    audit(world)
