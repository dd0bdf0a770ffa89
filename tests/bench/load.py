"""What the servers are filled with: lists of requests, and clients that send them.

A chain is what must be sent in order: all requests of one compute node, in which each
write names the generation that the one before it left. Identifiers are computed from
names, so that both servers hold the same.
"""
import collections
import json
import socket
import threading
import urllib.parse
import uuid

MICROVERSION = "1.39"
AGGREGATE = str(uuid.uuid5(uuid.NAMESPACE_URL, "bench/aggregate"))
EVEN, ODD, RARE = "CUSTOM_NVIDIA_35", "CUSTOM_NVIDIA_36", "CUSTOM_BENCH_RARE"
GPUS = 8  # of a compute node
ATTEMPTS = 50

Request = collections.namedtuple("Request", "method path body")


class Connection:
    """Sends requests one by one, on one connection for as long as the server keeps it.
    Costs a few dozen microseconds a request, a fifth of http.client."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.address = parts.hostname, parts.port
        self.socket = None
        self.head = (f"Host: {parts.netloc}\r\nX-Auth-Token: admin\r\n"
                     "Accept: application/json\r\n"
                     f"OpenStack-API-Version: placement {MICROVERSION}\r\n")

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def send(self, method, path, body=None):
        """(status, body)"""
        text = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\n{self.head}"
        if body is not None:
            head += ("Content-Type: application/json\r\n"
                     f"Content-Length: {len(text)}\r\n")
        if not self.socket:
            self.socket = socket.create_connection(self.address, timeout=600)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(head.encode() + b"\r\n" + text)
        return self.receive()

    def receive(self):
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self.more()
        lines = data[:end].lower().split(b"\r\n")
        headers = dict(line.split(b": ", 1) for line in lines[1:])
        body = [data[end + 4:]]
        left = int(headers.get(b"content-length", 0)) - len(body[0])
        while left > 0:
            body.append(self.more())
            left -= len(body[-1])
        if headers.get(b"connection") == b"close":
            self.close()
        return int(lines[0].split()[1]), b"".join(body)

    def more(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the server closed the connection early")
        return data

    def expect(self, request):
        """The body. OpenStack's database gives up one of two writers that wait for each
        other: such a write is sent again."""
        for attempt in range(ATTEMPTS):
            status, body = self.send(*request)
            if status != 500:
                break
        # A failed attempt may have been written after all.
        if status >= 300 and not (attempt and status == 409):
            raise RuntimeError(f"{request.method} {request.path}: {status} "
                               f"{body[:300].decode(errors='replace')}")
        return body


def identifier(*words):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "bench/" + "/".join(map(str, words))))


def provider(name, parent=None, traits=(), aggregates=(), **inventories):
    """The requests that make one."""
    ident = identifier(name)
    body = {"name": name, "uuid": ident}
    if parent:
        body["parent_provider_uuid"] = identifier(parent)
    yield Request("POST", "/resource_providers", body)
    path = f"/resource_providers/{ident}"
    yield Request("PUT", f"{path}/inventories", {
        "resource_provider_generation": 0, "inventories": inventories})
    generation = 1
    if aggregates:
        yield Request("PUT", f"{path}/aggregates", {
            "resource_provider_generation": generation, "aggregates": aggregates})
        generation += 1
    if traits:
        yield Request("PUT", f"{path}/traits", {
            "resource_provider_generation": generation, "traits": traits})


# No cloud is so small that a run's allocations fill it.
HOST = {"VCPU": {"total": 64, "allocation_ratio": 1e6},
        "MEMORY_MB": {"total": 1 << 30}, "DISK_GB": {"total": 1 << 30}}


def flat_node(number):
    """A compute node without GPUs, in the aggregate of all and in one of ten."""
    return list(provider(
        f"flat{number}", traits=["HW_CPU_X86_AVX2", "HW_CPU_X86_SSE2", "COMPUTE_NODE"],
        aggregates=[AGGREGATE, identifier("aggregate", number % 10)], **HOST))


def gpu_name(number, gpu):
    return f"node{number}_pci_0000_{0x84 + gpu:02x}_00_0"


def gpu_host(number):
    """A compute node whose GPUs are not reported yet."""
    return list(provider(f"node{number}", traits=["COMPUTE_NODE", "HW_CPU_X86_AVX2"], **HOST))


def gpu_node(number, rare=False):
    """A compute node with its GPUs, of two types in turn. `rare`: the last has the
    trait that no other need have."""
    node = f"node{number}"
    chain = gpu_host(number)
    for gpu in range(GPUS):
        traits = [ODD if gpu % 2 else EVEN]
        if rare and gpu == GPUS - 1:
            traits.append(RARE)
        chain += provider(gpu_name(number, gpu), node, traits,
                          VGPU={"total": 1 << 20, "max_unit": 1000})
    return chain


def wide_tree(children=64):
    """One root with many children that are all alike."""
    chain = list(provider("wide", **HOST))
    for child in range(children):
        chain += provider(f"wide{child}", "wide", ["CUSTOM_BENCH_WIDE"],
                          VGPU={"total": 8})
    return chain


def traits():
    return [Request("PUT", f"/traits/{name}", None)
            for name in (EVEN, ODD, RARE, "CUSTOM_BENCH_WIDE")]


def send_all(url, chains, clients):
    """Sends the chains with as many clients; the number of requests."""
    waiting, lock, errors, counts = iter(chains), threading.Lock(), [], []

    def client():
        connection, count = Connection(url), 0
        try:
            while not errors:
                with lock:
                    chain = next(waiting, None)
                if chain is None:
                    break
                for request in chain:
                    connection.expect(request)
                    count += 1
        except Exception as error:  # is raised below, in the caller's thread
            errors.append(error)
        finally:
            connection.close()
            counts.append(count)

    threads = [threading.Thread(target=client, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return sum(counts)
