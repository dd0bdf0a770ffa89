"""The main job on virtual functions that get a share of their card (Intel's xe): types that
the configuration names, bounded by the card's memory, and never another's function."""
import os

from support import wait_for
from support.fleet import FleetTest, child_name, device_uuid, new_uuid
from support.host import store
from support.udev import give_to_group, writable_by_group
from support.watched import children_called
from support.xe import functions_of

CARD, OTHER = "0000:03:00.0", "0000:04:00.0"
LARGE, SMALL = "b60-8g", "b60-4g"
MIB = 1 << 20
FUNCTIONS = functions_of(CARD, 7, 1)
LATE = 3600  # seconds: a released device stays


class B60(FleetTest):
    """Two cards of nearly 24 GB with 7 functions each, which are off after a boot."""

    def setUp(self):
        super().setUp()
        self.build("xe", self.configuration(), release_grace=0)

    def configuration(self):
        return {"devices": {"enabled_mdev_types": [LARGE, SMALL]},
                f"mdev_{LARGE}": {"device_addresses": CARD},
                f"mdev_{SMALL}": {"device_addresses": OTHER},
                f"vf_type_{LARGE}": {"vram_quota": "8G", "exec_quantum_ms": 20,
                                     "preempt_timeout_us": 5000},
                f"vf_type_{SMALL}": {"vram_quota": "4G"}}

    def file(self, number, name, card=CARD):
        return self.host.function(card) / f"sriov_admin/vf{number}/profile/{name}"

    def profile(self, number, card=CARD):
        """MiB, ms, us."""
        quota, quantum, timeout = (int(self.file(number, name, card).read_text()) for name in
                                   ("vram_quota", "exec_quantum_ms", "preempt_timeout_us"))
        return quota // MIB, quantum, timeout

    def quotas(self, card=CARD):
        return [self.profile(number, card)[0] for number in range(1, 8)]

    def enabled(self, card=CARD):
        return int((self.host.function(card) / "sriov_numvfs").read_text())

    def give(self, number, mebibytes, card=CARD):
        """By hand."""
        self.assertEqual(store(self.file(number, "vram_quota", card), str(mebibytes * MIB)), "OK")

    def writes(self):
        """(file, value, result) of each write."""
        return [("/".join(s["path"].split("/")[-3:]).replace("profile/", ""), s["value"],
                 s["result"]) for s in self.host.stores()]


