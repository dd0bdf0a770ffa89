"""The agent's client against OpenStack's own Keystone and Placement."""
import http.server
import shutil
import socket
import threading
import urllib.request
import uuid

from openstack import Certificates, Cloud, Database, Keystone, Placement
from support.case import SystemTest
from support.placement import Placement as Client
from support.process import wait_for

ROOT = "host.example"
EX_NOPERM, EX_UNAVAILABLE, EX_CONFIG = 77, 69, 78


class AdminClient(Client):
    """As admin, with a new token for each request."""

    def __init__(self, url, cloud):
        self.cloud = cloud
        super().__init__(url)

    @property
    def token(self):
        return self.cloud.token()

    @token.setter
    def token(self, value):
        pass

    def connect(self, host, port):
        return self.cloud.connect(host, port)


class KeystoneTest(SystemTest):
    """Keystone and Placement with one provider, and an agent that looks for it."""

    def start(self, expiration=3600, certificate=None):
        missing = [tool for tool in ("uwsgi_python3", "mariadb-install-db", "openssl")
                   if not shutil.which(tool)]
        if missing:
            self.skipTest(f"not installed: {', '.join(missing)}")
        self.database = Database(self.directory)
        self.addCleanup(self.database.stop)
        self.keystone = Keystone(self.directory, self.database, expiration,
                                 certificate=certificate)
        self.addCleanup(self.keystone.stop)
        self.cloud = Cloud(self.keystone)
        self.project = self.cloud.prepare()
        self.placement = Placement(self.directory, self.database, self.keystone,
                                   certificate=certificate)
        self.addCleanup(self.placement.stop)
        self.cloud.create_endpoints(self.placement.url)
        self.user = self.cloud.create_user("agent", self.project, "admin")
        self.client = AdminClient(self.placement.url, self.cloud)
        self.client.create_provider(ROOT, str(uuid.uuid4()))
        self.agent = self.make_agent(None, None, {})

    def options(self, **changes):
        """[placement] of an operator; None takes an option away."""
        options = {"auth_type": "password", "auth_url": self.keystone.url,
                   "username": "agent", "password": "agent-secret",
                   "user_domain_name": "Default", "project_name": "service",
                   "project_domain_name": "Default", **changes}
        return {name: value for name, value in options.items() if value is not None}

    def agents_token(self):
        return self.cloud.token("agent", "agent-secret", "service")

    def look(self, options):
        """Runs a command that only reads."""
        self.agent.configure({"agent": {"root_provider_name": ROOT},
                              "placement": options})
        done = self.agent.try_to("--log-level", "debug", "tree")
        for secret in ("agent-secret", "wrong-secret", "th3-cr3d'0-s3cr3t"):
            self.assertNotIn(secret, done.stdout + done.stderr)
        return done

    def assert_works(self, **changes):
        done = self.look(self.options(**changes))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(ROOT, done.stdout)

    def assert_fails(self, status, text, **changes):
        done = self.look(self.options(**changes))
        self.assertIn(text, done.stderr)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


