"""What the parts of a client have in common: a connection that sends their requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contexten.client.calls import runs

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from contexten.client.aconnection import AsyncConnection
    from contexten.client.calls.call import Call, T
    from contexten.client.connection import Connection
    from contexten.protocol import LogEntry, Page

PAGE = 100
"""Things asked for at a time, where there may be more than one answer holds."""


class Calls:
    """A part of the synchronous client."""

    _connection: Connection

    def _send(self, call: Call[T], org_id: int | str | None = None, **options: Any) -> T:
        return self._connection.send(call, org_id, **options)

    def _pages(self, call: Callable[[int, int], Call[Page[T]]], org_id: int | str | None = None) -> Iterator[T]:
        skip = 0
        while True:
            page = self._send(call(skip, PAGE), org_id)
            yield from page.items
            skip += len(page.items)
            if not page.items or skip >= page.total:
                return


class AsyncCalls:
    """A part of the asynchronous client."""

    _connection: AsyncConnection

    async def _send(self, call: Call[T], org_id: int | str | None = None, **options: Any) -> T:
        return await self._connection.send(call, org_id, **options)

    async def _pages(
        self, call: Callable[[int, int], Call[Page[T]]], org_id: int | str | None = None
    ) -> AsyncGenerator[T]:
        skip = 0
        while True:
            page = await self._send(call(skip, PAGE), org_id)
            for item in page.items:
                yield item
            skip += len(page.items)
            if not page.items or skip >= page.total:
                return


def log_of(connection: Connection, run_id: int | str, org_id: int | str | None = None) -> Iterator[LogEntry]:
    """The whole log of a run as it stands, oldest entry first."""
    skip = 0
    while page := connection.send(runs.logs(run_id, skip=skip, limit=PAGE), org_id).logs:
        yield from page
        skip += len(page)
        if len(page) < PAGE:
            return


async def alog_of(
    connection: AsyncConnection, run_id: int | str, org_id: int | str | None = None
) -> AsyncGenerator[LogEntry]:
    """The twin of `log_of`."""
    skip = 0
    while page := (await connection.send(runs.logs(run_id, skip=skip, limit=PAGE), org_id)).logs:
        for entry in page:
            yield entry
        skip += len(page)
        if len(page) < PAGE:
            return
