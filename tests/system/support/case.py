"""The base of all system tests."""
import pathlib
import shutil
import tempfile
import unittest

from .agent import Agent
from .host import SimulatedHost, fuse_missing
from .placement import own_placement, running_placement
from .relay import Relay


class SystemTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="vgpu-test-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def start_host(self, description):
        """A simulated host; skips the test where there is no FUSE."""
        missing = fuse_missing()
        if missing:
            self.skipTest(missing)
        host = self.make_host(description, self.subdirectory("host"))
        self.addCleanup(self.end, host)
        return host

    def make_host(self, description, directory):
        """Of the kind that the test is about."""
        return SimulatedHost(description, directory)

    def start_placement(self):
        """A Placement: the one that runs already, or a new placementd."""
        placement = running_placement()
        if placement:
            return placement
        placement = own_placement(self.subdirectory("placement"))
        self.addCleanup(self.end, placement)
        return placement

    def start_relay(self, placement):
        """Stands before `placement`: counts requests, breaks some."""
        relay = Relay(placement)
        self.addCleanup(relay.stop)
        return relay

    def make_agent(self, host, placement, configuration):
        """See support/agent.py. Nothing is started yet."""
        agent = Agent(self.subdirectory("agent"), host, placement, configuration)
        self.addCleanup(self.end, agent)
        return agent

    def end(self, thing):
        """Sanitizers tell of leaks at the end, with the exit status."""
        self.assertEqual(thing.stop(), 0, f"how {type(thing).__name__} ended")

    def subdirectory(self, name):
        directory = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.directory))
        return directory
