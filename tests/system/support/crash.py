"""Programs that are killed at one certain system call, or for which it fails, by
tests/system/crash_at."""
import errno
import struct

from .process import preloaded

PROGRAM, CHILD = "program", "child"
SCOPES = (PROGRAM, CHILD)
NAMES, NAME_SIZE = 512, 12
COUNTS = struct.Struct(f"={len(SCOPES)}I")


class CrashPoint:
    """The `number`th call that changes something, of the program or of its children;
    0: none. The counts go on from one program to the next that runs with `environment`,
    until begin()."""

    def __init__(self, directory):
        self.file = directory / "crash-counts"
        self.begin(PROGRAM, 0)

    def begin(self, scope, number, when="before", whom="self", error=None):
        """`error`: an errno's name; then nobody is killed."""
        self.scope, self.number, self.when, self.whom = scope, number, when, whom
        self.error = error
        self.file.write_bytes(
            bytes(COUNTS.size + len(SCOPES) * NAMES * NAME_SIZE))

    def strike(self, agent, command, scope, number, when="before"):
        """Runs the agent's command with it; whether the call was reached."""
        self.begin(scope, number, when)
        agent.environment = self.environment
        agent.try_to(command)
        agent.environment = None
        return self.reached()

    @property
    def environment(self):
        return preloaded(
            "crash_at", CRASH_COUNTS=str(self.file), CRASH_SCOPE=self.scope,
            CRASH_AT=str(self.number), CRASH_WHEN=self.when, CRASH_WHOM=self.whom,
            CRASH_ERRNO=str(getattr(errno, self.error)) if self.error else "0")

    def calls(self):
        """How many there have been, of the scope."""
        counts = COUNTS.unpack_from(self.file.read_bytes())
        return counts[SCOPES.index(self.scope)]

    def reached(self):
        return 0 < self.number <= self.calls()

    def name(self, number):
        begin = (SCOPES.index(self.scope) * NAMES + number - 1) * NAME_SIZE + COUNTS.size
        raw = self.file.read_bytes()[begin:begin + NAME_SIZE]
        return raw.rstrip(b"\0").decode()

    def __str__(self):
        if self.error:
            return (f"{self.scope}'s call {self.number}, {self.name(self.number)}, "
                    f"fails with {self.error}")
        return (f"killed ({self.whom}) {self.when} {self.scope}'s call {self.number}, "
                f"{self.name(self.number)}")
