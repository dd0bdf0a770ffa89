"""nova-compute's side of one host, without nova-compute: Nova's own ResourceTracker,
SchedulerReportClient and ProviderTree, and of its libvirt driver all that decides about
mediated devices. Below that, in place of libvirt, is a simulated sysfs.

    /usr/bin/python3 -I nova_host.py --config-file F --sysfs D --root NAME --uuid U

F is a nova.conf. One command a line on standard input, a JSON list of a verb and its
arguments; one answer a line on standard output: {"result": ...} or {"error": "..."}. The
verbs are the methods of Host without an underscore.
"""
import nova.monkey_patch  # noqa: F401, I001 # before everything else of Nova

import argparse
import collections
import json
import os
import pathlib
import re
import sys
from unittest import mock
from uuid import UUID, uuid4

import nova.conf
from nova import context, objects
from nova.compute import resource_tracker
from nova.scheduler.client import report
from nova.virt import fake
from nova.virt.libvirt.driver import LibvirtDriver

CONF = nova.conf.CONF
PROJECT, USER = (str(UUID(int=number)) for number in (1, 2))


class Sysfs:
    """What libvirt would tell of mdev parents and devices."""

    def __init__(self, root):
        self.bus = pathlib.Path(root) / "class/mdev_bus"

    def parents(self):
        for parent in sorted(self.bus.iterdir()):
            yield "pci_" + re.sub("[:.]", "_", parent.name), parent

    def capable(self, types):
        """As LibvirtDriver._get_mdev_capable_devices() gives them."""
        found = []
        for name, parent in self.parents():
            offered = {
                folder.name: {"availableInstances":
                              int((folder / "available_instances").read_text())}
                for folder in (parent / "mdev_supported_types").iterdir()
                if not types or folder.name in types}
            if offered:
                found.append({"dev_id": name, "types": offered})
        return found

    def devices(self, types):
        """As LibvirtDriver._get_mediated_devices() gives them."""
        found = []
        for name, parent in self.parents():
            for link in parent.glob("*/mdev_type"):
                type_id = os.path.basename(os.readlink(link))
                if not types or type_id in types:
                    found.append({"dev_id": "mdev_" + link.parent.name.replace("-", "_"),
                                  "uuid": link.parent.name, "parent": name,
                                  "type": type_id, "iommu_group": 0})
        return found

    def create(self, address, type_id, uuid=None):
        """In place of nova.privsep.libvirt.create_mdev()."""
        mdev = uuid or str(uuid4())
        file = self.bus / address / "mdev_supported_types" / type_id / "create"
        with open(file, "wb", buffering=0) as create:
            create.write(mdev.encode())
        return mdev


class Driver(fake.SmallFakeDriver):
    """Nova's fake driver, as for the root; its libvirt driver's methods for GPUs."""

    def __init__(self, sysfs):
        super().__init__(virtapi=None)
        self.sysfs = sysfs
        self.guests = {}  # mdev: guest
        self.own_traits = {}  # provider's name: what the driver itself sets there
        self.provider_tree = None
        self.pgpu_type_mapping = {}
        self.mdev_class_mapping = collections.defaultdict(lambda: "VGPU")
        self.mdev_classes = {"VGPU"}
        self.supported_vgpu_types = self._get_supported_vgpu_types()

    for method in ("_get_supported_vgpu_types", "_get_pci_id_from_libvirt_name",
                   "_get_vgpu_type_per_pgpu", "_get_resource_class_for_device",
                   "_get_supported_mdev_resource_classes", "_count_mediated_devices",
                   "_count_mdev_capable_devices", "_get_gpu_inventories",
                   "_ensure_pgpu_providers", "_is_reshape_needed_vgpu_on_root",
                   "_update_provider_tree_for_vgpu", "_vgpu_allocations",
                   "_get_existing_mdevs_not_assigned", "_create_new_mediated_device",
                   "_allocate_mdevs"):
        locals()[method] = LibvirtDriver.__dict__[method]

    def update_provider_tree(self, provider_tree, nodename, allocations=None):
        super().update_provider_tree(provider_tree, nodename, allocations)
        self._update_provider_tree_for_vgpu(provider_tree, nodename, allocations)
        for name, traits in self.own_traits.items():
            if provider_tree.exists(name):
                provider_tree.add_traits(name, *traits)
        self.provider_tree = provider_tree

    def _get_mdev_capable_devices(self, types=None):
        return self.sysfs.capable(types)

    def _get_mediated_devices(self, types=None):
        return self.sysfs.devices(types)

    def _get_all_assigned_mediated_devices(self, instance=None):
        return dict(self.guests)


