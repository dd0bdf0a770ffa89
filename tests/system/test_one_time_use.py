"""Types whose units are given away once (`one_time_use = true`), in each kind that makes devices of types: what a
consumer has had is given to nobody else before `vgpu-agent clean`. Whole cards are test_passthrough's."""
from support.all_kinds import CARDS, HOST, sections
from support.fleet import FleetTest, new_uuid


class Types:
    """`type_id`: of tests/hosts/all-kinds.json."""
    type_id = None

    def setUp(self):
        super().setUp()
        self.card = CARDS[self.type_id]
        found = sections()
        section = {**found[f"mdev_{self.type_id}"], "one_time_use": "true"}
        self.build(HOST, {"devices": {"enabled_mdev_types": self.type_id}, f"mdev_{self.type_id}": section,
                          **{name: options for name, options in found.items() if name == f"vf_type_{self.type_id}"}})
        self.agent.try_to("sync")
        self.sync()
        self.provider = self.child(self.card)
        self.total = self.vgpus(self.card)[0]
        self.assertGreater(self.total, 1)

    def allocate_one(self):
        return self.allocate(self.card)

    def may_come(self):
        """Whether Placement gives one more away; that one is let go again at once."""
        consumer = new_uuid()
        done = self.placement.request("PUT", f"/allocations/{consumer}", {
            "allocations": {self.provider: {"resources": {"VGPU": 1}}}, "consumer_generation": None, "consumer_type": "INSTANCE",
            "project_id": new_uuid(), "user_id": new_uuid()})
        self.assertIn(done.status, (204, 409))
        if done.status == 204:
            self.placement.deallocate(consumer)
        return done.status == 204

    def service(self):
        (row,) = [r for r in self.agent.json("gpus") if r["gpu"] == self.card]
        return row["service"]

    def clean(self):
        self.agent.try_to("clean", self.card)
        self.settle()

    def test_until_it_is_cleaned(self):
        server = self.allocate_one()
        self.settle()
        self.assertEqual(self.states(), {server: ["ready"]})
        self.placement.deallocate(server)
        self.settle()
        self.assertEqual((self.vgpus(self.card), self.service()), ((self.total, 1), "active"))
        # In no other order than this, and over a reboot.
        self.host.reboot()
        for _ in range(2):
            self.agent.try_to("sync")
        self.assertEqual(self.vgpus(self.card), (self.total, 1))
        self.clean()
        self.assertEqual(self.vgpus(self.card), (self.total, 0))

    def test_all_units_can_be_had_at_once(self):
        servers = []
        while len(servers) < self.total:
            self.assertTrue(self.may_come(), f"{len(servers)} of {self.total}")
            servers.append(self.allocate_one())
            self.settle()
        self.assertEqual(self.states(), {server: ["ready"] for server in servers})
        self.assertEqual(self.vgpus(self.card), (self.total, self.total))
        # There is no moment in which the one that has gone lets another one in.
        self.placement.deallocate(servers.pop())
        self.assertFalse(self.may_come())
        self.settle()
        self.assertFalse(self.may_come())
        for server in servers:
            self.placement.deallocate(server)
        self.settle()
        self.assertEqual((self.vgpus(self.card), self.service()), ((self.total, self.total), "unclean"))
        self.clean()
        self.assertEqual(self.vgpus(self.card), (self.total, 0))
        self.assertEqual(self.service(), "active")

    def test_more_come_in_a_moment_than_units_are_clean(self):
        """All but one leave, and as many come, before the agent has looked."""
        servers = [self.allocate_one() for _ in range(self.total - 1)]
        self.settle()
        for server in servers:
            self.placement.deallocate(server)
        late = [self.allocate_one() for _ in range(self.total - 1)]
        for _ in range(4):
            self.agent.try_to("sync")
        rows = self.agent.json("allocations")
        self.assertEqual(sorted(row["state"] for row in rows), ["failed"] * (self.total - 2) + ["ready"])
        for row in rows:
            self.assertIn("" if row["state"] == "ready" else f"was used (one_time_use): `vgpu-agent clean {self.card}`", row.get("reason") or "")
        for _ in range(2):
            self.agent.try_to("clean", self.card)
            self.agent.try_to("sync")
        self.settle()
        self.assertEqual(self.states(), {server: ["ready"] for server in late})

    def test_a_guest_that_keeps_what_it_was_given(self):
        """Its unit is used once, not twice: the rest can be had."""
        servers = [self.allocate_one() for _ in range(self.total - 1)]
        self.settle()
        gone = servers.pop()
        (row,) = [row for row in self.agent.json("devices") if row["consumer"] == gone]
        self.agent.define_domain(gone, [row["device"]], running=True)
        self.placement.deallocate(gone)
        for _ in range(2):
            self.agent.try_to("sync")
        self.assertEqual((self.vgpus(self.card), self.service()), ((self.total, 1), "active"))
        server = self.allocate_one()
        self.settle()
        self.assertEqual(self.states()[server], ["ready"])


