"""Live events: what an event stream carries.

Every event has an `id` that grows in the order in which events were committed, over all of them. A client that reconnects
sends the last id it saw (`Last-Event-ID`) and gets everything after it, once.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from contexten.protocol.logs import LogEntry
from contexten.protocol.model import Model


class LogEvent(Model):
    """A log entry was written."""

    event: Literal["log"] = "log"
    id: int
    agent_run_id: int
    turn: int
    position: int
    """Place of the entry in the run's log, from 0."""
    entry: LogEntry


class StatusEvent(Model):
    """A run's status changed."""

    event: Literal["status"] = "status"
    id: int
    agent_run_id: int
    turn: int
    status: str
    result: str | None = None
    """The result, when the status is terminal."""
    created_at: str
    """ISO 8601, UTC."""


class DeletedEvent(Model):
    """A run was deleted, with its log and its other events."""

    event: Literal["deleted"] = "deleted"
    id: int
    agent_run_id: int
    created_at: str
    """ISO 8601, UTC."""


class TaskChange(Model):
    """A task of a workflow that stands otherwise than before."""

    id: str
    status: str
    attempt: int
    """How often it was begun."""


class WorkflowEvent(Model):
    """A workflow was created or deleted, or it or a task of it stands otherwise than before."""

    event: Literal["workflow"] = "workflow"
    id: int
    workflow_id: int
    change: Literal["created", "changed", "ended", "deleted"]
    name: str
    status: str
    tasks: list[TaskChange] = Field(default_factory=list)
    """Those that changed."""
    created_at: str
    """ISO 8601, UTC."""


class PartialEvent(Model):
    """Text that an engine is still saying: all of it so far.

    It is not kept and has no id. The next log or status event of the same run takes its place. A watcher that is slow, or
    connected to another worker than the one that does the run, sees less of it or none.
    """

    event: Literal["partial"] = "partial"
    agent_run_id: int
    turn: int
    text: str


RunEvent = Annotated[LogEvent | StatusEvent, Field(discriminator="event")]
"""What the stream of one run carries."""
LiveEvent = Annotated[LogEvent | StatusEvent | DeletedEvent | WorkflowEvent, Field(discriminator="event")]
"""What the stream of an organization carries."""
