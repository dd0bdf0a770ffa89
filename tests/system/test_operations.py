"""What an operator does: drain, prune, reload, status, monitoring; beside the daemon and
without it."""
import json
import os
import pathlib
import re
import signal
import socket
import time

from support import wait_for
from support.fleet import FleetTest, child_name, new_uuid
from support.pages import fetch
from support.process import Process

A, B, C = "0000:84:00.0", "0000:85:00.0", "0000:86:00.0"
AN_HOUR = 3600
TEMPFAIL, CONFIG, UNAVAILABLE = os.EX_TEMPFAIL, os.EX_CONFIG, os.EX_UNAVAILABLE


class OperationsTest(FleetTest):
    interval = AN_HOUR  # what must not wait for it, does not

    def setUp(self):
        super().setUp()
        self.build_guide(sync_interval=self.interval)

    def start(self):
        """The daemon, after its first cycle."""
        seen = self.agent.daemon.output() if self.agent.daemon else ""
        self.agent.start()
        wait_for(lambda: self.agent.daemon.output().count(" starts") > seen.count(" starts"),
                 "the daemon")
        self.agent.settle()

    def configure(self, dropped=(), **options):
        """The files without some GPUs."""
        types = {**self.types}
        for section in ("mdev_nvidia-35", "mdev_nvidia-36"):
            addresses = [a for a in self.types[section]["device_addresses"]
                         if a not in dropped]
            types[section] = {"device_addresses": addresses}
            if not addresses:
                types["devices"] = {"enabled_mdev_types": ["nvidia-35"]}
                del types[section]
        self.agent.configure({"agent": {**self.options, **options}, **types})


class Drain(OperationsTest):
    def test_beside_the_daemon(self):
        self.start()
        server = self.allocate(A, 2)
        self.agent.daemon.popen.send_signal(signal.SIGUSR1)
        wait_for(lambda: len(self.host.mdevs()) == 2, "the devices")
        devices = self.host.mdevs()
        self.assertEqual(self.agent.json("drain", A), {
            "gpu": A, "drained": True, "changed": True, "done": True, "pending": None,
            "used": 2})
        self.assertEqual((self.vgpus(A), self.vgpus(B)), ((16, 14), (16, 0)))
        self.assertEqual(self.host.mdevs(), devices)
        self.assertEqual(self.states()[server], ["ready"])
        # Nobody new is let in.
        refused = self.placement.request("PUT", f"/allocations/{new_uuid()}", {
            "allocations": {self.child(A): {"resources": {"VGPU": 1}}},
            "project_id": new_uuid(), "user_id": new_uuid(), "consumer_generation": None,
            "consumer_type": "INSTANCE"})
        self.assertEqual(refused.status, 409, refused.body)
        self.assertIn("already drained", self.agent.run("drain", A))

        # A crash does not put it back to work, and neither does a lost state file.
        self.agent.daemon.kill()
        self.agent.state_file.unlink()
        self.start()
        self.assertEqual(self.vgpus(A), (16, 14))
        rows = {r["gpu"]: r["service"] for r in self.agent.json("status")["gpus"]}
        self.assertEqual(rows, {A: "drained", B: "active", C: "active"})

        self.assertEqual(self.agent.run("undrain", A), f"{A} is in service\n")
        self.assertEqual(self.vgpus(A), (16, 0))
        self.assertIn("already in service", self.agent.run("undrain", A))
        self.assertEqual(self.host.mdevs(), devices)

    def test_where_nothing_is_to_be_done_no_daemon_is_missed(self):
        self.agent.run("sync")
        self.assertEqual(self.agent.run("undrain", A), f"{A} is already in service\n")
        done = self.agent.try_to("drain", A)
        self.assertEqual((done.returncode, done.stdout), (
            1, f"{A} is to be drained: the daemon does not run; it, or `vgpu-agent sync`, will do it\n"))
        self.agent.run("sync")
        self.assertEqual(self.agent.run("drain", A), f"{A} is already drained: nobody new gets it; 0 in use\n")
        done = self.agent.try_to("undrain", A)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(f"{A} is to be put back to service: the daemon does not run", done.stdout)
        self.agent.run("sync")
        self.assertEqual(self.agent.run("undrain", A), f"{A} is already in service\n")

    def test_what_an_operator_had_reserved_comes_back(self):
        self.start()
        inventories = self.placement.inventories(self.child(A))
        inventories["VGPU"].update(reserved=3, allocation_ratio=2.0)
        self.placement.set_inventories(self.child(A), inventories)
        self.agent.run("drain", A)
        self.assertEqual(self.vgpus(A), (16, 16))
        self.agent.run("undrain", A)
        after = self.placement.inventories(self.child(A))
        self.assertEqual(after["VGPU"], inventories["VGPU"])

    def test_without_the_daemon(self):
        self.agent.run("sync")
        text = self.agent.run("drain", A, status=1)
        self.assertIn("the daemon does not run", text)
        self.assertEqual(self.vgpus(A), (16, 0))
        self.agent.run("sync")
        self.assertEqual(self.vgpus(A), (16, 16))
        self.agent.run("undrain", A, status=1)
        self.agent.run("sync")
        self.assertEqual(self.vgpus(A), (16, 0))

    def test_a_daemon_that_ends_meanwhile(self):
        self.start()
        self.agent.daemon.popen.send_signal(signal.SIGSTOP)
        drain = Process(self.agent.arguments("drain", A), self.directory / "drain.log")
        self.addCleanup(drain.kill)
        drained = self.agent.state_file.with_name(f"state.json.drained.{A}")
        wait_for(drained.exists, "the order")
        self.agent.daemon.kill()
        # Nobody waits for it any more, and the order stands.
        self.assertEqual(drain.popen.wait(10), 1)
        self.assertIn("the daemon does not run", drain.output())
        self.start()
        wait_for(lambda: self.vgpus(A) == (16, 16), "the drained GPU")

    def test_names(self):
        self.start()
        for name in ("0000:84:00.0", "pci_0000_84_00_0", "00000000:84:00.0", "84:00.0",
                     "gpupci1", f"{self.root_name}_{child_name(A)}", self.child(A), self.child(A).upper()):
            self.assertEqual(self.agent.json("drain", name)["gpu"], A)
        for name in ("0000:99:00.0", "84", "../../x", "", f"elsewhere_{child_name(A)}", new_uuid()):
            refused = self.agent.try_to("drain", name)
            self.assertEqual(refused.returncode, 1, name)
            self.assertIn(f"it has {A}, {B}, {C}", refused.stderr)
        self.assertNotEqual(self.agent.try_to("drain").returncode, 0)

    def test_all_of_them(self):
        self.start()
        self.assertEqual(self.agent.run("undrain", "all"), "no GPU is drained\n")
        server = self.allocate(B)
        self.agent.run("drain", A)
        self.assertEqual([(row["gpu"], row["changed"], row["done"]) for row in self.agent.json("drain", "all")],
                         [(A, False, True), (B, True, True), (C, True, True)])
        self.assertEqual([self.vgpus(gpu) for gpu in (A, B, C)], [(16, 16), (16, 15), (16, 16)])
        self.assertEqual(self.agent.run("drain", "all"),
                         f"{A} is already drained: nobody new gets it; 0 in use\n"
                         f"{B} is already drained: nobody new gets it; 1 in use\n"
                         f"{C} is already drained: nobody new gets it; 0 in use\n")
        self.assertEqual(self.agent.run("undrain", "all"), "".join(f"{gpu} is in service\n" for gpu in (A, B, C)))
        self.assertEqual([self.vgpus(gpu)[1] for gpu in (A, B, C)], [0, 0, 0])
        self.assertIn(server, self.states())

    def test_all_of_them_without_placement(self):
        """Which GPUs have a provider is not known: nothing is drained by guess."""
        self.agent.run("sync")
        self.agent.configure({"agent": self.options, **self.types,
                              "placement": {"auth_type": "noauth", "endpoint_override": "http://127.0.0.1:1"}})
        refused = self.agent.try_to("drain", "all")
        self.assertEqual(refused.returncode, 69, refused.stderr)
        self.assertIn("Placement could not be read", refused.stderr)
        self.assertEqual(list(self.agent.state_file.parent.glob("*.drained.*")), [])

    def test_nova_mode_has_none(self):
        self.configure(mode="nova", create_root="false")
        refused = self.agent.try_to("drain", A)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("nova-compute keeps the inventory", refused.stderr)


