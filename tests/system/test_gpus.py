"""`vgpu-agent gpus` and `types` on cards in trouble, and what they say of them."""
import os

from support.case import SystemTest

A10 = {"vendor": "0x10de", "device": "0x2236", "class": "0x030200", "driver": "nvidia",
       "sriov": {"total": 4, "offset": 4, "stride": 1, "by_hand": True},
       "types": [{"id": "nvidia-590", "name": "NVIDIA A10-12Q", "instances": 2,
                  "description": "num_heads=4, frl_config=60, framebuffer=12288M, "
                                 "max_resolution=7680x4320, max_instance=2"}]}
V100 = {"vendor": "0x10de", "device": "0x1db6", "class": "0x030200", "driver": "nvidia",
        "types": [{"id": "nvidia-194", "name": "GRID V100DX-1Q", "instances": 32}]}
HOST = {"models": {"A10": A10, "V100": V100},
        "cards": [{"model": "V100", "path": "pci0000:80/0000:84:00.0", "numa_node": 1},
                  {"model": "V100", "path": "pci0000:80/0000:85:00.0"},
                  {"model": "A10", "path": "pci0000:c0/0000:c1:00.0", "numvfs": 4},
                  {"model": "A10", "path": "pci0000:c0/0000:c2:00.0"}]}
GPUS = ["0000:84:00.0", "0000:85:00.0", "0000:c1:00.0", "0000:c2:00.0"]


class Gpus(SystemTest):
    def setUp(self):
        super().setUp()
        self.host = self.start_host(HOST)
        self.agent = self.make_agent(self.host, None, {
            "devices": {"enabled_mdev_types": ["GRID V100DX-1Q", "nvidia-590"]},
            "mdev_GRID V100DX-1Q": {"device_addresses": GPUS[:2]}})

    def rows(self):
        return {row["gpu"]: row for row in self.agent.json("gpus")}

    def health(self, gpu):
        row = self.rows()[gpu]
        return row["health"], row["note"]

    def test_all_is_well(self):
        rows = self.rows()
        self.assertEqual(list(rows), GPUS)
        # What only Placement knows is not known without one.
        self.assertEqual([(r["type"], r["devices"], r["used"], r["total"], r["reserved"],
                           r["service"]) for r in rows.values()],
                         [("nvidia-194", 0, None, None, None, None)] * 2 +
                         [("nvidia-590", 0, None, None, None, None),
                          (None, 0, None, None, None, None)])
        self.assertEqual(rows["0000:c1:00.0"]["types"], ["nvidia-590"])
        self.assertEqual(self.health("0000:c1:00.0"), ("ok", None))

    def test_what_the_cards_are(self):
        """Logical names in the order of the bus, libvirt's names, NUMA nodes and models."""
        rows = self.agent.json("gpus")
        self.assertEqual([row["logical_name"] for row in rows],
                         ["gpupci1", "gpupci2", "gpupci3", "gpupci4"])
        self.assertEqual([(row["node_name"], row["numa_node"], row["model"]) for row in rows[:2]],
                         [("pci_0000_84_00_0", 1, None), ("pci_0000_85_00_0", None, None)])
        ids = self.agent.host_root / "usr/share/misc/pci.ids"
        ids.parent.mkdir(parents=True)
        ids.write_text("10de  NVIDIA Corporation\n\t1db6  GV100GL [Tesla V100 PCIe 32GB]\n")
        self.assertEqual([row["model"] for row in self.agent.json("gpus")],
                         ["GV100GL [Tesla V100 PCIe 32GB]"] * 2 + [None] * 2)
        usual, wide = self.agent.run("gpus"), self.agent.run("--wide", "gpus")
        self.assertRegex(usual.splitlines()[1], r"^84:00\.0 .* gpupci1$")
        for word in ("gpupci1", "pci_0000_84_00_0", "GV100GL [Tesla V100 PCIe 32GB]"):
            self.assertIn(word, wide.splitlines()[1])

    def test_a_logical_name_is_none_for_the_files(self):
        """A card that is added would silently change which GPU it means."""
        self.agent.configure({"devices": {"enabled_mdev_types": "nvidia-590"},
                              "mdev_nvidia-590": {"device_addresses": "gpupci3"}})
        done = self.agent.try_to("gpus")
        self.assertEqual(done.returncode, os.EX_CONFIG, done.stderr)
        self.assertIn("incorrect device address: gpupci3; a logical name means another GPU once a "
                      "card is added or taken out", done.stderr)

    def test_virtual_functions_that_are_not_enabled(self):
        self.assertEqual(self.health("0000:c2:00.0"),
                         ("ok", "none of its 4 virtual functions is enabled: "
                                "`sriov-manage -e 0000:c2:00.0` enables NVIDIA's"))
        self.assertEqual(self.rows()["0000:c2:00.0"]["types"], [])

    def test_a_driver_that_names_no_types(self):
        bare = {**V100, "types": []}
        host = self.start_host({"models": {"V100": bare}, "cards": HOST["cards"][:1]})
        agent = self.make_agent(host, None, {})
        self.assertEqual([(row["note"], row["types"]) for row in agent.json("gpus")],
                         [("its driver has not named any types (yet): "
                           "do the vendor's services run?", [])])

    def test_fell_off_the_bus_and_came_back(self):
        self.host.control("lose 0000:84:00.0")
        self.assertEqual(self.health("0000:84:00.0"),
                         ("lost", "lost: fell off the bus: its config space reads 0xffffffff: "
                                  "reset it or put it in anew; its devices come back with it"))
        self.assertEqual(self.health("0000:85:00.0"), ("ok", None))
        self.host.control("restore 0000:84:00.0")
        self.assertEqual(self.health("0000:84:00.0"), ("ok", None))

    def test_unplugged(self):
        self.host.control("unplug 0000:84:00.0")
        self.assertEqual(self.health("0000:84:00.0"),
                         ("gone", "configured for the type 'GRID V100DX-1Q', but not on this "
                                  "host: put it back, or take it out of the files and "
                                  "`vgpu-agent prune`"))
        # What is not configured is not missed.
        self.host.control("unplug 0000:c2:00.0")
        self.assertNotIn("0000:c2:00.0", self.rows())

    def test_unbound(self):
        self.host.control("unbind 0000:85:00.0")
        row = self.rows()["0000:85:00.0"]
        self.assertEqual((row["driver"], row["health"], row["note"]),
                         (None, "unusable", "no driver is bound to it: bind the vendor's "
                                            "driver to it"))

    def test_unreadable(self):
        self.host.control("unreadable */0000:84:00.0/*/available_instances")
        health, note = self.health("0000:84:00.0")
        self.assertEqual(health, "unreadable")
        self.assertEqual(note, "unreadable: mdev_supported_types/nvidia-194/"
                               "available_instances: Input/output error: the driver's lines "
                               "in `dmesg` say more")

    def test_types_by_any_name(self):
        for name in ("0000:c1:00.0", "00000000:C1:00.0", "pci_0000_c1_00_0",
                     "0000:c1:00.5", "gpupci3",
                     "c1:00.0", "C1:00.5", "pci_0000_c1_00_5"):
            rows = self.agent.json("types", name)
            self.assertEqual([(r["gpu"], r["type"], r["available_instances"])
                              for r in rows], [("0000:c1:00.0", "nvidia-590", 2)], name)

    def test_types_of_no_such_gpu(self):
        done = self.agent.try_to("types", "0000:99:00.0")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "vgpu-agent: no GPU 0000:99:00.0 on this host; "
                                      f"it has {', '.join(GPUS)}\n")
        self.assertEqual(done.stdout, "")
