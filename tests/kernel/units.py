#!/usr/bin/env python3
"""Inside the guest, under its systemd: what `make install` has put there, set up as README says, on a real kernel's devices.
tests/kernel/run --units starts it."""
import json
import os
import re
import pathlib
import signal
import stat
import sys
import time
import unittest
import uuid

from guest import CARD, SRIOV, Holder, hang, name_of, parameter, run_tests, virtual_functions  # puts the tests' modules into the path
from support.host import Host
from support.placement import Placement
from support.process import TOP, run, wait_for

ROOT = "guest.example"
CONFIGURATION = {
    "/etc/placementd/placementd.conf": "[placementd]\nlisten = 127.0.0.1:8778\ndatabase = /var/lib/placementd/placement.db\n"
                                       "[api]\nauth_strategy = noauth2\n",
    # As nova.conf is: for root and its own group.
    "/etc/nova-of-test.conf": "[placement]\nauth_type = noauth\nendpoint_override = http://127.0.0.1:8778\n",
    "/etc/vgpu-agent/vgpu-agent.conf": f"[agent]\ncreate_root = true\nroot_provider_name = {ROOT}\nsync_interval = 1\n"
                                       "release_grace = 0\nlibvirt = false\n[devices]\nenabled_mdev_types = nvidia-35\n",
    "/etc/default/vgpu-agent": 'VGPU_AGENT_OPTIONS="--config-file /etc/nova-of-test.conf --config-dir /etc/vgpu-agent"\n',
}
README = (TOP / "README.rst").read_text()
# What it tells operators to type: after the installation, and once there are files.
INSTALLATION = re.split(r" *(?:\n|&&) *", re.search(r"make install prefix=/usr.*\n((?:    .+\n)+)", README)[1].strip())
OPERATION = re.findall(r"(?m)^    # (.+)$", README.split("\nWithout any cloud, ")[0])  # what follows has names of the reader's own


def command(line, status=0):
    """What it prints; it must end in that status. None: in any."""
    done = run(line.split())
    if status is not None and done.returncode != status:
        raise AssertionError(f"{line}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def property_of(unit, name):
    return command(f"systemctl show --property={name} --value {unit}")


def setUpModule():
    for file, text in CONFIGURATION.items():
        file = pathlib.Path(file)
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o640)
    command("systemctl start systemd-udevd")
    for line in INSTALLATION:
        command(line)
    command("systemctl start vgpu-agent-restore")
    command("groupadd --system --force libvirt")  # where nova-compute is, libvirt's package has made it
    OPERATION.sort(key=lambda line: "placementd" not in line)
    for line in OPERATION:
        command(line, status=2 if line == "vgpu-agent plan" else 0)


