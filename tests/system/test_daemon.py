"""vgpu-agent run: how it starts, waits, reloads, survives and ends."""
import os
import signal
import socket
import subprocess
import threading
import time
import uuid

from support.case import SystemTest
from support.process import Process, wait_for
from support.relay import Relay

ROOT = "virtlab606.example"
HOUR = 3600
GPU_84, GPU_85 = "0000:84:00.0", "0000:85:00.0"


def child(gpu):
    return f"{ROOT}_pci_{gpu.replace(':', '_').replace('.', '_')}"


class DaemonTest(SystemTest):
    """The host of Nova's guide, its root in Placement, and an agent."""

    def setUp(self):
        super().setUp()
        self.host = self.start_host("nova-guide")
        self.placement = self.start_placement()
        self.root = str(uuid.uuid4())
        if not self.placement.is_own:
            self.skipTest("it stops and starts its own Placement")
        self.placement.create_provider(ROOT, self.root)
        self.agent = self.make_agent(self.host, self.placement, self.configuration())

    def configuration(self, **agent):
        options = {"root_provider_name": ROOT, "sync_interval": 1, "release_grace": 0}
        options.update(agent)
        return {"agent": options, "devices": {"enabled_mdev_types": ["nvidia-35"]}}

    def start(self, **environment):
        """The daemon, once it has done its first cycle."""
        self.agent.daemon = Process(self.agent.arguments("run"),
                                    self.agent.directory / "daemon.log",
                                    env={**os.environ, **environment})
        self.wait_for_log("starts")
        return self.agent.daemon

    def log(self):
        return self.agent.daemon.output()

    def wait_for_log(self, text, times=1):
        wait_for(lambda: self.log().count(text) >= times,
                 f"{times} x {text!r} in the log")

    def wait_for_child(self, gpu):
        """The uuid of the GPU's provider, once it has inventory."""
        def look():
            provider = self.placement.provider(child(gpu))
            return provider and self.placement.inventories(provider["uuid"]) and provider
        return wait_for(look, f"inventory of {gpu}")["uuid"]

    def wait_for_devices(self, count):
        return wait_for(lambda: len(self.host.mdevs()) == count, f"{count} devices")

    def allocate(self, gpu, count=1):
        consumer = str(uuid.uuid4())
        self.placement.allocate(consumer, {self.wait_for_child(gpu): {"VGPU": count}})
        return consumer


    def release(self, consumer):
        """As Nova does it; a DELETE would be noticed later."""
        self.placement.allocate(consumer, {}, 1)


