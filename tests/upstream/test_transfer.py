"""placementd --export to OpenStack's Placement, and --import from it: all arrives, nothing is
lost on the way back, and what was broken off goes on.

TRANSFER_HOSTS, TRANSFER_CONSUMERS: a larger cloud (each host has eight GPUs); 1000 and 10000
take two hours on two cores that other work shares.
"""
import os
import shutil
import time

from openstack import Cloud as Region
from openstack import Database, Keystone, Placement
from support.placement import Placement as Client
from support.placement import own_placement
from support.process import Process
from support.transfer import ChangeOverTest, Cloud, everything, stock, transfer, transfer_arguments

HOSTS = int(os.environ.get("TRANSFER_HOSTS", 8))
CONSUMERS = int(os.environ.get("TRANSFER_CONSUMERS", 80))
GPUS = 8
PATIENCE = 7200


class Transfer(ChangeOverTest):
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

    def start_placement(self):  # the one that the agent begins with
        return self.source

    def forget(self, consumer):
        """Each Placement here goes with its test."""

    def upstream(self, *arguments):
        placement = Placement(self.directory, self.tables, *arguments, processes=4)
        self.addCleanup(placement.stop)
        return placement

    def tell(self, text):
        print(f"# {time.strftime('%H:%M:%S')} load {os.getloadavg()[0]:.0f}: {text}", flush=True)

    def timed(self, what, database, *words, **options):
        begun = time.monotonic()
        done = transfer(database, *words, timeout=PATIENCE, **options)
        self.tell(f"{what}: {time.monotonic() - begun:.0f} s\n# " +
                  "\n# ".join((done.stderr + done.stdout).splitlines()))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("no difference: ", done.stdout)
        return done

    def judge(self, placement):
        begun = time.monotonic()
        found = everything(placement)
        self.tell(f"judged {placement.url}: {time.monotonic() - begun:.0f} s")
        return found

    def kill_at(self, text, there):
        """Killed once it has come to that; the database stays as it is."""
        words, environment = transfer_arguments(self.database, "--export", there.url)
        log = self.directory / f"killed-{text.replace(' ', '-')}"
        begun = time.monotonic()
        process = Process(words, log, env=environment)
        process.wait_for_output(f"{there.url}: {text}", PATIENCE)
        process.kill()
        self.tell(f"killed: {time.monotonic() - begun:.0f} s\n# " +
                  "\n# ".join(log.read_text().splitlines()))

    def test_there_and_back(self):
        """And once more, which writes nothing; then an agent is changed over."""
        self.begin_with_devices()
        Cloud(self.source, HOSTS, GPUS, CONSUMERS)
        there, back = self.upstream(), self.subdirectory("back") / "placement.sqlite"
        self.timed("to OpenStack's", self.database, "--export", there.url)
        done = self.timed("to OpenStack's, once more", self.database, "--export", there.url)
        self.assertIn("written: classes 0, traits 0, providers 0, sets of inventories, "
                      "traits and aggregates 0, consumers 0; deleted: 0\n", done.stdout)
        self.timed("from OpenStack's", back, "--import", there.url)
        again = own_placement(back.parent)
        self.addCleanup(self.end, again)
        mine = self.judge(self.source)
        self.assertEqual(self.judge(again), mine)
        self.assertEqual(self.judge(Client(there.url)), mine)
        self.change_over(Client(there.url))
        self.tell("an agent is changed over")

    def test_broken_off(self):
        """Killed while it writes and while it reads, and run again."""
        Cloud(self.source, HOSTS, GPUS, CONSUMERS)
        there = self.upstream()
        for moment in ("inventories of providers written", "aggregates of providers read",
                       "consumers written"):
            self.kill_at(moment, there)
        self.timed("the rest to OpenStack's", self.database, "--export", there.url)
        self.assertEqual(self.judge(Client(there.url)), self.judge(self.source))

    def test_what_its_database_does_not_take(self):
        """A MariaDB of three bytes a character: 500 for that object alone. And its collation
        ignores case: 409 for a name that is there in another one."""
        cloud = Cloud(self.source, 2, 2, 6)
        there = self.upstream()
        name = cloud.add_provider("é😀", {"VGPU": {"total": 2}})
        below = cloud.add_provider("below", parent=name)
        on_it = cloud.allocate({name: {"VGPU": 1}})
        twins = [cloud.add_provider(twin) for twin in ("N1", "n1")]
        project = cloud.uuid()
        self.source.expect(204, "PUT", f"/allocations/{project}", {
            "allocations": {cloud.gpus[0]: {"resources": {"VGPU": 1}}},
            "project_id": "é😀", "user_id": "u", "consumer_generation": None,
            "consumer_type": "INSTANCE"})
        for _ in range(2):
            done = transfer(self.database, "--export", there.url, timeout=PATIENCE)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            for text in ("refused: 3\n", "  provider é😀: POST ", "HTTP 409",
                         f"  allocations of consumer {project}: PUT ", "HTTP 500",
                         "left out, as their providers are not there: 2\n",
                         f"  provider below ({below}): below provider é😀 ({name})\n",
                         f"  consumer {on_it}: on provider é😀 ({name})\n",
                         "differences: 5\n"):
                self.assertIn(text, done.stdout)
        wanted, found = everything(self.source), everything(Client(there.url))
        (twin,) = set(twins) - set(found["providers"])
        for who in (name, below, twin):
            del wanted["providers"][who]
        for who in (on_it, project):
            del wanted["consumers"][who]
        self.assertEqual(found, wanted)

    def test_ratios_that_its_database_rounds(self):
        """Single precision, six digits: the same, also to what is full there."""
        cloud = Cloud(self.source, 1, 1, 0, odd=False)
        there = self.upstream()
        for number, ratio in enumerate((1 / 3, 16.123456789, 0.1234565, 1e10 / 3)):
            full = cloud.add_provider(f"ratio {number}",
                                      {"VGPU": stock(3, allocation_ratio=ratio)})
            if ratio == 1 / 3:
                cloud.allocate({full: {"VGPU": 1}})
        self.timed("ratios", self.database, "--export", there.url)
        done = self.timed("ratios, once more", self.database, "--export", there.url)
        self.assertIn("written: classes 0, traits 0, providers 0, sets of inventories, "
                      "traits and aggregates 0, consumers 0; deleted: 0\n", done.stdout)

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
