"""What must be true of guests and their devices once nothing goes wrong any more and the agent has had its time. What
must be true at each moment is in attach_libvirt.py."""
import collections
import json
import time

from .attach_world import call_off_faults, wait_connected
from .rig import TYPES, now
from .wrong import Wrong

TIME = 40.0  # seconds for everything; Nova's own attach after a resume has 30 of them
POKES = 1.0  # seconds between two cycles meanwhile
LOOKS = 0.03
MINUTE = 61
EXCUSES = ("waits_for_port", "at_next_start")


def of_cards(world, devices):
    """{card: how many}, or what is wrong with one of them."""
    known, count = world.devices(), collections.Counter()
    for device in devices:
        if device not in known:
            return f"{device} does not exist"
        card, type_id = known[device]
        if TYPES[card] != type_id:
            return f"{device} is of the type {type_id}"
        count[card] += 1
    return dict(count)


def guests_with_domain(world):
    for guest in world.guests.values():
        domain = world.played.domains.get(guest.uuid)
        wanted = world.here(guest.uuid)
        if domain and wanted:
            yield guest, domain, wanted


def waits(world, guest, domain, wanted):
    """The documented reasons why it may run without: no port is left, or it has been restored."""
    return (domain.runs() and len(domain.live) < sum(wanted.values()) and (domain.ports < 1 or guest.restored) and
            of_cards(world, domain.configured) == wanted)


def without(world):
    """The first guest that has not what it should: (rule, text), or None."""
    for guest, domain, wanted in guests_with_domain(world):
        if guest.stage == "suspended" or waits(world, guest, domain, wanted):
            continue
        configured = of_cards(world, domain.configured)
        if domain.runs() and (live := of_cards(world, domain.live)) != wanted:
            too_many = isinstance(live, dict) and all(live.get(card, 0) >= units for card, units in wanted.items())
            return "surplus" if too_many else "live", (f"{guest.name} ({guest.uuid}) runs with {live}, not {wanted}; configured {configured}, "
                            f"{domain.ports} ports")
        if configured != wanted:
            return "configured", f"{guest.name} ({guest.uuid}, {guest.stage}) has {configured} configured, not {wanted}"
    return None


def expected_word(world, guest, domain, wanted):
    if waits(world, guest, domain, wanted):
        return EXCUSES
    return ("attached",) if domain.runs() else ("configured",)


def ask(world, *words):
    # By the true clock, which the files' times have; the daemon's runs ahead.
    done = world.rig.ask("--format", "json", *words)
    if done.returncode not in (0, 1) or not done.stdout:
        raise Wrong("command", f"{words}: {done.returncode} {done.stderr}")
    return json.loads(done.stdout)


def said_wrong(world):
    """What `allocations` and `status` say is what is so."""
    rows = {row["consumer"]: row for row in ask(world, "allocations")}
    status = ask(world, "status")
    lacking = 0
    for guest, domain, wanted in guests_with_domain(world):
        if guest.stage == "suspended":
            continue
        row = rows.get(guest.uuid)
        words = expected_word(world, guest, domain, wanted)
        if not row or row["guest"] not in words:
            return "word", f"{guest.name} ({guest.uuid}) is {row and row['guest']}, not {words}"
        if words == EXCUSES:
            lacking += 1
            if not any(guest.uuid in problem for problem in status["problems"]):
                return "silence", f"{guest.name} ({guest.uuid}) runs without its devices: {status['problems']}"
    if status["problems"] and not lacking:
        return "alarm", f"all is well, and status says {status['problems']}"
    return None


def left(world):
    """Devices that nobody has and nobody is to have: what is too many on a card. What a domain got after its allocations
    had become a migration's, by a call that was under way then, the migration has not (agent/plan/world/migration.h)."""
    named = {device: domain.uuid for domain in world.played.domains.values()
             for device in (*domain.configured, *domain.live)}
    devices = world.devices()
    have = collections.Counter()
    for device, uuid in named.items():
        guest = next(guest for guest in world.guests.values() if guest.uuid == uuid)
        late = guest.stage == "out" and world.played.attached_at.get(device, 0.0) > guest.migrated_at
        if device in devices and not late:
            have[uuid, devices[device][0]] += 1
    for card in world.cards:
        need = 0
        owners = {world.instance_of.get(consumer, consumer) for consumer in world.allocations}
        for owner in owners:
            units = sum(world.here(consumer).get(card, 0) for consumer in world.family(owner))
            need += max(0, units - have[owner, card])
        idle = [device for device, (place, _) in devices.items() if place == card and device not in named]
        if len(idle) > need:
            return "left", f"{card}: {idle} are nobody's, {need} are needed"
    return None


def wait_until_well(world, look, patience=TIME, step=0):
    """Pokes the daemon meanwhile, and with `step` lets its clock run ahead each time."""
    end = now() + patience
    poked = now()
    while wrong := look(world):
        world.played.complain()
        if now() > end:
            rule, text = wrong
            world.rig.cycle()
            raise Wrong(rule, f"{text}\n{world.rig.ask('status').stdout}{world.rig.ask('allocations').stdout}")
        if now() - poked > POKES:
            world.rig.step_clock(step)
            world.rig.cycle()
            poked = now()
        time.sleep(LOOKS)


def audit(world):
    call_off_faults(world)
    world.rig.thaw()
    wait_connected(world)
    world.rig.cycle()
    # What a daemon or a program that died has left to libvirt is nobody else's for a minute, and neither is what a
    # program has left to a connection that was lost. The program's minute is one of CLOCK_MONOTONIC, which runs as ever.
    wait_until_well(world, without, TIME + MINUTE)
    wait_until_well(world, left, TIME + MINUTE, step=MINUTE)
    world.rig.step_clock(MINUTE)
    wait_until_well(world, said_wrong)
    wait_until_well(world, without)
    world.played.complain()


def nothing_left(world):
    """Everything has been deleted."""
    call_off_faults(world)
    world.rig.thaw()
    wait_connected(world)
    wait_until_well(world, left, TIME + MINUTE, step=MINUTE)
    wait_until_well(world, said_wrong)
