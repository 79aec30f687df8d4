"""The queue: turns written to the store are done, once, by an engine; on this worker or on another."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL

from contexten.errors import SettingsError, StoreUnavailableError
from contexten.server.queue.durable import Durable, Waiting
from contexten.server.queue.patience import Outage
from contexten.server.queue.turns import Turns
from contexten.server.store.connections import make_private_file
from contexten.server.store.faults import translated
from contexten.server.store.worker_claim import WorkerClaim
from contexten.telemetry.runs import run_metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from contexten.engines.base import Engines
    from contexten.protocol import PartialEvent
    from contexten.server.store import Store
    from contexten.settings import ServerSettings

BATCH = 500

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the queue does what nobody asks it for, in seconds."""

    scan: float = 5.0
    """Between two looks for turns that were not queued: what a crash between create and wake leaves."""
    watch: float = 1.0
    """Between two looks whether the turns under way were ended or taken over elsewhere."""
    beat: float = 3.0
    """Between two signs of life of a worker."""
    dead_after: float = 20.0
    """Silence after which a worker counts as dead and its turns are taken over."""
    grace: float = 5.0
    """What an engine gets to end once it is told to."""
    claim: float = 5.0
    """Patience with a process that has this worker's name and may just be ending."""
    prune: float = 3600.0
    """Between two clearings of ended workflows."""
    keep: float = 86400.0
    """Age of an ended workflow that is cleared."""


