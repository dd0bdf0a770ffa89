"""The rules while it happens: what the agent writes into sysfs, what its commands print, what
is back after a reboot. Those at rest are in rest.py. Each looks at what anybody can see
and at what the script has done; nothing here knows how the agent decides.

  removed, foreign-removed     a device goes under a consumer, or was never the agent's
  early                        it goes before the grace period is over
  type                         it is made on the card and of the type that is configured
  printed                      it is shown for one while another names or holds it
  restore                      guests find their devices again
"""
import collections

from .rig import TYPES, now
from .wrong import Wrong


def belongs(world):
    """device: why nobody may remove it now."""
    why = {}
    for device, (consumer, card) in world.assigned.items():
        if not names_others(world, consumer, device):
            why[device] = f"{consumer} has it and its allocation on {card} stands"
    for device, (consumer, card) in world.printed.items():
        why[device] = f"it was printed for {consumer}, whose allocation on {card} stands"
    for device, uuids in world.libvirt.names().items():
        why[device] = f"the domain {sorted(uuids)} names it"
    for device, uuids in world.libvirt.holders().items():
        why[device] = f"{sorted(uuids)} holds it"
    return why


def names_others(world, consumer, device):
    owner = world.instance_of.get(consumer, consumer)
    named = [d for domain in world.libvirt.domains.values() if domain.uuid == owner
             for d in domain.devices]
    return named and device not in named


def look_at_stores(world):
    """What the agent wrote since the last look."""
    before, world.in_use = world.in_use, belongs(world)
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
                        f"made ({world.foreign[device]})")
        if device not in there and not world.lost:
            raise Wrong("printed", f"{command} {consumer} gives {device}, which is not there")
        other, card = world.printed.get(device, (consumer, None))
        if other not in world.family(consumer):
            raise Wrong("printed", f"{command} {consumer} gives {device}, which was given to "
                        f"{other}, whose allocation on {card} stands")
    wanted = collections.Counter(world.here(consumer))
    found = collections.Counter(there[d][0] for d in devices if d in there)
    if consumer not in world.touched and not world.lost and found != wanted:
        raise Wrong("printed", f"{command} {consumer} gives devices on {dict(found)}; it has "
                    f"allocated {dict(wanted)}")
    for device in devices:
        if device in there and there[device][0] in world.here(consumer):
            world.printed[device] = consumer, there[device][0]
    # Who asks for a migration's devices gets such as are its own; what stood for it is over.
    for device, (owner, _) in list(world.assigned.items()):
        if owner == consumer and device not in devices:
            del world.assigned[device]


def judge_restored(world, before, done):
    """After a reboot: guests start with the devices that they had."""
    after = world.devices()
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
    look_at_stores(world)
    for device, why in wanted.items():
        if after.get(device) != before[device]:
            raise Wrong("restore", f"{device} was {before[device]}, after the reboot and "
                        f"`restore` it is {after.get(device)}; {why}; exit status "
                        f"{done.returncode}: {done.stdout[-500:]} {done.stderr[-500:]}")
