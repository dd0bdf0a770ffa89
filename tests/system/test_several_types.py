"""Cards with several enabled types: one at a time, or beside each other; the types that operators
enable and disable at run time."""
import json
import signal

from support.fleet import FleetTest, child_name, device_uuid, new_uuid
from support.host import load_description
from support.pages import wait_for_cycles
from support.process import wait_for

A, B = "0000:84:00.0", "0000:85:00.0"
IGD = "0000:00:02.0"
SMALL, MIDDLE, LARGE = "i915-GVTg_V5_8", "i915-GVTg_V5_4", "i915-GVTg_V5_2"


class SeveralTypes(FleetTest):
    def types_of(self, addresses, types, option="several_types"):
        """The sections of types that all have the same cards."""
        return {"devices": {"enabled_mdev_types": types},
                **{f"mdev_{name}": {"device_addresses": addresses, option: "true"} for name in types}}

    def child(self, address, type_id=None):
        name = child_name(address)
        return self.tree()[f"{name}_{type_id}" if type_id else name]["uuid"]

    def allocate_type(self, address, type_id, units=1):
        consumer = new_uuid()
        self.placement.allocate(consumer, {self.child(address, type_id): {"VGPU": units}})
        self.addCleanup(self.forget, consumer)
        return consumer

    def device(self, address, type_id, consumer, index=0):
        return device_uuid(self.child(address, type_id), consumer, index)

    def totals_of(self, address):
        """{type or "" for the card's own provider: total}"""
        name = child_name(address)
        return {found[len(name) + 1:]: total for found, total in self.totals().items()
                if found.startswith(name)}

    def table(self, address):
        return {row["type"]: row for row in self.agent.json("gpus", address)}


