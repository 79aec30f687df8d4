"""Whether this process can be sent requests: its database answers, it has its name, and it is not about to go."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from contexten.errors import StoreError

if TYPE_CHECKING:
    from contexten.server.queue import Queue
    from contexten.server.store import Store

ANSWER_SECONDS = 2.0
"""How long the database may take: less than those wait who ask."""


class Readiness:
    """Asks the database at most once at a time, so that a database that hangs is not asked by ever more threads."""

    def __init__(self, store: Store, queue: Queue) -> None:
        self._store = store
        self._queue = queue
        self._asking: asyncio.Task[None] | None = None
        self.going = False
        """Whether the process was told to stop."""

    async def problem(self) -> str | None:
        """Why requests should go elsewhere; None when they may come."""
        if self.going:
            return "This process was told to stop and takes up nothing new."
        return self._queue.lost or await self._store_problem()

    def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()

    async def _store_problem(self) -> str | None:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._store.answer())
        done, _ = await asyncio.wait({self._asking}, timeout=ANSWER_SECONDS)
        if not done:
            return f"The store has not answered for {ANSWER_SECONDS:g} s."
        error = self._asking.exception()
        if error is None or isinstance(error, StoreError):
            return str(error) if error else None
        raise error
