"""What happens on the server, in portions that a page can take: gathered for a moment, until nobody looks any more."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contexten.errors import ApiError
from contexten.protocol import LogEvent
from contexten.resilience import Retry

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from contexten.client import AsyncCodegenClient

GATHERING = 0.2
"""Seconds for which events are gathered before a page is told."""
LOOKING = 5.0
"""Seconds after which it is asked again whether anybody looks."""
ENDLESS = Retry(retries=10**9, initial=0.5, maximum=5.0, waits_for_breaker=True)
"""A page that is left open waits for its server for as long as it takes."""
_MOST_WAITING = 5_000


@dataclass
class News:
    """What has happened since the last portion."""

    logs: dict[int, list[LogEvent]] = field(default_factory=dict)
    """New log entries by run, in order."""
    runs: set[int] = field(default_factory=set)
    """Runs that were created, changed their status, or were deleted."""
    workflows: set[int] = field(default_factory=set)
    """Workflows of which anything changed."""
    lost: str | None = None
    """What broke the connection to the server; empty when it is there again."""
    missed: bool = False
    """Whether events may have been missed: everything has to be asked for again."""

    def take(self, event: Any) -> None:
        """Add an event, or what became of the connection.

        Raises:
            ApiError: there are no more.
        """
        if isinstance(event, ApiError):
            raise event
        if isinstance(event, LogEvent):
            self.logs.setdefault(event.agent_run_id, []).append(event)
        elif isinstance(event, _Connection):
            self.lost = event.lost
            self.missed |= event.gap
        elif (workflow := getattr(event, "workflow_id", None)) is not None:
            self.workflows.add(workflow)
        else:
            self.runs.add(event.agent_run_id)


@dataclass(frozen=True)
class _Connection:
    lost: str = ""
    gap: bool = False


async def portions(client: AsyncCodegenClient, somebody_looks: Callable[[], Awaitable[bool]]) -> AsyncGenerator[News]:
    """What happens in the client's organization, for as long as somebody looks.

    Raises:
        ApiError: the server will not tell: the token was revoked, or it has no event streams.
    """
    waiting: asyncio.Queue[Any] = asyncio.Queue(_MOST_WAITING)
    pump = asyncio.create_task(_pump(client, waiting))
    try:
        while await somebody_looks():
            if (news := await _portion(waiting)) is not None:
                yield news
    finally:
        pump.cancel()
        with suppress(asyncio.CancelledError):
            await pump


async def _portion(waiting: asyncio.Queue[Any]) -> News | None:
    """The next portion; None when nothing happened for a while."""
    news = News()
    try:
        async with asyncio.timeout(LOOKING):
            news.take(await waiting.get())
    except TimeoutError:
        return None
    await asyncio.sleep(GATHERING)
    while not waiting.empty():
        news.take(waiting.get_nowait())
    return news


async def _pump(client: AsyncCodegenClient, waiting: asyncio.Queue[Any]) -> None:
    def opened(*, gap: bool) -> None:
        _put(waiting, _Connection(gap=gap))

    def lost(error: ApiError) -> None:
        _put(waiting, _Connection(lost=str(error)))

    try:
        async with aclosing(client.events(on_open=opened, on_lost=lost, retry=ENDLESS)) as events:
            async for event in events:
                await waiting.put(event)
    except ApiError as error:
        await waiting.put(error)


def _put(waiting: asyncio.Queue[Any], told: _Connection) -> None:
    with suppress(asyncio.QueueFull):  # the portion that empties it says the same with its next event
        waiting.put_nowait(told)
