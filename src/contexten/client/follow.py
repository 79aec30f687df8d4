"""Following runs: event streams that are opened again where they broke, and polling where a server has none.

What was seen is kept in one place (`Seen`), free of input and output, and both twins feed it.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from httpx2 import EventSource
from pydantic import TypeAdapter, ValidationError

from contexten.client import exchange
from contexten.client.calls import runs
from contexten.client.exchange import NoEventStreamError
from contexten.errors import ApiError, ConnectionLostError
from contexten.protocol import AgentRun, AgentRunWithLogs, LogEvent, RunEvent, StatusEvent, is_terminal
from contexten.resilience import Retry

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from httpx2 import ServerSentEvent

    from contexten.client.aconnection import AsyncConnection
    from contexten.client.connection import Connection

PATIENCE = Retry(retries=16, initial=0.5, maximum=5.0)
"""How a watcher waits for a server that is down: for about a minute."""
PAGE = 100
_FIRST_PAUSE, _LONGEST_PAUSE, _SLOWER = 1.0, 5.0, 1.5
_EVENT: TypeAdapter[RunEvent] = TypeAdapter(RunEvent)


class Seen:
    """What of a stream has arrived: each event once, in order.

    Args:
        after: id of the last event that is known already.
        endless: whether the stream is of an organization, which does not end.
    """

    def __init__(self, after: int | None = None, *, endless: bool = False) -> None:
        self.after = after
        self._endless = endless
        self._status: str | None = None
        self._arrived = 0
        self._over = False

    @property
    def ended(self) -> bool:
        """Whether a stream that ended here has told everything."""
        return not self._endless and is_terminal(self._status)

    def opened(self) -> None:
        """A stream was opened; nothing of it has arrived."""
        self._arrived = 0

    def silent_end(self) -> bool:
        """Whether the run was known to be over before this stream was opened, and nothing more came."""
        return self._over and not self._arrived

    def told(self, status: str | None) -> None:
        """The run's status was asked for, because a stream ended without telling it."""
        self._over = is_terminal(status)

    @property
    def headers(self) -> dict[str, str]:
        """What to send to get the events after those that have arrived."""
        resumed = {} if self.after is None else {"Last-Event-ID": str(self.after)}
        return {"Accept": "text/event-stream", "Cache-Control": "no-store", **resumed}

    def take(self, sent: ServerSentEvent) -> RunEvent | None:
        """The event that was sent; None when it is not for us, known already, or was cut."""
        if sent.event not in {"log", "status"}:
            self._open(sent)
            return None
        try:
            event = _EVENT.validate_json(sent.data)
        except ValidationError:
            return None
        if self.after is not None and event.id <= self.after:
            return None
        self.after = event.id
        self._arrived += 1
        if isinstance(event, StatusEvent):
            self._status = event.status
        return event

    def _open(self, sent: ServerSentEvent) -> None:
        """An organization's stream says first after which event it starts."""
        if sent.event == "open" and self.after is None and sent.id.isdigit() and sent.data:
            self.after = int(sent.id)


class Pace:
    """Pauses between questions: always the same, or from one second slowly up to five."""

    def __init__(self, fixed: float | None = None) -> None:
        self._fixed = fixed
        self._pause = 0.0

    def next(self, left: float | None = None) -> float:
        """Seconds until the next question, at most those that are left."""
        self._pause = self._fixed or min(_LONGEST_PAUSE, self._pause * _SLOWER or _FIRST_PAUSE)
        return self._pause if left is None else min(left, self._pause)

    def restart(self) -> None:
        """Begin with one second again: something happened."""
        self._pause = 0.0


class Polled:
    """What of a run's log has been fetched from a server without event streams."""

    def __init__(self, skip: int = 0) -> None:
        self.skip = skip
        self._pace = Pace()
        self._at_once = False
        self._status: str | None = None
        self._quiet = False

    @property
    def ended(self) -> bool:
        """Whether the run has ended and everything of its log has been fetched."""
        return self._quiet and is_terminal(self._status)

    @property
    def pause(self) -> float:
        """Seconds until the next page is worth asking for."""
        return 0.0 if self._at_once else self._pace.next()

    def take(self, page: AgentRunWithLogs) -> list[RunEvent]:
        """The events that a page of the log makes; an id here is a place in the log."""
        events: list[RunEvent] = [
            LogEvent(id=place, agent_run_id=page.id, turn=1, position=place, entry=entry)
            for place, entry in enumerate(page.logs, start=self.skip)
        ]
        self.skip += len(page.logs)
        # Entries may be written between the last page and the run's end: an ended run is asked until it is quiet.
        self._quiet = not page.logs
        if page.status != self._status and (self._quiet or not is_terminal(page.status)):
            self._status = page.status
            events.append(self._status_event(page))
        self._at_once = len(page.logs) >= PAGE or is_terminal(page.status)
        if page.logs:
            self._pace.restart()
        return events

    def _status_event(self, page: AgentRunWithLogs) -> StatusEvent:
        return StatusEvent(
            id=self.skip,
            agent_run_id=page.id,
            turn=1,
            status=str(page.status),
            result=page.result if is_terminal(page.status) else None,
            created_at=page.created_at or "",
        )


