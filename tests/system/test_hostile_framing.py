"""What two readers could understand in two ways is refused, and its connection ends: else a
proxy and placementd may not agree on where one request ends and the next begins."""
import json

from support.hostile import HostileTest

TOKEN = b"X-Auth-Token: admin\r\nOpenStack-API-Version: placement 1.39\r\n"
HOST = b"Host: localhost\r\n"
PUT = b"PUT /traits/CUSTOM_A HTTP/1.1\r\n" + TOKEN
GET = b"GET /resource_classes HTTP/1.1\r\n" + TOKEN
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SMUGGLED = GET + HOST + b"\r\n"
NOTHING = b"\r\n0\r\n\r\n"


class Framing(HostileTest):
    def setUp(self):
        super().setUp()
        self.serve("--auth", "noauth2")

    def test_what_is_not_clear_is_refused(self):
        for text in (
                PUT + HOST + CHUNKED + b"Content-Length: 5\r\n" + NOTHING,
                PUT + HOST + b"Content-Length: 5\r\n" + CHUNKED + NOTHING,
                PUT + HOST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
                PUT + HOST + b"Content-Length: 5\r\nContent-Length: 0\r\n\r\n",
                GET + HOST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
                PUT + HOST + b"Transfer-Encoding : chunked\r\n" + NOTHING,
                PUT + HOST + b"Transfer-Encoding\t: chunked\r\n" + NOTHING,
                PUT + HOST + b"Transfer-Encoding: chunked \r\n" + NOTHING,
                PUT + HOST + b"Content-Length : 5\r\n\r\n",
                PUT + HOST + b"Transfer-Encoding: gzip, chunked\r\n" + NOTHING,
                PUT + HOST + b"Transfer-Encoding: identity\r\n\r\n",
                PUT + HOST + CHUNKED + CHUNKED + NOTHING,
                PUT.replace(b"1.1", b"1.0") + HOST + CHUNKED + NOTHING,
                GET + b"\r\n",
                GET + HOST + b"Host: other\r\n\r\n",
                GET + HOST + HOST + b"\r\n",
                GET.replace(b"_classes", b"_classes\0/x") + HOST + b"\r\n",
                GET.replace(b"_classes", b"_classes?a=\0") + HOST + b"\r\n",
                GET.replace(b"_classes", b"_providers?name=a b") + HOST + b"\r\n",
                GET.replace(b"_classes", b"_classes x") + HOST + b"\r\n",
                GET.replace(b"_classes", b"_classes\t") + HOST + b"\r\n",
                GET.replace(b"_classes", b"_providers?name=a\x01") + HOST + b"\r\n",
                GET.replace(b"admin", b"admin\0x") + HOST + b"\r\n",
                GET.replace(b"admin", b"admin\0") + HOST + b"\r\n",
                GET.replace(b"admin", b"\0admin") + HOST + b"\r\n",
                GET.replace(b"1.39", b"1.9\0 39") + HOST + b"\r\n",
                GET + HOST.replace(b"host", b"host\0.example") + b"\r\n",
                GET + HOST.replace(b"host", b"host\0") + b"\r\n",
                (GET + HOST.replace(b"host", b"host\0") + b"\r\n").replace(b"\r\n", b"\n"),
                (GET.replace(b"admin", b"admin\0") + HOST + b"\r\n").replace(b"\r\n", b"\n"),
                GET + HOST + TOKEN + b"\r\n",
                GET + HOST + b"X-Auth-Token: other\r\n\r\n",
                GET + HOST + b"Content-Type: text/plain\r\nContent-type: application/json\r\n\r\n",
                GET + HOST + b"Content-Length: x\r\nContent-Length: 5\r\n\r\n",
                GET + HOST + b"Content-Length: 5\r\nContent-Length: 6 \r\n\r\n",
                GET + HOST + b"X-Other: a\rb\r\n\r\n",
                GET + HOST + b"X-Auth-Tok: admin\r\n en\r\n\r\n",
                GET + HOST + b"X-Other: a\r\n b\r\n\t c\r\nX-More: d\r\n\r\n"):
            with self.subTest(text):
                client = self.connect()
                client.send(text + SMUGGLED)
                status, headers, body = client.receive()
                self.assertEqual(status, 400)
                self.assertEqual(json.loads(body)["errors"][0]["status"], 400)
                self.assertIn("x-openstack-request-id", headers)
                self.assertEqual(headers["connection"], "close")
                self.assertRaises(ConnectionError, client.receive)
        client = self.connect()
        client.send(GET.replace(b"resource_classes", b"traits/CUSTOM_A") + HOST + b"\r\n")
        self.assertEqual(client.receive()[0], 404)

    def test_a_length_that_is_no_number(self):
        for length in (b"abc", b"hi ho silver", b"1e3", b"5, 5", b"0x10", b"5x", b""):
            with self.subTest(length):
                client = self.connect()
                client.send(GET + HOST + b"\r\n")
                self.assertEqual(client.receive()[0], 200)
                client.send(PUT + HOST + b"Content-Length: " + length + b"\r\n\r\n" + SMUGGLED)
                status, headers, body = client.receive()
                self.assertEqual(status, 400)
                self.assertEqual(headers["content-type"], "application/json")
                (error,) = json.loads(body)["errors"]
                self.assertIn("content-length header must be an integer", error["detail"])
                self.assertEqual(headers["openstack-api-version"], "placement 1.39")
                self.assertRaises(ConnectionError, client.receive)
        # In pieces, or after a long header, the answer is the library's.
        for more in (b"", b"X-Long: " + b"x" * 5000 + b"\r\n"):
            client = self.connect()
            client.send(PUT + HOST + more)
            client.send(b"Content-Length: abc\r\n\r\n")
            self.assertEqual(client.receive()[0], 400)

    def test_a_length_beyond_numbers(self):
        for length in (b"18446744073709551615", b"99999999999999999999999", b"99999999999999999999999 "):
            with self.subTest(length):
                client = self.connect()
                client.send(PUT + HOST + b"Content-Length: " + length + b"\r\n\r\n" + SMUGGLED)
                status, headers, body = client.receive()
                self.assertEqual(status, 413)
                self.assertEqual(json.loads(body)["errors"][0]["status"], 413)
                self.assertEqual(headers["connection"], "close")
                self.assertRaises(ConnectionError, client.receive)

    def test_blanks_behind_a_value_are_none_of_it(self):
        client = self.connect()
        name = b'{"name": "a"}'
        post = PUT.replace(b"PUT /traits/CUSTOM_A", b"POST /resource_providers")
        for text, status in (
                (GET.replace(b"admin", b"admin \t") + HOST + b"\r\n", 200),
                (GET.replace(b"1.39", b"1.39 ") + HOST + b"\r\n", 200),
                (GET + HOST.replace(b"host", b"host ") + b"\r\n", 200),
                (post + HOST + b"Content-Type: application/json \r\n"
                 b"Content-Length: %d \r\n\r\n" % len(name) + name, 200),
                (GET + HOST + b"\r\n", 200)):
            client.send(text)
            self.assertEqual(client.receive()[0], status, text)

    def test_heads_that_come_in_pieces_and_long_ones(self):
        long = GET.replace(b"resource_classes", b"?" + b"a=%20b&" * 500) + HOST + b"X-Long: " + b"x" * 15000
        for text in (GET + HOST + b"X-Last: a\r\n\r\n", long + b"\r\n\r\n"):
            client = self.connect()
            step = max(7, len(text) // 40)
            for at in range(0, len(text), step):
                client.send(text[at:at + step])
            self.assertEqual(client.receive()[0], 200)
            client.send(text.replace(b"\r\n\r\n", b"\0x\r\n\r\n"))
            self.assertEqual(client.receive()[0], 400)

    def test_what_is_clear_is_not(self):
        client = self.connect()
        for text, status in (
                (PUT + HOST + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 201),
                (PUT + HOST + b"transfer-encoding:Chunked\r\n" + NOTHING, 204),
                (GET + HOST + b"\r\n", 200),
                (GET.replace(b"classes", b"providers?name=a%20b") + HOST + b"\r\n", 200),
                (GET.replace(b"\r\n", b"\n") + b"Host:localhost\nX-Empty:\nX-Last:  a b\n\n", 200),
                (GET.replace(b"classes", b"providers?name=%c3%bc") + HOST + b"\r\n", 200),
                (GET.replace(b"classes", "providers?name=ü".encode()) + HOST + b"\r\n", 200),
                (GET.replace(b"1.1", b"1.0") + b"\r\n", 200)):
            client.send(text)
            self.assertEqual(client.receive()[0], status, text)
