"""Clients that mean ill, or only too much, and what a server has of them."""
import json
import pathlib
import random
import re
import socket
import threading
import time
import uuid

from .case import SystemTest
from .keystone import Keystone
from .placement import start_placement

HEADERS = "Host: localhost\r\nOpenStack-API-Version: placement 1.39\r\n"


def address_of(url):
    host, port = re.search(r"//([^/]*):(\d+)", url).groups()
    return host, int(port)


def memory_kib(pid, field="VmHWM"):
    """What it has at most had in memory; with VmRSS: what it has."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", status)[1])


def request_text(method, path, body=None, token="admin", headers=""):
    text = b"" if body is None else json.dumps(body).encode()
    kind = "" if body is None else "Content-Type: application/json\r\n"
    return (f"{method} {path} HTTP/1.1\r\n{HEADERS}X-Auth-Token: {token}\r\n{headers}{kind}"
            f"Content-Length: {len(text)}\r\n\r\n").encode() + text


class Client:
    """One connection, byte by byte."""

    def __init__(self, address, timeout=60, source="127.0.0.1"):
        self.socket = socket.create_connection(address, timeout, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def is_cut_off(self):
        """The server has closed it; what it sent before is dropped."""
        self.socket.setblocking(False)
        try:
            while self.socket.recv(65536):
                pass
            return True
        except BlockingIOError:
            return False
        except OSError:
            return True

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data

    def receive(self):
        """(status, headers, body)"""
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.more()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in
                   (line.split(": ", 1) for line in lines)}
        length = int(headers.get("content-length", 0))
        parts, have = [self.rest], len(self.rest)
        while have < length:
            parts.append(self.more())
            have += len(parts[-1])
        whole = b"".join(parts)
        body, self.rest = whole[:length], whole[length:]
        return int(first.split()[1]), headers, body

    def ask(self, *words, **more):
        self.send(request_text(*words, **more))
        return self.receive()


def drip(clients, data=b"x"):
    """A little more to each that is still connected; those."""
    left = []
    for client in clients:
        try:
            if not client.is_cut_off():
                client.socket.settimeout(20)
                client.send(data)
                left.append(client)
        except OSError:
            pass
    return left


class Writers:
    """Clients that write again and again, each after a little thought."""

    def __init__(self, address, count, thought, token="admin"):
        self.address, self.thought, self.token = address, thought, token
        self.stopped, self.written, self.failures = threading.Event(), 0, []
        self.threads = [threading.Thread(target=self.write, args=(number,))
                        for number in range(count)]
        for thread in self.threads:
            thread.start()

    def write(self, number):
        chance, path = random.Random(number), f"/resource_providers/{uuid.uuid4()}"
        try:
            client = Client(self.address)
            client.ask("POST", "/resource_providers", token=self.token,
                       body={"name": path, "uuid": path.rsplit("/", 1)[1]})
            turn = 0
            while not self.stopped.wait(chance.uniform(0, self.thought)):
                status, _, _ = client.ask("PUT", path, {"name": f"{path}{turn}"},
                                          token=self.token)
                if status != 200:
                    self.failures.append(status)
                self.written += 1
                turn += 1
        except OSError as error:  # the server ends
            if not self.stopped.is_set():
                self.failures.append(error)

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()


def took(action):
    """(seconds, what it gave)"""
    begin = time.monotonic()
    value = action()
    return time.monotonic() - begin, value


class HostileTest(SystemTest):
    """Has `server` at `address`, once it is started."""

    def serve(self, *options, configuration="", **more):
        folder = self.subdirectory("server")
        (folder / "placementd.conf").write_text(configuration)
        self.server = start_placement(folder, "--config-file", str(folder / "placementd.conf"),
                                      *options, **more)
        self.addCleanup(self.end, self.server)
        self.address = address_of(self.server.url)

    def connect(self, address=None, **more):
        client = Client(address or self.address, **more)
        self.addCleanup(client.close)
        return client


class KeystoneTest(HostileTest):
    """The server asks a Keystone, which knows good0 to good8."""

    def setUp(self):
        super().setUp()
        self.keystone = Keystone()
        self.addCleanup(self.keystone.stop)
        self.keystone.users = {f"good{number}": (["admin"], 600) for number in range(9)}

    def serve(self, *options, configuration="", **more):
        super().serve(*options, configuration=self.keystone.configuration() + configuration,
                      **more)