class Queue:
    """Does the turns of runs, durably: each is taken up again after a crash, and ends once.

    One per process can be started at a time.

    Args:
        settings: concurrency, time limit and name of this worker.
        store: where turns come from and go to.
        engines: who does them.
        pace: how often the queue looks around.
        show: given text that a run is still saying, with its organization.
    """

    def __init__(
        self,
        settings: ServerSettings,
        store: Store,
        engines: Engines,
        *,
        pace: Pace | None = None,
        show: Callable[[int, PartialEvent], None] | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._engines = engines
        self._pace = pace or Pace()
        self._show = show
        self._outage = Outage()
        self._woken = asyncio.Event()
        self._chores: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._durable: Durable | None = None
        self._lost: str | None = None
        self._giving_up: asyncio.Task[None] | None = None
        self._turns: Turns | None = None
        self._claim = None if store.is_sqlite else WorkerClaim(store.url, settings.worker_id)

    @property
    def problem(self) -> str | None:
        """What keeps runs from going on, and what to do about it; None when nothing does."""
        return self._lost or self._outage.problem

    @property
    def lost(self) -> str | None:
        """Why this worker does no more runs, for good; None while it does."""
        return self._lost

    async def start(self) -> None:
        """Take up what is unfinished and begin to work. Returns when turns are being given out.

        Raises:
            UsageError: this process runs another queue.
            SettingsError: another process works under this worker's name.
            StoreUnavailableError: the queue's own tables cannot be written.
        """
        self._loop = asyncio.get_running_loop()
        self._lost = None
        self._turns = Turns(self._settings, self._store, self._engines, self._pace.grace, self._outage, self._show)
        self._durable = Durable(self._url(), self._settings.worker_id, self._turns.limits, self._begin)
        try:
            with translated():
                await asyncio.to_thread(self._open, self._durable)
                await self._reconcile(self._durable, self._turns)
        except BaseException:
            await self.stop(0)
            raise
        self._chores = [asyncio.create_task(chore) for chore in self._all_chores(self._durable, self._turns)]

    async def drain(self, seconds: float) -> None:
        """Take up nothing more, and wait so many seconds for turns under way; new ones wait for other workers."""
        if self._turns is not None and self._durable is not None:
            self._durable.silence()
            await self._turns.rest(seconds)

    async def stop(self, drain: float = 5.0) -> None:
        """Stop working.

        Args:
            drain: seconds to wait for turns under way; those that are not done then are taken up at the next start, or
                by another worker.
        """
        if self._giving_up is not None:
            await self._giving_up
        await self._end(drain)

    async def _end(self, drain: float) -> None:
        turns, durable = self._turns, self._durable
        if turns is None or durable is None:
            return
        self._turns = self._durable = None
        durable.silence()
        await turns.close(drain)
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await asyncio.to_thread(durable.close)
        if self._claim is not None:
            await asyncio.to_thread(self._claim.give_back)
        self._loop = None

    def wake(self) -> None:
        """Say that a turn was created. May be called from any thread; returns at once."""
        if (loop := self._loop) is not None:
            loop.call_soon_threadsafe(self._woken.set)

    async def cancel(self, run_id: int, turn: int) -> None:
        """Stop the work on a turn that was cancelled in the store. Returns at once; the engine gets a moment to end."""
        if self._turns is not None:
            self._turns.halt(run_id, turn)

    def _open(self, durable: Durable) -> None:
        durable.reserve()
        if self._claim is not None:
            self._claim.take(self._pace.claim)
        if self._store.is_sqlite:
            make_private_file(self._file())
        durable.open()

    def _file(self) -> Path:
        return self._store.path_beside("queue.sqlite")

    def _url(self) -> str:
        if not self._store.is_sqlite:
            return self._store.url
        file = URL.create("sqlite", database=str(self._file()))
        return file.render_as_string(hide_password=False)

    def _begin(self, waiting: Waiting) -> Future[None]:
        if self._turns is None or self._loop is None:
            raise asyncio.CancelledError
        return asyncio.run_coroutine_threadsafe(self._turns.do(waiting), self._loop)

    async def _reconcile(self, durable: Durable, turns: Turns) -> None:
        unfinished = [Waiting(run_id, turn, engine) for run_id, turn, engine, _ in await self._store.runs.unfinished()]
        alone = self._store.is_sqlite
        if alone:
            for waiting in unfinished:
                if waiting.engine not in self._engines:
                    await turns.refuse(waiting)
        await asyncio.to_thread(
            durable.reconcile, [w for w in unfinished if not alone or w.engine in self._engines], alone=alone
        )

    def _all_chores(self, durable: Durable, turns: Turns) -> Iterator[Coroutine[Any, Any, None]]:
        yield self._dispatch(durable)
        yield self._every(self._pace.watch, partial(self._watch, turns))
        yield self._every(self._pace.watch, partial(self._check, durable))
        yield self._every(self._pace.prune, partial(self._prune, durable))
        if not self._store.is_sqlite:
            yield self._every(self._pace.beat, partial(self._keep_alive, durable))

    async def _dispatch(self, durable: Durable) -> None:
        queue_new = partial(self._queue_new, durable)
        while True:
            self._woken.clear()
            await self._guarded(queue_new)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self._pace.scan)

    async def _queue_new(self, durable: Durable) -> None:
        """Queue what the store has that is not queued, then mark it: a crash in between queues it again, as one."""
        while new := await self._store.runs.unqueued(BATCH):
            await asyncio.to_thread(durable.enqueue, [Waiting(*turn) for turn in new])
            await self._store.runs.mark_queued([(run_id, turn) for run_id, turn, _ in new])
            for turn in new:
                run_metrics.asked(turn.engine)

    async def _watch(self, turns: Turns) -> None:
        """Stop what was ended elsewhere, and what another worker took over while this one was silent."""
        mine = turns.attempts
        if mine:
            current = await self._store.runs.attempts(list(mine))
            for key, attempt in mine.items():
                if current.get(key) != attempt:
                    turns.halt(*key, over=key not in current)

    @staticmethod
    async def _check(durable: Durable) -> None:
        """Note what keeps turns from being given out, which goes on by itself but says nothing to anybody."""
        durable.check()

    async def _keep_alive(self, durable: Durable) -> None:
        if self._claim is not None:
            try:
                await asyncio.to_thread(self._claim.keep)
            except SettingsError as error:
                self._give_up(error)
                return
        await self._store.workers.beat(self._settings.worker_id)
        for worker_id in await self._store.workers.dead(self._pace.dead_after):
            if worker_id == self._settings.worker_id:  # held up since it beat: what it has under way goes on
                continue
            taken = await asyncio.to_thread(durable.take_over, [worker_id])
            if taken:
                logger.warning("Worker %s is silent; its %d turns under way are taken over", worker_id, taken)
            await self._store.workers.forget(worker_id)

    def _give_up(self, error: SettingsError) -> None:
        """Stop working: what this worker has under way belongs to the process that took its name."""
        self._lost = f"This worker lost its name and does no more runs. {error}"
        logger.error(self._lost)
        self._giving_up = asyncio.create_task(self._end(0))

    async def _prune(self, durable: Durable) -> None:
        while await asyncio.to_thread(durable.prune, timedelta(seconds=self._pace.keep)):
            pass

    async def _every(self, seconds: float, chore: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._guarded(chore)
            await asyncio.sleep(seconds)

    async def _guarded(self, chore: Callable[[], Awaitable[None]]) -> None:
        """Do a chore; when it fails, say so and let the next round try again."""
        try:
            with translated():  # DBOS raises what its own tables' driver raises
                await chore()
            self._outage.over(chore)
        except StoreUnavailableError as error:
            self._outage.note(chore, error)
        except Exception:  # a chore that ends would stop the queue without a word
            logger.exception("The queue could not do a chore; it tries again")
