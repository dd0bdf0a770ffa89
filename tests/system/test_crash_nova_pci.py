"""Mode nova-pci: kill -9 at the calls that change something, in the first cut, in changes of mind and in `restore`. The next run
ends where an undisturbed one does, and no function is anybody's by mistake.

`make check-crash` takes each call, `make check` some of them."""
import json
import os

from support.crash import CHILD, PROGRAM, CrashPoint

from test_nova_pci import FIRST, NovaPciTest

STRIDE = 1 if "EXHAUSTIVE" in os.environ else 11


class Crash(NovaPciTest):
    """Each test goes from one cut to another, again and again, each time killed at a later call."""

    def setUp(self):
        super().setUp()
        self.build_cards({"devices": {}})
        self.crash = CrashPoint(self.directory)

    def begin_with(self, types):
        self.configure(types)
        self.sync()

    def noted(self):
        """{function: type} of the state file; each of them is the agent's."""
        devices = json.loads(self.agent.state_file.read_text())["devices"]
        self.assertFalse([device for device in devices if device["adopted"]])
        return {device["address"]: device["type_id"].rpartition("-")[2] for device in devices}

    def check_end(self, wanted):
        self.sync()
        self.assertEqual(self.host.vgpus(), wanted)
        self.assertEqual(self.noted(), wanted)

    def killed_everywhere(self, start, end, wanted, scope, command="sync"):
        number, points = 1, 0
        while True:
            for when in ("before", "after"):
                self.begin_with(start)
                if command == "restore":
                    self.host.reboot()
                self.configure(end)
                if not self.crash.strike(self.agent, command, scope, number, when):
                    self.assertGreater(points, 0)
                    return
                points += 1
                with self.subTest(str(self.crash)):
                    if command == "restore":
                        self.agent.run("restore")
                        self.assertEqual(self.host.vgpus(), wanted)
                    self.check_end(wanted)
            number += STRIDE

    def changes(self, scope):
        two, three = self.kinds(2), self.kinds(3, type_id="nvidia-1148")
        self.killed_everywhere({"devices": {}}, two, self.cut(2), scope)
        self.killed_everywhere(two, three, self.cut(3, "1148"), scope)
        self.killed_everywhere(self.kinds(4), two, self.cut(2), scope)

    def test_changes(self):
        self.changes(PROGRAM)

    def test_changes_in_a_child(self):
        self.changes(CHILD)

    def test_restore(self):
        self.killed_everywhere(self.kinds(3), self.kinds(3), self.cut(3), PROGRAM, "restore")

    def test_restore_in_a_child(self):
        self.killed_everywhere(self.kinds(3), self.kinds(3), self.cut(3), CHILD, "restore")

    def test_the_driver_refuses(self):
        """What it refuses is tried again, and what was made stays the agent's."""
        for error in ("EBUSY", "EIO", "ENOSPC"):
            for number in (1, 2, 3):
                with self.subTest(error, number=number):
                    self.begin_with({"devices": {}})
                    self.configure(self.kinds(3))
                    self.host.control(f"fail create {error} nth {number}")
                    self.agent.try_to("sync")
                    self.host.control("clear")
                    self.assertIn(error, {store["result"] for store in self.host.stores()})
                    self.check_end(dict.fromkeys(FIRST[:3], "1147"))


del NovaPciTest
