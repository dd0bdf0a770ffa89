"""Programs of the build, started, watched and stopped."""
import ctypes
import os
import pathlib
import signal
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("BUILD", TOP / "build/release"))
PATIENCE = 20.0  # seconds; sanitizers on a busy machine are slow
PAUSE = 0.005  # seconds between two looks
PR_SET_PDEATHSIG = 1


def wait_for(condition, what, patience=None):
    """Calls `condition` until what it gives is true, and gives that."""
    patience = patience or PATIENCE
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience} s for: {what}")
        time.sleep(PAUSE)


def sanitized(name):
    """Such a program keeps back what it has freed, so that its memory tells nothing."""
    return b"__asan_init" in pathlib.Path(program(name)).read_bytes()


def program(name):
    return str(BUILD / name)


def preloaded(library, **variables):
    """The environment of a program with one of our libraries in it."""
    if not pathlib.Path(program(f"tests/system/{library}.so")).exists():  # the loader would go on without it
        raise AssertionError(f"{library}.so is not built: make {os.path.relpath(BUILD, TOP)}/tests/system/{library}.so, or make check-system")
    options = os.environ.get("ASAN_OPTIONS", "")
    return {**os.environ, **variables, "LD_PRELOAD": program(f"tests/system/{library}.so"),
            # The sanitizers' library comes after this one.
            "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0"}


def die_with_parent():
    """A test that is killed takes what it started with it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def run(arguments, timeout=60, **more):
    """Runs to the end; gives the CompletedProcess with texts."""
    return subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace", timeout=timeout,
                          preexec_fn=die_with_parent, **more)


def outside_make():
    """The environment for a make that is not below the one that has begun the tests."""
    return {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


class Process:
    """One that goes on in the background, its output in a file."""

    def __init__(self, arguments, log, **more):
        self.name = pathlib.Path(arguments[0]).name
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as output:
            self.popen = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                preexec_fn=die_with_parent, **more)

    @property
    def pid(self):
        return self.popen.pid

    def output(self):
        return self.log.read_text(errors="replace")

    def runs(self):
        return self.popen.poll() is None

    def wait_for_output(self, text, patience=None):
        """Waits for a line with `text` in it, and gives the line."""
        def look():
            ended = not self.runs()
            for line in self.output().splitlines():
                if text in line:
                    return line
            if ended:
                raise AssertionError(
                    f"{self.name} ended with {self.popen.returncode} before it said "
                    f"{text!r}:\n{self.output()}")
            return None
        return wait_for(look, f"{text!r} from {self.name}:\n{self.output()}", patience)

    def kill(self):
        """As a crash: no chance to tidy up."""
        self.popen.kill()
        self.popen.wait()

    def stop(self, patience=None):
        """Asks it to end; the exit status."""
        if self.runs():
            self.popen.terminate()
            try:
                self.popen.wait(patience or PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(
                    f"{self.name} did not end on SIGTERM:\n{self.output()}") from None
        return self.popen.returncode
