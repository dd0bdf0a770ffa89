"""What comes from outside spoils neither the replies nor the log nor the handshake, and who
does not read the log stops nobody."""
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess

from support.case import SystemTest
from support.hostile import Client, address_of, request_text
from support.placement import own_placement, start_placement
from support.process import preloaded, program, wait_for


class Texts(SystemTest):
    def setUp(self):
        super().setUp()
        self.server = own_placement(self.subdirectory("server"))
        self.addCleanup(self.end, self.server)
        self.address = address_of(self.server.url)

    def ask(self, text):
        client = Client(self.address, timeout=20)
        self.addCleanup(client.close)
        client.send(text)
        return client.receive()

    def test_errors_are_utf_8(self):
        post = request_text("POST", "/resource_providers", {"name": "a"})
        get = request_text("GET", "/resource_providers")
        for text in (get.replace(b"GET", b"G\xe9T"),
                     post.replace(b"application/json", b"a/\xff\xc3"),
                     get.replace(b"placement 1.39", b"placement \x80\xe9"),
                     get.replace(b"providers ", b"? ").replace(
                         b"X-Auth", b"Accept: application/json, a/\xfe\r\nX-Auth"),
                     get.replace(b"providers ", b"providers/\xff "),
                     get.replace(b"providers ", b"providers?\xff=\xfe "),
                     get.replace(b"providers ", b"providers?name=\xc3\xa9%ff "),
                     post.replace(b"X-Auth", b"Accept: text/html\r\nX-Auth").replace(
                         b"application/json", b"a/\xff")):
            with self.subTest(text):
                status, headers, body = self.ask(text)
                self.assertGreaterEqual(status, 400)
                said = body.decode()
                if headers["content-type"] == "application/json":
                    json.loads(said)

    def test_the_log_shows_what_was_asked(self):
        """On one line, with each field where it belongs."""
        line = re.compile(r'info api: \S+ "(\S+) (\S+)" status=\d+ len=\d+ \S+ request=\S+')
        for method, target in ((b"GET", b'/a" status=200 len=1 "b'), (b"GET", b"/a b\\c"),
                               (b'G"T', b"/\xff\x1b[31m"), (b"GET", b"/?a=\t\x7f")):
            text = request_text("GET", "/").replace(b"GET / ", method + b" " + target + b" ")
            identity = self.ask(text)[1]["x-openstack-request-id"]
            written = self.server.process.wait_for_output(identity)
            found = line.fullmatch(written)
            self.assertTrue(found, written)
            self.assertEqual([int(part, 16) for part in re.findall("%(..)", found[2])],
                             [byte for byte in target
                              if byte <= 32 or byte >= 127 or byte in b'"\\'])

    def test_a_web_page_under_another_name(self):
        """DNS rebinding: the page's own name was made to mean 127.0.0.1."""
        get = request_text("GET", "/resource_classes")
        own = os.uname().nodename.encode()
        for host, status in ((b"evil.example", 403), (b"evil.example:8778", 403),
                             (b"127.0.0.1.evil.example", 403), (b"localhost.evil", 403),
                             (b"localhost", 200), (b"LOCALHOST:8778", 200),
                             (b"127.0.0.1:80", 200), (b"[::1]:8778", 200), (own, 200)):
            self.assertEqual(self.ask(get.replace(b"localhost", host))[0], status, host)

    def test_any_name_where_everybody_is_let_in(self):
        server = start_placement(self.subdirectory("open"), "--auth", "noauth2",
                                 "--insecure-noauth-anywhere")
        self.addCleanup(self.end, server)
        self.address = address_of(server.url)
        get = request_text("GET", "/resource_classes")
        self.assertEqual(self.ask(get.replace(b"localhost", b"gpu1.example"))[0], 200)


class Log(SystemTest):
    def test_nobody_reads_it(self):
        """A pipe takes some hundred lines."""
        folder = self.subdirectory("server")
        server = subprocess.Popen(
            [program("placementd"), "--listen", "127.0.0.1:0", "--auth", "noauth2",
             "--database", str(folder / "db")], stderr=subprocess.PIPE)
        self.addCleanup(server.stderr.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        client = Client(address_of("//" + re.search(
            rb"127\.0\.0\.1:\d+", server.stderr.readline())[0].decode()), timeout=20)
        self.addCleanup(client.close)
        for _ in range(2000):
            self.assertEqual(client.ask("GET", "/")[0], 200)
        os.set_blocking(server.stderr.fileno(), False)

        def read_all():
            """What it holds; then there is room for a line, and that comes."""
            text = server.stderr.read() or b""
            client.ask("GET", "/")
            return re.search(rb"(\d+) lines were not written", text)

        self.assertGreater(int(wait_for(read_all, "the number of lines")[1]), 500)


class Watchdog(SystemTest):
    def test_signs_of_life(self):
        """As systemd asks for them in the unit."""
        folder = self.subdirectory("server")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(str(folder / "notify"))
            systemd.settimeout(20)
            server = own_placement(folder, env={
                **os.environ, "NOTIFY_SOCKET": str(folder / "notify"),
                "WATCHDOG_USEC": "2000000"})
            self.assertEqual(systemd.recv(100), b"READY=1")
            for _ in range(2):
                self.assertEqual(systemd.recv(100), b"WATCHDOG=1")
            self.end(server)
            self.assertEqual(systemd.recv(100), b"STOPPING=1")


class Tls(SystemTest):
    def setUp(self):
        super().setUp()
        if not shutil.which("openssl"):
            self.skipTest("openssl is not installed")
        folder = self.subdirectory("server")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:4096", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-keyout", folder / "key", "-out", folder / "cert"],
            check=True, capture_output=True)
        self.parses = folder / "parses"
        self.server = start_placement(
            folder, "--auth", "noauth2", "--cert", str(folder / "cert"), "--key",
            str(folder / "key"), env=preloaded("count_parses", PARSES_FILE=str(self.parses)))
        self.addCleanup(self.end, self.server)
        self.address = address_of(self.server.url)

    def connect(self, version=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if version:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
        client = Client(self.address, timeout=20)
        self.addCleanup(client.close)
        client.socket = context.wrap_socket(client.socket)
        return client

    def test_versions(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                self.connect(version)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assertEqual(self.connect(version).ask("GET", "/")[0], 200)

    def test_the_key_is_not_parsed_at_each_handshake(self):
        """But once for all, and once more when that is asked for."""
        once = self.parses.stat().st_size  # gnutls's functions call each other
        self.assertGreater(once, 0)
        for _ in range(5):
            self.assertEqual(self.connect().ask("GET", "/")[0], 200)
        self.assertEqual(self.parses.stat().st_size, once)
        self.server.process.popen.send_signal(signal.SIGHUP)
        self.server.process.wait_for_output("certificate: read again")
        self.assertEqual(self.connect().ask("GET", "/")[0], 200)
        self.assertEqual(self.parses.stat().st_size, 2 * once)
