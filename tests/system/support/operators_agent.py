"""vgpu-agent with a file as an operator writes it, as demo and sandbox have it."""
from .agent import Agent

ROOT = "virtlab606.example"
CONFIGURATION = """\
[agent]
create_root = true
root_provider_name = {root}

[devices]
enabled_mdev_types = nvidia-35, nvidia-36

[mdev_nvidia-35]
device_addresses = 0000:84:00.0, 0000:85:00.0

[mdev_nvidia-36]
device_addresses = 0000:86:00.0

[placement]
auth_type = noauth
endpoint_override = {url}
"""
# What only such a host has: a simulated /sys, no libvirt that answers, and no time to wait.
IN_A_HURRY = {"agent": {"sync_interval": 1, "release_grace": 1, "attach": "none"}}


class OperatorsAgent(Agent):
    """After the operator's file comes one with what is no operator's to write."""

    def __init__(self, directory, host, placement):
        self.operators = directory / "operator.conf"
        self.operators.write_text(CONFIGURATION.format(root=ROOT, url=placement.url))
        super().__init__(directory, host, None, IN_A_HURRY)

    def arguments(self, *words):
        program, *more = super().arguments(*words)
        return [program, "--config-file", str(self.operators), *more]
