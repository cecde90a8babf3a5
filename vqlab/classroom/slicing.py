"""Which statements of a notebook an exercise needs: a hand-in is not run from top to bottom, only what counts is."""

import ast
import builtins
import re
import symtable
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

_TIMING = ("%%time", "%%timeit", "%%capture")  # magics that run their cell as it stands
_STORING = ("%%writefile", "%%file")
_WORD = re.compile(r"[^\W\d]\w*")
LONGEST, _MOST = 100_000, 2000  # characters, and statements, of a cell
# Lines for the notebook and not for Python: %time f(), !ls, f?
_MAGIC = re.compile(r"^([ \t]*)(?:[%!?].*|[\w.]+\?{1,2})[ \t]*$", re.M)
_ALWAYS = "*"  # "bound" by what must not be left out


@dataclass(frozen=True)
class Cell:
    """Source of a code cell. label: what a person calls it.   solves: the exercise whose solution it is, "" if none."""

    label: str
    source: str
    solves: str = ""

    @cached_property
    def statements(self) -> "list[Statement]":
        """Its statements in order; a cell that Python cannot read binds nothing, and may use all it names."""
        first = self.source.lstrip().split(maxsplit=1)
        if first and first[0] in _STORING:
            return [Statement(self.source, frozenset({_ALWAYS}), frozenset(), frozenset())]
        try:
            if len(self.source) > LONGEST:
                raise ValueError("nobody wrote this by hand")
            nodes = _parsed(self.without_magic).body
            if len(nodes) > _MOST:
                raise ValueError("nobody wrote this by hand")
            return list(map(_statement, nodes))
        except Exception:  # whatever a student wrote; its own exercise still runs it and says what is wrong
            return [Statement(self.source, frozenset(), frozenset(_WORD.findall(self.source[:LONGEST])), frozenset())]

    @property
    def without_magic(self) -> str:
        """The source without a first line that only times or hides it."""
        first, _, rest = self.source.lstrip().partition("\n")
        return rest if first.split()[:1] and first.split()[0] in _TIMING else self.source

    def binds(self, name: str) -> bool:
        """Whether it gives the name a value."""
        return any(name in statement.binds for statement in self.statements)


@dataclass(frozen=True)
class Statement:
    """Source of one statement, the names it uses, those it binds or changes, and those it binds whatever happens."""

    source: str
    binds: frozenset[str]
    uses: frozenset[str]
    surely: frozenset[str]


def needed(name: str, cells: Sequence[Cell], later: Sequence[Cell] = ()) -> list[Cell]:
    """What must run so that `name` means what it means after `cells`: a solution of it whole, of others statements.

    later: cells below. What nothing above a use binds is looked for everywhere, and run first.
    """
    wanted, kept = {name, _ALWAYS}, []
    for cell in reversed(cells):
        if cell.solves == name:
            for statement in reversed(cell.statements):
                wanted = wanted - statement.surely | statement.uses
            wanted.add(name)
            kept.append(cell)
        else:
            wanted = _take(cell, wanted, kept)
    searched = {name, *dir(builtins)}
    # Functions look their names up when they are called, so what they use may also stand below them.
    while wanted := wanted - searched:
        searched |= wanted
        for cell in reversed([*cells, *later]):
            if cell.solves != name:
                wanted = _take(cell, wanted, kept)
    return kept[::-1]


def _take(cell: Cell, wanted: set[str], kept: list[Cell]) -> set[str]:
    """Keep those statements of a cell that bind what is wanted. Returns: what is wanted before it."""
    sources = []
    for statement in reversed(cell.statements):
        if statement.binds & wanted:
            sources.append(statement.source)
            wanted = wanted - statement.surely | statement.uses
    if sources:
        kept.append(Cell(cell.label, "\n".join(sources[::-1])))
    return wanted


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.parse(_MAGIC.sub(r"\1pass", source))


def _statement(node: ast.stmt) -> Statement:
    source = ast.unparse(node)
    bound = frozenset(_bound(node))
    plain = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Assign
    try:
        uses = frozenset(_used(symtable.symtable(source, "cell", "exec")))
    except SyntaxError:  # `await` outside of a function, which notebooks allow
        uses = frozenset(_WORD.findall(source))
    return Statement(
        source, bound | _changed(node), uses, bound - {_ALWAYS} if isinstance(node, plain) else frozenset()
    )


def _used(names: symtable.SymbolTable) -> set[str]:
    """The names of the notebook that code, its functions and its comprehensions use."""
    whole = names.get_type() == "module"
    found = {name.get_name() for name in names.get_symbols() if name.is_referenced() and (whole or name.is_global())}
    return found.union(*map(_used, names.get_children()))


def _bound(node: ast.AST) -> set[str]:
    """The names that a statement binds in the notebook, not those within its functions and comprehensions."""
    names, todo = set(), [node]
    while todo:
        node = todo.pop()
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
                continue
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                continue
            case ast.alias(name=name, asname=asname):
                names.add(asname or name.split(".")[0])
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
        todo += ast.iter_child_nodes(node)
    return names


def _changed(node: ast.stmt) -> set[str]:
    """The names whose value a statement may change: x[0] = 1, x.y = 1, and x.append(1) for its own sake."""
    found = set()
    for inner in ast.walk(node):
        match inner:
            case ast.Subscript(ctx=ast.Store()) | ast.Attribute(ctx=ast.Store()):
                found.add(_root(inner))
            case ast.Expr(value=ast.Call(func=ast.Attribute() as method)):
                found.add(_root(method))
    return found - {""}


def _root(node: ast.AST) -> str:
    """The name that a chain of attributes and indices begins with, "" if it is none."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
