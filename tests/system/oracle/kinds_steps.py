"""Steps of the judge of kinds. A step that cannot be done now does nothing and gives None,
so that any part of a script is a script; else it gives a note for the story. What Nova does
to servers that are here already is in nova.py."""
import time

from support.hostdev import hostdev_xml

from . import trouble
from .guests import PRINTED, Domain
from .kinds_cards import Mdevs
from .kinds_functions import Fixed
from .kinds_rest import judge_promise
from .kinds_rules import wanted_again
from .nova import (ask, confirm, delete, domain_name, hard_reboot, heal_allocations,  # noqa: F401
                   live_end, live_out, lose_allocation, reap, rebuild, resize_out, revert,
                   start, stop, the)
from .printed import judge_printed
from .rules import judge_restored
from .trouble import (begin, end, forget_foreign, freeze, guests_off, let_go,  # noqa: F401
                      placement_dies, thaw)
from .world import Server
from .wrong import Wrong

WAITS = " is to be "  # an order that stands, and is carried out as soon as it can be


# ---- servers ----

def claim(world, name, wants):
    """`wants`: [number of a card, number of a type, units]; the domain comes later."""
    server = world.servers.setdefault(name, Server(name, world.rig.uuid(name)))
    if server.stage not in ("gone", "shelved") or server.domain:
        return None
    wanted = {}
    for card, type_id, units in wants:
        card = world.cards[card % len(world.cards)]
        types = world.types_at(card) or world.kind.types
        place = world.where(card, types[type_id % len(types)])
        if place:
            wanted[place] = units
    if not wanted:
        return "no place"
    if not world.put(server.uuid, wanted):
        return "refused"
    server.stage = "new"
    return f"claimed {wanted}"


def promise(world, name, wants):
    """A claim, and one cycle: what Placement offers then can be made. Only while the daemon
    has nothing else to do."""
    if (world.departed or world.ended or world.refused or world.rig.frozen or not world.rig.daemon
            or world.lost or world.libvirt.processes or world.options["sync_interval"] < 3600):
        return None
    world.rig.cycle()
    note = claim(world, name, wants)
    ended = world.rig.cycles()
    world.rig.poke()
    world.rig.wait_until_ended(ended)
    judge_promise(world)
    return note


def define(world, name):
    """With the devices that `xml` gives."""
    server = the(world, name, "new", "active")
    if not server or not world.here(server.uuid) or world.rig.frozen or (
            server.domain and server.domain.pid):
        return None
    done = world.rig.ask("xml", server.uuid)
    if done.returncode != 0:
        return f"xml: {done.returncode} {done.stderr.strip()[-200:]}"
    devices, hostdevs = world.devices_in(done.stdout), PRINTED.findall(done.stdout)
    functions = sum(len(world.kind.functions(d)) for d in devices)
    if len(hostdevs) != functions:
        raise Wrong("printed", f"xml {server.uuid} has {len(hostdevs)} elements for the {functions} "
                    f"functions of {devices}")
    judge_printed(world, server.uuid, devices, "xml")
    server.domain = Domain(server.uuid, domain_name(server), devices, "", "".join(hostdevs))
    world.libvirt.define(server.domain)
    server.stage = "active"
    return " ".join(devices)


def set_parameters(world, name, by_hand):
    """A tenant's own, on a device whose guest is off."""
    server = the(world, name, "active")
    if not server or not server.domain or server.domain.pid or world.rig.frozen or (
            not world.kind.has_parameters) or world.refused:
        return None
    for device in server.domain.devices:
        text = f"owner={name}."
        if device not in world.devices() or world.libvirt.holders().get(device):
            continue
        if by_hand:
            file = world.kind.folder(device) / "nvidia/vgpu_params"
            done = file.exists() and world.kind.write(file, text) == "OK"
        else:
            done = world.rig.ask("params", device, text).returncode == 0
        if done:
            world.parameters[device] = server.uuid, text
            if by_hand:
                world.by_hand.add(device)
            return f"{device} {text}"
    return None


# ---- the daemon and the host ----

def kill(world, moment, delay):
    """In the midst of a cycle, while the driver takes its time; or idle (0)."""
    if not world.rig.daemon:
        return None
    world.rig.thaw()
    if delay:
        for what in ("create", "remove"):
            world.host.control(f"delay {what} {delay} every")
    if moment:
        world.rig.poke()
        time.sleep(moment / 1000)  # any moment is as good as another
    world.rig.kill_daemon()
    if delay:
        world.host.control("clear")
        world.refused = False
    world.look_at_stores()
    world.rig.start_daemon()
    return "started again"


