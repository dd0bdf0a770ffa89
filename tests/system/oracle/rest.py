"""The rules at rest: when `plan` has nothing left to do, and when all is deleted.

  given, given-twice, own      a device is one consumer's, and nobody else names or holds it
  unmet, too-many              each unit has one device of the right type where there is room
  offered, hidden              in capacity.py
  others                       what is not the agent's is as it was
  rest, status, left           quiet in the end; `status` tells the truth; nothing stays
"""
import collections
import json

from .capacity import is_plain, judge_capacity, offered, stand_still, was_theirs
from .guests import UUID
from .patience import CYCLES, LeftOver, settle, wait_for_what_is_due
from .rig import TYPES, now
from .seen import Host, read
from .world import OPERATORS_CLASS, OPERATORS_TRAIT, OWNER_TRAIT
from .wrong import Wrong


class View(Host):
    """What is to be seen at rest."""

    def __init__(self, world):
        super().__init__(world)
        self.rows = read(world, "allocations") if world.mode == "owner" else []
        self.listed = collections.defaultdict(list)  # (consumer, card): devices
        self.migrating = set()  # (consumer, card)
        cards = {world.child_name(card): card for card in world.cards}
        for row in self.rows:
            card = cards.get(row["provider"])
            if row["units"] and card in world.allocations.get(row["consumer"], ()):
                self.listed[row["consumer"], card] += self.of_row(row, card, world)
                if row["state"] == "migrating" and row["consumer"] in world.instance_of:
                    self.migrating.add((row["consumer"], card))
        self.short = {}  # (consumer, card): units without a device

    def of_row(self, row, card, world):
        """The devices of a server that is migrated stay its own, and stand for what is the
        migration's; the reason names the server and the first of them."""
        mdevs = row["mdevs"] or []
        if row["state"] != "migrating":
            return mdevs
        server, *devices = UUID.findall(row["reason"])
        if server not in world.family(row["consumer"]):
            return mdevs
        named = [d for d, users in self.named.items() if server in users and d not in devices]
        standing = [d for d in devices + named if d not in mdevs
                    and self.devices.get(d) == (card, TYPES[card])]
        return (mdevs + standing)[:max(row["units"], len(mdevs))]

    def free(self, card, world):
        """Of the right type, and nobody's."""
        return [d for d, place in self.devices.items()
                if place == (card, TYPES[card]) and d not in self.named
                and d not in self.held and world.foreign.get(d, "idle") == "idle"]


def mistaken(world, view):
    """New servers that are taken for migrations."""
    return [row for row in view.rows if row["state"] == "migrating"
            and row["consumer"] not in world.instance_of]


def look(world):
    """At rest. A server that came in the moment in which another lost its allocation can be
    taken for its migration, until somebody asks for its devices."""
    settle(world)
    view = View(world)
    found = mistaken(world, view)
    if found:
        for row in found:
            world.rig.ask("xml", row["consumer"])
        settle(world)
        view = View(world)
        for row in mistaken(world, view):
            raise Wrong("given", f"{row['consumer']} is a server, and is taken for a migration "
                        f"even after `xml`: {row['reason']}")
    return view


def audit(world):
    world.rig.thaw()
    if world.bad_files:
        done = world.rig.ask("status")
        if done.returncode == 0:
            raise Wrong("status", "files with errors, and `status` says all is well")
        return "files with errors"
    view = wait_for_what_is_due(world, judge_now)
    if world.mode == "owner":
        judge_leaks(world, view)
        judge_provider(world)
    judge_others(world)
    judge_status(world, view)
    judge_command(world, view)
    world.touched.clear()
    world.assigned = {d: key for key, listed in view.listed.items() for d in listed
                      if view.devices.get(d) == (key[1], TYPES[key[1]])}
    for device in world.assigned:
        world.ended.pop(device, None)
    world.known.update(view.devices)
    world.libvirt.kept, world.held_at_rest = world.libvirt.names(), set(view.held)
    return None


def judge_now(world):
    """What is seen, and what of it has not come yet; raises what must never be."""
    view = look(world)
    judge_given(world, view)
    judge_met(world, view)
    return view, judge_capacity(world, view, stand_still(world, view))


