"""A task of a workflow as it is shown: what it is, how it stands and the run that did it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from contexten.protocol.workflows import WorkflowTaskState

if TYPE_CHECKING:
    from contexten.protocol.workflows import WorkflowTask
    from contexten.workflows.states import TaskState


class RunFacts(NamedTuple):
    """What is known of a task's newest run."""

    run_id: int | None = None
    web_url: str | None = None
    result: str | None = None


def task_view(task: WorkflowTask, state: TaskState, run: RunFacts) -> WorkflowTaskState:
    """A task with its state and its newest run."""
    return WorkflowTaskState(
        id=task.id,
        name=task.title,
        role=task.role,
        status=state.status,
        dependencies=list(task.dependencies),
        attempt=state.attempt,
        run_id=run.run_id,
        web_url=run.web_url,
        reason=state.reason,
        started_at=_iso(state.started_at),
        finished_at=_iso(state.finished_at),
        cost_usd=state.cost_usd,
        result=run.result,
    )


def _iso(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
