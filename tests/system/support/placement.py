"""Placement over HTTP, and placementd."""
import http.client
import json
import os
import re
import urllib.parse
import uuid

from .process import Process, program

MICROVERSION = "1.39"


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Placement:
    """A server at `url`; `process` is ours to stop, or None."""

    def __init__(self, url, token="admin", process=None):
        self.url, self.token, self.process = url.rstrip("/"), token, process

    @property
    def is_own(self):
        return self.process is not None

    def stop(self):
        if self.process:
            return self.process.stop()
        return 0

    def connect(self, host, port):
        return http.client.HTTPConnection(host, port, timeout=30)

    def request(self, method, path, body=None, microversion=MICROVERSION):
        headers = {"X-Auth-Token": self.token, "Accept": "application/json",
                   "OpenStack-API-Version": f"placement {microversion}"}
        text = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            text = json.dumps(body)
        return self.exchange(method, path, text, headers)

    def exchange(self, method, path, text, headers):
        """On a connection of its own."""
        parts = urllib.parse.urlsplit(self.url)
        connection = self.connect(parts.hostname, parts.port)
        try:
            connection.request(method, parts.path + path, text, headers)
            answer = connection.getresponse()
            return Response(answer.status, answer.headers, answer.read().decode())
        finally:
            connection.close()

    def expect(self, status, method, path, body=None, microversion=MICROVERSION):
        """A request that must end in `status` (a number or several)."""
        response = self.request(method, path, body, microversion)
        expected = status if isinstance(status, tuple) else (status,)
        if response.status not in expected:
            raise AssertionError(
                f"{method} {path}: {response.status}, not {status}: {response.body}")
        return response

    def get(self, path):
        return self.expect(200, "GET", path).json()

    def name(self, name):
        """A provider's name for this test alone, where the server is shared."""
        return name if self.is_own else f"{uuid.uuid4().hex[:8]}.{name}"

    # What tests ask for most.

    def create_provider(self, name, provider_uuid, parent=None):
        body = {"name": name, "uuid": provider_uuid}
        if parent:
            body["parent_provider_uuid"] = parent
        return self.expect(200, "POST", "/resource_providers", body).json()

    def provider(self, name):
        """The provider of that name, or None."""
        query = urllib.parse.urlencode({"name": name})
        found = self.get(f"/resource_providers?{query}")["resource_providers"]
        return found[0] if found else None

    def tree(self, root_uuid):
        """name: provider, of the whole tree."""
        found = self.get(f"/resource_providers?in_tree={root_uuid}")["resource_providers"]
        return {provider["name"]: provider for provider in found}

    def inventories(self, provider):
        return self.get(f"/resource_providers/{provider}/inventories")["inventories"]

    def traits(self, provider):
        return set(self.get(f"/resource_providers/{provider}/traits")["traits"])

    def set_traits(self, provider, traits):
        generation = self.get(f"/resource_providers/{provider}")["generation"]
        self.expect(200, "PUT", f"/resource_providers/{provider}/traits",
                    {"resource_provider_generation": generation,
                     "traits": sorted(traits)})

    def allocate(self, consumer, resources, generation=None):
        """`resources`: {provider uuid: {"VGPU": 1}}; the consumer's whole allocation."""
        self.expect(204, "PUT", f"/allocations/{consumer}", {
            "allocations": {provider: {"resources": wanted}
                            for provider, wanted in resources.items()},
            "project_id": "5a5a5a5a-0000-4000-8000-000000000001",
            "user_id": "5a5a5a5a-0000-4000-8000-000000000002",
            "consumer_generation": generation, "consumer_type": "INSTANCE"})

    def set_inventories(self, provider, inventories):
        """The whole set: {class: {"total": ...}}."""
        generation = self.get(f"/resource_providers/{provider}")["generation"]
        self.expect(200, "PUT", f"/resource_providers/{provider}/inventories",
                    {"resource_provider_generation": generation,
                     "inventories": inventories})

    def deallocate(self, consumer):
        self.expect(204, "DELETE", f"/allocations/{consumer}")


def own_placement(directory, **more):
    """A new placementd that believes everybody."""
    return start_placement(directory, "--auth", "noauth2", **more)


def start_placement(directory, *options, binary=None, **more):
    """A new placementd on a port that the kernel chooses; `more` is for Process. `binary`:
    another program than the one that was built."""
    process = Process([binary or program("placementd"), "--listen", "127.0.0.1:0", "--database",
                       str(directory / "placement.sqlite"), *options],
                      directory / "placementd.log", **more)
    line = process.wait_for_output("listening on 127.0.0.1:")
    address = re.search(r"127\.0\.0\.1:[0-9]+", line).group()
    return Placement(f"http://{address}", process=process)


def running_placement():
    url = os.environ.get("PLACEMENT_URL")
    return Placement(url, os.environ.get("PLACEMENT_TOKEN", "admin")) if url else None
