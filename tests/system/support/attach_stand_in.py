#!/usr/bin/env python3
"""Stands in for vgpu-agent-libvirt: passes on what the daemon and a test tell each other. The
test listens on the socket that the URI names; descriptor 3 is the daemon's."""
import select
import socket
import sys


def main():
    uri = sys.argv[sys.argv.index("--uri") + 1]
    daemon = socket.socket(fileno=3)
    test = socket.socket(socket.AF_UNIX)
    test.connect(uri.split("socket=")[1])
    other = {daemon: test, test: daemon}
    while True:
        for ready in select.select(list(other), [], [])[0]:
            data = ready.recv(65536)
            if not data:
                return
            other[ready].sendall(data)


main()
