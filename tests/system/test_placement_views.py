"""What a Placement may show that is not how things are: more than fits, half of it, nothing
for a long time, what was true a while ago, and nothing of what was there."""
import pathlib
import re
import signal

from support import wait_for
from support.answers import raw
from support.fleet import FleetTest
from support.process import TOP


class Memory(FleetTest):
    """The unit's MemoryMax holds for whatever is sent."""
    relayed = True

    def peak(self):
        """What the daemon has needed at most so far, in bytes."""
        status = pathlib.Path(f"/proc/{self.agent.daemon.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) << 10

    def wake(self):
        self.agent.daemon.popen.send_signal(signal.SIGUSR1)

    def answers(self):
        """How often it has asked for the tree."""
        return sum("in_tree" in r.path for r in self.relay.requests)

    def test_no_reply_takes_what_the_unit_may_not_have(self):
        unit = (TOP / "etc/systemd/vgpu-agent.service").read_text()
        bound = int(re.search(r"(?m)^MemoryMax=(\d+)M$", unit)[1]) << 20
        self.build_guide()
        self.agent.run("sync")
        members = ",".join(f'"{n:x}":{n}' for n in range(63_000))
        names = ",".join(f'"{n:064}"' for n in range(60_000))
        link = '{"rel":"x","href":"%s"}'
        replies = {
            "objects": "[" + ",".join(["{}"] * 15_999) + "]",
            "objects in objects": "[" + ",".join(['{"a":[1,2]}'] * 15_900) + "]",
            "members": "{" + members + "}",
            "strings": "[" + names[:4_000_000].rpartition(",")[0] + "]",
            "one string": '"' + "x" * 4_100_000 + '"',
            "links": "[" + ",".join([link % ("y" * 230)] * 15_000) + "]",
            "one more": "[" + ",".join(["{}"] * 16_001) + "]",
            "much more": "[" + "1," * 550_000 + "1]",
        }
        self.agent.start()
        wait_for(self.answers, "the first cycle")
        for what, body in replies.items():
            self.relay.requests.clear()
            self.relay.rule = lambda request, body=body.encode(): \
                raw(body) if "in_tree" in request.path else None
            # Where a second one begins, the first one's has been taken.
            wait_for(lambda: self.answers() > 1 or self.wake(), what, patience=30)
            self.assertLess(self.peak(), bound, what)
