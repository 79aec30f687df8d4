import asyncio

import pytest

from contexten.agents import AsyncEnhancedAgent, EnhancedAgent, MetricsCollector
from contexten.errors import ConnectError, UsageError


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
    assert agent.statistics.figures().failed == 1


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
