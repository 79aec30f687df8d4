import asyncio
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from contexten.agents import AsyncEnhancedAgent, EnhancedAgent, MetricsCollector
from contexten.errors import ConnectError, UsageError
from contexten.resilience import Breaker, Policy, Retry
from fault_proxy import Answer, Proxy


@pytest.fixture
def agent(address):
    with EnhancedAgent(**address, max_retries=3) as agent:
        yield agent


def test_a_run_is_followed_to_its_end(agent, place):
    outcome = agent.run_with_retry("Create a Python function", context={"language": "python", "limits": {"lines": 9}})
    assert outcome.ok
    assert outcome.prompt == "Create a Python function"
    assert outcome.result == 'Create a Python function\n\nContext:\n- language: python\n- limits: {"lines": 9}'
    assert outcome.web_url == f"{place.server.base_url}/runs/{outcome.run_id}"
    assert [step.what for step in outcome.trace] == ["asked", "created", "COMPLETE"]
    assert [step.seconds for step in outcome.trace] == sorted(step.seconds for step in outcome.trace)
    assert agent.current_job.id == outcome.run_id


def test_a_run_that_fails_is_an_outcome_and_no_exception(agent):
    outcome = agent.run_with_retry("Write code", engine="refusing")
    assert not outcome.ok
    assert (outcome.status, outcome.result, outcome.error) == ("FAILED", "A model is needed.", None)


def test_an_empty_prompt_is_refused_before_anything_is_sent(agent):
    with pytest.raises(UsageError, match="prompt is empty"):
        agent.run_with_retry("  ")
    with pytest.raises(UsageError, match="prompt is empty"):
        agent.run_with_retry("", context={"language": "python"})
    assert agent.statistics.figures().failed == 2


def test_a_batch_gives_one_outcome_for_each_prompt_in_order(agent):
    prompts = ["first", "", "third", "fourth"]
    outcomes = agent.run_batch(prompts, max_concurrent=2)
    assert [outcome.prompt for outcome in outcomes] == prompts
    assert [outcome.result for outcome in outcomes] == ["first", None, "third", "fourth"]
    assert isinstance(outcomes[1].error, UsageError)
    assert [outcome.ok for outcome in outcomes] == [True, False, True, True]


def test_a_batch_keeps_to_its_bound_and_uses_it(agent, together):
    outcomes = agent.run_batch(["7"] * 20, max_concurrent=7, engine="together")
    assert all(outcome.ok for outcome in outcomes)
    assert together.most == 7


def test_a_bound_below_one_is_refused(agent):
    with pytest.raises(UsageError, match="got 0"):
        agent.run_batch(["a"], max_concurrent=0)


def test_a_batch_can_be_asked_for_from_inside_an_event_loop(agent):
    async def inside():
        return agent.run_batch(["from a notebook"])

    assert asyncio.run(inside())[0].ok


def test_a_server_that_is_not_there_ends_each_item_with_the_error():
    with EnhancedAgent("token", 1, "http://127.0.0.1:9", max_retries=0) as agent:
        with pytest.raises(ConnectError):
            agent.run_with_retry("hello")
        outcomes = agent.run_batch(["a", "b"])
    assert [type(outcome.error) for outcome in outcomes] == [ConnectError, ConnectError]


def test_what_is_left_of_a_batch_waits_for_a_server_that_was_down(address):
    down = Answer(503, headers={"contexten-version": "1"})
    policy = Policy(retry=Retry(retries=4, initial=0.01), breaker=Breaker(threshold=2, reset=0.2))
    with (
        Proxy(address["base_url"], [down] * 6) as proxy,
        EnhancedAgent(**{**address, "base_url": proxy.base_url}, policy=policy) as agent,
    ):
        outcomes = agent.run_batch([f"p{number}" for number in range(20)], max_concurrent=10)
    assert [outcome.result for outcome in outcomes] == [f"p{number}" for number in range(20)]


def test_the_twin_does_the_same(address):
    async def main():
        async with AsyncEnhancedAgent(**address) as agent:
            one = await agent.run_with_retry("one")
            many = await agent.run_batch(["a", "b"])
            return one, many, agent.statistics.figures()

    one, many, figures = asyncio.run(main())
    assert one.result == "one"
    assert [outcome.result for outcome in many] == ["a", "b"]
    assert (figures.asked, figures.active, figures.ended, figures.failed) == (3, 0, 3, 0)


def test_figures_go_to_a_collector_of_ones_own(address):
    class Elsewhere(MetricsCollector):
        def __init__(self, sent):
            self.sent = sent

        def record_counter(self, name, value=1, tags=None):
            self.sent.append((name, value, tags))

    sent = []
    with EnhancedAgent(**address, metrics_collector=Elsewhere(sent)) as agent:
        agent.run_with_retry("hello")
    assert sent == [("agent_requests_total", 1, {"agent": "enhanced"})]