class DrainFarFromPlacement(OperationsTest):
    relayed, interval = True, 1

    def test_the_order_is_given_all_the_same(self):
        self.start()
        provider = self.child(A)
        self.relay.rule = lambda request: (503, [], b"away")
        answer = self.agent.json("drain", provider, status=1)
        self.assertEqual(answer["gpu"], A)
        self.assertEqual((answer["done"], answer["changed"]), (False, True))
        self.assertIn("503", answer["pending"])
        self.relay.rule = lambda request: None
        wait_for(lambda: self.vgpus(A) == (16, 16), "the drained GPU")

    def test_what_hinders_the_daemon_is_said(self):
        """It is not at work on something else: it cannot do it, and knows why."""
        self.start()
        self.relay.rule = lambda request: (403, [], b"not by you") if request.method == "PUT" else None
        process = Process(self.agent.arguments("drain", A), self.directory / "drain.log")
        self.addCleanup(process.kill)
        process.wait_for_output("could not do it yet: ")
        self.assertRegex(process.output(), rf"could not do it yet: {A}: set inventory: .*not by you")
        self.assertNotIn("something else", process.output())
        self.relay.rule = lambda request: None
        self.assertEqual(process.popen.wait(30), 0, process.output())


class Prune(OperationsTest):
    def prune(self, status=0):
        """What became of providers; PruneNames is about the names."""
        return [row for row in self.agent.json("prune", status=status) if row["provider"]]

    def retire(self, address):
        self.configure([address])
        self.agent.run("reload")
        wait_for(lambda: self.vgpus(address) == (16, 16), "the GPU to be held back")

    def test_beside_the_daemon(self):
        self.start()
        self.assertIn("nothing to prune", self.agent.run("prune"))
        self.assertEqual(self.agent.run("prune", "87:00.0"),
                         "nothing to prune: 0000:87:00.0 has no provider\n")
        refused = self.agent.try_to("prune", "86:00.0")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("is configured for the type 'nvidia-36'", refused.stderr)
        self.retire(C)
        status = self.agent.json("status", status=1)
        self.assertEqual({r["gpu"]: r["service"] for r in status["gpus"]},
                         {A: "active", B: "active", C: "retired"})
        self.assertIn("until it is pruned", " ".join(status["problems"]))
        provider = self.child(C)
        (row,) = self.prune()
        self.assertEqual((row["gpu"], row["uuid"], row["result"], row["reason"]),
                         (C, provider, "deleted", None))
        self.assertNotIn(child_name(C), self.tree())
        self.assertEqual(self.agent.json("status")["problems"], [])
        # The GPU may come back.
        self.configure()
        self.agent.run("reload")
        wait_for(lambda: child_name(C) in self.tree() and
                 self.placement.inventories(self.child(C)), "the GPU again")
        self.assertEqual((self.child(C), self.vgpus(C)), (provider, (16, 0)))

    def test_what_is_needed_is_left(self):
        self.start()
        server = self.allocate(C)
        self.agent.daemon.popen.send_signal(signal.SIGUSR1)
        wait_for(self.host.mdevs, "the device")
        self.retire(C)
        (row,) = self.prune(status=1)
        self.assertEqual((row["result"], row["reason"]), ("left", "it has allocations"))
        # Nor while its device is there, whoever has it.
        (device,) = self.host.mdevs()
        domain = self.agent.define_domain(server, [device])
        self.placement.allocate(server, {}, 1)
        (row,) = self.agent.json("prune", C, status=1)
        self.assertEqual(row["result"], "left")
        self.assertIn(device, row["reason"])
        self.assertIn(child_name(C), self.tree())
        domain.unlink()
        self.agent.daemon.popen.send_signal(signal.SIGUSR1)
        wait_for(lambda: not self.host.mdevs(), "the device to go")
        self.assertEqual(self.agent.json("prune", C)[0]["result"], "deleted")

    def test_without_the_daemon_it_does_nothing_else(self):
        self.agent.run("sync")
        self.configure([C])
        self.agent.try_to("sync")
        server = self.allocate(A)
        self.assertEqual(self.prune()[0]["result"], "deleted")
        self.assertNotIn(child_name(C), self.tree())
        self.assertEqual(self.host.mdevs(), {})
        self.assertEqual(self.states()[server], ["pending"])
        self.assertNotIn(child_name(C), self.agent.state_file.read_text())

    def test_what_somebody_put_below_it_keeps_it(self):
        self.start()
        self.retire(C)
        below = new_uuid()
        self.placement.create_provider(self.placement.name("below"), below, self.child(C))
        (row,) = self.prune(status=1)
        self.assertEqual(row["result"], "left")
        self.assertTrue(row["reason"])
        self.assertIn(child_name(C), self.tree())
        self.placement.expect(204, "DELETE", f"/resource_providers/{below}")
        self.assertEqual(self.prune()[0]["result"], "deleted")

    def test_what_somebody_has_on_it_keeps_it(self):
        """It is shown by what the agent has there, and held back; what somebody else has is his."""
        self.placement.expect((201, 204), "PUT", "/resource_classes/CUSTOM_ANOTHERS")
        self.start()
        theirs = {"CUSTOM_ANOTHERS": {"total": 7}}
        self.placement.set_inventories(self.child(C), {**self.placement.inventories(self.child(C)), **theirs})
        self.retire(C)
        (row,) = [r for r in self.agent.json("status", status=1)["gpus"] if r["gpu"] == C]
        self.assertEqual((row["class"], row["service"], row["total"], row["reserved"]), ("VGPU", "retired", 16, 16))
        (row,) = self.prune(status=1)
        self.assertEqual((row["result"], row["reason"]), ("left", "somebody else has inventory of CUSTOM_ANOTHERS there"))
        inventories = self.placement.inventories(self.child(C))
        self.assertEqual(inventories["CUSTOM_ANOTHERS"]["total"], 7)
        del inventories["CUSTOM_ANOTHERS"]
        self.placement.set_inventories(self.child(C), inventories)
        self.assertEqual(self.prune()[0]["result"], "deleted")

    def test_files_that_the_daemon_has_not_read(self):
        self.start()
        self.configure([C])
        (row,) = self.prune(status=1)
        self.assertEqual(row["result"], "left")
        self.assertIn("vgpu-agent reload", row["reason"])
        self.assertEqual(self.vgpus(C), (16, 0))

    def test_a_request_of_yesterday_is_dropped(self):
        self.agent.run("sync")
        self.configure([C])
        provider = self.child(C)
        order = self.agent.state_file.with_name(f"state.json.prune.{provider}")
        order.touch()
        self.start()
        self.assertFalse(order.exists())
        self.assertIn(child_name(C), self.tree())


