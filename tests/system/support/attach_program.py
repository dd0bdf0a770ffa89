"""vgpu-agent-libvirt with the test in the daemon's place."""
import json
import os
import socket
import subprocess
import threading

from .hostdev import mdev_xml
from .process import PATIENCE, die_with_parent, program, wait_for


def wanted(consumer, *addresses, xml=mdev_xml, whole=True, heals=False):
    """An entry of the table: these devices for that consumer."""
    return {"consumer": consumer, "whole": whole, "heals": heals,
            "devices": [{"address": address, "xml": xml(address)} for address in sorted(addresses)]}


class AttachProgram:
    """It runs from the start; what it says is in `messages`, in order."""

    def __init__(self, directory, environment, *options):
        self.socket, theirs = socket.socketpair()
        self.log = directory / "program.log"
        self.messages, self.ended, self.sure = [], False, True
        self.changed = threading.Condition()
        self.serial = 0

        def take_place():
            die_with_parent()
            os.dup2(theirs.fileno(), 3)

        with open(self.log, "ab") as output, theirs:
            self.popen = subprocess.Popen(
                [program("vgpu-agent-libvirt"), *options], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env=environment, preexec_fn=take_place, pass_fds=[3])
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        """A doubt is answered at once, unless `sure` is False: the test's table is true."""
        with self.socket.makefile() as lines:
            for line in lines:
                with self.changed:
                    self.messages.append(message := json.loads(line))
                    self.changed.notify_all()
                if "doubt" in message and self.sure:
                    self.answer(message["doubt"])
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def send(self, data):
        self.socket.sendall(data)

    def answer(self, doubt, lasts=0):
        """`lasts`: milliseconds, see agent/attach/doubt.h."""
        sure = {"consumer": doubt["consumer"], "number": doubt["number"], "lasts": lasts}
        try:
            self.send(json.dumps({"sure": sure}).encode() + b"\n")
        except OSError:
            pass  # the program has ended, or has been left, meanwhile

    def want(self, *entries, ours=()):
        """Sends a table; its serial."""
        self.serial += 1
        known = {device["address"] for entry in entries for device in entry["devices"]}
        table = {"serial": self.serial, "consumers": sorted(entries, key=lambda entry: entry["consumer"]),
                 "ours": sorted(known | set(ours))}
        self.send(json.dumps({"wanted": table}).encode() + b"\n")
        return self.serial

    def output(self):
        return self.log.read_text(errors="replace")

    def wait_for(self, condition, what, patience=PATIENCE):
        """Until condition() gives something true, tried after each message."""
        with self.changed:
            found = None

            def look():
                nonlocal found
                found = condition()
                return found or self.ended
            self.changed.wait_for(look, patience)
            if not found:
                last = "\n".join(json.dumps(message)[:300] for message in self.messages[-20:])
                raise AssertionError(f"waited in vain for: {what}\n{last}\n{self.output()}")
            return found

    def all_of(self, kind):
        """The values of all messages of that kind."""
        with self.changed:
            return [message[kind] for message in self.messages if kind in message]

    def wait_message(self, kind, what, fits):
        return self.wait_for(lambda: next((value for value in reversed(self.all_of(kind)) if fits(value)), None), what)

    def last_state(self, consumer):
        states = [state for state in self.all_of("state") if state["consumer"] == consumer]
        return states[-1] if states else None

    def wait_state(self, consumer, state):
        """Until that is the last that was said of the consumer."""
        def look():
            last = self.last_state(consumer)
            return last if last and last["state"] == state else None
        return self.wait_for(look, f"{consumer} to be {state}")

    def guest(self, uuid):
        """As it was told last; None: not told, or gone."""
        with self.changed:
            for message in reversed(self.messages):
                if message.get("gone") == uuid:
                    return None
                if message.get("guest", {}).get("uuid") == uuid:
                    return message["guest"]
        return None

    def wait_guest(self, uuid, fits, what="the guest's devices"):
        def look():
            guest = self.guest(uuid)
            return guest if guest and fits(guest) else None
        return self.wait_for(look, what)

    def wait_holding(self, serial, busy=()):
        def look():
            last = (self.all_of("holding") or [None])[-1]
            return last and last["serial"] >= serial and last["busy"] == sorted(busy)
        return self.wait_for(look, f"holding {serial} {busy}")

    def wait_all(self, times=1):
        """Until every domain of the `times`th connection has been looked at."""
        return self.wait_for(lambda: len(self.all_of("all")) >= times, "all domains")

    def wait_connection(self, up, times=1):
        def look():
            return sum(said["up"] == up for said in self.all_of("connection")) >= times
        return self.wait_for(look, f"connection up: {up}")

    def wait_end(self):
        """Its exit status."""
        return self.popen.wait(PATIENCE)

    def close(self):
        """As a daemon that is killed does."""
        self.socket.shutdown(socket.SHUT_RDWR)

    def stop(self):
        if self.popen.poll() is None:
            self.close()
            try:
                self.popen.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
                raise AssertionError(f"it did not end with its socket:\n{self.output()}") from None
        wait_for(lambda: self.ended, "the end of what it says")
        self.socket.close()
        return self.popen.returncode