class Mdevs(Types, FleetTest):
    type_id = "nvidia-35"


class VendorVfio(Types, FleetTest):
    type_id = "1150"


class Xe(Types, FleetTest):
    type_id = "b60-8g"


class Together(FleetTest):
    """A card that has several types, of which one could get what another one has used."""

    def test_at_run_time(self):
        self.build("nova-guide", {"devices": {"enabled_mdev_types": "nvidia-35"},
                                  "mdev_nvidia-35": {"device_addresses": "0000:84:00.0", "one_time_use": "true"}})
        self.agent.run("sync")
        done = self.agent.try_to("enable", "nvidia-36", "0000:84:00.0")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("'nvidia-36' cannot be enabled beside 'nvidia-35' on 0000:84:00.0: the units of 'nvidia-35' are given away once "
                      "(one_time_use)", done.stderr)
        self.assertEqual([row["type"] for row in self.agent.json("gpus", "0000:84:00.0") if row["enabled"] != "no"], ["nvidia-35"])

    def test_enabled_before_it_was_refused(self):
        """By an earlier version, which allowed it, or before the files said one_time_use. What is allocated stays; nobody new comes
        to the other type, and the command that is named ends it."""
        card = "0000:84:00.0"
        self.build("nova-guide", {"devices": {"enabled_mdev_types": "nvidia-35"}, "mdev_nvidia-35": {"device_addresses": card}})
        self.agent.run("sync")
        self.agent.try_to("enable", "nvidia-36", card)
        self.agent.run("sync")
        self.assertEqual(self.totals(), {"pci_0000_84_00_0_nvidia-35": 16, "pci_0000_84_00_0_nvidia-36": 16})
        self.agent.configure({"agent": self.options, "devices": {"enabled_mdev_types": "nvidia-35"},
                              "mdev_nvidia-35": {"device_addresses": card, "one_time_use": "true"}})
        done = self.agent.try_to("sync")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.totals(), {"pci_0000_84_00_0_nvidia-35": 16})
        why = (f"{card}: 'nvidia-36' was enabled for it beside 'nvidia-35', the units of one of the two are given away once "
               f"(one_time_use), and the other could get what was used: `vgpu-agent disable 'nvidia-36' {card}` ends that")
        self.assertEqual(self.agent.json("plan", status=1)["problems"], [why])
        rows = {row["type"]: row["service"] for row in self.agent.json("gpus", card) if row["enabled"] != "no"}
        self.assertEqual(rows, {"nvidia-35": "active", "nvidia-36": "disabled"})
        self.agent.try_to("disable", "nvidia-36", card)
        self.settle()
        self.assertEqual(self.totals(), {"pci_0000_84_00_0": 16})
        self.assertEqual(self.agent.json("plan")["problems"], [])
