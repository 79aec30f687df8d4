"""Runs done by an installed coding agent: real processes that say what the real programs say."""

import asyncio
import base64
import json
import os
import sys

import pytest

from contexten.engines import Exchange
from contexten.errors import EngineUnavailableError
from contexten.protocol import MessageType, NewLogEntry, RunStatus
from engines.programs.fake_agents import is_alive, until

pytestmark = [pytest.mark.anyio, pytest.mark.once]

SESSION = "5f0c0b1e-7a09-40f5-8078-36ed1cd6e0bc"
BEGIN = f'say({{"type": "system", "subtype": "init", "session_id": "{SESSION}", "model": "opus"}})\n'
CALL = """\
say({"type": "assistant", "message": {"content": [
    {"type": "tool_use", "id": "t", "name": "Write", "input": {"file_path": "new.py"}}]}})
Path("new.py").write_text("x = 1\\n")
say({"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "t", "content": "written"}]}})
"""
END = """\
say({"type": "result", "subtype": "success", "is_error": False, "result": "Done.", "total_cost_usd": 0.5,
     "usage": {"input_tokens": 10, "output_tokens": 2}})
"""
CODEX = """\
say({"type": "thread.started", "thread_id": "01a1ff43-f33d-7792"})
say({"type": "item.completed", "item": {"id": "i", "type": "agent_message", "text": "Done."}})
say({"type": "turn.completed", "usage": {"input_tokens": 100, "output_tokens": 10}})
"""


async def test_a_run_changes_its_copy_and_tells_what_it_does(agents):
    outcome = await agents.claude(BEGIN + CALL + END).run(agents.task(), agents.journal)

    assert (outcome.status, outcome.result, outcome.usage.cost_usd) == (RunStatus.COMPLETE, "Done.", 0.5)
    assert [file.path for file in outcome.changes.files] == ["new.py"]
    assert not (agents.repository / "new.py").exists()
    link, call, answer = agents.journal.written.values()
    assert link.message_type == MessageType.AGENT_RUN_LINK
    assert SESSION in link.thought
    assert (call.tool_name, call.tool_input, call.observation) == ("Write", {"file_path": "new.py"}, "written")
    assert (answer.message_type, answer.observation) == (MessageType.FINAL_ANSWER, "Done.")
    assert outcome.summary.endswith("· $0.50")


async def test_what_it_says_is_in_the_log_while_it_still_works(agents):
    engine = agents.claude(BEGIN + 'wait_for("gate")\n' + END)
    run = asyncio.create_task(engine.run(agents.task(), agents.journal))
    await until(lambda: "session" in agents.journal.written)
    assert not run.done()
    agents.open_gate()
    assert (await run).status == RunStatus.COMPLETE


async def test_a_later_turn_goes_on_with_the_session(agents):
    engine = agents.claude(BEGIN + CALL + END)
    await engine.run(agents.task("First"), agents.journal)
    agents.journal.next_turn()
    await engine.run(agents.task("Second", turn=2), agents.journal)

    first, second = agents.calls
    assert "--resume" not in first["arguments"]
    assert second["arguments"][-2:] == ["--resume", SESSION]
    assert first["folder"] == second["folder"]
    assert prompt(second) == "Second"


async def test_an_attempt_that_was_interrupted_goes_on_where_it_was(agents):
    engine = agents.claude(BEGIN + END)
    await agents.journal.add(link_entry(), key="session")
    outcome = await engine.run(agents.task("Change it", attempt=2), agents.journal)
    (call,) = agents.calls
    assert call["arguments"][-2:] == ["--resume", SESSION]
    assert prompt(call).startswith("You were interrupted")
    assert prompt(call).endswith("Change it")
    assert outcome.status == RunStatus.COMPLETE


async def test_a_session_that_is_gone_begins_anew_and_knows_what_was_before(agents):
    engine = agents.claude(f"""\
if "--resume" in sys.argv:
    sys.exit("No conversation found with session ID: {SESSION}")
{BEGIN}{END}""")
    await agents.journal.add(link_entry(), key="session")
    agents.journal.next_turn()
    task = agents.task("Second", turn=2, history=(Exchange("First", "made it", "COMPLETE"),))
    outcome = await engine.run(task, agents.journal)
    assert outcome.status == RunStatus.COMPLETE
    assert [word in prompt(agents.calls[-1]) for word in ("First", "made it", "Second")] == [True] * 3


async def test_codex_is_called_resumed_and_counted_by_turn(agents):
    engine = agents.codex(CODEX)
    first = await engine.run(agents.task("First", model="openai:gpt-5"), agents.journal)
    agents.journal.next_turn()
    agents.codex(CODEX.replace("100", "150"))
    second = await engine.run(agents.task("Second", turn=2), agents.journal)

    assert [call["given"] for call in agents.calls] == ["First", "Second"]
    assert "--model=gpt-5" in agents.calls[0]["arguments"]
    assert agents.calls[1]["arguments"][-3:] == ["resume", "01a1ff43-f33d-7792", "-"]
    assert (first.result, first.usage.input_tokens) == ("Done.", 100)
    assert second.usage.input_tokens == 50  # it counts the whole session