class Report(B60):
    def test_a_card_is_what_its_memory_holds(self):
        self.sync()
        self.assertEqual(self.totals(), {child_name(CARD): 2, child_name(OTHER): 5})
        self.assertLessEqual({"CUSTOM_B60_8G", "CUSTOM_XE_8192M_20MS_5000US"},
                             self.placement.traits(self.child(CARD)))
        self.assertEqual(self.host.stores(), [])
        self.assertTrue(self.agent.is_idle())
        self.assertEqual(self.agent.run("check-config").splitlines()[-1], "ok; 1 warning")  # libvirt's socket is not there

    def test_more_memory_than_a_card_has(self):
        self.agent.configure({"agent": self.options, **self.types, f"vf_type_{LARGE}": {"vram_quota": "100G"}})
        said = self.agent.run("check-config", status=1)
        self.assertIn(f"vf_type_{LARGE}.vram_quota: no function can get so much ({CARD}, {OTHER}); expected at most the memory of a "
                      "card", said)

    def test_by_the_number_of_functions(self):
        """When they are small."""
        self.agent.configure({"agent": self.options, **self.configuration(),
                              f"vf_type_{SMALL}": {"vram_quota": "1G"}})
        self.sync()
        self.assertEqual(self.totals()[child_name(OTHER)], 7)

    def test_types(self):
        rows = {r["type"]: r for r in self.agent.json("types", CARD)}
        self.assertEqual((rows[LARGE]["name"], rows[LARGE]["max_instance"],
                          rows[LARGE]["framebuffer"]), ("xe-8192M-20ms-5000us", 2, "8192M"))

    def test_where_the_memory_cannot_be_seen(self):
        """One more than there are is tried, never more."""
        self.host.control("unreadable *fs/cgroup/dmem.capacity")
        self.sync()
        self.assertEqual(self.totals(), {child_name(CARD): 1, child_name(OTHER): 1})
        servers = [self.allocate(OTHER)]
        self.sync()
        self.sync()
        self.assertEqual(self.totals()[child_name(OTHER)], 2)
        self.placement.deallocate(servers[0])

    def test_a_file_that_cannot_be_read(self):
        self.sync()
        self.host.control("unreadable */0000:03:00.0/sriov_admin/vf3/profile/vram_quota")
        self.sync(status=1)
        total, reserved = self.vgpus(CARD)
        self.assertEqual(reserved, total)
        self.host.control("show")
        self.settle()
        self.assertEqual(self.vgpus(CARD)[1], 0)

    def test_a_card_that_does_not_answer(self):
        self.sync()
        self.host.control("hang */0000:03:00.0/sriov_admin/vf1/profile/vram_quota")
        self.assertIn("its driver hangs", self.agent.try_to("sync").stderr)
        self.assertEqual(self.vgpus(OTHER)[1], 0)
        self.host.control("show")
        wait_for(lambda: self.agent.try_to("sync").returncode == 0, "all to be well")

    def test_no_type_is_configured(self):
        self.agent.configure({"agent": self.options,
                              "devices": {"enabled_mdev_types": "nvidia-35"}})
        self.assertIn("of its 7 virtual functions no type is configured",
                      str(self.agent.json("gpus")))


