"""Nobody can take all connections: not by holding them idle, not by sending slowly, not by
going away in the middle of a request."""
import pathlib
import re
import signal

from support.fleet import FleetTest
from support.hostile import Client, HostileTest, address_of, drip, took
from support.process import wait_for

CONNECTIONS = 40
PATIENCE = 5  # seconds
CLOSE_WAIT = "08"  # of the kernel's include/net/tcp_states.h
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


def held(address, state=None):
    """How many connections the server holds, all or those in that state."""
    port = f":{address[1]:04X}"
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(port) and int(row[9]) > 0 and row[3] != "0A" and
               state in (None, row[3]) for row in rows)


class Monitored:
    """A server that is asked by monitoring."""

    def keep_asking(self, address, path):
        """Beside clients that never finish, each of them a connection that it was given."""
        slow = [Client(address) for _ in range(32)]
        for client in slow:
            self.addCleanup(client.close)
            client.send(b"GET " + path + b" HTTP/1.1\r\nX-A: ")

        def all_are_cut_off():
            slow[:] = drip(slow)
            client = Client(address)
            client.send(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
            seconds, (status, _, _) = took(client.receive)
            self.assertIn(status, (200, 503))  # well or not, it is said
            self.assertLess(seconds, PATIENCE)
            client.close()
            return not slow

        wait_for(all_are_cut_off, "the slow clients to be cut off")


class Connections(Monitored, HostileTest):
    def start(self, text="", *arguments):
        self.serve("--auth", "noauth2", *arguments, configuration=f"[placementd]\n{text}\n")

    def test_idle_ones_make_room(self):
        self.start(f"max_connections = {CONNECTIONS}\n"
                   f"max_connections_per_address = {CONNECTIONS}\n")
        idle = [self.connect() for _ in range(2 * CONNECTIONS)]
        for _ in range(3):
            seconds, (status, _, _) = took(lambda: self.connect().ask("GET", "/"))
            self.assertEqual(status, 200)
            self.assertLess(seconds, PATIENCE)
        wait_for(lambda: held(self.address) <= CONNECTIONS, "those beyond to be closed")
        # The longest idle have gone, the others are as they were.
        self.assertTrue(idle[0].is_cut_off())
        self.assertFalse(idle[-1].is_cut_off())

    def test_all_who_come_at_once_are_answered(self):
        """More than may be connected, and before any of them was looked at: nobody makes room
        before it has its answer."""
        self.start(f"max_connections = {CONNECTIONS}\n"
                   f"max_connections_per_address = {CONNECTIONS}\n")
        self.server.process.popen.send_signal(signal.SIGSTOP)
        try:
            clients = [self.connect() for _ in range(5 * CONNECTIONS)]
            for client in clients:
                client.send(REQUEST + b"\r\n")
        finally:
            self.server.process.popen.send_signal(signal.SIGCONT)
        seconds, answers = took(lambda: [client.receive()[0] for client in clients])
        self.assertEqual(set(answers), {200})
        self.assertLess(seconds, PATIENCE)

    def test_an_address_has_its_part(self):
        """And closes none of another's, however long those are idle."""
        self.start(f"max_connections = {CONNECTIONS}\n")
        friend = self.connect()
        self.assertEqual(friend.ask("GET", "/")[0], 200)
        clients = [self.connect(source="127.0.0.2") for _ in range(3 * CONNECTIONS)]
        wait_for(lambda: sum(not client.is_cut_off() for client in clients) ==
                 CONNECTIONS // 2, "what is beyond its part to be closed")
        self.assertEqual(friend.ask("GET", "/")[0], 200)

    def test_gone_in_the_middle(self):
        """The end of a connection that comes together with data."""
        self.start("connection_timeout = 600\n")
        for text in (b"GET / HT", REQUEST,
                     b"PUT /traits/CUSTOM_A HTTP/1.1\r\nHost: localhost\r\n"
                     b"X-Auth-Token: admin\r\nContent-Length: 1000\r\n\r\n{"):
            with self.subTest(text):
                for _ in range(50):
                    client = Client(self.address)
                    client.send(text)
                    client.close()
                wait_for(lambda: held(self.address) == 0, "no socket to be held")

    def test_half_closed_clients_are_answered(self):
        self.start()
        client = self.connect()
        client.send(REQUEST + b"\r\n")
        client.socket.shutdown(1)
        self.assertEqual(client.receive()[0], 200)

    def test_a_head_takes_no_longer_than_it_may(self):
        self.start("connection_timeout = 8\n")
        fresh, kept = self.connect(), self.connect()
        self.assertEqual(kept.ask("GET", "/")[0], 200)
        slow = [fresh, kept]
        for client in slow:
            client.send(REQUEST + b"X-A: ")

        def all_are_cut_off():
            slow[:] = drip(slow)
            return not slow

        wait_for(all_are_cut_off, "the slow ones to be cut off", patience=14)

    def test_monitoring_is_not_held_up(self):
        self.start("", "--metrics-listen", "127.0.0.1:0")
        line = self.server.process.wait_for_output("metrics on")
        self.keep_asking(address_of("//" + re.search(r"127\.0\.0\.1:[0-9]+", line).group()),
                         b"/metrics")


class AgentsListener(Monitored, FleetTest):
    def test_monitoring_is_not_held_up(self):
        self.build_guide()
        self.agent.configure({"agent": {**self.options, "listen": "0"}, **self.types})
        self.agent.start()
        line = self.agent.daemon.wait_for_output("serves http")
        self.keep_asking(("127.0.0.1", int(re.search(r":(\d+)/metrics", line)[1])),
                         b"/healthz")
