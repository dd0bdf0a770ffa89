"""What anybody can see of a world: the host, what a command says of it, what Placement
counts; and all of that in one moment, while the daemon stands still."""
import contextlib
import json

from .wrong import Wrong


class Host:
    """As it was when it was looked at."""

    def __init__(self, world):
        self.see(world)

    def see(self, world):
        self.devices = world.devices()
        self.named, self.held = world.libvirt.names(), world.libvirt.holders()

    def users(self, device):
        return self.named.get(device, set()) | self.held.get(device, set())


class Still:
    """What was seen while the daemon stood still, by card; or by (card, type), where a card
    can have several."""

    def __init__(self):
        self.offered, self.makeable = {}, {}


@contextlib.contextmanager
def standing_still(world, host):
    """The daemon stands; `host` is seen anew."""
    world.rig.freeze()
    try:
        world.look_at_stores()
        host.see(world)
        yield
        world.forget_stores()
    finally:
        world.rig.thaw()


def read(world, command):
    """What a command says as JSON."""
    done = world.rig.ask("--format", "json", command)
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise Wrong("status", f"{command}: {done.returncode} {done.stdout}{done.stderr}") from None


def counted(world, provider, resource):
    """total - reserved, and used, as Placement counts them."""
    inventory = world.placement.inventories(provider).get(resource)
    used = sum(found["resources"].get(resource, 0) for found in world.placement.get(
        f"/resource_providers/{provider}/allocations")["allocations"].values())
    if not inventory:
        return used, used
    return int((inventory["total"] - inventory["reserved"]) * inventory["allocation_ratio"]), used