class PruneNames(OperationsTest):
    """Traits and classes that the agent has made and nobody has any more go with `prune`."""

    def setUp(self):
        super().setUp()
        # Other tests may share the Placement.
        mark = new_uuid()[:8].upper()
        self.own, self.shared, self.theirs = (f"CUSTOM_{name}_{mark}" for name in ("OWN", "SHARED", "THEIRS"))
        self.own_class, self.their_class = f"CUSTOM_OWN_CLASS_{mark}", f"CUSTOM_THEIR_CLASS_{mark}"
        self.placement.expect(201, "PUT", f"/traits/{self.theirs}")
        self.placement.expect(201, "PUT", f"/resource_classes/{self.their_class}")
        self.other = self.placement.create_provider(f"other-{mark}", new_uuid())["uuid"]

    def configure_with(self, traits, resource_class="VGPU"):
        types = {**self.types, "mdev_nvidia-36": {"device_addresses": [C], "traits": traits,
                                                  "mdev_class": resource_class}}
        self.agent.configure({"agent": self.options, **types})

    def known(self):
        """Which of the names are there."""
        traits = self.placement.get("/traits")["traits"]
        classes = [each["name"] for each in self.placement.get("/resource_classes")["resource_classes"]]
        names = (self.own, self.shared, self.theirs, self.own_class, self.their_class)
        return {name for name in names if name in traits + classes}

    def results(self):
        return {row["name"]: row["result"] for row in self.agent.json("prune") if row["name"]}

    def use_and_leave(self, sync):
        for resource_class in (self.own_class, self.their_class):
            self.configure_with([self.own, self.shared, self.theirs], resource_class)
            sync()
        self.assertEqual(len(self.known()), 5)
        self.placement.set_traits(self.other, [self.shared])
        self.configure_with([])
        sync()

    def check(self):
        """Never what others made, and not what others have."""
        results = self.results()
        self.assertEqual(results.pop(self.shared), "kept")
        self.assertEqual(results, {self.own: "deleted", self.own_class: "deleted"})
        self.assertEqual(self.known(), {self.shared, self.theirs, self.their_class})
        self.placement.set_traits(self.other, [])
        self.assertEqual(self.results(), {self.shared: "deleted"})
        self.assertEqual(self.known(), {self.theirs, self.their_class})
        self.assertIn("nothing to prune", self.agent.run("prune"))
        # What is needed again is made again.
        self.configure_with([self.own])
        self.agent.try_to("reload")
        self.agent.try_to("sync")
        wait_for(lambda: self.own in self.placement.traits(self.child(C)), "the trait")

    def test_without_the_daemon(self):
        self.use_and_leave(lambda: self.agent.run("sync"))
        self.check()

    def test_beside_the_daemon(self):
        def reload():
            if not self.agent.daemon:
                self.start()
            self.agent.run("reload")
            self.agent.settle()
        self.use_and_leave(reload)
        self.check()

    def test_one_that_is_configured_stays_though_nobody_has_it(self):
        """A GPU that is full of others' devices has no inventory, but its class is needed."""
        self.use_and_leave(lambda: self.agent.run("sync"))
        self.configure_with([self.own], self.own_class)
        self.assertNotIn(self.own, self.results())
        self.assertIn(self.own_class, self.known())

    def test_without_the_state_file_nothing_is_known_to_be_ours(self):
        self.use_and_leave(lambda: self.agent.run("sync"))
        self.agent.state_file.unlink()
        self.agent.run("sync")
        self.assertEqual(self.results(), {})
        self.assertEqual(len(self.known()), 5)

    def test_one_that_somebody_else_has_made_again(self):
        self.use_and_leave(lambda: self.agent.run("sync"))
        self.placement.expect(204, "DELETE", f"/traits/{self.own}")
        self.assertEqual(self.results()[self.own], "deleted")
        self.placement.expect(201, "PUT", f"/traits/{self.own}")
        self.configure_with([self.own])
        self.agent.run("sync")
        self.configure_with([])
        self.agent.run("sync")
        self.assertNotIn(self.own, self.results())
        self.assertIn(self.own, self.known())

    def test_a_gpu_that_is_named(self):
        """Then only its provider goes."""
        self.use_and_leave(lambda: self.agent.run("sync"))
        self.assertIn("has no provider", self.agent.run("prune", "87:00.0"))
        self.assertEqual(len(self.known()), 5)


