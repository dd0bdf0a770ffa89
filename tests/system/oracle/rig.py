"""The real programs of one world, and the hands on them: mdevsim, a Placement, the daemon.
Nothing here judges."""
import contextlib
import hashlib
import http.client
import os
import pathlib
import re
import shutil
import signal
import tempfile
import time
import urllib.parse
import uuid

from support.agent import Agent
from support.host import SimulatedHost
from support.placement import Placement, Response, running_placement, start_placement
from support.process import Process, run, wait_for
from support.watched import children

from .wrong import Wrong

VENDOR = ("vendor", "device", "class", "driver")
M10, A40, INTEL = "0000:84:00.0", "0000:41:00.0", "0000:00:02.0"
SECOND_M10 = "0000:85:00.0"
SHORT = {"m": M10, "a": A40, "i": INTEL, "n": SECOND_M10}  # as steps name the cards
TYPES = {M10: "nvidia-40", A40: "nvidia-564", INTEL: "i915-GVTg_V5_4",
         SECOND_M10: "nvidia-40"}
OTHER_TYPES = {M10: "nvidia-42", A40: "nvidia-566", INTEL: "i915-GVTg_V5_8",
               SECOND_M10: "nvidia-42"}
# Few, so that there is a shortage now and then.
MODELS = {
    "M10": {**dict(zip(VENDOR, ("0x10de", "0x13bd", "0x030000", "nvidia"))), "types": [
        {"id": "nvidia-40", "name": "GRID M10-2A", "instances": 4, "description":
         "num_heads=1, frl_config=60, framebuffer=2048M, max_resolution=1280x1024, "
         "max_instance=4"},
        {"id": "nvidia-42", "name": "GRID M10-4A", "instances": 2, "description":
         "num_heads=1, frl_config=60, framebuffer=4096M, max_resolution=1280x1024, "
         "max_instance=2"}]},
    "A40": {**dict(zip(VENDOR, ("0x10de", "0x2235", "0x030200", "nvidia"))),
            "sriov": {"total": 4, "offset": 4, "stride": 1, "by_hand": False}, "types": [
        {"id": "nvidia-564", "name": "NVIDIA A40-16Q", "instances": 3, "description":
         "num_heads=4, frl_config=60, framebuffer=16384M, max_resolution=7680x4320, "
         "max_instance=3"},
        {"id": "nvidia-566", "name": "NVIDIA A40-48Q", "instances": 1, "description":
         "num_heads=4, frl_config=60, framebuffer=49152M, max_resolution=7680x4320, "
         "max_instance=1"}]},
    "HD 630": {**dict(zip(VENDOR, ("0x8086", "0x5912", "0x030000", "i915"))),
               "sharing": "mixed", "types": [
        {"id": "i915-GVTg_V5_4", "instances": 3, "description": "resolution: 1920x1200\n"},
        {"id": "i915-GVTg_V5_8", "instances": 5, "description": "resolution: 1024x768\n"}]},
}
CARDS = {
    M10: {"model": "M10", "path": f"pci0000:80/0000:80:02.0/{M10}"},
    SECOND_M10: {"model": "M10", "path": f"pci0000:80/0000:80:03.0/{SECOND_M10}"},
    A40: {"model": "A40", "path": f"pci0000:40/0000:40:01.1/{A40}", "numvfs": 4},
    INTEL: {"model": "HD 630", "path": f"pci0000:00/{INTEL}"},
}
CARDS_OF_MODE = {"owner": (M10, A40, INTEL), "nova": (M10, SECOND_M10, INTEL), "attach": (M10, A40, INTEL)}
PATIENCE = 120  # seconds, after which a cycle hangs
FAST = "/dev/shm"


class KeptPlacement(Placement):
    """One connection for all requests."""
    kept = None

    def exchange(self, method, path, text, headers):
        parts = urllib.parse.urlsplit(self.url)
        for last in (False, True):
            try:
                if not self.kept:
                    self.kept = self.connect(parts.hostname, parts.port)
                self.kept.request(method, parts.path + path, text, headers)
                answer = self.kept.getresponse()
                response = Response(answer.status, answer.headers, answer.read().decode())
                if answer.will_close:
                    self.hang_up()
                return response
            except (OSError, http.client.HTTPException):
                self.hang_up()
                if last:
                    raise

    def hang_up(self):
        if self.kept:
            self.kept.close()
        self.kept = None