class Exclusive(SeveralTypes):
    """A Tesla M10, whose driver takes one type at a time."""

    def setUp(self):
        super().setUp()
        self.build("nova-guide", self.types_of([A], ["nvidia-35", "nvidia-41"]))
        self.agent.run("sync")

    def test_a_child_for_each_type(self):
        self.assertEqual(self.totals_of(A), {"nvidia-35": 16, "nvidia-41": 4})
        tree = self.tree()
        card = tree[child_name(A)]
        for type_id in ("nvidia-35", "nvidia-41"):
            child = tree[f"{child_name(A)}_{type_id}"]
            self.assertEqual(child["parent_provider_uuid"], card["uuid"])
            self.assertIn(f"CUSTOM_{type_id.upper().replace('-', '_')}",
                          self.placement.traits(child["uuid"]))
        self.assertEqual(self.placement.traits(card["uuid"]), {"CUSTOM_OWNER_VGPU_AGENT"})
        self.assertTrue(self.agent.is_idle())

    def test_the_first_device_decides(self):
        server = self.allocate_type(A, "nvidia-41")
        self.agent.run("sync")
        self.assertEqual(self.host.mdevs(),
                         {self.device(A, "nvidia-41", server): (A, "nvidia-41")})
        self.assertEqual(self.totals_of(A), {"nvidia-41": 4})
        rows = {row["type"]: row["service"] for row in self.agent.json("gpus") if row["gpu"] == A}
        self.assertEqual(rows, {"nvidia-35": "excluded", "nvidia-41": "active"})
        # That is as it is meant to be.
        self.assertEqual(self.agent.json("plan")["problems"], [])
        self.placement.deallocate(server)
        self.agent.run("sync")
        self.agent.run("sync")
        self.assertEqual(self.host.mdevs(), {})
        self.assertEqual(self.totals_of(A), {"nvidia-35": 16, "nvidia-41": 4})

    def test_what_is_given_of_two_types_at_once(self):
        """The scheduler does not know that one excludes the other: the second waits."""
        first, second = (self.allocate_type(A, t) for t in ("nvidia-35", "nvidia-41"))
        self.agent.run("sync", status=1)
        made, = self.host.mdevs().values()
        failed, = (c for c, states in self.states().items() if states == ["failed"])
        done = first if failed == second else second
        self.assertEqual(self.states()[done], ["ready"])
        # Nobody else comes to the one that failed.
        self.assertEqual(sum(self.totals_of(A).values()) - {"nvidia-35": 16, "nvidia-41": 4}[made[1]], 1)
        self.placement.deallocate(done)
        self.agent.run("sync", status=1)
        self.agent.run("sync")
        self.assertEqual(self.states(), {failed: ["ready"]})

    def test_reboot(self):
        server = self.allocate_type(A, "nvidia-41", 2)
        self.agent.run("sync")
        devices = self.host.mdevs()
        self.host.reboot()
        self.agent.run("restore")
        self.assertEqual(self.host.mdevs(), devices)
        self.agent.run("sync")
        self.assertEqual(self.states(), {server: ["ready"]})

    def test_drain(self):
        self.agent.run("drain", A, status=1)
        self.agent.run("sync")
        self.assertEqual({name: self.placement.inventories(provider["uuid"])["VGPU"]["reserved"]
                          for name, provider in self.tree().items()
                          if name.startswith(child_name(A) + "_")},
                         {f"{child_name(A)}_nvidia-35": 16, f"{child_name(A)}_nvidia-41": 4})
        self.agent.run("undrain", A, status=1)
        self.agent.run("sync")
        self.assertTrue(self.agent.is_idle())

    def test_somebody_elses_device(self):
        self.assertEqual(self.host.create(A, "nvidia-36", new_uuid()), "OK")
        self.agent.run("sync")
        self.assertEqual(self.totals_of(A), {})
        rows = {row["type"]: row for row in self.agent.json("gpus") if row["gpu"] == A}
        self.assertIn("'nvidia-36' (1 device)", rows["nvidia-35"]["note"])
        self.assertEqual(len(self.host.mdevs()), 1)

    def test_a_driver_that_refuses(self):
        self.host.control(f"fail create EIO every on {A}")
        server = self.allocate_type(A, "nvidia-35")
        self.agent.run("sync", status=1)
        self.assertEqual(self.host.mdevs(), {})
        self.host.control("clear")
        self.agent.run("sync")
        self.assertEqual(self.states(), {server: ["ready"]})

    def test_names_pruned_beside_several_types(self):
        said = self.agent.run("prune")
        self.assertTrue(said.startswith("nothing to prune"), said)
        self.agent.configure({"agent": self.options,
                              **self.types_of([A], ["nvidia-35", "nvidia-36"])})
        self.agent.run("sync")
        self.agent.run("prune")
        self.assertNotIn("CUSTOM_NVIDIA_41", self.placement.get("/traits?name=startswith:CUSTOM_")
                         ["traits"])
        self.assertEqual(self.totals_of(A), {"nvidia-35": 16, "nvidia-36": 16})

    def test_retired_and_pruned(self):
        self.agent.configure({"agent": self.options, "devices": {"enabled_mdev_types": "nvidia-35"},
                              "mdev_nvidia-35": {"device_addresses": [B]}})
        self.agent.run("sync", status=1)
        self.agent.run("prune", A)
        self.assertEqual(set(self.tree()), {"", child_name(B)})


