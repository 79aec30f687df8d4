"""Requests about workflows. Their types are loaded when the first is made: most programs make none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.client.calls.call import Call, Repeat, get, given, post, reader
from contexten.client.calls.runs import number

if TYPE_CHECKING:
    from contexten.protocol import Page
    from contexten.protocol.workflows import Workflow, WorkflowDefinition, WorkflowDetail

_WORKFLOWS = "/v1/organizations/{org}/workflows"


def create(definition: WorkflowDefinition) -> Call[WorkflowDetail]:
    """Start a workflow."""
    from contexten.protocol.workflows import WorkflowDetail

    return post(_WORKFLOWS, WorkflowDetail, definition, repeat=Repeat.AGREED)


def show(workflow_id: int, *, results: bool = False) -> Call[WorkflowDetail]:
    """One workflow, with what its tasks said when that is wanted."""
    from contexten.protocol.workflows import WorkflowDetail

    return get(_one(workflow_id), WorkflowDetail, results="true" if results else None)


def page(*, skip: int = 0, limit: int = 100) -> Call[Page[Workflow]]:
    """A part of the list of workflows, newest first."""
    from contexten.protocol import Page
    from contexten.protocol.workflows import Workflow

    return get(_WORKFLOWS, Page[Workflow], skip=skip, limit=limit)


def cancel(workflow_id: int) -> Call[WorkflowDetail]:
    """Stop a workflow."""
    from contexten.protocol.workflows import WorkflowDetail

    return post(f"{_one(workflow_id)}/cancel", WorkflowDetail, repeat=Repeat.ALWAYS)


def approve(workflow_id: int, task: str, *, approved: bool = True) -> Call[WorkflowDetail]:
    """Let a task begin that waits for a person, or skip it."""
    from contexten.protocol.workflows import ApproveTaskInput, WorkflowDetail

    body = given(ApproveTaskInput, task=task, approved=approved)
    return post(f"{_one(workflow_id)}/approve", WorkflowDetail, body)


def retry(workflow_id: int, task: str | None = None) -> Call[WorkflowDetail]:
    """Do a task again with all that depends on it, or everything that was not done."""
    from contexten.protocol.workflows import RetryWorkflowInput, WorkflowDetail

    return post(f"{_one(workflow_id)}/retry", WorkflowDetail, given(RetryWorkflowInput, task=task))


def delete(workflow_id: int) -> Call[WorkflowDetail]:
    """Forget a workflow that has ended."""
    from contexten.protocol.workflows import WorkflowDetail

    return Call("DELETE", _one(workflow_id), reader(WorkflowDetail))


def _one(workflow_id: int) -> str:
    return f"{_WORKFLOWS}/{number(workflow_id)}"
