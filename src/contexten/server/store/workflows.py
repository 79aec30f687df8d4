"""Workflows: create, list, look at, change. A change is one transaction, with the runs that it begins or stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, null, or_, select, union

from contexten.protocol.status import TERMINAL
from contexten.server.store import workflow_changes
from contexten.server.store.columns import now
from contexten.server.store.errors import NotThereError
from contexten.server.store.tables import runs, turns, workflow_runs, workflows
from contexten.server.store.workflow_records import AttemptRecord, WorkflowRecord, WorkflowRow

if TYPE_CHECKING:
    import builtins
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

    from contexten.protocol import Window
    from contexten.server.store.database import Database
    from contexten.server.store.records import RunRecord
    from contexten.server.store.workflow_records import NewWorkflow, Step

# In the order of the fields of WorkflowRow.
_ROW = select(
    workflows.c.id,
    workflows.c.organization_id,
    workflows.c.user_id,
    workflows.c.definition_id,
    workflows.c.name,
    workflows.c.states,
    workflows.c.status,
    workflows.c.revision,
    workflows.c.wake_at,
    workflows.c.created_at,
    workflows.c.finished_at,
)
# A workflow makes the first turn of its runs; what a person adds to one later is not the workflow's.
_ATTEMPTS = workflow_runs.outerjoin(turns, (turns.c.run_id == workflow_runs.c.run_id) & (turns.c.turn == 1)).outerjoin(
    runs, runs.c.id == workflow_runs.c.run_id
)
_OVER = or_(workflow_runs.c.run_id.is_(None), turns.c.status.in_([str(status) for status in TERMINAL]))


class Workflows:
    """All workflows of the server."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, new: NewWorkflow) -> tuple[WorkflowRecord, bool]:
        """Write a workflow; False when the idempotency key gave back an earlier one.

        Raises:
            IdempotencyConflictError: the key was used with another request.
        """
        prepared = workflow_changes.prepare(new)
        workflow_id, created = await self._database.write(
            lambda transaction: workflow_changes.create(transaction, prepared)
        )
        return await self.get(new.organization_id, workflow_id), created

    async def get(self, organization_id: int, workflow_id: int) -> WorkflowRecord:
        """The workflow.

        Raises:
            NotThereError: the organization has no such workflow.
        """
        found = await self.find(workflow_id)
        if found is None or found.row.organization_id != organization_id:
            raise NotThereError(f"There is no workflow {workflow_id} in organization {organization_id}.")
        return found

    async def find(self, workflow_id: int) -> WorkflowRecord | None:
        """The workflow, whichever organization it belongs to; None when there is no such."""
        wanted = _ROW.add_columns(workflows.c.definition).where(workflows.c.id == workflow_id)

        def work(connection: Connection) -> WorkflowRecord | None:
            row = connection.execute(wanted).one_or_none()
            return None if row is None else WorkflowRecord(WorkflowRow(*row[:-1]), row[-1])

        return await self._database.read(work)

    async def list(self, organization_id: int, window: Window) -> tuple[builtins.list[WorkflowRow], int]:
        """The workflows of one page, newest first, and how many there are in all."""
        mine = workflows.c.organization_id == organization_id
        page = _ROW.where(mine).order_by(workflows.c.id.desc()).limit(window.limit).offset(window.skip)
        count = select(func.count()).select_from(workflows).where(mine)

        def work(connection: Connection) -> tuple[builtins.list[WorkflowRow], int]:
            return [WorkflowRow(*row) for row in connection.execute(page)], connection.scalar(count) or 0

        return await self._database.read(work)

    async def due(self) -> builtins.list[int]:
        """Workflows that have to be looked at: something of them ended, or their moment has come. Oldest first."""
        ended = (
            select(workflow_runs.c.workflow_id).select_from(_ATTEMPTS).where(workflow_runs.c.noted_at.is_(None), _OVER)
        )
        wanted = union(ended, select(workflows.c.id).where(workflows.c.wake_at <= now()))
        return await self._database.read(lambda connection: sorted(connection.scalars(wanted)))

    async def next_moment(self) -> datetime | None:
        """When the next workflow has to be looked at although nothing of it ended."""
        earliest = select(func.min(workflows.c.wake_at))
        return await self._database.read(lambda connection: connection.scalar(earliest))

    async def attempts(
        self, workflow_id: int, *, tasks: Collection[str] | None = None, results: bool = False, open_only: bool = False
    ) -> builtins.list[AttemptRecord]:
        """The attempts at a workflow's tasks, oldest first.

        Args:
            workflow_id: which workflow.
            tasks: those of these tasks only.
            results: whether to fetch what their runs said; else it is None.
            open_only: those only whose end is not noted.
        """
        result = turns.c.result if results else null()
        noted = workflow_runs.c.noted_at.is_not(None)
        columns = (
            workflow_runs.c.task,
            workflow_runs.c.attempt,
            workflow_runs.c.run_id,
            workflow_runs.c.refusal,
            noted,
            turns.c.status,
            result,
            func.coalesce(runs.c.cost_usd, 0.0),
        )
        wanted = select(*columns).select_from(_ATTEMPTS).where(workflow_runs.c.workflow_id == workflow_id)
        if tasks is not None:
            wanted = wanted.where(workflow_runs.c.task.in_(sorted(tasks)))
        if open_only:
            wanted = wanted.where(workflow_runs.c.noted_at.is_(None))
        wanted = wanted.order_by(workflow_runs.c.attempt, workflow_runs.c.task)

        def work(connection: Connection) -> builtins.list[AttemptRecord]:
            return [AttemptRecord(*row) for row in connection.execute(wanted)]

        return await self._database.read(work)

    async def step(self, workflow_id: int, revision: int, step: Step) -> builtins.list[RunRecord] | None:
        """Change a workflow, and give back the runs that this stopped; None, and nothing changes, when it is not at this revision any more."""
        prepared = workflow_changes.prepare_step(step)
        return await self._database.write(
            lambda transaction: workflow_changes.take(transaction, workflow_id, revision, prepared)
        )

    async def delete(self, organization_id: int, workflow_id: int) -> None:
        """Forget a workflow that has ended, with its document; its runs stay.

        Raises:
            NotThereError: the organization has no such workflow.
            RunBusyError: it goes on.
        """
        await self._database.write(
            lambda transaction: workflow_changes.remove(transaction, organization_id, workflow_id)
        )
