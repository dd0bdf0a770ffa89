"""OpenStack's own Placement and Keystone, from Debian's packages, on loopback.

    with Database(directory) as database, Placement(directory, database) as placement:
        ... placement.url ...

Each service runs under uwsgi on a port that the kernel chose, its tables in a private
MariaDB (both fail under concurrent writers on SQLite) that listens on a socket file
only. All that they write is below one directory. What a process starts dies with it.
"""
import base64
import http.client
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import urllib.parse

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/system"))

from support.process import Process, wait_for  # noqa: E402

PYTHON = "/usr/bin/python3"  # Debian's modules are not in another one's path
START = 180.0  # seconds, on a busy machine


def tool(arguments, **more):
    """Runs one to its end; what it said is in the error when it failed."""
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False, **more)
    if done.returncode:
        raise RuntimeError(f"{arguments[0]}: {done.returncode}\n"
                           f"{done.stdout}{done.stderr}")
    return done.stdout


def me():
    return tool(["id", "-un"]).strip()


class Stopped:
    """What can be stopped more than once, and at the end of a with."""

    process = None

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.stop()

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None
        return 0


class Database(Stopped):
    """A MariaDB of our own. `durable`: a commit is on disk, as its default is."""

    def __init__(self, directory, durable=False):
        self.directory = pathlib.Path(directory) / "mariadb"
        self.directory.mkdir()
        self.socket = self.directory / "socket"
        data = self.directory / "data"
        tool(["mariadb-install-db", "--no-defaults", f"--user={me()}",
              # Two at a time would stumble over each other's tables in /tmp.
              f"--datadir={data}", f"--tmpdir={self.directory}", "--auth-root-authentication-method=normal",
              "--skip-test-db"])
        self.process = Process(
            ["/usr/sbin/mariadbd", "--no-defaults", f"--user={me()}",
             f"--datadir={data}", f"--socket={self.socket}", "--skip-networking",
             "--character-set-server=utf8mb3", "--max-connections=200",
             f"--innodb-flush-log-at-trx-commit={1 if durable else 0}"],
            self.directory / "mariadb.log")
        self.process.wait_for_output("ready for connections", START)

    def create(self, name):
        """An empty database; what SQLAlchemy calls it."""
        tool(["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root",
              "--execute", f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} "
                           "CHARACTER SET utf8mb3"])
        return (f"mysql+pymysql://root@localhost/{name}"
                f"?unix_socket={self.socket}&charset=utf8")


