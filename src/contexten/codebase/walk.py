"""Find the files of a folder that belong to it: what `.gitignore` leaves out is left out."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from contexten.codebase.folders import Folders, Listing
from contexten.codebase.hidden import is_hidden
from contexten.codebase.ignore import Patterns
from contexten.codebase.languages import MAX_BYTES, TOO_LONG
from contexten.codebase.model import Problem
from contexten.errors import CodebaseError

_Ignores = tuple[tuple[str, Patterns], ...]
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


def resolved_root(path: str | os.PathLike[str]) -> Path:
    """The folder that a path names; CodebaseError when there is none."""
    root = Path(path).expanduser().resolve()
    if not root.exists():
        raise CodebaseError(f"There is no folder {root}.")
    if not root.is_dir():
        raise CodebaseError(f"{root} is a file. Give the folder that holds it.")
    return root


class _Choice(NamedTuple):
    """What is wanted of one folder, and what that follows from."""

    listing: Listing
    ignores: _Ignores
    files: list[tuple[str, str, bool]]
    """Place, path in the codebase, and whether it is a symbolic link."""
    folders: list[tuple[str, str, _Ignores]]
    """Place, path in the codebase with a `/` at its end, and what leaves files out there."""


class Walker:
    """Finds the files of a folder, again and again; one look at a time."""

    def __init__(self, scope: Scope) -> None:
        self._root = scope.root
        self._include = Patterns(scope.include)
        self._exclude = Patterns(scope.exclude)
        self._folders = Folders(scope.root)
        self._patterns: dict[Path, tuple[str, Patterns]] = {}
        self._before: dict[str, _Choice] = {}
        self._found = Walk({}, [])

    def walk(self) -> Walk:
        """Look at the folder as it is now."""
        self._found = Walk({}, [])
        patterns = self._read(self._root / ".git" / "info" / "exclude")
        waiting: list[tuple[str, str, _Ignores]] = [(str(self._root), "", (("", patterns),) if patterns else ())]
        chosen: dict[str, _Choice] = {}
        self._folders.begin()
        while waiting:
            where, prefix, ignores = waiting.pop()
            try:
                listing = self._folders.listing(where)
            except OSError as error:
                self._problem(prefix or ".", error)
                continue
            chosen[where] = choice = self._choice(where, prefix, listing, ignores)
            for place, path, is_link in choice.files:
                self._file(place, path, is_link)
            waiting.extend(choice.folders)
        self._before = chosen
        return self._found

    def _choice(self, where: str, prefix: str, listing: Listing, ignores: _Ignores) -> _Choice:
        """What is wanted of one folder, from the last look when nothing that decides it is different."""
        if listing.ignores and (patterns := self._read(Path(where, ".gitignore"))):
            ignores = (*ignores, (prefix, patterns))
        before = self._before.get(where)
        if before and before.listing is listing and before.ignores == ignores:
            return before
        within = not self._include or bool(prefix and self._include.covers(prefix))
        files = [
            (f"{where}{os.sep}{name}", path, name in listing.links)
            for name in listing.files
            if (path := prefix + name) and (within or self._include.verdict(path)) and not self._ignored(path, ignores)
        ]
        folders = [
            (f"{where}{os.sep}{name}", path, ignores)
            for name in listing.folders
            if not self._ignored(path := f"{prefix}{name}/", ignores)
        ]
        return _Choice(listing, ignores, files, folders)

    def _file(self, place: str, path: str, is_link: bool) -> None:
        if not _is_text(path):
            self._found.problems.append(Problem(repr(path), "the name is not valid UTF-8"))
            return
        try:
            if not is_link or self._reachable(place):
                self._take(path, os.stat(place))  # noqa: PTH116 - see Folders.listing
        except OSError as error:
            self._problem(path, error)

    def _take(self, path: str, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            return
        if status.st_size > MAX_BYTES:
            self._found.problems.append(Problem(path, TOO_LONG))
            return
        self._found.files[path] = Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)

    def _reachable(self, link: str) -> bool:
        """Whether a link leads to a place in the folder that would be read without it."""
        try:
            target = Path(link).resolve().relative_to(self._root).as_posix()
        except (ValueError, RuntimeError):  # outside; in a circle (before Python 3.13)
            return False
        return not is_hidden(target) and not self._exclude.covers(target)

    def _ignored(self, path: str, ignores: _Ignores) -> bool:
        if self._exclude.verdict(path):
            return True
        for prefix, patterns in reversed(ignores):
            verdict = patterns.verdict(path[len(prefix) :])
            if verdict is not None:
                return verdict
        return False

    def _problem(self, path: str, error: OSError) -> None:
        self._found.problems.append(Problem(path.rstrip("/"), error.strerror or str(error)))

    def _read(self, path: Path) -> Patterns | None:
        """The patterns of a file, the same object for as long as it says the same; a link or a device is none, as for git."""
        try:
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
                return None
            text = path.read_text("utf-8", "replace")
        except OSError:
            return None
        before, patterns = self._patterns.get(path, (None, None))
        if patterns is None or text != before:
            patterns = Patterns(text.split("\n"))
            self._patterns[path] = text, patterns
        return patterns or None


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
