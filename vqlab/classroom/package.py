"""The students' copy of this package: what code from outside may import while it is graded."""

import ast
import compileall
import inspect
import shutil
from importlib import import_module
from pathlib import Path

import vqlab
from vqlab.labs import Lab

_NOT_FOR_STUDENTS = ("classroom", "notebooks", "answers.py", "exercises.py", "[0-9][0-9]_*.py", "__pycache__", "*.pyc")


def copy(lab: Lab, folder: Path) -> Path:
    """Copy the package into `folder`, without right answers, and without what would answer for a student of this lab.

    Returns: the folder to import it from.
    """
    target = folder / "package"
    here = Path(vqlab.__file__).parent
    shutil.copytree(here, target / "vqlab", ignore=shutil.ignore_patterns(*_NOT_FOR_STUDENTS))
    for name in withheld(lab):
        function = _function(name)
        _take_out(target / "vqlab" / Path(function.__code__.co_filename).relative_to(here), function.__name__, name)
    (target / "data").mkdir()  # where walls show the stored sweeps
    compileall.compile_dir(target, quiet=2)
    return target


def withheld(lab: Lab) -> tuple[str, ...]:
    """Functions, such as "theory.water_fill", that answer a student's own question in one call."""
    return getattr(lab.module("exercises"), "ANSWER_IN_ONE_CALL", ())


def _function(name: str):
    module, _, function = name.rpartition(".")
    return inspect.unwrap(getattr(import_module(f"vqlab.{module}"), function))


def _take_out(path: Path, function: str, name: str) -> None:
    """Leave of a function its name and a sentence on why there is no more; whoever imports it for no use goes on."""
    source = path.read_text(encoding="utf-8")
    (node,) = (n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef) and n.name == function)
    lines = source.splitlines(keepends=True)
    says = f"{name} would answer for you: it is not there when your work is graded"
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    lines[first - 1 : node.end_lineno] = [f"def {function}(*_, **__):\n", f"    raise RuntimeError({says!r})\n"]
    path.write_text("".join(lines), encoding="utf-8")
