"""The libvirt of attach.py: a played one (support/libvirt.py) on a simulated host, that writes down what must never be:
a device in two domains, one that is given to a guest and is not there, one that is removed while a guest has it or an
attach of it is under way. What it sees it keeps in `broken`; complain() raises the first."""
import threading
import time

from support.hostdev import address_of
from support.libvirt import ATTACH, DEVICE_ADDED, DEVICE_REMOVED, RESTORED, STARTED, FakeLibvirt, Refused

from .wrong import Wrong


class Absent:
    """The devices that a host does not have, as far as anybody asks."""

    def __init__(self, host):
        self.host = host

    def __contains__(self, device):
        return not self.host.device(device).exists()


class WatchedLibvirt(FakeLibvirt):
    def __init__(self, directory, host_root, host):
        self.host, self.broken = host, []
        self.holds = {}  # device: {who: since which store}
        self.held = []  # (device, who, first store, one behind the last) of the past
        self.judged = 0  # stores
        self.spoils = None  # a planted fault: it changes (uuid, xml) of an attach; None: it is not done
        self.holding = threading.Lock()
        self.attached_at = {}  # device: when a domain got it last
        super().__init__(directory, host_root)
        self.missing = Absent(host)

    # ---- who holds what ----

    def hold(self, who, devices):
        """From now on these and no others."""
        position = len(self.host.stores())
        with self.holding:
            for device, since in self.holds.items():
                if who in since and device not in devices:
                    self.held.append((device, who, since.pop(who), position))
            for device in devices:
                self.holds.setdefault(device, {}).setdefault(who, position)

    def keep_files(self, domain):
        known = domain.uuid in self.domains
        named = {*domain.configured, *domain.live} if known else set()
        self.hold(f"domain {domain.uuid}", named)
        super().keep_files(domain)
        for other in self.domains.values():
            for device in named & {*other.configured, *other.live} if other is not domain else ():
                self.broken.append(Wrong("two", f"{device} is in the domains {domain.uuid} and {other.uuid}"))

    def answer(self, connection, call):
        if call.name != ATTACH:
            super().answer(connection, call)
            return
        who = f"attach {call.connection} {call.began} for {call.arguments[0]}"
        self.hold(who, {address_of(call.arguments[1])})
        try:
            super().answer(connection, call)
        finally:
            self.hold(who, ())

    def do_attach(self, uuid, xml, flags):
        device = address_of(xml)
        if uuid in self.domains and device in self.missing:
            self.broken.append(Wrong("absent", f"{device} is given to {uuid}, and is not there"))
        if self.spoils:
            xml = self.spoils(uuid, xml)
        done = super().do_attach(uuid, xml, flags) if xml else ()
        self.attached_at[device] = time.monotonic()
        return done

    def complain(self):
        stores = self.host.stores()
        with self.holding:
            intervals = [*self.held, *((device, who, first, len(stores)) for device, holders in self.holds.items()
                                       for who, first in holders.items())]
        for position in range(self.judged, len(stores)):
            parts = stores[position]["path"].strip("/").split("/")
            if parts[-1] != "remove" or stores[position]["result"] != "OK":
                continue
            for device, who, first, end in intervals:
                if device == parts[-2] and first <= position < end:
                    raise Wrong("removed", f"{device} is removed, which {who} has")
        self.judged = len(stores)
        if self.broken:
            raise self.broken[0]

    # ---- Nova's suspend and resume ----

    def detach_live(self, uuid, keeps):
        """Before a guest is saved; `keeps`: the configuration does."""
        with self.changed:
            domain = self.domains[uuid]
            for device in list(domain.live):
                del domain.live[device]
                domain.ports += 1
                if not keeps:
                    domain.configured.pop(device, None)
                self.keep_files(domain)
                self.tell_device(domain, DEVICE_REMOVED, "hostdev0")

    def restore(self, uuid):
        """It runs as it was saved: without devices."""
        with self.changed:
            domain = self.domains[uuid]
            domain.id, self.next_id = self.next_id, self.next_id + 1
            domain.live = {}
            self.keep_files(domain)
            self.tell(domain, STARTED, RESTORED)

    def attach_back(self, uuid, xml):
        """Nova's own attach after it; it fails where the device is there already."""
        with self.changed:
            domain, device = self.domains[uuid], address_of(xml)
            try:
                self.check_pluggable(domain, device)
            except Refused as refused:
                raise Wrong("resume", f"Nova cannot attach {device} to {uuid} again: {refused}") from None
            domain.live[device] = xml
            domain.ports -= 1
            self.keep_files(domain)
            self.tell_device(domain, DEVICE_ADDED, "hostdev0")
