"""A node of DevStack: its phases are run, and systemctl, sudo, make and openstack are stand-ins."""
import configparser
import os
import pathlib
import shlex
import shutil
import socketserver
import subprocess
import threading

from .agent import make_host_root
from .process import BUILD, TOP, Process, outside_make

SOURCE = os.environ.get("DEVSTACK_SOURCE")

# As stack.sh does: errexit, the functions, what local.conf says, then settings and phases of the plugin.
NODE = r"""
set -e
export TOP_DIR=$NODE
os_PACKAGE=deb os_VENDOR=Debian DISTRO=bookworm FILES=$DEVSTACK_SOURCE/files
if [[ -n "$DEVSTACK_SOURCE" ]]; then
    source "$DEVSTACK_SOURCE/functions"
    eval "$(sed -n '/^function create_service_user/,/^}/p' "$DEVSTACK_SOURCE/lib/keystone")"
    declare -A _TIME_START _TIME_TOTAL
else
    source "$TOP/tests/system/support/devstack_stand_in.sh"
fi
echo_summary() { echo "summary: $*"; }
GITDIR[vgpu-agent]=$TOP
DEVSTACK_PLUGINS=vgpu-agent
source "$NODE/localrc"
load_plugin_settings
for phase in "$@"; do
    run_phase $phase
    # As a section [[post-config|$VGPU_AGENT_CONF]] of local.conf: not this machine's processes and domains.
    if [[ "$phase" == "stack post-config" && -e "$VGPU_AGENT_CONF" ]]; then
        iniset "$VGPU_AGENT_CONF" agent host_root "$NODE/root"
    fi
done
"""

STAND_INS = {
    "sudo": 'exec "$@"\n',
    # What the build made is installed by the Makefile's own rule; nothing is built or cleaned.
    "make": """echo "make $*" >>"$NODE/log"
case " $* " in *install\\ *)
    exec "$REAL_MAKE" -s "$@" -o all BUILD="$BUILD" MAN_PAGES= UNITS= TMPFILES= ;;
esac
""",
    # Knows the flavors that it made.
    "openstack": """echo "openstack $*" >>"$NODE/log"
case " $* " in
    *" flavor show "*) test -e "$NODE/flavor-${!#}" ;;
    *" flavor create "*) >"$NODE/flavor-${!#}" ;;
    *" create "*) echo an-id ;;
esac
""",
    "systemctl": """exec /usr/bin/python3 - "$NODE/systemd" "$@" <<'END'
import socket, sys
with socket.socket(socket.AF_UNIX) as s:
    s.connect(sys.argv[1])
    s.sendall("\\0".join(sys.argv[2:]).encode() + b"\\n")
    sys.exit(int(s.makefile().readline()))
END
""",
}


class Systemd:
    """What the stand-in of systemctl asks: starts and stops what the units say."""

    def __init__(self, directory):
        self.units = directory / "units"
        self.units.mkdir()
        self.directory, self.enabled, self.running, self.asked = directory, set(), {}, []
        systemd = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                words = self.rfile.readline().decode().rstrip("\n").split("\0")
                systemd.asked.append(words)
                self.wfile.write(b"%d\n" % systemd.do(*words))

        self.server = socketserver.UnixStreamServer(str(directory / "systemd"), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def do(self, verb, unit=None):
        if verb == "is-enabled":
            return int(unit not in self.enabled)
        if verb == "enable":
            self.enabled.add(unit)
        elif verb == "disable":
            self.enabled.discard(unit)
        elif verb == "start" and not self.runs(unit):
            self.running[unit] = Process(self.command(unit), self.directory / f"{unit}.log")
        elif verb == "stop" and unit in self.running:
            return self.running.pop(unit).stop()
        return 0

    def runs(self, unit):
        return unit in self.running and self.running[unit].runs()

    def command(self, unit):
        file = configparser.RawConfigParser(delimiters="=", strict=False)
        file.optionxform = str
        file.read(self.units / unit)
        return shlex.split(file["Service"]["ExecStart"])

    def stop(self):
        """The daemon before the GPUs that it looks at; how each ended."""
        ends = [process.stop() for _, process in sorted(self.running.items())]
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        return max(ends, default=0)


class Node:
    def __init__(self, directory, source=None, services="n-cpu", placement="http://127.0.0.1:1", **variables):
        self.directory, self.prefix = directory, directory / "usr"
        self.log = directory / "log"
        self.log.touch()
        self.nova_conf, self.nova_cpu_conf = directory / "nova.conf", directory / "nova-cpu.conf"
        for file in (self.nova_conf, self.nova_cpu_conf):
            file.write_text(f"[placement]\nauth_type = noauth\nendpoint_override = {placement}\n")
        self.conf = directory / "etc/vgpu-agent/vgpu-agent.conf"
        self.systemd = Systemd(directory)
        make_host_root(directory / "root")
        programs = directory / "bin"
        programs.mkdir()
        for name, text in STAND_INS.items():
            (programs / name).write_text("#!/bin/bash\n" + text)
            (programs / name).chmod(0o755)
        path = os.environ["PATH"]
        self.environment = {
            **outside_make(), "NODE": str(directory), "TOP": str(TOP), "DEVSTACK_SOURCE": source or "", "BUILD": str(BUILD),
            "PATH": f"{programs}:{path}", "REAL_MAKE": shutil.which("make"), "HOSTNAME": "compute",
            "ENABLED_SERVICES": services, "DISABLED_SERVICES": "", "DEST": str(directory), "DATA_DIR": str(directory),
            "STACK_USER": subprocess.check_output(["id", "-un"], text=True).strip(),
            "SYSTEMD_DIR": str(self.systemd.units), "SYSTEMCTL": "systemctl", "SERVICE_PASSWORD": "secret",
            "SERVICE_DOMAIN_NAME": "Default", "SERVICE_PROJECT_NAME": "service", "REGION_NAME": "RegionOne",
            "KEYSTONE_SERVICE_URI": "http://127.0.0.1:1/identity", "NOVA_CONF": str(self.nova_conf),
            "NOVA_CPU_CONF": str(self.nova_cpu_conf), "VIRT_DRIVER": "fake", "VGPU_AGENT_DIR": str(TOP),
            "VGPU_AGENT_PREFIX": str(self.prefix), "VGPU_AGENT_SYSCONFDIR": str(directory / "etc"), **variables}
        self.localrc = ""

    def try_to(self, *phases):
        """Runs phases in one shell, as stack.sh does; the CompletedProcess."""
        (self.directory / "localrc").write_text(self.localrc)
        return subprocess.run(["bash", "-c", NODE, "stack.sh", *phases], env=self.environment, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=300)

    def run(self, *phases):
        done = self.try_to(*phases)
        if done.returncode != 0:
            raise AssertionError(f"{phases}: {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
        return done.stdout + done.stderr

    def asked(self, word):
        """The command lines of make and openstack with `word` in them."""
        return [line for line in self.log.read_text().splitlines() if word in line]

    def options(self, path):
        """A file as configparser has it: an option that is there twice is an error."""
        file = configparser.RawConfigParser(delimiters="=")
        file.optionxform = str
        with open(path) as lines:
            file.read_file(lines)
        return file

    def installed(self, name):
        return pathlib.Path(self.prefix / name).exists()

    def stop(self):
        return self.systemd.stop()