class Rig:
    def __init__(self, seed, mode):
        self.seed, self.mode = seed, mode
        self.directory = pathlib.Path(tempfile.mkdtemp(
            prefix="vgpu-oracle-", dir=FAST if os.path.isdir(FAST) else None))
        self.ending = contextlib.ExitStack()
        self.ending.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self.agent = self.frozen = None
        self.starts = self.turns = 0  # of the daemon; cycles that were waited for
        try:
            self.build()
        except BaseException:
            self.ending.close()
            raise

    def uuid(self, name):
        """The same for the same seed."""
        digest = hashlib.sha256(f"{self.seed} {self.mode} {name}".encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))

    def folder(self, name):
        (self.directory / name).mkdir()
        return self.directory / name

    def make_host(self):
        self.cards = CARDS_OF_MODE[self.mode]
        self.host = SimulatedHost({"models": MODELS, "cards": [CARDS[c] for c in self.cards]},
                                  self.folder("host"))
        self.card_of = {}  # of a parent's name
        for parent in (self.host.root / "class/mdev_bus").iterdir():
            physical = parent / "physfn"
            self.card_of[parent.name] = (os.path.basename(os.readlink(physical))
                                         if physical.exists() else parent.name)

    def build(self):
        self.make_host()
        self.ending.callback(self.host.stop)
        shared = running_placement()
        if not shared:
            self.placement_folder = self.folder("placement")
            shared = self.launch_placement("0")
            self.ending.callback(self.end_placement)
        self.placement = KeptPlacement(shared.url, shared.token, shared.process)
        self.root_name = f"{self.uuid('root')[:8]}.example"
        self.agent = Agent(self.folder("agent"), self.host, self.placement, {})
        self.ending.callback(self.end_daemon)

    # ---- Placement ----

    def launch_placement(self, port):
        if port == "0":
            return start_placement(self.placement_folder, "--auth", "noauth2",
                                   "--no-access-log")
        process = Process(
            [*self.placement.process.popen.args[:1], "--listen", f"127.0.0.1:{port}",
             "--database", str(self.placement_folder / "placement.sqlite"), "--auth",
             "noauth2", "--no-access-log"], self.placement_folder / f"again{self.starts}.log")
        process.wait_for_output("127.0.0.1:")
        return Placement(self.placement.url, process=process)

    def kill_placement(self):
        self.placement.process.kill()
        self.placement.hang_up()

    def revive_placement(self):
        self.starts += 1
        port = urllib.parse.urlsplit(self.placement.url).port
        self.placement.process = self.launch_placement(port).process

    def end_placement(self):
        self.placement.hang_up()
        self.placement.process.stop()

    # ---- the daemon ----

    @property
    def daemon(self):
        return self.agent.daemon

    def start_daemon(self):
        self.starts += 1
        self.agent.daemon = Process(self.agent.arguments("run"),
                                    self.agent.directory / f"daemon{self.starts:04}.log",
                                    env=self.agent.environment)
        line = self.daemon.wait_for_output("serves http")
        self.metrics = urllib.parse.urlsplit(re.search(r"http://\S+", line).group())

    def end_daemon(self):
        if self.daemon:
            self.thaw()
            daemon, self.agent.daemon = self.daemon, None
            status = daemon.stop()
            if status != 0:
                raise Wrong("end", f"the daemon ended with {status}:\n{daemon.output()[-3000:]}")

    def kill_daemon(self):
        if self.daemon:
            self.daemon.kill()
            self.agent.daemon, self.frozen = None, None

    def family(self):
        found = [self.daemon.pid]
        with contextlib.suppress(OSError):
            found += map(int, children(self.daemon.pid))
        return found

    def freeze(self):
        if self.daemon and not self.frozen:
            self.frozen = self.family()
            for pid in self.frozen:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in self.frozen or ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.frozen = None

    def cycles(self):
        """How many the daemon has ended."""
        if not self.daemon.runs():
            raise Wrong("end", f"the daemon ended with {self.daemon.popen.returncode}:\n"
                        f"{self.daemon.output()[-3000:]}")
        connection = http.client.HTTPConnection(self.metrics.hostname, self.metrics.port,
                                                timeout=PATIENCE)
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise Wrong("end", f"the daemon does not say how many cycles it has ended: {error}\n"
                        f"{self.daemon.output()[-3000:]}") from None
        finally:
            connection.close()
        return int(re.search(r"^vgpu_agent_cycle_seconds_count (\d+)", text, re.M)[1])

    def poke(self):
        if self.daemon and not self.frozen:
            self.daemon.popen.send_signal(signal.SIGUSR1)

    def cycle(self):
        """One that began after this call; without a daemon it is `sync`."""
        if self.frozen:
            return
        self.turns += 1
        if not self.daemon:
            self.agent.try_to("sync")
            return
        # The first that ends may have begun before.
        for ended in range(self.cycles(), self.cycles() + 2):
            self.poke()
            self.wait_until_ended(ended)

    def wait_until_ended(self, before):
        """More than so many cycles."""
        try:
            wait_for(lambda: self.cycles() > before, "a cycle of the daemon", PATIENCE)
        except AssertionError as error:
            raise Wrong("end", f"the daemon hangs: {error}\n"
                        f"{self.daemon.output()[-3000:]}") from None

    def log(self):
        """The end of what the daemons said."""
        text = "".join(file.read_text(errors="replace") for file in
                       sorted(self.agent.directory.glob("daemon*.log"))[-3:])
        return text[-3000:]

    def ask(self, *words):
        """A command's CompletedProcess."""
        return run(self.agent.arguments(*words), timeout=120)

    # ---- the simulated kernel ----

    def reboot_host(self):
        self.host.reboot()

    def probe(self, card, most):
        """How many more devices the card's configured type gives, really made, at most
        `most`; they are taken away again. For a daemon that is frozen."""
        made = []
        while len(made) < most:
            new = str(uuid.uuid4())
            parents = [p for p, c in self.card_of.items() if c == card
                       and self.host.parent(p).exists()]
            if not any(self.host.create(p, TYPES[card], new) == "OK" for p in parents):
                break
            made.append(new)
        for device in made:
            if self.host.remove(device) != "OK":
                raise AssertionError(f"{device}: cannot be taken away again")
        return len(made)

    def close(self):
        self.thaw()
        self.ending.close()


def now():
    return time.monotonic()
