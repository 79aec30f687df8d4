"""Workflows, in both twins: start, look at, follow, list, approve, retry, cancel, delete. Only a Contexten server has them."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from contexten.client import follow
from contexten.client.base import AsyncCalls, Calls
from contexten.client.calls import workflows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from contexten.protocol import Page
    from contexten.protocol.workflows import Workflow, WorkflowDefinition, WorkflowDetail

Org = int | str | None


class WorkflowCalls(Calls):
    """Requests about workflows."""

    def create_workflow(
        self, definition: WorkflowDefinition, *, idempotency_key: str | None = None, org_id: Org = None
    ) -> WorkflowDetail:
        """Start a workflow; the server goes on with it by itself.

        Raises:
            InvalidInputError: it cannot be run; the message names the task.
            NotFoundError: the server has no workflows (a hosted Codegen).
        """
        return self._send(workflows.create(definition), org_id, idempotency_key=idempotency_key)

    def get_workflow(self, workflow_id: int, *, results: bool = False, org_id: Org = None) -> WorkflowDetail:
        """A workflow as it stands, with what its tasks said when `results` are wanted."""
        return self._send(workflows.show(workflow_id, results=results), org_id)

    def follow_workflow(self, workflow_id: int, *, org_id: Org = None) -> Iterator[WorkflowDetail]:
        """A workflow as it stands now, and again whenever that has changed, until it has ended.

        Raises:
            NotFoundError: there is none, or it was deleted meanwhile.
        """
        return follow.follow_workflow(self._connection, self._connection.organization(org_id), workflow_id)

    def list_workflows(self, *, skip: int = 0, limit: int = 100, org_id: Org = None) -> Page[Workflow]:
        """A page of the workflows, newest first."""
        return self._send(workflows.page(skip=skip, limit=limit), org_id)

    def cancel_workflow(self, workflow_id: int, *, org_id: Org = None) -> WorkflowDetail:
        """Stop a workflow and its runs. One that has ended stays as it is."""
        return self._send(workflows.cancel(workflow_id), org_id)

    def approve_workflow_task(
        self, workflow_id: int, task: str, *, approved: bool = True, org_id: Org = None
    ) -> WorkflowDetail:
        """Let a task begin that waits for a person; with `approved` False skip it, and what depends on it.

        Raises:
            ConflictError: it waits for nobody.
        """
        return self._send(workflows.approve(workflow_id, task, approved=approved), org_id)

    def retry_workflow(self, workflow_id: int, task: str | None = None, *, org_id: Org = None) -> WorkflowDetail:
        """Do a task again, and everything that depends on it; without one, everything that was not done.

        Raises:
            ConflictError: something of it is under way, or a task before it was not done.
        """
        return self._send(workflows.retry(workflow_id, task), org_id)

    def delete_workflow(self, workflow_id: int, *, org_id: Org = None) -> WorkflowDetail:
        """Delete a workflow that has ended, with its document; its runs stay. Gives it as it was.

        Raises:
            ConflictError: it goes on.
            PermissionDeniedError: it is another user's, and the token is no admin's.
        """
        return self._send(workflows.delete(workflow_id), org_id)


class AsyncWorkflowCalls(AsyncCalls):
    """The twin of `WorkflowCalls`."""

    async def create_workflow(
        self, definition: WorkflowDefinition, *, idempotency_key: str | None = None, org_id: Org = None
    ) -> WorkflowDetail:
        """Start a workflow; the server goes on with it by itself.

        Raises:
            InvalidInputError: it cannot be run; the message names the task.
            NotFoundError: the server has no workflows (a hosted Codegen).
        """
        return await self._send(workflows.create(definition), org_id, idempotency_key=idempotency_key)

    async def get_workflow(self, workflow_id: int, *, results: bool = False, org_id: Org = None) -> WorkflowDetail:
        """A workflow as it stands, with what its tasks said when `results` are wanted."""
        return await self._send(workflows.show(workflow_id, results=results), org_id)

    async def follow_workflow(self, workflow_id: int, *, org_id: Org = None) -> AsyncGenerator[WorkflowDetail]:
        """A workflow as it stands now, and again whenever that has changed, until it has ended.

        Raises:
            NotFoundError: there is none, or it was deleted meanwhile.
        """
        organization = await self._connection.organization(org_id)
        async with aclosing(follow.afollow_workflow(self._connection, organization, workflow_id)) as flows:
            async for flow in flows:
                yield flow

    async def list_workflows(self, *, skip: int = 0, limit: int = 100, org_id: Org = None) -> Page[Workflow]:
        """A page of the workflows, newest first."""
        return await self._send(workflows.page(skip=skip, limit=limit), org_id)

    async def cancel_workflow(self, workflow_id: int, *, org_id: Org = None) -> WorkflowDetail:
        """Stop a workflow and its runs. One that has ended stays as it is."""
        return await self._send(workflows.cancel(workflow_id), org_id)

    async def approve_workflow_task(
        self, workflow_id: int, task: str, *, approved: bool = True, org_id: Org = None
    ) -> WorkflowDetail:
        """Let a task begin that waits for a person; with `approved` False skip it, and what depends on it.

        Raises:
            ConflictError: it waits for nobody.
        """
        return await self._send(workflows.approve(workflow_id, task, approved=approved), org_id)

    async def retry_workflow(self, workflow_id: int, task: str | None = None, *, org_id: Org = None) -> WorkflowDetail:
        """Do a task again, and everything that depends on it; without one, everything that was not done.

        Raises:
            ConflictError: something of it is under way, or a task before it was not done.
        """
        return await self._send(workflows.retry(workflow_id, task), org_id)

    async def delete_workflow(self, workflow_id: int, *, org_id: Org = None) -> WorkflowDetail:
        """Delete a workflow that has ended, with its document; its runs stay. Gives it as it was.

        Raises:
            ConflictError: it goes on.
            PermissionDeniedError: it is another user's, and the token is no admin's.
        """
        return await self._send(workflows.delete(workflow_id), org_id)
