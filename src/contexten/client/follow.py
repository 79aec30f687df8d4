"""Following runs: event streams that are opened again where they broke, and polling where a server has none.

Both twins feed what arrives to `seen`, which says what is new and when it is over.
"""

from __future__ import annotations

from contextlib import aclosing, closing
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, Unpack

from httpx2 import EventSource

from contexten.client.answers import NoEventStreamError
from contexten.client.base import PAGE
from contexten.client.calls import runs, workflows
from contexten.client.seen import Looks, Pace, Polled, Seen
from contexten.errors import ApiError, ConnectionLostError
from contexten.protocol import StatusEvent, is_terminal
from contexten.resilience import Retry

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator

    from contexten.client.aconnection import AsyncConnection
    from contexten.client.connection import Connection
    from contexten.protocol import AgentRun, LiveEvent, RunEvent
    from contexten.protocol.workflows import WorkflowDetail

PATIENCE = Retry(retries=16, initial=0.5, maximum=5.0, waits_for_breaker=True)
"""How a watcher waits for a server that is down: for about a minute."""
LONGEST_EVENT = 16 * 1024 * 1024
"""Bytes of one event; an entry of the greatest length, every character escaped, has about 4 MB."""


class Watching(TypedDict, total=False):
    """How an organization's events are watched."""

    on_open: Callable[..., None]
    """Called each time the stream is open; with `gap`, whether events may have been missed."""
    on_lost: Callable[[ApiError], None]
    """Called each time it broke, with what broke it; it is opened again after a while."""
    retry: Retry
    """How long it is waited for a server that is down; about a minute when absent."""


class End(NamedTuple):
    """How a turn of a run ended."""

    status: str
    result: str | None
    run: AgentRun | None = None
    """The whole run, when the server was asked for it and did not tell of the end by itself."""


def follow_run(  # noqa: PLR0913, PLR0917 - what is followed, and how
    connection: Connection,
    org_id: int,
    run_id: int,
    after: int | None = None,
    within: float | None = None,
    on_partial: Callable[[str], None] | None = None,
) -> Iterator[RunEvent]:
    """The events of a run from the beginning, or after one of them, to the end of its newest turn.

    Args:
        connection: to the server.
        org_id: the run's organization.
        run_id: the run.
        after: id of the last event that is known already.
        within: seconds that following may take.
        on_partial: given text that the run is still saying, all of it so far, where the server tells it.
    """
    seen = Seen(after, on_partial=on_partial)
    if connection.server.is_ours is not False:
        try:
            yield from _stream(connection, org_id, run_id, seen, within, seen.query)
        except NoEventStreamError:
            pass
        else:
            return
    yield from _poll(connection, org_id, run_id, Polled(0 if after is None else after + 1))


def follow_organization(
    connection: Connection, org_id: int, after: int | None = None, **watching: Unpack[Watching]
) -> Iterator[LiveEvent]:
    """What happens in an organization, from now or after one of its events, without end."""
    return _stream(connection, org_id, None, Seen(after, endless=True, **watching), None)


def follow_workflow(connection: Connection, org_id: int, workflow_id: int) -> Iterator[WorkflowDetail]:
    """A workflow as it stands, and again whenever that has changed, until it has ended."""
    show, last = workflows.show(workflow_id), None
    with closing(_stream(connection, org_id, None, Looks(workflow_id), None, "?kinds=workflow")) as looks:
        for _ in looks:
            flow = connection.send(show, org_id, retry=PATIENCE)
            if flow != last:
                yield flow
            if flow.has_ended:
                return
            last = flow


def _stream(  # noqa: PLR0913, PLR0917 - what is followed, and how
    connection: Connection, org_id: int, run_id: int | None, seen: Seen, within: float | None, query: str = ""
) -> Generator[Any]:
    retry = seen.retry or PATIENCE
    attempts = connection.policy.attempts(key=connection.server.host, deadline=within, retry=retry)
    while True:
        try:
            with connection.stream(_path(org_id, run_id) + query, seen.headers, attempts) as response:
                seen.opened()
                for sent in EventSource(response, LONGEST_EVENT):
                    if (event := seen.take(sent)) is not None:
                        attempts.succeeded()
                        yield event
            if seen.ended or seen.silent_end():
                return
            if run_id is not None:
                seen.told(connection.send(runs.show(run_id), org_id, within=attempts.left()).status)
            raise _cut(connection.server.base_url)
        except ApiError as error:
            wait = attempts.wait_after(error)
            seen.lost(error)
        connection.policy.clock.sleep(wait)


def _poll(connection: Connection, org_id: int, run_id: int, polled: Polled) -> Iterator[RunEvent]:
    while True:
        call = runs.logs(run_id, skip=polled.skip, limit=PAGE)
        yield from polled.take(connection.send(call, org_id, retry=PATIENCE))
        if polled.ended:
            return
        connection.policy.clock.sleep(polled.pause)


