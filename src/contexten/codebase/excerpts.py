"""How a definition is shown in a context: as one line, or whole with a long docstring cut short."""

from __future__ import annotations

import ast
import textwrap
from functools import lru_cache
from typing import TYPE_CHECKING

from contexten.codebase.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contexten.codebase.model import Symbol

_LONG_SIGNATURE = 160
_MAX_ABOUT = 100
_MAX_DECORATOR, _MAX_DECORATOR_LINES = 30, 40
_OPENING = ("(", "[", "{")
_LONG_DOCSTRING = 6
"""Lines up to which a docstring is shown whole."""


def signature_line(symbol: Symbol, source_line: str) -> str:
    """A definition in one line, with its place and what its docstring says first.

    Args:
        symbol: the definition.
        source_line: where it stands; shown for a variable or an attribute.
    """
    if symbol.kind in ("variable", "attribute"):
        more = "…" if source_line.endswith(_OPENING) else ""
        return f"{source_line}{more}  # line {symbol.line}"
    decorators = "".join(f"@{each} " for each in symbol.decorators if len(each) <= _MAX_DECORATOR)
    about = " ".join(symbol.docstring.partition("\n\n")[0].split())
    about = f"{about[:_MAX_ABOUT]}…" if len(about) > _MAX_ABOUT else about
    return f"{decorators}{_headline(symbol)}  # line {symbol.line}{f': {about}' if about else ''}"


def heading_line(symbol: Symbol) -> str:
    """The line over members of a class that is not shown itself."""
    return f"{_headline(symbol)}  # line {symbol.line}"


def body(symbol: Symbol, lines: Sequence[str]) -> str:
    """A definition with its decorators as it stands in its file, a long docstring cut to its first paragraph."""
    text = list(lines[_first_line(symbol, lines) - 1 : symbol.end_line])
    if symbol.docstring.count("\n") >= _LONG_DOCSTRING:
        text = _with_short_docstring(text, symbol.docstring)
    return "\n".join(text)


def _headline(symbol: Symbol) -> str:
    title = short_signature(symbol.signature) or symbol.name
    if symbol.signature.startswith("class "):
        return f"{title}:"
    return f"{title}: ..." if symbol.path.endswith((".py", ".pyi", ".pyw")) else title


@lru_cache(maxsize=4096)
def short_signature(signature: str) -> str:
    """A signature; without the types and values of its parameters when it is long."""
    if len(signature) <= _LONG_SIGNATURE:
        return signature
    try:
        (node,) = parse(f"{signature}: ...").body
    except SyntaxError:  # another language, or cut off by the reader
        return f"{signature[:_LONG_SIGNATURE]}…"
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return signature
    names = [each for each in ast.walk(node.args) if isinstance(each, ast.arg)]
    for each in names:
        each.annotation = None
    elided = ast.Name("…")
    node.args.defaults = [elided for _each in node.args.defaults]
    node.args.kw_defaults = [each and elided for each in node.args.kw_defaults]
    return ast.unparse(node).partition("\n")[0].removesuffix(":")


def _first_line(symbol: Symbol, lines: Sequence[str]) -> int:
    """The line of the first decorator, or that of the definition."""
    left, line = len(symbol.decorators), symbol.line
    for number in range(symbol.line - 1, max(symbol.line - _MAX_DECORATOR_LINES, 0), -1):
        if left and number <= len(lines) and lines[number - 1].lstrip().startswith("@"):
            left, line = left - 1, number
    return line


def _with_short_docstring(text: list[str], docstring: str) -> list[str]:
    place = _docstring_lines(text)
    if place is None:
        return text
    indent = text[place.start][: -len(text[place.start].lstrip())]
    about = docstring.partition("\n\n")[0].splitlines()
    shown = textwrap.indent("\n".join([f'"""{about[0]}', *about[1:], '…"""']), indent)
    return [*text[: place.start], *shown.splitlines(), *text[place.stop :]]


def _docstring_lines(text: list[str]) -> range | None:
    """Which lines of a definition hold nothing but its docstring."""
    try:
        (node,) = parse(textwrap.dedent("\n".join(text))).body
    except (SyntaxError, ValueError):
        return None
    first = node.body[0] if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else node
    alone = isinstance(first, ast.Expr) and text[first.lineno - 1].lstrip()[:4].lstrip("rRuU").startswith(('"', "'"))
    return range(first.lineno - 1, first.end_lineno or first.lineno) if alone else None
