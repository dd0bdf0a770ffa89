"""What is offered beside what can really be made, by making it. All of it is seen while the
daemon stands still, so that it is of one moment.

  unmet                        a unit has no device, and there is room for one
  offered, hidden              what Placement offers can be made, and what can be made is offered
"""
from .rig import TYPES
from .seen import Still, counted, standing_still
from .wrong import Wrong


def stand_still(world, view):
    """Renews what the view has of the host."""
    still = Still()
    with standing_still(world, view):
        for card in world.cards if world.mode == "owner" else ():
            still.offered[card] = offered(world, card)
            if card not in world.lost:
                still.makeable[card] = world.rig.probe(card, 8)
    return still


def offered(world, card):
    total, used = counted(world, world.children[card], "VGPU")
    return total - used


def judge_capacity(world, view, still):
    """Raises what must never be; gives what may still come."""
    late = None
    for card in still.offered:
        if card in world.lost or card in world.drained:
            if still.offered[card] > 0:
                raise Wrong("offered", f"{card} is {'lost' if card in world.lost else 'drained'}"
                            f" and {still.offered[card]} are offered")
        else:
            late = (judge_offered(world, view, card, still)
                    or judge_unmet(world, view, card, still.makeable[card]) or late)
    return late


def judge_unmet(world, view, card, more):
    given = {d for listed in view.listed.values() for d in listed}
    left = [d for d in view.free(card, world) if d not in given]
    capped = world.cap and world.cap[0] == card
    for (consumer, where), units in view.short.items():
        if where == card and units <= more + len(left) and not capped:
            return Wrong("unmet", f"{units} of {consumer} on {card} have no device; the "
                         f"kernel makes {more} more, and nobody has {left}:\n"
                         f"{view.rows}")
    return None


def judge_offered(world, view, card, still):
    free, more, idle = still.offered[card], still.makeable[card], view.free(card, world)
    unserved = needs(world, view, card)
    room = len(idle) + more - unserved
    why = (f"{more} are made by the kernel, {len(idle)} are nobody's, and {unserved} of those "
           "allocated need one")
    if free > max(room, 0):
        raise Wrong("offered", f"{free} are offered on {card}, but only {max(room, 0)} can "
                    f"be: {why}")
    if free < room and is_plain(world):
        return Wrong("hidden", f"{free} are offered on {card}, but {room} could be: {why}")
    return None


def needs(world, view, card):
    """Allocated units whose guest does not have its device yet."""
    count, families = 0, set()
    for consumer in world.allocations:
        owner = world.instance_of.get(consumer, consumer)
        if owner in families:
            continue
        families.add(owner)
        units = sum(world.allocations.get(c, {}).get(card, 0) for c in world.family(owner)
                    if (c, card) not in view.migrating)
        mine = [d for d, place in view.devices.items() if place == (card, TYPES[card])
                and (owner in view.named.get(d, ()) or is_kept_from(world, view, owner, d))]
        count += max(units - len(mine), 0)
    return count


def is_kept_from(world, view, owner, device):
    """A process that came later has it open; the server has it when that one lets go."""
    return view.held.get(device) == {"a process"} and any(
        device in listed for (consumer, _), listed in view.listed.items()
        if consumer in world.family(owner))


def was_theirs(world, view, owner, device):
    """Of the server, or of its migrations, as its domain or the last audit says; or before
    its allocation went and came back."""
    return owner in view.named.get(device, ()) or bool(world.family(owner) & {
        world.assigned.get(device, (None,))[0], world.former.get(device)})


def is_plain(world):
    """Nothing but servers that are here, and whose guests have what is theirs."""
    return not (world.lost or world.drained or world.cap or world.foreign or world.forgetful
                or world.reappeared or world.libvirt.processes or world.bad_files
                or any(s.stage not in ("new", "active", "gone", "shelved")
                       for s in world.servers.values())
                or any(not world.stands(domain.uuid, world.devices().get(d, ["?"])[0])
                       for domain in world.libvirt.domains.values() for d in domain.devices))
