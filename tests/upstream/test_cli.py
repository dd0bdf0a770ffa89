"""The operator's side of the main job: the real `openstack` command line, on placementd and on OpenStack's Placement, beside the agent.

The host and the tables are those of Nova's guide to virtual GPUs.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from support import SystemTest  # noqa: E402
from support.placement import own_placement, running_placement  # noqa: E402

OPENSTACK = "/usr/bin/openstack"
TYPES = {
    "devices": {"enabled_mdev_types": ["nvidia-35", "nvidia-36"]},
    "mdev_nvidia-35": {"device_addresses": ["0000:84:00.0", "0000:85:00.0"]},
    "mdev_nvidia-36": {"device_addresses": ["0000:86:00.0"]},
}


class CommandLine:
    """Each test runs the same story; subclasses say on which server."""

    def place(self):
        raise NotImplementedError

    def setUp(self):
        super().setUp()
        if not os.path.exists(OPENSTACK):
            self.skipTest(f"{OPENSTACK} is not there: package python3-openstackclient")
        self.placement = self.place()
        self.host = self.start_host("nova-guide")
        self.root_name = f"virtlab606-{uuid.uuid4().hex[:8]}.example"
        self.agent = self.make_agent(self.host, self.placement, {
            "agent": {"create_root": "true", "root_provider_name": self.root_name, "release_grace": 0}, **TYPES})
        self.agent.run("sync")
        self.tree = {name.removeprefix(self.root_name): provider for name, provider in
                     self.placement.tree(self.placement.provider(self.root_name)["uuid"]).items()}

    def openstack(self, *words):
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(self.directory), "OS_AUTH_TYPE": "admin_token",
                       "OS_ENDPOINT": self.placement.url, "OS_TOKEN": self.placement.token, "OS_PLACEMENT_API_VERSION": "1.39"}
        done = subprocess.run([OPENSTACK, *words], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, 0, f"openstack {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def table(self, *words):
        return json.loads(self.openstack(*words, "-f", "json"))

    def together(self, *commands):
        """Several at once: each start of the command line takes a second or two."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda words: self.table(*words), commands))

    def child(self, address):
        return self.tree["_pci_" + address.replace(":", "_").replace(".", "_")]["uuid"]

    def test_the_tables_of_the_guide(self):
        gpu, root = self.child("0000:84:00.0"), self.placement.provider(self.root_name)["uuid"]
        providers, inventory, traits = self.together(
            ("resource", "provider", "list", "--in-tree", root),
            ("resource", "provider", "inventory", "list", gpu),
            ("resource", "provider", "trait", "list", gpu))
        names = {row["name"].removeprefix(self.root_name): row["uuid"] for row in providers}
        self.assertEqual(set(names), {"", "_pci_0000_84_00_0", "_pci_0000_85_00_0", "_pci_0000_86_00_0"})
        self.assertEqual({row["root_provider_uuid"] for row in providers}, {root})
        self.assertEqual([(row["resource_class"], row["total"], row["reserved"], row["min_unit"], row["max_unit"],
                           row["step_size"], row["allocation_ratio"]) for row in inventory],
                         [("VGPU", 16, 0, 1, 16, 1, 1.0)])
        self.assertLessEqual({"CUSTOM_NVIDIA_35", "CUSTOM_GRID_M10_0B", "CUSTOM_OWNER_VGPU_AGENT"},
                             {row["name"] for row in traits})

    def test_a_trait_set_by_hand_stays(self):
        gpu = self.child("0000:84:00.0")
        self.openstack("trait", "create", "CUSTOM_NVIDIA_11")
        # `trait set` replaces the whole set: the agent puts its own back beside the operator's.
        self.openstack("resource", "provider", "trait", "set", "--trait", "CUSTOM_NVIDIA_11", gpu)
        self.assertEqual(self.placement.traits(gpu), {"CUSTOM_NVIDIA_11"})
        self.agent.run("sync")
        self.assertLessEqual({"CUSTOM_NVIDIA_11", "CUSTOM_NVIDIA_35"}, self.placement.traits(gpu))
        self.agent.run("plan", status=0)

    def test_two_servers(self):
        gpus = [self.child("0000:84:00.0"), self.child("0000:86:00.0")]
        servers = [str(uuid.uuid4()), str(uuid.uuid4())]
        for gpu, server in zip(gpus, servers):
            self.openstack("resource", "provider", "allocation", "set", "--allocation", f"rp={gpu},VGPU=1",
                           "--project-id", str(uuid.uuid4()), "--user-id", str(uuid.uuid4()), "--consumer-type", "INSTANCE", server)
        self.agent.run("sync")
        self.assertEqual(sorted(self.host.mdevs().values()),
                         [("0000:84:00.0", "nvidia-35"), ("0000:86:00.0", "nvidia-36")])
        shown, usage = self.together(("resource", "provider", "allocation", "show", servers[0]),
                                     ("resource", "provider", "usage", "show", gpus[0]))
        self.assertEqual([(row["resource_provider"], row["resources"]) for row in shown], [(gpus[0], {"VGPU": 1})])
        self.assertEqual([(row["resource_class"], row["usage"]) for row in usage], [("VGPU", 1)])
        for server in servers:
            self.openstack("resource", "provider", "allocation", "delete", server)
        # The first cycle sees that nobody wants them, the second takes them away: there is no grace here.
        self.agent.run("sync")
        self.agent.run("sync")
        self.assertEqual(self.host.mdevs(), {})

    def test_candidates_by_trait(self):
        found = self.table("allocation", "candidate", "list", "--resource", "VGPU=1", "--required", "CUSTOM_NVIDIA_35")
        mine = {provider["uuid"] for provider in self.tree.values()}
        self.assertEqual({row["resource provider"] for row in found} & mine,
                         {self.child("0000:84:00.0"), self.child("0000:85:00.0")})


class OnPlacementd(CommandLine, SystemTest):
    def place(self):
        placement = own_placement(self.subdirectory("placement"))
        self.addCleanup(self.end, placement)
        return placement


class OnOpenStack(CommandLine, SystemTest):
    def place(self):
        placement = running_placement()
        if placement is None:
            self.skipTest("PLACEMENT_URL names no running OpenStack Placement")
        return placement


if __name__ == "__main__":
    unittest.main()
