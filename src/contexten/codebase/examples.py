"""How a symbol is used: its call sites with the lines around them."""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING

from contexten.codebase.model import Example

if TYPE_CHECKING:
    from contexten.codebase.model import Reference, Symbol
    from contexten.codebase.questions import Questions

_BEFORE, _AFTER = 2, 3
_USES = ("call", "decorator", "base")


def usage_examples(questions: Questions, symbol: Symbol, limit: int) -> list[Example]:
    """Calls of a symbol: one from each file, the most central file first, then a second from each."""
    ranks = dict(questions.graph.ranking)
    files: dict[str, list[Reference]] = {}
    for each in questions.references(symbol, _USES):
        files.setdefault(each.path, []).append(each)
    columns = [
        files[path] for path in sorted(files, key=lambda each: (each == symbol.path, -ranks.get(each, 0.0), each))
    ]
    ordered = [each for row in zip_longest(*columns) for each in row if each is not None]
    return [Example(each, _around(questions, each)) for each in ordered[:limit]]


def _around(questions: Questions, reference: Reference) -> str:
    lines = questions.lines(reference.path)
    start, end = reference.line - _BEFORE, reference.line + _AFTER
    if reference.symbol is not None:
        start, end = max(start, reference.symbol.line), min(end, reference.symbol.end_line)
    return textwrap.dedent("\n".join(lines[max(start, 1) - 1 : end])).strip("\n")
