"""What the store takes and gives: plain, frozen values. Times are aware and in UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from contexten.engines.changes import Changes
    from contexten.protocol import LiveEvent, Role


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to create."""

    organization_id: int
    user_id: int
    prompt: str
    engine: str
    model: str | None = None
    repo_id: int | None = None
    source_type: str = "API"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    timeout: float | None = None
    """Seconds the run may take; None takes the server's limit."""
    idempotency_key: str | None = None
    """A second create of the same user with this key gives back the first run."""
    request_digest: str | None = None
    """Tells one request from another: the same key with another digest is a conflict."""
    queued: bool = True
    """Whether an engine here does the run; False for one that another program reports."""


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs of an organization are listed: those that are all of what is given."""

    user_id: int | None = None
    source_type: str | None = None
    statuses: tuple[str, ...] = ()
    """One of these; any when there are none."""
    engine: str | None = None
    repo_id: int | None = None
    before_id: int | None = None
    """Older than this run. Does not change how many there are in all."""

    @property
    def is_counted(self) -> bool:
        """Whether counters tell how many there are."""
        return not self.statuses and self.engine is None and self.repo_id is None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it stands: its newest turn's prompt, status, result and times, and the usage of all turns."""

    id: int
    organization_id: int
    user_id: int
    repo_id: int | None
    status: str
    engine: str
    model: str | None
    source_type: str
    metadata: dict[str, Any]
    prompt: str
    result: str | None
    summary: str | None
    turn: int
    log_count: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    input_tokens: int
    output_tokens: int
    cost_usd: float
    banned: bool


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One turn of a run."""

    run_id: int
    organization_id: int
    turn: int
    prompt: str
    images: tuple[str, ...]
    status: str
    result: str | None
    attempt: int
    """How often an engine took the turn up."""
    timeout: float | None
    engine: str
    model: str | None
    repo_id: int | None
    metadata: dict[str, Any]
    created_at: datetime
    put_back: int = 0
    """How many of these attempts ended with an orderly stop of their worker."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token acts for."""

    token_id: int
    user_id: int
    organization_id: int
    role: Role
    login: str


@dataclass(frozen=True, slots=True)
class SearchMatch:
    """A run that contains what was searched, with the newest place where it does."""

    run: RunRecord
    where: Literal["prompt", "result", "log"]
    snippet: str
    """The text around the first match, at most 200 characters."""
    event_id: int


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of matches, newest first; `next_cursor` fetches the next, None at the end."""

    matches: list[SearchMatch]
    next_cursor: str | None


OwnedEvent = tuple[int, "LiveEvent"]
"""An event and the organization that it belongs to."""


@dataclass(frozen=True, slots=True)
class Diff:
    """What a run has changed since it began."""

    run_id: int
    turn: int
    """After which turn it was so."""
    branch: str
    """Of the run's copy; empty when the repository is not git."""
    changes: Changes
