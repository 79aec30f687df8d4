import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from contexten.telemetry import names, tracing


@pytest.fixture(scope="module")
def provider():
    provider = TracerProvider()
    trace.set_tracer_provider(provider)
    return provider


@pytest.fixture
def spans(provider):
    exporter = InMemorySpanExporter()
    processor = SimpleSpanProcessor(exporter)
    provider.add_span_processor(processor)
    yield exporter.get_finished_spans
    processor.shutdown()


def test_a_run_and_its_tools_make_one_tree_with_the_conventions_names(spans):
    with tracing.invoke_agent("analyst", {names.CONVERSATION: "7"}), tracing.execute_tool("find_symbol"):
        pass
    tool, agent = spans()
    assert (agent.name, tool.name) == ("invoke_agent analyst", "execute_tool find_symbol")
    assert tool.parent.span_id == agent.context.span_id
    assert agent.kind is trace.SpanKind.INTERNAL
    assert dict(agent.attributes) == {
        names.OPERATION: "invoke_agent",
        names.AGENT: "analyst",
        names.CONVERSATION: "7",
    }


def test_a_remote_run_is_a_client_span(spans):
    with tracing.invoke_agent("remote", {names.PROVIDER: None}, remote=True):
        pass
    (agent,) = spans()
    assert agent.kind is trace.SpanKind.CLIENT
    assert names.PROVIDER not in agent.attributes


def test_an_error_marks_the_span_and_goes_on_without_its_text(spans):
    with pytest.raises(ValueError, match="secret prompt"), tracing.invoke_workflow("release"):
        raise ValueError("secret prompt")
    (workflow,) = spans()
    assert workflow.status.status_code is trace.StatusCode.ERROR
    assert workflow.attributes[names.ERROR_TYPE] == "ValueError"
    assert workflow.events == ()
    assert "secret prompt" not in workflow.to_json()
