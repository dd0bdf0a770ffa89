"""Steps: what Nova does to Placement and to libvirt, in its own order. A step whose servers
are not (any more) in the stage that it needs does nothing and gives None, so that any part
of a script is a script; else it gives a note for the story."""
import os

from .guests import ENEMIES, PRINTED, Domain
from .printed import judge_printed
from .rig import SHORT
from .world import Server


def cards_of(wants):
    """"m1a2": {M10: 1, A40: 2}"""
    return {SHORT[wants[i]]: int(wants[i + 1]) for i in range(0, len(wants), 2)}


def the(world, name, *stages):
    server = world.servers.get(name)
    return server if server and server.stage in stages else None


def new_migration(world, server):
    server.migrations += 1
    server.migration = world.rig.uuid(f"{server.name} migration {server.migrations}")
    world.instance_of[server.migration] = server.uuid
    return server.migration


def end_domain(world, server):
    if server.domain:
        world.libvirt.undefine(server.domain)
        server.domain = None
        for device, (consumer, _) in list(world.printed.items()):
            if consumer == server.uuid:
                del world.printed[device]


def power_off(world, server):
    if server.domain:
        world.libvirt.stop(server.domain)


def enemy_text(world, enemy):
    """Another's device as the text that a tenant chose; `enemy` is [kind, number]."""
    devices = sorted(world.host.mdevs())
    if not enemy or not devices:
        return ""
    return ENEMIES[enemy[0]].replace("{}", devices[enemy[1] % len(devices)])


# ---- to be, and not to be ----

def claim(world, name, wants):
    """The scheduler's; the domain comes later."""
    server = world.servers.setdefault(name, Server(name, world.rig.uuid(name)))
    if server.stage not in ("gone", "shelved") or server.domain:
        return None
    if not world.put(server.uuid, cards_of(wants)):
        return "refused"
    server.stage = "new"
    return "claimed"


def nova_devices(world, server):
    """In nova mode nova-compute chooses, and keeps what the guest has; None: it fails."""
    there, chosen = world.devices(), []
    own = server.domain.devices if server.domain else []
    for card, units in world.here(server.uuid).items():
        kept = [d for d in own if there.get(d, [None])[0] == card][:units]
        chosen += kept
        for _ in range(units - len(kept)):
            device = world.nova_takes(card, chosen)
            if not device:
                return None
            chosen.append(device)
    return chosen


def domain_name(server):
    return f"instance-{int(server.name[1:]):08x}"


def printed_hostdevs(world, server):
    """What `xml` says, or None and why."""
    done = world.rig.ask("xml", server.uuid)
    if done.returncode != 0:
        return None, f"xml: {done.returncode} {done.stderr.strip()[-200:]}"
    hostdevs = PRINTED.findall(done.stdout)
    devices = world.devices_in("".join(hostdevs))
    judge_printed(world, server.uuid, devices, "xml")
    return devices, "".join(hostdevs)


def define(world, name, enemy):
    """With the devices that it shall have."""
    server = the(world, name, "new", "active", "same", "in")
    if not server or not world.here(server.uuid) or world.rig.frozen or (
            server.domain and server.domain.pid):
        return None
    if world.mode == "nova":
        devices, hostdevs = nova_devices(world, server), None
        if not devices:
            return "nova-compute found no device"
    else:
        devices, hostdevs = printed_hostdevs(world, server)
        if devices is None:
            return hostdevs
    server.domain = Domain(server.uuid, domain_name(server), devices,
                           enemy_text(world, enemy), hostdevs)
    world.libvirt.define(server.domain)
    if server.stage == "new":
        server.stage = "active"
    return " ".join(devices)


def define_plain(world, name, enemy):
    """A server without a GPU, whose tenant knows another's device."""
    server = world.servers.setdefault(name, Server(name, world.rig.uuid(name)))
    if server.stage not in ("gone", "new") or server.domain:
        return None
    server.domain = Domain(server.uuid, domain_name(server), [], enemy_text(world, enemy))
    world.libvirt.define(server.domain)
    server.stage = "active"
    return server.domain.text


