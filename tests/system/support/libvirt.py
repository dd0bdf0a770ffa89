"""A libvirt without libvirtd, QEMU and devices, for programs that are preloaded with fake_libvirt.so.

It has domains as libvirt has them (a configuration, and while they run what they run with), tells of them by events,
writes them to the files that libvirt keeps below a host's root, and does to its callers what libvirtd does: makes them
wait, refuses, hangs, dies. Facts are of libvirt 9.0."""
import pathlib
import socket
import struct
import threading
import time

from .files import replace
from .hostdev import address_of
from .process import preloaded

LIVE, CONFIG = 1, 2  # VIR_DOMAIN_AFFECT_*
INACTIVE = 2  # VIR_DOMAIN_XML_INACTIVE
# virErrorNumber
INTERNAL_ERROR, NO_DOMAIN, OPERATION_INVALID, OPERATION_TIMEOUT, DEVICE_MISSING = 1, 42, 55, 68, 99
FROM_QEMU = 10
# virDomainEventID
LIFECYCLE, DEVICE_REMOVED, DEVICE_ADDED, DEVICE_REMOVAL_FAILED = 0, 15, 19, 22
# virDomainEventType
DEFINED, UNDEFINED, STARTED, SUSPENDED, RESUMED, STOPPED, SHUTDOWN = range(7)
# virDomainEventStartedDetailType
BOOTED, MIGRATED, RESTORED, FROM_SNAPSHOT = range(4)
# virConnectCloseReason
CLOSED_ERROR, CLOSED_EOF, CLOSED_KEEPALIVE = range(3)

KEEPALIVE = "virConnectSetKeepAlive"
ATTACH, DETACH = "virDomainAttachDeviceFlags", "virDomainDetachDeviceFlags"