class OneWriter(OperationsTest):
    def test_who_is_at_work_is_said(self):
        self.host.control(f"block create on {A}")
        self.addCleanup(self.host.control, "clear")
        self.agent.try_to("sync")
        self.allocate(A)
        slow = Process(self.agent.arguments("sync"), self.directory / "slow.log")
        self.addCleanup(slow.kill)
        wait_for(lambda: self.host.stores() and
                 self.host.stores()[-1]["result"] == "pending", "the blocked create")
        for words in (["sync"], ["run"], ["restore"], ["restore", "--wait", "1"]):
            refused = self.agent.try_to(*words)
            self.assertEqual(refused.returncode, TEMPFAIL, refused.stderr)
            self.assertIn(f"another vgpu-agent sync is at work (pid {slow.pid} ",
                          refused.stderr)
        status = self.agent.json("status", status=1)
        self.assertEqual(status["daemon_pid"], 0)
        self.assertIn(f"vgpu-agent sync does (pid {slow.pid})",
                      self.agent.run("status", status=1))
        # It is no daemon: signals would end it.
        self.assertIn("does not run", self.agent.try_to("reload").stderr)
        self.agent.run("drain", B, status=1)
        self.assertTrue(slow.runs())
        self.host.control("unblock")
        self.assertEqual(slow.popen.wait(20), 0, slow.output())

    def test_beside_the_daemon(self):
        self.start()
        pid = self.agent.daemon.pid
        for words in (["sync"], ["run"], ["restore"]):
            refused = self.agent.try_to(*words)
            self.assertEqual(refused.returncode, TEMPFAIL, refused.stderr)
            self.assertIn(f"the daemon is at work (pid {pid} ", refused.stderr)
        for words in (["plan"], ["status"], ["tree"], ["gpus"], ["allocations"],
                      ["drain", A], ["undrain", A], ["prune"], ["reload"]):
            self.agent.run(*words)
        self.assertTrue(self.agent.daemon.runs())


