"""Whatever comes together, no guest gets another guest's device, nor is it taken away."""
import os

from support import wait_for
from support.vendor_vfio import VendorVfio
from support.xe import Xe
from support.fleet import FleetTest, new_uuid

A = "0000:84:00.0"
LONG = 3600  # seconds: within a test the daemon does nothing by itself


class Migrations(FleetTest):
    def setUp(self):
        super().setUp()
        self.build_guide(release_grace=LONG)
        self.agent.run("sync")

    def serve(self, running=True):
        server = self.allocate(A)
        self.agent.run("sync")
        (device,) = self.devices_of(A, server)
        self.assertIn(device, self.host.mdevs())
        self.agent.define_domain(server, [device], running=running)
        return server, device

    def sync(self):
        return self.agent.try_to("sync")

    def offered(self):
        """What can still be allocated of the GPU."""
        provider = self.child(A)
        used = sum(held["resources"]["VGPU"] for held in self.placement.get(
            f"/resource_providers/{provider}/allocations")["allocations"].values())
        return self.placement.inventories(provider)["VGPU"]["total"] - used

    def expect_its_own(self, consumer, taken):
        """It has a device that was made for it, and no more is offered than can be made."""
        (device,) = self.devices_of(A, consumer)
        self.assertIn(device, self.host.mdevs())
        xml = self.agent.run("xml", consumer)
        self.assertIn(self.named(device), xml)
        self.assertNotIn(self.named(taken), xml)
        self.assertLessEqual(self.offered(), self.host.available(A, "nvidia-35"))

    def migrate_beside(self, first):
        server, device = self.serve()
        migration = new_uuid()
        self.rename(server, migration)
        other = self.allocate(A, consumer=first + new_uuid()[8:])
        self.sync()
        self.sync()
        self.expect_its_own(other, device)
        self.assertIn(device, self.host.mdevs())
        self.assertNotIn(self.named(device), self.agent.try_to("xml", migration).stdout)
        self.rename(migration, server)
        self.sync()
        self.assertIn(self.named(device), self.agent.run("xml", server))

    def test_1a_a_new_server_before_a_migration(self):
        self.migrate_beside("00000000")

    def test_1a_a_new_server_after_a_migration(self):
        self.migrate_beside("ffffffff")

    def test_1b_a_guest_that_is_shut_off(self):
        server, device = self.serve(running=False)
        migration = new_uuid()
        self.rename(server, migration)
        other = self.allocate(A, consumer="00000000" + new_uuid()[8:])
        self.sync()
        self.sync()
        self.expect_its_own(other, device)
        self.rename(migration, server)
        self.sync()
        self.assertIn(self.named(device), self.agent.run("xml", server))

    def test_1c_beside_a_device_that_waits_for_its_grace_period(self):
        gone = self.allocate(A)
        server, device = self.serve()
        self.placement.deallocate(gone)
        self.sync()
        migration = new_uuid()
        self.rename(server, migration)
        self.sync()
        self.assertEqual(self.states()[migration], ["migrating"])
        self.assertEqual(self.states()[gone], ["releasing"])
        self.assertLessEqual(self.offered(), self.host.available(A, "nvidia-35") + 1)

    def test_1d_after_a_reboot(self):
        server, device = self.serve(running=False)
        self.host.reboot()
        self.rename(server, new_uuid())
        other = self.allocate(A, consumer="00000000" + new_uuid()[8:])
        self.sync()
        self.sync()
        self.expect_its_own(other, device)

    def test_1e_an_orphaned_guest(self):
        server, device = self.serve()
        self.placement.deallocate(server)
        self.sync()
        self.assertLessEqual(self.offered(), self.host.available(A, "nvidia-35"))
        other = self.allocate(A)
        self.sync()
        self.expect_its_own(other, device)

    def test_7_what_a_guest_has_is_taken_at_once(self):
        server, device = self.serve()
        self.placement.deallocate(server)
        self.sync()
        self.assertEqual(self.offered(), 15)
        self.assertEqual(self.host.available(A, "nvidia-35"), 15)


