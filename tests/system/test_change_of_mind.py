"""Somebody changes what stood: the operator the files, Nova its allocations, anybody what is
in Placement. No guest loses its device, and what is ours is mended in the next cycle."""
from support import wait_for
from support.fleet import FleetTest, child_name, new_uuid
from support.process import preloaded
from support.vendor_vfio import VendorVfio
from support.xe import Xe

A, B, C = "0000:84:00.0", "0000:85:00.0", "0000:86:00.0"


class ChangeTest(FleetTest):
    def setUp(self):
        super().setUp()
        self.build_guide()
        self.agent.run("sync")

    def sync(self, status=None):
        """One cycle; where problems stand, its exit status tells of them."""
        done = self.agent.try_to("sync")
        if status is not None:
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def reconfigure(self, *types, **sections):
        """Enables these types; a section is given as nvidia_35={...}."""
        given = {f"mdev_{name.replace('_', '-')}": options
                 for name, options in sections.items()}
        self.agent.configure({"agent": self.options,
                              "devices": {"enabled_mdev_types": types}, **given})

    def serve(self, address, units=1):
        """A consumer with devices that a running guest has; both."""
        server = self.allocate(address, units)
        self.sync()
        devices = self.devices_of(address, server, units)
        self.assertLessEqual(devices, set(self.host.mdevs()))
        self.agent.define_domain(server, devices, running=True)
        return server, devices

    def release(self, server):
        for folder in ("run", "etc"):
            file = self.agent.host_root / folder / f"libvirt/qemu/d-{server[:8]}.xml"
            file.unlink(missing_ok=True)
        self.placement.allocate(server, {}, self.generation(server))

    def generation(self, server):
        return self.placement.get(f"/allocations/{server}").get("consumer_generation")

    def removes(self):
        return [s for s in self.host.stores() if s["path"].endswith("/remove")]


class Types(ChangeTest):
    def test_another_type_while_devices_live(self):
        one, two = self.serve(A), self.serve(A)
        before = self.host.mdevs()
        self.reconfigure("nvidia-35", "nvidia-36",
                         nvidia_35={"device_addresses": [B]},
                         nvidia_36={"device_addresses": [A, C]})
        self.sync()
        # Nothing is destroyed. What is there is what is held, and nobody new comes, also
        # not into what one of them frees.
        self.assertEqual(self.host.mdevs(), before)
        self.assertEqual(self.vgpus(A), (2, 2))
        self.assertEqual(self.states(), {one[0]: ["in use"], two[0]: ["in use"]})
        traits = self.placement.traits(self.child(A))
        self.assertIn("CUSTOM_NVIDIA_36", traits)
        self.assertNotIn("CUSTOM_NVIDIA_35", traits)
        self.assertTrue(self.agent.is_idle())
        # One of them goes: its room stays closed, since the card still has the old type.
        self.release(one[0])
        self.sync()
        self.sync()
        self.assertEqual(set(self.host.mdevs()), two[1])
        self.assertEqual(self.vgpus(A), (1, 1))
        # The last one goes: the new type's capacity is there, and can be had.
        self.release(two[0])
        self.sync()
        self.sync()
        self.sync()
        self.assertEqual(self.host.mdevs(), {})
        self.assertEqual(self.vgpus(A), (16, 0))
        self.serve(A)
        self.assertEqual(set(self.host.mdevs().values()), {(A, "nvidia-36")})

    def test_and_back_again(self):
        self.serve(A)
        self.reconfigure("nvidia-36", nvidia_36={"device_addresses": [A, B, C]})
        self.sync()
        self.assertEqual(self.vgpus(A), (1, 1))
        self.agent.configure({"agent": self.options, **self.types})
        self.sync(0)
        self.assertEqual(self.vgpus(A), (16, 0))
        self.assertIn("CUSTOM_NVIDIA_35", self.placement.traits(self.child(A)))
        self.assertEqual(self.removes(), [])

    def test_another_class(self):
        server, devices = self.serve(A, 2)
        self.reconfigure("nvidia-35", "nvidia-36",
                         nvidia_35={"device_addresses": [A, B], "mdev_class": "CUSTOM_FAST"},
                         nvidia_36={"device_addresses": [C]})
        self.sync()
        inventories = self.placement.inventories(self.child(A))
        self.assertEqual({c: (i["total"], i["reserved"]) for c, i in inventories.items()},
                         {"VGPU": (2, 2), "CUSTOM_FAST": (14, 0)})
        self.assertEqual(set(self.host.mdevs()), devices)
        self.release(server)
        self.sync()
        self.sync()
        inventories = self.placement.inventories(self.child(A))
        self.assertEqual({c: (i["total"], i["reserved"]) for c, i in inventories.items()},
                         {"CUSTOM_FAST": (16, 0)})

    def test_a_smaller_cap(self):
        self.serve(A, 3)
        self.reconfigure("nvidia-35", "nvidia-36",
                         nvidia_35={"device_addresses": [A, B], "max_instances": 2},
                         nvidia_36={"device_addresses": [C]})
        self.sync()
        # Never below what is allocated.
        self.assertEqual((self.vgpus(A), self.vgpus(B)), ((3, 0), (2, 0)))
        self.assertEqual(len(self.host.mdevs()), 3)


