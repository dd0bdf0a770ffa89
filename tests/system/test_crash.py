"""kill -9 at every system call that changes something, and at every request: after a
restart all is as if nothing had been.

That is `make check-crash`. `make check` takes the first call and every eleventh after it:
of each kind of plan where one command is killed, and for the other ways to be killed of
some plans that have all kinds of steps between them."""
import os

from support import wait_for
from support.crash import CHILD, PROGRAM, CrashPoint
from support.relay import CUT
from support.vendor_vfio import VendorVfio
from support.whole_cards import WholeCards
from support.world import A, B, C, CaseTest
from support.xe import Xe

STARTS = " starts"
EXHAUSTIVE = "EXHAUSTIVE" in os.environ
# What `make check` takes of the points.
STRIDE = 1 if EXHAUSTIVE else 11


class CrashTest(CaseTest):
    """The agent does the rest of a case, killed at one point after the other."""
    troubles = []  # commands to the simulated host

    def prepare(self, case):
        super().prepare(case)
        self.crash = CrashPoint(self.directory)

    def run_until_crash(self):
        """As finish(), but it may be killed."""
        self.agent.environment = self.crash.environment
        for words in (self.command, *[("sync",)] * 6):
            done = self.agent.try_to(*words)
            if self.crash.reached() or done.stdout == "nothing to do\n":
                break
        else:
            self.fail(f"it did not come to an end:\n{done.stdout}{done.stderr}")
        self.agent.environment = None
        # A child that is killed may be the one that looks at the host.
        self.assertIn(done.returncode, (0, 1, os.EX_IOERR, -9), done)

    def start_daemon(self):
        """Once it has the lock, or is no more. What an operator has to ask for is asked;
        all else it does by itself."""
        begun = self.agent.daemon.output().count(STARTS) if self.agent.daemon else 0
        daemon = self.agent.start()
        self.agent.environment = None
        wait_for(lambda: not daemon.runs() or daemon.output().count(STARTS) > begun,
                 "its start")
        if self.command not in (("sync",), ("restore",)):
            self.agent.try_to(*self.command)
        return daemon

    def end_by_sync(self):
        self.run_until_crash()
        self.finish()

    def end_by_daemon(self):
        self.agent.environment = self.crash.environment
        daemon = self.start_daemon()
        wait_for(lambda: not daemon.runs() or self.look() == self.after,
                 "the end or a crash")
        self.assertIn(daemon.stop(), (0, -9))
        daemon = self.start_daemon()
        wait_for(lambda: self.look() == self.after, "the end")
        self.assertEqual(daemon.stop(), 0)

    def crash_everywhere(self, case, run, scope=PROGRAM, whens=("before", "after"),
                         whom="self"):
        self.prepare(case)
        number = 1
        while True:
            for when in whens:
                self.put_back(self.before)
                for command in self.troubles:
                    self.host.control(command)
                self.crash.begin(scope, number, when, whom)
                run()
                if not self.crash.reached():
                    print(f"{self.crash.calls()} calls")
                    return
                with self.subTest(str(self.crash)):
                    self.check_end()
            number += STRIDE


class Loop(CrashTest):
    """One crash after the other, each a little later than the last."""

    def crash_again_and_again(self, case):
        self.prepare(case)
        self.put_back(self.before)
        for number in range(1, 200):
            self.crash.begin(PROGRAM, number)
            self.run_until_crash()
            if not self.crash.reached():
                break
        self.finish()
        self.check_end()


class Request(CrashTest):
    """Killed while a request has no answer yet: it never came to the server, or it did
    and the answer is lost."""
    relayed = True

    def kill_at(self, number, passed_on):
        """Kills the agent at that request; gives the list of those it sent."""
        seen = []

        def rule(request):
            seen.append(request)
            if len(seen) != number:
                return None
            if passed_on:
                request.pass_on()
            self.agent.daemon.kill()
            return CUT
        self.relay.rule = rule
        for words in dict.fromkeys((self.command, ("sync",))):
            self.agent.start(*words).popen.wait()
            if len(seen) >= number:
                break
        self.agent.daemon = None
        self.relay.rule = lambda request: None
        return seen

    def crash_at_requests(self, case):
        self.prepare(case)
        for number in range(1, 100, STRIDE):
            for passed_on in (False, True):
                self.put_back(self.before)
                sent = self.kill_at(number, passed_on)
                if len(sent) < number:
                    print(f"{len(sent)} requests")
                    return
                with self.subTest(f"request {number}, {sent[-1]}, passed on: {passed_on}"):
                    self.finish()
                    self.check_end()


CASES = ("first", "allocations", "release", "release_in_use", "move",
         "another_type", "another_type_in_use", "several_types", "retirement", "prune", "drain", "undrain", "reboot",
         "nova", "nova_another_type", "nova_reboot")
DEVICE_CASES = ("allocations", "release", "move", "reboot", "nova_reboot")


def add_tests(cls, cases, run, some=()):
    """A test for each case, so that they run beside each other; for `make check` of some."""
    def make(case):
        return lambda self: run(self, case)
    for case in cases:
        if EXHAUSTIVE or not some or case in some:
            setattr(cls, f"test_{case}", make(case))


