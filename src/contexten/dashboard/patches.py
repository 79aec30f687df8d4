"""A run's changes file by file, as much of them as a page can show."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contexten._plain import one_line
from contexten.dashboard.markup import diff_lines

if TYPE_CHECKING:
    from contexten.protocol import AgentRunDiff, ChangedFile

LONGEST_FILE = 1_500
"""Lines of one file that are shown."""
SHOWN_AT_ONCE = 600
"""Lines that are shown before a person asks for more."""
_SECTION = re.compile(r"^diff --git .*$", re.MULTILINE)


@dataclass(frozen=True)
class Patch:
    """What happened to one file."""

    number: int
    name: str
    what: str
    """added, modified, deleted or renamed."""
    figures: str
    html: str = ""
    """Its lines, when it is open; safe."""
    is_open: bool = False
    rest: str = ""
    """Why not all of it is shown; empty when it is."""


def sections(diff: AgentRunDiff) -> list[list[str]]:
    """The lines of the patch for each of the diff's files; none for a file that is not in it."""
    found = [part.split("\n") for part in _split(diff.patch)]
    if len(found) != sum(not file.omitted for file in diff.files):
        return [[] for _ in diff.files]
    parts = iter(found)
    return [[] if file.omitted else next(parts) for file in diff.files]


def patches(diff: AgentRunDiff) -> list[Patch]:
    """The files of a diff; the first ones are open, as long as a person can take them in."""
    left, files = SHOWN_AT_ONCE, []
    for number, (file, lines) in enumerate(zip(diff.files, sections(diff), strict=True)):
        left -= len(lines)
        files.append(patch(number, file, lines, is_open=left >= 0 and bool(lines)))
    return files


def patch(number: int, file: ChangedFile, lines: list[str], *, is_open: bool) -> Patch:
    """One file, with its lines when it is open."""
    name = f"{file.previous} → {file.path}" if file.previous else file.path
    figures = "binary" if file.binary else f"+{file.insertions} \u2212{file.deletions}"
    kept = lines[1 : LONGEST_FILE + 1] if is_open else []
    hidden = len(lines) - 1 - LONGEST_FILE
    rest = "Too large to be in the patch." if file.omitted else ""
    if is_open and hidden > 0:
        rest = f"{hidden:,} more lines are not shown here."
    return Patch(number, one_line(name, 300), str(file.status), figures, diff_lines(kept), is_open, rest)


def _split(text: str) -> list[str]:
    starts = [found.start() for found in _SECTION.finditer(text)]
    return [text[start:end].rstrip("\n") for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
