"""How workflows look in the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contexten.protocol.workflows import Workflow, WorkflowDefinition, WorkflowDetail, WorkflowStatus, WorkflowTaskState
from contexten.server.store.columns import iso
from contexten.server.views import run_url
from contexten.workflows.states import states_from_json
from contexten.workflows.summary import summary_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contexten.protocol.workflows import WorkflowTask
    from contexten.server.services import Services
    from contexten.server.store.workflow_records import AttemptRecord, WorkflowRecord, WorkflowRow
    from contexten.workflows.states import TaskState


def workflow_view(row: WorkflowRow) -> Workflow:
    """A workflow as it is listed."""
    return Workflow(
        id=row.id,
        organization_id=row.organization_id,
        user_id=row.user_id,
        definition_id=row.definition_id,
        name=row.name,
        status=WorkflowStatus(row.status),
        created_at=iso(row.created_at),
        finished_at=None if row.finished_at is None else iso(row.finished_at),
        summary=summary_of(states_from_json(row.states)),
    )


async def detail_view(services: Services, record: WorkflowRecord, *, results: bool = False) -> WorkflowDetail:
    """A workflow with its tasks and its document, and what its tasks said when that is wanted."""
    definition = WorkflowDefinition.model_validate(record.definition)
    states = states_from_json(record.row.states)
    attempts = await services.store.workflows.attempts(record.row.id, results=results)
    newest = {each.task: each for each in attempts}
    tasks = [_task_view(services, task, states[task.id], newest) for task in definition.tasks]
    return WorkflowDetail(**dict(workflow_view(record.row)), tasks=tasks, definition=definition)


def _task_view(
    services: Services, task: WorkflowTask, state: TaskState, newest: Mapping[str, AttemptRecord]
) -> WorkflowTaskState:
    attempt = newest.get(task.id)
    begun = attempt is not None and attempt.attempt > state.uncounted
    run_id = attempt.run_id if attempt is not None and begun else None
    return WorkflowTaskState(
        id=task.id,
        name=task.title,
        role=task.role,
        status=state.status,
        dependencies=list(task.dependencies),
        attempt=state.attempt,
        run_id=run_id,
        web_url=None if run_id is None else run_url(services, run_id),
        reason=state.reason,
        started_at=_iso(state.started_at),
        finished_at=_iso(state.finished_at),
        cost_usd=state.cost_usd,
        result=attempt.result if attempt is not None and begun else None,
    )


def _iso(moment: float | None) -> str | None:
    return None if moment is None else iso(datetime.fromtimestamp(moment, UTC))
