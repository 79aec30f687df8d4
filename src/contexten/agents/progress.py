"""How far a run is, said only as far as it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.protocol import LogEvent, MessageType, StatusEvent, is_terminal

if TYPE_CHECKING:
    from contexten.protocol import LogEntry, RunEvent

TAKEN_UP = 5.0
"""Percent, once an engine has the run."""
ANSWERED = 95.0
"""Percent, once every step of the plan is done or the answer is written, and the run has not ended yet."""
DONE = 100.0


class Progress:
    """Percent of a run that is done: it never falls, and is 100 only when the run has ended.

    It comes from the run's own plan: a `PLAN_EVALUATION` entry whose observation lists `steps`, each of which ends
    with an `ACTION` entry. Without a plan nothing is known between the beginning and the answer, and none is made up.
    """

    def __init__(self) -> None:
        self.percent = 0.0
        self._steps = 0
        self._done = 0

    def take(self, event: RunEvent) -> float:
        """Learn from an event; returns the percent now."""
        if isinstance(event, StatusEvent):
            self._rise(DONE if is_terminal(event.status) else 0.0 if event.status == "PENDING" else TAKEN_UP)
        elif isinstance(event, LogEvent):
            self._read(event.entry)
        return self.percent

    def _read(self, entry: LogEntry) -> None:
        if entry.message_type == MessageType.PLAN_EVALUATION:
            self._steps = self._done + _steps_of(entry)
        elif entry.message_type == MessageType.ACTION and self._steps:
            self._done = min(self._steps, self._done + 1)
            self._rise(TAKEN_UP + (ANSWERED - TAKEN_UP) * self._done / self._steps)
        elif entry.message_type == MessageType.FINAL_ANSWER:
            self._rise(ANSWERED)

    def _rise(self, percent: float) -> None:
        self.percent = max(self.percent, percent)


def _steps_of(entry: LogEntry) -> int:
    steps = entry.observation.get("steps") if isinstance(entry.observation, dict) else None
    return len(steps) if isinstance(steps, list) else 0
