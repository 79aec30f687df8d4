"""Appending log entries, many at once: dense positions, and each key of a turn once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, tuple_, update

from contexten.server.store.errors import NotThereError
from contexten.server.store.event_rows import EventRow, Place, log_row, write_events
from contexten.server.store.tables import events, runs
from contexten.server.store.text_gate import clean_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from contexten.server.store.transaction import Transaction

_ENDS = select(runs.c.id, runs.c.organization_id, runs.c.log_count).where(
    runs.c.id.in_(bindparam("ids", expanding=True))
)
_KEY = tuple_(events.c.run_id, events.c.turn, events.c.key)
_SET_COUNT = update(runs).where(runs.c.id == bindparam("run")).values(log_count=bindparam("entries"))


@dataclass(frozen=True, slots=True)
class PendingEntry:
    """A log entry on its way, encoded."""

    run_id: int
    turn: int
    key: str | None
    created_at: datetime
    body: str

    @property
    def identity(self) -> tuple[int, int, str] | None:
        """What must be unique, if the entry has a key."""
        return None if self.key is None else (self.run_id, self.turn, clean_text(self.key))


@dataclass(slots=True)
class _End:
    organization_id: int
    log_count: int


def append(transaction: Transaction, entries: list[PendingEntry]) -> Sequence[bool | NotThereError]:
    """Write entries in order. For each: True, or False when its turn has its key already, or why it cannot be."""
    ends = _ends(transaction, {entry.run_id for entry in entries})
    known = _known(transaction, entries)
    rows: list[EventRow] = []
    outcomes: list[bool | NotThereError] = []
    for entry in entries:
        if entry.run_id not in ends:
            outcomes.append(NotThereError(f"There is no run {entry.run_id}."))
            continue
        new = entry.identity is None or entry.identity not in known
        outcomes.append(new)
        if new:
            rows.append(_row(entry, ends[entry.run_id]))
            known.add(entry.identity)
    if rows:
        _write(transaction, rows, ends)
    return outcomes


def _ends(transaction: Transaction, run_ids: set[int]) -> dict[int, _End]:
    found = transaction.connection.execute(_ENDS, {"ids": sorted(run_ids)})
    return {run_id: _End(organization_id, log_count) for run_id, organization_id, log_count in found}


def _known(transaction: Transaction, entries: list[PendingEntry]) -> set[tuple[int, int, str] | None]:
    wanted = [entry.identity for entry in entries if entry.identity is not None]
    if not wanted:
        return set()
    # The index of keys leaves out missing ones, and is used only when the statement says that it needs none of them.
    found = select(events.c.run_id, events.c.turn, events.c.key).where(events.c.key.is_not(None), _KEY.in_(wanted))
    return {(run_id, turn, key) for run_id, turn, key in transaction.connection.execute(found)}


def _row(entry: PendingEntry, end: _End) -> EventRow:
    position = end.log_count
    end.log_count += 1
    place = Place(entry.run_id, end.organization_id, entry.turn)
    return log_row(place, position, entry.body, entry.created_at, entry.key)


def _write(transaction: Transaction, rows: list[EventRow], ends: dict[int, _End]) -> None:
    write_events(transaction, rows)
    counts = [{"run": run_id, "entries": ends[run_id].log_count} for run_id in sorted({row["run_id"] for row in rows})]
    transaction.connection.execute(_SET_COUNT, counts)
