"""The metrics registry in Prometheus's text format, for a scrape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from contexten.telemetry import metrics, names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contexten.telemetry.metrics import Key, MetricsRegistry

CONTENT_TYPE: str = CONTENT_TYPE_LATEST

HELP = {
    names.TOKEN_USAGE: "Tokens used by one model call.",
    names.OPERATION_SECONDS: "Seconds that one model call took.",
    names.INVOKE_AGENT_SECONDS: "Seconds that one run took.",
    names.EXECUTE_TOOL_SECONDS: "Seconds that one tool call took.",
    names.INVOKE_WORKFLOW_SECONDS: "Seconds that one workflow took.",
    names.RUNS: "Runs that ended, by status and engine.",
    names.RUNS_ACTIVE: "Runs that an engine is doing now.",
    names.RUN_COST: "Money spent on model calls, in US dollars.",
    names.RETRIES: "Requests that were sent again.",
    names.BREAKER_STATE: "State of the circuit breaker of a host: 0 closed, 1 half-open, 2 open.",
    names.CACHE_REQUESTS: "Look-ups in a cache, by tier and result.",
    names.QUEUE_DEPTH: "Runs that wait for their turn, at all processes of the database.",
    names.READY: "Whether the process can be sent requests: 1, or 0 while its database is away and when it stops.",
    names.AGENT_REQUESTS: "Runs that were asked for.",
    names.AGENT_ERROR_RATE: "Share of ended runs that did not succeed, 0 to 1.",
    names.AGENT_SECONDS: "Seconds that one run took.",
}

for _name, _bounds in {
    names.TOKEN_USAGE: names.TOKEN_BUCKETS,
    names.OPERATION_SECONDS: names.TOOL_BUCKETS,
    names.INVOKE_AGENT_SECONDS: names.AGENT_BUCKETS,
    names.EXECUTE_TOOL_SECONDS: names.TOOL_BUCKETS,
    names.INVOKE_WORKFLOW_SECONDS: names.WORKFLOW_BUCKETS,
    names.AGENT_SECONDS: names.AGENT_BUCKETS,
}.items():
    metrics.declare(_name, _bounds)


def exposition(registry: MetricsRegistry = metrics.registry) -> bytes:
    """Every metric of a registry as the body of a scrape's answer; send it with `CONTENT_TYPE`."""
    collectors = CollectorRegistry(auto_describe=False)
    collectors.register(_Bridge(registry))
    return generate_latest(collectors)


class _Bridge(Collector):
    def __init__(self, registry: MetricsRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        series = self._registry.series()
        for name, rows in _by_name(series["counters"]):
            yield _filled(CounterMetricFamily(name, _help(name), labels=_labels(rows)), rows)
        for name, rows in _by_name(series["gauges"]):
            yield _filled(GaugeMetricFamily(name, _help(name), labels=_labels(rows)), rows)
        for name, rows in _by_name(series["timers"]):
            yield _timer(name, rows)


Row = tuple[dict[str, str], Any]


def _by_name(series: dict[Key, Any]) -> Iterator[tuple[str, list[Row]]]:
    grouped: dict[str, list[Row]] = {}
    for (name, labels), value in sorted(series.items()):
        grouped.setdefault(_safe(name), []).append((dict(labels), value))
    yield from grouped.items()


def _labels(rows: list[Row]) -> list[str]:
    return sorted({label for labels, _ in rows for label in labels})


def _filled(family: Any, rows: list[Row]) -> Metric:
    for labels, value in rows:
        family.add_metric([labels.get(label, "") for label in _labels(rows)], value)
    metric: Metric = family
    return metric


def _timer(name: str, rows: list[Row]) -> Metric:
    names_of = _labels(rows)
    if all("cumulative" in summary for _, summary in rows):
        histogram = HistogramMetricFamily(name, _help(name), labels=names_of)
        for labels, summary in rows:
            buckets = [(str(bound), count) for bound, count in summary["cumulative"]]
            values = [labels.get(label, "") for label in names_of]
            histogram.add_metric(values, [*buckets, ("+Inf", summary["count"])], summary["sum"])
        return histogram
    plain = SummaryMetricFamily(name, _help(name), labels=names_of)
    for labels, summary in rows:
        plain.add_metric([labels.get(label, "") for label in names_of], summary["count"], summary["sum"])
    return plain


def _safe(name: str) -> str:
    return "".join(char if char.isascii() and (char.isalnum() or char in "_:") else "_" for char in name)


def _help(name: str) -> str:
    return HELP.get(name, "A metric of the program's own.")
