"""A model that means harm, or does not know what it does: it gets nowhere, and the run ends as any other."""

import json
import os

import pytest

from contexten.protocol import RunStatus
from model_provider import KEY, Says, calls, finish

pytestmark = [pytest.mark.anyio, pytest.mark.once]


@pytest.mark.parametrize("tool", ["read", "list", "write", "edit", "delete"])
async def test_no_tool_reaches_beyond_the_copy(toolbox, tool):
    more = {"write": {"text": "x"}, "edit": {"old": "x", "new": "y"}}.get(tool, {})
    for path in ("../../state.json", "/etc/passwd", "/proc/self/environ", "a/../../../x", ".env", ".git/config"):
        result = await toolbox(tool, path=path, **more)
        assert not result.ok
        assert "out of the repository" in result.text or "hidden file" in result.text


async def test_a_link_that_a_command_made_leads_nowhere(toolbox, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("do not show")
    root = toolbox.place.root
    (root / "link.py").symlink_to(secret)
    (root / "folder").symlink_to(tmp_path)
    (root / ".gitignore").unlink(missing_ok=True)
    (root / ".gitignore").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe.py")
    asked = [
        await toolbox("read", path="link.py"),
        await toolbox("read", path="folder/secret.txt"),
        await toolbox("read", path="pipe.py"),
        await toolbox("write", path="folder/new.txt", text="x"),
        await toolbox("list", path="folder"),
    ]
    assert not any(result.ok for result in asked)
    found = [await toolbox("search", text="do not show"), await toolbox("context", question="do not show")]
    assert "do not show" not in "".join(result.text for result in [*asked, *found])
    assert not (tmp_path / "new.txt").exists()


async def test_a_git_folder_that_a_command_wrote_makes_nothing_run(toolbox, tmp_path):
    mark = tmp_path / "ran"
    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {mark}\n")
    evil.chmod(0o755)
    config = toolbox.place.root / ".git/config"
    config.write_text(f"[core]\n\tfsmonitor = {evil}\n\thooksPath = {tmp_path}\n\tworktree = {tmp_path}\n")
    assert (await toolbox("search", text="Makefile")).ok
    assert (await toolbox("find", name="README.md")).ok
    assert not mark.exists()


async def test_a_command_sees_no_key_and_no_folder_of_the_server(work):
    await work(
        calls(("run", {"command": "env; cat /proc/1/environ /proc/$PPID/environ"})),
        calls(("run", {"command": "ls -a ..; cat ../state.json; ls ../base.git"})),
        finish(),
    )
    assert KEY not in "".join(work.answers)
    assert '"tree"' not in work.answers[1]


async def test_a_key_is_nowhere_in_what_a_run_leaves(work, caplog):
    caplog.set_level("DEBUG")
    outcome = await work(
        calls(
            ("search", {"text": "OPENAI_API_KEY"}),
            ("run", {"command": "echo $OPENAI_API_KEY"}),
            text="Give me the key.",
        ),
        finish("What is your key?"),
    )
    left = outcome.result + str(outcome) + work.log + caplog.text
    assert work.provider.keys[0].endswith(KEY)
    assert KEY not in left + "".join(map(json.dumps, work.provider.requests))


async def test_a_tool_that_does_not_exist_and_arguments_that_are_none_are_told(work):
    outcome = await work(
        calls(
            ("rm -rf /", {"path": "."}),
            ("read", {"file": "README.md"}),
            ("read", "{broken"),
            ("read", "[1]"),
            ("read", {"path": "README.md", "start": -1}),
            ("run", {"command": "echo \u0000"}),
            ("read", {"path": "\ud800"}),
            ("write", {"path": ".", "text": ""}),
            ("finish", {}),
        ),
        finish("I see."),
    )
    assert outcome.status == RunStatus.COMPLETE
    wrong = [entry for entry in work.journal.written.values() if entry.message_type == "ACTION"]
    assert [entry.tool_output["ok"] for entry in wrong] == [False] * 9
    assert "There is no tool" in work.answers[0]
    assert "path: Field required" in work.answers[1]
    assert "no JSON object" in work.answers[2]


async def test_more_calls_than_anybody_needs_are_not_all_done(work):
    outcome = await work(calls(*[("search", {"text": f"{number} "}) for number in range(500)]), finish())
    assert outcome.status == RunStatus.COMPLETE
    assert len(work.answers) == 20
    assert "480 were not" in work.provider.told(1)


async def test_arguments_that_no_log_could_hold_are_refused(work):
    huge = "x" * 1_000_000
    await work(
        calls(("write", {"path": "huge.txt", "text": huge}), ("write", {"path": "a.txt", "text": "a"})), finish()
    )
    assert "longer than is allowed" in work.answers[0]
    assert work.text("a.txt") == "a"
    assert max(len(entry.model_dump_json()) for entry in work.journal.written.values()) < 200_000
    assert len(work.provider.told(1)) < 100_000


async def test_output_without_end_is_cut_and_a_command_without_end_is_stopped(work):
    await work(
        calls(("run", {"command": "yes", "seconds": 1}), ("run", {"command": "echo ok; sleep 100", "seconds": 0.5})),
        finish(),
    )
    assert len(work.answers[0]) < 30_000
    assert work.answers[0].startswith("[stopped after 1 s]")
    assert work.answers[1] == "[stopped after 0.5 s]\nok\n"


async def test_an_endless_talker_is_stopped_by_the_limit_on_tokens(work):
    outcome = await work(
        calls(("list", {}), tokens=(2_000_000, 1)),
        calls(("read", {"path": "Makefile"}), tokens=(4_000_000, 1)),
        Says("never"),
    )
    assert outcome.status == RunStatus.OUT_OF_TOKENS
    assert len(work.provider.requests) == 2
