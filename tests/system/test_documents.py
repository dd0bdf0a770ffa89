"""Manual, README and completion tell of every command and every option of the command line."""
import re
import unittest

from support.process import TOP, program, run


class Documents(unittest.TestCase):
    def setUp(self):
        text = run([program("vgpu-agent"), "--help"]).stdout
        options, commands = re.search(
            r"Options, before the command:\n(.*?)\nCommands:\n(.*?)\n\n", text, re.S).groups()
        self.options = re.findall(r"--[a-z-]+", " ".join(
            line for line in options.splitlines() if line.startswith("  --")))
        self.commands = [line.split()[0] for line in commands.splitlines()]
        self.assertIn("--config-file", self.options)
        self.assertIn("status", self.commands)

    def test_completion(self):
        words = (TOP / "etc/completion/vgpu-agent").read_text().split()
        words = {word.strip('")') for word in words}
        self.assertLessEqual({*self.options, *self.commands}, words)

    def test_manual(self):
        text = (TOP / "etc/man/vgpu-agent.8").read_text()
        for command in self.commands:
            self.assertRegex(text, rf"(?m)^\.BI? {command}$|^\.B[IR] {command} ", command)
        text = text.replace("\\-", "-")
        for option in self.options:
            self.assertRegex(text, rf"(?m)^\.BI? {option}( |$)", option)

    def test_readme(self):
        text = (TOP / "README.rst").read_text()
        for command in self.commands:
            self.assertRegex(text, rf"(?m)^``{command}[ `]", command)
