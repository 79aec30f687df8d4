"""Show source: of a definition, or the beginning of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.engines.analyst.markdown import block
from contexten.engines.analyst.step import Finding

if TYPE_CHECKING:
    from contexten.engines.analyst.repository import Repository

MAX_SYMBOLS = 3
_SHOWN_LINES = 80


def show(repository: Repository, name: str) -> Finding:
    """The source of a definition, or the beginning of a file."""
    found = repository.find(name)
    shown: list[tuple[str, int, int, str]] = []
    for symbol in found.symbols[:MAX_SYMBOLS]:
        body = repository.body(symbol)
        shown.append(
            (symbol.path, body.first_line if body else symbol.line, symbol.end_line, repository.language(symbol.path))
        )
    shown += [(file.path, 1, file.lines, file.language) for file in found.files[:1] if not found.symbols]
    if found.document:
        lines = repository.text(found.document).count("\n") + 1
        shown.append((found.document, 1, lines, found.document.rpartition(".")[2].lower()))
    if not shown:
        return Finding("nothing to show", f"`{name}` is a folder; name a file or a definition in it.")
    sections = [_source(repository, *each) for each in shown]
    return Finding(", ".join(f"{path}:{start}-{end}" for path, start, end, _ in shown), "\n\n".join(sections))


def _source(repository: Repository, path: str, start: int, end: int, language: str) -> str:
    last = min(end, start + _SHOWN_LINES - 1)
    more = f"\n\n… and {end - last} more lines, to line {end}." if end > last else ""
    lines = repository.text(path).splitlines()[start - 1 : last]
    return f"`{path}:{start}-{last}`\n\n{block(chr(10).join(lines), language)}{more}"
