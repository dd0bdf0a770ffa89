"""What goes wrong on hosts and networks: one GPU's trouble is its own, nothing wedges, and
all is well again when the trouble ends."""
import json
import os
import re
import signal
import time

from support import wait_for
from support.fleet import GUIDE_TYPES, FleetTest, new_uuid
from support.host import load_description
from support.pages import metrics
from support.relay import CUT, LOSE
from support.watched import children_called

A, B, C = "0000:84:00.0", "0000:85:00.0", "0000:86:00.0"


class Kernel(FleetTest):
    def setUp(self):
        super().setUp()
        self.build_guide()
        self.agent.run("sync")

    def test_a_create_that_fails(self):
        for name in ("EIO", "ENOMEM", "EBUSY", "ETIMEDOUT", "ENOSPC"):
            self.host.control(f"fail create {name} on {A}")
            sick, well = self.allocate(A), self.allocate(B)
            self.assertNotEqual(self.agent.try_to("sync").returncode, 0)
            self.assertEqual(set(self.host.mdevs()), self.devices_of(B, well))
            self.agent.run("sync")
            self.assertEqual(self.states()[sick], ["ready"])
            for server in (sick, well):
                self.placement.deallocate(server)
            self.agent.run("sync")
            self.agent.run("sync")
            self.assertEqual(self.host.mdevs(), {}, name)

    def test_someone_else_took_the_room(self):
        foreign = [new_uuid() for _ in range(16)]
        for device in foreign:
            self.assertEqual(self.host.create(A, "nvidia-35", device), "OK")
        self.agent.define_domain(new_uuid(), foreign, running=True)
        server = self.allocate(A)
        other = self.allocate(C)
        self.assertNotEqual(self.agent.try_to("sync").returncode, 0)
        row = next(r for r in self.agent.json("allocations") if r["consumer"] == server)
        self.assertEqual(row["state"], "failed")
        self.assertTrue(row["reason"])
        self.assertEqual(self.states()[other], ["ready"])
        self.assertLess(set(foreign), set(self.host.mdevs()))
        self.assertEqual(len(self.host.mdevs()), 17)

    def test_a_gpu_off_the_bus(self):
        server = self.allocate(A)
        self.agent.run("sync")
        self.host.control(f"lose {A}")
        self.agent.try_to("sync")
        total, reserved = self.vgpus(A)
        self.assertEqual(reserved, total)
        rows = {r["gpu"]: r["health"] for r in self.agent.json("gpus")}
        self.assertEqual((rows[A], rows[B]), ("lost", "ok"))
        self.assertEqual(self.vgpus(B)[1], 0)
        self.host.control(f"restore {A}")
        self.agent.run("sync")
        self.assertEqual(self.vgpus(A), (16, 0))
        self.assertEqual(self.states()[server], ["ready"])

    def test_a_gpu_unplugged_and_back(self):
        server = self.allocate(A, 2)
        self.agent.run("sync")
        devices = self.host.mdevs()
        self.host.control(f"unplug {A}")
        self.agent.try_to("sync")
        total, reserved = self.vgpus(A)
        self.assertEqual(reserved, total)
        self.host.control("rescan")
        self.agent.run("sync")
        self.assertEqual(self.host.mdevs(), devices)
        self.assertEqual(self.vgpus(A), (16, 0))
        self.assertEqual(self.states()[server], ["ready"])

    def test_a_file_that_cannot_be_read(self):
        self.host.control(f"unreadable */{A}/*/nvidia-35/available_instances")
        self.agent.try_to("sync")
        inventories = self.placement.inventories(self.child(A))
        free = inventories["VGPU"]["total"] - inventories["VGPU"]["reserved"] \
            if inventories else 0
        self.assertEqual(free, 0)
        self.assertEqual(self.vgpus(B)[0], 16)
        self.host.control("show")
        self.agent.run("sync")
        self.assertEqual(self.totals()["pci_0000_84_00_0"], 16)


