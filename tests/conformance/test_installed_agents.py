"""The real Claude Code and Codex, driven by our engines, with a model on loopback."""

import os
import shutil
import subprocess

import pytest

from contexten.engines.claude_code import ClaudeCodeEngine
from contexten.engines.codex import CodexEngine
from contexten.protocol import RunStatus
from engines.programs.fake_agents import Turns
from interpreters import missing
from model_provider import KEY, Says, calls, provider
from shop_project import commit_all, make_project, task

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.anyio,
    pytest.mark.skipif(
        not (os.environ.get("CI") or os.environ.get("CONFORMANCE_MATRIX")),
        reason="640 MB from npm: make conformance-matrix",
    ),
]

VERSIONS = {"@anthropic-ai/claude-code": "2.1.197", "@openai/codex": "0.169.0"}
CODEX_SETTINGS = """\
model = "gpt-5-codex"
model_provider = "here"
[model_providers.here]
name = "here"
base_url = "{url}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
"""


@pytest.fixture(scope="module")
def install(tmp_path_factory):
    """Installs a program from the npm registry; its folder of programs. They are large, so they go at once."""
    npm = shutil.which("npm") or missing("npm is not on PATH: it installs Claude Code and Codex. Install Node.js.")
    folder = tmp_path_factory.mktemp("npm")

    def installed(package):
        command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder / package]
        environment = os.environ | {"npm_config_cache": str(folder / "cache")}
        done = subprocess.run([*command, f"{package}@{VERSIONS[package]}"], check=False, timeout=280, env=environment)
        if done.returncode:
            missing(f"{package} cannot be installed from the npm registry.")
        return folder / package / "node_modules" / ".bin"

    yield installed
    shutil.rmtree(folder)


@pytest.fixture
def repository(tmp_path):
    folder = make_project(tmp_path / "shop", {"shop.py": "x = 1\n", "CLAUDE.md": "Use tabs.\n"})
    hooks = '{"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "touch hooked"}]}]}}'
    make_project(folder, {".claude/settings.json": hooks})
    commit_all(folder, "Begin")
    return folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of its own, outside of the folder for temporary files: Codex keeps no programs in that one."""
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setenv("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
    return tmp_path / "home"


def use(monkeypatch, programs, model):
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    for name, value in {**model.environment(), "ANTHROPIC_API_KEY": KEY}.items():
        monkeypatch.setenv(name, value)


async def test_claude_code(install, repository, home, tmp_path, monkeypatch):
    written = tmp_path / "data" / "checkouts" / "1" / "1" / "work" / "hello.txt"
    script = [
        calls(("Write", {"file_path": str(written), "content": "hi\n"}), text="I write it."),
        Says("Written."),
        Says("Still there."),
    ]
    with provider(*script) as model:
        use(monkeypatch, install("@anthropic-ai/claude-code"), model)
        engine, journal = ClaudeCodeEngine(tmp_path / "data"), Turns()
        assert engine.availability().detail == VERSIONS[engine.package]
        outcome = await engine.run(task(repository, "Write it"), journal)
        link, said, call, _ = journal.written.values()
        journal.next_turn()
        again = await engine.run(task(repository, "Is it there?", turn=2), journal)

    assert (outcome.status, outcome.result) == (RunStatus.COMPLETE, "Written."), outcome.result
    assert [file.path for file in outcome.changes.files] == ["hello.txt"]  # and no hook of the repository has run
    assert (said.thought, call.tool_name, call.tool_input["content"]) == ("I write it.", "Write", "hi\n")
    assert outcome.usage.input_tokens == 2000
    assert outcome.usage.cost_usd > 0
    assert again.result == "Still there."
    assert again.usage.input_tokens == 1000
    assert journal.written["session"].tool_output == link.tool_output
    assert "I write it." in model.told()  # it remembers


async def test_codex(install, repository, home, tmp_path, monkeypatch):
    script = [
        calls(("exec_command", {"cmd": "echo hi > hello.txt && ls hello.txt"}), text="I write it."),
        Says("Written."),
        Says("Still there."),
    ]
    with provider(*script) as model:
        use(monkeypatch, install("@openai/codex"), model)
        (home / ".codex").mkdir()
        (home / ".codex" / "config.toml").write_text(CODEX_SETTINGS.format(url=model.url))
        engine, journal = CodexEngine(tmp_path / "data"), Turns()
        assert engine.availability().detail == VERSIONS[engine.package]
        outcome = await engine.run(task(repository, "Write it"), journal)
        (call,) = [entry for entry in journal.written.values() if entry.tool_name]
        session = journal.written["session"].tool_output
        journal.next_turn()
        again = await engine.run(task(repository, "Is it there?", turn=2), journal)

    assert (outcome.status, outcome.result) == (RunStatus.COMPLETE, "Written."), outcome.result
    assert [file.path for file in outcome.changes.files] == ["hello.txt"]
    assert (call.tool_name, call.observation, call.tool_output) == ("command", "hello.txt\n", {"exit_code": 0})
    assert outcome.usage.input_tokens == 2000
    assert again.result == "Still there."
    assert again.usage.input_tokens == 1000
    assert journal.written["session"].tool_output == session
    assert "I write it." in model.told()
