"""What became of each action: a line of TAP at once, and at the end a table for people."""
import json

COLUMNS = [
    ("action", "Action", "%s"),
    ("seconds", "s", "%.0f"),
    ("status", "Server", "%s"),
    ("counts", "Live, configured, held", "%s"),
    ("device", "Device", "%s"),
    ("plug", "How", "%s"),
    ("settled", "Right after, s", "%.0f"),
    ("attach_ms", "DEFINED to attach, ms", "%.0f"),
    ("create_ms", "DEFINED to create, ms", "%.0f"),
]


class Report:
    def __init__(self, mode, directory):
        self.mode, self.directory = mode, directory
        self.rows = []
        self.count = self.failed = 0

    def say(self, *words):
        print("#", *words, flush=True)

    def result(self, promise, problems, note=""):
        """One line of TAP, and below it what was wrong."""
        self.count += 1
        self.failed += bool(problems)
        print(f"{'not ' if problems else ''}ok {self.count} - {self.mode}: {promise}{note}", flush=True)
        for problem in problems:
            for line in str(problem).splitlines():
                print(f"#   {line}", flush=True)

    def row(self, promise, problems, **row):
        """The same of an action, which also becomes a line of the table."""
        row["problems"] = problems
        self.rows.append(row)
        with open(self.directory / f"results-{self.mode}.json", "w", encoding="utf-8") as file:
            json.dump(self.rows, file, indent=1)
        (self.directory / f"results-{self.mode}.rst").write_text(self.table())
        windows = ", ".join(f"{title} {self.cell(row, key, form)}" for key, title, form in COLUMNS[4:] if row.get(key) is not None)
        self.result(promise, problems, f" # time={row['seconds']:.1f}s{'; ' + windows if windows else ''}")

    @staticmethod
    def cell(row, key, form):
        return "" if row.get(key) is None else form % row[key]

    def table(self):
        """Restructured text."""
        lines = [[title for _, title, _ in COLUMNS]] + [[self.cell(row, key, form) for key, _, form in COLUMNS]
                                                        for row in self.rows]
        for row, line in zip(self.rows, lines[1:]):
            if row["problems"]:
                line[0] += " (FAILED)"
        widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
        rule = "  ".join("=" * width for width in widths)
        text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
        return "\n".join([rule, text[0], rule, *text[1:], rule]) + "\n"