def await_end(connection: Connection, org_id: int, run_id: int, within: float | None, poll: float | None) -> AgentRun:
    """Wait until a run has ended.

    Args:
        connection: to the server.
        org_id: the run's organization.
        run_id: the run.
        within: seconds to wait at most.
        poll: seconds between two questions, for those who do not want the event stream.

    Raises:
        RequestTimeoutError: it has not ended in time.
    """
    time = connection.policy.attempts(deadline=within)
    show = partial(connection.send, runs.show(run_id), org_id, retry=PATIENCE)
    if poll is None and connection.server.is_ours is not False:
        try:
            for _event in _stream(connection, org_id, run_id, Seen(), within, "?kinds=status"):
                pass
            return show(within=time.left())
        except NoEventStreamError:
            pass
    pace = Pace(poll)
    while not (run := show(within=time.left())).is_terminal:
        connection.policy.clock.sleep(pace.next(time.left()))
    return run


async def afollow_run(
    connection: AsyncConnection,
    org_id: int,
    run_id: int,
    after: int | None = None,
    on_partial: Callable[[str], None] | None = None,
) -> AsyncGenerator[RunEvent]:
    """The twin of `follow_run`; limit it with `asyncio.timeout`."""
    seen = Seen(after, on_partial=on_partial)
    if connection.server.is_ours is not False:
        try:
            async with aclosing(_astream(connection, org_id, run_id, seen, seen.query)) as events:
                async for event in events:
                    yield event
        except NoEventStreamError:
            pass
        else:
            return
    async with aclosing(_apoll(connection, org_id, run_id, Polled(0 if after is None else after + 1))) as events:
        async for event in events:
            yield event


def afollow_organization(
    connection: AsyncConnection, org_id: int, after: int | None = None, **watching: Unpack[Watching]
) -> AsyncGenerator[LiveEvent]:
    """The twin of `follow_organization`."""
    return _astream(connection, org_id, None, Seen(after, endless=True, **watching))


def afollow_statuses(
    connection: AsyncConnection, org_id: int, on_open: Callable[..., None]
) -> AsyncGenerator[RunEvent]:
    """The statuses of all runs of an organization, from now; a server may send log entries between them."""
    return _astream(connection, org_id, None, Seen(endless=True, on_open=on_open), "?kinds=status")


async def afollow_workflow(
    connection: AsyncConnection, org_id: int, workflow_id: int
) -> AsyncGenerator[WorkflowDetail]:
    """The twin of `follow_workflow`."""
    show, last = workflows.show(workflow_id), None
    async with aclosing(_astream(connection, org_id, None, Looks(workflow_id), "?kinds=workflow")) as looks:
        async for _ in looks:
            flow = await connection.send(show, org_id, retry=PATIENCE)
            if flow != last:
                yield flow
            if flow.has_ended:
                return
            last = flow


async def _astream(
    connection: AsyncConnection, org_id: int, run_id: int | None, seen: Seen, query: str = ""
) -> AsyncGenerator[Any]:
    attempts = connection.policy.attempts(key=connection.server.host, retry=seen.retry or PATIENCE)
    while True:
        try:
            async with connection.stream(_path(org_id, run_id) + query, seen.headers, attempts) as response:
                seen.opened()
                async for sent in EventSource(response, LONGEST_EVENT):
                    if (event := seen.take(sent)) is not None:
                        attempts.succeeded()
                        yield event
            if seen.ended or seen.silent_end():
                return
            if run_id is not None:
                seen.told((await connection.send(runs.show(run_id), org_id)).status)
            raise _cut(connection.server.base_url)
        except ApiError as error:
            wait = attempts.wait_after(error)
            seen.lost(error)
        await connection.policy.clock.asleep(wait)


async def _apoll(connection: AsyncConnection, org_id: int, run_id: int, polled: Polled) -> AsyncGenerator[RunEvent]:
    while True:
        call = runs.logs(run_id, skip=polled.skip, limit=PAGE)
        for event in polled.take(await connection.send(call, org_id, retry=PATIENCE)):
            yield event
        if polled.ended:
            return
        await connection.policy.clock.asleep(polled.pause)


async def aawait_end(connection: AsyncConnection, run: AgentRun, poll: float | None) -> AgentRun:
    """The twin of `await_end`; limit it with `asyncio.timeout`."""
    show = runs.show(run.id)
    if poll is None:
        end = await connection.end_of(run)
        if end.run is not None:
            return end.run
        return await connection.send(show, run.organization_id, retry=PATIENCE)
    while not (run := await connection.send(show, run.organization_id, retry=PATIENCE)).is_terminal:
        await connection.policy.clock.asleep(poll)
    return run


async def alisten_to_end(connection: AsyncConnection, org_id: int, run_id: int) -> End:
    """How a run ended, when its own event stream has."""
    told: StatusEvent | None = None
    async with aclosing(_astream(connection, org_id, run_id, Seen(), "?kinds=status")) as events:
        async for event in events:
            told = event if isinstance(event, StatusEvent) else told
    if told is not None and is_terminal(told.status):
        return End(told.status, told.result)
    run = await connection.send(runs.show(run_id), org_id, retry=PATIENCE)
    return End(str(run.status), run.result, run)


def _path(org_id: int, run_id: int | None) -> str:
    return (
        f"/v1/organizations/{org_id}/events"
        if run_id is None
        else f"/v1/organizations/{org_id}/agent/run/{run_id}/events"
    )


def _cut(base_url: str) -> ConnectionLostError:
    return ConnectionLostError(f"{base_url} ended the event stream before the run.")
