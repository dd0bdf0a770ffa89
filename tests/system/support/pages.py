"""What the pages of both programs must keep to."""
import http.client
import json
import re


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


def policy_of(headers):
    """{"default-src": ["'none'"], ...}"""
    parts = (part.split() for part in headers["Content-Security-Policy"].split(";"))
    return {name: values for name, *values in parts}


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

    def check_nothing_from_outside(self, browser):
        """The page asked its own server only, and the browser had nothing to complain of."""
        self.assertEqual([url for url in browser.requests
                          if not url.startswith((f"http://{self.address}/", "data:", "about:"))], [])
        self.assertEqual(browser.complaints, [])
