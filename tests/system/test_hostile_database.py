"""The database's file in the hands of others: deleted, replaced, cut, read without end."""
import contextlib
import os
import pathlib
import shutil
import sqlite3
import stat
import uuid

from support.case import SystemTest
from support.hostile import Writers, address_of
from support.pages import metrics
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
            return "\nplacementd_database_writable 1\n" in metrics(address)
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


HEADER, FRAME = 32, 24 + 4096  # bytes, of the write-ahead log


class TestDamagedLog(Database):
    """What stands behind the damage was acknowledged."""

    def setUp(self):
        super().setUp()
        self.start()
        reader = sqlite3.connect(self.file, isolation_level=None)  # else it may be folded
        self.addCleanup(reader.close)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM providers").fetchone()
        self.made, self.ends = [], []
        for _ in range(4):
            self.made.append(self.create()[0])
            self.ends.append(self.log.stat().st_size)
        self.assertEqual((self.ends[-1] - HEADER) % FRAME, 0)
        self.kill()
        self.folder = self.subdirectory("damaged")
        for name in "file", "log":
            setattr(self, name, pathlib.Path(shutil.copy(getattr(self, name), self.folder)))

    def damage(self, at):
        text = bytearray(self.log.read_bytes())
        text[at] ^= 1
        self.log.write_bytes(text)

    def refused(self, frame):
        before = self.log.read_bytes()
        for words in (["--listen", "127.0.0.1:0", "--auth", "noauth2", "--database", str(self.file)],
                      ["--check", str(self.file)],
                      ["--database", str(self.file), "--backup", str(self.folder / "copy")]):
            done = run([program("placementd"), *words])
            self.assertNotEqual(done.returncode, 0, words)
            self.assertIn(f"{self.log} is damaged at frame {frame} of ", done.stderr)
        self.assertEqual(self.log.read_bytes(), before)
        self.assertFalse((self.folder / "copy").exists())

    def frame_at(self, size):
        return (size - HEADER) // FRAME

    def test_in_a_page_and_the_way_out(self):
        self.damage(self.ends[0] + 24 + 100)  # the second transaction's first
        self.refused(self.frame_at(self.ends[0]) + 1)
        with contextlib.closing(sqlite3.connect(self.file)) as database:  # as the message says
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.start()
        self.assertEqual(self.there(), set(self.made[:1]))

    def test_in_the_head_of_a_frame(self):
        for offset in (0, 9, 17):  # the page's number, the salt, the checksum
            with self.subTest(offset):
                self.damage(self.ends[1] + offset)
                self.refused(self.frame_at(self.ends[1]) + 1)
                self.damage(self.ends[1] + offset)
        self.start()
        self.assertEqual(self.there(), set(self.made))

    def test_in_the_end_of_a_transaction(self):
        self.damage(self.ends[2] - 1)
        self.refused(self.frame_at(self.ends[2]))

    def test_in_its_header(self):
        """SQLite takes it for an empty log."""
        for at in (0, 10, 20, 30):
            with self.subTest(at):
                self.damage(at)
                self.refused(0)
                self.damage(at)

    def test_a_last_transaction_in_pieces_is_a_crash(self):
        """Whatever of it has reached the disk."""
        whole = self.log.read_bytes()
        for part in (whole[:-1], whole[:self.ends[2] + 30],
                     whole[:self.ends[2]] + bytes(FRAME) + whole[self.ends[2] + FRAME:],
                     whole[:self.ends[2] + 1] + b"x" + whole[self.ends[2] + 2:]):
            self.log.write_bytes(part)
            self.start()
            self.assertEqual(self.there(), set(self.made[:3]))
            self.stop()

    def test_a_check_beside_a_writer_finds_nothing(self):
        self.start()
        writers = Writers(address_of(self.placement.url), 4, 0.002)
        self.addCleanup(writers.stop)
        for _ in range(10):
            wait_for(lambda begin=writers.written: writers.written > begin + 20, "more")
            done = run([program("placementd"), "--check", str(self.file)])
            self.assertEqual(done.returncode, 0, done.stderr)
        writers.stop()


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
