"""The main job on the host of Nova's guide: GPUs found, reported, allocated, cut."""
import uuid

from support import wait_for
from support.fleet import FleetTest, child_name, device_uuid, new_uuid
from support.pages import wait_for_cycles

ROWS = [("0000:84:00.0", "nvidia-35"), ("0000:85:00.0", "nvidia-35"),
        ("0000:86:00.0", "nvidia-36"), ("0000:87:00.0", None)]
NOTHING = {"steps": [], "problems": []}
TYPES = [f"nvidia-{n}" for n in range(35, 46)]


class Observe(FleetTest):
    def setUp(self):
        super().setUp()
        self.build_guide()

    def test_gpus(self):
        rows = self.agent.json("gpus")
        self.assertEqual([(r["gpu"], r["type"]) for r in rows], ROWS)
        for row in rows:
            self.assertEqual((row["device"], row["driver"], row["health"]),
                             ("10de:13bd", "nvidia", "ok"))
            self.assertEqual(row["types"], TYPES)
            if row["type"]:
                self.assertEqual((row["devices"], row["total"]), (0, 0))
        lines = self.agent.run("gpus").splitlines()
        self.assertEqual(lines[0].split(), ["GPU", "TYPE", "SERVICE", "HEALTH", "TOTAL", "USED",
                                            "RESERVED", "DEVICES", "NAME"])
        self.assertEqual(lines[1].split(),
                         ["84:00.0", "nvidia-35", "waiting", "ok", "0", "0", "0", "0", "gpupci1"])
        self.assertEqual(lines[4].split(), ["87:00.0", "-", "unused", "ok", "-", "-", "-", "0", "gpupci4"])
        self.assertEqual(len(lines), 5)
        lines = self.agent.run("gpus", "--wide").splitlines()
        self.assertEqual(lines[0].split()[:10],
                         ["GPU", "DEVICE", "DRIVER", "TYPE", "SERVICE", "HEALTH", "TOTAL",
                          "USED", "RESERVED", "DEVICES"])
        self.assertEqual(lines[1].split()[:10],
                         ["0000:84:00.0", "10de:13bd", "nvidia", "nvidia-35", "waiting",
                          "ok", "0", "0", "0", "0"])
        self.assertEqual(len(lines), 5)

    def test_types(self):
        rows = self.agent.json("types", "0000:85:00.0")
        self.assertEqual([r["type"] for r in rows], TYPES)
        self.assertEqual(rows[0], {
            "gpu": "0000:85:00.0", "type": "nvidia-35", "name": "GRID M10-0B",
            "available_instances": 16, "max_instance": 16, "framebuffer": "512M",
            "num_heads": 2, "frl_config": 45, "max_resolution": "2560x1600", "device_api": "vfio-pci"})
        self.assertEqual(len(self.agent.json("types")), 44)
        self.assertNotEqual(self.agent.try_to("types", "0000:99:00.0").returncode, 0)

    def test_equal_cards_are_one_table_of_types(self):
        lines = self.agent.run("types").splitlines()
        self.assertEqual(lines[0], "4 GPUs: 84:00.0, 85:00.0, 86:00.0, 87:00.0")
        self.assertEqual(lines[1].split(), ["TYPE", "NAME", "LEFT", "MAX", "MEMORY", "RESOLUTION",
                                            "DEVICE", "API", "HEADS", "FRL"])
        self.assertEqual(lines[2].split(), ["nvidia-35", "GRID", "M10-0B", "64", "16", "512M",
                                            "2560x1600", "vfio-pci", "2", "45"])
        self.assertEqual(len(lines), 2 + len(TYPES))
        self.assertEqual(len(self.agent.run("types", "-w").splitlines()), 1 + 44)
        self.assertIn("1 GPU: 86:00.0\n", self.agent.run("types", "86:00.0"))

    def test_types_by_any_name(self):
        for name in ("nvidia-41", "GRID M10-2Q", "M10-2Q", "m10-2q"):
            rows = self.agent.json("types", name)
            self.assertEqual([(r["gpu"], r["type"]) for r in rows],
                             [(f"0000:8{i}:00.0", "nvidia-41") for i in range(4, 8)], name)
            self.assertEqual(len(self.agent.run("types", name).splitlines()), 3)
        done = self.agent.try_to("types", "M10-9Q")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"^vgpu-agent: M10-9Q is neither a GPU nor a type of this host, which "
                                      r"offers nvidia-35 \(GRID M10-0B\), .*\)\n$")

    def test_foreign_devices_count(self):
        self.assertEqual(self.host.create("0000:84:00.0", "nvidia-36", new_uuid()), "OK")
        self.assertEqual(self.host.create("0000:85:00.0", "nvidia-35", new_uuid()), "OK")
        rows = {r["gpu"]: r for r in self.agent.json("gpus")}
        self.assertEqual([r["devices"] for r in rows.values()], [1, 1, 0, 0])


