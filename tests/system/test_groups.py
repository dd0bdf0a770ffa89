"""Groups of GPUs: their traits, what shows them, and how Placement's candidates are ordered."""
from support.fleet import GUIDE_TYPES, FleetTest, child_name, new_uuid
from support.placement import start_placement
from support.process import wait_for

A, B, C = "0000:84:00.0", "0000:85:00.0", "0000:86:00.0"
GROUPS = {"group_render": {"device_addresses": [A, C], "allocation": "breadth-first"},
          "group_ci": {"device_addresses": [B]}}
RENDER, CI = "CUSTOM_GPU_GROUP_RENDER", "CUSTOM_GPU_GROUP_CI"


class Groups(FleetTest):
    def setUp(self):
        super().setUp()
        self.build("nova-guide", {**GUIDE_TYPES, **GROUPS})

    def groups(self):
        """{GPU: its groups' traits}"""
        return {gpu: sorted(trait for trait in self.placement.traits(self.child(gpu))
                            if trait.startswith("CUSTOM_GPU_GROUP_")) for gpu in (A, B, C)}

    def test_traits(self):
        self.agent.run("sync")
        self.assertEqual(self.groups(), {A: [RENDER], B: [CI], C: [RENDER]})
        reply = self.placement.get(f"/allocation_candidates?resources=VGPU:1&required={CI}&in_tree={self.root()}")
        self.assertEqual([list(each["allocations"]) for each in reply["allocation_requests"]], [[self.child(B)]])
        # A card that changes its group, and a group that goes.
        self.agent.configure({"agent": self.options, **GUIDE_TYPES, "group_ci": {"device_addresses": [B, C]}})
        self.agent.run("sync")
        self.assertEqual(self.groups(), {A: [], B: [CI], C: [CI]})

    def test_a_changed_group_is_read_by_the_daemon(self):
        self.agent.start()
        self.agent.settle()
        self.agent.configure({"agent": self.options, **GUIDE_TYPES, "group_ci": {"device_addresses": [A]}})
        wait_for(lambda: "`vgpu-agent reload` makes it read them" in self.agent.try_to("status").stdout, "the difference")
        self.agent.run("reload")
        wait_for(lambda: self.groups() == {A: [CI], B: [], C: []}, "the new groups")

    def test_tree_shows_them(self):
        self.agent.run("sync")
        text = self.agent.run("tree")
        self.assertRegex(text, rf"(?m){child_name(A)}\n +VGPU: .*\n +group: render, breadth-first\n")
        self.assertRegex(text, rf"(?m){child_name(B)}\n +VGPU: .*\n +group: ci, depth-first\n")
        rows = {row["name"]: (row["group"], row["allocation"]) for row in self.agent.json("tree")}
        self.assertEqual(rows[f"{self.root_name}_{child_name(C)}"], ("render", "breadth-first"))
        self.assertEqual(rows[self.root_name], (None, None))

    def test_one_that_names_a_gpu_that_is_not_there(self):
        self.agent.configure({"agent": self.options, **GUIDE_TYPES,
                              "group_ci": {"device_addresses": [B, "0000:99:00.0"]}})
        self.assertIn("warning: group_ci.device_addresses: there is no GPU 0000:99:00.0 on this host",
                      self.agent.run("check-config"))


class AllocationOrder(FleetTest):
    """What Nova's scheduler does: the first candidate of the host is taken."""

    def take(self, order, servers):
        """The number of servers on each of the three GPUs, after each server."""
        file = self.directory / f"{order}.conf"
        file.write_text(f"[placementd]\nallocation_order = {order}\n")
        self.placement = start_placement(self.subdirectory("ordered"), "--auth", "noauth2", "--config-file", str(file))
        self.addCleanup(self.end, self.placement)
        types = {"devices": {"enabled_mdev_types": "nvidia-43"},  # two of it on a GPU
                 "mdev_nvidia-43": {"device_addresses": [A, B, C]}}
        self.agent = self.make_agent(self.host, self.placement, {"agent": self.options, **types})
        self.agent.run("sync")
        children, counts = [self.child(gpu) for gpu in (A, B, C)], []
        for _ in range(servers):
            reply = self.placement.get("/allocation_candidates?resources=VGPU:1")
            allocations = reply["allocation_requests"][0]["allocations"]
            self.placement.expect(204, "PUT", f"/allocations/{new_uuid()}", {
                "allocations": allocations, "project_id": new_uuid(), "user_id": new_uuid(),
                "consumer_generation": None, "consumer_type": "INSTANCE"})
            counts.append([self.placement.get(f"/resource_providers/{child}/usages")["usages"]["VGPU"]
                           for child in children])
        return counts

    def setUp(self):
        super().setUp()
        self.build("nova-guide", {})

    def test_breadth_first(self):
        """Each server has a GPU of its own while there are any; then they share, as oVirt's "separate"."""
        counts = self.take("breadth-first", 6)
        self.assertEqual(counts[2], [1, 1, 1])
        self.assertEqual(counts[5], [2, 2, 2])

    def test_depth_first(self):
        """One GPU after the other is filled."""
        for used in self.take("depth-first", 6):
            self.assertLessEqual(sum(count == 1 for count in used), 1, used)


class NovaMode(FleetTest):
    def test_traits_beside_novas(self):
        """The children are nova-compute's; the agent adds the group's trait to them."""
        self.build("nova-guide", {**GUIDE_TYPES, **GROUPS}, mode="nova", create_root="false")
        root, child = new_uuid(), new_uuid()
        self.placement.create_provider(self.root_name, root)
        self.placement.create_provider(f"{self.root_name}_{child_name(A)}", child, root)
        self.placement.set_inventories(child, {"VGPU": {"total": 16}})
        self.agent.try_to("sync")
        self.assertIn(RENDER, self.placement.traits(child))
