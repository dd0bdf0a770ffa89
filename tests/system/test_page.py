"""The agent's page for people, and the feed that it shows."""
import os
import signal

from support import schemas, wait_for
from support.fleet import FleetTest
from support.pages import NastyFeed, PageChecks, PageSeen, feed, fetch, made_nasty

A, B, C = "0000:84:00.0", "0000:85:00.0", "0000:86:00.0"


class PageTest(FleetTest, PageChecks):
    def serve(self):
        self.agent.start()
        self.address = self.agent.address()

    def feed(self):
        told = feed(self.address)
        if schemas.jsonschema:
            self.assertEqual(schemas.problems("agent-page", told), [])
        return told


class Feed(PageTest):
    relayed = True

    def setUp(self):
        super().setUp()
        self.build_guide(listen="0")
        self.agent.run("sync")

    def test_headers(self):
        self.serve()
        self.check_headers()
        self.assertEqual(fetch(self.address, "/", "POST")[0], 405)
        self.assertEqual(fetch(self.address, "/", "HEAD")[::2], (200, ""))

    def test_says_what_the_commands_say(self):
        servers = [self.allocate(A, 4), self.allocate(B), self.allocate(C, 2)]
        self.host.control(f"lose {C}")
        self.serve()
        told = wait_for(lambda: (f := self.feed())["allocations"]["ready"] == 2 and f, "devices")
        status = self.agent.json("status", status=1)
        self.assertLessEqual(set(status) - {"changes"}, set(told))
        for name in ("well", "mode", "daemon_pid", "root", "allocations", "guests", "attach"):
            self.assertEqual(told[name], status[name], name)
        self.assertEqual(sorted(told["problems"]), sorted(status["problems"]))
        for row, known in zip(told["gpus"], status["gpus"], strict=True):
            self.assertEqual({name: row[name] for name in known}, known)
        rows = {row["gpu"]: row for row in self.agent.json("gpus")}
        self.assertEqual({row["gpu"]: row["devices"] for row in told["gpus"]},
                         {gpu: rows[gpu]["devices"] for gpu in (A, B, C)})
        consumers = self.agent.json("allocations")
        self.assertEqual(told["consumers"], consumers)
        self.assertEqual({row["consumer"]: row["units"] for row in consumers}, dict(zip(servers, (4, 1, 2))))
        self.assertEqual((told["program"], told["host"], told["current"], told["overdue"]),
                         ("vgpu-agent", self.root_name, True, False))

    def test_what_is_not_known_is_null(self):
        self.relay.rule = lambda request: (503, [], b"away")
        self.serve()
        told = wait_for(lambda: (f := self.feed())["problems"] and f, "a cycle that failed")
        self.assertEqual((told["well"], told["current"], told["seen"], told["consumers"], told["root"], told["host"]),
                         (False, False, None, None, None, None))
        self.assertEqual(set(told["allocations"].values()), {None})
        # The host is seen all the same.
        self.assertEqual([gpu["health"] for gpu in told["gpus"]], ["ok"] * 3)
        self.assertEqual({gpu[key] for gpu in told["gpus"] for key in ("service", "total", "used", "reserved", "provider")}, {None})

    def test_what_was_known_says_of_when_it_is(self):
        server = self.allocate(A)
        self.serve()
        before = wait_for(lambda: (f := self.feed())["well"] and f["consumers"] and f, "all is well")
        self.relay.rule = lambda request: (503, [], b"away")
        told = wait_for(lambda: not (f := self.feed())["current"] and f, "a cycle that failed")
        self.assertEqual((told["well"], [row["consumer"] for row in told["consumers"]]), (False, [server]))
        self.assertGreaterEqual(told["seen"], before["seen"])
        self.assertRegex(told["problems"][0], "503")

    def test_no_secrets(self):
        token = self.placement.token
        self.agent.configure({"agent": self.options, **self.types, "placement": {"token": token}})
        self.serve()
        wait_for(lambda: self.feed()["seen"], "a cycle")
        self.assertGreater(len(token), 4)
        for path in ("/", "/status.json"):
            self.assertNotIn(f'"{token}"', fetch(self.address, path)[2])


