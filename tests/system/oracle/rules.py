"""The rules while it happens: what the agent writes into sysfs, and what is back after a
reboot. What its commands print is in printed.py, the rules at rest are in rest.py. Each looks
at what anybody can see and at what the script has done; nothing here knows how the agent
decides.

  removed, foreign-removed     a device goes under a consumer, or was never the agent's
  early                        it goes before the grace period is over
  type                         it is made on the card and of the type that is configured
  restore                      guests find their devices again
"""
from .rig import TYPES, now
from .wrong import Wrong


def belongs(world):
    """device: why nobody may remove it now, whether it is open or not."""
    why = {}
    for device, (consumer, place) in world.assigned.items():
        if not names_others(world, consumer, device):
            why[device] = f"{consumer} has it and its allocation at {place} stands"
    for device, (consumer, place) in world.printed.items():
        why[device] = f"it was printed for {consumer}, whose allocation at {place} stands"
    for device, uuids in world.libvirt.names().items():
        why[device] = f"the domain {sorted(uuids)} names it"
    return why


def names_others(world, consumer, device):
    owner = world.instance_of.get(consumer, consumer)
    named = [d for domain in world.libvirt.domains.values() if domain.uuid == owner
             for d in domain.devices]
    return named and device not in named


def look_at_stores(world):
    """What the agent wrote since the last look."""
    before, world.in_use = world.in_use, belongs(world)
    for device, uuids in world.libvirt.holders().items():
        world.in_use[device] = f"{sorted(uuids)} holds it"
    for what, device, parent, type_id, result in world.stores():
        if what == "create":
            judge_create(world, device, world.rig.card_of.get(parent), type_id, result)
        elif world.mode == "nova":
            raise Wrong("removed", f"in nova mode the agent removes {device}")
        elif device in world.foreign:
            raise Wrong("foreign-removed", f"{device} was made by hand "
                        f"({world.foreign[device]}) and the agent removes it: {result}")
        elif device in before and device in world.in_use:
            raise Wrong("removed", f"the agent removes {device} ({result}), but "
                        f"{world.in_use[device]}")
        else:
            judge_early(world, device)


def judge_early(world, device):
    """Clocks of whole seconds may be one short."""
    ended = world.ended.pop(device, None)
    if ended and now() - ended < world.grace - 1:
        raise Wrong("early", f"the agent removes {device} {now() - ended:.2f} s after its "
                    f"allocation ended, with a grace period of {world.grace}")


def judge_create(world, device, card, type_id, result):
    if world.mode == "owner" and (card not in world.cards or type_id != TYPES[card]):
        raise Wrong("type", f"the agent makes {device} of {type_id} on {card}")
    if result != "OK":
        return
    if device in world.foreign:
        world.foreign.pop(device)
        world.reappeared.add(device)
    if world.mode == "nova" and world.known.get(device) != (card, type_id):
        raise Wrong("type", f"in nova mode the agent makes {device} of {type_id} on {card}; "
                    f"it was {world.known.get(device)}")


def wanted_again(world, before):
    """device: why it must be there after a reboot."""
    wanted = {}
    if not world.forgetful:
        for domain in world.libvirt.domains.values():
            for device in domain.devices:
                if device in before and device not in world.foreign and (
                        domain.uuid in world.libvirt.kept.get(device, ())):
                    wanted[device] = f"the domain {domain.uuid} names it"
    for device, (consumer, card) in world.assigned.items():
        if device in before and device not in world.foreign and world.mode == "owner":
            wanted.setdefault(device, f"{consumer} has it, allocated on {card}")
    return wanted


def judge_restored(world, before, wanted, done):
    """After a reboot: guests start with the devices that they had."""
    after = world.devices()
    for device, why in wanted.items():
        if after.get(device) != before[device]:
            raise Wrong("restore", f"{device} was {before[device]}, after the reboot and "
                        f"`restore` it is {after.get(device)}; {why}; exit status "
                        f"{done.returncode}: {done.stdout[-500:]} {done.stderr[-500:]}")
