"""What a run changed: a patch that `git apply` takes, and what it does to each file."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from contexten.engines.baseline import Baseline

MAX_PATCH_BYTES = 4 * 1024 * 1024
"""Longest patch; files whose changes do not fit any more are listed without them."""
MAX_FILE_BYTES = 20 * 1024 * 1024
"""Largest file whose changes are computed."""
MAX_TOTAL_BYTES = 100 * 1024 * 1024
"""Changed files that are looked into, all together."""
MAX_FILES = 5000
"""Changed files that are looked into."""

_STATUS = {"A": "added", "M": "modified", "T": "modified", "D": "deleted", "R": "renamed"}
_SECTION = re.compile(rb"^diff --git .*\n", re.MULTILINE)
_DIFF = ("diff-index", "--cached", "--find-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all")


@dataclass(frozen=True, slots=True)
class FileChange:
    """What happened to one file."""

    path: str
    """Relative to the repository, with forward slashes."""
    status: str
    """added, modified, deleted or renamed."""
    insertions: int = 0
    """Lines."""
    deletions: int = 0
    """Lines."""
    binary: bool = False
    """Whether it has no lines to count."""
    previous: str | None = None
    """Its name before, when it was renamed."""
    omitted: bool = False
    """Whether its changes are too large to be in the patch."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different from where a run began."""

    patch: str = ""
    """In git's format, binary files included; `git apply` takes it."""
    files: tuple[FileChange, ...] = ()
    """By path."""
    insertions: int = 0
    """Lines in all files."""
    deletions: int = 0
    """Lines in all files."""
    truncated: bool = False
    """Whether the patch leaves changes out; `omitted` says of which files."""

    @property
    def paths(self) -> list[str]:
        """Every path that the patch names."""
        return [path for file in self.files for path in (file.previous, file.path) if path]

    def __bool__(self) -> bool:
        return bool(self.files)


def changes_since(baseline: Baseline, tree: str) -> Changes:
    """The work tree's changes since `tree`; files that are ignored are left out unless they were there. Blocking.

    Raises:
        EngineError: git failed, or took too long.
    """
    with baseline.alone():
        too_large = set(_refresh(baseline))
        entries = _entries(baseline, tree)
        sections = _patch(baseline, tree)
        unreadable = [entry.path for entry, text in zip(entries, sections, strict=True) if not _is_text(text)]
        if unreadable:
            with baseline.as_binary(unreadable):
                entries = _entries(baseline, tree)
                sections = _patch(baseline, tree)
        return _changes(entries, sections, {os.fsdecode(path): status for path, status in baseline.known(too_large)})


def _patch(baseline: Baseline, tree: str) -> list[bytes]:
    """The patch, in the parts that are about one file each."""
    return _sections(baseline.git(*_DIFF, "-p", "--binary", tree))


def _refresh(baseline: Baseline) -> Iterator[bytes]:
    """Bring the index up to date with the work tree; gives back the files that were too much."""
    total = count = 0
    present: list[bytes] = []
    gone: list[bytes] = []
    for path in baseline.touched():
        size = baseline.size_of(path)
        if size is None:
            gone.append(path)
            continue
        total, count = total + size, count + 1
        if size > MAX_FILE_BYTES or total > MAX_TOTAL_BYTES or count > MAX_FILES:
            total, count = total - size, count - 1
            yield path
        else:
            present.append(path)
    baseline.record(present, gone)


def _entries(baseline: Baseline, tree: str) -> list[FileChange]:
    counts = dict(_counts(baseline.git(*_DIFF, "--numstat", "-z", tree)))
    found = []
    fields = iter(baseline.git(*_DIFF, "--raw", "-z", tree).split(b"\0")[:-1])
    for field in fields:
        letter = field.rpartition(b" ")[2].decode()[:1]
        previous = os.fsdecode(next(fields)) if letter == "R" else None
        path = os.fsdecode(next(fields))
        added, removed = counts.get(path, (0, 0))
        found.append(
            FileChange(path, _STATUS.get(letter, "modified"), added or 0, removed or 0, added is None, previous)
        )
    return found


def _counts(numstat: bytes) -> Iterator[tuple[str, tuple[int | None, int | None]]]:
    """Path, and lines added and removed, or None for a binary file."""
    fields = iter(numstat.split(b"\0")[:-1])
    for field in fields:
        added, removed, path = field.split(b"\t", 2)
        if not path:  # a rename: the old and the new name follow
            next(fields)
            path = next(fields)
        yield os.fsdecode(path), (_number(added), _number(removed))


def _number(text: bytes) -> int | None:
    return None if text == b"-" else int(text)


def _sections(patch: bytes) -> list[bytes]:
    """The parts of a patch, one for each file: a change of type is written as two with the same heading."""
    found: list[tuple[bytes, bytes]] = []
    starts = [match.start() for match in _SECTION.finditer(patch)]
    for start, end in pairwise([*starts, len(patch)]):
        text = patch[start:end]
        heading = text.partition(b"\n")[0]
        if found and found[-1][0] == heading:
            found[-1] = heading, found[-1][1] + text
        else:
            found.append((heading, text))
    return [text for _, text in found]


def _is_text(section: bytes) -> bool:
    try:
        return "\0" not in section.decode()
    except UnicodeDecodeError:
        return False


def _changes(entries: Iterable[FileChange], sections: Iterable[bytes], too_large: Mapping[str, str]) -> Changes:
    kept: list[bytes] = []
    files: list[FileChange] = []
    room = MAX_PATCH_BYTES
    for entry, section in zip(entries, sections, strict=True):
        fits = len(section) <= room and entry.path not in too_large
        if fits:
            kept.append(section)
            room -= len(section)
        files.append(_shown(replace(entry, omitted=not fits)))
    listed = {file.path for file in files}
    for path, status in too_large.items():
        if _name(path) not in listed:
            files.append(FileChange(_name(path), status, binary=True, omitted=True))
    return Changes(
        patch=b"".join(kept).decode(),
        files=tuple(sorted(files, key=lambda file: file.path)),
        insertions=sum(file.insertions for file in files),
        deletions=sum(file.deletions for file in files),
        truncated=any(file.omitted for file in files),
    )


def _shown(file: FileChange) -> FileChange:
    return replace(file, path=_name(file.path), previous=None if file.previous is None else _name(file.previous))


def _name(path: str) -> str:
    """A file's name as text that can be kept everywhere."""
    return os.fsencode(path).decode(errors="replace")
