"""The engine `codex`: drives the Codex that the user has installed.

Source of its options: `codex exec --help` of 0.169, and the Codex documentation on configuration and sandboxing.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from contexten.engines.programs.codex_stream import CodexReader
from contexten.engines.programs.engine import ProgramEngine
from contexten.engines.programs.process import Command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contexten.engines.programs.conversation import Turn

_IMAGE = re.compile(r"data:image/([a-z0-9]+)[a-z0-9.+-]*;base64,(.*)", re.IGNORECASE | re.DOTALL)


class CodexEngine(ProgramEngine):
    """Does runs with `codex`.

    The configuration that a repository brings along is not loaded, because its folder is one that nobody has trusted.
    """

    name = "codex"
    program = "codex"
    package = "@openai/codex"
    provider = "openai"
    sign_in = "sign in with `codex login`, or export CODEX_API_KEY where the server is started"
    no_credentials = re.compile(
        r"401 Unauthorized|codex login|Missing environment variable|not logged in", re.IGNORECASE
    )
    counts_sessions = True

    def command(self, turn: Turn) -> Command:
        """`codex exec` with the prompt on its standard input."""
        arguments = [
            *(turn.program, "exec", "--json", "--skip-git-repo-check", "--color", "never"),
            *("--sandbox", "danger-full-access" if self.may_all else "workspace-write"),
            *("-c", 'approval_policy="never"'),
            *("-c", "shell_environment_policy.ignore_default_excludes=false"),
            *([f"--model={turn.model}"] if turn.model else []),
            *(["resume"] if turn.session else []),
            *(f"--image={file}" for file in _image_files(turn)),
            *([turn.session] if turn.session else []),
            "-",
        ]
        return Command(arguments, turn.folder, turn.prompt.encode("utf-8", "replace"))

    def reader(self) -> CodexReader:
        """Reads its stream."""
        return CodexReader()


def _image_files(turn: Turn) -> Iterator[str]:
    for number, image in enumerate(turn.images, 1):
        if found := _IMAGE.fullmatch(image):
            file = turn.scratch / f"image-{number}.{found[1].lower()}"
            file.write_bytes(base64.b64decode(found[2]))
            yield str(file)
