"""tests/system/run: what it says of tests, by itself and below tests/prove, and what is left
when it is broken off."""
import pathlib
import signal
import subprocess
import sys
import tempfile
import shutil
import unittest

from support import wait_for
from support.process import TOP, run

FOR_EVER = "while True: begun.write_text(''); time.sleep(1)"  # where it stands once it has begun
RUN = [sys.executable, str(TOP / "tests/system/run")]


class SystemRunner(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="vgpu-test-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.begun = self.directory / "begun"

    def write(self, body):
        """A test whose lines these are, and whose cleanup takes `begun` away."""
        lines = "".join(f"        {line}\n" for line in body)
        file = self.directory / "test_it.py"
        file.write_text(
            "import os, pathlib, time, unittest\n"
            f"begun = pathlib.Path({str(self.begun)!r})\n"
            "class It(unittest.TestCase):\n    def test(self):\n"
            "        self.addCleanup(begun.unlink, missing_ok=True)\n" + lines)
        return file

    def command(self, body, *options):
        self.write(body)
        return [*RUN, "--folder", str(self.directory), *options]

    def test_no_two_modules_of_tests_have_one_name(self):
        """tests/upstream finds those of tests/system as well, and Python imports a name once."""
        names = [file.stem for folder in ("system", "upstream") for file in (TOP / "tests" / folder).glob("test_*.py")]
        self.assertEqual(sorted(names), sorted(set(names)))

    def test_a_failure_beside_a_skipped_part_is_a_failure(self):
        done = run(self.command(["with self.subTest(): self.skipTest('not here')", "self.fail('here')"]))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"\nnot ok 1 - test_it\.It\.test # time=[0-9]+\.[0-9]s\n# ")
        done = run(self.command(["with self.subTest(): self.skipTest('not here')"]))
        self.assertEqual(done.returncode, 0)
        self.assertIn("\nok 1 - test_it.It.test # SKIP not here\n", done.stdout)

    def test_its_output_is_tap(self):
        done = run(self.command(["print('it prints')"]))
        self.assertRegex(done.stdout, r"^TAP version 13\n1\.\.1\nok 1 - test_it\.It\.test # time=[0-9]+\.[0-9]s\n"
                                      r"# 1 passed, 0 failed, 0 skipped\n$")
        done = run(self.command(["print('it prints')"], "-v"))
        self.assertIn("\n# it prints\n", done.stdout)

    def test_files_and_parts_of_names_choose(self):
        file = self.write([])
        (self.directory / "test_other.py").write_text("raise SystemExit('not to be loaded')\n")
        for words, status in (([str(file)], 0), ([str(file), "It.te"], 0), ([str(file), "nonesuch"], 5),
                              ([str(self.directory / "test_gone.py")], 2)):
            self.assertEqual(run([*RUN, *words]).returncode, status, words)

    def test_below_prove(self):
        def prove(*body):
            return run([str(TOP / "tests/prove"), str(self.write(body))])
        done = prove()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"test_it\.py \.+ ok +[0-9]+ ms")
        self.assertRegex(done.stdout, r"\nResult: PASS\n1 passed, 0 failed, 0 skipped\n$")
        done = prove("self.skipTest('not here')")
        self.assertEqual((done.returncode, done.stderr), (0, "skip test_it.It.test: not here\n"))
        self.assertRegex(done.stdout, r"\n0 passed, 0 failed, 1 skipped\n$")
        done = prove("self.fail('here')")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"FAIL test_it\.It\.test\n# (?:.*\n)+# AssertionError: here\n")
        self.assertRegex(done.stdout, r"\nResult: FAIL\n0 passed, 1 failed, 0 skipped\n$")
        done = run([str(TOP / "tests/prove"), str(self.directory / "test_gone.py")])
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"\nResult: FAIL\n0 passed, 1 failed, 0 skipped\n$")

    def break_off(self, number, *options):
        """Sends the signal when the test is under way; gives status and output. A shell lets what it starts with & ignore
        SIGINT, and so would the runner."""
        runner = subprocess.Popen(self.command([FOR_EVER], *options), preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                                  text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(runner.kill)
        wait_for(self.begun.exists, "the test")
        runner.send_signal(number)
        output, _ = runner.communicate(timeout=60)
        self.assertFalse(self.begun.exists())
        return runner.returncode, output

    def test_ctrl_c(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            self.assertEqual(self.break_off(number), (128 + signal.SIGINT, "TAP version 13\n1..1\nBail out! interrupted\n"))

    def test_one_that_took_too_long_says_where_it_was(self):
        status, output = self.break_off(signal.SIGTERM, "--one", "test_it.It.test")
        self.assertEqual(status, 1)
        self.assertIn(FOR_EVER, output)
