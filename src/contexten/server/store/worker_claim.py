"""A worker's claim to its name: a lock that the database lets go when the process ends, however it ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import Integer, NullPool, cast, create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from contexten.errors import SettingsError
from contexten.server.store.faults import fault

if TYPE_CHECKING:
    from sqlalchemy import Connection

_KIND = 0x776F726B  # of our locks, the one for names of workers
_LOOK_UP_SECONDS = 0.2
# A process whose machine vanished holds its lock until the database notices; keepalives make that a minute.
_NOTICE = {"keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 4, "connect_timeout": 10}


class WorkerClaim:
    """Holds the name of a worker of a PostgreSQL database, so that no second process works under it.

    Two processes of one name would hide each other's death, and the turns of the dead one would never be taken over.

    Args:
        url: SQLAlchemy address of the database.
        worker_id: the name.
    """

    def __init__(self, url: str, worker_id: str) -> None:
        self._engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=dict(_NOTICE))
        self._worker_id = worker_id
        self._connection: Connection | None = None

    def take(self, patience: float) -> None:
        """Take the name, waiting so many seconds for a process that is just ending. Blocks.

        Raises:
            SettingsError: another process has the name.
            StoreUnavailableError: the database cannot be reached.
        """
        try:
            self._connection = self._engine.connect()
            taken = self._wait(self._connection, patience)
        except SQLAlchemyError as error:
            self.give_back()
            raise fault(error) from error
        if not taken:
            self.give_back()
            raise SettingsError(
                f"Another process already works as {self._worker_id!r} on this database. "
                "Give each process a name of its own that it keeps: CONTEXTEN_WORKER_ID."
            )

    def keep(self) -> None:
        """Take the name again if the database dropped the connection that held it. Blocks.

        Raises:
            SettingsError: another process took the name meanwhile.
            StoreUnavailableError: the database cannot be reached.
        """
        try:
            if self._connection is not None:
                self._connection.scalar(select(1))
        except SQLAlchemyError:
            self.give_back()
        if self._connection is None:
            self.take(0)

    def give_back(self) -> None:
        """Let another process take the name."""
        if self._connection is not None:
            self._connection.invalidate()  # closes it at once, with its locks
            self._connection.close()
            self._connection = None
        self._engine.dispose()

    def _wait(self, connection: Connection, patience: float) -> bool:
        lock = select(func.pg_try_advisory_lock(cast(_KIND, Integer), func.hashtext(self._worker_id)))
        deadline = time.monotonic() + patience
        while not connection.scalar(lock):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOOK_UP_SECONDS)
        return True
