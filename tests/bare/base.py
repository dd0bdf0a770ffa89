"""A bare Debian 12 in a folder, and steps that are told a line each: what tests/bare/run and tests/bare/packages share."""
import os
import pathlib
import re
import shutil
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
FOLDER = TOP / "build/bare"
BASE = FOLDER / "base"
SUITE = "bookworm"
SHOWN = 40, 6000  # lines of a log, characters of them
LINES_AT_END = 28  # that say what failed
ROUTINE = r"(skip|CC|AR|LD) |\[[0-9:]+\] \S+ \.+ ok\b"  # lines of it that tell nothing of a failure
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Skip(Exception):
    pass


class Failure(Exception):
    """What was expected, and the text of the log that shows it."""

    def __init__(self, what, text=""):
        super().__init__(what)
        self.telling = [line for line in text.splitlines() if not re.match(ROUTINE, line)]

    def log(self):
        return "\n".join(self.telling[-SHOWN[0]:])[-SHOWN[1]:]

    def why(self):
        """The tests that failed, as the runners name them at their end, a line each; without such the log's last lines."""
        return [line for line in self.telling if re.match("(# )?FAILED ", line)] or self.telling[-5:]


class Steps:
    def __init__(self, minutes):
        self.end = time.monotonic() + 60 * minutes
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.failures = []  # (step, failure)

    def run(self, words, log, **more):
        """To the end or to that of the time; output into the log. Gives the status and the text."""
        file = FOLDER / f"{log}.log"
        with open(file, "wb") as output:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, **more)
            try:
                status = process.wait(max(self.end - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                status = "no time left"
            finally:  # of this script, too
                process.kill()
                process.wait()
        return status, file.read_text(errors="replace")

    def step(self, what, function):
        begin = time.monotonic()
        try:
            said = function()
        except Skip as reason:
            self.counts["skipped"] += 1
            print(f"skip {what}: {reason}", flush=True)
        except Failure as failure:
            self.counts["failed"] += 1
            self.failures.append((what, failure))
            print(f"FAIL {what} ({time.monotonic() - begin:.0f} s)", *failure.log().splitlines(), sep="\n    ", flush=True)
        else:
            self.counts["passed"] += 1
            print(f"ok   {what} ({time.monotonic() - begin:.0f} s){': ' + said if said else ''}", flush=True)


    def verdict(self):
        """Tells once more what failed, briefly, since a log is often cut to its end; then the counts. Gives the exit status."""
        for what, failure in self.failures[:LINES_AT_END]:
            share = max(LINES_AT_END // len(self.failures) - 1, 0)
            print(f"FAILED {what}: {failure}", *failure.why()[:share], sep="\n    ")
        print(", ".join(f"{count} {how}" for how, count in self.counts.items()))
        return 1 if self.counts["failed"] else 0


def expect(met, what, text):
    if not met:
        raise Failure(what, text)


# ---- the system ----

def archive():
    """Where this machine's apt has Debian from."""
    words = ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(COMPONENT)|$(RELEASE)|$(REPO_URI)", "Created-By: Packages"]
    for line in subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines():
        origin, component, release, uri = line.split("|")
        if (origin, component) == ("Debian", "main") and "-" not in release:
            return uri
    return None


def proxy():
    """apt's, for what is not apt."""
    said = subprocess.run(["apt-config", "shell", "proxy", "Acquire::http::Proxy"], capture_output=True, text=True, check=True)
    found = re.search(r"proxy='(.+)'", said.stdout)
    return {"http_proxy": found[1], "https_proxy": found[1]} if found else {}


def use_apt_as_this_machine():
    """And no care for the disk: the system is thrown away."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    lines = re.findall(r"(?m)^Acquire::(?:https?|Check-)\S* .*$", dump)
    etc = BASE.with_suffix(".new") / "etc"
    (etc / "apt/apt.conf.d/90archive").write_text("\n".join(lines) + "\n")
    (etc / "dpkg/dpkg.cfg.d/90throw-away").write_text("force-unsafe-io\n")


def build_base(bare):
    """With the file that it is complete by its name."""
    if BASE.exists():
        return "kept from before"
    found = archive()
    if not found and subprocess.run(["apt-get", "update", "-qq"], check=False).returncode == 0:
        found = archive()
    if not found:
        raise Skip("this machine's apt has no archive of Debian")
    new = BASE.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    status, text = bare.run(["unshare", "--mount", "debootstrap", "--variant=minbase", "--include=make,git,ca-certificates",
                             SUITE, str(new), found], "debootstrap", env={"PATH": PATH, "DPKG_FORCE": "unsafe-io", **proxy()})
    expect(status == 0, f"debootstrap: {status}", text)
    use_apt_as_this_machine()
    new.rename(BASE)
    return None


def copy_base(root):
    """With this machine's names."""
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(["cp", "-a", BASE, root], check=True)
    for name in ("resolv.conf", "hosts"):
        shutil.copy(f"/etc/{name}", root / "etc")


def no_fuse():
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        return f"/dev/fuse: {error.strerror}"
    return None


def cannot():
    """Why nothing of it can be done here."""
    if os.geteuid() != 0:
        return "only root can make another system"
    tried = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, text=True, check=False)
    return f"no namespaces here: {tried.stderr.strip()}" if tried.returncode else None
