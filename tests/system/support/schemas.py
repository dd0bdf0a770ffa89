"""The JSON of `vgpu-agent --format json`, compared with the schemas of etc/schemas: every command that a test runs in that
format is. A member that a schema does not have, or a word that it does not list, fails the test.
"""
import functools
import json

from .process import TOP

try:
    import jsonschema
except ImportError:  # test_schemas is skipped by name then
    jsonschema = None

FOLDER = TOP / "etc/schemas"
# Their values are no commands.
VALUED = ("--config-file", "--config-dir", "--sysfs-root", "--format", "-f", "--log-level", "--wait")


def wants_json(words):
    return any(word in ("--format=json", "-fjson") or (word == "json" and before in ("--format", "-f"))
               for before, word in zip(("", *words), words))


def command_of(words):
    """The command, and whether it has an argument. None: there is none."""
    plain = [word for before, word in zip(("", *words), words) if not word.startswith("-") and before not in VALUED]
    return (plain[0], len(plain) > 1) if plain else (None, False)


def load(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


@functools.lru_cache(maxsize=None)
def validator(name):
    return jsonschema.Draft202012Validator(load(name))


def problems(name, value):
    """One line for each place where `value` is not what the schema of that command says."""
    return [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(value)]


def check(words, text):
    """What a command has printed. A refusal prints nothing on standard output."""
    if not jsonschema or not text.strip() or not wants_json(words) or "--help" in words:
        return
    command, argued = command_of(words)
    name = f"{command}-gpu" if command == "gpus" and argued else command
    if not (FOLDER / f"{name}.json").exists():
        raise AssertionError(f"vgpu-agent {name} prints JSON, and there is no etc/schemas/{name}.json")
    found = problems(name, json.loads(text))
    if found:
        raise AssertionError("\n".join([f"etc/schemas/{name}.json does not fit what `vgpu-agent {' '.join(words)}` prints:", *found[:10]]))
