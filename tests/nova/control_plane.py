"""A cloud's control plane, from Debian's packages: MariaDB, RabbitMQ, Keystone, Placement, Glance, Nova, and in Neutron's place
empty lists. Each service is at CONTROLLER, here and for the compute host (tests/nova/run makes the name space for that).

    with ControlPlane(directory, packages, "placementd") as cloud:
        cloud.nova("GET", "/servers")
"""
import http.client
import json
import pathlib
import subprocess
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests/system"), str(TOP / "tests/upstream")]

import openstack  # noqa: E402
from support.process import Process, program, wait_for  # noqa: E402

CONTROLLER = "10.0.2.2"  # what QEMU calls its host
RABBIT, PLACEMENT, GLANCE, NOVA, NEUTRON = 5672, 8778, 9292, 8774, 9696
START = 300.0  # seconds, on a busy machine
PYTHON = openstack.PYTHON


class Refused(Exception):
    """By one of the cloud's APIs."""


class Keystone(openstack.Keystone):
    listen, address = "0.0.0.0", CONTROLLER


class Placement(openstack.Placement):
    listen, address = "0.0.0.0", CONTROLLER


def write_ini(path, sections):
    path.write_text("".join(f"[{name}]\n" + "".join(f"{option} = {value}\n" for option, value in options.items())
                            for name, options in sections.items()))


def credentials(keystone, user):
    """What a service needs to be that user."""
    return {"auth_url": f"{keystone.url}/v3", "auth_type": "password", "username": user, "password": f"{user}-secret",
            "project_name": "service", "user_domain_name": "Default", "project_domain_name": "Default",
            "region_name": "RegionOne"}


def token_check(keystone, user):
    return {"www_authenticate_uri": f"{keystone.url}/v3", **credentials(keystone, user)}


