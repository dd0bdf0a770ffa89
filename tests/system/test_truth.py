"""What is true of a GPU, and that every view says it: for each way in which all can seem
well and is not."""
import os
import subprocess

from support import wait_for
from support.fleet import child_name, new_uuid
from support.host import load_description
from support.views import ViewsTest

A, B, C, D = "0000:84:00.0", "0000:85:00.0", "0000:86:00.0", "0000:87:00.0"


class Guide(ViewsTest):
    def setUp(self):
        super().setUp()
        self.build_guide(listen="0", sync_interval=3600)

    def configure(self, *enabled, **sections):
        types = {"devices": {"enabled_mdev_types": enabled}} if enabled else {}
        types.update({f"mdev_{k.replace('_', '-')}": v for k, v in sections.items()})
        self.agent.configure({"agent": self.options, **types})

    def reload(self, *enabled, **sections):
        self.configure(*enabled, **sections)
        self.agent.run("reload")


class NothingEnabled(Guide):
    def test_while_there_are_gpus_to_cut(self):
        self.configure()
        self.start()
        self.wake()
        self.assert_problem("no type is enabled, so that no virtual GPU is made of "
                            f"{A}, {B}, {C}, {D}: name types in [devices]")
        self.assertEqual({r["service"] for r in self.agent.json("gpus")}, {"unused"})
        checked = self.agent.run("check-config")
        self.assertIn("warning: devices.enabled_mdev_types: no type is enabled", checked)

    def test_and_every_gpu_retired_by_it(self):
        self.start()
        server = self.allocate(A, 2)
        self.wake()
        wait_for(lambda: len(self.host.mdevs()) == 2, "the devices")
        self.reload()
        self.assert_gpu(A, "retired", 16, 2, 16, devices=2,
                        says="no type is configured for it any more: held back until it is "
                             "pruned")
        self.assert_gpu(C, "retired", 16, 0, 16)
        self.assert_problem("no type is enabled")
        self.assertEqual(self.states()[server], ["ready"])
        # Its devices say what it was.
        (row,) = [r for r in self.agent.json("gpus") if r["gpu"] == A]
        self.assertEqual(row["type"], "nvidia-35")


class Taken(Guide):
    def test_by_a_device_of_another_type_that_somebody_made(self):
        self.configure("nvidia-45")
        stranger = new_uuid()
        self.start()
        self.assert_gpu(A, "active", 1, 0, 0, devices=0)
        self.assertEqual(self.host.create(A, "nvidia-35", stranger), "OK")
        self.assert_gpu(A, "taken", 0, 0, 0, devices=1,
                        says="devices that nobody was given leave no room for 'nvidia-45', "
                             f"1 of the type 'nvidia-35' ({stranger})")
        self.assert_gpu(B, "active", 1, 0, 0)
        self.assertEqual(self.host.remove(stranger), "OK")
        self.assert_gpu(A, "active", 1, 0, 0)
        self.assert_well()