class FromOneToSeveral(SeveralTypes):
    def setUp(self):
        super().setUp()
        self.build("nova-guide", {"devices": {"enabled_mdev_types": "nvidia-35"},
                                  "mdev_nvidia-35": {"device_addresses": [A]}})
        self.agent.run("sync")
        self.server = self.allocate(A, 2)
        self.agent.run("sync")
        self.devices = self.host.mdevs()
        self.before = self.child(A)

    def change(self):
        self.agent.configure({"agent": self.options,
                              **self.types_of([A], ["nvidia-35", "nvidia-41"])})
        self.agent.run("sync")

    def test_what_is_allocated_stays(self):
        self.change()
        self.assertEqual(self.child(A), self.before)
        self.assertEqual(self.host.mdevs(), self.devices)
        self.assertEqual(self.totals_of(A), {"": 2, "nvidia-35": 14})
        self.assertEqual(self.states(), {self.server: ["ready"]})
        row = self.table(A)["nvidia-35"]
        self.assertEqual((row["resident"], row["total"], row["used"]), (2, 16, 2))
        more = self.allocate_type(A, "nvidia-35", 14)
        self.agent.run("sync")
        self.assertEqual(len(self.host.mdevs()), 16)
        self.placement.deallocate(self.server)
        self.agent.run("sync")
        self.agent.run("sync")
        self.assertEqual(self.totals_of(A), {"nvidia-35": 16})
        self.assertEqual(self.states(), {more: ["ready"]})

    def test_and_back(self):
        self.change()
        other = self.allocate_type(A, "nvidia-35")
        self.agent.run("sync")
        devices = self.host.mdevs()
        self.agent.configure({"agent": self.options, **self.types})
        self.agent.run("sync")
        self.assertEqual(self.child(A), self.before)
        self.assertEqual(self.host.mdevs(), devices)
        # The empty one has gone at once, the other goes with what is allocated there.
        self.assertEqual(self.totals_of(A), {"": 15, "nvidia-35": 1})
        self.assertEqual(set(self.tree()), {"", child_name(A), f"{child_name(A)}_nvidia-35"})
        self.assertEqual(self.states(), {self.server: ["ready"], other: ["ready"]})
        # What the card offers is not added to what is held back.
        rows = [(r["type"], r["service"], r["total"], r["used"], r["devices"])
                for r in self.agent.json("gpus") if r["gpu"] == A]
        self.assertEqual(rows, [("nvidia-35", "active", 15, 2, 3), ("nvidia-35", "changing", 1, 1, 0)])
        self.assertTrue(self.agent.is_idle())
        self.placement.deallocate(other)
        for _ in range(3):
            self.agent.run("sync")
        self.assertEqual((set(self.tree()), self.totals_of(A)), ({"", child_name(A)}, {"": 16}))
        self.assertEqual(self.states(), {self.server: ["ready"]})
        self.assertTrue(self.agent.is_idle())

    def test_back_while_one_of_the_other_type_is_resident(self):
        self.placement.deallocate(self.server)
        for _ in range(2):
            self.agent.run("sync")
        self.change()
        other = self.allocate_type(A, "nvidia-41")
        self.agent.run("sync")
        devices = self.host.mdevs()
        self.agent.configure({"agent": self.options, **self.types})
        for _ in range(2):
            self.agent.run("sync")
        self.assertEqual((self.host.mdevs(), self.totals_of(A)), (devices, {"nvidia-41": 1}))
        self.placement.deallocate(other)
        for _ in range(3):
            self.agent.run("sync")
        self.assertEqual((set(self.tree()), self.totals_of(A)), ({"", child_name(A)}, {"": 16}))

    def test_an_allocation_from_just_before(self):
        """Its device is still made, where its type is the one that the card keeps."""
        self.change()
        other = self.allocate_type(A, "nvidia-35")
        self.agent.configure({"agent": self.options, **self.types})
        for _ in range(2):
            self.agent.run("sync")
        self.assertEqual(self.states(), {self.server: ["ready"], other: ["ready"]})
        self.assertEqual(len(self.host.mdevs()), 3)

    def test_after_a_reboot(self):
        self.change()
        self.host.reboot()
        self.agent.run("restore")
        self.assertEqual(self.host.mdevs(), self.devices)
        self.agent.run("sync")
        self.assertEqual(self.totals_of(A), {"": 2, "nvidia-35": 14})


class ByName(SeveralTypes):
    """Types that the files enable by their names."""

    def test_a_former_one_is_shown_with_its_devices(self):
        types = ["nvidia-35", "GRID M10-2Q", "nvidia-36"]
        self.build("nova-guide", self.types_of([A], types))
        self.agent.run("sync")
        server = self.allocate_type(A, "GRID_M10-2Q")
        self.agent.run("sync")
        self.agent.configure({"agent": self.options, **self.types_of([A], ["nvidia-35", "nvidia-36"])})
        for _ in range(2):
            self.agent.run("sync")
        rows = [(r["type"], r["total"], r["used"], r["devices"]) for r in self.agent.json("gpus")
                if r["gpu"] == A and r["service"] == "changing"]
        self.assertEqual(rows, [("nvidia-41", 1, 1, 1)])
        self.assertEqual(self.states(), {server: ["ready"]})


