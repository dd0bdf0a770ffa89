"""Asks Placement once, as a service of OpenStack does: keystoneauth's own session, auth plugin and adapter, from [placement].

    /usr/bin/python3 -I keystoneauth_client.py

One path of a configuration file a line on standard input; one line of JSON on standard output: null, or why nothing was asked.
"""
import json
import sys

from keystoneauth1 import loading
from oslo_config import cfg

GROUP = "placement"


def ask(file):
    conf = cfg.ConfigOpts()
    # First, since what is registered depends on auth_section.
    conf([], default_config_files=[file])
    loading.register_session_conf_options(conf, GROUP)
    loading.register_auth_conf_options(conf, GROUP)
    loading.register_adapter_conf_options(conf, GROUP)
    # As Nova's defaults are.
    conf.set_default("service_type", "placement", GROUP)
    conf.set_default("valid_interfaces", ["internal", "public"], GROUP)
    auth = loading.load_auth_from_conf_options(conf, GROUP)
    session = loading.load_session_from_conf_options(conf, GROUP, auth=auth)
    adapter = loading.load_adapter_from_conf_options(conf, GROUP, session=session, auth=auth)
    adapter.get("/resource_providers", raise_exc=False)


def main():
    for line in sys.stdin:
        try:
            ask(line.rstrip("\n"))
            why = None
        except Exception as error:  # pylint: disable=broad-except
            why = f"{type(error).__name__}: {error}"
        print(json.dumps(why), flush=True)


if __name__ == "__main__":
    main()