class Reserved(Guide):
    def reserve(self, address, units):
        provider = self.child(address)
        inventories = self.placement.inventories(provider)
        inventories["VGPU"]["reserved"] = units
        self.placement.set_inventories(provider, inventories)

    def test_all_of_it_by_somebody_else(self):
        self.start()
        self.reserve(A, 16)
        self.assert_gpu(A, "reserved", 16, 0, 16,
                        says="all 16 units are reserved in Placement, and not by the agent: "
                             f"`vgpu-agent undrain {A}` puts it back to service")
        self.assertEqual(self.agent.run("undrain", A), f"{A} is in service\n")
        self.assert_gpu(A, "active", 16, 0, 0)
        self.assert_well()
        self.assertIn("already in service", self.agent.run("undrain", A))

    def test_before_it_was_drained(self):
        """What is put back is what there was; so that is said, and once more helps."""
        self.start()
        self.reserve(A, 16)
        self.agent.run("drain", A)
        self.assert_gpu(A, "drained", 16, 0, 16)
        self.assertIn(f"{A} is not drained, but reserved: all 16 units are reserved",
                      self.agent.run("undrain", A))
        self.assertEqual(self.agent.run("undrain", A), f"{A} is in service\n")
        self.assert_gpu(A, "active", 16, 0, 0)

    def test_under_a_state_file_that_was_lost(self):
        self.start()
        self.agent.run("drain", A)
        self.assertEqual(self.agent.stop(), 0)
        self.agent.state_file.unlink()
        self.agent.state_file.with_name(f"state.json.drained.{A}").unlink()
        self.start()
        self.assert_gpu(A, "reserved", 16, 0, 16, says="all 16 units are reserved")
        self.agent.run("undrain", A)
        self.assert_gpu(A, "active", 16, 0, 0)

    def test_some_of_it_is_an_operators_choice(self):
        """No problem, but said; and given back when that is asked for."""
        self.start()
        self.reserve(A, 3)
        self.assert_gpu(A, "active", 16, 0, 3)
        self.assert_noted(A, "3 of its units are reserved in Placement, and not by the agent as far as its state file tells: "
                             f"`vgpu-agent undrain {A}` gives them back")
        self.assert_well()
        self.assertEqual(self.agent.run("undrain", A), f"{A} is in service\n")
        self.assert_gpu(A, "active", 16, 0, 0)
        self.assertIn("already in service", self.agent.run("undrain", A))
        self.assertEqual(list(self.agent.state_file.parent.glob("*.unreserve.*")), [])

    def test_given_back_by_a_later_sync(self):
        self.agent.run("sync")
        self.reserve(A, 3)
        self.assertIn("the daemon does not run; it, or `vgpu-agent sync`, will do it", self.agent.run("undrain", A, status=1))
        self.agent.run("sync")
        self.assertEqual(self.vgpus(A)[1], 0)
        self.reserve(A, 2)
        self.agent.run("sync")
        self.assertEqual(self.vgpus(A)[1], 2)

    def test_given_back_once_the_provider_is_the_agents_again(self):
        """While it is left alone nothing is given back, and the request stands."""
        self.agent.run("sync")
        self.reserve(A, 3)
        self.agent.run("undrain", A, status=1)
        provider, requests = self.child(A), lambda: list(self.agent.state_file.parent.glob("*.unreserve.*"))
        traits = self.placement.traits(provider)
        self.placement.set_traits(provider, traits | {"OWNER_NOVA"})
        self.agent.try_to("sync")
        self.assertEqual((self.placement.inventories(provider)["VGPU"]["reserved"], len(requests())), (3, 1))
        self.placement.set_traits(provider, traits)
        self.agent.run("sync")
        self.assertEqual((self.placement.inventories(provider)["VGPU"]["reserved"], requests()), (0, []))


class GivenOnce(Guide):
    """one_time_use, some units of many."""
    reserve = Reserved.reserve

    def begin(self):
        self.configure("nvidia-35", nvidia_35={"device_addresses": [A], "one_time_use": "true"})
        self.start()

    def use(self, servers):
        for server in [self.allocate(A) for _ in range(servers)]:
            wait_for(lambda: self.wake() or self.states().get(server) == ["ready"], "the device")
            self.placement.deallocate(server)
        wait_for(lambda: self.wake() or not self.host.mdevs(), "the devices' removal")

    def test_units_that_wait_to_be_cleaned_are_told_of(self):
        self.begin()
        self.use(2)
        self.assert_gpu(A, "active", 16, 0, 2)
        self.assert_noted(A, f"2 of its units were used and stay reserved (one_time_use): `vgpu-agent clean {A}` offers them again")
        self.agent.run("clean", A)
        self.assert_gpu(A, "active", 16, 0, 0)
        self.assertIsNone(next(row["note"] for row in self.agent.json("gpus") if row["gpu"] == A))

    def test_units_of_a_state_file_that_was_lost(self):
        """They look like somebody else's, also while others are the agent's."""
        self.begin()
        self.use(1)
        self.assertEqual(self.agent.stop(), 0)
        self.agent.state_file.unlink()
        self.start()
        self.wake()
        self.allocate(A)
        self.assert_gpu(A, "active", 16, 1, 1)
        self.assert_noted(A, f"1 of its units are reserved in Placement, and not by the agent as far as its state file tells: "
                             f"`vgpu-agent undrain {A}` gives them back")
        self.assertEqual(self.agent.run("undrain", A), f"{A} is in service\n")
        self.assert_gpu(A, "active", 16, 1, 0)


class Ratio(Guide):
    def set_ratio(self, ratio):
        inventories = self.placement.inventories(self.child(A))
        inventories["VGPU"]["allocation_ratio"] = ratio
        self.placement.set_inventories(self.child(A), inventories)

    def test_of_somebody_else_is_told_of(self):
        self.start()
        self.set_ratio(16.0)
        self.assert_gpu(A, "active", 16, 0, 0,
                        says="somebody has set its allocation_ratio in Placement to 16, so that 256 of its 16 units can be allocated")
        self.set_ratio(0.05)
        self.assert_gpu(A, "reserved", 16, 0, 0,
                        says="somebody has set its allocation_ratio in Placement to 0.05, so that 0 of its 16 units can be "
                             f"allocated: `openstack resource provider inventory set {self.child(A)} --amend --resource "
                             "VGPU:allocation_ratio=1.0` takes that back")
        self.set_ratio(0)
        self.assert_gpu(A, "reserved", 16, 0, 0,
                        says="somebody has set its allocation_ratio in Placement to 0, so that 0 of its 16 units can be")
        self.set_ratio(1.0)
        self.assert_gpu(A, "active", 16, 0, 0)
        self.assert_well()


