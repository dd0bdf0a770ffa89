"""mdevsim, mounted, against what was seen on a real kernel: every row of its table."""
import concurrent.futures
import errno
import os
import subprocess
import unittest

from support import SystemTest, wait_for
from support.host import HOSTS, store
from support.process import program

CARD = "0000:84:00.0"
OTHER = "0000:85:00.0"
A = "aaaaaaaa-0000-4000-8000-000000000001"
B = "aaaaaaaa-0000-4000-8000-000000000002"


class KernelTable(SystemTest):
    def setUp(self):
        super().setUp()
        self.host = self.start_host("nova-guide")
        self.type = self.host.type(CARD, "nvidia-35")
        self.devices = self.host.root / "bus/mdev/devices"
        self.create = self.type / "create"

    def make(self, uuid=A):
        self.assertEqual(store(self.create, uuid), "OK")
        return self.devices / uuid

    def in_background(self, function, *arguments):
        pool = concurrent.futures.ThreadPoolExecutor(1)
        self.addCleanup(pool.shutdown)
        return pool.submit(function, *arguments)

    def test_create_takes_36_or_37_characters_in_either_case(self):
        for uuid in (A, B + "\n", "AAAAAAAA-0000-4000-8000-00000000000Cx"):
            self.assertEqual(store(self.create, uuid), "OK")
        self.assertIn("aaaaaaaa-0000-4000-8000-00000000000c", os.listdir(self.devices))
        self.assertEqual(self.host.available(CARD, "nvidia-35"), 13)

    def test_create_refuses_what_is_no_uuid(self):
        for text in (A[:-1], A + "\n\n", A.replace("a", "g"), A.replace("-", "0"),
                     "-" + A[1:], "x"):
            self.assertEqual(store(self.create, text), "EINVAL", text)
        fd = os.open(self.create, os.O_WRONLY)
        for part in (A[:20], A[20:]):
            with self.assertRaises(OSError) as caught:
                os.write(fd, part.encode())
            self.assertEqual(caught.exception.errno, errno.EINVAL)
        os.close(fd)
        self.assertEqual(os.listdir(self.devices), [])

    def test_a_uuid_is_unique_on_the_host(self):
        self.make()
        for parent, type_id in ((CARD, "nvidia-35"), (CARD, "nvidia-36"),
                                (OTHER, "nvidia-35"), (OTHER, "nvidia-45")):
            self.assertEqual(self.host.create(parent, type_id, A.upper()), "EEXIST")

    def test_order_of_the_refusals(self):
        full = self.host.type(OTHER, "nvidia-45") / "create"
        self.assertEqual(store(full, A), "OK")
        self.assertEqual(store(full, B), "ENOSPC")
        self.assertEqual(store(full, A), "EEXIST")
        self.assertEqual(store(full, A[:-1]), "EINVAL")

    def test_core_counts(self):
        host = self.start_host("mixed")
        self.assertEqual(host.create("0.0.26ab", "vfio_ccw-io", A), "OK")
        self.assertEqual(host.create("0.0.26ab", "vfio_ccw-io", B), "EUSERS")

    def test_driver_errors_pass_through(self):
        for name in ("EIO", "ENOMEM", "EBUSY", "ETIMEDOUT"):
            self.host.control(f"fail create {name}")
            self.assertEqual(store(self.create, A), name)
            self.assertEqual(os.listdir(self.devices), [])
        self.make()

    def test_write_only_even_for_root(self):
        device = self.make()
        for path in (self.create, device / "remove"):
            for flags in (os.O_RDONLY, os.O_RDWR):
                with self.assertRaises(PermissionError):
                    os.open(path, flags)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o200)
        with self.assertRaises(PermissionError):
            os.open(self.type / "name", os.O_WRONLY)

    def test_values_are_as_in_sysfs(self):
        self.assertEqual((self.type / "name").read_text(), "GRID M10-0B\n")
        self.assertEqual((self.type / "available_instances").read_text(), "16\n")
        self.assertEqual(os.stat(self.type / "available_instances").st_size, 4096)

    def test_remove(self):
        device = self.make()
        for value, result in (("0", "OK"), ("", "OK"), ("0\n", "OK"), ("x", "EINVAL")):
            self.assertEqual(store(device / "remove", value), result)
        self.assertTrue(device.exists())
        older = os.open(device / "remove", os.O_WRONLY)
        self.assertEqual(store(device / "remove", "1\n"), "OK")
        self.assertEqual(store(device / "remove", "1"), "ENOENT")
        with self.assertRaises(OSError) as caught:
            os.write(older, b"1")
        self.assertEqual(caught.exception.errno, errno.ENODEV)
        os.close(older)
        self.assertEqual(self.host.available(CARD, "nvidia-35"), 16)
        self.make()

    def test_sixteen_parallel_creates_of_one_uuid(self):
        self.host.control("delay create 30 every")
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            results = list(pool.map(lambda _: store(self.create, A), range(16)))
        self.assertEqual(sorted(results), ["EEXIST"] * 15 + ["OK"])
        self.assertEqual(self.host.available(CARD, "nvidia-35"), 15)

    def test_parallel_creates_of_one_type_do_not_wait_for_each_other(self):
        self.host.control("block create")
        first = self.in_background(store, self.create, A)
        wait_for((self.devices / A).is_dir, "the device in transition")
        self.assertEqual(store(self.create, B), "OK")
        self.assertFalse(first.done())
        self.host.control("unblock")
        self.assertEqual(first.result(), "OK")

    def test_device_in_transition(self):
        self.host.control("block create")
        create = self.in_background(store, self.create, A)
        device = self.devices / A
        wait_for(device.is_dir, "the device on the bus")
        self.assertFalse((device / "mdev_type").exists())
        self.assertFalse((device / "iommu_group").exists())
        self.assertEqual(os.listdir(self.type / "devices"), [])
        self.assertEqual(self.host.available(CARD, "nvidia-35"), 16)
        self.assertEqual(store(self.create, A), "EEXIST")
        self.host.control("unblock")
        self.assertEqual(create.result(), "OK")
        self.assertEqual(os.path.basename(os.readlink(device / "mdev_type")), "nvidia-35")

        self.host.control("block unlink")
        remove = self.in_background(store, device / "remove", "1")
        wait_for(lambda: not (device / "mdev_type").exists(), "mdev_type to go")
        self.assertTrue(device.is_dir())
        self.assertEqual(os.listdir(self.type / "devices"), [])
        self.host.control("unblock")
        self.assertEqual(remove.result(), "OK")

    def test_remove_before_create_returned_is_stuck_for_good(self):
        self.host.control("block create")
        create = self.in_background(store, self.create, A)
        device = self.devices / A
        wait_for(device.is_dir, "the device on the bus")
        self.assertEqual(store(device / "remove", "1"), "EAGAIN")
        self.host.control("unblock")
        self.assertEqual(create.result(), "OK")
        self.assertEqual(store(device / "remove", "1"), "ENOENT")
        self.assertEqual(store(self.create, A), "EEXIST")
        self.assertEqual(self.host.available(CARD, "nvidia-35"), 15)
        self.host.control(f"unbind {CARD}")
        self.host.control(f"bind {CARD}")
        self.assertEqual(store(self.create, A), "OK")

    def test_remove_blocks_while_a_process_holds_the_device(self):
        device = self.make()
        self.make(B)
        self.host.control(f"hold {A} instance-00000001")
        name = (device / "nvidia/vm_name").read_text()
        self.assertEqual(name, "instance-00000001\n")
        self.assertEqual(store(device / "nvidia/vgpu_params", "a=1"), "EPERM")
        remove = self.in_background(store, device / "remove", "1")
        wait_for(lambda: not device.exists(), "the uuid to leave the bus")
        self.assertEqual(os.listdir(self.type / "devices"), [B])
        self.assertEqual(self.host.available(CARD, "nvidia-35"), 14)
        self.assertEqual(store(self.create, A), "EEXIST")
        self.assertEqual(self.host.create(OTHER, "nvidia-36", A), "EEXIST")
        # Others on the same parent and on another work.
        self.assertEqual(self.host.remove(B), "OK")
        self.make(B)
        self.assertEqual(self.host.create(OTHER, "nvidia-36",
                                          "aaaaaaaa-0000-4000-8000-000000000003"), "OK")
        self.assertFalse(remove.done())
        self.assertEqual(self.host.stores()[3]["result"], "pending")
        self.host.control(f"unhold {A}")
        self.assertEqual(remove.result(), "OK")
        self.assertEqual(self.host.available(CARD, "nvidia-35"), 15)
        self.make()

    def test_many_blocked_removes_do_not_stop_the_rest(self):
        uuids = [f"aaaaaaaa-0000-4000-8000-0000000001{n:02x}" for n in range(16)]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            removes = []
            for uuid in uuids:
                self.make(uuid)
                self.host.control(f"hold {uuid}")
                removes.append(pool.submit(self.host.remove, uuid))
            wait_for(lambda: not os.listdir(self.devices), "all to leave the bus")
            self.assertEqual(self.host.create(OTHER, "nvidia-36", A), "OK")
            for uuid in uuids:
                self.host.control(f"unhold {uuid}")
            self.assertEqual({r.result() for r in removes}, {"OK"})

    def test_ends_while_a_remove_is_blocked(self):
        device = self.make()
        self.host.control(f"hold {A}")
        remove = self.in_background(store, device / "remove", "1")
        wait_for(lambda: not device.exists(), "the uuid to leave the bus")
        self.assertEqual(self.host.stop(), 0)
        self.assertTrue(remove.result())

    def test_unplug_and_unbind_destroy_silently(self):
        for destroy, mend in ((f"unplug {CARD}", "rescan"),
                              (f"unbind {CARD}", f"bind {CARD}")):
            self.make()
            self.host.control(destroy)
            self.assertEqual(os.listdir(self.devices), [])
            self.assertFalse(self.host.parent(CARD).exists())
            self.host.control(mend)
            self.assertEqual(self.host.available(CARD, "nvidia-35"), 16)

    def test_one_type_at_a_time(self):
        self.make()
        self.assertEqual(self.host.available(CARD, "nvidia-36"), 0)
        self.assertEqual(self.host.available(OTHER, "nvidia-36"), 16)
        self.assertEqual(self.host.create(CARD, "nvidia-36", B), "ENOSPC")

    def test_lost_card(self):
        config = self.host.root / "bus/pci/devices" / CARD / "config"
        self.assertEqual(config.read_bytes()[:4], b"\xde\x10\xbd\x13")
        self.host.control(f"lose {CARD}")
        self.assertEqual(config.read_bytes()[:4], b"\xff\xff\xff\xff")
        self.assertEqual(self.host.available(CARD, "nvidia-35"), 16)
        self.assertEqual(store(self.create, A), "EIO")
        self.host.control(f"restore {CARD}")
        self.make()

    def test_unreadable_and_hidden_files(self):
        path = self.type / "available_instances"
        self.host.control("unreadable */0000:84:00.0/*/nvidia-35/available_instances")
        with self.assertRaises(OSError) as caught:
            path.read_text()
        self.assertEqual(caught.exception.errno, errno.EIO)
        self.host.control("hide */nvidia-36")
        self.assertFalse(self.host.type(OTHER, "nvidia-36").exists())
        self.assertNotIn("nvidia-36", os.listdir(self.type.parent))
        self.host.control("show")
        self.assertEqual(path.read_text(), "16\n")
        self.assertTrue(self.host.type(OTHER, "nvidia-36").exists())

    def test_stores_are_listed_in_order(self):
        self.make()
        store(self.create, A)
        (self.devices / A / "nvidia/vgpu_params").write_text("frame_rate_limiter=0\n")
        got = [(s["path"].rsplit("/", 1)[1], s["value"], s["result"])
               for s in self.host.stores()]
        self.assertEqual(got, [("create", A, "OK"), ("create", A, "EEXIST"),
                               ("vgpu_params", "frame_rate_limiter=0\n", "OK")])
        self.host.control("forget")
        self.assertEqual(self.host.stores(), [])

    @unittest.skipUnless(os.geteuid() == 0, "only root can give files to any group")
    def test_rights_can_be_given_to_a_group(self):
        os.chown(self.create, 0, 12345)
        os.chmod(self.create, 0o220)
        st = os.stat(self.create)
        self.assertEqual((st.st_mode & 0o777, st.st_gid), (0o220, 12345))


