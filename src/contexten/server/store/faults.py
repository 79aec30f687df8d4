"""Turns the database drivers' errors into the store's: unavailable means that trying again later can help."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from contexten.errors import StoreError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PRIMARY = 0xFF
_SQLITE_UNAVAILABLE = {
    sqlite3.SQLITE_PERM: "the database file may not be written",
    sqlite3.SQLITE_BUSY: "the database is locked by another process. End that, or wait for it",
    sqlite3.SQLITE_LOCKED: "the database is locked",
    sqlite3.SQLITE_NOMEM: "memory is used up",
    sqlite3.SQLITE_READONLY: "the database file may not be written",
    sqlite3.SQLITE_IOERR: "the disk failed or is full. Look at it: contexten doctor",
    sqlite3.SQLITE_FULL: "the disk is full. Make room on it",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
    sqlite3.SQLITE_PROTOCOL: "the database is locked by another process. End that, or wait for it",
}
_SQLITE_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
# Classes of SQLSTATE: 08 connection, 53 resources (53100 disk full), 55P03 lock timeout, 57 operator intervention,
# 58 system error, 40 rolled back by the server, 25006 read-only, 28 and 3D refused to connect.
_POSTGRES_UNAVAILABLE = ("08", "53", "55P03", "57", "58", "40", "25006", "28", "3D")


@contextmanager
def translated() -> Iterator[None]:
    """Raise a driver's error as the store's."""
    try:
        yield
    except SQLAlchemyError as error:
        raise fault(error) from error


def fault(error: Exception) -> Exception:
    """The store's error for a driver's, any other as it is. SQL and values stay out of the message.

    The errors that came before it count too: a full disk can end a transaction, after which giving up its savepoint
    fails for a reason of its own.
    """
    if not isinstance(error, SQLAlchemyError):
        return error
    earlier: BaseException | None = error
    while isinstance(earlier, SQLAlchemyError):
        reason = _unavailable(earlier)
        if reason is not None:
            return StoreUnavailableError(f"The store is unavailable: {reason}.")
        earlier = _sqlalchemy_context(earlier)
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error) and _sqlite_code(cause) in _SQLITE_DAMAGED:
        return StoreError("The database file is damaged or is not one. Put a copy back, or choose another data folder.")
    return StoreError(f"The store could not do this: {type(cause).__name__}.")


def _sqlalchemy_context(error: BaseException) -> BaseException | None:
    earlier = error.__context__
    while earlier is not None and not isinstance(earlier, SQLAlchemyError):
        earlier = earlier.__context__
    return earlier


def _sqlite_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY


def _unavailable(error: SQLAlchemyError) -> str | None:
    if isinstance(error, PoolTimeoutError):
        return "no connection became free in time"
    if not isinstance(error, DBAPIError):
        return None
    if isinstance(error.orig, sqlite3.Error):
        return _SQLITE_UNAVAILABLE.get(_sqlite_code(error.orig))
    state = getattr(error.orig, "sqlstate", None)
    if error.connection_invalidated or (state is None and type(error.orig).__name__ == "OperationalError"):
        return "the database server cannot be reached"
    if state is not None and state.startswith(_POSTGRES_UNAVAILABLE):
        return f"the database server refused (SQLSTATE {state})"
    return None
