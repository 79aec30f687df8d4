"""One database: its address, its connections, and the threads that use them.

A unit of work is one hop to a thread. Reads see one moment of the database. Writes go through the one `Writer`.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import text

from contexten.errors import StoreError, StoreUnavailableError
from contexten.server.store.connections import connect
from contexten.server.store.faults import translated
from contexten.server.store.listener import CHANNEL, Listener
from contexten.server.store.migrate import migrate
from contexten.server.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from sqlalchemy import URL, Connection, Engine

    from contexten.server.store.transaction import Transaction

_READERS = 4
_ONE_MOMENT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', :newest)")  # the channel is a constant
_log = logging.getLogger(__name__)

T = TypeVar("T")
Item = TypeVar("Item")


class Database:
    """An open database with the newest tables.

    Raises:
        StoreUnavailableError: it cannot be reached.
        StoreError: it was written by a newer version.
    """

    def __init__(self, url: URL) -> None:
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self._engine = connect(url, connections=_READERS + 1)
        self._reading = self._engine.execution_options(**({} if self.is_sqlite else _ONE_MOMENT))
        writing = self._engine.execution_options(contexten_writes=True)
        self._migrate(writing)
        self._callbacks: list[Callable[[int], None]] = []
        self._announcing = Lock()
        self._announced = 0
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="contexten-store-reader")
        self._writer = Writer(writing, before_commit=self._notify, after_commit=self._announce)
        self._listener = None if self.is_sqlite else Listener(writing, self._announce)

    def on_commit(self, callback: Callable[[int], None]) -> None:
        """Call `callback` on a thread of the store with the newest event id, whenever events were committed."""
        self._callbacks.append(callback)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """The result of `work`, done on a reader's thread."""
        try:
            hop = self._readers.submit(self._read, work)
        except RuntimeError:
            raise StoreUnavailableError("The store is closed.") from None
        return await asyncio.wrap_future(hop)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """The result of `work`, done by the writer; when this returns, it is committed."""
        return await asyncio.wrap_future(self._writer.submit(work))

    def write_later(self, work: Callable[[Transaction], T]) -> Future[T]:
        """The same without waiting."""
        return self._writer.submit(work)

    async def write_item(self, work: Callable[[Transaction, list[Item]], Sequence[T | Exception]], item: Item) -> T:
        """The result of `work` for `item`, done together with all items of the same work that wait beside it."""
        return await asyncio.wrap_future(self._writer.submit_item(work, item))

    def close(self) -> None:
        """Write what waits, end the threads and the connections."""
        if self._listener is not None:
            self._listener.close()
        self._writer.close()
        self._readers.shutdown()
        self._engine.dispose()

    def _migrate(self, writing: Engine) -> None:
        try:
            with translated():
                migrate(writing)
        except StoreError:
            self._engine.dispose()
            raise

    def _read(self, work: Callable[[Connection], T]) -> T:
        with translated(), self._reading.connect() as connection:
            return work(connection)

    def _notify(self, transaction: Transaction) -> None:
        if not self.is_sqlite:
            transaction.connection.execute(_NOTIFY, {"newest": str(transaction.newest_event)})

    def _announce(self, newest: int) -> None:
        with self._announcing:  # the writer and the listener both tell of this process's own commits
            if newest <= self._announced:
                return
            self._announced = newest
        for callback in self._callbacks:
            try:
                callback(newest)
            except Exception:  # noqa: BLE001 - a broken listener must not end the thread that everybody's writes go through
                _log.exception("A listener of the store failed")
