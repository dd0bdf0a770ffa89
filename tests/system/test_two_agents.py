"""Two agents that work below one root: what neither may do to the other's guests."""
from support import wait_for
from support.fleet import FleetTest

A, B = "0000:84:00.0", "0000:85:00.0"


class TwoAgents(FleetTest):
    """On two hosts with one root: a cloned configuration, or one compute_id on both."""
    relayed = True

    def start_both(self, own, others):
        types = {"devices": {"enabled_mdev_types": ["nvidia-35"]}}
        self.build("nova-guide", {**types, "mdev_nvidia-35": {"device_addresses": own}},
                   release_grace=0)
        self.agent.run("sync")
        self.other_host = self.start_host("nova-guide")
        self.other = self.make_agent(
            self.other_host, self.relay,
            {"agent": self.options, **types,
             "mdev_nvidia-35": {"device_addresses": others}})
        self.server = self.allocate(A)
        (self.device,) = self.devices_of(A, self.server)
        for agent in (self.agent, self.other):
            agent.start()
            agent.daemon.wait_for_output(" starts")
        wait_for(lambda: self.device in self.host.mdevs(), "the device")

    def come_to_rest(self):
        """Neither writes any more what the other one sets back."""
        def rests():
            self.relay.requests.clear()
            wait_for(lambda: sum("in_tree" in r.path for r in self.relay.requests) > 6,
                     "some cycles of both")
            return all(r.method == "GET" for r in self.relay.requests)
        wait_for(rests, "rest", 30)

    def test_with_other_gpus_each_holds_back_the_others_and_says_so(self):
        self.start_both([A], [B])
        self.come_to_rest()
        self.assertIn(self.device, self.host.mdevs())
        for agent, stranger in ((self.agent, B), (self.other, A)):
            self.assertIn(f"{stranger}: no type is configured for it any more",
                          agent.run("status", status=1))
        self.assertEqual(self.vgpus(A)[1], 16)
        # Whoever of them is there by mistake goes; the other one is told what is his.
        self.assertEqual(self.other.stop(), 0)
        self.assertEqual(self.vgpus(A)[0], 16)
        self.assertIn(self.device, self.host.mdevs())
        self.assertEqual(self.states()[self.server], ["ready"])

    def test_with_the_same_gpus_nobody_loses_a_device(self):
        """They agree until a guest holds a device of one of them; then each sets the
        inventory to what its own host has, and both say that somebody sets it back."""
        self.start_both([A], [A])
        self.come_to_rest()
        self.assertIn(self.device, self.host.mdevs())
        self.agent.hold_group(77, (self.host.root / "bus/mdev/devices" / self.device /
                                   "iommu_group").readlink().name)
        self.placement.deallocate(self.server)
        wait_for(lambda: not self.other_host.mdevs(), "the removal beside the guest", 40)
        for agent in (self.agent, self.other):
            agent.daemon.wait_for_output("somebody sets it to something else each time", 60)
        self.assertEqual(set(self.host.mdevs()), {self.device})
