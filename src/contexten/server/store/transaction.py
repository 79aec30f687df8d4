"""One write transaction, which hands out the ids of runs and events.

All writers take turns (one thread on SQLite, one advisory lock on PostgreSQL), so the next id is one more than the
largest there is, and ids grow in the order in which transactions commit.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from contexten.server.store.tables import events, runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

_NEWEST = select(
    select(func.coalesce(func.max(runs.c.id), 0)).scalar_subquery(),
    select(func.coalesce(func.max(events.c.id), 0)).scalar_subquery(),
)


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

    def _sequences(self) -> tuple[Iterator[int], Iterator[int]]:
        if self._ids is None:
            run_id, event_id = self.connection.execute(_NEWEST).one()
            self._ids = count(run_id + 1), count(event_id + 1)
        return self._ids