class Certificates:
    """An authority of our own, and what it has signed."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory) / "certificates"
        self.directory.mkdir()
        self.authority = self.directory / "authority.pem"
        self.key = self.directory / "authority.key"
        self.openssl("req", "-x509", "-keyout", self.key, "-out", self.authority,
                     "-subj", "/CN=test authority", "-days", "2")

    def openssl(self, *words):
        tool(["openssl", *map(str, words), *self.key_options(words[0])])

    @staticmethod
    def key_options(verb):
        if verb != "req":
            return []
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

    def sign(self, name, alternatives):
        """(certificate, key) for e.g. "DNS:localhost,IP:127.0.0.1"."""
        request, key, certificate, names = (self.directory / f"{name}.{suffix}" for
                                            suffix in ("csr", "key", "pem", "ext"))
        names.write_text(f"subjectAltName = {alternatives}\n")
        self.openssl("req", "-new", "-keyout", key, "-out", request, "-subj",
                     f"/CN={name}")
        self.openssl("x509", "-req", "-in", request, "-CA", self.authority, "-CAkey",
                     self.key, "-CAcreateserial", "-out", certificate, "-days", "2",
                     "-extfile", names)
        return certificate, key


class Service(Stopped):
    """A WSGI application under uwsgi. `certificate` (a pair) makes it TLS; `authority`
    then demands a certificate that it has signed from each client. `port` 0: any."""

    name = application = ""
    listen = address = "127.0.0.1"  # where it listens, and what others call that

    def __init__(self, directory, processes=1, certificate=None, authority=None):
        self.directory = pathlib.Path(directory) / self.name
        self.directory.mkdir()
        self.processes = processes
        self.certificate, self.authority = certificate, authority
        self.port = 0
        (self.directory / "application.wsgi").write_text(self.application)

    @property
    def url(self):
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://{self.address}:{self.port}"

    def environment(self):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("OS_", "PYTHON"))}
        return {**kept, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}

    def listen_options(self):
        address = f"{self.listen}:{self.port}"
        if not self.certificate:
            return ["--http-socket", address]
        parts = [address, *map(str, self.certificate)]
        if self.authority:
            parts += ["HIGH", f"!{self.authority}"]
        return ["--https-socket", ",".join(parts)]

    def start(self):
        """Starts it; again on the same port after a stop()."""
        log = self.directory / "uwsgi.log"
        log.write_text("")
        self.process = Process(
            ["uwsgi_python3", *self.listen_options(), "--wsgi-file",
             str(self.directory / "application.wsgi"), "--master", "--need-app",
             "--no-orphans", "--die-on-term", "--processes", str(self.processes),
             "--listen", "100", "--buffer-size", "65535", "--disable-logging",
             "--enable-threads", "--add-header", "Connection: close"],
            log, env=self.environment())
        line = self.process.wait_for_output("bound to TCP address", START)
        self.port = int(re.search(r"TCP address [0-9.]+:([0-9]+)", line).group(1))
        self.process.wait_for_output("spawned uWSGI worker", START)
        return self


class Keystone(Service):
    """With the user `admin` (password `admin-secret`) in the project `admin`."""

    name = "keystone"
    application = ("from keystone.server.wsgi import initialize_public_application\n"
                   "application = initialize_public_application()\n")

    def __init__(self, directory, database, expiration=3600, **more):
        super().__init__(directory, processes=2, **more)
        self.file = self.directory / "keystone.conf"
        self.file.write_text(
            f"[DEFAULT]\nlog_file = {self.directory}/keystone.log\n"
            f"[database]\nconnection = {database.create('keystone')}\n"
            f"[token]\nprovider = fernet\nexpiration = {expiration}\n"
            # No grace for tokens that have expired.
            "allow_expired_window = 0\n"
            "[identity]\npassword_hash_rounds = 4\nmax_password_length = 54\n"
            f"[fernet_tokens]\nkey_repository = {self.directory}/fernet\n"
            f"[fernet_receipts]\nkey_repository = {self.directory}/fernet\n"
            f"[credential]\nkey_repository = {self.directory}/credential\n")
        for folder in ("fernet", "credential"):
            self.write_keys(self.directory / folder)
        self.manage("db_sync")
        self.start()
        self.manage("bootstrap", "--bootstrap-password", "admin-secret",
                    "--bootstrap-region-id", "RegionOne",
                    "--bootstrap-public-url", f"{self.url}/v3",
                    # Where keystonemiddleware looks.
                    "--bootstrap-internal-url", f"{self.url}/v3")

    @staticmethod
    def write_keys(folder):
        """The staged key and the primary one, as `keystone-manage fernet_setup` does
        in six seconds."""
        folder.mkdir(mode=0o700)
        for number in ("0", "1"):
            (folder / number).write_bytes(base64.urlsafe_b64encode(os.urandom(32)))

    def environment(self):
        return {**super().environment(), "OS_KEYSTONE_CONFIG_DIR": str(self.directory),
                "OS_KEYSTONE_CONFIG_FILES": str(self.file)}

    def manage(self, *words):
        tool([PYTHON, "-W", "ignore", "/usr/bin/keystone-manage", "--config-file",
              str(self.file), *words], env=self.environment())


class Placement(Service):
    """With noauth2, or behind the Keystone given (whose user `placement` must exist).
    `settings` are further lines of its configuration."""

    name = "placement"
    application = ("import threading\n"
                   "from placement.wsgi import init_application\n"
                   "application = init_application()\n")

    def __init__(self, directory, database, keystone=None, processes=2, settings=(),
                 **more):
        super().__init__(directory, processes, **more)
        lines = [
            *settings, "[DEFAULT]", f"log_file = {self.directory}/placement.log",
            "[api]", f"auth_strategy = {'keystone' if keystone else 'noauth2'}",
            "[placement_database]", f"connection = {database.create('placement')}",
            "sync_on_startup = true", "max_pool_size = 25", "max_overflow = 100"]
        if keystone:
            lines += [
                "[keystone_authtoken]", f"www_authenticate_uri = {keystone.url}/v3",
                f"auth_url = {keystone.url}/v3", "auth_type = password",
                "username = placement", "password = placement-secret",
                "project_name = service", "user_domain_name = Default",
                "project_domain_name = Default",
                # A revoked token is refused at once.
                "token_cache_time = -1"]
            if keystone.certificate:
                lines.append(f"cafile = {keystone.certificate[0].parent}/authority.pem")
        (self.directory / "placement.conf").write_text("\n".join(lines) + "\n")
        (self.directory / "policy.yaml").write_text("{}\n")
        self.start()

    def environment(self):
        return {**super().environment(),
                "OS_PLACEMENT_CONFIG_DIR": str(self.directory)}


class Source(Placement):
    """Upstream's of another release, from a folder with its source."""

    def __init__(self, directory, database, source, settings=(), **more):
        self.source = source
        super().__init__(directory, database, processes=1, settings=settings, **more)

    def environment(self):
        return {**super().environment(), "PYTHONPATH": str(self.source),
                "PBR_VERSION": "99.0.0"}


