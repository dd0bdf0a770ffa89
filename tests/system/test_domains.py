"""What libvirt's domains say of devices, and what they do not."""
from support.fleet import FleetTest, new_uuid

A = "0000:84:00.0"


class TenantsText(FleetTest):
    """Names and metadata are a tenant's: a uuid in there protects no device, and gives none away."""

    def setUp(self):
        super().setUp()
        self.build_guide()
        self.agent.run("sync")

    def test_a_server_that_is_called_as_another_ones_device(self):
        victim = self.allocate(A)
        self.agent.run("sync")
        (device,) = self.host.mdevs()
        thief = self.allocate(A)
        self.agent.define_domain(thief, [], running=True, text=device)
        self.agent.run("sync")
        self.assertEqual(set(self.host.mdevs()), self.devices_of(A, victim) | self.devices_of(A, thief))
        self.assertIn(device, self.agent.run("xml", victim))
        self.assertNotIn(device, self.agent.run("xml", thief))

    def test_it_keeps_no_device_of_a_server_that_has_gone(self):
        victim = self.allocate(A)
        self.agent.run("sync")
        (device,) = self.host.mdevs()
        self.agent.define_domain(new_uuid(), [], text=device)
        self.placement.deallocate(victim)
        self.agent.run("sync")
        self.agent.run("sync")
        self.assertNotIn(device, self.host.mdevs())


class Folders(FleetTest):
    """Where libvirt's domains cannot be seen, nobody knows what shut-off guests need."""

    def setUp(self):
        super().setUp()
        self.build_guide()
        self.agent.run("sync")
        self.defined = self.agent.host_root / "etc/libvirt/qemu"

    def a_shut_off_guest_whose_allocation_has_gone(self):
        server = self.allocate(A)
        self.agent.run("sync")
        (device,) = self.host.mdevs()
        self.agent.define_domain(server, [device])
        self.placement.deallocate(server)
        self.agent.try_to("sync")
        return device

    def configure(self, **options):
        self.agent.configure({"agent": {**self.options, **options}, **self.types})

    def sync(self):
        done = self.agent.try_to("sync")
        return done.stdout + done.stderr

    def test_an_absent_folder_protects_every_device(self):
        device = self.a_shut_off_guest_whose_allocation_has_gone()
        away = self.defined.rename(self.agent.host_root / "away")
        self.assertIn("none is removed: /etc/libvirt/qemu is not there", self.sync())
        self.assertIn(device, self.host.mdevs())
        self.assertIn("[agent] libvirt_config_dir", self.agent.run("status", status=1))
        self.assertIn("/etc/libvirt/qemu is not there", self.agent.run("check-config"))
        # It is a volume, and mounted elsewhere.
        self.configure(libvirt_config_dir=away)
        self.assertNotIn("not known", self.sync())
        self.assertIn(device, self.host.mdevs())
        # There is no libvirt on the host.
        self.configure(libvirt="false")
        self.sync()
        self.assertNotIn(device, self.host.mdevs())

    def test_a_definition_on_storage_that_is_away(self):
        """Clusters have links to shared storage here: the guest may still need its device."""
        device = self.a_shut_off_guest_whose_allocation_has_gone()
        (file,) = self.defined.iterdir()
        shared = self.subdirectory("shared")
        file.rename(shared / file.name)
        file.symlink_to(shared / file.name)
        self.sync()
        away = shared.rename(self.directory / "away")
        for _ in range(2):
            self.assertIn(f"none is removed: /etc/libvirt/qemu: {file.name}: No such file", self.sync())
        self.assertIn(device, self.host.mdevs())
        self.assertIn("none is removed", self.agent.run("status", status=1))
        away.rename(shared)
        self.assertNotIn("none is removed", self.sync())
        self.assertIn(device, self.host.mdevs())

    def test_libvirt_has_not_run_since_the_boot(self):
        device = self.a_shut_off_guest_whose_allocation_has_gone()
        (self.agent.host_root / "run/libvirt/qemu").rmdir()
        for file in self.defined.iterdir():
            file.unlink()
        self.assertIn("none is removed: /run/libvirt/qemu is not there", self.sync())
        self.assertIn(device, self.host.mdevs())
        (self.agent.host_root / "run/libvirt/qemu").mkdir()
        self.sync()
        self.assertNotIn(device, self.host.mdevs())
