import pytest

from contexten.agents import ContextualAgent
from contexten.errors import UsageError


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
