"""The rules of the judge of kinds at rest: when `plan` has nothing left to do.

  given, given-twice, own   a device is one consumer's, and nobody else names or holds it
  unmet, too-many           each unit has one device of the right type on the right card
  offered, hidden           what Placement offers can be made, and what can be made is offered
  promised                  the same after one cycle, where nothing but claims came before
  unclean                   a unit that was used is nobody else's before it is cleaned
  parameters, passed-on     what one consumer has set or left does not reach the next
  listed, status, others    `devices` and `status` tell the truth; what others made stays
  left, rest                no device stands without an allocation; quiet in the end
"""
import collections
import json

from .kinds_cards import Fixed, Gvtg, VendorVfio, WholeCards, Xe
from .kinds_rules import look_at_stores
from .rest import CYCLES, LeftOver
from .wrong import Wrong


class View:
    def __init__(self, world):
        self.see(world)
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

    def see(self, world):
        self.devices = world.devices()
        self.named, self.held = world.libvirt.names(), world.libvirt.holders()

    def standing(self, world, row, place):
        """A server that is migrated keeps its devices; they stand for the migration's units."""
        server = world.instance_of.get(row["consumer"])
        own = row["mdevs"] or []
        named = [d for d, users in self.named.items() if server in users and d not in own
                 and self.devices.get(d, [None])[0] == place[0]]
        return named[:max(row["units"] - len(own), 0)]

    def users(self, device):
        return self.named.get(device, set()) | self.held.get(device, set())


def read(world, command):
    done = world.rig.ask("--format", "json", command)
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise Wrong("status", f"{command}: {done.returncode} {done.stdout}{done.stderr}") from None


def settle(world):
    for _ in range(CYCLES):
        world.rig.cycle()
        look_at_stores(world)
        done = world.rig.ask("plan")
        if done.returncode in (0, 1):
            return
    raise Wrong("rest", f"after {CYCLES} cycles `plan` still says {done.returncode}:\n"
                f"{done.stdout[-1500:]}{done.stderr[-800:]}")


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
    view = judge_what_is_due(world)
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
    world.libvirt.kept, world.held_at_rest = world.libvirt.names(), set(view.held)


def judge_what_is_due(world):
    """What has not come yet may come in so many cycles; what must never be, now."""
    turn = world.rig.turns
    while True:
        view = look(world)
        world.look_at_tree()
        judge_given(world, view)
        judge_met(world, view)
        late = judge_capacity(world, view, stand_still(world, view))
        if not late:
            return view
        if world.rig.turns - turn > CYCLES:
            raise late


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


# ---- capacity ----

class Still:
    """By (card, type): what is offered, how many of the type are allocated, what the driver
    makes besides what is there, and the devices that stand for what is allocated."""

    def __init__(self):
        self.offered, self.used, self.makeable, self.usable = (
            collections.Counter(), collections.Counter(), {}, collections.Counter())
        self.closed = {}  # place of no type that new consumers can have: what is offered there


def stand_still(world, view):
    """Seen while the daemon stands, so that it is of one moment."""
    still = Still()
    world.rig.freeze()
    try:
        look_at_stores(world)
        view.see(world)
        for place, provider in world.places.items():
            total, used = counted(world, provider)
            type_id = world.type_at(place)
            if type_id in world.types_at(place[0]):
                still.offered[place[0], type_id] += total - used
                # Guests of a former type have devices of it, beside those of this one.
                former = sum(view.devices.get(d, (None, type_id))[1] != type_id
                             for (_, where), listed in view.listed.items() if where == place
                             for d in listed)
                still.used[place[0], type_id] += used - former
            else:
                still.closed[place] = total - used
                for (_, where), listed in view.listed.items():
                    if where == place:
                        still.used.update(view.devices[d] for d in listed if d in view.devices)
        for card in world.cards:
            for type_id in world.types_at(card) if card not in world.lost else ():
                still.makeable[card, type_id] = world.kind.grants(card, type_id)
        for device, place in view.devices.items():
            still.usable[place] += is_usable(world, view, device, place)
        world.forget_stores()
    finally:
        world.rig.thaw()
    return still


def counted(world, provider):
    """total - reserved, and used, as Placement counts them."""
    inventory = world.placement.inventories(provider).get(world.kind.resource)
    used = sum(found["resources"].get(world.kind.resource, 0) for found in world.placement.get(
        f"/resource_providers/{provider}/allocations")["allocations"].values())
    if not inventory:
        return used, used
    return int((inventory["total"] - inventory["reserved"]) * inventory["allocation_ratio"]), used