class Dropped(ChangeTest):
    def prune(self, status=0):
        """What became of providers, not of names."""
        return [row for row in self.agent.json("prune", status=status) if row["provider"]]

    def test_a_gpu_that_is_in_use(self):
        server, devices = self.serve(C)
        self.reconfigure("nvidia-35", nvidia_35={"device_addresses": [A, B]})
        self.sync(1)
        self.assertEqual(self.vgpus(C), (16, 16))
        self.assertEqual(set(self.host.mdevs()), devices)
        self.assertEqual(self.states()[server], ["in use"])
        status = self.agent.json("status", status=1)
        self.assertEqual({r["gpu"]: (r["service"], r["used"]) for r in status["gpus"]},
                         {A: ("active", 0), B: ("active", 0), C: ("retired", 1)})
        (row,) = self.prune(status=1)
        self.assertEqual((row["result"], row["reason"]), ("left", "it has allocations"))
        # A reboot in between: the guest still gets what it was promised.
        self.host.reboot()
        self.sync()
        self.assertEqual(set(self.host.mdevs()), devices)
        self.release(server)
        self.sync()
        self.sync()
        self.assertEqual(self.host.mdevs(), {})
        self.assertEqual(self.prune()[0]["result"], "deleted")
        self.assertEqual(set(self.tree()), {"", child_name(A), child_name(B)})

    def test_all_types(self):
        """An empty [devices]: everything is held back, nothing is taken away."""
        server, devices = self.serve(A)
        self.reconfigure()
        self.sync(1)
        self.assertEqual([self.vgpus(gpu) for gpu in (A, B, C)], [(16, 16)] * 3)
        self.assertEqual(set(self.host.mdevs()), devices)
        rows = self.prune(status=1)
        self.assertEqual({r["gpu"]: r["result"] for r in rows},
                         {A: "left", B: "deleted", C: "deleted"})
        self.assertEqual(self.states()[server], ["in use"])


class Consumers(ChangeTest):
    def test_a_migration_holds_the_place(self):
        server, devices = self.serve(A, 2)
        before = self.host.mdevs()
        migration = new_uuid()
        self.rename(server, migration)
        self.sync(0)
        self.sync(0)
        # The guest still runs here, with its devices; nobody else has got any.
        self.assertEqual(self.host.mdevs(), before)
        self.assertEqual(self.states(), {migration: ["migrating"]})
        self.assertEqual(self.vgpus(A), (16, 0))
        # They are the server's: nobody starts a guest with them by the migration's name.
        asked = self.agent.try_to("xml", migration)
        self.assertEqual(asked.returncode, 75)
        self.assertIn(f"a migration of {server}", asked.stderr)
        # It was reverted.
        self.rename(migration, server)
        self.sync(0)
        self.assertEqual(self.host.mdevs(), before)
        self.assertEqual(self.states(), {server: ["in use"]})
        # And now it is confirmed: the guest is elsewhere.
        self.rename(server, migration)
        self.sync(0)
        (self.agent.host_root / f"run/libvirt/qemu/d-{server[:8]}.xml").unlink()
        self.placement.allocate(migration, {}, self.generation(migration))
        self.sync()
        self.sync()
        self.assertEqual(self.host.mdevs(), {})
        creates = [s for s in self.host.stores() if s["path"].endswith("/create")]
        self.assertEqual(len(creates), 2)

    def test_a_resize_on_the_same_host_counts_both(self):
        server, devices = self.serve(A)
        migration = new_uuid()
        self.rename(server, migration)
        self.placement.allocate(server, {self.child(A): {"VGPU": 1}})
        self.addCleanup(self.forget, server)
        self.sync(0)
        self.assertEqual(len(self.host.mdevs()), 2)
        self.assertLess(devices, set(self.host.mdevs()))
        self.assertEqual(set(self.states()), {server, migration})

    def test_more_than_is_left(self):
        """Nobody gets a part; who fits is served, whatever the order."""
        foreign = [new_uuid() for _ in range(13)]
        big = [self.allocate(A, 4) for _ in range(3)]
        for device in foreign:
            self.assertEqual(self.host.create(A, "nvidia-35", device), "OK")
        self.agent.define_domain(new_uuid(), foreign, running=True)
        small = [self.allocate(A) for _ in range(2)]
        other = self.allocate(B, 16)
        self.sync(1)
        rows = {r["consumer"]: r for r in self.agent.json("allocations")}
        for server in big:
            self.assertEqual(rows[server]["state"], "failed")
            self.assertIn("no instance of the type 'nvidia-35' is left",
                          rows[server]["reason"])
        for server in (*small, other):
            self.assertEqual(rows[server]["state"], "ready")
        self.assertEqual(len(self.host.mdevs()), 13 + 2 + 16)
        status = self.agent.json("status", status=1)
        self.assertEqual(status["allocations"]["failed"], 3)
        self.assertEqual(status["allocations"]["ready"], 3)