class Units(unittest.TestCase):
    def setUp(self):
        self.host = Host("/sys")
        self.placement = Placement("http://127.0.0.1:8778")

    def provider(self, address):
        return self.placement.provider(ROOT + name_of(address))["uuid"]

    def allocate(self, address, units):
        consumer = str(uuid.uuid4())
        provider = wait_for(lambda: self.placement.provider(ROOT + name_of(address)), "the provider")["uuid"]
        wait_for(lambda: self.placement.inventories(provider).get("VGPU", {}).get("total", 0) >= units, "its inventory")
        self.placement.allocate(consumer, {provider: {"VGPU": units}})
        return consumer

    def release(self, consumer):
        self.placement.allocate(consumer, {}, 1)
        wait_for(lambda: not self.host.mdevs(), "the devices to go")

    def wait_for_devices(self, count):
        return wait_for(lambda: len(devices := self.host.mdevs()) == count and devices, f"{count} devices")

    def states(self):
        """As root's command line shows them; it finds the daemon's files."""
        return {row["consumer"]: row["state"] for row in json.loads(command("vgpu-agent --format json allocations"))}

    def test_they_run_as_users_of_their_own(self):
        for unit in ("vgpu-agent", "placementd"):
            self.assertEqual(property_of(unit, "ActiveState"), "active")
            status = pathlib.Path(f"/proc/{property_of(unit, 'MainPID')}/status").read_text()
            self.assertNotIn("\nUid:\t0\t", status)
            self.assertIn("\nSeccomp:\t2\n", status)
            self.assertIn("\nNoNewPrivs:\t1\n", status)
        self.assertEqual(property_of("vgpu-agent", "StatusText"), "all is well")
        self.assertEqual(property_of("vgpu-agent-restore", "Result"), "success")
        self.assertEqual(command("systemctl is-enabled vgpu-agent-restore"), "enabled")
        for file in pathlib.Path("/var/lib/vgpu-agent").iterdir():
            self.assertEqual((file.owner(), stat.S_IMODE(file.stat().st_mode)), ("vgpu-agent", 0o600), file)

    def test_devices_come_and_go(self):
        consumer = self.allocate(CARD, 2)
        self.wait_for_devices(2)
        wait_for(lambda: self.states()[consumer] == "ready", "the devices")
        self.release(consumer)

    def test_a_device_is_cleared_for_the_next_consumer(self):
        """udev gives the driver's file for parameters to the group, too."""
        file = pathlib.Path("/etc/vgpu-agent/vgpu-agent.conf")
        good = file.read_text()
        self.addCleanup(command, "systemctl reload vgpu-agent")
        self.addCleanup(file.write_text, good)
        self.assertIn("release_grace = 0", good)
        file.write_text(good.replace("release_grace = 0", "release_grace = 3600"))
        command("systemctl reload vgpu-agent")
        first = self.allocate(CARD, 1)
        (device,) = self.wait_for_devices(1)
        parameters = pathlib.Path(f"/sys/bus/mdev/devices/{device}/nvidia/vgpu_params")
        wait_for(lambda: parameters.group() == "vgpu-agent", "udev")
        wait_for(lambda: self.states().get(first) == "ready", "it to be noted")
        parameters.write_text("frame_rate_limiter=0\n")
        self.placement.allocate(first, {}, 1)
        second = self.allocate(CARD, 1)
        wait_for(lambda: self.states().get(second) == "ready", "the next one's device")
        self.assertEqual(list(self.host.mdevs()), [device])
        self.assertEqual(parameters.read_text(), "\n")
        file.write_text(good)
        command("systemctl reload vgpu-agent")
        self.release(second)

    def test_virtual_functions_that_come_late(self):
        """udev gives their files to the group as they appear; a device that is held is seen to be, and stays."""
        self.addCleanup(virtual_functions, 0)
        virtual_functions(4)
        consumer = self.allocate(SRIOV, 2)
        held = next(iter(self.wait_for_devices(2)))
        holder = Holder(held)
        wait_for(lambda: self.states()[consumer] == "in use", "the use")
        self.placement.allocate(consumer, {}, 1)
        wait_for(lambda: list(self.host.mdevs()) == [held], "the other one to go")
        command("systemctl kill --signal=USR1 vgpu-agent")
        wait_for(lambda: self.states().get(consumer) == "releasing", "its release to wait")
        self.assertEqual(list(self.host.mdevs()), [held])
        holder.stop()
        wait_for(lambda: not self.host.mdevs(), "its end")

    def test_reload(self):
        file = pathlib.Path("/etc/vgpu-agent/vgpu-agent.conf")
        good = file.read_text()
        self.addCleanup(file.write_text, good)
        file.write_text(good.replace("sync_interval = 1", "sync_interval = often"))
        command("systemctl reload vgpu-agent")
        wait_for(lambda: "the old configuration stays" in property_of("vgpu-agent", "StatusText"), "the refusal")
        file.write_text(good)
        command("systemctl reload vgpu-agent")
        wait_for(lambda: property_of("vgpu-agent", "StatusText") == "all is well", "the end of it")

    def test_files_with_errors_are_read_once(self):
        """A restart would not mend them."""
        for unit, line, bad, said in (
                ("vgpu-agent", "sync_interval = 1", "sync_interval = often", "vgpu-agent.conf:4: agent.sync_interval: "),
                ("placementd", "auth_strategy = noauth2", "auth_strategy = keystone", "[api] auth_strategy is keystone: [keystone_authtoken]: auth_url is not set")):
            file = pathlib.Path(f"/etc/{unit}/{unit}.conf")
            good = file.read_text()
            self.addCleanup(command, f"systemctl restart {unit}")
            self.addCleanup(file.write_text, good)
            file.write_text(good.replace(line, bad))
            self.assertEqual(run(["systemctl", "restart", unit]).returncode, 1)
            self.assertEqual([property_of(unit, name) for name in ("ActiveState", "SubState", "ExecMainStatus", "NRestarts")],
                             ["failed", "failed", str(os.EX_CONFIG), "0"], unit)
            self.assertIn(said, command(f"journalctl --boot _SYSTEMD_UNIT={unit}.service --priority=err --lines=1 --output=cat"))
            self.doCleanups()

    def test_nothing_new_is_nothing_said(self):
        """Not by the agent, and not by systemd."""
        self.release(self.allocate(CARD, 1))
        report = pathlib.Path("/var/lib/vgpu-agent/state.json.problems")
        wait_for(lambda: property_of("vgpu-agent", "StatusText") == "all is well", "all is well")
        cursor = command("journalctl --lines=0 --show-cursor").rsplit(maxsplit=1)[1]
        for _ in range(3):
            before = report.stat().st_mtime_ns
            wait_for(lambda: report.stat().st_mtime_ns > before, "a cycle")
        self.assertEqual(command(f"journalctl --unit=vgpu-agent --quiet --output=cat --after-cursor={cursor}"), "")

    def test_a_driver_that_hangs(self):
        """A process that no signal reaches holds up no unit: neither the daemon's start nor the boot."""
        consumer = self.allocate(CARD, 1)
        before = self.wait_for_devices(1)
        self.addCleanup(parameter, "hang", 0)
        hang(CARD, 2, "available_instances")
        said = f"{CARD}: unreadable: its driver hangs: available_instances does not answer"
        wait_for(lambda: said in run(["vgpu-agent", "status"]).stdout, "it to be known")
        noted = pathlib.Path("/var/lib/vgpu-agent/state.json.hung")
        wait_for(noted.exists, "the daemon to know it, not only the command")
        began = time.monotonic()
        command("systemctl stop vgpu-agent vgpu-agent-restore")
        for device in before:
            self.assertEqual(self.host.remove(device), "OK")
        noted.unlink()  # as after a reboot
        drop_in = pathlib.Path("/run/systemd/system/vgpu-agent-restore.service.d/soon.conf")
        drop_in.parent.mkdir(parents=True)
        drop_in.write_text("[Service]\nExecStart=\nExecStart=vgpu-agent $VGPU_AGENT_OPTIONS restore --wait 1\n")
        command("systemctl daemon-reload")
        self.assertEqual(run(["systemctl", "start", "vgpu-agent-restore"]).returncode, 1)
        self.assertEqual(property_of("vgpu-agent-restore", "Result"), "exit-code")
        command("systemctl start vgpu-agent")
        self.assertLess(time.monotonic() - began, 60)
        wait_for(lambda: said in run(["vgpu-agent", "status"]).stdout, "it to be known")
        parameter("hang", 0)
        wait_for(lambda: property_of("vgpu-agent", "StatusText") == "all is well", "all is well")
        self.assertEqual(self.host.mdevs(), before)
        self.release(consumer)
        drop_in.unlink()
        command("systemctl daemon-reload")
        command("systemctl stop vgpu-agent")
        command("systemctl start vgpu-agent-restore vgpu-agent")

    def test_killed_and_rebooted(self):
        consumer = self.allocate(CARD, 2)
        before = self.wait_for_devices(2)
        pid = property_of("vgpu-agent", "MainPID")
        os.kill(int(pid), signal.SIGKILL)
        wait_for(lambda: property_of("vgpu-agent", "MainPID") not in ("0", pid) and
                 property_of("vgpu-agent", "ActiveState") == "active", "a new daemon")
        self.assertEqual(self.host.mdevs(), before)
        # As after a reboot, with Placement away.
        command("systemctl stop vgpu-agent vgpu-agent-restore placementd")
        for device in before:
            self.assertEqual(self.host.remove(device), "OK")
        command("systemctl start vgpu-agent-restore")
        self.assertEqual(self.host.mdevs(), before)
        command("systemctl start placementd vgpu-agent")
        self.release(consumer)

    def test_what_root_types(self):
        self.assertIn("is drained", command(f"vgpu-agent drain {CARD}"))
        inventory = self.placement.inventories(self.provider(CARD))["VGPU"]
        self.assertEqual(inventory["reserved"], inventory["total"])
        self.assertIn("is in service", command(f"vgpu-agent undrain {CARD}"))
        # The card without its virtual functions is no GPU any more.
        command("vgpu-agent prune")
        wait_for(lambda: run(["vgpu-agent", "status"]).returncode == 0, "all is well")


def show_journal():
    print(command("journalctl --boot --no-pager --lines=60 --unit=vgpu-agent --unit=vgpu-agent-restore"))
    print(command("journalctl --boot --no-pager --lines=20 --unit=placementd --grep=^(?!api:)", None))


def run_and_end(module):
    """The guest ends with the tests."""
    result = run_tests(module, sys.argv[1:], show_journal)
    # isa-debug-exit ends QEMU, with 2 * result + 1.
    with open("/dev/port", "wb", buffering=0) as port:
        port.seek(0x501)
        port.write(bytes([result]))


if __name__ == "__main__":
    run_and_end(sys.modules[__name__])
