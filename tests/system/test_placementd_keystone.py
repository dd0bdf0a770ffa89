"""placementd with `auth_strategy = keystone`, against a Keystone that does as it is told."""
import re
import threading
import time

from support.case import SystemTest
from support.files import replace
from support.keystone import Keystone
from support.placement import Placement, own_placement
from support.process import Process, preloaded, program, wait_for
from support.transfer import Cloud, transfer


class KeystoneAuth(SystemTest):
    def setUp(self):
        super().setUp()
        self.keystone = Keystone()
        self.addCleanup(self.keystone.stop)

    def start(self, password="secret", cache=300, **more):
        folder = self.subdirectory("server")
        configuration = folder / "placementd.conf"
        configuration.write_text(
            self.keystone.configuration(password) + f"token_cache_time = {cache}\n")
        process = Process([program("placementd"), "--listen", "127.0.0.1:0",
                           "--database", str(folder / "db"),
                           "--config-file", str(configuration)],
                          folder / "placementd.log", **more)
        self.addCleanup(self.end, process)
        line = process.wait_for_output("listening on 127.0.0.1:")
        self.log = process
        self.address = re.search(r"127\.0\.0\.1:[0-9]+", line).group()

    def ask(self, token, path="/resource_providers"):
        return Placement(f"http://{self.address}", token).request("GET", path)

    def test_whom_a_token_belongs_to(self):
        self.keystone.users = {"good": (["admin", "member"], 600),
                               "poor": (["member"], 600)}
        self.start()
        self.assertEqual(self.ask("x", "/").status, 200)
        self.assertEqual(self.ask("good").status, 200)
        self.assertEqual(self.ask("poor").status, 403)
        refused = self.ask("bad")
        self.assertEqual(refused.status, 401)
        self.assertEqual(refused.json()["error"]["code"], 401)
        self.assertEqual(refused.headers["WWW-Authenticate"],
                         'Keystone uri="http://keystone.example:5000"')
        self.assertEqual(self.ask("").status, 401)
        # Each was asked for once; answers are remembered, the bad ones too.
        for token in ("good", "poor", "bad", "good"):
            self.ask(token)
        self.assertEqual(sorted(self.keystone.asked), ["bad", "good", "poor"])

    def test_tokens_end(self):
        self.keystone.users = {"short": (["admin"], 2), "old": (["admin"], -1)}
        self.start()
        self.assertEqual(self.ask("old").status, 401)
        self.assertEqual(self.ask("short").status, 200)
        del self.keystone.users["short"]
        wait_for(lambda: self.ask("short").status == 401, "the token to expire")

    def test_tokens_that_have_expired_when_the_answer_comes(self):
        """Keystone calls them valid: its clock and ours differ."""
        self.keystone.users = {f"past{number}": (["admin"], -3600) for number in range(9)}
        self.keystone.users["good"] = (["admin"], 600)
        self.start()
        tokens = [*self.keystone.users]
        began = int(time.time())
        for token in tokens:
            self.assertEqual(self.ask(token).status, 401 if token != "good" else 200)
        passed = int(time.time()) - began
        self.assertEqual(self.keystone.asked, tokens)
        said = [line for line in self.log.output().splitlines() if "clock" in line]
        self.assertEqual(len(said), 1, said)
        # A second that begins between question and answer is Keystone's, whose time counts from the answer.
        late = int(re.search(r"had expired (\d+) s before", said[0])[1])
        self.assertTrue(3600 - passed <= late <= 3600, (late, passed))

    def test_without_a_second_of_memory(self):
        self.keystone.users = {"good": (["admin"], 600)}
        self.start(cache=0)
        for _ in range(3):
            self.assertEqual(self.ask("good").status, 200)
        self.assertEqual(self.keystone.asked, ["good"] * 3)

    def test_the_clock_is_set(self):
        self.keystone.users = {"good": (["admin"], 600), "long": (["admin"], 86400)}
        steps = self.subdirectory("clock") / "steps"
        steps.write_text("3600 0")
        self.start(env=preloaded("clock_step", CLOCK_STEP=str(steps)))
        self.assertEqual(self.ask("good").status, 401)
        self.assertEqual(self.ask("long").status, 200)
        for step in (1800, 3600, 0):  # what is remembered would last longer than it may, or is over
            replace(steps, f"{step} 0")
            self.keystone.asked.clear()
            self.assertEqual(self.ask("long").status, 200)
            self.assertEqual(self.ask("long").status, 200)
            self.assertEqual(self.keystone.asked, ["long"])
        self.assertEqual(self.ask("good").status, 200)

    def test_a_clock_that_is_set_back_again_and_again(self):
        """It stands still, so that by it no answer is ever over."""
        self.keystone.users = {"long": (["admin"], 86400)}
        steps = self.subdirectory("clock") / "steps"
        steps.write_text("0 0")
        self.start(cache=3, env=preloaded("clock_step", CLOCK_STEP=str(steps)))
        self.assertEqual(self.ask("long").status, 200)
        learned = time.monotonic()

        def asked_again():
            replace(steps, f"{-int(time.monotonic() - learned)} 0")
            self.assertEqual(self.ask("long").status, 200)
            return self.keystone.asked == ["long", "long"]

        wait_for(asked_again, "Keystone to be asked again")

    def test_the_clock_is_set_back_while_a_request_waits(self):
        self.keystone.users = {"long": (["admin"], 86400)}
        steps = self.subdirectory("clock") / "steps"
        steps.write_text("3600 0")
        self.start(env=preloaded("clock_step", CLOCK_STEP=str(steps)))
        self.keystone.gate.clear()
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(self.ask("long").status))
        waiting.start()
        wait_for(lambda: self.keystone.waiting, "Keystone to be asked")
        replace(steps, "0 0")
        self.keystone.gate.set()
        waiting.join()
        self.assertEqual(answers, [200])
        self.assertEqual(self.keystone.asked, ["long"])

    def test_without_memory_every_request_is_asked(self):
        self.keystone.users = {"good": (["admin"], 600)}
        self.start(cache=-1)
        for _ in range(3):
            self.assertEqual(self.ask("good").status, 200)
        self.assertEqual(self.keystone.asked, ["good"] * 3)
        del self.keystone.users["good"]
        self.assertEqual(self.ask("good").status, 401)

    def test_keystone_is_down(self):
        self.keystone.users = {"good": (["admin"], 600), "other": (["admin"], 600)}
        self.start()
        self.assertEqual(self.ask("good").status, 200)
        self.keystone.status = 500
        answer = self.ask("other")
        self.assertEqual(answer.status, 503)
        self.assertEqual(answer.json()["code"], "503 Service Unavailable")
        # What is known serves on, and what is not is asked again.
        self.assertEqual(self.ask("good").status, 200)
        self.keystone.status = None
        self.assertEqual(self.ask("other").status, 200)

    def test_wrong_credentials_of_our_own(self):
        self.keystone.users = {"good": (["admin"], 600)}
        self.start(password="wrong")
        self.assertEqual(self.ask("good").status, 503)
        self.assertNotIn("wrong", self.log.output())

    def test_our_own_token_was_revoked(self):
        self.keystone.users = {"good": (["admin"], 600), "other": (["admin"], 600)}
        self.start()
        self.assertEqual(self.ask("good").status, 200)
        self.keystone.own.clear()
        self.assertEqual(self.ask("other").status, 200)

    def test_the_token_of_a_transfer_is_revoked(self):
        """--export gets a new one; what was under way with the old one is sent again."""
        self.keystone.users = {f"own-{number}": (["admin"], 600) for number in range(99)}
        self.start(cache=-1)
        source = own_placement(self.subdirectory("from"))
        self.addCleanup(self.end, source)
        Cloud(source, 4, 2, 10)
        (database,) = self.directory.glob("from-*/placement.sqlite")
        relay, revoked = self.start_relay(Placement(f"http://{self.address}")), []

        def rule(request):
            if request.path.endswith("/inventories") and request.method == "PUT" and not revoked:
                revoked.append(self.keystone.asked[-1])
                del self.keystone.users[revoked[0]]
        relay.rule = rule
        done = transfer(database, "--export", relay.url, auth_type="password", user_domain_id="default",
                        project_name="admin", project_domain_id="default", username="admin",
                        password="secret", auth_url=f"{self.keystone.url}/v3")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("refused", done.stdout)
        self.assertGreaterEqual([r.status for r in relay.requests].count(401), 1)
        self.assertEqual(len(set(self.keystone.asked)), 2)

    def test_a_slow_keystone_stops_nobody_else(self):
        self.keystone.users = {"good": (["admin"], 600), "slow": (["admin"], 600)}
        self.start()
        self.assertEqual(self.ask("good").status, 200)
        self.keystone.gate.clear()
        answers = []
        waiting = [threading.Thread(target=lambda: answers.append(
            self.ask("slow").status)) for _ in range(4)]
        for thread in waiting:
            thread.start()
        begin = time.monotonic()
        for _ in range(10):
            self.assertEqual(self.ask("good").status, 200)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(answers, [])
        self.keystone.gate.set()
        for thread in waiting:
            thread.join()
        self.assertEqual(answers, [200] * 4)
        # All four waited for one answer.
        self.assertEqual(self.keystone.asked.count("slow"), 1)

    def test_restricted_credentials(self):
        self.start()
        real = Keystone.token
        self.keystone.users = {"good": (["admin"], 600)}
        self.keystone.token = lambda roles, seconds: real(
            roles, seconds, application_credential={"id": "x", "access_rules": []})
        self.assertEqual(self.ask("good").status, 401)

    def test_options_that_are_missing(self):
        folder = self.subdirectory("server")
        process = Process([program("placementd"), "--listen", "127.0.0.1:0",
                           "--database", str(folder / "db"), "--auth", "keystone"],
                          folder / "placementd.log")
        self.assertNotEqual(process.popen.wait(20), 0)
        self.assertIn("keystone_authtoken", process.output())
