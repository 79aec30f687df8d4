"""What a plan is made of, and what its steps bring back. Both are kept in the run's log as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a tool."""

    tool: str
    title: str
    """What it does, in a few words: `list callers`."""
    input: dict[str, Any] = field(default_factory=dict)
    about: str | None = None
    """The name without which it makes no sense: it is left out when an earlier step did not find that."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a tool found."""

    line: str
    """In one line, for the log."""
    answer: str
    """In Markdown, for the answer."""
    data: dict[str, Any] = field(default_factory=dict)
    found: bool = True


STEPS = TypeAdapter(list[Step])
"""Reads and writes a plan as JSON values."""
