"""Deleting a run: everything that is known of it, and its place in the counters. Its id is not given out again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select, update

from contexten.protocol import is_terminal
from contexten.server.store.buckets import uncount_run
from contexten.server.store.errors import RunBusyError
from contexten.server.store.notices import DELETED, write_notice
from contexten.server.store.run_rows import find
from contexten.server.store.search_index import forget_events
from contexten.server.store.tables import diffs, events, runs, sessions, turns, workflow_runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from contexten.server.store.records import RunRecord
    from contexten.server.store.transaction import Transaction

_CHUNK = 500
_WORDED = select(events.c.id, events.c.organization_id, events.c.body).where(
    events.c.run_id == bindparam("run"), events.c.body.is_not(None)
)
_ROWS = [
    update(workflow_runs)
    .where(workflow_runs.c.run_id == bindparam("run"))
    .values(run_id=None, refusal="its run was deleted"),
    *(delete(table).where(table.c.run_id == bindparam("run")) for table in (events, sessions, diffs, turns)),
    delete(runs).where(runs.c.id == bindparam("run")),
]


def delete_run(transaction: Transaction, organization_id: int, run_id: int) -> RunRecord:
    """The run as it was.

    Raises:
        NotThereError: the organization has no such run.
        RunBusyError: it goes on.
    """
    connection = transaction.connection
    run = find(connection, organization_id, run_id)
    if not is_terminal(run.status):
        raise RunBusyError(f"Run {run_id} is {run.status}. Cancel it, or wait for it to end, before you delete it.")
    transaction.keep_ids()
    _forget_words(connection, run_id)
    for rows in _ROWS:
        connection.execute(rows, {"run": run_id})
    uncount_run(connection, organization_id, run.user_id, run.source_type, run_id)
    write_notice(transaction, organization_id, DELETED, run_id, {})
    return run


def _forget_words(connection: Connection, run_id: int) -> None:
    for chunk in connection.execute(_WORDED, {"run": run_id}).partitions(_CHUNK):
        forget_events(connection, [row._asdict() for row in chunk])
