"""Receives what the overlay sees in an instrumented process: into the event bus, Prometheus and OpenTelemetry."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from contexten.telemetry import events, names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from contexten.telemetry.events import EventBus
    from contexten.telemetry.metrics import MetricsRegistry

AGENT = "codegen"
PREFIX = "contexten_overlay_"


def receive(bus: EventBus, registry: MetricsRegistry) -> None:
    """Pass a payload's events on to this process's bus and traces, and its metrics on to Prometheus.

    Args:
        bus: the payload's event bus; nothing is passed on when it is this package's own.
        registry: the payload's metrics.
    """
    if bus is not events.bus:
        bus.register(None, _pass_on)
    bus.register(events.EventType.TASK_FINISHED, _trace)
    _expose(registry)


def _pass_on(event: Mapping[str, Any]) -> None:
    events.emit(event["event_type"], **event)


def _trace(event: Mapping[str, Any]) -> None:
    """One span for the whole task, written when its end was seen."""
    from opentelemetry import trace
    from opentelemetry.trace import SpanKind, Status, StatusCode

    end = time.time_ns()
    attributes = {names.OPERATION: names.INVOKE_AGENT, names.PROVIDER: AGENT, names.AGENT: AGENT}
    span = trace.get_tracer("contexten.overlay").start_span(
        f"{names.INVOKE_AGENT} {AGENT}",
        kind=SpanKind.CLIENT,
        start_time=end - int(event["duration"] * 1e9),
        attributes=attributes | {names.CONVERSATION: str(event["task_id"])},
    )
    if str(event["status"]).upper() not in {"COMPLETE", "COMPLETED"}:
        span.set_attribute(names.ERROR_TYPE, str(event["status"]))
        span.set_status(Status(StatusCode.ERROR))
    span.end(end)


def _expose(registry: MetricsRegistry) -> None:
    from prometheus_client import REGISTRY

    REGISTRY.register(Exporter(registry))


class Exporter:
    """Shows a payload's metrics in the Prometheus registry of this process."""

    def __init__(self, registry: MetricsRegistry) -> None:
        self._registry = registry

    def describe(self) -> list[Metric]:
        """Nothing: the names are not known before they are used."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now, under the names that the overlay's own port has."""
        from prometheus_client.parser import text_string_to_metric_families

        yield from text_string_to_metric_families(self._registry.render_text(PREFIX))