class OneAgain(SeveralTypes):
    """From several types to one, seen before each write of the agent's: what can be allocated of the card is never more
    than it has."""
    relayed = True

    def setUp(self):
        super().setUp()
        self.build("nova-guide", self.types_of([A], ["nvidia-35", "nvidia-41"]))
        self.agent.run("sync")
        self.seen, self.broken = [], None
        self.writes = 0
        self.relay.rule = self.watch

    def free(self):
        """What Placement would give away of the type that the card keeps."""
        free = 0
        for name, provider in self.tree().items():
            if name in (child_name(A), f"{child_name(A)}_nvidia-35"):
                for inventory in self.placement.inventories(provider["uuid"]).values():
                    free += max(0, inventory["total"] - inventory["reserved"] - self.used(provider["uuid"]))
        return free

    def used(self, provider):
        return sum(a["resources"]["VGPU"] for a in
                   self.placement.get(f"/resource_providers/{provider}/allocations")["allocations"].values())

    def watch(self, request):
        if request.method in ("PUT", "POST", "DELETE"):
            self.seen.append(self.free())
            self.writes += 1
            if self.writes == self.broken:
                return 503, [], b"away"
        return None

    def back(self):
        self.agent.configure({"agent": self.options, "devices": {"enabled_mdev_types": "nvidia-35"},
                              "mdev_nvidia-35": {"device_addresses": [A]}})

    def test_never_twice(self):
        server = self.allocate_type(A, "nvidia-35", 2)
        self.agent.run("sync")
        self.seen.clear()
        self.back()
        self.agent.run("sync")
        self.seen.append(self.free())
        self.assertEqual((max(self.seen), self.seen[-1]), (14, 14))
        self.placement.deallocate(server)
        for _ in range(3):
            self.agent.run("sync")
            self.seen.append(self.free())
        self.assertEqual((max(self.seen), self.seen[-1]), (16, 16))
        self.assertEqual(set(self.tree()), {"", child_name(A)})

    def test_whichever_write_fails(self):
        several = self.types_of([A], ["nvidia-35", "nvidia-41"])
        for number in range(1, 20):
            self.agent.configure({"agent": self.options, **several})
            for _ in range(2):
                self.agent.run("sync")
            self.seen.clear()
            self.back()
            self.writes, self.broken = 0, number
            self.agent.try_to("sync")
            self.seen.append(self.free())
            reached, self.broken = self.writes >= number, None
            for _ in range(3):
                self.agent.try_to("sync")
                self.seen.append(self.free())
            self.assertLessEqual(max(self.seen), 16, f"write {number}")
            self.assertEqual((set(self.tree()), self.totals_of(A)), ({"", child_name(A)}, {"": 16}), f"write {number}")
            if not reached:
                break
        self.assertGreater(number, 3)

    def test_what_cannot_be_read_is_not_given_twice(self):
        """The provider of the former type, while nothing but Placement knows what is allocated on it."""
        server = self.allocate_type(A, "nvidia-35", 2)
        self.agent.run("sync")
        self.back()
        self.agent.run("sync")
        unread = self.child(A, "nvidia-35")
        body = json.dumps({"errors": [{"status": 404, "title": "Not Found", "detail": "a server that does not have it yet"}]}).encode()
        self.relay.rule = lambda request: (404, [("Content-Type", "application/json")], body) \
            if f"/resource_providers/{unread}/" in request.path else None
        self.agent.state_file.unlink()
        for _ in range(3):
            said = self.agent.try_to("sync")
            self.assertEqual((said.returncode, self.free()), (1, 14), said.stderr)
        self.assertIn("what Placement has of it was not read", said.stderr)
        self.relay.rule = lambda request: None
        for _ in range(3):
            self.agent.run("sync")
            self.assertEqual(self.free(), 14)
        self.placement.deallocate(server)
        for _ in range(3):
            self.agent.run("sync")
        self.assertEqual((set(self.tree()), self.totals_of(A)), ({"", child_name(A)}, {"": 16}))


class Sizes(SeveralTypes):
    """The numbers of XenServer's guide."""

    def fill(self, address, type_id, other_totals):
        server = self.allocate_type(address, type_id, self.totals_of(address)[type_id])
        self.agent.run("sync")
        self.assertEqual(self.totals_of(address), other_totals)
        self.assertEqual(self.states()[server], ["ready"])

    def test_k1(self):
        gpus = [f"0000:{bus:02x}:00.0" for bus in range(6, 10)]
        self.build("grid-k1", self.types_of(gpus, ["nvidia-1", "nvidia-2"]))
        self.agent.run("sync")
        for gpu in gpus:
            self.assertEqual(self.totals_of(gpu), {"nvidia-1": 8, "nvidia-2": 4})
        # The GPUs of a board are cards of their own.
        self.fill(gpus[0], "nvidia-1", {"nvidia-1": 8})
        self.fill(gpus[1], "nvidia-2", {"nvidia-2": 4})
        self.assertEqual(self.totals_of(gpus[2]), {"nvidia-1": 8, "nvidia-2": 4})
        self.assertEqual(len(self.host.mdevs()), 12)

    def test_k2(self):
        gpus = ["0000:43:00.0", "0000:44:00.0"]
        self.build("grid-k2", self.types_of(gpus, ["GRID K200", "GRID K240Q", "GRID K260Q"]))
        self.agent.run("sync")
        for gpu in gpus:
            self.assertEqual(self.totals_of(gpu), {"GRID_K200": 8, "GRID_K240Q": 4, "GRID_K260Q": 2})
        self.fill(gpus[0], "GRID_K260Q", {"GRID_K260Q": 2})
        self.fill(gpus[1], "GRID_K240Q", {"GRID_K240Q": 4})


