"""placementd's page for people, and the feed that it shows in pieces."""
import json
import re

from support.case import SystemTest
from support.fleet import new_uuid
from support.pages import NastyFeed, PageChecks, PageSeen, feed, fetch, made_nasty
from support.placement import start_placement

# What a piece may have, and with one provider more.
ENOUGH, LARGEST = 32768, 65536
TRAIT = "CUSTOM_NVIDIA_35"


class PageTest(SystemTest, PageChecks):
    def setUp(self):
        super().setUp()
        self.placement = start_placement(self.subdirectory("placement"), "--auth", "noauth2", "--no-access-log",
                                         "--metrics-listen", "127.0.0.1:0")
        self.addCleanup(self.end, self.placement)
        line = self.placement.process.wait_for_output("metrics on")
        self.address = re.search(r"127\.0\.0\.1:[0-9]+", line).group()

    def host(self, name, cards, total=0):
        """A root provider and its children; total: of their inventories. [root, child, ...]"""
        root = new_uuid()
        self.placement.create_provider(name, root)
        children = [new_uuid() for _ in range(cards)]
        for number, child in enumerate(children):
            self.placement.create_provider(f"{name}_pci_0000_{number:02x}_00_0", child, root)
            if total:
                self.placement.set_inventories(child, {"VGPU": {"total": total}})
        return [root, *children]

    def pieces(self):
        """The texts, until there is no next one."""
        query = ""
        while query is not None:
            status, headers, text = fetch(self.address, "/status.json" + query)
            self.assertEqual((status, headers["Content-Type"]), (200, "application/json"))
            yield text
            then = json.loads(text)["next"]
            query = then and then[then.index("?"):]

    def providers(self):
        return [provider for text in self.pieces() for provider in json.loads(text)["providers"]]


class Feed(PageTest):
    def test_headers(self):
        self.check_headers()
        self.assertEqual(fetch(self.address, "/", "HEAD")[::2], (200, ""))
        status, headers, text = fetch(self.address, "/status.json", "POST")
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
        self.assertEqual(fetch(self.address, "/resource_providers")[0], 404)
        # The API itself has neither page.
        for path in ("/metrics", "/status.json"):
            self.assertEqual(self.placement.request("GET", path).status, 404, path)
        self.assertEqual(self.placement.get("/")["versions"][0]["id"], "v1.0")

    def test_says_what_the_api_says(self):
        root, *children = self.host("compute1", 2, total=16)
        self.placement.expect((201, 204), "PUT", f"/traits/{TRAIT}")
        self.placement.set_traits(children[0], {TRAIT, "HW_CPU_X86_AVX", "COMPUTE_NODE"})
        server = new_uuid()
        self.placement.allocate(server, {children[0]: {"VGPU": 3}})
        told = feed(self.address)
        self.assertEqual((told["program"], told["well"], told["writable"], told["problems"], told["next"]),
                         ("placementd", True, True, [], None))
        self.assertEqual(told["counts"], {"providers": 3, "trees": 1, "consumers": 1})
        known = self.placement.tree(root)
        rows = {row["name"]: row for row in told["providers"]}
        self.assertEqual(rows.keys(), known.keys())
        for name, row in rows.items():
            self.assertEqual((row["uuid"], row["parent"], row["generation"]),
                             (known[name]["uuid"], known[name]["parent_provider_uuid"], known[name]["generation"]))
        first = rows["compute1_pci_0000_00_00_0"]
        self.assertEqual((first["traits"], first["trait_count"], first["inventory_count"]), ([TRAIT], 3, 1))
        self.assertEqual(first["inventories"], {"VGPU": {"total": 16, "used": 3, "reserved": 0,
                                                         "allocation_ratio": 1.0, "allocations": 1}})
        self.assertNotIn(server, json.dumps(told))

    def test_comes_in_pieces_of_bounded_size(self):
        trees = [self.host(f"compute{number}", 8) for number in range(40)]
        # One with more than is told of it.
        classes = [f"CUSTOM_{'C' * 240}_{number}" for number in range(40)]
        for name in classes:
            self.placement.expect(201, "PUT", f"/resource_classes/{name}")
        self.placement.set_inventories(trees[7][0], {name: {"total": 1} for name in classes})
        sizes = [len(text) for text in self.pieces()]
        self.assertGreater(len(sizes), 2)
        self.assertLessEqual(max(sizes), LARGEST)
        self.assertGreaterEqual(min(sizes[:-1]), ENOUGH)
        found = self.providers()
        self.assertEqual(sorted(row["uuid"] for row in found), sorted(sum(trees, [])))
        large = next(row for row in found if row["uuid"] == trees[7][0])
        self.assertEqual((large["inventory_count"], len(large["inventories"])), (40, 32))

    def test_goes_on_where_a_provider_has_gone(self):
        trees = [self.host(f"compute{number}", 8) for number in range(40)]
        texts = self.pieces()
        first = json.loads(next(texts))
        gone = first["providers"][-1]["uuid"]
        while any(row["parent"] == gone for row in self.providers()):
            gone = next(row["uuid"] for row in reversed(self.providers()) if row["parent"] == gone)
        self.placement.expect(204, "DELETE", f"/resource_providers/{gone}")
        then = first["next"]
        rest = feed(self.address, then[then.index("?"):])["providers"]
        self.assertEqual({row["uuid"] for row in rest} & {row["uuid"] for row in first["providers"]}, set())
        self.assertIn(rest[0]["uuid"], sum(trees, []))

    def test_refuses_what_is_no_place(self):
        for value in ("x", "-1", "1x", "", "99999999999999999999", "%ff"):
            status, _, text = fetch(self.address, f"/status.json?after={value}")
            self.assertEqual(status, 400, value)
            self.assertIn("after: expected a number", text)
        told = feed(self.address, "?after=9223372036854775807")
        self.assertEqual((told["providers"], told["next"]), ([], None))