class Sick(Guide):
    def test_lost(self):
        self.start()
        self.allocate(B)
        self.host.control(f"lose {B}")
        self.assert_gpu(B, "sick", 16, 1, 16, health="lost",
                        says="fell off the bus: its config space reads 0xffffffff: reset it")
        self.host.control(f"restore {B}")
        self.assert_gpu(B, "active", 16, 1, 0)

    def test_unbound(self):
        self.start()
        self.host.control(f"unbind {B}")
        self.assert_gpu(B, "sick", 16, 0, 16, health="unusable",
                        says="no driver is bound to it: bind the vendor's driver")

    def test_unplugged(self):
        self.start()
        self.host.control(f"unplug {B}")
        self.assert_gpu(B, "sick", 16, 0, 16, health="gone",
                        says="configured for the type 'nvidia-35', but not on this host: put "
                             "it back, or")

    def test_unplugged_and_of_the_default_type(self):
        """No file names it; it is not one that is no longer wanted."""
        self.configure("nvidia-35")
        self.start()
        self.host.control(f"unplug {B}")
        self.assert_gpu(B, "sick", 16, 0, 16, health="gone",
                        says="not on this host any more: put it back, or `vgpu-agent prune`")
        self.host.control("rescan")
        self.assert_gpu(B, "active", 16, 0, 0)
        self.assert_well()

    def test_drained_to_be_swapped(self):
        self.start()
        self.agent.run("drain", B)
        self.assert_gpu(B, "drained", 16, 0, 16)
        self.assert_well()
        self.assert_noted(B, f"an operator has drained it: `vgpu-agent undrain {B}` takes that back")
        self.host.control(f"lose {B}")
        self.assert_gpu(B, "drained", 16, 0, 16, health="lost", says="fell off the bus")


class Changing(Guide):
    def test_another_type_while_devices_of_the_former_live(self):
        self.start()
        servers = self.allocate(A), self.allocate(A)
        self.wake()
        wait_for(lambda: len(self.host.mdevs()) == 2, "the devices")
        self.reload("nvidia-35", "nvidia-36", nvidia_35={"device_addresses": [B]},
                    nvidia_36={"device_addresses": [A, C]})
        self.assert_gpu(A, "changing", 2, 2, 2, devices=2)
        self.assert_well()
        self.assert_noted(A, "devices of its former type are still on it (2); 'nvidia-36' can be made when "
                             "the last of them has gone")
        # What one of them frees is no place for the new type.
        self.placement.deallocate(servers[0])
        refused = self.placement.request("PUT", f"/allocations/{new_uuid()}", {
            "allocations": {self.child(A): {"resources": {"VGPU": 1}}},
            "project_id": new_uuid(), "user_id": new_uuid(), "consumer_generation": None,
            "consumer_type": "INSTANCE"})
        self.assertEqual(refused.status, 409, refused.body)
        self.placement.deallocate(servers[1])
        wait_for(lambda: self.wake() or not self.host.mdevs(), "the devices to go")
        self.assert_gpu(A, "active", 16, 0, 0, devices=0)


class Numbers(ViewsTest):
    def test_max_instances(self):
        self.build_guide(listen="0", sync_interval=3600)
        self.agent.configure({"agent": self.options,
                              "devices": {"enabled_mdev_types": ["nvidia-35"]},
                              "mdev_nvidia-35": {"device_addresses": [A],
                                                 "max_instances": 5}})
        self.start()
        self.allocate(A, 2)
        self.assert_gpu(A, "active", 5, 2, 0)
        self.assert_well()
        (row,) = [r for r in self.agent.json("gpus") if r["gpu"] == B]
        self.assertEqual((row["service"], row["total"]), ("unused", None))


class Root(Guide):
    def test_with_inventory_of_its_own(self):
        self.agent.run("sync")
        root = self.root()
        self.placement.set_inventories(root, {"VGPU": {"total": 48}})
        self.start()
        self.wake()
        self.assert_problem(f"the root provider {self.root_name} has inventory of VGPU itself, "
                            "so that capacity is counted twice: `openstack resource provider "
                            f"inventory delete --resource-class VGPU {root}`")
        self.assertIn("VGPU", self.placement.inventories(root))
        self.placement.set_inventories(root, {})
        self.agent.run("reload")
        self.wake()
        self.assert_well()


