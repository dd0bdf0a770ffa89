"""The faults that are planted before the judges (`make check-oracle-planted`, `make
check-plan-planted`) still have their places in the sources."""
import importlib.machinery
import importlib.util
import unittest

from oracle.planted import PLANTS
from oracle.planted.kinds import PLANTS as KINDS_PLANTS
from support.planting import TOP


def planner_plants():
    """Those of a script whose name has no ending."""
    loader = importlib.machinery.SourceFileLoader(
        "plan_planted", str(TOP / "tests/unit/agent/plan/planted"))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module.PLANTS


class Planted(unittest.TestCase):
    def test_each_text_stands_once(self):
        for plant in (*PLANTS, *KINDS_PLANTS, *planner_plants()):
            for name, text, _ in plant.edits:
                with self.subTest(plant=plant.name, file=name):
                    self.assertEqual((TOP / name).read_text().count(text), 1, text)
