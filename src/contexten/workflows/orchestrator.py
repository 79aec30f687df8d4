"""`WorkflowOrchestrator`: runs a workflow from a program and says what came of it, on any server of the Codegen API.

A Contexten server runs it durably, by itself; elsewhere it is interpreted here, by the same scheduler.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from contexten.client import AsyncCodegenClient
from contexten.client.completing import completed
from contexten.errors import ConflictError, NotFoundError
from contexten.protocol.workflows import TaskStatus
from contexten.telemetry.tracing import invoke_workflow
from contexten.workflows.definition import check_inputs, read_definition, with_inputs
from contexten.workflows.interpreter import Interpretation, interpret
from contexten.workflows.outcome import outcome_of, outcome_of_detail
from contexten.workflows.roles import AgentRole, built_in_roles

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pydantic import SecretStr

    from contexten.protocol.workflows import WorkflowDefinition, WorkflowDetail, WorkflowTask

    Ask = Callable[[WorkflowTask], bool | Awaitable[bool]]
    Tell = Callable[[str, TaskStatus], None]

Org = int | str | None
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


class AsyncWorkflowOrchestrator:
    """Runs workflows from a program with asyncio; an asynchronous context manager.

    Args:
        token: bearer token; else CODEGEN_API_TOKEN or CODEGEN_TOKEN, else the local server's.
        org_id: organization; else CODEGEN_ORG_ID, else the token's own.
        base_url: address of the server; else CODEGEN_BASE_URL, else the local server's.
        durable: whether the server runs the workflow, so that it goes on without this program. None lets it where it
            can and no role has an agent of another server; False interprets the workflow here.
        approve: asked about each task that needs approval; without it somebody else gives it: `contexten workflows approve`.
        on_change: told of each change of a task, by its id.
        options: everything else that `AsyncCodegenClient` takes, such as `policy` and `timeout`.
    """

    def __init__(  # noqa: PLR0913 - the documented two, and what may be said by name
        self,
        token: str | SecretStr | None = None,
        org_id: Org = None,
        base_url: str | None = None,
        *,
        durable: bool | None = None,
        approve: Ask | None = None,
        on_change: Tell | None = None,
        **options: Any,
    ) -> None:
        self.api_client = AsyncCodegenClient(token, org_id, base_url, **options)
        self.agents: dict[str, AgentRole] = built_in_roles()
        """The roles by the name that tasks give; put your own in."""
        self._durable, self._approve, self._on_change = durable, approve, on_change

    async def execute_workflow(
        self, workflow: WorkflowDefinition, inputs: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Run a workflow to its end.

        Args:
            workflow: what to run.
            inputs: texts for its inputs.

        Returns:
            `workflow` (its id, name, status and, when the server ran it, number), `summary` (`success_rate` in percent,
            `total`, `completed`, `failed`, `skipped`, `cost_usd`, `seconds` and more), `tasks` by id (`status`, `run_id`,
            `web_url`, `attempt`, `reason`, `result` and more) and `results`, the texts of the tasks that were done.

        Raises:
            WorkflowError: it cannot be run; nothing was begun.
            ApiError: the server cannot be reached.
        """
        definition = read_definition(self._with_roles(with_inputs(workflow, inputs or {})))
        check_inputs(definition)
        began = time.monotonic()
        with invoke_workflow(definition.name):
            detail = await self._submitted(definition)
            if detail is not None:
                return outcome_of_detail(await self._ended(detail), time.monotonic() - began)
            return outcome_of(await self._interpreted(definition), time.monotonic() - began)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.api_client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _with_roles(self, definition: WorkflowDefinition) -> WorkflowDefinition:
        """The workflow with what its roles are told written into it; its own roles go before those here."""
        used = {task.role for task in definition.tasks} & self.agents.keys()
        roles = {name: self.agents[name].get_system_prompt() for name in sorted(used)}
        return definition.model_copy(update={"roles": {**roles, **definition.roles}})

    async def _submitted(self, definition: WorkflowDefinition) -> WorkflowDetail | None:
        """The workflow as the server took it in; None when it is to be interpreted here."""
        elsewhere = any(
            self._is_elsewhere(self.agents[task.role]) for task in definition.tasks if task.role in self.agents
        )
        if self._durable is False or (self._durable is None and elsewhere):
            return None
        try:
            return await self.api_client.create_workflow(definition)
        except NotFoundError:
            if self._durable:
                raise
            return None

    def _is_elsewhere(self, role: AgentRole) -> bool:
        """Whether a role's agent talks to another server than we do, or as somebody else."""
        if role.agent is None:
            return False
        theirs, ours = role.agent.api_client, self.api_client
        return (theirs.base_url, theirs.token) != (ours.base_url, ours.token)

    async def _ended(self, detail: WorkflowDetail) -> WorkflowDetail:
        pause, known = _FIRST_PAUSE, dict.fromkeys((task.id for task in detail.tasks), TaskStatus.PENDING)
        while True:
            pause = _FIRST_PAUSE if self._tell(detail, known) else min(_LONGEST_PAUSE, pause * 1.5)
            if detail.has_ended:
                return await self.api_client.get_workflow(detail.id, results=True)
            if not await self._answered(detail):
                await asyncio.sleep(pause)
            detail = await self.api_client.get_workflow(detail.id)

    def _tell(self, detail: WorkflowDetail, known: dict[str, TaskStatus]) -> bool:
        """Tell of what changed; whether anything did."""
        changed = {task.id: task.status for task in detail.tasks if task.status is not known[task.id]}
        known |= changed
        if self._on_change is not None:
            for name, status in changed.items():
                self._on_change(name, status)
        return bool(changed)

    async def _answered(self, detail: WorkflowDetail) -> bool:
        """Whether a task was waiting for approval and got an answer."""
        if self._approve is None:
            return False
        waiting = {task.id for task in detail.tasks if task.status is TaskStatus.WAITING}
        for task in detail.definition.tasks:
            if task.id in waiting:
                approved = await self._asked(task)
                with suppress(ConflictError):  # somebody else was quicker
                    await self.api_client.approve_workflow_task(detail.id, task.id, approved=approved)
        return bool(waiting)

    async def _asked(self, task: WorkflowTask) -> bool:
        assert self._approve is not None  # noqa: S101 - only asked when there is somebody; tells the type checker
        answer = self._approve(task)
        return bool(await answer if inspect.isawaitable(answer) else answer)

    async def _interpreted(self, definition: WorkflowDefinition) -> Interpretation:
        clients = {name: _client_of(role) for name, role in self.agents.items() if role.agent is not None}
        approve = None if self._approve is None else self._asked

        def client_of(task: WorkflowTask) -> AsyncCodegenClient:
            return clients.get(task.role, self.api_client)

        try:
            return await interpret(definition, client_of, approve, self._on_change)
        finally:
            for client in clients.values():
                await client.aclose()


