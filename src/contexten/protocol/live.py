"""Live events: what an event stream carries.

Every event has an `id` that grows in the order in which events were committed, over all runs. A client that reconnects
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


RunEvent = Annotated[LogEvent | StatusEvent, Field(discriminator="event")]
