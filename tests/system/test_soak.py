"""Thousands of cycles under random allocations, releases, faults and restarts: after each
storm every allocation is met, or it is clear why not, and the programs do not grow.

$CYCLES of them, as the daemon counts them, by the generator's $SEED. With $VALGRIND the
daemon runs under valgrind and is then never killed, so that each of its lives is judged.
"""
import os
import shutil

from support.cloud import CLOUD
from support.judge import JudgedStorm
from support.process import sanitized
from support.storm import RESTARTS, TROUBLE

CYCLES = int(os.environ.get("CYCLES", 200))
SEED = int(os.environ.get("SEED", 1))
VALGRIND = ["valgrind", "--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect",
            "--errors-for-leak-kinds=definite,indirect", "--error-exitcode=99",
            "--child-silent-after-fork=yes"]
STORM = 250  # cycles at most until all is judged
# How much a program may grow in one life: by so many descriptors; in memory by such a part,
# once its caches are filled. Sanitizers hoard memory, and find leaks by themselves.
DESCRIPTORS, MEMORY, WARM_AFTER = 2, 1 / 20, 1000  # cycles


class Soak(JudgedStorm):
    def setUp(self):
        super().setUp()
        if "VALGRIND" in os.environ and not shutil.which("valgrind"):
            self.skipTest("valgrind is not installed")
        if os.geteuid() != 0:
            self.skipTest("only root may look into the agent, whose growth is measured")
        print(f"SEED={SEED} CYCLES={CYCLES}", flush=True)
        # The sanitizers keep back what was freed; that is not to look like growth.
        for variable in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            os.environ[variable] = (f"{os.environ.get(variable, '')}:quarantine_size_mb=1:"
                                    f"log_path={self.directory}/report")

    def test_cycles(self):
        self.build_storm(SEED, valgrind=VALGRIND if "VALGRIND" in os.environ else [])
        for end in (CYCLES // 4, CYCLES // 2):
            self.go_on_until(end, {**CLOUD, **RESTARTS})
        # One life of each program, from here on.
        sizes = self.go_on_until(CYCLES, CLOUD)
        self.end_daemon()
        self.check_growth(sizes)

    def go_on_until(self, cycles, actions):
        """Gives the sizes of the programs, as they were each time at rest."""
        sizes = []
        while self.cycles() < cycles:
            self.history.clear()
            end = min(self.cycles() + STORM, cycles)
            try:
                while self.cycles() < end:
                    self.turn(actions)
                self.come_to_rest()
                self.judge()
            except BaseException:
                print(*self.history, sep="\n")
                raise
            sizes.append(self.measure())
            print(f"{self.cycles()} cycles, {len(self.live)} consumers, "
                  f"{len(self.short)} without room, {sizes[-1]}", flush=True)
        return sizes

    def turn(self, actions):
        for _ in range(self.rng.randint(1, 3)):
            self.choose(actions)
        if self.rng.random() < 0.15:
            self.choose(TROUBLE)
        if self.rng.random() < 0.15:
            self.do(JudgedStorm.mend_one)
        for _ in range(self.rng.randint(1, 4)):
            self.do(JudgedStorm.run_cycle)

    def check_growth(self, sizes):
        """The least of several sizes is what is held, all else comes and goes. A life that
        is too short for that is not judged by its memory."""
        warm = sizes[WARM_AFTER // STORM:]
        several = len(warm) // 4
        for name in sizes[0]:
            self.assertLessEqual(sizes[-1][name][0] - sizes[0][name][0], DESCRIPTORS, sizes)
            if several <= 1 or sanitized("vgpu-agent"):
                continue
            # A child that was made anew has had from its beginning what the agent had then.
            begun = (name, "agent") if name == "its child" else (name,)
            first = max(min(size[each][1] for size in warm[:several]) for each in begun)
            last = min(size[name][1] for size in warm[-several:])
            self.assertLessEqual(last - first, first * MEMORY, (name, sizes))