class WorkflowOrchestrator:
    """Runs workflows from a program; see `AsyncWorkflowOrchestrator` for the arguments."""

    def __init__(
        self, token: str | SecretStr | None = None, org_id: Org = None, *arguments: Any, **options: Any
    ) -> None:
        self._address = (token, org_id, *arguments)
        self._options = options
        self.agents: dict[str, AgentRole] = built_in_roles()
        """The roles by the name that tasks give; put your own in."""

    def execute_workflow(self, workflow: WorkflowDefinition, inputs: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Run a workflow to its end; see `AsyncWorkflowOrchestrator.execute_workflow`."""
        return completed(self._execute(workflow, inputs))

    async def _execute(self, workflow: WorkflowDefinition, inputs: Mapping[str, str] | None) -> dict[str, Any]:
        async with AsyncWorkflowOrchestrator(*self._address, **self._options) as orchestrator:
            orchestrator.agents = self.agents
            return await orchestrator.execute_workflow(workflow, inputs)


def _client_of(role: AgentRole) -> AsyncCodegenClient:
    """A client of our own for the server of a role's agent: the agent's may belong to another thread."""
    assert role.agent is not None  # noqa: S101 - asked only of roles that have one; tells the type checker
    known = role.agent.api_client
    return AsyncCodegenClient(known.token, known._connection._org_id, known.base_url, policy=known.policy)  # noqa: SLF001 - asking for it would be a request