async def test_images_reach_both(agents):
    image = f"data:image/png;base64,{base64.b64encode(b'picture').decode()}"
    await agents.claude(BEGIN + END).run(agents.task(images=(image,)), agents.journal)
    _, sent = content(agents.calls[0])
    assert sent["source"] == {
        "type": "base64",
        "media_type": "image/png",
        "data": base64.b64encode(b"picture").decode(),
    }

    agents.journal.next_turn()
    look = 'file = next(a for a in sys.argv if a.startswith("--image=")).removeprefix("--image=")\n'
    check = 'say({"type": "error", "message": Path(file).read_text()})\nsys.exit(1)\n'
    outcome = await agents.codex(look + check).run(agents.task(images=(image,)), agents.journal)
    assert outcome.result == "picture"


async def test_it_sees_the_users_variables_and_none_of_the_servers(agents, monkeypatch):
    ours = {"CODEGEN_API_TOKEN": "t", "CONTEXTEN_REMOTE_TOKEN": "r", "CONTEXTEN_DATABASE_URL": "postgresql://u:p@h/d"}
    for name, value in {**ours, "CLAUDECODE": "1", "ANTHROPIC_API_KEY": "key", "MINE": "1"}.items():
        monkeypatch.setenv(name, value)
    await agents.claude(BEGIN + END).run(agents.task(), agents.journal)
    (call,) = agents.calls
    seen = call["environment"]
    assert (seen["HOME"], seen["ANTHROPIC_API_KEY"], seen["MINE"]) == (os.environ["HOME"], "key", "1")
    assert not [name for name in seen if name.startswith(("CODEGEN_", "CONTEXTEN_")) or name == "CLAUDECODE"]
    denied = settings(call)["sandbox"]["credentials"]["envVars"]
    assert {"name": "ANTHROPIC_API_KEY", "mode": "deny"} in denied
    assert "key" not in call["arguments"]


async def test_what_a_repository_brings_along_is_not_loaded_and_commands_stay_in_the_copy(agents):
    (agents.repository / "CLAUDE.md").write_text("Use tabs.\n")
    await agents.claude(BEGIN + END).run(agents.task(), agents.journal)
    arguments = agents.calls[0]["arguments"]
    assert after(arguments, "--setting-sources") == "user"
    assert after(arguments, "--permission-mode") == "acceptEdits"
    assert "CLAUDE.md" in after(arguments, "--append-system-prompt")
    files = settings(agents.calls[0])["sandbox"]["filesystem"]
    assert files == {"denyRead": [str(agents.data)], "allowRead": [agents.calls[0]["folder"]]}


async def test_all_that_the_user_may_do_has_to_be_allowed_by_name(agents):
    await agents.claude(BEGIN + END, permissions="all").run(agents.task(), agents.journal)
    agents.journal.next_turn()
    await agents.codex(CODEX, permissions="all").run(agents.task(), agents.journal)
    claude, codex = (call["arguments"] for call in agents.calls)
    assert after(claude, "--permission-mode") == "bypassPermissions"
    assert "--settings" not in claude
    assert after(codex, "--sandbox") == "danger-full-access"


async def test_a_prompt_that_looks_like_an_option_is_a_prompt(agents):
    await agents.codex(CODEX).run(agents.task("--help"), agents.journal)
    assert agents.calls[0]["given"] == "--help"
    assert "--help" not in agents.calls[0]["arguments"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('sys.exit("Not a valid licence.")\n', "(exit code 1): Not a valid licence."),
        ("sys.exit(0)\n", "(exit code 0), and without a word"),
        ('say("npm ERR! broken")\nsys.exit(3)\n', "(exit code 3): npm ERR! broken"),
        ("os.kill(os.getpid(), signal.SIGKILL)\n", "(exit code 137)"),
        ('sys.stderr.write("first\\n" + "x" * 9000 + "\\nlast\\n")\nsys.exit(1)\n', "last"),
    ],
)
async def test_an_end_without_a_result_fails_with_its_last_words(agents, body, words):
    outcome = await agents.claude(BEGIN + body).run(agents.task(), agents.journal)
    assert outcome.status == RunStatus.FAILED
    assert words in outcome.result
    assert len(outcome.result) < 5000


async def test_who_is_not_signed_in_is_told_how(agents):
    body = 'say({"type": "result", "subtype": "success", "is_error": True, "result": "Not logged in · Please run /login"})\n'
    outcome = await agents.claude(body).run(agents.task(), agents.journal)
    assert outcome.status == RunStatus.FAILED
    assert "export ANTHROPIC_API_KEY" in outcome.result


