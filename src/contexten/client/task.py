"""A run in the caller's hands: look at it, follow it, wait for it, go on with it, stop it.

`AgentTask` has everything that the official class of this name has, and `AsyncAgentTask` is its twin.
"""

from __future__ import annotations

import math
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Self

from contexten.client import follow
from contexten.client.base import alog_of, log_of
from contexten.client.calls import runs
from contexten.errors import RequestTimeoutError, UsageError
from contexten.protocol import AgentRunDetail, LogEvent, is_successful, is_terminal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence

    from contexten.client.aconnection import AsyncConnection
    from contexten.client.connection import Connection
    from contexten.protocol import AgentRun, LogEntry, PullRequest, RunEvent


class _Facts:
    """What is known about the run, without asking."""

    def __init__(self, run: AgentRun) -> None:
        self.run = run
        """The run as it was when the server was last asked."""
        self._first_turn = 1
        self._known: int | None = None

    @property
    def id(self) -> int:
        """The run's number."""
        return self.run.id

    @property
    def org_id(self) -> int:
        """The organization that it belongs to."""
        return self.run.organization_id

    @property
    def status(self) -> str | None:
        """One of `RunStatus`, or what the server says instead."""
        return self.run.status

    @property
    def result(self) -> str | None:
        """The answer, when there is one."""
        return self.run.result

    @property
    def web_url(self) -> str | None:
        """Where a person can look at it."""
        return self.run.web_url

    @property
    def summary(self) -> str | None:
        """The answer in one line."""
        return self.run.summary

    @property
    def metadata(self) -> dict[str, Any]:
        """What was kept with the run."""
        return self.run.metadata or {}

    @property
    def github_pull_requests(self) -> list[PullRequest]:
        """Pull requests that the run opened."""
        return self.run.github_pull_requests or []

    @property
    def is_terminal(self) -> bool:
        """Whether the run has ended."""
        return is_terminal(self.status)

    @property
    def is_successful(self) -> bool:
        """Whether the run ended with what was asked."""
        return is_successful(self.status)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.status}>"

    def _resumed(self, run: AgentRun, known_entries: int) -> None:
        """Take over a run that goes on; of one without turns, the entries known before are left out of the stream."""
        self.run = run
        if isinstance(run, AgentRunDetail):
            self._first_turn = run.turn
        elif known_entries:
            self._known = known_entries - 1

    def _is_new(self, event: RunEvent) -> bool:
        return event.turn >= self._first_turn

    def _late(self, timeout: float | None) -> RequestTimeoutError:
        return RequestTimeoutError(
            f"Run {self.id} has not ended after {timeout:g} s. It goes on; its last known status is {self.status}."
        )


def _check(timeout: float | None, poll: float | None) -> None:
    if timeout is not None and not timeout >= 0:
        raise UsageError(f"timeout is {timeout!r}: it must be a number of seconds of at least 0, or None.")
    if poll is not None and not 0 < poll < math.inf:
        raise UsageError(f"poll is {poll!r}: it must be a number of seconds above 0, or None.")


