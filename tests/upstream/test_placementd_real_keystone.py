"""placementd behind OpenStack's own Keystone."""
import re
import shutil

from openstack import Certificates, Cloud, Database, Keystone
from support.case import SystemTest
from support.placement import Placement as Client
from support.process import Process, program, wait_for


class PlacementdKeystone(SystemTest):
    def start(self, expiration=3600, certificate=None, cache=300):
        missing = [tool for tool in ("uwsgi_python3", "mariadb-install-db", "openssl")
                   if not shutil.which(tool)]
        if missing:
            self.skipTest(f"not installed: {', '.join(missing)}")
        database = Database(self.directory)
        self.addCleanup(database.stop)
        self.keystone = Keystone(self.directory, database, expiration,
                                 certificate=certificate)
        self.addCleanup(self.keystone.stop)
        self.cloud = Cloud(self.keystone)
        project = self.cloud.prepare()
        self.cloud.create_user("guest", project, "member")
        folder = self.subdirectory("placementd")
        lines = ["[api]", "auth_strategy = keystone", "[keystone_authtoken]",
                 f"auth_url = {self.keystone.url}/v3", "auth_type = password",
                 "username = placement", "password = placement-secret",
                 "project_name = service", "user_domain_name = Default",
                 "project_domain_name = Default", f"token_cache_time = {cache}"]
        if certificate:
            lines.append(f"cafile = {certificate[0].parent}/authority.pem")
        (folder / "placementd.conf").write_text("\n".join(lines) + "\n")
        process = Process([program("placementd"), "--listen", "127.0.0.1:0",
                           "--database", str(folder / "db"),
                           "--config-file", str(folder / "placementd.conf")],
                          folder / "placementd.log")
        self.addCleanup(self.end, process)
        line = process.wait_for_output("listening on")
        self.url = "http://" + re.search(r"127\.0\.0\.1:[0-9]+", line).group()

    def status(self, token):
        return Client(self.url, token).request("GET", "/resource_providers").status

    def test_who_may(self):
        self.start(cache=-1)
        admin = self.cloud.token()
        self.assertEqual(self.status(admin), 200)
        self.assertEqual(
            self.status(self.cloud.token("guest", "guest-secret", "service")), 403)
        refused = Client(self.url, "no-token").request("GET", "/resource_providers")
        self.assertEqual(refused.status, 401)
        self.assertEqual(refused.headers["WWW-Authenticate"],
                         f'Keystone uri="{self.keystone.url}/v3"')
        # A revoked token is refused at once, since nothing is remembered.
        self.cloud.admin("DELETE", "/auth/tokens", headers={"X-Subject-Token": admin})
        self.assertEqual(self.status(admin), 401)

    def test_keystone_goes_and_comes(self):
        self.start()
        known, new = self.cloud.token(), self.cloud.token()
        self.assertEqual(self.status(known), 200)
        self.keystone.stop()
        self.assertEqual(self.status(known), 200)
        self.assertEqual(self.status(new), 503)
        self.keystone.start()
        wait_for(lambda: self.status(new) == 200, "Keystone to be asked again")

    def test_tls_and_short_tokens(self):
        certificate = Certificates(self.directory).sign("keystone", "IP:127.0.0.1")
        # placementd's own token, too, lives no longer than this.
        self.start(expiration=8, certificate=certificate)
        short = self.cloud.token()
        self.assertEqual(self.status(short), 200)
        wait_for(lambda: self.status(short) == 401, "the token to expire")
        self.assertEqual(self.status(self.cloud.token()), 200)
