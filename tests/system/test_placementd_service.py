"""placementd as a service: HTTPS, metrics, signals, the log."""
import contextlib
import http.client
import os
import pwd
import re
import shutil
import signal
import sqlite3
import ssl
import subprocess
import threading
import uuid

from support.case import SystemTest
from support.placement import Placement
from support.process import Process, program, run, wait_for


class Service(SystemTest):
    def start(self, *arguments, configuration=""):
        self.folder = self.subdirectory("server")
        (self.folder / "placementd.conf").write_text(configuration)
        self.process = Process(
            [program("placementd"), "--listen", "127.0.0.1:0", "--auth", "noauth2",
             "--database", str(self.folder / "db"),
             "--config-file", str(self.folder / "placementd.conf"), *arguments],
            self.folder / "placementd.log")
        self.addCleanup(self.end, self.process)
        line = self.process.wait_for_output("listening on")
        self.address = re.search(r"127\.0\.0\.1:[0-9]+", line).group()
        return Placement(f"http://{self.address}")

    def make_pair(self, folder, name):
        """A certificate of its own authority, as folder/cert and folder/key."""
        if not shutil.which("openssl"):
            self.skipTest("openssl is not installed")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
             f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", folder / "key", "-out", folder / "cert"],
            check=True, capture_output=True)

    def test_https(self):
        pem = self.subdirectory("pem")
        self.make_pair(pem, "localhost")
        self.start("--cert", str(pem / "cert"), "--key", str(pem / "key"))
        context = ssl.create_default_context(cafile=str(pem / "cert"))
        connection = http.client.HTTPSConnection(self.address, timeout=20,
                                                 context=context)
        self.addCleanup(connection.close)
        name = str(uuid.uuid4())
        for method, path, body in (
                ("GET", "/", None), ("PUT", "/traits/CUSTOM_X", None),
                ("POST", "/resource_providers", f'{{"name": "{name}"}}')):
            connection.request(method, path, body, {
                "X-Auth-Token": "admin", "Content-Type": "application/json",
                "OpenStack-API-Version": "placement 1.39"})
            response = connection.getresponse()
            response.read()
            self.assertIn(response.status, (200, 201))
        bad = run([program("placementd"), "--listen", "127.0.0.1:0", "--auth", "noauth2",
                   "--database", str(pem / "db"), "--cert", str(pem / "cert")])
        self.assertIn("--key", bad.stderr)

    def test_a_renewed_certificate(self):
        used, first, second = (self.subdirectory(name) for name in ("used", "one", "two"))
        self.make_pair(first, "first")
        self.make_pair(second, "second")

        def install(certificate, key):
            shutil.copy(certificate, used / "cert")
            shutil.copy(key, used / "key")

        def reload(result):
            self.process.popen.send_signal(signal.SIGHUP)
            self.process.wait_for_output(result)

        def connect(trusted):
            connection = http.client.HTTPSConnection(
                self.address, timeout=20,
                context=ssl.create_default_context(cafile=str(trusted / "cert")))
            self.addCleanup(connection.close)
            connection.request("GET", "/")
            self.assertEqual(connection.getresponse().read()[:1], b"{")
            return connection

        install(first / "cert", first / "key")
        self.start("--cert", str(used / "cert"), "--key", str(used / "key"))
        old = connect(first)
        install(second / "cert", second / "key")
        connect(first)  # nobody has told it yet
        reload("certificate: read again")
        connect(second)
        with self.assertRaises(ssl.SSLError):
            connect(first)
        old.request("GET", "/")
        self.assertEqual(old.getresponse().status, 200)
        # What is wrong leaves what was there.
        for certificate, key, line in (
                (first / "cert", second / "key",
                 f"{used}/key is not the key of the certificate in {used}/cert"),
                (first / "key", first / "key", f"{used}/cert: no certificate in PEM"),
                (first / "cert", first / "cert", f"{used}/key: no key in PEM")):
            install(certificate, key)
            reload(f"certificate: not read again: {line}")
            connect(second)
        install(first / "cert", first / "key")
        (used / "key").unlink()
        reload(f"not read again: {used}/key")
        connect(second)
        refused = run([program("placementd"), "--listen", "127.0.0.1:0", "--auth",
                       "noauth2", "--database", str(used / "db"), "--cert",
                       str(second / "cert"), "--key", str(first / "key")])
        self.assertIn("is not the key of the certificate", refused.stderr)
        self.assertNotEqual(refused.returncode, 0)

    def test_metrics(self):
        server = self.start("--metrics-listen", "127.0.0.1:0")
        line = self.process.wait_for_output("metrics on")
        metrics = Placement("http://" + re.search(r"127\.0\.0\.1:[0-9]+", line).group())
        for number in range(3):
            server.create_provider(f"n{number}", str(uuid.uuid4()))
        server.request("GET", "/nothing")
        text = metrics.request("GET", "/metrics").body
        self.assertIn('placementd_requests_total{method="POST",status="200"} 3\n', text)
        self.assertIn('placementd_requests_total{method="GET",status="404"} 1\n', text)
        self.assertIn("placementd_providers 3\n", text)
        self.assertIn("placementd_failed_commits_total 0\n", text)
        self.assertEqual(metrics.request("GET", "/resource_providers").status, 404)

    def test_the_log_has_a_line_for_each_request(self):
        server = self.start()
        answer = server.request("GET", "/resource_providers?name=a%0ab")
        line = self.process.wait_for_output(answer.headers["X-Openstack-Request-Id"])
        self.assertIn('127.0.0.1 "GET /resource_providers?name=a%0ab" status=200 ', line)
        self.assertIn(f"len={len(answer.body)} microversion=1.39 ", line)
        self.assertNotIn("global", line)

    def test_the_log_has_the_id_that_the_client_gave(self):
        """As Nova does for all that it asks in one request of its own."""
        self.start()
        whole = f"req-{uuid.uuid4()}"
        for given, expected in ((whole, f" global={whole}"), (f"{whole}x", ""), ("x y", "")):
            connection = http.client.HTTPConnection(self.address, timeout=20)
            self.addCleanup(connection.close)
            connection.request("GET", "/", headers={"X-Openstack-Request-Id": given})
            own = connection.getresponse().headers["X-Openstack-Request-Id"]
            self.assertNotEqual(own, given)
            line = self.process.wait_for_output(f"request={own}")
            self.assertTrue(line.rstrip().endswith(f"request={own}{expected}"), line)

    def test_the_log_of_requests_can_be_turned_off(self):
        server = self.start("--no-access-log")
        server.request("GET", "/resource_providers")
        self.assertEqual(len(self.process.output().splitlines()), 1)

    def test_it_is_configured_as_openstacks_own(self):
        """By placement.conf in a folder, policy.yaml beside it, and the environment."""
        folder = self.subdirectory("etc")
        (folder / "placement.conf").write_text(
            "[DEFAULT]\ndebug = false\n[api]\nauth_strategy = keystone\n"
            f"[placement_database]\nconnection = sqlite:///{folder}/placement.db\n"
            "[oslo_policy]\nenforce_new_defaults = true\nenforce_scope = true\n"
            "[cors]\nallowed_origin = http://valid.example.com\n")
        (folder / "policy.yaml").write_text('"placement:traits:list": "@"\n')
        process = Process([program("placementd")], folder / "log", env={
            **os.environ, "OS_PLACEMENT_CONFIG_DIR": str(folder),
            "OS_API__AUTH_STRATEGY": "noauth2", "OS_PLACEMENTD__LISTEN": "127.0.0.1:0"})
        self.addCleanup(self.end, process)
        line = process.wait_for_output("listening on")
        server = Placement("http://" + re.search(r"127\.0\.0\.1:[0-9]+", line).group())
        self.assertTrue((folder / "placement.db").exists())
        self.assertEqual(server.request("GET", "/resource_providers").status, 200)
        server.token = "user"
        self.assertEqual(server.request("GET", "/resource_providers").status, 403)
        self.assertEqual(server.request("GET", "/traits").status, 200)

    def test_what_only_an_edit_mends(self):
        """systemd's unit does not try again after these; its journal shows why."""
        folder = self.subdirectory("wrong")
        base, conf = folder / "base", folder / "conf"
        policy, garbage = folder / "rules.yaml", folder / "garbage"
        policy.write_text('"placement:traits:list": "role"\n')
        garbage.write_text("no database\n" * 100)
        files = (("[placementd]\nlisten = nowhere\n", "conf:2: placementd.listen: "),
                 ("[api]\nauth_strategy = keystone\n", "auth_url is not set"),
                 ("[placementd]\nlisten = 0.0.0.0:0\n", "only on loopback"),
                 ("[placementd]\ncert = /nowhere\n", "HTTPS needs both"),
                 ("[placementd]\ncert = /nowhere\nkey = /nothing\n", "the certificate: /nowhere: No such file"),
                 (f"[placementd]\ncert = {garbage}\nkey = /nothing\n",
                  "the certificate's key: /nothing: No such file"),
                 ("[placementd]\nlog_file = /nowhere/log\n", "placementd.log_file: /nowhere/log: No such file"),
                 ("[oslo_policy]\npolicy_file = /nowhere\n", "/nowhere"),
                 (f"[placementd]\ndatabase = {folder}\n", f"{folder}: not a regular file"),
                 (f"[oslo_policy]\npolicy_file = {policy}\n", "expected WORD:TEXT"),
                 (f"[placementd]\ndatabase = {garbage}\n", str(garbage)))
        words = (["--listen", "nowhere"], "--listen: "), (["--auth", "all"], "--auth: ")
        for text, arguments, said, status in (
                *((text, [], said, os.EX_CONFIG) for text, said in files),
                *(("", arguments, said, os.EX_USAGE) for arguments, said in words)):
            base.write_text(f"[api]\nauth_strategy = noauth2\n[placementd]\nlisten = 0\ndatabase = {folder}/db\n")
            conf.write_text(text)
            with open(folder / "log", "w", encoding="utf-8") as log:
                stream = os.fstat(log.fileno())
                done = subprocess.run(
                    [program("placementd"), "--config-file", base, "--config-file", conf, *arguments],
                    stderr=log, check=False, timeout=20,
                    env={**os.environ,
                         "JOURNAL_STREAM": f"{stream.st_dev}:{stream.st_ino}"})
            (line,) = (folder / "log").read_text().splitlines()
            self.assertEqual((line[:15], done.returncode), ("<3>placementd: ", status), line)
            self.assertIn(said, line)

    def test_misspelt_options_get_a_hint(self):
        for words, said in ((["--listn", "x"], "there is no option --listn; did you mean --listen?"),
                            (["--databse=x"], "there is no option --databse; did you mean --database?"),
                            (["--something"], "there is no option --something; --help lists them"),
                            (["-x"], "there is no option -x; --help lists them"),
                            (["--listen"], "--listen needs a value"),
                            (["--no-access-log=1"], "--no-access-log=1: this option takes no value"),
                            (["start"], "start: not an option; --help lists them")):
            done = run([program("placementd"), *words])
            self.assertEqual((done.returncode, done.stderr), (os.EX_USAGE, f"placementd: {said}\n"))
        helped = run([program("placementd"), "-h"])
        self.assertEqual((helped.returncode, helped.stderr), (0, ""))
        self.assertEqual(helped.stdout.count("Options of the"), 1)

    def test_the_databases_folder(self):
        """Which one it is, and whose it must be."""
        folder = self.subdirectory("place")
        who = pwd.getpwuid(os.geteuid()).pw_name
        for path, said in ((folder / "none/db", f"the folder {folder}/none is not there; it must be made, and belong to "
                                                f"the user {who}"),
                           ("/proc/version/db", "/proc/version is not a folder")):
            done = run([program("placementd"), "--listen", "0", "--auth", "noauth2", "--database", str(path)])
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(done.stderr, f"placementd: {path}: {said}\n")
        if os.geteuid() == 0:
            shut = folder / "shut"
            shut.mkdir(mode=0o700)
            folder.chmod(0o755)
            shut.chmod(0o755)
            self.directory.chmod(0o755)
            # Where everybody may run it: the checkout can be in a folder of root's alone.
            copied = shutil.copy2(program("placementd"), folder)
            done = subprocess.run([copied, "--listen", "0", "--auth", "noauth2", "--database", shut / "db"],
                                  user=65534, group=65534, extra_groups=[], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr),
                             (os.EX_NOPERM, f"placementd: {shut}/db: the user nobody may not write in the folder {shut}, "
                                            "which belongs to root\n"))

    def test_by_hand_it_reads_its_own_file(self):
        """As the unit does, and it says so; unless files or a database are named. /etc is one of the test's own."""
        etc = self.subdirectory("etc")
        (etc / "placementd").mkdir()
        (etc / "placementd/placementd.conf").write_text(
            "[placementd]\nlisten = 127.0.0.1:0\n[api]\nauth_strategy = noauth2\n[placement_database]\n"
            f"connection = sqlite:///{self.directory}/of-etc.db\n")
        own = f"mount --bind {etc} /etc && exec \"$@\""
        inside = ["unshare", "--map-root-user", "--mount", "sh", "-c", own, "sh"]
        if not shutil.which("unshare") or run([*inside, "true"]).returncode != 0:
            self.skipTest("no mounts of our own can be made here")
        said = "reads /etc/placementd/placementd.conf"
        process = Process([*inside, program("placementd")], self.directory / "by-hand.log")
        self.addCleanup(self.end, process)
        process.wait_for_output("listening on")
        self.assertIn(said, process.output())
        self.assertTrue((self.directory / "of-etc.db").exists())
        copy = self.directory / "copy.db"
        self.assertIn(said, run([*inside, program("placementd"), "--backup", str(copy)]).stderr)
        self.assertTrue(copy.exists())
        for options in (["--database", str(self.directory / "x.db"), "--listen", "nowhere"],
                        ["--config-file", "/etc/none"], ["--config-dir", str(self.subdirectory("dir"))]):
            self.assertNotIn(said, run([*inside, program("placementd"), *options]).stderr)

    def test_the_log_file_is_opened_again(self):
        folder = self.subdirectory("log")
        log, old = folder / "placementd.log", folder / "placementd.log.1"
        (folder / "conf").write_text(f"[placementd]\nlog_file = {log}\n")
        process = Process(
            [program("placementd"), "--listen", "127.0.0.1:0", "--auth", "noauth2",
             "--database", str(folder / "db"), "--config-file", str(folder / "conf")],
            folder / "stderr")
        self.addCleanup(self.end, process)
        wait_for(lambda: log.exists() and "listening" in log.read_text(), "the log")
        self.assertRegex(log.read_text(), r"^[0-9-]{10}T[0-9:]{8}Z info ")
        url = "http://" + re.search(r"127\.0\.0\.1:[0-9]+", log.read_text()).group()
        log.rename(old)
        before = old.read_text()
        process.popen.send_signal(signal.SIGHUP)
        wait_for(lambda: log.exists() and "read again" in log.read_text(), "a new log")
        Placement(url).request("GET", "/")
        wait_for(lambda: '"GET /"' in log.read_text(), "a line in it")
        self.assertEqual(old.read_text(), before)

    def test_the_policy_is_read_again(self):
        policy = self.subdirectory("policy") / "policy.yaml"
        policy.write_text("{}")
        server = self.start(configuration=f"[oslo_policy]\npolicy_file = {policy}\n")
        server.token = "user"
        self.assertEqual(server.request("GET", "/resource_providers").status, 403)
        policy.write_text('"placement:resource_providers:list": "@"\n')
        self.process.popen.send_signal(signal.SIGHUP)
        self.process.wait_for_output("read again")
        self.assertEqual(server.request("GET", "/resource_providers").status, 200)
        # One that is wrong leaves the old one.
        policy.write_text('"placement:resource_providers:list": "role"\n')
        self.process.popen.send_signal(signal.SIGHUP)
        self.process.wait_for_output("not read again")
        self.assertEqual(server.request("GET", "/resource_providers").status, 200)

    def test_what_has_begun_is_answered_at_the_end(self):
        server = self.start()
        answers = []

        def write():
            while True:
                name = str(uuid.uuid4())
                try:
                    response = server.request("POST", "/resource_providers",
                                              {"name": name, "uuid": name})
                except (OSError, http.client.HTTPException):
                    return
                answers.append((name, response.status))

        writers = [threading.Thread(target=write) for _ in range(4)]
        for writer in writers:
            writer.start()
        wait_for(lambda: len(answers) > 20, "some writes")
        self.assertEqual(self.process.stop(), 0)
        for writer in writers:
            writer.join()
        # What came after the signal may be told that the server is being stopped.
        self.assertLessEqual({status for _, status in answers}, {200, 503})
        checked = run([program("placementd"), "--check", str(self.folder / "db")])
        self.assertEqual(checked.returncode, 0, checked.stderr)
        with contextlib.closing(sqlite3.connect(self.folder / "db")) as database:
            there = {name for name, in database.execute("SELECT name FROM providers")}
        for name, status in answers:
            self.assertEqual(name in there, status == 200)
