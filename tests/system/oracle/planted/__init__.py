"""Faults, of which the judge must find each (support/planting.py plants them)."""
import shutil
import time

from oracle.kinds import LENGTH as LENGTH_KINDS, kind_of
from oracle.script import replay, run_world
from support import planting, process

SOUND = "sound"  # the folder of the programs without a fault
MOST_WORLDS, LENGTH = 40, 250  # within which each must be found


class Plant:
    """`rules`: those that this fault breaks; another one is not its being found."""

    def __init__(self, name, what, rules, *edits, mode="owner"):
        self.name, self.what, self.rules, self.edits = name, what, set(rules.split()), edits
        self.mode = mode


PLANTS = (
    Plant("held-device-handed-over", "a device that another domain names is given away",
          "given given-twice printed own unmet offered",
          ("agent/plan/world/ownership.c", "    if (use_is_anothers(use, consumer))\n"
           "        return POSSESSED_BY_ANOTHER;\n    if (use && use->domain[0])\n"
           "        return POSSESSED;\n", "    if (use && use->domain[0])\n"
           "        return POSSESSED_BY_NONE;\n")),
    Plant("domains-not-read", "what libvirt's domains name is not looked at",
          "removed given given-twice printed offered own restore",
          ("agent/host/device_use.c",
           "        strlist_add_unique(&scan->use->domains, domain->uuid);\n",
           "        strlist_add_unique(&scan->use->domains, domain->uuid);\n    return;\n")),
    Plant("held-counts-as-free", "a device that a guest without an allocation has is capacity",
          "offered",
          ("agent/plan/devices/room.c", "    left -= count_taken(world, managed) + by_hand_units(world, managed);\n",
           "    left -= by_hand_units(world, managed);\n    (void)count_taken(world, managed);\n")),
    Plant("foreign-removed", "what others made is removed like the agent's own",
          "foreign-removed",
          ("agent/plan/world/world.c", "    return !present->entry || present->entry->adopted;\n",
           "    return !present->entry;\n")),
    Plant("no-grace", "a released device is removed at once", "early",
          ("agent/plan/world/world.c",
           "world->in->now - released_at >= world->in->config->agent.release_grace;\n",
           "world->in->now - released_at >= 0;\n")),
    Plant("journal-entry-lost", "the state file forgets a device when it is released",
          "left",
          ("agent/plan/steps/journal_notes.c", "    case STEP_MARK_RELEASED:\n"
           "        return journal_put_device(journal, &step->device);\n",
           "        return journal_put_device(journal, &step->device);\n"
           "    case STEP_MARK_RELEASED:\n"
           "        return journal_drop_device(journal, step->device.uuid);\n")),
    Plant("wrong-type", "the card's last type is made, not the configured one", "type",
          ("agent/plan/world/want_type.c",
           "    return type_id && want_place(want) ? gpu_type(want_place(want), type_id) : NULL;\n",
           "    const struct gpu *place = want_place(want);\n"
           "    if (place && place->parent_count && place->parents[0].type_count > 1)\n"
           "        return &place->parents[0].types[place->parents[0].type_count - 1];\n"
           "    return type_id && want_place(want) ? gpu_type(want_place(want), type_id) : NULL;\n")),
    Plant("device-left-over", "the second device of a consumer is never removed", "left",
          ("agent/plan/devices/release.c",
           "    if (!reason)\n        (void)remove_surplus(",
           "    if (!reason && present->entry->index == 0)\n        (void)remove_surplus(")),
    Plant("one-too-many", "one more is offered than can be made while something is used",
          "offered",
          ("agent/plan/devices/room.c", "    left -= count_taken(world, managed) + by_hand_units(world, managed);\n",
           "    left -= count_taken(world, managed) + by_hand_units(world, managed) -\n"
           "            (group->want_count > 1);\n")),
    Plant("xml-of-another", "xml prints the devices of the first consumer", "printed",
          ("agent/report/consumer_devices.c",
           "        if (!holds(status) || strcmp(status->consumer, consumer) != 0)\n",
           "        if (!holds(status) || (found && strcmp(status->consumer, consumer)))\n")),
    Plant("status-says-well", "status ends with 0 whatever it says", "status",
          ("agent/command/status.c", "    return status->problems.count == 0 ? EX_OK : 1;\n",
           "    return EX_OK;\n")),
    Plant("restore-forgets-guests", "restore leaves out what only domains name", "restore",
          ("agent/plan/devices/restore.c", "           is_named_by_domain(world, entry);\n",
           "           (is_named_by_domain(world, entry) && false);\n"), mode="nova"),
    Plant("operators-traits", "traits that an operator added are taken away", "others",
          ("agent/plan/providers/traits.c", "|| !is_ours(managed, &wanted, trait);\n",
           "|| (!is_ours(managed, &wanted, trait) && false);\n")),
)


def seeds_of(plant):
    if plant.mode != "kinds":
        return range(1, MOST_WORLDS + 1)
    return [seed for seed in range(1, 10 * MOST_WORLDS + 1) if kind_of(seed) == plant.kind]


def search(plant, folder):
    """Runs worlds until one breaks a rule of the plant's, and not without the fault; gives
    (worlds, steps, outcome)."""
    steps = 0
    for count, seed in enumerate(seeds_of(plant), 1):
        process.BUILD = folder / "build/release"
        outcome = run_world(f"{seed}", plant.mode, LENGTH_KINDS if plant.mode == "kinds" else LENGTH)
        steps += len(outcome.steps)
        if not outcome.wrong or outcome.wrong.rule not in plant.rules:
            continue
        process.BUILD = folder / SOUND
        again = replay(f"{seed}", plant.mode, outcome.steps)
        if not again.wrong or again.wrong.rule != outcome.wrong.rule:
            return count, steps, outcome
    return MOST_WORLDS, steps, None


def find(plant, folder):
    begin = time.monotonic()
    with planting.planted(folder, plant.edits):
        worlds, steps, outcome = search(plant, folder)
    found = f"[{outcome.wrong.rule}]" if outcome else "NOT FOUND"
    print(f"{plant.name}: {plant.what}: {found} after {steps} steps in {worlds} worlds "
          f"({time.monotonic() - begin:.0f} s)", flush=True)
    return outcome is not None


def find_all(names, plants=PLANTS):
    plants = [p for p in plants if not names or p.name in names]
    with planting.copied_tree() as folder:
        planting.build(folder)
        (folder / SOUND).mkdir()
        for program in ("vgpu-agent", "placementd", "mdevsim"):
            shutil.copy2(folder / "build/release" / program, folder / SOUND)
        found = sum(find(plant, folder) for plant in plants)
    print(f"{found} of {len(plants)} planted faults were found")
    return 0 if plants and found == len(plants) else 1