def unused_port():
    """Nobody listens there: bound, and not given to anybody else meanwhile."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder


class TestWays(KeystoneTest):
    def test_ways_to_authenticate(self):
        self.start()
        self.good_ones()
        self.application_credentials()
        self.refused_ones()
        self.unreachable_ones()

    def good_ones(self):
        by_id = {"user_id": self.user, "username": None, "user_domain_name": None,
                 "project_id": self.project, "project_name": None,
                 "project_domain_name": None}
        default_domain = {"default_domain_id": "default", "user_domain_name": None,
                          "project_domain_name": None}
        for changes in (
                {}, by_id, default_domain, {"auth_type": "v3password"},
                {"auth_url": f"{self.keystone.url}/v3/"},
                {"region_name": "RegionOne", "valid_interfaces": "public"},
                {"auth_url": "http://127.0.0.1:1", "auth_type": "admin_token",
                 "endpoint": self.placement.url, "token": self.cloud.token()},
                {"endpoint_override": self.placement.url, "service_type": "none-such"},
                {"auth_type": "v3token", "token": self.agents_token()}):
            with self.subTest(changes):
                self.assert_works(**changes)

    def application_credentials(self):
        _, headers, _ = self.cloud.send("POST", "/auth/tokens", {"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "id": self.user, "password": "agent-secret"}}},
            "scope": {"project": {"id": self.project}}}})
        token = headers["X-Subject-Token"]
        path = f"/users/{self.user}/application_credentials"
        status, _, answer = self.cloud.send("POST", path, {"application_credential": {
            "name": "of-the-agent", "secret": "th3-cr3d'0-s3cr3t"}}, token)
        self.assertEqual(status, 201, answer)
        credential = answer["application_credential"]["id"]
        common = {"auth_type": "v3applicationcredential", "password": None,
                  "project_name": None, "project_domain_name": None,
                  "application_credential_secret": "th3-cr3d'0-s3cr3t"}
        by_id = {**common, "application_credential_id": credential, "username": None,
                 "user_domain_name": None}
        by_name = {**common, "application_credential_name": "of-the-agent"}
        for changes in (by_id, by_name):
            with self.subTest(changes):
                self.assert_works(**changes)
        status, _, answer = self.cloud.send("DELETE", f"{path}/{credential}",
                                            token=token)
        self.assertEqual(status, 204, answer)
        self.assert_fails(EX_NOPERM, "HTTP 404: Could not find Application Credential",
                          **by_id)

    def refused_ones(self):
        self.cloud.create_user("reader", self.project, "reader")
        self.cloud.create_user("nobody", self.cloud.create("project", name="other",
                                                           domain_id="default"),
                               "member")
        for status, text, changes in (
                (EX_NOPERM, "HTTP 401: The request you have made requires "
                            "authentication. (req-", {"password": "wrong-secret"}),
                (EX_NOPERM, "HTTP 401: ", {"username": "no-such-user"}),
                (EX_NOPERM, "HTTP 401: ", {"project_name": "no-such-project"}),
                (EX_NOPERM, "HTTP 401: ", {"username": "nobody",
                                           "password": "nobody-secret"}),
                (EX_NOPERM, "HTTP 403: ", {"username": "reader",
                                           "password": "reader-secret"}),
                (EX_NOPERM, "Keystone: POST ",
                 {"auth_type": "v3token", "token": "no-such-token"}),
                (1, "no endpoint with service_type placement, region_name Elsewhere",
                 {"region_name": "Elsewhere"}),
                (1, "no endpoint with service_type placement, interface admin",
                 {"valid_interfaces": "admin"})):
            with self.subTest(changes):
                self.assert_fails(status, text, **changes)

    def unreachable_ones(self):
        holder = unused_port()
        self.addCleanup(holder.close)
        nowhere = f"http://127.0.0.1:{holder.getsockname()[1]}"
        for text, changes in (
                (f"Keystone: POST {nowhere}", {"auth_url": nowhere}),
                (f"GET {nowhere}/: Failed to connect", {"endpoint_override": nowhere}),
                ("Could not resolve host: no-such-host.invalid",
                 {"auth_url": "http://no-such-host.invalid:5000"})):
            with self.subTest(changes):
                self.assert_fails(EX_UNAVAILABLE, text, **changes)
        self.placement.stop()
        self.assert_fails(EX_UNAVAILABLE, self.placement.url)
        self.placement.start()
        self.keystone.stop()
        self.assert_fails(EX_UNAVAILABLE, self.keystone.url)
        # Placement's middleware cannot ask either.
        self.assert_fails(EX_UNAVAILABLE, "HTTP 503", auth_type="admin_token",
                          endpoint=self.placement.url, token="anything")


class Tap(http.server.ThreadingHTTPServer):
    """Stands before a Keystone and keeps the tokens that it issues."""

    def __init__(self, keystone):
        self.target, self.tokens = keystone.url, []
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.shutdown()
        self.server_close()
        self.thread.join()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = urllib.request.Request(self.server.target + self.path, body,
                                             dict(self.headers))
            with urllib.request.urlopen(request) as answer:
                text, token = answer.read(), answer.headers["X-Subject-Token"]
            self.server.tokens.append(token)
            self.send_response(201)
            self.send_header("X-Subject-Token", token)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *words):
            pass


class TestTokens(KeystoneTest):
    """A daemon that lives longer than its tokens."""

    def test_expiry_and_revocation(self):
        host = self.start_host("nova-guide")
        self.start(expiration=8)
        tap = Tap(self.keystone)
        self.addCleanup(tap.close)
        self.agent = self.make_agent(host, None, {
            "agent": {"root_provider_name": ROOT, "sync_interval": 1},
            "devices": {"enabled_mdev_types": ["nvidia-35"]},
            "placement": self.options(auth_url=tap.url)})
        daemon = self.agent.start()
        # Renewed ahead: nothing is ever refused.
        wait_for(lambda: len(tap.tokens) >= 4, "four tokens", 60)
        self.assert_mends_the_tree()
        self.assertNotIn("HTTP 401", daemon.output())
        # Revoked: it takes another one, in the same cycle.
        count = len(tap.tokens)
        self.cloud.admin("DELETE", "/auth/tokens",
                         headers={"X-Subject-Token": tap.tokens[-1]})
        wait_for(lambda: len(tap.tokens) > count, "a token for the revoked one")
        self.assert_mends_the_tree()
        self.assertNotIn("HTTP 401", daemon.output())
        for token in tap.tokens:
            self.assertNotIn(token, daemon.output())
        self.assertNotIn("agent-secret", daemon.output())

    def assert_mends_the_tree(self):
        """Takes a provider's traits away and waits for them."""
        name = f"{ROOT}_pci_0000_84_00_0"
        provider = wait_for(lambda: self.client.provider(name), name)
        traits = wait_for(lambda: self.client.traits(provider["uuid"]),
                          "traits")
        self.client.set_traits(provider["uuid"], [])
        wait_for(lambda: self.client.traits(provider["uuid"]) == traits,
                 "the same traits again")

    def test_expired_token(self):
        self.start(expiration=15)
        token = self.agents_token()
        self.assert_works(auth_type="v3token", token=token)

        def is_gone():
            status, _, _ = self.cloud.send("GET", "/auth/tokens",
                                           token=self.cloud.token(),
                                           headers={"X-Subject-Token": token})
            return status == 404
        wait_for(is_gone, "the token's end")
        self.assert_fails(EX_NOPERM, "Keystone: POST ", auth_type="v3token",
                          token=token)
        self.assert_fails(EX_NOPERM, "HTTP 401", auth_type="admin_token", token=token,
                          endpoint=self.placement.url)


