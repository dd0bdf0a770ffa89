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
                PUT + HOST + b"Content-Length : 5\r\n\r\n",
                PUT + HOST + b"Transfer-Encoding: gzip, chunked\r\n" + NOTHING,
                PUT + HOST + b"Transfer-Encoding: identity\r\n\r\n",
                PUT + HOST + CHUNKED + CHUNKED + NOTHING,
                PUT.replace(b"1.1", b"1.0") + HOST + CHUNKED + NOTHING,
                GET + b"\r\n",
                GET + HOST + b"Host: other\r\n\r\n",
                GET + HOST + HOST + b"\r\n",
                GET.replace(b"_classes", b"_classes\0/x") + HOST + b"\r\n",
                GET.replace(b"_classes", b"_classes?a=\0") + HOST + b"\r\n"):
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

    def test_what_is_clear_is_not(self):
        client = self.connect()
        for text, status in (
                (PUT + HOST + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 201),
                (PUT + HOST + b"transfer-encoding:Chunked\r\n" + NOTHING, 204),
                (GET + HOST + b"\r\n", 200),
                (GET.replace(b"classes", b"providers?name=a%20b") + HOST + b"\r\n", 200),
                (GET.replace(b"1.1", b"1.0") + b"\r\n", 200)):
            client.send(text)
            self.assertEqual(client.receive()[0], status, text)
