"""Many waits, one event stream: whoever waits for several runs at once listens once for the organization.

The stream tells of every end. What it cannot tell, the ends before it was open, is looked up in the list of runs, many
at a time. A server without event streams is only looked at, more and more seldom.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Self

from contexten.client import follow
from contexten.client.calls import runs
from contexten.client.follow import End
from contexten.client.seen import Pace
from contexten.errors import ApiError, NotFoundError
from contexten.protocol import MAX_PAGE, StatusEvent, is_terminal

if TYPE_CHECKING:
    from contexten.client.aconnection import AsyncConnection
    from contexten.protocol import AgentRun

ALONE = 3
"""Waits of one client that have streams of their own, and runs that are asked for one by one; more share."""
TOGETHER = 0.2
"""Seconds in which new waits gather, to be looked up with one question."""
SELDOM = 30.0
"""Seconds after which all runs are looked up although the stream is open: something between may hold it back."""


Waits = dict[asyncio.Future[End], int]
"""Those who wait for a run, each with the turn whose end it wants."""


class Watch:
    """The runs of one organization that the tasks of one event loop wait for.

    An asynchronous context manager that may be entered many times: it listens until the last has left.
    """

    def __init__(self, connection: AsyncConnection, org_id: int) -> None:
        self._connection, self._org_id = connection, org_id
        self._waiting: dict[int, Waits] = {}
        self._unsure: set[int] = set()
        """Runs that may have ended before the stream was open, and nobody has asked."""
        self._entered = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._listening = False
        self._news = asyncio.Event()
        self._pace = Pace()

    @property
    def in_use(self) -> bool:
        """Whether anybody is inside."""
        return self._entered > 0

    async def __aenter__(self) -> Self:
        self._entered += 1
        if self._entered == 1:
            self._listening = False
            self._news.clear()
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._sweep())]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._entered -= 1
        if self._entered:
            return
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    async def end_of(self, run: AgentRun) -> End:
        """Wait until the newest known turn of a run has ended.

        Raises:
            ApiError: the server cannot be reached any more, or does not know the run.
        """
        wait: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        waits = self._waiting.setdefault(run.id, {})
        waits[wait] = _turn(run)
        self._unsure.add(run.id)
        self._pace.restart()
        if self._listening:
            self._news.set()
        try:
            async with self:
                return await wait
        finally:
            del waits[wait]
            if not waits:
                self._waiting.pop(run.id, None)

    async def _listen(self) -> None:
        events = follow.afollow_statuses(self._connection, self._org_id, self._opened)
        with suppress(ApiError):  # no event streams here, or no more: the sweep goes on, and meets what is wrong
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, StatusEvent) and is_terminal(event.status):
                        self._tell(event.agent_run_id, event.turn, End(event.status, event.result))
        self._listening = False
        self._news.set()

    def _opened(self, *, gap: bool) -> None:
        self._listening = True
        if gap:
            self._unsure.update(self._waiting)
        self._news.set()

    async def _sweep(self) -> None:
        await self._news_within(Pace().next())
        while True:
            await self._connection.policy.clock.asleep(TOGETHER)
            self._news.clear()
            try:
                await self._look()
            except ApiError as error:
                self._fail(error)
            await self._pause()

    async def _pause(self) -> None:
        if self._listening:
            if await self._news_within(SELDOM):
                return
        else:
            await self._connection.policy.clock.asleep(self._pace.next())
        self._unsure.update(self._waiting)

    async def _news_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)
        return self._news.is_set()

    async def _look(self) -> None:
        unsure, self._unsure = self._unsure & self._waiting.keys(), set()
        skip = 0
        while len(unsure) > ALONE:
            call = runs.page(skip=skip, limit=MAX_PAGE)
            page = await self._connection.send(call, self._org_id, retry=follow.PATIENCE)
            seen = unsure.intersection(run.id for run in page.items)
            for run in page.items:
                self._found(run)
            if not seen:
                break
            unsure -= seen
            skip += len(page.items)
        for run_id in unsure:
            await self._ask(run_id)

    async def _ask(self, run_id: int) -> None:
        try:
            self._found(await self._connection.send(runs.show(run_id), self._org_id, retry=follow.PATIENCE))
        except NotFoundError as error:
            self._fail(error, run_id)

    def _found(self, run: AgentRun) -> None:
        if run.status is not None and run.is_terminal:
            self._tell(run.id, _turn(run), End(run.status, run.result, run))

    def _tell(self, run_id: int, turn: int, end: End) -> None:
        for wait, wanted in self._waiting.get(run_id, {}).items():
            if turn >= wanted and not wait.done():
                wait.set_result(end)

    def _fail(self, error: ApiError, *run_ids: int) -> None:
        for run_id in run_ids or list(self._waiting):
            for wait in self._waiting.get(run_id, {}):
                if not wait.done():
                    wait.set_exception(error)


def _turn(run: AgentRun) -> int:
    return int(run.get("turn", 1))
