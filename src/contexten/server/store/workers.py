"""Heartbeats of the processes that share a database, by which a dead one's work is found."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from contexten.server.store.columns import now
from contexten.server.store.tables import workers

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from contexten.server.store.database import Database
    from contexten.server.store.transaction import Transaction


class Workers:
    """All processes that have worked on this database and were not forgotten."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def beat(self, worker_id: str) -> None:
        """Note that a worker lives."""

        def work(transaction: Transaction) -> None:
            moment = _shared_clock(transaction.connection)
            again = update(workers).where(workers.c.worker_id == worker_id).values(beat_at=moment)
            if not transaction.connection.execute(again).rowcount:
                transaction.connection.execute(insert(workers).values(worker_id=worker_id, beat_at=moment))

        await self._database.write(work)

    async def dead(self, older_than_s: float) -> list[str]:
        """Workers whose last beat is longer ago than so many seconds."""

        def work(connection: Connection) -> list[str]:
            silent = workers.c.beat_at < _shared_clock(connection) - timedelta(seconds=older_than_s)
            return list(connection.scalars(select(workers.c.worker_id).where(silent).order_by(workers.c.worker_id)))

        return await self._database.read(work)

    async def forget(self, worker_id: str) -> None:
        """Forget a worker, whose work was taken over or is done."""
        gone = delete(workers).where(workers.c.worker_id == worker_id)
        await self._database.write(lambda transaction: transaction.connection.execute(gone))


def _shared_clock(connection: Connection) -> datetime:
    """The present moment by the clock of the database server: those of the workers' machines may differ."""
    moment = connection.scalar(select(func.clock_timestamp())) if connection.dialect.name == "postgresql" else None
    return moment or now()
