"""Notices: events of an organization that belong to no run's log. What reads events reads them in between, by their ids."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, null, select

from contexten.protocol import DeletedEvent, WorkflowEvent
from contexten.server.store.columns import iso, now
from contexten.server.store.tables import notices
from contexten.server.store.text_gate import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Row

    from contexten.server.store.transaction import Transaction

DELETED, WORKFLOW = "deleted", "workflow"
KEPT = timedelta(days=30)
"""How long a notice is kept: who comes back after that has to look at the lists."""
_INSERT = insert(notices)
_FORGET = delete(notices).where(notices.c.created_at < bindparam("moment"))
DELETED_RUNS = select(notices.c.subject_id).where(notices.c.kind == DELETED)
# In the order and with the names of the columns of an event.
NOTICE = select(
    notices.c.id,
    notices.c.organization_id,
    notices.c.subject_id.label("run_id"),
    null().label("turn"),
    null().label("position"),
    null().label("key"),
    null().label("status"),
    notices.c.created_at,
    notices.c.body,
    notices.c.kind,
)


def write_notice(
    transaction: Transaction, organization_id: int, kind: str, subject_id: int, body: Mapping[str, Any]
) -> None:
    """Write a notice, and forget those that are too old. The newest stays, so no id is given out again."""
    moment = now()
    row = {
        "id": transaction.next_event_id(),
        "organization_id": organization_id,
        "subject_id": subject_id,
        "kind": kind,
        "created_at": moment,
        "body": to_json(dict(body)),
    }
    transaction.connection.execute(_INSERT, row)
    transaction.connection.execute(_FORGET, {"moment": moment - KEPT})


def notice_from(row: Row[*tuple[Any, ...]]) -> DeletedEvent | WorkflowEvent:
    """The event of a row."""
    moment = iso(row.created_at)
    if row.kind == DELETED:
        return DeletedEvent(id=row.id, agent_run_id=row.run_id, created_at=moment)
    return WorkflowEvent(id=row.id, workflow_id=row.run_id, created_at=moment, **json.loads(row.body))
