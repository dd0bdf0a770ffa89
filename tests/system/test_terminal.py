"""The views on a terminal: colour, bars, width; plain anywhere else; no command from outside; `watch`."""
import os
import re
import signal
import subprocess
import termios

from support.fleet import FleetTest, new_uuid
from support.process import program, wait_for
from support.terminal import Terminal

A, B = "0000:84:00.0", "0000:85:00.0"
COLOUR = re.compile("\033\\[[0-9;]*m")
VIEWS = ("status", "gpus", "tree", "allocations")
ENTER, LEAVE = "\033[?1049h", "\033[?1049l"


class TerminalTest(FleetTest):
    def setUp(self):
        super().setUp()
        self.build_guide()
        self.agent.run("sync")
        self.server = self.allocate(A, 4)
        self.agent.run("sync")

    def terminal(self, *words, **more):
        terminal = Terminal(self.agent.arguments(*words), **more)
        self.addCleanup(terminal.close)
        return terminal

    def on_terminal(self, *words, **more):
        """What the command writes to a terminal."""
        terminal = self.terminal(*words, **more)
        terminal.end()
        return terminal.text


class Views(TerminalTest):
    def test_are_plain_where_there_is_no_terminal_for_them(self):
        for view in VIEWS:
            piped = self.agent.try_to(view).stdout
            self.assertNotRegex(piped, "\033|#", view)
            for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}):
                self.assertEqual(self.on_terminal(view, **environment), piped, (view, environment))

    def test_have_colour_and_bars(self):
        for view in VIEWS:
            shown = self.on_terminal(view)
            self.assertRegex(shown, COLOUR, view)
            if view != "allocations":
                self.assertIn("[###.......]" if view != "tree" else "used 4, reserved 0  [###.......]", shown, view)
            # The colours say nothing that the words do not.
            bare = re.sub(r" *\[[#=.]+\] *", " ", COLOUR.sub("", shown)).split()
            self.assertEqual(bare, self.agent.try_to(view).stdout.split(), view)
        self.assertIn("\033[1;31mnot well:\033[0m", self.on_terminal("status"))
        self.assertIn("\033[32mactive\033[0m", self.on_terminal("gpus"))
        # An empty NO_COLOR is none, as no-color.org has it.
        self.assertRegex(self.on_terminal("gpus", NO_COLOR=""), COLOUR)

    def test_fit_the_terminal(self):
        self.host.control(f"lose {A}")
        # A row of allocations begins with a uuid, and names are not cut.
        least = {"allocations": 70}
        widest = {}
        for columns in (60, 80, 200):
            for view in VIEWS:
                room = max(columns, least.get(view, 0))
                lines = COLOUR.sub("", self.on_terminal(view, columns=room)).splitlines()
                widest[view, columns] = max(len(line) for line in lines if self.root_name not in line)
                self.assertLessEqual(widest[view, columns], room, (view, lines))
        self.assertGreater(widest["status", 200], 80)
        self.assertGreater(widest["allocations", 80], widest["allocations", 60])

    def test_json_is_the_same_everywhere(self):
        for view in ("gpus", "tree", "allocations"):
            self.assertEqual(self.on_terminal(view, "--format", "json"), self.agent.run(view, "--format", "json"))


class Hostile(TerminalTest):
    """Whoever may write to Placement, or name a server, does not own the operators' terminals."""
    NAMES = ("evil\x1b]0;owned\x07\x1b[2J", "evil\u009b2J\u009d0;owned\u009c", "evil\r\x7f\nall is well")

    def shown(self, text):
        """Without what is ours: colours and line feeds."""
        return COLOUR.sub("", text).replace("\n", "")

    def test_names_are_no_commands(self):
        root = self.root()
        for name in self.NAMES:
            self.placement.create_provider(self.placement.name(name), new_uuid(), root)
        domain = self.agent.define_domain(new_uuid(), self.host.mdevs(), text="guest")
        # XML 1.0 has no ESC, but it has the other one.
        domain.write_text(domain.read_text().replace("guest", "guest\u009b2J&#127;"))
        for words in (*[[view] for view in VIEWS], ["devices"], ["tree", "-w"], ["tree", "--format", "json"],
                      ["status", "--format", "json"], ["devices", "--format", "json"]):
            for text in (self.on_terminal(*words), self.agent.try_to(*words).stdout):
                self.assertNotRegex(self.shown(text), r"[\x00-\x1f\x7f-\x9f]", words)
        tree = self.agent.run("tree")
        self.assertIn("evil?]0;owned??[2J\n", tree)
        self.assertIn("evil?2J?0;owned?\n", tree)
        self.assertIn("evil???all is well\n", tree)
        self.assertEqual({row["name"] for row in self.agent.json("tree") if "evil" in row["name"]},
                         {self.placement.name(name) for name in self.NAMES} if self.placement.is_own else
                         {row["name"] for row in self.agent.json("tree") if "evil" in row["name"]})

    def test_messages_are_none_either(self):
        self.agent.configure({"agent": {**self.options, "root_provider_name": "no\x1b[31m"}, **self.types})
        for words in (["gpus"], ["tree"], ["status"], ["plan"], ["adopt-root"], ["drain", A], ["undrain", A], ["sync"]):
            done = self.agent.try_to(*words)
            self.assertNotRegex(done.stderr + done.stdout, "\x1b", words)


    def test_words_of_the_command_line_are_none_either(self):
        bad = "\x1b[31mX\x9b\r"
        for words in ([bad], ["help", bad], ["--format", bad, "gpus"], ["--log-level", bad, "gpus"], ["restore", "--wait", bad],
                      [f"--{bad}"], ["gpus", f"--{bad}=1"], [f"-{bad}"], [f"--help={bad}"], ["drain", bad]):
            for word in ([os.fsencode(word) for word in words], [word.encode("latin-1") for word in words]):
                done = subprocess.run([program("vgpu-agent"), "--config-file", self.agent.file, *word], capture_output=True, timeout=30)
                self.assertNotRegex(done.stdout + done.stderr, rb"[\x00-\x09\x0b-\x1f\x7f-\xff]", words)
                self.assertEqual((done.returncode == 0, done.stderr.count(b"\n")), (False, 1), words)
        for words in ([bad], [f"--{bad}"], ["--connections", bad], ["--check", "--backup", bad]):
            done = subprocess.run([program("placementd"), *words], capture_output=True, timeout=30)
            self.assertNotRegex(done.stdout + done.stderr, rb"[\x00-\x09\x0b-\x1f\x7f-\xff]", words)
            self.assertEqual(done.returncode, os.EX_USAGE, words)