class Slow(FleetTest):
    relayed = True

    def setUp(self):
        super().setUp()
        self.build_guide()
        self.agent.start()
        self.agent.settle()

    def test_a_remove_that_blocks(self):
        server = self.allocate(A)
        wait_for(lambda: len(self.host.mdevs()) == 1, "the device")
        device = next(iter(self.host.mdevs()))
        self.host.control(f"hold {device}")
        self.placement.deallocate(server)
        wait_for(lambda: any(s["result"] == "pending" for s in self.host.stores()),
                 "the remove to block")
        # The agent goes on: other GPUs, and other devices of the same one.
        others = [self.allocate(A), self.allocate(B)]
        wait_for(lambda: len(self.host.mdevs()) == 2, "the others' devices")
        self.host.control(f"unhold {device}")
        wait_for(lambda: self.host.available(A, "nvidia-35") == 15, "the end of the remove")
        self.agent.settle()
        for other in others:
            self.assertEqual(self.states()[other], ["ready"])
        removes = [s for s in self.host.stores() if s["path"].endswith("remove")]
        self.assertEqual([s["result"] for s in removes], ["OK"])

    def test_a_create_that_takes_long(self):
        self.host.control(f"block create on {A}")
        slow = self.allocate(A)
        wait_for(lambda: any(s["result"] == "pending" for s in self.host.stores()),
                 "the create to block")
        quick = self.allocate(B)
        wait_for(lambda: self.states().get(quick) == ["ready"], "the other GPU")
        begin = len(self.relay.requests)
        wait_for(lambda: len(self.relay.requests) > begin + 3, "some cycles")
        self.host.control("unblock")
        wait_for(lambda: self.states().get(slow) == ["ready"], "the slow device")
        # It was asked for once, and never removed half made.
        self.assertEqual([s["path"].rsplit("/", 1)[1] for s in self.host.stores()],
                         ["create", "create"])

    def test_an_agent_that_did_not_see_the_end_of_a_create(self):
        """Killed while its child waits for the kernel. The consumer goes, another comes:
        the kernel would take a remove before the create returned badly."""
        self.host.control(f"block create on {A}")
        gone = self.allocate(A)
        wait_for(lambda: any(s["result"] == "pending" for s in self.host.stores()),
                 "the create to block")
        for _ in range(2):
            self.agent.daemon.kill()
            self.placement.deallocate(gone)
            self.agent.start()
            other = self.allocate(A)
            begin = len(self.relay.requests)
            wait_for(lambda: len(self.relay.requests) > begin + 5, "some cycles")
            self.assertEqual([s["result"] for s in self.host.stores()][0], "pending")
            self.assertFalse([s for s in self.host.stores() if "remove" in s["path"]])
            gone, other = other, gone
        self.host.control("unblock")
        wait_for(lambda: self.states() == {gone: ["ready"]}, "the other's device")
        # The one of the consumer that has gone goes after its grace period.
        wait_for(lambda: len(self.host.mdevs()) == 1, "the end of the first device")
        removes = [s for s in self.host.stores() if s["path"].endswith("remove")]
        self.assertLessEqual(len(removes), 1)
        self.assertEqual({s["result"] for s in self.host.stores()}, {"OK"})


class Away(FleetTest):
    """A card that goes while guests have devices of it, and comes back."""

    def go_away(self, host, types, card, other, goes, comes, health):
        self.build(host, types, listen="0")
        self.agent.start()
        self.agent.settle()
        server, beside = self.allocate(card, 2), self.allocate(other)
        wait_for(lambda: self.states() == {server: ["ready"], beside: ["ready"]}, "all")
        before, total = self.host.mdevs(), self.vgpus(card)[0]
        self.host.control(goes)
        wait_for(lambda: self.vgpus(card) == (total, total), "it to be held back")
        status = self.agent.json("status", status=1)
        rows = {row["gpu"]: row for row in status["gpus"]}
        self.assertEqual(rows[card]["health"], health)
        self.assertEqual((rows[card]["reserved"], rows[card]["used"]), (total, 2))
        self.assertTrue([p for p in status["problems"] if card in p], status)
        self.assertEqual(rows[other]["health"], "ok")
        wait_for(lambda: self.alerts(card, health), "the alert")
        # Who else comes is served; nobody is taken anything.
        third = self.allocate(other)
        wait_for(lambda: self.states().get(third) == ["ready"], "another's device")
        beside_us = {d for d, (parent, _) in before.items() if parent == other}
        self.assertLess(beside_us, set(self.host.mdevs()))
        self.assertEqual([s for s in self.host.stores() if "remove" in s["path"]], [])
        for command in comes:
            self.host.control(command)
        wait_for(lambda: self.vgpus(card) == (total, 0), "it to be back")
        wait_for(lambda: self.states().get(server) == ["ready"], "its devices")
        self.assertEqual({d: t for d, (_, t) in before.items()},
                         {d: t for d, (_, t) in self.host.mdevs().items() if d in before})
        wait_for(lambda: self.agent.try_to("status").returncode == 0, "all is well")
        wait_for(lambda: self.alerts(card, "ok"), "the end of the alert")

    def alerts(self, card, health):
        """What a monitor sees."""
        text = metrics(self.agent.address())
        return re.search(rf'gpu_health{{gpu="{card}",[^}}]*health="{health}"}} 1\n', text) \
            and (health == "ok") == ("vgpu_agent_problems 0\n" in text)

    def test_off_the_bus(self):
        self.go_away("nova-guide", GUIDE_TYPES, A, B, f"lose {A}", [f"restore {A}"],
                     "lost")

    def test_removed_and_rescanned(self):
        self.go_away("nova-guide", GUIDE_TYPES, A, B, f"unplug {A}", ["rescan"], "gone")

    def test_unbound_and_bound(self):
        self.go_away("nova-guide", GUIDE_TYPES, A, B, f"unbind {A}", [f"bind {A}"],
                     "unusable")

    def test_virtual_functions_made_anew(self):
        card = "0000:41:00.0"
        description = load_description("sriov")
        description["cards"] = [c for c in description["cards"]
                                if c["path"].endswith(card)] + \
            load_description("nova-guide")["cards"][:1]
        description["models"] |= load_description("nova-guide")["models"]
        types = {"devices": {"enabled_mdev_types": ["nvidia-558", "nvidia-35"]},
                 "mdev_nvidia-558": {"device_addresses": [card]},
                 "mdev_nvidia-35": {"device_addresses": [A]}}
        self.go_away(description, types, card, A, f"numvfs {card} 0",
                     [f"numvfs {card} 32"], "unusable")


