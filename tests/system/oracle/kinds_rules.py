"""The rules of the judge of kinds, while it happens: what is written into sysfs, what commands
print, what is back after a reboot. Those at rest are in kinds_rest.py.

  held, removed, foreign-removed   what somebody has is not written, nor taken away
  early                            a device does not end before the grace period is over
  type                             it is made on the card and of a type that are configured
  written                          nothing is ever written to cards whose functions are fixed
  printed                          it is shown for one while another names or holds it
  restore                          guests find their devices again
"""
import collections

from .kinds_functions import Fixed, Xe
from .rig import now
from .wrong import Wrong


def belongs(world):
    """device: why nobody may take it away now."""
    why = {}
    for device, (consumer, place) in world.assigned.items():
        owner = world.instance_of.get(consumer, consumer)
        named = [d for domain in world.libvirt.domains.values() if domain.uuid == owner
                 for d in domain.devices]
        if not named or device in named:
            why[device] = f"{consumer} has it and its allocation on {place} stands"
    for device, (consumer, place) in world.printed.items():
        why[device] = f"it was printed for {consumer}, whose allocation on {place} stands"
    for device, uuids in world.libvirt.names().items():
        why[device] = f"the domain {sorted(uuids)} names it"
    return why


def look_at_stores(world):
    """What the agent wrote since the last look. What was so before and is so now was so when
    it was written."""
    before, held_before = world.in_use, world.held_before
    world.in_use, world.held_before = belongs(world), world.libvirt.holders()
    for what, device, path, value, result in world.stores():
        if isinstance(world.kind, Fixed):
            raise Wrong("written", f"the agent writes {value!r} to {path}: {result}")
        if device in held_before and device in world.held_before:
            raise Wrong("held", f"the agent writes {value!r} to {path} ({result}), but "
                        f"{sorted(world.held_before[device])} has {device} open")
        if what == "make":
            judge_make(world, device, path, value, result)
        elif what == "end":
            judge_end(world, device, before, path, result)
            if result == "OK":
                world.dropped[device].clear()


def judge_end(world, device, before, path, result):
    # Memory that nobody has is taken and given anew for the next one; that it is there then
    # is looked at when all is at rest.
    renewed = isinstance(world.kind, Xe) and world.foreign.get(device) == "idle"
    if device in world.foreign and not renewed:
        raise Wrong("foreign-removed", f"{device} was made by hand ({world.foreign[device]}) and "
                    f"the agent ends it ({path}): {result}")
    if device in before and device in world.in_use:
        raise Wrong("removed", f"the agent ends {device} ({path}: {result}), but "
                    f"{world.in_use[device]}")
    if isinstance(world.kind, Xe) and device in world.devices():
        return  # its memory was taken for the next consumer
    ended = world.ended.pop(device, None)
    if ended and now() - ended < world.grace - 1:
        raise Wrong("early", f"the agent ends {device} {now() - ended:.2f} s after its "
                    f"allocation ended, with a grace period of {world.grace}")


def judge_make(world, device, path, value, result):
    card, type_id = world.kind.made_of(path, value)
    if type_id not in world.had.get(card, ()):
        raise Wrong("type", f"the agent makes {device} of {type_id} on {card}, which has had "
                    f"{sorted(world.had.get(card, ()))}: {result}")
    if device in world.foreign and result == "OK" and not isinstance(world.kind, Xe):
        raise Wrong("foreign-removed", f"{device} was made by hand ({world.foreign[device]}) and "
                    f"the agent makes it ({path})")


def judge_printed(world, consumer, devices, command):
    owner = world.instance_of.get(consumer, consumer)
    named, held, there = world.libvirt.names(), world.libvirt.holders(), world.devices()
    for device in devices:
        users = (named.get(device, set()) | held.get(device, set())) - {owner}
        if users:
            raise Wrong("printed", f"{command} {consumer} gives {device}, which "
                        f"{sorted(users)} names or holds")
        if world.foreign.get(device, "idle") != "idle":
            raise Wrong("printed", f"{command} {consumer} gives {device}, which somebody else "
                        f"has ({world.foreign[device]})")
        if device not in there and not world.lost:
            raise Wrong("printed", f"{command} {consumer} gives {device}, which is not there")
        other, place = world.printed.get(device, (consumer, None))
        if other not in world.family(consumer):
            raise Wrong("printed", f"{command} {consumer} gives {device}, which was given to "
                        f"{other}, whose allocation on {place} stands")
    judge_count(world, consumer, devices, there, command)
    for device in devices:
        for place in world.here(consumer):
            if device in there and there[device][0] == place[0]:
                world.printed[device] = consumer, place
    for device, (had, _) in list(world.assigned.items()):
        if had == consumer and device not in devices:
            del world.assigned[device]


def judge_count(world, consumer, devices, there, command):
    wanted = collections.Counter()
    for (card, _), units in world.here(consumer).items():
        wanted[card] += units
    found = collections.Counter(there[d][0] for d in devices if d in there)
    if consumer not in world.touched and not world.lost and found != wanted:
        raise Wrong("printed", f"{command} {consumer} gives devices on {dict(found)}; it has "
                    f"allocated {dict(wanted)}")


def wanted_again(world, before):
    """device: why it must be there after a reboot."""
    wanted = {}
    for domain in world.libvirt.domains.values():
        for device in domain.devices:
            if device in before and device not in world.foreign and (
                    domain.uuid in world.libvirt.kept.get(device, ())) and (
                    device not in world.reappeared):
                wanted[device] = f"the domain {domain.uuid} names it"
    for device, (consumer, place) in world.assigned.items():
        if device in before and device not in world.foreign and device not in world.reappeared:
            wanted.setdefault(device, f"{consumer} has it, allocated on {place}")
    return wanted


def judge_restored(world, before, wanted, done):
    after = world.devices()
    for device, why in wanted.items():
        if after.get(device) != before[device]:
            raise Wrong("restore", f"{device} was {before[device]}, after the reboot and "
                        f"`restore` it is {after.get(device)}; {why}; exit status "
                        f"{done.returncode}: {done.stdout[-500:]} {done.stderr[-500:]}")
