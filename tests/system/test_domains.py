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