class Reload(OperationsTest):
    def test_tells_the_daemon(self):
        refused = self.agent.try_to("reload")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("the daemon does not run", refused.stderr)
        self.configure([C])
        self.start()
        self.assertNotIn(child_name(C), self.tree())
        self.configure()
        pid = self.agent.daemon.pid
        self.assertEqual(self.agent.run("reload"),
                         f"the daemon (pid {pid}) has read its files and goes by them\n")
        self.assertIn("reload: done", self.agent.daemon.output())
        wait_for(lambda: child_name(C) in self.tree(), "the new GPU")
        self.assertEqual(json.loads(self.agent.run("--format", "json", "reload")),
                         {"daemon_pid": pid, "taken": True, "problem": None})

    def test_says_what_the_daemon_refuses(self):
        """Files without errors that it cannot go by."""
        self.start()
        self.configure(host_root=self.subdirectory("other"), libvirt="false")
        why = "another state_file, sysfs_root, host_root or folder of libvirt's needs a restart"
        pid = self.agent.daemon.pid
        self.assertEqual(self.agent.run("reload", status=1),
                         f"the daemon (pid {pid}) goes on with what it had: {why}\n")
        self.assertEqual(json.loads(self.agent.run("reload", "-f", "json", status=1)),
                         {"daemon_pid": pid, "taken": False, "problem": why})

    def test_what_check_config_calls_an_error_is_not_sent(self):
        """The files are well, but not on this host."""
        self.start()
        good = self.agent.file.read_text()
        self.agent.file.write_text(good.replace("nvidia-35", "nvidia-99"))
        self.agent.run("check-config", status=1)
        refused = self.agent.try_to("reload")
        self.assertEqual(refused.returncode, CONFIG)
        self.assertIn("no GPU of this host offers nvidia-99", refused.stderr)
        self.assertEqual(refused.stdout, "the daemon was not told: the files have errors; it goes on with what it "
                                         "had\n")
        self.assertEqual(json.loads(self.agent.run("reload", "-f", "json", status=CONFIG)),
                         {"daemon_pid": None, "taken": False,
                          "problem": "the files have errors; it goes on with what it had"})
        self.assertNotIn("reload:", self.agent.daemon.output())

    def test_a_daemon_that_is_started_anew_has_read_them(self):
        self.start()
        told = self.agent.daemon.pid
        os.kill(told, signal.SIGSTOP)
        process = Process(self.agent.arguments("reload"), self.directory / "reload.log")
        self.addCleanup(process.kill)
        process.wait_for_output("is still at work on something else")
        self.agent.daemon.kill()
        self.start()
        # Between the two there is none, which is said, too.
        self.assertIn(process.popen.wait(20), (0, 1), process.output())
        self.assertRegex(process.output(), rf"pid {self.agent.daemon.pid}\) has read its files|the daemon does not run")
        self.assertNotIn(f"pid {told}) has read", process.output())

    def test_waits_for_a_daemon_that_is_at_work(self):
        """It says so while it waits, as `drain` does, and answers to who asked."""
        self.start()
        os.kill(self.agent.daemon.pid, signal.SIGSTOP)
        self.addCleanup(self.agent.daemon.popen.send_signal, signal.SIGCONT)
        waiting = {words[0]: Process(self.agent.arguments(*words), self.directory / f"{words[0]}.log")
                   for words in (["reload"], ["drain", B])}
        for process in waiting.values():
            self.addCleanup(process.kill)
            process.wait_for_output("is still at work on something else; waiting for it, for 30 seconds at most")
        os.kill(self.agent.daemon.pid, signal.SIGCONT)
        for process in waiting.values():
            self.assertEqual(process.popen.wait(20), 0, process.output())
        self.assertIn("goes by them", waiting["reload"].output())

    def test_files_with_errors_are_not_even_sent(self):
        self.start()
        self.configure(sync_interval="often")
        refused = self.agent.try_to("reload")
        self.assertEqual(refused.returncode, CONFIG)
        self.assertIn("sync_interval", refused.stderr)
        # A cycle that comes meanwhile may name the command.
        self.assertNotIn("reload:", self.agent.daemon.output())

    def test_files_with_errors_lock_nobody_out(self):
        """The daemon runs on with what it read before, and can be asked and told."""
        self.start()
        consumer = self.allocate(A)
        good = self.agent.file.read_text()
        wait_for(lambda: self.agent.try_to("xml", consumer).returncode == 0, "the device")
        before = [self.agent.run(*words) for words in (["allocations"], ["xml", consumer], ["qemu-args", consumer])]
        self.configure(sync_interval="often")
        for words, said in zip((["allocations"], ["xml", consumer], ["qemu-args", consumer]), before):
            done = self.agent.try_to(*words)
            self.assertEqual((done.returncode, done.stdout), (0, said), done.stderr)
            self.assertIn("sync_interval", done.stderr.splitlines()[0])
        status = self.agent.try_to("status")
        self.assertEqual(status.returncode, 1)
        self.assertIn("the daemon goes on with the options that it read before", " ".join(status.stdout.split()))
        # Nor do those of [placement]: only Placement itself cannot be asked.
        for line in ("auth_type = no-auth", "auth_type ="):
            self.agent.file.write_text(re.sub("(?m)^auth_type = .*$", line, good))
            self.assertRegex(self.agent.try_to("status").stdout, rf"(?m)^daemon +runs \(pid {self.agent.daemon.pid}\)")
            done = self.agent.try_to("drain", B)
            self.assertIn("placement.auth_type", done.stderr.splitlines()[0])
            self.assertIn(f"{B} is ", done.stdout)
        self.configure(sync_interval="often")
        for command in ("drain", "undrain"):
            done = self.agent.try_to(command, A)
            self.assertEqual(done.returncode, 0, done.stderr)
        # What they would do cannot be told, and is not done.
        for command in ("plan", "sync", "prune", "reload"):
            self.assertEqual(self.agent.try_to(command).returncode, CONFIG, command)

    def test_files_that_were_refused_are_remembered(self):
        """Whoever sent the signal has seen nothing of it."""
        self.start()
        good = self.agent.file.read_text()
        self.configure(sync_interval="often")
        self.agent.daemon.popen.send_signal(signal.SIGHUP)
        self.agent.daemon.wait_for_output("the old configuration stays")
        self.agent.file.write_text(good)
        # A cycle that came between the file and the signal has told that they differ.
        told = "reload: the old configuration stays: the files have errors"
        wait_for(lambda: [told in problem for problem in json.loads(self.agent.try_to(
            "--format", "json", "status").stdout)["problems"]] == [True], "the problem")
        self.agent.run("reload")
        wait_for(lambda: self.agent.try_to("status").returncode == 0, "all is well")


