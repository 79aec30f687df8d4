"""What an agent remembers of its runs: enough to say how things stand, never more than a fixed number of them."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from contexten.agents.collector import MetricsCollector
from contexten.telemetry import names

if TYPE_CHECKING:
    from collections.abc import Callable

    from contexten.agents.outcome import RunOutcome

REMEMBERED = 1000

logger = logging.getLogger("contexten.agents")


@dataclass(frozen=True, slots=True)
class Figures:
    """How things stand."""

    asked: int
    """Runs asked for since the agent was made."""
    active: int
    """Runs being followed now."""
    ended: int
    """Runs remembered, at most a thousand."""
    stopped: int
    """Those of them that were stopped on request: neither a success nor a failure."""
    failed: int
    """Those of them that did not succeed."""
    p50: float
    """Median seconds of those remembered."""
    p95: float
    per_second: float
    """Runs that ended in each second of the last minute."""

    @property
    def error_rate(self) -> float:
        """Share of the remembered runs that did not succeed, 0 to 1; those stopped on request do not count."""
        return _share(self.failed, self.ended - self.stopped)


class RunStatistics:
    """Counts an agent's runs and remembers the newest. Threads may share it.

    Args:
        collector: where the figures are sent too.
        clock: seconds that only go forward.
    """

    def __init__(self, collector: MetricsCollector | None = None, *, clock: Callable[[], float] = monotonic) -> None:
        self.collector = collector or MetricsCollector()
        self._clock = clock
        self._lock = threading.Lock()
        self._asked = self._active = self._failed = self._stopped = 0
        self._complained = False
        self._newest: deque[tuple[float, RunOutcome]] = deque(maxlen=REMEMBERED)

    def asked(self, agent: str) -> None:
        """A run was asked for."""
        with self._lock:
            self._asked += 1
            self._active += 1
        self._tell(self.collector.record_counter, names.AGENT_REQUESTS, 1, {"agent": agent})

    def left(self) -> None:
        """A run is no longer followed, and nobody knows how it comes out."""
        with self._lock:
            self._active -= 1

    def ended(self, agent: str, outcome: RunOutcome) -> None:
        """A run came out."""
        with self._lock:
            self._active -= 1
            if len(self._newest) == REMEMBERED:
                self._count(self._newest[0][1], -1)
            self._newest.append((self._clock(), outcome))
            self._count(outcome, 1)
            error_rate = _share(self._failed, len(self._newest) - self._stopped)
        self._tell(self.collector.record_histogram, names.AGENT_SECONDS, outcome.seconds, {"agent": agent})
        self._tell(self.collector.record_gauge, names.AGENT_ERROR_RATE, error_rate, {"agent": agent})
        logger.info("run ended", extra=_facts(agent, outcome))

    def newest(self, most: int = 10) -> list[RunOutcome]:
        """The runs that came out last, newest first."""
        with self._lock:
            return [outcome for _, outcome in list(self._newest)[: -most - 1 : -1]]

    def figures(self) -> Figures:
        """How things stand now."""
        with self._lock:
            remembered, asked, active = list(self._newest), self._asked, self._active
            stopped, failed = self._stopped, self._failed
        seconds = sorted(outcome.seconds for _, outcome in remembered)
        since = self._clock() - 60
        return Figures(
            asked=asked,
            active=active,
            ended=len(remembered),
            stopped=stopped,
            failed=failed,
            p50=_quantile(seconds, 0.5),
            p95=_quantile(seconds, 0.95),
            per_second=sum(at > since for at, _ in remembered) / 60,
        )

    def _count(self, outcome: RunOutcome, change: int) -> None:
        self._stopped += change * outcome.stopped
        self._failed += change * outcome.failed

    def _tell(self, record: Callable[..., None], name: str, value: float, tags: dict[str, str]) -> None:
        """Hand a figure to the collector; one that fails harms no run, and is complained of once."""
        try:
            record(name, value, tags)
        except Exception:
            if not self._complained:
                self._complained = True
                logger.exception("the metrics collector fails and is called again (said once)")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _facts(agent: str, outcome: RunOutcome) -> dict[str, object]:
    return {
        "agent": agent,
        "run_id": outcome.run_id,
        "status": outcome.status,
        "seconds": round(outcome.seconds, 3),
        "error": type(outcome.error).__name__ if outcome.error else None,
    }


def _quantile(ascending: list[float], share: float) -> float:
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))] if ascending else 0.0