class Mode(Guide):
    def test_changed_on_a_living_host(self):
        """What owner mode has promised, nova-compute does not keep."""
        self.start()
        server = self.allocate(A)
        wait_for(lambda: self.wake() or self.states()[server] == ["ready"], "its device")
        (device,) = self.host.mdevs()
        self.options.update(mode="nova", create_root="false")
        self.agent.configure({"agent": self.options, **self.types})
        self.agent.run("reload")
        self.wake()
        self.assert_problem(f"consumer {server} on {self.name_of(A)}: its device {device} was "
                            "made in owner mode, and in nova mode nobody puts it into the "
                            "guest: set [agent] mode = owner again, or")
        self.assertEqual(self.states()[server], ["failed"])
        self.assertEqual(set(self.host.mdevs()), {device})
        # A guest that has it, has it.
        self.agent.define_domain(server, [device], running=True)
        self.wake()
        self.assertEqual(self.states()[server], ["in use"])
        self.assertNotIn(server, self.agent.try_to("status").stdout)


class Files(Guide):
    def test_edited_and_not_read_again(self):
        self.start()
        self.assert_well()
        self.configure("nvidia-36")
        # At once, and when the daemon has had a look.
        code, status, text = self.status()
        self.assertEqual(code, 1, text)
        self.assertIn("`vgpu-agent reload` makes it read them", text)
        self.assertRegex(text, r"changes +\d+ to be made once the daemon has read the files")
        self.wake()
        self.assert_problem("the files say something else than what the daemon has read: "
                            "`vgpu-agent reload`")
        self.agent.run("reload")
        self.wake()
        self.agent.settle()
        self.assert_well()
        # A comment is no other option.
        self.agent.file.write_text("# edited\n" + self.agent.file.read_text())
        self.assert_well()


