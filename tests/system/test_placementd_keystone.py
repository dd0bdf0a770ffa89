"""placementd with `auth_strategy = keystone`, against a Keystone that does as it is told."""
import datetime
import http.server
import json
import re
import threading
import time

from support.case import SystemTest
from support.placement import Placement
from support.process import Process, program, wait_for

HEADERS = {"OpenStack-API-Version": "placement 1.39"}


class Keystone:
    """POST /v3/auth/tokens gives our service a token; GET tells whom a token belongs to.

    `users`: {token: (roles, seconds it is valid)}. While `gate` is cleared, GETs hang."""

    def __init__(self):
        self.users, self.own, self.asked, self.status = {}, set(), [], None
        self.gate = threading.Event()
        self.gate.set()
        keystone = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def give(self, status, body, **headers):
                text = json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                user = body["auth"]["identity"]["password"]["user"]
                if keystone.status:
                    self.give(keystone.status, {"error": {"message": "no"}})
                elif user["password"] != "secret":
                    self.give(401, {"error": {"message": "wrong"}})
                else:
                    token = f"own-{len(keystone.own)}"
                    keystone.own.add(token)
                    self.give(201, keystone.token(["admin"], 3600),
                              X_Subject_Token=token)

            def do_GET(self):
                keystone.gate.wait(30)
                subject = self.headers["X-Subject-Token"]
                keystone.asked.append(subject)
                if keystone.status:
                    self.give(keystone.status, {"error": {"message": "no"}})
                elif self.headers["X-Auth-Token"] not in keystone.own:
                    self.give(401, {"error": {"message": "who?"}})
                elif subject not in keystone.users:
                    self.give(404, {"error": {"message": "gone"}})
                else:
                    self.give(200, keystone.token(*keystone.users[subject]))

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    @staticmethod
    def token(roles, seconds, **more):
        now = datetime.datetime.now(datetime.timezone.utc)
        form = "%Y-%m-%dT%H:%M:%S.%fZ"
        return {"token": {
            "issued_at": now.strftime(form),
            "expires_at": (now + datetime.timedelta(seconds=seconds)).strftime(form),
            "user": {"id": "user-id", "name": "user"},
            "project": {"id": "project-id", "name": "project"},
            "roles": [{"id": name, "name": name} for name in roles], **more}}

    def stop(self):
        self.gate.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class KeystoneAuth(SystemTest):
    def setUp(self):
        super().setUp()
        self.keystone = Keystone()
        self.addCleanup(self.keystone.stop)

    def start(self, password="secret", cache=300):
        folder = self.subdirectory("server")
        configuration = folder / "placementd.conf"
        configuration.write_text(
            "[api]\nauth_strategy = keystone\n"
            "[keystone_authtoken]\nwww_authenticate_uri = http://keystone.example:5000\n"
            f"auth_type = password\nauth_url = {self.keystone.url}\n"
            f"username = placement\npassword = {password}\nuser_domain_name = Default\n"
            "project_name = service\nproject_domain_name = Default\ntimeout = 20\n"
            f"token_cache_time = {cache}\n")
        process = Process([program("placementd"), "--listen", "127.0.0.1:0",
                           "--database", str(folder / "db"),
                           "--config-file", str(configuration)],
                          folder / "placementd.log")
        self.addCleanup(self.end, process)
        line = process.wait_for_output("listening on 127.0.0.1:")
        self.log = process
        self.address = re.search(r"127\.0\.0\.1:[0-9]+", line).group()

    def ask(self, token, path="/resource_providers"):
        return Placement(f"http://{self.address}", token).request("GET", path)

    def test_whom_a_token_belongs_to(self):
        self.keystone.users = {"good": (["admin", "member"], 600),
                               "poor": (["member"], 600)}
        self.start()
        self.assertEqual(self.ask("x", "/").status, 200)
        self.assertEqual(self.ask("good").status, 200)
        self.assertEqual(self.ask("poor").status, 403)
        refused = self.ask("bad")
        self.assertEqual(refused.status, 401)
        self.assertEqual(refused.json()["error"]["code"], 401)
        self.assertEqual(refused.headers["WWW-Authenticate"],
                         'Keystone uri="http://keystone.example:5000"')
        self.assertEqual(self.ask("").status, 401)
        # Each was asked for once; answers are remembered, the bad ones too.
        for token in ("good", "poor", "bad", "good"):
            self.ask(token)
        self.assertEqual(sorted(self.keystone.asked), ["bad", "good", "poor"])

    def test_tokens_end(self):
        self.keystone.users = {"short": (["admin"], 2), "old": (["admin"], -1)}
        self.start()
        self.assertEqual(self.ask("old").status, 401)
        self.assertEqual(self.ask("short").status, 200)
        del self.keystone.users["short"]
        wait_for(lambda: self.ask("short").status == 401, "the token to expire")

    def test_without_memory_every_request_is_asked(self):
        self.keystone.users = {"good": (["admin"], 600)}
        self.start(cache=-1)
        for _ in range(3):
            self.assertEqual(self.ask("good").status, 200)
        self.assertEqual(self.keystone.asked, ["good"] * 3)
        del self.keystone.users["good"]
        self.assertEqual(self.ask("good").status, 401)

    def test_keystone_is_down(self):
        self.keystone.users = {"good": (["admin"], 600), "other": (["admin"], 600)}
        self.start()
        self.assertEqual(self.ask("good").status, 200)
        self.keystone.status = 500
        answer = self.ask("other")
        self.assertEqual(answer.status, 503)
        self.assertEqual(answer.json()["code"], "503 Service Unavailable")
        # What is known serves on, and what is not is asked again.
        self.assertEqual(self.ask("good").status, 200)
        self.keystone.status = None
        self.assertEqual(self.ask("other").status, 200)

    def test_wrong_credentials_of_our_own(self):
        self.keystone.users = {"good": (["admin"], 600)}
        self.start(password="wrong")
        self.assertEqual(self.ask("good").status, 503)
        self.assertNotIn("wrong", self.log.output())

    def test_our_own_token_was_revoked(self):
        self.keystone.users = {"good": (["admin"], 600), "other": (["admin"], 600)}
        self.start()
        self.assertEqual(self.ask("good").status, 200)
        self.keystone.own.clear()
        self.assertEqual(self.ask("other").status, 200)

    def test_a_slow_keystone_stops_nobody_else(self):
        self.keystone.users = {"good": (["admin"], 600), "slow": (["admin"], 600)}
        self.start()
        self.assertEqual(self.ask("good").status, 200)
        self.keystone.gate.clear()
        answers = []
        waiting = [threading.Thread(target=lambda: answers.append(
            self.ask("slow").status)) for _ in range(4)]
        for thread in waiting:
            thread.start()
        begin = time.monotonic()
        for _ in range(10):
            self.assertEqual(self.ask("good").status, 200)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(answers, [])
        self.keystone.gate.set()
        for thread in waiting:
            thread.join()
        self.assertEqual(answers, [200] * 4)
        # All four waited for one answer.
        self.assertEqual(self.keystone.asked.count("slow"), 1)

    def test_restricted_credentials(self):
        self.start()
        real = Keystone.token
        self.keystone.users = {"good": (["admin"], 600)}
        self.keystone.token = lambda roles, seconds: real(
            roles, seconds, application_credential={"id": "x", "access_rules": []})
        self.assertEqual(self.ask("good").status, 401)

    def test_options_that_are_missing(self):
        folder = self.subdirectory("server")
        process = Process([program("placementd"), "--listen", "127.0.0.1:0",
                           "--database", str(folder / "db"), "--auth", "keystone"],
                          folder / "placementd.log")
        self.assertNotEqual(process.popen.wait(20), 0)
        self.assertIn("keystone_authtoken", process.output())
