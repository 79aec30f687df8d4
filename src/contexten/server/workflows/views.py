"""How workflows look in the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.protocol.workflows import Workflow, WorkflowDefinition, WorkflowDetail, WorkflowStatus, WorkflowTaskState
from contexten.server.store.columns import iso
from contexten.server.views import run_url
from contexten.workflows.states import states_from_json
from contexten.workflows.summary import summary_of
from contexten.workflows.view import RunFacts, task_view

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
    if attempt is None or attempt.attempt <= state.uncounted:
        return task_view(task, state, RunFacts())
    web_url = None if attempt.run_id is None else run_url(services, attempt.run_id)
    return task_view(task, state, RunFacts(attempt.run_id, web_url, attempt.result))
