"""What the streams of Claude Code and Codex tell, by the shapes that their documentation gives."""

import pytest

from contexten.engines.base import Usage
from contexten.engines.programs.claude_stream import ClaudeReader
from contexten.engines.programs.codex_stream import CodexReader
from contexten.engines.programs.stream import Began, Ended
from contexten.protocol import RunStatus


def told(reader, *messages):
    found = [each for message in messages for each in reader.take(message)]
    return [*found, *reader.rest()]


def assistant(*blocks, parent=None):
    return {
        "type": "assistant",
        "parent_tool_use_id": parent,
        "message": {"role": "assistant", "content": list(blocks)},
    }


def text(words):
    return {"type": "text", "text": words}


def use(name, given, call="toolu_1"):
    return {"type": "tool_use", "id": call, "name": name, "input": given}


def result_of(call, content, **more):
    block = {"type": "tool_result", "tool_use_id": call, "content": content, **more}
    return {"type": "user", "message": {"role": "user", "content": [block]}}


INIT = {"type": "system", "subtype": "init", "session_id": "5f0c0b1e-0000", "model": "opus", "tools": ["Bash"]}
SUCCESS = {
    "type": "result",
    "subtype": "success",
    "is_error": False,
    "result": "Done.",
    "session_id": "5f0c0b1e-0000",
    "total_cost_usd": 0.25,
    "usage": {"input_tokens": 3, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 100, "output_tokens": 7},
}


def test_claude_a_turn_from_its_session_to_its_answer():
    began, thinking, said, call, ended = told(
        ClaudeReader(),
        INIT,
        assistant({"type": "thinking", "thinking": "Let me see."}),
        assistant(text("I look.")),
        assistant(use("Read", {"file_path": "a.py"})),
        result_of("toolu_1", [text("1: x = 1")]),
        assistant(text("Done.")),
        SUCCESS,
    )
    assert began == Began("5f0c0b1e-0000", "opus")
    assert (thinking.thought, said.thought) == ("Let me see.", "I look.")
    assert (call.tool_name, call.tool_input, call.observation) == ("Read", {"file_path": "a.py"}, "1: x = 1")
    assert ended == Ended(RunStatus.COMPLETE, "Done.", Usage(123, 7, 0.25))  # and the answer is no step


def test_claude_tools_that_run_at_once_find_their_results():
    first, second = told(
        ClaudeReader(),
        assistant(use("Bash", {"command": "ls"}, "a"), use("Read", {"file_path": "b"}, "b")),
        result_of("b", "text of b"),
        result_of("a", "permission denied", is_error=True),
    )
    assert (first.tool_name, first.observation, first.tool_output) == ("Read", "text of b", None)
    assert (second.tool_name, second.tool_input, second.tool_output) == ("Bash", {"command": "ls"}, {"is_error": True})


def test_claude_what_a_subagent_says_is_a_step():
    said, ended = told(ClaudeReader(), assistant(text("Found it."), parent="toolu_9"), SUCCESS)
    assert said.thought == "Found it."
    assert ended.text == "Done."


def test_claude_a_stream_that_is_cut_gives_what_was_begun():
    said, call = told(ClaudeReader(), assistant(text("I run it."), use("Bash", {"command": "make"})))
    assert (said.thought, call.tool_name, call.observation) == ("I run it.", "Bash", None)


@pytest.mark.parametrize(
    ("message", "status", "words"),
    [
        ({"subtype": "error_max_turns"}, RunStatus.MAX_ITERATIONS_REACHED, "error_max_turns"),
        ({"subtype": "error_max_budget_usd", "errors": ["Over $1"]}, RunStatus.OUT_OF_TOKENS, "Over $1"),
        ({"subtype": "error_during_execution", "errors": ["Broken"]}, RunStatus.FAILED, "Broken"),
        ({"subtype": "success", "is_error": True, "result": "API Error: 529"}, RunStatus.FAILED, "API Error: 529"),
    ],
)
def test_claude_ends_that_are_no_answers(message, status, words):
    (ended,) = told(ClaudeReader(), {"type": "result", **message})
    assert ended.status == status
    assert words in ended.text


def test_claude_a_session_that_is_gone_is_told_apart():
    gone = "No conversation found with session ID: 5f0c0b1e-0000"
    (ended,) = told(ClaudeReader(), {"type": "result", "subtype": "error_during_execution", "errors": [gone]})
    assert ended.lost
    assert ClaudeReader().failure(gone).lost
    assert ClaudeReader().failure("Segmentation fault") is None


