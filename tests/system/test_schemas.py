"""What programs read: each command's `--format json` is what its schema in etc/schemas says, on every simulated host, well and in
trouble. The other tests of the system compare what they run, too (support/schemas.py)."""
import json
import re
import unittest

from support import schemas
from support.fleet import GUIDE_TYPES, FleetTest, new_uuid
from support.host import HOSTS, load_description
from support.process import TOP, program, run, wait_for

A, B, C = "0000:84:00.0", "0000:85:00.0", "0000:86:00.0"
# Commands that print nothing for programs: what they do is told by the exit status and the log.
WITHOUT = {"run", "sync", "restore", "help", "watch"}

# Of what is served, not printed (test_page compares), and of a command with an argument.
PAGES = {"agent-page": "/status.json of vgpu-agent's listener", "gpus-gpu": "vgpu-agent --format json gpus GPU"}


def objects_in(schema, where="$"):
    """Each part of a schema that is one for objects."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield where, schema
        for name, part in schema.items():
            yield from objects_in(part, f"{where}.{name}")
    elif isinstance(schema, list):
        for part in schema:
            yield from objects_in(part, where)


class Files(unittest.TestCase):
    """Of the schemas themselves."""

    def names(self):
        return {file.stem for file in schemas.FOLDER.glob("*.json")}

    def test_each_command_has_one(self):
        text = re.search(r"\nCommands:\n(.*?)\n\n", run([program("vgpu-agent"), "--help"]).stdout, re.S)[1]
        for command in set(re.findall(r"(?m)^  (\S+)", text)) - WITHOUT:
            self.assertIn(command, self.names(), f"vgpu-agent {command} has no etc/schemas/{command}.json; "
                          "a command that prints no JSON stands in WITHOUT of this test")
        self.assertEqual(self.names() - PAGES.keys() - set(re.findall(r"(?m)^  (\S+)", text)), set(), "schemas without a command")

    def test_they_leave_nothing_open(self):
        for name in self.names():
            schema = schemas.load(name)
            self.assertEqual(schema["title"], PAGES.get(name, f"vgpu-agent --format json {name}"))
            for where, part in objects_in(schema):
                self.assertIn("additionalProperties", part, f"{name}: {where}")
                self.assertIsNot(part["additionalProperties"], True, f"{name}: {where}")
                self.assertLessEqual(set(part.get("required", [])), set(part.get("properties", {})), f"{name}: {where}")
            if schemas.jsonschema:
                schemas.jsonschema.Draft202012Validator.check_schema(schema)

    def words(self, file, function):
        """Those of a table in the source."""
        body = re.search(rf"\b{function}.*?\}};", (TOP / file).read_text(), re.S)[0]
        return set(re.findall(r'"([^"]*)"', body))

    def test_words_are_those_of_the_source(self):
        def member(name, *path):
            part = schemas.load(name)
            for step in path:
                part = part["items"] if step == "[]" else part["properties"][step]
            return part

        def listed(*path):
            return set(member(*path)["enum"]) - {None}
        services = self.words("agent/plan/steps/gpu_service.c", "gpu_service_name")
        healths = self.words("agent/host/host.c", "gpu_health_name")
        for path in (("gpus", "[]"), ("status", "gpus", "[]")):
            self.assertEqual(listed(*path, "service"), services, path)
            self.assertEqual(listed(*path, "health"), healths, path)
        states = self.words("agent/plan/steps/text.c", "allocation_state_name")
        self.assertEqual(listed("allocations", "[]", "state"), states)
        self.assertEqual(set(member("status", "allocations")["properties"]), {state.replace(" ", "_") for state in states})
        guests = self.words("agent/attach/message.c", r"states\[GUEST_STATES\]") | {"unknown"}
        self.assertEqual(listed("allocations", "[]", "guest"), guests)
        self.assertEqual(set(member("status", "guests")["properties"]), guests)
        self.assertEqual(listed("devices", "[]", "owner"), self.words("agent/report/device_list.c", "device_owner_name"))
        self.assertEqual(listed("devices", "[]", "state"), self.words("agent/report/device_list.c", "device_state_name"))
        self.assertEqual(listed("preflight", "[]", "state"), self.words("agent/report/preflight.c", "preflight_state_name"))
        steps = re.findall(r'\[STEP_[A-Z_]+\] = \{"([a-z ]+)"', (TOP / "agent/plan/steps/step.c").read_text())
        self.assertEqual(listed("plan", "steps", "[]", "step"), {step.replace(" ", "_") for step in steps})


@unittest.skipUnless(schemas.jsonschema, "python3-jsonschema is not installed")
class Outputs(FleetTest):
    """Agent.try_to() compares; here is what it runs."""

    VIEWS = ("status", "gpus", "types", "devices", "plan", "tree", "allocations", "check-config", "preflight")

    def see(self, *words, prints=True):
        """Runs one of them, whatever its exit status; gives what it has printed."""
        done = self.agent.try_to("--format", "json", *words)
        if not prints:
            self.assertEqual(done.stdout, "", words)
            return None
        self.assertTrue(done.stdout, f"{words}: {done.stderr}")
        return json.loads(done.stdout)

    def see_all(self):
        for view in self.VIEWS:
            self.see(view)

    def test_a_lag_is_seen(self):
        """That this compares anything at all."""
        self.build_guide()
        row = self.see("gpus")[0]
        self.assertEqual(schemas.problems("gpus", [{**row, "colour": "red"}]),
                         ["$[0]: Additional properties are not allowed ('colour' was unexpected)"])
        self.assertEqual(len(schemas.problems("gpus", [{**row, "service": "resting", "total": "16"}])), 2)
        with self.assertRaisesRegex(AssertionError, "there is no etc/schemas/new.json"):
            schemas.check(["--format", "json", "new"], "[]")

    def test_every_host(self):
        for file in sorted(HOSTS.glob("*.json")):
            with self.subTest(file.stem):
                self.build(file.stem, {}, root=f"{file.stem}.example")
                for view in ("gpus", "devices", "check-config", "preflight"):
                    self.see(view)
                types = {row["gpu"]: row["type"] for row in self.see("types")}
                first = {}
                for gpu, type_id in types.items():
                    first.setdefault(type_id, []).append(gpu)
                self.agent.configure({"agent": self.options, "devices": {"enabled_mdev_types": list(first)},
                                      **{f"mdev_{type_id}": {"device_addresses": gpus} for type_id, gpus in first.items()}})
                self.see("plan")
                self.agent.try_to("sync")
                self.see_all()
                self.doCleanups()
                self.setUp()

    def test_in_trouble(self):
        self.build_guide()
        self.see("prune")
        self.agent.run("sync")
        servers = [self.allocate(gpu) for gpu in (A, B, C)]
        self.agent.run("sync")
        self.agent.define_domain(servers[0], self.devices_of(A, servers[0]), running=True)
        for command in ("xml", "qemu-args"):
            self.assertEqual(len(self.see(command, servers[0])), 1)
        self.host.control(f"lose {B}")
        self.host.control(f"hang */{C}/*/available_instances")
        self.placement.deallocate(servers[0])
        self.see_all()
        self.agent.try_to("sync")
        self.see_all()
        self.host.control("show")
        self.agent.state_file.write_text("{")
        self.see_all()
        self.agent.configure({"agent": self.options, "devices": {"enabled_mdev_types": "nvidia-36"},
                              "mdev_nvidia-36": {"device_addresses": [C]}})
        self.agent.try_to("sync")
        self.see_all()
        self.see("prune")

    def test_with_a_daemon(self):
        self.build_guide()
        self.see("drain", B)  # which does not run yet
        self.agent.start()
        self.agent.settle()
        for words in (["drain", A], ["undrain", A], ["undrain", B], ["reload"], ["adopt-root"]):
            self.see(*words)
        server = self.allocate(C)
        wait_for(lambda: self.states().get(server) == ["ready"], "the device")
        self.see_all()
        self.agent.file.write_text(self.agent.file.read_text() + "[agent]\nsync_interval = often\n")
        self.see("status"), self.see("check-config"), self.see("reload")

    def test_without_placement(self):
        self.build_guide()
        self.agent.run("sync")
        self.agent.configure({"agent": self.options, **GUIDE_TYPES, "placement": {
            "auth_type": "none", "endpoint_override": "http://127.0.0.1:1", "max_retries": 1}})
        for view in ("status", "gpus", "types", "devices", "check-config", "preflight"):
            self.see(view)
        for view in ("plan", "tree", "allocations"):
            self.see(view, prints=False)

    def test_in_mode_nova_pci(self):
        description = load_description("vendor-vfio")
        types = {"devices": {"enabled_mdev_types": ["nvidia-1147"]},
                 "mdev_nvidia-1147": {"device_addresses": "0000:41:00.0", "live_migratable": "true"}}
        self.build(description, types, root="compute1.example", create_root="false", mode="nova-pci")
        self.placement.create_provider(self.root_name, new_uuid())
        self.agent.try_to("sync")
        found = self.see("nova-config")
        self.assertEqual({entry["live_migratable"] for entry in found["pci"]["device_spec"]}, {"yes"})
        self.see_all()
