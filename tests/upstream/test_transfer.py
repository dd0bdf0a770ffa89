"""placementd --export to OpenStack's Placement, and --import from it: all arrives, nothing is
lost on the way back, and what was broken off goes on.

TRANSFER_HOSTS, TRANSFER_CONSUMERS: a larger cloud (each host has eight GPUs); 1000 and 10000
take the better part of an hour.
"""
import os
import shutil
import time

from openstack import Cloud as Region
from openstack import Database, Keystone, Placement
from support.case import SystemTest
from support.placement import Placement as Client
from support.placement import own_placement
from support.process import Process
from support.transfer import Cloud, everything, transfer, transfer_arguments

HOSTS = int(os.environ.get("TRANSFER_HOSTS", 8))
CONSUMERS = int(os.environ.get("TRANSFER_CONSUMERS", 80))
GPUS = 8
PATIENCE = 7200


class Transfer(SystemTest):
    def setUp(self):
        super().setUp()
        if not shutil.which("uwsgi_python3"):
            self.skipTest("not installed: uwsgi-plugin-python3")
        self.place = self.subdirectory("from")
        self.database = self.place / "placement.sqlite"
        self.source = own_placement(self.place)
        self.addCleanup(self.end, self.source)
        self.tables = Database(self.directory)
        self.addCleanup(self.tables.stop)

    def upstream(self, *arguments):
        placement = Placement(self.directory, self.tables, *arguments)
        self.addCleanup(placement.stop)
        return placement

    def timed(self, what, database, *words, **options):
        begun = time.monotonic()
        done = transfer(database, *words, timeout=PATIENCE, **options)
        print(f"# {what}: {time.monotonic() - begun:.0f} s\n# " +
              "\n# ".join((done.stderr + done.stdout).splitlines()))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("no difference: ", done.stdout)

    def test_there_and_back(self):
        Cloud(self.source, HOSTS, GPUS, CONSUMERS)
        there, back = self.upstream(), self.subdirectory("back") / "placement.sqlite"
        self.timed("to OpenStack's", self.database, "--export", there.url)
        mine = everything(self.source)
        self.assertEqual(everything(Client(there.url)), mine)
        self.timed("to OpenStack's, once more", self.database, "--export", there.url)
        self.timed("from OpenStack's", back, "--import", there.url)
        again = own_placement(back.parent)
        self.addCleanup(self.end, again)
        self.assertEqual(everything(again), mine)

    def test_broken_off(self):
        """Killed at some moments of its work, and run again."""
        Cloud(self.source, 4, 2, 30)
        there = self.upstream()
        for number, text in enumerate(("providers read", "providers written")):
            words, environment = transfer_arguments(self.database, "--export", there.url)
            process = Process(words, self.directory / f"log{number}", env=environment)
            process.wait_for_output(text)
            process.kill()
        self.timed("the rest", self.database, "--export", there.url)
        self.assertEqual(everything(Client(there.url)), everything(self.source))

    def test_with_keystone(self):
        """As the agent asks: by a password, and Placement's URL given."""
        Cloud(self.source, 2, 2, 6)
        keystone = Keystone(self.directory, self.tables)
        self.addCleanup(keystone.stop)
        region = Region(keystone)
        region.prepare()
        there = self.upstream(keystone)
        region.create_endpoints(there.url)
        who = {"auth_type": "password", "auth_url": f"{keystone.url}/v3",
               "username": "admin", "user_domain_id": "default",
               "project_name": "admin", "project_domain_id": "default"}
        refused = transfer(self.database, "--export", there.url, **who, password="wrong")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("401", refused.stderr)
        self.assertNotIn("wrong", refused.stderr)
        self.timed("with Keystone", self.database, "--export", there.url, **who,
                   password="admin-secret")
