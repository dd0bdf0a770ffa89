"""A Keystone that does as it is told."""
import datetime
import http.server
import json
import threading
import time


class Keystone:
    """POST /v3/auth/tokens gives our service a token; GET tells whom a token belongs to.

    `users`: {token: (roles, seconds it is valid)}. While `gate` is cleared, GETs hang."""

    def __init__(self):
        self.users, self.own, self.asked, self.status = {}, set(), [], None
        self.waiting = 0  # GETs that hang
        self.delay = 0  # seconds that each GET takes
        self.knows_nobody = False  # each token is refused, quickly
        self.gate = threading.Event()
        self.gate.set()
        keystone = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_one_request(self):
                if not keystone.knows_nobody or self.rfile.peek(1)[:1] != b"G":
                    super().handle_one_request()
                    return
                while (line := self.rfile.readline()) not in (b"\r\n", b""):
                    pass
                self.close_connection = not line
                self.wfile.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

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
                keystone.waiting += 1
                keystone.gate.wait(30)
                time.sleep(keystone.delay)
                keystone.waiting -= 1
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

    def configuration(self, password="secret"):
        """Of a placementd that asks this one; [keystone_authtoken] is last."""
        return ("[api]\nauth_strategy = keystone\n"
                "[keystone_authtoken]\nwww_authenticate_uri = http://keystone.example:5000\n"
                f"auth_type = password\nauth_url = {self.url}\n"
                f"username = placement\npassword = {password}\nuser_domain_name = Default\n"
                "project_name = service\nproject_domain_name = Default\ntimeout = 20\n")

    def stop(self):
        self.gate.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