def judge_given(world, view):
    seen = {}
    for (consumer, card), listed in view.listed.items():
        owner = world.instance_of.get(consumer, consumer)
        for device in listed:
            users = view.users(device) - {owner}
            if device not in world.held_at_rest or was_theirs(world, view, owner, device):
                users.discard("a process")  # which came later
            if users:
                raise Wrong("given", f"{consumer} is given {device} on {card}, which "
                            f"{sorted(users)} names or holds")
            if world.foreign.get(device, "idle") != "idle":
                raise Wrong("given", f"{consumer} is given {device}, which somebody else made "
                            f"({world.foreign[device]})")
            if device in seen:
                raise Wrong("given-twice", f"{device} is given to {seen[device]} and to "
                            f"{consumer}")
            seen[device] = consumer
    for domain in world.libvirt.domains.values():
        judge_own(world, view, domain, seen)


def judge_own(world, view, domain, seen):
    """What a guest has is its own as long as it has an allocation there."""
    if world.mode != "owner":
        return
    for card in world.cards:
        mine = [d for d in domain.devices if view.devices.get(d) == (card, TYPES[card])
                and d not in world.foreign]
        units = world.here(domain.uuid).get(card, 0)
        if card in world.lost or len(mine) > units:
            continue  # what a migration holds may have become another device
        for device in mine:
            if seen.get(device) not in world.family(domain.uuid):
                raise Wrong("own", f"the guest {domain.uuid} has {device} and {units} "
                            f"allocated on {card}, but `allocations` gives the device to "
                            f"{seen.get(device)}")


def judge_met(world, view):
    for consumer in world.allocations if world.mode == "owner" else ():
        for card, units in world.here(consumer).items():
            listed = view.listed[consumer, card]
            if len(listed) > units:
                raise Wrong("too-many", f"{consumer} has {units} on {card} and is given "
                            f"{listed}:\n{json.dumps(view.rows, indent=1)}")
            # A migration needs no device, whichever server it is taken to be of: of several that lose
            # their allocations in one moment nobody can tell whose is whose.
            if card not in world.lost and (consumer, card) not in view.migrating:
                good = [d for d in listed if view.devices.get(d) == (card, TYPES[card])]
                if len(good) < units:
                    view.short[consumer, card] = units - len(good)


def judge_leaks(world, view):
    given = {d for listed in view.listed.values() for d in listed}
    unused = {d for d in view.devices if d not in given and d not in view.named
              and d not in view.held and d not in world.foreign
              and d not in world.reappeared and not world.forgetful
              and view.devices[d][0] not in world.lost}
    world.left_over = {d: world.left_over.get(d) or LeftOver(world) for d in unused}
    for device, left_over in world.left_over.items():
        if left_over.is_late(world):
            raise Wrong("left", f"{device} {view.devices[device]} has been nobody's for "
                        f"{now() - left_over.since:.1f} s, with a grace period of {world.grace}")


def judge_provider(world):
    for card in world.cards:
        traits = world.placement.traits(world.children[card])
        wanted = {OWNER_TRAIT}
        if card not in world.lost:  # one that went while it was looked at had no type
            wanted.add("CUSTOM_" + "".join(
                c if c.isalnum() else "_" for c in TYPES[card].upper()))
        if card == world.cards[0]:
            wanted |= {OPERATORS_TRAIT}
            if world.placement.inventories(world.children[card]).get(
                    OPERATORS_CLASS, {}).get("total") != 5:
                raise Wrong("others", f"an operator's {OPERATORS_CLASS} on {card} is gone")
        if not wanted <= traits:
            raise Wrong("others", f"{card} has {sorted(traits)}, without "
                        f"{sorted(wanted - traits)}")


def judge_others(world):
    after = world.others()
    for provider, before in world.others_before.items():
        if after[provider] != before:
            raise Wrong("others", f"the provider {provider} is not the agent's; it was "
                        f"{before}, and is {after[provider]}")
    names = set(world.placement.tree(world.root))
    known = {world.rig.root_name, f"{world.rig.root_name}_pci_0000_99_00_0",
             *(world.child_name(card) for card in world.cards)}
    if names != known:
        raise Wrong("others", f"the tree has {sorted(names ^ known)}")