class Cloud:
    """Administers a Keystone over HTTP: the command line takes seconds a call."""

    def __init__(self, keystone):
        parts = urllib.parse.urlsplit(keystone.url)
        self.address = parts.hostname, parts.port
        self.context = None
        if parts.scheme == "https":
            self.context = ssl.create_default_context(
                cafile=str(keystone.certificate[0].parent / "authority.pem"))

    def connect(self, host, port):
        if self.context:
            return http.client.HTTPSConnection(host, port, timeout=60,
                                               context=self.context)
        return http.client.HTTPConnection(host, port, timeout=60)

    def send(self, method, path, body=None, token=None, headers=None):
        """(status, headers, JSON)"""
        connection = self.connect(*self.address)
        try:
            connection.request(
                method, "/v3" + path, None if body is None else json.dumps(body),
                {"Content-Type": "application/json", **(headers or {}),
                 **({"X-Auth-Token": token} if token else {})})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, answer.headers, json.loads(text) if text else None
        finally:
            connection.close()

    def token(self, user="admin", password="admin-secret", project="admin"):
        domain = {"id": "default"}
        status, headers, answer = self.send("POST", "/auth/tokens", {"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": user, "domain": domain, "password": password}}},
            "scope": {"project": {"name": project, "domain": domain}}}})
        if status != 201:
            raise RuntimeError(f"token of {user}: {status} {answer}")
        return headers["X-Subject-Token"]

    def admin(self, method, path, body=None, headers=None):
        """As admin, with a token of its own; the JSON."""
        status, _, answer = self.send(method, path, body, self.token(), headers)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    def create(self, kind, **members):
        """Its id. `kind` is "user", "project", "role", "service", ..."""
        return self.admin("POST", f"/{kind}s", {kind: members})[kind]["id"]

    def find(self, kind, name):
        query = urllib.parse.urlencode({"name": name})
        return self.admin("GET", f"/{kind}s?{query}")[f"{kind}s"][0]["id"]

    def create_user(self, name, project_id, role):
        """Its password is NAME-secret; its id."""
        user = self.create("user", name=name, password=f"{name}-secret",
                           domain_id="default", default_project_id=project_id)
        self.admin("PUT", f"/projects/{project_id}/users/{user}/roles/"
                          f"{self.find('role', role)}")
        return user

    def create_endpoints(self, url, interfaces=("public", "internal")):
        """Placement's, in the catalog."""
        service = self.create("service", type="placement", name="placement")
        for interface in interfaces:
            self.create("endpoint", service_id=service, region_id="RegionOne",
                        interface=interface, url=url)

    def prepare(self):
        """The project `service` with Placement's own user; the project's id."""
        project = self.create("project", name="service", domain_id="default")
        self.create_user("placement", project, "admin")
        return project


__all__ = ["Certificates", "Cloud", "Database", "Keystone", "Placement", "Source",
           "wait_for"]
