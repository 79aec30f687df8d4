"""Rows of the event table: how they are written, and how they are read back as log entries and events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from contexten.protocol import LogEntry, LogEvent, StatusEvent
from contexten.server.store.columns import iso
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


def body_of(entry: NewLogEntry) -> str:
    """A log entry as it is stored: JSON without what is missing and without its time."""
    return to_json(entry.model_dump(exclude_none=True, exclude={"created_at"}))


def log_row(run_id: int, organization_id: int, turn: int, position: int, body: str, created_at: datetime) -> EventRow:
    """A row for a log entry without a key."""
    return _row(run_id, organization_id, turn, created_at, position=position, body=body)


def status_row(
    run_id: int, organization_id: int, turn: int, status: str, created_at: datetime, result: str | None = None
) -> EventRow:
    """A row for a change of status."""
    body = None if result is None else to_json(result)
    return _row(run_id, organization_id, turn, created_at, status=status, body=body)


def _row(run_id: int, organization_id: int, turn: int, created_at: datetime, **rest: Any) -> EventRow:
    row = {"run_id": run_id, "organization_id": organization_id, "turn": turn, "created_at": created_at}
    return {**row, "position": None, "key": None, "status": None, "body": None, **rest}


def write_events(transaction: Transaction, rows: list[EventRow]) -> None:
    """Write rows in order, each with the next id, and their words into the search index."""
    for row in rows:
        row["id"] = transaction.next_event_id()
    transaction.connection.execute(_INSERT, rows)
    index_events(transaction.connection, rows)


def entry_from(row: Row[Any]) -> LogEntry:
    """The log entry of a row."""
    fields = {**json.loads(row.body), "agent_run_id": row.run_id, "created_at": iso(row.created_at)}
    return LogEntry.model_validate(fields)


def event_from(row: Row[Any]) -> OwnedEvent:
    """The event of a row, with its organization."""
    return row.organization_id, _log_event(row) if row.status is None else _status_event(row)


def _log_event(row: Row[Any]) -> LogEvent:
    place = {"id": row.id, "agent_run_id": row.run_id, "turn": row.turn, "position": row.position}
    return LogEvent(**place, entry=entry_from(row))


def _status_event(row: Row[Any]) -> StatusEvent:
    result = None if row.body is None else json.loads(row.body)
    place = {"id": row.id, "agent_run_id": row.run_id, "turn": row.turn, "created_at": iso(row.created_at)}
    return StatusEvent(**place, status=row.status, result=result)
