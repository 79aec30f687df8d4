"""Many waits, one event stream: whoever waits for several runs at once listens once for the organization."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from contexten.client import follow
from contexten.client.calls import runs
from contexten.protocol import StatusEvent, is_terminal

if TYPE_CHECKING:
    from contexten.client.aconnection import AsyncConnection
    from contexten.protocol import AgentRun

ALONE = 3
"""Waits of one client that have streams of their own; further ones share a stream."""


class Watch:
    """The runs of one organization that the tasks of one event loop wait for. Listens while anybody waits."""

    def __init__(self, connection: AsyncConnection, org_id: int) -> None:
        self._connection, self._org_id = connection, org_id
        self._waiting: dict[int, set[asyncio.Event]] = {}
        self._listener: asyncio.Task[None] | None = None
        self._open = asyncio.Event()
        self._failure: Exception | None = None

    async def ended(self, run_id: int) -> AgentRun:
        """The run, when it has ended.

        Raises:
            NoEventStreamError: the server has no event streams.
            ApiError: it cannot be reached any more, or does not know the run.
        """
        news = asyncio.Event()
        self._waiting.setdefault(run_id, set()).add(news)
        if self._listener is None or self._listener.done():
            self._open.clear()
            self._failure = None
            self._listener = asyncio.create_task(self._listen())
        try:
            return await self._until_terminal(run_id, news)
        finally:
            await self._leave(run_id, news)

    async def _until_terminal(self, run_id: int, news: asyncio.Event) -> AgentRun:
        await self._open.wait()
        while True:
            if self._failure is not None:
                raise self._failure
            # What happened before the stream was open is only seen by asking; news that come meanwhile are kept.
            news.clear()
            run = await self._connection.send(runs.show(run_id), self._org_id, patience=follow.PATIENCE)
            if run.is_terminal:
                return run
            await news.wait()

    async def _leave(self, run_id: int, news: asyncio.Event) -> None:
        waiting = self._waiting[run_id]
        waiting.discard(news)
        if not waiting:
            del self._waiting[run_id]
        if self._waiting or self._listener is None:
            return
        listener, self._listener = self._listener, None
        listener.cancel()
        await asyncio.wait([listener])

    async def _listen(self) -> None:
        events = follow.afollow_statuses(self._connection, self._org_id, self._opened)
        try:
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, StatusEvent) and is_terminal(event.status):
                        self._tell(event.agent_run_id)
        except Exception as error:  # noqa: BLE001 - raised again in every task that waits
            self._failure = error
        finally:
            self._opened(gap=True)

    def _opened(self, *, gap: bool) -> None:
        """The stream is open; with a gap before it, everybody has to ask again."""
        self._open.set()
        if gap:
            for run_id in self._waiting:
                self._tell(run_id)

    def _tell(self, run_id: int) -> None:
        for news in self._waiting.get(run_id, ()):
            news.set()