class Placement(ChangeTest):
    def test_providers_deleted(self):
        server, devices = self.serve(A)
        uuids = {gpu: self.child(gpu) for gpu in (B, C)}
        for uuid in uuids.values():
            self.placement.expect(204, "DELETE", f"/resource_providers/{uuid}")
        self.sync(0)
        self.assertEqual({gpu: self.child(gpu) for gpu in (B, C)}, uuids)
        self.assertEqual([self.vgpus(gpu) for gpu in (A, B, C)], [(16, 0)] * 3)
        self.assertEqual(set(self.host.mdevs()), devices)

    def step(self, boot):
        """Sets CLOCK_BOOTTIME so many seconds ahead."""
        steps = self.directory / "steps"
        steps.write_text(f"0 {boot}\n")
        self.agent.environment = preloaded("clock_step", CLOCK_STEP=steps)

    def wait_a_minute(self):
        """A database that was made anew looks the same: it is not believed at once."""
        self.assertIn("the root provider", self.sync(75).stderr)
        self.step(61)

    def delete_tree(self, servers):
        for server in servers:
            self.placement.expect(204, "DELETE", f"/allocations/{server}")
        tree = self.tree()
        root = tree.pop("")
        for provider in (*tree.values(), root):
            self.placement.expect(204, "DELETE",
                                  f"/resource_providers/{provider['uuid']}")
        return root["uuid"]

    def test_the_whole_tree_gone(self):
        server, devices = self.serve(A)
        idle = self.allocate(B)
        self.sync(0)
        root = self.delete_tree([server, idle])
        self.wait_a_minute()
        self.sync()
        self.assertEqual(self.root(), root)
        self.step(61 + 3600)
        self.sync(), self.sync()
        self.assertEqual([self.vgpus(gpu) for gpu in (B, C)], [(16, 0)] * 2)
        # After the grace period, what the guest has is nobody else's to be offered.
        self.sync(), self.sync()
        self.assertEqual(self.vgpus(A), (15, 0))
        self.assertEqual(set(self.host.mdevs()), devices)
        # Its allocation is healed: it is its own device again.
        self.placement.allocate(server, {self.child(A): {"VGPU": 1}})
        self.addCleanup(self.forget, server)
        self.sync(0)
        self.assertEqual(set(self.host.mdevs()), devices)
        self.assertEqual(self.states(), {server: ["in use"]})
        self.assertEqual(self.vgpus(A), (16, 0))

    def test_another_root(self):
        """nova-compute was set up anew: same name, other uuid. It makes the root."""
        self.agent.configure({"agent": {**self.options, "create_root": "false"},
                              **self.types})
        server, devices = self.serve(A)
        old = self.delete_tree([server])
        self.wait_a_minute()
        done = self.sync(1)
        self.assertIn(f"the root provider {self.root_name} is not in Placement", done.stderr)
        self.assertEqual(set(self.host.mdevs()), devices)
        new = new_uuid()
        self.placement.create_provider(self.root_name, new)
        done = self.sync(1)
        self.assertIn(f"but this host is now {self.root_name} ({new})", done.stderr)
        self.assertEqual(list(self.tree()), [""])
        self.agent.run("adopt-root")
        self.step(61 + 7200)
        self.sync(), self.sync(), self.sync()
        self.assertNotEqual(old, new)
        self.assertEqual(self.root(), new)
        self.assertEqual([self.vgpus(gpu) for gpu in (A, B, C)],
                         [(15, 0), (16, 0), (16, 0)])
        self.placement.allocate(server, {self.child(A): {"VGPU": 1}})
        self.addCleanup(self.forget, server)
        self.sync(0)
        self.assertEqual(set(self.host.mdevs()), devices)
        self.assertEqual(self.states(), {server: ["in use"]})
        self.assertEqual(self.removes(), [])
        self.assertNotIn(old, self.agent.state_file.read_text())

    def test_an_inventory_edited(self):
        self.serve(A, 2)
        good = self.placement.inventories(self.child(A))["VGPU"]
        for wrong in ({"total": 99, "max_unit": 99}, {"total": 2, "max_unit": 2},
                      {"min_unit": 2}, {"step_size": 4}):
            self.placement.set_inventories(self.child(A), {"VGPU": {**good, **wrong}})
            self.sync(0)
            self.assertEqual(self.placement.inventories(self.child(A))["VGPU"], good, wrong)
        # These are an operator's to set; a ratio is told of all the same.
        for own, status in (({"reserved": 3}, 0), ({"max_unit": 1}, 0), ({"allocation_ratio": 4.0}, 1)):
            good.update(own)
            self.placement.set_inventories(self.child(A), {"VGPU": good})
            self.assertEqual(self.sync(status).stdout, "nothing to do\n")
        self.assertEqual(self.placement.inventories(self.child(A))["VGPU"], good)
        # All of it taken away, where nobody has anything.
        self.placement.set_inventories(self.child(B), {})
        self.sync(1)
        self.assertEqual(self.vgpus(B), (16, 0))

    def test_traits_removed(self):
        child = self.child(A)
        ours = self.placement.traits(child)
        self.placement.expect((201, 204), "PUT", "/traits/CUSTOM_THEIRS")
        self.placement.set_traits(child, {"CUSTOM_THEIRS"})
        self.sync(0)
        self.assertEqual(self.placement.traits(child), ours | {"CUSTOM_THEIRS"})
        self.placement.set_traits(child, set())
        self.sync(0)
        self.assertEqual(self.placement.traits(child), ours)


