"""Spans: what happened in which order and how long it took, in OpenTelemetry's terms.

Only the OpenTelemetry API is used: without an SDK set up by the program, a span costs next to nothing and goes nowhere.
`export_traces` sets up the SDK for programs that have none (extra `otel`). Prompts and answers are never put on a span.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from contexten.errors import MissingExtraError
from contexten.telemetry import names

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

Attribute = str | int | float | bool
Attributes = Mapping[str, Attribute | None]

_tracer = trace.get_tracer("contexten")


def invoke_agent(
    agent: str, attributes: Attributes | None = None, *, remote: bool = False
) -> AbstractContextManager[Span]:
    """A span around one run.

    Args:
        agent: name of the engine or agent.
        attributes: more attributes by name; `None` values are left out.
        remote: whether another process does the run (CLIENT) or this one (INTERNAL).
    """
    kind = SpanKind.CLIENT if remote else SpanKind.INTERNAL
    return _Spanned(names.INVOKE_AGENT, names.AGENT, agent, kind, attributes)


def chat(model: str, attributes: Attributes | None = None) -> AbstractContextManager[Span]:
    """A span around one request to a model; see `invoke_agent` for `attributes`."""
    return _Spanned(names.CHAT, names.MODEL, model, SpanKind.CLIENT, attributes)


def execute_tool(tool: str, attributes: Attributes | None = None) -> AbstractContextManager[Span]:
    """A span around one call of a tool; see `invoke_agent` for `attributes`."""
    return _Spanned(names.EXECUTE_TOOL, names.TOOL, tool, SpanKind.INTERNAL, attributes)


def invoke_workflow(workflow: str, attributes: Attributes | None = None) -> AbstractContextManager[Span]:
    """A span around one workflow; see `invoke_agent` for `attributes`."""
    return _Spanned(names.INVOKE_WORKFLOW, names.WORKFLOW, workflow, SpanKind.INTERNAL, attributes)


class _Spanned:
    """The current span while a block runs; it ends with the block, and an error marks it."""

    __slots__ = ("_attributes", "_kind", "_name", "_span", "_token")

    def __init__(self, operation: str, subject: str, name: str, kind: SpanKind, attributes: Attributes | None) -> None:
        known: dict[str, Attribute] = {names.OPERATION: operation, subject: name}
        if attributes:
            known |= {key: value for key, value in attributes.items() if value is not None}
        self._name, self._kind, self._attributes = f"{operation} {name}", kind, known

    def __enter__(self) -> Span:
        self._span = _tracer.start_span(self._name, kind=self._kind, attributes=self._attributes)
        self._token = context.attach(trace.set_span_in_context(self._span))
        return self._span

    def __exit__(self, kind: type[BaseException] | None, _error: object, _trace: object) -> None:
        context.detach(self._token)
        if kind is not None:
            self._span.set_attribute(names.ERROR_TYPE, kind.__qualname__)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


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
