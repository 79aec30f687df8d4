"""What an engine is: it takes a task, writes a journal, and ends with an outcome.

An engine may be interrupted at any await and its task given out again (after a crash, with the same run and turn). It
makes that harmless with the journal's keys: an entry whose key the turn already has is not written twice, and
`Journal.entries` gives back what an earlier attempt wrote, so that finished steps need not be done again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from contexten.engines.changes import Changes
from contexten.errors import EngineNotFoundError
from contexten.protocol import RunStatus
from contexten.protocol.status import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from contexten.protocol import LogEntry, NewLogEntry


BUILDS_ON = "builds_on"
"""Name in a run's metadata of the list of the runs that it builds on."""
MODE = "mode"
"""Name in a run's metadata of the label that stands ahead of its first prompt."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier turn of the same run."""

    prompt: str
    result: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """A run that another one builds on, such as that of the task before it in a workflow."""

    run_id: int
    changes: Changes
    """What it changed since it began."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a run has changed so far, as it is kept wherever its copy is."""

    turn: int
    """The turn at whose end it was so."""
    changes: Changes


@dataclass(frozen=True, slots=True)
class Task:
    """What an engine is asked to do: one turn of one run."""

    run_id: int
    organization_id: int
    turn: int
    """Number of the turn, from 1."""
    prompt: str
    workspace: Path
    """Folder of the repository."""
    repo_name: str
    history: tuple[Exchange, ...] = ()
    """Earlier turns, oldest first."""
    model: str | None = None
    images: tuple[str, ...] = ()
    """Data URIs."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    builds_on: tuple[Earlier, ...] = ()
    """Runs whose changes, in this order, a new copy of the repository begins with."""
    kept: Kept | None = None
    """What earlier turns of this run changed, for a worker that does not have their copy; None when it is not known."""
    attempt: int = 1
    """How often this turn was taken up, this time included."""
    seconds: float | None = None
    """After so many the server ends this attempt; an engine that ends before can say how far it came."""


def with_mode(mode: str, query: str) -> str:
    """The prompt that states a mode, such as `plan` or `review`, ahead of what is asked."""
    return f"Mode: {mode}\n\n{query}"


def without_mode(task: Task) -> Task:
    """The task as it was asked, for an engine that takes every word of a prompt for a part of the question."""
    stated = with_mode(str(task.metadata.get(MODE)), "")
    earlier = (replace(each, prompt=each.prompt.removeprefix(stated)) for each in task.history)
    return replace(task, prompt=task.prompt.removeprefix(stated), history=tuple(earlier))


@dataclass(frozen=True, slots=True)
class Usage:
    """What a turn consumed."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a turn ended."""

    status: RunStatus
    result: str
    """The answer in Markdown, or what is needed to get one."""
    summary: str | None = None
    """One line."""
    usage: Usage = field(default_factory=Usage)
    changes: Changes | None = None
    """What the run has changed since it began; None when the engine changes nothing."""


def checked(outcome: object) -> Outcome:
    """What an engine ended with, in the form that is kept: its status in the one spelling.

    Raises:
        ValueError: it is not an outcome, or has a value that cannot be kept.
    """
    if not isinstance(outcome, Outcome):
        raise ValueError(f"not an Outcome but {type(outcome).__name__}")  # noqa: TRY004 - one class for all that is wrong with it
    status = RunStatus.parse(str(outcome.status))
    if status not in TERMINAL:
        raise ValueError(f"the status {outcome.status!r}, with which nothing ends")
    if not isinstance(outcome.result, str) or not isinstance(outcome.summary, str | None):
        raise ValueError("a result or summary that is not text")  # noqa: TRY004 - see above
    if not isinstance(outcome.changes, Changes | None):
        raise ValueError(f"changes of the type {type(outcome.changes).__name__}")  # noqa: TRY004 - see above
    _check(outcome.usage)
    return replace(outcome, status=RunStatus(status))


_MOST_TOKENS = 2**53
"""Largest number that every JSON client counts exactly."""


def _check(usage: Usage) -> None:
    counts = (usage.input_tokens, usage.output_tokens)
    if not all(isinstance(count, int) and 0 <= count <= _MOST_TOKENS for count in counts):
        raise ValueError(f"{counts} tokens, which is no count")
    cost = usage.cost_usd
    if not isinstance(cost, int | float) or not math.isfinite(cost) or cost < 0:
        raise ValueError(f"a cost of {cost!r}, which is no amount")


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether an engine can work now."""

    ready: bool
    detail: str = ""
    """Version when ready, else what it needs and how to set it."""


class Journal(Protocol):
    """The log of one turn, as an engine sees it."""

    async def add(self, entry: NewLogEntry, *, key: str) -> bool:
        """Write an entry. Returns False, and writes nothing, when this turn already has an entry with this key."""
        ...

    async def entries(self) -> Mapping[str, LogEntry]:
        """Entries that earlier attempts of this turn wrote, by key, oldest first."""
        ...

    async def last(self, key: str) -> LogEntry | None:
        """The newest entry with this key in any turn of the run: what an engine noted for the turns to come."""
        ...

    def partial(self, text: str) -> None:
        """Show those who watch the text that the next entry will have, as far as it is known by now. Nothing keeps it."""
        ...

    def spend(self, usage: Usage) -> None:
        """Say what the turn has used up so far, for when it is stopped before it can end with it."""
        ...

    @property
    def over(self) -> bool:
        """Whether the turn has ended for good, by a cancel or for lack of time.

        Asked by an engine that is being cancelled: when it is False, the turn is taken up again by a later attempt.
        """
        ...


class Engine(Protocol):
    """Does runs. Registered by name in an `Engines`.

    One that works without a model has `uses_model = False`; its runs then have none. One with a choice of its own has
    `uses_default_model = False`; its runs then have a model only when they name it. One that can tell from the model that a
    run cannot begin has `objection(model: str | None) -> str | None`: what it says is the answer to who asks for the run.
    """

    name: str
    concurrency: int | None
    """Runs that one process does at a time; None takes the server's setting."""

    def availability(self) -> Availability:
        """Whether it can work now. Called often: must be fast and must not go to the network."""
        ...

    async def run(self, task: Task, journal: Journal) -> Outcome:
        """Do the task.

        Raises:
            EngineError: the run ends as FAILED with its message. Any other exception ends it as ERROR.
        """
        ...


class Engines:
    """The engines of one server, by name."""

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._by_name = {engine.name: engine for engine in engines}

    def __iter__(self) -> Iterator[Engine]:
        return iter(self._by_name.values())

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def get(self, name: str) -> Engine:
        """The engine called `name`.

        Raises:
            EngineNotFoundError: there is none; the message lists those there are.
        """
        if name not in self._by_name:
            raise EngineNotFoundError(f"There is no engine {name!r}. Engines here: {', '.join(self._by_name)}.")
        return self._by_name[name]
