"""Where a prompt comes from: the command line, or standard input when the word for it is `-`."""

from __future__ import annotations

import sys

from contexten.cli.output import is_terminal, note
from contexten.errors import UsageError


def read_prompt(word: str, command: str) -> str:
    """The prompt that `word` gives.

    Args:
        word: the prompt, or `-` for standard input.
        command: the command as it is shown in the error's next step.

    Raises:
        UsageError: it is empty, or not text.
    """
    prompt = _standard_input() if word == "-" else word
    if not prompt.strip():
        raise UsageError(f"the prompt is empty. Give it as an argument, or pipe it: {command} - < task.md")
    if not _is_text(prompt):
        raise UsageError("the prompt is not UTF-8 text. Convert it, for example: iconv -t utf-8 task.md")
    return prompt


def _standard_input() -> str:
    if is_terminal(sys.stdin):
        note("Type the prompt; end it with Ctrl-D on a line of its own.")
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")


def _is_text(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
