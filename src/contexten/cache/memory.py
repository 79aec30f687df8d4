"""The first tier: this process's memory, bounded in bytes, the least recently used going first."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from cachetools import TLRUCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from contexten.cache.entry import Entry

OVERHEAD = 400
"""Bytes that an entry takes beside its key and value."""
_Kept = tuple["Entry", int]


class _Entries(TLRUCache[bytes, _Kept]):
    """Entries by key, each gone when it is over; counts those that had to go earlier."""

    def __init__(self, max_bytes: int, clock: Callable[[], float]) -> None:
        super().__init__(max_bytes, ttu=_end, timer=clock, getsizeof=_size)
        self.evictions = 0

    def popitem(self) -> tuple[bytes, _Kept]:
        self.evictions += 1
        return super().popitem()


class MemoryTier:
    """See `Tier`.

    Args:
        max_bytes: of keys and values together, with what keeping them costs.
        clock: seconds since the epoch.
    """

    name = "memory"
    faults: tuple[type[Exception], ...] = ()

    def __init__(self, max_bytes: int, clock: Callable[[], float]) -> None:
        self._max_bytes, self._clock = max_bytes, clock
        self.after_fork()

    @property
    def evictions(self) -> int:
        """Entries that had to go because others came."""
        return self._entries.evictions

    def get(self, key: bytes) -> Entry | None:
        """The entry of a key."""
        with self._lock:
            kept = self._entries.get(key)
        return kept[0] if kept else None

    def put(self, key: bytes, entry: Entry) -> None:
        """Keep an entry."""
        size = len(key) + len(entry.data) + OVERHEAD
        with self._lock:
            if size > self._max_bytes:
                self._entries.pop(key, None)
            else:
                self._entries[key] = entry, size

    def delete(self, key: bytes) -> None:
        """Forget a key."""
        with self._lock:
            self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._forget()

    def figures(self) -> tuple[int, int]:
        """Entries and bytes."""
        with self._lock:
            self._entries.expire()
            return len(self._entries), int(self._entries.currsize)

    def after_fork(self) -> None:
        """Begin anew: another thread of the parent may have been in the middle of a change."""
        self._lock = threading.Lock()
        self._entries = _Entries(self._max_bytes, self._clock)

    def close(self) -> None:
        """Forget everything."""
        self.clear()

    def _forget(self) -> None:
        evictions, self._entries = self._entries.evictions, _Entries(self._max_bytes, self._clock)
        self._entries.evictions = evictions


def _end(_key: bytes, kept: _Kept, _now: float) -> float:
    return kept[0].expires_at


def _size(kept: _Kept) -> int:
    return kept[1]
