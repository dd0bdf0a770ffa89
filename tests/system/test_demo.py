"""`make demo`, as a newcomer sees it: in a pipe, broken off, and what is copied from it."""
import os
import re
import signal
import subprocess
import sys
import textwrap

from support import wait_for
from support.nothing_left import LeavesNothing
from support.process import TOP, program, run

DEMO = [sys.executable, str(TOP / "tests/demo")]


class Demo(LeavesNothing):
    def begin(self, **more):
        """In a process group of its own, as a terminal's shell starts it."""
        demo = subprocess.Popen(DEMO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.environment, start_new_session=True, **more)
        self.addCleanup(demo.communicate)
        self.addCleanup(demo.kill)
        return demo

    def test_it_tells_the_job_and_its_file_can_be_copied(self):
        done = run(DEMO, timeout=110, env=self.environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.check_nothing_is_left()
        for command in ("check-config", "plan", "tree", "status", "allocations", "xml .*", "drain .*"):
            self.assertRegex(done.stdout, rf"(?m)^\$ vgpu-agent {command}$")
        self.assertRegex(done.stdout, r"(?m)^84:00.0 .* drained .*")
        self.assertRegex(done.stdout, r"(?m)^not well:\n  0000:85:00.0: lost: ")
        self.check_the_file(done.stdout)

    def check_the_file(self, story):
        shown = re.search(r"vgpu-agent\.conf:\n((?:    .*\n)+)", story)[1]
        file, machine = self.directory / "vgpu-agent.conf", self.directory / "machine.conf"
        file.write_text(textwrap.dedent(shown))
        machine.write_text(f"[agent]\nsysfs_root = {self.start_host('nova-guide').root}\n")
        done = run([program("vgpu-agent"), "--config-file", str(machine), "--config-file", str(file),
                    "check-config"])
        self.assertEqual((done.returncode, done.stderr), (0, ""), shown)

    def test_ctrl_c(self):
        """The signal goes to the whole group: the programs that it started get it as well."""
        for line in ("$ vgpu-agent gpus", "and the agent makes a device for each"):
            demo = self.begin()
            for said in demo.stdout:
                if said.startswith(line):
                    break
            os.killpg(demo.pid, signal.SIGINT)
            _, errors = demo.communicate(timeout=60)
            self.assertEqual((demo.returncode, errors), (128 + signal.SIGINT, ""), line)
            self.check_nothing_is_left()

    def test_a_reader_that_has_enough(self):
        """As `make demo | head` does."""
        demo = self.begin()
        demo.stdout.readline()
        demo.stdout.close()
        self.assertEqual(demo.wait(60), 128 + signal.SIGPIPE)
        self.assertEqual(demo.stderr.read(), "")
        wait_for(lambda: not list(self.folder.iterdir()), "the folder to go")
        self.check_nothing_is_left()

    def test_what_it_says_of_a_failure_comes_last(self):
        """Both streams into one pipe."""
        broken = (f"import runpy, sys; demo = runpy.run_path({DEMO[1]!r})['main']; "
                  "demo.__globals__['report_it'] = lambda agent: 1 / 0; sys.exit(demo())")
        done = subprocess.run([sys.executable, "-c", broken], env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, r"(?s)A host with four GPUs.*\$ vgpu-agent types.*\n\n"
                                      r"the demo failed: division by zero\n--- ")
        self.check_nothing_is_left()
