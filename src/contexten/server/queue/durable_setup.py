"""How DBOS is set up here: its configuration, its SQLite connections, its logging, and no pickle."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbos import DBOSConfig

APPLICATION_VERSION = "1"
"""Raised by hand when the workflow changes its arguments or its steps: those of another version are left alone."""

APPLICATION = "contexten"
SCHEMA = "dbos"
THREADS = 16
POOL = 8
LISTENER_POLL = 0.2
"""Seconds that DBOS's listener sleeps; we send no notifications, so this only bounds how long a stop takes."""
REPEAT = 60.0
"""Seconds before a warning of DBOS is said again: its threads repeat themselves while a database is out of reach."""


def prepare() -> None:
    """Set up what DBOS keeps for the whole process; may be done again."""
    _tame_logging()
    _refuse_pickle()


def configuration(url: str, worker_id: str) -> DBOSConfig:
    """DBOS's configuration: a stable name and version, capped threads, JSON, and nothing that calls out."""
    from dbos import DBOSPortableJSONSerializer

    config: DBOSConfig = {
        "name": APPLICATION,
        "system_database_url": url,
        "dbos_system_schema": SCHEMA,
        "sys_db_pool_size": POOL,
        "executor_id": worker_id,
        "application_version": APPLICATION_VERSION,
        "serializer": DBOSPortableJSONSerializer(),
        "max_executor_threads": THREADS,
        "notification_listener_polling_interval_sec": LISTENER_POLL,
        "use_listen_notify": False,
        "enable_otlp": False,
        "log_level": "WARNING",
    }
    if url.startswith("sqlite"):
        config["db_engine_kwargs"] = {"connect_args": {"factory": SqliteConnection}}
    return config


class SqliteConnection(sqlite3.Connection):
    """A connection with what DBOS expects of SQLite: the function `unixepoch` with `subsec`, and a write-ahead log.

    DBOS calls `unixepoch('subsec')` on Python 3.12 and later; SQLite has it since 3.42, and older ones give null.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.create_function("unixepoch", 1, lambda _modifier: time.time())
        self.execute("PRAGMA journal_mode=WAL")
        self.execute("PRAGMA synchronous=NORMAL")


_TOLD_OTHERWISE = ("Asyncio task cancelled", "DBOS failed to launch")


class _Quiet(logging.Filter):
    """Drops what DBOS says of a failed start, which raises, of calls cancelled at its stop, and warnings it gave just now."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, asyncio.CancelledError) or str(record.msg).startswith(_TOLD_OTHERWISE):
            return False
        return record.levelno > logging.WARNING or self._is_news((record.pathname, record.lineno))

    def _is_news(self, place: tuple[str, int]) -> bool:
        now = time.monotonic()
        if now - self._last.get(place, -REPEAT) < REPEAT:
            return False
        self._last[place] = now
        return True


_quiet = _Quiet()


def _tame_logging() -> None:
    """Let DBOS's records go where the server's go, instead of to a console of its own."""
    dbos = logging.getLogger("dbos")
    if not dbos.handlers:
        dbos.addHandler(logging.NullHandler())
    dbos.propagate = True
    dbos.addFilter(_quiet)


def _refuse_pickle() -> None:
    """Rows say how they were serialized, and DBOS would unpickle those that say so: write access would be code execution."""
    from dbos import Serializer, _serialization

    class Refusing(Serializer):
        def name(self) -> str:
            return "py_pickle"

        def serialize(self, data: Any) -> str:
            raise TypeError(f"Pickle is not used here; {type(data).__name__} was to be pickled.")

        def deserialize(self, serialized_data: str) -> Any:
            raise TypeError(f"Pickle is not used here; a row of {len(serialized_data)} characters claims to be one.")

    _serialization.DBOSDefaultSerializer = Refusing()