async def test_noise_between_the_lines_does_not_end_a_run(agents):
    noise = """\
sys.stdout.buffer.write(b"warning: old node\\n\\xff\\xfe{\\n" + b'{"type": "' + b"x" * 20_000_000 + b'"}\\n' + b"[1, 2]\\n")
sys.stdout.flush()
"""
    outcome = await agents.claude(BEGIN + noise + END.rstrip("\n")).run(agents.task(), agents.journal)
    assert outcome.result == "Done."


async def test_what_it_left_running_ends_with_it(agents):
    spawn = """\
left = subprocess.Popen(["sleep", "600"], start_new_session=True)
say({"type": "assistant", "message": {"content": [{"type": "thinking", "thinking": str(left.pid)}]}})
"""
    outcome = await agents.claude(BEGIN + spawn + END).run(agents.task(), agents.journal)
    assert outcome.status == RunStatus.COMPLETE
    assert not is_alive(int(agents.journal.written["1-1"].thought))


async def test_one_that_stays_after_its_result_is_ended(agents):
    engine = agents.claude(BEGIN + END + "time.sleep(600)\n")
    engine.leaves_within = 0.5
    outcome = await engine.run(agents.task(), agents.journal)
    assert (outcome.status, outcome.result) == (RunStatus.COMPLETE, "Done.")
    assert not is_alive(agents.calls[0]["pid"])


async def test_a_cancel_ends_it_and_what_it_has_started(agents):
    stubborn = """\
signal.signal(signal.SIGTERM, signal.SIG_IGN)
left = subprocess.Popen(["sleep", "600"], start_new_session=True)
(place / "left").write_text(str(left.pid))
time.sleep(600)
"""
    run = asyncio.create_task(agents.claude(BEGIN + stubborn).run(agents.task(), agents.journal))
    await until(lambda: (agents.place / "left").exists() and (agents.place / "left").read_text())
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert not is_alive(agents.calls[0]["pid"])
    assert not is_alive(int((agents.place / "left").read_text()))


async def test_a_server_that_is_killed_leaves_nothing_running(agents):
    agents.install("claude", "time.sleep(600)\n")
    server = """
import asyncio, sys
from pathlib import Path
from contexten.engines.programs.process import Command, running

async def main():
    async with running(Command([sys.argv[1]], Path.cwd())) as program:
        async for _ in program.messages():
            pass

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", server, str(agents.bin / "claude"))
    call = await agents.called()
    process.kill()
    await process.wait()
    await until(lambda: not is_alive(call["pid"]))


async def test_a_program_that_is_not_there(agents, monkeypatch):
    engine = agents.claude(END)
    monkeypatch.setenv("PATH", str(agents.place))
    assert engine.availability().detail == "not installed"
    assert "npm install -g @anthropic-ai/claude-code" in engine.objection(None)
    with pytest.raises(EngineUnavailableError, match="claude is not installed"):
        await engine.run(agents.task(), agents.journal)


async def test_a_program_whose_interpreter_is_gone(agents):
    engine = agents.claude(END)
    program = agents.bin / "claude"
    program.write_text("#!/nowhere/node\n")
    outcome = await engine.run(agents.task(), agents.journal)
    assert outcome.status == RunStatus.FAILED
    assert "cannot be started" in outcome.result


async def test_models_of_others_are_refused(agents):
    engine = agents.claude(END)
    assert "anthropic only" in engine.objection("openai:gpt-5")
    assert engine.objection("anthropic:opus") is engine.objection("opus") is engine.objection(None) is None


def test_the_version_is_read_and_nothing_is_started(agents):
    package = agents.place / "lib" / "node_modules" / "@anthropic-ai" / "claude-code"
    package.mkdir(parents=True)
    (package / "package.json").write_text(json.dumps({"name": "@anthropic-ai/claude-code", "version": "2.1.4"}))
    engine = agents.claude("")
    (agents.bin / "claude").rename(package / "cli.js")
    (agents.bin / "claude").symlink_to(package / "cli.js")
    assert (engine.availability().ready, engine.availability().detail) == (True, "2.1.4")

    native = agents.place / "versions" / "2.1.5"
    native.parent.mkdir()
    native.write_text("#!/bin/sh\n")
    native.chmod(0o755)
    (agents.bin / "claude").unlink()
    (agents.bin / "claude").symlink_to(native)
    assert engine.availability().detail == "2.1.5"
    assert agents.calls == []


def link_entry():
    return NewLogEntry(message_type="AGENT_RUN_LINK", thought="session", tool_output={"session": SESSION})


def content(call):
    return json.loads(call["given"])["message"]["content"]


def prompt(call):
    return content(call)[0]["text"]


def after(arguments, option):
    return arguments[arguments.index(option) + 1]


def settings(call):
    return json.loads(after(call["arguments"], "--settings"))
