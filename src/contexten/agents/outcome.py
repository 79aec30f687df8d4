"""How a run that an agent followed came out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contexten.protocol import RunStatus, is_successful

if TYPE_CHECKING:
    from contexten.errors import ContextenError

_STOPPED = frozenset({RunStatus.CANCELLED, RunStatus.STOPPED})


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One thing that happened to a run."""

    seconds: float
    """After the agent was asked."""
    what: str
    """`asked`, `created`, a status, or `error`."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What became of one prompt."""

    prompt: str
    """As the caller gave it, without context or history."""
    run_id: int | None = None
    """None when the server did not take the run."""
    status: str | None = None
    """The run's last known status."""
    result: str | None = None
    """The answer in Markdown, or what is needed to get one."""
    web_url: str | None = None
    seconds: float = 0.0
    """From asking to the end."""
    error: ContextenError | None = None
    """Why the run could not be created or followed; None when it could, however it ended."""
    trace: tuple[TraceStep, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the run ended with what was asked."""
        return self.error is None and is_successful(self.status)

    @property
    def stopped(self) -> bool:
        """Whether the run was stopped on request."""
        return self.error is None and self.status is not None and RunStatus.parse(self.status) in _STOPPED

    @property
    def failed(self) -> bool:
        """Whether it did not do what was asked, although nobody stopped it."""
        return not self.ok and not self.stopped
