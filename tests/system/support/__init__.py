"""What the system tests are made with: the real programs, started and stopped.

    class Guide(SystemTest):
        def test_sync(self):
            host = self.start_host("nova-guide")
            placement = self.start_placement()
            agent = self.make_agent(host, placement, {...})
            agent.run("sync")

Everything that a test starts is stopped at its end, whatever the end. A test never
sleeps for a fixed time: it waits for a condition with wait_for().
"""
from .case import SystemTest
from .process import wait_for

__all__ = ["SystemTest", "wait_for"]