class Seen(PageSeen, PageTest):
    """In Chromium."""

    def test_cards_problems_and_who(self):
        self.build_guide(listen="0")
        self.agent.run("sync")
        server = self.allocate(A, 4)
        self.allocate(C, 2)
        self.host.control(f"lose {C}")
        self.serve()
        wait_for(lambda: self.feed()["allocations"]["ready"] == 1, "devices")
        browser = self.open()
        browser.wait_for("document.querySelectorAll('.card').length == 3")
        self.assertEqual(browser.run("[...document.querySelectorAll('.card')].map(card => ['used', 'bad', 'reserved', 'free']"
                                     ".map(name => card.querySelectorAll(`.slots .${name}`).length).join(' ')).join(', ')"),
                         "4 0 0 12, 0 0 0 16, 0 2 14 0")
        self.assertRegex(browser.run("document.getElementById('state').textContent"), "^not well: 2 problems$")
        self.assertIn("reset it or put it in anew", browser.run("document.getElementById('problems').textContent"))
        self.assertEqual(browser.run("document.getElementById('title').textContent"), self.root_name)
        told = browser.accessible()
        self.assertLessEqual({("meter", f"units of {A}"), ("heading", A), ("searchbox", "Find a card or a consumer"),
                              ("region", "What is not well"), ("checkbox", "only what is not well")}, told)
        # By keyboard: from the search box on to the consumers of the first card.
        browser.run("document.getElementById('search').focus()")
        for letter in server[:8]:
            browser.press(letter, letter)
        browser.wait_for("document.querySelectorAll('.card').length == 1")
        for _ in range(2):
            browser.press("Tab", code=9)
        browser.press("Enter", "\r", 13)
        browser.wait_for("document.querySelector('details').open")
        self.assertIn(server, browser.run("document.querySelector('tbody').innerText"))
        # What is open stays open, and the focus where it is, when the feed comes again.
        browser.run("window.first = document.getElementById('updated').textContent")
        browser.wait_for("document.getElementById('updated').textContent != window.first")
        self.assertTrue(browser.run("document.querySelector('details').open && document.activeElement.tagName == 'SUMMARY'"))
        self.check_nothing_from_outside(browser)

    def test_a_name_is_no_markup(self):
        evil = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
        self.build("nova-guide", {"devices": {"enabled_mdev_types": ["nvidia-35"]}, "mdev_nvidia-35": {"device_addresses": [A]}},
                   root=evil, listen="0")
        self.agent.run("sync")
        self.serve()
        browser = self.open()
        browser.wait_for("document.querySelectorAll('.card').length == 1")
        self.assertEqual(browser.run("document.getElementById('title').textContent"), self.root_name)
        self.assertEqual(browser.run("document.scripts.length + document.images.length"), 1)
        self.assertNotIn("owned", browser.run("document.title").replace(self.root_name, ""))
        self.check_nothing_from_outside(browser)
        # And were it one: the policy lets nothing run that is not ours.
        browser.run("document.body.append(Object.assign(document.createElement('style'), {textContent: 'main {display: none}'}))")
        self.assertNotEqual(browser.run("getComputedStyle(document.querySelector('main')).display"), "none")
        self.assertTrue(any("Content Security Policy" in text for text in browser.complaints), browser.complaints)

    def test_whatever_the_feed_says_is_text(self):
        """Words of drivers, of libvirt, of Placement and of who names servers there."""
        self.build_guide(listen="0")
        self.agent.run("sync")
        self.allocate(A, 2)
        self.host.control(f"lose {C}")
        self.serve()
        told = wait_for(lambda: (f := self.feed())["allocations"]["ready"] == 1 and f["problems"] and f, "devices, and a problem")
        told["consumers"][0].update(guest="not_attached", guest_reason="internal error: ")
        told = made_nasty(told)
        told["problems"] *= 2  # one text can come twice
        evil = NastyFeed(self.address, told)
        self.addCleanup(evil.stop)
        browser = self.open(address=evil.address)
        browser.wait_for("document.querySelectorAll('.card').length == 3")
        browser.run("document.querySelectorAll('details').forEach(details => { details.open = true; })")
        self.check_nasty(browser, 20)
        # It comes again, and nothing of it is there twice.
        browser.run("window.first = document.getElementById('updated').textContent")
        browser.wait_for("document.getElementById('updated').textContent != window.first")
        self.assertEqual(browser.run("document.querySelectorAll('#problems li').length"), len(told["problems"]))
        self.assertEqual(browser.run("document.querySelectorAll('tbody tr').length"), 1)
        self.check_nasty(browser, 20)

    def test_what_is_old_is_not_called_well(self):
        self.build_guide(listen="0")
        self.agent.run("sync")
        self.serve()
        wait_for(lambda: self.feed()["well"], "all is well")
        browser = self.open()
        self.assertEqual(browser.run("document.getElementById('state').textContent"), "all is well")
        # It hangs, and then it is gone.
        os.kill(self.agent.daemon.pid, signal.SIGSTOP)
        browser.wait_for("document.body.dataset.feed == 'lost'")
        self.assertEqual(browser.run("document.getElementById('state').textContent"), "unknown")
        self.assertRegex(browser.run("document.getElementById('lost').textContent"), r"^No answer since \d.*What is below is of then\.$")
        self.assertIn(("alert", ""), browser.accessible())
        os.kill(self.agent.daemon.pid, signal.SIGCONT)
        browser.wait_for("document.body?.dataset.feed == 'live'")
        self.assertFalse(browser.run("document.body.innerText.includes('No answer')"))
        self.assertEqual(self.agent.stop(), 0)
        browser.wait_for("document.getElementById('lost').textContent.includes('cannot be reached')")

    def test_64_cards_dark_and_light(self):
        cards = [f"0000:{number:02x}:00.0" for number in range(64, 128)]
        host = {"models": {"M": {"vendor": "0x10de", "device": "0x13bd", "class": "0x030000", "driver": "nvidia", "types": [
            {"id": "nvidia-35", "name": "GRID M10-0B", "instances": 128, "description": "num_heads=2, max_instance=128"}]}},
            "cards": [{"model": "M", "path": "pci0000:00/0000:00:01.0/0000:{x}:00.0", "first": 64, "count": 64}]}
        self.build(host, {"devices": {"enabled_mdev_types": ["nvidia-35"]}, "mdev_nvidia-35": {"device_addresses": cards}}, listen="0")
        self.agent.run("sync")
        self.allocate(cards[0], 32)
        self.serve()
        wait_for(lambda: self.feed()["allocations"]["ready"] == 1, "32 devices")
        grounds = set()
        for scheme in ("light", "dark"):
            browser = self.open(scheme)
            browser.wait_for("document.querySelectorAll('.card').length == 64")
            # More units than squares are for: a bar.
            self.assertEqual(browser.run("document.querySelector('.slots').className"), "slots bar")
            self.assertAlmostEqual(browser.run("document.querySelector('.slots .used').offsetWidth /"
                                               "document.querySelector('.slots').offsetWidth"), 0.25, delta=0.01)
            self.assertLessEqual(browser.run("document.documentElement.scrollWidth"), 1300)
            grounds.add(browser.run("getComputedStyle(document.body).backgroundColor"))
            self.check_nothing_from_outside(browser)
        self.assertEqual(len(grounds), 2)
