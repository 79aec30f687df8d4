"""Advances workflows: notes the ends of their runs and begins those that come next.

Any number of workers do this at once. A step is written together with the runs that it begins, and only to the revision
that it was thought out for: of two workers that look at the same workflow one takes the step, and the other looks again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self, TypeAlias

from contexten.errors import StoreUnavailableError
from contexten.protocol import RunStatus
from contexten.protocol.workflows import WorkflowDefinition, WorkflowStatus
from contexten.server.workflows.planning import Runs, plan, step_of
from contexten.telemetry import metrics, names
from contexten.telemetry.runs import run_metrics
from contexten.workflows.schedule import Schedule
from contexten.workflows.states import states_from_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from contexten.engines import Engines
    from contexten.server.queue import Queue
    from contexten.server.store import Store
    from contexten.server.store.records import RunRecord
    from contexten.server.store.workflow_records import Begin, WorkflowRecord, WorkflowRow
    from contexten.server.workflows.planning import Plan
    from contexten.settings import ServerSettings
    from contexten.workflows.states import States


Change: TypeAlias = "Callable[[Schedule, States, float], States]"
"""Makes new states of old ones; given the rules of the workflow and the moment too."""
SCAN = 5.0
"""Seconds between two looks at all workflows: what ended on a worker that died before it could say so."""
MARK = "workflow_id"
"""Name in the metadata of a run that belongs to a workflow."""

logger = logging.getLogger(__name__)


class Advancer:
    """Advances the workflows of a store while it is open. An asynchronous context manager.

    Args:
        settings: the limits of prompts.
        store: where workflows are, and their runs.
        queue: told of new runs, and of those that are cancelled.
        engines: those of this server.
        scan: seconds between two looks at all workflows.
    """

    def __init__(
        self, settings: ServerSettings, store: Store, queue: Queue, engines: Engines, *, scan: float = SCAN
    ) -> None:
        self._store = store
        self._queue = queue
        self._runs = Runs(settings, engines)
        self._scan = scan
        self._woken = asyncio.Event()
        self._set_aside: dict[int, float] = {}
        """Workflows that could not be advanced, and when they are tried again."""

    async def __aenter__(self) -> Self:
        self._store.runs.on_end = self._ended
        self._work_task = asyncio.create_task(self._work(), name="workflows")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._store.runs.on_end = None
        self._work_task.cancel()
        await asyncio.gather(self._work_task, return_exceptions=True)

    def wake(self) -> None:
        """Look at all workflows now."""
        self._woken.set()

    async def change(
        self, organization_id: int, workflow_id: int, change: Change, *, cancel: bool = False
    ) -> WorkflowRecord:
        """Change the states of a workflow as somebody asked, then go on with it; the workflow as it is after that.

        Args:
            organization_id: whose it is.
            workflow_id: which.
            change: its states as they shall be.
            cancel: whether it ends so, and its runs are stopped.

        Raises:
            NotThereError: the organization has no such workflow.
            UsageError: its states do not allow this.
        """
        while (stopped := await self._changed(organization_id, workflow_id, change, cancel=cancel)) is None:
            pass
        for run in stopped:
            run_metrics.ended(run.engine, RunStatus.CANCELLED, successful=None)
            await self._queue.cancel(run.id, run.turn)
        await self.advance(workflow_id)
        return await self._store.workflows.get(organization_id, workflow_id)

    async def _changed(
        self, organization_id: int, workflow_id: int, change: Change, *, cancel: bool
    ) -> list[RunRecord] | None:
        """Make a change, and give back the runs that it stopped; None when the workflow was changed meanwhile."""
        row, document = await self._store.workflows.get(organization_id, workflow_id)
        if cancel and row.finished_at is not None:
            return []
        definition = WorkflowDefinition.model_validate(document)
        schedule = Schedule(definition)
        states = change(schedule, states_from_json(row.states), time.time())
        step = step_of(row, states, WorkflowStatus.CANCELLED if cancel else schedule.status(states), definition)
        due = None if step.ended else datetime.now(UTC)  # until it is advanced
        stopped = await self._store.workflows.step(row.id, row.revision, replace(step, stop=cancel, wake_at=due))
        if stopped is not None and cancel:
            _measure(row, WorkflowStatus.CANCELLED)
        return stopped

    async def advance(self, workflow_id: int) -> None:
        """Note what ended and begin what comes next."""
        while await self._step(workflow_id):
            pass

    async def _step(self, workflow_id: int) -> bool:
        """One step; True when another is needed at once."""
        record = await self._store.workflows.find(workflow_id)
        if record is None:
            return False
        workflows, row = self._store.workflows, record.row
        planned = plan(record, await workflows.attempts(row.id, results=True, open_only=True), time.time())
        begin = await self._begin(record, planned)
        step = step_of(row, planned.states, planned.status, planned.definition)
        unchanged = (step.states, step.status, step.wake_at) == (row.states, row.status, row.wake_at)
        if unchanged and not planned.noted:
            return False
        if await workflows.step(row.id, row.revision, replace(step, noted=planned.noted, begin=begin)) is None:
            return True
        if begin:
            self._queue.wake()
        if step.ended and row.finished_at is None:
            _measure(row, planned.status)
        return any(isinstance(each.run, str) for each in begin)

    async def _begin(self, record: WorkflowRecord, planned: Plan) -> tuple[Begin, ...]:
        if not planned.begun:
            return ()
        needed = planned.needed
        found = await self._store.workflows.attempts(record.row.id, tasks=needed, results=True) if needed else []
        return await asyncio.to_thread(self._runs.begin, record, planned, found)

    def _ended(self, run: RunRecord) -> None:
        if MARK in run.metadata:
            self.wake()

    async def _work(self) -> None:
        while True:
            self._woken.clear()
            pause = self._scan
            try:
                pause = await self._look()
            except StoreUnavailableError:  # the queue says so, and waits for the same store
                pass
            except Exception:  # a scheduler that ends would stop all workflows without a word
                logger.exception("The workflows could not be looked at; that is tried again")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), pause)

    async def _look(self) -> float:
        """Advance what is due; gives the seconds until the next look."""
        for workflow_id in await self._store.workflows.due():
            if self._set_aside.get(workflow_id, 0.0) <= time.monotonic():
                await self._advance_guarded(workflow_id)
        moment = await self._store.workflows.next_moment()
        least = 1.0 if self._set_aside else 0.01
        return self._scan if moment is None else min(self._scan, max(least, moment.timestamp() - time.time()))

    async def _advance_guarded(self, workflow_id: int) -> None:
        try:
            await self.advance(workflow_id)
            self._set_aside.pop(workflow_id, None)
        except StoreUnavailableError:
            raise
        except Exception:
            self._set_aside[workflow_id] = time.monotonic() + self._scan
            logger.exception("Workflow %d could not be advanced; that is tried again", workflow_id)


def _measure(row: WorkflowRow, status: WorkflowStatus) -> None:
    """Take the time of a workflow that just ended into the figures, unless it was begun anew in between."""
    if any(state["uncounted"] for state in row.states.values()):
        return
    seconds = time.time() - row.created_at.timestamp()
    metrics.registry.observe(names.INVOKE_WORKFLOW_SECONDS, max(0.0, seconds), {"status": status})