class EmptyLists(BaseHTTPRequestHandler):
    """What Nova asks of Neutron for servers without a NIC."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        what = urllib.parse.urlsplit(self.path).path.rstrip("/").split("/")[-1].removesuffix(".json")
        reply = {what.replace("-", "_"): []}
        if what in ("", "v2.0"):
            reply = {"versions": [{"id": "v2.0", "status": "CURRENT",
                                   "links": [{"rel": "self", "href": f"http://{CONTROLLER}:{NEUTRON}/v2.0/"}]}]}
        text = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        """Not a line a request."""


class ControlPlane:
    def __init__(self, directory, packages, placement):
        self.directory = directory
        self.packages = packages / "usr/share"
        self.processes = []
        directory.mkdir()
        self.database = openstack.Database(directory)
        self.start_rabbit()
        self.nova_folder = directory / "nova"
        self.nova_folder.mkdir()
        tables = self.make_nova_tables()
        self.keystone = Keystone(directory, self.database, expiration=86400)
        self.make_catalog()
        self.start_placement(placement)
        server = ThreadingHTTPServer(("0.0.0.0", NEUTRON), EmptyLists)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.start_glance()
        if tables.wait():
            raise RuntimeError((self.nova_folder / "manage.log").read_text())
        self.write_nova_conf()
        for name, command in ("nova-conductor", "conductor"), ("nova-scheduler", "scheduler"), ("nova-api", "api_os_compute"):
            self.start(name, self.python(name, f"nova.cmd.{command}", "--config-file", self.nova_folder / "nova.conf"))
        for port in GLANCE, NOVA, PLACEMENT:
            wait_for(lambda port=port: self.answers(port), f"port {port}", START)
        self.token = self.admin.token()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.popen.kill()

    def start(self, name, arguments, **more):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(self.directory),
                       "PYTHONDONTWRITEBYTECODE": "1"}
        process = Process([str(word) for word in arguments], self.directory / f"{name}.log",
                          env={**environment, **more.pop("env", {})}, **more)
        self.processes.append(process)
        return process

    @staticmethod
    def python(name, module, *words):
        """A program of OpenStack's: its entry point."""
        return [PYTHON, "-W", "ignore", "-c", f"import sys; sys.argv[0] = '{name}'; from {module} import main; sys.exit(main())",
                *words]

    @staticmethod
    def answers(port):
        try:
            connection = http.client.HTTPConnection(CONTROLLER, port, timeout=10)
            connection.request("GET", "/")
            return connection.getresponse().status
        except OSError:
            return None

    def start_rabbit(self):
        folder = self.directory / "rabbit"
        folder.mkdir()
        (folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 0.0.0.0:{RABBIT}\nloopback_users.guest = false\n")
        program_file = next(pathlib.Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
        self.start("rabbit", [program_file], env={
            "HOME": str(folder), "RABBITMQ_NODENAME": "cloud@localhost", "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"), "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"), "RABBITMQ_PID_FILE": str(folder / "pid")})

    def make_nova_tables(self):
        """In the background: it takes half a minute."""
        self.connections = {name: self.database.create(name) for name in ("nova_api", "nova", "nova_cell0", "glance")}
        write_ini(self.nova_folder / "tables.conf", {
            "DEFAULT": {"transport_url": f"rabbit://guest:guest@{CONTROLLER}:{RABBIT}/"},
            "database": {"connection": self.connections["nova"]}, "api_database": {"connection": self.connections["nova_api"]}})
        manage = " && ".join(f'"$@" {verb}' for verb in
                             ("api_db sync", "cell_v2 map_cell0", "db sync", "cell_v2 create_cell --name cell1"))
        with open(self.nova_folder / "manage.log", "wb") as log:
            return subprocess.Popen(["sh", "-c", manage, "sh", *map(str, self.python(
                "nova-manage", "nova.cmd.manage", "--config-file", self.nova_folder / "tables.conf"))],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def make_catalog(self):
        self.admin = openstack.Cloud(self.keystone)
        project = self.admin.prepare()  # with Placement's user
        if not self.admin.admin("GET", "/roles?name=service")["roles"]:
            self.admin.create("role", name="service")
        for user in "nova", "glance":
            self.admin.create_user(user, project, "admin")
        for name, kind, port, path in (("placement", "placement", PLACEMENT, ""), ("glance", "image", GLANCE, ""),
                                       ("nova", "compute", NOVA, "/v2.1"), ("neutron", "network", NEUTRON, "")):
            service = self.admin.create("service", type=kind, name=name)
            for interface in "public", "internal":
                self.admin.create("endpoint", service_id=service, region_id="RegionOne", interface=interface,
                                  url=f"http://{CONTROLLER}:{port}{path}")

    def start_placement(self, kind):
        if kind == "openstack":
            class Fixed(Placement):
                def start(self):
                    self.port = PLACEMENT
                    return super().start()
            Fixed(self.directory, self.database, keystone=self.keystone)
            return
        folder = self.directory / "placementd"
        folder.mkdir()
        write_ini(folder / "placementd.conf", {
            "placementd": {"listen": f"0.0.0.0:{PLACEMENT}", "database": folder / "placement.db"},
            "api": {"auth_strategy": "keystone"}, "keystone_authtoken": credentials(self.keystone, "placement")})
        self.start("placementd", [program("placementd"), "--config-file", folder / "placementd.conf"])

    def start_glance(self):
        folder = self.directory / "glance"
        (folder / "images").mkdir(parents=True)
        write_ini(folder / "glance.conf", {
            "DEFAULT": {"bind_host": "0.0.0.0", "bind_port": GLANCE, "workers": 1, "enabled_import_methods": "[]"},
            "database": {"connection": self.connections["glance"]},
            "glance_store": {"stores": "file", "default_store": "file", "filesystem_store_datadir": folder / "images"},
            "paste_deploy": {"flavor": "keystone", "config_file": self.packages / "glance-common/glance-api-paste.ini"},
            "keystone_authtoken": token_check(self.keystone, "glance")})
        openstack.tool(self.python("glance-manage", "glance.cmd.manage", "--config-file", str(folder / "glance.conf"), "db_sync"))
        self.start("glance", self.python("glance-api", "glance.cmd.api", "--config-file", folder / "glance.conf"))

    def write_nova_conf(self):
        mine = credentials(self.keystone, "nova")
        write_ini(self.nova_folder / "nova.conf", {
            "DEFAULT": {"debug": "true", "state_path": self.nova_folder, "my_ip": CONTROLLER, "osapi_compute_listen": "0.0.0.0",
                        "osapi_compute_listen_port": NOVA, "osapi_compute_workers": 1, "allow_resize_to_same_host": "true",
                        "transport_url": f"rabbit://guest:guest@{CONTROLLER}:{RABBIT}/", **SLOW_HOST},
            "api": {"auth_strategy": "keystone"},
            "wsgi": {"api_paste_config": self.packages / "nova-common/api-paste.ini"},
            "database": {"connection": self.connections["nova"]}, "api_database": {"connection": self.connections["nova_api"]},
            "oslo_concurrency": {"lock_path": self.nova_folder},
            "oslo_policy": {"enforce_scope": "false", "enforce_new_defaults": "false"},
            "conductor": {"workers": 1}, "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 5},
            "filter_scheduler": {"track_instance_changes": "false"}, "quota": {"driver": "nova.quota.NoopQuotaDriver"},
            "keystone_authtoken": token_check(self.keystone, "nova"),
            **{section: mine for section in ("placement", "glance", "neutron", "service_user", "cinder")}})

    # ---- the APIs, as admin: (an `openstack` command takes two seconds)

    def call(self, port, method, path, body=None, data=None, headers=(), also=()):
        """The JSON; None where the status is in `also`."""
        connection = http.client.HTTPConnection(CONTROLLER, port, timeout=600)
        try:
            connection.request(method, path, data if data is not None else json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json", "X-Auth-Token": self.token, **dict(headers)})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status in also:
            return None
        if answer.status >= 300:
            raise Refused(f"{method} {path}: {answer.status} {text.decode(errors='replace')[:500]}")
        return json.loads(text) if text else None

    def nova(self, method, path, body=None, **more):
        return self.call(NOVA, method, "/v2.1" + path, body, headers={"OpenStack-API-Version": "compute 2.93"}, **more)

    def placement(self, method, path, body=None, **more):
        return self.call(PLACEMENT, method, path, body, headers={"OpenStack-API-Version": "placement 1.39"}, **more)

    def image(self, name, data, kind="raw", container="bare", **properties):
        """Its id."""
        image = self.call(GLANCE, "POST", "/v2/images", {
            "name": name, "disk_format": kind, "container_format": container, "visibility": "public", **properties})["id"]
        self.call(GLANCE, "PUT", f"/v2/images/{image}/file", data=data, headers={"Content-Type": "application/octet-stream"})
        wait_for(lambda: self.call(GLANCE, "GET", f"/v2/images/{image}")["status"] == "active", f"image {name}", 60)
        return image

    def server(self, server):
        """None: there is no such server."""
        answer = self.nova("GET", f"/servers/{server}", also=(404,))
        return answer and answer["server"]

    def allocation(self, consumer):
        """{provider's uuid: resources}"""
        return {provider: held["resources"] for provider, held in
                self.placement("GET", f"/allocations/{consumer}")["allocations"].items()}


# The compute host is some twenty times slower than a real one.
SLOW_HOST = {"rpc_response_timeout": 180, "long_rpc_timeout": 900, "service_down_time": 180}

