"""Hears of commits that other processes make in the same PostgreSQL database (LISTEN)."""

from __future__ import annotations

from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg
    from sqlalchemy import Engine

CHANNEL = "contexten_events"
_LOOK_UP_SECONDS = 1.0
_RECONNECT_SECONDS = 1.0


class Listener:
    """Calls `announce` with the newest event id whenever events were committed, by this process or another.

    After a lost connection it connects again and announces the newest event, so that nothing goes unheard.
    """

    def __init__(self, engine: Engine, announce: Callable[[int], None]) -> None:
        self._engine = engine
        self._announce = announce
        self._closing = Event()
        self._thread = Thread(target=self._run, name="contexten-store-listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop hearing."""
        self._closing.set()
        with suppress(SQLAlchemyError):  # without the database, the thread looks up by itself
            self._wake()
        self._thread.join()

    def _wake(self) -> None:
        with self._engine.begin() as connection:
            connection.exec_driver_sql(f"SELECT pg_notify('{CHANNEL}', '0')")

    def _run(self) -> None:
        import psycopg

        while not self._closing.is_set():
            try:
                self._listen()
            except psycopg.Error:
                self._closing.wait(_RECONNECT_SECONDS)

    def _listen(self) -> None:
        import psycopg

        arguments, options = self._engine.dialect.create_connect_args(self._engine.url)
        with psycopg.connect(*arguments, **options, autocommit=True) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._announce(_newest(connection))
            while not self._closing.is_set():
                for heard in connection.notifies(timeout=_LOOK_UP_SECONDS, stop_after=1):
                    self._announce(int(heard.payload))


def _newest(connection: psycopg.Connection) -> int:
    newest = "SELECT greatest((SELECT max(id) FROM events), (SELECT max(id) FROM notices), 0)"
    row = connection.execute(newest).fetchone()
    return row[0] if row else 0
