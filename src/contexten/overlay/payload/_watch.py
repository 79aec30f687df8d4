"""Looks at tasks in the background, one thread for all of them, for as long as the program holds them."""

from __future__ import annotations

import heapq
import itertools
import os
import threading
import time
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ._guard import guarded
from ._tasks import is_over

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_FAILURES = 5


@dataclass(order=True)
class _Watched:
    due: float
    number: int
    task: weakref.ref[Any] = field(compare=False)
    poll: float = field(compare=False)
    deadline: float = field(compare=False)
    on_timeout: Callable[[Any], None] = field(compare=False)
    failures: int = field(default=0, compare=False)

    def look(self) -> bool:
        """Refresh the task; whether to look again."""
        task = self.task()
        if task is None or is_over(task.status):
            return False
        if time.monotonic() >= self.deadline:
            guarded(self.on_timeout, task)
            return False
        try:
            task.refresh()
        except Exception:  # noqa: BLE001 - the server may be back at the next look; nobody waits for this one
            self.failures += 1
            return self.failures < _MOST_FAILURES
        self.failures = 0
        return not is_over(task.status)

    def again(self) -> None:
        self.due = min(time.monotonic() + self.poll * (1 + self.failures), self.deadline)


class _Watcher:
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start with nothing to watch; a forked child does, because threads stay with the parent."""
        self._changed = threading.Condition()
        self._watched: list[_Watched] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def watch(self, task: Any, poll: float, timeout: float | None, on_timeout: Callable[[Any], None]) -> None:
        """Look at a task every `poll` seconds until it ends, `timeout` seconds pass or nobody holds it."""
        now = time.monotonic()
        deadline = float("inf") if timeout is None else now + timeout
        watched = _Watched(
            min(now + poll, deadline), next(self._numbers), weakref.ref(task), poll, deadline, on_timeout
        )
        with self._changed:
            heapq.heappush(self._watched, watched)
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="contexten-watch", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while watched := self._next():
            if watched.look():
                watched.again()
                with self._changed:
                    heapq.heappush(self._watched, watched)

    def _next(self) -> _Watched | None:
        with self._changed:
            while self._watched:
                wait = self._watched[0].due - time.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._watched)
                self._changed.wait(wait)
            self._thread = None
            return None


_watcher = _Watcher()
watch = _watcher.watch

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_watcher.reset)