class AgentTask(_Facts):
    """A run of a synchronous client."""

    def __init__(self, connection: Connection, run: AgentRun) -> None:
        super().__init__(run)
        self._connection = connection

    def refresh(self) -> None:
        """Ask the server how the run stands now."""
        self.run = self._connection.send(runs.show(self.id), self.org_id)

    def wait(self, timeout: float | None = None, poll: float | None = None) -> Self:
        """Wait until the run has ended, however it ended. Returns the task.

        Args:
            timeout: seconds to wait at most; None waits as long as it takes.
            poll: seconds between two questions; None listens to the server's events, and where it has none,
                asks after one second first and every five in the end.

        Raises:
            RequestTimeoutError: it has not ended in time. The run goes on.
            UsageError: a number of seconds cannot be meant.
        """
        _check(timeout, poll)
        if self.is_terminal:
            return self
        ends = None if timeout is None else self._connection.policy.clock.monotonic() + timeout
        try:
            self.run = follow.await_end(self._connection, self.org_id, self.id, timeout, poll)
        except RequestTimeoutError:
            if ends is None or self._connection.policy.clock.monotonic() < ends:
                raise
            raise self._late(timeout) from None
        return self

    def events(self, after: int | None = None) -> Iterator[RunEvent]:
        """What happens to the run, log entries and statuses, live, from its beginning or after an event's id."""
        return follow.follow_run(self._connection, self.org_id, self.id, after)

    def stream(self, on_partial: Callable[[str], None] | None = None) -> Iterator[LogEntry]:
        """The run's log entries, live, until the run ends; after a resume, those since then.

        Args:
            on_partial: given text that the run is still saying, all of it so far; the next entry takes its place.
        """
        for event in follow.follow_run(self._connection, self.org_id, self.id, self._known, on_partial=on_partial):
            if isinstance(event, LogEvent) and self._is_new(event):
                yield event.entry
        self.refresh()

    def logs(self) -> list[LogEntry]:
        """The run's whole log as it stands, oldest entry first."""
        return list(log_of(self._connection, self.id, self.org_id))

    def resume(self, prompt: str, images: Sequence[str] | None = None) -> Self:
        """Say something more to the run after it has ended; it goes on with a new turn. Returns the task."""
        call = runs.resume(self.id, prompt, images)
        known = 0 if self._connection.server.is_ours else len(self.logs())
        self._resumed(self._connection.send(call, self.org_id), known)
        return self

    def cancel(self) -> Self:
        """Stop the run. Returns the task."""
        self.run = self._connection.send(runs.cancel(self.id), self.org_id)
        return self


class AsyncAgentTask(_Facts):
    """A run of an asynchronous client: the twin of `AgentTask`."""

    def __init__(self, connection: AsyncConnection, run: AgentRun) -> None:
        super().__init__(run)
        self._connection = connection

    async def refresh(self) -> None:
        """Ask the server how the run stands now."""
        self.run = await self._connection.send(runs.show(self.id), self.org_id)

    async def wait(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - the documented name, as in the twin
        poll: float | None = None,
    ) -> Self:
        """Wait until the run has ended, however it ended. Returns the task.

        Args:
            timeout: seconds to wait at most; None waits as long as it takes.
            poll: seconds between two questions; None listens to the server's events, and where it has none,
                asks after one second first and every five in the end.

        Raises:
            RequestTimeoutError: it has not ended in time. The run goes on.
            UsageError: a number of seconds cannot be meant.
        """
        _check(timeout, poll)
        if self.is_terminal:
            return self
        import asyncio

        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                self.run = await follow.aawait_end(self._connection, self.run, poll)
        except TimeoutError:
            if not limit.expired():
                raise
            raise self._late(timeout) from None
        return self

    def events(self, after: int | None = None) -> AsyncGenerator[RunEvent]:
        """What happens to the run, log entries and statuses, live, from its beginning or after an event's id."""
        return follow.afollow_run(self._connection, self.org_id, self.id, after)

    async def stream(self, on_partial: Callable[[str], None] | None = None) -> AsyncGenerator[LogEntry]:
        """The run's log entries, live, until the run ends; after a resume, those since then.

        Args:
            on_partial: given text that the run is still saying, all of it so far; the next entry takes its place.
        """
        following = follow.afollow_run(self._connection, self.org_id, self.id, self._known, on_partial)
        async with aclosing(following) as events:
            async for event in events:
                if isinstance(event, LogEvent) and self._is_new(event):
                    yield event.entry
        await self.refresh()

    async def logs(self) -> list[LogEntry]:
        """The run's whole log as it stands, oldest entry first."""
        return [entry async for entry in alog_of(self._connection, self.id, self.org_id)]

    async def resume(self, prompt: str, images: Sequence[str] | None = None) -> Self:
        """Say something more to the run after it has ended; it goes on with a new turn. Returns the task."""
        call = runs.resume(self.id, prompt, images)
        known = 0 if self._connection.server.is_ours else len(await self.logs())
        self._resumed(await self._connection.send(call, self.org_id), known)
        return self

    async def cancel(self) -> Self:
        """Stop the run. Returns the task."""
        self.run = await self._connection.send(runs.cancel(self.id), self.org_id)
        return self
