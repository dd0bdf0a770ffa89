"""`make sandbox`: what doc/first-day.rst has typed there, a terminal's Ctrl-C, and its end."""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

from support.nothing_left import LeavesNothing
from support.process import PATIENCE, TOP, die_with_parent
from support.terminal import or_skip

SANDBOX = [sys.executable, str(TOP / "tests/sandbox")]
MARK = "== "
WAIT = "until vgpu-agent status >/dev/null; do :; done\n"


class Sandbox(LeavesNothing):
    def setUp(self):
        super().setUp()
        self.environment["HOME"] = str(self.folder)

    def run_lines(self, lines):
        """Exit status, and for each line its own and what it has printed."""
        # What a reload brings is done by the next cycle.
        script = "".join(f"echo '{MARK}'; {line}\necho '{MARK}'$?\n" + WAIT * line.endswith("reload") for line in lines)
        done = subprocess.run(SANDBOX, input=script, capture_output=True, text=True, timeout=110, env=self.environment,
                              preexec_fn=die_with_parent, check=False)
        said = re.findall(rf"(?ms)^{MARK}\n(.*?)^{MARK}(\d+)$", done.stdout)
        return done, [(line, int(status), text) for line, (text, status) in zip(lines, said)]

    def test_the_first_day(self):
        """Each line of the document does what is said of it."""
        lines = re.findall(r"(?m)^    sandbox\$ (.+)$", (TOP / "doc/first-day.rst").read_text())
        self.assertEqual(lines.pop(), "exit")
        done, results = self.run_lines(lines)
        self.assertEqual((done.returncode, done.stderr, len(results)), (0, "", len(lines)), done.stdout)
        wrong = {line: status for line, status, _ in results if status not in (0, 1, 2)}
        self.assertEqual(wrong, {})
        statuses = [status for line, status, _ in results if line == "vgpu-agent status"]
        self.assertEqual(statuses, [0, 1, 0])
        said = {line: text for line, _, text in results}
        self.assertRegex(said["vgpu-agent types 84:00.0"], r"(?m)^nvidia-35 +GRID M10-0B +16 +16")
        self.assertIn("<hostdev", said["vgpu-agent xml $server"])
        self.assertRegex(said["vgpu-agent status"], r"(?m)^87:00.0 +nvidia-36 .* active +ok +16 ")
        self.assertIn("ok", said["vgpu-agent check-config"])
        self.assertRegex(said["vgpu-agent plan"], r"(?m)^create provider +87:00.0 ")
        self.check_nothing_is_left()

    def test_what_is_called_wrongly(self):
        done, results = self.run_lines(["boot a b", "boot 99:00.0", "delete x", "control nothing"])
        self.assertEqual([(status, text) for _, status, text in results], [(1, "")] * 4)
        self.assertEqual(done.stderr.splitlines(), [
            "usage: boot [GPU]", "boot: no GPU with VGPU inventory is called 99:00.0; `vgpu-agent gpus` lists them",
            "delete: x has no allocation", "control: nothing: EINVAL; mdevsim(1) lists the commands"])
        self.check_nothing_is_left()

    # In a terminal.

    def begin(self):
        pid, terminal = or_skip(pty.fork)
        if pid == 0:
            os.execve(sys.executable, SANDBOX, self.environment)
        self.addCleanup(os.close, terminal)
        self.addCleanup(self.end_of, pid)
        self.pid, self.terminal, self.seen = pid, terminal, ""
        self.wait_for("sandbox$ ")

    def end_of(self, pid):
        if self.pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def wait_for(self, pattern):
        """Reads on until that is seen; a terminal has no end before the shell's."""
        end = time.monotonic() + PATIENCE
        while not re.search(re.escape(pattern), self.seen):
            if time.monotonic() > end:
                raise AssertionError(f"waited for {pattern!r}: {self.seen}")
            if not select.select([self.terminal], [], [], 1)[0]:
                continue
            try:
                self.seen += os.read(self.terminal, 4096).decode(errors="replace")
            except OSError:
                raise AssertionError(f"it ended before {pattern!r}: {self.seen}") from None
        self.seen = self.seen.split(pattern, 1)[1]

    def type(self, text):
        os.write(self.terminal, text.encode())

    def wait_for_end(self):
        try:
            while os.read(self.terminal, 4096):
                pass
        except OSError:
            pass  # the terminal's other end is closed
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.pid = None
        return status

    def test_ctrl_c_is_for_the_shell(self):
        self.begin()
        self.type("bash -c 'echo u\"\"p; exec sleep 600'\n")
        self.wait_for("up\r")
        self.type("\x03")
        self.wait_for("sandbox$ ")
        self.type("vgpu-agent stat\t")
        self.wait_for("status ")
        self.type("\n")
        self.wait_for("all is well")
        self.type("exit\n")
        self.assertEqual(self.wait_for_end(), 0)
        self.check_nothing_is_left()

    def test_the_terminal_is_closed(self):
        self.begin()
        os.kill(self.pid, signal.SIGHUP)
        self.type("exit\n")
        self.assertEqual(self.wait_for_end(), 128 + signal.SIGHUP)
        self.check_nothing_is_left()
