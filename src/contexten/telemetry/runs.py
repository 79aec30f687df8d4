"""What is counted and timed about runs, under the names of `names.py`."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from contexten.telemetry import metrics, names

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from contexten.telemetry.metrics import MetricsRegistry


class RunMetrics:
    """Counts and times the runs of one process.

    Args:
        registry: where to; the process's own by default.
    """

    def __init__(self, registry: MetricsRegistry = metrics.registry) -> None:
        self._registry = registry
        self._active: dict[str, int] = {}
        self._ended = 0
        self._unsuccessful = 0

    def asked(self, engine: str) -> None:
        """A run was asked for."""
        self._registry.increment(names.AGENT_REQUESTS, labels={"engine": engine})

    def active(self, engine: str) -> AbstractContextManager[None]:
        """An engine does a run while the body runs; its duration is observed however it ends."""
        return _Active(self, engine)

    def began(self, engine: str) -> None:
        """An engine has taken up a run."""
        self._step(engine, 1)

    def took(self, engine: str, seconds: float) -> None:
        """An engine has let go of a run after so many seconds."""
        self._step(engine, -1)
        self._registry.observe(names.INVOKE_AGENT_SECONDS, seconds, {"gen_ai_agent_name": engine})
        self._registry.observe(names.AGENT_SECONDS, seconds, {"engine": engine})

    def ended(self, engine: str, status: str, *, successful: bool | None, cost_usd: float = 0.0) -> None:
        """A run ended with a status.

        Args:
            engine: who did it.
            status: how it ended.
            successful: whether it did what was asked; None when it was stopped on request, which is neither.
            cost_usd: what it cost.
        """
        self._registry.increment(names.RUNS, labels={"status": status, "engine": engine})
        self._registry.increment(names.RUN_COST, cost_usd, {"engine": engine})
        if successful is None:
            return
        self._ended += 1
        self._unsuccessful += not successful
        self._registry.set_gauge(names.AGENT_ERROR_RATE, self._unsuccessful / self._ended)

    def waiting(self, engine: str, runs: int) -> None:
        """So many runs wait for their turn."""
        self._registry.set_gauge(names.QUEUE_DEPTH, runs, {"engine": engine})

    def ready(self, ready: bool) -> None:
        """The process can be sent requests, or not now."""
        self._registry.set_gauge(names.READY, int(ready))

    def _step(self, engine: str, change: int) -> None:
        self._active[engine] = self._active.get(engine, 0) + change
        self._registry.set_gauge(names.RUNS_ACTIVE, self._active[engine], {"engine": engine})


class _Active:
    """One run being done."""

    __slots__ = ("_engine", "_metrics", "_started")

    def __init__(self, metrics: RunMetrics, engine: str) -> None:
        self._metrics, self._engine = metrics, engine

    def __enter__(self) -> None:
        self._started = perf_counter()
        self._metrics.began(self._engine)

    def __exit__(self, *_: object) -> None:
        self._metrics.took(self._engine, perf_counter() - self._started)


run_metrics = RunMetrics()
"""The process's own."""