def judge_status(world, view):
    done = world.rig.ask("status")
    short = sum(view.short.values())
    if done.returncode not in (0, 1):
        raise Wrong("status", f"exit status {done.returncode}: {done.stderr}")
    if done.returncode == 0 and (short or world.lost):
        raise Wrong("status", f"all is well, it says; {short} units have no device, lost: "
                    f"{world.lost}:\n{done.stdout}{json.dumps(view.rows)}")
    if done.returncode == 1 and world.rig.daemon and not short and is_plain(world):
        for _ in range(CYCLES):  # what a cycle could not do is told until the next
            if world.mode == "nova":
                world.nova_reports()
            world.rig.cycle()
            done = world.rig.ask("status")
            if done.returncode == 0:
                return
        raise Wrong("status", f"something is not well, it says; everything is:\n{done.stdout}")


def judge_command(world, view):
    """One of those whose units all have their devices can be defined."""
    if world.mode != "owner" or world.lost:
        return
    ready = [s for s in world.servers.values() if s.stage in ("new", "active", "in", "same")
             and world.here(s.uuid) and all(
                 len(view.listed[s.uuid, card]) == units
                 and not any(view.held.get(d, set()) - {s.uuid}
                             for d in view.listed[s.uuid, card])
                 for card, units in world.here(s.uuid).items())
             and not view.short]
    if not ready:
        return
    server = ready[len(world.story) % len(ready)]
    command = ("xml", "qemu-args")[len(world.story) % 2]
    done = world.rig.ask(command, server.uuid)
    if done.returncode != 0:
        if server.domain and server.domain.pid:
            return  # its own process holds them
        raise Wrong("unmet", f"{command} {server.uuid} refuses, but its devices are there and "
                    f"nobody else's: {done.returncode} {done.stderr}")
    listed = {d for card in world.here(server.uuid) for d in view.listed[server.uuid, card]}
    if any(device not in done.stdout for device in listed):
        raise Wrong("printed", f"{command} {server.uuid} does not give {sorted(listed)}:\n"
                    f"{done.stdout}")


# ---- at the end ----

def nothing_left(world):
    """All servers and strangers are gone."""
    left_over = LeftOver(world)
    while True:
        world.rig.cycle()
        world.look_at_stores()
        devices, listed = left(world), read(world, "allocations")
        if not devices and not listed:
            break
        if left_over.is_late(world):
            raise Wrong("left", f"after everything was deleted there are still {devices}; "
                        f"`allocations` has {listed}")
    audit(world)
    if world.mode == "owner":
        prune(world)
    else:
        take_back(world)


def left(world):
    if world.mode == "nova" or world.forgetful:
        return {}
    return {d: place for d, place in world.devices().items() if d not in world.reappeared}


def without_last(world):
    card = world.cards[-1]
    text = world.agent.file.read_text().replace(f", {TYPES[card]}", "").replace(
        f"{TYPES[card]}, ", "")
    section = f"[mdev_{TYPES[card]}]\ndevice_addresses = {card}\n"
    assert section in text
    world.agent.file.write_text(text.replace(section, ""))
    world.rig.end_daemon()
    world.rig.start_daemon()
    world.rig.cycle(), world.rig.cycle()
    return card


def prune(world):
    card = without_last(world)
    if offered(world, card) > 0:
        raise Wrong("left", f"{card} is not configured any more, and still offered")
    done = world.rig.ask("prune")
    tree = world.placement.tree(world.root)
    if done.returncode != 0 or world.child_name(card) in tree:
        raise Wrong("left", f"prune: {done.returncode} {done.stdout}{done.stderr}")
    if len(tree) != len(world.cards) + 1:
        raise Wrong("others", f"after prune the tree is {sorted(tree)}")


def take_back(world):
    card = without_last(world)
    traits = world.placement.traits(world.children[card])
    if traits:
        raise Wrong("left", f"{card} is not configured any more, and still has {traits}")
