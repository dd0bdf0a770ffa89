"""What vgpu-agent-libvirt would say, said by a test: see agent/attach/message.h."""
import json
import os
import pathlib
import shutil
import socket
import threading

from .process import program, wait_for

PROGRAM = pathlib.Path(__file__).parent / "attach_stand_in.py"


class Attacher:
    """Listens for the program of one daemon. `answers`: each table is acknowledged at once,
    with the addresses in `busy`. `holds` is what a table has, {consumer: [address]}."""

    def __init__(self, directory):
        self.path = directory / "libvirt-sock"
        self.answers, self.busy = True, []
        self.tables, self.sure, self.connections = [], [], 0
        self.peer = None
        self.lock = threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def uri(self):
        return f"qemu:///system?socket={self.path}"

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.peer = peer
            self.connections += 1
            self.read(peer)

    def read(self, peer):
        with peer.makefile("rb") as lines:
            for line in lines:
                self.hear(json.loads(line))

    def hear(self, message):
        if "sure" in message:
            self.sure.append(message["sure"])
        else:
            self.take(message["wanted"])

    def take(self, table):
        with self.lock:
            self.tables.append(table)
            answers = self.answers
        if answers:
            try:
                self.answer()
            except OSError:
                pass  # the program has ended meanwhile

    def answer(self):
        """Acknowledges the last table."""
        self.say(holding={"serial": self.tables[-1]["serial"], "busy": self.busy})

    def say(self, **message):
        self.peer.sendall(json.dumps(message).encode() + b"\n")

    def wait(self, count=1):
        wait_for(lambda: self.connections >= count, f"program number {count}")

    def connect(self, *domains):
        """All that a program says when it has found libvirt, with these domains."""
        self.say(connection={"up": True, "reason": None})
        for domain in domains:
            self.say(guest=domain)
        self.say(all=True)

    def wanted(self):
        """{consumer: [address]} of the last table; None: there is none."""
        with self.lock:
            table = self.tables[-1] if self.tables else None
        return table and {entry["consumer"]: [device["address"] for device in entry["devices"]]
                          for entry in table["consumers"]}

    def entry(self, consumer):
        found = [entry for entry in self.tables[-1]["consumers"] if entry["consumer"] == consumer]
        return found[0] if found else None

    def wait_for_devices(self, consumer, count=1):
        wait_for(lambda: len((self.wanted() or {}).get(consumer, [])) == count,
                 f"a table with {count} devices of {consumer}")
        return self.wanted()[consumer]

    def end_program(self):
        """As if it had been killed."""
        self.peer.shutdown(socket.SHUT_RDWR)

    def stop(self):
        self.listener.close()
        return 0


def guest(uuid, running=False, live=(), configured=(), life=0):
    return {"uuid": uuid, "name": f"d-{uuid[:8]}", "running": running, "persistent": True,
            "live": sorted(live), "configured": sorted(configured), "life": life}


def programs_with_stand_in(directory):
    """The agent beside a stand-in for vgpu-agent-libvirt: the path of the agent."""
    agent = directory / "vgpu-agent"
    shutil.copy(program("vgpu-agent"), agent)
    os.symlink(PROGRAM, directory / "vgpu-agent-libvirt")
    return str(agent)
