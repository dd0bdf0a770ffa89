"""A cloud in bad weather: now and then everything fails that can fail, until it is told to
end. What the agent makes of it is seen by judge.py."""
import random

from .answers import ANSWERS, ENDLESS
from .cloud import SRIOV, VIRTUAL_FUNCTIONS, Cloud
from .placement import own_placement
from .relay import CUT, STALL

CREATE_ERRNOS = ("EINVAL", "EEXIST", "ENOSPC", "EIO", "ENOMEM", "EBUSY", "ETIMEDOUT")
REMOVE_ERRNOS = ("EBUSY", "EAGAIN", "ENODEV", "EIO")
# Those that are over at once.
BAD_ANSWERS = [answer for name, answer in ANSWERS.items()
               if name not in ENDLESS and "large" not in name]


class Storm(Cloud):
    def build_storm(self, seed, valgrind):
        self.build_cloud(seed, valgrind)
        if not self.placement.is_own:
            self.skipTest("it restarts its Placement")
        self.relay_rng = random.Random(seed + 1)
        self.clear_network()

    # ---- the kernel and its cards ----

    def kernel_fails(self):
        what, names = self.rng.choice((("create", CREATE_ERRNOS), ("remove", REMOVE_ERRNOS)))
        self.host.control(f"fail {what} {self.rng.choice(names)} {self.how_often()}")
        self.faults["kernel"] = self.clear_kernel

    def kernel_is_slow(self):
        what = self.rng.choice(("create", "unlink", "remove"))
        self.host.control(f"delay {what} {self.rng.randint(5, 60)} {self.how_often()}")
        self.faults["kernel"] = self.clear_kernel

    def kernel_blocks(self):
        what = self.rng.choice(("create", "unlink", "remove"))
        self.host.control(f"block {what} on {self.any_card()}")
        self.faults["kernel"] = self.clear_kernel

    def how_often(self):
        often = self.rng.choice(("every", "nth 1", "nth 2", "nth 3"))
        return f"{often} on {self.any_card()}" if self.rng.random() < 0.7 else often

    def clear_kernel(self):
        self.host.control("clear")

    def hold(self):
        """A guest that the agent cannot see: a removal of its device blocks."""
        device = self.any_of(self.host.mdevs())
        if device and self.host.try_to(f"hold {device}") == "OK":
            # It may be lost by then.
            self.faults[f"held {device}"] = lambda: self.host.try_to(f"unhold {device}")

    def free_kernel(self):
        """What takes cards away waits for whoever is at work on them."""
        for name in list(self.faults):
            if name in ("kernel", "hanging") or name.startswith("held"):
                self.faults.pop(name)()

    def lose_card(self):
        card = self.any_card()
        self.host.control(f"lose {card}")
        self.faults[f"lost {card}"] = lambda: self.host.control(f"restore {card}")

    def unplug(self):
        card = self.any_card()
        self.free_kernel()
        # It may be unplugged already.
        self.host.try_to(f"unplug {card}")
        self.lose_foreign(card)
        self.faults["unplugged"] = self.plug_in

    def plug_in(self):
        self.host.control("rescan")
        self.switch_functions_on()

    def switch_functions_on(self):
        """As the vendor's service does, if they are off."""
        self.host.try_to(f"numvfs {SRIOV} {VIRTUAL_FUNCTIONS}")

    def unbind(self):
        card = self.any_card()
        self.free_kernel()
        self.host.try_to(f"unbind {card}")
        self.lose_foreign(card)

        def bind():
            self.host.try_to(f"bind {card}")
            self.switch_functions_on()
        self.faults[f"unbound {card}"] = bind

    def virtual_functions_go(self):
        self.free_kernel()
        self.host.try_to(f"numvfs {SRIOV} 0")
        self.lose_foreign(SRIOV)
        self.faults["unplugged"] = self.plug_in

    def unreadable(self):
        word, card = self.rng.choice(("unreadable", "hide")), self.any_card()
        file = self.rng.choice(("available_instances", "description", "config", "mdev_type"))
        self.host.control(f"{word} *{card}*/{file}")
        self.faults["unreadable"] = lambda: self.host.control("show")

    def file_hangs(self):
        file = self.rng.choice(("available_instances", "description", "config"))
        self.host.control(f"hang *{self.any_card()}*/{file}")
        self.faults["hanging"] = lambda: self.host.control("show")

    # ---- the network ----

    def weather(self, _):
        """Of the relay, in its threads."""
        if self.relay_rng.random() >= self.bad_answers:
            return None
        return self.relay_rng.choice(BAD_ANSWERS)

    def answers_are_bad(self):
        self.bad_answers = self.rng.choice((0.05, 0.2, 0.5))
        self.faults["network"] = self.clear_network

    def placement_is_away(self):
        self.relay.rule = lambda request: CUT
        self.faults["network"] = self.clear_network

    def placement_is_silent(self):
        self.relay.rule = lambda request: STALL
        self.run_cycle()
        self.clear_network()

    def clear_network(self):
        self.bad_answers = 0.0  # how many
        self.relay.rule = self.weather

    # ---- restarts ----

    def end_daemon(self, crash=False):
        self.cycles_before += self.daemon.cycles
        if crash and not self.valgrind:
            self.daemon.kill()
        else:
            status = self.daemon.stop()
            self.check_reports()
            self.assertEqual(status, 0)

    def restart(self):
        if self.rng.random() < 0.5:
            self.daemon.poke()  # in the middle of something
        self.end_daemon(crash=self.rng.random() < 0.6)
        self.start_daemon()

    def restart_placement(self):
        process = self.placement.process
        if self.rng.random() < 0.5:
            process.kill()
        else:
            self.assertEqual(process.stop(), 0)
        process.log.unlink()
        again = own_placement(process.log.parent)
        self.placement.url, self.placement.process = again.url, again.process

    def reboot(self):
        self.end_daemon(crash=self.rng.random() < 0.5)
        for name in list(self.faults):
            if name not in ("network", "drained"):
                del self.faults[name]
        self.removals.begin_anew()
        self.host.reboot()
        self.lose_foreign(None)
        self.close_groups()
        for consumer, file in list(self.guests.items()):
            if "run" in file.parts:
                self.end_guest(consumer)
        if self.rng.random() < 0.5:
            self.agent.try_to("restore")
        self.start_daemon()

    def check_reports(self):
        """Of sanitizers, also on the children that nobody hears."""
        for file in self.directory.glob("report.*"):
            self.fail(file.read_text(errors="replace"))

    # ---- the end of it ----

    def mend_one(self):
        name = self.any_of(self.faults)
        if name:
            self.faults.pop(name)()

    def mend_all(self):
        while self.faults:
            self.faults.popitem()[1]()
        self.close_groups()
        for consumer in set(self.guests) - set(self.live):
            self.end_guest(consumer)


TROUBLE = {
    Storm.kernel_fails: 6, Storm.kernel_is_slow: 4, Storm.kernel_blocks: 0.3,
    Storm.hold: 0.3, Storm.lose_card: 2, Storm.unplug: 1, Storm.unbind: 1,
    Storm.virtual_functions_go: 1, Storm.unreadable: 2, Storm.file_hangs: 0.2,
    Storm.answers_are_bad: 5, Storm.placement_is_away: 1, Storm.placement_is_silent: 0.1,
}
RESTARTS = {Storm.restart: 3, Storm.restart_placement: 1, Storm.reboot: 0.7}