class FullDisk(Guide):
    """Of the state file: a small file system of its own."""

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("only root can mount a file system")
        self.folder = self.subdirectory("small")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "small", self.folder],
                          check=False).returncode != 0:
            self.skipTest("a file system cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.folder], check=True)
        self.agent.state_file = self.folder / "state.json"
        self.options.update(state_file=str(self.agent.state_file), release_grace=3600)
        self.agent.configure({"agent": self.options, **self.types})

    def fill(self):
        with open(self.folder / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 512)
            except OSError:
                pass

    def free(self):
        (self.folder / "filler").unlink()

    def test_a_device_that_waits(self):
        self.start()
        self.wake()
        self.fill()
        server = self.allocate(A)
        self.wake()
        self.assert_problem("nothing is done, since the state file could not be written")
        self.assert_problem(f"no space is left in {self.folder}, where the state file is")
        self.assertEqual(self.states()[server], ["pending"])
        self.assertEqual(self.host.mdevs(), {})
        self.free()
        wait_for(lambda: self.wake() or self.states()[server] == ["ready"], "its device")
        self.assert_well()

    def test_from_its_start(self):
        """The first cycle is not called under way for ever."""
        self.start()
        self.assertEqual(self.agent.stop(), 0)
        self.fill()
        self.start()
        self.wake()
        self.assert_problem(f"no space is left in {self.folder}")
        self.assertNotIn("under way", self.agent.run("status", status=1))
        self.free()
        self.assert_well()

    def test_a_step_that_only_notes_something(self):
        self.start()
        server = self.allocate(A)
        wait_for(lambda: self.wake() or self.states()[server] == ["ready"], "its device")
        self.fill()
        self.placement.deallocate(server)
        # A departure is seen once its provider is asked, which the providers are in turn.
        wait_for(lambda: self.wake() or "could not be written" in self.status()[2], "the departure to be seen")
        for _ in range(3):
            self.wake()
            self.assert_problem("the state file could not be written")
        self.assertNotIn("over: nothing is done", self.agent.daemon.output())
        self.free()
        self.wake()
        self.agent.daemon.wait_for_output("over: nothing is done")
        self.assertEqual(self.states()[server], ["releasing"])
        self.assert_well()


class Plan(Guide):
    def test_a_problem_without_a_step(self):
        self.start()
        self.agent.settle()
        self.assertEqual(self.agent.run("plan"), "nothing to do\n")
        self.host.control(f"lose {B}")
        self.wake()
        text = self.agent.run("plan", status=1)
        self.assertRegex(text, f"^no step would help; not well:\n  {B}: lost: fell off")
        self.assertIn(B, self.agent.json("plan", status=1)["problems"][0])
        self.host.control(f"restore {B}")
        self.wake()
        self.assertEqual(self.agent.run("plan"), "nothing to do\n")

    def test_an_allocation_that_cannot_be_met(self):
        self.configure("nvidia-45")
        self.start()
        self.wake()
        first, second = self.allocate(A), new_uuid()
        wait_for(lambda: self.wake() or self.host.mdevs(), "the device")
        self.placement.set_inventories(self.child(A), {
            "VGPU": {"total": 1, "allocation_ratio": 2.0}})
        self.placement.allocate(second, {self.child(A): {"VGPU": 1}})
        wait_for(lambda: self.wake() or self.states().get(second) == ["failed"], "its fate")
        self.assertIn(f"consumer {second}", self.agent.run("plan", status=1))
        self.assertEqual(self.states()[first], ["ready"])
        self.assert_problem("no instance of the type 'nvidia-45' is left")
        self.assertEqual(self.metric("allocations", state="failed"), 1)

    def test_devices_that_cannot_be_put_back(self):
        self.start()
        self.allocate(A)
        wait_for(lambda: self.wake() or self.host.mdevs(), "the device")
        self.assertEqual(self.agent.stop(), 0)
        self.host.reboot()
        self.host.control(f"unplug {A}")
        done = self.agent.try_to("restore")
        self.assertEqual((done.returncode, done.stdout), (1, "no device could be put back\n"))
        self.assertIn("cannot be put back: the GPU is not there", done.stderr)


class BesideNova(Guide):
    def test_types_that_nova_compute_has_as_well(self):
        """They are one error, wherever the agent's own files stand."""
        nova = self.directory / "nova.conf"
        nova.write_text("[DEFAULT]\ncompute_driver = libvirt.LibvirtDriver\n"
                        "[devices]\nenabled_mdev_types = nvidia-35\n")
        self.options["create_root"] = "false"
        self.configure("nvidia-35")
        options = ("--config-file", str(nova))
        done = self.agent.try_to(*options, "check-config")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{nova}:4: devices.enabled_mdev_types: nova-compute reads this, too",
                      done.stdout)
        self.assertEqual(self.agent.try_to(*options, "run").returncode, 78)
        nova.write_text("[DEFAULT]\ncompute_driver = libvirt.LibvirtDriver\n")
        self.assertTrue(self.agent.run(*options, "check-config").endswith("\nok; 1 warning\n"))  # of libvirt's socket
        self.options["create_root"] = "true"
        self.configure("nvidia-35")
        self.assertIn("agent.create_root: true, but these are files of a host with "
                      "nova-compute", self.agent.run(*options, "check-config", status=1))


class NovaMode(ViewsTest):
    """nova-compute is played by the test: it makes the children."""

    def test_functions_of_a_card(self):
        description = load_description("mixed")
        card = next(c for c in description["cards"] if "numvfs" in c)
        card["numvfs"] = 4
        description["cards"] = [card]
        address = card["path"].rsplit("/", 1)[1]
        self.build(description, {}, create_root="false", mode="nova", listen="0",
                   sync_interval=3600)
        functions = sorted(p.name for p in (self.host.root / "class/mdev_bus").iterdir())
        self.agent.configure({"agent": self.options,
                              "devices": {"enabled_mdev_types": ["nvidia-564"]},
                              "mdev_nvidia-564": {"device_addresses": functions}})
        root = new_uuid()
        self.placement.create_provider(self.root_name, root)
        self.start()
        self.wake()
        self.assert_problem("nova-compute has not made it yet", self.name_of(functions[0]))
        for function in functions:
            child = new_uuid()
            self.placement.create_provider(self.name_of(function), child, root)
            self.placement.set_inventories(child, {"VGPU": {"total": 1}})
        self.wake()
        status = self.status()[1]
        totals = {r["gpu"]: (r["total"], r["service"]) for r in status["gpus"]}
        self.assertEqual(totals, {function: (1, "taken") for function in functions})
        self.assert_problem("nova-compute reports more virtual functions of it than it takes "
                            "devices of 'nvidia-564'", address)
        # TOTAL of the card is what Placement has, also where that is too much.
        (row,) = self.agent.json("gpus")
        self.assertEqual((row["gpu"], row["total"], row["service"]), (address, 4, "taken"))
        self.assertEqual(child_name(functions[0]), self.name_of(functions[0])[-16:])
