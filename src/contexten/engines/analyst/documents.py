"""The text files of a repository that are not code: README, configuration, templates, queries."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.codebase import TextMatch
from contexten.codebase.hidden import is_hidden
from contexten.engines import git
from contexten.engines.checkout import is_checkout
from contexten.engines.workspace import closed_in, read_bytes
from contexten.errors import EngineError

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

MAX_FILES = 20_000
MAX_BYTES = 1024 * 1024
MAX_TOTAL_BYTES = 200 * 1024 * 1024
_SKIPPED = frozenset({"node_modules", "__pycache__", "venv", "dist", "build", "target"})


def search(workspace: Path, pattern: re.Pattern[str], known: set[str], limit: int) -> list[TextMatch]:
    """At most `limit` lines that match, of the text files of a repository.

    At most `MAX_FILES` files are read, each up to `MAX_BYTES` long and all together up to `MAX_TOTAL_BYTES`.

    Args:
        workspace: the repository's folder.
        pattern: what to look for.
        known: paths to leave out, because they are searched as code.
        limit: lines at most.
    """
    found: list[TextMatch] = []
    left = MAX_TOTAL_BYTES
    for path in paths(workspace):
        text = "" if path in known or left <= 0 else _text(workspace, path)
        left -= len(text)
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                found.append(TextMatch(path, number, line.strip()))
                if len(found) >= limit:
                    return found
    return found


def paths(workspace: Path) -> list[str]:
    """The files of a repository that are neither hidden nor closed, without what git ignores.

    In a folder without git, without dependencies and builds.

    Raises:
        EngineError: the whole folder is closed.
    """
    closed = closed_in(workspace)
    listed = _listed(workspace)
    if listed is None:
        listed = list(_walk(workspace, closed))
    open_ones = (path for path in listed if path and not is_hidden(path) and not _is_in(path, closed))
    return sorted(open_ones)[:MAX_FILES]


def _listed(workspace: Path) -> list[str] | None:
    """What git lists; None in a folder without git, and in a run's copy, where git would hear what the run wrote."""
    if is_checkout(workspace):
        return None
    try:
        return git.read(workspace, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    except EngineError:
        return None


def _walk(workspace: Path, closed: list[str]) -> Iterator[str]:
    for folder, folders, files in os.walk(workspace):
        here = Path(folder).relative_to(workspace)
        folders[:] = [name for name in folders if _wanted((here / name).as_posix(), closed)]
        yield from ((here / name).as_posix() for name in files)


def _wanted(folder: str, closed: list[str]) -> bool:
    name = folder.rpartition("/")[2]
    return name not in _SKIPPED and not is_hidden(name) and folder not in closed


def _is_in(path: str, folders: list[str]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)


def _text(workspace: Path, path: str) -> str:
    data = read_bytes(workspace, path, limit=MAX_BYTES + 1) or b""
    return "" if len(data) > MAX_BYTES or b"\0" in data[:8192] else data.decode("utf-8", "replace")
