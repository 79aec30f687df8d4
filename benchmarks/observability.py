"""What observing costs: a span with its metrics, and an event that nobody listens to.

    uv run python benchmarks/observability.py

Targets: span and metrics of one run at most 30 µs, with the OpenTelemetry API alone and with an SDK that records every
span and hands it to a processor; an event without a handler at most 1 µs. Processor time, the best of five rounds. What
the SDK's own `start_as_current_span` takes for such a span is printed beside it. Ends with 1 when a target is missed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from opentelemetry import trace

from contexten.telemetry import events, names, tracing
from contexten.telemetry.runs import run_metrics

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS, CALLS = 5, 20_000
MOST_SPAN_US, MOST_EVENT_US = 30.0, 1.0


def best(work: Callable[[], None], calls: int = CALLS) -> float:
    """Microseconds of processor time of one call in the best of several rounds."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(calls):
            work()
        rounds.append((time.process_time() - began) / calls * 1e6)
    return min(rounds)


def one_run() -> None:
    """What the server observes of a run: as its queue does it."""
    run_metrics.asked("echo")
    with run_metrics.active("echo"), tracing.invoke_agent("echo", {names.CONVERSATION: "1"}):
        pass
    run_metrics.ended("echo", "COMPLETE", successful=True, cost_usd=0.0)


def sdk_span() -> None:
    """The same span without us."""
    with trace.get_tracer("bare").start_as_current_span("echo", attributes={"a": "b", "c": "d", "e": "f"}):
        pass


def set_up_sdk() -> bool:
    """Let spans be recorded for real, when the extra `otel` is installed."""
    try:
        from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    except ImportError:
        return False
    provider = TracerProvider()
    provider.add_span_processor(SpanProcessor())
    trace.set_tracer_provider(provider)
    return True


def main() -> int:
    """Measure and print; whether the targets are met."""
    event = best(lambda: events.emit("nobody_listens", run_id=1), CALLS * 10)
    print(f"event without a handler        {event:6.2f} µs (target <= {MOST_EVENT_US:g})")
    api = best(one_run)
    print(f"span and metrics, API only     {api:6.2f} µs (target <= {MOST_SPAN_US:g})")
    sdk = 0.0
    if set_up_sdk():
        sdk = best(one_run, CALLS // 4)
        print(f"span and metrics, with SDK     {sdk:6.2f} µs (target <= {MOST_SPAN_US:g})")
        print(f"  the SDK's own span alone     {best(sdk_span, CALLS // 4):6.2f} µs")
    else:
        print("span and metrics, with SDK     not measured: the extra otel is not installed")
    return 0 if event <= MOST_EVENT_US and max(api, sdk) <= MOST_SPAN_US else 1


if __name__ == "__main__":
    raise SystemExit(main())
