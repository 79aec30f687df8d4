"""The gate for workflows: everything that a task's run will need is looked at, and written down, before the first begins."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from contexten.protocol import CreateAgentRunInput
from contexten.protocol.workflows import WorkflowStatus
from contexten.server.problems import Refusal, invalid
from contexten.server.prompts import new_run
from contexten.server.store.workflow_records import NewWorkflow
from contexten.workflows.definition import check_inputs, read_definition
from contexten.workflows.states import first_states, states_to_json

if TYPE_CHECKING:
    from contexten.protocol.workflows import WorkflowDefinition, WorkflowTask
    from contexten.server.services import Services
    from contexten.server.store.records import Identity

_ASKED = {"prompt", "engine", "model", "repo_id", "timeout"}


async def new_workflow(
    services: Services, org_id: int, caller: Identity, body: WorkflowDefinition, idempotency_key: str | None
) -> NewWorkflow:
    """The workflow that a request asks for, checked, with the engine, model and repository of each task filled in.

    Raises:
        WorkflowError: it cannot be run.
        Refusal: a task's run could not be made; the message names the task.
    """
    definition = await asyncio.to_thread(read_definition, body)
    check_inputs(definition)
    tasks = tuple([await _resolved(services, org_id, caller, task) for task in definition.tasks])
    definition = definition.model_copy(update={"tasks": tasks})
    return NewWorkflow(
        organization_id=org_id,
        user_id=caller.user_id,
        definition_id=definition.id,
        name=definition.name,
        definition=definition.model_dump(mode="json"),
        states=states_to_json(first_states(definition)),
        status=WorkflowStatus.RUNNING,
        idempotency_key=idempotency_key,
        request_digest=_digest(body) if idempotency_key else None,
    )


async def _resolved(services: Services, org_id: int, caller: Identity, task: WorkflowTask) -> WorkflowTask:
    asked = CreateAgentRunInput.model_validate(task.model_dump(include=_ASKED))
    try:
        run = await new_run(services, org_id, caller, asked)
    except Refusal as refusal:
        if refusal.errors is None:
            raise
        place = [str(part) for part in refusal.errors[0]["loc"][1:]]
        raise invalid(f"Task {task.id!r}: {refusal.detail}", "body", "tasks", task.id, *place) from refusal
    return task.model_copy(update={"engine": run.engine, "model": run.model, "repo_id": run.repo_id})


def _digest(body: WorkflowDefinition) -> str:
    return hashlib.sha256(body.model_dump_json().encode("utf-8", "replace")).hexdigest()
