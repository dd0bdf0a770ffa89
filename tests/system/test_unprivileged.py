"""The agent as a user of its own, with the unit's capabilities, which may write exactly the
files that the udev rule gives to its group (etc/udev/90-vgpu-agent.rules)."""
import json
import os
import re
import shutil
import stat
import subprocess
import sys

from support import wait_for
from support.fleet import FleetTest, new_uuid
from support.process import TOP, Process, program, run

USER, GROUP, STRANGER = 61234, 61235, 61236
RULES = TOP / "etc/udev/90-vgpu-agent.rules"
# A process whose first thread ends alone: exit(2), of which Python knows nothing.
HOLDER = """
import ctypes, os, platform, sys, threading
os.open(sys.argv[1], os.O_RDONLY)
def rest():
    while not open('/proc/self/stat').read().split(')')[1].startswith(' Z'): pass
    print('held', flush=True)
    sys.stdin.read()
threading.Thread(target=rest).start()
ctypes.CDLL(None).syscall({'x86_64': 60, 'aarch64': 93}[platform.machine()], 0)
"""
A, B = "0000:84:00.0", "0000:85:00.0"


class Unprivileged(FleetTest):
    capabilities = tuple(word.removeprefix("CAP_").lower() for word in re.search(
        r"(?m)^AmbientCapabilities=(.*)$",
        (TOP / "etc/systemd/vgpu-agent.service").read_text())[1].split())

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")
        self.build_guide()
        # What the unit's StateDirectory and the packages see to.
        self.directory.chmod(0o755)
        for folder, _, files in os.walk(self.agent.directory):
            os.chmod(folder, 0o755)
            for file in (os.path.join(folder, name) for name in files):
                if not os.path.islink(file):
                    os.chmod(file, 0o644)
        self.host.root.parent.chmod(0o755)
        self.state = self.agent.directory / "lib"
        self.state.mkdir(0o700)
        os.chown(self.state, USER, GROUP)
        self.agent.state_file = self.state / "state.json"
        self.agent.configure({"agent": self.options, **self.types})
        self.program = self.directory / "vgpu-agent"
        shutil.copy(program("vgpu-agent"), self.program)
        self.program.chmod(0o755)

    def arguments(self, *words, user=USER, capabilities=None):
        """Of a command as that user, with these capabilities and none to be had, as the
        unit's are."""
        if capabilities is None:
            capabilities = self.capabilities if user == USER else ()
        these = ",".join(["-all", *(f"+{name}" for name in capabilities)])
        return ["setpriv", f"--reuid={user}", f"--regid={GROUP if user == USER else user}",
                "--clear-groups", "--no-new-privs", f"--bounding-set={these}",
                f"--inh-caps={these}", f"--ambient-caps={these}", str(self.program),
                *self.agent.arguments(*words)[1:]]

    def as_user(self, *words, **more):
        return run(self.arguments(*words, **more))

    def start(self):
        log = self.agent.directory / "daemon.log"
        starts = log.read_text().count(" starts") if log.exists() else 0
        self.agent.daemon = Process(self.arguments("run"), log)
        # Before that it does not know what to do with a signal.
        wait_for(lambda: self.agent.daemon.output().count(" starts") > starts,
                 "the daemon")
        wait_for(lambda: self.as_user("plan").returncode == 0, "an empty plan")

    def apply_rule(self, word, device):
        """What udev runs for a device: the rule that has this word in it."""
        (rule,) = [line for line in RULES.read_text().splitlines()
                   if word in line and not line.startswith("#")]
        command = re.search(r"""RUN\+="/bin/sh -c '(.*)'"$""", rule)[1]
        path = os.path.realpath(device)[len(str(self.host.root)):]
        command = command.replace("%S", str(self.host.root)).replace("%p", path)
        command = command.replace("chgrp vgpu-agent", f"chgrp {GROUP}")
        done = run(["/bin/sh", "-c", command])
        self.assertEqual((done.returncode, done.stderr), (0, ""), command)

    def state_of(self, consumer):
        """How its allocation stands; None before the daemon knows of it."""
        rows = json.loads(self.as_user("allocations", "--format", "json").stdout)
        return next((row["state"] for row in rows if row["consumer"] == consumer), None)

    def give_types(self, gpu):
        self.apply_rule('TEST=="mdev_supported_types"', self.host.parent(gpu))

    def give_device(self, device):
        self.apply_rule('SUBSYSTEM=="mdev", RUN',
                        self.host.root / "bus/mdev/devices" / device)

    def give_parameters(self, device):
        self.apply_rule('TEST=="nvidia/vgpu_params"',
                        self.host.root / "bus/mdev/devices" / device)

    def test_what_its_group_may_write_it_writes(self):
        self.give_types(A)
        self.start()
        server, refused = self.allocate(A), self.allocate(B)
        (device,) = wait_for(self.host.mdevs, "the device")
        self.assertEqual(self.host.mdevs()[device][0], A)
        # Where the rule has not been, it is said, and nobody else is held up.
        status = wait_for(lambda: (d := self.as_user("status")).returncode and d.stdout,
                          "the refusal")
        self.assertIn(f"{B}: create device: ", status)
        self.assertRegex(status, r'its "create" must be writable for the user \w+; udev\'s rule 90-vgpu-agent.rules gives '
                                 r"it to the group vgpu-agent \(udevadm control --reload && udevadm trigger\)")
        self.give_types(B)
        wait_for(lambda: len(self.host.mdevs()) == 2, "the second device")

        # The same with what takes devices away.
        self.give_device(self.devices_of(B, refused).pop())
        self.placement.allocate(server, {}, 1)
        self.placement.allocate(refused, {}, 1)
        wait_for(lambda: set(self.host.mdevs()) == {device}, "the removal")
        self.agent.daemon.wait_for_output("remove device: no permission")
        self.give_device(device)
        wait_for(lambda: not self.host.mdevs(), "the other removal")
        wait_for(lambda: self.as_user("status").returncode == 0, "all is well")

    def test_a_device_is_cleared_for_the_next_consumer(self):
        self.agent.configure({"agent": {**self.options, "release_grace": 3600},
                              **self.types})
        self.give_types(A)
        self.start()
        first = self.allocate(A)
        (device,) = wait_for(self.host.mdevs, "the device")
        wait_for(lambda: self.state_of(first) == "ready", "it to be noted")
        parameters = self.host.root / f"bus/mdev/devices/{device}/nvidia/vgpu_params"
        parameters.write_text("frame_rate_limiter=0\n")
        # Where the rule has not been, the next one gets a device of its own.
        self.placement.deallocate(first)
        second = self.allocate(A)
        wait_for(lambda: len(self.host.mdevs()) == 2, "another device")
        self.assertEqual(parameters.read_text(), "frame_rate_limiter=0\n")
        self.assertIn("must be writable for the user", self.agent.daemon.output())
        self.assertEqual(self.devices_of(A, second) - set(self.host.mdevs()), set())
        self.give_parameters(device)
        third = self.allocate(A)
        wait_for(lambda: self.state_of(third) == "ready", "the third one's device")
        self.assertEqual(len(self.host.mdevs()), 2)
        self.assertEqual(parameters.read_text(), "\n")

    def test_the_parameters_of_a_new_device_wait_for_udev(self):
        types = {**self.types, "mdev_nvidia-35": {**self.types["mdev_nvidia-35"], "vgpu_params": "console=1"}}
        self.agent.configure({"agent": self.options, **types})
        self.give_types(A)
        self.start()
        server = self.allocate(A)
        (device,) = wait_for(self.host.mdevs, "the device")
        self.give_device(device)
        self.give_parameters(device)
        wait_for(lambda: self.state_of(server) == "ready", "it to be ready")
        self.assertEqual((self.host.root / f"bus/mdev/devices/{device}/nvidia/vgpu_params").read_text(), "console=1\n")
        self.assertEqual(len([s for s in self.host.stores() if s["path"].endswith("/create")]), 1)

    def test_what_it_keeps_is_its_own(self):
        self.give_types(A)
        self.start()
        self.allocate(A)
        wait_for(self.host.mdevs, "the device")
        self.as_user("drain", B)
        for file in self.state.iterdir():
            found = file.stat()
            self.assertEqual((found.st_uid, stat.S_IMODE(found.st_mode)), (USER, 0o600),
                             file.name)
        for words in (["status"], ["plan"], ["sync"], ["drain", A]):
            refused = self.as_user(*words, user=STRANGER)
            self.assertNotEqual(refused.returncode, 0, words)
            self.assertRegex(refused.stderr, r"state\.json: Permission denied|the user \w+ may not write in the folder \S+, which belongs to ")
            self.assertEqual(len(refused.stderr.strip().splitlines()), 1, refused.stderr)

    def test_root_does_not_lock_it_out(self):
        """Root is who types commands; the daemon goes on with what they leave behind."""
        self.give_types(A)
        self.agent.run("sync")
        self.assertIn("the daemon does not run", self.agent.run("drain", B, status=1))
        self.assertEqual({f.name for f in self.state.iterdir()},
                         {"state.json", "state.json.lock", f"state.json.drained.{B}"})
        self.start()
        self.assertEqual(self.vgpus(B)[1], 16)
        self.allocate(A)
        wait_for(self.host.mdevs, "the device")
        self.agent.run("undrain", B)
        self.agent.run("status")
        self.assertEqual(self.agent.try_to("sync").returncode, os.EX_TEMPFAIL)
        before = self.host.mdevs()
        self.assertEqual(self.agent.stop(), 0)
        self.host.reboot()
        self.agent.run("restore")
        self.assertEqual(self.host.mdevs(), before)
        self.start()

    def test_nobody_looks_into_it(self):
        """Its memory holds secrets: not even processes of the same user may read it."""
        self.give_types(A)
        self.start()
        folder = f"/proc/{self.agent.daemon.pid}"
        self.assertEqual(os.stat(f"{folder}/environ").st_uid, 0)
        done = run(["setpriv", f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups",
                    "--inh-caps=-all", "--bounding-set=-all", "cat", f"{folder}/environ"])
        self.assertIn("Permission denied", done.stderr)
        self.assertNotEqual(done.returncode, 0)

    def hold(self, device, holder="exec 7<NODE && echo held && exec cat"):
        """A process of root's, alone in the /proc that the agent is shown, has the device's
        group open, in a /dev of its own. The agent is shown a container's root, with
        libvirt's folders as volumes."""
        tried = run(["unshare", "--pid", "--fork", "--mount", "true"])
        if tried.returncode:  # in a chroot, say, whose / is no mount point
            self.skipTest(f"no mount namespace can be made: {tried.stderr.strip()}")
        group = (self.host.root / f"bus/mdev/devices/{device}/iommu_group").readlink().name
        node, proc = f"/dev/vfio/{group}", self.agent.host_root / "proc"
        hold = (f"mount -t tmpfs none /dev && mkdir /dev/vfio && echo >{node} && "
                + holder.replace("NODE", node))
        holder = subprocess.Popen(
            ["unshare", "--pid", "--fork", "sh", "-c",
             'mount -t proc proc "$0" && exec unshare --mount sh -c "$1"', str(proc), hold],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(holder.communicate)
        self.addCleanup(subprocess.run, ["umount", str(proc)], check=False)
        self.assertEqual(holder.stdout.readline(), "held\n")
        for folder in ("etc/libvirt/qemu", "run/libvirt/qemu", "etc/mdevctl.d"):
            volume = self.agent.host_root / folder
            subprocess.run(["mount", "--bind", volume, volume], check=True)
            self.addCleanup(subprocess.run, ["umount", volume], check=False)

    def test_who_holds_a_device_without_a_first_thread(self):
        """Then /proc/<pid>/fd is empty; what is open shows below the other threads."""
        self.give_types(A)
        self.start()
        server = self.allocate(A)
        (device,) = wait_for(self.host.mdevs, "the device")
        self.hold(device, f"exec {sys.executable} -c \"{HOLDER}\" NODE")
        (row,) = json.loads(self.as_user("--format", "json", "allocations").stdout)
        self.assertEqual((row["consumer"], row["state"]), (server, "in use"))

    def test_who_holds_a_device(self):
        """What CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE are for."""
        self.give_types(A)
        self.start()
        server = self.allocate(A)
        (device,) = wait_for(self.host.mdevs, "the device")
        self.give_device(device)
        self.hold(device)
        (row,) = json.loads(self.as_user("--format", "json", "allocations").stdout)
        self.assertEqual((row["consumer"], row["state"]), (server, "in use"))
        # That was a container's /proc: there may be more holders.
        self.assertIn("none is removed: /proc shows only the processes of a container",
                      self.as_user("status").stdout)
        # Without a part of them it says that it cannot know.
        for some in self.capabilities:
            status = self.as_user("status", capabilities=[some])
            self.assertEqual(status.returncode, 1, status.stdout)
            self.assertRegex(status.stdout,
                             "who uses which device is not known, so none is "
                             "removed: /proc/1/(fd|root).*: Permission denied")

    def test_files_of_others(self):
        """libvirt's domains and nova.conf are readable for root, and others' groups."""
        nova = self.agent.directory / "nova.conf"
        nova.write_text("[placement]\nregion_name = One\n")
        self.agent.define_domain(new_uuid(), [])
        for file in (nova, self.agent.file, *self.agent.host_root.glob("etc/libvirt/qemu/*")):
            file.chmod(0o600)
        (self.agent.host_root / "etc/libvirt/qemu").chmod(0o700)
        done = self.as_user("--config-file", str(nova), "plan")
        self.assertEqual((done.returncode, done.stderr), (2, ""))
        self.assertIn("Permission denied", self.as_user("plan", capabilities=()).stderr)
