"""Every operation that can fail, failing: one clear line, nothing broken, and all is well in
the next cycle."""
import os
import re

from support.answers import ANSWERS
from support.relay import STALL
from support.world import CaseTest

EXHAUSTIVE = "EXHAUSTIVE" in os.environ
LINE = re.compile(r"vgpu-agent: [ -~]{10,400}")

# What the kernel's core and drivers answer.
CREATE_ERRNOS = ("EINVAL", "EEXIST", "EUSERS", "ENOSPC", "EIO", "ENOMEM", "EBUSY",
                 "ETIMEDOUT", "EAGAIN", "ENODEV", "EACCES")
REMOVE_ERRNOS = ("EBUSY", "EAGAIN", "EINVAL", "ENODEV", "EIO", "EACCES")


class FaultTest(CaseTest):
    def sync_with_fault(self):
        """A sync in which something fails: what it said is fit for people."""
        done = self.agent.try_to("sync")
        said = done.stderr.splitlines()
        for line in said:
            self.assertRegex(line, f"^{LINE.pattern}$")
        self.assertEqual(len(said), len(set(said)), done.stderr)
        self.assertLess(done.returncode, 79, done)
        self.assertGreaterEqual(done.returncode, 0, done)
        self.assertEqual(done.returncode != 0, bool(said), done)

    def check_devices(self):
        """Nothing was done that an undisturbed run does not do, too."""
        left = list(self.changes)
        for change in self.device_changes():
            self.assertIn(change, left)
            left.remove(change)


class Kernel(FaultTest):
    def fail_each(self, case, operation, errnos, most):
        self.prepare(case)
        for errno in errnos:
            for number in range(1, most + 1) if EXHAUSTIVE else (most,):
                with self.subTest(f"{operation} {number} fails with {errno}"):
                    self.put_back(self.before)
                    self.host.control(f"fail {operation} {errno} nth {number}")
                    self.sync_with_fault()
                    self.check_devices()
                    self.settle()
                    self.check_end()

    def test_create(self):
        self.fail_each("allocations", "create", CREATE_ERRNOS, 3)

    def test_remove(self):
        self.fail_each("removal", "remove", REMOVE_ERRNOS, 2)


class Http(FaultTest):
    """One request of a sync goes wrong, the others do not."""
    relayed = True

    def prepare(self, case):
        super().prepare(case)
        self.put_back(self.before)
        begin = len(self.relay.requests)
        self.agent.run("sync")
        self.requests = len(self.relay.requests) - begin

    def break_request(self, number, name):
        self.put_back(self.before)
        seen = []

        def rule(request):
            seen.append(request)
            return ANSWERS[name] if len(seen) == number else None
        self.relay.rule = rule
        timeout = {"placement": {"timeout": 0.3}} if ANSWERS[name] == STALL else {}
        self.configure(timeout)
        self.sync_with_fault()
        self.relay.rule = lambda request: None
        self.configure({})
        with self.subTest(f"{name}: request {number}, {seen[number - 1]}"):
            self.check_devices()
            self.settle()
            self.check_end()

    def configure(self, more):
        self.agent.configure({"agent": self.options, **self.sections, **more})


def each_request(case, name):
    def test(self):
        self.prepare(case)
        for number in range(1, self.requests + 1):
            self.break_request(number, name)
    return test


def each_kind(case):
    """All kinds of trouble, and all requests, but not all of both together."""
    def test(self):
        self.prepare(case)
        for i, name in enumerate(ANSWERS):
            self.break_request(1 + i * 5 % self.requests, name)
    return test


for a_case in ("first", "move"):
    if EXHAUSTIVE:
        for a_name in ANSWERS:
            setattr(Http, f"test_{a_case}_{a_name.replace(' ', '_')}",
                    each_request(a_case, a_name))
    else:
        setattr(Http, f"test_{a_case}", each_kind(a_case))
