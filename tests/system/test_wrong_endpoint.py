"""What answers is not what was meant: each such error is one line that names the URL and what to try."""
import shutil
import subprocess

from support.case import SystemTest
from support.process import Process, program, run


class WrongEndpoint(SystemTest):
    def setUp(self):
        super().setUp()
        if not shutil.which("openssl"):
            self.skipTest("openssl is not installed")
        self.sysfs = self.subdirectory("sys")
        self.id = self.directory / "compute_id"
        self.id.write_text("aaaaaaaa-0000-4000-8000-000000000001\n")
        self.certificates = {name: self.make_certificate(name) for name in ("localhost", "other.example")}

    def make_certificate(self, name):
        folder = self.subdirectory(name)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", folder / "key", "-out",
             folder / "cert"], check=True, capture_output=True)
        return folder

    def serve(self, *options):
        """The port of a placementd of its own."""
        folder = self.subdirectory("server")
        process = Process([program("placementd"), "--listen", "127.0.0.1:0", "--auth", "noauth2", "--database",
                           str(folder / "db"), *options], folder / "log")
        self.addCleanup(process.kill)
        return process.wait_for_output("listening on").rsplit(":", 1)[1].strip()

    def serve_tls(self, name):
        return self.serve("--cert", str(self.certificates[name] / "cert"), "--key", str(self.certificates[name] / "key"))

    def ask(self, url, **options):
        file = self.directory / "agent.conf"
        lines = "".join(f"{name} = {value}\n" for name, value in options.items())
        file.write_text(f"[agent]\nlibvirt = false\nsysfs_root = {self.sysfs}\ncompute_id_file = {self.id}\n"
                        f"state_file = {self.directory}/state.json\n"
                        f"[placement]\nauth_type = admin_token\ntoken = admin\nendpoint_override = {url}\n{lines}")
        done = run([program("vgpu-agent"), "--config-file", str(file), "tree"])
        self.assertNotEqual(done.returncode, 0, done.stdout)
        (line,) = done.stderr.splitlines()
        return line

    def assert_says(self, line, url, hint):
        self.assertTrue(line.startswith(f"vgpu-agent: GET {url}/: "), line)
        self.assertTrue(line.endswith(f"; {hint}"), line)

    def test_tls_and_plain(self):
        plain, secure = self.serve(), self.serve_tls("localhost")
        url = f"https://localhost:{plain}"
        self.assert_says(self.ask(url), url, "does it speak plain http:// there?")
        url = f"http://localhost:{secure}"
        self.assert_says(self.ask(url), url, "does it speak https:// there?")

    def test_certificates_that_are_not_trusted(self):
        port = self.serve_tls("localhost")
        url = f"https://localhost:{port}"
        authority = "expected cafile with the certificate of its authority (PEM)"
        self.assert_says(self.ask(url), url, authority)
        self.assert_says(self.ask(url, cafile=self.certificates["other.example"] / "cert"), url,
                         "its authority is not in cafile")
        url = f"https://localhost:{self.serve_tls('other.example')}"
        self.assert_says(self.ask(url, cafile=self.certificates["other.example"] / "cert"), url,
                         "the URL must have a name that the certificate is made for")

    def test_the_right_one_in_capitals(self):
        """As curl takes it: the server is asked, and has no such provider."""
        line = self.ask(f"Http://LOCALHOST:{self.serve()}")
        self.assertIn("aaaaaaaa-0000-4000-8000-000000000001", line)
        self.assertNotIn(" GET ", line)

    def test_a_wrong_path(self):
        url = f"http://localhost:{self.serve()}"
        line = self.ask(f"{url}/placement")
        self.assert_says(line, f"{url}/placement",
                         "endpoint_override must name Placement, as http://HOST/placement or http://HOST:8778")
