"""Find the files of a folder that belong to it: what `.gitignore` leaves out is left out."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from contexten.codebase.hidden import is_hidden
from contexten.codebase.ignore import Patterns
from contexten.codebase.languages import MAX_BYTES, TOO_LONG, language_of
from contexten.codebase.model import Problem
from contexten.errors import CodebaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NEVER = frozenset({"__pycache__", "node_modules", "venv"})


_Ignores = list[tuple[str, Patterns]]
"""What leaves files out, the innermost last, each with the folder that it stands in."""


class Stamp(NamedTuple):
    """What tells that a file was changed: size, times in ns, inode."""

    size: int
    modified: int
    changed: int
    inode: int


@dataclass(slots=True)
class Walk:
    """The files found and those that could not be."""

    files: dict[str, Stamp]
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which files of a folder are wanted.

    Args:
        root: the folder.
        include: patterns as in `.gitignore`; when given, only files that match one.
        exclude: patterns as in `.gitignore` that leave out files beside what the folder itself ignores.
    """

    root: Path
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def partial(self) -> bool:
        """Whether files of the folder are left out on the caller's wish."""
        return bool(self.include or self.exclude)

    def walk(self) -> Walk:
        """Look at the folder as it is now."""
        return _Walker(self).run()


def resolved_root(path: str | os.PathLike[str]) -> Path:
    """The folder that a path names; CodebaseError when there is none."""
    root = Path(path).expanduser().resolve()
    if not root.exists():
        raise CodebaseError(f"There is no folder {root}.")
    if not root.is_dir():
        raise CodebaseError(f"{root} is a file. Give the folder that holds it.")
    return root


class _Walker:
    def __init__(self, scope: Scope) -> None:
        self.root = scope.root
        self.include = Patterns(scope.include)
        self.exclude = Patterns(scope.exclude)
        self.found = Walk({}, [])

    def run(self) -> Walk:
        ignores = [("", patterns)] if (patterns := self._read(self.root / ".git" / "info" / "exclude")) else []
        self.folder(self.root, "", ignores)
        return self.found

    def folder(self, place: Path, prefix: str, ignores: _Ignores) -> None:
        waiting = [(str(place), prefix, ignores)]
        while waiting:
            where, prefix, ignores = waiting.pop()
            try:
                with os.scandir(where) as found:
                    entries = list(found)
            except OSError as error:
                self.problem(prefix or ".", error)
                continue
            if ".gitignore" in [each.name for each in entries]:
                patterns = self._read(Path(where, ".gitignore"))
                ignores = [*ignores, (prefix, patterns)] if patterns else ignores
            waiting.extend(self.entries(entries, prefix, ignores))

    def entries(
        self, entries: Iterable[os.DirEntry[str]], prefix: str, ignores: _Ignores
    ) -> Iterator[tuple[str, str, _Ignores]]:
        """Take the files of one folder; gives back the folders to look into."""
        for each in entries:
            path = prefix + each.name
            if is_hidden(each.name):
                continue
            try:
                if each.is_dir(follow_symlinks=False):
                    if each.name not in _NEVER and not self.ignored(f"{path}/", ignores):
                        yield each.path, f"{path}/", ignores
                elif language_of(path) and not self.ignored(path, ignores):
                    self.file(each, path)
            except OSError as error:
                self.problem(path, error)

    def file(self, entry: os.DirEntry[str], path: str) -> None:
        if self.include and not self.include.covers(path):
            return
        if not _is_text(path):
            self.found.problems.append(Problem(repr(path), "the name is not valid UTF-8"))
            return
        if entry.is_symlink() and not self.reachable(entry.path):
            return
        status = entry.stat()
        if not stat.S_ISREG(status.st_mode):
            return
        if status.st_size > MAX_BYTES:
            self.found.problems.append(Problem(path, TOO_LONG))
            return
        self.found.files[path] = Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)

    def reachable(self, link: str) -> bool:
        """Whether a link leads to a place in the folder that would be read without it."""
        try:
            target = Path(link).resolve().relative_to(self.root).as_posix()
        except (ValueError, RuntimeError):  # outside; in a circle (before Python 3.13)
            return False
        return not is_hidden(target) and not self.exclude.covers(target)

    def ignored(self, path: str, ignores: _Ignores) -> bool:
        if self.exclude.verdict(path):
            return True
        for prefix, patterns in reversed(ignores):
            verdict = patterns.verdict(path[len(prefix) :])
            if verdict is not None:
                return verdict
        return False

    def problem(self, path: str, error: OSError) -> None:
        self.found.problems.append(Problem(path.rstrip("/"), error.strerror or str(error)))

    def _read(self, path: Path) -> Patterns | None:
        """The patterns in a file; a link or a device is none, as for git."""
        try:
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
                return None
            return Patterns(path.read_text("utf-8", "replace").split("\n"))
        except OSError:
            return None


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
