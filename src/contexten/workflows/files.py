"""Workflows in files: JSON, or TOML, where long prompts read better."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

from contexten.errors import UsageError
from contexten.workflows.definition import read_definition

if TYPE_CHECKING:
    from pathlib import Path

    from contexten.protocol.workflows import WorkflowDefinition

LARGEST = 1024 * 1024
"""Bytes of a workflow's file: what a server takes."""


def read_workflow(path: Path) -> WorkflowDefinition:
    """The workflow in a file, checked; `.toml` is TOML, everything else JSON.

    Raises:
        UsageError: there is no such file, or it is not what its name says.
        WorkflowError: it cannot be run.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"The workflow {str(path)!r} cannot be read: {error.strerror}.") from error
    if len(content) > LARGEST:
        raise UsageError(f"The workflow {str(path)!r} has more than {LARGEST} bytes.")
    return read_workflow_text(content, toml=path.suffix == ".toml", name=str(path))


def read_workflow_text(content: bytes, *, toml: bool = False, name: str = "the workflow") -> WorkflowDefinition:
    """The workflow in a text; see `read_workflow`."""
    try:
        text = content.decode()
        document: Any = tomllib.loads(text) if toml else json.loads(text)
    except (ValueError, RecursionError) as error:
        kind = "TOML" if toml else "JSON"
        raise UsageError(f"{name!r} is not {kind}: {error}.") from None
    return read_definition(document)