class Beside(SeveralTypes):
    """Intel GVT-g: types share the card."""

    def setUp(self):
        super().setUp()
        self.build("intel-gvtg", self.types_of([IGD], [SMALL, MIDDLE, LARGE], "allow_mixed"))
        self.agent.run("sync")

    def offered(self):
        """What the driver would make, and what there is."""
        types = [type_id for _, type_id in self.host.mdevs().values()]
        found = {t: self.host.available(IGD, t) + types.count(t) for t in (SMALL, MIDDLE, LARGE)}
        return {t: count for t, count in found.items() if count}

    def test_all_go_down_together(self):
        self.assertEqual(self.totals_of(IGD), {SMALL: 7, MIDDLE: 5, LARGE: 2})
        for type_id, totals in ((LARGE, {SMALL: 4, MIDDLE: 3, LARGE: 2}),
                                (SMALL, {SMALL: 4, MIDDLE: 2, LARGE: 2}),
                                (MIDDLE, {SMALL: 3, MIDDLE: 2, LARGE: 1}),
                                (SMALL, {SMALL: 3, MIDDLE: 1, LARGE: 1})):
            self.allocate_type(IGD, type_id)
            self.agent.run("sync")
            self.assertEqual(self.totals_of(IGD), self.offered())
            self.assertEqual(self.totals_of(IGD), totals)
        self.assertEqual(set(state for states in self.states().values() for state in states), {"ready"})
        self.assertEqual(len({t for _, t in self.host.mdevs().values()}), 3)

    def test_up_again(self):
        server = self.allocate_type(IGD, LARGE, 2)
        self.agent.run("sync")
        self.assertEqual(self.totals_of(IGD), {SMALL: 1, MIDDLE: 1, LARGE: 2})
        self.placement.deallocate(server)
        self.agent.run("sync")
        self.agent.run("sync")
        self.assertEqual(self.totals_of(IGD), {SMALL: 7, MIDDLE: 5, LARGE: 2})

    def test_more_is_given_than_fits(self):
        """Both totals were true when the scheduler read them."""
        large, small = self.allocate_type(IGD, LARGE, 2), self.allocate_type(IGD, SMALL, 7)
        self.agent.run("sync", status=1)
        states = self.states()
        failed, = (c for c in (large, small) if states[c] == ["failed"])
        done = small if failed == large else large
        self.assertEqual(states[done], ["ready"])
        self.placement.deallocate(done)
        self.agent.run("sync", status=1)
        self.agent.run("sync")
        self.assertEqual(self.states(), {failed: ["ready"]})

    def test_an_idle_cycle_is_one_request(self):
        for type_id in (LARGE, SMALL):
            self.allocate_type(IGD, type_id)
        self.agent.configure({"agent": {**self.options, "listen": "0"}, **self.types})
        self.agent.start()
        address = self.agent.address()
        self.agent.settle()
        # A cycle that was under way, and then five.
        cycles, _ = wait_for_cycles(address, 1)
        first = wait_for_cycles(address, cycles + 1)
        last = wait_for_cycles(address, first[0] + 5)
        self.assertEqual(last[1] - first[1], last[0] - first[0])