class Notifications:
    """systemd's end of sd_notify(3)."""

    def __init__(self, directory):
        self.path = str(directory / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(20)

    def wait_for(self, text):
        """All that came until then."""
        seen = []
        while not seen or text not in seen[-1]:
            seen.append(self.socket.recv(4096).decode())
        return seen

    def discard(self):
        """What came until now."""
        self.socket.setblocking(False)
        try:
            while self.socket.recv(4096):
                pass
        except BlockingIOError:
            pass
        self.socket.settimeout(20)


class RefusingPeer:
    """Takes connections on a port and closes them; counts."""

    def __init__(self, port):
        self.count = 0
        self.socket = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.count += 1
            connection.close()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


class TestService(DaemonTest):
    def test_a_signal_is_enough_for_a_new_allocation(self):
        """Whichever part of Placement the cycle would have looked at next."""
        self.agent.configure(self.configuration(sync_interval=HOUR))
        self.start()
        for count in range(1, 7):
            self.allocate(GPU_84 if count % 2 else GPU_85)
            os.kill(self.agent.daemon.pid, signal.SIGUSR1)
            self.wait_for_devices(count)

    def test_a_signal_is_enough_for_an_allocation_that_has_gone(self):
        """Its removal raises no generation."""
        self.agent.configure(self.configuration(sync_interval=HOUR))
        self.start()
        consumers = [self.allocate(GPU_84), self.allocate(GPU_85)]
        os.kill(self.agent.daemon.pid, signal.SIGUSR1)
        self.wait_for_devices(2)
        for consumer in consumers:
            self.placement.deallocate(consumer)
            os.kill(self.agent.daemon.pid, signal.SIGUSR1)
            wait_for(lambda gone=consumer: any("mark released" in line and gone in line for line in
                                               self.agent.daemon.output().splitlines()), f"{consumer} to be released")

    def test_tells_systemd_how_it_stands(self):
        systemd = Notifications(self.directory)
        self.addCleanup(systemd.socket.close)
        self.start(NOTIFY_SOCKET=systemd.path, WATCHDOG_USEC="200000")
        before = systemd.wait_for("READY=1")
        self.assertTrue(any("STATUS=" in state for state in before))
        # Ready means: the first cycle is done.
        self.assertTrue(self.placement.provider(child(GPU_84)))
        for _ in range(3):
            systemd.wait_for("WATCHDOG=1")
        self.agent.daemon.popen.send_signal(signal.SIGHUP)
        systemd.wait_for("RELOADING=1")
        systemd.wait_for("READY=1")
        self.agent.daemon.popen.terminate()
        systemd.wait_for("STOPPING=1")
        self.assertEqual(self.agent.daemon.popen.wait(5), 0)

    def test_the_watchdog(self):
        """Waiting for a reply, or for a host that does not answer, is no death."""
        relay = self.start_relay(self.placement)
        self.agent = self.make_agent(self.host, relay, self.configuration())
        systemd = Notifications(self.directory)
        self.addCleanup(systemd.socket.close)
        self.start(NOTIFY_SOCKET=systemd.path, WATCHDOG_USEC="200000")
        systemd.wait_for("READY=1")
        hanging = []

        def hang(request):
            hanging.append(request)
            wait_for(lambda: not hanging, "the end of it", 60)

        relay.rule = hang
        self.addCleanup(hanging.clear)
        wait_for(lambda: hanging, "a request")
        systemd.discard()
        for _ in range(2):
            systemd.wait_for("WATCHDOG=1")
        self.assertTrue(hanging)
        self.host.process.popen.send_signal(signal.SIGSTOP)
        self.addCleanup(self.host.process.popen.send_signal, signal.SIGCONT)
        relay.rule = lambda request: None
        hanging.clear()
        self.wait_for_log("does not answer")
        systemd.discard()
        for _ in range(2):
            systemd.wait_for("WATCHDOG=1")
        self.assertEqual(self.agent.stop(), 0)

    def test_a_systemd_that_does_not_read(self):
        """A few datagrams fill its socket; the daemon goes on without it."""
        systemd = Notifications(self.directory)
        self.addCleanup(systemd.socket.close)
        self.start(NOTIFY_SOCKET=systemd.path, WATCHDOG_USEC="20000")
        systemd.wait_for("READY=1")
        filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(filler.close)
        filler.setblocking(False)
        with self.assertRaises(BlockingIOError):
            while True:
                filler.sendto(b"STATUS=full", systemd.path)
        self.allocate(GPU_84)
        self.wait_for_devices(1)
        systemd.discard()
        self.assertEqual(self.agent.stop(), 0)

    def test_lines_for_the_journal(self):
        """Each with its priority, the last words of a daemon that cannot start, too."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        stream = os.fstat(writer)
        environment = {**os.environ, "JOURNAL_STREAM": f"{stream.st_dev}:{stream.st_ino}"}
        self.start()
        subprocess.run(self.agent.arguments("run"), stderr=writer, env=environment,
                       check=False, timeout=20)
        self.assertEqual(self.agent.stop(), 0)
        (self.agent.directory / "state.json").write_text("{")
        daemon = subprocess.Popen(self.agent.arguments("run"), stderr=writer, env=environment)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.kill)
        os.close(writer)
        seen = b""
        while b" starts\n" not in seen:
            seen += os.read(reader, 4096)
        lines = seen.decode().splitlines()
        self.assertRegex(lines[0], r"^<3>vgpu-agent: the daemon is at work \(pid ")
        self.assertRegex(lines[1], "^<3>agent: .*state.json")
        self.assertEqual(lines[-1][:10], "<6>agent: ")

    def test_one_writer(self):
        daemon = self.start()
        self.wait_for_child(GPU_84)
        for command in ("sync", "run"):
            refused = self.agent.try_to(command)
            self.assertEqual(refused.returncode, os.EX_TEMPFAIL, refused.stderr)
            self.assertIn(f"pid {daemon.pid} ", refused.stderr)
        # Those who only look are let in.
        self.assertTrue(self.agent.is_idle())
        self.assertEqual(self.agent.json("allocations"), [])

    def test_kill_and_restart_change_nothing(self):
        self.start()
        self.allocate(GPU_84, 2)
        self.wait_for_devices(2)
        wait_for(self.agent.is_idle, "nothing to do")
        tree, stores = self.placement.tree(self.root), self.host.stores()
        self.agent.daemon.kill()
        self.agent.daemon = None
        self.assertEqual(self.agent.run("sync"), "nothing to do\n")
        self.assertEqual(self.placement.tree(self.root), tree)
        self.assertEqual(self.host.stores(), stores)

    def test_it_has_no_thread_of_its_own(self):
        """It forks children that do not execute a program (doc/processes.rst)."""
        self.start()
        self.allocate(GPU_84)
        self.wait_for_devices(1)
        threads = os.listdir(f"/proc/{self.agent.daemon.popen.pid}/task")
        self.assertEqual(len(threads), 1)

    def test_ends_at_once_while_the_kernel_blocks(self):
        self.start()
        consumer = self.allocate(GPU_84)
        self.wait_for_devices(1)
        (device,) = self.host.mdevs()
        self.host.control(f"hold {device}")
        self.addCleanup(self.host.control, "clear")
        self.release(consumer)
        wait_for(lambda: self.host.stores()[-1]["result"] == "pending",
                 "the blocked remove")
        begin = time.monotonic()
        self.assertEqual(self.agent.stop(), 0)
        self.assertLess(time.monotonic() - begin, 5)
        # The next one finds the door open, and does its work.
        self.start()
        self.allocate(GPU_84)
        self.wait_for_devices(1)
        self.host.control(f"unhold {device}")

    def test_one_slow_gpu_does_not_hold_up_others(self):
        self.start()
        self.wait_for_child(GPU_84), self.wait_for_child(GPU_85)
        self.host.control(f"block create on {GPU_84}")
        self.addCleanup(self.host.control, "clear")
        self.allocate(GPU_84)
        wait_for(lambda: self.host.stores() and
                 self.host.stores()[-1]["result"] == "pending", "the blocked create")
        self.allocate(GPU_85)
        self.wait_for_devices(1)
        self.assertEqual([parent for parent, _ in self.host.mdevs().values()], [GPU_85])
        self.host.control("unblock")
        self.wait_for_devices(2)
        # It was made once, and the agent knows that it was.
        creates = [s for s in self.host.stores() if s["path"].endswith("/create")]
        self.assertEqual(len(creates), 2)
        wait_for(lambda: {a["state"] for a in self.agent.json("allocations")} == {"ready"},
                 "both ready")


class TestReload(DaemonTest):
    def reload(self):
        before = self.log().count("reload:")
        self.agent.daemon.popen.send_signal(signal.SIGHUP)
        wait_for(lambda: self.log().count("reload:") > before, "the reload")

    def test_takes_a_new_configuration(self):
        configuration = self.configuration(sync_interval=HOUR)
        configuration["mdev_nvidia-35"] = {"device_addresses": [GPU_84]}
        self.agent.configure(configuration)
        self.start()
        self.wait_for_child(GPU_84)
        self.assertIsNone(self.placement.provider(child(GPU_85)))
        configuration["mdev_nvidia-35"] = {"device_addresses": [GPU_84, GPU_85]}
        self.agent.configure(configuration)
        self.reload()
        self.wait_for_child(GPU_85)

    def test_keeps_the_old_one_when_the_new_one_is_wrong(self):
        self.agent.configure(self.configuration(sync_interval=HOUR))
        self.start()
        self.wait_for_child(GPU_84)
        configuration = self.configuration(sync_interval="often")
        configuration["mdev_nvidia-35"] = {"max_instances": 0}
        self.agent.configure(configuration)
        self.reload()
        # Every problem is said, and the cycle that follows goes by the old one.
        self.assertIn("sync_interval", self.log())
        self.assertIn("max_instances", self.log())
        self.assertIn("the old configuration stays", self.log())
        self.allocate(GPU_84)
        self.reload()
        self.wait_for_devices(1)

    def test_refuses_what_needs_a_restart(self):
        self.start()
        self.agent.configure(self.configuration(state_file=self.directory / "other"))
        self.reload()
        self.assertIn("needs a restart", self.log())


class TestPlacementDown(DaemonTest):
    def restart_placement(self, port):
        process = self.placement.process
        self.placement.process = Process(
            [*process.popen.args[:1], "--listen", f"127.0.0.1:{port}",
             *process.popen.args[3:]], process.log)

    def test_waits_and_recovers(self):
        self.start()
        self.allocate(GPU_84)
        self.wait_for_devices(1)
        port = int(self.placement.url.rsplit(":", 1)[1])
        self.assertEqual(self.placement.process.stop(), 0)
        peer = RefusingPeer(port)
        wait_for(lambda: peer.count >= 2, "two attempts")
        peer.close()
        self.assertEqual(self.log().count("devices stay as they are"), 1)
        self.assertEqual(len(self.host.mdevs()), 1)
        self.restart_placement(port)
        self.wait_for_log("all can be seen again")
        self.allocate(GPU_85)
        self.wait_for_devices(2)

    def test_a_server_that_asks_to_wait(self):
        """Retry-After: the daemon's own first pause would be a second at most."""
        relay = Relay(self.placement)
        self.addCleanup(relay.stop)
        relay.rule = lambda request: (503, [("Retry-After", "3")], b"")
        configuration = self.configuration()
        configuration["placement"] = {"auth_type": "none", "endpoint": relay.url}
        self.agent.configure(configuration)
        self.start()
        wait_for(lambda: len(relay.requests) >= 2, "two attempts")
        first, second = (request.when for request in relay.requests[:2])
        self.assertGreaterEqual(second - first, 2.9)

    def test_puts_devices_back_without_placement(self):
        """A reboot while Placement is away: guests' devices come back with their names."""
        self.start()
        self.allocate(GPU_84, 2)
        self.wait_for_devices(2)
        before = self.host.mdevs()
        self.assertEqual(self.agent.stop(), 0)
        self.assertEqual(self.placement.process.stop(), 0)
        for device in before:
            self.assertEqual(self.host.remove(device), "OK")
        self.start()
        self.wait_for_devices(2)
        self.assertEqual(self.host.mdevs(), before)

    def test_ends_at_once_during_a_request(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        configuration = self.configuration()
        configuration["placement"] = {
            "auth_type": "none",
            "endpoint": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        self.agent.configure(configuration)
        self.start()
        connection, _ = silent.accept()
        begin = time.monotonic()
        self.assertEqual(self.agent.stop(), 0)
        self.assertLess(time.monotonic() - begin, 5)
        connection.close()
