"""What bash offers while vgpu-agent and placementd are typed, compared with what they accept."""
import re
import shlex
import unittest

from support.fleet import FleetTest
from support.process import TOP, program, run

OPTION = r"--[a-z][a-z-]*"
# What the arguments of commands are called, and what is offered for them; nothing where it is not to be guessed.
KINDS = {"GPU", "TYPE", "CONSUMER", "DEVICE", "COMMAND", "FORMAT", "LEVEL", "FILE", "DIR"}
NOT_OFFERED = {"UUID", "TEXT", "SECONDS"}


def as_bash_does(words):
    """Apart at what stands in COMP_WORDBREAKS."""
    for word in words:
        if word == "":
            yield ""
        yield from re.findall(r"[:=]|[^:=]+", word)


class Completion(unittest.TestCase):
    def complete(self, name, *words):
        """What is offered for the last of the words, in place of what stands behind its last colon."""
        script = TOP / "etc/completion" / name
        line = [program(name), *as_bash_does(words)]
        done = run(["bash", "-c", '. "$0"; COMP_WORDS=("${@:2}"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); '
                    "COMP_WORDBREAKS=$' \\t\\n\"\\'><=;|&(:'; " '"$1"; ((${#COMPREPLY[@]} == 0)) || printf "%s\\n" "${COMPREPLY[@]}"',
                    str(script), "_" + name.replace("-", "_"), *line])
        self.assertEqual(done.stderr, "", words)
        return done.stdout.splitlines()

    def agent(self, *words):
        offered = self.complete("vgpu-agent", *words)
        self.assertEqual(len(offered), len(set(offered)), "each once")
        return set(offered)


class Agent(Completion):
    def help(self, *words):
        return run([program("vgpu-agent"), *words]).stdout.split("Options of the ")[0]

    def setUp(self):
        text = self.help("--help")
        self.commands = re.findall(r"(?m)^  ([a-z][a-z-]*)", text.split("Commands:\n")[1])
        self.options = set(re.findall(rf"(?m)^  (?:-., )?({OPTION})", text.split("Commands:\n")[0]))
        self.assertIn("status", self.commands)
        self.assertIn("--config-file", self.options)

    def test_before_a_command(self):
        self.assertEqual(self.agent(""), {*self.options, *self.commands})
        self.assertEqual(self.agent("--format", "json", "st"), {"status"})
        self.assertEqual(self.agent("-"), self.options)

    def test_each_command_has_the_options_of_its_help(self):
        """And no other: each that is offered is accepted."""
        for command in self.commands:
            own = self.help("help", command)
            accepted = set(re.findall(rf"(?m)^  (?:-., )?({OPTION})", own))
            self.assertEqual(self.agent(command, "--"), accepted, command)
            for option in accepted - {"--help", "--version"}:
                kind = re.search(rf"{option} (([A-Z]+)|[a-z]+\|[a-z|]+)", own)
                value = [] if not kind else [{"LEVEL": "info", "SECONDS": "2"}.get(kind[2], "json")] if kind[2] else kind[1].split("|")[:1]
                done = run([program("vgpu-agent"), command, option, *value, "--help"])
                self.assertEqual((done.returncode, done.stderr), (0, ""), (command, option))

    def test_each_argument_is_known(self):
        """A new kind of argument needs its line in the completion's _vgpu_agent_kind, or its place in NOT_OFFERED."""
        script = (TOP / "etc/completion/vgpu-agent").read_text()
        for command in self.commands:
            usage = self.help("help", command).splitlines()[0].split("... ", 1)[1]
            for kind in re.findall(r"\b[A-Z]+\b", usage):
                self.assertIn(kind, KINDS | NOT_OFFERED, f"vgpu-agent {command}: {kind} is completed by nothing")
        for kind in KINDS:
            self.assertRegex(script, rf"(?m)^        (.* \| )?{kind}( \| .*)?\)", kind)

    def test_values(self):
        self.assertEqual(self.agent("-f", ""), {"table", "json"})
        self.assertEqual(self.agent("--format=j"), {"json"})
        self.assertEqual(self.agent("status", "--format="), {"table", "json"})
        self.assertEqual(self.agent("--log-level", ""), {"error", "warning", "info", "debug"})
        self.assertEqual(self.agent("restore", "--wait", ""), set())
        self.assertEqual(self.agent("help", ""), set(self.commands))
        self.assertEqual(self.agent("help", "sy"), {"sync"})
        self.assertEqual(self.agent("--config-file", str(TOP / "Makef")), {str(TOP / "Makefile")})
        self.assertEqual(self.agent("--config-dir", str(TOP / "et")), {str(TOP / "etc")})

    def test_a_program_that_is_not_there(self):
        done = run(["bash", "-c", f'. {shlex.quote(str(TOP / "etc/completion/vgpu-agent"))}; COMP_WORDS=(/nowhere/vgpu-agent ""); '
                    'COMP_CWORD=1; _vgpu_agent; echo "${#COMPREPLY[@]}"'])
        self.assertEqual((done.stdout, done.stderr), ("0\n", ""))


class OnAHost(FleetTest, Completion):
    def test_gpus_types_and_consumers(self):
        self.build_guide()
        files = ["--config-file", str(self.agent.file)]
        self.agent.run("sync")
        server = self.allocate("0000:84:00.0")
        self.agent.run("sync")

        def offered(*words):
            return {word for word in self.complete("vgpu-agent", *files, *words) if not word.startswith("-")}
        gpus = {row["gpu"] for row in self.agent.json("gpus")}
        self.assertEqual(offered("drain", ""), gpus | {"all"})
        self.assertEqual(offered("drain", "g"), {row["logical_name"] for row in self.agent.json("gpus")})
        self.assertEqual(offered("drain", "84"), {"84:00.0"})
        self.assertEqual(offered("drain", "0000:84"), {"84:00.0"})  # behind the colon
        self.assertEqual(offered("drain", "84:0"), {"00.0"})
        self.assertEqual(offered("drain", "0000:84:00.0", ""), set())  # it takes one
        self.assertEqual(offered("xml", ""), {server, *self.host.mdevs()})
        self.assertEqual(offered("types", "nvidia-"), {row["type"] for row in self.agent.json("types")})
        self.assertEqual(offered("status", ""), set())
        self.assertEqual(offered("xml", "--display", ""), {"on", "off"})
        self.assertEqual(offered("watch", ""), {"status", "gpus", "devices", "tree", "allocations"})


class Placementd(Completion):
    def test_options(self):
        text = run([program("placementd"), "--help"]).stdout.split("Options of the ")[0]
        options = set(re.findall(OPTION, text))
        jobs = {"--check", "--backup", "--export", "--import"}
        transfers = {"--delete", "--connections"}
        self.assertLess(jobs, options)

        def offered(*words):
            return set(self.complete("placementd", *words))
        self.assertEqual(offered(""), options - transfers)
        self.assertEqual(offered("--auth", ""), {"keystone", "noauth2"})
        self.assertEqual(offered("--listen", ""), set())
        self.assertEqual(offered(f"--cert={TOP}/Makef"), {f"{TOP}/Makefile"})
        for job in jobs:
            more = transfers if job in ("--export", "--import") else set()
            left = offered(job, "/nowhere/x", "")
            self.assertEqual(left, (options - jobs - transfers) | more, job)
            for option in jobs | transfers:
                value = ["/nowhere/y"] if option in jobs else ["2"] if option == "--connections" else []
                refused = run([program("placementd"), job, "/nowhere/x", option, *value]).returncode == 64
                self.assertEqual(refused, option not in left and option != job, (job, option))