class Devices(B60):
    def setUp(self):
        super().setUp()
        self.sync()

    def test_written_before_the_functions_are_enabled_and_after(self):
        server = self.allocate(CARD)
        self.settle()
        self.assertEqual(self.writes(), [("vf1/exec_quantum_ms", "20", "OK"),
                                         ("vf1/preempt_timeout_us", "5000", "OK"),
                                         ("vf1/vram_quota", str(8192 * MIB), "OK"),
                                         ("0000:00:06.0/0000:03:00.0/sriov_numvfs", "7", "OK")])
        self.assertEqual(self.profile(1), (8192, 20, 5000))
        self.assertEqual(self.quotas()[1:], [0] * 6)
        self.assertEqual((self.row(server)["state"], self.row(server)["mdevs"]),
                         ("ready", FUNCTIONS[:1]))
        (shown,) = self.agent.json("xml", server)
        self.assertEqual(shown["uuid"], device_uuid(self.child(CARD), server, 0))
        self.assertIn("managed='yes'", self.agent.run("xml", server))
        other = self.allocate(CARD)
        self.settle()
        self.assertEqual(self.profile(2), (8192, 20, 5000))
        self.assertEqual(self.totals()[child_name(CARD)], 2)
        for consumer in (server, other):
            self.placement.deallocate(consumer)
        self.settle()
        self.assertEqual(self.quotas(), [0] * 7)
        self.assertEqual(self.profile(1), (0, 0, 0))
        # The functions stay: somebody may be about to use one.
        self.assertEqual(self.enabled(), 7)
        self.assertEqual(self.totals()[child_name(CARD)], 2)

    def test_filled_to_the_last(self):
        server = self.allocate(OTHER, 5)
        self.settle()
        self.assertEqual(self.quotas(OTHER), [4096] * 5 + [0] * 2)
        self.assertEqual(self.row(server)["state"], "ready")
        self.assertEqual(self.totals()[child_name(OTHER)], 5)
        self.placement.deallocate(server)
        self.settle()

    def test_a_driver_that_refuses(self):
        for error in ("EIO", "EINVAL", "ENOSPC", "EUCLEAN"):
            self.host.control(f"fail create {error} on {CARD}")
            server = self.allocate(CARD)
            self.sync(status=1)
            self.assertEqual(self.profile(1), (0, 0, 0), error)
            self.settle()
            self.assertEqual(self.quotas(), [8192] + [0] * 6)
            self.placement.deallocate(server)
            self.settle()
            self.assertEqual(self.quotas(), [0] * 7)

    def test_a_removal_that_is_refused(self):
        server = self.allocate(CARD)
        self.settle()
        self.host.control("fail remove EIO")
        self.placement.deallocate(server)
        wait_for(lambda: self.agent.try_to("sync").returncode == 1, "the refusal")
        self.assertEqual(self.profile(1), (8192, 20, 5000))
        self.settle()
        self.assertEqual(self.profile(1), (0, 0, 0))

    def test_the_agent_ends_between_two_stores(self):
        """Its child does not go on: the next agent may have given the function to another consumer."""
        server = self.allocate(CARD)
        self.settle()
        self.host.control("block remove every")
        self.host.control("forget")
        self.placement.deallocate(server)
        daemon = self.agent.start()
        wait_for(self.writes, "the first store")
        (child,) = children_called(daemon.pid, "vgpu-device")
        daemon.kill()
        self.agent.daemon = None
        self.host.control("unblock")
        wait_for(lambda: not os.path.exists(f"/proc/{child}"), "the end of the child")
        self.assertEqual(self.writes(), [("vf1/vram_quota", "0", "OK")])
        self.settle()
        self.assertEqual(self.quotas(), [0] * 7)

    def test_what_is_held_is_not_written(self):
        server = self.allocate(CARD)
        self.settle()
        group = os.path.basename(os.readlink(self.host.function(FUNCTIONS[0]) / "iommu_group"))
        self.placement.deallocate(server)
        self.host.control("forget")
        self.agent.hold_group(300, group)
        for _ in range(2):
            self.agent.try_to("sync")
        (self.agent.host_root / "proc/300/fd/7").unlink()
        file = self.agent.define_domain(server, FUNCTIONS[:1])
        self.agent.try_to("sync")
        self.assertEqual((self.profile(1), self.writes()), ((8192, 20, 5000), []))
        file.unlink()
        self.settle()
        self.assertEqual(self.profile(1), (0, 0, 0))

    def test_the_next_consumer_gets_other_memory(self):
        self.agent.configure({"agent": {**self.options, "release_grace": LATE}, **self.types})
        first = self.allocate(CARD)
        self.sync()
        self.placement.deallocate(first)
        self.sync()
        second = self.allocate(CARD)
        self.host.control("forget")
        self.sync()
        self.assertEqual(self.row(second)["mdevs"], FUNCTIONS[:1])
        self.assertEqual([w[:2] for w in self.writes() if w[0] == "vf1/vram_quota"],
                         [("vf1/vram_quota", "0"), ("vf1/vram_quota", str(8192 * MIB))])
        self.assertEqual(self.profile(1), (8192, 20, 5000))

    def test_drain(self):
        server = self.allocate(CARD)
        self.sync()
        self.agent.try_to("drain", CARD)
        self.agent.try_to("sync")
        self.assertEqual(self.vgpus(CARD), (2, 1))
        self.placement.deallocate(server)
        self.agent.try_to("sync")
        self.agent.try_to("sync")
        self.assertEqual(self.quotas(), [0] * 7)
        self.agent.try_to("undrain", CARD)
        self.settle()
        self.assertEqual(self.vgpus(CARD)[1], 0)

    def test_a_type_that_is_configured_no_more_is_still_given_back(self):
        server = self.allocate(CARD)
        self.settle()
        sections = self.configuration()
        sections[f"vf_type_{LARGE}"] = {"vram_quota": "6G"}
        self.agent.configure({"agent": self.options, **sections})
        self.placement.deallocate(server)
        for _ in range(3):
            self.agent.try_to("sync")
        self.assertEqual(self.profile(1), (0, 0, 0))
        self.assertEqual(self.totals()[child_name(CARD)], 3)

    def test_the_priority_is_the_cards(self):
        sections = self.configuration()
        sections[f"vf_type_{LARGE}"]["sched_priority"] = "normal"
        self.agent.configure({"agent": self.options, **sections})
        server = self.allocate(CARD)
        done = self.agent.try_to("sync")
        self.assertIn("do not have the priority normal", done.stdout + done.stderr)
        self.assertEqual(self.quotas(), [0] * 7)
        bulk = self.host.function(CARD) / "sriov_admin/.bulk_profile/sched_priority"
        self.assertEqual(store(bulk, "normal"), "OK")
        self.settle()
        self.assertEqual(self.row(server)["state"], "ready")
        self.placement.deallocate(server)
        self.settle()


