"""Whose the state file is: one root provider of Placement, one machine. Under another one nothing is made or removed until
an operator says that it is right."""
import json
import uuid

from support import wait_for
from support.fleet import FleetTest, new_uuid

A = "0000:84:00.0"
ADOPT = "say `vgpu-agent adopt-root`"


class RootTest(FleetTest):
    def setUp(self):
        super().setUp()
        self.build_guide()
        self.agent.run("sync")
        self.server = self.allocate(A)
        self.agent.run("sync")
        self.before = self.host.mdevs()
        self.assertEqual(len(self.before), 1)

    def configure(self, **options):
        options = {key: value for key, value in {**self.options, **options}.items() if value}
        self.agent.configure({"agent": options, **self.types})

    def providers(self):
        return self.placement.get("/resource_providers")["resource_providers"]

    def journal(self):
        return json.loads(self.agent.state_file.read_text())

    def assert_hands_off(self, text):
        """Neither Placement nor the devices are touched, and it is said, whoever looks."""
        providers, stores = self.providers(), self.host.stores()
        devices = [d["uuid"] for d in self.journal()["devices"]]
        for _ in range(3):
            self.assertIn(text, self.agent.try_to("sync").stderr)
        self.assertEqual(self.providers(), providers)
        self.assertEqual(self.host.stores(), stores)
        self.assertEqual([d["uuid"] for d in self.journal()["devices"]], devices)
        status = self.agent.run("status", status=1)
        self.assertIn(text, status)
        self.assertIn(ADOPT, status)


class OtherRoot(RootTest):
    def test_dns_away_at_a_start(self):
        """The host goes by its short name, and Placement has no such root: none is made."""
        short = self.root_name.partition(".")[0]
        self.configure(root_provider_name=short)
        self.assert_hands_off(f"this host is now {short} (")
        self.configure()
        self.assertEqual(self.agent.run("sync"), "nothing to do\n")
        self.assertEqual(self.host.mdevs(), self.before)

    def test_an_edited_name_of_a_root_that_there_is(self):
        other = new_uuid()
        self.placement.create_provider(self.placement.name("other.example"), other)
        self.configure(root_provider_name=self.placement.name("other.example"))
        self.assert_hands_off(f"({other})")

    def test_a_replaced_compute_id(self):
        other, file = new_uuid(), self.directory / "compute_id"
        self.placement.create_provider(self.placement.name("other.example"), other)
        file.write_text(other)
        self.configure(root_provider_name=None, create_root=None, compute_id_file=file)
        self.assert_hands_off(f"({other})")
        # The guest's device is put back after a reboot all the same.
        self.host.reboot()
        self.agent.try_to("sync")
        self.assertEqual(self.host.mdevs(), self.before)

    def test_a_state_file_of_an_older_version(self):
        """It does not name its root; its providers tell."""
        self.forget_root()
        self.assertEqual(self.agent.run("sync"), "nothing to do\n")
        self.assertEqual(self.journal()["root"], self.root())
        self.forget_root()
        self.configure(root_provider_name="short")
        self.assert_hands_off(f"the root of the provider {self.root_name}_pci_0000_84_00_0")

    def forget_root(self):
        """As the version before wrote it."""
        self.rewrite_journal(lambda journal: [journal.pop(name, None) for name in ("root", "root_name", "machine", "seen")])

    def rewrite_journal(self, change):
        journal = self.journal()
        del journal["checksum"]
        change(journal)
        body = json.dumps(journal, separators=(",", ":"), ensure_ascii=False)[:-1]
        space = uuid.UUID("5b1ad2e0-6a0c-4f0e-9a5e-8a3c34a1d7f1")
        self.agent.state_file.write_text(f'{body},"checksum":"{uuid.uuid5(space, body)}"}}\n')

    def test_a_newer_version_is_refused(self):
        self.rewrite_journal(lambda journal: journal.update(version=3))
        before = self.agent.state_file.read_bytes()
        for command in ("sync", "restore", "status"):
            done = self.agent.try_to(command)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("a newer vgpu-agent wrote it (version 3; this one reads 2)", done.stderr)
        self.assertEqual(self.agent.state_file.read_bytes(), before)


