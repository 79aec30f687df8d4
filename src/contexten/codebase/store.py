"""The index on disk: a SQLite file for each folder in the user's cache, with records under their content's digest."""

from __future__ import annotations

import hashlib
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from contexten.codebase.record import FORMAT, Outline, decode_outline
from contexten.codebase.snapshot import Entry, Kept
from contexten.codebase.walk import Stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

_Result = TypeVar("_Result")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (digest BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, size INTEGER, modified INTEGER, changed INTEGER, inode INTEGER, digest BLOB NOT NULL
) WITHOUT ROWID;
"""
_SPARE_RECORDS = 2000
"""Records of contents that no file has now are kept up to this number: branches are switched back."""


class Store:
    """What is kept on disk about one folder. When the disk fails, `trouble` says so and nothing is kept.

    Args:
        folder: where index files lie.
        root: the folder that is indexed.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        key = hashlib.blake2b(str(root).encode("utf-8", "surrogateescape"), digest_size=10).hexdigest()
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        self.path = folder / "codebase" / f"{key}-{FORMAT}-py{version}.sqlite"
        self.trouble = ""
        if self.path.is_relative_to(root):
            self.trouble = f"the index is not kept: {folder} lies within the folder that it describes"

    def load(self) -> dict[str, Kept]:
        """What was known about each file when it was last read."""
        query = "SELECT path, size, modified, changed, inode, digest, data FROM files JOIN records USING (digest)"
        rows = self._do(lambda database: database.execute(query).fetchall()) or []
        entries = {}
        for path, size, modified, changed, inode, digest, data in rows:
            if outline := _outline(data):
                stamp = None if inode is None else Stamp(size, modified, changed, inode)
                entries[path] = Kept(stamp, Entry(size, modified, digest, data, outline))
        return entries

    def find(self, digests: Iterable[bytes]) -> dict[bytes, bytes]:
        """The records of contents that were read before, under whatever path."""
        wanted = list(digests)
        query = "SELECT data FROM records WHERE digest = ?"

        def read(database: sqlite3.Connection) -> dict[bytes, bytes]:
            found = ((digest, database.execute(query, (digest,)).fetchone()) for digest in wanted)
            return {digest: row[0] for digest, row in found if row and _outline(row[0])}

        return (self._do(read) if wanted else None) or {}

    def save(self, fresh: Mapping[str, Kept], removed: Collection[str], count: int) -> None:
        """Keep what was read; `count` is how many files there are now."""
        files = [_row(path, stamp, entry) for path, (stamp, entry) in fresh.items()]
        records = [(entry.digest, entry.data) for _stamp, entry in fresh.values()]

        def write(database: sqlite3.Connection) -> None:
            with database:
                database.executemany("INSERT OR REPLACE INTO records VALUES (?, ?)", records)
                database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", files)
                database.executemany("DELETE FROM files WHERE path = ?", [(path,) for path in removed])
                _prune(database, count)

        self._do(write)

    def _do(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result | None:
        if self.trouble:
            return None
        try:
            return self._once(work)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # the tables are not ours
                return self._anew(work)
            self.trouble = f"the index is not kept in {self.path.parent}: {error}"
        except sqlite3.DatabaseError:
            return self._anew(work)
        except OSError as error:
            self.trouble = f"the index is not kept in {self.path.parent}: {error.strerror}"
        return None

    def _anew(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result | None:
        """The file is damaged: it holds nothing that cannot be made again."""
        try:
            for suffix in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            return self._once(work)
        except (sqlite3.Error, OSError) as error:
            self.trouble = f"the index in {self.path.parent} is damaged and cannot be replaced: {error}"
            return None

    def _once(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=5.0)) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = OFF")
            database.executescript(_SCHEMA)
            return work(database)


def _outline(data: object) -> Outline | None:
    """The outline of a record that was kept, or None when it is damaged: the file is read again."""
    try:
        return decode_outline(data) if isinstance(data, bytes) else None
    except ValueError:
        return None


def _row(path: str, stamp: Stamp | None, entry: Entry) -> tuple[object, ...]:
    changed, inode = (stamp.changed, stamp.inode) if stamp else (None, None)
    return path, entry.size, entry.modified, changed, inode, entry.digest


def _prune(database: sqlite3.Connection, count: int) -> None:
    (records,) = database.execute("SELECT count(*) FROM records").fetchone()
    if records > count + _SPARE_RECORDS:
        database.execute("DELETE FROM records WHERE digest NOT IN (SELECT digest FROM files)")
