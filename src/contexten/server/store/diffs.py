"""What runs changed in their copies of the repository: of each run what it is after its newest turn."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from contexten.engines.changes import Changes, FileChange
from contexten.server.store.records import Diff
from contexten.server.store.run_rows import find, find_anywhere
from contexten.server.store.tables import diffs
from contexten.server.store.text_gate import to_json

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from contexten.server.store.database import Database
    from contexten.server.store.transaction import Transaction


class Diffs:
    """The changes of all runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, run_id: int, turn: int, branch: str, changes: Changes) -> bool:
        """Note what a run has changed since it began, in place of what was noted before.

        Returns:
            False, and nothing is written, when there is no such run (any more).
        """
        row = {
            "run_id": run_id,
            "turn": turn,
            "branch": branch,
            "patch": changes.patch,
            "files": to_json([asdict(file) for file in changes.files]),
            "insertions": changes.insertions,
            "deletions": changes.deletions,
            "truncated": changes.truncated,
        }

        def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            if find_anywhere(connection, run_id) is None:
                return False
            connection.execute(delete(diffs).where(diffs.c.run_id == run_id))
            connection.execute(insert(diffs).values(row))
            return True

        return await self._database.write(work)

    async def get(self, organization_id: int, run_id: int) -> Diff:
        """What a run has changed; an empty one when nothing was noted.

        Raises:
            NotThereError: the organization has no such run.
        """

        def work(connection: Connection) -> Diff:
            run = find(connection, organization_id, run_id)
            row = connection.execute(select(diffs).where(diffs.c.run_id == run_id)).first()
            if row is None:
                return Diff(run_id, run.turn, "", Changes())
            files = tuple(FileChange(**file) for file in row.files)
            changes = Changes(row.patch, files, row.insertions, row.deletions, row.truncated)
            return Diff(run_id, row.turn, row.branch, changes)

        return await self._database.read(work)
