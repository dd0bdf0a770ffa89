"""The DevStack plugin's phases before OpenStack's own Keystone and Placement."""
from support.devstack import SOURCE, Node
from support.host import fuse_missing
from test_keystone import ROOT, KeystoneTest


class Phases(KeystoneTest):
    def test_the_service_user_writes_the_tree(self):
        missing = fuse_missing()
        if missing:
            self.skipTest(missing)
        self.start()
        self.cloud.create_user("vgpu-agent", self.project, "admin")
        node = Node(self.subdirectory("node"), SOURCE, VGPU_AGENT_SIMULATE="True", VGPU_AGENT_TRAITS="CUSTOM_GOLD",
                    VGPU_AGENT_ROOT_PROVIDER_NAME=ROOT, KEYSTONE_SERVICE_URI=self.keystone.url,
                    SERVICE_PASSWORD="vgpu-agent-secret")
        self.addCleanup(self.end, node)
        # As DevStack: the endpoint is the catalog's.
        node.nova_cpu_conf.write_text("[placement]\nauth_type = password\nusername = nova\n")
        node.run("stack pre-install", "stack install", "stack post-config", "stack extra", "stack test-config")
        root = self.client.provider(ROOT)
        tree = self.client.get(f"/resource_providers?in_tree={root['uuid']}")["resource_providers"]
        children = [provider for provider in tree if provider["uuid"] != root["uuid"]]
        self.assertEqual(len(children), 3)
        for child in children:
            traits = self.client.get(f"/resource_providers/{child['uuid']}/traits")["traits"]
            self.assertIn("CUSTOM_GOLD", traits)
