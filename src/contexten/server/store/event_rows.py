"""Rows of the event table: how they are written, and how they are read back as log entries and events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import insert, null, select

from contexten.protocol import LogEntry, LogEvent, StatusEvent
from contexten.server.store.columns import iso
from contexten.server.store.notices import notice_from
from contexten.server.store.search_index import index_events
from contexten.server.store.tables import events
from contexten.server.store.text_gate import to_json

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row

    from contexten.protocol import NewLogEntry
    from contexten.server.store.records import OwnedEvent
    from contexten.server.store.transaction import Transaction

EventRow = dict[str, Any]

_INSERT = insert(events)
EVENT = select(
    events.c.id,
    events.c.organization_id,
    events.c.run_id,
    events.c.turn,
    events.c.position,
    events.c.key,
    events.c.status,
    events.c.created_at,
    events.c.body,
)
OF_ANY_KIND = EVENT.add_columns(null().label("kind"))
"""An event with a column that only notices fill."""


def body_of(entry: NewLogEntry) -> str:
    """A log entry as it is stored: JSON without what is missing and without its time."""
    return to_json(entry.model_dump(exclude_none=True, exclude={"created_at"}))


class Place(NamedTuple):
    """The turn that an event belongs to."""

    run_id: int
    organization_id: int
    turn: int


def log_row(place: Place, position: int, body: str, created_at: datetime, key: str | None = None) -> EventRow:
    """A row for a log entry."""
    return _row(place, created_at) | {"position": position, "key": key, "body": body}


def status_row(place: Place, status: str, created_at: datetime, result: str | None = None) -> EventRow:
    """A row for a change of status."""
    body = None if result is None else to_json(result)
    return _row(place, created_at) | {"status": status, "body": body}


def _row(place: Place, created_at: datetime) -> EventRow:
    return place._asdict() | {"created_at": created_at, "position": None, "key": None, "status": None, "body": None}


def write_events(transaction: Transaction, rows: list[EventRow]) -> None:
    """Write rows in order, each with the next id, and their words into the search index."""
    for row in rows:
        row["id"] = transaction.next_event_id()
    transaction.connection.execute(_INSERT, rows)
    index_events(transaction.connection, rows)


def entry_from(row: Row[*tuple[Any, ...]]) -> LogEntry:
    """The log entry of a row."""
    fields = {**json.loads(row.body), "agent_run_id": row.run_id, "created_at": iso(row.created_at)}
    return LogEntry.model_validate(fields)


def event_from(row: Row[*tuple[Any, ...]]) -> OwnedEvent:
    """The event of a row, with its organization."""
    if row.kind is not None:
        return row.organization_id, notice_from(row)
    return row.organization_id, _log_event(row) if row.status is None else _status_event(row)


def _log_event(row: Row[*tuple[Any, ...]]) -> LogEvent:
    place = {"id": row.id, "agent_run_id": row.run_id, "turn": row.turn, "position": row.position}
    return LogEvent(**place, entry=entry_from(row))


def _status_event(row: Row[*tuple[Any, ...]]) -> StatusEvent:
    result = None if row.body is None else json.loads(row.body)
    place = {"id": row.id, "agent_run_id": row.run_id, "turn": row.turn, "created_at": iso(row.created_at)}
    return StatusEvent(**place, status=row.status, result=result)
