"""A drained GPU is emptied: its guests can be migrated away, and nobody new comes."""
import re
import signal

from support import wait_for
from support.fleet import FleetTest, new_uuid
from support.pages import metrics

A, B = "0000:84:00.0", "0000:85:00.0"
LONG = 3600  # seconds: within a test the daemon does nothing by itself


class Emptying(FleetTest):
    def begin(self, **options):
        """A is drained, with a guest of two units."""
        self.build_guide(sync_interval=LONG, **options)
        self.agent.start()
        wait_for(self.is_ready, "the providers")
        self.server = self.allocate(A, 2)
        self.wake()
        wait_for(lambda: self.states().get(self.server) == ["ready"], "its devices")
        self.agent.run("drain", A)

    def is_ready(self):
        provider = self.placement.provider(self.root_name)
        return provider and len(self.totals()) == 3

    def wake(self):
        self.agent.daemon.popen.send_signal(signal.SIGUSR1)

    def try_to_allocate(self):
        """By somebody new."""
        return self.placement.request("PUT", f"/allocations/{new_uuid()}", {
            "allocations": {self.child(A): {"resources": {"VGPU": 1}}},
            "project_id": new_uuid(), "user_id": new_uuid(), "consumer_generation": None,
            "consumer_type": "INSTANCE"}).status

    def test_its_guests_can_be_migrated_away(self):
        """What Nova does: the migration gets the server's allocation, the server one on
        another provider, and in the end the migration's is deleted."""
        self.begin()
        self.assertEqual(self.vgpus(A), (16, 14))
        migration = new_uuid()
        self.rename(self.server, migration)
        self.addCleanup(self.forget, migration)
        self.placement.allocate(self.server, {self.child(B): {"VGPU": 2}})
        self.wake()
        wait_for(lambda: self.states().get(self.server) == ["ready"], "the other devices")
        self.assertEqual(self.vgpus(A), (16, 14))
        self.assertEqual(self.try_to_allocate(), 409)
        self.placement.expect(204, "DELETE", f"/allocations/{migration}")
        self.wake()
        wait_for(lambda: self.vgpus(A) == (16, 16), "what is free to be reserved")
        self.assertEqual(self.try_to_allocate(), 409)
        self.assertEqual(set(self.host.mdevs()) & self.devices_of(B, self.server, 2),
                         self.devices_of(B, self.server, 2))

    def test_a_migration_that_is_reverted(self):
        self.begin()
        migration = new_uuid()
        self.rename(self.server, migration)
        self.rename(migration, self.server)
        self.assertEqual(self.try_to_allocate(), 409)

    def test_nobody_new_gets_what_a_guest_frees(self):
        """A departure raises no generation; it is known in the next cycle all the same."""
        self.begin()
        other = self.child(B)  # one more that has allocations, to be asked in its turn
        self.placement.allocate(new_uuid(), {other: {"VGPU": 1}})
        self.wake()
        wait_for(lambda: len(self.host.mdevs()) == 3, "the other's device")
        self.assertEqual(self.try_to_allocate(), 409)
        self.placement.expect(204, "DELETE", f"/allocations/{self.server}")
        self.wake()
        wait_for(lambda: self.vgpus(A) == (16, 16), "what is free to be reserved")
        self.assertEqual(self.try_to_allocate(), 409)

    def test_nobody_new_gets_it_though_the_provider_is_renamed(self):
        self.begin(listen="0")
        provider, other = self.child(A), self.child(B)
        self.agent.run("undrain", A)
        self.placement.expect(200, "PUT", f"/resource_providers/{provider}", {"name": "renamed", "parent_provider_uuid": self.root()})
        self.agent.try_to("drain", A)
        self.assertEqual(self.placement.inventories(provider)["VGPU"]["reserved"], 14)
        self.assertEqual(self.reserved_by_metrics(), 14)
        self.placement.allocate(new_uuid(), {other: {"VGPU": 1}})
        self.wake()
        wait_for(lambda: len(self.host.mdevs()) == 3, "the other's device")
        self.placement.expect(204, "DELETE", f"/allocations/{self.server}")
        self.wake()
        wait_for(lambda: self.placement.inventories(provider)["VGPU"]["reserved"] == 16, "what is free to be reserved")

    def reserved_by_metrics(self):
        """Of A, as the daemon tells it after the cycle that has written it."""
        text = metrics(self.agent.address())
        return int(re.search(f'^vgpu_agent_gpu_reserved{{[^}}]*gpu="{A}"[^}}]*}} (\\d+)$', text, re.M).group(1))

    def test_back_in_service_it_has_what_the_operator_had_reserved(self):
        self.begin()
        self.agent.run("undrain", A)
        inventories = self.placement.inventories(self.child(A))
        inventories["VGPU"].update(reserved=3)
        self.placement.set_inventories(self.child(A), inventories)
        self.agent.run("drain", A)
        self.assertEqual(self.vgpus(A), (16, 14))
        self.placement.expect(204, "DELETE", f"/allocations/{self.server}")
        self.wake()
        wait_for(lambda: self.vgpus(A) == (16, 16), "what is free to be reserved")
        self.agent.run("undrain", A)
        self.assertEqual(self.placement.inventories(self.child(A)), inventories)

    def test_all_of_it_is_reserved_where_the_option_says_so(self):
        self.begin(drain_reserve="total")
        self.assertEqual(self.vgpus(A), (16, 16))
        (row,) = [r for r in self.agent.json("status")["gpus"] if r["gpu"] == A]
        self.assertEqual((row["service"], row["total"], row["used"], row["reserved"]),
                         ("drained", 16, 2, 16))

    def test_its_guests_can_be_migrated_away_though_all_of_it_is_reserved(self):
        """What makes nothing worse passes: as of OpenStack's 2025.2, and of placementd."""
        self.begin(drain_reserve="total")
        if not self.placement.is_own:
            self.skipTest("Debian 12's Placement is older than 2025.2")
        self.assertEqual(self.vgpus(A), (16, 16))
        migration = new_uuid()
        self.rename(self.server, migration)
        self.assertEqual(self.try_to_allocate(), 409)
        self.placement.allocate(self.server, {self.child(B): {"VGPU": 2}})
        self.wake()
        wait_for(lambda: self.states().get(self.server) == ["ready"], "the other devices")
        self.placement.expect(204, "DELETE", f"/allocations/{migration}")
        # No cycle has to see it: there is no moment in which somebody new gets in.
        self.assertEqual(self.vgpus(A), (16, 16))
        self.assertEqual(self.try_to_allocate(), 409)

    def test_what_is_shown(self):
        self.begin()
        (row,) = [r for r in self.agent.json("status")["gpus"] if r["gpu"] == A]
        self.assertEqual((row["service"], row["total"], row["used"], row["reserved"]),
                         ("drained", 16, 2, 14))
        self.assertEqual(self.agent.json("plan")["steps"], [])
