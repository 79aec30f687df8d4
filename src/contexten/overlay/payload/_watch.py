"""Looks at tasks in the background, one thread for all of them, for as long as the program holds them."""

from __future__ import annotations

import heapq
import itertools
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from ._guard import guarded
from ._tasks import is_over

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_FAILURES = 5


class _Watched:
    def __init__(self, task: Any, poll: float, deadline: float, on_timeout: Callable[[Any], None]) -> None:
        self.task = weakref.ref(task)
        self.poll = poll
        self.deadline = deadline
        self.on_timeout = on_timeout
        self.failures = 0

    def due(self) -> float:
        """When to look again; later and later while the server does not answer."""
        return min(time.monotonic() + self.poll * (1 + self.failures), self.deadline)

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


class _Watcher:
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start with nothing to watch; a forked child does, because threads stay with the parent."""
        self._changed = threading.Condition()
        self._queue: list[tuple[float, int, _Watched]] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def watch(self, task: Any, poll: float, timeout: float | None, on_timeout: Callable[[Any], None]) -> None:
        """Look at a task every `poll` seconds until it ends, `timeout` seconds pass or nobody holds it."""
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        with self._changed:
            self._put(_Watched(task, poll, deadline, on_timeout))
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="contexten-watch", daemon=True)
                self._thread.start()

    def _put(self, watched: _Watched) -> None:
        heapq.heappush(self._queue, (watched.due(), next(self._numbers), watched))

    def _run(self) -> None:
        while watched := self._next():
            if watched.look():
                with self._changed:
                    self._put(watched)

    def _next(self) -> _Watched | None:
        with self._changed:
            while self._queue:
                wait = self._queue[0][0] - time.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._queue)[2]
                self._changed.wait(wait)
            self._thread = None
            return None


_watcher = _Watcher()
watch = _watcher.watch

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_watcher.reset)
