"""What the store takes and gives of workflows. Documents and states are JSON here; what they mean is not the store's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from contexten.server.store.records import NewRun


@dataclass(frozen=True, slots=True)
class NewWorkflow:
    """A workflow to create; it is due at once."""

    organization_id: int
    user_id: int
    definition_id: str
    name: str
    definition: dict[str, Any]
    states: dict[str, Any]
    status: str
    idempotency_key: str | None = None
    request_digest: str | None = None


@dataclass(frozen=True, slots=True)
class WorkflowRow:
    """A workflow as it stands, without its document."""

    id: int
    organization_id: int
    user_id: int
    definition_id: str
    name: str
    states: dict[str, Any]
    status: str
    revision: int
    """How often it was changed: a change is made only to the revision that it was thought out for."""
    wake_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


class WorkflowRecord(NamedTuple):
    """A workflow with its document."""

    row: WorkflowRow
    definition: dict[str, Any]


class AttemptRecord(NamedTuple):
    """One attempt at a task, and how its run stands."""

    task: str
    attempt: int
    run_id: int | None
    refusal: str | None
    """Why there is no run."""
    noted: bool
    """Whether the workflow's states know how it ended."""
    status: str | None
    result: str | None
    cost_usd: float


class Begin(NamedTuple):
    """An attempt to begin: the run to create, or why none can be."""

    task: str
    attempt: int
    run: NewRun | str


@dataclass(frozen=True, slots=True)
class Step:
    """A change of a workflow, written as one."""

    states: dict[str, Any]
    status: str
    ended: bool
    """Whether nothing more happens by itself."""
    wake_at: datetime | None = None
    """When it has to be looked at again although nothing of it ended."""
    noted: tuple[tuple[str, int], ...] = ()
    """Attempts, by task and number, whose end is in the states now."""
    begin: tuple[Begin, ...] = ()
    stop: bool = False
    """Whether every run of it that goes on is cancelled."""
    news: Mapping[str, Any] | None = None
    """What those who watch are told: the fields of a `WorkflowEvent`. None when they would see no difference."""
