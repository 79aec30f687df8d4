"""What is remembered of one task, so that each thing that happens to it is reported once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .events import Handler

FAILED = frozenset({"ERROR", "FAILED", "MAX_ITERATIONS_REACHED", "OUT_OF_TOKENS"})
TIMED_OUT = frozenset({"TIMEOUT"})
OVER = FAILED | TIMED_OUT | {"COMPLETE", "CANCELLED", "STOPPED"}

_ATTRIBUTE = "_contexten"


class Move:
    """A change of status that nobody has reported yet."""

    __slots__ = ("ended", "old")

    def __init__(self, old: str, *, ended: bool) -> None:
        self.old = old
        self.ended = ended


class TaskState:
    """The last status that was seen of a task, and whether its end was reported.

    Lives in the task's own `__dict__` and knows nothing of the task, so it keeps nothing alive and dies with it.
    """

    def __init__(self, status: object) -> None:
        self._lock = threading.Lock()
        self.status = word(status)
        self.ended = is_over(status)
        self.timed_out = False
        self.started = time.monotonic()
        self.callbacks: tuple[list[Handler], tuple[Handler, ...]] = ([], ())

    def __reduce__(self) -> tuple[Any, ...]:
        """A copied or pickled task starts with a state of its own."""
        return TaskState, (self.status,)

    def move(self, status: object) -> Move | None:
        """Take note of a status; the change, when there is one to report. After the end there is none."""
        new = word(status)
        if new == self.status and new not in OVER:
            return None
        with self._lock:
            if self.ended:
                return None
            old, self.status, self.ended = self.status, new, new in OVER
            return Move(old, ended=self.ended) if old != new or self.ended else None

    def time_out(self) -> bool:
        """Whether a timeout is still to be reported; True once."""
        with self._lock:
            first, self.timed_out = not (self.timed_out or self.ended), True
            return first

    def age(self) -> float:
        """Seconds since the task was created."""
        return time.monotonic() - self.started


def word(status: object) -> str:
    """A status as it is compared: upper case, and one word for COMPLETE and COMPLETED."""
    text = str(getattr(status, "value", status) or "").upper()
    return "COMPLETE" if text == "COMPLETED" else text


def is_over(status: object) -> bool:
    """Whether a task with this status has ended."""
    return word(status) in OVER


def state_of(task: Any) -> TaskState:
    """The state of a task; a task that was not seen before gets one now."""
    held = vars(task)
    state = held.get(_ATTRIBUTE)
    if state is None:
        state = held.setdefault(_ATTRIBUTE, TaskState(getattr(task, "status", None)))
    return state  # type: ignore[no-any-return]  # the attribute is ours


def start(task: Any, callbacks: tuple[list[Handler], tuple[Handler, ...]]) -> TaskState:
    """The state of a task that was created just now: its end is news, even when it has come already."""
    state = TaskState(None if is_over(task.status) else task.status)
    state.callbacks = callbacks
    vars(task)[_ATTRIBUTE] = state
    return state
