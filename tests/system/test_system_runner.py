"""tests/system/run: what it says of tests, and what is left when it is broken off."""
import pathlib
import signal
import subprocess
import sys
import tempfile
import shutil
import unittest

from support import wait_for
from support.process import TOP, run

RUN = [sys.executable, str(TOP / "tests/system/run")]


class SystemRunner(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="vgpu-test-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.begun = self.directory / "begun"

    def command(self, body, *options):
        """The runner, with a test whose lines these are, and whose cleanup takes `begun` away."""
        lines = "".join(f"        {line}\n" for line in body)
        (self.directory / "test_it.py").write_text(
            "import os, pathlib, time, unittest\n"
            f"begun = pathlib.Path({str(self.begun)!r})\n"
            "class It(unittest.TestCase):\n    def test(self):\n"
            "        self.addCleanup(begun.unlink)\n        begun.write_text('')\n" + lines)
        return [*RUN, "--folder", str(self.directory), *options]

    def test_a_failure_beside_a_skipped_part_is_a_failure(self):
        done = run(self.command(["with self.subTest(): self.skipTest('not here')", "self.fail('here')"]))
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAIL test_it.It.test", done.stdout)
        done = run(self.command(["with self.subTest(): self.skipTest('not here')"]))
        self.assertEqual(done.returncode, 0)
        self.assertIn("skip test_it.It.test: not here", done.stdout)

    def break_off(self, number, *options):
        """Sends the signal when the test is under way; gives status and output."""
        runner = subprocess.Popen(self.command(["while True: time.sleep(1)  # for ever"], *options),
                                  text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(runner.kill)
        wait_for(self.begun.exists, "the test")
        runner.send_signal(number)
        output, _ = runner.communicate(timeout=60)
        self.assertFalse(self.begun.exists())
        return runner.returncode, output

    def test_ctrl_c(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            self.assertEqual(self.break_off(number), (128 + signal.SIGINT, "interrupted\n"))

    def test_one_that_took_too_long_says_where_it_was(self):
        status, output = self.break_off(signal.SIGTERM, "--one", "test_it.It.test")
        self.assertEqual(status, 1)
        self.assertIn("while True: time.sleep(1)  # for ever", output)
