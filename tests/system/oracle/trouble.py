"""Steps: crashes, power cuts, cards that come and go, other people's devices, operators."""
import signal
import time

from .guests import Domain
from .rig import A40, OTHER_TYPES, SHORT, TYPES
from .rules import judge_restored, wanted_again


def freeze(world):
    if world.rig.frozen or not world.rig.daemon:
        return None
    world.rig.freeze()
    return "frozen"


def thaw(world):
    if not world.rig.frozen:
        return None
    world.rig.thaw()
    return "goes on"


def kill(world, moment):
    """In the middle of a cycle, so many milliseconds after its begin, or idle (0)."""
    if not world.rig.daemon:
        return None
    world.rig.thaw()
    if moment:
        world.rig.poke()
        time.sleep(moment / 1000)  # any moment is as good as another
    world.rig.kill_daemon()
    world.look_at_stores()
    world.rig.start_daemon()
    return "started again"


def end(world):
    """The daemon rests; until `begin` a cycle is `sync`."""
    if not world.rig.daemon:
        return None
    world.rig.end_daemon()
    return "ended"


def begin(world):
    if world.rig.daemon:
        return None
    world.rig.start_daemon()
    return "begins"


def reboot(world, remade):
    """remade: who made devices by hand makes them again: 0 never, 1 before `restore`,
    2 after it."""
    world.rig.thaw()
    world.rig.kill_daemon()
    world.look_at_stores()
    before = world.devices()
    wanted = wanted_again(world, before)
    world.known.update(before)
    world.libvirt.lose_power()
    world.rig.reboot_host()
    world.seen_stores = 0
    world.own_stores.clear()
    world.lost.clear()
    foreign = {d: before[d] for d in world.foreign if d in before}
    world.foreign = {device: "idle" if kind == "held" else kind  # its process is no more
                     for device, kind in world.foreign.items()}
    if remade == 1:
        make_again(world, foreign)
    done = world.rig.ask("restore")
    world.look_at_stores()
    judge_restored(world, before, wanted, done)
    if remade == 2:
        make_again(world, foreign)
    there = world.devices()
    for device in list(world.foreign):
        if device not in there:
            forget_foreign(world, device)
    world.rig.start_daemon()
    return f"restore: {done.returncode} {done.stderr.strip()[-200:]}"


def make_again(world, foreign):
    for device, (card, type_id) in foreign.items():
        world.make_by_hand(card, type_id, device)


# ---- cards ----

def guests_off(world, card):
    devices = world.devices()
    for domain in list(world.libvirt.domains.values()):
        if any(devices.get(d, [None])[0] == card for d in domain.devices):
            world.libvirt.stop(domain)
    for pid, device in list(world.libvirt.processes.items()):
        if devices.get(device, [None])[0] == card:
            world.libvirt.let_go(pid)


def unplug(world, short):
    """Its guests died with it."""
    card = SHORT[short]
    if card in world.lost or card not in world.cards:
        return None
    guests_off(world, card)
    for device, (where, _) in world.devices().items():
        if where == card and device in world.foreign:
            forget_foreign(world, device)
    world.host.control(f"unplug {card}")
    world.lost[card] = "unplugged"
    return "unplugged"


def lose(world, short):
    """It falls off the bus; its devices' files stay, its guests hang."""
    card = SHORT[short]
    if card in world.lost or card not in world.cards:
        return None
    world.host.control(f"lose {card}")
    world.lost[card] = "off the bus"
    return "lost"


def mend_cards(world):
    if not world.lost:
        return None
    if "unplugged" in world.lost.values():
        world.host.control("rescan")
    for card, how in world.lost.items():
        if how == "off the bus":
            world.host.control(f"restore {card}")
        elif card == A40 and not (world.host.parent("0000:41:00.4")).exists():
            world.host.control(f"numvfs {A40} 4")
    world.lost.clear()
    return "all cards are there"


# ---- other people's devices ----

def forget_foreign(world, device):
    world.foreign.pop(device)
    domain = world.strangers.pop(device, None)
    if domain:
        world.libvirt.undefine(domain)
    for pid, held in list(world.libvirt.processes.items()):
        if held == device:
            world.libvirt.let_go(pid)
    for file in (world.agent.host_root / "etc/mdevctl.d").glob(f"*/{device}"):
        file.unlink()


