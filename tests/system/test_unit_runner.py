"""tests/tap below prove: what cmocka says of a skipped test is a skip, and nothing
else is one. The programs here print what cmocka 1.1.5 does."""
import pathlib
import shutil
import tempfile
import unittest

from support.process import TOP, run

SKIPPED = "# skip: nothing to test with\nnot ok 2 # SKIP second"


class UnitRunner(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="vgpu-test-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def prove(self, lines, end="exit 0"):
        program = self.directory / "test_x"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{lines}\nEND\n{end}\n")
        program.chmod(0o755)
        return run(["prove", "-v", "-e", str(TOP / "tests/tap"), str(program)])

    def test_a_skipped_test_is_no_failure_and_told_with_its_reason(self):
        done = self.prove(f"1..2\nok 1 - first\n{SKIPPED}\n# ok - tests")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("ok 2 # SKIP second: nothing to test with", done.stdout)
        self.assertIn("Result: PASS", done.stdout)
        self.assertEqual(done.stderr, "skip test_x.second: nothing to test with\n")

    def test_a_later_cmocka_says_ok(self):
        done = self.prove("1..1\nok 1 # SKIP first")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(done.stderr, "skip test_x.first: no reason was given\n")

    def test_a_failure_beside_it_stays_one(self):
        for end in ("exit 1", "exit 0"):
            done = self.prove(f"1..2\nnot ok 1 - first\n# expected 1\n{SKIPPED}", end)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("Failed test:  1\n", done.stdout)

    def test_a_program_that_fails_after_a_skip(self):
        for end, told in (("exit 3", "exited 3"), ("kill -SEGV $$", "exited 139"),
                          ("exit 0", "Bad plan")):
            planned = 3 if told == "Bad plan" else 2
            done = self.prove(f"1..{planned}\nok 1 - first\n{SKIPPED}", end)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(told, done.stdout)

    def test_a_program_that_is_not_there(self):
        missing = self.directory / "test_gone"
        done = run(["prove", "-e", str(TOP / "tests/tap"), str(missing)])
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("test_gone", done.stdout + done.stderr)
