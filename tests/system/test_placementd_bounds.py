"""What placementd takes is bounded: each thing that is too much is refused with a status,
and no client keeps the others from being served."""
import http.client
import json
import random
import re
import socket
import time

from support.case import SystemTest
from support.placement import Placement, own_placement
from support.process import Process, program, wait_for

SLOW = 500  # clients that never finish a request


class Bounds(SystemTest):
    def setUp(self):
        super().setUp()
        self.server = own_placement(self.subdirectory("server"))
        self.addCleanup(self.end, self.server)
        self.address = re.search(r"//(.*):(\d+)", self.server.url).groups()

    def ask(self, method, path, body=None, **headers):
        """The status; the body must be JSON where the API itself answers."""
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        try:
            connection.request(method, path, body, {
                "X-Auth-Token": "admin", "OpenStack-API-Version": "placement 1.39",
                "Content-Type": "application/json", **headers})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def test_too_much_of_anything(self):
        many = "&".join(f"required{i}=CUSTOM_X" for i in range(900))
        cases = [
            (414, "GET", "/resource_providers?name=" + 33000 * "a", None, {}),
            (414, "GET", "/resource_providers?name=" + 900000 * "a", None, {}),
            (431, "GET", "/", None, {"X-A": 33000 * "a"}),
            (431, "GET", "/", None, {"X-A": 900000 * "a"}),
            (413, "POST", "/resource_providers", 9000000 * "a", {}),
            (413, "POST", "/resource_providers",
             (65536 * b"a" for _ in range(140)), {}),
            (400, "POST", "/resource_providers", 100000 * "[", {}),
            (400, "POST", "/resource_providers", 8000000 * " ", {}),
            (400, "POST", "/resource_providers",
             json.dumps({"name": 201 * "a"}), {}),
            (400, "GET", "/resource_providers?" + 1500 * "a&", None, {}),
            (400, "GET", "/allocation_candidates?resources=VCPU:1&" + many, None, {}),
        ]
        for expected, method, path, body, headers in cases:
            with self.subTest(path=path[:60], body=str(body)[:20]):
                status, _ = self.ask(method, path, body, **headers)
                self.assertEqual(status, expected)
        self.assertEqual(self.ask("GET", "/resource_providers")[0], 200)

    def test_no_body_is_sent_for_nothing(self):
        """With Expect: 100-continue the refusal comes before the body."""
        with socket.create_connection(self.address, timeout=20) as client:
            client.sendall(b"POST /resource_providers HTTP/1.1\r\nHost: a\r\n"
                           b"X-Auth-Token: admin\r\nExpect: 100-continue\r\n"
                           b"Content-Type: application/json\r\n"
                           b"Content-Length: 999999999\r\n\r\n")
            self.assertIn(b" 413 ", client.recv(4096).split(b"\r\n")[0])

    def test_garbage(self):
        """Whatever it answers, if anything, the next client is served."""
        for garbage in (b"GARBAGE\r\n\r\n", b"\0\0\0\0", b"GET / HTTP/9.9\r\n\r\n",
                        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                        b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
                        random.Random(1).randbytes(5000)):
            with socket.create_connection(self.address, timeout=20) as client:
                client.sendall(garbage)
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(self.ask("GET", "/resource_providers")[0], 200)


class SlowClients(SystemTest):
    def test_others_are_served_and_the_slow_are_cut_off(self):
        folder = self.subdirectory("server")
        (folder / "placementd.conf").write_text(
            "[placementd]\nconnection_timeout = 1\n")
        process = Process([program("placementd"), "--listen", "127.0.0.1:0",
                           "--database", str(folder / "db"), "--auth", "noauth2",
                           "--config-file", str(folder / "placementd.conf")],
                          folder / "placementd.log")
        self.addCleanup(self.end, process)
        url = "http://" + re.search(r"127\.0\.0\.1:[0-9]+",
                                    process.wait_for_output("listening")).group()
        server = Placement(url)
        host, port = url[7:].split(":")
        slow = []
        for number in range(SLOW):
            client = socket.create_connection((host, int(port)), timeout=20)
            self.addCleanup(client.close)
            # Slow with the headers, or with the body.
            client.sendall(b"GET / HTTP/1.1\r\n" if number % 2 else
                           b"POST /resource_providers HTTP/1.1\r\nHost: a\r\n"
                           b"Content-Length: 1000000\r\n\r\n")
            slow.append(client)
        begin = time.monotonic()
        self.assertEqual(server.request("GET", "/resource_providers").status, 200)
        self.assertLess(time.monotonic() - begin, 5)

        def send_a_little():
            """Never silent for a second, and never done."""
            left = []
            for client in slow:
                try:
                    client.sendall(b"x")
                    left.append(client)
                except OSError:
                    pass
            slow[:] = left
            self.assertEqual(server.request("GET", "/").status, 200)
            return not left

        wait_for(send_a_little, "the slow clients to be cut off")
