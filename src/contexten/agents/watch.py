"""Following many runs at once over one connection.

One event stream of the organization tells of every end. A sweep over the run list, seldom while the stream works and
often where there is none, finds the ends that the stream could not tell: those before it was open.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from contexten.errors import ApiError
from contexten.protocol import MAX_PAGE, StatusEvent, is_terminal

if TYPE_CHECKING:
    from contexten.client import AsyncCodegenClient
    from contexten.protocol import AgentRun

FIRST_SWEEP, SLOWEST_SWEEP, SLOWER = 1.0, 5.0, 1.5
PATIENCE = 12
"""Sweeps in a row that may fail before the waiting gives up: about a minute, with the client's own repetitions more."""
MOST_EARLY = 10_000

Key = tuple[int, int]
"""A run and its turn."""


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended."""

    status: str
    result: str | None


class RunWatch:
    """Waits for the ends of any number of runs of one client. An asynchronous context manager."""

    def __init__(self, client: AsyncCodegenClient) -> None:
        self._client = client
        self._waiting: dict[Key, asyncio.Future[End]] = {}
        self._early: dict[Key, End] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._sweep())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def end_of(self, run: AgentRun) -> End:
        """Wait until the newest turn of a run has ended.

        Raises:
            ApiError: the server cannot be asked any more.
        """
        if run.status is not None and is_terminal(run.status):
            return End(run.status, run.result)
        key = _key(run)
        if (known := self._early.pop(key, None)) is not None:
            return known
        waiting: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._waiting[key] = waiting
        try:
            return await waiting
        finally:
            self._waiting.pop(key, None)

    async def _listen(self) -> None:
        with suppress(ApiError):  # no event streams here, or no more: the sweep goes on
            async with aclosing(self._client.events()) as events:
                async for event in events:
                    if isinstance(event, StatusEvent) and is_terminal(event.status):
                        self._ended((event.agent_run_id, event.turn), End(event.status, event.result))

    async def _sweep(self) -> None:
        pause, failures = FIRST_SWEEP, 0
        while True:
            await asyncio.sleep(pause)
            pause = min(SLOWEST_SWEEP, pause * SLOWER)
            try:
                await self._look()
                failures = 0
            except ApiError as error:
                failures += 1
                if failures >= PATIENCE:
                    self._fail(error)

    async def _look(self) -> None:
        skip = 0
        while self._waiting:
            oldest = min(self._waiting)[0]
            page = await self._client.list_agent_runs(skip=skip, limit=MAX_PAGE)
            for run in page.items:
                if run.status is not None and is_terminal(run.status) and _key(run) in self._waiting:
                    self._ended(_key(run), End(run.status, run.result))
            skip += len(page.items)
            if not page.items or page.items[-1].id <= oldest or skip >= page.total:
                return

    def _ended(self, key: Key, end: End) -> None:
        waiting = self._waiting.get(key)
        if waiting is None:
            self._early[key] = end
            if len(self._early) > MOST_EARLY:
                del self._early[next(iter(self._early))]
        elif not waiting.done():
            waiting.set_result(end)

    def _fail(self, error: ApiError) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(error)


def _key(run: AgentRun) -> Key:
    return run.id, run.get("turn", 1)
