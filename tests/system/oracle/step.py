"""One step of a script: what Nova, an operator or an enemy does, and what the agent wrote
into sysfs meanwhile."""


def run_step(world, step, act):
    """[operation, its arguments, what is waited for]; `act` does it, and gives None where it
    cannot be done now."""
    op, arguments, pause = step
    note = act(world, *arguments)
    did = note is not None or op == "audit"
    if did:
        world.story.append(f"{op} {' '.join(map(str, arguments))} ({pause}): {note or 'ok'}")
    world.look_at_stores()
    if did and pause == "poke":
        world.rig.poke()
    elif did and pause == "cycle":
        world.rig.cycle()
        world.look_at_stores()
    return did