def start(world, name):
    server = the(world, name, "active", "same", "in", "orphan")
    if not server or not server.domain or server.domain.pid:
        return None
    missing = world.libvirt.start(server.domain)
    return f"does not start, without {missing}" if missing else "runs"


def stop(world, name):
    server = the(world, name, "active", "same", "in", "orphan")
    if not server or not server.domain or not server.domain.pid:
        return None
    world.libvirt.stop(server.domain)
    return "off"


def delete(world, name, by_delete, placement_first):
    """placement_first: while nova-compute was away; `reap` is when it is back."""
    server = the(world, name, "new", "active")
    if not server:
        return None
    if placement_first and server.domain:
        world.drop(server.uuid, by_delete)
        server.stage = "orphan"
        return "its guest is an orphan"
    end_domain(world, server)
    world.drop(server.uuid, by_delete)
    server.stage = "gone"
    return "deleted"


def reap(world, name):
    server = the(world, name, "orphan", "evacuated")
    if not server:
        return None
    end_domain(world, server)
    if server.stage == "evacuated":
        world.put(server.uuid, {"other": 1})
    server.stage = "gone"
    return "reaped"


def heal_allocations(world, name):
    """As nova-manage does for an orphan."""
    server = the(world, name, "orphan")
    if not server or not server.before:
        return None
    if not world.put(server.uuid, server.before):
        return "refused"
    server.stage = "active"
    return "has its allocation again"


def lose_allocation(world, name):
    """An operator deletes it by hand; the guest goes on."""
    server = the(world, name, "active")
    if not server or not server.domain or not world.here(server.uuid):
        return None
    server.before = world.here(server.uuid)
    world.drop(server.uuid)
    server.stage = "orphan"
    return "an orphan"


def fail_spawn(world, name, wants):
    """And perhaps the scheduler comes back to this host at once."""
    server = the(world, name, "new")
    if not server:
        return None
    end_domain(world, server)
    world.drop(server.uuid)
    if wants and world.put(server.uuid, cards_of(wants)):
        return "again"
    server.stage = "gone"
    return "failed"


# ---- on and on ----

def hard_reboot(world, name):
    server = the(world, name, "active")
    if not server or not server.domain:
        return None
    world.libvirt.stop(server.domain)
    world.libvirt.define(server.domain)
    return start(world, name)


def rebuild(world, name):
    """First without a device; the next `define` puts it there."""
    server = the(world, name, "active")
    if not server or not server.domain or world.mode == "nova":
        return None
    world.libvirt.stop(server.domain)
    server.domain = Domain(server.uuid, server.domain.name, [])
    world.libvirt.define(server.domain)
    return "without a device"


def shelve(world, name):
    server = the(world, name, "active")
    if not server:
        return None
    end_domain(world, server)
    world.drop(server.uuid)
    server.stage = "shelved"
    return "offloaded"


# ---- from here to there ----

def resize_out(world, name, off_first):
    """Or a cold migration: the domain stays here, shut off, until it is confirmed."""
    server = the(world, name, "active")
    if not server or not server.domain or not world.here(server.uuid):
        return None
    if off_first:
        power_off(world, server)
    server.before = world.here(server.uuid)
    if not world.post({server.uuid: {"other": 1},
                       new_migration(world, server): server.before}):
        return "refused"
    power_off(world, server)
    server.stage = "out"
    return f"its allocation is {server.migration}'s"


def resize_same(world, name, wants):
    """The migration holds the old, the server the new."""
    server = the(world, name, "active")
    if not server or not server.domain or not world.here(server.uuid):
        return None
    server.before = world.here(server.uuid)
    if not world.post({server.uuid: cards_of(wants),
                       new_migration(world, server): server.before}):
        return "refused"
    power_off(world, server)
    server.stage = "same"
    return f"the old is {server.migration}'s"


