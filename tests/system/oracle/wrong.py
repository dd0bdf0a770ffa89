"""What the judge throws."""


class Wrong(Exception):
    """A rule is broken. `rule` is short and the same for the same kind of fault, so that a
    shorter script can be compared with the one that failed."""

    def __init__(self, rule, text):
        super().__init__(f"[{rule}] {text}")
        self.rule = rule
