"""What oslo.config's own parser makes of the files named on standard input: for each a line
of JSON: [[section, name, value], ...], or null where it refuses the file."""
import json
import sys

from oslo_config import iniparser


class Dump(iniparser.BaseParser):
    def __init__(self):
        super().__init__()
        self.section = None
        self.entries = []

    def new_section(self, section):
        self.section = section

    def assignment(self, key, value):
        if self.section is None:
            raise self.parse_exc("no section", self.lineno, None)
        self.entries.append([self.section, key, "\n".join(value)])


for path in sys.stdin:
    dump = Dump()
    try:
        with open(path.rstrip("\n"), encoding="utf-8") as file:
            dump.parse(file)
        print(json.dumps(dump.entries))
    except iniparser.ParseError:
        print("null")
