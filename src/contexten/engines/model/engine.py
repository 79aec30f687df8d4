"""The engine `model`: what a run needs is put together, the loop goes on until it ends, and what came of it is told."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from contexten.engines.base import Availability, Outcome
from contexten.engines.checkout import open_checkout
from contexten.engines.figures import figures
from contexten.engines.model.asking import Asked
from contexten.engines.model.conversation import Conversation, instructions
from contexten.engines.model.ending import Ended
from contexten.engines.model.loop import Loop
from contexten.engines.model.providers import NOT_INSTALLED, installed, objection, open_model
from contexten.engines.model.toolbox import Toolbox
from contexten.engines.model.tools import Place, tools_for
from contexten.errors import CodebaseError, EngineError, EngineUnavailableError
from contexten.protocol import MessageType, NewLogEntry, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydantic_ai.models import Model

    from contexten.engines.base import Journal, Task
    from contexten.engines.changes import Changes
    from contexten.engines.checkout import Checkout
    from contexten.engines.model.limits import Limits
    from contexten.engines.sandbox import Sandbox

T = TypeVar("T")

_THREADS = 8
_CONTEXT_TOKENS = 4_000
_LONGEST_PROMPT = 8_000
"""Characters of a prompt that the index is asked about."""
_LAST_SECONDS = 5.0
_LAST_SHARE = 0.1
"""What is kept of a turn's time to tell how it ended: seconds at most, and share of it."""


class ModelEngine:
    """Lets a model work on a copy of the repository with tools, until it is done or a limit is reached.

    Args:
        model: of a run that names none, as `provider:name`.
        home: folder of the runs' own copies.
        sandbox: where commands run; when it is not available, models cannot run any.
        limits: what one turn may use up.
    """

    name = "model"
    concurrency: int | None = None

    def __init__(self, model: str | None, home: Path, sandbox: Sandbox, limits: Limits) -> None:
        self._model = model
        self._home = home
        self._sandbox = sandbox
        self._limits = limits
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="model")

    def availability(self) -> Availability:
        """Whether the extra is installed, a model is set and its key is there; nobody is asked whether the key is right."""
        if self._model:
            reason = objection(self._model)
            return Availability(ready=reason is None, detail=reason or self._model)
        return Availability(ready=False, detail="needs CONTEXTEN_MODEL" if installed() else NOT_INSTALLED)

    def objection(self, model: str | None) -> str | None:
        """Why a run with this model cannot begin; None when it can."""
        return objection(model)

    async def run(self, task: Task, journal: Journal) -> Outcome:
        """Do the task.

        Raises:
            EngineUnavailableError: the model is missing something; the message says what.
            EngineError: there can be no copy of the repository.
        """
        if reason := objection(task.model):
            raise EngineUnavailableError(reason)
        deadline = _deadline(task)
        before = await journal.entries()
        checkout = await open_checkout(task, self._home, journal)
        place = await self._place(task, checkout)
        model, asked = await self._in_thread(_opened, task.model, place, self._limits)
        loop = Loop(
            asked,
            Toolbox(place, self._threads),
            await self._conversation(task, checkout, place),
            journal,
            before=before,
            limits=self._limits,
            lost=checkout.lost,
        )
        async with model:
            ended = await _in_time(loop, task, deadline)
        outcome = await self._outcome(task, checkout, place, loop, ended)
        await _tell(journal, outcome)
        return outcome

    async def _place(self, task: Task, checkout: Checkout) -> Place:
        state = await self._in_thread(self._sandbox.availability)
        sandbox = self._sandbox if state.ready else None
        return Place(checkout.root, task.repo_name, sandbox, self._limits.command_seconds)

    async def _conversation(self, task: Task, checkout: Checkout, place: Place) -> Conversation:
        changed = (await self._in_thread(checkout.changes)).files if task.turn > 1 else ()
        return Conversation(task, await self._in_thread(_context, place, task.prompt), changed)

    async def _outcome(self, task: Task, checkout: Checkout, place: Place, loop: Loop, ended: Ended) -> Outcome:
        changes = await self._in_thread(checkout.changes)
        spent = loop.spent
        return Outcome(
            ended.status,
            _text(task, ended, changes),
            summary=figures(changes, spent.usage, tests=place.tests, priced=spent.priced) or None,
            usage=spent.usage,
            changes=changes,
        )

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


def _opened(name: str, place: Place, limits: Limits) -> tuple[Model, Asked]:
    """The model, and the way to ask it. Slow at the first time: it imports what speaks to the provider."""
    model = open_model(name)
    return model, Asked(model, name, instructions(can_run=place.sandbox is not None), tools_for(place), limits)


def _context(place: Place, prompt: str) -> str:
    """What of the code matters for a prompt; nothing when the code cannot be read."""
    try:
        return place.code().codebase.relevant_context(prompt[:_LONGEST_PROMPT], budget_tokens=_CONTEXT_TOKENS).text
    except (CodebaseError, EngineError, OSError):
        return ""


def _deadline(task: Task) -> float | None:
    """When the loop has to end so that there is time to tell how it ended, on the clock of the event loop."""
    if task.seconds is None:
        return None
    return asyncio.get_running_loop().time() + task.seconds - min(_LAST_SECONDS, task.seconds * _LAST_SHARE)


async def _in_time(loop: Loop, task: Task, deadline: float | None) -> Ended:
    """How a loop ends, within the time that there is."""
    limit = asyncio.timeout_at(deadline)
    try:
        async with limit:
            return await loop.run()
    except TimeoutError:
        if not limit.expired():
            raise
        said = (
            f"The run was stopped because it was not done after {task.seconds:g} s (--timeout, CONTEXTEN_RUN_TIMEOUT)."
        )
        return Ended(RunStatus.TIMEOUT, f"{said} It can go on where it is:", resumable=True)


def _text(task: Task, ended: Ended, changes: Changes) -> str:
    """The result: the answer, or what happened and the next steps."""
    text = f'{ended.text} contexten runs resume {task.run_id} "go on"' if ended.resumable else ended.text
    if ended.status != RunStatus.COMPLETE and changes.files:
        text += f"\nWhat it has changed so far is kept: contexten runs diff {task.run_id}"
    return text


async def _tell(journal: Journal, outcome: Outcome) -> None:
    """Write the answer into the log. How a turn failed is written there by the queue, but for the limits."""
    if outcome.status == RunStatus.COMPLETE:
        entry = NewLogEntry(message_type=MessageType.FINAL_ANSWER, thought=outcome.summary, observation=outcome.result)
        await journal.add(entry, key="answer")
    elif outcome.status in {RunStatus.MAX_ITERATIONS_REACHED, RunStatus.OUT_OF_TOKENS}:
        await journal.add(NewLogEntry(message_type=MessageType.ERROR, thought=outcome.result), key="limit")
