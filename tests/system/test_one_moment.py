"""What a command shows is of one moment, also beside a daemon that works: it reads the state file and the host one after the
other, and a device without its entry would be somebody else's."""
import json
import subprocess

from support import wait_for
from support.files import replace
from support.fleet import FleetTest
from support.process import die_with_parent
from support.watched import children_called

A = "0000:84:00.0"


class OneMoment(FleetTest):
    def test_the_daemon_makes_a_device_between_the_two_looks(self):
        self.build_guide()
        self.agent.run("sync")
        without = self.agent.state_file.read_text()
        server = self.allocate(A)
        self.agent.run("sync")
        (device,) = self.host.mdevs()
        entry = self.agent.state_file.read_text()
        self.placement.deallocate(server)
        replace(self.agent.state_file, without)
        self.host.control(f"hang */{A}/*/available_instances")
        command = subprocess.Popen(self.agent.arguments("--format", "json", "plan"), stdout=subprocess.PIPE, text=True,
                                   preexec_fn=die_with_parent)
        self.addCleanup(command.kill)
        # In a child, once it has read the state file.
        wait_for(lambda: children_called(command.pid, "vgpu-reader"), "its look at the host")
        replace(self.agent.state_file, entry)
        self.host.control("clear")
        steps = [step for step in json.loads(command.communicate(timeout=30)[0])["steps"] if device in json.dumps(step)]
        self.assertEqual([step["step"] for step in steps], ["mark_released"])
