"""On the compute host: what the test asks over HTTP.

    POST /run   {"command", "timeout"}  a shell command: {"status", "output"}
    POST /look  {"server"}              what the host has of a server, and all devices
"""
import json
import os
import pathlib
import re
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import libvirt

MDEVS = pathlib.Path("/sys/bus/mdev/devices")
STATES = {libvirt.VIR_DOMAIN_RUNNING: "running", libvirt.VIR_DOMAIN_PAUSED: "paused", libvirt.VIR_DOMAIN_SHUTOFF: "shut off"}
libvirt.registerErrorHandler(lambda *_: None, None)


def run(command, timeout):
    try:
        done = subprocess.run(["/bin/bash", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout, check=False)
        return {"status": done.returncode, "output": done.stdout.decode(errors="replace")}
    except subprocess.TimeoutExpired as error:
        return {"status": 124, "output": (error.stdout or b"").decode(errors="replace")}


def devices():
    """{uuid: [parent's address, type]} of all that exist."""
    return {device.name: [device.resolve().parent.name, (device / "mdev_type").resolve().name] for device in MDEVS.iterdir()}


def in_xml(xml):
    elements = re.findall(r"<hostdev .*?</hostdev>", xml, re.S)
    return sorted(re.search(r"<address uuid='([^']+)'", element)[1] for element in elements if "type='mdev'" in element)


def held(name):
    """The devices whose group the guest's QEMU has open."""
    try:
        process = pathlib.Path("/run/libvirt/qemu", name + ".pid").read_text().strip()
        opened = {os.readlink(file) for file in pathlib.Path("/proc", process, "fd").iterdir()}
    except OSError:
        return []
    return sorted(device.name for device in MDEVS.iterdir()
                  if "/dev/vfio/" + (device / "iommu_group").resolve().name in opened)


def look(server):
    seen = {"state": "none", "name": "", "live": [], "configured": [], "held": [], "devices": devices()}
    try:
        connection = libvirt.openReadOnly("qemu:///system")
    except libvirt.libvirtError as error:
        return {**seen, "state": f"unknown: {error}"}
    try:
        domain = connection.lookupByUUIDString(server)
        state = domain.state()[0]
        seen.update(name=domain.name(), state=STATES.get(state, f"state {state}"), held=held(domain.name()),
                    configured=in_xml(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)))
        if domain.isActive():
            seen["live"] = in_xml(domain.XMLDesc())
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
            seen["state"] = f"unknown: {error}"
    finally:
        connection.close()
    return seen


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = json.dumps({"/run": run, "/look": look}[self.path](**question)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Not a line a request."""


ThreadingHTTPServer(("0.0.0.0", 2222), Handler).serve_forever()