class Report(FleetTest):
    def setUp(self):
        super().setUp()
        self.build_guide()

    def test_plan_writes_nothing(self):
        steps = self.agent.json("plan", status=2)["steps"]
        self.assertEqual({s["gpu"] for s in steps if s["gpu"]},
                         {"0000:84:00.0", "0000:85:00.0", "0000:86:00.0"})
        self.assertIsNone(self.placement.provider(self.root_name))
        self.assertEqual(self.host.stores(), [])
        self.assertFalse(self.agent.state_file.exists())

    def test_sync_reports_the_tree(self):
        self.agent.run("sync")
        tree = self.tree()
        self.assertEqual(set(tree), {"", *(child_name(a) for a, t in ROWS if t)})
        root = tree[""]["uuid"]
        for address, type_id in ROWS[:3]:
            child = tree[child_name(address)]
            self.assertEqual(child["parent_provider_uuid"], root)
            self.assertEqual(child["root_provider_uuid"], root)
            name = f"{self.root_name}_{child_name(address)}"
            self.assertEqual(child["uuid"], str(uuid.uuid5(uuid.UUID(root), name)))
            self.assertEqual(self.placement.inventories(child["uuid"]), {"VGPU": {
                "total": 16, "reserved": 0, "min_unit": 1, "max_unit": 16,
                "step_size": 1, "allocation_ratio": 1.0}})
            traits = self.placement.traits(child["uuid"])
            letter = "B" if type_id == "nvidia-35" else "Q"
            self.assertLessEqual(
                {type_id.upper().replace("NVIDIA-", "CUSTOM_NVIDIA_"),
                 f"CUSTOM_GRID_M10_0{letter}", "CUSTOM_OWNER_VGPU_AGENT",
                 "HW_GPU_MAX_DISPLAY_HEADS_2", "HW_GPU_RESOLUTION_W2560H1600",
                 "HW_GPU_RESOLUTION_W1920H1080"}, traits)
            self.assertFalse({"HW_GPU_RESOLUTION_W3840H2160", "COMPUTE_MANAGED_PCI_DEVICE",
                              "HW_GPU_MAX_DISPLAY_HEADS_4"} & traits)
        # The root is left alone.
        self.assertEqual(self.placement.inventories(root), {})
        self.assertEqual(self.placement.traits(root), set())
        self.assertEqual(self.host.stores(), [])

    def test_second_sync_has_nothing_to_do(self):
        self.agent.run("sync")
        before = self.tree()
        self.assertEqual(self.agent.json("plan"), NOTHING)
        self.agent.run("sync")
        self.assertEqual(self.tree(), before)

    def test_without_create_root_nothing_is_made(self):
        self.agent.configure({"agent": {**self.options, "create_root": "false"},
                              **self.types})
        done = self.agent.try_to("sync")
        self.assertIn(self.root_name, done.stderr)
        self.assertEqual(done.returncode, 1)
        self.assertIsNone(self.placement.provider(self.root_name))

    def test_root_by_compute_id(self):
        root = new_uuid()
        self.placement.create_provider(self.root_name, root)
        compute_id = self.directory / "compute_id"
        compute_id.write_text(root + "\n")
        self.agent.configure({"agent": {"compute_id_file": compute_id}, **self.types})
        self.agent.run("sync")
        self.assertEqual(self.root(), root)
        self.assertEqual(self.totals(), {child_name(a): 16 for a, t in ROWS if t})

    def test_max_instances_is_a_cap(self):
        types = dict(self.types)
        types["mdev_nvidia-35"] = {**types["mdev_nvidia-35"], "max_instances": 5}
        self.agent.configure({"agent": self.options, **types})
        self.agent.run("sync")
        self.assertEqual(self.totals(), {"pci_0000_84_00_0": 5, "pci_0000_85_00_0": 5,
                                         "pci_0000_86_00_0": 16})

    def test_one_virtual_gpu_a_guest(self):
        """max_unit of a type: no card takes a request for two of it, two groups get one each."""
        types = {**self.types, "mdev_nvidia-35": {**self.types["mdev_nvidia-35"], "max_unit": 1}}
        self.agent.configure({"agent": self.options, **types})
        self.agent.run("sync")
        units = {gpu: self.placement.inventories(self.child(gpu))["VGPU"]["max_unit"] for gpu, kind in ROWS if kind}
        self.assertEqual(units, {"0000:84:00.0": 1, "0000:85:00.0": 1, "0000:86:00.0": 16})

        def candidates(query):
            below = "".join(f"&in_tree{group}={self.root()}" for group in (1, 2) if f"resources{group}=" in query)
            return len(self.placement.get(f"/allocation_candidates?{query}{below}")["allocation_requests"])
        self.assertEqual(candidates("resources1=VGPU:2&required1=CUSTOM_NVIDIA_35"), 0)
        self.assertEqual(candidates("resources1=VGPU:2&required1=CUSTOM_NVIDIA_36"), 1)
        self.assertEqual(candidates("resources1=VGPU:1&required1=CUSTOM_NVIDIA_35&group_policy=isolate&"
                                    "resources2=VGPU:1&required2=CUSTOM_NVIDIA_35"), 2)
        # Without the option it is the total again.
        self.agent.configure({"agent": self.options, **self.types})
        self.agent.run("sync")
        self.assertEqual(self.placement.inventories(self.child("0000:84:00.0"))["VGPU"]["max_unit"], 16)

    def test_own_class_and_traits(self):
        types = dict(self.types)
        types["mdev_nvidia-36"] = {**types["mdev_nvidia-36"], "mdev_class": "CUSTOM_BIG",
                                   "traits": ["CUSTOM_GOLD", "CUSTOM_RACK_7"]}
        self.agent.configure({"agent": self.options, **types})
        self.agent.run("sync")
        child = self.child("0000:86:00.0")
        self.assertEqual(self.placement.inventories(child)["CUSTOM_BIG"]["total"], 16)
        self.assertLessEqual({"CUSTOM_GOLD", "CUSTOM_RACK_7"}, self.placement.traits(child))

    def test_what_an_operator_set_stays(self):
        self.agent.run("sync")
        child = self.child("0000:84:00.0")
        self.placement.expect((201, 204), "PUT", "/traits/CUSTOM_NVIDIA_11")
        self.placement.expect((201, 204), "PUT", "/resource_classes/CUSTOM_LICENSE")
        traits = self.placement.traits(child) | {"CUSTOM_NVIDIA_11"}
        self.placement.set_traits(child, traits)
        inventories = self.placement.inventories(child)
        inventories["CUSTOM_LICENSE"] = {**inventories["VGPU"], "total": 3, "max_unit": 3}
        inventories["VGPU"].update(reserved=2, allocation_ratio=4.0)
        self.placement.set_inventories(child, inventories)
        plan = self.agent.json("plan", status=1)
        self.assertEqual((plan["steps"], len(plan["problems"])), ([], 1))
        self.assertIn("somebody has set its allocation_ratio in Placement to 4", plan["problems"][0])
        # Also when the agent has something of its own to write.
        types = dict(self.types)
        types["mdev_nvidia-35"] = {**types["mdev_nvidia-35"], "max_instances": 8,
                                   "traits": ["CUSTOM_GOLD"]}
        self.agent.configure({"agent": self.options, **types})
        self.agent.run("sync", status=1)
        inventories["VGPU"].update(total=8, max_unit=8)
        self.assertEqual(self.placement.inventories(child), inventories)
        self.assertEqual(self.placement.traits(child), traits | {"CUSTOM_GOLD"})

    def test_what_is_ours_is_mended(self):
        self.agent.run("sync")
        child = self.child("0000:84:00.0")
        traits = self.placement.traits(child)
        inventories = self.placement.inventories(child)
        self.placement.set_traits(child, [])
        self.placement.set_inventories(child, {"VGPU": {"total": 99}})
        self.agent.run("sync")
        self.assertEqual(self.placement.traits(child), traits)
        self.assertEqual(self.placement.inventories(child)["VGPU"]["total"],
                         inventories["VGPU"]["total"])

    def test_a_provider_deleted_behind_our_back_comes_back(self):
        self.agent.run("sync")
        child = self.child("0000:85:00.0")
        self.placement.expect(204, "DELETE", f"/resource_providers/{child}")
        self.agent.run("sync")
        self.assertEqual(self.child("0000:85:00.0"), child)
        self.assertEqual(self.totals()["pci_0000_85_00_0"], 16)