class Sriov(SystemTest):
    PF = "0000:41:00.0"

    def test_virtual_functions_are_the_parents(self):
        host = self.start_host("sriov")
        pf = host.root / "bus/pci/devices" / self.PF
        self.assertFalse(host.parent(self.PF).exists())
        self.assertEqual((pf / "sriov_totalvfs").read_text(), "32\n")
        vf = os.path.basename(os.readlink(pf / "virtfn0"))
        self.assertEqual(vf, "0000:41:00.4")
        self.assertEqual(os.path.basename(os.readlink(pf / "virtfn0/physfn")), self.PF)
        self.assertEqual(os.path.basename(os.readlink(pf / "virtfn31")), "0000:41:04.3")
        self.assertEqual(host.create(vf, "nvidia-566", A), "OK")
        self.assertEqual(host.create(vf, "nvidia-566", B), "ENOSPC")
        # The card is full: its other functions have nothing left, of any type.
        for other in ("0000:41:00.5", "0000:41:04.3"):
            self.assertEqual(host.available(other, "nvidia-566"), 0)
            self.assertEqual(host.available(other, "nvidia-557"), 0)
        self.assertEqual(host.available("0000:c1:00.4", "nvidia-557"), 1)

    def test_numvfs(self):
        host = self.start_host("sriov")
        numvfs = host.root / "bus/pci/devices" / self.PF / "sriov_numvfs"
        # The vendor's driver wants its own tool to be used.
        self.assertEqual(store(numvfs, "0"), "ENOENT")
        self.assertEqual(store(numvfs, "33"), "ERANGE")
        self.assertEqual(host.create("0000:41:00.4", "nvidia-557", A), "OK")
        host.control(f"numvfs {self.PF} 0")
        self.assertEqual(host.mdevs(), {})
        self.assertFalse(host.parent("0000:41:00.4").exists())
        host.control(f"numvfs {self.PF} 8")
        self.assertEqual(store(host.root / ".mdevsim/control",
                               f"numvfs {self.PF} 4"), "EBUSY")
        self.assertEqual(numvfs.read_text(), "8\n")
        self.assertEqual(host.create("0000:41:00.4", "nvidia-557", A), "OK")
        self.assertFalse(host.parent("0000:41:04.3").exists())


