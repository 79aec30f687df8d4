"""What can be told of a repository at a glance: its name, branch and main language."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOOK_SECONDS = 2.0
_SKIPPED = frozenset({
    "node_modules", "__pycache__", "venv", "env", ".venv", "dist", "build", "target", "vendor", "site-packages", ".tox",
    ".nox", ".mypy_cache", ".ruff_cache",
})  # fmt: skip
_LANGUAGES = {
    "py": "Python", "pyi": "Python", "js": "JavaScript", "jsx": "JavaScript", "mjs": "JavaScript", "ts": "TypeScript",
    "tsx": "TypeScript", "go": "Go", "rs": "Rust", "java": "Java", "kt": "Kotlin", "c": "C", "h": "C", "cc": "C++",
    "cpp": "C++", "hpp": "C++", "cs": "C#", "rb": "Ruby", "php": "PHP", "swift": "Swift", "scala": "Scala",
    "sh": "Shell", "sql": "SQL", "lua": "Lua", "ex": "Elixir", "exs": "Elixir", "dart": "Dart", "vue": "Vue",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RepoFacts:
    """A repository at a glance."""

    name: str
    """Name of its folder."""
    branch: str | None
    """Branch that is checked out; None without git or when no branch is."""
    language: str | None
    """Language of most of its source files, as far as they could be looked at; None when it has none."""


def describe(path: Path) -> RepoFacts:
    """Look at a repository's folder for at most two seconds, changing nothing in it. Blocking."""
    languages: Counter[str] = Counter()
    deadline = time.monotonic() + LOOK_SECONDS
    for name in _files(path):
        if language := _LANGUAGES.get(name.rpartition(".")[2].lower()):
            languages[language] += 1
        if time.monotonic() > deadline:
            break
    main = languages.most_common(1)
    return RepoFacts(path.resolve().name, branch_of(path), main[0][0] if main else None)


def branch_of(path: Path) -> str | None:
    """The branch that is checked out at `path`, read from git's own file; None without one."""
    folder = path / ".git"
    try:
        if folder.is_file():
            folder = path / folder.read_text("utf-8").removeprefix("gitdir:").strip()
        head = (folder / "HEAD").read_text("utf-8").strip()
    except (OSError, ValueError):
        return None
    prefix = "ref: refs/heads/"
    return head.removeprefix(prefix) if head.startswith(prefix) else None


def _files(folder: Path) -> Iterator[str]:
    """Names of all files below a folder; symbolic links are not followed."""
    pending = [str(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in _SKIPPED and entry.name != ".git":
                            pending.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        yield entry.name
        except OSError:
            continue
