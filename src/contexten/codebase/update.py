"""From one state of a folder to the next: look at the files, read those that changed, keep the result."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contexten.codebase import tags
from contexten.codebase.folders import SETTLED_NS
from contexten.codebase.languages import PYTHON
from contexten.codebase.model import Problem
from contexten.codebase.read import read_digest
from contexten.codebase.record import decode_outline
from contexten.codebase.snapshot import Entry, Kept
from contexten.codebase.walk import Walker
from contexten.codebase.workers import read_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contexten.codebase.read import Reading
    from contexten.codebase.snapshot import Snapshot
    from contexten.codebase.store import Store
    from contexten.codebase.walk import Scope, Stamp, Walk


@dataclass(frozen=True, slots=True)
class Changes:
    """What a refresh found."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


class Updater:
    """Brings snapshots of one folder up to date; one thread at a time.

    Args:
        scope: the files.
        store: where the index is kept between processes, if anywhere.
    """

    def __init__(self, scope: Scope, store: Store | None) -> None:
        self._scope = scope
        self._store = store
        self._walker = Walker(scope)
        self._known = store.load() if store else {}
        """What the last look knew about each file, and the stamp that tells that this is still true."""

    def update(self, before: Snapshot) -> tuple[Snapshot, Changes]:
        """The folder's state now, and what differs from the state before (the same object when nothing does)."""
        now = time.time_ns()
        walk = self._walker.walk()
        look = _Look(walk, self._known, str(self._scope.root), self._store)
        known = look.take(now)
        self._keep(known)
        self._known = known
        fresh, changes = _compared(before, known)
        after = before.changed(fresh, changes.removed) if fresh or changes else before
        after.problems = _problems(after, walk.problems, self._store)
        return after, changes

    def _keep(self, known: Mapping[str, Kept]) -> None:
        if self._store is None:
            return
        fresh = {path: kept for path, kept in known.items() if self._known.get(path) != kept}
        gone = [] if self._scope.partial else [path for path in self._known if path not in known]
        if fresh or gone:
            self._store.save(fresh, gone, len(known))


class _Look:
    """One look at the folder: decides what has to be read, and reads it."""

    def __init__(self, walk: Walk, before: Mapping[str, Kept], root: str, store: Store | None) -> None:
        self.walk = walk
        self.before = before
        self.root = root
        self.store = store

    def take(self, now: int) -> dict[str, Kept]:
        """What is known about each file now."""
        known = {}
        doubtful = []
        for path, stamp in self.walk.files.items():
            kept = self.before.get(path)
            if kept is not None and kept.stamp == stamp:
                known[path] = kept
            else:
                doubtful.append(path)
        entries = self._recognized(doubtful) if self.before else {}
        entries.update(self._read([path for path in doubtful if path not in entries]))
        known.update(
            {path: Kept(self._stamp(path, now, steady), entry) for path, (steady, entry) in entries.items() if entry}
        )
        return known

    def _stamp(self, path: str, now: int, steady: bool) -> Stamp | None:
        stamp = self.walk.files[path]
        settled = now - max(stamp.modified, stamp.changed) > SETTLED_NS
        return stamp if steady and settled else None

    def _recognized(self, paths: Iterable[str]) -> dict[str, tuple[bool, Entry | None]]:
        """The files whose content was read before, here or under another path."""
        readings = {path: read_digest(self.root, path) for path in paths}
        kept = {each.entry.digest: each.entry.data for each in self.before.values()}
        missing = {each.digest for each in readings.values() if not each.error} - kept.keys()
        if self.store:
            kept.update(self.store.find(missing))
        found = {path: each._replace(data=kept[each.digest]) for path, each in readings.items() if each.digest in kept}
        return {path: (each.steady, self._entry(path, each)) for path, each in found.items()}

    def _read(self, paths: Iterable[str]) -> dict[str, tuple[bool, Entry | None]]:
        readings = read_files(self.root, {path: self.walk.files[path].size for path in paths})
        return {path: (each.steady, self._entry(path, each)) for path, each in readings.items()}

    def _entry(self, path: str, reading: Reading) -> Entry | None:
        if reading.error:
            self.walk.problems.append(Problem(path, reading.error))
            return None
        stamp = self.walk.files[path]
        try:
            return Entry(stamp.size, stamp.modified, reading.digest, reading.data, decode_outline(reading.data))
        except ValueError as error:
            self.walk.problems.append(Problem(path, str(error)))
            return None


def _compared(before: Snapshot, known: Mapping[str, Kept]) -> tuple[dict[str, Entry], Changes]:
    """The entries that differ from those before, if only in time, and the files whose content differs."""
    fresh = {path: kept.entry for path, kept in known.items() if before.entries.get(path) != kept.entry}
    added = sorted(path for path in fresh if path not in before.entries)
    changed = sorted(
        path for path, each in fresh.items() if path in before.entries and before.entries[path].digest != each.digest
    )
    removed = sorted(path for path in before.entries if path not in known)
    return fresh, Changes(tuple(added), tuple(changed), tuple(removed))


def _problems(snapshot: Snapshot, found: Iterable[Problem], store: Store | None) -> tuple[Problem, ...]:
    broken = [Problem(path, each.outline.problem) for path, each in snapshot.entries.items() if each.outline.problem]
    kept = [Problem(".", store.trouble)] if store and store.trouble else []
    others = sum(each.outline.language != PYTHON for each in snapshot.entries.values())
    if others and not tags.available():
        kept.append(Problem(".", f"{others} files in other languages than Python: {tags.NOT_INSTALLED}"))
    return tuple(sorted([*found, *broken, *kept], key=lambda each: (each.path, each.message)))
