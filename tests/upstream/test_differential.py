"""Random requests to placementd and to OpenStack's Placement: the same answers.

Eleven thousand random requests in all, and as many fixed ones. Upstream keeps its tables in SQLite, which answers
faster; one part is on MariaDB, where clouds have them.
"""
import os
import pathlib
import re
import shutil
import subprocess

from differ.scenario import PARTS
from openstack import Database, Placement
from support.case import SystemTest
from support.placement import own_placement

DIFFERENTIAL = pathlib.Path(__file__).resolve().parent / "differential"
COUNT = 1100


class File:
    """In place of a Database: SQLite."""

    def __init__(self, directory):
        self.directory = directory

    def create(self, name):
        return f"sqlite:///{self.directory}/{name}.sqlite"


class DifferentialTest(SystemTest):
    def compare(self, seed, database=None, more=()):
        if not shutil.which("uwsgi_python3"):
            self.skipTest("not installed: uwsgi-plugin-python3")
        # One process, for each keeps a cache of traits that others make stale.
        upstream = Placement(self.directory, database or File(self.directory),
                             processes=1)
        self.addCleanup(upstream.stop)
        # Debian 12 has Zed's Placement.
        ours = own_placement(self.subdirectory("placement"), env={
            **os.environ, "OS_PLACEMENTD__POLICY_RELEASE": "zed",
            "OS_PLACEMENTD__BEHAVIOUR_RELEASE": "zed"})
        self.addCleanup(self.end, ours)
        done = subprocess.run([DIFFERENTIAL, "--server", ours.url, "--upstream",
                               upstream.url, "--seed", str(seed), "--count", str(COUNT),
                               *more],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-20000:] + done.stderr)
        # No statement of any request may fail: it would take others' with it.
        self.assertNotIn("was not written", ours.process.output())
        passed = re.search(r"\n([0-9]+) passed, 0 failed\n$", done.stdout).group(1)
        self.assertGreaterEqual(int(passed), COUNT)

    def test_on_mariadb(self):
        database = Database(self.directory)
        self.addCleanup(database.stop)
        self.compare(100, database)


def add_tests():
    for seed in range(1, 10):
        def test(self, seed=seed):
            self.compare(seed)
        setattr(DifferentialTest, f"test_seed_{seed}", test)
    for part in range(1, len(PARTS) + 2):
        def test_part(self, part=part):
            self.compare(part, more=["--only", "scenarios"])
        setattr(DifferentialTest, f"test_scenarios_{part}", test_part)


add_tests()
