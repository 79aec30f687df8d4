"""The last tier: a SQLite file that processes share, bounded in bytes, the least recently used going first."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING

from contexten.cache.entry import NEVER, Entry, is_sound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OVERHEAD = 100
"""Bytes that a row takes beside its key and value, about."""
TOUCH = 1.0
"""Seconds by which a recorded last use may be old: reading seldom writes."""
_BUSY = 5.0
_LEFT_BEHIND: list[sqlite3.Connection] = []
"""Connections of a parent process: SQLite forbids even to close them in a forked child."""

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA journal_size_limit = 4194304;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS entries (
  key BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, used_at REAL NOT NULL, expires_at REAL, value BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_used_at ON entries (used_at);
CREATE INDEX IF NOT EXISTS entries_expires_at ON entries (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS total (entries INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO total SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM total);
CREATE TRIGGER IF NOT EXISTS came AFTER INSERT ON entries BEGIN
  UPDATE total SET entries = entries + 1, bytes = bytes + new.size;
END;
CREATE TRIGGER IF NOT EXISTS went AFTER DELETE ON entries BEGIN
  UPDATE total SET entries = entries - 1, bytes = bytes - old.size;
END;
COMMIT;
"""


class DiskTier:
    """See `Tier`. Opened when it is first used.

    Args:
        path: the file; its folder is made when there is none.
        max_bytes: of keys and values together.
        clock: seconds since the epoch.
    """

    name = "disk"
    faults: tuple[type[Exception], ...] = (sqlite3.Error, OSError)

    def __init__(self, path: Path, max_bytes: int, clock: Callable[[], float]) -> None:
        self.path = path
        self._max_bytes, self._clock = max_bytes, clock
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._closing: weakref.finalize[..., DiskTier] | None = None
        """Closes the connection when the program ends or nobody has the tier any more."""
        self.evictions = 0

    def get(self, key: bytes) -> Entry | None:
        """The entry of a key."""
        now = self._clock()
        with self._opened() as db:
            row = db.execute("SELECT value, expires_at, used_at FROM entries WHERE key = ?", (key,)).fetchone()
            if row is None or (row[1] is not None and row[1] <= now) or not is_sound(row[0]):
                return None
            if abs(now - row[2]) > TOUCH:
                db.execute("UPDATE entries SET used_at = ? WHERE key = ?", (now, key))
        return Entry(row[0], NEVER if row[1] is None else row[1])

    def put(self, key: bytes, entry: Entry) -> None:
        """Keep an entry."""
        size, expires_at = len(key) + len(entry.data) + OVERHEAD, entry.expires_at
        row = (key, size, self._clock(), None if expires_at == NEVER else expires_at, entry.data)
        with self._changing() as db:
            db.execute("DELETE FROM entries WHERE key = ?", (key,))
            if size <= self._max_bytes:
                db.execute("INSERT INTO entries (key, size, used_at, expires_at, value) VALUES (?, ?, ?, ?, ?)", row)
                self._make_room(db)

    def delete(self, key: bytes) -> None:
        """Forget a key."""
        with self._changing() as db:
            db.execute("DELETE FROM entries WHERE key = ?", (key,))

    def clear(self) -> None:
        """Forget everything and give the space back."""
        with self._changing() as db:
            db.execute("DELETE FROM entries")
        with self._opened() as db:
            db.execute("VACUUM")

    def figures(self) -> tuple[int, int]:
        """Entries and bytes, those included that are over and not yet gone."""
        with self._opened() as db:
            entries, size = db.execute("SELECT entries, bytes FROM total").fetchone()
            return entries, size

    def after_fork(self) -> None:
        """Leave the parent's connection alone and open another."""
        self._lock = threading.Lock()
        if self._connection is not None and self._closing is not None:
            self._closing.detach()
            _LEFT_BEHIND.append(self._connection)
            self._connection = self._closing = None

    def close(self) -> None:
        """Close the file; using the tier opens it again."""
        with self._lock:
            closing, self._connection, self._closing = self._closing, None, None
            if closing is not None:
                closing()

    def _make_room(self, db: sqlite3.Connection) -> None:
        if self._excess(db) <= 0:
            return
        db.execute("DELETE FROM entries WHERE expires_at <= ?", (self._clock(),))
        excess, going = self._excess(db), []
        for row, size in db.execute("SELECT rowid, size FROM entries ORDER BY used_at, rowid"):
            if excess <= 0:
                break
            going.append((row,))
            excess -= size
        db.executemany("DELETE FROM entries WHERE rowid = ?", going)
        self.evictions += len(going)

    def _excess(self, db: sqlite3.Connection) -> int:
        size: int = db.execute("SELECT bytes FROM total").fetchone()[0]
        return size - self._max_bytes

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._opened() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._connection is None:
                self._connection = self._open()
                self._closing = weakref.finalize(self, self._connection.close)
            yield self._connection

    def _open(self) -> sqlite3.Connection:
        from filelock import FileLock

        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(f"{self.path}.lock", timeout=_BUSY):
            self.path.touch(mode=0o600)
            db = sqlite3.connect(self.path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
            try:
                db.executescript(_SCHEMA)
            except BaseException:
                db.close()
                raise
        return db
