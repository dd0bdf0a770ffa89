"""Tokens that are none cost little: neither memory nor the places of good ones nor the
time of those who bring a new one."""
import threading

from support.hostile import KeystoneTest, memory_kib, took
from support.process import sanitized, wait_for

ANSWER = 0.2  # seconds that Keystone takes
BOGUS = 60


class Tokens(KeystoneTest):
    def setUp(self):
        super().setUp()
        self.serve()

    def assert_grown_less(self, begin, mebibytes):
        grown = memory_kib(self.server.process.pid) - begin
        if not sanitized("placementd"):
            self.assertLess(grown, mebibytes * 1024)

    def ask(self, client, token):
        return client.ask("GET", "/resource_classes", token=token)[0]

    def test_bogus_ones_drive_out_no_good_one(self):
        client = self.connect()
        self.assertEqual(self.ask(client, "good0"), 200)
        begin = memory_kib(self.server.process.pid)
        self.keystone.knows_nobody = True
        waiting = [self.connect() for _ in range(8)]
        for number in range(10100):
            bogus = waiting[number % 8]
            if number >= 8:
                self.assertEqual(bogus.receive()[0], 401)
            bogus.send(b"GET /resource_classes HTTP/1.1\r\nHost: localhost\r\n"
                       b"X-Auth-Token: bogus%d\r\n\r\n" % number)
        self.assertEqual(self.ask(client, "good0"), 200)  # it is known still
        self.assert_grown_less(begin, 10)

    def test_long_ones_are_kept_nowhere(self):
        begin = memory_kib(self.server.process.pid)
        client = self.connect()
        for number in range(500):
            self.assertEqual(self.ask(client, f"{number}" + 30000 * "x"), 401)
            self.assertEqual(self.ask(client, f"{number}" + 4000 * "x"), 401)
        self.assert_grown_less(begin, 2)
        self.assertEqual(len(self.keystone.asked), 500)

    def test_who_brings_a_new_one_is_soon_served(self):
        """From another address at once, from the same one in a fair time."""
        self.keystone.delay = ANSWER
        self.assertEqual(self.ask(self.connect(), "good0"), 200)
        crowd = [self.connect(source="127.0.0.2") for _ in range(BOGUS)]
        for number, client in enumerate(crowd):
            client.send(b"GET /resource_classes HTTP/1.1\r\nHost: localhost\r\n"
                        b"X-Auth-Token: bogus%d\r\n\r\n" % number)
        wait_for(lambda: self.keystone.waiting, "Keystone to be at work")
        times = {}

        def bring(source, token):
            client = self.connect(source=source)
            times[source], status = took(lambda: self.ask(client, token))
            self.assertEqual(status, 200)

        threads = [threading.Thread(target=bring, args=words) for words in
                   (("127.0.0.1", "good1"), ("127.0.0.2", "good2"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLess(times["127.0.0.1"], 6 * ANSWER)
        self.assertLess(times["127.0.0.2"], BOGUS * ANSWER / 4)
