"""The text files of a repository that are not code: README, configuration, templates, queries."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.codebase import TextMatch
from contexten.engines import git
from contexten.engines.workspace import inside
from contexten.errors import EngineError

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

MAX_FILES = 20_000
MAX_BYTES = 1024 * 1024
MAX_TOTAL_BYTES = 200 * 1024 * 1024
_SKIPPED = frozenset(
    {"node_modules", "__pycache__", "venv", ".venv", ".git", ".tox", ".nox", "dist", "build", "target"}
)


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
    """The files of a repository, without what git ignores; in a folder without git, without dependencies and builds."""
    try:
        listed = git.read(workspace, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    except EngineError:
        listed = list(_walk(workspace))
    return sorted(path for path in listed if path)[:MAX_FILES]


def _walk(workspace: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(workspace):
        folders[:] = [name for name in folders if name not in _SKIPPED]
        for name in files:
            yield Path(folder, name).relative_to(workspace).as_posix()


def _text(workspace: Path, path: str) -> str:
    try:
        place = inside(workspace, path)
        if not place.is_file() or place.stat().st_size > MAX_BYTES:
            return ""
        data = place.read_bytes()
    except (EngineError, OSError):
        return ""
    return "" if b"\0" in data[:8192] else data.decode("utf-8", "replace")
