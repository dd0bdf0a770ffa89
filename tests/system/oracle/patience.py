"""How long a judge waits. What must come in time has CYCLES of the daemon's own cycles for
it, begun and ended; a busy machine makes them slower, and not fewer."""
from .rig import now
from .wrong import Wrong

CYCLES = 16  # until a change is seen and dealt with


def settle(world):
    """Until `plan` has nothing to do."""
    for _ in range(CYCLES):
        if world.mode == "nova" and not world.lost:
            world.nova_reports()
        world.rig.cycle()
        world.look_at_stores()
        done = world.rig.ask("plan")
        if done.returncode in (0, 1):  # 1: something is not well, which `status` is judged for
            return
    raise Wrong("rest", f"after {CYCLES} cycles `plan` still says {done.returncode}:\n"
                f"{done.stdout[-1500:]}{done.stderr[-800:]}")


def wait_for_what_is_due(world, judge):
    """Until `judge` gives nothing that has not come yet: (what is seen, a Wrong or None). What
    must never be it raises at once."""
    turn = world.rig.turns
    while True:
        view, late = judge(world)
        if not late:
            return view
        if world.rig.turns - turn > CYCLES:
            raise late


class LeftOver:
    """Since when it is so: some cycles until the agent knows of it, the grace period, which
    is time, and some cycles until it is done."""

    def __init__(self, world):
        self.since, self.turn = now(), world.rig.turns
        self.known = self.over = None  # when; in which cycle

    def is_late(self, world):
        turns = world.rig.turns
        if self.known is None and turns - self.turn > CYCLES:
            self.known = now()
        if self.known is not None and self.over is None and (
                now() - self.known > world.grace + 1):
            self.over = turns
        return self.over is not None and turns - self.over > CYCLES
