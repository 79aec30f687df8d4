"""A run done by an installed coding agent: in the run's own copy of the repository, its stream as log entries."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from contexten.engines.base import Availability, Outcome
from contexten.engines.checkout import open_checkout
from contexten.engines.figures import figures
from contexten.engines.programs.conversation import Conversation
from contexten.engines.programs.installed import find_installed
from contexten.engines.workspace import CHECKOUTS
from contexten.errors import EngineUnavailableError
from contexten.protocol import RunStatus

if TYPE_CHECKING:
    import re
    from pathlib import Path

    from contexten.engines.base import Journal, Task
    from contexten.engines.programs.conversation import Turn
    from contexten.engines.programs.process import Command
    from contexten.engines.programs.stream import Ended, Reader

_PROVIDERS = frozenset({"anthropic", "openai", "google", "ollama", "mistral", "groq", "xai", "deepseek"})


class ProgramEngine(ABC):
    """Does runs with a program of the user's, as the user: with its own sign-in, and the network.

    Args:
        data: the server's data folder. The runs' copies are in it; nothing else of it is any business of the program.
        permissions: what it may do without asking: `edits` in the copy and commands that stay in it, or `all`.
    """

    name: str
    concurrency: int | None = 4
    uses_default_model = False
    leaves_within = 30.0
    """Seconds after its result in which the program has to end by itself."""
    program: ClassVar[str]
    """Its name on the PATH."""
    package: ClassVar[str]
    """Its name in the npm registry."""
    provider: ClassVar[str]
    """Whose models it uses."""
    sign_in: ClassVar[str]
    """How to give it credentials."""
    no_credentials: ClassVar[re.Pattern[str]]
    """What it says without them."""
    counts_sessions: ClassVar[bool] = False
    """Whether the usage that it tells is of the whole session and not of the turn."""

    def __init__(self, data: Path, permissions: Literal["edits", "all"] = "edits") -> None:
        self.data = data
        self.may_all = permissions == "all"

    def availability(self) -> Availability:
        """Whether the program is installed. Looks at files only."""
        found = find_installed(self.program, self.package)
        return Availability(found is not None, found.version if found else "not installed")

    def objection(self, model: str | None) -> str | None:
        """Why a run with this model cannot begin; None when it can."""
        provider, colon, _ = (model or "").partition(":")
        if colon and provider in _PROVIDERS - {self.provider}:
            return (
                f"{self.name} has models of {self.provider} only, not {model!r}. Name another one, or use engine model."
            )
        return None if find_installed(self.program, self.package) else self._not_installed

    async def run(self, task: Task, journal: Journal) -> Outcome:
        """Let the program do the task; a later turn goes on with the session of the one before.

        Raises:
            EngineUnavailableError: the program is not installed.
            EngineError: the repository cannot be copied.
        """
        found = find_installed(self.program, self.package)
        if found is None:
            raise EngineUnavailableError(self._not_installed)
        if objection := self.objection(task.model):
            raise EngineUnavailableError(objection)
        checkout = await open_checkout(task, self.data / CHECKOUTS, journal)
        conversation = Conversation(self, found.path, task, journal)
        ended = await conversation.hold(checkout.root)
        changes = await asyncio.to_thread(checkout.changes)
        summary = figures(changes, ended.usage)
        if ended.status == RunStatus.COMPLETE:
            await conversation.answer(ended.text, summary)
        return Outcome(ended.status, self._explained(ended), summary, ended.usage, changes)

    def model_of(self, task: Task) -> str | None:
        """The model as the program knows it."""
        return task.model.removeprefix(f"{self.provider}:") if task.model else None

    @abstractmethod
    def command(self, turn: Turn) -> Command:
        """How the program is called. May write files to the turn's scratch folder."""

    @abstractmethod
    def reader(self) -> Reader:
        """What understands its stream."""

    @property
    def _not_installed(self) -> str:
        return f"{self.program} is not installed. Install it with npm install -g {self.package}, then {self.sign_in}."

    def _explained(self, ended: Ended) -> str:
        lacks = ended.status != RunStatus.COMPLETE and self.no_credentials.search(ended.text)
        return f"{ended.text.rstrip('.')}. To go on, {self.sign_in}." if lacks else ended.text