class Fulfil(FleetTest):
    def setUp(self):
        super().setUp()
        self.build_guide()
        self.agent.run("sync")

    def test_two_servers_with_one_each(self):
        servers = {a: self.allocate(a) for a in ("0000:84:00.0", "0000:86:00.0")}
        for server in servers.values():
            self.assertEqual(self.states()[server], ["pending"])
        self.assertEqual(self.host.stores(), [])
        self.agent.run("sync")
        expected = {}
        for address, server in servers.items():
            device = device_uuid(self.child(address), server, 0)
            expected[device] = (address, dict(ROWS)[address])
            self.assertEqual(self.states()[server], ["ready"])
            xml = self.agent.run("xml", server)
            self.assertIn("<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci'", xml)
            self.assertIn(f"<address uuid='{device}'/>", xml)
            self.assertEqual(
                self.agent.run("qemu-args", server).strip(),
                f"-uuid {server}\n-device vfio-pci,sysfsdev=/sys/bus/mdev/devices/{device}")
        self.assertEqual(self.host.mdevs(), expected)
        # Nothing was written but the two creates, and the totals have not moved.
        self.assertEqual([s["result"] for s in self.host.stores()], ["OK", "OK"])
        self.assertEqual(self.totals(), {child_name(a): 16 for a, t in ROWS if t})
        self.assertEqual(self.agent.json("plan"), NOTHING)
        rows = {r["gpu"]: r["used"] for r in self.agent.json("gpus")}
        self.assertEqual(rows["0000:84:00.0"], 1)

    def test_a_gpu_is_filled_to_the_last(self):
        servers = [self.allocate("0000:85:00.0", 4) for _ in range(4)]
        self.agent.run("sync")
        expected = set()
        for server in servers:
            expected |= self.devices_of("0000:85:00.0", server, 4)
        self.assertEqual(set(self.host.mdevs()), expected)
        self.assertEqual(self.host.available("0000:85:00.0", "nvidia-35"), 0)
        self.assertEqual(self.totals()["pci_0000_85_00_0"], 16)

    def test_release(self):
        server = self.allocate("0000:84:00.0", 2)
        other = self.allocate("0000:84:00.0")
        self.agent.run("sync")
        self.placement.deallocate(server)
        self.agent.run("sync")
        self.agent.run("sync")
        self.assertEqual(set(self.host.mdevs()), self.devices_of("0000:84:00.0", other))
        self.assertEqual(self.totals()["pci_0000_84_00_0"], 16)
        self.assertNotIn(server, self.states())

    def test_release_waits_for_the_grace_period(self):
        self.agent.configure({"agent": {**self.options, "release_grace": 3600},
                              **self.types})
        server = self.allocate("0000:84:00.0")
        self.agent.run("sync")
        self.placement.deallocate(server)
        self.agent.run("sync")
        self.agent.run("sync")
        self.assertEqual(set(self.host.mdevs()), self.devices_of("0000:84:00.0", server))
        self.assertEqual(self.states()[server], ["releasing"])
        # The server comes back within it: the same device serves it again.
        self.allocate("0000:84:00.0", consumer=server)
        self.agent.run("sync")
        self.assertEqual(self.states()[server], ["ready"])
        self.assertEqual(len(self.host.stores()), 1)

    def test_devices_in_use_are_not_removed(self):
        servers = [self.allocate("0000:84:00.0") for _ in range(3)]
        self.agent.run("sync")
        defined, running, held = (self.devices_of("0000:84:00.0", s).pop()
                                  for s in servers)
        self.agent.define_domain(new_uuid(), [defined])
        self.agent.define_domain(new_uuid(), [running], running=True)
        group = (self.host.root / f"bus/mdev/devices/{held}/iommu_group").readlink().name
        self.agent.hold_group(4711, group)
        for server in servers:
            self.placement.deallocate(server)
        self.agent.try_to("sync")
        self.agent.try_to("sync")
        self.assertEqual(set(self.host.mdevs()), {defined, running, held})
        self.assertEqual(len(self.host.stores()), 3)

    def test_foreign_devices_are_not_touched(self):
        foreign = {new_uuid(): ("0000:84:00.0", "nvidia-35"),
                   new_uuid(): ("0000:87:00.0", "nvidia-45")}
        for device, (address, type_id) in foreign.items():
            self.assertEqual(self.host.create(address, type_id, device), "OK")
        server = self.allocate("0000:86:00.0")
        self.agent.run("sync")
        self.placement.deallocate(server)
        self.agent.run("sync")
        self.agent.run("sync")
        self.assertEqual(self.host.mdevs(), foreign)
        for stored in self.host.stores()[2:]:
            self.assertFalse(any(device in stored["path"] for device in foreign))


