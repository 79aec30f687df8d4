"""Counters, gauges and timers: exact under threads, of bounded size, read as one plain dictionary.

Standard library only and free of other imports of this package: the overlay carries this very file into other packages.
"""

from __future__ import annotations

import math
import os
import threading
import time
from bisect import bisect_left
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "Histogram",
    "MetricsRegistry",
    "declare",
    "end_timer",
    "get_metrics",
    "increment",
    "observe",
    "registry",
    "render_text",
    "reset",
    "set_gauge",
    "start_timer",
    "timer",
]

Labels = tuple[tuple[str, str], ...]
Key = tuple[str, Labels]

_STEPS = 8  # buckets per doubling: a quantile is right within 2^(1/16), about 4.5 %
_MOST_STARTED = 64

_started: ContextVar[tuple[tuple[int, str, float], ...]] = ContextVar("contexten_started_timers", default=())


class Histogram:
    """How values are spread, in a fixed amount of memory: logarithmic buckets, eight to a doubling.

    Args:
        bounds: upper bounds, ascending, of which exact counts are kept too: for exporters that need fixed buckets.
    """

    __slots__ = ("bounds", "buckets", "count", "least", "most", "total", "within")

    def __init__(self, bounds: tuple[float, ...] = ()) -> None:
        self.count = 0
        self.total = 0.0
        self.least = math.inf
        self.most = -math.inf
        self.buckets: dict[int, int] = {}
        self.bounds = bounds
        self.within = [0] * len(bounds)
        """Number of values in each of `bounds` that are in none before it."""

    def add(self, value: float) -> None:
        """Take in one value."""
        self.count += 1
        self.total += value
        self.least = min(self.least, value)
        self.most = max(self.most, value)
        bucket = math.ceil(math.log2(value) * _STEPS) if value > 0 else -1100 * _STEPS
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        at = bisect_left(self.bounds, value)
        if at < len(self.within):
            self.within[at] += 1

    def cumulative(self) -> list[tuple[float, int]]:
        """Each bound with the number of values that do not exceed it."""
        return list(zip(self.bounds, accumulate(self.within), strict=True))

    def quantile(self, share: float) -> float:
        """The value below which a share (0 to 1) of all values lies; 0.0 when there is none."""
        rank, seen = share * self.count, 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= rank:
                middle: float = 2.0 ** ((bucket - 0.5) / _STEPS)
                return min(max(middle, self.least), self.most)
        return 0.0

    def summary(self) -> dict[str, float]:
        """Count, sum, extremes, mean and the usual quantiles."""
        if not self.count:
            return {"count": 0, "sum": 0.0}
        return {
            "count": self.count,
            "sum": self.total,
            "min": self.least,
            "max": self.most,
            "mean": self.total / self.count,
            "p50": self.quantile(0.50),
            "p95": self.quantile(0.95),
            "p99": self.quantile(0.99),
        }


