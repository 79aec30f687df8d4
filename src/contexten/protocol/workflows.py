"""Workflows: graphs of runs. The document that describes one, and how one stands. No input or output here."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from contexten.protocol.model import Id, Input, Model

MOST_TASKS = 200
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")]
"""What a task, a role or an input is called: up to 64 letters, digits, `_`, `-` and `.`."""


class TaskStatus(StrEnum):
    """Where a task of a workflow stands."""

    PENDING = "PENDING"
    """Not begun: it waits for others, or for its turn."""
    WAITING = "WAITING"
    """Everything before it is done; a person has to approve it."""
    RUNNING = "RUNNING"
    RETRYING = "RETRYING"
    """It failed and is tried again in a while."""
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    """Not done, because of what happened before it."""
    CANCELLED = "CANCELLED"


class WorkflowStatus(StrEnum):
    """Where a workflow stands."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    """Nothing goes on until a person approves a task."""
    COMPLETE = "COMPLETE"
    """Every task was done, but for those whose failure was allowed."""
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Document(BaseModel):
    """A part of a workflow's document. A field that it does not know is an error: it would be a misspelt one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TaskRetry(Document):
    """How often a task that fails is done again."""

    attempts: int = Field(default=1, ge=1, le=10, description="How often the task is done at most")
    backoff: float = Field(
        default=5.0, ge=0, le=3600, description="Seconds before the second attempt; doubled each time"
    )


class WorkflowTask(Document):
    """One run of a workflow."""

    id: Name
    name: str = Field(default="", max_length=200, description="What people call it; its id when empty")
    role: Name = Field(description="Who does it: a role that Contexten has, or one of the document")
    prompt: str = Field(
        max_length=100_000, description="What to do; may use `{{ results.ID }}` and `{{ inputs.NAME }}`"
    )
    template: bool = Field(default=True, description="Whether braces in the prompt mean anything")
    dependencies: tuple[Name, ...] = Field(
        default=(), max_length=MOST_TASKS, description="Tasks that must have ended before"
    )
    retry: TaskRetry = TaskRetry()
    timeout: float | None = Field(
        None, gt=0, description="Seconds one attempt may take; the server's limit when absent"
    )
    on_failure: Literal["skip", "continue"] = Field(
        default="skip", description="Whether tasks that depend on it are skipped when it fails, or done all the same"
    )
    approval: bool = Field(default=False, description="Whether a person has to approve it before it begins")
    engine: str | None = Field(default=None, max_length=100)
    model: str | None = Field(default=None, max_length=200)
    repo_id: Id | None = None

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name or self.id


class WorkflowLimits(Document):
    """Limits of a workflow as a whole."""

    max_concurrent: int | None = Field(default=None, ge=1, le=1000, description="Tasks under way at a time")
    max_cost_usd: float | None = Field(
        default=None, gt=0, description="Once this much is spent, no more tasks are begun"
    )


class WorkflowDefinition(Document):
    """A graph of tasks, as data: what is stored, and what is interpreted."""

    version: Literal[1] = Field(default=1, description="Of this document's form")
    id: str = Field(min_length=1, max_length=200, description="What programs call it; many workflows may share one")
    name: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=2000)
    tasks: tuple[WorkflowTask, ...]
    roles: dict[Name, Annotated[str, Field(max_length=20_000)]] = Field(
        default={}, description="Roles beside those that Contexten has: what each is told ahead of its prompts"
    )
    inputs: dict[Name, Annotated[str, Field(max_length=100_000)] | None] = Field(
        default={}, description="Texts that prompts use; null for one that must be given before the start"
    )
    limits: WorkflowLimits = WorkflowLimits()


class WorkflowTaskState(Model):
    """A task of a workflow, as it stands."""

    id: str
    name: str
    role: str
    status: TaskStatus
    dependencies: list[str]
    attempt: int
    """How often it was begun; 0 when it was not."""
    run_id: int | None = None
    """The run of the newest attempt; null when there is none, or it was deleted."""
    web_url: str | None = None
    reason: str | None = None
    """Why it failed, was skipped, or waits."""
    started_at: str | None = None
    """ISO 8601, UTC: when the first attempt was begun."""
    finished_at: str | None = None
    cost_usd: float = 0.0
    """Of all attempts."""
    result: str | None = None
    """What it said in the end; only when results were asked for."""


class WorkflowSummary(Model):
    """A workflow in figures."""

    total: int
    completed: int
    failed: int
    skipped: int
    cancelled: int
    running: int
    waiting: int
    success_rate: float
    """Tasks that were done, of all, in percent."""
    cost_usd: float


class Workflow(Model):
    """A workflow as it is listed."""

    id: int
    organization_id: int
    user_id: int
    definition_id: str
    name: str
    status: WorkflowStatus
    created_at: str
    finished_at: str | None = None
    summary: WorkflowSummary

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens unless it is retried."""
        return self.status in {WorkflowStatus.COMPLETE, WorkflowStatus.FAILED, WorkflowStatus.CANCELLED}


class WorkflowDetail(Workflow):
    """A workflow with its tasks and its document."""

    tasks: list[WorkflowTaskState]
    """In the order of the document."""
    definition: WorkflowDefinition


class ApproveTaskInput(Input):
    """A person's word on a task that waits for it."""

    task: str = Field(max_length=64)
    approved: bool = True


class RetryWorkflowInput(Input):
    """Where a workflow begins again: at a task, and all that depend on it; else at everything that was not done."""

    task: str | None = Field(default=None, max_length=64)
