"""What a tool is: a name, the arguments that it takes, and the work it does in a run's own copy of the repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from contexten.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contexten.engines.analyst.repository import Repository
    from contexten.engines.sandbox import Sandbox

INDEX = "index"
"""Folder beside a copy that has its code index."""
LONGEST_ANSWER = 24_000
"""Characters that a tool tells the model at most."""


class ToolError(EngineError):
    """A tool cannot do what it was asked; the model is told why and goes on."""


class Arguments(BaseModel):
    """What a model gives to a tool. The docstring of each is what the model is told about the tool."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool found or did."""

    text: str
    """For the model."""
    line: str
    """For people, in one line."""
    ok: bool = True
    data: dict[str, Any] = field(default_factory=dict)
    """More for programs, kept in the log."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a model can do."""

    name: str
    arguments: type[Arguments]
    work: Callable[[Place, Any], Any] | None
    """Gives a `Result`; called on a thread, unless it is a coroutine."""
    changes: bool = False
    """Whether it may change something, so that it is never done twice."""


@dataclass
class Place:
    """Where tools work: a run's own copy of a repository."""

    root: Path
    name: str
    sandbox: Sandbox | None = None
    command_seconds: float = 600.0
    """How long a command may take."""
    tests: str | None = None
    """How the tests that were run last ended, such as `12 passed`."""

    def code(self) -> Repository:
        """The code as it is now, from an index that is kept beside the copy and goes with it. Blocking."""
        from contexten.engines.analyst.indexes import codebase_for
        from contexten.engines.analyst.repository import Repository

        return Repository(self.root, self.name, codebase_for(self.root, self.root.parent / INDEX))


def capped(text: str, most: int = LONGEST_ANSWER, hint: str = "Ask for less.") -> str:
    """The beginning of a text that is too long, with a note."""
    if len(text) <= most:
        return text
    return f"{text[:most]}\n[cut: these are the first {most} of {len(text)} characters. {hint}]"