class Hung(FleetTest):
    """A driver in which the reading of a file does not come back."""

    def setUp(self):
        super().setUp()
        self.build_guide()
        self.agent.start()
        self.agent.settle()

    def hang(self, file):
        self.host.control(f"hang */{A}/{file}")
        wait_for(lambda: self.vgpus(A) == (16, 16), "the GPU to be held back")

    def serve(self, address):
        server = self.allocate(address)
        wait_for(lambda: self.states().get(server) == ["ready"], "the device")
        return server

    def readers(self):
        """Children of the daemon that read, stuck or not."""
        return children_called(self.agent.daemon.pid, "vgpu-reader")

    def test_one_gpu_does_not_answer(self):
        here, gone = self.serve(A), self.serve(A)
        other = self.serve(B)
        before = self.host.mdevs()
        self.hang("*/available_instances")
        self.assertEqual((self.vgpus(B), self.vgpus(C)), ((16, 0), (16, 0)))
        # The others have their devices made and removed, cycle for cycle.
        self.placement.deallocate(other)
        self.placement.deallocate(gone)
        self.serve(B), self.serve(C)
        wait_for(lambda: len(self.host.mdevs()) == 4, "the release on the other GPU")
        # Its own are left alone, whatever becomes of their allocations.
        self.assertLess({d for d in before if before[d][0] == A}, set(self.host.mdevs()))
        self.assertEqual(self.states()[here], ["ready"])
        status = self.agent.json("status", status=1)
        self.assertEqual({r["gpu"]: r["health"] for r in status["gpus"]},
                         {A: "unreadable", B: "ok", C: "ok"})
        self.assertIn(f"{A}: unreadable: its driver hangs: available_instances does not "
                      "answer: the driver's lines in `dmesg` say more", status["problems"])
        self.assertEqual(len(self.readers()), 2)
        # The driver lets go.
        self.host.control("show")
        wait_for(lambda: self.vgpus(A) == (16, 0), "the GPU to be back")
        wait_for(lambda: len(self.host.mdevs()) == 3, "the release")
        wait_for(lambda: self.agent.try_to("status").returncode == 0, "all is well")
        wait_for(lambda: len(self.readers()) == 1, "one reader")

    def test_what_is_known_of_devices_is_not_forgotten(self):
        """Their type's name outlives a driver upgrade; it cannot be read now."""
        server = self.serve(A)
        (noted,) = json.loads(self.agent.state_file.read_text())["devices"]
        self.hang("mdev_supported_types/*/name")
        # A cycle that writes into the journal.
        self.placement.deallocate(server)
        wait_for(lambda: self.states() == {server: ["releasing"]}, "the release")
        (device,) = json.loads(self.agent.state_file.read_text())["devices"]
        self.assertEqual({**device, "released_at": 0}, {**noted, "released_at": 0})
        self.assertEqual(len(self.host.mdevs()), 1)
        self.host.control("show")
        wait_for(lambda: not self.host.mdevs(), "the removal")

    def test_a_stop_and_a_start_meanwhile(self):
        self.serve(A)
        before = self.host.mdevs()
        self.hang("config")
        self.assertEqual(self.agent.daemon.stop(), 0)
        self.agent.start()
        server = self.serve(B)
        self.assertEqual(self.vgpus(A), (16, 16))
        self.host.control("show")
        wait_for(lambda: self.vgpus(A) == (16, 0), "the GPU to be back")
        self.assertEqual(set(self.host.mdevs()), set(before) | self.devices_of(B, server))


