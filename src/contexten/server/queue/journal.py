"""The log of one turn, as its engine sees it: writes go to the store until the turn is over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from contexten.engines.base import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contexten.protocol import LogEntry, NewLogEntry
    from contexten.server.queue.patience import Patience
    from contexten.server.store import Store


class TurnJournal:
    """A `Journal` that writes to the store, and waits while that is unavailable.

    Once closed it raises `CancelledError` at each use: an engine that goes on after it was told to stop writes nothing.

    Args:
        store: where entries go.
        run_id: whose turn it is.
        turn: its number.
        patiently: waits while the store is unavailable.
        show: given text that is still being written.
    """

    def __init__(
        self, store: Store, run_id: int, turn: int, patiently: Patience, show: Callable[[str], None] | None = None
    ) -> None:
        self.spent = Usage()
        """What the turn has used up, as far as its engine has said."""
        self._store = store
        self._patiently = patiently
        self._show = show
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

    def partial(self, text: str) -> None:
        """Show text that is still being written."""
        if self._show is not None and not self._closed:
            self._show(text)

    def spend(self, usage: Usage) -> None:
        """Note what the turn has used up; also of one that is over, whose tokens are spent all the same."""
        self.spent = usage

    def _check(self) -> None:
        if self._closed:
            raise asyncio.CancelledError