class AtRunTime(SeveralTypes):
    def setUp(self):
        super().setUp()
        self.build("nova-guide", {"devices": {"enabled_mdev_types": "nvidia-35"},
                                  "mdev_nvidia-35": {"device_addresses": [A]}})

    def start(self):
        self.agent.start()
        self.agent.settle()

    def test_enabled_by_the_daemon(self):
        self.start()
        server = self.allocate(A)
        self.agent.settle()
        self.assertIn("excluded", self.agent.run("enable", "nvidia-41", A))
        self.assertEqual(self.totals_of(A), {"": 1, "nvidia-35": 15})
        rows = self.table(A)
        self.assertEqual({t: (r["supported"], r["enabled"], r["resident"]) for t, r in rows.items()
                          if r["enabled"] != "no"},
                         {"nvidia-35": ("yes", "file", 1), "nvidia-41": ("yes", "run time", 0)})
        self.assertEqual(rows["nvidia-45"]["enabled"], "no")
        self.placement.deallocate(server)
        wait_for(lambda: self.totals_of(A) == {"nvidia-35": 16, "nvidia-41": 4}, "an empty card")
        other = self.allocate_type(A, "nvidia-41")
        wait_for(lambda: self.states() == {other: ["ready"]}, "its device")

    def test_what_was_there_before_is_seen_to_go(self):
        """The provider of a type that the files do not name any more is not wanted; who wakes the
        daemon sees all the same that an allocation of its has gone."""
        self.agent.configure({"agent": {**self.options, "sync_interval": 3600}, **self.types})
        self.start()
        self.agent.run("enable", "nvidia-41", A)
        server = self.allocate_type(A, "nvidia-35")
        self.wake()
        self.assertEqual(len(self.host.mdevs()), 1)
        self.agent.configure({"agent": {**self.options, "sync_interval": 3600},
                              "devices": {"enabled_mdev_types": "nvidia-35"},
                              "mdev_nvidia-35": {"device_addresses": [B]}})
        self.agent.run("reload")
        self.wake()
        self.placement.deallocate(server)
        self.wake()
        self.assertEqual(self.host.mdevs(), {})

    def wake(self):
        """Until the daemon has nothing left to do."""
        def idle():
            self.agent.daemon.popen.send_signal(signal.SIGUSR1)
            return self.agent.is_idle()
        wait_for(idle, "an empty plan")

    def test_over_restarts(self):
        self.start()
        self.agent.run("enable", "nvidia-41", A)
        self.agent.stop()
        self.agent.state_file.unlink()
        self.start()
        self.assertEqual(self.totals_of(A), {"nvidia-35": 16, "nvidia-41": 4})
        self.assertIn(f"{A}: 'nvidia-41' is enabled by `vgpu-agent enable`",
                      self.agent.run("check-config"))
        self.assertEqual(self.agent.json("disable", "nvidia-35", A),
                         {"gpu": A, "type": "nvidia-35", "enabled": False, "changed": True,
                          "done": True, "pending": None})
        self.assertEqual(self.totals_of(A), {"nvidia-41": 4})
        self.assertIn("already", self.agent.run("disable", "nvidia-35", A))
        self.agent.run("status")
        self.agent.run("enable", "nvidia-35", A)
        self.assertEqual(self.totals_of(A), {"nvidia-35": 16, "nvidia-41": 4})

    def test_back_to_one(self):
        self.start()
        before = self.child(A)
        self.agent.run("enable", "nvidia-41", A)
        server = self.allocate_type(A, "nvidia-35")
        wait_for(lambda: self.states() == {server: ["ready"]}, "its device")
        self.assertIn("disabled", self.agent.run("disable", "nvidia-41", A))
        self.agent.settle()
        self.assertEqual(self.totals_of(A), {"": 15, "nvidia-35": 1})
        self.assertEqual(self.table(A)["nvidia-41"]["enabled"], "no")
        self.placement.deallocate(server)
        wait_for(lambda: set(self.tree()) == {"", child_name(A)}, "the end of the last type's provider")
        wait_for(lambda: self.totals_of(A) == {"": 16}, "all of the card on its own provider")
        self.assertEqual(self.child(A), before)
        # The only type that a card has stays, as disabled.
        self.agent.run("enable", "nvidia-41", B)
        self.agent.run("disable", "nvidia-41", B)
        self.assertEqual(self.table(B)["nvidia-41"]["enabled"], "disabled")
        self.agent.run("status")

    def test_what_somebody_has_on_the_provider_of_a_type_keeps_it(self):
        """It goes by itself, without an order, so it must not take others' with it."""
        self.placement.expect((201, 204), "PUT", "/resource_classes/CUSTOM_ANOTHERS")
        self.start()
        self.agent.run("enable", "nvidia-41", A)
        name = f"{child_name(A)}_nvidia-41"
        provider = self.tree()[name]["uuid"]
        inventories = self.placement.inventories(provider)
        self.placement.set_inventories(provider, {**inventories, "CUSTOM_ANOTHERS": {"total": 7}})
        self.agent.run("disable", "nvidia-41", A)
        wait_for(lambda: set(self.tree()) == {"", child_name(A), name} and
                 self.placement.inventories(self.child(A)).get("VGPU", {}).get("total") == 16, "one type again")
        self.agent.settle()
        self.assertEqual(self.placement.inventories(provider)["CUSTOM_ANOTHERS"]["total"], 7)
        self.assertIn("somebody else has inventory of CUSTOM_ANOTHERS there, which keeps it",
                      " ".join(self.agent.run("status").split()))
        self.placement.set_inventories(provider, {})
        wait_for(lambda: set(self.tree()) == {"", child_name(A)}, "the end of the type's provider")

    def test_one_of_several_goes_and_nothing_is_wrong(self):
        self.start()
        for type_id in ("nvidia-41", "nvidia-36"):
            self.agent.run("enable", type_id, A)
        self.agent.run("disable", "nvidia-36", A)
        wait_for(lambda: set(self.totals_of(A)) == {"nvidia-35", "nvidia-41"}, "the other two types")
        self.agent.settle()
        self.agent.run("status")
        self.assertEqual(self.table(A)["nvidia-36"]["enabled"], "no")

    def test_whichever_way_the_request_spells_the_type(self):
        """The files' section for another card calls it by its name, the request by its id."""
        self.agent.configure({"agent": self.options, "devices": {"enabled_mdev_types": "nvidia-35, GRID M10-2Q"},
                              "mdev_nvidia-35": {"device_addresses": [A]},
                              "mdev_GRID M10-2Q": {"device_addresses": [B]}})
        self.start()
        self.agent.run("enable", "nvidia-41", A)
        self.assertEqual(self.table(A)["GRID M10-2Q"]["enabled"], "run time")
        self.assertEqual(self.agent.json("disable", "nvidia-41", A)["changed"], True)
        self.assertEqual({row["enabled"] for row in self.table(A).values()}, {"file", "no"})
        wait_for(lambda: self.totals_of(A) == {"": 16}, "all of the card on its own provider")
        # One that was disabled by another spelling is enabled.
        self.agent.run("disable", "GRID M10-2Q", B)
        self.agent.configure({"agent": self.options, "devices": {"enabled_mdev_types": "nvidia-35, nvidia-41"},
                              "mdev_nvidia-35": {"device_addresses": [A]}, "mdev_nvidia-41": {"device_addresses": [B]}})
        self.agent.run("reload")
        self.assertEqual(self.table(B)["nvidia-41"]["enabled"], "disabled")
        self.agent.run("enable", "nvidia-41", B)
        self.assertEqual(self.table(B)["nvidia-41"]["enabled"], "file")
        wait_for(lambda: self.totals_of(B) == {"": 4}, "all of the other card")

    def requests(self):
        """What operators have enabled, as it is noted."""
        start = f"{self.agent.state_file.name}.enabled."
        return {file.name.removeprefix(start) for file in self.agent.state_file.parent.iterdir()
                if file.name.startswith(start)}

    def test_a_type_has_one_name(self):
        """Also while the card, which alone could tell that its id and its name are one, is not there."""
        by_name = {"agent": self.options, "devices": {"enabled_mdev_types": "nvidia-35, GRID M10-2Q"},
                   "mdev_nvidia-35": {"device_addresses": [A]}, "mdev_GRID M10-2Q": {"device_addresses": [B]}}

        def look():
            names = {name for name in self.tree() if name.startswith(child_name(A))}
            return names, {row["type"] for row in self.agent.json("gpus", A) if row["enabled"] in ("file", "run time")}
        self.agent.configure(by_name)
        self.agent.try_to("enable", "nvidia-41", A)
        self.assertEqual(self.requests(), {f"{A} GRID M10-2Q"})
        self.settle()
        there = look()
        self.assertEqual(there, ({child_name(A), f"{child_name(A)}_nvidia-35", f"{child_name(A)}_GRID_M10-2Q"},
                                 {"nvidia-35", "GRID M10-2Q"}))
        self.host.control(f"unplug {A}")
        for _ in range(3):
            self.agent.try_to("sync")
        self.assertEqual(look(), there)

    def test_a_name_outlives_another_driver(self):
        """Which calls the same types by other ids: what was enabled by its name is the same type after the upgrade."""
        description = load_description("nova-guide")
        self.build(description, {"devices": {"enabled_mdev_types": "GRID M10-0B"}, "mdev_GRID M10-0B": {"device_addresses": A}})
        self.agent.try_to("enable", "m10-2q", A)
        self.assertEqual(self.requests(), {f"{A} GRID M10-2Q"})
        self.settle()
        before = self.totals_of(A)
        self.assertEqual(before, {"GRID_M10-0B": 16, "GRID_M10-2Q": 4})
        for model in description["models"].values():
            for kind in model["types"]:
                kind["id"] = f"nvidia-{int(kind['id'].removeprefix('nvidia-')) + 1}"
        self.host.reboot_with(description)
        self.settle()
        self.assertEqual(self.totals_of(A), before)
        self.assertIn("CUSTOM_GRID_M10_2Q", self.placement.traits(self.child(A, "GRID_M10-2Q")))
        self.agent.try_to("disable", "nvidia-42", A)
        self.assertEqual(self.requests(), set())

    def test_disabled_where_no_daemon_runs(self):
        """Its provider goes with the next cycle, and is offered until then: that is not done yet."""
        for type_id in ("nvidia-41", "nvidia-45"):
            self.agent.try_to("enable", type_id, A)
        self.settle()
        self.assertIn("nvidia-45", self.totals_of(A))
        done = self.agent.try_to("disable", "nvidia-45", A)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("the daemon does not run", done.stdout + done.stderr)
        self.settle()
        self.assertNotIn("nvidia-45", self.totals_of(A))
        self.assertEqual(self.agent.try_to("disable", "nvidia-45", A).returncode, 0)

    def test_what_was_enabled_before_the_files_named_it(self):
        self.agent.try_to("enable", "nvidia-41", A)
        self.settle()
        self.assertEqual(self.requests(), {f"{A} nvidia-41"})
        self.agent.configure({"agent": self.options, "devices": {"enabled_mdev_types": "nvidia-35, GRID M10-2Q"},
                              "mdev_nvidia-35": {"device_addresses": [A]}, "mdev_GRID M10-2Q": {"device_addresses": [B]}})
        for _ in range(3):
            self.agent.run("sync")
        self.assertEqual(self.requests(), {f"{A} GRID M10-2Q"})
        self.assertEqual(self.totals_of(A), {"nvidia-35": 16, "GRID_M10-2Q": 4})

    def test_not_while_one_is_resident(self):
        self.start()
        self.allocate(A)
        self.agent.settle()
        refused = self.agent.try_to("disable", "nvidia-35", A)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("'nvidia-35' is resident on 0000:84:00.0: 1 device, 1 unit allocated", refused.stderr)
        self.assertEqual(self.table(A)["nvidia-35"]["enabled"], "file")
        # What the card does not have, nobody can enable.
        refused = self.agent.try_to("enable", "nvidia-999", A)
        self.assertIn("does not offer 'nvidia-999'", refused.stderr)

    def test_without_the_daemon(self):
        self.assertIn("the daemon does not run", self.agent.run("enable", "nvidia-41", A, status=1))
        self.agent.run("sync")
        self.assertEqual(self.totals_of(A), {"nvidia-35": 16, "nvidia-41": 4})

    def test_a_card_that_the_files_do_not_name(self):
        self.start()
        self.agent.run("enable", "nvidia-41", B)
        self.assertEqual(self.totals_of(B), {"": 4})
        server = self.allocate(B)
        wait_for(lambda: self.states() == {server: ["ready"]}, "its device")

    def test_not_in_nova_mode(self):
        self.agent.configure({"agent": {**self.options, "mode": "nova", "create_root": "false"},
                              **self.types})
        refused = self.agent.try_to("enable", "nvidia-41", A)
        self.assertIn("nova-compute keeps one type for each GPU", refused.stderr)
        self.agent.configure({"agent": {**self.options, "mode": "nova", "create_root": "false"},
                              **self.types_of([A], ["nvidia-35", "nvidia-41"])})
        self.assertIn("mdev_nvidia-41.several_types: not in nova mode",
                      self.agent.run("check-config", status=1))