class Watch(TerminalTest):
    def end_with(self, terminal, key):
        """Ends the program: the terminal is as it was, and the shell's screen is shown."""
        terminal.press(key)
        self.assertEqual(terminal.end(), 0, terminal.text)
        # All modes that were set are set back, and nothing is written behind that.
        self.assertTrue(terminal.text.endswith("\033[?7h\033[?25h" + LEAVE), terminal.text[-100:])
        self.assertEqual(terminal.text.count(ENTER), terminal.text.count(LEAVE))
        self.assertEqual(termios.tcgetattr(terminal.slave), terminal.modes)

    def picture(self, terminal, after=0):
        """Waits for the whole of a picture behind that place: the match."""
        return terminal.wait_for_match(r"\033\[Hvgpu-agent [^\n]*(?<!waiting)   every (?:(?!\033\[H).)*\033\[J", after)

    def test_shows_what_changes_until_it_is_ended(self):
        terminal = self.terminal("watch", "--interval", "1")
        first = self.picture(terminal)
        self.assertTrue(terminal.text.startswith(ENTER))
        self.assertRegex(first[0], r"\[###\.+\]")
        self.assertIn("every 1 s", first[0])
        server = self.allocate(B, 16)
        terminal.wait_for("[##########]", first.end())
        self.placement.deallocate(server)
        self.end_with(terminal, b"\x03")

    def test_each_view_fits_the_window(self):
        for view in (*VIEWS, "devices"):
            terminal = self.terminal("watch", view, "--interval", "3600", columns=50, rows=6)
            small = self.picture(terminal)
            self.assertLessEqual(small[0].count("\n"), 5, small[0])
            if view == "tree":
                self.assertRegex(small[0], r"\d+ more lines")
            terminal.resize(100, 60)
            os.kill(terminal.popen.pid, signal.SIGWINCH)
            self.assertNotIn("more lines", self.picture(terminal, small.end())[0])
            self.end_with(terminal, b"\x03")

    def test_stands_aside_while_it_is_stopped(self):
        terminal = self.terminal("watch", "gpus", "--interval", "3600")
        place = self.picture(terminal).end()
        terminal.press(b"\x1a")
        place = terminal.wait_for(LEAVE, place)
        wait_for(lambda: self.state(terminal) == "T", "a stopped process")
        os.kill(terminal.popen.pid, signal.SIGCONT)
        place = terminal.wait_for(ENTER, place)
        self.picture(terminal, place)
        self.end_with(terminal, b"\x1c")

    def state(self, terminal):
        with open(f"/proc/{terminal.popen.pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0]

    def test_a_driver_that_hangs_does_not_keep_the_terminal(self):
        self.host.control(f"hang */{A}/*/available_instances")
        terminal = self.terminal("watch", "status", "--interval", "3600")
        terminal.wait_for("daemon       does not run")
        self.end_with(terminal, b"\x03")
        self.host.control("show")

    def test_without_colour(self):
        terminal = self.terminal("watch", "gpus", NO_COLOR="1")
        self.assertNotRegex(self.picture(terminal)[0], COLOUR)
        self.end_with(terminal, b"\x03")

    def test_refuses_what_it_cannot_do(self):
        for words, text in ((["watch"], "needs a terminal"), (["watch", "sync"], "the views are"),
                            (["watch", "--interval", "0"], "expected seconds"),
                            (["watch", "--interval", "1x"], "expected seconds"),
                            (["watch", "--format", "json"], "shows tables")):
            done = self.agent.try_to(*words)
            self.assertEqual((done.returncode, done.stdout), (os.EX_USAGE, ""), words)
            self.assertIn(text, done.stderr)
        self.assertIn("needs a terminal", self.on_terminal("watch", TERM="dumb"))
