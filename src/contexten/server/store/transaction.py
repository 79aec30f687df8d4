"""One write transaction, which hands out the ids of runs and events.

All writers take turns (one thread on SQLite, one advisory lock on PostgreSQL), so the next id is one more than the
largest there is, and ids grow in the order in which transactions commit. Before rows are deleted the largest ids are
noted: an id is not given out twice.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Table, delete, func, insert, select

from contexten.server.store.tables import events, runs, sequences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection


def _newest(table: Table) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """The largest id in a table, and the largest that was noted."""
    noted = select(sequences.c.newest).where(sequences.c.name == table.name).scalar_subquery()
    there = select(func.coalesce(func.max(table.c.id), 0)).scalar_subquery()
    return there, func.coalesce(noted, 0)


_NEWEST = select(*_newest(runs), *_newest(events))


class Transaction:
    """A connection that holds the right to write, until it commits."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.newest_event: int | None = None
        """Largest id of an event that this transaction wrote; None when it wrote none."""
        self._ids: tuple[Iterator[int], Iterator[int]] | None = None

    def next_run_id(self) -> int:
        """An id for one new run."""
        return next(self._sequences()[0])

    def next_event_id(self) -> int:
        """An id for one new event, which must be written."""
        self.newest_event = next(self._sequences()[1])
        return self.newest_event

    def keep_ids(self) -> None:
        """Note the largest ids, because rows that have them may be deleted next."""
        run_id, event_id = self._newest_ids()
        rows = [{"name": runs.name, "newest": run_id}, {"name": events.name, "newest": event_id}]
        self.connection.execute(delete(sequences))
        self.connection.execute(insert(sequences), rows)

    def _sequences(self) -> tuple[Iterator[int], Iterator[int]]:
        if self._ids is None:
            run_id, event_id = self._newest_ids()
            self._ids = count(run_id + 1), count(event_id + 1)
        return self._ids

    def _newest_ids(self) -> tuple[int, int]:
        run_id, noted_run_id, event_id, noted_event_id = self.connection.execute(_NEWEST).one()
        return max(run_id, noted_run_id), max(event_id, noted_event_id)
