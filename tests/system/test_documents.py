"""Manual and documents tell of every command and every option of the command line, and of none that
does not exist."""
import pathlib
import re
import shutil
import tempfile
import unittest

from support.process import BUILD, TOP, program, run

OPTION = r"--[a-z][a-z-]*"


def documents(*folders):
    """Of the top, and of these folders themselves."""
    return [*TOP.glob("*.rst"), *(file for folder in folders for file in (TOP / folder).glob("*.rst"))]


class OptionsOfBoth(unittest.TestCase):
    def check(self, name, source, others=()):
        """`others`: options of commands, not of the program."""
        help_text = run([program(name), "--help"]).stdout.split("Options of the ")[0]
        manual = (TOP / f"etc/man/{name}.8").read_text().replace("\\-", "-")
        table = dict(re.findall(r'\{"([a-z-]+)", (required|no)_argument,', (TOP / source).read_text()))
        accepted = {f"--{option}" for option in table}
        self.assertEqual(set(re.findall(OPTION, help_text)), accepted | set(others))
        self.assertEqual(set(re.findall(OPTION, manual)), accepted | set(others))
        headings = "\n".join(re.findall(r"(?m)^\.TP\n(.*)", manual))
        self.assertLessEqual(accepted, set(re.findall(OPTION, headings)))
        for option, argument in table.items():
            done = run([program(name), f"--{option}", *(["x"] if argument == "required" else []),
                        "--version"])
            self.assertNotRegex(done.stderr, "unrecognized|requires|doesn't allow", option)

    def test_agent(self):
        self.check("vgpu-agent", "agent/command/command_line.c",
                   {"--wait", "--interval", "--display", "--ramfb", "--type", "--gpu", "--uuid", "--force"})

    def test_placementd(self):
        self.check("placementd", "placement/server/main.c")

    def test_mdevsim(self):
        manual = (TOP / "etc/man/mdevsim.1").read_text().replace("\\-", "-").replace("\\(dq", "'")
        self.assertEqual(set(re.findall(OPTION, manual.split(".SH OPTIONS")[1].split(".SH")[0])),
                         set(re.findall(OPTION, run([program("mdevsim"), "--help"]).stdout)))
        commands = re.findall(r'\{"([a-z]+)", \d+, \d+, run_', (TOP / "tests/sim/command.c").read_text())
        self.assertIn("lose", commands)
        text = (TOP / "tests/sim/description.c").read_text()
        members = {name for table in re.findall(r"known\[\] = \{(.*?)NULL\}", text, re.S) for name in re.findall(r'"(\w+)"', table)}
        self.assertIn("models", members)
        for word in {*commands, *members} - {"comment"}:
            self.assertRegex(manual, rf"(?m)^\.[BT].*\b{word}\b", f"mdevsim(1) does not have {word}")

    def test_every_manual_has_examples(self):
        for page in [*(TOP / "etc/man").glob("*.[1-8]"), *(BUILD / "man").glob("*.5")]:
            self.assertRegex(page.read_text(), r'(?m)^\.SH "?EXAMPLES?"?$', page.name)

    def test_a_section_stands_once(self):
        for page in [*(TOP / "etc/man").glob("*.[18]"), *(BUILD / "man").glob("*.5")]:
            sections = re.findall(r"(?m)^\.SH (.*)", page.read_text())
            self.assertEqual(len(sections), len(set(sections)), (page, sections))

    def test_options_that_files_have_too(self):
        said = re.search(r"also options of the file \(([^)]*)\)", (TOP / "etc/man/placementd.8").read_text())[1]
        page = (BUILD / "man/placementd.conf.5").read_text()
        for option in said.split(", "):
            self.assertRegex(page, rf"(?m)^\.BI? {option}\b", option)

    def test_manuals_are_well_formed(self):
        pages = [BUILD / "man" / f"{name}.conf.5" for name in ("vgpu-agent", "placementd")]
        pages += (TOP / "etc/man").glob("*.[18]")
        checks = (["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"],
                  ["mandoc", "-T", "lint", "-W", "warning"])
        found = [check for check in checks if shutil.which(check[0])]
        if not found:
            self.skipTest("neither man nor mandoc is installed")
        for check in found:
            for page in pages:
                done = run([*check, str(page)])
                said = done.stderr if check[0] == "man" else done.stdout
                said = [line for line in said.splitlines() if "missing date" not in line]
                self.assertEqual(said, [], page.name)


