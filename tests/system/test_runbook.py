"""doc/runbook.rst has each line that `vgpu-agent status` can print: the texts of the source are looked up in it."""
import re
import unittest

from support.process import TOP

# Where the lines of status are put together: what is not well, reasons, and errors that become either. Not the files that only say why a
# step is to be done (`plan` shows that), how a plan is printed, what of a device_spec check-config refuses.
NOT_SOURCES = {"agent/plan/devices/device_reason.c", "agent/plan/devices/nova_notes.c", "agent/plan/providers/provider_reason.c",
               "agent/plan/steps/step.c", "agent/plan/steps/text.c", "agent/desired/device_spec.c", "agent/host/codec.c"}
SOURCES = (
    "agent/cycle.c", "agent/cycle_act.c", "agent/cycle_host.c", "agent/cycle_look.c", "agent/cycle_requests.c",
    "agent/act/*.c", "agent/backend/*.c", "agent/command/status.c", "agent/daemon/attach_place.c",
    "agent/daemon/attacher.c", "agent/daemon/metrics.c", "agent/daemon/monitor.c", "agent/host/*.c",
    "agent/desired/*.c", "agent/plan/*.c", "agent/plan/*/*.c",
    "agent/report/cycle_problems.c", "agent/report/gpu_status.c", "agent/report/guests.c", "agent/report/problems_file.h",
    "agent/state/instance_lock.c", "agent/state/journal.c", "agent/state/journal_read.c", "agent/state/journal_seal.c",
    "agent/state/requests.c", "agent/tree/*.c",
    "placement/client/*.c", "config/listener.c")
# A call that adds to what is not well; the files that have one are among those above.
ADDS = r"\b(problems_add(_take)?|managed_problem|service_add(_take)?)\(|&[\w>.-]*\b(problems|notes|late),$"
ADDS_ELSEWHERE = {"agent/command/restore.c", "agent/plan/steps/text.c", "agent/report/problems.c", "agent/report/problems_file.c",
                  "agent/report/guests_file.c"}
# Texts of these sources that no line of status has: why a step is to be done, and what programs read. The beginning of each.
NOT_OF_STATUS = """
a step for Placement
not a step for Placement
Placement does not have it any more
Placement does not have it yet
Placement does not have it, and
a provider is to have inventory of it, and none
it has allocations
other providers are below it
somebody else has inventory of
who uses devices cannot all be seen
its provider was not seen in Placement
spent[
it is to be pruned, no GPU stands behind it
its GPU is not well, so that its devices cannot
its GPU still has the device
its card has one type again, and nobody has anything
its type is none of its card
the agent did not make it
the state file does not have it
what Placement has of it was not read
its allocation is gone, and release_grace
the device is gone
its device is to be made again
an operator has ordered it
it had this type, and a reboot took it
it had this type, which a guest may still need
it has lost its type, which nobody needs any
its card is neither there nor configured
its consumer %s of owner mode is gone
its resource class is %s now
'%s' is configured for its card
fewer functions are to have '%s'
all GPUs and providers have been looked at
is all well, and what is not; exit status
all is well
STATUS=
# HELP
' || *p ==
<hostdev
the daemon, pid
the root of the provider %s (%s)
the function stays, and can be given away again
the card is the host's again
to take a driver from a device is root's
, which Placement does not have
""".strip().splitlines()

SPECIFIER = r"%[-+ #0]*[\d.*]*(?:hh|h|ll|l|z|j)?[a-zA-Z]"
STRING = r'"(?:[^"\\\n]|\\.)*"'


def texts_of(file):
    """Its string literals, each in one piece, but what is only logged."""
    code = re.sub(r"/\*.*?\*/", "", file.read_text().replace("\\\n", "\n"), flags=re.S)
    code = re.sub(r"(?m)^#include.*$", "", code)
    code = re.sub(rf"\blog_(?:error|warning|info|debug)\(\s*{STRING},\s*(?:{STRING}\s*(?:PRI\w+\s*)?)+", "", code)
    for found in re.finditer(rf"{STRING}(?:\s*(?:[A-Z][A-Z_0-9a-z]+\s*)?{STRING})*", code):
        # A macro between two pieces is a text, or the end of a specifier.
        whole = re.sub(rf'%?"\s*[A-Z][A-Z_0-9a-z]+\s*"', '%s', found[0][1:-1])
        yield re.sub(r'"\s*"', "", whole).replace('\\"', '"').replace("\\n", " ")


def plain(text):
    return re.sub(r"\s+", " ", text.replace("`", "").replace("\\", ""))


def words_of(text):
    """What of a text stays the same wherever it is printed, six words of it at most."""
    longest = max(re.split(SPECIFIER, plain(text)), key=len).strip(" :;,()'\"")
    return " ".join(longest.split()[:6]).rstrip(" :;,('\"")


class Runbook(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.runbook = plain((TOP / "doc/runbook.rst").read_text())
        self.files = sorted({file for pattern in SOURCES for file in TOP.glob(pattern)} - {TOP / file for file in NOT_SOURCES})

    def test_every_line_of_status_is_in_it(self):
        missing = []
        for file in self.files:
            for text in texts_of(file):
                words = words_of(text)
                # What ends as a sentence is the help of a metric.
                if len(words.split()) < 3 or words in self.runbook or text.endswith("."):
                    continue
                if any(plain(text).lstrip().startswith(known) for known in NOT_OF_STATUS):
                    continue
                missing.append(f"{file.relative_to(TOP)} says {text!r}")
        self.assertEqual(missing, [], "doc/runbook.rst does not have it; a text that status never prints stands in NOT_OF_STATUS")

    def test_what_is_set_aside_is_still_said(self):
        said = [plain(text).lstrip() for file in self.files for text in texts_of(file)]
        for known in NOT_OF_STATUS:
            self.assertTrue(any(text.startswith(known) for text in said), f"nothing says {known!r} any more")

    def test_no_other_file_adds_a_line(self):
        for file in (TOP / "agent").rglob("*.c"):
            if re.search(ADDS, file.read_text(), re.M) and file not in self.files:
                self.assertIn(str(file.relative_to(TOP)), ADDS_ELSEWHERE, "it adds to what is not well: its texts belong to SOURCES")

    def test_every_line_in_it_is_still_said(self):
        """Of each that is quoted, the longest piece that is one text of the source."""
        said = " | ".join(plain(text) for file in (TOP / "agent", TOP / "placement/client", TOP / "config") for source in file.rglob("*.[ch]")
                          for text in texts_of(source))
        lines = re.search(r"(?s)\nLines of status\n.*?\nOccasions\n", (TOP / "doc/runbook.rst").read_text())[0]
        stale = []
        for paragraph in re.findall(r"(?ms)^``.*?(?=\n\n)", lines):
            for quote in re.findall(r"(?s)``(.*?)``", paragraph):
                longest = max(re.split(r"…|: |; |, | \(", plain(quote)), key=lambda piece: len(piece.split())).strip(" :;,()'\"")
                stale += [quote] * (longest not in said)
        self.assertEqual(stale, [], "nothing says so any more")
