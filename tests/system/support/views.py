"""All that says how a GPU stands, compared: `status` and `gpus` in text and JSON, the exit
status, /metrics and /readyz."""
import itertools
import json
import re
import signal

from .fleet import FleetTest, child_name
from .pages import fetch
from .process import wait_for

SAMPLE = re.compile(r'vgpu_agent_([a-z_]+)(?:\{(.*)\})? ([0-9.]+)')
LABEL = re.compile(r'([a-z_]+)="([^"]*)"')


class ViewsTest(FleetTest):
    """A daemon that serves monitoring."""
    relayed = False

    def start(self):
        before = self.ports()
        self.agent.start()
        self.port = wait_for(lambda: self.ports()[len(before):], "monitoring")[-1]
        wait_for(lambda: self.fetch("/readyz")[0] == 200, "the first cycle")

    def ports(self):
        """Of all daemons so far."""
        said = self.agent.daemon.output() if self.agent.daemon else ""
        return [int(port) for port in re.findall(r"serves http://[^ ]*:(\d+)/", said)]

    def wake(self):
        """A whole cycle that has begun since."""
        begun = self.cycles() + (2 if self.fetch("/readyz")[0] == 200 else 1)

        def done():
            self.agent.daemon.popen.send_signal(signal.SIGUSR1)
            return self.cycles() >= begun
        wait_for(done, "another cycle")

    def cycles(self):
        return self.metric("cycle_seconds_count")

    def fetch(self, path):
        return fetch(f"127.0.0.1:{self.port}", path)[::2]

    def samples(self):
        """[(name, {label: value}, number)]"""
        lines = [SAMPLE.fullmatch(line) for line in self.fetch("/metrics")[1].splitlines()]
        return [(line[1], dict(LABEL.findall(line[2] or "")), float(line[3]))
                for line in lines if line]

    def metric(self, name, **labels):
        """The one sample that has these labels; None where there is none."""
        found = [number for n, l, number in self.samples()
                 if n == name and labels.items() <= l.items()]
        self.assertLessEqual(len(found), 1, (name, labels))
        return found[0] if found else None

    def status(self):
        """The exit status, the data, the text."""
        data, text = self.agent.try_to("--format", "json", "status"), \
            self.agent.try_to("status")
        self.assertEqual(data.returncode, text.returncode, data.stderr + text.stderr)
        return data.returncode, json.loads(data.stdout), text.stdout

    def assert_gpu(self, address, service, total, used, reserved, health="ok", says=None,
                   devices=None):
        """Every view says so, and `says` where something is wrong."""
        self.wake()
        code, status, text = self.status()
        (row,) = [r for r in status["gpus"] if r["gpu"] == address]
        expected = {"service": service, "health": health, "total": total, "used": used,
                    "reserved": reserved}
        self.assertEqual({key: row[key] for key in expected}, expected, row)
        (listed,) = [r for r in self.agent.json("gpus") if r["gpu"] == address]
        self.assertEqual({key: listed[key] for key in expected}, expected, listed)
        self.assertEqual((listed["note"], listed["type"]), (row["reason"], row["type"]))
        if devices is not None:
            self.assertEqual(listed["devices"], devices)
        cells = [str(c) for c in (address.removeprefix("0000:"), row["type"] or "-", row["class"] or "-", service,
                                  health, total, used, reserved)]
        self.assertIn(cells, [line.split() for line in text.splitlines()])
        self.assert_metrics(address, expected, row["class"])
        if says:
            self.assert_problem(says, address)

    def assert_metrics(self, address, expected, resource_class):
        for state in ("service", "health"):
            on = [labels[state] for name, labels, number in self.samples()
                  if name == f"gpu_{state}" and labels["gpu"] == address and number == 1]
            self.assertEqual(on, [expected[state]], f"gpu_{state} of {address}")
        if resource_class:
            self.assertEqual([self.metric(f"gpu_{name}", gpu=address)
                              for name in ("capacity", "used", "reserved")],
                             [expected["total"], expected["used"], expected["reserved"]])

    def assert_problem(self, says, address=None):
        """Each view that lists problems has this one, in one line."""
        code, status, text = self.status()
        self.assertEqual((code, status["well"]), (1, False), text)
        begin = f"{address}: " if address else ""
        self.assertTrue(any(p.startswith(begin) and says in p for p in status["problems"]),
                        f"{says!r} is not in {status['problems']}")
        self.assertIn(says, text)
        self.assertNotIn("all is well", text)
        wait_for(lambda: self.metric("problems") == len(status["problems"]),
                 f"{len(status['problems'])} problems in the metrics")
        self.assertIn(says, self.agent.daemon.output())
        self.assertEqual(self.fetch("/readyz")[0], 200)

    def assert_noted(self, address, says):
        """`status` says it below the GPU's row, on as many lines as that takes."""
        lines = self.status()[2].splitlines()
        row = [line.split()[:1] for line in lines].index([address.removeprefix("0000:")])
        below = list(itertools.takewhile(lambda line: line.startswith("  "), lines[row + 1:]))
        self.assertEqual(" ".join(" ".join(below).split()), says)
        self.assertLessEqual(max(map(len, lines)), 80, lines)

    def assert_well(self):
        self.wake()
        code, status, text = self.status()
        self.assertEqual((code, status["problems"]), (0, []), text)
        self.assertIn("all is well", text)
        self.assertEqual(self.metric("problems"), 0)

    def name_of(self, address):
        return f"{self.root_name}_{child_name(address)}"