def reboot(world):
    world.rig.thaw()
    world.rig.kill_daemon()
    world.look_at_stores()
    before = world.devices()
    wanted = {device: why for device, why in wanted_again(world, before).items()
              if before[device][1] in world.types_at(before[device][0])}
    world.libvirt.lose_power()
    for device in list(world.foreign):
        world.reappeared.add(device)  # a consumer can have it
        if not isinstance(world.kind, Fixed) or world.foreign[device] == "held":
            forget_foreign(world, device)
    world.rig.reboot_host()
    world.kind.came_back()
    world.seen_stores, world.refused = 0, False
    world.kind.own.clear()
    world.dropped.clear()
    world.lost.clear()
    forget_by_hand(world)
    done = world.rig.ask("restore")
    judge_restored(world, before, wanted, done)
    world.rig.start_daemon()
    return f"restore: {done.returncode} {done.stderr.strip()[-200:]}"


def forget_by_hand(world):
    for device in world.by_hand:
        world.parameters.pop(device, None)
    world.by_hand.clear()


def lose_state_file(world):
    """With the daemon away. Who has a device is then known by the domains alone; the others
    are somebody else's."""
    world.rig.thaw()
    world.rig.kill_daemon()
    world.look_at_stores()
    world.agent.state_file.unlink(missing_ok=True)
    world.forgetful = True
    named = world.libvirt.names()
    for device in set() if isinstance(world.kind, Fixed) else set(world.devices()) - set(world.foreign):
        if device in named or isinstance(world.kind, Mdevs):
            world.reappeared.add(device)  # an mdev's uuid says for whom it was made
        else:
            world.foreign[device] = "idle"
    for devices in (world.printed, world.assigned):
        for device in set(devices) - set(named):
            del devices[device]
    world.unclean.clear(), world.users.clear(), world.spent.clear(), world.having.clear()
    world.rig.start_daemon()
    return "lost"


# ---- cards ----

def unplug(world, number):
    card = world.cards[number % len(world.cards)]
    if card in world.lost:
        return None
    devices = world.devices()
    guests_off(world, card)
    for device in list(world.foreign):
        if devices.get(device, [None])[0] == card:
            forget_foreign(world, device)
    world.kind.unplug(card)
    world.lost[card] = "unplugged"
    world.dropped.clear()
    forget_by_hand(world)
    return "unplugged"


def mend_cards(world):
    if not world.lost:
        return None
    world.host.control("rescan")
    world.kind.came_back()
    world.lost.clear()
    return "all cards are there"


def refuse(world, what, error, count):
    """The driver, until it is told otherwise or has done it so often."""
    if world.lost:
        return None
    world.host.control(f"fail {what} {error}" + (" every" if count == 0 else f" nth {count}"))
    world.refused = True
    return error


def relent(world):
    if not world.refused:
        return None
    world.host.control("clear")
    world.refused = False
    return "ok"


# ---- other people's devices ----

def make_foreign(world, number, card, type_id, kind):
    """kind: named, held or idle. Of fixed functions, one that nobody has is taken."""
    card, types = world.cards[card % len(world.cards)], world.kind.types
    if card in world.lost or world.refused:
        return None
    if isinstance(world.kind, Fixed):
        if world.touched or kind == "idle":
            return None
        taken = {*world.assigned, *world.printed, *world.foreign, *world.libvirt.names(),
                 *world.libvirt.holders()}
        device = next((d for d in world.kind.functions_of(card) if d not in taken), None)
    else:
        device = world.kind.make(card, types[type_id % len(types)])
    if not device:
        return "no room"
    world.foreign[device] = kind
    world.reappeared.discard(device)
    world.numbered[number] = device
    if kind == "named":
        world.strangers[device] = Domain(world.rig.uuid(f"stranger {number}"), f"appliance-{number}",
                                         [device], "", hostdevs_of(world, device))
        world.libvirt.define(world.strangers[device])
    elif kind == "held":
        world.libvirt.hold_alone(device)
    return device


def hostdevs_of(world, device):
    return "".join(hostdev_xml(f) for f in world.kind.functions(device))


def end_foreign(world, number):
    device = world.numbered.get(number)
    if device not in world.foreign or world.refused or (
            world.devices().get(device, [None])[0] in world.lost):
        return None
    if device in world.libvirt.names() and device not in world.strangers:
        return None  # the agent has given it to a guest
    forget_foreign(world, device)
    if not isinstance(world.kind, Fixed):
        world.remove_by_hand(device)
    world.dropped.pop(device, None)
    return device


