"""A compute host: Debian's kernel in QEMU, without KVM, with emulated cards that are parents of mediated devices. This machine's
file system is its own, below a layer in memory; what outlives a reboot is on a disk.

    host = ComputeHost(directory, name, rig, installed)
    host.configure(cloud, mode)
    host.power_on()
    host.run("virsh list")
"""
import http.client
import json
import pathlib
import shutil
import subprocess

from control_plane import CONTROLLER, RABBIT, SLOW_HOST, Process, credentials, wait_for, write_ini

HERE = pathlib.Path(__file__).resolve().parent
SHELL = 2222
CARDS = {"nvidia-35": "0000:00:04.0", "nvidia-36": "0000:00:05.0"}
BOOT = 600.0  # seconds, on a busy machine


class ComputeHost:
    def __init__(self, directory, name, rig, installed):
        """`rig`: the folder with kernel, first file system and Python's disk; `installed`: of `make install DESTDIR=`."""
        self.directory, self.name, self.rig = directory, name, rig
        self.share = directory / "share"
        self.root = self.share / "root"  # goes over the host's file system when it boots
        self.process = None
        self.boots = 0
        (self.share / "log").mkdir(parents=True)
        shutil.copytree(installed, self.root, symlinks=True)
        shutil.copy(HERE / "host/shell.py", self.share)
        units = self.root / "etc/systemd/system"
        units.mkdir(parents=True, exist_ok=True)
        for unit in (HERE / "host/units").iterdir():
            shutil.copy(unit, units)
        self.write("etc/hostname", name + "\n")
        self.disk = directory / "host.disk"
        subprocess.run(["truncate", "-s", "8G", str(self.disk)], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1", str(self.disk)], check=True)

    def write(self, path, text):
        """A file of the host, from its next boot on."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    # ---- its configuration

    def configure(self, cloud, mode):
        uuid = pathlib.Path("/proc/sys/kernel/random/uuid").read_text().strip()
        self.write("etc/libvirt/qemu.conf", 'user = "root"\ngroup = "root"\nsecurity_driver = "none"\ncgroup_controllers = []\n'
                                            'namespaces = []\nstdio_handler = "file"\nremember_owner = 0\n')
        # Each call of the API with its time.
        self.write("etc/libvirt/libvirtd.conf", f'host_uuid = "{uuid}"\nunix_sock_group = "libvirt"\nunix_sock_rw_perms = "0770"\n'
                                                'auth_unix_rw = "none"\nlog_filters = "1:libvirt.domain"\n'
                                                'log_outputs = "3:journald 1:file:/var/log/libvirt/calls.log"\n')
        types = {"devices": {"enabled_mdev_types": ", ".join(CARDS)},
                 **{f"mdev_{kind}": {"device_addresses": address} for kind, address in CARDS.items()}}
        (self.root / "etc/nova").mkdir(parents=True, exist_ok=True)
        write_ini(self.root / "etc/nova/nova.conf", {**self.nova_options(cloud), **(types if mode == "nova" else {})})
        write_ini(self.root / "etc/vgpu-agent/vgpu-agent.conf", {
            # In owner mode to attach is the default; beside Nova's own attaching it heals what that loses.
            "agent": {"mode": mode, "release_grace": 10, "log_level": "debug", **({"attach": "libvirt"} if mode == "nova" else {})},
            **(types if mode == "owner" else {})})
        self.write("etc/default/vgpu-agent",
                   'VGPU_AGENT_OPTIONS="--config-file /etc/nova/nova.conf --config-dir /etc/vgpu-agent"\n')
        # As doc/operating.rst says: the right to write to libvirt's socket.
        drop_in = self.root / "etc/systemd/system/vgpu-agent.service.d"
        drop_in.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.root / "usr/share/vgpu-agent/systemd/libvirt.conf", drop_in)

    @staticmethod
    def nova_options(cloud):
        mine = {**credentials(cloud.keystone, "nova"), "valid_interfaces": "internal"}
        privileged = {"helper_command": "/usr/bin/privsep-helper --config-file /etc/nova/nova.conf"}
        return {
            "DEFAULT": {"debug": "true", "compute_driver": "libvirt.LibvirtDriver", "state_path": "/var/lib/nova",
                        "transport_url": f"rabbit://guest:guest@{CONTROLLER}:{RABBIT}/", "my_ip": "10.0.2.15",
                        "allow_resize_to_same_host": "true", "resume_guests_state_on_host_boot": "true", "shutdown_timeout": 5,
                        "reserved_host_memory_mb": 0, "vif_plugging_is_fatal": "false", "vif_plugging_timeout": 0,
                        "report_interval": 30, **SLOW_HOST},
            "libvirt": {"virt_type": "qemu", "cpu_mode": "none", "wait_soft_reboot_seconds": 5},
            "vnc": {"enabled": "false"}, "oslo_concurrency": {"lock_path": "/var/lib/nova"},
            "oslo_messaging_rabbit": {"heartbeat_timeout_threshold": 0},
            **{section: mine for section in ("placement", "glance", "neutron", "service_user")},
            **{section: privileged for section in ("nova_sys_admin", "privsep_osbrick", "vif_plug_linux_bridge_privileged",
                                                   "vif_plug_ovs_privileged")}}

    # ---- power

    def power_on(self):
        self.boots += 1
        self.process = Process(
            ["/usr/bin/qemu-system-x86_64", "-accel", "tcg,thread=multi", "-M", "q35", "-cpu", "Nehalem", "-smp", "2", "-m", "6144",
             "-nodefaults", "-display", "none", "-no-reboot", "-serial", f"file:{self.directory}/console-{self.boots}",
             "-kernel", f"{self.rig}/vmlinuz", "-initrd", f"{self.rig}/first.gz",
             "-append", "console=ttyS0 quiet panic=-1 mitigations=off",
             "-drive", f"file={self.disk},if=virtio,format=raw,cache=unsafe",
             "-drive", f"file={self.rig}/python.disk,if=virtio,format=raw,readonly=on",
             "-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{SHELL}-:{SHELL}", "-device", "virtio-net-pci,netdev=net,addr=10.0",
             "-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
             "-virtfs", f"local,path={self.share},mount_tag=share,security_model=none,multidevs=remap",
             *[word for address in CARDS.values() for word in ("-device", f"edu,addr={address[-4:]}")]],
            self.directory / "qemu.log")
        wait_for(lambda: self.try_to("true", 20) == (0, ""), "the compute host's shell", BOOT)

    def cut_power(self):
        """What is written is on its disk; all else is lost."""
        self.run("sync")
        self.process.kill()

    # ---- what happens there

    def ask(self, path, question, timeout):
        connection = http.client.HTTPConnection("127.0.0.1", SHELL, timeout=timeout)
        try:
            connection.request("POST", path, json.dumps(question))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def try_to(self, command, timeout=600):
        """(status, output); None while nobody answers."""
        try:
            done = self.ask("/run", {"command": command, "timeout": timeout}, timeout + 30)
        except (OSError, http.client.HTTPException):
            if not self.process.runs():
                raise AssertionError(f"the compute host has ended: {self.process.output()}") from None
            return None
        return done["status"], done["output"]

    def run(self, command, timeout=600):
        """What it prints; it must succeed."""
        done = self.try_to(command, timeout)
        if not done or done[0]:
            raise AssertionError(f"on the compute host: {command}: {done}")
        return done[1]

    def look(self, server):
        """What it has of a server, and all devices: see host/shell.py."""
        return self.ask("/look", {"server": server}, 120)
