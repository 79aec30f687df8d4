"""What came of a workflow, as programs read it: plain dictionaries, the same ones whoever ran it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contexten.protocol.workflows import TaskStatus, WorkflowTaskState
from contexten.workflows.summary import summary_of
from contexten.workflows.view import RunFacts, task_view

if TYPE_CHECKING:
    from contexten.protocol.workflows import WorkflowDetail
    from contexten.workflows.interpreter import Interpretation


def outcome_of_detail(detail: WorkflowDetail, seconds: float) -> dict[str, Any]:
    """The outcome of a workflow that a server ran."""
    workflow = {"id": detail.definition_id, "name": detail.name, "status": str(detail.status), "number": detail.id}
    return _outcome(workflow, detail.summary.model_dump(mode="json"), detail.tasks, seconds)


def outcome_of(done: Interpretation, seconds: float) -> dict[str, Any]:
    """The outcome of a workflow that was interpreted here."""
    definition = done.definition
    workflow = {"id": definition.id, "name": definition.name, "status": str(done.status), "number": None}
    tasks = [task_view(task, done.states[task.id], done.runs.get(task.id, RunFacts())) for task in definition.tasks]
    return _outcome(workflow, summary_of(done.states).model_dump(mode="json"), tasks, seconds)


def _outcome(
    workflow: dict[str, Any], summary: dict[str, Any], tasks: list[WorkflowTaskState], seconds: float
) -> dict[str, Any]:
    return {
        "workflow": workflow,
        "summary": summary | {"seconds": seconds},
        "tasks": {task.id: task.model_dump(mode="json") for task in tasks},
        "results": {task.id: task.result or "" for task in tasks if task.status is TaskStatus.COMPLETE},
    }
