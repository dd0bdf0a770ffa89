"""The alert rules and the dashboard in etc/monitoring: sound by promtool, and each metric, label and value that they name is one
that a running agent or placementd has."""
import json
import re
import shutil

from support import wait_for
from support.case import SystemTest
from support.fleet import FleetTest
from support.keystone import Keystone
from support.pages import metrics
from support.placement import start_placement
from support.process import TOP, run

FOLDER = TOP / "etc/monitoring"
RULES, DASHBOARD = FOLDER / "vgpu-agent.rules.yml", FOLDER / "vgpu-agent.grafana.json"
TESTS = TOP / "tests/monitoring/alerts.test.yml"
NAME = re.compile(r"\b(?:vgpu_agent|placementd)_[a-z_]+")
SELECTOR = re.compile(r"\b((?:vgpu_agent|placementd)_[a-z_]+)\{([^}]*)\}")
MATCHER = re.compile(r'([a-z_]+)(=~|!~|!=|=)"([^"]*)"')


def promtool():
    """Its path; that of `make deps-look`, where the machine has none. None: there is none."""
    made = TOP / "build/tools/promtool"
    return shutil.which("promtool") or (str(made) if made.exists() else None)


def expressions():
    """All that is asked of Prometheus."""
    for line in re.sub(r">-\n\s+(.*)\n\s+(.*)", r"\1 \2", RULES.read_text()).splitlines():
        if line.strip().startswith("expr: "):
            yield line.strip()[6:]

    def of(value):
        if isinstance(value, dict):
            yield from (value[key] for key in ("expr", "definition") if key in value)
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                yield from of(item)
    yield from of(json.loads(DASHBOARD.read_text()))


