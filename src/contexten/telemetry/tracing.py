"""Spans: what happened in which order and how long it took, in OpenTelemetry's terms.

Only the OpenTelemetry API is used: without an SDK set up by the program, a span costs next to nothing and goes nowhere.
`export_traces` sets up the SDK for programs that have none (extra `otel`). Prompts and answers are never put on a span.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from contexten.errors import MissingExtraError
from contexten.telemetry import names

if TYPE_CHECKING:
    from collections.abc import Iterator

Attribute = str | int | float | bool
Attributes = Mapping[str, Attribute | None]

_tracer = trace.get_tracer("contexten")


@contextmanager
def invoke_agent(agent: str, attributes: Attributes | None = None, *, remote: bool = False) -> Iterator[Span]:
    """A span around one run.

    Args:
        agent: name of the engine or agent.
        attributes: more attributes by name; `None` values are left out.
        remote: whether another process does the run (CLIENT) or this one (INTERNAL).
    """
    kind = SpanKind.CLIENT if remote else SpanKind.INTERNAL
    with _span(names.INVOKE_AGENT, names.AGENT, agent, kind, attributes) as span:
        yield span


@contextmanager
def execute_tool(tool: str, attributes: Attributes | None = None) -> Iterator[Span]:
    """A span around one call of a tool; see `invoke_agent` for `attributes`."""
    with _span(names.EXECUTE_TOOL, names.TOOL, tool, SpanKind.INTERNAL, attributes) as span:
        yield span


@contextmanager
def invoke_workflow(workflow: str, attributes: Attributes | None = None) -> Iterator[Span]:
    """A span around one workflow; see `invoke_agent` for `attributes`."""
    with _span(names.INVOKE_WORKFLOW, names.WORKFLOW, workflow, SpanKind.INTERNAL, attributes) as span:
        yield span


@contextmanager
def _span(operation: str, subject: str, name: str, kind: SpanKind, attributes: Attributes | None) -> Iterator[Span]:
    known: dict[str, Attribute] = {names.OPERATION: operation, subject: name}
    known |= {key: value for key, value in (attributes or {}).items() if value is not None}
    with _tracer.start_as_current_span(
        f"{operation} {name}", kind=kind, attributes=known, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_attribute(names.ERROR_TYPE, type(error).__qualname__)
            span.set_status(Status(StatusCode.ERROR))
            raise


def export_traces(endpoint: str | None = None) -> None:
    """Send this process's spans to an OpenTelemetry collector over HTTP.

    Args:
        endpoint: address such as `http://127.0.0.1:4318/v1/traces`; `OTEL_EXPORTER_OTLP_ENDPOINT` when absent.

    Raises:
        MissingExtraError: the extra `otel` is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingExtraError("Sending spans to a collector", "otel") from error
    provider = TracerProvider(resource=Resource.create({"service.name": "contexten"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)
