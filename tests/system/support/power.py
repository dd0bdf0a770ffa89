"""A machine that loses power: of what a program has written, only that is sure to be on
disk which it has synchronised (tests/system/power_cut.c)."""
import os
import shutil

from .process import preloaded

SECTOR = 512  # what a disk writes whole


class Power:
    """Stands for the disk below the files of `folder` whose names begin with `prefix`.
    What is there at first is on disk. Programs that run with `environment` write; when
    they have been killed, cut() makes of the folder what a power cut can leave."""

    def __init__(self, store, folder, prefix):
        self.store, self.folder, self.prefix = store, folder, prefix
        self.begin()

    @property
    def environment(self):
        return preloaded("power_cut", POWER_CUT_STORE=str(self.store))

    def names(self):
        """{name: inode}, as the folder is."""
        return {entry.name: entry.stat().st_ino for entry in os.scandir(self.folder)
                if entry.name.startswith(self.prefix) and entry.is_file(follow_symlinks=False)}

    def noted(self):
        return self.store / f"names-{self.folder.stat().st_ino}"

    def begin(self):
        shutil.rmtree(self.store, ignore_errors=True)
        self.store.mkdir()
        for name, inode in self.names().items():
            shutil.copy(self.folder / name, self.store / f"data-{inode}")
        self.noted().write_text("".join(f"{inode} {name}\n"
                                        for name, inode in self.names().items()))

    def names_on_disk(self):
        pairs = (line.split(" ", 1) for line in self.noted().read_text().splitlines())
        return {name: int(inode) for inode, name in pairs if name.startswith(self.prefix)}

    def survivor(self, chance, old, new):
        """Of the sectors that differ any may have been written, in any order."""
        kind = chance.randrange(4)
        if kind < 2:
            return (old, new)[kind]
        size = chance.choice((len(old), len(new)))
        return b"".join(chance.choice((old, new))[at:at + SECTOR].ljust(SECTOR, b"\0")
                        for at in range(0, size, SECTOR))[:size]

    def cut(self, chance):
        """By `chance`, a random.Random."""
        old, new = self.names_on_disk(), self.names()
        now = {inode: (self.folder / name).read_bytes() for name, inode in new.items()}
        files = {}
        for name in sorted({*old, *new}):
            inode = chance.choice((old.get(name), new.get(name)))
            if inode is None:
                continue
            data = self.store / f"data-{inode}"
            on_disk = data.read_bytes() if data.exists() else b""
            files[name] = self.survivor(chance, on_disk, now.get(inode, on_disk))
        for name in new:
            (self.folder / name).unlink()
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
            (self.folder / name).chmod(0o600)
            os.utime(self.folder / name, (0, 0))  # the boot that follows is younger than all
        self.begin()
