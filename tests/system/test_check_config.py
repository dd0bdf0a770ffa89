"""`vgpu-agent check-config` on the host of Nova's guide: every kind of bad input gets its
line, and an unchanged nova.conf gets none."""
import json
import os
import re

from support import SystemTest
from support.process import program, run

GUIDE = """\
[DEFAULT]
transport_url = rabbit://openstack:secret@controller:5672/
[devices]
enabled_mdev_types = nvidia-35, nvidia-36
[mdev_nvidia-35]
device_addresses = 0000:84:00.0,0000:85:00.0
[mdev_nvidia-36]
device_addresses = 0000:86:00.0
[placement]
auth_type = admin_token
endpoint = http://127.0.0.1:8778
token = hunter2
"""


class CheckConfig(SystemTest):
    def setUp(self):
        super().setUp()
        self.host = self.start_host("nova-guide")
        self.file = self.directory / "nova.conf"
        # The host has libvirt.
        root = self.subdirectory("root")
        (root / "etc/libvirt/qemu").mkdir(parents=True)
        (root / "run/libvirt").mkdir(parents=True)
        (root / "run/libvirt/virtqemud-sock").touch()
        self.host_file = self.directory / "host.conf"
        self.host_file.write_text(f"[agent]\nhost_root = {root}\n")

    def check(self, text, *options):
        """(exit status, the problems with the folder's name taken off); the table also says what was read, and the
        verdict."""
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
        done = run([program("vgpu-agent"), "--config-file", str(self.host_file), "--config-file", str(self.file),
                    "--sysfs-root", str(self.host.root), *options, "check-config"])
        self.assertEqual(done.stderr, "")
        lines = done.stdout.replace(f"{self.directory}/", "").splitlines(keepends=True)
        if options:
            return done.returncode, "".join(lines)
        self.assertEqual(lines[0], "read host.conf: [agent]\n")
        self.assertTrue(lines[1].startswith("read nova.conf: [devices], "), lines[1])
        self.assertEqual(lines[-1], self.verdict(lines[2:-1]))
        return done.returncode, "".join(lines[2:-1])

    def test_what_it_names_on_the_host(self):
        begun = self.host_file.read_text()
        program_file = self.directory / "program"
        program_file.write_text("#!/bin/sh\n")
        self.file.write_text(GUIDE)
        for option, value, status, told in (
                ("before_cut", "/nonexistent", 1, "agent.before_cut: /nonexistent: No such file or directory; expected a program"),
                ("sriov_manage", "/tmp", 1, "agent.sriov_manage: /tmp is no program that can be run"),
                ("sriov_manage", program_file, 1, f"agent.sriov_manage: {program_file} is no program that can be run"),
                ("state_file", "/nonexistent/s.json", 0,
                 "warning: agent.state_file: the folder /nonexistent is not there, and nobody makes it: without it nothing can be "
                 "noted, and so nothing is done"),
                ("root_provider_name", "x" * 184, 1,
                 "agent.root_provider_name: it has 184 characters; expected at most 183, since Placement takes names of 200, and "
                 "those of the GPUs' providers begin with it"),
                ("root_provider_name", "x" * 183, 0, "")):
            self.host_file.write_text(f"{begun}{option} = {value}\n")
            done = run([program("vgpu-agent"), "--config-file", str(self.host_file), "--config-file", str(self.file),
                        "--sysfs-root", str(self.host.root), "check-config"])
            self.assertEqual((done.returncode, [line for line in done.stdout.splitlines()[2:-1]]), (status, [told] if told else []))
        program_file.chmod(0o755)
        self.host_file.write_text(f"{begun}before_cut = {program_file}\n")
        self.assertEqual(self.check(GUIDE), (0, ""))

    def test_a_package_that_was_just_installed(self):
        """Its file says nothing yet: how the agent is pointed at nova.conf is said, and status does not tell of a daemon that
        goes on."""
        self.file.write_text("# The configuration of vgpu-agent\n")
        state = self.directory / "state.json"
        self.host_file.write_text(self.host_file.read_text() + f"state_file = {state}\n")
        words = [program("vgpu-agent"), "--config-file", str(self.host_file), "--config-file", str(self.file), "--sysfs-root", str(self.host.root)]
        done = run([*words, "check-config"])
        self.assertEqual(done.returncode, 1)
        self.assertIn("\nplacement.auth_type: not set; expected one of ", done.stdout)
        self.assertIn("\nwarning: placement: beside Nova its nova.conf has it: `--config-file /etc/nova/nova.conf` in VGPU_AGENT_OPTIONS of "
                      "/etc/default/vgpu-agent reads that, ", done.stdout)
        done = run([*words, "status"])
        said = " ".join(done.stdout.split())
        self.assertIn("the daemon does not run the files have errors (`vgpu-agent check-config` lists them); the daemon does not start with "
                      "them", said)
        self.assertNotIn("goes on", said)
        self.assertEqual((done.stdout + done.stderr).count("auth_type"), 1, "one cause, one line")
        done = run([*words, "allocations"])
        self.assertEqual((done.returncode, (done.stdout + done.stderr).count("auth_type")), (os.EX_CONFIG, 1))

    def test_a_section_that_is_there_is_not_looked_for_elsewhere(self):
        """What is misspelt in [placement], or its header, is told; not that nova.conf has it."""
        for right, wrong, told in (("auth_type", "auth_tpye", "placement.auth_tpye: unknown option; did you mean auth_type?"),
                                   ("[placement]", "[placment]", "[placment]: not used; did you mean [placement]?")):
            status, lines = self.check_any(GUIDE.replace(right, wrong))
            self.assertEqual(status, 1)
            self.assertIn(told, lines)
            self.assertIn("placement.auth_type: not set", lines)
            self.assertNotIn("/etc/default/vgpu-agent", lines)

    def check_any(self, text):
        self.file.write_text(text)
        done = self.run_on("--config-file", str(self.host_file), "--config-file", str(self.file))
        return done.returncode, done.stdout

    def test_status_repeats_no_error_of_the_files(self):
        """What Placement's client says of them follows from what was told."""
        self.host_file.write_text(self.host_file.read_text() + f"state_file = {self.directory}/state.json\n")
        for wrong, told in (("auth_type = admin-token", "placement.auth_type: 'admin-token' is not accepted; expected one of "),
                            ("auth_type = password", "placement.username or user_id: not set; auth_type = password needs it")):
            self.file.write_text(GUIDE.replace("auth_type = admin_token", wrong))
            done = run([program("vgpu-agent"), "--config-file", str(self.host_file), "--config-file", str(self.file),
                        "--sysfs-root", str(self.host.root), "status"])
            self.assertEqual(done.stderr.count(told), 1, done.stderr)
            self.assertIn("cannot be read", done.stdout)
            self.assertNotIn("auth_type", done.stdout)
            self.assertNotIn("username", done.stdout)

    def verdict(self, problems):
        warnings = sum("warning: " in line for line in problems)
        errors = len(problems) - warnings
        counted = [f"{number} {kind}{'' if number == 1 else 's'}"
                   for number, kind in ((errors, "error"), (warnings, "warning")) if number]
        return (", ".join(counted) if errors else "; ".join(["ok"] + counted)) + "\n"

    def run_on(self, *options):
        return run([program("vgpu-agent"), *options, "--sysfs-root", str(self.host.root), "check-config"])

    def test_it_names_the_files_and_says_ok(self):
        (self.directory / "empty.d").mkdir()
        more = self.subdirectory("more.d")
        (more / "a.conf").write_text("[vnc]\nenabled = false\n")
        (more / "b.conf.bak").write_text("[agent]\nmode = both\n")
        self.file.write_text(GUIDE)
        done = self.run_on("--config-file", str(self.host_file), "--config-file", str(self.file),
                           "--config-dir", str(more), "--config-dir", str(self.directory / "empty.d"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.replace(f"{self.directory}/", ""),
                         "read host.conf: [agent]\n"
                         "read nova.conf: [devices], [mdev_nvidia-35], [mdev_nvidia-36], [placement]\n"
                         f"read {more.name}/a.conf: nothing that is used\n"
                         "warning: empty.d: no file in it ends in .conf\n"
                         "ok; 1 warning\n")

    def test_what_follows_from_an_error_alone_is_not_told(self):
        """One cause, one line."""
        cases = [
            (GUIDE.replace("admin_token", "admin-token"),
             "nova.conf:10: placement.auth_type: 'admin-token' is not accepted; expected one of none, noauth, "
             "admin_token, password, v3password, v3applicationcredential, token, v3token, http_basic\n"),
            (GUIDE.replace("http://127.0.0.1:8778", "127.0.0.1:8778"),
             "nova.conf:11: placement.endpoint: '127.0.0.1:8778' is not accepted; expected "
             "http://HOST[:PORT][/PATH] or https://..., without user, query or %(name)s\n"),
            (GUIDE.replace("auth_type = admin_token", "auth_section = service_user"),
             "nova.conf:10: placement.auth_section: there is no section [service_user] in the files\n"),
            (GUIDE.replace("[placement]", "[placement"),
             "nova.conf:9: a section header must be [name] and nothing else; what follows is not read up to the "
             "next header\n"),
            (GUIDE.replace("enabled_mdev_types", "enabled_mdev_type"),
             "nova.conf:4: devices.enabled_mdev_type: unknown option; did you mean enabled_mdev_types?\n"),
            (GUIDE.replace("[devices]", "[device]"),
             "nova.conf:3: [device]: not used; did you mean [devices]?\n"),
        ]
        for text, line in cases:
            with self.subTest(line):
                self.file.write_text(text)
                done = self.run_on("--config-file", str(self.host_file), "--config-file", str(self.file))
                lines = [l for l in done.stdout.splitlines(keepends=True) if not l.startswith("read ")]
                self.assertEqual((done.returncode, "".join(lines).replace(f"{self.directory}/", "")),
                                 (1, line + "1 error\n"))

    def test_a_nova_conf_as_it_is(self):
        self.assertEqual(self.check(GUIDE), (0, ""))

    def test_each_bad_input_has_its_line(self):
        cases = [
            (GUIDE.replace("0000:86:00.0", "0000:84:00.0"), 1,
             "nova.conf:8: mdev_nvidia-36.device_addresses: duplicate types for PCI ID "
             "0000:84:00.0: it is also in mdev_nvidia-35.device_addresses; expected under "
             "one type, or several_types = true in both sections\n"),
            (GUIDE.replace("nvidia-35, nvidia-36\n", "nvidia-35, nvidia-53\n")
             .replace("[mdev_nvidia-36]", "[mdev_nvidia-53]"), 1,
             "nova.conf:4: devices.enabled_mdev_types: no GPU of this host offers "
             "nvidia-53, did you mean nvidia-35 (GRID M10-0B); expected one of nvidia-35 (GRID M10-0B), "
             "nvidia-36 (GRID M10-0Q), nvidia-37 (GRID M10-1A), nvidia-38 (GRID M10-1B), "
             "nvidia-39 (GRID M10-1Q), nvidia-40 (GRID M10-2A), nvidia-41 (GRID M10-2Q), "
             "nvidia-42 (GRID M10-4A), nvidia-43 (GRID M10-4Q), nvidia-44 (GRID M10-8A), "
             "nvidia-45 (GRID M10-8Q)\n"),
            (GUIDE.replace("0000:86:00.0", "0000:96:00.0"), 0,
             "nova.conf:8: warning: mdev_nvidia-36.device_addresses: there is no GPU "
             "0000:96:00.0 on this host; it has 0000:84:00.0, 0000:85:00.0, 0000:86:00.0, "
             "0000:87:00.0\n"),
            (GUIDE.replace("0000:86:00.0", "0000:86:00x0"), 1,
             "nova.conf:8: mdev_nvidia-36.device_addresses: incorrect device address: "
             "0000:86:00x0; expected a PCI address as 0000:84:00.0, or the name of a "
             "device that is not PCI\n"),
            (GUIDE.replace("[mdev_nvidia-36]", "[mdev_nvidia-36]\nmax_instances = 64"), 0,
             "nova.conf:8: warning: mdev_nvidia-36.max_instances: 64, but no GPU of this host "
             "takes more than 16 devices of nvidia-36; expected 1 to 16\n"),
            (GUIDE.replace("0000:86:00.0", "86:00.0"), 1,
             "nova.conf:8: mdev_nvidia-36.device_addresses: incorrect device address: "
             "86:00.0; did you mean 0000:86:00.0?\n"),
            (GUIDE.replace("device_addresses = 0000:86", "device_address = 0000:86"), 1,
             "nova.conf:8: mdev_nvidia-36.device_address: unknown option; did you mean "
             "device_addresses?\n"),
            (GUIDE + "[agent]\nsync_intervall = 5\n", 0,
             "nova.conf:14: warning: agent.sync_intervall: unknown option; did you mean "
             "sync_interval?\n"),
            (GUIDE.replace("token = hunter2\n", ""), 1,
             "nova.conf:10: placement.token: not set; auth_type = admin_token needs it\n"),
            (GUIDE.encode() + b"[agent]\nmode = ow\0ner\n# \xff\n", 1,
             "nova.conf:14: a NUL byte, so that this is no text, and the rest is not read; expected text in UTF-8\n"),
            (GUIDE.encode() + b"[agent]\n# \xff\n", 1, "nova.conf:14: invalid UTF-8; expected text in UTF-8\n"),
            (GUIDE + "[vnc]\nserver_listen = " + 200000 * "x" + "\n", 0, ""),
            (GUIDE + "[vnc]\nserver_listen = " + 2000000 * "x" + "\n", 1,
             "nova.conf:14: a line of 2000016 bytes; at most 1048573 are read\n"),
        ]
        for text, status, lines in cases:
            with self.subTest(lines):
                self.assertEqual(self.check(text), (status, lines))

    def test_a_whole_line_of_addresses_is_read(self):
        """The last of many is there: inih alone would have cut it off."""
        many = ", ".join(f"0000:{bus:02x}:00.0" for bus in range(0x20, 0x80))
        status, lines = self.check(GUIDE.replace("0000:86:00.0", f"{many}, 0000:84:00.0"))
        self.assertEqual(status, 1)
        self.assertIn("duplicate types for PCI ID 0000:84:00.0", lines)
        self.assertIn("there is no GPU 0000:7f:00.0", lines)

    def test_files_that_cannot_be_read(self):
        """One line each, and nothing of what they could have said."""
        (self.directory / "loop").symlink_to("loop")
        for option, path, text in (
                ("--config-file", self.directory, "not a regular file; a folder is read with --config-dir"),
                ("--config-file", self.directory / "none", "No such file or directory"),
                ("--config-file", self.directory / "loop", "Too many levels of symbolic links"),
                ("--config-dir", self.directory / "none", "No such file or directory"),
                ("--config-dir", self.host_file, "Not a directory; expected a folder, of whose files those that end "
                                                 "in .conf are read")):
            with self.subTest(text):
                done = self.run_on(option, str(path))
                self.assertEqual((done.returncode, done.stdout), (1, f"{path}: {text}\n1 error\n"))
        for option in ("--config-file", "--config-dir"):
            self.assertEqual(self.run_on(option, "").stdout, "an empty name in place of a path\n1 error\n")

    def test_programs_read_the_same(self):
        status, text = self.check(GUIDE + "[agent]\nmode = both\n", "--format", "json")
        self.assertEqual(status, 1)
        self.assertEqual(json.loads(text), [{
            "file": "nova.conf", "line": 14, "level": "error",
            "text": "agent.mode: 'both' is not accepted; expected one of owner, nova, nova-pci"}])

    def test_the_daemon_refuses_to_start(self):
        self.file.write_text(GUIDE + "[agent]\nmode = both\nsync_interval = x\n")
        done = run([program("vgpu-agent"), "--config-file", str(self.file),
                    "--sysfs-root", str(self.host.root), "run"])
        self.assertEqual(done.returncode, os.EX_CONFIG)
        self.assertIn("nova.conf:14: agent.mode: 'both' is not accepted", done.stderr)
        self.assertIn("nova.conf:15: agent.sync_interval: 'x' is not", done.stderr)
        self.assertNotIn("hunter2", done.stdout + done.stderr)

    # What the daemon still does by its former options is shown, and can be changed.
    WITH_ERRORS = {"status": 1, "allocations": os.EX_UNAVAILABLE, "xml": 1, "qemu-args": 1, "drain": 1, "undrain": 1,
                   "enable": 1, "disable": 1, "clean": os.EX_UNAVAILABLE, "check-config": 1, "watch": os.EX_USAGE, "help": 0}
    ARGUMENTS = {"create": ["--type", "nvidia-35"], "remove": ["none"], "params": ["none"], "xml": ["none"],
                 "qemu-args": ["none"], "drain": ["none"], "undrain": ["none"], "clean": ["none"],
                 "enable": ["nvidia-35", "none"], "disable": ["nvidia-35", "none"]}

    def test_every_command_with_files_that_have_errors(self):
        nowhere = GUIDE.replace("127.0.0.1:8778", "127.0.0.1:1")
        self.file.write_text(nowhere + "[agent]\nmode = both\n")
        start = [program("vgpu-agent"), "--config-file", str(self.file), "--sysfs-root", str(self.host.root)]
        listed = run([*start, "help"]).stdout.partition("\nCommands:\n")[2].partition("\n\n")[0]
        commands = re.findall(r"(?m)^  ([a-z-]+)", listed)
        self.assertGreater(len(commands), 25)
        for command in commands:
            with self.subTest(command):
                done = run([*start, command, *self.ARGUMENTS.get(command, [])])
                self.assertEqual(done.returncode, self.WITH_ERRORS.get(command, os.EX_CONFIG), done.stderr)
                if command not in ("watch", "help"):
                    self.assertIn("nova.conf:14: agent.mode: 'both' is not accepted", done.stdout + done.stderr)

    def test_the_samples_are_valid(self):
        sample = os.path.join(os.path.dirname(program("vgpu-agent")),
                              "etc/vgpu-agent.conf.sample")
        with open(sample, encoding="utf-8") as file:
            self.assertEqual(self.check(GUIDE + file.read()), (0, ""))


class VirtualFunctions(SystemTest):
    """In nova mode each has a provider of its own, whatever the card takes."""

    def problems(self, **section):
        placement = {"auth_type": "none", "endpoint": "http://127.0.0.1:8778"}
        agent = self.make_agent(self.start_host("sriov"), None, {
            "agent": {"mode": "nova"}, "placement": placement,
            "devices": {"enabled_mdev_types": "nvidia-562"}, "mdev_nvidia-562": section})
        return [problem["text"] for problem in agent.json("check-config")]

    def listed(self, count):
        return self.problems(device_addresses=[f"0000:41:{n // 8:02x}.{n % 8}" for n in range(4, 4 + count)])

    def test_more_than_the_card_takes(self):
        (said,) = self.listed(16)
        self.assertTrue(said.startswith("mdev_nvidia-562.device_addresses: 16 virtual functions of the GPU "
                                        "0000:41:00.0 get this type, and the card takes 6 devices of it"), said)

    def test_as_many_as_it_takes(self):
        self.assertEqual(self.listed(6), [])

    def test_a_default_type_gets_them_all(self):
        said = self.problems(max_instances=1)
        self.assertEqual(sum("32 virtual functions of the GPU" in text for text in said), 2, said)
