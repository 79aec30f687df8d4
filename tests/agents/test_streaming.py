import asyncio

import pytest
from opentelemetry import context

from contexten.agents import AsyncObservableStreamingAgent, ObservableStreamingAgent
from contexten.errors import UsageError


@pytest.fixture
def agent(address):
    with ObservableStreamingAgent(**address) as agent:
        yield agent


def check_stream(chunks):
    progress = [chunk["progress"] for chunk in chunks]
    assert progress == sorted(progress)
    assert [chunk["type"] for chunk in chunks].count("complete") == 1
    assert chunks[-1]["type"] == "complete"
    assert progress[-1] == 100
    assert all(percent < 100 for percent in progress[:-1])
    assert {chunk["run_id"] for chunk in chunks} == {chunks[0]["run_id"]}


def test_the_documented_loop(agent):
    chunks = []
    for chunk in agent.run_streaming("Create a REST API"):
        chunks.append(f"Progress: {chunk['progress']:.1f}% - {chunk['content']}")
        if chunk["type"] == "complete":
            break
    assert chunks[-1] == "Progress: 100.0% - Create a REST API"


def test_progress_follows_the_plan(agent):
    chunks = list(agent.run_streaming("steps 3", engine="planner"))
    check_stream(chunks)
    assert [(c["progress"], c["content"]) for c in chunks if c["type"] == "action"] == [
        (35.0, "look: saw 0"),
        (65.0, "look: saw 1"),
        (95.0, "look: saw 2"),
    ]
    assert chunks[-1]["ok"]
    assert chunks[-1]["content"] == "done"


def test_a_failed_run_completes_the_stream_and_says_so(agent):
    chunks = list(agent.run_streaming("x", engine="refusing"))
    check_stream(chunks)
    assert not chunks[-1]["ok"]
    assert chunks[-1]["status"] == "FAILED"
    assert agent.statistics.figures().failed == 1


def test_leaving_early_stops_the_watching_and_not_the_run(agent, place):
    for chunk in agent.run_streaming("held", engine="held"):
        if chunk["type"] == "action":
            break
    assert place.admin.read(chunk["run_id"])["status"] == "RUNNING"
    figures = agent.statistics.figures()
    assert (figures.asked, figures.active, figures.ended, figures.failed) == (1, 0, 0, 0)
    agent.api_client.cancel_agent_run(chunk["run_id"])


def test_a_cancelled_run_completes_the_stream_and_has_not_failed(agent):
    chunks = []
    for chunk in agent.run_streaming("held", engine="held"):
        chunks.append(chunk)
        if chunk["type"] == "action":
            agent.current_job.cancel()
    check_stream(chunks)
    assert (chunks[-1]["status"], chunks[-1]["ok"]) == ("CANCELLED", False)
    figures = agent.statistics.figures()
    assert (figures.ended, figures.stopped, figures.failed, figures.error_rate) == (1, 1, 0, 0.0)


def test_a_run_that_was_over_before_streams_its_newest_turn(agent):
    first = agent.run("first", idempotency_key="over").wait(timeout=60)
    first.resume("second").wait(timeout=60)
    chunks = list(agent.run_streaming("first", idempotency_key="over"))
    check_stream(chunks)
    assert (chunks[-1]["content"], chunks[-1]["run_id"]) == ("second", first.id)


def test_a_stream_that_goes_on_after_its_end_is_not_listened_to(agent):
    """Somebody resumes the run in the moment it ends."""
    chunks = []
    for chunk in agent.run_streaming("again"):
        chunks.append(chunk)
        if chunk["type"] == "answer":
            agent.current_job.wait(timeout=60).resume("more")
    check_stream(chunks)
    agent.current_job.wait(timeout=60)


def test_streams_side_by_side_leave_the_callers_context_alone(agent):
    before = context.get_current()
    streams = [agent.run_streaming("one"), agent.run_streaming("two")]
    for stream in streams:
        next(stream)
    assert context.get_current() == before
    for stream in streams:
        assert list(stream)[-1]["ok"]
    assert context.get_current() == before


@pytest.mark.parametrize("facts", [None, {"language": "python"}])
def test_an_empty_prompt_is_refused(agent, facts):
    with pytest.raises(UsageError):
        next(agent.run_streaming(" ", facts))


def test_the_twin_streams_the_same(address):
    async def main():
        async with AsyncObservableStreamingAgent(**address) as agent:
            return [chunk async for chunk in agent.run_streaming("steps 2", engine="planner")]

    chunks = asyncio.run(main())
    check_stream(chunks)
    assert [c["progress"] for c in chunks if c["type"] == "action"] == [50.0, 95.0]
