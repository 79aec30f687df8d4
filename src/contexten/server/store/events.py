"""Events: log entries and changes of status, in the order in which they were committed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, union_all

from contexten.errors import UsageError
from contexten.server.store.appends import PendingEntry, append
from contexten.server.store.columns import now
from contexten.server.store.entry_size import LARGEST_ENTRY, fitted
from contexten.server.store.event_rows import EVENT, OF_ANY_KIND, body_of, entry_from, event_from
from contexten.server.store.notices import NOTICE
from contexten.server.store.run_rows import find
from contexten.server.store.tables import events, notices

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection, Row, Select, Table

    from contexten.protocol import LogEntry, NewLogEntry, Window
    from contexten.server.store.database import Database
    from contexten.server.store.records import OwnedEvent, RunRecord

LONGEST_KEY = 200
"""Characters of a log entry's key: an index of PostgreSQL takes no more than 2,700 bytes."""
_OF_TURN = EVENT.where(
    events.c.run_id == bindparam("run"), events.c.turn == bindparam("number"), events.c.key.is_not(None)
).order_by(events.c.id)
_LAST = (
    EVENT.where(events.c.run_id == bindparam("run"), events.c.key == bindparam("name"))
    .order_by(events.c.turn.desc())
    .limit(1)
)
_PAGE = EVENT.where(
    events.c.run_id == bindparam("run"),
    events.c.position.is_not(None),
    events.c.position >= bindparam("first"),
    events.c.position < bindparam("end"),
)
_FORWARD = _PAGE.order_by(events.c.position)
_BACKWARD = _PAGE.order_by(events.c.position.desc())
_NEWEST = union_all(select(func.max(events.c.id)), select(func.max(notices.c.id)))


class Events:
    """All events of the server."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, run_id: int, turn: int, entry: NewLogEntry, *, key: str | None) -> bool:
        """Write a log entry; False, and nothing is written, when the turn has an entry with this key already.

        All entries that wait while a write is under way are written in one transaction. One that is too large is cut.

        Raises:
            NotThereError: there is no such run.
            UsageError: the key is too long, the entry's time is not ISO 8601, or its JSON is nested too deeply.
        """
        if key is not None and len(key) > LONGEST_KEY:
            raise UsageError(f"A log entry's key has at most {LONGEST_KEY} characters, not {len(key)}: {key[:40]!r}…")
        body = body_of(entry)
        body = body if len(body) <= LARGEST_ENTRY else body_of(fitted(entry))
        pending = PendingEntry(run_id, turn, key, _time_of(entry), body)
        return await self._database.write_item(append, pending)

    async def entries(self, run_id: int, turn: int) -> dict[str, LogEntry]:
        """The log entries of one turn that have a key, oldest first."""

        def work(connection: Connection) -> dict[str, LogEntry]:
            rows = connection.execute(_OF_TURN, {"run": run_id, "number": turn})
            return {row.key: entry_from(row) for row in rows}

        return await self._database.read(work)

    async def last(self, run_id: int, key: str) -> LogEntry | None:
        """The log entry with this key in the newest turn of the run that has one."""

        def work(connection: Connection) -> LogEntry | None:
            row = connection.execute(_LAST, {"run": run_id, "name": key}).first()
            return None if row is None else entry_from(row)

        return await self._database.read(work)

    async def logs(
        self, organization_id: int, run_id: int, window: Window, *, reverse: bool = False
    ) -> tuple[RunRecord, list[LogEntry]]:
        """A run and a page of its log, oldest first or newest first; `run.log_count` is the length of the whole.

        Raises:
            NotThereError: the organization has no such run.
        """

        def work(connection: Connection) -> tuple[RunRecord, list[LogEntry]]:
            run = find(connection, organization_id, run_id)
            skip, end = min(window.skip, run.log_count), min(window.skip + window.limit, run.log_count)
            first, end = (run.log_count - end, run.log_count - skip) if reverse else (skip, end)
            page = _BACKWARD if reverse else _FORWARD
            rows = connection.execute(page, {"run": run_id, "first": first, "end": end})
            return run, [entry_from(row) for row in rows]

        return await self._database.read(work)

    async def after(
        self,
        event_id: int,
        *,
        organization_id: int | None = None,
        run_id: int | None = None,
        limit: int = 500,
        size: int | None = None,
    ) -> list[OwnedEvent]:
        """The next events after one, in order, of one organization or run when given; of a run, its log and statuses.

        At most `limit`; fewer when they have `size` characters together before that.
        """
        wanted = _after(OF_ANY_KIND, events, event_id, organization_id)
        if run_id is None:
            notes = _after(NOTICE, notices, event_id, organization_id)
            page: Any = union_all(wanted, notes).order_by("id").limit(limit)
        else:
            page = wanted.where(events.c.run_id == run_id).order_by(events.c.id).limit(limit)

        def work(connection: Connection) -> list[OwnedEvent]:
            rows = connection.execute(page)
            return [event_from(row) for row in (rows if size is None else _first(rows, size))]

        return await self._database.read(work)

    async def last_id(self) -> int:
        """The id of the newest event, 0 when there is none."""
        return await self._database.read(lambda connection: max(newest or 0 for newest in connection.scalars(_NEWEST)))


def _after(
    rows: Select[*tuple[Any, ...]], table: Table, event_id: int, organization_id: int | None
) -> Select[*tuple[Any, ...]]:
    wanted = rows.where(table.c.id > event_id)
    return wanted if organization_id is None else wanted.where(table.c.organization_id == organization_id)


def _first(rows: Iterable[Row[*tuple[Any, ...]]], size: int) -> Iterator[Row[*tuple[Any, ...]]]:
    for row in rows:
        yield row
        size -= len(row.body or "")
        if size <= 0:
            return


def _time_of(entry: NewLogEntry) -> datetime:
    if entry.created_at is None:
        return now()
    try:
        moment = datetime.fromisoformat(entry.created_at)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"The log entry's time {entry.created_at!r} is not ISO 8601.") from None