class BesideTheDaemon(ChangeTest):
    """The same, under a daemon that remembers what it has seen."""

    def setUp(self):
        super().setUp()
        self.agent.start()
        self.agent.settle()

    def test_a_trait_deleted_for_good(self):
        if not self.placement.is_own:
            self.skipTest("others use the trait")
        child = self.child(C)
        ours = self.placement.traits(child)
        self.placement.set_traits(child, set())
        self.placement.expect(204, "DELETE", "/traits/CUSTOM_NVIDIA_36")
        wait_for(lambda: self.placement.traits(child) == ours, "the trait")

    def test_the_tree_goes_piece_by_piece(self):
        root = self.root()
        for gpu in (A, B, C):
            self.placement.expect(204, "DELETE", f"/resource_providers/{self.child(gpu)}")
            # All at once would be a database that was lost, which is not believed at once.
            wait_for(lambda: set(self.tree()) == {"", *map(child_name, (A, B, C))} and
                     self.totals() == {child_name(gpu): 16 for gpu in (A, B, C)},
                     "all GPUs")
        self.assertEqual(self.root(), root)

    def test_types_change_and_change_again(self):
        server = self.allocate(A)
        wait_for(lambda: self.states().get(server) == ["ready"], "the device")
        before = self.host.mdevs()
        for types in ({"nvidia_36": {"device_addresses": [A, B, C]}},
                      {"nvidia_35": {"device_addresses": [B]}},
                      {"nvidia_40": {"device_addresses": [A]}}):
            (name,) = types
            self.reconfigure(name.replace("_", "-"), **types)
            self.agent.run("reload")
            wait_for(lambda: self.agent.daemon.output().count("reload: done") and
                     self.agent.is_idle(), "the end of it")
            self.assertEqual(self.host.mdevs(), before)
        self.agent.configure({"agent": self.options, **self.types})
        self.agent.run("reload")
        wait_for(lambda: self.agent.try_to("status").returncode == 0, "all is well")
        self.assertEqual([self.vgpus(gpu) for gpu in (A, B, C)], [(16, 0)] * 3)
        self.assertEqual(self.host.mdevs(), before)
        self.assertEqual(self.removes(), [])


class VfioConsumers(VendorVfio, Consumers):
    """On virtual functions that stores make virtual GPUs."""
    # These count uuids, and stores into `create`.
    test_a_migration_holds_the_place = None
    test_more_than_is_left = None


class XeConsumers(Xe, Consumers):
    """On virtual functions that get a share of their card."""
    # These count uuids, and stores into `create`.
    test_a_migration_holds_the_place = None
    test_more_than_is_left = None
