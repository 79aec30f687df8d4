"""Which files of a repository a run gets: what git tracks, as it is on disk, and what is new and not ignored."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.codebase.hidden import is_hidden
from contexten.engines import git
from contexten.engines.workspace import closed_in
from contexten.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contexten.engines.baseline import Baseline

LIST_SECONDS = 60.0
_MADE = frozenset({"venv", "site-packages"})
"""Folders that programs make and that a project without git has no list of, beside those that they leave behind."""
_LEFT_BEHIND = (
    "__pycache__/", "node_modules/", ".venv/", ".tox/", ".nox/", ".pytest_cache/", ".mypy_cache/", ".ruff_cache/", ".hypothesis/",
    ".coverage", ".DS_Store",
)  # fmt: skip
"""What running programs and tests leaves behind, which is no change; git tracks it where a project wants it."""
_MOST_PATTERNS = 256 * 1024


def files_of(source: Path, plain: Baseline) -> list[bytes]:
    """Relative paths of the files of a repository that a run gets. Blocking.

    Args:
        source: the repository's folder.
        plain: an empty record about that folder, which lists it when it is no git repository.

    Raises:
        EngineError: git failed, or all of the folder is the server's own.
    """
    closed = tuple(closed_in(source))
    found = _tracked_and_new(source) if (source / ".git").exists() else _of_folder(plain)
    return [path for path in dict.fromkeys(found) if _is_wanted(path) and not _below(path, closed)]


def ignore_patterns(source: Path) -> str:
    """What is ignored beside the `.gitignore` files: by the user in all repositories, in this one, and anywhere. Blocking."""
    own = [_text(path) for path in (_everywhere(source), _here(source)) if path is not None]
    return "\n".join([*_LEFT_BEHIND, *own])


def _tracked_and_new(source: Path) -> Iterator[bytes]:
    yield from _listed(source, "--cached")
    for path in _listed(source, "--others", "--exclude-standard", *(f"--exclude={name}" for name in _LEFT_BEHIND)):
        if not is_hidden(os.fsdecode(path)):
            yield path


def _listed(source: Path, *which: str) -> list[bytes]:
    return git.read_bytes(source, "ls-files", "-z", *which, seconds=LIST_SECONDS).split(b"\0")


def _of_folder(plain: Baseline) -> Iterator[bytes]:
    for path in plain.others():
        text = os.fsdecode(path)
        if not is_hidden(text) and _MADE.isdisjoint(text.split("/")[:-1]):
            yield path


def _is_wanted(path: bytes) -> bool:
    """Whether it is a file's path, and one inside: what a repository's own database says is not trusted."""
    names = path.split(b"/")
    return bool(path) and not {b"", b".", b".."} & set(names) and b".git" not in {name.lower() for name in names}


def _below(path: bytes, folders: tuple[str, ...]) -> bool:
    text = os.fsdecode(path)
    return any(text == folder or text.startswith(f"{folder}/") for folder in folders)


def _everywhere(source: Path) -> Path | None:
    named = _asked(source, "config", "--type=path", "--get", "core.excludesFile")
    default = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "git" / "ignore"
    return Path(named) if named else default


def _here(source: Path) -> Path | None:
    place = _asked(source, "rev-parse", "--git-path", "info/exclude") if (source / ".git").exists() else ""
    return source / place if place else None


def _asked(source: Path, *question: str) -> str:
    try:
        return git.read(source, *question).strip()
    except EngineError:
        return ""


def _text(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return file.read(_MOST_PATTERNS).decode("utf-8", "surrogateescape")
