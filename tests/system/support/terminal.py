"""A program on a terminal of its own."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import unittest

from .process import PATIENCE, die_with_parent


def or_skip(make):
    """What pty's function gives; skips the test where no pseudo terminals are to be had."""
    try:
        return make()
    except OSError as error:
        raise unittest.SkipTest(f"/dev/pts: {error}") from None


class Terminal:
    """`arguments` on a pseudo terminal of that size; what it writes is collected. Ctrl-C
    and Ctrl-Z reach it as from a keyboard."""

    def __init__(self, arguments, columns=100, rows=30, **environment):
        self.master, self.slave = or_skip(pty.openpty)
        self.resize(columns, rows)
        self.modes = termios.tcgetattr(self.slave)
        self.text = ""

        def prepare():
            die_with_parent()
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self.popen = subprocess.Popen(arguments, stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                      preexec_fn=prepare, env={**inherited, "TERM": "xterm", **environment})

    def resize(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read_some(self, pause=0.05):
        if select.select([self.master], [], [], pause)[0]:
            self.text += os.read(self.master, 65536).decode().replace("\r\n", "\n")
            return True
        return False

    def wait_for(self, text, after=0):
        """Reads until `text` has come behind that place; where it ends."""
        return self.wait_for_match(re.escape(text), after).end()

    def wait_for_match(self, pattern, after=0):
        """Reads until the pattern matches behind that place; the match."""
        end = time.monotonic() + PATIENCE
        pattern = re.compile(pattern, re.DOTALL)
        while not (found := pattern.search(self.text, after)):
            self.read_some()
            if time.monotonic() > end:
                raise AssertionError(f"waited for {pattern.pattern!r} on the terminal: {self.text[after:]!r}")
        return found

    def press(self, key):
        os.write(self.master, key)

    def end(self):
        """Waits for the end of the program; its status."""
        end = time.monotonic() + PATIENCE
        while self.popen.poll() is None:
            self.read_some()
            if time.monotonic() > end:
                raise AssertionError(f"did not end: {self.text!r}")
        while self.read_some(0):
            pass
        return self.popen.returncode

    def close(self):
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()
        os.close(self.master)
        os.close(self.slave)