class Foreign(B60):
    def test_functions_that_were_enabled_without_a_quota(self):
        """The driver has shared the memory among them: nothing is left to give."""
        self.assertEqual(store(self.host.function(CARD) / "sriov_numvfs", "7"), "OK")
        self.assertNotIn(0, self.quotas())
        before = self.quotas()
        self.host.control("forget")
        self.agent.try_to("sync")
        self.assertNotIn(child_name(CARD), self.totals())
        self.assertEqual((self.quotas(), self.writes()), (before, []))

    def test_another_guests_function(self):
        self.sync()
        self.give(1, 8192)
        self.assertEqual(store(self.host.function(CARD) / "sriov_numvfs", "7"), "OK")
        self.agent.define_domain(new_uuid(), FUNCTIONS[:2])
        self.host.control("forget")
        self.sync()
        server = self.allocate(CARD)
        self.sync()
        # The second has no quota yet, and will be somebody's.
        self.assertEqual(self.row(server)["mdevs"], [FUNCTIONS[2]])
        self.assertFalse([w for w in self.writes() if w[0].startswith(("vf1/", "vf2/"))])
        self.placement.deallocate(server)
        for _ in range(3):
            self.agent.try_to("sync")
        self.assertEqual(self.quotas(), [8192] + [0] * 6)

    def test_the_next_owner_of_the_function(self):
        """A late release leaves it alone."""
        self.sync()
        server = self.allocate(CARD)
        self.settle()
        self.placement.deallocate(server)
        self.give(1, 0)
        self.give(1, 2048)
        self.host.control("forget")
        for _ in range(3):
            self.agent.try_to("sync")
        self.assertEqual((self.profile(1)[0], self.writes()), (2048, []))

    def test_the_state_file_is_lost(self):
        self.sync()
        server = self.allocate(CARD)
        self.settle()
        self.agent.define_domain(server, FUNCTIONS[:1])
        self.agent.state_file.write_text("lost")
        self.host.control("forget")
        for _ in range(3):
            self.agent.try_to("sync")
        self.assertEqual((self.row(server)["mdevs"], self.writes()), (FUNCTIONS[:1], []))


class OtherKind(B60):
    """The files make fixed functions of those with shares, or the reverse, while a consumer has one and its guest is not
    defined yet: its function is no other's."""
    FIXED = {"devices": {"enabled_mdev_types": "b60-vf"}, "mdev_b60-vf": {"device_addresses": [CARD]},
             "vf_type_b60-vf": {"fixed": "true"}}

    def change(self, sections):
        self.agent.configure({"agent": self.options, **sections})
        for _ in range(3):
            self.agent.try_to("sync")

    def functions(self, consumer):
        return {f for row in self.agent.json("allocations") if row["consumer"] == consumer for f in row["mdevs"]}

    def test_functions_with_shares_become_fixed(self):
        self.sync()
        first = self.allocate(CARD)
        self.settle()
        (its,) = self.functions(first)
        self.host.control("forget")
        self.change(self.FIXED)
        self.assertEqual(self.totals()[child_name(CARD)], 6)
        second = self.allocate(CARD, 5)
        for _ in range(2):
            self.agent.try_to("sync")
        self.assertEqual(len(self.functions(second)), 5)
        self.assertNotIn(its, self.functions(second))
        self.assertEqual(self.writes(), [])
        # And back: nobody was given what the first one has.
        self.change(self.types)
        self.assertEqual(self.functions(first), {its})
        self.assertEqual(self.profile(FUNCTIONS.index(its) + 1), (8192, 20, 5000))

    def test_fixed_functions_get_shares(self):
        self.change(self.FIXED)
        self.assertEqual(store(self.host.function(CARD) / "sriov_numvfs", "7"), "OK")
        self.change(self.FIXED)
        for number in range(1, 8):
            self.give(number, 0)
        first = self.allocate(CARD)
        self.change(self.FIXED)
        (its,) = self.functions(first)
        self.change(self.types)
        second = self.allocate(CARD)
        for _ in range(2):
            self.agent.try_to("sync")
        self.assertNotIn(its, self.functions(second))
        self.assertLessEqual(self.functions(first), {its})


