"""The bodies of requests take little memory, whoever sends them: without a token none at
all, and with one no more than all together may have."""
import threading

from support.hostile import HEADERS, KeystoneTest, memory_kib, request_text
from support.process import sanitized, wait_for

MIB = 1024 * 1024
BODY = 8 * MIB - 1
CLIENTS = 20
BUDGET = 16  # MiB


def head(length, token=None, more=""):
    token = f"X-Auth-Token: {token}\r\n" if token else ""
    return (f"POST /resource_providers HTTP/1.1\r\n{HEADERS}{token}{more}"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n").encode()


class Bodies(KeystoneTest):
    def setUp(self):
        super().setUp()
        self.keystone.users |= {"good": (["admin"], 600), "poor": (["member"], 600),
                                "slow": (["admin"], 600)}
        self.serve(configuration=f"[placementd]\nmax_bodies_size = {BUDGET * MIB}\n")
        self.before = memory_kib(self.server.process.pid)

    def assert_grown_less(self, mebibytes):
        grown = (memory_kib(self.server.process.pid) - self.before) / 1024
        if not sanitized("placementd"):
            self.assertLess(grown, mebibytes)

    def test_without_a_token(self):
        """Refused at the headers; also who has sent all before it reads sees why."""
        for token, status in ((None, 401), ("bad", 401), ("poor", 403)):
            client = self.connect()
            client.send(head(BODY, token))
            self.assertEqual(client.receive()[0], status)
            client = self.connect()
            client.send(head(BODY, token) + BODY * b" ")
            self.assertEqual(client.receive()[0], status)
        clients = [self.connect() for _ in range(CLIENTS)]

        def send(client):
            try:
                client.send(head(BODY, "bad") + (BODY - 1) * b" ")
            except OSError:  # it had its reply and its time
                pass

        threads = [threading.Thread(target=send, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assert_grown_less(20)

    def test_the_token_is_known_before_the_body_is_read(self):
        self.keystone.gate.clear()
        client = self.connect()
        sent = threading.Thread(target=client.send, args=(
            head(BODY, "slow") + BODY * b" ",))
        sent.start()
        wait_for(lambda: self.keystone.waiting, "Keystone to be asked")
        self.assert_grown_less(5)
        self.keystone.gate.set()
        sent.join()
        self.assertEqual(client.receive()[0], 400)
        self.assertEqual(client.ask("GET", "/resource_classes", token="slow")[0], 200)

    def test_one_budget_for_all(self):
        clients = [self.connect() for _ in range(CLIENTS)]
        for client in clients:
            client.send(head(BODY, "good") + (BODY - 1) * b" ")
        # Each had its largest given up when it was somebody else's turn: small ones go on.
        small = self.connect()
        for number in range(10):
            status, _, body = small.ask("POST", "/resource_providers",
                                        body={"name": f"{number}"}, token="good")
            self.assertEqual(status, 200, body)
        for client in clients:
            client.send(b" ")
        statuses = [client.receive()[0] for client in clients]
        self.assertEqual(set(statuses), {400, 503})
        self.assertLessEqual(statuses.count(400), BUDGET // 8)
        self.assert_grown_less(2 * BUDGET + 20)
        # What is given up is given back.
        for client in clients:
            client.close()
        client = self.connect()
        client.send(request_text("POST", "/resource_providers", body={"name": "x"},
                                 token="good"))
        self.assertEqual(client.receive()[0], 200)

    def test_chunks_count_as_well(self):
        client = self.connect()
        client.send((f"POST /resource_providers HTTP/1.1\r\n{HEADERS}"
                     "Transfer-Encoding: chunked\r\n\r\n").encode())
        self.assertEqual(client.receive()[0], 401)
