"""One attempt at a turn: the engine runs, and however it ends, an outcome or a stop comes back in time."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from contexten.engines.base import Outcome, checked
from contexten.errors import EngineError, StoreUnavailableError
from contexten.protocol import RunStatus

if TYPE_CHECKING:
    from contexten.engines.base import Engine, Task
    from contexten.server.queue.journal import TurnJournal

logger = logging.getLogger(__name__)

_abandoned: set[asyncio.Task[Outcome]] = set()


@dataclass(frozen=True, slots=True)
class Limits:
    """What an engine is given, in seconds."""

    seconds: float
    """For the task."""
    grace: float
    """To end once it is told to."""


async def attempt(
    engine: Engine, task: Task, journal: TurnJournal, limits: Limits, stop: asyncio.Future[bool]
) -> Outcome | None:
    """Let an engine do a task.

    Args:
        engine: who does it.
        task: what it does.
        journal: its log, closed when this returns.
        limits: how long it may take.
        stop: when done, the engine is told to end; with whether the turn has ended for good.

    Returns:
        How the turn ended, or None when it was stopped.

    Raises:
        StoreUnavailableError: the server stops while the log cannot be written.
    """
    work = asyncio.create_task(_run(engine, task, journal), name=f"run-{task.run_id}-{task.turn}")
    try:
        watched: set[asyncio.Future[Any]] = {work, stop}
        await asyncio.wait(watched, timeout=limits.seconds, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return _outcome(work)
        journal.close(over=stop.result() if stop.done() else True)
        await _end(work, limits.grace)
        return None if stop.done() else too_slow(limits.seconds)
    finally:
        journal.close()
        work.cancel()


def failed(error: EngineError) -> Outcome:
    """The outcome of a turn that an engine could not do."""
    return Outcome(RunStatus.FAILED, str(error) or type(error).__name__)


def broken(error: BaseException, name: str) -> Outcome:
    """The outcome of a turn that a fault ended; the details go to the server's log only, under an id."""
    error_id = uuid4().hex[:12]
    logger.error("%s failed [error %s]", name, error_id, exc_info=error)
    return Outcome(
        RunStatus.ERROR,
        f"A fault in the engine or the server ended this run. The server's log has it as error {error_id}.",
    )


def too_slow(seconds: float) -> Outcome:
    """The outcome of a turn that took too long."""
    return Outcome(
        RunStatus.TIMEOUT,
        f"The run was stopped because it was not done after {seconds:g} s. "
        "Give it longer with `timeout`, or all runs with CONTEXTEN_RUN_TIMEOUT.",
    )


async def _run(engine: Engine, task: Task, journal: TurnJournal) -> Outcome:
    try:
        outcome = await engine.run(task, journal)
    except (SystemExit, KeyboardInterrupt) as error:  # either would end the event loop, and the server with it
        raise RuntimeError(f"The engine called for an exit: {error!r}") from error
    try:
        return checked(outcome)
    except ValueError as error:
        raise TypeError(f"Engine {engine.name!r} ended with {error}.") from error


def _outcome(work: asyncio.Task[Outcome]) -> Outcome:
    if work.cancelled():
        return broken(RuntimeError("The engine cancelled itself."), work.get_name())
    error = work.exception()
    if error is None:
        return work.result()
    if isinstance(error, StoreUnavailableError):  # the journal waits for the store until the server stops
        raise error
    return failed(error) if isinstance(error, EngineError) else broken(error, work.get_name())


async def _end(work: asyncio.Task[Outcome], grace: float) -> None:
    """Cancel an engine's work and wait for its end; after the grace it is left to itself, so that its slot is free."""
    work.cancel()
    await asyncio.wait({work}, timeout=grace)
    if work.done():
        if not work.cancelled() and (error := work.exception()) is not None:
            logger.warning("%s raised while it was being stopped", work.get_name(), exc_info=error)
        return
    logger.error("%s did not stop within %g s; it is abandoned and can write nothing more", work.get_name(), grace)
    _abandoned.add(work)
    work.add_done_callback(_forget)


def _forget(work: asyncio.Task[Outcome]) -> None:
    _abandoned.discard(work)
    if not work.cancelled():
        work.exception()  # read, so that asyncio does not report it as lost
