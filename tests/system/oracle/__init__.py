"""A second judge of the agent, from outside: random scripts of what Nova, operators and
enemies do to a host, and rules that look only at what anybody can see: sysfs, Placement,
libvirt's files, what the commands print. See `run --help`."""