class Asking(FleetTest):
    """`xml` says what is written down, or has it done."""

    def build_with_daemon(self):
        self.build_guide(release_grace=LONG, sync_interval=LONG)
        self.agent.run("sync")
        self.agent.start()
        self.agent.settle()

    def test_5_the_daemon_is_woken(self):
        self.build_with_daemon()
        server = self.allocate(A)
        xml = self.agent.run("xml", server)
        (device,) = self.host.mdevs()
        self.assertIn(self.named(device), xml)

    def test_5_two_are_not_shown_one_device(self):
        self.build_guide(release_grace=LONG)
        self.agent.run("sync")
        gone = self.allocate(A)
        self.agent.run("sync")
        self.placement.deallocate(gone)
        self.agent.try_to("sync")
        one = self.allocate(A)
        asked = self.agent.try_to("xml", one)
        self.assertEqual((asked.returncode, asked.stdout), (os.EX_TEMPFAIL, ""))
        self.assertIn("no daemon runs", asked.stderr)
        other = self.allocate(A)
        self.assertEqual(self.agent.try_to("xml", other).stdout, "")
        self.agent.run("sync")
        self.assertNotEqual(self.agent.run("xml", one), self.agent.run("xml", other))

    def test_1e_a_server_that_came_when_an_orphan_was_made(self):
        self.build_with_daemon()
        server = self.allocate(A)
        self.agent.run("xml", server)
        (device,) = self.host.mdevs()
        self.agent.define_domain(server, [device], running=True)
        self.placement.deallocate(server)
        other = self.allocate(A)
        xml = self.agent.run("xml", other)
        self.assertNotIn(self.named(device), xml)
        self.assertEqual(len(self.host.mdevs()), 2)

    def test_1_a_device_that_another_domain_names(self):
        self.build_guide()
        server = self.allocate_first()
        (device,) = self.host.mdevs()
        other = new_uuid()
        self.agent.define_domain(other, [device])
        for command in ("xml", "qemu-args"):
            asked = self.agent.try_to(command, server)
            self.assertEqual((asked.returncode, asked.stdout), (os.EX_TEMPFAIL, ""))
        self.agent.start().wait_for_output(" starts")
        self.assertNotIn(self.named(device), self.agent.run("xml", server))
        self.assertIn(device, self.host.mdevs())

    def test_1_a_device_that_a_process_holds(self):
        self.build_guide()
        server = self.allocate_first()
        (device,) = self.host.mdevs()
        group = os.path.basename(os.readlink(self.host.device(device) / "iommu_group"))
        self.agent.hold_group(77, group)
        asked = self.agent.try_to("qemu-args", server)
        self.assertEqual((asked.returncode, asked.stdout), (os.EX_TEMPFAIL, ""))
        self.assertIn("process 77", asked.stderr)
        # Its own domain's process is no other's.
        self.agent.define_domain(server, [device], running=True)
        self.assertIn(device, self.agent.run("qemu-args", server))

    def allocate_first(self):
        self.agent.run("sync")
        server = self.allocate(A)
        self.agent.run("sync")
        return server


class Idle(FleetTest):
    """Nothing changes but who uses a device, and nobody asks."""

    def test_another_domain_names_a_device_that_was_given(self):
        self.build_guide(release_grace=LONG)
        self.agent.run("sync")
        server = self.allocate(A)
        self.agent.start()
        wait_for(lambda: len(self.host.mdevs()) == 1, "its device")
        self.agent.settle()
        (device,) = self.host.mdevs()
        self.agent.define_domain(new_uuid(), [device])
        wait_for(lambda: len(self.host.mdevs()) == 2, "another device for the server")
        self.assertNotIn(self.named(device), self.agent.run("xml", server))
        self.assertIn(device, self.host.mdevs())
        wait_for(lambda: self.agent.try_to("plan").returncode != 2, "nothing more to be done")


class Removals(FleetTest):
    def removes(self):
        return [s["path"].split("/")[-2] for s in self.host.stores() if s["path"].endswith("/remove")]

    def test_4_an_allocation_comes_back_while_others_are_removed(self):
        self.build_guide()
        self.agent.run("sync")
        servers = sorted(self.allocate(A) for _ in range(6))
        self.agent.run("sync")
        (last,) = self.devices_of(A, servers[-1])
        self.host.control(f"delay remove 1000 every on {A}")
        for server in servers:
            self.placement.deallocate(server)
        self.agent.start()
        wait_for(self.removes, "the first removal")
        self.allocate(A, consumer=servers[-1])
        self.agent.settle()
        self.assertEqual(set(self.host.mdevs()), {last})
        self.assertNotIn(last, self.removes())


class VfioMigrations(VendorVfio, Migrations):
    pass


class XeMigrations(Xe, Migrations):
    pass


class VfioAsking(VendorVfio, Asking):
    pass


class XeAsking(Xe, Asking):
    pass


class VfioIdle(VendorVfio, Idle):
    pass


class XeIdle(Xe, Idle):
    pass