class TestTls(KeystoneTest):
    def test_certificates(self):
        made = Certificates(self.directory)
        other = Certificates(self.subdirectory("other"))
        pair = made.sign("server", "IP:127.0.0.1,DNS:localhost")
        self.start(certificate=pair)
        self.assert_works(cafile=made.authority)
        self.assert_works(insecure="true")
        for changes in ({}, {"cafile": other.authority}):
            with self.subTest(changes):
                self.assert_fails(EX_UNAVAILABLE, "certificate", **changes)
        # A certificate of another host.
        with self.subTest("another host"):
            self.placement.stop()
            self.placement.certificate = made.sign("other", "DNS:other.example")
            self.placement.start()
            self.assert_fails(EX_UNAVAILABLE, "127.0.0.1", cafile=made.authority)
            self.assert_works(cafile=made.authority, insecure="true")
        # A server that wants to know who we are.
        with self.subTest("client certificate"):
            self.placement.stop()
            self.placement.certificate = pair
            self.placement.authority = made.authority
            self.placement.start()
            certificate, key = made.sign("agent", "DNS:agent.example")
            self.assert_works(cafile=made.authority, certfile=certificate, keyfile=key)
            self.assert_fails(EX_UNAVAILABLE, "", cafile=made.authority)
        self.assert_fails(EX_CONFIG, "placement.cafile: /no-such-file: No such file",
                          cafile="/no-such-file")


if __name__ == "__main__":
    raise SystemExit("run it with tests/system/run --folder tests/upstream")