class Host:
    def __init__(self, sysfs, root_name, root_uuid):
        self._context = context.get_admin_context()
        self._node = objects.ComputeNode(uuid=root_uuid, hypervisor_hostname=root_name)
        self._driver = Driver(sysfs)
        self.restart()

    def restart(self):
        """nova-compute anew: all caches are empty."""
        self._client = report.SchedulerReportClient()
        self._tracker = resource_tracker.ResourceTracker(
            CONF.host, self._driver, self._client)
        self._tracker.pci_tracker = mock.Mock()
        self._tracker.pci_tracker.pci_stats.has_remote_managed_device_pools.return_value = (
            False)
        # It asks Nova's database.
        self._tracker._sync_compute_service_disabled_trait = mock.Mock()

    def run_cycle(self):
        """The periodic task's part that concerns Placement."""
        self._tracker._update_to_placement(self._context, self._node, startup=False)

    def expire(self):
        """As if [compute] resource_provider_association_refresh had passed: the next
        cycle reads the tree again."""
        self._client._association_refresh_time.clear()

    def knows(self, provider):
        """Whether the provider of that name is in the cache: others' children are not before
        it reads again."""
        return self._client._provider_tree.exists(provider)

    def vcpus(self, count):
        """The root's inventory changes."""
        self._driver.vcpus = count

    def driver_traits(self, provider, traits):
        """What the driver sets on the provider of that name, where it is there."""
        self._driver.own_traits[provider] = traits

    def provider_config(self, provider, traits, inventories):
        """What a file in [compute] provider_config_location adds to the provider of that
        name."""
        self._tracker.provider_configs[provider] = {
            "__source_file": "test.yaml", "traits": {"additional": traits},
            "inventories": {"additional": inventories}}

    def claim(self, consumer, provider, resources):
        """As the scheduler does; false when there is no room."""
        request = {"allocations": {provider: {"resources": resources}}}
        return self._client.claim_resources(self._context, consumer, request, PROJECT, USER,
                                            "1.36")

    def boot(self, consumer):
        """The devices that the guest gets, found or made as its spawn() does."""
        allocations = self._client.get_allocations_for_consumer(self._context, consumer)
        devices = self._driver._allocate_mdevs(allocations) or []
        self._driver.guests.update(dict.fromkeys(devices, consumer))
        return devices

    def migrate(self, consumer, migration):
        """The source's allocation becomes the migration's."""
        return self._client.move_allocations(self._context, consumer, migration)

    def delete(self, consumer, guest):
        """`guest` is another where a migration is the consumer."""
        self._driver.guests = {mdev: other for mdev, other in self._driver.guests.items()
                               if other != guest}
        return self._client.delete_allocation_for_instance(self._context, consumer)


def answer(host, line):
    verb, *arguments = json.loads(line)
    try:
        return {"result": getattr(host, verb)(*arguments)}
    except Exception as error:  # pylint: disable=broad-except
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    parser = argparse.ArgumentParser()
    for option in ("--config-file", "--sysfs", "--root", "--uuid"):
        parser.add_argument(option, required=True)
    options = parser.parse_args()
    CONF(["--config-file", options.config_file], project="nova", default_config_dirs=[])
    objects.register_all()
    sysfs = Sysfs(options.sysfs)
    with mock.patch("nova.privsep.libvirt.create_mdev", sysfs.create):
        host = Host(sysfs, options.root, options.uuid)
        print(json.dumps({"result": "ready"}), flush=True)
        for line in sys.stdin:
            print(json.dumps(answer(host, line)), flush=True)


if __name__ == "__main__":
    main()
