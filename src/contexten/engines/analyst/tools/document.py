"""Tell of a text file that is not code: a README by its first prose and its headings, anything else by its beginning."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from contexten.engines.analyst.manifests import Manifests
from contexten.engines.analyst.markdown import block, bullets, counted

if TYPE_CHECKING:
    from contexten.engines.analyst.repository import Repository

_SHOWN = 40
_HEADING = re.compile(r"#{1,4} +(.+?) *#*")
_UNDERLINE = re.compile(r"([=\-~^])\1{2,}")
_MARKED_UP = (".md", ".markdown", ".rst")


def outlined(repository: Repository, path: str) -> str:
    """What a document is about, in Markdown."""
    lines = repository.text(path).splitlines()
    head = f"**`{path}`**: {counted(len(lines), 'line')}"
    headings = _headings(lines) if path.lower().endswith(_MARKED_UP) or "readme" in path.lower() else []
    if not headings:
        return f"{head}\n\n{block(chr(10).join(lines[:_SHOWN]))}" if lines else f"{head}; it is empty."
    name, prose = Manifests(repository.workspace).about()
    quoted = "\n".join(f"> {line.strip()}" for line in prose.splitlines()) if name == path else ""
    parts = [head, quoted, f"Its headings:\n\n{bullets(headings, limit=_SHOWN)}"]
    return "\n\n".join(part for part in parts if part)


def _headings(lines: list[str]) -> list[str]:
    """The headings of a Markdown or reStructuredText document, each with the line it stands in."""
    found, fenced, before = [], False, ""
    for number, line in enumerate(lines, 1):
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        if not fenced and (match := _HEADING.fullmatch(line)):
            found.append(f"{match[1]} (line {number})")
        elif not fenced and before.strip() and _UNDERLINE.fullmatch(line.rstrip()) and len(line) + 1 >= len(before):
            found.append(f"{before.strip()} (line {number - 1})")
        before = line
    return found