class Daemon(FleetTest):
    relayed = True

    def setUp(self):
        super().setUp()
        self.build_guide(listen="0")

    def test_an_idle_cycle_is_one_request(self):
        """It asks for the tree, or in its place what one provider has."""
        self.agent.start()
        address = self.agent.address()
        self.agent.settle()
        tree = f"/resource_providers?in_tree={self.root()}"
        # A cycle that was under way, and then five.
        cycles, _ = wait_for_cycles(address, 0)
        first = wait_for_cycles(address, cycles + 2)
        last = wait_for_cycles(address, first[0] + 5)
        self.assertEqual(last[1] - first[1], last[0] - first[0])
        asked = self.relay.requests[-5:]
        self.assertEqual({request.method for request in asked}, {"GET"})
        others = [request.path != tree for request in asked]
        self.assertFalse(any(map(all, zip(others, others[1:]))), asked)

    def test_the_story_of_a_server(self):
        self.agent.start()
        self.agent.settle()
        server = self.allocate("0000:84:00.0")
        device = device_uuid(self.child("0000:84:00.0"), server, 0)
        wait_for(lambda: device in self.host.mdevs(), "the device")
        wait_for(lambda: self.states().get(server) == ["ready"], "the state")
        self.placement.deallocate(server)
        wait_for(lambda: not self.host.mdevs(), "the release")

    def test_kill_9_and_restart_change_nothing(self):
        self.agent.start()
        self.agent.settle()
        servers = [self.allocate("0000:84:00.0", 2), self.allocate("0000:86:00.0")]
        wait_for(lambda: len(self.host.mdevs()) == 3, "the devices")
        self.agent.settle()
        devices, tree = self.host.mdevs(), self.tree()
        stores = len(self.host.stores())
        writes = [r for r in self.relay.requests if r.method != "GET"]
        self.agent.daemon.kill()
        begin = len(self.relay.requests)
        self.agent.start()
        wait_for(lambda: len(self.relay.requests) > begin + 3, "its first cycles")
        self.agent.settle()
        self.assertEqual(self.host.mdevs(), devices)
        self.assertEqual(self.tree(), tree)
        self.assertEqual(len(self.host.stores()), stores)
        self.assertEqual([r for r in self.relay.requests if r.method != "GET"], writes)
        self.assertEqual({s: set(v) for s, v in self.states().items()},
                         {s: {"ready"} for s in servers})

    def test_reload(self):
        self.agent.start()
        self.agent.settle()
        types = {**self.types, "mdev_nvidia-36": {"device_addresses": [
            "0000:86:00.0", "0000:87:00.0"]}}
        self.agent.configure({"agent": self.options, **types})
        self.agent.daemon.popen.send_signal(1)
        wait_for(lambda: self.totals().get("pci_0000_87_00_0") == 16, "the fourth GPU")
        self.assertTrue(self.agent.daemon.runs())
