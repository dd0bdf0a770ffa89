"""A daemon that sees to it that guests get their devices: on a host with one card that is
configured, with a cycle when a test asks for one, and a clock that a test puts forward."""
import os
import signal
import uuid

from .case import SystemTest
from .files import replace
from .process import wait_for

NAME = "attach.example"
GPU = "0000:84:00.0"
MINUTE = 61  # seconds; the daemon's patience is 60


class AttachCase(SystemTest):
    mode = "owner"
    options = {}
    sections = {"devices": {"enabled_mdev_types": ["nvidia-35"]},
                "mdev_nvidia-35": {"device_addresses": [GPU]}}

    def make_root(self):
        self.root = str(uuid.uuid4())
        self.name = f"{self.root[:8]}.{NAME}"
        self.placement.create_provider(self.name, self.root)

    def make_attaching_agent(self, placement, **options):
        file = self.directory / "compute_id"
        file.write_text(self.root + "\n")
        self.agent_options = {"compute_id_file": file, "sync_interval": 3600, "release_grace": 0,
                              "mode": self.mode, **options}
        self.agent = self.make_agent(self.host, placement, self.configuration())
        self.steps = self.directory / "steps"
        self.step_clock(0)

    def configuration(self):
        return {"agent": {**self.agent_options, **self.options}, **self.sections}

    def step_clock(self, seconds):
        replace(self.steps, f"0 {seconds}\n")

    def written(self):
        """When the last cycle ended."""
        try:
            return os.stat(f"{self.agent.state_file}.problems").st_mtime_ns
        except FileNotFoundError:
            return None

    def cycle(self):
        """A cycle at once; waits for its end."""
        before = self.written()
        os.kill(self.agent.daemon.pid, signal.SIGUSR1)
        wait_for(lambda: self.written() != before, "the end of a cycle")

    def row(self, consumer):
        return [row for row in self.agent.json("allocations") if row["consumer"] == consumer][0]

    def wait_for_guest(self, consumer, state):
        wait_for(lambda: self.row(consumer)["guest"] == state, f"{consumer}: {state}")
        return self.row(consumer)

    # ---- nova-compute, in nova mode ----

    def nova_makes_child(self):
        child = str(uuid.uuid4())
        self.placement.create_provider(f"{self.name}_pci_0000_84_00_0", child, self.root)
        self.placement.set_inventories(child, {"VGPU": {"total": 16, "max_unit": 16}})

    def make_device(self):
        device = str(uuid.uuid4())
        self.host.create(GPU, "nvidia-35", device)
        return device
