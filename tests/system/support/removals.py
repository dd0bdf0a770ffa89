"""What may not be taken away meanwhile: a device has the same uuid when it is made again, so
that what comes out in the end does not tell of it."""
import collections

CYCLES = 2  # that end until the agent has seen a new guest for sure


class Removals:
    """Of devices on a simulated host, by the agent: each attempt counts."""

    def __init__(self, host):
        self.host = host
        self.others = collections.Counter()  # attempts that are not the agent's
        self.new, self.guests = {}, {}  # {guest: [cycles, devices]}, {guest: {device: attempts}}
        self.promised = {}  # {device: consumer}, until its allocation changes

    def attempts(self):
        found = collections.Counter(
            store["path"].split("/")[-2] for store in self.host.stores()
            if store["path"].endswith("/remove"))
        found.subtract(self.others)
        return found

    def guest_begins(self, guest, devices):
        self.new[guest] = [CYCLES, devices]

    def guest_ends(self, guest):
        self.check_guests([guest])
        self.new.pop(guest, None)
        self.guests.pop(guest, None)

    def cycle_ends(self):
        for guest, (cycles, devices) in list(self.new.items()):
            self.new[guest][0] -= 1
            if cycles == 1:
                del self.new[guest]
                attempts = self.attempts()
                self.guests[guest] = {device: attempts[device] for device in devices}

    def promise(self, given):
        self.promised = dict(given)

    def changes(self, consumer):
        self.promised = {d: c for d, c in self.promised.items() if c != consumer}

    def check_guests(self, guests):
        if not set(guests) & set(self.guests):
            return
        attempts = self.attempts()
        for guest in set(guests) & set(self.guests):
            now = {device: attempts[device] for device in self.guests[guest]}
            if now != self.guests[guest]:
                raise AssertionError(f"the guest {guest} has devices that were to be removed: "
                                     f"{self.guests[guest]}, then {now}")

    def begin_anew(self):
        """Before the host forgets what was stored."""
        self.check_guests(self.guests)
        attempts = self.attempts()
        taken = {d: c for d, c in self.promised.items() if attempts[d]}
        if taken:
            raise AssertionError(f"these were to be removed, though nobody gave them back: {taken}")
        self.others.clear()
        for devices in self.guests.values():
            devices.update(dict.fromkeys(devices, 0))
