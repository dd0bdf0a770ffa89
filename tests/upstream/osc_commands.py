#!/usr/bin/python3
"""Runs commands of the openstack command line, one after the other: a JSON array of
argument lists on standard input; on standard output an array of [exit status, standard
output, standard error]. Each runs in a process of its own, forked from this one, which
has loaded all that takes a second to load."""
import contextlib
import io
import json
import multiprocessing
import sys

from openstackclient.shell import OpenStackShell


def run(arguments):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        shell = OpenStackShell()
        shell.stdout, shell.stderr = out, err
        try:
            status = shell.run(arguments)
        except SystemExit as end:  # argparse refuses
            status = end.code
    return [status, out.getvalue(), err.getvalue()]


if __name__ == "__main__":
    run(["resource", "provider", "list", "--help"])  # loads all plugins
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        json.dump(pool.map(run, json.load(sys.stdin), chunksize=1), sys.stdout)
