"""Clients that write without end hold up nobody else: not a token that is new, not
monitoring, not the end of the server."""
import re

from support.hostile import Client, KeystoneTest, Writers, address_of, took
from support.process import preloaded, wait_for

# In each commit the write of somebody else arrives: who thinks for much longer than a commit
# takes does not come back in step with the others.
WRITERS, THOUGHT = 48, 0.3  # seconds
SYNC = 50  # milliseconds
PATIENCE = 3  # seconds; with starvation it was ten and more


class SteadyWriters(KeystoneTest):
    def setUp(self):
        super().setUp()
        self.serve("--metrics-listen", "127.0.0.1:0",
                   env=preloaded("slow_sync", SLOW_SYNC_MS=str(SYNC)))
        line = self.server.process.wait_for_output("metrics on")
        self.metrics = address_of("//" + re.search(r"127\.0\.0\.1:[0-9]+", line).group())
        self.writers = Writers(self.address, WRITERS, THOUGHT, token="good0")
        self.addCleanup(self.writers.stop)
        wait_for(lambda: self.writers.written > 5 * WRITERS, "the writers to be at work")

    def ask(self, address, path, token="none"):
        client = Client(address)
        self.addCleanup(client.close)
        return client.ask("GET", path, token=token)[0]

    def test_a_new_token(self):
        for number in range(1, 4):
            seconds, status = took(lambda: self.ask(self.address, "/resource_classes",
                                                    f"good{number}"))
            self.assertEqual(status, 200)
            self.assertLess(seconds, PATIENCE)
        self.assertEqual(self.writers.failures, [])

    def test_monitoring(self):
        seconds, status = took(lambda: self.ask(self.metrics, "/metrics"))
        self.assertEqual(status, 200)
        self.assertLess(seconds, PATIENCE)

    def test_the_end(self):
        seconds, status = took(self.server.process.stop)
        self.assertEqual(status, 0)
        self.assertLess(seconds, PATIENCE)
