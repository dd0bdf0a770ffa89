"""A host with a card of each kind: they do not cost a request more than one."""
import re
import urllib.request

from support import wait_for
from support.all_kinds import CARDS, HOST, provider_name, resource, sections
from support.fleet import FleetTest, new_uuid


class AllKinds(FleetTest):
    def setUp(self):
        super().setUp()
        self.build(HOST, sections(), listen="0", sync_interval=1)
        # The A100's instances, as its driver shows them.
        driver = self.agent.host_root / "proc/driver/nvidia"
        (driver / "gpus/0000:42:00.0").mkdir(parents=True)
        (driver / "gpus/0000:42:00.0/information").write_text("Device Minor: \t 0\n")
        for number in (1, 2, 3):
            (driver / f"capabilities/gpu0/mig/gi{number}").mkdir(parents=True)
        self.agent.run("sync")

    def counts(self):
        """Cycles and requests so far, as of one moment between two cycles."""
        with urllib.request.urlopen(self.url, timeout=20) as answer:
            lines = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines()
                         if not line.startswith("#"))
        return int(lines["vgpu_agent_cycle_seconds_count"]), int(lines["vgpu_agent_requests_total"])

    def counts_after(self, cycles):
        return wait_for(lambda: (found := self.counts())[0] >= cycles and found, f"{cycles} cycles")

    def test_an_idle_cycle_is_one_request(self):
        tree = self.placement.tree(self.placement.provider(self.root_name)["uuid"])
        consumers = set()
        for name in CARDS:
            consumer = new_uuid()
            provider = tree[provider_name(self.root_name, name)]["uuid"]
            self.placement.allocate(consumer, {provider: {resource(name): 1}})
            self.addCleanup(self.forget, consumer)
            consumers.add(consumer)
        line = self.agent.start().wait_for_output("serves http")
        self.url = re.search(r"http://\S+/metrics", line).group(0)
        self.agent.settle()
        self.assertEqual(self.states(), {consumer: ["ready"] for consumer in consumers})
        # A cycle that was under way, and then ten: the turn through all providers.
        cycles, _ = self.counts()
        first = self.counts_after(cycles + 2)
        last = self.counts_after(first[0] + 10)
        self.assertEqual(last[1] - first[1], last[0] - first[0])
