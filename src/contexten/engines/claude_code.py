"""The engine `claude_code`: drives the Claude Code that the user has installed.

Source of its options: `claude --help` of 2.1, and the Claude Code documentation on permissions, settings and sandboxing.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from contexten.engines.programs.claude_stream import ClaudeReader
from contexten.engines.programs.engine import ProgramEngine
from contexten.engines.programs.process import Command, user_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contexten.engines.programs.conversation import Turn

_IMAGE = re.compile(r"data:(image/[a-z0-9.+-]+);base64,(.*)", re.IGNORECASE | re.DOTALL)
_INSTRUCTIONS = ("CLAUDE.md", "AGENTS.md")
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH", re.IGNORECASE)
"""Variables that no command has to know."""
_SECRET_FILES = ("~/.claude/.credentials.json", "~/.codex", "~/.ssh", "~/.gnupg", "~/.netrc", "~/.aws", "~/.config/gh")


class ClaudeCodeEngine(ProgramEngine):
    """Does runs with `claude`.

    The settings, hooks and MCP servers that a repository brings along are not loaded: some of them would run commands
    outside of any sandbox before a word is said.
    """

    name = "claude_code"
    program = "claude"
    package = "@anthropic-ai/claude-code"
    provider = "anthropic"
    sign_in = "start `claude` once and sign in, or export ANTHROPIC_API_KEY where the server is started"
    no_credentials = re.compile(r"/login|Invalid API key|authentication_error|OAuth token", re.IGNORECASE)

    def command(self, turn: Turn) -> Command:
        """`claude -p` with the prompt on its standard input."""
        arguments = [
            *(turn.program, "-p", "--verbose"),
            *("--input-format", "stream-json", "--output-format", "stream-json"),
            *("--permission-mode", "bypassPermissions" if self.may_all else "acceptEdits"),
            *("--setting-sources", "user"),
            *self._settings(turn),
            *self._told(turn),
            *([f"--model={turn.model}"] if turn.model else []),
            *(["--resume", turn.session] if turn.session else []),
        ]
        more = {"DISABLE_AUTOUPDATER": "1"}
        return Command(arguments, turn.folder, _message(turn), more)

    def reader(self) -> ClaudeReader:
        """Reads its stream."""
        return ClaudeReader()

    def _settings(self, turn: Turn) -> list[str]:
        """Have its commands run in its own sandbox; where that is missing they are refused like any other.

        They see the copy and nothing else of the server's data, no credentials, and no network.
        """
        if self.may_all:
            return []
        sandbox = {
            "enabled": True,
            "autoAllowBashIfSandboxed": True,
            "allowUnsandboxedCommands": False,
            "filesystem": {"denyRead": [str(self.data)], "allowRead": [str(turn.folder)]},
            "credentials": {
                "envVars": [{"name": name, "mode": "deny"} for name in user_environment() if _is_secret(name)],
                "files": [{"path": path, "mode": "deny"} for path in _SECRET_FILES],
            },
        }
        return ["--settings", json.dumps({"sandbox": sandbox})]

    @staticmethod
    def _told(turn: Turn) -> list[str]:
        """What it has to know that it does not find out: nobody answers, and what the repository says to agents."""
        said = "Nobody can answer questions while you work: decide by yourself, and say in the end what you assumed."
        for name in _INSTRUCTIONS:
            if (turn.folder / name).is_file():
                said += f" Read {name} before anything else: it has the instructions of this repository."
                break
        return ["--append-system-prompt", said]


def _is_secret(variable: str) -> bool:
    return variable.isidentifier() and variable.isascii() and _SECRET.search(variable) is not None


def _message(turn: Turn) -> bytes:
    content = [{"type": "text", "text": turn.prompt}, *_images(turn)]
    return json.dumps({"type": "user", "message": {"role": "user", "content": content}}).encode() + b"\n"


def _images(turn: Turn) -> Iterator[dict[str, Any]]:
    for image in turn.images:
        if found := _IMAGE.fullmatch(image):
            source = {"type": "base64", "media_type": found[1].lower(), "data": found[2]}
            yield {"type": "image", "source": source}
