"""The daemon, made to work by signals and measured from outside."""
import contextlib
import http.client
import pathlib
import re
import signal

from .process import wait_for

SERVES = re.compile(r"serves http://127\.0\.0\.1:(\d+)/metrics")
CYCLES = re.compile(rb"^vgpu_agent_cycle_seconds_count (\d+)$", re.M)


class WatchedDaemon:
    """One life of an agent's daemon, from its start on. It needs `listen = 0`."""

    def __init__(self, agent, patience=20.0):
        before = len(SERVES.findall(agent.daemon.output())) if agent.daemon else 0
        self.process, self.patience = agent.start(), patience

        def ports():
            return SERVES.findall(self.process.output())[before:] or \
                not self.process.runs() and [0]
        port = int(wait_for(ports, "the daemon's metrics", patience)[0])
        if not port:
            raise AssertionError(f"the daemon ended:\n{self.process.output()[-4000:]}")
        self.port, self.cycles = port, 0

    def count(self):
        """How many cycles it has done."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=self.patience)
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read()
        finally:
            connection.close()
        self.cycles = int(CYCLES.search(text).group(1))
        return self.cycles

    def poke(self):
        self.process.popen.send_signal(signal.SIGUSR1)

    def run_cycle(self):
        """One more cycle comes to its end."""
        before = self.count()
        self.poke()
        wait_for(lambda: self.count() > before, "a cycle", self.patience)

    def kill(self):
        self.process.kill()

    def stop(self):
        """The exit status; sanitizers and valgrind tell by it."""
        return self.process.stop(self.patience)

    @property
    def pid(self):
        return self.process.pid


def descriptors(pid):
    """What is open, as links of /proc say it; but for what is closed meanwhile."""
    names = []
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            names.append(link.readlink().name)
    return sorted(names)


def memory(pid):
    """That is its own, or was until it forked, in KiB."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Anonymous: +(\d+) kB", text, re.M).group(1))


def running(word):
    """The processes that have it in their command line."""
    found = set()
    for file in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if word.encode() in file.read_bytes():
                found.add(file.parent.name)
    return found


def children(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def name_and_state(pid):
    """As the kernel has them, such as ("vgpu-agent", "S"); None when it is gone."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    name, rest = stat.split("(", 1)[1].rsplit(")", 1)
    return name, rest.split()[0]


def children_called(pid, name):
    """The pids of those of that name, of which the kernel keeps 15 characters."""
    return [int(child) for child in children(pid) if (name_and_state(child) or [None])[0] == name[:15]]


def has_ended(pid):
    """Nobody may have asked yet how it ended."""
    found = name_and_state(pid)
    return not found or found[1] in "ZX"
