"""Where the tasks of a workflow stand: plain values that are kept as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from contexten.protocol.workflows import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contexten.protocol.workflows import WorkflowDefinition

_ENDED = frozenset({TaskStatus.COMPLETE, TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class TaskState:
    """Where one task stands. Moments are seconds since 1970."""

    status: TaskStatus = TaskStatus.PENDING
    attempt: int = 0
    """How often it was begun."""
    uncounted: int = 0
    """How many of these attempts were made before somebody asked for it anew."""
    approved: bool = False
    reason: str | None = None
    not_before: float | None = None
    """When it may be tried again."""
    started_at: float | None = None
    finished_at: float | None = None
    cost_usd: float = 0.0

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.status in _ENDED


States = dict[str, TaskState]
"""The state of each task by its id."""


class Ended(NamedTuple):
    """The end of one attempt at a task."""

    task: str
    attempt: int
    status: str
    """The run's status."""
    reason: str | None = None
    cost_usd: float = 0.0


def first_states(definition: WorkflowDefinition) -> States:
    """The states of a workflow that has not begun."""
    return {task.id: TaskState() for task in definition.tasks}


def states_to_json(states: States) -> dict[str, Any]:
    """The states as they are kept."""
    return {name: asdict(state) for name, state in states.items()}


def states_from_json(kept: Mapping[str, Mapping[str, Any]]) -> States:
    """The states that were kept."""
    return {name: TaskState(**{**values, "status": TaskStatus(values["status"])}) for name, values in kept.items()}
