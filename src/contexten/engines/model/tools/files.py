"""Tools that read files: their lines, a folder's names, and the lines that hold a text."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pydantic import Field

from contexten.codebase.hidden import is_hidden
from contexten.engines.model.tools.tool import Arguments, Result, ToolError, capped
from contexten.engines.workspace import inside

if TYPE_CHECKING:
    from pathlib import Path

    from contexten.engines.model.tools.tool import Place

LARGEST_FILE = 2 * 1024 * 1024
"""Bytes of a file that is read or changed."""
_LINES = 500
_LINE = 2_000
_NAMES = 400
_MATCHES = 100
_SHOWN = 60


class Read(Arguments):
    """Read lines of a text file. Each line comes after its number and a tab, which are not part of it."""

    path: str = Field(description="Path of the file, relative to the repository.")
    start: int = Field(1, ge=1, description="First line.")
    end: int | None = Field(None, ge=1, description=f"Last line; {_LINES} lines from the first one when null.")


class List(Arguments):
    """List the files and folders in a folder. Folders end with a slash."""

    path: str = Field(".", description="Path of the folder, relative to the repository.")


class Search(Arguments):
    """Find the lines of all text files that hold a text, which is taken as it is and not as a pattern."""

    text: str = Field(min_length=1, max_length=500, description="What the lines hold; case does not matter.")


def read(place: Place, wanted: Read) -> Result:
    """Lines of a file with their numbers."""
    lines = text_of(place.root, wanted.path).split("\n")
    if lines[-1] == "":
        lines.pop()
    end = min(wanted.end or wanted.start + _LINES - 1, wanted.start + _LINES - 1, len(lines))
    if wanted.start > max(len(lines), 1):
        raise ToolError(f"{wanted.path} has {len(lines)} lines, so there is no line {wanted.start}.")
    shown = (f"{number}\t{_short(lines[number - 1])}" for number in range(wanted.start, end + 1))
    more = f"\n[the file has {len(lines)} lines]" if end < len(lines) else ""
    where = f"{wanted.path}:{wanted.start}-{end}"
    return Result(capped("\n".join(shown), hint="Ask for fewer lines.") + more or "[the file is empty]", where)


def list_folder(place: Place, wanted: List) -> Result:
    """Names in a folder."""
    folder = inside(place.root, wanted.path)
    if not folder.is_dir():
        raise ToolError(f"There is no folder {wanted.path!r}.")
    with os.scandir(folder) as entries:
        names = sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries)
    names = [name for name in names if not is_hidden(name.rstrip("/"))]
    more = f"\n[and {len(names) - _NAMES} more]" if len(names) > _NAMES else ""
    return Result(("\n".join(names[:_NAMES]) or "[the folder is empty]") + more, f"{wanted.path} · {len(names)} names")


def search(place: Place, wanted: Search) -> Result:
    """Lines that hold a text."""
    found = place.code().search_text(wanted.text, limit=_MATCHES)
    lines = "\n".join(f"{match.path}:{match.line}: {_short(match.text)}" for match in found)
    more = "\n[there may be more: search for something longer]" if len(found) == _MATCHES else ""
    shown = wanted.text if len(wanted.text) <= _SHOWN else f"{wanted.text[:_SHOWN]}…"
    return Result(capped(lines) + more if found else "No line holds this text.", f"{shown!r} in {len(found)} lines")


def text_of(root: Path, path: str) -> str:
    """The text of a file of the repository, exactly as it is.

    Raises:
        EngineError: it is out of reach, is none, is too large, or is not text in UTF-8.
    """
    file = inside(root, path)
    if not file.is_file():
        raise ToolError(f"There is no file {path!r}.")
    with file.open("rb") as opened:
        data = opened.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise ToolError(f"{path} is larger than {LARGEST_FILE // 2**20} MB, which is too large to read here.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ToolError(f"{path} is not text in UTF-8.") from None


def _short(line: str) -> str:
    return line if len(line) <= _LINE else f"{line[:_LINE]} [cut: the line has {len(line)} characters]"
