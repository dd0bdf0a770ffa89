"""What was set on a device for one consumer (NVIDIA's vgpu_params) does not reach the next
one."""
from support import wait_for
from support.fleet import FleetTest
from support.vendor_vfio import VendorVfio

A, B = "0000:84:00.0", "0000:85:00.0"
LONG = 3600  # seconds: a released device waits for the next consumer
SET = "frame_rate_limiter=0, disable_vnc=1\n"


class NextConsumerTest(FleetTest):
    def parameters(self, device):
        return self.host.device(device) / "nvidia/vgpu_params"

    def begin(self):
        """One consumer had a device of A, with parameters, and is gone."""
        server = self.allocate(A)
        self.settle()
        (device,) = self.devices_of(A, server)
        self.parameters(device).write_text(SET)
        self.placement.deallocate(server)
        self.settle()
        self.assertEqual(self.parameters(device).read_text(), SET)
        return server, device

    def settle(self):
        self.agent.run("sync")

    def given(self, consumer):
        """The devices of its allocation, which is met."""
        (row,) = [r for r in self.agent.json("allocations") if r["consumer"] == consumer]
        self.assertEqual(row["state"], "ready", row)
        return set(row["mdevs"])


class ByHand(NextConsumerTest):
    def setUp(self):
        super().setUp()
        self.build_guide(release_grace=LONG)
        self.agent.run("sync")

    def test_the_next_one_finds_nothing_of_the_former_one(self):
        _, device = self.begin()
        other = self.allocate(A)
        (step,) = [s for s in self.agent.json("plan", status=2)["steps"] if s["device"]]
        self.assertEqual((step["step"], step["device"]["consumer"]), ("hand_over_device", other))
        self.settle()
        self.assertEqual(self.given(other), {device})
        self.assertEqual(self.parameters(device).read_text(), "\n")
        self.assertIn(self.named(device), self.agent.run("xml", other))
        self.assertTrue(self.agent.is_idle())

    def test_what_a_consumer_has_set_stays_as_long_as_it_is_its_own(self):
        server, device = self.begin()
        self.allocate(A, consumer=server)
        self.settle()
        self.assertEqual(self.given(server), {device})
        self.settle()
        self.assertEqual(self.parameters(device).read_text(), SET)

    def test_what_somebody_has_set_on_a_device_that_nobody_has(self):
        device = "6f2e1d4c-0000-4000-8000-000000000001"
        self.assertEqual(self.host.create(A, "nvidia-35", device), "OK")
        self.parameters(device).write_text(SET)
        self.settle()
        self.assertEqual(self.parameters(device).read_text(), SET)
        server = self.allocate(A)
        self.settle()
        self.assertEqual(self.given(server), {device})
        self.assertEqual(self.parameters(device).read_text(), "\n")

    def test_a_refusal_keeps_it_from_being_taken(self):
        for number, name in enumerate(("EBUSY", "EPERM", "EIO")):
            _, device = self.begin()
            self.host.control(f"fail parameters {name} every on {A}")
            other = self.allocate(A)
            self.settle()
            self.assertEqual(self.given(other), self.devices_of(A, other), name)
            self.assertNotIn(device, self.given(other))
            self.assertEqual(self.parameters(device).read_text(), SET)
            self.host.control("clear")
            self.placement.deallocate(other)
            self.agent.configure({"agent": {**self.options, "release_grace": 0},
                                  **self.types})
            for _ in range(2):
                self.agent.try_to("sync")
            self.assertEqual(self.host.mdevs(), {}, (number, name))
            self.agent.configure({"agent": self.options, **self.types})

    def test_one_failure_is_none(self):
        _, device = self.begin()
        self.host.control(f"fail parameters EBUSY on {A}")
        other = self.allocate(A)
        self.settle()
        self.assertEqual(self.given(other), {device})
        self.assertEqual(self.parameters(device).read_text(), "\n")

    def test_a_refusal_where_no_other_can_be_made_is_told(self):
        first = self.allocate(A, 16)
        self.settle()
        devices = self.devices_of(A, first, 16)
        for device in devices:
            self.parameters(device).write_text(SET)
        self.placement.deallocate(first)
        self.settle()
        self.host.control("fail parameters EIO every")
        other = self.allocate(A)
        self.assertEqual(self.agent.try_to("sync").returncode, 1)
        # Each was tried, and none was given on.
        tried = [s for s in self.host.stores() if s["path"].endswith("vgpu_params") and
                 s["result"] == "EIO"]
        self.assertEqual(len({s["path"] for s in tried}), 16)
        self.assertLessEqual(len(tried), 2 * 16)
        self.assertEqual({self.parameters(d).read_text() for d in devices}, {SET})
        (row,) = [r for r in self.agent.json("allocations") if r["consumer"] == other]
        self.assertEqual(row["state"], "pending")
        self.host.control("clear")
        self.settle()
        (device,) = self.given(other)
        self.assertIn(device, devices)
        self.assertEqual(self.parameters(device).read_text(), "\n")

    def test_a_guest_that_came_meanwhile_keeps_its_own(self):
        """Its device is not cleared under it."""
        server, device = self.begin()
        self.agent.define_domain(server, [device], running=True)
        other = self.allocate(A)
        self.settle()
        self.assertEqual(self.given(other), self.devices_of(A, other))
        self.assertEqual(self.parameters(device).read_text(), SET)


class OtherDrivers(NextConsumerTest):
    def test_a_driver_without_such_a_file(self):
        self.build_guide(release_grace=LONG)
        self.agent.run("sync")
        _, device = self.begin()
        self.host.control("hide *vgpu_params")
        before = self.host.stores()
        other = self.allocate(A)
        self.settle()
        self.assertEqual(self.given(other), {device})
        self.assertEqual(self.host.stores(), before)


class Slow(NextConsumerTest):
    def setUp(self):
        super().setUp()
        self.build_guide(release_grace=LONG)
        self.agent.start()
        self.agent.settle()

    def settle(self):
        self.agent.settle()

    def test_a_driver_that_hangs_holds_up_nobody(self):
        _, device = self.begin()
        self.host.control(f"block parameters on {A}")
        others = [self.allocate(A), self.allocate(B)]
        wait_for(lambda: any(s["result"] == "pending" for s in self.host.stores()),
                 "the clearing to block")
        for other, card in zip(others, (A, B)):
            wait_for(lambda: self.states().get(other) == ["ready"], "another device")
            self.assertEqual(self.given(other), self.devices_of(card, other))
        # Nobody gets it before it is clear; then it is free.
        self.assertEqual(len(self.host.mdevs()), 3)
        self.host.control("unblock")
        wait_for(lambda: self.parameters(device).read_text() == "\n", "the clearing")
        # The daemon has seen it, too: while it is cleared its unit is not offered.
        wait_for(lambda: self.vgpus(A)[0] == 16, "its unit")
        third = self.allocate(A)
        wait_for(lambda: self.states().get(third) == ["ready"], "the free device")
        self.assertEqual(self.given(third), {device})


class VfioByHand(VendorVfio, ByHand):
    """On virtual functions that stores make virtual GPUs."""
    # Who makes one by hand does not choose its name.
    test_what_somebody_has_set_on_a_device_that_nobody_has = None