def resize_in(world, name, wants):
    server = world.servers.setdefault(name, Server(name, world.rig.uuid(name)))
    if server.stage != "gone" or server.domain or not world.put(server.uuid, {"other": 1}):
        return None
    if not world.post({server.uuid: cards_of(wants),
                       new_migration(world, server): {"other": 1}}):
        world.drop(server.uuid)
        return "refused"
    server.stage = "in"
    return "comes"


def confirm(world, name):
    server = the(world, name, "out", "same", "in")
    if not server:
        return None
    if server.stage == "out":
        end_domain(world, server)
    world.drop(server.migration)
    server.stage = "gone" if server.stage == "out" else "active"
    return "confirmed"


def revert(world, name, keep):
    """keep: the domain that is still defined is started again; else a new one comes."""
    server = the(world, name, "out", "same", "in")
    if not server:
        return None
    if server.stage == "in":
        end_domain(world, server)
        world.post({server.uuid: {"other": 1}, server.migration: {}})
        server.stage = "gone"
        return "gone back"
    power_off(world, server)
    if server.stage == "same" and not keep:
        end_domain(world, server)
    if not world.post({server.uuid: server.before, server.migration: {}}):
        return "refused"
    if server.stage == "out" and not keep:
        end_domain(world, server)
    server.stage = "active" if server.domain else "new"
    return "reverted"


def live_out(world, name):
    server = the(world, name, "active")
    if not server or not server.domain or not server.domain.pid or (
            not world.here(server.uuid)):
        return None
    server.before = world.here(server.uuid)
    if not world.post({server.uuid: {"other": 1},
                       new_migration(world, server): server.before}):
        return "refused"
    server.stage = "live"
    return f"its allocation is {server.migration}'s while it runs"


def live_end(world, name, succeeds):
    server = the(world, name, "live")
    if not server:
        return None
    if succeeds:
        end_domain(world, server)
        world.drop(server.migration)
        server.stage = "gone"
        return "it has gone"
    if not world.post({server.uuid: server.before, server.migration: {}}):
        return "refused"
    server.stage = "active"
    return "rolled back"


def evacuate_in(world, name, wants):
    """One consumer on both hosts, until the dead one is back."""
    server = world.servers.setdefault(name, Server(name, world.rig.uuid(name)))
    if server.stage != "gone" or server.domain or not world.put(server.uuid, {"other": 1}):
        return None
    if not world.put(server.uuid, {"other": 1, **cards_of(wants)}):
        world.drop(server.uuid)
        return "refused"
    server.stage = "new"
    return "comes"


def evacuate_out(world, name):
    server = the(world, name, "active")
    if not server or not server.domain or not world.here(server.uuid):
        return None
    power_off(world, server)
    if not world.put(server.uuid, {"other": 1, **world.here(server.uuid)}):
        return "refused"
    server.stage = "evacuated"
    return "on both hosts"


def source_is_back(world, name):
    server = the(world, name, "new", "active")
    if not server or "other" not in world.allocations.get(server.uuid, ()):
        return None
    world.put(server.uuid, world.here(server.uuid))
    return "only here"


def report(world):
    """nova-compute's periodic update, in nova mode."""
    if world.mode != "nova" or world.lost:
        return None
    world.nova_reports()
    return "reported"


def ask(world, name, command, of_migration):
    """Somebody asks at any time, perhaps for a migration."""
    server = world.servers.get(name)
    consumer = server and (server.migration if of_migration else server.uuid)
    if not consumer or world.rig.frozen or world.mode == "nova":
        return None
    done = world.rig.ask(command, consumer)
    if of_migration and done.returncode == os.EX_TEMPFAIL:
        # Its own devices are still to come; what stood for it is over all the same.
        for device, (owner, _) in list(world.assigned.items()):
            if owner == consumer:
                del world.assigned[device]
    if done.returncode != 0:
        return f"{done.returncode} {done.stderr.strip()[-160:]}"
    devices = world.devices_in(done.stdout)
    judge_printed(world, consumer, devices, command)
    return " ".join(devices)


def delete_all(world):
    for server in world.servers.values():
        end_domain(world, server)
        for consumer in world.family(server.uuid):
            world.drop(consumer)
        server.stage = "gone"
        world.look_at_stores()
