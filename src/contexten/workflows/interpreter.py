"""Interprets a workflow in this process: the scheduler says what comes next, a client makes the runs.

For servers that have no workflows of their own. What it knows ends with the process; the runs that it made do not.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from contexten.errors import ApiError, UsageError
from contexten.protocol import RunStatus
from contexten.protocol.workflows import TaskStatus, WorkflowStatus
from contexten.workflows.graph import ancestors
from contexten.workflows.prompts import prompt_of
from contexten.workflows.schedule import Schedule
from contexten.workflows.states import Ended, States, first_states
from contexten.workflows.view import RunFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from contexten.client import AsyncCodegenClient
    from contexten.protocol import AgentRun
    from contexten.protocol.workflows import WorkflowDefinition, WorkflowTask

GRACE = 5.0
"""Seconds after a task's time is over in which its server may end the run by itself."""


class Approve(Protocol):
    """Answers, for a person, whether a task may begin."""

    async def __call__(self, task: WorkflowTask) -> bool:
        """Whether it may."""
        ...


@dataclass(slots=True)
class Interpretation:
    """A workflow that is being interpreted, and what came of it."""

    definition: WorkflowDefinition
    states: States
    runs: dict[str, RunFacts] = field(default_factory=dict)

    @property
    def status(self) -> WorkflowStatus:
        """Where it stands."""
        return Schedule(self.definition).status(self.states)


async def interpret(
    definition: WorkflowDefinition,
    client_of: Callable[[WorkflowTask], AsyncCodegenClient],
    approve: Approve | None = None,
    on_change: Callable[[str, TaskStatus], None] | None = None,
) -> Interpretation:
    """Do a workflow to its end.

    Args:
        definition: a checked workflow, with texts for all its inputs.
        client_of: who makes the run of a task.
        approve: asked about tasks that need approval.
        on_change: told of each change of a task.

    Raises:
        UsageError: a task needs approval and there is nobody to ask.
    """
    gated = [task.id for task in definition.tasks if task.approval]
    if gated and approve is None:
        raise UsageError(
            f"Task {gated[0]!r} needs approval. Give approve=…, or take a Contexten server, where a person can give it: "
            "contexten workflows approve"
        )
    return await _Interpreter(definition, client_of, approve, on_change).run()


class _Interpreter:
    def __init__(
        self,
        definition: WorkflowDefinition,
        client_of: Callable[[WorkflowTask], AsyncCodegenClient],
        approve: Approve | None,
        on_change: Callable[[str, TaskStatus], None] | None,
    ) -> None:
        self._done = Interpretation(definition, first_states(definition))
        self._client_of, self._approve, self._on_change = client_of, approve, on_change
        self._schedule = Schedule(definition)
        self._tasks = {task.id: task for task in definition.tasks}
        self._graph = {task.id: task.dependencies for task in definition.tasks}
        self._under_way: dict[asyncio.Task[Ended], str] = {}

    async def run(self) -> Interpretation:
        try:
            while not self._advanced():
                if not await self._answered():
                    await self._wait()
        finally:
            for work in self._under_way:
                work.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)
        return self._done

    def _advanced(self) -> bool:
        """Begin what may begin; true when nothing is left."""
        states, begun = self._schedule.advance(self._done.states, time.time())
        self._change(states)
        for name in begun:
            work = asyncio.create_task(self._attempt(self._tasks[name], states[name].attempt), name=f"task {name}")
            self._under_way[work] = name
        return all(state.has_ended for state in states.values())

    async def _answered(self) -> bool:
        """Whether a task was waiting for approval and got an answer."""
        waiting = [name for name, state in self._done.states.items() if state.status is TaskStatus.WAITING]
        for name in waiting:
            approved = self._approve is not None and await self._approve(self._tasks[name])
            self._change(self._schedule.approve(self._done.states, name, time.time(), approved=approved))
        return bool(waiting)

    async def _wait(self) -> None:
        """Wait until an attempt ends or the pause before one is over, and note what ended, in the order of the tasks."""
        moment = self._schedule.wake_at(self._done.states)
        pause = None if moment is None else max(0.0, moment - time.time())
        if not self._under_way:
            await asyncio.sleep(pause or 0.0)
            return
        done, _ = await asyncio.wait(self._under_way, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        order = list(self._tasks)
        ends = [work.result() for work in sorted(done, key=lambda work: order.index(self._under_way.pop(work)))]
        self._change(self._schedule.note(self._done.states, ends, time.time()))

    async def _attempt(self, task: WorkflowTask, attempt: int) -> Ended:
        try:
            prompt = prompt_of(self._done.definition, task, self._results(task))
            run = await self._client_of(task).create_agent_run(prompt, **_options(self._done.definition, task, attempt))
            self._done.runs[task.id] = RunFacts(run.id, run.web_url)
            return await self._followed(task, attempt, run)
        except (ApiError, UsageError) as error:
            return Ended(task.id, attempt, RunStatus.FAILED, str(error))

    async def _followed(self, task: WorkflowTask, attempt: int, run: AgentRun) -> Ended:
        client = self._client_of(task)
        try:
            async with asyncio.timeout(None if task.timeout is None else task.timeout + GRACE):
                end = await client.end_of(run)
                ended = end.run or await client.get_agent_run(run.id)
        except TimeoutError:
            with suppress(ApiError):
                await client.cancel_agent_run(run.id)
            return Ended(task.id, attempt, RunStatus.TIMEOUT, f"not done after {task.timeout:g} s")
        self._done.runs[task.id] = RunFacts(run.id, run.web_url, end.result)
        first = (end.result or "").strip().partition("\n")[0]
        return Ended(task.id, attempt, end.status, first or None, float(ended.get("cost_usd", 0.0)))

    def _results(self, task: WorkflowTask) -> dict[str, str]:
        states, runs = self._done.states, self._done.runs
        before = ancestors(self._graph, task.id)
        said = {name: runs[name].result for name in before if name in runs}
        return {name: said.get(name) or f"(nothing: {states[name].reason or states[name].status})" for name in before}

    def _change(self, states: States) -> None:
        before, self._done.states = self._done.states, states
        if self._on_change is not None:
            for name, state in states.items():
                if state.status is not before[name].status or state.attempt != before[name].attempt:
                    self._on_change(name, state.status)


def _options(definition: WorkflowDefinition, task: WorkflowTask, attempt: int) -> Any:
    """What is said about a run beside its prompt; what is not set is left out."""
    given = {"engine": task.engine, "model": task.model, "repo_id": task.repo_id, "timeout": task.timeout}
    metadata = {"workflow": definition.name, "task": task.id, "role": task.role, "attempt": attempt}
    return {name: value for name, value in given.items() if value is not None} | {"metadata": metadata}
