#!/usr/bin/python3
"""Drives Nova's SchedulerReportClient, as packaged, against the Placement at the URL given:
what nova-compute, the scheduler and the conductor do in the life of a host and its guests.
Prints what each step gave, as JSON."""
import json
import sys

import nova.monkey_patch  # noqa: F401  first, as Nova's own programs have it

from keystoneauth1 import adapter, session, token_endpoint
from nova import context, exception, objects
from nova.compute import provider_tree
from nova.scheduler import utils
from nova.scheduler.client import report

ROOT, GPU_ONE, GPU_TWO, LATE = (f"90a5ad33-7d2c-4e1b-9b0d-0000000000{n}" for n in
                                ("00", "01", "02", "03"))
GUEST, SECOND, MIGRATION = (f"1c0ffee0-7d2c-4e1b-9b0d-0000000000{n}" for n in
                            ("01", "02", "03"))
AGGREGATE = "a99ae9a7-e000-4000-8000-000000000001"
HOST = "compute.example"


def plain(value):
    """What can be compared: sets and the order of lists do not count."""
    if isinstance(value, provider_tree.ProviderData):
        return plain({name: getattr(value, name) for name in
                      ("uuid", "name", "parent_uuid", "generation", "inventory", "traits",
                       "aggregates", "resources")})
    if isinstance(value, provider_tree.ProviderTree):
        return [plain(value.data(name)) for name in value.get_provider_uuids()]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return sorted((plain(item) for item in value), key=json.dumps)
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


