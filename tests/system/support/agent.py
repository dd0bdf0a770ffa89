"""vgpu-agent with a configuration of its own."""
import json
import re

from . import schemas
from .hostdev import hostdev_xml
from .process import Process, program, run, wait_for


def make_host_root(directory):
    """What stands for / where the agent looks for domains and processes: there are none."""
    for folder in ("etc/libvirt/qemu", "run/libvirt/qemu", "etc/mdevctl.d",
                   "proc/1/fd", "proc/1/ns"):
        (directory / folder).mkdir(parents=True)
    # The host's, not a container's.
    (directory / "proc/1/ns/pid").symlink_to("pid:[4026531836]")
    (directory / "proc/1/root").symlink_to("../..")


class Agent:
    """`configuration`: {section: {option: value}}; lists are joined with commas. What
    every test needs is filled in where it is not given."""

    def __init__(self, directory, host, placement, configuration):
        self.directory = directory
        self.file = directory / "vgpu-agent.conf"
        self.state_file = directory / "state.json"
        self.host_root = directory / "root"
        make_host_root(self.host_root)
        self.host, self.placement = host, placement
        self.environment = None  # the programs'; None: this process's own
        self.wrapper = []  # what runs the daemon, as valgrind does
        self.program = None  # the agent's path; None: that of the build
        self.daemon = None
        self.configure(configuration)

    def configure(self, configuration):
        """Writes the file anew."""
        given = {section: dict(options) for section, options in configuration.items()}
        agent = given.setdefault("agent", {})
        agent.setdefault("state_file", self.state_file)
        agent.setdefault("host_root", self.host_root)
        if self.host:
            agent.setdefault("sysfs_root", self.host.root)
        if self.placement:
            placement = given.setdefault("placement", {})
            placement.setdefault("auth_type", "admin_token")
            placement.setdefault("token", self.placement.token)
            placement.setdefault("endpoint", self.placement.url)
        lines = []
        for section, options in given.items():
            lines.append(f"[{section}]")
            for option, value in options.items():
                if isinstance(value, (list, tuple)):
                    value = ", ".join(value)
                lines.append(f"{option} = {value}")
            lines.append("")
        self.file.write_text("\n".join(lines))

    def arguments(self, *words):
        return [self.program or program("vgpu-agent"), "--config-file", str(self.file), *words]

    def try_to(self, *words):
        """Runs one command; the CompletedProcess, whatever its status."""
        done = run(self.arguments(*words), env=self.environment)
        schemas.check(words, done.stdout)
        return done

    def run(self, *words, status=0):
        """Runs one command that must end in `status`; what it printed."""
        done = self.try_to(*words)
        if done.returncode != status:
            raise AssertionError(
                f"vgpu-agent {' '.join(words)}: {done.returncode}, not {status}\n"
                f"{done.stdout}{done.stderr}")
        return done.stdout

    def json(self, *words, status=0):
        return json.loads(self.run("--format", "json", *words, status=status))

    def is_idle(self):
        """No step is to be done, whatever is not well."""
        done = self.try_to("--format", "json", "plan")
        return done.returncode in (0, 1) and bool(done.stdout) and \
            json.loads(done.stdout)["steps"] == []

    def settle(self):
        """Waits until the daemon has nothing left to do."""
        wait_for(self.is_idle, "an empty plan")

    def hold_group(self, pid, group):
        """Makes it look as if a process had the VFIO group open."""
        folder = self.host_root / f"proc/{pid}/fd"
        folder.mkdir(parents=True)
        (folder / "7").symlink_to(f"/dev/vfio/{group}")

    def define_domain(self, uuid, mdevs, running=False, text=""):
        """A libvirt domain with these devices, called `text` wherever a tenant has a say; gives its file."""
        hostdevs = "".join(hostdev_xml(mdev) for mdev in mdevs)
        metadata = f"<metadata><nova:name xmlns:nova='n' of='{text}'>{text}</nova:name></metadata>" if text else ""
        domain = (f"<domain type='kvm'><name>{text or 'd-' + uuid[:8]}</name><uuid>{uuid}</uuid>{metadata}"
                  f"<description>{text}</description><devices>{hostdevs}</devices></domain>")
        if running:
            domain = f"<domstatus state='running' pid='1'>{domain}</domstatus>"
        folder = "run/libvirt/qemu" if running else "etc/libvirt/qemu"
        file = self.host_root / folder / f"d-{uuid[:8]}.xml"
        file.write_text(domain)
        return file

    def undefine_domains(self):
        """Those that do not run."""
        for file in (self.host_root / "etc/libvirt/qemu").glob("*.xml"):
            file.unlink()

    def start(self, *words):
        """In the background; the daemon, unless told otherwise."""
        self.daemon = Process([*self.wrapper, *self.arguments(*words or ("run",))],
                              self.directory / "daemon.log", env=self.environment)
        return self.daemon

    def address(self):
        """Of the daemon's pages, which it has with `listen = 0`."""
        return re.search(r"127\.0\.0\.1:\d+", self.daemon.wait_for_output("serves http")).group()

    def stop(self):
        if self.daemon:
            return self.daemon.stop()
        return 0
