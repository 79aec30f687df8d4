"""Telling of definitions: where they are, what they are, how they are called, in a few words or as data."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from contexten.codebase import syntax
from contexten.engines.analyst.markdown import shorten
from contexten.engines.analyst.parameters import names_of

if TYPE_CHECKING:
    from contexten.codebase import Symbol

CALL_LENGTH = 100


def described(symbol: Symbol) -> str:
    """A definition in a few words: its kind, and what it belongs to."""
    if symbol.kind in {"method", "attribute"} and symbol.parent:
        return f"{symbol.kind} of `{_last(symbol.parent)}`"
    return symbol.kind


def placed(symbol: Symbol) -> str:
    """Its name and where it is defined."""
    return f"`{symbol.name}` (`{symbol.location}`)"


def full_name(symbol: Symbol) -> str:
    """A method or attribute with its class, anything else by its name."""
    if symbol.kind in {"method", "attribute"} and symbol.parent:
        return f"{_last(symbol.parent)}.{symbol.name}"
    return symbol.name


def span(symbol: Symbol) -> str:
    """`path:first-last`."""
    return symbol.location if symbol.end_line <= symbol.line else f"{symbol.location}-{symbol.end_line}"


def entry(symbol: Symbol) -> dict[str, Any]:
    """A definition as data."""
    return {
        "name": symbol.name,
        "qualified_name": symbol.qualified_name,
        "kind": symbol.kind,
        "path": symbol.path,
        "line": symbol.line,
        "end_line": symbol.end_line,
    }


def first_sentence(text: str) -> str:
    """The first sentence of a docstring, on one line."""
    paragraph = " ".join(text.strip().partition("\n\n")[0].split())
    head, stop, _ = paragraph.partition(". ")
    return shorten(head + stop.strip())


def called_as(symbol: Symbol, length: int, node: ast.AST | None = None) -> str:
    """How it is called: `send(request, *, stream) -> Response`; of a class, its name and bases.

    Args:
        symbol: the definition.
        length: characters at most.
        node: its syntax tree, when its signature is too long to be kept whole.
    """
    if symbol.kind == "class" or not symbol.signature:
        return shorten(symbol.signature.removeprefix("class ") or symbol.name, length)
    try:
        node = node or syntax.parse(f"{symbol.signature}: ...").body[0]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        node = None
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return shorten(re.sub(r"^(?:export |public |static |function |fn |func )+", "", symbol.signature), length)
    given = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
    return shorten(f"{symbol.name}({', '.join(names_of(node.args))}){given}", length)


def _last(qualified: str) -> str:
    return re.split(r"[.:/]", qualified)[-1]