class Refused(Exception):
    """An error of libvirt's: code and message."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Domain:
    def __init__(self, uuid, name, devices, ports):
        self.uuid, self.name = uuid, name
        self.id = -1  # it does not run
        self.persistent = True
        self.configured = {address_of(xml): xml for xml in devices}
        self.live = {}
        self.ports = ports  # free ones, for devices that are plugged in while it runs
        self.starting = False  # calls that change it wait
        self.keeps = set()  # addresses that the guest does not let go

    def runs(self):
        return self.id >= 0

    def xml(self, live):
        number = f" id='{self.id}'" if live else ""
        devices = "".join((self.live if live else self.configured).values())
        return (f"<domain type='qemu'{number}><name>{self.name}</name><uuid>{self.uuid}</uuid>"
                f"<devices>{devices}</devices></domain>")


class Call:
    """What the program asked: name, arguments, when it came, when it was answered (None: not yet), how."""

    def __init__(self, name, arguments, connection):
        self.name, self.arguments, self.connection = name, arguments, connection
        self.began, self.ended, self.refused = time.monotonic(), None, None

    def is_about(self, uuid):
        return bool(self.arguments) and self.arguments[0] == uuid

    def __repr__(self):
        end = "under way" if self.ended is None else f"{self.ended - self.began:.3f} s"
        return f"<{self.name} {self.arguments} connection {self.connection}, {end}, {self.refused or 'ok'}>"


class Rule:
    """What happens to calls of one name, about one domain or any: they wait until open(), or are refused."""

    def __init__(self, fake, name, uuid, times, refusal, passing=0):
        self.fake, self.name, self.uuid = fake, name, uuid
        self.times, self.refusal = times, refusal
        self.met, self.passing = 0, passing
        self.closed = refusal is None

    def fits(self, call):
        if call.name != self.name or not (self.uuid is None or call.is_about(self.uuid)):
            return False
        self.passing -= 1
        return self.passing < 0 and (self.times is None or self.met < self.times)

    def open(self):
        with self.fake.changed:
            self.closed, self.times = False, 0
            self.fake.changed.notify_all()


class FakeLibvirt:
    """`host_root`: where the files of the domains and the socket are to be, if anywhere. All methods may be called
    from the test's thread; the program's calls are answered by others."""

    def __init__(self, directory, host_root=None):
        self.host_root = pathlib.Path(host_root) if host_root else None
        self.folder = self.host_root / "run/libvirt" if host_root else pathlib.Path(directory)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = self.folder / "libvirt-sock"
        self.changed = threading.Condition()
        self.domains, self.calls, self.rules = {}, [], []
        self.connections, self.event_sockets = {}, []
        self.listener, self.hangs, self.next_id, self.numbers = None, False, 1, 0
        self.missing = set()  # devices that the host does not have
        self.meanwhile = {}  # name of a call: what happens after its answer is known and before it is sent, once
        self.start_server()

    def environment(self, **variables):
        """For programs that are to have this libvirt."""
        return preloaded("fake_libvirt", FAKE_LIBVIRT=str(self.path), **variables)

    # ---- libvirtd's life ----

    def start_server(self):
        """After kill_server(): guests and their devices have survived."""
        self.path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(64)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def kill_server(self):
        """As kill -9: whoever was connected sees the end, and calls under way are not carried out any more."""
        with self.changed:
            listener, self.listener = self.listener, None
            # It wakes accept(), too.
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            self.path.unlink()
            self.close_connections()
            self.changed.notify_all()

    def close_connections(self):
        for number in list(self.connections):
            self.cut(self.connections.pop(number))
        for connection in self.event_sockets:
            self.cut(connection)
        self.event_sockets = []

    @staticmethod
    def cut(connection):
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the program closed it already

    def hang(self):
        """As SIGSTOP: connections are accepted by the kernel, and nothing is answered."""
        with self.changed:
            self.hangs = True

    def go_on(self):
        """As SIGCONT: what was asked meanwhile is done, also for those who do not wait for it any more."""
        with self.changed:
            self.hangs = False
            self.changed.notify_all()

    def keepalive_ends(self):
        """The program's keepalive has had no answer: its calls return, and the close callback is called. Connections
        that are still being opened have none."""
        with self.changed:
            for connection in self.event_sockets:
                self.push(connection, "close", CLOSED_KEEPALIVE)
            self.event_sockets = []
            for number in {call.connection for call in self.calls if call.name == KEEPALIVE and call.ended}:
                if number in self.connections:
                    self.cut(self.connections.pop(number))

    def stop(self):
        if self.listener:
            self.kill_server()
        self.go_on()
        for rule in self.rules:
            rule.open()
        return 0

    # ---- domains ----

    def define(self, uuid, name=None, devices=(), ports=8):
        """As virDomainDefineXML: the new configuration has these devices only. A running guest keeps its own."""
        with self.changed:
            old = self.domains.get(uuid)
            domain = Domain(uuid, name or f"instance-{uuid[:8]}", devices, ports)
            if old:
                old.configured, old.persistent = domain.configured, True
                domain = old
            self.domains[uuid] = domain
            self.keep_files(domain)
            self.tell(domain, DEFINED, 1 if old else 0)
        return domain

    def begin_start(self, uuid):
        """As virDomainCreate: it runs with what is configured now; calls that change it wait for end_start()."""
        with self.changed:
            domain = self.domains[uuid]
            for address in domain.configured:
                if address in self.missing:
                    raise Refused(DEVICE_MISSING, f"device not found: mediated device '{address}' not found")
            domain.id, self.next_id = self.next_id, self.next_id + 1
            domain.live, domain.starting = dict(domain.configured), True
            self.keep_files(domain)

    def end_start(self, uuid, detail=BOOTED):
        with self.changed:
            domain = self.domains[uuid]
            domain.starting = False
            self.tell(domain, STARTED, detail)
            self.changed.notify_all()

    def start(self, uuid, detail=BOOTED):
        self.begin_start(uuid)
        self.end_start(uuid, detail)

    def create_transient(self, uuid, devices=()):
        """As virDomainCreateXML: it has no configuration, and is gone when it stops."""
        with self.changed:
            domain = Domain(uuid, f"instance-{uuid[:8]}", [], 8)
            domain.live = {address_of(xml): xml for xml in devices}
            domain.persistent = False
            domain.id, self.next_id = self.next_id, self.next_id + 1
            self.domains[uuid] = domain
            self.keep_files(domain)
            self.tell(domain, STARTED, BOOTED)

    def stop_domain(self, uuid):
        with self.changed:
            domain = self.domains[uuid]
            domain.id, domain.live = -1, {}
            self.tell(domain, STOPPED, 1)
            if not domain.persistent:
                del self.domains[uuid]
            self.keep_files(domain)

    def undefine(self, uuid):
        with self.changed:
            domain = self.domains[uuid]
            domain.persistent, domain.configured = False, {}
            if not domain.runs():
                del self.domains[uuid]
            self.keep_files(domain)
            self.tell(domain, UNDEFINED, 0)

    def plug_out(self, uuid, address):
        """As Nova's detach before it suspends: live and configured."""
        with self.changed:
            domain = self.domains[uuid]
            domain.live.pop(address)
            domain.configured.pop(address, None)
            self.keep_files(domain)
            self.tell_device(domain, DEVICE_REMOVED, "hostdev0")

    def tell(self, domain, event, detail):
        """One lifecycle event."""
        with self.changed:
            self.publish(LIFECYCLE, domain.uuid, domain.name, event, detail)

    def tell_device(self, domain, kind, alias):
        with self.changed:
            self.publish(kind, domain.uuid, domain.name, alias)

    def keep_files(self, domain):
        """As libvirt has them on disk."""
        if not self.host_root:
            return
        known = domain.uuid in self.domains
        self.keep_file(self.host_root / f"etc/libvirt/qemu/{domain.name}.xml",
                       domain.xml(False) if known and domain.persistent else None)
        running = f"<domstatus state='running' pid='1'>{domain.xml(True)}</domstatus>"
        self.keep_file(self.host_root / f"run/libvirt/qemu/{domain.name}.xml",
                       running if known and domain.runs() else None)

    @staticmethod
    def keep_file(file, text):
        if text is None:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        replace(file, text)

    # ---- what goes wrong ----

    def block(self, name, uuid=None, passing=0):
        """After `passing` of them calls of that name wait until the rule's open()."""
        return self.add_rule(name, uuid, None, None, passing)

    def refuse(self, name, code, message, uuid=None, times=1, passing=0):
        """After `passing` calls the next `times` (None: all) fail; the rule counts them in `met`."""
        return self.add_rule(name, uuid, times, Refused(code, message), passing)

    def add_rule(self, *of):
        with self.changed:
            self.rules.append(Rule(self, *of))
            return self.rules[-1]

    # ---- what was asked ----

    def calls_of(self, name, uuid=None):
        with self.changed:
            return [call for call in self.calls if call.name == name and (uuid is None or call.is_about(uuid))]

    def attaches(self, uuid):
        """(address, flags) of each attach that was done or refused, in order."""
        return [(address_of(call.arguments[1]), int(call.arguments[2])) for call in self.calls_of(ATTACH, uuid)]

    # ---- the server ----

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # it was killed
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with self.changed:
            self.numbers += 1
            number = self.numbers
            self.connections[number] = connection
        try:
            while True:
                fields = self.receive(connection)
                if fields is None:
                    return
                if fields == ["events"]:
                    self.become_events(number, connection)
                    return
                self.answer(connection, Call(fields[0], fields[1:], number))
        except OSError:
            pass  # the program, or this libvirt, has gone
        finally:
            with self.changed:
                if self.connections.pop(number, None) is connection:
                    connection.close()

    def become_events(self, number, connection):
        with self.changed:
            self.changed.wait_for(lambda: not self.hangs)
            if self.connections.pop(number, None):
                self.push(connection, "ok")
                self.event_sockets.append(connection)

    @staticmethod
    def receive(connection):
        head = connection.recv(4, socket.MSG_WAITALL)
        if len(head) < 4:
            return None
        data = connection.recv(struct.unpack("=I", head)[0], socket.MSG_WAITALL)
        return data.decode().split("\0")[:-1]

    @staticmethod
    def push(connection, *fields):
        data = b"".join(str(field).encode() + b"\0" for field in fields)
        try:
            connection.sendall(struct.pack("=I", len(data)) + data)
        except OSError:
            pass  # the program has gone

    def publish(self, *fields):
        for connection in self.event_sockets:
            self.push(connection, "event", *fields)

    def answer(self, connection, call):
        with self.changed:
            self.calls.append(call)
            self.changed.notify_all()
            try:
                self.hold_up(call)
                answer = ("ok", *self.do(call))
            except Refused as refused:
                call.refused = refused
                answer = ("error", refused.code, FROM_QEMU, refused)
            self.meanwhile.pop(call.name, lambda: None)()
            call.ended = time.monotonic()
            self.changed.notify_all()
            self.push(connection, *answer)

    def hold_up(self, call):
        server = self.listener
        self.changed.wait_for(lambda: not self.hangs)
        rule = next((rule for rule in self.rules if rule.fits(call)), None)
        if rule:
            rule.met += 1
            self.changed.wait_for(lambda: not rule.closed)
            if rule.refusal:
                raise rule.refusal
        if call.name in (ATTACH, DETACH):  # it queues on the domain's job
            self.changed.wait_for(lambda: not (self.domains.get(call.arguments[0]) and
                                               self.domains[call.arguments[0]].starting))
        if self.listener is not server:
            raise OSError("libvirtd was killed meanwhile")

    def do(self, call):
        known = {
            "virConnectOpen": lambda uri: (),
            KEEPALIVE: lambda interval, count: (0,),
            "virConnectDomainEventRegisterAny": lambda kind: (0,),
            "virConnectListAllDomains": lambda flags: (" ".join(self.domains),),
            "virDomainLookupByUUIDString": self.do_look_up,
            "virDomainGetXMLDesc": self.do_xml,
            "virDomainIsPersistent": lambda uuid: (int(self.domain(uuid).persistent),),
            ATTACH: self.do_attach,
            DETACH: self.do_detach,
        }
        return known[call.name](*call.arguments)

    def domain(self, uuid):
        if uuid not in self.domains:
            raise Refused(NO_DOMAIN, f"Domain not found: no domain with matching uuid '{uuid}'")
        return self.domains[uuid]

    def do_look_up(self, uuid):
        domain = self.domain(uuid)
        return domain.uuid, domain.name, domain.id

    def do_xml(self, uuid, flags):
        """Without flags the configuration of one that does not run."""
        domain = self.domain(uuid)
        if not domain.persistent and not domain.runs():
            raise Refused(NO_DOMAIN, "Domain not found")
        return (domain.xml(domain.runs() and not int(flags) & INACTIVE),)

    def do_attach(self, uuid, xml, flags):
        domain, address, flags = self.domain(uuid), address_of(xml), int(flags)
        if flags & LIVE and not domain.runs():
            raise Refused(OPERATION_INVALID, "Requested operation is not valid: domain is not running")
        if flags & CONFIG:
            self.check_configurable(domain, address)
        if flags & LIVE:
            self.check_pluggable(domain, address)
            domain.live[address] = xml
            domain.ports -= 1
        if flags & CONFIG:
            domain.configured[address] = xml
        self.keep_files(domain)
        if flags & LIVE:
            self.tell_device(domain, DEVICE_ADDED, "hostdev0")
        return ()

    @staticmethod
    def check_configurable(domain, address):
        if not domain.persistent:
            raise Refused(OPERATION_INVALID, "Requested operation is not valid: transient domains do not have any persistent config")
        if address in domain.configured:
            raise Refused(OPERATION_INVALID,
                          "Requested operation is not valid: device is already in the domain configuration")

    def check_pluggable(self, domain, address):
        for other in self.domains.values():
            if address in other.live:
                raise Refused(OPERATION_INVALID, f"Requested operation is not valid: mediated device {address} is in "
                                                 f"use by driver QEMU, domain {other.name}")
        if address in self.missing:
            raise Refused(DEVICE_MISSING, f"device not found: mediated device '{address}' not found")
        if domain.ports < 1:
            raise Refused(INTERNAL_ERROR, "internal error: No more available PCI slots")

    def do_detach(self, uuid, xml, flags):
        domain, address = self.domain(uuid), address_of(xml)
        if int(flags) != CONFIG:
            raise Refused(OPERATION_INVALID, "this program takes nothing out of running guests")
        if domain.configured.pop(address, None) is None:
            raise Refused(DEVICE_MISSING, "device not found: device not present in domain configuration")
        self.keep_files(domain)
        return ()
