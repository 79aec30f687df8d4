"""Health checks with time limits: each answers, fails or runs out of time, and none can hang the others.

Standard library only and free of other imports of this package: the overlay carries this very file into other packages.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

__all__ = ["HealthChecks", "add_health_check", "checks", "get_system_info", "remove_health_check", "run_health_checks"]

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"

Check = Callable[[], Awaitable[object] | object]

_WORDS = {
    HEALTHY: {"ok", "healthy", "pass", "passed", "up", "success"},
    DEGRADED: {"degraded", "warn", "warning", "slow"},
}
_LOADED = time.monotonic()


class _Try:
    """One run of one check in its own thread; a check that hangs is not started again while it does."""

    def __init__(self, check: Check, timeout: float) -> None:
        self.check = check
        self.timeout = timeout
        self.started = self.seconds = 0.0
        self.outcome: object = None
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="contexten-health", daemon=True)

    def start(self) -> None:
        self.started = time.monotonic()
        self.thread.start()

    def _run(self) -> None:
        try:
            outcome = self.check()
            self.outcome = _awaited(outcome) if hasattr(outcome, "__await__") else outcome
        except BaseException as error:  # noqa: BLE001 - whatever ends the check is its result
            self.error = error
        self.seconds = time.monotonic() - self.started

    def result(self) -> dict[str, Any]:
        self.thread.join(max(0.0, self.started + self.timeout - time.monotonic()))
        if self.thread.is_alive():
            running = time.monotonic() - self.started
            message = f"no answer within {self.timeout:g} s"
            return {"status": UNHEALTHY, "message": message, "duration_seconds": running}
        if self.error is not None:
            message = f"{type(self.error).__name__}: {self.error}"
            return {"status": UNHEALTHY, "message": message, "duration_seconds": self.seconds}
        return {**_judged(self.outcome), "duration_seconds": self.seconds}


class HealthChecks:
    """Named checks that are run together, each in a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._checks: dict[str, tuple[Check, float]] = {}
        self._hanging: dict[str, _Try] = {}

    def add(self, name: str, check: Check, timeout: float = 5.0) -> None:
        """Add a check, or replace the one of that name.

        Args:
            name: how it is called in the result.
            check: a function, asynchronous or not. It fails by raising, by returning False, or by returning a
                dictionary whose `status` is none of the good words (ok, healthy, pass, …; degraded, warning, …).
            timeout: seconds it may take.

        Raises:
            TypeError: the check cannot be called.
            ValueError: the time limit is not above 0.
        """
        if not callable(check):
            raise TypeError(f"a health check must be callable, got {check!r}")
        if not timeout > 0:
            raise ValueError(f"a health check's timeout must be > 0 seconds, got {timeout!r}")
        with self._lock:
            self._checks[name] = (check, timeout)
            self._hanging.pop(name, None)

    def remove(self, name: str) -> bool:
        """Remove a check; False when there is none of that name."""
        with self._lock:
            self._hanging.pop(name, None)
            return self._checks.pop(name, None) is not None

    def run(self) -> dict[str, Any]:
        """Run all checks at once: `overall_status` (the worst of all), `checks` by name, `timestamp`.

        Takes no longer than the longest time limit.
        """
        with self._lock:
            tries = {name: self._started(name, check, limit) for name, (check, limit) in self._checks.items()}
        results = {name: attempt.result() for name, attempt in tries.items()}
        with self._lock:
            for name, attempt in tries.items():
                if name in self._checks and attempt.thread.is_alive():
                    self._hanging[name] = attempt
        return {"overall_status": _worst(results.values()), "checks": results, "timestamp": time.time()}

    def _started(self, name: str, check: Check, timeout: float) -> _Try:
        hanging = self._hanging.pop(name, None)
        if hanging is not None and hanging.thread.is_alive():
            return hanging
        attempt = _Try(check, timeout)
        attempt.start()
        return attempt

    def after_fork(self) -> None:
        """In a forked child: leave the parent's lock and threads behind."""
        self._lock = threading.RLock()
        self._hanging = {}


def get_system_info() -> dict[str, Any]:
    """What the process runs on; values that the system does not tell are None."""
    import platform

    return {
        "python_version": platform.python_version(),
        "python_implementation": platform.python_implementation(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpu_count": os.cpu_count(),
        "pid": os.getpid(),
        "threads": threading.active_count(),
        "peak_memory_bytes": _peak_memory(),
        "uptime_seconds": time.monotonic() - _LOADED,
    }


def _judged(outcome: object) -> dict[str, Any]:
    if isinstance(outcome, Mapping):
        return {**outcome, "status": _status(outcome.get("status", HEALTHY))}
    if isinstance(outcome, str):
        return {"status": _status(outcome)}
    return {"status": UNHEALTHY if outcome is False else HEALTHY}


def _status(word: object) -> str:
    if isinstance(word, bool):
        return HEALTHY if word else UNHEALTHY
    said = str(word).lower()
    return next((status for status, words in _WORDS.items() if said in words), UNHEALTHY)


def _worst(results: Any) -> str:
    statuses = {result["status"] for result in results}
    return next((status for status in (UNHEALTHY, DEGRADED) if status in statuses), HEALTHY)


def _awaited(outcome: Any) -> object:
    import asyncio

    async def wait() -> object:
        result: object = await outcome
        return result

    return asyncio.run(wait())


def _peak_memory() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


checks = HealthChecks()
"""The process's own checks; the functions of this module are its methods."""

add_health_check = checks.add
remove_health_check = checks.remove
run_health_checks = checks.run

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=checks.after_fork)
