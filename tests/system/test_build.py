"""The Makefile: what it says where packages are missing, who installs them, and that nothing
is compiled twice. No compiler runs."""
import collections
import os
import pathlib
import re
import shutil
import tempfile
import unittest

from support.process import TOP, outside_make, run


class Build(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="vgpu-test-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.calls = self.directory / "calls"
        bin_folder = self.directory / "bin"
        bin_folder.mkdir()
        for name, body in (("apt-get", f'echo "$*" >>{self.calls}; exit 100'), ("id", "echo ${FAKE_ID:-0}")):
            (bin_folder / name).write_text(f"#!/bin/sh\n{body}\n")
            (bin_folder / name).chmod(0o755)
        self.environment = {**outside_make(), "PATH": f"{bin_folder}:{os.environ['PATH']}"}

    def make(self, *words, **environment):
        return run(["make", "-C", str(TOP), "--no-print-directory", f"BUILD={self.directory}/build", *words],
                   env={**self.environment, **environment})

    def test_without_libraries_it_names_the_packages_and_installs_nothing(self):
        for goal in ("all", "install", "unit/lib"):
            done = self.make("PKG_CONFIG=/nonexistent", goal)
            self.assertEqual(done.returncode, 2, goal)
            self.assertRegex(done.stderr, r"missing packages; as root: apt-get install .* pkg-config .*\blibcurl4-openssl-dev\b")
            self.assertRegex(done.stderr, r"on Fedora: dnf install .*\blibcurl-devel\b")
            self.assertNotIn("CC ", done.stdout)
        self.assertFalse(self.calls.exists())

    def test_only_root_and_only_three_goals_install(self):
        for goal in ("deps", "demo", "check"):
            done = self.make("PKG_CONFIG=/nonexistent", goal, FAKE_ID="1000")
            self.assertEqual(done.returncode, 2, goal)
            self.assertIn("missing packages; as root: apt-get install", done.stderr)
            self.assertFalse(self.calls.exists(), goal)
            done = self.make("PKG_CONFIG=/nonexistent", goal)
            self.assertEqual(done.returncode, 2, goal)  # this apt-get cannot
            self.assertIn("installing with apt-get", done.stdout)
            self.assertEqual(self.calls.read_text(), "update -qq\n")
            self.calls.unlink()

    def test_goals_in_one_call_share_what_is_compiled(self):
        done = self.make("-n", "-j8", "V=1", "all", "unit/lib", "unit/agent/plan")
        self.assertEqual(done.returncode, 0, done.stderr)
        made = collections.Counter(re.findall(r" -o (\S+/build/\S+)", done.stdout))
        self.assertIn(f"{self.directory}/build/lib/error.o", made)
        self.assertEqual([name for name, times in made.items() if times > 1], [])

    def test_libvirt_is_left_out_by_choice_only(self):
        done = self.make("PKG_CONFIG=/nonexistent", "all")
        self.assertRegex(done.stderr, r"apt-get install .*\blibvirt-dev\b")
        self.assertRegex(done.stderr, r"dnf install .*\blibvirt-devel\b")
        done = self.make("PKG_CONFIG=/nonexistent", "LIBVIRT=no", "all")
        self.assertNotIn("libvirt", done.stderr)
        done = self.make("LIBVIRT=perhaps", "all")
        self.assertIn("LIBVIRT is `yes` or `no`, not `perhaps`", done.stderr)
        for choice, built in ((), True), (("LIBVIRT=no",), False):
            done = self.make("-n", "V=1", *choice, "all", "install", "unit/lib", "check")
            self.assertEqual(done.returncode, 0, done.stderr)
            for name in ("agent/libvirt/main.o", "build/vgpu-agent-libvirt", "tests/system/fake_libvirt.so",
                         "tests/unit/agent/libvirt/test_failure.o"):
                self.assertEqual(f" -o {self.directory}/{'' if 'build/' in name else 'build/'}{name} " in done.stdout, built, name)
            done = self.make("-s", *choice, "--eval", 'show: ; @echo "$$installed"', "show")
            self.assertEqual("/build/vgpu-agent-libvirt" in done.stdout, built)

    def test_nothing_outside_of_the_repository_is_named(self):
        self.assertNotRegex((TOP / "Makefile").read_text(), r"\.\./")
