"""The database's file in the hands of others: deleted, replaced, cut, read without end."""
import contextlib
import os
import sqlite3
import stat
import urllib.request
import uuid

from support.case import SystemTest
from support.placement import start_placement
from support.process import program, run, wait_for


class Database(SystemTest):
    def setUp(self):
        super().setUp()
        self.folder = self.subdirectory("placement")
        self.file = self.folder / "placement.sqlite"
        self.log = self.folder / "placement.sqlite-wal"

    def start(self, *options):
        (self.folder / "placementd.log").unlink(missing_ok=True)  # of the server before
        self.placement = start_placement(self.folder, "--auth", "noauth2", *options)
        self.addCleanup(self.stop)
        return self.placement

    def stop(self):
        placement, self.placement = self.placement, None
        if placement:
            self.end(placement)

    def kill(self):
        self.placement.process.kill()
        self.placement = None

    def create(self, status=200):
        """A new provider; its uuid, and what the server said."""
        new = str(uuid.uuid4())
        response = self.placement.expect(status, "POST", "/resource_providers", {"name": new, "uuid": new})
        return new, response.body

    def there(self):
        return {p["uuid"] for p in self.placement.get("/resource_providers")["resource_providers"]}


class TestFileUnderTheServer(Database):
    def test_deleted_is_told_and_put_back_goes_on(self):
        self.start()
        first, _ = self.create()
        away = self.folder / "away"
        self.file.rename(away)
        for _ in range(2):
            _, text = self.create(503)
            self.assertIn(f"{self.file} was deleted or moved", text)
        self.assertEqual(self.there(), {first})
        away.rename(self.file)
        second, _ = self.create()
        self.assertEqual(self.there(), {first, second})
        self.kill()
        self.start()
        self.assertEqual(self.there(), {first, second})

    def test_replaced(self):
        self.start()
        first, _ = self.create()
        copy = self.folder / "copy"
        self.assertEqual(run([program("placementd"), "--database", str(self.file), "--backup", str(copy)]).returncode, 0)
        copy.rename(self.file)
        _, text = self.create(503)
        self.assertIn(f"{self.file} was replaced", text)
        self.kill()
        self.log.unlink(missing_ok=True)
        self.start()
        self.assertEqual(self.there(), {first})

    def test_log_deleted(self):
        self.start()
        first, _ = self.create()
        self.log.unlink()
        _, text = self.create(503)
        self.assertIn(f"{self.log} was deleted", text)
        self.assertEqual(self.there(), {first})

    def test_metrics_tell(self):
        self.start("--metrics-listen", "127.0.0.1:0")
        line = self.placement.process.wait_for_output("metrics on ")
        address = line.split("metrics on ")[1].split()[0]

        def writable():
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=20) as reply:
                return "\nplacementd_database_writable 1\n" in reply.read().decode()
        self.create()
        self.assertTrue(writable())
        self.file.unlink()
        self.create(503)
        self.assertFalse(writable())


class TestFileAtStart(Database):
    def refused(self, words):
        before = self.file.read_bytes()
        done = run([program("placementd"), "--listen", "127.0.0.1:0", "--auth", "noauth2", "--database", str(self.file)])
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(words, done.stderr)
        self.assertEqual(self.file.read_bytes(), before)

    def test_without_tables_is_refused(self):
        self.file.write_bytes(b"")
        self.refused("no tables of placementd")
        self.file.unlink()
        with contextlib.closing(sqlite3.connect(self.file)) as database:
            database.execute("PRAGMA journal_mode = WAL")
        self.refused("no tables of placementd")

    def test_new_one_is_whole_without_its_log(self):
        self.start()
        self.kill()
        self.log.unlink()
        self.start()
        self.assertEqual(self.there(), set())

    def test_when_idle_the_file_alone_is_everything(self):
        self.start()
        first, _ = self.create()
        wait_for(lambda: self.log.stat().st_size == 0, "the log to be folded into the tables")
        self.kill()
        self.log.unlink()
        self.start()
        self.assertEqual(self.there(), {first})


class TestReader(Database):
    def test_that_does_not_end_leaves_no_large_log_behind(self):
        self.start()
        self.create()
        reader = sqlite3.connect(self.file, isolation_level=None)
        self.addCleanup(reader.close)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM providers").fetchone()
        name = "x" * 190
        while self.log.stat().st_size < 17 << 20:
            for _ in range(100):
                new = str(uuid.uuid4())
                self.placement.expect(200, "POST", "/resource_providers", {"name": new + name[:150], "uuid": new})
        reader.close()
        self.create()
        wait_for(lambda: self.log.stat().st_size == 0, "the log to be folded into the tables")


class TestBackup(Database):
    def backup(self, path):
        return run([program("placementd"), "--database", str(self.file), "--backup", str(path)])

    def test_is_its_owners_and_follows_no_link(self):
        self.start()
        self.create()
        mask = os.umask(0)
        self.addCleanup(os.umask, mask)
        copy, link = self.folder / "copy", self.folder / "link"
        self.assertEqual(self.backup(copy).returncode, 0)
        self.assertEqual(stat.S_IMODE(copy.stat().st_mode), 0o600)
        link.symlink_to(self.folder / "elsewhere")
        done = self.backup(link)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("exists already", done.stderr)
        self.assertFalse((self.folder / "elsewhere").exists())
