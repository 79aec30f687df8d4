"""The agents against a server that has only the documented hosted API: no event streams, no idempotency keys."""

import asyncio
import time

import pytest

from contexten.agents import (
    AsyncEnhancedAgent,
    AsyncObservableStreamingAgent,
    ContextualAgent,
    EnhancedAgent,
    ObservableStreamingAgent,
)
from hosted_server import ORG, TOKEN, Hosted, served


@pytest.fixture
def hosted():
    state = Hosted()
    with served(state.app) as base_url:
        state.base_url = base_url
        yield state


@pytest.fixture
def address(hosted):
    return {"token": TOKEN, "org_id": ORG, "base_url": hosted.base_url}


def asked(hosted, end):
    return [path for _, path, _ in hosted.requests if path.endswith(end)]


def test_one_run(hosted, address):
    hosted.script = ["!COMPLETE"]
    with EnhancedAgent(**address) as agent:
        outcome = agent.run_with_retry("hello", context={"a": 1})
    assert outcome.ok
    assert outcome.result == "answer to hello\n\nContext:\n- a: 1"


def test_a_batch_is_looked_up_in_the_list_and_not_run_by_run(hosted, address):
    hosted.script = ["!COMPLETE"]
    began = time.monotonic()
    with EnhancedAgent(**address) as agent:
        outcomes = agent.run_batch([f"p{number}" for number in range(30)], max_concurrent=30)
    assert [outcome.result for outcome in outcomes] == [f"answer to p{number}" for number in range(30)]
    took = time.monotonic() - began
    assert len(asked(hosted, "/agent/runs")) <= 3 + took, "once a second at most"
    assert len(asked(hosted, "/agent/run")) == 30
    alone = [path for _, path, _ in hosted.requests if path.rsplit("/", 1)[1].isdigit()]
    assert len(alone) <= 3 * (1 + took), "three that are left over at most, once a second at most"


def test_waits_of_tasks_share_their_questions_too(hosted, address):
    hosted.script = ["", "!COMPLETE"]
    began = time.monotonic()

    async def main():
        async with AsyncEnhancedAgent(**address) as agent:
            tasks = [await agent.api_client.run("x") for _ in range(10)]
            await asyncio.gather(*[task.wait(timeout=60) for task in tasks])
            assert asyncio.all_tasks() == {asyncio.current_task()}
            return [task.result for task in tasks]

    assert asyncio.run(main()) == ["answer to x"] * 10
    assert len(asked(hosted, "/agent/runs")) <= 3 + time.monotonic() - began, "once a second at most"


@pytest.mark.parametrize("keep", ["memory", "server"])
def test_a_conversation(hosted, address, keep):
    hosted.script = ["!COMPLETE"]
    with ContextualAgent(**address, keep=keep) as agent:
        agent.run_with_context("one", "k")
        second = agent.run_with_context("two", "k")
    said = "The conversation so far:\n\nUser: one\nAgent: answer to one\n\nNow:\n" if keep == "memory" else ""
    assert second.result == f"answer to {said}two"
    assert len(hosted.runs) == (2 if keep == "memory" else 1)


def test_a_stream_of_chunks(hosted, address):
    hosted.script = ["one", "two", "!COMPLETE"]
    with ObservableStreamingAgent(**address) as agent:
        chunks = list(agent.run_streaming("x"))
    assert [chunk["content"] for chunk in chunks if chunk["type"] == "action"] == ["one", "two"]
    check_end(chunks)


@pytest.mark.parametrize("status", ["FAILED", "cancelled", "MAX_ITERATIONS_REACHED", "OUT_OF_TOKENS", "completed"])
def test_progress_is_full_only_at_the_end_however_a_run_ends(hosted, address, status):
    hosted.script = ["one", f"!{status}"]
    with ObservableStreamingAgent(**address) as agent:
        chunks = list(agent.run_streaming("x"))
    progress = [chunk["progress"] for chunk in chunks]
    assert progress == sorted(progress)
    assert [chunk["type"] for chunk in chunks if chunk["progress"] == 100] == ["complete"]
    assert (chunks[-1]["status"], chunks[-1]["ok"]) == (status, status == "completed")


def test_the_twin_streams_the_same(hosted, address):
    hosted.script = ["one", "!COMPLETE"]

    async def main():
        async with AsyncObservableStreamingAgent(**address) as agent:
            return [chunk async for chunk in agent.run_streaming("x")]

    check_end(asyncio.run(main()))


def check_end(chunks):
    assert (chunks[-1]["type"], chunks[-1]["content"], chunks[-1]["ok"]) == ("complete", "answer to x", True)
    progress = [chunk["progress"] for chunk in chunks]
    assert progress == sorted(progress)
    assert progress[-1] == 100
