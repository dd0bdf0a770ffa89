"""How long requests take, how many a second there are, and how much memory it takes."""
import multiprocessing
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

from load import MICROVERSION, Connection

HEADERS = {"X-Auth-Token": "admin", "Accept": "application/json",
           "OpenStack-API-Version": f"placement {MICROVERSION}"}
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


class Samples:
    """Of one measurement; the median stands for them."""

    def __init__(self):
        self.values = []

    def add(self, value):
        self.values.append(value)

    @property
    def middle(self):
        return statistics.median(self.values)

    @property
    def noise(self):
        """How far the samples lie apart, in percent of the median."""
        return 100 * (max(self.values) - min(self.values)) / self.middle


def milliseconds(url, path, seconds):
    """The median of as many as fit, three at least."""
    connection, times = Connection(url), []
    end = time.perf_counter() + seconds
    while len(times) < 3 or (time.perf_counter() < end and len(times) < 2000):
        begin = time.perf_counter()
        status, body = connection.send("GET", path)
        times.append((time.perf_counter() - begin) * 1000)
        if status != 200:
            raise RuntimeError(f"GET {path}: {status} {body[:300]}")
    connection.close()
    return statistics.median(times)


def ask_until(stop, url, path):
    connection = Connection(url)
    while not stop.is_set():
        status, body = connection.send("GET", path)
        if status != 200:
            raise RuntimeError(f"GET {path}: {status} {body[:300]}")
    connection.close()


def beside(url, path, heavy, seconds):
    """(p50, p99) of requests for `path`, in milliseconds, while a client of its own
    process asks for `heavy` without end. A hundred requests at least."""
    stop = multiprocessing.Event()
    reader = multiprocessing.Process(target=ask_until, args=(stop, url, heavy), daemon=True)
    connection, times = Connection(url), []
    reader.start()
    try:
        end = time.perf_counter() + seconds
        while len(times) < 100 or time.perf_counter() < end:
            begin = time.perf_counter()
            status, body = connection.send("GET", path)
            times.append((time.perf_counter() - begin) * 1000)
            if status != 200:
                raise RuntimeError(f"GET {path}: {status} {body[:300]}")
            time.sleep(0.001)
    finally:
        stop.set()
        reader.join()
        connection.close()
    if reader.exitcode != 0:
        raise RuntimeError(f"GET {heavy} beside {path}: the reader failed")
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


def per_second(url, path, clients, seconds, script=None, environment=None):
    """Requests a second by wrk."""
    arguments = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "120s"]
    for name, value in HEADERS.items():
        arguments += ["-H", f"{name}: {value}"]
    if script:
        arguments += ["-s", str(script)]
    done = subprocess.run(arguments + [url + path], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=True,
                          env={**os.environ, **(environment or {})})
    total = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m),", done.stdout)
    if not total or "Non-2xx" in done.stdout:
        raise RuntimeError(f"wrk {path}:\n{done.stdout}{done.stderr}")
    return int(total[1]) / (float(total[2]) * UNITS[total[3]])


def sync_milliseconds(directory):
    """What a durable write of some pages costs at least, where nothing grows."""
    pages, times = bytes(6 * 4096), []
    with tempfile.TemporaryFile(dir=directory) as file:
        for at in range(100):
            os.pwrite(file.fileno(), pages, at * len(pages))
        os.fsync(file.fileno())
        for at in range(100):
            begin = time.perf_counter()
            os.pwrite(file.fileno(), pages, at * len(pages))
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times)


def family(pid):
    """The process and what it started."""
    pids = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            pids += family(int(child))
    return pids


def resident_kib(pids):
    """Of all processes together; what they share counts once (Pss)."""
    total = 0
    for pid in (member for pid in pids for member in family(pid)):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
    return total