class Adopt(RootTest):
    def setUp(self):
        super().setUp()
        self.former = self.root()
        self.other, self.root_name = new_uuid(), self.placement.name("renamed.example")
        self.placement.create_provider(self.root_name, self.other)

    def check_adopted(self):
        self.assertEqual(self.journal()["root"], self.other)
        self.assertEqual(self.root(), self.other)
        wait_for(lambda: len(self.tree()) == 4, "the providers below the root that was adopted")
        # Its allocations stand below the former root, which was not read: it is nobody's to release.
        self.assertEqual(self.host.mdevs(), self.before)
        self.assertIn("its provider is not in Placement", self.agent.run("allocations"))

    def test_without_the_daemon(self):
        self.assertIn("nothing to adopt", self.agent.run("adopt-root"))
        self.configure(root_provider_name=self.root_name)
        self.assert_hands_off(f"({self.other})")
        self.assertIn(f"belongs to the root provider {self.root_name} ({self.other}) now", self.agent.run("adopt-root"))
        self.agent.run("sync")
        self.agent.try_to("sync")
        self.check_adopted()
        # A device is its consumer's, wherever the allocation is.
        self.placement.allocate(self.server, {self.child(A): {"VGPU": 1}}, 1)
        self.agent.run("sync")
        self.assertEqual(self.host.mdevs(), self.before)
        self.assertEqual(self.states()[self.server], ["ready"])

    def test_one_that_placement_does_not_have_yet(self):
        """It was never there, so nothing has gone: it is made at once, and nothing is said to be restored."""
        self.root_name = self.placement.name("to-come.example")
        self.configure(root_provider_name=self.root_name)
        self.assertIn("which Placement does not have", self.agent.try_to("status").stdout)
        self.agent.run("adopt-root")
        self.agent.run("sync")
        self.assertEqual(len(self.tree()), 4)
        self.assertEqual(self.host.mdevs(), self.before)
        problems = self.agent.json("status", status=1)["problems"]
        self.assertNotIn("Placement shows less", " ".join(problems))

    def test_with_the_daemon(self):
        self.configure(root_provider_name=self.root_name)
        self.agent.start()
        wait_for(lambda: ADOPT in self.agent.try_to("status").stdout, "the daemon's complaint")
        self.assertEqual(self.agent.json("adopt-root"),
                         {"root": self.other, "root_name": self.root_name, "adopted": True})
        self.check_adopted()
        self.assertEqual(list(self.agent.state_file.parent.glob("*adopt-root*")), [])


class OtherMachine(RootTest):
    def write_machine_id(self, digit):
        (self.agent.host_root / "etc/machine-id").write_text(32 * digit + "\n")

    def test_a_cloned_state_file(self):
        self.write_machine_id("a")
        self.allocate(A)
        self.agent.run("sync")
        written = self.agent.state_file.read_bytes()
        self.assertNotIn(b"aaaaaaaa", written)
        # The clone has neither its devices nor, yet, a root of its own.
        for device in self.host.mdevs():
            self.host.remove(device)
        stores = self.host.stores()
        self.write_machine_id("b")
        self.assertIn("is another host's", self.agent.try_to("status").stdout)
        self.assertEqual(self.agent.state_file.read_bytes(), written)
        done = self.agent.try_to("restore")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is another host's: it was written under another machine-id", done.stderr)
        self.assertEqual(self.host.stores(), stores)
        (kept,) = self.agent.state_file.parent.glob("state.json.other-host-*")
        self.assertEqual(kept.read_bytes(), written)
        # The agent goes on with what is this host's.
        self.configure(root_provider_name=self.placement.name("clone.example"))
        wait_for(lambda: self.agent.run("sync") == "nothing to do\n", "the clone's own state file")
        self.assertEqual(self.host.mdevs(), {})

    def test_the_machine_it_is_on(self):
        for digit in ("a", "a", ""):  # at last the file has no content yet
            self.write_machine_id(digit)
            self.assertEqual(self.agent.run("sync"), "nothing to do\n")
        self.assertEqual(self.host.mdevs(), self.before)