def crash_everywhere(run, **how):
    return lambda self, case: self.crash_everywhere(case, getattr(self, run), **how)


class Sync(CrashTest):
    pass


class Daemon(CrashTest):
    pass


class Child(CrashTest):
    """Only a child: one that looks at the host, or makes or removes a device."""


class ChildOfDaemon(CrashTest):
    """The daemon outlives it."""


class AgentOfChild(CrashTest):
    """The agent, while a child is at work and goes on."""


class Both(CrashTest):
    """As systemd does it, and the kernel when memory is short."""


class SlowKernel(CrashTest):
    """The agent is back before the kernel has done what its predecessor asked for."""
    troubles = ["delay create 150 every", "delay remove 150 every"]


add_tests(Sync, CASES, crash_everywhere("end_by_sync"))
add_tests(Loop, CASES, Loop.crash_again_and_again, ("first", "move", "prune", "reboot"))
add_tests(Daemon, CASES, crash_everywhere("end_by_daemon"),
          ("first", "move", "another_type", "drain", "reboot"))
add_tests(Request, CASES, Request.crash_at_requests,
          ("first", "move", "another_type", "prune", "nova"))
add_tests(Child, DEVICE_CASES, crash_everywhere("end_by_sync", scope=CHILD),
          ("move", "nova_reboot"))
add_tests(ChildOfDaemon, DEVICE_CASES, crash_everywhere("end_by_daemon", scope=CHILD),
          ("move",))
add_tests(AgentOfChild, DEVICE_CASES,
          crash_everywhere("end_by_sync", scope=CHILD, whom="parent"),
          ("move", "reboot"))
add_tests(SlowKernel, DEVICE_CASES,
          crash_everywhere("end_by_sync", scope=CHILD, whom="parent"),
          ("move", "nova_reboot"))
add_tests(Both, DEVICE_CASES,
          crash_everywhere("end_by_daemon", scope=CHILD, whom="both"), ("move", "reboot"))


# The same on virtual functions that stores make virtual GPUs.

class VfioSync(VendorVfio, CrashTest):
    pass


class VfioDaemon(VendorVfio, CrashTest):
    pass


class VfioChild(VendorVfio, CrashTest):
    pass


class VfioSlowKernel(VendorVfio, CrashTest):
    troubles = SlowKernel.troubles


VFIO_CASES = tuple(case for case in CASES if not case.startswith("nova"))
VFIO_DEVICE_CASES = ("allocations", "release", "move", "reboot")
add_tests(VfioSync, VFIO_CASES, crash_everywhere("end_by_sync"),
          ("first", "release_in_use", "move", "another_type", "reboot"))
add_tests(VfioDaemon, VFIO_CASES, crash_everywhere("end_by_daemon"), ("move",))
add_tests(VfioChild, VFIO_DEVICE_CASES, crash_everywhere("end_by_sync", scope=CHILD),
          ("move", "reboot"))
add_tests(VfioSlowKernel, VFIO_DEVICE_CASES,
          crash_everywhere("end_by_sync", scope=CHILD, whom="parent"), ("move",))


# The same on cards that go to guests whole: each device is several stores.

class WholeTest(WholeCards, CrashTest):
    cards = (A, B, C)
    sections = {"devices": {"passthrough_addresses": list(cards)}}

    def begin_release_in_use(self):
        super().begin_release_in_use()
        self.standing = (f"vgpu-agent: {A}: devices without an allocation are in use, 1 of the type "
                         f"'passthrough' ({A}): they are offered again when the guest, the process "
                         "or mdevctl that has them lets them go\n")


class WholeSync(WholeTest):
    pass


class WholeDaemon(WholeTest):
    pass


class WholeChild(WholeTest):
    pass


class WholeSlowKernel(WholeTest):
    troubles = SlowKernel.troubles


WHOLE_CASES = ("first", "allocations", "release", "release_in_use", "move", "drain", "undrain", "reboot")
add_tests(WholeSync, WHOLE_CASES, crash_everywhere("end_by_sync"),
          ("first", "release_in_use", "move", "reboot"))
add_tests(WholeDaemon, WHOLE_CASES, crash_everywhere("end_by_daemon"), ("move",))
add_tests(WholeChild, VFIO_DEVICE_CASES, crash_everywhere("end_by_sync", scope=CHILD),
          ("allocations", "release", "reboot"))
add_tests(WholeSlowKernel, VFIO_DEVICE_CASES,
          crash_everywhere("end_by_sync", scope=CHILD, whom="parent"), ("release",))


class XeSync(Xe, CrashTest):
    pass


class XeDaemon(Xe, CrashTest):
    pass


class XeChild(Xe, CrashTest):
    pass


add_tests(XeSync, VFIO_CASES, crash_everywhere("end_by_sync"),
          ("first", "move", "another_type", "reboot"))
add_tests(XeDaemon, VFIO_CASES, crash_everywhere("end_by_daemon"), ("move",))
add_tests(XeChild, VFIO_DEVICE_CASES, crash_everywhere("end_by_sync", scope=CHILD),
          ("move", "reboot"))
