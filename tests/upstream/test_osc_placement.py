"""Every command of osc-placement, as packaged, against placementd and against OpenStack's
Placement: the same output, on the microversions at which the commands change."""
import concurrent.futures
import json
import pathlib
import re
import shutil
import subprocess

from differ.known import LATER_TRAITS
from openstack import Placement
from support.case import SystemTest
from support.placement import own_placement
from test_differential import File

HERE = pathlib.Path(__file__).resolve().parent
PLUGIN = "/usr/lib/python3/dist-packages/osc_placement"
LATEST = "1.39"
ROOT, CHILD, OTHER = (f"7d2590ae-fb85-4080-9306-058b4c915e{n}" for n in ("01", "02", "03"))
AGGREGATE = "42896e0d-205d-4fe3-bd1e-100924931787"
CONSUMER, SECOND = (f"4ec1b9a8-0b5c-4b09-8d0a-1c1d6b2b5b{n}" for n in ("01", "02"))


def command(words, *options, version=LATEST, output=True):
    """`words` is the name of the command; one that shows something shows it as JSON."""
    form = ["-f", "json"] if output else []
    return [*words.split(), *options, *form, "--os-placement-api-version", version]


def quiet(words, *options, version=LATEST):
    return command(words, *options, version=version, output=False)


def providers():
    create = "resource provider create"
    return [
        command(create, "root", "--uuid", ROOT, version="1.0"),
        command(create, "child", "--uuid", CHILD, "--parent-provider", ROOT),
        command(create, "other", "--uuid", OTHER),
        command(create, "root"),  # the name is taken
        command("resource provider set", OTHER, "--name", "moved",
                "--parent-provider", ROOT),
        command("resource provider show", OTHER, "--allocations"),
        command("resource provider show", OTHER, version="1.0"),
        command("resource provider list", version="1.0"),
        command("resource provider list", "--in-tree", CHILD),
        command("resource provider list", "--name", "child", "--uuid", CHILD),
        command("resource provider list", "--required", "HW_CPU_X86_AVX", "--forbidden",
                "HW_CPU_X86_SSE"),
    ]


def names():
    return [
        command("resource class list", version="1.2"),
        quiet("resource class create", "CUSTOM_ONE", version="1.2"),
        quiet("resource class set", "CUSTOM_TWO", version="1.7"),
        command("resource class show", "CUSTOM_TWO"),
        command("resource class show", "CUSTOM_NONE"),
        quiet("resource class delete", "CUSTOM_ONE"),
        quiet("trait create", "CUSTOM_FAST", version="1.6"),
        quiet("trait create", "FAST"),
        command("trait show", "CUSTOM_FAST"),
        command("trait list", "--name", "startswith:CUSTOM"),
        command("trait list", version="1.6"),
        quiet("trait delete", "CUSTOM_SLOW"),
    ]


def stock():
    inventory = "resource provider inventory"
    return [
        command(f"{inventory} set", ROOT, "--resource", "VCPU=8", "--resource",
                "VCPU:allocation_ratio=16.0", "--resource", "MEMORY_MB=1024",
                "--resource", "CUSTOM_TWO=3", version="1.3"),
        command(f"{inventory} set", CHILD, "--resource", "VGPU=16", "--amend"),
        command(f"{inventory} set", CHILD, "--resource", "VGPU:max_unit=4", "--amend"),
        command(f"{inventory} set", ROOT, CHILD, "--resource", "VCPU=1", "--aggregate"),
        command(f"{inventory} class set", ROOT, "MEMORY_MB", "--total", "2048",
                "--reserved", "512"),
        command(f"{inventory} list", ROOT),
        command(f"{inventory} show", ROOT, "MEMORY_MB"),
        command(f"{inventory} show", ROOT, "VGPU"),
        quiet(f"{inventory} delete", ROOT, "--resource-class", "CUSTOM_TWO"),
        command("resource provider trait set", CHILD, "--trait", "CUSTOM_FAST",
                "--trait", "HW_CPU_X86_AVX"),
        command("resource provider trait list", CHILD),
        command("resource provider aggregate set", ROOT, AGGREGATE, version="1.1"),
        command("resource provider aggregate set", CHILD, AGGREGATE, "--generation", "77"),
        command("resource provider aggregate set", OTHER, AGGREGATE, "--generation", "0"),
        command("resource provider aggregate list", ROOT),
        command("resource provider list", "--member-of", AGGREGATE, version="1.3"),
        command("resource provider list", "--resource", "VCPU=2", version="1.4"),
    ]


