"""Does turns: takes one up in the store, lets its engine do it, and writes how it ended."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from contexten.engines.base import Outcome, Usage
from contexten.engines.workspace import CHECKOUTS, CLONES
from contexten.errors import EngineError, StoreUnavailableError
from contexten.protocol import MessageType, NewLogEntry, PartialEvent, RunStatus, is_successful
from contexten.server.queue.assignment import task_of
from contexten.server.queue.attempt import Limits, attempt, broken, failed
from contexten.server.queue.copies import keep_changes
from contexten.server.queue.journal import TurnJournal
from contexten.server.queue.patience import PAUSE, Outage, Patience
from contexten.server.store.errors import NotThereError
from contexten.telemetry import names, tracing
from contexten.telemetry.runs import run_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contexten.engines.base import Engines
    from contexten.server.queue.durable import Waiting
    from contexten.server.store import Store
    from contexten.server.store.records import TurnRecord
    from contexten.settings import ServerSettings

MAX_CRASHES = 3
"""Attempts at one turn that may end with the end of the process; the next one ends the turn instead."""


@dataclass(slots=True)
class _UnderWay:
    stop: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    attempt: int | None = None
    """Which attempt this is, once the store has given it out."""
    spent: Usage = field(default_factory=Usage)
    """What it has used up, once it was stopped."""

    def halt(self, *, over: bool) -> None:
        if not self.stop.done():
            self.stop.set_result(over)


class Turns:
    """The turns that this process is doing.

    Engines run on the server's event loop: one that computes or blocks must use threads of its own, as it would stop
    every other run and the API with them.

    Args:
        settings: the limits of runs.
        store: where turns come from and go to.
        engines: who does them.
        grace: seconds that an engine has to end once it is told to; then its slot is taken from it.
        outage: told when the store is unavailable.
        show: given text that a run is still saying, with its organization.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a server that a turn needs
        self,
        settings: ServerSettings,
        store: Store,
        engines: Engines,
        grace: float,
        outage: Outage,
        show: Callable[[int, PartialEvent], None] | None = None,
    ) -> None:
        self.limits = {engine.name: engine.concurrency or settings.concurrency for engine in engines}
        self._settings = settings
        self._store = store
        self._engines = engines
        self._grace = grace
        self._show = show
        self._slots = {name: asyncio.Semaphore(limit) for name, limit in self.limits.items()}
        self._under_way: dict[tuple[int, int], _UnderWay] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._copies = settings.data_dir / CHECKOUTS
        self._clones = settings.data_dir / CLONES
        self._closing = False
        self._patiently = Patience(outage)

    @property
    def attempts(self) -> Mapping[tuple[int, int], int]:
        """Which attempt at each turn is under way here."""
        return {key: one.attempt for key, one in self._under_way.items() if one.attempt is not None}

    def halt(self, run_id: int, turn: int, *, over: bool = True) -> None:
        """Stop doing a turn that is over, or that another attempt took over; nothing is written about it."""
        if one := self._under_way.get((run_id, turn)):
            one.halt(over=over)

    async def rest(self, seconds: float) -> None:
        """Wait until nothing is under way, at most so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)

    async def close(self, drain: float) -> None:
        """Take up nothing more, wait for what is under way, and leave what is not done in time to the next start."""
        self._closing = True
        self._patiently.end()
        await self.rest(drain)
        for one in self._under_way.values():
            one.halt(over=False)
        await self.rest(self._grace + PAUSE)

    async def do(self, waiting: Waiting) -> None:
        """Do a turn. Returns when it has ended; never, until cancelled, when it is left to the next start."""
        key = (waiting.run_id, waiting.turn)
        self.halt(*key, over=False)  # an attempt that was taken from this worker and came back to it
        one = self._under_way[key] = _UnderWay()
        self._idle.clear()
        try:
            async with self._slots[waiting.engine]:
                left = self._closing or await self._take_up(waiting, one)
        except StoreUnavailableError:
            left = True
        except NotThereError:  # cancelled and deleted while its engine was ending
            left = False
        finally:
            if self._under_way.get(key) is one:
                del self._under_way[key]
            if not self._under_way:
                self._idle.set()
        if left:
            await asyncio.get_running_loop().create_future()

    async def refuse(self, waiting: Waiting) -> None:
        """End a turn whose engine is not here any more."""
        reason = f"There is no engine {waiting.engine!r} here any more. Engines here: {', '.join(self.limits)}."
        await self._store.runs.finish(waiting.run_id, waiting.turn, status=RunStatus.FAILED, result=reason)

    async def _take_up(self, waiting: Waiting, one: _UnderWay) -> bool:
        """Do a turn once it has a slot; True when it is left to the next start."""
        record = await self._patiently(lambda: self._store.runs.begin(waiting.run_id, waiting.turn))
        if record is None:
            return False
        one.attempt = record.attempt
        outcome = await self._outcome(record, one)
        if outcome is not None or one.stop.result():
            await self._patiently(lambda: keep_changes(self._store, self._copies, record, outcome))
        if outcome is not None:
            await self._end(record, outcome)
        elif one.stop.result():
            used = one.spent
            await self._patiently(lambda: self._store.runs.spend(record.run_id, record.turn, record.attempt, used))
        elif self._closing:
            await self._store.runs.put_back(record.run_id, record.turn, record.attempt)
            return True
        return False

    async def _outcome(self, record: TurnRecord, one: _UnderWay) -> Outcome | None:
        if record.attempt - record.put_back > MAX_CRASHES:
            return _poison(record)
        show = partial(self._say, record)
        journal = TurnJournal(self._store, record.run_id, record.turn, self._patiently, show)
        try:
            engine = self._engines.get(record.engine)
            task = await self._patiently(lambda: task_of(self._store, record, self._clones))
        except EngineError as error:
            return failed(error)
        except StoreUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the run must end and say so
            return broken(error, _name(record))
        limits = Limits(record.timeout or self._settings.run_timeout, self._grace)
        task = replace(task, seconds=limits.seconds)
        span = tracing.invoke_agent(engine.name, {names.CONVERSATION: str(record.run_id)})
        with run_metrics.active(engine.name), span:
            outcome = await attempt(engine, task, journal, limits, one.stop)
        one.spent = journal.spent
        return outcome if outcome is None or outcome.usage != Usage() else replace(outcome, usage=journal.spent)

    def _say(self, record: TurnRecord, text: str) -> None:
        if self._show is not None:
            event = PartialEvent(agent_run_id=record.run_id, turn=record.turn, text=text)
            self._show(record.organization_id, event)

    async def _end(self, record: TurnRecord, outcome: Outcome) -> None:
        """Write how a turn ended; when that cannot be written, write that."""
        try:
            await self._finish(record, outcome)
        except (StoreUnavailableError, NotThereError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the run must end and say so
            await self._finish(record, broken(error, _name(record)))

    async def _finish(self, record: TurnRecord, outcome: Outcome) -> None:
        run, turn = record.run_id, record.turn
        if outcome.status in {RunStatus.FAILED, RunStatus.ERROR, RunStatus.TIMEOUT}:
            entry = NewLogEntry(message_type=MessageType.ERROR, thought=outcome.result)
            await self._patiently(lambda: self._store.events.append(run, turn, entry, key="queue:error"))
        ended = await self._patiently(
            lambda: self._store.runs.finish(
                run,
                turn,
                status=outcome.status,
                result=outcome.result,
                summary=outcome.summary,
                usage=outcome.usage,
                attempt=record.attempt,
            )
        )
        if ended:
            successful = is_successful(outcome.status)
            run_metrics.ended(record.engine, outcome.status, successful=successful, cost_usd=outcome.usage.cost_usd)


def _name(record: TurnRecord) -> str:
    return f"run-{record.run_id}-{record.turn}"


def _poison(record: TurnRecord) -> Outcome:
    return Outcome(
        RunStatus.ERROR,
        f"The server ended unexpectedly each of the {record.attempt - record.put_back - 1} times that it was doing this "
        "run, so the run is not tried again. Resume it to try once more.",
    )
