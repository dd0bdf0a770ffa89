"""What a command shows is of one moment, also beside a daemon that works: it reads the state file and the host one after the
other, and a device without its entry would be somebody else's."""
import json
import subprocess

from support import wait_for
from support.fleet import FleetTest
from support.process import die_with_parent
from support.watched import children_called

A = "0000:84:00.0"


class OneMoment(FleetTest):
    def replace(self, text):
        """As the daemon does it."""
        new = self.agent.state_file.with_suffix(".new")
        new.write_bytes(text)
        new.rename(self.agent.state_file)

    def test_the_daemon_makes_a_device_between_the_two_looks(self):
        self.build_guide()
        self.agent.run("sync")
        without = self.agent.state_file.read_bytes()
        server = self.allocate(A)
        self.agent.run("sync")
        (device,) = self.host.mdevs()
        entry = self.agent.state_file.read_bytes()
        self.placement.deallocate(server)
        self.replace(without)
        self.host.control(f"hang */{A}/*/available_instances")
        command = subprocess.Popen(self.agent.arguments("--format", "json", "plan"), stdout=subprocess.PIPE, text=True,
                                   preexec_fn=die_with_parent)
        self.addCleanup(command.kill)
        # In a child, once it has read the state file.
        wait_for(lambda: children_called(command.pid, "vgpu-reader"), "its look at the host")
        self.replace(entry)
        self.host.control("clear")
        steps = [step for step in json.loads(command.communicate(timeout=30)[0])["steps"] if device in json.dumps(step)]
        self.assertEqual([step["step"] for step in steps], ["mark_released"])