class Documents(unittest.TestCase):
    def setUp(self):
        text = run([program("vgpu-agent"), "--help"]).stdout
        options, commands = re.search(
            r"Options, before the command or after it:\n(.*?)\nCommands:\n(.*?)\n\n", text, re.S).groups()
        self.options = re.findall(r"--[a-z-]+", " ".join(
            line for line in options.splitlines() if re.match("  (-., )?--", line)))
        self.commands = re.findall(r"(?m)^  (\S+)", commands)
        self.assertLessEqual(max(map(len, (options + commands).splitlines())), 80)
        self.assertIn("--config-file", self.options)
        self.assertIn("status", self.commands)

    def test_manual(self):
        text = (TOP / "etc/man/vgpu-agent.8").read_text()
        for command in self.commands:
            self.assertRegex(text, rf"(?m)^\.BI? {command}$|^\.B[IR] {command} ", command)
        text = text.replace("\\-", "-")
        for option in self.options:
            self.assertRegex(text, rf"(?m)^\.B[IR]?( -[a-z] \", \")? {option}( |$)", option)

    def test_operating(self):
        text = (TOP / "doc/operating.rst").read_text()
        for command in self.commands:
            self.assertRegex(text, rf"(?m)^``{command}[ `]", command)

    def test_commands_that_documents_name(self):
        for document in documents("doc"):
            for command in re.findall(r"(?:``|^    (?:sandbox\$ |# )?)vgpu-agent\s+([a-z][a-z-]*)", document.read_text(), re.M):
                self.assertIn(command, self.commands, document.name)

    def test_options_that_documents_name(self):
        """Of a command line, those that its program takes; of vgpu-agent's, that its command takes."""
        helps = {name: run([program(name), "--help"]).stdout for name in ("vgpu-agent", "placementd", "mdevsim")}
        found = 0
        for document in documents("doc", "devstack"):
            text = document.read_text()
            lines = [" ".join(words.split()) for words in re.findall(r"``([^`]+)``", text)] + re.findall(r"(?m)^    (\S.*)$", text)
            for line in lines:
                for name, words in re.findall(r"\b(vgpu-agent|placementd|mdevsim) ((?:[^|;&]|\|all)*)", line):
                    command = next((word for word in words.split() if word in self.commands), None) if name == "vgpu-agent" else None
                    own = run([program(name), "help", command]).stdout if command else ""
                    for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", words):
                        found += 1
                        self.assertRegex(helps[name].split("Options of the ")[0] + own, rf"{option}(?![\w-])", f"{document.name}: {line}")
        self.assertGreater(found, 20)