def hold(world, number):
    """A process that libvirt does not know opens one of the guests' devices."""
    devices = sorted({*world.assigned, *world.libvirt.names()} & set(world.devices())
                     - set(world.libvirt.holders()))
    if not devices:
        return None
    world.libvirt.hold_alone(devices[number % len(devices)])
    return devices[number % len(devices)]


# ---- operators and files ----

def reload(world, kind, number):
    """same; cap: at most 1 of a type; uncap; retype: a card gets the next type alone;
    unconfigure: it gets none; as_first: all cards are as at first."""
    card, types = world.cards[number % len(world.cards)], world.kind.types
    if world.lost:
        return None  # files that name what no card has are refused
    if kind == "cap":
        world.cap = types[0], 1
    elif kind == "uncap":
        world.cap = None
    elif kind == "retype" and len(types) > 1:
        world.types_of[card] = [types[(types.index((world.types_of[card] or types)[0]) + 1) % len(types)]]
    elif kind == "unconfigure" and sum(map(bool, world.types_of.values())) > 1:
        world.types_of[card] = []
    elif kind == "as_first":
        world.types_of = {c: list(t) for c, t in world.first_types.items()}
    elif kind != "same":
        return None
    for c, some in world.types_of.items():
        world.had[c].update(some)
    world.configure()
    if world.rig.daemon:
        trouble.thaw(world)
        done = world.rig.ask("reload")
        if done.returncode != 0:
            raise Wrong("reload", f"reload: {done.returncode} {done.stdout}{done.stderr}")
    return f"{kind}: {world.types_of}"


def enable(world, number, type_number):
    card, type_id = chosen(world, number, type_number)
    if card in world.lost or not world.types_of[card] or len(world.kind.types) < 2 or world.rig.frozen:
        return None
    done = world.rig.ask("enable", type_id, card)
    if done.returncode == 0 or WAITS in done.stdout:
        world.disabled.discard((card, type_id))
        world.had[card].add(type_id)
        if type_id not in world.types_of[card]:
            world.enabled.add((card, type_id))
    return f"{type_id} {card}: {done.returncode} {done.stdout.strip()}{done.stderr.strip()[-200:]}"


def disable(world, number, type_number):
    """Refused while one is resident."""
    card, type_id = chosen(world, number, type_number)
    if card in world.lost or type_id not in world.types_at(card) or world.rig.frozen or (
            len(world.kind.types) < 2):
        return None
    before = {d for d, place in world.devices().items() if place == (card, type_id)}
    allocated = [c for c, places in world.allocations.items() for p in places
                 if p != "other" and p[0] == card and world.type_at(p) == type_id]
    done = world.rig.ask("disable", type_id, card)
    if done.returncode == 0 or WAITS in done.stdout:
        resident = before & set(world.devices())
        if resident or allocated:
            raise Wrong("disabled", f"disable {type_id} {card} is taken ({done.returncode}) though "
                        f"{sorted(resident)} are resident and {allocated} have units of it")
        world.enabled.discard((card, type_id))
        world.disabled.add((card, type_id))
    return f"{type_id} {card}: {done.returncode} {done.stdout.strip()}{done.stderr.strip()[-200:]}"


def chosen(world, number, type_number):
    return (world.cards[number % len(world.cards)],
            world.kind.types[type_number % len(world.kind.types)])


def drain(world, number):
    card = world.cards[number % len(world.cards)]
    if world.rig.frozen or not world.rig.daemon or card in world.drained or world.lost:
        return None
    done = world.rig.ask("drain", card)
    world.drained.add(card)
    return f"{card}: {done.returncode} {done.stderr.strip()}"


def undrain(world):
    if not world.drained or world.rig.frozen or not world.rig.daemon:
        return None
    notes = [f"{card}: {world.rig.ask('undrain', card).returncode}" for card in sorted(world.drained)]
    world.drained.clear()
    return " ".join(notes)


def clean(world, number):
    card = world.cards[number % len(world.cards)]
    if not world.kind.one_time_use or world.rig.frozen or card in world.lost:
        return None
    done = world.rig.ask("clean", card)
    if card not in world.devices():
        world.unclean.discard(card)
    for key in [key for key in world.spent if key[0] == card]:
        del world.spent[key]
    return f"{card}: {done.returncode} {done.stdout.strip()}{done.stderr.strip()[-200:]}"