class Eight(FleetTest):
    """A card in trouble beside seven that are well."""

    def setUp(self):
        super().setUp()
        self.build("kvm-v100", {"devices": {"enabled_mdev_types": ["nvidia-194"]}})
        self.agent.run("sync")
        self.gpus = [row["gpu"] for row in self.agent.json("gpus")]
        self.assertEqual(len(self.gpus), 8)

    def serve_seven(self):
        """How long a daemon takes to give a device to each of eight GPUs' consumers,
        the first GPU's left out; it stops and all is released in the end."""
        daemon = self.agent.start()
        daemon.wait_for_output(" starts")
        self.agent.settle()
        servers = [self.allocate(gpu, 2) for gpu in self.gpus]
        wanted = set().union(*(self.devices_of(gpu, server, 2)
                               for gpu, server in zip(self.gpus[1:], servers[1:])))
        begin = time.monotonic()
        os.kill(daemon.pid, signal.SIGUSR1)
        wait_for(lambda: wanted <= set(self.host.mdevs()), "seven GPUs' devices")
        took = time.monotonic() - begin
        for server in servers:
            mine = self.placement.get(f"/allocations/{server}")
            self.placement.allocate(server, {}, mine["consumer_generation"])
        self.host.control("clear")
        wait_for(lambda: not self.host.mdevs(), "the release of all")
        self.assertEqual(daemon.stop(), 0)
        return took

    def test_a_create_that_hangs_costs_the_others_nothing(self):
        """Not even the least of what it would cost to wait for it once. A busy machine has some more
        tries: what waits is slow in each of them."""
        well, sick = [], []
        while len(sick) < 2 or (len(sick) < 6 and min(sick) >= min(well) + 0.5):
            well.append(self.serve_seven())
            self.host.control(f"block create every on {self.gpus[0]}")
            sick.append(self.serve_seven())
        print(f"well {well}, sick {sick}")
        self.assertLess(min(sick), min(well) + 0.5)


class Network(FleetTest):
    relayed = True

    def setUp(self):
        super().setUp()
        self.build_guide()

    def converge(self):
        """One sync that may fail, then one that must not."""
        self.agent.try_to("sync")
        self.relay.rule = lambda request: None
        self.agent.run("sync")
        self.assertEqual(self.totals(), {"pci_0000_84_00_0": 16, "pci_0000_85_00_0": 16,
                                         "pci_0000_86_00_0": 16})
        self.assertTrue(self.agent.is_idle())
        self.assertEqual(len(self.tree()), 4)

    def break_one(self, number, verdict):
        """The request of that number gets the verdict, the others pass."""
        seen = []

        def rule(request):
            seen.append(request)
            return verdict if len(seen) == number else None
        self.relay.rule = rule
        return seen

    def test_each_write_of_the_first_sync_lost(self):
        """The server did it, the answer never came: the next sync finds its own work."""
        for number in range(1, 40):
            self.root_name = self.placement.name(f"lost{number}.example")
            self.agent.configure({"agent": {
                **self.options, "root_provider_name": self.root_name,
                "state_file": self.directory / f"state{number}.json"}, **self.types})
            seen = self.break_one(number, LOSE)
            self.converge()
            if len(seen) < number:
                break
        else:
            self.fail("the first sync has more requests than were tried")

    def test_each_request_of_the_first_sync_refused(self):
        verdicts = [CUT, (503, [("Content-Type", "text/plain")], b"busy\n"),
                    (500, [("Content-Type", "application/json")], b'{"errors": [{}]}'),
                    (200, [("Content-Type", "application/json")], b'{"resource_prov')]
        for number, verdict in ((n, verdicts[n % len(verdicts)]) for n in range(1, 20)):
            self.root_name = self.placement.name(f"refused{number}.example")
            self.agent.configure({"agent": {
                **self.options, "root_provider_name": self.root_name,
                "state_file": self.directory / f"state{number}.json"}, **self.types})
            self.break_one(number, verdict)
            self.converge()

    def test_placement_away_leaves_devices_alone(self):
        self.agent.start()
        self.agent.settle()
        server = self.allocate(A)
        wait_for(lambda: len(self.host.mdevs()) == 1, "the device")
        devices, stores = self.host.mdevs(), len(self.host.stores())
        self.relay.rule = lambda request: CUT
        begin = len(self.relay.requests)
        wait_for(lambda: len(self.relay.requests) > begin + 2, "some attempts")
        self.assertEqual((self.host.mdevs(), len(self.host.stores())), (devices, stores))
        self.relay.rule = lambda request: None
        self.placement.deallocate(server)
        wait_for(lambda: not self.host.mdevs(), "the release after its return")
