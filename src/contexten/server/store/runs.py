"""Runs: create, list, change. The public door to everything about them; the statements are in `run_*.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, func, select, update

from contexten.engines.base import Usage
from contexten.protocol import RunStatus
from contexten.server.store import notices, run_attempts, run_changes, run_creation, run_deletion, run_pages, run_rows
from contexten.server.store.columns import now
from contexten.server.store.entry_size import cut_text
from contexten.server.store.records import RunFilter
from contexten.server.store.tables import runs, turns

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Connection

    from contexten.protocol import Window
    from contexten.server.store.database import Database
    from contexten.server.store.records import NewRun, RunRecord, TurnRecord
    from contexten.server.store.transaction import Transaction

LONGEST_SUMMARY = 1000
_ALL = RunFilter()
_UNFINISHED = (
    select(runs.c.id, runs.c.turn, runs.c.engine, runs.c.status)
    .where(runs.c.finished_at.is_(None), runs.c.reported.is_(False))
    .order_by(runs.c.id)
)
_UNQUEUED = (
    select(turns.c.run_id, turns.c.turn, runs.c.engine)
    .join(runs, runs.c.id == turns.c.run_id)
    .where(turns.c.queued_at.is_(None), runs.c.finished_at.is_(None))
    .order_by(turns.c.run_id)
)
_MARK = update(turns).where(turns.c.run_id == bindparam("run"), turns.c.turn == bindparam("number"))


class UnqueuedTurn(NamedTuple):
    """A turn that the queue has not taken yet."""

    run_id: int
    turn: int
    engine: str


class UnfinishedTurn(NamedTuple):
    """A turn that has not ended."""

    run_id: int
    turn: int
    engine: str
    status: str


class Runs:
    """All runs of the server."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.on_end: Callable[[RunRecord], None] | None = None
        """Called on the event loop with each run that this process ended, as it was before."""

    async def create(self, new: NewRun) -> tuple[RunRecord, bool]:
        """Write a run, its first turn and its first events; False when the idempotency key gave back an earlier run.

        Raises:
            IdempotencyConflictError: the key was used with another request.
            NotThereError: the organization has no such repository.
        """
        prepared = run_creation.prepare(new)
        return await self._database.write(lambda transaction: run_creation.create(transaction, prepared))

    async def get(self, organization_id: int, run_id: int) -> RunRecord:
        """The run.

        Raises:
            NotThereError: the organization has no such run.
        """
        return await self._database.read(lambda connection: run_rows.find(connection, organization_id, run_id))

    async def newest(self, organization_id: int, user_id: int | None = None) -> RunRecord | None:
        """The newest run, of one user when given; None when there is none."""
        return await self._database.read(lambda connection: run_rows.newest(connection, organization_id, user_id))

    async def list(
        self, organization_id: int, window: Window, chosen: RunFilter = _ALL
    ) -> tuple[builtins.list[RunRecord], int]:
        """The runs of one page, newest first, and how many there are in all."""
        return await self._database.read(lambda connection: run_pages.page(connection, organization_id, window, chosen))

    async def active(self) -> int:
        """How many runs have not ended, over all organizations."""
        unfinished = select(func.count()).select_from(runs).where(runs.c.finished_at.is_(None))
        return await self._database.read(lambda connection: connection.scalar(unfinished) or 0)

    async def waiting(self) -> dict[str, int]:
        """How many runs wait for their turn, by engine, over all organizations."""
        pending = (
            select(runs.c.engine, func.count())
            .where(runs.c.finished_at.is_(None), runs.c.status == RunStatus.PENDING)
            .group_by(runs.c.engine)
        )
        return await self._database.read(lambda connection: {row[0]: row[1] for row in connection.execute(pending)})

    async def resume(self, organization_id: int, run_id: int, prompt: str, images: tuple[str, ...] = ()) -> RunRecord:
        """Add a turn, PENDING, to a run that has ended.

        Raises:
            NotThereError: the organization has no such run.
            RunBusyError: it goes on.
            RunRefusedError: it is banned, or another program reported it.
        """
        return await self._database.write(
            lambda transaction: run_changes.resume(transaction, organization_id, run_id, prompt, images)
        )

    async def cancel(
        self, organization_id: int, run_id: int, status: str = RunStatus.CANCELLED
    ) -> tuple[RunRecord, bool]:
        """End a run as `status`; False when it had ended already, and then nothing changes.

        Raises:
            NotThereError: the organization has no such run.
        """

        def work(transaction: Transaction) -> tuple[RunRecord, bool]:
            run = run_rows.find(transaction.connection, organization_id, run_id)
            ending = run_changes.Ending(str(status), run.result, run.summary)
            ended = run_changes.finish(transaction, run, ending)
            return run_rows.find(transaction.connection, organization_id, run_id), ended

        run, ended = await self._database.write(work)
        if ended:
            self._tell(run)
        return run, ended

    async def delete(self, organization_id: int, run_id: int) -> RunRecord:
        """Forget a run that has ended, with its turns, its log and all that a search would find; gives it as it was.

        Raises:
            NotThereError: the organization has no such run.
            RunBusyError: it goes on.
        """
        return await self._database.write(
            lambda transaction: run_deletion.delete_run(transaction, organization_id, run_id)
        )

    async def deleted(self, run_ids: Iterable[int]) -> set[int]:
        """Those of these runs that were deleted in the last 30 days."""
        asked = set(run_ids)
        return asked & await self._database.read(lambda connection: set(connection.scalars(notices.DELETED_RUNS)))

    async def ban(self, organization_id: int, run_id: int, banned: bool) -> RunRecord:
        """Mark a run as banned or not.

        Raises:
            NotThereError: the organization has no such run.
        """
        return await self._database.write(
            lambda transaction: run_changes.ban(transaction, organization_id, run_id, banned=banned)
        )

    async def set_status(self, organization_id: int, run_id: int, status: str, result: str | None = None) -> RunRecord:
        """Note the status of a run that another program does and reports.

        Raises:
            NotThereError: the organization has no such run.
            RunRefusedError: an engine here does the run, or it was stopped.
        """
        return await self._database.write(
            lambda transaction: run_changes.set_status(transaction, organization_id, run_id, status, result)
        )

    async def history(self, run_id: int, before_turn: int) -> builtins.list[TurnRecord]:
        """The turns of a run before one, oldest first."""
        return await self._database.read(lambda connection: run_rows.earlier_turns(connection, run_id, before_turn))

    async def unqueued(self, limit: int = 500) -> builtins.list[UnqueuedTurn]:
        """Turns that the queue has not taken yet and that have not ended, oldest run first."""

        def work(connection: Connection) -> builtins.list[UnqueuedTurn]:
            return [UnqueuedTurn(*row) for row in connection.execute(_UNQUEUED.limit(limit))]

        return await self._database.read(work)

    async def mark_queued(self, taken: builtins.list[tuple[int, int]]) -> None:
        """Note that the queue has taken these turns, given as run and turn."""
        marks = [{"run": run_id, "number": turn} for run_id, turn in taken]

        def work(transaction: Transaction) -> None:
            transaction.connection.execute(_MARK.values(queued_at=now()), marks)

        if marks:
            await self._database.write(work)

    async def begin(self, run_id: int, turn: int) -> TurnRecord | None:
        """Take a turn up, which makes one more attempt; None when it has ended or there is none such."""
        return await self._database.write(lambda transaction: run_changes.begin(transaction, run_id, turn))

    async def finish(  # noqa: PLR0913 - the parts of an outcome
        self,
        run_id: int,
        turn: int,
        *,
        status: str,
        result: str | None,
        summary: str | None = None,
        usage: Usage | None = None,
        attempt: int | None = None,
    ) -> bool:
        """End a turn; False when somebody else ended it before, and then nothing changes.

        With `attempt`, also when that is not the newest attempt at the turn: another worker has taken it over.
        """
        shown = None if result is None else cut_text(result)
        line = None if summary is None else cut_text(summary, LONGEST_SUMMARY)
        ending = run_changes.Ending(str(status), shown, line, usage or Usage())

        def work(transaction: Transaction) -> RunRecord | None:
            run = run_rows.find_anywhere(transaction.connection, run_id)
            if run is None or run.turn != turn:
                return None
            if attempt is not None and not run_attempts.holds(transaction, run_id, turn, attempt):
                return None
            return run if run_changes.finish(transaction, run, ending) else None

        ended = await self._database.write(work)
        if ended is not None:
            self._tell(ended)
        return ended is not None

    def _tell(self, run: RunRecord) -> None:
        if self.on_end is not None:
            self.on_end(run)

    async def unfinished(self) -> builtins.list[UnfinishedTurn]:
        """Turns of engines here that have not ended, oldest run first."""

        def work(connection: Connection) -> builtins.list[UnfinishedTurn]:
            return [UnfinishedTurn(*row) for row in connection.execute(_UNFINISHED)]

        return await self._database.read(work)

    async def attempts(self, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """The newest attempt at each of these turns, given as run and turn; those that have ended are left out."""
        return await self._database.read(lambda connection: run_attempts.current(connection, wanted))

    async def put_back(self, run_id: int, turn: int, attempt: int) -> None:
        """Note that an attempt ended with an orderly stop of its worker, and not with a crash. The turn goes on."""
        await self._database.write(lambda transaction: run_attempts.put_back(transaction, run_id, turn, attempt))

    async def spend(self, run_id: int, turn: int, attempt: int, usage: Usage) -> None:
        """Add what an attempt at a turn used up that somebody else has ended, such as by a cancel."""
        await self._database.write(lambda transaction: run_attempts.spend(transaction, run_id, turn, attempt, usage))