def candidates():
    ask = "allocation candidate list"
    return [
        command(ask, "--resource", "VCPU=1", "--resource", "VGPU=1"),
        command(ask, "--resource", "VCPU=1", version="1.10"),
        command(ask, "--resource", "VGPU=1", "--required", "CUSTOM_FAST", "--limit", "1"),
        command(ask, "--resource", "VCPU=1", "--group", "GPU", "--resource", "VGPU=1",
                "--required", "CUSTOM_FAST", "--group-policy", "isolate"),
        command(ask, "--resource", "VGPU=1", "--forbidden", "CUSTOM_FAST"),
        command(ask, "--resource", "VCPU=1", "--member-of", AGGREGATE),
        command(ask, "--resource", "VCPU=1000"),
        command(ask, "--resource", "CUSTOM_NONE=1"),
    ]


def allocations():
    name = "resource provider allocation"
    owner = ["--project-id", "p", "--user-id", "u"]
    return [
        command(f"{name} set", CONSUMER, "--allocation", f"rp={ROOT},VCPU=2,MEMORY_MB=64",
                "--allocation", f"rp={CHILD},VGPU=2", *owner, version="1.12"),
        command(f"{name} set", SECOND, "--allocation", f"rp={CHILD},VGPU=1", *owner,
                version="1.28"),
        command(f"{name} set", SECOND, "--allocation", f"rp={CHILD},VGPU=100", *owner,
                version="1.28"),
        command(f"{name} show", CONSUMER, version="1.28"),
        command(f"{name} unset", CONSUMER, "--provider", CHILD, version="1.28"),
        command(f"{name} show", CONSUMER),
        command("resource provider usage show", ROOT),
        command("resource provider usage show", CHILD),
        command("resource usage show", "p", version="1.9"),
        command("resource usage show", "p", "--user-id", "u", version="1.9"),
        command("resource provider show", CHILD, "--allocations"),
        quiet("resource provider inventory delete", CHILD),
        quiet("resource provider delete", CHILD),
        quiet(f"{name} delete", SECOND),
        quiet(f"{name} delete", CONSUMER),
        quiet(f"{name} delete", CONSUMER),
    ]


def the_end():
    return [
        quiet("resource provider trait delete", CHILD),
        quiet("trait delete", "CUSTOM_FAST"),
        quiet("resource provider inventory delete", CHILD),
        quiet("resource provider delete", ROOT),
        quiet("resource provider delete", CHILD),
        quiet("resource provider delete", OTHER),
        quiet("resource provider delete", ROOT),
        quiet("resource class delete", "CUSTOM_TWO"),
        command("resource provider list"),
    ]


STORY = providers() + names() + stock() + candidates() + allocations() + the_end()


def is_later(item):
    """A standard trait that upstream's release does not know yet."""
    return isinstance(item, dict) and item.get("name") in LATER_TRAITS


def plain(value):
    """Without what is a server's own, and the order that none promises."""
    if isinstance(value, list):
        return sorted((plain(item) for item in value if not is_later(item)),
                      key=json.dumps)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, str) and ", " in value:
        return sorted(value.split(", "))
    return value


def normal(result):
    status, out, err = result
    try:
        out = plain(json.loads(out))
    except ValueError:
        pass
    return status, out, " ".join(re.sub("req-[0-9a-f-]+", "REQUEST", err).split())


class CommandsTest(SystemTest):
    def run_story(self, placement):
        done = subprocess.run(
            ["/usr/bin/python3", "-P", "-W", "ignore", str(HERE / "osc_commands.py")],
            input=json.dumps(STORY), capture_output=True, text=True, check=False,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(self.directory),
                 "OS_AUTH_TYPE": "admin_token", "OS_ENDPOINT": placement.url,
                 "OS_TOKEN": "admin"})
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_every_command_says_the_same(self):
        if not shutil.which("uwsgi_python3") or not pathlib.Path(PLUGIN).is_dir():
            self.skipTest("not installed: uwsgi-plugin-python3 or python3-osc-placement")
        upstream = Placement(self.directory, File(self.directory), processes=1)
        self.addCleanup(upstream.stop)
        ours = own_placement(self.subdirectory("placement"))
        self.addCleanup(self.end, ours)
        worked = 0
        with concurrent.futures.ThreadPoolExecutor() as pool:
            answers = list(pool.map(self.run_story, (ours, upstream)))
        for arguments, one, other in zip(STORY, *answers):
            with self.subTest(" ".join(arguments)):
                self.assertEqual(normal(one), normal(other))
            worked += one[0] == 0
        self.assertGreater(worked, len(STORY) * 2 // 3)

    def test_the_story_has_every_command(self):
        listing = subprocess.run(
            ["/usr/bin/python3", "-c", "import importlib.metadata as m; print("
             "*[e.name for e in m.entry_points(group='openstack.placement.v1')])"],
            capture_output=True, text=True, check=True).stdout
        used = {" ".join(arguments) for arguments in STORY}
        for name in listing.split():
            words = name.replace("_", " ") + " "
            self.assertTrue(any(line.startswith(words) for line in used), words)
