"""Nova's report client, as packaged, lives the same on placementd as on OpenStack's
Placement: a host and its GPUs reported, guests scheduled, moved, the tree reshaped."""
import concurrent.futures
import json
import pathlib
import shutil
import subprocess

from openstack import Placement
from support.case import SystemTest
from support.placement import own_placement
from test_differential import File

SCRIPT = pathlib.Path(__file__).resolve().parent / "nova_report_client.py"
NOVA = "/usr/lib/python3/dist-packages/nova"


class ReportClientTest(SystemTest):
    def live(self, placement):
        """What each step gave; without what Nova logged."""
        done = subprocess.run(["/usr/bin/python3", "-P", "-W", "ignore", str(SCRIPT),
                               placement.url], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_lives_the_same(self):
        if not shutil.which("uwsgi_python3") or not pathlib.Path(NOVA).is_dir():
            self.skipTest("not installed: uwsgi-plugin-python3 or python3-nova")
        upstream = Placement(self.directory, File(self.directory), processes=1)
        self.addCleanup(upstream.stop)
        ours = own_placement(self.subdirectory("placement"))
        self.addCleanup(self.end, ours)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            one, other = pool.map(self.live, (ours, upstream))
        self.assertEqual([name for name, _ in one], [name for name, _ in other])
        for (name, got), (_, expected) in zip(one, other):
            with self.subTest(name):
                self.assertEqual(got, expected)
        # It was a life: the host was reported, guests were claimed, moved and reshaped.
        self.assertEqual([result for name, result in one if name == "claim_resources"],
                         [True, True, False])
        self.assertEqual([result for name, result in one if name == "move_allocations"],
                         [True, True])
        failed = [result for name, result in one if name == "update_from_provider_tree"]
        self.assertEqual(failed[:-1], [None] * (len(failed) - 1))
        self.assertEqual(failed[-1], "ResourceProviderUpdateConflict")
