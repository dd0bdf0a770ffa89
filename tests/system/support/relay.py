"""A relay in front of Placement: counts what passes, and breaks what a test wants broken."""
import contextlib
import http.client
import http.server
import threading
import time
import urllib.parse

CUT = "cut"  # close the connection without passing the request on
LOSE = "lose"  # pass the request on, then close the connection without the answer
STALL = "stall"  # say nothing until the client has had enough


class Request:
    """`body` is in bytes; `pass_on()` gives the answer of the server behind: (status, headers, body)."""

    def __init__(self, method, path, body, pass_on):
        self.method, self.path, self.body = method, path, body
        self.when = time.monotonic()
        self.pass_on = pass_on
        self.status = None

    def __repr__(self):
        return f"{self.method} {self.path} -> {self.status}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one piece, else each answer waits for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def pass_on(self, body):
        target = self.server.relay.target
        connection = http.client.HTTPConnection(target.hostname, target.port, timeout=60)
        try:
            headers = {n: v for n, v in self.headers.items()
                       if n.lower() not in ("host", "connection")}
            connection.request(self.command, target.path + self.path, body or None, headers)
            reply = connection.getresponse()
            return reply.status, reply.getheaders(), reply.read()
        finally:
            connection.close()

    def ask(self, request):
        try:
            return request.pass_on()
        except (OSError, http.client.HTTPException):  # it is being restarted
            return CUT

    def handle_any(self):
        relay = self.server.relay
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, body, lambda: self.pass_on(body))
        relay.requests.append(request)
        verdict = relay.rule(request)
        answer = self.ask(request) if verdict in (None, LOSE) else verdict
        if isinstance(answer, tuple) and verdict != LOSE:
            request.status = answer[0]
            self.answer(*answer)
            return
        self.close_connection = True
        if verdict == STALL:
            self.connection.recv(1)
        elif isinstance(verdict, list) or callable(verdict):
            for part in verdict() if callable(verdict) else verdict:
                self.wfile.write(part)
                self.wfile.flush()

    def handle(self):
        with contextlib.suppress(ConnectionError):  # enough is enough
            super().handle()

    def finish(self):
        with contextlib.suppress(ConnectionError):
            super().finish()

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = do_HEAD = handle_any


class Relay:
    """Answers at `url` as the Placement does that it stands for. `rule` is called with
    each Request and gives None (pass it on), CUT, LOSE, STALL, (status, headers, body),
    or a list of all the bytes to send before the connection is closed, or what yields
    them."""

    def __init__(self, placement):
        self.placement, self.token = placement, placement.token
        self.requests = []
        self.rule = lambda request: None
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.relay = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,),
                                       daemon=True)
        self.thread.start()

    @property
    def target(self):
        """It may be another after a restart."""
        return urllib.parse.urlsplit(self.placement.url)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        return 0
