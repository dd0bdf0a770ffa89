"""Every operation that can fail, failing: one clear line, nothing broken, and all is well in
the next cycle."""
import json
import os
import re

from support.relay import CUT, LOSE, STALL
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


def refusal(status, code="", title="No"):
    """As Placement refuses."""
    body = json.dumps({"errors": [{"status": status, "title": title, "code": code,
                                   "detail": "That was not possible.\n\n ",
                                   "request_id": "req-6e5b3a9c"}]}).encode()
    return status, [("Content-Type", "application/json")], body


def raw(status, body, length=None):
    length = len(body) if length is None else length
    return (f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n\r\n").encode() + body


KEYSTONE_401 = (401, [("Content-Type", "application/json")], json.dumps(
    {"error": {"code": 401, "title": "Unauthorized",
               "message": "The request you have made requires authentication."}}).encode())
LARGE = b"[" + b"1," * 50_000_000 + b"1]"
VERDICTS = {
    "400": refusal(400), "401": KEYSTONE_401, "403": refusal(403), "404": refusal(404),
    "406": refusal(406),
    "409 concurrent": refusal(409, "placement.concurrent_update"),
    "409 in use": refusal(409, "placement.inventory.inuse"),
    "429": refusal(429), "500": (500, [("Content-Type", "text/html")],
                                 b"<html><title>500</title>\n<p>Internal Server\n"),
    "502": (502, [], b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"),
    "503": (503, [("Retry-After", "1")], b""),
    "cut": CUT, "answer lost": LOSE, "no answer": STALL,
    "truncated": raw("200 OK", b'{"resource_providers": [{"uui', 5000),
    "half json": raw("200 OK", b'{"resource_prov'),
    "garbage": b"\x00\xff\x13 not HTTP at all \r\n\r\n" * 10,
    "wrong json": raw("200 OK", b'{"resource_providers": {"uuid": [1e999, null]}}'),
    "other json": raw("200 OK", b'[]'), "empty": raw("200 OK", b""),
    "binary json": raw("200 OK", b'{"traits": ["\xff\xfe\x00"], "x": "\\u0000"}'),
    "large": raw("200 OK", LARGE),
    "large without length": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
                            + LARGE,
    "endless header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 3_000_000,
}


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
            return VERDICTS[name] if len(seen) == number else None
        self.relay.rule = rule
        timeout = {"placement": {"timeout": 0.3}} if VERDICTS[name] == STALL else {}
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
        for i, name in enumerate(VERDICTS):
            self.break_request(1 + i * 5 % self.requests, name)
    return test


for a_case in ("first", "move"):
    if EXHAUSTIVE:
        for a_name in VERDICTS:
            setattr(Http, f"test_{a_case}_{a_name.replace(' ', '_')}",
                    each_request(a_case, a_name))
    else:
        setattr(Http, f"test_{a_case}", each_kind(a_case))
