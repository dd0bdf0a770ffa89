"""Cards that are cut into GPU instances (MIG): types are counted by the instances that exist,
and a program of the operator's cuts the card before it gets its functions and types."""
import shutil

from support import wait_for
from support.fleet import FleetTest, child_name
from support.host import load_description

CARD, TYPE = "0000:41:00.0", "A100-1-5C"


class Mig(FleetTest):
    def setUp(self):
        super().setUp()
        self.cutter, self.manager = self.directory / "cut", self.directory / "sriov-manage"
        self.build("mig", {"devices": {"enabled_mdev_types": f"NVIDIA {TYPE}"}},
                   before_cut=self.cutter, sriov_manage=self.manager)
        driver = self.agent.host_root / "proc/driver/nvidia"
        self.instances = driver / "capabilities/gpu0/mig"
        (driver / f"gpus/{CARD}").mkdir(parents=True)
        (driver / f"gpus/{CARD}/information").write_text("Model: \t\t A100\nDevice Minor: \t 0\n")
        self.write(self.manager, f"printf 'numvfs {CARD} 16' >{self.host.root}/.mdevsim/control")
        self.write(self.cutter, "mkdir -p " + " ".join(str(self.instances / f"gi{n}") for n in (1, 2, 3)))

    def write(self, program, script):
        program.write_text(f"#!/bin/sh\necho \"{program.name} $*\" >>{self.directory}/calls\n{script}\n")
        program.chmod(0o755)

    def calls(self):
        file = self.directory / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def by_hand(self, count):
        shutil.rmtree(self.instances, ignore_errors=True)
        for number in range(count):
            (self.instances / f"gi{number + 1}").mkdir(parents=True)


class Report(Mig):
    def test_counted_by_the_instances(self):
        self.host.control(f"numvfs {CARD} 16")
        for count in (3, 2):
            self.by_hand(count)
            self.agent.run("sync")
            self.assertEqual(self.totals(), {child_name(CARD): count})
        server = self.allocate(CARD, 2)
        self.agent.run("sync")
        self.assertEqual(self.states(), {server: ["ready"]})
        self.assertEqual(len(self.host.vgpus()), 2)
        self.assertEqual(self.calls(), [])

    def test_where_the_instances_cannot_be_seen(self):
        """One more than there are, and nothing is cut."""
        self.host.control(f"numvfs {CARD} 16")
        shutil.rmtree(self.agent.host_root / "proc/driver")
        self.agent.run("sync")
        self.assertEqual((self.totals(), self.calls()), ({child_name(CARD): 1}, []))


class NoType(Mig):
    def build(self, host, types, **options):
        description = load_description(host)
        description["models"]["A100"]["types"] = []
        super().build(description, types, **options)

    def test_a_shape_that_no_type_is_for(self):
        self.host.control(f"numvfs {CARD} 16")
        self.by_hand(2)
        self.assertIn("none is for the shape of its 2 GPU instances", str(self.agent.json("gpus")))
        self.assertEqual(self.host.stores(), [])


class Cutting(Mig):
    def two_come_back(self):
        """A reboot takes partitions, functions and types; restore makes all again."""
        self.allocate(CARD, 2)
        self.agent.run("sync")
        before = self.host.vgpus()
        self.assertEqual(len(before), 2)
        self.host.reboot()
        shutil.rmtree(self.instances)
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        self.assertEqual(self.host.vgpus(), before)

    def test_at_boot_partitions_then_functions_then_types(self):
        self.assertEqual(self.agent.try_to("restore").returncode, 0)
        order = [f"cut {CARD} NVIDIA {TYPE}", f"sriov-manage -e {CARD}"]
        self.assertEqual(self.calls(), order)
        self.agent.run("sync")
        self.assertEqual(self.totals(), {child_name(CARD): 3})
        self.two_come_back()
        self.assertEqual(self.calls(), order * 2)

    def test_a_type_that_the_files_call_by_its_number(self):
        """What it is for stands in its name, which only a card with functions tells, or one that had them."""
        self.agent.configure({"agent": self.options, "devices": {"enabled_mdev_types": "699"}})
        cut, manage = f"cut {CARD} NVIDIA {TYPE}", f"sriov-manage -e {CARD}"
        self.agent.start()
        wait_for(lambda: self.placement.provider(self.root_name) and
                 self.totals() == {child_name(CARD): 3}, "the types")
        self.assertEqual((self.agent.stop(), self.calls()), (0, [manage, cut]))
        self.two_come_back()
        self.assertEqual(self.calls(), [manage, cut, cut, manage])

    def test_by_the_daemon(self):
        """Once, and it goes on meanwhile."""
        self.agent.start()
        wait_for(lambda: self.placement.provider(self.root_name) and
                 self.totals() == {child_name(CARD): 3}, "the types")
        self.assertEqual(len(self.calls()), 2)
        self.assertEqual(self.agent.stop(), 0)

    def test_it_did_nothing(self):
        self.write(self.cutter, "echo In use by another client; exit 0")
        done = self.agent.try_to("restore")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{CARD}: it could not be cut: {self.cutter} {CARD} NVIDIA {TYPE} has ended, and the "
                      "card has no GPU instance: In use by another client", done.stderr)
        # Without instances the functions would be for other types.
        self.assertEqual(self.calls(), [f"cut {CARD} NVIDIA {TYPE}"])

    def test_a_card_of_another_model_is_not_cut(self):
        """The files were written for the card that stood there before."""
        types = {"devices": {"enabled_mdev_types": f"NVIDIA {TYPE}"}, f"mdev_NVIDIA {TYPE}": {"device_addresses": CARD}}
        for model, calls in (("10de:26b9", 0), ("10DE:20B5", 2)):
            types[f"mdev_NVIDIA {TYPE}"]["device_id"] = model
            self.agent.configure({"agent": self.options, **types})
            self.agent.try_to("restore")
            self.assertEqual(len(self.calls()), calls, model)

    def test_a_card_with_devices_is_not_cut(self):
        self.host.control(f"numvfs {CARD} 16")
        function = "0000:41:00.4"
        self.assertEqual(self.host.set_type(function, "699"), "OK")
        self.agent.try_to("sync")
        self.assertEqual(self.calls(), [])
