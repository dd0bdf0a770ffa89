"""tests/system/run: what it says of tests, by itself and below tests/prove, and what is left
when it is broken off. And what each ladder says last of tests that failed, since a log is often
cut to its end."""
import contextlib
import io
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import shutil
import unittest

from support import wait_for
from support.process import TOP, run

sys.path.append(str(TOP / "tests/bare"))
import base  # noqa: E402

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
        self.assertTrue(done.stdout.endswith("\n# FAILED test_it.It.test: AssertionError: here\n# 0 passed, 1 failed, 0 skipped\n"), done.stdout)
        done = run(self.command(["with self.subTest(): self.skipTest('not here')"]))
        self.assertEqual(done.returncode, 0)
        self.assertIn("\nok 1 - test_it.It.test # SKIP not here\n", done.stdout)

    def test_its_output_is_tap(self):
        done = run(self.command(["print('it prints')"]))
        self.assertRegex(done.stdout, r"^TAP version 13\n1\.\.1\nok 1 - test_it\.It\.test # time=[0-9]+\.[0-9]s\n"
                                      r"# 1 passed, 0 failed, 0 skipped\n$")
        done = run(self.command(["print('it prints')"], "-v"))
        self.assertIn("\n# it prints\n", done.stdout)

    def test_what_failed_is_told_last_in_a_line_each(self):
        for body, options, reason in (
                (["self.fail('one\\ntwo')"], [], "AssertionError: one"),
                (["with self.subTest(): self.fail('first')", "self.fail('second')"], [], "AssertionError: first"),
                (["self.fail('x' * 300)"], [], "AssertionError: " + "x" * 184),
                (["print('so far', flush=True)", "os._exit(3)"], [], "it ended with status 3"),
                (["time.sleep(60)"], ["--timeout", "0.5"], "it took more than 0.5 s")):
            done = run(self.command(body, *options))
            self.assertTrue(done.stdout.endswith(f"\n# FAILED test_it.It.test: {reason}\n# 0 passed, 1 failed, 0 skipped\n"), done.stdout)

    def test_a_second_attempt(self):
        """Only where it is asked for. A test that needed one has passed, and is told, with what the first one said."""
        first, always = f"if not os.path.exists({str(self.begun)!r} + '.2'): open({str(self.begun)!r} + '.2', 'w'); self.fail('at first')", "self.fail('again')"
        once = "FAILED ONCE test_it.It.test: AssertionError: at first\n"
        done = run(self.command([first]))
        self.assertIn("\n# 0 passed, 1 failed, 0 skipped\n", done.stdout)
        twice = {**os.environ, "ATTEMPTS": "2"}
        self.begun.with_suffix(".2").unlink()
        done = run(self.command([first]), env=twice)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"\nok 1 - (?:.*\n)+# FAILED ONCE test_it\.It\.test\n(?:# .*\n)+# AssertionError: at first\n")
        self.assertTrue(done.stdout.endswith(f"\n# {once}# 1 passed, 0 failed, 0 skipped\n"), done.stdout)
        self.begun.with_suffix(".2").unlink()
        done = run([str(TOP / "tests/prove"), str(self.write([first]))], env=twice)
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout.endswith(f"\nResult: PASS\n{once}1 passed, 0 failed, 0 skipped\n"), done.stdout)
        done = run(self.command([always]), env=twice)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stdout.endswith("\n# FAILED test_it.It.test: AssertionError: again\n# 0 passed, 1 failed, 0 skipped\n"), done.stdout)

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
        self.assertRegex(done.stdout, r"\nResult: FAIL\nFAILED test_it\.It\.test: AssertionError: here\n0 passed, 1 failed, 0 skipped\n$")
        done = run([str(TOP / "tests/prove"), str(self.directory / "test_gone.py")])
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"\nResult: FAIL\nFAILED \S+/test_gone\.py: exit status 2, .*\n0 passed, 1 failed, 0 skipped\n$")

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


class LastLines(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="vgpu-test-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def test_of_unit_programs(self):
        """As cmocka prints them, in their folder; one that ends badly is told, too."""
        folder = self.directory / "tests/unit/agent"
        folder.mkdir(parents=True)
        for name, lines, status in (("test_x", "1..3\nok 1 - first\nnot ok 2 - second\n# 0x1 != 0x2\n# x.c:6: error: Failure!\nok 3 - third\n# not ok - x", 1),
                                    ("test_y", "1..2\nok 1 - first", 139), ("test_z", "1..1\nok 1 - first", 0)):
            (folder / name).write_text(f"#!/bin/sh\ncat <<'END'\n{lines}\nEND\nexit {status}\n")
            (folder / name).chmod(0o755)
        done = run([str(TOP / "tests/prove"), *(str(file) for file in sorted(folder.iterdir()))])
        self.assertEqual(done.stdout.split("Result: FAIL\n")[1].splitlines(), [
            "FAILED agent/test_x.second: 0x1 != 0x2, x.c:6: error: Failure!",
            f"FAILED {folder}/test_y: exit status 139, Bad plan.  You planned 2 tests but ran 1.",
            "4 passed, 2 failed, 0 skipped"])

    def test_of_a_bare_system(self):
        """The log is long, tests that failed are many, and more steps follow."""
        def failing(names):
            text = "\n".join(["CC x.o", *("noise" * 20 for _ in range(500)), *names, "0 passed, 0 failed, 0 skipped", "make: *** Error 1"])
            return lambda: base.expect(False, "status 2", text)
        for steps in (1, 3):
            bare, said = base.Steps(1), io.StringIO()
            with contextlib.redirect_stdout(said):
                for number in range(steps):
                    bare.step(f"step {number}", failing([f"FAILED test_{n}: why" for n in range(40)]))
                bare.step("the last", failing([]))
                bare.step("goes on", lambda: None)
                self.assertEqual(bare.verdict(), 1)
            lines = said.getvalue().splitlines()
            last = lines[lines.index("FAILED step 0: status 2"):]
            self.assertLess(len(lines), 60 * (steps + 1))
            self.assertLessEqual(len(last), 30)
            self.assertIn("    FAILED test_0: why", last)
            self.assertEqual(last[-1], f"1 passed, {steps + 1} failed, 0 skipped")
            self.assertEqual(last[-4:-1], ["    noise" + "noise" * 19, "    0 passed, 0 failed, 0 skipped", "    make: *** Error 1"])

    def test_of_ci(self):
        """Whatever make says behind them."""
        if not (TOP / ".ci/run").exists():
            self.skipTest("an archive of the source has no .ci")
        make = self.directory / "make"
        make.write_text("#!/bin/sh\necho 'FAILED test_x.X.test_y: why' >&2\nseq 100\nexit 2\n")
        make.chmod(0o755)
        done = run([str(TOP / ".ci/run")], env={**os.environ, "PATH": f"{self.directory}:{os.environ['PATH']}"})
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"\n100\n==== failed: make \S+ check\nFAILED test_x\.X\.test_y: why\n$")
