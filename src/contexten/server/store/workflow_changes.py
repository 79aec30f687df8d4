"""Changes of workflows, each conditional on the revision that it was thought out for, so of two that differ one wins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from contexten.protocol import RunStatus
from contexten.server.store import run_changes, run_creation, run_rows
from contexten.server.store.columns import now
from contexten.server.store.errors import IdempotencyConflictError, NotThereError, RunBusyError
from contexten.server.store.notices import WORKFLOW, write_notice
from contexten.server.store.tables import workflow_runs, workflows
from contexten.server.store.text_gate import to_json

if TYPE_CHECKING:
    from contexten.server.store.records import RunRecord
    from contexten.server.store.transaction import Transaction
    from contexten.server.store.workflow_records import NewWorkflow, Step

_SEEN = select(workflows.c.id, workflows.c.request_digest).where(
    workflows.c.organization_id == bindparam("organization"),
    workflows.c.user_id == bindparam("user"),
    workflows.c.idempotency_key == bindparam("key"),
)
_NOTE = (
    update(workflow_runs)
    .where(
        workflow_runs.c.workflow_id == bindparam("workflow"),
        workflow_runs.c.task == bindparam("name"),
        workflow_runs.c.attempt == bindparam("number"),
    )
    .values(noted_at=bindparam("moment"))
)


@dataclass(frozen=True, slots=True)
class PreparedStep:
    """A step with its long values encoded, which is done before the writer's turn."""

    step: Step
    states: str
    begin: list[tuple[str, int, run_creation.PreparedRun | str]]


def prepare(new: NewWorkflow) -> dict[str, Any]:
    """The row of a new workflow."""
    moment = now()
    return {
        "organization_id": new.organization_id,
        "user_id": new.user_id,
        "definition_id": new.definition_id,
        "name": new.name,
        "definition": to_json(new.definition),
        "states": to_json(new.states),
        "status": new.status,
        "revision": 0,
        "wake_at": moment,
        "idempotency_key": new.idempotency_key,
        "request_digest": new.request_digest,
        "created_at": moment,
        "finished_at": None,
    }


def create(transaction: Transaction, row: dict[str, Any]) -> tuple[int, bool]:
    """The id of the workflow, and whether it is new: an idempotency key seen before gives back its workflow.

    Raises:
        IdempotencyConflictError: the key was used with another request.
    """
    key = row["idempotency_key"]
    if key is not None:
        whose = {"organization": row["organization_id"], "user": row["user_id"], "key": key}
        seen = transaction.connection.execute(_SEEN, whose).one_or_none()
        if seen is not None and seen.request_digest != row["request_digest"]:
            raise IdempotencyConflictError(
                f"The idempotency key {key!r} was used for another request, which made workflow {seen.id}. "
                "Take a new key for a new request."
            )
        if seen is not None:
            return seen.id, False
    made = transaction.connection.execute(insert(workflows).returning(workflows.c.id), row).scalar_one()
    news = {"change": "created", "name": row["name"], "status": row["status"]}
    write_notice(transaction, row["organization_id"], WORKFLOW, made, news)
    return made, True


def prepare_step(step: Step) -> PreparedStep:
    """Encode what is long."""
    begin = [
        (task, attempt, run if isinstance(run, str) else run_creation.prepare(run)) for task, attempt, run in step.begin
    ]
    return PreparedStep(step, to_json(step.states), begin)


def take(transaction: Transaction, workflow_id: int, revision: int, prepared: PreparedStep) -> list[RunRecord] | None:
    """Take a step, and give back the runs that it stopped; None, and nothing is written, when the workflow was changed since."""
    step, moment = prepared.step, now()
    changed = (
        update(workflows)
        .where(workflows.c.id == workflow_id, workflows.c.revision == revision)
        .returning(workflows.c.organization_id)
    )
    values = {
        "states": prepared.states,
        "status": step.status,
        "wake_at": step.wake_at,
        "finished_at": moment if step.ended else None,
        "revision": revision + 1,
    }
    organization_id = transaction.connection.execute(changed.values(values)).scalar_one_or_none()
    if organization_id is None:
        return None
    if step.noted:
        noted = [
            {"workflow": workflow_id, "name": task, "number": number, "moment": moment} for task, number in step.noted
        ]
        transaction.connection.execute(_NOTE, noted)
    for task, attempt, run in prepared.begin:
        _begin(transaction, {"workflow_id": workflow_id, "task": task, "attempt": attempt}, run)
    stopped = _stop(transaction, workflow_id) if step.stop else []
    if step.news is not None:
        write_notice(transaction, organization_id, WORKFLOW, workflow_id, step.news)
    return stopped


def remove(transaction: Transaction, organization_id: int, workflow_id: int) -> None:
    """Forget a workflow that has ended; its runs stay.

    Raises:
        NotThereError: the organization has no such workflow.
        RunBusyError: it goes on.
    """
    mine = (workflows.c.id == workflow_id) & (workflows.c.organization_id == organization_id)
    wanted = select(workflows.c.name, workflows.c.status, workflows.c.finished_at).where(mine)
    row = transaction.connection.execute(wanted).one_or_none()
    if row is None:
        raise NotThereError(f"There is no workflow {workflow_id} in organization {organization_id}.")
    if row.finished_at is None:
        raise RunBusyError(f"Workflow {workflow_id} is {row.status}. Cancel it before you delete it.")
    transaction.connection.execute(delete(workflow_runs).where(workflow_runs.c.workflow_id == workflow_id))
    transaction.connection.execute(delete(workflows).where(mine))
    news = {"change": "deleted", "name": row.name, "status": row.status}
    write_notice(transaction, organization_id, WORKFLOW, workflow_id, news)


def _begin(transaction: Transaction, place: dict[str, Any], run: run_creation.PreparedRun | str) -> None:
    """Create the run of an attempt; when that cannot be, the attempt says why, and counts as failed."""
    made: dict[str, Any] = {"run_id": None, "refusal": run}
    if not isinstance(run, str):
        try:
            with transaction.savepoint():
                record, _ = run_creation.create(transaction, run)
                made = {"run_id": record.id, "refusal": None}
        except NotThereError as error:
            made["refusal"] = str(error)
    transaction.connection.execute(insert(workflow_runs), place | made | {"noted_at": None})


def _stop(transaction: Transaction, workflow_id: int) -> list[RunRecord]:
    """End the runs of a workflow that go on."""
    connection = transaction.connection
    mine = (workflow_runs.c.workflow_id == workflow_id) & workflow_runs.c.noted_at.is_(None)
    stopped = []
    for run_id in connection.scalars(
        select(workflow_runs.c.run_id).where(mine, workflow_runs.c.run_id.is_not(None))
    ).all():
        run = run_rows.find_anywhere(connection, run_id)
        if run is not None and run_changes.finish(
            transaction, run, run_changes.Ending(str(RunStatus.CANCELLED), run.result, run.summary)
        ):
            stopped.append(run)
    connection.execute(update(workflow_runs).where(mine).values(noted_at=now()))
    return stopped
