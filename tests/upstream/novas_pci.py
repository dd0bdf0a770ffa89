"""nova-compute's side of PCI in Placement, without nova-compute: Nova's own PciDevTracker, ResourceTracker,
SchedulerReportClient and ProviderTree, with the parser of [pci] device_spec. In place of libvirt is a list of PCI devices.

    /usr/bin/python3 -I novas_pci.py --config-file F --root NAME --uuid U

F is a nova.conf. One command a line on standard input, a JSON list of a verb and its arguments; one answer a line on
standard output: {"result": ...} or {"error": "..."}. The verbs are the methods of Host without an underscore.
"""
import nova.monkey_patch  # noqa: F401, I001 # before everything else of Nova

import argparse
import json
import sys
from unittest import mock
from uuid import UUID

import nova.conf
from nova import context, objects
from nova.compute import resource_tracker
from nova.pci import manager
from nova.scheduler.client import report
from nova.virt import fake

CONF = nova.conf.CONF
PROJECT, USER = (str(UUID(int=number)) for number in (1, 2))


class Host:
    def __init__(self, config_file, root_name, root_uuid):
        self._config_file = config_file
        self._context = context.get_admin_context()
        self._node = objects.ComputeNode(id=1, uuid=root_uuid, hypervisor_hostname=root_name, numa_topology=None)
        self._tracked = objects.PciDeviceList(objects=[])  # as Nova's database has them

    def start(self, devices):
        """nova-compute anew: the files are read again, and all caches are empty. `devices` are what libvirt reports, as
        [address, parent's address or null]."""
        CONF.reset()
        CONF(["--config-file", self._config_file], project="nova", default_config_dirs=[])
        self._client = report.SchedulerReportClient()
        self._tracker = resource_tracker.ResourceTracker(CONF.host, fake.SmallFakeDriver(virtapi=None), self._client)
        self._tracker._sync_compute_service_disabled_trait = mock.Mock()
        for device in self._tracked:  # as they come from the database
            device.instance_uuid = device.instance_uuid if "instance_uuid" in device else None
        cards = {address for address, parent in devices if not parent}  # Nova asks /sys
        with (mock.patch.object(objects.PciDeviceList, "get_by_compute_node", return_value=self._tracked),
              mock.patch("nova.pci.utils.is_physical_function",
                         lambda domain, bus, slot, function: f"{domain}:{bus}:{slot}.{function}" in cards)):
            self._tracker.pci_tracker = manager.PciDevTracker(self._context, self._node)
        self.devices(devices)

    def devices(self, devices):
        """The periodic task looks at the hypervisor's devices."""
        self._tracker.pci_tracker.update_devices_from_hypervisor_resources(json.dumps([
            {"address": address, "parent_addr": parent, "dev_type": "type-VF" if parent else "type-PF", "vendor_id": "10de",
             "product_id": "26b9", "numa_node": 0, "label": "label_10de_26b9", "dev_id": "pci_" + address, "capabilities": {}}
            for address, parent in devices]))

    def run_cycle(self):
        """The periodic task's part that concerns Placement; then the tracker is saved."""
        self._tracker._update_to_placement(self._context, self._node, startup=False)
        devices = self._tracker.pci_tracker.pci_devs
        for device in [device for device in devices if device.status == "removed"]:
            devices.objects.remove(device)

    def expire(self):
        """As if [compute] resource_provider_association_refresh had passed: the next cycle reads the tree again."""
        self._client._association_refresh_time.clear()

    def taken(self):
        """The devices that the tracker has, each with what [pci] device_spec says of it."""
        tracker = self._tracker.pci_tracker
        return {device.address: tracker.dev_filter.get_devspec(device).get_tags()
                for device in tracker.pci_devs if device.status != "removed"}

    def forget(self):
        """Nova's database has no devices."""
        self._tracked.objects.clear()

    def claim(self, consumer, provider, resources):
        """As the scheduler does; false when there is no room."""
        return self._client.claim_resources(self._context, consumer, {"allocations": {provider: {"resources": resources}}},
                                            PROJECT, USER, "1.36")

    def assign(self, consumer, address):
        """The guest gets this device."""
        for device in self._tracker.pci_tracker.pci_devs:
            if device.address == address:
                device.instance_uuid, device.status = consumer, "allocated"

    def delete(self, consumer):
        for device in self._tracker.pci_tracker.pci_devs:
            if "instance_uuid" in device and device.instance_uuid == consumer:
                device.instance_uuid, device.status = None, "available"
        return self._client.delete_allocation_for_instance(self._context, consumer)


def answer(host, line):
    verb, *arguments = json.loads(line)
    try:
        return {"result": getattr(host, verb)(*arguments)}
    except Exception as error:  # pylint: disable=broad-except
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    parser = argparse.ArgumentParser()
    for option in ("--config-file", "--root", "--uuid"):
        parser.add_argument(option, required=True)
    options = parser.parse_args()
    CONF(["--config-file", options.config_file], project="nova", default_config_dirs=[])
    objects.register_all()
    host = Host(options.config_file, options.root, options.uuid)
    print(json.dumps({"result": "ready"}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(host, line)), flush=True)


if __name__ == "__main__":
    main()
