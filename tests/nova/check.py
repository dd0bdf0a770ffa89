#!/usr/bin/python3
"""Acts on servers as a user and an operator do, in a real cloud, and looks after each action whether the guest has its virtual GPU.
tests/nova/run starts it. TAP on standard output; a table a mode in DIR/results-MODE.rst."""
import argparse
import os
import pathlib
import shutil
import signal
import sys
import time
import traceback

from compute_host import CARDS, ComputeHost
from control_plane import TOP, ControlPlane, wait_for
from parts import LONG, PARTS, Cloud, pause
from report import Report

MODES = ["owner", "nova"]


def arguments():
    parser = argparse.ArgumentParser(prog="tests/nova/run")
    parser.add_argument("--directory", type=pathlib.Path, required=True)
    parser.add_argument("--mode", action="append", choices=MODES)
    parser.add_argument("--part", action="append", choices=list(PARTS))
    parser.add_argument("--placement", choices=["placementd", "openstack"], default="placementd")
    parser.add_argument("--keep", action="store_true", help="leave the cloud up after the last part")
    return parser.parse_args()


def fresh(folder):
    """Empty; what the last run left there is in FOLDER.old."""
    if folder.exists():
        old = folder.with_name(folder.name + ".old")
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    folder.mkdir(parents=True)
    return folder


def wait_for_host(cloud):
    """Nova and the agent are both at work."""
    cloud.compute_is_up()
    traits = {f"CUSTOM_{kind.upper().replace('-', '_')}" for kind in CARDS}

    def reported():
        found = set()
        for provider in cloud.api.placement("GET", "/resource_providers")["resource_providers"]:
            found |= set(cloud.api.placement("GET", f"/resource_providers/{provider['uuid']}/traits")["traits"])
        return traits <= found or pause(2)
    wait_for(reported, "the agent's traits", LONG)


def run_mode(mode, options, installed):
    """How many promises were not kept."""
    report = Report(mode, options.directory)
    folder = fresh(options.directory / mode)
    began = time.monotonic()
    with ControlPlane(folder / "controller", options.directory / "packages", options.placement) as control_plane:
        report.say(f"{mode}: the control plane is up after {time.monotonic() - began:.0f} s")
        host = ComputeHost(folder / "compute", f"compute-{mode}", options.directory, installed)
        host.configure(control_plane, mode)
        host.power_on()
        cloud = Cloud(control_plane, host, mode, report)
        report.say(f"{mode}: the compute host has booted after {time.monotonic() - began:.0f} s")
        try:
            wait_for_host(cloud)
            report.say(f"{mode}: it is ready after {time.monotonic() - began:.0f} s")
            for name in options.part or PARTS:
                run_part(name, cloud)
        except Exception:  # whatever it is, the rest is to be told
            report.result("the cloud comes up", traceback.format_exc().splitlines())
        host.try_to("cp -r /var/log/libvirt /var/log/nova-compute.log /share/log")
        if options.keep:
            report.say(f"the cloud stays up: nsenter --target $(pgrep -P {os.environ['OUTER']}) --net; "
                       "curl -d '{\"command\": \"virsh list\", \"timeout\": 60}' http://127.0.0.1:2222/run")
            signal.pause()
        host.process.kill()
    print((options.directory / f"results-{mode}.rst").read_text() if report.rows else "", flush=True)
    return report


def run_part(name, cloud):
    try:
        PARTS[name](cloud)
    except Exception:  # the other parts are still to come
        cloud.report.result(f"{name}: it can be done", traceback.format_exc().splitlines())


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    installed = TOP / "build/nova-installed"
    reports = [run_mode(mode, options, installed) for mode in options.mode or MODES]
    failed = sum(report.failed for report in reports)
    count = sum(report.count for report in reports)
    print(f"1..{count}\n{count - failed} passed, {failed} failed")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
