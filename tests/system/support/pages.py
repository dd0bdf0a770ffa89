"""What the pages of both programs must keep to."""
import http.client
import http.server
import json
import re
import threading

from .browser import Browser, browser_missing
from .process import wait_for

# Markup, a terminal's commands, what ends a script, what turns the direction of a text or is not seen, names of JavaScript's own,
# another script, and length.
NASTY = ("<img src=x onerror=alert(1)></script><script>document.title='owned'</script>&lt;b&gt;`rm`${1}\x1b[2J\x00\r\n\u202egnp.exe\u2066"
         "\u200b\ufeff\u2028__proto__ \u05e9\u05dc\u05d5\u05dd \U0001f469\u200d\U0001f527" + "x" * 3000)
SEEN = r"gnp\.exe"  # a part of it that stands on the page
INVISIBLE = r"[\0-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]"


def fetch(address, path, method="GET", **headers):
    """(status, headers, text) of "127.0.0.1:9190"."""
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def feed(address, query=""):
    return json.loads(fetch(address, "/status.json" + query)[2])


def metrics(address):
    return fetch(address, "/metrics")[2]


def wait_for_cycles(address, least):
    """The cycles of the agent's daemon so far, once they are so many, and its requests, as of one moment between two cycles."""
    def look():
        numbers = dict(line.rsplit(" ", 1) for line in metrics(address).splitlines() if not line.startswith("#"))
        cycles = int(numbers["vgpu_agent_cycle_seconds_count"])
        return cycles >= least and (cycles, int(numbers["vgpu_agent_requests_total"]))
    return wait_for(look, f"{least} cycles", 60)


def policy_of(headers):
    """{"default-src": ["'none'"], ...}"""
    parts = (part.split() for part in headers["Content-Security-Policy"].split(";"))
    return {name: values for name, *values in parts}


def made_nasty(value):
    """The same JSON, in which each text and each name has all of it at its end."""
    if isinstance(value, dict):
        # The names of members are the program's own, but for those of resource classes.
        classes = {name for name in value if name.isupper()}
        return {name + NASTY if name in classes else name: made_nasty(one) for name, one in value.items()}
    if isinstance(value, list):
        return [made_nasty(one) for one in value]
    return value + NASTY if isinstance(value, str) else value


class NastyFeed:
    """Serves the page of `address`, with the headers that it has there, and another feed below it: JSON, or bytes."""

    def __init__(self, address, told):
        _, headers, page = fetch(address, "/")
        self.told = told

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(handler):  # noqa: N802, N805
                body, kind = (self.text(), "application/json") if "status.json" in handler.path else (page.encode(), headers["Content-Type"])
                handler.send_response(200)
                handler.send_header("Content-Security-Policy", headers["Content-Security-Policy"])
                handler.send_header("Content-Type", kind)
                handler.end_headers()
                handler.wfile.write(body)

            def log_message(handler, *words):  # noqa: N805
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def text(self):
        """With bytes that are not UTF-8 in each text."""
        return json.dumps(self.told, ensure_ascii=False).encode().replace(b"__proto__", b"__proto__\xff\xc0\xaf\xed\xa0\x80")

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class PageChecks:
    """For a test case with the `address` of the page."""

    def check_headers(self):
        status, headers, text = fetch(self.address, "/")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        policy = policy_of(headers)
        for name in ("default-src", "base-uri", "form-action", "frame-ancestors"):
            self.assertEqual(policy[name], ["'none'"], name)
        for name in ("script-src", "style-src"):
            self.assertRegex(" ".join(policy[name]), r"^'sha256-[A-Za-z0-9+/]{43}='$")
        self.assertEqual(policy["connect-src"], ["'self'"])
        # Nothing is loaded, from here or from elsewhere.
        self.assertNotRegex(text, r"(?i)https?://|<link[^>]+stylesheet|<script[^>]+src|@import|url\(|innerHTML|\beval\b")
        self.assertEqual(re.findall(r'(?:href|src)="([^"]*)"', text.partition("<script>")[0].partition("</style>")[2]),
                         re.findall(r'href="(#[^"]*)"', text.partition("<script>")[0]) + ["status.json"])
        for path, kind in (("/", "text/html"), ("/status.json", "application/json"), ("/metrics", "text/plain")):
            status, headers, _ = fetch(self.address, path)
            self.assertEqual((status, headers["X-Content-Type-Options"], headers["Cache-Control"], headers["Referrer-Policy"],
                              headers["Cross-Origin-Resource-Policy"]),
                             (200, "nosniff", "no-store", "no-referrer", "same-origin"), path)
            self.assertTrue(headers["Content-Type"].startswith(kind), path)
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"], path)
        self.assertEqual(fetch(self.address, "/page.html")[0], 404)

    def check_nasty(self, browser, count):
        """All of it stands there as text, seen as it is, at least so often; and nothing else has come of it."""
        text = browser.run("document.body.textContent")
        self.assertGreaterEqual(len(re.findall(SEEN, text)), count)
        self.assertIn("\\u202egnp.exe\\u2066", text)
        self.assertNotRegex(text.replace("\n", ""), INVISIBLE)
        self.assertEqual(browser.run("document.scripts.length + document.images.length"), 1)
        self.assertNotRegex(browser.run("[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames().filter(n => n != 'data-key')"
                                        ".map(n => e.getAttribute(n))).join(' ')"), INVISIBLE)
        self.assertFalse(browser.run("document.title").startswith("owned"))
        # Nothing of it makes the page wider than the window.
        self.assertLessEqual(browser.run("document.documentElement.scrollWidth"), 1300)
        self.assertEqual(browser.complaints, [])

    def check_nothing_from_outside(self, browser):
        """The page asked its own server only, and the browser had nothing to complain of."""
        self.assertEqual([url for url in browser.requests
                          if not url.startswith((f"http://{self.address}/", "data:", "about:"))], [])
        self.assertEqual(browser.complaints, [])


class PageSeen:
    """Before a test with an `address`: its page in Chromium."""

    def setUp(self):
        missing = browser_missing()
        if missing:
            self.skipTest(missing)
        super().setUp()

    def open(self, scheme="light", address=None):
        browser = Browser(self.subdirectory("browser"))
        self.addCleanup(browser.stop)
        browser.show(1300, 900, scheme)
        browser.bound_timers(10_000)  # a page rests ten times as long as an answer has taken: on a busy machine minutes
        browser.open(f"http://{address or self.address}/")
        browser.wait_for("document.body?.dataset.feed == 'live'")
        return browser
