"""The main job on other hosts: many GPUs behind bridges, SR-IOV, types that share a card,
parents that are not PCI."""
from support.fleet import FleetTest, child_name, new_uuid

V100 = [f"0000:{bus}:00.0" for bus in ("1a", "1b", "3d", "3e", "88", "89", "b2", "b3")]


class KvmHost(FleetTest):
    """Eight V100, two behind each switch; the type by its name."""

    def setUp(self):
        super().setUp()
        self.build("kvm-v100", {"devices": {"enabled_mdev_types": "GRID V100DX-1Q"}},
                   root="gpu1.example")

    def test_types(self):
        rows = [r for r in self.agent.json("types") if r["type"] == "nvidia-194"]
        self.assertEqual([(r["gpu"], r["name"], r["available_instances"]) for r in rows],
                         [(gpu, "GRID V100DX-1Q", 32) for gpu in V100])

    def test_all_are_reported_and_filled(self):
        self.agent.run("sync")
        self.assertEqual(self.totals(), {child_name(gpu): 32 for gpu in V100})
        traits = self.placement.traits(self.child("0000:b3:00.0"))
        self.assertLessEqual({"CUSTOM_NVIDIA_194", "CUSTOM_GRID_V100DX_1Q",
                              "HW_GPU_MAX_DISPLAY_HEADS_4"}, traits)
        servers = {gpu: self.allocate(gpu) for gpu in V100}
        self.agent.run("sync")
        expected = {}
        for gpu, server in servers.items():
            for device in self.devices_of(gpu, server):
                expected[device] = (gpu, "nvidia-194")
        self.assertEqual(self.host.mdevs(), expected)
        # The device is below all bridges.
        device = self.devices_of("0000:89:00.0", servers["0000:89:00.0"]).pop()
        target = (self.host.root / "bus/mdev/devices" / device).readlink()
        self.assertEqual(str(target), "../../../devices/pci0000:85/0000:85:00.0/"
                         f"0000:86:00.0/0000:87:08.0/0000:89:00.0/{device}")


class Sriov(FleetTest):
    """Each virtual function is a parent with one instance; the card is one provider."""

    def setUp(self):
        super().setUp()
        self.build("sriov", {
            "devices": {"enabled_mdev_types": ["nvidia-558", "nvidia-471"]},
            "mdev_nvidia-558": {"device_addresses": ["0000:41:00.0", "0000:c1:00.0"]},
            "mdev_nvidia-471": {"device_addresses": ["0000:e8:00.0"]}})

    def test_one_provider_a_card(self):
        self.agent.run("sync")
        # 32 functions, but the type's max_instance is what a card can really have.
        self.assertEqual(self.totals(), {"pci_0000_41_00_0": 24, "pci_0000_c1_00_0": 24,
                                         "pci_0000_e8_00_0": 4})

    def test_filled_to_the_last(self):
        self.agent.run("sync")
        servers = [self.allocate("0000:e8:00.0", 2) for _ in range(2)]
        self.agent.run("sync")
        expected = set()
        for server in servers:
            expected |= self.devices_of("0000:e8:00.0", server, 2)
        self.assertEqual(set(self.host.mdevs()), expected)
        parents = {parent for parent, _ in self.host.mdevs().values()}
        self.assertEqual(len(parents), 4)
        self.assertEqual(self.totals()["pci_0000_e8_00_0"], 4)
        self.assertTrue(self.agent.is_idle())
        for server in servers:
            self.placement.deallocate(server)
        self.agent.run("sync")
        self.agent.run("sync")
        self.assertEqual(self.host.mdevs(), {})
        self.assertEqual(self.totals()["pci_0000_e8_00_0"], 4)

    def test_virtual_functions_made_again(self):
        self.agent.run("sync")
        server = self.allocate("0000:41:00.0")
        self.agent.run("sync")
        devices = set(self.host.mdevs())
        self.host.control("numvfs 0000:41:00.0 0")
        self.assertEqual(self.host.mdevs(), {})
        self.host.control("numvfs 0000:41:00.0 32")
        self.agent.run("sync")
        self.assertEqual(set(self.host.mdevs()), devices)
        self.assertEqual(self.states()[server], ["ready"])


class Shared(FleetTest):
    """Intel GVT-g: what one type takes, the others lose."""

    def test_total_follows_what_is_left(self):
        self.build("intel-gvtg", {"devices": {"enabled_mdev_types": "i915-GVTg_V5_8"}})
        self.agent.run("sync")
        self.assertEqual(self.totals(), {"pci_0000_00_02_0": 7})
        self.assertIn("CUSTOM_I915_GVTG_V5_8",
                      self.placement.traits(self.child("0000:00:02.0")))
        self.assertEqual(self.host.create("0000:00:02.0", "i915-GVTg_V5_2", new_uuid()),
                         "OK")
        self.agent.run("sync")
        # 1664 of 2688 MB are left of the graphics memory that the processor does not see.
        self.assertEqual(self.totals(), {"pci_0000_00_02_0": 4})


class NotPci(FleetTest):
    def test_the_kernels_sample(self):
        self.build("mtty", {"devices": {"enabled_mdev_types": "mtty-2"}})
        self.agent.run("sync")
        child = self.tree()["mtty_mtty"]["uuid"]
        self.assertEqual(self.totals(), {"mtty_mtty": 12})
        consumer = new_uuid()
        self.placement.allocate(consumer, {child: {"VGPU": 3}})
        self.addCleanup(self.forget, consumer)
        self.agent.run("sync")
        self.assertEqual(set(self.host.mdevs().values()), {("mtty", "mtty-2")})
        self.assertEqual(len(self.host.mdevs()), 3)

    def test_a_bit_of_everything(self):
        self.build("mixed", {
            "devices": {"enabled_mdev_types": ["nvidia-35", "nvidia-557", "mtty-1",
                                               "i915-GVTg_V5_4", "vfio_ccw-io"]},
            "mdev_nvidia-35": {"device_addresses": ["0000:84:00.0", "10000:01:00.0"]},
            "mdev_nvidia-557": {"device_addresses": "0000:41:00.0"},
            "mdev_mtty-1": {"device_addresses": "mtty"},
            "mdev_i915-GVTg_V5_4": {"device_addresses": "0000:00:02.0"},
            "mdev_vfio_ccw-io": {"device_addresses": "0.0.26ab"}})
        self.agent.run("sync")
        totals = self.totals()
        self.assertEqual({name: total for name, total in totals.items()
                          if name.startswith("pci_")},
                         {"pci_0000_84_00_0": 16, "pci_10000_01_00_0": 16,
                          "pci_0000_41_00_0": 8, "pci_0000_00_02_0": 5})
        self.assertEqual(totals["mtty_mtty"], 24)
        self.assertEqual(len(totals), 6)


class Empty(FleetTest):
    def test_no_mdev_in_the_kernel(self):
        self.build({"mdev": False, "models": {"card": {
            "vendor": "0x10de", "device": "0x13bd", "driver": "nvidia", "types": []}},
            "cards": [{"model": "card", "path": "pci0000:00/0000:01:00.0"}]},
            {"devices": {"enabled_mdev_types": "nvidia-35"}})
        gpu, = self.agent.json("gpus")
        self.assertEqual((gpu["gpu"], gpu["types"], gpu["total"]),
                         ("0000:01:00.0", [], None))
        self.assertIn("no mediated devices", gpu["note"])
        self.assertEqual(self.agent.json("types"), [])
