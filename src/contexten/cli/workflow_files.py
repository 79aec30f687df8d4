"""What a person names on the command line: the workflow to run, and texts for its inputs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.errors import UsageError
from contexten.workflows.files import LARGEST, read_workflow, read_workflow_text
from contexten.workflows.templates import template, template_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contexten.protocol.workflows import WorkflowDefinition


def workflow_from(source: str) -> WorkflowDefinition:
    """The workflow in a file, on standard input (`-`), or of a template.

    Raises:
        UsageError: it is none of these, or cannot be run.
    """
    if source == "-":
        return read_workflow_text(sys.stdin.buffer.read(LARGEST), name="standard input")
    path = Path(source).expanduser()
    if path.is_file():
        return read_workflow(path)
    if source in template_names():
        return template(source)
    if path.suffix or len(path.parts) > 1:
        raise UsageError(f"there is no file {source!r}")
    raise UsageError(f"{source!r} is neither a file nor a template. Templates: {', '.join(template_names())}")


def given_inputs(words: Sequence[str]) -> dict[str, str]:
    """The texts that `--set name=text` gave; `name=@file` reads a file.

    Raises:
        UsageError: a word is not of this form, or its file cannot be read.
    """
    return dict(_input(word) for word in words)


def _input(word: str) -> tuple[str, str]:
    name, sign, text = word.partition("=")
    if not (name and sign):
        raise UsageError(f"--set {word!r} has no text. Write --set name=text")
    if not text.startswith("@"):
        return name, text
    try:
        return name, Path(text[1:]).expanduser().read_text("utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"--set {name}: {text[1:]!r} cannot be read: {error.strerror}") from None
