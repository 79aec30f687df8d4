"""How the store connects: the address, and the settings of each connection."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from contexten.errors import SettingsError, StoreUnavailableError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from contexten.settings import ServerSettings

_BUSY_SECONDS = 1
_FIRST_SECONDS = 30
"""For which a new file may be locked by a process that opens it at the same time, and makes its tables."""
_POOL_SECONDS = 10
_WRITE_LOCK = 0x636F6E746578  # any number that other users of the database are unlikely to lock
_SQLITE_SETTINGS = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -8000;
"""
_POSTGRES_NAMES = {"postgres", "postgresql", "postgresql+psycopg"}
_POSTGRES_OPTIONS = {
    "application_name": "contexten",
    "connect_timeout": str(_POOL_SECONDS),
    # A database whose machine vanished is noticed within a minute, whether it has read what was sent or not.
    "keepalives_idle": "20",
    "keepalives_interval": "10",
    "keepalives_count": "4",
    "tcp_user_timeout": "60000",
    "options": "-c lock_timeout=10s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s",
}


def database_url(settings: ServerSettings) -> URL:
    """The address of the database: PostgreSQL when the settings name one, else the SQLite file of the data folder.

    Raises:
        SettingsError: the address is not one of PostgreSQL; the message does not repeat it, for it can hold a password.
    """
    if settings.database_url is None:
        return URL.create("sqlite", database=str(settings.data_dir / "contexten.sqlite"))
    try:
        url = make_url(settings.database_url.get_secret_value())
    except ArgumentError:
        raise SettingsError("CONTEXTEN_DATABASE_URL is not an address. Write postgresql://user@host/name.") from None
    if url.drivername not in _POSTGRES_NAMES:
        raise SettingsError(
            f"CONTEXTEN_DATABASE_URL names {url.drivername!r}, which is not served. "
            "Write postgresql://user@host/name, or leave it unset for SQLite."
        )
    return url.set(drivername="postgresql+psycopg")


def connect(url: URL, *, connections: int) -> Engine:
    """An engine with at most so many connections.

    Execution options of its transactions: `contexten_writes=True` takes the right to write; `contexten_patience` is how many
    seconds a connection waits for others who have it, where it would else wait for one (SQLite) or ten (PostgreSQL). On
    SQLite that holds from then on; on PostgreSQL for that transaction, whose statements may then take as long as they need.
    """
    return _sqlite(url, connections) if url.get_backend_name() == "sqlite" else _postgresql(url, connections)


def _sqlite(url: URL, connections: int) -> Engine:
    make_private_file(Path(url.database or ""))
    engine = create_engine(
        url, pool_size=connections, max_overflow=0, pool_timeout=_POOL_SECONDS, connect_args={"timeout": _BUSY_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver leaves transactions to `_begin`
        try:
            _apply_settings(connection)
        except sqlite3.Error:
            connection.close()  # the pool does not know it yet
            raise

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        writes = options.get("contexten_writes")
        if patience := options.get("contexten_patience"):
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {patience * 1000}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _apply_settings(connection: sqlite3.Connection) -> None:
    """Prepare a connection. Only while a file is not in WAL mode does this meet locks; some are refused without a wait."""
    deadline = time.monotonic() + _FIRST_SECONDS
    while True:
        try:
            connection.executescript(_SQLITE_SETTINGS)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _postgresql(url: URL, connections: int) -> Engine:
    url = url.update_query_dict({name: value for name, value in _POSTGRES_OPTIONS.items() if name not in url.query})
    engine = create_engine(url, pool_size=connections, max_overflow=0, pool_timeout=_POOL_SECONDS, pool_pre_ping=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if patience := options.get("contexten_patience"):
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{patience}s'; SET LOCAL statement_timeout = 0")
        if options.get("contexten_writes"):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")

    return engine


def make_private_file(path: Path) -> None:
    """Make a file of a database, readable by the user alone; one that is there already becomes so.

    Raises:
        StoreUnavailableError: it cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreUnavailableError(f"The database file {path} cannot be opened: {error.strerror}.") from error