class Status(OperationsTest):
    relayed, interval = True, 1

    def test_all_is_well(self):
        self.start()
        server = self.allocate(A)
        wait_for(lambda: self.states().get(server) == ["ready"], "its device")
        status = self.agent.json("status")
        self.assertTrue(status["well"])
        self.assertEqual(status["daemon_pid"], self.agent.daemon.pid)
        self.assertEqual((status["changes"], status["problems"]), (0, []))
        self.assertEqual(status["allocations"]["ready"], 1)
        self.assertEqual(status["gpus"][0], {
            "gpu": A, "provider": f"{self.root_name}_{child_name(A)}",
            "type": "nvidia-35", "class": "VGPU", "service": "active", "health": "ok",
            "total": 16, "used": 1, "reserved": 0, "reason": None})
        text = wait_for(lambda: "all is well" in (said := self.agent.run("status")) and said, "the end of the first cycle")
        self.assertLess(len(text.splitlines()), 24)

    def test_the_daemon_does_not_run(self):
        self.agent.run("sync")
        status = self.agent.json("status", status=1)
        self.assertEqual(status["problems"], ["the daemon does not run"])
        self.start()
        self.agent.run("status")
        self.agent.daemon.kill()
        self.agent.daemon = None
        self.assertIn("the daemon does not run", self.agent.run("status", status=1))

    def test_a_damaged_state_file(self):
        self.agent.run("sync")
        self.agent.state_file.write_text("{broken")
        problems = self.agent.json("status", status=1)["problems"]
        self.assertEqual(problems[0], "the daemon does not run")
        self.assertRegex(problems[1], r"^the state file \S+ is damaged \(not JSON at byte 1")

    def test_a_daemon_that_hangs(self):
        self.start()
        wait_for(lambda: re.search(r"(?m)^daemon +runs .* ended [0-9] s ago$", self.agent.try_to("status").stdout),
                 "the end of a cycle")
        self.agent.daemon.popen.send_signal(signal.SIGSTOP)
        self.addCleanup(self.agent.daemon.popen.send_signal, signal.SIGCONT)
        stat = pathlib.Path(f"/proc/{self.agent.daemon.pid}/stat")
        wait_for(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "the daemon to be stopped")
        report = self.agent.state_file.with_name("state.json.problems")
        long_ago = time.time() - AN_HOUR
        os.utime(report, (long_ago, long_ago))
        (problem,) = self.agent.json("status", status=1)["problems"]
        self.assertRegex(problem, "^the daemon hangs: it has ended no cycle for 6[0-9] minutes$")
        self.assertIn("ended 6", self.agent.run("status", status=1))
        two_days_ago = time.time() - 172802
        os.utime(report, (two_days_ago, two_days_ago))
        self.assertIn("its last cycle ended 2 days ago\n", self.agent.run("status", status=1))
        self.assertGreaterEqual(self.agent.json("status", status=1)["daemon_silent_seconds"], 172802)
        self.agent.daemon.popen.send_signal(signal.SIGCONT)
        wait_for(lambda: self.agent.try_to("status").returncode == 0, "all is well")

    def test_a_host_that_does_not_answer(self):
        """What can be said is said before the look that hangs."""
        self.start()
        self.host.process.popen.send_signal(signal.SIGSTOP)
        self.addCleanup(self.host.process.popen.send_signal, signal.SIGCONT)
        look = Process(self.agent.arguments("status"), self.directory / "status.log")
        self.addCleanup(look.kill)
        look.wait_for_output(f"runs (pid {self.agent.daemon.pid})")
        self.assertTrue(look.runs())
        self.host.process.popen.send_signal(signal.SIGCONT)
        self.assertEqual(look.popen.wait(20), 0, look.output())

    def test_what_only_the_daemon_knows(self):
        """A step that fails each time shows in no look at the host."""
        self.start()
        self.host.control(f"fail create EIO every on {A}")
        self.allocate(A)
        text = wait_for(lambda: self.broken("create device"), "the failure in the status")
        self.assertIn(A, text)
        self.host.control("clear")
        wait_for(lambda: self.agent.try_to("status").returncode == 0, "all is well again")

    def broken(self, text):
        done = self.agent.try_to("status")
        return done.stdout if done.returncode == 1 and text in done.stdout else None

    def test_placement_is_away(self):
        self.start()
        self.relay.rule = lambda request: (503, [], b"")
        wait_for(lambda: "devices stay" in self.agent.daemon.output(), "the daemon's word")
        text = self.agent.run("status", status=1)
        self.assertIn("Placement    cannot be read", text)
        self.assertIn("503", text)
        self.relay.rule = lambda request: None
        wait_for(lambda: self.agent.try_to("status").returncode == 0, "all is well again")

    def test_a_sick_gpu(self):
        self.start()
        self.host.control(f"lose {B}")
        text = wait_for(lambda: self.broken("lost"), "the lost GPU")
        self.assertIn(B, text)
        self.host.control(f"restore {B}")


