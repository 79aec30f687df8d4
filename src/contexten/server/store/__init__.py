"""The store: everything the server keeps, in SQLite or PostgreSQL, behind asynchronous methods."""

from contexten.server.store.errors import (
    IdempotencyConflictError,
    LastAdminError,
    NotThereError,
    RunBusyError,
    RunRefusedError,
)
from contexten.server.store.records import (
    Identity,
    NewRun,
    OwnedEvent,
    RunRecord,
    SearchMatch,
    SearchPage,
    TurnRecord,
)
from contexten.server.store.store import Store

__all__ = [
    "IdempotencyConflictError",
    "Identity",
    "LastAdminError",
    "NewRun",
    "NotThereError",
    "OwnedEvent",
    "RunBusyError",
    "RunRecord",
    "RunRefusedError",
    "SearchMatch",
    "SearchPage",
    "Store",
    "TurnRecord",
]