class Story:
    def __init__(self, url):
        plugin = token_endpoint.Token(url, "admin")
        self.client = report.SchedulerReportClient(adapter.Adapter(
            session.Session(auth=plugin), service_type="placement", raise_exc=False))
        self.context = context.RequestContext("user", "project", is_admin=True)
        self.steps = []

    def say(self, name, result):
        self.steps.append([name, plain(result)])
        return result

    def step(self, name, *arguments, **more):
        """Calls the client's method; an exception is a result too."""
        try:
            result = getattr(self.client, name)(self.context, *arguments, **more)
        except exception.NovaException as error:
            result = type(error).__name__
        return self.say(name, result)

    # ---- the host ----

    def tree(self):
        return self.client.get_provider_tree_and_ensure_root(self.context, ROOT, name=HOST)

    def update(self, tree, **more):
        self.step("update_from_provider_tree", tree, **more)
        self.client.clear_provider_cache()
        return self.say("tree", self.tree())

    def report_host(self):
        tree = self.tree()
        tree.update_inventory(ROOT, inventories(VCPU=8, MEMORY_MB=4096, DISK_GB=100))
        tree.update_traits(ROOT, ["COMPUTE_NODE", "HW_CPU_X86_AVX2", "CUSTOM_RACK_7"])
        tree = self.update(tree)
        for uuid, name in ((GPU_ONE, "one"), (GPU_TWO, "two")):
            tree.new_child(f"{HOST}_{name}", ROOT, uuid=uuid)
            tree.update_inventory(uuid, inventories(VGPU=4))
            tree.update_traits(uuid, ["CUSTOM_NVIDIA_35", f"CUSTOM_{name.upper()}"])
        self.update(tree)

    def change_host(self):
        tree = self.tree()
        tree.new_child("late", GPU_TWO, uuid=LATE)
        tree.update_inventory(LATE, inventories(CUSTOM_LICENCE=2))
        tree = self.update(tree)
        tree.remove(LATE)
        tree.update_inventory(GPU_TWO, {})
        self.update(tree)
        # Somebody else has changed it meanwhile.
        stale = self.tree()
        self.client.put(f"/resource_providers/{GPU_ONE}/traits", {
            "traits": [], "resource_provider_generation":
            stale.data(GPU_ONE).generation}, version="1.6")
        stale.update_traits(GPU_ONE, ["CUSTOM_ONE"])
        stale.update_inventory(GPU_ONE, inventories(VGPU=6))
        self.update(stale)

    # ---- guests ----

    def ask(self, flavor, *groups, policy=None):
        """`flavor`: what of the group without a suffix to set."""
        request = utils.ResourceRequest.from_request_groups(
            list(groups), objects.RequestLevelParams(), policy)
        for name, value in flavor.items():
            setattr(request.get_request_group(None), name, value)
        found = self.step("get_allocation_candidates", request)
        return found[0] if isinstance(found, tuple) and found[0] else []

    def schedule(self):
        flavor = {"resources": {"VCPU": 2, "MEMORY_MB": 512}}
        self.ask(flavor)
        self.ask({"resources": {"VGPU": 9}})
        self.ask({"resources": {"VGPU": 1}, "required_traits": {"CUSTOM_NO_SUCH_TRAIT"}})
        gpus = [objects.RequestGroup(resources={"VGPU": 1}, requester_id=name,
                                     required_traits={"CUSTOM_NVIDIA_35"})
                for name in ("first", "second")]
        candidates = self.ask(flavor, *gpus, policy="isolate")
        chosen = min(candidates, key=json.dumps)
        for consumer in (GUEST, SECOND):
            self.step("claim_resources", consumer, chosen, "project", "user", "1.36")
            self.step("get_allocs_for_consumer", consumer)
        self.step("claim_resources", MIGRATION, {"allocations": {
            ROOT: {"resources": {"VCPU": 800}}}}, "project", "user", "1.36")
        self.step("get_usages_counts_for_limits", "project")
        self.step("get_usages_counts_for_quota", "project", user_id="user")

    def migrate(self):
        self.step("move_allocations", GUEST, MIGRATION)
        self.step("get_allocs_for_consumer", GUEST)
        self.step("get_allocs_for_consumer", MIGRATION)
        self.step("move_allocations", MIGRATION, GUEST)
        self.step("add_resources_to_instance_allocation", SECOND,
                  {GPU_ONE: {"resources": {"VGPU": 1}}})
        self.step("remove_resources_from_instance_allocation", SECOND,
                  {GPU_ONE: {"resources": {"VGPU": 1}}})
        self.step("get_allocations_for_provider_tree", HOST)
        self.step("get_allocations_for_resource_provider", GPU_ONE)

    def reshape(self):
        """The GPUs' units go to the root, as they did when they came from it."""
        self.client.clear_provider_cache()
        tree = self.tree()
        allocations = self.client.get_allocations_for_provider_tree(self.context, HOST)
        for consumer in allocations.values():
            units = [consumer["allocations"].pop(gpu)["resources"]["VGPU"]
                     for gpu in (GPU_ONE, GPU_TWO) if gpu in consumer["allocations"]]
            if units:
                consumer["allocations"][ROOT]["resources"]["VGPU"] = sum(units)
        for gpu in (GPU_ONE, GPU_TWO):
            tree.update_inventory(gpu, {})
        tree.update_inventory(ROOT, inventories(VCPU=8, MEMORY_MB=4096, VGPU=8))
        self.update(tree, allocations=allocations)
        self.step("get_allocations_for_provider_tree", HOST)

    def join_aggregate(self):
        self.step("aggregate_add_host", AGGREGATE, host_name=HOST)
        self.client.clear_provider_cache()
        self.say("tree", self.tree())
        self.ask({"resources": {"VCPU": 1}, "aggregates": [[AGGREGATE]]})
        self.step("aggregate_remove_host", AGGREGATE, HOST)
        self.step("aggregate_remove_host", AGGREGATE, "no.such.host")

    def end(self):
        self.step("remove_provider_tree_from_instance_allocation", SECOND, ROOT)
        for consumer in (GUEST, SECOND, MIGRATION):
            self.step("delete_allocation_for_instance", consumer, force=True)
        node = objects.ComputeNode(uuid=ROOT, host=HOST, hypervisor_hostname=HOST)
        self.step("delete_resource_provider", node)
        self.say("left", self.client.get("/resource_providers").json())


def inventories(**totals):
    return {name: {"total": total, "reserved": 0, "min_unit": 1, "max_unit": total,
                   "step_size": 1, "allocation_ratio": 1.0}
            for name, total in totals.items()}


def main(url):
    objects.register_all()
    story = Story(url)
    story.report_host()
    story.schedule()
    story.migrate()
    story.reshape()
    story.join_aggregate()
    story.end()
    story.report_host()
    story.change_host()
    json.dump(story.steps, sys.stdout)


main(sys.argv[1])
