"""What has to happen to a workflow now: its document and the ends of its runs go in, one step of the store comes out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from contexten.engines.base import BUILDS_ON
from contexten.errors import UsageError
from contexten.protocol import SourceType, is_terminal
from contexten.protocol.workflows import TaskStatus, WorkflowDefinition, WorkflowStatus
from contexten.server.problems import Refusal
from contexten.server.prompts import check_prompt
from contexten.server.store.records import NewRun
from contexten.server.store.workflow_records import Begin, Step
from contexten.workflows.graph import ancestors, in_order
from contexten.workflows.prompts import prompt_of
from contexten.workflows.schedule import Schedule
from contexten.workflows.states import Ended, States, states_from_json, states_to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contexten.engines import Engines
    from contexten.protocol.workflows import WorkflowTask
    from contexten.server.store.workflow_records import AttemptRecord, WorkflowRecord, WorkflowRow
    from contexten.settings import ServerSettings

ENDED = frozenset({WorkflowStatus.COMPLETE, WorkflowStatus.FAILED, WorkflowStatus.CANCELLED})


class Plan(NamedTuple):
    """A workflow as it will be, before the runs that it begins are written out."""

    definition: WorkflowDefinition
    states: States
    begun: list[str]
    noted: tuple[tuple[str, int], ...]
    status: WorkflowStatus

    @property
    def needed(self) -> set[str]:
        """Tasks whose results the prompts of those that begin may quote."""
        return {name for task in self.begun for name in self.before(task)}

    def before(self, name: str) -> list[str]:
        """All tasks before one, in an order in which they can be done."""
        graph = {task.id: task.dependencies for task in self.definition.tasks}
        wanted = ancestors(graph, name)
        return [each for each in in_order(graph) if each in wanted]

    def builds_on(self, task: WorkflowTask, made: Mapping[str, int]) -> list[int]:
        """The runs whose changes the run of a task begins with: of the same repository, and done, in their order."""
        tasks = {each.id: each for each in self.definition.tasks}
        done = [name for name in self.before(task.id) if self.states[name].status is TaskStatus.COMPLETE]
        return [made[name] for name in done if name in made and tasks[name].repo_id == task.repo_id]


def plan(record: WorkflowRecord, attempts: Sequence[AttemptRecord], now: float) -> Plan:
    """What becomes of a workflow, given its attempts whose ends are not noted."""
    definition = WorkflowDefinition.model_validate(record.definition)
    schedule = Schedule(definition)
    over = [each for each in attempts if each.run_id is None or is_terminal(each.status)]
    states = schedule.note(states_from_json(record.row.states), map(_ended, over), now)
    states, begun = schedule.advance(states, now)
    cancelled = record.row.status == WorkflowStatus.CANCELLED
    status = WorkflowStatus.CANCELLED if cancelled else schedule.status(states)
    return Plan(definition, states, begun, tuple((each.task, each.attempt) for each in over), status)


def step_of(row: WorkflowRow, states: States, status: WorkflowStatus, definition: WorkflowDefinition) -> Step:
    """The step that writes states over those of a row."""
    moment = None if status in ENDED else Schedule(definition).wake_at(states)
    return Step(
        states=states_to_json(states),
        status=status,
        ended=status in ENDED,
        wake_at=None if moment is None else datetime.fromtimestamp(moment, UTC),
        news=_news(row, states, status),
    )


def _news(row: WorkflowRow, states: States, status: WorkflowStatus) -> dict[str, Any] | None:
    """What those who watch are told of new states; None when they would see no difference."""
    before = states_from_json(row.states)
    tasks = [
        {"id": name, "status": state.status, "attempt": state.attempt}
        for name, state in states.items()
        if (state.status, state.attempt) != (before[name].status, before[name].attempt)
    ]
    if not tasks and status == row.status:
        return None
    change = "ended" if status in ENDED and row.finished_at is None else "changed"
    return {"change": change, "name": row.name, "status": status, "tasks": tasks}


class Runs:
    """Writes out the runs that a plan begins.

    Args:
        settings: the limits of prompts.
        engines: those of this server.
    """

    def __init__(self, settings: ServerSettings, engines: Engines) -> None:
        self._settings = settings
        self._engines = engines

    def begin(self, record: WorkflowRecord, plan: Plan, attempts: Iterable[AttemptRecord]) -> tuple[Begin, ...]:
        """The attempts that a plan begins; one whose prompt cannot be written says why."""
        tasks = {task.id: task for task in plan.definition.tasks}
        found = list(attempts)
        results = results_of(plan.states, found)
        made = {each.task: each.run_id for each in found if each.run_id is not None}
        return tuple(self._attempt(record, plan, tasks[name], results, made) for name in plan.begun)

    def _attempt(
        self,
        record: WorkflowRecord,
        plan: Plan,
        task: WorkflowTask,
        results: Mapping[str, str],
        made: Mapping[str, int],
    ) -> Begin:
        attempt = plan.states[task.id].attempt
        try:
            prompt = prompt_of(plan.definition, task, results, plain=not self._uses_model(task))
            check_prompt(self._settings, prompt)
        except (UsageError, Refusal) as error:
            return Begin(task.id, attempt, str(getattr(error, "detail", error)))
        new = _new_run(record, task, attempt, prompt)
        return Begin(task.id, attempt, replace(new, metadata={**new.metadata, BUILDS_ON: plan.builds_on(task, made)}))

    def _uses_model(self, task: WorkflowTask) -> bool:
        known = task.engine is not None and task.engine in self._engines
        return not known or getattr(self._engines.get(str(task.engine)), "uses_model", True)


def results_of(states: States, attempts: Iterable[AttemptRecord]) -> dict[str, str]:
    """What each task said in its newest attempt, or why it said nothing."""
    newest = {each.task: each for each in attempts}  # oldest first: the newest stays
    said = {name: each.result for name, each in newest.items() if each.result}
    why = {name: each.refusal for name, each in newest.items() if each.refusal}
    return {
        name: said.get(name) or f"(nothing: {why.get(name) or state.reason or state.status})"
        for name, state in states.items()
    }


def _ended(attempt: AttemptRecord) -> Ended:
    if attempt.run_id is None:
        return Ended(attempt.task, attempt.attempt, "FAILED", attempt.refusal)
    first = (attempt.result or "").strip().partition("\n")[0]
    return Ended(attempt.task, attempt.attempt, str(attempt.status), first or None, attempt.cost_usd)


def _new_run(record: WorkflowRecord, task: WorkflowTask, attempt: int, prompt: str) -> NewRun:
    row = record.row
    return NewRun(
        organization_id=row.organization_id,
        user_id=row.user_id,
        prompt=prompt,
        engine=str(task.engine),
        model=task.model,
        repo_id=task.repo_id,
        source_type=SourceType.API,
        metadata={
            "workflow_id": row.id,
            "workflow": row.name,
            "task": task.id,
            "task_name": task.title,
            "role": task.role,
            "attempt": attempt,
        },
        timeout=task.timeout,
    )