def test_a_collector_that_fails_harms_no_run(address, caplog):
    class Down(MetricsCollector):
        def record_counter(self, *_):
            raise ConnectionError("no route to the collector")

        record_gauge = record_histogram = record_counter

    with EnhancedAgent(**address, metrics_collector=Down()) as agent:
        assert agent.run_with_retry("one").ok
        assert [outcome.ok for outcome in agent.run_batch(["two", "three"])] == [True, True]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "the metrics collector fails and is called again (said once)"
    ]


def test_a_run_that_is_interrupted_counts_as_neither_good_nor_bad(address):
    def interrupted(request, send):
        if "/events" in request.url.path:
            raise KeyboardInterrupt
        return send(request)

    with EnhancedAgent(**address, middleware=[interrupted]) as agent:
        with pytest.raises(KeyboardInterrupt):
            agent.run_with_retry("hello")
        figures = agent.statistics.figures()
    assert (figures.asked, figures.active, figures.ended) == (1, 0, 0)


def test_a_batch_that_is_cancelled_leaves_nothing(address):
    async def main():
        both = asyncio.Event()

        class Noted(MetricsCollector):
            def record_counter(self, *_):
                if agent.statistics.figures().active == 2:
                    both.set()

        async with AsyncEnhancedAgent(**address, metrics_collector=Noted()) as agent:
            batch = asyncio.create_task(agent.run_batch(["a", "b", "c"], max_concurrent=2, engine="held"))
            await asyncio.wait_for(both.wait(), 150)
            batch.cancel()
            with pytest.raises(asyncio.CancelledError):
                await batch
            assert asyncio.all_tasks() == {asyncio.current_task()}
            return agent.statistics.figures()

    figures = asyncio.run(main())
    assert (figures.active, figures.ended) == (0, 0)


@pytest.mark.parametrize("inside", [False, True], ids=["program", "event loop"])
def test_an_interrupt_ends_a_batch(address, place, inside):
    call = "agent.run_batch(['x', 'y'], engine='held')"
    program = f"""
        import asyncio
        from contexten import EnhancedAgent
        async def main(agent):
            {call}
        with EnhancedAgent(**{address!r}) as agent:
            print("begun", flush=True)
            {"asyncio.new_event_loop().run_until_complete(main(agent))" if inside else call}
    """
    before = len(held_runs(place))
    child = subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 150
    while len(held_runs(place)) < before + 2:
        assert time.monotonic() < deadline
    child.send_signal(signal.SIGINT)
    _, complaints = child.communicate(timeout=150)
    assert child.returncode in {130, -signal.SIGINT}
    for stray in ("never awaited", "destroyed", "was never"):
        assert stray not in complaints


def held_runs(place):
    org = place.admin.org
    items = place.admin.http.get(f"/v1/organizations/{org}/agent/runs").json()["items"]
    return [run for run in items if run["engine"] == "held"]


def test_neither_the_agent_nor_what_it_keeps_shows_the_token(address):
    with EnhancedAgent(**address) as agent:
        assert repr(agent) == f"<EnhancedAgent {address['base_url']}>"
        assert address["token"] not in repr(vars(agent))


def printed(program):
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_program_with_one_agent_loads_only_what_that_uses(address):
    loaded = printed(f"""
        import asyncio, sys
        before = set(sys.modules)
        from contexten.agents import AsyncEnhancedAgent

        async def main():
            async with AsyncEnhancedAgent(**{address!r}) as agent:
                assert (await agent.run_with_retry("x")).ok
                assert all(outcome.ok for outcome in await agent.run_batch(["y"] * 5))

        asyncio.run(main())
        print(*sys.modules.keys() - before)
    """).split()
    others = {"alerts", "health", "prometheus", "tracing", "webhook"}
    unused = {
        *("anyio", "dotenv", "h2", "httpcore2", "opentelemetry", "pydantic_settings", "pyrate_limiter", "sqlite3"),
        *("contexten.agents.contextual", "contexten.agents.monitor", "contexten.agents.streaming"),
        *("contexten.client.connection", *(f"contexten.telemetry.{name}" for name in others)),
    }
    assert "contexten.agents.enhanced" in loaded
    assert not unused & set(loaded)


def test_an_agent_has_spans_where_a_program_has_set_up_tracing(address):
    told = printed(f"""
        from contexten.agents import EnhancedAgent

        with EnhancedAgent(**{address!r}) as agent:
            assert agent.run_with_retry("before").ok
            from opentelemetry import trace
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import SimpleSpanProcessor
            from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

            provider, spans = TracerProvider(), InMemorySpanExporter()
            provider.add_span_processor(SimpleSpanProcessor(spans))
            trace.set_tracer_provider(provider)
            outcome = agent.run_with_retry("after")
        for span in spans.get_finished_spans():
            print(span.name, span.attributes["gen_ai.conversation.id"] == str(outcome.run_id))
    """)
    assert told == "invoke_agent enhanced True\n"
