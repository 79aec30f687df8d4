"""How the names that a file imports are used in it: the expressions, and the shape of each call."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST = 20
"""Expressions of one file that are shown."""
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Call:
    """The shape of a call."""

    positional: int
    keywords: tuple[str, ...]
    open: bool
    """Whether `*` or `**` pass more than can be seen."""
    awaited: bool
    text: str


@dataclass(slots=True)
class Uses:
    """How one name is used."""

    expressions: list[str] = field(default_factory=list)
    attributes_only: bool = True
    """Whether each use only takes an attribute of it, as of a module."""


def uses_in(source: str, modules: Iterable[str], name: str) -> Uses:
    """How a file uses a name that it imports from one of some modules (one module under its different names)."""
    found = Uses()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return found
    bound = set(_bound(tree, set(modules), name))
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute) and _is_read(node)]
    for node in sorted(names, key=lambda node: (node.lineno, node.col_offset)):
        if ast.unparse(node) in bound:
            parent = parents.get(node)
            found.attributes_only &= isinstance(parent, ast.Attribute) and not parent.attr.startswith("__")
            found.expressions.append(_around(node, parents)[:_LONGEST])
    found.attributes_only &= bool(found.expressions)
    found.expressions = list(dict.fromkeys(found.expressions))[:MOST]
    return found


def calls_in(example: str, name: str) -> list[Call]:
    """The calls of a name in expressions, one a line; lines that are no expression are left out."""
    return [call for line in example.splitlines() for call in _calls(line.strip(), name)]


def _calls(line: str, name: str) -> Iterator[Call]:
    try:
        tree = ast.parse(line)
    except (SyntaxError, ValueError):
        return
    awaited = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Await)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last(node.func) == name:
            keywords = [each.arg for each in node.keywords]
            hidden = None in keywords or any(isinstance(each, ast.Starred) for each in node.args)
            named = tuple(each for each in keywords if each)
            yield Call(len(node.args), named, hidden, id(node) in awaited, ast.unparse(node))


def _bound(tree: ast.AST, modules: set[str], name: str) -> Iterator[str]:
    """What the name is called in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            for each in node.names:
                if node.module in modules and each.name == name:
                    yield each.asname or name
                elif f"{node.module}.{each.name}" in modules:
                    yield f"{each.asname or each.name}.{name}"
        elif isinstance(node, ast.Import):
            yield from (f"{each.asname or each.name}.{name}" for each in node.names if each.name in modules)


def _is_read(node: ast.Name | ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Load)


def _around(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> str:
    """The use with its call and `await`; assigned names and the rest of the statement are left out."""
    parent = parents.get(node)
    while (isinstance(parent, ast.Call) and parent.func is node) or isinstance(parent, ast.Await | ast.Attribute):
        node, parent = parent, parents.get(parent)
    return " ".join(ast.unparse(node).split())


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