class Paths(unittest.TestCase):
    """What documents name in the source is there."""

    FOLDERS = "agent|config|devstack|doc|etc|lib|placement|tests"

    def documents(self):
        return [*TOP.glob("*.rst"), *(file for folder in self.FOLDERS.split("|") for file in (TOP / folder).rglob("*.rst"))]

    def test_files_are_there(self):
        for document in self.documents():
            for path in re.findall(rf"``((?:{self.FOLDERS})/[a-zA-Z0-9_./-]*)``", document.read_text()):
                self.assertTrue((TOP / path).exists(), f"{document.relative_to(TOP)}: {path}")

    def test_large_folders_say_where_to_begin(self):
        rooms = {source.parent for part in ("agent", "placement", "config", "lib") for source in (TOP / part).rglob("*.c")}
        for folder in (*rooms, TOP / "etc", TOP / "tests"):
            self.assertTrue((folder / "README.rst").exists(), folder.relative_to(TOP))

    @unittest.skipUnless(shutil.which("sphinx-build"), "sphinx-build is not installed")
    def test_sphinx_has_nothing_to_say(self):
        """Of the documents of the top and of doc/, as one book; what it warns of is an error."""
        with tempfile.TemporaryDirectory(prefix="vgpu-book-") as folder:
            for document in documents("doc"):
                shutil.copy(document, folder)
            pathlib.Path(folder, "index.rst").write_text("Book\n====\n\n.. toctree::\n   :glob:\n\n   *\n")
            done = run(["sphinx-build", "-C", "-W", "--keep-going", "-n", "-q", "-D", "project=book", "-b", "html", folder, f"{folder}/_out"])
            self.assertEqual((done.returncode, done.stderr), (0, ""))


class References(unittest.TestCase):
    """`doc/x.rst, Title` and `vgpu-agent(8), TITLE`: the place is there, in documents, manuals and messages."""

    DOCUMENT = re.compile(r"\b((?:doc/)?[A-Za-z-]+\.rst),\s+(?:# )?(?=[A-Z]|libvirt's)(?![\w/-]+\.rst)")
    MANUAL = re.compile(r"\b(vgpu-agent|placementd)\(8\)[`,]+\s+(?=[A-Z]{2,} ?[A-Z]*)")

    def texts(self):
        files = [*documents("doc", "devstack"), *(TOP / "etc").rglob("*")]
        files += [file for folder in ("agent", "config", "placement", "lib") for file in (TOP / folder).rglob("*.[ch]")]
        for file in files:
            if file.is_file():
                # A text of the source may be in pieces.
                yield file, re.sub(r'\s+', " ", re.sub(r'"\s+"', "", file.read_text().replace("\\-", "-")))

    def titles(self, document):
        text = (TOP / document).read_text()
        return [re.sub(r"[.,]$", "", title) for title in (*re.findall(r"(?m)^(.+)\n[=~-]{3,}$", text), *re.findall(r"(?m)^\*\*(.+?)\*\*", text))]

    def test_titles_are_there(self):
        found = 0
        for file, text in self.texts():
            for place in self.DOCUMENT.finditer(text):
                document, rest = place[1], text[place.end():]
                found += 1
                self.assertTrue(any(rest.startswith(title) for title in self.titles(document)), f"{file.relative_to(TOP)}: {document}, {rest[:50]}")
            for place in self.MANUAL.finditer(text):
                sections = re.findall(r'(?m)^\.SH "?([^"\n]+)', (TOP / f"etc/man/{place[1]}.8").read_text())
                rest = text[place.end():]
                self.assertTrue(any(rest.startswith(section) for section in sections), f"{file.relative_to(TOP)}: {place[1]}(8), {rest[:50]}")
        self.assertGreater(found, 20)