class Files(SystemTest):
    def test_promtool_finds_no_fault(self):
        tool = promtool()
        if not tool:
            self.skipTest("promtool is not installed")
        for words in (["check", "rules", str(RULES)], ["test", "rules", str(TESTS)]):
            done = run([tool, *words])
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # It looks at the alerts at all.
        broken = self.directory / "broken.yml"
        broken.write_text(TESTS.read_text().replace("../../etc/monitoring/vgpu-agent.rules.yml", str(self.directory / "rules.yml")))
        (self.directory / "rules.yml").write_text(RULES.read_text().replace("== 0\n        for: 5m", "== 0\n        for: 50m", 1))
        self.assertNotEqual(run([tool, "test", "rules", str(broken)]).returncode, 0)

    def test_promtool_takes_each_expression_of_the_dashboard(self):
        """As a rule of its own, with a value in the place of each variable."""
        tool = promtool()
        if not tool:
            self.skipTest("promtool is not installed")
        asked = [(panel["title"], re.sub(r"\$\{?[a-z]+\}?", ".*", target["expr"]))
                 for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel.get("targets", [])]
        self.assertGreater(len(asked), 30)

        def check(expressions):
            file = self.directory / "dashboard.yml"
            rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(expressions)]
            file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
            return run([tool, "check", "rules", str(file)])
        done = check([expression for _, expression in asked])
        if done.returncode:  # each by itself, for its name
            self.assertEqual([], [title for title, expression in asked if check([expression]).returncode], done.stdout + done.stderr)
        self.assertNotEqual(check(["sum by (gpu (up)"]).returncode, 0)

    def test_each_alert_is_tested_and_says_what_to_do(self):
        alerts = re.findall(r"(?m)^ +- alert: (\w+)$", RULES.read_text())
        fired = re.findall(r"(?m)^ +alertname: (\w+)\n +exp_alerts:\n", TESTS.read_text())
        self.assertEqual(len(alerts), len(set(alerts)))
        self.assertEqual(set(fired), set(alerts))
        for part in ("expr", "labels", "annotations", "summary", "description"):
            self.assertEqual(len(re.findall(rf"(?m)^ +{part}: ?", RULES.read_text())), len(alerts), part)
        self.assertLessEqual(set(re.findall(r"severity: (\w+)", RULES.read_text())), {"page", "ticket"})

    def test_the_dashboard_has_no_fault_that_can_be_seen(self):
        board = json.loads(DASHBOARD.read_text())
        panels = board["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        taken = set()
        # What Grafana does not know as a unit it writes behind the number.
        units = {panel.get("fieldConfig", {}).get("defaults", {}).get("unit") for panel in panels}
        self.assertLessEqual(units, {None, "s", "percentunit", "ops", "reqps", "bytes"})
        self.assertLessEqual({panel["type"] for panel in panels}, {"row", "stat", "timeseries", "state-timeline", "table"})
        for panel in panels:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(cells & taken or place["x"] + place["w"] > 24, panel["title"])
            taken |= cells
            for target in panel.get("targets", []):
                self.assertEqual(target["datasource"]["uid"], "${datasource}", panel["title"])
        variables = {variable["name"] for variable in board["templating"]["list"]}
        self.assertEqual(set(re.findall(r"\$\{?([a-z]+)", DASHBOARD.read_text())), variables)


class Metrics(FleetTest):
    def samples(self, text, into):
        """{metric: {label: {value}}}"""
        for name, labels in re.findall(r"(?m)^([a-z_]+)(?:\{(.*)\})? ", text):
            values = into.setdefault(name, {})
            for label, value in re.findall(r'([a-z_]+)="([^"]*)"', labels):
                values.setdefault(label, set()).add(value)
        return into

    def scrape_agent(self, what, **placement):
        """The metrics of the daemon, once `what` is there."""
        self.agent.configure({"agent": self.options, **self.types, "placement": placement})
        self.agent.start()
        address = self.agent.address()
        text = wait_for(lambda: what in (t := metrics(address)) and t, what)
        self.assertEqual(self.agent.stop(), 0)
        self.agent.daemon.log.unlink()
        return text

    def test_what_is_named_is_there(self):
        self.build_guide(listen="0")
        self.agent.run("sync")
        self.allocate("0000:84:00.0")
        known = self.samples(self.scrape_agent("\nvgpu_agent_gpu_used{"), {})
        # One with a token of Keystone's, which this Placement does not take.
        keystone = Keystone()
        self.addCleanup(keystone.stop)
        options = {"auth_type": "password", "auth_url": keystone.url, "username": "u", "password": "secret", "project_name": "service",
                   "user_domain_name": "Default", "project_domain_name": "Default", "endpoint_override": self.placement.url}
        self.samples(self.scrape_agent("\nvgpu_agent_token_expiry", **options), known)
        server = start_placement(self.subdirectory("other"), "--auth", "noauth2", "--metrics-listen", "127.0.0.1:0")
        self.addCleanup(self.end, server)
        server.create_provider("a", "5a5a5a5a-0000-4000-8000-000000000001")
        line = server.process.wait_for_output("metrics on")
        self.samples(metrics(re.search(r"127\.0\.0\.1:\d+", line).group()), known)
        found = list(expressions())
        self.assertGreater(len(found), 60)
        for expression in found:
            for name in NAME.findall(expression):
                self.assertIn(name, known, expression)
            for name, labels in SELECTOR.findall(expression):
                self.check_labels(expression, known[name], labels)
            for labels in re.findall(r"(?:by|on|group_left) \(([a-z_, ]+)\)", expression):
                names = set(re.split(", *", labels)) - {"instance", "job"}
                mine = set().union(*(known[name].keys() for name in NAME.findall(expression)))
                self.assertLessEqual(names, mine, expression)

    def check_labels(self, expression, known, labels):
        for label, operator, value in MATCHER.findall(labels):
            if label in ("instance", "job") or (label == "status" and ".." in value):
                continue
            self.assertIn(label, known, expression)
            for one in value.split("|") if "~" in operator else [value]:
                self.assertIn(one, known[label], expression)

    def test_legends_name_labels_that_are_there(self):
        # What an expression sums by is what its legend can show.
        for target in (t for p in json.loads(DASHBOARD.read_text())["panels"] for t in p.get("targets", [])):
            summed = re.search(r"^\(?(?:sum|count|max|min) by \(([a-z_, ]+)\)", target["expr"])
            shown = set(re.findall(r"\{\{([a-z_]+)\}\}", target["legendFormat"]))
            if summed:
                self.assertLessEqual(shown, set(re.split(", *", summed[1])), target)