class Monitoring(OperationsTest):
    relayed, interval = True, 1

    def setUp(self):
        super().setUp()
        self.configure(listen="0")

    def start(self):
        super().start()
        self.port = int(self.agent.address().rpartition(":")[2])

    def fetch(self, path, method="GET"):
        return fetch(f"127.0.0.1:{self.port}", path, method)

    def metrics(self):
        """{"name{labels}": number}, after a look at the form of the whole."""
        status, headers, text = self.fetch("/metrics")
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"],
                         "text/plain; version=0.0.4; charset=utf-8")
        found, families = {}, {}
        for line in text.splitlines():
            if line.startswith("# HELP "):
                family = line.split()[2]
                self.assertNotIn(family, families)
                self.assertRegex(line, r"^# HELP vgpu_agent_[a-z_]+ [A-Z0-9].*\.$")
                continue
            if line.startswith("# TYPE "):
                families[family] = kind = line.split()[3]
                self.assertEqual(line.split()[2], family)
                self.assertIn(kind, ("counter", "gauge", "summary"))
                self.assertEqual(family.endswith("_total"), kind == "counter")
                self.assertNotRegex(family, "_(ms|milliseconds|minutes|bytes_total|percent)$")
                continue
            sample = re.fullmatch(
                r'([a-z_]+)(\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? ([0-9.]+)', line)
            self.assertTrue(sample, line)
            self.assertIn(sample[1], (family, f"{family}_sum", f"{family}_count"))
            key = sample[1] + (sample[2] or "")
            self.assertNotIn(key, found)
            found[key] = float(sample[3])
        return found

    def of(self, name, address, **more):
        labels = {"gpu": address, "provider": f"{self.root_name}_{child_name(address)}",
                  **more}
        text = ",".join(f'{k}="{v}"' for k, v in labels.items())
        return f"vgpu_agent_{name}{{{text}}}"

    def test_what_is_told(self):
        self.start()
        self.allocate(A, 3)
        self.agent.run("drain", B)
        used = self.of("gpu_used", A, resource_class="VGPU")
        metrics = wait_for(lambda: (m := self.metrics()).get(used) == 3 and m, "the use")
        wait_for(lambda: self.metrics()['vgpu_agent_allocations{state="ready"}'] == 1,
                 "the device")
        self.assertEqual(metrics[self.of("gpu_capacity", A, resource_class="VGPU")], 16)
        wait_for(lambda: self.metrics()[
            self.of("gpu_reserved", B, resource_class="VGPU")] == 16, "the drained one")
        metrics = self.metrics()
        self.assertEqual(metrics[self.of("gpu_service", B, service="drained")], 1)
        self.assertEqual(metrics[self.of("gpu_service", A, service="drained")], 0)
        self.assertEqual(metrics[self.of("gpu_health", A, health="ok")], 1)
        self.assertEqual(metrics[self.of("gpu_health", A, health="lost")], 0)
        self.assertEqual(metrics[self.of("gpu_info", A, type="nvidia-35",
                                         type_name="GRID M10-0B",
                                         resource_class="VGPU")], 1)
        self.assertEqual(metrics["vgpu_agent_placement_up"], 1)
        self.assertGreater(metrics["vgpu_agent_requests_total"], 5)
        self.assertGreater(metrics["vgpu_agent_cycle_seconds_count"], 1)
        self.assertEqual(metrics["vgpu_agent_oldest_pending_seconds"], 0)
        self.assertEqual(metrics["vgpu_agent_problems"], 0)
        self.assertEqual(metrics["vgpu_agent_config_last_reload_successful"], 1)
        self.assertLess(abs(metrics["vgpu_agent_last_success_timestamp_seconds"] -
                            time.time()), 60)
        self.assertNotIn("vgpu_agent_token_expiry_timestamp_seconds", metrics)
        self.assertTrue(any(k.startswith("vgpu_agent_build_info") and 'mode="owner"' in k
                            for k in metrics))

    def test_errors_and_what_waits(self):
        self.start()
        self.host.control(f"fail create EIO every on {A}")
        self.allocate(A)
        wait_for(lambda: self.metrics()['vgpu_agent_errors_total{kind="io"}'] >= 2,
                 "two failures")
        wait_for(lambda: self.metrics()["vgpu_agent_oldest_pending_seconds"] > 0.5,
                 "the age of what waits")
        self.assertGreater(self.metrics()["vgpu_agent_problems"], 0)
        self.host.control("clear")
        wait_for(lambda: self.metrics()["vgpu_agent_oldest_pending_seconds"] == 0,
                 "the device")

    def test_health_and_readiness(self):
        self.start()
        self.assertEqual(self.fetch("/healthz")[::2], (200, "ok\n"))
        self.assertEqual(self.fetch("/readyz")[::2], (200, "ok\n"))
        self.assertEqual(self.fetch("/readyz?verbose")[0], 200)
        self.assertEqual(self.fetch("/metrics", "HEAD")[::2], (200, ""))
        self.assertEqual((self.fetch("/")[0], self.fetch("/index.html")[0]), (200, 404))
        status, headers, _ = self.fetch("/metrics", "POST")
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
        self.relay.rule = lambda request: (503, [], b"")
        status, _, text = wait_for(
            lambda: (r := self.fetch("/readyz"))[0] == 503 and r, "not ready")
        self.assertIn("503", text)
        self.assertEqual(self.fetch("/healthz")[0], 200)
        metrics = self.metrics()
        self.assertEqual(metrics["vgpu_agent_placement_up"], 0)
        self.assertGreater(metrics['vgpu_agent_errors_total{kind="unreachable"}'], 0)
        self.assertEqual(metrics["vgpu_agent_problems"], 1)
        self.relay.rule = lambda request: None
        wait_for(lambda: self.fetch("/readyz")[0] == 200, "ready again")

    def test_a_card_that_is_lost_while_placement_is_away(self):
        """What the host shows is told; what only Placement knows is neither 0 nor as it was."""
        self.start()
        labels = [self.of("gpu_capacity", A, resource_class="VGPU"), self.of("gpu_used", A, resource_class="VGPU"),
                  self.of("gpu_reserved", A, resource_class="VGPU"), self.of("gpu_service", A, service="active")]
        lost, well = (self.of("gpu_health", A, health=health) for health in ("lost", "ok"))
        self.assertLessEqual({*labels, lost, well}, set(self.metrics()))
        self.relay.rule = lambda request: (503, [], b"")
        self.host.control(f"lose {A}")
        metrics = wait_for(lambda: (m := self.metrics())[lost] == 1 and m, "the lost card")
        self.assertEqual(metrics[well], 0)
        self.assertEqual(set(labels) & set(metrics), set())
        self.assertEqual(metrics["vgpu_agent_problems"], 2)
        told = json.loads(self.fetch("/status.json")[2])
        card = next(gpu for gpu in told["gpus"] if gpu["gpu"] == A)
        self.assertEqual([card[key] for key in ("health", "service", "total", "used", "reserved")],
                         ["lost", None, None, None, None])
        problem = next(text for text in told["problems"] if text.startswith(f"{A}: "))
        self.assertRegex(problem, "fell off the bus")
        self.assertIn(problem, self.agent.json("status", status=1)["problems"])
        self.relay.rule = lambda request: None
        metrics = wait_for(lambda: (m := self.metrics()).get(labels[2]) == 16 and m, "Placement again")
        self.assertEqual((metrics[lost], metrics["vgpu_agent_problems"]), (1, 1))

    def test_a_reload_that_failed(self):
        self.start()
        self.configure(listen="0", sync_interval="often")
        self.agent.daemon.popen.send_signal(signal.SIGHUP)
        name = "vgpu_agent_config_last_reload_successful"
        wait_for(lambda: self.metrics()[name] == 0, "the failure")
        wait_for(lambda: self.metrics()["vgpu_agent_problems"] == 1, "it among the problems")
        self.configure(listen="0")
        self.agent.run("reload")
        self.agent.daemon.wait_for_output("reload: done")
        line = self.agent.daemon.output().rsplit("serves http", 1)[1]
        self.port = int(re.search(r":(\d+)/metrics", line).group(1))
        wait_for(lambda: self.metrics()[name] == 1, "the end of it")

    def test_a_gpu_that_is_gone(self):
        """It is configured still, and can be pruned: it is told of once."""
        self.start()
        self.host.control(f"unplug {A}")
        gone = self.of("gpu_health", A, health="gone")
        wait_for(lambda: self.metrics().get(gone) == 1, "the unplugged GPU")
        metrics = wait_for(lambda: (m := self.metrics())[
            self.of("gpu_reserved", A, resource_class="VGPU")] == 16 and m, "it held back")
        self.assertEqual(metrics[self.of("gpu_service", A, service="sick")], 1)
        rows = [row for row in self.agent.json("status", status=1)["gpus"] if row["gpu"] == A]
        self.assertEqual([(row["type"], row["health"], row["reserved"]) for row in rows],
                         [("nvidia-35", "gone", 16)])

    def test_answers_while_a_request_hangs(self):
        self.start()
        hanging = []

        def hang(request):
            hanging.append(request)
            wait_for(lambda: not hanging, "the end of it", 60)

        self.relay.rule = hang
        self.addCleanup(hanging.clear)
        wait_for(lambda: hanging, "a request")
        self.assertEqual(self.fetch("/healthz")[0], 200)
        self.assertEqual(self.fetch("/metrics")[0], 200)
        self.assertTrue(hanging)

    def test_silent_clients_hold_up_nobody(self):
        self.start()
        silent = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(12)]
        for connection in silent[:6]:
            connection.send(b"GET /metrics HT")
        self.assertEqual(self.fetch("/healthz")[0], 200)
        silent[0].send(b"x" * 65536)
        self.assertEqual(self.fetch("/readyz")[0], 200)
        cycles = self.metrics()["vgpu_agent_cycle_seconds_count"]
        wait_for(lambda: self.metrics()["vgpu_agent_cycle_seconds_count"] > cycles,
                 "the next cycle")
        for connection in silent:
            connection.close()

    def test_a_port_that_is_taken(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        port = taken.getsockname()[1]
        self.configure(listen=port)
        super().start()
        # Guests come first.
        self.allocate(A)
        wait_for(self.host.mdevs, "the device")
        wait_for(lambda: f"cannot listen on 127.0.0.1:{port}" in self.agent.try_to("status").stdout, "the problem")
        self.assertNotEqual(self.agent.try_to("status").returncode, 0)
        taken.close()
        self.agent.daemon.wait_for_output("serves http")
        self.port = port
        self.assertEqual(self.fetch("/readyz")[0], 200)
        wait_for(lambda: self.agent.try_to("status").returncode == 0, "all is well")

    def test_a_reload_moves_it(self):
        self.start()
        self.fetch("/healthz")
        self.configure()
        self.agent.run("reload")

        def closed():
            try:
                self.fetch("/healthz")
            except OSError:
                return True
            return False
        wait_for(closed, "nothing to be served")
