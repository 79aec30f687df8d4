"""One write transaction, which hands out the ids of runs and events.

All writers take turns (one thread on SQLite, one advisory lock on PostgreSQL), so the next id is one more than the
largest there is, and ids grow in the order in which transactions commit. Before rows are deleted the largest ids are
noted: an id is not given out twice.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Table, delete, func, insert, select

from contexten.server.store.tables import events, notices, runs, sequences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection


def _newest(table: Table) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """The largest id in a table, and the largest that was noted."""
    noted = select(sequences.c.newest).where(sequences.c.name == table.name).scalar_subquery()
    there = select(func.coalesce(func.max(table.c.id), 0)).scalar_subquery()
    return there, func.coalesce(noted, 0)


_NEWEST = select(*_newest(runs), *_newest(events), _newest(notices)[0])


class Transaction:
    """A connection that holds the right to write, until it commits."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.newest_event: int | None = None
        """Largest id of an event that this transaction wrote; None when it wrote none."""
        self._given: tuple[int, int] | None = None

    def next_run_id(self) -> int:
        """An id for one new run."""
        run_id, event_id = self._given or self._newest_ids()
        self._given = run_id + 1, event_id
        return run_id + 1

    def next_event_id(self) -> int:
        """An id for one new event, which must be written."""
        run_id, event_id = self._given or self._newest_ids()
        self._given = run_id, event_id + 1
        self.newest_event = event_id + 1
        return event_id + 1

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what is done within when it raises, the ids that were given out too.

        Three plain statements: SQLAlchemy's own savepoints cost as much as the work.
        """
        before = self._given, self.newest_event
        self.connection.exec_driver_sql("SAVEPOINT unit")
        try:
            yield
        except BaseException:
            self._given, self.newest_event = before
            self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT unit")
            self.connection.exec_driver_sql("RELEASE SAVEPOINT unit")
            raise
        self.connection.exec_driver_sql("RELEASE SAVEPOINT unit")

    def keep_ids(self) -> None:
        """Note the largest ids, because rows that have them may be deleted next."""
        run_id, event_id = self._newest_ids()
        rows = [{"name": runs.name, "newest": run_id}, {"name": events.name, "newest": event_id}]
        self.connection.execute(delete(sequences))
        self.connection.execute(insert(sequences), rows)

    def _newest_ids(self) -> tuple[int, int]:
        run_id, noted_run_id, *event_ids = self.connection.execute(_NEWEST).one()
        return max(run_id, noted_run_id), max(event_ids)