class Seen(PageSeen, PageTest):
    """In Chromium."""

    def type(self, browser, text):
        browser.run("document.getElementById('search').focus(); document.getElementById('search').select()")
        for letter in text:
            browser.press(letter, letter)

    def test_one_host(self):
        _, first, second = self.host("compute1", 2, total=16)
        self.placement.allocate(new_uuid(), {first: {"VGPU": 4}})
        self.placement.allocate(new_uuid(), {second: {"VGPU": 8}})
        self.placement.set_inventories(second, {"VGPU": {"total": 4}})
        browser = self.open()
        browser.wait_for("document.querySelectorAll('#tree > li').length == 1")
        self.assertEqual(browser.run("document.getElementById('state').textContent"), "takes changes")
        self.assertRegex(browser.run("document.querySelector('#tree .node').innerText.replace(/\\s+/g, ' ')"),
                         "^compute1 VGPU 12 of 20 2 below")
        self.assertIn("compute1_pci_0000_01_00_0: more is allocated than its inventory has",
                      browser.run("document.getElementById('problems').textContent"))
        # By keyboard: from the search box to the tree, which Enter folds open.
        browser.run("document.getElementById('search').focus()")
        browser.press("Tab", code=9)
        browser.press("Enter", "\r", 13)
        browser.wait_for("document.querySelectorAll('#tree ul > li').length == 2")
        self.assertEqual(browser.run("document.querySelector('#tree ul .slots .used').offsetWidth /"
                                     "document.querySelector('#tree ul .slots').offsetWidth"), 0.25)
        self.assertLessEqual({("meter", "units of VGPU"), ("heading", "Providers"), ("region", "Providers"),
                              ("searchbox", "Find by name, uuid, class or custom trait")}, browser.accessible())
        self.check_nothing_from_outside(browser)

    def test_a_name_is_no_markup(self):
        evil = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
        self.host(evil, 1, total=1)
        browser = self.open()
        browser.wait_for("document.querySelectorAll('#tree > li').length == 1")
        self.type(browser, "<script>")
        browser.wait_for("document.getElementById('found').textContent.startsWith('2 providers')")
        self.assertIn(evil, browser.run("document.getElementById('tree').textContent"))
        self.assertEqual(browser.run("document.scripts.length + document.images.length"), 1)
        self.assertEqual(browser.run("document.title"), "placementd")
        self.check_nothing_from_outside(browser)

    def test_an_invisible_character_is_seen(self):
        """placementd takes such names, as OpenStack's does."""
        self.host("evil\u202etxt\x1b[2J\u200b", 1, total=1)
        browser = self.open()
        browser.wait_for("document.querySelectorAll('#tree > li').length == 1")
        self.assertTrue(browser.run("document.getElementById('tree').textContent").startswith("evil\\u202etxt\\u001b[2J\\u200b"))
        self.check_nothing_from_outside(browser)

    def test_whatever_the_feed_says_is_text(self):
        _, first = self.host("compute1", 1, total=16)
        self.placement.expect((201, 204), "PUT", f"/traits/{TRAIT}")
        self.placement.set_traits(first, {TRAIT})
        self.placement.allocate(new_uuid(), {first: {"VGPU": 4}})
        self.placement.set_inventories(first, {"VGPU": {"total": 2}})
        told = made_nasty(feed(self.address))
        told["problems"] = made_nasty(["the database is full: ", "the database is full: "])
        evil = NastyFeed(self.address, told)
        self.addCleanup(evil.stop)
        browser = self.open(address=evil.address)
        browser.wait_for("document.querySelectorAll('#tree > li').length == 1")
        browser.run("document.querySelectorAll('details').forEach(details => { details.open = true; })")
        browser.wait_for("document.querySelectorAll('#tree ul > li').length == 1")
        self.check_nasty(browser, 8)

    def test_what_is_old_is_not_called_well(self):
        self.host("compute1", 1)
        browser = self.open()
        self.assertEqual(self.placement.stop(), 0)
        browser.wait_for("document.body.dataset.feed == 'lost'")
        self.assertEqual(browser.run("document.getElementById('state').textContent"), "unknown")
        self.assertRegex(browser.run("document.getElementById('lost').textContent"), "^No answer since .*cannot be reached")
        self.assertNotIn("takes changes", browser.run("document.body.innerText"))
        self.placement.process = None

    def test_1000_hosts_dark_and_light(self):
        for number in range(1000):
            self.host(f"compute{number:04}", 1, total=0 if number % 100 else 16)
        for scheme in ("light", "dark"):
            browser = self.open(scheme)
            browser.wait_for("document.querySelectorAll('#tree > li').length == 1000")
            self.assertLessEqual(browser.run("document.documentElement.scrollWidth"), 1300)
            self.type(browser, "0420_pci")
            browser.wait_for("document.querySelectorAll('#tree > li').length == 1")
            self.assertIn("compute0420_pci_0000_00_00_0", browser.run("document.getElementById('tree').innerText"))
            self.assertEqual(browser.run("document.getElementById('found').textContent"), "1 provider in 1 tree")
            self.check_nothing_from_outside(browser)
