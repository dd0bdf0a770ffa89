"""Every operation that can fail, failing: one clear line, nothing broken, and all is well in
the next cycle.

`make check` has each errno and each answer once, at one operation or another;
`make check-crash` all of them at every operation."""
import os
import re
import resource

from support.answers import ANSWERS, ENDLESS
from support.crash import PROGRAM, CrashPoint
from support.world import CaseTest

EXHAUSTIVE = "EXHAUSTIVE" in os.environ
STRIDE = 1 if EXHAUSTIVE else 5
MEMORY = 300_000  # KiB at most, whatever is answered; sanitizers need most of it
# `restore` speaks to the log of its unit.
LINE = re.compile(r"^(vgpu-agent|(warning|error) agent): [ -~]{10,400}$")

# What the kernel's core and drivers answer.
CREATE_ERRNOS = ("EINVAL", "EEXIST", "EUSERS", "ENOSPC", "EIO", "ENOMEM", "EBUSY",
                 "ETIMEDOUT", "EAGAIN", "ENODEV", "ENOENT", "EACCES", "EPERM")
REMOVE_ERRNOS = ("EBUSY", "EAGAIN", "EINVAL", "ENODEV", "ENOENT", "EIO", "EACCES", "EPERM")
# What files and sockets answer.
OPEN_ERRNOS = ("ENOSPC", "EROFS", "EACCES", "EMFILE")
WRITE_ERRNOS = ("ENOSPC", "EIO", "EDQUOT")
NAME_ERRNOS = ("ENOSPC", "EIO", "EROFS")
SEND_ERRNOS = ("ECONNRESET", "EPIPE")
CALL_ERRNOS = {"open": OPEN_ERRNOS, "openat": OPEN_ERRNOS, "write": WRITE_ERRNOS,
               "pwrite": WRITE_ERRNOS, "ftruncate": WRITE_ERRNOS, "fsync": ("EIO",),
               "fdatasync": ("EIO",), "rename": NAME_ERRNOS, "renameat": NAME_ERRNOS,
               "unlink": NAME_ERRNOS, "unlinkat": NAME_ERRNOS, "link": NAME_ERRNOS,
               "fork": ("EAGAIN",), "send": SEND_ERRNOS, "sendto": SEND_ERRNOS, "sendmsg": SEND_ERRNOS}


class FaultTest(CaseTest):
    def run_with_fault(self):
        """The case's command, in which something fails: what it says is fit for people."""
        done = self.agent.try_to(*self.command)
        said = done.stderr.splitlines()
        for line in said:
            self.assertRegex(line, LINE)
        self.assertEqual(len(said), len(set(said)), done.stderr)
        self.assertLess(done.returncode, 79, done)
        self.assertGreaterEqual(done.returncode, 0, done)
        if done.returncode != 0:
            self.assertTrue(said or done.stdout, done)
        else:
            self.assertEqual(said, [], done)

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
                    self.run_with_fault()
                    self.check_devices()
                    self.finish()
                    self.check_end()

    def test_create(self):
        self.fail_each("allocations", "create", CREATE_ERRNOS, 3)

    def test_create_again(self):
        self.fail_each("reboot", "create", CREATE_ERRNOS, 3)

    def test_remove(self):
        self.fail_each("removal", "remove", REMOVE_ERRNOS, 2)


class Calls(FaultTest):
    """One system call fails that is to change something."""

    def fail_calls(self, case):
        self.prepare(case)
        self.crash = CrashPoint(self.directory)
        self.run_failing(0, None)
        names = [self.crash.name(i + 1) for i in range(self.crash.calls())]
        self.assertGreater(len(names), 2)
        for i, name in enumerate(names):
            errnos = CALL_ERRNOS[name]
            for error in errnos if EXHAUSTIVE else errnos[i // STRIDE % len(errnos):][:1]:
                if i % STRIDE == 0:
                    self.run_failing(i + 1, error)

    def run_failing(self, number, error):
        self.put_back(self.before)
        self.crash.begin(PROGRAM, number, error=error)
        self.agent.environment = self.crash.environment
        with self.subTest(f"call {number}: {error}"):
            self.run_with_fault()
            self.agent.environment = None
            self.assertEqual(self.crash.reached(), number > 0, self.crash)
            self.check_devices()
            self.finish()
            self.check_end()


class Http(FaultTest):
    """One request of a sync goes wrong, the others do not."""
    relayed = True

    def prepare(self, case):
        super().prepare(case)
        self.put_back(self.before)
        begin = len(self.relay.requests)
        self.agent.try_to(*self.command)
        self.requests = len(self.relay.requests) - begin

    def break_request(self, number, name):
        self.put_back(self.before)
        seen = []

        def rule(request):
            seen.append(request)
            return ANSWERS[name] if len(seen) == number else None
        self.relay.rule = rule
        timeout = "\ntimeout = 0.3" if name in ENDLESS else ""
        file = self.agent.file.read_text()
        self.agent.file.write_text(file.replace("[placement]", f"[placement]{timeout}"))
        with self.subTest(f"{name}: request {number}"):
            self.run_with_fault()
            self.relay.rule = lambda request: None
            self.agent.file.write_text(file)
            self.assertGreaterEqual(len(seen), number)
            self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, MEMORY)
            self.check_devices()
            self.finish()
            self.check_end()


def each_request(case, name):
    def test(self):
        self.prepare(case)
        for number in range(1, self.requests + 1):
            self.break_request(number, name)
    return test


def some_requests(case, names):
    """All kinds of trouble, and all requests, but not all of both together."""
    def test(self):
        self.prepare(case)
        for i, name in enumerate(names):
            self.break_request(1 + i * 5 % self.requests, name)
    return test


def fail_calls(case):
    return lambda self: self.fail_calls(case)


HTTP_CASES = ("first", "move", "prune", "nova")
for a_number, a_case in enumerate(HTTP_CASES):
    if EXHAUSTIVE:
        for a_name in ANSWERS:
            setattr(Http, f"test_{a_case}_{a_name.replace(' ', '_')}",
                    each_request(a_case, a_name))
    else:
        setattr(Http, f"test_{a_case}",
                some_requests(a_case, list(ANSWERS)[a_number::len(HTTP_CASES)]))
for a_case in ("first", "move", "prune", "drain", "reboot"):
    setattr(Calls, f"test_{a_case}", fail_calls(a_case))
