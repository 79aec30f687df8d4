"""Workflows: start, read, list, approve, retry, cancel, delete."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from contexten.errors import UsageError
from contexten.protocol import Page, Role
from contexten.protocol.workflows import (
    ApproveTaskInput,
    RetryWorkflowInput,
    Workflow,
    WorkflowDefinition,
    WorkflowDetail,
)
from contexten.server.auth import Caller, GatedRoute, Running
from contexten.server.paging import Paged
from contexten.server.problems import Refusal
from contexten.server.routes.runs import IdempotencyKey
from contexten.server.routes.shapes import OrgId, problems
from contexten.server.services import Services
from contexten.server.workflows.advancer import Change
from contexten.server.workflows.submission import new_workflow
from contexten.server.workflows.views import detail_view, workflow_view

router = APIRouter(route_class=GatedRoute, tags=["workflows"])
_WORKFLOWS = "/v1/organizations/{org_id}/workflows"
_ONE = _WORKFLOWS + "/{workflow_id}"

WorkflowId = Annotated[int, Path(ge=-(2**63), le=2**63 - 1, description="The workflow.")]
Results = Annotated[bool, Query(description="Whether to answer what the tasks said, too.")]


@router.post(_WORKFLOWS, summary="Start a workflow", responses=problems(409, body=True))
async def create_workflow(
    org_id: OrgId, body: WorkflowDefinition, caller: Caller, services: Running, idempotency_key: IdempotencyKey = None
) -> WorkflowDetail:
    """Check a workflow and begin its first tasks. Answers at once; it goes on by itself, through restarts too."""
    record, created = await services.store.workflows.create(
        await new_workflow(services, org_id, caller, body, idempotency_key)
    )
    if created:
        await services.workflows.advance(record.row.id)
        record = await services.store.workflows.get(org_id, record.row.id)
    return await detail_view(services, record)


@router.get(_WORKFLOWS, summary="List workflows", responses=problems())
async def list_workflows(org_id: OrgId, window: Paged, services: Running) -> Page[Workflow]:
    """The organization's workflows, newest first, without their tasks."""
    rows, total = await services.store.workflows.list(org_id, window)
    return window.page_of([workflow_view(row) for row in rows], total)


@router.get(_ONE, summary="Read a workflow", responses=problems())
async def get_workflow(
    org_id: OrgId, workflow_id: WorkflowId, services: Running, results: Results = False
) -> WorkflowDetail:
    """A workflow with its tasks, the run of each, and its document."""
    record = await services.store.workflows.get(org_id, workflow_id)
    return await detail_view(services, record, results=results)


@router.post(_ONE + "/cancel", summary="Cancel a workflow", responses=problems(409))
async def cancel_workflow(org_id: OrgId, workflow_id: WorkflowId, services: Running) -> WorkflowDetail:
    """Stop its runs and begin no more. One that has ended stays as it is."""
    return await _change(
        services, org_id, workflow_id, lambda schedule, states, now: schedule.cancel(states, now), cancel=True
    )


@router.post(_ONE + "/approve", summary="Approve a task", responses=problems(409, body=True))
async def approve_task(
    org_id: OrgId, workflow_id: WorkflowId, body: ApproveTaskInput, services: Running
) -> WorkflowDetail:
    """Let a task begin that waits for a person, or, with `approved` false, skip it and what depends on it."""
    return await _change(
        services,
        org_id,
        workflow_id,
        lambda schedule, states, now: schedule.approve(states, body.task, now, approved=body.approved),
    )


@router.post(_ONE + "/retry", summary="Retry a workflow", responses=problems(409, body=True))
async def retry_workflow(
    org_id: OrgId, workflow_id: WorkflowId, body: RetryWorkflowInput, services: Running
) -> WorkflowDetail:
    """Do a task again and everything that depends on it; without a task, everything that was not done."""
    return await _change(
        services, org_id, workflow_id, lambda schedule, states, _now: schedule.retry(states, body.task)
    )


@router.delete(_ONE, summary="Delete a workflow", responses=problems(409))
async def delete_workflow(org_id: OrgId, workflow_id: WorkflowId, caller: Caller, services: Running) -> WorkflowDetail:
    """Forget a workflow that has ended, with its document; answers it as it was. Its runs stay: delete them by themselves.

    For admins, and for the user whose workflow it is. One that goes on must be cancelled first.
    """
    record = await services.store.workflows.get(org_id, workflow_id)
    if caller.role != Role.ADMIN and caller.user_id != record.row.user_id:
        raise Refusal(
            403, f"Workflow {workflow_id} is another user's. To delete it a token needs the role {Role.ADMIN}."
        )
    detail = await detail_view(services, record)
    await services.store.workflows.delete(org_id, workflow_id)
    return detail


async def _change(
    services: Services, org_id: int, workflow_id: int, change: Change, *, cancel: bool = False
) -> WorkflowDetail:
    try:
        record = await services.workflows.change(org_id, workflow_id, change, cancel=cancel)
    except UsageError as error:
        raise Refusal(409, str(error), headers={"x-should-retry": "false"}) from error
    return await detail_view(services, record)
