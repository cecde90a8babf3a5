"""What a notebook shows depends on: its source, the modules it imports, and those these import, and their sweeps."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from vqlab import sweeps

_PACKAGE = Path(__file__).resolve().parents[1]


def inputs_hash(source: Path) -> str:
    """A digest of all `inputs` of a source: it changes when its notebook may have to be built anew."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in inputs(source))).hexdigest()[:16]


def inputs(source: Path) -> list[Path]:
    """The source, every module of vqlab it imports, directly or not, and the stored sweeps that any of them names."""
    found, todo, named = {source}, [source], set()
    while todo:
        path = todo.pop()
        strings, imported = _read(path, path.stat().st_mtime_ns)
        named |= strings
        new = {module for module in imported - found if module.exists()}
        found |= new
        todo += new
    stored = [path for path in sweeps.home().glob("*.json") if path.stem in named]
    return [source, *sorted(found - {source}), *sorted(stored)]


@cache  # all labs import much the same
def _read(path: Path, changed: int) -> tuple[frozenset[str], frozenset[Path]]:
    """The strings in a module, and the files of vqlab that it may import. changed: when it was written."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return frozenset(strings), frozenset(_imported(nodes))


def _imported(nodes: list[ast.AST]) -> Iterator[Path]:
    for node in nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "vqlab":
                yield from _files(name.split(".")[1:])


def _files(parts: list[str]) -> list[Path]:
    """The files that may hold a module, and those that its parents run."""
    module = _PACKAGE.joinpath(*parts)
    parents = [_PACKAGE.joinpath(*parts[:i], "__init__.py") for i in range(len(parts) + 1)]
    return [module.with_suffix(".py"), *parents] if parts else parents
