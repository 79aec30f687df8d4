"""The status of a run, and the rules that all parts share about it.

Source: the values that the official clients know. A client compares without regard to case and treats `COMPLETED` as
`COMPLETE`; a value nobody knows passes through unchanged and counts as still going on.
"""

from __future__ import annotations

from enum import StrEnum


class RunStatus(StrEnum):
    """Where a run stands."""

    PENDING = "PENDING"
    """Accepted and waiting for its turn."""
    ACTIVE = "ACTIVE"
    RUNNING = "RUNNING"
    """An engine is doing it."""
    EVALUATION = "EVALUATION"
    PAUSED = "PAUSED"
    COMPLETE = "COMPLETE"
    """Done; the result is the answer."""
    ERROR = "ERROR"
    """Ended by a fault that is not the run's own."""
    FAILED = "FAILED"
    """The engine could not do what was asked; the result says what it needs."""
    CANCELLED = "CANCELLED"
    STOPPED = "STOPPED"
    TIMEOUT = "TIMEOUT"
    MAX_ITERATIONS_REACHED = "MAX_ITERATIONS_REACHED"
    OUT_OF_TOKENS = "OUT_OF_TOKENS"

    @classmethod
    def parse(cls, value: str) -> RunStatus | str:
        """The member that `value` names in any case, with `COMPLETED` as `COMPLETE`; unknown values unchanged."""
        upper = value.strip().upper()
        upper = "COMPLETE" if upper == "COMPLETED" else upper
        return cls(upper) if upper in cls.__members__ else value


SUCCESSFUL = frozenset({RunStatus.COMPLETE})
TERMINAL = SUCCESSFUL | {
    RunStatus.ERROR,
    RunStatus.FAILED,
    RunStatus.CANCELLED,
    RunStatus.STOPPED,
    RunStatus.TIMEOUT,
    RunStatus.MAX_ITERATIONS_REACHED,
    RunStatus.OUT_OF_TOKENS,
}


def is_terminal(status: str | None) -> bool:
    """Whether a run with this status has ended: nothing more comes unless it is resumed."""
    return status is not None and RunStatus.parse(status) in TERMINAL


def is_successful(status: str | None) -> bool:
    """Whether a run with this status ended with what was asked."""
    return status is not None and RunStatus.parse(status) in SUCCESSFUL