class MetricsRegistry:
    """All metrics of one process or one subject.

    Args:
        max_series: how many different name-and-labels pairs are kept; further new ones are counted in
            `dropped_series` and left out, so that a label with endless values cannot eat the memory.
    """

    def __init__(self, max_series: int = 10_000) -> None:
        self._lock = threading.RLock()
        self._max_series = max_series
        self._bounds: dict[str, tuple[float, ...]] = {}
        self._clear()

    def _clear(self) -> None:
        self._counters: dict[Key, float] = {}
        self._gauges: dict[Key, float] = {}
        self._timers: dict[Key, Histogram] = {}
        self._dropped = 0
        self._since = time.monotonic()

    def declare(self, name: str, bounds: tuple[float, ...]) -> None:
        """Keep exact counts within these ascending upper bounds for timers of this name that start from now on."""
        self._bounds[name] = bounds

    def increment(self, name: str, n: float = 1, labels: Mapping[str, str] | None = None) -> None:
        """Add `n`, which must not be negative, to a counter.

        Raises:
            ValueError: `n` is negative or not a number.
        """
        if not n >= 0:
            raise ValueError(f"a counter only grows: n must be >= 0, got {n!r}")
        key = _key(name, labels)
        with self._lock:
            if key in self._counters or self._room():
                self._counters[key] = self._counters.get(key, 0) + n

    def set_gauge(self, name: str, value: float, labels: Mapping[str, str] | None = None) -> None:
        """Set a value that goes up and down."""
        key = _key(name, labels)
        with self._lock:
            if key in self._gauges or self._room():
                self._gauges[key] = value

    def observe(self, name: str, value: float, labels: Mapping[str, str] | None = None) -> None:
        """Take one value, usually seconds, into a timer's distribution."""
        key = _key(name, labels)
        with self._lock:
            histogram = self._timers.get(key)
            if histogram is None:
                if not self._room():
                    return
                histogram = self._timers[key] = Histogram(bounds=self._bounds.get(name, ()))
            histogram.add(value)

    def start_timer(self, name: str) -> None:
        """Start a timer; it belongs to this thread or asynchronous task, and starts of one name nest."""
        _started.set((*_started.get()[-_MOST_STARTED + 1 :], (id(self), name, time.perf_counter())))

    def end_timer(self, name: str) -> float | None:
        """Seconds since the newest start of this name, which are observed too; None when no such timer runs."""
        running = _started.get()
        for at in range(len(running) - 1, -1, -1):
            owner, started_name, started = running[at]
            if owner == id(self) and started_name == name:
                _started.set(running[:at] + running[at + 1 :])
                elapsed = time.perf_counter() - started
                self.observe(name, elapsed)
                return elapsed
        return None

    @contextmanager
    def timer(self, name: str, labels: Mapping[str, str] | None = None) -> Iterator[None]:
        """Observe how many seconds the body takes, whether or not it raises."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.observe(name, time.perf_counter() - started, labels)

    def get_metrics(self) -> dict[str, Any]:
        """Everything at one instant: `uptime_seconds`, `counters`, `gauges`, `timers`, `dropped_series`.

        A series with labels is called `name{label="value"}`.
        """
        with self._lock:
            return {
                "uptime_seconds": time.monotonic() - self._since,
                "counters": {_shown(key): value for key, value in self._counters.items()},
                "gauges": {_shown(key): value for key, value in self._gauges.items()},
                "timers": {_shown(key): timer.summary() for key, timer in self._timers.items()},
                "dropped_series": self._dropped,
            }

    def series(self) -> dict[str, dict[Key, Any]]:
        """The same by kind (`counters`, `gauges`, `timers`) and `(name, labels)`, for exporters.

        Timers are summaries; those with declared bounds also have `cumulative`, see `Histogram.cumulative`.
        """
        with self._lock:
            timers: dict[Key, Any] = {key: _exportable(timer) for key, timer in self._timers.items()}
            return {"counters": dict(self._counters), "gauges": dict(self._gauges), "timers": timers}

    def render_text(self, prefix: str = "contexten_") -> str:
        """Everything in the Prometheus text format 0.0.4; timers as summaries named `…_seconds`."""
        series = self.series()
        lines = [*_simple(series["counters"], "counter", prefix), *_simple(series["gauges"], "gauge", prefix)]
        return "\n".join([*lines, *_summaries(series["timers"], prefix), ""])

    def reset(self) -> None:
        """Forget every series and start the uptime again."""
        with self._lock:
            self._clear()

    def after_fork(self) -> None:
        """In a forked child: leave a lock behind that a thread of the parent may hold."""
        self._lock = threading.RLock()

    def _room(self) -> bool:
        if len(self._counters) + len(self._gauges) + len(self._timers) < self._max_series:
            return True
        self._dropped += 1
        return False


def _exportable(timer: Histogram) -> dict[str, Any]:
    return {**timer.summary(), "cumulative": timer.cumulative()} if timer.bounds else {**timer.summary()}


def _key(name: str, labels: Mapping[str, str] | None) -> Key:
    if not labels:
        return name, ()
    if len(labels) == 1:
        ((label, value),) = labels.items()
        return name, ((str(label), str(value)),)
    return name, tuple(sorted((str(label), str(value)) for label, value in labels.items()))


def _shown(key: Key) -> str:
    name, labels = key
    return name + _braces(labels)


def _braces(labels: Labels) -> str:
    return "{" + ",".join(f'{label}="{_escaped(value)}"' for label, value in labels) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _exported(name: str, prefix: str, suffix: str) -> str:
    safe = "".join(char if char.isascii() and (char.isalnum() or char == "_") else "_" for char in name)
    named = safe if safe.startswith(prefix) else prefix + safe
    return named if named.endswith(suffix) else named + suffix


def _simple(series: dict[Key, Any], kind: str, prefix: str) -> Iterator[str]:
    previous = None
    for (name, labels), value in sorted(series.items()):
        exported = _exported(name, prefix, "_total" if kind == "counter" else "")
        if exported != previous:
            yield f"# TYPE {exported} {kind}"
        previous = exported
        yield f"{exported}{_braces(labels)} {value}"


def _summaries(series: dict[Key, Any], prefix: str) -> Iterator[str]:
    previous = None
    for (name, labels), summary in sorted(series.items()):
        exported = _exported(name, prefix, "_seconds")
        if exported != previous:
            yield f"# TYPE {exported} summary"
        previous = exported
        for quantile, shown in (("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99")):
            yield f"{exported}{_braces((*labels, ('quantile', quantile)))} {summary[shown]}"
        yield f"{exported}_sum{_braces(labels)} {summary['sum']}"
        yield f"{exported}_count{_braces(labels)} {summary['count']}"


registry = MetricsRegistry()
"""The process's own registry; the functions of this module are its methods."""

declare = registry.declare
increment = registry.increment
set_gauge = registry.set_gauge
observe = registry.observe
start_timer = registry.start_timer
end_timer = registry.end_timer
timer = registry.timer
get_metrics = registry.get_metrics
render_text = registry.render_text
reset = registry.reset

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=registry.after_fork)
