"""What oVirt's hook shows of a Tesla M60, whose board is two GPUs, and why a type has nothing left."""
from support.case import SystemTest
from support.fleet import new_uuid


def kind(number, name, instances, heads, rate, memory, resolution):
    return {"id": f"nvidia-{number}", "name": name, "instances": instances,
            "description": f"num_heads={heads}, frl_config={rate}, framebuffer={memory}, "
                           f"max_resolution={resolution}, max_instance={instances}"}


M60 = {"vendor": "0x10de", "device": "0x13f2", "class": "0x030000", "driver": "nvidia",
       "types": [kind(11, "GRID M60-0B", 16, 2, 45, "512M", "2560x1600"),
                 kind(18, "GRID M60-2Q", 4, 4, 60, "2048M", "4096x2160"),
                 kind(20, "GRID M60-4Q", 2, 4, 60, "4096M", "4096x2160")]}
HOST = {"models": {"M60": M60},
        "cards": [{"model": "M60", "path": f"pci0000:80/0000:{bus}:00.0"} for bus in ("84", "85")]}


class TeslaM60(SystemTest):
    def setUp(self):
        super().setUp()
        self.host = self.start_host(HOST)
        self.agent = self.make_agent(self.host, None, {})

    def left(self):
        """{(GPU, type): what is left}"""
        return {(row["gpu"][5:7], row["name"][5:]): row["available_instances"] for row in self.agent.json("types")}

    def test_types_of_both_gpus(self):
        rows = [row for row in self.agent.json("types") if row["type"] == "nvidia-11"]
        self.assertEqual([(row["available_instances"], row["name"], row["max_resolution"], row["num_heads"],
                           row["framebuffer"], row["frl_config"], row["max_instance"]) for row in rows],
                         [(16, "GRID M60-0B", "2560x1600", 2, "512M", 45, 16)] * 2)
        self.assertEqual(self.left(), {(gpu, name): count for gpu in ("84", "85")
                                       for name, count in (("M60-0B", 16), ("M60-2Q", 4), ("M60-4Q", 2))})
        self.assertNotIn("beside the one", self.agent.run("types"))

    def test_one_type_at_a_time(self):
        self.assertEqual(self.host.create("0000:84:00.0", "nvidia-18", new_uuid()), "OK")
        self.assertEqual({key: count for key, count in self.left().items() if key[0] == "84"},
                         {("84", "M60-0B"): 0, ("84", "M60-2Q"): 3, ("84", "M60-4Q"): 0})
        self.assertEqual(self.left()["85", "M60-4Q"], 2)
        self.assertTrue(self.agent.run("types").endswith(
            "\nno other type can be made beside the one that is there: 84:00.0 (nvidia-18)\n"))
        self.assertIn("no other type can be made beside the one that is there: 84:00.0 (nvidia-18)\n", self.agent.run("types", "84:00.0"))
        self.assertNotIn("beside the one", self.agent.run("types", "85:00.0"))
