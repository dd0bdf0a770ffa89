"""Faults planted in a copy of the tree, one at a time. An edit is a file, a text that stands
in it once, and what takes its place; where the text is not there any more, the fault is
to be planted anew."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[3]


@contextlib.contextmanager
def copied_tree():
    """The folder of a copy of what git knows, as it stands in the work tree."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, check=True,
                           capture_output=True).stdout.decode().split("\0")
    with tempfile.TemporaryDirectory(prefix="vgpu-planted-") as name:
        for file in filter(None, files):
            target = pathlib.Path(name) / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / file, target, follow_symlinks=False)
        yield pathlib.Path(name)


def build(folder, target="all"):
    done = subprocess.run(["make", f"-j{os.cpu_count() or 1}", target, "QUIET=1"], cwd=folder,
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"the copy does not build:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


@contextlib.contextmanager
def planted(folder, edits, target="all"):
    """Built with the fault; afterwards the files are as they were."""
    before = {}
    try:
        for name, old, new in edits:
            file = folder / name
            text = file.read_text()
            before.setdefault(name, text)
            if text.count(old) != 1:
                raise SystemExit(f"{name}: {old!r} does not stand there once")
            file.write_text(text.replace(old, new))
        build(folder, target)
        yield
    finally:
        for name, text in before.items():
            (folder / name).write_text(text)