class Options(unittest.TestCase):
    """Options of the files that documents name: they exist, in the section that is said, and the programs take the files as they are
    shown."""

    # Of other programs' files, or what the text says of Placement.
    OTHERS = {"access_drivers", "auth_unix_rw", "unix_sock_group", "num_pcie_ports", "managed", "reserved", "device_spec", "alias"}

    def setUp(self):
        self.known = {}
        for name in ("vgpu-agent", "placementd"):
            section = None
            for line in (BUILD / f"etc/{name}.conf.sample").read_text().splitlines():
                if header := re.match(r"#?\[(.+)\]$", line):
                    section = self.kind(header[1])
                elif option := re.match(r"#(\w+) =", line):
                    self.known.setdefault(section, set()).add(option[1])
        self.assertIn("sync_interval", self.known["agent"])
        self.assertIn("vram_quota", self.known["vf_type_*"])

    def kind(self, section):
        return re.sub(r"^(mdev|vf_type|group)_.*", r"\1_*", section)

    def test_those_that_are_named(self):
        every = set().union(*self.known.values())
        for document in documents("doc", "etc", "devstack"):
            for words in re.findall(r"``([^`]+)``", document.read_text()):
                named = re.fullmatch(r"(?:\[([\w*<>-]+)\] )?([a-z_]+)(?: = .*)?", " ".join(words.split()))
                if not named or named[2] in self.OTHERS or not (named[1] or " = " in words):
                    continue
                options = self.known.get(self.kind(named[1]), set()) if named[1] else every
                self.assertIn(named[2], options, f"{document.relative_to(TOP)}: {words}")

    def files_shown(self):
        """(document, text) of each file that a document shows."""
        for document in documents("doc", "etc", "devstack"):
            for block in re.findall(r"::\n\n((?:    .*\n|\n)+)", document.read_text()):
                lines = [line[4:] for line in block.splitlines()]
                begin = next((number for number, line in enumerate(lines) if re.match(r"\[\w", line)), None)
                if begin is not None and "[[" not in block:
                    end = next((number for number, line in enumerate(lines) if number > begin and re.match(r"#|END", line)), len(lines))
                    yield document.relative_to(TOP), "\n".join(lines[begin:end]) + "\n"

    def test_files_that_are_shown(self):
        shown = list(self.files_shown())
        self.assertGreater(len(shown), 6)
        with tempfile.TemporaryDirectory(prefix="vgpu-files-") as folder:
            for document, text in shown:
                section = None
                for line in text.splitlines():
                    if header := re.match(r"\[(.+)\]$", line):
                        section = self.kind(header[1])
                    elif line.strip():
                        self.assertIn(line.split("=")[0].strip(), self.known[section], f"{document}: {text}")
                file = pathlib.Path(folder, "shown.conf")
                file.write_text(text)
                if "[placementd]" not in text:
                    done = run([program("vgpu-agent"), "--config-file", str(file), "--sysfs-root", folder, "check-config"])
                    self.assertNotRegex(done.stdout, r"unknown|accepted|not used|incorrect", f"{document}: {text}")


class Microversions(unittest.TestCase):
    def test_the_highest_is_the_one_that_is_served(self):
        names = dict(re.findall(r"\b(MICROVERSION_\w+) = (\w+)", (TOP / "placement/microversion.h").read_text()))
        highest = names[names["MICROVERSION_MAX"]]
        self.assertEqual(int(highest), max(int(value) for value in names.values() if value.isdigit()))
        for file in ("README.rst", "doc/compatibility.rst", "etc/man/placementd.8", "etc/debian/control", "etc/rpm/vgpu-agent.spec",
                     "placement/server/main.c"):
            self.assertRegex(" ".join((TOP / file).read_text().split()), rf"versions 1\.0 to 1\.{highest}\b", file)


class Version(unittest.TestCase):
    """Stated once, in the Makefile."""

    def test_it_is_the_same_everywhere(self):
        version = re.search(r"(?m)^VERSION := (\d+\.\d+\.\d+)$", (TOP / "Makefile").read_text())[1]
        for name in ("vgpu-agent", "placementd", "mdevsim"):
            self.assertEqual(run([program(name), "--version"]).stdout, f"{name} {version}\n")
        for page in (BUILD / "man").glob("*"):
            self.assertIn(version, page.read_text().splitlines()[0], page.name)
        for file in ("etc/debian/changelog", "etc/rpm/vgpu-agent.spec", "etc/debian/rules", "etc/debian/control"):
            self.assertNotIn(version, (TOP / file).read_text(), f"{file} takes it from the Makefile")
        sections = re.findall(r"(?m)^(.+)\n-{3,}$", (TOP / "NEWS.rst").read_text())
        self.assertIn(sections[0], ("Unreleased", version), "what the first section of NEWS.rst is of")
        for section in sections[1:]:
            self.assertRegex(section, r"^\d+\.\d+\.\d+( |$)")
