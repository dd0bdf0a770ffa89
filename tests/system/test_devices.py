"""`vgpu-agent devices`: every device of the host, whoever made it, without Placement and without the daemon."""
from support import SystemTest
from support.fleet import FleetTest, new_uuid

CARD, OTHER = "0000:84:00.0", "0000:86:00.0"


class Devices(SystemTest):
    def rows(self):
        return {row["device"]: row for row in self.agent.json("devices")}

    def make(self, host, mode="owner", **sections):
        self.host = self.start_host(host)
        self.agent = self.make_agent(self.host, None, {"agent": {"mode": mode}, **sections})

    def mdev(self, card=CARD, type_id="nvidia-35"):
        device = new_uuid()
        self.assertEqual(self.host.create(card, type_id, device), "OK")
        return device

    def test_none(self):
        self.make("nova-guide")
        self.assertEqual(self.agent.run("devices"), "there are no devices\n")
        self.assertEqual(self.agent.json("devices"), [])

    def test_others(self):
        self.make("nova-guide")
        idle, defined, running, shut, held = (self.mdev() for _ in range(5))
        folder = self.agent.host_root / "etc/mdevctl.d" / CARD
        folder.mkdir()
        (folder / defined).write_text('{"start": "auto"}')
        guests = new_uuid(), new_uuid()
        self.agent.define_domain(guests[0], [running], running=True, text="first&#10;row")
        self.agent.define_domain(guests[1], [shut], text="second")
        self.agent.hold_group(4711, (self.host.device(held) / "iommu_group").resolve().name)
        rows = self.rows()
        self.assertEqual({device: (row["owner"], row["state"], row["guest"], row["consumer"], row["pid"])
                          for device, row in rows.items()},
                         {idle: ("foreign", "idle", None, None, None),
                          defined: ("mdevctl", "idle", None, None, None),
                          running: ("foreign", "in use", "first\nrow", guests[0], None),
                          shut: ("foreign", "defined", "second", guests[1], None),
                          held: ("foreign", "in use", None, None, 4711)})
        self.assertEqual((rows[idle]["uuid"], rows[idle]["gpu"], rows[idle]["type"], rows[idle]["type_name"]),
                         (idle, CARD, "nvidia-35", "GRID M10-0B"))
        lines = self.agent.run("devices").splitlines()
        self.assertLessEqual(max(map(len, lines)), 80)
        self.assertEqual(lines[0].split()[:5], ["DEVICE", "GPU", "TYPE", "OWNER", "STATE"])

    def test_the_drivers_name_of_the_guest(self):
        """Where no domain names the device: QEMU by hand."""
        self.make("nova-guide")
        device = self.mdev()
        self.host.control(f"hold {device} by-hand")
        self.assertEqual(self.rows()[device]["guest"], "by-hand")

    def test_nova_computes(self):
        """Those of its types; another's on the same host is foreign."""
        self.make("nova-guide", mode="nova", devices={"enabled_mdev_types": "nvidia-35"})
        novas, foreign = self.mdev(), self.mdev(OTHER, "nvidia-36")
        self.assertEqual({device: row["owner"] for device, row in self.rows().items()},
                         {novas: "nova", foreign: "foreign"})

    def test_virtual_functions_and_mdevs(self):
        self.make("two-kinds")
        device = self.mdev()
        self.assertEqual(self.host.set_type("0000:41:00.4", "1147"), "OK")
        rows = self.rows()
        self.assertEqual({name: (row["uuid"], row["gpu"]) for name, row in rows.items()},
                         {device: (device, CARD), "0000:41:00.4": (None, "0000:41:00.0")})

    def test_what_cannot_be_seen_is_unknown(self):
        self.make("nova-guide")
        device = self.mdev()
        (self.agent.host_root / "etc/libvirt/qemu").rmdir()
        self.agent.state_file.write_text("{")
        done = self.agent.try_to("--format", "json", "devices")
        self.assertIn("etc/libvirt/qemu is not there", done.stderr)
        self.assertIn('"owner": "unknown", "state": "unknown"', done.stdout)
        self.assertIn(device, done.stdout)

    def test_no_gpu(self):
        self.make({"models": {}, "cards": []})
        self.assertEqual(self.agent.json("devices"), [])


class OfTheAgent(FleetTest):
    def test_its_own(self):
        self.build_guide()
        self.agent.run("sync")
        server = self.allocate(CARD)
        self.agent.run("sync")
        (row,) = self.agent.json("devices")
        self.assertEqual((row["gpu"], row["owner"], row["state"], row["consumer"]),
                         (CARD, "agent", "assigned", server))
        self.placement.deallocate(server)
        self.agent.run("sync")
        (row,) = self.agent.json("devices")
        self.assertEqual((row["owner"], row["state"]), ("agent", "releasing"))