def is_usable(world, view, device, place):
    """Nobody's, or theirs whose allocation on the card stands."""
    if world.foreign.get(device, "idle") != "idle":
        return False
    had = next(iter(view.named.get(device, ())), world.assigned.get(device, (None,))[0])
    for user in view.users(device):
        consumer = had if user == "a process" else user
        if not consumer or not any(p[0] == place[0] for c in world.family(consumer)
                                   for p in world.allocations.get(c, ()) if p != "other"):
            return False
    return True


def judge_capacity(world, view, still):
    """Raises what must never be; gives what may still come."""
    for place, free in still.closed.items():
        if free > 0:
            raise Wrong("offered", f"{free} are offered at {place}, which has "
                        f"{world.types_at(place[0])}")
    late = None
    for key, free in still.offered.items():
        late = judge_offered(world, view, key, free, still) or late
    return late or judge_unmet(world, view, still)


def judge_offered(world, view, key, free, still):
    card = key[0]
    if card in world.lost or card in world.drained or is_unclean(world, card):
        if free > 0:
            raise Wrong("unclean" if is_unclean(world, card) else "offered",
                        f"{card} is lost, drained or not clean, and {free} of {key[1]} are offered")
        return None
    room = still.makeable[key] + still.usable[key] - still.used[key]
    why = (f"{still.makeable[key]} are made by the driver, {still.usable[key]} are there and not "
           f"another's, {still.used[key]} are allocated")
    if free > max(room, 0):
        raise Wrong("offered", f"{free} of {key} are offered, but only {max(room, 0)} can be: {why}")
    if free < room and is_plain(world, view, key):
        return Wrong("hidden", f"{free} of {key} are offered, but {room} could be: {why}")
    return None


def is_unclean(world, card):
    world.used_up()
    return world.kind.resource == "PGPU" and card in world.unclean


def is_plain(world, view, key):
    """Nothing but servers that are here, and whose guests have what is theirs; and capacity
    that the agent can know."""
    others = {t for card, t in view.devices.values() if card == key[0]} - {key[1]}
    known = isinstance(world.kind, Gvtg) or not others
    return known and not world.kind.one_time_use and not (
        world.lost or world.drained or world.cap or world.foreign or world.reappeared
        or world.libvirt.processes or view.short or world.forgetful
        or any(s.stage not in ("new", "active", "gone", "shelved") for s in world.servers.values())
        or any(d not in view.devices or not is_usable(world, view, d, view.devices[d])
               for domain in world.libvirt.domains.values() for d in domain.devices))


def judge_unmet(world, view, still):
    """Where the driver makes one, and what is made is not another's already."""
    for (consumer, place), units in view.short.items():
        type_id = world.type_at(place)
        more = still.makeable.get((place[0], type_id), 0)
        others = {t for card, t in view.devices.values() if card == place[0]} - {type_id}
        excluded = others and world.kind.together != "allow_mixed"
        if units <= more and not world.cap and not excluded and (
                not is_unclean(world, place[0]) and is_configured(world, place)):
            return Wrong("unmet", f"{units} of {consumer} at {place} have no device; the driver "
                         f"makes {more} of {type_id}:\n{view.rows}")
    return None


def promise(world):
    """After one cycle, and nothing but claims and by-hand devices since the last audit."""
    if world.departed or world.refused or world.rig.frozen or world.bad_files or not world.rig.daemon or (
            world.lost or world.libvirt.processes):
        return None
    world.rig.cycle()
    look_at_stores(world)
    world.look_at_tree()
    view = View(world)
    still = stand_still(world, view)
    for key, free in still.offered.items():
        room = still.makeable.get(key, 0) + still.usable[key] - still.used[key]
        if free > max(room, 0):
            raise Wrong("promised", f"a cycle has ended, and {free} of {key} are offered; "
                        f"{still.makeable.get(key)} are made by the driver, {still.usable[key]} are "
                        f"there and not another's, {still.used[key]} are allocated")
    return "kept"


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


def is_configured(world, place):
    """Not a provider that waits for `prune`."""
    card, suffix = place
    known = {*world.types_of[card], *(t for c, t in world.enabled | world.disabled if c == card)}
    return bool(world.types_of[card]) and (
        not suffix or len(known) > 1 and world.type_of_suffix(suffix) in known)


# ---- at the end ----

def nothing_left(world):
    """All servers are gone, and what was made by hand: so is what the agent made."""
    left_over = LeftOver(world)
    while True:
        world.rig.cycle()
        look_at_stores(world)
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
