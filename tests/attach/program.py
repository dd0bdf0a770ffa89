"""vgpu-agent-libvirt without the daemon: it is told here what guests are to have. PCI devices, which the agent has no kind of on
this kernel."""
import contextlib
import json
import re
import socket
import threading

from support.host import store
from support.process import Process, program


def give_to_vfio(address):
    """As an operator does with a card that guests are to have whole."""
    store(f"/sys/bus/pci/devices/{address}/driver_override", "vfio-pci")
    store(f"/sys/bus/pci/devices/{address}/driver/unbind", address)
    if store("/sys/bus/pci/drivers_probe", address) != "OK":
        raise AssertionError(f"vfio-pci does not take {address}")


def hostdev(address):
    domain, bus, slot, function = re.split("[:.]", address)
    return (f"<hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0x{domain}' bus='0x{bus}' slot='0x{slot}' "
            f"function='0x{function}'/></source></hostdev>")


class Program:
    """agent/attach/message.h: one JSON object a line, on descriptor 3."""

    def __init__(self, directory):
        self.socket, theirs = socket.socketpair()
        self.serial = 0
        with theirs:
            self.process = Process(["/bin/sh", "-c", f"exec {program('vgpu-agent-libvirt')} --uri qemu:///system 3<&{theirs.fileno()}"],
                                   directory / "program.log", pass_fds=[theirs.fileno()])
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        """Of what it says only its doubts are of interest: the test's table is true."""
        with self.socket.makefile("rb") as messages:
            for line in messages:
                message = json.loads(line)
                if doubt := message.get("doubt"):
                    with contextlib.suppress(OSError):  # it has been left meanwhile
                        self.send({"sure": {"consumer": doubt["consumer"], "number": doubt["number"], "lasts": 0}})

    def send(self, message):
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def want(self, table):
        """{consumer: [address, ...]}"""
        self.serial += 1
        consumers = [{"consumer": consumer, "whole": True, "heals": False,
                      "devices": [{"address": address, "xml": hostdev(address)} for address in sorted(addresses)]}
                     for consumer, addresses in sorted(table.items())]
        ours = sorted(address for addresses in table.values() for address in addresses)
        self.send({"wanted": {"serial": self.serial, "consumers": consumers, "ours": ours}})

    def stop(self):
        """It ends when its socket does."""
        self.socket.shutdown(socket.SHUT_WR)
        status = self.process.popen.wait(60)
        self.thread.join()
        self.socket.close()
        return status
