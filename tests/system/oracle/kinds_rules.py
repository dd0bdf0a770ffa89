"""The rules of the judge of kinds, while it happens: what is written into sysfs, and what is
back after a reboot. Those at rest are in kinds_rest.py.

  held, removed, foreign-removed   what somebody has is not written, nor taken away
  early                            a device does not end before the grace period is over
  type                             it is made on the card and of a type that are configured
  written                          nothing is ever written to cards whose functions are fixed
  restore                          guests find their devices again
"""
from .kinds_functions import Fixed, Xe
from .rules import belongs, judge_early
from .wrong import Wrong


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
    judge_early(world, device)


def judge_make(world, device, path, value, result):
    card, type_id = world.kind.made_of(path, value)
    if type_id not in world.had.get(card, ()):
        raise Wrong("type", f"the agent makes {device} of {type_id} on {card}, which has had "
                    f"{sorted(world.had.get(card, ()))}: {result}")
    if device in world.foreign and result == "OK" and not isinstance(world.kind, Xe):
        raise Wrong("foreign-removed", f"{device} was made by hand ({world.foreign[device]}) and "
                    f"the agent makes it ({path})")


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