class Reboot(B60):
    def begin(self):
        self.sync()
        self.servers = [self.allocate(CARD), self.allocate(CARD)]
        self.settle()
        # So that the first function is not the one.
        self.placement.deallocate(self.servers.pop(0))
        self.settle()
        self.before = self.quotas()
        self.host.reboot()
        self.assertEqual((self.quotas(), self.enabled()), ([0] * 7, 0))

    def test_the_same_functions_get_the_same_shares(self):
        self.begin()
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        self.assertEqual((self.quotas(), self.enabled()), (self.before, 7))
        stores = self.host.stores()
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        self.assertEqual(self.host.stores(), stores)

    def test_killed_before_the_functions_were_enabled(self):
        """The share is there, and nobody can have the function yet."""
        self.begin()
        number = self.before.index(8192) + 1
        self.give(number, 8192)
        for name, value in (("exec_quantum_ms", "20"), ("preempt_timeout_us", "5000")):
            self.assertEqual(store(self.file(number, name), value), "OK")
        self.sync()
        self.assertEqual((self.quotas(), self.enabled()), (self.before, 7))
        self.assertEqual(self.totals()[child_name(CARD)], 2)

    def test_somebody_was_faster(self):
        self.begin()
        self.agent.define_domain(self.servers[0], [FUNCTIONS[self.before.index(8192)]])
        self.assertEqual(store(self.host.function(CARD) / "sriov_numvfs", "7"), "OK")
        shared = self.quotas()
        done = self.agent.try_to("restore")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.quotas(), shared)


class NovaPci(FleetTest):
    """Nova gives the functions away; libvirt binds them for the guests."""

    def test_the_cut(self):
        self.build("xe", {"devices": {"enabled_mdev_types": LARGE},
                          f"mdev_{LARGE}": {"device_addresses": CARD},
                          f"vf_type_{LARGE}": {"vram_quota": "8G"}},
                   mode="nova-pci", create_root="false")
        self.placement.create_provider(self.root_name, new_uuid())
        self.agent.try_to("sync")
        said = self.agent.try_to("nova-config").stdout
        for function in FUNCTIONS[:2]:
            self.assertIn(f'device_spec = {{"address":"{function}","managed":"yes",', said)
        self.assertEqual(said.count("device_spec = "), 2)
        written = [s["value"] for s in self.host.stores() if s["path"].endswith("vram_quota")]
        self.assertEqual(written, [str(8192 * MIB)] * 2)


class Rule(B60):
    """udev gives the agent's group the files that it writes, and no other."""
    GROUP = 61236

    def test_the_group_may_write_what_the_agent_writes(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give files to a group")
        done = give_to_group(self.host, 'TEST=="sriov_admin"', CARD, self.GROUP)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.args)
        self.assertEqual(writable_by_group(self.host.function(CARD), self.GROUP), {"sriov_numvfs"} | {
            f"sriov_admin/vf{number}/profile/{name}" for number in range(1, 8)
            for name in ("vram_quota", "exec_quantum_ms", "preempt_timeout_us")})