class VendorVfio(SystemTest):
    """Virtual functions that stores make virtual GPUs."""

    def test_a_card_is_filled_by_its_memory(self):
        host = self.start_host("vendor-vfio")
        self.assertFalse((host.root / "class/mdev_bus").exists())
        pf = host.function("0000:41:00.0")
        functions = [os.path.basename(os.readlink(pf / f"virtfn{n}")) for n in range(32)]
        creatable = host.function(functions[0]) / "nvidia/creatable_vgpu_types"
        lines = creatable.read_text().splitlines()
        self.assertEqual(lines[:2], ["ID    : vGPU Name", "1147  : NVIDIA L40S-1Q"])
        self.assertEqual(lines[-1], "1190  : NVIDIA L40S-48C")
        for function in functions[1:7]:
            self.assertEqual(host.set_type(function, "1152"), "OK")
        self.assertEqual(creatable.read_text(), "ID    : vGPU Name\n")
        self.assertEqual(host.set_type(functions[0], "1152"), "ENOSPC")
        self.assertEqual(host.set_type(functions[0], "1147"), "EINVAL")
        self.assertEqual(host.set_type("0000:42:00.4", "1147"), "OK")
        self.assertEqual(host.vgpus(), {**dict.fromkeys(functions[1:7], "1152"),
                                        "0000:42:00.4": "1147"})

    def test_held(self):
        host = self.start_host("vendor-vfio")
        self.assertEqual(host.set_type("0000:41:00.4", "1156"), "OK")
        host.control("hold 0000:41:00.4")
        self.assertEqual(host.set_type("0000:41:00.4", "0"), "EBUSY")
        self.assertEqual(host.current_type("0000:41:00.4"), "1156")


class Program(SystemTest):
    def test_all_hosts_are_read(self):
        for file in HOSTS.glob("*.json"):
            subprocess.run([program("mdevsim"), "--check", "--host", file], check=True)

    def test_bad_input_is_one_line(self):
        bad = self.directory / "bad.json"
        bad.write_text('{"models": {}, "cards": [{"model": "x", "path": "a/b"}]}')
        for arguments, text in (
                (["--host", "/nonexistent", "/mnt"], "/nonexistent"),
                (["--host", bad, "/mnt"],
                 'cards[0]: model: "x" is none of the models')):
            done = subprocess.run([program("mdevsim"), *arguments], capture_output=True,
                                  text=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn(text, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)

    def test_command_line(self):
        for arguments, status in ((["--help"], 0), (["--version"], 0), ([], 2),
                                  (["--dance"], 2), (["--host", "x"], 2),
                                  (["--check", "--host", "x", "y"], 2)):
            done = subprocess.run([program("mdevsim"), *arguments], capture_output=True)
            self.assertEqual(done.returncode, status, arguments)
