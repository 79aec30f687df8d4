from concurrent.futures import ThreadPoolExecutor

import pytest

from contexten.agents import ContextualAgent, contextual
from contexten.errors import RequestTimeoutError, UsageError


def test_what_was_said_goes_along_and_keys_are_apart(address):
    with ContextualAgent(**address) as agent:
        agent.run_with_context("Write it", context_key="project_1")
        agent.run_with_context("Something else", context_key="project_2")
        outcome = agent.run_with_context("Add error handling", context_key="project_1")
    assert outcome.result == ("The conversation so far:\n\nUser: Write it\nAgent: Write it\n\nNow:\nAdd error handling")
    assert outcome.prompt == "Add error handling"
    assert [s.prompt for s in agent.history("project_1")] == ["Write it", "Add error handling"]
    agent.forget("project_1")
    assert agent.history("project_1") == []
    assert len(agent.history("project_2")) == 1


def test_the_key_is_kept_with_the_run(address, place):
    with ContextualAgent(**address) as agent:
        outcome = agent.run_with_context("hello", "kept", metadata={"mine": 1})
    assert place.admin.read(outcome.run_id)["metadata"] == {"mine": 1, "context_key": "kept"}


def test_a_conversation_on_the_server_is_one_run_that_another_program_goes_on_with(address, place):
    with ContextualAgent(**address, keep="server") as agent:
        first = agent.run_with_context("one", "shared")
        second = agent.run_with_context("two", "shared")
    with ContextualAgent(**address, keep="server") as another:
        third = another.run_with_context("three", "shared")
        another.forget("shared")
        fresh = another.run_with_context("anew", "shared")
    assert first.run_id == second.run_id == third.run_id != fresh.run_id
    assert (second.result, third.result) == ("two", "three")
    assert place.admin.read(third.run_id)["turn"] == 3


def test_wrong_options_are_refused_with_the_value(address):
    with pytest.raises(UsageError, match="'disk'"):
        ContextualAgent(**address, keep="disk")
    with pytest.raises(UsageError, match="-1"):
        ContextualAgent(**address, budget_tokens=-1)


@pytest.mark.parametrize("keep", ["memory", "server"])
def test_an_empty_prompt_is_refused_whatever_was_said_before(address, keep):
    with ContextualAgent(**address, keep=keep) as agent:
        agent.run_with_context("one", "empty")
        with pytest.raises(UsageError, match="prompt is empty"):
            agent.run_with_context("", "empty", {"language": "python"})


def test_a_conversation_whose_wait_was_too_short_is_gone_on_with(address):
    with ContextualAgent(**address, keep="server") as agent:
        with pytest.raises(RequestTimeoutError):
            agent.run_with_context("slow", "patience", engine="held", wait=0.1)
        slow = agent.current_job
        slow.cancel()
        with pytest.raises(RequestTimeoutError):
            agent.run_with_context("more", "patience", wait=0.1)
        assert agent.current_job is slow
        assert slow.run["turn"] == 2
        slow.cancel()


def test_conversations_of_several_threads_do_not_mix(address):
    def talk(key):
        return [agent.run_with_context(f"{key} {number}", key).run_id for number in range(3)]

    keys = [f"thread {number}" for number in range(8)]
    with ContextualAgent(**address, keep="server") as agent, ThreadPoolExecutor(8) as threads:
        talks = list(threads.map(talk, keys))
    assert all(len(set(ids)) == 1 for ids in talks)
    assert len({ids[0] for ids in talks}) == 8


def test_forgetting_everything_forgets_what_only_the_server_knows(address):
    with ContextualAgent(**address, keep="server") as agent:
        first = agent.run_with_context("one", "known to the server")
    with ContextualAgent(**address, keep="server") as another:
        another.forget()
        assert another.run_with_context("two", "known to the server").run_id != first.run_id


def test_an_endless_number_of_keys_takes_no_endless_memory(address, monkeypatch):
    monkeypatch.setattr(contextual, "MOST_KEPT", 2)
    with ContextualAgent(**address) as agent:
        for key in ("a", "b", "a", "c"):
            agent.run_with_context("hello", key)
        assert [len(agent.history(key)) for key in ("a", "b", "c")] == [2, 0, 1]
