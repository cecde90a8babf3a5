"""The labs, one folder each: whatever belongs to one lab and to nothing else. A lab is found by being there.

A folder labNN holds NN_name.py, the one source of its notebook, and, if it needs them, exercises.py, answers.py (right
and wrong ones), experiments.py (a tuple EXPERIMENTS), readings.py (numbers read off its sweeps) and pictures.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

from vqlab import LabError
from vqlab.exercises import Exercise
from vqlab.sweeps import Experiment

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Lab:
    """One lab. number: as in the names of its files, "01"; source: the hand-written source of its notebook."""

    number: str
    source: Path

    @property
    def name(self) -> str:
        """The name of its folder and of its assignment, "lab01"."""
        return f"lab{self.number}"

    @property
    def notebook(self) -> str:
        """The name of its notebook without the ending, "01_tokens_collapse"."""
        return self.source.stem

    def module(self, name: str) -> ModuleType | None:
        """A module of the lab, such as "exercises"; None if it has none."""
        if not (_FOLDER / self.name / f"{name}.py").exists():
            return None
        return import_module(f"{__name__}.{self.name}.{name}")

    def exercises(self) -> dict[str, Exercise]:
        """Its exercises by name."""
        part = self.module("exercises")
        return {name: value for name, value in vars(part).items() if isinstance(value, Exercise)} if part else {}


def every() -> list[Lab]:
    """Every lab there is, in order."""
    sources = sorted(_FOLDER.glob("lab[0-9][0-9]/[0-9][0-9]_*.py"))
    return [Lab(source.name[:2], source) for source in sources]


def find(lab: str) -> Lab:
    """The lab named by its number, "1", "01" or "lab01", or by the beginning of its notebook's name.

    Raises: LabError if there is none.
    """
    number = lab.removeprefix("lab").zfill(2)
    found = [one for one in every() if one.number == number or (len(lab) > 2 and one.notebook.startswith(lab))]
    if not found:
        raise LabError(f"there is no lab {lab!r}: choose from {', '.join(one.number for one in every())}")
    return found[0]


def experiments() -> dict[str, Experiment]:
    """The experiments of all labs, by name."""
    parts = [part for lab in every() if (part := lab.module("experiments"))]
    return {experiment.name: experiment for part in parts for experiment in part.EXPERIMENTS}