def make_foreign(world, number, short, kind, other_type):
    """kind: named, running, held, mdevctl or idle."""
    card, device = SHORT[short], world.rig.uuid(f"foreign {number}")
    if card in world.lost or device in world.foreign or card not in world.cards:
        return None
    folder = world.agent.host_root / f"etc/mdevctl.d/{card}"
    if kind == "mdevctl":
        folder.mkdir(exist_ok=True)
        (folder / device).write_text(
            '{"mdev_type": "%s", "start": "auto", "attrs": []}' % TYPES[card])
    world.foreign[device] = kind
    if kind in ("named", "running"):  # the definition is first, as an operator has it
        world.strangers[device] = Domain(world.rig.uuid(f"stranger {number}"),
                                         f"appliance-{number}", [device])
        world.libvirt.define(world.strangers[device])
    if not world.make_by_hand(card, (OTHER_TYPES if other_type else TYPES)[card], device):
        forget_foreign(world, device)
        return "no room"
    if kind == "held":
        world.libvirt.hold_alone(device)
    elif kind == "running":
        world.libvirt.start(world.strangers[device])
    return device


def end_foreign(world, number):
    device = world.rig.uuid(f"foreign {number}")
    if device not in world.foreign or world.devices().get(device, [None])[0] in world.lost:
        return None
    if device in world.libvirt.names() and device not in world.strangers:
        return None  # the agent has given it to a guest
    forget_foreign(world, device)
    world.remove_by_hand(device)
    return device


def hold(world, number):
    """A process that libvirt does not know opens one of the guests' devices."""
    devices = sorted(set(world.host.mdevs()) - set(world.libvirt.holders()))
    if not devices:
        return None
    device = devices[number % len(devices)]
    if world.devices().get(device, [None])[0] in world.lost:
        return None
    world.libvirt.hold_alone(device)
    return device


def let_go(world):
    if not world.libvirt.processes:
        return None
    for pid in list(world.libvirt.processes):
        if world.foreign.get(world.libvirt.processes[pid]) != "held":
            world.libvirt.let_go(pid)
    return "let go"


# ---- operators and files ----

def reload(world, kind, short):
    """same; bad: refused; good: the old ones again; cap: at most 2 on a card; uncap."""
    if kind == "bad":
        text = world.agent.file.read_text()
        world.agent.file.write_text(text.replace("sync_interval =", "sync_interval = x"))
        world.bad_files = True
    else:
        if kind == "cap":
            world.cap = (SHORT[short], 2)
            if world.cap[0] not in world.cards:
                world.cap = None
        elif kind == "uncap":
            world.cap = None
        world.configure()
        world.bad_files = False
    if world.rig.daemon:
        world.rig.daemon.popen.send_signal(signal.SIGHUP)
    return kind


def drain(world, short):
    card = SHORT[short]
    if world.mode == "nova" or world.rig.frozen or not world.rig.daemon or card in world.drained \
            or world.lost or world.bad_files:
        return None
    done = world.rig.ask("drain", card)
    world.drained.add(card)
    return f"{done.returncode} {done.stderr.strip()}"


def undrain(world):
    if not world.drained or world.rig.frozen or not world.rig.daemon or world.bad_files:
        return None
    return " ".join(f"{card}: {world.rig.ask('undrain', card).returncode}"
                    for card in sorted(world.drained)) + (world.drained.clear() or "")


def placement_dies(world):
    """And is there again, with what it had."""
    if not world.placement.is_own:
        return None
    world.rig.kill_placement()
    if world.rig.daemon:
        world.rig.poke()
    world.rig.revive_placement()
    return "started again"


def lose_state_file(world):
    """With the daemon away; what it made can then be anybody's."""
    world.rig.thaw()
    world.rig.kill_daemon()
    world.look_at_stores()
    world.agent.state_file.unlink(missing_ok=True)
    world.forgetful = True
    named = world.libvirt.names()
    for devices in (world.printed, world.assigned):  # of these nobody else knows
        for device in set(devices) - set(named):
            del devices[device]
    world.rig.start_daemon()
    return "lost"
