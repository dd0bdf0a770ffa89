"""What is offered beside what can really be made, by making it, for the judge of kinds. All of
it is seen while the daemon stands still, so that it is of one moment.

  unmet                a unit has no device, and the driver makes one
  offered, hidden      what Placement offers can be made, and what can be made is offered
  unclean              a unit that was used is not offered before it is cleaned
"""
import collections

from .kinds_cards import Gvtg
from .seen import Still, counted, standing_still
from .wrong import Wrong


class KindsStill(Still):
    """Besides, how many of the type are allocated, and the devices that stand for what is
    allocated; `makeable` is what the driver makes besides what is there."""

    def __init__(self):
        super().__init__()
        self.offered, self.used, self.usable = (
            collections.Counter(), collections.Counter(), collections.Counter())
        self.closed = {}  # place of no type that new consumers can have: what is offered there


def stand_still(world, view):
    """Renews what the view has of the host."""
    still = KindsStill()
    with standing_still(world, view):
        for place, provider in world.places.items():
            look_at_place(world, view, still, place, provider)
        for card in world.cards:
            for type_id in world.types_at(card) if card not in world.lost else ():
                still.makeable[card, type_id] = world.kind.grants(card, type_id)
        for device, place in view.devices.items():
            still.usable[place] += is_usable(world, view, device, place)
    return still


def look_at_place(world, view, still, place, provider):
    total, used = counted(world, provider, world.kind.resource)
    type_id = world.type_at(place)
    here = [d for (_, where), listed in view.listed.items() if where == place for d in listed]
    if type_id in world.types_at(place[0]):
        still.offered[place[0], type_id] += max(total - used, 0)  # a retired one is below
        # Guests of a former type have devices of it, beside those of this one.
        former = sum(view.devices.get(d, (None, type_id))[1] != type_id for d in here)
        still.used[place[0], type_id] += used - former
    else:
        still.closed[place] = total - used
        still.used.update(view.devices[d] for d in here if d in view.devices)


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
    world.used_up()
    if free > max(room - world.spent[key], 0) and free <= max(room, 0):
        return Wrong("unclean", f"{free} of {key} are offered, but {world.spent[key]} were used: {why}")
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
        more = still.makeable.get((place[0], type_id), 0) - world.spent[place[0], type_id]
        others = {t for card, t in view.devices.values() if card == place[0]} - {type_id}
        excluded = others and world.kind.together != "allow_mixed"
        if units <= more and not world.cap and not excluded and (
                not is_unclean(world, place[0]) and is_configured(world, place)):
            return Wrong("unmet", f"{units} of {consumer} at {place} have no device; the driver "
                         f"makes {more} of {type_id}:\n{view.rows}")
    return None


def is_configured(world, place):
    """Not a provider that waits for `prune`."""
    card, suffix = place
    known = {*world.types_of[card], *(t for c, t in world.enabled | world.disabled if c == card)}
    return bool(world.types_of[card]) and (
        not suffix or len(known) > 1 and world.type_of_suffix(suffix) in known)
