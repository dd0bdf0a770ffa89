"""What is done to servers, in parts that need nothing of each other."""
import json
import time

from compute_host import CARDS
from control_plane import Refused, wait_for
from timeline import Timeline

LONG = 900.0  # seconds for an action of Nova's, on a busy machine
# Until all is as it should be. In nova mode the agent leaves a guest to Nova for a minute.
SETTLE = {"owner": 60.0, "nova": 240.0}
RUNNING = ("ACTIVE", "PAUSED", "RESCUE", "VERIFY_RESIZE")
# A boot sector that waits for ever: cli; hlt; jmp.
HALTED = (b"\xfa\xf4\xeb\xfd".ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0")


class Cloud:
    """A control plane, a compute host and the report, in one mode."""

    def __init__(self, control_plane, host, mode, report):
        self.api, self.host, self.mode, self.report = control_plane, host, mode, report
        self.flavors, self.images = {}, {}
        self.devices = {}  # server: the device that it had last
        self.name_of = {}  # server: its domain's

    # ---- what servers are made of

    def flavor(self, kind="nvidia-35", memory=64):
        if (kind, memory) not in self.flavors:
            flavor = self.api.nova("POST", "/flavors", {"flavor": {
                "name": f"{kind}-{memory}", "ram": memory, "vcpus": 1, "disk": 1}})["flavor"]["id"]
            self.api.nova("POST", f"/flavors/{flavor}/os-extra_specs", {"extra_specs": {
                "resources:VGPU": "1", f"trait:CUSTOM_{kind.upper().replace('-', '_')}": "required"}})
            self.flavors[kind, memory] = flavor
        return self.flavors[kind, memory]

    def image(self, name="halted"):
        if name in self.images:
            return self.images[name]
        more = {}
        if name == "q35":
            more = {"hw_machine_type": "q35"}
        elif name == "linux":
            kernel, ramdisk = ((self.host.rig / file).read_bytes() for file in ("vmlinuz", "server.gz"))
            more = {"kernel_id": self.api.image("kernel", kernel, "aki", "aki"),
                    "ramdisk_id": self.api.image("ramdisk", ramdisk, "ari", "ari"),
                    "os_command_line": "console=ttyS0 quiet mitigations=off"}
        self.images[name] = self.api.image(name, HALTED, **more)
        return self.images[name]

    # ---- how a server stands

    def problems(self, server, found, seen, allocation):
        """Why this is not a server with its device, by its status; empty where all is well."""
        status = found["status"]
        if status == "ERROR":
            return [f"ERROR: {(found.get('fault') or {}).get('message', '')[:300]}"]
        counts = {"live": 1, "configured": 1, "held": 1}
        if status not in RUNNING:
            counts = {"live": 0, "held": 0}
            if status == "SHUTOFF":
                counts["configured"] = 1
        wrong = [f"{where}: {seen[where]}, not {count}" for where, count in counts.items() if len(seen[where]) != count]
        if status == "SHELVED_OFFLOADED":
            return wrong + ([f"it has an allocation: {allocation}"] if allocation else [])
        if [resources.get("VGPU") for resources in allocation.values() if "VGPU" in resources] != [1]:
            return wrong + [f"its allocation is {allocation}"]
        if wrong or status not in (*RUNNING, "SHUTOFF"):
            return wrong
        return self.disagreement(seen, allocation)

    def disagreement(self, seen, allocation):
        """The device is of the provider that the allocation names, and the same everywhere."""
        named = {device for where in ("live", "configured", "held") for device in seen[where]}
        if len(named) != 1:
            return [f"different devices: {named}"]
        provider = next(uuid for uuid, resources in allocation.items() if "VGPU" in resources)
        name = self.api.placement("GET", f"/resource_providers/{provider}")["name"]
        parent, kind = seen["devices"].get(named.pop(), ["gone", "gone"])
        if not name.endswith("_pci_" + parent.replace(":", "_").replace(".", "_")):
            return [f"the device is one of {parent}, and the allocation of {name}"]
        return [] if CARDS.get(kind) == parent else [f"the device of {parent} has the type {kind}"]

    def of_agent(self, server):
        """What the agent says of the server."""
        rows = json.loads(self.host.run("vgpu-agent --format json allocations 2>/dev/null"))
        return [row for row in rows if row["consumer"] == server]

    def stand(self, server):
        """(server of Nova's, what the host has of it, problems)"""
        found = self.api.server(server)
        seen = self.host.look(server)
        if seen["state"].startswith("unknown"):
            return found, seen, [seen["state"]]
        return found, seen, self.problems(server, found, seen, self.api.allocation(server))

    # ---- actions

    def wait_for_status(self, server, status):
        def reached():
            found = self.api.server(server)
            settled = found["OS-EXT-STS:task_state"] is None and found["status"] in (status, "ERROR")
            return found if settled else pause(1)
        return wait_for(reached, f"{status} of the server", LONG)

    def do(self, action, server, begin, status):
        """Calls `begin`, which gives the server, waits for the status, and looks whether the guest has what it is to have; the
        server."""
        timeline, began = Timeline(self.host), time.monotonic()
        found, seen, problems = None, None, []
        try:
            server = begin()
            self.wait_for_status(server, status)
            reached = time.monotonic()
            while True:
                found, seen, problems = self.stand(server)
                if found["status"] not in (status, "ERROR"):
                    problems.append(f"the server is {found['status']}, not {status}")
                if not problems or found["status"] == "ERROR" or time.monotonic() > reached + SETTLE[self.mode]:
                    break
                pause(0.5)
        except (AssertionError, Refused) as error:
            reached = time.monotonic()
            problems = [str(error)]
        row = {"seconds": reached - began, "status": found["status"] if found else "?"}
        if seen:
            row.update(self.describe(server, seen, timeline, time.monotonic() - reached))
            if not problems and self.mode == "owner" and seen["live"]:
                problems = self.agent_disagrees(server, seen["live"])
        if problems and server:
            problems += [f"the agent says: {self.of_agent(server)}", *row.get("events", [])[-20:]]
        self.report.row(f"{action}: the guest has what it is to have", problems, action=action, **row)
        return server

    def describe(self, server, seen, timeline, settled):
        self.name_of[server] = seen["name"] or self.name_of.get(server, "none")
        device, before = seen["configured"], self.devices.get(server)
        told = "none" if not device else "first" if not before else "the same" if device == before else "another"
        if device:
            self.devices[server] = device
        more = timeline.read(server, self.name_of[server])
        if self.mode == "owner" and more["plug"] == "Nova's":
            more["plug"] = "kept"  # Nova found it in the domain, and left it there
        return {"counts": f"{len(seen['live'])} {len(seen['configured'])} {len(seen['held'])}", "device": told, **more,
                "plug": more["plug"] if device else None, "settled": settled}

    def agent_disagrees(self, server, live):
        rows = self.of_agent(server)
        named = [device for row in rows for device in row["mdevs"]]
        return [] if named == live else [f"the agent has it otherwise: {rows}"]

    def create(self, action, image="halted", config_drive=False, **flavor):
        image, flavor = self.image(image), self.flavor(**flavor)
        return self.do(action, None, lambda: self.api.nova("POST", "/servers", {"server": {
            "name": "a", "flavorRef": flavor, "imageRef": image, "networks": "none",
            "config_drive": config_drive}})["server"]["id"], "ACTIVE")

    def act(self, action, server, body, status="ACTIVE"):
        def begin():
            self.api.nova("POST", f"/servers/{server}/action", body)
            return server
        return self.do(action, server, begin, status)

    def delete(self, server, action="delete"):
        """In owner mode the device goes with the allocation; Nova keeps its own for the next server."""
        self.devices.pop(server, None)
        others = {device for devices in self.devices.values() for device in devices}
        began, problems = time.monotonic(), []
        gone = deleted = began
        try:
            self.api.nova("DELETE", f"/servers/{server}")
            wait_for(lambda: self.api.server(server) is None or pause(1), "the server to be gone", LONG)
            gone = time.monotonic()

            def left_over():
                seen = self.host.look(server)
                left = seen["held"] or seen["live"] or seen["configured"] or self.api.allocation(server)
                return left or (self.mode == "owner" and set(seen["devices"]) - others)
            wait_for(lambda: not left_over() or pause(1), "nothing to be left over", 120)
            deleted = time.monotonic()
        except (AssertionError, Refused) as error:
            problems = [str(error), str(self.host.look(server))]
        self.report.row(f"{action}: nothing is left over", problems, action=action, seconds=gone - began, status="gone",
                        counts="0 0 0" if not problems else "?", device="removed" if self.mode == "owner" else "idle",
                        settled=deleted - gone if self.mode == "owner" else None)

    def meanwhile(self, action, server, what):
        """What is done to the host, and not to the server: this one is ACTIVE before and after."""
        def begin():
            what()
            return server
        return self.do(action, server, begin, "ACTIVE")

    def compute_is_up(self):
        wait_for(self.compute_reports, "nova-compute to report", LONG)

    def compute_reports(self):
        services = self.api.nova("GET", "/os-services?binary=nova-compute")["services"]
        up = services and services[0]["state"] == "up"
        return up and "active" == self.host.run("systemctl is-active nova-compute || true").strip() or pause(2)

    def compute_restarts(self):
        """Until it has taken up its work: the end of its first look at its resources."""
        self.host.run("systemctl stop nova-compute")  # whose last words are not the new one's
        size = int(self.host.run("wc -c </var/log/nova-compute.log"))
        self.host.run("systemctl start nova-compute")
        self.wait_for_compute_log(size)

    def wait_for_compute_log(self, size=0):
        wait_for(lambda: self.host.try_to(f"tail -c +{size + 1} /var/log/nova-compute.log | grep -q 'Final resource view'") == (0, "")
                 or pause(2), "nova-compute's look at its resources", LONG)


def pause(seconds):
    """Between two looks; false."""
    time.sleep(seconds)
    return False


# ---- the parts

def life(cloud):
    """What a user does."""
    server = cloud.create("create")
    second = cloud.create("create, second type, config drive, q35", image="q35", config_drive=True, kind="nvidia-36")
    cloud.act("reboot, hard", server, {"reboot": {"type": "HARD"}})
    cloud.act("reboot, soft, unheard", server, {"reboot": {"type": "SOFT"}})
    cloud.act("stop", server, {"os-stop": None}, "SHUTOFF")
    cloud.act("start", server, {"os-start": None})
    cloud.act("pause", server, {"pause": None}, "PAUSED")
    cloud.act("unpause", server, {"unpause": None})
    cloud.act("rebuild", server, {"rebuild": {"imageRef": cloud.image()}})
    cloud.act("shelve", server, {"shelve": None}, "SHELVED_OFFLOADED")
    cloud.act("unshelve", server, {"unshelve": None})
    cloud.act("rescue", server, {"rescue": {}}, "RESCUE")
    cloud.act("unrescue", server, {"unrescue": None})
    cloud.act("snapshot", server, {"createImage": {"name": "snapshot"}})
    cloud.delete(second, "delete, second type")
    cloud.delete(server)


def resize(cloud):
    server = cloud.create("create, to be resized")
    cloud.act("resize", server, {"resize": {"flavorRef": cloud.flavor(memory=80)}}, "VERIFY_RESIZE")
    cloud.act("confirm resize", server, {"confirmResize": None})
    cloud.delete(server, "delete, after a resize")


def revert(cloud):
    """Here Nova loses its own device in nova mode, and the agent gives it back."""
    server = cloud.create("create, to be resized and reverted")
    cloud.act("resize, to be reverted", server, {"resize": {"flavorRef": cloud.flavor(memory=80)}}, "VERIFY_RESIZE")
    cloud.act("revert resize", server, {"revertResize": None})
    cloud.delete(server, "delete, after a revert")


def suspend(cloud):
    """With a Linux in the server, which lets go of a device when it is asked to."""
    server = cloud.create("create, Linux inside", image="linux", memory=192)
    console = f"cat /var/lib/nova/instances/{server}/console.log"
    wait_for(lambda: "GPUs: 1" in cloud.host.run(console) or pause(5), "Linux to see its GPU", LONG)
    cloud.act("suspend", server, {"suspend": None}, "SUSPENDED")
    cloud.act("resume", server, {"resume": None})
    cloud.delete(server, "delete, Linux inside")


def services(cloud):
    server = cloud.create("create, before restarts")
    cloud.meanwhile("nova-compute restarted", server, cloud.compute_restarts)
    cloud.meanwhile("libvirtd restarted", server, lambda: cloud.host.run("systemctl restart libvirtd"))
    cloud.meanwhile("libvirtd killed", server, lambda: cloud.host.run("systemctl kill --kill-whom=main --signal=KILL libvirtd"))
    cloud.meanwhile("agent killed", server, lambda: cloud.host.run("systemctl kill --signal=KILL vgpu-agent"))
    cloud.act("rebuild, after restarts", server, {"rebuild": {"imageRef": cloud.image()}})
    cloud.delete(server, "delete, after restarts")


def power(cloud):
    """The power of the host fails; its units bring back all that was there."""
    server = cloud.create("create, before a power cut")

    def cut():
        cloud.host.cut_power()
        cloud.host.power_on()
        wait_for(lambda: cloud.host.look(server)["state"] == "running" or pause(3), "Nova to start the guest", LONG)
    cloud.meanwhile("power cut", server, cut)
    cloud.act("reboot, hard, after a power cut", server, {"reboot": {"type": "HARD"}})
    cloud.delete(server, "delete, after a power cut")


PARTS = {part.__name__: part for part in (life, resize, revert, suspend, services, power)}
