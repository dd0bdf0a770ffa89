"""[placement] means to the agent what it means to keystoneauth: random sections, read by both, at one server that notes what it is
asked."""
import http.server
import json
import pathlib
import random
import subprocess
import threading
import unittest

from support.case import SystemTest
from support.process import die_with_parent, run

PYTHON = "/usr/bin/python3"  # Debian's modules are not in another one's path
CLIENT = pathlib.Path(__file__).resolve().parent / "keystoneauth_client.py"
ROUNDS = 250
ROOT = "host.example"
TOKEN = {"token": {"issued_at": "2026-11-20T08:00:00.000000Z", "expires_at": "2099-11-20T09:00:00.000000Z",
                   "methods": ["password"], "user": {"id": "u", "name": "u", "domain": {"id": "d", "name": "d"}}}}
ENDPOINTS = {"placement": {"placement": (("internal", "One"), ("public", "One"), ("public", "Two"), ("admin", "Two")),
                           "other": (("internal", "Two"),)},
             "compute": {"nova": (("public", "One"),)}}


class Server(http.server.ThreadingHTTPServer):
    """Keystone below /identity, and each service of its catalog below /TYPE/NAME/INTERFACE/REGION."""
    daemon_threads = True

    def __init__(self):
        self.asked = []
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self):
        self.shutdown()
        self.server_close()
        self.thread.join()

    def catalog(self):
        return [{"type": kind, "name": name, "id": name, "endpoints": [
            {"interface": interface, "region_id": region, "region": region, "id": "e",
             "url": f"{self.url}/{kind}/{name}/{interface}/{region}"} for interface, region in endpoints]}
                for kind, services in ENDPOINTS.items() for name, endpoints in services.items()]

    def take(self):
        """What was asked since: [(what is asked of Keystone)], [(path and headers of what is asked of Placement)]"""
        asked, self.asked = self.asked, []
        return ([body for method, _, _, body in asked if method == "POST"],
                [(path, headers) for method, path, headers, _ in asked if method == "GET" and "/resource_providers" in path])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self):
        path, _, _ = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(body) if body else None
        self.server.asked.append((self.command, path, [self.headers[n] for n in ("X-Auth-Token", "Authorization")], body))
        status, headers, reply = self.reply(path)
        text = json.dumps(reply).encode()
        self.send_response_only(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": len(text)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(text)

    def reply(self, path):
        if path == "/identity/v3/auth/tokens":
            return 201, {"X-Subject-Token": "gAAAA"}, {"token": {**TOKEN["token"], "catalog": self.server.catalog()}}
        if path.rstrip("/") in ("/identity", "/identity/v3"):
            version = {"id": "v3.14", "status": "stable",
                       "links": [{"rel": "self", "href": f"{self.server.url}/identity/v3/"}]}
            return 200, {}, {"version": version, "versions": {"values": [version]}}
        if "/resource_providers" in path:
            return 200, {}, {"resource_providers": []}
        return 200, {}, {"versions": [{"id": "v1.0", "min_version": "1.0", "max_version": "1.39"}]}

    do_GET = do_POST = answer


class Sections:
    """Random ones, most of them good."""

    def __init__(self, url, seed):
        self.url, self.random = url, random.Random(seed)

    def maybe(self, chance=0.5):
        return self.random.random() < chance

    def spell(self, name):
        """Any of its names."""
        old = {"username": ["user-name"], "project_id": ["tenant-id"], "project_name": ["tenant-name"], "endpoint": ["url"],
               "auth_type": ["auth_plugin"], "valid_interfaces": ["interface"]}
        name = self.random.choice([name] * 3 + old.get(name, []))
        return self.random.choice([name.replace("-", "_"), name.replace("_", "-")])

    def value(self, name):
        fixed = {"auth_url": [f"{self.url}/identity{tail}" for tail in ("", "/", "/v3", "/v3/")],
                 "system_scope": ["all"], "password": ["p'w", '"quoted"', "p$$w", "pä ss", "a;b#c", "\\u0041"]}
        return self.random.choice(fixed.get(name, [f"{name}-{self.random.randrange(9)}"]))

    def domain(self, of):
        """How the domain of a user or project is told."""
        names = [[f"{of}_domain_id"], [f"{of}_domain_name"], [f"{of}_domain_id", f"{of}_domain_name"], []]
        return self.random.choices(names, (4, 4, 1, 0.3))[0]

    def user(self):
        return self.random.choice([["user_id"], ["username", *self.domain("user")],
                                   ["user_id", "username", *self.domain("user")]])

    def scope(self):
        return self.random.choices([["project_id"], ["project_name", *self.domain("project")], ["domain_id"], ["domain_name"],
                                    ["system_scope"], ["trust_id"], ["project_id", "project_name", *self.domain("project")],
                                    ["project_id", "domain_id"]],
                                   (4, 4, 1, 1, 1, 1, 1, 0.3))[0]

    def who(self):
        kind = self.random.choice(["password", "v3password", "token", "v3token", "v3applicationcredential", "none",
                                   "admin_token", "http_basic"])
        names = {"password": ["auth_url", *self.user(), "password", *self.scope()],
                 "token": ["auth_url", "token", *self.scope()],
                 "applicationcredential": ["auth_url", "application_credential_secret", *self.random.choice(
                     [["application_credential_id"], ["application_credential_name", *self.user()]])],
                 "none": [], "admin_token": ["token"], "http_basic": ["username", "password"]}[kind.removeprefix("v3")]
        if kind in ("password", "token") and self.maybe(0.2):
            names.append(self.random.choice(["default_domain_id", "default_domain_name"]))
        if self.maybe(0.05):
            del names[-1:]
        options = [("auth_type", kind), *((name, self.value(name)) for name in names)]
        if kind in ("none", "admin_token", "http_basic"):
            options.append(("endpoint", f"{self.url}/fixed"))
        return options

    def adapter(self):
        pick = {"region_name": ["One", "Two", "Three"], "service_type": ["placement", "compute"],
                "service_name": ["placement", "other", "nova"],
                "valid_interfaces": ["internal", "public", "admin, public", "public,internal,admin"],
                "endpoint_override": [f"{self.url}/override", f"{self.url}/override/"]}
        names = [name for name in pick if self.maybe(0.15)]
        return [(name, self.random.choice(pick[name])) for name in names]

    def texts(self):
        """For the agent, and for keystoneauth, which takes fewer spellings."""
        who, adapter = self.who(), self.adapter()
        apart = self.maybe(0.2)
        own = adapter + ([("auth_section", "who")] if apart else who)
        self.random.shuffle(own)
        sections = {"placement": own, "who": who if apart else []}
        return [write(sections, self.spell), write(sections, lambda name: name)]


def write(sections, spell):
    return "".join(f"[{section}]\n" + "".join(f"{spell(name)} = {value}\n" for name, value in options)
                   for section, options in sections.items())


class Differences(SystemTest):
    def setUp(self):
        super().setUp()
        self.server = Server()
        self.addCleanup(self.server.close)
        self.file = self.directory / "placement.conf"
        self.agent = self.make_agent(None, None, {"agent": {"root_provider_name": ROOT}})
        self.other = subprocess.Popen([PYTHON, "-I", "-W", "ignore", str(CLIENT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True, preexec_fn=die_with_parent)
        self.addCleanup(self.end_other)
        if run([PYTHON, "-I", "-c", "import keystoneauth1, oslo_config"]).returncode:
            self.skipTest("no python3-keystoneauth1")

    def end_other(self):
        self.other.stdin.close()
        self.other.stdout.close()
        self.other.wait(20)

    def ask_both(self, text, for_other):
        """((what each asked), why keystoneauth did not, what the agent said)"""
        self.file.write_text(text)
        said = run([*self.agent.arguments("tree")[:-1], "--config-file", str(self.file), "tree"]).stderr
        ours = self.server.take()
        self.file.write_text(for_other)
        self.other.stdin.write(f"{self.file}\n")
        self.other.stdin.flush()
        why = json.loads(self.other.stdout.readline())
        return ours, self.server.take(), why, said

    def test_random_sections(self):
        sections, alike, refused = Sections(self.server.url, 20261120), 0, 0
        for number in range(ROUNDS):
            text, for_other = sections.texts()
            with self.subTest(round=number, text=text):
                ours, theirs, why, said = self.ask_both(text, for_other)
                if not ours[0] and not ours[1]:
                    refused += 1
                    self.assert_refused(said)
                    continue
                # The agent takes the id that stands beside such a name.
                if why and "unique within a domain" in why:
                    self.assertRegex(text, "(user|project|tenant).id = ")
                    continue
                alike += 1
                for body in theirs[0]:
                    # Keystone refuses a scope with an application credential, which has its own.
                    if "application_credential" in body["auth"]["identity"]["methods"]:
                        body["auth"].pop("scope", None)
                self.assertEqual(ours, theirs, f"{why}\n{said}")
        print(alike, "alike,", refused, "refused")
        self.assertGreater(alike, ROUNDS * 0.8)
        self.assertGreater(refused, 0)

    def assert_refused(self, said):
        """Keystone or keystoneauth would refuse it, too; the agent says it beforehand, with the option's name."""
        lines = [line for line in said.splitlines() if "warning" not in line]
        self.assertTrue(lines)
        for line in lines:
            self.assertRegex(line, "(placement|who)[.a-z_, ]+( or [a-z_]+)?: .*(not set|more than one scope)")


if __name__ == "__main__":
    unittest.main()
