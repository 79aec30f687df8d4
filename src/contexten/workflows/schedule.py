"""The scheduler: which tasks begin next, and what the end of one means. Pure: states in, states out.

Whoever makes the runs asks it in one loop: note the ends, `advance`, begin what it says. The same states and the same
moment always give the same answer, so a scheduler that is killed goes on as if nothing had happened.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from contexten.errors import UsageError
from contexten.protocol import RunStatus, is_successful
from contexten.protocol.workflows import TaskStatus, WorkflowStatus
from contexten.workflows.graph import descendants, in_order
from contexten.workflows.states import Ended, States, TaskState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contexten.protocol.workflows import WorkflowDefinition, WorkflowTask

LONGEST_BACKOFF = 3600.0
LONGEST_REASON = 500
_NOT_BEGUN = frozenset({TaskStatus.PENDING, TaskStatus.WAITING})
_WENT = {TaskStatus.FAILED: "failed", TaskStatus.SKIPPED: "was skipped", TaskStatus.CANCELLED: "was cancelled"}
_STOPPED = frozenset({RunStatus.CANCELLED, RunStatus.STOPPED})


class Advanced(NamedTuple):
    """What `Schedule.advance` found."""

    states: States
    begun: list[str]
    """Tasks that have to be begun now, in the order of the document; their states say RUNNING already."""


class Schedule:
    """The rules of one workflow."""

    def __init__(self, definition: WorkflowDefinition) -> None:
        self._definition = definition
        self._tasks = {task.id: task for task in definition.tasks}
        self._graph = {task.id: task.dependencies for task in definition.tasks}
        self._order = [self._tasks[name] for name in in_order(self._graph)]

    def note(self, states: States, ends: Iterable[Ended], now: float) -> States:
        """The states after attempts ended. An end that was noted before, or of an older attempt, changes nothing."""
        changed = dict(states)
        for end in ends:
            state = changed.get(end.task)
            if state is not None and state.status is TaskStatus.RUNNING and state.attempt == end.attempt:
                changed[end.task] = _after(self._tasks[end.task], state, end, now)
        return changed

    def advance(self, states: States, now: float) -> Advanced:
        """The states as they are now, with everything begun that may begin."""
        known = dict(states)
        for task in self._order:  # those before it come first, so one walk settles all
            known[task.id] = self._settled(task, known, now)
        ready = [task.id for task in self._definition.tasks if self._is_ready(task, known, now)]
        running = sum(state.status is TaskStatus.RUNNING for state in known.values())
        most = self._definition.limits.max_concurrent
        begun = ready if most is None else ready[: max(0, most - running)]
        return Advanced(known | {name: _begun(known[name], now) for name in begun}, begun)

    def status(self, states: States) -> WorkflowStatus:
        """Where the workflow stands. The states are settled."""
        if all(state.has_ended for state in states.values()):
            done = all(
                state.status is TaskStatus.COMPLETE or self._tolerates(name, state) for name, state in states.items()
            )
            return WorkflowStatus.COMPLETE if done else WorkflowStatus.FAILED
        active = any(state.status in {TaskStatus.RUNNING, TaskStatus.RETRYING} for state in states.values())
        waiting = any(state.status is TaskStatus.WAITING for state in states.values())
        return WorkflowStatus.PAUSED if waiting and not active else WorkflowStatus.RUNNING

    def cancel(self, states: States, now: float) -> States:
        """The states after somebody stopped the workflow; what had ended stays as it is."""
        return {name: state if state.has_ended else _cancelled(state, now) for name, state in states.items()}

    def approve(self, states: States, name: str, now: float, *, approved: bool = True) -> States:
        """The states after a person's word on a task that waits for it.

        Raises:
            UsageError: there is no such task, or it waits for nobody.
        """
        state = self._state(states, name)
        if state.status is not TaskStatus.WAITING:
            waiting = ", ".join(each for each in states if states[each].status is TaskStatus.WAITING) or "none"
            raise UsageError(
                f"Task {name!r} is {state.status} and waits for nobody's approval. Those that do: {waiting}."
            )
        if approved:
            return states | {name: replace(state, status=TaskStatus.PENDING, approved=True)}
        return states | {name: _skipped(state, "it was not approved", now)}

    def retry(self, states: States, name: str | None = None) -> States:
        """The states with a task, and all that depend on it, to be done anew; without one, everything that was not done.

        Raises:
            UsageError: there is no such task, something of it is under way, or a task before it was not done.
        """
        if name is not None:
            self._check_before(states, name)
        again = self._not_done(states) if name is None else {name, *descendants(self._graph, name)}
        under_way = [each for each in self._graph if each in again and states[each].status is TaskStatus.RUNNING]
        if under_way:
            raise UsageError(f"Task {under_way[0]!r} is under way. Wait for it to end, or cancel the workflow.")
        if not again:
            raise UsageError("Every task was done. Name the one to begin at to do it, and what follows, again.")
        return {each: _anew(state) if each in again else state for each, state in states.items()}

    def wake_at(self, states: States) -> float | None:
        """When the next task may be tried again; None when none waits for that."""
        return min((state.not_before for state in states.values() if state.not_before is not None), default=None)

    def _settled(self, task: WorkflowTask, states: States, now: float) -> TaskState:
        """What the ends of the tasks before it, and what is spent, mean to a task that is not under way."""
        state = states[task.id]
        most = self._definition.limits.max_cost_usd
        spent = most is not None and sum(each.cost_usd for each in states.values()) >= most
        if state.status is TaskStatus.RETRYING and spent:
            return replace(state, status=TaskStatus.FAILED, not_before=None, finished_at=now)
        if state.status not in _NOT_BEGUN:
            return state
        for name in task.dependencies:
            if states[name].has_ended and not self._lets_go_on(name, states[name]):
                return _skipped(state, f"it needs {name!r}, which {_WENT[states[name].status]}", now)
        if spent:
            return _skipped(state, f"the limit of ${most:g} is reached", now)
        gated = task.approval and not state.approved and all(states[name].has_ended for name in task.dependencies)
        return replace(state, status=TaskStatus.WAITING if gated else TaskStatus.PENDING)

    def _is_ready(self, task: WorkflowTask, states: States, now: float) -> bool:
        state = states[task.id]
        if state.status is TaskStatus.RETRYING:
            return state.not_before is None or state.not_before <= now
        return state.status is TaskStatus.PENDING and all(states[name].has_ended for name in task.dependencies)

    def _lets_go_on(self, name: str, state: TaskState) -> bool:
        return state.status is TaskStatus.COMPLETE or self._tolerates(name, state)

    def _tolerates(self, name: str, state: TaskState) -> bool:
        bad = state.status in {TaskStatus.FAILED, TaskStatus.CANCELLED}
        return bad and self._tasks[name].on_failure == "continue"

    def _not_done(self, states: States) -> set[str]:
        return {name for name, state in states.items() if state.has_ended and state.status is not TaskStatus.COMPLETE}

    def _state(self, states: States, name: str) -> TaskState:
        if name not in states:
            raise UsageError(f"There is no task {name!r}. There are: {', '.join(states)}.")
        return states[name]

    def _check_before(self, states: States, name: str) -> None:
        self._state(states, name)
        for other in self._graph[name]:
            if not self._lets_go_on(other, states[other]):
                raise UsageError(
                    f"Task {name!r} depends on {other!r}, which is {states[other].status}. Retry that one."
                )


def _after(task: WorkflowTask, state: TaskState, end: Ended, now: float) -> TaskState:
    state = replace(state, cost_usd=state.cost_usd + end.cost_usd, finished_at=now)
    if is_successful(end.status):
        return replace(state, status=TaskStatus.COMPLETE, reason=None)
    if RunStatus.parse(end.status) in _STOPPED:
        return replace(state, status=TaskStatus.CANCELLED, reason="its run was cancelled")
    state = replace(state, reason=(end.reason or f"its run ended as {end.status}")[:LONGEST_REASON])
    tried = state.attempt - state.uncounted
    if tried >= task.retry.attempts:
        return replace(state, status=TaskStatus.FAILED)
    wait = min(LONGEST_BACKOFF, task.retry.backoff * 2 ** (tried - 1))
    return replace(state, status=TaskStatus.RETRYING, not_before=now + wait, finished_at=None)


def _begun(state: TaskState, now: float) -> TaskState:
    first = now if state.started_at is None else state.started_at
    return replace(state, status=TaskStatus.RUNNING, attempt=state.attempt + 1, not_before=None, started_at=first)


def _skipped(state: TaskState, reason: str, now: float) -> TaskState:
    return replace(state, status=TaskStatus.SKIPPED, reason=reason, finished_at=now)


def _cancelled(state: TaskState, now: float) -> TaskState:
    reason = "the workflow was cancelled"
    return replace(state, status=TaskStatus.CANCELLED, reason=reason, not_before=None, finished_at=now)


def _anew(state: TaskState) -> TaskState:
    return TaskState(attempt=state.attempt, uncounted=state.attempt, cost_usd=state.cost_usd)
