"""The rule for what `xml` and `qemu-args` print for a consumer: its own devices, as many as
it has allocated, which are there and which nobody else names, holds or was shown."""
import collections

from .wrong import Wrong


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
                        f"{other}, whose allocation at {place} stands")
    judge_count(world, consumer, devices, there, command)
    for device in devices:
        for place in world.here(consumer):
            if device in there and there[device][0] == world.card_at(place):
                world.printed[device] = consumer, place
    # Who asks for a migration's devices gets such as are its own; what stood for it is over.
    for device, (had, _) in list(world.assigned.items()):
        if had == consumer and device not in devices:
            del world.assigned[device]


def judge_count(world, consumer, devices, there, command):
    wanted = collections.Counter()
    for place, units in world.here(consumer).items():
        wanted[world.card_at(place)] += units
    found = collections.Counter(there[d][0] for d in devices if d in there)
    if consumer not in world.touched and not world.lost and found != wanted:
        raise Wrong("printed", f"{command} {consumer} gives devices on {dict(found)}; it has "
                    f"allocated {dict(wanted)}")
