"""When libvirt's events and calls came, from two logs of the compute host: `virsh event` and libvirtd's own of its API."""
import datetime
import re

EVENTS, CALLS = "/var/log/libvirt/events.log", "/var/log/libvirt/calls.log"
TIME = r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})\+0000"
EVENT = re.compile(TIME + r": event '([a-z-]+)' for domain '?([^':]+)'?: (.*)")
CALL = re.compile(TIME + r": \d+: debug : (virDomain(?:CreateWithFlags|AttachDeviceFlags)):.*uuid=([0-9a-f-]{36})")


def moment(text):
    """Milliseconds."""
    return datetime.datetime.strptime(text + "+0000", "%Y-%m-%d %H:%M:%S.%f%z").timestamp() * 1000


class Timeline:
    """Of what happens from now on."""

    def __init__(self, host):
        self.host = host
        self.sizes = self.host.run(f"cat {EVENTS} 2>/dev/null | wc -c; cat {CALLS} 2>/dev/null | wc -c").split()

    def since(self, file, size, pattern):
        text = self.host.run(f"tail -c +{int(size) + 1} {file} | grep -e {pattern} || true")
        return text.splitlines()

    def read(self, uuid, name):
        """{"attach_ms", "create_ms", "plug"} of the last start of this domain, as far as they apply; "events" for the curious. A
        device is plugged "cold" into the configuration before the start, "live", or "Nova's": it is in the XML that Nova defines."""
        events = [match.groups() for line in self.since(EVENTS, self.sizes[0], name)
                  if (match := EVENT.match(line)) and match[3] == name]
        calls = [match.groups() for line in self.since(CALLS, self.sizes[1], uuid) if (match := CALL.match(line))]
        created = [moment(when) for when, call, _ in calls if call == "virDomainCreateWithFlags"]
        found = {"events": [f"{when[11:]} {kind} {what}" for when, kind, _, what in events] +
                           [f"{when[11:]} {call}" for when, call, _ in calls], "plug": None}
        added = [when for when, kind, _, _ in events if kind == "device-added"]
        attached = [moment(when) for when, call, _ in calls if call == "virDomainAttachDeviceFlags"]
        found["events"].sort()
        if added:
            found["plug"] = "live"
        elif attached and created and attached[0] < created[-1]:
            found["plug"] = "cold"
        elif created:
            found["plug"] = "Nova's"
        if created:
            defined = [moment(when) for when, kind, _, what in events if kind == "lifecycle" and what.startswith("Defined")
                       and moment(when) <= created[-1] + 1]
            if defined:
                found["create_ms"] = max(created[-1] - defined[-1], 0)
                later = [when for when in attached if when >= defined[-1]]
                if later:
                    found["attach_ms"] = later[0] - defined[-1]
        return found