@pytest.mark.parametrize("reader", [ClaudeReader, CodexReader])
@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": 7},
        {"type": "assistant"},
        {"type": "assistant", "message": {"content": [3, {"type": "tool_use", "input": "x"}, {"type": "text"}]}},
        {"type": "user", "message": {"content": [{"type": "tool_result", "content": [{"type": "image"}]}]}},
        {"type": "system", "subtype": "init", "session_id": {"a": 1}},
        {"type": "result", "usage": {"input_tokens": -1, "output_tokens": True}, "total_cost_usd": float("nan")},
        {"type": "thread.started"},
        {"type": "item.completed", "item": {"type": "mcp_tool_call", "result": {"content": "text"}, "changes": 4}},
        {"type": "item.completed", "item": {"type": "todo_list", "items": {"a": 1}}},
        {"type": "turn.completed", "usage": "none"},
        {"type": "turn.failed", "error": []},
        {"type": "error", "message": None},
        {"type": "of tomorrow", "item": {"type": "of tomorrow"}},
    ],
)
def test_shapes_that_nobody_promised_do_no_harm(reader, message):
    for each in told(reader(), message):
        assert not isinstance(each, Ended) or each.usage == Usage()


def item(kind, state="item.completed", **more):
    return {"type": state, "item": {"id": "item_1", "type": kind, **more}}


def test_codex_a_turn_from_its_session_to_its_answer():
    command = {"command": "bash -lc ls", "aggregated_output": "a.py\n", "exit_code": 0, "status": "completed"}
    began, thinking, said, call, ended = told(
        CodexReader(),
        {"type": "thread.started", "thread_id": "01a1ff43-f33d"},
        {"type": "turn.started"},
        item("reasoning", text="**Looking**"),
        item("agent_message", text="I look."),
        item("command_execution", "item.started", command="bash -lc ls", aggregated_output="", status="in_progress"),
        item("command_execution", **command),
        item("agent_message", text="Done."),
        {"type": "turn.completed", "usage": {"input_tokens": 90, "cached_input_tokens": 30, "output_tokens": 4}},
    )
    assert began == Began("01a1ff43-f33d")
    assert (thinking.thought, said.thought) == ("**Looking**", "I look.")
    assert (call.tool_name, call.observation) == ("command", "a.py\n")
    assert (call.tool_input, call.tool_output) == ({"command": "bash -lc ls"}, {"exit_code": 0})
    assert ended == Ended(RunStatus.COMPLETE, "Done.", Usage(90, 4))


def test_codex_changes_searches_and_other_tools():
    edit, mcp, search, plan = told(
        CodexReader(),
        item("file_change", changes=[{"path": "a.py", "kind": "update"}], status="completed"),
        item("mcp_tool_call", server="docs", tool="find", result={"content": [text("page 1")]}, status="failed"),
        item("web_search", query="python 3.13"),
        item("todo_list", items=[{"text": "look", "completed": True}, {"text": "do", "completed": False}]),
    )
    assert (edit.tool_name, edit.observation) == ("edit", "update a.py")
    assert (mcp.tool_name, mcp.observation, mcp.tool_output) == ("find", "page 1", {"is_error": True})
    assert (search.tool_name, search.tool_input) == ("web_search", {"query": "python 3.13"})
    assert plan.thought == "[x] look\n[ ] do"


def test_codex_a_complaint_that_comes_again_and_again_is_told_once():
    waiting = {"type": "error", "message": "Reconnecting... waiting for network"}
    failed = {"type": "turn.failed", "error": {"message": "No key."}}
    complaint, ended = told(CodexReader(), waiting, waiting, waiting, failed)
    assert complaint.thought == "Reconnecting... waiting for network"
    assert ended == Ended(RunStatus.FAILED, "No key.")


def test_codex_a_command_under_way_when_the_stream_is_cut():
    (call,) = told(CodexReader(), item("command_execution", "item.started", command="make", aggregated_output=""))
    assert (call.tool_name, call.tool_input, call.observation) == ("command", {"command": "make"}, None)


def test_codex_what_it_said_before_it_stopped_is_why():
    reader = CodexReader()
    told(reader, {"type": "error", "message": "stream error"})
    assert reader.failure("").text == "stream error"
    assert CodexReader().failure("thread/resume failed: no rollout found for thread id 01").lost
