"""Creating a run: itself, its first turn, its first events and its place in the counters, in few statements."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, exists, insert, select

from contexten.errors import UsageError
from contexten.protocol import MessageType, NewLogEntry, RunStatus
from contexten.server.store.buckets import count_run
from contexten.server.store.columns import now
from contexten.server.store.errors import IdempotencyConflictError, NotThereError
from contexten.server.store.event_rows import Place, body_of, log_row, status_row, write_events
from contexten.server.store.records import NewRun, RunRecord
from contexten.server.store.run_rows import find
from contexten.server.store.tables import repos, runs, turns
from contexten.server.store.text_gate import clean_text, to_json

if TYPE_CHECKING:
    from datetime import datetime

    from contexten.server.store.transaction import Transaction

_INSERT_RUN = insert(runs)
_INSERT_TURN = insert(turns)
_SEEN = select(runs.c.id, runs.c.request_digest).where(
    runs.c.organization_id == bindparam("organization"),
    runs.c.user_id == bindparam("user"),
    runs.c.idempotency_key == bindparam("key"),
)
_REPO_IS_THERE = select(
    exists().where(
        repos.c.id == bindparam("repo"),
        repos.c.organization_id == bindparam("organization"),
        repos.c.removed_at.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A run to create with its long values encoded, which is done before the writer's turn."""

    new: NewRun
    metadata: str
    images: str
    message: str


def prepare(new: NewRun) -> PreparedRun:
    """Encode what is long.

    Raises:
        UsageError: the source is empty, or the metadata is nested too deeply.
    """
    if not new.source_type:
        raise UsageError("A run needs a source type, such as 'API'.")
    return PreparedRun(
        new,
        metadata=to_json(dict(new.metadata)),
        images=to_json(new.images),
        message=user_message(new.prompt),
    )


def user_message(prompt: str) -> str:
    """The log entry that shows a prompt, encoded."""
    return body_of(NewLogEntry(message_type=MessageType.USER_MESSAGE, observation=prompt))


def create(transaction: Transaction, prepared: PreparedRun) -> tuple[RunRecord, bool]:
    """The run, and whether it is new: an idempotency key seen before gives back its run.

    Raises:
        IdempotencyConflictError: the key was used with another request.
        NotThereError: the organization has no such repository.
    """
    new = prepared.new
    seen = _seen(transaction, new)
    if seen is not None:
        return seen, False
    _check_repo(transaction, new)
    record = _record(transaction.next_run_id(), prepared)
    row = {field.name: getattr(record, field.name) for field in fields(RunRecord)}
    key = {"idempotency_key": new.idempotency_key, "request_digest": new.request_digest, "reported": not new.queued}
    transaction.connection.execute(_INSERT_RUN, {name: row[name] for name in _COPIED} | key)
    write_turn(transaction, record, TurnParts(prepared.images, prepared.metadata, new.timeout, new.queued))
    count_run(transaction.connection, new.organization_id, new.user_id, record.source_type, record.id)
    write_first_events(transaction, record, prepared.message, record.created_at)
    return record, True


@dataclass(frozen=True, slots=True)
class TurnParts:
    """What a turn has that its run's record does not show, encoded."""

    images: str
    metadata: str
    timeout: float | None
    queued: bool


def write_turn(transaction: Transaction, run: RunRecord, parts: TurnParts) -> None:
    """Write the newest turn of a run."""
    moment = now()
    shown = {"run_id": run.id, "turn": run.turn, "status": run.status, "prompt": run.prompt, "created_at": moment}
    hidden = {"images": parts.images, "metadata": parts.metadata, "timeout": parts.timeout, "attempt": 0}
    ahead = {"queued_at": None if parts.queued else moment, "summary": None, "result": None}
    transaction.connection.execute(_INSERT_TURN, shown | hidden | ahead)


def write_first_events(transaction: Transaction, run: RunRecord, message: str, moment: datetime) -> None:
    """Write the first two events of a run's newest turn: what was asked, and that it waits."""
    place = Place(run.id, run.organization_id, run.turn)
    said = log_row(place, run.log_count - 1, message, moment)
    write_events(transaction, [said, status_row(place, run.status, moment)])


_COPIED = [field.name for field in fields(RunRecord) if field.name in runs.c]


def _seen(transaction: Transaction, new: NewRun) -> RunRecord | None:
    if new.idempotency_key is None:
        return None
    whose = {"organization": new.organization_id, "user": new.user_id, "key": new.idempotency_key}
    row = transaction.connection.execute(_SEEN, whose).one_or_none()
    if row is None:
        return None
    if row.request_digest != new.request_digest:
        raise IdempotencyConflictError(
            f"The idempotency key {new.idempotency_key!r} was used for another request, which made run {row.id}. "
            "Take a new key for a new request."
        )
    return find(transaction.connection, new.organization_id, row.id)


def _check_repo(transaction: Transaction, new: NewRun) -> None:
    if new.repo_id is None:
        return
    if not transaction.connection.scalar(_REPO_IS_THERE, {"repo": new.repo_id, "organization": new.organization_id}):
        raise NotThereError(f"There is no repository {new.repo_id} in organization {new.organization_id}.")


def _record(run_id: int, prepared: PreparedRun) -> RunRecord:
    new, moment = prepared.new, now()
    return RunRecord(
        id=run_id,
        organization_id=new.organization_id,
        user_id=new.user_id,
        repo_id=new.repo_id,
        status=str(RunStatus.PENDING if new.queued else RunStatus.ACTIVE),
        engine=clean_text(new.engine),
        model=None if new.model is None else clean_text(new.model),
        source_type=clean_text(new.source_type),
        metadata=json.loads(prepared.metadata),
        prompt=clean_text(new.prompt),
        result=None,
        summary=None,
        turn=1,
        log_count=1,
        created_at=moment,
        started_at=None if new.queued else moment,
        finished_at=None,
        input_tokens=0,
        output_tokens=0,
        cost_usd=0.0,
        banned=False,
    )
