"""The log of one turn, as its engine sees it: writes go to the store until the turn is over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contexten.protocol import LogEntry, NewLogEntry
    from contexten.server.queue.patience import Patience
    from contexten.server.store import Store


class TurnJournal:
    """A `Journal` that writes to the store, and waits while that is unavailable.

    Once closed it raises `CancelledError` at each use: an engine that goes on after it was told to stop writes nothing.
    """

    def __init__(self, store: Store, run_id: int, turn: int, patiently: Patience) -> None:
        self._store = store
        self._patiently = patiently
        self._turn = (run_id, turn)
        self._closed = False
        self._over = False

    @property
    def over(self) -> bool:
        """Whether the turn has ended for good."""
        return self._over

    def close(self, *, over: bool = False) -> None:
        """Let nothing more be written; the first call says whether the turn has ended for good."""
        self._over = over if not self._closed else self._over
        self._closed = True

    async def add(self, entry: NewLogEntry, *, key: str) -> bool:
        """Write an entry; False when the turn already has one with this key. Returns after the commit."""
        self._check()
        return await self._patiently(lambda: self._store.events.append(*self._turn, entry, key=key))

    async def entries(self) -> Mapping[str, LogEntry]:
        """What earlier attempts of the turn wrote, by key, oldest first."""
        self._check()
        return await self._patiently(lambda: self._store.events.entries(*self._turn))

    async def last(self, key: str) -> LogEntry | None:
        """The newest entry with this key in any turn of the run."""
        self._check()
        return await self._patiently(lambda: self._store.events.last(self._turn[0], key))

    def _check(self) -> None:
        if self._closed:
            raise asyncio.CancelledError
