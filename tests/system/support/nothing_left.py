"""For tests of what makes a host of its own: it is made in a folder of the test's, and nothing of
it may stay there."""
import os

from .case import SystemTest
from .host import MOUNTS, fuse_missing


class LeavesNothing(SystemTest):
    def setUp(self):
        super().setUp()
        missing = fuse_missing()
        if missing:
            self.skipTest(missing)
        self.folder = self.subdirectory("tmp")
        self.environment = {**os.environ, "TMPDIR": str(self.folder)}

    def check_nothing_is_left(self):
        self.assertEqual(list(self.folder.iterdir()), [])
        self.assertNotIn(str(self.folder), MOUNTS.read_text())