def follow_run(
    connection: Connection, org_id: int, run_id: int, after: int | None = None, within: float | None = None
) -> Iterator[RunEvent]:
    """The events of a run from the beginning, or after one of them, to the end of its newest turn.

    Args:
        connection: to the server.
        org_id: the run's organization.
        run_id: the run.
        after: id of the last event that is known already.
        within: seconds that following may take.
    """
    if connection.server.is_ours is not False:
        try:
            yield from _stream(connection, org_id, run_id, Seen(after), within)
        except NoEventStreamError:
            pass
        else:
            return
    yield from _poll(connection, org_id, run_id, Polled(0 if after is None else after + 1))


def follow_organization(connection: Connection, org_id: int, after: int | None = None) -> Iterator[RunEvent]:
    """The events of all runs of an organization, from now or after one of them, without end."""
    return _stream(connection, org_id, None, Seen(after, endless=True), None)


def _stream(
    connection: Connection, org_id: int, run_id: int | None, seen: Seen, within: float | None
) -> Iterator[RunEvent]:
    attempts = connection.policy.attempts(
        key=connection.server.host, judge=exchange.judge_patiently, deadline=within, retry=PATIENCE
    )
    while True:
        try:
            with connection.stream(_path(org_id, run_id), seen.headers, attempts) as response:
                seen.opened()
                for sent in EventSource(response):
                    if (event := seen.take(sent)) is not None:
                        attempts.succeeded()
                        yield event
            if seen.ended or seen.silent_end():
                return
            if run_id is not None:
                seen.told(connection.send(runs.show(run_id), org_id).status)
            raise _cut(connection.server.base_url)
        except ApiError as error:
            wait = attempts.wait_after(error)
        connection.policy.clock.sleep(wait)


def _poll(connection: Connection, org_id: int, run_id: int, polled: Polled) -> Iterator[RunEvent]:
    while True:
        call = runs.logs(run_id, skip=polled.skip, limit=PAGE)
        yield from polled.take(connection.send(call, org_id, patience=PATIENCE))
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
    if poll is None and connection.server.is_ours is not False:
        try:
            for _event in _stream(connection, org_id, run_id, Seen(), within):
                pass
            return connection.send(runs.show(run_id), org_id, patience=PATIENCE)
        except NoEventStreamError:
            pass
    deadline = connection.policy.attempts(deadline=within)
    pace = Pace(poll)
    while not (run := connection.send(runs.show(run_id), org_id, patience=PATIENCE)).is_terminal:
        connection.policy.clock.sleep(pace.next(deadline.left()))
    return run


async def afollow_run(
    connection: AsyncConnection, org_id: int, run_id: int, after: int | None = None
) -> AsyncGenerator[RunEvent]:
    """The twin of `follow_run`; limit it with `asyncio.timeout`."""
    if connection.server.is_ours is not False:
        try:
            async with aclosing(_astream(connection, org_id, run_id, Seen(after))) as events:
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
    connection: AsyncConnection, org_id: int, after: int | None = None
) -> AsyncGenerator[RunEvent]:
    """The twin of `follow_organization`."""
    return _astream(connection, org_id, None, Seen(after, endless=True))


async def _astream(
    connection: AsyncConnection, org_id: int, run_id: int | None, seen: Seen
) -> AsyncGenerator[RunEvent]:
    attempts = connection.policy.attempts(key=connection.server.host, judge=exchange.judge_patiently, retry=PATIENCE)
    while True:
        try:
            async with connection.stream(_path(org_id, run_id), seen.headers, attempts) as response:
                seen.opened()
                async for sent in EventSource(response):
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
        await connection.policy.clock.asleep(wait)


async def _apoll(connection: AsyncConnection, org_id: int, run_id: int, polled: Polled) -> AsyncGenerator[RunEvent]:
    while True:
        call = runs.logs(run_id, skip=polled.skip, limit=PAGE)
        for event in polled.take(await connection.send(call, org_id, patience=PATIENCE)):
            yield event
        if polled.ended:
            return
        await connection.policy.clock.asleep(polled.pause)


async def aawait_end(connection: AsyncConnection, org_id: int, run_id: int, poll: float | None) -> AgentRun:
    """The twin of `await_end`; limit it with `asyncio.timeout`."""
    if poll is None and connection.server.is_ours is not False:
        try:
            async with aclosing(_astream(connection, org_id, run_id, Seen())) as events:
                async for _event in events:
                    pass
            return await connection.send(runs.show(run_id), org_id, patience=PATIENCE)
        except NoEventStreamError:
            pass
    pace = Pace(poll)
    while not (run := await connection.send(runs.show(run_id), org_id, patience=PATIENCE)).is_terminal:
        await connection.policy.clock.asleep(pace.next())
    return run


def _path(org_id: int, run_id: int | None) -> str:
    return (
        f"/v1/organizations/{org_id}/events"
        if run_id is None
        else f"/v1/organizations/{org_id}/agent/run/{run_id}/events"
    )


def _cut(base_url: str) -> ConnectionLostError:
    return ConnectionLostError(f"{base_url} ended the event stream before the run.")
