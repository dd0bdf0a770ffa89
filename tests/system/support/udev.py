"""What etc/udev/90-vgpu-agent.rules gives to the agent's group."""
import os
import re

from .process import TOP, run

RULES = TOP / "etc/udev/90-vgpu-agent.rules"


def give_to_group(host, condition, address, group):
    """Runs what the rule with this condition runs for a PCI function, for another group. Gives
    what has ended."""
    (rule,) = [line for line in RULES.read_text().splitlines() if condition in line]
    command = re.search(r"""RUN\+="/bin/sh -c '(.*)'"$""", rule)[1]
    path = os.path.realpath(host.function(address)).removeprefix(str(host.root))
    return run(["/bin/sh", "-c", command.replace("%S", str(host.root)).replace("%p", path)
                .replace("chgrp vgpu-agent", f"chgrp {group}")])


def writable_by_group(folder, group):
    """The files below it, as paths there, that the group was given to write."""
    return {str(file.relative_to(folder)) for file in folder.rglob("*")
            if file.is_file() and file.stat().st_gid == group and file.stat().st_mode & 0o020}
